//! Services that hand over events, and what Lambda does with them.

use super::defaults::{caller, caller_may_have};
use super::{Amount, Row, Wait, retries, services};
use crate::aws::config::{Caller, EventService, Service};
use crate::aws::limits;
use crate::kernel::time::SimDuration;

/// A service that hands over events.
pub(super) fn fill(row: &mut Row, service: Service, caller: &Caller, event: &EventService) {
    row.waits = event.callback_timeout.map_or(Wait::No, Wait::CallBack);
    row.retries = retries::of_client(service.name(), &caller.client);
    row.failures = refused(service, row.retries.is_empty()).into();
    accepted(row);
    if service == Service::Ses
        && let Some(timeout) = waiting(service)
    {
        row.limit("answer, with `invocation: sync`", Amount::Time(timeout));
    }
}

/// A client that sends events.
pub(super) fn fill_sdk(row: &mut Row, caller: &Caller) {
    row.waits = Wait::No;
    row.retries = retries::of_client("the SDK", &caller.client);
    row.failures = "the caller sees a refusal".into();
    accepted(row);
}

/// What holds of every event: it is accepted whatever the concurrency, and Lambda tries again.
pub(super) fn accepted(row: &mut Row) {
    let settings = services::asynchronous();
    row.throttle = "none: the event waits at Lambda".into();
    row.error = "Lambda runs the event again".into();
    row.retries.extend(retries::of_queue(&settings));
    row.limit("event", Amount::Bytes(limits::ASYNCHRONOUS_PAYLOAD_BYTES));
}

/// INV-6.10: how long a service waits that can also invoke synchronously.
fn waiting(service: Service) -> Option<SimDuration> {
    caller(&format!("via: {}, invocation: sync", service.key())).client.timeout
}

/// Where an event goes that Lambda does not accept.
fn refused(service: Service, is_tried_once: bool) -> &'static str {
    let has = |key: &str| caller_may_have(&format!("via: {{ {}: {{ {key}: q }} }}", service.key()));
    if service == Service::Cloudformation {
        "the stack fails"
    } else if has("dead_letter_queue") {
        "its dead-letter queue, or lost"
    } else if has("error_action") {
        "its error action, or lost"
    } else if is_tried_once {
        "lost at the first refusal"
    } else {
        "lost"
    }
}
