//! How many shards a Kinesis stream on demand has (ESM-2.1, K16). Passive.

use super::throughput::{WRITE_BYTES, WRITE_RECORDS};
use crate::aws::config::CapacityMode;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::{SimDuration, SimTime};

/// Over what a rate is taken.
const MINUTE: SimDuration = SimDuration::from_secs(60);

/// What was written to a stream on demand.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    /// The minute that is being counted, and what was written in it.
    minute: u64,
    records: u64,
    bytes: u64,
    /// Shards that the highest minute so far asks for, with nothing to spare, as parts of 10^12.
    highest_parts: u128,
    /// Whether new shards are on their way.
    pub(super) ordered: bool,
}

impl Demand {
    /// A record was written, or refused for want of capacity; whether a minute with a new highest rate is over.
    pub(super) fn wrote(&mut self, bytes: u64, now: SimTime) -> bool {
        let minute = now.as_nanos() / MINUTE.as_nanos();
        let mut higher = false;
        if minute != self.minute {
            let used = |amount: u64, rate: Rate| {
                u128::from(amount) * u128::from(Ratio::PARTS)
                    / u128::from(rate.events * (MINUTE.as_nanos() / rate.per.as_nanos()))
            };
            let used = used(self.records, WRITE_RECORDS).max(used(self.bytes, WRITE_BYTES));
            higher = used > self.highest_parts;
            self.highest_parts = self.highest_parts.max(used);
            (self.minute, self.records, self.bytes) = (minute, 0, 0);
        }
        self.records += 1;
        self.bytes += bytes;
        higher
    }

    /// Shards that the highest rate so far asks for.
    pub(super) fn wanted(&self, mode: CapacityMode) -> u32 {
        let CapacityMode::OnDemand { factor_parts, .. } = mode else { return 0 };
        let parts = u128::from(Ratio::PARTS);
        let wanted = (self.highest_parts.saturating_mul(u128::from(factor_parts)) / parts).div_ceil(parts);
        u32::try_from(wanted).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ESM-K16: twice the highest minute, in shards of 1 MiB and 1,000 records a second.
    #[test]
    fn esm_k16_capacity_follows_the_highest_minute() {
        let mode = CapacityMode::OnDemand { factor_parts: 2 * Ratio::PARTS, after: SimDuration::from_secs(900) };
        for (records, bytes, wanted) in
            [(60_000, 10, 2), (60_001, 10, 3), (60, 1_048_576, 2), (150, 1_048_576, 5), (151, 1_048_576, 6)]
        {
            let mut demand = Demand::default();
            assert!((0..records).all(|_| !demand.wrote(bytes, SimTime::ZERO)));
            assert_eq!(demand.wanted(mode), 0);
            assert!(demand.wrote(1, SimTime::ZERO.plus(MINUTE)));
            assert_eq!(demand.wanted(mode), wanted, "{records} records of {bytes} bytes");
        }
        assert_eq!(Demand::default().wanted(CapacityMode::Provisioned), 0);
    }
}
