//! Good queues, mappings and messages: defaults, every key, changes.

use std::path::Path;

use lambdasim::aws::config::{
    Backoff, Caller, ChangeAction, Deduplication, DeduplicationScope, EventSourceMapping, FailureKind, Fairness,
    Growth, Invocation, Jitter, Keys, Pollers, ProvisionedPollers, Queue, QueueKind, Redrive, Source, SqsPolling,
    StaleDelete, StreamPolling, System, Target, WindowOpens,
};
use lambdasim::aws::ids::{FunctionId, Id, MappingId, QueueId};
use lambdasim::kernel::dist::Distribution;
use lambdasim::kernel::quantity::{Rate, Ratio};
use lambdasim::kernel::time::SimDuration;
use lambdasim::scenario::{json_schema, parse};

const SMALL: &str = "\
name: small
duration: 1h
functions: {f: {duration: 20ms}}
queues: {q: {}, line: {type: fifo}}
event_source_mappings: {m: {source: q, function: f}}
callers: {c: {target: q, arrivals: {poisson: 5/s}}}
";

#[track_caller]
fn load(text: &str, overrides: &[&str]) -> System {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let base = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data"));
    let loaded = parse("x.yaml", text.as_bytes(), base, &overrides).unwrap_or_else(|error| panic!("{error}"));
    let again = loaded.source.resolved_yaml();
    let system = loaded.scenario.system;
    let again = parse("x.yaml", again.as_bytes(), base, &[]).unwrap_or_else(|error| panic!("{error}\n{again}"));
    assert_eq!(format!("{:?}", again.scenario.system), format!("{system:?}"), "as it is written out");
    system
}

fn large() -> System {
    load(include_str!("data/large.yaml"), &[])
}

fn seconds(count: u64) -> SimDuration {
    SimDuration::from_secs(count)
}

fn ms(count: u64) -> SimDuration {
    SimDuration::from_millis(count)
}

fn percent(share: u64) -> Ratio {
    Ratio::from_parts(Ratio::PARTS / 100 * share).unwrap()
}

fn queue(system: &System, name: &str) -> Queue {
    system.queues.rows().iter().find(|queue| queue.name == name).unwrap().clone()
}

fn mapping(system: &System, name: &str) -> EventSourceMapping {
    system.event_source_mappings.rows().iter().find(|mapping| mapping.name == name).unwrap().clone()
}

fn caller(system: &System, name: &str) -> Caller {
    system.callers.rows().iter().find(|caller| caller.name == name).unwrap().clone()
}

/// ESM-1.1, 1.10, 1.11, 1.13, S13 to S28: AWS's defaults.
#[test]
fn defaults_of_queues() {
    for timing in ["model.timing=ideal", "model.timing=typical"] {
        let system = load(SMALL, &[timing]);
        let standard = queue(&system, "q");
        let expected = Queue {
            name: "q".to_owned(),
            order: 1,
            kind: QueueKind::Standard,
            visibility_timeout: seconds(30),
            message_retention: seconds(345_600),
            delivery_delay: SimDuration::ZERO,
            redrive: None,
            maximum_message_size: 1_048_576,
            maximum_in_flight: 120_000,
            short_receive_probability: Ratio::ZERO,
            shuffle_window: 1,
            wakeup: SimDuration::ZERO,
            delete_latency: SimDuration::ZERO,
            stale_delete: StaleDelete::Ignored,
            attribute_propagation: SimDuration::ZERO,
            oldest_age_skips_after: None,
            fair: Some(Fairness {
                share: percent(10),
                in_flight: 30,
                processing_share: None,
                quiet_after: seconds(300),
            }),
            ..standard.clone()
        };
        assert_eq!(standard, expected);
        let fifo = queue(&system, "line");
        let expected = Queue {
            name: "line".to_owned(),
            order: 2,
            kind: QueueKind::Fifo,
            short_receive_probability: Ratio::ZERO,
            shuffle_window: 1,
            content_based_deduplication: false,
            deduplication_scope: DeduplicationScope::Queue,
            deduplication_window: seconds(300),
            fifo_throughput: Some(Rate::per_second(300)),
            group_lookahead: 120_000,
            fair: None,
            ..standard
        };
        assert_eq!(fifo, expected);
    }
}

