//! The tables of asynchronous invocation.

use super::common::{
    ANY_DURATION, ANY_RATIO, BACKOFF_CAP, BACKOFF_FACTOR, COUNT, COUNT_FROM_1, JITTER, SECOND, SOME_DURATION, word,
};
use super::{Block, Key, ResourceKind, Shape};

pub(super) static ASYNCHRONOUS: Block = Block {
    name: "async configuration",
    doc: "asynchronous invocation: the function's internal queue, its retries, and where events end",
    case: None,
    keys: &[
        Key::new("maximum_retry_attempts", &Shape::Whole(0, 2), "how often a function error is tried again")
            .is("2")
            .rule("INV-Q7"),
        Key::new("maximum_event_age", &EVENT_AGE, "age at which an event that still waits ends")
            .is("6h")
            .rule("INV-Q11"),
        Key::new("dead_letter_queue", &DEAD_LETTER_QUEUE, "who gets events that end without success").rule("INV-O2"),
        Key::new("on_failure", &ON_FAILURE, "who gets the invocation record of such events").rule("INV-O1"),
        Key::new("on_success", &ON_SUCCESS, "who gets the invocation record of successes").rule("INV-O1"),
        Key::new("dispatch_latency", &ANY_DURATION, "from the acceptance of an event to its first dispatch")
            .is("0s")
            .rule("INV-Q4"),
        Key::new(
            "retry_delays",
            &Shape::List(&ANY_DURATION),
            "waits before the second, the third attempt and so on; the last one stands for those after it",
        )
        .is("[1m, 2m]")
        .rule("INV-Q8"),
        Key::new("retry_from", &RETRY_FROM, "what these waits are counted from").is("end").rule("INV-D17"),
        Key::new("retry_jitter", &JITTER, "how chance changes these waits").is("none").rule("INV-Q8"),
        Key::new("backoff", &Shape::Block(&BACKOFF), "waits after throttles and service errors").keys().rule("INV-Q9"),
        Key::new("backpressure", &BACKPRESSURE, "whether a long queue waits longer").is("none").rule("INV-Q17"),
        Key::new("expiry", &EXPIRY, "when an event that would become too old ends").is("lookahead").rule("INV-Q12"),
        Key::new("duplicate_probability", &ANY_RATIO, "an event is delivered once more when a run of it starts")
            .is("0%")
            .rule("INV-Q6"),
        Key::new("maximum_parallel_dispatch", &PARALLEL_DISPATCH, "most events of this function that run at once")
            .is("unlimited")
            .rule("INV-D23"),
        Key::new("delivery", &Shape::Block(&DELIVERY), "deliveries to destinations and dead-letter queues")
            .keys()
            .rule("INV-D24"),
    ],
};

/// INV-5.7.
pub(super) static RECURSIVE_LOOP: Shape =
    Shape::Words(&[word("terminate", "its 17th run in one chain of requests is stopped"), word("allow", "it goes on")]);

static EVENT_AGE: Shape = Shape::Duration(60 * SECOND, 6 * 3600 * SECOND);

static DEAD_LETTER_QUEUE: Shape = Shape::Target(&[ResourceKind::Queue, ResourceKind::Topic]);
static ON_FAILURE: Shape = Shape::Target(&[
    ResourceKind::Queue,
    ResourceKind::Topic,
    ResourceKind::EventBus,
    ResourceKind::Function,
    ResourceKind::Bucket,
]);
/// INV-O1: buckets take failures only.
static ON_SUCCESS: Shape =
    Shape::Target(&[ResourceKind::Queue, ResourceKind::Topic, ResourceKind::EventBus, ResourceKind::Function]);

static RETRY_FROM: Shape =
    Shape::Words(&[word("end", "the end of the failed run"), word("start", "the start of the failed run")]);

static EXPIRY: Shape = Shape::Words(&[
    word("lookahead", "as soon as that is known"),
    word("at_deadline", "when it reaches its maximum age"),
]);

static BACKPRESSURE: Shape = Shape::Either(&[
    Shape::Without("none", "waits do not depend on the queue"),
    Shape::Block(&Block {
        name: "backpressure",
        doc: "waits are multiplied by 1 + backlog / `per`",
        case: None,
        keys: &[Key::new("per", &COUNT_FROM_1, "so many queued events double a wait").is("10000").rule("INV-Q17")],
    }),
]);

static PARALLEL_DISPATCH: Shape =
    Shape::Either(&[Shape::Without("unlimited", "as many as concurrency admits"), Shape::Whole(1, COUNT)]);

/// Waits of zero would try again for ever in one instant, because throttles use up no attempt.
static BACKOFF: Block = Block {
    name: "back-off",
    doc: "wait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter",
    case: None,
    keys: &[
        Key::new("base", &SOME_DURATION, "the first wait").is("1s").rule("INV-Q9"),
        Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait").is("2").rule("INV-D16"),
        Key::new("cap", &BACKOFF_CAP, "the longest wait before jitter").is("5m").rule("INV-Q9"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("none").rule("INV-D16"),
    ],
};

static DELIVERY: Block = Block {
    name: "delivery",
    doc: "deliveries to destinations and dead-letter queues",
    case: None,
    keys: &[
        Key::new(
            "delay",
            &ANY_DURATION,
            "from the end of the event to the first attempt, and from each attempt to the next",
        )
        .is("0s")
        .rule("INV-D24"),
        Key::new("attempts", &COUNT_FROM_1, "attempts before the delivery has failed").is("1").rule("INV-D24"),
    ],
};
