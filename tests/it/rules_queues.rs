//! SQS queues, rule by rule: receiving, deleting, retention, FIFO queues and their limits (ESM-1.1 to 1.5, 1.10, 1.13).

use lambdasim::aws::fact::{Fact, MappingFact, MessageFact};
use serde_json::Value;

use crate::common::{Facts, at, check, ms, number, same, simulate};
use crate::sqs::{Case, Story, burst};

/// Messages of each receive that gave any, in order.
fn polled(facts: &Facts) -> Vec<u32> {
    facts.pick(|_, fact| match fact {
        Fact::Mapping(MappingFact::Polled { messages, .. }) => Some(*messages),
        _ => None,
    })
}

/// When messages are visible again, in seconds after their receives.
fn hidden_for(facts: &Facts) -> Vec<f64> {
    facts.pick(|now, fact| match fact {
        Fact::Message(MessageFact::Received { visible_at, .. }) => Some((ms(*visible_at) - now) / 1e3),
        _ => None,
    })
}

/// One poller and no more.
const ONE_POLLER: &str = "batch_size: 1, pollers: { initial: 1, maximum: 1, floor: 1 }";

/// ESM-1.1.7: a received message is hidden for 30 s, or as long as the queue says.
#[test]
fn esm_1_1_7_visibility_timeout() {
    for (queue, hidden) in [("", 30.0), ("visibility_timeout: 3s", 3.0), ("visibility_timeout: 12h", 43_200.0)] {
        let case = Case { queue, function: "duration: 1s, failures: [{ first_attempts: 1 }]", ..Case::default() };
        let facts = case.facts();
        assert_eq!(hidden_for(&facts), [hidden; 2], "{queue}");
        assert_eq!(Story::of(&facts).start_times(), [0.0, hidden], "{queue}");
    }
}

/// ESM-1.1.7, S20: with a visibility time-out of 0 a message is not hidden: all five pollers receive it, one after the
/// other and not twice in one instant. Four of the runs delete with an old receipt.
#[test]
fn esm_s20_without_a_visibility_timeout() {
    let case =
        Case { more: "changes: [{ at: 0s, set: { queues.q.visibility_timeout: 0s } }]\ndrain: 10s", ..Case::default() };
    let story = Story::of(&case.facts());
    let at: Vec<f64> = story.received.iter().map(|(at, _)| *at).take(5).collect();
    assert!(at.windows(2).all(|pair| pair[0] < pair[1]) && at[4] < 1e-6, "{at:?}");
    let summary = case.summary();
    check("VT 0", &summary, &[("queues.q.approximate_number_of_messages_not_visible.max", 0.0)]);
}

/// ESM-1.1.10: a message of the size that the queue takes is accepted, one byte more is refused with 400; and so are all
/// messages of a call that are larger than 1 MiB together.
#[test]
fn esm_1_1_10_message_size() {
    for (queue, caller, rejected) in [
        ("", "payload: 1MiB", 0),
        ("", "payload: 1048577B", 20),
        ("maximum_message_size: 1KiB", "payload: 1024B", 0),
        ("maximum_message_size: 1KiB", "payload: 1025B", 20),
        ("", "payload: 512KiB, messages_per_call: 2", 0),
        ("", "payload: 524289B, messages_per_call: 2", 20),
        ("", "payload: 104857B, messages_per_call: 10", 0),
        ("", "payload: 104858B, messages_per_call: 10", 20),
        // 20 messages in calls of eight: the last call has only four.
        ("", "payload: 200KiB, messages_per_call: 8, max_events: 20", 16),
    ] {
        let calls = if caller.contains("per_call: 2") { 10 } else { 2 };
        let size = if caller.contains("per_call") { calls } else { 20 };
        let size = if caller.contains("per_call: 8") { 3 } else { size };
        let summary = Case { queue, caller, arrivals: burst(size), ..Case::default() }.summary();
        let case = format!("{queue} {caller}");
        check(&case, &summary, &[("callers.c.outcomes.rejected", f64::from(rejected))]);
        check(&case, &summary, &[("queues.q.sent", f64::from(20 - rejected))]);
        if rejected > 0 {
            check(&case, &summary, &[("callers.c.status_codes.400", f64::from(rejected))]);
        }
    }
}

