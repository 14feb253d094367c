//! Concurrency, request rates and the scaling rate (INV-1, vectors V1..V9, V11..V13).
//!
//! Expected numbers are those of the vectors; where a row has other ones, they follow from the rule in its name.

use std::path::Path;

use lambdasim::aws::fact::{Capacity, Fact};

use crate::common::{Facts, check, check_run, near, number, same, simulate, try_scenario};

/// V1: concurrency = rate x duration, exactly so with even arrivals and constant durations.
#[test]
fn v01_concurrency_is_rate_times_duration() {
    for (rate, duration, concurrency) in
        [(100, "1s", 100.0), (100, "500ms", 50.0), (200, "250ms", 50.0), (5_000, "200ms", 1_000.0)]
    {
        let yaml = format!(
            "duration: 4s\nwarmup: 2s\ndrain: 0s\n\
             functions: {{ f: {{ duration: {duration} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: {rate}/s }} }} }}"
        );
        check_run(
            &format!("{rate}/s x {duration}"),
            &yaml,
            &[
                ("functions.f.concurrent_executions.mean", concurrency),
                ("functions.f.concurrent_executions.max", concurrency),
                ("functions.f.throttles", 0.0),
            ],
        );
    }
}

/// V2: reserved concurrency is floor and ceiling.
#[test]
fn v02_reserved_concurrency_is_floor_and_ceiling() {
    let summary = simulate(
        "duration: 1m
functions:
  blue: { duration: 30s, timeout: 1m, reserved_concurrency: 400 }
  orange: { duration: 30s, timeout: 1m, reserved_concurrency: 400 }
  other: { duration: 30s, timeout: 1m }
callers:
  o: { target: orange, arrivals: { burst: { size: 450 } }, client: { retry: none } }
  x: { target: other, arrivals: { burst: { size: 300 } }, client: { retry: none } }
  b: { target: blue, arrivals: { burst: { size: 400, at: 1s } }, client: { retry: none } }",
    );
    check(
        "V2",
        &summary,
        &[
            ("functions.orange.invocations", 400.0),
            ("functions.orange.concurrent_executions.max", 400.0),
            ("functions.orange.throttles_by_reason.ReservedFunctionConcurrentInvocationLimitExceeded", 50.0),
            ("functions.other.invocations", 200.0),
            ("functions.other.throttles_by_reason.ConcurrentInvocationLimitExceeded", 100.0),
            ("functions.blue.invocations", 400.0),
            ("functions.blue.throttles", 0.0),
            ("account.throttles", 150.0),
            ("account.unreserved_concurrent_executions.max", 200.0),
            ("account.concurrent_executions.max", 1_000.0),
            ("account.claimed_account_concurrency.max", 1_000.0),
        ],
    );
}

/// V3: provisioned concurrency without reserved concurrency spills into the unreserved pool.
#[test]
fn v03_provisioned_concurrency_spills_over_to_the_pool() {
    for (other, throttled) in [(300, 0.0), (301, 1.0)] {
        let yaml = format!(
            "duration: 1m
functions:
  orange: {{ duration: 30s, timeout: 1m, provisioned_concurrency: 400 }}
  other: {{ duration: 30s, timeout: 1m }}
callers:
  o: {{ target: orange, arrivals: {{ burst: {{ size: 700 }} }}, client: {{ retry: none }} }}
  x: {{ target: other, arrivals: {{ burst: {{ size: {other}, at: 1s }} }}, client: {{ retry: none }} }}"
        );
        check_run(
            &format!("{other} others"),
            &yaml,
            &[
                ("functions.orange.provisioned_concurrency_invocations", 400.0),
                ("functions.orange.provisioned_concurrency_spillover_invocations", 300.0),
                ("functions.orange.throttles", 0.0),
                ("functions.other.invocations", 300.0),
                ("functions.other.throttles", throttled),
                ("account.unreserved_concurrent_executions.max", 600.0),
                ("account.claimed_account_concurrency.max", 1_000.0),
            ],
        );
    }
}

