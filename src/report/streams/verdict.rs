//! What became of the records of streams and the messages of brokers, in a sentence.

use std::cmp::Reverse;

use super::{conditions, left_at, left_in, lost, reading, used, waiting, written};
use crate::report::bars::DRAWN;
use crate::report::numbers::{count, milliseconds, plural};
use crate::report::verdict::{Mood, Verdict, capitalized};
use crate::stats::summary::{MappingSummary, Summary};

/// `1,000 records, up to 1.2 s old when sent`; none where nothing was written.
fn load(summary: &Summary) -> Option<String> {
    let (streams, brokers) = (written(summary), used(summary));
    let records: u64 = streams.rows().map(|stream| stream.put_records).sum();
    let messages: u64 = brokers.rows().map(|broker| broker.received).sum();
    let age = reading(summary).rows().filter_map(|reader| reader.iterator_age_ms.max).max_by(f64::total_cmp);
    let age = age.map(|age| format!(", up to {} old when sent", milliseconds(age))).unwrap_or_default();
    let parts = [(streams.is_empty(), records, "record"), (brokers.is_empty(), messages, "broker message")];
    let parts: Vec<_> = parts.into_iter().filter(|(none, ..)| !none).collect();
    let words = parts.into_iter().map(|(_, number, one)| plural(number, one, &format!("{one}s")));
    let words: Vec<_> = words.collect();
    (!words.is_empty()).then(|| format!("{}{age}", words.join(" and ")))
}

