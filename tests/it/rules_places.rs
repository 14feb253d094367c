//! Topics, event buses and buckets: what they pass on, what they try again, and what they give up (INV-6).
#![allow(clippy::float_cmp, reason = "counts and whole milliseconds are exact")]

use lambdasim::aws::config::Target;
use lambdasim::aws::fact::{Fact, MessageFact, PlaceFact, PlaceFailure, Undelivered};
use lambdasim::aws::ids::{Id, QueueId, TopicId};
use lambdasim::run;

use crate::common::{Facts, check, check_run, near, number, scenario, simulate};

/// What a place said, with the moment in seconds.
fn place_facts(facts: &Facts) -> Vec<(f64, PlaceFact)> {
    facts.pick(|now, fact| if let Fact::Place(place) = fact { Some((now / 1e3, *place)) } else { None })
}

/// Moments of the attempts of all deliveries, in seconds.
fn attempts(facts: &Facts) -> Vec<f64> {
    let of = |(now, fact): (f64, PlaceFact)| (!matches!(fact, PlaceFact::Received { .. })).then_some(now);
    place_facts(facts).into_iter().filter_map(of).collect()
}

/// How the only delivery failed: when, after how many attempts, why, and what became of it.
fn failure(facts: &Facts) -> (f64, u32, PlaceFailure, Undelivered) {
    let failures: Vec<_> = place_facts(facts)
        .into_iter()
        .filter_map(|(now, fact)| match fact {
            PlaceFact::DeliveryFailed { attempts, cause, fate, .. } => Some((now, attempts, cause, fate)),
            _ => None,
        })
        .collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures[0]
}

fn queue(index: usize) -> Target {
    Target::Queue(QueueId::from_index(index))
}

/// INV-6.1, INV-D31, INV-V37: 1 + 3 attempts at 0, then at 1 s and 2 s, ten more until 70.107 s, then every 20 s; the
/// last at 2,000,070.107 s.
#[test]
fn v37_a_topic_that_lambda_refuses_for_ever() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 0s } }
queues: { dead: {} }
topics: { t: { subscribers: [{ to: f, dead_letter_queue: dead }] } }
callers: { c: { target: t, arrivals: { at: [0s] } } }
faults: [{ function: f, status: 500 }]",
    );
    let times = attempts(&facts);
    assert_eq!(times.len(), 100_016);
    assert_eq!(times[..7], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    // INV-D31: 1 + 20^(1/9) + .. + 20 = 68.107 s.
    near("the end of the back-off", times[15], 70.107, 0.000_5);
    near("the first of the last phase", times[16], 90.107, 0.000_5);
    near("the last", *times.last().unwrap(), 2_000_070.107, 0.000_5);
    let (_, attempts, cause, fate) = failure(&facts);
    assert_eq!((attempts, cause), (100_016, PlaceFailure::MaximumRetryAttempts(500)));
    assert_eq!(fate, Undelivered::DeadLettered(queue(0)));
}

/// INV-6.1, INV-D31: the four phases that the scenario sets, one after the other; 429 is tried again as 5xx is.
#[test]
fn inv_6_1_the_phases_of_a_topic() {
    let rows: [(&str, u16, &[f64]); 4] = [
        ("immediate: 1", 429, &[0.0, 0.0, 5.0, 10.0, 12.0, 16.0, 24.0, 54.0]),
        ("immediate: 0", 503, &[0.0, 5.0, 10.0, 12.0, 16.0, 24.0, 54.0]),
        ("immediate: 0, pre_backoff: { times: 0 }, backoff: { times: 0 }", 500, &[0.0, 30.0]),
        (
            "immediate: 0, pre_backoff: { times: 0 }, backoff: { times: 1, from: 7s, to: 20s }, post_backoff: { times: 0 }",
            500,
            &[0.0, 7.0],
        ),
    ];
    for (retry, status, expected) in rows {
        let pre = if retry.contains("pre_backoff") { "" } else { ", pre_backoff: { times: 2, every: 5s }" };
        let back = if retry.contains(" backoff") { "" } else { ", backoff: { times: 3, from: 2s, to: 8s }" };
        let post = if retry.contains("post_backoff") { "" } else { ", post_backoff: { times: 1, every: 30s }" };
        let facts = Facts::of(&format!(
            "duration: 1s
queues: {{ q: {{}} }}
topics: {{ t: {{ subscribers: [q], retry: {{ {retry}{pre}{back}{post} }} }} }}
callers: {{ c: {{ target: t, arrivals: {{ at: [0s] }} }} }}
faults: [{{ queue: q, status: {status} }}]"
        ));
        assert_eq!(attempts(&facts), expected, "{retry}");
        assert_eq!(failure(&facts).3, Undelivered::Lost);
    }
}

