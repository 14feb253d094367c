//! Expectations of a scenario about its results: `callers.shoppers.latency_ms.p99 < 800ms`.
//!
//! `EXPR CMP EXPR` or `EXPR within 5% of EXPR`, where an expression is made of paths into `summary.json`, numbers,
//! durations (as milliseconds), sizes (as bytes), percentages, `+ - * /` with a space on both sides, and parentheses.
//! Reading order: [`Expectation`] (what is expected), [`Expression`] (how it is computed), [`Problem`] (what is wrong
//! with how it is written).

mod number;
mod parse;
mod path;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub(crate) use path::OPEN_MAPS;
pub use path::Path;

/// One expectation, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    text: String,
    left: Expression,
    condition: Condition,
    right: Expression,
}

/// A number that is computed from a summary.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Written down, with its unit.
    Number(f64, Unit),
    /// A number of the summary.
    Path(Path),
    /// The negative.
    Minus(Box<Expression>),
    /// Two numbers made into one.
    Binary(Box<Expression>, Operator, Box<Expression>),
}

/// What a number measures, as far as its expression says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unit {
    /// A count, a ratio, a rate, or unknown.
    #[default]
    None,
    /// A time.
    Milliseconds,
    /// A size.
    Bytes,
    /// Money.
    Usd,
    /// A part of 1 that was written as a percentage.
    Share,
}

/// How two numbers are made into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

/// What must hold between the two sides.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Condition {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
    /// They differ by at most this share of the right side.
    Within(f64),
}

/// What is wrong with an expectation, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// First byte of the offending part of the text.
    pub offset: usize,
    /// Its length in bytes; zero at the end of the text.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What came of an expectation (contract, `expectations`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// As it was written.
    pub expression: String,
    /// The left side; `None` where it is null.
    #[serde(serialize_with = "whole_as_integer")]
    pub actual: Option<f64>,
    /// Whether it holds.
    pub pass: bool,
    /// What the sides measure, for people.
    #[serde(skip)]
    pub unit: Unit,
    /// The right side; `None` where it is null. For people, too.
    #[serde(skip)]
    pub bound: Option<f64>,
}

impl Expectation {
    /// Reads an expectation.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        parse::expectation(text)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All paths that do not lead to a number of the summary; `skeleton` is any summary of the same scenario.
    pub fn check_paths(&self, skeleton: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        for side in [&self.left, &self.right] {
            side.each_path(&mut |path| problems.extend(path.check(skeleton).err()));
        }
        problems
    }

    /// Its two sides; `None` where one is null.
    pub fn sides(&self, summary: &Value) -> (Option<f64>, Option<f64>) {
        (self.left.value(summary), self.right.value(summary))
    }

    /// Whether it says that one side is below or above the other, and not that they are equal or near.
    pub const fn is_inequality(&self) -> bool {
        match self.condition {
            Condition::Less | Condition::LessOrEqual | Condition::GreaterOrEqual | Condition::Greater => true,
            Condition::Equal | Condition::NotEqual | Condition::Within(_) => false,
        }
    }

    /// By how much an inequality holds, negative where it does not; of the others, minus the distance of the sides.
    pub fn slack(&self, summary: &Value) -> Option<f64> {
        let (left, right) = self.sides(summary);
        let (left, right) = left.zip(right)?;
        Some(match self.condition {
            Condition::Less | Condition::LessOrEqual => right - left,
            Condition::GreaterOrEqual | Condition::Greater => left - right,
            Condition::Equal | Condition::NotEqual | Condition::Within(_) => -(left - right).abs(),
        })
    }

    /// What its sides measure.
    pub fn unit(&self) -> Unit {
        self.left.unit().or(self.right.unit())
    }

    /// The paths of the numbers that it looks at, as they are spelled.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for side in [&self.left, &self.right] {
            side.each_path(&mut |path| paths.push(path.to_string()));
        }
        paths
    }

    /// Whether it holds. A comparison with null fails.
    pub fn judge(&self, summary: &Value) -> Judgement {
        let (left, right) = (self.left.value(summary), self.right.value(summary));
        let pass = left.zip(right).is_some_and(|(left, right)| self.condition.holds(left, right));
        let unit = self.unit();
        Judgement { expression: self.text.clone(), actual: left, pass, unit, bound: right }
    }
}

