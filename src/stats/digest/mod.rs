//! The digest of a run: a hash over what happened, as the contract (section 4) promises.
//!
//! What enters, and nothing else. A way of computing that states the same of these facts, at the same times and with
//! the same ids, in whatever order, keeps the digest; everything else about a run may change without touching it.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `CallFinished` | now, caller, submission, moment of submission, outcome, attempts, runs |
//! | `RunEnded` | now, caller, submission, run, function, environment, started, duration, outcome, capacity, init length and failure, presence and failure of a suppressed Init (its length is in the duration), moment of abandonment |
//! | `Throttled` | now, caller, submission, function, reason |
//! | `AttemptTimedOut` | now, caller, submission, attempt |
//! | `RetryScheduled` | now, caller, submission, attempt, due |
//! | `RetryQuotaExhausted` | now, caller, submission |
//! | `CircuitOpen` | now, caller, submission |
//! | `EventAccepted` | now, caller, submission, function, the parent's branch, size |
//! | `EventReturned` | now, caller, submission, function, cause, due |
//! | `EventEnded` | now, caller, submission, function, moment of acceptance, condition, runs |
//! | `EventDuplicated` | now, caller, submission, function, run |
//! | `DispatchRefused` | now, caller, submission, function, status |
//! | `Delivered` | now, caller, submission, function, kind, condition, target, invoke count |
//! | `DeliveryRetried`, `DeliveryFailed` | now, caller, submission, function, kind, condition, target, error, due |
//! | `EnvironmentCreated` | now, function, environment |
//! | `EnvironmentEnded` | its own moment `at` (not the moment at which it was noticed), function, environment |
//! | `EnvironmentReset` | now, function, environment |
//! | `ProvisionedRequested`, `ProvisionedAllocated` | now, function, units |
//! | `ProvisionedInitialized` | now, function, init |
//! | `ProvisionedFailed` | now, function |
//!
//! Left out because these say it all: `CallSubmitted` (the moment is in `CallFinished`; what never finishes is in the
//! conservation), `AttemptSent` and `AttemptAnswered` (attempts are counted in `CallFinished`, throttles and time-outs
//! are there one by one), `RunStarted` (in `RunEnded`), `EventDispatched` (in what comes of it), `AccountAllocated` (follows from settings and the provisioned facts).
//!
//! What of messages and mappings enters stands in `messages`, what of streams, brokers and their readers in `streams`,
//! what of services before a function in `fronts`, what of executions in `executions`, what of places in `places`,
//! what of calls of runs and of dependencies in `calls`.
//! "Submission" is its number and the branch of what follows from it. Names of errors are labels and stay out.
//!
//! The first word of each fact holds its number in the low 8 bits, small fields above them, and the
//! caller or function in its high half. The moment of abandonment is a fact of its own kind beside its run.

mod calls;
mod executions;
mod fronts;
mod kind;
mod messages;
mod places;
mod streams;

use crate::aws::config::Target;
use crate::aws::fact::{
    Capacity, Condition, DeliveryError, DeliveryKind, Fact, InitPhase, Observer, Origin, Outcome, Record, ReturnCause,
    RunOutcome, ThrottleReason,
};
use crate::aws::ids::{FunctionId, Id};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Hashes the facts of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestObserver(Digest);

impl DigestObserver {
    /// Before the first fact.
    pub const fn new() -> Self {
        Self(Digest::new())
    }

    /// The digest of all facts so far.
    pub const fn digest(self) -> Digest {
        self.0
    }
}

