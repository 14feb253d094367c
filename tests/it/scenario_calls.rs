//! Good calls and dependencies: defaults, every spelling, and how they are written out.

use std::path::Path;

use lambdasim::aws::config::{
    AbandonedCalls, Backoff, Budget, Call, CallTarget, CircuitBreaker, Client, Dependency, Discipline, Invocation,
    Jitter, Keys, RetryOn, Slowdown, System, Target,
};
use lambdasim::aws::ids::{
    BrokerId, BucketId, DependencyId, EventBusId, FunctionId, Id, QueueId, StateMachineId, StreamId, TopicId,
};
use lambdasim::kernel::dist::Distribution;
use lambdasim::kernel::quantity::{Rate, Ratio};
use lambdasim::kernel::time::SimDuration;
use lambdasim::scenario::{Loaded, parse};

use crate::common::summary;

/// `f` calls this; `d` has these settings.
fn with(calls: &str, dependency: &str) -> String {
    format!(
        "name: calls
duration: 10s
dependencies: {{d: {{service_time: 20ms, {dependency}}}}}
queues: {{q: {{}}}}
streams: {{s: {{}}}}
brokers: {{b: {{}}}}
topics: {{t: {{}}}}
event_buses: {{e: {{}}}}
buckets: {{u: {{}}}}
state_machines: {{m: {{start_at: a, states: {{a: {{succeed: {{}}}}}}}}}}
functions:
  f: {{duration: 20ms, calls: {calls}}}
  g: {{duration: 5ms}}
callers: {{c: {{target: f, arrivals: {{constant: 5/s}}}}}}
"
    )
}

