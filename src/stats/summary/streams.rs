//! Streams, brokers and what only the mappings that read them have, in the summary.

use serde::Serialize;

use crate::stats::histogram::Figures;

/// One stream or Kafka topic (ESM-2.1). Counts are of records submitted at or after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamSummary {
    /// Records accepted.
    pub put_records: u64,
    /// Puts that were refused because their shard takes no more at this rate.
    pub write_throttles: u64,
    /// Records whose retention ended before a run with them succeeded, once for each mapping; without a mapping, whose
    /// retention ended.
    pub expired: u64,
    /// By shard or partition, those that resharding closed and those that it adds too.
    pub shards: Vec<ShardSummary>,
    /// For the text report.
    #[serde(skip)]
    pub kind: SourceKind,
    /// For the text report: whether a mapping reads it.
    #[serde(skip)]
    pub is_read: bool,
    /// For the text report: most open shards.
    #[serde(skip)]
    pub open: u32,
}

/// One shard or partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShardSummary {
    /// Records accepted.
    pub records: u64,
    /// Puts that were refused.
    pub write_throttles: u64,
}

/// One broker (ESM-5). Counts are of messages submitted at or after the warm-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokerSummary {
    /// Messages accepted.
    pub received: u64,
    /// Messages that a run took, or that the filter took out.
    pub delivered: u64,
    /// Messages sent to a function once more, each time.
    pub retries: u64,
    /// Messages that expired, or that were redelivered too often and had no dead-letter queue.
    pub failed: u64,
    /// Messages that went to the dead-letter queue.
    pub dead_letters: u64,
    /// For the text report: whether a mapping reads it.
    #[serde(skip)]
    pub is_read: bool,
}

/// One shard or partition as one mapping reads it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShardReading {
    /// ESM-2.5: of each batch that was sent, how long ago its last record had been written.
    pub iterator_age_ms: Figures<f64>,
}

/// Records that one mapping discarded, by what became of them, and those that expired; for the text report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discards {
    /// By condition, in AWS's words.
    pub by_condition: Vec<(&'static str, u64)>,
    /// Records whose retention ended before a run with them succeeded.
    pub expired: u64,
}

/// What a mapping reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// An SQS queue.
    Queue,
    /// A Kinesis stream.
    Kinesis,
    /// A `DynamoDB` stream.
    DynamoDb,
    /// A Kafka topic.
    Kafka,
    /// A change stream of `DocumentDB`.
    DocumentDb,
    /// A queue of `ActiveMQ`.
    ActiveMq,
    /// A queue of `RabbitMQ`.
    RabbitMq,
}
