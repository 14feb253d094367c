//! What runs call, and the dependencies behind them: contract, `calls` and `dependencies`.

use lambdasim::aws::fact::{DependencyFact, Fact, OutgoingFact};

use crate::common::{Facts, check_run, ms, near, number, simulate};

/// A function of 10 ms with these calls behind a database of one server and 100 ms.
fn calling(calls: &str, more: &str) -> String {
    format!(
        "duration: 1s
dependencies: {{ db: {{ concurrency: 1, service_time: 100ms }} }}
functions:
  f: {{ duration: 10ms, timeout: 10s, calls: {calls} }}
  g: {{ duration: 50ms }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}
{more}"
    )
}

/// Steps are one after the other, calls in `parallel` side by side; waiting is part of the run's duration.
#[test]
fn steps_in_order_and_side_by_side() {
    let rows = [
        ("[]", 10.0),
        ("[{ dependency: db }]", 110.0),
        ("[{ dependency: db, times: 3 }]", 310.0),
        // One server: three at once are served one after the other.
        ("[{ dependency: db, times: 3, parallel: 3 }]", 310.0),
        ("[{ function: g }]", 60.0),
        ("[{ function: g, times: 3 }]", 160.0),
        ("[{ function: g, times: 3, parallel: 2 }]", 110.0),
        ("[{ function: g, times: 3, parallel: 3 }]", 60.0),
        ("[{ parallel: [{ dependency: db }, { function: g }] }]", 110.0),
        ("[{ parallel: [{ function: g }, { function: g, times: 2 }] }, { dependency: db }]", 210.0),
        ("[{ function: g, invocation: async }]", 10.0),
    ];
    for (calls, expected) in rows {
        let yaml = calling(calls, "");
        check_run(
            calls,
            &yaml,
            &[
                ("callers.c.latency_ms.max", expected),
                ("callers.c.succeeded", 1.0),
                ("functions.f.billed_ms", expected),
            ],
        );
    }
}

