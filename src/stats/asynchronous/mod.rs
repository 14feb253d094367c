//! Events in the internal queue of one function: how they ended, how long they waited, and who was told
//! (contract, `functions.N.async_*` and what follows).

mod facts;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::histogram::Coarse;
use super::series::Recorder;
use super::summary::{AsynchronousSummary, DestinationDeliveries, Flow, Keeps};
use crate::aws::fact::{Condition, DeliveryKind, Origin, Record, ReturnCause};
use crate::aws::ids::FunctionId;
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

/// Counts of one function's events. Those without a word to the contrary are of what was submitted at or after the
/// warm-up.
#[derive(Clone, Debug)]
pub(super) struct AsynchronousStats {
    keeps: Keeps,
    received: u64,
    succeeded: u64,
    /// By [`Condition::DROPS`].
    dropped: [u64; DROPS],
    age: Coarse,
    latency: Coarse,
    queue_time: Coarse,
    retries: u64,
    throttle_retries: u64,
    /// By [`DeliveryKind`].
    delivered: [u64; KINDS],
    undelivered: [u64; KINDS],
    /// The last dispatch, until its run starts.
    dispatch: Option<Dispatch>,
    /// The latest events of which one of two deliveries failed, oldest first.
    half_lost: VecDeque<Origin>,
    lost: u64,
    /// Acceptances and ends of the warm-up's events, for the conservation.
    received_before: u64,
    ended_before: u64,
    /// Events of all times that have not ended.
    open: u64,
}

const DROPS: usize = Condition::DROPS.len();
const KINDS: usize = 3;

/// Deliveries of one event to two places fail within moments of each other.
const HALF_LOST: usize = 256;

/// A dispatch whose run may start.
#[derive(Clone, Copy, Debug)]
struct Dispatch {
    origin: Origin,
    queued: SimTime,
    at: SimTime,
}

impl AsynchronousStats {
    pub(super) fn new(keeps: Keeps) -> Self {
        Self {
            keeps,
            received: 0,
            succeeded: 0,
            dropped: [0; _],
            age: Coarse::new(),
            latency: Coarse::new(),
            queue_time: Coarse::new(),
            retries: 0,
            throttle_retries: 0,
            delivered: [0; _],
            undelivered: [0; _],
            dispatch: None,
            half_lost: VecDeque::new(),
            lost: 0,
            received_before: 0,
            ended_before: 0,
            open: 0,
        }
    }

    /// An event came in.
    pub(super) fn accepted(&mut self, measured: bool) {
        self.open += 1;
        if measured {
            self.received += 1;
        } else {
            self.received_before += 1;
        }
    }

    /// INV-D35: the age has one datum for each dispatch that asks for a run.
    pub(super) fn dispatched(&mut self, now: SimTime, origin: Origin, accepted: SimTime, queued: SimTime) {
        self.age.record(now.since(accepted));
        self.dispatch = Some(Dispatch { origin, queued, at: now });
    }

    /// A measured run started. It ends the wait of an event if that was dispatched for it; a call's run, and the second
    /// run of a duplicate, are not.
    #[inline(never)]
    pub(super) fn started(&mut self, now: SimTime, origin: &Origin) {
        if let Some(dispatch) = self.dispatch.take_if(|last| last.at == now && last.origin == *origin) {
            self.queue_time.record(now.since(dispatch.queued));
        }
    }

    /// A measured event went back to the queue.
    pub(super) fn returned(&mut self, cause: ReturnCause) {
        match cause {
            ReturnCause::FunctionError => self.retries += 1,
            ReturnCause::Throttled | ReturnCause::ServiceError => self.throttle_retries += 1,
        }
    }

    /// An event of the warm-up ended.
    pub(super) fn ended_before(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.ended_before += 1;
    }

    /// A measured event ended.
    pub(super) fn ended(&mut self, now: SimTime, accepted: SimTime, condition: Condition) {
        self.open = self.open.saturating_sub(1);
        match Condition::DROPS.iter().position(|drop| *drop == condition) {
            None => {
                self.succeeded += 1;
                self.latency.record(now.since(accepted));
            }
            Some(place) => {
                self.dropped[place] += 1;
                self.lost += u64::from(self.keeps == Keeps::NOWHERE);
            }
        }
    }

    /// A measured event was delivered.
    pub(super) fn delivered(&mut self, kind: DeliveryKind) {
        self.delivered[kind as usize] += 1;
    }

    /// A delivery of a measured event failed for good (INV-O4).
    pub(super) fn delivery_failed(&mut self, record: &Record) {
        self.undelivered[record.kind as usize] += 1;
        if record.kind == DeliveryKind::OnSuccess {
            return;
        }
        if self.keeps != Keeps::BOTH {
            self.lost += 1;
        } else if let Some(place) = self.half_lost.iter().position(|origin| *origin == record.origin) {
            self.half_lost.remove(place);
            self.lost += 1;
        } else {
            // The other delivery may have succeeded, and nobody says so again; old ones make room.
            if self.half_lost.len() == HALF_LOST {
                self.half_lost.pop_front();
            }
            self.half_lost.push_back(record.origin);
        }
    }

