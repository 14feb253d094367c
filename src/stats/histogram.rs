//! Distributions of values: what summaries and reports need of many lengths or small numbers, in bounded memory.
//! Count, mean, smallest and largest are exact; quantiles are nearest-rank, from buckets, at the middle of the bucket
//! and never outside of the values seen.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::buckets::{Seen, bucket, look_at, lowest};
use super::curve::Curve;
use crate::kernel::time::SimDuration;

/// What a distribution comes to (contract, section 3). `T` is `f64` for milliseconds and `u64` for counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures<T> {
    /// How many values.
    pub count: u64,
    /// Their exact mean; `None` without values, as everything that follows.
    pub mean: Option<f64>,
    /// The smallest, exact.
    pub min: Option<T>,
    /// The median, nearest-rank.
    pub p50: Option<T>,
    /// Nearest rank of 90 %.
    pub p90: Option<T>,
    /// Nearest rank of 95 %.
    pub p95: Option<T>,
    /// Nearest rank of 99 %.
    pub p99: Option<T>,
    /// Nearest rank of 99.9 %.
    pub p999: Option<T>,
    /// The largest, exact.
    pub max: Option<T>,
}

/// The rank that the nearest-rank rule names for `ten_thousandths` of `count` values; 1 is the smallest value's.
#[allow(clippy::cast_possible_truncation, reason = "a share of a u64 fits")]
pub(super) const fn nearest_rank(count: u64, ten_thousandths: u32) -> u64 {
    let rank = (count as u128 * ten_thousandths as u128).div_ceil(10_000) as u64;
    if rank == 0 { 1 } else { rank }
}

/// Walks values in rising order once and answers questions for rising ranks.
pub(super) struct Ranks<I> {
    values: I,
    value: u64,
    below: u64,
}

impl<I: Iterator<Item = (u64, u64)>> Ranks<I> {
    /// `values` are pairs of value and number, rising.
    pub(super) const fn new(values: I) -> Self {
        Self { values, value: 0, below: 0 }
    }

    /// The value with this rank.
    pub(super) fn at(&mut self, rank: u64) -> u64 {
        while self.below < rank {
            let Some((value, count)) = self.values.next() else { break };
            self.value = value;
            self.below += count;
        }
        self.value
    }
}

/// The quantiles of [`Figures`], in ten-thousandths.
pub(super) const QUANTILES: [u32; 5] = [5_000, 9_000, 9_500, 9_900, 9_990];

/// Quantiles within 0.1 %: callers and what is over all.
pub type Fine = Distribution<11>;

/// Quantiles within 1 %: one of these for each function.
pub type Coarse = Distribution<8>;

/// Lengths of time: the buckets of an HDR histogram beside the exact sum, smallest and largest.
///
/// Values are counted in a table, which takes a few instructions where the histogram itself takes sixty, and a tenth of
/// its room. Values below `2^BITS` have a bucket each; each octave above has `2^(BITS - 1)`.
#[derive(Clone, Debug)]
pub struct Distribution<const BITS: u32> {
    /// The latest values, not counted yet. With many distributions the counts are not in the cache; those of a batch
    /// are fetched side by side.
    latest: [u64; BATCH],
    latest_len: usize,
    pub(super) sum: u128,
    pub(super) min: u64,
    pub(super) max: u64,
    /// Small numbers, so that many distributions stay in the cache.
    counts: Vec<u8>,
    /// What was poured out of full buckets: there are few.
    poured: BTreeMap<usize, u64>,
}

/// Values that are counted together.
const BATCH: usize = 16;

impl<const BITS: u32> Default for Distribution<BITS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BITS: u32> Distribution<BITS> {
    /// Without values.
    pub fn new() -> Self {
        let (latest, counts, poured) = ([0; BATCH], Vec::new(), BTreeMap::new());
        Self { latest, latest_len: 0, sum: 0, min: u64::MAX, max: 0, counts, poured }
    }

