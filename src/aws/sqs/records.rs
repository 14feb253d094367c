//! Messages with more to remember than their place in the line: received, delayed by themselves, or moved; and what
//! both types of queues do with them. Passive.
//!
//! Each record stands in three lists: by the moment at which it is (or was) visible, at which it was enqueued, and at
//! which it came to this queue. All are kept in order from their ends, where nearly all insertions happen.

use super::inbox::Receipt;
use crate::aws::fact::{MessageFact, MessageState, Origin};
use crate::aws::ids::{GroupId, MappingId, MessageId, QueueId, Slots};
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
    /// Its message group.
    pub(super) group: Option<GroupId>,
    /// Visible, and set aside: it does not stand in the list by visibility.
    pub(super) is_shelved: bool,
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
    /// The first, by moment of visibility, that is not visible.
    hidden: Option<MessageId>,
    visible: u64,
    in_flight: u64,
    shelved: u64,
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

    /// How many are visible.
    #[inline]
    pub(super) fn visible(&self) -> u64 {
        self.visible
    }

    /// How many are in flight.
    #[inline]
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// How many are set aside.
    #[inline]
    pub(super) fn shelved(&self) -> u64 {
        self.shelved
    }

    /// When the next one becomes visible by time alone.
    #[inline]
    pub(super) fn next_visible_at(&self) -> Option<SimTime> {
        self.hidden.map(|id| self.slots[id].visible_at)
    }

    /// Since when the oldest is in the queue, but for those that were received `skips_after` times (ESM-S16).
    #[inline]
    pub(super) fn oldest(&self, skips_after: Option<u32>) -> Option<SimTime> {
        let mut oldest = self.first(List::Arrived);
        if let Some(limit) = skips_after {
            while let Some(id) = oldest
                && self.slots[id].receives >= limit
            {
                oldest = self.after(List::Arrived, id);
            }
        }
        oldest.map(|id| self.slots[id].arrived)
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
            is_shelved: false,
            links,
        };
        let id = self.slots.insert(record);
        for list in LISTS {
            self.link(list, id);
        }
        match state {
            MessageState::Visible => self.visible += 1,
            MessageState::InFlight | MessageState::Delayed => self.is_hidden(id, state),
        }
        id
    }

    /// Takes a record out of its lists; its id may be used again.
    pub(super) fn remove(&mut self, id: MessageId) -> Record {
        if self.hidden == Some(id) {
            self.hidden = self.after(List::Visibility, id);
        }
        self.unlink_visibility(id);
        for list in [List::Enqueued, List::Arrived] {
            self.unlink(list, id);
        }
        let record = self.slots.remove(id);
        // So that an old handle does not fit.
        self.slots[id].serial = 0;
        match record.state {
            MessageState::Visible => self.visible -= 1,
            MessageState::InFlight => self.in_flight -= 1,
            MessageState::Delayed => {}
        }
        record
    }

    /// A visible record is received, and hidden until `visible_at`.
    pub(super) fn give(&mut self, id: MessageId, visible_at: SimTime, now: SimTime, mapping: MappingId) -> Receipt {
        self.unlink_visibility(id);
        let record = &mut self.slots[id];
        record.visible_at = visible_at;
        record.receives += 1;
        record.received = now;
        let Record { origin, serial, receives, bytes, runs, .. } = *record;
        self.link(List::Visibility, id);
        if visible_at > now {
            self.visible -= 1;
            self.is_hidden(id, MessageState::InFlight);
        }
        Receipt { mapping, id, serial, visible_at, receives, bytes, runs, origin }
    }

    /// The delay of a record ends at another moment.
    pub(super) fn delay(&mut self, id: MessageId, visible_at: SimTime) {
        if self.hidden == Some(id) {
            self.hidden = self.after(List::Visibility, id);
        }
        self.unlink(List::Visibility, id);
        self.slots[id].visible_at = visible_at;
        self.link(List::Visibility, id);
        self.is_hidden(id, MessageState::Delayed);
    }

    /// A visible record is set aside until it is received: others go before it.
    pub(super) fn shelve(&mut self, id: MessageId) {
        self.unlink(List::Visibility, id);
        self.slots[id].is_shelved = true;
        self.shelved += 1;
    }

    #[inline]
    fn unlink_visibility(&mut self, id: MessageId) {
        if std::mem::take(&mut self.slots[id].is_shelved) {
            self.shelved -= 1;
        } else {
            self.unlink(List::Visibility, id);
        }
    }

    /// The first hidden record is visible from its moment on; says so of `queue`.
    pub(super) fn show(&mut self, queue: QueueId) -> (MessageId, MessageFact) {
        let id = self.hidden.expect("something is hidden");
        self.hidden = self.after(List::Visibility, id);
        self.visible += 1;
        let record = &mut self.slots[id];
        let (origin, at) = (record.origin, record.visible_at);
        let fact = match std::mem::replace(&mut record.state, MessageState::Visible) {
            MessageState::Delayed => MessageFact::DelayEnded { origin, queue, at },
            MessageState::InFlight => {
                self.in_flight -= 1;
                MessageFact::Returned { origin, queue, at }
            }
            MessageState::Visible => unreachable!("{id:?} was hidden"),
        };
        (id, fact)
    }

    /// The record that a receipt is of, while it is there.
    pub(super) fn of(&self, receipt: &Receipt) -> Option<&Record> {
        Some(&self.slots[receipt.id]).filter(|record| record.serial == receipt.serial)
    }

    /// A run with the message in its batch begins; whether it had one before.
    pub(super) fn count_run(&mut self, receipt: &Receipt) -> bool {
        let record = &mut self.slots[receipt.id];
        if record.serial != receipt.serial {
            return receipt.runs > 0;
        }
        record.runs += 1;
        record.runs > 1
    }

    /// A record is not visible: it may be the first of those.
    fn is_hidden(&mut self, id: MessageId, state: MessageState) {
        self.slots[id].state = state;
        self.in_flight += u64::from(state == MessageState::InFlight);
        let key = |id| self.key(List::Visibility, id);
        if self.hidden.is_none_or(|first| key(id) < key(first)) {
            self.hidden = Some(id);
        }
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

    /// What a list is ordered by.
    pub(super) fn key(&self, list: List, id: MessageId) -> (SimTime, u64) {
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
        records.give(ids[1], seconds(50), seconds(4), MappingId::from_index(0));
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
