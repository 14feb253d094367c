//! What is said of events in the internal queue and of their ends.

use super::{Origin, RunOutcome};
use crate::aws::ids::{ErrorId, FunctionId};
use crate::kernel::time::SimTime;

/// Why an event goes back to its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnCause {
    /// INV-Q7: a run ended in a function error; this uses up one of the retry attempts.
    FunctionError,
    /// INV-Q9: no concurrency.
    Throttled,
    /// INV-Q9: a failure of the service.
    ServiceError,
}

/// How an event in the internal queue ended, in AWS's words (INV-5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// A run succeeded.
    Success,
    /// INV-Q7.
    RetriesExhausted,
    /// INV-Q11, Q12.
    EventAgeExceeded,
    /// INV-5.6.
    ZeroReservedConcurrency,
    /// INV-Q15, 5.7.
    RecursiveInvocation,
}

impl Condition {
    /// All ways to end without success.
    pub const DROPS: [Self; 4] =
        [Self::RetriesExhausted, Self::EventAgeExceeded, Self::ZeroReservedConcurrency, Self::RecursiveInvocation];

    /// The condition in AWS's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
            Self::RecursiveInvocation => "RecursiveInvocation",
        }
    }
}

/// What a dead-letter queue or destination is told of an event (INV-5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which event.
    pub origin: Origin,
    /// The function.
    pub function: FunctionId,
    /// Why it is delivered.
    pub kind: DeliveryKind,
    /// When the event ended.
    pub ended: SimTime,
    /// How the event ended.
    pub condition: Condition,
    /// INV-5.5 `approximateInvokeCount`.
    pub invoke_count: u32,
    /// What the last run, or the last refusal, answered.
    pub response: Response,
    /// Size of the event, bytes.
    pub payload_bytes: u64,
}

/// Which of a function's settings asks for a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// `dead_letter_queue`.
    DeadLetterQueue,
    /// `on_failure`.
    OnFailure,
    /// `on_success`.
    OnSuccess,
}

/// The last answer that an event got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// None: it was never dispatched, or its end does not say (INV-5.5).
    None,
    /// Refused: 429 or 5xx; the handler did not run.
    Refused(u16),
    /// The function's result, of so many bytes.
    Success(u64),
    /// The function failed.
    FunctionError {
        /// How.
        outcome: RunOutcome,
        /// The name of the error, where the scenario gives one.
        error: Option<ErrorId>,
    },
}

/// Why a delivery is refused (INV-O4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryError {
    /// The target's service answered with this status.
    Refused(u16),
    /// The record is larger than the target takes.
    TooLarge,
    /// The target is a FIFO queue.
    FifoQueue,
    /// INV-5.7: the target is a function that this chain of requests may not invoke again.
    RecursiveInvocation,
}
