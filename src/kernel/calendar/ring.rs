//! The window: a block of time cut into equal buckets, each a list of the events that fall into it.
//!
//! Sizes are powers of two in fixed arrays, so that a remainder is a mask and proves an index to be in range.

use super::{Limit, NONE, Node, index};

/// Buckets of the window, as a power of two.
pub(super) const RING_BITS: u32 = 12;
const BUCKETS: usize = 1 << RING_BITS;
const BUCKET_MASK: u64 = (1 << RING_BITS) - 1;
const WORDS: usize = BUCKETS / 64;
/// Up to this many events of a bucket are searched for the earliest one. A longer list is sorted once instead.
const SEARCHED_MAX: usize = 8;

/// What the search of a bucket ends with.
pub(super) enum Earliest<E> {
    /// This one, now removed.
    Taken(Node<E>),
    /// Its time is past the limit of the search.
    TooLate,
    /// The list is longer than a search may be.
    Crowded,
}

pub(super) struct Ring<E> {
    /// A bucket is `1 << shift` nanoseconds wide.
    shift: u32,
    /// First free node; the last freed is reused first, as it is still in the cache.
    free: u32,
    len: usize,
    /// Which `words` are not zero.
    summary: u64,
    /// Which buckets are not empty.
    words: [u64; WORDS],
    /// First node of every bucket.
    heads: Box<[u32; BUCKETS]>,
    nodes: Vec<Node<E>>,
}

impl<E: Copy> Ring<E> {
    pub(super) fn new() -> Self {
        Self {
            shift: 0,
            free: NONE,
            len: 0,
            summary: 0,
            words: [0; WORDS],
            heads: Box::new([NONE; BUCKETS]),
            nodes: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes the buckets of an empty ring fit a window of `1 << window_bits` nanoseconds.
    pub(super) fn set_window_bits(&mut self, window_bits: u32) {
        debug_assert!(self.len == 0, "buckets keep their width while they hold events");
        self.shift = window_bits - RING_BITS;
    }

    /// The last time of a `bucket` that holds events.
    pub(super) fn last_time(&self, bucket: usize) -> u64 {
        self.nodes[self.heads[bucket] as usize].time | ((1 << self.shift) - 1)
    }

    /// Nodes ever made: what the list grew to.
    #[cfg(test)]
    pub(super) fn nodes_made(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    pub(super) fn push(&mut self, mut node: Node<E>) {
        let bucket = ((node.time >> self.shift) & BUCKET_MASK) as usize;
        node.next = self.heads[bucket];
        let slot = self.free;
        self.heads[bucket] = if let Some(free) = self.nodes.get_mut(slot as usize) {
            self.free = free.next;
            *free = node;
            slot
        } else {
            self.grow(node)
        };
        self.words[bucket / 64] |= 1 << (bucket % 64);
        self.summary |= 1 << (bucket / 64);
        self.len += 1;
    }

    /// The first bucket that is not empty. The window is one aligned block, so that is the lowest bit.
    #[inline]
    pub(super) fn first(&self) -> Option<usize> {
        if self.summary == 0 {
            return None;
        }
        let word = self.summary.trailing_zeros() as usize % WORDS;
        Some((word * 64 + self.words[word].trailing_zeros() as usize) % BUCKETS)
    }

    /// The event of `bucket` where it is the only one.
    #[inline]
    pub(super) fn only(&self, bucket: usize) -> Option<&Node<E>> {
        let node = &self.nodes[self.heads[bucket] as usize];
        (node.next == NONE).then_some(node)
    }

    /// Empties a `bucket` that holds one event.
    #[inline]
    pub(super) fn remove_only(&mut self, bucket: usize) {
        let slot = self.heads[bucket];
        self.release(slot);
        self.clear(bucket);
    }

    /// Takes the earliest event of a `bucket` that holds several, if it is before `limit`.
    pub(super) fn take_earliest(&mut self, bucket: usize, limit: Limit) -> Earliest<E> {
        let head = self.heads[bucket];
        let (mut best, mut before_best) = (head, NONE);
        let (mut before, mut slot) = (head, self.nodes[head as usize].next);
        let mut seen = 1;
        while slot != NONE {
            if seen == SEARCHED_MAX {
                return Earliest::Crowded;
            }
            let node = &self.nodes[slot as usize];
            if node.key() < self.nodes[best as usize].key() {
                (best, before_best) = (slot, before);
            }
            (before, slot) = (slot, node.next);
            seen += 1;
        }
        let node = self.nodes[best as usize];
        if !limit.is_after(&node) {
            return Earliest::TooLate;
        }
        match before_best {
            NONE => self.heads[bucket] = node.next,
            _ => self.nodes[before_best as usize].next = node.next,
        }
        self.release(best);
        Earliest::Taken(node)
    }

    /// Moves the events of `bucket` to the end of `nodes`, in no order.
    pub(super) fn drain(&mut self, bucket: usize, nodes: &mut Vec<Node<E>>) {
        let mut slot = self.heads[bucket];
        while slot != NONE {
            let node = self.nodes[slot as usize];
            nodes.push(node);
            self.release(slot);
            slot = node.next;
        }
        self.clear(bucket);
    }

    /// Makes a node where none is free.
    fn grow(&mut self, node: Node<E>) -> u32 {
        let slot = index(self.nodes.len());
        self.nodes.push(node);
        slot
    }

    #[inline]
    fn release(&mut self, slot: u32) {
        self.nodes[slot as usize].next = self.free;
        self.free = slot;
        self.len -= 1;
    }

    #[inline]
    fn clear(&mut self, bucket: usize) {
        self.heads[bucket] = NONE;
        let word = &mut self.words[bucket / 64];
        *word &= !(1 << (bucket % 64));
        self.summary &= !(u64::from(*word == 0) << (bucket / 64));
    }
}
