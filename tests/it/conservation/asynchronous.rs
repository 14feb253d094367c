//! What must hold of every event in an internal queue, read from the facts alone, and of the statistics of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lambdasim::aws::config::{
    Asynchronous, ChangeAction, Expiry, FaultAt, Function, Jitter, QueueKind, RecursiveLoop, RetryFrom, Target,
};
use lambdasim::aws::fact::{
    Condition, DeliveryError, DeliveryKind, Fact, Origin, Record, Response, ReturnCause, RunOutcome,
};
use lambdasim::aws::ids::{FunctionId, Id};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::scenario::{Drain, Scenario};
use serde_json::Value;

use crate::common::{Facts, number, same};

/// INV-5.7.
const RUNS_IN_A_CHAIN: u32 = 16;

/// What happens to events in some of the random scenarios: a generator that no longer reaches it is found out.
pub(super) const WORDS: [&str; 19] = [
    "Success",
    "RetriesExhausted",
    "EventAgeExceeded",
    "ZeroReservedConcurrency",
    "RecursiveInvocation",
    "FunctionError",
    "Throttled",
    "ServiceError",
    "dispatch refused",
    "duplicate",
    "event of an event",
    "DeadLetterQueue",
    "OnFailure",
    "OnSuccess",
    "delivery retried",
    "Refused",
    "TooLarge",
    "FifoQueue",
    "loop refused",
];

/// What happened to the events of a run.
pub(super) fn words(facts: &Facts) -> BTreeSet<&'static str> {
    let word = |fact: &Fact| match *fact {
        Fact::EventEnded { condition, .. } => Some(condition.as_str()),
        Fact::EventReturned { cause: ReturnCause::FunctionError, .. } => Some("FunctionError"),
        Fact::EventReturned { cause: ReturnCause::Throttled, .. } => Some("Throttled"),
        Fact::EventReturned { cause: ReturnCause::ServiceError, .. } => Some("ServiceError"),
        Fact::DispatchRefused { .. } => Some("dispatch refused"),
        Fact::EventDuplicated { .. } => Some("duplicate"),
        Fact::EventAccepted { parent: Some(_), .. } => Some("event of an event"),
        Fact::Delivered { record, .. } => Some(match record.kind {
            DeliveryKind::DeadLetterQueue => "DeadLetterQueue",
            DeliveryKind::OnFailure => "OnFailure",
            DeliveryKind::OnSuccess => "OnSuccess",
        }),
        Fact::DeliveryRetried { .. } => Some("delivery retried"),
        Fact::DeliveryFailed { error, .. } => Some(match error {
            DeliveryError::Refused(_) => "Refused",
            DeliveryError::TooLarge => "TooLarge",
            DeliveryError::FifoQueue => "FifoQueue",
            DeliveryError::RecursiveInvocation => "loop refused",
        }),
        _ => None,
    };
    facts.list.iter().filter_map(|(_, fact)| word(fact)).collect()
}

/// Checks a run's events, deliveries and what the summary says of them.
pub(super) fn check(scenario: &Scenario, facts: &Facts, summary: &Value) {
    let mut checker = Checker::new(scenario, outcomes(facts));
    for (now, fact) in &facts.list {
        checker.now = *now;
        checker.fact(fact);
    }
    checker.ended(facts.ended);
    checker.check_summary(summary);
}

/// How each run went, in the order of their starts: known before it ends, so that answers may leave early (INV-E9).
fn outcomes(facts: &Facts) -> VecDeque<Option<Outcome>> {
    let mut outcomes = VecDeque::new();
    let mut open = BTreeMap::new();
    for (now, fact) in &facts.list {
        match *fact {
            Fact::RunStarted { environment, .. } => {
                open.insert(environment, outcomes.len());
                outcomes.push_back(None);
            }
            Fact::RunEnded { environment, outcome, init, suppressed_init, duration, .. } => {
                let init_failed = init.is_some_and(|init| init.failed) && suppressed_init.is_none();
                let ran = !(init_failed && duration.is_zero());
                outcomes[open[&environment]] = Some(Outcome { run: outcome, ran, ended: *now });
            }
            _ => {}
        }
    }
    outcomes
}

/// How a run went.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    run: RunOutcome,
    /// Whether the handler was reached: INV-E18, a restore that takes too long is a service error.
    ran: bool,
    ended: SimTime,
}

/// An event, by caller, submission and branch.
type EventKey = (usize, u64, u32);

