//! What is measured, and when (contract, section 3): the window, the warm-up, gauges, what an end cuts.

use lambdasim::run::{self, Stopped};

use crate::common::{check_run, scenario};

/// `ended_ms` is the larger of `duration` and the last fate, or the drain's end.
#[test]
fn when_a_run_ends() {
    // One run from 50 to 70 s in a minute.
    for (drain, ended, finished) in [
        ("settle", 70_000.0, 1.0),
        ("0s", 60_000.0, 0.0),
        ("5s", 65_000.0, 0.0),
        ("9999ms", 69_999.0, 0.0),
        ("30m", 70_000.0, 1.0),
    ] {
        check_run(
            drain,
            &format!(
                "duration: 1m\ndrain: {drain}\nfunctions: {{ f: {{ duration: 20s, timeout: 1m }} }}\n\
                 callers: {{ c: {{ target: f, arrivals: {{ at: [50s] }} }} }}"
            ),
            &[
                ("window.ended_ms", ended),
                ("callers.c.succeeded", finished),
                ("callers.c.unfinished", 1.0 - finished),
                ("callers.c.latency_ms.count", finished),
                ("functions.f.invocations", 1.0),
                ("functions.f.duration_ms.count", finished),
                ("functions.f.concurrent_executions.last", 1.0 - finished),
                ("conservation.functions.f.left", 1.0 - finished),
                ("conservation.callers.c.left", 1.0 - finished),
            ],
        );
    }
}

/// `settle` waits for runs that their client has left, and for calls that wait to try again; not for idle environments
/// and not for units under preparation.
#[test]
fn what_a_run_waits_for() {
    for (case, settings, client, ended) in [
        ("a run that its client left", "duration: 100s, timeout: 2m", "retry: none, timeout: 1s", 150_000.0),
        (
            "a wait before a retry",
            "duration: 1s, reserved_concurrency: 0",
            "retry: { max_attempts: 2, base: 1h, cap: 1h, jitter: none }",
            3_650_000.0,
        ),
        ("an idle environment", "duration: 1s, idle_timeout: 1h", "retry: none", 60_000.0),
        (
            "units under preparation",
            "duration: 1s, provisioned_concurrency: { schedule: [{ at: 59s, to: 5 }] }",
            "retry: none",
            60_000.0,
        ),
        ("extensions", "duration: 9s, timeout: 30s, extension_tail: 11s", "retry: none", 70_000.0),
    ] {
        check_run(
            case,
            &format!(
                "duration: 1m\nfunctions: {{ f: {{ {settings} }} }}\n\
                 callers: {{ c: {{ target: f, arrivals: {{ at: [50s] }}, client: {{ {client} }} }} }}"
            ),
            &[("window.ended_ms", ended), ("callers.c.unfinished", 0.0)],
        );
    }
}

/// Callers submit during [0, duration): a submission at the end is none.
#[test]
fn submissions_are_half_open() {
    for (arrivals, submitted) in [
        ("arrivals: { at: [59999999999ns] }", 1.0),
        ("arrivals: { at: [60s] }", 0.0),
        ("arrivals: { constant: 1/s }", 60.0),
        ("arrivals: { burst: { size: 3, every: 20s, times: 9 } }", 9.0),
        ("users: { think: 20s }", 2.0),
    ] {
        check_run(
            arrivals,
            &format!(
                "duration: 1m\nfunctions: {{ f: {{ duration: 0s }} }}\ncallers: {{ c: {{ target: f, {arrivals} }} }}"
            ),
            &[("callers.c.submitted", submitted)],
        );
    }
}

/// An event counts if it was submitted at or after the warm-up, with all its attempts; conservation counts everything.
#[test]
fn the_warmup_is_simulated_and_not_measured() {
    check_run(
        "before, at and after",
        "duration: 1m
warmup: 10s
functions: { f: { duration: 1s, init: 1s, reserved_concurrency: 1 } }
callers:
  c: { target: f, arrivals: { at: [9999999999ns, 10s, 20s] }, client: { retry: { max_attempts: 2, base: 5s, jitter: none } } }",
        &[
            ("callers.c.submitted", 2.0),
            ("callers.c.succeeded", 2.0),
            ("callers.c.attempts", 3.0),
            ("callers.c.throttled", 1.0),
            ("functions.f.throttles", 1.0),
            ("functions.f.invocations", 2.0),
            // The cold start belongs to the first, which is not measured.
            ("functions.f.cold_starts", 0.0),
            ("functions.f.init_ms.count", 0.0),
            ("functions.f.environments.created", 0.0),
            ("functions.f.environments.alive.max", 1.0),
            ("functions.f.billed_ms", 2_000.0),
            ("conservation.callers.c.in", 3.0),
            ("conservation.functions.f.in", 3.0),
            ("conservation.functions.f.out", 3.0),
        ],
    );
}

