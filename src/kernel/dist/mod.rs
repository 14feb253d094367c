//! Distributions of time and size: whole numbers, nanoseconds or bytes.
//!
//! Every value comes from one random word by inversion: the word is taken as the share of all values that are smaller.
//! So a larger word gives a value that is at least as large, and the same word under two settings gives comparable
//! values. Two distributions are not monotone in the word: gamma, which draws further words from the given one by
//! hashing, and a mixture, whose parts may overlap.
//!
//! Values are rounded to the nearest whole number and end at 2^62 (146 years in nanoseconds). A share has 52 bits, so
//! an unbounded distribution is cut where 1.1e-16 of it remains: an exponential at 36.7 times its mean.

mod sample;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use super::math;
use super::quantity::Ratio;

/// A distribution of whole numbers: nanoseconds, or bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Shape);

/// The distribution with its parameters as sampling wants them.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Constant(u64),
    /// `count` whole numbers from `min`; at most 2^62.
    Uniform {
        min: u64,
        count: u64,
    },
    Exponential {
        mean: f64,
    },
    /// `median` x exp(`sigma` x normal).
    Lognormal {
        median: f64,
        sigma: f64,
    },
    Gamma(Gamma),
    /// `scale` x (-ln u)^`power`.
    Weibull {
        scale: f64,
        power: f64,
    },
    /// `min` x u^-`power`.
    Pareto {
        min: f64,
        power: f64,
    },
    Quantiles(Arc<[Knot]>),
    /// Sorted.
    Empirical(Arc<[u64]>),
    Mixture(Arc<[Part]>),
}

/// A gamma distribution as Marsaglia and Tsang's method wants it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gamma {
    mean: f64,
    cv: f64,
    /// Below shape 1 (cv above 1) the method draws from shape + 1 and multiplies by u^(1/shape): then cv^2, else 0.
    power: f64,
    /// Shape - 1/3, of the shape that is drawn from.
    d: f64,
    /// ln(mean / shape).
    ln_scale: f64,
}

/// A point of the quantile function, with the line to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Knot {
    /// The share below.
    share: f64,
    value: u64,
    /// How far the next value is, and how much that is for each unit of share; zero at the last.
    rise: u64,
    slope: f64,
}

/// A part of a mixture.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// The weights of the parts before, in parts of [`Ratio::PARTS`].
    before: u64,
    weight: u64,
    of: Distribution,
}

/// A parameter out of its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    /// The parameter's name.
    pub parameter: &'static str,
    /// What would have been right.
    pub expected: String,
}

impl ParameterError {
    fn new(parameter: &'static str, expected: impl Into<String>) -> Self {
        Self { parameter, expected: expected.into() }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.parameter, self.expected)
    }
}

impl std::error::Error for ParameterError {}

impl Distribution {
    /// The largest value of any distribution, 2^62; larger parameters are taken as this.
    pub const MAX: u64 = math::WHOLE_MAX;

    /// Always `value`.
    pub const fn constant(value: u64) -> Self {
        Self(Shape::Constant(if value < Self::MAX { value } else { Self::MAX }))
    }

    /// Every whole number from `min` to `max`, both included, equally often.
    ///
    /// # Errors
    /// When `max` is below `min`.
    pub fn uniform(min: u64, max: u64) -> Result<Self, ParameterError> {
        if max < min {
            return Err(ParameterError::new("max", "at least min"));
        }
        let (min, max) = (min.min(Self::MAX), max.min(Self::MAX));
        if min == max {
            return Ok(Self::constant(min));
        }
        Ok(Self(Shape::Uniform { min, count: max - min + 1 }))
    }

    /// The exponential distribution with this mean; mean 0 is the constant 0.
    ///
    /// # Errors
    /// None: every mean is legal.
    pub fn exponential(mean: u64) -> Result<Self, ParameterError> {
        Ok(non_zero(mean).map_or(Self::constant(0), |mean| Self(Shape::Exponential { mean })))
    }

    /// The lognormal distribution that has half of its values below `median` and 99 % below `p99`.
    ///
    /// With `p99` equal to `median` it is a constant.
    ///
    /// # Errors
    /// When `p99` is below `median`, or `median` alone is zero.
    pub fn lognormal_from_median_p99(median: u64, p99: u64) -> Result<Self, ParameterError> {
        if p99 < median {
            return Err(ParameterError::new("p99", "at least the median"));
        }
        if p99 == median {
            return Ok(Self::constant(median));
        }
        let median = non_zero(median).ok_or_else(|| ParameterError::new("median", "more than 0"))?;
        let sigma = libm::log(p99 as f64 / median) / math::normal_quantile(0.99);
        Ok(Self(Shape::Lognormal { median, sigma }))
    }

