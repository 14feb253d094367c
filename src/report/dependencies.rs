//! Dependencies in the report for people: what came of the requests, how long they waited, and how much more of them came
//! than submissions.

use super::numbers::{count, milliseconds, plural, short_share, significant, some_milliseconds};
use super::style::Style;
use super::table::Table;
use super::text::{and_more, most_relevant, note};
use crate::stats::summary::{DependencySummary, Named, Summary};

/// One row for each dependency that was asked, and what went wrong there.
pub(super) fn dependencies(summary: &Summary, style: Style) -> String {
    let rows = summary.dependencies.iter().map(|(name, dependency)| (name.to_owned(), dependency));
    let asked: Named<&DependencySummary> = rows.filter(|(_, dependency)| dependency.calls > 0).collect();
    if asked.is_empty() {
        return String::new();
    }
    let (rows, more) = most_relevant(&asked, |dependency| (lost(dependency), dependency.calls));
    let mut table =
        Table::new(&["Dependency", "calls", "lost", "load", "busy", "queued", "wait p99", "p50", "p99", "ok/s"]);
    for (name, dependency) in &rows {
        let DependencySummary { calls, load_factor, in_service, queued, wait_ms, latency_ms, goodput_per_s, .. } =
            dependency;
        let some = |value: &Option<f64>| value.map_or_else(|| "-".to_owned(), |value| significant(value, 3));
        table.row(
            name,
            [
                count(*calls),
                short_share(lost(dependency) as f64, *calls as f64),
                some(load_factor),
                some(&in_service.mean),
                queued.max.map_or_else(|| "-".to_owned(), count),
                some_milliseconds(wait_ms.p99),
                some_milliseconds(latency_ms.p50),
                some_milliseconds(latency_ms.p99),
                some(goodput_per_s),
            ],
        );
    }
    let mut text = table.render(style) + &and_more(more, "dependencies");
    for (name, dependency) in &rows {
        text += &note(name, &notes(dependency));
    }
    text
}

/// Requests that nobody got an answer to.
fn lost(dependency: &DependencySummary) -> u64 {
    dependency.rejected + dependency.timed_out + dependency.abandoned
}

fn notes(dependency: &DependencySummary) -> Vec<String> {
    let DependencySummary { rejected, timed_out, abandoned, connections, recovered_at_ms, .. } = dependency;
    let counted = [(rejected, "refused"), (timed_out, "timed out"), (abandoned, "abandoned with their run")];
    let mut notes: Vec<String> = counted
        .iter()
        .filter(|(number, _)| **number > 0)
        .map(|(number, what)| format!("{} {what}", count(**number)))
        .collect();
    if let Some(most) = connections.max.filter(|most| *most > 0) {
        notes.push(format!("at most {}", plural(most, "connection", "connections")));
    }
    match recovered_at_ms {
        None => notes.push("has not recovered before callers stopped".to_owned()),
        Some(at) if *at > 0.0 => notes.push(format!("no trouble after {}", milliseconds(*at))),
        Some(_) => {}
    }
    notes
}
