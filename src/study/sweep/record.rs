//! What one task of a sweep comes to: flat, so that it is one line of a journal.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::expect::whole_as_integer;
use crate::kernel::time::SimTime;
use crate::stats::summary::Summary;
use crate::study::metrics;

/// One task. Whatever the table says comes from here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1.
    pub task: u64,
    /// The number of its point, from 1.
    pub point: u64,
    /// Its seed.
    pub seed: u64,
    /// The digest of the run; empty where it did not come to its end.
    pub digest: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The run came to its end.
    Run {
        /// Whether conservation holds.
        conserved: bool,
        /// For each expectation whether it holds.
        passed: Vec<bool>,
        /// Every number of the summary by its path; null where it has no value.
        numbers: Map<String, Value>,
    },
    /// It used up its event budget.
    BudgetExhausted {
        /// Events handled.
        events: u64,
        /// The virtual moment, in nanoseconds.
        at_ns: u64,
        /// Who was still busy with how much, most first.
        busy: Vec<(String, u64)>,
    },
}

impl Record {
    /// Of a run that came to its end. Task and point count from 0, as a grid does.
    pub fn of(task: u64, point: u64, summary: &Summary) -> Self {
        let mut numbers = Map::new();
        metrics::numbers(&summary.to_json(), &mut |path, value| {
            let value = whole_as_integer(&value, serde_json::value::Serializer).unwrap_or(Value::Null);
            numbers.insert(path.to_owned(), value);
        });
        let outcome = Outcome::Run {
            conserved: summary.conservation.holds,
            passed: summary.expectations.iter().map(|judgement| judgement.pass).collect(),
            numbers,
        };
        Self { task: task + 1, point: point + 1, seed: summary.seed, digest: summary.digest.clone(), outcome }
    }

    /// Of a run that used up its event budget.
    pub fn exhausted(task: u64, point: u64, seed: u64, (events, at): (u64, SimTime), busy: Vec<(String, u64)>) -> Self {
        let outcome = Outcome::BudgetExhausted { events, at_ns: at.as_nanos(), busy };
        Self { task: task + 1, point: point + 1, seed, digest: String::new(), outcome }
    }

    /// The line of a journal, without its end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("keys are strings")
    }

    /// Reads a line; `None` where it is not whole.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Journals are read back to the last bit, or a table would depend on where its sweep was stopped.
    #[test]
    fn numbers_survive_their_journal() {
        let mut word = 1_u64;
        let mut numbers = Map::new();
        for index in 0..2_000 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = f64::from_bits(word >> 2);
            if number.is_finite() {
                numbers.insert(index.to_string(), json!(number));
            }
        }
        let outcome = Outcome::Run { conserved: true, passed: vec![true, false], numbers };
        let record = Record { task: 1, point: 1, seed: 7, digest: "d".to_owned(), outcome };
        assert_eq!(Record::parse(&record.line()), Some(record.clone()));
        let line = record.line();
        assert_eq!(Record::parse(&line[..line.len() - 1]), None);
    }
}
