//! Paths into a summary: `functions.resize.throttles_by_reason.CallerRateLimitExceeded`.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::{Problem, Unit};
use crate::aws::fact::{Condition, ThrottleReason};

/// A path and where it stands in its expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub(super) segments: Vec<Segment>,
    pub(super) offset: usize,
    pub(super) length: usize,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    step: Step,
    pub(super) offset: usize,
    pub(super) length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Maps whose keys are what happened: a missing one is 0 (contract, section 3: `{}`).
pub(crate) const OPEN_MAPS: [&str; 3] = ["status_codes", "throttles_by_reason", "async_events_dropped_by_condition"];

/// Beneath these no expectation can look: they are made from expectations, or say nothing about what happened.
const CLOSED_GROUPS: [&str; 1] = ["expectations"];

/// Names that are shown at most.
const SHOWN: usize = 12;

impl Segment {
    pub(super) fn key(name: &str, offset: usize, length: usize) -> Self {
        Self { step: Step::Key(name.to_owned()), offset, length }
    }

    pub(super) const fn index(index: usize, offset: usize, length: usize) -> Self {
        Self { step: Step::Index(index), offset, length }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.segments.iter().enumerate() {
            match &segment.step {
                Step::Key(name) if place == 0 => f.write_str(name)?,
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// The number it leads to; 0 for what never happened, `None` for null.
    pub(super) fn value(&self, summary: &Value) -> Option<f64> {
        let mut value = summary;
        let mut open = false;
        for segment in &self.segments {
            let next = match &segment.step {
                Step::Key(name) => value.get(name),
                Step::Index(index) => value.get(index),
            };
            let Some(next) = next else { return open.then_some(0.0) };
            open = matches!(&segment.step, Step::Key(name) if OPEN_MAPS.contains(&name.as_str()));
            value = next;
        }
        value.as_f64()
    }

    /// What the number measures, by the names that lead to it.
    pub(super) fn unit(&self) -> Unit {
        Unit::of_keys(self.segments.iter().filter_map(|segment| match &segment.step {
            Step::Key(name) => Some(name.as_str()),
            Step::Index(_) => None,
        }))
    }

    /// Whether it leads to a number, or to null where a number may stand.
    pub(super) fn check(&self, skeleton: &Value) -> Result<(), Problem> {
        let mut value = skeleton;
        let mut known = String::new();
        for (place, segment) in self.segments.iter().enumerate() {
            let next = match (&segment.step, value) {
                (Step::Key(name), Value::Object(map)) => map.get(name).filter(|_| !is_closed(place, name)),
                (Step::Index(index), Value::Array(rows)) => rows.get(*index),
                _ => None,
            };
            let Some(next) = next else {
                let last = place + 1 == self.segments.len();
                if let (true, Some(map), Step::Key(name)) = (last, self.open_map(place), &segment.step) {
                    return may_occur(map, name, &known).map_err(|(message, help)| Problem {
                        offset: segment.offset,
                        length: segment.length,
                        message,
                        help: Some(help),
                    });
                }
                return Err(self.unknown(place, value, &known, skeleton));
            };
            push(&mut known, &segment.step);
            value = next;
        }
        if value.is_number() || value.is_null() { Ok(()) } else { Err(self.not_a_number(&known, value)) }
    }

    /// The open map that the segment at `place` is a key of.
    fn open_map(&self, place: usize) -> Option<&str> {
        match &self.segments[place.checked_sub(1)?].step {
            Step::Key(name) => Some(name.as_str()).filter(|name| OPEN_MAPS.contains(name)),
            Step::Index(_) => None,
        }
    }

    /// `known` leads to `value`, and the segment at `place` leads nowhere.
    fn unknown(&self, place: usize, value: &Value, known: &str, skeleton: &Value) -> Problem {
        let segment = &self.segments[place];
        let here = if known.is_empty() { "the results have".to_owned() } else { format!("`{known}` has") };
        let (message, help) = match (&segment.step, value) {
            (Step::Key(name), Value::Object(map)) => {
                let keys: Vec<&str> = map.keys().map(String::as_str).filter(|key| !is_closed(place, key)).collect();
                let message = format!("{here} no `{name}`");
                (
                    message,
                    similar(name, &keys, known)
                        .or_else(|| elsewhere(name, place, skeleton))
                        .unwrap_or_else(|| list(&keys)),
                )
            }
            (Step::Index(_), Value::Array(rows)) => {
                (format!("{here} {} entries", rows.len()), "the first is [0]".to_owned())
            }
            (Step::Key(_), Value::Array(rows)) => {
                (format!("`{known}` is a list of {}", rows.len()), format!("for example `{known}[0]`"))
            }
            (Step::Index(_), Value::Object(map)) => {
                let keys: Vec<&str> = map.keys().map(String::as_str).collect();
                (format!("`{known}` is not a list"), list(&keys))
            }
            _ => (format!("`{known}` has nothing below it"), format!("write `{known}`")),
        };
        Problem { offset: segment.offset, length: segment.length, message, help: Some(help) }
    }

    fn not_a_number(&self, known: &str, value: &Value) -> Problem {
        let (kind, help) = match value {
            Value::Object(map) if map.is_empty() => ("a group", "its keys appear when something happens".to_owned()),
            Value::Object(map) => ("a group", list(&map.keys().map(String::as_str).collect::<Vec<_>>())),
            Value::Array(rows) => ("a list", format!("it has {} entries; the first is `{known}[0]`", rows.len())),
            Value::Bool(_) => ("true or false", "expectations compare numbers".to_owned()),
            Value::String(_) | Value::Null | Value::Number(_) => ("text", "expectations compare numbers".to_owned()),
        };
        let message = format!("`{known}` is {kind}, not a number");
        Problem { offset: self.offset, length: self.length, message, help: Some(help) }
    }
}

/// Whether something of this name can happen; else what is wrong, and what helps.
fn may_occur(map: &str, name: &str, known: &str) -> Result<(), (String, String)> {
    match map {
        "throttles_by_reason" => {
            let reasons = ThrottleReason::ALL.map(ThrottleReason::as_str);
            if reasons.contains(&name) {
                return Ok(());
            }
            let help =
                similar(name, &reasons, known).unwrap_or_else(|| format!("the reasons are {}", reasons.join(", ")));
            Err((format!("there is no reason `{name}` for a throttle"), help))
        }
        "async_events_dropped_by_condition" => {
            let conditions = Condition::DROPS.map(Condition::as_str);
            if conditions.contains(&name) {
                return Ok(());
            }
            let help = similar(name, &conditions, known)
                .unwrap_or_else(|| format!("the conditions are {}", conditions.join(", ")));
            Err((format!("no event is dropped with the condition `{name}`"), help))
        }
        "status_codes" if name.len() != 3 || !name.bytes().all(|digit| digit.is_ascii_digit()) => {
            Err((format!("`{name}` is not a status code"), format!("write three digits: `{known}.500`")))
        }
        _ => Ok(()),
    }
}

fn is_closed(place: usize, name: &str) -> bool {
    place == 0 && CLOSED_GROUPS.contains(&name)
}

fn push(known: &mut String, step: &Step) {
    match step {
        Step::Key(name) => {
            if !known.is_empty() {
                known.push('.');
            }
            known.push_str(name);
        }
        Step::Index(index) => {
            let _ = write!(known, "[{index}]");
        }
    }
}

/// The key that was probably meant.
fn similar(name: &str, keys: &[&str], known: &str) -> Option<String> {
    let score = |key: &str| {
        let contained = key.starts_with(name) || key.strip_suffix("_ms") == Some(name);
        if contained { 1.0 } else { strsim::normalized_damerau_levenshtein(name, key) }
    };
    let best = keys.iter().copied().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    let dot = if known.is_empty() { "" } else { "." };
    (score(best) >= 0.6).then(|| format!("did you mean `{known}{dot}{best}`?"))
}

/// A name that stands one level deeper: `resize.errors` for `functions.resize.errors`.
fn elsewhere(name: &str, place: usize, skeleton: &Value) -> Option<String> {
    let groups = skeleton.as_object().filter(|_| place == 0)?;
    let group = groups.iter().find(|(group, rows)| !is_closed(0, group) && rows.get(name).is_some())?;
    Some(format!("did you mean `{}.{name}`?", group.0))
}

fn list(keys: &[&str]) -> String {
    let more = keys.len().saturating_sub(SHOWN);
    let shown = keys[..keys.len() - more].join(", ");
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("below it are {shown}{rest}")
}
