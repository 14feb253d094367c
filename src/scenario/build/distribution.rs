//! Distributions of time and size.

use super::Builder;
use super::table::Unit;
use crate::kernel::dist::{Distribution, ParameterError};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::resolve::{Resolved, Value};
use crate::scenario::scalar;

impl Builder<'_> {
    /// The distribution that a value describes.
    pub(crate) fn distribution(&mut self, value: &Resolved) -> Option<Distribution> {
        let Value::Tagged(name, inner) = &value.value else { return amount(value).map(Distribution::constant) };
        let field = |name: &str| amount(inner.field(name));
        let number = |name: &str| inner.field(name).real();
        let made = match *name {
            "constant" => Ok(Distribution::constant(amount(inner)?)),
            "uniform" => Distribution::uniform(field("min")?, field("max")?),
            "exponential" => Distribution::exponential(field("mean")?),
            "lognormal" if inner.has("cv") => Distribution::lognormal_from_mean_cv(field("mean")?, number("cv")?),
            "lognormal" => Distribution::lognormal_from_median_p99(field("median")?, field("p99")?),
            "gamma" => Distribution::gamma(field("mean")?, number("cv")?),
            "weibull" => Distribution::weibull(field("scale")?, number("shape")?),
            "pareto" => Distribution::pareto(field("min")?, number("alpha")?),
            "quantiles" => self.quantiles(inner)?,
            "empirical" => {
                let unit = Unit::named(inner.field("unit").word()?)?;
                Distribution::empirical(self.column(inner, "column", unit, None)?)
            }
            "mixture" => self.mixture(inner)?,
            name => unreachable!("the table has no distribution {name}"),
        };
        made.map_err(|error| self.parameter(inner, &error)).ok()
    }

    fn quantiles(&mut self, value: &Resolved) -> Option<Result<Distribution, ParameterError>> {
        let Value::Quantiles(points) = &value.value else { return None };
        let mut rising: Vec<(Ratio, u64, &Resolved)> = Vec::new();
        for (name, point) in points {
            rising.push((scalar::quantile(name)?, amount(point)?, point));
        }
        rising.sort_by_key(|(share, ..)| *share);
        for pair in rising.windows(2) {
            let [(low_share, low, _), (high_share, high, point)] = pair else { continue };
            let message = if low_share == high_share {
                "this quantile is given twice"
            } else if low > high {
                "this quantile is below a smaller one"
            } else {
                continue;
            };
            self.contradiction(point, message, |problem| problem.with_expected("values that rise with the quantile"));
            return None;
        }
        let shares = rising.iter().map(|(share, ..)| *share);
        if shares.clone().min() != Some(Ratio::ZERO) || shares.max() != Some(Ratio::ONE) {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, value.place, "the quantiles do not go from `p0` to `p100`")
                    .at_key(&value.path)
                    .with_expected("the least value as `p0` and the largest as `p100`"),
            );
            return None;
        }
        let percent = |share: Ratio| share.parts() as f64 / (Ratio::PARTS / 100) as f64;
        let points = rising.iter().map(|(share, amount, _)| (percent(*share), *amount)).collect::<Vec<_>>();
        Some(Distribution::quantiles(&points))
    }

    fn mixture(&mut self, value: &Resolved) -> Option<Result<Distribution, ParameterError>> {
        let parts = value.list().iter();
        let parts = parts.map(|part| (part.field("weight").ratio(), self.distribution(part.field("of"))));
        let parts = parts.collect::<Vec<_>>();
        let parts = parts.into_iter().map(|(weight, of)| Some((weight?, of?))).collect::<Option<Vec<_>>>()?;
        let sum: u128 = parts.iter().map(|(weight, _)| u128::from(weight.parts())).sum();
        if sum != u128::from(Ratio::PARTS) {
            let percent = sum as f64 / (Ratio::PARTS as f64 / 100.0);
            self.contradiction(value, format!("the weights add up to {percent}%"), |problem| {
                problem.with_expected("weights that add up to 100%")
            });
            return None;
        }
        Some(Distribution::mixture(parts))
    }

    /// A parameter that the distribution cannot have.
    fn parameter(&mut self, value: &Resolved, error: &ParameterError) {
        let at = if value.has(error.parameter) { value.field(error.parameter) } else { value };
        let problem = Problem::new(ProblemKind::OutOfRange, at.place, format!("`{}` is out of range", error.parameter));
        self.problems.push(problem.at_key(&at.path).with_expected(error.expected.clone()));
    }
}

/// A time in nanoseconds or a size in bytes.
fn amount(value: &Resolved) -> Option<u64> {
    value.duration().map(SimDuration::as_nanos).or_else(|| value.whole())
}
