//! Event source mappings: ranges of their keys, and what AWS refuses together.

use super::*;

/// A good scenario with a mapping of this content.
fn with(source: &str, keys: &str) -> String {
    format!(
        "{GOOD}queues: {{standard: {{}}, fifo: {{type: fifo}}}}\n\
         event_source_mappings: {{m: {{source: {source}, function: f, {keys}}}}}\n"
    )
}

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{error}");
    }
}

#[track_caller]
fn refuses(source: &str, keys: &str, kind: Kind, key: &str, says: &str) {
    let error = refuse(with(source, keys).as_bytes(), &[]);
    let problem = &error.problems()[0];
    let key = format!("event_source_mappings.m.{key}");
    assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, &*key), "{error}");
    assert!(error.to_string().contains(says), "{source}, {keys}: no {says:?} in\n{error}");
}

/// ESM-1.1, A-39.
#[test]
fn esm_a39_rejections() {
    for good in [
        "batch_size: 1",
        "batch_size: 10",
        "batch_size: 11, maximum_batching_window: 1s",
        "batch_size: 10000, maximum_batching_window: 1s",
        "maximum_batching_window: 300s",
        "maximum_concurrency: 2",
        "maximum_concurrency: 1000",
        "maximum_concurrency: none",
        "provisioned_pollers: {minimum: 2, maximum: 2}",
        "provisioned_pollers: {minimum: 200, maximum: 2000}",
        "provisioned_pollers: {maximum: 10000, ceiling: 10000}",
        "provisioned_pollers: {}, maximum_concurrency: none",
        "provisioned_pollers: none, maximum_concurrency: 5",
    ] {
        accepts(&with("standard", good));
    }
    for good in ["batch_size: 10", "maximum_batching_window: 0s", "maximum_concurrency: 2", "provisioned_pollers: {}"] {
        accepts(&with("fifo", good));
    }
    let (range, together) = (Kind::OutOfRange, Kind::Contradiction);
    for (keys, kind, key, says) in [
        ("batch_size: 0", range, "batch_size", "a whole number from 1 to 10000"),
        ("batch_size: 10001, maximum_batching_window: 1s", range, "batch_size", "too large"),
        ("batch_size: 11", together, "batch_size", "write `maximum_batching_window: 1s` or more"),
        ("batch_size: 11, maximum_batching_window: 0s", together, "batch_size", "shorter than 1s"),
        ("maximum_batching_window: 301s", range, "maximum_batching_window", "a duration from 0s to 5m"),
        ("maximum_batching_window: 1500ms", Kind::InvalidValue, "maximum_batching_window", "whole seconds"),
        ("maximum_concurrency: 0", range, "maximum_concurrency", "a whole number from 2 to 1000"),
        ("maximum_concurrency: 1", range, "maximum_concurrency", "too small"),
        ("maximum_concurrency: 1001", range, "maximum_concurrency", "too large"),
        (
            "maximum_concurrency: 5, provisioned_pollers: {}",
            together,
            "provisioned_pollers",
            "`maximum_concurrency` and `provisioned_pollers` exclude each other",
        ),
        ("provisioned_pollers: {minimum: 1}", range, "provisioned_pollers.minimum", "a whole number from 2 to 200"),
        ("provisioned_pollers: {minimum: 201}", range, "provisioned_pollers.minimum", "too large"),
        ("provisioned_pollers: {maximum: 1}", range, "provisioned_pollers.maximum", "too small"),
        ("provisioned_pollers: {maximum: 2001}", together, "provisioned_pollers.maximum", "larger than `ceiling`"),
        ("provisioned_pollers: {minimum: 6, maximum: 5}", together, "provisioned_pollers.minimum", "at most `maximum`"),
    ] {
        refuses("standard", keys, kind, key, says);
    }
    for (keys, kind, key, says) in [
        ("batch_size: 11", together, "batch_size", "the batch is too large for a FIFO queue"),
        ("maximum_batching_window: 1s", together, "maximum_batching_window", "a FIFO queue has no batching window"),
    ] {
        refuses("fifo", keys, kind, key, says);
    }
    let error = refuse(with("fifo", "batch_size: 11, maximum_batching_window: 1s").as_bytes(), &[]);
    assert_eq!(error.problems().len(), 2, "{error}");
}

