//! Places that pass on what they receive: topics, event buses and buckets.

use std::sync::Arc;

use super::{DeliveryPolicy, Target};
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Ratio;

/// An SNS topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// The largest message that it takes, bytes (INV-O5).
    pub maximum_message_size: u64,
    /// Its subscriptions.
    pub routes: Vec<Route>,
}

/// An `EventBridge` event bus.
#[derive(Clone, Debug, PartialEq)]
pub struct EventBus {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// The targets of its rules, rule by rule.
    pub routes: Vec<Route>,
}

/// An S3 bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// From an object to its notifications.
    pub delay: Option<Distribution>,
    /// Who is notified.
    pub routes: Vec<Route>,
}

/// One of those to whom a place passes on what it receives.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// To whom.
    pub to: Target,
    /// Routes with the same number are one rule: what matches it goes to all of them.
    pub rule: u32,
    /// Share of what matches the rule.
    pub matches: Ratio,
    /// How a refused delivery is tried again.
    pub policy: Arc<DeliveryPolicy>,
    /// The queue that gets what could not be delivered.
    pub dead_letter_queue: Option<Target>,
}
