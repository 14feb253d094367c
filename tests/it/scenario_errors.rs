//! Bad scenarios: what the messages say, and where they point.

use std::path::Path;

use lambdasim::scenario::{LoadError, Problem, ProblemKind as Kind, ScenarioError, load, parse};
use proptest::prelude::*;

/// A good scenario; cases replace its lines or add some.
const GOOD: &str = "\
name: small
duration: 1h
functions:
  f:
    duration: 20ms
callers:
  c:
    target: f
    arrivals: {poisson: 5/s}
";
const NAME: &str = "name: small";
const LENGTH: &str = "duration: 1h";
const GOOD_START: &str = "name: small\nduration: 1h";
const RUN: &str = "    duration: 20ms";
const TARGET: &str = "    target: f";
const ARRIVALS: &str = "    arrivals: {poisson: 5/s}";
/// Nothing is replaced: the line comes at the end.
const END: &str = "";

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data"))
}

#[track_caller]
fn refuse(bytes: &[u8], overrides: &[&str]) -> ScenarioError {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    match parse("x.yaml", bytes, data(), &overrides) {
        Ok(_) => panic!("accepted: {} {overrides:?}", String::from_utf8_lossy(bytes)),
        Err(error) => error,
    }
}

/// The line that is replaced, its replacement with `«` before the place of the only problem, the kind of the problem,
/// its key, and what the message says.
type Case = (&'static str, &'static str, Kind, &'static str, &'static [&'static str]);

#[track_caller]
fn check(cases: &[Case]) {
    let wrong = cases.iter().filter_map(|case| std::panic::catch_unwind(|| check_one(case)).err());
    assert_eq!(wrong.count(), 0, "cases are wrong");
}

fn check_one((line, replacement, kind, key, says): &Case) {
    {
        let marked =
            if line.is_empty() { format!("{GOOD}{replacement}\n") } else { GOOD.replacen(line, replacement, 1) };
        let mark = marked.find('«').expect("a mark");
        let before = &marked[..mark];
        let place = (before.lines().count().max(1), before.rsplit('\n').next().unwrap().chars().count() + 1);
        let place = if before.ends_with('\n') { (place.0 + 1, 1) } else { place };
        let error = refuse(marked.replacen('«', "", 1).as_bytes(), &[]);
        assert_eq!(error.problems().len(), 1, "{replacement}:\n{error}");
        let problem = &error.problems()[0];
        let found = ((problem.line(), problem.column()), problem.kind(), problem.key());
        assert_eq!(found, (place, *kind, *key), "{replacement}:\n{error}");
        let text = error.to_string();
        for says in *says {
            assert!(text.contains(says), "{replacement}: no {says:?} in\n{error}");
        }
        let place = format!("x.yaml:{}:{}\n", place.0, place.1);
        assert!(text.contains(&place) && text.ends_with("1 problem in x.yaml"), "{error}");
    }
}

#[test]
fn unknown_keys() {
    let kind = Kind::UnknownKey;
    check(&[
        (END, "«nmae: a", kind, "nmae", &["did you mean `name`?"]),
        (END, "«queues: {}", kind, "queues", &["a key of a scenario", "the keys are `name`"]),
        (END, "model: {«timings: ideal}", kind, "model.timings", &["did you mean `timing`?"]),
        (END, "account: {«concurency_limit: 5}", kind, "account.concurency_limit", &["`concurrency_limit`?"]),
        (END, "account: {scaling: {«evry: 5s}}", kind, "account.scaling.evry", &["`every`?"]),
        (
            END,
            "account: {scaling: {«burst: 5, model: per_function}}",
            kind,
            "account.scaling.burst",
            &["a key of a scaling"],
        ),
        (END, "prices: {«freetier: on}", kind, "prices.freetier", &["`free_tier`?"]),
        (RUN, "    duration: 20ms\n    «time-out: 3s", kind, "functions.f.time-out", &["`timeout`?"]),
        (RUN, "    duration: 20ms\n    «Memory: 1GB", kind, "functions.f.Memory", &["`memory`?"]),
        (RUN, "    «duratoin: 20ms", kind, "functions.f.duratoin", &["did you mean `duration`?"]),
        (
            RUN,
            "    duration: 20ms\n    provisioned_concurrency: {«intial: 3}",
            kind,
            "functions.f.provisioned_concurrency.intial",
            &["did you mean `initial`?"],
        ),
        (
            RUN,
            "    duration: 20ms\n    failures: [{«probabilty: 1%}]",
            kind,
            "functions.f.failures[0].probabilty",
            &["a key of a failure", "did you mean `probability`?"],
        ),
        (
            RUN,
            "    duration: {«unifrom: {min: 1s}}",
            kind,
            "functions.f.duration.unifrom",
            &["`uniform`?", "`lognormal`"],
        ),
        (
            RUN,
            "    duration: {uniform: {min: 1s, max: 2s, «mode: 1s}}",
            kind,
            "functions.f.duration.uniform.mode",
            &["a key of a uniform", "the keys are `min`, `max`"],
        ),
        (
            RUN,
            "    duration: {quantiles: {p0: 1s, p100: 2s, «p101: 2s}}",
            kind,
            "functions.f.duration.quantiles.p101",
            &["no quantile", "`p99.9`"],
        ),
        (ARRIVALS, "    arrivals: {«poison: 5/s}", kind, "callers.c.arrivals.poison", &["did you mean `poisson`?"]),
        (
            ARRIVALS,
            "    arrivals: {burst: {size: 5, at: 0s, «time: 3}}",
            kind,
            "callers.c.arrivals.burst.time",
            &["did you mean `times`?"],
        ),
        (ARRIVALS, "    «user: {count: 5}", kind, "callers.c.user", &["did you mean `users`?"]),
        (
            TARGET,
            "    target: f\n    client: {retry: {preset: none, «attempts: 3}}",
            kind,
            "callers.c.client.retry.attempts",
            &["a key of a retry preset", "did you mean `max_attempts`?"],
        ),
        (END, "faults: [{function: f, status: 500, «rate: 5%}]", kind, "faults[0].rate", &["a key of a fault"]),
        (END, "changes: [{at: 1s, deploy: f, «st: 1}]", kind, "changes[0].st", &["did you mean `set`?"]),
    ]);
}

#[test]
fn duplicates() {
    let kind = Kind::Duplicate;
    check(&[
        (END, "«name: b", kind, "name", &["the key `name` is written twice", "first written here"]),
        (RUN, "    duration: 20ms\n    «duration: 30ms", kind, "functions.f.duration", &["twice"]),
        (RUN, "    duration: {constant: 1s, «constant: 2s}", kind, "functions.f.duration.constant", &["each key once"]),
        (END, "faults: [{function: f, status: 500, «status: 501}]", kind, "faults[0].status", &["twice"]),
        (
            ARRIVALS,
            "    arrivals: {poisson: 5/s}\n  «f: {target: f, users: {}}",
            kind,
            "callers.f",
            &["`f` names two things", "also in `functions`"],
        ),
    ]);
}

#[test]
fn missing_keys() {
    let kind = Kind::MissingKey;
    check(&[
        (NAME, "«description: d", kind, "name", &["a scenario has no key `name`"]),
        (GOOD_START, "«name: small", kind, "duration", &["has no key `duration`", "callers submit during"]),
        (
            "  f:\n    duration: 20ms",
            "  «f:\n    timeout: 3s",
            kind,
            "functions.f.duration",
            &["a function has no key `duration`"],
        ),
        ("  c:\n    target: f", "  «c:\n    via: sdk", kind, "callers.c.target", &["a caller has no key `target`"]),
        (
            "  c:\n    target: f\n    arrivals: {poisson: 5/s}",
            "  «c:\n    target: f",
            kind,
            "callers.c",
            &["this caller never calls", "{poisson: 50/s}"],
        ),
        (RUN, "    duration: {«uniform: {min: 1s}}", kind, "functions.f.duration.uniform.max", &["no key `max`"]),
        (RUN, "    «duration: {}", kind, "functions.f.duration", &["says nothing", "one of `constant`"]),
        (RUN, "    duration: 1s\n    «snapstart: {}", kind, "functions.f.snapstart.restore", &["no key `restore`"]),
        (END, "faults: [«{function: f}]", kind, "faults[0].status", &["a fault has no key `status`"]),
        (END, "changes: [«{at: 1s}]", kind, "changes[0]", &["this entry changes nothing", "`set` or `deploy`"]),
        (RUN, "    duration: 1s\n    failures: [«{kind: crash}]", kind, "functions.f.failures[0]", &["no condition"]),
        (
            RUN,
            "    duration: 1s\n    provisioned_concurrency: {initial: 1, min: «1, max: 5}",
            kind,
            "functions.f.provisioned_concurrency.min",
            &["target tracking is not complete", "add `target_utilization`"],
        ),
        (ARRIVALS, "    arrivals: {burst: {size: 5, times: «3}}", kind, "callers.c.arrivals.burst", &["`every`"]),
        (ARRIVALS, "    arrivals: {profile: {points: «[]}}", kind, "callers.c.arrivals.profile.points", &["no points"]),
        (
            RUN,
            "    duration: {«quantiles: {p50: 1s, p100: 2s}}",
            kind,
            "functions.f.duration.quantiles",
            &["`p0` to `p100`"],
        ),
    ]);
}

#[test]
fn wrong_types() {
    let kind = Kind::WrongType;
    check(&[
        (
            RUN,
            "    «duration: [20ms]",
            kind,
            "functions.f.duration",
            &["a list does not fit here", "a duration such as"],
        ),
        (RUN, "    duration: 20ms\n    «timeout: {s: 3}", kind, "functions.f.timeout", &["a mapping does not fit"]),
        (
            RUN,
            "    duration: 20ms\n    «timeout:",
            kind,
            "functions.f.timeout",
            &["`functions.f.timeout` has no value"],
        ),
        (RUN, "    duration: 20ms\n    «timeout: ~", kind, "functions.f.timeout", &["leave the key out"]),
        (
            RUN,
            "    duration: 20ms\n    «failures: {probability: 1%}",
            kind,
            "functions.f.failures",
            &["expected a list"],
        ),
        (
            RUN,
            "    duration: 20ms\n    failures: [«1%]",
            kind,
            "functions.f.failures[0]",
            &["expected a mapping `{probability"],
        ),
        (END, "expect: «a < 1", kind, "expect", &["`a < 1` does not fit here", "expected a list"]),
        (END, "expect: [«{a: 1}]", kind, "expect[0]", &["expected a text"]),
        (END, "account: «1000", kind, "account", &["expected a mapping `{concurrency_limit"]),
        (END, "«faults:", kind, "faults", &["`faults` has no value"]),
        (ARRIVALS, "    users: «5", kind, "callers.c.users", &["expected a mapping `{count, think, start}`"]),
        (ARRIVALS, "    arrivals: «5/s", kind, "callers.c.arrivals", &["expected arrivals such as `{constant: ..}`"]),
        (END, "changes: [{at: 1s, set: «5}]", kind, "changes[0].set", &["expected a mapping from key paths to values"]),
        (RUN, "    duration: {empirical: «trace.csv}", kind, "functions.f.duration.empirical", &["expected a mapping"]),
    ]);
}

#[test]
fn units() {
    let kind = Kind::InvalidValue;
    check(&[
        (LENGTH, "duration: «3600", kind, "duration", &["`3600` has no unit", "write `3600s` for seconds"]),
        (LENGTH, "duration: «5M", kind, "duration", &["`M` is not a unit of time", "`5m` for minutes, `MB` is a size"]),
        (LENGTH, "duration: «5min", kind, "duration", &["write `5m` for minutes"]),
        (LENGTH, "duration: «2 h", kind, "duration", &["has a space in it", "write `2h`"]),
        (LENGTH, "duration: «1w", kind, "duration", &["a week is `7d`"]),
        (LENGTH, "duration: «30m1h", kind, "duration", &["large units to small ones", "`1h30m`"]),
        (LENGTH, "duration: «1h30", kind, "duration", &["`1h30` is not a duration"]),
        (LENGTH, "duration: «an hour", kind, "duration", &["`an hour` is not a duration"]),
        (LENGTH, "duration: «''", kind, "duration", &["an empty text is not a duration"]),
        (LENGTH, "duration: «NaN", kind, "duration", &["it must be finite"]),
        (LENGTH, "duration: «.inf", kind, "duration", &["it must be finite"]),
        (LENGTH, "duration: «1.5.5s", kind, "duration", &["`1.5.5` is not a number"]),
        (LENGTH, "duration: «0.1ns", kind, "duration", &["not a whole number of nanoseconds"]),
        (END, "warmup: «0", kind, "warmup", &["`0` has no unit", "write `0s`"]),
        (END, "drain: «never", kind, "drain", &["`settle` or a duration"]),
        (
            ARRIVALS,
            "    arrivals: {poisson: «50}",
            kind,
            "callers.c.arrivals.poisson",
            &["`50` has no unit", "write `50/s`"],
        ),
        (ARRIVALS, "    arrivals: {poisson: «50rps}", kind, "callers.c.arrivals.poisson", &["write `50/s`"]),
        (
            ARRIVALS,
            "    arrivals: {poisson: «50/week}",
            kind,
            "callers.c.arrivals.poisson",
            &["the units are `/s`, `/min`"],
        ),
        (ARRIVALS, "    arrivals: {poisson: «50 /s}", kind, "callers.c.arrivals.poisson", &["expected a rate such as"]),
        (RUN, "    duration: 1s\n    memory: «1024", kind, "functions.f.memory", &["`1024` has no unit", "512MB"]),
        (RUN, "    duration: 1s\n    memory: «1024mb", kind, "functions.f.memory", &["write `1024MB`"]),
        (RUN, "    duration: 1s\n    memory: «512KB", kind, "functions.f.memory", &["`KB` is not a unit of it"]),
        (RUN, "    duration: 1s\n    response: «5M", kind, "functions.f.response", &["write `5MB`"]),
        (RUN, "    duration: 1s\n    response: «1.5B", kind, "functions.f.response", &["not a whole number of B"]),
        (TARGET, "    target: f\n    payload: «2", kind, "callers.c.payload", &["`2` has no unit"]),
        (
            RUN,
            "    duration: 1s\n    failures: [{probability: «1/2}]",
            kind,
            "functions.f.failures[0].probability",
            &["`1/2` is not a share"],
        ),
        (END, "seed: «1.5", kind, "seed", &["`1.5` is not a whole number"]),
        (END, "seed: «10s", kind, "seed", &["it takes no unit: write `10`"]),
        (END, "seed: «0x10", kind, "seed", &["`0x10` is not a whole number"]),
        (END, "prices: {free_tier: «yes}", kind, "prices.free_tier", &["neither on nor off", "write `on`"]),
    ]);
}

#[test]
fn words_and_names() {
    let kind = Kind::InvalidValue;
    check(&[
        (END, "model: {timing: «typicl}", kind, "model.timing", &["`ideal` or `typical`", "did you mean `typical`?"]),
        (END, "account: {scaling: {model: «legacy}}", kind, "account.scaling.model", &["`legacy_burst`"]),
        (END, "account: {scaling: «none}", kind, "account.scaling", &["write `off`"]),
        (RUN, "    duration: 1s\n    architecture: «arm", kind, "functions.f.architecture", &["did you mean `arm64`?"]),
        (RUN, "    duration: 1s\n    warm_selection: «newest", kind, "functions.f.warm_selection", &["`mru`, `lru`"]),
        (TARGET, "    target: f\n    via: «alb", kind, "callers.c.via", &["expected `sdk`"]),
        (TARGET, "    target: f\n    invocation: «async", kind, "callers.c.invocation", &["did you mean `sync`?"]),
        (TARGET, "    target: f\n    client: {retry: «standard}", kind, "callers.c.client.retry", &["`standard_2026`"]),
        (
            TARGET,
            "    target: f\n    client: {timeout: «none}",
            kind,
            "callers.c.client.timeout",
            &["write `unlimited`"],
        ),
        (
            TARGET,
            "    target: f\n    client: {retry_on: [«throttles]}",
            kind,
            "callers.c.client.retry_on[0]",
            &["did you mean `throttle`?"],
        ),
        (NAME, "name: «my scenario", kind, "name", &["holds ` `", "letters, digits"]),
        (NAME, "name: «../x", kind, "name", &["holds `.`"]),
        (RUN, "    duration: 1s\n  «g h: {duration: 1s}", kind, "functions.g h", &["the name `g h` holds ` `"]),
        (NAME, "name: «\"\\e[31m\"", kind, "name", &["`\\u{1b}[31m`"]),
        (END, "description: «' '", kind, "description", &["the text is empty"]),
    ]);
    let kind = Kind::UnknownName;
    check(&[
        (TARGET, "    target: «g", kind, "callers.c.target", &["there is no function `g`", "there are `f`"]),
        (TARGET, "    target: «c", kind, "callers.c.target", &["this is a caller"]),
        (END, "faults: [{function: «ff, status: 500}]", kind, "faults[0].function", &["did you mean `f`?"]),
        (END, "changes: [{at: 1s, deploy: «h}]", kind, "changes[0].deploy", &["there is no function `h`"]),
        (
            RUN,
            "    duration: 1s\n    failures: [{events: [«d#4]}]",
            kind,
            "functions.f.failures[0].events[0]",
            &["there is no caller `d`"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«functions.g.memory: 1GB}}]",
            kind,
            "changes[0].set.functions.g.memory",
            &["there is no function `g`"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«callers.d.client: {}}}]",
            kind,
            "changes[0].set.callers.d.client",
            &["no caller `d`"],
        ),
    ]);
}

