//! A fact becomes a step of an event's story: who, what, by which rule, in plain words.

use std::fmt::Write as _;

use super::batches::Batches;
use super::families::{Event, Families, Key, key, origin};
use super::message::{self, Progress};
use super::rules::{self, Rule};
use super::words::{Settings, length, moment, plural};
use super::{client, delivery};
use crate::aws::fact::{Capacity, Condition, Fact, InitPhase, Origin, ReturnCause, RunOutcome, ThrottleReason};
use crate::aws::ids::{CallerId, ErrorId, FunctionId};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

/// One step of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// `caller#17`; `caller#17/1` for the first event that came of it, in order of acceptance.
    pub event: String,
    /// 0 for the submission itself, else the number behind the `/`.
    pub part: u32,
    /// The run that it is about, 1 = first.
    pub run: Option<u32>,
    /// Who took it: the name of a caller, function, queue or other place, or `Lambda`.
    pub actor: String,
    /// What was done.
    pub kind: StepKind,
    /// The rule that decided it, where there is one.
    pub rule: Option<&'static Rule>,
    /// The step in plain words.
    pub detail: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $verb:literal;)*) => {
        /// What is done in a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum StepKind {
            $($(#[$doc])* $name,)*
        }

        impl StepKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word of `events.csv`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What the actor does, before the detail.
            pub const fn verb(self) -> &'static str {
                match self { $(Self::$name => $verb,)* }
            }
        }
    };
}

kinds! {
    /// A caller submitted a call or an event.
    Submitted = "submitted", "submits";
    /// Its client sent an attempt.
    AttemptSent = "attempt_sent", "sends";
    /// The attempt was answered.
    Answered = "answered", "answers";
    /// The client gave up waiting for an answer.
    TimedOut = "timed_out", "gives up";
    /// The client will try again.
    RetryScheduled = "retry_scheduled", "will try again:";
    /// The client's retry budget is empty.
    QuotaExhausted = "quota_exhausted", "does not try again:";
    /// The client's circuit breaker was open.
    CircuitOpen = "circuit_open", "sends nothing:";
    /// The client is done.
    Finished = "finished", "is done:";
    /// Lambda refused to run the function for want of concurrency or rate.
    Throttled = "throttled", "throttles:";
    /// An event was accepted into the internal queue.
    Accepted = "accepted", "accepts the event:";
    /// The internal queue asked for a run.
    Dispatched = "dispatched", "dispatches the event:";
    /// A dispatch was refused by a fault of the service.
    Refused = "refused", "cannot run it:";
    /// A run started.
    RunStarted = "run_started", "starts";
    /// A run ended.
    RunEnded = "run_ended", "ends";
    /// The event is run once more beside its run.
    Duplicated = "duplicated", "duplicates";
    /// The event went back to the internal queue.
    Returned = "returned", "keeps the event:";
    /// The event has its fate.
    Ended = "ended", "ends the event:";
    /// A dead-letter queue or destination received it.
    Delivered = "delivered", "receives";
    /// A delivery was refused and will be tried again.
    DeliveryRetried = "delivery_retried", "refuses";
    /// A delivery was refused for good.
    DeliveryFailed = "delivery_failed", "refuses for good";
    /// A queue accepted a message.
    Sent = "sent", "accepts the message:";
    /// A queue accepted a message and dropped it, as it has had it before.
    Deduplicated = "deduplicated", "drops the message:";
    /// The delay of a message ended.
    DelayEnded = "delay_ended", "shows the message:";
    /// A mapping received a message.
    Received = "received", "receives the message:";
    /// A message does not match the filter.
    FilteredOut = "filtered_out", "filters the message out:";
    /// A message is in a batch.
    Batched = "batched", "puts the message into";
    /// The batch is complete.
    BatchFormed = "batch_formed", "completes";
    /// The batch runs.
    BatchInvoked = "batch_invoked", "has invoked";
    /// The batch could not run and is tried again.
    BatchRefused = "batch_refused", "keeps";
    /// The batch could not run and is given up.
    BatchDropped = "batch_dropped", "drops";
    /// The run of the batch ended.
    BatchEnded = "batch_ended", "is done with";
    /// The visibility time-out of a message ended.
    VisibleAgain = "visible_again", "shows the message again:";
    /// A message was deleted.
    Deleted = "deleted", "deletes the message:";
    /// A message should have been deleted, and was not.
    DeleteIgnored = "delete_ignored", "keeps the message:";
    /// A message was moved to a dead-letter queue.
    Moved = "moved", "moves the message:";
    /// A redrive task moved it to another queue.
    Redriven = "redriven", "moves the message on:";
    /// The retention of a message ended.
    Expired = "expired", "drops the message:";
}

