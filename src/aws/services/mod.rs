//! The services of one account: Lambda with the internal queue behind it and the deliveries that follow from it, queues,
//! and the mappings that poll them.
//!
//! No rule lives here; it says who is told what. What follows the end of an event stands in `destinations`, what places do
//! in `fan_out::services`.

mod fronts;
mod settings;

mod calls;

use std::collections::VecDeque;

use self::calls::Calls;
use super::config::{self, System, Target};
use super::delivery::Deliveries;
use super::dependencies::Dependencies;
use super::environment::Waiter;
use super::event::{Context, ServiceEvent};
use super::fact::{Answer, Observer, Origin};
use super::fan_out::FanOut;
use super::firehose::Firehoses;
use super::front_door::AccountDoor;
use super::frontend::Frontend;
use super::function::Names;
use super::ids::{CallId, EnvironmentId, EventId, FunctionId, QueueId};
use super::internal_queue::{Arrival, InternalQueue};
use super::lineage::Lineages;
use super::mapping::{Mappings, Surroundings};
use super::readers::{self, Readers};
use super::request::{Answered, Invoked, Reply, Request, RunAnswer};
use super::sqs::{Message, Sqs};
use super::state_machines::{Ended, StateMachines};
use super::streams::{NewRecord, Put, Streams};
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};

/// The services of one account.
#[derive(Debug)]
pub(crate) struct Services {
    pub(super) frontend: Frontend,
    pub(super) queue: InternalQueue,
    pub(super) deliveries: Deliveries,
    pub(super) sqs: Sqs,
    pub(super) mappings: Mappings,
    pub(super) streams: Streams,
    pub(super) readers: Readers,
    pub(super) firehoses: Firehoses,
    calls: Calls,
    dependencies: Dependencies,
    /// Whether one thing in the services can bring about another before the next event.
    composed: bool,
    /// Answers of runs on their way to callers.
    replies: VecDeque<Answered>,
    pub(super) account_door: AccountDoor,
    pub(super) fan_out: FanOut,
    pub(super) state_machines: StateMachines,
    pub(super) propagation: SimDuration,
}

/// What a caller hears of what happened within the services.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The answer of a run.
    Reply(Answered),
    /// The function that it waits for has called back.
    CalledBack(CallId),
    /// The end of an execution that it waits for.
    ExecutionEnded(Ended),
}

impl Services {
    /// The service before the run. `callers` are the names that draws are keyed by.
    pub(crate) fn new(system: &System, callers: Names, streams: RandomStreams) -> Self {
        Self {
            sqs: Sqs::new(system, &streams),
            mappings: Mappings::new(system, &callers, &streams),
            streams: Streams::new(system, &Readers::read_by(system)),
            readers: Readers::new(system, &callers, &streams),
            firehoses: Firehoses::new(system),
            calls: Calls::new(system, &streams),
            dependencies: Dependencies::new(system, &callers, &streams),
            composed: is_composed(system),
            replies: VecDeque::new(),
            account_door: AccountDoor::new(system),
            state_machines: StateMachines::new(system, callers.clone(), streams.clone()),
            fan_out: FanOut::new(system, &callers, &streams),
            frontend: Frontend::new(system, callers, streams),
            queue: InternalQueue::new(system),
            deliveries: Deliveries::new(system),
            propagation: system.account.configuration_propagation,
        }
    }

