//! Whole statistics of queues and mappings, from facts by hand.
#![allow(clippy::float_cmp, reason = "figures come from integers and are exact")]

use crate::aws::config::QueueKind;
use crate::aws::fact::{Complete, Fact, MappingFact, MessageFact, MessageState, Observer, Origin, RunOutcome};
use crate::aws::ids::{CallerId, Id, MappingId, QueueId};
use crate::scenario::Scenario;
use crate::stats::Statistics;
use crate::stats::summary::{Flow, MappingSummary, QueueSummary, Summary};
use crate::stats::testing::{ms, origin, scenario_with_mapping};

const HOUR: u64 = 3_600_000;

fn summary(scenario: &Scenario, state: impl FnOnce(&mut TestQueue)) -> Summary {
    let mut queue = TestQueue { to: Statistics::new(scenario) };
    state(&mut queue);
    queue.to.finish(ms(HOUR))
}

fn orders(summary: &Summary) -> &QueueSummary {
    &summary.queues.0[0].1
}

fn dead(summary: &Summary) -> &QueueSummary {
    &summary.queues.0[1].1
}

fn worker(summary: &Summary) -> &MappingSummary {
    &summary.event_source_mappings.0[0].1
}

fn flow(summary: &Summary, queue: usize) -> Flow {
    summary.conservation.queues.0[queue].1
}

fn message(submission: u64) -> Origin {
    origin(0, submission, ms(submission))
}

fn id(queue: usize) -> QueueId {
    QueueId::from_index(queue)
}

const MAPPING: fn() -> MappingId = || MappingId::from_index(0);

/// The first queue; each method states what happened at a millisecond. Messages are sent at that of their submission.
struct TestQueue {
    to: Statistics,
}

impl TestQueue {
    fn message(&mut self, at: u64, fact: MessageFact) {
        self.to.observe(ms(at), &Fact::Message(fact));
    }

    fn mapping(&mut self, at: u64, fact: MappingFact) {
        self.to.observe(ms(at), &Fact::Mapping(fact));
    }

    fn send(&mut self, submission: u64, visible_at: u64) {
        let (origin, queue) = (message(submission), id(0));
        self.message(submission, MessageFact::Sent { origin, queue, visible_at: ms(visible_at), bytes: 100 });
    }

    /// One receive gives these messages for 30 s.
    fn receive(&mut self, at: u64, submissions: &[u64], receives: u32) {
        for &submission in submissions {
            let (origin, queue, mapping, visible_at) = (message(submission), id(0), MAPPING(), ms(at + 30_000));
            let fact =
                MessageFact::Received { origin, queue, mapping, receives, visible_at, bytes: 100, from_noisy: false };
            self.message(at, fact);
        }
        let messages = u32::try_from(submissions.len()).unwrap();
        self.mapping(at, MappingFact::Polled { mapping: MAPPING(), messages });
    }

    fn form(&mut self, at: u64, batch: u64, submissions: &[u64]) {
        for &submission in submissions {
            let (origin, mapping) = (message(submission), MAPPING());
            self.mapping(at, MappingFact::Batched { origin, mapping, batch });
        }
        let records = u32::try_from(submissions.len()).unwrap();
        let (origin, mapping) = (message(submissions[0]), MAPPING());
        self.mapping(at, MappingFact::BatchFormed { origin, mapping, batch, records, complete: Complete::AtOnce });
    }

    fn invoke(&mut self, at: u64, batch: u64, submissions: &[u64], repeated: u32) {
        let records = u32::try_from(submissions.len()).unwrap();
        let (origin, mapping) = (message(submissions[0]), MAPPING());
        self.mapping(at, MappingFact::BatchInvoked { origin, mapping, batch, records, repeated });
    }

    fn end(&mut self, at: u64, batch: u64, submissions: &[u64], failed: u32, outcome: RunOutcome) {
        let records = u32::try_from(submissions.len()).unwrap();
        let (origin, mapping) = (message(submissions[0]), MAPPING());
        let unreadable = false;
        self.mapping(at, MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, unreadable });
    }

    fn refuse(&mut self, at: u64, batch: u64, submission: u64, status: u16, due: Option<u64>) {
        let (origin, mapping, due) = (message(submission), MAPPING(), due.map(ms));
        self.mapping(at, MappingFact::BatchRefused { origin, mapping, batch, status, due });
    }

    fn delete(&mut self, at: u64, submission: u64, receives: u32, runs: u32) {
        let (origin, queue, mapping, enqueued) = (message(submission), id(0), MAPPING(), ms(submission));
        let visible = false;
        self.message(at, MessageFact::Deleted { origin, queue, mapping, enqueued, receives, runs, visible });
    }

    fn returned(&mut self, at: u64, submission: u64) {
        self.message(at, MessageFact::Returned { origin: message(submission), queue: id(0), at: ms(at) });
    }

    fn move_out(&mut self, at: u64, submission: u64, receives: u32, runs: u32) {
        let (origin, queue, to, mapping) = (message(submission), id(0), id(1), MAPPING());
        self.message(at, MessageFact::Moved { origin, queue, to, mapping, receives, runs });
    }

    fn oldest(&mut self, at: u64, queue: usize, since: Option<u64>) {
        self.message(at, MessageFact::OldestChanged { queue: id(queue), since: since.map(ms), at: ms(at) });
    }
}

