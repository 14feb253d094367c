use super::*;
use crate::kernel::dist::Distribution;

/// The values of the reference implementation of `SplitMix64` with seed 1234567.
const SPLITMIX: [u64; 5] = [
    6_457_827_717_110_365_317,
    3_203_168_211_198_807_973,
    9_817_491_932_198_370_423,
    4_593_380_528_125_082_431,
    16_408_922_859_458_223_821,
];

fn indexed(distribution: Distribution) -> IndexedDraws {
    IndexedDraws::new(StreamKey::from_word(7), distribution)
}

fn exponential() -> Distribution {
    Distribution::exponential(1_000_000).unwrap()
}

#[test]
fn words_are_those_of_splitmix64() {
    let key = StreamKey::from_word(1_234_567);
    for (index, word) in SPLITMIX.into_iter().enumerate().rev() {
        assert_eq!(key.word(index as u64), word);
    }
    let mut block = [0; BLOCK];
    words_from(key, 0, &mut block);
    assert_eq!(block[..5], SPLITMIX);
    words_from(key, u64::MAX - 63, &mut block);
    assert_eq!(block[63], key.word(u64::MAX));
}

#[test]
fn first_values_stay_the_same() {
    // A change here changes every result of every old seed.
    let streams = RandomStreams::new(1);
    let key = streams.key(&["callers", "shoppers", "arrivals"]);
    let mut stream = streams.stream(&["callers", "shoppers", "arrivals"]);
    let found = [
        key.word(0),
        key.word(1),
        key.run(2).word(0),
        key.run(3).word(0),
        key.child(0).word(0),
        key.child(1).word(0),
        stream.word(),
        stream.word(),
    ];
    assert_eq!(
        found,
        [
            2_952_720_032_043_878_525,
            5_240_280_106_473_841_736,
            9_267_414_813_646_053_378,
            2_239_943_079_152_304_514,
            502_362_825_665_590_768,
            13_509_978_693_554_776_028,
            18_187_085_953_528_350_073,
            12_806_386_363_062_675_090,
        ]
    );
}

#[test]
fn keys_depend_on_every_name_and_its_bounds() {
    let streams = RandomStreams::new(1);
    let paths: [&[&str]; 8] = [&[], &[""], &["a"], &["a", ""], &["", "a"], &["a", "b"], &["b", "a"], &["ab"]];
    for (place, path) in paths.iter().enumerate() {
        assert_eq!(streams.key(path), RandomStreams::new(1).key(path));
        assert_ne!(streams.key(path), RandomStreams::new(2).key(path));
        for other in &paths[..place] {
            assert_ne!(streams.key(path), streams.key(other), "{path:?} {other:?}");
        }
    }
}

#[test]
fn runs_and_children_have_keys_of_their_own() {
    let key = StreamKey::from_word(5);
    assert_eq!(key.run(1), key);
    let mut keys = vec![key];
    keys.extend((2..100).map(|run| key.run(run)));
    keys.extend((0..100).map(|child| key.child(child)));
    keys.extend((0..100).map(|index| StreamKey::from_word(key.word(index))));
    let count = keys.len();
    keys.sort_by_key(|key| key.0);
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn bits_of_words_are_balanced() {
    // Each bit of neighbouring words of one key, and of one word of neighbouring keys: within 5 deviations of half.
    let key = StreamKey::from_word(0);
    let samples: [Vec<u64>; 3] = [
        (0..40_000).map(|index| key.word(index)).collect(),
        (0..40_000).map(|child| key.child(child).word(0)).collect(),
        (0..40_000).map(|run| key.run(run + 2).word(9)).collect(),
    ];
    for words in samples {
        for bit in 0..64 {
            let ones = words.iter().filter(|word| *word >> bit & 1 == 1).count();
            assert!(ones.abs_diff(20_000) < 500, "bit {bit}: {ones}");
            let changes = words.windows(2).filter(|pair| (pair[0] ^ pair[1]) >> bit & 1 == 1).count();
            assert!(changes.abs_diff(20_000) < 500, "bit {bit}: {changes} changes");
        }
    }
}

#[test]
fn a_stream_is_chacha8_however_it_is_read() {
    let streams = RandomStreams::new(3);
    let mut reference = ChaCha8Rng::from_seed(streams.hash(&["a"]));
    let mut stream = streams.stream(&["a"]);
    for length in [1, 64, 3, 65, 200, 0, 31, 64] {
        let mut words = vec![0; length];
        stream.fill(&mut words);
        for word in words {
            assert_eq!(word, reference.next_u64());
        }
        assert_eq!(stream.word(), reference.next_u64());
    }
}

#[test]
fn indexed_draws_are_the_same_in_any_order() {
    let orders: [Box<dyn Fn(u64) -> u64>; 7] = [
        Box::new(|n| n),
        Box::new(|n| 1000 - n),
        Box::new(|n| n ^ 5),
        Box::new(|n| n * 7),
        Box::new(|n| 1_000_000 + n),
        Box::new(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        Box::new(|n| u64::MAX - 1000 + n),
    ];
    for order in orders {
        let mut draws = indexed(exponential());
        for n in 0..=1000 {
            let index = order(n);
            let expected = exponential().sample(StreamKey::from_word(7).word(index));
            assert_eq!(draws.at(index), expected, "{index}");
            assert_eq!(draws.at_run(index, 1), expected, "{index}");
            let second = exponential().sample(StreamKey::from_word(7).run(2).word(index));
            assert_eq!(draws.at_run(index, 2), second, "{index}");
        }
    }
}

#[test]
fn indexed_draws_in_order_are_computed_in_blocks() {
    for start in [0, 64, 1_000_000] {
        let mut draws = indexed(exponential());
        let missed = (start..start + 6400).filter(|index| !draws.holds(*index) | (draws.at(*index) == 0)).count();
        assert!(missed <= 100 + 20, "{start}: {missed} misses");
        // A late reader of old numbers does not move the block.
        let _ = draws.at(start);
        assert!(draws.holds(start + 6399), "{start}");
    }
}

#[test]
fn constants_need_no_block() {
    let mut draws = indexed(Distribution::constant(42));
    for index in [0, 1, 64, u64::MAX] {
        assert!(draws.holds(index));
        assert_eq!((draws.at(index), draws.at_run(index, 2)), (42, 42));
    }
    assert_eq!(draws.distribution(), &Distribution::constant(42));
}