    /// The lognormal distribution with this mean and this ratio of standard deviation to mean; mean 0 is the constant 0.
    ///
    /// # Errors
    /// When `cv` is not a positive number.
    pub fn lognormal_from_mean_cv(mean: u64, cv: f64) -> Result<Self, ParameterError> {
        positive("cv", cv)?;
        let Some(mean) = non_zero(mean) else { return Ok(Self::constant(0)) };
        // The square of a larger cv might overflow, and the 1 is lost in it.
        let (variance, ratio) =
            if cv < 1e100 { (libm::log1p(cv * cv), (1.0 + cv * cv).sqrt()) } else { (2.0 * libm::log(cv), cv) };
        Ok(Self(Shape::Lognormal { median: mean / ratio, sigma: variance.sqrt() }))
    }

    /// The gamma distribution with this mean and this ratio of standard deviation to mean; mean 0 is the constant 0.
    ///
    /// Its values are not monotone in the random word.
    ///
    /// # Errors
    /// When `cv` is not a positive number.
    pub fn gamma(mean: u64, cv: f64) -> Result<Self, ParameterError> {
        positive("cv", cv)?;
        let Some(mean) = non_zero(mean) else { return Ok(Self::constant(0)) };
        Ok(Self(Shape::Gamma(Gamma::new(mean, cv))))
    }

    /// The Weibull distribution: 63.2 % of the values are below `scale`; scale 0 is the constant 0.
    ///
    /// Shape 1 is exponential; below 1 the tail is heavier.
    ///
    /// # Errors
    /// When `shape` is not a positive number.
    pub fn weibull(scale: u64, shape: f64) -> Result<Self, ParameterError> {
        positive("shape", shape)?;
        let power = 1.0 / shape;
        Ok(non_zero(scale).map_or(Self::constant(0), |scale| Self(Shape::Weibull { scale, power })))
    }

    /// The Pareto distribution: from `min`, and the share above x is (min / x)^alpha; min 0 is the constant 0.
    ///
    /// With `alpha` at most 1 the mean is infinite.
    ///
    /// # Errors
    /// When `alpha` is not a positive number.
    pub fn pareto(min: u64, alpha: f64) -> Result<Self, ParameterError> {
        positive("alpha", alpha)?;
        let power = 1.0 / alpha;
        Ok(non_zero(min).map_or(Self::constant(0), |min| Self(Shape::Pareto { min, power })))
    }

    /// The distribution with these quantiles, linear between them: pairs of a percentage and its value.
    ///
    /// # Errors
    /// When the percentages do not rise from exactly 0 to exactly 100, or the values fall.
    pub fn quantiles(points: &[(f64, u64)]) -> Result<Self, ParameterError> {
        let error = |expected: &str| Err(ParameterError::new("quantiles", expected));
        let is_at =
            |point: Option<&(f64, u64)>, end: f64| point.is_some_and(|(percent, _)| percent.total_cmp(&end).is_eq());
        if !is_at(points.first(), 0.0) {
            return error("p0 as the first point");
        }
        if !is_at(points.last(), 100.0) {
            return error("p100 as the last point");
        }
        // Not a number is not in order either.
        if !points.is_sorted_by(|(left, _), (right, _)| left < right) {
            return error("percentages in rising order, each once");
        }
        if !points.is_sorted_by(|(_, left), (_, right)| left <= right) {
            return error("values that do not fall as the percentage rises");
        }
        let end = points.last().copied().into_iter();
        let knots = points.iter().zip(points.iter().skip(1).copied().chain(end));
        Ok(Self(Shape::Quantiles(knots.map(|(&point, next)| Knot::new(point, next)).collect())))
    }

    /// Each of these values equally often, nothing between them. They may repeat and come in any order.
    ///
    /// # Errors
    /// When there is no value.
    pub fn empirical(mut values: Vec<u64>) -> Result<Self, ParameterError> {
        if values.is_empty() {
            return Err(ParameterError::new("values", "at least one value"));
        }
        values.sort_unstable();
        for value in &mut values {
            *value = (*value).min(Self::MAX);
        }
        Ok(Self(Shape::Empirical(values.into())))
    }

    /// Each part as often as its weight says.
    ///
    /// Its values are not monotone in the random word where the parts overlap.
    ///
    /// # Errors
    /// When the weights do not add up to exactly 1.
    pub fn mixture(parts: Vec<(Ratio, Distribution)>) -> Result<Self, ParameterError> {
        let sum: u128 = parts.iter().map(|(weight, _)| u128::from(weight.parts())).sum();
        if sum != u128::from(Ratio::PARTS) {
            let found = sum as f64 / Ratio::PARTS as f64 * 100.0;
            return Err(ParameterError::new("weight", format!("weights that add up to 100%, not {found}%")));
        }
        let mut before = 0;
        let mut built = Vec::with_capacity(parts.len());
        for (weight, of) in parts {
            built.push(Part { before, weight: weight.parts(), of });
            before += weight.parts();
        }
        built.retain(|part| part.weight > 0);
        Ok(Self(Shape::Mixture(built.into())))
    }

