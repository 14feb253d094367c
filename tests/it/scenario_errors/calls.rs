//! What runs call, the dependencies behind them, and the clients between them.

use super::*;

/// A good scenario with one of each kind; `f` calls this.
fn calling(calls: &str) -> String {
    format!(
        "name: small
duration: 1h
dependencies: {{db: {{service_time: 20ms}}}}
queues: {{q: {{}}, short: {{maximum_message_size: 1KiB}}}}
streams: {{s: {{}}, table: {{type: dynamodb}}}}
brokers: {{b: {{}}}}
topics: {{t: {{}}}}
event_buses: {{e: {{}}}}
buckets: {{u: {{}}}}
state_machines: {{m: {{start_at: a, states: {{a: {{succeed: {{}}}}}}}}}}
event_source_mappings: {{reader: {{source: q, function: g}}}}
functions:
  g: {{duration: 5ms}}
  f: {{duration: 20ms, timeout: 5s, calls: {calls}}}
callers: {{c: {{target: f, arrivals: {{at: [0s]}}}}}}
"
    )
}

const SERVICE: &str = "service_time: 20ms";

/// The same with these settings of the dependency.
fn asking(settings: &str) -> String {
    calling("[{dependency: db}]").replacen(SERVICE, settings, 1)
}

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{text}\n{error}");
    }
}

