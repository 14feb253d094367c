//! Mappings of streams, Kafka topics, brokers and `DocumentDB`: ranges of their keys, and what AWS refuses.

use super::*;

/// A good scenario with a mapping of this content.
fn with(source: &str, keys: &str) -> String {
    format!(
        "{GOOD}queues: {{standard: {{}}, fifo: {{type: fifo}}}}\n\
         topics: {{news: {{}}}}\nbuckets: {{archive: {{}}}}\nevent_buses: {{bus: {{}}}}\n\
         streams: {{kinesis: {{}}, dynamodb: {{type: dynamodb}}, kafka: {{type: kafka}}, failed: {{type: kafka}}, \
         documentdb: {{type: documentdb}}}}\nbrokers: {{mq: {{}}}}\n\
         event_source_mappings: {{m: {{source: {source}, function: f, {keys}}}}}\n"
    )
}

const SOURCES: [&str; 5] = ["kinesis", "dynamodb", "kafka", "mq", "documentdb"];

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{error}\n{text}");
    }
}

#[track_caller]
fn refuses(source: &str, keys: &str, kind: Kind, key: &str, says: &str) {
    let error = refuse(with(source, keys).as_bytes(), &[]);
    let problem = &error.problems()[0];
    let key = format!("event_source_mappings.m.{key}");
    assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, &*key), "{source}, {keys}:\n{error}");
    assert!(error.to_string().contains(says), "{source}, {keys}: no {says:?} in\n{error}");
}

const RANGE: Kind = Kind::OutOfRange;
const TOGETHER: Kind = Kind::Contradiction;
const VALUE: Kind = Kind::InvalidValue;
const KEY: Kind = Kind::UnknownKey;

/// ESM-2.2, 2.3, 2.4, A-39: the limits of Kinesis and `DynamoDB` alike.
#[test]
fn esm_a39_streams() {
    for source in ["kinesis", "dynamodb"] {
        for good in [
            "batch_size: 1",
            // ESM-1.1.2 is of SQS alone.
            "batch_size: 10000, maximum_batching_window: 0s",
            "maximum_batching_window: 300s",
            "maximum_record_age: -1",
            "maximum_record_age: unlimited",
            "maximum_record_age: 60s",
            "maximum_record_age: 604800s",
            "maximum_retry_attempts: -1",
            "maximum_retry_attempts: 0",
            "maximum_retry_attempts: 10000",
            "parallelization_factor: 10",
            "tumbling_window: 900s",
            "tumbling_window: 0s, parallelization_factor: 10",
            "tumbling_window: 1s, parallelization_factor: 1",
            "starting_position: latest",
            "on_failure: standard",
            "on_failure: news",
            "on_failure: archive",
            "on_failure: none",
            "report_batch_item_failures: on, bisect_batch_on_function_error: on",
            "retry: {base: 1ns, factor: 1, cap: 1ns}",
            "poll_phase: 249ms",
            "poll_phase: random",
        ] {
            accepts(&with(source, good));
        }
        for (keys, kind, key, says) in [
            ("batch_size: 0", RANGE, "batch_size", "a whole number from 1 to 10000"),
            ("batch_size: 10001", RANGE, "batch_size", "too large"),
            ("maximum_batching_window: 301s", RANGE, "maximum_batching_window", "a duration from 0s to 5m"),
            ("maximum_batching_window: 500ms", VALUE, "maximum_batching_window", "whole seconds, at most 5m"),
            ("maximum_record_age: 59s", RANGE, "maximum_record_age", "`unlimited` or a duration from 1m to 7d"),
            ("maximum_record_age: 0s", RANGE, "maximum_record_age", "too small"),
            ("maximum_record_age: 604801s", RANGE, "maximum_record_age", "too large"),
            ("maximum_record_age: 60500ms", VALUE, "maximum_record_age", "whole seconds from 60s to 7d"),
            ("maximum_retry_attempts: 10001", RANGE, "maximum_retry_attempts", "from 0 to 10000"),
            ("maximum_retry_attempts: -2", RANGE, "maximum_retry_attempts", "`unlimited`"),
            ("parallelization_factor: 0", RANGE, "parallelization_factor", "a whole number from 1 to 10"),
            ("parallelization_factor: 11", RANGE, "parallelization_factor", "too large"),
            ("tumbling_window: 901s", RANGE, "tumbling_window", "a duration from 0s to 15m"),
            ("tumbling_window: 1500ms", VALUE, "tumbling_window", "whole seconds, at most 15m"),
            (
                "tumbling_window: 60s, parallelization_factor: 2",
                TOGETHER,
                "parallelization_factor",
                "a tumbling window has one batch of a shard at a time",
            ),
            ("on_failure: fifo", TOGETHER, "on_failure", "this is a FIFO queue"),
            ("on_failure: failed", Kind::UnknownName, "on_failure", "this is a stream"),
            ("on_failure: f", Kind::UnknownName, "on_failure", "there is no queue, topic or bucket `f`"),
            ("on_failure: bus", Kind::UnknownName, "on_failure", "this is an event bus"),
            ("starting_position: earliest", VALUE, "starting_position", "expected `trim_horizon`"),
            ("retry: {base: 0s}", RANGE, "retry.base", "above `0s`"),
            ("retry: {factor: 0.9}", RANGE, "retry.factor", "a number from 1"),
            ("poll_every: 0s", RANGE, "poll_every", "above `0s`"),
            ("poll_phase: 1s, poll_every: 1s", TOGETHER, "poll_phase", "`poll_phase` is not shorter than `poll_every`"),
            ("poll_phase: never", VALUE, "poll_phase", "expected `random`"),
            ("max_retries: 2", KEY, "max_retries", "did you mean `maximum_retry_attempts`?"),
        ] {
            refuses(source, keys, kind, key, says);
        }
    }
}

