//! The internal queues of asynchronous invocation: one for each function (INV-5.1, 5.2).
//!
//! ```text
//! accepted -> waits -> dispatched -> running -> succeeded
//!               ^          |            |
//!               |          | throttled, service error: back-off (INV-Q9)
//!               +----------+------------+ function error: retry delay (INV-Q7, Q8)
//!               |
//!               +-> dropped: attempts used up, too old (INV-Q12), reserved concurrency 0 (INV-5.6), a loop (INV-5.7)
//! ```
//! A waiting event has exactly one thing pending: its next dispatch, its expiry, or its turn among those that are
//! ready while [`maximum_parallel_dispatch`](super::config::Asynchronous) of others run. Nothing is ever scanned.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::backoff;
use super::config::{Asynchronous, Backoff, Expiry, Jitter, RecursiveLoop, RetryFrom, System};
use super::environment::Waiter;
use super::event::{Class, Context, Event};
use super::fact::{Answer, Condition, DeliveryKind, Fact, Observer, Origin, Record, ReturnCause};
use super::frontend::Frontend;
use super::function::Purpose;
use super::ids::{CallId, CallerId, EventId, FunctionId, LineageId, Slots, Table};
use super::lineage::Lineages;
use super::queued_event::{FunctionQueue, LastAnswer, QueuedEvent};
use super::request::{Invoked, Reply, Request, RunAnswer};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// The internal queues of all functions.
#[derive(Debug)]
pub(crate) struct InternalQueue {
    events: Slots<EventId, QueuedEvent>,
    lineages: Lineages,
    functions: Table<FunctionId, FunctionQueue>,
    /// Time of the handler by submission, where a trace gives it.
    durations: Table<CallerId, Option<Arc<[SimDuration]>>>,
    /// Events that fell due at this moment.
    due: Vec<EventId>,
    /// Events that ended and whose ends are to be reported.
    ended: VecDeque<Ended>,
    /// Calls that wait until an event has run, and those whose event has.
    callbacks: BTreeMap<EventId, CallId>,
    called_back: VecDeque<CallId>,
}

/// An event that ended, and what is to be told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The record for destinations; its kind says success or failure.
    pub(crate) record: Record,
    /// The chain of requests that it belongs to.
    pub(crate) lineage: LineageId,
}

/// A new event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) origin: Origin,
    pub(crate) lineage: LineageId,
    /// The branch of the event whose record it is.
    pub(crate) parent: Option<u32>,
    pub(crate) payload_bytes: u64,
}

impl InternalQueue {
    /// The queues before the run.
    pub(crate) fn new(system: &System) -> Self {
        Self {
            events: Slots::default(),
            lineages: Lineages::new(system.functions.len()),
            functions: system.functions.rows().iter().map(FunctionQueue::new).collect(),
            durations: system.callers.rows().iter().map(|caller| caller.durations.clone()).collect(),
            due: Vec::new(),
            ended: VecDeque::new(),
            callbacks: BTreeMap::new(),
            called_back: VecDeque::new(),
        }
    }