/// The function's time-out bounds the wait for its calls: just below, at and above it.
#[test]
fn waiting_is_bounded_by_the_functions_time_out() {
    for (service, expected, timeouts) in [("989ms", 999.0, 0.0), ("990ms", 1_000.0, 0.0), ("991ms", 1_000.0, 1.0)] {
        let yaml = format!(
            "duration: 1s
dependencies: {{ db: {{ service_time: {service} }} }}
functions: {{ f: {{ duration: 10ms, timeout: 1s, calls: [{{ dependency: db }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            service,
            &yaml,
            &[
                ("callers.c.latency_ms.max", expected),
                ("functions.f.timeouts", timeouts),
                ("dependencies.db.abandoned", timeouts),
                ("dependencies.db.served", 1.0 - timeouts),
            ],
        );
    }
}

/// A failed call fails the run unless it is ignored; the next step is then not taken.
#[test]
fn a_failed_call_fails_the_run_or_not() {
    for (on_failure, errors, later) in [("fail", 1.0, 0.0), ("ignore", 0.0, 1.0)] {
        let yaml = format!(
            "duration: 1s
dependencies:
  dead: {{ service_time: 1ms, failures: [{{ probability: 100% }}] }}
  next: {{ service_time: 1ms }}
functions: {{ f: {{ duration: 0s, calls: [{{ dependency: dead, on_failure: {on_failure} }}, {{ dependency: next }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            on_failure,
            &yaml,
            &[
                ("functions.f.errors", errors),
                ("callers.c.succeeded", 1.0 - errors),
                ("dependencies.dead.calls", 1.0),
                ("dependencies.next.calls", later),
            ],
        );
    }
}

/// Limits of a dependency: just at and above each. Ten requests come at once.
#[test]
fn limits_of_a_dependency() {
    let rows = [
        ("concurrency: 10, queue: 0", 10.0, 0.0, 100.0),
        ("concurrency: 9, queue: 0", 9.0, 1.0, 100.0),
        ("concurrency: 9, queue: 1", 10.0, 0.0, 200.0),
        ("concurrency: 1, queue: 8", 9.0, 1.0, 900.0),
        ("rate_limit: 10/s", 10.0, 0.0, 100.0),
        ("rate_limit: 9/s", 9.0, 1.0, 100.0),
        ("connection_limit: 10", 10.0, 0.0, 100.0),
        ("connection_limit: 9", 9.0, 1.0, 100.0),
        ("connection_limit: 20, connections_per_environment: 2", 10.0, 0.0, 100.0),
        ("connection_limit: 19, connections_per_environment: 2", 9.0, 1.0, 100.0),
        // The tenth is slowed by five requests above five, each by 10 %: 150 ms.
        ("slowdown: { above: 5, per_call: 10% }", 10.0, 0.0, 150.0),
    ];
    for (settings, served, rejected, slowest) in rows {
        let yaml = format!(
            "duration: 1s
dependencies: {{ d: {{ service_time: 100ms, {settings} }} }}
functions: {{ f: {{ duration: 0s, calls: [{{ dependency: d }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 10 }} }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            settings,
            &yaml,
            &[
                ("dependencies.d.calls", 10.0),
                ("dependencies.d.served", served),
                ("dependencies.d.rejected", rejected),
                ("dependencies.d.latency_ms.max", slowest),
                ("functions.f.errors", rejected),
            ],
        );
    }
}

/// Connections of an environment are open until it ends, others as long as their request.
#[test]
fn connections_last_as_long_as_their_environment() {
    for (per_environment, most, last) in [(0, 10.0, 0.0), (1, 10.0, 0.0), (3, 30.0, 0.0)] {
        let yaml = format!(
            "duration: 1h
dependencies: {{ d: {{ service_time: 100ms, connections_per_environment: {per_environment} }} }}
functions: {{ f: {{ duration: 0s, idle_timeout: 10m, calls: [{{ dependency: d }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 10 }} }} }} }}"
        );
        let summary = simulate(&yaml);
        near("most", number(&summary, "dependencies.d.connections.max"), most, 0.0);
        near("last", number(&summary, "dependencies.d.connections.last"), last, 0.0);
        // 10 environments x connections, for 600.1 s (0.1 s without) of the hour.
        let seconds = if per_environment == 0 { 0.1 } else { 600.1 };
        near("mean", number(&summary, "dependencies.d.connections.mean"), most * seconds / 3_600.0, 1e-9);
    }
}

/// Who is next: with one server, requests at 0, 1, 2 ms are served in the order of arrival, or the last first.
#[test]
fn disciplines() {
    for (discipline, expected) in [("fifo", [1, 2, 3, 4]), ("lifo", [1, 4, 3, 2])] {
        let yaml = format!(
            "duration: 1s
dependencies: {{ d: {{ concurrency: 1, service_time: 100ms, discipline: {discipline} }} }}
functions: {{ f: {{ duration: 0s, calls: [{{ dependency: d }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0ms, 1ms, 2ms, 3ms] }} }} }}"
        );
        let served = Facts::of(&yaml).list.into_iter().filter_map(|(_, fact)| match fact {
            Fact::Dependency(DependencyFact::Served { call, .. }) => Some(call.submission),
            _ => None,
        });
        assert_eq!(served.collect::<Vec<_>>(), expected, "{discipline}");
    }
}

/// A request whose client gives up is served for nobody, or is gone: one server, 1 s each, a time-out of 100 ms.
#[test]
fn abandoned_calls_go_on_or_stop() {
    for (abandoned, last_service_end) in [("continue", 3_000.0), ("stop", 100.0)] {
        let yaml = format!(
            "duration: 1s
dependencies: {{ d: {{ concurrency: 1, service_time: 1s, abandoned_calls: {abandoned} }} }}
functions: {{ f: {{ duration: 0s, calls: [{{ dependency: d, timeout: 100ms }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 3 }} }}, client: {{ retry: none }} }} }}"
        );
        let facts = Facts::of(&yaml);
        let left = facts.list.iter().filter_map(|(now, fact)| match fact {
            Fact::Dependency(DependencyFact::Served { .. } | DependencyFact::Abandoned { gone: true, .. }) => {
                Some(ms(*now))
            }
            _ => None,
        });
        near(abandoned, left.fold(0.0, f64::max), last_service_end, 0.0);
        check_run(
            abandoned,
            &yaml,
            &[
                ("dependencies.d.timed_out", 3.0),
                ("dependencies.d.served", 0.0),
                ("functions.f.errors", 3.0),
                ("callers.c.latency_ms.max", 100.0),
            ],
        );
    }
}

/// A dependency that hangs never answers: only the client's time-out, or the function's, ends the wait.
#[test]
fn a_request_that_hangs_is_never_answered() {
    for (client, expected, errors, timeouts) in [("timeout: 200ms, ", 200.0, 1.0, 0.0), ("", 3_000.0, 1.0, 1.0)] {
        let yaml = format!(
            "duration: 1s
dependencies: {{ d: {{ service_time: 50ms, failures: [{{ probability: 100%, kind: timeout }}] }} }}
functions: {{ f: {{ duration: 0s, calls: [{{ {client}dependency: d }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            client,
            &yaml,
            &[
                ("callers.c.latency_ms.max", expected),
                ("functions.f.errors", errors),
                ("functions.f.timeouts", timeouts),
                ("dependencies.d.served", 0.0),
            ],
        );
    }
}

/// Clients of calls try again as those of callers do: waits 100 ms and 200 ms, then it is over.
#[test]
fn clients_of_calls_try_again() {
    let retry = "client: { retry: { max_attempts: 3, base: 100ms, factor: 2, jitter: none } }";
    let rows = [
        ("failures: [{ first_attempts: 1 }]", 2.0, 1.0, 102.0),
        ("failures: [{ first_attempts: 2 }]", 3.0, 1.0, 303.0),
        ("failures: [{ first_attempts: 3 }]", 3.0, 0.0, 303.0),
    ];
    for (failures, calls, succeeded, latency) in rows {
        let yaml = format!(
            "duration: 1s
dependencies: {{ d: {{ service_time: 1ms, {failures} }} }}
functions: {{ f: {{ duration: 0s, calls: [{{ dependency: d, {retry} }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            failures,
            &yaml,
            &[
                ("dependencies.d.calls", calls),
                ("dependencies.d.load_factor", calls),
                ("callers.c.succeeded", succeeded),
                ("callers.c.latency_ms.max", latency),
            ],
        );
    }
}

/// A breaker lives in the memory of its environment: each of two environments finds out for itself.
#[test]
fn a_breaker_belongs_to_its_environment() {
    let yaml = "duration: 10s
dependencies: { d: { service_time: 1ms, failures: [{ probability: 100% }] } }
functions:
  f:
    duration: 10ms
    calls: [{ dependency: d, client: { circuit_breaker: { window: 10s, failures: 50%, minimum_calls: 2, open: 1h } } }]
callers: { c: { target: f, arrivals: { at: [0s, 0s, 1s, 1s, 2s, 2s, 3s, 3s] }, client: { retry: none } } }";
    let open = Facts::of(yaml)
        .list
        .into_iter()
        .filter(|(_, fact)| matches!(fact, Fact::Outgoing(OutgoingFact::CircuitOpen { .. })));
    // Two calls of each environment open its breaker; the other two are not sent.
    assert_eq!(open.count(), 4);
    check_run("breaker", yaml, &[("dependencies.d.calls", 4.0), ("functions.f.errors", 8.0)]);
}

/// Issue text: five layers of three tries each send 3^5 calls to the bottom in a full outage.
#[test]
fn five_layers_of_three_tries_send_243_calls() {
    let retry = "client: { retry: { max_attempts: 3, base: 1ms, jitter: none }, retry_on: [any] }";
    let yaml = format!(
        "duration: 10s
dependencies: {{ db: {{ service_time: 1ms, failures: [{{ probability: 100% }}] }} }}
functions:
  l2: {{ duration: 1ms, calls: [{{ function: l3, {retry} }}] }}
  l3: {{ duration: 1ms, calls: [{{ function: l4, {retry} }}] }}
  l4: {{ duration: 1ms, calls: [{{ function: l5, {retry} }}] }}
  l5: {{ duration: 1ms, calls: [{{ dependency: db, {retry} }}] }}
callers: {{ l1: {{ target: l2, arrivals: {{ at: [0s] }}, {retry} }} }}"
    );
    check_run(
        "five layers",
        &yaml,
        &[
            ("dependencies.db.calls", 243.0),
            ("dependencies.db.load_factor", 243.0),
            ("functions.l5.invocations", 81.0),
            ("functions.l2.errors", 3.0),
        ],
    );
}

/// What is sent arrives: a message, a record, an event.
#[test]
fn calls_send_to_services() {
    let yaml = "duration: 1s
queues: { q: {} }
streams: { s: { shards: 2 } }
brokers: { b: {} }
functions:
  f:
    duration: 0s
    calls: [{ queue: q, times: 2 }, { stream: s, keys: { constant: a } }, { broker: b }, { function: g, invocation: async }]
  g: { duration: 1ms }
callers: { c: { target: f, arrivals: { burst: { size: 5 } } } }";
    check_run(
        "sends",
        yaml,
        &[
            ("queues.q.sent", 10.0),
            ("streams.s.put_records", 5.0),
            ("brokers.b.received", 5.0),
            ("functions.g.async_events_succeeded", 5.0),
            ("functions.f.errors", 0.0),
        ],
    );
}

/// INV-5.7: a chain that comes back to a function is stopped after 16 runs of it, by whichever way it is called.
#[test]
fn loops_of_calls_are_stopped() {
    for (invocation, errors) in [("sync", 16.0), ("async", 0.0)] {
        let yaml = format!(
            "duration: 1s
functions: {{ f: {{ duration: 1ms, timeout: 60s, calls: [{{ function: f, invocation: {invocation} }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(invocation, &yaml, &[("functions.f.invocations", 16.0), ("functions.f.errors", errors)]);
    }
}

/// Extensions hold the environment after the answer, which leaves when the calls have ended (INV-E9).
#[test]
fn extensions_follow_the_calls() {
    let yaml = "duration: 1s
dependencies: { d: { service_time: 100ms } }
functions: { f: { duration: 10ms, extension_tail: 50ms, calls: [{ dependency: d }] } }
callers: { c: { target: f, arrivals: { at: [0s] } } }";
    check_run("tail", yaml, &[("callers.c.latency_ms.max", 110.0), ("functions.f.billed_ms", 160.0)]);
}

/// A client's time-out ends the wait of the caller and not the run, which goes on calling.
#[test]
fn a_run_goes_on_calling_for_nobody() {
    let yaml = "duration: 1s
dependencies: { d: { service_time: 100ms } }
functions: { f: { duration: 10ms, calls: [{ dependency: d, times: 5 }] } }
callers: { c: { target: f, arrivals: { at: [0s] }, client: { retry: none, timeout: 150ms } } }";
    check_run(
        "abandoned",
        yaml,
        &[
            ("callers.c.latency_ms.max", 150.0),
            ("callers.c.client_timeouts", 1.0),
            ("dependencies.d.served", 5.0),
            ("functions.f.abandoned_runs", 1.0),
            ("functions.f.billed_ms", 510.0),
        ],
    );
}

/// A change makes an incident: the database has one server from 10 s to 20 s.
#[test]
fn settings_of_a_dependency_change() {
    let yaml = "duration: 30s
dependencies: { d: { concurrency: 10, service_time: 1s } }
functions: { f: { duration: 0s, timeout: 60s, calls: [{ dependency: d }] } }
callers: { c: { target: f, arrivals: { constant: 5/s } } }
changes:
  - { at: 10s, set: { dependencies.d.concurrency: 1 } }
  - { at: 20s, set: { dependencies.d.concurrency: 10 } }";
    let summary = simulate(yaml);
    // Ten seconds of 5 requests a second come while about one a second is served.
    let longest = number(&summary, "dependencies.d.queued.max");
    assert!((30.0..=50.0).contains(&longest), "{longest} wait");
    near("served", number(&summary, "dependencies.d.served"), 150.0, 0.0);
}

/// Lambda@Edge: a replica calls as the function does, and its connections close with its environments.
#[test]
fn functions_at_the_edge_call() {
    let yaml = "duration: 1h
dependencies: { d: { service_time: 100ms, connections_per_environment: 1 } }
functions: { f: { duration: 10ms, idle_timeout: 10m, calls: [{ dependency: d }] } }
callers: { c: { target: f, via: cloudfront, arrivals: { at: [0s] } } }";
    let summary = simulate(yaml);
    near("latency", number(&summary, "callers.c.latency_ms.max"), 110.0, 0.0);
    near("mean", number(&summary, "dependencies.d.connections.mean"), 600.1 / 3_600.0, 1e-9);
}