/// The other keys.
#[test]
fn bounds() {
    for good in [
        "filter: 0%",
        "payload_limit: 1B",
        "payload_limit: 6291556B",
        "record_overhead: 0B",
        "body_factor: 0",
        "body_factor: 1.33333333333333333333333333333333",
        "throttle_retry: {base: 1ns, factor: 1, cap: 1ns}",
        "pollers: {initial: 1, per_minute: 0, maximum: 1, floor: 1, retire_after: 1, error_backoff: 1}",
        "pollers: {maximum: 3}",
        "long_poll: 20s",
        "long_poll: 1ns",
        "low_traffic_wait: 0s",
        "provisioned_pollers: {throughput: 1B/s, per_minute: 0, down_below: 0%, down_after: 0s}",
    ] {
        accepts(&with("standard", good));
    }
    accepts(&with("fifo", "fifo_single_group_batches: on"));
    let range = Kind::OutOfRange;
    for (keys, kind, key, says) in [
        ("filter: 101%", range, "filter", "more than 100%"),
        ("payload_limit: 0B", range, "payload_limit", "too small"),
        ("payload_limit: 6291557B", range, "payload_limit", "too large"),
        ("throttle_retry: {base: 0s}", range, "throttle_retry.base", "a duration above `0s`"),
        ("throttle_retry: {cap: 0s}", range, "throttle_retry.cap", "a duration above `0s`"),
        ("throttle_retry: {factor: 0.9}", range, "throttle_retry.factor", "a number from 1"),
        ("pollers: {initial: 0}", range, "pollers.initial", "at least 1"),
        ("pollers: {maximum: 0}", range, "pollers.maximum", "at least 1"),
        ("pollers: {floor: 0}", range, "pollers.floor", "at least 1"),
        ("pollers: {retire_after: 0}", range, "pollers.retire_after", "at least 1"),
        ("pollers: {error_backoff: 0%}", range, "pollers.error_backoff", "above 0%"),
        ("pollers: {throttle_backoff: 101%}", range, "pollers.throttle_backoff", "more than 100%"),
        ("pollers: {initial: 6, maximum: 5}", Kind::Contradiction, "pollers.initial", "larger than `maximum`"),
        ("pollers: {floor: 6, maximum: 5}", Kind::Contradiction, "pollers.floor", "larger than `maximum`"),
        ("pollers: {growth: fast}", Kind::InvalidValue, "pollers.growth", "expected `linear` or `step`"),
        ("long_poll: 21s", range, "long_poll", "to 20s"),
        ("long_poll: 0s", range, "long_poll", "too small"),
        ("window_opens: never", Kind::InvalidValue, "window_opens", "expected `first_record` or `rolling`"),
        ("provisioned_pollers: {throughput: 0MB/s}", range, "provisioned_pollers.throughput", "too small"),
        (
            "provisioned_pollers: {throughput: 1MB}",
            Kind::InvalidValue,
            "provisioned_pollers.throughput",
            "write `1MB/s`",
        ),
        (
            "provisioned_pollers: {throughput: 10/s}",
            Kind::InvalidValue,
            "provisioned_pollers.throughput",
            "expected bytes a second such as `1MB/s`",
        ),
        ("provisioned_pollers: {invocations: 0}", range, "provisioned_pollers.invocations", "at least 1"),
        ("provisioned_pollers: {every: 0s}", range, "provisioned_pollers.every", "above `0s`"),
        ("provisioned_pollers: {down_every: 0s}", range, "provisioned_pollers.down_every", "above `0s`"),
        (
            "fifo_single_group_batches: on",
            Kind::Contradiction,
            "fifo_single_group_batches",
            "the queue is not a FIFO queue",
        ),
    ] {
        refuses("standard", keys, kind, key, says);
    }
}

/// Keys of streams and Kafka.
#[test]
fn what_an_sqs_mapping_has_not() {
    for key in [
        "starting_position",
        "parallelization_factor",
        "maximum_retry_attempts",
        "maximum_record_age",
        "bisect_batch_on_function_error",
        "bisect_resets_retries",
        "tumbling_window",
        "tumbling_window_grace",
        "on_failure",
        "retry",
        "enhanced_fan_out",
        "push_delay",
        "poll_every",
        "poll_phase",
        "consumer_group",
        "consumers",
    ] {
        refuses("standard", &format!("{key}: 1"), Kind::UnknownKey, key, &format!("an SQS mapping has no `{key}`"));
    }
    let key = "provisioned_pollers.group";
    refuses("standard", "provisioned_pollers: {group: a}", Kind::UnknownKey, key, "an SQS mapping has no `group`");
    refuses("standard", "batchsize: 5", Kind::UnknownKey, "batchsize", "did you mean `batch_size`?");
}

