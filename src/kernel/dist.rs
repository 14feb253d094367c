//! Distributions of time and size.

use super::quantity::Ratio;

/// A parameter that a distribution cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    /// Which parameter.
    pub parameter: &'static str,
    /// What it must be.
    pub expected: String,
}

/// A distribution of whole numbers: nanoseconds, or bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Constant(u64),
    Other(&'static str, Vec<u64>, Vec<f64>),
    Mixture(Vec<(Ratio, Distribution)>),
}

fn check(parameter: &'static str, good: bool, expected: &str) -> Result<(), ParameterError> {
    if good { Ok(()) } else { Err(ParameterError { parameter, expected: expected.to_owned() }) }
}

impl Distribution {
    /// Always the same.
    pub const fn constant(value: u64) -> Self {
        Self(Kind::Constant(value))
    }

    /// Evenly between two bounds.
    pub fn uniform(min: u64, max: u64) -> Result<Self, ParameterError> {
        check("max", min <= max, "at least `min`")?;
        Ok(Self(Kind::Other("uniform", vec![min, max], vec![])))
    }

    /// Memoryless.
    pub fn exponential(mean: u64) -> Result<Self, ParameterError> {
        check("mean", mean > 0, "more than zero")?;
        Ok(Self(Kind::Other("exponential", vec![mean], vec![])))
    }

    /// By two quantiles.
    pub fn lognormal_from_median_p99(median: u64, p99: u64) -> Result<Self, ParameterError> {
        check("median", median > 0, "more than zero")?;
        check("p99", median <= p99, "at least `median`")?;
        Ok(Self(Kind::Other("lognormal", vec![median, p99], vec![])))
    }

    /// By mean and coefficient of variation.
    pub fn lognormal_from_mean_cv(mean: u64, cv: f64) -> Result<Self, ParameterError> {
        check("cv", cv > 0.0, "more than zero")?;
        Ok(Self(Kind::Other("lognormal_cv", vec![mean], vec![cv])))
    }

    /// By mean and coefficient of variation.
    pub fn gamma(mean: u64, cv: f64) -> Result<Self, ParameterError> {
        check("cv", cv > 0.0, "more than zero")?;
        Ok(Self(Kind::Other("gamma", vec![mean], vec![cv])))
    }

    /// By scale and shape.
    pub fn weibull(scale: u64, shape: f64) -> Result<Self, ParameterError> {
        check("shape", shape > 0.0, "more than zero")?;
        Ok(Self(Kind::Other("weibull", vec![scale], vec![shape])))
    }

    /// By its least value and exponent.
    pub fn pareto(min: u64, alpha: f64) -> Result<Self, ParameterError> {
        check("alpha", alpha > 0.0, "more than zero")?;
        Ok(Self(Kind::Other("pareto", vec![min], vec![alpha])))
    }

    /// Straight lines between quantiles.
    pub fn quantiles(points: &[(f64, u64)]) -> Result<Self, ParameterError> {
        check("quantiles", points.len() >= 2, "at least two points")?;
        let (shares, values) = points.iter().copied().unzip();
        Ok(Self(Kind::Other("quantiles", values, shares)))
    }

    /// One of these values.
    pub fn empirical(values: Vec<u64>) -> Result<Self, ParameterError> {
        check("values", !values.is_empty(), "at least one value")?;
        Ok(Self(Kind::Other("empirical", values, vec![])))
    }

    /// One of these, by weight.
    pub fn mixture(parts: Vec<(Ratio, Self)>) -> Result<Self, ParameterError> {
        check("weight", !parts.is_empty(), "at least one part")?;
        Ok(Self(Kind::Mixture(parts)))
    }

    /// The value where it is always the same.
    pub fn is_constant(&self) -> Option<u64> {
        match &self.0 {
            Kind::Constant(value) => Some(*value),
            Kind::Other(..) | Kind::Mixture(_) => None,
        }
    }

    /// The largest value, where there is one.
    pub fn max(&self) -> Option<u64> {
        self.is_constant()
    }
}
