//! What AWS advises on queues that Lambda polls, and the scenario does not do (ESM-1.1, 1.5, 1.7, 1.8, 1.12).

use super::summary::Advice;
use crate::aws::config::{ChangeAction, EventSourceMapping, Function, Queue, QueueKind, Source, System};
use crate::aws::ids::{FunctionId, QueueId, Table};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// ESM-1.1: the visibility time-out is this many times the function's time-out, or more.
const TIMEOUTS: u64 = 6;

/// ESM-1.1: receives before a message is dead-lettered.
const RECEIVES: u32 = 5;

/// ESM-1.7: reserved concurrency.
const CONCURRENCY: u32 = 5;

/// What is to be said of a system: of its mappings and queues as they are at the start, and of what changes then.
pub(super) fn advice(system: &System) -> Vec<Advice> {
    let mut advice = Vec::new();
    for mapping in system.event_source_mappings.rows() {
        let Source::Queue(queue) = mapping.source else { continue };
        let (queue, function) = (&system.queues[queue], &system.functions[mapping.function]);
        advice.extend(little_concurrency(mapping, function));
        advice.extend(short_visibility(mapping, queue, function));
        advice.extend(outlasts(system, mapping));
    }
    advice.extend(system.functions.iter().filter_map(|(id, function)| beyond_reserved(system, id, function)));
    for (id, queue) in system.queues.iter() {
        advice.extend(filtered_for_others(system, id, queue));
        if system.event_source_mappings.rows().iter().any(|mapping| mapping.source == Source::Queue(id)) {
            advice.extend(redrive(queue));
        }
        advice.extend(short_retention(system, queue));
    }
    advice
}

fn little_concurrency(mapping: &EventSourceMapping, function: &Function) -> Option<Advice> {
    let reserved = function.reserved_concurrency.filter(|reserved| *reserved < CONCURRENCY)?;
    // ESM-1.8: what asks for no more than that does not pull too much.
    if mapping.sqs.maximum_concurrency.is_some_and(|limit| limit <= reserved) {
        return None;
    }
    Some(Advice::LittleConcurrency { mapping: mapping.name.clone(), function: function.name.clone(), reserved })
}

/// ESM-1.8.4.
fn beyond_reserved(system: &System, id: FunctionId, function: &Function) -> Option<Advice> {
    let reserved = function.reserved_concurrency?;
    let mappings = system.event_source_mappings.rows().iter().filter(|mapping| mapping.function == id);
    let maximum = mappings.filter_map(|mapping| mapping.sqs.maximum_concurrency).fold(0, u32::saturating_add);
    let name = function.name.clone();
    (maximum > reserved).then_some(Advice::ConcurrencyBeyondReserved { function: name, reserved, maximum })
}

/// ESM-1.12.4.
fn filtered_for_others(system: &System, id: QueueId, queue: &Queue) -> Option<Advice> {
    let mappings = || system.event_source_mappings.rows().iter().filter(|mapping| mapping.source == Source::Queue(id));
    let filtering = mappings().find(|mapping| mapping.filter < Ratio::ONE)?;
    let count = u32::try_from(mappings().count()).unwrap_or(u32::MAX);
    let (queue, mapping) = (queue.name.clone(), filtering.name.clone());
    (count > 1).then_some(Advice::FilteredForOthers { queue, mapping, mappings: count })
}

fn short_visibility(mapping: &EventSourceMapping, queue: &Queue, function: &Function) -> Option<Advice> {
    let window = mapping.maximum_batching_window;
    (queue.visibility_timeout < advised_visibility(function.timeout, window)).then(|| Advice::ShortVisibility {
        queue: queue.name.clone(),
        visibility_ms: queue.visibility_timeout.as_millis_ceil(),
        function: function.name.clone(),
        timeout_ms: function.timeout.as_millis_ceil(),
        window_ms: window.as_millis_ceil(),
    })
}

fn advised_visibility(timeout: SimDuration, window: SimDuration) -> SimDuration {
    timeout.times(TIMEOUTS).plus(window)
}

fn redrive(queue: &Queue) -> Option<Advice> {
    let name = queue.name.clone();
    match queue.redrive {
        None => Some(Advice::NoDeadLetterQueue { queue: name }),
        Some(redrive) if redrive.max_receive_count < RECEIVES => {
            Some(Advice::FewReceives { queue: name, max_receive_count: redrive.max_receive_count })
        }
        Some(_) => None,
    }
}

/// Messages keep their enqueue timestamp in a standard dead-letter queue; in a FIFO one they get a new one.
fn short_retention(system: &System, source: &Queue) -> Option<Advice> {
    let queue = &system.queues[source.redrive?.dead_letter_queue];
    let short = queue.kind == QueueKind::Standard && queue.message_retention <= source.message_retention;
    short.then(|| Advice::ShortRetention {
        queue: queue.name.clone(),
        retention_ms: queue.message_retention.as_millis_ceil(),
        source: source.name.clone(),
        source_ms: source.message_retention.as_millis_ceil(),
    })
}

