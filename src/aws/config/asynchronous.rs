//! Asynchronous invocation: the internal queue of a function, and where its events end.

use super::{Backoff, Jitter};
use crate::aws::ids::{BrokerId, BucketId, EventBusId, FunctionId, QueueId, StateMachineId, StreamId, TopicId};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimDuration;

/// What happens to a chain of requests that comes back to a function again and again (INV-5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecursiveLoop {
    /// It is stopped.
    Terminate,
    /// It goes on.
    Allow,
}

/// A function's configuration of asynchronous invocation (INV-Q1..Q17, O1..O6).
#[derive(Clone, Debug, PartialEq)]
pub struct Asynchronous {
    /// INV-Q7: how often a function error is tried again, 0 to 2.
    pub maximum_retry_attempts: u32,
    /// INV-Q11: an event that would have to wait until this age ends.
    pub maximum_event_age: SimDuration,
    /// INV-O2: a queue or topic that gets events that end without success.
    pub dead_letter_queue: Option<Target>,
    /// INV-O1: who gets the invocation record of such events.
    pub on_failure: Option<Target>,
    /// INV-O1: who gets the invocation record of successes.
    pub on_success: Option<Target>,
    /// INV-Q4: from acceptance to the first dispatch.
    pub dispatch_latency: SimDuration,
    /// INV-Q8: waits before the second, third, .. attempt; the last one also stands for those after it. Not empty.
    pub retry_delays: Vec<SimDuration>,
    /// INV-D17: what those waits are counted from.
    pub retry_from: RetryFrom,
    /// How chance changes those waits.
    pub retry_jitter: Jitter,
    /// INV-Q9: waits after throttles and service errors.
    pub backoff: Backoff,
    /// INV-Q17: waits are multiplied by 1 + backlog over this number.
    pub backpressure: Option<u32>,
    /// INV-Q12.
    pub expiry: Expiry,
    /// INV-Q6: probability that an event is delivered once more when a run of it starts.
    pub duplicate_probability: Ratio,
    /// INV-D23: events of this function that run at once, at most.
    pub maximum_parallel_dispatch: Option<u32>,
    /// INV-D24.
    pub delivery: Delivery,
}

/// What the waits between attempts are counted from (INV-D17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryFrom {
    /// The end of the failed run.
    End,
    /// The start of the failed run.
    Start,
}

/// When an event that would become too old ends (INV-Q12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// As soon as that is known.
    Lookahead,
    /// When it reaches its maximum age.
    AtDeadline,
}

/// How deliveries to destinations and dead-letter queues are made (INV-D24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// From the end of the event to the first attempt, and from each attempt to the next.
    pub delay: SimDuration,
    /// Attempts, at least 1.
    pub attempts: u32,
}

/// What an event or a record can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An SQS queue.
    Queue(QueueId),
    /// An SNS topic.
    Topic(TopicId),
    /// An `EventBridge` event bus.
    EventBus(EventBusId),
    /// An S3 bucket.
    Bucket(BucketId),
    /// A function, by asynchronous invocation.
    Function(FunctionId),
    /// A stream, or a Kafka topic.
    Stream(StreamId),
    /// A queue of a message broker.
    Broker(BrokerId),
    /// A state machine: an execution of it is started.
    StateMachine(StateMachineId),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// AWS's own settings.
    pub(crate) fn defaults() -> Asynchronous {
        let seconds = SimDuration::from_secs;
        Asynchronous {
            maximum_retry_attempts: 2,
            maximum_event_age: seconds(21_600),
            dead_letter_queue: None,
            on_failure: None,
            on_success: None,
            dispatch_latency: SimDuration::ZERO,
            retry_delays: vec![seconds(60), seconds(120)],
            retry_from: RetryFrom::End,
            retry_jitter: Jitter::None,
            backoff: Backoff { base: seconds(1), factor: 2.0, cap: Some(seconds(300)), jitter: Jitter::None },
            backpressure: None,
            expiry: Expiry::Lookahead,
            duplicate_probability: Ratio::ZERO,
            maximum_parallel_dispatch: None,
            delivery: Delivery { delay: SimDuration::ZERO, attempts: 1 },
        }
    }
}
