//! When a dependency was last in trouble.

use crate::kernel::time::SimTime;
use crate::stats::histogram::milliseconds;

/// Shares of requests that went wrong, interval by interval while callers submit.
#[derive(Clone, Debug)]
pub(super) struct Recovery {
    duration: u64,
    /// A hundredth of that time, at least a second.
    interval: u64,
    /// Number of the interval that is counted.
    current: u64,
    ended: u64,
    bad: u64,
    /// When the last interval of trouble was over.
    last: Option<u64>,
}

/// More than one in so many that went wrong is trouble.
const ONE_IN: u64 = 20;

impl Recovery {
    pub(super) fn new(duration: SimTime) -> Self {
        let duration = duration.as_nanos();
        let interval = (duration / 100).max(1_000_000_000);
        Self { duration, interval, current: 0, ended: 0, bad: 0, last: None }
    }

    /// A request ended, well or not.
    pub(super) fn note(&mut self, now: SimTime, bad: bool) {
        let now = now.as_nanos();
        if now >= self.duration {
            return;
        }
        if now / self.interval != self.current {
            self.close();
            self.current = now / self.interval;
        }
        self.ended += 1;
        self.bad += u64::from(bad);
    }

    fn close(&mut self) {
        if self.bad * ONE_IN > self.ended {
            self.last = Some(((self.current + 1) * self.interval).min(self.duration));
        }
        (self.ended, self.bad) = (0, 0);
    }

    /// When the last trouble was over, in milliseconds: 0 where there was none, nothing where it lasts into the last tenth of
    /// the time in which callers submit.
    pub(super) fn at_ms(&mut self) -> Option<f64> {
        self.close();
        let last = self.last.unwrap_or(0);
        (last <= self.duration / 10 * 9).then(|| milliseconds(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(bad: impl Fn(u64) -> u64) -> Option<f64> {
        let mut recovery = Recovery::new(SimTime::from_nanos(100_000_000_000));
        for second in 0..100 {
            for request in 0..100 {
                recovery.note(SimTime::from_nanos(second * 1_000_000_000 + request), request < bad(second));
            }
        }
        recovery.at_ms()
    }

    /// Trouble is more than 5 % in an interval: just at it is none. In the last tenth it is no recovery.
    #[test]
    fn trouble_and_recovery() {
        assert_eq!(after(|_| 0), Some(0.0));
        assert_eq!(after(|_| 5), Some(0.0));
        assert_eq!(after(|second| if second == 20 { 6 } else { 0 }), Some(21_000.0));
        assert_eq!(after(|second| if second == 89 { 100 } else { 5 }), Some(90_000.0));
        assert_eq!(after(|second| if second == 90 { 6 } else { 0 }), None);
    }
}
