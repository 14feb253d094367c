//! When a service tries again what it could not deliver (INV-6). Passive.

use super::backoff;
use super::config::{DeliveryPolicy, Extent, Jitter};
use crate::kernel::time::{SimDuration, SimTime};

/// Why a delivery is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// No retries are left.
    Retries,
    /// The next one would come at or after the maximum age.
    Age,
}

/// The wait before the next retry, when so many were made.
///
/// `received` is when the service got what it delivers, `last` the wait before (for decorrelated jitter; zero before the
/// first), `word` a uniform random word that is asked for only where chance changes the wait.
pub(crate) fn next_wait(
    policy: &DeliveryPolicy,
    retries_so_far: u32,
    received: SimTime,
    now: SimTime,
    last: SimDuration,
    word: impl FnOnce() -> u64,
) -> Result<SimDuration, Exhausted> {
    if policy.maximum_retry_attempts.is_some_and(|limit| retries_so_far >= limit) {
        return Err(Exhausted::Retries);
    }
    let (mut k, mut phases) = (retries_so_far, policy.phases.iter());
    let backoff = loop {
        let phase = phases.next().ok_or(Exhausted::Retries)?;
        if k < phase.times {
            break &phase.backoff;
        }
        k -= phase.times;
    };
    let word = if backoff.jitter == Jitter::None { 0 } else { word() };
    let wait = backoff::wait(backoff, k, last, word);
    match policy.maximum_event_age {
        Some(age) if now.since(received).plus(wait) >= age => Err(Exhausted::Age),
        _ => Ok(wait),
    }
}

/// Retries after which a policy counts as one without end.
const ENDLESS: u32 = 1_000_000;

impl DeliveryPolicy {
    /// How far the retries go where every attempt is refused at once; `None` is without end.
    pub fn extent(&self) -> Option<Extent> {
        let (mut now, mut last) = (SimTime::ZERO, SimDuration::ZERO);
        for retries in 0..ENDLESS {
            match next_wait(self, retries, SimTime::ZERO, now, last, || u64::MAX) {
                Ok(wait) => (now, last) = (now.plus(wait), wait),
                Err(_) => return Some(Extent { attempts: retries + 1, over: now.since(SimTime::ZERO) }),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::{Backoff, RetryPhase};

    /// SNS to Lambda (INV-6): 3 at once, 2 at 1 s, 10 from 1 s to 20 s, 100,000 at 20 s.
    fn sns() -> DeliveryPolicy {
        let seconds = SimDuration::from_secs;
        let phases = vec![
            RetryPhase::constant(3, SimDuration::ZERO, Jitter::None),
            RetryPhase::constant(2, seconds(1), Jitter::None),
            RetryPhase::geometric(10, seconds(1), seconds(20), Jitter::None),
            RetryPhase::constant(100_000, seconds(20), Jitter::None),
        ];
        DeliveryPolicy { phases, maximum_retry_attempts: None, maximum_event_age: None }
    }

    /// Doubled from 1 s up to a cap, without end but for the age of a day.
    fn doubling(cap_s: u64, maximum_retry_attempts: Option<u32>) -> DeliveryPolicy {
        let seconds = SimDuration::from_secs;
        let backoff = Backoff { base: seconds(1), factor: 2.0, cap: Some(seconds(cap_s)), jitter: Jitter::None };
        DeliveryPolicy {
            phases: vec![RetryPhase { times: u32::MAX, backoff }],
            maximum_retry_attempts,
            maximum_event_age: Some(seconds(86_400)),
        }
    }

    /// Moments of all attempts from 0 on, and why there are no more.
    fn attempts(policy: &DeliveryPolicy) -> (Vec<SimTime>, Exhausted) {
        let (mut now, mut last, mut times) = (SimTime::ZERO, SimDuration::ZERO, vec![SimTime::ZERO]);
        for retries in 0.. {
            match next_wait(policy, retries, SimTime::ZERO, now, last, || unreachable!("without jitter")) {
                Ok(wait) => (now, last) = (now.plus(wait), wait),
                Err(exhausted) => return (times, exhausted),
            }
            times.push(now);
        }
        unreachable!("all policies of these tests end")
    }

    /// INV-V37: 1 + 3 at 0, then at 1 s and 2 s, ten more until 70.107 s, then every 20 s; the last at 2,000,070.107 s.
    #[test]
    fn v37_times_of_a_topic_that_lambda_refuses_for_ever() {
        let (times, exhausted) = attempts(&sns());
        let ms = |time: &SimTime| (time.as_nanos() + 500_000) / 1_000_000;
        assert_eq!(exhausted, Exhausted::Retries);
        assert_eq!(times.len(), 100_016);
        assert_eq!(times[..7].iter().map(ms).collect::<Vec<_>>(), [0, 0, 0, 0, 1_000, 2_000, 3_000]);
        assert_eq!(ms(&times[15]), 70_107);
        assert_eq!(ms(&times[16]), 90_107);
        assert_eq!(times.last().map(ms), Some(2_000_070_107));
    }

    /// INV-D32: waits min(2^i, 480) s; 185 of them take 84,991 s, within 24 hours.
    #[test]
    fn d32_a_rule_of_eventbridge_has_185_retries() {
        let mut policy = doubling(480, Some(185));
        let (times, exhausted) = attempts(&policy);
        assert_eq!((times.len(), exhausted), (186, Exhausted::Retries));
        assert_eq!(times.last().map(|time| time.as_nanos() / 1_000_000_000), Some(84_991));
        // The one at 84,991 s is not made when that is the age, and is when the age is above.
        for (age_s, made, ended) in [(84_991, 185, Exhausted::Age), (84_992, 186, Exhausted::Retries)] {
            policy.maximum_event_age = Some(SimDuration::from_secs(age_s));
            let (times, exhausted) = attempts(&policy);
            assert_eq!((times.len(), exhausted), (made, ended), "{age_s} s");
        }
    }

    /// INV-D33: 1 s, doubled up to 300 s, within 24 hours: the next would come at 86,611 s (511 s and 287 times 300 s).
    #[test]
    fn d33_a_notification_of_s3_is_tried_again_for_a_day() {
        let policy = doubling(300, None);
        let (times, exhausted) = attempts(&policy);
        assert_eq!(exhausted, Exhausted::Age);
        assert_eq!(times.last().map(|time| time.as_nanos() / 1_000_000_000), Some(511 + 286 * 300));
    }

    #[test]
    fn the_extent_is_that_of_all_attempts() {
        for policy in [sns(), doubling(480, Some(185)), doubling(300, None), DeliveryPolicy::NONE] {
            let (times, _) = attempts(&policy);
            let extent = policy.extent().unwrap();
            assert_eq!(extent.attempts as usize, times.len());
            assert_eq!(Some(extent.over), times.last().map(|last| last.since(SimTime::ZERO)));
        }
        let endless = DeliveryPolicy { maximum_event_age: None, ..doubling(300, None) };
        assert_eq!(endless.extent(), None);
    }

    #[test]
    fn no_policy_means_one_attempt() {
        assert_eq!(attempts(&DeliveryPolicy::NONE), (vec![SimTime::ZERO], Exhausted::Retries));
    }
}
