//! What is said of messages in queues and of the mappings that poll them.

use super::{Origin, RunOutcome};
use crate::aws::ids::{MappingId, QueueId};
use crate::kernel::time::SimTime;

/// What happened to a message or a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFact {
    /// A message was accepted by a queue.
    Sent {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
        /// When it is visible: now, or after its delay.
        visible_at: SimTime,
        /// Size, bytes.
        bytes: u64,
    },
    /// A message was accepted and dropped, since one with its deduplication id came before (ESM-1.10).
    Deduplicated {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
    },
    /// The delay of a message ended at `at`.
    DelayEnded {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
        /// When; at or before the moment it is noticed.
        at: SimTime,
    },
    /// A receive gave a message to a mapping; its visibility time-out begins (ESM-1.3).
    Received {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
        /// Who received it.
        mapping: MappingId,
        /// Receives of it, this one included.
        receives: u32,
        /// When it is visible again.
        visible_at: SimTime,
        /// Size, bytes.
        bytes: u64,
        /// Whether its message group was noisy: no message of a quiet one was there (ESM-1.11).
        from_noisy: bool,
    },
    /// The visibility time-out of a message ended at `at`: it can be received again.
    Returned {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
        /// When; at or before the moment it is noticed.
        at: SimTime,
    },
    /// A message was deleted.
    Deleted {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
        /// Who deleted it.
        mapping: MappingId,
        /// When it was enqueued.
        enqueued: SimTime,
        /// Receives of it.
        receives: u32,
        /// Runs that had it in their batch; none where the filter took it out.
        runs: u32,
        /// Whether its visibility time-out had ended.
        visible: bool,
    },
    /// A delete with an old receipt handle had no effect (ESM-S17).
    DeleteIgnored {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
    },
    /// A message was received too often and went to the dead-letter queue (ESM-1.5).
    Moved {
        /// Which message.
        origin: Origin,
        /// From where.
        queue: QueueId,
        /// The dead-letter queue.
        to: QueueId,
        /// Who would have received it.
        mapping: MappingId,
        /// Receives of it.
        receives: u32,
        /// Runs that had it in their batch.
        runs: u32,
    },
    /// A redrive task took a message out, and sends it to another queue (ESM-1.5).
    Redriven {
        /// Which message.
        origin: Origin,
        /// From where.
        queue: QueueId,
        /// Where to.
        to: QueueId,
        /// Receives of it.
        receives: u32,
    },
    /// The retention of a message ended at `at`.
    Expired {
        /// Which message.
        origin: Origin,
        /// The queue.
        queue: QueueId,
        /// When; at or before the moment it is noticed.
        at: SimTime,
        /// What it was doing.
        state: MessageState,
    },
    /// So many message groups of a FIFO queue have messages in flight; said when that changes.
    GroupsInFlight {
        /// The queue.
        queue: QueueId,
        /// How many.
        groups: u32,
        /// From when on.
        at: SimTime,
    },
    /// A message group of a standard queue became noisy (ESM-1.11).
    GroupNoisy {
        /// The queue.
        queue: QueueId,
        /// The group, by the hash of its id.
        group: u64,
        /// Its messages in flight.
        in_flight: u64,
        /// All messages in flight.
        all_in_flight: u64,
    },
    /// A noisy message group became quiet again, at `at`.
    GroupQuiet {
        /// The queue.
        queue: QueueId,
        /// The group, by the hash of its id.
        group: u64,
        /// When; at or before the moment it is noticed.
        at: SimTime,
    },
    /// What is in the quiet message groups of a standard queue; said when that changes, from the first noisy one on.
    QuietGroups {
        /// The queue.
        queue: QueueId,
        /// Their messages, and those without a group.
        levels: Levels,
        /// Since when the oldest of these messages is in the queue; `None` without messages.
        oldest: Option<SimTime>,
        /// From when on.
        at: SimTime,
    },
    /// Since when the oldest message of a queue is in it; said when that changes.
    OldestChanged {
        /// The queue.
        queue: QueueId,
        /// Since when; `None` without messages.
        since: Option<SimTime>,
        /// From when on.
        at: SimTime,
    },
}