/// INV-6.1: what was refused is delivered when the target's service works again.
#[test]
fn inv_6_1_a_topic_outlives_an_outage() {
    let yaml = "duration: 1s
functions: { f: { duration: 100ms } }
topics: { t: { subscribers: [f] } }
callers: { c: { target: t, arrivals: { at: [0s] } } }
faults: [{ function: f, status: 500, until: 60s }]";
    let facts = Facts::of(yaml);
    let made: Vec<_> = place_facts(&facts)
        .into_iter()
        .filter_map(
            |(now, fact)| if let PlaceFact::Delivered { attempt, .. } = fact { Some((now, attempt)) } else { None },
        )
        .collect();
    // INV-D31: the sums of the waits are 2, 3, 4.39, 6.34, 9.05, 12.84, 18.12, 25.48, 35.75, 50.07 and 70.107 s.
    assert_eq!(made.len(), 1);
    near("the attempt after the outage", made[0].0, 70.107, 0.000_5);
    assert_eq!(made[0].1, 16);
    check_run(
        "it runs",
        yaml,
        &[
            ("topics.t.received", 1.0),
            ("topics.t.delivered", 1.0),
            ("topics.t.retries", 15.0),
            ("topics.t.failed", 0.0),
            ("functions.f.async_events_received", 1.0),
            ("functions.f.invocations", 1.0),
            ("conservation.topics.t.in", 1.0),
            ("conservation.topics.t.out", 1.0),
        ],
    );
}

/// INV-6.3, INV-D32: up to 185 retries with waits of min(2^i, 480) s, within 24 hours.
#[test]
fn inv_6_3_the_retries_of_a_rule() {
    let run = |retry: &str| {
        Facts::of(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 0s }} }}
queues: {{ dead: {{}} }}
event_buses: {{ e: {{ rules: [{{ targets: [f], dead_letter_queue: dead{retry} }}] }} }}
callers: {{ c: {{ target: e, arrivals: {{ at: [0s] }} }} }}
faults: [{{ function: f, status: 500 }}]"
        ))
    };
    let facts = run("");
    let times = attempts(&facts);
    assert_eq!(times.len(), 186);
    assert_eq!(times[..11], [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 127.0, 255.0, 511.0, 991.0]);
    let (at, attempts, cause, fate) = failure(&facts);
    assert_eq!((at, attempts, cause), (84_991.0, 186, PlaceFailure::MaximumRetryAttempts(500)));
    assert_eq!(fate, Undelivered::DeadLettered(queue(0)));
    // The number of retries, and the age: the next attempt would come at 63 s.
    let by_number = PlaceFailure::MaximumRetryAttempts(500);
    let by_age = PlaceFailure::MaximumEventAge(500);
    for (retry, expected) in [
        (", retry: { maximum_retry_attempts: 0 }", (0.0, 1, by_number)),
        (", retry: { maximum_retry_attempts: 1 }", (1.0, 2, by_number)),
        (", retry: { maximum_event_age: 60s }", (31.0, 6, by_age)),
        (", retry: { maximum_event_age: 63s }", (31.0, 6, by_age)),
        (", retry: { maximum_event_age: 63001ms }", (63.0, 7, by_age)),
        (", retry: { maximum_event_age: 60s, maximum_retry_attempts: 5 }", (31.0, 6, by_number)),
        (", retry: { base: 10s, factor: 1, maximum_retry_attempts: 3 }", (30.0, 4, by_number)),
    ] {
        let (at, attempts, cause, _) = failure(&run(retry));
        assert_eq!((at, attempts, cause), expected, "{retry}");
    }
}

