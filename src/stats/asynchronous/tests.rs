//! Whole statistics of events, from facts by hand.
#![allow(clippy::float_cmp, reason = "figures come from integers and are exact")]

use super::super::summary::{AsynchronousSummary, DestinationDeliveries, Flow, Summary};
use super::super::testing::{TestEvent, TestRun, first, function, ms, origin, scenario, scenario_with_places};
use super::super::{Observer, Statistics};
use crate::aws::config::{Change, ChangeAction, Invocation, Target};
use crate::aws::fact::{
    Condition, DeliveryError, DeliveryKind, Fact, Outcome, ReturnCause, RunOutcome, ThrottleReason,
};
use crate::aws::ids::{BucketId, CallerId, EventBusId, FunctionId, Id, QueueId, TopicId};
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

const HOUR: u64 = 3_600_000;

fn summary(scenario: &Scenario, state: impl FnOnce(&mut Statistics)) -> Summary {
    let mut statistics = Statistics::new(scenario);
    state(&mut statistics);
    statistics.finish(ms(HOUR))
}

/// What is said of the events of the first function.
fn events(summary: &Summary) -> &AsynchronousSummary {
    &summary.functions.0[0].1.asynchronous
}

fn flow(summary: &Summary) -> Flow {
    summary.conservation.async_events.0[0].1
}

fn dead_letter_queue() -> Target {
    Target::Queue(QueueId::from_index(0))
}

fn topic() -> Target {
    Target::Topic(TopicId::from_index(0))
}

/// An event that ends at once.
fn drop_at_once(to: &mut Statistics, submission: u64, condition: Condition, now: SimTime) -> TestEvent {
    let event = TestEvent::submit(to, submission, now);
    event.end(to, condition, now);
    event
}

/// INV-V19: the handler fails instantly each time.
#[test]
fn inv_v19_three_runs_that_fail_at_once() {
    let seconds = |seconds: u64| ms(seconds * 1_000);
    let summary = summary(&scenario(&["f"]), |to| {
        let event = TestEvent::submit(to, 1, ms(0));
        for (run, at, before) in [(1, 0, 0), (2, 60, 0), (3, 180, 60)] {
            event.dispatch(to, seconds(before), seconds(at));
            event.run(to, run, RunOutcome::Error, (seconds(at), seconds(at)));
            if run < 3 {
                let due = seconds(if run == 1 { 60 } else { 180 });
                event.returned(to, ReturnCause::FunctionError, (seconds(at), due));
            }
        }
        event.end(to, Condition::RetriesExhausted, seconds(180));
    });
    let function = &summary.functions.0[0].1;
    assert_eq!((function.invocations, function.errors), (3, 3));
    let events = events(&summary);
    assert_eq!((events.async_events_received, events.async_events_succeeded, events.async_events_dropped), (1, 0, 1));
    assert_eq!(events.async_events_dropped_by_condition.0, [("RetriesExhausted".to_owned(), 1)]);
    assert_eq!((events.async_retries, events.async_throttle_retries, events.async_events_pending), (2, 0, 0));
    let age = &events.async_event_age_ms;
    assert_eq!((age.count, age.min, age.max, age.mean), (3, Some(0.0), Some(180_000.0), Some(80_000.0)));
    let wait = &events.async_queue_time_ms;
    assert_eq!((wait.count, wait.min, wait.max, wait.mean), (3, Some(0.0), Some(120_000.0), Some(60_000.0)));
    assert_eq!(events.async_latency_ms.count, 0, "it did not succeed");
    assert_eq!((flow(&summary).entered, flow(&summary).out, flow(&summary).left), (1, 1, 0));
}

