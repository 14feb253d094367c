//! What people and programs read, as snapshots.

use std::fmt::Write as _;

use super::*;
use crate::aws::config::{Change, ChangeAction, Target};
use crate::aws::fact::{
    Answer, Capacity, Condition, DeliveryError, DeliveryKind, Fact, Observer, Outcome, ReturnCause, RunOutcome,
    ThrottleReason,
};
use crate::aws::ids::{FunctionId, Id, QueueId, TopicId};
use crate::expect::Expectation;
use crate::kernel::time::SimDuration;
use crate::stats::Statistics;
use crate::stats::summary::{CallerSummary, Limit, Named};
use crate::stats::testing::{TestEvent, TestRun, call, first, ms, origin, scenario, scenario_with_places};

const HOUR: u64 = 3_600_000;

/// Calls of growing length, one after the other, every second.
fn calls(statistics: &mut Statistics, caller: usize, number: u64) {
    for submission in 1..=number {
        let start = ms(submission * 1_000);
        let length = 20 + submission * 7 % 180 + if submission % 100 == 0 { 600 } else { 0 };
        let run = TestRun { function: caller, cold: submission == 1, ..TestRun::default() };
        call(statistics, origin(caller, submission, start), run, ms(submission * 1_000 + length));
    }
}

/// A call that is refused and not retried.
fn refused(statistics: &mut Statistics, submission: u64) {
    let origin = origin(0, submission, ms(submission * 1_000));
    let (at, function) = (origin.submitted, first());
    let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
    statistics.observe(at, &Fact::CallSubmitted { origin });
    statistics.observe(at, &Fact::AttemptSent { origin, attempt: 1 });
    statistics.observe(at, &Fact::Throttled { origin, function, reason });
    statistics.observe(at, &Fact::AttemptAnswered { origin, attempt: 1, answer: Answer::Throttled, status: 429 });
    statistics.observe(at, &Fact::CallFinished { origin, outcome: Outcome::Throttled, attempts: 1, runs: 0 });
}

fn finish(statistics: Statistics) -> Summary {
    let mut summary = statistics.finish(ms(HOUR + 12_345));
    summary.lambdasim = "VERSION".to_owned();
    summary.events = 72_000;
    summary.digest = "00c0ffee00c0ffee".to_owned();
    summary
}

fn text(summary: &Summary) -> String {
    render(Format::Text, std::slice::from_ref(summary), Style::Plain)
}

fn quiet_run() -> Summary {
    let mut scenario = scenario(&["resize"]);
    scenario.name = "image-resize".to_owned();
    scenario.description = Some("thumbnails for the shop".to_owned());
    scenario.warmup = ms(10_000);
    scenario.overrides = vec!["functions.resize.memory=2048MB".to_owned()];
    let mut statistics = Statistics::new(&scenario);
    calls(&mut statistics, 0, 3_599);
    finish(statistics)
}

fn throttled_run() -> Summary {
    let mut scenario = scenario(&["resize"]);
    scenario.system.functions[first()].reserved_concurrency = Some(1);
    let mut statistics = Statistics::new(&scenario);
    calls(&mut statistics, 0, 968);
    (969..=1_000).for_each(|submission| refused(&mut statistics, submission));
    finish(statistics)
}

#[test]
fn a_quiet_run() {
    insta::assert_snapshot!(text(&quiet_run()));
}

#[test]
fn a_throttled_run() {
    insta::assert_snapshot!(text(&throttled_run()));
}

#[test]
fn expectations_that_fail() {
    let mut summary = throttled_run();
    let expectations = [
        "callers.resize-caller.latency_ms.p99 < 800ms",
        "functions.resize.throttles == 0",
        "functions.resize.init_ms.p99 < 1s",
    ];
    summary.judge(&expectations.map(|text| Expectation::parse(text).unwrap()));
    insta::assert_snapshot!(text(&summary));
}

