//! Compares the numbers of a run with those of an earlier one, within tolerances.
//!
//! Every leaf of `summary.json` is compared but those that say what was simulated (version, scenario, seed), how
//! (`events`), what follows from the numbers (`expectations`), and the digest. A number that only one of both has is 0
//! in the other where its map is one by reason; a resource that came or went is one difference.

use serde_json::{Map, Value};

use super::tolerance::Tolerance;
use crate::expect::OPEN_MAPS;

/// Keys of a summary that are not compared.
const INFORMATIVE: [&str; 6] = ["lambdasim", "scenario", "seed", "events", "digest", "expectations"];

/// How the numbers of a run differ from those of a baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Numbers that were compared.
    pub compared: usize,
    /// Those that differ by no more than they may.
    pub tolerated: usize,
    /// Those that differ by more than they may, in the order of the summary.
    pub differences: Vec<Difference>,
    /// What else is not the same, in sentences: what decides are numbers.
    pub notes: Vec<String>,
}

/// A number that differs, or a resource that came or went.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its path, as expectations spell it.
    pub metric: String,
    /// In the baseline.
    pub was: Found,
    /// Now.
    pub is: Found,
    /// The tolerance that holds for it, as it was written.
    pub tolerance: Option<String>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A number; or null, true or false, a text.
    Leaf(Value),
    /// A resource, or another group of numbers.
    Group,
}

impl Found {
    fn of(value: Option<&Value>) -> Self {
        match value {
            None => Self::Nothing,
            Some(Value::Object(_) | Value::Array(_)) => Self::Group,
            Some(leaf) => Self::Leaf(leaf.clone()),
        }
    }

    /// The number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Leaf(value) => value.as_f64(),
            Self::Nothing | Self::Group => None,
        }
    }
}

/// Why a value is no summary of a run; nothing where it is one.
pub fn no_summary(value: &Value) -> Option<&'static str> {
    if value.is_array() {
        return Some("it holds an array; a baseline is the summary.json of one run");
    }
    if value.get("replicas").is_some() {
        return Some("it is one of several runs (--replicas); a baseline is the summary.json of one run");
    }
    let is_text = |path: &str| value.pointer(path).is_some_and(Value::is_string);
    let is_summary = ["/lambdasim", "/digest", "/scenario/name"].into_iter().all(is_text)
        && value.get("callers").is_some_and(Value::is_object);
    (!is_summary).then_some("it is not the summary.json of a run")
}

/// Compares a run with a baseline; of several tolerances that are for a number, the last one counts.
pub fn compare(baseline: &Value, now: &Value, tolerances: &[Tolerance]) -> Comparison {
    let mut walk = Walk { tolerances, path: Vec::new(), changed: Vec::new(), found: Comparison::default() };
    if let (Some(was), Some(is)) = (baseline.as_object(), now.as_object()) {
        walk.map(was, is);
    }
    walk.found.notes = notes(baseline, now);
    walk.found
}

/// Tolerances that are for no number of a baseline.
pub fn idle<'a>(tolerances: &'a [Tolerance], baselines: &[&Value]) -> Option<&'a Tolerance> {
    tolerances
        .iter()
        .find(|tolerance| !baselines.iter().any(|baseline| is_for_some(tolerance, baseline, &mut Vec::new())))
}

fn is_for_some<'a>(tolerance: &Tolerance, value: &'a Value, path: &mut Vec<&'a str>) -> bool {
    match value {
        // What may happen and has not yet.
        Value::Object(map) if path.last().is_some_and(|name| OPEN_MAPS.contains(name)) && tolerance.begins(path) => {
            debug_assert!(map.values().all(|value| !value.is_object()), "maps by reason hold numbers");
            true
        }
        Value::Object(map) => map.iter().any(|(key, value)| {
            if path.is_empty() && INFORMATIVE.contains(&key.as_str()) {
                return false;
            }
            path.push(key);
            let found = is_for_some(tolerance, value, path);
            path.pop();
            found
        }),
        Value::Array(rows) => rows.iter().any(|value| {
            path.push("[*]");
            let found = is_for_some(tolerance, value, path);
            path.pop();
            found
        }),
        Value::Number(_) | Value::Null => tolerance.is_for(path),
        Value::Bool(_) | Value::String(_) => false,
    }
}

