//! How far retries go, by the settings that decide about them.

use super::{Cause, Reach, Retries};
use crate::aws::config::{Asynchronous, Backoff, Client, DeliveryPolicy, Extent, RetryPhase};
use crate::kernel::time::SimDuration;

/// What a service that delivers tries again, until what it delivers is accepted.
pub(super) fn of_policy(who: &str, policy: &DeliveryPolicy) -> Vec<Retries> {
    let reach = policy.extent().map_or(Reach::Until(None), Reach::Attempts);
    let mut all = Vec::new();
    add(&mut all, who, vec![Cause::Throttle, Cause::ServiceError], reach);
    all
}

/// What a client tries again.
pub(super) fn of_client(who: &str, client: &Client) -> Vec<Retries> {
    if let Some(policy) = &client.policy {
        return of_policy(who, policy);
    }
    let on = client.retry_on;
    let waited = on.timeout.then_some(client.timeout).flatten();
    let causes = [
        (on.throttle, Cause::Throttle, client.throttle_backoff, None),
        (on.service_error, Cause::ServiceError, client.backoff, None),
        (on.function_error, Cause::FunctionError, client.backoff, None),
        (waited.is_some(), Cause::Timeout, client.backoff, waited),
    ];
    let mut all: Vec<Retries> = Vec::new();
    for (_, cause, backoff, waited) in causes.into_iter().filter(|(is_tried_again, ..)| *is_tried_again) {
        add(&mut all, who, vec![cause], reach_of(backoff.extent(client.max_attempts), waited));
    }
    all
}

/// One more cause of retries; together with others that go as far. One attempt is none.
pub(super) fn add(all: &mut Vec<Retries>, who: &str, after: Vec<Cause>, reach: Reach) {
    if after.is_empty() || reach.attempts() == Some(1) {
        return;
    }
    match all.iter_mut().find(|other| other.who == who && other.reach == reach) {
        Some(other) => other.after.extend(after),
        None => all.push(Retries { who: who.to_owned(), is_queued: false, after, reach }),
    }
}

/// How far attempts go of which each takes so long.
pub(super) fn reach_of(extent: Extent, each: Option<SimDuration>) -> Reach {
    let waited = each.unwrap_or(SimDuration::ZERO).times(u64::from(extent.attempts - 1));
    Reach::Attempts(Extent { over: extent.over.plus(waited), ..extent })
}

/// INV-Q7 to Q11: what Lambda tries again once it has accepted an event.
pub(super) fn of_queue(settings: &Asynchronous) -> [Retries; 2] {
    let last = settings.retry_delays.last().copied().unwrap_or(SimDuration::ZERO);
    let delays = settings.retry_delays.iter().copied().chain(std::iter::repeat(last));
    let over = delays.take(settings.maximum_retry_attempts as usize).fold(SimDuration::ZERO, SimDuration::plus);
    let errors = Extent { attempts: settings.maximum_retry_attempts + 1, over };
    [
        queued(vec![Cause::FunctionError], Reach::Attempts(errors)),
        queued(vec![Cause::Throttle, Cause::ServiceError], within(settings.backoff, Some(settings.maximum_event_age))),
    ]
}

fn queued(after: Vec<Cause>, reach: Reach) -> Retries {
    Retries { who: LAMBDA.to_owned(), is_queued: true, after, reach }
}

pub(super) const LAMBDA: &str = "Lambda";

/// What a mapping tries again.
pub(super) fn polled(who: &str, after: &[Cause], reach: Reach) -> Retries {
    Retries { who: who.to_owned(), is_queued: false, after: after.to_vec(), reach }
}

/// Waits without a number, until an age.
pub(super) fn within(backoff: Backoff, maximum_event_age: Option<SimDuration>) -> Reach {
    let phases = vec![RetryPhase { times: u32::MAX, backoff }];
    let policy = DeliveryPolicy { phases, maximum_retry_attempts: None, maximum_event_age };
    policy.extent().map_or(Reach::Until(None), Reach::Attempts)
}
