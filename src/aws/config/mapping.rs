//! Event source mappings: what Lambda polls, and how.

use super::Backoff;
use crate::aws::ids::{FunctionId, QueueId};
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::SimDuration;

/// An event source mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSourceMapping {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// What is polled.
    pub source: Source,
    /// The function that is invoked.
    pub function: FunctionId,
    /// Whether it polls.
    pub enabled: bool,
    /// Most records of a batch (ESM-1.1).
    pub batch_size: u32,
    /// Longest wait for a full batch (ESM-1.1).
    pub maximum_batching_window: SimDuration,
    /// Share of records that match the filter (ESM-1.12).
    pub filter: Ratio,
    /// The function says which records failed (ESM-1.4).
    pub report_batch_item_failures: bool,
    /// ESM-C1: from the start, or from being enabled, to the first poll.
    pub enable_delay: SimDuration,
    /// ESM-C7: how long an update stops polling.
    pub update_pause: SimDuration,
    /// ESM-C3: from a batch to its invocation.
    pub invoke_overhead: SimDuration,
    /// ESM-S10: when a batching window opens on an idle poller.
    pub window_opens: WindowOpens,
    /// Largest event, bytes (ESM-1.3).
    pub payload_limit: u64,
    /// ESM-S12: bytes of a record beside its body.
    pub record_overhead: u64,
    /// Bytes of the event for each byte of a body, as parts of 10^12.
    pub body_factor_parts: u64,
    /// ESM-C9: probability that a batch is invoked once more.
    pub spurious_duplicate_probability: Ratio,
    /// ESM-S7: waits between attempts to invoke that are throttled.
    pub throttle_retry: Backoff,
    /// How an SQS queue is polled.
    pub sqs: SqsPolling,
}

/// What a mapping polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An SQS queue.
    Queue(QueueId),
}

/// When a batching window opens on an idle poller (ESM-S10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowOpens {
    /// With the first record.
    FirstRecord,
    /// At once after the last window, again and again.
    Rolling,
}

/// How an SQS queue is polled (ESM-1.2, 1.8, 1.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqsPolling {
    /// ESM-1.8: batches in work above which nothing is received.
    pub maximum_concurrency: Option<u32>,
    /// ESM-1.2: the default mode.
    pub pollers: Pollers,
    /// ESM-1.9: the provisioned mode, in the place of the default mode.
    pub provisioned: Option<ProvisionedPollers>,
    /// ESM-1.2: how long a receive waits for a message.
    pub long_poll: SimDuration,
    /// ESM-S11: a window that is shorter is looked at only when a long poll of this length returns.
    pub low_traffic_wait: SimDuration,
    /// ESM-1.10: a batch of a FIFO queue has messages of one group only.
    pub fifo_single_group_batches: bool,
}

/// How the default mode scales (ESM-1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pollers {
    /// Pollers at the start.
    pub initial: u32,
    /// Pollers added a minute while messages wait and none is idle.
    pub per_minute: u32,
    /// Most pollers.
    pub maximum: u32,
    /// ESM-S1: how they are added.
    pub growth: Growth,
    /// ESM-S4: pollers that stay when it is quiet.
    pub floor: u32,
    /// ESM-S4: how long it must be quiet for the floor.
    pub floor_after: SimDuration,
    /// ESM-S3: empty long polls after which a poller above the floor retires.
    pub retire_after: u32,
    /// ESM-S5: what is left of the pollers after a failed invocation.
    pub error_backoff: Ratio,
    /// ESM-S6: what is left after a throttled batch.
    pub throttle_backoff: Ratio,
}

/// How pollers are added (ESM-S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// A sixtieth each second.
    Linear,
    /// All at once each minute.
    Step,
}

/// Provisioned pollers (ESM-1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvisionedPollers {
    /// Fewest pollers.
    pub minimum: u32,
    /// Most pollers.
    pub maximum: u32,
    /// Batches in work of one poller.
    pub invocations: u32,
    /// Receives of one poller.
    pub receives: Rate,
    /// Bytes a second of one poller.
    pub throughput: u64,
    /// Pollers added a minute while all are full.
    pub per_minute: u32,
    /// How often it is looked whether there are enough.
    pub every: SimDuration,
    /// Use below which pollers are given back,
    pub down_below: Ratio,
    /// after so long,
    pub down_after: SimDuration,
    /// one in each such time.
    pub down_every: SimDuration,
}
