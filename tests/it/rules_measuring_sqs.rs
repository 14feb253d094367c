//! What queues and mappings count, in whole runs (ESM-1.13, 6.5).

use serde_json::Value;

use crate::common::{at, check, number, simulate};

/// One queue `q`, its dead-letter queue `dlq`, one function and one mapping.
fn run(queue: &str, function: &str, mapping: &str, arrivals: &str, more: &str) -> Value {
    let summary = simulate(&format!(
        "functions: {{ f: {{ {function} }} }}
queues: {{ q: {{ {queue} }}, dlq: {{}} }}
event_source_mappings: {{ m: {{ source: q, function: f, {mapping} }} }}
callers: {{ c: {{ target: q, arrivals: {{ {arrivals} }} }} }}
{more}"
    ));
    assert_eq!(at(&summary, "conservation.holds"), &Value::Bool(true));
    summary
}

/// ESM-A6: five pollers and nobody who sends, for a month; it costs nothing to simulate.
#[test]
fn esm_a6_empty_receives() {
    let summary = run("", "duration: 1s", "", "at: []", "duration: 30d\nwarmup: 10d");
    let polls = 20.0 * 21_600.0 + 5.0;
    check(
        "30 days",
        &summary,
        &[
            ("event_source_mappings.m.polls", polls),
            ("event_source_mappings.m.empty_polls", polls),
            ("event_source_mappings.m.pollers.mean", 5.0),
            ("queues.q.empty_receives", polls),
            ("queues.q.requests", polls),
            ("cost.queues.q.total_usd", polls * 4e-7),
            ("cost.event_source_mappings.m.total_usd", 0.0),
            ("queues.q.approximate_age_of_oldest_message_ms.max", 0.0),
        ],
    );
    assert_eq!(at(&summary, "queues.q.drained_at_ms"), &Value::Null);
}

/// ESM-A8: two provisioned pollers for 720 hours.
#[test]
fn esm_a8_cost_of_pollers() {
    let mapping = "provisioned_pollers: { minimum: 2, maximum: 200 }";
    let summary = run("", "duration: 1s", mapping, "at: []", "duration: 30d");
    check("720 h", &summary, &[("cost.event_source_mappings.m.total_usd", 13.32)]);
}

/// ESM-A10, A48: receives are used up, every one with a run; the queue's dead letters were moved, not sent.
#[test]
fn esm_a10_a48_dead_letters_are_moved() {
    let queue = "visibility_timeout: 30s, redrive: { dead_letter_queue: dlq, max_receive_count: 5 }";
    let function = "duration: 1s, failures: [{ probability: 100% }]";
    let summary = run(queue, function, "", "at: [0s]", "duration: 1s");
    check(
        "five receives",
        &summary,
        &[
            ("queues.q.sent", 1.0),
            ("queues.q.received", 5.0),
            ("queues.q.deleted", 0.0),
            ("queues.q.moved_to_dlq", 1.0),
            ("queues.q.moved_to_dlq_without_invocation", 0.0),
            ("queues.q.duplicate_deliveries", 4.0),
            ("queues.q.receives_per_message.max", 5.0),
            ("queues.q.drained_at_ms", 150_000.0),
            ("queues.dlq.sent", 0.0),
            ("queues.dlq.moved_in", 1.0),
            ("queues.dlq.approximate_number_of_messages_visible.last", 1.0),
            ("event_source_mappings.m.invocations", 5.0),
            ("event_source_mappings.m.failed_invocations", 5.0),
            ("event_source_mappings.m.failed_invoke_events", 5.0),
            ("event_source_mappings.m.runs_per_record.max", 5.0),
            // At 60 and at 120 s.
            ("queues.q.approximate_age_of_oldest_message_ms.mean", 90_000.0),
        ],
    );
}

