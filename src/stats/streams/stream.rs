//! What was written to one stream or Kafka topic (contract, `streams.N`).

use super::meter::{Meter, all_shards};
use super::position::{Position, Records};
use crate::aws::config::{StreamKind, System};
use crate::aws::fact::Origin;
use crate::aws::ids::StreamId;
use crate::kernel::time::SimTime;
use crate::stats::cost::StreamUsage;
use crate::stats::series::Recorder;
use crate::stats::summary::{Flow, ShardSummary, SourceKind, StreamSummary};

/// Counts of one stream.
#[derive(Clone, Debug)]
pub(super) struct StreamStats {
    pub(super) name: String,
    pub(super) kind: SourceKind,
    /// Everything that was accepted.
    pub(super) records: Records,
    bytes: u64,
    shards: Vec<Shard>,
    /// Whether each record had the next number of its shard.
    in_order: bool,
    put_records: u64,
    write_throttles: u64,
    /// Records that expired, of the measured time.
    pub(super) expired: u64,
    /// Records that expired while nobody read the stream, of all times.
    unread: u64,
    open: u32,
    /// Who reads it, and which of them have a lag to keep.
    readers: Vec<usize>,
    lagging: Vec<usize>,
    meter: Option<Box<Meter>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shard {
    next: u64,
    records: u64,
    write_throttles: u64,
}

impl StreamStats {
    pub(super) fn new(system: &System, id: StreamId, from: SimTime) -> Self {
        let stream = &system.streams[id];
        Self {
            name: stream.name.clone(),
            kind: kind(stream.kind),
            records: Records::default(),
            bytes: 0,
            shards: vec![Shard::default(); all_shards(system, id)],
            in_order: true,
            put_records: 0,
            write_throttles: 0,
            expired: 0,
            unread: 0,
            open: stream.shards,
            readers: Vec::new(),
            lagging: Vec::new(),
            meter: (stream.kind == StreamKind::Kinesis).then(|| Box::new(Meter::new(system, id, from))),
        }
    }

    /// Somebody reads it, and has this place.
    pub(super) fn read_at(&mut self, place: usize) {
        self.readers.push(place);
        if self.kind == SourceKind::Kafka {
            self.lagging.push(place);
        }
    }

    /// How many shards there are in all.
    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// A record was accepted.
    #[inline(always)]
    pub(super) fn put(
        &mut self,
        now: SimTime,
        origin: &Origin,
        (shard, sequence, bytes): (u32, u64, u64),
        measured: bool,
        positions: &mut [Position],
    ) {
        let shard = self.shard(shard);
        let next = std::mem::replace(&mut shard.next, sequence + 1);
        shard.records += u64::from(measured);
        self.in_order &= next == sequence;
        self.put_records += u64::from(measured);
        self.records.add(origin);
        self.bytes += bytes;
        if let Some(meter) = &mut self.meter {
            meter.put(now, bytes);
        }
        for &place in &self.lagging {
            positions[place].came(now);
        }
    }

    #[inline(always)]
    fn shard(&mut self, shard: u32) -> &mut Shard {
        let place = shard as usize;
        if place >= self.shards.len() {
            self.shards.resize(place + 1, Shard::default());
        }
        &mut self.shards[place]
    }

    #[inline(never)]
    pub(super) fn throttled(&mut self, shard: u32, measured: bool) {
        self.shard(shard).write_throttles += u64::from(measured);
        self.write_throttles += u64::from(measured);
    }

    /// A record expired, and nobody reads the stream.
    pub(super) fn expired_unread(&mut self, measured: bool) {
        self.unread += 1;
        self.expired += u64::from(measured);
    }

    pub(super) fn open(&mut self, now: SimTime, open: u32) {
        self.open = self.open.max(open);
        if let Some(meter) = &mut self.meter {
            meter.shards(now, open);
        }
    }

    pub(super) fn meter(&mut self) -> Option<&mut Meter> {
        self.meter.as_deref_mut()
    }

    /// Bytes of so many records, as large as the mean.
    pub(super) fn mean_bytes(&self, records: u32) -> u64 {
        let bytes = u128::from(self.bytes) * u128::from(records) / u128::from(self.records.number.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// What a time series says.
    pub(super) fn series(&self, to: &mut Recorder) {
        to.of("streams", &self.name);
        to.count("put_records", self.put_records);
        to.count("write_throttles", self.write_throttles);
        to.count("expired", self.expired);
    }

    pub(super) fn summary(&self) -> StreamSummary {
        let shard = |shard: &Shard| ShardSummary { records: shard.records, write_throttles: shard.write_throttles };
        StreamSummary {
            put_records: self.put_records,
            write_throttles: self.write_throttles,
            expired: self.expired,
            shards: self.shards.iter().map(shard).collect(),
            kind: self.kind,
            is_read: !self.readers.is_empty(),
            open: self.open,
        }
    }

    /// Everything that was accepted, and what every reader has handled; without a reader what expired.
    pub(super) fn flow(&self, positions: &[Position]) -> Flow {
        let handled = self.readers.iter().map(|place| positions[*place].done()).min();
        let out = handled.unwrap_or(0).max(self.unread);
        let left = self.shards.iter().map(|shard| shard.next).sum::<u64>().saturating_sub(out);
        let broken = self.readers.iter().any(|place| positions[*place].is_broken());
        let flow = Flow::new(self.records.number, out, left);
        Flow { holds: flow.holds && self.in_order && !broken, ..flow }
    }

    /// What Kinesis is paid for it.
    pub(super) fn usage(&mut self, ended: SimTime) -> StreamUsage {
        let (records, bytes) = (self.records.number, self.bytes);
        self.meter.as_mut().map_or_else(StreamUsage::default, |meter| meter.finish(ended, records, bytes))
    }
}

const fn kind(kind: StreamKind) -> SourceKind {
    match kind {
        StreamKind::Kinesis => SourceKind::Kinesis,
        StreamKind::DynamoDb => SourceKind::DynamoDb,
        StreamKind::Kafka => SourceKind::Kafka,
        StreamKind::DocumentDb => SourceKind::DocumentDb,
    }
}
