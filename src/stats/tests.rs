//! Whole statistics, from facts by hand.
#![allow(clippy::float_cmp, reason = "figures come from integers and are exact")]

use super::summary::{FunctionSummary, Summary};
use super::testing::{
    TestRun, call, first, function, ms, origin, scenario, scenario_with_mapping, scenario_with_places,
};
use super::{Observer, Statistics};
use crate::aws::config::{Architecture, Change, ChangeAction};
use crate::aws::fact::{Answer, Capacity, Fact, InitPhase, Outcome, RunOutcome, ThrottleReason};
use crate::aws::ids::{FunctionId, Id};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

const HOUR: u64 = 3_600_000;

/// What the facts that `state` states come to, in `scenario`, after an hour.
fn summary(scenario: &Scenario, state: impl FnOnce(&mut Statistics)) -> Summary {
    let mut statistics = Statistics::new(scenario);
    state(&mut statistics);
    statistics.finish(ms(HOUR))
}

fn only(summary: &Summary) -> &FunctionSummary {
    &summary.functions.0[0].1
}

fn nanoseconds(milliseconds: f64) -> SimDuration {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive test values")]
    SimDuration::from_nanos((milliseconds * 1e6).round() as u64)
}

/// A run that starts at 0, with this Init phase and duration.
fn run(statistics: &mut Statistics, init: Option<InitPhase>, duration: SimDuration) {
    let test_run = TestRun { init, cold: init.is_some(), ..TestRun::default() };
    let submission = origin(0, 1, SimTime::ZERO);
    let length = duration.plus(init.map_or(SimDuration::ZERO, |phase| phase.length));
    test_run.start(statistics, submission, SimTime::ZERO);
    test_run.end(statistics, submission, (SimTime::ZERO, SimTime::ZERO.plus(length)), duration);
}

#[test]
fn inv_v10_init_and_duration_are_rounded_once_together() {
    for (init, duration, billed) in [(80.0, 133.61, 214), (84.0, 3_016.78, 3_101), (111.23, 3_004.92, 3_117)] {
        let summary = summary(&scenario(&["f"]), |statistics| {
            let init = InitPhase { length: nanoseconds(init), failed: false };
            run(statistics, Some(init), nanoseconds(duration));
        });
        assert_eq!(only(&summary).billed_ms, billed, "{init} + {duration}");
        assert_eq!(only(&summary).cold_starts, 1);
        assert_eq!(only(&summary).init_ms.max, Some(init));
        assert_eq!(only(&summary).duration_ms.max, Some(duration));
    }
}

#[test]
fn a_warm_run_is_billed_at_least_a_millisecond() {
    for (duration, billed) in [(0.0, 1), (0.000_001, 1), (1.0, 1), (1.000_001, 2), (900_000.0, 900_000)] {
        let summary = summary(&scenario(&["f"]), |statistics| run(statistics, None, nanoseconds(duration)));
        assert_eq!(only(&summary).billed_ms, billed, "{duration}");
    }
}

#[test]
fn inv_e19_d14_whether_init_is_billed_is_a_setting() {
    let phase = |failed| InitPhase { length: SimDuration::from_secs(10), failed };
    for (init, failed_init, failed, billed) in [
        (true, true, false, 11_000),
        (false, true, false, 1_000),
        (true, true, true, 11_000),
        (true, false, true, 1_000),
        (true, false, false, 11_000),
        (false, true, true, 1_000),
    ] {
        let mut scenario = scenario(&["f"]);
        scenario.prices.init_billed = init;
        scenario.prices.failed_init_billed = failed_init;
        let summary = summary(&scenario, |statistics| run(statistics, Some(phase(failed)), SimDuration::from_secs(1)));
        assert_eq!(only(&summary).billed_ms, billed, "{init} {failed_init} {failed}");
        assert_eq!(only(&summary).init_failures, u64::from(failed));
    }
}

#[test]
fn inv_v39_a_million_runs() {
    let mut scenario = scenario(&["f"]);
    scenario.system.functions[first()].memory_mb = 1_536;
    let summary = summary(&scenario, |statistics| {
        for submission in 1..=1_000_000 {
            let test_run = TestRun::default();
            test_run.whole(statistics, origin(0, submission, ms(0)), ms(submission), ms(submission + 120));
        }
    });
    let cost = &summary.cost.functions.0[0].1;
    assert_eq!((cost.requests_usd, cost.duration_usd, cost.total_usd), (0.2, 3.000_006, 3.200_006));
    assert_eq!(summary.cost.total_usd, 3.200_006);
    assert_eq!(only(&summary).billed_ms, 120_000_000);
}

