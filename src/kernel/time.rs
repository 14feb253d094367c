//! Virtual time: whole nanoseconds from the start of the run.
#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use std::fmt;

/// A moment of virtual time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A length of virtual time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// Later than every moment of a run.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `nanoseconds` after the start.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How much later `self` is than `earlier`.
    ///
    /// # Panics
    /// When `earlier` is later: time would have run back.
    #[track_caller]
    pub const fn since(self, earlier: Self) -> SimDuration {
        match self.0.checked_sub(earlier.0) {
            Some(nanoseconds) => SimDuration(nanoseconds),
            None => panic!("time ran back"),
        }
    }

    /// How much later `self` is than `earlier`, or zero.
    pub const fn saturating_since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// The moment `length` later; [`SimTime::MAX`] where that is past the end of time (584 years).
    #[must_use]
    pub const fn plus(self, length: SimDuration) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl SimDuration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// 584 years: longer than any run.
    pub const MAX: Self = Self(u64::MAX);

    /// A length in nanoseconds.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// A length in milliseconds, at most [`SimDuration::MAX`].
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// A length in seconds, at most [`SimDuration::MAX`].
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded up: the granularity of Lambda's bill.
    pub const fn as_millis_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }

    /// Both lengths together, at most [`SimDuration::MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of `self` after `other`, or nothing.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self` repeated `times`, at most [`SimDuration::MAX`].
    #[must_use]
    pub const fn times(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }

    /// Whether the length is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", SimDuration(self.0))
    }
}

impl fmt::Debug for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The units of a scenario file, largest first.
const UNITS: [(u64, &str); 7] = [
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

/// Prints the length as a scenario file spells it: `250us`, `1h30m`.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (size, unit) in UNITS {
            let whole = rest.checked_div(size).unwrap_or(0);
            if whole > 0 {
                write!(f, "{whole}{unit}")?;
                rest = rest.checked_rem(size).unwrap_or(0);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_print_as_the_scenario_spells_them() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (250_000, "250us"),
            (1_500_000_000, "1s500ms"),
            (5_400_000_000_000, "1h30m"),
            (345_600_000_000_000, "4d"),
        ] {
            assert_eq!(SimDuration::from_nanos(nanoseconds).to_string(), text);
        }
    }

    #[test]
    fn milliseconds_round_up() {
        for (nanoseconds, milliseconds) in [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)] {
            assert_eq!(SimDuration::from_nanos(nanoseconds).as_millis_ceil(), milliseconds);
        }
    }

    #[test]
    #[should_panic(expected = "time ran back")]
    fn time_does_not_run_back() {
        let _ = SimTime::ZERO.since(SimTime::from_nanos(1));
    }

    #[test]
    fn the_end_of_time_is_not_passed() {
        assert_eq!(SimTime::MAX.plus(SimDuration::from_nanos(1)), SimTime::MAX);
    }
}
