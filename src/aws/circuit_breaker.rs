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
    /// Number of the present state; an attempt counts only in the state that it was sent in.
    epoch: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: SimTime },
    HalfOpen { sent: u32, succeeded: u32 },
}

impl CircuitBreaker {
    /// A closed breaker, whose states are numbered from `epoch` on.
    pub(crate) fn new(config: Config, epoch: u16) -> Self {
        Self { config, state: State::Closed, counts: [(0, 0); BUCKETS], newest: 0, epoch }
    }

    /// Number of the present state.
    pub(crate) fn epoch(&self) -> u16 {
        self.epoch
    }

    /// Whether an attempt may be sent now: the number of the state that it is sent in, if so.
    pub(crate) fn admit(&mut self, now: SimTime) -> Option<u16> {
        match &mut self.state {
            State::Closed => {}
            State::Open { until } if now < *until => return None,
            State::Open { .. } => self.enter(State::HalfOpen { sent: 1, succeeded: 0 }),
            State::HalfOpen { sent, .. } if *sent >= self.config.probes => return None,
            State::HalfOpen { sent, .. } => *sent += 1,
        }
        Some(self.epoch)
    }

    /// An attempt ended that was sent in the state `epoch`.
    pub(crate) fn record(&mut self, now: SimTime, epoch: u16, failed: bool) {
        if epoch != self.epoch {
            return; // The breaker has opened or closed since: it says nothing about now.
        }
        match &mut self.state {
            State::Closed => self.count(now, failed),
            // Nothing is sent while the breaker is open.
            State::Open { .. } => {}
            State::HalfOpen { .. } if failed => self.trip(now),
            State::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                if *succeeded >= self.config.probes {
                    self.enter(State::Closed);
                    self.counts = [(0, 0); BUCKETS];
                }
            }
        }
    }

    /// Nobody will hear how an attempt ended that was sent in the state `epoch`: another may be sent in its place.
    pub(crate) fn drop_attempt(&mut self, epoch: u16) {
        if let State::HalfOpen { sent, .. } = &mut self.state
            && epoch == self.epoch
        {
            *sent -= 1;
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch = self.epoch.wrapping_add(1);
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
        self.enter(State::Open { until: now.plus(open) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(minimum_calls: u32, probes: u32) -> CircuitBreaker {
        let config = Config {
            window: SimDuration::from_secs(10),
            failures: Ratio::from_parts(Ratio::PARTS / 2).unwrap(),
            minimum_calls,
            open: SimDuration::from_secs(5),
            probes,
        };
        CircuitBreaker::new(config, 0)
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn it_opens_at_the_share_and_not_before_the_minimum() {
        let mut breaker = breaker(4, 1);
        for failed in [true, true, false] {
            breaker.record(at(0), 0, failed);
            assert_eq!(breaker.admit(at(0)), Some(0));
        }
        breaker.record(at(1), 0, true);
        assert_eq!(breaker.admit(at(1)), None);
        assert_eq!(breaker.admit(SimTime::from_nanos(at(6).as_nanos() - 1)), None);
        assert!(breaker.admit(at(6)).is_some());
    }

    #[test]
    fn probes_decide_whether_it_closes() {
        let mut breaker = breaker(1, 2);
        breaker.record(at(0), 0, true);
        let probe = breaker.admit(at(5)).unwrap();
        assert_eq!(breaker.admit(at(5)), Some(probe));
        assert_eq!(breaker.admit(at(5)), None, "only as many as there are probes");
        breaker.record(at(5), 0, true);
        breaker.record(at(5), probe, false);
        assert_eq!(breaker.admit(at(5)), None);
        breaker.record(at(5), probe, false);
        assert_eq!(breaker.state, State::Closed);
        let epoch = breaker.admit(at(6)).unwrap();
        breaker.record(at(6), epoch, true);
        let probe = breaker.admit(at(11)).unwrap();
        breaker.record(at(11), probe, true);
        assert_eq!(breaker.admit(at(15)), None, "a failed probe opens it again");
    }

    /// A probe that is given up makes room for another; one of an earlier state does not.
    #[test]
    fn a_probe_may_be_dropped() {
        let mut breaker = breaker(1, 1);
        breaker.record(at(0), 0, true);
        let probe = breaker.admit(at(5)).unwrap();
        breaker.drop_attempt(0);
        assert_eq!(breaker.admit(at(5)), None);
        breaker.drop_attempt(probe);
        assert_eq!(breaker.admit(at(5)), Some(probe));
    }

    #[test]
    fn old_failures_leave_the_window() {
        let mut breaker = breaker(2, 1);
        for (second, failed) in [(0, true), (20, false), (20, false), (20, true)] {
            breaker.record(at(second), 0, failed);
        }
        assert_eq!(breaker.admit(at(20)), Some(0), "one failure of three in the window");
    }
}
