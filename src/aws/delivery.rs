//! Deliveries to dead-letter queues and destinations (INV-5.4): what the target's service says, and tries again.
//!
//! ```text
//! event ended -> [delay] -> attempt -> delivered
//!                   ^          |
//!                   |          +-> refused for good: too large, FIFO queue, a loop -> failed
//!                   +----------+-> refused: tried again while attempts are left   -> failed
//! ```

use super::config::{Fault, FaultAt, QueueKind, System, Target};
use super::event::{Class, Context, Event};
use super::fact::{DeliveryError, DeliveryKind, Fact, Observer, Origin, Record, Response};
use super::fan_out::FanOut;
use super::fault;
use super::frontend::Frontend;
use super::function::Purpose;
use super::ids::{DeliveryId, LineageId, Slots};
use super::limits;
use super::sqs::Sqs;
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

/// Deliveries under way, and the faults of the places that receive.
#[derive(Debug)]
pub(crate) struct Deliveries {
    waiting: Slots<DeliveryId, Delivery>,
    faults: Vec<Fault>,
}

/// One delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) record: Record,
    pub(crate) to: Target,
    /// The chain of requests, with the target where that is a function.
    pub(crate) lineage: LineageId,
    /// Which attempt is the next, 1 = first.
    pub(crate) attempt: u32,
}

impl Deliveries {
    /// The places before the run.
    pub(crate) fn new(system: &System) -> Self {
        let sends = |fault: &&Fault| matches!(fault.at, FaultAt::Send(_));
        Self { waiting: Slots::default(), faults: system.faults.iter().filter(sends).cloned().collect() }
    }

    /// Deliveries that wait for their next attempt.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.waiting.len()
    }

    /// The delivery waits until `at`.
    pub(crate) fn wait<O: Observer>(
        &mut self,
        delivery: Delivery,
        at: SimTime,
        order: u32,
        context: &mut Context<'_, O>,
    ) {
        let id = self.waiting.insert(delivery);
        context.schedule(at, Class::Arrival, order, Event::DeliveryDue(id));
    }

    /// The delivery whose wait is over.
    pub(crate) fn take(&mut self, id: DeliveryId) -> Delivery {
        self.waiting.remove(id)
    }

    /// Why the target refuses, if it does. `stopped` says that the target is a function which this chain of requests may
    /// not invoke again.
    pub(crate) fn refusal(
        &self,
        delivery: &Delivery,
        stopped: bool,
        (sqs, fan_out): (&Sqs, &FanOut),
        frontend: &mut Frontend,
        now: SimTime,
    ) -> Option<DeliveryError> {
        let Delivery { to, attempt, .. } = delivery;
        if stopped {
            return Some(DeliveryError::RecursiveInvocation);
        }
        let limit = match to {
            Target::Queue(id) if sqs.config(*id).kind == QueueKind::Fifo => return Some(DeliveryError::FifoQueue),
            Target::Queue(id) => sqs.config(*id).maximum_message_size,
            Target::Function(_) => limits::ASYNCHRONOUS_PAYLOAD_BYTES,
            Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) => fan_out.largest(*to).unwrap_or(u64::MAX),
            Target::Stream(_) | Target::Broker(_) | Target::StateMachine(_) => u64::MAX,
        };
        if delivery.bytes() > limit {
            return Some(DeliveryError::TooLarge);
        }
        let attempt = *attempt;
        let status = match to {
            Target::Function(id) => frontend.fault(*id, &delivery.invocation(), attempt, now).map(|reply| reply.status),
            Target::Queue(_)
            | Target::Topic(_)
            | Target::EventBus(_)
            | Target::Bucket(_)
            | Target::Stream(_)
            | Target::Broker(_)
            | Target::StateMachine(_) => self.strike(delivery, frontend, now),
        };
        status.map(DeliveryError::Refused)
    }

    /// INV-T5: the status of the first fault of the target's service that strikes.
    fn strike(&self, delivery: &Delivery, frontend: &mut Frontend, now: SimTime) -> Option<u16> {
        let Delivery { record, to, attempt, .. } = delivery;
        if self.faults.is_empty() {
            return None;
        }
        let key = frontend.draw_key(record.function, Purpose::Delivery, &record.origin).child(record.kind as u64);
        let mut faults = self.faults.iter().enumerate().filter(|(_, fault)| fault.at == FaultAt::Send(*to));
        faults.find_map(|(index, fault)| {
            let key = key.child(index as u64);
            fault::strike(std::slice::from_ref(fault), key, &record.origin, *attempt, now)
        })
    }
}

impl Delivery {
    /// What is sent: the event itself to a dead-letter queue (INV-O2), an invocation record to a destination (INV-5.5).
    pub(crate) fn bytes(&self) -> u64 {
        let Record { kind, payload_bytes, response, .. } = self.record;
        let response = match response {
            Response::Success(bytes) => bytes,
            Response::None | Response::Refused(_) | Response::FunctionError { .. } => 0,
        };
        match kind {
            DeliveryKind::DeadLetterQueue => payload_bytes,
            DeliveryKind::OnFailure | DeliveryKind::OnSuccess => {
                payload_bytes.saturating_add(response).saturating_add(limits::INVOCATION_RECORD_BYTES)
            }
        }
    }

    /// The event that it is for a function: one of its own, of the same submission.
    pub(crate) fn invocation(&self) -> Origin {
        let Record { origin, kind, .. } = self.record;
        Origin { branch: branch(origin.branch, kind), ..origin }
    }

    /// Whether another attempt may end otherwise.
    pub(crate) fn may_succeed_later(error: DeliveryError) -> bool {
        match error {
            DeliveryError::Refused(_) => true,
            DeliveryError::TooLarge | DeliveryError::FifoQueue | DeliveryError::RecursiveInvocation => false,
        }
    }

    /// States that the target has it.
    pub(crate) fn delivered<O: Observer>(&self, context: &mut Context<'_, O>) {
        context.state(&Fact::Delivered { record: self.record, to: self.to });
    }
}

/// The branch of the event that a destination sends on: a number that depends on the way alone, and is not 0.
fn branch(parent: u32, kind: DeliveryKind) -> u32 {
    StreamKey::from_word(u64::from(parent)).half_word(kind as u64).max(1)
}
