//! Topics, event buses and buckets in the report for people: what they passed on, and what was delivered elsewhere.

use std::cmp::Reverse;

use super::numbers::{count, plural};
use super::style::Style;
use super::table::Table;
use super::text::{ROWS, and_more};
use super::verdict::{Mood, Verdict};
use crate::stats::summary::{PlaceSummary, QueueRole, QueueSummary, Summary};

/// Kind, name and figures of all places.
fn all(summary: &Summary) -> impl Iterator<Item = (&'static str, &str, &PlaceSummary)> {
    let kinds = [("topic", &summary.topics), ("event bus", &summary.event_buses), ("bucket", &summary.buckets)];
    kinds.into_iter().flat_map(|(kind, places)| places.iter().map(move |(name, place)| (kind, name, place)))
}

/// Places that pass something on and received something.
fn in_use(summary: &Summary) -> impl Iterator<Item = (&'static str, &str, &PlaceSummary)> {
    all(summary).filter(|(.., place)| place.passes_on && place.received > 0)
}

/// What places that pass on received, and what became of it.
pub(super) fn passed_on(summary: &Summary, style: Style) -> String {
    let mut rows: Vec<_> = in_use(summary).collect();
    if rows.is_empty() {
        return String::new();
    }
    let more = rows.len().saturating_sub(ROWS);
    rows.sort_by_key(|(.., place)| (Reverse(place.failed), Reverse(place.received)));
    rows.truncate(ROWS);
    let header = ["Passed on by", "received", "delivered", "waiting", "retries", "failed", "dead", "kind"];
    let mut table = Table::new(&header).words_last();
    for (kind, name, place) in rows {
        let PlaceSummary { received, delivered, retries, failed, dead_letters, waiting, .. } = *place;
        let counts = [received, delivered, waiting, retries, failed, dead_letters].map(count);
        table.row(name, counts.into_iter().chain([kind.to_owned()]));
    }
    table.render(style) + &and_more(more, "rows")
}

/// What queues, topics, event buses and buckets received where nobody reads it.
pub(super) fn delivered_to(summary: &Summary, style: Style) -> String {
    let delivered = |queue: &QueueSummary| queue.role == QueueRole::Delivered && queue.sent > 0;
    let queues = summary.queues.iter().filter(|(_, queue)| delivered(queue));
    let mut rows: Vec<_> = queues.map(|(name, queue)| (queue.sent, name, "queue")).collect();
    let ends = all(summary).filter(|(.., place)| !place.passes_on && place.received > 0);
    rows.extend(ends.map(|(kind, name, place)| (place.received, name, kind)));
    if rows.is_empty() {
        return String::new();
    }
    rows.sort_by_key(|(received, ..)| Reverse(*received));
    let more = rows.len().saturating_sub(ROWS);
    let mut table = Table::new(&["Delivered to", "received", "kind"]).words_last();
    for (received, name, kind) in rows.into_iter().take(ROWS) {
        table.row(name, [count(received), kind.to_owned()]);
    }
    table.render(style) + &and_more(more, "rows")
}

/// Whether deliveries waited at the end.
pub(super) fn waiting(summary: &Summary) -> bool {
    in_use(summary).any(|(.., place)| place.waiting > 0)
}

/// What became of the deliveries, beginning in lower case; none without deliveries.
pub(super) fn verdict(summary: &Summary) -> Option<Verdict> {
    let sum = |field: fn(&PlaceSummary) -> u64| in_use(summary).map(|(.., place)| field(place)).sum::<u64>();
    in_use(summary).next()?;
    let (delivered, failed, waiting) =
        (sum(|place| place.delivered), sum(|place| place.failed), sum(|place| place.waiting));
    let all = delivered + failed + waiting;
    let of = |number: u64| format!("{} of {}", count(number), plural(all, "delivery", "deliveries"));
    let were = |number: u64| if number == 1 { "was" } else { "were" };
    let by = |number: fn(&PlaceSummary) -> u64| {
        let rows = in_use(summary).map(|(_, name, place)| (number(place), name)).filter(|(number, _)| *number > 0);
        let parts: Vec<_> = rows.take(ROWS).map(|(number, name)| format!("{} by {name}", count(number))).collect();
        parts.join(", ") + "."
    };
    let verdict = |mood, text, details| Some(Verdict { mood, text, details });
    let lost = sum(|place| place.failed - place.dead_letters);
    if lost > 0 {
        let text = format!("{} {} given up and lost.", of(lost), were(lost));
        return verdict(Mood::Bad, text, by(|place| place.failed - place.dead_letters));
    }
    if failed > 0 {
        let text =
            format!("{} {} given up; dead-letter queues keep what was to be delivered.", of(failed), were(failed));
        return verdict(Mood::Warning, text, by(|place| place.failed));
    }
    if waiting > 0 {
        let text =
            format!("{} still {} for a retry at the end.", of(waiting), if waiting == 1 { "waits" } else { "wait" });
        return verdict(Mood::Warning, text, by(|place| place.waiting));
    }
    let retries = sum(|place| place.retries);
    if retries > 0 {
        let text = format!("no delivery was lost, but {} refused and tried again.", plural(retries, "was", "were"));
        return verdict(Mood::Warning, text, by(|place| place.retries));
    }
    verdict(Mood::Good, format!("{}.", plural(delivered, "delivery", "deliveries")), String::new())
}
