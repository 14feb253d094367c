//! What one mapping read from a stream, a topic or a broker, beside what every mapping counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::config::Source;
use crate::aws::fact::{DiscardCondition, Notice};
use crate::kernel::time::SimTime;
use crate::stats::gauge::GaugeFigures;
use crate::stats::histogram::{Coarse, Fine, Tally, empty};
use crate::stats::series::Recorder;
use crate::stats::summary::{Discards, MappingSummary, ShardReading, SourceKind};

/// Counts of one mapping. What is said of a batch counts by the submission of its first record, what is said of a
/// record by its own.
#[derive(Clone, Debug)]
pub(super) struct ReaderStats {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) kind: SourceKind,
    /// Where in the source it is.
    pub(super) place: usize,
    /// Which units its pollers are part of (Kafka).
    pub(super) units: Option<usize>,
    /// Batches that were formed and have not been sent yet.
    unsent: BTreeSet<u64>,
    age: Fine,
    shards: Vec<Option<Box<Coarse>>>,
    /// `DocumentDB`: the batch that runs, if it is measured: its shard, and when its last record was written.
    running: Option<(u32, SimTime)>,
    /// Records read, and those of them of the warm-up that went on from there.
    polled: u64,
    before: u64,
    retries: u64,
    pub(super) bisections: u64,
    pub(super) read_throttles: u64,
    pub(super) oversized: u64,
    pub(super) committed: u64,
    runs: Tally,
    /// Measured records that were discarded; what became of the notice comes next.
    discarded: u64,
    dropped: u64,
    told: u64,
    failed_notices: u64,
    conditions: BTreeMap<DiscardCondition, u64>,
    pub(super) expired: u64,
    /// Whether a run that settles waits for what is left.
    pub(super) awaited: bool,
}

/// A batch that is sent.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) batch: u64,
    pub(super) shard: u32,
    pub(super) records: u32,
    pub(super) last_arrived: SimTime,
    /// Whether its first record is measured.
    pub(super) measured: bool,
}

/// Batches that are remembered until they are sent. One that was discarded before never is.
const UNSENT: usize = 1 << 16;

impl ReaderStats {
    /// Of a mapping at this place of its source.
    pub(super) fn new(name: String, source: Source, kind: SourceKind, place: usize) -> Self {
        Self {
            name,
            source,
            kind,
            place,
            units: None,
            unsent: BTreeSet::new(),
            age: Fine::new(),
            shards: Vec::new(),
            running: None,
            polled: 0,
            before: 0,
            retries: 0,
            bisections: 0,
            read_throttles: 0,
            oversized: 0,
            committed: 0,
            runs: Tally::default(),
            discarded: 0,
            dropped: 0,
            told: 0,
            failed_notices: 0,
            conditions: BTreeMap::new(),
            expired: 0,
            awaited: true,
        }
    }

    /// A read gave records.
    #[inline(always)]
    pub(super) fn polled(&mut self, records: u32) {
        self.polled += u64::from(records);
    }

    /// A record that was read goes on: into a batch, or to its end without one.
    #[inline(always)]
    pub(super) fn went_on(&mut self, measured: bool) {
        self.before += u64::from(!measured);
    }

    /// A batch is to be sent.
    pub(super) fn formed(&mut self, batch: u64) {
        self.unsent.insert(batch);
        if self.unsent.len() > UNSENT {
            self.unsent.pop_first();
        }
    }

    /// A batch was sent; whether that was not the first time.
    pub(super) fn sent(&mut self, now: SimTime, sent: Sent) -> bool {
        let again = !self.unsent.remove(&sent.batch);
        self.retries += u64::from(sent.measured && again);
        if self.kind == SourceKind::DocumentDb {
            let counts = sent.measured && sent.records > 0;
            self.running = counts.then_some((sent.shard, sent.last_arrived));
        } else if sent.measured && sent.records > 0 {
            self.aged(now, sent.shard, sent.last_arrived);
        }
        again
    }

