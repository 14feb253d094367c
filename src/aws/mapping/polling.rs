//! One mapping: its pollers, counted. Passive but for its own timers.

use std::collections::VecDeque;

use super::pace::Pace;
use super::pollers::Pollers;
use crate::aws::config::{EventSourceMapping, QueueKind, WindowOpens};
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Fact, MappingFact, Observer};
use crate::aws::ids::{BatchId, MappingId, QueueId};
use crate::aws::request::BatchRequest;
use crate::aws::sqs::{Receipt, Sqs};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// A mapping while it runs.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) config: EventSourceMapping,
    pub(super) id: MappingId,
    pub(super) queue: QueueId,
    pub(super) pollers: Pollers,
    /// Pollers with a batch.
    pub(super) working: u32,
    /// Since when each idle poller waits, longest first.
    pub(super) idle: VecDeque<SimTime>,
    /// Batches that wait for more messages, longest first.
    pub(super) buffering: VecDeque<BatchId>,
    /// Whether it polls now, or else when it begins to.
    pub(super) polls: bool,
    pub(super) begins: Option<SimTime>,
    /// When the number of pollers is looked at next.
    pub(super) scales_at: Option<SimTime>,
    /// When idle pollers are looked at next.
    pub(super) retires_at: Option<SimTime>,
    /// When a poller last had a message.
    pub(super) active: SimTime,
    /// Since when the poller waited that works now.
    pub(super) idle_since: SimTime,
    /// What was last said of the number of pollers.
    pub(super) said: u32,
    /// Provisioned pollers that may not receive yet, and when they are looked at.
    pub(super) held: u32,
    pub(super) paced_at: Option<SimTime>,
    pub(super) pace: Pace,
}

impl Mapping {
    /// A mapping before the run.
    pub(super) fn new(id: MappingId, config: &EventSourceMapping, queue: QueueId) -> Self {
        Self {
            config: config.clone(),
            id,
            queue,
            pollers: Pollers::new(&config.sqs),
            working: 0,
            idle: VecDeque::new(),
            buffering: VecDeque::new(),
            polls: false,
            begins: None,
            scales_at: None,
            retires_at: None,
            active: SimTime::ZERO,
            idle_since: SimTime::ZERO,
            said: 0,
            held: 0,
            paced_at: None,
            pace: Pace::new(),
        }
    }

    /// It begins to poll so much later.
    pub(super) fn begin_after<O: Observer>(&mut self, length: SimDuration, context: &mut Context<'_, O>) {
        let at = context.now.plus(length);
        self.begins = Some(at);
        let event = Event::Service(ServiceEvent::MappingEnabled(self.id));
        context.schedule(at, Class::Change, self.config.order, event);
    }

    /// How many more pollers may begin.
    pub(super) fn room(&self) -> usize {
        let slots = if self.polls { self.pollers.slots() as usize } else { 0 };
        slots.saturating_sub((self.working + self.held) as usize + self.idle.len())
    }

    /// ESM-1.9: whether a provisioned poller must wait before it receives; it is then held back.
    pub(super) fn holds_back<O: Observer>(&mut self, context: &mut Context<'_, O>) -> bool {
        let Some(provisioned) = &self.config.sqs.provisioned else { return false };
        let ready_at = self.pace.ready_at(provisioned, self.pollers.count());
        if ready_at <= context.now {
            return false;
        }
        self.held += 1;
        if self.paced_at.is_none() {
            self.paced_at = Some(ready_at);
            context.schedule(ready_at, Class::Timer, self.config.order, Event::Service(ServiceEvent::PaceDue(self.id)));
        }
        true
    }

    /// A receive gave messages of so many bytes.
    pub(super) fn paced(&mut self, bytes: u64, now: SimTime) {
        if let Some(provisioned) = &self.config.sqs.provisioned {
            self.pace.received(provisioned, self.pollers.count(), bytes, now);
        }
    }

    /// ESM-S3: how long an idle poller waits before it retires.
    pub(super) fn patience(&self) -> SimDuration {
        self.config.sqs.long_poll.times(u64::from(self.config.sqs.pollers.retire_after))
    }

