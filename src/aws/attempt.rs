//! One attempt of a call: sent, answered, and what follows from its end.

use super::call::{Call, CallState};
use super::caller::Caller;
use super::client::{AttemptEnd, Decision};
use super::config::{Invocation, Target};
use super::environment::Waiter;
use super::event::{Class, Context, Event};
use super::fact::{Answer, Fact, Observer, Origin, Outcome};
use super::ids::CallId;
use super::request::{Invoked, Reply, Request};
use super::services::Services;
use crate::kernel::time::SimTime;

/// Where a call stands after it was moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something will fall due, or an answer will come.
    Waits,
    /// It waits for the adaptive limiter.
    JoinsLimited,
    /// It is over.
    Over(Outcome),
}

/// Sends an attempt, unless the adaptive limiter holds it back.
#[inline(always)]
pub(super) fn try_send<O: Observer>(
    id: CallId,
    origin: Origin,
    call: &mut Call,
    caller: &mut Caller,
    services: &mut Services,
    context: &mut Context<'_, O>,
) -> Step {
    if caller.is_limited() {
        return Step::JoinsLimited;
    }
    if let Err(wait) = caller.client.acquire(context.now) {
        caller.ask_limiter(origin.caller, wait, context);
        return Step::JoinsLimited;
    }
    send(id, origin, call, caller, services, context)
}

/// Sends an attempt, unless the circuit breaker is open.
#[inline(always)]
pub(super) fn send<O: Observer>(
    id: CallId,
    origin: Origin,
    call: &mut Call,
    caller: &mut Caller,
    services: &mut Services,
    context: &mut Context<'_, O>,
) -> Step {
    if !caller.client.send(context.now, &mut call.attempts) {
        context.state(&Fact::CircuitOpen { origin });
        return Step::Over(Outcome::Rejected);
    }
    let attempt = call.attempts.sent;
    context.state(&Fact::AttemptSent { origin, attempt });
    let payload_bytes = caller.payload(origin.submission);
    if payload_bytes > caller.payload_limit() {
        return answered(id, call, caller, Reply { answer: Answer::Rejected, status: 413 }, context);
    }
    let function = match (caller.target, caller.invocation) {
        (Target::Function(function), Invocation::Sync) => function,
        (Target::Function(function), Invocation::Async) => {
            return match services.accept(origin, function, attempt, payload_bytes, context) {
                Err(reply) => answered(id, call, caller, reply, context),
                Ok(event) => {
                    let step = answered(id, call, caller, Reply::ACCEPTED, context);
                    services.begin(event, context);
                    step
                }
            };
        }
        (Target::Queue(queue), _) => {
            let reply = services.send(queue, caller.message(origin), caller.fault_key(), attempt, context);
            return answered(id, call, caller, reply, context);
        }
        (to @ (Target::Stream(_) | Target::Broker(_)), _) => {
            let reply = services.put(to, caller.record(origin), caller.fault_key(), attempt, context);
            return answered(id, call, caller, reply, context);
        }
        (Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_), _) => {
            unreachable!("{:?} cannot be called", caller.target)
        }
    };
    let request = Request {
        origin: &origin,
        function,
        waiter: Waiter::Call(id),
        attempt,
        run: call.runs + 1,
        duration: caller.duration(origin.submission),
    };
    match services.invoke(&request, context) {
        Invoked::Refused(reply) => answered(id, call, caller, reply, context),
        Invoked::Started { environment, reply_at } => {
            call.runs += 1;
            call.state = CallState::Running(environment);
            let gives_up = gives_up_at(&origin, caller, context.now);
            if reply_at > gives_up {
                set_timer(id, call, gives_up, caller.order, context);
            }
            Step::Waits
        }
    }
}

/// An answer came.
#[inline(always)]
pub(super) fn answered<O: Observer>(
    id: CallId,
    call: &mut Call,
    caller: &mut Caller,
    reply: Reply,
    context: &mut Context<'_, O>,
) -> Step {
    let Reply { answer, status } = reply;
    context.state(&Fact::AttemptAnswered { origin: call.origin, attempt: call.attempts.sent, answer, status });
    attempt_ended(id, call, caller, AttemptEnd::Answered(answer), context)
}

/// What the client does after an attempt.
#[inline(always)]
pub(super) fn attempt_ended<O: Observer>(
    id: CallId,
    call: &mut Call,
    caller: &mut Caller,
    end: AttemptEnd,
    context: &mut Context<'_, O>,
) -> Step {
    let (origin, sent, key) = (call.origin, call.attempts.sent, caller.backoff_key());
    call.state = CallState::Deciding;
    let word = || key.run(sent).word(origin.submission - 1);
    match caller.client.on_ended(context.now, end, &mut call.attempts, word) {
        Decision::Finish => Step::Over(end.outcome()),
        Decision::QuotaExhausted => {
            context.state(&Fact::RetryQuotaExhausted { origin });
            Step::Over(end.outcome())
        }
        Decision::RetryAfter(wait) => {
            let due = context.now.plus(wait);
            call.state = CallState::BackingOff;
            match call_ends(&call.origin, caller) {
                Some(ends) if due >= ends => set_timer(id, call, ends, caller.order, context),
                _ => {
                    context.state(&Fact::RetryScheduled { origin, attempt: sent + 1, due });
                    context.schedule(due, Class::Arrival, caller.order, Event::RetryDue(id));
                }
            }
            Step::Waits
        }
    }
}

/// When the client gives up waiting for the attempt that it sends now.
#[inline(always)]
pub(super) fn gives_up_at(origin: &Origin, caller: &Caller, now: SimTime) -> SimTime {
    let attempt_ends = caller.client.config.timeout.map_or(SimTime::MAX, |timeout| now.plus(timeout));
    call_ends(origin, caller).unwrap_or(SimTime::MAX).min(attempt_ends)
}

/// When the whole call is given up.
#[inline(always)]
pub(super) fn call_ends(origin: &Origin, caller: &Caller) -> Option<SimTime> {
    caller.client.config.total_timeout.map(|total| origin.submitted.plus(total))
}

/// The call will give up at `at`.
#[inline(never)]
pub(super) fn set_timer<O: Observer>(
    id: CallId,
    call: &mut Call,
    at: SimTime,
    order: u32,
    context: &mut Context<'_, O>,
) {
    call.timer = at;
    context.schedule(at, Class::Timer, order, Event::TimedOut(id));
}
