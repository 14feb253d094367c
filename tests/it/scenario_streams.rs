//! Good streams, brokers and the mappings that read them: defaults by type and timing, every key, changes.

use std::path::Path;

use lambdasim::aws::config::{
    Backoff, Broker, BrokerKind, CapacityMode, ChangeAction, Consumers, EventSourceMapping, FaultAt, Jitter,
    KafkaPollers, Keys, PollPhase, Source, SqsPolling, StartingPosition, Stream, StreamKind, StreamPolling, System,
    Target, WindowOpens,
};
use lambdasim::aws::ids::{BrokerId, BucketId, FunctionId, Id, QueueId, StreamId, TopicId};
use lambdasim::kernel::quantity::Ratio;
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::scenario::{json_schema, parse};

const LARGE: &str = include_str!("data/streams.yaml");
const SMALL: &str = "\
name: small
duration: 1h
functions: {f: {duration: 20ms}}
streams: {k: {}, d: {type: dynamodb}, t: {type: kafka}, c: {type: documentdb}, o: {capacity_mode: on_demand}}
brokers: {b: {}}
event_source_mappings:
  kinesis: {source: k, function: f}
  dynamodb: {source: d, function: f}
  kafka: {source: t, function: f}
  mq: {source: b, function: f}
  documentdb: {source: c, function: f}
";

#[track_caller]
fn load(text: &str, overrides: &[&str]) -> System {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let loaded = parse("x.yaml", text.as_bytes(), Path::new(""), &overrides).unwrap_or_else(|error| panic!("{error}"));
    let again = loaded.source.resolved_yaml();
    let system = loaded.scenario.system;
    let again =
        parse("x.yaml", again.as_bytes(), Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}\n{again}"));
    assert_eq!(format!("{:?}", again.scenario.system), format!("{system:?}"), "as it is written out");
    system
}

fn seconds(count: u64) -> SimDuration {
    SimDuration::from_secs(count)
}

fn ms(count: u64) -> SimDuration {
    SimDuration::from_millis(count)
}

fn hours(count: u64) -> SimDuration {
    seconds(3600 * count)
}

fn stream(system: &System, name: &str) -> Stream {
    system.streams.rows().iter().find(|stream| stream.name == name).unwrap().clone()
}

fn broker(system: &System, name: &str) -> Broker {
    system.brokers.rows().iter().find(|broker| broker.name == name).unwrap().clone()
}

fn mapping(system: &System, name: &str) -> EventSourceMapping {
    system.event_source_mappings.rows().iter().find(|mapping| mapping.name == name).unwrap().clone()
}

fn stream_id(system: &System, name: &str) -> StreamId {
    StreamId::from_index(system.streams.rows().iter().position(|stream| stream.name == name).unwrap())
}

/// ESM-2.1, 3, 4, 5, D1, D2, K15, K16: the defaults of each service.
#[test]
fn defaults_of_streams() {
    for (timing, propagation) in [("model.timing=ideal", SimDuration::ZERO), ("model.timing=typical", ms(100))] {
        let system = load(SMALL, &[timing]);
        let kinesis = Stream {
            name: "k".to_owned(),
            order: 1,
            kind: StreamKind::Kinesis,
            shards: 1,
            retention: Some(hours(24)),
            capacity_mode: CapacityMode::Provisioned,
            maximum_record_size: 1 << 20,
            write_bucket: seconds(1),
            other_readers: 0,
            propagation: SimDuration::ZERO,
        };
        let of = |name: &str, order, kind| Stream { name: name.to_owned(), order, kind, ..kinesis.clone() };
        let on_demand = CapacityMode::OnDemand { factor_parts: 2 * Ratio::PARTS, after: seconds(900) };
        let expected = [
            kinesis.clone(),
            Stream { propagation, ..of("d", 2, StreamKind::DynamoDb) },
            Stream { retention: Some(hours(168)), ..of("t", 3, StreamKind::Kafka) },
            Stream { maximum_record_size: 16 << 20, ..of("c", 4, StreamKind::DocumentDb) },
            // ESM-2.1: an on-demand stream starts with 4 shards.
            Stream { shards: 4, capacity_mode: on_demand, ..of("o", 5, StreamKind::Kinesis) },
        ];
        assert_eq!(system.streams.rows(), expected, "{timing}");
        let expected = Broker {
            name: "b".to_owned(),
            order: 6,
            kind: BrokerKind::RabbitMq,
            message_retention: None,
            maximum_redeliveries: None,
            dead_letter_queue: None,
        };
        assert_eq!(system.brokers.rows(), [expected]);
    }
}