/// INV-D33: 1 s, doubled up to 300 s, within 24 hours from the object: the last at 511 s + 286 x 300 s. The delay of
/// the notification is part of the age.
#[test]
fn d33_the_notifications_of_a_bucket() {
    let run = |rest: &str| {
        let facts = Facts::of(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 0s }} }}
buckets: {{ b: {{ notify: [f]{rest} }} }}
callers: {{ c: {{ target: b, arrivals: {{ at: [0s] }} }} }}
faults: [{{ function: f, status: 500 }}]"
        ));
        let (at, attempts, cause, fate) = failure(&facts);
        assert_eq!((cause, fate), (PlaceFailure::MaximumEventAge(500), Undelivered::Lost));
        (at, attempts, self::attempts(&facts))
    };
    let (at, attempts, times) = run("");
    assert_eq!((at, attempts), (511.0 + 286.0 * 300.0, 296));
    assert_eq!(times[..11], [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 127.0, 255.0, 511.0, 811.0]);
    let (at, attempts, times) = run(", delay: 2s, retry: { maximum_event_age: 10s }");
    assert_eq!((at, attempts, &times[..]), (9.0, 4, &[2.0, 3.0, 5.0, 9.0][..]));
    let (at, ..) = run(", delay: 2s, retry: { maximum_event_age: 9s }");
    assert_eq!(at, 5.0);
}

/// INV-6.2: what a target can never take is not tried again. Just at and above each limit: a function takes 2^20 bytes,
/// a queue what it says, a topic 256 KiB if it says nothing else, a stream 1 MiB.
#[test]
fn inv_6_2_what_is_too_large() {
    let target = |to: &str| {
        format!("event_buses: {{ e: {{ rules: [{{ targets: [{to}], dead_letter_queue: dead }}] }}, f: {{}} }}")
    };
    for (to, limit) in [("fun", 1_048_576), ("small", 2_048), ("topic", 262_144), ("wide", 300_000), ("f", 1_048_576)] {
        for (bytes, fails) in [(limit, false), (limit + 1, true)] {
            if bytes > 1_048_576 {
                continue; // The bus itself does not take it.
            }
            let summary = simulate(&format!(
                "duration: 1s
functions: {{ fun: {{ duration: 0s }} }}
queues: {{ dead: {{}}, small: {{ maximum_message_size: 2KiB }} }}
topics: {{ topic: {{}}, wide: {{ maximum_message_size: 300KB }} }}
{}
callers: {{ c: {{ target: e, payload: {bytes}B, arrivals: {{ at: [0s] }} }} }}",
                target(to)
            ));
            let fails = f64::from(u8::from(fails));
            let expected = [
                ("event_buses.e.delivered", 1.0 - fails),
                ("event_buses.e.retries", 0.0),
                ("event_buses.e.failed", fails),
                ("event_buses.e.dead_letters", fails),
                ("queues.dead.sent", fails),
            ];
            check(&format!("{to} {bytes}"), &summary, &expected);
        }
    }
}

