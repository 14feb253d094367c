//! What keeps records in order until somebody reads them: streams, Kafka topics and brokers (ESM-2, 3, 4, 5).
//!
//! A service of its own: callers and destinations write to it, mappings read from it. A record goes to a shard by its key;
//! each group of readers has its own place in each shard. Reading order: this file, `writing`, `shard`, `partition`,
//! `throughput`, `resharding`, `on_demand`.

mod on_demand;
mod partition;
mod resharding;
mod shard;
mod throughput;
mod writing;

use std::ops::Range;

pub(crate) use partition::PartitionKey;
pub(crate) use shard::{LogRecord, Read};
pub(crate) use throughput::ReadLimit;
pub(crate) use writing::Admitted;

use on_demand::Demand;
use shard::Shard;

use super::config::{self, CapacityMode, StreamKind, System, Target};
use super::event::{Class, Context, Event, ServiceEvent};
use super::fact::{BrokerFact, Fact, Observer, Origin, ReaderFact, RecordFate, StreamFact};
use super::fault::SendFaults;
use super::ids::{BrokerId, Id, LogId, MappingId, StreamId, Table};
use super::request::Reply;
use crate::kernel::time::{SimDuration, SimTime};

/// All streams, topics and brokers.
#[derive(Debug)]
pub(crate) struct Streams {
    /// The streams, then the brokers, in file order.
    logs: Table<LogId, Log>,
    /// How many of them are streams.
    count: usize,
    faults: SendFaults,
    /// Records that somebody will read.
    awaited: u64,
}

/// A stream, a topic or a broker.
#[derive(Debug)]
struct Log {
    of: Source,
    retention: Option<SimDuration>,
    propagation: SimDuration,
    /// All that it ever had.
    shards: Vec<Shard>,
    /// The latest records and their shards, the oldest first.
    latest: Vec<(u32, LogRecord)>,
    /// Those that take records.
    open: Range<u32>,
    demand: Demand,
    groups: Vec<ReadBy>,
}

/// From so many shards on their records go to them together.
const MANY: usize = 16;

/// So many at once.
const LATEST: usize = 512;

/// Whose records a log holds.
#[derive(Debug)]
enum Source {
    Stream(StreamId, config::Stream),
    Broker(BrokerId),
}

/// A group of readers of a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadBy {
    /// In whose name records are lost that nobody of the group had read.
    pub(crate) mapping: MappingId,
    /// Whether it shares the shard's read limits with others (ESM-2.1).
    pub(crate) standard: bool,
    /// Whether somebody of it reads.
    pub(crate) reads: bool,
}

/// A record on its way into a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRecord {
    pub(crate) origin: Origin,
    pub(crate) key: PartitionKey,
    pub(crate) bytes: u64,
    /// What the call puts in all.
    pub(crate) call_bytes: u64,
}

/// What became of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Put {
    /// It was refused.
    Refused(Reply),
    /// This shard has it.
    Accepted(u32),
}

impl Streams {
    /// The logs before the run; `groups` says who reads each of them.
    pub(crate) fn new(system: &System, groups: &Table<LogId, Vec<ReadBy>>) -> Self {
        let streams = system.streams.iter().map(|(id, config)| Log::of_stream(id, config));
        let brokers = system.brokers.iter().map(|(id, config)| Log::of_broker(id, config));
        let mut logs: Table<LogId, Log> = streams.chain(brokers).collect();
        for ((_, log), groups) in logs.iter_mut().zip(groups.rows()) {
            log.groups.clone_from(groups);
            log.open_shards(match &log.of {
                Source::Stream(_, config) => config.shards,
                Source::Broker(_) => 1,
            });
        }
        Self { logs, count: system.streams.len(), faults: SendFaults::new(system), awaited: 0 }
    }

    /// The log of a stream.
    pub(crate) fn of_stream(id: StreamId) -> LogId {
        LogId::from_index(id.index())
    }

