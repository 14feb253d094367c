//! What the tests of queues and mappings share: a queue, a function and a mapping in, what happened out.

use std::collections::BTreeMap;

use lambdasim::aws::fact::{Fact, MappingFact, MessageFact};
use serde_json::Value;

use crate::common::{Facts, ms, simulate};

/// What happened, in seconds. Messages are named by their submission.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// Starts of runs, with the first message of the batch.
    pub(crate) starts: Vec<(f64, u64)>,
    /// Sizes of the batches that were invoked, in order.
    pub(crate) sizes: Vec<u32>,
    pub(crate) received: Vec<(f64, u64)>,
    pub(crate) deleted: Vec<(f64, u64)>,
    /// Messages that went to the dead-letter queue, with their receives and runs.
    pub(crate) moved: Vec<(f64, u64, u32, u32)>,
    pub(crate) expired: Vec<(f64, u64)>,
    pub(crate) throttles: usize,
    pub(crate) empty_polls: u64,
    /// Runs under way: most at once.
    pub(crate) peak: u32,
    /// When each level was first reached.
    pub(crate) reached: BTreeMap<u32, f64>,
}

impl Story {
    pub(crate) fn of(facts: &Facts) -> Self {
        let (mut story, mut running) = (Self::default(), 0_u32);
        for (now, fact) in &facts.list {
            let at = ms(*now) / 1e3;
            match *fact {
                Fact::RunStarted { origin, .. } => {
                    story.starts.push((at, origin.submission));
                    running += 1;
                    story.peak = story.peak.max(running);
                    story.reached.entry(running).or_insert(at);
                }
                Fact::RunEnded { .. } => running -= 1,
                Fact::Throttled { .. } => story.throttles += 1,
                Fact::Mapping(MappingFact::BatchInvoked { records, .. }) => story.sizes.push(records),
                Fact::Mapping(MappingFact::PolledEmpty { receives, .. }) => story.empty_polls += receives,
                Fact::Message(MessageFact::Received { origin, .. }) => story.received.push((at, origin.submission)),
                Fact::Message(MessageFact::Deleted { origin, .. }) => story.deleted.push((at, origin.submission)),
                Fact::Message(MessageFact::Moved { origin, receives, runs, .. }) => {
                    story.moved.push((at, origin.submission, receives, runs));
                }
                Fact::Message(MessageFact::Expired { origin, at, .. }) => {
                    story.expired.push((ms(at) / 1e3, origin.submission));
                }
                _ => {}
            }
        }
        story
    }

    pub(crate) fn start_times(&self) -> Vec<f64> {
        self.starts.iter().map(|(at, _)| *at).collect()
    }
}

/// Runs a scenario with one queue `q`, its dead-letter queue `dlq`, one function and one mapping.
pub(crate) struct Case {
    pub(crate) queue: &'static str,
    pub(crate) function: &'static str,
    pub(crate) mapping: &'static str,
    pub(crate) arrivals: String,
    /// More of the caller.
    pub(crate) caller: &'static str,
    pub(crate) more: &'static str,
    pub(crate) duration: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        let (function, arrivals, duration) = ("duration: 1s", "at: [0s]".into(), "1s");
        Self { queue: "", function, mapping: "", arrivals, caller: "", more: "", duration }
    }
}

impl Case {
    pub(crate) fn yaml(&self) -> String {
        let Self { queue, function, mapping, arrivals, caller, more, duration } = self;
        format!(
            "duration: {duration}
functions: {{ f: {{ {function} }} }}
queues: {{ q: {{ {queue} }}, dlq: {{}} }}
event_source_mappings: {{ m: {{ source: q, function: f, {mapping} }} }}
callers: {{ c: {{ target: q, arrivals: {{ {arrivals} }}, {caller} }} }}
{more}"
        )
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts::of(&self.yaml())
    }

    /// The summary, as a user sees it.
    pub(crate) fn summary(&self) -> Value {
        simulate(&self.yaml())
    }

    pub(crate) fn story(&self) -> Story {
        Story::of(&self.facts())
    }
}

/// That many at once.
pub(crate) fn burst(messages: u32) -> String {
    format!("burst: {{ size: {messages} }}")
}
