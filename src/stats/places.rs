//! What topics, event buses and buckets received, and what became of it (contract, `topics.N`, `event_buses.N`,
//! `buckets.N`).
//!
//! Conservation: what comes in are the deliveries to be made, and what is for nobody. Deliveries end delivered or
//! given up. What matches no rule is out at once; what a place without any route receives stays in it.

use super::cost::PlaceUsage;
use super::series::Recorder;
use super::summary::{Flow, Named, PlaceSummary};
use crate::aws::config::{Route, System, Target};
use crate::aws::fact::{PlaceDelivery, PlaceFact, Undelivered};
use crate::aws::ids::{BucketId, EventBusId, Id, Table, TopicId};
use crate::kernel::time::SimTime;

/// What is billed as one request, bytes: SNS and `EventBridge` (`D-rec`, their pricing pages).
const BILLED_BYTES: u64 = 65_536;

/// Counts of all places.
#[derive(Clone, Debug)]
pub(super) struct Places {
    warmup: SimTime,
    topics: Table<TopicId, PlaceStats>,
    event_buses: Table<EventBusId, PlaceStats>,
    buckets: Table<BucketId, PlaceStats>,
}

/// Counts of one topic, event bus or bucket.
#[derive(Clone, Debug)]
struct PlaceStats {
    name: String,
    counts: PlaceSummary,
    /// Pieces of 64 KiB received.
    pieces: u64,
    /// Of all times: deliveries to be made and what is for nobody, and how much of it is over.
    entered: u64,
    out: u64,
}

/// What the places come to.
pub(super) struct PlaceFigures {
    pub(super) topics: Named<PlaceSummary>,
    pub(super) event_buses: Named<PlaceSummary>,
    pub(super) buckets: Named<PlaceSummary>,
}

/// What went into the places, and what of it is still there.
pub(super) struct PlaceFlows {
    pub(super) topics: Named<Flow>,
    pub(super) event_buses: Named<Flow>,
    pub(super) buckets: Named<Flow>,
}

impl Places {
    pub(super) fn new(system: &System, warmup: SimTime) -> Self {
        let topics = system.topics.rows().iter().map(|place| PlaceStats::new(&place.name, &place.routes));
        let event_buses = system.event_buses.rows().iter().map(|place| PlaceStats::new(&place.name, &place.routes));
        let buckets = system.buckets.rows().iter().map(|place| PlaceStats::new(&place.name, &place.routes));
        Self { warmup, topics: topics.collect(), event_buses: event_buses.collect(), buckets: buckets.collect() }
    }

    /// Something happened in a place.
    #[inline(never)]
    pub(super) fn add(&mut self, fact: &PlaceFact) {
        match fact {
            PlaceFact::Received { place, origin, bytes, deliveries, .. } => {
                let measured = origin.submitted >= self.warmup;
                let Some(place) = self.place(*place) else { return };
                place.entered += u64::from(*deliveries).max(1);
                place.out += u64::from(*deliveries == 0 && place.counts.passes_on);
                if measured {
                    place.counts.received += 1;
                    place.counts.waiting += u64::from(*deliveries);
                    place.pieces += bytes.div_ceil(BILLED_BYTES).max(1);
                }
            }
            PlaceFact::Delivered { delivery, .. } => self.ended(delivery, |counts| counts.delivered += 1),
            PlaceFact::DeliveryRetried { delivery, .. } => {
                if delivery.origin.submitted >= self.warmup
                    && let Some(place) = self.place(delivery.place)
                {
                    place.counts.retries += 1;
                }
            }
            PlaceFact::DeliveryFailed { delivery, fate, .. } => self.ended(delivery, |counts| {
                counts.failed += 1;
                counts.dead_letters += u64::from(matches!(fate, Undelivered::DeadLettered(_)));
            }),
        }
    }

    /// A delivery is over.
    fn ended(&mut self, delivery: &PlaceDelivery, count: impl FnOnce(&mut PlaceSummary)) {
        let measured = delivery.origin.submitted >= self.warmup;
        let Some(place) = self.place(delivery.place) else { return };
        place.out += 1;
        if measured {
            place.counts.waiting -= 1;
            count(&mut place.counts);
        }
    }

    fn place(&mut self, of: Target) -> Option<&mut PlaceStats> {
        match of {
            Target::Topic(id) => Some(&mut self.topics[id]),
            Target::EventBus(id) => Some(&mut self.event_buses[id]),
            Target::Bucket(id) => Some(&mut self.buckets[id]),
            Target::Queue(_)
            | Target::Function(_)
            | Target::Stream(_)
            | Target::Broker(_)
            | Target::StateMachine(_) => None,
        }
    }

    /// What they come to.
    pub(super) fn figures(&self) -> PlaceFigures {
        PlaceFigures {
            topics: all(&self.topics, |place| place.counts),
            event_buses: all(&self.event_buses, |place| place.counts),
            buckets: all(&self.buckets, |place| place.counts),
        }
    }

