//! The rate limiter of the SDKs' adaptive mode (INV-3.4), after the constants that botocore uses.
//!
//! It measures the client's own rate all the time, and limits it only after the first throttle. A throttle cuts
//! the rate to 0.7 of what was measured; every other answer lets it grow back along a cubic curve.
//! Rates are floating point here, as in the SDK; all roots and powers are those of a pinned library.

use crate::kernel::time::{SimDuration, SimTime};

const BETA: f64 = 0.7;
const CUBIC_SCALE: f64 = 0.4;
const SMOOTHING: f64 = 0.8;
const MINIMUM_RATE: f64 = 0.5;
/// Length of a measuring bucket, half a second.
const BUCKET_NS: u64 = 500_000_000;

/// The limiter of one client.
#[derive(Clone, Debug)]
pub(crate) struct AdaptiveLimiter {
    enabled: bool,
    /// Tokens a second, the bucket's size, and its level at `filled`.
    rate: f64,
    capacity: f64,
    level: f64,
    filled: SimTime,
    /// The measured rate, the bucket being measured, and the answers in it.
    measured: f64,
    bucket: u64,
    answers: u64,
    /// The cubic curve: rate before the last throttle, when that was, and when the curve is back there.
    w_max: f64,
    throttled: SimTime,
    k: f64,
}

impl AdaptiveLimiter {
    /// A limiter that does not limit yet.
    pub(crate) fn new() -> Self {
        Self {
            enabled: false,
            rate: 0.0,
            capacity: 0.0,
            level: 0.0,
            filled: SimTime::ZERO,
            measured: 0.0,
            bucket: 0,
            answers: 0,
            w_max: 0.0,
            throttled: SimTime::ZERO,
            k: 0.0,
        }
    }

    /// Takes a token for an attempt; otherwise how long to wait before asking again.
    pub(crate) fn acquire(&mut self, now: SimTime) -> Result<(), SimDuration> {
        if !self.enabled {
            return Ok(());
        }
        self.refill(now);
        if self.level >= 1.0 {
            self.level -= 1.0;
            return Ok(());
        }
        // One nanosecond more than exact, so that the token is there in spite of rounding.
        let seconds = (1.0 - self.level) / self.rate;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, at most two seconds")]
        let nanoseconds = (seconds * 1e9) as u64;
        Err(SimDuration::from_nanos(nanoseconds + 1))
    }

    /// An attempt was answered, or given up.
    pub(crate) fn on_answer(&mut self, now: SimTime, throttled: bool) {
        self.measure(now);
        let rate = if throttled {
            let rate = if self.enabled { self.measured.min(self.rate) } else { self.measured };
            self.w_max = rate;
            self.k = libm::cbrt(self.w_max * (1.0 - BETA) / CUBIC_SCALE);
            self.throttled = now;
            self.enabled = true;
            rate * BETA
        } else {
            self.k = libm::cbrt(self.w_max * (1.0 - BETA) / CUBIC_SCALE);
            let dt = seconds(now.since(self.throttled)) - self.k;
            CUBIC_SCALE * dt * dt * dt + self.w_max
        };
        self.set_rate(now, rate.min(2.0 * self.measured));
    }

    fn set_rate(&mut self, now: SimTime, rate: f64) {
        self.refill(now);
        self.rate = rate.max(MINIMUM_RATE);
        self.capacity = self.rate.max(1.0);
        self.level = self.level.min(self.capacity);
    }

    fn refill(&mut self, now: SimTime) {
        let added = seconds(now.since(self.filled)) * self.rate;
        self.level = (self.level + added).min(self.capacity);
        self.filled = now;
    }

    /// Counts an answer; when a new bucket begins, the last ones enter the measured rate.
    fn measure(&mut self, now: SimTime) {
        self.answers += 1;
        let bucket = now.as_nanos() / BUCKET_NS;
        if bucket > self.bucket {
            let length = (bucket - self.bucket) as f64 * 0.5;
            let current = self.answers as f64 / length;
            self.measured = current * SMOOTHING + self.measured * (1.0 - SMOOTHING);
            self.answers = 0;
            self.bucket = bucket;
        }
    }
}

fn seconds(length: SimDuration) -> f64 {
    length.as_nanos() as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SimTime {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        SimTime::from_nanos((seconds * 1e9) as u64)
    }

    /// INV-V18: the first throttle at a measured 10 a second.
    #[test]
    fn v18_the_rate_falls_to_seven_tenths_and_grows_back_along_the_cubic() {
        let mut limiter = AdaptiveLimiter { measured: 10.0, bucket: u64::MAX, ..AdaptiveLimiter::new() };
        limiter.on_answer(at(100.0), true);
        assert!((limiter.rate - 7.0).abs() < 1e-12);
        assert!((limiter.k - 1.957_434).abs() < 1e-6);
        let k = limiter.k;
        limiter.on_answer(at(100.0 + k), false);
        assert!((limiter.rate - 10.0).abs() < 1e-6);
        limiter.on_answer(at(100.0 + 2.0 * k), false);
        assert!((limiter.rate - 13.0).abs() < 1e-6);
    }

    #[test]
    fn it_does_not_limit_before_the_first_throttle() {
        let mut limiter = AdaptiveLimiter::new();
        for _ in 0..1_000 {
            assert_eq!(limiter.acquire(SimTime::ZERO), Ok(()));
            limiter.on_answer(SimTime::ZERO, false);
        }
    }

    /// INV-3.4: the rate never falls below 0.5 a second, so a token comes within two seconds.
    #[test]
    fn the_least_rate_is_one_in_two_seconds() {
        let mut limiter = AdaptiveLimiter::new();
        for _ in 0..20 {
            limiter.on_answer(at(1.0), true);
        }
        assert!((limiter.rate - MINIMUM_RATE).abs() < 1e-12);
        let wait = limiter.acquire(at(1.0)).unwrap_err();
        assert_eq!(wait, SimDuration::from_nanos(2_000_000_001));
        assert_eq!(limiter.acquire(at(1.0).plus(wait)), Ok(()));
    }

    /// Twice the measured rate bounds the growth.
    #[test]
    fn growth_is_bounded_by_twice_the_measured_rate() {
        let mut limiter = AdaptiveLimiter { measured: 10.0, bucket: u64::MAX, ..AdaptiveLimiter::new() };
        limiter.on_answer(at(100.0), true);
        limiter.on_answer(at(200.0), false);
        assert!((limiter.rate - 20.0).abs() < 1e-12);
    }
}
