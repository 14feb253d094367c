//! One attempt of a call that a run makes: sent, answered or given up, and what follows.

use super::{Calls, Chain, Ended, Outgoing, OutgoingId, OutgoingState};
use crate::aws::client::{AttemptEnd, Client, Decision};
use crate::aws::config::{Call, CallTarget, Invocation, Target};
use crate::aws::dependencies::Asked;
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Answer, Fact, Observer, Outcome, OutgoingFact};
use crate::aws::ids::{FunctionId, LineageId};
use crate::aws::internal_queue::Arrival;
use crate::aws::limits;
use crate::aws::request::{Invoked, Reply, Request};
use crate::aws::services::Services;
use crate::aws::sqs::{Message, Together};
use crate::aws::streams::NewRecord;
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

/// Purposes of a call's draws.
const PAYLOAD: u64 = 1;
const BACKOFF: u64 = 2;
const FAULT: u64 = 3;

impl Calls {
    fn settings(&self, id: OutgoingId) -> &Call {
        let Outgoing { chain, branch, .. } = self.under_way[id];
        let chain = &self.chains[chain];
        &chain.steps[chain.step].calls[branch]
    }

    fn function(&self, id: OutgoingId) -> FunctionId {
        self.chains[self.under_way[id].chain].function
    }

    fn client(&mut self, id: OutgoingId) -> &mut Client {
        let Outgoing { chain, branch, .. } = self.under_way[id];
        let chain = &self.chains[chain];
        self.clients.client(chain.environment, chain.place(branch))
    }

    /// The run of a call has ended: its client does not learn how the attempt goes that is out.
    pub(super) fn drop_attempt(&mut self, id: OutgoingId) {
        let attempts = self.under_way[id].attempts;
        self.client(id).drop_attempt(&attempts);
    }

    /// The chain of requests that a call belongs to.
    pub(in crate::aws) fn outgoing_lineage(&self, id: OutgoingId) -> LineageId {
        self.under_way[id].lineage
    }

    /// Key of a call's draws for a purpose.
    fn key(&self, id: OutgoingId, purpose: u64) -> StreamKey {
        let Outgoing { chain, branch, call, .. } = self.under_way[id];
        let shared = self.clients.shared(self.chains[chain].place(branch));
        shared.key.child(purpose).child(u64::from(call.branch))
    }

    /// Which attempt of a call it is, over all runs of the event that make it; the same in every variant.
    fn nth(&self, id: OutgoingId, attempt: u32) -> u32 {
        let Outgoing { chain, .. } = self.under_way[id];
        let earlier = self.settings(id).client.max_attempts.min(1_000);
        (self.chains[chain].run - 1).saturating_mul(earlier).saturating_add(attempt)
    }

    /// Number of what is sent, for keys that go in turn.
    fn number(&self, id: OutgoingId) -> u64 {
        let Outgoing { chain, branch, call, .. } = self.under_way[id];
        let times = u64::from(self.settings(id).times.max(1));
        let made = u64::from(self.chains[chain].branches[branch].made.max(1));
        (call.submission - 1) * times + made
    }

    fn payload(&self, id: OutgoingId) -> u64 {
        let bytes = &self.settings(id).payload_bytes;
        let word = || self.key(id, PAYLOAD).word(self.under_way[id].call.submission - 1);
        bytes.is_constant().unwrap_or_else(|| bytes.sample(word()))
    }
}

impl Services {
    /// Sends an attempt, unless the adaptive limiter holds it back.
    pub(super) fn try_attempt<O: Observer>(&mut self, id: OutgoingId, context: &mut Context<'_, O>) {
        match self.calls.client(id).acquire(context.now) {
            Ok(()) => self.send_attempt(id, context),
            Err(wait) => self.call_waits(id, context.now.plus(wait), context),
        }
    }

