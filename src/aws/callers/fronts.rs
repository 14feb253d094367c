//! What services before a function add to a call: answers of doors, the call back of a function, dead letters.

use super::Callers;
use crate::aws::attempt::{Step, translated};
use crate::aws::caller::Passage;
use crate::aws::config::Target;
use crate::aws::event::Context;
use crate::aws::fact::{Answer, Fact, FrontFact, Observer, Origin, Outcome, RunOutcome};
use crate::aws::ids::CallId;
use crate::aws::request::Reply;
use crate::aws::services::Services;

impl Callers {
    /// What a run's answer is behind a door, where there is one.
    #[inline]
    pub(super) fn behind_door<O: Observer>(
        &mut self,
        id: CallId,
        reply: Reply,
        outcome: RunOutcome,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) -> Reply {
        let call = &self.calls[id];
        let caller = &self.table[call.origin.caller];
        if let (Passage::Door(door), Answer::Success, Target::Function(function)) =
            (&caller.passage, reply.answer, caller.target)
            && let Some(limit) = door.response_bytes()
            && services.response_bytes(function, &call.origin, call.runs) > limit
        {
            let (origin, attempt, too_large) = (call.origin, call.attempts.sent, door.answer_too_large());
            let (answer, status) = (reply.answer, too_large.status);
            context.state(&Fact::Front(FrontFact::Translated { origin, attempt, answer, status }));
            return too_large;
        }
        translated(call, caller, reply, Some(outcome), context)
    }

    /// The function that `CloudFormation` waits for has called back.
    #[inline(never)]
    pub(crate) fn on_called_back<O: Observer>(
        &mut self,
        id: CallId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        context.state(&Fact::Front(FrontFact::CalledBack { origin: self.calls[id].origin }));
        self.after(id, Step::Over(Outcome::Success), services, context);
    }

    /// A service gives up an event: its dead-letter queue gets it.
    #[inline(never)]
    pub(super) fn dead_letter<O: Observer>(
        &self,
        origin: Origin,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let caller = &self.table[origin.caller];
        let Passage::Event(service) = &caller.passage else { return };
        let Some(to) = service.dead_letter_queue else { return };
        let bytes = caller.payload(origin.submission);
        services.send_dead_letter(to, origin, bytes, caller.fault_key(), context);
    }
}