#[test]
fn settings_of_streams() {
    let system = load(LARGE, &[]);
    let clicks = stream(&system, "clicks");
    let expected = Stream {
        kind: StreamKind::Kinesis,
        shards: 10,
        retention: Some(hours(8760)),
        capacity_mode: CapacityMode::Provisioned,
        maximum_record_size: 10 << 20,
        write_bucket: seconds(10),
        other_readers: 2,
        propagation: ms(50),
        ..clicks.clone()
    };
    assert_eq!(clicks, expected);
    let grows = CapacityMode::OnDemand { factor_parts: 3 * Ratio::PARTS, after: seconds(600) };
    assert_eq!((stream(&system, "grows").capacity_mode, stream(&system, "grows").shards), (grows, 4));
    assert_eq!(stream(&system, "large").shards, 16);
    let found = ["table", "topic", "documents"].map(|name| {
        let Stream { shards, retention, maximum_record_size, other_readers, propagation, .. } = stream(&system, name);
        (shards, retention, maximum_record_size, other_readers, propagation)
    });
    let expected = [
        (3, Some(hours(24)), 400_000, 1, ms(20)),
        (12, None, 64 << 20, 0, ms(1)),
        (1, Some(hours(168)), 1_000_000, 0, ms(2)),
    ];
    assert_eq!(found, expected);
    let rabbit = broker(&system, "rabbit");
    let expected = Broker {
        kind: BrokerKind::RabbitMq,
        message_retention: Some(hours(1)),
        maximum_redeliveries: Some(0),
        dead_letter_queue: Some(Target::Broker(BrokerId::from_index(1))),
        ..rabbit.clone()
    };
    assert_eq!(rabbit, expected);
    let active = broker(&system, "active");
    let expected = Broker {
        kind: BrokerKind::ActiveMq,
        message_retention: None,
        maximum_redeliveries: Some(5),
        dead_letter_queue: Some(Target::Queue(QueueId::from_index(0))),
        ..active.clone()
    };
    assert_eq!(active, expected);
}

/// ESM-2.2, 2.3, 3, 4, 5, 6.3, C1, C3, C7, K1, K2, K7, K11: the defaults for each type of source.
#[test]
fn defaults_of_mappings() {
    for typical in [false, true] {
        let size = |ideal, usual| if typical { usual } else { ideal };
        let system = load(SMALL, &[if typical { "model.timing=typical" } else { "model.timing=ideal" }]);
        let waits = Backoff { base: ms(250), factor: 2.0, cap: Some(seconds(60)), jitter: Jitter::None };
        let nothing = SimDuration::ZERO;
        let phase = if typical { PollPhase::Random } else { PollPhase::Fixed(nothing) };
        let kinesis = EventSourceMapping {
            name: "kinesis".to_owned(),
            order: 7,
            source: Source::Stream(StreamId::from_index(0)),
            function: FunctionId::from_index(0),
            enabled: true,
            batch_size: 100,
            maximum_batching_window: nothing,
            filter: Ratio::ONE,
            report_batch_item_failures: false,
            enable_delay: size(nothing, seconds(90)),
            update_pause: size(nothing, seconds(60)),
            invoke_overhead: size(nothing, ms(10)),
            window_opens: WindowOpens::FirstRecord,
            payload_limit: 6_291_556,
            record_overhead: 600,
            // Base64: 4/3.
            body_factor_parts: 1_333_333_333_333,
            spurious_duplicate_probability: Ratio::ZERO,
            throttle_retry: waits,
            sqs: SqsPolling::default(),
            stream: StreamPolling {
                push_delay: size(nothing, ms(70)),
                poll_phase: phase,
                // All others are AWS's own for Kinesis.
                ..StreamPolling::default()
            },
        };
        let of = |name: &str, order, source, stream| EventSourceMapping {
            name: name.to_owned(),
            order,
            source,
            body_factor_parts: Ratio::PARTS,
            stream,
            ..kinesis.clone()
        };
        let slow = |mapping| EventSourceMapping {
            maximum_batching_window: ms(500),
            enable_delay: size(nothing, seconds(180)),
            ..mapping
        };
        let from = |index| Source::Stream(StreamId::from_index(index));
        let changes = StreamPolling { poll_every: ms(250), poll_phase: phase, ..StreamPolling::default() };
        let kafka = StreamPolling { consumer_group: "kafka".to_owned(), ..StreamPolling::default() };
        let broker = Source::Broker(BrokerId::from_index(0));
        let expected = [
            kinesis.clone(),
            of("dynamodb", 8, from(1), changes),
            slow(of("kafka", 9, from(2), kafka)),
            slow(of("mq", 10, broker, StreamPolling::default())),
            slow(of("documentdb", 11, from(3), StreamPolling::default())),
        ];
        for (found, expected) in system.event_source_mappings.rows().iter().zip(&expected) {
            assert_eq!(found, expected);
        }
    }
}

