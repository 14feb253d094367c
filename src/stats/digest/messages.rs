//! What of messages and mappings enters the digest.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `Sent`, `Deduplicated` | now, caller, submission, queue, when it is visible |
//! | `Received` | now, caller, submission, queue, mapping, receives |
//! | `Deleted` | now, caller, submission, queue, receives |
//! | `Moved` | now, caller, submission, both queues, receives, runs |
//! | `Redriven` | now, caller, submission, both queues, receives |
//! | `Expired` | its own moment `at`, caller, submission, queue |
//! | `FilteredOut` | now, caller, submission, mapping |
//! | `BatchFormed`, `BatchInvoked` | now, caller, submission, mapping, records |
//! | `BatchRefused` | now, caller, submission, mapping, status, due |
//! | `BatchEnded` | now, caller, submission, mapping, records, failed |
//!
//! Left out because these say it all: ends of delays and visibility time-outs (they follow from what was sent and
//! received), which message groups are noisy (that too), why a batch takes no more, the age of the oldest message, ignored deletes, empty polls, and
//! the number of pollers.

use super::{caller, kind, submission};
use crate::aws::fact::{MappingFact, MessageFact, Origin};
use crate::aws::ids::{Id, MappingId, QueueId};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Adds a fact about a message.
#[inline]
pub(super) fn add_message(digest: &mut Digest, now: SimTime, fact: &MessageFact) {
    let now = now.as_nanos();
    let words = |kind: u64, origin: &Origin, at: u64, queue: QueueId, last: u64| {
        [kind | caller(origin) | (last >> 32) << 8, submission(origin), at, (queue.index() as u64) << 32 | last & LOW]
    };
    match fact {
        MessageFact::Sent { origin, queue, visible_at, .. } => {
            let [first, submission, _, queue] = words(kind::MESSAGE_SENT, origin, 0, *queue, 0);
            digest.add4([first, submission, now, queue ^ visible_at.as_nanos().wrapping_sub(now)]);
        }
        MessageFact::Deduplicated { origin, queue } => {
            digest.add4(words(kind::MESSAGE_DEDUPLICATED, origin, now, *queue, 0));
        }
        MessageFact::Received { origin, queue, mapping, receives, .. } => {
            let last = (mapping.index() as u64 & 0xff_ffff) << 32 | u64::from(*receives);
            digest.add4(words(kind::MESSAGE_RECEIVED, origin, now, *queue, last));
        }
        MessageFact::Deleted { origin, queue, receives, .. } => {
            digest.add4(words(kind::MESSAGE_DELETED, origin, now, *queue, u64::from(*receives)));
        }
        MessageFact::Moved { origin, queue, to, receives, runs, .. } => {
            let [first, submission, now, queue] = words(kind::MESSAGE_MOVED, origin, now, *queue, u64::from(*receives));
            digest.add6([first, submission, now, queue, to.index() as u64, u64::from(*runs)]);
        }
        MessageFact::Redriven { origin, queue, to, receives } => {
            let [first, submission, now, queue] =
                words(kind::MESSAGE_REDRIVEN, origin, now, *queue, u64::from(*receives));
            digest.add6([first, submission, now, queue, to.index() as u64, 0]);
        }
        MessageFact::Expired { origin, queue, at, .. } => {
            digest.add4(words(kind::MESSAGE_EXPIRED, origin, at.as_nanos(), *queue, 0));
        }
        MessageFact::DelayEnded { .. }
        | MessageFact::Returned { .. }
        | MessageFact::DeleteIgnored { .. }
        | MessageFact::GroupsInFlight { .. }
        | MessageFact::GroupNoisy { .. }
        | MessageFact::GroupQuiet { .. }
        | MessageFact::QuietGroups { .. }
        | MessageFact::OldestChanged { .. } => {}
    }
}

/// The low half of a word.
const LOW: u64 = 0xffff_ffff;

/// Adds a fact about a mapping.
pub(super) fn add_mapping(digest: &mut Digest, now: SimTime, fact: &MappingFact) {
    let now = now.as_nanos();
    let words = |kind: u64, origin: &Origin, mapping: MappingId, a: u64, b: u64| {
        [kind | caller(origin), submission(origin), now, (mapping.index() as u64) << 32, a, b]
    };
    match fact {
        MappingFact::FilteredOut { origin, mapping } => {
            digest.add6(words(kind::FILTERED_OUT, origin, *mapping, 0, 0));
        }
        MappingFact::BatchFormed { origin, mapping, records, .. } => {
            digest.add6(words(kind::BATCH_FORMED, origin, *mapping, u64::from(*records), 0));
        }
        MappingFact::BatchInvoked { origin, mapping, records, .. } => {
            digest.add6(words(kind::BATCH_INVOKED, origin, *mapping, u64::from(*records), 0));
        }
        MappingFact::BatchRefused { origin, mapping, status, due, .. } => {
            let due = due.map_or(u64::MAX, SimTime::as_nanos);
            digest.add6(words(kind::BATCH_REFUSED, origin, *mapping, u64::from(*status), due));
        }
        MappingFact::BatchEnded { origin, mapping, records, failed, .. } => {
            digest.add6(words(kind::BATCH_ENDED, origin, *mapping, u64::from(*records), u64::from(*failed)));
        }
        MappingFact::Polled { .. }
        | MappingFact::PolledEmpty { .. }
        | MappingFact::Batched { .. }
        | MappingFact::Pollers { .. } => {}
    }
}
