//! Values of one distribution, read by number.

use super::{BLOCK, StreamKey};
use crate::kernel::dist::Distribution;

/// How many misses in a row must fall near each other before a block is computed there.
const STREAK: u32 = 16;

/// The values of one distribution by number: a value depends on key, number and run alone.
///
/// Reading in order, or nearly, costs a comparison and a load; 64 values are computed together. Elsewhere values are
/// computed singly, to the same bits.
#[derive(Clone, Debug)]
pub struct IndexedDraws {
    key: StreamKey,
    distribution: Distribution,
    /// The number of the first value of the block.
    first: u64,
    /// All bits; none for a constant, whose block is one value that is found under every number.
    mask: u64,
    /// The block; empty before the first is computed.
    values: Box<[u64]>,
    /// The block that is computed next, by the number of its first value.
    next: u64,
    /// The block of the last miss, and how many in a row fell into it or the one behind it.
    missed: u64,
    streak: u32,
}

impl IndexedDraws {
    /// The values of `distribution` under `key`. A constant takes no random numbers.
    pub fn new(key: StreamKey, distribution: Distribution) -> Self {
        let (mask, values): (u64, Box<[u64]>) = match distribution.is_constant() {
            Some(value) => (0, Box::new([value])),
            None => (u64::MAX, Box::default()),
        };
        Self { key, distribution, first: 0, mask, values, next: 0, missed: 0, streak: 0 }
    }

    /// The value with this number, of the first run.
    #[inline]
    pub fn at(&mut self, index: u64) -> u64 {
        let offset = index.wrapping_sub(self.first) & self.mask;
        let place = usize::try_from(offset).unwrap_or(usize::MAX);
        match self.values.get(place) {
            Some(&value) => value,
            None => self.miss(index),
        }
    }

    /// The value with this number, of this run (counted from 1).
    #[inline]
    pub fn at_run(&mut self, index: u64, run: u32) -> u64 {
        if run <= 1 { self.at(index) } else { self.single(index, run) }
    }

    /// What the values are drawn from.
    pub fn distribution(&self) -> &Distribution {
        &self.distribution
    }

    /// Whether a number's value is there.
    #[cfg(test)]
    pub(super) fn holds(&self, index: u64) -> bool {
        (index.wrapping_sub(self.first) & self.mask) < self.values.len() as u64
    }

    /// A value outside the block: the start of the next block in order, or one value beside the order.
    #[cold]
    #[inline(never)]
    fn miss(&mut self, index: u64) -> u64 {
        let block = index & !(BLOCK as u64 - 1);
        // Numbers behind the block and scattered ones do not move it, a steady reader elsewhere does.
        let near = block == self.missed || block == self.missed.wrapping_add(BLOCK as u64);
        self.streak = if near { self.streak + 1 } else { 0 };
        self.missed = block;
        if block != self.next && self.streak < STREAK {
            return self.single(index, 1);
        }
        self.streak = 0;
        self.refill(block);
        self.at(index)
    }

    fn refill(&mut self, block: u64) {
        let mut words = [0; BLOCK];
        let mut values = [0; BLOCK];
        super::words_from(self.key, block, &mut words);
        self.distribution.sample_block(&words, &mut values);
        if self.values.is_empty() {
            self.values = Box::new([0; BLOCK]);
        }
        self.values.copy_from_slice(&values);
        self.first = block;
        self.next = block.wrapping_add(BLOCK as u64);
    }

    #[inline(never)]
    fn single(&self, index: u64, run: u32) -> u64 {
        self.distribution.sample(self.key.run(run).word(index))
    }
}
