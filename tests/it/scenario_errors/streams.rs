//! Streams and brokers, what is sent to them, and how they change: ranges of their keys, and what AWS refuses.

use super::*;

/// A good scenario with these streams.
fn with(streams: &str) -> String {
    format!("{GOOD}queues: {{q: {{}}, fifo: {{type: fifo}}}}\nstreams: {{{streams}}}\nbrokers: {{b: {{}}}}\n")
}

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{error}\n{text}");
    }
}

#[track_caller]
fn refuses(text: &str, kind: Kind, key: &str, says: &str) {
    let error = refuse(text.as_bytes(), &[]);
    let problem = &error.problems()[0];
    assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, key), "{text}\n{error}");
    assert!(error.to_string().contains(says), "{text}: no {says:?} in\n{error}");
}

const RANGE: Kind = Kind::OutOfRange;
const TOGETHER: Kind = Kind::Contradiction;
const KEY: Kind = Kind::UnknownKey;

/// ESM-2.1, 3, 4, 5: what each service has, and its limits.
#[test]
fn settings_of_streams() {
    for good in [
        "shards: 10000",
        "retention: 365d",
        "retention: 8760h",
        "maximum_record_size: 1MiB",
        "maximum_record_size: 10MiB",
        "capacity_mode: on_demand, on_demand: none",
        "capacity_mode: on_demand, on_demand: {factor: 1, after: 0s}, shards: 1",
        "on_demand: none",
        "type: dynamodb, retention: 24h",
        "type: kafka, retention: -1",
        "type: kafka, retention: 1ns",
        "type: documentdb, retention: 1h",
        "type: documentdb, maximum_record_size: 16MiB",
    ] {
        accepts(&with(&format!("s: {{{good}}}")));
    }
    for (keys, kind, key, says) in [
        ("shards: 0", RANGE, "shards", "a whole number from 1 to 10000"),
        ("shards: 10001", RANGE, "shards", "too large"),
        ("retention: 23h", RANGE, "retention", "a duration from 1d to 365d"),
        ("retention: 366d", RANGE, "retention", "too large"),
        ("retention: unlimited", Kind::InvalidValue, "retention", "a duration from 1d to 365d"),
        ("maximum_record_size: 1MB", RANGE, "maximum_record_size", "from 1048576B to 10485760B"),
        ("maximum_record_size: 11MiB", RANGE, "maximum_record_size", "too large"),
        ("write_bucket: 0s", RANGE, "write_bucket", "above `0s`"),
        ("other_readers: -1", RANGE, "other_readers", "negative"),
        ("capacity_mode: serverless", Kind::InvalidValue, "capacity_mode", "expected `provisioned` or `on_demand`"),
        ("capacity_mode: on_demand, on_demand: {factor: 0.5}", RANGE, "on_demand.factor", "a number from 1 to 1000"),
        ("on_demand: {factor: 2}", TOGETHER, "on_demand", "the stream is not an on-demand stream"),
        ("type: kinesi", Kind::InvalidValue, "type", "did you mean `kinesis`?"),
        ("partitions: 4, type: kinesis", KEY, "partitions", "did you mean `shards`? a stream has shards"),
        ("type: kafka, shards: 4", KEY, "shards", "did you mean `partitions`? a Kafka topic has partitions"),
        ("type: kafka, partitions: 0", RANGE, "partitions", "a whole number from 1 to 100000"),
        ("type: kafka, retention: 0s", RANGE, "retention", "too small"),
        ("type: kafka, other_readers: 1", KEY, "other_readers", "`other_readers` goes with `type: kinesis`"),
        ("type: kafka, capacity_mode: provisioned", KEY, "capacity_mode", "goes with `type: kinesis`"),
        ("type: dynamodb, retention: 25h", RANGE, "retention", "expected `1d`"),
        ("type: dynamodb, retention: 23h", RANGE, "retention", "expected `1d`"),
        ("type: dynamodb, write_bucket: 1s", KEY, "write_bucket", "goes with `type: kinesis`"),
        ("type: dynamodb, maximum_record_size: 2MiB", RANGE, "maximum_record_size", "too large"),
        ("type: documentdb, shards: 1", KEY, "shards", "`shards` goes with `type: kinesis`"),
        ("type: documentdb, retention: 8d", RANGE, "retention", "a duration from 1h to 7d"),
        ("type: documentdb, maximum_record_size: 17MiB", RANGE, "maximum_record_size", "too large"),
    ] {
        refuses(&with(&format!("s: {{{keys}}}")), kind, &format!("streams.s.{key}"), says);
    }
    refuses(
        &with("s: {partitions: 4}"),
        Kind::MissingKey,
        "streams.s.type",
        "write `type: kafka` where a Kafka topic is meant",
    );
    let error = refuse(with("s: {}").as_bytes(), &["streams.t.shards=5"]);
    assert!(error.to_string().contains("the scenario has no stream `t`"), "{error}");
}