/// What a fact says, before it has a name and a moment.
pub(super) struct Told<'a> {
    pub(super) actor: &'a str,
    pub(super) kind: StepKind,
    pub(super) run: Option<u32>,
    pub(super) rule: Option<&'static Rule>,
    pub(super) detail: String,
}

/// What happened to an event before.
#[derive(Clone, Copy)]
struct Before {
    message: Progress,
    dispatches: u32,
    retries: u32,
    is_duplicated: bool,
}

pub(super) const LAMBDA: &str = "Lambda";

/// Tells the steps of all events.
#[derive(Clone, Debug)]
pub struct Narrator<'a> {
    settings: Settings<'a>,
    families: Families<()>,
    batches: Batches,
}

impl<'a> Narrator<'a> {
    /// Before the first fact.
    pub fn new(scenario: &'a Scenario) -> Self {
        Self::of(scenario, Batches::all())
    }

    /// Before the first fact; tells of one submission alone.
    pub(super) fn for_one(scenario: &'a Scenario, key: Key) -> Self {
        Self::of(scenario, Batches::with(key))
    }

    fn of(scenario: &'a Scenario, batches: Batches) -> Self {
        let settings = Settings(&scenario.system);
        Self { settings, families: Families::new(settings.longest_delivery_delay()), batches }
    }

    /// The steps that a fact is, each with the fact as it is about that event: a fact about a batch is a step of all
    /// its records.
    pub(super) fn steps(&mut self, now: SimTime, fact: &Fact, mut take: impl FnMut(&Fact, Step)) {
        let Some(origin) = origin(fact) else { return };
        if self.batches.concern(origin)
            && let Some(step) = self.step(now, fact)
        {
            take(fact, step);
        }
        let Self { batches, families, .. } = self;
        let others = batches.others(fact, |origin| {
            families.event(key(origin), origin.branch).map_or(1, |event| event.message.runs + 1)
        });
        for fact in others {
            if let Some(step) = self.step(now, &fact) {
                take(&fact, step);
            }
        }
    }

    /// The step that a fact is for the event that it names; nothing for facts that are about no event.
    pub fn step(&mut self, now: SimTime, fact: &Fact) -> Option<Step> {
        let origin = origin(fact)?;
        let event = self.families.note(now, origin, fact);
        let &mut Event { number: part, dispatches, retries, is_duplicated, message, .. } = event;
        let before = Before { message, dispatches, retries, is_duplicated };
        let Told { actor, kind, run, rule, detail } = self.tell(now, origin, before, fact)?;
        let event = self.name(origin, part);
        let at = message::happened(fact).unwrap_or(now);
        Some(Step { at, event, part, run, actor: actor.to_owned(), kind, rule, detail })
    }

    /// Forgets what is over by `now`.
    pub(super) fn forget(&mut self, now: SimTime) {
        self.families.forget(now);
    }

    /// Whether something of the submission may still come.
    pub(super) fn is_open(&self, key: Key) -> bool {
        self.families.is_open(key)
    }

