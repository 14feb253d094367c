//! The tables of places that only receive: topics, event buses and buckets.

use super::Block;

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
