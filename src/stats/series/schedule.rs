//! The intervals of a time series: alike while callers submit, and longer and longer after that, so that there are
//! not many of them however long the last event takes.

use crate::kernel::time::{SimDuration, SimTime};

/// How long the intervals are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// So long that callers submit for at most [`AUTOMATIC`] of them, and of a length that people use.
    Automatic,
    /// As long as this.
    Every(SimDuration),
}

/// Most intervals in which callers submit, if nobody says how long one is.
pub const AUTOMATIC: u64 = 100;

/// Most intervals in which callers submit.
pub const MOST: u64 = 100_000;

/// Intervals after that which are as long; then so many of double length, and so on.
const ALIKE: u64 = 50;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Lengths that people use.
const LENGTHS: [u64; 27] = [
    MILLISECOND,
    2 * MILLISECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    20 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    200 * MILLISECOND,
    500 * MILLISECOND,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
];

/// Where the intervals of a run end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    from: u64,
    length: u64,
    /// Intervals of this length.
    alike: u64,
}

impl Schedule {
    /// From the end of the warm-up on; callers submit until `duration`.
    pub(crate) fn new(interval: Interval, warmup: SimTime, duration: SimTime) -> Self {
        let window = duration.saturating_since(warmup).as_nanos();
        let length = match interval {
            Interval::Every(length) => length.as_nanos().max(1),
            Interval::Automatic => automatic(window),
        };
        Self { from: warmup.as_nanos(), length, alike: window.div_ceil(length) + ALIKE }
    }

    /// When the first one begins.
    pub(crate) const fn start(self) -> u64 {
        self.from
    }

    /// When the interval of this number ends, 0 = the first.
    pub(crate) fn end_of(self, number: u64) -> u64 {
        let alike = u128::from(self.alike.min(number + 1));
        let (doubled, rest) = match (number + 1).checked_sub(self.alike) {
            None => (0, 0),
            Some(longer) => (longer / ALIKE, longer % ALIKE),
        };
        // ALIKE intervals of 2 lengths, of 4, .. of 2^doubled; then the rest of the next kind.
        let kind =
            |number: u64| u32::try_from(number).ok().filter(|number| *number < 64).map(|number| 1_u128 << number);
        let (Some(whole), Some(next)) = (kind(doubled + 1), kind(doubled + 1)) else { return u64::MAX };
        let lengths = alike + u128::from(ALIKE) * (whole - 2) + u128::from(rest) * next;
        u64::try_from(u128::from(self.from) + lengths * u128::from(self.length)).unwrap_or(u64::MAX)
    }
}

/// The shortest usual length of which [`AUTOMATIC`] cover the window; years in days.
fn automatic(window: u64) -> u64 {
    let fits = |length: &u64| window.div_ceil(*length) <= AUTOMATIC;
    LENGTHS.into_iter().find(fits).unwrap_or_else(|| window.div_ceil(AUTOMATIC).next_multiple_of(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * SECOND)
    }

    #[test]
    fn lengths_are_usual_ones() {
        for (window, length) in [
            (0, MILLISECOND),
            (1, 10 * MILLISECOND),
            (100, SECOND),
            (101, 2 * SECOND),
            (600, 10 * SECOND),
            (3_600, MINUTE),
            (86_400, 15 * MINUTE),
            (100 * 86_400, DAY),
            (101 * 86_400, 2 * DAY),
            (10 * 365 * 86_400, 37 * DAY),
        ] {
            assert_eq!(automatic(window * SECOND), length, "{window} s");
        }
    }

    /// A minute of seconds and 50 more; then 50 of 2 s, 50 of 4 s and so on.
    #[test]
    fn intervals_after_the_window_grow() {
        let schedule = Schedule::new(Interval::Automatic, seconds(10), seconds(70));
        let ends = [0, 59, 109, 110, 159, 160, 209].map(|number| schedule.end_of(number) / SECOND);
        assert_eq!(ends, [11, 70, 120, 122, 220, 224, 420]);
        assert_eq!(schedule.end_of(u64::MAX - 1), u64::MAX);
        let day = (0..1_000).find(|number| schedule.end_of(*number) >= DAY).unwrap();
        assert!(day < 110 + 50 * 11, "{day}");
    }

    #[test]
    fn intervals_are_as_long_as_one_says() {
        let schedule = Schedule::new(Interval::Every(SimDuration::from_secs(7)), SimTime::ZERO, seconds(20));
        assert_eq!([0, 1, 2].map(|number| schedule.end_of(number) / SECOND), [7, 14, 21]);
    }
}