#[test]
fn inv_v40_tiers_of_both_architectures() {
    for (architecture, seconds, usd) in
        [(Architecture::X86_64, 700_000_000, 115_000.2), (Architecture::Arm64, 1_000_000_000, 130_000.75)]
    {
        let mut scenario = scenario(&["f"]);
        scenario.system.functions[first()].memory_mb = 10_240;
        scenario.system.functions[first()].architecture = architecture;
        let mut statistics = Statistics::new(&scenario);
        run(&mut statistics, None, SimDuration::from_secs(seconds));
        let summary = statistics.finish(SimTime::ZERO.plus(SimDuration::from_secs(seconds)));
        assert_eq!(summary.cost.functions.0[0].1.duration_usd, usd);
    }
}

#[test]
fn inv_v41_provisioned_units_are_paid_while_they_stand() {
    let standing = |minutes: u64| {
        let mut statistics = Statistics::new(&scenario(&["f"]));
        statistics.observe(ms(0), &Fact::ProvisionedRequested { function: first(), units: 100 });
        statistics.observe(ms(minutes * 60_000), &Fact::ProvisionedRequested { function: first(), units: 0 });
        statistics.finish(ms(10 * HOUR)).cost.functions.0[0].1.provisioned_usd
    };
    // 720,000 GB-s; the sheet rounds 3.000024 to 3.00.
    assert_eq!(standing(120), 3.000_024);
    assert_eq!(standing(61), standing(65));
    assert_eq!(standing(65), 1.625_013);
    let to_the_end = summary(&scenario(&["f"]), |statistics| {
        statistics.observe(ms(0), &Fact::ProvisionedRequested { function: first(), units: 100 });
    });
    assert_eq!(to_the_end.cost.total_usd, 1.500_012);
}

#[test]
fn inv_5_billing_5_the_init_of_a_provisioned_environment_is_billed() {
    let summary = summary(&scenario(&["f"]), |statistics| {
        let init = nanoseconds(1_500.2);
        statistics.observe(ms(5), &Fact::ProvisionedInitialized { function: first(), init });
    });
    assert_eq!(only(&summary).billed_ms, 1_501);
    assert_eq!(summary.cost.functions.0[0].1.duration_usd, 0.000_014_593_022);
}

#[test]
fn a_run_is_billed_by_the_settings_at_its_start() {
    let mut scenario = scenario(&["f"]);
    let mut larger = function("f");
    larger.memory_mb = 2_048;
    larger.ephemeral_storage_mb = 1_536;
    let action = ChangeAction::Function(first(), Box::new(larger));
    scenario.system.changes.push(Change { at: ms(1_000), action });
    let summary = summary(&scenario, |statistics| {
        for start in [0, 999, 1_000, 2_000] {
            TestRun::default().whole(statistics, origin(0, start, ms(0)), ms(start), ms(start + 1_000));
        }
    });
    // 2 GB-s before, 4 GB-s and 2 GB-s of storage after.
    let gb_second = 0.000_016_666_7;
    let expected = 6.0 * gb_second + 2.0 * 0.000_000_030_9;
    assert!((summary.cost.functions.0[0].1.duration_usd - expected).abs() < 1e-12);
}

#[test]
fn inv_v43_executions_and_invocations_on_provisioned_units() {
    let mut scenario = scenario(&["f"]);
    scenario.duration = ms(10 * 60_000);
    let summary = summary(&scenario, |statistics| {
        statistics.observe(ms(0), &Fact::ProvisionedAllocated { function: first(), units: 10 });
        let on_unit = TestRun { capacity: Capacity::Provisioned, cold: true, ..TestRun::default() };
        let at = |minute: u64| (ms(minute * 60_000), origin(0, minute, ms(minute * 60_000)));
        on_unit.start(statistics, at(0).1, at(0).0);
        for minute in 1..10 {
            on_unit.start(statistics, at(minute).1, at(minute).0);
            let (start, end) = (at(minute - 1).0, at(minute + 1).0);
            on_unit.end(statistics, at(minute - 1).1, (start, end), SimDuration::from_secs(120));
        }
    });
    let function = only(&summary);
    assert_eq!(function.provisioned_concurrent_executions.max, Some(2));
    assert_eq!(function.provisioned_concurrency_utilization.max, Some(0.2));
    assert_eq!((function.provisioned_concurrency_invocations, function.cold_starts), (10, 0));
}

