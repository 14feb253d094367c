//! Queues and event source mappings in the summary, and what AWS advises on them.

use serde::Serialize;

use super::{Discards, ShardReading, SourceKind};
use crate::stats::curve::Curve;
use crate::stats::gauge::GaugeFigures;
use crate::stats::histogram::Figures;

/// One queue (ESM-1.13). Counts of messages are of those submitted at or after the warm-up; gauges, receives that gave
/// nothing and requests count by time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueSummary {
    /// Messages that were sent to it; not those that another queue moved here.
    pub sent: u64,
    /// Receives, repeated ones too.
    pub received: u64,
    /// Messages that were deleted, those that a filter took out too.
    pub deleted: u64,
    /// Messages whose retention ended.
    pub expired: u64,
    /// Messages that came from another queue: as dead letters, or by a redrive task.
    pub moved_in: u64,
    /// Messages that were received too often and went to the dead-letter queue.
    pub moved_to_dlq: u64,
    /// Those of them that no run had in its batch.
    pub moved_to_dlq_without_invocation: u64,
    /// Runs of a message after its first.
    pub duplicate_deliveries: u64,
    /// Messages that can be received.
    pub approximate_number_of_messages_visible: GaugeFigures<u64>,
    /// Messages in flight.
    pub approximate_number_of_messages_not_visible: GaugeFigures<u64>,
    /// Messages whose delay has not ended.
    pub approximate_number_of_messages_delayed: GaugeFigures<u64>,
    /// Since when the oldest message is in the queue, at each whole minute.
    pub approximate_age_of_oldest_message_ms: GaugeFigures<f64>,
    /// From the enqueue timestamp to the deletion.
    pub time_to_delete_ms: Figures<f64>,
    /// Long polls that gave nothing.
    pub empty_receives: u64,
    /// Receives of each message that was deleted or moved.
    pub receives_per_message: Figures<u64>,
    /// When the queue last became empty; `None` if it never did, or is not empty at the end.
    pub drained_at_ms: Option<f64>,
    /// Requests to SQS.
    pub requests: u64,
    /// Messages that were accepted and dropped as repetitions (ESM-1.10).
    pub deduplicated: u64,
    /// Message groups with messages in flight.
    pub groups_in_flight: GaugeFigures<u64>,
    /// Message groups of a standard queue that were noisy at some time (ESM-1.11).
    pub noisy_groups: u64,
    /// Message groups that are noisy.
    pub approximate_number_of_noisy_groups: GaugeFigures<u64>,
    /// Messages that can be received, without those of noisy groups.
    pub approximate_number_of_messages_visible_in_quiet_groups: GaugeFigures<u64>,
    /// Messages in flight, without those of noisy groups.
    pub approximate_number_of_messages_not_visible_in_quiet_groups: GaugeFigures<u64>,
    /// Messages whose delay has not ended, without those of noisy groups.
    pub approximate_number_of_messages_delayed_in_quiet_groups: GaugeFigures<u64>,
    /// Since when the oldest message of quiet groups is in the queue, at each whole minute.
    pub approximate_age_of_oldest_message_in_quiet_groups_ms: GaugeFigures<f64>,
    /// For the text report.
    #[serde(skip)]
    pub role: QueueRole,
    /// The whole curve of the time to delete, for `latency.csv`.
    #[serde(skip)]
    pub time_to_delete_curve: Curve,
}

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueRole {
    /// A mapping polls it.
    Polled,
    /// Callers send to it, or another queue moves messages to it.
    Unread,
    /// Functions deliver to it, and nothing else has to do with it.
    Delivered,
}

/// One event source mapping (ESM-2.5, 4.3, 6.5). What is said of records and batches is of those submitted at or after
/// the warm-up, polls and gauges count by time. What the source does not have is 0, or without values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MappingSummary {
    /// Receives or reads, empty ones too.
    pub polls: u64,
    /// Those that gave nothing.
    pub empty_polls: u64,
    /// Batches formed.
    pub batches: u64,
    /// Their records.
    pub batch_size: Figures<u64>,
    /// Runs of batches, or of parts of them.
    pub invocations: u64,
    /// Those that failed, or of which every record failed.
    pub failed_invocations: u64,
    /// Attempts to invoke that were throttled.
    pub throttles: u64,
    /// Batches that run.
    pub concurrent_invocations: GaugeFigures<u64>,
    /// Pollers: provisioned ones, or concurrent batches of the default mode; shards read, or consumers.
    pub pollers: GaugeFigures<u64>,
    /// Records received or read.
    pub polled_events: u64,
    /// Records that the filter took out.
    pub filtered_out_events: u64,
    /// Records that were discarded, and no destination has.
    pub dropped_events: u64,
    /// Batches that were split in two (ESM-2.3).
    pub bisections: u64,
    /// Attempts to invoke after a batch's first; of a queue, those that followed on a refused one.
    pub retries: u64,
    /// Records that were discarded, and that the on-failure destination was told of.
    pub on_failure_deliveries: u64,
    /// Notices that the on-failure destination refused.
    pub destination_delivery_failures: u64,
    /// ESM-2.5: of each batch that was sent, how long ago its last record had been written.
    pub iterator_age_ms: Figures<f64>,
    /// The same by shard or partition; streams and topics only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<Vec<ShardReading>>,
    /// ESM-4.3: records in the topic that its consumer group has still to handle; Kafka only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_lag: Option<GaugeFigures<u64>>,
    /// ESM-4.3: records whose offsets were committed; Kafka only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_events: Option<u64>,
    /// Records handed to the function, repeated ones too.
    pub invoked_events: u64,
    /// Records that failed.
    pub failed_invoke_events: u64,
    /// Messages deleted after success; queues only.
    pub deleted_events: u64,
    /// Reads that were refused: too many, or too many bytes (ESM-2.1).
    pub read_throttles: u64,
    /// Records that were larger than an event may be, and were dropped (ESM-5).
    pub oversized_records: u64,
    /// Runs of each record that came to its end; not of those that the filter took out.
    pub runs_per_record: Figures<u64>,
    /// For the text report: what it reads.
    #[serde(skip)]
    pub source: String,
    /// For the text report: of which service.
    #[serde(skip)]
    pub kind: SourceKind,
    /// For the text report.
    #[serde(skip)]
    pub discards: Discards,
    /// For the text report: whether a run that settles waits for what it holds.
    #[serde(skip)]
    pub awaited: bool,
    /// The whole curve of the iterator age, for `latency.csv`.
    #[serde(skip)]
    pub iterator_age_curve: Curve,
}

impl QueueSummary {
    /// Messages in the queue at the end.
    pub fn left(&self) -> u64 {
        let levels = [
            &self.approximate_number_of_messages_visible,
            &self.approximate_number_of_messages_not_visible,
            &self.approximate_number_of_messages_delayed,
        ];
        levels.into_iter().filter_map(|level| level.last).sum()
    }
}
