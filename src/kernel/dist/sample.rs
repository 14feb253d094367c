//! From random words to values: the formulas, once for one word and once in loops over a block.
//!
//! Both ways call the same functions in the same order for each word, so they agree to the last bit.
#![allow(clippy::inline_always, reason = "the loops over a block are vectorised with the formulas inside")]

use multiversion::multiversion;

use super::{Distribution, Gamma, Knot, Part, Shape};
use crate::kernel::math::{self, exp, ln, to_whole, uniform};
use crate::kernel::quantity::Ratio;
use crate::kernel::rng::{BLOCK, StreamKey, below};

impl Distribution {
    /// The value that belongs to a uniform random word.
    pub fn sample(&self, word: u64) -> u64 {
        match &self.0 {
            Shape::Constant(value) => *value,
            Shape::Uniform { min, count } => uniform_whole(*min, *count, word),
            Shape::Exponential { mean } => exponential(*mean, word),
            Shape::Lognormal { median, sigma } => lognormal(*median, *sigma, math::normal_quantile(uniform(word))),
            Shape::Gamma(gamma) => gamma.sample(word),
            Shape::Weibull { scale, power } => weibull(*scale, *power, word),
            Shape::Pareto { min, power } => pareto(*min, *power, word),
            Shape::Quantiles(knots) => Knot::sample(knots, word),
            Shape::Empirical(values) => measured(values, word),
            Shape::Mixture(parts) => Part::sample(parts, word),
        }
    }

    /// The values that belong to a block of words: the same as by [`Distribution::sample`].
    pub fn sample_block(&self, words: &[u64; BLOCK], out: &mut [u64; BLOCK]) {
        match &self.0 {
            Shape::Constant(value) => out.fill(*value),
            Shape::Uniform { min, count } => {
                for (out, word) in out.iter_mut().zip(words) {
                    *out = uniform_whole(*min, *count, *word);
                }
            }
            Shape::Exponential { mean } => exponential_block(*mean, words, out),
            Shape::Lognormal { median, sigma } => lognormal_block(*median, *sigma, words, out),
            Shape::Weibull { scale, power } => weibull_block(*scale, *power, words, out),
            Shape::Pareto { min, power } => pareto_block(*min, *power, words, out),
            Shape::Gamma(_) | Shape::Quantiles(_) | Shape::Empirical(_) | Shape::Mixture(_) => {
                for (out, word) in out.iter_mut().zip(words) {
                    *out = self.sample(*word);
                }
            }
        }
    }
}

#[multiversion(targets("x86_64+avx2+avx512dq+avx512f+avx512vl", "x86_64+avx2"))]
fn exponential_block(mean: f64, words: &[u64; BLOCK], out: &mut [u64; BLOCK]) {
    for (out, word) in out.iter_mut().zip(words) {
        *out = exponential(mean, *word);
    }
}

#[multiversion(targets("x86_64+avx2+avx512dq+avx512f+avx512vl", "x86_64+avx2"))]
fn weibull_block(scale: f64, power: f64, words: &[u64; BLOCK], out: &mut [u64; BLOCK]) {
    for (out, word) in out.iter_mut().zip(words) {
        *out = weibull(scale, power, *word);
    }
}

#[multiversion(targets("x86_64+avx2+avx512dq+avx512f+avx512vl", "x86_64+avx2"))]
fn pareto_block(min: f64, power: f64, words: &[u64; BLOCK], out: &mut [u64; BLOCK]) {
    for (out, word) in out.iter_mut().zip(words) {
        *out = pareto(min, power, *word);
    }
}

fn measured(values: &[u64], word: u64) -> u64 {
    let place = usize::try_from(below(word, values.len() as u64)).expect("a place in memory");
    values[place]
}

#[inline]
fn uniform_whole(min: u64, count: u64, word: u64) -> u64 {
    min + below(word, count)
}

#[inline(always)]
fn exponential(mean: f64, word: u64) -> u64 {
    to_whole(mean * -ln(1.0 - uniform(word)))
}

#[inline(always)]
fn lognormal(median: f64, sigma: f64, normal: f64) -> u64 {
    to_whole(median * exp(sigma * normal))
}

#[inline(always)]
fn weibull(scale: f64, power: f64, word: u64) -> u64 {
    to_whole(scale * exp(limited(ln(-ln(1.0 - uniform(word))) * power)))
}

#[inline(always)]
fn pareto(min: f64, power: f64, word: u64) -> u64 {
    to_whole(min * exp(limited(-ln(1.0 - uniform(word)) * power)))
}

