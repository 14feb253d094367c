//! What a caller says of its messages, by the type of its target.

use super::*;

/// A good scenario whose caller has this target and these lines.
fn with(target: &str, keys: &str) -> String {
    let caller = format!("    target: {target}\n    {keys}");
    GOOD.replace(TARGET, &caller) + "queues: {standard: {}, fifo: {type: fifo}}\n"
}

#[track_caller]
fn accepts(target: &str, keys: &str) {
    if let Err(error) = parse("x.yaml", with(target, keys).as_bytes(), data(), &[]) {
        panic!("{error}");
    }
}

#[track_caller]
fn refuses(target: &str, keys: &str, kind: Kind, key: &str, says: &str) {
    let error = refuse(with(target, keys).as_bytes(), &[]);
    let problem = &error.problems()[0];
    let key = format!("callers.c.{key}");
    assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, &*key), "{error}");
    assert!(error.to_string().contains(says), "{target}, {keys}: no {says:?} in\n{error}");
}

#[test]
fn what_each_target_takes() {
    let kind = Kind::Contradiction;
    for (keys, key, standard, fifo) in [
        ("keys: {constant: a}", "keys", "", ""),
        ("keys: {uniform: 5}", "keys", "", ""),
        ("messages_per_call: 2", "messages_per_call", "", ""),
        ("delay: 5s", "delay", "", "messages of a FIFO queue have no delay of their own"),
        ("deduplication: {constant: a}", "deduplication", "a standard queue does not deduplicate", ""),
    ] {
        refuses("f", keys, kind, key, "a function is not sent messages");
        for (target, says) in [("standard", standard), ("fifo", fifo)] {
            if says.is_empty() { accepts(target, keys) } else { refuses(target, keys, kind, key, says) }
        }
    }
    for target in ["f", "standard", "fifo"] {
        accepts(target, "keys: even\n    delay: none\n    deduplication: none\n    messages_per_call: 1");
        accepts(target, "via: sdk\n    invocation: sync");
    }
    for target in ["standard", "fifo"] {
        refuses(target, "invocation: async", kind, "invocation", "a message is sent, not invoked");
    }
}

/// ESM-1.1.
#[test]
fn bounds() {
    accepts("standard", "messages_per_call: 10");
    accepts("standard", "delay: 0s");
    accepts("standard", "delay: 15m");
    accepts("standard", "delay: {uniform: {min: 1s, max: 15m}}");
    let kind = Kind::OutOfRange;
    for (keys, key, says) in [
        ("messages_per_call: 0", "messages_per_call", "a whole number from 1 to 500"),
        ("messages_per_call: 11", "messages_per_call", "too large"),
        ("delay: 901s", "delay", "at most 15m (ESM-1.1)"),
        ("delay: {uniform: {min: 1s, max: 901s}}", "delay", "may be delayed by more than 15m"),
        ("delay: {exponential: {mean: 1s}}", "delay", "this distribution has no largest value"),
        ("keys: {uniform: 0}", "keys.uniform", "at least 1"),
        ("keys: {zipf: {count: 0, exponent: 1}}", "keys.zipf.count", "at least 1"),
        ("keys: {zipf: {count: 5, exponent: 101}}", "keys.zipf.exponent", "a number from 0 to 100"),
    ] {
        refuses("standard", keys, kind, key, says);
    }
    refuses("fifo", "deduplication: {uniform: 0}", kind, "deduplication.uniform", "at least 1");
}

#[test]
fn forms() {
    accepts("fifo", "keys: {hash: [0, 340282366920938463463374607431768211455]}");
    for (keys, kind, key, says) in [
        ("keys: odd", Kind::InvalidValue, "keys", "expected `even` or message keys such as `{zipf: ..}`"),
        ("keys: {constant: a, uniform: 2}", Kind::Contradiction, "keys.uniform", "exclude each other"),
        ("keys: {unifrom: 2}", Kind::UnknownKey, "keys.unifrom", "did you mean `uniform`?"),
        ("keys: {zipf: {count: 5}}", Kind::MissingKey, "keys.zipf.exponent", "a zipf lacks `exponent`"),
        ("keys: {list: []}", Kind::MissingKey, "keys.list", "at least one key"),
        ("keys: {hash: []}", Kind::MissingKey, "keys.hash", "at least one key"),
        (
            "keys: {hash: [0, 340282366920938463463374607431768211456]}",
            Kind::InvalidValue,
            "keys.hash[1]",
            "a whole number from 0 to 2^128 - 1",
        ),
        ("keys: {hash: [a]}", Kind::InvalidValue, "keys.hash[0]", "`a` is not a hash key"),
        ("deduplication: a", Kind::InvalidValue, "deduplication", "expected `none` or deduplication ids"),
        ("deduplication: {list: [a]}", Kind::UnknownKey, "deduplication.list", "one of `constant` or `uniform`"),
    ] {
        refuses("fifo", keys, kind, key, says);
    }
}

#[test]
fn an_init_answers_no_batch() {
    check(&[(
        RUN,
        "    duration: 1s\n    init_failures: [{probability: 1%, kind: «bad_batch_response}]",
        Kind::Contradiction,
        "functions.f.init_failures[0].kind",
        &["an Init answers no batch"],
    )]);
}
