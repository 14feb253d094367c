//! What works on the batches of a lane, a consumer or a partition, one at a time; and the batch itself. Passive.

use std::ops::Range;

use crate::aws::fact::Origin;
use crate::aws::ids::{MappingId, ReaderGroupId};
use crate::aws::request::Recorded;
use crate::kernel::time::{SimDuration, SimTime};

/// A record that was read and has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) origin: Origin,
    pub(super) arrived: SimTime,
    pub(super) bytes: u32,
    pub(super) shard: u32,
    /// The line that it waited in.
    pub(super) line: u32,
    /// Runs that had it in their batch.
    pub(super) runs: u32,
}

impl Recorded for Held {
    fn origin(&self) -> Origin {
        self.origin
    }

    fn runs(&self) -> u32 {
        self.runs
    }
}

/// Part of a batch that is sent by itself (ESM-2.3: a split).
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) records: usize,
    /// Retries that it has used.
    pub(super) retries: u32,
}

/// A tumbling window that is open (ESM-2.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) began: SimTime,
    pub(super) records: u64,
    /// Its last record: what is said of its last run is said of this one.
    pub(super) last: Held,
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has no batch.
    Idle,
    /// Its batch may take more records.
    Filling,
    /// Its batch is about to be sent, for the first time or again.
    Waiting,
    /// Its batch waits until a provisioned poller is free (ESM-F3).
    Queued,
    /// Its batch runs.
    Running,
}

/// A worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) group: ReaderGroupId,
    pub(super) mapping: MappingId,
    /// The lines that it takes records from.
    pub(super) lines: Range<u32>,
    /// Which of them is first, the next time.
    pub(super) next_line: u32,
    pub(super) state: State,
    pub(super) batch: Vec<Held>,
    /// How many of its records have ended.
    pub(super) done: usize,
    /// What is left of it, the part that is sent next last.
    pub(super) pieces: Vec<Piece>,
    /// Number of the batch.
    pub(super) number: u64,
    /// Size of the event, bytes.
    pub(super) bytes: u64,
    /// When the batching window opened.
    pub(super) opened: SimTime,
    /// Since when the worker is free, and when its last batch was formed.
    pub(super) freed: SimTime,
    pub(super) formed: SimTime,
    /// Times the batch was sent; failures and refusals since the last success.
    pub(super) sends: u32,
    pub(super) failures: u32,
    pub(super) refusals: u32,
    pub(super) last_wait: SimDuration,
    /// What is due next; other timers of it are stale.
    pub(super) timer: SimTime,
    /// When the run began.
    pub(super) started: SimTime,
    /// Which records the function reports as failed, and whether its answer cannot be read.
    pub(super) failed: Vec<bool>,
    pub(super) unreadable: bool,
    pub(super) window: Option<Window>,
    /// Whether the batch is the last run of the window.
    pub(super) closes: bool,
}

impl Worker {
    pub(super) fn new(group: ReaderGroupId, mapping: MappingId, lines: Range<u32>) -> Self {
        Self {
            group,
            mapping,
            next_line: lines.start,
            lines,
            state: State::Idle,
            batch: Vec::new(),
            done: 0,
            pieces: Vec::new(),
            number: 0,
            bytes: 0,
            opened: SimTime::ZERO,
            freed: SimTime::ZERO,
            formed: SimTime::ZERO,
            sends: 0,
            failures: 0,
            refusals: 0,
            last_wait: SimDuration::ZERO,
            timer: SimTime::MAX,
            started: SimTime::ZERO,
            failed: Vec::new(),
            unreadable: false,
            window: None,
            closes: false,
        }
    }

    /// The part of the batch that is sent next, or is running; nothing for the last run of a window.
    pub(super) fn piece(&self) -> &[Held] {
        &self.batch[self.range()]
    }

    /// See [`Self::piece`].
    pub(super) fn range(&self) -> Range<usize> {
        self.done..self.done + self.pieces.last().map_or(0, |piece| piece.records)
    }

    /// The record that is told of in the name of the piece.
    pub(super) fn spokesman(&self) -> Held {
        match (self.piece().first(), self.window) {
            (Some(first), _) => *first,
            (None, Some(window)) => window.last,
            (None, None) => unreachable!("{self:?} has nothing to send"),
        }
    }

    /// The first records of the piece have ended.
    pub(super) fn end_records(&mut self, records: usize) {
        self.done += records;
        if let Some(piece) = self.pieces.last_mut() {
            piece.records -= records;
        }
    }

    /// The batch goes well again.
    pub(super) fn recover(&mut self) {
        (self.failures, self.refusals, self.last_wait) = (0, 0, SimDuration::ZERO);
    }

    /// Splits the piece in two, the left half first (ESM-2.3, K4, K5); gives the size of that half.
    pub(super) fn split(&mut self, resets: bool) -> usize {
        let whole = self.pieces.pop().expect("a piece that failed");
        let retries = if resets { 0 } else { whole.retries };
        let left = whole.records / 2;
        self.pieces.push(Piece { records: whole.records - left, retries });
        self.pieces.push(Piece { records: left, retries });
        left
    }

    /// The batch is over.
    pub(super) fn clear(&mut self, now: SimTime) {
        self.batch.clear();
        self.pieces.clear();
        self.failed.clear();
        (self.done, self.bytes, self.sends, self.closes) = (0, 0, 0, false);
        (self.state, self.timer, self.freed) = (State::Idle, SimTime::MAX, now);
        self.recover();
    }
}
