//! What is said of calls that runs make, and of the dependencies behind them.

use super::{Answer, Origin, Outcome};
use crate::aws::config::CallTarget;
use crate::aws::ids::{DependencyId, FunctionId};
use crate::kernel::time::{SimDuration, SimTime};

/// Something that a call of a run did. Each call has a branch of its own, the same in every attempt and in every run of the
/// event that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutgoingFact {
    /// A run makes a call.
    Submitted {
        /// The function that calls.
        function: FunctionId,
        /// The event of its run.
        origin: Origin,
        /// Which run of that event.
        run: u32,
        /// The call.
        call: Origin,
        /// What is called.
        to: CallTarget,
    },
    /// The client sent an attempt.
    AttemptSent {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
        /// 1 = first.
        attempt: u32,
    },
    /// An attempt was answered.
    AttemptAnswered {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
        /// 1 = first.
        attempt: u32,
        /// What the answer says.
        answer: Answer,
        /// HTTP status of the answer.
        status: u16,
    },
    /// The client gave up waiting for an attempt.
    AttemptTimedOut {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
        /// 1 = first.
        attempt: u32,
    },
    /// The client will try again.
    RetryScheduled {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
        /// The attempt to come.
        attempt: u32,
        /// When it is due.
        due: SimTime,
    },
    /// The client would have tried again, but its retry budget was used up.
    RetryQuotaExhausted {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
    },
    /// The circuit breaker was open, so an attempt was not sent.
    CircuitOpen {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
    },
    /// A call ended.
    Finished {
        /// The function that calls.
        function: FunctionId,
        /// The call.
        call: Origin,
        /// How; none: its run ended before, for another reason.
        outcome: Option<Outcome>,
        /// Attempts sent.
        attempts: u32,
        /// Whether this fails the run.
        fails_run: bool,
        /// When it was made.
        submitted: SimTime,
    },
}

/// Something that happened at a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyFact {
    /// A request came, and was not refused: it waits, or is in service at once.
    Arrived {
        /// Where.
        dependency: DependencyId,
        /// The call.
        call: Origin,
        /// Which attempt of it.
        attempt: u32,
        /// Requests that wait from now on.
        queued: u32,
    },
    /// A request was refused.
    Rejected {
        /// Where.
        dependency: DependencyId,
        /// The call.
        call: Origin,
        /// Which attempt of it.
        attempt: u32,
        /// Why.
        reason: Rejection,
    },
    /// A request has waited long enough and is in service.
    ServiceStarted {
        /// Where.
        dependency: DependencyId,
        /// The call.
        call: Origin,
        /// Which attempt of it.
        attempt: u32,
        /// How long it waited.
        waited: SimDuration,
        /// Requests in service from now on.
        in_service: u32,
        /// Requests that wait from now on.
        queued: u32,
    },
    /// A request left service.
    Served {
        /// Where.
        dependency: DependencyId,
        /// The call.
        call: Origin,
        /// Which attempt of it.
        attempt: u32,
        /// When it came.
        arrived: SimTime,
        /// Whether it failed.
        failed: bool,
        /// Whether somebody waited for it and got an answer; a request that hangs is never answered.
        answered: bool,
        /// Requests in service from now on.
        in_service: u32,
    },
    /// A client gave up: by its time-out, or because its run ended.
    Abandoned {
        /// Where.
        dependency: DependencyId,
        /// The call.
        call: Origin,
        /// Which attempt of it.
        attempt: u32,
        /// Whether that was the client's time-out.
        timed_out: bool,
        /// Whether the request is gone; else it goes on for nobody.
        gone: bool,
        /// Whether it had left service and was never answered.
        silent: bool,
        /// Requests in service from now on.
        in_service: u32,
        /// Requests that wait from now on.
        queued: u32,
    },
    /// Connections were opened or closed.
    Connections {
        /// Where.
        dependency: DependencyId,
        /// Open from now on.
        open: u32,
    },
}

/// Why a dependency refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Its waiting line is full (503).
    QueueFull,
    /// More requests a second than it takes (429).
    RateLimit,
    /// All its connections are in use (503).
    ConnectionLimit,
}
