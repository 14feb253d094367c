//! Topics, event buses and buckets: what they cannot pass on.

use super::{ARRIVALS, END, GOOD, Kind, TARGET, check, refuse};

#[test]
fn names_that_places_cannot_deliver_to() {
    let kind = Kind::UnknownName;
    check(&[
        (
            END,
            "topics: {t: {subscribers: [«g]}}",
            kind,
            "topics.t.subscribers[0].to",
            &["there is no function or queue `g`", "there are `f`"],
        ),
        (
            END,
            "topics: {t: {subscribers: [f, {to: «fo}]}}",
            kind,
            "topics.t.subscribers[1].to",
            &["there is no function or queue `fo`", "did you mean `f`?"],
        ),
        (
            END,
            "topics: {t: {subscribers: [«t]}}",
            kind,
            "topics.t.subscribers[0].to",
            &["there is no function or queue `t`", "this is a topic"],
        ),
        (
            END,
            "topics: {t: {subscribers: [«b]}}\nbuckets: {b: {}}",
            kind,
            "topics.t.subscribers[0].to",
            &["this is a bucket"],
        ),
        (
            END,
            "topics: {t: {subscribers: [{to: f, dead_letter_queue: «f}]}}",
            kind,
            "topics.t.subscribers[0].dead_letter_queue",
            &["there is no queue `f`", "this is a function"],
        ),
        (
            END,
            "event_buses: {e: {rules: [{targets: [f, «b]}]}}\nbuckets: {b: {}}",
            kind,
            "event_buses.e.rules[0].targets[1]",
            &["there is no function, queue, topic, stream, event bus or state machine `b`", "this is a bucket"],
        ),
        (
            END,
            "event_buses: {e: {rules: [{targets: [f], dead_letter_queue: «q}]}}",
            kind,
            "event_buses.e.rules[0].dead_letter_queue",
            &["there is no queue `q`"],
        ),
        (
            END,
            "buckets: {b: {notify: [«b]}}",
            kind,
            "buckets.b.notify[0].to",
            &["there is no function, queue, topic or event bus `b`", "this is a bucket"],
        ),
    ]);
}

#[test]
fn keys_of_places() {
    let kind = Kind::UnknownKey;
    check(&[
        (
            END,
            "topics: {t: {«subscriber: [f]}}",
            kind,
            "topics.t.subscriber",
            &["a key of a topic", "did you mean `subscribers`?"],
        ),
        (
            END,
            "topics: {t: {subscribers: [{to: f, «matches: 20%}]}}",
            kind,
            "topics.t.subscribers[0].matches",
            &["a key of a subscription", "the keys are `to`, `match`, `dead_letter_queue`"],
        ),
        (
            END,
            "topics: {t: {subscribers: [{to: f, «dlq: q}]}}\nqueues: {q: {}}",
            kind,
            "topics.t.subscribers[0].dlq",
            &["did you mean `dead_letter_queue`?"],
        ),
        (
            END,
            "topics: {t: {retry: {«maximum_retry_attempts: 3}}}",
            kind,
            "topics.t.retry.maximum_retry_attempts",
            &["a key of a topic retry", "the keys are `immediate`, `pre_backoff`"],
        ),
        (
            END,
            "buckets: {b: {notify: [{to: f, «dead_letter_queue: q}]}}\nqueues: {q: {}}",
            kind,
            "buckets.b.notify[0].dead_letter_queue",
            &["a key of a notification", "the keys are `to`, `match`"],
        ),
        (
            END,
            "event_buses: {e: {rules: [{targets: [f], retry: {«times: 3}}]}}",
            kind,
            "event_buses.e.rules[0].retry.times",
            &["a key of a rule retry"],
        ),
    ]);
    check(&[
        (
            END,
            "event_buses: {e: {rules: [«{match: 20%}]}}",
            Kind::MissingKey,
            "event_buses.e.rules[0].targets",
            &["a rule lacks `targets`"],
        ),
        (
            END,
            "topics: {t: {subscribers: [«{match: 20%}]}}",
            Kind::MissingKey,
            "topics.t.subscribers[0].to",
            &["a subscription lacks `to`"],
        ),
    ]);
}

#[test]
fn values_of_places() {
    let kind = Kind::OutOfRange;
    check(&[
        (END, "topics: {t: {subscribers: [{to: f, match: «120%}]}}", kind, "topics.t.subscribers[0].match", &["100%"]),
        (
            END,
            "topics: {t: {maximum_message_size: «2MiB}}",
            kind,
            "topics.t.maximum_message_size",
            &["a size from 1024B to 1048576B"],
        ),
        (
            END,
            "event_buses: {e: {rules: [{targets: [f], retry: {maximum_retry_attempts: «186}}]}}",
            kind,
            "event_buses.e.rules[0].retry.maximum_retry_attempts",
            &["from 0 to 185"],
        ),
        (
            END,
            "event_buses: {e: {rules: [{targets: [f], retry: {maximum_event_age: «59s}}]}}",
            kind,
            "event_buses.e.rules[0].retry.maximum_event_age",
            &["from 1m to 1d"],
        ),
    ]);
    check(&[(END, "topics: {t: {subscribers: «f}}", Kind::WrongType, "topics.t.subscribers", &["a list"])]);
}