#[test]
fn sources_functions_and_names() {
    let name = Kind::UnknownName;
    refuses("f", "", name, "source", "this is a function");
    refuses("clicks", "", name, "source", "mappings poll queues, streams, Kafka topics and brokers");
    check(&[
        (
            END,
            "queues: {q: {}}\nevent_source_mappings: {m: {source: q, function: «q}}",
            name,
            "event_source_mappings.m.function",
            &["there is no function `q`", "this is a queue"],
        ),
        (
            END,
            "queues: {q: {}}\nevent_source_mappings: {«m: {source: q}}",
            Kind::MissingKey,
            "event_source_mappings.m.function",
            &["an SQS mapping lacks `function`"],
        ),
        (
            END,
            "queues: {q: {}}\nevent_source_mappings: {«f: {source: q, function: f}}",
            Kind::Duplicate,
            "event_source_mappings.f",
            &["`f` names two things", "also in `functions`"],
        ),
        (
            END,
            "queues: {q: {}}\nevent_source_mappings: {m: {source: q, function: f}}\nfaults: [{queue: «m, status: 500}]",
            name,
            "faults[0].queue",
            &["this is an event source mapping"],
        ),
        (
            END,
            "queues: {q: {}, p: {}}\nevent_source_mappings: {m: {source: q, function: f}}\nchanges: [{at: 1s, set: {event_source_mappings.m.source: «p}}]",
            Kind::InvalidValue,
            "changes[0].set.event_source_mappings.m.source",
            &["`source` cannot change"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«event_source_mappings.m.enabled: off}}]",
            name,
            "changes[0].set.event_source_mappings.m.enabled",
            &["there is no event source mapping `m`", "expected the name of an event source mapping"],
        ),
    ]);
    let error = refuse(with("standard", "").as_bytes(), &["event_source_mappings.n.enabled=off"]);
    assert!(error.to_string().contains("the scenario has no event source mapping `n`"), "{error}");
}

/// A scenario with a function of 30 s, a queue of 30 s, a mapping between them, and these changes.
fn timed(changes: &str) -> String {
    let text = GOOD.replace(RUN, "    duration: 20ms\n    timeout: 30s");
    format!(
        "{text}  d: {{target: q, arrivals: {{poisson: 1/s}}}}\nqueues: {{q: {{visibility_timeout: 30s}}}}\n\
         event_source_mappings: {{m: {{source: q, function: f}}}}\nchanges: [{changes}]\n"
    )
}

/// ESM-1.1, A-39: checked when the mapping is made or changed, or its function; not when its queue changes.
#[test]
fn esm_a39_timeout_and_visibility() {
    accepts(&timed(""));
    for (flag, says) in [
        ("functions.f.timeout=31s", "a run may take 31s, but its messages are hidden for 30s"),
        ("queues.q.visibility_timeout=29s", "a run may take 30s, but its messages are hidden for 29s"),
    ] {
        let error = refuse(timed("").as_bytes(), &[flag]);
        let problem = &error.problems()[0];
        let found = (error.problems().len(), problem.kind(), problem.key());
        assert_eq!(found, (1, Kind::Contradiction, "event_source_mappings.m.source"), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let shorter = "{at: 1s, set: {queues.q.visibility_timeout: 5s}}";
    for good in [
        shorter,
        "{at: 1s, set: {functions.f.timeout: 20s, queues.q.visibility_timeout: 20s}}",
        &format!("{shorter}, {{at: 2s, set: {{functions.f.reserved_concurrency: 0}}}}"),
        &format!("{shorter}, {{at: 2s, set: {{functions.f.timeout: 5s, event_source_mappings.m.enabled: off}}}}"),
    ] {
        accepts(&timed(good));
    }
    for (bad, key) in [
        ("{at: 1s, set: {functions.f.timeout: 31s}}".to_owned(), "changes[0].set.functions.f.timeout"),
        (format!("{shorter}, {{at: 2s, set: {{functions.f.timeout: 6s}}}}"), "changes[1].set.functions.f.timeout"),
        (
            format!("{shorter}, {{at: 2s, set: {{event_source_mappings.m.batch_size: 5}}}}"),
            "changes[1].set.event_source_mappings.m.batch_size",
        ),
        (
            "{at: 1s, set: {functions.f.timeout: 31s, event_source_mappings.m.batch_size: 5}}".to_owned(),
            "changes[0].set.event_source_mappings.m.batch_size",
        ),
    ] {
        let error = refuse(timed(&bad).as_bytes(), &[]);
        let problem = &error.problems()[0];
        assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, Kind::Contradiction, key), "{error}");
    }
}

#[test]
fn changes_are_checked_together() {
    let text = with("standard", "") + "changes: [{at: 1s, set: {event_source_mappings.m.batch_size: 11}}]\n";
    let error = refuse(text.as_bytes(), &[]);
    assert_eq!(error.problems()[0].key(), "changes[0].set.event_source_mappings.m.batch_size", "{error}");
    accepts(&text.replace("batch_size: 11", "batch_size: 11, event_source_mappings.m.maximum_batching_window: 1s"));
}
