//! One delivery of a place: what its target says, and what follows.

use super::{Arriving, BACKOFF, DEAD_LETTER, FAULT, FanOut, Relay};
use crate::aws::config::{QueueKind, Target};
use crate::aws::delivery_policy::{Exhausted, next_wait};
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Answer, Fact, Observer, Origin, PlaceDelivery, PlaceFact, PlaceFailure, Undelivered};
use crate::aws::frontend::Frontend;
use crate::aws::ids::{LineageId, LogId, QueueId, RelayId, StateMachineId};
use crate::aws::internal_queue::{Arrival, InternalQueue};
use crate::aws::limits;
use crate::aws::lineage::Lineages;
use crate::aws::readers::Readers;
use crate::aws::request::Reply;
use crate::aws::sqs::{Message, Sqs, Together};
use crate::aws::state_machines::StateMachines;
use crate::aws::streams::{Admitted, NewRecord, PartitionKey, Streams};
use crate::kernel::rng::StreamKey;

/// Those to whom places deliver.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    pub(crate) frontend: &'a mut Frontend,
    pub(crate) queue: &'a mut InternalQueue,
    pub(crate) sqs: &'a mut Sqs,
    pub(crate) streams: &'a mut Streams,
    pub(crate) readers: &'a mut Readers,
    pub(crate) state_machines: &'a mut StateMachines,
}

/// A target that takes what is delivered, and what it needs for that.
#[derive(Clone, Copy, Debug)]
enum Taker {
    Function(LineageId),
    Queue(QueueId, Message),
    Stream(LogId, NewRecord, Admitted),
    Place(Target),
    StateMachine(StateMachineId),
}

/// Why a target does not.
enum Refusal {
    ForGood(PlaceFailure),
    /// It may be tried again.
    Status(u16),
}

impl FanOut {
    /// The next attempt of a delivery.
    pub(crate) fn deliver<O: Observer>(&mut self, id: RelayId, around: &mut Around<'_>, context: &mut Context<'_, O>) {
        let relay = &mut self.relays[id];
        relay.attempts += 1;
        let (relay, attempt) = (*relay, relay.attempts);
        let delivery = self.delivery(&relay);
        match self.ask(&relay, &delivery, around, context) {
            Ok(taker) => {
                self.relays.discard(id);
                context.state(&Fact::Place(PlaceFact::Delivered { delivery, attempt }));
                self.hand_over(&relay, &delivery, taker, around, context);
            }
            Err(Refusal::ForGood(cause)) => self.give_up(id, &delivery, cause, around, context),
            Err(Refusal::Status(status)) => self.refused(id, &delivery, status, around, context),
        }
    }

