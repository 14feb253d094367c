//! Provisioned concurrency: allocation, schedules, target tracking, metrics (INV-1.4, vectors V14, V42, V43).
//!
//! Expected numbers are those of the vectors and rules; each row says which sum it is.

use std::path::Path;

use lambdasim::aws::fact::{Capacity, Fact};

use crate::common::{Facts, check, check_run, near, number, simulate, try_scenario};

/// Moments at which units became usable, with all that are usable from then on.
fn allocated(yaml: &str) -> Vec<(f64, u32)> {
    Facts::of(yaml).pick(|now, fact| match *fact {
        Fact::ProvisionedAllocated { units, .. } => Some((now / 1_000.0, units)),
        _ => None,
    })
}

/// V14, P1..P3: 5,000 units asked for at 0 are usable at 60 + 50 s, all at once and not before.
#[test]
fn v14_units_are_usable_all_at_once() {
    let yaml = "duration: 3m
account: { concurrency_limit: 10000 }
functions: { f: { duration: 1ms, provisioned_concurrency: { schedule: [{ at: 0s, to: 5000 }] } } }
callers:
  before: { target: f, arrivals: { at: [109999999us] } }
  at: { target: f, arrivals: { at: [110s] } }";
    assert_eq!(allocated(yaml), [(110.0, 5_000)]);
    let capacities: Vec<_> = Facts::of(yaml).runs().iter().map(|run| run.capacity).collect();
    assert_eq!(capacities, [Capacity::Spillover, Capacity::Provisioned]);
    // Units over 180 s: 5,000 for the last 70.
    check_run(
        "gauge",
        yaml,
        &[
            ("functions.f.provisioned_concurrency_allocated.max", 5_000.0),
            ("functions.f.provisioned_concurrency_allocated.mean", 5_000.0 * 70.0 / 180.0),
        ],
    );
}

/// P1, P2, P4: preparation, units / rate, and the Init of the last. The units of the file are ready at 0.
#[test]
fn p01_p02_p04_when_units_are_ready() {
    for (settings, init, moments) in [
        ("initial: 10", "5s", vec![(0.0, 10)]),
        ("initial: 10, schedule: [{ at: 5m, to: 40 }]", "0s", vec![(0.0, 10), (360.3, 40)]),
        ("initial: 10, schedule: [{ at: 5m, to: 40 }]", "20s", vec![(0.0, 10), (380.3, 40)]),
        ("initial: 10, preparation: 0s, schedule: [{ at: 5m, to: 40 }]", "0s", vec![(0.0, 10), (300.3, 40)]),
        (
            "initial: 10, preparation: 0s, per_minute: 60, schedule: [{ at: 5m, to: 40 }]",
            "0s",
            vec![(0.0, 10), (330.0, 40)],
        ),
        // Lowering takes no time; going back up does.
        (
            "initial: 40, schedule: [{ at: 2m, to: 10 }, { at: 4m, to: 40 }]",
            "0s",
            vec![(0.0, 40), (120.0, 10), (300.3, 40)],
        ),
    ] {
        let yaml = format!(
            "duration: 10m\nfunctions: {{ f: {{ duration: 1s, init: {init}, provisioned_concurrency: {{ {settings} }} }} }}"
        );
        assert_eq!(allocated(&yaml), moments, "{settings}, Init {init}");
    }
}

/// D10: while more are prepared, the old units stay usable; the new ones come together.
#[test]
fn d10_old_units_stay_usable() {
    let facts = Facts::of(
        "duration: 5m
functions: { f: { duration: 1s, provisioned_concurrency: 2 } }
callers: { c: { target: f, arrivals: { burst: { size: 4, every: 10s, times: 30 } }, client: { retry: none } } }
changes: [{ at: 1m, set: { functions.f.provisioned_concurrency: 4 } }]",
    );
    // 60 + 2 / 100 s after the change: bursts up to 120 s have two units, later ones four.
    for run in facts.runs() {
        let units = if run.start <= 120_000.0 { 2 } else { 4 };
        let together = facts.runs().iter().filter(|other| (other.start - run.start).abs() < 1e-6).count();
        assert_eq!(together, 4);
        let on_units = facts
            .runs()
            .iter()
            .filter(|other| (other.start - run.start).abs() < 1e-6 && other.capacity == Capacity::Provisioned)
            .count();
        assert_eq!(on_units, units, "at {}", run.start);
    }
}

