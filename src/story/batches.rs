//! Which messages are in which batch. Passive.
//!
//! What is said of a batch and its runs names its first record alone. Kept until the batch is over.

use std::collections::BTreeMap;

use super::families::{Key, key};
use crate::aws::fact::{Fact, MappingFact, Origin};

/// The batches under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Batches {
    /// The submission whose records are kept; all where there is none.
    only: Option<Key>,
    /// By number.
    open: BTreeMap<u64, Batch>,
    /// Runs that end apart from their batch, by environment: they wait for an extension, or nobody waits for them.
    late: BTreeMap<u64, Vec<Member>>,
    /// The batch that has just been invoked, and its first record.
    invoked: Option<(u64, Origin)>,
    /// What was said of a run, or of its refusal, until it is said which batch it was.
    last: Option<Fact>,
}

#[derive(Clone, Debug, Default)]
struct Batch {
    members: Vec<Member>,
    /// Where it runs.
    environment: u64,
}

/// A record of a batch.
#[derive(Clone, Copy, Debug)]
struct Member {
    origin: Origin,
    /// Which run of this record the batch's run is.
    run: u32,
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

    /// A fact; gives what it says of other records than the one that it names. `next_run` is which run of a record
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
                Some(members) => return about(&members, &origin, &[*fact]),
                None => self.last = Some(*fact),
            },
            Fact::Mapping(ref about) => return self.mapping(about, next_run),
            _ => {}
        }
        Vec::new()
    }

    /// ESM-C9: a batch is run once more; nothing else is said of that run.
    fn duplicated(&mut self, fact: &Fact, first: &Origin, batch: u64) -> Vec<Fact> {
        let members = self.open.get(&batch).map_or(&[][..], |batch| &batch.members);
        if let Fact::RunStarted { environment, .. } = fact
            && !members.is_empty()
        {
            self.late.insert(*environment, members.to_vec());
        }
        about(members, first, &[*fact])
    }

    fn mapping(&mut self, fact: &MappingFact, next_run: impl FnMut(&Origin) -> u32) -> Vec<Fact> {
        self.invoked = None;
        match *fact {
            MappingFact::Batched { origin, batch, .. } => {
                let members = &self.open.get(&batch).map_or(&[][..], |batch| &batch.members);
                if self.concern(&origin) && members.iter().all(|member| member.origin != origin) {
                    self.open.entry(batch).or_default().members.push(Member { origin, run: 0 });
                }
                Vec::new()
            }
            MappingFact::BatchFormed { ref origin, batch, .. } => {
                let members = self.open.get(&batch).map_or(&[][..], |batch| &batch.members);
                about(members, origin, &[Fact::Mapping(*fact)])
            }
            MappingFact::BatchInvoked { origin, batch, .. } => self.invoked(fact, &origin, batch, next_run),
            MappingFact::BatchRefused { origin, batch, due: Some(_), .. } => {
                let facts = self.with_last(&origin, batch, fact);
                let members = self.open.get(&batch).map_or(&[][..], |batch| &batch.members);
                about(members, &origin, &facts)
            }
            MappingFact::BatchRefused { origin, batch, due: None, .. }
            | MappingFact::BatchEnded { origin, batch, .. } => {
                let facts = self.with_last(&origin, batch, fact);
                let Some(Batch { members, environment }) = self.open.remove(&batch) else { return Vec::new() };
                let others = about(&members, &origin, &facts);
                if facts.len() == 1 && matches!(fact, MappingFact::BatchEnded { .. }) {
                    self.late.insert(environment, members);
                }
                others
            }
            MappingFact::Polled { .. }
            | MappingFact::PolledEmpty { .. }
            | MappingFact::FilteredOut { .. }
            | MappingFact::Pollers { .. } => Vec::new(),
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
        let Some(batch) = self.open.get_mut(&batch) else { return Vec::new() };
        for member in &mut batch.members {
            member.run = next_run(&member.origin);
        }
        if let Some(Fact::RunStarted { environment, .. }) = facts.first() {
            batch.environment = *environment;
        }
        about(&batch.members, origin, &facts)
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
}

/// The facts, as they are about the members other than the first.
fn about(members: &[Member], first: &Origin, facts: &[Fact]) -> Vec<Fact> {
    let others = members.iter().filter(|member| member.origin != *first);
    others.flat_map(|member| facts.iter().map(|fact| of(fact, member))).collect()
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
        ) => *origin = member.origin,
        other => unreachable!("{other:?} is not about a batch"),
    }
    fact
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fact::{Capacity, RunOutcome};
    use crate::aws::ids::{CallerId, FunctionId, Id, MappingId};
    use crate::kernel::time::{SimDuration, SimTime};

    fn origin(submission: u64) -> Origin {
        Origin { caller: CallerId::from_index(0), branch: 0, submission, submitted: SimTime::ZERO }
    }

    fn mapping() -> MappingId {
        MappingId::from_index(0)
    }

    fn started() -> Fact {
        let (function, capacity) = (FunctionId::from_index(0), Capacity::Unreserved);
        Fact::RunStarted { origin: origin(1), function, run: 1, environment: 7, cold: true, capacity }
    }

    fn ended() -> Fact {
        Fact::RunEnded {
            origin: origin(1),
            function: FunctionId::from_index(0),
            run: 1,
            environment: 7,
            started: SimTime::ZERO,
            duration: SimDuration::ZERO,
            init: None,
            suppressed_init: None,
            outcome: RunOutcome::Success,
            error: None,
            capacity: Capacity::Unreserved,
            abandoned: None,
        }
    }

    fn formed() -> Fact {
        Fact::Mapping(MappingFact::BatchFormed { origin: origin(1), mapping: mapping(), batch: 4, records: 3 })
    }

    fn invoked() -> Fact {
        Fact::Mapping(MappingFact::BatchInvoked {
            origin: origin(1),
            mapping: mapping(),
            batch: 4,
            records: 3,
            repeated: 0,
        })
    }

    fn over() -> Fact {
        let (origin, outcome) = (origin(1), RunOutcome::Success);
        let (mapping, batch, records, failed) = (mapping(), 4, 3, 0);
        Fact::Mapping(MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome })
    }

    /// Of which submissions these facts speak besides the first, and of which of their runs.
    fn told(batches: &mut Batches, facts: &[Fact]) -> Vec<(u64, Option<u32>)> {
        let mut told = Vec::new();
        for fact in facts {
            for other in batches.others(fact, |origin| u32::try_from(origin.submission).unwrap() * 10) {
                let run = if let Fact::RunStarted { run, .. } | Fact::RunEnded { run, .. } = other {
                    Some(run)
                } else {
                    None
                };
                told.push((super::super::families::origin(&other).unwrap().submission, run));
            }
        }
        told
    }

    fn filled(mut batches: Batches) -> Batches {
        for submission in 1..=3 {
            let origin = origin(submission);
            let fact = Fact::Mapping(MappingFact::Batched { origin, mapping: mapping(), batch: 4 });
            assert_eq!(told(&mut batches, &[fact]), []);
        }
        batches
    }

    #[test]
    fn what_is_said_of_a_batch_is_said_of_all_its_records() {
        let mut batches = filled(Batches::all());
        assert_eq!(told(&mut batches, &[formed()]), [(2, None), (3, None)]);
        let runs = [(2, Some(20)), (2, None), (3, Some(30)), (3, None)];
        assert_eq!(told(&mut batches, &[started(), invoked()]), runs);
        assert_eq!(told(&mut batches, &[ended(), over()]), runs);
        assert!(batches.open.is_empty() && batches.late.is_empty());
    }

    #[test]
    fn only_the_records_of_one_submission_are_kept() {
        let mut batches = filled(Batches::with(key(&origin(2))));
        assert_eq!(told(&mut batches, &[started(), invoked()]), [(2, Some(20)), (2, None)]);
        let mut batches = filled(Batches::with(key(&origin(9))));
        assert_eq!(told(&mut batches, &[started(), invoked(), ended(), over()]), []);
        assert!(batches.open.is_empty());
    }

    /// ESM-6.2.2: the mapping does not wait for extensions; the run ends after its batch.
    #[test]
    fn a_run_that_ends_after_its_batch() {
        let mut batches = filled(Batches::with(key(&origin(3))));
        told(&mut batches, &[started(), invoked()]);
        assert_eq!(told(&mut batches, &[over()]), [(3, None)]);
        assert_eq!(told(&mut batches, &[ended()]), [(3, Some(30))]);
        assert!(batches.late.is_empty());
    }

    /// ESM-C9: the second run has an environment of its own, and ends when it likes.
    #[test]
    fn a_batch_that_is_run_once_more() {
        let mut batches = filled(Batches::with(key(&origin(3))));
        told(&mut batches, &[started(), invoked()]);
        let in_environment = |mut fact: Fact, number| {
            if let Fact::RunStarted { environment, .. } | Fact::RunEnded { environment, .. } = &mut fact {
                *environment = number;
            }
            fact
        };
        assert_eq!(told(&mut batches, &[in_environment(started(), 8)]), [(3, Some(30))]);
        assert_eq!(told(&mut batches, &[ended(), over()]), [(3, Some(30)), (3, None)]);
        assert_eq!(told(&mut batches, &[in_environment(ended(), 8)]), [(3, Some(30))]);
        assert!(batches.late.is_empty() && batches.open.is_empty());
    }

    #[test]
    fn a_batch_that_is_given_up_is_forgotten() {
        let mut batches = filled(Batches::all());
        let refused = |due| {
            let (origin, mapping, batch, status) = (origin(1), mapping(), 4, 429);
            Fact::Mapping(MappingFact::BatchRefused { origin, mapping, batch, status, due })
        };
        assert_eq!(told(&mut batches, &[refused(Some(SimTime::ZERO))]).len(), 2);
        assert_eq!(told(&mut batches, &[refused(None)]).len(), 2);
        assert!(batches.open.is_empty() && batches.late.is_empty());
    }
}