#[test]
fn everything_at_once() {
    let mut statistics = Statistics::new(&scenario(&["checkout", "a-function-with-quite-a-long-name"]));
    for fact in [
        Fact::ProvisionedRequested { function: first(), units: 10 },
        Fact::ProvisionedAllocated { function: first(), units: 10 },
    ] {
        statistics.observe(ms(0), &fact);
    }
    calls(&mut statistics, 1, 1_500);
    let slow = TestRun { outcome: RunOutcome::Timeout, abandoned: Some(ms(1_600_000)), ..TestRun::default() };
    for (submission, capacity) in [(1, Capacity::Provisioned), (2, Capacity::Spillover)] {
        let origin = origin(0, submission, ms(1_590_000));
        let run = TestRun { capacity, ..slow };
        statistics.observe(ms(1_590_000), &Fact::CallSubmitted { origin });
        statistics.observe(ms(1_590_000), &Fact::AttemptSent { origin, attempt: 1 });
        run.start(&mut statistics, origin, ms(1_590_000));
    }
    for (submission, capacity) in [(1, Capacity::Provisioned), (2, Capacity::Spillover)] {
        let origin = origin(0, submission, ms(1_590_000));
        let run = TestRun { capacity, ..slow };
        statistics.observe(ms(1_600_000), &Fact::AttemptTimedOut { origin, attempt: 1 });
        run.end(&mut statistics, origin, (ms(1_590_000), ms(1_605_000)), SimDuration::from_secs(15));
        let outcome = if submission == 1 { Outcome::Timeout } else { Outcome::FunctionError };
        statistics.observe(ms(1_605_000), &Fact::CallFinished { origin, outcome, attempts: 1, runs: 1 });
    }
    let open = origin(0, 3, ms(1_700_000));
    statistics.observe(ms(1_700_000), &Fact::CallSubmitted { origin: open });
    insta::assert_snapshot!(text(&finish(statistics)));
}

/// An event each second, of which some fail for good; with a dead-letter queue and a destination, if they are kept.
fn asynchronous_run(kept: bool) -> Summary {
    let mut scenario = scenario_with_places(&["resize"]);
    scenario.name = "thumbnails".to_owned();
    let (queue, topic) = (Target::Queue(QueueId::from_index(0)), Target::Topic(TopicId::from_index(0)));
    if kept {
        let settings = &mut scenario.system.functions[first()].asynchronous;
        (settings.dead_letter_queue, settings.on_failure) = (Some(queue), Some(topic));
    }
    let mut statistics = Statistics::new(&scenario);
    let to = &mut statistics;
    for submission in 1..=1_000 {
        let second = 1_000 * submission;
        let (start, end) = (ms(second), ms(second + 20 + submission * 7 % 180));
        let event = TestEvent::submit(to, submission, start);
        event.dispatch(to, start, start);
        if submission % 250 == 0 {
            event.run(to, 1, RunOutcome::Error, (start, end));
            let again = ms(second + 60_000);
            event.returned(to, ReturnCause::FunctionError, (end, again));
            event.dispatch(to, end, again);
            event.run(to, 2, RunOutcome::Timeout, (again, again));
            event.end(to, Condition::RetriesExhausted, again);
            if kept {
                event.deliver(to, DeliveryKind::DeadLetterQueue, queue, None, again);
                let error = (submission > 900).then_some(DeliveryError::TooLarge);
                event.deliver(to, DeliveryKind::OnFailure, topic, error, again);
            }
        } else if submission % 99 == 0 {
            event.returned(to, ReturnCause::Throttled, (start, ms(second + 1_000)));
            event.end(to, Condition::EventAgeExceeded, end);
            if kept {
                event.deliver(to, DeliveryKind::DeadLetterQueue, queue, None, end);
                event.deliver(to, DeliveryKind::OnFailure, topic, None, end);
            }
        } else {
            event.run(to, 1, RunOutcome::Success, (start, end));
            event.end(to, Condition::Success, end);
        }
    }
    finish(statistics)
}

#[test]
fn events_that_are_lost() {
    insta::assert_snapshot!(text(&asynchronous_run(false)));
}

#[test]
fn events_that_are_kept() {
    insta::assert_snapshot!(text(&asynchronous_run(true)));
}

