#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "numbers chosen so that nothing is lost"
)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::Distribution as _;

use super::*;
use crate::kernel::rng::{BLOCK, StreamKey};

const MS: u64 = 1_000_000;

fn ratio(percent: u64) -> Ratio {
    Ratio::from_parts(percent * Ratio::PARTS / 100).unwrap()
}

/// One of each kind, and those whose formulas have special cases.
fn kinds() -> Vec<(&'static str, Distribution)> {
    let exponential = Distribution::exponential(50 * MS).unwrap();
    let points = [(0.0, 5 * MS), (50.0, 40 * MS), (90.0, 90 * MS), (99.0, 400 * MS), (100.0, 2000 * MS)];
    let parts = vec![(ratio(90), Distribution::uniform(10, 20).unwrap()), (ratio(10), exponential.clone())];
    vec![
        ("constant", Distribution::constant(7)),
        ("uniform", Distribution::uniform(3, 1_000_000_000_002).unwrap()),
        ("exponential", exponential),
        ("lognormal", Distribution::lognormal_from_median_p99(50 * MS, 400 * MS).unwrap()),
        ("lognormal of mean and cv", Distribution::lognormal_from_mean_cv(50 * MS, 0.5).unwrap()),
        ("gamma", Distribution::gamma(50 * MS, 0.5).unwrap()),
        ("gamma with a large cv", Distribution::gamma(50 * MS, 2.0).unwrap()),
        ("weibull", Distribution::weibull(50 * MS, 0.7).unwrap()),
        ("pareto", Distribution::pareto(50 * MS, 2.5).unwrap()),
        ("quantiles", Distribution::quantiles(&points).unwrap()),
        ("empirical", Distribution::empirical(vec![30, 10, 20, 20]).unwrap()),
        ("mixture", Distribution::mixture(parts).unwrap()),
    ]
}

/// A cumulative distribution function.
type Cdf<'a> = Box<dyn Fn(f64) -> f64 + 'a>;

