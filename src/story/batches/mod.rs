//! Which messages and records are in which batch. Passive.
//!
//! What is said of a batch and its runs names its first record alone. Kept until the batch is over; of a stream's batch
//! only a part may be sent, the first so many of the records that have not ended.

use std::collections::{BTreeMap, VecDeque};

use super::families::{Key, key};
use crate::aws::fact::{Fact, MappingFact, Origin, ReaderFact, RecordFate};
use crate::aws::ids::MappingId;

/// The batches under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Batches {
    /// The submission whose records are kept; all where there is none.
    only: Option<Key>,
    /// By number.
    open: BTreeMap<u64, Batch>,
    /// Where each record of them is.
    places: BTreeMap<Place, (u64, u32)>,
    /// Runs that end apart from their batch, by environment: they wait for an extension, or nobody waits for them.
    late: BTreeMap<u64, Vec<Member>>,
    /// The batch that has just been invoked, and its first record.
    invoked: Option<(u64, Origin)>,
    /// What was said of a run, or of its refusal, until it is said which batch it was.
    last: Option<Fact>,
    /// Records that have just been discarded, until it is said what became of them.
    discarded: Vec<Member>,
}

/// A record of a mapping: caller, submission and branch.
type Place = (MappingId, Key, u32);

#[derive(Clone, Debug, Default)]
struct Batch {
    members: VecDeque<Member>,
    /// Where it runs.
    environment: u64,
    /// Of a stream's batch: how many of the members were sent last.
    sent: Option<u32>,
}

/// A record of a batch.
#[derive(Clone, Copy, Debug)]
struct Member {
    origin: Origin,
    /// Which record of the batch it was at first.
    number: u32,
    /// Which run of this record the batch's run is.
    run: u32,
}

impl Batch {
    /// What was sent last.
    fn piece(&self) -> impl Iterator<Item = &Member> {
        let count = self.sent.map_or(self.members.len(), |count| count as usize);
        self.members.iter().take(count)
    }

    fn position(&self, number: u32) -> Option<usize> {
        self.members.binary_search_by_key(&number, |member| member.number).ok()
    }
}

impl Batches {
    /// For the records of all submissions.
    pub(super) fn all() -> Self {
        Self::default()
    }

    /// For the records of one submission.
    pub(super) fn with(key: Key) -> Self {
        Self { only: Some(key), ..Self::default() }
    }

    /// Whether what is said of it is wanted.
    pub(super) fn concern(&self, origin: &Origin) -> bool {
        self.only.is_none_or(|only| only == key(origin))
    }

    /// Whether a run that starts now is that of the batch that has just been invoked, once more (ESM-C9).
    pub(super) fn is_repeated(&self, fact: &Fact) -> bool {
        matches!(fact, Fact::RunStarted { origin, .. } if self.invoked.is_some_and(|(_, first)| first == *origin))
    }

    /// Whether the batch is one of a stream, a topic or a broker; known once it was sent.
    pub(super) fn is_read(&self, batch: u64) -> bool {
        self.open.get(&batch).is_some_and(|batch| batch.sent.is_some())
    }

    /// Which of the records that have not ended it is in its batch, 0 = first.
    pub(super) fn place(&self, mapping: MappingId, origin: &Origin) -> Option<usize> {
        let (batch, number) = self.places.get(&place(mapping, origin))?;
        self.open.get(batch)?.position(*number)
    }

    /// A fact; gives what it says of other records than the one that it names. `next_run` is which run of a message
    /// comes next.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few facts are about batches")]
    pub(super) fn others(&mut self, fact: &Fact, next_run: impl FnMut(&Origin) -> u32) -> Vec<Fact> {
        match *fact {
            Fact::Throttled { origin, .. } | Fact::RunStarted { origin, .. } => {
                if let Some((batch, _)) = self.invoked.take().filter(|(_, first)| *first == origin) {
                    return self.duplicated(fact, &origin, batch);
                }
                self.last = Some(*fact);
            }
            Fact::RunEnded { environment, origin, .. } => match self.late.remove(&environment) {
                Some(members) => return self.about(members.iter(), &origin, &[*fact]),
                None => self.last = Some(*fact),
            },
            Fact::Mapping(ref about) => return self.mapping(about, next_run),
            Fact::Reader(ref about) => return self.reader(about),
            _ => {}
        }
        Vec::new()
    }