/// What is not the same and no number.
fn notes(baseline: &Value, now: &Value) -> Vec<String> {
    let pair = |path: &str| {
        let (was, is) = (baseline.pointer(path), now.pointer(path));
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", ")
            }
            Some(other) => other.to_string(),
            None => "none".to_owned(),
        };
        (was != is).then(|| (text(was), text(is)))
    };
    let mut notes = Vec::new();
    if let Some((was, is)) = pair("/lambdasim") {
        notes.push(format!("the baseline was made by lambdasim {was}, and this is {is}"));
    }
    if let Some((was, is)) = pair("/scenario/name") {
        notes.push(format!("the baseline is one of `{was}`, and this is `{is}`"));
    }
    if let Some((was, is)) = pair("/seed") {
        notes.push(format!("the baseline has seed {was}, and this has {is}"));
    }
    if let Some((was, is)) = pair("/scenario/overrides") {
        notes.push(format!("the baseline has other overrides (--set): {was}; here {is}"));
    }
    if pair("/scenario/sha256").is_some() {
        notes.push("the scenario file is not the one of the baseline".to_owned());
    }
    if let Some((was, is)) = pair("/digest") {
        notes.push(format!("what happened is not the same: digest {was}, now {is}"));
    }
    notes
}

/// The way through both summaries.
struct Walk<'a> {
    tolerances: &'a [Tolerance],
    path: Vec<String>,
    /// Names of resources that came or went.
    changed: Vec<String>,
    found: Comparison,
}

impl Walk<'_> {
    fn map(&mut self, was: &Map<String, Value>, is: &Map<String, Value>) {
        let is_open = self.path.last().is_some_and(|name| OPEN_MAPS.contains(&name.as_str()));
        let came = is.keys().filter(|key| !was.contains_key(*key));
        for key in was.keys().chain(came) {
            if self.path.is_empty() && INFORMATIVE.contains(&key.as_str()) {
                continue;
            }
            self.path.push(key.clone());
            match (was.get(key), is.get(key)) {
                (None, Some(leaf)) if is_open => self.leaf(&Value::from(0), leaf),
                (Some(leaf), None) if is_open => self.leaf(leaf, &Value::from(0)),
                (was, is) => self.step(was, is),
            }
            self.path.pop();
        }
    }

    fn step(&mut self, was: Option<&Value>, is: Option<&Value>) {
        match (was, is) {
            (Some(Value::Object(was)), Some(Value::Object(is))) => self.map(was, is),
            (Some(Value::Array(was)), Some(Value::Array(is))) => {
                for place in 0..was.len().max(is.len()) {
                    self.path.push(format!("[{place}]"));
                    self.step(was.get(place), is.get(place));
                    self.path.pop();
                }
            }
            (Some(was), Some(is)) if !is_group(was) && !is_group(is) => self.leaf(was, is),
            // A resource has the same name in all groups; nothing is missing where nothing was.
            (None, Some(group)) | (Some(group), None) if is_group(group) => {
                let name = self.path.last().cloned().unwrap_or_default();
                if !is_empty(group) && !self.changed.contains(&name) {
                    self.changed.push(name);
                    self.differ(was, is, None);
                }
            }
            (was, is) => self.differ(was, is, None),
        }
    }

    fn leaf(&mut self, was: &Value, is: &Value) {
        self.found.compared += 1;
        #[allow(clippy::float_cmp, reason = "the same run gives the same numbers")]
        let same = was == is || was.as_f64().zip(is.as_f64()).is_some_and(|(was, is)| was == is);
        if same {
            return;
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let tolerance = self.tolerances.iter().rev().find(|tolerance| tolerance.is_for(&path));
        let numbers = was.as_f64().zip(is.as_f64());
        if tolerance.zip(numbers).is_some_and(|(tolerance, (was, is))| tolerance.allows(was, is)) {
            self.found.tolerated += 1;
        } else {
            let text = tolerance.map(|tolerance| tolerance.allowed().to_owned());
            self.differ(Some(was), Some(is), text);
        }
    }

    fn differ(&mut self, was: Option<&Value>, is: Option<&Value>, tolerance: Option<String>) {
        let mut metric = String::new();
        for step in &self.path {
            if !metric.is_empty() && !step.starts_with('[') {
                metric.push('.');
            }
            metric.push_str(step);
        }
        self.found.differences.push(Difference { metric, was: Found::of(was), is: Found::of(is), tolerance });
    }
}

