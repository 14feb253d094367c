//! Asynchronous invocation: ranges of its keys, and what can be a target.

use super::*;

/// A good scenario with one resource of each kind, and one line in the function's `async`.
fn with(line: &str) -> String {
    let function = format!("    duration: 20ms\n    async: {{{line}}}");
    let places = "queues: {orders: {}}\ntopics: {news: {}}\nevent_buses: {main: {}}\nbuckets: {archive: {}}\n";
    GOOD.replace(RUN, &function) + places
}

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{error}");
    }
}

/// INV-Q7, Q11.
#[test]
fn bounds() {
    for good in [
        "maximum_retry_attempts: 0",
        "maximum_retry_attempts: 1",
        "maximum_retry_attempts: 2",
        "maximum_event_age: 60s",
        "maximum_event_age: 6h",
        "dispatch_latency: 0s",
        "retry_delays: [0s]",
        "retry_jitter: 100%",
        "backoff: {base: 1ns, factor: 1, cap: 1ns}",
        "backpressure: {per: 1}",
        "backpressure: {}",
        "duplicate_probability: 100%",
        "maximum_parallel_dispatch: 1",
        "maximum_parallel_dispatch: -1",
        "delivery: {delay: 0s, attempts: 1}",
    ] {
        accepts(&with(good));
    }
    for (bad, key, says) in [
        ("maximum_retry_attempts: 3", "maximum_retry_attempts", "a whole number from 0 to 2"),
        ("maximum_retry_attempts: -1", "maximum_retry_attempts", "`-1` is negative"),
        ("maximum_event_age: 59s", "maximum_event_age", "a duration from 1m to 6h"),
        ("maximum_event_age: 6h1s", "maximum_event_age", "too large"),
        ("dispatch_latency: -1s", "dispatch_latency", "negative"),
        ("retry_delays: [1m, -1s]", "retry_delays[1]", "negative"),
        ("retry_jitter: 101%", "retry_jitter", "more than 100%"),
        ("backoff: {base: 0s}", "backoff.base", "a duration above `0s`"),
        ("backoff: {factor: 0.9}", "backoff.factor", "a number from 1"),
        ("backoff: {cap: 0s}", "backoff.cap", "a duration above `0s`"),
        ("backpressure: {per: 0}", "backpressure.per", "at least 1"),
        ("duplicate_probability: 100.1%", "duplicate_probability", "more than 100%"),
        ("maximum_parallel_dispatch: 0", "maximum_parallel_dispatch", "`unlimited` or a whole number of at least 1"),
        ("delivery: {delay: -1s}", "delivery.delay", "negative"),
        ("delivery: {attempts: 0}", "delivery.attempts", "at least 1"),
    ] {
        let error = refuse(with(bad).as_bytes(), &[]);
        let problem = &error.problems()[0];
        let key = format!("functions.f.async.{key}");
        assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, Kind::OutOfRange, &*key), "{error}");
        assert!(error.to_string().contains(says), "{bad}: no {says:?} in\n{error}");
    }
    accepts(&with("").replace("orders: {}", "orders: {maximum_message_size: 1KiB}"));
    accepts(&with("").replace("orders: {}", "orders: {maximum_message_size: 1MiB}"));
}

/// INV-O1, O2: a FIFO queue refuses what it gets, which is no mistake in the file.
#[test]
fn targets() {
    const KINDS: [(&str, &str); 6] = [
        ("orders", "queue"),
        ("news", "topic"),
        ("main", "event bus"),
        ("f", "function"),
        ("archive", "bucket"),
        ("c", "caller"),
    ];
    for (key, kinds) in [
        ("dead_letter_queue", "queue or topic"),
        ("on_failure", "queue, topic, event bus, function or bucket"),
        ("on_success", "queue, topic, event bus or function"),
    ] {
        for (name, kind) in KINDS {
            let text = with(&format!("{key}: {name}"));
            if kinds.split([',', ' ']).any(|word| word == kind) || kinds.contains(kind) {
                accepts(&text);
                continue;
            }
            let error = refuse(text.as_bytes(), &[]);
            let problem = &error.problems()[0];
            let path = format!("functions.f.async.{key}");
            let found = (error.problems().len(), problem.kind(), problem.key());
            assert_eq!(found, (1, Kind::UnknownName, &*path), "{error}");
            let article = if kind.starts_with('e') { "an" } else { "a" };
            for says in [
                format!("there is no {kinds} `{name}`"),
                format!("expected the name of a {kinds}"),
                format!("this is {article} {kind}"),
            ] {
                assert!(error.to_string().contains(&says), "no {says:?} in\n{error}");
            }
        }
    }
    accepts(&with("dead_letter_queue: orders, on_failure: orders").replace("orders: {}", "orders: {type: fifo}"));
}

