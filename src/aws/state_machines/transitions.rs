//! How many state transitions a second a machine makes (INV-SF11). Passive.

use crate::aws::config::TransitionLimit;
use crate::kernel::time::SimTime;
use crate::kernel::token_bucket::TokenBucket;

/// The bucket of a machine, and who has a token of it to come.
///
/// A transition that finds no token is promised the next one: transitions are made in the order in which they are asked
/// for. A thread that is stopped while it waits does not give its token back.
#[derive(Debug)]
pub(super) struct Transitions {
    bucket: Option<TokenBucket>,
    /// Tokens until this moment are promised.
    promised: SimTime,
}

impl Transitions {
    pub(super) fn new(limit: Option<TransitionLimit>) -> Self {
        Self { bucket: limit.map(new_bucket), promised: SimTime::ZERO }
    }

    /// Takes the next token: when the transition may be made.
    pub(super) fn take(&mut self, now: SimTime) -> SimTime {
        let Some(bucket) = &mut self.bucket else { return now };
        let from = now.max(self.promised);
        let at = bucket.next_at(from).unwrap_or(SimTime::MAX);
        if at < SimTime::MAX {
            let taken = bucket.try_take(at);
            debug_assert!(taken, "the bucket has said when a token is there");
            self.promised = at;
        }
        at
    }

    /// Another limit; what is promised stays so.
    pub(super) fn reconfigure(&mut self, limit: Option<TransitionLimit>, now: SimTime) {
        match (&mut self.bucket, limit) {
            (Some(bucket), Some(limit)) => {
                bucket.set(now.max(self.promised), limit.rate, u64::from(limit.burst));
            }
            (_, limit) => *self = Self::new(limit),
        }
    }
}

fn new_bucket(limit: TransitionLimit) -> TokenBucket {
    TokenBucket::new(limit.rate, u64::from(limit.burst))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::quantity::Rate;

    fn at(milliseconds: u64) -> SimTime {
        SimTime::from_nanos(milliseconds * 1_000_000)
    }

    fn limited(rate: u64, burst: u32) -> Transitions {
        Transitions::new(Some(limit(rate, burst)))
    }

    fn limit(rate: u64, burst: u32) -> TransitionLimit {
        TransitionLimit { rate: Rate::per_second(rate), burst }
    }

    /// INV-SF11: two at once, then one each 100 ms, in order.
    #[test]
    fn inv_sf11_transitions_beyond_the_bucket_wait_in_order() {
        let mut transitions = limited(10, 2);
        let taken: Vec<SimTime> = (0..5).map(|_| transitions.take(at(0))).collect();
        assert_eq!(taken, [0, 0, 100, 200, 300].map(at));
        // What was promised comes first.
        assert_eq!(transitions.take(at(50)), at(400));
        assert_eq!(transitions.take(at(1_000)), at(1_000));
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let mut transitions = Transitions::new(None);
        assert!((0..10_000).all(|_| transitions.take(at(7)) == at(7)));
    }

    #[test]
    fn another_limit_holds_after_what_was_promised() {
        let mut transitions = limited(10, 1);
        assert_eq!([0; 3].map(|_| transitions.take(at(0))), [0, 100, 200].map(at));
        transitions.reconfigure(Some(limit(1_000, 1)), at(0));
        assert_eq!(transitions.take(at(0)), at(201));
        transitions.reconfigure(None, at(0));
        assert_eq!(transitions.take(at(0)), at(0));
    }
}
