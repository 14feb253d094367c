//! Faults of a service itself: whether one strikes a request (INV-T5). Passive.

use super::config::{Fault, FaultAt, System, Target};
use super::fact::Origin;
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

/// Faults of what is sent to queues, streams and other places.
#[derive(Clone, Debug)]
pub(crate) struct SendFaults(Vec<Fault>);

impl SendFaults {
    /// The faults of a system.
    pub(crate) fn new(system: &System) -> Self {
        let sends = |fault: &&Fault| matches!(fault.at, FaultAt::Send(_));
        Self(system.faults.iter().filter(sends).cloned().collect())
    }

    /// The status of the first fault of a place that strikes. Draws come from `key`.
    #[inline]
    pub(crate) fn strike(
        &self,
        to: Target,
        origin: &Origin,
        key: StreamKey,
        attempt: u32,
        now: SimTime,
    ) -> Option<u16> {
        if self.0.is_empty() {
            return None;
        }
        let mut faults = self.0.iter().filter(|fault| fault.at == FaultAt::Send(to)).enumerate();
        faults.find_map(|(index, fault)| {
            strike(std::slice::from_ref(fault), key.child(index as u64), origin, attempt, now)
        })
    }
}

/// The status of the first of `faults` that strikes an attempt. Draws come from `key`.
pub(crate) fn strike(faults: &[Fault], key: StreamKey, origin: &Origin, attempt: u32, now: SimTime) -> Option<u16> {
    let strikes = |(index, fault): &(usize, &Fault)| {
        fault.from.is_none_or(|from| now >= from)
            && fault.until.is_none_or(|until| now < until)
            && fault.probability.hits(key.child(*index as u64).run(attempt).word(origin.submission - 1))
    };
    faults.iter().enumerate().find(strikes).map(|(_, fault)| fault.status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::{CallerId, FunctionId, Id};
    use crate::kernel::quantity::Ratio;
    use crate::kernel::rng::RandomStreams;

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// The contract: `from` and `until` are half-open; the first fault that strikes decides.
    #[test]
    fn a_fault_strikes_in_its_window_and_the_first_decides() {
        let fault = |status, from, until| Fault {
            at: FaultAt::Invoke(FunctionId::from_index(0)),
            status,
            probability: Ratio::ONE,
            from,
            until,
        };
        let faults = [fault(500, Some(seconds(10)), Some(seconds(20))), fault(429, Some(seconds(15)), None)];
        let origin = Origin { caller: CallerId::from_index(0), branch: 0, submission: 1, submitted: SimTime::ZERO };
        let key = RandomStreams::new(1).key(&["fault"]);
        for (at, expected) in [(9, None), (10, Some(500)), (15, Some(500)), (19, Some(500)), (20, Some(429))] {
            assert_eq!(strike(&faults, key, &origin, 1, seconds(at)), expected, "at {at} s");
        }
    }
}