impl Observer for DigestObserver {
    #[inline(always)]
    #[allow(clippy::too_many_lines, reason = "one short arm for each fact, and none of them twice")]
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::CallFinished { origin, outcome, attempts, runs } => {
                self.call_finished(now, &origin, outcome, u64::from(attempts) | u64::from(runs) << 32);
            }
            Fact::RunEnded { .. } => self.run_ended(now, fact),
            Fact::Message(ref fact) => messages::add_message(&mut self.0, now, fact),
            Fact::Mapping(ref fact) => messages::add_mapping(&mut self.0, now, fact),
            Fact::Stream(ref fact) => streams::add_stream(&mut self.0, now, fact),
            Fact::Broker(ref fact) => streams::add_broker(&mut self.0, now, fact),
            Fact::Reader(ref fact) => streams::add_reader(&mut self.0, now, fact),
            Fact::Front(ref fact) => fronts::add(&mut self.0, now, fact),
            Fact::Execution(ref fact) => executions::add_execution(&mut self.0, now, fact),
            Fact::Place(ref fact) => places::add_place(&mut self.0, now, fact),
            Fact::Outgoing(ref fact) => calls::add_outgoing(&mut self.0, now, fact),
            Fact::Dependency(ref fact) => calls::add_dependency(&mut self.0, now, fact),
            Fact::CallSubmitted { .. }
            | Fact::AttemptSent { .. }
            | Fact::AttemptAnswered { .. }
            | Fact::RunStarted { .. }
            | Fact::EventDispatched { .. }
            | Fact::AccountAllocated { .. } => {}
            Fact::EventAccepted { origin, function, parent, payload_bytes } => {
                let parent = parent.map_or(0, |branch| 1 << 32 | u64::from(branch));
                self.event(kind::EVENT_ACCEPTED, &origin, now, (function, payload_bytes, parent));
            }
            Fact::EventReturned { origin, function, cause, due } => {
                let kind = kind::EVENT_RETURNED | cause_number(cause) << 8;
                self.event(kind, &origin, now, (function, due.as_nanos(), 0));
            }
            Fact::EventEnded { origin, function, accepted, condition, runs } => {
                let kind = kind::EVENT_ENDED | condition_number(condition) << 8;
                self.event(kind, &origin, now, (function, accepted.as_nanos(), u64::from(runs)));
            }
            Fact::EventDuplicated { origin, function, run } => {
                self.event(kind::EVENT_DUPLICATED, &origin, now, (function, u64::from(run), 0));
            }
            Fact::DispatchRefused { origin, function, status } => {
                self.event(kind::DISPATCH_REFUSED, &origin, now, (function, u64::from(status), 0));
            }
            Fact::Delivered { ref record, to } => {
                self.delivery(kind::DELIVERED, now, record, to, record.invoke_count.into());
            }
            Fact::DeliveryRetried { ref record, to, error, due } => {
                self.delivery(kind::DELIVERY_RETRIED | error_number(error) << 16, now, record, to, due.as_nanos());
            }
            Fact::DeliveryFailed { ref record, to, error } => {
                self.delivery(kind::DELIVERY_FAILED | error_number(error) << 16, now, record, to, 0);
            }
            Fact::Throttled { origin, function, reason } => {
                self.call(kind::THROTTLED | reason_number(reason) << 8, &origin, now, number(function));
            }
            Fact::AttemptTimedOut { origin, attempt } => {
                self.call(kind::ATTEMPT_TIMED_OUT, &origin, now, attempt.into());
            }
            // Attempts beyond 2^24 share numbers; their submission and moments still tell them apart.
            Fact::RetryScheduled { origin, attempt, due } => {
                self.call(
                    kind::RETRY_SCHEDULED | (u64::from(attempt) << 8) & 0xffff_ff00,
                    &origin,
                    now,
                    due.as_nanos(),
                );
            }
            Fact::RetryQuotaExhausted { origin } => self.call(kind::RETRY_QUOTA_EXHAUSTED, &origin, now, 0),
            Fact::CircuitOpen { origin } => self.call(kind::CIRCUIT_OPEN, &origin, now, 0),
            Fact::EnvironmentCreated { function: of, environment } => {
                self.function(of, kind::ENVIRONMENT_CREATED, now, environment);
            }
            Fact::EnvironmentEnded { function: of, environment, at } => {
                self.function(of, kind::ENVIRONMENT_ENDED, at, environment);
            }
            Fact::EnvironmentReset { function: of, environment } => {
                self.function(of, kind::ENVIRONMENT_RESET, now, environment);
            }
            Fact::ProvisionedRequested { function: of, units } => {
                self.function(of, kind::PROVISIONED_REQUESTED, now, units.into());
            }
            Fact::ProvisionedAllocated { function: of, units } => {
                self.function(of, kind::PROVISIONED_ALLOCATED, now, units.into());
            }
            Fact::ProvisionedInitialized { function: of, init } => {
                self.function(of, kind::PROVISIONED_INITIALIZED, now, init.as_nanos());
            }
            Fact::ProvisionedFailed { function: of } => self.function(of, kind::PROVISIONED_FAILED, now, 0),
        }
    }
}

impl DigestObserver {
    #[inline(always)]
    fn call_finished(&mut self, now: SimTime, origin: &Origin, outcome: Outcome, counts: u64) {
        let first = kind::CALL_FINISHED | outcome_number(outcome) << 8 | caller(origin);
        self.0.add6([first, submission(origin), now.as_nanos(), origin.submitted.as_nanos(), counts, 0]);
    }