#[test]
fn ranges() {
    let kind = Kind::OutOfRange;
    check(&[
        (LENGTH, "duration: «0s", kind, "duration", &["`0s` is too small", "a duration above `0s`"]),
        (LENGTH, "duration: «-5s", kind, "duration", &["`-5s` is negative"]),
        (LENGTH, "duration: «1000000d", kind, "duration", &["longer than 584 years"]),
        (LENGTH, "duration: «1e300s", kind, "duration", &["longer than 584 years"]),
        (END, "seed: «-1", kind, "seed", &["`-1` is negative"]),
        (END, "seed: «1e20", kind, "seed", &["`1e20` is too large"]),
        (END, "seed: «99999999999999999999999999999999999999999999", kind, "seed", &["more digits than can be held"]),
        (END, "model: {event_budget: «0}", kind, "model.event_budget", &["a whole number of at least 1"]),
        (END, "account: {concurrency_limit: «0}", kind, "account.concurrency_limit", &["too small"]),
        (END, "account: {concurrency_limit: «5e9}", kind, "account.concurrency_limit", &["at most 4294967295"]),
        (END, "account: {scaling: {every: «0s}}", kind, "account.scaling.every", &["above `0s`"]),
        (RUN, "    duration: 1s\n    memory: «127MB", kind, "functions.f.memory", &["memory from 128MB to 10240MB"]),
        (RUN, "    duration: 1s\n    memory: «10241MB", kind, "functions.f.memory", &["too large"]),
        (RUN, "    duration: 1s\n    timeout: «999ms", kind, "functions.f.timeout", &["a duration from 1s to 15m"]),
        (RUN, "    duration: 1s\n    timeout: «15m1s", kind, "functions.f.timeout", &["too large"]),
        (RUN, "    duration: 1s\n    ephemeral_storage: «511MB", kind, "functions.f.ephemeral_storage", &["512MB"]),
        (RUN, "    duration: 1s\n    ephemeral_storage: «11GB", kind, "functions.f.ephemeral_storage", &["10240MB"]),
        (
            RUN,
            "    duration: 1s\n    failures: [{probability: «5}]",
            kind,
            "functions.f.failures[0].probability",
            &["`5` is more than 100%", "write `5%` for percent"],
        ),
        (
            RUN,
            "    duration: 1s\n    failures: [{events: [«0]}]",
            kind,
            "functions.f.failures[0].events[0]",
            &["too small"],
        ),
        (
            RUN,
            "    duration: 1s\n    provisioned_concurrency: {min: 1, max: 2, target_utilization: «95%}",
            kind,
            "functions.f.provisioned_concurrency.target_utilization",
            &["a share from 10% to 90%"],
        ),
        (
            END,
            "faults: [{function: f, status: «404}]",
            kind,
            "faults[0].status",
            &["`429` or a whole number from 500 to 599"],
        ),
        (END, "faults: [{function: f, status: «600}]", kind, "faults[0].status", &["`600` is out of range"]),
        (
            TARGET,
            "    target: f\n    client: {retry: {factor: «0.5}}",
            kind,
            "callers.c.client.retry.factor",
            &["from 1"],
        ),
        (
            TARGET,
            "    target: f\n    client: {retry: {max_attempts: «0}}",
            kind,
            "callers.c.client.retry.max_attempts",
            &["at least 1"],
        ),
        (
            RUN,
            "    duration: {uniform: {min: 2s, max: «1s}}",
            kind,
            "functions.f.duration.uniform.max",
            &["`max` is out of range"],
        ),
        (ARRIVALS, "    arrivals: {poisson: «-5/s}", kind, "callers.c.arrivals.poisson", &["is negative"]),
        (
            ARRIVALS,
            "    arrivals: {daily: {mean: 1/s, peak: 1/s, peak_at: «25h}}",
            kind,
            "callers.c.arrivals.daily.peak_at",
            &["from 0s to 1d"],
        ),
    ]);
}

