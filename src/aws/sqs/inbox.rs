//! Messages on their way into a queue and out of it. Passive.

use crate::aws::fact::{Fact, MessageFact, Origin};
use crate::aws::ids::{MappingId, MessageId, QueueId};
use crate::aws::request::Recorded;
use crate::kernel::quantity::Ratio;
use crate::kernel::rng::{StreamKey, below};
use crate::kernel::time::{SimDuration, SimTime};

/// A message on its way into a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) origin: Origin,
    pub(crate) bytes: u64,
    /// Its own delay, in the place of the queue's.
    pub(crate) delay: Option<SimDuration>,
    /// Its message group, by the hash of its id.
    pub(crate) group: Option<u64>,
    /// Its deduplication id, by its hash.
    pub(crate) deduplication: Option<u64>,
    pub(crate) call: Together,
}

/// What the call that sends a message sends in all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Together {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

/// A received message, as the receiver knows it: its record, which message the record was of, and which receive it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) mapping: MappingId,
    pub(crate) id: MessageId,
    pub(crate) serial: u64,
    /// When it is visible again.
    pub(crate) visible_at: SimTime,
    pub(crate) receives: u32,
    pub(crate) bytes: u32,
    /// Runs that had it in their batch before.
    pub(crate) runs: u32,
    pub(crate) origin: Origin,
}

impl Receipt {
    /// That the message was received from `queue`.
    pub(super) fn received(&self, queue: QueueId, from_noisy: bool) -> Fact {
        let Self { origin, mapping, receives, visible_at, .. } = *self;
        let bytes = u64::from(self.bytes);
        Fact::Message(MessageFact::Received { origin, queue, mapping, receives, visible_at, bytes, from_noisy })
    }
}

impl Recorded for Receipt {
    fn origin(&self) -> Origin {
        self.origin
    }

    fn runs(&self) -> u32 {
        self.runs
    }
}

/// A message that leaves for the dead-letter queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) origin: Origin,
    pub(crate) enqueued: SimTime,
    pub(crate) bytes: u32,
    pub(crate) runs: u32,
    pub(crate) group: Option<u64>,
}

/// What a receive gives.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) receipts: Vec<Receipt>,
    /// Messages that leave for the dead-letter queue.
    pub(crate) moved: Vec<Moved>,
    pub(crate) shuffle: Shuffle,
    /// ESM-1.10: of one message group only.
    pub(crate) single_group: bool,
}

/// ESM-S13: which of the first messages is taken.
#[derive(Debug, Default)]
pub(crate) struct Shuffle {
    key: Option<StreamKey>,
    drawn: u64,
}

impl Shuffle {
    /// Draws under this key.
    pub(crate) fn new(key: StreamKey) -> Self {
        Self { key: Some(key), drawn: 0 }
    }

    /// ESM-S14: how many messages a receive of up to `max` gives at most.
    pub(super) fn shortened(&mut self, max: u32, probability: Ratio) -> u32 {
        let Some(key) = self.key.filter(|_| probability > Ratio::ZERO && max > 1) else { return max };
        self.drawn += 1;
        if !probability.hits(key.child(0).word(self.drawn)) {
            return max;
        }
        // Any number from one to one less, with equal probability.
        1 + u32::try_from(below(key.child(1).word(self.drawn), u64::from(max - 1))).unwrap_or(0)
    }

    /// A place below `window` and below `len`.
    pub(super) fn place(&mut self, window: u32, len: u64) -> u64 {
        let choices = u64::from(window).min(len);
        let Some(key) = self.key.filter(|_| choices > 1) else { return 0 };
        self.drawn += 1;
        below(key.word(self.drawn), choices)
    }
}
