//! What one caller submitted and what came of it (contract, `callers.N`).

use super::cost::DoorUsage;
use super::histogram::{Fine, Tally};
use super::series::Recorder;
use super::summary::{CallerSummary, Flow, Outcomes};
use crate::aws::config::{Caller, Invocation, Service, Target};
use crate::aws::fact::Outcome;
use crate::kernel::time::SimDuration;

/// Counts of one caller. Those without a word to the contrary are of submissions at or after the warm-up.
#[derive(Clone, Debug)]
pub(super) struct CallerStats {
    /// Whether calls wait for their runs.
    waits: bool,
    /// Whether they send messages to a queue or a broker, or records to a stream, or start executions and go on.
    sends: bool,
    pub(super) submitted: u64,
    pub(super) attempts: u64,
    pub(super) retries: u64,
    outcomes: [u64; OUTCOMES],
    runs_per_call: Tally,
    latency: Fine,
    /// Answers with status 200; nearly all are.
    ok: u64,
    /// Other answers by status.
    statuses: Vec<(u16, u64)>,
    throttled: u64,
    pub(super) client_timeouts: u64,
    pub(super) retry_quota_exhausted: u64,
    pub(super) circuit_open: u64,
    /// Attempts that a door refused for its rate.
    pub(super) limited: u64,
    /// Events that the dead-letter queue of a service received.
    pub(super) dead_letters: u64,
    service: Service,
    /// Submissions and ends of what was submitted during the warm-up, for the conservation.
    pub(super) submitted_before: u64,
    pub(super) finished_before: u64,
}

const OUTCOMES: usize = 7;

impl CallerStats {
    pub(super) fn new(settings: &Caller) -> Self {
        let calls = matches!(settings.target, Target::Function(_));
        let starts = matches!(settings.target, Target::StateMachine(_)) && settings.invocation == Invocation::Async;
        Self {
            waits: calls && settings.invocation == Invocation::Sync,
            sends: starts || !matches!(settings.target, Target::Function(_) | Target::StateMachine(_)),
            submitted: 0,
            attempts: 0,
            retries: 0,
            outcomes: [0; OUTCOMES],
            runs_per_call: Tally::default(),
            latency: Fine::new(),
            ok: 0,
            statuses: Vec::new(),
            throttled: 0,
            client_timeouts: 0,
            retry_quota_exhausted: 0,
            circuit_open: 0,
            limited: 0,
            dead_letters: 0,
            service: settings.via.service,
            submitted_before: 0,
            finished_before: 0,
        }
    }

    /// An answer arrived; `refused` where the service says that there is too much to do, whatever its status.
    #[inline(always)]
    pub(super) fn answered(&mut self, status: u16, refused: bool) {
        if status == 200 {
            self.ok += 1;
        } else {
            self.answered_otherwise(status, refused);
        }
    }

    #[inline(never)]
    fn answered_otherwise(&mut self, status: u16, refused: bool) {
        self.throttled += u64::from(refused || status == 429);
        match self.statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => self.statuses.push((status, 1)),
        }
    }

    /// A call of the measured time ended.
    #[inline(always)]
    pub(super) fn finished(&mut self, latency: SimDuration, outcome: Outcome, runs: u32) {
        self.outcomes[index(outcome)] += 1;
        if self.waits {
            self.runs_per_call.record(runs);
        }
        self.latency.record(latency);
    }

    fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[index(outcome)]
    }

    /// What it comes to over `measured` time.
    pub(super) fn summary(&mut self, measured: SimDuration) -> CallerSummary {
        let finished: u64 = self.outcomes.iter().sum();
        let accepted = self.count(Outcome::Accepted);
        let succeeded = self.count(Outcome::Success) + accepted;
        let mut codes = self.statuses.clone();
        if self.ok > 0 {
            codes.push((200, self.ok));
        }
        codes.sort_unstable();
        let seconds = measured.as_nanos() as f64 / 1e9;
        let (latency_ms, latency_curve) = self.latency.report();
        CallerSummary {
            submitted: self.submitted,
            succeeded,
            failed: finished - succeeded,
            unfinished: self.submitted.saturating_sub(finished),
            attempts: self.attempts,
            retries: self.retries,
            throttled: self.throttled,
            client_timeouts: self.client_timeouts,
            latency_ms,
            outcomes: Outcomes {
                success: self.count(Outcome::Success),
                function_error: self.count(Outcome::FunctionError),
                throttled: self.count(Outcome::Throttled),
                timeout: self.count(Outcome::Timeout),
                service_error: self.count(Outcome::ServiceError),
                accepted,
                rejected: self.count(Outcome::Rejected),
            },
            status_codes: codes.into_iter().map(|(code, count)| (code.to_string(), count)).collect(),
            runs_per_call: self.runs_per_call.figures(),
            retry_quota_exhausted: self.retry_quota_exhausted,
            circuit_open: self.circuit_open,
            goodput_per_s: if measured.is_zero() { None } else { Some(succeeded as f64 / seconds) },
            dead_letters: self.dead_letters,
            latency_curve,
            sends: self.sends,
            via: self.service,
        }
    }

    /// What a time series says.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        let finished: u64 = self.outcomes.iter().sum();
        let succeeded = self.count(Outcome::Success) + self.count(Outcome::Accepted);
        for (key, total) in [
            ("submitted", self.submitted),
            ("succeeded", succeeded),
            ("failed", finished - succeeded),
            ("attempts", self.attempts),
            ("retries", self.retries),
            ("throttled", self.throttled),
            ("client_timeouts", self.client_timeouts),
            ("retry_quota_exhausted", self.retry_quota_exhausted),
            ("circuit_open", self.circuit_open),
            ("dead_letters", self.dead_letters),
        ] {
            to.count(key, total);
        }
        to.counts("outcomes", OUTCOME_KEYS.into_iter().zip(self.outcomes));
        to.number("unfinished", self.submitted.saturating_sub(finished));
        to.rate("goodput_per_s", succeeded);
        to.lengths("latency_ms", Some(&mut self.latency));
    }

    /// What API Gateway is paid for: each request that it let through.
    pub(super) fn usage(&self) -> DoorUsage {
        DoorUsage { service: self.service, requests: self.attempts - self.limited }
    }

    /// Everything that was submitted, the warm-up included, and what became of it.
    pub(super) fn flow(&self) -> Flow {
        let entered = self.submitted + self.submitted_before;
        let out = self.outcomes.iter().sum::<u64>() + self.finished_before;
        let left = entered.saturating_sub(out);
        Flow::new(entered, out, left)
    }
}

/// In the order of [`index`].
const OUTCOME_KEYS: [&str; OUTCOMES] =
    ["success", "function_error", "throttled", "timeout", "service_error", "rejected", "accepted"];

const fn index(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Success => 0,
        Outcome::FunctionError => 1,
        Outcome::Throttled => 2,
        Outcome::Timeout => 3,
        Outcome::ServiceError => 4,
        Outcome::Rejected => 5,
        Outcome::Accepted => 6,
    }
}