/// ESM-A11: at day 2 the age of a dead letter that was moved at day 1 is a day.
#[test]
fn esm_a11_the_age_counts_from_the_move() {
    let queue = "visibility_timeout: 12h, redrive: { dead_letter_queue: dlq, max_receive_count: 2 }";
    let function = "duration: 1s, failures: [{ probability: 100% }]";
    let summary = run(queue, function, "", "at: [0s]", "duration: 2d\ndrain: 0s");
    check("day 2", &summary, &[("queues.dlq.approximate_age_of_oldest_message_ms.last", 86_400e3)]);
}

/// ESM-A28: polled is what was filtered out and what was invoked; deletions of the filter are not those of the mapping.
#[test]
fn esm_a28_filtered_messages() {
    let summary = run(
        "",
        "duration: 1s",
        "filter: 60%",
        "poisson: 100/s",
        "duration: 1m\nwarmup: 20s\naccount: { scaling: off }",
    );
    let mapping = |key: &str| number(&summary, &format!("event_source_mappings.m.{key}"));
    let (polled, filtered, invoked) =
        (mapping("polled_events"), mapping("filtered_out_events"), mapping("invoked_events"));
    assert!((polled, filtered) > (3_000.0, 1_000.0), "{polled}, {filtered}");
    check(
        "filter",
        &summary,
        &[
            ("queues.q.sent", polled),
            ("queues.q.deleted", polled),
            ("queues.q.moved_to_dlq", 0.0),
            ("event_source_mappings.m.polled_events", filtered + invoked),
            ("event_source_mappings.m.deleted_events", invoked),
            ("event_source_mappings.m.runs_per_record.count", invoked),
        ],
    );
}

/// ESM-A31: valid messages are dead-lettered without a run.
#[test]
fn esm_a31_over_pulling_is_told() {
    let queue = "redrive: { dead_letter_queue: dlq, max_receive_count: 1 }";
    let function = "duration: 5s, timeout: 10s, reserved_concurrency: 1";
    let mapping = "batch_size: 1, pollers: { maximum: 5 }";
    let summary = run(queue, function, mapping, "burst: { size: 10 }", "duration: 1s");
    check(
        "over-pull",
        &summary,
        &[
            ("queues.q.sent", 10.0),
            ("queues.q.received", 10.0),
            ("queues.q.deleted", 6.0),
            ("queues.q.moved_to_dlq", 4.0),
            ("queues.q.moved_to_dlq_without_invocation", 4.0),
            ("queues.q.drained_at_ms", 30_000.0),
            ("queues.dlq.moved_in", 4.0),
            ("event_source_mappings.m.throttles", 20.0),
            ("functions.f.throttles", 20.0),
            ("event_source_mappings.m.batches", 10.0),
            ("event_source_mappings.m.invocations", 6.0),
            ("event_source_mappings.m.concurrent_invocations.max", 1.0),
            ("event_source_mappings.m.runs_per_record.min", 0.0),
            ("callers.c.runs_per_call.count", 0.0),
            ("conservation.queues.q.out", 10.0),
            ("conservation.queues.dlq.left", 4.0),
            // Ten sends, ten receives and six deletions; then long polls that gave nothing.
            ("queues.q.requests", 26.0 + number(&summary, "queues.q.empty_receives")),
        ],
    );
}

/// ESM-A41: what a function reports as failed comes back, and only that.
#[test]
fn esm_a41_partial_failures_are_counted() {
    let function = "duration: 4s, timeout: 10s, failures: [{ events: [3, 7], first_attempts: 1 }]";
    let mapping = "report_batch_item_failures: true";
    let summary = run("visibility_timeout: 60s", function, mapping, "burst: { size: 10 }", "duration: 1s");
    check(
        "partial",
        &summary,
        &[
            ("event_source_mappings.m.batches", 2.0),
            ("event_source_mappings.m.failed_invocations", 0.0),
            ("event_source_mappings.m.failed_invoke_events", 2.0),
            ("event_source_mappings.m.invoked_events", 12.0),
            ("queues.q.duplicate_deliveries", 2.0),
            ("queues.q.received", 12.0),
            ("queues.q.deleted", 10.0),
            ("queues.q.time_to_delete_ms.min", 4_000.0),
        ],
    );
}
