//! Reports of streams, brokers and their readers, as snapshots.

use crate::aws::config::{BrokerKind, StreamKind, Target};
use crate::aws::fact::{DeliveryError, DiscardCondition, Notice, RecordFate, RunOutcome};
use crate::aws::ids::{Id, QueueId};
use crate::report::{Format, Style, Verdict, latency_csv, render};
use crate::scenario::Scenario;
use crate::stats::summary::Summary;
use crate::stats::testing::{TestReader, add_mapping, ms, scenario_with_broker, scenario_with_stream};

const HOUR: u64 = 3_600_000;

fn summary(scenario: &Scenario, state: impl FnOnce(&mut TestReader)) -> Summary {
    let mut reader = TestReader::new(scenario);
    state(&mut reader);
    let mut summary = reader.to.finish(ms(HOUR));
    summary.lambdasim = "VERSION".to_owned();
    summary.digest = "00c0ffee00c0ffee".to_owned();
    summary
}

fn text(summary: &Summary) -> String {
    let text = render(Format::Text, std::slice::from_ref(summary), Style::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

/// 400 records to four shards, in batches of ten that take a second.
fn healthy(to: &mut TestReader) {
    to.start(0, 0);
    to.pollers(0, 4);
    for number in 0..40_u64 {
        let submissions: Vec<u64> = (1..=10).map(|place| number * 10_000 + place * 100).collect();
        let (shard, times) = (u32::try_from(number % 4).unwrap(), (number * 10_000 + 2_000, number * 10_000 + 3_000));
        to.put(shard, submissions.iter().copied());
        to.succeed(times, number, shard, &submissions);
    }
}

/// A batch of ten that fails three times and is discarded.
fn poison(to: &mut TestReader, at: u64, notice: Notice) {
    let submissions: Vec<u64> = (1..=10).map(|place| at + place).collect();
    to.put(0, submissions.iter().copied());
    to.form(at + 100, at, &submissions);
    for again in 0..3 {
        to.fail((at + 100 + again * 10, at + 105 + again * 10), at, 0, &submissions);
    }
    to.discard(at + 200, &submissions, DiscardCondition::RetryAttemptsExhausted, 3, notice);
}

fn queue() -> Target {
    Target::Queue(QueueId::from_index(1))
}

#[test]
fn records_that_are_all_handled() {
    insta::assert_snapshot!(text(&summary(&scenario_with_stream(StreamKind::Kinesis), healthy)));
}

/// A hot shard, a poison batch, a split, throttles, a filter, and two readers of which one stands still.
#[test]
fn everything_about_streams() {
    let mut scenario = scenario_with_stream(StreamKind::DynamoDb);
    add_mapping(&mut scenario, "a-reader-that-comes-late", |mapping| {
        mapping.stream.maximum_retry_attempts = Some(2);
    });
    let summary = summary(&scenario, |to| {
        healthy(to);
        for submission in 500_001..500_021 {
            to.refuse_put(2, submission);
        }
        poison(to, 600_000, Notice::None);
        poison(to, 700_000, Notice::Delivered(queue()));
        poison(to, 800_000, Notice::Failed(queue(), DeliveryError::Refused(500)));
        to.put(1, 900_001..=900_100);
        to.poll(900_200, 2);
        to.filter_out(900_200, 900_001);
        to.end(900_200, 1, &[900_002], RecordFate::Expired, 0);
        to.form(900_300, 9, &[900_003, 900_004]);
        to.throttle(900_300, 9, 1, &[900_003, 900_004], 905_000);
        to.fail((905_000, 906_000), 9, 1, &[900_003, 900_004]);
        to.split(906_000, 9, &[900_003, 900_004]);
        to.run((906_000, 907_000), 9, 1, &[900_003], 0, RunOutcome::Success);
        to.end(907_000, 1, &[900_003], RecordFate::Succeeded, 2);
        to.mapping = 1;
        to.start(950_000, 400);
    });
    insta::assert_snapshot!(text(&summary));
    assert!(latency_csv(&summary).contains("event_source_mappings.clicks-worker.iterator_age_ms,0.5,"));
}

#[test]
fn a_topic_and_a_broker_with_lag() {
    let topic = summary(&scenario_with_stream(StreamKind::Kafka), |to| {
        to.start(0, 0);
        to.put(0, 1..=1_000);
        to.succeed((2_000, 900_000), 1, 0, &(1..=100).collect::<Vec<_>>());
    });
    let broker = summary(&scenario_with_broker(BrokerKind::RabbitMq), |to| {
        to.send(1..=1_000);
        to.form(2_000, 1, &(1..=100).collect::<Vec<_>>());
        to.fail((2_000, 3_000), 1, 0, &(1..=100).collect::<Vec<_>>());
        to.run((4_000, 5_000), 1, 0, &(1..=100).collect::<Vec<_>>(), 0, RunOutcome::Success);
        to.end(5_000, 0, &(1..=100).collect::<Vec<_>>(), RecordFate::Succeeded, 2);
    });
    insta::assert_snapshot!(format!("{}\n{}", text(&topic), text(&broker)));
}

#[test]
fn verdicts_on_records() {
    let kinesis = || scenario_with_stream(StreamKind::Kinesis);
    let short = |to: &mut TestReader| {
        to.start(0, 0);
        to.put(0, [1, 2]);
        to.form(10, 1, &[1, 2]);
    };
    let shown: Vec<String> = [
        summary(&kinesis(), |to| poison_alone(to, Notice::None)),
        summary(&kinesis(), |to| poison_alone(to, Notice::Failed(queue(), DeliveryError::TooLarge))),
        summary(&kinesis(), |to| poison_alone(to, Notice::Delivered(queue()))),
        summary(&kinesis(), |to| {
            short(to);
            to.end(20, 0, &[1, 2], RecordFate::Expired, 0);
        }),
        summary(&kinesis(), short),
        summary(&kinesis(), |to| {
            healthy(to);
            to.refuse_put(1, 500_000);
        }),
        summary(&kinesis(), |to| {
            short(to);
            to.throttle(10, 1, 0, &[1, 2], 1_000);
            to.run((1_000, 2_000), 1, 0, &[1, 2], 0, RunOutcome::Success);
            to.end(2_000, 0, &[1, 2], RecordFate::Succeeded, 1);
        }),
        summary(&kinesis(), healthy),
    ]
    .iter()
    .map(|summary| {
        let Verdict { mood, text, details } = Verdict::of(summary);
        format!("{mood:?}: {text} | {details}")
    })
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

fn poison_alone(to: &mut TestReader, notice: Notice) {
    to.start(0, 0);
    poison(to, 1_000, notice);
}