/// V4: with reserved concurrency it spills into the rest of that, and no further.
#[test]
fn v04_provisioned_within_reserved() {
    check_run(
        "V4",
        "duration: 1m
functions:
  orange: { duration: 30s, timeout: 1m, provisioned_concurrency: 200, reserved_concurrency: 400 }
callers:
  o: { target: orange, arrivals: { burst: { size: 450 } }, client: { retry: none } }",
        &[
            ("functions.orange.provisioned_concurrency_invocations", 200.0),
            ("functions.orange.provisioned_concurrency_spillover_invocations", 200.0),
            ("functions.orange.throttles_by_reason.ReservedFunctionConcurrentInvocationLimitExceeded", 50.0),
            ("account.unreserved_concurrent_executions.max", 0.0),
            ("account.claimed_account_concurrency.max", 400.0),
        ],
    );
}

/// V5: claimed concurrency is what is set aside and what the others use. The mean is over 10 s of each.
#[test]
fn v05_claimed_concurrency() {
    for (late, throttled) in [(100, 0.0), (101, 1.0)] {
        let yaml = format!(
            "duration: 20s
drain: 0s
functions:
  orange: {{ duration: 1s, reserved_concurrency: 600 }}
  blue: {{ duration: 1s, provisioned_concurrency: 200 }}
  other: {{ duration: 30s, timeout: 1m }}
  last: {{ duration: 1s }}
callers:
  x: {{ target: other, arrivals: {{ burst: {{ size: 100, at: 10s }} }}, client: {{ retry: none }} }}
  y: {{ target: last, arrivals: {{ burst: {{ size: {late}, at: 19s }} }}, client: {{ retry: none }} }}"
        );
        let summary = simulate(&yaml);
        // 800 for 10 s, 900 for 9 s, 1,000 for the last second.
        let expected = [
            ("account.claimed_account_concurrency.mean", (800.0 * 10.0 + 900.0 * 9.0 + 1_000.0) / 20.0),
            ("account.claimed_account_concurrency.max", 1_000.0),
            ("functions.last.throttles", throttled),
            ("functions.last.invocations", 100.0),
        ];
        check(&format!("{late} at the end"), &summary, &expected);
    }
}

/// V6 with INV-C3, C4, C7, C8: what AWS refuses when it is set.
#[test]
fn v06_what_may_be_set_aside() {
    let rows: &[(&str, u32, &[&str], bool)] = &[
        ("V6", 1_000, &["reserved_concurrency: 901"], false),
        ("C4, at the limit", 1_000, &["reserved_concurrency: 900"], true),
        ("V6, larger account", 2_000, &["reserved_concurrency: 1900"], true),
        ("C4, larger account", 2_000, &["reserved_concurrency: 1901"], false),
        ("C4, two functions", 1_000, &["reserved_concurrency: 450", "reserved_concurrency: 450"], true),
        ("C4, two functions above", 1_000, &["reserved_concurrency: 450", "reserved_concurrency: 451"], false),
        ("C4, small account", 100, &["reserved_concurrency: 1"], false),
        ("C5, small account", 100, &["reserved_concurrency: 0"], true),
        ("C8", 1_000, &["provisioned_concurrency: 900"], true),
        ("C8, above", 1_000, &["provisioned_concurrency: 901"], false),
        ("C9", 1_000, &["provisioned_concurrency: 300", "reserved_concurrency: 600"], true),
        ("C9, above", 1_000, &["provisioned_concurrency: 301", "reserved_concurrency: 600"], false),
        ("C9, both count once", 1_000, &["provisioned_concurrency: 900, reserved_concurrency: 900"], true),
        ("C7", 1_000, &["provisioned_concurrency: 11, reserved_concurrency: 10"], false),
        ("C7, at the limit", 1_000, &["provisioned_concurrency: 10, reserved_concurrency: 10"], true),
    ];
    for (case, limit, functions, accepted) in rows {
        let functions: String = functions
            .iter()
            .enumerate()
            .map(|(index, settings)| format!("  f{index}: {{ duration: 1s, {settings} }}\n"))
            .collect();
        let yaml = format!("duration: 1s\naccount: {{ concurrency_limit: {limit} }}\nfunctions:\n{functions}");
        let read = try_scenario(Path::new("."), &yaml, &[]);
        assert_eq!(read.is_ok(), *accepted, "{case}: {:?}", read.err());
    }
}