/// Gauges count by time from the warm-up on: what began before and goes on is there, in the maximum too.
#[test]
fn gauges_know_what_began_before_the_warmup() {
    // Five runs from 9 to 29 s, three of them on units; measured from 10 to 40 s.
    check_run(
        "five runs through the warm-up's end",
        "duration: 40s
warmup: 10s
functions:
  f: { duration: 20s, timeout: 1m, provisioned_concurrency: 3 }
  r: { duration: 20s, timeout: 1m, reserved_concurrency: 9 }
callers:
  c: { target: f, arrivals: { burst: { size: 5, at: 9s } } }
  d: { target: r, arrivals: { burst: { size: 4, at: 9s } } }",
        &[
            ("functions.f.concurrent_executions.mean", 5.0 * 19.0 / 30.0),
            ("functions.f.concurrent_executions.max", 5.0),
            ("functions.f.concurrent_executions.last", 0.0),
            ("functions.r.concurrent_executions.max", 4.0),
            ("functions.f.provisioned_concurrent_executions.max", 3.0),
            ("functions.f.provisioned_concurrent_executions.mean", 3.0 * 19.0 / 30.0),
            ("functions.f.provisioned_concurrency_utilization.max", 1.0),
            ("functions.f.provisioned_concurrency_utilization.mean", 1.0),
            ("functions.f.provisioned_concurrency_allocated.max", 3.0),
            ("functions.f.environments.alive.max", 5.0),
            ("account.concurrent_executions.max", 9.0),
            ("account.concurrent_executions.mean", 9.0 * 19.0 / 30.0),
            ("account.unreserved_concurrent_executions.max", 2.0),
            ("account.unreserved_concurrent_executions.mean", 2.0 * 19.0 / 30.0),
            // 9 reserved and 3 provisioned units, and two on demand.
            ("account.claimed_account_concurrency.max", 14.0),
            ("account.claimed_account_concurrency.mean", 12.0 + 2.0 * 19.0 / 30.0),
        ],
    );
}

/// Quantiles of a gauge are shares of time: at or below the p95 for 95 % of it.
#[test]
fn quantiles_of_a_gauge_are_shares_of_time() {
    // 100 s in all; two runs side by side for the time given.
    for (duration, p95, p99) in [("900ms", 0.0, 0.0), ("1001ms", 0.0, 2.0), ("5s", 0.0, 2.0), ("5001ms", 2.0, 2.0)] {
        check_run(
            duration,
            &format!(
                "duration: 100s\nfunctions: {{ f: {{ duration: {duration}, timeout: 10s }} }}\n\
                 callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 2, at: 10s }} }} }} }}"
            ),
            &[
                ("functions.f.concurrent_executions.p95", p95),
                ("functions.f.concurrent_executions.p99", p99),
                ("functions.f.concurrent_executions.max", 2.0),
            ],
        );
    }
}

/// Environments alive: the end of an idle one counts at its own moment, although it is noticed later; also where other
/// environments come in between.
#[test]
fn environments_are_counted_until_their_own_end_though_units_come() {
    // On demand from 0 to 1 + 10 s; a unit from 60.01 s on; the function is next looked at at 300 s.
    check_run(
        "a unit is allocated before the end is noticed",
        "duration: 400s
functions:
  f: { duration: 1s, idle_timeout: 10s, provisioned_concurrency: { schedule: [{ at: 0s, to: 1 }] } }
callers: { c: { target: f, arrivals: { at: [0s, 300s] } } }",
        &[
            ("functions.f.environments.alive.max", 1.0),
            ("functions.f.environments.alive.mean", (11.0 + (400.0 - 60.01)) / 400.0),
            ("functions.f.environments.created", 2.0),
            ("functions.f.environments.expired", 1.0),
            ("functions.f.environments.alive.last", 1.0),
        ],
    );
}

/// The same where units go.
#[test]
fn environments_are_counted_until_their_own_end_though_units_go() {
    check_run(
        "units are given back before the end is noticed",
        "duration: 400s
functions:
  f: { duration: 1s, idle_timeout: 10s, provisioned_concurrency: 1 }
callers: { c: { target: f, arrivals: { at: [0s, 0s, 300s] } } }
changes: [{ at: 100s, set: { functions.f.provisioned_concurrency: 0 } }]",
        &[
            // A unit for 100 s, on demand 11 s, and 11 s again from 300 s on.
            ("functions.f.environments.alive.mean", (100.0 + 11.0 + 11.0) / 400.0),
            ("functions.f.environments.alive.max", 2.0),
            ("functions.f.environments.alive.last", 0.0),
            ("functions.f.environments.expired", 3.0),
        ],
    );
}

