//! Shards are read: polls on a grid, connections that push, their limits, and shards that follow on others (ESM-2.2, K7 to
//! K11).

use super::group::{Group, Kind, Line, Member, Reader, Stage};
use super::worker::Held;
use super::{Readers, Surroundings};
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Fact, MappingFact, Observer, ReaderFact};
use crate::aws::ids::{LogId, MappingId, ReaderId};
use crate::aws::streams::{LogRecord, Read, Streams};
use crate::kernel::quantity::Rate;
use crate::kernel::time::{SimDuration, SimTime};

/// ESM-2.2: from a read that was refused to the next.
const READ_RETRY: SimDuration = SimDuration::from_secs(1);

/// ESM-2.1: bytes a second that enhanced fan-out pushes to a reader of a shard.
pub(super) const PUSHED: Rate = Rate::per_second(2_097_152);

impl Readers {
    /// A record was written.
    pub(crate) fn on_put<O: Observer>(
        &mut self,
        log: LogId,
        shard: u32,
        bytes: u64,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        for place in 0..self.of_log[log].len() {
            let group = self.of_log[log][place];
            let reader = self.groups[group].readers[shard as usize];
            self.count_arrival(group, bytes, context);
            self.watch(reader, streams, context);
        }
    }

    /// A reader that has nothing to do reads when there is a record.
    pub(super) fn watch<O: Observer>(&mut self, id: ReaderId, streams: &mut Streams, context: &mut Context<'_, O>) {
        let reader = &self.shards[id];
        if reader.due.is_some() || reader.stage != Stage::Open {
            return;
        }
        let group = &self.groups[reader.group];
        let Some(member) = self.polled_by(id).map(|mapping| &self.members[mapping]) else { return };
        let place = (group.log, group.slot, reader.shard);
        let Some(next) = streams.next_visible(place, member.push_delay()) else { return };
        let next = next.max(context.now);
        let at = if member.kind.is_polled(&member.config) {
            reader.grid(next, member.config.stream.poll_every)
        } else {
            next.max(paid(reader, member))
        };
        self.read_at(id, at, context);
    }

    /// The mapping that reads a shard now: the one whose consumer has the partition, or at a broker the first.
    fn polled_by(&self, id: ReaderId) -> Option<MappingId> {
        let reader = &self.shards[id];
        let group = &self.groups[reader.group];
        let worker = group.lines.get(reader.lines.start as usize).and_then(|line| line.worker);
        let owner = worker.map(|worker| self.workers[worker].mapping).into_iter();
        owner.chain(group.members.iter().copied()).find(|mapping| self.members[*mapping].polls)
    }

    fn read_at<O: Observer>(&mut self, id: ReaderId, at: SimTime, context: &mut Context<'_, O>) {
        let reader = &mut self.shards[id];
        reader.due = Some(at);
        let order = self.members[self.groups[reader.group].members[0]].config.order;
        context.schedule(at, Class::Timer, order, Event::Service(ServiceEvent::ReaderDue(id)));
    }

    /// A shard is read.
    pub(crate) fn on_reader_due<O: Observer>(
        &mut self,
        id: ReaderId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let reader = &mut self.shards[id];
        if reader.due != Some(context.now) {
            return; // It was put off.
        }
        reader.due = None;
        let (group_id, shard) = (reader.group, reader.shard);
        let group = &self.groups[group_id];
        let (log, slot) = (group.log, group.slot);
        let reads = self.shards[id].stage == Stage::Open;
        let Some(mapping) = self.polled_by(id).filter(|_| reads) else {
            return around.streams.read_limit(log, shard).into_iter().for_each(|limit| limit.leave(slot));
        };
        let polled = self.members[mapping].kind.is_polled(&self.members[mapping].config);
        if polled {
            self.say_empty(id, context);
            let limit = around.streams.read_limit(log, shard);
            if limit.is_some_and(|limit| !limit.take(slot, context.now)) {
                context.state(&Fact::Reader(ReaderFact::ReadThrottled { mapping, shard }));
                return self.read_at(id, context.now.plus(READ_RETRY), context);
            }
            // This poll has its own fact.
            self.shards[id].looked = context.now.plus(SimDuration::from_nanos(1));
        } else {
            let paid = paid(&self.shards[id], &self.members[mapping]);
            if paid > context.now {
                return self.read_at(id, paid, context);
            }
        }
        let read = self.take_in(id, mapping, around.streams, context);
        if read.records > 0 {
            let messages = read.records;
            context.state(&Fact::Mapping(MappingFact::Polled { mapping, messages }));
        } else if polled {
            context.state(&Fact::Mapping(MappingFact::PolledEmpty { mapping, receives: 1, first: context.now }));
        }
        self.pay(id, mapping, read.bytes, around.streams, context);
        if read.next.is_some_and(|next| next <= context.now) && self.is_full(id) {
            self.pause_for(id, Stage::Paused);
        }
        self.offer(id, around, context);
        self.go_on(id, read.next, around.streams, context);
        self.unblock(id, around.streams, context);
    }

