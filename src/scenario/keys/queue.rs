//! The tables of queues: one for each type, because each has keys that the other has not.

use super::common::{ANY_DURATION, ANY_RATIO, COUNT, COUNT_FROM_1, QUEUE_NAME, SECOND, SOME_DURATION, SWITCH, word};
use super::{Block, Key, Shape};
use crate::kernel::quantity::Ratio;

/// A queue of either type.
pub(super) static QUEUE: Shape = Shape::Either(&[Shape::Block(&STANDARD), Shape::Block(&FIFO)]);

static QUEUE_TYPE: Shape =
    Shape::Words(&[word("standard", "without order"), word("fifo", "first in, first out within a message group")]);

const TYPE: Key = Key::new("type", &QUEUE_TYPE, "its type").rule("ESM-1.1");
const VISIBILITY_TIMEOUT: Key =
    Key::new("visibility_timeout", &Shape::Duration(0, 12 * 3600 * SECOND), "how long a received message is hidden")
        .is("30s")
        .rule("ESM-1.1");
const MESSAGE_RETENTION: Key = Key::new(
    "message_retention",
    &Shape::Duration(60 * SECOND, 14 * 24 * 3600 * SECOND),
    "how long a message is kept, from the moment it was sent",
)
.is("4d")
.rule("ESM-1.1");
const DELIVERY_DELAY: Key =
    Key::new("delivery_delay", &Shape::Duration(0, 900 * SECOND), "how long a new message is hidden")
        .is("0s")
        .rule("ESM-1.1");
const REDRIVE: Key = Key::new("redrive", &POLICY, "where messages go that were received too often").rule("ESM-1.5");
const MAXIMUM_MESSAGE_SIZE: Key =
    Key::new("maximum_message_size", &Shape::Size(1024, 1_048_576), "a larger message is refused")
        .is("1MiB")
        .rule("ESM-1.1");
const MAXIMUM_IN_FLIGHT: Key =
    Key::new("maximum_in_flight", &COUNT_FROM_1, "messages in flight above which a receive gives nothing")
        .is("120000")
        .rule("ESM-1.13");
const WAKEUP: Key =
    Key::new("wakeup", &ANY_DURATION, "from a message that becomes visible to the poll that waits for it")
        .is("0s")
        .rule("ESM-S19");
const DELETE_LATENCY: Key =
    Key::new("delete_latency", &ANY_DURATION, "from the end of an invocation to the deletion of its messages")
        .is("0s")
        .rule("ESM-1.4");
const ATTRIBUTE_PROPAGATION: Key =
    Key::new("attribute_propagation", &ANY_DURATION, "how late changed settings of the queue take effect")
        .is("0s")
        .rule("ESM-S28");
const OLDEST_AGE_SKIPS_AFTER: Key = Key::new(
    "oldest_age_skips_after",
    &SKIPS_AFTER,
    "so many receives of a message take it out of the age of the oldest",
)
.is("off")
.rule("ESM-S16");

static SKIPS_AFTER: Shape =
    Shape::Either(&[Shape::Without("off", "the age looks at all"), Shape::Counted(1, COUNT, "receive")]);

static STANDARD: Block = Block {
    name: "queue",
    doc: "an SQS standard queue",
    case: Some(("type", "standard")),
    keys: &[
        TYPE.is("standard"),
        VISIBILITY_TIMEOUT,
        MESSAGE_RETENTION,
        DELIVERY_DELAY,
        REDRIVE,
        MAXIMUM_MESSAGE_SIZE,
        MAXIMUM_IN_FLIGHT,
        Key::new("short_receive_probability", &ANY_RATIO, "a receive gives fewer messages than it could")
            .is("0%")
            .rule("ESM-S14"),
        Key::new("shuffle_window", &COUNT_FROM_1, "a receive takes any of so many first messages; 1 keeps their order")
            .is("1")
            .rule("ESM-S13"),
        WAKEUP,
        DELETE_LATENCY,
        Key::new("stale_delete", &STALE_DELETE, "what the old receipt of a message does that was received again")
            .is("ignored")
            .rule("ESM-S17"),
        ATTRIBUTE_PROPAGATION,
        OLDEST_AGE_SKIPS_AFTER,
        Key::new("fair", &FAIR, "which message groups are noisy: those of others are received first")
            .keys()
            .rule("ESM-1.11"),
    ],
};

