//! The tables of clients: retries, budgets, circuit breakers.

use super::common::{
    ANY, ANY_DURATION, ANY_RATIO, BACKOFF_FACTOR, COUNT_FROM_0, COUNT_FROM_1, JITTER, SOME_DURATION, SOME_RATIO, word,
};
use super::{Block, Key, Shape};

pub(super) static CLIENT: Block = Block {
    name: "client",
    doc: "a client's retries, time-outs and protections",
    case: None,
    keys: &[
        Key::new("retry", &RETRY, "when and how often it tries again").is("standard_2026").rule("INV-N1"),
        Key::new("retry_on", &Shape::List(&RETRY_ON), "what is tried again")
            .is("[throttle, service_error, timeout]")
            .rule("INV-3.2"),
        Key::new("timeout", &CLIENT_TIMEOUT, "longest wait for the answer to one attempt").is("60s").rule("INV-3.5"),
        Key::new("total_timeout", &CLIENT_TIMEOUT, "longest time for the whole call, retries included").is("unlimited"),
        Key::new("circuit_breaker", &CIRCUIT_BREAKER, "stops calling while most calls fail").is("none"),
    ],
};

/// The client of a service before the function, and of a dependency.
pub(super) static PLAIN_CLIENT: Block = Block {
    name: "plain client",
    doc: "a client that is no AWS SDK: it tries nothing again and waits for ever, where nothing else is written",
    case: None,
    keys: &[
        Key::new("retry", &RETRY, "when and how often it tries again").is("none"),
        Key::new("retry_on", &Shape::List(&RETRY_ON), "what is tried again").is("[throttle, service_error, timeout]"),
        Key::new("timeout", &CLIENT_TIMEOUT, "longest wait for the answer to one attempt").is("unlimited"),
        Key::new("total_timeout", &CLIENT_TIMEOUT, "longest time for the whole call, retries included").is("unlimited"),
        Key::new("circuit_breaker", &CIRCUIT_BREAKER, "stops calling while most calls fail").is("none"),
    ],
};

pub(super) static CLIENT_TIMEOUT: Shape =
    Shape::Either(&[Shape::Without("unlimited", "it waits for ever"), Shape::Duration(1, ANY)]);

static RETRY: Shape = Shape::Either(&[Shape::Short("preset", &PRESETS, &PRESET), Shape::Block(&OWN_RETRY)]);

static PRESETS: Shape = Shape::Words(&[
    word("none", "no retry"),
    word("boto3_legacy", "boto3 and CLI v1, legacy mode"),
    word("standard_v2", "the SDKs' standard mode before November 2026"),
    word("standard_2026", "the SDKs' standard mode since November 2026"),
    word("adaptive", "standard_2026 and a client-side rate limiter"),
]);

/// A preset with some of its values replaced.
static PRESET: Block = Block {
    name: "retry preset",
    doc: "a retry mode of the SDKs; what is written beside `preset` replaces its values",
    case: Some(("preset", "")),
    keys: &[
        Key::new("preset", &PRESETS, "the mode").required().rule("INV-N1"),
        Key::new("max_attempts", &COUNT_FROM_1, "attempts of one call, the first included"),
        Key::new("base", &ANY_DURATION, "the first wait, after service errors and throttles alike"),
        Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait"),
        Key::new("cap", &CAP, "the longest wait before jitter"),
        Key::new("jitter", &JITTER, "how chance changes a wait"),
        Key::new("budget", &BUDGET, "what retries may cost in all"),
    ],
};

/// A policy of the user's own.
static OWN_RETRY: Block = Block {
    name: "retry policy",
    doc: "a policy of your own: wait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter",
    case: None,
    keys: &[
        Key::new("max_attempts", &COUNT_FROM_1, "attempts of one call, the first included").is("3"),
        Key::new("base", &ANY_DURATION, "the first wait").is("100ms"),
        Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait").is("2"),
        Key::new("cap", &CAP, "the longest wait before jitter").is("20s"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("full"),
        Key::new("budget", &BUDGET, "what retries may cost in all").is("none"),
    ],
};

static CAP: Shape = Shape::Either(&[Shape::Without("unlimited", "waits grow without end"), Shape::Duration(0, ANY)]);

static BUDGET: Shape = Shape::Either(&[
    Shape::Without("none", "retries cost nothing"),
    Shape::Block(&Block {
        name: "token budget",
        doc: "the SDKs' retry quota: a bucket of tokens",
        case: None,
        keys: &[
            Key::new("tokens", &COUNT_FROM_0, "size of the bucket; it starts full").is("500").rule("INV-N3"),
            Key::new("transient", &COUNT_FROM_0, "cost of a retry after a service error").is("14").rule("INV-N3"),
            Key::new("throttle", &COUNT_FROM_0, "cost of a retry after a throttle").is("5").rule("INV-N3"),
            Key::new("timeout", &COUNT_FROM_0, "cost of a retry after a client time-out").is("14").rule("INV-N3"),
            Key::new("success", &COUNT_FROM_0, "given back by a success at the first attempt").is("1").rule("INV-N3"),
        ],
    }),
    Shape::Block(&Block {
        name: "ratio budget",
        doc: "retries as a share of first attempts",
        case: None,
        keys: &[
            Key::new("ratio", &ANY_RATIO, "retries earned by each first attempt").is("10%"),
            Key::new("burst", &COUNT_FROM_0, "the most that is saved up; it starts full").is("10"),
        ],
    }),
]);

static RETRY_ON: Shape = Shape::Words(&[
    word("throttle", "429"),
    word("service_error", "5xx of the service"),
    word("timeout", "its own time-out"),
    word("function_error", "an error of the function, which the SDKs do not retry"),
    word("any", "all of these"),
]);

static CIRCUIT_BREAKER: Shape = Shape::Either(&[
    Shape::Without("none", "no circuit breaker"),
    Shape::Block(&Block {
        name: "circuit breaker",
        doc: "stops calling while most calls fail",
        case: None,
        keys: &[
            Key::new("window", &SOME_DURATION, "how far it looks back").is("10s"),
            Key::new("failures", &SOME_RATIO, "share of failures that opens it").is("50%"),
            Key::new("minimum_calls", &COUNT_FROM_1, "attempts in the window before it judges").is("20"),
            Key::new("open", &SOME_DURATION, "how long it stays open").is("5s"),
            Key::new("probes", &COUNT_FROM_1, "attempts let through to find out whether it may close").is("1"),
        ],
    }),
]);
