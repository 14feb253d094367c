//! SQS queues and the mappings that poll them: vectors and others of the sheet on event source mappings.

use lambdasim::aws::fact::{Fact, MappingFact, MessageFact};
use lambdasim::aws::ids::{Id, QueueId};

use crate::common::{Facts, ms, same};
use crate::sqs::{Case, Story, burst};

/// Settings of the mapping, more of the scenario, when levels are reached, and the highest.
type Row = (&'static str, &'static str, &'static [(u32, f64)], u32);

/// ESM-A1, A2, A3, A4: concurrency under an endless backlog.
#[test]
fn esm_a1_to_a4_growth_under_an_endless_backlog() {
    let case = |mapping, more| Case {
        queue: "visibility_timeout: 12h",
        function: "duration: 15m, timeout: 15m",
        mapping,
        arrivals: burst(4_000),
        more,
        ..Case::default()
    };
    let unlimited = "account: { concurrency_limit: 10000 }\ndrain: 30m";
    let rows: [Row; 3] = [
        (
            "batch_size: 1",
            unlimited,
            &[(5, 0.0), (305, 60.0), (605, 120.0), (905, 180.0), (1_205, 240.0), (1_250, 249.0)],
            1_250,
        ),
        (
            "batch_size: 1, pollers: { per_minute: 60, maximum: 1250 }",
            "account: { concurrency_limit: 10000 }\ndrain: 14m",
            &[(65, 60.0), (605, 600.0)],
            845,
        ),
        ("batch_size: 1, maximum_concurrency: 50", unlimited, &[(5, 0.0), (50, 9.0)], 50),
    ];
    for (mapping, more, levels, peak) in rows {
        let story = case(mapping, more).story();
        for (level, at) in levels {
            assert_eq!(story.reached.get(level), Some(at), "{mapping}: {level}");
        }
        assert_eq!((story.peak, story.throttles), (peak, 0), "{mapping}");
    }
    // the account's limit stops nothing but runs; throttles begin after it is reached.
    let story = case("batch_size: 1", "account: { concurrency_limit: 1000 }\ndrain: 14m").story();
    assert_eq!((story.reached.get(&1_000), story.peak), (Some(&199.0), 1_000));
    assert!(story.throttles > 0);
}

/// ESM-A5: a backlog of 100,000. The sheet's values for a tick of one second; tolerance 1 % and one duration.
#[test]
fn esm_a5_time_to_drain_a_backlog() {
    for (duration, mapping, seconds) in [
        ("500ms", "batch_size: 1", 140.9),
        ("1700ms", "batch_size: 1", 260.5),
        ("500ms", "batch_size: 1, pollers: { per_minute: 60, maximum: 1000 }", 311.8),
        ("1700ms", "batch_size: 1, pollers: { per_minute: 60, maximum: 1000 }", 578.6),
    ] {
        let function = if duration == "500ms" { "duration: 500ms" } else { "duration: 1700ms" };
        let more = "account: { concurrency_limit: 10000, scaling: off, request_rate_limit: off }";
        let case = Case { function, mapping, arrivals: burst(100_000), more, ..Case::default() };
        let story = case.story();
        let done = story.deleted.last().expect("all are deleted").0;
        let tolerance = seconds * 0.01 + if duration == "500ms" { 0.5 } else { 1.7 };
        assert_eq!(story.deleted.len(), 100_000);
        assert!((done - seconds).abs() <= tolerance, "{duration} {mapping}: {done} and not {seconds}");
    }
}

/// ESM-A6: an empty queue: 15 empty receives a minute with five pollers, 6 with two.
#[test]
fn esm_a6_an_empty_queue_is_polled() {
    let polls = |mapping, duration| {
        Case { mapping, arrivals: "at: []".into(), duration, ..Case::default() }.story().empty_polls
    };
    assert_eq!(polls("", "1m"), 15);
    assert_eq!(polls("", "1h"), 900);
    assert_eq!(polls("", "1d"), 21_600);
    // Five pollers for 5 minutes, then, as they come back empty, two.
    let two = polls("pollers: { floor: 2, floor_after: 0s }", "1d");
    assert!((8_640..=8_640 + 30).contains(&two), "{two}");
}

/// ESM-A9: a window of 40 s, opened at 7 s.
#[test]
fn esm_a9_a_batching_window() {
    let invoked = |arrivals: &str| {
        let case = Case {
            queue: "visibility_timeout: 5m",
            mapping: "maximum_batching_window: 40s",
            arrivals: format!("at: [{arrivals}]"),
            duration: "1m",
            ..Case::default()
        };
        let story = case.story();
        (story.start_times(), story.sizes)
    };
    assert_eq!(invoked("7s, 10s, 20s, 30s, 46s"), (vec![47.0], vec![5]));
    assert_eq!(invoked("7s, 8s, 9s, 10s, 11s, 12s, 13s, 14s, 15s, 30s"), (vec![30.0], vec![10]));
}

/// ESM-A10: a message that always fails is received `max_receive_count` times, and moved at the next receive.
#[test]
fn esm_a10_a_message_that_always_fails() {
    for (queue, starts, moved) in [
        (
            "visibility_timeout: 30s, redrive: { dead_letter_queue: dlq, max_receive_count: 3 }",
            vec![0.0, 30.0, 60.0],
            (90.0, 1, 3, 3),
        ),
        (
            "visibility_timeout: 30s, redrive: { dead_letter_queue: dlq, max_receive_count: 5 }",
            vec![0.0, 30.0, 60.0, 90.0, 120.0],
            (150.0, 1, 5, 5),
        ),
    ] {
        let story =
            Case { queue, function: "duration: 1s, failures: [{ probability: 100% }]", ..Case::default() }.story();
        assert_eq!(story.start_times(), starts);
        assert_eq!(story.moved, [moved]);
    }
}

/// ESM-A11: retention of a standard dead-letter queue counts from the first enqueueing.
#[test]
fn esm_a11_retention_of_a_dead_letter_queue() {
    let facts = Facts::of(
        "duration: 7d
functions: { f: { duration: 1s, failures: [{ probability: 100% }] } }
queues:
  q: { visibility_timeout: 12h, message_retention: 14d, redrive: { dead_letter_queue: dlq, max_receive_count: 2 } }
  dlq: { message_retention: 4d }
event_source_mappings: { m: { source: q, function: f } }
callers: { c: { target: q, arrivals: { at: [0s] } } }",
    );
    let story = Story::of(&facts);
    let day = 86_400.0;
    assert!(same(story.moved[0].0, day));
    assert_eq!(story.expired, [(4.0 * day, 1)]);
    let oldest = facts.pick(|_, fact| match *fact {
        Fact::Message(MessageFact::OldestChanged { queue, since, .. }) if queue == QueueId::from_index(1) => {
            Some(since.map(ms))
        }
        _ => None,
    });
    // The age metric counts from the move.
    assert_eq!(oldest, [Some(day * 1e3), None]);
}

/// ESM-A12: FIFO: concurrency is the number of groups; one group is one run after the other.
#[test]
fn esm_a12_fifo_groups() {
    let run = |keys: &str, messages: u32, mapping: &str, function: &str| {
        Story::of(&Facts::of(&format!(
            "duration: 1s
functions: {{ f: {{ {function} }} }}
queues: {{ q: {{ type: fifo, visibility_timeout: 5m }} }}
event_source_mappings: {{ m: {{ source: q, function: f, {mapping} }} }}
callers: {{ c: {{ target: q, keys: {keys}, arrivals: {{ burst: {{ size: {messages} }} }} }} }}"
        )))
    };
    let story = run(
        "{ list: [a, b, c, d, e, f] }",
        600,
        "batch_size: 1, maximum_concurrency: 10",
        "duration: 5s, timeout: 10s",
    );
    assert_eq!(story.peak, 6);
    let story = run("{ constant: a }", 5, "batch_size: 1", "duration: 5s, timeout: 10s");
    assert_eq!(story.starts, [(0.0, 1), (5.0, 2), (10.0, 3), (15.0, 4), (20.0, 5)]);
    assert_eq!(story.deleted.last(), Some(&(25.0, 5)));
    assert_eq!(story.peak, 1);
}

/// ESM-A14: with 120,000 in flight a long poll gives nothing.
#[test]
fn esm_a14_the_limit_of_messages_in_flight() {
    let case = Case {
        queue: "visibility_timeout: 1h, maximum_in_flight: 20",
        function: "duration: 10s, timeout: 20s",
        arrivals: burst(45),
        ..Case::default()
    };
    let story = case.story();
    let at = |second: f64| story.received.iter().filter(|(at, _)| same(*at, second)).count();
    assert_eq!((at(0.0), at(10.0), at(20.0)), (20, 20, 5));
    assert_eq!(story.deleted.len(), 45);
}

/// ESM-A15: delays of the queue and of messages.
#[test]
fn esm_a15_delays() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 1s } }
queues: { q: { delivery_delay: 60s } }
event_source_mappings: { m: { source: q, function: f } }
callers:
  a: { target: q, arrivals: { at: [0s] } }
  b: { target: q, delay: 0s, arrivals: { at: [0s] } }
  c: { target: q, delay: 900s, arrivals: { at: [0s] } }",
    );
    assert_eq!(Story::of(&facts).start_times(), [0.0, 60.0, 900.0]);
}

