//! Means of several runs, and how well they are known.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// How sure one wants to be, between 0 and 1, as a share.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %, where nothing else is said.
    pub const USUAL: Self = Self(0.95);

    /// A share between 50 % and 99.99 %; `None` for any other.
    pub fn new(share: f64) -> Option<Self> {
        (0.5..=0.9999).contains(&share).then_some(Self(share))
    }

    /// The share.
    pub const fn share(self) -> f64 {
        self.0
    }

    /// How many standard errors to either side of a mean hold the true one: the quantile of Student's t distribution.
    ///
    /// Rounded to nine decimals: what platforms compute differs after that.
    pub fn standard_errors(self, degrees_of_freedom: u64) -> f64 {
        quantile(0.5 + self.0 / 2.0, degrees_of_freedom)
    }

    /// The same to one side only.
    pub fn standard_errors_to_one_side(self, degrees_of_freedom: u64) -> f64 {
        quantile(self.0, degrees_of_freedom)
    }
}

fn quantile(share: f64, degrees_of_freedom: u64) -> f64 {
    let law = StudentsT::new(0.0, 1.0, degrees_of_freedom.max(1) as f64).expect("there are degrees of freedom");
    (law.inverse_cdf(share) * 1e9).round() / 1e9
}

/// Values of one number, run by run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    runs: u64,
    mean: f64,
    /// Squared distances from the mean, added up.
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { runs: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// The value of the next run (Welford's way: exact for a constant, and it loses nothing to large means).
    pub fn add(&mut self, value: f64) {
        self.runs += 1;
        let distance = value - self.mean;
        self.mean += distance / self.runs as f64;
        self.squares += distance * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many values.
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// Their mean; 0 without values.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard error of the mean; `None` for fewer than two values.
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_deviation().map(|deviation| deviation / (self.runs as f64).sqrt())
    }

    fn standard_deviation(&self) -> Option<f64> {
        (self.runs > 1).then(|| (self.squares / (self.runs - 1) as f64).sqrt())
    }

    /// Half of the interval's width; `None` for fewer than two values.
    pub fn half_width(&self, confidence: Confidence) -> Option<f64> {
        self.standard_error().map(|error| {
            // No chance, no width: also where there are so many degrees of freedom that nobody can tell.
            if error == 0.0 { 0.0 } else { confidence.standard_errors(self.runs - 1) * error }
        })
    }

    /// What the values say; `None` without any.
    pub fn estimate(&self, confidence: Confidence) -> Option<Estimate> {
        let half = self.half_width(confidence);
        (self.runs > 0).then(|| Estimate {
            mean: self.mean,
            low: half.map(|half| self.mean - half),
            high: half.map(|half| self.mean + half),
            standard_deviation: self.standard_deviation(),
            min: self.min,
            max: self.max,
            runs: self.runs,
        })
    }
}

/// What several runs say about one number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean over the runs.
    pub mean: f64,
    /// Where the interval begins that holds the true mean with the stated confidence; `None` for one run.
    pub low: Option<f64>,
    /// Where it ends.
    pub high: Option<f64>,
    /// How much runs differ; `None` for one run.
    pub standard_deviation: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Runs that had a value.
    pub runs: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, error: f64) {
        assert!((found - expected).abs() <= error, "{found} is not {expected}");
    }

    /// Values of the printed tables (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (share, degrees, expected) in [
            (0.95, 1, 12.706),
            (0.95, 9, 2.262),
            (0.95, 19, 2.093),
            (0.95, 100, 1.984),
            (0.99, 5, 4.032),
            (0.8, 4, 1.533),
            (0.95, 1_000_000, 1.960),
        ] {
            near(Confidence::new(share).unwrap().standard_errors(degrees), expected, 0.000_5);
        }
        near(Confidence::USUAL.standard_errors_to_one_side(10), 1.812, 0.000_5);
        assert_eq!([0.3, 1.0, f64::NAN].map(Confidence::new), [None; 3]);
    }

    /// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32; t(7) = 2.3646.
    #[test]
    fn an_interval_is_students() {
        let mut moments = Moments::default();
        assert_eq!(moments.estimate(Confidence::USUAL), None);
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            moments.add(value);
        }
        let estimate = moments.estimate(Confidence::USUAL).unwrap();
        let deviation = (32.0_f64 / 7.0).sqrt();
        near(estimate.mean, 5.0, 1e-12);
        near(estimate.standard_deviation.unwrap(), deviation, 1e-12);
        near(estimate.high.unwrap() - 5.0, 2.3646 * deviation / 8.0_f64.sqrt(), 0.000_1);
        near(estimate.low.unwrap() + estimate.high.unwrap(), 10.0, 1e-12);
        assert_eq!((estimate.min, estimate.max, estimate.runs), (2.0, 9.0, 8));
    }

    #[test]
    fn one_run_has_no_interval_and_a_constant_no_width() {
        let mut moments = Moments::default();
        moments.add(0.1);
        assert_eq!(moments.estimate(Confidence::USUAL).unwrap().high, None);
        (0..99).for_each(|_| moments.add(0.1));
        let estimate = moments.estimate(Confidence::USUAL).unwrap();
        assert_eq!((estimate.mean, estimate.low, estimate.high), (0.1, Some(0.1), Some(0.1)));
    }
}