#[test]
fn verdicts_on_events() {
    let mut run = asynchronous_run(true);
    let mut shown = String::new();
    let mut show = |change: &dyn Fn(&mut Summary)| {
        change(&mut run);
        let Verdict { mood, text, details } = Verdict::of(&run);
        let _ = writeln!(shown, "{mood:?}: {text} | {details}");
    };
    show(&|_| {});
    show(&|summary| summary.functions.0[0].1.asynchronous.lost = 1);
    show(&|summary| {
        let events = &mut summary.functions.0[0].1.asynchronous;
        (events.lost, events.async_events_dropped) = (0, 1);
    });
    show(&|summary| summary.functions.0[0].1.asynchronous.async_events_dropped = 28);
    show(&|summary| {
        summary.callers.0[0].1.failed = 20;
        summary.callers.0[0].1.outcomes.service_error = 20;
    });
    show(&|summary| {
        summary.callers.0[0].1.failed = 0;
        let events = &mut summary.functions.0[0].1.asynchronous;
        (events.async_events_dropped, events.async_events_pending) = (0, 14);
    });
    show(&|summary| summary.functions.0[0].1.asynchronous.async_events_pending = 0);
    show(&|summary| summary.functions.0[0].1.asynchronous.async_throttle_retries = 0);
    show(&|summary| summary.functions.0[0].1.asynchronous.async_retries = 0);
    show(&|summary| summary.callers.0[0].1.outcomes.accepted = 900);
    show(&|summary| summary.conservation.async_events.0[0].1.holds = false);
    show(&|summary| summary.conservation.holds = false);
    insta::assert_snapshot!(shown);
}

