//! The steps of runs, and of throttles.

use std::fmt::Write as _;

use super::rules;
use super::step::{StepKind, Told, by_lambda};
use super::words::{Settings, length, moment};
use crate::aws::fact::{Capacity, Fact, InitPhase, RunOutcome, ThrottleReason};
use crate::aws::ids::{ErrorId, FunctionId};
use crate::kernel::time::{SimDuration, SimTime};

/// A run, or why there is none. `is_duplicated` says whether two runs have one number.
#[allow(clippy::wildcard_enum_match_arm, reason = "the other facts are not about runs")]
pub(super) fn tell<'a>(settings: Settings<'a>, now: SimTime, is_duplicated: bool, fact: &Fact) -> Option<Told<'a>> {
    Some(match *fact {
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
            let place = is_duplicated.then_some(environment);
            let ended = Ended { lasted: now.since(started), place, inits, outcome, error, abandoned };
            run_ended(settings, function, run, &ended)
        }
        _ => return None,
    })
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
        Capacity::Reserved | Capacity::Unreserved | Capacity::Edge => (cold.then_some(&rules::COLD_START), ""),
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
