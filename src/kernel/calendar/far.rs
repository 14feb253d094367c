//! Events after the window, in piles by the highest digit in which their time differs from a base.

use super::{NONE, Node};

/// Bits of a digit: a level has one pile for each of its values.
const DIGIT_BITS: u32 = 6;
const DIGITS: usize = 1 << DIGIT_BITS;
/// Digits of a 64-bit time.
const LEVELS: usize = 64_usize.div_ceil(DIGIT_BITS as usize);
/// Nodes of a chunk.
const CHUNK: usize = 16;

/// One pile: a list of chunks, of which the first may be partly filled.
#[derive(Clone, Copy)]
struct Pile {
    /// The earliest time in it; the end of time when it is empty.
    earliest: u64,
    /// One past the last node in the store. At a multiple of [`CHUNK`] the chunk is full; zero is an empty pile.
    top: u32,
}

/// The pile of nothing.
const EMPTY: Pile = Pile { earliest: u64::MAX, top: 0 };

pub(super) struct Far<E> {
    /// Not after any event here.
    base: u64,
    len: usize,
    /// Which levels are not empty.
    levels: u32,
    /// Which piles of each level are not empty.
    occupied: [u64; LEVELS],
    piles: Box<[[Pile; DIGITS]; LEVELS]>,
    /// All chunks, end to end.
    store: Vec<Node<E>>,
    /// For each chunk the `top` below it in its pile, or the next free chunk.
    below: Vec<u32>,
    /// First free chunk.
    free: u32,
}

impl<E: Copy> Far<E> {
    pub(super) fn new() -> Self {
        Self {
            base: 0,
            len: 0,
            levels: 0,
            occupied: [0; LEVELS],
            piles: Box::new([[EMPTY; DIGITS]; LEVELS]),
            store: Vec::new(),
            below: Vec::new(),
            free: NONE,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Nodes ever made: what the store grew to.
    #[cfg(test)]
    pub(super) fn nodes_made(&self) -> usize {
        self.store.len()
    }

    /// The earliest time: of the first pile of the lowest level, because higher ones differ from the base higher up.
    pub(super) fn earliest(&self) -> Option<u64> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(self.piles[level][self.occupied[level].trailing_zeros() as usize].earliest)
    }

    /// Measures from `base` henceforth: a time that is not after any event, and that shares with the base before it
    /// every digit by which an event that stays is told from that one.
    pub(super) fn rebase(&mut self, base: u64) {
        debug_assert!(base >= self.base, "the base moves with time");
        self.base = base;
    }

    pub(super) fn push(&mut self, node: Node<E>) {
        debug_assert!(node.time >= self.base, "the base is not after any event");
        let level = (63 - ((node.time ^ self.base) | 1).leading_zeros()) / DIGIT_BITS;
        let digit = digit(node.time, level);
        let pile = &mut self.piles[level as usize][digit];
        let mut top = pile.top;
        if top as usize % CHUNK == 0 {
            top = new_chunk(&mut self.store, &mut self.below, &mut self.free, top, node);
        }
        self.store[top as usize] = node;
        pile.top = top + 1;
        pile.earliest = pile.earliest.min(node.time);
        self.occupied[level as usize] |= 1 << digit;
        self.levels |= 1 << level;
        self.len += 1;
    }

    /// Takes out the lowest pile that may hold times from `first` to `last`, a block whose start shares its digits
    /// with the base.
    pub(super) fn take_pile(&mut self, first: u64, last: u64) -> Option<Taken> {
        for level in 0..LEVELS {
            if self.occupied[level] == 0 {
                continue;
            }
            let (low, high) = (digit(first, level as u32), digit(last, level as u32));
            let piles = self.occupied[level] & (u64::MAX << low) & (u64::MAX >> (DIGITS - 1 - high));
            if piles == 0 {
                continue;
            }
            let digit = piles.trailing_zeros() as usize;
            self.occupied[level] &= !(1 << digit);
            self.levels &= !(u32::from(self.occupied[level] == 0) << level);
            let top = std::mem::replace(&mut self.piles[level][digit], EMPTY).top;
            return Some(Taken { top });
        }
        None
    }

    /// Takes the next event of a pile that was taken out.
    #[inline]
    pub(super) fn take_from(&mut self, taken: &mut Taken) -> Option<Node<E>> {
        let slot = (taken.top as usize).checked_sub(1)?;
        let node = self.store[slot];
        taken.top -= 1;
        if slot % CHUNK == 0 {
            let chunk = slot / CHUNK;
            taken.top = self.below[chunk];
            self.below[chunk] = self.free;
            self.free = chunk as u32;
        }
        self.len -= 1;
        Some(node)
    }
}

/// A pile that was taken out, down to its `top`.
pub(super) struct Taken {
    top: u32,
}

fn digit(time: u64, level: u32) -> usize {
    (time >> (level * DIGIT_BITS)) as usize % DIGITS
}

/// A chunk on top of the full pile `below`. Returns its first slot. A new chunk is filled with copies of `node`.
#[cold]
#[inline(never)]
fn new_chunk<E: Copy>(
    store: &mut Vec<Node<E>>,
    links: &mut Vec<u32>,
    free: &mut u32,
    below: u32,
    node: Node<E>,
) -> u32 {
    if *free == NONE {
        *free = links.len() as u32;
        links.push(NONE);
        store.resize(store.len() + CHUNK, node);
    }
    let chunk = *free;
    *free = std::mem::replace(&mut links[chunk as usize], below);
    chunk * CHUNK as u32
}
