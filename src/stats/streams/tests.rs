//! Whole statistics of streams, brokers and their readers, from facts by hand.
#![allow(clippy::float_cmp, reason = "figures come from integers and are exact")]

use super::testing::{TestReader, add_mapping, record, scenario_with_broker, scenario_with_stream};
use crate::aws::config::{BrokerKind, KafkaPollers, Source, StreamKind, Target};
use crate::aws::fact::{
    BrokerFact, DeliveryError, DiscardCondition, MappingFact, Notice, ReaderFact, RecordFate, RunOutcome, StreamFact,
    WindowEnd,
};
use crate::aws::ids::{BrokerId, Id, MappingId, QueueId, StreamId};
use crate::scenario::Scenario;
use crate::stats::summary::{BrokerSummary, Flow, MappingSummary, ShardSummary, StreamSummary, Summary};
use crate::stats::testing::ms;

const HOUR: u64 = 3_600_000;

fn summary(scenario: &Scenario, state: impl FnOnce(&mut TestReader)) -> Summary {
    let mut reader = TestReader::new(scenario);
    state(&mut reader);
    reader.to.finish(ms(HOUR))
}

fn of(kind: StreamKind, state: impl FnOnce(&mut TestReader)) -> Summary {
    summary(&scenario_with_stream(kind), state)
}

fn clicks(summary: &Summary) -> &StreamSummary {
    &summary.streams.0[0].1
}

fn worker(summary: &Summary) -> &MappingSummary {
    &summary.event_source_mappings.0[0].1
}

fn jobs(summary: &Summary) -> &BrokerSummary {
    &summary.brokers.0[0].1
}

/// What conservation says of the stream, and of the mapping.
fn flows(summary: &Summary) -> [Flow; 2] {
    let conservation = &summary.conservation;
    [conservation.streams.0[0].1, conservation.event_source_mappings.0[0].1]
}

fn flow(entered: u64, out: u64, left: u64) -> Flow {
    Flow { entered, out, left, holds: entered == out + left }
}

/// ESM-2.1, 6.5.
#[test]
fn a_batch_that_succeeds() {
    let summary = of(StreamKind::Kinesis, |to| {
        to.start(0, 0);
        to.put(1, [100, 200, 300]);
        to.put(3, [400]);
        to.refuse_put(3, 500);
        to.succeed((1_000, 3_000), 1, 1, &[100, 200, 300]);
        to.succeed((3_000, 4_000), 2, 3, &[400]);
        let (mapping, first) = (MappingId::from_index(0), ms(1_000));
        to.mapping(HOUR, MappingFact::PolledEmpty { mapping, receives: 10, first });
        to.reader(4_000, ReaderFact::ReadThrottled { mapping, shard: 1 });
    });
    let stream = clicks(&summary);
    assert_eq!((stream.put_records, stream.write_throttles, stream.expired), (4, 1, 0));
    let shards: Vec<_> = stream.shards.iter().map(|shard| (shard.records, shard.write_throttles)).collect();
    assert_eq!(shards, [(0, 0), (3, 0), (0, 0), (1, 1)]);
    let mapping = worker(&summary);
    assert_eq!((mapping.polls, mapping.empty_polls, mapping.read_throttles), (12, 10, 1));
    assert_eq!((mapping.batches, mapping.invocations, mapping.failed_invocations, mapping.retries), (2, 2, 0, 0));
    assert_eq!((mapping.polled_events, mapping.invoked_events, mapping.deleted_events), (4, 4, 0));
    assert_eq!((mapping.batch_size.max, mapping.runs_per_record.count), (Some(3), 4));
    assert_eq!((mapping.concurrent_invocations.max, mapping.concurrent_invocations.last), (Some(1), Some(0)));
    assert!(mapping.offset_lag.is_none() && mapping.committed_events.is_none(), "they are of Kafka");
    assert_eq!(flows(&summary), [flow(4, 4, 0), flow(4, 4, 0)]);
    assert!(summary.conservation.holds);
    assert_eq!(summary.callers.0[0].1.throttled, 1, "whatever the status of the refusal is");
    // Four shards for an hour, four PUT payload units.
    assert_eq!(summary.cost.streams.0[0].1.total_usd, 0.060_000_056);
    assert_eq!(summary.cost.total_usd, summary.cost.streams.0[0].1.total_usd);
}

