//! The client of one caller: decides whether an attempt may be sent, and what follows its end (INV-3.2..3.4).
//!
//! Passive. Order after a failure (INV-N4): classify, attempts left, retry budget, wait, send again.

use super::adaptive::AdaptiveLimiter;
use super::backoff;
use super::circuit_breaker::CircuitBreaker;
use super::config;
use super::delivery_policy;
use super::fact::{Answer, Outcome};
use super::retry_budget::{Cause, RetryBudget};
use crate::kernel::time::{SimDuration, SimTime};

/// How an attempt ended, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    /// An answer came.
    Answered(Answer),
    /// None came in time.
    TimedOut,
}

impl AttemptEnd {
    /// How a call ends whose last attempt ended like this.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Answered(Answer::Success) => Outcome::Success,
            Self::Answered(Answer::Accepted) => Outcome::Accepted,
            Self::Answered(Answer::FunctionError) => Outcome::FunctionError,
            Self::Answered(Answer::Throttled) => Outcome::Throttled,
            Self::Answered(Answer::ServiceError) => Outcome::ServiceError,
            Self::Answered(Answer::Rejected) => Outcome::Rejected,
            Self::TimedOut => Outcome::Timeout,
        }
    }
}

/// What a call remembers between attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempts {
    /// Attempts sent.
    pub(crate) sent: u32,
    /// The last wait, for decorrelated jitter.
    pub(crate) last_wait: SimDuration,
    /// Why there was a retry, the last time.
    pub(crate) last_cause: Option<Cause>,
    /// State of the circuit breaker when the attempt was sent that is out; 0: none is, or it was sent without a breaker.
    pub(crate) breaker_epoch: u16,
}

/// What the client does after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The call is over.
    Finish,
    /// It would try again, but its retry budget is used up.
    QuotaExhausted,
    /// It tries again after this wait.
    RetryAfter(SimDuration),
}

/// One client, shared by all calls of its caller.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) config: config::Client,
    budget: RetryBudget,
    breaker: Option<CircuitBreaker>,
    /// Number of the next breaker's first state: attempts of an earlier breaker mean nothing to a later one.
    breaker_epoch: u16,
    limiter: Option<AdaptiveLimiter>,
}

impl Client {
    /// A client at the start.
    pub(crate) fn new(config: &config::Client) -> Self {
        Self {
            budget: RetryBudget::new(config.budget),
            // An attempt that was sent without a breaker has the number 0.
            breaker: config.circuit_breaker.map(|config| CircuitBreaker::new(config, 1)),
            breaker_epoch: 1,
            limiter: config.adaptive.then(AdaptiveLimiter::new),
            config: config.clone(),
        }
    }

    /// New settings; a breaker or limiter whose settings stay keeps its state.
    pub(crate) fn reconfigure(&mut self, config: &config::Client) {
        self.budget.reconfigure(config.budget);
        if self.config.circuit_breaker != config.circuit_breaker {
            if let Some(old) = &self.breaker {
                self.breaker_epoch = old.epoch().wrapping_add(1);
            }
            self.breaker = config.circuit_breaker.map(|config| CircuitBreaker::new(config, self.breaker_epoch));
        }
        if self.config.adaptive != config.adaptive {
            self.limiter = config.adaptive.then(AdaptiveLimiter::new);
        }
        self.config = config.clone();
    }

    /// How long the answer to the first attempt of a call is waited for.
    pub(crate) fn patience(&self) -> SimDuration {
        let [attempt, call] = [self.config.timeout, self.config.total_timeout].map(|it| it.unwrap_or(SimDuration::MAX));
        attempt.min(call)
    }

    /// Whether nothing can hold back an attempt.
    #[inline(always)]
    pub(crate) fn is_unprotected(&self) -> bool {
        self.breaker.is_none() && self.limiter.is_none()
    }

    /// Whether the adaptive limiter lets an attempt be sent now; otherwise how long to wait before asking again.
    #[inline]
    pub(crate) fn acquire(&mut self, now: SimTime) -> Result<(), SimDuration> {
        self.limiter.as_mut().map_or(Ok(()), |limiter| limiter.acquire(now))
    }

    /// The first attempt of a call is sent; nothing [can hold it back](Self::is_unprotected).
    #[inline(always)]
    pub(crate) fn send_first(&mut self) {
        self.budget.on_first_attempt();
    }

