//! Expectations of a scenario about its results.

use serde::Serialize;

/// What came of an expectation (contract, `expectations`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// As it was written.
    pub expression: String,
    /// The left side; `None` where it is null.
    pub actual: Option<f64>,
    /// Whether it holds.
    pub pass: bool,
}
