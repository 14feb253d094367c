//! Messages in queues, and what every mapping does whatever its source is: which fact counts where (contract, `queues.N`
//! and `event_source_mappings.N`).
//!
//! Several facts belong to each message, so each is a plain function that is found at compile time and touches counters
//! and levels only.

mod age;
mod groups;
mod mapping;
mod pollers;
mod queue;
#[cfg(test)]
mod tests;

use super::cost::QueueUsage;
use super::series::Recorder;
use super::summary::{Flow, MappingSummary, Named, QueueRole, QueueSummary};
use crate::aws::config::{ChangeAction, Queue, QueueKind, Source, System, Target};
use crate::aws::fact::{MappingFact, MessageFact, MessageState, Origin, RunOutcome};
use crate::aws::ids::{Id, MappingId, QueueId, Table};
use crate::kernel::time::SimTime;
use mapping::{Batch, MappingStats};
use pollers::PollerBill;
use queue::{Deletion, QueueStats, chunks};

/// Counts of all queues and mappings.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    warmup: SimTime,
    queues: Table<QueueId, QueueStats>,
    mappings: Table<MappingId, MappingStats>,
    /// Messages of one call, by caller.
    per_call: Box<[u32]>,
    names: Table<QueueId, (String, QueueKind)>,
}

impl Messages {
    pub(super) fn new(system: &System, warmup: SimTime) -> Self {
        let mapping = |id: MappingId| {
            let settings = &system.event_source_mappings[id];
            let changes = pollers::changes(system, id).filter(|(at, _)| *at <= warmup);
            let measured = changes.last().map_or(settings, |(_, settings)| settings);
            let (queue, poll_every) = match settings.source {
                Source::Queue(queue) => (Some(queue), measured.sqs.long_poll),
                Source::Stream(_) | Source::Broker(_) => (None, measured.stream.poll_every),
            };
            let bill = PollerBill::new(system, id, warmup);
            MappingStats::new(settings.name.clone(), queue, warmup, poll_every, bill)
        };
        Self {
            warmup,
            queues: system.queues.ids().map(|id| QueueStats::new(warmup, role(system, id))).collect(),
            mappings: system.event_source_mappings.ids().map(mapping).collect(),
            per_call: system.callers.rows().iter().map(|caller| caller.messages_per_call.max(1)).collect(),
            names: system.queues.rows().iter().map(|queue| (queue.name.clone(), queue.kind)).collect(),
        }
    }

    #[inline(always)]
    fn measures(&self, origin: &Origin) -> bool {
        origin.submitted >= self.warmup
    }

    /// Something happened to a message.
    #[inline(always)]
    pub(super) fn message(&mut self, now: SimTime, fact: &MessageFact) {
        match *fact {
            MessageFact::Sent { origin, queue, visible_at, bytes } => self.sent(now, &origin, queue, visible_at, bytes),
            MessageFact::Deduplicated { origin, queue } => {
                let measured = self.measures(&origin);
                self.queues[queue].deduplicated(now, measured);
            }
            MessageFact::DelayEnded { queue, at, .. } => self.queues[queue].shown(at, MessageState::Delayed),
            MessageFact::Received { origin, queue, mapping, visible_at, bytes, .. } => {
                self.received(now, &origin, (queue, mapping), visible_at, bytes);
            }
            MessageFact::Returned { queue, at, .. } => self.queues[queue].shown(at, MessageState::InFlight),
            MessageFact::Deleted { origin, queue, mapping, enqueued, receives, runs, visible } => {
                let deletion = Deletion { enqueued, receives, visible };
                self.deleted(now, &origin, (queue, mapping), deletion, runs);
            }
            MessageFact::DeleteIgnored { .. } => {}
            MessageFact::Moved { origin, queue, to, mapping, receives, runs } => {
                self.moved(now, &origin, (queue, to, mapping), receives, runs);
            }
            MessageFact::Redriven { origin, queue, to, receives } => {
                let measured = self.measures(&origin);
                self.queues[queue].redriven(now, receives, measured);
                self.queues[to].moved_in(now, measured);
            }
            MessageFact::Expired { origin, queue, at, state } => {
                let measured = self.measures(&origin);
                self.queues[queue].expired(at, state, measured);
            }
            MessageFact::GroupsInFlight { queue, groups, at } => self.queues[queue].groups(at, groups),
            MessageFact::GroupNoisy { queue, group, .. } => self.queues[queue].group_noisy(now, group),
            MessageFact::GroupQuiet { queue, group, at } => self.queues[queue].tenants().became_quiet(at, group),
            MessageFact::QuietGroups { queue, levels, oldest, at } => {
                self.queues[queue].tenants().levels(at, levels, oldest);
            }
            MessageFact::OldestChanged { queue, since, at } => self.queues[queue].age.change(at, since),
        }
    }

