//! Asynchronous events in the report for people: what became of them, and how long they took.

use std::cmp::Reverse;

use super::bars::drawn;
use super::numbers::{count, plural, some_milliseconds};
use super::style::Style;
use super::table::Table;
use super::text::{and_more, most_relevant, note};
use crate::stats::summary::{AsynchronousSummary, Named, Summary};

/// The functions that received events.
fn with_events(summary: &Summary) -> Named<&AsynchronousSummary> {
    let rows = summary.functions.iter().map(|(name, function)| (name.to_owned(), &function.asynchronous));
    rows.filter(|(_, events)| events.async_events_received > 0).collect()
}

/// One row for each function with events, and what there is to say about their ends.
pub(super) fn events(summary: &Summary, style: Style) -> String {
    let functions = with_events(summary);
    if functions.is_empty() {
        return String::new();
    }
    let relevance = |events: &&AsynchronousSummary| {
        (events.lost, events.async_events_dropped, events.async_retries, events.async_events_received)
    };
    let (rows, more) = most_relevant(&functions, relevance);
    let header = ["Events", "received", "ok", "dropped", "waiting", "retries", "age p99", "p99", "max"];
    let mut table = Table::new(&header);
    for (name, events) in &rows {
        let latency = &events.async_latency_ms;
        let counts = [
            events.async_events_received,
            events.async_events_succeeded,
            events.async_events_dropped,
            events.async_events_pending,
            events.async_retries,
        ];
        let times = [events.async_event_age_ms.p99, latency.p99, latency.max];
        table.row(name, counts.map(count).into_iter().chain(times.map(some_milliseconds)));
    }
    let mut text = table.render(style) + &and_more(more, "functions");
    for (name, events) in &rows {
        text += &note(name, &notes(events));
    }
    text
}

/// How events ended that did not simply succeed, and who was told.
fn notes(events: &AsynchronousSummary) -> Vec<String> {
    let mut notes = Vec::new();
    if events.async_events_dropped > 0 {
        let lost = if events.lost > 0 { format!(", {} of them lost", count(events.lost)) } else { String::new() };
        notes.push(format!("{} dropped: {}{lost}", count(events.async_events_dropped), conditions(events)));
    }
    if events.async_throttle_retries > 0 {
        let dispatches = plural(events.async_throttle_retries, "dispatch", "dispatches");
        notes.push(format!("{dispatches} throttled or refused, and tried again"));
    }
    let deliveries = events.destination_deliveries;
    for (number, one, several) in [
        (events.dead_letters, "dead letter", "dead letters"),
        (deliveries.on_failure, "record sent on failure", "records sent on failure"),
        (deliveries.on_success, "record sent on success", "records sent on success"),
        (events.dead_letter_errors, "dead letter not delivered", "dead letters not delivered"),
        (events.destination_delivery_failures, "record not delivered", "records not delivered"),
    ] {
        if number > 0 {
            notes.push(plural(number, one, several));
        }
    }
    notes
}

/// `2 RetriesExhausted, 1 EventAgeExceeded`.
pub(super) fn conditions(events: &AsynchronousSummary) -> String {
    let conditions = events.async_events_dropped_by_condition.iter();
    let parts: Vec<_> = conditions.map(|(condition, number)| format!("{} {condition}", count(*number))).collect();
    parts.join(", ")
}

/// The latency of the busiest functions' events.
pub(super) fn latency(summary: &Summary, style: Style) -> String {
    let Named(mut busiest) = with_events(summary);
    busiest.retain(|(_, events)| events.async_latency_ms.count > 0);
    busiest.sort_by_key(|(_, events)| Reverse(events.async_events_received));
    let heading = |name: &str| format!("Latency of the events of {name}, acceptance to success");
    drawn(busiest.iter().map(|(name, events)| (heading(name), &events.async_latency_ms)), "every event took", style)
}
