//! Messages that were never received, in order, 24 bytes each. Passive.

use std::collections::VecDeque;

use super::records::NewRecord;
use crate::aws::fact::{MessageState, Origin};
use crate::aws::ids::CallerId;
use crate::kernel::time::SimTime;

/// A message that a caller sent at once and nobody has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fresh {
    pub(super) submission: u64,
    /// When it was sent, which is also when it was submitted.
    pub(super) enqueued: SimTime,
    pub(super) caller: CallerId,
    pub(super) bytes: u32,
}

impl Fresh {
    /// Whose it is.
    pub(super) fn origin(&self) -> Origin {
        Origin { caller: self.caller, branch: 0, submission: self.submission, submitted: self.enqueued }
    }

    /// What its record begins with.
    pub(super) fn record(&self, visible_at: SimTime, state: MessageState) -> NewRecord {
        let Self { enqueued, bytes, .. } = *self;
        let (origin, arrived, receives, runs) = (self.origin(), enqueued, 0, 0);
        NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state }
    }
}

/// Entries of a chunk: of fresh messages, 96 KiB.
const CHUNK: usize = 4_096;

/// A line of fresh messages.
pub(super) type FreshLine = Line<Fresh>;

/// First in, first out. Chunks are filled, emptied and used again, so no entry is ever moved.
#[derive(Debug)]
pub(super) struct Line<T> {
    chunks: VecDeque<Vec<T>>,
    /// Entries of the first chunk that are gone.
    taken: usize,
    len: usize,
    /// An emptied chunk.
    spare: Option<Vec<T>>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), taken: 0, len: 0, spare: None }
    }
}

impl<T: Copy> Line<T> {
    /// Entries in the line.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry at the end.
    #[inline]
    pub(super) fn push(&mut self, entry: T) {
        self.len += 1;
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => self.push_chunk(entry),
        }
    }

    #[cold]
    fn push_chunk(&mut self, entry: T) {
        let mut chunk = self.spare.take().unwrap_or_else(|| Vec::with_capacity(CHUNK));
        chunk.clear();
        chunk.push(entry);
        self.chunks.push_back(chunk);
    }

    /// The first entry.
    #[inline]
    pub(super) fn first(&self) -> Option<&T> {
        self.chunks.front().and_then(|chunk| chunk.get(self.taken))
    }

    /// The entry with this place in the line, 0 = first.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&T> {
        let place = place + self.taken;
        self.chunks.get(place / CHUNK).and_then(|chunk| chunk.get(place % CHUNK))
    }

    /// Exchanges the first entry with another.
    pub(super) fn bring_forward(&mut self, place: usize) {
        let place = place + self.taken;
        let Some(other) = self.chunks.get(place / CHUNK).and_then(|chunk| chunk.get(place % CHUNK)).copied() else {
            return;
        };
        let first = std::mem::replace(&mut self.chunks[0][self.taken], other);
        self.chunks[place / CHUNK][place % CHUNK] = first;
    }

    /// Takes the first entry.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let chunk = self.chunks.front()?;
        let entry = *chunk.get(self.taken)?;
        self.taken += 1;
        self.len -= 1;
        if self.taken == chunk.len() && (chunk.len() == CHUNK || self.len == 0) {
            self.taken = 0;
            self.spare = self.chunks.pop_front();
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::Id;

    fn message(submission: u64) -> Fresh {
        Fresh { submission, enqueued: SimTime::ZERO, caller: CallerId::from_index(0), bytes: 0 }
    }

    #[test]
    fn a_waiting_message_takes_24_bytes() {
        assert_eq!(size_of::<Fresh>(), 24);
    }

    /// Against a plain queue, over chunk limits, emptied and filled again.
    #[test]
    fn first_in_first_out() {
        let (mut line, mut plain) = (FreshLine::default(), VecDeque::new());
        let mut next = 0;
        for round in 0..60 {
            for _ in 0..round * 397 % 5_000 {
                line.push(message(next));
                plain.push_back(next);
                next += 1;
            }
            for _ in 0..round * 911 % 5_000 {
                assert_eq!(line.first().map(|message| message.submission), plain.front().copied());
                assert_eq!(line.pop().map(|message| message.submission), plain.pop_front());
            }
            assert_eq!(line.len(), plain.len());
        }
        assert!(next > 100_000);
    }
}
