//! The steps of batches of streams, topics and brokers that those of queues do not have.

use super::batch::{Kind, is_oversized, part_of};
use super::delivery::refusal;
use super::record::{Last, Reading};
use super::rules::{self, Rule};
use super::step::{StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::{EventSourceMapping, Source, Target};
use crate::aws::fact::{DiscardCondition, Notice, ReaderFact, RecordFate, RunOutcome, WindowEnd};
use crate::aws::ids::MappingId;
use crate::kernel::time::{SimDuration, SimTime};

/// What a mapping does with its batches, and with what is left of them. `place` is which record of its batch this is, 0 =
/// first.
pub(super) fn tell<'a>(
    settings: Settings<'a>,
    now: SimTime,
    reading: &Reading,
    place: Option<usize>,
    fact: &ReaderFact,
) -> Option<Told<'a>> {
    let by = |mapping, kind, rule, detail| Told { actor: settings.mapping(mapping), kind, run: None, rule, detail };
    Some(match *fact {
        ReaderFact::Sent { mapping, batch, records, last_arrived, .. } => {
            let (rule, age) = sent(settings, now, mapping, records, last_arrived);
            by(mapping, StepKind::BatchSent, rule, format!("{}{age}", part_of(batch, records, reading)))
        }
        ReaderFact::Split { mapping, batch, records, left, .. } => {
            let first = place.is_none_or(|place| place < left as usize);
            let detail = split(&part_of(batch, records, reading), records, left, first);
            by(mapping, StepKind::BatchSplit, Some(&rules::BISECT), detail)
        }
        ReaderFact::RetryScheduled { mapping, batch, records, due, .. } => {
            let (rule, detail) = waits(settings, now, mapping, reading, due);
            by(mapping, StepKind::BatchWaits, Some(rule), format!("{}: {detail}", part_of(batch, records, reading)))
        }
        ReaderFact::RecordEnded { mapping, fate, runs, .. } => {
            let (kind, rule, detail) = record_ended(settings, now, mapping, reading, fate, runs)?;
            by(mapping, kind, Some(rule), detail)
        }
        ReaderFact::Discarded { mapping, records, condition, invoke_count, notice, .. } => {
            discarded(settings, mapping, records, condition, invoke_count, notice)
        }
        ReaderFact::WindowEnded { mapping, batch, began, records, why, .. } => {
            let (rule, detail) = window_ended(settings.mapping_at(mapping, now), began, records, why);
            by(mapping, StepKind::WindowEnded, Some(rule), format!("{detail}: batch {batch} is its last run"))
        }
        ReaderFact::Started { .. } | ReaderFact::Awaited { .. } | ReaderFact::ReadThrottled { .. } => return None,
    })
}

/// How old the last record of a batch is when it is sent.
fn sent(
    settings: Settings<'_>,
    now: SimTime,
    mapping: MappingId,
    records: u32,
    last_arrived: SimTime,
) -> (Option<&'static Rule>, String) {
    if records == 0 {
        return (Some(&rules::LAST_RUN_OF_WINDOW), String::new());
    }
    let age = length(now.saturating_since(last_arrived));
    let rule = Kind::of(settings, mapping).is_stream().then_some(&rules::ITERATOR_AGE);
    (rule, if records == 1 { format!(", {age} old") } else { format!(", the last of them {age} old") })
}

fn split(what: &str, records: u32, left: u32, first: bool) -> String {
    let right = records - left;
    let this = if first {
        "this record is in the first half, which is sent next"
    } else {
        "this record is in the second half, which waits until the first is done with"
    };
    format!("{what} into {left} and {right}, as it failed; {this}")
}

