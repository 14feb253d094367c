//! Several runs of one scenario: what they say together, and how sure they are.

use std::fmt::Write as _;

use serde_json::Value;

use super::csv::Table as Csv;
use super::numbers::{cut, in_unit, plural, wrap};
use super::style::Style;
use super::{Format, WIDTH};
use crate::expect::Unit;
use crate::stats::curve::Rung;
use crate::study::estimate::Estimate;
use crate::study::replicas::{Joined, Judged};

/// What is shown of each resource, unless it is 0 in every run; all of it is in the JSON.
const SHOWN: [(&str, &[&str]); 11] = [
    ("account", &["concurrent_executions.mean", "concurrent_executions.max", "throttles"]),
    (
        "callers",
        &["succeeded", "failed", "throttled", "retries", "latency_ms.mean", "latency_ms.p50", "latency_ms.p99"],
    ),
    (
        "functions",
        &[
            "errors",
            "timeouts",
            "throttles",
            "cold_starts",
            "concurrent_executions.mean",
            "concurrent_executions.max",
            "provisioned_concurrency_spillover_invocations",
            "async_events_dropped",
            "async_latency_ms.p99",
        ],
    ),
    (
        "queues",
        &[
            "moved_to_dlq",
            "expired",
            "approximate_number_of_messages_visible.max",
            "time_to_delete_ms.p50",
            "time_to_delete_ms.p99",
            "drained_at_ms",
        ],
    ),
    ("streams", &["write_throttles", "expired"]),
    ("event_source_mappings", &["failed_invocations", "dropped_events", "iterator_age_ms.p99", "iterator_age_ms.max"]),
    (
        "dependencies",
        &["rejected", "timed_out", "in_service.max", "queued.max", "wait_ms.p99", "load_factor", "recovered_at_ms"],
    ),
    ("topics", &["failed", "dead_letters"]),
    ("event_buses", &["failed", "dead_letters"]),
    ("state_machines", &["failed", "timed_out", "duration_ms.p50", "duration_ms.p99"]),
    ("cost", &["total_usd"]),
];

/// Rows of a group at most.
const ROWS: usize = 40;

/// The results of several runs of one scenario.
pub fn render_replicas(format: Format, joined: &Joined, style: Style) -> String {
    match format {
        Format::Text => text(joined, style),
        Format::Json => json(&joined.to_json()),
        Format::Csv => csv(joined),
    }
}

/// `latency.csv` of several runs: their distributions, put together.
pub fn replicas_latency_csv(joined: &Joined) -> String {
    let mut table = Csv::new(["metric", "quantile", "value_ms", "count"]);
    for (metric, curve) in &joined.curves {
        for Rung { quantile, value, count } in curve.rungs() {
            table.row([metric.as_str(), &quantile.to_string(), &value.to_string(), &count.to_string()]);
        }
    }
    table.finish()
}

fn json(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("keys are strings");
    text.push('\n');
    text
}

fn csv(joined: &Joined) -> String {
    let mut table = Csv::new(["scenario", "metric", "mean", "low", "high", "standard_deviation", "min", "max", "runs"]);
    let some = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for (path, Estimate { mean, low, high, standard_deviation, min, max, runs }) in &joined.estimates {
        let cells = [some(Some(*mean)), some(*low), some(*high), some(*standard_deviation)];
        let [mean, low, high, deviation] = &cells;
        let (min, max, runs) = (min.to_string(), max.to_string(), runs.to_string());
        table.row([&joined.scenario.name, path, mean, low, high, deviation, &min, &max, &runs]);
    }
    table.finish()
}

/// What the runs say, in one sentence: `20 runs: all 2 expectations hold in every run.`
pub fn replicas_sentence(joined: &Joined) -> String {
    let runs = joined.runs() as u64;
    let mut text = match joined.expectations.iter().min_by_key(|judged| judged.passed_runs) {
        None => format!("{}.", plural(runs, "run", "runs")),
        Some(worst) if !worst.pass => {
            let Judged { expression, passed_runs, .. } = worst;
            format!("`{expression}` holds in {passed_runs} of {}.", plural(runs, "run", "runs"))
        }
        Some(_) if joined.expectations.len() == 1 => {
            format!("The expectation holds in {}.", plural(runs, "run", "runs"))
        }
        Some(_) => {
            let count = joined.expectations.len();
            format!("All {count} expectations hold in {}.", plural(runs, "run", "runs"))
        }
    };
    if !joined.conserved {
        text += " Conservation does not hold, which is an error of lambdasim: please report it.";
    }
    text
}

