//! Scenarios in which next to nothing is written, as the simulation reads them.

use std::path::Path;

use crate::aws::config::{Caller, System};
use crate::scenario;

/// What a scenario sets that has these lines, a function `f` and a queue `q`; `None` where it is refused.
pub(super) fn try_system(lines: &str) -> Option<System> {
    let queues = if lines.contains("queues:") { "" } else { "queues: { q: {} }\n" };
    let text = format!("name: catalogue\nduration: 1s\nfunctions: {{ f: {{ duration: 0s }} }}\n{queues}{lines}\n");
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
