//! What follows on a run of a batch: records end, the rest is split, waits or is discarded (ESM-2.3, 4.2, 5).

use super::batching::count;
use super::group::Kind;
use super::worker::State;
use super::{Readers, Surroundings};
use crate::aws::backoff;
use crate::aws::config::{Backoff, Jitter};
use crate::aws::event::Context;
use crate::aws::fact::{Answer, DiscardCondition, Fact, MappingFact, Observer, ReaderFact, RecordFate};
use crate::aws::ids::WorkerId;
use crate::aws::request::{Reply, RunAnswer};
use crate::aws::streams::Streams;

/// ESM-4.2: retries of Kafka in the provisioned mode where none are given and there is a destination.
const KAFKA_RETRIES: u32 = 10;

impl Readers {
    /// A run of a batch ended.
    pub(crate) fn on_answered<O: Observer>(
        &mut self,
        id: WorkerId,
        answered: RunAnswer,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        let member = &mut self.members[worker.mapping];
        member.running -= 1;
        member.scaling.ran(context.now.since(worker.started));
        let next = member.queued.pop_front();
        match answered.reply.answer {
            Answer::Success => self.ended(id, answered, around, context),
            Answer::FunctionError => {
                worker.failed.fill(true);
                self.ended(id, answered, around, context);
            }
            Answer::Throttled | Answer::ServiceError => self.refused(id, answered.reply, around.streams, context),
            Answer::Accepted | Answer::Rejected => unreachable!("a run does not end like {:?}", answered.reply),
        }
        if let Some(next) = next {
            self.workers[next].state = State::Waiting;
            self.send(next, around, context);
        }
    }

