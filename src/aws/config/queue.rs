//! SQS queues.

use crate::aws::ids::QueueId;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::SimDuration;

/// An SQS queue (ESM-1.1 to 1.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Standard or FIFO.
    pub kind: QueueKind,
    /// How long a received message is hidden (ESM-1.1).
    pub visibility_timeout: SimDuration,
    /// How long a message is kept, from its enqueue timestamp (ESM-1.1).
    pub message_retention: SimDuration,
    /// How long a new message is hidden, unless it says so itself (ESM-1.1).
    pub delivery_delay: SimDuration,
    /// Where messages go that were received too often (ESM-1.5).
    pub redrive: Option<Redrive>,
    /// Largest message, bytes.
    pub maximum_message_size: u64,
    /// Messages in flight above which receives give nothing (ESM-1.13).
    pub maximum_in_flight: u32,
    /// ESM-S14: probability that a receive gives fewer messages than it could.
    pub short_receive_probability: Ratio,
    /// ESM-S13: a standard queue gives any of so many first messages; 1 is in order.
    pub shuffle_window: u32,
    /// ESM-S19: from a message's visibility to the return of a long poll that waits.
    pub wakeup: SimDuration,
    /// From the end of an invocation to the deletion of its messages.
    pub delete_latency: SimDuration,
    /// ESM-S17: what a delete with an old receipt handle does.
    pub stale_delete: StaleDelete,
    /// ESM-S28: how late changed settings take effect.
    pub attribute_propagation: SimDuration,
    /// ESM-S16: the age metric passes over messages that were received so often.
    pub oldest_age_skips_after: Option<u32>,
    /// ESM-1.11: what makes a message group of a standard queue noisy; none in a queue that is not fair.
    pub fair: Option<Fairness>,
    /// ESM-1.10: the deduplication id is a hash of the body.
    pub content_based_deduplication: bool,
    /// ESM-1.10: within what an id is looked for.
    pub deduplication_scope: DeduplicationScope,
    /// ESM-1.10: how long an id is remembered.
    pub deduplication_window: SimDuration,
    /// ESM-1.10: calls a second of each action of a FIFO queue.
    pub fifo_throughput: Option<Rate>,
    /// ESM-1.10: messages from the front in which groups are looked for.
    pub group_lookahead: u32,
}

/// When a message group of a standard queue is noisy (ESM-1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fairness {
    /// It has more than this share of all messages in flight.
    pub share: Ratio,
    /// And it has so many messages in flight, or more.
    pub in_flight: u32,
    /// Or it took more than this share of the processing time of the last five minutes (ESM-S24).
    pub processing_share: Option<Ratio>,
    /// It is quiet again after so long without a message in flight.
    pub quiet_after: SimDuration,
}

/// The two types of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Without order.
    Standard,
    /// First in, first out within each message group.
    Fifo,
}

/// Where messages go that were received too often (ESM-1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The dead-letter queue.
    pub dead_letter_queue: QueueId,
    /// Receives that are handed out before the next one moves the message.
    pub max_receive_count: u32,
}

/// What a delete with an old receipt handle does on a standard queue (ESM-S17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleDelete {
    /// Nothing, if the message has been received again.
    Ignored,
    /// It deletes the message.
    Effective,
}

/// Within what a deduplication id is looked for (ESM-1.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeduplicationScope {
    /// The queue.
    Queue,
    /// The message group.
    MessageGroup,
}
