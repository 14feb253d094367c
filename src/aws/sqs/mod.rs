//! SQS: all queues, who waits at them, and what is due.
//!
//! A queue is a service of its own: callers and destinations send to it, mappings receive from it. Reading order: this
//! file, `standard`, `records`, `fresh`, `fair`, `cycles`.

mod calls;
mod cycles;
mod deduplication;
mod fair;
mod fifo;
mod fresh;
mod inbox;
mod kind;
mod records;
mod standard;

pub(crate) use inbox::{Message, Receipt, Together};

use std::collections::VecDeque;

use calls::Calls;
use cycles::Rounds;
use inbox::{Inbox, Moved, Shuffle};
use kind::Kind;

use super::config::{self, System, Target};
use super::event::{Class, Context, Event, ServiceEvent};
use super::fact::{Answer, Observer};
use super::fault::SendFaults;
use super::ids::{BatchId, MappingId, QueueId, Table};
use super::limits;
use super::patience::Patience;
use super::request::Reply;
use crate::kernel::quantity::Rate;
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::SimTime;

/// All queues.
#[derive(Debug)]
pub(crate) struct Sqs {
    queues: Table<QueueId, Served>,
    faults: SendFaults,
    /// Messages in queues that somebody reads.
    awaited: u64,
    /// Redrive tasks under way.
    redriving: u32,
    rounds: Rounds,
}

/// A queue with its settings and those who wait for its messages.
#[derive(Debug)]
struct Served {
    config: config::Queue,
    queue: Kind,
    /// Long polls, longest first (ESM-S27).
    waiting: VecDeque<Poll>,
    /// When waiting polls are looked at next.
    ready_at: Option<SimTime>,
    /// Mappings that read it.
    readers: u32,
    inbox: Inbox,
    /// ESM-1.10.12: calls that a FIFO queue takes.
    calls: Option<Calls>,
    /// The redrive task that takes messages out.
    redrive: Option<Redrive>,
    /// Whether its dead letters may come back to it, for ever, and whether the run waits for its messages all the same.
    is_cyclic: bool,
    is_hopeless: bool,
}

/// A redrive task (ESM-1.5).
#[derive(Clone, Copy, Debug)]
struct Redrive {
    to: QueueId,
    rate: Rate,
    began: SimTime,
    moved: u64,
}

/// A long poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poll {
    pub(crate) mapping: MappingId,
    /// The batch that it is for; none for an idle poller.
    pub(crate) batch: Option<BatchId>,
}

impl Sqs {
    /// The queues before the run.
    pub(crate) fn new(system: &System, streams: &RandomStreams) -> Self {
        let served = |(id, config): (QueueId, &config::Queue)| Served {
            config: config.clone(),
            queue: Kind::new(id, config),
            waiting: VecDeque::new(),
            ready_at: None,
            readers: 0,
            inbox: Inbox {
                shuffle: Shuffle::new(streams.key(&["queue", &config.name, "shuffle"])),
                ..Inbox::default()
            },
            calls: Calls::new(config),
            redrive: None,
            is_cyclic: false,
            is_hopeless: false,
        };
        let mut sqs = Self {
            queues: system.queues.iter().map(served).collect(),
            faults: SendFaults::new(system),
            awaited: 0,
            redriving: 0,
            rounds: Rounds::new(Patience::new(system)),
        };
        sqs.find_cycles();
        sqs
    }

    /// Messages that somebody will receive, or that are being worked on.
    #[inline]
    pub(crate) fn awaited(&self) -> u64 {
        self.awaited
    }

    /// Whether messages are in a queue.
    pub(crate) fn rests(&self, queue: QueueId) -> bool {
        self.queues[queue].queue.len() > 0
    }

    /// The settings of a queue.
    pub(crate) fn config(&self, queue: QueueId) -> &config::Queue {
        &self.queues[queue].config
    }

    /// Messages that can be received.
    pub(crate) fn visible<O: Observer>(&mut self, id: QueueId, context: &mut Context<'_, O>) -> u64 {
        self.with(id, |served| served.queue.look(&served.config, context));
        let served = &self.queues[id];
        if served.takes_receive(context.now) && served.queue.is_receivable(&served.config, context.now) {
            served.queue.visible()
        } else {
            0
        }
    }

    /// Does something with a queue, and keeps count of the messages that somebody reads.
    #[inline(always)]
    fn with<T>(&mut self, id: QueueId, act: impl FnOnce(&mut Served) -> T) -> T {
        let served = &mut self.queues[id];
        let before = served.awaited();
        let done = act(served);
        self.awaited = self.awaited - before + served.awaited();
        done
    }