/// What became of the records, beginning in lower case; none without records.
pub(in crate::report) fn verdict(summary: &Summary) -> Option<Verdict> {
    let load = load(summary)?;
    let bad = gone(summary).map(|(text, details)| Verdict { mood: Mood::Bad, text, details });
    let warning = || aside(summary, &load).map(|(text, details)| Verdict { mood: Mood::Warning, text, details });
    let good = || Verdict { mood: Mood::Good, text: format!("{load}."), details: String::new() };
    let Verdict { mood, text, details } = bad.or_else(warning).unwrap_or_else(good);
    let details = [details, endless(summary)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Some(Verdict { mood, text, details })
}

/// Who holds records that nothing would end.
fn endless(summary: &Summary) -> String {
    let readers = reading(summary);
    let names: Vec<_> =
        readers.iter().filter(|(_, reader)| !reader.awaited).map(|(name, _)| name).take(DRAWN).collect();
    let names = names.join(", ");
    if names.is_empty() {
        return names;
    }
    format!(
        "By {names}: what is left failed so often in a row that nothing would end it, and the run did not wait for it."
    )
}

fn were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// All records and messages.
fn all(summary: &Summary) -> u64 {
    let records: u64 = summary.streams.rows().map(|stream| stream.put_records).sum();
    records + summary.brokers.rows().map(|broker| broker.received).sum::<u64>()
}

fn of_all(summary: &Summary, number: u64) -> String {
    format!("{} of {}", count(number), plural(all(summary), "record", "records"))
}

fn sum(summary: &Summary, field: fn(&MappingSummary) -> u64) -> u64 {
    reading(summary).rows().map(|reader| field(reader)).sum()
}

/// Records that nobody handled and nobody has.
fn gone(summary: &Summary) -> Option<(String, String)> {
    let dropped = sum(summary, |reader| reader.dropped_events + reader.oversized_records);
    let expired = sum(summary, |reader| reader.discards.expired);
    let failed: u64 = summary.brokers.rows().map(|broker| broker.failed).sum();
    if dropped > 0 {
        let text = format!("{} {} dropped, and nobody was told.", of_all(summary, dropped), were(dropped));
        return Some((text, by_reader(summary) + &refused(summary)));
    }
    if expired > 0 {
        let text = format!("{} expired before a run with them succeeded.", of_all(summary, expired));
        return Some((text, by_reader(summary)));
    }
    (failed > 0).then(|| (format!("{} {} lost at a broker.", of_all(summary, failed), were(failed)), String::new()))
}

/// Notices that did not arrive.
fn refused(summary: &Summary) -> String {
    let refused = sum(summary, |reader| reader.destination_delivery_failures);
    let notices = plural(refused, "notice", "notices");
    if refused > 0 { format!(" The on-failure destination refused {notices}.") } else { String::new() }
}

/// `By orders: 25 RetryAttemptsExhausted, 3 expired.`
fn by_reader(summary: &Summary) -> String {
    let mut readers = reading(summary).0;
    readers.retain(|(_, reader)| lost(reader) > 0);
    readers.sort_by_key(|(_, reader)| Reverse(lost(reader)));
    readers.truncate(DRAWN);
    let words = readers.iter().map(|(name, reader)| {
        let mut parts = vec![conditions(reader)];
        for (number, what) in [(reader.oversized_records, "too large"), (reader.discards.expired, "expired")] {
            parts.push(if number > 0 { format!("{} {what}", count(number)) } else { String::new() });
        }
        parts.retain(|part| !part.is_empty());
        format!("By {name}: {}.", parts.join(", "))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What deserves a look.
fn aside(summary: &Summary, load: &str) -> Option<(String, String)> {
    let told = sum(summary, |reader| reader.on_failure_deliveries);
    let dead: u64 = summary.brokers.rows().map(|broker| broker.dead_letters).sum();
    let load = format!("{}.", capitalized(load));
    if told > 0 {
        let text = format!("{} {} discarded; an on-failure destination was told.", of_all(summary, told), were(told));
        let readers = reading(summary);
        let discards = |(_, reader): &(&str, &&MappingSummary)| !reader.discards.by_condition.is_empty();
        let words = readers.iter().filter(discards).take(DRAWN);
        let words: Vec<_> = words.map(|(name, reader)| format!("By {name}: {}.", conditions(reader))).collect();
        return Some((text, words.join(" ")));
    }
    if dead > 0 {
        return Some((format!("{} {} dead-lettered by a broker.", of_all(summary, dead), were(dead)), load));
    }
    let left = waiting(summary);
    if left > 0 {
        return Some((
            format!("{} {} still to be handled at the end.", plural(left, "record", "records"), were(left)),
            behind(summary),
        ));
    }
    let throttled: u64 = summary.streams.rows().map(|stream| stream.write_throttles).sum();
    // What failed for good is said of the callers.
    if throttled > 0 && summary.callers.rows().all(|caller| caller.failed == 0) {
        let puts = plural(throttled, "put was", "puts were");
        return Some((format!("no record was lost, but {puts} throttled and sent again."), load));
    }
    let retries = sum(summary, |reader| reader.retries);
    if retries > 0 {
        let times = plural(retries, "time", "times");
        let why = if sum(summary, |reader| reader.throttles) > 0 { "were throttled or failed" } else { "failed" };
        return Some((format!("no record was lost, but batches {why} and were sent again ({times})."), load));
    }
    None
}

/// `12 in clicks, 3 at orders.`
fn behind(summary: &Summary) -> String {
    let streams = summary.streams.iter().filter(|(_, stream)| stream.is_read);
    let brokers = summary.brokers.iter().filter(|(_, broker)| broker.is_read);
    let streams = streams.map(|(name, _)| (left_in(summary, name), "in", name));
    let brokers = brokers.map(|(name, _)| (left_at(summary, name), "at", name));
    let mut rows: Vec<_> = streams.chain(brokers).filter(|(left, ..)| *left > 0).collect();
    rows.sort_by_key(|(left, ..)| Reverse(*left));
    rows.truncate(DRAWN);
    let parts: Vec<_> = rows.into_iter().map(|(left, verb, name)| format!("{} {verb} {name}", count(left))).collect();
    let age = reading(summary).rows().filter_map(|reader| reader.iterator_age_ms.max).max_by(f64::total_cmp);
    let age = age.map(|age| format!("; batches were up to {} old when sent", milliseconds(age))).unwrap_or_default();
    format!("{}{age}.", parts.join(", "))
}
