//! Which shard a record goes to (ESM-2.1). Passive.

use md5::{Digest as _, Md5};

/// Lanes are numbers modulo this: a multiple of every parallelization factor from 1 to 10.
pub(super) const LANES: u16 = 2_520;

/// The key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartitionKey {
    /// None: this record is the n-th of its caller, 0 = first, and they go to the shards in turn.
    Turn(u64),
    /// A key, by its hashes.
    Text {
        /// MD5 of the text, as a number; or the explicit hash key.
        md5: u128,
        /// Kafka's hash of the text.
        murmur2: u32,
        /// ESM-K3: the number whose remainder is the lane.
        lane: u16,
        /// Length of the text, bytes.
        bytes: u16,
    },
}

impl PartitionKey {
    /// The key with this text.
    pub(crate) fn of_text(text: &str) -> Self {
        let md5 = u128::from_be_bytes(Md5::digest(text).into());
        let bytes = u16::try_from(text.len()).unwrap_or(u16::MAX);
        Self::Text { md5, murmur2: murmur2(text.as_bytes()), lane: lane(md5), bytes }
    }

    /// A key with an explicit hash.
    pub(crate) fn of_hash(md5: u128) -> Self {
        Self::Text { md5, murmur2: murmur2(&md5.to_be_bytes()), lane: lane(md5), bytes: 0 }
    }

    /// Which of `shards` equal ranges of hashes it falls in.
    pub(super) fn shard_of_range(self, shards: u32) -> u32 {
        match self {
            Self::Turn(number) => below(number, shards),
            Self::Text { md5, .. } => range_of(md5, shards),
        }
    }

    /// Which of `partitions` Kafka's default partitioner chooses.
    pub(super) fn partition(self, partitions: u32) -> u32 {
        match self {
            Self::Turn(number) => below(number, partitions),
            Self::Text { murmur2, .. } => (murmur2 & 0x7fff_ffff) % partitions,
        }
    }

    /// ESM-K3: the number whose remainder is the lane.
    pub(super) fn lane(self, shards: u32) -> u16 {
        match self {
            // Those of one shard go to its lanes in turn.
            #[allow(clippy::cast_possible_truncation, reason = "less than the lanes")]
            Self::Turn(number) => (number / u64::from(shards) % u64::from(LANES)) as u16,
            Self::Text { lane, .. } => lane,
        }
    }

    /// Length of the key, bytes: it counts to the write limits.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::Turn(_) => 0,
            Self::Text { bytes, .. } => u64::from(bytes),
        }
    }
}

fn lane(md5: u128) -> u16 {
    u16::try_from(md5 % u128::from(LANES)).expect("less than the lanes")
}

#[allow(clippy::cast_possible_truncation, reason = "less than the count")]
fn below(number: u64, count: u32) -> u32 {
    (number % u64::from(count)) as u32
}

/// Shard i of n starts at i x floor(2^128 / n); the last one ends at 2^128 - 1.
fn range_of(hash: u128, shards: u32) -> u32 {
    if shards == 1 {
        return 0;
    }
    // floor(2^128 / n), which is floor((2^128 - 1) / n) unless n divides 2^128.
    let shards = u128::from(shards);
    let width = u128::MAX / shards + u128::from(u128::MAX % shards == shards - 1);
    u32::try_from((hash / width).min(shards - 1)).expect("one of the shards")
}

/// The 32-bit hash of Kafka's default partitioner (its documentation names murmur2, with this seed).
fn murmur2(data: &[u8]) -> u32 {
    const MIX: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c ^ length;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(MIX);
        hash = hash.wrapping_mul(MIX) ^ (word ^ word >> 24).wrapping_mul(MIX);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| tail << 8 | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(MIX);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(MIX);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["user-1", "user-2", "order-1001", "hot", "a"];

    fn md5(text: &str) -> u128 {
        match PartitionKey::of_text(text) {
            PartitionKey::Text { md5, .. } => md5,
            PartitionKey::Turn(_) => unreachable!("a text"),
        }
    }

    /// ESM-A23: MD5 of the key, read as a number, in equal ranges.
    #[test]
    fn esm_a23_keys_and_their_shards() {
        let first = KEYS.map(|key| md5(key) >> 96);
        assert_eq!(first, [0xd6d7_7053, 0x3d58_ce20, 0x9292_11f1, 0x2736_9b3b, 0x0cc1_75b9]);
        assert_eq!(md5("user-1"), 285_573_413_173_782_752_570_879_317_399_258_818_820);
        for (shards, expected) in
            [(1, [0; 5]), (2, [1, 0, 1, 0, 0]), (3, [2, 0, 1, 0, 0]), (4, [3, 0, 2, 0, 0]), (10, [8, 2, 5, 1, 0])]
        {
            assert_eq!(KEYS.map(|key| PartitionKey::of_text(key).shard_of_range(shards)), expected, "{shards} shards");
        }
        let starts = [
            0,
            85_070_591_730_234_615_865_843_651_857_942_052_864,
            170_141_183_460_469_231_731_687_303_715_884_105_728,
            255_211_775_190_703_847_597_530_955_573_826_158_592,
        ];
        for (shard, start) in (0..).zip(starts) {
            assert_eq!(range_of(start, 4), shard);
            assert_eq!(range_of(start.saturating_sub(1), 4), u32::saturating_sub(shard, 1));
        }
        assert_eq!([2, 3, 7, 10].map(|shards| range_of(u128::MAX, shards)), [1, 2, 6, 9]);
    }

    /// ESM-A49: the lane is the number modulo the factor.
    #[test]
    fn esm_a49_keys_and_their_lanes() {
        let keys = ["user-1", "user-2", "user-3", "user-4", "order-1001"];
        for (factor, expected) in [(4, [0, 3, 2, 1, 0]), (10, [0, 5, 2, 1, 8])] {
            assert_eq!(keys.map(|key| PartitionKey::of_text(key).lane(1) % factor), expected, "factor {factor}");
        }
    }

    /// The vectors of Kafka's own test of its hash (`UtilsTest.testMurmur2`), as unsigned numbers.
    #[test]
    fn the_hash_of_kafka() {
        for (text, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }

    /// Records without a key: to the shards in turn, and those of a shard to its lanes in turn.
    #[test]
    fn without_a_key_in_turn() {
        let places: Vec<_> = (0..8)
            .map(|number| (PartitionKey::Turn(number).shard_of_range(4), PartitionKey::Turn(number).lane(4) % 2))
            .collect();
        assert_eq!(places, [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1), (3, 1)]);
    }
}