    /// Adds one length.
    #[inline(always)]
    pub fn record(&mut self, length: SimDuration) {
        self.latest[self.latest_len % BATCH] = length.as_nanos();
        self.latest_len += 1;
        if self.latest_len == BATCH {
            self.count_batch();
        }
    }

    #[inline(never)]
    fn count_batch(&mut self) {
        self.latest_len = 0;
        self.count_seen(&look_at(&self.latest, BITS));
    }

    /// Counts the latest values, which are no whole batch.
    fn count_latest(&mut self) {
        for place in 0..std::mem::take(&mut self.latest_len) {
            self.count_seen(&look_at(&[self.latest[place]], BITS));
        }
    }

    #[inline(always)]
    fn count_seen<const LENGTH: usize>(&mut self, seen: &Seen<LENGTH>) {
        self.sum += seen.sum;
        self.min = self.min.min(seen.min);
        self.max = self.max.max(seen.max);
        for &bucket in &seen.buckets {
            #[allow(clippy::cast_possible_truncation, reason = "there are fewer than 2^(BITS + 6) buckets")]
            let bucket = bucket as usize;
            match self.counts.get_mut(bucket) {
                Some(count) if *count < u8::MAX => *count += 1,
                Some(_) | None => self.count_apart(bucket),
            }
        }
    }

    /// Counts a value whose bucket is full or not there yet.
    #[cold]
    #[inline(never)]
    fn count_apart(&mut self, bucket: usize) {
        if bucket >= self.counts.len() {
            self.counts.resize((bucket + 1).next_multiple_of(1 << (BITS - 1)), 0);
        }
        match std::mem::replace(&mut self.counts[bucket], 1) {
            0 => {}
            full => *self.poured.entry(bucket).or_default() += u64::from(full),
        }
    }

    /// How many lengths.
    pub fn count(&self) -> u64 {
        let counted = self.counts.iter().map(|&count| u64::from(count)).chain(self.poured.values().copied());
        counted.sum::<u64>() + self.latest_len as u64
    }

    /// All that was counted, as a histogram.
    pub fn histogram(&mut self) -> Histogram<u64> {
        let mut histogram = Self::empty_histogram();
        for (bucket, count) in self.buckets() {
            let _ = histogram.record_n(lowest(bucket, BITS), count); // It grows on use, and 2^64 ns fits.
        }
        histogram
    }

    fn empty_histogram() -> Histogram<u64> {
        // The most digits whose units up to twice the power of ten have a bucket each.
        let digits = (1..=5u8).rfind(|&digits| 2 * 10u64.pow(digits.into()) <= 1 << BITS);
        Histogram::new(digits.expect("at least one digit")).expect("a valid number of digits")
    }

    /// Buckets that hold something, rising, and how many values.
    pub(super) fn buckets(&mut self) -> impl Iterator<Item = (usize, u64)> {
        self.count_latest();
        let mut poured = self.poured.iter().peekable();
        #[allow(clippy::cast_possible_truncation, reason = "there are fewer than 2^(BITS + 6) buckets")]
        let (first, end) = (bucket(self.min, BITS) as usize, bucket(self.max, BITS) as usize + 1);
        let counts = self.counts.get(first..end).unwrap_or_default();
        let bucket = move |(bucket, &count): (usize, &u8)| {
            let more = poured.next_if(|(of, _)| **of == bucket).map_or(0, |(_, count)| *count);
            (count > 0).then_some((bucket, u64::from(count) + more))
        };
        (first..).zip(counts).filter_map(bucket)
    }

    /// What it comes to, in milliseconds.
    pub fn figures(&mut self) -> Figures<f64> {
        self.curve().figures()
    }

    /// What it comes to, in milliseconds, and the whole curve of it.
    pub fn report(&mut self) -> (Figures<f64>, Curve) {
        let curve = self.curve();
        (curve.figures(), curve)
    }

    /// All of it.
    fn curve(&mut self) -> Curve {
        self.count_latest();
        let (sum, min, max) = (self.sum, self.min, self.max);
        Curve { bits: BITS, buckets: self.buckets().collect(), sum, min, max }
    }
}