/// A text, the kind of its only problem, the key, and what the message says.
type Row = (&'static str, Kind, &'static str, &'static str);

#[track_caller]
fn refuses(rows: &[Row], text: impl Fn(&str) -> String, prefix: &str) {
    for (wrong, kind, key, says) in rows {
        let error = refuse(text(wrong).as_bytes(), &[]);
        let found: Vec<_> = error.problems().iter().map(|problem| (problem.kind(), problem.key())).collect();
        let key = format!("{prefix}{key}");
        assert_eq!(found, [(*kind, &*key)], "{wrong}:\n{error}");
        assert!(error.to_string().contains(says), "{wrong}: no {says:?} in\n{error}");
        assert!(error.to_string().contains(&format!("= key: {key}\n")), "{wrong}: no key in\n{error}");
    }
}

const BAD: Kind = Kind::InvalidValue;
const RANGE: Kind = Kind::OutOfRange;
const UNKNOWN: Kind = Kind::UnknownKey;
const NAME_OF: Kind = Kind::UnknownName;
const TYPE: Kind = Kind::WrongType;
const CLASH: Kind = Kind::Contradiction;
const LACKS: Kind = Kind::MissingKey;

#[test]
fn a_step_calls_one_thing() {
    let rows = [
        ("", TYPE, "", "`functions.f.calls` has no value"),
        ("db", TYPE, "", "expected a list"),
        ("{dependency: db}", TYPE, "", "write a list"),
        ("[db]", TYPE, "[0]", "a mapping with `dependency`, `function`, `queue`"),
        ("[null]", TYPE, "[0]", "a mapping with `dependency`"),
        ("[[]]", TYPE, "[0]", "a list does not fit here"),
        ("[{}]", LACKS, "[0].dependency", "a call lacks `dependency`, `function`, `queue`"),
        ("[{times: 2}]", LACKS, "[0].dependency", "one of these keys"),
        ("[{dependncy: db}]", UNKNOWN, "[0].dependncy", "did you mean `dependency`?"),
        ("[{functions: g}]", UNKNOWN, "[0].functions", "did you mean `function`?"),
        ("[{target: db}]", UNKNOWN, "[0].target", "the keys are `dependency`, `function`, `queue`"),
        ("[{caller: c}]", UNKNOWN, "[0].caller", "nobody calls it"),
        ("[{event_source_mapping: reader}]", UNKNOWN, "[0].event_source_mapping", "a mapping polls"),
        ("[{dependency: db, function: g}]", CLASH, "[0].function", "`dependency` and `function` exclude each other"),
        ("[{queue: q, stream: s}]", CLASH, "[0].stream", "exclude each other"),
        ("[{dependency: [db]}]", TYPE, "[0].dependency", "a list does not fit here"),
        ("[{dependency: }]", TYPE, "[0].dependency", "expected the name of a dependency"),
    ];
    refuses(&rows, calling, "functions.f.calls");
}

#[test]
fn names_of_what_is_called() {
    let rows = [
        ("[{dependency: bd}]", NAME_OF, "dependency", "did you mean `db`?"),
        ("[{dependency: warehouse}]", NAME_OF, "dependency", "there are `db`"),
        ("[{dependency: g}]", NAME_OF, "dependency", "this is a function"),
        ("[{dependency: g}]", NAME_OF, "dependency", "write `function: g`"),
        ("[{function: db}]", NAME_OF, "function", "write `dependency: db`"),
        ("[{queue: s}]", NAME_OF, "queue", "write `stream: s`"),
        ("[{stream: b}]", NAME_OF, "stream", "write `broker: b`"),
        ("[{broker: t}]", NAME_OF, "broker", "write `topic: t`"),
        ("[{topic: e}]", NAME_OF, "topic", "write `event_bus: e`"),
        ("[{event_bus: u}]", NAME_OF, "event_bus", "write `bucket: u`"),
        ("[{bucket: m}]", NAME_OF, "bucket", "write `state_machine: m`"),
        ("[{state_machine: q}]", NAME_OF, "state_machine", "write `queue: q`"),
        // Nobody calls these.
        ("[{function: c}]", NAME_OF, "function", "this is a caller"),
        ("[{function: reader}]", NAME_OF, "function", "this is an event source mapping"),
    ];
    refuses(&rows, calling, "functions.f.calls[0].");
    let error = refuse(GOOD.replace(RUN, &format!("{RUN}\n    calls: [{{dependency: db}}]")).as_bytes(), &[]);
    assert!(error.to_string().contains("add for example `dependencies: {db: {service_time: 20ms}}`"), "{error}");
}

#[test]
fn settings_of_calls() {
    let rows = [
        ("[{dependency: db, times: 0}]", RANGE, "times", "a whole number from 1 to 10000"),
        ("[{dependency: db, times: 10001}]", RANGE, "times", "too large"),
        ("[{dependency: db, times: 1.5}]", BAD, "times", "not a whole number"),
        ("[{dependency: db, parallel: 0}]", RANGE, "parallel", "at least 1"),
        ("[{dependency: db, parallel: 5}]", CLASH, "parallel", "write `times: 5, parallel: 5`"),
        (
            "[{dependency: db, times: 3, parallel: 4}]",
            CLASH,
            "parallel",
            "4 calls at once are more than `times` makes: 3",
        ),
        ("[{dependency: db, timeout: 5}]", BAD, "timeout", "write `5s` for seconds"),
        ("[{dependency: db, timeout: 0s}]", RANGE, "timeout", "`unlimited` or a duration above `0s`"),
        ("[{dependency: db, on_failure: retry}]", BAD, "on_failure", "expected `fail` or `ignore`"),
        ("[{dependency: db, on_failure: ignor}]", BAD, "on_failure", "did you mean `ignore`?"),
        ("[{dependency: db, payload: 5}]", BAD, "payload", "write `5B`"),
        ("[{dependency: db, payload: {lognormal: {median: 1KB}}}]", LACKS, "payload.lognormal.p99", "lacks `p99`"),
        ("[{dependency: db, invocation: async}]", UNKNOWN, "invocation", "`invocation` goes with `function`"),
        ("[{queue: q, invocation: async}]", UNKNOWN, "invocation", "`invocation` goes with `function`"),
        ("[{state_machine: m, invocation: sync}]", UNKNOWN, "invocation", "`invocation` goes with `function`"),
        ("[{function: g, invocation: asynch}]", BAD, "invocation", "did you mean `async`?"),
        ("[{queue: q, delay: 5s}]", UNKNOWN, "delay", "the keys are"),
        ("[{dependency: db, client: standard_2026}]", TYPE, "client", "write `client: {retry: standard_2026}`"),
        ("[{dependency: db, client: [none]}]", TYPE, "client", "a list does not fit here"),
    ];
    refuses(&rows, calling, "functions.f.calls[0].");
}

/// ESM-2.1.
#[test]
fn keys_of_calls() {
    for called in [
        "dependency: db",
        "function: g",
        "function: g, invocation: async",
        "broker: b",
        "topic: t",
        "event_bus: e",
        "bucket: u",
        "state_machine: m",
    ] {
        let error = refuse(calling(&format!("[{{{called}, keys: {{constant: a}}}}]")).as_bytes(), &[]);
        assert_eq!((error.problems().len(), error.problems()[0].kind()), (1, CLASH), "{called}\n{error}");
        assert!(error.to_string().contains("has no key"), "{called}\n{error}");
        accepts(&calling(&format!("[{{{called}, keys: even}}]")));
    }
    for called in ["queue: q", "stream: s", "stream: table"] {
        accepts(&calling(&format!("[{{{called}, keys: {{constant: a}}}}]")));
    }
    accepts(&calling("[{stream: s, keys: {hash: [0]}}]"));
    let rows = [
        ("[{stream: table, keys: {hash: [0]}}]", CLASH, "hash", "only Kinesis takes explicit hash keys"),
        ("[{stream: s, keys: {unifrom: 2}}]", UNKNOWN, "unifrom", "did you mean `uniform`?"),
        ("[{stream: s, keys: {list: []}}]", LACKS, "list", "at least one key"),
    ];
    refuses(&rows, calling, "functions.f.calls[0].keys.");
}

/// INV-Y2, ESM-1.1: just below and above each limit; where only some are too large, those are refused as the run goes.
#[test]
fn payloads_that_nothing_takes() {
    for (called, largest) in [
        ("function: g", 6_291_556_u64),
        ("function: g, invocation: async", 1_048_576),
        ("queue: q", 1_048_576),
        ("queue: short", 1_024),
        ("event_bus: e", 1_048_576),
        ("bucket: u", 5_000_000_000),
    ] {
        accepts(&calling(&format!("[{{{called}, payload: {largest}B}}]")));
        accepts(&calling(&format!("[{{{called}, payload: {{uniform: {{min: {largest}B, max: 9GB}}}}}}]")));
        let more = largest + 1;
        for payload in [format!("{more}B"), format!("{{uniform: {{min: {more}B, max: 9GB}}}}")] {
            let error = refuse(calling(&format!("[{{{called}, payload: {payload}}}]")).as_bytes(), &[]);
            let found: Vec<_> = error.problems().iter().map(|problem| (problem.kind(), problem.key())).collect();
            assert_eq!(found, [(RANGE, "functions.f.calls[0].payload")], "{called}\n{error}");
            assert!(error.to_string().contains(&format!("at most {largest}B (")), "{called}\n{error}");
        }
    }
    for called in ["stream: s", "stream: table", "topic: t"] {
        let error = refuse(calling(&format!("[{{{called}, payload: 1GB}}]")).as_bytes(), &[]);
        assert_eq!((error.problems().len(), error.problems()[0].kind()), (1, RANGE), "{called}\n{error}");
    }
    for called in ["dependency: db", "broker: b"] {
        accepts(&calling(&format!("[{{{called}, payload: 1GB}}]")));
    }
}

#[test]
fn calls_side_by_side() {
    let rows = [
        ("[{parallel: []}]", CLASH, "parallel", "this step calls nobody"),
        ("[{parallel: 3}]", TYPE, "parallel", "expected a list"),
        ("[{parallel: {dependency: db}}]", TYPE, "parallel", "write a list"),
        ("[{parallel: [{}]}]", LACKS, "parallel[0].dependency", "a call lacks `dependency`"),
        ("[{parallel: [{dependency: bd}]}]", NAME_OF, "parallel[0].dependency", "did you mean `db`?"),
        ("[{parallel: [{queue: q}, {topic: t, keys: {constant: a}}]}]", CLASH, "parallel[1].keys", "has no key"),
        ("[{parallel: [{dependency: db, parallel: 2}]}]", CLASH, "parallel[0].parallel", "at most `times`"),
        ("[{parallel: [{dependency: db}], times: 3}]", UNKNOWN, "times", "each of the calls in `parallel` has its own"),
        ("[{parallel: [{dependency: db}], on_failure: ignore}]", UNKNOWN, "on_failure", "has its own"),
        ("[{parallel: [{dependency: db}], client: {}}]", UNKNOWN, "client", "has its own"),
        ("[{parallel: [{dependency: db}], timeout: 1s}]", UNKNOWN, "timeout", "has its own"),
    ];
    refuses(&rows, calling, "functions.f.calls[0].");
    let error = refuse(calling("[{parallel: [{parallel: [{dependency: db}]}]}]").as_bytes(), &[]);
    assert!(error.to_string().contains("write all of them in one list"), "{error}");
}

#[test]
fn settings_of_dependencies() {
    let rows = [
        ("", LACKS, "service_time", "a dependency lacks `service_time`"),
        ("service_time: 5", BAD, "service_time", "has no unit"),
        ("service_time: 1ms, concurrency: 0", RANGE, "concurrency", "`unlimited` or a whole number of at least 1"),
        ("service_time: 1ms, concurrency: none", BAD, "concurrency", "write `unlimited`"),
        ("service_time: 1ms, concurrency: 1.5", BAD, "concurrency", "not a whole number"),
        ("service_time: 1ms, queue: -2", RANGE, "queue", "`-2` is negative"),
        ("service_time: 1ms, discipline: fofo", BAD, "discipline", "did you mean `fifo`?"),
        ("service_time: 1ms, rate_limit: 50", BAD, "rate_limit", "write `50/s`"),
        ("service_time: 1ms, rate_limit: 0/s", RANGE, "rate_limit", "the dependency would take no request"),
        ("service_time: 1ms, connection_limit: 0", RANGE, "connection_limit", "at least 1"),
        (
            "service_time: 1ms, connection_limit: 3, connections_per_environment: 4",
            CLASH,
            "connection_limit",
            "each environment holds 4 connections, and there are only 3",
        ),
        ("service_time: 1ms, connections_per_environment: -1", RANGE, "connections_per_environment", "negative"),
        ("service_time: 1ms, slowdown: 2%", BAD, "slowdown", "write `slowdown: {per_call: 2%}`"),
        ("service_time: 1ms, slowdown: {}", LACKS, "slowdown.per_call", "a slowdown lacks `per_call`"),
        ("service_time: 1ms, slowdown: {per_call: 0%}", RANGE, "slowdown.per_call", "above 0% and at most 100%"),
        ("service_time: 1ms, slowdown: {per_call: 200%}", RANGE, "slowdown.per_call", "more than 100%"),
        ("service_time: 1ms, slowdown: {abov: 1, per_call: 2%}", UNKNOWN, "slowdown.abov", "did you mean `above`?"),
        ("service_time: 1ms, abandoned_calls: stopp", BAD, "abandoned_calls", "did you mean `stop`?"),
        ("service_time: 1ms, failures: 1%", TYPE, "failures", "expected a list"),
        ("service_time: 1ms, failures: [{}]", LACKS, "failures[0]", "this cause of failure has no condition"),
        (
            "service_time: 1ms, failures: [{probability: 1%, kind: bad_batch_response}]",
            BAD,
            "failures[0].kind",
            "`error`, `timeout` or `crash`",
        ),
        ("service_time: 1ms, failures: [{from: 5s, until: 5s}]", CLASH, "failures[0].until", "a moment after `from`"),
        ("service_time: 1ms, failures: [{events: [x#4]}]", NAME_OF, "failures[0].events[0]", "there is no caller `x`"),
        ("service_time: 1ms, concurency: 4", UNKNOWN, "concurency", "did you mean `concurrency`?"),
        ("service_time: 1ms, max_connections: 4", UNKNOWN, "max_connections", "did you mean `connection_limit`?"),
        ("service_time: 1ms, latency: 4s", UNKNOWN, "latency", "did you mean `service_time`?"),
        ("service_time: 1ms, per_call: 5%", UNKNOWN, "per_call", "write `slowdown: {per_call: ..}`"),
        ("service_time: 1ms, timeout: 5s", UNKNOWN, "timeout", "who calls says how long it waits"),
        ("service_time: 1ms, client: {}", UNKNOWN, "client", "who calls says how long it waits"),
    ];
    refuses(&rows, asking, "dependencies.db.");
    for (wrong, says) in [("[db]", "a mapping from names to dependencies"), ("{db: 20ms}", "`20ms` does not fit here")]
    {
        let error = refuse(calling("[]").replace("{db: {service_time: 20ms}}", wrong).as_bytes(), &[]);
        assert_eq!((error.problems().len(), error.problems()[0].kind()), (1, TYPE), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn clients_of_calls() {
    let rows = [
        ("retry: 3", BAD, "retry", "write `retry: {max_attempts: 3}`"),
        ("retry: standard", BAD, "retry", "did you mean `standard_v2`?"),
        ("retry: [none]", TYPE, "retry", "a list does not fit here"),
        ("retry: {max_attempts: 0}", RANGE, "retry.max_attempts", "at least 1"),
        ("retry: {attempts: 3}", UNKNOWN, "retry.attempts", "did you mean `max_attempts`?"),
        ("retry: {retries: 3}", UNKNOWN, "retry.retries", "it counts the first attempt too"),
        ("retry: {preset: standard_v3}", BAD, "retry.preset", "did you mean `standard_v2`?"),
        ("retry: {base: 100}", BAD, "retry.base", "`100ms` for milliseconds"),
        ("retry: {factor: 0.5}", RANGE, "retry.factor", "a number from 1 to 1000000"),
        ("retry: {jitter: fulll}", BAD, "retry.jitter", "did you mean `full`?"),
        ("retry: {budget: 10%}", BAD, "retry.budget", "write `budget: {ratio: 10%}`"),
        ("retry: {budget: unlimited}", BAD, "retry.budget", "write `none`"),
        ("retry: {budget: {ratio: 110%}}", RANGE, "retry.budget.ratio", "more than 100%"),
        ("retry: {budget: {tokens: -1}}", RANGE, "retry.budget.tokens", "negative"),
        ("retry: {budget: {tokens: 5, ratio: 10%}}", UNKNOWN, "retry.budget.ratio", "a key of a ratio budget"),
        ("max_attempts: 3", UNKNOWN, "max_attempts", "write `retry: {max_attempts: ..}`"),
        ("budget: none", UNKNOWN, "budget", "write `retry: {budget: ..}`"),
        ("retry_on: throttle", TYPE, "retry_on", "write a list: `[throttle]`"),
        ("retry_on: [throtle]", BAD, "retry_on[0]", "did you mean `throttle`?"),
        ("retry_on: [429]", BAD, "retry_on[0]", "`throttle`, `service_error`, `timeout`, `function_error` or `any`"),
        ("timeout: 0s", RANGE, "timeout", "too small"),
        ("total_timeout: 5", BAD, "total_timeout", "has no unit"),
        ("circuit_breaker: on", BAD, "circuit_breaker", "write `circuit_breaker: {}` for its defaults"),
        ("circuit_breaker: {failures: 0%}", RANGE, "circuit_breaker.failures", "above 0%"),
        ("circuit_breaker: {minimum_calls: 0}", RANGE, "circuit_breaker.minimum_calls", "at least 1"),
        ("circuit_breaker: {window: 0s}", RANGE, "circuit_breaker.window", "above `0s`"),
        ("circuit_breaker: {open: 5}", BAD, "circuit_breaker.open", "has no unit"),
        ("circuit_breaker: {probes: 0}", RANGE, "circuit_breaker.probes", "at least 1"),
        ("circuit_breaker: {probe: 1}", UNKNOWN, "circuit_breaker.probe", "did you mean `probes`?"),
    ];
    for called in ["dependency: db", "function: g", "queue: q", "state_machine: m"] {
        let text = |client: &str| calling(&format!("[{{{called}, client: {{{client}}}}}]"));
        refuses(&rows, text, "functions.f.calls[0].client.");
    }
}

#[test]
fn faults_of_what_is_called() {
    let rows = [
        ("dependency: db, status: 500", UNKNOWN, "dependency", "a dependency has `failures` of its own"),
        ("state_machine: m, status: 500", UNKNOWN, "state_machine", "the keys are `function`, `queue`"),
        ("function: f", LACKS, "status", "429, or 500 to 599"),
        ("function: f, status: 404", RANGE, "status", "expected `429` or a whole number from 500 to 599"),
        ("function: f, status: 503, stage: dispach", BAD, "stage", "did you mean `dispatch`?"),
        ("queue: q, status: 500, stage: invoke", UNKNOWN, "stage", "`stage` goes with `function`"),
        ("queue: q, function: f, status: 500", CLASH, "queue", "`function` and `queue` exclude each other"),
        ("queue: f, status: 500", NAME_OF, "queue", "this is a function"),
        ("status: 500", LACKS, "function", "a fault lacks `function`, `queue`"),
        ("queue: q, status: 500, probability: 200%", RANGE, "probability", "more than 100%"),
    ];
    refuses(&rows, |fault| format!("{}faults: [{{{fault}}}]\n", calling("[]")), "faults[0].");
}

#[test]
fn changes_of_calls_and_dependencies() {
    let rows = [
        ("dependencies.db.concurrency: 0", RANGE, "dependencies.db.concurrency", "at least 1"),
        ("dependencies.bd.concurrency: 5", NAME_OF, "dependencies.bd.concurrency", "did you mean `db`?"),
        ("dependencies.db.concurency: 5", UNKNOWN, "dependencies.db.concurency", "did you mean `concurrency`?"),
        (
            "dependencies.db.rate_limit: 0/s",
            RANGE,
            "dependencies.db.rate_limit",
            "the dependency would take no request",
        ),
        (
            "dependencies.db.connections_per_environment: 5",
            BAD,
            "dependencies.db.connections_per_environment",
            "`connections_per_environment` cannot change",
        ),
        ("\"functions.f.calls[0].times\": 0", RANGE, "functions.f.calls[0].times", "from 1 to 10000"),
        ("\"functions.f.calls[0].parallel\": 2", CLASH, "functions.f.calls[0].parallel", "at most `times`"),
        ("\"functions.f.calls[0].dependency\": g", NAME_OF, "functions.f.calls[0].dependency", "this is a function"),
        (
            "\"functions.f.calls[0].client.retry\": nune",
            BAD,
            "functions.f.calls[0].client.retry",
            "did you mean `none`?",
        ),
        ("\"functions.f.calls[0].keys\": {constant: a}", CLASH, "functions.f.calls[0].keys", "has no key"),
        ("functions.f.calls: [{queue: q, payload: 2MB}]", RANGE, "functions.f.calls[0].payload", "this queue takes"),
        ("functions.f.calls: [{parallel: []}]", CLASH, "functions.f.calls[0].parallel", "this step calls nobody"),
    ];
    let change = |set: &str| format!("{}changes: [{{at: 1m, set: {{{set}}}}}]\n", calling("[{dependency: db}]"));
    refuses(&rows, change, "changes[0].set.");
    let error = refuse(change("functions.f.calls[0].times: 3").as_bytes(), &[]);
    assert!(error.to_string().contains("stands in quotes"), "{error}");
    for good in [
        "dependencies.db.failures: [{probability: 100%}]",
        "dependencies.db.concurrency: unlimited",
        "dependencies.db.slowdown: {per_call: 2%}",
        "functions.f.calls: []",
        "functions.f.calls: [{queue: q}]",
        "\"functions.f.calls[0].times\": 3, \"functions.f.calls[0].parallel\": 3",
        "\"functions.f.calls[0].client\": {retry: standard_2026}",
    ] {
        accepts(&change(good));
    }
}

/// INV-5.7: Lambda stops loops, unless a function allows them; then `drain: settle` would wait for ever.
#[test]
fn calls_that_never_end() {
    let looping = |functions: &str, more: &str| {
        format!(
            "name: loop\nduration: 1m\n{more}functions: {{{functions}}}\ncallers: {{c: {{target: f, arrivals: {{at: [0s]}}}}}}\n"
        )
    };
    let own = |more: &str| format!("f: {{duration: 20ms, calls: [{{function: f}}], recursive_loop: allow{more}}}");
    let pair = |f: &str, g: &str| {
        format!(
            "g: {{duration: 20ms, calls: [{{parallel: [{{function: f}}]}}], recursive_loop: {g}}}, \
             f: {{duration: 20ms, calls: [{{function: leaf}}, {{function: g}}], recursive_loop: {f}}}, \
             leaf: {{duration: 1ms, recursive_loop: allow}}"
        )
    };
    let error = refuse(looping(&own(""), "").as_bytes(), &[]);
    insta::assert_snapshot!("calls_that_never_end", error);
    let error = refuse(looping(&pair("allow", "allow"), "").as_bytes(), &[]);
    assert_eq!((error.problems().len(), error.problems()[0].kind()), (1, CLASH), "{error}");
    assert_eq!(error.problems()[0].key(), "functions.f.calls[1].function", "{error}");
    assert!(error.to_string().contains("`g`, `f` call each other for ever"), "{error}");
    let two = format!("{}, {}", own(""), own("").replace("f:", "h:").replace(": f}", ": h}"));
    let error = refuse(looping(&two, "").as_bytes(), &[]);
    let found: Vec<_> = error.problems().iter().map(lambdasim::scenario::Problem::key).collect();
    assert_eq!(found, ["functions.f.calls[0].function", "functions.h.calls[0].function"], "{error}");
    for own in [own(""), own(", timeout: 20s")] {
        let text = looping(&own.replace("{function: f}", "{function: f, invocation: async}"), "");
        assert!(refuse(text.as_bytes(), &[]).to_string().contains("`f` calls itself for ever"));
    }
    let change = format!(
        "{}changes: [{{at: 1s, set: {{functions.f.recursive_loop: allow}}}}]\n",
        looping(&pair("terminate", "allow"), "")
    );
    assert!(refuse(change.as_bytes(), &[]).to_string().contains("call each other for ever"));
    // Something ends the chain, or the run does not wait for its end.
    for good in [
        looping(&own("").replace(", recursive_loop: allow", ""), ""),
        looping(&pair("allow", "terminate"), ""),
        looping(&pair("terminate", "allow"), ""),
        looping(&own(", reserved_concurrency: 20"), ""),
        looping(&own(", failures: [{probability: 1%}]"), ""),
        // The chain fills the account.
        looping(&own(", timeout: 20s"), ""),
        looping(&own("").replace("20ms", "0s"), ""),
        looping(&own(""), "drain: 0s\n"),
        looping(&own(""), "changes: [{at: 10s, set: {functions.f.reserved_concurrency: 0}}]\n"),
        looping(&own(""), "changes: [{at: 10s, set: {functions.f.calls: []}}]\n"),
        looping(&own(""), "account: {concurrency_limit: 150}\n"),
    ] {
        accepts(&good);
    }
}

#[test]
fn the_look_of_messages_about_calls() {
    let text = calling("[{dependency: g}, {dependency: db, times: 2, parallel: 4}, {topic: t, keys: {uniform: 3}}]");
    insta::assert_snapshot!("messages_about_calls", refuse(text.as_bytes(), &[]));
    let text = calling("[{function: db, queue: q}, {parallel: []}, {dependency: db, client: {retry: 3}}]");
    insta::assert_snapshot!(
        "messages_about_calls_and_overrides",
        refuse(text.as_bytes(), &["dependencies.db.rate_limit=0/s"])
    );
}