    /// ESM-S10: when the window of a batch opens that has its first record now.
    pub(super) fn window_opens(&self, now: SimTime) -> SimTime {
        let window = self.config.maximum_batching_window.as_nanos();
        match self.config.window_opens {
            WindowOpens::Rolling if window > 0 => {
                let into = now.saturating_since(self.idle_since).as_nanos() % window;
                SimTime::from_nanos(now.as_nanos() - into)
            }
            WindowOpens::Rolling | WindowOpens::FirstRecord => now,
        }
    }

    /// Size of a record in the event, bytes (ESM-S12).
    pub(super) fn event_bytes(&self, receipt: &Receipt) -> u64 {
        let body = u128::from(receipt.bytes) * u128::from(self.config.body_factor_parts) / u128::from(Ratio::PARTS);
        u64::try_from(body).unwrap_or(u64::MAX).saturating_add(self.config.record_overhead)
    }

    /// What the function is asked for a batch.
    pub(super) fn request<'a>(
        &self,
        records: &'a [Receipt],
        attempt: u32,
        waiter: Waiter,
        sqs: &Sqs,
    ) -> BatchRequest<'a, Receipt> {
        let Receipt { origin, runs, .. } = records[0];
        BatchRequest {
            function: self.config.function,
            origin,
            run: runs + 1,
            records,
            waiter,
            attempt,
            reports_failures: self.config.report_batch_item_failures,
            in_order: sqs.config(self.queue).kind == QueueKind::Fifo,
        }
    }

    /// The poller that has waited longest is idle no more; whether there is one.
    pub(super) fn stop_waiting<O: Observer>(&mut self, context: &mut Context<'_, O>) -> bool {
        let Some(since) = self.idle.pop_front() else { return false };
        (self.active, self.idle_since) = (context.now, since);
        // A poll that ends at the moment at which a message comes gets it.
        self.say_empty(since, context.now.since(since).as_nanos().saturating_sub(1), context);
        true
    }

    /// Long polls that came back empty since then.
    pub(super) fn say_empty<O: Observer>(&self, since: SimTime, waited_ns: u64, context: &mut Context<'_, O>) {
        let long_poll = self.config.sqs.long_poll;
        let receives = waited_ns.checked_div(long_poll.as_nanos()).unwrap_or(0);
        if receives > 0 {
            let first = since.plus(long_poll);
            context.state(&Fact::Mapping(MappingFact::PolledEmpty { mapping: self.id, receives, first }));
        }
    }

    pub(super) fn say_pollers<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        let pollers = if self.polls { self.pollers.count() } else { 0 };
        self.said = pollers;
        context.state(&Fact::Mapping(MappingFact::Pollers { mapping: self.id, pollers }));
    }

    /// Idle pollers that are too many go.
    pub(super) fn retire_surplus<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        let slots = if self.polls { self.pollers.slots() as usize } else { 0 };
        while self.working as usize + self.idle.len() > slots && self.stop_waiting(context) {}
        let pollers = if self.polls { self.pollers.count() } else { 0 };
        if self.said != pollers {
            self.say_pollers(context);
        }
    }

    /// The number of pollers is looked at again, at a whole second, while there is work.
    pub(super) fn watch_growth<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        if self.scales_at.is_none() {
            let every = self.pollers.every().as_nanos().max(1);
            let at = SimTime::from_nanos((context.now.as_nanos() / every + 1).saturating_mul(every));
            self.scales_at = Some(at);
            context.schedule(at, Class::Scaling, self.config.order, Event::Service(ServiceEvent::ScalingDue(self.id)));
        }
    }

    /// Idle pollers are looked at again when one may retire.
    pub(super) fn watch_idle<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        if self.retires_at.is_some() || !self.pollers.may_retire() {
            return;
        }
        let Some(since) = self.idle.front() else { return };
        let at = since.plus(self.patience());
        let at = if at > context.now { at } else { context.now.plus(self.config.sqs.long_poll) };
        self.retires_at = Some(at);
        context.schedule(at, Class::Timer, self.config.order, Event::Service(ServiceEvent::IdleDue(self.id)));
    }
}