#[test]
fn what_aws_refuses_of_places() {
    let kind = Kind::Contradiction;
    check(&[
        (
            END,
            "queues: {q: {type: fifo}}\ntopics: {t: {subscribers: [«q]}}",
            kind,
            "topics.t.subscribers[0].to",
            &["this is a FIFO queue", "the topic is a standard one"],
        ),
        (
            END,
            "queues: {q: {type: fifo}}\ntopics: {t: {subscribers: [{to: f, dead_letter_queue: «q}]}}",
            kind,
            "topics.t.subscribers[0].dead_letter_queue",
            &["this is a FIFO queue", "a standard queue (INV-6)"],
        ),
        (
            END,
            "queues: {q: {type: fifo}}\nevent_buses: {e: {rules: [{targets: [f, q], dead_letter_queue: «q}]}}",
            kind,
            "event_buses.e.rules[0].dead_letter_queue",
            &["this is a FIFO queue"],
        ),
        (
            END,
            "queues: {q: {type: fifo}}\nbuckets: {b: {notify: [f, {to: «q}]}}",
            kind,
            "buckets.b.notify[1].to",
            &["this is a FIFO queue", "S3 does not notify FIFO queues"],
        ),
        (
            END,
            "event_buses: {e: {rules: [{targets: [«e]}]}}",
            kind,
            "event_buses.e.rules[0].targets[0]",
            &["this is the same event bus", "another event bus"],
        ),
        (
            END,
            "streams: {s: {type: dynamodb}}\nevent_buses: {e: {rules: [{targets: [«s]}]}}",
            kind,
            "event_buses.e.rules[0].targets[0]",
            &["rules do not write to this type of stream", "a Kinesis stream"],
        ),
        (
            END,
            "topics: {t: {subscribers: [f, {to: «f, match: 3%}]}}",
            kind,
            "topics.t.subscribers[1].to",
            &["this is listed twice", "the first time"],
        ),
        (END, "buckets: {b: {notify: [f, «f]}}", kind, "buckets.b.notify[1].to", &["this is listed twice"]),
        (
            END,
            "topics: {t: {retry: {backoff: {from: 20s, to: «1s}}}}",
            kind,
            "topics.t.retry.backoff.to",
            &["`to` is less than `from`", "the first wait"],
        ),
    ]);
    check(&[(
        END,
        "queues: {a: {}, b: {}, d: {}, e: {}, g: {}}\nevent_buses: {bus: {rules: [{targets: «[a, b, d, e, f, g]}]}}",
        Kind::Limit,
        "event_buses.bus.rules[0].targets",
        &["the rule has 6 targets", "at most 5 (INV-6)", "write a second rule"],
    )]);
}

/// A target in two rules is two targets.
#[test]
fn one_target_in_two_rules_is_good() {
    let yaml = format!("{GOOD}event_buses: {{e: {{rules: [{{targets: [f]}}, {{match: 20%, targets: [f]}}]}}}}\n");
    crate::common::scenario(&yaml);
}

#[test]
fn what_callers_send_to_places() {
    let places = "topics: {t: {}}\nevent_buses: {e: {}}\nbuckets: {b: {}}";
    let refused = |target: &str, rest: &str, kind: Kind, key: &str, says: &str| {
        let text = GOOD.replacen(TARGET, &format!("    target: {target}\n    {rest}"), 1);
        let error = refuse(format!("{text}{places}\n").as_bytes(), &[]);
        let found = error.problems().iter().map(|problem| (problem.kind(), problem.key())).collect::<Vec<_>>();
        assert_eq!(found, [(kind, &*format!("callers.c.{key}"))], "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    let kind = Kind::Contradiction;
    refused("t", "invocation: async", kind, "invocation", "a message is sent, not invoked");
    refused("t", "delay: 1s", kind, "delay", "a message to a topic has no delay of its own");
    refused("e", "deduplication: {constant: a}", kind, "deduplication", "an event for a bus has no deduplication id");
    refused("b", "keys: {constant: a}", kind, "keys", "an object for a bucket has no key");
    for (target, most, says) in [("t", 10, "at most 10"), ("e", 10, "at most 10"), ("b", 1, "at most 1 ")] {
        let rest = format!("messages_per_call: {}", most + 1);
        refused(target, &rest, Kind::OutOfRange, "messages_per_call", says);
    }
    let users = GOOD.replacen(TARGET, "    target: t", 1).replacen(ARRIVALS, "    users: {count: 1}", 1);
    let error = refuse(format!("{users}{places}\n").as_bytes(), &[]);
    assert!(error.to_string().contains("these users never stop sending"), "{error}");
}
