//! A pending event, and what orders events.

use std::cmp::Ordering;

/// A pending event.
#[derive(Clone, Copy)]
pub(super) struct Node<E> {
    pub(super) time: u64,
    /// How many were pushed before it.
    pub(super) sequence: u64,
    pub(super) rank: u32,
    /// The next in the list of a bucket; without meaning elsewhere.
    pub(super) next: u32,
    pub(super) event: E,
}

impl<E> Node<E> {
    /// What orders events. No two have the same.
    #[inline]
    pub(super) fn key(&self) -> (u64, u32, u64) {
        (self.time, self.rank, self.sequence)
    }
}

/// The earlier is the greater: a heap has its greatest on top, and a sorted vector gives up its last.
impl<E> Ord for Node<E> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> PartialOrd for Node<E> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Node<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Node<E> {}

/// Events before this moment are taken, and those at it whose rank is lower.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) time: u64,
    pub(super) rank: u64,
}

impl Limit {
    /// After every event.
    pub(super) const END: Self = Self { time: u64::MAX, rank: u64::MAX };

    #[inline]
    pub(super) fn is_after(self, time: u64, rank: u32) -> bool {
        time < self.time || (time == self.time && u64::from(rank) < self.rank)
    }
}