fn key(origin: &Origin) -> EventKey {
    (origin.caller.index(), origin.submission, origin.branch)
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// In the queue, due at this moment.
    Waits(SimTime),
    /// A dispatch was stated; what comes of it is the next fact.
    Dispatched,
    /// The dispatch came to nothing.
    Refused(ReturnCause),
    /// A run was placed.
    Runs,
    /// The run has ended; what comes of it is the next fact, or waits for the deadline.
    RunOver(SimTime),
    Ended(Condition),
}

/// What is known of an event.
#[derive(Debug)]
struct Event {
    function: FunctionId,
    accepted: SimTime,
    payload_bytes: u64,
    place: Place,
    /// Runs started, without second runs of duplicates.
    runs: u32,
    /// The last of them.
    started: SimTime,
    outcome: Option<Outcome>,
    /// Runs that ended in a function error.
    errors: u32,
    /// Refusals since the last of those, and the last wait after one.
    refusals: u32,
    last_wait: SimDuration,
    /// A second run of the last one is announced.
    duplicate: bool,
    /// Requests for each function in its chain, its own included.
    chain: BTreeMap<FunctionId, u32>,
}

/// A delivery that is owed.
#[derive(Debug)]
struct Owed {
    to: Target,
    ended: SimTime,
    due: SimTime,
    attempts: u32,
    condition: Condition,
}

/// Counts of one function's events that are measured.
#[derive(Debug, Default)]
struct Counts {
    received: u64,
    succeeded: u64,
    dropped: BTreeMap<Condition, u64>,
    dispatched: u64,
    retries: u64,
    refusals: u64,
    queue_times: u64,
    /// By kind.
    delivered: [u64; 3],
    failed: [u64; 3],
}

struct Checker<'a> {
    scenario: &'a Scenario,
    now: SimTime,
    outcomes: VecDeque<Option<Outcome>>,
    /// Environments on which events run, without second runs of duplicates.
    environments: BTreeMap<u64, EventKey>,
    events: BTreeMap<EventKey, Event>,
    /// Deliveries that are not over.
    owed: BTreeMap<(EventKey, u8), Owed>,
    /// Functions that were just delivered to and have not yet accepted: the event that the record is of.
    to_accept: Option<(EventKey, Target)>,
    waiting: Vec<u64>,
    running: Vec<u32>,
    counts: Vec<Counts>,
    received: BTreeMap<String, u64>,
}

impl<'a> Checker<'a> {
    fn new(scenario: &'a Scenario, outcomes: VecDeque<Option<Outcome>>) -> Self {
        let functions = scenario.system.functions.len();
        Self {
            scenario,
            now: SimTime::ZERO,
            outcomes,
            environments: BTreeMap::new(),
            events: BTreeMap::new(),
            owed: BTreeMap::new(),
            to_accept: None,
            waiting: vec![0; functions],
            running: vec![0; functions],
            counts: (0..functions).map(|_| Counts::default()).collect(),
            received: BTreeMap::new(),
        }
    }