    /// The only value, if there is only one by construction.
    pub const fn is_constant(&self) -> Option<u64> {
        if let Shape::Constant(value) = self.0 { Some(value) } else { None }
    }

    /// The mean, before rounding and before the cut at 2^62; infinite for a Pareto distribution with alpha at most 1.
    pub fn mean(&self) -> f64 {
        match &self.0 {
            Shape::Constant(value) => *value as f64,
            Shape::Uniform { min, count } => *min as f64 + (count - 1) as f64 / 2.0,
            Shape::Exponential { mean } => *mean,
            Shape::Lognormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Shape::Gamma(gamma) => gamma.mean,
            Shape::Weibull { scale, power } => scale * libm::tgamma(1.0 + power),
            Shape::Pareto { min, power } if *power < 1.0 => min / (1.0 - power),
            Shape::Pareto { .. } => f64::INFINITY,
            Shape::Quantiles(knots) => Knot::mean(knots),
            Shape::Empirical(values) => {
                let sum: u128 = values.iter().copied().map(u128::from).sum();
                sum as f64 / values.len() as f64
            }
            Shape::Mixture(parts) => {
                parts.iter().map(|part| part.weight as f64 * part.of.mean()).sum::<f64>() / Ratio::PARTS as f64
            }
        }
    }

    /// A bound that no value is below; the smallest value where it is reached.
    pub fn min(&self) -> u64 {
        match &self.0 {
            Shape::Constant(value) => *value,
            Shape::Uniform { min, .. } => *min,
            Shape::Exponential { .. } | Shape::Lognormal { .. } | Shape::Gamma(_) | Shape::Weibull { .. } => 0,
            Shape::Pareto { min, .. } => math::to_whole(*min),
            Shape::Quantiles(knots) => knots.first().map_or(0, |knot| knot.value),
            Shape::Empirical(values) => values.first().copied().unwrap_or(0),
            Shape::Mixture(parts) => parts.iter().map(|part| part.of.min()).min().unwrap_or(0),
        }
    }

    /// A bound that no value is above; `None` where the distribution has none.
    pub fn max(&self) -> Option<u64> {
        match &self.0 {
            Shape::Constant(value) => Some(*value),
            Shape::Uniform { min, count } => Some(min + (count - 1)),
            Shape::Exponential { .. }
            | Shape::Lognormal { .. }
            | Shape::Gamma(_)
            | Shape::Weibull { .. }
            | Shape::Pareto { .. } => None,
            Shape::Quantiles(knots) => knots.last().map(|knot| knot.value),
            Shape::Empirical(values) => values.last().copied(),
            Shape::Mixture(parts) => parts.iter().try_fold(0, |max, part| part.of.max().map(|of| max.max(of))),
        }
    }
}

impl Gamma {
    /// With `mean` and `cv` positive.
    fn new(mean: f64, cv: f64) -> Self {
        let shape = 1.0 / (cv * cv);
        let (drawn, power) = if cv > 1.0 { (shape + 1.0, cv * cv) } else { (shape, 0.0) };
        let ln_scale = libm::log(mean) + 2.0 * libm::log(cv);
        Self { mean, cv, power, d: drawn - 1.0 / 3.0, ln_scale }
    }
}

impl Knot {
    fn new((percent, value): (f64, u64), (next_percent, next_value): (f64, u64)) -> Self {
        let (value, next_value) = (value.min(Distribution::MAX), next_value.min(Distribution::MAX));
        let width = (next_percent - percent) / 100.0;
        let rise = next_value - value;
        let slope = if rise == 0 { 0.0 } else { rise as f64 / width };
        Self { share: percent / 100.0, value, rise, slope }
    }

    fn mean(knots: &[Self]) -> f64 {
        let ends = knots.iter().skip(1).map(|knot| knot.share).chain([1.0]);
        knots
            .iter()
            .zip(ends)
            .map(|(knot, end)| (end - knot.share) * (knot.value as f64 + knot.rise as f64 / 2.0))
            .sum()
    }
}

/// The number as sampling wants it, if it is not zero.
fn non_zero(value: u64) -> Option<f64> {
    (value > 0).then_some(value.min(Distribution::MAX) as f64)
}

fn positive(parameter: &'static str, value: f64) -> Result<(), ParameterError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(ParameterError::new(parameter, "a finite number above 0"))
    }
}