/// ESM-A16: the event's size limits a batch; what does not fit begins the next.
#[test]
fn esm_a16_payload_of_a_batch() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 1s } }
queues: { q: {} }
event_source_mappings: { m: { source: q, function: f, maximum_batching_window: 1s } }
callers: { c: { target: q, payload: 1MiB, arrivals: { burst: { size: 6 } } } }",
    );
    assert_eq!(Story::of(&facts).sizes, [5, 1]);
}

/// ESM-A28: filtered messages are deleted and reach no function and no dead-letter queue. 60 % of many.
#[test]
fn esm_a28_filtered_messages_are_deleted() {
    let facts = Case { mapping: "filter: 60%", arrivals: burst(10_000), ..Case::default() }.facts();
    let count = |pick: fn(&Fact) -> u32| facts.list.iter().map(|(_, fact)| pick(fact)).sum::<u32>();
    let polled =
        count(|fact| if let Fact::Mapping(MappingFact::Polled { messages, .. }) = fact { *messages } else { 0 });
    let filtered = count(|fact| u32::from(matches!(fact, Fact::Mapping(MappingFact::FilteredOut { .. }))));
    let invoked =
        count(|fact| if let Fact::Mapping(MappingFact::BatchInvoked { records, .. }) = fact { *records } else { 0 });
    let deleted = count(|fact| u32::from(matches!(fact, Fact::Message(MessageFact::Deleted { .. }))));
    assert_eq!((polled, filtered + invoked, deleted), (10_000, 10_000, 10_000));
    // Binomial: mean 4,000, five standard deviations of 49.
    assert!(filtered.abs_diff(4_000) < 245, "{filtered}");
}