    /// The log of a broker, where there are so many streams.
    pub(crate) fn of_broker(id: BrokerId, streams: usize) -> LogId {
        LogId::from_index(streams + id.index())
    }

    /// The log that a target names.
    pub(crate) fn of_target(&self, target: Target) -> Option<LogId> {
        match target {
            Target::Stream(id) => Some(Self::of_stream(id)),
            Target::Broker(id) => Some(Self::of_broker(id, self.count)),
            Target::Queue(_)
            | Target::Topic(_)
            | Target::EventBus(_)
            | Target::Bucket(_)
            | Target::Function(_)
            | Target::StateMachine(_) => None,
        }
    }

    /// What is known at the start.
    pub(crate) fn start<O: Observer>(&self, context: &mut Context<'_, O>) {
        self.logs.rows().iter().for_each(|log| log.say_shards(context));
    }

    /// Records that somebody will read.
    #[inline]
    pub(crate) fn awaited(&self) -> u64 {
        self.awaited
    }

    /// Records of a shard whose retention ended are gone.
    #[inline]
    fn expire<O: Observer>(&mut self, id: LogId, shard: usize, context: &mut Context<'_, O>) {
        let log = &mut self.logs[id];
        let Some(until) = log.retention.and_then(|length| context.now.as_nanos().checked_sub(length.as_nanos())) else {
            return;
        };
        if log.latest.first().is_some_and(|(_, first)| first.arrived.as_nanos() <= until) {
            log.settle();
        }
        self.awaited -= log.expire(shard, SimTime::from_nanos(until), context);
    }

    fn expire_all<O: Observer>(&mut self, id: LogId, context: &mut Context<'_, O>) {
        (0..self.logs[id].shards.len()).for_each(|shard| self.expire(id, shard, context));
    }

    /// A group reads a shard; see [`Shard::read`].
    pub(crate) fn read<O: Observer>(
        &mut self,
        (id, group, shard): (LogId, usize, u32),
        limits: (u32, u64),
        push_delay: SimDuration,
        context: &mut Context<'_, O>,
        take: impl FnMut(u64, &LogRecord),
    ) -> Read {
        self.expire(id, shard as usize, context);
        let log = &mut self.logs[id];
        log.settle();
        let late = log.propagation.plus(push_delay);
        let read = log.shards[shard as usize].read(group, limits, (context.now, late), take);
        self.awaited -= if log.groups[group].reads { u64::from(read.records) } else { 0 };
        read
    }

    /// When the first record that a group has not read can be read.
    pub(crate) fn next_visible(
        &mut self,
        (id, group, shard): (LogId, usize, u32),
        push_delay: SimDuration,
    ) -> Option<SimTime> {
        let log = &mut self.logs[id];
        log.settle();
        log.shards[shard as usize].next_visible(group, log.propagation.plus(push_delay))
    }

    /// The read limits that a shard's standard readers share.
    pub(crate) fn read_limit(&mut self, id: LogId, shard: u32) -> Option<&mut ReadLimit> {
        self.logs[id].shards[shard as usize].reads.as_mut()
    }

    /// How many shards a log has, closed ones too.
    pub(crate) fn shards(&self, id: LogId) -> u32 {
        u32::try_from(self.logs[id].shards.len()).expect("fewer than 2^32 shards")
    }

    /// Open shards.
    pub(crate) fn open_shards(&self, id: LogId) -> u32 {
        let Range { start, end } = self.logs[id].open;
        end - start
    }

    /// The shards that must be read to their end before this one.
    pub(crate) fn parents(&self, id: LogId, shard: u32) -> Range<u32> {
        self.logs[id].shards[shard as usize].parents.clone()
    }

    /// The shards that this one must be read to its end before.
    pub(crate) fn children(&self, id: LogId, shard: u32) -> Range<u32> {
        self.logs[id].shards[shard as usize].children.clone()
    }