/// The values of the first `count` words of a key.
fn sampled(distribution: &Distribution, key: u64, count: u64) -> Vec<f64> {
    let key = StreamKey::from_word(key);
    let mut values: Vec<f64> = (0..count).map(|index| distribution.sample(key.word(index)) as f64).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The largest distance between the shares of sorted values and a cumulative distribution function.
///
/// Values below 1000 are left out, where rounding to whole numbers shows: a gamma of large cv has many.
fn distance(values: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let count = values.len() as f64;
    let steps = values.iter().enumerate().filter(|(_, value)| **value >= 1000.0).map(|(place, value)| {
        let share = cdf(*value);
        (share - place as f64 / count).abs().max((share - (place + 1) as f64 / count).abs())
    });
    steps.fold(0.0, f64::max)
}

#[test]
fn first_values_stay_the_same() {
    // A change here changes results of old seeds.
    let key = StreamKey::from_word(1);
    let expected = [
        ("constant", [7, 7, 7]),
        ("uniform", [566_561_575_175, 745_781_757_265, 971_002_753_589]),
        ("exponential", [41_800_277, 68_478_108, 177_027_720]),
        ("lognormal", [58_082_175, 90_297_795, 272_205_889]),
        ("lognormal of mean and cv", [48_406_540, 61_119_100, 109_504_107]),
        ("gamma", [38_238_336, 43_877_609, 55_797_425]),
        ("gamma with a large cv", [529, 750, 52_811_265]),
        ("weibull", [38_711_520, 78_358_621, 304_338_949]),
        ("pareto", [69_855_248, 86_474_353, 206_075_945]),
        ("quantiles", [48_320_197, 70_722_720, 334_565_040]),
        ("empirical", [20, 20, 30]),
        ("mixture", [16, 19, 61_898_466]),
    ];
    let found = kinds().into_iter().map(|(name, kind)| (name, [0, 1, 2].map(|index| kind.sample(key.word(index)))));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn a_block_has_the_bits_of_single_values() {
    for (name, kind) in kinds() {
        for block in 0..200_u64 {
            // The extreme words too, where the normal quantile leaves its near tail.
            let mut words = [0; BLOCK];
            for (place, word) in words.iter_mut().enumerate() {
                let random = StreamKey::from_word(block).word(place as u64);
                *word = match block % 4 {
                    0 => random >> (place % 64),
                    1 => !(random >> (place % 64)),
                    _ => random,
                };
            }
            let mut values = [0; BLOCK];
            kind.sample_block(&words, &mut values);
            assert_eq!(values, words.map(|word| kind.sample(word)), "{name}");
        }
    }
}

#[test]
fn values_follow_closed_forms() {
    // Kolmogorov and Smirnov's limit for 200,000 values that is passed once in 100,000 times.
    const COUNT: u64 = 200_000;
    let limit = 2.47 / (COUNT as f64).sqrt();
    let mean = 50e6;
    let normal = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
    let sigma = libm::log(8.0) / 2.326_347_874_040_841;
    let wide = libm::log(1.25_f64).sqrt();
    let cases: [(&str, Cdf); 9] = [
        ("uniform", Box::new(|x| (x - 3.0) / 1e12)),
        ("exponential", Box::new(|x| 1.0 - libm::exp(-x / mean))),
        ("lognormal", Box::new(|x| normal(libm::log(x / mean) / sigma))),
        ("lognormal of mean and cv", Box::new(|x| normal(libm::log(x / mean) / wide + wide / 2.0))),
        // Shape 4, and shape 1/4 by its series.
        ("gamma", Box::new(|x| erlang4(x / mean * 4.0))),
        ("gamma with a large cv", Box::new(|x| gamma_quarter(x / mean / 4.0))),
        ("weibull", Box::new(|x| 1.0 - libm::exp(-libm::pow(x / mean, 0.7)))),
        ("pareto", Box::new(|x| 1.0 - libm::pow(mean / x, 2.5))),
        (
            "quantiles",
            Box::new(|x| {
                let knots = [(5e6, 0.0), (40e6, 0.5), (90e6, 0.9), (400e6, 0.99), (2000e6, 1.0)];
                let next = knots.iter().position(|(value, _)| *value >= x).unwrap().max(1);
                let ((left, low), (right, high)) = (knots[next - 1], knots[next]);
                low + (high - low) * (x - left) / (right - left)
            }),
        ),
    ];
    let kinds = kinds();
    for (name, cdf) in cases {
        let kind = &kinds.iter().find(|(known, _)| *known == name).unwrap().1;
        let distance = distance(&sampled(kind, 11, COUNT), cdf);
        assert!(distance < limit, "{name}: {distance} is not below {limit}");
    }
}

fn erlang4(x: f64) -> f64 {
    1.0 - libm::exp(-x) * (1.0 + x + x * x / 2.0 + x * x * x / 6.0)
}

/// The regularised incomplete gamma function for shape 1/4.
fn gamma_quarter(x: f64) -> f64 {
    if x > 40.0 {
        return 1.0;
    }
    let mut term = 4.0;
    let mut sum = term;
    let mut n = 0.25;
    while term > sum * 1e-17 {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum * libm::exp(-x) * libm::pow(x, 0.25) / libm::tgamma(0.25)
}

#[test]
fn values_agree_with_rand_distr() {
    const COUNT: u64 = 100_000;
    // The two-sample limit that is passed once in 100,000 times.
    let limit = 2.47 * (2.0 / COUNT as f64).sqrt();
    let mean = 50e6;
    let sigma = libm::log(8.0) / 2.326_347_874_040_841;
    let random = || ChaCha8Rng::seed_from_u64(1);
    let oracle = |name: &str| -> Option<Vec<f64>> {
        let count = usize::try_from(COUNT).unwrap();
        let mut values: Vec<f64> = match name {
            "exponential" => rand_distr::Exp::new(1.0 / mean).unwrap().sample_iter(random()).take(count).collect(),
            "lognormal" => {
                rand_distr::LogNormal::new(libm::log(mean), sigma).unwrap().sample_iter(random()).take(count).collect()
            }
            "lognormal of mean and cv" => {
                rand_distr::LogNormal::from_mean_cv(mean, 0.5).unwrap().sample_iter(random()).take(count).collect()
            }
            "gamma" => rand_distr::Gamma::new(4.0, mean / 4.0).unwrap().sample_iter(random()).take(count).collect(),
            "gamma with a large cv" => {
                rand_distr::Gamma::new(0.25, mean * 4.0).unwrap().sample_iter(random()).take(count).collect()
            }
            "weibull" => rand_distr::Weibull::new(mean, 0.7).unwrap().sample_iter(random()).take(count).collect(),
            "pareto" => rand_distr::Pareto::new(mean, 2.5).unwrap().sample_iter(random()).take(count).collect(),
            _ => return None,
        };
        values.sort_by(f64::total_cmp);
        Some(values)
    };
    let mut compared = 0;
    for (name, kind) in kinds() {
        let Some(expected) = oracle(name) else { continue };
        let found = sampled(&kind, 12, COUNT);
        let share_below = |x: f64| expected.partition_point(|value| *value <= x) as f64 / COUNT as f64;
        let distance = distance(&found, share_below);
        assert!(distance < limit, "{name}: {distance} is not below {limit}");
        compared += 1;
    }
    assert_eq!(compared, 7);
}

#[test]
fn means_and_deviations_are_the_stated_ones() {
    const COUNT: u64 = 400_000;
    // Ratio of standard deviation to mean, by closed form; the mean is within five standard errors.
    for (name, cv) in [
        ("constant", 0.0),
        ("uniform", 0.577_35),
        ("exponential", 1.0),
        ("lognormal", 1.109),
        ("lognormal of mean and cv", 0.5),
        ("gamma", 0.5),
        ("gamma with a large cv", 2.0),
        ("weibull", 1.4624),
        ("quantiles", 1.9661),
        ("empirical", 0.353_55),
    ] {
        let kind = kinds().into_iter().find(|(known, _)| *known == name).unwrap().1;
        let values = sampled(&kind, 13, COUNT);
        let mean = values.iter().sum::<f64>() / COUNT as f64;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / COUNT as f64;
        let error = 5.0 * cv * kind.mean() / (COUNT as f64).sqrt();
        assert!((mean - kind.mean()).abs() <= error, "{name}: mean {mean} for {}", kind.mean());
        let found = variance.sqrt() / mean;
        assert!((found - cv).abs() <= 0.02 * cv, "{name}: cv {found} for {cv}");
    }
}

#[test]
fn parameters_show_in_the_values() {
    let at =
        |distribution: &Distribution, share: f64| distribution.sample((share * 18_446_744_073_709_551_616.0) as u64);
    let by_p99 = Distribution::lognormal_from_median_p99(50 * MS, 400 * MS).unwrap();
    assert_eq!((at(&by_p99, 0.5), at(&by_p99, 0.99)), (50 * MS, 400 * MS));
    let weibull = Distribution::weibull(50 * MS, 3.0).unwrap();
    assert_eq!(at(&weibull, 0.632_120_558_828_557_7), 50 * MS);
    let pareto = Distribution::pareto(50 * MS, 2.0).unwrap();
    assert_eq!((at(&pareto, 0.0), at(&pareto, 0.75), pareto.min()), (50 * MS, 100 * MS, 50 * MS));
    let exponential = Distribution::exponential(1 << 40).unwrap();
    // The largest value: where half of the last of 2^52 cells remains.
    assert_eq!(exponential.sample(u64::MAX), ((1_u64 << 40) as f64 * 53.0 * std::f64::consts::LN_2).round() as u64);
    assert_eq!(exponential.sample(0), 0);
}

#[test]
fn whole_numbers_are_reached_equally_often() {
    let die = Distribution::uniform(1, 6).unwrap();
    let mut counts = [0_u32; 7];
    for index in 0..60_000 {
        counts[usize::try_from(die.sample(StreamKey::from_word(1).word(index))).unwrap()] += 1;
    }
    assert_eq!(counts[0], 0);
    assert!(counts[1..].iter().all(|count| count.abs_diff(10_000) < 500), "{counts:?}");
    assert_eq!((die.sample(0), die.sample(u64::MAX), die.min(), die.max()), (1, 6, 1, Some(6)));
}

#[test]
fn every_measured_value_is_as_likely_as_its_number() {
    let measured = Distribution::empirical(vec![30, 10, 20, 20]).unwrap();
    let quarter = 1_u64 << 62;
    for (word, value) in
        [(0, 10), (quarter - 1, 10), (quarter, 20), (3 * quarter - 1, 20), (3 * quarter, 30), (u64::MAX, 30)]
    {
        assert_eq!(measured.sample(word), value);
    }
    assert_eq!((measured.min(), measured.max()), (10, Some(30)));
}

#[test]
fn quantiles_are_met_and_lines_between_them() {
    let points = [(0.0, 0), (50.0, 100), (50.5, 100), (100.0, u64::MAX)];
    let kind = Distribution::quantiles(&points).unwrap();
    for (share, value) in [(0.0, 0), (0.25, 50), (0.5, 100), (0.504, 100)] {
        assert_eq!(kind.sample((share * 18_446_744_073_709_551_616.0) as u64), value, "{share}");
    }
    assert_eq!(kind.max(), Some(Distribution::MAX));
    assert!(kind.sample(u64::MAX) > Distribution::MAX / 1000 * 999);
}

#[test]
fn parts_of_a_mixture_have_their_weights() {
    let third = Ratio::from_parts(Ratio::PARTS / 3).unwrap();
    let rest = Ratio::from_parts(Ratio::PARTS - 2 * third.parts()).unwrap();
    let kind = Distribution::mixture(vec![
        (Ratio::ZERO, Distribution::constant(9)),
        (third, Distribution::uniform(0, 99).unwrap()),
        (third, Distribution::constant(1000)),
        (rest, Distribution::exponential(5000).unwrap()),
    ])
    .unwrap();
    let values = sampled(&kind, 3, 90_000);
    let below_100 = values.iter().filter(|value| **value < 100.0).count();
    let thousand = values.iter().filter(|value| **value == 1000.0).count();
    assert!(thousand.abs_diff(30_000) < 700, "{thousand}");
    // One third, and 2 % of the last.
    assert!(below_100.abs_diff(30_594) < 700, "{below_100}");
    assert!((kind.mean() - (49.5 + 1000.0 + 5000.0) / 3.0).abs() < 1e-6);
    // The first and the last word of a part are the first and the last inside it.
    let second = ((u128::from(third.parts()) << 64) / u128::from(Ratio::PARTS)) as u64;
    assert_eq!((kind.sample(0), kind.sample(second), kind.sample(second + 1)), (0, 99, 1000));
    assert_eq!((kind.min(), kind.max()), (0, None));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let nan = f64::NAN;
    let parameter = |result: Result<Distribution, ParameterError>| result.err().map(|error| error.parameter);
    for (found, expected) in [
        (Distribution::uniform(2, 1), Some("max")),
        (Distribution::uniform(2, 2), None),
        (Distribution::exponential(0), None),
        (Distribution::lognormal_from_median_p99(2, 1), Some("p99")),
        (Distribution::lognormal_from_median_p99(0, 1), Some("median")),
        (Distribution::lognormal_from_median_p99(0, 0), None),
        (Distribution::lognormal_from_mean_cv(1, 0.0), Some("cv")),
        (Distribution::lognormal_from_mean_cv(1, nan), Some("cv")),
        (Distribution::gamma(1, -1.0), Some("cv")),
        (Distribution::gamma(1, f64::INFINITY), Some("cv")),
        (Distribution::weibull(1, nan), Some("shape")),
        (Distribution::weibull(1, 0.0), Some("shape")),
        (Distribution::pareto(1, 0.0), Some("alpha")),
        (Distribution::pareto(1, f64::INFINITY), Some("alpha")),
        (Distribution::quantiles(&[]), Some("quantiles")),
        (Distribution::quantiles(&[(0.0, 1)]), Some("quantiles")),
        (Distribution::quantiles(&[(1.0, 1), (100.0, 2)]), Some("quantiles")),
        (Distribution::quantiles(&[(0.0, 1), (99.0, 2)]), Some("quantiles")),
        (Distribution::quantiles(&[(0.0, 2), (100.0, 1)]), Some("quantiles")),
        (Distribution::quantiles(&[(0.0, 1), (50.0, 1), (50.0, 2), (100.0, 3)]), Some("quantiles")),
        (Distribution::quantiles(&[(0.0, 1), (nan, 1), (100.0, 3)]), Some("quantiles")),
        (Distribution::quantiles(&[(0.0, 1), (100.0, 1)]), None),
        (Distribution::empirical(vec![]), Some("values")),
        (Distribution::mixture(vec![]), Some("weight")),
        (Distribution::mixture(vec![(ratio(99), Distribution::constant(1))]), Some("weight")),
        (Distribution::mixture(vec![(ratio(100), Distribution::constant(1)); 2]), Some("weight")),
        (Distribution::mixture(vec![(ratio(100), Distribution::constant(1))]), None),
    ] {
        assert_eq!(parameter(found.clone()), expected, "{found:?}");
    }
    let error = Distribution::uniform(2, 1).unwrap_err();
    assert_eq!(error.to_string(), "max: expected at least min");
}

#[test]
fn degenerate_parameters_give_constants() {
    for (found, value) in [
        (Distribution::uniform(5, 5), 5),
        (Distribution::exponential(0), 0),
        (Distribution::lognormal_from_median_p99(5, 5), 5),
        (Distribution::lognormal_from_mean_cv(0, 1.0), 0),
        (Distribution::gamma(0, 1.0), 0),
        (Distribution::weibull(0, 1.0), 0),
        (Distribution::pareto(0, 1.0), 0),
    ] {
        assert_eq!(found.unwrap().is_constant(), Some(value));
    }
    assert_eq!(Distribution::constant(u64::MAX).is_constant(), Some(Distribution::MAX));
    assert!(Distribution::pareto(1, 1.0).unwrap().mean().is_infinite());
    assert!((Distribution::pareto(100, 3.0).unwrap().mean() - 150.0).abs() < 1e-9);
}

/// A positive number of any size.
fn positive_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        0.01..10.0,
        proptest::num::f64::POSITIVE.prop_filter("finite", |number| number.is_finite() && *number > 0.0)
    ]
}

fn whole_number() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0..1000_u64, 0..10_000_000_000_u64]
}

