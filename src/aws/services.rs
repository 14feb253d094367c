//! The services of one account: Lambda with the internal queue behind it and the deliveries that follow from it, queues,
//! and the mappings that poll them.
//!
//! No rule lives here; it says who is told what.

use super::config::{self, ChangeAction, Source, System, Target};
use super::delivery::{Deliveries, Delivery};
use super::environment::Waiter;
use super::event::{self, Context, Event, ServiceEvent};
use super::fact::{Answer, Condition, DeliveryKind, Fact, Observer, Origin};
use super::frontend::Frontend;
use super::function::Names;
use super::ids::{CallId, DeliveryId, EnvironmentId, EventId, FunctionId, QueueId};
use super::internal_queue::{Arrival, Ended, InternalQueue};
use super::lineage::Lineages;
use super::mapping::{Mappings, Surroundings};
use super::readers::{self, Readers};
use super::request::{Answered, Invoked, Reply, Request, RunAnswer};
use super::sqs::{Message, Sqs, Together};
use super::streams::{NewRecord, Put, Streams};
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};

/// The services of one account.
#[derive(Debug)]
pub(crate) struct Services {
    frontend: Frontend,
    queue: InternalQueue,
    deliveries: Deliveries,
    sqs: Sqs,
    mappings: Mappings,
    streams: Streams,
    readers: Readers,
    propagation: SimDuration,
}

