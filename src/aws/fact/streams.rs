//! What is said of records in streams and of messages at brokers, and of the mappings that read them.
//!
//! A mapping of a stream, a Kafka topic or a broker also states [`MappingFact`](super::MappingFact): `Polled`,
//! `PolledEmpty`, `FilteredOut`, `Batched`, `BatchFormed`, `BatchInvoked`, `BatchRefused`, `BatchEnded` and `Pollers`.

use super::{DeliveryError, Origin};
use crate::aws::config::Target;
use crate::aws::ids::{BrokerId, MappingId, StreamId};
use crate::kernel::time::SimTime;

/// What happened to a stream or to a record of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFact {
    /// A record was accepted.
    Put {
        /// Which record.
        origin: Origin,
        /// The stream.
        stream: StreamId,
        /// The shard or partition, by its number over all that the stream ever had.
        shard: u32,
        /// Its place in the shard, 0 = first.
        sequence: u64,
        /// Size, bytes.
        bytes: u64,
    },
    /// A put was refused: the shard takes no more at this rate (ESM-2.1).
    WriteThrottled {
        /// Which record.
        origin: Origin,
        /// The stream.
        stream: StreamId,
        /// The shard.
        shard: u32,
    },
    /// The retention of a record ended at `at`, and no mapping reads the stream.
    Expired {
        /// Which record.
        origin: Origin,
        /// The stream.
        stream: StreamId,
        /// When; at or before the moment it is noticed.
        at: SimTime,
    },
    /// The stream has so many open shards from now on; said at the start too.
    Shards {
        /// The stream.
        stream: StreamId,
        /// How many.
        open: u32,
    },
}

/// What happened to a message at a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerFact {
    /// A message was accepted.
    Received {
        /// Which message.
        origin: Origin,
        /// The broker.
        broker: BrokerId,
        /// Size, bytes.
        bytes: u64,
    },
    /// The retention of a message ended at `at`, and nobody had received it.
    Expired {
        /// Which message.
        origin: Origin,
        /// The broker.
        broker: BrokerId,
        /// When; at or before the moment it is noticed.
        at: SimTime,
    },
    /// A message was redelivered too often.
    DeadLettered {
        /// Which message.
        origin: Origin,
        /// The broker.
        broker: BrokerId,
        /// Where it went; `None` if it is gone.
        to: Option<Target>,
    },
}

/// What a mapping of a stream, a Kafka topic or a broker did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderFact {
    /// It has its place in the stream; so many records lie before it and will not be read.
    Started {
        /// The mapping.
        mapping: MappingId,
        /// How many.
        skipped: u64,
    },
    /// Whether a run that settles waits for the records of a mapping: not after so many tries in a row that came to
    /// nothing, where nothing but a success would end them.
    Awaited {
        /// The mapping.
        mapping: MappingId,
        /// Whether it does, from now on.
        awaited: bool,
    },
    /// A read of a shard was refused: too many reads, or too many bytes (ESM-2.1).
    ReadThrottled {
        /// The mapping.
        mapping: MappingId,
        /// The shard.
        shard: u32,
    },
    /// A batch was sent to the function, for the first time or again; what comes of it is the next fact of the batch.
    /// The age of its last record is `IteratorAge` of `CloudWatch` (ESM-2.5).
    Sent {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch, over all mappings.
        batch: u64,
        /// The shard; the first record's where it has several.
        shard: u32,
        /// Records.
        records: u32,
        /// When its last record was written.
        last_arrived: SimTime,
    },
    /// A batch that failed was split (ESM-2.3): its first `left` records are the next batch to be sent.
    Split {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch.
        batch: u64,
        /// Records.
        records: u32,
        /// Records of the first half.
        left: u32,
    },
    /// A batch, or what is left of it, waits before it is sent again.
    RetryScheduled {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch.
        batch: u64,
        /// Records.
        records: u32,
        /// When it is sent again.
        due: SimTime,
    },
    /// A record has its fate. The filter's are told by `FilteredOut`.
    RecordEnded {
        /// Which record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// The shard.
        shard: u32,
        /// How.
        fate: RecordFate,
        /// Runs that had it in their batch.
        runs: u32,
    },
    /// Records of one batch were discarded together; each has its own `RecordEnded` before.
    Discarded {
        /// The first of them.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// The shard.
        shard: u32,
        /// How many.
        records: u32,
        /// Why.
        condition: DiscardCondition,
        /// `approximateInvokeCount` (ESM-2.3).
        invoke_count: u32,
        /// What became of the notice to the on-failure destination.
        notice: Notice,
    },
    /// The last run of a tumbling window is due (ESM-2.4).
    WindowEnded {
        /// Its last record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// The shard.
        shard: u32,
        /// Number of the batch that is this last run.
        batch: u64,
        /// When the window began.
        began: SimTime,
        /// Its records.
        records: u64,
        /// Why it is due now.
        why: WindowEnd,
    },
}

/// Why a tumbling window has its last run (ESM-2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowEnd {
    /// A record of a later one has come.
    LaterRecord,
    /// Its shard has ended.
    ShardEnded,
    /// None has come for so long after its end.
    Grace,
}

/// How a record ended for a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordFate {
    /// A run with it in its batch succeeded.
    Succeeded,
    /// ESM-2.3: it was discarded; `Discarded` says what became of it.
    Discarded(DiscardCondition),
    /// ESM-K18: its retention ended before a run succeeded.
    Expired,
    /// ESM-5: it is larger than an event may be, and was dropped.
    Oversized,
    /// ESM-5: it was redelivered too often, and went to the broker's dead-letter queue or is gone.
    DeadLettered,
}

/// Why records are discarded, in AWS's words (ESM-2.3, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiscardCondition {
    /// All retries of a stream's batch are used up.
    RetryAttemptsExhausted,
    /// All retries of a Kafka batch are used up.
    RetriesExhausted,
    /// The records are older than the mapping takes.
    RecordAgeExceeded,
}

impl DiscardCondition {
    /// The condition in AWS's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// What became of the notice to an on-failure destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// There is no destination: the records are dropped.
    None,
    /// The destination has it.
    Delivered(Target),
    /// The destination refused it: the records are dropped.
    Failed(Target, DeliveryError),
}
