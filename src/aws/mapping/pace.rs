//! How fast provisioned pollers may receive: calls and bytes a second, with a second's worth at once (ESM-1.9). Passive.

use crate::aws::config::ProvisionedPollers;
use crate::kernel::quantity::Rate;
use crate::kernel::time::{SimDuration, SimTime};

/// What is saved up at most.
const BURST: SimDuration = SimDuration::from_secs(1);

/// The pace of one mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// When calls, and bytes, would be paid for at the limit.
    calls_paid: SimTime,
    bytes_paid: SimTime,
}

impl Pace {
    /// Nothing received yet.
    pub(super) const fn new() -> Self {
        Self { calls_paid: SimTime::ZERO, bytes_paid: SimTime::ZERO }
    }

    /// When so many pollers may receive next; a moment in the past is now.
    pub(super) fn ready_at(&self, config: &ProvisionedPollers, pollers: u32) -> SimTime {
        let call = self.calls_paid.plus(call(config.receives, pollers));
        earlier(call).max(earlier(self.bytes_paid))
    }

    /// A receive gave so many bytes.
    pub(super) fn received(&mut self, config: &ProvisionedPollers, pollers: u32, bytes: u64, now: SimTime) {
        self.calls_paid = self.calls_paid.max(now).plus(call(config.receives, pollers));
        let rate = Rate { events: config.throughput, per: SimDuration::from_secs(1) };
        self.bytes_paid = self.bytes_paid.max(now).plus(shared(rate, bytes, pollers));
    }
}

fn call(rate: Rate, pollers: u32) -> SimDuration {
    shared(rate, 1, pollers)
}

/// How long so many events take at the rate of each of the pollers.
fn shared(rate: Rate, events: u64, pollers: u32) -> SimDuration {
    let events_of_all = rate.events.saturating_mul(u64::from(pollers.max(1)));
    Rate { events: events_of_all, per: rate.per }.time_of(events)
}

fn earlier(moment: SimTime) -> SimTime {
    SimTime::from_nanos(moment.as_nanos().saturating_sub(BURST.as_nanos()))
}
