//! What is in the quiet groups, and which of these messages has been in the queue for longest (ESM-1.13.10).
//!
//! Both lines of a queue are looked at from their oldest message on, past those of noisy groups; how far that went is
//! remembered, so no message is passed twice while its group stays noisy.

use super::Fair;
use crate::aws::config;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, Levels, MessageFact, Observer};
use crate::aws::ids::{GroupId, MessageId};
use crate::aws::sqs::fresh::FreshLine;
use crate::aws::sqs::records::{List, Records};
use crate::kernel::time::SimTime;

/// How far the search went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    /// Among the fresh messages: the number of the first that may be quiet, counted from the first that ever was.
    pub(super) line: u64,
    record: Place,
}

/// A place among the records, in order of their arrival.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// At the first.
    #[default]
    Start,
    /// Here.
    At(MessageId),
    /// Behind the last.
    End,
}

impl Search {
    /// A record was added.
    #[cold]
    pub(super) fn added(&mut self, id: MessageId, records: &Records) {
        let key = |id| records.key(List::Arrived, id);
        match self.record {
            Place::Start => {}
            Place::At(other) if key(other) < key(id) => {}
            Place::At(_) | Place::End => self.record = Place::At(id),
        }
    }

    /// A record is about to be removed.
    pub(super) fn removes(&mut self, id: MessageId, records: &Records) {
        if matches!(self.record, Place::At(other) if other == id) {
            self.record = records.after(List::Arrived, id).map_or(Place::End, Place::At);
        }
    }

    /// The first record of which `passes` does not hold.
    pub(super) fn record(&mut self, records: &Records, passes: impl Fn(MessageId) -> bool) -> Option<MessageId> {
        let mut next = match self.record {
            Place::Start => records.first(List::Arrived),
            Place::At(id) => Some(id),
            Place::End => None,
        };
        while let Some(id) = next
            && passes(id)
        {
            next = records.after(List::Arrived, id);
        }
        self.record = next.map_or(Place::End, Place::At);
        next
    }
}

impl Fair {
    /// A record was added.
    pub(in crate::aws::sqs) fn added(&mut self, id: MessageId, records: &Records) {
        self.search.added(id, records);
    }

    /// A record is about to be removed.
    #[cold]
    pub(in crate::aws::sqs) fn removes(&mut self, id: MessageId, records: &Records) {
        self.search.removes(id, records);
    }

    /// Says what is in the quiet groups, if a group was ever noisy and it has changed (ESM-1.13.10).
    pub(in crate::aws::sqs) fn say_quiet<O: Observer>(
        &mut self,
        all: Levels,
        (fresh, records): (&FreshLine, &Records),
        at: SimTime,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        if self.became_noisy == 0 {
            return;
        }
        let levels = all.minus(self.of_noisy);
        let oldest = self.oldest_quiet(fresh, records, config.oldest_age_skips_after);
        if self.said != Some((levels, oldest)) {
            self.said = Some((levels, oldest));
            let queue = self.queue;
            context.state(&Fact::Message(MessageFact::QuietGroups { queue, levels, oldest, at }));
        }
    }

    /// Since when the oldest message of the quiet groups is in the queue.
    fn oldest_quiet(&mut self, fresh: &FreshLine, records: &Records, skips_after: Option<u32>) -> Option<SimTime> {
        let Self { groups, search, line, passed, .. } = self;
        let is_noisy = |group: Option<GroupId>| group.is_some_and(|id| groups[id].is_noisy());
        search.line = search.line.max(*passed);
        let place = |number: u64| usize::try_from(number - *passed).unwrap_or(usize::MAX);
        while line.get(place(search.line)).is_some_and(|group| is_noisy(*group)) {
            search.line += 1;
        }
        let waiting = fresh.get(place(search.line)).map(|message| message.enqueued);
        let mut record = search.record(records, |id| is_noisy(records[id].group));
        // ESM-S16: and past those that were received too often.
        let is_passed_over = |id: MessageId| {
            is_noisy(records[id].group) || skips_after.is_some_and(|limit| records[id].receives >= limit)
        };
        while let Some(id) = record
            && is_passed_over(id)
        {
            record = records.after(List::Arrived, id);
        }
        let arrived = record.map(|id| records[id].arrived);
        let shelved = self.listed.enqueued[0].first().map(|(at, _)| *at);
        waiting.into_iter().chain(arrived).chain(shelved).min()
    }
}