#[track_caller]
fn read(text: &str) -> Loaded {
    parse("x.yaml", text.as_bytes(), Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What a file says; what it is written out as says the same, and so do the facts of its run.
#[track_caller]
fn load(text: &str) -> System {
    let loaded = read(text);
    let again = read(&loaded.source.resolved_yaml());
    assert_eq!(format!("{:?}", again.scenario.system), format!("{:?}", loaded.scenario.system), "as it is written out");
    assert_eq!(summary(&again.scenario)["digest"], summary(&loaded.scenario)["digest"], "{text}");
    loaded.scenario.system
}

#[track_caller]
fn only_call(calls: &str) -> Call {
    let system = load(&with(calls, ""));
    system.functions.rows()[0].calls[0].calls[0].clone()
}

fn dependency(settings: &str) -> Dependency {
    load(&with("[{dependency: d}]", settings)).dependencies.rows()[0].clone()
}

fn millis(count: u64) -> SimDuration {
    SimDuration::from_millis(count)
}

/// A client that is no SDK: nothing is tried again.
fn plain() -> Client {
    let backoff = |base| Backoff { base, factor: 2.0, cap: Some(millis(20_000)), jitter: Jitter::Full };
    Client {
        max_attempts: 1,
        backoff: backoff(millis(50)),
        throttle_backoff: backoff(millis(1_000)),
        policy: None,
        budget: Budget::None,
        adaptive: false,
        retry_on: RetryOn { throttle: true, service_error: true, timeout: true, function_error: false },
        timeout: None,
        total_timeout: None,
        circuit_breaker: None,
    }
}

fn standard_2026() -> Client {
    Client {
        max_attempts: 3,
        budget: Budget::Tokens { tokens: 500, transient: 14, throttle: 5, timeout: 14, success: 1 },
        timeout: Some(millis(60_000)),
        ..plain()
    }
}

/// Contract 1.4: once, one at a time, 1 KB, `even`, a failure fails the run; each kind has its client.
#[test]
fn defaults_of_calls() {
    let call = |to, client| Call {
        to,
        times: 1,
        parallel: 1,
        client,
        fails_run: true,
        payload_bytes: Distribution::constant(1_000),
        keys: Keys::Even,
    };
    let sync = CallTarget::Function(FunctionId::from_index(1), Invocation::Sync);
    let asynchronous = CallTarget::Function(FunctionId::from_index(1), Invocation::Async);
    let send = CallTarget::Send;
    for (written, to) in [
        ("function: g", sync),
        ("function: g, invocation: sync", sync),
        ("function: g, invocation: async", asynchronous),
        ("queue: q", send(Target::Queue(QueueId::from_index(0)))),
        ("stream: s", send(Target::Stream(StreamId::from_index(0)))),
        ("broker: b", send(Target::Broker(BrokerId::from_index(0)))),
        ("topic: t", send(Target::Topic(TopicId::from_index(0)))),
        ("event_bus: e", send(Target::EventBus(EventBusId::from_index(0)))),
        ("bucket: u", send(Target::Bucket(BucketId::from_index(0)))),
        ("state_machine: m", send(Target::StateMachine(StateMachineId::from_index(0)))),
    ] {
        assert_eq!(only_call(&format!("[{{{written}}}]")), call(to, standard_2026()), "{written}");
    }
    let asked = CallTarget::Dependency(DependencyId::from_index(0));
    assert_eq!(only_call("[{dependency: d}]"), call(asked, plain()));
}

/// Contract 1.4: no limit, `fifo`, no slowdown, requests go on without their clients, nothing fails.
#[test]
fn defaults_of_dependencies() {
    let expected = Dependency {
        name: "d".to_owned(),
        order: 0,
        concurrency: None,
        service_time: Distribution::constant(20_000_000),
        queue: None,
        discipline: Discipline::Fifo,
        rate_limit: None,
        connection_limit: None,
        connections_per_environment: 0,
        slowdown: None,
        abandoned_calls: AbandonedCalls::Continue,
        failures: Vec::new().into(),
    };
    assert_eq!(dependency(""), expected);
    let unlimited =
        "concurrency: unlimited, queue: -1, rate_limit: unlimited, connection_limit: -1, slowdown: none, failures: []";
    assert_eq!(dependency(unlimited), expected);
    let set = "concurrency: 40, queue: 0, discipline: lifo, rate_limit: 3000/min, connection_limit: 8, \
               connections_per_environment: 8, slowdown: {above: 20, per_call: 2%}, abandoned_calls: stop";
    let expected = Dependency {
        concurrency: Some(40),
        queue: Some(0),
        discipline: Discipline::Lifo,
        rate_limit: Some(Rate { events: 3_000, per: millis(60_000) }),
        connection_limit: Some(8),
        connections_per_environment: 8,
        slowdown: Some(Slowdown { above: 20, per_call: Ratio::from_parts(Ratio::PARTS / 50).unwrap() }),
        abandoned_calls: AbandonedCalls::Stop,
        ..expected
    };
    assert_eq!(dependency(set), expected);
    assert_eq!(dependency("slowdown: {per_call: 2%}").slowdown.map(|slowdown| slowdown.above), Some(0));
}

#[test]
fn settings_of_calls() {
    let call = only_call(
        "[{stream: s, times: 4, parallel: 2, timeout: 1s, on_failure: ignore, payload: 2KB, keys: {constant: a}}]",
    );
    assert_eq!((call.times, call.parallel, call.fails_run), (4, 2, false));
    assert_eq!((call.client.timeout, call.payload_bytes), (Some(millis(1_000)), Distribution::constant(2_000)));
    assert_eq!(call.keys, Keys::List(vec!["a".to_owned()]));
    // The call's time-out stands in the place of the client's; `none` leaves it to the client.
    for (timeouts, expected) in [
        ("timeout: 1s, client: {timeout: 2s}", Some(millis(1_000))),
        ("timeout: none, client: {timeout: 2s}", Some(millis(2_000))),
        ("client: {timeout: 2s}", Some(millis(2_000))),
        ("timeout: unlimited, client: {timeout: 2s}", None),
        ("client: {timeout: unlimited}", None),
        ("client: {}", Some(millis(60_000))),
    ] {
        assert_eq!(only_call(&format!("[{{function: g, {timeouts}}}]")).client.timeout, expected, "{timeouts}");
    }
}

/// Steps one after the other, calls of a step side by side.
#[test]
fn steps_of_calls() {
    let calls = "[{dependency: d}, {parallel: [{dependency: d, times: 2}, {function: g}, {queue: q}]}, {topic: t}]";
    let system = load(&with(calls, ""));
    let steps = &system.functions.rows()[0].calls;
    assert_eq!(steps.iter().map(|step| step.calls.len()).collect::<Vec<_>>(), [1, 3, 1]);
    let written = with("[]", "").replace(
        "[]}",
        "\n    - dependency: d\n      times: 2\n    - parallel:\n        - queue: q\n        - function: g\n  }",
    );
    let written = written
        .replace("  f: {duration: 20ms, calls: ", "  f:\n    duration: 20ms\n    calls:")
        .replace("\n  }\n", "\n");
    let steps = load(&written).functions.rows()[0].calls.clone();
    assert_eq!(steps.iter().map(|step| step.calls.len()).collect::<Vec<_>>(), [1, 2]);
    assert!(load(&with("[]", "")).functions.rows()[0].calls.is_empty());
}

/// Every way to say who tries again.
#[test]
fn clients_of_calls() {
    let client = |settings: &str| only_call(&format!("[{{dependency: d, client: {{{settings}}}}}]")).client;
    let own = |base, jitter| Backoff { base, factor: 2.0, cap: Some(millis(20_000)), jitter };
    let policy = Client {
        max_attempts: 3,
        backoff: own(millis(100), Jitter::Full),
        throttle_backoff: own(millis(100), Jitter::Full),
        ..plain()
    };
    assert_eq!(client(""), plain());
    assert_eq!(client("retry: none"), plain());
    assert_eq!(client("retry: {max_attempts: 3}"), policy);
    assert_eq!(
        client("retry: {max_attempts: 3, base: 100ms, factor: 2, cap: 20s, jitter: full, budget: none}"),
        policy
    );
    assert_eq!(client("retry: standard_2026"), Client { timeout: None, ..standard_2026() });
    assert!(client("retry: adaptive").adaptive);
    assert_eq!(client("retry: {preset: standard_2026, jitter: none}").backoff, own(millis(50), Jitter::None));
    for (word, jitter) in [("none", Jitter::None), ("equal", Jitter::Equal), ("decorrelated", Jitter::Decorrelated)] {
        assert_eq!(client(&format!("retry: {{jitter: {word}}}")).backoff.jitter, jitter);
    }
    let tokens = |tokens, transient| Budget::Tokens { tokens, transient, throttle: 5, timeout: 14, success: 1 };
    let ratio = |parts, burst| Budget::Ratio { ratio: Ratio::from_parts(parts).unwrap(), burst };
    for (budget, expected) in [
        ("{}", tokens(500, 14)),
        ("{tokens: 20, transient: 2}", tokens(20, 2)),
        ("{ratio: 10%, burst: 10}", ratio(Ratio::PARTS / 10, 10)),
        ("{ratio: 20%}", ratio(Ratio::PARTS / 5, 10)),
        ("{burst: 3}", ratio(Ratio::PARTS / 10, 3)),
    ] {
        assert_eq!(client(&format!("retry: {{budget: {budget}}}")).budget, expected, "{budget}");
    }
    let on =
        |throttle, service_error, timeout, function_error| RetryOn { throttle, service_error, timeout, function_error };
    for (list, expected) in [
        ("[]", on(false, false, false, false)),
        ("[throttle]", on(true, false, false, false)),
        ("[service_error, function_error]", on(false, true, false, true)),
        ("[any]", on(true, true, true, true)),
    ] {
        assert_eq!(client(&format!("retry_on: {list}")).retry_on, expected, "{list}");
    }
    let breaker = CircuitBreaker {
        window: millis(10_000),
        failures: Ratio::from_parts(Ratio::PARTS / 2).unwrap(),
        minimum_calls: 20,
        open: millis(5_000),
        probes: 1,
    };
    assert_eq!(client("circuit_breaker: {}").circuit_breaker, Some(breaker));
    let written = "circuit_breaker: {window: 10s, failures: 50%, minimum_calls: 20, open: 5s, probes: 1}";
    assert_eq!(client(written).circuit_breaker, Some(breaker));
    assert_eq!(client("circuit_breaker: none, total_timeout: 3s").total_timeout, Some(millis(3_000)));
}

/// Each default stands in `scenario.yaml`, with its source.
#[test]
fn defaults_are_written_out() {
    let text = read(&with("[{dependency: d}, {function: g}]", "")).source.resolved_yaml();
    let part = |from: &str, to: &str| {
        let start = text.find(from).unwrap_or_else(|| panic!("no {from:?} in\n{text}"));
        let end = text[start..].find(to).map_or(text.len(), |length| start + length);
        text[start..end].to_owned()
    };
    insta::assert_snapshot!("calls_written_out", part("    calls:", "    platform_start:"));
    insta::assert_snapshot!("dependencies_written_out", part("dependencies:", "queues:"));
}