    /// A mapping did something.
    #[inline(always)]
    pub(super) fn mapping(&mut self, now: SimTime, fact: &MappingFact) {
        match *fact {
            MappingFact::Polled { mapping, .. } => self.polled(now, mapping),
            MappingFact::PolledEmpty { mapping, receives, first } => self.polled_in_vain(mapping, receives, first),
            MappingFact::FilteredOut { origin, mapping } => self.filtered_out(now, &origin, mapping),
            MappingFact::Batched { origin, mapping, .. } => {
                let measured = self.measures(&origin);
                self.mappings[mapping].batched(measured);
            }
            MappingFact::BatchFormed { origin, mapping, batch, records, .. } => {
                let measured = self.measures(&origin);
                self.mappings[mapping].formed(Batch { number: batch, records, measured });
            }
            MappingFact::BatchInvoked { origin, mapping, batch, records, repeated } => {
                let batch = Batch { number: batch, records, measured: self.measures(&origin) };
                self.invoked(now, mapping, batch, repeated);
            }
            MappingFact::BatchRefused { origin, mapping, batch, status, due } => {
                let measured = self.measures(&origin);
                self.mappings[mapping].refused(now, batch, measured, status, due.is_some());
            }
            MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, .. } => {
                let batch = Batch { number: batch, records, measured: self.measures(&origin) };
                self.ended(now, mapping, batch, failed, outcome);
            }
            MappingFact::Pollers { mapping, pollers } => self.mappings[mapping].pollers(now, pollers),
        }
    }

    #[inline(never)]
    fn sent(&mut self, now: SimTime, origin: &Origin, queue: QueueId, visible_at: SimTime, bytes: u64) {
        let measured = self.measures(origin);
        let caller = origin.caller.index();
        let per_call = u64::from(self.per_call[caller]);
        let queue = &mut self.queues[queue];
        queue.sent(now, visible_at, measured);
        if per_call == 1 || origin.branch != 0 {
            queue.request(now, chunks(bytes));
        } else {
            queue.request_together(now, caller, (origin.submission - 1) / per_call, bytes);
        }
    }

    #[inline(never)]
    fn received(
        &mut self,
        now: SimTime,
        origin: &Origin,
        (queue, mapping): (QueueId, MappingId),
        visible_at: SimTime,
        bytes: u64,
    ) {
        let measured = self.measures(origin);
        self.queues[queue].received(now, visible_at, measured);
        let mapping = &mut self.mappings[mapping];
        mapping.polled_events += u64::from(measured);
        mapping.bytes += bytes;
    }

    #[inline(never)]
    fn deleted(
        &mut self,
        now: SimTime,
        origin: &Origin,
        (queue, mapping): (QueueId, MappingId),
        deletion: Deletion,
        runs: u32,
    ) {
        let measured = self.measures(origin);
        self.queues[queue].deleted(now, deletion, measured);
        if measured {
            let mapping = &mut self.mappings[mapping];
            mapping.deleted += 1;
            if runs > 0 {
                mapping.record_ended(runs);
            }
        }
    }

    #[inline(never)]
    fn moved(
        &mut self,
        now: SimTime,
        origin: &Origin,
        (queue, to, mapping): (QueueId, QueueId, MappingId),
        receives: u32,
        runs: u32,
    ) {
        let measured = self.measures(origin);
        self.queues[queue].moved_out(now, receives, runs, measured);
        self.queues[to].moved_in(now, measured);
        if measured {
            self.mappings[mapping].record_ended(runs);
        }
    }

    #[inline(never)]
    fn polled(&mut self, now: SimTime, mapping: MappingId) {
        let mapping = &mut self.mappings[mapping];
        mapping.polls += u64::from(now >= self.warmup);
        if let Some(queue) = mapping.queue {
            mapping.filters = false;
            self.queues[queue].request(now, chunks(std::mem::take(&mut mapping.bytes)));
        }
    }

    #[inline(never)]
    fn polled_in_vain(&mut self, mapping: MappingId, receives: u64, first: SimTime) {
        let mapping = &mut self.mappings[mapping];
        let measured = mapping.polled_in_vain(receives, first);
        if let Some(queue) = mapping.queue {
            self.queues[queue].polled_in_vain(measured);
        }
    }

    #[inline(never)]
    fn filtered_out(&mut self, now: SimTime, origin: &Origin, mapping: MappingId) {
        let measured = self.measures(origin);
        let mapping = &mut self.mappings[mapping];
        mapping.filtered_out(measured);
        if let Some(queue) = mapping.queue.filter(|_| !mapping.filters) {
            // All that one receive gave are deleted together.
            mapping.filters = true;
            self.queues[queue].request(now, 1);
        }
    }

    #[inline(never)]
    fn invoked(&mut self, now: SimTime, mapping: MappingId, batch: Batch, repeated: u32) {
        let mapping = &mut self.mappings[mapping];
        let repeated = mapping.invoked(now, batch, repeated);
        if let Some(queue) = mapping.queue.filter(|_| repeated > 0) {
            self.queues[queue].repeated(u64::from(repeated));
        }
    }

    #[inline(never)]
    fn ended(&mut self, now: SimTime, mapping: MappingId, batch: Batch, failed: u32, outcome: RunOutcome) {
        let mapping = &mut self.mappings[mapping];
        mapping.ended(now, batch, failed, outcome);
        if let Some(queue) = mapping.queue {
            let deletes = u64::from(batch.records.saturating_sub(failed)).div_ceil(DELETED_TOGETHER);
            self.queues[queue].request(now, deletes);
        }
    }

    /// What a time series says of the queues.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        for ((_, queue), (name, _)) in self.queues.iter_mut().zip(self.names.rows()) {
            to.of("queues", name);
            queue.series(to);
        }
    }

    /// What a time series says of a mapping.
    pub(super) fn mapping_series(&mut self, mapping: MappingId, to: &mut Recorder) {
        self.mappings[mapping].series(to);
    }

    /// What the queues come to when the run ends at `ended`.
    pub(super) fn queues(&mut self, ended: SimTime) -> Named<QueueSummary> {
        let queues = self.queues.iter_mut().zip(self.names.rows());
        queues.map(|((_, queue), (name, _))| (name.clone(), queue.summary(ended))).collect()
    }

    /// What the mappings come to.
    pub(super) fn mappings(&mut self, ended: SimTime) -> Named<MappingSummary> {
        let names = &self.names;
        let source = |queue: Option<QueueId>| queue.map(|queue| names[queue].0.clone()).unwrap_or_default();
        self.mappings.iter_mut().map(|(_, mapping)| mapping.summary(source(mapping.queue), ended)).collect()
    }

    /// What the queues are billed for.
    pub(super) fn queue_usage(&self, queues: &Named<QueueSummary>) -> Vec<(String, QueueUsage)> {
        let usage = |((name, queue), (_, kind)): ((&str, &QueueSummary), &(String, QueueKind))| {
            (name.to_owned(), QueueUsage { requests: queue.requests, fifo: *kind == QueueKind::Fifo })
        };
        queues.iter().zip(self.names.rows()).map(usage).collect()
    }

    /// Seconds of provisioned pollers.
    pub(super) fn poller_seconds(&mut self, ended: SimTime) -> Vec<(String, u128)> {
        self.mappings.iter_mut().map(|(_, mapping)| mapping.poller_seconds(ended)).collect()
    }

    /// Everything that was in the queues, the warm-up included.
    pub(super) fn flows(&self) -> Named<Flow> {
        let queues = self.queues.rows().iter().zip(self.names.rows());
        queues.map(|(queue, (name, _))| (name.clone(), queue.flow())).collect()
    }
}

/// ESM-1.4: messages of one request to delete.
const DELETED_TOGETHER: u64 = 10;

/// What a queue is for, by all settings of the run.
fn role(system: &System, id: QueueId) -> QueueRole {
    let polls = |source: Source| source == Source::Queue(id);
    if system.event_source_mappings.rows().iter().any(|mapping| polls(mapping.source)) {
        return QueueRole::Polled;
    }
    let redrives = |queue: &Queue| queue.redrive.is_some_and(|to| to.dead_letter_queue == id);
    let changes = system.changes.iter().any(|change| {
        let moves = matches!(&change.action, ChangeAction::Redrive { queue, to, .. } if *queue == id || *to == id);
        moves || change.action.queue().is_some_and(|(_, queue)| redrives(queue))
    });
    let sends = system.callers.rows().iter().any(|caller| caller.target == Target::Queue(id));
    if changes || sends || system.queues.rows().iter().any(redrives) { QueueRole::Unread } else { QueueRole::Delivered }
}
