//! Event source mappings of streams, Kafka topics and brokers: reading, batches and their invocations (ESM-2 to 6).
//!
//! ```text
//! shard -> reader -> line -> worker: idle -> fills a batch -> sends it -> runs -> idle
//!          (polls,           ^                 ^  |   ^        |
//!           limits)          |                 |  +---+        +-> failed: split, tried again, discarded
//!                            +-- window        |  throttled        |
//!                                              +-------------------+
//! ```
//! A line is what must keep its order: a lane of a shard, or a partition. A worker has one batch at a time. What differs
//! from source to source is how lines and workers come about: lanes of shards here, consumers of partitions in `kafka`.
//! Reads of an idle shard are not played one by one; how many gave nothing is worked out when there is a record.

mod batching;
mod discard;
mod ending;
mod group;
mod hope;
mod kafka;
mod reading;
mod windows;
mod worker;

use std::collections::VecDeque;

use super::config::{EventSourceMapping, PollPhase, Source, StartingPosition, System};
use super::event::Context;
use super::fact::{Fact, MappingFact, Observer, ReaderFact};
use super::fan_out::FanOut;
use super::fault::SendFaults;
use super::frontend::Frontend;
use super::function::Names;
use super::ids::{CallerId, LogId, MappingId, ReaderGroupId, ReaderId, Sparse, StreamId, Table, WorkerId};
use super::patience::Patience;
use super::sqs::Sqs;
use super::streams::{ReadBy, Streams};
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};

use group::{Group, Kind, Line, Member, Reader, Stage};
use kafka::Scaling;
use worker::{Held, State, Worker};

/// All mappings that read logs.
#[derive(Debug)]
pub(crate) struct Readers {
    members: Sparse<MappingId, Member>,
    groups: Table<ReaderGroupId, Group>,
    /// The groups of each log.
    of_log: Table<LogId, Vec<ReaderGroupId>>,
    /// A reader for each shard of each group.
    shards: Table<ReaderId, Reader>,
    workers: Table<WorkerId, Worker>,
    /// Keys of draws by mapping and caller, and of the mapping itself.
    keys: Table<MappingId, Table<CallerId, StreamKey>>,
    phases: Table<MappingId, StreamKey>,
    faults: SendFaults,
    spare: Spare,
    /// Records that were read by those who go on, and have not ended.
    held: u64,
    patience: Patience,
    /// Groups that are not waited for.
    hopeless: u32,
    /// Records that went on in a cycle since one left it, and how many are waited for.
    rounds: u64,
    rounds_waited: u64,
    /// Batches so far.
    numbers: u64,
    /// Workers that are to look for records, the one that does so first.
    turns: VecDeque<WorkerId>,
}

/// Memory of lines and batches that have no records. The latest is taken first: it is still in the processor's cache.
#[derive(Debug, Default)]
struct Spare {
    lines: Vec<VecDeque<Held>>,
    batches: Vec<Vec<Held>>,
}

/// What readers act on.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) frontend: &'a mut Frontend,
    pub(crate) sqs: &'a mut Sqs,
    pub(crate) streams: &'a mut Streams,
    pub(crate) fan_out: &'a mut FanOut,
}

impl Readers {
    /// Who reads each log.
    pub(crate) fn read_by(system: &System) -> Table<LogId, Vec<ReadBy>> {
        group::read_by(system, &group::groups(system))
    }

