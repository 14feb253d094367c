//! The steps of what topics, event buses and buckets receive and pass on.

use super::rules::{self, Rule};
use super::step::{StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::Target;
use crate::aws::fact::{Origin, PlaceDelivery, PlaceFact, PlaceFailure, Undelivered};
use crate::kernel::time::SimTime;

/// What a fact about a place is about: what the place received.
pub(super) fn place_origin(fact: &PlaceFact) -> &Origin {
    match fact {
        PlaceFact::Received { origin, .. } => origin,
        PlaceFact::Delivered { delivery, .. }
        | PlaceFact::DeliveryRetried { delivery, .. }
        | PlaceFact::DeliveryFailed { delivery, .. } => &delivery.origin,
    }
}

/// What happens in a place.
pub(super) fn tell<'a>(settings: Settings<'a>, now: SimTime, fact: &PlaceFact) -> Told<'a> {
    let by = |place, kind, rule, detail| Told { actor: settings.target(place), kind, run: None, rule, detail };
    match *fact {
        PlaceFact::Received { place, bytes, deliveries, .. } => {
            let then = match deliveries {
                0 => "it is for nobody".to_owned(),
                1 => "it is for one target".to_owned(),
                several => format!("it is for {}", plural(several, "target")),
            };
            by(place, StepKind::PlaceReceived, None, format!("{bytes} bytes; {then}"))
        }
        PlaceFact::Delivered { delivery, attempt } => {
            let to = settings.target(delivery.to);
            let detail = match attempt {
                1 => to.to_owned(),
                _ => format!("{to}, at attempt {attempt}"),
            };
            by(delivery.place, StepKind::PassedOn, None, detail)
        }
        PlaceFact::DeliveryRetried { delivery, attempt, status, due } => {
            let (to, wait) = (settings.target(delivery.to), length(due.saturating_since(now)));
            let next = format!("waits {wait}, attempt {} is due at {}", attempt.saturating_add(1), moment(due));
            let detail = format!("{to}: attempt {attempt} with {status}; {next}");
            by(delivery.place, StepKind::PassRetried, retry_rule(delivery.place), detail)
        }
        PlaceFact::DeliveryFailed { delivery, attempts, cause, fate } => {
            let (rule, why) = why(&delivery, cause);
            let (to, attempts) = (settings.target(delivery.to), plural(attempts, "attempt"));
            let fate = match fate {
                Undelivered::Lost => "it is lost".to_owned(),
                Undelivered::DeadLettered(queue) => format!("{} gets it as dead letter", settings.target(queue)),
                Undelivered::Refused(queue, status) => {
                    format!("its dead-letter queue {} refuses it with {status}: it is lost", settings.target(queue))
                }
            };
            by(delivery.place, StepKind::PassFailed, rule, format!("{to}, after {attempts}: {why}; {fate}"))
        }
    }
}

/// Why a delivery was given up.
fn why(delivery: &PlaceDelivery, cause: PlaceFailure) -> (Option<&'static Rule>, String) {
    match cause {
        PlaceFailure::MaximumRetryAttempts(status) => {
            (retry_rule(delivery.place), format!("status {status}, and no retries are left"))
        }
        PlaceFailure::MaximumEventAge(status) => {
            (retry_rule(delivery.place), format!("status {status}, and at the next try it would be too old"))
        }
        PlaceFailure::TooLarge => (Some(&rules::PLACE_REFUSED), "it is larger than the target takes".to_owned()),
        PlaceFailure::RecursiveInvocation => {
            (Some(&rules::RECURSION), "this chain of requests may not run the function again".to_owned())
        }
    }
}

/// How a place tries again.
fn retry_rule(place: Target) -> Option<&'static Rule> {
    match place {
        Target::Topic(_) => Some(&rules::TOPIC_RETRIES),
        Target::EventBus(_) => Some(&rules::BUS_RETRIES),
        Target::Bucket(_) => Some(&rules::BUCKET_RETRIES),
        Target::Queue(_) | Target::Function(_) | Target::Stream(_) | Target::Broker(_) | Target::StateMachine(_) => {
            None
        }
    }
}

/// What the first sentences of a story need of deliveries of places.
#[derive(Clone, Debug, Default)]
pub(super) struct Deliveries {
    made: u32,
    open: u32,
    /// When the last one was made.
    last: Option<SimTime>,
    /// Those that were given up: when, to whom, and what became of them.
    failed: Vec<(SimTime, Target, Undelivered)>,
    received: bool,
}

impl Deliveries {
    /// A fact about one of them.
    pub(super) fn note(&mut self, now: SimTime, fact: &PlaceFact) {
        match *fact {
            PlaceFact::Received { deliveries, .. } => {
                self.open += deliveries;
                self.received = true;
            }
            PlaceFact::Delivered { .. } => {
                (self.made, self.last) = (self.made + 1, Some(now));
                self.open = self.open.saturating_sub(1);
            }
            PlaceFact::DeliveryFailed { delivery, fate, .. } => {
                self.failed.push((now, delivery.to, fate));
                self.open = self.open.saturating_sub(1);
            }
            PlaceFact::DeliveryRetried { .. } => {}
        }
    }

    /// Whether something reached a place.
    pub(super) const fn any(&self) -> bool {
        self.received
    }

    /// Whether all were made; nothing while one waits.
    pub(super) fn good(&self) -> Option<bool> {
        match (self.failed.is_empty(), self.open) {
            (false, _) => Some(false),
            (true, 0) => Some(true),
            (true, _) => None,
        }
    }

    /// What became of them.
    pub(super) fn told(&self, settings: Settings<'_>, submitted: SimTime, ended: &str) -> Vec<String> {
        let after = |at: SimTime| format!("{} after it was submitted", length(at.since(submitted)));
        let mut sentences = Vec::new();
        match (self.made, self.last) {
            (1, Some(at)) => sentences.push(format!("One delivery of it was made, {}.", after(at))),
            (made, Some(at)) => sentences.push(format!("{made} deliveries of it were made, the last {}.", after(at))),
            (_, None) if self.open == 0 && self.failed.is_empty() => sentences.push("It was for nobody.".to_owned()),
            (_, None) => {}
        }
        for (at, to, fate) in self.failed.iter().take(TOLD) {
            let fate = match fate {
                Undelivered::Lost => "was lost".to_owned(),
                Undelivered::DeadLettered(queue) => {
                    format!("went to the dead-letter queue {}", settings.target(*queue))
                }
                Undelivered::Refused(queue, _) => {
                    format!("was lost, as the dead-letter queue {} refused it", settings.target(*queue))
                }
            };
            sentences.push(format!("What was for {} {fate}, {}.", settings.target(*to), after(*at)));
        }
        if self.failed.len() > TOLD {
            sentences.push(format!("{} other deliveries were given up.", self.failed.len() - TOLD));
        }
        match self.open {
            0 => {}
            1 => sentences.push(format!("One delivery still waited when the simulation ended at {ended}.")),
            open => sentences.push(format!("{open} deliveries still waited when the simulation ended at {ended}.")),
        }
        sentences
    }
}

/// Deliveries that failed and are told one by one, at most.
const TOLD: usize = 3;
