//! Batches of a mapping: filled, invoked, tried again, and their messages deleted (ESM-1.3 to 1.6).

use super::batch::State;
use super::{Mappings, Surroundings};
use crate::aws::backoff;
use crate::aws::config::Jitter;
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Answer, Complete, Fact, MappingFact, Observer, RunOutcome};
use crate::aws::ids::BatchId;
use crate::aws::request::{Invoked, Reply, RunAnswer};
use crate::aws::sqs::{Poll, Receipt};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimTime;

/// ESM-1.1: messages of one receive.
const RECEIVE_MAX: u32 = 10;

impl Mappings {
    /// Receives for a batch until it is full, nothing matches any more, or nothing is there. Whether it has a record.
    pub(super) fn receive<O: Observer>(
        &mut self,
        id: BatchId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) -> bool {
        let batch = &mut self.batches[id];
        let mapping = &mut self.table[batch.mapping];
        let has_window = !mapping.config.maximum_batching_window.is_zero();
        loop {
            let config = &mapping.config;
            let room = config.batch_size - batch.records();
            let max = room.min(RECEIVE_MAX);
            let single_group = config.sqs.fifo_single_group_batches;
            around.sqs.receive(mapping.queue, max, mapping.id, single_group, &mut self.received, context);
            if self.received.is_empty() {
                break;
            }
            mapping.paced(self.received.iter().map(|receipt| u64::from(receipt.bytes)).sum(), context.now);
            let config = &mapping.config;
            let messages = u32::try_from(self.received.len()).expect("at most ten");
            context.state(&Fact::Mapping(MappingFact::Polled { mapping: mapping.id, messages }));
            let mut fits = true;
            for receipt in self.received.drain(..) {
                let origin = receipt.origin;
                let key = self.keys[mapping.id][origin.caller];
                if config.filter < Ratio::ONE && !config.filter.hits(key.child(0).word(origin.submission - 1)) {
                    context.state(&Fact::Mapping(MappingFact::FilteredOut { origin, mapping: mapping.id }));
                    around.sqs.delete(mapping.queue, &receipt, context);
                } else {
                    if batch.receipts.is_empty() {
                        batch.opened = mapping.window_opens(context.now);
                    }
                    fits &= batch.add(receipt, mapping.event_bytes(&receipt), config.payload_limit);
                }
            }
            let full = !fits || batch.records() >= config.batch_size;
            if full || (!batch.receipts.is_empty() && !has_window) {
                break;
            }
        }
        !batch.receipts.is_empty()
    }

    /// What to do with a batch that has records: invoke, or wait for more (ESM-1.3, S11).
    pub(super) fn consider<O: Observer>(
        &mut self,
        id: BatchId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let batch = &mut self.batches[id];
        let mapping = &mut self.table[batch.mapping];
        mapping.watch_growth(context);
        let config = &mapping.config;
        let window_ends = batch.opened.plus(config.maximum_batching_window);
        let complete = if batch.records() >= config.batch_size {
            Some(Complete::Full)
        } else if !batch.next.is_empty() {
            Some(Complete::Payload)
        } else if config.maximum_batching_window.is_zero() {
            Some(Complete::AtOnce)
        } else {
            (context.now >= window_ends).then_some(Complete::Window)
        };
        if let Some(complete) = complete {
            return self.form(id, complete, around, context);
        }
        let poll_ends = context.now.plus(config.sqs.long_poll);
        let until = if config.maximum_batching_window < config.sqs.low_traffic_wait {
            poll_ends
        } else {
            poll_ends.min(window_ends)
        };
        batch.state = State::Buffering;
        mapping.buffering.push_back(id);
        batch.timer = until;
        context.schedule(until, Class::Timer, config.order, Event::Service(ServiceEvent::BatchDue(id)));
        let poll = Poll { mapping: mapping.id, batch: Some(id) };
        around.sqs.wait(mapping.queue, poll, context);
    }