/// C8: units leave the account's pool when they are asked for, not when they are ready.
#[test]
fn c08_units_leave_the_pool_when_they_are_asked_for() {
    for (moment, served) in [("59999ms", 200.0), ("60s", 150.0), ("90s", 150.0)] {
        check_run(
            moment,
            &format!(
                "duration: 5m
account: {{ concurrency_limit: 200 }}
functions:
  f: {{ duration: 1s, provisioned_concurrency: {{ schedule: [{{ at: 1m, to: 50 }}] }} }}
  other: {{ duration: 10ms }}
callers: {{ c: {{ target: other, arrivals: {{ burst: {{ size: 200, at: {moment} }} }}, client: {{ retry: none }} }} }}"
            ),
            &[("callers.c.succeeded", served)],
        );
    }
}

/// P4: Init of a unit may take 130 s, or the function's time-out where that is longer. One that fails makes the whole
/// allocation fail: none of it is usable, and it is neither paid for nor taken out of the pool any more.
#[test]
fn p04_a_failing_init_fails_the_allocation() {
    for (settings, usable) in [
        ("init: 130s", true),
        ("init: 130001ms", false),
        ("init: 200s, timeout: 200s", true),
        ("init: 201s, timeout: 200s", false),
        ("init: 1s, init_failures: [{ probability: 100% }]", false),
    ] {
        let yaml = format!(
            "duration: 15m\nfunctions: {{ f: {{ duration: 1s, {settings}, provisioned_concurrency: {{ schedule: [{{ at: 0s, to: 10 }}] }} }} }}"
        );
        let summary = simulate(&yaml);
        let (units, failures) = if usable { (10.0, 0.0) } else { (0.0, 1.0) };
        check(
            settings,
            &summary,
            &[
                ("functions.f.provisioned_concurrency_allocated.last", units),
                ("functions.f.init_failures", failures),
                ("account.claimed_account_concurrency.last", units),
            ],
        );
    }
}

/// P5: a unit that crashed or timed out is initialised again before it serves; an error leaves it in service.
#[test]
fn p05_a_reset_unit_comes_back_after_its_init() {
    // One unit; the first run ends at 1 s (3 s where it hangs); the next call comes just before, or at, the end of Init.
    for (kind, second, expected) in [
        ("error", "1s", Capacity::Provisioned),
        ("crash", "20999ms", Capacity::Spillover),
        ("crash", "21s", Capacity::Provisioned),
        ("timeout", "22999ms", Capacity::Spillover),
        ("timeout", "23s", Capacity::Provisioned),
    ] {
        let facts = Facts::of(&format!(
            "duration: 1m
functions: {{ f: {{ duration: 1s, init: 20s, provisioned_concurrency: 1, failures: [{{ events: [1], kind: {kind} }}] }} }}
callers: {{ c: {{ target: f, arrivals: {{ at: [0s, {second}] }}, client: {{ retry: none }} }} }}"
        ));
        let runs = facts.runs();
        assert_eq!(runs[1].capacity, expected, "{kind}, {second}");
        if expected == Capacity::Provisioned {
            assert!(!runs[1].cold && runs[1].ended().suppressed_init.is_none());
        }
    }
}

/// P5, $5: the Init of a unit that is recycled is billed again.
#[test]
fn p05_recycled_units_are_billed() {
    check_run(
        "crash",
        "duration: 1m
functions: { f: { duration: 1s, init: 20s, provisioned_concurrency: 1, failures: [{ events: [1], kind: crash }] } }
callers: { c: { target: f, arrivals: { at: [0s, 30s] }, client: { retry: none } } }",
        &[("functions.f.billed_ms", 1_000.0 + 20_000.0 + 1_000.0), ("functions.f.cold_starts", 0.0)],
    );
}

