//! The account: executions in flight over all functions, and how much of the limit is claimed (INV-5.8).
//!
//! Three gauges follow from two levels: executions in flight, and among them those on demand of functions without
//! reserved concurrency. In most scenarios these two are always equal, or the second is always zero; and the claimed
//! concurrency differs from the second by what is allocated, which seldom changes. So each change costs one table.

use super::gauge::{GaugeFigures, LevelTimes};
use super::series::{Laps, Recorder};
use crate::kernel::time::SimTime;

type Times = LevelTimes<{ 1 << 16 }>;

/// Levels and counts of the account.
#[derive(Clone, Debug)]
pub(super) struct AccountStats {
    /// Time at each level while all in flight is unreserved; counts for both.
    same: Times,
    /// Time at each level of all executions while none is unreserved.
    none_unreserved: Times,
    /// Time at each level of the unreserved executions while some are not; and of all executions.
    unreserved_apart: Times,
    total_apart: Times,
    from: u64,
    since: u64,
    total: u32,
    unreserved: u32,
    total_max: u32,
    /// Since the allocation last changed.
    unreserved_max: u32,
    /// What was known when the allocation last changed.
    past: Past,
    /// Requests refused (INV-T1).
    pub(super) throttles: u64,
    /// When the present interval of a time series ends.
    ends: u64,
    over_time: Option<Box<OverTime>>,
}

/// Levels in the intervals of a time series.
#[derive(Clone, Debug)]
struct OverTime {
    /// In the order of [`LEVELS`].
    laps: [Laps; 3],
    /// Highest in the present interval, before the allocation last changed.
    highest: [u64; 3],
    /// The highest of all executions in the intervals before.
    peak: u32,
}

const LEVELS: [&str; 3] = ["concurrent_executions", "unreserved_concurrent_executions", "claimed_account_concurrency"];

/// Levels up to the last change of the allocation.
#[derive(Clone, Debug, Default)]
struct Past {
    allocated: u32,
    total: Times,
    unreserved: Times,
    unreserved_max: u64,
    claimed: Times,
    claimed_max: u64,
}

/// Gauges of the account.
pub(super) struct AccountFigures {
    pub(super) concurrent: GaugeFigures<u64>,
    pub(super) unreserved: GaugeFigures<u64>,
    pub(super) claimed: GaugeFigures<u64>,
}

impl AccountStats {
    pub(super) fn new(from: SimTime) -> Self {
        let from = from.as_nanos();
        Self {
            same: Times::default(),
            none_unreserved: Times::default(),
            unreserved_apart: Times::default(),
            total_apart: Times::default(),
            from,
            since: from,
            total: 0,
            unreserved: 0,
            total_max: 0,
            unreserved_max: 0,
            past: Past::default(),
            throttles: 0,
            ends: u64::MAX,
            over_time: None,
        }
    }

    /// An execution began.
    #[inline(always)]
    pub(super) fn start(&mut self, now: SimTime, unreserved: bool) {
        self.settle(now);
        self.total += 1;
        self.unreserved += u32::from(unreserved);
        if now.as_nanos() >= self.from {
            self.total_max = self.total_max.max(self.total);
            self.unreserved_max = self.unreserved_max.max(self.unreserved);
        }
    }

    /// An execution ended.
    #[inline(always)]
    pub(super) fn end(&mut self, now: SimTime, unreserved: bool) {
        self.settle(now);
        self.total -= 1;
        self.unreserved -= u32::from(unreserved);
    }

    #[inline(always)]
    fn settle(&mut self, now: SimTime) {
        let now = now.as_nanos();
        if now >= self.ends {
            self.pass(now);
        }
        let elapsed = now.saturating_sub(self.since);
        self.since = self.since.max(now);
        if self.total == self.unreserved {
            self.same.add(u64::from(self.total), elapsed);
        } else if self.unreserved == 0 {
            self.none_unreserved.add(u64::from(self.total), elapsed);
        } else {
            self.settle_apart(elapsed);
        }
    }

