//! Streams that functions read: what holds up a shard, and whether there are enough of them (ESM-2, 3).

use super::queues::fails_records;
use super::settings::{LONGEST_RETENTION, about, new_name, rounded, whole};
use super::{Check, Context, Finding};
use crate::aws::config::{CapacityMode, EventSourceMapping, Source, StartingPosition, Stream, StreamKind};
use crate::aws::ids::StreamId;
use crate::kernel::time::SimDuration;

/// ESM-3.3: readers of a shard of a `DynamoDB` stream from which on there is something to say.
const READERS: u32 = 2;
/// ESM-2.1.2: what a shard gives all its standard readers, bytes and reads a second; each reads once a second (ESM-2.2.1).
const READ_BYTES: f64 = 2_097_152.0;
const READS: u32 = 5;
/// ESM-2.1.1: what a shard takes, a second.
const WRITE_RECORDS: f64 = 1_000.0;
const WRITE_BYTES: f64 = 1_048_576.0;
/// ESM-2.2.4: the highest parallelization factor.
const LANES: u32 = 10;
/// Retries that the examples of AWS set, and ours.
const RETRIES: u32 = 10;

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for mapping in context.mappings() {
        let Source::Stream(id) = mapping.source else { continue };
        let stream = &context.system.streams[id];
        findings.extend(starts_late(mapping));
        findings.extend(unlimited_retries(context, mapping, stream));
        findings.extend(no_destination(context, mapping));
        findings.extend(no_bisect(context, mapping, stream));
        findings.extend(age_beyond_retention(mapping, stream));
        findings.extend(below_need(context, mapping, stream));
    }
    for (id, stream) in context.system.streams.iter() {
        findings.extend(many_readers(context, id, stream));
        findings.extend(readers_share(context, id, stream));
        findings.extend(below_writes(context, id, stream));
    }
}

fn key_of(mapping: &EventSourceMapping, key: &str) -> String {
    format!("event_source_mappings.{}.{key}", mapping.name)
}

/// Kinesis and `DynamoDB`: the streams in shards whose retries can be limited and whose batches can be split.
fn is_sharded(stream: &Stream) -> bool {
    matches!(stream.kind, StreamKind::Kinesis | StreamKind::DynamoDb)
}

fn starts_late(mapping: &EventSourceMapping) -> Option<Finding> {
    if mapping.stream.starting_position != StartingPosition::Latest {
        return None;
    }
    let message = format!("`{}` can miss records while it is created or updated", mapping.name);
    let key = key_of(mapping, "starting_position");
    Some(Finding::new(Check::StartsLate, key.clone(), message).set(key, "trim_horizon"))
}

/// Of the sources where a limit can be set.
fn unlimited_retries(context: &Context<'_>, mapping: &EventSourceMapping, stream: &Stream) -> Option<Finding> {
    let unlimited = mapping.stream.maximum_retry_attempts.is_none() && mapping.stream.maximum_record_age.is_none();
    if !is_sharded(stream) || !unlimited {
        return None;
    }
    let until = stream.retention.map_or_else(|| "for ever".to_owned(), |kept| format!("for up to {kept}"));
    let message = format!("a batch of `{}` that always fails holds up its shard {until}", mapping.name);
    let key = key_of(mapping, "maximum_retry_attempts");
    let finding = Finding::new(Check::UnlimitedRetries, key.clone(), message).set(key, RETRIES);
    Some(if mapping.stream.on_failure.is_none() { with_destination(context, mapping, finding) } else { finding })
}

/// Where something can be discarded.
fn no_destination(context: &Context<'_>, mapping: &EventSourceMapping) -> Option<Finding> {
    let settings = &mapping.stream;
    let discards = settings.maximum_retry_attempts.is_some() || settings.maximum_record_age.is_some();
    if !discards || settings.on_failure.is_some() {
        return None;
    }
    let message = format!("nobody learns which records `{}` discards", mapping.name);
    let finding = Finding::new(Check::NoStreamDestination, key_of(mapping, "on_failure"), message);
    Some(with_destination(context, mapping, finding))
}

