//! Event source mappings: their settings, and what AWS refuses of them.

use super::Builder;
use super::asynchronous::backoff;
use super::checks::is_fifo;
use super::names::Resource;
use crate::aws::config::{EventSourceMapping, Growth, Pollers, ProvisionedPollers, Source, SqsPolling, WindowOpens};
use crate::aws::ids::Id;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved};

/// ESM-1.1: the largest batch of a FIFO queue, and the largest without a batching window.
const SMALL_BATCH: u64 = 10;
const SECOND: SimDuration = SimDuration::from_secs(1);

impl Builder<'_> {
    /// The mapping with this index.
    pub(super) fn mapping(&mut self, index: usize, named: &Named) -> Option<EventSourceMapping> {
        let block = &named.block;
        if block.is_bad() {
            return None;
        }
        let source = self.queue_id(block.field("source")).map(Source::Queue);
        let function = self.function_id(block.field("function"));
        Some(EventSourceMapping {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Mapping)[index].order,
            source: source?,
            function: function?,
            enabled: block.field("enabled").switch()?,
            batch_size: block.field("batch_size").count()?,
            maximum_batching_window: block.field("maximum_batching_window").duration()?,
            filter: block.field("filter").ratio()?,
            report_batch_item_failures: block.field("report_batch_item_failures").switch()?,
            enable_delay: block.field("enable_delay").duration()?,
            update_pause: block.field("update_pause").duration()?,
            invoke_overhead: block.field("invoke_overhead").duration()?,
            window_opens: match block.field("window_opens").word()? {
                "rolling" => WindowOpens::Rolling,
                _ => WindowOpens::FirstRecord,
            },
            payload_limit: block.field("payload_limit").whole()?,
            record_overhead: block.field("record_overhead").whole()?,
            body_factor_parts: parts(block.field("body_factor").real()?),
            spurious_duplicate_probability: block.field("spurious_duplicate_probability").ratio()?,
            throttle_retry: backoff(block.field("throttle_retry"))?,
            sqs: SqsPolling {
                maximum_concurrency: block.field("maximum_concurrency").optional(Resolved::count)?,
                pollers: pollers(block.field("pollers"))?,
                provisioned: block.field("provisioned_pollers").optional(provisioned)?,
                long_poll: block.field("long_poll").duration()?,
                low_traffic_wait: block.field("low_traffic_wait").duration()?,
                fifo_single_group_batches: block.field("fifo_single_group_batches").switch()?,
            },
        })
    }

    /// ESM-1.1: what AWS refuses when a mapping is made or updated, but for the time-outs.
    pub(super) fn mapping_combinations(&mut self, block: &Resolved, queues: &[Resolved]) {
        if block.is_bad() {
            return;
        }
        let queue = self.names.named(block.field("source")).and_then(Resource::queue);
        match queue.and_then(|queue| is_fifo(queues, queue)) {
            Some(true) => self.batches_of_fifo(block),
            Some(false) => self.batches_of_standard(block),
            None => {}
        }
        self.whole_seconds(block.field("maximum_batching_window"));
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

    fn whole_seconds(&mut self, window: &Resolved) {
        if window.duration().is_some_and(|wait| wait.as_nanos() % SECOND.as_nanos() != 0) {
            let problem =
                Problem::new(ProblemKind::InvalidValue, window.place, "this is not a whole number of seconds");
            self.problems.push(problem.at_key(&window.path).with_expected("whole seconds, at most 5m (ESM-1.1)"));
        }
    }

    /// One number of a block is not larger than another one.
    fn at_most(&mut self, block: &Resolved, small: &str, large: &str) {
        if block.is_bad() {
            return;
        }
        let (field, limit) = (block.field(small), block.field(large));
        if field.whole().zip(limit.whole()).is_some_and(|(number, limit)| number > limit) {
            self.contradiction(field, format!("`{small}` is larger than `{large}`"), |problem| {
                let problem = problem.with_expected(format!("at most `{large}`"));
                if limit.is_written() { problem.with_related(limit.place, format!("`{large}`")) } else { problem }
            });
        }
    }

    /// ESM-1.1: a run does not last longer than its messages are hidden. AWS looks at this when the mapping or the
    /// function changes, and not when the queue does. `at` is what gets the blame.
    pub(super) fn timeout_fits(
        &mut self,
        mapping: &Resolved,
        at: &Resolved,
        functions: &[Resolved],
        queues: &[Resolved],
    ) {
        let function = self.names.named(mapping.field("function")).and_then(Resource::function);
        let queue = self.names.named(mapping.field("source")).and_then(Resource::queue);
        let (Some(function), Some(queue)) = (function, queue) else { return };
        let timeout = functions[function.index()].field("timeout");
        let visibility = queues[queue.index()].field("visibility_timeout");
        let (Some(longest), Some(hidden)) = (timeout.duration(), visibility.duration()) else { return };
        if longest <= hidden {
            return;
        }
        let message = format!("a run may take {longest}, but its messages are hidden for {hidden}");
        let places = [(timeout, "the function's time-out"), (visibility, "the queue's visibility time-out")];
        self.contradiction(at, message, |problem| {
            let written = places.into_iter().filter(|(field, _)| field.is_written() && field.place != at.place);
            let problem = written.fold(problem, |problem, (field, what)| problem.with_related(field.place, what));
            problem
                .with_expected("a `timeout` of at most the queue's `visibility_timeout` (ESM-1.1)")
                .with_help("AWS checks this when a mapping or its function changes, and advises six times the time-out")
        });
    }
}

/// A factor as parts of 10^12.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the table bounds it from 0 to 1000")]
fn parts(factor: f64) -> u64 {
    (factor * Ratio::PARTS as f64).round() as u64
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