    /// Events that have not ended.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.events.len()
    }

    /// A call waits until an event has run (`CloudFormation`, INV-6).
    pub(crate) fn await_callback(&mut self, event: EventId, call: CallId) {
        self.callbacks.insert(event, call);
    }

    /// It waits no longer. The event may be over, and its id another's.
    pub(crate) fn forget_callback(&mut self, event: EventId, call: CallId) {
        if self.callbacks.get(&event) == Some(&call) {
            self.callbacks.remove(&event);
        }
    }

    /// Whether events have run that calls wait for.
    #[inline]
    pub(crate) fn has_called_back(&self) -> bool {
        !self.called_back.is_empty()
    }

    /// A call whose event has run.
    #[inline]
    pub(crate) fn next_called_back(&mut self) -> Option<CallId> {
        self.called_back.pop_front()
    }

    /// Names of functions and how many of their events wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = u64> {
        self.functions.rows().iter().map(|queue| queue.backlog)
    }

    /// The chains of requests.
    pub(crate) fn lineages(&mut self) -> &mut Lineages {
        &mut self.lineages
    }

    /// The settings of a function's queue.
    pub(crate) fn config(&self, function: FunctionId) -> &Asynchronous {
        &self.functions[function].config
    }

    /// A function's place in the file.
    pub(crate) fn order(&self, function: FunctionId) -> u32 {
        self.functions[function].order
    }

    /// The chain of requests that an event belongs to.
    pub(crate) fn lineage(&self, event: EventId) -> LineageId {
        self.events[event].lineage
    }

    /// Whether a chain that goes on like this is stopped (INV-5.7).
    pub(crate) fn stops(&self, lineage: LineageId) -> bool {
        let queue = &self.functions[self.lineages.function(lineage)];
        queue.recursive_loop == RecursiveLoop::Terminate && self.lineages.is_loop(lineage)
    }

    /// An event whose end is to be reported.
    pub(crate) fn next_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// INV-Q1: an event is accepted, whatever the concurrency. It is dispatched by [`Self::begin`] or
    /// [`Self::begin_later`].
    #[inline]
    pub(crate) fn accept<O: Observer>(&mut self, arrival: Arrival, context: &mut Context<'_, O>) -> EventId {
        let Arrival { origin, lineage, parent, payload_bytes } = arrival;
        let function = self.lineages.function(lineage);
        context.state(&Fact::EventAccepted { origin, function, parent, payload_bytes });
        self.functions[function].backlog += 1;
        self.events.insert(QueuedEvent {
            origin,
            accepted: context.now,
            since: context.now,
            last_wait: SimDuration::ZERO,
            answer: LastAnswer::None,
            lineage,
            payload_bytes: u32::try_from(payload_bytes).unwrap_or(u32::MAX),
            dispatches: 0,
            refusals: 0,
            starts: 0,
            errors: 0,
        })
    }

    /// The first dispatch of an accepted event: at once, or after the dispatch latency (INV-Q4).
    #[inline]
    pub(crate) fn begin<O: Observer>(&mut self, id: EventId, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        let queue = &self.functions[self.lineages.function(self.events[id].lineage)];
        if queue.config.dispatch_latency.is_zero() {
            self.dispatch(id, frontend, context);
        } else {
            self.begin_later(id, context);
        }
    }

    /// As [`Self::begin`], but never before other things of this moment: so a chain without end passes the event loop.
    pub(crate) fn begin_later<O: Observer>(&self, id: EventId, context: &mut Context<'_, O>) {
        let queue = &self.functions[self.lineages.function(self.events[id].lineage)];
        let at = context.now.plus(queue.config.dispatch_latency);
        context.schedule(at, Class::Arrival, queue.order, Event::DispatchDue(id));
    }

    /// Events of one function fall due together, in order of their acceptance (INV-D20).
    #[inline(never)]
    pub(crate) fn on_dispatch_due<O: Observer>(
        &mut self,
        first: EventId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let order = self.functions[self.lineages.function(self.events[first].lineage)].order;
        let mut next = context.also_due(Class::Arrival, order);
        if next.is_none() {
            return self.dispatch(first, frontend, context);
        }
        let mut due = std::mem::take(&mut self.due);
        let mut others = Vec::new();
        due.push(first);
        while let Some(event) = next {
            if let Event::DispatchDue(id) = event {
                due.push(id);
            } else {
                others.push(event);
            }
            next = context.also_due(Class::Arrival, order);
        }
        // Deliveries of the function come after its dispatches.
        for event in others {
            context.schedule(context.now, Class::Arrival, order, event);
        }
        due.sort_by_key(|id| self.events[*id].accepted);
        for id in due.drain(..) {
            self.dispatch(id, frontend, context);
        }
        self.due = due;
    }

    /// An event reaches its maximum age while it waits (INV-Q12).
    #[inline(never)]
    pub(crate) fn on_expired<O: Observer>(&mut self, id: EventId, context: &mut Context<'_, O>) {
        self.end(id, Condition::EventAgeExceeded, 0, context);
    }

    /// Asks for a run of an event.
    #[inline(always)]
    fn dispatch<O: Observer>(&mut self, id: EventId, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        let event = &mut self.events[id];
        let function = self.lineages.function(event.lineage);
        let queue = &mut self.functions[function];
        if let Some(condition) = queue.stops(event, &self.lineages, frontend.is_off(function), context.now) {
            return self.end(id, condition, 0, context);
        }
        if queue.is_full() {
            return queue.ready.push_back(id);
        }
        event.dispatches += 1;
        let QueuedEvent { origin, accepted, since, dispatches, .. } = *event;
        context.state(&Fact::EventDispatched { origin, function, accepted, queued: since });
        let run = u32::from(event.starts) + 1;
        let waiter = Waiter::Event(id);
        let duration = duration(&self.durations, &origin);
        let request = Request { origin: &origin, function, waiter, attempt: dispatches, run, duration };
        match frontend.dispatch(&request, context) {
            Invoked::Refused(reply) => self.refused(id, reply, frontend, context),
            Invoked::Started { .. } => {
                queue.backlog -= 1;
                queue.running += 1;
                event.starts = event.starts.saturating_add(1);
                event.since = context.now;
                let probability = queue.config.duplicate_probability;
                if probability > Ratio::ZERO {
                    let key = frontend.draw_key(function, Purpose::Duplicate, &origin);
                    if probability.hits(key.run(run).word(origin.submission - 1)) {
                        duplicate(&request, frontend, context);
                    }
                }
            }
        }
    }

    /// INV-Q9: a throttle or a failure of the service uses up no attempt.
    #[inline(never)]
    fn refused<O: Observer>(
        &mut self,
        id: EventId,
        reply: Reply,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let event = &mut self.events[id];
        let function = self.lineages.function(event.lineage);
        // INV-Q13: a run may end in a failure of the service when reserved concurrency is 0.
        if frontend.is_off(function) {
            return self.end(id, Condition::ZeroReservedConcurrency, 0, context);
        }
        let config = &self.functions[function].config;
        if event.errors == 0 {
            event.answer = LastAnswer::Refused(reply.status);
        }
        let word = if config.backoff.jitter == Jitter::None {
            0
        } else {
            let key = frontend.draw_key(function, Purpose::Backoff, &event.origin);
            key.run(event.dispatches).word(event.origin.submission - 1)
        };
        let wait = backoff::wait(&config.backoff, event.refusals, event.last_wait, word);
        event.last_wait = wait;
        event.refusals = event.refusals.saturating_add(1);
        let cause = if reply.answer == Answer::Throttled { ReturnCause::Throttled } else { ReturnCause::ServiceError };
        self.wait(id, cause, context.now, wait, context);
    }

    /// A run of an event ended.
    #[inline(never)]
    pub(crate) fn on_answered<O: Observer>(
        &mut self,
        id: EventId,
        answer: RunAnswer,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let event = &mut self.events[id];
        let function = self.lineages.function(event.lineage);
        let queue = &mut self.functions[function];
        queue.running -= 1;
        queue.backlog += 1;
        let started = std::mem::replace(&mut event.since, context.now);
        match answer.reply.answer {
            Answer::Success => {
                let bytes = match queue.config.on_success {
                    Some(_) => frontend.response_bytes(function, &event.origin, u32::from(event.starts)),
                    None => 0,
                };
                self.end(id, Condition::Success, bytes, context);
            }
            Answer::FunctionError => {
                event.errors += 1;
                event.refusals = 0;
                event.last_wait = SimDuration::ZERO;
                event.answer = LastAnswer::Failed { outcome: answer.outcome, error: answer.error };
                self.failed(id, started, frontend, context);
            }
            Answer::ServiceError | Answer::Throttled => self.refused(id, answer.reply, frontend, context),
            Answer::Accepted | Answer::Rejected => unreachable!("a run does not end like {:?}", answer.reply),
        }
        self.dispatch_ready(function, frontend, context);
    }

    /// INV-Q7, Q8, Q13: what follows a function error.
    fn failed<O: Observer>(
        &mut self,
        id: EventId,
        started: SimTime,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let event = &self.events[id];
        let function = self.lineages.function(event.lineage);
        let config = &self.functions[function].config;
        if frontend.is_off(function) {
            return self.end(id, Condition::ZeroReservedConcurrency, 0, context);
        }
        if u32::from(event.errors) > config.maximum_retry_attempts {
            return self.end(id, Condition::RetriesExhausted, 0, context);
        }
        let delays = &config.retry_delays;
        let base = delays[usize::from(event.errors - 1).min(delays.len() - 1)];
        let wait = if config.retry_jitter == Jitter::None {
            base
        } else {
            let key = frontend.draw_key(function, Purpose::Retry, &event.origin);
            let word = key.run(u32::from(event.starts)).word(event.origin.submission - 1);
            let backoff = Backoff { base, factor: 1.0, cap: None, jitter: config.retry_jitter };
            backoff::wait(&backoff, 0, SimDuration::ZERO, word)
        };
        let from = match config.retry_from {
            RetryFrom::End => context.now,
            RetryFrom::Start => started,
        };
        self.wait(id, ReturnCause::FunctionError, from, wait, context);
    }

    /// The event waits until `from` + `wait`, or ends because it would then be too old (INV-Q12).
    fn wait<O: Observer>(
        &mut self,
        id: EventId,
        cause: ReturnCause,
        from: SimTime,
        wait: SimDuration,
        context: &mut Context<'_, O>,
    ) {
        let QueuedEvent { origin, lineage, accepted, .. } = self.events[id];
        let function = self.lineages.function(lineage);
        let queue = &self.functions[function];
        let due = from.plus(queue.under_pressure(wait)).max(context.now);
        let deadline = accepted.plus(queue.config.maximum_event_age);
        if due < deadline {
            context.state(&Fact::EventReturned { origin, function, cause, due });
            return context.schedule(due, Class::Arrival, queue.order, Event::DispatchDue(id));
        }
        match queue.config.expiry {
            Expiry::AtDeadline if deadline > context.now => {
                context.schedule(deadline, Class::Timer, queue.order, Event::EventExpired(id));
            }
            Expiry::Lookahead | Expiry::AtDeadline => self.end(id, Condition::EventAgeExceeded, 0, context),
        }
    }

    /// Others have ended: those that are ready have their turn.
    #[inline]
    fn dispatch_ready<O: Observer>(
        &mut self,
        function: FunctionId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        while !self.functions[function].is_full()
            && let Some(id) = self.functions[function].ready.pop_front()
        {
            self.dispatch(id, frontend, context);
        }
    }

    /// The event has its fate.
    fn end<O: Observer>(
        &mut self,
        id: EventId,
        condition: Condition,
        response_bytes: u64,
        context: &mut Context<'_, O>,
    ) {
        let event = self.events.remove(id);
        let QueuedEvent { origin, lineage, accepted, .. } = event;
        let function = self.lineages.function(lineage);
        let queue = &mut self.functions[function];
        queue.backlog -= 1;
        let success = condition == Condition::Success;
        if let Some(call) = self.callbacks.remove(&id).filter(|_| success) {
            self.called_back.push_back(call);
        }
        let runs = u32::from(event.errors) + u32::from(success);
        context.state(&Fact::EventEnded { origin, function, accepted, condition, runs });
        let config = &queue.config;
        let told = if success { config.on_success } else { config.on_failure.or(config.dead_letter_queue) };
        if told.is_none() {
            return;
        }
        let response = event.response(condition, response_bytes);
        let kind = if success { DeliveryKind::OnSuccess } else { DeliveryKind::OnFailure };
        let record = Record {
            origin,
            function,
            kind,
            ended: context.now,
            condition,
            // INV-5.5: 1 for a success, even after retries.
            invoke_count: if success { 1 } else { runs },
            response,
            payload_bytes: u64::from(event.payload_bytes),
        };
        self.ended.push_back(Ended { record, lineage });
    }

    /// Settings of a function's queue; events that wait meet them at their next dispatch (INV-Q5). `change` says when
    /// they were made, and which change of that moment made them: later ones may have taken effect before.
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        function: FunctionId,
        config: &Asynchronous,
        change: (SimTime, u32),
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let queue = &mut self.functions[function];
        if queue.change.is_some_and(|last| last > change) {
            return;
        }
        queue.change = Some(change);
        queue.config = config.clone();
        self.dispatch_ready(function, frontend, context);
    }

    /// Whether loops through a function are stopped.
    pub(crate) fn set_recursive_loop(&mut self, function: FunctionId, recursive_loop: RecursiveLoop) {
        self.functions[function].recursive_loop = recursive_loop;
    }
}

/// INV-Q6: the same run once more; nobody waits for its result.
#[cold]
fn duplicate<O: Observer>(request: &Request, frontend: &mut Frontend, context: &mut Context<'_, O>) {
    let Request { origin, function, run, .. } = *request;
    context.state(&Fact::EventDuplicated { origin: *origin, function, run });
    frontend.dispatch(&Request { waiter: Waiter::Nobody, ..*request }, context);
}

/// The handler's time that a trace gives for a submission.
#[inline(always)]
fn duration(durations: &Table<CallerId, Option<Arc<[SimDuration]>>>, origin: &Origin) -> Option<SimDuration> {
    let durations = durations[origin.caller].as_ref().filter(|_| origin.branch == 0)?;
    usize::try_from(origin.submission - 1).ok().and_then(|index| durations.get(index)).copied()
}