    /// An attempt is sent, if the circuit breaker lets it through.
    #[inline]
    pub(crate) fn send(&mut self, now: SimTime, attempts: &mut Attempts) -> bool {
        if let Some(breaker) = &mut self.breaker {
            match breaker.admit(now) {
                Some(epoch) => attempts.breaker_epoch = epoch,
                None => return false,
            }
        }
        attempts.sent += 1;
        if attempts.sent == 1 {
            self.budget.on_first_attempt();
        }
        true
    }

    /// The attempt that is out, if one is, is given up, and says nothing.
    pub(crate) fn drop_attempt(&mut self, attempts: &Attempts) {
        if let Some(breaker) = &mut self.breaker {
            breaker.drop_attempt(attempts.breaker_epoch);
        }
    }

    /// An attempt of a call that was submitted at `since` ended. `word` is called for a random word if a wait may be drawn.
    #[inline(always)]
    pub(crate) fn on_ended(
        &mut self,
        since: SimTime,
        now: SimTime,
        end: AttemptEnd,
        attempts: &mut Attempts,
        word: impl FnOnce() -> u64,
    ) -> Decision {
        if matches!(end, AttemptEnd::Answered(Answer::Success | Answer::Accepted)) && self.is_unprotected() {
            self.budget.on_success(attempts.last_cause);
            return Decision::Finish;
        }
        self.decide((since, now), end, attempts, word())
    }

    /// The first attempt of a call succeeded, and with it the call.
    #[inline(always)]
    pub(crate) fn on_first_success(&mut self, now: SimTime, answer: Answer) {
        if self.is_unprotected() {
            self.budget.on_success(None);
        } else {
            self.tell_first_success(now, answer);
        }
    }

    #[inline(never)]
    fn tell_first_success(&mut self, now: SimTime, answer: Answer) {
        let mut attempts = Attempts { sent: 1, ..Attempts::default() };
        let decision = self.on_ended(now, now, AttemptEnd::Answered(answer), &mut attempts, || 0);
        debug_assert_eq!(decision, Decision::Finish, "a success is not tried again");
    }

    #[inline(never)]
    fn decide(
        &mut self,
        (since, now): (SimTime, SimTime),
        end: AttemptEnd,
        attempts: &mut Attempts,
        word: u64,
    ) -> Decision {
        let retryable = self.retries(end);
        if let Some(breaker) = &mut self.breaker {
            breaker.record(now, attempts.breaker_epoch, retryable);
        }
        attempts.breaker_epoch = 0;
        if let Some(limiter) = &mut self.limiter {
            limiter.on_answer(now, end == AttemptEnd::Answered(Answer::Throttled));
        }
        // INV-T6: an error of the function is an answer with status 200, and a success to the SDK.
        let answered = matches!(end, AttemptEnd::Answered(Answer::Success | Answer::Accepted | Answer::FunctionError));
        if answered && !retryable {
            self.budget.on_success(attempts.last_cause);
        }
        if !retryable || attempts.sent >= self.config.max_attempts {
            return Decision::Finish;
        }
        if let Some(policy) = &self.config.policy {
            let wait = delivery_policy::next_wait(policy, attempts.sent - 1, since, now, attempts.last_wait, || word);
            let Ok(wait) = wait else { return Decision::Finish };
            attempts.last_wait = wait;
            return Decision::RetryAfter(wait);
        }
        let (cause, backoff) = match end {
            AttemptEnd::Answered(Answer::Throttled) => (Cause::Throttle, &self.config.throttle_backoff),
            AttemptEnd::Answered(_) => (Cause::Transient, &self.config.backoff),
            AttemptEnd::TimedOut => (Cause::Timeout, &self.config.backoff),
        };
        if !self.budget.try_pay(cause) {
            return Decision::QuotaExhausted;
        }
        let wait = backoff::wait(backoff, attempts.sent - 1, attempts.last_wait, word);
        attempts.last_cause = Some(cause);
        attempts.last_wait = wait;
        Decision::RetryAfter(wait)
    }