#[test]
fn settings_of_queues() {
    let system = large();
    let id = |name: &str| QueueId::from_index(system.queues.rows().iter().position(|row| row.name == name).unwrap());
    let fifo = queue(&system, "line");
    let expected = Queue {
        kind: QueueKind::Fifo,
        visibility_timeout: seconds(12 * 3600),
        message_retention: seconds(60),
        delivery_delay: seconds(900),
        redrive: Some(Redrive { dead_letter_queue: id("line-dlq"), max_receive_count: 1 }),
        maximum_message_size: 262_144,
        maximum_in_flight: 20_000,
        wakeup: ms(5),
        delete_latency: ms(10),
        attribute_propagation: seconds(60),
        oldest_age_skips_after: Some(3),
        content_based_deduplication: true,
        deduplication_scope: DeduplicationScope::MessageGroup,
        deduplication_window: seconds(240),
        fifo_throughput: Some(Rate::per_second(70_000)),
        group_lookahead: 20_000,
        ..fifo.clone()
    };
    assert_eq!(fifo, expected);
    assert_eq!(queue(&system, "line-dlq").fifo_throughput, None);
    let standard = queue(&system, "orders");
    let expected = Queue {
        kind: QueueKind::Standard,
        visibility_timeout: seconds(90 * 60),
        message_retention: seconds(14 * 24 * 3600),
        redrive: Some(Redrive { dead_letter_queue: id("lost"), max_receive_count: 1000 }),
        maximum_message_size: 1024,
        maximum_in_flight: 1000,
        short_receive_probability: percent(10),
        shuffle_window: 100,
        wakeup: ms(5),
        delete_latency: ms(10),
        stale_delete: StaleDelete::Effective,
        attribute_propagation: seconds(60),
        oldest_age_skips_after: None,
        fair: Some(Fairness {
            share: percent(20),
            in_flight: 100,
            processing_share: Some(percent(25)),
            quiet_after: seconds(600),
        }),
        ..standard.clone()
    };
    assert_eq!(standard, expected);
}

/// ESM-1.1 to 1.12, C1, C3, C7, C9, S1 to S12: AWS's defaults.
#[test]
fn defaults_of_mappings() {
    for (timing, enable_delay, invoke_overhead) in
        [("model.timing=ideal", SimDuration::ZERO, SimDuration::ZERO), ("model.timing=typical", seconds(30), ms(10))]
    {
        let expected = EventSourceMapping {
            name: "m".to_owned(),
            order: 3,
            source: Source::Queue(QueueId::from_index(0)),
            function: FunctionId::from_index(0),
            enabled: true,
            batch_size: 10,
            maximum_batching_window: SimDuration::ZERO,
            filter: Ratio::ONE,
            report_batch_item_failures: false,
            enable_delay,
            update_pause: SimDuration::ZERO,
            invoke_overhead,
            window_opens: WindowOpens::FirstRecord,
            payload_limit: 6_291_556,
            record_overhead: 600,
            body_factor_parts: Ratio::PARTS,
            spurious_duplicate_probability: Ratio::ZERO,
            throttle_retry: Backoff { base: seconds(1), factor: 2.0, cap: Some(seconds(20)), jitter: Jitter::None },
            sqs: SqsPolling {
                maximum_concurrency: None,
                pollers: Pollers {
                    initial: 5,
                    per_minute: 300,
                    maximum: 1250,
                    growth: Growth::Linear,
                    floor: 5,
                    floor_after: seconds(300),
                    retire_after: 1,
                    error_backoff: percent(95),
                    throttle_backoff: percent(95),
                },
                provisioned: None,
                long_poll: seconds(20),
                low_traffic_wait: seconds(20),
                fifo_single_group_batches: false,
            },
            stream: StreamPolling::default(),
        };
        assert_eq!(mapping(&load(SMALL, &[timing]), "m"), expected, "{timing}");
    }
    let provisioned = load(SMALL, &["event_source_mappings.m.provisioned_pollers={}"]);
    let expected = ProvisionedPollers {
        minimum: 2,
        maximum: 200,
        invocations: 10,
        receives: Rate::per_second(10),
        throughput: 1_000_000,
        per_minute: 100,
        every: seconds(1),
        down_below: percent(50),
        down_after: seconds(60),
        down_every: seconds(6),
    };
    assert_eq!(mapping(&provisioned, "m").sqs.provisioned, Some(expected));
}

