//! Queues and event source mappings in the summary.

use serde::Serialize;

use crate::stats::gauge::GaugeFigures;
use crate::stats::histogram::{Figures, Rung};

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
    /// For the text report.
    #[serde(skip)]
    pub role: QueueRole,
    /// The whole curve of the time to delete, for `latency.csv`.
    #[serde(skip)]
    pub time_to_delete_ladder: Vec<Rung>,
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

/// One event source mapping of an SQS queue (ESM-6.5). What is said of messages and batches is of those submitted at or
/// after the warm-up, polls and gauges count by time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MappingSummary {
    /// Receives, empty ones too.
    pub polls: u64,
    /// Long polls that gave nothing.
    pub empty_polls: u64,
    /// Batches formed.
    pub batches: u64,
    /// Their records.
    pub batch_size: Figures<u64>,
    /// Runs of batches.
    pub invocations: u64,
    /// Those that failed, or of which every record failed.
    pub failed_invocations: u64,
    /// Attempts to invoke that were throttled.
    pub throttles: u64,
    /// Batches that run.
    pub concurrent_invocations: GaugeFigures<u64>,
    /// Pollers: provisioned ones, or concurrent batches of the default mode.
    pub pollers: GaugeFigures<u64>,
    /// Messages received.
    pub polled_events: u64,
    /// Messages that the filter took out.
    pub filtered_out_events: u64,
    /// Attempts to invoke that followed on a refused one.
    pub retries: u64,
    /// Records handed to the function, repeated ones too.
    pub invoked_events: u64,
    /// Records that failed.
    pub failed_invoke_events: u64,
    /// Messages deleted after success.
    pub deleted_events: u64,
    /// Runs of each record that was deleted after a run, or dead-lettered.
    pub runs_per_record: Figures<u64>,
    /// For the text report: the queue.
    #[serde(skip)]
    pub queue: String,
}

/// What AWS advises and the scenario does not do, for the text report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// ESM-1.1: a visibility time-out of at least six times the function's time-out, and the window.
    ShortVisibility {
        /// The queue.
        queue: String,
        /// Its visibility time-out, ms.
        visibility_ms: u64,
        /// The function.
        function: String,
        /// Its time-out, ms.
        timeout_ms: u64,
        /// The batching window, ms.
        window_ms: u64,
    },
    /// ESM-1.1: from a change on, the function may run longer than its messages are hidden.
    OutlastsVisibility {
        /// The queue.
        queue: String,
        /// Its visibility time-out, ms.
        visibility_ms: u64,
        /// The function.
        function: String,
        /// Its time-out, ms.
        timeout_ms: u64,
        /// When the change comes, ms.
        at_ms: u64,
    },
    /// ESM-1.1: at least five receives before a message is dead-lettered.
    FewReceives {
        /// The queue.
        queue: String,
        /// Its `max_receive_count`.
        max_receive_count: u32,
    },
    /// ESM-1.7: at least five units of reserved concurrency.
    LittleConcurrency {
        /// The mapping.
        mapping: String,
        /// The function.
        function: String,
        /// Its reserved concurrency.
        reserved: u32,
    },
    /// ESM-1.5: a dead-letter queue.
    NoDeadLetterQueue {
        /// The queue.
        queue: String,
    },
    /// ESM-1.5: dead letters keep their enqueue timestamp, so their queue should keep them longer.
    ShortRetention {
        /// The dead-letter queue.
        queue: String,
        /// Its retention, ms.
        retention_ms: u64,
        /// The queue that messages come from.
        source: String,
        /// Its retention, ms.
        source_ms: u64,
    },
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