    /// Whether an attempt that ended like this is tried again, attempts and budget permitting.
    fn retries(&self, end: AttemptEnd) -> bool {
        let on = self.config.retry_on;
        match end {
            AttemptEnd::Answered(Answer::Success | Answer::Accepted | Answer::Rejected) => false,
            AttemptEnd::Answered(Answer::FunctionError) => on.function_error,
            AttemptEnd::Answered(Answer::Throttled) => on.throttle,
            AttemptEnd::Answered(Answer::ServiceError) => on.service_error,
            AttemptEnd::TimedOut => on.timeout,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::aws::config::{Backoff, Budget, Jitter, RetryOn};

    const THROTTLED: AttemptEnd = AttemptEnd::Answered(Answer::Throttled);
    const FAILED: AttemptEnd = AttemptEnd::Answered(Answer::ServiceError);

    fn backoff(base_ms: u64, cap: Option<u64>) -> Backoff {
        Backoff {
            base: SimDuration::from_millis(base_ms),
            factor: 2.0,
            cap: cap.map(SimDuration::from_secs),
            jitter: Jitter::None,
        }
    }

    /// The policies of INV-3.2 and 3.3 without jitter.
    pub(crate) fn policy(max_attempts: u32, transient_ms: u64, cap: Option<u64>, budget: Budget) -> config::Client {
        config::Client {
            max_attempts,
            backoff: backoff(transient_ms, cap),
            throttle_backoff: backoff(1_000, cap),
            policy: None,
            budget,
            adaptive: false,
            retry_on: RetryOn { throttle: true, service_error: true, timeout: true, function_error: false },
            timeout: Some(SimDuration::from_secs(60)),
            total_timeout: None,
            circuit_breaker: None,
        }
    }

    const SDK_V2: Budget = Budget::Tokens { tokens: 500, transient: 5, throttle: 5, timeout: 10, success: 1 };
    const SDK_2026: Budget = Budget::Tokens { tokens: 500, transient: 14, throttle: 5, timeout: 14, success: 1 };

    /// INV-V17: moments of the attempts, in milliseconds, when each fails at once.
    #[test]
    fn v17_attempts_of_each_policy() {
        let rows: [(config::Client, AttemptEnd, &[u64]); 5] = [
            (policy(3, 1_000, Some(20), SDK_V2), THROTTLED, &[0, 1_000, 3_000]),
            (policy(3, 50, Some(20), SDK_2026), THROTTLED, &[0, 1_000, 3_000]),
            (policy(5, 1_000, None, Budget::None), THROTTLED, &[0, 1_000, 3_000, 7_000, 15_000]),
            (policy(3, 50, Some(20), SDK_2026), FAILED, &[0, 50, 150]),
            (policy(1, 50, Some(20), SDK_2026), FAILED, &[0]),
        ];
        for (config, end, expected) in rows {
            let mut client = Client::new(&config);
            let (mut attempts, mut now, mut seen) = (Attempts::default(), SimTime::ZERO, Vec::new());
            loop {
                assert!(client.send(SimTime::ZERO, &mut attempts));
                seen.push(now.as_nanos() / 1_000_000);
                match client.on_ended(SimTime::ZERO, now, end, &mut attempts, || 0) {
                    Decision::RetryAfter(wait) => now = now.plus(wait),
                    Decision::Finish | Decision::QuotaExhausted => break,
                }
            }
            assert_eq!(seen, expected);
        }
    }

    /// INV-T6: SDKs do not try a function's error again unless told to; a refused request never.
    #[test]
    fn what_is_tried_again() {
        let mut config = policy(3, 50, Some(20), Budget::None);
        for (function_error, answer, retried) in [
            (false, Answer::FunctionError, false),
            (true, Answer::FunctionError, true),
            (true, Answer::Rejected, false),
            (true, Answer::Success, false),
        ] {
            config.retry_on.function_error = function_error;
            let mut attempts = Attempts::default();
            let mut client = Client::new(&config);
            assert!(client.send(SimTime::ZERO, &mut attempts));
            let decision =
                client.on_ended(SimTime::ZERO, SimTime::ZERO, AttemptEnd::Answered(answer), &mut attempts, || 0);
            assert_eq!(matches!(decision, Decision::RetryAfter(_)), retried, "{answer:?}");
        }
    }

    /// INV-V15: expected token change of a call by simulation of the quota alone; zero at the failure probabilities
    /// that the sheet computes from (1-p) - c p^2 (1-p) - 2 c p^3.
    #[test]
    fn v15_the_quota_balances_at_the_sheets_probabilities() {
        for (cost, p) in [(14.0, 0.2149), (5.0, 0.3207)] {
            let change = |p: f64| (1.0 - p) - cost * p * p * (1.0 - p) - 2.0 * cost * p * p * p;
            assert!(change(p - 0.0001) > 0.0 && change(p + 0.0001) < 0.0, "{cost}");
        }
    }
}