fn text(joined: &Joined, style: Style) -> String {
    let sentence = wrap(&replicas_sentence(joined), 2);
    let sentence = sentence.trim_end();
    let mut text = if joined.holds() { style.good(sentence) } else { style.bad(sentence) };
    text += "\n\n";
    let mut title = joined.scenario.name.clone();
    if let Some(description) = &joined.scenario.description {
        let _ = write!(title, ": {description}");
    }
    text += &wrap(&title, 2);
    let (first, last) = (joined.seeds[0], joined.seeds[joined.seeds.len() - 1]);
    text += &wrap(&format!("{}, seeds {first} to {last}", plural(joined.runs() as u64, "run", "runs")), 2);
    if !joined.scenario.overrides.is_empty() {
        text += &wrap(&format!("Changed with --set: {}", joined.scenario.overrides.join(", ")), 2);
    }
    if !joined.expectations.is_empty() {
        text.push('\n');
    }
    for Judged { expression, pass, passed_runs, .. } in &joined.expectations {
        let mark = if *pass { style.good("ok  ") } else { style.bad("FAIL") };
        let line = wrap(&format!("{expression}  (in {passed_runs} of {} runs)", joined.runs()), 6);
        let _ = write!(text, "{mark}  {line}");
    }
    text.push('\n');
    text += &table(joined, style);
    text.push('\n');
    text += &wrap(
        "Each number is the mean over the runs, with the interval that holds the true mean with the stated confidence, and the extremes of single runs.",
        0,
    );
    text
}

fn table(joined: &Joined, style: Style) -> String {
    let percent = joined.confidence.share() * 100.0;
    let header = ["mean".to_owned(), format!("{percent} % interval"), "lowest".to_owned(), "highest".to_owned()];
    let mut rows: Vec<(String, Option<[String; 4]>)> = vec![(String::new(), Some(header))];
    for (group, keys) in SHOWN {
        let mut shown = 0;
        for name in names(joined, group) {
            let prefix = if name.is_empty() { group.to_owned() } else { format!("{group}.{name}") };
            let of = keys.iter().filter_map(|key| {
                let estimate = joined.estimate(&format!("{prefix}.{key}"))?;
                let never = estimate.min == 0.0 && estimate.max == 0.0;
                (!never).then(|| (format!("  {key}"), Some(cells(unit(key), estimate))))
            });
            let of: Vec<_> = of.collect();
            if of.is_empty() {
                continue;
            }
            shown += of.len();
            if shown > ROWS {
                rows.push((format!("more {group} in the JSON"), None));
                break;
            }
            rows.push((prefix, None));
            rows.extend(of);
        }
    }
    lay_out(&rows, style)
}

/// The resources of a group, in the order of the file; the account and the cost have none.
fn names(joined: &Joined, group: &str) -> Vec<String> {
    if matches!(group, "account" | "cost") {
        return vec![String::new()];
    }
    let mut names: Vec<String> = Vec::new();
    for (path, _) in &joined.estimates {
        let name =
            path.strip_prefix(group).and_then(|rest| rest.strip_prefix('.')).and_then(|rest| rest.split('.').next());
        if let Some(name) = name.filter(|name| names.last().is_none_or(|last| last != name)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The unit that stands behind a number: dollars are in the name.
fn unit(key: &str) -> Unit {
    match Unit::of(key) {
        Unit::Usd => Unit::None,
        unit @ (Unit::None | Unit::Milliseconds | Unit::Bytes | Unit::Share) => unit,
    }
}

fn cells(unit: Unit, estimate: &Estimate) -> [String; 4] {
    let number = |value: f64| in_unit(value, unit, 3);
    let interval = estimate.low.zip(estimate.high).map_or_else(|| "-".to_owned(), |ends| interval(unit, ends));
    let mean = if estimate.mean.fract() == 0.0 { number(estimate.mean) } else { in_unit(estimate.mean, unit, 4) };
    [mean, interval, number(estimate.min), number(estimate.max)]
}

/// `421 to 469 ms`, with as many digits as it takes to tell the ends apart.
pub(super) fn interval(unit: Unit, (low, high): (f64, f64)) -> String {
    let ends = |digits: usize| (in_unit(low, unit, digits), in_unit(high, unit, digits));
    let (low, high) = (3..8).map(ends).find(|(low, high)| low != high).unwrap_or_else(|| ends(3));
    if low == high {
        return "exact".to_owned();
    }
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((low, unit)), Some((high, same))) if unit == same => format!("{low} to {high} {unit}"),
        _ => format!("{low} to {high}"),
    }
}

fn lay_out(rows: &[(String, Option<[String; 4]>)], style: Style) -> String {
    let width = |place: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| cells.as_ref());
        cells.map(|cells| cells[place].chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let cells_width: usize = widths.iter().map(|width| width + 2).sum();
    let names = rows.iter().filter(|(_, cells)| cells.is_some()).map(|(name, _)| name.chars().count()).max();
    let name_width = names.unwrap_or(0).min(WIDTH.saturating_sub(cells_width).max(20));
    let mut text = String::new();
    for (place, (name, cells)) in rows.iter().enumerate() {
        let Some(cells) = cells else {
            let _ = writeln!(text, "{}", style.heading(name));
            continue;
        };
        let mut line = format!("{:name_width$}", cut(name, name_width));
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(line, "  {cell:>width$}");
        }
        let line = line.trim_end();
        let _ = writeln!(text, "{}", if place == 0 { style.heading(line) } else { line.to_owned() });
    }
    text
}
