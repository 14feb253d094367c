//! What the first sentences of a story need of its records in streams and its messages at brokers.

use super::words::{Settings, length, listed, plural};
use crate::aws::config::{Source, StartingPosition, StreamKind, Target};
use crate::aws::fact::{
    BrokerFact, DiscardCondition, Fact, MappingFact, Notice, Origin, ReaderFact, RecordFate, StreamFact,
};
use crate::aws::ids::MappingId;
use crate::kernel::time::SimTime;

/// The records of one submission.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    all: Vec<Record>,
    /// When mappings began to read.
    starts: Vec<(MappingId, SimTime)>,
}

/// A record, and what each mapping made of it.
#[derive(Clone, Debug)]
struct Record {
    branch: u32,
    source: Source,
    written: SimTime,
    shard: u32,
    readings: Vec<Reading>,
    /// Its retention ended, and nobody reads it.
    expired: Option<SimTime>,
    /// Where it went as a dead letter of its broker.
    dead_letter: Option<String>,
}

#[derive(Clone, Debug)]
struct Reading {
    mapping: MappingId,
    runs: u32,
    end: Option<(SimTime, End)>,
    /// What became of the notice that it was discarded.
    notice: Option<Notice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    FilteredOut,
    Of(RecordFate),
}

impl End {
    fn is_good(self) -> bool {
        matches!(self, Self::FilteredOut | Self::Of(RecordFate::Succeeded))
    }
}

impl Records {
    /// A fact about one of them.
    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts are enough for an outline")]
    pub(super) fn note(&mut self, settings: Settings<'_>, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::Reader(ReaderFact::Started { mapping, .. }) => self.starts.push((mapping, now)),
            Fact::Stream(StreamFact::Put { origin, stream, shard, .. }) => {
                self.add(now, origin.branch, Source::Stream(stream), shard);
            }
            Fact::Broker(BrokerFact::Received { origin, broker, .. }) => {
                self.add(now, origin.branch, Source::Broker(broker), 0);
            }
            Fact::Stream(StreamFact::Expired { origin, at, .. })
            | Fact::Broker(BrokerFact::Expired { origin, at, .. }) => {
                self.with(&origin, |record| record.expired = Some(at));
            }
            Fact::Broker(BrokerFact::DeadLettered { origin, to, .. }) => {
                let to = to.map(|to| settings.target(to).to_owned());
                self.with(&origin, |record| record.dead_letter = to);
            }
            Fact::Mapping(MappingFact::FilteredOut { origin, mapping }) => {
                self.read(&origin, mapping, |reading| reading.end = Some((now, End::FilteredOut)));
            }
            Fact::Mapping(MappingFact::Batched { origin, mapping, .. }) => self.read(&origin, mapping, |_| ()),
            Fact::Mapping(MappingFact::BatchInvoked { origin, mapping, records: 1.., .. }) => {
                self.read(&origin, mapping, |reading| reading.runs += 1);
            }
            Fact::Reader(ReaderFact::RecordEnded { origin, mapping, fate, runs, .. }) => {
                self.read(&origin, mapping, |reading| {
                    (reading.end, reading.runs) = (Some((now, End::Of(fate))), runs);
                });
            }
            Fact::Reader(ReaderFact::Discarded { origin, mapping, notice, records: 1.., .. }) => {
                self.read(&origin, mapping, |reading| reading.notice = Some(notice));
            }
            _ => {}
        }
    }

    fn add(&mut self, written: SimTime, branch: u32, source: Source, shard: u32) {
        let (readings, expired, dead_letter) = (Vec::new(), None, None);
        self.all.push(Record { branch, source, written, shard, readings, expired, dead_letter });
    }

    fn with(&mut self, origin: &Origin, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.all.iter_mut().rev().find(|record| record.branch == origin.branch) {
            change(record);
        }
    }

    fn read(&mut self, origin: &Origin, mapping: MappingId, change: impl FnOnce(&mut Reading)) {
        self.with(origin, |record| {
            let place = record.readings.iter().position(|reading| reading.mapping == mapping);
            let place = place.unwrap_or_else(|| {
                record.readings.push(Reading { mapping, runs: 0, end: None, notice: None });
                record.readings.len() - 1
            });
            change(&mut record.readings[place]);
        });
    }

    /// What became of the record that the submission was, and whether that is good.
    pub(super) fn own(
        &self,
        settings: Settings<'_>,
        submitted: SimTime,
        ended: &str,
    ) -> Option<(String, Option<bool>)> {
        let own = self.all.iter().find(|record| record.branch == 0)?;
        Some(own.told(settings, &self.starts, submitted, ended))
    }

    /// Whether each of those ended well that somebody read.
    pub(super) fn good(
        &self,
        settings: Settings<'_>,
        submitted: SimTime,
        ended: &str,
    ) -> impl Iterator<Item = Option<bool>> {
        let read = self.all.iter().filter(|record| !record.readings.is_empty());
        read.map(move |record| record.told(settings, &self.starts, submitted, ended).1)
    }

    /// What became of records that were sent on, as far as somebody read them.
    pub(super) fn sent_on(&self, settings: Settings<'_>, submitted: SimTime, ended: &str) -> Vec<String> {
        let read = self.all.iter().filter(|record| record.branch != 0 && !record.readings.is_empty());
        let told = |record: &Record| {
            let (words, _) = record.told(settings, &self.starts, submitted, ended);
            format!("Its copy in {}: {words}", record.place(settings))
        };
        read.map(told).collect()
    }
}

