//! Keys: unknown, twice, missing, and of the wrong type.

use super::*;

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
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
