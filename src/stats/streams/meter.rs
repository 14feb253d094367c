//! What a Kinesis stream is billed for: shards and what is written by the time they stand, readers with enhanced fan-out
//! by shard and by what they read, and in on-demand mode everything by the gigabyte.
//!
//! Reads are known as numbers of records; their bytes are taken as the mean of all records of the stream. Retention
//! beyond a day is not billed.

use std::cmp::Reverse;

use crate::aws::config::{CapacityMode, Source, StreamKind, System};
use crate::aws::ids::{MappingId, StreamId};
use crate::kernel::time::SimTime;
use crate::stats::cost::StreamUsage;

/// The use of one stream from the warm-up on.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    from: SimTime,
    since: SimTime,
    open: u32,
    on_demand: bool,
    /// Mappings that read with enhanced fan-out.
    fan_out: Vec<MappingId>,
    /// Settings to come, the next ones last.
    changes: Vec<(SimTime, Setting)>,
    /// Records read: provisioned with enhanced fan-out, on demand, on demand with enhanced fan-out.
    reads: [u64; 3],
    usage: StreamUsage,
}

#[derive(Clone, Copy, Debug)]
enum Setting {
    OnDemand(bool),
    FanOut(MappingId, bool),
}

/// Bytes of a PUT payload unit.
const PUT_UNIT: u64 = 25 * 1_024;

impl Meter {
    pub(super) fn new(system: &System, id: StreamId, from: SimTime) -> Self {
        let is_on_demand = |mode: CapacityMode| mode != CapacityMode::Provisioned;
        let stream = &system.streams[id];
        let reads = |mapping: &MappingId| {
            let settings = &system.event_source_mappings[*mapping];
            settings.source == Source::Stream(id) && settings.stream.enhanced_fan_out
        };
        let mut changes: Vec<_> = system
            .changes
            .iter()
            .filter_map(|change| {
                let of_stream = change.action.stream().filter(|(of, _)| *of == id);
                let of_mapping = change.action.mapping().filter(|(_, mapping)| mapping.source == Source::Stream(id));
                let setting = of_stream.map(|(_, stream)| Setting::OnDemand(is_on_demand(stream.capacity_mode)));
                let setting = setting
                    .or_else(|| of_mapping.map(|(of, mapping)| Setting::FanOut(of, mapping.stream.enhanced_fan_out)));
                Some((change.at, setting?))
            })
            .collect();
        changes.sort_by_key(|(at, _)| *at);
        changes.reverse();
        Self {
            from,
            since: from,
            open: stream.shards,
            on_demand: is_on_demand(stream.capacity_mode),
            fan_out: system.event_source_mappings.ids().filter(reads).collect(),
            changes,
            reads: [0; 3],
            usage: StreamUsage::default(),
        }
    }

    /// Brings the settings up to `now`.
    #[inline(always)]
    fn at(&mut self, now: SimTime) {
        if self.changes.last().is_some_and(|(at, _)| *at <= now) {
            self.change(now);
        }
    }

    #[cold]
    #[inline(never)]
    fn change(&mut self, now: SimTime) {
        while let Some((at, setting)) = self.changes.pop_if(|(at, _)| *at <= now) {
            self.settle(at);
            match setting {
                Setting::OnDemand(on_demand) => self.on_demand = on_demand,
                Setting::FanOut(mapping, fan_out) => {
                    self.fan_out.retain(|known| *known != mapping);
                    if fan_out {
                        self.fan_out.push(mapping);
                    }
                }
            }
        }
    }

    /// Counts the time until `now` under the settings as they are.
    fn settle(&mut self, now: SimTime) {
        let length = u128::from(now.saturating_since(self.since).as_nanos());
        self.since = self.since.max(now);
        if self.on_demand {
            self.usage.on_demand_ns += length;
        } else {
            let shards = length * u128::from(self.open);
            self.usage.shard_ns += shards;
            self.usage.consumer_shard_ns += shards * self.fan_out.len() as u128;
        }
    }

    /// So many shards are open.
    pub(super) fn shards(&mut self, now: SimTime, open: u32) {
        self.at(now);
        self.settle(now);
        self.open = open;
    }

    /// A record was accepted.
    #[inline(always)]
    pub(super) fn put(&mut self, now: SimTime, bytes: u64) {
        self.at(now);
        if now < self.from {
            return;
        }
        if self.on_demand {
            self.usage.kibibytes_in += bytes.div_ceil(1_024);
        } else {
            self.usage.put_units += bytes.div_ceil(PUT_UNIT).max(1);
        }
    }