/// C4 holds for changes while it runs too: setting too much aside is refused at any time.
#[test]
fn c04_changes_are_checked_too() {
    for (units, accepted) in [(900, true), (901, false)] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s }} }}\n\
             changes: [{{ at: 10s, set: {{ functions.f.reserved_concurrency: {units} }} }}]"
        );
        assert_eq!(try_scenario(Path::new("."), &yaml, &[]).is_ok(), accepted, "{units}");
    }
}

/// V7: short runs meet the account's request rate first. Measured after the bucket's second is used up.
#[test]
fn v07_short_runs_meet_the_request_rate() {
    let run = |limit: u32| {
        simulate(&format!(
            "duration: 4s\nwarmup: 2s\ndrain: 0s\naccount: {{ concurrency_limit: {limit} }}\n\
             functions: {{ f: {{ duration: 50ms }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: 20000/s }}, client: {{ retry: none }} }} }}"
        ))
    };
    let small = run(1_000);
    check(
        "L = 1,000",
        &small,
        &[
            ("functions.f.throttles_by_reason.FunctionInvocationRateLimitExceeded", 20_000.0),
            ("functions.f.throttles", 20_000.0),
            ("functions.f.invocations", 20_000.0),
            ("functions.f.concurrent_executions.mean", 500.0),
        ],
    );
    let large = run(2_000);
    check("L = 2,000", &large, &[("functions.f.throttles", 0.0), ("functions.f.concurrent_executions.mean", 1_000.0)]);
}

/// V8: 30,000 a second need a limit of 3,000, though only 600 are in flight. A flat bucket shows the rate soon.
#[test]
fn v08_the_limit_must_allow_the_rate() {
    for (limit, throttles) in [(2_999, 20.0), (3_000, 0.0), (3_001, 0.0)] {
        let summary = simulate(&format!(
            "duration: 6s\nwarmup: 4s\ndrain: 0s\n\
             account: {{ concurrency_limit: {limit}, request_rate_bucket: 1ms }}\n\
             functions: {{ f: {{ duration: 20ms }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: 30000/s }}, client: {{ retry: none }} }} }}"
        ));
        // 30,000 - 29,990 = 10 a second over 2 s, plus or minus a token under way at each end.
        near(&format!("throttles at {limit}"), number(&summary, "functions.f.throttles"), throttles, 1.0);
        near("concurrency", number(&summary, "functions.f.concurrent_executions.mean"), 600.0, 0.5);
    }
}

/// V9, R3: beyond ten requests a second for each provisioned unit the rest spills over, free units or not.
#[test]
fn v09_provisioned_units_serve_ten_requests_a_second() {
    for (rate, on_units, spilled) in [(100, 600.0, 0.0), (150, 600.0, 300.0)] {
        let summary = simulate(&format!(
            "duration: 10s\nwarmup: 4s\ndrain: 0s\n\
             functions: {{ f: {{ duration: 50ms, provisioned_concurrency: 10 }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: {rate}/s }}, client: {{ retry: none }} }} }}"
        ));
        let case = format!("{rate} a second");
        // Over 6 s, plus or minus a token at either end.
        near(&case, number(&summary, "functions.f.provisioned_concurrency_invocations"), on_units, 1.0);
        near(&case, number(&summary, "functions.f.provisioned_concurrency_spillover_invocations"), spilled, 1.0);
        check(&case, &summary, &[("functions.f.throttles", 0.0)]);
        assert!(number(&summary, "functions.f.concurrent_executions.max") <= 8.0);
    }
}

