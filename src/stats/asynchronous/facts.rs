//! What facts about events and deliveries do, in the order of the facts.
//!
//! Each is a call, so that they take no room where synchronous calls are counted.

use super::super::Statistics;
use crate::aws::fact::{Condition, Origin, Record, ReturnCause};
use crate::aws::ids::FunctionId;
use crate::kernel::time::SimTime;

impl Statistics {
    #[inline(never)]
    pub(in crate::stats) fn event_accepted(&mut self, origin: &Origin, function: FunctionId) {
        let measured = self.measures(origin);
        self.functions[function].asynchronous().accepted(measured);
    }

    #[inline(never)]
    pub(in crate::stats) fn event_dispatched(
        &mut self,
        now: SimTime,
        origin: Origin,
        function: FunctionId,
        (accepted, queued): (SimTime, SimTime),
    ) {
        if self.measures(&origin) {
            self.functions[function].asynchronous().dispatched(now, origin, accepted, queued);
        }
    }

    #[inline(never)]
    pub(in crate::stats) fn event_returned(&mut self, origin: &Origin, function: FunctionId, cause: ReturnCause) {
        if self.measures(origin) {
            self.functions[function].asynchronous().returned(cause);
        }
    }

    #[inline(never)]
    pub(in crate::stats) fn event_ended(
        &mut self,
        now: SimTime,
        origin: &Origin,
        function: FunctionId,
        accepted: SimTime,
        condition: Condition,
    ) {
        let measured = self.measures(origin);
        let stats = self.functions[function].asynchronous();
        if measured {
            stats.ended(now, accepted, condition);
        } else {
            stats.ended_before();
        }
    }

    #[inline(never)]
    pub(in crate::stats) fn delivered(&mut self, record: &Record) {
        if self.measures(&record.origin) {
            self.functions[record.function].asynchronous().delivered(record.kind);
        }
    }

    #[inline(never)]
    pub(in crate::stats) fn delivery_failed(&mut self, record: &Record) {
        if self.measures(&record.origin) {
            self.functions[record.function].asynchronous().delivery_failed(record);
        }
    }
}