#[test]
fn a_batch_that_succeeds() {
    let summary = summary(&scenario_with_mapping(), |to| {
        (1..=3).for_each(|submission| to.send(submission, submission));
        to.receive(1_000, &[1, 2, 3], 1);
        to.form(1_000, 1, &[1, 2, 3]);
        to.invoke(1_000, 1, &[1, 2, 3], 0);
        to.end(3_000, 1, &[1, 2, 3], 0, RunOutcome::Success);
        (1..=3).for_each(|submission| to.delete(3_000, submission, 1, 1));
    });
    let queue = orders(&summary);
    assert_eq!((queue.sent, queue.received, queue.deleted, queue.left()), (3, 3, 3, 0));
    assert_eq!((queue.time_to_delete_ms.min, queue.time_to_delete_ms.max), (Some(2_997.0), Some(2_999.0)));
    assert_eq!((queue.receives_per_message.count, queue.receives_per_message.max), (3, Some(1)));
    assert_eq!((queue.drained_at_ms, queue.duplicate_deliveries), (Some(3_000.0), 0));
    assert_eq!(queue.approximate_number_of_messages_visible.max, Some(3));
    assert_eq!(queue.approximate_number_of_messages_not_visible.mean, Some(3.0 * 2_000.0 / HOUR as f64));
    // Three sends, a receive, a deletion.
    assert_eq!(queue.requests, 5);
    let mapping = worker(&summary);
    assert_eq!((mapping.polls, mapping.batches, mapping.invocations, mapping.failed_invocations), (1, 1, 1, 0));
    assert_eq!((mapping.batch_size.max, mapping.runs_per_record.max), (Some(3), Some(1)));
    let events = (mapping.polled_events, mapping.invoked_events, mapping.deleted_events, mapping.failed_invoke_events);
    assert_eq!(events, (3, 3, 3, 0));
    assert_eq!((mapping.concurrent_invocations.max, mapping.concurrent_invocations.last), (Some(1), Some(0)));
    assert_eq!(flow(&summary, 0), Flow { entered: 3, out: 3, left: 0, holds: true });
    assert_eq!(summary.cost.queues.0[0].1.total_usd, 0.000_002);
    assert_eq!(summary.cost.total_usd, 0.000_002);
}

/// ESM-1.5, 1.7: a message is throttled until its receives are used up, and never runs.
#[test]
fn dead_letters_that_never_ran() {
    let summary = summary(&scenario_with_mapping(), |to| {
        to.send(1, 1);
        to.send(2, 2);
        to.receive(1_000, &[1], 1);
        to.form(1_000, 1, &[1]);
        to.refuse(1_000, 1, 1, 429, Some(2_000));
        to.refuse(2_000, 1, 1, 429, None);
        to.receive(1_000, &[2], 1);
        to.form(1_000, 2, &[2]);
        to.invoke(1_000, 2, &[2], 0);
        to.end(2_000, 2, &[2], 1, RunOutcome::Error);
        to.returned(31_000, 1);
        to.returned(31_000, 2);
        to.move_out(31_000, 1, 1, 0);
        to.move_out(31_000, 2, 1, 1);
        to.oldest(31_000, 1, Some(31_000));
    });
    let queue = orders(&summary);
    assert_eq!((queue.moved_to_dlq, queue.moved_to_dlq_without_invocation, queue.deleted), (2, 1, 0));
    assert_eq!((queue.receives_per_message.count, queue.drained_at_ms), (2, Some(31_000.0)));
    let mapping = worker(&summary);
    assert_eq!((mapping.throttles, mapping.retries, mapping.invocations, mapping.failed_invocations), (2, 1, 1, 1));
    assert_eq!((mapping.runs_per_record.count, mapping.runs_per_record.min), (2, Some(0)));
    assert_eq!(mapping.failed_invoke_events, 1);
    let letters = dead(&summary);
    assert_eq!((letters.sent, letters.moved_in, letters.left(), letters.drained_at_ms), (0, 2, 2, None));
    assert_eq!(letters.approximate_age_of_oldest_message_ms.last, Some(HOUR as f64 - 31_000.0));
    assert_eq!(flow(&summary, 0), Flow { entered: 2, out: 2, left: 0, holds: true });
    assert_eq!(flow(&summary, 1), Flow { entered: 2, out: 0, left: 2, holds: true });
    assert!(summary.conservation.holds);
}