    /// What stands ready when the run starts.
    pub(crate) fn start<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        self.frontend.start(context);
        let (mappings, mut around) = self.mappings();
        mappings.start(&mut around, context);
        self.streams.start(context);
        let (readers, mut around) = self.readers();
        readers.start(&mut around, context);
    }

    /// The state at the end of the run.
    pub(crate) fn finish<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        self.frontend.finish(context);
        self.sqs.finish(context);
        self.mappings.finish(context);
        self.streams.finish(context);
        self.readers.finish(context);
    }

    /// Whether a run, an event or a delivery is under way.
    #[inline]
    pub(crate) fn is_busy(&self) -> bool {
        self.frontend.running() > 0
            || self.queue.open() > 0
            || self.deliveries.open() > 0
            || self.sqs.awaited() > 0
            || self.sqs.redriving() > 0
            || self.mappings.open() > 0
            || self.streams.awaited() > 0
            || self.readers.held() > 0
            || self.firehoses.open() > 0
            || self.state_machines.open() > 0
            || self.fan_out.open() > 0
            || self.dependencies.open() > 0
    }

    /// Whether something has to be done before the next event.
    #[inline(always)]
    pub(crate) fn is_unsettled(&self) -> bool {
        self.composed && self.has_unsettled()
    }

    #[inline(never)]
    fn has_unsettled(&self) -> bool {
        self.fan_out.is_pending()
            || self.state_machines.is_unsettled()
            || self.calls.has_ended()
            || self.dependencies.has_answers()
            || self.frontend.has_closed()
            || self.queue.has_called_back()
            || !self.replies.is_empty()
    }

    /// Does what has to be done before the next event: places pass on what they received, calls of runs and executions go
    /// on. Gives the next thing that a caller hears.
    pub(crate) fn settle<O: Observer>(&mut self, context: &mut Context<'_, O>) -> Option<Heard> {
        loop {
            self.pass_on(context);
            self.close_environments(context);
            self.settle_calls(context);
            self.state_machines.run(&mut self.frontend, context);
            let goes_on = self.fan_out.is_pending()
                || self.calls.has_ended()
                || self.dependencies.has_answers()
                || self.frontend.has_closed();
            if !goes_on {
                break;
            }
        }
        let reply = self.replies.pop_front().map(Heard::Reply);
        let called_back = || self.queue.next_called_back().map(Heard::CalledBack);
        reply.or_else(called_back).or_else(|| self.state_machines.next_ended().map(Heard::ExecutionEnded))
    }

    /// The mappings, and what they act on.
    fn mappings(&mut self) -> (&mut Mappings, Surroundings<'_>) {
        (&mut self.mappings, Surroundings { frontend: &mut self.frontend, sqs: &mut self.sqs })
    }

    /// The mappings that read streams and brokers, and what they act on.
    fn readers(&mut self) -> (&mut Readers, readers::Surroundings<'_>) {
        let Self { readers, frontend, sqs, streams, fan_out, .. } = self;
        (readers, readers::Surroundings { frontend, sqs, streams, fan_out })
    }

    /// A record is sent to a stream, or a message to a broker; the answer of the service.
    #[inline(always)]
    pub(crate) fn put<O: Observer>(
        &mut self,
        to: Target,
        record: NewRecord,
        key: StreamKey,
        attempt: u32,
        context: &mut Context<'_, O>,
    ) -> Reply {
        let log = self.streams.of_target(to).expect("a stream or a broker");
        match self.streams.send(log, record, key, attempt, context) {
            Put::Refused(reply) => reply,
            Put::Accepted(shard) => {
                self.readers.hope(log, &mut self.streams, context);
                self.readers.on_put(log, shard, record.bytes, &mut self.streams, context);
                Reply { answer: Answer::Success, status: 200 }
            }
        }
    }

    /// A message is sent to a queue; the answer of the service.
    #[inline]
    pub(crate) fn send<O: Observer>(
        &mut self,
        queue: QueueId,
        message: Message,
        key: StreamKey,
        attempt: u32,
        context: &mut Context<'_, O>,
    ) -> Reply {
        self.sqs.send(queue, message, key, attempt, context)
    }

    /// Something inside the services is due.
    #[inline(never)]
    pub(crate) fn on_event<O: Observer>(&mut self, event: ServiceEvent, context: &mut Context<'_, O>) {
        let (mappings, mut around) = self.mappings();
        match event {
            ServiceEvent::MessagesReady(queue) => mappings.on_messages_ready(queue, &mut around, context),
            ServiceEvent::MappingEnabled(mapping) => mappings.on_enabled(mapping, &mut around, context),
            ServiceEvent::BatchDue(batch) => mappings.on_batch_due(batch, &mut around, context),
            ServiceEvent::ScalingDue(mapping) => mappings.on_scaling_due(mapping, &mut around, context),
            ServiceEvent::PaceDue(mapping) => mappings.on_pace_due(mapping, &mut around, context),
            ServiceEvent::IdleDue(mapping) => mappings.on_idle_due(mapping, context),
            ServiceEvent::RedriveDue(queue) => around.sqs.on_redrive_due(queue, context),
            ServiceEvent::ReadingEnabled(_)
            | ServiceEvent::ReaderDue(_)
            | ServiceEvent::WorkerDue(_)
            | ServiceEvent::ConsumersLookedAt(_)
            | ServiceEvent::ConsumersDue(_)
            | ServiceEvent::CapacityDue(_) => self.on_reading(event, context),
            ServiceEvent::BufferIntervalOver(caller) => {
                self.firehoses.on_interval_over(caller, &mut self.frontend, context);
            }
            ServiceEvent::BufferPauseOver(buffer) => self.firehoses.on_pause_over(buffer, &mut self.frontend, context),
            ServiceEvent::BufferTimedOut(buffer) => self.firehoses.on_timed_out(buffer, &mut self.frontend, context),
            ServiceEvent::ThreadDue(_) | ServiceEvent::TaskTimedOut(_) | ServiceEvent::ExecutionTimedOut(_) => {
                self.on_execution_event(event, context);
            }
            ServiceEvent::RelayDue(relay) => self.relay(relay, context),
            ServiceEvent::RequestServed(request) => self.dependencies.on_served(request, context),
            ServiceEvent::CallDue(call) => self.on_call_due(call, context),
            ServiceEvent::CallsTimedOut(chain) => self.on_calls_timed_out(chain, context),
            ServiceEvent::EnvironmentsIdle(function) => self.frontend.expire(function, context),
            ServiceEvent::Provisioned(event) => self.frontend.on_provisioned(event, context),
        }
    }

    /// What is kept in the memory of environments that have ended is gone.
    fn close_environments<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        while let Some(environment) = self.frontend.next_closed() {
            self.calls.forget(environment);
            self.dependencies.disconnect(environment, context);
        }
    }

    fn on_reading<O: Observer>(&mut self, event: ServiceEvent, context: &mut Context<'_, O>) {
        let (readers, mut around) = self.readers();
        match event {
            ServiceEvent::ReadingEnabled(mapping) => readers.on_enabled(mapping, &mut around, context),
            ServiceEvent::ReaderDue(reader) => readers.on_reader_due(reader, &mut around, context),
            ServiceEvent::WorkerDue(worker) => readers.on_worker_due(worker, &mut around, context),
            ServiceEvent::ConsumersLookedAt(mapping) => readers.on_scaling_due(mapping, &mut around, context),
            ServiceEvent::ConsumersDue(mapping) => readers.on_consumers_due(mapping, &mut around, context),
            ServiceEvent::CapacityDue(stream) => readers.on_capacity_due(stream, &mut around, context),
            ServiceEvent::MessagesReady(_)
            | ServiceEvent::MappingEnabled(_)
            | ServiceEvent::BatchDue(_)
            | ServiceEvent::ScalingDue(_)
            | ServiceEvent::PaceDue(_)
            | ServiceEvent::IdleDue(_)
            | ServiceEvent::RedriveDue(_)
            | ServiceEvent::BufferIntervalOver(_)
            | ServiceEvent::BufferPauseOver(_)
            | ServiceEvent::BufferTimedOut(_)
            | ServiceEvent::ThreadDue(_)
            | ServiceEvent::TaskTimedOut(_)
            | ServiceEvent::ExecutionTimedOut(_)
            | ServiceEvent::RelayDue(_)
            | ServiceEvent::RequestServed(_)
            | ServiceEvent::CallDue(_)
            | ServiceEvent::CallsTimedOut(_)
            | ServiceEvent::EnvironmentsIdle(_)
            | ServiceEvent::Provisioned(_) => unreachable!("{event:?} is not about streams"),
        }
    }

    /// Names of functions with runs under way or events waiting, and how many.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, u64)> {
        self.frontend.busy().zip(self.queue.waiting()).map(|((name, runs), events)| (name, u64::from(runs) + events))
    }

    /// Names of mappings, and how many records they have read that have not ended.
    pub(crate) fn reading(&self) -> impl Iterator<Item = (&str, u64)> {
        self.readers.busy()
    }

    /// Names of dependencies, and how many requests are there.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&str, u64)> {
        self.dependencies.busy()
    }

    /// Calls that wait for a run and have no record.
    pub(crate) fn first_attempts(&self) -> impl Iterator<Item = Origin> {
        self.frontend.first_attempts()
    }

    /// A synchronous request of a client.
    #[inline(always)]
    pub(crate) fn invoke<O: Observer>(&mut self, request: &Request, context: &mut Context<'_, O>) -> Invoked {
        self.frontend.invoke(request, context)
    }

    /// An asynchronous request of a client. What is accepted is to be [begun](Self::begin).
    #[inline]
    pub(crate) fn accept<O: Observer>(
        &mut self,
        origin: Origin,
        function: FunctionId,
        attempt: u32,
        payload_bytes: u64,
        context: &mut Context<'_, O>,
    ) -> Result<EventId, Reply> {
        if let Some(reply) = self.frontend.fault(function, &origin, attempt, context.now) {
            return Err(reply);
        }
        let lineage = Lineages::first(function);
        Ok(self.queue.accept(Arrival { origin, lineage, parent: None, payload_bytes }, context))
    }

    /// An accepted event sets out.
    #[inline]
    pub(crate) fn begin<O: Observer>(&mut self, event: EventId, context: &mut Context<'_, O>) {
        self.queue.begin(event, &mut self.frontend, context);
        self.report_ends(context);
    }

    /// Events of one function fall due.
    #[inline(never)]
    pub(crate) fn on_dispatch_due<O: Observer>(&mut self, event: EventId, context: &mut Context<'_, O>) {
        self.queue.on_dispatch_due(event, &mut self.frontend, context);
        self.report_ends(context);
    }

    /// An event reaches its maximum age.
    #[inline(never)]
    pub(crate) fn on_event_expired<O: Observer>(&mut self, event: EventId, context: &mut Context<'_, O>) {
        self.queue.on_expired(event, context);
        self.report_ends(context);
    }

    /// The call that waits for a run has a record from now on.
    #[inline]
    pub(crate) fn set_waiter(&mut self, environment: EnvironmentId, call: CallId) {
        self.frontend.set_waiter(environment, call);
    }

    /// The client of a run gave up waiting.
    pub(crate) fn abandon(&mut self, environment: EnvironmentId, now: SimTime) {
        self.frontend.abandon(environment, now);
    }

    /// The answer of a run leaves; gives it back if it is for a client.
    pub(crate) fn on_replied<O: Observer>(
        &mut self,
        environment: EnvironmentId,
        context: &mut Context<'_, O>,
    ) -> Option<Answered> {
        let answered = self.frontend.on_replied(environment)?;
        self.for_client(answered, context)
    }

    /// Whether more than usual is known of a run.
    #[inline(always)]
    pub(crate) fn has_details(&self, environment: EnvironmentId) -> bool {
        self.frontend.has_details(environment)
    }

    /// A run ended; gives its answer back if it is for a client.
    #[inline(always)]
    pub(crate) fn on_run_ended<O: Observer>(
        &mut self,
        environment: EnvironmentId,
        has_details: bool,
        context: &mut Context<'_, O>,
    ) -> Option<Answered> {
        if has_details && let Some(calling) = self.frontend.begin_calling(environment) {
            self.begin_calls(calling, context);
            return None;
        }
        let answered = self.frontend.on_run_ended(environment, has_details, context)?;
        self.for_client(answered, context)
    }

    /// Keeps the answers that are for the internal queue.
    #[inline(always)]
    fn for_client<O: Observer>(&mut self, answered: Answered, context: &mut Context<'_, O>) -> Option<Answered> {
        match answered.waiter {
            Waiter::Nobody | Waiter::FirstAttempt | Waiter::Call(_) => Some(answered),
            Waiter::Event(_)
            | Waiter::Batch(_)
            | Waiter::Worker(_)
            | Waiter::Buffer(_)
            | Waiter::Thread(_)
            | Waiter::Outgoing(_) => {
                self.take_answer(answered.waiter, answered.answer, context);
                None
            }
        }
    }

    /// The answer of a run goes to the internal queue, to a mapping, or to an execution.
    #[inline(never)]
    fn take_answer<O: Observer>(&mut self, waiter: Waiter, answer: RunAnswer, context: &mut Context<'_, O>) {
        match waiter {
            Waiter::Event(event) => {
                self.queue.on_answered(event, answer, &mut self.frontend, context);
                self.report_ends(context);
            }
            Waiter::Batch(batch) => {
                let (mappings, mut around) = self.mappings();
                mappings.on_answered(batch, answer, &mut around, context);
            }
            Waiter::Worker(worker) => {
                let (readers, mut around) = self.readers();
                readers.on_answered(worker, answer, &mut around, context);
            }
            Waiter::Buffer(buffer) => {
                self.firehoses.on_answered(buffer, answer.reply, &mut self.frontend, context);
            }
            Waiter::Thread(thread) => {
                self.state_machines.on_answered(thread, answer, &mut self.frontend, context);
            }
            Waiter::Outgoing(call) => self.calls.answered(call, answer.reply),
            Waiter::Nobody | Waiter::FirstAttempt | Waiter::Call(_) => unreachable!("{answer:?} is for a client"),
        }
    }
}

/// Whether there is anything that passes on, executes, calls or calls back.
fn is_composed(system: &System) -> bool {
    let calls_back = |caller: &config::Caller| match &caller.via.passage {
        config::Passage::Event(service) => service.callback_timeout.is_some(),
        config::Passage::Direct | config::Passage::Door(_) | config::Passage::Firehose(_) => false,
    };
    let places = system.topics.len() + system.event_buses.len() + system.buckets.len();
    places + system.state_machines.len() > 0 || system.has_calls() || system.callers.rows().iter().any(calls_back)
}