    /// What a time series says.
    pub(super) fn series(&self, to: &mut Recorder) {
        let kinds = [
            ("topics", self.topics.rows()),
            ("event_buses", self.event_buses.rows()),
            ("buckets", self.buckets.rows()),
        ];
        for (kind, places) in kinds {
            for PlaceStats { name, counts, .. } in places {
                to.of(kind, name);
                for (key, total) in [
                    ("received", counts.received),
                    ("delivered", counts.delivered),
                    ("retries", counts.retries),
                    ("failed", counts.failed),
                    ("dead_letters", counts.dead_letters),
                ] {
                    to.count(key, total);
                }
            }
        }
    }

    /// Everything that they received, the warm-up included.
    pub(super) fn flows(&self) -> PlaceFlows {
        PlaceFlows {
            topics: all(&self.topics, PlaceStats::flow),
            event_buses: all(&self.event_buses, PlaceStats::flow),
            buckets: all(&self.buckets, PlaceStats::flow),
        }
    }

    /// What they are billed for: topics and event buses by size, buckets by object.
    pub(super) fn usage(&self) -> PlaceUsage {
        PlaceUsage {
            topics: all(&self.topics, |place| place.pieces).0,
            event_buses: all(&self.event_buses, |place| place.pieces).0,
            buckets: all(&self.buckets, |place| place.counts.received).0,
        }
    }
}

fn all<I: Id, T>(places: &Table<I, PlaceStats>, of: impl Fn(&PlaceStats) -> T) -> Named<T> {
    places.rows().iter().map(|place| (place.name.clone(), of(place))).collect()
}

impl PlaceStats {
    fn new(name: &str, routes: &[Route]) -> Self {
        let passes_on = !routes.is_empty();
        let counts =
            PlaceSummary { received: 0, delivered: 0, retries: 0, failed: 0, dead_letters: 0, passes_on, waiting: 0 };
        Self { name: name.to_owned(), counts, pieces: 0, entered: 0, out: 0 }
    }

    const fn flow(&self) -> Flow {
        Flow::new(self.entered, self.out, self.entered - self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::{DeliveryPolicy, Topic};
    use crate::aws::fact::{Fact, Observer, PlaceFailure};
    use crate::aws::ids::QueueId;
    use crate::kernel::quantity::Ratio;
    use crate::stats::Statistics;
    use crate::stats::testing::{ms, origin, scenario_with_places};

    /// Deliveries of a topic: two made, one of them at once, one given up to a dead-letter queue, one lost, one that
    /// waits; and a message that matched nothing.
    #[test]
    fn deliveries_count_at_the_place_that_makes_them() {
        let mut scenario = scenario_with_places(&["f"]);
        let (topic, queue) = (Target::Topic(TopicId::from_index(0)), Target::Queue(QueueId::from_index(0)));
        let policy = std::sync::Arc::new(DeliveryPolicy::NONE);
        let route = Route { to: queue, rule: 0, matches: Ratio::ONE, policy, dead_letter_queue: None };
        scenario.system.topics =
            [Topic { routes: vec![route], ..scenario.system.topics.rows()[0].clone() }].into_iter().collect();
        scenario.warmup = ms(10);
        let mut statistics = Statistics::new(&scenario);
        let to = &mut statistics;
        for (submission, at, deliveries) in [(1, 0, 1), (2, 10, 4), (3, 20, 0), (4, 20, 1)] {
            let origin = origin(0, submission, ms(at));
            let received = PlaceFact::Received { place: topic, origin, parent: None, bytes: 70_000, deliveries };
            to.observe(ms(at), &Fact::Place(received));
            let delivery = PlaceDelivery { place: topic, route: 0, origin, branch: 1, to: queue, received: ms(at) };
            let mut place = |fact| to.observe(ms(at), &Fact::Place(fact));
            if submission == 1 {
                place(PlaceFact::Delivered { delivery, attempt: 1 });
            }
            if submission == 2 {
                let (cause, due) = (PlaceFailure::TooLarge, ms(at));
                place(PlaceFact::Delivered { delivery, attempt: 1 });
                place(PlaceFact::DeliveryRetried { delivery, attempt: 1, status: 500, due });
                place(PlaceFact::Delivered { delivery, attempt: 2 });
                for fate in [Undelivered::Lost, Undelivered::DeadLettered(queue)] {
                    place(PlaceFact::DeliveryFailed { delivery, attempts: 1, cause, fate });
                }
            }
        }
        let summary = statistics.finish(ms(30));
        let place = summary.topics.0[0].1;
        let expected = PlaceSummary {
            received: 3,
            delivered: 2,
            retries: 1,
            failed: 2,
            dead_letters: 1,
            passes_on: true,
            waiting: 1,
        };
        assert_eq!(place, expected);
        // What matched nothing is out; in are six deliveries and that message.
        assert_eq!(summary.conservation.topics.0[0].1, Flow::new(7, 6, 1));
        // Three measured messages of two pieces of 64 KiB each, 0.50 USD a million.
        assert!((summary.cost.topics.0[0].1.total_usd - 3e-6).abs() < 1e-15);
    }
}
