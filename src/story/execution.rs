//! The steps of executions of state machines, and of their tasks.

use std::fmt::Write as _;

use super::rules::{self, Rule};
use super::step::{StepKind, Told};
use super::words::{Settings, length, moment};
use crate::aws::config::ErrorName;
use crate::aws::fact::{ExecutionFact, ExecutionStatus, TransitionCause};
use crate::aws::ids::{StateMachineId, StateNameId};
use crate::kernel::time::SimTime;

/// What happens in an execution.
pub(super) fn tell<'a>(settings: Settings<'a>, now: SimTime, fact: &ExecutionFact) -> Told<'a> {
    let name = |state: StateNameId| settings.state(state);
    let (kind, rule, detail) = match *fact {
        ExecutionFact::Started { .. } => (StepKind::ExecutionStarted, None, "an execution".to_owned()),
        ExecutionFact::Transition { state, index, cause, .. } => transition(name(state), index, cause),
        ExecutionFact::TransitionDelayed { state, until, .. } => {
            let wait = length(until.saturating_since(now));
            let detail = format!("{wait}, until {}, to go on with {}", moment(until), name(state));
            (StepKind::TransitionDelayed, Some(&rules::TRANSITION_LIMIT), detail)
        }
        ExecutionFact::TaskSubmitted { state, index, function, attempt, .. } => {
            let state = with_item(name(state), index);
            let detail = format!("{} for {state}, attempt {attempt}", settings.function(function));
            (StepKind::TaskSubmitted, None, detail)
        }
        ExecutionFact::TaskSucceeded { state, .. } => (StepKind::TaskSucceeded, None, name(state).to_owned()),
        ExecutionFact::TaskStopped { state, .. } => {
            let detail = format!("{}: it waits no longer, and the run goes on", name(state));
            (StepKind::TaskStopped, Some(&rules::BRANCHES), detail)
        }
        ExecutionFact::StateFailed { state, error, .. } => {
            let detail = format!("{}: {}", name(state), error.shown(&settings.0.errors));
            (StepKind::StateFailed, of_error(error), detail)
        }
        ExecutionFact::RetryScheduled { machine, state, retrier, retry, due, .. } => {
            let detail = retry_words(settings, (machine, state), (retrier, retry), now, due);
            (StepKind::RetryScheduled, Some(&rules::RETRIERS), detail)
        }
        ExecutionFact::Caught { state, next, .. } => {
            let detail = format!("after {} it goes on with {}", name(state), name(next));
            (StepKind::Caught, Some(&rules::CATCHERS), detail)
        }
        ExecutionFact::Ended { status, error, started, .. } => {
            let mut detail = status.as_str().to_owned();
            if let Some(error) = error.filter(|_| status == ExecutionStatus::Failed) {
                let _ = write!(detail, " ({})", error.shown(&settings.0.errors));
            }
            let _ = write!(detail, ", {} after it began", length(now.since(started)));
            let rule = match status {
                ExecutionStatus::Succeeded => None,
                ExecutionStatus::Failed => Some(&rules::CATCHERS),
                ExecutionStatus::TimedOut => Some(&rules::TASK_TIMEOUT),
            };
            (StepKind::ExecutionEnded, rule, detail)
        }
    };
    let (machine, _) = fact.about();
    Told { actor: settings.state_machine(machine), kind, run: None, rule, detail }
}

fn transition(state: &str, index: u32, cause: TransitionCause) -> (StepKind, Option<&'static Rule>, String) {
    match cause {
        TransitionCause::Entered => (StepKind::StateEntered, None, with_item(state, index)),
        TransitionCause::Retried(retry) => {
            let detail = format!("{}, for the {} time", with_item(state, index), ordinal(retry));
            (StepKind::StateRetried, Some(&rules::TRANSITIONS), detail)
        }
        TransitionCause::ItemStarted => {
            let detail = format!("item {} of {state}, in an execution of its own", u64::from(index) + 1);
            (StepKind::ItemStarted, Some(&rules::MAPS), detail)
        }
    }
}

/// `images/item/resize, item 3`.
fn with_item(state: &str, index: u32) -> String {
    let mut steps = state.rsplit('/').skip(1);
    if steps.next() == Some("item") { format!("{state}, item {}", u64::from(index) + 1) } else { state.to_owned() }
}

/// `1st`, `2nd`, `11th`.
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `charge in 2 s, at 3.1 s: retry 2 of at most 3`.
fn retry_words(
    settings: Settings<'_>,
    (machine, state): (StateMachineId, StateNameId),
    (retrier, retry): (u32, u32),
    now: SimTime,
    due: SimTime,
) -> String {
    let wait = length(due.saturating_since(now));
    let mut words = format!("{} in {wait}, at {}: retry {retry}", settings.state(state), moment(due));
    // An execution that began before a change of its machine may have another limit.
    let changed = settings.0.changes.iter().any(|change| change.action.state_machine().is_some());
    let states = settings.0.state_machines[machine].states.rows();
    let retriers = states.iter().find(|row| row.name == state).map(|row| &row.retry);
    if let Some(retriers) = retriers.filter(|_| !changed)
        && let Some(own) = retriers.get(retrier as usize)
    {
        let _ = write!(words, " of at most {}", own.max_attempts);
        if retriers.len() > 1 {
            let _ = write!(words, " by its {} retrier", ordinal(retrier + 1));
        }
    }
    words
}

/// The rule that gives an error its name.
const fn of_error(error: ErrorName) -> Option<&'static Rule> {
    match error {
        ErrorName::TooManyRequests
        | ErrorName::ServiceException
        | ErrorName::AwsLambdaException
        | ErrorName::SdkClientException
        | ErrorName::ClientExecutionTimeout
        | ErrorName::LambdaUnknown
        | ErrorName::SandboxTimedout => Some(&rules::ERROR_NAMES),
        ErrorName::StatesTimeout => Some(&rules::TASK_TIMEOUT),
        ErrorName::BranchFailed => Some(&rules::BRANCHES),
        ErrorName::ToleratedFailuresExceeded => Some(&rules::MAPS),
        ErrorName::NoChoiceMatched | ErrorName::Custom(_) | ErrorName::Unnamed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_items_say_which() {
        for (state, text) in [
            ("charge", "charge"),
            ("ship/0/label", "ship/0/label"),
            ("images/item/resize", "images/item/resize, item 3"),
            ("images/item/both/1/resize", "images/item/both/1/resize"),
        ] {
            assert_eq!(with_item(state, 2), text);
        }
    }

    #[test]
    fn ordinals() {
        let ordinals = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal);
        assert_eq!(ordinals, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
    }
}
