//! Batches of facts that are fed by hand.

use super::*;
use crate::aws::fact::{Capacity, Complete, DiscardCondition, Notice, RunOutcome};
use crate::aws::ids::{CallerId, FunctionId, Id};
use crate::kernel::time::{SimDuration, SimTime};

impl Batches {
    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.places.is_empty() && self.late.is_empty() && self.discarded.is_empty()
    }
}

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
    let complete = Complete::AtOnce;
    Fact::Mapping(MappingFact::BatchFormed { origin: origin(1), mapping: mapping(), batch: 4, records: 3, complete })
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
    let unreadable = false;
    Fact::Mapping(MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, unreadable })
}

/// Of which submissions these facts speak besides the first, and of which of their runs.
fn told(batches: &mut Batches, facts: &[Fact]) -> Vec<(u64, Option<u32>)> {
    let mut told = Vec::new();
    for fact in facts {
        for other in batches.others(fact, |origin| u32::try_from(origin.submission).unwrap() * 10) {
            let run =
                if let Fact::RunStarted { run, .. } | Fact::RunEnded { run, .. } = other { Some(run) } else { None };
            told.push((crate::story::families::origin(&other).unwrap().submission, run));
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
    assert!(batches.is_empty());
}

#[test]
fn only_the_records_of_one_submission_are_kept() {
    let mut batches = filled(Batches::with(key(&origin(2))));
    assert_eq!(told(&mut batches, &[started(), invoked()]), [(2, Some(20)), (2, None)]);
    let mut batches = filled(Batches::with(key(&origin(9))));
    assert_eq!(told(&mut batches, &[started(), invoked(), ended(), over()]), []);
    assert!(batches.is_empty());
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
    assert!(batches.is_empty());
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
    assert!(batches.is_empty());
}

fn read(fact: impl Fn(Origin, MappingId, u64) -> ReaderFact, first: u64) -> Fact {
    Fact::Reader(fact(origin(first), mapping(), 4))
}

fn sent(first: u64, records: u32) -> Fact {
    let (shard, last_arrived) = (0, SimTime::ZERO);
    let fact = |origin, mapping, batch| ReaderFact::Sent { origin, mapping, batch, shard, records, last_arrived };
    read(fact, first)
}

fn over_with(submission: u64, fate: RecordFate) -> Fact {
    let (shard, runs) = (0, 1);
    read(|origin, mapping, _| ReaderFact::RecordEnded { origin, mapping, shard, fate, runs }, submission)
}

/// ESM-2.3.6: of a batch that was split, what is said of a half is said of its records alone.
#[test]
fn what_is_said_of_a_part_is_said_of_its_records() {
    let mut batches = filled(Batches::all());
    told(&mut batches, &[formed(), sent(1, 3), started(), invoked(), ended(), over()]);
    let split = |origin, mapping, batch| ReaderFact::Split { origin, mapping, batch, records: 3, left: 1 };
    assert_eq!(told(&mut batches, &[read(split, 1)]), [(2, None), (3, None)]);
    let places = [1, 2, 3].map(|number| batches.place(mapping(), &origin(number)));
    assert_eq!(places, [Some(0), Some(1), Some(2)]);
    assert_eq!(told(&mut batches, &[sent(1, 1)]), []);
    assert_eq!(told(&mut batches, &[over_with(1, RecordFate::Succeeded), sent(2, 2)]), [(3, None)]);
    assert_eq!(batches.place(mapping(), &origin(3)), Some(1));
    let age = DiscardCondition::RecordAgeExceeded;
    let fate = RecordFate::Discarded(age);
    let gone = |origin, mapping, _| {
        let (notice, shard, records, condition, invoke_count) = (Notice::None, 0, 2, age, 1);
        ReaderFact::Discarded { origin, mapping, shard, records, condition, invoke_count, notice }
    };
    let facts = [over_with(2, fate), over_with(3, fate), read(gone, 2)];
    assert_eq!(told(&mut batches, &facts), [(3, None)]);
    assert!(batches.is_empty());
}

/// A batch whose first record is another one's, and whose others are not wanted, is not kept.
#[test]
fn the_records_of_one_submission_are_kept_with_those_around_them() {
    let mut batches = filled(Batches::with(key(&origin(2))));
    assert_eq!(
        told(&mut batches, &[formed(), sent(1, 3), started(), invoked()]),
        [(2, None), (2, None), (2, Some(1)), (2, None)]
    );
    assert_eq!(told(&mut batches, &[ended(), over(), over_with(1, RecordFate::Succeeded)]), [(2, Some(1)), (2, None)]);
    assert_eq!(told(&mut batches, &[sent(2, 2), over_with(2, RecordFate::Succeeded)]), []);
    let mut batches = filled(Batches::with(key(&origin(9))));
    told(&mut batches, &[formed()]);
    assert!(batches.is_empty());
}
