//! What stands before a function: doors, replicas at the edge, Firehose, `CloudFormation`, dead-letter queues of
//! services that deliver events (INV-4, INV-6).

use super::Services;
use crate::aws::config::Target;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, FrontFact, Observer, Origin};
use crate::aws::front_door::{Door, Limited};
use crate::aws::ids::{CallId, CallerId, EventId, FunctionId};
use crate::aws::sqs::{Message, Together};
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

impl Services {
    /// A request passes a door, if that lets it through.
    pub(crate) fn pass_door(&mut self, door: &mut Door, caller: CallerId, now: SimTime) -> Result<(), Limited> {
        door.admit(&mut self.account_door, self.frontend.at_edge(caller), now)
    }

    /// Lambda@Edge: the replica of its function that serves the Region of a caller.
    pub(crate) fn replica(&self, caller: CallerId) -> Option<FunctionId> {
        self.frontend.replica(caller)
    }

    /// Size of the answer of one run, bytes.
    pub(crate) fn response_bytes(&mut self, function: FunctionId, origin: &Origin, run: u32) -> u64 {
        self.frontend.response_bytes(function, origin, run)
    }

    /// A record is put into a buffer of Firehose.
    pub(crate) fn buffer<O: Observer>(&mut self, origin: Origin, bytes: u64, context: &mut Context<'_, O>) {
        self.firehoses.put(origin, bytes, &mut self.frontend, context);
    }

    /// A call waits until an event has run.
    pub(crate) fn await_callback(&mut self, event: EventId, call: CallId) {
        self.queue.await_callback(event, call);
    }

    /// It waits no longer.
    pub(crate) fn forget_callback(&mut self, event: EventId, call: CallId) {
        self.queue.forget_callback(event, call);
    }
    /// A service gives up what it could not deliver: its dead-letter queue gets it, unless that refuses.
    pub(crate) fn send_dead_letter<O: Observer>(
        &mut self,
        to: Target,
        origin: Origin,
        bytes: u64,
        key: StreamKey,
        context: &mut Context<'_, O>,
    ) {
        let Target::Queue(queue) = to else { unreachable!("{to:?} is no dead-letter queue of a service") };
        let call = Together { messages: 1, bytes };
        let message =
            Message { origin: origin.following(), bytes, delay: None, group: None, deduplication: None, call };
        let refusal = self.sqs.refusal(queue, &message, key, 1, context.now);
        let refused = refusal.map(|reply| reply.status);
        context.state(&Fact::Front(FrontFact::DeadLettered { origin, to, refused }));
        if refused.is_none() {
            self.sqs.put(queue, message, context);
        }
    }
}
