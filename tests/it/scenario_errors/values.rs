//! Values: units, words, names and ranges.

use super::*;

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
#[allow(clippy::too_many_lines, reason = "a table")]
fn words_and_names() {
    let kind = Kind::InvalidValue;
    check(&[
        (END, "model: {timing: «typicl}", kind, "model.timing", &["`ideal` or `typical`", "did you mean `typical`?"]),
        (END, "account: {scaling: {model: «legacy}}", kind, "account.scaling.model", &["`legacy_burst`"]),
        (END, "account: {scaling: «none}", kind, "account.scaling", &["write `off`"]),
        (RUN, "    duration: 1s\n    architecture: «arm", kind, "functions.f.architecture", &["did you mean `arm64`?"]),
        (RUN, "    duration: 1s\n    warm_selection: «newest", kind, "functions.f.warm_selection", &["`mru`, `lru`"]),
        (TARGET, "    target: f\n    via: «albs", kind, "callers.c.via", &["expected `sdk`", "did you mean `alb`?"]),
        (TARGET, "    target: f\n    invocation: «asynch", kind, "callers.c.invocation", &["did you mean `async`?"]),
        (
            RUN,
            "    duration: 1s\n    recursive_loop: «stop",
            kind,
            "functions.f.recursive_loop",
            &["`terminate` or `allow`"],
        ),
        (RUN, "    duration: 1s\n    async: {expiry: «deadline}", kind, "functions.f.async.expiry", &["`lookahead`"]),
        (RUN, "    duration: 1s\n    async: {retry_from: «begin}", kind, "functions.f.async.retry_from", &["`start`"]),
        (
            RUN,
            "    duration: 1s\n    async: {retry_jitter: «some}",
            kind,
            "functions.f.async.retry_jitter",
            &["`full`"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {backpressure: «off}",
            kind,
            "functions.f.async.backpressure",
            &["write `none`", "a mapping `{per}`"],
        ),
        (
            RUN,
            "    duration: 1s\n    async: {on_failure: «a b}",
            kind,
            "functions.f.async.on_failure",
            &["the name `a b` holds ` `", "the name of a queue, topic, event bus, function or bucket"],
        ),
        (END, "queues: {q: {type: «FIFO}}", kind, "queues.q.type", &["did you mean `fifo`?"]),
        (END, "queues: {«q.fifo: {}}", kind, "queues.q.fifo", &["the name `q.fifo` holds `.`"]),
        (END, "faults: [{function: f, stage: «queue, status: 500}]", kind, "faults[0].stage", &["`dispatch`"]),
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
        (
            TARGET,
            "    target: «g",
            kind,
            "callers.c.target",
            &[
                "there is no function, queue, stream, broker, state machine, topic, event bus or bucket `g`",
                "there are `f`",
            ],
        ),
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
#[allow(clippy::too_many_lines, reason = "a table")]
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
        (END, "queues: {q: {}}\nfaults: [{queue: q, status: «400}]", kind, "faults[0].status", &["from 500 to 599"]),
        (END, "queues: {q: {maximum_message_size: «1023B}}", kind, "queues.q.maximum_message_size", &["too small"]),
        (END, "queues: {q: {maximum_message_size: «1048577B}}", kind, "queues.q.maximum_message_size", &["1048576B"]),
        (END, "account: {configuration_propagation: «-1s}", kind, "account.configuration_propagation", &["negative"]),
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
