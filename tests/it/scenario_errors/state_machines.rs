//! State machines: ranges of their keys, how states follow each other, and what retriers and catchers may name.

use super::*;

/// A good scenario with these states of a machine `m` that begins with `a`.
fn with(states: &str) -> String {
    format!("{GOOD}state_machines: {{m: {{start_at: a, states: {{{states}}}}}}}\n")
}

/// A good scenario with a machine that has these settings.
fn set(settings: &str) -> String {
    format!("{GOOD}state_machines: {{m: {{{settings}, start_at: a, states: {{a: {{pass: {{}}, end: true}}}}}}}}\n")
}

#[track_caller]
fn accepts(text: &str) {
    if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &[]) {
        panic!("{error}");
    }
}

/// The only problem of a file: its kind, the end of its key, and what the message says.
#[track_caller]
fn refuses(text: &str, kind: Kind, key: &str, says: &[&str]) {
    let error = refuse(text.as_bytes(), &[]);
    let problem = &error.problems()[0];
    let key = format!("state_machines.m{key}");
    assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, &*key), "{text}\n{error}");
    for says in says {
        assert!(error.to_string().contains(says), "{text}: no {says:?} in\n{error}");
    }
}

/// INV-SF2, SF8, SF9, SF11: the sheet's ranges, at and beyond their ends.
#[test]
fn bounds() {
    for good in [
        "task: f, retry: [{errors: [A], interval: 99999999s}]",
        "task: f, retry: [{errors: [A], interval: 1ns, max_attempts: 0}]",
        "task: f, retry: [{errors: [A], max_attempts: 99999999, backoff_rate: 1}]",
        "task: f, retry: [{errors: [A], max_delay: 1s}]",
        "task: f, retry: [{errors: [A], max_delay: 31622400s}]",
        "task: f, retry: [{errors: [A], max_delay: unlimited, jitter: full}]",
        "task: f, retry: [], catch: []",
        "task: f, timeout: 99999999s",
        "task: f, timeout: unlimited",
        "map: {items: 0, item: f}",
        "map: {items: 100000000, item: f, max_concurrency: 0, mode: distributed}",
        "map: {items: 1, item: f, max_concurrency: unlimited}",
        "map: {items: 1, item: f, max_concurrency: -1}",
        "wait: 0s",
        "wait: {exponential: {mean: 1m}}",
    ] {
        accepts(&with(&format!("a: {{{good}, end: true}}")));
    }
    for (bad, key, says) in [
        ("task: f, retry: [{errors: [A], interval: 0s}]", "retry[0].interval", "too small"),
        ("task: f, retry: [{errors: [A], interval: 100000000s}]", "retry[0].interval", "too large"),
        ("task: f, retry: [{errors: [A], max_attempts: 100000000}]", "retry[0].max_attempts", "from 0 to 99999999"),
        ("task: f, retry: [{errors: [A], backoff_rate: 0.9}]", "retry[0].backoff_rate", "out of range"),
        ("task: f, retry: [{errors: [A], max_delay: 999ms}]", "retry[0].max_delay", "too small"),
        ("task: f, retry: [{errors: [A], max_delay: 31622401s}]", "retry[0].max_delay", "too large"),
        ("task: f, timeout: 0s", "timeout", "too small"),
        ("task: f, timeout: 100000000s", "timeout", "too large"),
        ("map: {items: 100000001, item: f}", "map.items", "too large"),
    ] {
        refuses(&with(&format!("a: {{{bad}, end: true}}")), Kind::OutOfRange, &format!(".states.a.{key}"), &[says]);
    }
    for good in [
        "type: standard, timeout: unlimited, transitions: unlimited",
        "type: standard, timeout: 1ns, transitions: {rate: 1/day, burst: 1}",
        "type: standard, transitions: {}",
        "type: express, timeout: 5m",
        "type: express, timeout: 1s, transitions: unlimited",
    ] {
        accepts(&set(good));
    }
    for (bad, kind, key, says) in [
        ("transitions: {burst: 0}", Kind::OutOfRange, ".transitions.burst", "at least 1"),
        ("transitions: {rate: 0/s}", Kind::Contradiction, ".transitions.rate", "a rate above 0"),
        ("timeout: 0s", Kind::OutOfRange, ".timeout", "above `0s`"),
        ("type: express, timeout: 301s", Kind::Contradiction, ".timeout", "at most `5m`"),
        ("type: express, timeout: unlimited", Kind::Contradiction, ".timeout", "at most `5m`"),
        ("type: express, transitions: {}", Kind::Contradiction, ".transitions", "only with `type: standard`"),
        ("type: fast", Kind::InvalidValue, ".type", "`standard` or `express`"),
    ] {
        refuses(&set(bad), kind, key, &[says]);
    }
}

