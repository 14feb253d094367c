//! Execution environments: cold starts, Init, resets, idle limits (INV-2, vectors V10, V30, V44).
//!
//! Times in the tables are milliseconds. Expected numbers are those of the vectors, or sums of the row's own parts.

use std::fmt::Write as _;

use lambdasim::aws::fact::{Fact, RunOutcome};

use crate::common::{Facts, SeenRun, check, check_run, length_ms, same, scenario_in, simulate};

/// V10, $1, $2: the doc's own log lines: Init and Duration are rounded up once, together.
#[test]
fn v10_billed_milliseconds_of_a_cold_start() {
    for (init, duration, billed) in
        [("80ms", "133610us", 214.0), ("84ms", "3016780us", 3_101.0), ("111230us", "3004920us", 3_117.0)]
    {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: {duration}, init: {init}, timeout: 10s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
        );
        check_run(init, &yaml, &[("functions.f.billed_ms", billed), ("functions.f.cold_starts", 1.0)]);
    }
}

/// V30, E2, E3: an Init longer than its limit is cut there and runs again inside the invocation, under the time-out.
#[test]
fn v30_init_longer_than_its_limit() {
    // init, handler, time-out; latency, Duration, Init shown, suppressed, errors; billed
    let rows: [(&str, &str, &str, [f64; 5], f64); 7] = [
        ("12s", "1s", "20s", [23_000.0, 13_000.0, 10_000.0, 1.0, 0.0], 23_000.0),
        ("12s", "1s", "10s", [20_000.0, 10_000.0, 10_000.0, 1.0, 1.0], 20_000.0),
        // Just below, at and above the limit of 10 s.
        ("9999ms", "1s", "3s", [10_999.0, 1_000.0, 9_999.0, 0.0, 0.0], 10_999.0),
        ("10s", "1s", "3s", [11_000.0, 1_000.0, 10_000.0, 0.0, 0.0], 11_000.0),
        ("10001ms", "1s", "30s", [21_001.0, 11_001.0, 10_000.0, 1.0, 0.0], 21_001.0),
        // The second Init and the handler just fit the time-out, or just do not.
        ("12s", "1s", "13s", [23_000.0, 13_000.0, 10_000.0, 1.0, 0.0], 23_000.0),
        ("12s", "1001ms", "13s", [23_000.0, 13_000.0, 10_000.0, 1.0, 1.0], 23_000.0),
    ];
    for (init, handler, timeout, [latency, duration, shown, suppressed, errors], billed) in rows {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: {handler}, init: {init}, timeout: {timeout} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            &format!("Init {init}, handler {handler}, time-out {timeout}"),
            &yaml,
            &[
                ("callers.c.latency_ms.max", latency),
                ("functions.f.duration_ms.max", duration),
                ("functions.f.init_ms.max", shown),
                ("functions.f.suppressed_inits", suppressed),
                ("functions.f.init_failures", suppressed),
                ("functions.f.timeouts", errors),
                ("functions.f.errors", errors),
                ("functions.f.environments.reset", errors),
                ("functions.f.cold_starts", 1.0),
                ("functions.f.billed_ms", billed),
            ],
        );
    }
}

/// E2: the limit is a key.
#[test]
fn e02_init_limit_is_a_key() {
    for (limit, latency) in [("2s", 3_000.0), ("1999ms", 4_999.0)] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s, init: 2s, init_limit: {limit}, timeout: 10s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
        );
        check_run(limit, &yaml, &[("callers.c.latency_ms.max", latency)]);
    }
}