/// INV-O5 and the limits of the services: what callers send that is too large is refused with 400.
#[test]
fn what_callers_send_to_places_has_a_limit() {
    for (target, limit) in [("t", 262_144_u64), ("large", 1_048_576), ("e", 1_048_576), ("b", 5_000_000_000)] {
        for (bytes, accepted) in [(limit, 1.0), (limit + 1, 0.0)] {
            let summary = simulate(&format!(
                "duration: 1s
topics: {{ t: {{}}, large: {{ maximum_message_size: 1MiB }} }}
event_buses: {{ e: {{}} }}
buckets: {{ b: {{}} }}
callers: {{ c: {{ target: {target}, payload: {bytes}B, arrivals: {{ at: [0s] }} }} }}"
            ));
            let status = if accepted > 0.0 { "200" } else { "400" };
            let expected = [
                ("callers.c.succeeded", accepted),
                ("callers.c.outcomes.rejected", 1.0 - accepted),
                (&*format!("callers.c.status_codes.{status}"), 1.0),
            ];
            check(&format!("{target} {bytes}"), &summary, &expected);
        }
    }
}

/// INV-T5: a fault of a place refuses what callers send; their clients try again.
#[test]
fn faults_of_places_are_the_clients() {
    for (kind, group) in [("topic", "topics"), ("event_bus", "event_buses"), ("bucket", "buckets")] {
        let yaml = format!(
            "duration: 10s
{group}: {{ p: {{}} }}
callers: {{ c: {{ target: p, arrivals: {{ at: [0s] }}, client: {{ retry: {{ max_attempts: 3, base: 1s, jitter: none }} }} }} }}
faults: [{{ {kind}: p, status: 503, until: 2s }}]"
        );
        assert_eq!(Facts::of(&yaml).attempt_times(0), [0.0, 1_000.0, 3_000.0]);
        check_run(
            kind,
            &yaml,
            &[
                ("callers.c.status_codes.503", 2.0),
                ("callers.c.succeeded", 1.0),
                (&format!("{group}.p.received"), 1.0),
                (&format!("{group}.p.retries"), 0.0),
            ],
        );
    }
}

/// INV-6: the caller has its answer first, then the deliveries follow in the same instant, in the order of the routes.
#[test]
fn deliveries_follow_the_answer() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 0s } }
queues: { q: {} }
topics: { t: { subscribers: [f, q] } }
callers: { c: { target: t, arrivals: { at: [0s] } } }",
    );
    let words = facts.pick(|_, fact| match fact {
        Fact::CallSubmitted { .. } => Some("submitted"),
        Fact::AttemptSent { .. } => Some("sent"),
        Fact::Place(PlaceFact::Received { deliveries: 2, parent: None, .. }) => Some("received"),
        Fact::AttemptAnswered { status: 200, .. } => Some("answered"),
        Fact::CallFinished { .. } => Some("finished"),
        Fact::Place(PlaceFact::Delivered { attempt: 1, .. }) => Some("delivered"),
        Fact::EventAccepted { parent: Some(0), .. } => Some("event"),
        Fact::Message(MessageFact::Sent { .. }) => Some("message"),
        Fact::EventDispatched { .. } => Some("dispatched"),
        _ => None,
    });
    let first = ["submitted", "sent", "received", "answered", "finished"];
    assert_eq!(words[..5], first);
    assert_eq!(words[5..], ["delivered", "event", "delivered", "message", "dispatched"]);
}