/// Small whole numbers, such as runs of a call: a table by value, exact throughout.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    ones: u64,
    table: Vec<u64>,
    above: u64,
    above_sum: u128,
    above_max: u64,
}

impl Tally {
    /// Values from here on share one row: nobody retries that often, and a table must not grow with the run.
    const LIMIT: usize = 1 << 16;

    /// Adds one value.
    #[inline]
    pub fn record(&mut self, value: u32) {
        if value == 1 {
            self.ones += 1;
        } else {
            self.record_other(value);
        }
    }

    #[inline(never)]
    fn record_other(&mut self, value: u32) {
        let place = value as usize;
        if place >= Self::LIMIT {
            self.above += 1;
            self.above_sum += u128::from(value);
            self.above_max = self.above_max.max(u64::from(value));
            return;
        }
        if place >= self.table.len() {
            self.table.resize((place + 1).next_power_of_two(), 0);
        }
        self.table[place] += 1;
    }

    /// Values and how often, rising.
    fn values(&self) -> Vec<(u64, u64)> {
        let mut values: Vec<(u64, u64)> = (0..).zip(self.table.iter().copied()).collect();
        if self.ones > 0 {
            let place = values.partition_point(|&(value, _)| value < 1);
            values.insert(place, (1, self.ones));
        }
        if self.above > 0 {
            values.push((self.above_max, self.above));
        }
        values.retain(|&(_, count)| count > 0);
        values
    }

    /// What it comes to.
    pub fn figures(&self) -> Figures<u64> {
        let values = self.values();
        let (Some(&(min, _)), Some(&(max, _))) = (values.first(), values.last()) else { return empty() };
        let count = values.iter().map(|&(_, count)| count).sum();
        let in_table = values.iter().filter(|&&(value, _)| value < Self::LIMIT as u64);
        let sum: u128 = in_table.map(|&(value, count)| u128::from(value) * u128::from(count)).sum();
        let mean = (sum + self.above_sum) as f64 / count as f64;
        let mut ranks = Ranks::new(values.iter().copied());
        let [p50, p90, p95, p99, p999] = QUANTILES.map(|q| Some(ranks.at(nearest_rank(count, q))));
        Figures { count, mean: Some(mean), min: Some(min), p50, p90, p95, p99, p999, max: Some(max) }
    }
}

/// What it comes to without values.
pub(super) const fn empty<T>() -> Figures<T> {
    Figures { count: 0, mean: None, min: None, p50: None, p90: None, p95: None, p99: None, p999: None, max: None }
}