/// INV-V26: throttled five times, then it runs.
#[test]
fn inv_v26_throttled_dispatches_have_an_age_and_no_end_of_the_wait() {
    let summary = summary(&scenario(&["f"]), |to| {
        let event = TestEvent::submit(to, 1, ms(0));
        for at in [0, 1, 3, 7, 15] {
            event.dispatch(to, ms(0), ms(at));
            let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
            to.observe(ms(at), &Fact::Throttled { origin: event.origin, function: first(), reason });
            event.returned(to, ReturnCause::Throttled, (ms(at), ms(2 * at + 1)));
        }
        event.dispatch(to, ms(0), ms(31));
        event.run(to, 1, RunOutcome::Success, (ms(31), ms(40)));
        event.end(to, Condition::Success, ms(40));
    });
    let function = &summary.functions.0[0].1;
    assert_eq!((function.throttles, function.invocations), (5, 1));
    let events = events(&summary);
    assert_eq!((events.async_retries, events.async_throttle_retries), (0, 5));
    assert_eq!((events.async_event_age_ms.count, events.async_event_age_ms.max), (6, Some(31.0)));
    assert_eq!((events.async_queue_time_ms.count, events.async_queue_time_ms.max), (1, Some(31.0)));
    assert_eq!((events.async_latency_ms.count, events.async_latency_ms.max), (1, Some(40.0)));
    assert_eq!((events.async_events_succeeded, events.async_events_dropped), (1, 0));
    assert!(events.async_events_dropped_by_condition.is_empty());
}

#[test]
fn refused_dispatches_are_retries_after_a_failure_of_the_service() {
    let summary = summary(&scenario(&["f"]), |to| {
        let event = TestEvent::submit(to, 1, ms(0));
        event.dispatch(to, ms(0), ms(0));
        to.observe(ms(0), &Fact::DispatchRefused { origin: event.origin, function: first(), status: 503 });
        event.returned(to, ReturnCause::ServiceError, (ms(0), ms(1_000)));
    });
    let function = &summary.functions.0[0].1;
    assert_eq!((events(&summary).async_throttle_retries, function.throttles), (1, 0));
    assert_eq!((events(&summary).async_events_pending, events(&summary).async_queue_time_ms.count), (1, 0));
    assert_eq!((flow(&summary).left, flow(&summary).holds), (1, true));
}

#[test]
fn each_condition_is_counted_by_its_own_word() {
    let summary = summary(&scenario(&["f"]), |to| {
        for (place, condition) in Condition::DROPS.into_iter().enumerate() {
            for submission in 0..=place as u64 {
                drop_at_once(to, 10 * place as u64 + submission, condition, ms(0));
            }
        }
    });
    let events = events(&summary);
    let conditions =
        [("RetriesExhausted", 1), ("EventAgeExceeded", 2), ("ZeroReservedConcurrency", 3), ("RecursiveInvocation", 4)];
    assert_eq!(events.async_events_dropped_by_condition.0, conditions.map(|(word, count)| (word.to_owned(), count)));
    assert_eq!((events.async_events_dropped, events.recursive_invocations_dropped), (10, 4));
    assert_eq!((events.async_event_age_ms.count, events.async_events_pending), (0, 0));
}

/// INV-Q12: an event that waits until its deadline ends there.
#[test]
fn at_deadline_the_event_is_pending_until_it_ends() {
    for (end, pending) in [(HOUR - 1, 0), (HOUR + 1, 1)] {
        let summary = summary(&scenario(&["f"]), |to| {
            let event = TestEvent::submit(to, 1, ms(0));
            event.dispatch(to, ms(0), ms(0));
            event.returned(to, ReturnCause::Throttled, (ms(0), ms(2 * HOUR)));
            if end < HOUR {
                event.end(to, Condition::EventAgeExceeded, ms(end));
            }
        });
        assert_eq!(events(&summary).async_events_pending, pending, "{end}");
        assert_eq!(events(&summary).async_events_dropped, 1 - pending, "{end}");
        assert_eq!((flow(&summary).out, flow(&summary).left), (1 - pending, pending), "{end}");
    }
}