    /// The mappings before the run.
    pub(crate) fn new(system: &System, callers: &Names, streams: &RandomStreams) -> Self {
        let groups: Table<ReaderGroupId, Group> = group::groups(system).into_iter().collect();
        let logs = system.streams.len() + system.brokers.len();
        let mut of_log: Table<LogId, Vec<ReaderGroupId>> = (0..logs).map(|_| Vec::new()).collect();
        groups.iter().for_each(|(id, group)| of_log[group.log].push(id));
        let member = |(id, config): (MappingId, &EventSourceMapping)| {
            let kind = Kind::of(system, config.source)?;
            let broker = match config.source {
                Source::Broker(id) => Some(id),
                Source::Queue(_) | Source::Stream(_) => None,
            };
            let (group, _) = groups.iter().find(|(_, group)| group.members.contains(&id))?;
            Some(Member {
                config: config.clone(),
                id,
                group,
                kind,
                polls: false,
                begins: None,
                workers: Vec::new(),
                running: 0,
                queued: VecDeque::new(),
                scaling: Scaling::new(config),
                factor: config.stream.parallelization_factor,
                broker: broker.map(|id| (id, system.brokers[id].dead_letter_queue)),
                redeliveries: broker.and_then(|id| system.brokers[id].maximum_redeliveries),
            })
        };
        let mappings = &system.event_source_mappings;
        let keys = |mapping: &EventSourceMapping| {
            callers.rows().iter().map(|caller| streams.key(&["mapping", caller, &mapping.name])).collect()
        };
        Self {
            members: mappings.iter().map(member).collect(),
            groups,
            of_log,
            shards: Table::new(),
            workers: Table::new(),
            keys: mappings.rows().iter().map(keys).collect(),
            phases: mappings.rows().iter().map(|row| streams.key(&["mapping", &row.name, "phase"])).collect(),
            faults: SendFaults::new(system),
            spare: Spare::default(),
            held: 0,
            patience: Patience::new(system),
            hopeless: 0,
            rounds: 0,
            rounds_waited: 0,
            numbers: 0,
            turns: VecDeque::new(),
        }
    }

    /// Records that were read and have not ended.
    #[inline]
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// Whether a mapping's group has something to read, or to bring to an end.
    pub(crate) fn rests(&self, id: MappingId, streams: &Streams) -> bool {
        let group = &self.groups[self.members[id].group];
        group.held + streams.unread(group.log, group.slot) > 0
    }