/// The same where a busy unit goes.
#[test]
fn environments_are_counted_until_their_own_end_though_a_busy_unit_goes() {
    // The second call's run fails after 1 s, on demand; the unit's run goes on until 50 s and is lowered away meanwhile.
    check_run(
        "a busy unit is given back before the end is noticed",
        "duration: 400s
functions:
  f: { duration: 50s, timeout: 1m, idle_timeout: 10s, provisioned_concurrency: 1, failures: [{ events: [2], after: 2% }] }
callers: { c: { target: f, arrivals: { at: [0s, 0s, 300s] } } }
changes: [{ at: 5s, set: { functions.f.provisioned_concurrency: 0 } }]",
        &[
            ("functions.f.environments.alive.mean", (50.0 + 11.0 + 60.0) / 400.0),
            ("functions.f.environments.alive.max", 2.0),
        ],
    );
}

/// The same where the function's settings change, and where it is deployed.
#[test]
fn environments_are_counted_until_their_own_end_though_settings_change() {
    check_run(
        "a change and a deployment",
        "duration: 400s
functions: { f: { duration: 1s, idle_timeout: 10s } }
callers: { c: { target: f, arrivals: { at: [0s, 200s, 300s] } } }
changes:
  - { at: 100s, set: { functions.f.idle_timeout: 1h } }
  - { at: 250s, deploy: f }",
        &[
            // 11 s; 200 to 250 s; 300 s to the end.
            ("functions.f.environments.alive.mean", (11.0 + 50.0 + 100.0) / 400.0),
            ("functions.f.environments.expired", 2.0),
        ],
    );
}

/// Counts without data are zero, distributions without data are empty, and none is missing.
#[test]
fn a_run_without_events() {
    let summary = crate::common::simulate(
        "duration: 1m\nfunctions: { f: { duration: 1s } }\ncallers: { c: { target: f, arrivals: { at: [] } } }",
    );
    crate::common::check(
        "nothing",
        &summary,
        &[
            ("callers.c.submitted", 0.0),
            ("callers.c.latency_ms.count", 0.0),
            ("callers.c.goodput_per_s", 0.0),
            ("functions.f.concurrent_executions.max", 0.0),
            ("functions.f.concurrent_executions.mean", 0.0),
            ("cost.total_usd", 0.0),
            ("window.ended_ms", 60_000.0),
        ],
    );
    assert!(summary["callers"]["c"]["latency_ms"]["p50"].is_null());
    assert!(summary["functions"]["f"]["provisioned_concurrency_utilization"]["mean"].is_null());
}

/// A run that goes round without time stops at its budget and says who is busy.
#[test]
fn the_event_budget_stops_a_run_that_goes_round() {
    let scenario = scenario(
        "duration: 1m
model: { event_budget: 10000 }
functions: { f: { duration: 0s } }
callers: { c: { target: f, users: { count: 2, start: at_once } } }",
    );
    match run::run(&scenario) {
        Err(Stopped::BudgetExhausted { events, at, .. }) => {
            assert_eq!((events, at.as_nanos()), (10_000, 0));
        }
        other => panic!("{other:?}"),
    }
}

/// Latency quantiles are nearest rank: of 100 calls of 1 to 100 ms (every one of its own length) within 0.1 %.
#[test]
fn latency_quantiles() {
    let rows: String = (1..=100).map(|n| format!("{n},{n}\n")).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), format!("at,took\n{rows}")).unwrap();
    let scenario = crate::common::scenario_in(
        folder.path(),
        "duration: 200s
functions: { f: { duration: 1s } }
callers: { c: { target: f, arrivals: { trace: { file: t.csv, column: at, unit: s, duration_column: took, duration_unit: ms } } } }",
        &[],
    );
    let summary = crate::common::summary(&scenario);
    for (quantile, expected) in [
        ("min", 1.0),
        ("p50", 50.0),
        ("p90", 90.0),
        ("p95", 95.0),
        ("p99", 99.0),
        ("p999", 100.0),
        ("max", 100.0),
        ("mean", 50.5),
    ] {
        let found = crate::common::number(&summary, &format!("callers.c.latency_ms.{quantile}"));
        crate::common::near(quantile, found, expected, expected * 0.001);
        let found = crate::common::number(&summary, &format!("functions.f.duration_ms.{quantile}"));
        crate::common::near(quantile, found, expected, expected * 0.01);
    }
}