#[test]
fn settings_of_mappings() {
    let system = large();
    let found = mapping(&system, "worker");
    let expected = EventSourceMapping {
        name: "worker".to_owned(),
        order: found.order,
        source: found.source,
        function: FunctionId::from_index(0),
        enabled: false,
        batch_size: 10_000,
        maximum_batching_window: seconds(300),
        filter: percent(30),
        report_batch_item_failures: true,
        enable_delay: seconds(60),
        update_pause: seconds(10),
        invoke_overhead: ms(5),
        window_opens: WindowOpens::Rolling,
        payload_limit: 256_000,
        record_overhead: 700,
        body_factor_parts: Ratio::PARTS / 4 * 5,
        spurious_duplicate_probability: Ratio::from_parts(Ratio::PARTS / 1000).unwrap(),
        throttle_retry: Backoff { base: ms(500), factor: 3.0, cap: None, jitter: Jitter::Full },
        sqs: SqsPolling {
            maximum_concurrency: Some(1000),
            pollers: Pollers {
                initial: 3,
                per_minute: 60,
                maximum: 1000,
                growth: Growth::Step,
                floor: 2,
                floor_after: seconds(60),
                retire_after: 3,
                error_backoff: percent(50),
                throttle_backoff: percent(75),
            },
            provisioned: None,
            long_poll: seconds(10),
            low_traffic_wait: SimDuration::ZERO,
            fifo_single_group_batches: false,
        },
        stream: StreamPolling::default(),
    };
    assert_eq!(found, expected);
    assert!(mapping(&system, "liner").sqs.fifo_single_group_batches);
    let expected = ProvisionedPollers {
        minimum: 200,
        maximum: 3000,
        invocations: 5,
        receives: Rate::per_second(20),
        throughput: 2_000_000,
        per_minute: 50,
        every: seconds(5),
        down_below: percent(40),
        down_after: seconds(120),
        down_every: seconds(10),
    };
    assert_eq!(mapping(&system, "ready").sqs.provisioned, Some(expected));
}

#[test]
fn messages_of_callers() {
    let small = caller(&load(SMALL, &[]), "c");
    assert_eq!((small.target, small.invocation), (Target::Queue(QueueId::from_index(0)), Invocation::Sync));
    assert_eq!((small.keys, small.deduplication, small.messages_per_call), (Keys::Even, Deduplication::None, 1));
    assert_eq!(small.delay, None);
    let system = large();
    let texts = |texts: &[&str]| Keys::List(texts.iter().map(|text| (*text).to_owned()).collect());
    for (name, keys, deduplication, messages) in [
        ("groups", Keys::Zipf { count: 1000, exponent: 1.1 }, Deduplication::Uniform(100), 10),
        ("senders", texts(&["user-1", "a"]), Deduplication::None, 1),
        ("plain", Keys::Even, Deduplication::None, 1),
        ("hashed", Keys::Hash(vec![0, u128::from(u64::MAX)]), Deduplication::None, 1),
        ("single", texts(&["a"]), Deduplication::Constant("b".to_owned()), 1),
        ("spread", Keys::Uniform(100), Deduplication::None, 1),
    ] {
        let found = caller(&system, name);
        let found = (found.keys, found.deduplication, found.messages_per_call);
        assert_eq!(found, (keys, deduplication, messages), "{name}");
    }
    assert_eq!(caller(&system, "plain").delay, None);
    assert_eq!(caller(&system, "hashed").delay.unwrap().is_constant(), Some(30_000_000_000));
    assert_eq!(caller(&system, "senders").delay.unwrap().max(), Some(900_000_000_000));
}

/// ESM-1.4.
#[test]
fn functions_of_batches() {
    let small = load(SMALL, &[]);
    assert_eq!(small.functions.rows()[0].duration_per_record, Distribution::constant(0));
    let system = large();
    let function = &system.functions.rows()[0];
    assert_eq!(function.duration_per_record, Distribution::uniform(1_000_000, 3_000_000).unwrap());
    assert!(function.failures.iter().any(|failure| failure.kind == FailureKind::BadBatchResponse));
}