/// INV-Q6: the second run counts as a run, and its wait is not counted again.
#[test]
fn a_duplicate_ends_no_wait() {
    let summary = summary(&scenario(&["f"]), |to| {
        let event = TestEvent::submit(to, 1, ms(0));
        event.dispatch(to, ms(0), ms(20));
        let run = TestRun::default();
        run.start(to, event.origin, ms(20));
        to.observe(ms(20), &Fact::EventDuplicated { origin: event.origin, function: first(), run: 1 });
        run.start(to, event.origin, ms(20));
        for end in [120, 140] {
            run.end(to, event.origin, (ms(20), ms(end)), ms(end).since(ms(20)));
        }
        event.end(to, Condition::Success, ms(140));
    });
    assert_eq!(summary.functions.0[0].1.invocations, 2);
    let events = events(&summary);
    assert_eq!((events.async_queue_time_ms.count, events.async_queue_time_ms.max), (1, Some(20.0)));
    assert_eq!((events.async_event_age_ms.count, events.async_latency_ms.count), (1, 1));
}

#[test]
fn a_call_beside_the_event_ends_no_wait() {
    let summary = summary(&scenario(&["f"]), |to| {
        let event = TestEvent::submit(to, 1, ms(0));
        event.dispatch(to, ms(0), ms(5));
        TestRun::default().start(to, origin(0, 2, ms(5)), ms(5));
        TestRun::default().start(to, event.origin, ms(6));
    });
    assert_eq!(events(&summary).async_queue_time_ms.count, 0);
}

/// Measured is what was submitted at or after the warm-up, also where another function receives it later.
#[test]
fn events_of_the_warm_up_are_in_the_conservation_only() {
    let mut scenario = scenario_with_places(&["f", "g"]);
    scenario.warmup = ms(1_000);
    let summary = summary(&scenario, |to| {
        for (submission, at) in [(1, 999), (2, 1_000)] {
            let event = TestEvent::submit(to, submission, ms(at));
            event.dispatch(to, ms(at), ms(2_000));
            event.run(to, 1, RunOutcome::Error, (ms(2_000), ms(2_100)));
            event.returned(to, ReturnCause::FunctionError, (ms(2_100), ms(2_100)));
            event.end(to, Condition::RetriesExhausted, ms(2_100));
            event.deliver(to, DeliveryKind::DeadLetterQueue, dead_letter_queue(), None, ms(2_100));
            event.deliver(to, DeliveryKind::OnFailure, topic(), Some(DeliveryError::TooLarge), ms(2_100));
            let next = TestEvent { function: FunctionId::from_index(1), accepted: ms(2_200), ..event };
            next.accept(to);
        }
    });
    let events = events(&summary);
    assert_eq!((events.async_events_received, events.async_events_dropped, events.async_retries), (1, 1, 1));
    assert_eq!((events.async_event_age_ms.count, events.async_event_age_ms.max), (1, Some(1_000.0)));
    assert_eq!((events.async_queue_time_ms.count, events.dead_letters), (1, 1));
    assert_eq!((events.destination_delivery_failures, summary.topics.0[0].1.received), (1, 0));
    assert_eq!((flow(&summary).entered, flow(&summary).out), (2, 2));
    let next = &summary.functions.0[1].1.asynchronous;
    assert_eq!((next.async_events_received, next.async_events_pending), (1, 1));
    assert_eq!(summary.conservation.async_events.0[1].1.left, 2);
    let queue = &summary.queues.0[0].1;
    assert_eq!((queue.sent, queue.approximate_number_of_messages_visible.last), (1, Some(2)));
    let queue = summary.conservation.queues.0[0].1;
    assert_eq!((queue.entered, queue.out, queue.left), (2, 0, 2));
    assert!(summary.conservation.holds);
}

