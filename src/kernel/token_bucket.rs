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

    /// Puts a token back that was taken and not used; what is above the depth is lost.
    pub fn put_back(&mut self) {
        self.parts = self.parts.saturating_add(per(self.rate)).min(self.full());
    }

    /// How many whole tokens are there.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    pub fn available(&self, now: SimTime) -> u64 {
        let tokens = self.level(now) / per(self.rate);
        u64::try_from(tokens).expect("no more tokens than the depth")
    }

    /// Changes rate and depth. What is there is kept, up to the new depth.
    ///
    /// # Panics
    /// When `now` is before the last call: time would have run back.
    pub fn set(&mut self, now: SimTime, rate: Rate, depth: u64) {
        self.fill(now);
        let (old, new) = (per(self.rate), per(rate));
        // Whole tokens stay whole; of a started one, less than a new part is lost.
        let whole = self.parts / old;
        let started = self.parts % old * new / old;
        self.rate = rate;
        self.depth = depth;
        self.parts = (whole * new).saturating_add(started).min(self.full());
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
