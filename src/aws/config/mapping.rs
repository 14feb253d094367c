//! Event source mappings: what Lambda polls, and how.

use super::{Backoff, Jitter, Target};
use crate::aws::ids::{BrokerId, FunctionId, QueueId, StreamId};
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::{SimDuration, SimTime};

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
    /// How an SQS queue is polled; of no meaning for other sources.
    pub sqs: SqsPolling,
    /// How a stream, a Kafka topic or a broker is read; of no meaning for a queue.
    pub stream: StreamPolling,
}

/// What a mapping polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An SQS queue.
    Queue(QueueId),
    /// A stream, or a Kafka topic.
    Stream(StreamId),
    /// A queue of a message broker.
    Broker(BrokerId),
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

/// How records of a stream, a Kafka topic or a broker are read and tried again (ESM-2 to 5).
#[derive(Clone, Debug, PartialEq)]
pub struct StreamPolling {
    /// Where reading begins (ESM-2.2).
    pub starting_position: StartingPosition,
    /// Batches of one shard at the same time (ESM-2.2).
    pub parallelization_factor: u32,
    /// Further runs of a batch after a function error; `None` is without limit (ESM-2.3).
    pub maximum_retry_attempts: Option<u32>,
    /// Age above which a record is discarded; `None` is without limit (ESM-2.3).
    pub maximum_record_age: Option<SimDuration>,
    /// A batch that failed is split in two (ESM-2.3).
    pub bisect_batch_on_function_error: bool,
    /// ESM-K5: each half has all retries again.
    pub bisect_resets_retries: bool,
    /// ESM-2.4: length of a tumbling window; zero is off.
    pub tumbling_window: SimDuration,
    /// ESM-2.4: how long after its end a window is closed without a later record.
    pub tumbling_window_grace: SimDuration,
    /// Where discarded batches are told of (ESM-2.3).
    pub on_failure: Option<Target>,
    /// ESM-K1: waits after a failed run.
    pub retry: Backoff,
    /// ESM-2.1: reads that share nothing with other readers.
    pub enhanced_fan_out: bool,
    /// ESM-K11: how long a record takes to be pushed to a reader with enhanced fan-out.
    pub push_delay: SimDuration,
    /// ESM-2.2, 3: time between two reads of an idle shard.
    pub poll_every: SimDuration,
    /// ESM-K7: when the first of these reads is.
    pub poll_phase: PollPhase,
    /// ESM-4: mappings of one group share partitions and offsets.
    pub consumer_group: String,
    /// ESM-4.1: how the default mode of Kafka scales.
    pub consumers: Consumers,
    /// ESM-4.2: the provisioned mode of Kafka, in the place of the default mode.
    pub provisioned: Option<KafkaPollers>,
}

/// Where the reading of a stream begins (ESM-2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartingPosition {
    /// With the oldest record that is kept.
    TrimHorizon,
    /// With the first record after the mapping began to poll.
    Latest,
    /// With the first record that was written at this moment or later.
    At(SimTime),
}

/// When the reads of an idle shard fall (ESM-K7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollPhase {
    /// This long after whole multiples of the time between them.
    Fixed(SimDuration),
    /// At a moment of each shard's own, drawn once.
    Random,
}

/// How the default mode of Kafka scales (ESM-4.1, F1, F2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumers {
    /// Consumers at the start.
    pub initial: u32,
    /// How often the lag is looked at.
    pub every: SimDuration,
    /// By what the consumers are multiplied when the lag grew, as parts of 10^12.
    pub factor_parts: u64,
    /// How long that takes.
    pub effective_after: SimDuration,
    /// Looks without lag after which there is one consumer less.
    pub shrink_after: u32,
}

/// Provisioned pollers of Kafka (ESM-4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaPollers {
    /// Fewest pollers.
    pub minimum: u32,
    /// Most pollers.
    pub maximum: u32,
    /// Batches in work of one poller.
    pub invocations: u32,
    /// Bytes a second of one poller.
    pub throughput: u64,
    /// ESM-F4: how often it is looked whether there are enough.
    pub every: SimDuration,
    /// Mappings of one group are billed together.
    pub group: Option<String>,
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

/// What holds for a mapping that is not of a queue: AWS's own defaults (ESM-1.2).
impl Default for SqsPolling {
    fn default() -> Self {
        let share = Ratio::from_parts(Ratio::PARTS / 100 * 95).unwrap_or(Ratio::ONE);
        Self {
            maximum_concurrency: None,
            pollers: Pollers {
                initial: 5,
                per_minute: 300,
                maximum: 1_250,
                growth: Growth::Linear,
                floor: 5,
                floor_after: SimDuration::from_secs(300),
                retire_after: 1,
                error_backoff: share,
                throttle_backoff: share,
            },
            provisioned: None,
            long_poll: SimDuration::from_secs(20),
            low_traffic_wait: SimDuration::from_secs(20),
            fifo_single_group_batches: false,
        }
    }
}

/// What holds for a mapping of a queue: AWS's own defaults for Kinesis (ESM-2).
impl Default for StreamPolling {
    fn default() -> Self {
        let cap = Some(SimDuration::from_secs(60));
        Self {
            starting_position: StartingPosition::TrimHorizon,
            parallelization_factor: 1,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            bisect_batch_on_function_error: false,
            bisect_resets_retries: false,
            tumbling_window: SimDuration::ZERO,
            tumbling_window_grace: SimDuration::from_secs(120),
            on_failure: None,
            retry: Backoff { base: SimDuration::from_millis(250), factor: 2.0, cap, jitter: Jitter::None },
            enhanced_fan_out: false,
            push_delay: SimDuration::ZERO,
            poll_every: SimDuration::from_secs(1),
            poll_phase: PollPhase::Fixed(SimDuration::ZERO),
            consumer_group: String::new(),
            consumers: Consumers {
                initial: 1,
                every: SimDuration::from_secs(60),
                factor_parts: 2 * Ratio::PARTS,
                effective_after: SimDuration::from_secs(60),
                shrink_after: 3,
            },
            provisioned: None,
        }
    }
}