/// ESM-5.
#[test]
fn settings_of_brokers() {
    let text = |keys: &str| with("").replace("b: {}", &format!("b: {{{keys}}}, other: {{}}"));
    for good in [
        "maximum_redeliveries: 0",
        "maximum_redeliveries: -1",
        "message_retention: 1ns",
        "dead_letter_queue: other",
        "dead_letter_queue: q",
        "dead_letter_queue: none",
    ] {
        accepts(&text(good));
    }
    for (keys, kind, key, says) in [
        ("type: kafka", Kind::InvalidValue, "type", "expected `rabbitmq` or `activemq`"),
        ("message_retention: 0s", RANGE, "message_retention", "too small"),
        ("maximum_redeliveries: 1.5", Kind::InvalidValue, "maximum_redeliveries", "is not a whole number"),
        ("dead_letter_queue: b", TOGETHER, "dead_letter_queue", "the messages would stay at the same broker"),
        ("dead_letter_queue: fifo", TOGETHER, "dead_letter_queue", "this is a FIFO queue"),
        ("dead_letter_queue: f", Kind::UnknownName, "dead_letter_queue", "this is a function"),
        ("shards: 5", KEY, "shards", "a key of a broker"),
        ("max_receive_count: 5", KEY, "max_receive_count", "the keys are `type`"),
    ] {
        refuses(&text(keys), kind, &format!("brokers.b.{key}"), says);
    }
}

/// What a caller says, by the type of its target.
#[test]
fn what_each_target_takes() {
    let streams = "kinesis: {}, dynamodb: {type: dynamodb}, kafka: {type: kafka}, documentdb: {type: documentdb}";
    let text = |target: &str, keys: &str| with(streams).replace(TARGET, &format!("    target: {target}\n    {keys}"));
    for (target, good) in [
        ("kinesis", "messages_per_call: 500"),
        ("kinesis", "keys: {hash: [0, 1]}"),
        ("kinesis", "keys: {constant: a}"),
        ("dynamodb", "messages_per_call: 25"),
        ("kafka", "messages_per_call: 500"),
        ("kafka", "keys: {zipf: {count: 10, exponent: 1}}"),
        ("documentdb", "keys: {uniform: 5}"),
        ("b", "messages_per_call: 1\n    keys: even\n    delay: none\n    deduplication: none"),
        ("b", "payload: 100MB"),
        ("q", "messages_per_call: 10"),
    ] {
        accepts(&text(target, good));
    }
    for (target, keys, kind, key, says) in [
        ("kinesis", "messages_per_call: 501", RANGE, "messages_per_call", "a whole number from 1 to 500"),
        ("dynamodb", "messages_per_call: 26", RANGE, "messages_per_call", "at most 25 to a DynamoDB table"),
        ("q", "messages_per_call: 11", RANGE, "messages_per_call", "at most 10 to a queue (ESM-1.1)"),
        ("b", "messages_per_call: 2", TOGETHER, "messages_per_call", "a broker takes one message at a time"),
        ("kinesis", "delay: 5s", TOGETHER, "delay", "a record of a stream has no delay of its own"),
        ("kafka", "delay: 5s", TOGETHER, "delay", "a record of a stream has no delay of its own"),
        ("b", "delay: 5s", TOGETHER, "delay", "a message at a broker has no delay of its own"),
        (
            "kinesis",
            "deduplication: {constant: a}",
            TOGETHER,
            "deduplication",
            "a record of a stream has no deduplication id",
        ),
        (
            "b",
            "deduplication: {uniform: 5}",
            TOGETHER,
            "deduplication",
            "a message at a broker has no deduplication id",
        ),
        ("b", "keys: {constant: a}", TOGETHER, "keys", "a message at a broker has no key"),
        ("dynamodb", "keys: {hash: [0]}", TOGETHER, "keys.hash", "only Kinesis takes explicit hash keys"),
        ("kafka", "keys: {hash: [0]}", TOGETHER, "keys.hash", "only Kinesis takes explicit hash keys"),
        ("kinesis", "invocation: async", TOGETHER, "invocation", "a message is sent, not invoked"),
        ("b", "invocation: async", TOGETHER, "invocation", "a message is sent, not invoked"),
        ("f", "messages_per_call: 2", TOGETHER, "messages_per_call", "a queue, stream or broker as the `target`"),
    ] {
        refuses(&text(target, keys), kind, &format!("callers.c.{key}"), says);
    }
}

