//! Batches are filled, formed and sent (ESM-2.2, 2.6, 6.3).

use super::group::{Kind, Member};
use super::windows::Joins;
use super::worker::{Held, Piece, State, Worker};
use super::{Readers, Surroundings};
use crate::aws::config::WindowOpens;
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Complete, DiscardCondition, Fact, MappingFact, Observer, ReaderFact, RecordFate};
use crate::aws::ids::{ReaderGroupId, WorkerId};
use crate::aws::request::{BatchRequest, Invoked};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimTime;

impl Readers {
    /// A line has records: its worker, or one that is free, may take them.
    pub(super) fn offer_line<O: Observer>(
        &mut self,
        group: ReaderGroupId,
        line: u32,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        if let Some(worker) = self.groups[group].lines[line as usize].worker {
            return self.advance(worker, around, context);
        }
        for place in 0..self.groups[group].members.len() {
            let mapping = self.groups[group].members[place];
            for worker in 0..self.members[mapping].workers.len() {
                if self.groups[group].lines[line as usize].records.is_empty() {
                    return;
                }
                self.advance(self.members[mapping].workers[worker], around, context);
            }
        }
    }

    /// A worker that is free, or fills a batch, takes what there is. A batch may end before it is sent, since its records
    /// are too old; the worker then has its turn again after those that are at it now.
    pub(super) fn advance<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        self.turns.push_back(id);
        if self.turns.len() > 1 {
            return;
        }
        while let Some(next) = self.turns.front().copied() {
            self.take_turn(next, around, context);
            self.turns.pop_front();
        }
    }

    fn take_turn<O: Observer>(&mut self, id: WorkerId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let worker = &self.workers[id];
        let member = &self.members[worker.mapping];
        if !matches!(worker.state, State::Idle | State::Filling) || !member.polls {
            return;
        }
        let complete = self.take(id, around, context);
        let worker = &mut self.workers[id];
        let member = &self.members[worker.mapping];
        if worker.batch.is_empty() {
            return self.consider_window(id, complete.is_some(), around, context);
        }
        let ends = worker.opened.plus(member.config.maximum_batching_window);
        let over = context.now >= ends;
        let at_once = member.config.maximum_batching_window.is_zero();
        if let Some(complete) = complete.or(over.then_some(if at_once { Complete::AtOnce } else { Complete::Window })) {
            return self.form(id, complete, around, context);
        }
        worker.state = State::Filling;
        if worker.timer != ends {
            worker.timer = ends;
            let event = Event::Service(ServiceEvent::WorkerDue(id));
            context.schedule(ends, Class::Timer, member.config.order, event);
        }
    }

    /// Takes records from the lines into the batch; why it can take no more, if it cannot.
    fn take<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) -> Option<Complete> {
        let worker = &self.workers[id];
        let (group, lines, first) = (worker.group, worker.lines.clone(), worker.next_line.max(worker.lines.start));
        let mut complete = None;
        // Each time another line is the first, so that none waits for ever.
        for line in (first..lines.end).chain(lines.start..first.min(lines.end)) {
            complete = self.take_from(id, line, around, context);
            let reader = self.groups[group].readers[self.groups[group].lines[line as usize].shard as usize];
            self.relieve(reader, around.streams, context);
            if complete.is_some() {
                self.workers[id].next_line = if line + 1 < lines.end { line + 1 } else { lines.start };
                break;
            }
        }
        complete
    }

    fn take_from<O: Observer>(
        &mut self,
        id: WorkerId,
        line: u32,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) -> Option<Complete> {
        let worker = &mut self.workers[id];
        let (group_id, member) = (worker.group, &self.members[worker.mapping]);
        let (mapping, config) = (member.id, &member.config);
        let group = &mut self.groups[group_id];
        let shared = matches!(member.kind, Kind::Broker(_));
        let row = &mut group.lines[line as usize];
        let ours = worker.batch.iter().rev().any(|held| held.line == line);
        if row.busy && !ours {
            return None; // Another worker has a batch of it, from before it changed hands.
        }
        let (mut complete, mut opened, mut ended) = (None, 0, 0);
        while let Some(held) = row.records.front().copied() {
            let origin = held.origin;
            let key = self.keys[mapping][origin.caller];
            if config.filter < Ratio::ONE && !config.filter.hits(key.child(0).word(origin.submission - 1)) {
                row.records.pop_front();
                ended += 1;
                context.state(&Fact::Mapping(MappingFact::FilteredOut { origin, mapping }));
                continue;
            }
            let bytes = member.event_bytes(held.bytes);
            if member.kind == Kind::ChangeStream && bytes > config.payload_limit {
                // ESM-5: dropped.
                row.records.pop_front();
                ended += 1;
                let fate = RecordFate::Oversized;
                context.state(&Fact::Reader(ReaderFact::RecordEnded {
                    origin,
                    mapping,
                    shard: held.shard,
                    fate,
                    runs: 0,
                }));
                continue;
            }
            let is_first = worker.batch.is_empty();
            let fits = is_first || worker.bytes.saturating_add(bytes) <= config.payload_limit;
            let joins = if fits { worker.join_window(&held, config.stream.tumbling_window) } else { Joins::No };
            if joins == Joins::No {
                complete = Some(if fits { Complete::LaterWindow } else { Complete::Payload });
                break;
            }
            opened += u64::from(joins == Joins::Opens);
            row.records.pop_front();
            row.busy = !shared;
            if is_first {
                worker.batch = self.spare.batches.pop().unwrap_or_default();
                worker.opened = opens(member, worker, &held, context.now);
            }
            worker.bytes = if is_first { bytes } else { worker.bytes + bytes };
            worker.batch.push(held);
            if worker.batch.len() >= config.batch_size as usize {
                complete = Some(Complete::Full);
                break;
            }
        }
        if row.records.is_empty() && row.records.capacity() > 0 {
            self.spare.lines.push(std::mem::take(&mut row.records));
        }
        self.hold(group_id, opened, ended, around.streams);
        complete
    }

    /// A batch is complete.
    fn form<O: Observer>(
        &mut self,
        id: WorkerId,
        complete: Complete,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        self.numbers += 1;
        let worker = &mut self.workers[id];
        let member = &self.members[worker.mapping];
        worker.number = self.numbers;
        (worker.formed, worker.timer) = (context.now, SimTime::MAX);
        worker.pieces.push(Piece { records: worker.batch.len(), retries: 0 });
        let (mapping, number) = (member.id, worker.number);
        for held in &worker.batch {
            context.state(&Fact::Mapping(MappingFact::Batched { origin: held.origin, mapping, batch: number }));
        }
        let (origin, records) = (worker.batch[0].origin, count(&worker.batch));
        context.state(&Fact::Mapping(MappingFact::BatchFormed { origin, mapping, batch: number, records, complete }));
        let overhead = member.config.invoke_overhead;
        if overhead.is_zero() {
            return self.send(id, around, context);
        }
        self.wait(id, context.now.plus(overhead), context);
    }

    /// The batch is sent, or sent again, at this moment.
    pub(super) fn wait<O: Observer>(&mut self, id: WorkerId, at: SimTime, context: &mut Context<'_, O>) {
        let worker = &mut self.workers[id];
        (worker.state, worker.timer) = (State::Waiting, at);
        let order = self.members[worker.mapping].config.order;
        context.schedule(at, Class::Timer, order, Event::Service(ServiceEvent::WorkerDue(id)));
    }

    /// What a worker waits for has come.
    pub(crate) fn on_worker_due<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        if worker.timer != context.now {
            return; // It went on before.
        }
        worker.timer = SimTime::MAX;
        match worker.state {
            _ if !self.members[worker.mapping].polls => {} // It goes on when the mapping is enabled again.
            State::Idle | State::Filling => self.advance(id, around, context),
            State::Waiting => self.send(id, around, context),
            State::Queued | State::Running => unreachable!("nothing is due for {worker:?}"),
        }
    }

    /// Sends the piece of the batch that is next (ESM-2.6, steps 3 and 4).
    pub(super) fn send<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        if !self.drop_old(id, around, context) {
            return self.end_piece(id, around, context);
        }
        let worker = &mut self.workers[id];
        let member = &mut self.members[worker.mapping];
        if member.is_at_capacity() {
            worker.state = State::Queued;
            return member.queued.push_back(id);
        }
        let first = worker.spokesman();
        let (mapping, batch, records) = (member.id, worker.number, count(worker.piece()));
        let last_arrived = worker.piece().last().map_or(first.arrived, |last| last.arrived);
        let (origin, shard) = (first.origin, first.shard);
        worker.sends += 1;
        context.state(&Fact::Reader(ReaderFact::Sent { origin, mapping, batch, shard, records, last_arrived }));
        // ESM-K6: a record that no event can hold fails without a run.
        if records == 1 && member.event_bytes(first.bytes) > member.config.payload_limit {
            return self.failed(id, 0, around, context);
        }
        let request = BatchRequest {
            function: member.config.function,
            origin,
            run: first.runs + 1,
            records: &worker.batch[worker.range()],
            waiter: Waiter::Worker(id),
            attempt: worker.sends,
            reports_failures: member.config.report_batch_item_failures,
            in_order: true,
        };
        match around.frontend.invoke_batch(&request, &mut worker.failed, &mut worker.unreadable, context) {
            Invoked::Refused(reply) => self.refused(id, reply, around.streams, context),
            Invoked::Started { .. } => {
                (worker.state, worker.started) = (State::Running, context.now);
                member.running += 1;
                let range = worker.range();
                let again = |held: &mut Held| {
                    held.runs += 1;
                    u32::from(held.runs > 1)
                };
                let repeated = worker.batch[range].iter_mut().map(again).sum();
                if let Some(window) = worker.window.as_mut().filter(|_| records == 0) {
                    window.last.runs += 1;
                }
                context.state(&Fact::Mapping(MappingFact::BatchInvoked { origin, mapping, batch, records, repeated }));
                self.repeat(id, around, context);
            }
        }
    }

    /// ESM-C9: the same batch once more; nobody waits for its result.
    fn repeat<O: Observer>(&self, id: WorkerId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let worker = &self.workers[id];
        let member = &self.members[worker.mapping];
        let probability = member.config.spurious_duplicate_probability;
        if probability == Ratio::ZERO {
            return;
        }
        let first = worker.spokesman();
        let key = self.keys[member.id][first.origin.caller].child(2).child(u64::from(first.runs));
        if probability.hits(key.word(first.origin.submission - 1)) {
            let request = BatchRequest {
                function: member.config.function,
                origin: first.origin,
                run: first.runs,
                records: worker.piece(),
                waiter: Waiter::Nobody,
                attempt: worker.sends,
                reports_failures: member.config.report_batch_item_failures,
                in_order: true,
            };
            around.frontend.invoke_batch(&request, &mut Vec::new(), &mut false, context);
        }
    }

    /// ESM-2.3, K18: records that are too old leave the piece before it is sent; whether something is left to send.
    fn drop_old<O: Observer>(
        &mut self,
        id: WorkerId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) -> bool {
        let worker = &self.workers[id];
        if worker.closes {
            return true;
        }
        let now = context.now;
        let group = &self.groups[worker.group];
        let retention = around.streams.retention(group.log);
        let expired = |held: &Held| retention.is_some_and(|length| now.saturating_since(held.arrived) >= length);
        let limit = self.members[worker.mapping].config.stream.maximum_record_age;
        let old = |held: &Held| limit.is_some_and(|limit| now.saturating_since(held.arrived) > limit);
        if !worker.piece().iter().any(|held| expired(held) || old(held)) {
            return true;
        }
        // The oldest are first: what is too old goes to the front of the piece, and ends there.
        let range = worker.range();
        self.workers[id].batch[range].sort_by_key(|held| {
            if expired(held) {
                0
            } else if old(held) {
                1
            } else {
                2
            }
        });
        let piece = self.workers[id].piece();
        let gone = piece.iter().filter(|held| expired(held)).count();
        let aged = piece.iter().filter(|held| !expired(held) && old(held)).count();
        self.end_records(id, gone, RecordFate::Expired, around, context);
        if aged > 0 {
            self.discard(id, aged, DiscardCondition::RecordAgeExceeded, around, context);
        }
        !self.workers[id].piece().is_empty()
    }
}

/// ESM-6.3: when the window of a batch opens that has its first record now.
fn opens(member: &Member, worker: &Worker, first: &Held, now: SimTime) -> SimTime {
    let window = member.config.maximum_batching_window.as_nanos();
    match (member.config.window_opens, member.kind) {
        (WindowOpens::Rolling, _) if window > 0 => {
            let into = now.saturating_since(worker.freed).as_nanos() % window;
            SimTime::from_nanos(now.as_nanos() - into)
        }
        // These have had the record since it came, even while another batch ran.
        (_, Kind::Broker(_) | Kind::ChangeStream) => first.arrived,
        // ESM-6.3.3: from the last batch on, if its run was under way when the record came.
        (_, Kind::Topic) if member.provisioned().is_some() && first.arrived <= worker.freed => worker.formed,
        (_, Kind::Shards(_) | Kind::Topic) => now,
    }
}

pub(super) fn count(records: &[Held]) -> u32 {
    u32::try_from(records.len()).expect("at most the largest batch")
}
