//! Queues: their settings, what AWS refuses of them, and tasks that move their messages.

use super::Builder;
use super::checks::{is_fifo, less};
use super::names::Resource;
use crate::aws::config::{ChangeAction, DeduplicationScope, Fairness, Queue, QueueKind, Redrive, StaleDelete};
use crate::aws::ids::{Id, QueueId};
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved};

/// ESM-1.5: the fastest task that moves messages.
const REDRIVE_RATE_MAX: Rate = Rate::per_second(500);

/// What only one of the types has.
struct OfType {
    short_receive_probability: Ratio,
    shuffle_window: u32,
    stale_delete: StaleDelete,
    fair: Option<Fairness>,
    content_based_deduplication: bool,
    deduplication_scope: DeduplicationScope,
    deduplication_window: SimDuration,
    fifo_throughput: Option<Rate>,
    group_lookahead: u32,
}

impl OfType {
    /// What holds where the type has no such key: nothing of it has an effect.
    const NOTHING: Self = Self {
        short_receive_probability: Ratio::ZERO,
        shuffle_window: 1,
        stale_delete: StaleDelete::Ignored,
        fair: None,
        content_based_deduplication: false,
        deduplication_scope: DeduplicationScope::Queue,
        deduplication_window: SimDuration::ZERO,
        fifo_throughput: None,
        group_lookahead: u32::MAX,
    };

    fn standard(block: &Resolved) -> Option<Self> {
        Some(Self {
            short_receive_probability: block.field("short_receive_probability").ratio()?,
            shuffle_window: block.field("shuffle_window").count()?,
            stale_delete: match block.field("stale_delete").word()? {
                "effective" => StaleDelete::Effective,
                _ => StaleDelete::Ignored,
            },
            fair: block.field("fair").optional(fairness)?,
            ..Self::NOTHING
        })
    }

    fn fifo(block: &Resolved) -> Option<Self> {
        Some(Self {
            content_based_deduplication: block.field("content_based_deduplication").switch()?,
            deduplication_scope: match block.field("deduplication_scope").word()? {
                "message_group" => DeduplicationScope::MessageGroup,
                _ => DeduplicationScope::Queue,
            },
            deduplication_window: block.field("deduplication_window").duration()?,
            fifo_throughput: block.field("fifo_throughput").optional(Resolved::rate)?,
            group_lookahead: block.field("group_lookahead").count()?,
            ..Self::NOTHING
        })
    }
}

/// When a message group is noisy.
fn fairness(block: &Resolved) -> Option<Fairness> {
    Some(Fairness {
        share: block.field("share").ratio()?,
        in_flight: block.field("in_flight").count()?,
        processing_share: block.field("processing_share").optional(Resolved::ratio)?,
        quiet_after: block.field("quiet_after").duration()?,
    })
}

impl Builder<'_> {
    /// The queue with this index.
    pub(super) fn queue(&mut self, index: usize, named: &Named) -> Option<Queue> {
        let block = &named.block;
        let redrive = block.field("redrive").optional(|policy| self.redrive(policy));
        let (kind, of_type) = match block.field("type").word()? {
            "fifo" => (QueueKind::Fifo, OfType::fifo(block)?),
            _ => (QueueKind::Standard, OfType::standard(block)?),
        };
        self.takes_calls(block);
        Some(Queue {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Queue)[index].order,
            kind,
            visibility_timeout: block.field("visibility_timeout").duration()?,
            message_retention: block.field("message_retention").duration()?,
            delivery_delay: block.field("delivery_delay").duration()?,
            redrive: redrive?,
            maximum_message_size: block.field("maximum_message_size").whole()?,
            maximum_in_flight: block.field("maximum_in_flight").count()?,
            short_receive_probability: of_type.short_receive_probability,
            shuffle_window: of_type.shuffle_window,
            wakeup: block.field("wakeup").duration()?,
            delete_latency: block.field("delete_latency").duration()?,
            stale_delete: of_type.stale_delete,
            attribute_propagation: block.field("attribute_propagation").duration()?,
            oldest_age_skips_after: block.field("oldest_age_skips_after").optional(Resolved::count)?,
            fair: of_type.fair,
            content_based_deduplication: of_type.content_based_deduplication,
            deduplication_scope: of_type.deduplication_scope,
            deduplication_window: of_type.deduplication_window,
            fifo_throughput: of_type.fifo_throughput,
            group_lookahead: of_type.group_lookahead,
        })
    }

    /// ESM-1.10: a FIFO queue that takes no call is of no use, and what was received from it could not be deleted.
    fn takes_calls(&mut self, block: &Resolved) {
        let Some(throughput) = block.step("fifo_throughput") else { return };
        if throughput.rate().is_some_and(|rate| rate.events == 0) {
            let problem = Problem::new(ProblemKind::OutOfRange, throughput.place, "the queue would take no call");
            self.problems.push(problem.at_key(&throughput.path).with_expected("a rate above 0/s, or `unlimited`"));
        }
    }

    fn redrive(&mut self, policy: &Resolved) -> Option<Redrive> {
        let dead_letter_queue = self.queue_id(policy.field("dead_letter_queue"));
        let max_receive_count = policy.field("max_receive_count").count();
        Some(Redrive { dead_letter_queue: dead_letter_queue?, max_receive_count: max_receive_count? })
    }

    /// ESM-1.5: the dead-letter queue is another one of the same type.
    pub(super) fn queue_combinations(&mut self, id: QueueId, queues: &[Resolved]) {
        let block = &queues[id.index()];
        let policy = block.field("redrive");
        if policy.is_without() || policy.is_bad() {
            return;
        }
        let field = policy.field("dead_letter_queue");
        let Some(other) = self.names.named(field).and_then(Resource::queue) else { return };
        self.another_of_its_type(field, (id, block), other, queues);
    }

    /// Notes where messages would move to the same queue, or to one of another type.
    fn another_of_its_type(
        &mut self,
        field: &Resolved,
        (id, from): (QueueId, &Resolved),
        to: QueueId,
        queues: &[Resolved],
    ) {
        let words = |fifo: bool| if fifo { "a FIFO queue" } else { "a standard queue" };
        if to == id {
            self.contradiction(field, "the messages would stay in the same queue", |problem| {
                problem.with_expected("another queue of the same type (ESM-1.5)")
            });
        } else if let (Some(other), Some(own)) = (is_fifo(queues, to), is_fifo(queues, id))
            && other != own
        {
            let place = from.field("type").place;
            self.contradiction(field, format!("this is {}", words(other)), |problem| {
                problem
                    .with_expected("a queue of the same type (ESM-1.5)")
                    .with_related(place, format!("the messages are in {}", words(own)))
            });
        }
    }

    /// A task that moves messages.
    pub(super) fn redrive_task(&mut self, block: &Resolved, queues: &[Resolved]) -> Option<ChangeAction> {
        let (queue, to) = (self.queue_id(block.field("queue")), self.queue_id(block.field("to")));
        let rate = block.field("rate");
        if rate.rate().is_some_and(|rate| rate.events == 0 || less(REDRIVE_RATE_MAX, rate)) {
            let problem = Problem::new(ProblemKind::OutOfRange, rate.place, "the task is too fast or never ends");
            self.problems.push(problem.at_key(&rate.path).with_expected("above 0/s and at most 500/s (ESM-1.5)"));
            return None;
        }
        let (queue, to) = (queue?, to?);
        self.another_of_its_type(block.field("to"), (queue, &queues[queue.index()]), to, queues);
        Some(ChangeAction::Redrive { queue, to, rate: rate.rate()? })
    }
}