#[test]
fn places_count_what_reaches_them() {
    let bus = Target::EventBus(EventBusId::from_index(0));
    let bucket = Target::Bucket(BucketId::from_index(0));
    let summary = summary(&scenario_with_places(&["f"]), |to| {
        let event = TestEvent::submit(to, 1, ms(0));
        event.end(to, Condition::RetriesExhausted, ms(0));
        for (kind, target) in [
            (DeliveryKind::DeadLetterQueue, dead_letter_queue()),
            (DeliveryKind::OnFailure, bucket),
            (DeliveryKind::OnSuccess, bus),
            (DeliveryKind::OnSuccess, topic()),
            (DeliveryKind::OnSuccess, Target::Function(first())),
        ] {
            event.deliver(to, kind, target, None, ms(HOUR / 2));
        }
        let record = event.record(DeliveryKind::OnSuccess, Condition::Success, ms(0));
        let error = DeliveryError::Refused(503);
        to.observe(ms(1), &Fact::DeliveryRetried { record, to: bus, error, due: ms(2) });
        event.deliver(to, DeliveryKind::OnSuccess, bus, Some(error), ms(2));
        event.deliver(to, DeliveryKind::DeadLetterQueue, topic(), Some(error), ms(2));
    });
    let events = events(&summary);
    assert_eq!(events.destination_deliveries, DestinationDeliveries { on_success: 3, on_failure: 1 });
    assert_eq!((events.dead_letters, events.dead_letter_errors, events.destination_delivery_failures), (1, 1, 1));
    let visible = &summary.queues.0[0].1.approximate_number_of_messages_visible;
    assert_eq!((summary.queues.0[0].1.sent, visible.mean, visible.last), (1, Some(0.5), Some(1)));
    let counts = [&summary.topics, &summary.event_buses, &summary.buckets].map(|places| {
        let place = places.0[0].1;
        (place.received, place.retries, place.failed)
    });
    // What they refuse counts where it came from.
    assert_eq!(counts, [(1, 0, 0); 3]);
    let conservation = &summary.conservation;
    for flows in [&conservation.queues, &conservation.topics, &conservation.event_buses, &conservation.buckets] {
        assert_eq!(flows.0[0].1, Flow { entered: 1, out: 0, left: 1, holds: true });
    }
}

/// INV-V29, INV-5.7: the event is dropped once, although its own record may not go on in the loop either.
#[test]
fn inv_v29_a_loop_is_dropped_once() {
    let summary = summary(&scenario(&["f"]), |to| {
        let event = drop_at_once(to, 1, Condition::RecursiveInvocation, ms(0));
        let error = Some(DeliveryError::RecursiveInvocation);
        event.deliver(to, DeliveryKind::OnFailure, Target::Function(first()), error, ms(0));
    });
    let events = events(&summary);
    assert_eq!((events.recursive_invocations_dropped, events.async_events_dropped), (1, 1));
    assert_eq!(events.destination_delivery_failures, 1);
}

/// A scenario whose first function has these.
fn keeping(dead_letter_queue_set: bool, on_failure_set: bool) -> Scenario {
    let mut scenario = scenario_with_places(&["f"]);
    let settings = &mut scenario.system.functions[first()].asynchronous;
    settings.dead_letter_queue = dead_letter_queue_set.then(dead_letter_queue);
    settings.on_failure = on_failure_set.then(topic);
    scenario
}

#[test]
fn lost_is_what_nobody_kept() {
    let error = Some(DeliveryError::Refused(500));
    for (set, dead_letter_errors, lost) in [
        ((false, false), [None, None], 2),
        ((true, false), [None, None], 0),
        ((true, false), [error, None], 1),
        ((true, true), [error, error], 0),
    ] {
        let summary = summary(&keeping(set.0, set.1), |to| {
            for (submission, error) in (1..).zip(dead_letter_errors) {
                let event = drop_at_once(to, submission, Condition::RetriesExhausted, ms(submission));
                if set.0 {
                    event.deliver(to, DeliveryKind::DeadLetterQueue, dead_letter_queue(), error, ms(submission));
                }
                if set.1 {
                    event.deliver(to, DeliveryKind::OnFailure, topic(), None, ms(submission));
                }
            }
        });
        assert_eq!(events(&summary).lost, lost, "{set:?} {dead_letter_errors:?}");
    }
}

#[test]
fn with_two_places_both_must_fail() {
    let error = Some(DeliveryError::Refused(500));
    let summary = summary(&keeping(true, true), |to| {
        let mut open = Vec::new();
        for submission in 1..=3 {
            let event = drop_at_once(to, submission, Condition::RetriesExhausted, ms(0));
            event.deliver(to, DeliveryKind::DeadLetterQueue, dead_letter_queue(), error, ms(0));
            open.push(event);
        }
        // The destination is tried again, and then fails for two of them.
        for (event, error) in open.into_iter().zip([error, None, error]) {
            event.deliver(to, DeliveryKind::OnFailure, topic(), error, ms(5));
        }
        let event = TestEvent::submit(to, 4, ms(0));
        event.deliver(to, DeliveryKind::OnSuccess, topic(), error, ms(0));
    });
    assert_eq!(events(&summary).lost, 2);
}

