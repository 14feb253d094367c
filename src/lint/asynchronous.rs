//! Asynchronous invocation: what becomes of events that fail (INV-O1, O2, Q12).

use super::settings::{LONGEST_RETENTION, SECOND, new_name, rounded};
use super::{Check, Context, Finding};
use crate::aws::config::{CallTarget, Function, Invocation, Target};
use crate::aws::ids::FunctionId;
use crate::kernel::time::SimDuration;

/// INV-Q11: the greatest age.
const LONGEST_AGE: SimDuration = SimDuration::from_secs(21_600);

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (id, function, key) in context.functions() {
        if takes_events(context, id) {
            findings.extend(no_destination(context, function, &key));
            findings.extend(age_below_retries(function, &key));
        }
    }
}

/// Whether something invokes it asynchronously.
fn takes_events(context: &Context<'_>, id: FunctionId) -> bool {
    let (system, target) = (context.system, Target::Function(id));
    let callers = system.callers.rows().iter();
    let routes = system.topics.rows().iter().flat_map(|topic| &topic.routes);
    let routes = routes.chain(system.event_buses.rows().iter().flat_map(|bus| &bus.routes));
    let mut routes = routes.chain(system.buckets.rows().iter().flat_map(|bucket| &bucket.routes));
    let mut functions = system.functions.rows().iter();
    callers.into_iter().any(|caller| caller.target == target && caller.invocation == Invocation::Async)
        || routes.any(|route| route.to == target)
        || functions.any(|function| {
            let events = &function.asynchronous;
            let mut calls = function.calls.iter().flat_map(|step| &step.calls);
            [events.on_success, events.on_failure].contains(&Some(target))
                || calls.any(|call| call.to == CallTarget::Function(id, Invocation::Async))
        })
}

fn no_destination(context: &Context<'_>, function: &Function, key: &str) -> Option<Finding> {
    let events = &function.asynchronous;
    if events.dead_letter_queue.is_some() || events.on_failure.is_some() {
        return None;
    }
    let tries = events.maximum_retry_attempts + 1;
    let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
    let message = format!("an event that `{}` fails {times}, or that waits too long, is lost", function.name);
    let name = new_name(context.system, &format!("{}-failures", function.name));
    let key = format!("{key}.async.on_failure");
    let finding = Finding::new(Check::NoDestination, key.clone(), message);
    let queue = format!("{{message_retention: {LONGEST_RETENTION}}}");
    Some(finding.set(format!("queues.{name}"), queue).set(key, name))
}

/// INV-Q12: an event ends where its next attempt is due at its greatest age or later.
fn age_below_retries(function: &Function, key: &str) -> Option<Finding> {
    let events = &function.asynchronous;
    let delays = |retries: u32| {
        let last = events.retry_delays.last().copied().unwrap_or_default();
        let of = |index: u32| events.retry_delays.get(index as usize).copied().unwrap_or(last);
        (0..retries).map(of).fold(SimDuration::ZERO, SimDuration::plus)
    };
    let all = delays(events.maximum_retry_attempts);
    if events.maximum_retry_attempts == 0 || all < events.maximum_event_age {
        return None;
    }
    let reached = (0..events.maximum_retry_attempts).rev().find(|retries| delays(*retries) < events.maximum_event_age);
    let reached = reached.unwrap_or(0);
    let message = format!(
        "an event of `{}` may wait for {}, and retry {} is due after {all}: at most {reached} of {} retries are made",
        function.name, events.maximum_event_age, events.maximum_retry_attempts, events.maximum_retry_attempts
    );
    let key = format!("{key}.async.maximum_event_age");
    let finding = Finding::new(Check::AgeBelowRetries, key.clone(), message);
    let runs = function.timeout.times(u64::from(events.maximum_retry_attempts));
    let enough = rounded(all.plus(runs).plus(SECOND)).min(LONGEST_AGE);
    Some(if enough > all {
        finding.set(key, enough)
    } else {
        finding.set(format!("functions.{}.async.maximum_retry_attempts", function.name), reached)
    })
}
