//! Token buckets with exact remainders.

use super::quantity::Rate;
use super::time::{SimDuration, SimTime};

/// A bucket that fills at a rate, and that holds up to its depth.
///
/// Its level is a whole number of parts, of which [`Rate::per`] (in nanoseconds) make a token and [`Rate::events`] come
/// in each nanosecond. So no part of a token is ever lost or rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    rate: Rate,
    depth: u64,
    /// The level at `since`, in parts.
    parts: u128,
    since: SimTime,
}

impl TokenBucket {
    /// A bucket of this depth, full at the start of the run.
    pub fn new(rate: Rate, depth: u64) -> Self {
        let parts = u128::from(depth) * per(rate);
        Self { rate, depth, parts, since: SimTime::ZERO }
    }

    /// Takes a token, if a whole one is there.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    #[inline]
    pub fn try_take(&mut self, now: SimTime) -> bool {
        self.fill(now);
        match self.parts.checked_sub(per(self.rate)) {
            Some(rest) => {
                self.parts = rest;
                true
            }
            None => false,
        }
    }

    /// Takes so many tokens, if all of them are there.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    pub fn try_take_many(&mut self, now: SimTime, tokens: u64) -> bool {
        self.fill(now);
        match u128::from(tokens).checked_mul(per(self.rate)).and_then(|parts| self.parts.checked_sub(parts)) {
            Some(rest) => {
                self.parts = rest;
                true
            }
            None => false,
        }
    }

    /// How many whole tokens are there.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    pub fn available(&self, now: SimTime) -> u64 {
        let tokens = self.level(now) / per(self.rate);
        u64::try_from(tokens).expect("no more tokens than the depth")
    }

    /// Whether a whole token is there.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    #[inline]
    pub fn has_token(&self, now: SimTime) -> bool {
        self.level(now) >= per(self.rate)
    }

    /// Changes rate and depth. What was taken and has not come back stays missing: a full bucket of one depth becomes a
    /// full bucket of the other.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    pub fn set(&mut self, now: SimTime, rate: Rate, depth: u64) {
        self.fill(now);
        let missing = self.full() - self.parts;
        let (old, new) = (per(self.rate), per(rate));
        // Whole tokens stay whole; of a started one, less than a new part is lost.
        let missing = (missing / old * new).saturating_add(missing % old * new / old);
        self.rate = rate;
        self.depth = depth;
        self.parts = self.full().saturating_sub(missing);
    }

    /// When a whole token will be there, if none is taken before; `now` if there is one, `None` if there will be none.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    pub fn next_at(&self, now: SimTime) -> Option<SimTime> {
        let missing = per(self.rate).saturating_sub(self.level(now));
        if missing == 0 {
            return Some(now);
        }
        if self.rate.events == 0 || self.depth == 0 {
            return None;
        }
        let wait = u64::try_from(missing.div_ceil(u128::from(self.rate.events))).ok()?;
        let at = now.as_nanos().checked_add(wait)?;
        Some(SimTime::from_nanos(at))
    }

    fn fill(&mut self, now: SimTime) {
        self.parts = self.level(now);
        self.since = now;
    }

    fn level(&self, now: SimTime) -> u128 {
        let passed: SimDuration = now.since(self.since);
        let filled = u128::from(passed.as_nanos()) * u128::from(self.rate.events);
        self.parts.saturating_add(filled).min(self.full())
    }

    /// The level of a full bucket: at most (2^64 - 1)^2.
    fn full(&self) -> u128 {
        u128::from(self.depth) * per(self.rate)
    }
}