#[test]
fn answers_of_the_service_are_told() {
    let mut summary = quiet_run();
    let mut told = |change: &dyn Fn(&mut CallerSummary)| {
        change(&mut summary.callers.0[0].1);
        let text = text(&summary);
        let lines = text.lines().skip_while(|line| !line.starts_with("  resize-caller:"));
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(told(&|caller| caller.retries = 7), "  resize-caller: 3,590 attempts");
    assert_eq!(
        told(&|caller| caller.status_codes.0.extend([("429".to_owned(), 3), ("500".to_owned(), 9_683)])),
        "  resize-caller: 3,590 attempts: 3 answered 429, 9,683 answered 500"
    );
    assert_eq!(
        told(&|caller| (caller.retries, caller.failed, caller.outcomes.service_error) = (0, 5, 5)),
        "  resize-caller: 5 failed in the service; 3,590 attempts: 3 answered 429, 9,683\n    answered 500"
    );
}

#[test]
fn a_limit_that_changed_is_a_range() {
    let mut scenario = scenario(&["resize"]);
    scenario.system.functions[first()].reserved_concurrency = Some(1);
    for (at, limit) in [(1_000, 4), (2_000, 2)] {
        let mut function = scenario.system.functions[first()].clone();
        function.reserved_concurrency = Some(limit);
        let action = ChangeAction::Function(first(), Box::new(function));
        scenario.system.changes.push(Change { at: ms(at), action });
    }
    let mut statistics = Statistics::new(&scenario);
    calls(&mut statistics, 0, 10);
    let text = text(&finish(statistics));
    assert!(text.contains("of resize 1 (limit changed during the run: 1 to 4)"), "{text}");
    assert!(text.contains("  1-4  "), "{text}");
}

#[test]
fn a_thousand_functions_fit_on_a_screen() {
    let names: Vec<String> = (0..1_000).map(|number| format!("function-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut statistics = Statistics::new(&scenario(&names));
    for place in (0..1_000).rev() {
        let start = ms((1_000 - place as u64) * 100);
        let run = TestRun { function: place, ..TestRun::default() };
        let throttled = Fact::Throttled {
            origin: origin(place, 1, start),
            function: FunctionId::from_index(place),
            reason: ThrottleReason::ConcurrentInvocationLimitExceeded,
        };
        if place % 300 == 7 {
            statistics.observe(start, &throttled);
        }
        call(&mut statistics, origin(place, 1, start), run, start.plus(SimDuration::from_millis(50)));
    }
    let report = text(&finish(statistics));
    assert!(report.lines().all(|line| line.chars().count() <= 80), "{report}");
    insta::assert_snapshot!(report);
}

#[test]
fn nothing_happened() {
    let mut summary = Statistics::new(&scenario(&["f"])).finish(ms(0));
    summary.lambdasim = "VERSION".to_owned();
    insta::assert_snapshot!(text(&summary));
}

#[test]
fn verdicts() {
    let quiet = quiet_run();
    let mut shown = String::new();
    let mut show = |change: &dyn Fn(&mut Summary)| {
        let mut summary = quiet.clone();
        change(&mut summary);
        let Verdict { mood, text, details } = Verdict::of(&summary);
        let _ = writeln!(shown, "{mood:?}: {text} | {details}");
    };
    show(&|_| {});
    show(&|summary| summary.judge(&[Expectation::parse("seed == 1").unwrap()]));
    show(&|summary| summary.judge(&vec![Expectation::parse("seed == 1").unwrap(); 3]));
    show(&|summary| summary.judge(&[Expectation::parse("seed == 2").unwrap()]));
    show(&|summary| summary.judge(&vec![Expectation::parse("1 / 0 == 2").unwrap(); 2]));
    show(&|summary| {
        summary.conservation.holds = false;
        summary.conservation.functions.0[0].1.holds = false;
    });
    show(&|summary| summary.callers.0[0].1.unfinished = 12);
    show(&|summary| summary.callers.0[0].1.throttled = 120);
    show(&|summary| summary.callers.0[0].1.client_timeouts = 1);
    show(&|summary| summary.callers.0[0].1.submitted = 0);
    show(&|summary| {
        let caller = &mut summary.callers.0[0].1;
        (caller.failed, caller.outcomes.timeout, caller.outcomes.function_error) = (30, 10, 20);
    });
    show(&|summary| {
        let caller = &mut summary.callers.0[0].1;
        (caller.failed, caller.outcomes.rejected) = (3_590, 3_590);
    });
    show(&|summary| summary.account.concurrency_limit = Limit::fixed(1));
    show(&|summary| summary.account.concurrency_limit = Limit { lowest: 1, highest: 1_000 });
    show(&|summary| summary.callers.0[0].1.status_codes.0.push(("500".to_owned(), 12)));
    show(&|summary| {
        summary.window.warmup_ms = 0.0;
        summary.callers.0[0].1.submitted = 0;
    });
    show(&|summary| summary.callers = Named(Vec::new()));
    insta::assert_snapshot!(shown);
}

#[test]
fn colour_marks_and_changes_no_text() {
    let summary = throttled_run();
    let marked = render(Format::Text, std::slice::from_ref(&summary), Style::Ansi);
    assert!(marked.starts_with("\u{1b}[1;31m3.2 % of calls were throttled"), "{marked}");
    let mut plain = String::new();
    let mut rest = marked.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').expect("escapes end").1;
    }
    assert_eq!(plain + rest, text(&summary));
}

#[test]
fn json_is_an_object_for_one_and_an_array_for_several() {
    let summary = quiet_run();
    let one = render(Format::Json, std::slice::from_ref(&summary), Style::Plain);
    let value: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(value, summary.to_json());
    let two = render(Format::Json, &[summary.clone(), summary], Style::Plain);
    let values: Vec<serde_json::Value> = serde_json::from_str(&two).unwrap();
    assert_eq!(values, [value.clone(), value]);
    assert!(one.ends_with("}\n"));
}

#[test]
fn csv_has_a_row_for_each_number() {
    let mut summary = quiet_run();
    summary.judge(&[Expectation::parse("seed == 1").unwrap()]);
    let table = render(Format::Csv, std::slice::from_ref(&summary), Style::Plain);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "scenario,metric,value");
    for row in [
        "image-resize,callers.resize-caller.submitted,3590",
        "image-resize,callers.resize-caller.status_codes.200,3590",
        "image-resize,functions.resize.init_ms.p99,",
        "image-resize,expectations[0].pass,true",
        "image-resize,scenario.overrides[0],functions.resize.memory=2048MB",
    ] {
        assert!(rows.contains(&row), "{row}");
    }
}

#[test]
fn latency_csv_is_the_whole_curve() {
    let table = latency_csv(&quiet_run());
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 1 + 2 * 119);
    assert_eq!(rows[0], "metric,quantile,value_ms,count");
    assert_eq!(rows[1], "callers.resize-caller.latency_ms,0,20,1");
    assert_eq!(rows[119], "callers.resize-caller.latency_ms,1,780,3590");
    assert!(rows.iter().any(|row| row.starts_with("functions.resize.duration_ms,0.9999,")));
}

#[test]
fn latency_csv_has_the_curves_of_events() {
    let table = latency_csv(&asynchronous_run(true));
    assert_eq!(table.lines().count(), 1 + 5 * 119);
    for row in [
        "functions.resize.async_latency_ms,1,199,986",
        "functions.resize.async_event_age_ms,1,60000,1004",
        "functions.resize.async_queue_time_ms,0,0,1",
    ] {
        assert!(table.lines().any(|line| line == row), "{row}");
    }
}
