//! What a distribution got in one interval: what it has now and did not have before.

use crate::stats::buckets::middle;
use crate::stats::histogram::{Distribution, milliseconds, nearest_rank};

/// What a distribution had at the end of the last interval, and of the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Intervals that were looked at.
    over: usize,
    last: Had,
    before: Had,
}

#[derive(Clone, Debug, Default)]
struct Had {
    buckets: Vec<(usize, u64)>,
    count: u64,
    sum: u128,
}

/// Values of one interval, in milliseconds; quantiles as accurate as the distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lengths {
    pub(crate) count: u64,
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Seen {
    /// The values of the interval after `over` others; `None` without any. The last one may be looked at again.
    pub(crate) fn lap<const BITS: u32>(
        &mut self,
        distribution: &mut Distribution<BITS>,
        over: usize,
    ) -> Option<Lengths> {
        let buckets: Vec<(usize, u64)> = distribution.buckets().collect();
        let count: u64 = buckets.iter().map(|(_, count)| count).sum();
        let (sum, (min, max)) = (distribution.sum, (distribution.min, distribution.max));
        let last = std::mem::replace(&mut self.last, Had { buckets, count, sum });
        if over >= self.over {
            self.before = last;
        }
        self.over = over + 1;
        let before = &self.before;
        let new = count - before.count;
        if new == 0 {
            return None;
        }
        let mut known = before.buckets.iter().copied().peekable();
        let rising = self.last.buckets.iter().map(|&(bucket, count)| {
            let known = known.next_if(|(of, _)| *of == bucket).map_or(0, |(_, count)| count);
            (bucket, count - known)
        });
        let mut ranks = [5_000, 9_000, 9_900, 10_000].map(|share| (nearest_rank(new, share), 0.0));
        let mut below = 0;
        for (bucket, count) in rising {
            let from = below;
            below += count;
            for (_, value) in ranks.iter_mut().filter(|(rank, _)| from < *rank && *rank <= below) {
                *value = milliseconds(middle(bucket, BITS).clamp(min, max));
            }
        }
        let [(_, p50), (_, p90), (_, p99), (_, max)] = ranks;
        Some(Lengths { count: new, mean: (sum - before.sum) as f64 / new as f64 / 1e6, p50, p90, p99, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;
    use crate::stats::histogram::Fine;

    /// Nothing in the first interval, 1 to 100 ms in the second, nothing in the third, 200 ms and 0 in the fourth.
    #[test]
    fn an_interval_has_what_is_new() {
        let (mut seen, mut distribution) = (Seen::default(), Fine::new());
        assert_eq!(seen.lap(&mut distribution, 0), None);
        (1..=100).for_each(|ms| distribution.record(SimDuration::from_millis(ms)));
        let second = seen.lap(&mut distribution, 1).unwrap();
        assert_eq!((second.count, second.mean), (100, 50.5));
        for (seen, exact) in [(second.p50, 50.0), (second.p90, 90.0), (second.p99, 99.0), (second.max, 100.0)] {
            assert!((seen / exact - 1.0_f64).abs() <= 0.001, "{seen} {exact}");
        }
        assert_eq!(seen.lap(&mut distribution, 2), None);
        distribution.record(SimDuration::from_millis(200));
        let fourth = seen.lap(&mut distribution, 3).unwrap();
        assert_eq!((fourth.count, fourth.mean), (1, 200.0));
        assert!((fourth.p50 / 200.0 - 1.0).abs() <= 0.001, "{}", fourth.p50);
        distribution.record(SimDuration::ZERO);
        let again = seen.lap(&mut distribution, 3).unwrap();
        assert_eq!((again.count, again.mean, again.p50), (2, 100.0, 0.0));
        assert_eq!(again.max.to_bits(), fourth.max.to_bits());
    }
}