/// INV-6.3: each rule is judged by itself, and all its targets get what matches. The share is met: of 20,000 events
/// 20 % are 4,000, with a standard deviation of 56.6; five of them are missed once in two million runs.
#[test]
fn inv_6_3_rules_match_by_themselves() {
    let run = |rules: &str| {
        simulate(&format!(
            "duration: 20000s
queues: {{ a: {{}}, b: {{}}, c: {{}} }}
event_buses: {{ e: {{ rules: [{rules}] }} }}
callers: {{ all: {{ target: e, arrivals: {{ constant: 1/s }} }} }}"
        ))
    };
    let both = run("{ match: 20%, targets: [a, b] }, { match: 50%, targets: [c] }");
    let sent = |summary: &serde_json::Value, queue: &str| number(summary, &format!("queues.{queue}.sent"));
    assert_eq!(sent(&both, "a"), sent(&both, "b"));
    near("20 %", sent(&both, "a"), 4_000.0, 283.0);
    near("50 %", sent(&both, "c"), 10_000.0, 354.0);
    let delivered = number(&both, "event_buses.e.delivered");
    assert_eq!(delivered, 2.0 * sent(&both, "a") + sent(&both, "c"));
    // What matches nothing is out: of 20,000 events 0.8 x 0.5 match neither rule.
    let nobody = number(&both, "conservation.event_buses.e.in") - delivered;
    near("neither", nobody, 8_000.0, 347.0);
    assert_eq!(number(&both, "conservation.event_buses.e.left"), 0.0);
    // Other rules behind it do not change what matches one.
    let first = run("{ match: 20%, targets: [a] }");
    assert_eq!(sent(&first, "a"), sent(&both, "a"));
}

/// INV-6.1: a filter policy of a subscription, and the dead-letter queue of another.
#[test]
fn inv_6_1_subscriptions_are_judged_by_themselves() {
    let summary = simulate(
        "duration: 10000s
queues: { all: {}, some: {}, dead: {} }
functions: { none: { duration: 0s } }
topics: { t: { subscribers: [all, { to: some, match: 25% }, { to: none, match: 0%, dead_letter_queue: dead }] } }
callers: { c: { target: t, arrivals: { constant: 1/s } } }",
    );
    check("all", &summary, &[("queues.all.sent", 10_000.0), ("queues.dead.sent", 0.0), ("topics.t.failed", 0.0)]);
    // Standard deviation 43.3; five of them.
    near("25 %", number(&summary, "queues.some.sent"), 2_500.0, 217.0);
    check("none", &summary, &[("functions.none.async_events_received", 0.0)]);
}

/// INV-6.3: a rule delivers to each kind of target, and each gets what matches.
#[test]
fn inv_6_3_targets_of_a_rule() {
    check_run(
        "every kind",
        "duration: 10s
functions: { f: { duration: 0s } }
queues: { standard: {}, fifo: { type: fifo }, behind: {} }
streams: { s: { type: kinesis, shards: 2 } }
topics: { t: { subscribers: [behind] } }
event_buses:
  main: { rules: [{ targets: [f, standard, fifo, s, t] }, { targets: [other] }] }
  other: { rules: [{ targets: [behind] }] }
callers: { c: { target: main, arrivals: { constant: 10/s }, payload: 2KB } }",
        &[
            ("event_buses.main.received", 100.0),
            ("event_buses.main.delivered", 600.0),
            ("functions.f.invocations", 100.0),
            ("queues.standard.sent", 100.0),
            ("queues.fifo.sent", 100.0),
            ("streams.s.put_records", 100.0),
            ("topics.t.received", 100.0),
            ("event_buses.other.received", 100.0),
            ("queues.behind.sent", 200.0),
        ],
    );
}

/// INV-6.3: what a rule sends to a FIFO queue is of one message group, so one batch at a time is in work.
#[test]
fn inv_6_3_a_fifo_queue_gets_one_message_group() {
    let most = |rules: &str, target: &str| {
        let summary = simulate(&format!(
            "duration: 100s
functions: {{ f: {{ duration: 1s, timeout: 5s }} }}
queues: {{ fifo: {{ type: fifo }} }}
event_source_mappings: {{ m: {{ source: fifo, function: f, batch_size: 1 }} }}
event_buses: {{ e: {{ rules: [{rules}] }} }}
callers: {{ c: {{ target: {target}, arrivals: {{ burst: {{ size: 30 }} }} }} }}"
        ));
        assert_eq!(number(&summary, "queues.fifo.deleted"), 30.0);
        number(&summary, "functions.f.concurrent_executions.max")
    };
    assert_eq!(most("{ targets: [fifo] }", "e"), 1.0);
    assert!(most("", "fifo") > 1.0, "by itself each message has a group");
}