    #[inline(never)]
    fn settle_apart(&mut self, elapsed: u64) {
        self.unreserved_apart.add(u64::from(self.unreserved), elapsed);
        self.total_apart.add(u64::from(self.total), elapsed);
    }

    /// INV-C9: other units are allocated from now on; INV-C11: running executions may have changed their pool with it.
    #[cold]
    #[inline(never)]
    pub(super) fn allocate(&mut self, now: SimTime, units: u32, unreserved: u32) {
        self.settle(now);
        self.close();
        self.past.allocated = units;
        self.unreserved = unreserved;
        self.unreserved_max = if now.as_nanos() >= self.from { unreserved } else { 0 };
    }

    /// Moves the tables of the present allocation to the past.
    fn close(&mut self) {
        let Past { allocated, total, unreserved, unreserved_max, claimed, claimed_max } = &mut self.past;
        let shift = u64::from(*allocated);
        let idle = self.none_unreserved.time();
        unreserved.add(0, idle);
        claimed.add(shift, idle);
        for (times, all, some) in [
            (&mut self.none_unreserved, true, false),
            (&mut self.same, true, true),
            (&mut self.unreserved_apart, false, true),
            (&mut self.total_apart, true, false),
        ] {
            if all {
                total.absorb(times, 0);
            }
            if some {
                unreserved.absorb(times, 0);
                claimed.absorb(times, shift);
            }
            times.clear();
        }
        let max = u64::from(self.unreserved_max);
        if let Some(over) = &mut self.over_time {
            over.highest[1] = over.highest[1].max(max);
            over.highest[2] = over.highest[2].max(max + shift);
        }
        *unreserved_max = max.max(*unreserved_max);
        if self.since > self.from || max > 0 {
            *claimed_max = (*claimed_max).max(max + shift);
        }
    }

    /// All, unreserved and claimed executions: level x time so far, the level, the highest in the present interval.
    fn levels(&self) -> [(u128, u64, u64); 3] {
        let Past { allocated, total, unreserved, claimed, .. } = &self.past;
        let shift = u64::from(*allocated);
        let (same, apart) = (self.same.weighted(), self.unreserved_apart.weighted());
        let present = self.same.time() + self.none_unreserved.time() + self.unreserved_apart.time();
        let all = total.weighted() + same + self.none_unreserved.weighted() + self.total_apart.weighted();
        let others = unreserved.weighted() + same + apart;
        let claims = claimed.weighted() + same + apart + u128::from(shift) * u128::from(present);
        let (level, highest) = (u64::from(self.unreserved), u64::from(self.unreserved_max));
        let before = self.over_time.as_ref().map_or([0; 3], |over| over.highest);
        [
            (all, u64::from(self.total), u64::from(self.total_max)),
            (others, level, highest.max(before[1])),
            (claims, level + shift, (highest.max(level) + shift).max(before[2])),
        ]
    }

    /// Intervals of the time series are over.
    #[cold]
    #[inline(never)]
    fn pass(&mut self, now: u64) {
        let levels = self.levels();
        let Some(over) = &mut self.over_time else { return };
        for (laps, (weighted, level, highest)) in over.laps.iter_mut().zip(levels) {
            laps.pass(now, self.since, weighted, level, highest);
        }
        self.ends = over.laps[0].ends();
        over.highest = [0; 3];
        over.peak = over.peak.max(self.total_max);
        self.total_max = self.total;
        let Past { unreserved_max, claimed_max, allocated, .. } = &mut self.past;
        let highest = u64::from(self.unreserved_max);
        *unreserved_max = highest.max(*unreserved_max);
        *claimed_max = (*claimed_max).max(highest + u64::from(*allocated));
        self.unreserved_max = self.unreserved;
    }