/// ESM-2.2, 3, 4.1, 5: where reading may begin.
#[test]
fn starting_positions() {
    for source in ["kinesis", "kafka", "documentdb"] {
        accepts(&with(source, "starting_position: {at: 5m}"));
        refuses(source, "starting_position: {at: 5}", VALUE, "starting_position.at", "has no unit");
        refuses(
            source,
            "starting_position: {at: 5m, from: 5m}",
            KEY,
            "starting_position.from",
            "a key of a starting position",
        );
        refuses(source, "starting_position: 5m", VALUE, "starting_position", "expected `trim_horizon`, `latest` or");
    }
    let says = "expected `trim_horizon` or `latest`";
    refuses("dynamodb", "starting_position: {at: 5m}", Kind::WrongType, "starting_position", says);
    refuses("mq", "starting_position: latest", KEY, "starting_position", "an MQ mapping has no `starting_position`");
}

/// ESM-4.1, 4.2, A-39: what Kafka takes, by its mode.
#[test]
fn esm_a39_kafka() {
    for good in [
        "maximum_batching_window: 500ms",
        "maximum_batching_window: 0s",
        "maximum_batching_window: 300s",
        "provisioned_pollers: {minimum: 1, maximum: 1}",
        "provisioned_pollers: {minimum: 200, maximum: 2000}",
        "provisioned_pollers: {}, maximum_retry_attempts: 0, maximum_record_age: 60s",
        "provisioned_pollers: {}, bisect_batch_on_function_error: on, report_batch_item_failures: on",
        "provisioned_pollers: {}, on_failure: failed",
        "maximum_retry_attempts: -1, maximum_record_age: -1, bisect_batch_on_function_error: off",
        "on_failure: standard",
        "on_failure: none",
        "consumer_group: any text",
        "consumer_group: none",
        "consumers: {initial: 1, every: 1ns, factor: 1, effective_after: 0s, shrink_after: 1}",
    ] {
        accepts(&with("kafka", good));
    }
    let mode = "needs the provisioned mode of Kafka";
    for (keys, kind, key, says) in [
        ("maximum_batching_window: 501ms", VALUE, "maximum_batching_window", "or the default of 500ms (ESM-6.3)"),
        ("maximum_batching_window: 301s", RANGE, "maximum_batching_window", "a duration from 0s to 5m"),
        ("provisioned_pollers: {minimum: 0}", RANGE, "provisioned_pollers.minimum", "a whole number from 1 to 200"),
        ("provisioned_pollers: {minimum: 201}", RANGE, "provisioned_pollers.minimum", "too large"),
        ("provisioned_pollers: {maximum: 2001}", RANGE, "provisioned_pollers.maximum", "a whole number from 1 to 2000"),
        ("provisioned_pollers: {minimum: 6, maximum: 5}", TOGETHER, "provisioned_pollers.minimum", "at most `maximum`"),
        ("provisioned_pollers: {throughput: 5MB}", VALUE, "provisioned_pollers.throughput", "write `5MB/s`"),
        (
            "provisioned_pollers: {ceiling: 5}",
            KEY,
            "provisioned_pollers.ceiling",
            "a Kafka mapping has no `ceiling`; mappings of SQS have it",
        ),
        ("maximum_retry_attempts: 3", TOGETHER, "maximum_retry_attempts", mode),
        ("maximum_retry_attempts: 0", TOGETHER, "maximum_retry_attempts", mode),
        ("maximum_record_age: 60s", TOGETHER, "maximum_record_age", mode),
        ("bisect_batch_on_function_error: on", TOGETHER, "bisect_batch_on_function_error", mode),
        ("report_batch_item_failures: on", TOGETHER, "report_batch_item_failures", mode),
        ("on_failure: failed", TOGETHER, "on_failure", mode),
        ("provisioned_pollers: {}, on_failure: kafka", TOGETHER, "on_failure", "would come back to the same topic"),
        ("provisioned_pollers: {}, on_failure: kinesis", TOGETHER, "on_failure", "this is not a Kafka topic"),
        ("provisioned_pollers: {}, on_failure: fifo", TOGETHER, "on_failure", "this is a FIFO queue"),
        ("provisioned_pollers: {}, on_failure: mq", Kind::UnknownName, "on_failure", "this is a broker"),
        ("provisioned_pollers: {}, maximum_record_age: 59s", RANGE, "maximum_record_age", "too small"),
        ("consumers: {initial: 0}", RANGE, "consumers.initial", "at least 1"),
        ("consumers: {factor: 0.5}", RANGE, "consumers.factor", "a number from 1 to 1000"),
        ("consumers: {every: 0s}", RANGE, "consumers.every", "above `0s`"),
        ("consumer_group: ''", VALUE, "consumer_group", "the text is empty"),
    ] {
        refuses("kafka", keys, kind, key, says);
    }
}

