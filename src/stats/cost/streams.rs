//! What streams and the pollers of Kafka cost.
//!
//! Reads of a `DynamoDB` stream by Lambda are free (ESM-3). Tables, brokers, clusters of Kafka and `DocumentDB` are paid
//! for by what they run on, which no scenario says.

use super::{Pico, multiply_divide, share};
use crate::aws::ids::{Id, MappingId};

/// Kinesis, us-east-1 (`D-rec`): an hour of a shard.
const SHARD_HOUR: Pico = 15_000_000_000;

/// A PUT payload unit: 0.014 USD a million (same source).
const PUT_UNIT: Pico = 14_000;

/// An hour of a shard for one consumer with enhanced fan-out (same source).
const CONSUMER_SHARD_HOUR: Pico = 15_000_000_000;

/// An hour of a stream in on-demand mode (same source).
const STREAM_HOUR: Pico = 40_000_000_000;

/// A GB written in on-demand mode (same source).
const GB_IN: Pico = 80_000_000_000;

/// A GB read: with enhanced fan-out, in on-demand mode, and there with enhanced fan-out (same source).
const GB_OUT: [Pico; 3] = [13_000_000_000, 40_000_000_000, 50_000_000_000];

/// ESM-4.2: an hour of an event poller unit of Kafka, us-east-1.
const UNIT_HOUR: Pico = 185_000_000_000;

const HOUR_NS: u128 = 3_600_000_000_000;

const GB: u128 = 1 << 30;

/// What a Kinesis stream is billed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::stats) struct StreamUsage {
    /// Time of shards, ns.
    pub(in crate::stats) shard_ns: u128,
    /// Time of shards, for each consumer with enhanced fan-out.
    pub(in crate::stats) consumer_shard_ns: u128,
    /// PUT payload units.
    pub(in crate::stats) put_units: u64,
    /// Time in on-demand mode.
    pub(in crate::stats) on_demand_ns: u128,
    /// What was written in on-demand mode, each record in whole KiB.
    pub(in crate::stats) kibibytes_in: u64,
    /// What was read: with enhanced fan-out, in on-demand mode, and there with enhanced fan-out.
    pub(in crate::stats) bytes_out: [u128; 3],
}

/// What the event poller units of one group are billed for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::stats) struct UnitUsage {
    /// Time of units, ns.
    pub(in crate::stats) unit_ns: u128,
    /// Mappings, and the time of their pollers: what they share the price by.
    pub(in crate::stats) shares: Vec<(MappingId, u128)>,
}

/// What a stream costs.
pub(super) fn stream(usage: &StreamUsage) -> Pico {
    let hours = [
        (usage.shard_ns, SHARD_HOUR),
        (usage.consumer_shard_ns, CONSUMER_SHARD_HOUR),
        (usage.on_demand_ns, STREAM_HOUR),
    ];
    let standing: Pico = hours.into_iter().map(|(time, price)| multiply_divide(time, price, HOUR_NS)).sum();
    let written = multiply_divide(u128::from(usage.kibibytes_in) * 1_024, GB_IN, GB);
    let read = usage.bytes_out.into_iter().zip(GB_OUT).map(|(bytes, price)| multiply_divide(bytes, price, GB));
    standing + u128::from(usage.put_units) * PUT_UNIT + written + read.sum::<Pico>()
}

/// Adds what the units of a group cost to what its mappings cost.
pub(super) fn units(usage: &UnitUsage, costs: &mut [Pico]) {
    let weights: Vec<u128> = usage.shares.iter().map(|(_, time)| *time).collect();
    let parts = share(multiply_divide(usage.unit_ns, UNIT_HOUR, HOUR_NS), &weights);
    for ((mapping, _), part) in usage.shares.iter().zip(parts) {
        costs[mapping.index()] += part;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "money comes from integers and is exact")]
    use super::*;
    use crate::stats::cost::dollars;

    /// ESM-A30: ten mappings with a unit each for 720 h, and one group of them that shares one unit.
    #[test]
    fn esm_a30_a_poller_group_shares_its_units() {
        let hours = 720 * HOUR_NS;
        let mapping = |place: usize| (MappingId::from_index(place), hours);
        let mut apart = vec![0; 10];
        for place in 0..10 {
            units(&UnitUsage { unit_ns: hours, shares: vec![mapping(place)] }, &mut apart);
        }
        assert_eq!(dollars(apart.iter().sum()), 1_332.0);
        let mut together = vec![0; 10];
        units(&UnitUsage { unit_ns: hours, shares: (0..10).map(mapping).collect() }, &mut together);
        assert_eq!(dollars(together.iter().sum()), 133.2);
        assert_eq!(together.iter().map(|part| dollars(*part)).collect::<Vec<_>>(), [13.32; 10]);
    }

    #[test]
    fn esm_2_1_each_use_of_a_stream_has_its_price() {
        let nothing = StreamUsage::default();
        let gb = |place: usize| {
            let mut bytes_out = [0; 3];
            bytes_out[place] = GB;
            StreamUsage { bytes_out, ..nothing }
        };
        for (usage, usd) in [
            (nothing, 0.0),
            // Four shards for a month of 720 h.
            (StreamUsage { shard_ns: 4 * 720 * HOUR_NS, ..nothing }, 43.2),
            (StreamUsage { put_units: 1_000_000, ..nothing }, 0.014),
            (StreamUsage { consumer_shard_ns: 720 * HOUR_NS, ..nothing }, 10.8),
            (StreamUsage { on_demand_ns: 720 * HOUR_NS, ..nothing }, 28.8),
            (StreamUsage { kibibytes_in: 1 << 20, ..nothing }, 0.08),
            (gb(0), 0.013),
            (gb(1), 0.04),
            (gb(2), 0.05),
        ] {
            assert_eq!(dollars(stream(&usage)), usd, "{usage:?}");
        }
    }
}