    /// What the target says.
    fn ask<O: Observer>(
        &self,
        relay: &Relay,
        delivery: &PlaceDelivery,
        around: &mut Around<'_>,
        context: &mut Context<'_, O>,
    ) -> Result<Taker, Refusal> {
        let (to, attempt, bytes) = (delivery.to, relay.attempts, u64::from(relay.bytes));
        let origin = following(delivery);
        let key = self.key(relay, delivery, FAULT);
        match to {
            Target::Function(function) => {
                let lineage = match relay.chain.lineage {
                    Some(lineage) => around.queue.lineages().next(lineage, function),
                    None => Lineages::first(function),
                };
                if relay.chain.stopped && around.queue.stops(lineage) {
                    return Err(Refusal::ForGood(PlaceFailure::RecursiveInvocation));
                }
                if bytes > limits::ASYNCHRONOUS_PAYLOAD_BYTES {
                    return Err(Refusal::ForGood(PlaceFailure::TooLarge));
                }
                match around.frontend.fault(function, &origin, attempt, context.now) {
                    Some(reply) => Err(Refusal::Status(reply.status)),
                    None => Ok(Taker::Function(lineage)),
                }
            }
            Target::Queue(queue) => {
                let message = self.message(queue, relay, delivery, around.sqs);
                match around.sqs.refusal(queue, &message, key, attempt, context.now) {
                    Some(reply) => Err(refusal(reply)),
                    None => Ok(Taker::Queue(queue, message)),
                }
            }
            Target::Stream(_) => {
                let log = around.streams.of_target(to).expect("a stream");
                let record =
                    NewRecord { origin, key: PartitionKey::Turn(origin.submission - 1), bytes, call_bytes: bytes };
                match around.streams.admit(log, &record, (key, attempt), context) {
                    Ok(admitted) => Ok(Taker::Stream(log, record, admitted)),
                    Err(reply) => Err(refusal(reply)),
                }
            }
            Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) => {
                if self.largest(to).is_some_and(|largest| bytes > largest) {
                    return Err(Refusal::ForGood(PlaceFailure::TooLarge));
                }
                match self.faults.strike(to, &origin, key, attempt, context.now) {
                    Some(status) => Err(Refusal::Status(status)),
                    None => Ok(Taker::Place(to)),
                }
            }
            Target::StateMachine(machine) => match self.faults.strike(to, &origin, key, attempt, context.now) {
                Some(status) => Err(Refusal::Status(status)),
                None => Ok(Taker::StateMachine(machine)),
            },
            Target::Broker(_) => unreachable!("no place delivers to {to:?}"),
        }
    }

    /// The target takes it.
    fn hand_over<O: Observer>(
        &mut self,
        relay: &Relay,
        delivery: &PlaceDelivery,
        taker: Taker,
        around: &mut Around<'_>,
        context: &mut Context<'_, O>,
    ) {
        let (origin, parent, bytes) = (following(delivery), Some(relay.origin.branch), u64::from(relay.bytes));
        match taker {
            Taker::Function(lineage) => {
                let arrival = Arrival { origin, lineage, parent, payload_bytes: bytes };
                let event = around.queue.accept(arrival, context);
                around.queue.begin_later(event, context);
            }
            Taker::Queue(queue, message) => around.sqs.put(queue, message, context),
            Taker::Stream(log, record, admitted) => {
                let shard = around.streams.append(log, &record, admitted, context);
                around.readers.on_put(log, shard, bytes, around.streams, context);
            }
            Taker::StateMachine(machine) => {
                around.state_machines.start_execution(machine, (origin, 1, parent), None, context);
            }
            Taker::Place(to) => {
                let is_bus = |target| matches!(target, Target::EventBus(_));
                let later = is_bus(to) && is_bus(delivery.place);
                self.take_in(to, Arriving { origin, parent, bytes, chain: relay.chain }, later, context);
            }
        }
    }

    /// The target's service refused: it is tried again by the route's policy, or given up.
    fn refused<O: Observer>(
        &mut self,
        id: RelayId,
        delivery: &PlaceDelivery,
        status: u16,
        around: &mut Around<'_>,
        context: &mut Context<'_, O>,
    ) {
        let relay = self.relays[id];
        let (attempt, place) = (relay.attempts, &self.places[relay.place as usize]);
        let key = self.key(&relay, delivery, BACKOFF);
        let word = || key.run(attempt).word(relay.origin.submission - 1);
        let policy = &place.routes[relay.route as usize].policy;
        match next_wait(policy, attempt - 1, relay.received, context.now, relay.last_wait, word) {
            Ok(wait) => {
                let due = context.now.plus(wait);
                self.relays[id].last_wait = wait;
                context.state(&Fact::Place(PlaceFact::DeliveryRetried { delivery: *delivery, attempt, status, due }));
                context.schedule(due, Class::Arrival, place.order, Event::Service(ServiceEvent::RelayDue(id)));
            }
            Err(Exhausted::Retries) => {
                self.give_up(id, delivery, PlaceFailure::MaximumRetryAttempts(status), around, context);
            }
            Err(Exhausted::Age) => {
                self.give_up(id, delivery, PlaceFailure::MaximumEventAge(status), around, context);
            }
        }
    }

    /// The delivery failed for good: the dead-letter queue gets it, where there is one.
    fn give_up<O: Observer>(
        &mut self,
        id: RelayId,
        delivery: &PlaceDelivery,
        cause: PlaceFailure,
        around: &mut Around<'_>,
        context: &mut Context<'_, O>,
    ) {
        let relay = self.relays.remove(id);
        let route = &self.places[relay.place as usize].routes[relay.route as usize];
        let letter = route.dead_letter_queue.map(|to| {
            let Target::Queue(queue) = to else { unreachable!("{to:?} is no dead-letter queue") };
            let message = self.message(queue, &relay, delivery, around.sqs);
            let key = self.key(&relay, delivery, DEAD_LETTER);
            let refused = around.sqs.refusal(queue, &message, key, 1, context.now).map(|reply| reply.status);
            (to, queue, message, refused)
        });
        let fate = match letter {
            None => Undelivered::Lost,
            Some((to, _, _, None)) => Undelivered::DeadLettered(to),
            Some((to, _, _, Some(status))) => Undelivered::Refused(to, status),
        };
        let attempts = relay.attempts;
        context.state(&Fact::Place(PlaceFact::DeliveryFailed { delivery: *delivery, attempts, cause, fate }));
        if let Some((_, queue, message, None)) = letter {
            around.sqs.put(queue, message, context);
        }
    }

    /// A delivery as a message. A FIFO queue gets all of a route in one message group.
    fn message(&self, queue: QueueId, relay: &Relay, delivery: &PlaceDelivery, sqs: &Sqs) -> Message {
        let bytes = u64::from(relay.bytes);
        let is_fifo = sqs.config(queue).kind == QueueKind::Fifo;
        let way = self.places[relay.place as usize].way;
        Message {
            origin: following(delivery),
            bytes,
            delay: None,
            group: is_fifo.then(|| way.word(relay.route.into())),
            deduplication: None,
            call: Together { messages: 1, bytes },
        }
    }

    /// Key of a delivery's draws.
    fn key(&self, relay: &Relay, delivery: &PlaceDelivery, purpose: u64) -> StreamKey {
        let draws = &self.places[relay.place as usize].draws;
        draws[relay.origin.caller].child(purpose).child(delivery.branch.into())
    }
}

/// What the target gets.
fn following(delivery: &PlaceDelivery) -> Origin {
    Origin { branch: delivery.branch, ..delivery.origin }
}

/// What a refusal of a queue or a stream means: only throttles and failures of the service may end otherwise later.
fn refusal(reply: Reply) -> Refusal {
    match reply.answer {
        Answer::Throttled | Answer::ServiceError => Refusal::Status(reply.status),
        Answer::Rejected | Answer::Success | Answer::Accepted | Answer::FunctionError => {
            Refusal::ForGood(PlaceFailure::TooLarge)
        }
    }
}