/// What takes all that is sent in no time needs users who pause.
#[test]
fn users_who_never_stop_sending() {
    let text = |target: &str, users: &str| {
        let text = with("s: {}, t: {type: kafka}").replace(TARGET, &format!("    target: {target}"));
        text.replace(ARRIVALS, &format!("    users: {{{users}}}"))
    };
    // Kinesis throttles, and so does a FIFO queue.
    for (target, users) in [("s", ""), ("fifo", ""), ("q", "think: 1ms"), ("b", "think: {exponential: {mean: 1s}}")] {
        accepts(&text(target, users));
    }
    for (target, users) in [("q", ""), ("t", "think: 0s"), ("b", "think: {constant: 0s}")] {
        refuses(&text(target, users), TOGETHER, "callers.c.users.think", "these users never stop sending");
    }
}

#[test]
fn names() {
    check(&[
        (
            END,
            "streams: {s: {}}\nbrokers: {«s: {}}",
            Kind::Duplicate,
            "brokers.s",
            &["`s` names two things", "also in `streams`"],
        ),
        (
            END,
            "streams: {s: {}}\nfaults: [{stream: «c, status: 500}]",
            Kind::UnknownName,
            "faults[0].stream",
            &["there is no stream `c`", "this is a caller"],
        ),
        (
            RUN,
            "    duration: 20ms\n    async: {on_failure: «s}\nstreams: {s: {}}",
            Kind::UnknownName,
            "functions.f.async.on_failure",
            &["this is a stream"],
        ),
        (
            RUN,
            "    duration: 20ms\n    async: {on_success: «b}\nbrokers: {b: {}}",
            Kind::UnknownName,
            "functions.f.async.on_success",
            &["this is a broker"],
        ),
        (
            END,
            "brokers: {b: {}}\nchanges: [{at: 1s, set: {«brokers.b.type: activemq}}]",
            Kind::InvalidValue,
            "changes[0].set.brokers.b.type",
            &["cannot change while it runs"],
        ),
        (
            END,
            "streams: {clicks: {}}\nchanges: [{at: 1s, set: {«streams.click.shards: 2}}]",
            Kind::UnknownName,
            "changes[0].set.streams.click.shards",
            &["there is no stream `click`", "did you mean `clicks`?"],
        ),
    ]);
}

/// ESM-2.1, A-45: at most twice and at least half as many shards, at most 10 times within 24 h, at most 10,000.
#[test]
fn esm_a45_reshardings() {
    let set = |at: &str, setting: &str| format!("{{at: {at}, set: {{streams.s.{setting}}}}}");
    let text = |stream: &str, changes: &[String]| with(stream) + &format!("changes: [{}]\n", changes.join(", "));
    let key = "changes[0].set.streams.s.shards";
    for (stream, setting, kind, key, says) in [
        ("s: {shards: 10}", "shards: 21", TOGETHER, key, "expected from 5 to 20 shards (ESM-2.1)"),
        ("s: {shards: 10}", "shards: 4", TOGETHER, key, "a stream of 10 shards cannot have 4 at once"),
        ("s: {shards: 5}", "shards: 2", TOGETHER, key, "expected from 3 to 10 shards (ESM-2.1)"),
        ("s: {shards: 9000}", "shards: 10001", RANGE, key, "a whole number from 1 to 10000"),
        ("s: {capacity_mode: on_demand}", "shards: 8", TOGETHER, key, "the shards of an on-demand stream are not set"),
        (
            "s: {type: kafka, partitions: 4}",
            "partitions: 3",
            TOGETHER,
            "changes[0].set.streams.s.partitions",
            "partitions can only be added",
        ),
        ("s: {}", "type: kafka", Kind::InvalidValue, "changes[0].set.streams.s.type", "`type` cannot change"),
        (
            "s: {}",
            "capacity_mode: on_demand, streams.s.shards: 1",
            Kind::InvalidValue,
            "changes[0].set.streams.s.capacity_mode",
            "`capacity_mode` cannot change",
        ),
        ("s: {}", "retention: 1h", RANGE, "changes[0].set.streams.s.retention", "a duration from 1d to 365d"),
    ] {
        refuses(&text(stream, &[set("1s", setting)]), kind, key, says);
    }
    // What the first change makes is what the second starts from, and the order of time counts.
    refuses(
        &text("s: {shards: 10}", &[set("2s", "shards: 41"), set("1s", "shards: 20")]),
        TOGETHER,
        key,
        "a stream of 20 shards cannot have 41 at once",
    );
    // DynamoDB splits and joins its shards itself.
    accepts(&text("s: {type: dynamodb, shards: 10}", &[set("1s", "shards: 100"), set("2s", "shards: 1")]));
    let often = |last: &str| {
        let hourly =
            (0..10).map(|hour| set(&format!("{hour}h"), if hour % 2 == 0 { "shards: 2" } else { "shards: 1" }));
        hourly.chain([set(last, "shards: 2")]).collect::<Vec<_>>()
    };
    accepts(&text("s: {}", &often("24h")));
    let last = "changes[10].set.streams.s.shards";
    refuses(&text("s: {}", &often("23h59m59s")), TOGETHER, last, "at most 10 changes of `shards` within 24h");
}