static FIFO: Block = Block {
    name: "FIFO queue",
    doc: "an SQS FIFO queue; it refuses what functions send to it",
    case: Some(("type", "fifo")),
    keys: &[
        TYPE.required(),
        VISIBILITY_TIMEOUT,
        MESSAGE_RETENTION,
        DELIVERY_DELAY,
        REDRIVE,
        MAXIMUM_MESSAGE_SIZE,
        MAXIMUM_IN_FLIGHT,
        WAKEUP,
        DELETE_LATENCY,
        ATTRIBUTE_PROPAGATION,
        OLDEST_AGE_SKIPS_AFTER,
        Key::new("content_based_deduplication", &SWITCH, "the deduplication id is a hash of the body")
            .is("off")
            .rule("ESM-1.10"),
        Key::new("deduplication_scope", &DEDUPLICATION_SCOPE, "within what a deduplication id is looked for")
            .is("queue")
            .rule("ESM-1.10"),
        Key::new("deduplication_window", &SOME_DURATION, "how long a deduplication id is remembered")
            .is("5m")
            .rule("ESM-1.10"),
        Key::new("fifo_throughput", &FIFO_THROUGHPUT, "calls of each action").is("300/s").rule("ESM-1.10"),
        Key::new("group_lookahead", &COUNT_FROM_1, "messages from the front in which groups are looked for")
            .is("120000")
            .rule("ESM-1.10"),
    ],
};

static POLICY: Shape = Shape::Block(&REDRIVE_POLICY);

static REDRIVE_POLICY: Block = Block {
    name: "redrive policy",
    doc: "where messages go that were received too often",
    case: None,
    keys: &[
        Key::new("dead_letter_queue", &QUEUE_NAME, "another queue of the same type").required().rule("ESM-1.5"),
        Key::new("max_receive_count", &Shape::Whole(1, 1000), "receives before the next one moves the message")
            .required()
            .rule("ESM-1.5"),
    ],
};

static FAIR: Shape =
    Shape::Either(&[Shape::Without("off", "messages in order, whatever their groups"), Shape::Block(&FAIRNESS)]);

static FAIRNESS: Block = Block {
    name: "fair queue",
    doc: "a message group is noisy with more than `share` of what is in flight, and `in_flight` messages or more",
    case: None,
    keys: &[
        Key::new("share", &ANY_RATIO, "of all messages in flight: a noisy group has more").is("10%").rule("ESM-1.11"),
        Key::new("in_flight", &COUNT_FROM_1, "messages in flight: a noisy group has so many or more")
            .is("30")
            .rule("ESM-1.11"),
        Key::new(
            "processing_share",
            &PROCESSING_SHARE,
            "of the time in flight of the last 5m: a group with more is noisy too",
        )
        .is("off")
        .rule("ESM-S24"),
        Key::new("quiet_after", &SOME_DURATION, "a noisy group is quiet after so long without a message in flight")
            .is("5m")
            .rule("ESM-1.11"),
    ],
};

static PROCESSING_SHARE: Shape =
    Shape::Either(&[Shape::Without("off", "the time does not matter"), Shape::Ratio(0, Ratio::PARTS)]);

static STALE_DELETE: Shape = Shape::Words(&[word("ignored", "nothing"), word("effective", "it deletes the message")]);

static DEDUPLICATION_SCOPE: Shape =
    Shape::Words(&[word("queue", "the whole queue"), word("message_group", "the message group")]);

static FIFO_THROUGHPUT: Shape = Shape::Either(&[Shape::Without("unlimited", "no limit"), Shape::Rate]);