/// What a message is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// Its delay has not ended.
    Delayed,
    /// It can be received.
    Visible,
    /// It was received, and its visibility time-out has not ended.
    InFlight,
}

/// Messages by what they are doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Their delay has not ended.
    pub delayed: u64,
    /// They can be received.
    pub visible: u64,
    /// They were received, and their visibility time-out has not ended.
    pub in_flight: u64,
}

impl Levels {
    /// A message changes its state; none is outside.
    pub(crate) fn shift(&mut self, from: Option<MessageState>, to: Option<MessageState>) {
        if let Some(from) = from {
            *self.of(from) -= 1;
        }
        if let Some(to) = to {
            *self.of(to) += 1;
        }
    }

    /// These, and others.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            delayed: self.delayed + other.delayed,
            visible: self.visible + other.visible,
            in_flight: self.in_flight + other.in_flight,
        }
    }

    /// These without some of them.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            delayed: self.delayed - other.delayed,
            visible: self.visible - other.visible,
            in_flight: self.in_flight - other.in_flight,
        }
    }

    fn of(&mut self, state: MessageState) -> &mut u64 {
        match state {
            MessageState::Delayed => &mut self.delayed,
            MessageState::Visible => &mut self.visible,
            MessageState::InFlight => &mut self.in_flight,
        }
    }
}

/// What a mapping did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingFact {
    /// A receive gave so many messages.
    Polled {
        /// The mapping.
        mapping: MappingId,
        /// How many.
        messages: u32,
    },
    /// Long polls that gave nothing, each of this length, by pollers that were idle from `since` to now.
    PolledEmpty {
        /// The mapping.
        mapping: MappingId,
        /// How many.
        receives: u64,
        /// When the first of them ended.
        first: SimTime,
    },
    /// A record does not match the filter (ESM-1.12).
    FilteredOut {
        /// Which record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
    },
    /// A record is in a batch that is to be invoked.
    Batched {
        /// Which record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch, over all mappings.
        batch: u64,
    },
    /// A batch was formed; its first record is its origin in what is said of its runs.
    BatchFormed {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch.
        batch: u64,
        /// Records.
        records: u32,
        /// Why it takes no more.
        complete: Complete,
    },
    /// A run of a batch was placed.
    BatchInvoked {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch.
        batch: u64,
        /// Records.
        records: u32,
        /// Those of them that had a run before.
        repeated: u32,
    },
    /// An attempt to invoke was throttled, or failed on the side of the service.
    BatchRefused {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch.
        batch: u64,
        /// HTTP status.
        status: u16,
        /// When it is tried again; `None` when the batch is given up.
        due: Option<SimTime>,
    },
    /// A run of a batch ended.
    BatchEnded {
        /// Its first record.
        origin: Origin,
        /// The mapping.
        mapping: MappingId,
        /// Number of the batch.
        batch: u64,
        /// Records.
        records: u32,
        /// Records that the function reported as failed, or all where the run failed.
        failed: u32,
        /// How the run ended.
        outcome: RunOutcome,
        /// Whether its answer cannot be read, so that all of them failed.
        unreadable: bool,
    },
    /// The number of pollers changed.
    Pollers {
        /// The mapping.
        mapping: MappingId,
        /// Pollers from now on.
        pollers: u32,
    },
}

/// Why a batch takes no more records (ESM-1.3, 2.2, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complete {
    /// It has as many as a batch may have.
    Full,
    /// With one more the event would be too large.
    Payload,
    /// The next record is of a later tumbling window (ESM-2.4).
    LaterWindow,
    /// Its batching window is over.
    Window,
    /// There is no batching window: it is what was there.
    AtOnce,
}