/// Environments created up to each of these moments.
fn created(yaml: &str, seconds: &[u32]) -> Vec<usize> {
    let moments = Facts::of(yaml).pick(|now, fact| matches!(fact, Fact::EnvironmentCreated { .. }).then_some(now));
    seconds.iter().map(|second| moments.partition_point(|at| *at <= f64::from(*second) * 1_000.0)).collect()
}

/// V11, V12, S2: 1,000 environments at once, then 1,000 in 10 s; time without demand saves nothing up.
#[test]
fn v11_v12_scaling_rate() {
    for idle in [0, 60] {
        for (refill, expected) in [
            ("continuous", [1_000, 1_100, 2_000, 3_000, 5_900, 6_000]),
            ("lump", [1_000, 1_000, 2_000, 3_000, 5_000, 6_000]),
        ] {
            let yaml = format!(
                "duration: 3m\ndrain: 0s\n\
                 account: {{ concurrency_limit: 10000, scaling: {{ refill: {refill} }} }}\n\
                 functions: {{ f: {{ duration: 10m, timeout: 15m }} }}\n\
                 callers: {{ c: {{ target: f, client: {{ retry: none }}, arrivals: {{ burst: {{ size: 1100, at: {idle}s, every: 1s, times: 51 }} }} }} }}"
            );
            let seconds = [0, 1, 10, 20, 49, 50].map(|second| second + idle);
            assert_eq!(created(&yaml, &seconds), expected, "{refill} after {idle} s");
        }
    }
}

/// V13, S8: the legacy model has one burst for the whole account, then 500 a minute.
#[test]
fn v13_legacy_burst() {
    for functions in [1, 2] {
        let (mut blocks, mut callers) = (String::new(), String::new());
        for index in 0..functions {
            blocks += &format!("  f{index}: {{ duration: 15m, timeout: 15m }}\n");
            callers += &format!(
                "  c{index}: {{ target: f{index}, client: {{ retry: none }}, arrivals: {{ burst: {{ size: 3100, every: 1m, times: 7 }} }} }}\n"
            );
        }
        let yaml = format!(
            "duration: 7m\ndrain: 0s\n\
             account: {{ concurrency_limit: 10000, scaling: {{ model: legacy_burst }} }}\n\
             functions:\n{blocks}callers:\n{callers}"
        );
        assert_eq!(
            created(&yaml, &[0, 59, 60, 120, 360]),
            [3_000, 3_000, 3_500, 4_000, 6_000],
            "{functions} functions"
        );
    }
}

/// S1: each function has its own rate. S3: what comes faster is throttled, not queued.
#[test]
fn s01_functions_scale_independently() {
    check_run(
        "two functions",
        "duration: 10s
account: { concurrency_limit: 5000 }
functions:
  a: { duration: 5s, timeout: 10s }
  b: { duration: 5s, timeout: 10s }
callers:
  a1: { target: a, arrivals: { burst: { size: 1001 } }, client: { retry: none } }
  b1: { target: b, arrivals: { burst: { size: 1000 } }, client: { retry: none } }",
        &[
            ("functions.a.throttles_by_reason.ConcurrentInvocationLimitExceeded", 1.0),
            ("functions.a.invocations", 1_000.0),
            ("functions.b.throttles", 0.0),
            ("callers.a1.outcomes.throttled", 1.0),
        ],
    );
}

