//! Asynchronous invocation of a function: retries, expiry, and where its events end.

use super::Builder;
use super::client::jitter;
use crate::aws::config::{Asynchronous, Backoff, Delivery, Expiry, RetryFrom};
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::resolve::Resolved;

impl Builder<'_> {
    /// The configuration that a block describes.
    pub(super) fn asynchronous(&mut self, block: &Resolved) -> Option<Asynchronous> {
        let dead_letter_queue = block.field("dead_letter_queue").optional(|value| self.target(value));
        let on_failure = block.field("on_failure").optional(|value| self.target(value));
        let on_success = block.field("on_success").optional(|value| self.target(value));
        let retry_delays = self.retry_delays(block.field("retry_delays"));
        let delivery = block.field("delivery");
        Some(Asynchronous {
            maximum_retry_attempts: block.field("maximum_retry_attempts").count()?,
            maximum_event_age: block.field("maximum_event_age").duration()?,
            dead_letter_queue: dead_letter_queue?,
            on_failure: on_failure?,
            on_success: on_success?,
            dispatch_latency: block.field("dispatch_latency").duration()?,
            retry_delays: retry_delays?,
            retry_from: if block.field("retry_from").word()? == "start" { RetryFrom::Start } else { RetryFrom::End },
            retry_jitter: jitter(block.field("retry_jitter"))?,
            backoff: backoff(block.field("backoff"))?,
            backpressure: block.field("backpressure").optional(|block| block.field("per").count())?,
            expiry: match block.field("expiry").word()? {
                "at_deadline" => Expiry::AtDeadline,
                _ => Expiry::Lookahead,
            },
            duplicate_probability: block.field("duplicate_probability").ratio()?,
            maximum_parallel_dispatch: block.field("maximum_parallel_dispatch").optional(Resolved::count)?,
            delivery: Delivery {
                delay: delivery.field("delay").duration()?,
                attempts: delivery.field("attempts").count()?,
            },
        })
    }

    fn retry_delays(&mut self, list: &Resolved) -> Option<Vec<SimDuration>> {
        if list.is_bad() {
            return None;
        }
        if list.list().is_empty() {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, list.place, "the list of waits is empty")
                    .at_key(&list.path)
                    .with_expected("at least one duration")
                    .with_help("write `maximum_retry_attempts: 0` where nothing is tried again"),
            );
            return None;
        }
        list.list().iter().map(Resolved::duration).collect()
    }
}

/// Waits between attempts.
pub(super) fn backoff(block: &Resolved) -> Option<Backoff> {
    Some(Backoff {
        base: block.field("base").duration()?,
        factor: block.field("factor").real()?,
        cap: block.field("cap").optional(Resolved::duration)?,
        jitter: jitter(block.field("jitter"))?,
    })
}
