//! Queues: ranges of their keys, what each type has, and where their messages can go.

use super::*;

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{error}");
    }
}

/// A good scenario with a queue of this content.
fn with(queue: &str) -> String {
    format!("{GOOD}queues: {{q: {{{queue}}}, standard: {{}}, fifo: {{type: fifo}}}}\n")
}

/// ESM-1.1, 1.5, A-39.
#[test]
fn bounds() {
    for good in [
        "visibility_timeout: 0s",
        "visibility_timeout: 12h",
        "message_retention: 60s",
        "message_retention: 14d",
        "delivery_delay: 0s",
        "delivery_delay: 15m",
        "maximum_message_size: 1KiB",
        "maximum_message_size: 1MiB",
        "redrive: {dead_letter_queue: standard, max_receive_count: 1}",
        "redrive: {dead_letter_queue: standard, max_receive_count: 1000}",
        "redrive: none",
        "maximum_in_flight: 1",
        "short_receive_probability: 100%",
        "shuffle_window: 1",
        "oldest_age_skips_after: 1",
        "oldest_age_skips_after: 1 receive",
        "oldest_age_skips_after: 3 receives",
        "fair: {}",
        "fair: off",
        "fair: {share: 0%, in_flight: 1, processing_share: 0%, quiet_after: 1ns}",
        "fair: {share: 1, processing_share: off}",
        "oldest_age_skips_after: off",
        "type: fifo, deduplication_window: 1ns, group_lookahead: 1, fifo_throughput: unlimited",
        "type: fifo, redrive: {dead_letter_queue: fifo, max_receive_count: 3}",
    ] {
        accepts(&with(good));
    }
    for (bad, key, says) in [
        ("visibility_timeout: 12h1s", "visibility_timeout", "a duration from 0s to 12h"),
        ("message_retention: 59s", "message_retention", "a duration from 1m to 14d"),
        ("message_retention: 14d1s", "message_retention", "too large"),
        ("delivery_delay: 15m1s", "delivery_delay", "to 15m"),
        ("maximum_message_size: 1023B", "maximum_message_size", "a size from 1024B to 1048576B"),
        ("maximum_message_size: 1048577B", "maximum_message_size", "too large"),
        (
            "redrive: {dead_letter_queue: standard, max_receive_count: 0}",
            "redrive.max_receive_count",
            "a whole number from 1 to 1000",
        ),
        ("redrive: {dead_letter_queue: standard, max_receive_count: 1001}", "redrive.max_receive_count", "too large"),
        ("maximum_in_flight: 0", "maximum_in_flight", "at least 1"),
        ("short_receive_probability: 101%", "short_receive_probability", "more than 100%"),
        ("shuffle_window: 0", "shuffle_window", "at least 1"),
        ("oldest_age_skips_after: 0", "oldest_age_skips_after", "`off` or a number of receives such as `3 receives`"),
        ("oldest_age_skips_after: 0 receives", "oldest_age_skips_after", "`0 receives` is too small"),
        ("fair: {share: 101%}", "fair.share", "more than 100%"),
        ("fair: {in_flight: 0}", "fair.in_flight", "at least 1"),
        ("fair: {processing_share: 101%}", "fair.processing_share", "`off` or a share"),
        ("fair: {quiet_after: 0s}", "fair.quiet_after", "a duration above `0s`"),
        ("type: fifo, deduplication_window: 0s", "deduplication_window", "a duration above `0s`"),
        ("type: fifo, group_lookahead: 0", "group_lookahead", "at least 1"),
        ("type: fifo, fifo_throughput: 0/s", "fifo_throughput", "a rate above 0/s, or `unlimited`"),
    ] {
        let error = refuse(with(bad).as_bytes(), &[]);
        let problem = &error.problems()[0];
        let key = format!("queues.q.{key}");
        assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, Kind::OutOfRange, &*key), "{error}");
        assert!(error.to_string().contains(says), "{bad}: no {says:?} in\n{error}");
    }
}

