//! What state machines cost: transitions of standard ones, executions and their time of express ones.
//!
//! The memory of an express execution follows from its definition and its data, which no scenario says: it is taken as one
//! chunk of 64 MB, the least that is billed.

use super::{Pico, per_gb_second, share};
use crate::scenario::PriceOptions;

/// A state transition of a standard machine: 25 USD a million. AWS Step Functions pricing, us-east-1 (public copies of the
/// page, read in 2026).
const TRANSITION: Pico = 25_000_000;

/// Free state transitions a month (same page).
const FREE_TRANSITIONS: u128 = 4_000;

/// An execution of an express machine: 1.00 USD a million (same page).
const REQUEST: Pico = 1_000_000;

/// Time of express executions: GB-seconds a month in the tier (the last has no end), price of one. The tiers are 1,000 and
/// the next 4,000 GB-hours (`D-rec`).
const TIERS: [(u128, Pico); 3] = [(3_600_000, 16_670_000), (14_400_000, 8_330_000), (u128::MAX, 4_560_000)];

/// Memory of an express execution, MB.
const MEMORY_MB: u128 = 64;

/// MB x ms of a GB-second.
const MB_MS: u128 = 1_024_000;

/// What a state machine is billed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stats) enum MachineUsage {
    /// Up to a year.
    Standard { transitions: u64 },
    /// Up to five minutes; its time in milliseconds, each execution in whole 100 ms.
    Express { requests: u64, billed_ms: u128 },
}

/// What each machine costs. The free transitions, and the tiers, are shared by use.
pub(super) fn machines(usages: &[(String, MachineUsage)], options: PriceOptions) -> Vec<Pico> {
    let of = |pick: fn(&MachineUsage) -> u128| usages.iter().map(|(_, usage)| pick(usage)).collect::<Vec<u128>>();
    let transitions = of(|usage| match usage {
        MachineUsage::Standard { transitions } => u128::from(*transitions),
        MachineUsage::Express { .. } => 0,
    });
    let requests = of(|usage| match usage {
        MachineUsage::Standard { .. } => 0,
        MachineUsage::Express { requests, .. } => u128::from(*requests) * REQUEST,
    });
    let used = of(|usage| match usage {
        MachineUsage::Standard { .. } => 0,
        MachineUsage::Express { billed_ms, .. } => billed_ms * MEMORY_MB,
    });
    let free = if options.free_tier { FREE_TRANSITIONS } else { 0 };
    let charged = transitions.iter().sum::<u128>().saturating_sub(free);
    let standard = share(charged * TRANSITION, &transitions);
    let time = share(tiered(used.iter().sum()), &used);
    requests
        .into_iter()
        .zip(standard)
        .zip(time)
        .map(|((requests, standard), time)| requests + standard + time)
        .collect()
}

fn tiered(mb_ms: u128) -> Pico {
    let mut left = mb_ms;
    let mut cost = 0;
    for (size, price) in TIERS {
        let part = left.min(size.saturating_mul(MB_MS));
        cost += per_gb_second(part, price);
        left -= part;
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::quantity::Ratio;

    const LIST: PriceOptions =
        PriceOptions { free_tier: false, savings_plan: Ratio::ZERO, init_billed: true, failed_init_billed: true };

    fn cost(usages: &[MachineUsage], options: PriceOptions) -> Vec<f64> {
        let usages: Vec<_> = usages.iter().map(|usage| (String::new(), *usage)).collect();
        machines(&usages, options).into_iter().map(super::super::dollars).collect()
    }

    /// AWS's price page: 25 USD a million, 4,000 free.
    #[test]
    fn transitions_of_standard_machines() {
        let usages = [100_000, 20_000].map(|transitions| MachineUsage::Standard { transitions });
        assert_eq!(cost(&usages, LIST), [2.5, 0.5]);
        let all: f64 = cost(&usages, PriceOptions { free_tier: true, ..LIST }).iter().sum();
        assert!((all - 2.9).abs() < 1e-9, "{all}");
    }

    /// AWS's price page, example 3: a million executions of 30 s with one chunk of 64 MB: 1 USD, and 1,875,000 GB-s.
    #[test]
    fn executions_of_express_machines() {
        let usage = MachineUsage::Express { requests: 1_000_000, billed_ms: 30_000_000_000 };
        assert_eq!(cost(&[usage], LIST), [32.256_25]);
        // Beyond the first tier: 3,600,000 GB-s at the first price, 150,000 at the second.
        let usage = MachineUsage::Express { requests: 0, billed_ms: 60_000_000_000 };
        assert_eq!(cost(&[usage], LIST), [61.261_5]);
    }
}
