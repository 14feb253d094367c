//! Times and settings in words.

use std::fmt::Write as _;

use crate::aws::config::{
    Broker, ChangeAction, Client, EventSourceMapping, Function, Queue, Source, Stream, StreamKind, System, Target,
};
use crate::aws::fact::MappingFact;
use crate::aws::ids::{
    BrokerId, CallerId, DependencyId, ErrorId, FunctionId, MappingId, QueueId, StateMachineId, StateNameId, StreamId,
};
use crate::kernel::time::{SimDuration, SimTime};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// The moment in milliseconds, exact: `0`, `62000`, `0.000001`.
pub fn milliseconds(at: SimTime) -> String {
    decimal(at.as_nanos(), MILLISECOND)
}

/// `number / unit` for a power of ten, without zeros at the end.
fn decimal(number: u64, unit: u64) -> String {
    let (whole, rest) = (number / unit, number % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let text = format!("{whole}.{rest:0digits$}");
    text.trim_end_matches('0').to_owned()
}

/// A length for people: exact down to a millisecond, and below a second to a microsecond: `62 s`, `1.05 s`, `250 ms`.
pub(super) fn length(length: SimDuration) -> String {
    let nanos = length.as_nanos();
    if nanos == 0 {
        return "0 s".to_owned();
    }
    let micros = rounded(nanos, 1_000);
    if nanos < 1_000 || micros < 1_000 * 1_000 {
        let nanos = if nanos < 1_000 { nanos } else { micros * 1_000 };
        return format!("{} ms", decimal(nanos, MILLISECOND));
    }
    format!("{} s", decimal(rounded(nanos, MILLISECOND) * MILLISECOND, SECOND))
}

fn rounded(number: u64, unit: u64) -> u64 {
    number / unit + u64::from(number % unit >= unit / 2)
}

/// A moment of the run's clock for people, in seconds: exact down to a millisecond, and in the first ten of them to a
/// microsecond.
pub fn moment(at: SimTime) -> String {
    let nanos = at.as_nanos();
    let unit = if nanos < 10 * MILLISECOND { 1_000 } else { MILLISECOND };
    format!("{} s", decimal(rounded(nanos, unit).saturating_mul(unit), SECOND))
}

/// `1 run`, `2 runs`.
pub(super) fn plural(number: u32, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => {
            let mut text = first.join(", ");
            let _ = write!(text, " and {last}");
            text
        }
    }
}

/// Names and settings of a scenario, also those that change while it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings<'a>(pub(super) &'a System);