impl Services {
    /// The service before the run. `callers` are the names that draws are keyed by.
    pub(crate) fn new(system: &System, callers: Names, streams: RandomStreams) -> Self {
        Self {
            sqs: Sqs::new(system, &streams),
            mappings: Mappings::new(system, &callers, &streams),
            streams: Streams::new(system, &Readers::read_by(system)),
            readers: Readers::new(system, &callers, &streams),
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
    }

    /// Whether a change, once it is made, lets something go on that rests in a queue, a stream or at a broker.
    pub(crate) fn resumes(&self, action: &ChangeAction) -> bool {
        match action {
            ChangeAction::Mapping(id, mapping) if mapping.enabled => match mapping.source {
                Source::Queue(queue) => self.sqs.rests(queue),
                Source::Stream(_) | Source::Broker(_) => self.readers.rests(*id, &self.streams),
            },
            ChangeAction::Redrive { queue, .. } => self.sqs.rests(*queue),
            ChangeAction::Mapping(..)
            | ChangeAction::Account(_)
            | ChangeAction::Function(..)
            | ChangeAction::Deploy(_)
            | ChangeAction::Queue(..)
            | ChangeAction::Stream(..)
            | ChangeAction::Client(..) => false,
        }
    }

    /// The mappings, and what they act on.
    fn mappings(&mut self) -> (&mut Mappings, Surroundings<'_>) {
        (&mut self.mappings, Surroundings { frontend: &mut self.frontend, sqs: &mut self.sqs })
    }

    /// The mappings that read streams and brokers, and what they act on.
    fn readers(&mut self) -> (&mut Readers, readers::Surroundings<'_>) {
        let Self { readers, frontend, sqs, streams, .. } = self;
        (readers, readers::Surroundings { frontend, sqs, streams })
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
            ServiceEvent::Provisioned(event) => self.frontend.on_provisioned(event, context),
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
        let answered = self.frontend.on_run_ended(environment, has_details, context)?;
        self.for_client(answered, context)
    }

    /// Keeps the answers that are for the internal queue.
    #[inline(always)]
    fn for_client<O: Observer>(&mut self, answered: Answered, context: &mut Context<'_, O>) -> Option<Answered> {
        match answered.waiter {
            Waiter::Nobody | Waiter::FirstAttempt | Waiter::Call(_) => Some(answered),
            Waiter::Event(_) | Waiter::Batch(_) | Waiter::Worker(_) => {
                self.take_answer(answered.waiter, answered.answer, context);
                None
            }
        }
    }

    /// The answer of a run goes to the internal queue, or to a mapping.
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
            Waiter::Nobody | Waiter::FirstAttempt | Waiter::Call(_) => unreachable!("{answer:?} is for a client"),
        }
    }

    /// Tells destinations and dead-letter queues of events that ended.
    #[inline(always)]
    fn report_ends<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        while let Some(ended) = self.queue.next_ended() {
            self.report_end(ended, context);
        }
    }

    /// INV-O3: where both are set, both receive.
    #[inline(never)]
    fn report_end<O: Observer>(&mut self, ended: Ended, context: &mut Context<'_, O>) {
        let Ended { record, lineage } = ended;
        let config = self.queue.config(record.function);
        let delay = config.delivery.delay;
        let targets = match record.kind {
            DeliveryKind::OnSuccess => [None, config.on_success.map(|to| (DeliveryKind::OnSuccess, to))],
            DeliveryKind::OnFailure | DeliveryKind::DeadLetterQueue => [
                config.dead_letter_queue.map(|to| (DeliveryKind::DeadLetterQueue, to)),
                config.on_failure.map(|to| (DeliveryKind::OnFailure, to)),
            ],
        };
        for (kind, to) in targets.into_iter().flatten() {
            let lineage = match to {
                Target::Function(function) => self.queue.lineages().next(lineage, function),
                Target::Queue(_)
                | Target::Topic(_)
                | Target::EventBus(_)
                | Target::Bucket(_)
                | Target::Stream(_)
                | Target::Broker(_) => lineage,
            };
            let record = super::fact::Record { kind, ..record };
            let delivery = Delivery { record, to, lineage, attempt: 1 };
            if delay.is_zero() {
                self.deliver(delivery, context);
            } else {
                self.wait(delivery, context.now.plus(delay), context);
            }
        }
    }

    fn wait<O: Observer>(&mut self, delivery: Delivery, at: SimTime, context: &mut Context<'_, O>) {
        let order = self.queue.order(delivery.record.function);
        self.deliveries.wait(delivery, at, order, context);
    }

    /// The next attempt of a delivery is due.
    #[inline(never)]
    pub(crate) fn on_delivery_due<O: Observer>(&mut self, id: DeliveryId, context: &mut Context<'_, O>) {
        let delivery = self.deliveries.take(id);
        self.deliver(delivery, context);
    }

    fn deliver<O: Observer>(&mut self, delivery: Delivery, context: &mut Context<'_, O>) {
        let Delivery { record, to, lineage, attempt } = delivery;
        // An event that was stopped as a loop may not go on in it by way of its own failure.
        let stopped = record.condition == Condition::RecursiveInvocation
            && matches!(to, Target::Function(_))
            && self.queue.stops(lineage);
        let Some(error) = self.deliveries.refusal(&delivery, stopped, &self.sqs, &mut self.frontend, context.now)
        else {
            delivery.delivered(context);
            match to {
                Target::Function(_) => self.invoke_destination(&delivery, context),
                Target::Queue(queue) => {
                    let message = Message {
                        origin: record.origin,
                        bytes: delivery.bytes(),
                        delay: None,
                        group: None,
                        deduplication: None,
                        call: Together { messages: 1, bytes: delivery.bytes() },
                    };
                    self.sqs.put(queue, message, context);
                }
                Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) | Target::Stream(_) | Target::Broker(_) => {}
            }
            return;
        };
        let config = self.queue.config(record.function).delivery;
        if attempt < config.attempts && Delivery::may_succeed_later(error) {
            let due = context.now.plus(config.delay);
            context.state(&Fact::DeliveryRetried { record, to, error, due });
            self.wait(Delivery { attempt: attempt + 1, ..delivery }, due, context);
        } else {
            context.state(&Fact::DeliveryFailed { record, to, error });
        }
    }

    /// INV-O6: a function as destination is invoked asynchronously.
    fn invoke_destination<O: Observer>(&mut self, delivery: &Delivery, context: &mut Context<'_, O>) {
        let arrival = Arrival {
            origin: delivery.invocation(),
            lineage: delivery.lineage,
            parent: Some(delivery.record.origin.branch),
            payload_bytes: delivery.bytes(),
        };
        let event = self.queue.accept(arrival, context);
        self.queue.begin_later(event, context);
    }

    /// A settings change of the service, by its place among the changes.
    #[inline(never)]
    pub(crate) fn change<O: Observer>(&mut self, index: u32, action: &ChangeAction, context: &mut Context<'_, O>) {
        match action {
            ChangeAction::Account(account) => {
                self.frontend.change_account(account, context);
                self.propagation = account.configuration_propagation;
            }
            ChangeAction::Function(id, function) => {
                self.frontend.change_function(*id, function, context);
                self.queue.set_recursive_loop(*id, function.recursive_loop);
                if self.propagation.is_zero() {
                    self.propagate(*id, function, (context.now, index), context);
                } else {
                    propagate_later(index, self.propagation, context);
                }
            }
            ChangeAction::Deploy(id) => self.frontend.deploy(*id, context),
            ChangeAction::Queue(id, queue) => {
                // ESM-S28.
                let late = self.sqs.config(*id).attribute_propagation;
                if late.is_zero() {
                    self.sqs.reconfigure(*id, queue, context);
                } else {
                    propagate_later(index, late, context);
                }
            }
            ChangeAction::Mapping(id, mapping) if !matches!(mapping.source, Source::Queue(_)) => {
                let (readers, mut around) = self.readers();
                readers.reconfigure(*id, mapping, &mut around, context);
            }
            ChangeAction::Mapping(id, mapping) => {
                let (mappings, mut around) = self.mappings();
                mappings.reconfigure(*id, mapping, &mut around, context);
            }
            ChangeAction::Stream(id, stream) => {
                if self.streams.reconfigure(*id, stream, context) {
                    let (readers, mut around) = self.readers();
                    readers.on_resharded(*id, &mut around, context);
                }
            }
            ChangeAction::Redrive { queue, to, rate } => self.sqs.start_redrive(*queue, *to, *rate, context),
            ChangeAction::Client(..) => unreachable!("the client is not the services'"),
        }
    }

    /// INV-E22: changed settings of asynchronous invocation take effect, unless those of a later change did before.
    pub(crate) fn propagate<O: Observer>(
        &mut self,
        id: FunctionId,
        function: &config::Function,
        change: (SimTime, u32),
        context: &mut Context<'_, O>,
    ) {
        self.queue.reconfigure(id, &function.asynchronous, change, &mut self.frontend, context);
        self.report_ends(context);
    }

    /// ESM-S28: changed settings of a queue take effect.
    pub(crate) fn propagate_queue<O: Observer>(
        &mut self,
        id: QueueId,
        queue: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.sqs.reconfigure(id, queue, context);
    }
}

/// The settings of a change take effect `late`.
fn propagate_later<O: Observer>(index: u32, late: SimDuration, context: &mut Context<'_, O>) {
    context.schedule(context.now.plus(late), event::Class::Change, 0, Event::Propagated(index));
}
