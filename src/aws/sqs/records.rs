//! Messages with more to remember than their place in the line: received, delayed by themselves, or moved. Passive.
//!
//! Each record stands in three lists: by the moment at which it is (or was) visible, at which it was enqueued, and at
//! which it came to this queue. All are kept in order from their ends, where nearly all insertions happen.

use crate::aws::fact::{MessageState, Origin};
use crate::aws::ids::{GroupId, MessageId, Slots};
use crate::kernel::time::SimTime;

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) origin: Origin,
    /// Counts towards retention.
    pub(super) enqueued: SimTime,
    /// Counts towards the age metric: when it was enqueued, or moved to this queue.
    pub(super) arrived: SimTime,
    /// When it is visible.
    pub(super) visible_at: SimTime,
    /// Its number among the records of its queue; tells it from others that had its id.
    pub(super) serial: u64,
    pub(super) bytes: u32,
    /// Receives so far, in this queue.
    pub(super) receives: u32,
    /// Runs that had it in their batch, in all queues.
    pub(super) runs: u32,
    /// What it is doing; a change that time alone makes stands here when the queue has looked at it.
    pub(super) state: MessageState,
    /// When it was received last.
    pub(super) received: SimTime,
    /// Its message group, in a FIFO queue.
    pub(super) group: Option<GroupId>,
    links: [Links; 3],
}

/// Neighbours in a list.
#[derive(Clone, Copy, Debug, Default)]
struct Links {
    before: Option<MessageId>,
    after: Option<MessageId>,
}

/// The ends of a list.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    first: Option<MessageId>,
    last: Option<MessageId>,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// By the moment of visibility.
    Visibility = 0,
    /// By the moment of enqueueing.
    Enqueued = 1,
    /// By the moment of arrival in this queue.
    Arrived = 2,
}

const LISTS: [List; 3] = [List::Visibility, List::Enqueued, List::Arrived];

/// The records of one queue.
#[derive(Debug, Default)]
pub(super) struct Records {
    slots: Slots<MessageId, Record>,
    ends: [Ends; 3],
    serial: u64,
}

/// What a record begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewRecord {
    pub(super) origin: Origin,
    pub(super) enqueued: SimTime,
    pub(super) arrived: SimTime,
    pub(super) visible_at: SimTime,
    pub(super) bytes: u32,
    pub(super) receives: u32,
    pub(super) runs: u32,
    pub(super) state: MessageState,
}

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds a record to its lists.
    pub(super) fn insert(&mut self, new: NewRecord) -> MessageId {
        self.serial += 1;
        let NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state } = new;
        let links = [Links::default(); 3];
        let (serial, received) = (self.serial, SimTime::MAX);
        let record = Record {
            origin,
            enqueued,
            arrived,
            visible_at,
            serial,
            bytes,
            receives,
            runs,
            state,
            received,
            group: None,
            links,
        };
        let id = self.slots.insert(record);
        for list in LISTS {
            self.link(list, id);
        }
        id
    }

    /// Takes a record out of its lists; its id may be used again.
    pub(super) fn remove(&mut self, id: MessageId) -> Record {
        for list in LISTS {
            self.unlink(list, id);
        }
        let record = self.slots.remove(id);
        // So that an old handle does not fit.
        self.slots[id].serial = 0;
        record
    }

    /// The record is visible at another moment.
    pub(super) fn reschedule(&mut self, id: MessageId, visible_at: SimTime) {
        self.unlink(List::Visibility, id);
        self.slots[id].visible_at = visible_at;
        self.link(List::Visibility, id);
    }

    /// The first record of a list.
    #[inline]
    pub(super) fn first(&self, list: List) -> Option<MessageId> {
        self.ends[list as usize].first
    }

    /// The record behind another in a list.
    #[inline]
    pub(super) fn after(&self, list: List, id: MessageId) -> Option<MessageId> {
        self.slots[id].links[list as usize].after
    }

    /// The record before another in a list.
    pub(super) fn before(&self, list: List, id: MessageId) -> Option<MessageId> {
        self.slots[id].links[list as usize].before
    }

    fn key(&self, list: List, id: MessageId) -> (SimTime, u64) {
        let record = &self.slots[id];
        match list {
            List::Visibility => (record.visible_at, record.serial),
            List::Enqueued => (record.enqueued, record.serial),
            List::Arrived => (record.arrived, record.serial),
        }
    }

    /// Puts a record into its place, looked for from the end.
    fn link(&mut self, list: List, id: MessageId) {
        let key = self.key(list, id);
        let mut before = self.ends[list as usize].last;
        while let Some(other) = before
            && self.key(list, other) > key
        {
            before = self.slots[other].links[list as usize].before;
        }
        let after = match before {
            Some(before) => self.slots[before].links[list as usize].after.replace(id),
            None => self.ends[list as usize].first.replace(id),
        };
        match after {
            Some(after) => self.slots[after].links[list as usize].before = Some(id),
            None => self.ends[list as usize].last = Some(id),
        }
        self.slots[id].links[list as usize] = Links { before, after };
    }

    fn unlink(&mut self, list: List, id: MessageId) {
        let Links { before, after } = std::mem::take(&mut self.slots[id].links[list as usize]);
        match before {
            Some(before) => self.slots[before].links[list as usize].after = after,
            None => self.ends[list as usize].first = after,
        }
        match after {
            Some(after) => self.slots[after].links[list as usize].before = before,
            None => self.ends[list as usize].last = before,
        }
    }
}