/// S5, S6: neither warm reuse nor a reset in place takes from the scaling rate; a second environment does.
#[test]
fn s05_s06_only_new_environments_cost_scaling() {
    for (case, failures, moments, throttles) in [
        ("warm reuse", "", "[0s, 2s, 4s, 6s]", 0.0),
        ("reset in place", ", failures: [{ probability: 100%, kind: crash }]", "[0s, 2s, 4s, 6s]", 0.0),
        ("second environment", "", "[0s, 500ms, 4s, 6s]", 1.0),
    ] {
        let yaml = format!(
            "duration: 10s\naccount: {{ scaling: {{ environments: 1, every: 1h }} }}\n\
             functions: {{ f: {{ duration: 1s{failures} }} }}\n\
             callers: {{ c: {{ target: f, client: {{ retry: none }}, arrivals: {{ at: {moments} }} }} }}"
        );
        check_run(case, &yaml, &[("functions.f.throttles", throttles), ("functions.f.environments.created", 1.0)]);
    }
}

/// S1 with the limit off: nothing bounds growth but concurrency.
#[test]
fn s01_scaling_off() {
    check_run(
        "off",
        "duration: 10s
account: { concurrency_limit: 5000, scaling: off }
functions: { f: { duration: 5s, timeout: 10s } }
callers: { c: { target: f, arrivals: { burst: { size: 5000 } }, client: { retry: none } } }",
        &[("functions.f.throttles", 0.0), ("functions.f.environments.created", 5_000.0)],
    );
}

/// S7: the requests-a-second half of the scaling rate: 10,000, and 1,000 more for each second of excess demand.
#[test]
fn s07_requests_a_second_ramp_up() {
    let starts = |request_rate: &str| {
        let facts = Facts::of(&format!(
            "duration: 4s\naccount: {{ concurrency_limit: 10000, scaling: {{ request_rate: {request_rate} }} }}\n\
             functions: {{ f: {{ duration: 0s }} }}\n\
             callers: {{ c: {{ target: f, client: {{ retry: none }}, arrivals: {{ burst: {{ size: 13000, every: 1s, times: 4 }} }} }} }}"
        ));
        let starts = facts.pick(|now, fact| matches!(fact, Fact::RunStarted { .. }).then_some(now));
        [0, 1, 2, 3].map(|second| starts.iter().filter(|at| same(**at, f64::from(second) * 1_000.0)).count())
    };
    assert_eq!(starts("off"), [13_000; 4]);
    let on = starts("on");
    assert_eq!(on[0], 10_000);
    // The ceiling rises by 1,000 with each second of excess; the refill of the second before may lag behind it.
    assert!((10_000..=11_000).contains(&on[1]) && (11_000..=12_000).contains(&on[2]), "{on:?}");
    assert!((12_000..=13_000).contains(&on[3]), "{on:?}");
}

/// R1, R7: the bucket holds what its rate brings in `request_rate_bucket`, and starts full. Runs take no time, so only
/// the rate bounds them.
#[test]
fn r01_r07_depth_of_the_request_bucket() {
    for (account, burst, throttled) in [
        ("concurrency_limit: 100", 1_000, 0.0),
        ("concurrency_limit: 100", 1_001, 1.0),
        ("concurrency_limit: 100, request_rate_bucket: 500ms", 500, 0.0),
        ("concurrency_limit: 100, request_rate_bucket: 500ms", 501, 1.0),
        ("concurrency_limit: 100, request_rate_limit: off", 5_000, 0.0),
    ] {
        let yaml = format!(
            "duration: 1s\naccount: {{ {account} }}\nfunctions: {{ f: {{ duration: 0s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: {burst} }} }}, client: {{ retry: none }} }} }}"
        );
        let summary = simulate(&yaml);
        check(
            &format!("{account}, {burst}"),
            &summary,
            &[("functions.f.throttles", throttled), ("functions.f.concurrent_executions.max", 1.0)],
        );
        if throttled > 0.0 {
            check("reason", &summary, &[("functions.f.throttles_by_reason.FunctionInvocationRateLimitExceeded", 1.0)]);
        }
    }
}