/// Parts of a token.
fn per(rate: Rate) -> u128 {
    u128::from(rate.per.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(nanoseconds: u64) -> SimTime {
        SimTime::from_nanos(nanoseconds)
    }

    fn rate(events: u64, per: u64) -> Rate {
        Rate { events, per: SimDuration::from_nanos(per) }
    }

    /// A bucket without tokens.
    fn empty(rate: Rate, depth: u64) -> TokenBucket {
        let mut bucket = TokenBucket::new(rate, depth);
        for _ in 0..depth {
            assert!(bucket.try_take(SimTime::ZERO));
        }
        bucket
    }

    #[test]
    fn a_new_bucket_is_full() {
        let mut bucket = TokenBucket::new(rate(1, SECOND), 3);
        let taken = [(); 4].map(|()| bucket.try_take(SimTime::ZERO));
        assert_eq!(taken, [true, true, true, false]);
    }

    #[test]
    fn several_tokens_are_taken_together_or_not_at_all() {
        let mut bucket = TokenBucket::new(rate(10, SECOND), 10);
        let taken = [4, 7, 6, 1, u64::MAX].map(|tokens| bucket.try_take_many(SimTime::ZERO, tokens));
        assert_eq!(taken, [true, false, true, false, false]);
        assert!(!bucket.try_take_many(at(299_999_999), 3));
        assert!(bucket.try_take_many(at(300_000_000), 3));
        assert!(bucket.try_take_many(at(300_000_000), 0));
    }

    #[test]
    fn tokens_come_at_the_exact_moment() {
        // Three a second: at 333333333.3, 666666666.7 and 1000000000 ns.
        for (now, tokens) in [
            (333_333_333, 0),
            (333_333_334, 1),
            (666_666_666, 1),
            (666_666_667, 2),
            (999_999_999, 2),
            (1_000_000_000, 3),
            (10_000_000_000, 5),
        ] {
            let mut bucket = empty(rate(3, SECOND), 5);
            assert_eq!(bucket.available(at(now)), tokens, "{now}");
            for _ in 0..tokens {
                assert!(bucket.try_take(at(now)), "{now}");
            }
            assert!(!bucket.try_take(at(now)), "{now}");
        }
    }

    #[test]
    fn remainders_are_kept_however_often_it_is_asked() {
        // Two, because at depth 1 a token that is taken late stops the next.
        let mut bucket = empty(rate(7, 3 * SECOND), 2);
        let mut taken = 0;
        let mut now = 0;
        while now < 300 * SECOND {
            now += 1_234_567;
            taken += u64::from(bucket.try_take(at(now)));
        }
        assert_eq!(taken, 700);
    }

    #[test]
    fn the_next_token_is_there_when_announced_and_not_before() {
        for (events, per) in [(3, SECOND), (1, SECOND), (SECOND, SECOND), (7, 3), (u64::MAX, 1), (1, u64::MAX / 2)] {
            let mut bucket = empty(rate(events, per), 2);
            let next = bucket.next_at(SimTime::ZERO).unwrap();
            assert_eq!(bucket.available(next.min(at(next.as_nanos() - 1))), 0, "{events} in {per}");
            assert!(bucket.try_take(next), "{events} in {per}");
            assert_eq!(TokenBucket::new(rate(events, per), 1).next_at(at(5)), Some(at(5)));
        }
        assert_eq!(empty(rate(0, SECOND), 1).next_at(at(5)), None);
        assert_eq!(TokenBucket::new(rate(1, SECOND), 0).next_at(at(5)), None);
        assert_eq!(empty(rate(1, u64::MAX), 1).next_at(SimTime::ZERO), Some(SimTime::MAX));
        let mut late = TokenBucket::new(rate(1, SECOND), 1);
        assert!(late.try_take(at(u64::MAX - 1)));
        assert_eq!(late.next_at(at(u64::MAX - 1)), None);
    }

    #[test]
    fn after_a_change_as_much_is_missing_as_before() {
        for (new_rate, new_depth, now, tokens) in [
            // Two and a half of five are missing, so seven and a half of ten are there.
            (rate(10, SECOND), 10, 2_500_000_000 + 49_999_999, 7),
            (rate(10, SECOND), 10, 2_500_000_000 + 50_000_000, 8),
            (rate(10, 7 * SECOND), 10, 2_500_000_000 + 350_000_000, 8),
            (rate(0, SECOND), 10, 5_000_000_000, 7),
            (rate(1, SECOND), 3, 2_500_000_000 + 499_999_999, 0),
            (rate(1, SECOND), 3, 2_500_000_000 + 500_000_000, 1),
            (rate(1, SECOND), 2, 2_500_000_000 + 999_999_999, 0),
            (rate(1, SECOND), 2, 2_500_000_000 + 1_000_000_000, 1),
            (rate(1, SECOND), 0, 5_000_000_000, 0),
        ] {
            let mut bucket = empty(rate(1, SECOND), 5);
            bucket.set(at(2_500_000_000), new_rate, new_depth);
            assert_eq!(bucket.available(at(now)), tokens, "{new_rate:?} {new_depth} {now}");
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut bucket = TokenBucket::new(rate(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(bucket.available(SimTime::ZERO), u64::MAX);
        assert!(bucket.try_take(SimTime::ZERO));
        bucket.set(SimTime::MAX, rate(u64::MAX, 1), u64::MAX);
        assert_eq!(bucket.available(SimTime::MAX), u64::MAX);
        bucket.set(SimTime::MAX, rate(1, u64::MAX), u64::MAX);
        assert_eq!(bucket.available(SimTime::MAX), u64::MAX);
    }

    #[test]
    #[should_panic(expected = "time ran back")]
    fn time_does_not_run_back() {
        let mut bucket = TokenBucket::new(rate(1, SECOND), 1);
        bucket.try_take(at(1));
        bucket.try_take(at(0));
    }
}
