//! What runs and environments keep of their calls when settings change: contract, `calls`, `dependencies` and `changes`.

use crate::common::{check_run, near, number, simulate};

/// A change makes a function call: its environments hold connections from then on, which close when they end.
#[test]
fn a_change_brings_calls() {
    let yaml = "duration: 1h
dependencies: { d: { service_time: 100ms, connections_per_environment: 1 } }
functions: { f: { duration: 10ms, idle_timeout: 10m } }
callers: { c: { target: f, arrivals: { at: [20s] } } }
changes: [{ at: 10s, set: { functions.f.calls: [{ dependency: d }] } }]";
    let summary = simulate(yaml);
    near("latency", number(&summary, "callers.c.latency_ms.max"), 110.0, 0.0);
    near("mean", number(&summary, "dependencies.d.connections.mean"), 600.1 / 3_600.0, 1e-9);
}

/// An environment that is retired as its calls end closes its connections then, not when something else happens.
#[test]
fn connections_close_when_their_environment_is_retired() {
    let yaml = "duration: 1h
dependencies: { d: { service_time: 1s, connections_per_environment: 2 } }
functions: { f: { duration: 1s, maximum_environment_age: 500ms, calls: [{ dependency: d }] } }
callers: { c: { target: f, arrivals: { at: [0s, 30m] } } }";
    let summary = simulate(yaml);
    near("last", number(&summary, "dependencies.d.connections.last"), 0.0, 0.0);
    near("mean", number(&summary, "dependencies.d.connections.mean"), 4.0 / 3_600.0, 1e-9);
}

/// A run goes on with the calls, the time-out and the extensions that it began with.
#[test]
fn a_run_under_way_keeps_its_settings() {
    for (change, latency, billed) in [
        ("functions.f.timeout: 2s", 4_000.0, 4_500.0),
        ("functions.f.calls: []", 4_000.0, 4_500.0),
        ("functions.f.calls: [{ dependency: d, times: 3 }, { dependency: d }]", 4_000.0, 4_500.0),
        ("functions.f.extension_tail: 0s", 4_000.0, 4_500.0),
    ] {
        let yaml = format!(
            "duration: 10s
dependencies: {{ d: {{ service_time: 3s }} }}
functions: {{ f: {{ duration: 1s, timeout: 10s, extension_tail: 500ms, calls: [{{ dependency: d }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}
changes: [{{ at: 500ms, set: {{ {change} }} }}]"
        );
        let expected = [
            ("callers.c.latency_ms.max", latency),
            ("callers.c.succeeded", 1.0),
            ("functions.f.billed_ms", billed),
            ("dependencies.d.served", 1.0),
        ];
        check_run(change, &yaml, &expected);
    }
}

/// What a client remembers outlasts a change of other settings; another breaker, or a call of another, begins anew.
#[test]
fn a_breaker_outlasts_other_changes() {
    let breaker = |calls: u32| format!("circuit_breaker: {{ minimum_calls: {calls}, open: 1h }}");
    for (calls, asked) in [
        (format!("{{ dependency: d, client: {{ {}, total_timeout: 5s }} }}", breaker(2)), [2.0, 0.0]),
        (format!("{{ dependency: d, on_failure: ignore, client: {{ {} }} }}", breaker(2)), [2.0, 0.0]),
        (format!("{{ dependency: d, client: {{ {} }} }}", breaker(1)), [3.0, 0.0]),
        (format!("{{ dependency: e, client: {{ {} }} }}", breaker(2)), [2.0, 2.0]),
        ("{ dependency: d }".to_owned(), [6.0, 0.0]),
    ] {
        let yaml = format!(
            "duration: 10s
dependencies:
  d: {{ service_time: 1ms, failures: [{{ probability: 100% }}] }}
  e: {{ service_time: 1ms, failures: [{{ probability: 100% }}] }}
functions: {{ f: {{ duration: 10ms, calls: [{{ dependency: d, client: {{ {} }} }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 1s, 2s, 4s, 5s, 6s, 7s] }}, client: {{ retry: none }} }} }}
changes: [{{ at: 3s, set: {{ functions.f.calls: [{calls}] }} }}]",
            breaker(2)
        );
        check_run(&calls, &yaml, &[("dependencies.d.calls", asked[0]), ("dependencies.e.calls", asked[1])]);
    }
}

/// A run that ends in the middle of a probe says nothing of it: the next run sends another, and finds the dependency well.
#[test]
fn a_probe_that_its_run_gives_up_is_sent_again() {
    let yaml = "duration: 10s
dependencies:
  d: { service_time: 500ms, failures: [{ probability: 100%, until: 1s }] }
  e: { service_time: 10ms, failures: [{ probability: 100%, from: 2s, until: 3s }] }
functions:
  f:
    duration: 0s
    calls:
      - parallel:
          - { dependency: d, on_failure: ignore, client: { circuit_breaker: { minimum_calls: 1, open: 1s } } }
          - { dependency: e }
callers: { c: { target: f, arrivals: { at: [0s, 2s, 4s, 6s] }, client: { retry: none } } }";
    check_run(
        "probe",
        yaml,
        &[
            ("functions.f.cold_starts", 1.0),
            ("functions.f.errors", 1.0),
            ("dependencies.d.calls", 4.0),
            ("dependencies.d.abandoned", 1.0),
            ("callers.c.succeeded", 3.0),
        ],
    );
}

/// The time-out of the whole call ends a wait for the adaptive limiter too.
#[test]
fn the_limiter_does_not_outlast_the_call() {
    let yaml = "duration: 10s
dependencies: { d: { service_time: 1ms, rate_limit: 1/s } }
functions:
  f:
    duration: 0s
    timeout: 10s
    calls: [{ dependency: d, times: 2, client: { retry: { preset: adaptive, base: 0s }, total_timeout: 300ms } }]
callers: { c: { target: f, arrivals: { at: [0s] }, client: { retry: none } } }";
    check_run("limiter", yaml, &[("callers.c.latency_ms.max", 301.0), ("dependencies.d.calls", 2.0)]);
}
