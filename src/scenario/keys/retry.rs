//! The tables of services' own retries: SNS, `EventBridge`, S3 and what behaves like them (INV-6).

use super::common::{ANY, ANY_DURATION, BACKOFF_CAP, BACKOFF_FACTOR, COUNT_FROM_0, JITTER, SECOND};
use super::{Block, Key, Shape};

/// How SNS tries again: four phases, one after the other.
pub(super) static TOPIC_RETRY: Block = Block {
    name: "topic retry",
    doc: "how a topic tries again what its subscriber's service refused: four phases, one after the other",
    case: None,
    keys: &[
        Key::new("immediate", &COUNT_FROM_0, "retries at once").is("3").rule("INV-6"),
        Key::new("pre_backoff", &Shape::Block(&STEADY_BEFORE), "retries at a steady pace, before the back-off")
            .keys()
            .rule("INV-6"),
        Key::new("backoff", &Shape::Block(&GEOMETRIC), "retries whose waits grow from the first to the last")
            .keys()
            .rule("INV-D31"),
        Key::new("post_backoff", &Shape::Block(&STEADY_AFTER), "retries at a steady pace, after the back-off")
            .keys()
            .rule("INV-6"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("none").rule("INV-D31"),
    ],
};

static STEADY_BEFORE: Block = Block {
    name: "pre-backoff phase",
    doc: "retries at a steady pace",
    case: None,
    keys: &[
        Key::new("times", &COUNT_FROM_0, "how many").is("2"),
        Key::new("every", &ANY_DURATION, "the wait before each").is("1s"),
    ],
};

static GEOMETRIC: Block = Block {
    name: "backoff phase",
    doc: "retries whose waits grow by the same factor from one to the next",
    case: None,
    keys: &[
        Key::new("times", &COUNT_FROM_0, "how many").is("10"),
        Key::new("from", &Shape::Duration(1, ANY), "the first wait").is("1s"),
        Key::new("to", &Shape::Duration(1, ANY), "the last wait").is("20s"),
    ],
};

static STEADY_AFTER: Block = Block {
    name: "post-backoff phase",
    doc: "retries at a steady pace",
    case: None,
    keys: &[
        Key::new("times", &COUNT_FROM_0, "how many").is("100000"),
        Key::new("every", &ANY_DURATION, "the wait before each").is("20s"),
    ],
};

/// How `EventBridge` tries again.
pub(super) static RULE_RETRY: Block = Block {
    name: "rule retry",
    doc: "how an event bus tries again what a target's service refused",
    case: None,
    keys: &[
        Key::new("maximum_retry_attempts", &RULE_ATTEMPTS, "retries at most").is("185").rule("INV-6"),
        Key::new("maximum_event_age", &RULE_AGE, "age at which a retry is not made any more").is("24h").rule("INV-6"),
        Key::new("base", &ANY_DURATION, "the first wait").is("1s").rule("INV-D32"),
        Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait").is("2").rule("INV-D32"),
        Key::new("cap", &BACKOFF_CAP, "the longest wait before jitter").is("8m").rule("INV-D32"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("none").rule("INV-D32"),
    ],
};

pub(super) static RULE_ATTEMPTS: Shape = Shape::Whole(0, 185);
pub(super) static RULE_AGE: Shape = Shape::Duration(60 * SECOND, 86_400 * SECOND);

/// How S3 and `CloudWatch` Logs try again.
pub(super) static NOTIFICATION_RETRY: Block = Block {
    name: "notification retry",
    doc: "how a service tries again a notification that was refused",
    case: None,
    keys: &[
        Key::new("base", &ANY_DURATION, "the first wait").is("1s").rule("INV-D33"),
        Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait").is("2").rule("INV-D33"),
        Key::new("cap", &BACKOFF_CAP, "the longest wait before jitter").is("5m").rule("INV-D33"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("none").rule("INV-D33"),
        Key::new("maximum_event_age", &Shape::Duration(1, ANY), "age at which a retry is not made any more")
            .is("24h")
            .rule("INV-D33"),
    ],
};
