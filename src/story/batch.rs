//! The steps of batches of streams, topics and brokers that those of queues have too, in other words.

use super::lines::Line;
use super::record::{Last, Reading, shard_word};
use super::rules::{self, Rule};
use super::step::{StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::{EventSourceMapping, Source, StreamKind};
use crate::aws::fact::{Complete, MappingFact, RunOutcome};
use crate::aws::ids::MappingId;
use crate::kernel::time::{SimDuration, SimTime};

/// What a mapping is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Kinesis,
    DynamoDb,
    Kafka,
    DocumentDb,
    Broker,
}

impl Kind {
    /// What the mapping reads.
    pub(super) fn of(settings: Settings<'_>, mapping: MappingId) -> Self {
        match settings.0.event_source_mappings[mapping].source {
            Source::Stream(id) => match settings.0.streams[id].kind {
                StreamKind::Kinesis => Self::Kinesis,
                StreamKind::DynamoDb => Self::DynamoDb,
                StreamKind::Kafka => Self::Kafka,
                StreamKind::DocumentDb => Self::DocumentDb,
            },
            Source::Broker(_) | Source::Queue(_) => Self::Broker,
        }
    }

    /// Whether it has shards with retries, splits and ages of AWS's stream rules (ESM-2.3).
    pub(super) fn is_stream(self) -> bool {
        matches!(self, Self::Kinesis | Self::DynamoDb)
    }
}

/// What a mapping does with a record, and with the batch that it is in. `before` is the batch that had its shard before.
pub(super) fn tell<'a>(
    settings: Settings<'a>,
    now: SimTime,
    reading: &Reading,
    before: Option<Line>,
    fact: &MappingFact,
) -> Option<Told<'a>> {
    let by = |mapping, kind, rule, detail| Told { actor: settings.mapping(mapping), kind, run: None, rule, detail };
    Some(match *fact {
        MappingFact::FilteredOut { mapping, .. } => {
            let detail = "it does not match the filter, and no run gets it".to_owned();
            by(mapping, StepKind::FilteredOut, Some(&rules::STREAM_FILTER), detail)
        }
        MappingFact::Batched { mapping, batch, .. } => {
            let (rule, waited) = waited(settings, now, mapping, reading, before);
            by(mapping, StepKind::Batched, rule, format!("batch {batch}{waited}"))
        }
        MappingFact::BatchFormed { mapping, batch, records, complete, .. } => {
            let (rule, why) = formed(Kind::of(settings, mapping), settings.mapping_at(mapping, now), complete);
            let detail = format!("batch {batch} of {}: {why}", plural(records, "record"));
            by(mapping, StepKind::BatchFormed, Some(rule), detail)
        }
        MappingFact::BatchInvoked { mapping, batch, records, .. } => {
            let function = settings.function(settings.mapping_at(mapping, now).function);
            let detail = format!("{function} with {}", part_of(batch, records, reading));
            by(mapping, StepKind::BatchInvoked, Some(&rules::BATCH_INVOKED), detail)
        }
        MappingFact::BatchRefused { mapping, batch, status, due, .. } => {
            let why = if status == 429 { "throttled (429)" } else { "the service failed" };
            let due = due.unwrap_or(now);
            let (wait, due) = (length(due.saturating_since(now)), moment(due));
            let what = part_of(batch, reading.sent, reading);
            let detail = format!("{what}: {why}; waits {wait}, asks again at {due}, and uses no retry");
            by(mapping, StepKind::BatchRefused, Some(&rules::RETRIES_OF_ERRORS), detail)
        }
        MappingFact::BatchEnded { mapping, batch, records, failed, outcome, unreadable, .. } => {
            let kind = Kind::of(settings, mapping);
            let (rule, detail) = ended(kind, records, failed, outcome, unreadable);
            let detail = format!("{}: {detail}", part_of(batch, records, reading));
            by(mapping, StepKind::BatchEnded, Some(rule), detail)
        }
        MappingFact::Polled { .. } | MappingFact::PolledEmpty { .. } | MappingFact::Pollers { .. } => return None,
    })
}

/// `batch 7 of 8 records`, or `4 records of batch 7` after a split or a partial failure.
pub(super) fn part_of(batch: u64, records: u32, reading: &Reading) -> String {
    match records {
        0 => format!("batch {batch}, the last run of its window"),
        _ if records < reading.size => format!("{} of batch {batch}", plural(records, "record")),
        _ => format!("batch {batch} of {}", plural(records, "record")),
    }
}

