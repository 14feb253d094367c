//! Places that receive: topics, event buses and buckets.

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
