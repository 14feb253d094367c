//! What of the calls of runs and of dependencies enters the digest.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `Submitted` | now, caller, submission, function, run |
//! | `AttemptTimedOut`, `RetryScheduled`, `RetryQuotaExhausted`, `CircuitOpen` | now, caller, submission, function, attempt, due |
//! | `Finished` | now, caller, submission, function, outcome, attempts, whether it fails the run |
//! | `Arrived` | now, caller, submission, dependency, attempt |
//! | `Rejected` | now, caller, submission, dependency, attempt, reason |
//! | `ServiceStarted` | now, caller, submission, dependency, attempt, how long it waited |
//! | `Served` | now, caller, submission, dependency, attempt, failed, answered |
//! | `Abandoned` | now, caller, submission, dependency, attempt, timed out, gone |
//! | `Connections` | now, dependency, how many |
//!
//! "Submission" is that of the call: its number and its branch. `AttemptSent` and `AttemptAnswered` follow from the others.

use super::{caller, kind, outcome_number, submission};
use crate::aws::fact::{DependencyFact, Origin, OutgoingFact, Rejection};
use crate::aws::ids::{DependencyId, FunctionId, Id};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Adds a fact about a call of a run.
pub(super) fn add_outgoing(digest: &mut Digest, now: SimTime, fact: &OutgoingFact) {
    let mut add = |kind: u64, function: FunctionId, call: &Origin, what: u64, more: u64| {
        let place = (function.index() as u64) << 32 | what;
        digest.add6([kind | caller(call), submission(call), now.as_nanos(), place, more, 0]);
    };
    match *fact {
        OutgoingFact::Submitted { function, run, call, .. } => {
            add(kind::OUTGOING_SUBMITTED, function, &call, u64::from(run), 0);
        }
        OutgoingFact::AttemptTimedOut { function, call, attempt } => {
            add(kind::OUTGOING_TIMED_OUT, function, &call, u64::from(attempt), 0);
        }
        OutgoingFact::RetryScheduled { function, call, attempt, due } => {
            add(kind::OUTGOING_RETRY, function, &call, u64::from(attempt), due.as_nanos());
        }
        OutgoingFact::RetryQuotaExhausted { function, call } => add(kind::OUTGOING_QUOTA, function, &call, 0, 0),
        OutgoingFact::CircuitOpen { function, call } => add(kind::OUTGOING_OPEN, function, &call, 0, 0),
        OutgoingFact::Finished { function, call, outcome, attempts, fails_run, .. } => {
            let how = outcome.map_or(255, outcome_number) | u64::from(fails_run) << 8;
            add(kind::OUTGOING_FINISHED, function, &call, u64::from(attempts), how);
        }
        OutgoingFact::AttemptSent { .. } | OutgoingFact::AttemptAnswered { .. } => {}
    }
}

/// Adds a fact about a dependency.
pub(super) fn add_dependency(digest: &mut Digest, now: SimTime, fact: &DependencyFact) {
    let mut add = |kind: u64, dependency: DependencyId, call: &Origin, attempt: u32, more: u64| {
        let place = (dependency.index() as u64) << 32 | u64::from(attempt);
        digest.add6([kind | caller(call), submission(call), now.as_nanos(), place, more, 0]);
    };
    match *fact {
        DependencyFact::Arrived { dependency, call, attempt, .. } => {
            add(kind::REQUEST_ARRIVED, dependency, &call, attempt, 0);
        }
        DependencyFact::Rejected { dependency, call, attempt, reason } => {
            add(kind::REQUEST_REJECTED, dependency, &call, attempt, reason_number(reason));
        }
        DependencyFact::ServiceStarted { dependency, call, attempt, waited, .. } => {
            add(kind::REQUEST_IN_SERVICE, dependency, &call, attempt, waited.as_nanos());
        }
        DependencyFact::Served { dependency, call, attempt, failed, answered, .. } => {
            let how = u64::from(failed) | u64::from(answered) << 1;
            add(kind::REQUEST_SERVED, dependency, &call, attempt, how);
        }
        DependencyFact::Abandoned { dependency, call, attempt, timed_out, gone, .. } => {
            let how = u64::from(timed_out) | u64::from(gone) << 1;
            add(kind::REQUEST_ABANDONED, dependency, &call, attempt, how);
        }
        DependencyFact::Connections { dependency, open } => {
            let place = (dependency.index() as u64) << 32 | u64::from(open);
            digest.add4([kind::CONNECTIONS, 0, now.as_nanos(), place]);
        }
    }
}

const fn reason_number(reason: Rejection) -> u64 {
    match reason {
        Rejection::QueueFull => 0,
        Rejection::RateLimit => 1,
        Rejection::ConnectionLimit => 2,
    }
}
