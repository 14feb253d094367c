//! What is said of topics, event buses and buckets, and of what they pass on.

use super::Origin;
use crate::aws::config::Target;
use crate::kernel::time::SimTime;

/// Something happened in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceFact {
    /// A place received something.
    Received {
        /// The topic, event bus or bucket.
        place: Target,
        /// What; the place has it under this name.
        origin: Origin,
        /// The branch of what it comes from, where it comes from something else than a caller.
        parent: Option<u32>,
        /// Its size.
        bytes: u64,
        /// To how many it is passed on.
        deliveries: u32,
    },
    /// Something was delivered: its target has it, under another branch.
    Delivered {
        /// What is delivered.
        delivery: PlaceDelivery,
        /// Which attempt it was, 1 = first.
        attempt: u32,
    },
    /// A delivery was refused and will be tried again.
    DeliveryRetried {
        /// What is delivered.
        delivery: PlaceDelivery,
        /// Which attempt was refused, 1 = first.
        attempt: u32,
        /// The target's answer.
        status: u16,
        /// When it is tried again.
        due: SimTime,
    },
    /// A delivery failed for good.
    DeliveryFailed {
        /// What was to be delivered.
        delivery: PlaceDelivery,
        /// Attempts made.
        attempts: u32,
        /// Why.
        cause: PlaceFailure,
        /// What became of it.
        fate: Undelivered,
    },
}

/// One delivery of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceDelivery {
    /// The topic, event bus or bucket.
    pub place: Target,
    /// Which of its routes.
    pub route: u32,
    /// What the place received.
    pub origin: Origin,
    /// The branch of what the target gets.
    pub branch: u32,
    /// To whom.
    pub to: Target,
    /// When the place received it.
    pub received: SimTime,
}

/// Why a delivery of a place failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceFailure {
    /// INV-6: no retries are left.
    MaximumRetryAttempts(u16),
    /// INV-6: the next one would come too late.
    MaximumEventAge(u16),
    /// It is larger than the target takes.
    TooLarge,
    /// INV-5.7: the chain of requests may not invoke the function again.
    RecursiveInvocation,
}

/// What becomes of what could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// It is gone.
    Lost,
    /// The dead-letter queue has it.
    DeadLettered(Target),
    /// The dead-letter queue refused it with this status: it is gone.
    Refused(Target, u16),
}