/// E1, E5, D13: a cold start is the platform's part, Init, and the handler. The time-out covers the handler alone; the
/// platform's part is neither billed, nor Init, nor under its limit.
#[test]
fn e01_parts_of_a_cold_start() {
    for (platform, init, handler, timeouts) in
        [(120, 500, 3_000, 0.0), (120, 500, 3_001, 1.0), (20_000, 10_000, 100, 0.0), (0, 0, 100, 0.0)]
    {
        let yaml = format!(
            "duration: 1m\n\
             functions: {{ f: {{ duration: {handler}ms, init: {init}ms, platform_start: {platform}ms, timeout: 3s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 50s] }}, client: {{ retry: none }}, max_events: 1 }} }}"
        );
        let spent = f64::from(handler.min(3_000));
        let (platform, init) = (f64::from(platform), f64::from(init));
        check_run(
            &format!("{platform} + {init} + {handler}"),
            &yaml,
            &[
                ("callers.c.latency_ms.max", platform + init + spent),
                ("functions.f.init_ms.count", 1.0),
                ("functions.f.init_ms.max", init),
                ("functions.f.duration_ms.max", spent),
                ("functions.f.billed_ms", init + spent),
                ("functions.f.timeouts", timeouts),
                ("functions.f.suppressed_inits", 0.0),
            ],
        );
    }
}

/// C2: the slot is taken at admission and covers the platform's part and Init as well.
#[test]
fn c02_concurrency_covers_the_cold_start() {
    check_run(
        "1 s platform, 2 s Init, 3 s handler in 10 s",
        "duration: 10s
drain: 0s
functions: { f: { duration: 3s, init: 2s, platform_start: 1s } }
callers: { c: { target: f, arrivals: { at: [0s] } } }",
        &[("functions.f.concurrent_executions.mean", 0.6), ("account.concurrent_executions.mean", 0.6)],
    );
}

/// D13, E13: `typical` timing has a platform part of 100 ms and retires environments after two hours.
#[test]
fn d13_typical_timing() {
    for (timing, latency, created) in [("ideal", 1_000.0, 1.0), ("typical", 1_100.0, 2.0)] {
        // One call a minute keeps the environment warm; at 2 h it becomes idle too old, and a second one starts.
        let yaml = format!(
            "duration: 2h5m\nmodel: {{ timing: {timing} }}\nfunctions: {{ f: {{ duration: 1s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: 1/min }} }} }}"
        );
        check_run(
            timing,
            &yaml,
            &[("callers.c.latency_ms.max", latency), ("functions.f.environments.created", created)],
        );
    }
}

/// Three calls one after another; the first run fails as given. Duration, whether Init was suppressed, and whether it
/// was cold, of each.
fn three_runs(settings: &str) -> Vec<(f64, f64, bool)> {
    let facts = Facts::of(&format!(
        "duration: 1m\nfunctions: {{ f: {{ duration: 100ms, init: 400ms, timeout: 2s, {settings} }} }}\n\
         callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 10s, 20s] }}, client: {{ retry: none }} }} }}"
    ));
    let suppressed = |run: &SeenRun| run.ended().suppressed_init.map_or(0.0, |init| length_ms(init.length));
    facts.runs().iter().map(|run| (run.ended().duration, suppressed(run), run.cold)).collect()
}

/// E6, E7, E8: a time-out or a crash resets the environment, so the next run pays for an Init inside its duration; an
/// error does not.
#[test]
fn e06_e07_what_resets_an_environment() {
    let warm = (100.0, 0.0, false);
    let after_reset = (500.0, 400.0, false);
    for (kind, first, second) in [
        ("error", (100.0, 0.0, true), warm),
        ("crash", (100.0, 0.0, true), after_reset),
        ("timeout", (2_000.0, 0.0, true), after_reset),
    ] {
        let settings = format!("failures: [{{ events: [1], kind: {kind} }}]");
        assert_eq!(three_runs(&settings), [first, second, warm], "{kind}");
    }
}

/// E6, $3: the Init after a reset is inside Duration and is billed with it; it is no cold start.
#[test]
fn e06_the_bill_after_a_reset() {
    check_run(
        "crash, then a run",
        "duration: 1m
prices: { init: free }
functions: { f: { duration: 100ms, init: 400ms, failures: [{ events: [1], kind: crash }] } }
callers: { c: { target: f, arrivals: { at: [0s, 10s] }, client: { retry: none } } }",
        &[
            // 100 of the first run (its Init is free here) and 400 + 100 of the second.
            ("functions.f.billed_ms", 600.0),
            ("functions.f.cold_starts", 1.0),
            ("functions.f.suppressed_inits", 1.0),
            ("functions.f.init_ms.count", 1.0),
            ("functions.f.environments.reset", 1.0),
            ("functions.f.environments.created", 1.0),
            ("functions.f.init_failures", 0.0),
        ],
    );
}

