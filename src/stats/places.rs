//! What topics, event buses and buckets received (contract, `topics.N`, `event_buses.N`, `buckets.N`).
//!
//! Nobody reads them: what a place received stays in it.

use super::summary::{Flow, Named, PlaceSummary};
use crate::aws::config::{System, Target};
use crate::aws::ids::{BucketId, EventBusId, Id, Table, TopicId};

/// Counts of all places.
#[derive(Clone, Debug)]
pub(super) struct Places {
    topics: Table<TopicId, PlaceStats>,
    event_buses: Table<EventBusId, PlaceStats>,
    buckets: Table<BucketId, PlaceStats>,
}

/// Counts of one topic, event bus or bucket.
#[derive(Clone, Debug)]
struct PlaceStats {
    name: String,
    received: u64,
    received_before: u64,
    retries: u64,
    failed: u64,
    /// What is in it, of all times.
    held: u64,
}

/// What the places come to.
pub(super) struct PlaceFigures {
    pub(super) topics: Named<PlaceSummary>,
    pub(super) event_buses: Named<PlaceSummary>,
    pub(super) buckets: Named<PlaceSummary>,
}

/// What went into the places and stays there.
pub(super) struct PlaceFlows {
    pub(super) topics: Named<Flow>,
    pub(super) event_buses: Named<Flow>,
    pub(super) buckets: Named<Flow>,
}

impl Places {
    pub(super) fn new(system: &System) -> Self {
        Self {
            topics: system.topics.rows().iter().map(|place| PlaceStats::new(&place.name)).collect(),
            event_buses: system.event_buses.rows().iter().map(|place| PlaceStats::new(&place.name)).collect(),
            buckets: system.buckets.rows().iter().map(|place| PlaceStats::new(&place.name)).collect(),
        }
    }

    /// Something was delivered.
    pub(super) fn delivered(&mut self, to: Target, measured: bool) {
        if let Some(place) = self.place(to) {
            place.held += 1;
            if measured {
                place.received += 1;
            } else {
                place.received_before += 1;
            }
        }
    }

    /// A delivery of the measured time was refused and will be tried again.
    pub(super) fn retried(&mut self, to: Target) {
        if let Some(place) = self.place(to) {
            place.retries += 1;
        }
    }

    /// A delivery of the measured time failed for good.
    pub(super) fn failed(&mut self, to: Target) {
        if let Some(place) = self.place(to) {
            place.failed += 1;
        }
    }

    /// The place that a delivery goes to; queues count what is sent to them, and functions receive events.
    fn place(&mut self, to: Target) -> Option<&mut PlaceStats> {
        match to {
            Target::Topic(id) => Some(&mut self.topics[id]),
            Target::EventBus(id) => Some(&mut self.event_buses[id]),
            Target::Bucket(id) => Some(&mut self.buckets[id]),
            Target::Queue(_) | Target::Function(_) | Target::Stream(_) | Target::Broker(_) => None,
        }
    }

    /// What they come to.
    pub(super) fn figures(&self) -> PlaceFigures {
        PlaceFigures {
            topics: summaries(&self.topics),
            event_buses: summaries(&self.event_buses),
            buckets: summaries(&self.buckets),
        }
    }

    /// Everything that they received, the warm-up included.
    pub(super) fn flows(&self) -> PlaceFlows {
        PlaceFlows { topics: flows(&self.topics), event_buses: flows(&self.event_buses), buckets: flows(&self.buckets) }
    }
}

fn summaries<I: Id>(places: &Table<I, PlaceStats>) -> Named<PlaceSummary> {
    places.rows().iter().map(|place| (place.name.clone(), place.summary())).collect()
}

fn flows<I: Id>(places: &Table<I, PlaceStats>) -> Named<Flow> {
    places.rows().iter().map(|place| (place.name.clone(), place.flow())).collect()
}

impl PlaceStats {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), received: 0, received_before: 0, retries: 0, failed: 0, held: 0 }
    }

    const fn summary(&self) -> PlaceSummary {
        PlaceSummary { received: self.received, retries: self.retries, failed: self.failed }
    }

    const fn flow(&self) -> Flow {
        Flow::new(self.received + self.received_before, 0, self.held)
    }
}
