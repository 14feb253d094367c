//! Who reads a log: groups of readers, one reader for each shard, and lines of records that wait for a worker. Passive.

use std::collections::VecDeque;
use std::ops::Range;

use super::worker::Held;
use crate::aws::config::{BrokerKind, EventSourceMapping, KafkaPollers, Source, StreamKind, System, Target};
use crate::aws::ids::{BrokerId, LogId, MappingId, ReaderGroupId, ReaderId, Table, WorkerId};
use crate::aws::streams::{ReadBy, Streams};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// What the rules for a mapping are: those of its source (ESM-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Kinesis or `DynamoDB` Streams: lanes of shards.
    Shards(StreamKind),
    /// A Kafka topic: consumers of partitions.
    Topic,
    /// A change stream of `DocumentDB`: one batch after the other.
    ChangeStream,
    /// A broker: consumers of one queue.
    Broker(BrokerKind),
}

impl Kind {
    /// The kind of what a mapping reads; nothing for a queue, which has a machine of its own.
    pub(super) fn of(system: &System, source: Source) -> Option<Self> {
        match source {
            Source::Queue(_) => None,
            Source::Broker(id) => Some(Self::Broker(system.brokers[id].kind)),
            Source::Stream(id) => Some(match system.streams[id].kind {
                StreamKind::Kafka => Self::Topic,
                StreamKind::DocumentDb => Self::ChangeStream,
                kind @ (StreamKind::Kinesis | StreamKind::DynamoDb) => Self::Shards(kind),
            }),
        }
    }

    /// Whether reads are calls on a grid, and not a connection that gives records as they come.
    pub(super) fn is_polled(self, config: &EventSourceMapping) -> bool {
        matches!(self, Self::Shards(_)) && !config.stream.enhanced_fan_out
    }

    /// ESM-5: batches of one mapping at the same time, where that is fixed.
    pub(super) fn consumers(self) -> u32 {
        match self {
            Self::Broker(kind) => kind.consumers(),
            Self::ChangeStream | Self::Shards(_) | Self::Topic => 1,
        }
    }
}

/// Those who read a log together: each record goes to one of them.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) log: LogId,
    /// Which of the log's groups.
    pub(super) slot: usize,
    pub(super) kind: Kind,
    pub(super) members: Vec<MappingId>,
    /// By shard.
    pub(super) readers: Vec<ReaderId>,
    pub(super) lines: Vec<Line>,
    /// Whether it has its place in the log.
    pub(super) started: bool,
    /// Records that were read and have not ended, and windows that are open.
    pub(super) held: u64,
    /// Tries since one of its records had its fate, where records are kept for ever.
    pub(super) tries: u64,
    /// Whether the run does not wait for its records, since nothing will end them.
    pub(super) is_hopeless: bool,
    /// Whether what it gives up may come back to it.
    pub(super) is_cyclic: bool,
}

/// Records that were read, in order.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) records: VecDeque<Held>,
    /// Whether a batch has records of it: no other may, for the sake of the order.
    pub(super) busy: bool,
    /// Who takes them; nobody in particular at a broker.
    pub(super) worker: Option<WorkerId>,
    pub(super) shard: u32,
}

/// What reads a shard for a group.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) group: ReaderGroupId,
    pub(super) shard: u32,
    pub(super) lines: Range<u32>,
    /// When it reads next.
    pub(super) due: Option<SimTime>,
    pub(super) stage: Stage,
    /// Polls up to this moment are told of.
    pub(super) looked: SimTime,
    /// ESM-K7: when its polls fall, after whole multiples of the time between them.
    pub(super) phase: SimDuration,
    /// When the bytes that were pushed to it are paid for (ESM-2.1).
    pub(super) paid: SimTime,
}

/// What a reader is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for the shards that this one came from (ESM-K10).
    Blocked,
    /// It reads when there is something.
    Open,
    /// It waits for its lines to be shorter (ESM-K8).
    Paused,
    /// It waits for its lines to be empty, since there will be others (ESM-K17).
    Draining,
    /// Nothing of its shard is left, now or later.
    Finished,
}

impl Reader {
    /// The first poll at this moment or later.
    pub(super) fn grid(&self, at: SimTime, every: SimDuration) -> SimTime {
        let (every, phase) = (every.as_nanos().max(1), self.phase.as_nanos());
        let after = at.as_nanos().saturating_sub(phase).div_ceil(every);
        SimTime::from_nanos(after.saturating_mul(every).saturating_add(phase))
    }

    /// How many polls fell after the last one that was told of and before `now`, and the first of them.
    pub(super) fn missed(&self, now: SimTime, every: SimDuration) -> (u64, SimTime) {
        let first = self.grid(self.looked, every);
        let every = every.as_nanos().max(1);
        (now.saturating_since(first).as_nanos().div_ceil(every), first)
    }
}

/// A mapping while it runs.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) config: EventSourceMapping,
    pub(super) id: MappingId,
    pub(super) group: ReaderGroupId,
    pub(super) kind: Kind,
    /// Whether it reads now, or else when it begins to.
    pub(super) polls: bool,
    pub(super) begins: Option<SimTime>,
    pub(super) workers: Vec<WorkerId>,
    /// Batches that run.
    pub(super) running: u32,
    /// Workers whose batches wait for a free poller.
    pub(super) queued: VecDeque<WorkerId>,
    pub(super) scaling: super::kafka::Scaling,
    /// The parallelization factor of its lanes; those of another are to be made.
    pub(super) factor: u32,
    /// The broker that it reads, and where that sends its dead letters after so many redeliveries.
    pub(super) broker: Option<(BrokerId, Option<Target>)>,
    pub(super) redeliveries: Option<u32>,
}