/// R2: a function with reserved concurrency serves ten requests a second for each unit.
#[test]
fn r02_request_rate_of_reserved_concurrency() {
    for (burst, throttled) in [(1_000, 0.0), (1_001, 1.0)] {
        let summary = simulate(&format!(
            "duration: 1s\nfunctions: {{ f: {{ duration: 0s, reserved_concurrency: 100 }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: {burst} }} }}, client: {{ retry: none }} }} }}"
        ));
        check(&format!("{burst}"), &summary, &[("functions.f.throttles", throttled)]);
        if throttled > 0.0 {
            let reason = "functions.f.throttles_by_reason.ReservedFunctionInvocationRateLimitExceeded";
            check("reason", &summary, &[(reason, 1.0)]);
        }
    }
}

/// D36: a rate over all callers, by default never reached.
#[test]
fn d36_rate_over_all_callers() {
    for (limit, throttled) in [("off", 0.0), ("10/s", 2.0), ("11/s", 1.0), ("12/s", 0.0)] {
        let summary = simulate(&format!(
            "duration: 1s\naccount: {{ caller_rate_limit: {limit} }}\nfunctions: {{ f: {{ duration: 0s }} }}\n\
             callers:\n  \
               a: {{ target: f, arrivals: {{ burst: {{ size: 6 }} }}, client: {{ retry: none }} }}\n  \
               b: {{ target: f, arrivals: {{ burst: {{ size: 6 }} }}, client: {{ retry: none }} }}"
        ));
        check(limit, &summary, &[("functions.f.throttles", throttled)]);
        if throttled > 0.0 {
            check(limit, &summary, &[("functions.f.throttles_by_reason.CallerRateLimitExceeded", throttled)]);
        }
    }
}

/// C5, T3: reserved concurrency of zero refuses everything, with the reason of reserved concurrency.
#[test]
fn c05_reserved_concurrency_of_zero() {
    check_run(
        "zero",
        "duration: 1s
functions: { f: { duration: 1s, reserved_concurrency: 0 } }
callers: { c: { target: f, arrivals: { burst: { size: 3 } }, client: { retry: none } } }",
        &[
            ("functions.f.invocations", 0.0),
            ("functions.f.throttles_by_reason.ReservedFunctionConcurrentInvocationLimitExceeded", 3.0),
            ("callers.c.status_codes.429", 3.0),
            ("callers.c.runs_per_call.max", 0.0),
        ],
    );
}

/// T4: the first check that fails decides, and a failed check consumes nothing.
#[test]
fn t04_a_refused_request_consumes_nothing() {
    // 5,000 requests are refused by `closed` at the same instant; the account's bucket of 2,000 stays full for `open`.
    for (burst, throttled) in [(2_000, 0.0), (2_001, 1.0)] {
        check_run(
            &format!("{burst}"),
            &format!(
                "duration: 1s
account: {{ concurrency_limit: 200 }}
functions:
  closed: {{ duration: 0s, reserved_concurrency: 0 }}
  open: {{ duration: 0s }}
callers:
  a: {{ target: closed, arrivals: {{ burst: {{ size: 5000 }} }}, client: {{ retry: none }} }}
  b: {{ target: open, arrivals: {{ burst: {{ size: {burst} }} }}, client: {{ retry: none }} }}"
            ),
            &[("functions.open.throttles", throttled), ("functions.closed.throttles", 5_000.0)],
        );
    }
}