/// ESM-A31: five pollers over-pull a reserved concurrency of 1: valid messages are dead-lettered without a run.
#[test]
fn esm_a31_over_pulling() {
    let case = |mapping| Case {
        queue: "visibility_timeout: 30s, redrive: { dead_letter_queue: dlq, max_receive_count: 1 }",
        function: "duration: 5s, timeout: 10s, reserved_concurrency: 1",
        mapping,
        arrivals: burst(10),
        ..Case::default()
    };
    let held = case("batch_size: 1, pollers: { maximum: 5 }").story();
    assert_eq!(held.starts, [(0.0, 1), (5.0, 6), (10.0, 7), (15.0, 8), (20.0, 9), (25.0, 10)]);
    assert_eq!(held.moved, [(30.0, 2, 1, 0), (30.0, 3, 1, 0), (30.0, 4, 1, 0), (30.0, 5, 1, 0)]);
    assert_eq!((held.deleted.len(), held.deleted.last(), held.throttles), (6, Some(&(30.0, 10)), 20));
    // With growth there are five more at 1 s.
    let grown = case("batch_size: 1").story();
    assert_eq!(grown.starts, [(0.0, 1), (7.0, 2), (15.0, 3)]);
    assert_eq!(grown.deleted.len(), 3);
    let moved: Vec<_> = grown.moved.iter().map(|(at, message, _, runs)| (*at, *message, *runs)).collect();
    assert_eq!(
        moved,
        [(30.0, 4, 0), (30.0, 5, 0), (31.0, 6, 0), (31.0, 7, 0), (31.0, 8, 0), (31.0, 9, 0), (31.0, 10, 0)]
    );
    assert_eq!(grown.throttles, 42);
}