    /// A message is sent; the answer of the service.
    #[inline]
    pub(crate) fn send<O: Observer>(
        &mut self,
        id: QueueId,
        message: Message,
        key: StreamKey,
        attempt: u32,
        context: &mut Context<'_, O>,
    ) -> Reply {
        if let Some(reply) = self.refusal(id, &message, key, attempt, context.now) {
            return reply;
        }
        self.put(id, message, context);
        Reply { answer: Answer::Success, status: 200 }
    }

    /// Why the service refuses a message that is sent, if it does.
    #[inline]
    pub(crate) fn refusal(
        &mut self,
        id: QueueId,
        message: &Message,
        key: StreamKey,
        attempt: u32,
        now: SimTime,
    ) -> Option<Reply> {
        // INV-T5.
        if let Some(status) = self.faults.strike(Target::Queue(id), &message.origin, key, attempt, now) {
            return Some(Reply::fault(status));
        }
        let served = &self.queues[id];
        // ESM-1.1.10.
        if message.bytes > served.config.maximum_message_size || message.call.bytes > limits::SQS_CALL_BYTES {
            return Some(Reply { answer: Answer::Rejected, status: 400 });
        }
        let calls = &mut self.queues[id].calls;
        let takes = calls.as_mut().is_none_or(|calls| calls.send(message.call.messages, now));
        (!takes).then_some(Reply { answer: Answer::Throttled, status: 429 })
    }

    /// A message is accepted.
    #[inline]
    pub(crate) fn put<O: Observer>(&mut self, id: QueueId, message: Message, context: &mut Context<'_, O>) {
        self.hope(id);
        self.with(id, |served| {
            served.queue.send(message, &served.config, context);
            served.call_waiting(id, context);
        });
    }

    /// Receives up to `max` messages for a mapping; they are added to `receipts`.
    pub(crate) fn receive<O: Observer>(
        &mut self,
        id: QueueId,
        max: u32,
        mapping: MappingId,
        single_group: bool,
        receipts: &mut Vec<Receipt>,
        context: &mut Context<'_, O>,
    ) {
        let moves = self.with(id, |served| {
            let now = context.now;
            if !served.takes_receive(now) {
                return false;
            }
            served.inbox.single_group = single_group;
            served.queue.receive(max, mapping, &served.config, &mut served.inbox, context);
            receipts.append(&mut served.inbox.receipts);
            if let Some(calls) = served.calls.as_mut().filter(|_| !receipts.is_empty()) {
                calls.receive(now);
            }
            !served.inbox.moved.is_empty()
        });
        if moves {
            self.move_out(id, context);
        }
    }

    /// Messages that were received too often reach the dead-letter queue.
    #[cold]
    fn move_out<O: Observer>(&mut self, id: QueueId, context: &mut Context<'_, O>) {
        let mut moved = std::mem::take(&mut self.queues[id].inbox.moved);
        let redrive = self.queues[id].config.redrive.expect("moved by its rule");
        let messages = moved.len();
        for message in moved.drain(..) {
            self.take_in(redrive.dead_letter_queue, message, context);
        }
        self.went_round(id, messages, context.now);
        self.queues[id].inbox.moved = moved;
    }

    fn take_in<O: Observer>(&mut self, id: QueueId, message: Moved, context: &mut Context<'_, O>) {
        self.with(id, |served| {
            served.queue.take_in(message, &served.config, context);
            served.call_waiting(id, context);
        });
    }

    /// A redrive task begins; the one before is over.
    pub(crate) fn start_redrive<O: Observer>(
        &mut self,
        id: QueueId,
        to: QueueId,
        rate: Rate,
        context: &mut Context<'_, O>,
    ) {
        let began = context.now;
        let running = self.queues[id].redrive.replace(Redrive { to, rate, began, moved: 0 });
        if running.is_none() {
            self.redriving += 1;
            self.on_redrive_due(id, context);
        }
    }

    /// The next message of a redrive task is due; without one the task is over.
    pub(crate) fn on_redrive_due<O: Observer>(&mut self, id: QueueId, context: &mut Context<'_, O>) {
        let taken = self.with(id, |served| {
            let task = served.redrive.as_mut().expect("a task whose message is due");
            let Some(message) = served.queue.take(task.to, &served.config, context) else {
                served.redrive = None;
                return None;
            };
            task.moved += 1;
            let due = task.began.plus(task.rate.time_of(task.moved)).max(context.now);
            let event = Event::Service(ServiceEvent::RedriveDue(id));
            context.schedule(due, Class::Arrival, served.config.order, event);
            Some((task.to, message))
        });
        match taken {
            Some((to, message)) => self.take_in(to, message, context),
            None => self.redriving -= 1,
        }
    }