/// ESM-4.2: mappings that share their units.
#[test]
fn esm_4_2_groups_of_pollers() {
    let text = |count: usize, maximum: u32| {
        let mapping = |index| {
            format!("m{index}: {{source: t, function: f, provisioned_pollers: {{maximum: {maximum}, group: a}}}}")
        };
        let mappings = (0..count).map(mapping).collect::<Vec<_>>().join(", ");
        format!("{GOOD}streams: {{t: {{type: kafka}}}}\nevent_source_mappings: {{{mappings}}}\n")
    };
    accepts(&text(100, 20));
    accepts(&text(1, 2000));
    for (count, maximum, says) in
        [(101, 1, "101 mappings are in this group"), (2, 1001, "the mappings of this group have 2002 pollers in all")]
    {
        let error = refuse(text(count, maximum).as_bytes(), &[]);
        let key = format!("event_source_mappings.m{}.provisioned_pollers.group", count - 1);
        assert_eq!((error.problems().len(), error.problems()[0].key()), (1, &*key), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// A change gets the blame for what it makes of a group.
#[test]
fn a_group_that_changes() {
    let text = format!(
        "{GOOD}streams: {{t: {{type: kafka}}}}\nevent_source_mappings:\n\
         \u{20} m: {{source: t, function: f, provisioned_pollers: {{maximum: 1500, group: a}}}}\n\
         \u{20} n: {{source: t, function: f, provisioned_pollers: {{maximum: 600, group: b}}}}\n\
         changes: [{{at: 1s, set: {{event_source_mappings.m.provisioned_pollers.maximum: MAXIMUM}}}}, \
         {{at: 2s, set: {{event_source_mappings.m.provisioned_pollers.group: b}}}}]\n"
    );
    accepts(&text.replace("MAXIMUM", "1400"));
    let error = refuse(text.replace("MAXIMUM", "1401").as_bytes(), &[]);
    let found = (error.problems().len(), error.problems()[0].key());
    assert_eq!(found, (1, "changes[1].set.event_source_mappings.m.provisioned_pollers.group"), "{error}");
}

/// ESM-2.1.
#[test]
fn esm_2_1_readers_with_enhanced_fan_out() {
    let text = |count: usize| {
        let mappings = (0..count).map(|index| format!("m{index}: {{source: s, function: f, enhanced_fan_out: on}}"));
        let mappings = mappings.collect::<Vec<_>>().join(", ");
        format!("{GOOD}streams: {{s: {{}}}}\nevent_source_mappings: {{{mappings}}}\n")
    };
    accepts(&text(20));
    let error = refuse(text(21).as_bytes(), &[]);
    let found = (error.problems().len(), error.problems()[0].key());
    assert_eq!(found, (1, "event_source_mappings.m20.enhanced_fan_out"), "{error}");
}

/// ESM-5 and the others: which key which type of source has, and what is said of the others.
#[test]
fn keys_of_other_sources() {
    let all = SOURCES;
    for (key, value, sources) in [
        ("filter", "50%", &["kinesis", "dynamodb", "kafka", "mq"][..]),
        ("report_batch_item_failures", "off", &["kinesis", "dynamodb", "kafka"]),
        ("starting_position", "latest", &["kinesis", "dynamodb", "kafka", "documentdb"]),
        ("parallelization_factor", "1", &["kinesis", "dynamodb"]),
        ("maximum_retry_attempts", "unlimited", &["kinesis", "dynamodb", "kafka"]),
        ("maximum_record_age", "unlimited", &["kinesis", "dynamodb", "kafka"]),
        ("bisect_batch_on_function_error", "off", &["kinesis", "dynamodb", "kafka"]),
        ("bisect_resets_retries", "off", &["kinesis", "dynamodb", "kafka"]),
        ("tumbling_window", "0s", &["kinesis", "dynamodb"]),
        ("tumbling_window_grace", "2m", &["kinesis", "dynamodb"]),
        ("on_failure", "standard", &["kinesis", "dynamodb", "kafka"]),
        ("enhanced_fan_out", "on", &["kinesis"]),
        ("push_delay", "1ms", &["kinesis"]),
        ("poll_every", "1s", &["kinesis", "dynamodb"]),
        ("poll_phase", "0s", &["kinesis", "dynamodb"]),
        ("consumer_group", "a", &["kafka"]),
        ("consumers", "{}", &["kafka"]),
        ("provisioned_pollers", "{}", &["kafka"]),
        ("retry", "{}", &all),
        ("throttle_retry", "{}", &all),
        ("update_pause", "1s", &all),
        ("maximum_concurrency", "5", &[]),
        ("pollers", "{}", &[]),
        ("long_poll", "20s", &[]),
        ("low_traffic_wait", "20s", &[]),
        ("fifo_single_group_batches", "off", &[]),
    ] {
        for source in SOURCES {
            let keys = format!("{key}: {value}");
            if sources.contains(&source) {
                accepts(&with(source, &keys));
            } else {
                refuses(source, &keys, KEY, key, &format!(" mapping has no `{key}`; mappings of "));
            }
        }
    }
    let says = "a DocumentDB mapping has no `filter`; mappings of SQS, Kinesis, DynamoDB, Kafka and MQ have it";
    refuses("documentdb", "filter: 50%", KEY, "filter", says);
    refuses(
        "kinesis",
        "parallelisation_factor: 2",
        KEY,
        "parallelisation_factor",
        "did you mean `parallelization_factor`?",
    );
}

/// ESM-4.1, A-39: a run for Kafka, MQ or `DocumentDB` takes at most 14 minutes.
#[test]
fn esm_a39_timeouts() {
    let timed = |source: &str, timeout: &str, more: &str| {
        with(source, "").replace(RUN, &format!("    duration: 20ms\n    timeout: {timeout}")) + more
    };
    for source in SOURCES {
        accepts(&timed(source, "840s", ""));
        if ["kinesis", "dynamodb"].contains(&source) {
            accepts(&timed(source, "15m", ""));
            continue;
        }
        let error = refuse(timed(source, "841s", "").as_bytes(), &[]);
        let found = (error.problems().len(), error.problems()[0].key());
        assert_eq!(found, (1, "event_source_mappings.m.source"), "{error}");
        assert!(error.to_string().contains("mapping at most 14m"), "{error}");
        let change = "changes: [{at: 1s, set: {functions.f.timeout: 841s}}]\n";
        let error = refuse(timed(source, "3s", change).as_bytes(), &[]);
        let found = (error.problems().len(), error.problems()[0].key());
        assert_eq!(found, (1, "changes[0].set.functions.f.timeout"), "{error}");
    }
}

/// What AWS does not change of a mapping, and what it checks when one changes.
#[test]
fn changes_of_mappings() {
    let changed = |source: &str, keys: &str, set: &str| {
        with(source, keys) + &format!("changes: [{{at: 1s, set: {{event_source_mappings.m.{set}}}}}]\n")
    };
    for (source, keys, set) in [
        ("kinesis", "", "parallelization_factor: 5"),
        ("kinesis", "starting_position: latest", "starting_position: latest"),
        ("kinesis", "starting_position: {at: 5m}", "starting_position: {at: 300s}"),
        ("kafka", "", "maximum_batching_window: 500ms"),
        ("kafka", "", "maximum_batching_window: 1s"),
        ("kafka", "consumer_group: m", "consumer_group: none"),
        ("kafka", "", "provisioned_pollers: {}, event_source_mappings.m.maximum_retry_attempts: 3"),
    ] {
        accepts(&changed(source, keys, set));
    }
    for (source, keys, set, kind, key, says) in [
        ("kinesis", "", "source: dynamodb", VALUE, "source", "`source` cannot change"),
        ("kinesis", "", "starting_position: latest", VALUE, "starting_position", "`starting_position` cannot change"),
        (
            "kinesis",
            "starting_position: {at: 5m}",
            "starting_position: {at: 6m}",
            VALUE,
            "starting_position",
            "cannot change",
        ),
        ("kinesis", "", "enhanced_fan_out: on", VALUE, "enhanced_fan_out", "`enhanced_fan_out` cannot change"),
        ("kafka", "", "consumer_group: a", VALUE, "consumer_group", "`consumer_group` cannot change"),
        (
            "kafka",
            "maximum_batching_window: 1s",
            "maximum_batching_window: 500ms",
            TOGETHER,
            "maximum_batching_window",
            "cannot be set again",
        ),
        (
            "kinesis",
            "parallelization_factor: 2",
            "tumbling_window: 1s",
            TOGETHER,
            "parallelization_factor",
            "a tumbling window has one batch",
        ),
        (
            "kafka",
            "provisioned_pollers: {}, maximum_retry_attempts: 3",
            "provisioned_pollers: none",
            TOGETHER,
            "maximum_retry_attempts",
            "needs the provisioned mode of Kafka",
        ),
        ("mq", "", "filter: 101%", RANGE, "filter", "more than 100%"),
        ("mq", "", "starting_position: latest", KEY, "starting_position", "an MQ mapping has no `starting_position`"),
    ] {
        let error = refuse(changed(source, keys, set).as_bytes(), &[]);
        let problem = &error.problems()[0];
        let key = format!("changes[0].set.event_source_mappings.m.{key}");
        assert_eq!((problem.kind(), problem.key()), (kind, &*key), "{error}");
        assert!(error.to_string().contains(says), "{source}, {set}: no {says:?} in\n{error}");
    }
}

/// Without a source the table that fits best is taken, and one problem is noted.
#[test]
fn sources_that_are_not_there() {
    check(&[
        (
            END,
            "event_source_mappings: {«m: {function: f, tumbling_window: 5m}}",
            Kind::MissingKey,
            "event_source_mappings.m.source",
            &["an event source mapping lacks `source`"],
        ),
        (
            END,
            "event_source_mappings: {m: {source: «s, function: f, consumer_group: a}}",
            Kind::UnknownName,
            "event_source_mappings.m.source",
            &["there is no queue, stream or broker `s`"],
        ),
        (
            END,
            "streams: {s: {type: «kafkaa}}\nevent_source_mappings: {m: {source: s, function: f, consumer_group: a}}",
            Kind::InvalidValue,
            "streams.s.type",
            &["did you mean `kafka`?"],
        ),
        (
            END,
            "streams: {s: {type: kafka}}\nevent_source_mappings: {m: {source: s, «functon: f}}",
            Kind::UnknownKey,
            "event_source_mappings.m.functon",
            &["a key of a Kafka mapping", "did you mean `function`?"],
        ),
    ]);
}
