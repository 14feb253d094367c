//! Streams, brokers and the mappings that read them in the report for people: what became of the records, how old they
//! were, and how far the readers have come.

#[cfg(test)]
mod tests;
mod verdict;

pub(super) use verdict::verdict;

use std::cmp::Reverse;

use super::bars::drawn;
use super::numbers::{count, milliseconds, plural, short_share, significant, some_milliseconds};
use super::style::Style;
use super::table::Table;
use super::text::{and_more, most_relevant, note};
use crate::stats::summary::{BrokerSummary, MappingSummary, Named, SourceKind, StreamSummary, Summary};

/// The mappings that read something else than a queue, and that had something to do.
fn reading(summary: &Summary) -> Named<&MappingSummary> {
    let rows = summary.event_source_mappings.iter().map(|(name, mapping)| (name.to_owned(), mapping));
    let works = |mapping: &MappingSummary| mapping.polls + mapping.batches + mapping.polled_events > 0;
    rows.filter(|(_, mapping)| mapping.kind != SourceKind::Queue && works(mapping)).collect()
}

/// The streams that were written to.
fn written(summary: &Summary) -> Named<&StreamSummary> {
    let rows = summary.streams.iter().map(|(name, stream)| (name.to_owned(), stream));
    rows.filter(|(_, stream)| stream.put_records + stream.write_throttles > 0).collect()
}

/// The brokers that had messages.
fn used(summary: &Summary) -> Named<&BrokerSummary> {
    let rows = summary.brokers.iter().map(|(name, broker)| (name.to_owned(), broker));
    rows.filter(|(_, broker)| broker.received + broker.failed + broker.dead_letters > 0).collect()
}

/// Records of a stream that a reader has still to handle.
fn left_in(summary: &Summary, stream: &str) -> u64 {
    summary.conservation.streams.get(stream).map_or(0, |flow| flow.left)
}

fn left_at(summary: &Summary, broker: &str) -> u64 {
    summary.conservation.brokers.get(broker).map_or(0, |flow| flow.left)
}

/// Records and messages that somebody has still to handle at the end.
pub(super) fn waiting(summary: &Summary) -> u64 {
    let streams = summary.streams.iter().filter(|(_, stream)| stream.is_read);
    let brokers = summary.brokers.iter().filter(|(_, broker)| broker.is_read);
    let in_streams: u64 = streams.map(|(name, _)| left_in(summary, name)).sum();
    in_streams + brokers.map(|(name, _)| left_at(summary, name)).sum::<u64>()
}

/// One row for each stream.
pub(super) fn streams(summary: &Summary, style: Style) -> String {
    let streams = written(summary);
    if streams.is_empty() {
        return String::new();
    }
    let relevance = |stream: &&StreamSummary| (stream.expired, stream.write_throttles, stream.put_records);
    let (rows, more) = most_relevant(&streams, relevance);
    let mut table = Table::new(&["Stream", "records", "throttled", "expired", "left", "shards", "busiest"]);
    for (name, stream) in &rows {
        let busiest = stream.shards.iter().map(|shard| shard.records).max().unwrap_or(0);
        let left = if stream.is_read { count(left_in(summary, name)) } else { "-".to_owned() };
        table.row(
            name,
            [
                count(stream.put_records),
                count(stream.write_throttles),
                count(stream.expired),
                left,
                count(u64::from(stream.open)),
                short_share(busiest as f64, stream.put_records as f64),
            ],
        );
    }
    let mut text = table.render(style) + &and_more(more, "streams");
    for (name, stream) in &rows {
        text += &note(name, &stream_notes(stream));
    }
    text
}

fn stream_notes(stream: &StreamSummary) -> Vec<String> {
    let shards = stream.shards.iter().enumerate();
    let Some((number, shard)) = shards.min_by_key(|(_, shard)| Reverse(shard.write_throttles)) else {
        return Vec::new();
    };
    if shard.write_throttles == 0 || stream.shards.len() == 1 {
        return Vec::new();
    }
    vec![format!("shard {number} refused {} of the throttled puts", count(shard.write_throttles))]
}

/// One row for each broker.
pub(super) fn brokers(summary: &Summary, style: Style) -> String {
    let brokers = used(summary);
    if brokers.is_empty() {
        return String::new();
    }
    let relevance = |broker: &&BrokerSummary| (broker.failed, broker.dead_letters, broker.received);
    let (rows, more) = most_relevant(&brokers, relevance);
    let mut table = Table::new(&["Broker", "received", "delivered", "retries", "failed", "dead letters", "left"]);
    for (name, broker) in &rows {
        let BrokerSummary { received, delivered, retries, failed, dead_letters, is_read: _ } = ***broker;
        table.row(name, [received, delivered, retries, failed, dead_letters, left_at(summary, name)].map(count));
    }
    table.render(style) + &and_more(more, "brokers")
}