impl std::ops::Index<MessageId> for Records {
    type Output = Record;

    #[inline]
    fn index(&self, id: MessageId) -> &Record {
        &self.slots[id]
    }
}

impl std::ops::IndexMut<MessageId> for Records {
    #[inline]
    fn index_mut(&mut self, id: MessageId) -> &mut Record {
        &mut self.slots[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::{CallerId, Id};

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn new(enqueued: u64, visible_at: u64) -> NewRecord {
        let origin = Origin { caller: CallerId::from_index(0), branch: 0, submission: 1, submitted: SimTime::ZERO };
        NewRecord {
            origin,
            enqueued: seconds(enqueued),
            arrived: seconds(enqueued),
            visible_at: seconds(visible_at),
            bytes: 1,
            receives: 0,
            runs: 0,
            state: MessageState::Visible,
        }
    }

    fn order(records: &Records, list: List) -> Vec<(u64, u64)> {
        let mut order = Vec::new();
        let mut next = records.first(list);
        while let Some(id) = next {
            let record = &records[id];
            order.push((record.enqueued.as_nanos() / 1_000_000_000, record.visible_at.as_nanos() / 1_000_000_000));
            next = records.after(list, id);
        }
        order
    }

    #[test]
    fn the_lists_are_kept_in_order() {
        let mut records = Records::default();
        let ids: Vec<_> = [(1, 31), (2, 5), (0, 40), (3, 31)]
            .into_iter()
            .map(|(at, visible)| records.insert(new(at, visible)))
            .collect();
        assert_eq!(order(&records, List::Visibility), [(2, 5), (1, 31), (3, 31), (0, 40)]);
        assert_eq!(order(&records, List::Enqueued), [(0, 40), (1, 31), (2, 5), (3, 31)]);
        records.reschedule(ids[1], seconds(50));
        assert_eq!(order(&records, List::Visibility), [(1, 31), (3, 31), (0, 40), (2, 50)]);
        let gone = records.remove(ids[0]);
        assert_eq!(gone.enqueued, seconds(1));
        assert_eq!(order(&records, List::Visibility), [(3, 31), (0, 40), (2, 50)]);
        assert_eq!(order(&records, List::Enqueued), [(0, 40), (2, 50), (3, 31)]);
        for id in [ids[2], ids[1], ids[3]] {
            records.remove(id);
        }
        assert_eq!((records.len(), records.first(List::Visibility), records.first(List::Enqueued)), (0, None, None));
    }
}