fn with_destination(context: &Context<'_>, mapping: &EventSourceMapping, finding: Finding) -> Finding {
    let name = new_name(context.system, &format!("{}-failures", mapping.name));
    let queue = format!("{{message_retention: {LONGEST_RETENTION}}}");
    finding.set(format!("queues.{name}"), queue).set(key_of(mapping, "on_failure"), name)
}

/// ESM-2.3.6: where some records fail and others of their batch do not.
fn no_bisect(context: &Context<'_>, mapping: &EventSourceMapping, stream: &Stream) -> Option<Finding> {
    let function = &context.system.functions[mapping.function];
    let split = mapping.stream.bisect_batch_on_function_error || mapping.report_batch_item_failures;
    if !is_sharded(stream) || split || mapping.batch_size < 2 || !fails_records(function) {
        return None;
    }
    let message = format!(
        "one record that `{}` fails takes up to {} others of its batch with it",
        function.name,
        mapping.batch_size - 1
    );
    let key = key_of(mapping, "bisect_batch_on_function_error");
    Some(Finding::new(Check::NoBisect, key.clone(), message).set(key, true))
}

/// ESM-3.2, 2.3.
fn age_beyond_retention(mapping: &EventSourceMapping, stream: &Stream) -> Option<Finding> {
    let (age, kept) = (mapping.stream.maximum_record_age?, stream.retention?);
    if age <= kept {
        return None;
    }
    let message =
        format!("`{}` gives up records after {age}, and `{}` keeps them for {kept}", mapping.name, stream.name);
    let key = key_of(mapping, "maximum_record_age");
    let half = rounded(SimDuration::from_nanos(kept.as_nanos() / 2));
    Some(Finding::new(Check::AgeBeyondRetention, key.clone(), message).set(key, half))
}

/// ESM-3.3.
fn many_readers(context: &Context<'_>, id: StreamId, stream: &Stream) -> Option<Finding> {
    let mappings: Vec<_> = context.mappings().filter(|mapping| mapping.source == Source::Stream(id)).collect();
    let count = u32::try_from(mappings.len()).unwrap_or(u32::MAX);
    let readers = count.saturating_add(stream.other_readers);
    let last = mappings.last().filter(|_| stream.kind == StreamKind::DynamoDb && readers >= READERS)?;
    let message = if readers > READERS {
        format!("`{}` has {readers} readers, and a shard of a DynamoDB stream serves two", stream.name)
    } else {
        format!("`{}` has two readers: as many as a shard serves, and one too many for a global table", stream.name)
    };
    let finding = Finding::new(Check::ManyReaders, key_of(last, "source"), message);
    let mut finding = if stream.other_readers > 0 {
        finding.set(format!("streams.{}.other_readers", stream.name), 0)
    } else {
        finding
    };
    for mapping in &mappings[1..] {
        finding = finding.set(key_of(mapping, "enabled"), false);
    }
    Some(finding)
}

/// ESM-2.1.2, A42.
fn readers_share(context: &Context<'_>, id: StreamId, stream: &Stream) -> Option<Finding> {
    let mappings = context.mappings().filter(|mapping| mapping.source == Source::Stream(id));
    let standard: Vec<_> = mappings.filter(|mapping| !mapping.stream.enhanced_fan_out).collect();
    let readers = u32::try_from(standard.len()).unwrap_or(u32::MAX).saturating_add(stream.other_readers);
    let first = standard.first().filter(|_| stream.kind == StreamKind::Kinesis)?;
    let written = written(context, id, stream).map_or(0.0, |(_, bytes)| bytes);
    let wanted = written * f64::from(readers);
    let message = if readers > READS {
        format!(
            "{readers} standard readers of `{}` poll each second, and a shard gives {READS} reads a second",
            stream.name
        )
    } else if wanted > READ_BYTES {
        format!(
            "{readers} standard readers of `{}` want about {} MiB a second of each shard, and it gives 2 (an estimate)",
            stream.name,
            about(wanted / WRITE_BYTES)
        )
    } else {
        return None;
    };
    let finding = Finding::new(Check::ReadersShareShard, key_of(first, "enhanced_fan_out"), message);
    Some(standard.iter().fold(finding, |finding, mapping| finding.set(key_of(mapping, "enhanced_fan_out"), true)))
}