    /// A function's settings now.
    fn settings(&self, id: FunctionId) -> &'a Function {
        self.latest(id, |at, _| at)
    }

    /// Its settings of asynchronous invocation now: they take effect late (INV-E22).
    fn config(&self, id: FunctionId) -> &'a Asynchronous {
        &self.latest(id, SimTime::plus).asynchronous
    }

    /// The settings of the last change that is in effect.
    fn latest(&self, id: FunctionId, effect: impl Fn(SimTime, SimDuration) -> SimTime) -> &'a Function {
        let system = &self.scenario.system;
        let mut changes: Vec<_> = system.changes.iter().filter(|change| change.at <= self.now).collect();
        changes.sort_by_key(|change| change.at);
        let mut propagation = system.account.configuration_propagation;
        let mut latest = &system.functions[id];
        for change in changes {
            match &change.action {
                ChangeAction::Account(account) => propagation = account.configuration_propagation,
                ChangeAction::Function(function, settings)
                    if *function == id && effect(change.at, propagation) <= self.now =>
                {
                    latest = settings;
                }
                _ => {}
            }
        }
        latest
    }

    /// Whether anything about this function changes during the run.
    fn is_changed(&self, id: FunctionId) -> bool {
        let mut changes = self.scenario.system.changes.iter();
        changes.any(|change| matches!(&change.action, ChangeAction::Function(function, _) if *function == id))
    }

    /// Whether a fact tells of every failure when it happens: one that leaves before its run ends (INV-E9), and whose
    /// event then waits for its deadline, is not told of.
    fn sees_answers(&self, id: FunctionId) -> bool {
        let function = &self.scenario.system.functions[id];
        let all_do = function.extension_tail.is_zero() || function.asynchronous.expiry == Expiry::Lookahead;
        all_do && !self.is_changed(id)
    }

    /// The counts of what is measured.
    fn counts(&mut self, origin: &Origin, id: FunctionId) -> Option<&mut Counts> {
        (origin.submitted >= self.scenario.warmup).then(|| &mut self.counts[id.index()])
    }

    fn fact(&mut self, fact: &Fact) {
        match *fact {
            Fact::EventAccepted { origin, function, parent, payload_bytes } => {
                self.accepted(&origin, function, parent, payload_bytes);
            }
            Fact::EventDispatched { origin, function, accepted, queued } => {
                self.dispatched(&origin, function, accepted, queued);
            }
            Fact::Throttled { origin, .. } => self.refused(&origin, ReturnCause::Throttled),
            Fact::DispatchRefused { origin, function, status } => {
                assert!(self.has_fault(FaultAt::Dispatch(function), status), "{fact:?} without a fault");
                let cause = if status == 429 { ReturnCause::Throttled } else { ReturnCause::ServiceError };
                self.refused(&origin, cause);
            }
            Fact::EventDuplicated { origin, run, .. } => {
                let event = self.event(&origin);
                assert!(event.place == Place::Runs && event.runs == run && !event.duplicate, "{fact:?}: {event:?}");
                event.duplicate = true;
            }
            Fact::RunStarted { origin, run, environment, .. } => self.started(&origin, run, environment),
            Fact::RunEnded { origin, run, environment, .. } => self.run_ended(&origin, run, environment),
            Fact::EventReturned { origin, function, cause, due } => self.returned(&origin, function, cause, due),
            Fact::EventEnded { origin, function, accepted, condition, runs } => {
                self.event_ended(&origin, function, accepted, condition, runs);
            }
            Fact::Delivered { record, to } => self.delivered(&record, to),
            Fact::DeliveryRetried { record, to, error, due } => self.delivery_retried(&record, to, error, due),
            Fact::DeliveryFailed { record, to, error } => self.delivery_failed(&record, to, error),
            _ => {}
        }
    }

    fn event(&mut self, origin: &Origin) -> &mut Event {
        self.events.get_mut(&key(origin)).unwrap_or_else(|| panic!("{origin:?} was never accepted"))
    }

    fn accepted(&mut self, origin: &Origin, function: FunctionId, parent: Option<u32>, payload_bytes: u64) {
        assert!(payload_bytes <= 1 << 20, "{origin:?} of {payload_bytes} bytes");
        let mut chain = BTreeMap::new();
        if let Some(branch) = parent {
            let parent = (origin.caller.index(), origin.submission, branch);
            let delivered = self.to_accept.take();
            assert_eq!(delivered, Some((parent, Target::Function(function))), "{origin:?} comes from nowhere");
            chain.clone_from(&self.events[&parent].chain);
        } else {
            assert_eq!(self.scenario.system.callers[origin.caller].target, Target::Function(function));
        }
        assert_eq!(parent.is_none(), origin.branch == 0, "{origin:?}");
        *chain.entry(function).or_insert(0) += 1;
        let event = Event {
            function,
            accepted: self.now,
            payload_bytes,
            place: Place::Waits(self.now.plus(self.config(function).dispatch_latency)),
            runs: 0,
            started: SimTime::ZERO,
            outcome: None,
            errors: 0,
            refusals: 0,
            last_wait: SimDuration::ZERO,
            duplicate: false,
            chain,
        };
        assert!(self.events.insert(key(origin), event).is_none(), "{origin:?} was accepted twice");
        self.waiting[function.index()] += 1;
        if let Some(counts) = self.counts(origin, function) {
            counts.received += 1;
        }
    }

    fn dispatched(&mut self, origin: &Origin, function: FunctionId, accepted: SimTime, queued: SimTime) {
        let (now, config, settings) = (self.now, self.config(function), self.settings(function));
        let is_changed = self.is_changed(function);
        let event = self.event(origin);
        let Place::Waits(due) = event.place else { panic!("{origin:?} is dispatched and {event:?}") };
        assert!(event.function == function && event.accepted == accepted && queued <= now && queued >= accepted);
        // Only others that run may hold it back (INV-D23).
        let is_held = config.maximum_parallel_dispatch.is_some() || is_changed;
        assert!(now == due || now > due && is_held, "{origin:?}, due at {due:?}, is dispatched at {now:?}");
        assert!(now < accepted.plus(config.maximum_event_age), "{origin:?} is dispatched at {now:?}: too old");
        assert!(settings.reserved_concurrency != Some(0), "{origin:?} is dispatched with reserved concurrency 0");
        let is_loop = event.chain[&function] > RUNS_IN_A_CHAIN;
        assert!(!is_loop || settings.recursive_loop == RecursiveLoop::Allow, "{origin:?} is dispatched in a loop");
        event.place = Place::Dispatched;
        if let Some(counts) = self.counts(origin, function) {
            counts.dispatched += 1;
        }
    }

    /// A dispatch is refused, or the second run of a duplicate; a call of a client has no event.
    fn refused(&mut self, origin: &Origin, cause: ReturnCause) {
        let Some(event) = self.events.get_mut(&key(origin)) else { return };
        if event.place == Place::Runs {
            assert!(std::mem::take(&mut event.duplicate), "{origin:?} is refused and runs");
        } else {
            assert_eq!(event.place, Place::Dispatched, "{origin:?} is refused");
            event.place = Place::Refused(cause);
        }
    }

    fn started(&mut self, origin: &Origin, run: u32, environment: u64) {
        let outcome = self.outcomes.pop_front().expect("the run was seen before");
        let Some(event) = self.events.get_mut(&key(origin)) else { return };
        if event.place == Place::Runs {
            assert!(std::mem::take(&mut event.duplicate) && run == event.runs, "{origin:?} runs twice");
            return;
        }
        assert!(event.place == Place::Dispatched && run == event.runs + 1, "run {run} of {event:?}");
        (event.place, event.runs, event.started, event.outcome) = (Place::Runs, run, self.now, outcome);
        let function = event.function;
        self.environments.insert(environment, key(origin));
        self.waiting[function.index()] -= 1;
        self.running[function.index()] += 1;
        let running = self.running[function.index()];
        let limit = self.config(function).maximum_parallel_dispatch;
        let is_exact = self.sees_answers(function);
        assert!(!is_exact || limit.is_none_or(|limit| running <= limit), "{running} events run, {limit:?} may");
        if let Some(counts) = self.counts(origin, function) {
            counts.queue_times += 1;
        }
    }

    /// A run ended; its answer may have left before (INV-E9).
    fn run_ended(&mut self, origin: &Origin, run: u32, environment: u64) {
        if self.environments.remove(&environment).is_none() {
            return;
        }
        let event = &self.events[&key(origin)];
        if event.place == Place::Runs && event.runs == run {
            self.answer(origin);
            self.event(origin).place = Place::RunOver(self.now);
        }
    }

    /// The answer of a run whose end the drain cuts: only what follows says how it went.
    fn assume(&mut self, origin: &Origin, outcome: RunOutcome, ran: bool) {
        let (now, may_be_cut) = (self.now, self.scenario.drain != Drain::Settle);
        let event = self.event(origin);
        if event.place == Place::Runs && event.outcome.is_none() && may_be_cut {
            event.outcome = Some(Outcome { run: outcome, ran, ended: now });
        }
    }

    /// The answer of a run has come: what it was, where the run's end is known.
    fn answer(&mut self, origin: &Origin) {
        let tail = self.settings(self.events[&key(origin)].function).extension_tail;
        let is_changed = self.is_changed(self.events[&key(origin)].function);
        let now = self.now;
        let event = self.event(origin);
        let function = event.function;
        assert!(!event.duplicate, "{origin:?}: nothing came of a duplicate");
        let Some(outcome) = event.outcome else { panic!("{origin:?} has an answer of a run that never ended") };
        assert!(outcome.ended >= now, "{origin:?}: the answer comes after the end of the run");
        if tail.is_zero() && !is_changed {
            assert_eq!(outcome.ended, now, "{origin:?}: the answer comes before the end of the run");
        }
        if outcome.ran {
            event.refusals = 0;
            event.last_wait = SimDuration::ZERO;
            event.errors += u32::from(outcome.run != RunOutcome::Success);
        }
        self.waiting[function.index()] += 1;
        self.running[function.index()] -= 1;
    }

    /// INV-Q8, Q9, Q17: the wait before the next dispatch, and the moment that it is counted from.
    fn wait(&self, event: &Event, cause: ReturnCause) -> (SimTime, [SimDuration; 2]) {
        let config = self.config(event.function);
        let (from, wait, jitter, last) = if cause == ReturnCause::FunctionError {
            let delays = &config.retry_delays;
            let wait = delays[(event.errors as usize - 1).min(delays.len() - 1)];
            let from = if config.retry_from == RetryFrom::Start { event.started } else { self.now };
            (from, wait, config.retry_jitter, wait)
        } else {
            let backoff = &config.backoff;
            let cap = backoff.cap.map_or(f64::INFINITY, |cap| cap.as_nanos() as f64);
            let mut wait = backoff.base.as_nanos() as f64;
            for _ in 0..event.refusals {
                wait = (wait * backoff.factor).min(cap);
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole nanoseconds")]
            let wait = SimDuration::from_nanos((wait.min(cap) + 0.5) as u64);
            (self.now, wait, backoff.jitter, event.last_wait.max(backoff.base))
        };
        let base = if cause == ReturnCause::FunctionError { wait } else { config.backoff.base };
        let cap = config.backoff.cap.filter(|_| cause != ReturnCause::FunctionError).unwrap_or(SimDuration::MAX);
        let bounds = match jitter {
            Jitter::None => [wait, wait],
            Jitter::Full => [SimDuration::ZERO, wait],
            Jitter::Equal => [SimDuration::from_nanos(wait.as_nanos() / 2), wait],
            Jitter::Decorrelated => [base, last.times(3).min(cap)],
            Jitter::Share(share) => [wait, wait.plus(share.of(wait))],
        };
        let longer = |wait: SimDuration, others: u64| match config.backpressure {
            None => wait,
            Some(per) => {
                let longer = u128::from(wait.as_nanos()) * u128::from(u64::from(per) + others) / u128::from(per);
                SimDuration::from_nanos(u64::try_from(longer).unwrap_or(u64::MAX))
            }
        };
        let others = self.waiting[event.function.index()] - 1;
        // Some of those that run may have failed, and wait for their deadline until the extensions are done.
        let unseen = if self.sees_answers(event.function) { 0 } else { self.running[event.function.index()] };
        let [low, high] = bounds;
        (from, [longer(low, others), longer(high, others + u64::from(unseen))])
    }

    /// An attempt failed: what the facts before say of it, and how long the event would have to wait.
    fn failure(&mut self, origin: &Origin) -> (ReturnCause, [SimTime; 2]) {
        let place = self.event(origin).place;
        let cause = match place {
            Place::Refused(cause) => cause,
            Place::Runs | Place::RunOver(_) => {
                if place == Place::Runs {
                    self.answer(origin);
                }
                let outcome = self.event(origin).outcome.expect("checked before");
                assert_ne!(outcome.run, RunOutcome::Success, "{origin:?} succeeded");
                if outcome.ran { ReturnCause::FunctionError } else { ReturnCause::ServiceError }
            }
            Place::Waits(_) | Place::Dispatched | Place::Ended(_) => panic!("{origin:?} failed and {place:?}"),
        };
        let (from, wait) = self.wait(&self.events[&key(origin)], cause);
        let now = self.now;
        (cause, wait.map(|wait| from.plus(wait).max(now)))
    }

    fn returned(&mut self, origin: &Origin, function: FunctionId, cause: ReturnCause, due: SimTime) {
        self.assume(origin, RunOutcome::Error, cause == ReturnCause::FunctionError);
        let (expected, [low, high]) = self.failure(origin);
        assert_eq!(expected, cause, "{origin:?} goes back");
        assert!(due >= low && due <= high, "{origin:?} at {:?} is due at {due:?}, not {low:?} to {high:?}", self.now);
        let (now, config) = (self.now, self.config(function));
        let event = self.event(origin);
        assert!(due < event.accepted.plus(config.maximum_event_age), "{origin:?} will be too old at {due:?}");
        if cause == ReturnCause::FunctionError {
            assert!(event.errors <= config.maximum_retry_attempts, "{origin:?}: too many runs");
        } else {
            event.refusals += 1;
            event.last_wait = if config.backpressure.is_none() { due.since(now) } else { SimDuration::MAX };
        }
        event.place = Place::Waits(due);
        if let Some(counts) = self.counts(origin, function) {
            if cause == ReturnCause::FunctionError {
                counts.retries += 1;
            } else {
                counts.refusals += 1;
            }
        }
    }

    fn event_ended(
        &mut self,
        origin: &Origin,
        function: FunctionId,
        accepted: SimTime,
        condition: Condition,
        runs: u32,
    ) {
        let (now, config, settings) = (self.now, self.config(function), self.settings(function));
        let place = self.event(origin).place;
        assert!(!matches!(place, Place::Ended(_)), "{origin:?} ended twice: {place:?}, {condition:?}");
        let ran = runs > self.event(origin).errors;
        let outcome = if condition == Condition::Success { RunOutcome::Success } else { RunOutcome::Error };
        self.assume(origin, outcome, ran);
        match condition {
            Condition::Success => {
                if place == Place::Runs {
                    self.answer(origin);
                } else {
                    assert_eq!(place, Place::RunOver(now), "{origin:?} succeeded");
                }
                let outcome = self.event(origin).outcome.map(|outcome| outcome.run);
                assert_eq!(outcome, Some(RunOutcome::Success), "{origin:?}");
            }
            Condition::RetriesExhausted => {
                let (cause, _) = self.failure(origin);
                let errors = self.event(origin).errors;
                assert!(cause == ReturnCause::FunctionError && errors > config.maximum_retry_attempts, "{origin:?}");
            }
            Condition::EventAgeExceeded => self.too_old(origin, place, config),
            Condition::ZeroReservedConcurrency => {
                if matches!(place, Place::Runs | Place::RunOver(_)) {
                    self.failure(origin);
                }
                assert_eq!(settings.reserved_concurrency, Some(0), "{origin:?}");
            }
            Condition::RecursiveInvocation => {
                assert!(matches!(place, Place::Waits(_)), "{origin:?} is stopped as a loop: {place:?}");
                let requests = self.event(origin).chain[&function];
                assert!(requests > RUNS_IN_A_CHAIN && settings.recursive_loop == RecursiveLoop::Terminate);
            }
        }
        let event = self.event(origin);
        assert!(event.function == function && event.accepted == accepted);
        let success = condition == Condition::Success;
        assert_eq!(runs, event.errors + u32::from(success), "{origin:?}");
        assert!(event.errors <= 3, "{origin:?}: more runs than AWS ever makes");
        event.place = Place::Ended(condition);
        self.waiting[function.index()] -= 1;
        let targets = if success {
            [None, config.on_success.map(|to| (DeliveryKind::OnSuccess, to))]
        } else {
            [
                config.dead_letter_queue.map(|to| (DeliveryKind::DeadLetterQueue, to)),
                config.on_failure.map(|to| (DeliveryKind::OnFailure, to)),
            ]
        };
        for (kind, to) in targets.into_iter().flatten() {
            let due = now.plus(config.delivery.delay);
            let owed = Owed { to, ended: now, due, attempts: 0, condition };
            self.owed.insert((key(origin), kind as u8), owed);
        }
        if let Some(counts) = self.counts(origin, function) {
            if success {
                counts.succeeded += 1;
            } else {
                *counts.dropped.entry(condition).or_insert(0) += 1;
            }
        }
    }

    /// INV-Q12: too old at once, at its deadline, or when its turn comes.
    fn too_old(&mut self, origin: &Origin, place: Place, config: &Asynchronous) {
        let now = self.now;
        let deadline = self.event(origin).accepted.plus(config.maximum_event_age);
        let due = match place {
            Place::Runs => Some(self.failure(origin).1[1]),
            Place::RunOver(at) if at == now => Some(self.failure(origin).1[1]),
            Place::Refused(_) if now < deadline => Some(self.failure(origin).1[1]),
            // With `at_deadline`, it has waited since it failed.
            Place::Waits(_) | Place::RunOver(_) | Place::Refused(_) => None,
            Place::Dispatched | Place::Ended(_) => panic!("{origin:?} is too old and {place:?}"),
        };
        let function = self.event(origin).function;
        let is_changed = self.is_changed(function);
        match due {
            Some(due) => {
                assert!(due >= deadline, "{origin:?} would be due at {due:?}, before {deadline:?}");
                let is_now = config.expiry == Expiry::Lookahead || now >= deadline || is_changed;
                assert!(is_now, "{origin:?} ends before its deadline");
            }
            None => assert!(now >= deadline || is_changed, "{origin:?} is not too old at {now:?}"),
        }
    }

    fn has_fault(&self, at: FaultAt, status: u16) -> bool {
        self.scenario.system.faults.iter().any(|fault| {
            fault.at == at
                && fault.status == status
                && fault.from.is_none_or(|from| self.now >= from)
                && fault.until.is_none_or(|until| self.now < until)
        })
    }

    /// A delivery is tried, as it is owed.
    fn attempt(&mut self, record: &Record, to: Target) -> Owed {
        let place = (key(&record.origin), record.kind as u8);
        let mut owed = self.owed.remove(&place).unwrap_or_else(|| panic!("{record:?} is not owed"));
        owed.attempts += 1;
        assert_eq!((owed.to, owed.ended, owed.due), (to, record.ended, self.now), "{record:?}");
        assert_eq!(owed.condition, record.condition, "{record:?}");
        let event = &self.events[&place.0];
        let success = record.condition == Condition::Success;
        assert_eq!(event.place, Place::Ended(record.condition), "{record:?}");
        assert_eq!(record.payload_bytes, event.payload_bytes, "{record:?}");
        assert_eq!(record.function, event.function, "{record:?}");
        // INV-5.5.
        assert_eq!(record.invoke_count, if success { 1 } else { event.errors }, "{record:?}");
        let fits = match record.response {
            Response::None => record.condition != Condition::RetriesExhausted && !success,
            Response::Refused(status) => status != 200 && event.errors == 0 || status == 400,
            Response::Success(_) => success,
            Response::FunctionError { outcome, .. } => {
                outcome != RunOutcome::Success
                    && event.errors > 0
                    && matches!(record.condition, Condition::RetriesExhausted | Condition::EventAgeExceeded)
            }
        };
        assert!(fits, "{record:?} of {event:?}");
        owed
    }

    fn delivered(&mut self, record: &Record, to: Target) {
        self.attempt(record, to);
        let system = &self.scenario.system;
        let name = match to {
            Target::Queue(id) => {
                assert_eq!(system.queues[id].kind, QueueKind::Standard, "{record:?} to a FIFO queue");
                assert!(record.payload_bytes <= system.queues[id].maximum_message_size, "{record:?} is too large");
                format!("queues.{}.sent", system.queues[id].name)
            }
            Target::Topic(id) => format!("topics.{}.received", system.topics[id].name),
            Target::EventBus(id) => format!("event_buses.{}.received", system.event_buses[id].name),
            Target::Bucket(id) => format!("buckets.{}.received", system.buckets[id].name),
            Target::Stream(_) | Target::Broker(_) | Target::StateMachine(_) => {
                unreachable!("{record:?} goes to a queue, topic, bus, bucket or function")
            }
            Target::Function(_) => {
                assert_eq!(self.to_accept, None, "a delivery to a function was not accepted");
                self.to_accept = Some((key(&record.origin), to));
                String::new()
            }
        };
        if let Some(counts) = self.counts(&record.origin, record.function) {
            counts.delivered[record.kind as usize] += 1;
            *self.received.entry(name).or_insert(0) += 1;
        }
    }

    /// Whether a refusal has its reason.
    fn check_refusal(&self, record: &Record, to: Target, error: DeliveryError) {
        let is_fifo = matches!(to, Target::Queue(id) if self.scenario.system.queues[id].kind == QueueKind::Fifo);
        let fits = match error {
            DeliveryError::FifoQueue => is_fifo,
            DeliveryError::TooLarge => !is_fifo,
            DeliveryError::RecursiveInvocation => record.condition == Condition::RecursiveInvocation,
            DeliveryError::Refused(status) => match to {
                Target::Function(id) => self.has_fault(FaultAt::Invoke(id), status),
                place => self.has_fault(FaultAt::Send(place), status),
            },
        };
        assert!(fits, "{record:?} to {to:?}: {error:?}");
    }

    fn delivery_retried(&mut self, record: &Record, to: Target, error: DeliveryError, due: SimTime) {
        let mut owed = self.attempt(record, to);
        self.check_refusal(record, to, error);
        let config = self.config(record.function).delivery;
        assert!(owed.attempts < config.attempts && due == self.now.plus(config.delay), "{owed:?}");
        assert!(matches!(error, DeliveryError::Refused(_)), "{error:?} stays as it is");
        owed.due = due;
        self.owed.insert((key(&record.origin), record.kind as u8), owed);
    }

    fn delivery_failed(&mut self, record: &Record, to: Target, error: DeliveryError) {
        let owed = self.attempt(record, to);
        self.check_refusal(record, to, error);
        let attempts = self.config(record.function).delivery.attempts;
        assert!(owed.attempts >= attempts || !matches!(error, DeliveryError::Refused(_)), "{owed:?}: {error:?}");
        if let Some(counts) = self.counts(&record.origin, record.function) {
            counts.failed[record.kind as usize] += 1;
        }
    }

    /// What may be left at the end.
    fn ended(&self, at: SimTime) {
        assert_eq!(self.to_accept, None, "a delivery to a function was not accepted");
        let settles = self.scenario.drain == Drain::Settle;
        for (key, event) in &self.events {
            let over = matches!(event.place, Place::Ended(_));
            assert!(over || !settles, "{key:?} never ended: {event:?}");
            if let Place::Waits(due) = event.place {
                let held = self.config(event.function).maximum_parallel_dispatch.is_some() || settles;
                assert!(due >= at || held || self.is_changed(event.function), "{key:?} was forgotten: {event:?}");
            }
            assert_ne!(event.place, Place::Dispatched, "{key:?}: nothing came of a dispatch");
        }
        for (key, owed) in &self.owed {
            assert!(!settles && owed.due >= at, "{key:?} was not delivered: {owed:?}");
        }
    }

    /// Settings that hold throughout: each end has its delivery.
    fn check_deliveries(&self, id: FunctionId, counts: &Counts) {
        let settings = &self.scenario.system.functions[id].asynchronous;
        if self.is_changed(id) || !self.owed.is_empty() {
            return;
        }
        let of = |kind: DeliveryKind| counts.delivered[kind as usize] + counts.failed[kind as usize];
        let drops: u64 = counts.dropped.values().sum();
        let owed = |target: Option<Target>, ends: u64| if target.is_some() { ends } else { 0 };
        assert_eq!(of(DeliveryKind::DeadLetterQueue), owed(settings.dead_letter_queue, drops));
        assert_eq!(of(DeliveryKind::OnFailure), owed(settings.on_failure, drops));
        assert_eq!(of(DeliveryKind::OnSuccess), owed(settings.on_success, counts.succeeded));
    }

    fn check_summary(&self, summary: &Value) {
        for (id, function) in self.scenario.system.functions.iter() {
            let counts = &self.counts[id.index()];
            self.check_deliveries(id, counts);
            let stated = &summary["functions"][&function.name];
            let drops: u64 = counts.dropped.values().sum();
            let recursive = counts.dropped.get(&Condition::RecursiveInvocation).copied().unwrap_or(0);
            let of = |counts: &[u64; 3], kind: DeliveryKind| counts[kind as usize];
            let (delivered, failed) = (&counts.delivered, &counts.failed);
            let expected = [
                ("async_events_received", counts.received),
                ("async_events_succeeded", counts.succeeded),
                ("async_latency_ms.count", counts.succeeded),
                ("async_events_dropped", drops),
                ("async_events_pending", counts.received - counts.succeeded - drops),
                ("async_event_age_ms.count", counts.dispatched),
                ("async_queue_time_ms.count", counts.queue_times),
                ("async_retries", counts.retries),
                ("async_throttle_retries", counts.refusals),
                ("recursive_invocations_dropped", recursive),
                ("dead_letters", of(delivered, DeliveryKind::DeadLetterQueue)),
                ("dead_letter_errors", of(failed, DeliveryKind::DeadLetterQueue)),
                ("destination_deliveries.on_success", of(delivered, DeliveryKind::OnSuccess)),
                ("destination_deliveries.on_failure", of(delivered, DeliveryKind::OnFailure)),
                (
                    "destination_delivery_failures",
                    of(failed, DeliveryKind::OnSuccess) + of(failed, DeliveryKind::OnFailure),
                ),
            ];
            for (path, count) in expected {
                let found = number(stated, path);
                assert!(same(found, count as f64), "{}: {path} is {found}, the facts say {count}", function.name);
            }
            let by_condition: BTreeMap<String, u64> =
                counts.dropped.iter().map(|(condition, count)| (condition.as_str().to_owned(), *count)).collect();
            let found: BTreeMap<String, u64> =
                serde_json::from_value(stated["async_events_dropped_by_condition"].clone()).unwrap();
            assert_eq!(found, by_condition, "{}", function.name);
        }
        for (path, count) in self.received.iter().filter(|(path, _)| !path.is_empty()) {
            assert!(same(number(summary, path), *count as f64), "{path}: the facts say {count}");
        }
    }
}
