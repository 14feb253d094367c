//! Messages that were set aside when they could have been received, as their group was noisy. Passive.

use std::collections::VecDeque;

use crate::aws::ids::MessageId;
use crate::aws::sqs::fresh::{Fresh, FreshLine};
use crate::aws::sqs::records::Records;
use crate::kernel::time::{SimDuration, SimTime};

/// Messages of one group, in order of their visibility.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    fresh: FreshLine,
    records: VecDeque<Place>,
}

/// A record on the shelf.
#[derive(Clone, Copy, Debug)]
struct Place {
    visible_at: SimTime,
    /// Tells it from others that have its id later.
    serial: u64,
    id: MessageId,
}

/// What is taken from a shelf.
pub(super) enum Taken {
    Fresh(Fresh),
    Record(MessageId),
}

impl Shelf {
    /// When the first fresh message was enqueued.
    pub(super) fn enqueued(&self) -> Option<SimTime> {
        self.fresh.first().map(|message| message.enqueued)
    }

    /// Since when the first message is visible; it may have left the queue since then.
    pub(super) fn head(&self, delay: SimDuration) -> Option<SimTime> {
        let fresh = self.enqueued().map(|enqueued| enqueued.plus(delay));
        let record = self.records.front().map(|place| place.visible_at);
        fresh.into_iter().chain(record).min()
    }

    /// Sets a fresh message aside.
    pub(super) fn put_fresh(&mut self, message: Fresh) {
        self.fresh.push(message);
    }

    /// Sets a record aside.
    pub(super) fn put_record(&mut self, id: MessageId, records: &Records) {
        let record = &records[id];
        self.records.push_back(Place { visible_at: record.visible_at, serial: record.serial, id });
    }

    /// Takes the first message; none where it has left the queue, so that its place is another one from now on.
    pub(super) fn take(&mut self, delay: SimDuration, records: &Records) -> Option<Taken> {
        let has_left = |place: &Place| {
            let record = &records[place.id];
            record.serial != place.serial || !record.is_shelved
        };
        if self.records.front().is_some_and(has_left) {
            while self.records.front().is_some_and(has_left) {
                self.records.pop_front();
            }
            return None;
        }
        let fresh = self.enqueued().map(|enqueued| enqueued.plus(delay));
        match (self.records.front(), fresh) {
            (Some(place), at) if at.is_none_or(|at| place.visible_at <= at) => {
                let id = place.id;
                self.records.pop_front();
                Some(Taken::Record(id))
            }
            (_, _) => self.take_fresh().map(Taken::Fresh),
        }
    }

    /// Fresh messages become records, each at its place.
    pub(super) fn keep_records(&mut self, added: impl IntoIterator<Item = MessageId>, records: &Records) {
        added.into_iter().for_each(|id| self.put_record(id, records));
        self.records.make_contiguous().sort_by_key(|place| place.visible_at);
    }

    /// Takes the first fresh message.
    pub(super) fn take_fresh(&mut self) -> Option<Fresh> {
        self.fresh.pop()
    }
}