    /// Moves records from the log to the lines.
    fn take_in<O: Observer>(
        &mut self,
        id: ReaderId,
        mapping: MappingId,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) -> Read {
        let reader = &self.shards[id];
        let (group_id, shard, lines) = (reader.group, reader.shard, reader.lines.clone());
        let group = &mut self.groups[group_id];
        let member = &self.members[mapping];
        let factor = u64::from(lines.end - lines.start);
        let place = (group.log, group.slot, shard);
        let (all, spare) = (&mut group.lines, &mut self.spare.lines);
        let take = |_: u64, record: &LogRecord| {
            let LogRecord { origin, arrived, bytes, lane } = *record;
            let line = lines.start + u32::try_from(u64::from(lane) % factor).expect("less than the lanes");
            let records = &mut all[line as usize].records;
            if records.capacity() == 0 {
                *records = spare.pop().unwrap_or_default();
            }
            records.push_back(Held { origin, arrived, bytes, shard, line, runs: 0 });
        };
        let read = streams.read(place, member.read_limits(), member.push_delay(), context, take);
        self.hold(group_id, u64::from(read.records), 0, streams);
        read
    }

    /// What a read cost: of the limits of the shard, of the connection, or of the pollers.
    fn pay<O: Observer>(
        &mut self,
        id: ReaderId,
        mapping: MappingId,
        bytes: u64,
        streams: &mut Streams,
        context: &Context<'_, O>,
    ) {
        let reader = &mut self.shards[id];
        let member = &mut self.members[mapping];
        let (log, now) = (self.groups[reader.group].log, context.now);
        if member.kind.is_polled(&member.config) {
            if let Some(limit) = streams.read_limit(log, reader.shard) {
                limit.gave(bytes, now);
            }
        } else if matches!(member.kind, Kind::Shards(_)) {
            reader.paid = reader.paid.max(now).plus(PUSHED.time_of(bytes));
        } else if let Some(pollers) = member.provisioned() {
            // ESM-4.2: all pollers together.
            let rate = pollers.throughput.saturating_mul(u64::from(member.scaling.pollers()));
            member.scaling.paid = member.scaling.paid.max(now).plus(Rate::per_second(rate).time_of(bytes));
        }
    }

    /// It reads no more, unless it has not begun or is done.
    fn pause_for(&mut self, id: ReaderId, stage: Stage) {
        let reader = &mut self.shards[id];
        if matches!(reader.stage, Stage::Open | Stage::Paused) {
            reader.stage = stage;
        }
    }

    /// ESM-2.6, K8: whether a lane holds enough, and none waits for more.
    fn is_full(&self, id: ReaderId) -> bool {
        let reader = &self.shards[id];
        let group = &self.groups[reader.group];
        let size = self.members[group.members[0]].config.batch_size as usize;
        let lines = &group.lines[reader.lines.start as usize..reader.lines.end as usize];
        lines.iter().any(|line| line.records.len() > 2 * size) || lines.iter().all(|line| line.records.len() >= size)
    }

    /// The lines of a reader have records: workers may take them.
    pub(super) fn offer<O: Observer>(
        &mut self,
        id: ReaderId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let reader = &self.shards[id];
        let group = reader.group;
        for line in reader.lines.clone() {
            self.offer_line(group, line, around, context);
        }
    }

    /// The next read: at once while there is more, within the limits.
    fn go_on<O: Observer>(
        &mut self,
        id: ReaderId,
        next: Option<SimTime>,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        let reader = &self.shards[id];
        if next.is_none() || reader.due.is_some() || reader.stage != Stage::Open {
            return;
        }
        if next > Some(context.now) {
            return self.watch(id, streams, context);
        }
        let limit = streams.read_limit(self.groups[reader.group].log, reader.shard);
        let Some(member) = self.polled_by(id).map(|mapping| &self.members[mapping]) else { return };
        let at = match limit.filter(|_| member.kind.is_polled(&member.config)) {
            Some(limit) => limit.next_at(context.now),
            None => paid(reader, member),
        };
        self.read_at(id, at.max(context.now), context);
    }

