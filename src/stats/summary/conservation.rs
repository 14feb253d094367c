//! Whether everything that entered has exactly one fate, in the summary.

use serde::Serialize;

use super::Named;

/// Everything that entered has exactly one fate, or is still inside. Counts everything, the warm-up included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conservation {
    /// Calls.
    pub callers: Named<Flow>,
    /// Runs.
    pub functions: Named<Flow>,
    /// Events in the internal queue of each function.
    pub async_events: Named<Flow>,
    /// Messages in each queue.
    pub queues: Named<Flow>,
    /// Records in each stream; out is what every reader has handled, and without a reader what expired.
    pub streams: Named<Flow>,
    /// Records for each mapping of a stream or a broker. Mappings of one consumer group, and of one broker, share theirs.
    pub event_source_mappings: Named<Flow>,
    /// Requests that dependencies took.
    pub dependencies: Named<Flow>,
    /// Deliveries of topics, and messages that are for nobody.
    pub topics: Named<Flow>,
    /// Deliveries of event buses, and events that are for nobody.
    pub event_buses: Named<Flow>,
    /// Deliveries of buckets, and objects that are for nobody.
    pub buckets: Named<Flow>,
    /// Messages at each broker.
    pub brokers: Named<Flow>,
    /// Executions of each state machine.
    pub state_machines: Named<Flow>,
    /// Over all.
    pub holds: bool,
}

/// One balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// Entered.
    #[serde(rename = "in")]
    pub entered: u64,
    /// Ended.
    pub out: u64,
    /// Still inside.
    pub left: u64,
    /// `in = out + left`.
    pub holds: bool,
}

impl Conservation {
    /// All balances with the names of what they are about.
    pub fn flows(&self) -> impl Iterator<Item = (&str, &Flow)> {
        let Self {
            callers,
            functions,
            async_events,
            queues,
            streams,
            event_source_mappings,
            dependencies,
            topics,
            event_buses,
            buckets,
            brokers,
            state_machines,
            holds: _,
        } = self;
        let of_calls = [callers, functions, async_events, queues, streams];
        let of_others = [event_source_mappings, dependencies, topics, event_buses, buckets, brokers, state_machines];
        of_calls.into_iter().chain(of_others).flat_map(Named::iter)
    }
}

impl Flow {
    /// A balance; whether it holds follows.
    pub(in crate::stats) const fn new(entered: u64, out: u64, left: u64) -> Self {
        Self { entered, out, left, holds: entered == out + left }
    }
}