#[test]
fn contradictions() {
    let kind = Kind::Contradiction;
    check(&[
        (END, "warmup: «1h", kind, "warmup", &["not shorter than `duration`"]),
        (
            RUN,
            "    duration: 1s\n    reserved_concurrency: «901",
            kind,
            "functions.f.reserved_concurrency",
            &["at most 900 in all: 100 must stay unreserved (INV-C4)", "raise `account.concurrency_limit` to 1001"],
        ),
        (
            RUN,
            "    duration: 1s\n    reserved_concurrency: 500\n  g: {duration: 1s, reserved_concurrency: «401}",
            kind,
            "functions.g.reserved_concurrency",
            &["901 units of concurrency are set aside in all, of 1000"],
        ),
        (
            RUN,
            "    duration: 1s\n    provisioned_concurrency: «901",
            kind,
            "functions.f.provisioned_concurrency.initial",
            &["INV-C8"],
        ),
        (
            RUN,
            "    duration: 1s\n    reserved_concurrency: 10\n    provisioned_concurrency: {initial: 5, schedule: [{at: 1m, to: «11}]}",
            kind,
            "functions.f.provisioned_concurrency.schedule[0].to",
            &["11 units of provisioned concurrency exceed the reserved 10", "INV-C7", "reserved here"],
        ),
        (
            RUN,
            "    duration: 1s\n    snapstart: {restore: 1s}\n    provisioned_concurrency: «1",
            kind,
            "functions.f.provisioned_concurrency.initial",
            &["SnapStart and provisioned concurrency exclude each other"],
        ),
        (
            RUN,
            "    duration: 1s\n    snapstart: {restore: 1s}\n    ephemeral_storage: «513MB",
            kind,
            "functions.f.ephemeral_storage",
            &["at most 512MB"],
        ),
        (
            RUN,
            "    duration: 1s\n    provisioned_concurrency: {min: «9, max: 2, target_utilization: 50%}",
            kind,
            "functions.f.provisioned_concurrency.min",
            &["`min` is larger than `max`"],
        ),
        (
            RUN,
            "    duration: 1s\n    failures: [{from: 5m, until: «5m}]",
            kind,
            "functions.f.failures[0].until",
            &["`until` is not later than `from`"],
        ),
        (
            ARRIVALS,
            "    arrivals: {poisson: 5/s}\n    «users: {count: 5}",
            kind,
            "callers.c.users",
            &["exclude each other"],
        ),
        (
            ARRIVALS,
            "    arrivals: {poisson: 5/s, «constant: 5/s}",
            kind,
            "callers.c.arrivals.constant",
            &["exclude each other"],
        ),
        (
            ARRIVALS,
            "    arrivals: {daily: {mean: 50/s, peak: «101/s, peak_at: 14h}}",
            kind,
            "callers.c.arrivals.daily.peak",
            &["more than twice `mean`", "the mean"],
        ),
        (
            ARRIVALS,
            "    arrivals: {daily: {mean: 50/s, peak: «2999/min, peak_at: 14h}}",
            kind,
            "callers.c.arrivals.daily.peak",
            &["less than `mean`"],
        ),
        (
            ARRIVALS,
            "    arrivals: {profile: {points: [{at: 5m, rate: 1/s}, {at: «1m, rate: 2/s}]}}",
            kind,
            "callers.c.arrivals.profile.points[1].at",
            &["not later than the one before"],
        ),
        (
            RUN,
            "    duration: {quantiles: {p0: 1s, p50: «500ms, p100: 2s}}",
            kind,
            "functions.f.duration.quantiles.p50",
            &["below a smaller one"],
        ),
        (
            RUN,
            "    duration: {mixture: «[{weight: 50%, of: 1s}, {weight: 40%, of: 2s}]}",
            kind,
            "functions.f.duration.mixture",
            &["the weights add up to 90%"],
        ),
    ]);
}