/// Records and bytes a second of one shard, where keys are spread over the shards.
fn written(context: &Context<'_>, id: StreamId, stream: &Stream) -> Option<(f64, f64)> {
    let rate = context.load.stream(id);
    if stream.capacity_mode != CapacityMode::Provisioned || rate <= 0.0 {
        return None;
    }
    let each = rate / f64::from(stream.shards.max(1));
    Some((each, each * context.load.bytes(Source::Stream(id))))
}

/// ESM-2.1.1, 2.1.9.
fn below_writes(context: &Context<'_>, id: StreamId, stream: &Stream) -> Option<Finding> {
    let (records, bytes) = written(context, id, stream).filter(|_| stream.kind == StreamKind::Kinesis)?;
    let use_of_shard = (records / WRITE_RECORDS).max(bytes / WRITE_BYTES);
    if use_of_shard <= 1.0 {
        return None;
    }
    let message = format!(
        "each shard of `{}` is written about {} records and {} MiB a second, and takes 1000 and 1 (an estimate)",
        stream.name,
        about(records),
        about(bytes / WRITE_BYTES)
    );
    let key = format!("streams.{}.shards", stream.name);
    let shards = whole(use_of_shard * f64::from(stream.shards));
    Some(Finding::new(Check::ShardsBelowWrites, key.clone(), message).set(key, shards))
}

/// ESM-4.1: one consumer of a partition at most.
fn topic_below_need(mapping: &EventSourceMapping, stream: &Stream, needed: f64) -> Option<Finding> {
    if needed <= f64::from(stream.shards) {
        return None;
    }
    let message = format!(
        "`{}` needs about {} batches at once on average, and each of {} partitions has one (an estimate)",
        mapping.name,
        about(needed),
        stream.shards
    );
    let key = format!("streams.{}.partitions", stream.name);
    Some(Finding::new(Check::StreamBelowNeed, key.clone(), message).set(key, whole(needed)))
}

/// ESM-2.2.4, A44.
fn below_need(context: &Context<'_>, mapping: &EventSourceMapping, stream: &Stream) -> Option<Finding> {
    let needed = context.load.batches(context.system, mapping);
    if stream.kind == StreamKind::Kafka {
        return topic_below_need(mapping, stream, needed);
    }
    let factor = mapping.stream.parallelization_factor;
    let lanes = stream.shards.saturating_mul(factor);
    if !is_sharded(stream) || stream.capacity_mode != CapacityMode::Provisioned || needed <= f64::from(lanes) {
        return None;
    }
    let message = format!(
        "`{}` needs about {} batches at once on average, and {} shards x a factor of {factor} are {lanes} (an estimate)",
        mapping.name,
        about(needed),
        stream.shards
    );
    let key = key_of(mapping, "parallelization_factor");
    let finding = Finding::new(Check::StreamBelowNeed, key.clone(), message);
    let each = whole(needed / f64::from(stream.shards.max(1)));
    // ESM-2.4: a tumbling window has one batch of a shard at a time.
    if each <= LANES && mapping.stream.tumbling_window.is_zero() {
        return Some(finding.set(key, each));
    }
    let shards = whole(needed / f64::from(factor.max(1)));
    Some(finding.set(format!("streams.{}.shards", stream.name), shards))
}