/// ESM-A36: arrivals from 10.0 to 14.0 s, sent at 15.5 s. ESM-2.5: at each send, and by shard.
#[test]
fn esm_a36_iterator_age_is_that_of_the_last_record_at_each_send() {
    let summary = of(StreamKind::Kinesis, |to| {
        to.start(0, 0);
        to.put(2, [10_000, 12_000, 14_000]);
        to.form(15_500, 1, &[10_000, 12_000, 14_000]);
        to.throttle(15_500, 1, 2, &[10_000, 12_000, 14_000], 16_500);
        to.fail((16_500, 17_000), 1, 2, &[10_000, 12_000, 14_000]);
        to.run((17_250, 18_000), 1, 2, &[10_000, 12_000, 14_000], 0, RunOutcome::Success);
        to.end(18_000, 2, &[10_000, 12_000, 14_000], RecordFate::Succeeded, 2);
    });
    let mapping = worker(&summary);
    let age = &mapping.iterator_age_ms;
    assert_eq!((age.count, age.min, age.max), (3, Some(1_500.0), Some(3_250.0)));
    assert_eq!((mapping.throttles, mapping.retries, mapping.invocations), (1, 2, 2));
    let shards = mapping.shards.as_ref().unwrap();
    let counts: Vec<_> = shards.iter().map(|shard| shard.iterator_age_ms.count).collect();
    assert_eq!(counts, [0, 0, 3, 0]);
    assert_eq!(shards[2].iterator_age_ms.max, Some(3_250.0));
    assert_eq!((mapping.runs_per_record.max, mapping.failed_invoke_events, mapping.invoked_events), (Some(2), 3, 6));
    assert_eq!(mapping.iterator_age_curve.rungs().len(), 119);
}

/// ESM-5: `DocumentDB` tells the age when the function is done.
#[test]
fn esm_5_documentdb_tells_the_age_at_the_end_of_a_run() {
    let summary = of(StreamKind::DocumentDb, |to| {
        to.start(0, 0);
        to.put(0, [1_000, 2_000]);
        to.form(3_000, 1, &[1_000]);
        to.throttle(3_000, 1, 0, &[1_000], 4_000);
        to.run((4_000, 9_000), 1, 0, &[1_000], 0, RunOutcome::Success);
        to.end(9_000, 0, &[1_000], RecordFate::Succeeded, 1);
        to.poll(9_000, 1);
        to.end(9_000, 0, &[2_000], RecordFate::Oversized, 0);
    });
    let mapping = worker(&summary);
    assert_eq!((mapping.iterator_age_ms.count, mapping.iterator_age_ms.max), (1, Some(8_000.0)));
    assert_eq!((mapping.oversized_records, mapping.dropped_events, mapping.polled_events), (1, 0, 2));
    assert_eq!(flows(&summary), [flow(2, 2, 0), flow(2, 2, 0)]);
    assert_eq!(summary.cost.total_usd, 0.0);
}

/// ESM-A29: a notice that fails counts once, and its records are dropped. ESM-6.5: one that is delivered counts by its
/// records, which are not dropped.
#[test]
fn esm_a29_what_becomes_of_discarded_records() {
    let batch: Vec<u64> = (1..=25).collect();
    let queue = Target::Queue(QueueId::from_index(1));
    let refused = DeliveryError::Refused(500);
    let exhausted = DiscardCondition::RetryAttemptsExhausted;
    for (notice, dropped, told, failures) in
        [(Notice::None, 25, 0, 0), (Notice::Delivered(queue), 0, 25, 0), (Notice::Failed(queue, refused), 25, 0, 1)]
    {
        let summary = of(StreamKind::Kinesis, |to| {
            to.start(0, 0);
            to.put(0, 1..=25);
            to.form(100, 1, &batch);
            to.fail((100, 200), 1, 0, &batch);
            to.discard(200, &batch, exhausted, 1, notice);
        });
        let mapping = worker(&summary);
        let counts = (mapping.dropped_events, mapping.on_failure_deliveries, mapping.destination_delivery_failures);
        assert_eq!(counts, (dropped, told, failures), "{notice:?}");
        assert_eq!(mapping.discards.by_condition, [("RetryAttemptsExhausted", 25)]);
        assert_eq!(flows(&summary), [flow(25, 25, 0), flow(25, 25, 0)]);
    }
}