/// Any distribution that is monotone in the word.
fn monotone() -> impl Strategy<Value = Distribution> {
    prop_oneof![
        whole_number().prop_map(Distribution::constant),
        (whole_number(), whole_number()).prop_map(|(a, b)| Distribution::uniform(a.min(b), a.max(b)).unwrap()),
        whole_number().prop_map(|mean| Distribution::exponential(mean).unwrap()),
        (1..u64::MAX, whole_number()).prop_map(|(a, b)| Distribution::lognormal_from_median_p99(
            a,
            a.saturating_add(b)
        )
        .unwrap()),
        (whole_number(), positive_number())
            .prop_map(|(mean, cv)| Distribution::lognormal_from_mean_cv(mean, cv).unwrap()),
        (whole_number(), positive_number()).prop_map(|(scale, shape)| Distribution::weibull(scale, shape).unwrap()),
        (whole_number(), positive_number()).prop_map(|(min, alpha)| Distribution::pareto(min, alpha).unwrap()),
        proptest::collection::vec(any::<u64>(), 1..9).prop_map(|values| Distribution::empirical(values).unwrap()),
        (whole_number(), 0.0..100.0, whole_number(), whole_number()).prop_map(|(a, percent, b, c)| {
            let mut values = [a, b, c];
            values.sort_unstable();
            let percent = percent + 0.001 * f64::from(u8::from(percent == 0.0));
            Distribution::quantiles(&[(0.0, values[0]), (percent, values[1]), (100.0, values[2])]).unwrap()
        }),
    ]
}