/// ESM-A32: AWS's own sample: maximum concurrency cures it, reserved concurrency alone does not.
#[test]
fn esm_a32_maximum_concurrency_cures_it() {
    let case = |mapping, function| Case {
        queue: "visibility_timeout: 20s, redrive: { dead_letter_queue: dlq, max_receive_count: 1 }",
        function,
        mapping,
        arrivals: burst(25),
        ..Case::default()
    };
    let cured = case("batch_size: 1, maximum_concurrency: 5", "duration: 10s, timeout: 15s").story();
    let five_each = [0.0, 10.0, 20.0, 30.0, 40.0].iter().flat_map(|at| [*at; 5]).collect::<Vec<_>>();
    assert_eq!((cured.start_times(), cured.throttles, cured.moved.len()), (five_each, 0, 0));
    assert_eq!(cured.deleted.last().map(|(at, _)| *at), Some(50.0));
    let ill = case("batch_size: 1", "duration: 10s, timeout: 15s, reserved_concurrency: 5").story();
    assert!(ill.throttles > 0 && !ill.moved.is_empty());
}

/// ESM-A34: a run that is longer than the visibility time-out: each message runs again, and old handles delete
/// nothing, or they do.
#[test]
fn esm_a34_visibility_shorter_than_the_run() {
    let story = |stale: &str| {
        Story::of(&Facts::of(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 45s, timeout: 60s }} }}
queues: {{ q: {{ visibility_timeout: 60s, stale_delete: {stale}, redrive: {{ dead_letter_queue: dlq, max_receive_count: 3 }} }}, dlq: {{}} }}
event_source_mappings: {{ m: {{ source: q, function: f }} }}
callers: {{ c: {{ target: q, arrivals: {{ at: [0s] }} }} }}
changes: [{{ at: 0s, set: {{ queues.q.visibility_timeout: 30s }} }}]"
        )))
    };
    let ignored = story("ignored");
    assert_eq!(ignored.start_times(), [0.0, 30.0, 60.0]);
    assert!(ignored.deleted.is_empty());
    assert_eq!(ignored.moved, [(90.0, 1, 3, 3)]);
    let effective = story("effective");
    assert_eq!((effective.start_times(), effective.deleted), (vec![0.0, 30.0], vec![(45.0, 1)]));
}

/// ESM-A41: partial failures: what succeeded is deleted at the end of the run, what failed comes back at its time-out.
#[test]
fn esm_a41_partial_failures() {
    let case = Case {
        queue: "visibility_timeout: 60s",
        function: "duration: 4s, timeout: 10s, failures: [{ events: [3, 7], first_attempts: 1 }]",
        mapping: "report_batch_item_failures: true",
        arrivals: burst(10),
        ..Case::default()
    };
    let story = case.story();
    assert_eq!(story.deleted.iter().filter(|(at, _)| same(*at, 4.0)).count(), 8);
    assert_eq!(story.starts, [(0.0, 1), (60.0, 3)]);
    assert_eq!(story.sizes, [10, 2]);
    assert_eq!(story.deleted[8..], [(64.0, 3), (64.0, 7)]);
    // Without the report the whole batch comes back.
    let case = Case { mapping: "", ..case };
    let story = case.story();
    assert_eq!((story.start_times(), story.sizes, story.deleted.len()), (vec![0.0, 60.0], vec![10, 10], 10));
}

/// ESM-A43: a deduplication id within five minutes.
#[test]
fn esm_a43_deduplication() {
    let facts = Facts::of(
        "duration: 10m
functions: { f: { duration: 1s } }
queues: { q: { type: fifo } }
event_source_mappings: { m: { source: q, function: f } }
callers: { c: { target: q, keys: { constant: a }, deduplication: { constant: x }, arrivals: { at: [0s, 299s, 301s] } } }",
    );
    assert_eq!(Story::of(&facts).starts, [(0.0, 1), (301.0, 3)]);
}