    /// ESM-C9: a batch is run once more; nothing else is said of that run.
    fn duplicated(&mut self, fact: &Fact, first: &Origin, batch: u64) -> Vec<Fact> {
        let Some(batch) = self.open.get(&batch) else { return Vec::new() };
        if let Fact::RunStarted { environment, .. } = fact {
            self.late.insert(*environment, batch.piece().copied().collect());
        }
        self.about(batch.piece(), first, &[*fact])
    }

    fn mapping(&mut self, fact: &MappingFact, next_run: impl FnMut(&Origin) -> u32) -> Vec<Fact> {
        self.invoked = None;
        match *fact {
            MappingFact::Batched { origin, mapping, batch } => {
                self.join(mapping, origin, batch);
                Vec::new()
            }
            MappingFact::BatchFormed { ref origin, mapping, batch, .. } => {
                let Some(formed) = self.open.get(&batch) else { return Vec::new() };
                let others = self.about(formed.members.iter(), origin, &[Fact::Mapping(*fact)]);
                if !formed.members.iter().any(|member| self.concern(&member.origin)) {
                    self.forget(mapping, batch);
                }
                others
            }
            MappingFact::BatchInvoked { origin, batch, .. } => self.invoked(fact, &origin, batch, next_run),
            MappingFact::BatchRefused { origin, mapping, batch, due, .. } => {
                let facts = self.with_last(&origin, batch, fact);
                let others = self.open.get(&batch).map_or_else(Vec::new, |of| self.about(of.piece(), &origin, &facts));
                if due.is_none() {
                    self.forget(mapping, batch);
                }
                others
            }
            MappingFact::BatchEnded { origin, mapping, batch, .. } => {
                let facts = self.with_last(&origin, batch, fact);
                let Some(ended) = self.open.get(&batch) else { return Vec::new() };
                let others = self.about(ended.piece(), &origin, &facts);
                if facts.len() == 1 {
                    self.late.insert(ended.environment, ended.piece().copied().collect());
                }
                if ended.sent.is_none() {
                    self.forget(mapping, batch);
                }
                others
            }
            MappingFact::Polled { .. }
            | MappingFact::PolledEmpty { .. }
            | MappingFact::FilteredOut { .. }
            | MappingFact::Pollers { .. } => Vec::new(),
        }
    }

    /// What is said of the batches of streams, topics and brokers alone.
    fn reader(&mut self, fact: &ReaderFact) -> Vec<Fact> {
        self.invoked = None;
        match *fact {
            ReaderFact::Sent { ref origin, batch, records, .. }
            | ReaderFact::RetryScheduled { ref origin, batch, records, .. }
            | ReaderFact::Split { ref origin, batch, records, .. } => {
                let Some(of) = self.open.get_mut(&batch) else { return Vec::new() };
                of.sent = Some(records);
                let of = &self.open[&batch];
                self.about(of.piece(), origin, &[Fact::Reader(*fact)])
            }
            ReaderFact::RecordEnded { ref origin, mapping, fate, .. } => {
                let member = self.leave(mapping, origin);
                if matches!(fate, RecordFate::Discarded(_)) {
                    self.discarded.extend(member);
                }
                Vec::new()
            }
            ReaderFact::Discarded { ref origin, .. } => {
                let members = std::mem::take(&mut self.discarded);
                self.about(members.iter(), origin, &[Fact::Reader(*fact)])
            }
            ReaderFact::Started { .. }
            | ReaderFact::Awaited { .. }
            | ReaderFact::ReadThrottled { .. }
            | ReaderFact::WindowEnded { .. } => Vec::new(),
        }
    }

    /// A record is in a batch.
    fn join(&mut self, mapping: MappingId, origin: Origin, batch: u64) {
        let number = self.open.get(&batch).map_or(0, |batch| batch.members.back().map_or(0, |last| last.number + 1));
        let before = self.places.insert(place(mapping, &origin), (batch, number));
        if let Some((old, number)) = before.filter(|(old, _)| *old == batch) {
            // A message that was received twice into the same batch.
            self.places.insert(place(mapping, &origin), (old, number));
            return;
        }
        self.open.entry(batch).or_default().members.push_back(Member { origin, number, run: 0 });
    }

