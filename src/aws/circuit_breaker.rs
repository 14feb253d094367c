//! A circuit breaker around each attempt of a client.
//!
//! ```text
//! closed --(failures >= share of at least minimum_calls in the window)--> open
//! open --(after `open`)--> half-open: lets `probes` attempts through
//! half-open --(all probes succeed)--> closed; --(one fails)--> open
//! ```
//! The window is counted in tenths, so that it costs the same at any rate of calls.

use super::config::CircuitBreaker as Config;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

const BUCKETS: usize = 10;

/// The breaker of one client.
#[derive(Clone, Debug)]
pub(crate) struct CircuitBreaker {
    config: Config,
    state: State,
    /// Attempts and failures in each tenth of the window; `newest` is the number of the latest tenth.
    counts: [(u32, u32); BUCKETS],
    newest: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: SimTime },
    HalfOpen { sent: u32, succeeded: u32 },
}

impl CircuitBreaker {
    /// A closed breaker.
    pub(crate) fn new(config: Config) -> Self {
        Self { config, state: State::Closed, counts: [(0, 0); BUCKETS], newest: 0 }
    }

    /// Whether an attempt may be sent now.
    pub(crate) fn admit(&mut self, now: SimTime) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until } if now < until => false,
            State::Open { .. } => {
                self.state = State::HalfOpen { sent: 1, succeeded: 0 };
                true
            }
            State::HalfOpen { ref mut sent, .. } => {
                let admitted = *sent < self.config.probes;
                *sent += u32::from(admitted);
                admitted
            }
        }
    }

    /// An attempt ended.
    pub(crate) fn record(&mut self, now: SimTime, failed: bool) {
        match self.state {
            State::Closed => self.count(now, failed),
            // An attempt from before the breaker opened.
            State::Open { .. } => {}
            State::HalfOpen { .. } if failed => self.trip(now),
            State::HalfOpen { ref mut succeeded, .. } => {
                *succeeded += 1;
                if *succeeded >= self.config.probes {
                    self.state = State::Closed;
                    self.counts = [(0, 0); BUCKETS];
                }
            }
        }
    }

    fn count(&mut self, now: SimTime, failed: bool) {
        self.forget(now);
        #[allow(clippy::cast_possible_truncation, reason = "a remainder below ten")]
        let bucket = &mut self.counts[(self.newest % BUCKETS as u64) as usize];
        bucket.0 += 1;
        bucket.1 += u32::from(failed);
        let (calls, failures) = self.counts.iter().fold((0u64, 0u64), |(calls, failures), bucket| {
            (calls + u64::from(bucket.0), failures + u64::from(bucket.1))
        });
        let share_reached = u128::from(failures) * u128::from(Ratio::PARTS)
            >= u128::from(calls) * u128::from(self.config.failures.parts());
        if failed && calls >= u64::from(self.config.minimum_calls) && share_reached {
            self.trip(now);
        }
    }

    /// Empties the tenths that have left the window.
    fn forget(&mut self, now: SimTime) {
        let tenth = (self.config.window.as_nanos() / BUCKETS as u64).max(1);
        let current = now.as_nanos() / tenth;
        for number in (self.newest + 1..=current).take(BUCKETS) {
            #[allow(clippy::cast_possible_truncation, reason = "a remainder below ten")]
            let index = (number % BUCKETS as u64) as usize;
            self.counts[index] = (0, 0);
        }
        self.newest = current;
    }

    fn trip(&mut self, now: SimTime) {
        let open: SimDuration = self.config.open;
        self.state = State::Open { until: now.plus(open) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(minimum_calls: u32, probes: u32) -> CircuitBreaker {
        CircuitBreaker::new(Config {
            window: SimDuration::from_secs(10),
            failures: Ratio::from_parts(Ratio::PARTS / 2).unwrap(),
            minimum_calls,
            open: SimDuration::from_secs(5),
            probes,
        })
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn it_opens_at_the_share_and_not_before_the_minimum() {
        let mut breaker = breaker(4, 1);
        for failed in [true, true, false] {
            breaker.record(at(0), failed);
            assert!(breaker.admit(at(0)));
        }
        breaker.record(at(1), true);
        assert!(!breaker.admit(at(1)));
        assert!(!breaker.admit(SimTime::from_nanos(at(6).as_nanos() - 1)));
        assert!(breaker.admit(at(6)));
    }

    #[test]
    fn probes_decide_whether_it_closes() {
        let mut breaker = breaker(1, 2);
        breaker.record(at(0), true);
        assert!(breaker.admit(at(5)) && breaker.admit(at(5)));
        assert!(!breaker.admit(at(5)), "only as many as there are probes");
        breaker.record(at(5), false);
        assert!(!breaker.admit(at(5)));
        breaker.record(at(5), false);
        assert_eq!(breaker.state, State::Closed);
        breaker.record(at(6), true);
        assert!(breaker.admit(at(11)));
        breaker.record(at(11), true);
        assert!(!breaker.admit(at(15)), "a failed probe opens it again");
    }

    #[test]
    fn old_failures_leave_the_window() {
        let mut breaker = breaker(2, 1);
        breaker.record(at(0), true);
        breaker.record(at(20), false);
        breaker.record(at(20), false);
        breaker.record(at(20), true);
        assert!(breaker.admit(at(20)), "one failure of three in the window");
    }
}