    /// A batch is complete.
    fn form<O: Observer>(
        &mut self,
        id: BatchId,
        complete: Complete,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let batch = &mut self.batches[id];
        let mapping = &self.table[batch.mapping];
        let (mapping_id, number, records) = (mapping.id, batch.number, batch.records());
        for receipt in &batch.receipts {
            let origin = receipt.origin;
            context.state(&Fact::Mapping(MappingFact::Batched { origin, mapping: mapping_id, batch: number }));
        }
        let origin = batch.origin();
        let fact = MappingFact::BatchFormed { origin, mapping: mapping_id, batch: number, records, complete };
        context.state(&Fact::Mapping(fact));
        batch.state = State::Formed;
        if mapping.config.invoke_overhead.is_zero() {
            self.invoke(id, around, context);
        } else {
            batch.timer = context.now.plus(mapping.config.invoke_overhead);
            context.schedule(
                batch.timer,
                Class::Timer,
                mapping.config.order,
                Event::Service(ServiceEvent::BatchDue(id)),
            );
        }
    }

    /// Asks for a run of a batch.
    fn invoke<O: Observer>(&mut self, id: BatchId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let batch = &mut self.batches[id];
        let mapping = &self.table[batch.mapping];
        batch.attempts += 1;
        let request = mapping.request(&batch.receipts, batch.attempts, Waiter::Batch(id), around.sqs);
        match around.frontend.invoke_batch(&request, &mut batch.failed, &mut batch.unreadable, context) {
            Invoked::Refused(reply) => self.refused(id, reply, context),
            Invoked::Started { .. } => {
                batch.state = State::Running;
                let batch_id = id;
                let (id, origin, number, records) = (mapping.id, batch.origin(), batch.number, batch.records());
                let again = |receipt: &Receipt| u32::from(around.sqs.count_run(mapping.queue, receipt));
                let repeated = batch.receipts.iter().map(again).sum();
                let fact = MappingFact::BatchInvoked { origin, mapping: id, batch: number, records, repeated };
                context.state(&Fact::Mapping(fact));
                let probability = mapping.config.spurious_duplicate_probability;
                let key = self.keys[mapping.id][origin.caller].child(2).child(u64::from(batch.receipts[0].receives));
                if probability > Ratio::ZERO && probability.hits(key.word(origin.submission - 1)) {
                    self.duplicate(batch_id, around, context);
                }
            }
        }
    }

    /// ESM-C9: the same batch once more; nobody waits for its result.
    #[cold]
    fn duplicate<O: Observer>(&mut self, id: BatchId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let batch = &self.batches[id];
        let mapping = &self.table[batch.mapping];
        let request = mapping.request(&batch.receipts, batch.attempts, Waiter::Nobody, around.sqs);
        around.frontend.invoke_batch(&request, &mut Vec::new(), &mut false, context);
    }

    /// ESM-1.6, S6 to S8: a throttled batch is tried again until its visibility time-out, then dropped.
    #[inline(never)]
    fn refused<O: Observer>(&mut self, id: BatchId, reply: Reply, context: &mut Context<'_, O>) {
        let batch = &mut self.batches[id];
        let mapping = &mut self.table[batch.mapping];
        if batch.attempts == 1 {
            mapping.pollers.back_off(mapping.config.sqs.pollers.throttle_backoff);
        }
        let retry = &mapping.config.throttle_retry;
        let origin = batch.origin();
        let word = match retry.jitter {
            Jitter::None => 0,
            Jitter::Full | Jitter::Equal | Jitter::Decorrelated | Jitter::Share(_) => {
                let key = self.keys[mapping.id][origin.caller].child(1);
                key.run(batch.attempts).child(u64::from(batch.receipts[0].receives)).word(origin.submission - 1)
            }
        };
        batch.last_wait = backoff::wait(retry, batch.attempts - 1, batch.last_wait, word);
        let visible_at = batch.receipts[0].visible_at;
        let due = context.now.plus(batch.last_wait);
        let again = due < visible_at;
        batch.state = if again { State::Refused } else { State::GivenUp };
        batch.timer = if again { due } else { visible_at.max(context.now) };
        let due = again.then_some(due);
        let (status, number) = (reply.status, batch.number);
        let fact = MappingFact::BatchRefused { origin, mapping: mapping.id, batch: number, status, due };
        context.state(&Fact::Mapping(fact));
        context.schedule(batch.timer, Class::Timer, mapping.config.order, Event::Service(ServiceEvent::BatchDue(id)));
        mapping.retire_surplus(context);
    }