#[test]
fn names_that_lead_nowhere() {
    for (line, says) in [
        ("dead_letter_queue: order", "did you mean `orders`?"),
        ("dead_letter_queue: zzz", "there are `orders`, `news`"),
        // What is near but of another kind is not meant.
        ("on_success: archiv", "there are `orders`, `news`, `main`, `f`"),
        ("on_failure: archiv", "did you mean `archive`?"),
    ] {
        let error = refuse(with(line).as_bytes(), &[]);
        assert_eq!(error.problems()[0].kind(), Kind::UnknownName, "{error}");
        assert!(error.to_string().contains(says), "{line}: no {says:?} in\n{error}");
    }
    let kind = Kind::UnknownName;
    check(&[
        (
            RUN,
            "    duration: 1s\n    async: {dead_letter_queue: «lost}",
            kind,
            "functions.f.async.dead_letter_queue",
            &["there is no queue or topic `lost`", "the scenario has none: add for example `queues: {lost: {}}`"],
        ),
        (
            END,
            "queues: {orders: {}}\nfaults: [{queue: «order, status: 500}]",
            kind,
            "faults[0].queue",
            &["there is no queue `order`", "did you mean `orders`?"],
        ),
        (
            END,
            "topics: {news: {}}\nfaults: [{queue: «news, status: 500}]",
            kind,
            "faults[0].queue",
            &["there is no queue `news`", "this is a topic", "expected the name of a queue"],
        ),
        (END, "faults: [{bucket: «b, status: 500}]", kind, "faults[0].bucket", &["no bucket `b`", "has none"]),
        (
            END,
            "event_buses: {main: {}}\nfaults: [{function: «main, status: 500}]",
            kind,
            "faults[0].function",
            &["there is no function `main`", "this is an event bus"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.async.on_success: «nowhere}}]",
            kind,
            "changes[0].set.functions.f.async.on_success",
            &["there is no queue, topic, event bus or function `nowhere`"],
        ),
    ]);
}

#[test]
fn faults_strike_one_thing() {
    let kind = Kind::Contradiction;
    check(&[
        (
            END,
            "queues: {q: {}}\nfaults: [{function: f, «queue: q, status: 500}]",
            kind,
            "faults[0].queue",
            &[
                "`function` and `queue` exclude each other",
                "expected one of `function`, `queue`, `stream`, `broker`, `topic`, `event_bus` or `bucket`",
                "chosen here",
            ],
        ),
        (
            END,
            "queues: {q: {}}\ntopics: {t: {}}\nfaults: [{«topic: t, status: 500, queue: q}]",
            kind,
            "faults[0].topic",
            &["`queue` and `topic` exclude each other"],
        ),
    ]);
}

#[test]
fn places_do_not_change() {
    check(&[
        (
            END,
            "topics: {t: {}}\nchanges: [{at: 1s, set: {«topics.t.retry: none}}]",
            Kind::InvalidValue,
            "changes[0].set.topics.t.retry",
            &[
                "`topics.t.retry` cannot change while it runs",
                "`account`, `functions.NAME`, `queues.NAME`, `streams.NAME`, `event_source_",
            ],
        ),
        (
            END,
            "queues: {q: {}}\nchanges: [{at: 1s, set: {«functions.q.memory: 1GB}}]",
            Kind::UnknownName,
            "changes[0].set.functions.q.memory",
            &["there is no function `q`"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.async.maximum_event_age: «59s}}]",
            Kind::OutOfRange,
            "changes[0].set.functions.f.async.maximum_event_age",
            &["a duration from 1m to 6h"],
        ),
    ]);
}

#[test]
fn overrides_make_no_place_by_mistake() {
    for (flag, says) in [
        ("queues.order.type=fifo", "the scenario has no queue `order`"),
        ("queues.order.type=fifo", "did you mean `orders`?"),
        ("queues.order.type=fifo", "write `--set queues.order={..}` for a new queue"),
        ("event_buses.x.rules=[]", "the name of an event bus"),
    ] {
        let error = refuse(with("").as_bytes(), &[flag]);
        assert_eq!(error.problems()[0].kind(), Kind::UnknownName, "{error}");
        assert!(error.to_string().contains(says), "{flag}: no {says:?} in\n{error}");
    }
    let overrides = ["queues.new={}", "queues.new.type=fifo", "functions.f.async.on_failure=new"].map(str::to_owned);
    assert!(parse("x.yaml", with("").as_bytes(), data(), &overrides).is_ok());
}

/// Users whose calls are over at once, and who never pause, would stop the clock.
#[test]
fn users_of_events_pause() {
    let users = |users: &str| {
        format!(
            "name: x\nduration: 1m\nfunctions: {{f: {{duration: 1s}}}}\n\
             callers: {{c: {{target: f, invocation: async, users: {users}}}}}\n"
        )
    };
    for pauses in ["{think: 1ns}", "{think: {uniform: {min: 0s, max: 1s}}}"] {
        accepts(&users(pauses));
    }
    for never in ["{}", "{count: 3}", "{think: 0s}", "{think: {uniform: {min: 0s, max: 0s}}}"] {
        let problems = parse("x.yaml", users(never).as_bytes(), data(), &[]).unwrap_err().to_string();
        assert!(problems.contains("these users never stop calling"), "{never}: {problems}");
    }
}
