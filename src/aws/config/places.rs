//! Places that receive: queues, topics, event buses and buckets.

/// An SQS queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// INV-O1, O2: only a standard queue can be a destination or dead-letter queue of a function.
    pub kind: QueueKind,
    /// Largest message, bytes.
    pub maximum_message_size: u64,
}

/// The two types of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Without order.
    Standard,
    /// First in, first out.
    Fifo,
}

/// An SNS topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
}

/// An `EventBridge` event bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBus {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
}

/// An S3 bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
}
