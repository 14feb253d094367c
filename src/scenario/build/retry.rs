//! Services' own retries: SNS, `EventBridge`, S3 and what behaves like them.

use super::asynchronous::backoff;
use super::client::jitter;
use crate::aws::config::{DeliveryPolicy, RetryPhase};
use crate::kernel::time::SimDuration;
use crate::scenario::resolve::Resolved;

/// INV-6, INV-D31: four phases.
pub(super) fn topic_retry(block: &Resolved) -> Option<DeliveryPolicy> {
    let jitter = jitter(block.field("jitter"))?;
    let steady = |phase: &Resolved| {
        Some(RetryPhase::constant(phase.field("times").count()?, phase.field("every").duration()?, jitter))
    };
    let growing = block.field("backoff");
    let (times, from, to) = (growing.field("times"), growing.field("from"), growing.field("to"));
    Some(DeliveryPolicy {
        phases: vec![
            RetryPhase::constant(block.field("immediate").count()?, SimDuration::ZERO, jitter),
            steady(block.field("pre_backoff"))?,
            RetryPhase::geometric(times.count()?, from.duration()?, to.duration()?, jitter),
            steady(block.field("post_backoff"))?,
        ],
        maximum_retry_attempts: None,
        maximum_event_age: None,
    })
}

/// INV-6, INV-D32: doubled waits, a number of retries and an age.
pub(super) fn rule_retry(block: &Resolved) -> Option<DeliveryPolicy> {
    Some(DeliveryPolicy {
        phases: vec![RetryPhase { times: u32::MAX, backoff: backoff(block)? }],
        maximum_retry_attempts: Some(block.field("maximum_retry_attempts").count()?),
        maximum_event_age: Some(block.field("maximum_event_age").duration()?),
    })
}

/// INV-D33: doubled waits and an age.
pub(super) fn notification_retry(block: &Resolved) -> Option<DeliveryPolicy> {
    Some(DeliveryPolicy {
        phases: vec![RetryPhase { times: u32::MAX, backoff: backoff(block)? }],
        maximum_retry_attempts: None,
        maximum_event_age: Some(block.field("maximum_event_age").duration()?),
    })
}