#[test]
fn a_state_is_of_one_kind() {
    let unknown = Kind::UnknownKey;
    refuses(
        &with("a: {task: f, wait: 1s, end: true}"),
        Kind::Contradiction,
        ".states.a.wait",
        &["`task` and `wait` exclude each other", "one of `task`, `parallel`, `map`, `wait`"],
    );
    refuses(
        &with("a: {end: true}"),
        Kind::MissingKey,
        ".states.a.task",
        &[
            "a state lacks `task`, `parallel`, `map`, `wait`, `choice`, `pass`, `succeed` or `fail`",
            "one of these keys",
        ],
    );
    refuses(&with("a: {succeed: {}, end: true}"), unknown, ".states.a.end", &["`end`"]);
    refuses(&with("a: {fail: {error: E}, next: a}"), unknown, ".states.a.next", &["`next`"]);
    refuses(&with("a: {wait: 1s, retry: sfn_studio, end: true}"), unknown, ".states.a.retry", &["`retry`"]);
    refuses(&with("a: {parallel: [f], timeout: 1s, end: true}"), unknown, ".states.a.timeout", &["`timeout`"]);
    refuses(&with("a: {tsk: f, end: true}"), unknown, ".states.a.tsk", &["did you mean `task`?"]);
    refuses(&with("a: {pass: {x: 1}, end: true}"), unknown, ".states.a.pass.x", &["it takes no keys: `{}`"]);
    refuses(&with("a: {fail: {}}"), Kind::MissingKey, ".states.a.fail.error", &["the key `error`"]);
    refuses(&with("a: {map: {item: f}, end: true}"), Kind::MissingKey, ".states.a.map.items", &["the key `items`"]);
    refuses(&with("a: {parallel: [], end: true}"), Kind::MissingKey, ".states.a.parallel", &["at least one branch"]);
    refuses(&with(""), Kind::MissingKey, ".states", &["at least one state"]);
    refuses(
        &with("a: {task: g, end: true}"),
        Kind::UnknownName,
        ".states.a.task",
        &["there is no function `g`", "there are `f`"],
    );
    refuses(
        &with("a: {map: {items: 3, item: g}, end: true}"),
        Kind::UnknownName,
        ".states.a.map.item",
        &["there is no function `g`"],
    );
}

#[test]
fn states_follow_each_other() {
    let name = Kind::UnknownName;
    let missing = Kind::MissingKey;
    let b = "bee: {succeed: {}}";
    refuses(&with("a: {task: f}"), missing, ".states.a", &["nothing says what follows `a`", "`next`, or `end: true`"]);
    refuses(&with("a: {task: f, end: false}"), missing, ".states.a", &["nothing says what follows `a`"]);
    refuses(
        &with(&format!("a: {{task: f, next: bee, end: true}}, {b}")),
        Kind::Contradiction,
        ".states.a.end",
        &["`next` and `end` exclude each other"],
    );
    for (state, key) in [
        ("task: f, next: be", "next"),
        ("task: f, catch: [{errors: [A], next: be}], end: true", "catch[0].next"),
        ("choice: [{probability: 1%, next: be}], default: a", "choice[0].next"),
        ("choice: [], default: be", "default"),
    ] {
        let text = with(&format!("a: {{{state}}}"));
        let error = refuse(text.as_bytes(), &[]);
        assert_eq!(error.problems()[0].key(), format!("state_machines.m.states.a.{key}"), "{error}");
        assert_eq!((error.problems().len(), error.problems()[0].kind()), (1, name), "{error}");
    }
    // `bee` is there, and only misspelt: it is not reached either.
    let error = refuse(with(&format!("a: {{task: f, next: be}}, {b}")).as_bytes(), &[]);
    let text = error.to_string();
    assert!(text.contains("did you mean `bee`?") && text.contains("there is no state `be`"), "{error}");
    refuses(
        &with("a: {task: f, end: true}, lost: {pass: {}, next: a}"),
        Kind::Contradiction,
        ".states.lost",
        &["no way leads to the state `lost`"],
    );
    refuses(
        &format!("{GOOD}state_machines: {{m: {{start_at: start, states: {{a: {{succeed: {{}}}}}}}}}}\n"),
        name,
        ".start_at",
        &["there is no state `start`", "there are `a`"],
    );
    // States of a branch are its own.
    refuses(
        &with("a: {parallel: [{start_at: x, states: {x: {pass: {}, next: a}}}], end: true}"),
        name,
        ".states.a.parallel[0].states.x.next",
        &["the name of a state of the same `states`"],
    );
    accepts(&with("a: {parallel: [{start_at: a, states: {a: {pass: {}, end: true}}}, f], end: true}"));
}

/// INV-SF3.
#[test]
fn states_all_is_alone_and_last() {
    let contradiction = Kind::Contradiction;
    for list in ["retry", "catch"] {
        let next = if list == "catch" { ", next: a" } else { "" };
        let state = |entries: &[&str]| {
            let entries: Vec<String> = entries.iter().map(|errors| format!("{{errors: [{errors}]{next}}}")).collect();
            with(&format!("a: {{task: f, {list}: [{}], end: true}}", entries.join(", ")))
        };
        accepts(&state(&["A, B", "States.TaskFailed", "States.ALL"]));
        refuses(
            &state(&["States.ALL", "A"]),
            contradiction,
            &format!(".states.a.{list}[0].errors[0]"),
            &["`States.ALL` is not in the last entry", "INV-SF3", "this one would never be asked"],
        );
        refuses(
            &state(&["A, States.ALL"]),
            contradiction,
            &format!(".states.a.{list}[0].errors[1]"),
            &["`States.ALL` is not alone"],
        );
        refuses(&state(&[""]), Kind::MissingKey, &format!(".states.a.{list}[0].errors"), &["no errors are named"]);
    }
}

