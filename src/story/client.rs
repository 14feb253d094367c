//! The steps of a client, and what it is told.

use super::front::{is_client, retry_rule, size_rule};
use super::rules::{self, Rule};
use super::step::{LAMBDA, StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::{Budget, Caller, Invocation, Passage, Service, Target};
use crate::aws::fact::{Answer, Fact, Origin, Outcome};
use crate::kernel::time::SimTime;

/// What a client does, and what it is told.
#[allow(clippy::wildcard_enum_match_arm, reason = "the other facts are not about clients")]
pub(super) fn tell<'a>(settings: Settings<'a>, now: SimTime, origin: &Origin, fact: &Fact) -> Option<Told<'a>> {
    let caller = &settings.0.callers[origin.caller];
    let target = settings.target(caller.target);
    let written = written_word(caller.target);
    let service = caller.via.service;
    // Who sends: a service that calls for its own sake, or whoever stands behind the caller.
    let sender = if is_client(service) { service.name() } else { &caller.name };
    let told_by = |actor, kind, rule, detail| Some(Told { actor, kind, run: None, rule, detail });
    let told = |kind, rule, detail| told_by(&*caller.name, kind, rule, detail);
    let executes = matches!(caller.target, Target::StateMachine(_));
    match *fact {
        Fact::CallSubmitted { .. } => {
            let detail = submitted_words(caller, target);
            told(StepKind::Submitted, None, detail)
        }
        Fact::AttemptSent { attempt, .. } => {
            let most = most_attempts(settings, origin, now);
            let of = most.map(|most| format!(" of at most {most}")).unwrap_or_default();
            let to = if is_client(service) { String::new() } else { through(service) };
            told_by(sender, StepKind::AttemptSent, None, format!("attempt {attempt}{of} to {target}{to}"))
        }
        Fact::AttemptAnswered { attempt, answer, status, .. } => {
            let (actor, (rule, words)) = answer_of(settings, caller, answer, status);
            let detail = format!("attempt {attempt} with {status}: {words}");
            Some(Told { actor, kind: StepKind::Answered, run: None, rule, detail })
        }
        Fact::AttemptTimedOut { attempt, .. } => {
            let what = if executes { "the execution" } else { "a run" };
            let detail = format!("waiting for the answer to attempt {attempt}; {what} that it started goes on");
            let rule = match (is_client(service), executes) {
                (true, _) => Some(retry_rule(service)),
                (false, true) => None,
                (false, false) => Some(&rules::CLIENT_LEAVES),
            };
            told_by(sender, StepKind::TimedOut, rule, detail)
        }
        Fact::RetryScheduled { attempt, due, .. } => {
            let wait = length(due.saturating_since(now));
            let detail = format!("waits {wait}, attempt {attempt} is due at {}", moment(due));
            told_by(sender, StepKind::RetryScheduled, Some(retry_rule(service)), detail)
        }
        Fact::RetryQuotaExhausted { .. } => {
            let is_quota = matches!(settings.client_at(origin.caller, now).budget, Budget::Tokens { .. });
            let rule = is_quota.then_some(&rules::RETRY_QUOTA);
            told(StepKind::QuotaExhausted, rule, "its retry budget cannot pay for another attempt".to_owned())
        }
        Fact::CircuitOpen { .. } => {
            told(StepKind::CircuitOpen, None, "its circuit breaker is open, as too many calls failed".to_owned())
        }
        Fact::CallFinished { outcome, attempts, runs, .. } => {
            let after = length(now.since(origin.submitted));
            let outcome = match outcome {
                Outcome::FunctionError if executes => "the execution failed",
                outcome => outcome_words(outcome),
            };
            let attempts = plural(attempts, "attempt");
            let runs = match caller.invocation {
                _ if written.is_some() || executes => String::new(),
                Invocation::Sync => format!(" and {}", plural(runs, "run")),
                Invocation::Async => String::new(),
            };
            told(StepKind::Finished, None, format!("{outcome} after {attempts}{runs}, {after} after it began"))
        }
        _ => None,
    }
}

/// What a caller submits.
fn submitted_words(caller: &Caller, target: &str) -> String {
    let service = caller.via.service;
    let through = through(service);
    let executes = matches!(caller.target, Target::StateMachine(_));
    match (written_word(caller.target), caller.invocation) {
        (Some(written), _) => format!("{} for {target}", a(written)),
        _ if service == Service::Firehose => format!("a record for {target}{through}"),
        _ if service == Service::Cloudformation => format!("an event for {target}{through}"),
        (None, Invocation::Sync) if executes => format!("an execution of {target}, and waits for its end"),
        (None, Invocation::Async) if executes => format!("an execution of {target}, and does not wait for its end"),
        (None, Invocation::Sync) => format!("a call of {target}{through}, and waits for its result"),
        (None, Invocation::Async) => format!("an event for {target}{through}, and does not wait for its result"),
    }
}

/// Who answers an attempt, and what that means.
fn answer_of<'a>(
    settings: Settings<'a>,
    caller: &'a Caller,
    answer: Answer,
    status: u16,
) -> (&'a str, (Option<&'static Rule>, &'static str)) {
    let (target, service) = (settings.target(caller.target), caller.via.service);
    match caller.target {
        Target::Queue(_) => (target, queue_words(answer, status)),
        Target::Stream(_) | Target::Broker(_) => (target, stream_words(answer, status)),
        Target::StateMachine(_) => (target, (None, execution_words(answer))),
        Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) => (target, place_words(answer, status)),
        Target::Function(_) => match caller.via.passage {
            Passage::Door(_) => (service.name(), door_words(service, answer, status)),
            Passage::Direct | Passage::Event(_) | Passage::Firehose(_) => {
                (LAMBDA, answer_words(caller.invocation, answer, status))
            }
        },
    }
}

