//! Time that a piece of work takes.
#![allow(clippy::disallowed_types, reason = "benchmarks measure the wall clock; results never do")]

use std::time::Instant;

/// Runs `work` and returns its result and the nanoseconds of processor time it took, so that other work on the
/// machine does not count. Wall time where the system does not tell (other than Linux).
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let (wall, before) = (Instant::now(), processor_ns());
    let result = work();
    let elapsed = match (before, processor_ns()) {
        (Some(before), Some(after)) => after - before,
        _ => u64::try_from(wall.elapsed().as_nanos()).unwrap_or(u64::MAX),
    };
    (result, elapsed)
}

fn processor_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
