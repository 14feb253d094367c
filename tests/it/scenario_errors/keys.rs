//! Keys: unknown, twice, missing, and of the wrong type.

use super::*;

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn unknown_keys() {
    let kind = Kind::UnknownKey;
    check(&[
        (END, "«nmae: a", kind, "nmae", &["did you mean `name`?"]),
        (END, "«colour: red", kind, "colour", &["a key of a scenario", "the keys are `name`"]),
        (END, "model: {«timings: ideal}", kind, "model.timings", &["did you mean `timing`?"]),
        (END, "account: {«concurency_limit: 5}", kind, "account.concurency_limit", &["`concurrency_limit`?"]),
        (END, "account: {scaling: {«evry: 5s}}", kind, "account.scaling.evry", &["`every`?"]),
        (
            END,
            "account: {scaling: {«burst: 5, model: per_function}}",
            kind,
            "account.scaling.burst",
            &["a key of a scaling", "`burst` goes with `model: legacy_burst`"],
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
        (END, "faults: [{«functoin: f, status: 500}]", kind, "faults[0].functoin", &["did you mean `function`?"]),
        (END, "faults: [{«queu: q, status: 500}]", kind, "faults[0].queu", &["did you mean `queue`?"]),
        (
            END,
            "faults: [{«table: q, status: 500}]",
            kind,
            "faults[0].table",
            &["`queue`, `stream`, `broker`, `topic`, `event_bus`"],
        ),
        (
            END,
            "queues: {q: {}}\nfaults: [{queue: q, «stage: dispatch, status: 500}]",
            kind,
            "faults[0].stage",
            &["a key of a queue fault", "help: `stage` goes with `function`\n"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {«retry_delay: [1s]}",
            kind,
            "functions.f.async.retry_delay",
            &["`retry_delays`?"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {backoff: {«growth: 2}}",
            kind,
            "functions.f.async.backoff.growth",
            &["a key of a back-off", "the keys are `base`, `factor`, `cap`, `jitter`"],
        ),
        (END, "queues: {q: {«tpye: fifo}}", kind, "queues.q.tpye", &["a key of a queue", "did you mean `type`?"]),
        (
            END,
            "topics: {t: {«name: x}}",
            kind,
            "topics.t.name",
            &["a key of a topic", "the keys are `subscribers`, `maximum_message_size`, `retry`"],
        ),
        (END, "changes: [{at: 1s, deploy: f, «st: 1}]", kind, "changes[0].st", &["did you mean `set`?"]),
    ]);
}

#[test]
fn keys_by_another_word() {
    const RETRIES: &str = "did you mean `maximum_retry_attempts`? it does not count the first attempt";
    const MEANT: &str = "did you mean `max_attempts`? it counts the first attempt too";
    let kind = Kind::UnknownKey;
    let key = "callers.c.client.retry.max_retries";
    check(&[
        (
            TARGET,
            "    target: f\n    client: {retry: {«max_retries: 3}}",
            kind,
            key,
            &["a key of a retry policy", MEANT, "the keys are `preset`, `max_attempts`, `base`"],
        ),
        (
            TARGET,
            "    target: f\n    client: {retry: {preset: adaptive, «max_retries: 3}}",
            kind,
            key,
            &["a key of a retry preset", MEANT, "the keys are `preset`, `max_attempts`, `base`"],
        ),
        (
            RUN,
            "    duration: 20ms\n    async: {«max_attempts: 3}",
            kind,
            "functions.f.async.max_attempts",
            &["a key of an async configuration", RETRIES],
        ),
        (RUN, "    duration: 20ms\n    async: {«retries: 2}", kind, "functions.f.async.retries", &[RETRIES]),
        (
            RUN,
            "    duration: 20ms\n    async: {«dlq: q}",
            kind,
            "functions.f.async.dlq",
            &["did you mean `dead_letter_queue`? it takes the name of what gets the events or messages"],
        ),
    ]);
}

#[test]
fn keys_that_are_not_indented() {
    let kind = Kind::WrongType;
    check(&[
        (
            "  f:\n    duration: 20ms",
            "  «f:",
            kind,
            "functions.f",
            &["`functions.f` has no value", "help: indent the keys of `f` further than `f` itself\n"],
        ),
        (
            END,
            "«account:",
            kind,
            "account",
            &["the keys of `account` further", "or write `account: {}` for its defaults"],
        ),
        (
            RUN,
            "    «duration:",
            kind,
            "functions.f.duration",
            &["`functions.f.duration` has no value", "indent the keys of `duration` further than `duration` itself"],
        ),
        (END, "«seed:", kind, "seed", &["help: leave the key out where its default will do"]),
        (
            END,
            "queues:\n  «dlq:",
            kind,
            "queues.dlq",
            &["`queues.dlq` has no value", "the keys of `dlq` further", "or write `dlq: {}` for its defaults"],
        ),
        (END, "topics:\n  «t:", kind, "topics.t", &["`topics.t` has no value", "or write `t: {}` for its defaults"]),
        (
            END,
            "buckets:\n  «b: ~",
            kind,
            "buckets.b",
            &["`buckets.b` has no value", "or write `b: {}` for its defaults"],
        ),
        (END, "«event_buses:", kind, "event_buses", &["or write `event_buses: {}` for none"]),
        (RUN, "    duration: 20ms\n    «async:", kind, "functions.f.async", &["or write `async: {}` for its defaults"]),
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
        (END, "queues: {q: {}}\ntopics: {«q: {}}", kind, "topics.q", &["`q` names two things", "also in `queues`"]),
        (END, "buckets: {«f: {}}", kind, "buckets.f", &["`f` names two things", "also in `functions`"]),
        (END, "event_buses: {«c: {}}", kind, "event_buses.c", &["`c` names two things", "also in `callers`"]),
        (END, "queues: {q: {}, «q: {}}", kind, "queues.q", &["the key `q` is written twice"]),
    ]);
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn missing_keys() {
    let kind = Kind::MissingKey;
    check(&[
        (
            RUN,
            "    duration: {«lognormal: {median: 40ms}}",
            kind,
            "functions.f.duration.lognormal.p99",
            &["a lognormal lacks `p99`", "the key `p99`"],
        ),
        (NAME, "«description: d", kind, "name", &["a scenario lacks `name`"]),
        (GOOD_START, "«name: small", kind, "duration", &["a scenario lacks `duration`", "callers submit during"]),
        (
            "  f:\n    duration: 20ms",
            "  «f:\n    timeout: 3s",
            kind,
            "functions.f.duration",
            &["a function lacks `duration`"],
        ),
        ("  c:\n    target: f", "  «c:\n    via: sdk", kind, "callers.c.target", &["a caller lacks `target`"]),
        (
            "  c:\n    target: f\n    arrivals: {poisson: 5/s}",
            "  «c:\n    target: f",
            kind,
            "callers.c",
            &["this caller never calls", "{poisson: 50/s}"],
        ),
        (
            RUN,
            "    duration: {«uniform: {min: 1s}}",
            kind,
            "functions.f.duration.uniform.max",
            &["a uniform lacks `max`"],
        ),
        (RUN, "    «duration: {}", kind, "functions.f.duration", &["says nothing", "one of `constant`"]),
        (
            RUN,
            "    duration: 1s\n    «snapstart: {}",
            kind,
            "functions.f.snapstart.restore",
            &["a snapstart lacks `restore`"],
        ),
        (END, "faults: [«{function: f}]", kind, "faults[0].status", &["a fault lacks `status`"]),
        (
            END,
            "faults: [«{status: 500}]",
            kind,
            "faults[0].function",
            &[
                "a fault lacks `function`, `queue`, `stream`, `broker`, `topic`, `event_bus` or `bucket`",
                "expected one of these keys",
            ],
        ),
        (
            END,
            "queues: {q: {}}\nfaults: [«{queue: q}]",
            kind,
            "faults[0].status",
            &["a queue fault lacks `status`", "the key `status`: 429"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {retry_delays: «[]}",
            kind,
            "functions.f.async.retry_delays",
            &["at least one duration", "`maximum_retry_attempts: 0`"],
        ),
        (
            END,
            "changes: [«{at: 1s}]",
            kind,
            "changes[0]",
            &["this entry changes nothing", "`set`, `deploy` or `redrive`"],
        ),
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
        (
            RUN,
            "    duration: 1s\n    async: «none",
            kind,
            "functions.f.async",
            &["expected a mapping `{maximum_retry_attempts"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {«on_failure: [q]}",
            kind,
            "functions.f.async.on_failure",
            &["the name of a queue"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {retry_delays: «1m}",
            kind,
            "functions.f.async.retry_delays",
            &["expected a list"],
        ),
        (
            END,
            "topics: {t: «on}",
            kind,
            "topics.t",
            &["expected a mapping `{subscribers, maximum_message_size, retry}`"],
        ),
        (END, "faults: [«500]", kind, "faults[0]", &["expected a mapping with `function`, `queue`, `stream`"]),
        (END, "account: «1000", kind, "account", &["expected a mapping `{concurrency_limit"]),
        (END, "«faults:", kind, "faults", &["`faults` has no value"]),
        (ARRIVALS, "    users: «5", kind, "callers.c.users", &["expected a mapping `{count, think, start}`"]),
        (ARRIVALS, "    arrivals: «5/s", kind, "callers.c.arrivals", &["expected arrivals such as `{constant: ..}`"]),
        (END, "changes: [{at: 1s, set: «5}]", kind, "changes[0].set", &["expected a mapping from key paths to values"]),
        (RUN, "    duration: {empirical: «trace.csv}", kind, "functions.f.duration.empirical", &["expected a mapping"]),
    ]);
}
