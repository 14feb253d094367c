//! Topics, event buses and buckets: what they receive goes along their routes (INV-6).
//!
//! ```text
//! received -> [delay] -> attempt -> delivered
//!                ^          |
//!                |          +-> refused for good: too large, a loop            -> dead-letter queue, or lost
//!                +----------+-> refused by the service: tried again by the policy -> the same, when that ends
//! ```
//! What is received is only noted: whoever sent it has its answer first. The deliveries follow before the next event
//! ([`FanOut::next`]). What a bus gets from a bus passes the event loop, as two buses can send to each other for ever.
//! Reading order: this file, then `deliver` and `services`.

mod deliver;
mod services;

pub(crate) use deliver::Around;

use std::collections::VecDeque;

use super::config::{Route, System, Target};
use super::event::{Class, Context, Event, ServiceEvent};
use super::fact::{Answer, Fact, Observer, Origin, PlaceDelivery, PlaceFact};
use super::fault::SendFaults;
use super::function::Names;
use super::ids::{CallerId, Id, LineageId, RelayId, Slots, Table};
use super::limits;
use super::request::Reply;
use crate::kernel::dist::Distribution;
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};

/// All places that pass on what they receive.
#[derive(Debug)]
pub(crate) struct FanOut {
    /// Topics, event buses, buckets.
    places: Vec<Place>,
    topics: usize,
    event_buses: usize,
    relays: Slots<RelayId, Relay>,
    /// Deliveries that are made before the next event, in order.
    at_once: VecDeque<RelayId>,
    faults: SendFaults,
}

/// One place.
#[derive(Debug)]
struct Place {
    name: String,
    target: Target,
    order: u32,
    routes: Vec<Route>,
    delay: Option<Distribution>,
    /// The largest that it takes, bytes.
    largest: u64,
    /// Key of what depends on the way alone: branches and message groups.
    way: StreamKey,
    /// Keys of draws.
    draws: Table<CallerId, StreamKey>,
}

/// One delivery until its end.
#[derive(Clone, Copy, Debug)]
struct Relay {
    origin: Origin,
    received: SimTime,
    /// The last wait, for decorrelated jitter.
    last_wait: SimDuration,
    chain: Chain,
    bytes: u32,
    place: u32,
    route: u32,
    /// Attempts made.
    attempts: u32,
}

/// The chain of requests that something belongs to (INV-5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Where it is tracked.
    pub(crate) lineage: Option<LineageId>,
    /// It was stopped as a loop; what follows may not go on in it.
    pub(crate) stopped: bool,
}

/// Something on its way into a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arriving {
    pub(crate) origin: Origin,
    /// The branch of what it comes from, where it comes from something else than a caller.
    pub(crate) parent: Option<u32>,
    pub(crate) bytes: u64,
    pub(crate) chain: Chain,
}

/// Purposes of a place's own draws.
const MATCH: u64 = 0;
const DELAY: u64 = 1;
const BACKOFF: u64 = 2;
const FAULT: u64 = 3;
const DEAD_LETTER: u64 = 4;

impl Chain {
    /// A chain that begins here.
    pub(crate) const NEW: Self = Self { lineage: None, stopped: false };
}

impl FanOut {
    /// The places before the run. `callers` are the names that draws are keyed by.
    pub(crate) fn new(system: &System, callers: &Names, streams: &RandomStreams) -> Self {
        let place = |group: &str, name: &str, target, (order, routes): (u32, &[Route])| Place {
            name: name.to_owned(),
            target,
            order,
            routes: routes.to_vec(),
            delay: None,
            largest: u64::MAX,
            way: RandomStreams::new(0).key(&[group, name]),
            draws: callers.rows().iter().map(|caller| streams.key(&[group, name, caller])).collect(),
        };
        let mut places = Vec::new();
        for (id, topic) in system.topics.iter() {
            let place = place("topic", &topic.name, Target::Topic(id), (topic.order, &topic.routes));
            places.push(Place { largest: topic.maximum_message_size, ..place });
        }
        for (id, bus) in system.event_buses.iter() {
            let place = place("event bus", &bus.name, Target::EventBus(id), (bus.order, &bus.routes));
            places.push(Place { largest: limits::EVENT_BUS_ENTRY_BYTES, ..place });
        }
        for (id, bucket) in system.buckets.iter() {
            let place = place("bucket", &bucket.name, Target::Bucket(id), (bucket.order, &bucket.routes));
            places.push(Place { largest: limits::OBJECT_BYTES, delay: bucket.delay.clone(), ..place });
        }
        Self {
            places,
            topics: system.topics.len(),
            event_buses: system.event_buses.len(),
            relays: Slots::default(),
            at_once: VecDeque::new(),
            faults: SendFaults::new(system),
        }
    }

