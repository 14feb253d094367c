//! Which setting holds the rest back: each capacity is doubled by itself, and the goal says whether that helped.

use serde_json::Value;

use super::estimate::{Confidence, Moments};
use crate::expect::Expectation;

/// A capacity of a scenario, and its double.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relief {
    /// The key path.
    pub key: String,
    /// The value that it has.
    pub now: String,
    /// What to set it to.
    pub double: String,
}

/// Most capacities that are looked at.
pub const MOST: usize = 40;

/// Where capacities are: the keys of one resource of a group.
const CAPACITIES: [(&str, &[&str]); 5] = [
    ("functions", &["reserved_concurrency", "provisioned_concurrency", "provisioned_concurrency.initial"]),
    (
        "event_source_mappings",
        &[
            "maximum_concurrency",
            "parallelization_factor",
            "batch_size",
            "pollers.per_minute",
            "pollers.maximum",
            "provisioned_pollers.minimum",
            "provisioned_pollers.maximum",
        ],
    ),
    ("streams", &["shards"]),
    ("dependencies", &["concurrency", "connection_limit", "rate_limit", "queue"]),
    ("queues", &["maximum_in_flight", "fifo_throughput"]),
];

/// All capacities of a scenario with their doubles, read from its resolved form: what is unlimited is none.
pub fn reliefs(resolved: &Value) -> Vec<Relief> {
    let mut found = Vec::new();
    let mut look = |key: String, value: Option<&Value>| {
        if let Some((now, double)) = value.and_then(doubled)
            && found.len() < MOST
        {
            found.push(Relief { key, now, double });
        }
    };
    look("account.concurrency_limit".to_owned(), at(resolved, "account.concurrency_limit"));
    for (group, keys) in CAPACITIES {
        let Some(Value::Object(resources)) = resolved.get(group) else { continue };
        for (name, resource) in resources {
            for key in keys {
                look(format!("{group}.{name}.{key}"), at(resource, key));
            }
        }
    }
    found
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// `12`, and `500/s`.
fn doubled(value: &Value) -> Option<(String, String)> {
    if let Some(number) = value.as_u64() {
        return (number > 0).then(|| (number.to_string(), number.saturating_mul(2).to_string()));
    }
    let text = value.as_str()?;
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    unit.starts_with('/').then(|| (text.to_owned(), format!("{}{unit}", number.saturating_mul(2))))
}

/// How much the first unmet expectation gains: the mean of the pairs, if it is surely above 0.
pub fn gain(expectation: &Expectation, before: &[Value], after: &[Value]) -> Option<f64> {
    let mut moments = Moments::default();
    for (before, after) in before.iter().zip(after) {
        moments.add(expectation.slack(after)? - expectation.slack(before)?);
    }
    let estimate = moments.estimate(Confidence::USUAL)?;
    (estimate.low? > 0.0).then_some(estimate.mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn capacities_are_doubled_in_their_units() {
        let resolved = json!({
            "account": { "concurrency_limit": 1000 },
            "functions": { "f": { "reserved_concurrency": 10, "timeout": "3s" }, "g": { "reserved_concurrency": "none" } },
            "event_source_mappings": { "m": { "pollers": { "per_minute": 300 }, "maximum_concurrency": "none" } },
            "dependencies": { "d": { "concurrency": "unlimited", "rate_limit": "50/s" } },
        });
        let found: Vec<(String, String)> =
            reliefs(&resolved).into_iter().map(|relief| (relief.key, relief.double)).collect();
        let expected = [
            ("account.concurrency_limit", "2000"),
            ("functions.f.reserved_concurrency", "20"),
            ("event_source_mappings.m.pollers.per_minute", "600"),
            ("dependencies.d.rate_limit", "100/s"),
        ];
        assert_eq!(found, expected.map(|(key, double)| (key.to_owned(), double.to_owned())));
    }

    #[test]
    fn a_gain_is_surely_one() {
        let expectation = Expectation::parse("events <= 5").unwrap();
        let runs = |values: [u64; 3]| values.map(|value| json!({ "events": value }));
        assert_eq!(gain(&expectation, &runs([9, 8, 9]), &runs([6, 5, 6])), Some(3.0));
        assert_eq!(gain(&expectation, &runs([9, 8, 9]), &runs([9, 8, 9])), None);
        assert_eq!(gain(&expectation, &runs([9, 8, 9]), &runs([1, 20, 9])), None);
    }
}
