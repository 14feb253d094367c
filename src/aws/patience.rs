//! When nothing but a retention could still end what fails again and again, or not even that. Passive.
//!
//! A run that settles waits until each record has its fate. What is kept for ever and fails each time never has one; nor
//! has what goes round in a cycle of dead letters, where each move gives it a new retention. The run does not wait for
//! it: once so many tries in a row have come to nothing, the next one will not do better.

use super::config::System;
use crate::kernel::time::SimTime;

/// Tries in a row that come to nothing.
const TRIES: u64 = 1_000;

/// Rounds of everything that is in a cycle, on top of them.
const ROUNDS: u64 = 10;

/// How long a run waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The last moment at which the scenario changes something: tries before it say nothing.
    from: SimTime,
    tries: u64,
}

impl Patience {
    /// As the scenario asks for: its changes and outages are waited for, and failures that end with an attempt.
    pub(crate) fn new(system: &System) -> Self {
        let changed = system.changes.iter().filter_map(|change| change.action.function().map(|(_, function)| function));
        let failures = || system.functions.rows().iter().chain(changed.clone()).flat_map(|function| &function.failures);
        let moments = failures().flat_map(|failure| [failure.from, failure.until]);
        let moments = moments.chain(system.faults.iter().flat_map(|fault| [fault.from, fault.until])).flatten();
        let moments = moments.chain(system.changes.iter().map(|change| change.at));
        let attempts = failures().flat_map(|failure| failure.attempts.iter().copied().chain(failure.first_attempts));
        Self { from: moments.max().unwrap_or(SimTime::ZERO), tries: TRIES + u64::from(attempts.max().unwrap_or(0)) }
    }

    /// Whether a try at this moment counts.
    #[inline]
    pub(crate) fn counts(&self, now: SimTime) -> bool {
        now >= self.from
    }

    /// Tries in a row that are waited for, where `inside` go round in a cycle.
    #[inline]
    pub(crate) fn tries(&self, inside: u64) -> u64 {
        self.tries.saturating_add(inside.saturating_mul(ROUNDS))
    }
}