#[test]
fn changes() {
    let text = SMALL.to_owned()
        + "\
changes:
  - {at: 1m, set: {event_source_mappings.m.batch_size: 5, queues.q.visibility_timeout: 20s, functions.f.timeout: 10s}}
  - {at: 2m, set: {event_source_mappings.m.provisioned_pollers: {}}, redrive: {queue: q, to: other}, deploy: f}
  - {at: 3m, set: {event_source_mappings.m.provisioned_pollers: none, event_source_mappings.m.function: f}}
  - {at: 4m, set: {queues.line.redrive: {dead_letter_queue: other-line, max_receive_count: 3}}}
  - {at: 5m, redrive: {queue: other, to: q, rate: 10/min}}
";
    let text = text.replace("line: {type: fifo}", "line: {type: fifo}, other: {}, other-line: {type: fifo}");
    let system = load(&text, &[]);
    let shown = system.changes.iter().map(|change| match &change.action {
        ChangeAction::Function(id, function) => format!("function {} {}", id.index(), function.timeout),
        ChangeAction::Queue(id, queue) => {
            let redrive = queue.redrive.map(|redrive| (redrive.dead_letter_queue.index(), redrive.max_receive_count));
            format!("queue {} {} {redrive:?}", id.index(), queue.visibility_timeout)
        }
        ChangeAction::Mapping(id, mapping) => {
            assert_eq!(*id, MappingId::from_index(0));
            format!("mapping {} {}", mapping.batch_size, mapping.sqs.provisioned.is_some())
        }
        ChangeAction::Redrive { queue, to, rate } => {
            format!("redrive {} {} {} in {}", queue.index(), to.index(), rate.events, rate.per)
        }
        ChangeAction::Deploy(id) => format!("deploy {}", id.index()),
        other => panic!("{other:?}"),
    });
    let expected = [
        "function 0 10s",
        "queue 0 20s None",
        "mapping 5 false",
        "mapping 5 true",
        "deploy 0",
        "redrive 0 2 500 in 1s",
        "mapping 5 false",
        "queue 1 30s Some((3, 3))",
        "redrive 2 0 10 in 1m",
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

/// ESM-S16, 1.11: in the file, by `--set` and in a change; as it is written, and with its defaults.
#[test]
fn forms_of_receives_and_of_fair() {
    for (written, skips_after) in
        [("3 receives", Some(3)), ("1 receive", Some(1)), ("4", Some(4)), ("off", None), ("false", None)]
    {
        let system = load(SMALL, &[&format!("queues.q.oldest_age_skips_after={written}")]);
        assert_eq!(queue(&system, "q").oldest_age_skips_after, skips_after, "{written}");
    }
    let change = "changes: [{at: 1m, set: {queues.q.oldest_age_skips_after: 3 receives, queues.q.fair.in_flight: 9}}]";
    let system = load(&format!("{SMALL}{change}\n"), &["queues.q.fair.share=20%"]);
    let [change] = &*system.changes else { panic!("{:?}", system.changes) };
    let ChangeAction::Queue(_, changed) = &change.action else { panic!("{change:?}") };
    let fair = changed.fair.unwrap();
    assert_eq!((changed.oldest_age_skips_after, fair.in_flight, fair.share), (Some(3), 9, percent(20)));
    assert_eq!(queue(&load(SMALL, &["queues.q.fair=off"]), "q").fair, None);
}

/// What the schema refuses, the reader refuses too.
#[test]
fn the_schema_knows_queues_and_mappings() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let valid = |text: &str| {
        let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
        validator.is_valid(&serde_json::to_value(value).unwrap())
    };
    assert!(valid(SMALL));
    for good in ["3 receives", "1 receive", "3", "off"] {
        let text = SMALL.replace("q: {}", &format!("q: {{oldest_age_skips_after: {good}, fair: {{in_flight: 5}}}}"));
        assert!(valid(&text), "{good}");
    }
    assert!(valid(&SMALL.replace("q: {}", "q: {fair: off}")));
    for (good, bad) in [
        ("q: {}", "q: {type: express}"),
        ("q: {}", "q: {visibility_timeout: 30}"),
        ("q: {}", "q: {fifo_throughput: 300/s}"),
        ("q: {}", "q: {type: standard, group_lookahead: 5}"),
        ("q: {}", "q: {oldest_age_skips_after: 3 times}"),
        ("q: {}", "q: {fair: {in_flight: 0}}"),
        ("q: {}", "q: {fair: {noisy: 10%}}"),
        ("{type: fifo}", "{type: fifo, fair: {}}"),
        ("{type: fifo}", "{type: fifo, shuffle_window: 5}"),
        ("q: {}", "q: {redrive: {dead_letter_queue: line}}"),
        ("function: f", "function: f, batch_size: 10001"),
        ("function: f", "function: f, maximum_concurrency: 1"),
        ("function: f", "function: f, parallelism: 2"),
        ("function: f", "function: f, provisioned_pollers: {throughput: 1MB}"),
        ("source: q, ", ""),
        ("target: q", "target: q, keys: {constant: a, uniform: 2}"),
        ("target: q", "target: q, messages_per_call: 501"),
        ("duration: 1h", "duration: 1h\nchanges: [{at: 1s, set: {topics.t.retry: none}}]"),
    ] {
        let text = SMALL.replace(good, bad);
        assert!(text != SMALL && !valid(&text), "{bad}");
        assert!(parse("x.yaml", text.as_bytes(), Path::new(""), &[]).is_err(), "{bad}");
    }
}
