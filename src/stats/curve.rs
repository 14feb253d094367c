//! The whole curve of a distribution of times, which can be put together with those of other runs.

use super::buckets::middle;
use super::histogram::{Figures, QUANTILES, Ranks, empty, milliseconds, nearest_rank};

/// The values of a distribution, as exactly as it knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curve {
    /// How fine the buckets are.
    pub(super) bits: u32,
    /// Those that hold something, rising, and how many values.
    pub(super) buckets: Vec<(usize, u64)>,
    pub(super) sum: u128,
    pub(super) min: u64,
    pub(super) max: u64,
}

/// One step of the curve that [`Curve::rungs`] gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rung {
    /// Between 0 and 1.
    pub quantile: f64,
    /// The value at the quantile's nearest rank.
    pub value: f64,
    /// The rank: so many values are at or below.
    pub count: u64,
}

/// Ten-thousandths at which ladders have their rungs: 0, 1 %, .., 99 %, 99.1 %, .., 99.9 %, 99.91 %, .., 100 %.
const LADDER: [u32; 119] = ladder_steps();

const fn ladder_steps() -> [u32; 119] {
    let mut steps = [0; 119];
    let mut place = 0;
    let mut at = 0;
    while place < steps.len() {
        steps[place] = at;
        place += 1;
        at += if at < 9_900 {
            100
        } else if at < 9_990 {
            10
        } else {
            1
        };
    }
    steps
}

impl Curve {
    /// How many values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// What it comes to, in milliseconds.
    pub fn figures(&self) -> Figures<f64> {
        let count = self.count();
        if count == 0 {
            return empty();
        }
        let mut ranks = Ranks::new(self.values());
        let [p50, p90, p95, p99, p999] = QUANTILES.map(|q| Some(milliseconds(ranks.at(nearest_rank(count, q)))));
        let mean = self.sum as f64 / count as f64 / 1e6;
        let (min, max) = (Some(milliseconds(self.min)), Some(milliseconds(self.max)));
        Figures { count, mean: Some(mean), min, p50, p90, p95, p99, p999, max }
    }

    /// 119 steps from the smallest to the largest, in milliseconds; none without values.
    pub fn rungs(&self) -> Vec<Rung> {
        let count = self.count();
        if count == 0 {
            return Vec::new();
        }
        let mut ranks = Ranks::new(self.values());
        let rung = |step: &u32| {
            let rank = nearest_rank(count, *step);
            let value = match *step {
                0 => self.min,
                10_000 => self.max,
                _ => ranks.at(rank),
            };
            Rung { quantile: f64::from(*step) / 1e4, value: milliseconds(value), count: rank }
        };
        LADDER.iter().map(rung).collect()
    }

    /// Adds the values of another one of the same kind.
    ///
    /// # Panics
    /// When the other one is of another kind, such as that of a function and that of a caller.
    pub fn add(&mut self, other: &Self) {
        if other.buckets.is_empty() {
            return;
        }
        if self.buckets.is_empty() {
            self.clone_from(other);
            return;
        }
        assert_eq!(self.bits, other.bits, "curves of one kind");
        self.buckets.extend(&other.buckets);
        // Two rising runs: the stable sort merges them.
        self.buckets.sort_by_key(|(bucket, _)| *bucket);
        self.buckets.dedup_by(|(bucket, count), (into, total)| {
            let same = bucket == into;
            *total += if same { *count } else { 0 };
            same
        });
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Middles of the buckets, never outside of the values seen, and how many values.
    fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().map(|&(bucket, count)| (middle(bucket, self.bits).clamp(self.min, self.max), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;
    use crate::stats::histogram::Fine;

    fn curve(values: impl IntoIterator<Item = u64>) -> Curve {
        let mut distribution = Fine::new();
        values.into_iter().for_each(|value| distribution.record(SimDuration::from_nanos(value)));
        distribution.report().1
    }

    #[test]
    fn a_curve_rises_from_the_smallest_to_the_largest() {
        let rungs = curve([1_000_000, 2_000_000, 3_000_000]).rungs();
        assert_eq!(rungs.len(), LADDER.len());
        assert_eq!(rungs[0], Rung { quantile: 0.0, value: 1.0, count: 1 });
        assert_eq!(rungs[118], Rung { quantile: 1.0, value: 3.0, count: 3 });
        assert!(rungs.is_sorted_by(|a, b| a.quantile < b.quantile && a.value <= b.value));
        assert!(rungs.iter().any(|rung| rung.quantile.to_bits() == 0.9999_f64.to_bits()));
    }

    /// What is put together is what one distribution of all values would have been.
    #[test]
    fn curves_of_several_runs_are_one() {
        let all: Vec<u64> = (0..3_000).map(|n| n * n * 37).collect();
        for cut in [0, 1, 700, 2_999, 3_000] {
            let mut sum = curve(all[..cut].iter().copied());
            sum.add(&curve(all[cut..].iter().copied()));
            assert_eq!(sum, curve(all.iter().copied()), "{cut}");
        }
    }
}
