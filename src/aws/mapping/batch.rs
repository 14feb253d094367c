//! The records of batches: what a poller holds from its first message to the end of the run. Passive.

use crate::aws::fact::Origin;
use crate::aws::ids::{BatchId, Id, MappingId};
use crate::aws::sqs::Receipt;
use crate::kernel::time::{SimDuration, SimTime};

/// What a poller works on.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) mapping: MappingId,
    /// Number over all mappings, 1 = first.
    pub(crate) number: u64,
    pub(crate) state: State,
    pub(crate) receipts: Vec<Receipt>,
    /// Which of them the function reports as failed.
    pub(crate) failed: Vec<bool>,
    /// Received, but for the next batch: they would have made this one too large.
    pub(crate) next: Vec<Receipt>,
    /// Size of the event, bytes.
    pub(crate) bytes: u64,
    /// When its window opened, and when its first message was received.
    pub(crate) opened: SimTime,
    /// Attempts to invoke.
    pub(crate) attempts: u32,
    pub(crate) last_wait: SimDuration,
    /// What is due next; other timers of it are stale.
    pub(crate) timer: SimTime,
    /// ESM-1.4: the answer could not be read.
    pub(crate) unreadable: bool,
}

/// What a batch is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waiting for more messages.
    Buffering,
    /// About to be invoked.
    Formed,
    /// Throttled, and waiting for the next attempt.
    Refused,
    /// Throttled until its messages are visible again; then dropped.
    GivenUp,
    /// Running.
    Running,
    /// Its messages are about to be deleted.
    Deleting,
    /// Over; its record waits for another batch.
    Over,
}

/// All batches, by id; ids of ended ones are used again, with their lists.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    rows: Vec<Batch>,
    free: Vec<BatchId>,
    numbers: u64,
}

impl Batches {
    /// A new, empty batch.
    pub(crate) fn begin(&mut self, mapping: MappingId, now: SimTime) -> BatchId {
        self.numbers += 1;
        let id = self.free.pop().unwrap_or_else(|| {
            self.rows.push(Batch {
                mapping,
                number: 0,
                state: State::Over,
                receipts: Vec::new(),
                failed: Vec::new(),
                next: Vec::new(),
                bytes: 0,
                opened: now,
                attempts: 0,
                last_wait: SimDuration::ZERO,
                timer: SimTime::MAX,
                unreadable: false,
            });
            BatchId::from_index(self.rows.len() - 1)
        });
        let batch = &mut self.rows[id.index()];
        (batch.mapping, batch.number, batch.state) = (mapping, self.numbers, State::Formed);
        (batch.bytes, batch.opened, batch.timer) = (0, now, SimTime::MAX);
        (batch.attempts, batch.last_wait, batch.unreadable) = (0, SimDuration::ZERO, false);
        id
    }

    /// The batch is over.
    pub(crate) fn end(&mut self, id: BatchId) {
        let batch = &mut self.rows[id.index()];
        (batch.state, batch.timer) = (State::Over, SimTime::MAX);
        batch.receipts.clear();
        batch.failed.clear();
        batch.next.clear();
        self.free.push(id);
    }

    /// Batches under way.
    pub(crate) fn open(&self) -> usize {
        self.rows.len() - self.free.len()
    }
}

impl Batch {
    /// What is said of it is said of its first record.
    pub(crate) fn origin(&self) -> Origin {
        self.receipts[0].origin
    }

    /// Its records.
    pub(crate) fn records(&self) -> u32 {
        u32::try_from(self.receipts.len()).expect("at most the largest batch")
    }

    /// Adds a record if the event stays within `limit` bytes.
    pub(crate) fn add(&mut self, receipt: Receipt, bytes: u64, limit: u64) -> bool {
        let fits = self.receipts.is_empty() || self.bytes.saturating_add(bytes) <= limit;
        if fits && self.next.is_empty() {
            self.bytes = self.bytes.saturating_add(bytes);
            self.receipts.push(receipt);
        } else {
            self.next.push(receipt);
        }
        fits
    }
}

impl std::ops::Index<BatchId> for Batches {
    type Output = Batch;

    fn index(&self, id: BatchId) -> &Batch {
        &self.rows[id.index()]
    }
}

impl std::ops::IndexMut<BatchId> for Batches {
    fn index_mut(&mut self, id: BatchId) -> &mut Batch {
        &mut self.rows[id.index()]
    }
}