    /// `caller#17`, `caller#17/1`.
    fn name(&self, origin: &Origin, part: u32) -> String {
        let mut name = format!("{}#{}", self.settings.caller(origin.caller), origin.submission);
        if part > 0 {
            let _ = write!(name, "/{part}");
        }
        name
    }

    fn tell(&mut self, now: SimTime, origin: &Origin, before: Before, fact: &Fact) -> Option<Told<'a>> {
        let settings = self.settings;
        Some(match *fact {
            Fact::CallSubmitted { .. }
            | Fact::AttemptSent { .. }
            | Fact::AttemptAnswered { .. }
            | Fact::AttemptTimedOut { .. }
            | Fact::RetryScheduled { .. }
            | Fact::RetryQuotaExhausted { .. }
            | Fact::CircuitOpen { .. }
            | Fact::CallFinished { .. } => return client::tell(settings, now, origin, fact),
            Fact::Throttled { function, reason, .. } => throttled(settings, now, function, reason),
            Fact::RunStarted { function, run, environment, cold, capacity, .. } => {
                run_started(settings.function(function), run, environment, cold, capacity)
            }
            Fact::RunEnded {
                function,
                run,
                environment,
                started,
                init,
                suppressed_init,
                outcome,
                error,
                abandoned,
                ..
            } => {
                let inits = [init, suppressed_init];
                // Two runs of one number are told apart by their places.
                let place = before.is_duplicated.then_some(environment);
                let ended = Ended { lasted: now.since(started), place, inits, outcome, error, abandoned };
                run_ended(settings, function, run, &ended)
            }
            Fact::EventAccepted { function, parent, payload_bytes, .. } => {
                let parent = parent.map(|branch| {
                    let part = self.families.event(key(origin), branch).map_or(0, |event| event.number);
                    self.name(origin, part)
                });
                accepted(settings.function(function), parent, payload_bytes)
            }
            Fact::EventDispatched { accepted, queued, .. } => dispatched(now, accepted, queued, before.dispatches == 1),
            Fact::DispatchRefused { status, .. } => {
                let detail = format!("status {status}, a failure of the service; the handler does not run");
                by_lambda(StepKind::Refused, Some(&rules::SERVICE_ERROR), detail)
            }
            Fact::EventDuplicated { run, .. } => {
                let detail = format!("run {run}: it is started once more beside it, and that result decides nothing");
                Told { run: Some(run), ..by_lambda(StepKind::Duplicated, Some(&rules::DUPLICATES), detail) }
            }
            Fact::EventReturned { function, cause, due, .. } => {
                returned(settings, now, function, cause, due, before.retries)
            }
            Fact::EventEnded { function, accepted, condition, runs, .. } => {
                event_ended(settings, now, function, now.since(accepted), condition, runs)
            }
            Fact::Delivered { ref record, to } => delivery::delivered(settings.target(to), record),
            Fact::DeliveryRetried { ref record, to, error, due } => {
                delivery::retried(settings.target(to), now, record, error, due)
            }
            Fact::DeliveryFailed { ref record, to, error } => delivery::failed(settings.target(to), record, error),
            Fact::Message(ref fact) => return message::tell(settings, now, &before.message, fact),
            Fact::Mapping(ref fact) => return message::tell_mapping(settings, now, &before.message, fact),
            Fact::EnvironmentCreated { .. }
            | Fact::EnvironmentEnded { .. }
            | Fact::EnvironmentReset { .. }
            | Fact::ProvisionedRequested { .. }
            | Fact::ProvisionedAllocated { .. }
            | Fact::ProvisionedInitialized { .. }
            | Fact::ProvisionedFailed { .. }
            | Fact::AccountAllocated { .. } => return None,
        })
    }
}