fn waits(
    settings: Settings<'_>,
    now: SimTime,
    mapping: MappingId,
    reading: &Reading,
    due: SimTime,
) -> (&'static Rule, String) {
    let kind = Kind::of(settings, mapping);
    let wait = format!("waits {}, is sent again at {}", length(due.saturating_since(now)), moment(due));
    let usual = match kind {
        Kind::Kinesis | Kind::DynamoDb | Kind::DocumentDb => &rules::STREAM_RETRY_WAIT,
        Kind::Kafka => &rules::KAFKA_RETRY_WAIT,
        Kind::Broker => &rules::BROKER_RETRY_WAIT,
    };
    let retry = match most_retries(settings, now, mapping) {
        _ if reading.before == Last::Split => "; a split uses no retry".to_owned(),
        Some(most) if reading.retries > 0 => format!("; retry {} of {most}", reading.retries),
        None if reading.retries > 0 => format!("; retry {}, their number has no limit", reading.retries),
        Some(_) | None => String::new(),
    };
    if is_oversized(reading) {
        return (
            &rules::RECORD_TOO_LARGE,
            format!("no event can hold the record, so it fails without a run; {wait}{retry}"),
        );
    }
    (usual, format!("{wait}{retry}"))
}

/// Retries that a batch has.
fn most_retries(settings: Settings<'_>, now: SimTime, mapping: MappingId) -> Option<u32> {
    let config = settings.mapping_at(mapping, now);
    let given = config.stream.maximum_retry_attempts;
    match (Kind::of(settings, mapping), config.source) {
        (Kind::Kinesis | Kind::DynamoDb, _) => given,
        (Kind::Kafka, _) if config.stream.provisioned.is_some() => {
            given.or(config.stream.on_failure.map(|_| KAFKA_RETRIES))
        }
        (_, Source::Broker(broker)) => settings.broker(broker).maximum_redeliveries,
        (Kind::Kafka | Kind::DocumentDb | Kind::Broker, _) => None,
    }
}

/// ESM-4.2.11.
const KAFKA_RETRIES: u32 = 10;

/// The fate of a record; a dead letter is told of by its broker.
fn record_ended(
    settings: Settings<'_>,
    now: SimTime,
    mapping: MappingId,
    reading: &Reading,
    fate: RecordFate,
    runs: u32,
) -> Option<(StepKind, &'static Rule, String)> {
    let kind = Kind::of(settings, mapping);
    let age = now.saturating_since(reading.written);
    let counts = if runs == 0 { "without a run".to_owned() } else { format!("after {}", plural(runs, "run")) };
    Some(match fate {
        RecordFate::Succeeded => {
            let words = format!("{counts}, {} after it was written", length(age));
            let is_before = matches!(reading.last, Last::Ended(RunOutcome::Success, failed) if failed > 0);
            let (rule, why) = match kind {
                Kind::Kafka if is_before => (&rules::KAFKA_PARTIAL_FAILURE, "; it is before the first that failed"),
                _ if is_before => (&rules::STREAM_PARTIAL_FAILURE, "; it is before the first that failed"),
                Kind::Kafka => (&rules::OFFSETS_COMMITTED, ""),
                Kind::Broker => (&rules::BROKER_ACKNOWLEDGED, ""),
                Kind::Kinesis | Kind::DynamoDb | Kind::DocumentDb => (&rules::STREAM_SUCCEEDED, ""),
            };
            (StepKind::RecordDone, rule, format!("{words}{why}"))
        }
        RecordFate::Discarded(condition) => {
            let (rule, why) = why_discarded(settings, now, mapping, condition, age);
            (StepKind::Discarded, rule, format!("{} {counts}; {why}", condition.as_str()))
        }
        RecordFate::Expired => {
            let (rule, detail) = expired(settings, now, mapping, reading, &counts);
            (StepKind::Expired, rule, detail)
        }
        RecordFate::Oversized => {
            let detail = "its event would be larger than a function takes, and nobody is told of it".to_owned();
            (StepKind::Discarded, &rules::DOCUMENT_TOO_LARGE, detail)
        }
        RecordFate::DeadLettered => return None,
    })
}