/// ESM-A19: the runs of the vector; every send after the batch's first is a retry.
#[test]
fn esm_a19_bisections_and_retries_are_counted() {
    let summary = of(StreamKind::Kinesis, |to| {
        to.start(0, 0);
        to.put(0, 1..=8);
        to.form(10, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
        to.fail((10, 11), 1, 0, &[1, 2, 3, 4, 5, 6, 7, 8]);
        to.split(11, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
        to.run((12, 13), 1, 0, &[1, 2, 3, 4], 0, RunOutcome::Success);
        to.end(13, 0, &[1, 2, 3, 4], RecordFate::Succeeded, 2);
        to.fail((13, 14), 1, 0, &[5, 6, 7, 8]);
        to.split(14, 1, &[5, 6, 7, 8]);
        to.fail((15, 16), 1, 0, &[5, 6]);
        to.split(16, 1, &[5, 6]);
        to.run((17, 18), 1, 0, &[5], 0, RunOutcome::Success);
        to.end(18, 0, &[5], RecordFate::Succeeded, 4);
        for at in [18, 20, 22] {
            to.fail((at, at + 1), 1, 0, &[6]);
        }
        to.discard(23, &[6], DiscardCondition::RetryAttemptsExhausted, 6, Notice::None);
        to.run((23, 24), 1, 0, &[7, 8], 0, RunOutcome::Success);
        to.end(24, 0, &[7, 8], RecordFate::Succeeded, 3);
    });
    let mapping = worker(&summary);
    assert_eq!((mapping.invocations, mapping.failed_invocations, mapping.bisections), (9, 6, 3));
    assert_eq!((mapping.batches, mapping.retries, mapping.dropped_events), (1, 8, 1));
    // 8 + 4 + 4 + 2 + 1 + 3 x 1 + 2 records.
    assert_eq!((mapping.invoked_events, mapping.failed_invoke_events), (24, 8 + 4 + 2 + 3));
    assert_eq!(mapping.runs_per_record.max, Some(6));
    assert_eq!(flows(&summary), [flow(8, 8, 0), flow(8, 8, 0)]);
}

/// ESM-2.4: the last run of a window is no batch of records, and has no age.
#[test]
fn esm_2_4_the_last_run_of_a_window() {
    let summary = of(StreamKind::Kinesis, |to| {
        to.start(0, 0);
        to.put(0, [10]);
        to.succeed((20, 30), 1, 0, &[10]);
        let (origin, mapping, batch, shard) = (record(10), MappingId::from_index(0), 2, 0);
        let why = WindowEnd::LaterRecord;
        to.reader(60_000, ReaderFact::WindowEnded { origin, mapping, shard, batch, began: ms(0), records: 1, why });
        for (at, failed) in [(60_000, RunOutcome::Error), (61_000, RunOutcome::Success)] {
            let records = 0;
            to.reader(at, ReaderFact::Sent { origin, mapping, batch, shard, records, last_arrived: ms(10) });
            to.mapping(at, MappingFact::BatchInvoked { origin, mapping, batch, records, repeated: 0 });
            let (failed, outcome, unreadable) = (0, failed, false);
            to.mapping(at, MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, unreadable });
        }
    });
    let mapping = worker(&summary);
    assert_eq!((mapping.batches, mapping.invocations, mapping.failed_invocations, mapping.retries), (1, 3, 1, 1));
    assert_eq!((mapping.iterator_age_ms.count, mapping.invoked_events, mapping.failed_invoke_events), (1, 1, 0));
}

/// ESM-K18, 2.1: records expire for each mapping that reads them, and without one for the stream.
#[test]
fn expired_records_of_readers_and_without_one() {
    let mut scenario = scenario_with_stream(StreamKind::Kinesis);
    add_mapping(&mut scenario, "second", |_| {});
    let with_readers = summary(&scenario, |to| {
        to.put(0, 1..=2);
        for mapping in 0..2 {
            to.mapping = mapping;
            to.start(10, 0);
            to.end(20, 0, &[1], RecordFate::Expired, 0);
        }
        to.end(20, 0, &[2], RecordFate::Expired, 3);
    });
    assert_eq!(clicks(&with_readers).expired, 3);
    assert_eq!(worker(&with_readers).discards.expired, 1);
    assert_eq!(worker(&with_readers).dropped_events, 0, "ESM-6.5: not what retention loses");
    // The first mapping has still to handle the second record.
    assert_eq!(flows(&with_readers), [flow(2, 1, 1), flow(2, 1, 1)]);
    assert_eq!(with_readers.conservation.event_source_mappings.0[1].1, flow(2, 2, 0));

    let mut scenario = scenario_with_stream(StreamKind::Kinesis);
    scenario.system.event_source_mappings = std::iter::empty().collect();
    let alone = summary(&scenario, |to| {
        to.put(0, 1..=2);
        let fact = StreamFact::Expired { origin: record(1), stream: StreamId::from_index(0), at: ms(9) };
        to.stream(10, fact);
    });
    assert_eq!((clicks(&alone).expired, alone.conservation.streams.0[0].1), (1, flow(2, 1, 1)));
    assert!(alone.conservation.event_source_mappings.is_empty());
}

/// A record that ends twice is found, whether another one is missing for it or not.
#[test]
fn conservation_fails_where_a_record_ends_twice() {
    for (ended, holds) in [(&[1, 2][..], true), (&[1, 1], false), (&[1, 2, 2], false), (&[1], true)] {
        let summary = of(StreamKind::Kinesis, |to| {
            to.start(0, 0);
            to.put(0, 1..=2);
            to.form(10, 1, &[1, 2]);
            to.run((10, 20), 1, 0, &[1, 2], 0, RunOutcome::Success);
            to.end(20, 0, ended, RecordFate::Succeeded, 1);
        });
        assert_eq!(flows(&summary).map(|flow| flow.holds), [holds; 2], "{ended:?}");
        assert_eq!(summary.conservation.holds, holds, "{ended:?}");
    }
}

/// A record that has the number of another one, or none, is found too.
#[test]
fn conservation_fails_where_a_sequence_number_is_wrong() {
    for (sequences, holds) in [([0, 1], true), ([0, 0], false), ([0, 2], false)] {
        let summary = of(StreamKind::Kinesis, |to| {
            for (submission, sequence) in (1..).zip(sequences) {
                let (origin, stream) = (record(submission), StreamId::from_index(0));
                to.stream(submission, StreamFact::Put { origin, stream, shard: 0, sequence, bytes: 1 });
            }
        });
        assert_eq!(summary.conservation.streams.0[0].1.holds, holds, "{sequences:?}");
    }
}

/// Records count by their own submission, batches by that of their first record, polls and reads by time.
#[test]
fn a_batch_across_the_end_of_the_warm_up() {
    let mut scenario = scenario_with_stream(StreamKind::Kafka);
    scenario.warmup = ms(3);
    let summary = summary(&scenario, |to| {
        to.start(0, 0);
        to.put(0, 1..=7);
        to.poll(2, 0);
        to.form(10, 1, &[1, 2, 3, 4]);
        to.fail((10, 20), 1, 0, &[1, 2, 3, 4]);
        // What is left of it begins with a record that counts.
        to.end(20, 0, &[1, 2], RecordFate::Succeeded, 1);
        to.run((30, 40), 1, 0, &[3, 4], 0, RunOutcome::Success);
        to.end(40, 0, &[3, 4], RecordFate::Succeeded, 2);
        to.succeed((40, 50), 2, 0, &[5, 6]);
        to.poll(50, 1);
        to.filter_out(50, 7);
    });
    let mapping = worker(&summary);
    assert_eq!((mapping.polls, mapping.batches, mapping.invocations, mapping.failed_invocations), (3, 1, 2, 0));
    let events = (mapping.polled_events, mapping.filtered_out_events, mapping.invoked_events);
    assert_eq!(events, (5, 1, 2 + 2 + 2));
    assert_eq!((mapping.failed_invoke_events, mapping.runs_per_record.count, mapping.retries), (2, 4, 1));
    assert_eq!((mapping.committed_events, clicks(&summary).put_records), (Some(5), 5));
    assert_eq!(mapping.iterator_age_ms.count, 2);
    assert_eq!(flows(&summary), [flow(7, 7, 0), flow(7, 7, 0)]);
}

/// ESM-4.3: the lag counts from the start position on, and mappings of one group share it.
#[test]
fn esm_4_3_offset_lag_of_a_consumer_group() {
    let mut scenario = scenario_with_stream(StreamKind::Kafka);
    add_mapping(&mut scenario, "second", |_| {});
    add_mapping(&mut scenario, "other", |mapping| mapping.stream.consumer_group = "other".to_owned());
    let summary = summary(&scenario, |to| {
        to.put(0, 1..=10);
        for mapping in 0..2 {
            to.mapping = mapping;
            to.start(100, 10);
        }
        to.mapping = 2;
        to.start(200, 0);
        to.put(1, [1_000, 2_000, 3_000]);
        to.mapping = 0;
        to.succeed((4_000, 5_000), 1, 1, &[1_000, 2_000]);
        to.mapping = 1;
        to.poll(6_000, 1);
        to.filter_out(6_000, 3_000);
    });
    let rows: Vec<_> = summary.event_source_mappings.rows().collect();
    let lag = rows[0].offset_lag.as_ref().unwrap();
    // 1 for 1 s, 2 for 1 s, 3 for 2 s, 1 for 1 s.
    assert_eq!((lag.max, lag.last, lag.mean), (Some(3), Some(0), Some(10.0 / 3_600.0)));
    assert_eq!(rows[0].offset_lag, rows[1].offset_lag);
    let others = rows[2].offset_lag.as_ref().unwrap();
    assert_eq!((others.max, others.last), (Some(13), Some(13)));
    assert_eq!([0, 1, 2].map(|row: usize| rows[row].committed_events), [Some(2), Some(1), Some(0)]);
    let of_mappings: Vec<_> = summary.conservation.event_source_mappings.rows().copied().collect();
    assert_eq!(of_mappings, [flow(3, 3, 0), flow(3, 3, 0), flow(13, 0, 13)]);
    // The slowest reader decides.
    assert_eq!(summary.conservation.streams.0[0].1, flow(13, 0, 13));
}

/// ESM-4.2, A30: pollers of Kafka are paid for in units of ten, which a poller group shares.
#[test]
fn esm_a30_poller_groups_in_the_bill() {
    for (group, usd) in [(None, 2.0 * 0.185), (Some("shared"), 0.185)] {
        let mut scenario = scenario_with_stream(StreamKind::Kafka);
        let first = &mut scenario.system.event_source_mappings[MappingId::from_index(0)];
        first.stream.provisioned = Some(KafkaPollers {
            minimum: 1,
            maximum: 200,
            invocations: 5,
            throughput: 5_000_000,
            every: crate::kernel::time::SimDuration::from_secs(60),
            group: group.map(str::to_owned),
        });
        add_mapping(&mut scenario, "second", |mapping| mapping.stream.consumer_group = "second".to_owned());
        let summary = summary(&scenario, |to| {
            for mapping in 0..2 {
                to.mapping = mapping;
                to.start(0, 0);
                to.pollers(0, 5);
            }
        });
        let costs = &summary.cost.event_source_mappings;
        assert_eq!(costs.0[0].1.total_usd, usd / 2.0, "{group:?}");
        assert_eq!((costs.0[1].1, summary.cost.total_usd), (costs.0[0].1, usd), "{group:?}");
    }
}

/// Contract, `brokers.N`.
#[test]
fn esm_5_messages_of_a_broker() {
    let mut scenario = scenario_with_broker(BrokerKind::RabbitMq);
    add_mapping(&mut scenario, "second", |_| {});
    let broker = || BrokerId::from_index(0);
    let summary = summary(&scenario, |to| {
        to.send(1..=8);
        to.form(10, 1, &[1, 2]);
        to.fail((10, 20), 1, 0, &[1, 2]);
        to.run((30, 40), 1, 0, &[1, 2], 0, RunOutcome::Success);
        to.end(40, 0, &[1, 2], RecordFate::Succeeded, 2);
        to.mapping = 1;
        to.poll(50, 1);
        to.filter_out(50, 3);
        to.form(60, 2, &[4, 5, 6]);
        to.fail((60, 70), 2, 0, &[4, 5, 6]);
        let queue = Some(Target::Queue(QueueId::from_index(1)));
        for (submission, to_queue) in [(4, queue), (5, None)] {
            to.broker(70, BrokerFact::DeadLettered { origin: record(submission), broker: broker(), to: to_queue });
            to.end(70, 0, &[submission], RecordFate::DeadLettered, 1);
        }
        to.end(70, 0, &[6], RecordFate::Expired, 1);
        to.broker(90, BrokerFact::Expired { origin: record(7), broker: broker(), at: ms(80) });
    });
    let BrokerSummary { received, delivered, retries, failed, dead_letters, .. } = *jobs(&summary);
    assert_eq!((received, delivered, retries, failed, dead_letters), (8, 3, 2, 3, 1));
    assert_eq!(summary.conservation.brokers.0[0].1, flow(8, 7, 1));
    let of_mappings: Vec<_> = summary.conservation.event_source_mappings.rows().copied().collect();
    assert_eq!(of_mappings, [flow(8, 7, 1); 2], "they share the messages");
    assert!(worker(&summary).shards.is_none() && worker(&summary).offset_lag.is_none());
    assert_eq!((worker(&summary).iterator_age_ms.count, worker(&summary).retries), (2, 1));
    assert_eq!(summary.cost.total_usd, 0.0);
}

#[test]
fn a_message_of_a_broker_that_ends_twice_is_found() {
    let summary = summary(&scenario_with_broker(BrokerKind::ActiveMq), |to| {
        to.send([1]);
        to.form(10, 1, &[1]);
        to.end(20, 0, &[1, 1], RecordFate::Succeeded, 1);
    });
    assert!(!summary.conservation.brokers.0[0].1.holds && !summary.conservation.holds);
}

/// Expectations may name every shard that the settings know of, before anything happened.
#[test]
fn all_shards_are_there_from_the_start() {
    use crate::aws::config::{Change, ChangeAction};
    let mut scenario = scenario_with_stream(StreamKind::Kinesis);
    let stream = StreamId::from_index(0);
    for (at, shards) in [(2_000, 8), (1_000, 8), (3_000, 6)] {
        let mut settings = scenario.system.streams[stream].clone();
        settings.shards = shards;
        scenario.system.changes.push(Change { at: ms(at), action: ChangeAction::Stream(stream, Box::new(settings)) });
    }
    let empty = summary(&scenario, |_| {});
    // 4, then 8 more, then 6 more.
    assert_eq!(clicks(&empty).shards, [ShardSummary { records: 0, write_throttles: 0 }; 18]);
    assert_eq!(worker(&empty).shards.as_ref().map(Vec::len), Some(18));
    assert!(empty.conservation.holds);
}

/// Mappings of queues go on as before beside those of streams.
#[test]
fn queues_beside_streams() {
    let mut scenario = scenario_with_stream(StreamKind::Kinesis);
    add_mapping(&mut scenario, "orders-worker", |mapping| mapping.source = Source::Queue(QueueId::from_index(0)));
    let summary = summary(&scenario, |to| {
        to.start(0, 0);
        to.mapping = 1;
        to.poll(10, 5);
        to.pollers(10, 5);
    });
    let mapping = &summary.event_source_mappings.0[1].1;
    assert_eq!((mapping.polls, mapping.polled_events, mapping.shards.is_none()), (1, 0, true));
    assert_eq!((mapping.source.as_str(), worker(&summary).source.as_str()), ("orders", "clicks"));
    assert_eq!(summary.queues.0[0].1.requests, 1);
    assert_eq!(summary.conservation.event_source_mappings.len(), 1);
}
