//! Executions of state machines in the report for people: how they ended, how long they took, and what they cost.

use std::cmp::Reverse;

use super::bars::drawn;
use super::numbers::{count, dollars, plural, short_share, some_milliseconds};
use super::style::Style;
use super::table::Table;
use super::text::{and_more, most_relevant, note};
use super::verdict::{Mood, Verdict};
use crate::stats::summary::{StateMachineSummary, Summary};

/// Errors that are named of each machine, at most.
const ERRORS: usize = 3;

/// Executions that did not succeed.
const fn unsuccessful(machine: &StateMachineSummary) -> u64 {
    machine.failed + machine.timed_out
}

/// One row for each machine, and what there is to say about its executions.
pub(super) fn machines(summary: &Summary, style: Style) -> String {
    if summary.state_machines.is_empty() {
        return String::new();
    }
    let relevance =
        |machine: &StateMachineSummary| (unsuccessful(machine), machine.delayed_transitions, machine.executions);
    let (rows, more) = most_relevant(&summary.state_machines, relevance);
    let header = ["State machine", "runs", "failed", "transitions", "retries", "p50", "p99", "max", "USD"];
    let mut table = Table::new(&header);
    for (name, machine) in &rows {
        let ended = (machine.executions - machine.open()) as f64;
        let duration = &machine.duration_ms;
        let mut cells = vec![
            count(machine.executions),
            short_share(unsuccessful(machine) as f64, ended),
            count(machine.transitions),
            count(machine.retries),
        ];
        cells.extend([duration.p50, duration.p99, duration.max].map(some_milliseconds));
        cells.push(dollars(summary.cost.state_machines.get(name).map_or(0.0, |cost| cost.total_usd)));
        table.row(name, cells);
    }
    let mut text = table.render(style) + &and_more(more, "state machines");
    for (name, machine) in &rows {
        text += &note(name, &notes(machine));
    }
    text
}

fn notes(machine: &StateMachineSummary) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, words) in
        [(machine.failed, "failed"), (machine.timed_out, "timed out"), (machine.open(), "still open")]
    {
        if number > 0 {
            notes.push(format!("{} {words}", count(number)));
        }
    }
    if !machine.errors.is_empty() {
        notes.push(format!("errors: {}", errors(machine)));
    }
    if machine.delayed_transitions > 0 {
        let transitions = plural(machine.delayed_transitions, "transition", "transitions");
        notes.push(format!("{transitions} waited for the transition limit"));
    }
    notes
}

/// `2 Lambda.TooManyRequestsException, 1 CardDeclined`.
fn errors(machine: &StateMachineSummary) -> String {
    let rows = machine.errors.iter().take(ERRORS);
    let mut parts: Vec<_> = rows.map(|(error, number)| format!("{} {error}", count(*number))).collect();
    if machine.errors.len() > ERRORS {
        parts.push("others".to_owned());
    }
    parts.join(", ")
}

/// How long the executions of the busiest machines took.
pub(super) fn durations(summary: &Summary, style: Style) -> String {
    let mut busiest: Vec<_> =
        summary.state_machines.iter().filter(|(_, machine)| machine.duration_ms.count > 0).collect();
    busiest.sort_by_key(|(_, machine)| Reverse(machine.executions));
    let heading = |name: &str| format!("Duration of the executions of {name}, start to end");
    drawn(busiest.iter().map(|(name, machine)| (heading(name), &machine.duration_ms)), "every execution took", style)
}

/// What became of executions, if there are any.
pub(super) fn verdict(summary: &Summary) -> Option<Verdict> {
    let sum = |field: fn(&StateMachineSummary) -> u64| summary.state_machines.rows().map(field).sum::<u64>();
    let all = sum(|machine| machine.executions);
    if all == 0 {
        return None;
    }
    let executions = plural(all, "execution", "executions");
    let failed = sum(unsuccessful);
    if failed > 0 {
        let (name, worst) = summary.state_machines.iter().max_by_key(|(_, machine)| unsuccessful(machine))?;
        let text = format!("{} of {executions} did not succeed.", count(failed));
        let details = format!("Worst is {name}: {}.", errors(worst));
        return Some(Verdict { mood: Mood::Bad, text, details });
    }
    let open = sum(StateMachineSummary::open);
    if open > 0 {
        let text = format!("{} of {executions} had not ended.", count(open));
        return Some(Verdict { mood: Mood::Warning, text, details: String::new() });
    }
    let slowest = summary.state_machines.rows().filter_map(|machine| machine.duration_ms.p99);
    let slowest = some_milliseconds(slowest.reduce(f64::max));
    let delayed = sum(|machine| machine.delayed_transitions);
    let text = if all == 1 { "the execution succeeded".to_owned() } else { format!("all {executions} succeeded") };
    let details = if delayed > 0 {
        format!("{} waited for the transition limit.", plural(delayed, "state transition", "state transitions"))
    } else {
        String::new()
    };
    let mood = if delayed > 0 { Mood::Warning } else { Mood::Good };
    Some(Verdict { mood, text: format!("{text}, worst p99 {slowest}."), details })
}
