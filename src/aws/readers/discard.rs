//! Records that are given up: on-failure destinations of mappings (ESM-2.3, 4.2), and dead letters of brokers (ESM-5).

use super::worker::Held;
use super::{Readers, Surroundings};
use crate::aws::config::{QueueKind, Target};
use crate::aws::event::Context;
use crate::aws::fact::{
    BrokerFact, DeliveryError, DiscardCondition, Fact, Notice, Observer, Origin, ReaderFact, RecordFate,
};
use crate::aws::fan_out::{Arriving, Chain};
use crate::aws::ids::{Id, MappingId, WorkerId};
use crate::aws::limits;
use crate::aws::sqs::{Message, Together};
use crate::aws::streams::{NewRecord, PartitionKey, Put};
use crate::kernel::rng::StreamKey;

impl Readers {
    /// The first records of the piece are discarded together.
    pub(super) fn discard<O: Observer>(
        &mut self,
        id: WorkerId,
        records: usize,
        condition: DiscardCondition,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &self.workers[id];
        let first = worker.spokesman();
        let (mapping, to) = (worker.mapping, self.members[worker.mapping].config.stream.on_failure);
        let notice = match to.filter(|_| records > 0) {
            // A notice says which records are given up; the last run of a window has none.
            None => Notice::None,
            Some(to) => match self.tell(id, records, to, around, context) {
                None => Notice::Delivered(to),
                Some(error) => Notice::Failed(to, error),
            },
        };
        // ESM-2.3: a batch that was too old before its first run counts one.
        let invoke_count = first.runs.max(1);
        self.end_records(id, records, RecordFate::Discarded(condition), around, context);
        let (origin, shard) = (first.origin, first.shard);
        let records = u32::try_from(records).expect("at most the largest batch");
        context.state(&Fact::Reader(ReaderFact::Discarded {
            origin,
            mapping,
            shard,
            records,
            condition,
            invoke_count,
            notice,
        }));
    }

    /// Tells the destination of records that are discarded; why it could not be told.
    fn tell<O: Observer>(
        &mut self,
        id: WorkerId,
        records: usize,
        to: Target,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) -> Option<DeliveryError> {
        let worker = &self.workers[id];
        let mapping = worker.mapping;
        let first = worker.spokesman();
        let key = self.keys[worker.mapping][first.origin.caller].child(4);
        if let Some(status) = self.faults.strike(to, &first.origin, key, 1, context.now) {
            return Some(DeliveryError::Refused(status));
        }
        match to {
            Target::Queue(queue) => {
                let config = around.sqs.config(queue);
                if config.kind == QueueKind::Fifo {
                    return Some(DeliveryError::FifoQueue);
                }
                if limits::DISCARDED_BATCH_BYTES > config.maximum_message_size {
                    return Some(DeliveryError::TooLarge);
                }
                let origin = sent_on(first.origin, worker.mapping);
                let bytes = limits::DISCARDED_BATCH_BYTES;
                let call = Together { messages: 1, bytes };
                let message = Message { origin, bytes, call, delay: None, group: None, deduplication: None };
                around.sqs.put(queue, message, context);
            }
            Target::Stream(_) => {
                // ESM-4.2: a topic gets the records themselves.
                for place in worker.range().take(records) {
                    let held = self.workers[id].batch[place];
                    self.put(mapping, &held, to, around, context);
                }
            }
            Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) => {
                let origin = sent_on(first.origin, worker.mapping);
                let bytes = limits::DISCARDED_BATCH_BYTES;
                let parent = Some(first.origin.branch);
                if around.fan_out.largest(to).is_some_and(|largest| bytes > largest) {
                    return Some(DeliveryError::TooLarge);
                }
                around.fan_out.receive(to, Arriving { origin, parent, bytes, chain: Chain::NEW }, context);
            }
            Target::Function(_) | Target::Broker(_) | Target::StateMachine(_) => {}
        }
        None
    }

    fn put<O: Observer>(
        &mut self,
        mapping: MappingId,
        held: &Held,
        to: Target,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let log = around.streams.of_target(to).expect("a stream or a broker");
        let origin = sent_on(held.origin, mapping);
        let key = PartitionKey::Turn(held.origin.submission - 1);
        let bytes = u64::from(held.bytes);
        let record = NewRecord { origin, key, bytes, call_bytes: bytes };
        match around.streams.put(log, record, context) {
            Put::Accepted(shard) => {
                if !self.groups[self.members[mapping].group].is_cyclic {
                    self.hope(log, around.streams, context);
                }
                self.on_put(log, shard, u64::from(held.bytes), around.streams, context);
            }
            Put::Refused(reply) => unreachable!("{reply:?} of a log without limits"),
        }
    }

    /// ESM-5: the first records of the piece were redelivered too often.
    pub(super) fn dead_letter<O: Observer>(
        &mut self,
        id: WorkerId,
        records: usize,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &self.workers[id];
        let mapping = worker.mapping;
        let member = &self.members[mapping];
        let (broker, to) = member.broker.expect("a broker's mapping");
        for place in worker.range().take(records) {
            let held = self.workers[id].batch[place];
            context.state(&Fact::Broker(BrokerFact::DeadLettered { origin: held.origin, broker, to }));
            match to {
                Some(Target::Queue(queue)) => {
                    let bytes = u64::from(held.bytes);
                    let message = Message {
                        origin: sent_on(held.origin, mapping),
                        bytes,
                        call: Together { messages: 1, bytes },
                        delay: None,
                        group: None,
                        deduplication: None,
                    };
                    around.sqs.put(queue, message, context);
                }
                Some(to @ Target::Broker(_)) => self.put(mapping, &held, to, around, context),
                Some(
                    Target::Stream(_)
                    | Target::Topic(_)
                    | Target::EventBus(_)
                    | Target::Bucket(_)
                    | Target::Function(_)
                    | Target::StateMachine(_),
                )
                | None => {}
            }
        }
        self.end_records(id, records, RecordFate::DeadLettered, around, context);
    }
}

/// What follows from a record that a mapping gives up: an event of its own, of the same submission.
fn sent_on(origin: Origin, mapping: MappingId) -> Origin {
    const SENT_ON: u64 = 0x5e17;
    let key = StreamKey::from_word(u64::from(origin.branch)).child(SENT_ON);
    Origin { branch: key.half_word(mapping.index() as u64).max(1), ..origin }
}