/// E6 with E5: the suppressed Init counts against the time-out; one that does not fit times out again and again.
#[test]
fn e06_a_suppressed_init_is_under_the_timeout() {
    for (timeout, fits) in [("5s", true), ("4999ms", false)] {
        let facts = Facts::of(&format!(
            "duration: 2m
functions:
  f: {{ duration: 1s, init: 4s, timeout: {timeout}, failures: [{{ events: [1], kind: crash, after: 0% }}] }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 20s, 40s] }}, client: {{ retry: none }} }} }}"
        ));
        let ends: Vec<_> = facts.runs().iter().map(|run| (run.ended().duration, run.ended().outcome)).collect();
        let expected = if fits {
            [(0.0, RunOutcome::Crash), (5_000.0, RunOutcome::Success), (1_000.0, RunOutcome::Success)]
        } else {
            [(0.0, RunOutcome::Crash), (4_999.0, RunOutcome::Timeout), (4_999.0, RunOutcome::Timeout)]
        };
        assert_eq!(ends, expected, "{timeout}");
    }
}

/// E5: a run up to and including the time-out succeeds, a longer one is cut there and billed the whole time-out ($4).
#[test]
fn e05_function_timeout() {
    for (duration, shown, timeouts) in [(2_999, 2_999.0, 0.0), (3_000, 3_000.0, 0.0), (3_001, 3_000.0, 1.0)] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: {duration}ms }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            &format!("{duration}"),
            &yaml,
            &[
                ("functions.f.duration_ms.max", shown),
                ("functions.f.billed_ms", shown),
                ("functions.f.timeouts", timeouts),
                ("functions.f.errors", timeouts),
                ("callers.c.outcomes.function_error", timeouts),
                ("callers.c.status_codes.200", 1.0),
            ],
        );
    }
}

/// E12: an environment that has been idle up to its limit serves, at the limit too (an arrival comes before a timer of
/// the same instant); after it, it has ended at the limit's own moment.
#[test]
fn e12_idle_limit() {
    for (gap, cold) in [("599999999999ns", false), ("600s", false), ("600000000001ns", true)] {
        for selection in ["mru", "lru", "fifo", "random"] {
            let nanoseconds: u64 =
                if gap == "600s" { 600_000_000_000 } else { gap.trim_end_matches("ns").parse().unwrap() };
            // The first run ends at 1 s.
            let second = format!("{}ns", nanoseconds + 1_000_000_000);
            let facts = Facts::of(&format!(
                "duration: 1h\nfunctions: {{ f: {{ duration: 1s, warm_selection: {selection} }} }}\n\
                 callers: {{ c: {{ target: f, arrivals: {{ at: [0s, {second}] }} }} }}"
            ));
            let runs = facts.runs();
            assert_eq!(runs[1].cold, cold, "{gap} {selection}");
            if cold {
                assert_eq!(facts.environments_ended(0)[0], (1, 601_000.0), "{gap} {selection}");
            }
        }
    }
}

/// E12: the limit may be drawn; and the level of environments alive falls at the limit, not when it is noticed.
#[test]
fn e12_environments_alive() {
    let summary = simulate(
        "duration: 1000s
functions: { f: { duration: 10s, timeout: 20s, idle_timeout: 90s } }
callers: { c: { target: f, arrivals: { at: [0s, 900s] } } }",
    );
    check(
        "10 s busy and 90 s idle, twice, in 1,000 s",
        &summary,
        &[
            ("functions.f.environments.created", 2.0),
            ("functions.f.environments.alive.mean", 0.2),
            ("functions.f.environments.alive.max", 1.0),
        ],
    );
    check_run(
        "drawn",
        "duration: 10h
functions: { f: { duration: 1s, idle_timeout: { uniform: { min: 5m, max: 7m } } } }
callers: { c: { target: f, arrivals: { at: [0s, 299s, 2h, 9h] } } }",
        &[("functions.f.cold_starts", 3.0), ("functions.f.environments.expired", 3.0)],
    );
}

