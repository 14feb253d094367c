//! The numbers that are shown of studies of several runs: of hundreds, those that people ask for.

use std::fmt::Write as _;

use super::WIDTH;
use super::numbers::cut;
use super::style::Style;
use crate::expect::Unit;

/// What is shown of each resource; all of it is in the JSON.
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

/// Resources of a group at most.
const RESOURCES: usize = 10;

/// One resource and what may be shown of it.
pub(super) struct Shown {
    /// `callers.shoppers`.
    pub(super) title: String,
    /// Keys below it.
    pub(super) keys: &'static [&'static str],
}

/// The resources that numbers belong to, group by group and in the order of the file.
pub(super) fn shown<'a>(paths: &(impl Iterator<Item = &'a str> + Clone)) -> Vec<Shown> {
    let mut all = Vec::new();
    for (group, keys) in SHOWN {
        if matches!(group, "account" | "cost") {
            all.push(Shown { title: group.to_owned(), keys });
            continue;
        }
        let name = |path: &'a str| path.strip_prefix(group)?.strip_prefix('.')?.split('.').next();
        let mut names: Vec<&str> = Vec::new();
        for name in paths.clone().filter_map(name) {
            if !names.contains(&name) && names.len() < RESOURCES {
                names.push(name);
            }
        }
        all.extend(names.iter().map(|name| Shown { title: format!("{group}.{name}"), keys }));
    }
    all
}

/// The unit that stands behind a number: dollars are in the name.
pub(super) fn unit(key: &str) -> Unit {
    match Unit::of(key) {
        Unit::Usd => Unit::None,
        unit @ (Unit::None | Unit::Milliseconds | Unit::Bytes | Unit::Share) => unit,
    }
}

/// Lines of a name and its cells; without cells it is a heading. The first one names the columns.
pub(super) fn lay_out<const N: usize>(rows: &[(String, Option<[String; N]>)], style: Style) -> String {
    let width = |place: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| cells.as_ref());
        cells.map(|cells| cells[place].chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
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