impl Member {
    /// Size of a record in the event, bytes (ESM-S12, 2.2).
    pub(super) fn event_bytes(&self, bytes: u32) -> u64 {
        let body = u128::from(bytes) * u128::from(self.config.body_factor_parts) / u128::from(Ratio::PARTS);
        u64::try_from(body).unwrap_or(u64::MAX).saturating_add(self.config.record_overhead)
    }

    /// ESM-2.1, 3: records and bytes of one call. A connection has no calls: it gives a second's worth at once, and where
    /// it has no limit, no more than is to be held at once.
    pub(super) fn read_limits(&self) -> (u32, u64) {
        match self.kind {
            Kind::Shards(_) if self.config.stream.enhanced_fan_out => (10_000, super::reading::PUSHED.events),
            Kind::Shards(StreamKind::DynamoDb) => (1_000, 1_048_576),
            Kind::Shards(_) => (10_000, 10_485_760),
            Kind::Topic | Kind::ChangeStream | Kind::Broker(_) => {
                let pollers = self.provisioned().map(|pollers| pollers.throughput);
                let rate = pollers.map(|rate| rate.saturating_mul(u64::from(self.scaling.pollers())));
                (10_000, rate.unwrap_or(u64::MAX))
            }
        }
    }

    /// ESM-K11: how long a record takes to be pushed.
    pub(super) fn push_delay(&self) -> SimDuration {
        let pushed = matches!(self.kind, Kind::Shards(_)) && self.config.stream.enhanced_fan_out;
        if pushed { self.config.stream.push_delay } else { SimDuration::ZERO }
    }

    /// Provisioned pollers of Kafka.
    pub(super) fn provisioned(&self) -> Option<&KafkaPollers> {
        self.config.stream.provisioned.as_ref().filter(|_| self.kind == Kind::Topic)
    }
}

/// Which mappings read together, by log.
pub(super) fn groups(system: &System) -> Vec<Group> {
    let mut groups: Vec<(Group, &str)> = Vec::new();
    for (id, mapping) in system.event_source_mappings.iter() {
        let Some(kind) = Kind::of(system, mapping.source) else { continue };
        let log = match mapping.source {
            Source::Stream(stream) => Streams::of_stream(stream),
            Source::Broker(broker) => Streams::of_broker(broker, system.streams.len()),
            Source::Queue(_) => unreachable!("it has a kind"),
        };
        let name = mapping.stream.consumer_group.as_str();
        let shares = |(group, of): &&mut (Group, &str)| {
            group.log == log
                && match kind {
                    Kind::Topic => *of == name,
                    Kind::Broker(_) => true,
                    Kind::Shards(_) | Kind::ChangeStream => false,
                }
        };
        if let Some((group, _)) = groups.iter_mut().find(shares) {
            group.members.push(id);
            continue;
        }
        let slot = groups.iter().filter(|(group, _)| group.log == log).count();
        let group = Group {
            log,
            slot,
            kind,
            members: vec![id],
            readers: Vec::new(),
            lines: Vec::new(),
            started: false,
            held: 0,
            tries: 0,
            is_hopeless: false,
            is_cyclic: false,
        };
        groups.push((group, name));
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

/// Who reads each log.
pub(super) fn read_by(system: &System, groups: &[Group]) -> Table<LogId, Vec<ReadBy>> {
    let logs = system.streams.len() + system.brokers.len();
    let mut read_by: Table<LogId, Vec<ReadBy>> = (0..logs).map(|_| Vec::new()).collect();
    for group in groups {
        let first = group.members[0];
        let members = || group.members.iter().map(|id| &system.event_source_mappings[*id]);
        let standard = group.kind.is_polled(&system.event_source_mappings[first]);
        read_by[group.log].push(ReadBy { mapping: first, standard, reads: members().any(|member| member.enabled) });
    }
    read_by
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::Id;

    fn seconds(seconds: f64) -> SimTime {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        SimTime::from_nanos((seconds * 1e9) as u64)
    }

    fn reader(phase: f64, looked: f64) -> Reader {
        Reader {
            group: ReaderGroupId::from_index(0),
            shard: 0,
            lines: 0..1,
            due: None,
            stage: Stage::Open,
            looked: seconds(looked),
            phase: seconds(phase).since(SimTime::ZERO),
            paid: SimTime::ZERO,
        }
    }

    /// ESM-A40: a record at 2.3 s is read at 3.0 s (each second) or at 2.5 s (each quarter).
    #[test]
    fn esm_a40_polls_fall_on_a_grid() {
        for (phase, every, at, expected) in [
            (0.0, 1_000, 2.3, 3.0),
            (0.0, 250, 2.3, 2.5),
            (0.0, 1_000, 3.0, 3.0),
            (0.4, 1_000, 2.3, 2.4),
            (0.4, 1_000, 0.1, 0.4),
        ] {
            assert_eq!(reader(phase, 0.0).grid(seconds(at), SimDuration::from_millis(every)), seconds(expected));
        }
    }

    /// ESM-A24: four polls a second of an idle shard of `DynamoDB`, one of Kinesis.
    #[test]
    fn esm_a24_idle_polls_are_counted() {
        for (every, expected) in [(1_000, 60), (250, 240)] {
            assert_eq!(reader(0.0, 0.0).missed(seconds(60.0), SimDuration::from_millis(every)).0, expected);
        }
        assert_eq!(reader(0.0, 2.0).missed(seconds(2.0), SimDuration::from_secs(1)).0, 0);
        assert_eq!(reader(0.0, 2.0).missed(seconds(2.5), SimDuration::from_secs(1)), (1, seconds(2.0)));
    }
}
