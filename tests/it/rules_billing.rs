//! The bill (INV-7, vectors V10, V39, V40, V41). Amounts in US dollars, worked out by hand from the price list.

use crate::common::{check, check_run, near, number, simulate};

/// V39: a million runs of 120 ms at 1,536 MB: 180,000 GB-s, 3.000006 + 0.20 USD.
#[test]
fn v39_a_million_runs() {
    check_run(
        "V39",
        "duration: 1000s
functions: { f: { duration: 120ms, memory: 1536MB } }
callers: { c: { target: f, arrivals: { constant: 1000/s } } }",
        &[
            ("functions.f.invocations", 1e6),
            ("functions.f.billed_ms", 120e6),
            ("cost.functions.f.requests_usd", 0.20),
            ("cost.functions.f.duration_usd", 3.000_006),
            ("cost.functions.f.total_usd", 3.200_006),
            ("cost.total_usd", 3.200_006),
        ],
    );
}

/// V40: tiers of a month. 10,240 MB are 10 GB, so 800 runs of 875 s are 7 M GB-s: a thousandth of the vector's 7 G does
/// not leave the first tier; the whole takes 800,000 runs, which is what is simulated.
#[test]
fn v40_tiers() {
    for (architecture, runs, seconds, duration_usd) in
        [("x86_64", 800_000_u32, 875, 115_000.20), ("arm64", 1_250_000, 800, 130_000.75)]
    {
        let summary = simulate(&format!(
            "duration: 10000s
account: {{ concurrency_limit: 1000000, scaling: off, request_rate_limit: off }}
functions:
  f: {{ duration: {seconds}s, timeout: 900s, memory: 10240MB, architecture: {architecture} }}
callers: {{ c: {{ target: f, arrivals: {{ constant: 200/s }}, max_events: {runs}, client: {{ timeout: unlimited }} }} }}"
        ));
        let case = format!("{architecture}: {} GB-s", f64::from(runs) * f64::from(seconds) * 10.0);
        check(
            &case,
            &summary,
            &[
                ("functions.f.invocations", f64::from(runs)),
                ("cost.functions.f.duration_usd", duration_usd),
                ("cost.functions.f.requests_usd", f64::from(runs) * 0.2e-6),
            ],
        );
    }
}

/// V41: 100 units of 1,024 MB for 2 h without traffic are 720,000 GB-s, 3.00 USD; time rounds up to five minutes.
#[test]
fn v41_standing_cost_of_provisioned_concurrency() {
    // 100 GB x seconds x 0.0000041667
    let x86 = |minutes: f64| 100.0 * minutes * 60.0 * 0.000_004_166_7;
    for (duration, minutes) in [("2h", 120.0), ("61m", 65.0), ("65m", 65.0), ("3900001ms", 70.0), ("1m", 5.0)] {
        let yaml = format!(
            "duration: {duration}\nfunctions: {{ f: {{ duration: 1s, memory: 1024MB, provisioned_concurrency: 100 }} }}"
        );
        check_run(
            duration,
            &yaml,
            &[("cost.functions.f.provisioned_usd", x86(minutes)), ("cost.total_usd", x86(minutes))],
        );
    }
    near("V41", x86(120.0), 3.0, 0.000_1);
    check_run(
        "given back after 61 minutes, on Arm",
        "duration: 2h
functions: { f: { duration: 1s, memory: 1024MB, architecture: arm64, provisioned_concurrency: 100 } }
changes: [{ at: 61m, set: { functions.f.provisioned_concurrency: 0 } }]",
        &[("cost.functions.f.provisioned_usd", 100.0 * 65.0 * 60.0 * 0.000_003_333_4)],
    );
}

/// Runs on units cost the lower price of a GB-second, runs beside them the usual one.
#[test]
fn runs_on_provisioned_units_have_their_own_price() {
    check_run(
        "one of each, 100 s x 1 GB",
        "duration: 5m
functions: { f: { duration: 100s, timeout: 200s, memory: 1024MB, provisioned_concurrency: 1 } }
callers: { c: { target: f, arrivals: { burst: { size: 2 } }, client: { timeout: unlimited } } }",
        &[
            ("cost.functions.f.duration_usd", 100.0 * 0.000_009_722_2 + 100.0 * 0.000_016_666_7),
            ("cost.functions.f.requests_usd", 0.4e-6),
            ("cost.functions.f.provisioned_usd", 300.0 * 0.000_004_166_7),
        ],
    );
}

/// $5: the Init of units is billed when they are allocated, even if they never serve. The file's own units are ready at
/// 0 without one.
#[test]
fn d5_init_of_provisioned_units_is_billed() {
    for (settings, billed) in [("initial: 10", 0.0), ("schedule: [{ at: 0s, to: 10 }]", 10.0 * 2_500.0)] {
        let yaml = format!(
            "duration: 5m\nfunctions: {{ f: {{ duration: 1s, init: 2500ms, memory: 1024MB, provisioned_concurrency: {{ {settings} }} }} }}"
        );
        check_run(
            settings,
            &yaml,
            &[
                ("functions.f.billed_ms", billed),
                ("cost.functions.f.duration_usd", billed / 1_000.0 * 0.000_009_722_2),
                ("cost.functions.f.requests_usd", 0.0),
            ],
        );
    }
}