/// One row for each mapping that reads.
pub(super) fn readers(summary: &Summary, style: Style) -> String {
    let readers = reading(summary);
    if readers.is_empty() {
        return String::new();
    }
    let relevance = |reader: &&MappingSummary| (lost(reader), reader.failed_invocations, reader.batches);
    let (rows, more) = most_relevant(&readers, relevance);
    let mut table =
        Table::new(&["Reader", "batches", "runs", "failed", "retries", "dropped", "left", "age p99", "age max"]);
    for (name, reader) in &rows {
        let left = summary.conservation.event_source_mappings.get(name).map_or(0, |flow| flow.left);
        let counts = [
            reader.batches,
            reader.invocations,
            reader.failed_invocations,
            reader.retries,
            reader.dropped_events + reader.oversized_records,
            left,
        ];
        let age = &reader.iterator_age_ms;
        table.row(name, counts.map(count).into_iter().chain([age.p99, age.max].map(some_milliseconds)));
    }
    let mut text = table.render(style) + &and_more(more, "mappings");
    for (name, reader) in &rows {
        text += &note(name, &reader_notes(reader));
    }
    text
}

/// Records that a reader did not handle, and that nobody has.
fn lost(reader: &MappingSummary) -> u64 {
    reader.dropped_events + reader.oversized_records + reader.discards.expired
}

fn reader_notes(reader: &MappingSummary) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(mean) = reader.batch_size.mean {
        let running = plural(reader.concurrent_invocations.max.unwrap_or(0), "batch", "batches");
        notes.push(format!("{} records a batch, up to {running} at once", significant(mean, 2)));
    }
    if !reader.discards.by_condition.is_empty() {
        notes.push(format!("discarded: {}", conditions(reader)));
    }
    for (number, one, several) in [
        (reader.on_failure_deliveries, "record is told of on failure", "records are told of on failure"),
        (reader.destination_delivery_failures, "notice on failure was refused", "notices on failure were refused"),
        (reader.discards.expired, "record expired", "records expired"),
        (reader.oversized_records, "record was too large", "records were too large"),
        (reader.filtered_out_events, "record filtered out", "records filtered out"),
        (reader.bisections, "batch split in two", "batches split in two"),
        (reader.throttles, "attempt to invoke throttled", "attempts to invoke throttled"),
        (reader.read_throttles, "read refused", "reads refused"),
    ] {
        if number > 0 {
            notes.push(plural(number, one, several));
        }
    }
    notes.extend(lag(reader));
    notes.extend(oldest_shard(reader));
    notes
}

/// `25 RetryAttemptsExhausted, 1 RecordAgeExceeded`.
fn conditions(reader: &MappingSummary) -> String {
    let conditions = reader.discards.by_condition.iter();
    let parts: Vec<_> = conditions.map(|(condition, number)| format!("{} {condition}", count(*number))).collect();
    parts.join(", ")
}

fn lag(reader: &MappingSummary) -> Option<String> {
    let lag = reader.offset_lag.as_ref()?;
    let most = lag.max.filter(|most| *most > 0)?;
    Some(format!("offset lag {} on average, {} at most", significant(lag.mean.unwrap_or(0.0), 2), count(most)))
}

/// The shard whose records got oldest, where others did far better.
fn oldest_shard(reader: &MappingSummary) -> Option<String> {
    let ages = reader.shards.as_ref()?.iter().enumerate();
    let mut ages: Vec<_> = ages.filter_map(|(shard, ages)| Some((ages.iterator_age_ms.max?, shard))).collect();
    ages.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let [(oldest, shard), (second, _), ..] = ages[..] else { return None };
    let apart = oldest > 2.0 * second;
    apart.then(|| format!("records of shard {shard} got oldest, those of the others {}", milliseconds(second)))
}

/// How old the records were that the busiest readers sent.
pub(super) fn ages(summary: &Summary, style: Style) -> String {
    let Named(mut busiest) = reading(summary);
    busiest.retain(|(_, reader)| reader.iterator_age_ms.count > 0);
    busiest.sort_by_key(|(_, reader)| Reverse(reader.invoked_events));
    let heading = |name: &str, reader: &MappingSummary| {
        let moment =
            if reader.kind == SourceKind::DocumentDb { "when a batch is done" } else { "when a batch is sent" };
        format!("Age of the last record from {}, {moment} by {name}", reader.source)
    };
    let times = busiest.iter().map(|(name, reader)| (heading(name, reader), &reader.iterator_age_ms));
    drawn(times, "it was always", style)
}
