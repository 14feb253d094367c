//! Levels over time: how long a quantity stood at each height, from the end of the warm-up to the end of the run.

use serde::Serialize;

use super::histogram::nearest_rank;
use super::series::{Lap, Laps, Schedule};
use crate::kernel::time::SimTime;

/// What a level over time comes to (contract, section 3). `T` is `u64` for counts and `f64` for ratios.
///
/// Everything is `None` where the level never existed; mean and quantiles also where no time went by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GaugeFigures<T> {
    /// Time-weighted mean, exact.
    pub mean: Option<f64>,
    /// The level was at or below for 95 % of the time.
    pub p95: Option<T>,
    /// The level was at or below for 99 % of the time.
    pub p99: Option<T>,
    /// The highest, even if only for an instant.
    pub max: Option<T>,
    /// At the end of the run.
    pub last: Option<T>,
}

/// Time spent at each level.
///
/// Levels below `DENSE`, a power of two, have a row each and are exact. Above, 2,048 rows an octave keep time and
/// time x level, so that sums stay exact and a level is read as its row's own mean, within 0.05 %.
#[derive(Clone, Debug, Default)]
pub(super) struct LevelTimes<const DENSE: usize> {
    dense: Vec<u64>,
    above: Vec<Row>,
}

/// A row of levels that are read as one.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    time: u64,
    weighted: u128,
}

const ROWS_PER_OCTAVE_LOG2: u32 = 11;

impl<const DENSE: usize> LevelTimes<DENSE> {
    /// Adds `nanoseconds` at `level`.
    #[inline(always)]
    pub(super) fn add(&mut self, level: u64, nanoseconds: u64) {
        #[allow(clippy::cast_possible_truncation, reason = "levels of hot gauges are u32, and usize has as much")]
        match self.dense.get_mut(level as usize) {
            Some(time) => *time += nanoseconds,
            None => self.add_new(level, nanoseconds),
        }
    }

    #[cold]
    #[inline(never)]
    fn add_new(&mut self, level: u64, nanoseconds: u64) {
        if nanoseconds == 0 {
            return;
        }
        match usize::try_from(level) {
            Ok(level) if level < DENSE => {
                self.dense.resize((level + 1).next_power_of_two().max(16), 0);
                self.dense[level] += nanoseconds;
            }
            _ => self.add_above(level, nanoseconds, u128::from(level) * u128::from(nanoseconds)),
        }
    }

    fn add_above(&mut self, level: u64, time: u64, weighted: u128) {
        let octave = level.ilog2();
        let row = (octave - DENSE.ilog2()) << ROWS_PER_OCTAVE_LOG2;
        let within = (level >> (octave - ROWS_PER_OCTAVE_LOG2)) - (1 << ROWS_PER_OCTAVE_LOG2);
        let place = row as usize + usize::try_from(within).expect("less than a row's octave");
        if place >= self.above.len() {
            self.above.resize(place + 1, Row::default());
        }
        self.above[place].time += time;
        self.above[place].weighted += weighted;
    }

    /// Levels and their times, rising.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, u64)> {
        let dense = (0..).zip(self.dense.iter().copied()).filter(|&(_, time)| time > 0);
        let above = self.above.iter().filter(|row| row.time > 0).map(|row| (row.level(), row.time));
        dense.chain(above)
    }

    /// Adds all of `other`, each level `shift` higher.
    pub(super) fn absorb(&mut self, other: &Self, shift: u64) {
        for (level, &time) in (0..).zip(&other.dense) {
            if time > 0 {
                self.add(level + shift, time);
            }
        }
        for row in other.above.iter().filter(|row| row.time > 0) {
            let weighted = row.weighted + u128::from(row.time) * u128::from(shift);
            self.add_above(row.level() + shift, row.time, weighted);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.dense.fill(0);
        self.above.clear();
    }

    /// All time recorded, in nanoseconds.
    pub(super) fn time(&self) -> u64 {
        self.dense.iter().sum::<u64>() + self.above.iter().map(|row| row.time).sum::<u64>()
    }

    /// Level x time over all.
    pub(super) fn weighted(&self) -> u128 {
        let dense: u128 = (0_u128..).zip(&self.dense).map(|(level, &time)| level * u128::from(time)).sum();
        dense + self.above.iter().map(|row| row.weighted).sum::<u128>()
    }

    /// What it comes to. `max` and `last` are known better by whoever moves the level.
    pub(super) fn figures(&self, max: u64, last: u64) -> GaugeFigures<u64> {
        let time = self.time();
        let highest = self.rows().last().map_or(0, |(level, _)| level).max(max);
        let [p95, p99] = [9_500, 9_900].map(|share| self.quantile(time, share).map(|level| level.min(highest)));
        let mean = (time > 0).then(|| self.weighted() as f64 / time as f64);
        GaugeFigures { mean, p95, p99, max: Some(highest), last: Some(last) }
    }

    /// The lowest level at or below which it stood for the share of the time.
    pub(super) fn quantile(&self, time: u64, ten_thousandths: u32) -> Option<u64> {
        let rank = nearest_rank(time, ten_thousandths);
        let mut below = 0;
        self.rows()
            .find(|&(_, at)| {
                below += at;
                below >= rank
            })
            .map(|(level, _)| level)
    }
}

