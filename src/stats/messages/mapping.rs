//! What one event source mapping polled and invoked (contract, `event_source_mappings.N`).

use std::collections::BTreeMap;

use super::pollers::PollerBill;
use crate::aws::fact::RunOutcome;
use crate::aws::ids::QueueId;
use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::curve::Curve;
use crate::stats::gauge::Gauge;
use crate::stats::histogram::{Tally, empty};
use crate::stats::series::Recorder;
use crate::stats::summary::{Discards, MappingSummary, SourceKind};

/// Counts of one mapping. What is said of a batch counts by the submission of its first record, what is said of a
/// record by its own.
#[derive(Clone, Debug)]
pub(super) struct MappingStats {
    /// The queue that it polls, if its source is one.
    pub(super) queue: Option<QueueId>,
    from: SimTime,
    running: Gauge,
    /// Bytes received since the last receive was counted.
    pub(super) bytes: u64,
    /// Whether the last receive has deleted what the filter took out.
    pub(super) filters: bool,
    /// Measured records of the batch that is being formed.
    batched: u32,
    pub(super) polls: u64,
    batches: u64,
    batch_size: Tally,
    invocations: u64,
    pub(super) polled_events: u64,
    invoked_events: u64,
    pub(super) deleted: u64,
    runs: Tally,
    rare: Box<Rare>,
}

/// What does not happen to each batch.
#[derive(Clone, Debug)]
struct Rare {
    name: String,
    /// Time between two polls that give nothing.
    poll_every: SimDuration,
    /// Measured records of batches under way that have others too.
    mixed: BTreeMap<u64, u32>,
    empty_polls: u64,
    failed_invocations: u64,
    throttles: u64,
    retries: u64,
    filtered_out_events: u64,
    failed_invoke_events: u64,
    pollers: Gauge,
    bill: PollerBill,
}

/// A batch in what is said of it.
#[derive(Clone, Copy)]
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) records: u32,
    /// Whether its first record is measured.
    pub(super) measured: bool,
}

/// HTTP status of a run whose restore took too long: the batch was invoked, and is tried again.
const RESTORE_TIMED_OUT: u16 = 408;

impl MappingStats {
    /// Of the mapping of this name, which polls `queue` or something else.
    pub(super) fn new(
        name: String,
        queue: Option<QueueId>,
        from: SimTime,
        poll_every: SimDuration,
        bill: PollerBill,
    ) -> Self {
        Self {
            queue,
            from,
            running: Gauge::new(from),
            bytes: 0,
            filters: false,
            batched: 0,
            polls: 0,
            batches: 0,
            batch_size: Tally::default(),
            invocations: 0,
            polled_events: 0,
            invoked_events: 0,
            deleted: 0,
            runs: Tally::default(),
            rare: Box::new(Rare {
                name,
                poll_every,
                mixed: BTreeMap::new(),
                empty_polls: 0,
                failed_invocations: 0,
                throttles: 0,
                retries: 0,
                filtered_out_events: 0,
                failed_invoke_events: 0,
                pollers: Gauge::new(from),
                bill,
            }),
        }
    }

    /// Polls gave nothing, the first until `first`; how many of them are measured: those that ended at or after
    /// the warm-up.
    #[inline(never)]
    pub(super) fn polled_in_vain(&mut self, receives: u64, first: SimTime) -> u64 {
        let before = self.from.saturating_since(first).as_nanos().div_ceil(self.rare.poll_every.as_nanos().max(1));
        let measured = receives.saturating_sub(before);
        self.polls += measured;
        self.rare.empty_polls += measured;
        measured
    }

    /// The filter took a record out.
    #[inline(never)]
    pub(super) fn filtered_out(&mut self, measured: bool) {
        self.rare.filtered_out_events += u64::from(measured);
    }

    /// A record is in the batch that is being formed.
    #[inline(always)]
    pub(super) fn batched(&mut self, measured: bool) {
        self.batched += u32::from(measured);
    }

    /// The batch is formed.
    #[inline(always)]
    pub(super) fn formed(&mut self, batch: Batch) {
        let measured = std::mem::take(&mut self.batched);
        if measured != 0 && measured != batch.records {
            self.rare.mixed.insert(batch.number, measured);
        }
        if batch.measured {
            self.batches += 1;
            self.batch_size.record(batch.records);
        }
    }

    /// Measured ones of the records of a batch.
    #[inline(always)]
    fn measured(&self, batch: Batch) -> u32 {
        if !self.rare.mixed.is_empty()
            && let Some(measured) = self.rare.mixed.get(&batch.number)
        {
            // A part of a batch follows on what is done: the last records of it are the measured ones.
            return (*measured).min(batch.records);
        }
        if batch.measured { batch.records } else { 0 }
    }

