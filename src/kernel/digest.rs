//! A hash over a set of facts that does not depend on their order.
//!
//! Each fact is a few 64-bit words. Pairs of words are multiplied to 128 bits and summed (the hash family NH of UMAC, RFC
//! 4418), the sum is folded once, and the digest is the sum of all hashes. So two runs that state the same facts, each as often, in whatever order among them, agree;
//! a missing, additional or changed fact shows with a probability of 1 - 2^-64. It is not meant against attackers.

use std::fmt;

/// Odd constants with half of their bits set, one for each place of a word: digits of pi after the point.
const PLACE: [u64; 10] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7345,
    0xa409_3822_299f_31d1,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6d,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
    0x9216_d5d9_8979_fb1b,
    0xd131_0ba6_98df_b5ac,
];

/// The sum over all facts so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Digest(u64);

impl Digest {
    /// The digest of no facts.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds a fact of four words.
    #[inline(always)]
    pub const fn add4(&mut self, words: [u64; 4]) {
        self.add(pair(words[0], words[1], 0).wrapping_add(pair(words[2], words[3], 2)));
    }

    /// Adds a fact of six words.
    #[inline(always)]
    pub const fn add6(&mut self, words: [u64; 6]) {
        let sum = pair(words[0], words[1], 0).wrapping_add(pair(words[2], words[3], 2));
        self.add(sum.wrapping_add(pair(words[4], words[5], 4)));
    }

    /// Adds a fact of eight words.
    #[inline(always)]
    pub const fn add8(&mut self, words: [u64; 8]) {
        let sum = pair(words[0], words[1], 0).wrapping_add(pair(words[2], words[3], 2));
        let other = pair(words[4], words[5], 4).wrapping_add(pair(words[6], words[7], 6));
        self.add(sum.wrapping_add(other));
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "both halves of the sum are taken on purpose")]
    const fn add(&mut self, sum: u128) {
        let hash = fold(sum as u64 ^ PLACE[8], (sum >> 64) as u64 ^ PLACE[9]);
        self.0 = self.0.wrapping_add(hash);
    }

    /// The digest as a number.
    pub const fn value(self) -> u64 {
        self.0
    }
}

/// Sixteen lower-case hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The product of two words that stand at `place` and after it, each moved by its constant.
#[inline(always)]
const fn pair(a: u64, b: u64, place: usize) -> u128 {
    a.wrapping_add(PLACE[place]) as u128 * b.wrapping_add(PLACE[place + 1]) as u128
}

/// Both halves of the 128-bit product, folded into one word.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "the halves of the product are taken on purpose")]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(facts: &[[u64; 4]]) -> Digest {
        let mut digest = Digest::new();
        for &fact in facts {
            digest.add4(fact);
        }
        digest
    }

    #[test]
    fn order_does_not_matter_and_number_does() {
        let (a, b) = ([1, 2, 3, 4], [1, 2, 3, 5]);
        assert_eq!(digest(&[a, b]), digest(&[b, a]));
        assert_ne!(digest(&[a, a]), digest(&[a, b]));
        assert_ne!(digest(&[a, a]), digest(&[]));
    }

    /// Flips each bit of each word of a fact with `add` and looks at how much of the digest moves.
    fn check_bits<const N: usize>(add: impl Fn(&mut Digest, [u64; N])) {
        let of = |words| {
            let mut digest = Digest::new();
            add(&mut digest, words);
            digest.value()
        };
        let base = of([0; N]);
        for place in 0..N {
            for bit in 0..64 {
                let mut words = [0; N];
                words[place] = 1 << bit;
                let changed = (of(words) ^ base).count_ones();
                assert!((10..=54).contains(&changed), "word {place} of {N}, bit {bit}: {changed} bits change");
            }
        }
    }

    #[test]
    fn every_bit_of_every_word_counts() {
        check_bits(Digest::add4);
        check_bits(Digest::add6);
        check_bits(Digest::add8);
    }

    #[test]
    fn words_cannot_trade_places() {
        assert_ne!(digest(&[[1, 2, 0, 0]]), digest(&[[2, 1, 0, 0]]));
        assert_ne!(digest(&[[1, 2, 3, 4]]), digest(&[[3, 4, 1, 2]]));
    }

    #[test]
    fn the_value_is_pinned() {
        assert_eq!(Digest::new().to_string(), "0000000000000000");
        assert_eq!(digest(&[[1, 2, 3, 4]]).to_string().len(), 16);
    }
}
