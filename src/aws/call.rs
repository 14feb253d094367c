//! Records of calls that have more to remember than their run does.

use super::client::Attempts;
use super::fact::Origin;
use super::ids::{CallId, EnvironmentId, EventId, ExecutionId, Id, UserId};
use crate::kernel::time::SimTime;

/// A call under way, in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Call {
    pub(crate) origin: Origin,
    pub(crate) state: CallState,
    pub(crate) attempts: Attempts,
    /// Runs that it started.
    pub(crate) runs: u32,
    /// The user who waits for it, in a closed loop.
    pub(crate) user: Option<UserId>,
    /// When it gives up, if that is going to happen in this state.
    pub(crate) timer: SimTime,
}

/// What a call is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallState {
    /// Waiting for the adaptive limiter.
    Limited,
    /// Waiting for the answer of a run.
    Running(EnvironmentId),
    /// The same, and the door in front of it gives up before the client.
    BehindDoor(EnvironmentId),
    /// `CloudFormation`: waiting for the function to call back when this event has run.
    AwaitingCallback(EventId),
    /// Waiting for the end of an execution.
    Executing(ExecutionId),
    /// Waiting before the next attempt.
    BackingOff,
    /// Being decided upon.
    Deciding,
    /// Over; its record waits for another call.
    Finished,
}

/// All calls under way, by id; ids of finished ones are used again.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    rows: Vec<Call>,
    free: Vec<CallId>,
}

impl Calls {
    /// A record for a new call.
    #[inline(always)]
    pub(crate) fn begin(&mut self, origin: Origin, user: Option<UserId>) -> (CallId, &mut Call) {
        let attempts = Attempts::default();
        let call = Call { origin, state: CallState::Deciding, attempts, runs: 0, user, timer: SimTime::MAX };
        let id = if let Some(id) = self.free.pop() {
            self.rows[id.index()] = call;
            id
        } else {
            self.rows.push(call);
            CallId::from_index(self.rows.len() - 1)
        };
        (id, &mut self.rows[id.index()])
    }

    /// A record for a call whose first attempt was sent before it had one.
    #[inline(always)]
    pub(crate) fn begin_sent(&mut self, origin: Origin, runs: u32) -> CallId {
        let (id, call) = self.begin(origin, None);
        call.attempts.sent = 1;
        call.runs = runs;
        id
    }

    /// The call is over.
    #[inline(always)]
    pub(crate) fn finish(&mut self, id: CallId) {
        let call = &mut self.rows[id.index()];
        (call.timer, call.state) = (SimTime::MAX, CallState::Finished);
        self.free.push(id);
    }

    /// How many calls have a record.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// The calls that have a record.
    pub(crate) fn iter_open(&self) -> impl Iterator<Item = &Call> {
        self.rows.iter().filter(|call| call.state != CallState::Finished)
    }
}

impl std::ops::Index<CallId> for Calls {
    type Output = Call;

    #[inline]
    fn index(&self, id: CallId) -> &Call {
        &self.rows[id.index()]
    }
}

impl std::ops::IndexMut<CallId> for Calls {
    #[inline]
    fn index_mut(&mut self, id: CallId) -> &mut Call {
        &mut self.rows[id.index()]
    }
}