    /// A mapping has read records.
    pub(super) fn read(&mut self, now: SimTime, mapping: MappingId, records: u32) {
        self.at(now);
        if now < self.from {
            return;
        }
        let place = match (self.on_demand, self.fan_out.contains(&mapping)) {
            (false, false) => return,
            (false, true) => 0,
            (true, false) => 1,
            (true, true) => 2,
        };
        self.reads[place] += u64::from(records);
    }

    /// Everything until the run ends at `ended`, where `records` of the stream have so many bytes.
    pub(super) fn finish(&mut self, ended: SimTime, records: u64, bytes: u64) -> StreamUsage {
        self.at(ended);
        self.settle(ended);
        let read = |number: u64| u128::from(number) * u128::from(bytes) / u128::from(records.max(1));
        StreamUsage { bytes_out: self.reads.map(read), ..self.usage }
    }
}

/// Shards of a stream, those that resharding closes and those that it adds: all that the settings know of.
pub(super) fn all_shards(system: &System, id: StreamId) -> usize {
    let mut changes: Vec<_> = system
        .changes
        .iter()
        .filter_map(|change| change.action.stream().filter(|(of, _)| *of == id).map(|(_, stream)| (change.at, stream)))
        .collect();
    changes.sort_by_key(|(at, _)| Reverse(*at));
    let (mut open, mut all) = (system.streams[id].shards, system.streams[id].shards);
    for (_, stream) in changes.into_iter().rev() {
        if stream.shards != open {
            // A topic keeps its partitions and gets more; shards are closed and others take their place.
            let keeps = stream.kind == StreamKind::Kafka;
            (open, all) = (stream.shards, if keeps { all.max(stream.shards) } else { all + stream.shards });
        }
    }
    usize::try_from(all).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::Id;
    use crate::kernel::time::SimDuration;

    const HOUR_NS: u128 = 3_600_000_000_000;

    fn hours(hours: u64) -> SimTime {
        SimTime::ZERO.plus(SimDuration::from_secs(hours * 3_600))
    }

    fn meter(from: u64, on_demand: bool, changes: Vec<(SimTime, Setting)>) -> Meter {
        let usage = StreamUsage::default();
        Meter {
            from: hours(from),
            since: hours(from),
            open: 2,
            on_demand,
            fan_out: Vec::new(),
            changes,
            reads: [0; 3],
            usage,
        }
    }

    /// A PUT payload unit is a chunk of 25 KB: AWS's own examples of 5, 45 and 35 KB.
    #[test]
    fn esm_2_1_writes_are_counted_in_payload_units() {
        for (bytes, units) in
            [(0, 1), (5 * 1_024, 1), (25 * 1_024, 1), (25 * 1_024 + 1, 2), (35 * 1_024, 2), (45 * 1_024, 2)]
        {
            let mut meter = meter(0, false, Vec::new());
            meter.put(hours(0), bytes);
            assert_eq!(meter.finish(hours(1), 1, bytes).put_units, units, "{bytes}");
        }
    }

    /// On demand each record is rounded up to whole KB: AWS's own example of 4.5 KB.
    #[test]
    fn esm_2_1_writes_on_demand_are_counted_in_kilobytes() {
        let mut meter = meter(0, true, Vec::new());
        meter.put(hours(0), 4_608);
        meter.read(hours(0), MappingId::from_index(0), 1);
        let usage = meter.finish(hours(3), 1, 4_608);
        assert_eq!((usage.kibibytes_in, usage.on_demand_ns, usage.shard_ns), (5, 3 * HOUR_NS, 0));
        assert_eq!(usage.bytes_out, [0, 4_608, 0]);
    }

    #[test]
    fn shards_and_their_readers_stand_by_time() {
        let reader = MappingId::from_index(0);
        let changes = vec![
            (hours(9), Setting::OnDemand(true)),
            (hours(6), Setting::FanOut(reader, false)),
            (hours(2), Setting::FanOut(reader, true)),
        ];
        let mut meter = meter(1, false, changes);
        meter.put(hours(0), 1);
        meter.shards(hours(4), 4);
        meter.read(hours(5), reader, 3);
        meter.read(hours(7), reader, 3);
        let usage = meter.finish(hours(10), 10, 1_000);
        // 2 shards in [1, 4), 4 in [4, 9), of which a reader has them in [2, 6).
        assert_eq!(usage.shard_ns, (3 * 2 + 5 * 4) * HOUR_NS);
        assert_eq!(usage.consumer_shard_ns, (2 * 2 + 2 * 4) * HOUR_NS);
        assert_eq!((usage.on_demand_ns, usage.put_units), (HOUR_NS, 0));
        assert_eq!(usage.bytes_out, [300, 0, 0]);
    }
}