    /// Whether a group has read all that a closed shard will ever have.
    pub(crate) fn is_finished(&self, (id, group, shard): (LogId, usize, u32)) -> bool {
        let shard = &self.logs[id].shards[shard as usize];
        shard.closed && shard.is_read(group)
    }

    /// Records that a group has not read.
    pub(crate) fn unread(&self, id: LogId, group: usize) -> u64 {
        self.logs[id].shards.iter().map(|shard| shard.unread(group)).sum()
    }

    /// A group begins with records that were written at `from` or later; how many it passes over.
    pub(crate) fn begin_at(&mut self, id: LogId, group: usize, from: SimTime) -> u64 {
        let log = &mut self.logs[id];
        log.settle();
        let skipped = log.shards.iter_mut().map(|shard| shard.begin_at(group, from)).sum();
        self.awaited -= if log.groups[group].reads { skipped } else { 0 };
        skipped
    }

    /// Whether somebody of a group reads.
    pub(crate) fn is_reading(&self, id: LogId, group: usize) -> bool {
        self.logs[id].groups[group].reads
    }

    /// A group begins, or ceases, to read.
    pub(crate) fn set_reading(&mut self, id: LogId, group: usize, reads: bool) {
        if self.logs[id].groups[group].reads != reads {
            let unread = self.unread(id, group);
            self.awaited = if reads { self.awaited + unread } else { self.awaited - unread };
            self.logs[id].groups[group].reads = reads;
        }
    }

    /// How long a record is kept.
    pub(crate) fn retention(&self, id: LogId) -> Option<SimDuration> {
        self.logs[id].retention
    }

    /// Other settings of a stream; whether it has other shards.
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        stream: StreamId,
        config: &config::Stream,
        context: &mut Context<'_, O>,
    ) -> bool {
        let id = Self::of_stream(stream);
        self.expire_all(id, context);
        let log = &mut self.logs[id];
        let before = log.set(config);
        let shards = log.open.end - log.open.start;
        let reshards = before.shards != config.shards && shards != config.shards;
        if reshards {
            log.reshard(config.shards, context);
        }
        reshards
    }

    /// A stream on demand has its new capacity; whether it has other shards.
    pub(crate) fn on_capacity_due<O: Observer>(&mut self, stream: StreamId, context: &mut Context<'_, O>) -> bool {
        let log = &mut self.logs[Self::of_stream(stream)];
        log.demand.ordered = false;
        let Source::Stream(_, config) = &log.of else { unreachable!("{stream:?} is a stream") };
        let wanted = log.demand.wanted(config.capacity_mode);
        let reshards = wanted > log.open.end - log.open.start;
        if reshards {
            log.reshard(wanted, context);
        }
        reshards
    }

    /// The state at the end of the run.
    pub(crate) fn finish<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        self.logs.ids().for_each(|id| self.expire_all(id, context));
    }
}

impl Log {
    fn of_stream(id: StreamId, config: &config::Stream) -> Self {
        Self::new(Source::Stream(id, config.clone()), config.retention, config.propagation)
    }

    fn of_broker(id: BrokerId, config: &config::Broker) -> Self {
        Self::new(Source::Broker(id), config.message_retention, SimDuration::ZERO)
    }

    fn new(of: Source, retention: Option<SimDuration>, propagation: SimDuration) -> Self {
        let (shards, latest, groups) = (Vec::new(), Vec::new(), Vec::new());
        Self { of, retention, propagation, shards, latest, open: 0..0, demand: Demand::default(), groups }
    }

    fn target(&self) -> Target {
        match self.of {
            Source::Stream(id, _) => Target::Stream(id),
            Source::Broker(id) => Target::Broker(id),
        }
    }

    /// A record is written; its number in its shard. Of many shards each is far apart in memory: records go there
    /// together, so that the processor does not wait for each.
    #[inline(always)]
    fn append(&mut self, shard: u32, record: LogRecord) -> u64 {
        if self.shards.len() < MANY {
            return self.shards[shard as usize].append(record);
        }
        if self.latest.len() == LATEST {
            self.settle();
        }
        self.latest.push((shard, record));
        self.shards[shard as usize].announce()
    }