#[test]
fn runs_beside_provisioned_units_spill() {
    let summary = summary(&scenario(&["f"]), |statistics| {
        let capacities = [Capacity::Provisioned, Capacity::Spillover, Capacity::ReservedSpillover];
        let runs = (1..).zip(capacities).map(|(environment, capacity)| {
            let run = TestRun { capacity, environment, cold: true, ..TestRun::default() };
            (run, origin(0, environment, ms(0)))
        });
        runs.clone().for_each(|(run, origin)| run.start(statistics, origin, ms(0)));
        runs.for_each(|(run, origin)| run.end(statistics, origin, (ms(0), ms(HOUR)), SimDuration::from_secs(3_600)));
    });
    let function = only(&summary);
    assert_eq!(function.provisioned_concurrency_spillover_invocations, 2);
    assert_eq!((function.invocations, function.cold_starts), (3, 2));
    assert_eq!(summary.account.concurrent_executions.mean, Some(3.0));
    assert_eq!(summary.account.unreserved_concurrent_executions.mean, Some(1.0));
}

#[test]
fn the_warm_up_is_simulated_and_not_measured() {
    let mut scenario = scenario(&["f"]);
    scenario.warmup = ms(1_000);
    let summary = summary(&scenario, |statistics| {
        call(statistics, origin(0, 1, ms(999)), TestRun::default(), ms(2_000));
        call(statistics, origin(0, 2, ms(2_000)), TestRun::default(), ms(4_000));
    });
    let caller = &summary.callers.0[0].1;
    assert_eq!((caller.submitted, caller.succeeded, caller.attempts), (1, 1, 1));
    assert_eq!(caller.latency_ms.max, Some(2_000.0));
    assert_eq!(caller.goodput_per_s, Some(1.0 / 3_599.0));
    assert_eq!((only(&summary).invocations, only(&summary).duration_ms.count), (1, 1));
    assert_eq!(only(&summary).concurrent_executions.max, Some(1), "the first run went on into the measured time");
    let flow = summary.conservation.callers.0[0].1;
    assert_eq!((flow.entered, flow.out, flow.left), (2, 2, 0));
    let flow = summary.conservation.functions.0[0].1;
    assert_eq!((flow.entered, flow.out, flow.left), (2, 2, 0));
}

#[test]
fn a_refused_call_with_one_retry() {
    let summary = summary(&scenario(&["f"]), |statistics| {
        let origin = origin(0, 1, ms(0));
        let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
        statistics.observe(ms(0), &Fact::CallSubmitted { origin });
        for (attempt, at) in [(1, 0), (2, 1_000)] {
            statistics.observe(ms(at), &Fact::AttemptSent { origin, attempt });
            statistics.observe(ms(at), &Fact::Throttled { origin, function: first(), reason });
            let answer = Answer::Throttled;
            statistics.observe(ms(at), &Fact::AttemptAnswered { origin, attempt, answer, status: 429 });
        }
        let outcome = Outcome::Throttled;
        statistics.observe(ms(1_000), &Fact::CallFinished { origin, outcome, attempts: 2, runs: 0 });
    });
    let caller = &summary.callers.0[0].1;
    assert_eq!((caller.attempts, caller.retries, caller.throttled, caller.failed), (2, 1, 2, 1));
    assert_eq!((caller.outcomes.throttled, caller.status_codes.get("429")), (1, Some(&2)));
    assert_eq!((caller.runs_per_call.max, caller.latency_ms.min), (Some(0), Some(1_000.0)));
    let function = only(&summary);
    assert_eq!((function.throttles, function.invocations, function.errors), (2, 0, 0));
    assert_eq!(function.throttles_by_reason.0, [("ReservedFunctionConcurrentInvocationLimitExceeded".to_owned(), 2)]);
    assert_eq!(summary.account.throttles, 2);
}