    #[inline(always)]
    fn run_ended(&mut self, now: SimTime, fact: &Fact) {
        let Fact::RunEnded {
            origin,
            function,
            run,
            environment,
            started,
            duration,
            init,
            suppressed_init,
            outcome,
            error: _,
            capacity,
            abandoned,
        } = *fact
        else {
            unreachable!("{fact:?} is no end of a run")
        };
        let inits = init_number(init) | init_number(suppressed_init) << 4;
        let small = run_outcome_number(outcome) << 8 | capacity_number(capacity) << 12 | inits << 16;
        let init = init.map_or(0, |phase| phase.length.as_nanos());
        let first = kind::RUN_ENDED | small | number(function);
        let second = caller(&origin) | u64::from(run);
        let (started, duration) = (started.as_nanos(), duration.as_nanos());
        self.0.add8([first, second, submission(&origin), environment, now.as_nanos(), started, duration, init]);
        if let Some(since) = abandoned {
            self.0.add4([kind::ABANDONED, second, submission(&origin), since.as_nanos()]);
        }
    }

    /// A fact about a call.
    #[inline(always)]
    fn call(&mut self, kind: u64, origin: &Origin, now: SimTime, last: u64) {
        self.0.add4([kind | caller(origin), submission(origin), now.as_nanos(), last]);
    }

    /// A fact about the environments of a function.
    #[inline(always)]
    fn function(&mut self, function: FunctionId, kind: u64, at: SimTime, last: u64) {
        self.0.add4([kind | number(function), at.as_nanos(), last, 0]);
    }

    /// A fact about an event in the internal queue of a function.
    #[inline(always)]
    fn event(&mut self, kind: u64, origin: &Origin, now: SimTime, (function, a, b): (FunctionId, u64, u64)) {
        self.0.add6([kind | caller(origin), submission(origin), now.as_nanos(), number(function), a, b]);
    }

    /// A fact about a delivery.
    #[inline(never)]
    fn delivery(&mut self, kind: u64, now: SimTime, record: &Record, to: Target, last: u64) {
        let kind = kind | delivery_number(record) << 8;
        self.event(kind, &record.origin, now, (record.function, target_number(to), last));
    }
}

/// The submission, with the branch of what follows from it in the high half.
#[inline(always)]
fn submission(origin: &Origin) -> u64 {
    origin.submission ^ u64::from(origin.branch) << 32
}

/// The caller, in the high half of a word.
#[inline(always)]
fn caller(origin: &Origin) -> u64 {
    (origin.caller.index() as u64) << 32
}

/// The function, in the high half of a word.
#[inline(always)]
fn number(function: FunctionId) -> u64 {
    (function.index() as u64) << 32
}

/// Whether there was an Init and whether it failed.
#[inline(always)]
fn init_number(init: Option<InitPhase>) -> u64 {
    init.map_or(0, |phase| 1 + u64::from(phase.failed))
}