    /// Redrive tasks under way.
    #[inline]
    pub(crate) fn redriving(&self) -> u32 {
        self.redriving
    }

    /// When messages are deleted together whose run ends now.
    pub(crate) fn deletes_at(&mut self, id: QueueId, now: SimTime) -> SimTime {
        let served = &mut self.queues[id];
        let at = now.plus(served.config.delete_latency);
        served.calls.as_mut().map_or(at, |calls| calls.delete(at))
    }

    /// Deletes a received message.
    pub(crate) fn delete<O: Observer>(&mut self, id: QueueId, receipt: &Receipt, context: &mut Context<'_, O>) {
        self.hope(id);
        self.with(id, |served| served.queue.delete(receipt, &served.config, context));
    }

    /// A run with the message in its batch begins; whether it had one before.
    pub(crate) fn count_run(&mut self, id: QueueId, receipt: &Receipt) -> bool {
        self.queues[id].queue.count_run(receipt)
    }

    /// A long poll begins.
    pub(crate) fn wait<O: Observer>(&mut self, id: QueueId, poll: Poll, context: &mut Context<'_, O>) {
        let served = &mut self.queues[id];
        served.waiting.push_back(poll);
        served.call_waiting(id, context);
    }

    /// A poll that was looked at keeps its place.
    pub(crate) fn wait_again(&mut self, id: QueueId, poll: Poll) {
        self.queues[id].waiting.push_front(poll);
    }

    /// Waiting polls may have messages. Gives the poll that has waited longest, as long as there is one and a message.
    pub(crate) fn next_served<O: Observer>(&mut self, id: QueueId, context: &mut Context<'_, O>) -> Option<Poll> {
        if self.visible(id, context) > 0 { self.queues[id].waiting.pop_front() } else { None }
    }

    /// Whether the moment at which waiting polls were to be looked at has come.
    pub(crate) fn on_ready<O: Observer>(&mut self, id: QueueId, context: &Context<'_, O>) -> bool {
        let served = &mut self.queues[id];
        if served.ready_at != Some(context.now) {
            return false;
        }
        served.ready_at = None;
        true
    }

    /// Polls go on waiting.
    pub(crate) fn keep_waiting<O: Observer>(&mut self, id: QueueId, context: &mut Context<'_, O>) {
        self.queues[id].call_waiting(id, context);
    }

    /// A mapping begins, or ceases, to read a queue.
    pub(crate) fn set_reader(&mut self, id: QueueId, reads: bool) {
        self.with(id, |served| served.readers = if reads { served.readers + 1 } else { served.readers - 1 });
    }

    /// Other settings of a queue.
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        id: QueueId,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.with(id, |served| {
            served.queue.look(&served.config, context);
            served.queue.reconfigure(&served.config, config, context);
            if served.config.fifo_throughput != config.fifo_throughput {
                served.calls = Calls::new(config);
            }
            served.config = config.clone();
            served.queue.look(&served.config, context);
            served.call_waiting(id, context);
        });
        self.find_cycles();
    }

    /// The state at the end of the run.
    pub(crate) fn finish<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        for (_, served) in self.queues.iter_mut() {
            served.queue.look(&served.config, context);
        }
    }
}

impl Served {
    /// Messages that somebody reads.
    #[inline]
    fn awaited(&self) -> u64 {
        if self.readers > 0 && !self.is_hopeless { self.queue.len() } else { 0 }
    }

    /// Whether another receive is allowed now (ESM-1.10.12).
    #[inline]
    fn takes_receive(&self, now: SimTime) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.next_receive_at(now) == Some(now))
    }

    /// When a receive can give a message, as far as time alone decides.
    fn next_receive_at(&self, now: SimTime) -> Option<SimTime> {
        let message = self.queue.next_receivable_at(&self.config, now)?;
        match &self.calls {
            Some(calls) => calls.next_receive_at(now).map(|call| call.max(message)),
            None => Some(message),
        }
    }

    /// Those who wait are looked at when there is, or will be, a message.
    #[inline]
    fn call_waiting<O: Observer>(&mut self, id: QueueId, context: &mut Context<'_, O>) {
        if self.waiting.is_empty() {
            return;
        }
        let Some(at) = self.next_receive_at(context.now).map(|at| at.plus(self.config.wakeup)) else { return };
        if self.ready_at.is_none_or(|ready_at| at < ready_at) {
            self.ready_at = Some(at);
            context.schedule(at, Class::Timer, self.config.order, Event::Service(ServiceEvent::MessagesReady(id)));
        }
    }
}
