//! The steps of an event in the internal queue of its function.

use std::fmt::Write as _;

use super::rules;
use super::step::{StepKind, Told, by_lambda};
use super::words::{Settings, length, moment, plural};
use crate::aws::fact::{Condition, Fact, ReturnCause};
use crate::aws::ids::FunctionId;
use crate::kernel::time::{SimDuration, SimTime};

/// How often an event was asked to run before, and went back for a function error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    pub(super) dispatches: u32,
    pub(super) retries: u32,
}

/// What an event comes from that no caller sent.
#[derive(Clone, Debug)]
pub(super) enum Parent {
    /// The event whose record it is.
    Record(String),
    /// The topic, event bus or bucket that sent it.
    Place(String),
}

/// What the internal queue does with an event. `parent` is what it comes from, if no caller sent it.
#[allow(clippy::wildcard_enum_match_arm, reason = "the other facts are not about the internal queue")]
pub(super) fn tell<'a>(
    settings: Settings<'a>,
    now: SimTime,
    tries: Tries,
    parent: Option<Parent>,
    fact: &Fact,
) -> Option<Told<'a>> {
    Some(match *fact {
        Fact::EventAccepted { function, payload_bytes, .. } => {
            accepted(settings.function(function), parent, payload_bytes)
        }
        Fact::EventDispatched { accepted, queued, .. } => dispatched(now, accepted, queued, tries.dispatches == 1),
        Fact::DispatchRefused { status, .. } => {
            let detail = format!("status {status}, a failure of the service; the handler does not run");
            by_lambda(StepKind::Refused, Some(&rules::SERVICE_ERROR), detail)
        }
        Fact::EventDuplicated { run, .. } => {
            let detail = format!("run {run}: it is started once more beside it, and that result decides nothing");
            Told { run: Some(run), ..by_lambda(StepKind::Duplicated, Some(&rules::DUPLICATES), detail) }
        }
        Fact::EventReturned { function, cause, due, .. } => {
            returned(settings, now, function, cause, due, tries.retries)
        }
        Fact::EventEnded { function, accepted, condition, runs, .. } => {
            event_ended(settings, now, function, now.since(accepted), condition, runs)
        }
        _ => return None,
    })
}

fn accepted(function: &str, parent: Option<Parent>, bytes: u64) -> Told<'static> {
    let mut detail = format!("{bytes} bytes, into the internal queue of {function}");
    let rule = match parent {
        None => &rules::ASYNC_ACCEPTANCE,
        Some(Parent::Place(place)) => {
            let _ = write!(detail, ": from {place}");
            &rules::ASYNC_ACCEPTANCE
        }
        Some(Parent::Record(event)) => {
            let _ = write!(detail, ": the record of {event}");
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