    /// The latest records go to their shards.
    #[inline(never)]
    fn settle(&mut self) {
        for (shard, record) in &self.latest {
            self.shards[*shard as usize].arrives(record);
        }
        self.latest.clear();
    }

    /// Groups that read.
    fn reading(&self) -> u64 {
        self.groups.iter().map(|group| u64::from(group.reads)).sum()
    }

    /// Other settings; gives the old ones.
    fn set(&mut self, config: &config::Stream) -> config::Stream {
        (self.retention, self.propagation) = (config.retention, config.propagation);
        let Source::Stream(_, old) = &mut self.of else { unreachable!("a broker's settings do not change") };
        std::mem::replace(old, config.clone())
    }

    /// The shard of a key, as its number and its place, and the number of its lane.
    fn place(&self, key: PartitionKey) -> (u32, usize, u16) {
        let open = self.open.end - self.open.start;
        let chosen = match &self.of {
            Source::Stream(_, config) if config.kind == StreamKind::Kafka => key.partition(open),
            Source::Stream(..) => key.shard_of_range(open),
            Source::Broker(_) => 0,
        };
        let number = self.open.start + chosen;
        (number, number as usize, key.lane(open))
    }

    fn say_shards<O: Observer>(&self, context: &mut Context<'_, O>) {
        if let Source::Stream(stream, _) = self.of {
            context.state(&Fact::Stream(StreamFact::Shards { stream, open: self.open.end - self.open.start }));
        }
    }

    fn say_throttled<O: Observer>(&self, origin: Origin, shard: u32, context: &mut Context<'_, O>) {
        let Source::Stream(stream, _) = self.of else { unreachable!("a broker has no write limits") };
        context.state(&Fact::Stream(StreamFact::WriteThrottled { origin, stream, shard }));
    }

    /// ESM-K16: what is written to a stream on demand decides what it can take later.
    fn count_demand<O: Observer>(&mut self, bytes: u64, context: &mut Context<'_, O>) {
        let Source::Stream(stream, config) = &self.of else { return };
        let CapacityMode::OnDemand { after, .. } = config.capacity_mode else { return };
        let higher = self.demand.wrote(bytes, context.now);
        if higher && !self.demand.ordered && self.demand.wanted(config.capacity_mode) > self.open.end - self.open.start
        {
            self.demand.ordered = true;
            let event = Event::Service(ServiceEvent::CapacityDue(*stream));
            context.schedule(context.now.plus(after), Class::Change, config.order, event);
        }
    }

    /// Records of a shard whose retention ended; how many of them somebody would have read.
    fn expire<O: Observer>(&mut self, shard: usize, until: SimTime, context: &mut Context<'_, O>) -> u64 {
        let Self { of, retention, shards, groups, .. } = self;
        let length = retention.expect("something expired");
        let number = u32::try_from(shard).expect("fewer than 2^32 shards");
        let mut awaited = 0;
        shards[shard].expire(until, |record, group| {
            let (origin, at) = (record.origin, record.arrived.plus(length));
            match (group, &*of) {
                (Some(group), _) => {
                    let ReadBy { mapping, reads, .. } = groups[group];
                    awaited += u64::from(reads);
                    let fate = RecordFate::Expired;
                    context.state(&Fact::Reader(ReaderFact::RecordEnded {
                        origin,
                        mapping,
                        shard: number,
                        fate,
                        runs: 0,
                    }));
                }
                (None, Source::Stream(stream, _)) => {
                    context.state(&Fact::Stream(StreamFact::Expired { origin, stream: *stream, at }));
                }
                (None, Source::Broker(broker)) => {
                    context.state(&Fact::Broker(BrokerFact::Expired { origin, broker: *broker, at }));
                }
            }
        });
        awaited
    }
}