    /// What a time series says.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        to.of("account", "");
        to.count("throttles", self.throttles);
        if let Some(schedule) = to.schedule() {
            let laps = [0; 3].map(|_| Laps::new(schedule));
            self.ends = laps[0].ends();
            self.over_time = Some(Box::new(OverTime { laps, highest: [0; 3], peak: 0 }));
        }
        let mut over = [const { Vec::new() }; 3];
        if let Some(ended) = to.ended() {
            self.settle(ended);
            let levels = self.levels();
            if let Some(kept) = self.over_time.take() {
                self.total_max = self.total_max.max(kept.peak);
                let end = |(laps, (weighted, level, highest)): (Laps, (u128, u64, u64))| {
                    laps.finish(ended.as_nanos(), weighted, level, highest)
                };
                let mut all = kept.laps.into_iter().zip(levels).map(end);
                over = [const { Vec::new() }; 3].map(|none| all.next().unwrap_or(none));
            }
            self.ends = u64::MAX;
        }
        for (key, laps) in LEVELS.into_iter().zip(over) {
            to.laps(key, laps);
        }
    }

    /// What it comes to when the run ends at `ended`.
    pub(super) fn figures(&mut self, ended: SimTime) -> AccountFigures {
        self.settle(ended);
        self.close();
        let past = &self.past;
        let (total, unreserved) = (u64::from(self.total), u64::from(self.unreserved));
        let claimed = unreserved + u64::from(past.allocated);
        AccountFigures {
            concurrent: past.total.figures(u64::from(self.total_max), total),
            unreserved: past.unreserved.figures(past.unreserved_max, unreserved),
            claimed: past.claimed.figures(past.claimed_max.max(claimed), claimed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanoseconds: u64) -> SimTime {
        SimTime::from_nanos(nanoseconds)
    }

    /// INV-V5: 600 reserved and 200 provisioned; idle, then other functions use 100 on demand.
    #[test]
    fn inv_v5_claimed_is_what_is_allocated_and_what_is_used() {
        let mut account = AccountStats::new(SimTime::ZERO);
        account.allocate(at(0), 800, 0);
        for _ in 0..100 {
            account.start(at(10), true);
        }
        let figures = account.figures(at(20));
        assert_eq!(
            (figures.claimed.mean, figures.claimed.max, figures.claimed.last),
            (Some(850.0), Some(900), Some(900))
        );
        assert_eq!((figures.unreserved.mean, figures.unreserved.max), (Some(50.0), Some(100)));
    }

    #[test]
    fn reserved_executions_count_for_the_account_only() {
        let mut account = AccountStats::new(SimTime::ZERO);
        account.start(at(0), false);
        account.start(at(10), true);
        account.end(at(20), false);
        let figures = account.figures(at(40));
        assert_eq!((figures.concurrent.mean, figures.concurrent.max), (Some(1.25), Some(2)));
        assert_eq!((figures.unreserved.mean, figures.unreserved.last), (Some(0.75), Some(1)));
    }

    #[test]
    fn a_change_of_settings_moves_running_executions() {
        let mut account = AccountStats::new(SimTime::ZERO);
        account.start(at(0), true);
        account.start(at(0), true);
        account.allocate(at(10), 50, 0);
        account.end(at(20), false);
        account.allocate(at(30), 0, 1);
        let figures = account.figures(at(40));
        assert_eq!(figures.concurrent.mean, Some(60.0 / 40.0));
        assert_eq!(figures.unreserved.mean, Some(30.0 / 40.0));
        assert_eq!(figures.claimed.mean, Some(1_030.0 / 40.0));
        assert_eq!((figures.claimed.max, figures.claimed.last), (Some(50), Some(1)));
    }

    #[test]
    fn an_allocation_of_the_warm_up_is_not_a_peak() {
        let mut account = AccountStats::new(at(100));
        account.allocate(at(0), 800, 0);
        account.allocate(at(50), 100, 0);
        let figures = account.figures(at(200));
        assert_eq!((figures.claimed.mean, figures.claimed.max), (Some(100.0), Some(100)));
    }
}