    /// A run of a batch was placed; how many of its `repeated` records are measured.
    #[inline(always)]
    pub(super) fn invoked(&mut self, now: SimTime, batch: Batch, repeated: u32) -> u32 {
        let measured = self.measured(batch);
        self.running.increment(now);
        self.invocations += u64::from(batch.measured);
        self.invoked_events += u64::from(measured);
        repeated.min(measured)
    }

    /// An attempt to invoke was refused; whether it is tried again.
    #[inline(never)]
    pub(super) fn refused(&mut self, now: SimTime, batch: u64, measured: bool, status: u16, again: bool) {
        if status == RESTORE_TIMED_OUT {
            self.running.decrement(now);
        }
        self.rare.throttles += u64::from(measured && status == 429);
        self.rare.retries += u64::from(measured && again);
        if !again {
            self.forget(batch);
        }
    }

    /// A run of a batch ended.
    #[inline(always)]
    pub(super) fn ended(&mut self, now: SimTime, batch: Batch, failed: u32, outcome: RunOutcome) {
        self.running.decrement(now);
        if failed > 0 || outcome != RunOutcome::Success {
            self.failed(batch, failed, outcome);
        }
        if !self.rare.mixed.is_empty() {
            self.forget(batch.number);
        }
    }

    /// A batch is over. One of a stream or a broker may come again, and there are few that have other records too.
    fn forget(&mut self, batch: u64) {
        if self.queue.is_some() {
            self.rare.mixed.remove(&batch);
        }
    }

    #[inline(never)]
    fn failed(&mut self, batch: Batch, failed: u32, outcome: RunOutcome) {
        let whole = outcome != RunOutcome::Success || failed == batch.records;
        self.rare.failed_invocations += u64::from(batch.measured && whole);
        self.rare.failed_invoke_events += u64::from(failed.min(self.measured(batch)));
    }

    /// A measured record came to its end.
    #[inline(always)]
    pub(super) fn record_ended(&mut self, runs: u32) {
        self.runs.record(runs);
    }

    #[inline(never)]
    pub(super) fn pollers(&mut self, now: SimTime, pollers: u32) {
        self.rare.pollers.set(now, pollers);
        self.rare.bill.change(now, pollers);
    }

    /// Its name, and what it comes to when the run ends at `ended`; what only mappings of other sources have is left out.
    pub(super) fn summary(&mut self, source: String, ended: SimTime) -> (String, MappingSummary) {
        let rare = &mut *self.rare;
        let summary = MappingSummary {
            polls: self.polls,
            empty_polls: rare.empty_polls,
            batches: self.batches,
            batch_size: self.batch_size.figures(),
            invocations: self.invocations,
            failed_invocations: rare.failed_invocations,
            throttles: rare.throttles,
            concurrent_invocations: self.running.figures(ended),
            pollers: rare.pollers.figures(ended),
            polled_events: self.polled_events,
            filtered_out_events: rare.filtered_out_events,
            dropped_events: 0,
            bisections: 0,
            retries: rare.retries,
            on_failure_deliveries: 0,
            destination_delivery_failures: 0,
            iterator_age_ms: empty(),
            shards: None,
            offset_lag: None,
            committed_events: None,
            invoked_events: self.invoked_events,
            failed_invoke_events: rare.failed_invoke_events,
            // The filter's deletions are not of this kind (ESM-C8).
            deleted_events: self.deleted.saturating_sub(rare.filtered_out_events),
            read_throttles: 0,
            oversized_records: 0,
            runs_per_record: self.runs.figures(),
            source,
            kind: SourceKind::Queue,
            discards: Discards::default(),
            awaited: true,
            iterator_age_curve: Curve::default(),
        };
        (rare.name.clone(), summary)
    }

    /// What a time series says of any mapping.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        let rare = &mut *self.rare;
        to.of("event_source_mappings", &rare.name);
        for (key, total) in [
            ("polls", self.polls),
            ("empty_polls", rare.empty_polls),
            ("batches", self.batches),
            ("invocations", self.invocations),
            ("failed_invocations", rare.failed_invocations),
            ("throttles", rare.throttles),
            ("filtered_out_events", rare.filtered_out_events),
            ("invoked_events", self.invoked_events),
            ("failed_invoke_events", rare.failed_invoke_events),
        ] {
            to.count(key, total);
        }
        if self.queue.is_some() {
            to.count("retries", rare.retries);
            to.count("polled_events", self.polled_events);
            to.count("deleted_events", self.deleted.saturating_sub(rare.filtered_out_events));
        }
        to.gauge("concurrent_invocations", &mut self.running);
        to.gauge("pollers", &mut rare.pollers);
    }

    /// Its name, and seconds of provisioned pollers that are to be paid.
    pub(super) fn poller_seconds(&mut self, ended: SimTime) -> (String, u128) {
        (self.rare.name.clone(), self.rare.bill.finish(ended))
    }
}