/// E13: age is looked at when an environment becomes idle; at its maximum it is retired, just below it is kept.
#[test]
fn e13_maximum_age() {
    for (age, environments) in [("99999ms", 3), ("100s", 3), ("100001ms", 2)] {
        // Runs end at 10, 60 and 100 s; the fourth call comes at 105 s, the fifth at 200 s.
        let facts = Facts::of(&format!(
            "duration: 1h
functions: {{ f: {{ duration: 10s, timeout: 20s, maximum_environment_age: {age} }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 50s, 90s, 105s, 150s, 204s] }} }} }}"
        ));
        let ended = facts.environments_ended(0);
        let runs: Vec<_> = facts.runs().iter().map(|run| run.environment).collect();
        if environments == 3 {
            assert_eq!(runs, [1, 1, 1, 2, 2, 2], "{age}");
            assert_eq!(ended[0], (1, 100_000.0), "{age}");
            // The second one becomes idle at 214 s, 109 s old.
            assert_eq!(ended[1], (2, 214_000.0), "{age}");
        } else {
            assert_eq!(runs, [1, 1, 1, 1, 2, 2], "{age}");
            assert_eq!(ended[0], (1, 115_000.0), "{age}");
        }
    }
}

/// E11: which idle environment serves next. Three environments become idle in the order 2, 3, 1.
#[test]
fn e11_warm_selection() {
    for (selection, expected) in [("mru", [1, 3, 2]), ("lru", [2, 3, 1]), ("fifo", [1, 2, 3])] {
        for idle in ["10m", "{ uniform: { min: 10m, max: 11m } }"] {
            let folder =
                trace(&[(0.0, 5_000), (0.5, 1_000), (1.0, 2_000), (10.0, 9_000), (11.0, 9_000), (12.0, 9_000)]);
            let yaml = format!(
                "duration: 1m\n\
                 functions: {{ f: {{ duration: 1s, timeout: 30s, warm_selection: {selection}, idle_timeout: {idle} }} }}\n{TRACE_CALLER}"
            );
            let facts = Facts::of_scenario(&scenario_in(folder.path(), &yaml, &[]));
            let runs: Vec<_> = facts.runs().iter().map(|run| run.environment).collect();
            assert_eq!(runs[..3], [1, 2, 3]);
            assert_eq!(runs[3..], expected, "{selection}");
        }
    }
}

/// E11: `random` takes any of them, each as often. 900 choices between two: mean 450, standard deviation 15.
#[test]
fn e11_random_selection() {
    let facts = Facts::of(
        "duration: 20m
functions: { f: { duration: 100ms, warm_selection: random } }
callers:
  a: { target: f, arrivals: { at: [0s] } }
  b: { target: f, arrivals: { constant: 1/s }, max_events: 901 }",
    );
    let first = facts.runs().iter().filter(|run| run.caller == 1 && run.environment == 1).count();
    // The first of b's arrives together with a's and gets the second environment. Five standard deviations on either side.
    assert!((375..525).contains(&first), "{first}");
}

/// V44: the ten requests of the doc's picture. Requests 6, 7, 8 and 10 find A, B, C and D idle; 9 finds none.
#[test]
fn v44_ten_requests() {
    let rows = [
        (0.0, 10_000),
        (1.0, 11_000),
        (2.0, 12_000),
        (3.0, 15_000),
        (4.0, 20_000),
        (11.0, 20_000),
        (13.0, 20_000),
        (15.0, 20_000),
        (16.0, 20_000),
        (19.0, 20_000),
    ];
    for selection in ["mru", "lru", "fifo", "random"] {
        let folder = trace(&rows);
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s, timeout: 1m, warm_selection: {selection} }} }}\n{TRACE_CALLER}"
        );
        let facts = Facts::of_scenario(&scenario_in(folder.path(), &yaml, &[]));
        let runs: Vec<_> = facts.runs().iter().map(|run| run.environment).collect();
        assert_eq!(runs, [1, 2, 3, 4, 5, 1, 2, 3, 6, 4], "{selection}");
    }
}

const TRACE_CALLER: &str = "callers: { c: { target: f, arrivals: { trace: { file: trace.csv, column: at, unit: s, \
                            duration_column: took, duration_unit: ms } } } }";