/// A shard that takes no more is a throttle, and the rule tries again (INV-6.3).
#[test]
fn inv_6_3_a_full_shard_is_tried_again() {
    let summary = simulate(
        "duration: 1s
streams: { s: { type: kinesis, shards: 1 } }
event_buses: { e: { rules: [{ targets: [s] }] } }
callers: { c: { target: e, arrivals: { burst: { size: 1500 } } } }",
    );
    // ESM-2.1: 1,000 records a second; the other 500 find room a second later.
    check(
        "after a second",
        &summary,
        &[
            ("streams.s.put_records", 1_500.0),
            ("streams.s.write_throttles", 500.0),
            ("event_buses.e.retries", 500.0),
            ("event_buses.e.failed", 0.0),
        ],
    );
}

/// From a bucket over a topic and a queue to a function; the object may be large, as its notification is small.
#[test]
fn s3_to_sns_to_sqs_to_lambda() {
    let yaml = "duration: 10s
functions: { f: { duration: 100ms } }
queues: { jobs: {} }
event_source_mappings: { m: { source: jobs, function: f, batch_size: 1 } }
topics: { t: { subscribers: [jobs] } }
buckets: { b: { notify: [t], delay: 500ms } }
callers: { c: { target: b, arrivals: { constant: 1/s }, payload: 50MB } }";
    check_run(
        "the chain",
        yaml,
        &[
            ("buckets.b.received", 10.0),
            ("buckets.b.delivered", 10.0),
            ("topics.t.received", 10.0),
            ("queues.jobs.sent", 10.0),
            ("functions.f.invocations", 10.0),
        ],
    );
    let starts: Vec<_> = Facts::of(yaml).runs().iter().map(|run| run.start).collect();
    assert_eq!(starts[0], 500.0);
    // Each notification is of the object's submission.
    let submissions: Vec<_> = Facts::of(yaml).runs().iter().map(|run| run.submission).collect();
    assert_eq!(submissions, (1..=10).collect::<Vec<_>>());
}

/// INV-5.4: what a dead-letter queue or a destination is sent goes on from a topic, a bus or a bucket.
#[test]
fn what_lambda_sends_to_a_place_is_passed_on() {
    for (setting, target, group) in [
        ("dead_letter_queue", "t", "topics"),
        ("on_failure", "t", "topics"),
        ("on_failure", "e", "event_buses"),
        ("on_failure", "b", "buckets"),
        ("on_success", "t", "topics"),
        ("on_success", "e", "event_buses"),
    ] {
        let failures = if setting == "on_success" { "" } else { ", failures: [{ probability: 100% }]" };
        let summary = simulate(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 1s{failures}, async: {{ maximum_retry_attempts: 0, {setting}: {target} }} }} }}
queues: {{ end: {{}} }}
topics: {{ t: {{ subscribers: [end] }} }}
event_buses: {{ e: {{ rules: [{{ targets: [end] }}] }} }}
buckets: {{ b: {{ notify: [end] }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ constant: 5/s }} }} }}"
        ));
        let received = format!("{group}.{target}.received");
        let delivered = format!("{group}.{target}.delivered");
        let expected = [(&*received, 5.0), (&*delivered, 5.0), ("queues.end.sent", 5.0)];
        check(&format!("{setting} {target}"), &summary, &expected);
    }
}