    /// The call goes on at `at`, or is given up before.
    fn call_waits<O: Observer>(&mut self, id: OutgoingId, at: SimTime, context: &mut Context<'_, O>) {
        let at = self.total_end(id).map_or(at, |end| at.min(end));
        let outgoing = &mut self.calls.under_way[id];
        (outgoing.state, outgoing.due) = (OutgoingState::Waiting, at);
        let order = self.calls.chains[outgoing.chain].order;
        context.schedule(at, Class::Arrival, order, Event::Service(ServiceEvent::CallDue(id)));
    }

    /// A wait is over, or the client gives up.
    pub(in crate::aws) fn on_call_due<O: Observer>(&mut self, id: OutgoingId, context: &mut Context<'_, O>) {
        let outgoing = &mut self.calls.under_way[id];
        if outgoing.due != context.now {
            return; // The call went on, or ended, before.
        }
        outgoing.due = SimTime::MAX;
        let state = outgoing.state;
        match state {
            OutgoingState::Waiting if self.is_late(id, context.now) => {
                self.call_over(id, Outcome::Timeout, context);
            }
            OutgoingState::Waiting => self.try_attempt(id, context),
            OutgoingState::Running(_) | OutgoingState::Asking(_) => {
                self.abandon_attempt(id, true, context);
                self.calls.end_attempt(id, Ended::TimedOut);
            }
            OutgoingState::Deciding | OutgoingState::Finished => {}
        }
    }

    /// Whether the whole call has taken too long.
    fn is_late(&self, id: OutgoingId, now: SimTime) -> bool {
        self.total_end(id).is_some_and(|end| now >= end)
    }

    fn total_end(&self, id: OutgoingId) -> Option<SimTime> {
        let total = self.calls.settings(id).client.total_timeout?;
        Some(self.calls.under_way[id].submitted.plus(total))
    }

    /// Sends an attempt, unless the circuit breaker is open.
    fn send_attempt<O: Observer>(&mut self, id: OutgoingId, context: &mut Context<'_, O>) {
        let Outgoing { call, mut attempts, .. } = self.calls.under_way[id];
        let function = self.calls.function(id);
        if !self.calls.client(id).send(context.now, &mut attempts) {
            context.state(&Fact::Outgoing(OutgoingFact::CircuitOpen { function, call }));
            return self.calls.end_attempt(id, Ended::CircuitOpen);
        }
        let outgoing = &mut self.calls.under_way[id];
        outgoing.attempts = attempts;
        outgoing.state = OutgoingState::Deciding;
        let attempt = attempts.sent;
        context.state(&Fact::Outgoing(OutgoingFact::AttemptSent { function, call, attempt }));
        let reply = match self.calls.settings(id).to {
            CallTarget::Dependency(_) => self.ask(id, context),
            CallTarget::Function(to, Invocation::Sync) => self.invoke_for(id, to, context),
            CallTarget::Function(to, Invocation::Async) => Some(self.send_event_for(id, to, context)),
            CallTarget::Send(to) => Some(self.send_for(id, to, context)),
        };
        match reply {
            Some(reply) => self.calls.answered(id, reply),
            None => self.set_call_timer(id, context),
        }
    }

    /// When the client gives up, unless the run ends before.
    fn set_call_timer<O: Observer>(&mut self, id: OutgoingId, context: &mut Context<'_, O>) {
        let attempt = self.calls.settings(id).client.timeout.map(|timeout| context.now.plus(timeout));
        let Some(at) = attempt.into_iter().chain(self.total_end(id)).min() else { return };
        let outgoing = &mut self.calls.under_way[id];
        let chain = &self.calls.chains[outgoing.chain];
        if at < chain.to_make.deadline {
            outgoing.due = at;
            context.schedule(at, Class::Timer, chain.order, Event::Service(ServiceEvent::CallDue(id)));
        }
    }