/// ESM-1.4: a run that outlasts the visibility time-out, and one that was throttled on its way.
#[test]
fn repeated_runs_are_duplicates() {
    let summary = summary(&scenario_with_mapping(), |to| {
        to.send(1, 1);
        to.receive(1, &[1], 1);
        to.form(1, 1, &[1]);
        to.invoke(1, 1, &[1], 0);
        to.returned(30_001, 1);
        to.receive(30_001, &[1], 2);
        to.form(30_001, 2, &[1]);
        to.invoke(30_001, 2, &[1], 1);
        to.end(45_000, 1, &[1], 0, RunOutcome::Success);
        to.message(45_000, MessageFact::DeleteIgnored { origin: message(1), queue: id(0) });
        to.end(60_000, 2, &[1], 0, RunOutcome::Success);
        to.delete(60_000, 1, 2, 2);
    });
    let queue = orders(&summary);
    assert_eq!((queue.received, queue.duplicate_deliveries, queue.receives_per_message.max), (2, 1, Some(2)));
    assert_eq!((worker(&summary).runs_per_record.max, worker(&summary).concurrent_invocations.max), (Some(2), Some(2)));
    // A send, two receives, two requests to delete.
    assert_eq!(queue.requests, 5);
}

/// ESM-1.12: the filter's messages are deleted together, and are neither invoked nor in `deleted_events` (ESM-C8).
#[test]
fn filtered_messages_are_deleted() {
    let summary = summary(&scenario_with_mapping(), |to| {
        (1..=3).for_each(|submission| to.send(submission, submission));
        to.receive(10, &[1, 2, 3], 1);
        for submission in [1, 2] {
            to.mapping(10, MappingFact::FilteredOut { origin: message(submission), mapping: MAPPING() });
            to.delete(10, submission, 1, 0);
        }
        to.form(10, 1, &[3]);
        to.invoke(10, 1, &[3], 0);
        to.end(20, 1, &[3], 0, RunOutcome::Success);
        to.delete(20, 3, 1, 1);
    });
    let mapping = worker(&summary);
    let events = (mapping.polled_events, mapping.filtered_out_events, mapping.invoked_events, mapping.deleted_events);
    assert_eq!(events, (3, 2, 1, 1));
    assert_eq!((orders(&summary).deleted, mapping.runs_per_record.count), (3, 1));
    // Three sends, a receive, the filter's deletion, the batch's.
    assert_eq!(orders(&summary).requests, 6);
}

#[test]
fn delays_expiry_and_redrive() {
    let summary = summary(&scenario_with_mapping(), |to| {
        to.send(1, 5_000);
        to.send(2, 6_000);
        to.message(7_000, MessageFact::DelayEnded { origin: message(1), queue: id(0), at: ms(5_000) });
        to.message(7_000, MessageFact::DelayEnded { origin: message(2), queue: id(0), at: ms(6_000) });
        let (origin, queue, to_dead) = (message(1), id(0), id(1));
        to.message(8_000, MessageFact::Redriven { origin, queue, to: to_dead, receives: 0 });
        // What the other queue did before is noticed afterwards.
        let state = MessageState::Visible;
        to.message(9_000, MessageFact::Expired { origin: message(2), queue, at: ms(8_500), state });
    });
    let queue = orders(&summary);
    assert_eq!((queue.expired, queue.moved_to_dlq, queue.drained_at_ms), (1, 0, Some(8_500.0)));
    assert_eq!(queue.approximate_number_of_messages_delayed.max, Some(2));
    let delayed_ms = (5_000.0 - 1.0) + (6_000.0 - 2.0);
    assert_eq!(queue.approximate_number_of_messages_delayed.mean, Some(delayed_ms / HOUR as f64));
    assert_eq!(queue.approximate_number_of_messages_visible.mean, Some((3_000.0 + 2_500.0) / HOUR as f64));
    assert_eq!((dead(&summary).moved_in, dead(&summary).left()), (1, 1));
    assert!(summary.conservation.holds);
}

/// A message that is moved into a queue comes after what that queue did before, though that is noticed later.
#[test]
fn moves_wait_for_what_is_noticed_late() {
    let summary = summary(&scenario_with_mapping(), |to| {
        let (origin, queue) = (message(5), id(1));
        to.message(5, MessageFact::Sent { origin, queue, visible_at: ms(5), bytes: 1 });
        to.send(1, 1);
        to.receive(1, &[1], 1);
        to.returned(30_001, 1);
        to.move_out(30_001, 1, 1, 1);
        let state = MessageState::Visible;
        to.message(30_001, MessageFact::Expired { origin, queue, at: ms(20_000), state });
    });
    let visible = &dead(&summary).approximate_number_of_messages_visible;
    assert_eq!((visible.max, visible.last), (Some(1), Some(1)));
    let held = (20_000.0 - 5.0) + (HOUR as f64 - 30_001.0);
    assert_eq!(visible.mean, Some(held / HOUR as f64));
}

