//! Places that only receive: queues, topics, event buses and buckets.

use super::Builder;
use crate::aws::config::{Bucket, EventBus, Queue, QueueKind, Topic};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::Named;

impl Builder<'_> {
    /// The queue with this index.
    pub(super) fn queue(&self, index: usize, named: &Named) -> Option<Queue> {
        let block = &named.block;
        Some(Queue {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Queue)[index].order,
            kind: match block.field("type").word()? {
                "fifo" => QueueKind::Fifo,
                _ => QueueKind::Standard,
            },
            maximum_message_size: block.field("maximum_message_size").whole()?,
        })
    }

    /// The topics, in file order.
    pub(super) fn topics(&self) -> impl Iterator<Item = Topic> {
        self.places(ResourceKind::Topic).map(|(name, order)| Topic { name, order })
    }

    /// The event buses, in file order.
    pub(super) fn event_buses(&self) -> impl Iterator<Item = EventBus> {
        self.places(ResourceKind::EventBus).map(|(name, order)| EventBus { name, order })
    }

    /// The buckets, in file order.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Bucket> {
        self.places(ResourceKind::Bucket).map(|(name, order)| Bucket { name, order })
    }

    /// Places that have no key but their name.
    fn places(&self, kind: ResourceKind) -> impl Iterator<Item = (String, u32)> {
        self.names.rows(kind).iter().map(|name| (name.text.to_string(), name.order))
    }
}