/// T4: reserved concurrency is looked at before the account's pool and both before the rates.
#[test]
fn t04_order_of_the_checks() {
    for (case, account, settings, reason) in [
        (
            "reserved before account rate",
            "concurrency_limit: 110, request_rate_bucket: 1us",
            "duration: 10s, timeout: 20s, reserved_concurrency: 1",
            "ReservedFunctionConcurrentInvocationLimitExceeded",
        ),
        (
            "pool before account rate",
            "concurrency_limit: 1, request_rate_bucket: 100ms",
            "duration: 10s, timeout: 20s",
            "ConcurrentInvocationLimitExceeded",
        ),
        (
            "account rate before scaling",
            "concurrency_limit: 100, request_rate_bucket: 1ms, scaling: { environments: 1, every: 1h }",
            "duration: 10s, timeout: 20s",
            "FunctionInvocationRateLimitExceeded",
        ),
        (
            "scaling",
            "concurrency_limit: 100, scaling: { environments: 1, every: 1h }",
            "duration: 10s, timeout: 20s",
            "ConcurrentInvocationLimitExceeded",
        ),
    ] {
        let yaml = format!(
            "duration: 1s\naccount: {{ {account} }}\nfunctions: {{ f: {{ {settings} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 2 }} }}, client: {{ retry: none }} }} }}"
        );
        let path = format!("functions.f.throttles_by_reason.{reason}");
        check_run(case, &yaml, &[("functions.f.invocations", 1.0), (&path, 1.0)]);
    }
}

/// C11: what runs goes on when reserved concurrency changes, and belongs to the pool of the new settings.
#[test]
fn c11_changes_move_running_calls_to_another_pool() {
    // 100 runs of `a` are under way when its reserved concurrency changes; then `b` asks for as much as there is and
    // one more. The account has 200.
    for (case, before, after, room) in [
        ("given up", "reserved_concurrency: 100", "none", 100.0),
        ("set", "reserved_concurrency: none", "100", 100.0),
        ("kept", "reserved_concurrency: 100", "100", 100.0),
        ("lowered", "reserved_concurrency: 100", "40", 160.0),
    ] {
        let yaml = format!(
            "duration: 1m
account: {{ concurrency_limit: 200 }}
functions:
  a: {{ duration: 30s, timeout: 1m, {before} }}
  b: {{ duration: 30s, timeout: 1m }}
callers:
  x: {{ target: a, arrivals: {{ burst: {{ size: 100 }} }}, client: {{ retry: none }} }}
  y: {{ target: b, arrivals: {{ burst: {{ size: 170, at: 10s }} }}, client: {{ retry: none }} }}
changes:
  - {{ at: 5s, set: {{ functions.a.reserved_concurrency: {after} }} }}"
        );
        check_run(
            case,
            &yaml,
            &[
                ("functions.a.invocations", 100.0),
                ("functions.a.errors", 0.0),
                ("functions.a.duration_ms.min", 30_000.0),
                ("functions.b.invocations", room),
                ("functions.b.throttles", 170.0 - room),
            ],
        );
    }
}

/// C11: after lowering, new calls wait until fewer run than the new limit.
#[test]
fn c11_lowered_reserved_concurrency_lets_nobody_in_until_it_is_met() {
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 10s, timeout: 1m, reserved_concurrency: 8 } }
callers:
  a: { target: f, arrivals: { at: [0s, 1s, 2s, 3s, 4s, 5s, 6s, 7s] }, client: { retry: none } }
  b: { target: f, arrivals: { at: [9500ms, 10s, 12s, 12500ms, 13s, 13100ms] }, client: { retry: none } }
changes:
  - { at: 8s, set: { functions.f.reserved_concurrency: 5 } }",
    );
    // Ends at 10, 11, 12, 13 s leave 7, 6, 5, 4: the first place comes at 13 s, and one run takes it.
    let late: Vec<_> = facts.runs().iter().filter(|run| run.caller == 1).map(|run| run.start).collect();
    assert_eq!(late, [13_000.0]);
}

/// C1: raising and lowering the account's limit while it runs.
#[test]
fn c01_the_account_limit_changes_while_it_runs() {
    check_run(
        "raised at 10 s, lowered at 20 s",
        "duration: 1m
account: { concurrency_limit: 10 }
functions: { f: { duration: 1s } }
callers:
  a: { target: f, arrivals: { burst: { size: 20, at: 5s } }, client: { retry: none } }
  b: { target: f, arrivals: { burst: { size: 20, at: 15s } }, client: { retry: none } }
  c: { target: f, arrivals: { burst: { size: 20, at: 25s } }, client: { retry: none } }
changes:
  - { at: 10s, set: { account.concurrency_limit: 15 } }
  - { at: 20s, set: { account.concurrency_limit: 5 } }",
        &[("callers.a.succeeded", 10.0), ("callers.b.succeeded", 15.0), ("callers.c.succeeded", 5.0)],
    );
}

