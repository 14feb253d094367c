//! The window: one block of time cut into equal buckets, each a list of the events that fall into it.

use super::{NONE, Node};

/// Buckets of the window, as a power of two.
pub(super) const RING_BITS: u32 = 12;
const BUCKETS: usize = 1 << RING_BITS;
const WORDS: usize = BUCKETS / 64;
/// Up to this many events a bucket is searched for its earliest one. A longer list is sorted once instead.
const SEARCHED_MAX: usize = 8;

/// What a search of a shared bucket ends with.
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
    pub(super) shift: u32,
    /// First free node; the last freed is reused first, as it is still in the cache.
    free: u32,
    len: usize,
    /// Which of `words` are not zero.
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

    /// Nodes ever made: what the list grew to.
    #[cfg(test)]
    pub(super) fn nodes_made(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    pub(super) fn push(&mut self, mut node: Node<E>) {
        let bucket = (node.time >> self.shift) as usize % BUCKETS;
        let head = &mut self.heads[bucket];
        node.next = *head;
        let slot = self.free;
        if let Some(place) = self.nodes.get_mut(slot as usize) {
            self.free = place.next;
            *place = node;
            *head = slot;
        } else {
            *head = index(self.nodes.len());
            self.nodes.push(node);
        }
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

    /// Takes the earliest event of a `bucket` that holds several, unless it is after `last`.
    pub(super) fn take_earliest(&mut self, bucket: usize, last: u64) -> Earliest<E> {
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
        if node.time > last {
            return Earliest::TooLate;
        }
        match before_best {
            NONE => self.heads[bucket] = node.next,
            _ => self.nodes[before_best as usize].next = node.next,
        }
        self.release(best);
        Earliest::Taken(node)
    }

    /// Empties `bucket` into `sink`, in no order.
    pub(super) fn drain(&mut self, bucket: usize, mut sink: impl FnMut(Node<E>)) {
        let mut slot = self.heads[bucket];
        while slot != NONE {
            let node = self.nodes[slot as usize];
            sink(node);
            self.release(slot);
            slot = node.next;
        }
        self.clear(bucket);
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

/// A slot as the lists keep it.
#[cold]
#[inline(never)]
fn index(slot: usize) -> u32 {
    u32::try_from(slot).ok().filter(|&slot| slot != NONE).expect("fewer than 2^32 events are pending")
}