    fn ended<O: Observer>(
        &mut self,
        id: WorkerId,
        answered: RunAnswer,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        if worker.unreadable {
            worker.failed.fill(true);
        }
        let (first, batch, mapping) = (worker.spokesman(), worker.number, worker.mapping);
        let records = count(worker.piece());
        let failed = worker.failed.iter().map(|failed| u32::from(*failed)).sum();
        let (origin, outcome) = (first.origin, answered.outcome);
        let unreadable = worker.unreadable;
        let fact = MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, unreadable };
        context.state(&Fact::Mapping(fact));
        let success = answered.reply.answer == Answer::Success && !worker.unreadable;
        match worker.failed.iter().position(|failed| *failed) {
            None if success => {
                let records = worker.piece().len();
                self.end_records(id, records, RecordFate::Succeeded, around, context);
                self.workers[id].recover();
                self.end_piece(id, around, context);
            }
            // ESM-2.3: the lowest record that is reported is the checkpoint.
            Some(place) if success => self.failed(id, place, around, context),
            Some(_) | None => self.failed(id, 0, around, context),
        }
    }

    /// A run of the piece failed from the record at `place` on.
    pub(super) fn failed<O: Observer>(
        &mut self,
        id: WorkerId,
        place: usize,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        self.end_records(id, place, RecordFate::Succeeded, around, context);
        let worker = &mut self.workers[id];
        let member = &self.members[worker.mapping];
        let polling = &member.config.stream;
        let (first, mapping, batch) = (worker.spokesman(), member.id, worker.number);
        let records = count(worker.piece());
        let splits = polling.bisect_batch_on_function_error;
        worker.failures += 1;
        if splits && place == 0 && records > 1 {
            let left = worker.split(polling.bisect_resets_retries);
            let left = u32::try_from(left).expect("less than the largest batch");
            context.state(&Fact::Reader(ReaderFact::Split { origin: first.origin, mapping, batch, records, left }));
        } else if !(splits && place > 0) {
            // ESM-2.3: a split uses no retry, everything else does.
            let piece = worker.pieces.last_mut().expect("a piece that failed");
            piece.retries += 1;
            if member.most_retries().is_some_and(|most| piece.retries > most) {
                let records = worker.piece().len();
                self.give_up(id, records, around, context);
                return self.end_piece(id, around, context);
            }
        }
        let due = context.now.plus(self.wait_after(id, 3));
        let worker = &self.workers[id];
        let (origin, records) = (worker.spokesman().origin, count(worker.piece()));
        let group = worker.group;
        context.state(&Fact::Reader(ReaderFact::RetryScheduled { origin, mapping, batch, records, due }));
        self.wait(id, due, context);
        self.tried_in_vain(group, around.streams, context);
    }

    /// All retries of the piece are used up.
    fn give_up<O: Observer>(
        &mut self,
        id: WorkerId,
        records: usize,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        match self.members[self.workers[id].mapping].kind {
            Kind::Broker(_) => self.dead_letter(id, records, around, context),
            Kind::Topic => self.discard(id, records, DiscardCondition::RetriesExhausted, around, context),
            Kind::Shards(_) | Kind::ChangeStream => {
                self.discard(id, records, DiscardCondition::RetryAttemptsExhausted, around, context);
            }
        }
        self.workers[id].recover();
    }

    /// ESM-2.3, K2: a throttle or a failure of the service uses no retry.
    pub(super) fn refused<O: Observer>(
        &mut self,
        id: WorkerId,
        reply: Reply,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        worker.refusals += 1;
        let member = &mut self.members[worker.mapping];
        member.scaling.throttled();
        let (origin, mapping, batch, group) = (worker.spokesman().origin, member.id, worker.number, worker.group);
        let due = context.now.plus(self.wait_after(id, 1));
        let status = reply.status;
        let due_at = Some(due);
        context.state(&Fact::Mapping(MappingFact::BatchRefused { origin, mapping, batch, status, due: due_at }));
        self.wait(id, due, context);
        self.tried_in_vain(group, streams, context);
    }

    /// The next wait after a failure (draws are child 3 of the mapping's key) or a refusal (child 1).
    fn wait_after(&mut self, id: WorkerId, child: u64) -> crate::kernel::time::SimDuration {
        let worker = &mut self.workers[id];
        let member = &self.members[worker.mapping];
        let (retry, k): (&Backoff, u32) = match child {
            1 => (&member.config.throttle_retry, worker.refusals - 1),
            _ => (&member.config.stream.retry, worker.failures - 1),
        };
        let first = worker.spokesman();
        let word = match retry.jitter {
            Jitter::None => 0,
            Jitter::Full | Jitter::Equal | Jitter::Decorrelated | Jitter::Share(_) => {
                let key = self.keys[member.id][first.origin.caller].child(child);
                key.run(k + 1).child(u64::from(first.runs)).word(first.origin.submission - 1)
            }
        };
        worker.last_wait = backoff::wait(retry, k, worker.last_wait, word);
        worker.last_wait
    }

    /// The first records of the piece have their fate.
    pub(super) fn end_records<O: Observer>(
        &mut self,
        id: WorkerId,
        records: usize,
        fate: RecordFate,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        let mapping = worker.mapping;
        for held in &worker.batch[worker.done..worker.done + records] {
            let (origin, shard, runs) = (held.origin, held.shard, held.runs);
            context.state(&Fact::Reader(ReaderFact::RecordEnded { origin, mapping, shard, fate, runs }));
        }
        worker.end_records(records);
        let group = worker.group;
        self.hold(group, 0, records as u64, around.streams);
        if records > 0 {
            self.got_on(group, records, fate, around, context);
        }
    }

    /// A piece is done with: the next one is sent, or the batch is over.
    pub(super) fn end_piece<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        worker.pieces.pop();
        if !worker.pieces.is_empty() {
            worker.state = State::Waiting;
            worker.timer = crate::kernel::time::SimTime::MAX;
            if self.members[worker.mapping].polls {
                return self.send(id, around, context);
            }
            return; // It goes on when the mapping is enabled again.
        }
        self.end_batch(id, around, context);
    }

    /// The batch is over: its lines may be taken from again, and the worker goes on.
    fn end_batch<O: Observer>(&mut self, id: WorkerId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let worker = &self.workers[id];
        let group = worker.group;
        let mut freed = u32::MAX;
        let closes = worker.closes;
        let mut others = false;
        for held in 0..self.workers[id].batch.len() {
            let line = self.workers[id].batch[held].line;
            if line != freed {
                freed = line;
                let row = &mut self.groups[group].lines[line as usize];
                row.busy = false;
                others |= row.worker.is_some_and(|worker| worker != id);
            }
        }
        self.workers[id].note_last();
        self.workers[id].clear(context.now);
        let batch = std::mem::take(&mut self.workers[id].batch);
        // The last run of a window has no records.
        self.spare.batches.extend(Some(batch).filter(|batch| batch.capacity() > 0));
        if closes {
            self.close_window(id, around);
        }
        self.advance(id, around, context);
        if others {
            self.offer_all(group, around, context);
        }
        if freed != u32::MAX || closes {
            self.settle_shards(id, around, context);
        }
    }

    /// Lines that changed hands while a batch of them was in work are offered to whom they belong.
    pub(super) fn offer_all<O: Observer>(
        &mut self,
        group: crate::aws::ids::ReaderGroupId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        for line in 0..self.groups[group].lines.len() {
            if !self.groups[group].lines[line].records.is_empty() {
                self.offer_line(group, u32::try_from(line).expect("fewer than 2^32 lines"), around, context);
            }
        }
    }

    /// A shard may be worked off to its end, or its lanes be made anew.
    fn settle_shards<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &self.workers[id];
        let (group, lines) = (&self.groups[worker.group], worker.lines.clone());
        if !matches!(group.kind, Kind::Shards(_)) || worker.state != State::Idle {
            return;
        }
        let Some(line) = lines.clone().next() else { return };
        let reader = group.readers[group.lines[line as usize].shard as usize];
        self.make_lanes_anew(reader, around.streams, context);
        self.unblock(reader, around.streams, context);
    }
}

impl super::group::Member {
    /// Retries of a piece after function errors; `None` is without limit.
    fn most_retries(&self) -> Option<u32> {
        let polling = &self.config.stream;
        match self.kind {
            Kind::Topic if self.provisioned().is_some() => {
                polling.maximum_retry_attempts.or(polling.on_failure.map(|_| KAFKA_RETRIES))
            }
            Kind::Broker(_) => self.redeliveries,
            Kind::Shards(_) => polling.maximum_retry_attempts,
            // ESM-4.1, 5: until success or expiry.
            Kind::Topic | Kind::ChangeStream => None,
        }
    }
}