/// A folder with a trace of moments in seconds and durations in milliseconds.
fn trace(rows: &[(f64, u32)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "at,took\n".to_owned();
    for (at, took) in rows {
        writeln!(text, "{at},{took}").unwrap();
    }
    std::fs::write(folder.path().join("trace.csv"), text).unwrap();
    folder
}

/// E9: the reply leaves when the handler is done; the environment and its concurrency are held until the extensions
/// are. Their time is part of Duration and of the bill, and they end with the time-out at the latest.
#[test]
fn e09_extensions_hold_the_environment() {
    // handler, tail; latency, Duration
    for (handler, tail, latency, held) in [
        (1_000, 0, 1_000.0, 1_000.0),
        (1_000, 500, 1_000.0, 1_500.0),
        (2_500, 500, 2_500.0, 3_000.0),
        (2_800, 500, 2_800.0, 3_000.0),
    ] {
        let yaml = format!(
            "duration: 10s\ndrain: 0s\nfunctions: {{ f: {{ duration: {handler}ms, extension_tail: {tail}ms }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
        );
        check_run(
            &format!("{handler} + {tail}"),
            &yaml,
            &[
                ("callers.c.latency_ms.max", latency),
                ("functions.f.duration_ms.max", held),
                ("functions.f.billed_ms", held),
                ("functions.f.concurrent_executions.mean", held / 10_000.0),
                ("functions.f.timeouts", 0.0),
            ],
        );
    }
    // A call that comes after the reply and before the end finds the environment busy and the concurrency taken.
    for (second, throttled) in [("1499ms", 1.0), ("1500ms", 0.0), ("1501ms", 0.0)] {
        let yaml = format!(
            "duration: 10s\nfunctions: {{ f: {{ duration: 1s, extension_tail: 500ms, reserved_concurrency: 1 }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s, {second}] }}, client: {{ retry: none }} }} }}"
        );
        check_run(second, &yaml, &[("functions.f.throttles", throttled)]);
    }
}

/// E4: an Init that fails runs again with the invocation; failing there too is the function's error.
#[test]
fn e04_init_failures() {
    // failures of Init; latency, Duration, errors, failed Inits
    let rows: [(&str, [f64; 4]); 4] = [
        ("[]", [500.0, 100.0, 0.0, 0.0]),
        // Both Inits are judged; without a condition on which, both fail after 400 ms each.
        ("[{ probability: 100% }]", [800.0, 400.0, 1.0, 2.0]),
        ("[{ probability: 100%, after: 50% }]", [400.0, 200.0, 1.0, 2.0]),
        ("[{ probability: 100%, from: 1s }]", [500.0, 100.0, 0.0, 0.0]),
    ];
    for (failures, [latency, duration, errors, failed]) in rows {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 100ms, init: 400ms, init_failures: {failures} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            failures,
            &yaml,
            &[
                ("callers.c.latency_ms.max", latency),
                ("functions.f.duration_ms.max", duration),
                ("functions.f.errors", errors),
                ("functions.f.init_failures", failed),
                ("functions.f.invocations", 1.0),
            ],
        );
    }
}

/// E4: Init failures of 30 %, judged anew for the second Init: of 2,000 cold runs 600 fail once (standard deviation
/// 20.5) and 180 fail twice (12.8). Five standard deviations.
#[test]
fn e04_each_init_is_judged_by_itself() {
    let facts = Facts::of(
        "duration: 1s
account: { concurrency_limit: 2000, scaling: off }
functions: { f: { duration: 100ms, init: 400ms, init_failures: [{ probability: 30% }] } }
callers: { c: { target: f, arrivals: { burst: { size: 2000 } }, client: { retry: none } } }",
    );
    let runs = facts.runs();
    let first = runs.iter().filter(|run| run.ended().init.is_some_and(|init| init.failed)).count();
    let second = runs.iter().filter(|run| run.ended().suppressed_init.is_some_and(|init| init.failed)).count();
    let errors = runs.iter().filter(|run| run.ended().outcome != RunOutcome::Success).count();
    assert!((498..702).contains(&first), "{first}");
    assert!((116..244).contains(&second), "{second}");
    assert_eq!(errors, second);
}