    fn ask<O: Observer>(&mut self, id: OutgoingId, context: &mut Context<'_, O>) -> Option<Reply> {
        self.close_environments(context);
        let Outgoing { chain, call, attempts, .. } = self.calls.under_way[id];
        let CallTarget::Dependency(dependency) = self.calls.settings(id).to else { unreachable!("{id:?} asks nobody") };
        let environment = self.calls.chains[chain].environment;
        let attempt = self.calls.nth(id, attempts.sent);
        let asked = Asked { dependency, call, attempt, client: id, environment };
        match self.dependencies.ask(asked, context) {
            Ok(request) => {
                self.calls.under_way[id].state = OutgoingState::Asking(request);
                None
            }
            Err(reply) => Some(reply),
        }
    }

    /// Another function is invoked, and its answer waited for.
    fn invoke_for<O: Observer>(
        &mut self,
        id: OutgoingId,
        to: FunctionId,
        context: &mut Context<'_, O>,
    ) -> Option<Reply> {
        if self.calls.payload(id) > limits::SYNCHRONOUS_PAYLOAD_BYTES {
            return Some(Reply { answer: Answer::Rejected, status: 413 });
        }
        let lineage = match self.next_lineage(id, to) {
            Ok(lineage) => lineage,
            Err(reply) => return Some(reply),
        };
        let Outgoing { call, attempts, runs, .. } = self.calls.under_way[id];
        self.calls.under_way[id].lineage = lineage;
        let request = Request {
            origin: &call,
            function: to,
            waiter: Waiter::Outgoing(id),
            attempt: self.calls.nth(id, attempts.sent),
            run: self.calls.nth(id, runs + 1),
            duration: None,
        };
        match self.frontend.invoke(&request, context) {
            Invoked::Refused(reply) => Some(reply),
            Invoked::Started { environment, .. } => {
                let outgoing = &mut self.calls.under_way[id];
                outgoing.runs += 1;
                outgoing.state = OutgoingState::Running(environment);
                None
            }
        }
    }

    /// The chain of requests goes on with a request for `to`, unless that is stopped as a loop (INV-5.7).
    fn next_lineage(&mut self, id: OutgoingId, to: FunctionId) -> Result<LineageId, Reply> {
        let lineage = self.calls.chains[self.calls.under_way[id].chain].lineage;
        let next = self.queue.lineages().next(lineage, to);
        if self.queue.stops(next) {
            return Err(Reply { answer: Answer::Rejected, status: limits::RECURSION_STATUS });
        }
        Ok(next)
    }

    fn send_event_for<O: Observer>(&mut self, id: OutgoingId, to: FunctionId, context: &mut Context<'_, O>) -> Reply {
        let Outgoing { chain, call, attempts, .. } = self.calls.under_way[id];
        let attempt = self.calls.nth(id, attempts.sent);
        let payload_bytes = self.calls.payload(id);
        if payload_bytes > limits::ASYNCHRONOUS_PAYLOAD_BYTES {
            return Reply { answer: Answer::Rejected, status: 413 };
        }
        if let Some(reply) = self.frontend.fault(to, &call, attempt, context.now) {
            return reply;
        }
        let Chain { lineage, origin, .. } = &self.calls.chains[chain];
        let (lineage, parent) = (*lineage, Some(origin.branch));
        let lineage = self.queue.lineages().next(lineage, to);
        let event = self.queue.accept(Arrival { origin: call, lineage, parent, payload_bytes }, context);
        self.queue.begin_later(event, context);
        Reply::ACCEPTED
    }