#[test]
fn changes() {
    check(&[
        (
            END,
            "changes: [{at: 1s, set: {«seed: 5}}]",
            Kind::InvalidValue,
            "changes[0].set.seed",
            &["cannot change while it runs"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«callers.c.arrivals.poisson: 5/s}}]",
            Kind::InvalidValue,
            "changes[0].set.callers.c.arrivals.poisson",
            &["cannot change while it runs", "callers.NAME.client"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«function.f.memory: 1GB}}]",
            Kind::UnknownKey,
            "changes[0].set.function.f.memory",
            &["did you mean `functions`?"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.«memry: 1GB}}]",
            Kind::UnknownKey,
            "changes[0].set.functions.f.memry",
            &["did you mean `memory`?"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.memory: «1MB}}]",
            Kind::OutOfRange,
            "changes[0].set.functions.f.memory",
            &["too small"],
        ),
        (END, "changes: [{at: «5, deploy: f}]", Kind::InvalidValue, "changes[0].at", &["`5` has no unit"]),
        (END, "changes: [{at: «-1s, deploy: f}]", Kind::OutOfRange, "changes[0].at", &["is negative"]),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.reserved_concurrency: «950}}]",
            Kind::Contradiction,
            "changes[0].set.functions.f.reserved_concurrency",
            &["100 must stay unreserved"],
        ),
        // The first entry in time makes room for the second, and not the other way round.
        (
            END,
            "changes:\n  - {at: 2s, set: {account.concurrency_limit: 2000}}\n  - {at: 1s, set: {functions.f.reserved_concurrency: «950}}",
            Kind::Contradiction,
            "changes[1].set.functions.f.reserved_concurrency",
            &["100 must stay unreserved"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«'functions.f.failures[3].kind': crash}}]",
            Kind::Override,
            "changes[0].set.functions.f.failures[3].kind",
            &["the list is empty"],
        ),
    ]);
    let room = format!(
        "{GOOD}changes:\n  - {{at: 2s, set: {{functions.f.reserved_concurrency: 950}}}}\n  - {{at: 1s, set: {{account.concurrency_limit: 2000}}}}\n"
    );
    assert!(parse("x.yaml", room.as_bytes(), data(), &[]).is_ok());
}

