//! One attempt of a call: sent, answered, and what follows from its end.

use super::call::{Call, CallState};
use super::caller::{Caller, Passage};
use super::client::{AttemptEnd, Decision};
use super::config::{Invocation, Target};
use super::environment::Waiter;
use super::event::{Class, Context, Event};
use super::fact::{Answer, Fact, FrontFact, Observer, Origin, Outcome, RunOutcome};
use super::front_door::Limited;
use super::ids::{CallId, EventId, FunctionId, StateMachineId};
use super::request::{Invoked, Reply, Request};
use super::services::Services;
use crate::kernel::time::{SimDuration, SimTime};

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
        return answered(id, call, caller, caller.too_large(), context);
    }
    if let Some(reply) = stopped_at_door(origin, attempt, caller, services, context) {
        return answered(id, call, caller, reply, context);
    }
    let reply = match (caller.target, caller.invocation) {
        (Target::Function(function), Invocation::Sync) => {
            return invoke(id, call, function, caller, services, context);
        }
        (Target::Function(function), Invocation::Async) => {
            return send_event(id, call, (function, payload_bytes), caller, services, context);
        }
        (Target::Queue(queue), _) => services.send(queue, caller.message(origin), caller.fault_key(), attempt, context),
        (to @ (Target::Stream(_) | Target::Broker(_)), _) => {
            services.put(to, caller.record(origin), caller.fault_key(), attempt, context)
        }
        (Target::StateMachine(machine), Invocation::Async) => {
            services.start_execution(machine, (origin, attempt), None, context);
            Reply { answer: Answer::Accepted, status: 200 }
        }
        (Target::StateMachine(machine), Invocation::Sync) => {
            return execute(id, call, machine, caller, services, context);
        }
        (to @ (Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_)), _) => {
            let sent = (origin, payload_bytes);
            services.publish(to, sent, (caller.fault_key(), attempt), context)
        }
    };
    answered(id, call, caller, reply, context)
}

/// The answer of a door that does not let an attempt through.
fn stopped_at_door<O: Observer>(
    origin: Origin,
    attempt: u32,
    caller: &mut Caller,
    services: &mut Services,
    context: &mut Context<'_, O>,
) -> Option<Reply> {
    let Passage::Door(door) = &mut caller.passage else { return None };
    let limited = services.pass_door(door, origin.caller, context.now).err()?;
    let concurrency = limited == Limited::Concurrency;
    context.state(&Fact::Front(FrontFact::Limited { origin, attempt, concurrency }));
    Some(door.limited())
}

/// Invokes a function synchronously.
#[inline(always)]
fn invoke<O: Observer>(
    id: CallId,
    call: &mut Call,
    function: FunctionId,
    caller: &mut Caller,
    services: &mut Services,
    context: &mut Context<'_, O>,
) -> Step {
    let origin = call.origin;
    // Lambda@Edge has another pool in each Region.
    let behind_door = matches!(caller.passage, Passage::Door(_));
    let replica = if behind_door { services.replica(origin.caller) } else { None };
    let request = Request {
        origin: &origin,
        function: replica.unwrap_or(function),
        waiter: Waiter::Call(id),
        attempt: call.attempts.sent,
        run: call.runs + 1,
        duration: caller.duration(origin.submission),
    };
    match services.invoke(&request, context) {
        Invoked::Refused(reply) => refused(id, call, caller, reply, context),
        Invoked::Started { environment, reply_at } => {
            call.runs += 1;
            call.state = CallState::Running(environment);
            let mut gives_up = gives_up_at(&origin, caller, context.now);
            if let Passage::Door(door) = &caller.passage
                && let Some(patience) = door.patience()
                && context.now.plus(patience) <= gives_up
            {
                gives_up = context.now.plus(patience);
                call.state = CallState::BehindDoor(environment);
            }
            if reply_at > gives_up {
                set_timer(id, call, gives_up, caller.order, context);
            }
            Step::Waits
        }
    }
}

