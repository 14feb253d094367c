//! How fast a function, or in the legacy model the account, may gain environments (INV-S1..S8).
//!
//! Passive: asked for each new on-demand environment. Warm reuse costs nothing (INV-S5), an environment that is
//! reset in place neither (INV-S6).

use super::config::{Refill, Scaling};
use super::limits;
use crate::kernel::quantity::Rate;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// An allowance of new environments.
#[derive(Clone, Debug)]
pub(crate) enum Allowance {
    /// Without limit.
    Off,
    /// INV-S2: comes back evenly, never more than the whole.
    Continuous(TokenBucket),
    /// INV-S2: comes back whole, one period after its first use since it was last whole.
    Lump { size: u32, left: u32, every: SimDuration, refilled: SimTime },
}

impl Allowance {
    /// A function's own allowance; the legacy model has none.
    pub(crate) fn of_function(scaling: Scaling) -> Self {
        match scaling {
            Scaling::Off | Scaling::LegacyBurst { .. } => Self::Off,
            Scaling::PerFunction { environments, every, refill: Refill::Continuous, .. } => {
                let rate = Rate { events: u64::from(environments), per: every };
                Self::Continuous(TokenBucket::new(rate, u64::from(environments)))
            }
            Scaling::PerFunction { environments, every, refill: Refill::Lump, .. } => {
                Self::Lump { size: environments, left: environments, every, refilled: SimTime::ZERO }
            }
        }
    }

    /// The account's allowance of the legacy model (INV-S8).
    pub(crate) fn of_account(scaling: Scaling) -> Self {
        match scaling {
            Scaling::Off | Scaling::PerFunction { .. } => Self::Off,
            Scaling::LegacyBurst { burst, per_minute } => {
                let rate = Rate { events: u64::from(per_minute), per: SimDuration::from_secs(60) };
                Self::Continuous(TokenBucket::new(rate, u64::from(burst)))
            }
        }
    }

    /// Whether an environment may be added now.
    pub(crate) fn available(&mut self, now: SimTime) -> bool {
        match self {
            Self::Off => true,
            Self::Continuous(bucket) => bucket.has_token(now),
            Self::Lump { size, left, every, refilled } => {
                if left < size {
                    let periods = now.since(*refilled).as_nanos() / every.as_nanos().max(1);
                    if periods > 0 {
                        *left = *size;
                        *refilled = refilled.plus(every.times(periods));
                    }
                }
                *left > 0
            }
        }
    }

    /// An environment is added; it was [`available`](Self::available) at this moment.
    pub(crate) fn take(&mut self, now: SimTime) {
        match self {
            Self::Off => {}
            Self::Continuous(bucket) => {
                bucket.try_take(now);
            }
            Self::Lump { size, left, refilled, .. } => {
                if left == size {
                    *refilled = now;
                }
                *left -= 1;
            }
        }
    }
}

/// The requests-a-second half of the scaling rate (INV-S7): a ceiling that each second of excess demand raises.
#[derive(Clone, Debug)]
pub(crate) struct RequestRamp {
    ceiling: u64,
    bucket: TokenBucket,
    /// The last second in which demand was above the ceiling.
    raised: Option<u64>,
}

impl RequestRamp {
    /// The ramp of a function, where the scaling model has one.
    pub(crate) fn of_function(scaling: Scaling) -> Option<Self> {
        match scaling {
            Scaling::PerFunction { request_rate: true, .. } => {
                let ceiling = limits::REQUEST_RATE_START;
                Some(Self { ceiling, bucket: TokenBucket::new(Rate::per_second(ceiling), ceiling), raised: None })
            }
            Scaling::PerFunction { .. } | Scaling::Off | Scaling::LegacyBurst { .. } => None,
        }
    }

    /// Whether a request is within the ceiling; one that is not raises it from the next second on.
    pub(crate) fn available(&mut self, now: SimTime) -> bool {
        let second = now.as_nanos() / 1_000_000_000;
        if self.raised.is_some_and(|raised| raised < second) {
            self.ceiling += limits::REQUEST_RATE_STEP;
            self.bucket.set(now, Rate::per_second(self.ceiling), self.ceiling);
            self.raised = None;
        }
        let within = self.bucket.has_token(now);
        if !within {
            self.raised.get_or_insert(second);
        }
        within
    }

    /// A request is placed; it was [`available`](Self::available) at this moment.
    pub(crate) fn take(&mut self, now: SimTime) {
        self.bucket.try_take(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn per_function(refill: Refill) -> Scaling {
        Scaling::PerFunction { environments: 1_000, every: SimDuration::from_secs(10), refill, request_rate: false }
    }

    fn grown(allowance: &mut Allowance, second: u64) -> u32 {
        let now = SimTime::from_nanos(second * 1_000_000_000);
        let mut count = 0;
        while allowance.available(now) && count < 10_000 {
            allowance.take(now);
            count += 1;
        }
        count
    }

    /// INV-V11, V12, V13: environments at given seconds under unbounded demand, from the sheet.
    #[test]
    fn v11_v12_v13_growth_under_unbounded_demand() {
        for start in [0, 60] {
            let mut continuous = Allowance::of_function(per_function(Refill::Continuous));
            let mut lump = Allowance::of_function(per_function(Refill::Lump));
            let (mut by_refill, mut by_lump) = (0, 0);
            for second in 0..=50 {
                by_refill += grown(&mut continuous, start + second);
                by_lump += grown(&mut lump, start + second);
                let expected = 1_000 + 100 * u32::try_from(second).unwrap();
                assert_eq!(by_refill, expected, "continuous, {second} s after {start} s");
                let expected = 1_000 * (1 + u32::try_from(second / 10).unwrap());
                assert_eq!(by_lump, expected, "lump, {second} s after {start} s");
            }
        }
        let mut legacy = Allowance::of_account(Scaling::LegacyBurst { burst: 3_000, per_minute: 500 });
        let total: u32 = (0..=360).map(|second| grown(&mut legacy, second)).sum();
        assert_eq!(total, 6_000);
    }

    #[test]
    fn s7_the_request_ceiling_rises_after_each_second_of_excess() {
        let scaling = Scaling::PerFunction {
            environments: 1_000,
            every: SimDuration::from_secs(10),
            refill: Refill::Continuous,
            request_rate: true,
        };
        let mut ramp = RequestRamp::of_function(scaling).unwrap();
        let mut served = |second: u64| {
            let now = SimTime::from_nanos(second * 1_000_000_000);
            let mut count = 0;
            while ramp.available(now) {
                ramp.take(now);
                count += 1;
            }
            count
        };
        assert_eq!([served(0), served(1), served(2)], [10_000, 11_000, 12_000]);
    }
}
