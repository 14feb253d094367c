//! Services that answer HTTP requests with what a function says.

use super::{Amount, Row, Wait};
use crate::aws::config::FrontDoor;
use crate::aws::limits;

/// What a door does. It tries nothing again.
pub(super) fn fill(row: &mut Row, door: &FrontDoor) {
    let statuses = &door.statuses;
    row.waits = door.timeout.map_or(Wait::Run, Wait::AtMost);
    row.throttle = format!("the client gets {}", statuses.throttle);
    let cut = match statuses.function_timeout {
        cut if cut == statuses.function_error => String::new(),
        cut => format!(", or {cut} where the function's time-out cuts it"),
    };
    row.error = format!("the client gets {}{cut}", statuses.function_error);
    row.failures = match door.timeout {
        Some(_) => format!("the client sees the status; {} at the time-out", statuses.timeout),
        None => "the client sees the status".to_owned(),
    };
    if let Some(limit) = &door.rate_limit {
        row.limit(
            if limit.is_shared { "requests, all APIs together" } else { "requests of a Region" },
            Amount::PerTime(limit.rate),
        );
        row.limit("of them at once", Amount::Count(u64::from(limit.burst)));
    }
    if let Some(limit) = door.concurrency_limit {
        row.limit("runs of a Region", Amount::Count(u64::from(limit)));
    }
    row.limit("request", Amount::Bytes(door.request_bytes));
    row.limit("answer", Amount::Bytes(door.response_bytes.unwrap_or(limits::SYNCHRONOUS_PAYLOAD_BYTES)));
}