fn is_group(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(latency: f64, throttles: &Value) -> Value {
        json!({
            "lambdasim": "0.1.0",
            "scenario": { "name": "shop", "sha256": "a", "overrides": [] },
            "seed": 1,
            "events": 100,
            "digest": "d",
            "callers": { "buyers": { "submitted": 200, "latency_ms": { "count": 200, "p99": latency } } },
            "functions": { "checkout": { "throttles_by_reason": throttles, "cold": null } },
            "streams": { "s": { "shards": [{ "records": 5 }, { "records": 7 }] } },
            "cost": { "functions": { "checkout": { "total_usd": 0.5 } }, "total_usd": 0.5 },
            "expectations": [{ "actual": 3 }],
            "conservation": { "holds": true },
        })
    }

    fn differences(was: &Value, is: &Value, tolerances: &[&str]) -> Vec<String> {
        let tolerances: Vec<_> = tolerances.iter().map(|text| Tolerance::parse(text).unwrap()).collect();
        let shown = |found: &Found| match found {
            Found::Nothing => "-".to_owned(),
            Found::Group => "..".to_owned(),
            Found::Leaf(value) => value.to_string(),
        };
        let found = compare(was, is, &tolerances).differences;
        found.iter().map(|one| format!("{} {} {}", one.metric, shown(&one.was), shown(&one.is))).collect()
    }

    #[test]
    fn the_same_numbers_do_not_differ() {
        let one = summary(100.0, &json!({}));
        let mut other = one.clone();
        other["events"] = json!(7);
        other["expectations"] = json!([]);
        other["digest"] = json!("e");
        let found = compare(&one, &other, &[]);
        assert_eq!((found.differences.len(), found.compared), (0, 9));
        assert_eq!(found.notes, ["what happened is not the same: digest d, now e"]);
        // A whole number and the same one as a fraction.
        assert_eq!(differences(&one, &summary(100.0, &json!({})), &[]), [""; 0]);
    }

    #[test]
    fn numbers_differ_by_more_than_they_may() {
        let (one, other) = (summary(100.0, &json!({})), summary(105.0, &json!({})));
        let p99 = "callers.buyers.latency_ms.p99 100.0 105.0";
        for (tolerances, expected) in [
            (&[][..], &[p99][..]),
            (&["*=5%"], &[]),
            (&["*=4.9%"], &[p99]),
            (&["callers=5ms"], &[]),
            (&["callers.*.latency_ms.p99=4ms"], &[p99]),
            // The last one counts.
            (&["*=10%", "callers.buyers=1%"], &[p99]),
            (&["callers.buyers=1%", "*=10%"], &[]),
            // An amount without a unit is not for times.
            (&["callers=10"], &[p99]),
        ] {
            assert_eq!(differences(&one, &other, tolerances), expected, "{tolerances:?}");
        }
    }

    #[test]
    fn what_is_missing_in_a_map_by_reason_is_nothing() {
        let reason = json!({ "CallerRateLimitExceeded": 3 });
        let (one, other) = (summary(1.0, &json!({})), summary(1.0, &reason));
        let metric = "functions.checkout.throttles_by_reason.CallerRateLimitExceeded";
        assert_eq!(differences(&one, &other, &[]), [format!("{metric} 0 3")]);
        assert_eq!(differences(&other, &one, &[]), [format!("{metric} 3 0")]);
        assert_eq!(differences(&one, &other, &["functions=3"]), [""; 0]);
    }

    #[test]
    fn a_resource_that_came_or_went_is_one_difference() {
        let one = summary(1.0, &json!({}));
        let mut other = one.clone();
        other["functions"]["audit"] = json!({ "errors": 0, "throttles_by_reason": {} });
        other["cost"]["functions"]["audit"] = json!({ "total_usd": 0 });
        other["streams"] = json!({ "s": { "shards": [{ "records": 5 }] } });
        other["functions"]["checkout"]["cold"] = json!(4);
        let expected = ["functions.checkout.cold null 4", "functions.audit - ..", "streams.s.shards[1] .. -"];
        assert_eq!(differences(&one, &other, &["*=50%"]), expected);
    }

    #[test]
    fn tolerances_that_are_for_nothing_are_found() {
        let one = summary(1.0, &json!({}));
        for (text, is_idle) in [
            ("*=1%", false),
            ("callers.buyers=1%", false),
            ("callers.*.latency_ms=1ms", false),
            ("functions.*.throttles_by_reason.CallerRateLimitExceeded=3", false),
            ("streams.s.shards[1]=1", false),
            ("callers.sellers=1%", true),
            ("callers.*.latency_ms=1", false),
            ("callers.*.latency_ms.p99=1", true),
            ("callers.*.submitted=1ms", true),
            ("seed=1", true),
        ] {
            let tolerances = [Tolerance::parse(text).unwrap()];
            assert_eq!(idle(&tolerances, &[&one]).is_some(), is_idle, "{text}");
        }
    }

    #[test]
    fn what_is_no_summary_is_refused() {
        assert_eq!(no_summary(&summary(1.0, &json!({}))), None);
        assert!(no_summary(&json!([summary(1.0, &json!({}))])).is_some());
        assert!(no_summary(&json!({ "name": "shop" })).is_some());
    }
}