/// ESM-1.1.11, 1.3.3, S9: a receive gives ten messages at most; a batch of more is filled by one poller with several
/// receives, one after the other.
#[test]
fn esm_1_3_3_a_batch_takes_several_receives() {
    let mapping = "batch_size: 100, maximum_batching_window: 1s";
    let facts = Case { mapping, arrivals: burst(125), ..Case::default() }.facts();
    assert_eq!(polled(&facts), [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
    let story = Story::of(&facts);
    // The second one waits for its window, and then for the long poll (ESM-1.3.5).
    assert_eq!((story.sizes, story.starts), (vec![100, 25], vec![(0.0, 1), (20.0, 101)]));
}

/// ESM-1.1.17, S28: changed settings take effect when they have spread; by default at once.
#[test]
fn esm_s28_attribute_propagation() {
    for (queue, hidden) in [("", [30.0, 7.0, 7.0]), ("attribute_propagation: 20s", [30.0, 30.0, 7.0])] {
        let case = Case {
            queue,
            arrivals: "at: [0s, 29.9s, 30s]".into(),
            more: "changes: [{ at: 10s, set: { queues.q.visibility_timeout: 7s } }]",
            duration: "1m",
            ..Case::default()
        };
        assert_eq!(hidden_for(&case.facts()), hidden, "{queue}");
    }
}

/// ESM-1.3.7, S14: a receive gives ten or all that are visible, unless the scenario says that it gives fewer: then one
/// to nine with equal probability. Of some 2,000 receives: mean 5, five standard deviations of 0.06.
#[test]
fn esm_s14_short_receives() {
    let sizes = |queue| polled(&Case { queue, arrivals: burst(10_005), ..Case::default() }.facts());
    let full = sizes("");
    assert!(full.iter().filter(|size| **size != 10).eq(&[5]), "{full:?}");
    let short = sizes("short_receive_probability: 100%");
    assert!(short.iter().all(|size| (1..10).contains(size)));
    let mean = 10_005.0 / short.len() as f64;
    assert!((mean - 5.0).abs() < 0.3, "{mean}");
}

/// ESM-1.3.8, S13: messages are received in the order in which they became visible; one that came back stands where it
/// became visible again, behind those that were visible before.
#[test]
fn esm_s13_order_of_a_standard_queue() {
    let case = Case {
        queue: "visibility_timeout: 5s",
        function: "duration: 1s, failures: [{ events: [1], first_attempts: 1 }]",
        mapping: ONE_POLLER,
        arrivals: burst(20),
        ..Case::default()
    };
    let order = |case: &Case| -> Vec<u64> { case.story().received.iter().map(|(_, message)| *message).collect() };
    assert_eq!(order(&case), (1..=20).chain([1]).collect::<Vec<_>>());
    // Any of the first ten: nobody is received more than nine places early.
    let shuffled = order(&Case {
        queue: "visibility_timeout: 5s, shuffle_window: 10",
        function: "duration: 1s",
        arrivals: burst(500),
        ..case
    });
    assert!(!shuffled.is_sorted() && shuffled.len() == 500);
    assert!((1..).zip(&shuffled).all(|(place, message)| *message < place + 10), "{shuffled:?}");
}

/// ESM-S19: a long poll that waits has a message as soon as it is visible, or so much later.
#[test]
fn esm_s19_wakeup() {
    for (queue, at) in [("", 10.0), ("wakeup: 250ms", 10.25)] {
        let story = Case { queue, arrivals: "at: [10s]".into(), duration: "1m", ..Case::default() }.story();
        assert_eq!(story.received, [(at, 1)], "{queue}");
    }
}

/// ESM-S27: a message goes to the poll that has waited longest, over all mappings; of equal ones to the first mapping.
#[test]
fn esm_s27_two_mappings_of_one_queue() {
    let facts = Facts::of(&format!(
        "duration: 1m
functions: {{ f: {{ duration: 10s, timeout: 20s }} }}
queues: {{ q: {{}} }}
event_source_mappings:
  m: {{ source: q, function: f, {ONE_POLLER} }}
  n: {{ source: q, function: f, {ONE_POLLER} }}
callers: {{ c: {{ target: q, arrivals: {{ at: [1s, 2s, 3s, 25s, 26s] }} }} }}"
    ));
    let received = facts.pick(|now, fact| match fact {
        Fact::Message(MessageFact::Received { mapping, .. }) => Some((now / 1e3, format!("{mapping:?}"))),
        _ => None,
    });
    let [m, n] = [1, 2].map(|id| format!("MappingId({id})"));
    let expected = [(1.0, &m), (2.0, &n), (11.0, &m), (25.0, &n), (26.0, &m)];
    assert!(received.iter().map(|(at, mapping)| (*at, mapping)).eq(expected), "{received:?}");
}

/// ESM-1.5.12, S18: retention also ends while a message is in flight. Its run goes on, and there is nothing to delete.
#[test]
fn esm_s18_expiry_in_flight() {
    let case = Case {
        queue: "visibility_timeout: 3m, message_retention: 60s",
        function: "duration: 100s, timeout: 2m",
        ..Case::default()
    };
    let story = case.story();
    assert_eq!((story.expired, story.deleted), (vec![(60.0, 1)], vec![]));
    check(
        "in flight",
        &case.summary(),
        &[
            ("queues.q.expired", 1.0),
            ("functions.f.invocations", 1.0),
            ("functions.f.errors", 0.0),
            ("event_source_mappings.m.deleted_events", 0.0),
        ],
    );
}

/// A FIFO queue `q`, with the dead-letter queue `dlq`.
fn fifo(queue: &str, function: &str, mapping: &str, caller: &str, more: &str) -> String {
    format!(
        "duration: 1s
account: {{ concurrency_limit: 10000, scaling: off, request_rate_limit: off }}
functions: {{ f: {{ {function} }} }}
queues: {{ q: {{ type: fifo, {queue} }}, dlq: {{ type: fifo }} }}
event_source_mappings: {{ m: {{ source: q, function: f, {mapping} }} }}
callers: {{ c: {{ target: q, {caller} }} }}
{more}"
    )
}

/// The messages of each batch.
fn batches(facts: &Facts) -> Vec<Vec<u64>> {
    let mut batches: Vec<(u64, Vec<u64>)> = Vec::new();
    for (_, fact) in &facts.list {
        if let Fact::Mapping(MappingFact::Batched { origin, batch, .. }) = fact {
            match batches.last_mut().filter(|(number, _)| number == batch) {
                Some((_, messages)) => messages.push(origin.submission),
                None => batches.push((*batch, vec![origin.submission])),
            }
        }
    }
    batches.into_iter().map(|(_, messages)| messages).collect()
}

/// ESM-1.5.9: a message that is moved leaves its group, which goes on with the next.
#[test]
fn esm_1_5_9_a_group_goes_on_after_a_move() {
    let queue = "visibility_timeout: 30s, redrive: { dead_letter_queue: dlq, max_receive_count: 2 }";
    let function = "duration: 1s, failures: [{ events: [1], probability: 100% }]";
    let caller = "keys: { constant: a }, arrivals: { burst: { size: 3 } }";
    let story = Story::of(&Facts::of(&fifo(queue, function, "batch_size: 1", caller, "")));
    assert_eq!(story.starts, [(0.0, 1), (30.0, 1), (60.0, 2), (61.0, 3)]);
    assert_eq!(story.moved, [(60.0, 1, 2, 2)]);
}

/// ESM-1.10.3, S22, 1.10.5: a receive takes as many as it can from the group with the oldest head, then from the next;
/// a batch may hold several groups, or one by its key. Sent: 1 a, 2 b, 3 a, 4 b, 5 a, 6 c.
#[test]
fn esm_1_10_3_which_groups_a_receive_gives() {
    let caller = "keys: { list: [a, b, a, b, a, c] }, arrivals: { burst: { size: 6 } }";
    for (mapping, expected) in [
        ("batch_size: 10", vec![vec![1, 3, 5, 2, 4, 6]]),
        ("batch_size: 4", vec![vec![1, 3, 5, 2], vec![6], vec![4]]),
        ("batch_size: 2", vec![vec![1, 3], vec![2, 4], vec![6], vec![5]]),
        ("batch_size: 10, fifo_single_group_batches: true", vec![vec![1, 3, 5], vec![2, 4], vec![6]]),
    ] {
        let facts = Facts::of(&fifo("", "duration: 1s", mapping, caller, ""));
        assert_eq!(batches(&facts), expected, "{mapping}");
    }
}

/// ESM-1.10.10: groups are looked for among the first messages. Ten messages of one group hide another group behind
/// them until six of them are gone, where five are looked at.
#[test]
fn esm_1_10_10_a_backlog_hides_other_groups() {
    let caller = "keys: { list: [a, a, a, a, a, a, a, a, a, a, b] }, arrivals: { burst: { size: 11 } }";
    for (queue, at) in [("", 0.0), ("group_lookahead: 10", 1.0), ("group_lookahead: 5", 6.0)] {
        let story = Story::of(&Facts::of(&fifo(queue, "duration: 1s", "batch_size: 1", caller, "")));
        assert_eq!(story.starts.iter().find(|(_, message)| *message == 11), Some(&(at, 11)), "{queue}");
    }
}

/// ESM-1.10.11: the limit of messages in flight of a FIFO queue: beyond it a long poll gives nothing, without an error.
#[test]
fn esm_1_10_11_messages_in_flight_of_a_fifo_queue() {
    let mapping = "pollers: { initial: 50, maximum: 50 }, batch_size: 1";
    let caller = "arrivals: { burst: { size: 45 } }";
    let function = "duration: 10s, timeout: 20s";
    let summary = simulate(&fifo("maximum_in_flight: 20", function, mapping, caller, ""));
    check(
        "20",
        &summary,
        &[
            ("queues.q.approximate_number_of_messages_not_visible.max", 20.0),
            ("functions.f.concurrent_executions.max", 20.0),
            ("queues.q.drained_at_ms", 30_000.0),
        ],
    );
    let summary = simulate(&fifo("", function, mapping, caller, ""));
    check("no limit", &summary, &[("functions.f.concurrent_executions.max", 45.0)]);
}

/// ESM-1.10.12: 300 calls a second that send, 3,000 messages in calls of ten; what is above is throttled with 429.
#[test]
fn esm_1_10_12_sends() {
    for (queue, caller, sent, throttled) in [
        ("", "arrivals: { burst: { size: 301 } }", 300.0, 1.0),
        ("", "arrivals: { burst: { size: 301 } }, messages_per_call: 10", 3_000.0, 10.0),
        ("", "arrivals: { burst: { size: 200, every: 500ms, times: 2 } }", 400.0, 0.0),
        ("", "arrivals: { burst: { size: 300, every: 500ms, times: 2 } }", 450.0, 150.0),
        ("fifo_throughput: 3000/s", "arrivals: { burst: { size: 3001 } }", 3_000.0, 1.0),
        ("fifo_throughput: 3000/min", "arrivals: { burst: { size: 60 } }", 50.0, 10.0),
        ("fifo_throughput: unlimited", "arrivals: { burst: { size: 5000 } }", 5_000.0, 0.0),
    ] {
        let caller = format!("{caller}, client: {{ retry: none }}");
        let summary = simulate(&fifo(queue, "duration: 1s", "", &caller, "drain: 0s"));
        let case = format!("{queue} {caller}");
        check(&case, &summary, &[("queues.q.sent", sent), ("callers.c.throttled", throttled)]);
        if throttled > 0.0 {
            check(&case, &summary, &[("callers.c.status_codes.429", throttled)]);
        }
    }
}

/// 1,000 messages, each of a group of its own, for 2,000 pollers that begin at 10 s.
fn backlog(queue: &str, batch_size: u32, more: &str) -> Story {
    let mapping = format!("enable_delay: 10s, pollers: {{ initial: 2000, maximum: 2000 }}, batch_size: {batch_size}");
    let caller = "arrivals: { constant: 100/s }, max_events: 1000";
    let yaml = fifo(queue, "duration: 10s, timeout: 15s", &mapping, caller, more);
    Story::of(&Facts::of(&yaml.replacen("duration: 1s", "duration: 10s", 1)))
}

/// ESM-1.10.12: 300 receives a second, each of up to ten messages: 300 at once, the others 1/300 s after each other.
#[test]
fn esm_1_10_12_receives() {
    let by = |story: &Story, second: f64| story.received.iter().filter(|(at, _)| *at <= second).count();
    let single = backlog("", 1, "");
    assert_eq!([10.0, 10.5, 11.0, 12.34].map(|second| by(&single, second)), [300, 450, 600, 1_000]);
    // Nothing else is different: what was received is deleted ten seconds later.
    let waits = single.deleted.iter().zip(&single.received).map(|(deleted, received)| deleted.0 - received.0);
    assert!(waits.map(|wait| (wait - 10.0).abs()).fold(0.0, f64::max) < 1e-6);
    assert_eq!(by(&backlog("", 10, ""), 10.0), 1_000);
    assert_eq!(by(&backlog("fifo_throughput: unlimited", 1, ""), 10.0), 1_000);
}

/// ESM-1.10.12: 300 deletes a second, each of up to ten messages. 1,000 runs end at 20 s, when only so many are allowed:
/// 300 messages are deleted at once, the last one 700/300 s later, if each run has one.
#[test]
fn esm_1_10_12_deletes() {
    let more = "changes: [{ at: 15s, set: { queues.q.fifo_throughput: 300/s } }]";
    let by = |story: &Story, second: f64| story.deleted.iter().filter(|(at, _)| *at <= second).count();
    let single = backlog("fifo_throughput: unlimited", 1, more);
    assert_eq!([20.0, 21.01, 22.34].map(|second| by(&single, second)), [300, 603, 1_000]);
    assert_eq!(by(&backlog("fifo_throughput: unlimited", 10, more), 20.0), 1_000);
}

/// ESM-1.1.8: a changed delay leaves the messages of a standard queue as they are, and is that of all messages of a FIFO
/// queue, also if they are visible at once by it.
#[test]
fn esm_1_1_8_a_changed_delay() {
    for (kind, changed, first, second) in [
        ("", "20s", 60.0, 40.0),
        ("type: fifo,", "20s", 20.0, 40.0),
        ("", "2m", 60.0, 140.0),
        ("type: fifo,", "2m", 120.0, 140.0),
        ("type: fifo,", "5s", 10.0, 25.0),
    ] {
        let facts = Facts::of(&format!(
            "duration: 1m
functions: {{ f: {{ duration: 1s }} }}
queues: {{ q: {{ {kind} delivery_delay: 60s }} }}
event_source_mappings: {{ m: {{ source: q, function: f }} }}
callers: {{ c: {{ target: q, arrivals: {{ at: [0s, 20s] }} }} }}
changes: [{{ at: 10s, set: {{ queues.q.delivery_delay: {changed} }} }}]"
        ));
        let mut received = Story::of(&facts).received;
        received.sort_by_key(|(_, message)| *message);
        assert_eq!(received, [(first, 1), (second, 2)], "{kind} {changed}");
        let shown = facts.pick(|_, fact| match fact {
            Fact::Message(MessageFact::DelayEnded { at, .. }) => Some(ms(*at) / 1e3),
            _ => None,
        });
        assert_eq!(shown.len(), 2);
    }
}

/// ESM-1.13.2 to 1.13.4: delayed for 10 s, visible until the mapping begins at 30 s, in flight for 20 s.
#[test]
fn esm_1_13_where_messages_are() {
    let case = Case {
        queue: "delivery_delay: 10s, visibility_timeout: 1m",
        function: "duration: 20s, timeout: 30s",
        mapping: "enable_delay: 30s",
        arrivals: burst(4),
        duration: "100s",
        ..Case::default()
    };
    let gauge = |what: &str, key: &str| format!("queues.q.approximate_number_of_messages_{what}.{key}");
    let [delayed, visible, hidden] = ["delayed", "visible", "not_visible"];
    check(
        "four messages in 100 s",
        &case.summary(),
        &[
            (&gauge(delayed, "mean"), 0.4),
            (&gauge(visible, "mean"), 0.8),
            (&gauge(hidden, "mean"), 0.8),
            (&gauge(delayed, "max"), 4.0),
            (&gauge(visible, "max"), 4.0),
            (&gauge(hidden, "max"), 4.0),
            (&gauge(hidden, "last"), 0.0),
        ],
    );
    // Batches that wait for their window, and throttled ones, hold messages in flight.
    for (function, mapping) in
        [("duration: 1s", "maximum_batching_window: 20s"), ("duration: 1s, reserved_concurrency: 0", "")]
    {
        let case = Case { function, mapping, duration: "10s", more: "drain: 0s", ..Case::default() };
        check(mapping, &case.summary(), &[(&gauge(hidden, "mean"), 1.0), ("functions.f.invocations", 0.0)]);
    }
}

/// ESM-1.13.5, S16: the age of the oldest message that is not deleted, in flight or not; by an option it passes over
/// messages that were received so often. At 2 min the first message was received at 0, 30, 60 and 90 s, the second one,
/// sent at 70 s, at 70 and 100 s.
#[test]
fn esm_s16_age_of_the_oldest_message() {
    for (queue, age) in [
        ("", 120_000.0),
        ("oldest_age_skips_after: 5 receives", 120_000.0),
        ("oldest_age_skips_after: 4 receives", 50_000.0),
        ("oldest_age_skips_after: 3 receives", 50_000.0),
        ("oldest_age_skips_after: 2 receives", 0.0),
    ] {
        let case = Case {
            queue,
            function: "duration: 1s, failures: [{ probability: 100% }]",
            arrivals: "at: [0s, 70s]".into(),
            duration: "2m",
            more: "drain: 0s",
            ..Case::default()
        };
        check(queue, &case.summary(), &[("queues.q.approximate_age_of_oldest_message_ms.last", age)]);
    }
}

/// ESM-1.13.9: message groups in flight of a FIFO queue, and repetitions.
#[test]
fn esm_1_13_9_metrics_of_fifo_queues() {
    let caller = "keys: { list: [a, b, c, a] }, deduplication: { uniform: 1000000 }, arrivals: { burst: { size: 8 } }";
    let summary = simulate(&fifo("", "duration: 10s, timeout: 20s", "batch_size: 1", caller, "drain: 10s"));
    check("groups", &summary, &[("queues.q.groups_in_flight.max", 3.0), ("queues.q.groups_in_flight.last", 3.0)]);
    let caller = "deduplication: { constant: a }, arrivals: { burst: { size: 8 } }";
    let summary = simulate(&fifo("", "duration: 1s", "", caller, ""));
    check("repetitions", &summary, &[("queues.q.sent", 1.0), ("queues.q.deduplicated", 7.0)]);
    assert_eq!(at(&summary, "callers.c.outcomes.rejected"), &Value::from(0));
    assert!(same(number(&summary, "callers.c.succeeded"), 8.0));
}

/// ESM-1.13.12: each 64 KiB of a request are a request: 16 for 1 MiB, sent and received.
#[test]
fn esm_1_13_12_requests() {
    for (caller, requests) in [("payload: 1KB", 3.0), ("payload: 64KiB", 3.0), ("payload: 1MiB", 33.0)] {
        let case = Case { caller, more: "drain: 2s", ..Case::default() };
        let summary = case.summary();
        let empty = number(&summary, "queues.q.empty_receives");
        check(caller, &summary, &[("queues.q.requests", requests + empty)]);
    }
}
