//! Which message is received next: of the quiet groups first (ESM-1.11.4, 1.11.5).

use super::Fair;
use super::shelf::Taken;
use crate::aws::config;
use crate::aws::event::Context;
use crate::aws::fact::{MessageState, Observer};
use crate::aws::ids::{GroupId, MessageId};
use crate::aws::sqs::fresh::{Fresh, FreshLine};
use crate::aws::sqs::inbox::Shuffle;
use crate::aws::sqs::records::{List, Records};
use crate::kernel::time::SimTime;

/// Where the messages of a queue wait.
pub(in crate::aws::sqs) struct Lines<'a> {
    pub(in crate::aws::sqs) fresh: &'a mut FreshLine,
    /// How many of the fresh ones are delayed; they are the last.
    pub(in crate::aws::sqs) delayed: u64,
    pub(in crate::aws::sqs) records: &'a mut Records,
}

/// The message that stands first in line.
#[derive(Clone, Copy)]
enum Front {
    Fresh,
    Record(MessageId),
}

impl Lines<'_> {
    fn ready(&self) -> u64 {
        self.fresh.len() as u64 - self.delayed
    }

    /// The message that became visible first of those that are not set aside. ESM-S20: not one that was received
    /// `now`.
    fn front(&self, config: &config::Queue, now: Option<SimTime>) -> Option<(SimTime, Front)> {
        let record = self.records.first(List::Visibility).map(|id| (&self.records[id], id));
        let record = record.filter(|(record, _)| record.state == MessageState::Visible && now != Some(record.received));
        let record = record.map(|(record, id)| (record.visible_at, Front::Record(id)));
        let fresh = self.fresh.first().filter(|_| self.ready() > 0);
        let fresh = fresh.map(|message| (message.enqueued.plus(config.delivery_delay), Front::Fresh));
        match (record, fresh) {
            (Some(record), Some(fresh)) if fresh.0 < record.0 => Some(fresh),
            (record, fresh) => record.or(fresh),
        }
    }
}

impl Fair {
    /// The record of the message that leaves next, or that is received `now`; one that was fresh gets a record, to be
    /// hidden `until` then.
    #[cold]
    pub(in crate::aws::sqs) fn choose<O: Observer>(
        &mut self,
        lines: &mut Lines<'_>,
        (now, until): (Option<SimTime>, SimTime),
        shuffle: &mut Shuffle,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<MessageId> {
        self.shuffle(lines, shuffle, config);
        loop {
            match self.next(lines, now, config, context)? {
                Next::Front(Front::Record(id)) => return Some(id),
                Next::Front(Front::Fresh) => {
                    let message = lines.fresh.pop().expect("the first in line");
                    let group = self.pop();
                    return Some(self.begin(message, group, until, lines.records));
                }
                Next::Shelf(group) => {
                    if let Some(id) = self.take(group, until, lines.records, config) {
                        return Some(id);
                    }
                }
            }
        }
    }

    /// ESM-S13: any of the first messages that were never received stands first.
    fn shuffle(&mut self, lines: &mut Lines<'_>, shuffle: &mut Shuffle, config: &config::Queue) {
        let place = usize::try_from(shuffle.place(config.shuffle_window, lines.ready())).unwrap_or(0);
        if place > 0 {
            lines.fresh.bring_forward(place);
            self.line.bring_forward(place);
            self.search.line = 0;
        }
    }

    /// What is next: the first that is quiet, in line or on a shelf, then the shelf of the noisy group with the fewest
    /// messages in flight. What is noisy and stands first in line is set aside.
    fn next<O: Observer>(
        &mut self,
        lines: &mut Lines<'_>,
        now: Option<SimTime>,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<Next> {
        loop {
            let front = lines.front(config, now);
            let aside = self.listed.quiet.first().copied();
            let (group, next) = match (front, aside) {
                (Some((at, _)), Some((head, id))) if head <= at => (Some(id), Next::Shelf(id)),
                (Some((_, front)), _) => (self.group_of(front, lines), Next::Front(front)),
                (None, Some((_, id))) => (Some(id), Next::Shelf(id)),
                (None, None) => return self.listed.noisy.first().map(|(_, _, id)| Next::Shelf(*id)),
            };
            let in_flight = lines.records.in_flight();
            match group {
                Some(id) if self.goes_behind(id, now, in_flight, config, context) => {
                    if let Next::Front(front) = next {
                        self.set_aside(front, id, lines, config);
                    }
                }
                Some(_) | None => return Some(next),
            }
        }
    }

    fn group_of(&self, front: Front, lines: &Lines<'_>) -> Option<GroupId> {
        match front {
            Front::Fresh => self.group_at(0),
            Front::Record(id) => lines.records[id].group,
        }
    }

    /// Puts the first in line on the shelf of its group.
    fn set_aside(&mut self, front: Front, group: GroupId, lines: &mut Lines<'_>, config: &config::Queue) {
        self.withdraw(group, config);
        match front {
            Front::Fresh => {
                let message = lines.fresh.pop().expect("the first in line");
                self.pop();
                self.listed.fresh += 1;
                self.groups[group].shelf().put_fresh(message);
            }
            Front::Record(id) => {
                lines.records.shelve(id);
                self.groups[group].shelf().put_record(id, lines.records);
            }
        }
        self.offer(group, config);
    }

    /// Takes the first message from the shelf of a group; none where it has left the queue.
    fn take(
        &mut self,
        group: GroupId,
        until: SimTime,
        records: &mut Records,
        config: &config::Queue,
    ) -> Option<MessageId> {
        self.withdraw(group, config);
        let taken = self.groups[group].shelf().take(config.delivery_delay, records);
        self.listed.fresh -= usize::from(matches!(taken, Some(Taken::Fresh(_))));
        self.offer(group, config);
        match taken? {
            Taken::Record(id) => Some(id),
            Taken::Fresh(message) => Some(self.begin(message, Some(group), until, records)),
        }
    }

    /// A fresh message gets a record. One that is received is hidden at once, so its place is behind the others from the
    /// start.
    pub(super) fn begin(
        &mut self,
        message: Fresh,
        group: Option<GroupId>,
        visible_at: SimTime,
        records: &mut Records,
    ) -> MessageId {
        let id = records.insert(message.record(visible_at, MessageState::Visible));
        records[id].group = group;
        self.added(id, records);
        id
    }
}

/// Where the next message is.
#[derive(Clone, Copy)]
enum Next {
    Front(Front),
    Shelf(GroupId),
}
