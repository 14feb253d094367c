//! The processes that need no changing rate.

use std::sync::Arc;

use crate::kernel::dist::Distribution;
use crate::kernel::math::{exp, ln, uniform};
use crate::kernel::quantity::Rate;
use crate::kernel::rng::{BLOCK, Stream};
use crate::kernel::time::{SimDuration, SimTime};

/// Writes moments until there is none.
fn write(moments: &mut [u64; BLOCK], mut next: impl FnMut() -> Option<u64>) -> usize {
    for (place, moment) in moments.iter_mut().enumerate() {
        match next() {
            // The end of time is no moment of a run.
            Some(next) if next < u64::MAX => *moment = next,
            _ => return place,
        }
    }
    BLOCK
}

/// Independent arrivals: exponential gaps, summed exactly in fractions of a nanosecond.
#[derive(Clone, Debug)]
pub(super) struct Poisson {
    stream: Stream,
    /// Gaps in units of 2^-`shift` ns.
    gap: Distribution,
    shift: u32,
    /// The last arrival: whole nanoseconds, and units beyond them.
    last: u64,
    beyond: u64,
}

impl Poisson {
    /// With a rate above 0.
    pub(super) fn new(rate: Rate, stream: Stream) -> Self {
        // A mean of up to 2^50 units, which may be rounded to a whole one, and which a block of the longest gaps (36.7
        // means each) leaves far from 2^64. Only a mean above 13 days has no fractions; its sums may saturate.
        const MEAN_BITS: u32 = 50;
        let (per, events) = (rate.per.as_nanos(), rate.events);
        let shift = MEAN_BITS.saturating_sub(u64::BITS - (per / events).leading_zeros());
        let mean = ((u128::from(per) << shift) + u128::from(events / 2)) / u128::from(events);
        let mean = u64::try_from(mean).expect("the shift leaves the mean below 2^64");
        let gap = Distribution::exponential(mean).expect("every mean is legal");
        Self { stream, gap, shift, last: 0, beyond: 0 }
    }

    pub(super) fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        let mut words = [0; BLOCK];
        self.stream.fill(&mut words);
        self.gap.sample_block(&words, moments);
        let mut units = self.beyond;
        for moment in moments.iter_mut() {
            units = units.saturating_add(*moment);
            *moment = self.last.saturating_add(units >> self.shift);
        }
        self.last = moments[BLOCK - 1];
        self.beyond = units & ((1 << self.shift) - 1);
        if self.last < u64::MAX { BLOCK } else { moments.partition_point(|moment| *moment < u64::MAX) }
    }
}

/// Evenly spaced arrivals: the n-th at floor(n x per / events).
#[derive(Clone, Debug)]
pub(super) struct Constant {
    rate: Rate,
    /// The next arrival, and the remainder of its division.
    next: Option<u64>,
    remainder: u64,
}

impl Constant {
    /// With a rate above 0.
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, next: Some(0), remainder: 0 }
    }

    pub(super) fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        let (per, events) = (self.rate.per.as_nanos(), self.rate.events);
        let (whole, rest) = (per / events, per % events);
        write(moments, || {
            let moment = self.next?;
            // Both are below `events`; their sum may be above 2^64.
            let carry = self.remainder >= events - rest;
            self.remainder = if carry { self.remainder - (events - rest) } else { self.remainder + rest };
            self.next = moment.checked_add(whole).and_then(|next| next.checked_add(u64::from(carry)));
            Some(moment)
        })
    }
}

/// Arrivals at given moments.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    moments: Arc<[SimTime]>,
    next: usize,
}

impl Moments {
    pub(super) fn new(moments: Arc<[SimTime]>) -> Self {
        Self { moments, next: 0 }
    }

    pub(super) fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        write(moments, || {
            let moment = self.moments.get(self.next)?;
            self.next += 1;
            Some(moment.as_nanos())
        })
    }
}

/// Many arrivals at once, some times.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    size: u64,
    every: SimDuration,
    /// The current burst, how many of it are left, and how many bursts follow.
    at: u64,
    left: u64,
    times: u64,
}

