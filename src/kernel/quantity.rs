//! Quantities that a scenario states and the rules compare exactly: rates, shares and sizes.

use super::time::SimDuration;

/// Happenings per time as an exact ratio: `events` in each `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many happen in each [`Rate::per`]; zero is "never".
    pub events: u64,
    /// The length they happen in; never zero.
    pub per: SimDuration,
}

impl Rate {
    /// How long so many events take at this rate, rounded up; the longest length for a rate of zero.
    pub fn time_of(self, events: u64) -> SimDuration {
        let nanoseconds = u128::from(self.per.as_nanos()) * u128::from(events);
        let nanoseconds = nanoseconds
            .checked_div(u128::from(self.events))
            .map_or(u128::MAX, |whole| whole + u128::from(nanoseconds % u128::from(self.events) > 0));
        SimDuration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// `events` a second.
    pub const fn per_second(events: u64) -> Self {
        Self { events, per: SimDuration::from_secs(1) }
    }

    /// The rate a second, for sampling and for people.
    pub fn per_second_f64(self) -> f64 {
        self.events as f64 * 1e9 / self.per.as_nanos() as f64
    }

    /// `self` taken `times` over.
    #[must_use]
    pub const fn times(self, times: u64) -> Self {
        Self { events: self.events.saturating_mul(times), per: self.per }
    }
}

/// A probability or share between 0 and 1, exact to one part in 10^12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(u64);

impl Ratio {
    /// One, in parts.
    pub const PARTS: u64 = 1_000_000_000_000;
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(Self::PARTS);

    /// A share of `parts` in 10^12; `None` above one.
    pub const fn from_parts(parts: u64) -> Option<Self> {
        if parts <= Self::PARTS { Some(Self(parts)) } else { None }
    }

    /// Parts in 10^12.
    pub const fn parts(self) -> u64 {
        self.0
    }

    /// The share as a number, for people.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / Self::PARTS as f64
    }

    /// Whether a uniform random word falls into the share.
    pub const fn hits(self, word: u64) -> bool {
        // The high half of word x 10^12 is uniform over 0..10^12.
        let part = (word as u128 * Self::PARTS as u128) >> 64;
        part < self.0 as u128
    }

    /// The share of a length, rounded down.
    pub const fn of(self, length: SimDuration) -> SimDuration {
        let nanoseconds = length.as_nanos() as u128 * self.0 as u128 / Self::PARTS as u128;
        #[allow(clippy::cast_possible_truncation, reason = "a share of a u64 fits")]
        SimDuration::from_nanos(nanoseconds as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_and_always_are_exact() {
        for word in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!Ratio::ZERO.hits(word));
            assert!(Ratio::ONE.hits(word));
        }
    }

    #[test]
    fn half_splits_the_words_in_the_middle() {
        let half = Ratio::from_parts(Ratio::PARTS / 2).unwrap();
        assert!(half.hits((1 << 63) - 1));
        assert!(!half.hits(1 << 63));
    }

    #[test]
    fn more_than_one_is_refused() {
        assert_eq!(Ratio::from_parts(Ratio::PARTS + 1), None);
    }

    #[test]
    fn a_share_of_a_length_rounds_down() {
        let third = Ratio::from_parts(333_333_333_333).unwrap();
        assert_eq!(third.of(SimDuration::from_secs(3)), SimDuration::from_nanos(999_999_999));
    }
}