    /// Names of mappings, and how many records they hold.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, u64)> {
        self.groups.rows().iter().map(|group| (self.members[group.members[0]].config.name.as_str(), group.held))
    }

    /// Readers and workers are made; enabled mappings begin to read (ESM-C1).
    pub(crate) fn start<O: Observer>(&mut self, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        self.find_cycles(around.streams);
        for id in self.groups.ids() {
            for shard in 0..around.streams.shards(self.groups[id].log) {
                self.add_reader(id, shard, around.streams);
            }
            self.add_consumers(id);
            let partitions = around.streams.open_shards(self.groups[id].log);
            for mapping in &self.groups[id].members {
                self.members[*mapping].limit_pollers(partitions);
            }
        }
        for (_, member) in self.members.iter_mut() {
            if member.config.enabled {
                member.begin_after(member.config.enable_delay, context);
            }
        }
    }

    /// A reader for a shard, with its lines and, where each line has one of its own, their workers.
    fn add_reader(&mut self, id: ReaderGroupId, shard: u32, streams: &Streams) {
        let group = &self.groups[id];
        let member = &self.members[group.members[0]];
        let polling = &member.config.stream;
        let phase = match polling.poll_phase {
            PollPhase::Fixed(phase) => phase,
            PollPhase::Random => {
                let every = u128::from(polling.poll_every.as_nanos());
                let word = self.phases[member.id].word(u64::from(shard));
                SimDuration::from_nanos(u64::try_from((u128::from(word) * every) >> 64).unwrap_or(0))
            }
        };
        let blocked = !streams.parents(group.log, shard).is_empty();
        let reader = Reader {
            group: id,
            shard,
            lines: 0..0,
            due: None,
            stage: if blocked { Stage::Blocked } else { Stage::Open },
            looked: SimTime::ZERO,
            phase,
            paid: SimTime::ZERO,
        };
        let reader = self.shards.push(reader);
        self.groups[id].readers.push(reader);
        self.add_lines(reader);
    }

    /// The lines of a reader: as many as its shard has lanes.
    fn add_lines(&mut self, id: ReaderId) {
        let Reader { group: group_id, shard, .. } = self.shards[id];
        let group = &mut self.groups[group_id];
        let first = u32::try_from(group.lines.len()).expect("fewer than 2^32 lanes");
        let member = &mut self.members[group.members[0]];
        let count = if matches!(member.kind, Kind::Shards(_)) { member.factor } else { 1 };
        for line in first..first + count {
            let own = matches!(member.kind, Kind::Shards(_) | Kind::ChangeStream);
            let worker = own.then(|| self.workers.push(Worker::new(group_id, member.id, line..line + 1)));
            member.workers.extend(worker);
            group.lines.push(Line { worker, shard, ..Line::default() });
        }
        self.shards[id].lines = first..first + count;
    }

    /// Workers that are not bound to a line: consumers of a topic, or of a broker.
    fn add_consumers(&mut self, id: ReaderGroupId) {
        let group = &self.groups[id];
        for mapping in &group.members {
            let member = &mut self.members[*mapping];
            let (count, lines) = match member.kind {
                Kind::Broker(_) => (member.kind.consumers(), 0..1),
                Kind::Topic | Kind::Shards(_) | Kind::ChangeStream => (0, 0..0),
            };
            for _ in 0..count {
                member.workers.push(self.workers.push(Worker::new(id, *mapping, lines.clone())));
            }
        }
        self.assign(id);
    }

    /// A stream on demand has its new capacity.
    pub(crate) fn on_capacity_due<O: Observer>(
        &mut self,
        stream: StreamId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        if around.streams.on_capacity_due(stream, context) {
            self.on_resharded(stream, around, context);
        }
    }

    /// A mapping begins to read, or goes on where it was (ESM-6.1).
    pub(crate) fn on_enabled<O: Observer>(
        &mut self,
        id: MappingId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let member = &mut self.members[id];
        if member.begins != Some(context.now) {
            return; // It was put off.
        }
        let group = &self.groups[member.group];
        if let StartingPosition::At(at) = member.config.stream.starting_position
            && at > context.now
            && !group.started
        {
            return member.begin_after(at.since(context.now), context);
        }
        (member.polls, member.begins) = (true, None);
        let group_id = member.group;
        self.begin(group_id, id, around.streams, context);
        self.say_pollers(id, context);
        for shard in 0..self.groups[group_id].readers.len() {
            let reader = self.groups[group_id].readers[shard];
            self.shards[reader].looked = self.shards[reader].looked.max(context.now);
            self.watch(reader, around.streams, context);
            self.unblock(reader, around.streams, context);
        }
        for worker in self.members[id].workers.clone() {
            self.resume(worker, around, context);
        }
        self.share_out(group_id, around, context);
    }

    /// What a consumer of a topic or a broker has in hand, and does not run, goes back to where others may have it.
    fn give_back<O: Observer>(&mut self, id: MappingId, context: &Context<'_, O>) {
        let member = &mut self.members[id];
        if !matches!(member.kind, Kind::Topic | Kind::Broker(_)) {
            return;
        }
        member.queued.clear();
        let group = &mut self.groups[member.group];
        for worker in &member.workers {
            let worker = &mut self.workers[*worker];
            if worker.state == State::Running {
                continue;
            }
            for held in worker.batch[worker.done..].iter().rev() {
                let line = &mut group.lines[held.line as usize];
                line.records.push_front(*held);
                line.busy = false;
            }
            worker.clear(context.now);
        }
    }

    /// The lines of a group belong to those of its members that read.
    fn share_out<O: Observer>(
        &mut self,
        id: ReaderGroupId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        if matches!(self.groups[id].kind, Kind::Topic | Kind::Broker(_)) {
            self.assign(id);
            self.offer_all(id, around, context);
        }
    }

    /// The group takes its place in the log, once (ESM-2.2, 4.1).
    fn begin<O: Observer>(
        &mut self,
        id: ReaderGroupId,
        mapping: MappingId,
        streams: &mut Streams,
        context: &mut Context<'_, O>,
    ) {
        let group = &mut self.groups[id];
        let from = match self.members[mapping].config.stream.starting_position {
            _ if group.started => SimTime::ZERO,
            StartingPosition::TrimHorizon => SimTime::ZERO,
            StartingPosition::Latest => context.now,
            StartingPosition::At(at) => at,
        };
        group.started = true;
        let skipped = streams.begin_at(group.log, group.slot, from);
        context.state(&Fact::Reader(ReaderFact::Started { mapping, skipped }));
    }

    /// What a mapping was doing when it was disabled goes on.
    fn resume<O: Observer>(&mut self, id: WorkerId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let worker = &self.workers[id];
        match worker.state {
            State::Idle | State::Filling => self.advance(id, around, context),
            State::Waiting if worker.timer == SimTime::MAX => self.send(id, around, context),
            State::Waiting | State::Queued | State::Running => {}
        }
    }

    /// A stream has other shards: readers for them (ESM-K10).
    pub(crate) fn on_resharded<O: Observer>(
        &mut self,
        stream: StreamId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let log = Streams::of_stream(stream);
        for id in self.of_log[log].clone() {
            let known = u32::try_from(self.groups[id].readers.len()).expect("fewer than 2^32 shards");
            for shard in known..around.streams.shards(log) {
                self.add_reader(id, shard, around.streams);
                let reader = self.groups[id].readers[shard as usize];
                self.shards[reader].looked = context.now;
            }
            self.assign(id);
            for shard in 0..known as usize {
                let reader = self.groups[id].readers[shard];
                // A window of a shard that was closed ends with it.
                self.offer(reader, around, context);
                self.unblock(reader, around.streams, context);
            }
            for mapping in self.groups[id].members.clone() {
                self.say_pollers(mapping, context);
            }
        }
    }

    /// Other settings of a mapping; batches under way go on (ESM-C5, C7).
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        id: MappingId,
        config: &EventSourceMapping,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        for reader in self.groups[self.members[id].group].readers.clone() {
            self.say_empty(reader, context);
        }
        let member = &mut self.members[id];
        let old = std::mem::replace(&mut member.config, config.clone());
        member.scaling.reconfigure(config);
        member.limit_pollers(around.streams.open_shards(self.groups[member.group].log));
        let pause = if old.enabled { config.update_pause } else { config.enable_delay };
        if !config.enabled || !pause.is_zero() {
            (member.polls, member.begins) = (false, None);
            self.give_back(id, context);
        }
        let group_id = self.members[id].group;
        if old.stream.on_failure != config.stream.on_failure {
            self.find_cycles(around.streams);
        }
        self.set_reading(group_id, around.streams);
        self.share_out(group_id, around, context);
        let member = &self.members[id];
        if old.enabled && !config.enabled {
            self.say_pollers(id, context);
        }
        if config.enabled && !(member.polls && pause.is_zero()) {
            self.members[id].begin_after(pause, context);
        }
        for shard in 0..self.groups[group_id].readers.len() {
            self.make_lanes_anew(self.groups[group_id].readers[shard], around.streams, context);
        }
    }

    /// Whether anybody of a group goes on, and may bring something to an end, decides whether its records are awaited.
    fn set_reading(&mut self, id: ReaderGroupId, streams: &mut Streams) {
        let group = &self.groups[id];
        let reads = !group.is_hopeless && group.members.iter().any(|member| self.members[*member].config.enabled);
        let was = streams.is_reading(group.log, group.slot);
        streams.set_reading(group.log, group.slot, reads);
        match (was, reads) {
            (true, false) => self.held -= group.held,
            (false, true) => self.held += group.held,
            (true, true) | (false, false) => {}
        }
    }

    /// A group has more records to bring to an end, or fewer.
    fn hold(&mut self, id: ReaderGroupId, more: u64, fewer: u64, streams: &Streams) {
        let group = &mut self.groups[id];
        group.held = group.held + more - fewer;
        if streams.is_reading(group.log, group.slot) {
            self.held = self.held + more - fewer;
        }
    }

    /// How many pollers a mapping has.
    fn say_pollers<O: Observer>(&self, id: MappingId, context: &mut Context<'_, O>) {
        let member = &self.members[id];
        let shards = || self.groups[member.group].readers.len();
        let pollers = match member.kind {
            _ if !member.config.enabled => 0,
            Kind::Shards(_) => shards(),
            Kind::Topic => member.scaling.pollers() as usize,
            Kind::ChangeStream | Kind::Broker(_) => member.kind.consumers() as usize,
        };
        let pollers = u32::try_from(pollers).unwrap_or(u32::MAX);
        context.state(&Fact::Mapping(MappingFact::Pollers { mapping: id, pollers }));
    }

    /// The end of the run: idle shards have been read in vain until now.
    pub(crate) fn finish<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        for id in self.shards.ids() {
            self.say_empty(id, context);
        }
    }
}