/// ESM-2.2, 2.3, 2.4, 4.1, F1, F2: what the defaults of `StreamPolling` are.
#[test]
fn defaults_of_reading() {
    let expected = StreamPolling {
        starting_position: StartingPosition::TrimHorizon,
        parallelization_factor: 1,
        maximum_retry_attempts: None,
        maximum_record_age: None,
        bisect_batch_on_function_error: false,
        bisect_resets_retries: false,
        tumbling_window: SimDuration::ZERO,
        tumbling_window_grace: seconds(120),
        on_failure: None,
        retry: Backoff { base: ms(250), factor: 2.0, cap: Some(seconds(60)), jitter: Jitter::None },
        enhanced_fan_out: false,
        push_delay: SimDuration::ZERO,
        poll_every: seconds(1),
        poll_phase: PollPhase::Fixed(SimDuration::ZERO),
        consumer_group: String::new(),
        consumers: Consumers {
            initial: 1,
            every: seconds(60),
            factor_parts: 2 * Ratio::PARTS,
            effective_after: seconds(60),
            shrink_after: 3,
        },
        provisioned: None,
    };
    assert_eq!(StreamPolling::default(), expected);
    let system = load(SMALL, &["event_source_mappings.kafka.provisioned_pollers={}"]);
    // ESM-4.2, F4.
    let expected = KafkaPollers {
        minimum: 1,
        maximum: 200,
        invocations: 5,
        throughput: 5_000_000,
        every: seconds(60),
        group: None,
    };
    assert_eq!(mapping(&system, "kafka").stream.provisioned, Some(expected));
}

#[test]
fn settings_of_mappings() {
    let system = load(LARGE, &[]);
    let found = mapping(&system, "clicker");
    let waits = |base, factor, cap, jitter| Backoff { base, factor, cap, jitter };
    let expected = EventSourceMapping {
        name: "clicker".to_owned(),
        order: found.order,
        source: Source::Stream(stream_id(&system, "clicks")),
        function: FunctionId::from_index(0),
        enabled: false,
        batch_size: 10_000,
        maximum_batching_window: seconds(300),
        filter: Ratio::from_parts(Ratio::PARTS / 10 * 3).unwrap(),
        report_batch_item_failures: true,
        enable_delay: seconds(60),
        update_pause: seconds(10),
        invoke_overhead: ms(5),
        window_opens: WindowOpens::Rolling,
        payload_limit: 256_000,
        record_overhead: 700,
        body_factor_parts: Ratio::PARTS / 4 * 5,
        spurious_duplicate_probability: Ratio::from_parts(Ratio::PARTS / 1000).unwrap(),
        throttle_retry: waits(ms(500), 3.0, None, Jitter::Full),
        sqs: SqsPolling::default(),
        stream: StreamPolling {
            starting_position: StartingPosition::At(SimTime::from_nanos(300_000_000_000)),
            parallelization_factor: 10,
            maximum_retry_attempts: Some(10_000),
            maximum_record_age: Some(hours(168)),
            bisect_batch_on_function_error: true,
            bisect_resets_retries: true,
            tumbling_window: SimDuration::ZERO,
            tumbling_window_grace: seconds(60),
            on_failure: Some(Target::Bucket(BucketId::from_index(0))),
            retry: waits(
                seconds(1),
                1.5,
                Some(seconds(300)),
                Jitter::Share(Ratio::from_parts(Ratio::PARTS / 5).unwrap()),
            ),
            enhanced_fan_out: true,
            push_delay: ms(30),
            poll_every: seconds(2),
            poll_phase: PollPhase::Fixed(ms(500)),
            ..StreamPolling::default()
        },
    };
    assert_eq!(found, expected);
    let summer = mapping(&system, "summer").stream;
    assert_eq!(
        (summer.tumbling_window, summer.on_failure),
        (seconds(900), Some(Target::Queue(QueueId::from_index(0))))
    );
    let changes = mapping(&system, "changes").stream;
    assert_eq!(changes.starting_position, StartingPosition::Latest);
    assert_eq!((changes.maximum_retry_attempts, changes.maximum_record_age), (Some(0), Some(seconds(60))));
    assert_eq!(changes.on_failure, Some(Target::Topic(TopicId::from_index(0))));
}

