//! What AWS advises on streams that Lambda reads, and the scenario does not do (ESM-2.2, 2.3, 3).

use crate::aws::config::{EventSourceMapping, Source, StartingPosition, Stream, StreamKind, System};
use crate::aws::ids::StreamId;
use crate::stats::summary::Advice;

/// ESM-3: readers of a shard of a `DynamoDB` stream from which on there is something to say.
const READERS: u32 = 2;

/// What is to be said of a system, as it is at the start.
pub(in crate::stats) fn advice(system: &System) -> Vec<Advice> {
    let mut advice = Vec::new();
    for mapping in system.event_source_mappings.rows() {
        let Source::Stream(id) = mapping.source else { continue };
        let stream = &system.streams[id];
        advice.extend(starts_late(mapping));
        advice.extend(unlimited_retries(mapping, stream));
        advice.extend(no_destination(mapping));
    }
    for (id, stream) in system.streams.iter() {
        advice.extend(many_readers(system, id, stream));
    }
    advice
}

fn starts_late(mapping: &EventSourceMapping) -> Option<Advice> {
    let late = mapping.stream.starting_position == StartingPosition::Latest;
    late.then(|| Advice::StartsLate { mapping: mapping.name.clone() })
}

/// Of the sources where a limit can be set.
fn unlimited_retries(mapping: &EventSourceMapping, stream: &Stream) -> Option<Advice> {
    let settable = matches!(stream.kind, StreamKind::Kinesis | StreamKind::DynamoDb);
    let unlimited = mapping.stream.maximum_retry_attempts.is_none() && mapping.stream.maximum_record_age.is_none();
    (settable && unlimited).then(|| Advice::UnlimitedRetries {
        mapping: mapping.name.clone(),
        retention_ms: stream.retention.map(crate::kernel::time::SimDuration::as_millis_ceil),
    })
}

/// Where something can be discarded.
fn no_destination(mapping: &EventSourceMapping) -> Option<Advice> {
    let settings = &mapping.stream;
    let discards = settings.maximum_retry_attempts.is_some() || settings.maximum_record_age.is_some();
    (discards && settings.on_failure.is_none()).then(|| Advice::NoDestination { mapping: mapping.name.clone() })
}

fn many_readers(system: &System, id: StreamId, stream: &Stream) -> Option<Advice> {
    let mappings = system.event_source_mappings.rows().iter();
    let mappings = mappings.filter(|mapping| mapping.source == Source::Stream(id)).count();
    let readers = u32::try_from(mappings).unwrap_or(u32::MAX).saturating_add(stream.other_readers);
    let many = stream.kind == StreamKind::DynamoDb && mappings > 0 && readers >= READERS;
    many.then(|| Advice::ManyReaders { stream: stream.name.clone(), readers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::{Id, MappingId};
    use crate::kernel::time::SimDuration;
    use crate::stats::streams::testing::scenario_with_stream;

    fn advice_of(kind: StreamKind, change: impl FnOnce(&mut System)) -> Vec<Advice> {
        let mut system = scenario_with_stream(kind).system;
        change(&mut system);
        advice(&system)
    }

    fn mapping(system: &mut System) -> &mut EventSourceMapping {
        &mut system.event_source_mappings[MappingId::from_index(0)]
    }

    #[test]
    fn esm_2_3_retries_without_limit_hold_up_a_shard() {
        let mapping_name = || "clicks-worker".to_owned();
        for kind in [StreamKind::Kinesis, StreamKind::DynamoDb] {
            let unlimited = Advice::UnlimitedRetries { mapping: mapping_name(), retention_ms: Some(86_400_000) };
            assert_eq!(advice_of(kind, |_| {}), [unlimited]);
        }
        for kind in [StreamKind::Kafka, StreamKind::DocumentDb] {
            assert_eq!(advice_of(kind, |_| {}), [], "{kind:?} has no such limit, or only in provisioned mode");
        }
        let limited = |system: &mut System| mapping(system).stream.maximum_retry_attempts = Some(3);
        assert_eq!(advice_of(StreamKind::Kinesis, limited), [Advice::NoDestination { mapping: mapping_name() }]);
        let aged = |system: &mut System| {
            mapping(system).stream.maximum_record_age = Some(SimDuration::from_secs(60));
            mapping(system).stream.on_failure = Some(crate::aws::config::Target::Queue(Id::from_index(0)));
        };
        assert_eq!(advice_of(StreamKind::Kinesis, aged), []);
    }

    #[test]
    fn esm_2_2_latest_may_miss_records() {
        let late = |system: &mut System| mapping(system).stream.starting_position = StartingPosition::Latest;
        let expected = [Advice::StartsLate { mapping: "clicks-worker".to_owned() }];
        assert_eq!(advice_of(StreamKind::Kafka, late), expected);
    }

    #[test]
    fn esm_3_readers_of_a_dynamodb_stream() {
        for (kind, others, readers) in [
            (StreamKind::DynamoDb, 0, None),
            (StreamKind::DynamoDb, 1, Some(2)),
            (StreamKind::DynamoDb, 2, Some(3)),
            (StreamKind::Kinesis, 2, None),
        ] {
            let advice = advice_of(kind, |system| {
                system.streams[StreamId::from_index(0)].other_readers = others;
                mapping(system).stream.maximum_record_age = Some(SimDuration::from_secs(60));
                mapping(system).stream.on_failure = Some(crate::aws::config::Target::Queue(Id::from_index(0)));
            });
            let expected = readers.map(|readers| Advice::ManyReaders { stream: "clicks".to_owned(), readers });
            assert_eq!(advice, Vec::from_iter(expected), "{kind:?} {others}");
        }
    }
}