/// The value of a number with its unit, and what it measures: `5ms`, `2%`, `3`.
pub(crate) fn amount(text: &str) -> Result<(f64, Unit), String> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("`{text}` is not a number"));
    }
    number::parse(text).map_err(|problem| format!("{}: {}", problem.message, problem.help))
}

impl Expression {
    /// Reads an expression by itself.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        parse::expression(text)
    }

    /// Its value; `None` where a part is null, or a division is by zero.
    pub fn value(&self, summary: &Value) -> Option<f64> {
        let value = match self {
            Self::Number(number, _) => *number,
            Self::Path(path) => path.value(summary)?,
            Self::Minus(of) => -of.value(summary)?,
            Self::Binary(left, operator, right) => {
                let (left, right) = (left.value(summary)?, right.value(summary)?);
                match operator {
                    Operator::Plus => left + right,
                    Operator::Minus => left - right,
                    Operator::Times => left * right,
                    Operator::Over => left / right,
                }
            }
        };
        value.is_finite().then_some(value)
    }

    /// All paths that do not lead to a number of the summary; `skeleton` is any summary of the same scenario.
    pub fn check_paths(&self, skeleton: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.each_path(&mut |path| problems.extend(path.check(skeleton).err()));
        problems
    }

    /// What its value measures.
    fn unit(&self) -> Unit {
        match self {
            Self::Number(_, unit) => *unit,
            Self::Path(path) => path.unit(),
            Self::Minus(of) => of.unit(),
            Self::Binary(left, operator, right) => {
                let (left, right) = (left.unit(), right.unit());
                match operator {
                    Operator::Plus | Operator::Minus => left.or(right),
                    // A part of something is of its kind: 5% * 2s.
                    Operator::Times if left == Unit::Share => right,
                    Operator::Times if matches!(right, Unit::None | Unit::Share) => left,
                    Operator::Times if left == Unit::None => right,
                    Operator::Over if matches!(right, Unit::None | Unit::Share) => left,
                    Operator::Times | Operator::Over => Unit::None,
                }
            }
        }
    }

    fn each_path(&self, visit: &mut impl FnMut(&Path)) {
        match self {
            Self::Number(..) => {}
            Self::Path(path) => visit(path),
            Self::Minus(of) => of.each_path(visit),
            Self::Binary(left, _, right) => {
                left.each_path(visit);
                right.each_path(visit);
            }
        }
    }
}

impl Unit {
    /// What the number at a path of the summary measures.
    pub fn of(path: &str) -> Self {
        Self::of_keys(path.split('.'))
    }

    pub(crate) fn of_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Self {
        keys.fold(Self::None, |unit, key| match key {
            "count" => Self::None,
            _ if key.ends_with("_ms") => Self::Milliseconds,
            _ if key.ends_with("_usd") => Self::Usd,
            _ => unit,
        })
    }

    fn or(self, other: Self) -> Self {
        if self == Self::None { other } else { self }
    }
}

impl Condition {
    #[allow(clippy::float_cmp, reason = "`==` means equal; whole numbers and milliseconds are exact")]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::GreaterOrEqual => left >= right,
            Self::Greater => left > right,
            Self::Within(share) => (left - right).abs() <= share * right.abs(),
        }
    }
}

/// A count prints as `12`, not as `12.0`, as it does in its own place.
#[allow(clippy::ref_option, reason = "the shape that serde asks for")]
pub(crate) fn whole_as_integer<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match *value {
        None => serializer.serialize_none(),
        #[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        Some(value) if value.abs() < EXACT && value.fract() == 0.0 => serializer.serialize_i64(value as i64),
        Some(value) => serializer.serialize_f64(value),
    }
}

#[cfg(test)]
mod tests;