#[test]
fn settings_of_kafka_and_others() {
    let system = load(LARGE, &[]);
    let reader = mapping(&system, "reader").stream;
    let expected = StreamPolling {
        starting_position: StartingPosition::At(SimTime::from_nanos(0)),
        maximum_retry_attempts: Some(3),
        maximum_record_age: Some(hours(1)),
        bisect_batch_on_function_error: true,
        bisect_resets_retries: true,
        on_failure: Some(Target::Stream(stream_id(&system, "failed"))),
        retry: Backoff { base: seconds(1), ..StreamPolling::default().retry },
        consumer_group: "workers".to_owned(),
        consumers: Consumers {
            initial: 2,
            every: seconds(30),
            factor_parts: Ratio::PARTS / 2 * 3,
            effective_after: seconds(180),
            shrink_after: 5,
        },
        provisioned: Some(KafkaPollers {
            minimum: 200,
            maximum: 1999,
            invocations: 4,
            throughput: 4_000_000,
            every: seconds(30),
            group: Some("shared".to_owned()),
        }),
        ..StreamPolling::default()
    };
    assert_eq!(reader, expected);
    let plain = mapping(&system, "plain").stream;
    // ESM-2.3: -1 is no limit.
    assert_eq!((plain.maximum_retry_attempts, plain.maximum_record_age), (None, None));
    assert_eq!(plain.consumer_group, "plain");
    let worker = mapping(&system, "worker");
    assert_eq!(worker.source, Source::Broker(BrokerId::from_index(0)));
    assert_eq!((worker.maximum_batching_window, worker.stream.retry.base), (SimDuration::ZERO, seconds(2)));
    // ESM-K2: what is not said of throttles is as for failures.
    assert_eq!(worker.throttle_retry, worker.stream.retry);
    assert_eq!(mapping(&system, "tail").stream.starting_position, StartingPosition::Latest);
}