/// ESM-A47: a lone message in a short window waits for the long poll.
#[test]
fn esm_a47_low_traffic() {
    let invoked = |arrivals: &str| {
        let case = Case {
            queue: "visibility_timeout: 5m",
            mapping: "batch_size: 100, maximum_batching_window: 5s",
            arrivals: format!("at: [{arrivals}]"),
            duration: "1m",
            ..Case::default()
        };
        let story = case.story();
        (story.start_times(), story.sizes)
    };
    assert_eq!(invoked("0s"), (vec![20.0], vec![1]));
    assert_eq!(invoked("0s, 8s"), (vec![8.0], vec![2]));
}

/// ESM-A48: five deliveries, and the sixth receive moves the message.
#[test]
fn esm_a48_the_sixth_receive_never_delivers() {
    let case = Case {
        queue: "visibility_timeout: 10s, redrive: { dead_letter_queue: dlq, max_receive_count: 5 }",
        function: "duration: 1s, failures: [{ poison: 100% }]",
        ..Case::default()
    };
    let story = case.story();
    assert_eq!(story.received.len(), 5);
    assert_eq!(story.moved, [(50.0, 1, 5, 5)]);
}

/// ESM-A38: a redrive task moves 500 messages a second at most; they are new messages where they go to.
#[test]
fn esm_a38_redrive_tasks() {
    let facts = Facts::of(
        "duration: 2h
functions: { f: { duration: 1s } }
queues: { q: {}, dlq: {} }
callers: { c: { target: dlq, arrivals: { burst: { size: 10000 } } } }
event_source_mappings: { m: { source: q, function: f } }
changes: [{ at: 1h, redrive: { queue: dlq, to: q, rate: 500/s } }]",
    );
    let redriven =
        facts.pick(|now, fact| matches!(fact, Fact::Message(MessageFact::Redriven { .. })).then_some(now / 1e3));
    // The n-th goes (n - 1) / 500 s after the task began.
    assert_eq!((redriven.len(), redriven[0], redriven[9_999]), (10_000, 3_600.0, 3_619.998));
    assert_eq!(Story::of(&facts).deleted.len(), 10_000);
}

/// ESM-1.5.10: dead letters go back to where they came from, with no receives, in both types of queues; there they
/// are dead-lettered again, or run well once the outage is over.
#[test]
fn esm_1_5_redrive_of_dead_letters() {
    for kind in ["", "type: fifo"] {
        let facts = Facts::of(&format!(
            "duration: 2h
functions: {{ f: {{ duration: 1s, failures: [{{ probability: 100%, until: 65m }}] }} }}
queues: {{ q: {{ {kind} }}, dlq: {{ {kind} }} }}
callers: {{ c: {{ target: q, arrivals: {{ burst: {{ size: 40 }} }} }} }}
event_source_mappings: {{ m: {{ source: q, function: f }} }}
changes:
  - {{ at: 0s, set: {{ queues.q.redrive: {{ dead_letter_queue: dlq, max_receive_count: 2 }} }} }}
  - {{ at: 1h, redrive: {{ queue: dlq, to: q, rate: 10/s }} }}
  - {{ at: 90m, redrive: {{ queue: dlq, to: q, rate: 10/s }} }}"
        ));
        let story = Story::of(&facts);
        assert!(story.moved.iter().all(|(_, _, receives, _)| *receives == 2), "{kind}: {:?}", story.moved);
        assert_eq!((story.moved.len(), story.deleted.len()), (80, 40), "{kind}");
        let redriven =
            facts.pick(|now, fact| matches!(fact, Fact::Message(MessageFact::Redriven { .. })).then_some(now / 1e3));
        assert_eq!((redriven.len(), redriven[0], redriven[39]), (80, 3_600.0, 3_603.9), "{kind}");
        assert_eq!((redriven[40], redriven[79]), (5_400.0, 5_403.9), "{kind}");
    }
}

/// ESM-S10: with `rolling` the window of 40 s of an idle poller is the one from 0 to 40 s, not one that its first
/// message opens at 7 s.
#[test]
fn esm_s10_rolling_windows() {
    let case = Case {
        queue: "visibility_timeout: 5m",
        mapping: "maximum_batching_window: 40s, window_opens: rolling",
        arrivals: "at: [7s, 10s, 30s]".into(),
        duration: "1m",
        ..Case::default()
    };
    let story = case.story();
    assert_eq!((story.start_times(), story.sizes), (vec![40.0], vec![3]));
}