#[test]
fn files() {
    let kind = Kind::File;
    let trace = "callers.c.arrivals.trace.file";
    check(&[
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «missing.csv}}",
            kind,
            trace,
            &["cannot read `missing.csv`", "beside the scenario"],
        ),
        (ARRIVALS, "    arrivals: {trace: {file: «.}}", kind, trace, &["not a file"]),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «trace.csv}}",
            kind,
            trace,
            &["has 2 columns", "`arrival_s`, `duration_ms`"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: trace.csv, column: «arrivals}}",
            kind,
            "callers.c.arrivals.trace.column",
            &["no column `arrivals`", "did you mean `arrival_s`?"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «nan.csv, column: arrival_s}}",
            kind,
            trace,
            &["nan.csv:3: `NaN`", "finite"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «negative.csv, column: arrival_s}}",
            kind,
            trace,
            &["negative.csv:3: `-2` is negative"],
        ),
        (ARRIVALS, "    arrivals: {trace: {file: «ragged.csv, column: arrival_s}}", kind, trace, &["ragged.csv:3"]),
        (ARRIVALS, "    arrivals: {trace: {file: «empty.csv, column: arrival_s}}", kind, trace, &["has no rows"]),
        (
            ARRIVALS,
            "    arrivals: {counts: {file: «fraction.csv}}",
            kind,
            "callers.c.arrivals.counts.file",
            &["fraction.csv:2: `1.5` is not a whole number"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «trace.csv, column: arrival_s, scale: 1e30}}",
            kind,
            trace,
            &["too large"],
        ),
        (
            RUN,
            "    duration: {empirical: {file: «none.csv, column: a, unit: ms}}",
            kind,
            "functions.f.duration.empirical.file",
            &["cannot read"],
        ),
    ]);
    let error = load(&data().join("missing.yaml"), &[]).unwrap_err();
    assert!(matches!(&error, LoadError::Io { .. }) && error.to_string().contains("missing.yaml"), "{error}");
}