impl Row {
    /// The mean of the levels that share the row.
    #[allow(clippy::cast_possible_truncation, reason = "a mean of u64")]
    const fn level(self) -> u64 {
        let time = self.time as u128;
        ((self.weighted + time / 2) / time) as u64
    }
}

/// A level that changes one by one, or is set.
#[derive(Clone, Debug)]
pub struct Gauge {
    times: LevelTimes<{ 1 << 16 }>,
    from: u64,
    since: u64,
    level: u32,
    /// The highest in the present interval.
    max: u32,
    /// When that interval ends, and those before it.
    ends: u64,
    laps: Option<Box<Laps>>,
    /// The highest in those.
    peak: u32,
}

impl Gauge {
    /// A level of 0 that is looked at from `from` on.
    pub const fn new(from: SimTime) -> Self {
        let from = from.as_nanos();
        let times = LevelTimes { dense: Vec::new(), above: Vec::new() };
        Self { times, from, since: from, level: 0, max: 0, ends: u64::MAX, laps: None, peak: 0 }
    }

    /// The level as it stands.
    #[inline]
    pub const fn level(&self) -> u32 {
        self.level
    }

    /// The level is one higher from `now` on.
    #[inline(always)]
    pub fn increment(&mut self, now: SimTime) {
        self.settle(now);
        self.level += 1;
        // What happened before `from` is not seen.
        self.max = self.max.max(if now.as_nanos() >= self.from { self.level } else { 0 });
    }

    /// The level is one lower from `now` on.
    #[inline(always)]
    pub fn decrement(&mut self, now: SimTime) {
        self.settle(now);
        self.level -= 1;
    }

    /// The level is `level` from `now` on.
    pub fn set(&mut self, now: SimTime, level: u32) {
        self.settle(now);
        self.level = level;
        self.max = self.max.max(if now.as_nanos() >= self.from { level } else { 0 });
    }

    #[inline(always)]
    fn settle(&mut self, now: SimTime) {
        let now = now.as_nanos();
        if now >= self.ends {
            self.pass(now);
        }
        self.times.add(u64::from(self.level), now.saturating_sub(self.since));
        self.since = self.since.max(now);
    }

    /// What it comes to when the run ends at `ended`.
    pub fn figures(&mut self, ended: SimTime) -> GaugeFigures<u64> {
        self.settle(ended);
        self.times.figures(u64::from(self.max.max(self.peak)), u64::from(self.level))
    }

    /// Before anything happens: it keeps what it comes to in each interval.
    pub(super) fn keep_laps(&mut self, schedule: Schedule) {
        let laps = Laps::new(schedule);
        self.ends = laps.ends();
        self.laps = Some(Box::new(laps));
    }

    /// The present interval is over.
    #[cold]
    #[inline(never)]
    fn pass(&mut self, now: u64) {
        let Some(laps) = &mut self.laps else { return };
        laps.pass(now, self.since, self.times.weighted(), u64::from(self.level), u64::from(self.max));
        self.ends = laps.ends();
        self.peak = self.peak.max(self.max);
        self.max = self.level;
    }

