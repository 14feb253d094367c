//! What of services before a function enters the digest.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `Limited` | now, caller, submission, attempt, whether for concurrency |
//! | `TimedOut` | now, caller, submission, attempt |
//! | `Translated` | now, caller, submission, attempt, status |
//! | `Delayed` | now, caller, submission, until |
//! | `DeadLettered` | now, caller, submission, target, status of a refusal |
//! | `BufferClosed` | now, caller, submission of its first record, records, bytes, whether it was full |
//! | `ProcessingFailed` | now, caller, submission of its first record, records, attempts |
//!
//! Left out because these say it all: `CallbackAwaited`, `CalledBack` and `CallbackTimedOut` (in `CallFinished`).

use super::{caller, submission, target_number};
use crate::aws::fact::{FrontFact, Origin};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Numbers of the kinds of facts, among those of all facts. They are part of the digest: never change one.
const LIMITED: u64 = 70;
const TIMED_OUT: u64 = 71;
const TRANSLATED: u64 = 72;
const DELAYED: u64 = 73;
const DEAD_LETTERED: u64 = 74;
const BUFFER_CLOSED: u64 = 75;
const PROCESSING_FAILED: u64 = 76;

/// Adds a fact about a service before a function.
#[inline(never)]
pub(super) fn add(digest: &mut Digest, now: SimTime, fact: &FrontFact) {
    let mut words = |kind: u64, origin: &Origin, a: u64, b: u64| {
        digest.add6([kind | caller(origin), submission(origin), now.as_nanos(), a, b, 0]);
    };
    match *fact {
        FrontFact::Limited { ref origin, attempt, concurrency } => {
            words(LIMITED, origin, attempt.into(), concurrency.into());
        }
        FrontFact::TimedOut { ref origin, attempt } => words(TIMED_OUT, origin, attempt.into(), 0),
        FrontFact::Translated { ref origin, attempt, answer: _, status } => {
            words(TRANSLATED, origin, attempt.into(), status.into());
        }
        FrontFact::Delayed { ref origin, until } => words(DELAYED, origin, until.as_nanos(), 0),
        FrontFact::DeadLettered { ref origin, to, refused } => {
            words(DEAD_LETTERED, origin, target_number(to), refused.unwrap_or(0).into());
        }
        FrontFact::BufferClosed { caller: _, ref origin, records, bytes, full } => {
            words(BUFFER_CLOSED, origin, bytes, u64::from(records) | u64::from(full) << 32);
        }
        FrontFact::ProcessingFailed { caller: _, ref origin, records, attempts } => {
            words(PROCESSING_FAILED, origin, u64::from(records) | u64::from(attempts) << 32, 0);
        }
        FrontFact::CallbackAwaited { .. } | FrontFact::CalledBack { .. } | FrontFact::CallbackTimedOut { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::Target;
    use crate::aws::fact::Answer;
    use crate::aws::ids::{CallerId, Id, QueueId};
    use crate::stats::testing::{ms, origin};

    /// Each fact counts, and so does each number in it.
    #[test]
    fn different_facts_have_different_digests() {
        let (origin, caller) = (origin(0, 7, ms(1)), CallerId::from_index(0));
        let (answer, to) = (Answer::Throttled, Target::Queue(QueueId::from_index(0)));
        let closed = |records, full| FrontFact::BufferClosed { caller, origin, records, bytes: 9, full };
        let facts = [
            FrontFact::Limited { origin, attempt: 1, concurrency: false },
            FrontFact::Limited { origin, attempt: 1, concurrency: true },
            FrontFact::TimedOut { origin, attempt: 1 },
            FrontFact::TimedOut { origin, attempt: 2 },
            FrontFact::Translated { origin, attempt: 1, answer, status: 500 },
            FrontFact::Translated { origin, attempt: 1, answer, status: 502 },
            FrontFact::Delayed { origin, until: ms(5) },
            FrontFact::DeadLettered { origin, to, refused: None },
            FrontFact::DeadLettered { origin, to, refused: Some(400) },
            closed(1, true),
            closed(2, true),
            closed(1, false),
            FrontFact::ProcessingFailed { caller, origin, records: 1, attempts: 4 },
            FrontFact::ProcessingFailed { caller, origin, records: 4, attempts: 1 },
        ];
        let digest = |fact: &FrontFact| {
            let mut digest = Digest::new();
            add(&mut digest, ms(3), fact);
            digest.value()
        };
        let mut digests: Vec<_> = facts.iter().map(digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), facts.len());
        assert!(!digests.contains(&Digest::new().value()), "each of them counts");
    }
}