/// E18: a restore takes the place of Init; above ten seconds the caller gets `SnapStartTimeoutException`.
#[test]
fn e18_snapstart() {
    for (restore, latency, status) in [("200ms", 300.0, "200"), ("10s", 10_100.0, "200"), ("10001ms", 10_000.0, "408")]
    {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 100ms, init: 5s, snapstart: {{ restore: {restore} }} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            restore,
            &yaml,
            &[
                ("callers.c.latency_ms.max", latency),
                (&format!("callers.c.status_codes.{status}"), 1.0),
                ("functions.f.cold_starts", 1.0),
                ("functions.f.suppressed_inits", 0.0),
            ],
        );
    }
}

/// E16: with `cpu_scaling` the handler takes 1,769 MB / memory as long, never less; Init does not (E17).
#[test]
fn e16_cpu_scaling() {
    for (memory, scaling, duration) in [
        (1_769, "on", 100.0),
        (3_538, "on", 100.0),
        (10_240, "on", 100.0),
        (884, "on", 100.0 * 1_769.0 / 884.0),
        (128, "on", 100.0 * 1_769.0 / 128.0),
        (128, "off", 100.0),
    ] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 100ms, init: 300ms, memory: {memory}MB, cpu_scaling: {scaling} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
        );
        let summary = simulate(&yaml);
        check(&format!("{memory} MB"), &summary, &[("functions.f.init_ms.max", 300.0)]);
        let found = crate::common::number(&summary, "functions.f.duration_ms.max");
        // The nearest nanosecond below.
        crate::common::near(&format!("{memory} MB, {scaling}"), found, duration, 2e-6);
    }
}

/// E15: new code leaves no idle environment behind, at its own moment; a run under way goes on.
#[test]
fn e15_deployment_empties_the_idle_environments() {
    for selection in ["mru", "random"] {
        let facts = Facts::of(&format!(
            "duration: 1m
functions: {{ f: {{ duration: 1s, warm_selection: {selection} }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s, 0s, 9500ms, 11s] }} }} }}
changes: [{{ at: 10s, deploy: f }}]"
        ));
        // One of the two serves the third call and is busy at 10 s; the other is idle and goes.
        let ended = facts.environments_ended(0);
        assert!(same(ended[0].1, 10_000.0), "{selection}: {ended:?}");
        assert!(facts.runs().iter().all(|run| run.ended().outcome == RunOutcome::Success));
    }
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 1s } }
callers: { c: { target: f, arrivals: { at: [0s, 5s, 11s] } } }
changes: [{ at: 10s, deploy: f }]",
    );
    let cold: Vec<_> = facts.runs().iter().map(|run| run.cold).collect();
    assert_eq!(cold, [true, false, true]);
}

/// E15: an environment of the old code that was busy at the deployment does not serve the new code.
#[test]
fn e15_old_code_does_not_serve_after_the_deployment() {
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 1s } }
callers: { c: { target: f, arrivals: { at: [9500ms, 12s] } } }
changes: [{ at: 10s, deploy: f }]",
    );
    let cold: Vec<_> = facts.runs().iter().map(|run| run.cold).collect();
    assert_eq!(cold, [true, true]);
}

/// Every environment that is created ends or is still alive, whatever ends it; nobody runs on one that has ended.
#[test]
fn environments_are_accounted_for() {
    let facts = Facts::of(
        "duration: 30m
functions:
  f: { duration: { exponential: { mean: 2s } }, timeout: 5s, init: 300ms, idle_timeout: { exponential: { mean: 20s } },
       maximum_environment_age: 3m, warm_selection: random, failures: [{ probability: 5%, kind: crash }] }
callers: { c: { target: f, arrivals: { poisson: 2/s }, client: { retry: none } } }
changes: [{ at: 10m, deploy: f }]",
    );
    let mut alive = std::collections::BTreeSet::new();
    for (_, fact) in &facts.list {
        match *fact {
            Fact::EnvironmentCreated { environment, .. } => assert!(alive.insert(environment)),
            Fact::EnvironmentEnded { environment, .. } => assert!(alive.remove(&environment)),
            Fact::RunStarted { environment, .. } | Fact::RunEnded { environment, .. } => {
                assert!(alive.contains(&environment));
            }
            _ => {}
        }
    }
}
