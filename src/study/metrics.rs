//! A summary as numbers by their paths, as expectations spell them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::estimate::Moments;

/// Visits every leaf of a summary with its path.
pub fn leaves(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    walk(value, &mut String::new(), visit);
}

fn walk(value: &Value, path: &mut String, visit: &mut impl FnMut(&str, &Value)) {
    let length = path.len();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                walk(value, path, visit);
                path.truncate(length);
            }
        }
        Value::Array(rows) => {
            for (index, value) in rows.iter().enumerate() {
                let _ = write!(path, "[{index}]");
                walk(value, path, visit);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => visit(path, value),
    }
}

/// What a summary says about its run and not about what happened in it.
const ABOUT: [&str; 5] = ["lambdasim", "scenario", "seed", "digest", "expectations"];

/// Visits every number that says what happened, `None` where it is null.
pub fn numbers(summary: &Value, visit: &mut impl FnMut(&str, Option<f64>)) {
    let Value::Object(groups) = summary else { return };
    for (name, group) in groups.iter().filter(|(name, _)| !ABOUT.contains(&name.as_str())) {
        let mut path = name.clone();
        walk(group, &mut path, &mut |path, leaf| match leaf {
            Value::Null => visit(path, None),
            Value::Number(number) => visit(path, number.as_f64()),
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
        });
    }
}

/// The numbers of several runs, each under its path, in the order in which they first came.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    runs: u64,
    rows: Vec<Row>,
    /// Where the row of a path is.
    places: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Row {
    path: String,
    moments: Moments,
    /// Runs that had it so far, with or without a value.
    seen: u64,
}

impl Metrics {
    /// The next run. What a run does not have at all, such as a reason for throttles, was 0 in it; null is no value.
    pub fn add(&mut self, summary: &Value) {
        self.add_numbers(|visit| numbers(summary, &mut |path, value| visit(path, value)));
    }

    /// The next run by its numbers alone, which `each` gives one after the other.
    pub fn add_numbers(&mut self, each: impl FnOnce(&mut dyn FnMut(&str, Option<f64>))) {
        let Self { runs, rows, places } = self;
        each(&mut |path, value| {
            let place = places.get(path).copied().unwrap_or_else(|| {
                places.insert(path.to_owned(), rows.len());
                let mut moments = Moments::default();
                (0..*runs).for_each(|_| moments.add(0.0));
                rows.push(Row { path: path.to_owned(), moments, seen: *runs });
                rows.len() - 1
            });
            let row = &mut rows[place];
            row.seen += 1;
            if let Some(value) = value {
                row.moments.add(value);
            }
        });
        *runs += 1;
        for row in rows.iter_mut().filter(|row| row.seen < *runs) {
            row.seen = *runs;
            row.moments.add(0.0);
        }
    }

    /// How many runs.
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// What the runs have under a path.
    pub fn get(&self, path: &str) -> Option<&Moments> {
        self.places.get(path).map(|place| &self.rows[*place].moments)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Moments)> {
        self.rows.iter().map(|row| (row.path.as_str(), &row.moments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_have_their_paths() {
        let summary = json!({
            "seed": 7, "scenario": { "name": "a" }, "events": 12,
            "streams": { "s": { "shards": [{ "records": 3 }, { "records": null }] } },
            "conservation": { "holds": true },
        });
        let mut seen = Vec::new();
        numbers(&summary, &mut |path, value| seen.push((path.to_owned(), value)));
        let expected =
            [("events", Some(12.0)), ("streams.s.shards[0].records", Some(3.0)), ("streams.s.shards[1].records", None)];
        assert_eq!(seen, expected.map(|(path, value)| (path.to_owned(), value)));
    }

    #[test]
    fn what_a_run_does_not_have_was_zero_in_it() {
        let mut metrics = Metrics::default();
        for reasons in [json!({}), json!({ "A": 4 }), json!({ "B": 6 }), json!({ "B": null })] {
            metrics.add(&json!({ "f": reasons }));
        }
        let mean = |path| metrics.get(path).map(|moments| (moments.mean(), moments.runs()));
        assert_eq!((mean("f.A"), mean("f.B"), mean("f.C")), (Some((1.0, 4)), Some((2.0, 3)), None));
    }
}