/// Lowering gives back free units at once and busy ones when their run ends; runs are not cut (INV-C11).
#[test]
fn lowering_gives_back_free_units_first() {
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 20s, timeout: 1m, provisioned_concurrency: 4 } }
callers: { c: { target: f, arrivals: { burst: { size: 3 } }, client: { retry: none } } }
changes: [{ at: 10s, set: { functions.f.provisioned_concurrency: 1 } }]",
    );
    let ended: Vec<_> = facts.environments_ended(0).iter().map(|(_, at)| *at).collect();
    assert_eq!(ended, [10_000.0, 20_000.0, 20_000.0]);
    assert!(facts.runs().iter().all(|run| (run.ended().at - 20_000.0).abs() < 1e-6));
}

/// V42: ten units, seven in flight: utilization 0.7, and with a target of 0.7 neither alarm rings in an hour.
#[test]
fn v42_utilization_at_the_target_rings_no_alarm() {
    let summary = simulate(
        "duration: 1h
drain: 0s
account: { request_rate_limit: off }
functions:
  f: { duration: 1s, provisioned_concurrency: { initial: 10, min: 1, max: 100, target_utilization: 70% } }
callers: { c: { target: f, arrivals: { constant: 7/s } } }",
    );
    check(
        "V42",
        &summary,
        &[
            ("functions.f.provisioned_concurrency_utilization.p95", 0.7),
            ("functions.f.provisioned_concurrency_utilization.max", 0.7),
            ("functions.f.provisioned_concurrency_allocated.max", 10.0),
            ("functions.f.provisioned_concurrency_allocated.last", 10.0),
            ("functions.f.provisioned_concurrent_executions.max", 7.0),
            ("functions.f.provisioned_concurrency_spillover_invocations", 0.0),
        ],
    );
}

/// V43: one request a minute that lasts two: on each minute's page at most 1, 2, 2, .. executions and one invocation.
#[test]
fn v43_metrics_by_the_minute() {
    let facts = Facts::of(
        "duration: 10m
functions: { f: { duration: 2m, timeout: 3m, provisioned_concurrency: 10 } }
callers: { c: { target: f, arrivals: { constant: 1/min }, client: { timeout: unlimited } } }",
    );
    let runs = facts.runs();
    assert!(runs.iter().all(|run| run.capacity == Capacity::Provisioned));
    for minute in 0..10 {
        let (from, until) = (f64::from(minute) * 60_000.0, f64::from(minute + 1) * 60_000.0);
        let started = runs.iter().filter(|run| (from..until).contains(&run.start)).count();
        // In flight at the busiest moment of the minute, which is right after its only start.
        let busiest = runs.iter().filter(|run| run.start <= from && run.ended().at > from).count();
        assert_eq!((started, busiest), (1, if minute == 0 { 1 } else { 2 }), "minute {minute}");
    }
}

/// A closed loop of `busy` users without pauses keeps that many units busy all the time.
fn tracked(busy: &str, settings: &str, duration: &str) -> Vec<(f64, u32)> {
    allocated(&format!(
        "duration: {duration}
account: {{ request_rate_limit: off }}
functions: {{ f: {{ duration: 10s, timeout: 20s, provisioned_concurrency: {{ {settings} }} }} }}
callers: {{ c: {{ target: f, {busy} }} }}"
    ))
}

