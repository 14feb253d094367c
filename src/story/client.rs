//! The steps of a client, and what it is told.

use super::rules::{self, Rule};
use super::step::{LAMBDA, StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::{Budget, Invocation, Target};
use crate::aws::fact::{Answer, Fact, Origin, Outcome};
use crate::kernel::time::SimTime;

/// What a client does, and what it is told.
#[allow(clippy::wildcard_enum_match_arm, reason = "the other facts are not about clients")]
pub(super) fn tell<'a>(settings: Settings<'a>, now: SimTime, origin: &Origin, fact: &Fact) -> Option<Told<'a>> {
    let caller = &settings.0.callers[origin.caller];
    let target = settings.target(caller.target);
    let written = written_word(caller.target);
    let told = |kind, rule, detail| Some(Told { actor: &caller.name, kind, run: None, rule, detail });
    match *fact {
        Fact::CallSubmitted { .. } => {
            let detail = match caller.invocation {
                _ if written.is_some() => format!("a {} for {target}", written.unwrap_or_default()),
                Invocation::Sync => format!("a call of {target}, and waits for its result"),
                Invocation::Async => format!("an event for {target}, and does not wait for its result"),
            };
            told(StepKind::Submitted, None, detail)
        }
        Fact::AttemptSent { attempt, .. } => {
            let most = settings.client_at(origin.caller, now).max_attempts;
            told(StepKind::AttemptSent, None, format!("attempt {attempt} of at most {most} to {target}"))
        }
        Fact::AttemptAnswered { attempt, answer, status, .. } => {
            let (actor, (rule, words)) = match caller.target {
                Target::Queue(_) => (target, queue_words(answer, status)),
                Target::Stream(_) | Target::Broker(_) => (target, stream_words(answer, status)),
                _ => (LAMBDA, answer_words(caller.invocation, answer, status)),
            };
            let detail = format!("attempt {attempt} with {status}: {words}");
            Some(Told { actor, kind: StepKind::Answered, run: None, rule, detail })
        }
        Fact::AttemptTimedOut { attempt, .. } => {
            let detail = format!("waiting for the answer to attempt {attempt}; a run that it started goes on");
            told(StepKind::TimedOut, Some(&rules::CLIENT_LEAVES), detail)
        }
        Fact::RetryScheduled { attempt, due, .. } => {
            let wait = length(due.saturating_since(now));
            let detail = format!("waits {wait}, attempt {attempt} is due at {}", moment(due));
            told(StepKind::RetryScheduled, Some(&rules::CLIENT_RETRIES), detail)
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
            let (outcome, attempts) = (outcome_words(outcome), plural(attempts, "attempt"));
            let runs = match caller.invocation {
                _ if written.is_some() => String::new(),
                Invocation::Sync => format!(" and {}", plural(runs, "run")),
                Invocation::Async => String::new(),
            };
            told(StepKind::Finished, None, format!("{outcome} after {attempts}{runs}, {after} after it began"))
        }
        _ => None,
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

/// What is written to a target; nothing for a function, which is called.
pub(super) const fn written_word(target: Target) -> Option<&'static str> {
    match target {
        Target::Queue(_) | Target::Broker(_) => Some("message"),
        Target::Stream(_) => Some("record"),
        Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) | Target::Function(_) => None,
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