/// One problem without a place worth naming.
#[track_caller]
fn says(bytes: &[u8], kind: Kind, place: (usize, usize), text: &[&str]) {
    let error = refuse(bytes, &[]);
    let problem = &error.problems()[0];
    assert_eq!(
        (error.problems().len(), problem.kind(), (problem.line(), problem.column())),
        (1, kind, place),
        "{error}"
    );
    for text in text {
        assert!(error.to_string().contains(text), "no {text:?} in\n{error}");
    }
}

#[test]
fn what_is_not_yaml() {
    says(b"", Kind::Syntax, (1, 1), &["the file is empty"]);
    says(b"# only a comment\n", Kind::Syntax, (1, 1), &["the file is empty"]);
    says(b"- a\n- b\n", Kind::WrongType, (1, 3), &["the file holds a list", "expected a mapping with `name`"]);
    says(b"hello", Kind::WrongType, (1, 1), &["the file holds `hello`"]);
    says(b"name: a\n---\nname: b\n", Kind::Syntax, (2, 1), &["a second document begins here"]);
    says(b"name: a\nfunctions:\n\tf: 1\n", Kind::Syntax, (3, 1), &["replace the tab"]);
    says(b"name: [a\n", Kind::Syntax, (1, 7), &["this is not YAML"]);
    says(b"name: 'a\n", Kind::Syntax, (2, 1), &["this is not YAML"]);
    says(b"name: a\n? [a, b]\n: c\n", Kind::WrongType, (2, 3), &["a key is a plain text"]);
    says(b"name: a\n{a: b}: c\n", Kind::WrongType, (2, 1), &["a key is a plain text"]);
    says(b"name: *nme\n", Kind::Syntax, (1, 7), &["no anchor `&nme`"]);
    says(b"name: &a [*a]\n", Kind::Syntax, (1, 11), &["inside its own anchor"]);
    says(b"name: \xff\xff\n", Kind::Syntax, (1, 1), &["line 1 of the file is not UTF-8: byte 0xff"]);
    let wide = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    says(&wide, Kind::Syntax, (1, 1), &["UTF-16", "save it as UTF-8"]);
    let marked = [0xfe, 0xff].into_iter().chain(GOOD.encode_utf16().flat_map(u16::to_be_bytes)).collect::<Vec<_>>();
    says(&marked, Kind::Syntax, (1, 1), &["UTF-16"]);
    let tagged = GOOD.replace("20ms", "!seconds 20ms");
    says(tagged.as_bytes(), Kind::Syntax, (5, 24), &["the tag `!seconds` means nothing here"]);
    let merged = format!("{GOOD}<<: 5\n");
    says(merged.as_bytes(), Kind::WrongType, (10, 5), &["a merge key takes mappings"]);
}