/// Numbers of outcomes. They are part of the digest, as all below: never change one.
const fn outcome_number(outcome: Outcome) -> u64 {
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

const fn run_outcome_number(outcome: RunOutcome) -> u64 {
    match outcome {
        RunOutcome::Success => 0,
        RunOutcome::Error => 1,
        RunOutcome::Timeout => 2,
        RunOutcome::Crash => 3,
    }
}

const fn capacity_number(capacity: Capacity) -> u64 {
    match capacity {
        Capacity::Provisioned => 0,
        Capacity::Spillover => 1,
        Capacity::Reserved => 2,
        Capacity::Unreserved => 3,
        Capacity::ReservedSpillover => 4,
        Capacity::Edge => 5,
    }
}

const fn reason_number(reason: ThrottleReason) -> u64 {
    match reason {
        ThrottleReason::ConcurrentInvocationLimitExceeded => 0,
        ThrottleReason::FunctionInvocationRateLimitExceeded => 1,
        ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded => 2,
        ThrottleReason::ReservedFunctionInvocationRateLimitExceeded => 3,
        ThrottleReason::CallerRateLimitExceeded => 4,
    }
}

const fn cause_number(cause: ReturnCause) -> u64 {
    match cause {
        ReturnCause::FunctionError => 0,
        ReturnCause::Throttled => 1,
        ReturnCause::ServiceError => 2,
    }
}

const fn condition_number(condition: Condition) -> u64 {
    match condition {
        Condition::Success => 0,
        Condition::RetriesExhausted => 1,
        Condition::EventAgeExceeded => 2,
        Condition::ZeroReservedConcurrency => 3,
        Condition::RecursiveInvocation => 4,
    }
}

/// Why a record is delivered, and how its event ended: less than 256.
const fn delivery_number(record: &Record) -> u64 {
    let kind = match record.kind {
        DeliveryKind::DeadLetterQueue => 0,
        DeliveryKind::OnFailure => 1,
        DeliveryKind::OnSuccess => 2,
    };
    kind | condition_number(record.condition) << 4
}

const fn error_number(error: DeliveryError) -> u64 {
    match error {
        DeliveryError::TooLarge => 0,
        DeliveryError::FifoQueue => 1,
        DeliveryError::RecursiveInvocation => 2,
        DeliveryError::Refused(status) => status as u64,
    }
}

/// The kind of a target in the high half, its place in its group in the low one.
fn target_number(target: Target) -> u64 {
    let (kind, index) = match target {
        Target::Queue(id) => (0, id.index()),
        Target::Topic(id) => (1, id.index()),
        Target::EventBus(id) => (2, id.index()),
        Target::Bucket(id) => (3, id.index()),
        Target::Function(id) => (4, id.index()),
        Target::Stream(id) => (5, id.index()),
        Target::Broker(id) => (6, id.index()),
        Target::StateMachine(id) => (7, id.index()),
    };
    kind << 32 | index as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;
    use crate::stats::testing::{first, ms, origin, run_ended};

    fn digest(facts: &[(u64, Fact)]) -> Digest {
        let mut observer = DigestObserver::new();
        for (at, fact) in facts {
            observer.observe(ms(*at), fact);
        }
        observer.digest()
    }

    fn facts() -> Vec<Fact> {
        let origin = origin(0, 7, ms(1));
        let function = first();
        let reason = ThrottleReason::ConcurrentInvocationLimitExceeded;
        let ended = run_ended(origin, function, ms(2), SimDuration::from_millis(3));
        let Fact::RunEnded { run, environment, started, duration, outcome, capacity, .. } = ended else {
            unreachable!("it was built so")
        };
        let changed = |init, suppressed_init, outcome, abandoned| Fact::RunEnded {
            origin,
            function,
            run,
            environment,
            started,
            duration,
            init,
            suppressed_init,
            outcome,
            error: None,
            capacity,
            abandoned,
        };
        let phase = |failed| Some(InitPhase { length: SimDuration::ZERO, failed });
        vec![
            ended,
            changed(phase(false), None, outcome, None),
            changed(phase(true), None, outcome, None),
            changed(None, phase(false), outcome, None),
            changed(None, phase(true), outcome, None),
            changed(None, None, RunOutcome::Crash, None),
            changed(None, None, outcome, Some(ms(0))),
            Fact::CallFinished { origin, outcome: Outcome::Success, attempts: 1, runs: 1 },
            Fact::CallFinished { origin, outcome: Outcome::Timeout, attempts: 1, runs: 1 },
            Fact::CallFinished { origin, outcome: Outcome::Success, attempts: 2, runs: 1 },
            Fact::CallFinished { origin, outcome: Outcome::Success, attempts: 1, runs: 2 },
            Fact::Throttled { origin, function, reason },
            Fact::Throttled { origin, function, reason: ThrottleReason::CallerRateLimitExceeded },
            Fact::AttemptTimedOut { origin, attempt: 1 },
            Fact::AttemptTimedOut { origin, attempt: 2 },
            Fact::RetryScheduled { origin, attempt: 2, due: ms(9) },
            Fact::RetryScheduled { origin, attempt: 2, due: ms(8) },
            Fact::RetryScheduled { origin, attempt: 3, due: ms(9) },
            Fact::RetryQuotaExhausted { origin },
            Fact::CircuitOpen { origin },
            Fact::EnvironmentCreated { function, environment: 3 },
            Fact::EnvironmentEnded { function, environment: 3, at: ms(4) },
            Fact::EnvironmentReset { function, environment: 3 },
            Fact::ProvisionedRequested { function, units: 3 },
            Fact::ProvisionedAllocated { function, units: 3 },
            Fact::ProvisionedInitialized { function, init: SimDuration::from_nanos(3) },
            Fact::ProvisionedFailed { function },
        ]
    }

    #[test]
    fn different_facts_have_different_digests() {
        let mut digests: Vec<_> = facts().into_iter().map(|fact| digest(&[(5, fact)]).value()).collect();
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
        assert!(digests[0] > 0, "each of them counts");
    }

    #[test]
    fn the_order_of_facts_does_not_matter_and_their_time_does() {
        let mut at_five: Vec<_> = facts().into_iter().map(|fact| (5, fact)).collect();
        let forwards = digest(&at_five);
        at_five.reverse();
        assert_eq!(digest(&at_five), forwards);
        for place in 0..at_five.len() {
            let mut moved = at_five.clone();
            moved[place].0 = 6;
            let noticed_only = matches!(moved[place].1, Fact::EnvironmentEnded { .. });
            assert_eq!(digest(&moved) == forwards, noticed_only, "{:?}", moved[place].1);
        }
    }

    /// A change here changes the digest of every scenario, and must be meant.
    #[test]
    fn the_digest_is_pinned() {
        let all: Vec<_> = facts().into_iter().map(|fact| (5, fact)).collect();
        insta::assert_snapshot!(digest(&all), @"52affdbccaaa7a53");
    }
}
