//! One step of one event: that of a fact which is known by its number.

use super::families::{Key, key, origin};
use super::step::{Narrator, Step};
use crate::aws::fact::{Fact, Observer};
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

/// Looks for the first step of a submission from a fact on.
#[derive(Clone, Debug)]
pub struct Single<'a> {
    narrator: Narrator<'a>,
    key: Key,
    from: u64,
    /// Facts so far that are about events.
    facts: u64,
    step: Option<Step>,
}

impl<'a> Single<'a> {
    /// For a submission; `from` counts the facts that are about events, of all submissions, 0 = first.
    pub(crate) fn new(scenario: &'a Scenario, key: Key, from: u64) -> Self {
        Self { narrator: Narrator::for_one(scenario, key), key, from, facts: 0, step: None }
    }

    /// Whether the step is found.
    pub fn is_found(&self) -> bool {
        self.step.is_some()
    }

    /// The step; nothing where none came.
    pub fn step(self) -> Option<Step> {
        self.step
    }
}

impl Observer for Single<'_> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if origin(fact).is_none() || self.step.is_some() {
            return;
        }
        let Self { narrator, key: wanted, from, facts, step: found } = self;
        let is_reached = *facts >= *from;
        *facts += 1;
        narrator.steps(now, fact, |fact, step| {
            if is_reached && found.is_none() && origin(fact).map(key) == Some(*wanted) {
                *found = Some(step);
            }
        });
    }
}