    /// A record has ended.
    fn leave(&mut self, mapping: MappingId, origin: &Origin) -> Option<Member> {
        let (number, place) = self.places.remove(&place(mapping, origin))?;
        let batch = self.open.get_mut(&number)?;
        let member = batch.members.remove(batch.position(place)?);
        if batch.members.is_empty() {
            self.open.remove(&number);
        }
        member
    }

    /// A batch is over.
    fn forget(&mut self, mapping: MappingId, batch: u64) {
        for member in self.open.remove(&batch).unwrap_or_default().members {
            let place = place(mapping, &member.origin);
            // A message may have been received again meanwhile.
            if self.places.get(&place).is_some_and(|(number, _)| *number == batch) {
                self.places.remove(&place);
            }
        }
    }

    fn invoked(
        &mut self,
        fact: &MappingFact,
        origin: &Origin,
        batch: u64,
        mut next_run: impl FnMut(&Origin) -> u32,
    ) -> Vec<Fact> {
        let facts = self.with_last(origin, batch, fact);
        self.invoked = Some((batch, *origin));
        let Some(of) = self.open.get_mut(&batch) else { return Vec::new() };
        let count = of.sent.map_or(of.members.len(), |count| count as usize);
        for member in of.members.iter_mut().take(count) {
            // A record of a stream is in one batch of a mapping, a message in a new one each time.
            member.run = if of.sent.is_some() { member.run + 1 } else { next_run(&member.origin) };
        }
        if let Some(Fact::RunStarted { environment, .. }) = facts.first() {
            of.environment = *environment;
        }
        self.about(self.open[&batch].piece(), origin, &facts)
    }

    /// What was said last of the batch's run, if it was, and then the fact itself.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few facts are about runs")]
    fn with_last(&mut self, first: &Origin, batch: u64, fact: &MappingFact) -> Vec<Fact> {
        let place = self.open.get(&batch).map(|batch| batch.environment);
        let is_of_it = |last: &Fact| match last {
            Fact::RunStarted { origin, .. } => origin == first && matches!(fact, MappingFact::BatchInvoked { .. }),
            Fact::Throttled { origin, .. } => origin == first && matches!(fact, MappingFact::BatchRefused { .. }),
            Fact::RunEnded { origin, environment, .. } => origin == first && place == Some(*environment),
            _ => false,
        };
        self.last.take().filter(is_of_it).into_iter().chain([Fact::Mapping(*fact)]).collect()
    }

    /// The facts, as they are about those of the members that are wanted, without the first.
    fn about<'a>(&self, members: impl Iterator<Item = &'a Member>, first: &Origin, facts: &[Fact]) -> Vec<Fact> {
        let others = members.filter(|member| member.origin != *first && self.concern(&member.origin));
        others.flat_map(|member| facts.iter().map(|fact| of(fact, member))).collect()
    }
}

fn place(mapping: MappingId, origin: &Origin) -> Place {
    (mapping, key(origin), origin.branch)
}

/// The fact, as it is about a member.
#[allow(clippy::wildcard_enum_match_arm, reason = "few facts are about batches")]
fn of(fact: &Fact, member: &Member) -> Fact {
    let mut fact = *fact;
    match &mut fact {
        Fact::RunStarted { origin, run, .. } | Fact::RunEnded { origin, run, .. } => {
            (*origin, *run) = (member.origin, member.run);
        }
        Fact::Throttled { origin, .. }
        | Fact::Mapping(
            MappingFact::BatchFormed { origin, .. }
            | MappingFact::BatchInvoked { origin, .. }
            | MappingFact::BatchRefused { origin, .. }
            | MappingFact::BatchEnded { origin, .. },
        )
        | Fact::Reader(
            ReaderFact::Sent { origin, .. }
            | ReaderFact::Split { origin, .. }
            | ReaderFact::RetryScheduled { origin, .. }
            | ReaderFact::Discarded { origin, .. },
        ) => *origin = member.origin,
        other => unreachable!("{other:?} is not about a batch"),
    }
    fact
}

#[cfg(test)]
mod tests;
