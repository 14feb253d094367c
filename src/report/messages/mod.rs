//! Queues and the mappings that poll them in the report for people: what became of the messages.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use crate::report::bars::{DRAWN, drawn};
use crate::report::numbers::{count, milliseconds, plural, significant, some_milliseconds};
use crate::report::style::Style;
use crate::report::table::Table;
use crate::report::text::{and_more, most_relevant, note};
use crate::report::verdict::{Mood, Verdict, capitalized};
use crate::stats::summary::{MappingSummary, Named, QueueRole, QueueSummary, SourceKind, Summary};

/// The queues that are more than a place for deliveries of functions, and that had messages.
fn in_use(summary: &Summary) -> Named<&QueueSummary> {
    let rows = summary.queues.iter().map(|(name, queue)| (name.to_owned(), queue));
    let used = |queue: &QueueSummary| queue.sent + queue.moved_in + queue.received > 0 || queue.left() > 0;
    rows.filter(|(_, queue)| queue.role != QueueRole::Delivered && used(queue)).collect()
}

/// One row for each queue, and what there is to say about its messages.
pub(in crate::report) fn queues(summary: &Summary, style: Style) -> String {
    let queues = in_use(summary);
    if queues.is_empty() {
        return String::new();
    }
    let relevance = |queue: &&QueueSummary| {
        (queue.moved_to_dlq_without_invocation, queue.expired, queue.moved_to_dlq, queue.left(), queue.sent)
    };
    let (rows, more) = most_relevant(&queues, relevance);
    let header = ["Queue", "in", "received", "deleted", "dead", "never ran", "left", "oldest", "empty at"];
    let mut table = Table::new(&header);
    for (name, queue) in &rows {
        let counts = [
            queue.sent + queue.moved_in,
            queue.received,
            queue.deleted,
            queue.moved_to_dlq,
            queue.moved_to_dlq_without_invocation,
            queue.left(),
        ];
        let times = [queue.approximate_age_of_oldest_message_ms.max, queue.drained_at_ms];
        table.row(name, counts.map(count).into_iter().chain(times.map(some_milliseconds)));
    }
    let mut text = table.render(style) + &and_more(more, "queues");
    for (name, queue) in &rows {
        text += &note(name, &queue_notes(queue));
    }
    text
}

fn queue_notes(queue: &QueueSummary) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, one, several) in [
        (queue.moved_in, "message came from another queue", "messages came from another queue"),
        (queue.expired, "message expired", "messages expired"),
        (queue.deduplicated, "repetition dropped", "repetitions dropped"),
        (
            queue.duplicate_deliveries,
            "run was of a message that had run before",
            "runs were of messages that had run before",
        ),
    ] {
        if number > 0 {
            notes.push(plural(number, one, several));
        }
    }
    if queue.noisy_groups > 0 {
        let groups = plural(queue.noisy_groups, "message group was noisy", "message groups were noisy");
        let age = some_milliseconds(queue.approximate_age_of_oldest_message_in_quiet_groups_ms.max);
        notes.push(format!("{groups}, oldest message of the quiet ones {age}"));
    }
    if let Some(most) = queue.receives_per_message.max.filter(|most| *most > 1) {
        notes.push(format!("received up to {} times", count(most)));
    }
    notes
}

/// One row for each mapping of a queue.
pub(in crate::report) fn mappings(summary: &Summary, style: Style) -> String {
    let rows = summary.event_source_mappings.iter().map(|(name, mapping)| (name.to_owned(), mapping));
    let polls = |mapping: &MappingSummary| mapping.kind == SourceKind::Queue && mapping.polls + mapping.batches > 0;
    let polling: Named<&MappingSummary> = rows.filter(|(_, mapping)| polls(mapping)).collect();
    if polling.is_empty() {
        return String::new();
    }
    let relevance = |mapping: &&MappingSummary| (mapping.throttles, mapping.failed_invocations, mapping.batches);
    let (rows, more) = most_relevant(&polling, relevance);
    let header = ["Mapping", "batches", "size", "runs", "failed", "throttles", "running", "pollers", "polls", "empty"];
    let mut table = Table::new(&header);
    for (name, mapping) in &rows {
        let level = |level: Option<u64>| count(level.unwrap_or(0));
        table.row(
            name,
            [
                count(mapping.batches),
                mapping.batch_size.mean.map_or_else(|| "-".to_owned(), |mean| significant(mean, 2)),
                count(mapping.invocations),
                count(mapping.failed_invocations),
                count(mapping.throttles),
                level(mapping.concurrent_invocations.max),
                level(mapping.pollers.max),
                count(mapping.polls),
                count(mapping.empty_polls),
            ],
        );
    }
    let mut text = table.render(style) + &and_more(more, "mappings");
    for (name, mapping) in &rows {
        let mut notes = Vec::new();
        if mapping.filtered_out_events > 0 {
            let messages = plural(mapping.filtered_out_events, "message", "messages");
            notes.push(format!("{messages} filtered out and deleted"));
        }
        text += &note(name, &notes);
    }
    text
}

/// How long messages of the busiest queues took.
pub(in crate::report) fn latency(summary: &Summary, style: Style) -> String {
    let Named(mut busiest) = in_use(summary);
    busiest.retain(|(_, queue)| queue.time_to_delete_ms.count > 0);
    busiest.sort_by_key(|(_, queue)| Reverse(queue.deleted));
    let heading = |name: &str| format!("Time of messages in {name}, from send to delete");
    let times = busiest.iter().map(|(name, queue)| (heading(name), &queue.time_to_delete_ms));
    drawn(times, "every message took", style)
}