/// R1, R2, R7: a limit that is raised holds at once, for the request rate too: after a quiet time a burst as large as the
/// new concurrency is far within ten requests a second for each unit of it.
#[test]
fn r07_a_raised_limit_raises_the_request_rate_at_once() {
    for (case, account, function, change) in [
        ("reserved, from 0", 1_000, "reserved_concurrency: 0", "functions.f.reserved_concurrency: 100"),
        ("reserved, from 1", 1_000, "reserved_concurrency: 1", "functions.f.reserved_concurrency: 100"),
        ("reserved, from none", 1_000, "memory: 128MB", "functions.f.reserved_concurrency: 100"),
        ("account", 1, "memory: 128MB", "account.concurrency_limit: 100"),
    ] {
        let yaml = format!(
            "duration: 1m\naccount: {{ concurrency_limit: {account} }}\nfunctions: {{ f: {{ duration: 1s, {function} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ burst: {{ size: 100, at: 10s }} }}, client: {{ retry: none }} }} }}\n\
             changes: [{{ at: 10s, set: {{ {change} }} }}]"
        );
        check_run(case, &yaml, &[("callers.c.succeeded", 100.0), ("functions.f.throttles", 0.0)]);
    }
}

/// C10: a free provisioned unit serves before any environment on demand, and what was spilled stays on demand.
#[test]
fn c10_provisioned_units_come_first() {
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 1s, provisioned_concurrency: 1 } }
callers: { c: { target: f, arrivals: { at: [0s, 500ms, 1100ms, 2s, 3s, 3100ms] }, client: { retry: none } } }",
    );
    let runs = facts.runs();
    let capacities: Vec<_> = runs.iter().map(|run| (run.capacity, run.cold)).collect();
    let (unit, spilled) = (Capacity::Provisioned, Capacity::Spillover);
    // The fourth comes while the unit is busy and the spilled environment idle: it is warm, and still spilled over.
    let expected = [(unit, false), (spilled, true), (unit, false), (spilled, false), (unit, false), (spilled, false)];
    assert_eq!(capacities, expected);
    assert_eq!(runs[1].environment, runs[3].environment);
}

/// C7: on demand a function gets what provisioned concurrency leaves of its reserved concurrency; where both are
/// equal that is nothing, even while a unit is out of service (INV-P5).
#[test]
fn c07_equal_reserved_and_provisioned_leave_nothing_on_demand() {
    check_run(
        "one of two units is being initialised again",
        "duration: 1m
functions:
  f: { duration: 1s, init: 20s, reserved_concurrency: 2, provisioned_concurrency: 2,
       failures: [{ events: [1], kind: crash }] }
callers: { c: { target: f, arrivals: { at: [0s, 5s, 5s] }, client: { retry: none } } }",
        &[
            ("functions.f.provisioned_concurrency_invocations", 2.0),
            ("functions.f.provisioned_concurrency_spillover_invocations", 0.0),
            ("functions.f.throttles_by_reason.ReservedFunctionConcurrentInvocationLimitExceeded", 1.0),
        ],
    );
}

/// T6: a function's error is an answer with status 200.
#[test]
fn t06_a_failed_function_answers_200() {
    check_run(
        "error",
        "duration: 1s
functions: { f: { duration: 1ms, failures: [{ probability: 100% }] } }
callers: { c: { target: f, arrivals: { burst: { size: 3 } } } }",
        &[
            ("callers.c.status_codes.200", 3.0),
            ("callers.c.outcomes.function_error", 3.0),
            ("callers.c.failed", 3.0),
            ("callers.c.retries", 0.0),
            ("functions.f.errors", 3.0),
        ],
    );
}
