//! Users of closed loops: they think, call, and wait for the answer.

use super::Callers;
use crate::aws::caller::FirstAttempt;
use crate::aws::event::{Class, Context, Event};
use crate::aws::fact::{Fact, Observer, Origin};
use crate::aws::ids::{CallerId, UserId};
use crate::aws::services::Services;

/// A user of a closed loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) caller: CallerId,
    /// Which of the caller's users.
    pub(super) index: u32,
    /// Pauses so far.
    pub(super) cycle: u64,
}

impl Callers {
    /// A user has thought enough.
    #[inline(never)]
    pub(crate) fn on_user_ready<O: Observer>(
        &mut self,
        user: UserId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let caller = self.users[user].caller;
        if let Some(submission) = self.table[caller].submit() {
            let origin = Origin { caller, branch: 0, submission, submitted: context.now };
            context.state(&Fact::CallSubmitted { origin });
            if self.table[caller].first_attempt == FirstAttempt::Buffers {
                // Firehose has the record; nobody waits for what becomes of it.
                self.send_one(origin, FirstAttempt::Buffers, services, context);
                self.schedule_user(user, false, context);
            } else {
                self.submit(origin, Some(user), services, context);
            }
        }
    }

    /// A user thinks, and then calls if it is early enough.
    #[inline(never)]
    pub(super) fn schedule_user<O: Observer>(&mut self, user: UserId, at_once: bool, context: &mut Context<'_, O>) {
        let row = &mut self.users[user];
        let caller = &self.table[row.caller];
        let mut at = context.now;
        if !at_once {
            at = at.plus(caller.think(row.index, row.cycle));
            row.cycle += 1;
        }
        if at < self.submit_until {
            context.schedule(at, Class::Arrival, caller.order, Event::UserReady(user));
        }
    }
}