    /// A run of a batch ended.
    #[inline(always)]
    pub(super) fn ended(&mut self, now: SimTime) {
        // ESM-5: `DocumentDB` tells the age when the function is done.
        if let Some((shard, last_arrived)) = self.running.take() {
            self.aged(now, shard, last_arrived);
        }
    }

    /// ESM-2.5: the age of the last record of a batch.
    fn aged(&mut self, now: SimTime, shard: u32, last_arrived: SimTime) {
        let age = now.since(last_arrived);
        self.age.record(age);
        if let Source::Stream(_) = self.source {
            let place = shard as usize;
            if place >= self.shards.len() {
                self.shards.resize(place + 1, None);
            }
            self.shards[place].get_or_insert_with(|| Box::new(Coarse::new())).record(age);
        }
    }

    /// A measured record came to its end after so many runs.
    #[inline(always)]
    pub(super) fn record_ended(&mut self, runs: u32) {
        self.runs.record(runs);
    }

    /// A measured record is discarded.
    pub(super) fn discard(&mut self, condition: DiscardCondition) {
        self.discarded += 1;
        *self.conditions.entry(condition).or_default() += 1;
    }

    /// Records were discarded together, the first of them measured or not.
    pub(super) fn discarded(&mut self, notice: Notice, measured: bool) {
        let records = std::mem::take(&mut self.discarded);
        match notice {
            Notice::None => self.dropped += records,
            Notice::Delivered(_) => self.told += records,
            // ESM-A29: the notice failed, and so the records are dropped.
            Notice::Failed(..) => {
                self.failed_notices += u64::from(measured);
                self.dropped += records;
            }
        }
    }

    /// What a time series says that not every mapping has.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        for (key, total) in [
            ("retries", self.retries),
            ("polled_events", self.polled.saturating_sub(self.before)),
            ("dropped_events", self.dropped),
            ("bisections", self.bisections),
            ("on_failure_deliveries", self.told),
            ("destination_delivery_failures", self.failed_notices),
            ("read_throttles", self.read_throttles),
            ("oversized_records", self.oversized),
        ] {
            to.count(key, total);
        }
        if self.kind == SourceKind::Kafka {
            to.count("committed_events", self.committed);
        }
        to.lengths("iterator_age_ms", Some(&mut self.age));
    }

    /// Adds what it comes to. Its source has so many shards.
    pub(super) fn complete(
        &mut self,
        summary: &mut MappingSummary,
        source: &str,
        shards: usize,
        lag: Option<GaugeFigures<u64>>,
    ) {
        source.clone_into(&mut summary.source);
        summary.kind = self.kind;
        summary.polled_events = self.polled.saturating_sub(self.before);
        summary.retries = self.retries;
        summary.bisections = self.bisections;
        summary.dropped_events = self.dropped;
        summary.on_failure_deliveries = self.told;
        summary.destination_delivery_failures = self.failed_notices;
        summary.read_throttles = self.read_throttles;
        summary.oversized_records = self.oversized;
        summary.runs_per_record = self.runs.figures();
        summary.awaited = self.awaited;
        (summary.iterator_age_ms, summary.iterator_age_curve) = self.age.report();
        if let Source::Stream(_) = self.source {
            summary.shards = Some(self.readings(shards));
        }
        if self.kind == SourceKind::Kafka {
            summary.committed_events = Some(self.committed);
            summary.offset_lag = lag;
        }
        let by_condition = self.conditions.iter().map(|(condition, number)| (condition.as_str(), *number));
        summary.discards = Discards { by_condition: by_condition.collect(), expired: self.expired };
    }

    fn readings(&mut self, shards: usize) -> Vec<ShardReading> {
        let rows = shards.max(self.shards.len());
        self.shards.resize(rows, None);
        let reading = |ages: &mut Option<Box<Coarse>>| {
            let figures = ages.as_mut().map_or_else(empty, |ages| ages.figures());
            ShardReading { iterator_age_ms: figures }
        };
        self.shards.iter_mut().map(reading).collect()
    }
}