pub(super) fn by_lambda(kind: StepKind, rule: Option<&'static Rule>, detail: String) -> Told<'static> {
    Told { actor: LAMBDA, kind, run: None, rule, detail }
}

fn throttled(settings: Settings<'_>, now: SimTime, function: FunctionId, reason: ThrottleReason) -> Told<'static> {
    let name = settings.function(function);
    let is_zero = settings.function_at(function, now).reserved_concurrency == Some(0);
    let (rule, why) = match reason {
        ThrottleReason::ConcurrentInvocationLimitExceeded => (
            &rules::ACCOUNT_LIMIT,
            "the account has no concurrency left, or cannot add environments that fast".to_owned(),
        ),
        ThrottleReason::FunctionInvocationRateLimitExceeded => {
            (&rules::ACCOUNT_RATE, "the account's request rate is used up".to_owned())
        }
        ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded if is_zero => {
            (&rules::RESERVED_ZERO, format!("the reserved concurrency of {name} is 0"))
        }
        ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded => {
            (&rules::RESERVED_LIMIT, format!("all reserved concurrency of {name} is in use"))
        }
        ThrottleReason::ReservedFunctionInvocationRateLimitExceeded => {
            (&rules::RESERVED_RATE, format!("the request rate of {name} is used up"))
        }
        ThrottleReason::CallerRateLimitExceeded => {
            (&rules::CALLER_RATE, "all callers together are too fast".to_owned())
        }
    };
    by_lambda(StepKind::Throttled, Some(rule), format!("{why} (429 {})", reason.as_str()))
}

fn run_started(function: &str, run: u32, environment: u64, cold: bool, capacity: Capacity) -> Told<'_> {
    let place = if cold { "a new environment" } else { "the idle environment" };
    let (rule, pool) = match capacity {
        Capacity::Provisioned => (Some(&rules::PROVISIONED), ", provisioned"),
        Capacity::Spillover | Capacity::ReservedSpillover => (Some(&rules::PROVISIONED), ", spilled over"),
        Capacity::Reserved | Capacity::Unreserved => (cold.then_some(&rules::COLD_START), ""),
    };
    let detail = format!("run {run} in {place}, number {environment}{pool}");
    Told { actor: function, kind: StepKind::RunStarted, run: Some(run), rule, detail }
}

/// What is told of the end of a run.
struct Ended {
    lasted: SimDuration,
    place: Option<u64>,
    /// Before the run, and inside it.
    inits: [Option<InitPhase>; 2],
    outcome: RunOutcome,
    error: Option<ErrorId>,
    abandoned: Option<SimTime>,
}

fn run_ended<'a>(settings: Settings<'a>, function: FunctionId, run: u32, ended: &Ended) -> Told<'a> {
    let Ended { lasted, place, inits, outcome, error, abandoned } = *ended;
    let (rule, words) = match outcome {
        RunOutcome::Success => (None, "success"),
        RunOutcome::Error => (None, "function error"),
        RunOutcome::Timeout => (Some(&rules::TIMEOUT), "cut at the function's time-out"),
        RunOutcome::Crash => (Some(&rules::RESET), "the process died"),
    };
    let place = place.map_or_else(String::new, |number| format!(" in environment {number}"));
    let mut detail = format!("run {run}{place} after {}: {words}", length(lasted));
    if let (Some(error), RunOutcome::Error | RunOutcome::Crash) = (error, outcome) {
        let _ = write!(detail, " {}", settings.error(error));
    }
    for init in inits.into_iter().flatten().filter(|init| init.failed || !init.length.is_zero()) {
        let failed = if init.failed { " that failed" } else { "" };
        let _ = write!(detail, ", with an Init of {}{failed}", length(init.length));
    }
    let mut rule = rule;
    if let Some(at) = abandoned {
        let _ = write!(detail, "; its client had given up at {}", moment(at));
        rule = rule.or(Some(&rules::CLIENT_LEAVES));
    }
    Told { actor: settings.function(function), kind: StepKind::RunEnded, run: Some(run), rule, detail }
}

fn accepted(function: &str, parent: Option<String>, bytes: u64) -> Told<'static> {
    let mut detail = format!("{bytes} bytes, into the internal queue of {function}");
    let rule = match parent {
        None => &rules::ASYNC_ACCEPTANCE,
        Some(parent) => {
            let _ = write!(detail, ": the record of {parent}");
            &rules::FUNCTION_DESTINATION
        }
    };
    by_lambda(StepKind::Accepted, Some(rule), detail)
}