/// P8, P11: three minutes above the target scale out to ceil(units x utilization / target), P1 and P2 later.
#[test]
fn p08_scale_out_after_three_minutes_above_the_target() {
    // 8 of 10 busy, target 70 %: ceil(8 / 0.7) = 12 are asked for at 3 min and ready 60 s + 2 / 100 s later.
    let settings = "initial: 10, min: 1, max: 100, target_utilization: 70%";
    assert_eq!(tracked("users: { count: 8, start: at_once }", settings, "10m"), [(0.0, 10), (240.02, 12)]);
    // All 10 busy: ceil(10 / 0.7) = 15; then 10 of 15 are 67 %, within both thresholds.
    assert_eq!(tracked("users: { count: 10, start: at_once }", settings, "10m"), [(0.0, 10), (240.05, 15)]);
    // The maximum holds.
    let limited = "initial: 10, min: 1, max: 13, target_utilization: 70%";
    assert_eq!(tracked("users: { count: 10, start: at_once }", limited, "5m"), [(0.0, 10), (240.03, 13)]);
    // The number of minutes is a key.
    let quick = "initial: 10, min: 1, max: 100, target_utilization: 70%, scale_out_datapoints: 1";
    assert_eq!(tracked("users: { count: 8, start: at_once }", quick, "4m"), [(0.0, 10), (120.02, 12)]);
}

/// P8: at the threshold nothing rings, just above it does. 70 of 100 and 71 of 100.
#[test]
fn p08_the_threshold_itself_is_not_above() {
    let settings = "initial: 100, min: 1, max: 200, target_utilization: 70%";
    assert_eq!(tracked("users: { count: 70, start: at_once }", settings, "8m"), [(0.0, 100)]);
    // ceil(71 / 0.7) = 102.
    assert_eq!(tracked("users: { count: 71, start: at_once }", settings, "8m"), [(0.0, 100), (240.02, 102)]);
}

/// P8: minutes at the target do not count for the three above it: two of 7 in 10, then 8 in 10 from 2 min 10 s on.
#[test]
fn p08_minutes_at_the_target_do_not_count() {
    let yaml = "duration: 8m
account: { request_rate_limit: off }
functions:
  f: { duration: 10s, timeout: 20s, provisioned_concurrency: { initial: 10, min: 1, max: 100, target_utilization: 70% } }
callers:
  seven: { target: f, users: { count: 7, start: at_once } }
  eighth: { target: f, arrivals: { profile: { shape: step, process: constant, points: [{ at: 0s, rate: 0/s }, { at: 2m, rate: 6/min }] } } }";
    // Asked for at 5 min.
    assert_eq!(allocated(yaml), [(0.0, 10), (360.02, 12)]);
}

/// P4: each unit has an Init of its own: those of a later allocation, and of a unit that is recycled, are drawn anew.
#[test]
fn p04_each_init_is_drawn_anew() {
    let facts = Facts::of(
        "duration: 15m
functions:
  f: { duration: 1s, init: { exponential: { mean: 10s } }, failures: [{ events: [1], kind: crash }],
       provisioned_concurrency: { preparation: 0s, schedule: [{ at: 0s, to: 2 }, { at: 5m, to: 4 }] } }
callers: { c: { target: f, arrivals: { at: [10m] } } }",
    );
    let mut inits = facts.pick(|_, fact| match *fact {
        Fact::ProvisionedInitialized { init, .. } => Some(init.as_nanos()),
        _ => None,
    });
    assert_eq!(inits.len(), 5);
    inits.sort_unstable();
    inits.dedup();
    assert_eq!(inits.len(), 5, "two units share a draw");
}

/// P9, P11: fifteen minutes below nine tenths of the target scale in by a tenth at most, at least one unit, not below
/// the minimum. Giving back takes no time.
#[test]
fn p09_scale_in_after_fifteen_minutes() {
    // 20 units, 5 busy: 25 %. At 15 min ceil(5 / 0.7) = 8 are wanted, 18 is as low as a step goes.
    let settings = "initial: 20, min: 1, max: 100, target_utilization: 70%";
    let seen = tracked("users: { count: 5, start: at_once }", settings, "16m");
    assert_eq!(seen, [(0.0, 20), (900.0, 18)]);
    // 63 of 100 is at nine tenths of the target and rings nothing; 62 is below: ceil(62 / 0.7) = 89, a step allows 90.
    let settings = "initial: 100, min: 1, max: 100, target_utilization: 70%";
    assert_eq!(tracked("users: { count: 63, start: at_once }", settings, "16m"), [(0.0, 100)]);
    assert_eq!(tracked("users: { count: 62, start: at_once }", settings, "16m"), [(0.0, 100), (900.0, 90)]);
    let least = "initial: 20, min: 19, max: 100, target_utilization: 70%";
    assert_eq!(tracked("users: { count: 5, start: at_once }", least, "1h"), [(0.0, 20), (900.0, 19)]);
    let step = "initial: 5, min: 1, max: 100, target_utilization: 70%";
    assert_eq!(tracked("users: { count: 1, start: at_once }", step, "930s"), [(0.0, 5), (900.0, 4)]);
}