fn anything() -> impl Strategy<Value = Distribution> {
    let gamma = (whole_number(), positive_number()).prop_map(|(mean, cv)| Distribution::gamma(mean, cv).unwrap());
    prop_oneof![
        monotone(),
        gamma,
        (0..=100_u64, monotone(), monotone()).prop_map(|(percent, a, b)| Distribution::mixture(vec![
            (ratio(percent), a),
            (ratio(100 - percent), b)
        ])
        .unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_are_inside_their_bounds(kind in anything(), word in any::<u64>()) {
        for word in [word, 0, u64::MAX, word >> 40, !(word >> 40)] {
            let value = kind.sample(word);
            prop_assert!(value <= Distribution::MAX);
            prop_assert!(value >= kind.min(), "{value} is below {}", kind.min());
            prop_assert!(kind.max().is_none_or(|max| value <= max), "{value} is above {:?}", kind.max());
        }
    }

    #[test]
    fn larger_words_give_no_smaller_values(kind in monotone(), left in any::<u64>(), right in any::<u64>()) {
        let (low, high) = (left.min(right), left.max(right));
        for (low, high) in [(low, high), (0, low), (high, u64::MAX), (low >> 50, low >> 40)] {
            prop_assert!(kind.sample(low) <= kind.sample(high), "{low} {high}");
        }
    }

    #[test]
    fn neighbouring_words_are_in_order_too(word in any::<u64>(), percent in 1..300_u64) {
        // For the usual sizes; values near 2^62 have fewer digits than the words and may swap in the last.
        let cv = percent as f64 / 100.0;
        for kind in [
            Distribution::exponential(50 * MS).unwrap(),
            Distribution::lognormal_from_mean_cv(50 * MS, cv).unwrap(),
            Distribution::weibull(50 * MS, cv).unwrap(),
            Distribution::pareto(50 * MS, cv).unwrap(),
        ] {
            for step in [1_u64 << 12, 1 << 13, 1 << 20] {
                prop_assert!(kind.sample(word) <= kind.sample(word.saturating_add(step)), "{kind:?} {step}");
            }
        }
    }
}
