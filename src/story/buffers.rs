//! Which records Firehose has in one buffer: what is said of the buffer and its runs names its first record alone. Passive.

use std::collections::BTreeMap;

use super::families::{Key, key, origin};
use super::words::Settings;
use crate::aws::config::Passage;
use crate::aws::fact::{Fact, FrontFact, Origin};
use crate::aws::ids::CallerId;

/// The buffers under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    /// Records that no buffer was closed with.
    collecting: BTreeMap<CallerId, Vec<Origin>>,
    /// Closed buffers by their first record.
    closed: BTreeMap<Key, Buffer>,
}

#[derive(Clone, Debug)]
struct Buffer {
    /// Without the first.
    members: Vec<Origin>,
    /// Runs under way.
    runs: u32,
    /// Whether the first record has its fate.
    is_over: bool,
}

impl Buffers {
    /// A fact; gives what it says of the other records of its buffer.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few facts are about buffers")]
    pub(super) fn others(&mut self, settings: Settings<'_>, fact: &Fact) -> Vec<Fact> {
        match *fact {
            Fact::CallSubmitted { origin } => {
                if matches!(settings.0.callers[origin.caller].via.passage, Passage::Firehose(_)) {
                    self.collecting.entry(origin.caller).or_default().push(origin);
                }
            }
            Fact::Front(FrontFact::BufferClosed { caller, ref origin, .. }) => {
                let mut members = self.collecting.remove(&caller).unwrap_or_default();
                members.retain(|member| member != origin);
                self.closed.insert(key(origin), Buffer { members, runs: 0, is_over: false });
                return self.told(fact);
            }
            Fact::RunStarted { .. } => {
                self.with(fact, |buffer| buffer.runs += 1);
                return self.told(fact);
            }
            Fact::Throttled { .. } | Fact::Front(FrontFact::ProcessingFailed { .. }) => return self.told(fact),
            Fact::RunEnded { .. } => {
                let others = self.told(fact);
                self.with(fact, |buffer| buffer.runs -= 1);
                return others;
            }
            Fact::CallFinished { .. } => self.with(fact, |buffer| buffer.is_over = true),
            _ => {}
        }
        Vec::new()
    }

    /// Changes the buffer whose first record a fact names, and forgets it when nothing more can be said of it.
    fn with(&mut self, fact: &Fact, change: impl FnOnce(&mut Buffer)) {
        let Some(key) = origin(fact).filter(|origin| origin.branch == 0).map(key) else { return };
        let Some(buffer) = self.closed.get_mut(&key) else { return };
        change(buffer);
        if buffer.is_over && buffer.runs == 0 {
            self.closed.remove(&key);
        }
    }

    /// The same of each other record of the buffer.
    fn told(&self, fact: &Fact) -> Vec<Fact> {
        let Some(first) = origin(fact).filter(|origin| origin.branch == 0) else { return Vec::new() };
        let Some(buffer) = self.closed.get(&key(first)) else { return Vec::new() };
        buffer.members.iter().filter_map(|member| about(fact, *member)).collect()
    }
}

/// The same fact of another record.
#[allow(clippy::wildcard_enum_match_arm, reason = "few facts are about buffers")]
fn about(fact: &Fact, other: Origin) -> Option<Fact> {
    let mut fact = *fact;
    match &mut fact {
        Fact::Throttled { origin, .. }
        | Fact::RunStarted { origin, .. }
        | Fact::RunEnded { origin, .. }
        | Fact::Front(FrontFact::BufferClosed { origin, .. } | FrontFact::ProcessingFailed { origin, .. }) => {
            *origin = other;
        }
        _ => return None,
    }
    Some(fact)
}