    /// What it comes to.
    pub(super) fn summary(&mut self) -> AsynchronousSummary {
        let dropped: u64 = self.dropped.iter().sum();
        let conditions = Condition::DROPS.into_iter().zip(self.dropped);
        let recursive = conditions.clone().find(|(condition, _)| *condition == Condition::RecursiveInvocation);
        let (queue_time, queue_time_curve) = self.queue_time.report();
        let (age, age_curve) = self.age.report();
        let (latency, latency_curve) = self.latency.report();
        let of = |counts: &[u64; KINDS], kind: DeliveryKind| counts[kind as usize];
        AsynchronousSummary {
            recursive_invocations_dropped: recursive.map_or(0, |(_, count)| count),
            async_queue_time_ms: queue_time,
            async_events_received: self.received,
            async_events_succeeded: self.succeeded,
            async_events_dropped: dropped,
            async_events_dropped_by_condition: conditions
                .filter(|&(_, count)| count > 0)
                .map(|(condition, count)| (condition.as_str().to_owned(), count))
                .collect(),
            async_events_pending: self.received.saturating_sub(self.succeeded + dropped),
            async_event_age_ms: age,
            async_latency_ms: latency,
            async_retries: self.retries,
            async_throttle_retries: self.throttle_retries,
            dead_letters: of(&self.delivered, DeliveryKind::DeadLetterQueue),
            destination_deliveries: DestinationDeliveries {
                on_success: of(&self.delivered, DeliveryKind::OnSuccess),
                on_failure: of(&self.delivered, DeliveryKind::OnFailure),
            },
            dead_letter_errors: of(&self.undelivered, DeliveryKind::DeadLetterQueue),
            destination_delivery_failures: of(&self.undelivered, DeliveryKind::OnSuccess)
                + of(&self.undelivered, DeliveryKind::OnFailure),
            keeps: self.keeps,
            lost: self.lost,
            queue_time_curve,
            age_curve,
            latency_curve,
        }
    }

    /// Every event, the warm-up's included, and what became of it.
    pub(super) fn flow(&self) -> Flow {
        let entered = self.received + self.received_before;
        let out = self.succeeded + self.dropped.iter().sum::<u64>() + self.ended_before;
        Flow::new(entered, out, self.open)
    }
}

/// What a time series says; before the first event too.
pub(super) fn series(mut stats: Option<&mut AsynchronousStats>, to: &mut Recorder) {
    let of = |counts: &[u64; KINDS], kind: DeliveryKind| counts[kind as usize];
    let (counts, dropped, pending) = stats.as_deref().map_or(([0; 9], [0; DROPS], 0), |stats| {
        let dropped: u64 = stats.dropped.iter().sum();
        let counts = [
            stats.received,
            stats.succeeded,
            dropped,
            stats.retries,
            stats.throttle_retries,
            of(&stats.delivered, DeliveryKind::DeadLetterQueue),
            of(&stats.delivered, DeliveryKind::OnSuccess),
            of(&stats.delivered, DeliveryKind::OnFailure),
            of(&stats.undelivered, DeliveryKind::DeadLetterQueue),
        ];
        (counts, stats.dropped, stats.received.saturating_sub(stats.succeeded + dropped))
    });
    let keys = [
        "async_events_received",
        "async_events_succeeded",
        "async_events_dropped",
        "async_retries",
        "async_throttle_retries",
        "dead_letters",
        "destination_deliveries.on_success",
        "destination_deliveries.on_failure",
        "dead_letter_errors",
    ];
    for (key, total) in keys.into_iter().zip(counts) {
        to.count(key, total);
    }
    let conditions = Condition::DROPS.iter().map(|condition| condition.as_str());
    to.counts("async_events_dropped_by_condition", conditions.zip(dropped));
    to.number("async_events_pending", pending);
    to.lengths("async_event_age_ms", stats.as_deref_mut().map(|stats| &mut stats.age));
    to.lengths("async_latency_ms", stats.as_deref_mut().map(|stats| &mut stats.latency));
    to.lengths("async_queue_time_ms", stats.map(|stats| &mut stats.queue_time));
}

/// Who is told of failures, by the settings of a function and all that they change to.
pub(super) fn keeps(scenario: &Scenario, id: FunctionId) -> Keeps {
    let changed =
        scenario.system.changes.iter().filter_map(|change| change.action.function().filter(|(of, _)| *of == id));
    let changed = changed.map(|(_, settings)| settings);
    let mut keeps = Keeps::NOWHERE;
    for settings in changed.chain([&scenario.system.functions[id]]) {
        keeps.dead_letter_queue |= settings.asynchronous.dead_letter_queue.is_some();
        keeps.on_failure |= settings.asynchronous.on_failure.is_some();
    }
    keeps
}