/// The first change after which the function may run longer than its messages are hidden; AWS checks that only when a
/// mapping is made or updated.
fn outlasts(system: &System, mapping: &EventSourceMapping) -> Option<Advice> {
    let Source::Queue(queue) = mapping.source else { return None };
    let mut now = Settings::at_start(system, queue, mapping.function);
    if now.outlasts() {
        return Some(now.advice(SimTime::ZERO));
    }
    let mut changes: Vec<_> = system.changes.iter().collect();
    changes.sort_by_key(|change| change.at);
    changes.into_iter().find_map(|change| {
        let concerns = match &change.action {
            ChangeAction::Queue(id, settings) if *id == queue => {
                now.queue = settings;
                true
            }
            ChangeAction::Function(id, settings) if *id == mapping.function => {
                now.function = settings;
                true
            }
            ChangeAction::Queue(..)
            | ChangeAction::Function(..)
            | ChangeAction::Account(_)
            | ChangeAction::Mapping(..)
            | ChangeAction::Stream(..)
            | ChangeAction::StateMachine(..)
            | ChangeAction::Redrive { .. }
            | ChangeAction::Client(..)
            | ChangeAction::Dependency(..)
            | ChangeAction::Deploy(_) => false,
        };
        (concerns && now.outlasts()).then(|| now.advice(change.at))
    })
}

/// A queue and a function as they are at a moment.
struct Settings<'a> {
    queue: &'a Queue,
    function: &'a Function,
}

impl<'a> Settings<'a> {
    fn at_start(system: &'a System, queue: QueueId, function: FunctionId) -> Self {
        let (queues, functions): (&Table<QueueId, _>, &Table<FunctionId, _>) = (&system.queues, &system.functions);
        Self { queue: &queues[queue], function: &functions[function] }
    }

    fn outlasts(&self) -> bool {
        self.function.timeout > self.queue.visibility_timeout
    }

    fn advice(&self, at: SimTime) -> Advice {
        Advice::OutlastsVisibility {
            queue: self.queue.name.clone(),
            visibility_ms: self.queue.visibility_timeout.as_millis_ceil(),
            function: self.function.name.clone(),
            timeout_ms: self.function.timeout.as_millis_ceil(),
            at_ms: at.as_nanos().div_ceil(1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ms, scenario_with_mapping};
    use super::*;
    use crate::aws::config::{Change, Redrive};
    use crate::aws::ids::Id;

    const SECOND: u64 = 1_000;

    fn system() -> System {
        scenario_with_mapping().system
    }

    fn first<I: Id>() -> I {
        I::from_index(0)
    }

    /// ESM-A46.
    #[test]
    fn esm_a46_advised_visibility() {
        for (timeout, window, advised) in [(30, 20, 200), (900, 0, 5_400)] {
            let (timeout, window) = (SimDuration::from_secs(timeout), SimDuration::from_secs(window));
            assert_eq!(advised_visibility(timeout, window), SimDuration::from_secs(advised));
        }
    }

    #[test]
    fn a_system_as_aws_advises_gets_none() {
        assert_eq!(advice(&system()), []);
    }

    #[test]
    fn each_advice_has_its_reason() {
        let mut system = system();
        system.functions[first::<FunctionId>()].reserved_concurrency = Some(4);
        let queue = &mut system.queues[first::<QueueId>()];
        queue.visibility_timeout = SimDuration::from_secs(17);
        queue.redrive = queue.redrive.map(|redrive| Redrive { max_receive_count: 4, ..redrive });
        queue.message_retention = SimDuration::from_secs(1_209_600);
        let [queue, function, mapping, dead] = ["orders", "worker", "orders-worker", "dead"].map(str::to_owned);
        assert_eq!(
            advice(&system),
            [
                Advice::LittleConcurrency { mapping, function: function.clone(), reserved: 4 },
                Advice::ShortVisibility {
                    queue: queue.clone(),
                    visibility_ms: 17 * SECOND,
                    function,
                    timeout_ms: 3 * SECOND,
                    window_ms: 0
                },
                Advice::FewReceives { queue: queue.clone(), max_receive_count: 4 },
                Advice::ShortRetention {
                    queue: dead,
                    retention_ms: 1_209_600 * SECOND,
                    source: queue.clone(),
                    source_ms: 1_209_600 * SECOND
                },
            ]
        );
        system.queues[first::<QueueId>()].redrive = None;
        assert!(advice(&system).contains(&Advice::NoDeadLetterQueue { queue }));
    }

    /// ESM-1.8.4: more than is reserved, over all mappings. ESM-1.12.4: a filter on a queue that others read.
    #[test]
    fn advice_on_several_mappings() {
        let mut system = system();
        system.functions[first::<FunctionId>()].reserved_concurrency = Some(10);
        let mut second = system.event_source_mappings.rows()[0].clone();
        "second".clone_into(&mut second.name);
        second.sqs.maximum_concurrency = Some(10);
        let second = system.event_source_mappings.push(second);
        assert_eq!(advice(&system), []);
        system.event_source_mappings[second].sqs.maximum_concurrency = Some(11);
        system.event_source_mappings[second].filter = Ratio::ZERO;
        let [queue, function, mapping] = ["orders", "worker", "second"].map(str::to_owned);
        assert_eq!(
            advice(&system),
            [
                Advice::ConcurrencyBeyondReserved { function, reserved: 10, maximum: 11 },
                Advice::FilteredForOthers { queue, mapping, mappings: 2 },
            ]
        );
    }

    /// ESM-1.1: a queue may be changed later to a bad state.
    #[test]
    fn a_change_may_bring_the_bad_state() {
        let mut system = system();
        let id: QueueId = first();
        for (at, seconds) in [(2_000, 2), (1_000, 3), (3_000, 1)] {
            let settings = Queue { visibility_timeout: SimDuration::from_secs(seconds), ..system.queues[id].clone() };
            system.changes.push(Change { at: ms(at), action: ChangeAction::Queue(id, Box::new(settings)) });
        }
        let (queue, function) = ("orders".to_owned(), "worker".to_owned());
        let expected = Advice::OutlastsVisibility {
            queue,
            visibility_ms: 2 * SECOND,
            function,
            timeout_ms: 3 * SECOND,
            at_ms: 2_000,
        };
        assert_eq!(advice(&system), [expected]);
    }
}