/// What events count as, from the vectors INV-V19 (three failed runs) and INV-V24 (never any concurrency).
#[test]
fn events_of_the_internal_queue() {
    check_run(
        "v19",
        "duration: 10m
functions:
  f: { duration: 0s, failures: [{ probability: 100% }], async: { dead_letter_queue: dead, on_failure: alerts } }
queues: { dead: {} }
topics: { alerts: {} }
callers: { c: { target: f, invocation: async, arrivals: { at: [0s] } } }",
        &[
            ("callers.c.succeeded", 1.0),
            ("callers.c.outcomes.accepted", 1.0),
            ("callers.c.status_codes.202", 1.0),
            ("callers.c.latency_ms.max", 0.0),
            ("callers.c.runs_per_call.count", 0.0),
            ("functions.f.invocations", 3.0),
            ("functions.f.errors", 3.0),
            ("functions.f.async_events_received", 1.0),
            ("functions.f.async_events_dropped", 1.0),
            ("functions.f.async_events_dropped_by_condition.RetriesExhausted", 1.0),
            ("functions.f.async_events_pending", 0.0),
            ("functions.f.async_event_age_ms.count", 3.0),
            ("functions.f.async_event_age_ms.mean", 80_000.0),
            ("functions.f.async_event_age_ms.max", 180_000.0),
            ("functions.f.async_queue_time_ms.count", 3.0),
            ("functions.f.async_queue_time_ms.max", 120_000.0),
            ("functions.f.async_latency_ms.count", 0.0),
            ("functions.f.async_retries", 2.0),
            ("functions.f.dead_letters", 1.0),
            ("functions.f.destination_deliveries.on_failure", 1.0),
            ("queues.dead.sent", 1.0),
            ("queues.dead.approximate_number_of_messages_visible.mean", 0.7),
            ("topics.alerts.received", 1.0),
            ("conservation.async_events.f.in", 1.0),
            ("conservation.async_events.f.left", 0.0),
            ("conservation.queues.dead.left", 1.0),
            ("conservation.topics.alerts.left", 1.0),
            ("cost.functions.f.requests_usd", 0.000_000_6),
        ],
    );
    for (expiry, ended) in [("lookahead", 31_000.0), ("at_deadline", 60_000.0)] {
        check_run(
            expiry,
            &format!(
                "duration: 1s
functions:
  f:
    duration: 15m
    timeout: 15m
    reserved_concurrency: 1
    async: {{ maximum_event_age: 60s, expiry: {expiry} }}
callers:
  holder: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none, timeout: 32s }} }}
  c: {{ target: f, invocation: async, arrivals: {{ at: [0s] }} }}
drain: {}ms",
                ended - 999.0
            ),
            &[
                ("functions.f.invocations", 1.0),
                ("functions.f.throttles", 6.0),
                ("functions.f.async_throttle_retries", 5.0),
                ("functions.f.async_event_age_ms.count", 6.0),
                ("functions.f.async_event_age_ms.max", 31_000.0),
                ("functions.f.async_queue_time_ms.count", 0.0),
                ("functions.f.async_events_dropped_by_condition.EventAgeExceeded", 1.0),
                ("functions.f.async_events_pending", 0.0),
            ],
        );
    }
}

/// Events belong to the submission that they follow from, and a duplicate waits only once.
#[test]
fn events_are_measured_by_their_submission() {
    check_run(
        "a chain of two functions",
        "duration: 40s
warmup: 10s
drain: 0s
functions:
  f: { duration: 1s, async: { on_success: g, dispatch_latency: 2s, duplicate_probability: 100% } }
  g: { duration: 10s, timeout: 1m, reserved_concurrency: 9 }
callers: { c: { target: f, invocation: async, arrivals: { at: [9999ms, 10s, 20s, 39s] } } }",
        &[
            ("callers.c.submitted", 3.0),
            ("callers.c.succeeded", 3.0),
            ("functions.f.async_events_received", 3.0),
            ("functions.f.async_events_succeeded", 2.0),
            ("functions.f.async_events_pending", 1.0),
            ("functions.f.invocations", 4.0),
            ("functions.f.async_queue_time_ms.count", 2.0),
            ("functions.f.async_queue_time_ms.min", 2_000.0),
            ("functions.f.async_latency_ms.max", 3_000.0),
            ("functions.f.destination_deliveries.on_success", 2.0),
            ("functions.g.async_events_received", 2.0),
            ("functions.g.async_events_succeeded", 2.0),
            ("functions.g.async_latency_ms.max", 10_000.0),
            ("conservation.async_events.f.in", 4.0),
            ("conservation.async_events.f.out", 3.0),
            ("conservation.async_events.f.left", 1.0),
            ("conservation.async_events.g.in", 3.0),
            ("conservation.async_events.g.out", 3.0),
        ],
    );
}