#[test]
fn each_type_has_its_own_keys() {
    for (key, value) in [
        ("content_based_deduplication", "on"),
        ("deduplication_scope", "message_group"),
        ("deduplication_window", "5m"),
        ("fifo_throughput", "300/s"),
        ("group_lookahead", "10"),
    ] {
        accepts(&with(&format!("type: fifo, {key}: {value}")));
        let error = refuse(with(&format!("type: standard, {key}: {value}")).as_bytes(), &[]);
        let problem = &error.problems()[0];
        let found = (error.problems().len(), problem.kind(), problem.key().to_owned());
        assert_eq!(found, (1, Kind::UnknownKey, format!("queues.q.{key}")), "{error}");
        assert!(error.to_string().contains(&format!("`{key}` goes with `type: fifo`")), "{error}");
        // Without a type it is taken for what has such a key.
        let error = refuse(with(&format!("{key}: {value}")).as_bytes(), &[]);
        assert_eq!((error.problems().len(), error.problems()[0].kind()), (1, Kind::MissingKey), "{error}");
        assert!(error.to_string().contains("write `type: fifo` where a FIFO queue is meant"), "{error}");
    }
    for (key, value) in [
        ("short_receive_probability", "1%"),
        ("shuffle_window", "10"),
        ("stale_delete", "effective"),
        ("fair", "{in_flight: 10}"),
    ] {
        accepts(&with(&format!("{key}: {value}")));
        accepts(&with(&format!("type: standard, {key}: {value}")));
        let error = refuse(with(&format!("type: fifo, {key}: {value}")).as_bytes(), &[]);
        let problem = &error.problems()[0];
        let found = (error.problems().len(), problem.kind(), problem.key().to_owned());
        assert_eq!(found, (1, Kind::UnknownKey, format!("queues.q.{key}")), "{error}");
        assert!(error.to_string().contains(&format!("`{key}` goes with `type: standard`")), "{error}");
    }
}

#[test]
fn words_and_forms() {
    let unknown = Kind::UnknownKey;
    let value = Kind::InvalidValue;
    check(&[
        (END, "queues: {q: {type: «express}}", value, "queues.q.type", &["expected `standard` or `fifo`"]),
        (END, "queues: {q: {stale_delete: «never}}", value, "queues.q.stale_delete", &["`ignored` or `effective`"]),
        (
            END,
            "queues: {q: {type: fifo, deduplication_scope: «group}}",
            value,
            "queues.q.deduplication_scope",
            &["expected `queue` or `message_group`"],
        ),
        (END, "queues: {q: {visibility_timeout: «30}}", value, "queues.q.visibility_timeout", &["write `30s`"]),
        (
            END,
            "queues: {q: {type: fifo, fifo_throughput: «300}}",
            value,
            "queues.q.fifo_throughput",
            &["expected `unlimited` or a rate", "write `300/s`"],
        ),
        (
            END,
            "queues: {q: {«visibility_timout: 30s}}",
            unknown,
            "queues.q.visibility_timout",
            &["expected a key of a queue", "did you mean `visibility_timeout`?"],
        ),
        (
            END,
            "queues: {q: {type: fifo, «grup_lookahead: 5}}",
            unknown,
            "queues.q.grup_lookahead",
            &["expected a key of a FIFO queue", "did you mean `group_lookahead`?"],
        ),
        (
            END,
            "queues: {q: {«dead_letter_queue: p}, p: {}}",
            unknown,
            "queues.q.dead_letter_queue",
            &["did you mean `redrive`? it holds `dead_letter_queue` and `max_receive_count`"],
        ),
        (
            END,
            "queues: {q: {«redrive: {dead_letter_queue: p}}, p: {}}",
            Kind::MissingKey,
            "queues.q.redrive.max_receive_count",
            &["a redrive policy lacks `max_receive_count`"],
        ),
        (
            END,
            "queues: {q: {«redrive: {max_receive_count: 3}}}",
            Kind::MissingKey,
            "queues.q.redrive.dead_letter_queue",
            &["a redrive policy lacks `dead_letter_queue`"],
        ),
        (
            END,
            "queues:\n  «q:",
            Kind::WrongType,
            "queues.q",
            &["`queues.q` has no value", "or write `q: {}` for its defaults"],
        ),
    ]);
}

/// ESM-S16, 1.11.
#[test]
fn receives_and_fair_queues() {
    let value = Kind::InvalidValue;
    check(&[
        (
            END,
            "queues: {q: {oldest_age_skips_after: «3 times}}",
            value,
            "queues.q.oldest_age_skips_after",
            &["`3 times` is not a number of receives", "expected `off` or a number of receives", "write `3 receives`"],
        ),
        (
            END,
            "queues: {q: {fair: «10%}}",
            value,
            "queues.q.fair",
            &["expected `off` or a mapping `{share, in_flight, processing_share, quiet_after}`"],
        ),
        (
            END,
            "queues: {q: {fair: {«inflight: 10}}}",
            Kind::UnknownKey,
            "queues.q.fair.inflight",
            &["expected a key of a fair queue", "did you mean `in_flight`?"],
        ),
    ]);
}

