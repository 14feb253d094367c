//! The window: two halves of time cut into equal buckets, each a list of the events that fall into it.
//!
//! Sizes are powers of two in fixed arrays, so that a remainder is a mask and proves an index to be in range.

use super::{NONE, Node, index};

/// Buckets of half a window, as a power of two: one for each bit of 64 words.
pub(super) const HALF_BITS: u32 = 12;
const BUCKETS: usize = 2 << HALF_BITS;
const BUCKET_MASK: u64 = (2 << HALF_BITS) - 1;
const WORDS: usize = BUCKETS / 64;
/// Up to this many events of a bucket are searched for the earliest one. A longer list is sorted once instead.
const SEARCHED_MAX: usize = 8;

pub(super) struct Ring<E> {
    /// A bucket is `1 << shift` nanoseconds wide.
    shift: u32,
    /// First free node; the last freed is reused first, as it is still in the cache.
    free: u32,
    len: usize,
    /// The half of the buckets that the window begins with: 0 or 1.
    first_half: usize,
    /// For each half, which of its `words` are not zero.
    summaries: [u64; 2],
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
            first_half: 0,
            summaries: [0; 2],
            words: [0; WORDS],
            heads: vec![NONE; BUCKETS].try_into().expect("as many as there are buckets"),
            nodes: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes half of the buckets of an empty ring as long as `1 << half_bits` nanoseconds.
    pub(super) fn set_half_bits(&mut self, half_bits: u32) {
        debug_assert!(self.len == 0, "buckets keep their width while they hold events");
        self.shift = half_bits - HALF_BITS;
    }

    /// The last time of the bucket that `time` falls into.
    #[inline(always)]
    pub(super) fn last_beside(&self, time: u64) -> u64 {
        time | ((1 << self.shift) - 1)
    }

    /// Nodes ever made: what the list grew to.
    #[cfg(test)]
    pub(super) fn nodes_made(&self) -> usize {
        self.nodes.len()
    }

    /// Puts in an event. Returns its bucket, and whether that was empty.
    #[inline(always)]
    pub(super) fn push(&mut self, node: Node<E>) -> (usize, bool) {
        let bucket = ((node.time >> self.shift) & BUCKET_MASK) as usize;
        let head = self.heads[bucket];
        let node = Node { next: head, ..node };
        let slot = self.free;
        self.heads[bucket] = if let Some(free) = self.nodes.get_mut(slot as usize) {
            self.free = free.next;
            *free = node;
            slot
        } else {
            self.grow(node)
        };
        self.words[bucket / 64] |= 1 << (bucket % 64);
        self.summaries[bucket >> HALF_BITS] |= 1 << (bucket / 64 % 64);
        self.len += 1;
        (bucket, head == NONE)
    }

    /// Makes the window begin with the half that `time` falls into.
    pub(super) fn begin_with_half_of(&mut self, time: u64) {
        self.first_half = usize::from((time >> self.shift) & (1 << HALF_BITS) != 0);
    }

    /// The first bucket that is not empty: the lowest bit of the first half, or else of the other.
    #[inline(always)]
    pub(super) fn first(&self) -> Option<usize> {
        let mut half = self.first_half % 2;
        if self.summaries[half] == 0 {
            half = 1 - half;
            if self.summaries[half] == 0 {
                return None;
            }
        }
        let word = half * (WORDS / 2) + self.summaries[half].trailing_zeros() as usize % (WORDS / 2);
        Some((word * 64 + self.words[word].trailing_zeros() as usize) % BUCKETS)
    }

    /// The earliest event of a `bucket` that holds some, now at the head of its list, unless the list is longer than a
    /// search may be.
    #[inline(always)]
    pub(super) fn earliest(&mut self, bucket: usize) -> Option<&Node<E>> {
        let head = self.heads[bucket];
        if self.nodes[head as usize].next != NONE {
            self.move_earliest_to_head(bucket)?;
        }
        Some(&self.nodes[self.heads[bucket] as usize])
    }

    #[inline(never)]
    fn move_earliest_to_head(&mut self, bucket: usize) -> Option<()> {
        let head = self.heads[bucket];
        let (mut best, mut before_best) = (head, NONE);
        let (mut before, mut slot) = (head, self.nodes[head as usize].next);
        let mut seen = 1;
        while slot != NONE {
            if seen == SEARCHED_MAX {
                return None;
            }
            let node = &self.nodes[slot as usize];
            if node.key() < self.nodes[best as usize].key() {
                (best, before_best) = (slot, before);
            }
            (before, slot) = (slot, node.next);
            seen += 1;
        }
        if before_best != NONE {
            self.nodes[before_best as usize].next = self.nodes[best as usize].next;
            self.nodes[best as usize].next = head;
            self.heads[bucket] = best;
        }
        Some(())
    }

    /// Takes the event at the head of the list of a `bucket`.
    #[inline(always)]
    pub(super) fn take_head(&mut self, bucket: usize) -> E {
        let slot = self.heads[bucket];
        let node = &mut self.nodes[slot as usize];
        let (event, next) = (node.event, node.next);
        node.next = self.free;
        self.free = slot;
        self.len -= 1;
        self.heads[bucket] = next;
        if next == NONE {
            self.clear(bucket);
        }
        event
    }

    /// Moves the events of `bucket` to the end of `nodes`, in no order.
    pub(super) fn drain(&mut self, bucket: usize, nodes: &mut Vec<Node<E>>) {
        let mut slot = self.heads[bucket];
        while slot != NONE {
            let node = self.nodes[slot as usize];
            nodes.push(node);
            self.nodes[slot as usize].next = self.free;
            self.free = slot;
            self.len -= 1;
            slot = node.next;
        }
        self.heads[bucket] = NONE;
        self.clear(bucket);
    }

    /// Makes a node where none is free.
    fn grow(&mut self, node: Node<E>) -> u32 {
        let slot = index(self.nodes.len());
        self.nodes.push(node);
        slot
    }

    /// Notes that a `bucket` is empty.
    #[inline(always)]
    fn clear(&mut self, bucket: usize) {
        let word = &mut self.words[bucket / 64];
        *word &= !(1 << (bucket % 64));
        self.summaries[bucket >> HALF_BITS] &= !(u64::from(*word == 0) << (bucket / 64 % 64));
    }
}