/// ESM-A6: long polls that gave nothing count by the time at which they ended.
#[test]
fn esm_a6_empty_polls_count_by_time() {
    let mut scenario = scenario_with_mapping();
    scenario.warmup = ms(60_000);
    let summary = summary(&scenario, |to| {
        let (mapping, first) = (MAPPING(), ms(20_000));
        for _ in 0..5 {
            to.mapping(HOUR, MappingFact::PolledEmpty { mapping, receives: 180, first });
        }
        to.mapping(HOUR, MappingFact::PolledEmpty { mapping, receives: 1, first: ms(59_999) });
        to.mapping(HOUR, MappingFact::Pollers { mapping, pollers: 5 });
    });
    let mapping = worker(&summary);
    // Those that ended at 20 and 40 s are of the warm-up.
    assert_eq!((mapping.polls, mapping.empty_polls), (5 * 178, 5 * 178));
    assert_eq!((orders(&summary).empty_receives, orders(&summary).requests), (5 * 178, 5 * 178));
    assert_eq!(mapping.pollers.last, Some(5));
    assert_eq!(summary.cost.event_source_mappings.0[0].1.total_usd, 0.0, "the default mode costs nothing");
}

/// Messages count by their own submission, batches by that of their first record.
#[test]
fn a_batch_across_the_end_of_the_warm_up() {
    let mut scenario = scenario_with_mapping();
    scenario.warmup = ms(3);
    let summary = summary(&scenario, |to| {
        (1..=4).for_each(|submission| to.send(submission, submission));
        to.receive(10, &[1, 2, 3, 4], 1);
        to.form(10, 1, &[1, 2, 3]);
        to.form(10, 2, &[4]);
        to.invoke(10, 1, &[1, 2, 3], 0);
        to.invoke(10, 2, &[4], 0);
        to.end(20, 1, &[1, 2, 3], 3, RunOutcome::Error);
        to.end(20, 2, &[4], 0, RunOutcome::Success);
        to.delete(20, 4, 1, 1);
    });
    let mapping = worker(&summary);
    assert_eq!((mapping.batches, mapping.invocations, mapping.failed_invocations), (1, 1, 0));
    let events = (mapping.polled_events, mapping.invoked_events, mapping.failed_invoke_events, mapping.deleted_events);
    assert_eq!(events, (2, 2, 1, 1));
    let queue = orders(&summary);
    assert_eq!((queue.sent, queue.received, queue.deleted, queue.left()), (2, 2, 1, 3));
    assert_eq!(flow(&summary, 0), Flow { entered: 4, out: 1, left: 3, holds: true });
    // By time: two sends, the receive, and a deletion.
    assert_eq!(queue.requests, 4);
}

/// ESM-1.13: every 64 KiB of a request are one.
#[test]
fn large_requests_count_several_times() {
    let mut scenario = scenario_with_mapping();
    scenario.system.callers[CallerId::from_index(0)].messages_per_call = 2;
    scenario.system.queues[id(0)].kind = QueueKind::Fifo;
    let send = |to: &mut TestQueue, submission, bytes| {
        let (origin, queue) = (message(submission), id(0));
        to.message(submission, MessageFact::Sent { origin, queue, visible_at: ms(submission), bytes });
    };
    let requests = |bytes: &[u64]| {
        let summary = summary(&scenario, |to| {
            (1..).zip(bytes).for_each(|(submission, bytes)| send(to, submission, *bytes));
            to.message(9, MessageFact::Deduplicated { origin: message(9), queue: id(0) });
        });
        assert_eq!(orders(&summary).deduplicated, 1);
        assert_eq!(summary.cost.queues.0[0].1.total_usd, orders(&summary).requests as f64 * 5e-7);
        orders(&summary).requests - 1
    };
    assert_eq!(requests(&[1, 1]), 1);
    assert_eq!(requests(&[65_536]), 1);
    assert_eq!(requests(&[65_536, 1]), 2);
    assert_eq!(requests(&[65_536, 1, 200_000]), 6);
}

#[test]
fn groups_in_flight_are_a_level() {
    let summary = summary(&scenario_with_mapping(), |to| {
        for (at, groups) in [(0, 3), (HOUR / 2, 0)] {
            to.message(at, MessageFact::GroupsInFlight { queue: id(0), groups, at: ms(at) });
        }
    });
    let groups = &orders(&summary).groups_in_flight;
    assert_eq!((groups.mean, groups.max, groups.last), (Some(1.5), Some(3), Some(0)));
}