fn dispatched(now: SimTime, accepted: SimTime, queued: SimTime, is_first: bool) -> Told<'static> {
    let (age, waited) = (length(now.since(accepted)), length(now.since(queued)));
    if accepted == queued {
        // It has not run yet.
        return by_lambda(StepKind::Dispatched, is_first.then_some(&rules::DISPATCH), format!("it is {age} old"));
    }
    by_lambda(StepKind::Dispatched, None, format!("it is {age} old, and was {waited} in the queue since its last run"))
}

fn returned(
    settings: Settings<'_>,
    now: SimTime,
    function: FunctionId,
    cause: ReturnCause,
    due: SimTime,
    retry: u32,
) -> Told<'static> {
    let wait = format!("waits {}", length(due.saturating_since(now)));
    let (rule, detail) = match cause {
        ReturnCause::FunctionError => {
            let retries = settings.asynchronous_at(function, now).maximum_retry_attempts;
            let words = format!("function error; {wait}, retry {retry} of {retries} is due at {}", moment(due));
            (&rules::RETRY_DELAYS, words)
        }
        ReturnCause::Throttled => {
            (&rules::BACKOFF, format!("throttled; {wait}, the next dispatch is due at {}", moment(due)))
        }
        ReturnCause::ServiceError => {
            (&rules::BACKOFF, format!("the service failed; {wait}, the next dispatch is due at {}", moment(due)))
        }
    };
    by_lambda(StepKind::Returned, Some(rule), detail)
}

fn event_ended(
    settings: Settings<'_>,
    now: SimTime,
    function: FunctionId,
    age: SimDuration,
    condition: Condition,
    runs: u32,
) -> Told<'static> {
    let asynchronous = settings.asynchronous_at(function, now);
    let limit = asynchronous.maximum_event_age;
    let (rule, why) = match condition {
        Condition::Success if age > limit => {
            let words = format!("a run that started in time may end after the maximum age of {}", length(limit));
            (Some(&rules::AGE_LIMITS_WAITING), words)
        }
        Condition::Success => (None, format!("it is {} old", length(age))),
        Condition::RetriesExhausted => {
            let words = match asynchronous.maximum_retry_attempts {
                0 => "the run failed, and no retry is allowed".to_owned(),
                1 => "the last run failed, and no more than 1 retry is allowed".to_owned(),
                retries => format!("the last run failed, and no more than {retries} retries are allowed"),
            };
            (Some(&rules::RETRY_ATTEMPTS), words)
        }
        Condition::EventAgeExceeded if age < limit => {
            let words = format!("at its next attempt it would have reached its maximum age of {}", length(limit));
            (Some(&rules::LOOKAHEAD), words)
        }
        Condition::EventAgeExceeded => {
            let words = format!("it waited until its maximum age of {}; its next attempt was due later", length(limit));
            (Some(&rules::EVENT_AGE), words)
        }
        Condition::ZeroReservedConcurrency => {
            let name = settings.function(function);
            (Some(&rules::ZERO_RESERVED), format!("the reserved concurrency of {name} is 0"))
        }
        Condition::RecursiveInvocation => {
            let name = settings.function(function);
            (Some(&rules::RECURSION), format!("this chain of requests has run {name} too often"))
        }
    };
    let runs = if runs == 0 { "without a run".to_owned() } else { format!("after {}", plural(runs, "run")) };
    by_lambda(StepKind::Ended, rule, format!("{} {runs}; {why}", condition.as_str()))
}

/// The caller of a name.
pub(super) fn caller_named(scenario: &Scenario, name: &str) -> Option<CallerId> {
    scenario.system.callers.iter().find(|(_, caller)| caller.name == name).map(|(id, _)| id)
}