    /// What it came to in each interval, when the run ends at `ended`.
    pub(super) fn finish_laps(&mut self, ended: SimTime) -> Vec<Lap> {
        self.settle(ended);
        let Some(laps) = self.laps.clone() else { return Vec::new() };
        self.ends = u64::MAX;
        laps.finish(ended.as_nanos(), self.times.weighted(), u64::from(self.level), u64::from(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanoseconds: u64) -> SimTime {
        SimTime::from_nanos(nanoseconds)
    }

    #[test]
    fn mean_and_quantiles_are_weighted_by_time() {
        let mut gauge = Gauge::new(SimTime::ZERO);
        gauge.increment(at(90));
        gauge.increment(at(96));
        gauge.decrement(at(99));
        let figures = gauge.figures(at(100));
        // 0 for 90, 1 for 6 + 1, 2 for 3.
        assert_eq!(figures.mean, Some(0.13));
        assert_eq!((figures.p95, figures.p99), (Some(1), Some(2)));
        assert_eq!((figures.max, figures.last), (Some(2), Some(1)));
    }

    #[test]
    fn the_warm_up_is_not_seen_and_the_level_it_leaves_is() {
        let mut gauge = Gauge::new(at(100));
        for moment in [10, 20, 30] {
            gauge.increment(at(moment));
        }
        gauge.decrement(at(40));
        gauge.decrement(at(150));
        let figures = gauge.figures(at(200));
        assert_eq!((figures.mean, figures.max, figures.last), (Some(1.5), Some(2), Some(1)));
    }

    #[test]
    fn an_instant_counts_for_the_highest_level_only() {
        let mut gauge = Gauge::new(SimTime::ZERO);
        gauge.increment(at(5));
        gauge.increment(at(5));
        gauge.decrement(at(5));
        let figures = gauge.figures(at(10));
        assert_eq!((figures.mean, figures.p99, figures.max), (Some(0.5), Some(1), Some(2)));
    }

    #[test]
    fn no_time_no_mean() {
        let figures = Gauge::new(SimTime::ZERO).figures(SimTime::ZERO);
        assert_eq!((figures.mean, figures.p95, figures.max, figures.last), (None, None, Some(0), Some(0)));
    }

    #[test]
    fn large_levels_stay_within_a_thousandth_and_their_mean_exact() {
        for level in [4_095_u32, 65_535, 65_536, 100_003, 1_000_000, u32::MAX] {
            let mut gauge = Gauge::new(SimTime::ZERO);
            gauge.set(at(0), level);
            gauge.set(at(50), level - 1);
            let figures = gauge.figures(at(100));
            assert_eq!(figures.mean, Some(f64::from(level) - 0.5));
            assert_eq!(figures.max, Some(u64::from(level)));
            let p99 = figures.p99.unwrap() as f64;
            assert!((p99 / f64::from(level) - 1.0).abs() < 0.001, "{level}: {p99}");
        }
    }

    #[test]
    fn absorbing_shifts_every_level() {
        let mut low = LevelTimes::<4096>::default();
        low.add(3, 10);
        low.add(5_000, 20);
        let mut high = LevelTimes::<4096>::default();
        high.absorb(&low, 4_000);
        low.clear();
        assert_eq!(high.weighted(), 4_003 * 10 + 9_000 * 20);
        assert_eq!(high.rows().collect::<Vec<_>>(), [(4_003, 10), (9_000, 20)]);
        assert_eq!((low.time(), high.time()), (0, 30));
    }

    /// Against a plain sum, over a walk of levels.
    #[test]
    fn a_walk_agrees_with_a_plain_sum() {
        let mut gauge = Gauge::new(at(500));
        let (mut sum, mut level, mut now, mut state) = (0_u64, 0_u64, 0_u64, 7_u64);
        for _ in 0..10_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let next = now + (state >> 60);
            sum += level * next.saturating_sub(now.max(500));
            now = next;
            if level > 0 && state >> 63 == 0 {
                level -= 1;
                gauge.decrement(at(now));
            } else {
                level += 1;
                gauge.increment(at(now));
            }
        }
        let figures = gauge.figures(at(now));
        assert_eq!(figures.mean, Some(sum as f64 / (now - 500) as f64));
        assert_eq!(figures.last, Some(level));
    }
}
