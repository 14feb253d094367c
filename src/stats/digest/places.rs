//! What of topics, event buses and buckets enters the digest.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `Delivered` | now, caller, submission, place, route, branch and attempt |
//! | `DeliveryRetried` | now, caller, submission, place, route, attempt, status, due |
//! | `DeliveryFailed` | now, caller, submission, place, route, attempts, cause, fate and its queue |
//!
//! Left out because these say it all: `Received` (what a place receives is the end of a call or of another delivery, and
//! what it makes of it follows).

use super::{caller, submission, target_number};
use crate::aws::fact::{PlaceDelivery, PlaceFact, PlaceFailure, Undelivered};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Numbers of the kinds of facts, as those beside the other facts: never change one.
const DELIVERED: u64 = 60;
const DELIVERY_RETRIED: u64 = 61;
const DELIVERY_FAILED: u64 = 62;

/// Adds a fact about a place.
pub(super) fn add_place(digest: &mut Digest, now: SimTime, fact: &PlaceFact) {
    let words = |kind: u64, delivery: &PlaceDelivery, attempt: u32, last: [u64; 2]| {
        let PlaceDelivery { place, route, origin, .. } = delivery;
        let [a, b] = last;
        let first = kind | caller(origin) | u64::from(*route & 0xffff) << 8;
        [first, submission(origin), now.as_nanos(), target_number(*place), u64::from(attempt), a, b, 0]
    };
    match fact {
        PlaceFact::Received { .. } => {}
        PlaceFact::Delivered { delivery, attempt } => {
            digest.add8(words(DELIVERED, delivery, *attempt, [u64::from(delivery.branch), 0]));
        }
        PlaceFact::DeliveryRetried { delivery, attempt, status, due } => {
            digest.add8(words(DELIVERY_RETRIED, delivery, *attempt, [u64::from(*status), due.as_nanos()]));
        }
        PlaceFact::DeliveryFailed { delivery, attempts, cause, fate } => {
            let (fate, queue) = fate_numbers(*fate);
            let last = [cause_number(*cause) | fate << 32, queue];
            digest.add8(words(DELIVERY_FAILED, delivery, *attempts, last));
        }
    }
}

const fn cause_number(cause: PlaceFailure) -> u64 {
    match cause {
        PlaceFailure::MaximumRetryAttempts(status) => 1 << 16 | status as u64,
        PlaceFailure::MaximumEventAge(status) => 2 << 16 | status as u64,
        PlaceFailure::TooLarge => 3 << 16,
        PlaceFailure::RecursiveInvocation => 4 << 16,
    }
}

fn fate_numbers(fate: Undelivered) -> (u64, u64) {
    match fate {
        Undelivered::Lost => (0, 0),
        Undelivered::DeadLettered(to) => (1, target_number(to)),
        Undelivered::Refused(to, status) => (u64::from(status), target_number(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::Target;
    use crate::aws::ids::{BucketId, Id, QueueId, TopicId};
    use crate::stats::testing::{ms, origin};

    #[test]
    fn different_facts_have_different_digests() {
        let topic = Target::Topic(TopicId::from_index(0));
        let (to, dead) = (Target::Queue(QueueId::from_index(0)), Target::Queue(QueueId::from_index(1)));
        let delivery =
            PlaceDelivery { place: topic, route: 0, origin: origin(0, 7, ms(1)), branch: 9, to, received: ms(1) };
        let elsewhere = PlaceDelivery { place: Target::Bucket(BucketId::from_index(0)), ..delivery };
        let retried = |attempt, status, due| PlaceFact::DeliveryRetried { delivery, attempt, status, due: ms(due) };
        let failed = |cause, fate| PlaceFact::DeliveryFailed { delivery, attempts: 3, cause, fate };
        let facts = [
            PlaceFact::Delivered { delivery, attempt: 1 },
            PlaceFact::Delivered { delivery, attempt: 2 },
            PlaceFact::Delivered { delivery: elsewhere, attempt: 1 },
            PlaceFact::Delivered { delivery: PlaceDelivery { route: 1, ..delivery }, attempt: 1 },
            PlaceFact::Delivered { delivery: PlaceDelivery { branch: 8, ..delivery }, attempt: 1 },
            retried(1, 500, 9),
            retried(2, 500, 9),
            retried(1, 429, 9),
            retried(1, 500, 8),
            failed(PlaceFailure::TooLarge, Undelivered::Lost),
            failed(PlaceFailure::RecursiveInvocation, Undelivered::Lost),
            failed(PlaceFailure::MaximumEventAge(500), Undelivered::Lost),
            failed(PlaceFailure::MaximumRetryAttempts(500), Undelivered::Lost),
            failed(PlaceFailure::MaximumRetryAttempts(429), Undelivered::Lost),
            failed(PlaceFailure::TooLarge, Undelivered::DeadLettered(to)),
            failed(PlaceFailure::TooLarge, Undelivered::DeadLettered(dead)),
            failed(PlaceFailure::TooLarge, Undelivered::Refused(dead, 500)),
        ];
        let mut digests = facts.map(|fact| {
            let mut digest = Digest::new();
            add_place(&mut digest, ms(5), &fact);
            digest.value()
        });
        digests.sort_unstable();
        assert!(digests.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