#[test]
fn callers_and_faults() {
    let system = load(LARGE, &[]);
    let found = system.callers.rows().iter().map(|caller| (&*caller.name, caller.target, caller.messages_per_call));
    let clicks = Target::Stream(stream_id(&system, "clicks"));
    let expected = [
        ("puts", clicks, 500),
        ("writes", Target::Stream(stream_id(&system, "table")), 25),
        ("produces", Target::Stream(stream_id(&system, "topic")), 500),
        ("inserts", Target::Stream(stream_id(&system, "documents")), 1),
        ("publishes", Target::Broker(BrokerId::from_index(0)), 1),
        ("loops", clicks, 1),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(system.callers.rows()[0].keys, Keys::Hash(vec![0, u128::MAX]));
    let struck = system.faults.iter().map(|fault| fault.at).collect::<Vec<_>>();
    assert_eq!(struck, [FaultAt::Send(clicks), FaultAt::Send(Target::Broker(BrokerId::from_index(0)))]);
}

#[test]
fn changes() {
    let system = load(LARGE, &[]);
    let shown = system.changes.iter().map(|change| match &change.action {
        ChangeAction::Stream(_, stream) => {
            let retention = stream.retention.map_or("unlimited".to_owned(), |kept| kept.to_string());
            format!("{} {} {retention}", stream.name, stream.shards)
        }
        ChangeAction::Mapping(_, mapping) => {
            let maximum = mapping.stream.provisioned.as_ref().map(|pollers| pollers.maximum);
            format!("{} {} {maximum:?}", mapping.name, mapping.stream.parallelization_factor)
        }
        other => panic!("{other:?}"),
    });
    let expected = ["clicks 20 1d", "table 1 1d", "topic 24 unlimited", "clicker 2 None", "reader 1 Some(300)"];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

/// ESM-A45: at most twice and at least half as many shards, at most 10 times within 24 h.
#[test]
fn esm_a45_shards_change_within_bounds() {
    let text = |changes: &str| {
        format!(
            "name: x\nduration: 1h\nfunctions: {{f: {{duration: 1s}}}}\nstreams: {{s: {{shards: 10}}}}\nchanges: [{changes}]\n"
        )
    };
    let set = |at: &str, shards: u32| format!("{{at: {at}, set: {{streams.s.shards: {shards}}}}}");
    for shards in [20, 5, 10] {
        load(&text(&set("1s", shards)), &[]);
    }
    // An odd number of shards: at least half of 5 is 3.
    load(&text(&[set("1s", 5), set("2s", 3)].join(", ")), &[]);
    let hourly = (0..10).map(|hour| set(&format!("{hour}h"), if hour % 2 == 0 { 20 } else { 10 }));
    let mut hourly = hourly.collect::<Vec<_>>();
    load(&text(&hourly.join(", ")), &[]);
    // The eleventh, when the first lies 24 h back; one that changes nothing does not count.
    hourly.push(set("10h", 10));
    hourly.push(set("24h", 20));
    load(&text(&hourly.join(", ")), &[]);
    // From 10 to 10,000 shards by doubling.
    let doubled = (0..10).map(|step| set(&format!("{step}s"), (10 << (step + 1)).min(10_000)));
    load(&text(&doubled.collect::<Vec<_>>().join(", ")), &[]);
}

/// What the schema refuses, the reader refuses too.
#[test]
fn the_schema_knows_streams() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let valid = |text: &str| {
        let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
        validator.is_valid(&serde_json::to_value(value).unwrap())
    };
    assert!(valid(SMALL) && valid(LARGE));
    for (good, bad) in [
        ("k: {}", "k: {type: pulsar}"),
        ("k: {}", "k: {shards: 10001}"),
        ("k: {}", "k: {partitions: 4}"),
        ("k: {}", "k: {retention: 1}"),
        ("{type: kafka}", "{type: kafka, shards: 4}"),
        ("{type: dynamodb}", "{type: dynamodb, capacity_mode: on_demand}"),
        ("{type: documentdb}", "{type: documentdb, shards: 1}"),
        ("b: {}", "b: {type: activemq, shards: 1}"),
        ("{source: k, function: f}", "{source: k, function: f, parallelization_factor: 11}"),
        ("{source: k, function: f}", "{source: k, function: f, starting_position: {from: 5m}}"),
        ("{source: k, function: f}", "{source: k, function: f, tumbling_window: 5m, consumer_group: a}"),
        ("{source: t, function: f}", "{source: t, function: f, provisioned_pollers: {receives: 5/s, group: a}}"),
    ] {
        let text = SMALL.replace(good, bad);
        assert!(text != SMALL && !valid(&text), "{bad}");
        assert!(parse("x.yaml", text.as_bytes(), Path::new(""), &[]).is_err(), "{bad}");
    }
}

/// How the resolved scenario shows defaults that depend on others.
#[test]
fn defaults_are_written_out() {
    let loaded = parse("x.yaml", SMALL.as_bytes(), Path::new(""), &[]).unwrap();
    let text = loaded.source.resolved_yaml();
    let lines = text.lines().map(str::trim).collect::<Vec<_>>();
    for line in [
        "shards: 4  # default, ESM-2.1",
        "shards: 1  # default, ESM-2.1",
        "partitions: 1  # default, ESM-4",
        "retention: 7d  # default, ESM-4",
        "consumer_group: kafka  # default, ESM-4.1",
        "maximum_batching_window: 500ms  # default, ESM-6.3",
        "batch_size: 100  # default, ESM-1.1",
        "maximum_retry_attempts: unlimited  # default, ESM-2.3",
        "poll_every: 250ms  # default, ESM-3",
    ] {
        assert!(lines.contains(&line), "no {line:?} in\n{text}");
    }
    let start = text.find("\nstreams:").unwrap();
    let end = text.find("\nqueues:").unwrap();
    insta::assert_snapshot!(&text[start + 1..end]);
}
