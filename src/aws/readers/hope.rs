//! Records that nothing will end: a run that settles does not wait for them (`docs/semantics/streams.md`, "Our readings").
//!
//! A log without retention whose batches fail again and again, and logs that send what they give up to each other.

use super::{Readers, Surroundings};
use crate::aws::config::Target;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, Observer, ReaderFact, RecordFate};
use crate::aws::ids::{LogId, ReaderGroupId};
use crate::aws::streams::Streams;

impl Readers {
    /// Finds the groups that have a record again which they gave up, if those who have it meanwhile give it up too.
    pub(super) fn find_cycles(&mut self, streams: &Streams) {
        for id in self.groups.ids() {
            let mut reached = self.given_up_to(id, streams);
            let mut next = 0;
            while let Some(log) = reached.get(next).copied() {
                let further = self.of_log[log].iter().flat_map(|group| self.given_up_to(*group, streams));
                let further: Vec<LogId> = further.filter(|log| !reached.contains(log)).collect();
                reached.extend(further);
                next += 1;
            }
            self.groups[id].is_cyclic = reached.contains(&self.groups[id].log);
        }
    }

    /// The logs that a group sends to what it gives up.
    fn given_up_to(&self, id: ReaderGroupId, streams: &Streams) -> Vec<LogId> {
        let members = self.groups[id].members.iter().map(|member| &self.members[*member]);
        let targets = members.flat_map(|member| {
            let dead_letters: Option<Target> = member.broker.and_then(|(_, to)| to);
            [member.config.stream.on_failure, dead_letters]
        });
        targets.flatten().filter_map(|to| streams.of_target(to)).collect()
    }

    /// A try of a batch came to nothing.
    pub(super) fn tried_in_vain<O: Observer>(
        &mut self,
        id: ReaderGroupId,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        let group = &mut self.groups[id];
        if streams.retention(group.log).is_some() || !self.patience.counts(context.now) {
            return;
        }
        group.tries += 1;
        if group.tries >= self.patience.tries(0) {
            self.set_hopeless(id, true, streams, context);
        }
    }

    /// Records of a group have their fate.
    pub(super) fn got_on<O: Observer>(
        &mut self,
        id: ReaderGroupId,
        records: usize,
        fate: RecordFate,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let group = &mut self.groups[id];
        group.tries = 0;
        match fate {
            RecordFate::Discarded(_) | RecordFate::DeadLettered if group.is_cyclic => {
                self.went_round(records, around.streams, context);
            }
            RecordFate::Succeeded
            | RecordFate::Discarded(_)
            | RecordFate::DeadLettered
            | RecordFate::Expired
            | RecordFate::Oversized => {
                self.hope_of(id, around.streams, context);
            }
        }
    }

    /// Records were given up that come back.
    fn went_round<O: Observer>(&mut self, records: usize, streams: &mut Streams, context: &mut Context<'_, O>) {
        if !self.patience.counts(context.now) {
            return;
        }
        self.rounds += records as u64;
        if self.rounds < self.patience.tries(0).max(self.rounds_waited) {
            return;
        }
        let cyclic: Vec<ReaderGroupId> = self.groups.ids().filter(|id| self.groups[*id].is_cyclic).collect();
        let inside =
            |id: &ReaderGroupId| self.groups[*id].held + streams.unread(self.groups[*id].log, self.groups[*id].slot);
        self.rounds_waited = self.patience.tries(cyclic.iter().map(inside).sum());
        if self.rounds >= self.rounds_waited {
            for id in cyclic {
                self.set_hopeless(id, true, streams, context);
            }
        }
    }

    /// A log has a record that it did not have before: that one may have its fate.
    #[inline]
    pub(crate) fn hope<O: Observer>(&mut self, log: LogId, streams: &mut Streams, context: &mut Context<'_, O>) {
        if self.hopeless > 0 {
            for place in 0..self.of_log[log].len() {
                self.hope_of(self.of_log[log][place], streams, context);
            }
        }
    }

    /// Records of a group, and of those in a cycle with it, may have their fate after all.
    fn hope_of<O: Observer>(&mut self, id: ReaderGroupId, streams: &mut Streams, context: &mut Context<'_, O>) {
        let is_cyclic = self.groups[id].is_cyclic;
        if is_cyclic {
            (self.rounds, self.rounds_waited) = (0, 0);
        }
        if self.hopeless > 0 {
            let all = self.groups.ids();
            let those: Vec<ReaderGroupId> =
                all.filter(|of| *of == id || is_cyclic && self.groups[*of].is_cyclic).collect();
            for id in those {
                self.groups[id].tries = 0;
                self.set_hopeless(id, false, streams, context);
            }
        }
    }

    fn set_hopeless<O: Observer>(
        &mut self,
        id: ReaderGroupId,
        hopeless: bool,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        let group = &mut self.groups[id];
        if std::mem::replace(&mut group.is_hopeless, hopeless) == hopeless {
            return;
        }
        self.hopeless = if hopeless { self.hopeless + 1 } else { self.hopeless - 1 };
        for mapping in &self.groups[id].members {
            context.state(&Fact::Reader(ReaderFact::Awaited { mapping: *mapping, awaited: !hopeless }));
        }
        self.set_reading(id, streams);
    }
}