    /// Something that a batch waits for has come.
    pub(crate) fn on_batch_due<O: Observer>(
        &mut self,
        id: BatchId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let batch = &mut self.batches[id];
        if batch.timer != context.now {
            return; // It went on before.
        }
        batch.timer = SimTime::MAX;
        match batch.state {
            State::Buffering => {
                let buffering = &mut self.table[batch.mapping].buffering;
                buffering.retain(|other| *other != id);
                let fact = MappingFact::PolledEmpty { mapping: batch.mapping, receives: 1, first: context.now };
                context.state(&Fact::Mapping(fact));
                self.consider(id, around, context);
            }
            State::Formed | State::Refused => self.invoke(id, around, context),
            State::GivenUp => self.release(id, around, context),
            State::Deleting => {
                self.delete(id, around, context);
                self.release(id, around, context);
            }
            State::Running | State::Over => unreachable!("nothing is due for {batch:?}"),
        }
    }

    /// A run of a batch ended (ESM-1.4).
    pub(crate) fn on_answered<O: Observer>(
        &mut self,
        id: BatchId,
        answer: RunAnswer,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let batch = &mut self.batches[id];
        let mapping = &mut self.table[batch.mapping];
        let outcome = answer.outcome;
        match answer.reply.answer {
            Answer::Success => {}
            Answer::FunctionError => batch.failed.fill(true),
            Answer::Throttled | Answer::ServiceError => return self.refused(id, answer.reply, context),
            Answer::Accepted | Answer::Rejected => unreachable!("a run does not end like {:?}", answer.reply),
        }
        if batch.unreadable {
            batch.failed.fill(true);
        }
        let failed = batch.failed.iter().map(|failed| u32::from(*failed)).sum();
        let (origin, number, records) = (batch.origin(), batch.number, batch.records());
        let (unreadable, mapping_id) = (batch.unreadable, mapping.id);
        let fact = MappingFact::BatchEnded {
            origin,
            mapping: mapping_id,
            batch: number,
            records,
            failed,
            outcome,
            unreadable,
        };
        context.state(&Fact::Mapping(fact));
        // ESM-1.4: failures that the function reports do not slow the polling, an error does.
        if outcome != RunOutcome::Success {
            mapping.pollers.back_off(mapping.config.sqs.pollers.error_backoff);
            mapping.retire_surplus(context);
        }
        let due = if failed == records { context.now } else { around.sqs.deletes_at(mapping.queue, context.now) };
        if due <= context.now {
            self.delete(id, around, context);
            return self.release(id, around, context);
        }
        (batch.state, batch.timer) = (State::Deleting, due);
        context.schedule(batch.timer, Class::Timer, mapping.config.order, Event::Service(ServiceEvent::BatchDue(id)));
    }

    /// Deletes the messages of a batch that did not fail.
    fn delete<O: Observer>(&mut self, id: BatchId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let batch = &self.batches[id];
        let queue = self.table[batch.mapping].queue;
        for (receipt, failed) in batch.receipts.iter().zip(&batch.failed) {
            if !failed {
                around.sqs.delete(queue, receipt, context);
            }
        }
        around.sqs.keep_waiting(queue, context);
    }

    /// The poller of a batch is free: it goes on with what did not fit, or polls.
    pub(super) fn release<O: Observer>(
        &mut self,
        id: BatchId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let batch = &mut self.batches[id];
        let mapping_id = batch.mapping;
        if !batch.next.is_empty() {
            let (mut next, limit) = (std::mem::take(&mut batch.next), self.table[mapping_id].config.payload_limit);
            self.batches.end(id);
            let id = self.batches.begin(mapping_id, context.now);
            let (batch, mapping) = (&mut self.batches[id], &self.table[mapping_id]);
            for receipt in next.drain(..) {
                batch.add(receipt, mapping.event_bytes(&receipt), limit);
            }
            return self.consider(id, around, context);
        }
        self.batches.end(id);
        let mapping = &mut self.table[mapping_id];
        mapping.working -= 1;
        mapping.idle_since = context.now;
        if self.table[mapping_id].room() > 0 {
            self.poll(mapping_id, around, context);
        }
    }
}
