//! Streams, Kafka topics and message brokers: what keeps records until somebody reads them.

use super::Target;
use crate::kernel::time::SimDuration;

/// A stream or a topic of records, in shards (ESM-2.1, 3, 4, 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Which service.
    pub kind: StreamKind,
    /// Open shards, or partitions.
    pub shards: u32,
    /// How long a record is kept; `None` is for ever.
    pub retention: Option<SimDuration>,
    /// How its write limits are set (Kinesis).
    pub capacity_mode: CapacityMode,
    /// Largest record, bytes.
    pub maximum_record_size: u64,
    /// ESM-K15: depth of the write buckets, as the time they take to fill.
    pub write_bucket: SimDuration,
    /// Standard consumers outside the scenario; each has an equal share of a shard's reads (ESM-K9).
    pub other_readers: u32,
    /// From a write to the moment at which the record can be read (ESM-D2).
    pub propagation: SimDuration,
}

/// The services that keep records in shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Kinesis Data Streams (ESM-2).
    Kinesis,
    /// `DynamoDB` Streams (ESM-3).
    DynamoDb,
    /// A topic of Amazon MSK or a self-managed Apache Kafka (ESM-4).
    Kafka,
    /// A change stream of Amazon `DocumentDB` (ESM-5).
    DocumentDb,
}

/// How the write limits of a Kinesis stream are set (ESM-2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapacityMode {
    /// By the number of shards.
    Provisioned,
    /// ESM-K16: by what was written before.
    OnDemand {
        /// Capacity for each byte of the highest rate so far, as parts of 10^12.
        factor_parts: u64,
        /// How long after a new highest rate.
        after: SimDuration,
    },
}

/// A queue of a broker of Amazon MQ (ESM-5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Which engine.
    pub kind: BrokerKind,
    /// How long a message is kept; `None` is for ever.
    pub message_retention: Option<SimDuration>,
    /// Redeliveries of a message before it is a dead letter; `None` is without limit.
    pub maximum_redeliveries: Option<u32>,
    /// Where messages go that were redelivered too often: another broker, or a queue.
    pub dead_letter_queue: Option<Target>,
}

/// The engines of Amazon MQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    /// `RabbitMQ`: one batch at a time.
    RabbitMq,
    /// Apache `ActiveMQ`: five batches at a time.
    ActiveMq,
}

impl BrokerKind {
    /// ESM-5: batches of one mapping at the same time.
    pub const fn consumers(self) -> u32 {
        match self {
            Self::RabbitMq => 1,
            Self::ActiveMq => 5,
        }
    }
}
