//! Message groups of a fair queue: which are noisy, and what is in the quiet ones (ESM-1.11, 1.13).

use std::collections::BTreeSet;

use super::age::OldestAge;
use crate::aws::fact::Levels;
use crate::kernel::time::SimTime;
use crate::stats::gauge::{Gauge, GaugeFigures};

/// Groups of one queue that became noisy. While there is none, nothing is kept of them.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    from: SimTime,
    noisy: Gauge,
    now: BTreeSet<u64>,
    /// Those that were noisy in the measured time.
    measured: BTreeSet<u64>,
    quiet: Option<Box<Quiet>>,
}

/// What is in the quiet groups, and of messages without a group; before the first noisy one that is everything.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    pub(super) visible: Gauge,
    pub(super) in_flight: Gauge,
    pub(super) delayed: Gauge,
    pub(super) age: OldestAge,
}

impl Groups {
    pub(super) fn new(from: SimTime) -> Self {
        Self { from, noisy: Gauge::new(from), now: BTreeSet::new(), measured: BTreeSet::new(), quiet: None }
    }

    /// A group became noisy. The first time, `whole` is what was in the queue so far.
    pub(super) fn became_noisy(&mut self, now: SimTime, group: u64, whole: impl FnOnce() -> Quiet) {
        self.quiet.get_or_insert_with(|| Box::new(whole()));
        self.now.insert(group);
        self.count(now, group);
    }

    /// It is quiet again.
    pub(super) fn became_quiet(&mut self, at: SimTime, group: u64) {
        self.now.remove(&group);
        self.count(at, group);
    }

    fn count(&mut self, at: SimTime, group: u64) {
        let noisy = u32::try_from(self.now.len()).unwrap_or(u32::MAX);
        self.noisy.set(at, noisy);
        if at >= self.from {
            self.measured.insert(group);
        }
    }

    /// What is in the quiet groups from `at` on.
    pub(super) fn levels(&mut self, at: SimTime, levels: Levels, oldest: Option<SimTime>) {
        let Some(quiet) = self.quiet.as_deref_mut() else { return };
        let Levels { delayed, visible, in_flight } = levels;
        for (gauge, level) in
            [(&mut quiet.visible, visible), (&mut quiet.in_flight, in_flight), (&mut quiet.delayed, delayed)]
        {
            gauge.set(at, u32::try_from(level).unwrap_or(u32::MAX));
        }
        quiet.age.change(at, oldest);
    }

    /// How many groups were noisy at some time.
    pub(super) fn ever(&self) -> u64 {
        self.measured.union(&self.now).count() as u64
    }

    /// How many were at once.
    pub(super) fn figures(&mut self, ended: SimTime) -> GaugeFigures<u64> {
        self.noisy.figures(ended)
    }

    /// What was in the quiet ones, where `whole` was in the queue.
    pub(super) fn quiet_contents(&mut self, ended: SimTime, whole: &Contents) -> Contents {
        self.quiet.as_deref_mut().map_or_else(|| whole.clone(), |quiet| quiet.contents(ended))
    }
}

/// Figures of what is in a queue.
#[derive(Clone)]
pub(super) struct Contents {
    pub(super) visible: GaugeFigures<u64>,
    pub(super) in_flight: GaugeFigures<u64>,
    pub(super) delayed: GaugeFigures<u64>,
    pub(super) age: GaugeFigures<f64>,
}

impl Quiet {
    fn contents(&mut self, ended: SimTime) -> Contents {
        Contents {
            visible: self.visible.figures(ended),
            in_flight: self.in_flight.figures(ended),
            delayed: self.delayed.figures(ended),
            age: self.age.figures(ended),
        }
    }
}