/// How long a record waited until it was in a batch, and for what.
fn waited(
    settings: Settings<'_>,
    now: SimTime,
    mapping: MappingId,
    reading: &Reading,
    before: Option<Line>,
) -> (Option<&'static Rule>, String) {
    let age = now.saturating_since(reading.written);
    let config = settings.mapping_at(mapping, now);
    let kind = Kind::of(settings, mapping);
    let since = format!(", {} after it was written", length(age));
    if let Some(line) = before.filter(|_| has_order(kind, config)) {
        let times = match (line.runs, line.refusals) {
            (runs, 0) => plural(runs, "run"),
            (runs, refusals) => format!("{} and {}", plural(runs, "run"), plural(refusals, "refused attempt")),
        };
        let shard = match settings.0.event_source_mappings[mapping].source {
            Source::Stream(id) => shard_word(settings.0.streams[id].kind),
            Source::Queue(_) | Source::Broker(_) => "queue",
        };
        let until = moment(line.until);
        let words = format!("{since}: batch {} had its {shard} until {until}, with {times}", line.batch);
        let is_blocked = line.runs + line.refusals > 1;
        return (Some(if is_blocked { &rules::SHARD_BLOCKED } else { &rules::ONE_BATCH }), words);
    }
    let polling = &config.stream;
    let is_polled = kind.is_stream() && !polling.enhanced_fan_out;
    match age.is_zero() {
        true if is_polled => (None, String::new()),
        true => (None, ", as it came".to_owned()),
        false if is_polled && age <= polling.poll_every => {
            let words = format!("{since}: its shard is read every {}", length(polling.poll_every));
            (Some(if kind == Kind::Kinesis { &rules::POLL_RATE } else { &rules::POLL_RATE_OF_TABLE }), words)
        }
        false => (None, since),
    }
}

/// Whether one batch of a shard is in work at a time, and the next one must wait for it.
fn has_order(kind: Kind, config: &EventSourceMapping) -> bool {
    match kind {
        Kind::Kinesis | Kind::DynamoDb => config.stream.parallelization_factor == 1,
        Kind::Kafka => config.stream.provisioned.is_some(),
        Kind::DocumentDb => true,
        Kind::Broker => false,
    }
}

/// Why a batch is complete.
fn formed(kind: Kind, config: &EventSourceMapping, complete: Complete) -> (&'static Rule, String) {
    let place = match kind {
        Kind::Kinesis | Kind::DynamoDb => "the shard",
        Kind::Kafka => "the topic",
        Kind::DocumentDb => "the change stream",
        Kind::Broker => "the broker",
    };
    match complete {
        Complete::AtOnce => {
            let words = format!("what {place} had by then, as there is no batching window");
            (&rules::NO_STREAM_WINDOW, words)
        }
        Complete::LaterWindow => {
            (&rules::RECORDS_OF_WINDOW, "the next record is of a later tumbling window".to_owned())
        }
        Complete::Full | Complete::Payload | Complete::Window => {
            (&rules::BATCH_COMPLETE, complete_words(complete, config.maximum_batching_window))
        }
    }
}

/// Why a batch takes no more, where the rule is that of all sources.
pub(super) fn complete_words(complete: Complete, window: SimDuration) -> String {
    match complete {
        Complete::Full => "it is full".to_owned(),
        Complete::Payload => "one more record would be too large".to_owned(),
        Complete::Window | Complete::AtOnce | Complete::LaterWindow => {
            format!("its window of {} is over", length(window))
        }
    }
}

/// What the end of a run means for the records of a batch.
fn ended(kind: Kind, records: u32, failed: u32, outcome: RunOutcome, unreadable: bool) -> (&'static Rule, String) {
    let is_success = outcome == RunOutcome::Success;
    if records == 0 {
        let words = if is_success { "success; the next window has a new state" } else { "the run failed" };
        return (&rules::LAST_RUN_OF_WINDOW, words.to_owned());
    }
    if is_success && failed == 0 {
        let (rule, words) = match kind {
            Kind::Kinesis | Kind::DynamoDb | Kind::DocumentDb => (&rules::STREAM_SUCCEEDED, "the checkpoint moves on"),
            Kind::Kafka => (&rules::OFFSETS_COMMITTED, "its offsets are committed"),
            Kind::Broker => (&rules::BROKER_ACKNOWLEDGED, "its messages are acknowledged"),
        };
        return (rule, format!("success, {words}"));
    }
    if is_success && !unreadable {
        let rule = if kind == Kind::Kafka { &rules::KAFKA_PARTIAL_FAILURE } else { &rules::STREAM_PARTIAL_FAILURE };
        if failed == records {
            return (rule, "the function names all of it as failed".to_owned());
        }
        let words = format!("the function names {failed} of {records} as failed");
        return (rule, format!("{words}; what is before the first of them is done, all from it on is tried again"));
    }
    let rule = match kind {
        Kind::Kinesis | Kind::DynamoDb => &rules::STREAM_FAILED,
        Kind::Kafka => &rules::KAFKA_FAILED,
        Kind::DocumentDb => &rules::DOCUMENTS_IN_ORDER,
        Kind::Broker => &rules::BROKER_ERRORS,
    };
    let words = if unreadable { "the function's answer cannot be read, so all of it failed" } else { "the run failed" };
    (rule, words.to_owned())
}

/// Whether a part of a batch failed without a run: no event can hold its record (ESM-K6).
pub(super) fn is_oversized(reading: &Reading) -> bool {
    reading.before == Last::Sent
}