/// P12: without traffic there is no metric, so nothing scales in and the units stay.
#[test]
fn p12_no_traffic_no_scale_in() {
    let settings = "initial: 20, min: 1, max: 100, target_utilization: 70%";
    assert_eq!(tracked("arrivals: { at: [0s] }", settings, "3h"), [(0.0, 20)]);
}

/// P7: the target lies between 10 % and 90 %.
#[test]
fn p07_range_of_the_target() {
    for (target, accepted) in [("9%", false), ("10%", true), ("90%", true), ("91%", false)] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s, provisioned_concurrency: {{ initial: 1, min: 1, max: 9, target_utilization: {target} }} }} }}"
        );
        assert_eq!(try_scenario(Path::new("."), &yaml, &[]).is_ok(), accepted, "{target}");
    }
}

/// P13: a schedule asks for units at its moments; each rise takes P1 and P2 again.
#[test]
fn p13_schedule() {
    let yaml = "duration: 30m
functions:
  f: { duration: 1s, provisioned_concurrency: { initial: 5, schedule: [{ at: 5m, to: 105 }, { at: 10m, to: 5 }, { at: 20m, to: 205 }] } }";
    assert_eq!(allocated(yaml), [(0.0, 5), (361.0, 105), (600.0, 5), (1_262.0, 205)]);
}

/// A request that is replaced before it is ready never becomes usable.
#[test]
fn a_newer_request_replaces_the_one_under_way() {
    let yaml = "duration: 10m
functions:
  f: { duration: 1s, provisioned_concurrency: { schedule: [{ at: 1m, to: 100 }, { at: 90s, to: 50 }] } }
callers: { c: { target: f, arrivals: { constant: 1/min } } }";
    // 90 + 60 + 0.5 s; nothing at 1 m + 61 s.
    assert_eq!(allocated(yaml), [(150.5, 50)]);
    let cancelled = yaml.replace("to: 50", "to: 0");
    assert_eq!(allocated(&cancelled), []);
    check_run("cancelled", &cancelled, &[("account.claimed_account_concurrency.last", 0.0)]);
}

/// The utilization's mean counts the time in which there are executions: 3 of 4 units for 10 s, 1 for 20 s.
#[test]
fn utilization_counts_while_there_are_executions() {
    let summary = simulate(
        "duration: 5m
functions: { f: { duration: 10s, timeout: 30s, provisioned_concurrency: 4 } }
callers: { c: { target: f, arrivals: { at: [10s, 10s, 10s, 60s, 70s] } } }",
    );
    near(
        "mean",
        number(&summary, "functions.f.provisioned_concurrency_utilization.mean"),
        (0.75 * 10.0 + 0.25 * 20.0) / 30.0,
        1e-9,
    );
}

/// No quantile, and no mean, of a gauge lies above its maximum: one of six units is busy for a moment.
#[test]
fn utilization_does_not_exceed_its_maximum() {
    let summary = simulate(
        "duration: 15s
functions: { f: { duration: 10ms, provisioned_concurrency: 6 } }
callers: { c: { target: f, arrivals: { at: [12s] } } }",
    );
    let figure = |name: &str| number(&summary, &format!("functions.f.provisioned_concurrency_utilization.{name}"));
    for name in ["mean", "p95", "p99"] {
        assert!(figure(name) <= figure("max"), "{name} is {}, the maximum {}", figure(name), figure("max"));
    }
}
