//! The tables of places that only receive: queues, topics, event buses and buckets.

use super::common::word;
use super::{Block, Key, Shape};

pub(super) static QUEUE: Block = Block {
    name: "queue",
    doc: "an SQS queue; it receives, and nothing reads it",
    case: None,
    keys: &[
        Key::new("type", &QUEUE_TYPE, "its type").is("standard").rule("INV-O1"),
        Key::new("maximum_message_size", &Shape::Size(1024, 1_048_576), "a larger message is refused").is("1MiB"),
    ],
};

static QUEUE_TYPE: Shape = Shape::Words(&[
    word("standard", "without order"),
    word("fifo", "first in, first out; it refuses what functions send to it"),
]);

pub(super) static TOPIC: Block =
    Block { name: "topic", doc: "an SNS topic; it receives, and passes nothing on", case: None, keys: &[] };

pub(super) static EVENT_BUS: Block = Block {
    name: "event bus",
    doc: "an EventBridge event bus; it receives, and passes nothing on",
    case: None,
    keys: &[],
};

pub(super) static BUCKET: Block =
    Block { name: "bucket", doc: "an S3 bucket; it receives, and notifies nobody", case: None, keys: &[] };