    /// Deliveries that have not ended.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.relays.len()
    }

    /// Names of places and how many of their deliveries wait.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, u64)> {
        let mut waiting = vec![0; self.places.len()];
        self.relays.iter().for_each(|relay| waiting[relay.place as usize] += 1);
        self.places.iter().map(|place| place.name.as_str()).zip(waiting)
    }

    /// Whether deliveries are to be made before the next event.
    #[inline(always)]
    pub(crate) fn is_pending(&self) -> bool {
        !self.at_once.is_empty()
    }

    /// The next delivery that is to be made before the next event.
    pub(crate) fn next(&mut self) -> Option<RelayId> {
        self.at_once.pop_front()
    }

    /// The largest that a place takes, bytes; none of other targets.
    pub(crate) fn largest(&self, to: Target) -> Option<u64> {
        self.index(to).map(|index| self.places[index].largest)
    }

    /// A caller sends something; the answer of the service.
    pub(crate) fn send<O: Observer>(
        &mut self,
        to: Target,
        arriving: Arriving,
        (key, attempt): (StreamKey, u32),
        context: &mut Context<'_, O>,
    ) -> Reply {
        // INV-T5.
        if let Some(status) = self.faults.strike(to, &arriving.origin, key, attempt, context.now) {
            return Reply::fault(status);
        }
        if self.largest(to).is_some_and(|largest| arriving.bytes > largest) {
            return Reply { answer: Answer::Rejected, status: 400 };
        }
        self.receive(to, arriving, context);
        Reply { answer: Answer::Success, status: 200 }
    }

    /// A place receives something. Its deliveries follow.
    pub(crate) fn receive<O: Observer>(&mut self, to: Target, arriving: Arriving, context: &mut Context<'_, O>) {
        self.take_in(to, arriving, false, context);
    }

    /// As [`Self::receive`]; `later` says that the deliveries pass the event loop.
    fn take_in<O: Observer>(&mut self, to: Target, arriving: Arriving, later: bool, context: &mut Context<'_, O>) {
        let index = self.index(to).expect("a topic, an event bus or a bucket");
        let Arriving { origin, parent, bytes, chain } = arriving;
        let place = &self.places[index];
        let matched = || (0..).zip(&place.routes).filter(|(_, route)| place.matches(route, &origin));
        let deliveries = u32::try_from(matched().count()).expect("fewer than 2^32 routes");
        context.state(&Fact::Place(PlaceFact::Received { place: to, origin, parent, bytes, deliveries }));
        let due = context.now.plus(place.delay(&origin));
        let relay = Relay {
            origin,
            received: context.now,
            last_wait: SimDuration::ZERO,
            chain: place.chain(chain),
            bytes: u32::try_from(place.passes_on(bytes)).unwrap_or(u32::MAX),
            place: u32::try_from(index).expect("fewer than 2^32 places"),
            route: 0,
            attempts: 0,
        };
        for (route, _) in matched() {
            let id = self.relays.insert(Relay { route, ..relay });
            if later || due > context.now {
                context.schedule(due, Class::Arrival, place.order, Event::Service(ServiceEvent::RelayDue(id)));
            } else {
                self.at_once.push_back(id);
            }
        }
    }

    /// The place that a target names.
    fn index(&self, to: Target) -> Option<usize> {
        match to {
            Target::Topic(id) => Some(id.index()),
            Target::EventBus(id) => Some(self.topics + id.index()),
            Target::Bucket(id) => Some(self.topics + self.event_buses + id.index()),
            Target::Queue(_)
            | Target::Function(_)
            | Target::Stream(_)
            | Target::Broker(_)
            | Target::StateMachine(_) => None,
        }
    }

    /// A delivery as facts name it.
    fn delivery(&self, relay: &Relay) -> PlaceDelivery {
        let Relay { origin, received, place, route, .. } = *relay;
        let place = &self.places[place as usize];
        PlaceDelivery {
            place: place.target,
            route,
            origin,
            branch: place.branch(origin.branch, route),
            to: place.routes[route as usize].to,
            received,
        }
    }
}

impl Place {
    /// Whether something matches the rule of a route. All routes of a rule have one draw, by the way alone.
    fn matches(&self, route: &Route, origin: &Origin) -> bool {
        let key = self.draws[origin.caller].child(MATCH).child(route.rule.into());
        route.matches.hits(key.child(origin.branch.into()).word(origin.submission - 1))
    }

    /// From what a bucket got to its notifications.
    fn delay(&self, origin: &Origin) -> SimDuration {
        let Some(delay) = &self.delay else { return SimDuration::ZERO };
        let key = self.draws[origin.caller].child(DELAY).child(origin.branch.into());
        let delay = delay.is_constant().unwrap_or_else(|| delay.sample(key.word(origin.submission - 1)));
        SimDuration::from_nanos(delay)
    }

    /// INV-5.7: event buses do not track chains of requests.
    fn chain(&self, chain: Chain) -> Chain {
        if matches!(self.target, Target::EventBus(_)) { Chain::NEW } else { chain }
    }

    /// Size of what is passed on: a bucket tells of an object, others pass on what they got.
    fn passes_on(&self, bytes: u64) -> u64 {
        if matches!(self.target, Target::Bucket(_)) { limits::NOTIFICATION_BYTES } else { bytes }
    }

    /// The branch of what a target gets: a number that depends on the way alone, and is not 0.
    fn branch(&self, parent: u32, route: u32) -> u32 {
        self.way.child(parent.into()).half_word(route.into()).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A delivery that waits takes its record, a node of the calendar (32 bytes) and nothing else.
    #[test]
    fn records_stay_small() {
        assert_eq!(size_of::<Relay>(), 64);
    }
}
