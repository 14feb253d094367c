//! Services that answer HTTP requests with what a function says: API Gateway, load balancers, function URLs,
//! `CloudFront` (INV-4.1..4.4). Passive.
//!
//! ```text
//! attempt -> concurrency of the Region -> rate -> Lambda: refusal, answer, or nothing in time -> a status of the door
//! ```
//! A door tries nothing again (INV-A1, B6). The client knows what the status says, and no more.

use super::config::{self, DoorStatuses, FrontDoor};
use super::fact::{Answer, RunOutcome};
use super::request::Reply;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// One door, as one caller finds it.
#[derive(Debug)]
pub(crate) struct Door {
    config: FrontDoor,
    /// A bucket of its own, where it does not share the account's.
    bucket: Option<TokenBucket>,
}

/// The bucket that all doors of API Gateway share, where they have not one of their own (INV-A2).
#[derive(Debug, Default)]
pub(crate) struct AccountDoor(Option<TokenBucket>);

/// Why a door refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limited {
    /// More requests a second than it lets through.
    Rate,
    /// More requests under way than its Region lets through.
    Concurrency,
}

impl AccountDoor {
    /// The bucket of a system's doors; full at the start.
    pub(crate) fn new(system: &config::System) -> Self {
        let mut limits = system.callers.rows().iter().filter_map(|caller| match caller.via.passage {
            config::Passage::Door(door) => door.rate_limit.filter(|limit| limit.is_shared),
            config::Passage::Direct | config::Passage::Event(_) | config::Passage::Firehose(_) => None,
        });
        Self(limits.next().map(|limit| TokenBucket::new(limit.rate, u64::from(limit.burst))))
    }
}

impl Door {
    /// The door at the start.
    pub(crate) fn new(config: &FrontDoor) -> Self {
        let own = config.rate_limit.filter(|limit| !limit.is_shared);
        let bucket = own.map(|limit| TokenBucket::new(limit.rate, u64::from(limit.burst)));
        Self { config: *config, bucket }
    }

    /// Lets an attempt through, or says why not. `in_flight` are the requests under way in its Region.
    pub(crate) fn admit(&mut self, account: &mut AccountDoor, in_flight: u32, now: SimTime) -> Result<(), Limited> {
        if self.config.concurrency_limit.is_some_and(|limit| in_flight >= limit) {
            return Err(Limited::Concurrency);
        }
        let bucket = match self.config.rate_limit {
            Some(limit) if limit.is_shared => &mut account.0,
            Some(_) | None => &mut self.bucket,
        };
        if bucket.as_mut().is_none_or(|bucket| bucket.try_take(now)) { Ok(()) } else { Err(Limited::Rate) }
    }

    /// How long it waits for the function.
    pub(crate) fn patience(&self) -> Option<SimDuration> {
        self.config.timeout
    }

    /// The largest request that it takes, bytes.
    pub(crate) fn request_bytes(&self) -> u64 {
        self.config.request_bytes
    }

    /// The largest answer that it passes on, bytes.
    pub(crate) fn response_bytes(&self) -> Option<u64> {
        self.config.response_bytes
    }

    /// What it answers when it refuses.
    pub(crate) fn limited(&self) -> Reply {
        by_status(self.config.statuses.limit)
    }

    /// What it answers when the function takes too long.
    pub(crate) fn timed_out(&self) -> Reply {
        by_status(self.config.statuses.timeout)
    }

    /// What it answers to a request that is too large.
    pub(crate) fn too_large(&self) -> Reply {
        by_status(self.config.statuses.too_large)
    }

    /// What it answers for an answer that is too large.
    pub(crate) fn answer_too_large(&self) -> Reply {
        by_status(self.config.statuses.answer_too_large)
    }

    /// What it answers for what Lambda says; `outcome` is that of the run, where there was one.
    pub(crate) fn translate(&self, reply: Reply, outcome: Option<RunOutcome>) -> Reply {
        let DoorStatuses { throttle, service_error, function_error, function_timeout, .. } = self.config.statuses;
        match reply.answer {
            Answer::Success | Answer::Accepted | Answer::Rejected => reply,
            Answer::Throttled => by_status(throttle),
            Answer::ServiceError => by_status(service_error),
            Answer::FunctionError if outcome == Some(RunOutcome::Timeout) => by_status(function_timeout),
            Answer::FunctionError => by_status(function_error),
        }
    }
}

/// What a client makes of an HTTP status.
fn by_status(status: u16) -> Reply {
    let answer = match status {
        200..=399 => Answer::Success,
        429 => Answer::Throttled,
        400..=499 => Answer::Rejected,
        _ => Answer::ServiceError,
    };
    Reply { answer, status }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::DoorRate;
    use crate::kernel::quantity::Rate;

    fn api_gateway(rate: u64, burst: u32) -> FrontDoor {
        FrontDoor {
            rate_limit: Some(DoorRate { rate: Rate::per_second(rate), burst, is_shared: false }),
            concurrency_limit: None,
            timeout: Some(SimDuration::from_secs(29)),
            request_bytes: 1_000_000,
            response_bytes: None,
            statuses: DoorStatuses {
                limit: 429,
                timeout: 504,
                throttle: 500,
                service_error: 500,
                function_error: 502,
                function_timeout: 502,
                too_large: 413,
                answer_too_large: 502,
            },
        }
    }

    fn passed(door: &mut Door, times: u32, now: SimTime) -> usize {
        (0..times).filter(|_| door.admit(&mut AccountDoor(None), 0, now).is_ok()).count()
    }

    /// INV-V33: 5,000 of 8,000 requests at once pass; 0.3 s later 3,000 tokens are back.
    #[test]
    fn v33_the_bucket_of_the_account() {
        let mut door = Door::new(&api_gateway(10_000, 5_000));
        assert_eq!(passed(&mut door, 8_000, SimTime::ZERO), 5_000);
        assert_eq!(passed(&mut door, 3_001, SimTime::from_nanos(300_000_000)), 3_000);
    }

    /// INV-A7, A8: what each answer of Lambda becomes.
    #[test]
    fn answers_of_lambda_become_statuses() {
        let door = Door::new(&api_gateway(1, 1));
        let rows = [
            (Answer::Success, None, 200, Answer::Success),
            (Answer::Throttled, None, 500, Answer::ServiceError),
            (Answer::ServiceError, None, 500, Answer::ServiceError),
            (Answer::FunctionError, Some(RunOutcome::Error), 502, Answer::ServiceError),
            (Answer::FunctionError, Some(RunOutcome::Timeout), 502, Answer::ServiceError),
        ];
        for (answer, outcome, status, seen) in rows {
            let reply = door.translate(Reply { answer, status: 200 }, outcome);
            assert_eq!(reply, Reply { answer: seen, status }, "{answer:?}");
        }
    }

    /// INV-4.4: Lambda@Edge lets so many requests run in a Region; the next is refused, one below the limit is not.
    #[test]
    fn a_region_has_a_limit_of_its_own() {
        let mut config = api_gateway(1_000, 1_000);
        config.concurrency_limit = Some(1_000);
        let mut door = Door::new(&config);
        for (in_flight, expected) in
            [(999, Ok(())), (1_000, Err(Limited::Concurrency)), (1_001, Err(Limited::Concurrency))]
        {
            assert_eq!(door.admit(&mut AccountDoor(None), in_flight, SimTime::ZERO), expected, "{in_flight} under way");
        }
    }
}
