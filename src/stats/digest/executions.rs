//! What of executions enters the digest.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `Started` | now, caller, submission, machine, the parent's branch |
//! | `Transition` | now, caller, submission, machine, state, index, cause |
//! | `TransitionDelayed` | now, caller, submission, machine, state, until |
//! | `StateFailed` | now, caller, submission, machine, state, error |
//! | `RetryScheduled` | now, caller, submission, machine, state, retrier, retry, due |
//! | `Caught` | now, caller, submission, machine, state, the next state |
//! | `TaskStopped` | now, caller, submission, machine, state |
//! | `Ended` | now, caller, submission, machine, status, error, start |
//!
//! Left out because these say it all: `TaskSubmitted` (it follows from the transition; its run or refusal is there) and
//! `TaskSucceeded` (its run's end is there). A state is its place in the order in which the scenario names states; of the
//! errors of a scenario it only counts that they are its own, as names are labels.

use super::{caller, kind, submission};
use crate::aws::config::ErrorName;
use crate::aws::fact::{ExecutionFact, ExecutionStatus, Origin, TransitionCause};
use crate::aws::ids::{Id, StateMachineId, StateNameId};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Adds a fact about an execution.
pub(super) fn add_execution(digest: &mut Digest, now: SimTime, fact: &ExecutionFact) {
    let now = now.as_nanos();
    let words = |kind: u64, origin: &Origin, machine: StateMachineId, state: u64, a: u64, b: u64| {
        [kind | caller(origin), submission(origin), now, (machine.index() as u64) << 32 | state, a, b]
    };
    let state_number = |state: StateNameId| state.index() as u64;
    match *fact {
        ExecutionFact::Started { machine, ref origin, parent } => {
            let parent = parent.map_or(0, |branch| 1 << 32 | u64::from(branch));
            digest.add6(words(kind::EXECUTION_STARTED, origin, machine, 0, parent, 0));
        }
        ExecutionFact::Transition { machine, ref origin, state, index, cause } => {
            let cause = match cause {
                TransitionCause::Entered => 0,
                TransitionCause::ItemStarted => u64::MAX,
                TransitionCause::Retried(retry) => u64::from(retry),
            };
            digest.add6(words(kind::TRANSITION, origin, machine, state_number(state), u64::from(index), cause));
        }
        ExecutionFact::TransitionDelayed { machine, ref origin, state, until } => {
            digest.add6(words(kind::TRANSITION_DELAYED, origin, machine, state_number(state), until.as_nanos(), 0));
        }
        ExecutionFact::StateFailed { machine, ref origin, state, error } => {
            digest.add6(words(kind::STATE_FAILED, origin, machine, state_number(state), error_number(error), 0));
        }
        ExecutionFact::RetryScheduled { machine, ref origin, state, retrier, retry, due } => {
            let which = u64::from(retrier) << 32 | u64::from(retry);
            digest.add6(words(kind::STATE_RETRIED, origin, machine, state_number(state), which, due.as_nanos()));
        }
        ExecutionFact::Caught { machine, ref origin, state, next } => {
            digest.add6(words(kind::CAUGHT, origin, machine, state_number(state), state_number(next), 0));
        }
        ExecutionFact::TaskStopped { machine, ref origin, state } => {
            digest.add6(words(kind::TASK_STOPPED, origin, machine, state_number(state), 0, 0));
        }
        ExecutionFact::Ended { machine, ref origin, status, error, started } => {
            let end = status_number(status) | error.map_or(0, |error| error_number(error) << 8);
            digest.add6(words(kind::EXECUTION_ENDED, origin, machine, 0, end, started.as_nanos()));
        }
        ExecutionFact::TaskSubmitted { .. } | ExecutionFact::TaskSucceeded { .. } => {}
    }
}

/// Numbers of the ways in which executions end. They are part of the digest, as those below: never change one.
const fn status_number(status: ExecutionStatus) -> u64 {
    match status {
        ExecutionStatus::Succeeded => 0,
        ExecutionStatus::Failed => 1,
        ExecutionStatus::TimedOut => 2,
    }
}

const fn error_number(error: ErrorName) -> u64 {
    match error {
        ErrorName::Unnamed => 0,
        ErrorName::Custom(_) => 1,
        ErrorName::TooManyRequests => 2,
        ErrorName::ServiceException => 3,
        ErrorName::AwsLambdaException => 4,
        ErrorName::SdkClientException => 5,
        ErrorName::ClientExecutionTimeout => 6,
        ErrorName::LambdaUnknown => 7,
        ErrorName::SandboxTimedout => 8,
        ErrorName::StatesTimeout => 9,
        ErrorName::BranchFailed => 10,
        ErrorName::NoChoiceMatched => 11,
        ErrorName::ToleratedFailuresExceeded => 12,
    }
}