/// $1, $2, E19, D14: what of a run is billed. Milliseconds; one run each.
#[test]
fn billed_milliseconds_of_one_run() {
    let rows: [(&str, &str, &str, f64); 11] = [
        ("at least one millisecond", "duration: 0s", "{}", 1.0),
        ("a nanosecond", "duration: 1ns", "{}", 1.0),
        ("exactly one", "duration: 1ms", "{}", 1.0),
        ("a nanosecond more", "duration: 1000001ns", "{}", 2.0),
        ("one rounding of the sum", "duration: 400us, init: 400us", "{}", 1.0),
        ("Init is billed", "duration: 1s, init: 2s", "{}", 3_000.0),
        ("Init before August 2025", "duration: 1s, init: 2s", "{ init: free }", 1_000.0),
        ("a cut Init is billed", "duration: 1s, init: 12s, timeout: 20s", "{}", 23_000.0),
        ("a cut Init is not", "duration: 1s, init: 12s, timeout: 20s", "{ failed_init: free }", 13_000.0),
        ("the platform's part is not", "duration: 1s, platform_start: 5s", "{}", 1_000.0),
        ("extensions are", "duration: 1s, extension_tail: 250ms", "{}", 1_250.0),
    ];
    for (case, settings, prices, billed) in rows {
        let yaml = format!(
            "duration: 1m\nprices: {prices}\nfunctions: {{ f: {{ {settings} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
        );
        check_run(case, &yaml, &[("functions.f.billed_ms", billed)]);
    }
}

/// $4, $6: a time-out bills the whole time-out, failed runs bill like others, throttles bill nothing.
#[test]
fn d4_d6_failed_runs_and_throttles() {
    for (case, settings, invocations, billed) in [
        ("time-out", "duration: 10s, timeout: 3s", 1.0, 3_000.0),
        ("error", "duration: 1s, failures: [{ probability: 100% }]", 1.0, 1_000.0),
        ("error half way", "duration: 1s, failures: [{ probability: 100%, after: 50% }]", 1.0, 500.0),
        ("crash", "duration: 1s, failures: [{ probability: 100%, kind: crash }]", 1.0, 1_000.0),
        ("throttle", "duration: 1s, reserved_concurrency: 0", 0.0, 0.0),
    ] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ {settings} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none }} }} }}"
        );
        check_run(
            case,
            &yaml,
            &[
                ("functions.f.invocations", invocations),
                ("functions.f.billed_ms", billed),
                ("cost.functions.f.requests_usd", invocations * 0.2e-6),
            ],
        );
    }
}

/// INV-7: prices by architecture, storage above 512 MB, free tier and Savings Plan, over 1,000 GB-s.
#[test]
fn prices_and_their_options() {
    let x86 = 1_000.0 * 0.000_016_666_7;
    let arm = 1_000.0 * 0.000_013_333_4;
    // 1,000 s with 10,240 - 512 MB above what is free.
    let storage = 1_000.0 * 9_728.0 / 1_024.0 * 0.000_000_030_9;
    for (case, settings, prices, duration_usd, requests_usd) in [
        ("x86", "", "{}", x86, 0.2e-6 * 10.0),
        ("Arm", ", architecture: arm64", "{}", arm, 0.2e-6 * 10.0),
        ("storage", ", ephemeral_storage: 10240MB", "{}", x86 + storage, 0.2e-6 * 10.0),
        ("storage that is free", ", ephemeral_storage: 512MB", "{}", x86, 0.2e-6 * 10.0),
        ("Savings Plan", "", "{ savings_plan: 17% }", x86 * 0.83, 0.2e-6 * 10.0),
        ("free tier", "", "{ free_tier: on }", 0.0, 0.0),
    ] {
        let yaml = format!(
            "duration: 30m\nprices: {prices}\nfunctions: {{ f: {{ duration: 100s, timeout: 200s, memory: 1024MB{settings} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: 1/min }}, max_events: 10, client: {{ timeout: unlimited }} }} }}"
        );
        let summary = simulate(&yaml);
        // Money is kept in millionths of a millionth of a dollar.
        near(case, number(&summary, "cost.functions.f.duration_usd"), duration_usd, 1e-11);
        near(case, number(&summary, "cost.functions.f.requests_usd"), requests_usd, 1e-11);
    }
}

/// What was submitted before the warm-up's end is not billed, and standing cost counts by time after it.
#[test]
fn the_warmup_is_not_billed() {
    check_run(
        "2 of 3 runs, 30 of 40 minutes",
        "duration: 40m
warmup: 10m
functions: { f: { duration: 1s, memory: 1024MB, provisioned_concurrency: 1 } }
callers: { c: { target: f, arrivals: { at: [0s, 10m, 20m] } } }",
        &[
            ("functions.f.invocations", 2.0),
            ("functions.f.billed_ms", 2_000.0),
            ("cost.functions.f.requests_usd", 0.4e-6),
            ("cost.functions.f.provisioned_usd", 1_800.0 * 0.000_004_166_7),
        ],
    );
}

/// A run is billed by the memory and architecture at its start.
#[test]
fn settings_at_the_start_decide_the_price() {
    check_run(
        "1 GB, then 2 GB on Arm",
        "duration: 1h
functions: { f: { duration: 100s, timeout: 200s, memory: 1024MB } }
callers: { c: { target: f, arrivals: { at: [0s, 50s] }, client: { timeout: unlimited } } }
changes: [{ at: 50s, set: { functions.f.memory: 2048MB, functions.f.architecture: arm64 } }]",
        &[("cost.functions.f.duration_usd", 100.0 * 0.000_016_666_7 + 200.0 * 0.000_013_333_4)],
    );
}