    /// Records left the lines of a reader: it may go on.
    pub(super) fn relieve<O: Observer>(&mut self, id: ReaderId, streams: &mut Streams, context: &mut Context<'_, O>) {
        if self.shards[id].stage == Stage::Paused && !self.is_full(id) {
            self.shards[id].stage = Stage::Open;
            self.go_on(id, Some(context.now), streams, context);
        }
    }

    /// Polls that gave nothing since the last one that was told of.
    pub(super) fn say_empty<O: Observer>(&mut self, id: ReaderId, context: &mut Context<'_, O>) {
        let reader = &mut self.shards[id];
        let group = &self.groups[reader.group];
        let member = &self.members[group.members[0]];
        let polls = member.kind.is_polled(&member.config) && group.started && member.polls;
        if polls && reader.stage == Stage::Open {
            let (receives, first) = reader.missed(context.now, member.config.stream.poll_every);
            if receives > 0 {
                let fact = MappingFact::PolledEmpty { mapping: member.id, receives, first };
                context.state(&Fact::Mapping(fact));
            }
        }
        reader.looked = reader.looked.max(context.now);
    }

    /// ESM-K10: shards that follow on this one may be read once it has been read, and worked off, to its end.
    pub(super) fn unblock<O: Observer>(&mut self, id: ReaderId, streams: &mut Streams, context: &mut Context<'_, O>) {
        if !self.is_finished(id, streams) {
            return;
        }
        let mut ended = vec![id];
        // A shard that was closed without a record ends as soon as it is opened.
        while let Some(id) = ended.pop() {
            let stage = self.shards[id].stage;
            if matches!(stage, Stage::Blocked | Stage::Finished) || !self.is_finished(id, streams) {
                continue;
            }
            self.say_empty(id, context);
            self.shards[id].stage = Stage::Finished;
            let group = self.shards[id].group;
            for shard in streams.children(self.groups[group].log, self.shards[id].shard) {
                let child = self.groups[group].readers[shard as usize];
                if self.shards[child].stage == Stage::Blocked && self.parents_are_finished(child, streams) {
                    self.shards[child].stage = Stage::Open;
                    self.shards[child].looked = context.now;
                    self.watch(child, streams, context);
                    ended.push(child);
                }
            }
        }
    }

    /// Whether nothing of a shard is left to be read or worked on, now or later.
    fn is_finished(&self, id: ReaderId, streams: &Streams) -> bool {
        let reader = &self.shards[id];
        let group = &self.groups[reader.group];
        let lines = &group.lines[reader.lines.start as usize..reader.lines.end as usize];
        let closes = |line: &Line| line.worker.is_some_and(|worker| self.workers[worker].window.is_some());
        streams.is_finished((group.log, group.slot, reader.shard))
            && is_idle(group, reader.lines.clone())
            && !lines.iter().any(closes)
    }

    fn parents_are_finished(&self, id: ReaderId, streams: &Streams) -> bool {
        let reader = &self.shards[id];
        let group = &self.groups[reader.group];
        let mut parents = streams.parents(group.log, reader.shard);
        parents.all(|parent| self.shards[group.readers[parent as usize]].stage == Stage::Finished)
    }

    /// ESM-K17: lanes of another parallelization factor are made once those of the old one are empty.
    pub(super) fn make_lanes_anew<O: Observer>(
        &mut self,
        id: ReaderId,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        let reader = &self.shards[id];
        let group = &self.groups[reader.group];
        let member = &mut self.members[group.members[0]];
        let lanes = reader.lines.end - reader.lines.start;
        member.factor = member.config.stream.parallelization_factor;
        let other = matches!(member.kind, Kind::Shards(_)) && lanes != member.factor;
        let stage = reader.stage;
        if other && is_idle(group, reader.lines.clone()) {
            self.add_lines(id);
        } else if other {
            return self.pause_for(id, Stage::Draining);
        }
        if stage == Stage::Draining {
            self.shards[id].stage = Stage::Open;
            self.watch(id, streams, context);
        }
    }
}

/// When what a connection has given is paid for: that of the reader, or of all provisioned pollers together.
fn paid(reader: &Reader, member: &Member) -> SimTime {
    if member.provisioned().is_some() { member.scaling.paid } else { reader.paid }
}

/// Whether lines are without records and without batches.
fn is_idle(group: &Group, lines: std::ops::Range<u32>) -> bool {
    group.lines[lines.start as usize..lines.end as usize].iter().all(|line| line.records.is_empty() && !line.busy)
}