/// ` through SNS`; nothing of an SDK.
pub(super) fn through(service: Service) -> String {
    if service == Service::Sdk { String::new() } else { format!(" through {}", service.name()) }
}

/// How often an attempt is made at most, where a number says so.
fn most_attempts(settings: Settings<'_>, origin: &Origin, now: SimTime) -> Option<u32> {
    if let Passage::Firehose(stream) = &settings.0.callers[origin.caller].via.passage {
        return Some(stream.attempts);
    }
    let client = settings.client_at(origin.caller, now);
    match &client.policy {
        None => Some(client.max_attempts),
        Some(policy) if policy.phases.is_empty() => Some(1),
        Some(policy) => policy.maximum_retry_attempts.map(|retries| retries.saturating_add(1)),
    }
}

/// What a door answers; why, the step before says.
fn door_words(service: Service, answer: Answer, status: u16) -> (Option<&'static Rule>, &'static str) {
    match answer {
        Answer::Success | Answer::FunctionError => (None, "the result"),
        Answer::Accepted => (Some(&rules::ASYNC_ACCEPTANCE), "accepted, to run later"),
        Answer::Throttled => (None, "too many requests"),
        Answer::Rejected if status == 413 => {
            (size_rule(service).or(Some(&rules::SYNC_PAYLOAD)), "the request is too large")
        }
        Answer::Rejected => (None, "the request is refused"),
        Answer::ServiceError => (None, "an error"),
    }
}

fn answer_words(invocation: Invocation, answer: Answer, status: u16) -> (Option<&'static Rule>, &'static str) {
    match answer {
        Answer::Success => (None, "the result"),
        Answer::FunctionError => (Some(&rules::FUNCTION_ERROR), "the function failed"),
        Answer::Accepted => (Some(&rules::ASYNC_ACCEPTANCE), "accepted, to run later"),
        Answer::Throttled => (Some(&rules::THROTTLE), "throttled"),
        Answer::ServiceError => (Some(&rules::SERVICE_ERROR), "the service failed"),
        Answer::Rejected if status == 413 => match invocation {
            Invocation::Sync => (Some(&rules::SYNC_PAYLOAD), "the request is too large"),
            Invocation::Async => (Some(&rules::ASYNC_PAYLOAD), "the event is too large"),
        },
        Answer::Rejected => (Some(&rules::SERVICE_ERROR), "the request is refused"),
    }
}

/// What a queue answers.
fn queue_words(answer: Answer, status: u16) -> (Option<&'static Rule>, &'static str) {
    match answer {
        Answer::Success | Answer::Accepted => (None, "the queue has the message"),
        Answer::Throttled => (Some(&rules::FIFO_RATE), "throttled"),
        Answer::Rejected if status == 400 => (Some(&rules::MESSAGE_SIZE), "the message is too large"),
        Answer::Rejected => (None, "the message is refused"),
        Answer::ServiceError | Answer::FunctionError => (None, "the service failed"),
    }
}

/// What a stream or a broker answers.
fn stream_words(answer: Answer, status: u16) -> (Option<&'static Rule>, &'static str) {
    match answer {
        Answer::Success | Answer::Accepted => (None, "it is stored"),
        Answer::Throttled => (Some(&rules::WRITE_LIMIT), "throttled"),
        Answer::Rejected if status == 400 => (Some(&rules::RECORD_SIZE), "the record is too large"),
        Answer::Rejected => (None, "it is refused"),
        Answer::ServiceError | Answer::FunctionError => (None, "the service failed"),
    }
}

/// What a state machine answers.
const fn execution_words(answer: Answer) -> &'static str {
    match answer {
        Answer::Success => "the execution succeeded",
        Answer::FunctionError => "the execution did not succeed",
        Answer::Accepted => "the execution has begun",
        Answer::Throttled => "throttled",
        Answer::ServiceError => "the service failed",
        Answer::Rejected => "the request is refused",
    }
}

/// What a topic, an event bus or a bucket answers.
fn place_words(answer: Answer, status: u16) -> (Option<&'static Rule>, &'static str) {
    match answer {
        Answer::Success | Answer::Accepted => (None, "it is there"),
        Answer::Throttled => (None, "throttled"),
        Answer::Rejected if status == 400 => (None, "it is too large"),
        Answer::Rejected => (None, "it is refused"),
        Answer::ServiceError | Answer::FunctionError => (None, "the service failed"),
    }
}

/// `a message`, `an object`.
pub(super) fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// What is written to a target; nothing for a function, which is called.
pub(super) const fn written_word(target: Target) -> Option<&'static str> {
    match target {
        Target::Queue(_) | Target::Broker(_) | Target::Topic(_) => Some("message"),
        Target::Stream(_) => Some("record"),
        Target::EventBus(_) => Some("event"),
        Target::Bucket(_) => Some("object"),
        Target::Function(_) | Target::StateMachine(_) => None,
    }
}

/// How a call ended, in words.
pub(super) const fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::FunctionError => "the function failed",
        Outcome::Throttled => "throttled",
        Outcome::Timeout => "no answer in time",
        Outcome::ServiceError => "the service failed",
        Outcome::Accepted => "accepted",
        Outcome::Rejected => "rejected",
    }
}