    /// A queue, stream or broker takes what is sent, or refuses it.
    fn send_for<O: Observer>(&mut self, id: OutgoingId, to: Target, context: &mut Context<'_, O>) -> Reply {
        let Outgoing { chain, branch, call: origin, attempts, .. } = self.calls.under_way[id];
        let (bytes, number) = (self.calls.payload(id), self.calls.number(id));
        let (key, attempt) = (self.calls.key(id, FAULT), self.calls.nth(id, attempts.sent));
        let shared = self.calls.clients.shared(self.calls.chains[chain].place(branch));
        match to {
            Target::Queue(queue) => {
                let group = shared.keys.hash(number);
                let call = Together { messages: 1, bytes };
                let message = Message { origin, bytes, delay: None, group, deduplication: None, call };
                self.send(queue, message, key, attempt, context)
            }
            Target::Stream(_) | Target::Broker(_) => {
                let record = NewRecord { origin, key: shared.keys.of_record(number), bytes, call_bytes: bytes };
                self.put(to, record, key, attempt, context)
            }
            Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) => {
                self.publish(to, (origin, bytes), (key, attempt), context)
            }
            Target::StateMachine(machine) => {
                self.start_execution(machine, (origin, attempt), None, context);
                Reply { answer: Answer::Accepted, status: 200 }
            }
            Target::Function(_) => unreachable!("{to:?} is invoked"),
        }
    }

    /// Nobody waits for what an attempt has begun.
    pub(super) fn abandon_attempt<O: Observer>(
        &mut self,
        id: OutgoingId,
        timed_out: bool,
        context: &mut Context<'_, O>,
    ) {
        match self.calls.under_way[id].state {
            OutgoingState::Running(environment) => self.frontend.abandon(environment, context.now),
            OutgoingState::Asking(request) => self.dependencies.abandon(request, timed_out, context),
            OutgoingState::Deciding | OutgoingState::Waiting | OutgoingState::Finished => {}
        }
        self.calls.under_way[id].state = OutgoingState::Deciding;
    }

    /// Attempts that have ended are looked at, one after the other: what follows may end others.
    pub(in crate::aws) fn settle_calls<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        loop {
            while let Some((id, reply)) = self.dependencies.next_answer() {
                self.calls.answered(id, reply);
            }
            let Some((id, end)) = self.calls.next_ended() else { return };
            self.attempt_ended(id, end, context);
        }
    }

    fn attempt_ended<O: Observer>(&mut self, id: OutgoingId, end: Ended, context: &mut Context<'_, O>) {
        let Outgoing { call, mut attempts, submitted, .. } = self.calls.under_way[id];
        let (function, attempt) = (self.calls.function(id), attempts.sent);
        let (fact, end) = match end {
            Ended::Answered(Reply { answer, status }) => {
                let fact = OutgoingFact::AttemptAnswered { function, call, attempt, answer, status };
                (fact, AttemptEnd::Answered(answer))
            }
            Ended::CircuitOpen => return self.call_over(id, Outcome::Rejected, context),
            Ended::TimedOut => (OutgoingFact::AttemptTimedOut { function, call, attempt }, AttemptEnd::TimedOut),
        };
        context.state(&Fact::Outgoing(fact));
        let key = self.calls.key(id, BACKOFF);
        let word = || key.run(attempt).word(call.submission - 1);
        let decision = self.calls.client(id).on_ended(submitted, context.now, end, &mut attempts, word);
        let outgoing = &mut self.calls.under_way[id];
        outgoing.attempts = attempts;
        (outgoing.state, outgoing.due) = (OutgoingState::Deciding, SimTime::MAX);
        match decision {
            // The client's protections learn of the attempt, but nothing is tried again.
            _ if end == AttemptEnd::TimedOut && self.is_late(id, context.now) => {
                self.call_over(id, Outcome::Timeout, context);
            }
            Decision::Finish => self.call_over(id, end.outcome(), context),
            Decision::QuotaExhausted => {
                context.state(&Fact::Outgoing(OutgoingFact::RetryQuotaExhausted { function, call }));
                self.call_over(id, end.outcome(), context);
            }
            Decision::RetryAfter(wait) => {
                let due = context.now.plus(wait);
                if self.total_end(id).is_none_or(|end| due < end) {
                    let attempt = attempt + 1;
                    context.state(&Fact::Outgoing(OutgoingFact::RetryScheduled { function, call, attempt, due }));
                }
                self.call_waits(id, due, context);
            }
        }
    }
}
