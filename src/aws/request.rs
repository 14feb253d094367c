//! What the Invoke API is asked, and what it answers.

use super::environment::Waiter;
use super::fact::{Answer, Origin, RunOutcome};
use super::ids::{EnvironmentId, ErrorId, FunctionId};
use crate::kernel::time::{SimDuration, SimTime};

/// A request to run a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) function: FunctionId,
    /// Who waits for the answer.
    pub(crate) waiter: Waiter,
    /// Which attempt to invoke, 1 = first.
    pub(crate) attempt: u32,
    /// Which run of the event this would be, 1 = first.
    pub(crate) run: u32,
    /// The handler's time where a trace gives it.
    pub(crate) duration: Option<SimDuration>,
}

/// A record of a batch, as the function sees it.
pub(crate) trait Recorded {
    /// Which event it is.
    fn origin(&self) -> Origin;
    /// Runs that had it in their batch before.
    fn runs(&self) -> u32;
}

/// A request to run a function for a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchRequest<'a, R> {
    pub(crate) function: FunctionId,
    /// What the run draws by: its first record, and which run of that this would be, 1 = first.
    pub(crate) origin: Origin,
    pub(crate) run: u32,
    pub(crate) records: &'a [R],
    pub(crate) waiter: Waiter,
    /// Which attempt to invoke, 1 = first.
    pub(crate) attempt: u32,
    /// The function says which records failed.
    pub(crate) reports_failures: bool,
    /// It stops at the first failure.
    pub(crate) in_order: bool,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invoked {
    /// Refused at once.
    Refused(Reply),
    /// Running; the answer leaves at `reply_at`.
    Started { environment: EnvironmentId, reply_at: SimTime },
}

/// An answer of the Invoke API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    /// HTTP status.
    pub(crate) status: u16,
}

/// The answer of a run on its way to who waits for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    pub(crate) waiter: Waiter,
    pub(crate) origin: Origin,
    pub(crate) answer: RunAnswer,
}

/// What a run answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunAnswer {
    pub(crate) reply: Reply,
    /// How the run ended.
    pub(crate) outcome: RunOutcome,
    /// The name of its error, where the scenario gives one.
    pub(crate) error: Option<ErrorId>,
}

impl Reply {
    /// INV-Q1: the event is in the queue.
    pub(crate) const ACCEPTED: Self = Self { answer: Answer::Accepted, status: 202 };

    /// A fault of the service.
    pub(crate) fn fault(status: u16) -> Self {
        let answer = if status == 429 { Answer::Throttled } else { Answer::ServiceError };
        Self { answer, status }
    }
}
