//! Mappings of SQS queues: how they poll, and what AWS refuses of them.

use super::SECOND;
use crate::aws::config::{Growth, Pollers, ProvisionedPollers, SqsPolling};
use crate::kernel::time::SimDuration;
use crate::scenario::build::Builder;
use crate::scenario::build::checks::{Blocks, is_fifo};
use crate::scenario::build::names::Resource;
use crate::scenario::resolve::Resolved;

/// ESM-1.1: the largest batch of a FIFO queue, and the largest without a batching window.
const SMALL_BATCH: u64 = 10;

impl Builder<'_> {
    /// ESM-1.1: what AWS refuses of a mapping of a queue.
    pub(super) fn sqs_combinations(&mut self, block: &Resolved, blocks: &Blocks) {
        let queue = self.names.named(block.field("source")).and_then(Resource::queue);
        match queue.and_then(|queue| is_fifo(&blocks.queues, queue)) {
            Some(true) => self.batches_of_fifo(block),
            Some(false) => self.batches_of_standard(block),
            None => {}
        }
        self.whole_seconds(block.field("maximum_batching_window"), "whole seconds, at most 5m (ESM-1.1)");
        let (concurrency, provisioned) = (block.field("maximum_concurrency"), block.field("provisioned_pollers"));
        if concurrency.whole().is_some() && !provisioned.is_without() {
            let place = concurrency.place;
            let message = "`maximum_concurrency` and `provisioned_pollers` exclude each other";
            self.contradiction(provisioned, message, |problem| {
                problem.with_expected("one of the two (ESM-1.1)").with_related(place, "chosen here")
            });
        }
        if !provisioned.is_without() {
            self.at_most(provisioned, "minimum", "maximum");
            self.at_most(provisioned, "maximum", "ceiling");
        }
        let pollers = block.field("pollers");
        for name in ["initial", "floor"] {
            // The defaults give way to a smaller maximum.
            if !pollers.is_bad() && pollers.field(name).is_written() {
                self.at_most(pollers, name, "maximum");
            }
        }
    }

    fn batches_of_fifo(&mut self, block: &Resolved) {
        let source = block.field("source").place;
        let size = block.field("batch_size");
        if size.whole().is_some_and(|size| size > SMALL_BATCH) {
            self.contradiction(size, "the batch is too large for a FIFO queue", |problem| {
                problem.with_expected("at most 10 (ESM-1.1)").with_related(source, "a FIFO queue")
            });
        }
        let window = block.field("maximum_batching_window");
        if window.duration().is_some_and(|window| window > SimDuration::ZERO) {
            self.contradiction(window, "a FIFO queue has no batching window", |problem| {
                problem.with_expected("`0s` (ESM-1.1)").with_related(source, "a FIFO queue")
            });
        }
    }

    fn batches_of_standard(&mut self, block: &Resolved) {
        let (size, window) = (block.field("batch_size"), block.field("maximum_batching_window"));
        if let (Some(messages), Some(wait)) = (size.whole(), window.duration())
            && messages > SMALL_BATCH
            && wait < SECOND
        {
            self.contradiction(size, "a batch of more than 10 messages needs a batching window", |problem| {
                let problem = problem.with_expected("at most 10 without a batching window (ESM-1.1)");
                if window.is_written() {
                    problem.with_related(window.place, "shorter than 1s")
                } else {
                    problem.with_help("write `maximum_batching_window: 1s` or more")
                }
            });
        }
        let single = block.field("fifo_single_group_batches");
        if single.switch() == Some(true) {
            let source = block.field("source").place;
            self.contradiction(single, "the queue is not a FIFO queue", |problem| {
                problem
                    .with_expected("a FIFO queue as the `source` (ESM-1.10)")
                    .with_related(source, "a standard queue")
            });
        }
    }
}

/// How a queue is polled.
pub(super) fn polling(block: &Resolved) -> Option<SqsPolling> {
    Some(SqsPolling {
        maximum_concurrency: block.field("maximum_concurrency").optional(Resolved::count)?,
        pollers: pollers(block.field("pollers"))?,
        provisioned: block.field("provisioned_pollers").optional(provisioned)?,
        long_poll: block.field("long_poll").duration()?,
        low_traffic_wait: block.field("low_traffic_wait").duration()?,
        fifo_single_group_batches: block.field("fifo_single_group_batches").switch()?,
    })
}

fn pollers(block: &Resolved) -> Option<Pollers> {
    Some(Pollers {
        initial: block.field("initial").count()?,
        per_minute: block.field("per_minute").count()?,
        maximum: block.field("maximum").count()?,
        growth: if block.field("growth").word()? == "step" { Growth::Step } else { Growth::Linear },
        floor: block.field("floor").count()?,
        floor_after: block.field("floor_after").duration()?,
        retire_after: block.field("retire_after").count()?,
        error_backoff: block.field("error_backoff").ratio()?,
        throttle_backoff: block.field("throttle_backoff").ratio()?,
    })
}

fn provisioned(block: &Resolved) -> Option<ProvisionedPollers> {
    Some(ProvisionedPollers {
        minimum: block.field("minimum").count()?,
        maximum: block.field("maximum").count()?,
        invocations: block.field("invocations").count()?,
        receives: block.field("receives").rate()?,
        throughput: block.field("throughput").whole()?,
        per_minute: block.field("per_minute").count()?,
        every: block.field("every").duration()?,
        down_below: block.field("down_below").ratio()?,
        down_after: block.field("down_after").duration()?,
        down_every: block.field("down_every").duration()?,
    })
}