/// Starts an execution of a state machine, and waits for its end.
fn execute<O: Observer>(
    id: CallId,
    call: &mut Call,
    machine: StateMachineId,
    caller: &Caller,
    services: &mut Services,
    context: &mut Context<'_, O>,
) -> Step {
    let execution = services.start_execution(machine, (call.origin, call.attempts.sent), Some(id), context);
    call.state = CallState::Executing(execution);
    let gives_up = gives_up_at(&call.origin, caller, context.now);
    if gives_up < SimTime::MAX {
        set_timer(id, call, gives_up, caller.order, context);
    }
    Step::Waits
}

/// Invokes a function asynchronously: the call ends with the event's acceptance, or with the function's call back.
fn send_event<O: Observer>(
    id: CallId,
    call: &mut Call,
    (function, payload_bytes): (FunctionId, u64),
    caller: &mut Caller,
    services: &mut Services,
    context: &mut Context<'_, O>,
) -> Step {
    let event = match services.accept(call.origin, function, call.attempts.sent, payload_bytes, context) {
        Ok(event) => event,
        Err(reply) => return refused(id, call, caller, reply, context),
    };
    let mut step = answered(id, call, caller, Reply::ACCEPTED, context);
    if let Passage::Event(service) = &caller.passage
        && let Some(timeout) = service.callback_timeout
    {
        await_callback(id, call, (event, timeout), caller.order, services, context);
        step = Step::Waits;
    }
    services.begin(event, context);
    step
}

/// Lambda refused.
fn refused<O: Observer>(
    id: CallId,
    call: &mut Call,
    caller: &mut Caller,
    reply: Reply,
    context: &mut Context<'_, O>,
) -> Step {
    let reply = translated(call, caller, reply, None, context);
    answered(id, call, caller, reply, context)
}

/// What the client gets for what Lambda says.
#[inline(always)]
pub(super) fn translated<O: Observer>(
    call: &Call,
    caller: &Caller,
    reply: Reply,
    outcome: Option<RunOutcome>,
    context: &mut Context<'_, O>,
) -> Reply {
    match &caller.passage {
        Passage::Direct | Passage::Event(_) | Passage::Firehose => reply,
        Passage::Door(door) => {
            let translated = door.translate(reply, outcome);
            if translated != reply {
                let (origin, attempt) = (call.origin, call.attempts.sent);
                let Reply { status, .. } = translated;
                context.state(&Fact::Front(FrontFact::Translated { origin, attempt, answer: reply.answer, status }));
            }
            translated
        }
    }
}

/// `CloudFormation` waits for the function to call back (INV-6).
fn await_callback<O: Observer>(
    id: CallId,
    call: &mut Call,
    (event, timeout): (EventId, SimDuration),
    order: u32,
    services: &mut Services,
    context: &mut Context<'_, O>,
) {
    let until = context.now.plus(timeout);
    context.state(&Fact::Front(FrontFact::CallbackAwaited { origin: call.origin, until }));
    call.state = CallState::AwaitingCallback(event);
    services.await_callback(event, id);
    set_timer(id, call, until, order, context);
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

/// The client gave up waiting for an attempt, or for the whole call.
pub(super) fn gave_up<O: Observer>(
    id: CallId,
    call: &mut Call,
    caller: &mut Caller,
    call_over: bool,
    context: &mut Context<'_, O>,
) -> Step {
    context.state(&Fact::AttemptTimedOut { origin: call.origin, attempt: call.attempts.sent });
    if !call_over {
        return attempt_ended(id, call, caller, AttemptEnd::TimedOut, context);
    }
    // The client's protections learn of the attempt, but nothing is tried again.
    let submitted = call.origin.submitted;
    caller.client.on_ended(submitted, context.now, AttemptEnd::TimedOut, &mut call.attempts, || 0);
    Step::Over(Outcome::Timeout)
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
    let since = caller.age_counts_from(&origin);
    match caller.client.on_ended(since, context.now, end, &mut call.attempts, word) {
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
