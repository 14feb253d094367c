//! Scenarios in which next to nothing is written, as the simulation reads them.

use std::path::Path;

use crate::aws::config::{Caller, System};
use crate::scenario;

/// What a scenario sets that has these lines, a function `f` and a queue `q` where they say nothing of functions and queues;
/// `None` where it is refused.
pub(super) fn try_system(lines: &str) -> Option<System> {
    let has = |group: &str| lines.lines().any(|line| line.starts_with(group));
    let queues = if has("queues:") { "" } else { "queues: { q: {} }\n" };
    let functions = if has("functions:") { "" } else { "functions: { f: { duration: 0s } }\n" };
    let text = format!("name: catalogue\nduration: 1s\n{functions}{queues}{lines}\n");
    let loaded = scenario::parse("catalogue", text.as_bytes(), Path::new(""), &[]).ok()?;
    Some(loaded.scenario.system)
}

/// The same of lines that are accepted.
pub(super) fn system(lines: &str) -> System {
    try_system(lines).unwrap_or_else(|| panic!("AWS's own defaults are refused: {lines}"))
}

/// A caller of `f` with these settings.
pub(super) fn caller(settings: &str) -> Caller {
    first_caller(&system(&caller_lines(settings)))
}

/// Whether a caller of `f` may have these settings.
pub(super) fn caller_may_have(settings: &str) -> bool {
    try_system(&caller_lines(settings)).is_some()
}

fn caller_lines(settings: &str) -> String {
    format!("callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, {settings} }} }}")
}

fn first_caller(system: &System) -> Caller {
    system.callers.rows()[0].clone()
}