#[test]
fn what_would_cost_too_much() {
    says(&vec![b' '; (16 << 20) + 1], Kind::Limit, (1, 1), &["more than 16 MiB"]);
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("name: {}{}", open.repeat(100_000), close.repeat(100_000));
        let error = refuse(deep.as_bytes(), &[]);
        assert_eq!(error.problems()[0].kind(), Kind::Limit, "{error}");
    }
    let deep = (0..100_000).fold(String::new(), |text, depth| text + &" ".repeat(depth % 200) + "a:\n");
    refuse(deep.as_bytes(), &[]);
    let lists = format!("name: a\nx:\n{}1\n", "- ".repeat(100_000));
    assert!(refuse(lists.as_bytes(), &[]).to_string().contains("levels deep"));
    // Nine levels of nine aliases each: 387 million values.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = refuse(bomb.as_bytes(), &[]);
    assert!(error.to_string().contains("more than 1000000 values"), "{error}");
    let nested = (1..2_000)
        .fold("a0: &a0 x\n".to_owned(), |text, level| text + &format!("a{level}: &a{level} [*a{}]\n", level - 1));
    assert!(refuse(nested.as_bytes(), &[]).to_string().contains("levels deep"));
}

#[test]
fn many_problems_come_in_the_order_of_the_text() {
    let text = "name: a b\nduration: 5\nwarmup: 5M\nfunctions:\n  f: {memory: 1MB, duration: 1s}\n  g: {}\ncallers:\n  c: {target: h, users: {}}\n";
    let error = refuse(text.as_bytes(), &["functions.f.timeout=5", "seed=x"]);
    let found =
        error.problems().iter().map(|problem| (problem.file(), problem.line(), problem.key())).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            ("x.yaml", 1, "name"),
            ("x.yaml", 2, "duration"),
            ("x.yaml", 3, "warmup"),
            ("x.yaml", 5, "functions.f.memory"),
            ("x.yaml", 6, "functions.g.duration"),
            ("x.yaml", 8, "callers.c.target"),
            ("--set #1", 1, "functions.f.timeout"),
            ("--set #2", 1, "seed"),
        ]
    );
    assert!(error.to_string().ends_with("8 problems in x.yaml"));
}

#[test]
fn not_more_than_a_screenful_is_printed() {
    let text = (0..70).fold(GOOD.to_owned(), |text, number| text + &format!("k{number}: 1\n"));
    let error = refuse(text.as_bytes(), &[]);
    assert_eq!(error.problems().len(), 70);
    let text = error.to_string();
    assert_eq!(text.matches("error: ").count(), 50);
    assert!(text.ends_with("and 20 more\n\n70 problems in x.yaml"), "{text}");
}