/// A place that a change names keeps what is dropped, too.
#[test]
fn a_change_may_add_a_dead_letter_queue() {
    let mut scenario = keeping(false, false);
    let settings = keeping(true, false).system.functions[first()].clone();
    scenario.system.changes.push(Change { at: ms(1), action: ChangeAction::Function(first(), Box::new(settings)) });
    let other = ChangeAction::Function(FunctionId::from_index(1), Box::new(function("g")));
    scenario.system.changes.push(Change { at: ms(1), action: other });
    let keeps = super::keeps(&scenario, first());
    assert_eq!((keeps.dead_letter_queue, keeps.on_failure), (true, false));
}

#[test]
fn accepted_calls_have_succeeded_and_run_nothing() {
    let mut scenario = scenario(&["f"]);
    scenario.system.callers[CallerId::from_index(0)].invocation = Invocation::Async;
    let summary = summary(&scenario, |to| {
        for submission in 1..=3 {
            TestEvent::submit(to, submission, ms(submission));
        }
        let origin = origin(0, 4, ms(4));
        to.observe(ms(4), &Fact::CallSubmitted { origin });
        to.observe(ms(14), &Fact::CallFinished { origin, outcome: Outcome::ServiceError, attempts: 3, runs: 0 });
    });
    let caller = &summary.callers.0[0].1;
    assert_eq!((caller.submitted, caller.succeeded, caller.failed, caller.unfinished), (4, 3, 1, 0));
    assert_eq!((caller.outcomes.accepted, caller.outcomes.success, caller.outcomes.service_error), (3, 0, 1));
    assert_eq!(caller.status_codes.get("202"), Some(&3));
    assert_eq!((caller.latency_ms.count, caller.latency_ms.max), (4, Some(10.0)));
    assert_eq!(caller.runs_per_call.count, 0);
    assert_eq!(summary.cost.total_usd, 0.0, "accepting costs nothing");
    assert_eq!(flow(&summary).left, 3);
}

/// Each run is a request, and nothing else of an event costs but what its deliveries ask of queues.
#[test]
fn inv_5_billing_6_runs_of_events_bill_like_others() {
    let cost = |runs: u32| {
        let summary = summary(&scenario_with_places(&["f"]), |to| {
            let event = TestEvent::submit(to, 1, ms(0));
            for run in 1..=runs {
                event.dispatch(to, ms(0), ms(1_000));
                event.run(to, run, RunOutcome::Error, (ms(1_000), ms(2_000)));
            }
            event.end(to, Condition::RetriesExhausted, ms(2_000));
            event.deliver(to, DeliveryKind::DeadLetterQueue, dead_letter_queue(), None, ms(2_000));
        });
        let cost = &summary.cost.functions.0[0].1;
        (cost.requests_usd, cost.duration_usd, summary.cost.total_usd)
    };
    // The message to the dead-letter queue is a request to SQS.
    assert_eq!(cost(0), (0.0, 0.0, 0.000_000_4));
    assert_eq!(cost(3), (0.000_000_6, 0.000_050_000_1, 0.000_051_000_1));
}

#[test]
fn conservation_notices_an_event_with_two_ends() {
    let mut statistics = Statistics::new(&scenario(&["f"]));
    let event = drop_at_once(&mut statistics, 1, Condition::EventAgeExceeded, ms(0));
    assert!(statistics.clone().finish(ms(HOUR)).conservation.holds);
    event.end(&mut statistics, Condition::Success, ms(1));
    let summary = statistics.finish(ms(HOUR));
    assert!(!summary.conservation.holds);
    assert_eq!(flow(&summary), Flow { entered: 1, out: 2, left: 0, holds: false });
}