#[test]
fn names_of_errors() {
    let state = |errors: &str| with(&format!("a: {{task: f, retry: [{{errors: [{errors}]}}], end: true}}"));
    for good in [
        "CardDeclined",
        "Lambda.TooManyRequestsException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.EC2ThrottledException",
        "Sandbox.Timedout",
        "States.HeartbeatTimeout",
        "States.Runtime",
        "Runtime.ExitError",
        "Error",
        "com.example.Error",
    ] {
        accepts(&state(good));
    }
    for (bad, near) in [
        ("Lambda.TooManyRequestException", "did you mean `Lambda.TooManyRequestsException`?"),
        ("lambda.TooManyRequestsException", "did you mean `Lambda.TooManyRequestsException`?"),
        ("Lambda.AwsLambdaException", "did you mean `Lambda.AWSLambdaException`?"),
        ("States.All", "did you mean `States.ALL`?"),
        ("States.TimeOut", "did you mean `States.Timeout`?"),
        ("Sandbox.TimedOut", "did you mean `Sandbox.Timedout`?"),
        ("States.Nonsense", "names with `States.` are AWS's own"),
    ] {
        refuses(&state(bad), Kind::InvalidValue, ".states.a.retry[0].errors[0]", &["AWS has no error", near]);
    }
}

#[test]
fn probabilities_and_presets() {
    let b = "b: {succeed: {}}";
    accepts(&with(&format!("a: {{choice: [{{probability: 60%, next: b}}, {{probability: 40%, next: b}}]}}, {b}")));
    refuses(
        &with(&format!("a: {{choice: [{{probability: 60%, next: b}}, {{probability: 41%, next: b}}]}}, {b}")),
        Kind::Contradiction,
        ".states.a.choice",
        &["add up to 101%", "at most 100% in all"],
    );
    refuses(&with("a: {choice: []}"), Kind::MissingKey, ".states.a.choice", &["nothing to choose from"]);
    refuses(
        &with("a: {task: f, retry: sfn_clasic, end: true}"),
        Kind::InvalidValue,
        ".states.a.retry",
        &["did you mean `sfn_classic`?"],
    );
    refuses(
        &with("a: {task: f, retry: [{errors: [A], jitter: equal}], end: true}"),
        Kind::InvalidValue,
        ".states.a.retry[0].jitter",
        &["`none` or `full`"],
    );
    refuses(
        &with(
            "a: {map: {items: 5000, mode: distributed, item: {start_at: b, states: {b: {map: {items: 5000, mode: distributed, item: f}, end: true}}}}, end: true}",
        ),
        Kind::Contradiction,
        ".states.a.map.item.states.b.map.items",
        &["25000000 items of maps in maps at once", "lower `max_concurrency`"],
    );
}

#[test]
fn callers_and_changes() {
    let machine = "state_machines: {m: {start_at: a, states: {a: {pass: {}, end: true}}}}\n";
    let with = |more: &str| format!("{GOOD}{machine}{more}");
    accepts(&with("").replace(TARGET, "    target: m"));
    let refused = |text: &str, kind, key: &str, says: &str| {
        let error = refuse(text.as_bytes(), &[]);
        let problem = &error.problems()[0];
        assert_eq!((error.problems().len(), problem.kind(), problem.key()), (1, kind, key), "{error}");
        assert!(error.to_string().contains(says), "no {says:?} in\n{error}");
    };
    let delayed = with("").replace(TARGET, "    target: m\n    delay: 1s");
    refused(&delayed, Kind::Contradiction, "callers.c.delay", "a state machine is not sent messages");
    let users = with("").replace(TARGET, "    target: m").replace("arrivals: {poisson: 5/s}", "users: {}");
    refused(&users, Kind::Contradiction, "callers.c.users.think", "these users never stop calling");
    accepts(&users.replace("users: {}", "users: {}\n    invocation: sync"));
    refused(
        &with("changes: [{at: 1s, set: {state_machines.m.type: express}}]\n"),
        Kind::InvalidValue,
        "changes[0].set.state_machines.m.type",
        "`type` cannot change",
    );
    refused(
        &with("changes: [{at: 1s, set: {state_machines.n.timeout: 1s}}]\n"),
        Kind::UnknownName,
        "changes[0].set.state_machines.n.timeout",
        "there is no state machine `n`",
    );
    refused(
        &with("changes: [{at: 1s, set: {state_machines.m.start_at: b}}]\n"),
        Kind::UnknownName,
        "changes[0].set.state_machines.m.start_at",
        "there is no state `b`",
    );
    accepts(&with("changes: [{at: 1s, set: {state_machines.m.timeout: 1s}}]\n"));
    let error = refuse(with("").as_bytes(), &["state_machines.m.states.b={wait: 1s, end: true}"]);
    assert!(error.to_string().contains("no way leads to the state `b`"), "{error}");
}