impl Record {
    fn place<'a>(&self, settings: Settings<'a>) -> &'a str {
        match self.source {
            Source::Stream(id) => &settings.0.streams[id].name,
            Source::Broker(id) => &settings.0.brokers[id].name,
            Source::Queue(id) => settings.queue(id),
        }
    }

    /// The mapping that began to read behind the record, if the first of a group did.
    fn passed_over(
        &self,
        settings: Settings<'_>,
        starts: &[(MappingId, SimTime)],
        group: &[MappingId],
    ) -> Option<MappingId> {
        let (mapping, at) = *starts.iter().find(|(mapping, _)| group.contains(mapping))?;
        let from = match settings.mapping_at(mapping, at).stream.starting_position {
            StartingPosition::TrimHorizon => SimTime::ZERO,
            StartingPosition::Latest => at,
            StartingPosition::At(moment) => moment,
        };
        (self.written < from).then_some(mapping)
    }

    fn told(
        &self,
        settings: Settings<'_>,
        starts: &[(MappingId, SimTime)],
        submitted: SimTime,
        ended: &str,
    ) -> (String, Option<bool>) {
        let after = |at: SimTime| format!("{} after it was submitted", length(at.since(submitted)));
        let mut sentences: Vec<String> = self.shard_words(settings).into_iter().collect();
        if let Some(at) = self.expired {
            sentences.push(format!("It was lost {}, when its retention was over.", after(at)));
            return (sentences.join(" "), Some(false));
        }
        let groups = settings.groups_of(self.source);
        if groups.is_empty() {
            let place = self.place(settings);
            sentences.push(format!("Nobody reads {place}: it was still there when the simulation ended at {ended}."));
            return (sentences.join(" "), None);
        }
        let mut good = Some(true);
        for group in &groups {
            let reading = self.readings.iter().find(|reading| group.contains(&reading.mapping));
            let (words, fate) = if let Some(reading) = reading {
                self.reading_told(reading, settings, &after, ended)
            } else if let Some(mapping) = self.passed_over(settings, starts, group) {
                let name = settings.mapping(mapping);
                (format!("It was written before the starting position of {name}, which did not read it."), None)
            } else {
                let names: Vec<_> = group.iter().map(|id| settings.mapping(*id).to_owned()).collect();
                (format!("{} had not read it when the simulation ended at {ended}.", listed(&names)), None)
            };
            sentences.push(words);
            good = match (good, fate) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                (Some(true), Some(true)) => Some(true),
            };
        }
        (sentences.join(" "), good)
    }

    /// `It went to shard 2.`, where there are several.
    fn shard_words(&self, settings: Settings<'_>) -> Option<String> {
        let Source::Stream(id) = self.source else { return None };
        let stream = &settings.0.streams[id];
        let word = match stream.kind {
            StreamKind::Kinesis | StreamKind::DynamoDb => "shard",
            StreamKind::Kafka => "partition",
            StreamKind::DocumentDb => return None,
        };
        (stream.shards > 1 || self.shard > 0).then(|| format!("It went to {word} {}.", self.shard))
    }

    fn reading_told(
        &self,
        reading: &Reading,
        settings: Settings<'_>,
        after: &impl Fn(SimTime) -> String,
        ended: &str,
    ) -> (String, Option<bool>) {
        let name = settings.mapping(reading.mapping);
        let runs = if reading.runs == 0 {
            "without a run".to_owned()
        } else {
            format!("after {}", plural(reading.runs, "run"))
        };
        let Some((at, end)) = reading.end else {
            let words = format!("{name} was still trying it when the simulation ended at {ended}, {runs}.");
            return (words, None);
        };
        let at = after(at);
        let words = match end {
            End::FilteredOut => format!("{name} filtered it out {at}."),
            End::Of(RecordFate::Succeeded) => format!("{name} was done with it {at}, {runs}."),
            End::Of(RecordFate::Discarded(condition)) => {
                let (why, notice) = (why(condition), notice_words(reading.notice, settings));
                format!("{name} gave it up {at}, {runs}: {why}. {notice}")
            }
            End::Of(RecordFate::Expired) => {
                format!("{name} lost it {at}, {runs}, when its retention was over.")
            }
            End::Of(RecordFate::Oversized) => format!("{name} dropped it {at}: it is larger than an event may be."),
            End::Of(RecordFate::DeadLettered) => {
                let place = self.place(settings);
                let then = self
                    .dead_letter
                    .as_ref()
                    .map_or_else(|| "it is lost".to_owned(), |to| format!("it went to the dead-letter queue {to}"));
                format!("{place} redelivered it no more {at}, {runs}: {then}.")
            }
        };
        (words, Some(end.is_good()))
    }
}

fn why(condition: DiscardCondition) -> &'static str {
    match condition {
        DiscardCondition::RetryAttemptsExhausted | DiscardCondition::RetriesExhausted => "its retries were used up",
        DiscardCondition::RecordAgeExceeded => "it was too old",
    }
}

fn notice_words(notice: Option<Notice>, settings: Settings<'_>) -> String {
    match notice {
        None | Some(Notice::None) => "Nobody was told of it.".to_owned(),
        Some(Notice::Delivered(to)) => match to {
            Target::Stream(_) => format!("{} received it.", settings.target(to)),
            Target::Queue(_)
            | Target::Topic(_)
            | Target::EventBus(_)
            | Target::Bucket(_)
            | Target::Function(_)
            | Target::Broker(_)
            | Target::StateMachine(_) => format!("{} received word of it.", settings.target(to)),
        },
        Some(Notice::Failed(to, _)) => format!("{} refused word of it.", settings.target(to)),
    }
}