/// ESM-2.3: batches that a mapping of a stream gives up reach a topic and a bucket, and go on from there.
#[test]
fn what_a_mapping_gives_up_is_passed_on() {
    for (target, group) in [("t", "topics"), ("b", "buckets")] {
        let summary = simulate(&format!(
            "duration: 5s
functions: {{ f: {{ duration: 0s, failures: [{{ probability: 100% }}] }} }}
streams: {{ s: {{ type: kinesis, shards: 1 }} }}
event_source_mappings: {{ m: {{ source: s, function: f, batch_size: 1, maximum_retry_attempts: 0, on_failure: {target} }} }}
queues: {{ end: {{}} }}
topics: {{ t: {{ subscribers: [end] }} }}
buckets: {{ b: {{ notify: [end] }} }}
callers: {{ c: {{ target: s, arrivals: {{ constant: 1/s }} }} }}"
        ));
        let received = format!("{group}.{target}.received");
        check(target, &summary, &[(&*received, 5.0), ("queues.end.sent", 5.0)]);
    }
}

/// INV-5.7: a chain over a topic or a bucket is one chain: 16 runs, the 17th is dropped. `EventBridge` does not track it.
#[test]
fn inv_5_7_loops_over_places() {
    let over = |setting: &str, target: &str| {
        let failures = if setting == "on_failure" { ", failures: [{ probability: 100% }]" } else { "" };
        let yaml = format!(
            "duration: 60s
drain: 0s
functions: {{ f: {{ duration: 1s{failures}, async: {{ maximum_retry_attempts: 0, {setting}: {target} }} }} }}
topics: {{ t: {{ subscribers: [f] }} }}
event_buses: {{ e: {{ rules: [{{ targets: [f] }}] }} }}
buckets: {{ b: {{ notify: [f] }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ at: [0s] }} }} }}"
        );
        let summary = simulate(&yaml);
        let of = |path| number(&summary, path);
        (of("functions.f.invocations"), of("functions.f.recursive_invocations_dropped"), Facts::of(&yaml))
    };
    for (setting, target) in [("on_success", "t"), ("on_failure", "t"), ("on_failure", "b")] {
        let (runs, dropped, facts) = over(setting, target);
        assert_eq!((runs, dropped), (16.0, 1.0), "{setting} {target}");
        // The dropped event is told of, but may not go on in the loop.
        let refused = place_facts(&facts).iter().any(|(_, fact)| {
            matches!(fact, PlaceFact::DeliveryFailed { cause: PlaceFailure::RecursiveInvocation, .. })
        });
        assert_eq!(refused, setting == "on_failure", "{setting} {target}");
    }
    let (runs, dropped, _) = over("on_success", "e");
    assert_eq!((runs, dropped), (60.0, 0.0));
}

/// Deliveries that wait keep a run open; where it is cut they are left.
#[test]
fn deliveries_that_wait_keep_a_run_open() {
    let run = |drain: &str| {
        simulate(&format!(
            "duration: 1s
drain: {drain}
queues: {{ q: {{}} }}
buckets: {{ b: {{ notify: [q], delay: 1h }} }}
callers: {{ c: {{ target: b, arrivals: {{ at: [0s] }} }} }}"
        ))
    };
    check("settle", &run("settle"), &[("window.ended_ms", 3_600_000.0), ("buckets.b.delivered", 1.0)]);
    let cut = run("30m");
    check("cut", &cut, &[("conservation.buckets.b.in", 1.0), ("conservation.buckets.b.left", 1.0)]);
}

/// Two event buses that send to each other go on for ever: the event budget stops the run and says who was busy.
#[test]
fn buses_that_send_to_each_other_meet_the_event_budget() {
    let scenario = scenario(
        "duration: 1s
model: { event_budget: 10000 }
event_buses: { a: { rules: [{ targets: [b] }] }, b: { rules: [{ targets: [a] }] } }
callers: { c: { target: a, arrivals: { at: [0s] } } }",
    );
    let stopped = format!("{:?}", run::run(&scenario).expect_err("it never ends"));
    assert!(stopped.contains("place a") || stopped.contains("place b"), "{stopped}");
}

