//! What the services do when an event ends: destinations and dead-letter queues are told (INV-5.4).

use super::config::Target;
use super::delivery::Delivery;
use super::event::Context;
use super::fact::{Condition, DeliveryKind, Fact, Observer, Record};
use super::fan_out::{Arriving, Chain};
use super::ids::DeliveryId;
use super::internal_queue::{Arrival, Ended};
use super::services::Services;
use super::sqs::{Message, Together};
use crate::kernel::time::SimTime;

impl Services {
    /// Tells destinations and dead-letter queues of events that ended.
    #[inline(always)]
    pub(super) fn report_ends<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        while let Some(ended) = self.queue.next_ended() {
            self.report_end(ended, context);
        }
    }

    /// INV-O3: where both are set, both receive.
    #[inline(never)]
    fn report_end<O: Observer>(&mut self, ended: Ended, context: &mut Context<'_, O>) {
        let Ended { record, lineage } = ended;
        let config = self.queue.config(record.function);
        let delay = config.delivery.delay;
        let targets = match record.kind {
            DeliveryKind::OnSuccess => [None, config.on_success.map(|to| (DeliveryKind::OnSuccess, to))],
            DeliveryKind::OnFailure | DeliveryKind::DeadLetterQueue => [
                config.dead_letter_queue.map(|to| (DeliveryKind::DeadLetterQueue, to)),
                config.on_failure.map(|to| (DeliveryKind::OnFailure, to)),
            ],
        };
        for (kind, to) in targets.into_iter().flatten() {
            let lineage = match to {
                Target::Function(function) => self.queue.lineages().next(lineage, function),
                Target::Queue(_)
                | Target::Topic(_)
                | Target::EventBus(_)
                | Target::Bucket(_)
                | Target::Stream(_)
                | Target::Broker(_)
                | Target::StateMachine(_) => lineage,
            };
            let record = Record { kind, ..record };
            let delivery = Delivery { record, to, lineage, attempt: 1 };
            if delay.is_zero() {
                self.deliver(delivery, context);
            } else {
                self.wait(delivery, context.now.plus(delay), context);
            }
        }
    }

    fn wait<O: Observer>(&mut self, delivery: Delivery, at: SimTime, context: &mut Context<'_, O>) {
        let order = self.queue.order(delivery.record.function);
        self.deliveries.wait(delivery, at, order, context);
    }

    /// The next attempt of a delivery is due.
    #[inline(never)]
    pub(crate) fn on_delivery_due<O: Observer>(&mut self, id: DeliveryId, context: &mut Context<'_, O>) {
        let delivery = self.deliveries.take(id);
        self.deliver(delivery, context);
    }

    fn deliver<O: Observer>(&mut self, delivery: Delivery, context: &mut Context<'_, O>) {
        let Delivery { record, to, lineage, attempt } = delivery;
        // An event that was stopped as a loop may not go on in it by way of its own failure.
        let stopped = record.condition == Condition::RecursiveInvocation
            && matches!(to, Target::Function(_))
            && self.queue.stops(lineage);
        let Some(error) =
            self.deliveries.refusal(&delivery, stopped, (&self.sqs, &self.fan_out), &mut self.frontend, context.now)
        else {
            delivery.delivered(context);
            match to {
                Target::Function(_) => self.invoke_destination(&delivery, context),
                Target::Queue(queue) => {
                    let message = Message {
                        origin: record.origin,
                        bytes: delivery.bytes(),
                        delay: None,
                        group: None,
                        deduplication: None,
                        call: Together { messages: 1, bytes: delivery.bytes() },
                    };
                    self.sqs.put(queue, message, context);
                }
                Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) => {
                    let stopped = record.condition == Condition::RecursiveInvocation;
                    let arriving = Arriving {
                        origin: delivery.invocation(),
                        parent: Some(record.origin.branch),
                        bytes: delivery.bytes(),
                        chain: Chain { lineage: Some(lineage), stopped },
                    };
                    self.fan_out.receive(to, arriving, context);
                }
                Target::Stream(_) | Target::Broker(_) | Target::StateMachine(_) => {}
            }
            return;
        };
        let config = self.queue.config(record.function).delivery;
        if attempt < config.attempts && Delivery::may_succeed_later(error) {
            let due = context.now.plus(config.delay);
            context.state(&Fact::DeliveryRetried { record, to, error, due });
            self.wait(Delivery { attempt: attempt + 1, ..delivery }, due, context);
        } else {
            context.state(&Fact::DeliveryFailed { record, to, error });
        }
    }

    /// INV-O6: a function as destination is invoked asynchronously.
    fn invoke_destination<O: Observer>(&mut self, delivery: &Delivery, context: &mut Context<'_, O>) {
        let arrival = Arrival {
            origin: delivery.invocation(),
            lineage: delivery.lineage,
            parent: Some(delivery.record.origin.branch),
            payload_bytes: delivery.bytes(),
        };
        let event = self.queue.accept(arrival, context);
        self.queue.begin_later(event, context);
    }
}
