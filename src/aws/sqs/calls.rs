//! Calls a second that a FIFO queue takes, of each action by itself (ESM-1.10.12). Passive.
//!
//! A call may send, receive or delete up to ten messages, so 300 calls a second are up to 3,000 messages. A send above
//! the limit is throttled; pollers wait until the next receive or delete is allowed, as AWS does not say how they try
//! again. A second's worth may come at once.

use crate::aws::config::{self, QueueKind};
use crate::kernel::quantity::Rate;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// Parts of a call, so that each of its messages is a whole number of them: divisible by 1 to 10.
const PARTS: u64 = 2_520;

/// What may be saved up.
const BURST: SimDuration = SimDuration::from_secs(1);

/// The calls of one queue.
#[derive(Debug)]
pub(super) struct Calls {
    rate: Rate,
    /// In parts of calls.
    sends: TokenBucket,
    receives: TokenBucket,
    /// Deletes that follow each other faster than the rate, and since when.
    deletes: u64,
    deletes_since: SimTime,
}

impl Calls {
    /// Those of a FIFO queue that has a limit.
    pub(super) fn new(config: &config::Queue) -> Option<Self> {
        let rate = config.fifo_throughput.filter(|_| config.kind == QueueKind::Fifo)?;
        let second = u128::from(rate.events) * u128::from(BURST.as_nanos()) / u128::from(rate.per.as_nanos().max(1));
        let depth = u64::try_from(second).unwrap_or(u64::MAX).max(1);
        Some(Self {
            rate,
            sends: TokenBucket::new(rate.times(PARTS), depth.saturating_mul(PARTS)),
            receives: TokenBucket::new(rate, depth),
            deletes: 0,
            deletes_since: SimTime::ZERO,
        })
    }

    /// Whether it takes a message of a call that sends so many.
    pub(super) fn send(&mut self, messages: u32, now: SimTime) -> bool {
        self.sends.try_take_many(now, PARTS / u64::from(messages.clamp(1, 10)))
    }

    /// When the next receive is allowed; never at a rate of zero.
    pub(super) fn next_receive_at(&self, now: SimTime) -> Option<SimTime> {
        self.receives.next_at(now)
    }

    /// A receive gives messages.
    pub(super) fn receive(&mut self, now: SimTime) {
        self.receives.try_take(now);
    }

    /// When a call at `now` deletes.
    pub(super) fn delete(&mut self, now: SimTime) -> SimTime {
        if self.deletes_since.plus(self.rate.time_of(self.deletes)) <= now {
            (self.deletes, self.deletes_since) = (0, now);
        }
        self.deletes += 1;
        let paid = self.deletes_since.plus(self.rate.time_of(self.deletes));
        now.max(SimTime::from_nanos(paid.as_nanos().saturating_sub(BURST.as_nanos())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(events: u64) -> Calls {
        let rate = Rate::per_second(events);
        let (sends, receives) = (TokenBucket::new(rate.times(PARTS), events * PARTS), TokenBucket::new(rate, events));
        Calls { rate, sends, receives, deletes: 0, deletes_since: SimTime::ZERO }
    }

    /// ESM-1.10.12: at once 300 calls: 300 messages one by one, 3,000 ten by ten, and any number in between.
    #[test]
    fn esm_1_10_12_a_call_counts_once_whatever_it_sends() {
        for (together, messages) in [(1, 300), (2, 600), (3, 900), (7, 2_100), (10, 3_000)] {
            let mut calls = calls(300);
            let taken = (0..4_000).filter(|_| calls.send(together, SimTime::ZERO)).count();
            assert_eq!(taken, messages, "{together}");
        }
    }

    /// Deletes: 300 at once, then one each 1/300 s.
    #[test]
    fn esm_1_10_12_deletes_wait() {
        let mut calls = calls(300);
        let now = SimTime::from_nanos(5_000_000_000);
        let at: Vec<_> = (0..600).map(|_| calls.delete(now).since(now).as_nanos()).collect();
        assert!(at[..300].iter().all(|wait| *wait == 0));
        for (delete, wait) in at[300..].iter().enumerate() {
            assert_eq!(*wait, ((delete as u64 + 1) * 1_000_000_000).div_ceil(300), "{delete}");
        }
        // After a second without a call as many are free as that second has.
        let later = SimTime::from_nanos(7_000_000_000);
        assert_eq!((0..301).filter(|_| calls.delete(later) == later).count(), 300);
    }
}