impl<'a> Settings<'a> {
    pub(super) fn caller(self, id: CallerId) -> &'a str {
        &self.0.callers[id].name
    }

    pub(super) fn function(self, id: FunctionId) -> &'a str {
        &self.0.functions[id].name
    }

    pub(super) fn queue(self, id: QueueId) -> &'a str {
        &self.0.queues[id].name
    }

    pub(super) fn broker(self, id: BrokerId) -> &'a Broker {
        &self.0.brokers[id]
    }

    pub(super) fn mapping(self, id: MappingId) -> &'a str {
        &self.0.event_source_mappings[id].name
    }

    pub(super) fn state_machine(self, id: StateMachineId) -> &'a str {
        &self.0.state_machines[id].name
    }

    pub(super) fn state(self, id: StateNameId) -> &'a str {
        &self.0.state_names[id]
    }

    pub(super) fn error(self, id: ErrorId) -> &'a str {
        &self.0.errors[id]
    }

    pub(super) fn dependency(self, id: DependencyId) -> &'a str {
        &self.0.dependencies[id].name
    }

    pub(super) fn target(self, target: Target) -> &'a str {
        match target {
            Target::Queue(id) => &self.0.queues[id].name,
            Target::Topic(id) => &self.0.topics[id].name,
            Target::EventBus(id) => &self.0.event_buses[id].name,
            Target::Bucket(id) => &self.0.buckets[id].name,
            Target::Function(id) => &self.0.functions[id].name,
            Target::Stream(id) => &self.0.streams[id].name,
            Target::Broker(id) => &self.0.brokers[id].name,
            Target::StateMachine(id) => &self.0.state_machines[id].name,
        }
    }

    /// The function's settings at a moment.
    pub(super) fn function_at(self, id: FunctionId, now: SimTime) -> &'a Function {
        self.last(now, |action| action.function().filter(|(of, _)| *of == id).map(|(_, settings)| settings))
            .unwrap_or(&self.0.functions[id])
    }

    /// The function's settings of asynchronous invocation that are in force at a moment (INV-E22).
    pub(super) fn asynchronous_at(self, id: FunctionId, now: SimTime) -> &'a crate::aws::config::Asynchronous {
        let late = self.0.account.configuration_propagation;
        let known = now.saturating_since(SimTime::ZERO).saturating_sub(late);
        let known = SimTime::ZERO.plus(known);
        // What holds from the start has always been known.
        let settings =
            if now.since(SimTime::ZERO) < late { &self.0.functions[id] } else { self.function_at(id, known) };
        &settings.asynchronous
    }

    /// The caller's client at a moment.
    pub(super) fn client_at(self, id: CallerId, now: SimTime) -> &'a Client {
        self.last(now, |action| action.client().filter(|(of, _)| *of == id).map(|(_, settings)| settings))
            .unwrap_or(&self.0.callers[id].client)
    }

    /// The queue's settings at a moment.
    pub(super) fn queue_at(self, id: QueueId, now: SimTime) -> &'a Queue {
        self.last(now, |action| action.queue().filter(|(of, _)| *of == id).map(|(_, settings)| settings))
            .unwrap_or(&self.0.queues[id])
    }

    /// The mapping's settings at a moment.
    pub(super) fn mapping_at(self, id: MappingId, now: SimTime) -> &'a EventSourceMapping {
        self.last(now, |action| action.mapping().filter(|(of, _)| *of == id).map(|(_, settings)| settings))
            .unwrap_or(&self.0.event_source_mappings[id])
    }

    /// The stream's settings at a moment.
    pub(super) fn stream_at(self, id: StreamId, now: SimTime) -> &'a Stream {
        self.last(now, |action| action.stream().filter(|(of, _)| *of == id).map(|(_, settings)| settings))
            .unwrap_or(&self.0.streams[id])
    }

    /// What the mapping polls that a fact is about.
    pub(super) fn source_of(self, fact: &MappingFact) -> Source {
        let mapping = match *fact {
            MappingFact::Polled { mapping, .. }
            | MappingFact::PolledEmpty { mapping, .. }
            | MappingFact::FilteredOut { mapping, .. }
            | MappingFact::Batched { mapping, .. }
            | MappingFact::BatchFormed { mapping, .. }
            | MappingFact::BatchInvoked { mapping, .. }
            | MappingFact::BatchRefused { mapping, .. }
            | MappingFact::BatchEnded { mapping, .. }
            | MappingFact::Pollers { mapping, .. } => mapping,
        };
        self.0.event_source_mappings[mapping].source
    }

    /// Who reads a stream or a broker: mappings of one group share the records.
    pub(super) fn groups_of(self, source: Source) -> Vec<Vec<MappingId>> {
        let mappings = || self.0.event_source_mappings.iter().filter(|(_, mapping)| mapping.source == source);
        let shares = |a: &EventSourceMapping, b: &EventSourceMapping| match source {
            Source::Queue(_) | Source::Broker(_) => true,
            Source::Stream(id) => {
                self.0.streams[id].kind == StreamKind::Kafka && a.stream.consumer_group == b.stream.consumer_group
            }
        };
        let mut groups: Vec<Vec<MappingId>> = Vec::new();
        for (id, mapping) in mappings() {
            let found = groups.iter_mut().find(|group| shares(&self.0.event_source_mappings[group[0]], mapping));
            match found {
                Some(group) => group.push(id),
                None => groups.push(vec![id]),
            }
        }
        groups
    }

    /// How long something about a submission may still come after all that is known to be under way has ended: a
    /// delivery between two tries, or the last run of a tumbling window.
    pub(super) fn grace(self) -> SimDuration {
        let changed = self.0.changes.iter().filter_map(|change| change.action.mapping().map(|(_, settings)| settings));
        let windows = self.0.event_source_mappings.rows().iter().chain(changed).map(|mapping| {
            let polling = &mapping.stream;
            if polling.tumbling_window.is_zero() {
                SimDuration::ZERO
            } else {
                SimDuration::from_nanos(
                    polling.tumbling_window.as_nanos().saturating_add(polling.tumbling_window_grace.as_nanos()),
                )
            }
        });
        windows.max().unwrap_or_default().max(self.longest_delivery_delay())
    }

    /// The longest that a delivery waits between two facts about it, under any settings.
    fn longest_delivery_delay(self) -> SimDuration {
        let changed = self.0.changes.iter().filter_map(|change| change.action.function().map(|(_, settings)| settings));
        let all = self.0.functions.rows().iter().chain(changed);
        all.map(|function| function.asynchronous.delivery.delay).max().unwrap_or_default()
    }

    /// The latest change up to `now` that is about something.
    fn last<T>(self, now: SimTime, about: impl Fn(&'a ChangeAction) -> Option<&'a T>) -> Option<&'a T> {
        let past = self.0.changes.iter().filter(|change| change.at <= now);
        let mut found: Option<(SimTime, &T)> = None;
        for change in past {
            if let Some(settings) = about(&change.action)
                && found.is_none_or(|(at, _)| change.at >= at)
            {
                found = Some((change.at, settings));
            }
        }
        found.map(|(_, settings)| settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_exact() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000001"),
            (1_500_000, "1.5"),
            (62_000_000_000, "62000"),
            (1_000_000_010, "1000.00001"),
            (u64::MAX, "18446744073709.551615"),
        ] {
            assert_eq!(milliseconds(SimTime::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn moments_are_in_seconds() {
        for (nanos, text) in [
            (0, "0 s"),
            (250_000, "0.00025 s"),
            (94_303_111, "0.094 s"),
            (62_000_000_000, "62 s"),
            (62_000_600_000, "62.001 s"),
        ] {
            assert_eq!(moment(SimTime::from_nanos(nanos)), text, "{nanos}");
        }
    }

    #[test]
    fn lengths_read_well() {
        for (nanos, text) in [
            (0, "0 s"),
            (1, "0.000001 ms"),
            (250_000, "0.25 ms"),
            (250_000_499, "250 ms"),
            (999_999_600, "1 s"),
            (62_000_000_000, "62 s"),
            (1_050_000_000, "1.05 s"),
            (812_345_678_901, "812.346 s"),
            (21_511_000_000_000, "21511 s"),
        ] {
            assert_eq!(length(SimDuration::from_nanos(nanos)), text, "{nanos}");
        }
    }
}
