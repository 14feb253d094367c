//! The tables of places that pass on what they receive: topics, event buses and buckets.

use super::common::{ANY_RATIO, QUEUE_NAME};
use super::distribution::TIME;
use super::retry::{NOTIFICATION_RETRY, RULE_RETRY, TOPIC_RETRY};
use super::{Block, Key, ResourceKind, Shape};

pub(super) static TOPIC: Block = Block {
    name: "topic",
    doc: "an SNS standard topic: what is sent to it goes to its subscribers",
    case: None,
    keys: &[
        Key::new("subscribers", &Shape::List(&SUBSCRIBER), "functions and standard queues, by name or as a mapping")
            .is("[]")
            .rule("INV-6"),
        Key::new("maximum_message_size", &Shape::Size(1_024, 1 << 20), "the largest message that it takes")
            .is("256KiB")
            .rule("INV-O5"),
        Key::new("retry", &Shape::Block(&TOPIC_RETRY), "how a delivery is tried again").keys().rule("INV-6"),
    ],
};

static SUBSCRIBER: Shape = Shape::Short("to", &SUBSCRIBER_NAME, &SUBSCRIPTION);
static SUBSCRIBER_NAME: Shape = Shape::Target(&[ResourceKind::Function, ResourceKind::Queue]);

static SUBSCRIPTION: Block = Block {
    name: "subscription",
    doc: "a subscriber of a topic",
    case: None,
    keys: &[
        Key::new("to", &SUBSCRIBER_NAME, "a function or a standard queue").required(),
        Key::new("match", &ANY_RATIO, "share of the messages that it gets: a filter policy").is("100%"),
        Key::new("dead_letter_queue", &QUEUE_NAME, "the standard queue that gets what could not be delivered")
            .rule("INV-6"),
    ],
};

pub(super) static EVENT_BUS: Block = Block {
    name: "event bus",
    doc: "an EventBridge event bus: what is sent to it goes to the targets of the rules that it matches",
    case: None,
    keys: &[Key::new("rules", &Shape::List(&Shape::Block(&RULE)), "the rules, each judged by itself")
        .is("[]")
        .rule("INV-6")],
};

static RULE: Block = Block {
    name: "rule",
    doc: "a rule of an event bus",
    case: None,
    keys: &[
        Key::new("match", &ANY_RATIO, "share of the events that match: an event pattern").is("100%"),
        Key::new(
            "targets",
            &Shape::List(&RULE_TARGET),
            "who gets what matches, at most 5: functions, queues, topics, Kinesis streams, other event buses and state machines",
        )
        .required()
        .rule("INV-6"),
        Key::new("retry", &Shape::Block(&RULE_RETRY), "how a delivery is tried again").keys().rule("INV-6"),
        Key::new("dead_letter_queue", &QUEUE_NAME, "the standard queue that gets what could not be delivered")
            .rule("INV-6"),
    ],
};

static RULE_TARGET: Shape = Shape::Target(&[
    ResourceKind::Function,
    ResourceKind::Queue,
    ResourceKind::Topic,
    ResourceKind::Stream,
    ResourceKind::EventBus,
    ResourceKind::StateMachine,
]);

pub(super) static BUCKET: Block = Block {
    name: "bucket",
    doc: "an S3 bucket: it notifies of each object that it gets",
    case: None,
    keys: &[
        Key::new(
            "notify",
            &Shape::List(&NOTIFIED),
            "functions, standard queues, topics and event buses, by name or as a mapping",
        )
        .is("[]")
        .rule("INV-6"),
        Key::new("delay", &TIME, "from an object to its notifications").is("0s").rule("INV-6"),
        Key::new("retry", &Shape::Block(&NOTIFICATION_RETRY), "how a notification is tried again")
            .keys()
            .rule("INV-D33"),
    ],
};

static NOTIFIED: Shape = Shape::Short("to", &NOTIFIED_NAME, &NOTIFICATION);
static NOTIFIED_NAME: Shape =
    Shape::Target(&[ResourceKind::Function, ResourceKind::Queue, ResourceKind::Topic, ResourceKind::EventBus]);

static NOTIFICATION: Block = Block {
    name: "notification",
    doc: "who is told of the objects in a bucket",
    case: None,
    keys: &[
        Key::new("to", &NOTIFIED_NAME, "a function, a standard queue, a topic or an event bus").required(),
        Key::new("match", &ANY_RATIO, "share of the objects: a prefix and suffix filter").is("100%"),
    ],
};