/// Within what [`exp`] takes; there every value has long been 0 or past the largest.
#[inline(always)]
fn limited(exponent: f64) -> f64 {
    const LIMIT: f64 = 500.0;
    let exponent = if exponent < LIMIT { exponent } else { LIMIT };
    if exponent > -LIMIT { exponent } else { -LIMIT }
}

/// Lognormal values in three loops: the middle of the normal distribution for all words, the tails for the 15 % that
/// are there, the exponential for all.
#[multiversion(targets("x86_64+avx2+avx512dq+avx512f+avx512vl", "x86_64+avx2"))]
fn lognormal_block(median: f64, sigma: f64, words: &[u64; BLOCK], out: &mut [u64; BLOCK]) {
    let mut normal = [0.0; BLOCK];
    let mut distance = [0.0; BLOCK];
    for ((normal, distance), word) in normal.iter_mut().zip(&mut distance).zip(words) {
        let q = uniform(*word) - 0.5;
        *distance = q;
        *normal = math::normal_quantile_central(q);
    }
    // The places of the tails, gathered without a branch.
    let mut places = [0_u8; BLOCK];
    let mut count = 0;
    for (place, q) in (0_u8..).zip(&distance) {
        places[count % BLOCK] = place;
        count += usize::from(q.abs() > math::CENTRAL);
    }
    tails(&distance, &places, count, &mut normal);
    for (out, normal) in out.iter_mut().zip(&normal) {
        *out = lognormal(median, sigma, *normal);
    }
}

/// Puts the normal quantiles of the first `count` of `places` into `normal`.
#[inline(always)]
fn tails(distance: &[f64; BLOCK], places: &[u8; BLOCK], count: usize, normal: &mut [f64; BLOCK]) {
    const LANES: usize = 8;
    for group in places[..count].chunks(LANES) {
        let mut left = [0.25; LANES];
        let mut r = [0.0; LANES];
        let mut value = [0.0; LANES];
        for (left, place) in left.iter_mut().zip(group) {
            *left = 0.5 - distance[usize::from(*place)].abs();
        }
        for ((r, value), left) in r.iter_mut().zip(&mut value).zip(&left) {
            *r = math::tail_argument(*left);
            *value = math::normal_quantile_near_tail(*r);
        }
        for ((place, r), value) in group.iter().zip(&r).zip(&value) {
            let place = usize::from(*place);
            let size = if *r <= 5.0 { *value } else { math::normal_quantile_far_tail(*r) };
            normal[place] = size.copysign(distance[place]);
        }
    }
}

impl Gamma {
    /// Marsaglia and Tsang's method (2000), on words made from the given one.
    fn sample(&self, word: u64) -> u64 {
        // Above this the method never rejects within the precision of the test.
        const NEVER_REJECTS: f64 = 1e9;
        let words = StreamKey::from_word(word);
        let c = 1.0 / (3.0 * self.d.sqrt());
        let mut index = 0;
        loop {
            let normal = math::normal_quantile(uniform(words.word(index)));
            let u = uniform(words.word(index + 1));
            index += 2;
            let root = 1.0 + c * normal;
            let v = root * root * root;
            if root <= 0.0 {
                continue;
            }
            if self.d > NEVER_REJECTS {
                return to_whole(self.mean * v);
            }
            let ln_v = ln(v);
            if ln(u) < 0.5 * normal * normal + self.d * (1.0 - v + ln_v) {
                // In logarithms, where no product can leave the range.
                let boost = if self.power > 0.0 { ln(uniform(words.word(index))) * self.power } else { 0.0 };
                let exponent = self.ln_scale + ln(self.d) + ln_v + boost;
                return to_whole(exp(limited(exponent)));
            }
        }
    }
}

impl Knot {
    /// Linear between the knots around the word.
    fn sample(knots: &[Self], word: u64) -> u64 {
        let share = uniform(word);
        let above = knots.partition_point(|knot| knot.share <= share);
        // The first knot is at share 0, below every word.
        let knot = &knots[above - 1];
        knot.value + to_whole((share - knot.share) * knot.slope).min(knot.rise)
    }
}

impl Part {
    /// The part that the word falls into, sampled with the place inside that part as its word.
    fn sample(parts: &[Self], word: u64) -> u64 {
        let share = below(word, Ratio::PARTS);
        let above = parts.partition_point(|part| part.before <= share);
        let part = &parts[above - 1];
        let inside = u128::from(word) * u128::from(Ratio::PARTS) - (u128::from(part.before) << 64);
        #[allow(clippy::cast_possible_truncation, reason = "less than the part's weight x 2^64 is left inside it")]
        let word = (inside / u128::from(part.weight)) as u64;
        part.of.sample(word)
    }
}