/// A dead-letter queue that refuses too: what could not be delivered is gone, and is not a dead letter.
#[test]
fn inv_6_2_a_dead_letter_queue_that_refuses() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 0s } }
queues: { dead: {} }
event_buses: { e: { rules: [{ targets: [f], dead_letter_queue: dead, retry: { maximum_retry_attempts: 0 } }] } }
callers: { c: { target: e, arrivals: { at: [0s] } } }
faults: [{ function: f, status: 500 }, { queue: dead, status: 503 }]",
    );
    assert_eq!(failure(&facts).3, Undelivered::Refused(queue(0), 503));
}

/// A fault with a probability judges each delivery and each attempt anew, whatever else the scenario has.
#[test]
fn faults_judge_deliveries_anew() {
    let run = |subscribers: &str| {
        simulate(&format!(
            "duration: 10000s
functions: {{ f: {{ duration: 0s }} }}
queues: {{ q: {{}} }}
topics: {{ t: {{ subscribers: [{subscribers}] }} }}
callers: {{ c: {{ target: t, arrivals: {{ constant: 1/s }} }} }}
faults: [{{ function: f, status: 500, probability: 50% }}]"
        ))
    };
    let alone = number(&run("f"), "topics.t.retries");
    // Each delivery is refused once on the average: standard deviation sqrt(2 x 10,000) = 141; five of them.
    near("retries", alone, 10_000.0, 707.0);
    assert_eq!(number(&run("f, q"), "topics.t.retries"), alone);
}

/// What is sent is billed by pieces of 64 KiB to topics and buses, and by object to buckets (INV-7; prices `D-rec`).
#[test]
fn inv_7_what_is_sent_to_places_is_billed() {
    let rows = [
        ("t", "topics", 65_536, 0.5e-6),
        ("t", "topics", 65_537, 1e-6),
        ("e", "event_buses", 65_536, 1e-6),
        ("e", "event_buses", 131_073, 3e-6),
        ("b", "buckets", 5_000_000, 5e-6),
    ];
    for (target, group, bytes, usd) in rows {
        let summary = simulate(&format!(
            "duration: 1000s
topics: {{ t: {{}} }}
event_buses: {{ e: {{}} }}
buckets: {{ b: {{}} }}
callers: {{ c: {{ target: {target}, payload: {bytes}B, arrivals: {{ constant: 1/s }} }} }}"
        ));
        let total = usd * 1_000.0;
        check(
            &format!("{target} {bytes}"),
            &summary,
            &[(&*format!("cost.{group}.{target}.total_usd"), total), ("cost.total_usd", total)],
        );
    }
}

/// Several messages of one call are submissions of their own.
#[test]
fn a_call_may_publish_several_messages() {
    check_run(
        "ten at a time",
        "duration: 10s
queues: { q: {} }
topics: { t: { subscribers: [q] } }
callers: { c: { target: t, messages_per_call: 10, arrivals: { constant: 1/s } } }",
        &[("callers.c.submitted", 100.0), ("topics.t.received", 100.0), ("queues.q.sent", 100.0)],
    );
}

/// What was submitted before the warm-up is passed on and not counted, but conserved.
#[test]
fn places_measure_by_submission() {
    check_run(
        "half",
        "duration: 10s
warmup: 5s
queues: { q: {} }
topics: { t: { subscribers: [q] } }
callers: { c: { target: t, arrivals: { constant: 1/s } } }",
        &[
            ("topics.t.received", 5.0),
            ("topics.t.delivered", 5.0),
            ("conservation.topics.t.in", 10.0),
            ("conservation.topics.t.out", 10.0),
        ],
    );
}

/// A place has its own name in every fact.
#[test]
fn places_are_told_apart() {
    let facts = Facts::of(
        "duration: 1s
queues: { q: {} }
topics: { a: {}, b: { subscribers: [q] } }
callers: { c: { target: b, arrivals: { at: [0s] } } }",
    );
    let place = facts.pick(|_, fact| match fact {
        Fact::Place(PlaceFact::Received { place, .. }) => Some(*place),
        _ => None,
    });
    assert_eq!(place, [Target::Topic(TopicId::from_index(1))]);
}
