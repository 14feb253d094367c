//! What is said of services that stand before a function.

use super::{Answer, Origin};
use crate::aws::config::Target;
use crate::aws::ids::CallerId;
use crate::kernel::time::SimTime;

/// Something that a service before a function did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontFact {
    /// A door refused an attempt: over its rate (INV-A2), or over its concurrency.
    Limited {
        /// Which call.
        origin: Origin,
        /// Which attempt.
        attempt: u32,
        /// Whether its concurrency was used up, and not its rate.
        concurrency: bool,
    },
    /// A door has waited long enough for a function, which runs on (INV-A4).
    TimedOut {
        /// Which call.
        origin: Origin,
        /// Which attempt.
        attempt: u32,
    },
    /// A door answers an attempt with a status of its own for what Lambda said.
    Translated {
        /// Which call.
        origin: Origin,
        /// Which attempt.
        attempt: u32,
        /// What Lambda answered.
        answer: Answer,
        /// What the client gets.
        status: u16,
    },
    /// A service invokes later what happened now: a delay of S3, a flexible window.
    Delayed {
        /// Which call.
        origin: Origin,
        /// Until when.
        until: SimTime,
    },
    /// `CloudFormation` waits for the function to call back.
    CallbackAwaited {
        /// Which call.
        origin: Origin,
        /// Until when.
        until: SimTime,
    },
    /// The function called back.
    CalledBack {
        /// Which call.
        origin: Origin,
    },
    /// Nobody called back in time.
    CallbackTimedOut {
        /// Which call.
        origin: Origin,
    },
    /// A service gave up delivering an event, and sends it to its dead-letter queue.
    DeadLettered {
        /// Which call.
        origin: Origin,
        /// The queue.
        to: Target,
        /// The queue's refusal, if it refused: then the event is gone.
        refused: Option<u16>,
    },
    /// Firehose closed a buffer. `AttemptSent` of each of its records follows.
    BufferClosed {
        /// The delivery stream.
        caller: CallerId,
        /// Its first record.
        origin: Origin,
        /// How many records.
        records: u32,
        /// Their size.
        bytes: u64,
        /// Whether it was full; else its interval was over.
        full: bool,
    },
    /// Firehose gave up a buffer: its records go to the error prefix `processing-failed`.
    ProcessingFailed {
        /// The delivery stream.
        caller: CallerId,
        /// Its first record.
        origin: Origin,
        /// How many records.
        records: u32,
        /// Attempts made.
        attempts: u32,
    },
}