fn why_discarded(
    settings: Settings<'_>,
    now: SimTime,
    mapping: MappingId,
    condition: DiscardCondition,
    age: SimDuration,
) -> (&'static Rule, String) {
    let polling = &settings.mapping_at(mapping, now).stream;
    match condition {
        DiscardCondition::RecordAgeExceeded => {
            let limit = polling.maximum_record_age.map(length).unwrap_or_default();
            (&rules::RECORD_AGE, format!("it is {} old, and at most {limit} are allowed", length(age)))
        }
        DiscardCondition::RetryAttemptsExhausted | DiscardCondition::RetriesExhausted => {
            let rule = match (condition, polling.maximum_retry_attempts) {
                (DiscardCondition::RetriesExhausted, None) => &rules::KAFKA_TEN_RETRIES,
                (DiscardCondition::RetriesExhausted, Some(_)) => &rules::KAFKA_RETRIES,
                _ => &rules::STREAM_RETRIES,
            };
            let words = match most_retries(settings, now, mapping) {
                Some(0) => "the run failed, and no retry is allowed".to_owned(),
                Some(1) => "no more than 1 retry is allowed".to_owned(),
                Some(most) => format!("no more than {most} retries are allowed"),
                None => "all retries are used up".to_owned(),
            };
            (rule, words)
        }
    }
}

fn expired(
    settings: Settings<'_>,
    now: SimTime,
    mapping: MappingId,
    reading: &Reading,
    counts: &str,
) -> (&'static Rule, String) {
    let retention = match settings.mapping_at(mapping, now).source {
        Source::Stream(stream) => settings.stream_at(stream, now).retention,
        Source::Broker(broker) => settings.broker(broker).message_retention,
        Source::Queue(_) => None,
    };
    let words = format!("its retention of {} is over", retention.map(length).unwrap_or_default());
    if reading.size == 0 {
        return (&rules::STREAM_RETENTION, format!("{words}, and it had not been in a batch"));
    }
    (&rules::EXPIRED_IN_BATCH, format!("{words} {counts}; its batch goes on without it"))
}

fn discarded(
    settings: Settings<'_>,
    mapping: MappingId,
    records: u32,
    condition: DiscardCondition,
    invoke_count: u32,
    notice: Notice,
) -> Told<'_> {
    let many = plural(records, "record");
    let of = format!("{many}: {}, invoke count {invoke_count}", condition.as_str());
    let told = |actor, kind, rule, detail| Told { actor, kind, run: None, rule: Some(rule), detail };
    match notice {
        Notice::None if records == 0 => {
            let detail = "the last run of its window: it has no records that anybody could be told of".to_owned();
            told(settings.mapping(mapping), StepKind::Dropped, &rules::DISCARD, detail)
        }
        Notice::None => {
            let detail = format!("{many}: there is no on-failure destination");
            told(settings.mapping(mapping), StepKind::Dropped, &rules::DISCARD, detail)
        }
        Notice::Delivered(to) => {
            let (rule, detail) = match to {
                Target::Stream(_) => (&rules::KAFKA_DESTINATION, format!("the {of}")),
                Target::Bucket(_) => (&rules::DISCARD_METADATA, format!("the metadata and the payload of {of}")),
                Target::Queue(_)
                | Target::Topic(_)
                | Target::EventBus(_)
                | Target::Function(_)
                | Target::Broker(_)
                | Target::StateMachine(_) => (&rules::DISCARD_METADATA, format!("the metadata of {of}")),
            };
            told(settings.target(to), StepKind::Delivered, rule, detail)
        }
        Notice::Failed(to, error) => {
            let detail = format!("the metadata of {of}: {}; the records are dropped", refusal(error));
            told(settings.target(to), StepKind::DeliveryFailed, &rules::DISCARD_LOST, detail)
        }
    }
}

fn window_ended(config: &EventSourceMapping, began: SimTime, records: u64, why: WindowEnd) -> (&'static Rule, String) {
    let ends = began.plus(config.stream.tumbling_window);
    let (from, to) = (moment(began), moment(ends));
    let many = format!("{records} record{}", if records == 1 { "" } else { "s" });
    let words = format!("the window from {from} to {to} with {many}, as");
    match why {
        WindowEnd::LaterRecord => (&rules::LAST_RUN_OF_WINDOW, format!("{words} a record of a later one has come")),
        WindowEnd::ShardEnded => (&rules::WINDOW_OF_SHARD, format!("{words} its shard has ended")),
        WindowEnd::Grace => {
            let grace = length(config.stream.tumbling_window_grace);
            (&rules::WINDOW_GRACE, format!("{words} no later record has come for {grace}"))
        }
    }
}