/// ESM-1.5.
#[test]
fn dead_letter_queues() {
    let kind = Kind::Contradiction;
    let key = "queues.q.redrive.dead_letter_queue";
    check(&[
        (
            END,
            "queues: {q: {redrive: {dead_letter_queue: «q, max_receive_count: 3}}}",
            kind,
            key,
            &["the messages would stay in the same queue", "another queue of the same type (ESM-1.5)"],
        ),
        (
            END,
            "queues: {q: {redrive: {dead_letter_queue: «p, max_receive_count: 3}}, p: {type: fifo}}",
            kind,
            key,
            &["this is a FIFO queue", "the messages are in a standard queue"],
        ),
        (
            END,
            "queues: {q: {type: fifo, redrive: {dead_letter_queue: «p, max_receive_count: 3}}, p: {}}",
            kind,
            key,
            &["this is a standard queue", "the messages are in a FIFO queue"],
        ),
        (
            END,
            "queues: {q: {redrive: {dead_letter_queue: «t, max_receive_count: 3}}}\ntopics: {t: {}}",
            Kind::UnknownName,
            key,
            &["there is no queue `t`", "this is a topic"],
        ),
        (
            END,
            "queues: {q: {}}\nchanges: [{at: 1s, set: {queues.q.redrive: {dead_letter_queue: «q, max_receive_count: 3}}}]",
            kind,
            "changes[0].set.queues.q.redrive.dead_letter_queue",
            &["the messages would stay in the same queue"],
        ),
    ]);
}

#[test]
fn changes_and_overrides() {
    let kind = Kind::InvalidValue;
    check(&[
        (
            END,
            "queues: {q: {}}\nchanges: [{at: 1s, set: {queues.q.type: «fifo}}]",
            kind,
            "changes[0].set.queues.q.type",
            &["`type` cannot change"],
        ),
        (
            END,
            "queues: {q: {}}\nchanges: [{at: 1s, set: {queues.q.visibility_timeout: «13h}}]",
            Kind::OutOfRange,
            "changes[0].set.queues.q.visibility_timeout",
            &["to 12h"],
        ),
        (
            END,
            "queues: {q: {}}\nchanges: [{at: 1s, set: {«queues.p.visibility_timeout: 1h}}]",
            Kind::UnknownName,
            "changes[0].set.queues.p.visibility_timeout",
            &["there is no queue `p`", "expected the name of a queue"],
        ),
    ]);
    accepts(&format!("{GOOD}queues: {{q: {{}}}}\nchanges: [{{at: 1s, set: {{queues.q.type: standard}}}}]\n"));
    let error = refuse(with("").as_bytes(), &["queues.r.visibility_timeout=1s"]);
    assert!(error.to_string().contains("the scenario has no queue `r`"), "{error}");
}

/// ESM-1.5.
#[test]
fn redrive_tasks() {
    const QUEUES: &str = "queues: {q: {}, p: {}, fifo: {type: fifo}}\n";
    let task = |text: &str| format!("{GOOD}{QUEUES}changes: [{{at: 1s, redrive: {{{text}}}}}]\n");
    for good in ["queue: q, to: p", "queue: q, to: p, rate: 500/s", "queue: q, to: p, rate: 1/min"] {
        accepts(&task(good));
    }
    for (bad, kind, key, says) in [
        ("queue: q, to: p, rate: 501/s", Kind::OutOfRange, ".rate", "at most 500/s"),
        ("queue: q, to: p, rate: 0/s", Kind::OutOfRange, ".rate", "above 0/s"),
        ("queue: q, to: q", Kind::Contradiction, ".to", "the messages would stay in the same queue"),
        ("queue: q, to: fifo", Kind::Contradiction, ".to", "this is a FIFO queue"),
        ("queue: q, to: f", Kind::UnknownName, ".to", "this is a function"),
        ("queue: q", Kind::MissingKey, ".to", "a redrive lacks `to`"),
        ("to: q", Kind::MissingKey, ".queue", "a redrive lacks `queue`"),
    ] {
        let error = refuse(task(bad).as_bytes(), &[]);
        let problem = &error.problems()[0];
        let key = format!("changes[0].redrive{key}");
        assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, &*key), "{error}");
        assert!(error.to_string().contains(says), "{bad}: no {says:?} in\n{error}");
    }
}