/// Whether all that callers did was to send messages, and every send was accepted at once.
pub(in crate::report) fn only_sends(summary: &Summary) -> bool {
    summary.callers.rows().all(|caller| caller.sends && caller.succeeded == caller.attempts)
}

/// `80 messages`; none where no queue is more than a place for deliveries.
pub(in crate::report) fn load(summary: &Summary) -> Option<String> {
    let queues = in_use(summary);
    let sent: u64 = queues.rows().map(|queue| queue.sent).sum();
    let p99 = |queue: &&QueueSummary| queue.time_to_delete_ms.p99;
    let worst = queues.rows().filter_map(p99).max_by(f64::total_cmp);
    let worst = worst.map(|p99| format!(", p99 from send to delete {}", milliseconds(p99))).unwrap_or_default();
    (!queues.is_empty()).then(|| format!("{}{worst}", plural(sent, "message", "messages")))
}

/// What became of the messages, beginning in lower case; none without messages.
pub(in crate::report) fn verdict(summary: &Summary) -> Option<Verdict> {
    let queues = in_use(summary);
    let sum = |field: fn(&QueueSummary) -> u64| queues.rows().map(|queue| field(queue)).sum::<u64>();
    let sent = sum(|queue| queue.sent);
    let of = |number: u64| format!("{} of {}", count(number), plural(sent, "message", "messages"));
    let were = |number: u64| if number == 1 { "was" } else { "were" };
    let load = load(summary)?;
    let (dead, never_ran) = (sum(|queue| queue.moved_to_dlq), sum(|queue| queue.moved_to_dlq_without_invocation));
    if never_ran > 0 {
        let text = format!("{} {} dead-lettered without any invocation.", of(never_ran), were(never_ran));
        let others = plural(dead - never_ran, "other was dead-lettered", "others were dead-lettered");
        let others = if dead > never_ran { format!(" {others} after they had run.") } else { String::new() };
        let details = throttled(summary).unwrap_or_default() + &others;
        return Some(Verdict { mood: Mood::Bad, text, details: details.trim().to_owned() });
    }
    let expired = sum(|queue| queue.expired);
    if expired > 0 {
        let text = format!("{} expired: nobody deleted them within the retention of their queue.", of(expired));
        return Some(Verdict { mood: Mood::Bad, text, details: in_words(&queues, |queue| queue.expired, "in") });
    }
    if dead > 0 {
        let text = format!("{} {} dead-lettered.", of(dead), were(dead));
        let details = in_words(&queues, |queue| queue.moved_to_dlq, "from");
        return Some(Verdict { mood: Mood::Warning, text, details });
    }
    let left = |queue: &QueueSummary| if queue.role == QueueRole::Polled { queue.left() } else { 0 };
    if sum(left) > 0 {
        let text = format!("{} {} still in a queue at the end.", of(sum(left)), were(sum(left)));
        return Some(Verdict { mood: Mood::Warning, text, details: in_words(&queues, left, "in") });
    }
    let drained = queues.rows().filter_map(|queue| queue.drained_at_ms).max_by(f64::total_cmp);
    let drained = drained.map(|at| format!("; the last was gone at {}", milliseconds(at))).unwrap_or_default();
    let duplicates = sum(|queue| queue.duplicate_deliveries);
    if duplicates > 0 {
        let runs = plural(duplicates, "run was", "runs were");
        let text = format!("no message was lost, but {runs} of messages that had run before.");
        return Some(Verdict { mood: Mood::Warning, text, details: format!("{}{drained}.", capitalized(&load)) });
    }
    if let Some(throttled) = throttled(summary) {
        let text = "no message was lost, but attempts to invoke were throttled.".to_owned();
        let details = format!("{throttled} {}{drained}.", capitalized(&load));
        return Some(Verdict { mood: Mood::Warning, text, details });
    }
    let text = format!("{load}{drained}.");
    Some(Verdict { mood: Mood::Good, text, details: String::new() })
}

/// The mapping that was throttled most.
fn throttled(summary: &Summary) -> Option<String> {
    let of_queues = summary.event_source_mappings.iter().filter(|(_, mapping)| mapping.kind == SourceKind::Queue);
    let (name, mapping) = of_queues.min_by_key(|(_, mapping)| Reverse(mapping.throttles))?;
    let attempts = plural(mapping.throttles, "attempt", "attempts");
    let queue = &mapping.source;
    (mapping.throttles > 0).then(|| format!("{name} took messages from {queue} and was throttled at {attempts}."))
}

/// `12 from orders, 3 from bills.`
fn in_words(queues: &Named<&QueueSummary>, number: impl Fn(&QueueSummary) -> u64, verb: &str) -> String {
    let mut rows: Vec<_> = queues.iter().map(|(name, queue)| (number(queue), name)).collect();
    rows.retain(|(number, _)| *number > 0);
    rows.sort_by_key(|(number, _)| Reverse(*number));
    rows.truncate(DRAWN);
    let parts: Vec<_> = rows.into_iter().map(|(number, name)| format!("{} {verb} {name}", count(number))).collect();
    parts.join(", ") + "."
}

/// Whether messages are left that somebody reads.
pub(in crate::report) fn waiting(summary: &Summary) -> bool {
    summary.queues.rows().any(|queue| queue.role == QueueRole::Polled && queue.left() > 0)
}

/// Whether messages were in queues of which conservation is worth a line.
pub(in crate::report) fn flows(summary: &Summary) -> bool {
    !in_use(summary).is_empty()
}
