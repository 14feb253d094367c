//! Random words: independent streams by name, and words by number.
//!
//! Every purpose has a stream of its own, found by hashing the scenario's seed with the names of what draws. So a draw
//! in one place moves no draw in another, and adding a resource to a scenario changes nothing for those there before.
//!
//! A [`StreamKey`] is read by number, in any order: the draws of an event's n-th run are the same whenever it runs.
//! A [`Stream`] is read in sequence. [`IndexedDraws`] are the values of one distribution, read by number.

mod indexed;
#[cfg(test)]
mod tests;

pub use indexed::IndexedDraws;

use multiversion::multiversion;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use sha2::{Digest, Sha256};

/// How many values are computed at a time.
pub const BLOCK: usize = 64;

/// The 64-bit golden ratio: the step of `SplitMix64`.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The source of all random numbers of one run.
#[derive(Clone, Debug)]
pub struct RandomStreams {
    seed: u64,
}

impl RandomStreams {
    /// The streams of the run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The key of the numbered words that belong to these names.
    ///
    /// It depends on the seed and the names alone, and different lists of names give unrelated keys.
    pub fn key(&self, path: &[&str]) -> StreamKey {
        let hash = self.hash(path);
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        StreamKey(u64::from_le_bytes(first))
    }

    /// The sequence of words that belongs to these names: `ChaCha8`, keyed by the hash of seed and names.
    pub fn stream(&self, path: &[&str]) -> Stream {
        Stream { words: ChaCha8Rng::from_seed(self.hash(path)) }
    }

    /// SHA-256 over the seed and the names, each preceded by its length.
    fn hash(&self, path: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        for part in path {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }
}

/// The key of random words that are read by number.
///
/// Word n of a key is the n-th output of `SplitMix64` started at the key (Steele, Lea and Flood, 2014), so it costs the
/// same in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey(u64);

impl StreamKey {
    /// A key from a number, such as another random word.
    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word with this number.
    #[inline]
    pub const fn word(self, index: u64) -> u64 {
        mix13(self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN_GAMMA)))
    }

    /// Half of the word with this number.
    #[allow(clippy::cast_possible_truncation, reason = "half of the word is what is asked for")]
    pub(crate) const fn half_word(self, index: u64) -> u32 {
        self.word(index) as u32
    }

    /// The key of an event's n-th run, counted from 1; the first run's is the key itself.
    pub const fn run(self, run: u32) -> Self {
        if run <= 1 { self } else { self.derive(0x7275_6e00, run as u64) }
    }

    /// Another key, unrelated to this one and to those of other numbers.
    pub const fn child(self, n: u64) -> Self {
        self.derive(0x6368_696c_6400, n)
    }

    /// A key of the family `family`: hashed with another function than the words, so that keys and words are unrelated.
    const fn derive(self, family: u64, n: u64) -> Self {
        Self(murmur3(murmur3(self.0 ^ family).wrapping_add(n.wrapping_mul(GOLDEN_GAMMA))))
    }
}

/// A number below `count` from a random word: where the word falls among as many equal cells.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the high half of a product of two u64 fits")]
pub const fn below(word: u64, count: u64) -> u64 {
    ((word as u128 * count as u128) >> 64) as u64
}

/// The words numbered from `first`.
#[multiversion(targets("x86_64+avx2+avx512dq+avx512f+avx512vl", "x86_64+avx2"))]
fn words_from(key: StreamKey, first: u64, words: &mut [u64; BLOCK]) {
    for (place, word) in words.iter_mut().enumerate() {
        *word = key.word(first + place as u64);
    }
}

/// The output function of `SplitMix64`: the thirteenth of Stafford's mixers.
const fn mix13(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The finaliser of `MurmurHash3`.
const fn murmur3(word: u64) -> u64 {
    let word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// Random words in sequence.
#[derive(Clone, Debug)]
pub struct Stream {
    words: ChaCha8Rng,
}

impl Stream {
    /// The next word.
    #[inline]
    pub fn word(&mut self) -> u64 {
        self.words.next_u64()
    }

    /// The next words: the same as by [`Stream::word`], one after the other.
    pub fn fill(&mut self, words: &mut [u64]) {
        for chunk in words.chunks_mut(BLOCK) {
            let mut bytes = [0; BLOCK * 8];
            let bytes = &mut bytes[..chunk.len() * 8];
            self.words.fill_bytes(bytes);
            let (bytes, _) = bytes.as_chunks();
            for (word, bytes) in chunk.iter_mut().zip(bytes) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
    }
}