/// Nanoseconds as milliseconds, for people and summaries.
pub(crate) fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What some lengths come to, with two or three digits.
    fn report(digits: u32, values: &[u64]) -> (Figures<f64>, Curve) {
        match digits {
            2 => distribution::<8>(values).report(),
            _ => distribution::<11>(values).report(),
        }
    }

    fn distribution<const BITS: u32>(values: &[u64]) -> Distribution<BITS> {
        let mut distribution = Distribution::new();
        for &value in values {
            distribution.record(SimDuration::from_nanos(value));
        }
        distribution
    }

    #[test]
    fn without_values_everything_is_null() {
        let figures = Fine::new().report().0;
        assert_eq!(figures, empty());
        assert_eq!(
            serde_json::to_string(&figures).unwrap(),
            r#"{"count":0,"mean":null,"min":null,"p50":null,"p90":null,"p95":null,"p99":null,"p999":null,"max":null}"#
        );
        assert!(Fine::new().report().1.rungs().is_empty());
        assert_eq!(Tally::default().figures(), empty());
    }

    #[test]
    fn a_constant_is_itself_at_every_quantile() {
        for value in [0, 1, 20_000_000, 123_456_789, 900_000_000_000, u64::MAX] {
            for digits in [2, 3] {
                let figures = report(digits, &[value; 7]).0;
                let expected = Some(milliseconds(value));
                assert_eq!(figures.mean, expected);
                for quantile in [figures.min, figures.p50, figures.p90, figures.p99, figures.p999, figures.max] {
                    assert_eq!(quantile, expected, "{value} with {digits} digits");
                }
            }
        }
    }

    #[test]
    fn ranks_are_nearest_ranks() {
        for (count, share, rank) in [
            (1, 5_000, 1),
            (2, 5_000, 1),
            (3, 5_000, 2),
            (100, 9_900, 99),
            (101, 9_900, 100),
            (1_000, 9_990, 999),
            (7, 10_000, 7),
            (7, 0, 1),
            (u64::MAX, 10_000, u64::MAX),
        ] {
            assert_eq!(nearest_rank(count, share), rank, "{share} of {count}");
        }
        let mut ranks = Ranks::new([(5, 1), (7, 3), (9, 1)].into_iter());
        assert_eq!([1, 2, 4, 5].map(|rank| ranks.at(rank)), [5, 7, 7, 9]);
    }

    /// Against the sorted values themselves, over eight decades.
    #[test]
    fn quantiles_are_within_their_promise() {
        let mut values = Vec::new();
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            values.push((state >> 33) >> ((state >> 20) % 24));
        }
        let mut sorted = values.clone();
        sorted.sort_unstable();
        for (digits, promise) in [(3, 0.001), (2, 0.01)] {
            let (figures, curve) = report(digits, &values);
            for rung in curve.rungs() {
                let exact = milliseconds(sorted[usize::try_from(rung.count - 1).unwrap()]);
                let error = (rung.value - exact).abs();
                assert!(error <= promise * exact, "{}: {} for {exact}", rung.quantile, rung.value);
            }
            assert_eq!(figures.min, Some(milliseconds(sorted[0])));
            assert_eq!(figures.max, Some(milliseconds(sorted[19_999])));
            let sum: u64 = values.iter().sum();
            assert_eq!(figures.mean, Some(sum as f64 / 20_000.0 / 1e6));
        }
    }

    #[test]
    fn a_full_bucket_is_poured_out() {
        let mut distribution = distribution::<11>(&[10, 20]);
        distribution.count_latest();
        distribution.counts[20] = u8::MAX;
        for _ in 0..3 {
            distribution.record(SimDuration::from_nanos(20));
        }
        distribution.count_latest();
        assert_eq!(distribution.buckets().collect::<Vec<_>>(), [(10, 1), (20, u64::from(u8::MAX) + 3)]);
        assert_eq!(distribution.count(), u64::from(u8::MAX) + 4);
    }

    /// The table has the buckets of the histogram: every value falls into the same one in both.
    #[test]
    fn buckets_are_those_of_the_histogram() {
        fn check<const BITS: u32>(digits: u8) {
            let histogram = Distribution::<BITS>::empty_histogram();
            assert_eq!(histogram.sigfig(), digits);
            let edges = (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + (1 << bit) / 3]);
            for value in edges.chain([u64::MAX, 1_000_000_007, 123_456_789_012]) {
                let bucket = usize::try_from(bucket(value, BITS)).unwrap();
                let found = (lowest(bucket, BITS), crate::stats::buckets::middle(bucket, BITS));
                let expected = (histogram.lowest_equivalent(value), histogram.median_equivalent(value));
                assert_eq!(found, expected, "{value} with {digits} digits");
            }
        }
        check::<8>(2);
        check::<11>(3);
    }

    #[test]
    fn small_numbers_are_exact() {
        let mut runs = Tally::default();
        for value in [1, 1, 3, 0, 1, 2, 100_000] {
            runs.record(value);
        }
        let figures = runs.figures();
        assert_eq!((figures.count, figures.min, figures.max), (7, Some(0), Some(100_000)));
        assert_eq!((figures.p50, figures.p90), (Some(1), Some(100_000)));
        assert_eq!(figures.mean, Some(100_008.0 / 7.0));
    }
}