#[test]
fn a_run_whose_client_left_goes_on() {
    let summary = summary(&scenario(&["f"]), |statistics| {
        let abandoned = TestRun { abandoned: Some(ms(1_000)), outcome: RunOutcome::Timeout, ..TestRun::default() };
        let origin = origin(0, 1, ms(0));
        statistics.observe(ms(1_000), &Fact::AttemptTimedOut { origin, attempt: 1 });
        abandoned.whole(statistics, origin, ms(0), ms(3_000));
    });
    let function = only(&summary);
    assert_eq!((function.abandoned_runs, function.abandoned_ms), (1, 2_000.0));
    assert_eq!((function.errors, function.timeouts), (1, 1));
    assert_eq!(summary.callers.0[0].1.client_timeouts, 1);
}

#[test]
fn inv_e6_a_suppressed_init_is_part_of_the_duration() {
    let summary = summary(&scenario(&["f"]), |statistics| {
        let init = |failed| Some(InitPhase { length: SimDuration::from_secs(1), failed });
        for (start, suppressed_init) in [(0, None), (1_000, init(false)), (2_000, init(true))] {
            let run = TestRun { suppressed_init, ..TestRun::default() };
            run.whole(statistics, origin(0, start, ms(start)), ms(start), ms(start + 100));
        }
    });
    let function = only(&summary);
    assert_eq!((function.suppressed_inits, function.init_failures, function.init_ms.count), (2, 1, 0));
    assert_eq!(function.billed_ms, 300);
}

#[test]
fn environments_end_at_their_own_moment() {
    let mut scenario = scenario(&["f"]);
    scenario.warmup = ms(10);
    let summary = summary(&scenario, |statistics| {
        for (at, environment) in [(0, 1), (10, 2), (20, 3)] {
            statistics.observe(ms(at), &Fact::EnvironmentCreated { function: first(), environment });
        }
        statistics.observe(ms(30), &Fact::EnvironmentReset { function: first(), environment: 2 });
        let ended = Fact::EnvironmentEnded { function: first(), environment: 3, at: ms(60) };
        statistics.observe(ms(90), &ended);
    });
    let environments = &only(&summary).environments;
    assert_eq!((environments.created, environments.expired, environments.reset), (2, 1, 1));
    let alive = &environments.alive;
    assert_eq!((alive.max, alive.last), (Some(3), Some(2)));
    assert_eq!(alive.mean, Some((2.0 * 3_599_990.0 + 40.0) / 3_599_990.0));
}

#[test]
fn conservation_notices_what_does_not_add_up() {
    let mut statistics = Statistics::new(&scenario(&["f", "g"]));
    let open = origin(0, 1, ms(0));
    statistics.observe(ms(0), &Fact::CallSubmitted { origin: open });
    TestRun { function: 1, ..TestRun::default() }.start(&mut statistics, open, ms(0));
    let summary = statistics.clone().finish(ms(HOUR));
    assert!(summary.conservation.holds);
    assert_eq!(summary.conservation.callers.0[0].1.left, 1);
    assert_eq!(summary.conservation.functions.0[1].1.left, 1);
    assert_eq!(summary.callers.0[0].1.unfinished, 1);
    for _ in 0..2 {
        let outcome = Outcome::Success;
        statistics.observe(ms(1), &Fact::CallFinished { origin: open, outcome, attempts: 1, runs: 1 });
    }
    assert!(!statistics.finish(ms(HOUR)).conservation.holds);
}

#[test]
fn functions_are_kept_apart() {
    let summary = summary(&scenario(&["f", "g"]), |statistics| {
        for (place, length) in [(0, 100), (1, 300)] {
            let run = TestRun { function: place, ..TestRun::default() };
            call(statistics, origin(place, 1, ms(place as u64 * 1_000)), run, ms(place as u64 * 1_000 + length));
        }
    });
    let longest = |id: FunctionId| summary.functions.0[id.index()].1.duration_ms.max;
    assert_eq!([0, 1].map(|place| longest(FunctionId::from_index(place))), [Some(100.0), Some(300.0)]);
    assert_eq!(summary.account.concurrent_executions.max, Some(1));
    let names: Vec<_> = summary.functions.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["f", "g"]);
}

/// The order and the names of the contract, section 3.
#[test]
fn the_summary_has_the_keys_of_the_contract_in_their_order() {
    let mut scenario = scenario_with_places(&["resize"]);
    scenario.system.event_source_mappings = scenario_with_mapping().system.event_source_mappings;
    let mut summary = summary(&scenario, |_| {});
    summary.lambdasim = "VERSION".to_owned();
    insta::assert_snapshot!(serde_json::to_string_pretty(&summary.to_json()).unwrap());
}
