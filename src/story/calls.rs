//! The steps of calls that runs make, and of the dependencies behind them.

use super::client::outcome_words;
use super::step::{StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::CallTarget;
use crate::aws::fact::{Answer, DependencyFact, Origin, OutgoingFact, Rejection};
use crate::aws::ids::FunctionId;
use crate::kernel::time::SimTime;

/// The event that a fact about a call is about: that of the run which makes it, then the call itself.
pub(super) const fn outgoing_origin(fact: &OutgoingFact) -> &Origin {
    match fact {
        OutgoingFact::Submitted { call, .. }
        | OutgoingFact::AttemptSent { call, .. }
        | OutgoingFact::AttemptAnswered { call, .. }
        | OutgoingFact::AttemptTimedOut { call, .. }
        | OutgoingFact::RetryScheduled { call, .. }
        | OutgoingFact::RetryQuotaExhausted { call, .. }
        | OutgoingFact::CircuitOpen { call, .. }
        | OutgoingFact::Finished { call, .. } => call,
    }
}

/// The call that a fact about a dependency is about, if it is about one.
pub(super) const fn dependency_origin(fact: &DependencyFact) -> Option<&Origin> {
    match fact {
        DependencyFact::Arrived { call, .. }
        | DependencyFact::Rejected { call, .. }
        | DependencyFact::ServiceStarted { call, .. }
        | DependencyFact::Served { call, .. }
        | DependencyFact::Abandoned { call, .. } => Some(call),
        DependencyFact::Connections { .. } => None,
    }
}

/// What a call of a run does.
pub(super) fn tell_outgoing<'a>(settings: Settings<'a>, now: SimTime, fact: &OutgoingFact) -> Told<'a> {
    let told = |function: FunctionId, kind, detail| Told {
        actor: settings.function(function),
        kind,
        run: None,
        rule: None,
        detail,
    };
    match *fact {
        OutgoingFact::Submitted { function, run, to, .. } => {
            let detail = format!("a call of {} in run {run}", target(settings, to));
            told(function, StepKind::Submitted, detail)
        }
        OutgoingFact::AttemptSent { function, attempt, .. } => {
            told(function, StepKind::AttemptSent, format!("attempt {attempt} of its call"))
        }
        OutgoingFact::AttemptAnswered { function, attempt, answer, status, .. } => {
            let detail = format!("attempt {attempt} of its call with {status}: {}", answer_words(answer));
            told(function, StepKind::CallAnswered, detail)
        }
        OutgoingFact::AttemptTimedOut { function, attempt, .. } => {
            let detail = format!("waiting for the answer to attempt {attempt} of its call");
            told(function, StepKind::TimedOut, detail)
        }
        OutgoingFact::RetryScheduled { function, attempt, due, .. } => {
            let wait = length(due.saturating_since(now));
            let detail = format!("waits {wait}, attempt {attempt} of its call is due at {}", moment(due));
            told(function, StepKind::RetryScheduled, detail)
        }
        OutgoingFact::RetryQuotaExhausted { function, .. } => {
            told(function, StepKind::QuotaExhausted, "the call's retry budget is used up".to_owned())
        }
        OutgoingFact::CircuitOpen { function, .. } => {
            told(function, StepKind::CircuitOpen, "the call's circuit breaker is open in this environment".to_owned())
        }
        OutgoingFact::Finished { function, outcome, attempts, fails_run, submitted, .. } => {
            let how = outcome.map_or("its run ended first,", outcome_words);
            let after = length(now.since(submitted));
            let run = if fails_run { "; this fails the run" } else { "" };
            let detail = format!("the call: {how} after {}, {after} after it began{run}", plural(attempts, "attempt"));
            told(function, StepKind::Finished, detail)
        }
    }
}

/// What happens at a dependency.
pub(super) fn tell_dependency<'a>(settings: Settings<'a>, now: SimTime, fact: &DependencyFact) -> Option<Told<'a>> {
    let (dependency, kind, detail) = match *fact {
        DependencyFact::Arrived { dependency, queued: 0, .. } => {
            (dependency, StepKind::RequestTaken, "the request is taken at once".to_owned())
        }
        DependencyFact::Arrived { dependency, queued, .. } => {
            let detail = format!("the request waits, {}", ordinal(queued));
            (dependency, StepKind::RequestTaken, detail)
        }
        DependencyFact::Rejected { dependency, reason, .. } => {
            let why = match reason {
                Rejection::QueueFull => "its waiting line is full (503)",
                Rejection::RateLimit => "more requests a second than it takes (429)",
                Rejection::ConnectionLimit => "all its connections are in use (503)",
            };
            (dependency, StepKind::RequestRejected, why.to_owned())
        }
        DependencyFact::ServiceStarted { dependency, waited, in_service, .. } => {
            let detail = format!("after {}, with {in_service} in service", length(waited));
            (dependency, StepKind::RequestInService, detail)
        }
        DependencyFact::Served { dependency, arrived, failed, answered, .. } => {
            let how = if failed { "it failed" } else { "success" };
            let who = if answered { "" } else { "; nobody hears of it" };
            let detail = format!("{how}, {} after it came{who}", length(now.since(arrived)));
            (dependency, StepKind::RequestServed, detail)
        }
        DependencyFact::Abandoned { dependency, timed_out, gone, .. } => {
            let who = if timed_out { "its client gave up" } else { "the run that waited has ended" };
            let then = if gone { "it is gone" } else { "it goes on for nobody" };
            (dependency, StepKind::RequestAbandoned, format!("{who}; {then}"))
        }
        DependencyFact::Connections { .. } => return None,
    };
    Some(Told { actor: settings.dependency(dependency), kind, run: None, rule: None, detail })
}

fn target(settings: Settings<'_>, to: CallTarget) -> &str {
    match to {
        CallTarget::Dependency(id) => settings.dependency(id),
        CallTarget::Function(id, _) => settings.function(id),
        CallTarget::Send(to) => settings.target(to),
    }
}

const fn answer_words(answer: Answer) -> &'static str {
    match answer {
        Answer::Success => "success",
        Answer::Accepted => "accepted",
        Answer::FunctionError => "the function failed",
        Answer::Throttled => "throttled",
        Answer::ServiceError => "the service failed",
        Answer::Rejected => "refused",
    }
}

/// How many wait, this one included.
fn ordinal(queued: u32) -> String {
    format!("number {queued} in the line")
}
