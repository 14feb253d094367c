//! Keys of messages and records: which one each submission has. Passive.

use super::config::{self, Deduplication};
use super::streams::PartitionKey;
use crate::kernel::rng::{StreamKey, below};

/// The keys of one caller.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    choice: Choice,
    key: StreamKey,
    /// The keys `1`, `2`, .. of records.
    known: Vec<PartitionKey>,
}

#[derive(Clone, Debug)]
enum Choice {
    /// None: each has its own.
    Own,
    /// One of so many texts `1`, `2`, ..
    Uniform(u64),
    /// One of the texts `1`, `2`, .. by their cumulated shares.
    Shares(Vec<f64>),
    /// These in turn.
    Turn(Vec<Text>),
}

/// A key that a list names.
#[derive(Clone, Copy, Debug)]
struct Text {
    hash: u64,
    record: PartitionKey,
}

impl Text {
    fn new(text: &str) -> Self {
        Self { hash: hash(text.as_bytes()), record: PartitionKey::of_text(text) }
    }

    fn of_hash(key: u128) -> Self {
        Self { hash: hash(&key.to_be_bytes()), record: PartitionKey::of_hash(key) }
    }
}

/// Which key a submission has.
enum Chosen {
    Own,
    Number(u64),
    Text(Text),
}

/// Keys that are numbers are hashed once for all records up to so many.
const KNOWN: u64 = 4_096;

impl Keys {
    /// The keys that a caller's settings name, drawn under `key`.
    pub(crate) fn new(config: &config::Keys, key: StreamKey) -> Self {
        let choice = match config {
            config::Keys::Even => Choice::Own,
            config::Keys::Uniform(count) => Choice::Uniform(*count),
            config::Keys::Zipf { count, exponent } => Choice::Shares(zipf(*count, *exponent)),
            config::Keys::List(texts) => Choice::Turn(texts.iter().map(|text| Text::new(text)).collect()),
            config::Keys::Hash(keys) => Choice::Turn(keys.iter().map(|key| Text::of_hash(*key)).collect()),
        };
        Self { choice, key, known: Vec::new() }
    }

    /// Deduplication ids, by the same rules.
    pub(crate) fn of_deduplication(config: &Deduplication, key: StreamKey) -> Self {
        let choice = match config {
            Deduplication::None => Choice::Own,
            Deduplication::Constant(text) => Choice::Turn(vec![Text::new(text)]),
            Deduplication::Uniform(count) => Choice::Uniform(*count),
        };
        Self { choice, key, known: Vec::new() }
    }

    /// The same keys, for records of a stream.
    pub(crate) fn of_records(config: &config::Keys, key: StreamKey) -> Self {
        let mut keys = Self::new(config, key);
        let count = match &keys.choice {
            Choice::Own | Choice::Turn(_) => 0,
            Choice::Uniform(count) => *count,
            Choice::Shares(shares) => shares.len() as u64,
        };
        keys.known = (1..=count.min(KNOWN)).map(|number| PartitionKey::of_text(&number.to_string())).collect();
        keys
    }

    fn choose(&self, submission: u64) -> Chosen {
        let word = || self.key.word(submission - 1);
        match &self.choice {
            Choice::Own => Chosen::Own,
            Choice::Uniform(count) => Chosen::Number(1 + below(word(), *count)),
            Choice::Shares(shares) => {
                let point = (word() >> 11) as f64 / (1_u64 << 53) as f64;
                Chosen::Number(1 + shares.partition_point(|share| *share <= point) as u64)
            }
            Choice::Turn(texts) => {
                let place = usize::try_from((submission - 1) % texts.len() as u64).expect("less than the texts");
                Chosen::Text(texts[place])
            }
        }
    }

    /// The hash of a submission's key; `None` where each has its own.
    pub(crate) fn hash(&self, submission: u64) -> Option<u64> {
        match self.choose(submission) {
            Chosen::Own => None,
            Chosen::Number(number) => Some(hash_number(number)),
            Chosen::Text(text) => Some(text.hash),
        }
    }

    /// The key of a submission that is a record.
    pub(crate) fn of_record(&self, submission: u64) -> PartitionKey {
        match self.choose(submission) {
            Chosen::Own => PartitionKey::Turn(submission - 1),
            Chosen::Number(number) => {
                let known = usize::try_from(number - 1).ok().and_then(|place| self.known.get(place));
                known.copied().unwrap_or_else(|| PartitionKey::of_text(&number.to_string()))
            }
            Chosen::Text(text) => text.record,
        }
    }
}

/// Cumulated shares of the keys 1, 2, .. under Zipf's law; the last is one.
fn zipf(count: u64, exponent: f64) -> Vec<f64> {
    let weight = |rank: u64| libm::pow(rank as f64, -exponent);
    let mut shares: Vec<f64> = (1..=count)
        .scan(0.0, |sum, rank| {
            *sum += weight(rank);
            Some(*sum)
        })
        .collect();
    let all = shares.last().copied().unwrap_or(1.0);
    for share in &mut shares {
        *share /= all;
    }
    if let Some(last) = shares.last_mut() {
        *last = 1.0;
    }
    shares
}

/// FNV-1a of a text.
fn hash(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The hash of a number's decimal text.
fn hash_number(mut number: u64) -> u64 {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return hash(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::RandomStreams;

    fn keys(config: &config::Keys) -> Keys {
        Keys::new(config, RandomStreams::new(1).key(&["keys"]))
    }

    /// The contract: the n-th of `uniform` is the text n, so it is the same key as in a list.
    #[test]
    fn numbers_are_texts() {
        let list = keys(&config::Keys::List(vec!["1".into(), "20".into()]));
        assert_eq!(
            (list.hash(1), list.hash(2), list.hash(3)),
            (Some(hash_number(1)), Some(hash_number(20)), list.hash(1))
        );
        assert_eq!(keys(&config::Keys::Uniform(1)).hash(5), list.hash(1));
        assert_eq!(keys(&config::Keys::Even).hash(5), None);
        assert_eq!(hash_number(u64::MAX), hash(u64::MAX.to_string().as_bytes()));
    }

    /// A record's key is its text, whether it was hashed before or not.
    #[test]
    fn records_have_the_keys_of_their_texts() {
        let config = config::Keys::Uniform(2 * KNOWN);
        let (known, unknown) = (Keys::of_records(&config, RandomStreams::new(1).key(&["keys"])), keys(&config));
        assert_eq!(known.known.len() as u64, KNOWN);
        (1..100).for_each(|submission| assert_eq!(known.of_record(submission), unknown.of_record(submission)));
        assert_eq!(keys(&config::Keys::Uniform(1)).of_record(7), PartitionKey::of_text("1"));
        assert_eq!(keys(&config::Keys::Even).of_record(7), PartitionKey::Turn(6));
        assert_eq!(keys(&config::Keys::Hash(vec![5])).of_record(7), PartitionKey::of_hash(5));
    }

    /// Shares 1/1 : 1/2 : 1/3 for exponent 1, of 60,000 draws; five standard deviations of 122.
    #[test]
    fn zipf_has_its_shares() {
        let keys = keys(&config::Keys::Zipf { count: 3, exponent: 1.0 });
        for (rank, expected) in [(1, 32_727.0), (2, 16_364.0), (3, 10_909.0)] {
            let hash = Some(hash_number(rank));
            let found = (1..=60_000).filter(|submission| keys.hash(*submission) == hash).count();
            assert!((found as f64 - expected).abs() < 611.0, "{rank}: {found}");
        }
    }
}