#[test]
fn overrides() {
    for (flag, column, kind, says) in [
        ("seed", 1, Kind::Override, "there is no `=`"),
        ("seed=", 5, Kind::Override, "there is no value"),
        ("=5", 1, Kind::Override, "is not a key path"),
        ("functions..memory=1GB", 11, Kind::Override, "is not a key path"),
        ("functions.f.failures[x]=1", 21, Kind::Override, "is not a key path"),
        ("functions.f.failures[0=1", 21, Kind::Override, "is not a key path"),
        ("functions.f.failures[2].kind=crash", 22, Kind::Override, "the list is empty"),
        ("functions.f.duration.mean=1s", 22, Kind::Override, "is `20ms`, which has no keys"),
        ("functions[0].memory=1GB", 11, Kind::Override, "`functions` is not a list"),
        ("functions.f.memory={a: [}", 24, Kind::Syntax, "this is not YAML"),
        ("functions.f.memory=64MB", 20, Kind::OutOfRange, "too small"),
        ("functions.f.memry=1GB", 13, Kind::UnknownKey, "did you mean `memory`?"),
        ("functions.g.memory=1GB", 11, Kind::UnknownName, "the scenario has no function `g`"),
        ("functions.f.timeout=[]", 13, Kind::WrongType, "a list does not fit here"),
        ("nmae=x", 1, Kind::UnknownKey, "did you mean `name`?"),
        ("callers.c.arrivals.trace.file=x.csv", 20, Kind::Contradiction, "exclude each other"),
    ] {
        let error = refuse(GOOD.as_bytes(), &["seed=1", flag]);
        let problem = &error.problems()[0];
        let found = (problem.file(), problem.line(), problem.column(), problem.kind());
        assert_eq!(found, ("--set #2", 1, column, kind), "{flag}:\n{error}");
        assert!(error.to_string().contains(says), "{flag}: no {says:?} in\n{error}");
        assert!(error.to_string().contains(flag), "{error}");
    }
}

#[test]
fn the_look_of_a_message() {
    let error = refuse(GOOD.replace("    duration: 20ms", "    duration: 20\n    timout: 3s").as_bytes(), &[]);
    insta::assert_snapshot!(error, @r#"
    error: `20` has no unit
     --> x.yaml:5:15
      |
    5 |     duration: 20
      |               ^^ expected a duration such as `250ms`, `30s` or `1h30m` or a time distribution such as `{uniform: ..}`
      |
      = key: functions.f.duration
      = help: write `20s` for seconds or `20ms` for milliseconds

    error: unknown key `timout`
     --> x.yaml:6:5
      |
    6 |     timout: 3s
      |     ^^^^^^ expected a key of a function
      |
      = key: functions.f.timout
      = help: did you mean `timeout`?

    2 problems in x.yaml
    "#);
    let error = refuse(format!("{GOOD}name: b\n").as_bytes(), &["functions.f.memory=1TB"]);
    insta::assert_snapshot!(error, @r#"
    error: the key `name` is written twice
      --> x.yaml:10:1
       |
     1 | name: small
       | ---- first written here
    ...
    10 | name: b
       | ^^^^ expected each key once
       |
       = key: name

    error: `1TB` is not an amount of memory: `TB` is not a unit of it
     --> --set #1:1:20
      |
    1 | functions.f.memory=1TB
      |                    ^^^ expected memory from 128MB to 10240MB
      |
      = key: functions.f.memory
      = help: write for example `512MB` or `1024MB`

    2 problems in x.yaml
    "#);
    let text = GOOD.replace("20ms", "20ms\n    snapstart: {restore: 1s}\n    ephemeral_storage: 1GB");
    insta::assert_snapshot!(refuse(text.as_bytes(), &[]), @r#"
    error: SnapStart takes at most 512MB of ephemeral storage
     --> x.yaml:7:24
      |
    6 |     snapstart: {restore: 1s}
      |     --------- SnapStart is on
    7 |     ephemeral_storage: 1GB
      |                        ^^^ expected at most 512MB (INV-E18)
      |
      = key: functions.f.ephemeral_storage

    1 problem in x.yaml
    "#);
}

#[test]
fn colours_are_added_on_request_only() {
    let error = refuse(b"nmae: x", &[]);
    assert!(!error.render(false).contains('\u{1b}'));
    assert!(error.render(true).contains('\u{1b}'));
    assert_eq!(error.to_string(), error.render(false));
    let _: &[Problem] = error.problems();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of a good scenario, reading it comes to an end without a panic, and so does the message.
    #[test]
    fn any_input_is_answered(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), any::<prop::sample::Index>()), 1..12),
        flag in "[a-z.\\[\\]0-9=:{}]{0,40}",
    ) {
        const LARGE: &str = include_str!("data/large.yaml");
        const BYTES: &[u8] = b"\n\t {}[]:,-&*!|>'\"%@`#?0123456789eE.+~<sm/";
        let mut bytes = LARGE.as_bytes().to_vec();
        for (at, what, byte, other) in edits {
            let at = at.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => bytes[at] = BYTES[usize::from(byte) % BYTES.len()],
                2 => {
                    bytes.remove(at);
                }
                _ => {
                    let other = other.index(bytes.len());
                    let (from, to) = (at.min(other), at.max(other).min(at.min(other) + 200));
                    let piece = bytes[from..to].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        for overrides in [vec![], vec![flag]] {
            if let Err(error) = parse("x.yaml", &bytes, data(), &overrides) {
                prop_assert!(!error.problems().is_empty());
                prop_assert!(error.render(true).len() > 10);
            }
        }
    }
}