impl Burst {
    /// With a size above 0.
    pub(super) fn new(size: u64, at: SimTime, every: SimDuration, times: u64) -> Self {
        let left = if times > 0 { size } else { 0 };
        Self { size, every, at: at.as_nanos(), left, times: times.saturating_sub(1) }
    }

    pub(super) fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        write(moments, || {
            if self.left == 0 {
                self.times = self.times.checked_sub(1)?;
                self.at = self.at.checked_add(self.every.as_nanos())?;
                self.left = self.size;
            }
            self.left -= 1;
            Some(self.at)
        })
    }
}

/// So many arrivals in each interval, at sorted uniform moments inside it.
///
/// The smallest of n uniform moments leaves a share of the interval behind it that is u^(1/n), and the others are uniform
/// in that share. So with exponential e, the logarithm of what is left falls by e/n, e/(n-1), .., e/1, and no interval
/// needs to be stored or sorted.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    stream: Stream,
    sizes: Arc<[u64]>,
    every: SimDuration,
    /// The next interval's number.
    next: usize,
    /// The start of the current interval, and how many arrivals are left in it.
    start: u64,
    left: u64,
    /// Minus the logarithm of the share of the interval that is left.
    passed: f64,
}

impl Counts {
    pub(super) fn new(counts: Arc<[u64]>, every: SimDuration, stream: Stream) -> Self {
        Self { stream, sizes: counts, every, next: 0, start: 0, left: 0, passed: 0.0 }
    }

    pub(super) fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        write(moments, || self.next_moment())
    }

    fn next_moment(&mut self) -> Option<u64> {
        while self.left == 0 {
            self.left = *self.sizes.get(self.next)?;
            self.start = self.every.as_nanos().checked_mul(self.next as u64)?;
            self.passed = 0.0;
            self.next += 1;
        }
        self.passed += -ln(1.0 - uniform(self.stream.word())) / self.left as f64;
        self.left -= 1;
        let share = 1.0 - exp(-self.passed.min(600.0));
        let every = self.every.as_nanos();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the interval's length")]
        let offset = (share * every as f64) as u64;
        self.start.checked_add(offset.min(every - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_arrivals_do_not_drift() {
        // From the exact state at a late arrival on, as it is reached by induction from the one before.
        for (events, per) in
            [(10_000, 1_000_000_000_u64), (7, 3_000_000_000), (999_999_937, 1_000_000_000), (3, 1 << 40)]
        {
            for start in [1_000_000_000_u128, 1_000_000_000_000, 10_000_000_000_000] {
                let exact = |n: u128| n * u128::from(per) / u128::from(events);
                let Ok(next) = u64::try_from(exact(start)) else { continue };
                let remainder = u64::try_from(start * u128::from(per) % u128::from(events)).unwrap();
                let rate = Rate { events, per: SimDuration::from_nanos(per) };
                let mut constant = Constant { rate, next: Some(next), remainder };
                let mut moments = [0; BLOCK];
                assert_eq!(constant.fill(&mut moments), BLOCK);
                for (n, moment) in (start..).zip(moments) {
                    assert_eq!(u128::from(moment), exact(n), "{n} at {events} in {per}");
                }
            }
        }
    }

    #[test]
    fn a_late_poisson_process_is_the_early_one_shifted() {
        const YEAR: u64 = 365 * 86_400_000_000_000;
        let stream = || crate::kernel::rng::RandomStreams::new(1).stream(&["a"]);
        let mut early = Poisson::new(Rate::per_second(10_000), stream());
        let mut late = Poisson { last: YEAR, ..early.clone() };
        let (mut first, mut second) = ([0; BLOCK], [0; BLOCK]);
        for _ in 0..1000 {
            assert_eq!((early.fill(&mut first), late.fill(&mut second)), (BLOCK, BLOCK));
            assert_eq!(first.map(|moment| moment + YEAR), second);
        }
    }
}
