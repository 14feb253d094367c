//! Events after the window, in piles by the highest digit in which their time differs from a base.
//!
//! With a base that is not after any event, all events of a lower level are before those of a higher one, and inside a
//! level a lower digit is before a higher one. So the earliest event is in the first pile of the lowest level. The base
//! moves only into a pile that is taken out at once, which is what keeps every other event where it belongs.
//!
//! A pile is a list of chunks in one store: it is written and read in sequence, where a list of single events would wait
//! for memory at each of them.

use super::{NONE, Node, index};

/// Bits of a digit: a level has one pile for each of its values.
const DIGIT_BITS: u32 = 6;
const DIGITS: usize = 1 << DIGIT_BITS;
const DIGIT_MASK: u64 = (1 << DIGIT_BITS) - 1;
/// Digits of a 64-bit time.
const LEVELS: usize = 64_usize.div_ceil(DIGIT_BITS as usize);
/// Nodes of a chunk.
const CHUNK: usize = 16;

/// A list of chunks, of which the topmost may be partly filled.
#[derive(Clone, Copy)]
pub(super) struct Pile {
    /// The earliest time in it.
    earliest: u64,
    /// One past its last node in the store. At a multiple of [`CHUNK`] the topmost chunk is full; 0 is an empty pile.
    top: u32,
}

impl Pile {
    const EMPTY: Self = Self { earliest: u64::MAX, top: 0 };
}

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
    /// For each chunk the top of its pile without it, or the next free chunk.
    below: Vec<u32>,
    /// First free chunk.
    free: u32,
}

impl<E: Copy> Far<E> {
    /// Nodes of chunks that are partly filled, at most.
    #[cfg(test)]
    pub(super) const SLACK_MAX: usize = LEVELS * DIGITS * CHUNK;

    pub(super) fn new() -> Self {
        Self {
            base: 0,
            len: 0,
            levels: 0,
            occupied: [0; LEVELS],
            piles: Box::new([[Pile::EMPTY; DIGITS]; LEVELS]),
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

    /// Not after any event.
    #[cfg(test)]
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// The earliest time: of the first pile of the lowest level, because higher ones differ from the base higher up.
    pub(super) fn earliest(&self) -> Option<u64> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(self.piles[level][self.occupied[level].trailing_zeros() as usize].earliest)
    }

    /// Measures times from a later `base` on: up to it, all events are to be taken out now, and all of its pile.
    pub(super) fn raise_base(&mut self, base: u64) {
        debug_assert!(base >= self.base, "the base is raised");
        self.base = base;
    }

    /// Measures times from an earlier `base` on.
    ///
    /// Events that differ from both bases in the same digit stay where they are; the others are after the old base by
    /// less than both bases differ.
    pub(super) fn lower_base(&mut self, base: u64) {
        debug_assert!(base <= self.base, "the base is lowered");
        let level = level(base, self.base);
        self.base = base;
        let below = (1 << level) - 1;
        while self.levels & below != 0 {
            let level = self.levels.trailing_zeros() as usize;
            let mut pile = self.take(level, self.occupied[level].trailing_zeros() as usize);
            while let Some(node) = self.take_from(&mut pile) {
                self.push(node);
            }
        }
    }

    pub(super) fn push(&mut self, node: Node<E>) {
        debug_assert!(node.time >= self.base, "the base is not after any event");
        let level = level(node.time, self.base);
        let digit = digit(node.time, level);
        let pile = &mut self.piles[level as usize][digit];
        let mut top = pile.top;
        if (top as usize).is_multiple_of(CHUNK) {
            top = add_chunk(&mut self.store, &mut self.below, &mut self.free, top, node);
        }
        self.store[top as usize] = node;
        pile.top = top + 1;
        pile.earliest = pile.earliest.min(node.time);
        self.occupied[level as usize] |= 1 << digit;
        self.levels |= 1 << level;
        self.len += 1;
    }

    /// Takes out a pile that may hold times from `first` to `last`, which are the bounds of a block that ends at the base.
    ///
    /// The block is either longer than the piles of a level, and then takes in whole ones, or inside of one.
    pub(super) fn take_pile(&mut self, first: u64, last: u64) -> Option<Pile> {
        let mut levels = self.levels;
        let (level, digit) = loop {
            if levels == 0 {
                return None;
            }
            let level = levels.trailing_zeros();
            let (low, high) = (digit(first, level), digit(last, level));
            let inside = self.occupied[level as usize] & (u64::MAX << low) & (u64::MAX >> (DIGITS - 1 - high));
            if inside != 0 {
                break (level as usize, inside.trailing_zeros() as usize);
            }
            levels &= levels - 1;
        };
        Some(self.take(level, digit))
    }

    fn take(&mut self, level: usize, digit: usize) -> Pile {
        let occupied = &mut self.occupied[level];
        *occupied &= !(1 << digit);
        self.levels &= !(u32::from(*occupied == 0) << level);
        std::mem::replace(&mut self.piles[level][digit], Pile::EMPTY)
    }

    /// Takes an event of a pile that was taken out. Others may be pushed meanwhile.
    #[inline]
    pub(super) fn take_from(&mut self, pile: &mut Pile) -> Option<Node<E>> {
        let slot = pile.top.checked_sub(1)?;
        let node = self.store[slot as usize];
        pile.top = slot;
        if (slot as usize).is_multiple_of(CHUNK) {
            let chunk = slot as usize / CHUNK;
            pile.top = std::mem::replace(&mut self.below[chunk], self.free);
            self.free = index(chunk);
        }
        self.len -= 1;
        Some(node)
    }
}

/// The highest digit in which two times differ.
fn level(time: u64, other: u64) -> u32 {
    ((time ^ other) | 1).ilog2() / DIGIT_BITS
}

fn digit(time: u64, level: u32) -> usize {
    ((time >> (level * DIGIT_BITS)) & DIGIT_MASK) as usize
}

/// Puts a chunk on top of a pile that ends at `top`, and returns its first slot. A new one is filled with copies of
/// `node`, as safe code leaves no memory unset.
#[cold]
#[inline(never)]
fn add_chunk<E: Copy>(store: &mut Vec<Node<E>>, below: &mut Vec<u32>, free: &mut u32, top: u32, node: Node<E>) -> u32 {
    if *free == NONE {
        *free = index(below.len());
        below.push(NONE);
        store.resize(store.len() + CHUNK, node);
    }
    let chunk = *free as usize;
    *free = std::mem::replace(&mut below[chunk], top);
    index(chunk * CHUNK)
}
