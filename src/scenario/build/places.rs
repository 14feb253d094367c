//! Places that only receive: topics, event buses and buckets.

use super::Builder;
use crate::aws::config::{Bucket, EventBus, Topic};
use crate::scenario::keys::ResourceKind;

impl Builder<'_> {
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
