//! A standard queue: messages, their visibility, their receives and their ends (ESM-1.1 to 1.6).
//!
//! ```text
//! sent -> [delayed] -> visible -> received: in flight -> deleted
//!                         ^              |
//!                         +--------------+ visibility time-out
//!                         |
//!                         +-> at the receive that would be one too many: moved to the dead-letter queue
//! anything -> retention over: expired
//! ```
//! What time alone does (delays and visibility time-outs that end, retention) is done when the queue is next looked
//! at, in order of time and with its own moment. Nothing is scanned: the first of each line is looked at.

use super::fresh::{Fresh, FreshLine};
use super::inbox::{Inbox, Message, Moved, Receipt, Shuffle};
use super::records::{List, NewRecord, Record, Records};
use crate::aws::config;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, MessageFact, MessageState, Observer, Origin};
use crate::aws::ids::{MappingId, MessageId, QueueId};
use crate::kernel::time::{SimDuration, SimTime};

/// A standard queue.
#[derive(Debug)]
pub(crate) struct StandardQueue {
    id: QueueId,
    /// Never received, all with the queue's own delay.
    fresh: FreshLine,
    /// How many of the fresh ones are still delayed; they are the last.
    fresh_delayed: u64,
    records: Records,
    /// The first record, by moment of visibility, that is not visible.
    hidden: Option<MessageId>,
    /// Records that are visible, in flight, and delayed.
    visible: u64,
    in_flight: u64,
    /// What was last said of the oldest message.
    oldest: Option<SimTime>,
    /// The last look.
    looked: SimTime,
}

impl StandardQueue {
    /// An empty queue.
    pub(crate) fn new(id: QueueId) -> Self {
        Self {
            id,
            fresh: FreshLine::default(),
            fresh_delayed: 0,
            records: Records::default(),
            hidden: None,
            visible: 0,
            in_flight: 0,
            oldest: None,
            looked: SimTime::ZERO,
        }
    }

    /// Messages in the queue.
    pub(crate) fn len(&self) -> u64 {
        (self.fresh.len() + self.records.len()) as u64
    }

    /// Messages that can be received, as of the last look.
    #[inline]
    pub(crate) fn visible(&self) -> u64 {
        self.visible + self.fresh.len() as u64 - self.fresh_delayed
    }

    /// When the next message can be received, as far as time alone decides.
    pub(crate) fn next_receivable_at(&self, config: &config::Queue, now: SimTime) -> Option<SimTime> {
        if self.in_flight >= u64::from(config.maximum_in_flight) {
            return self.hidden.map(|id| self.records[id].visible_at);
        }
        if self.fresh.len() as u64 > self.fresh_delayed {
            return Some(now);
        }
        let first = self.records.first(List::Visibility).map(|id| &self.records[id]);
        match first.filter(|record| record.state == MessageState::Visible) {
            Some(record) if record.received == now => Some(now.plus(SimDuration::from_nanos(1))),
            Some(_) => Some(now),
            None => self.next_visible_at(config),
        }
    }

    /// When the next message becomes visible by time alone.
    pub(crate) fn next_visible_at(&self, config: &config::Queue) -> Option<SimTime> {
        let hidden = self.hidden.map(|id| self.records[id].visible_at);
        let delayed = self.first_delayed().map(|message| message.enqueued.plus(config.delivery_delay));
        hidden.into_iter().chain(delayed).min()
    }

    fn first_delayed(&self) -> Option<&Fresh> {
        if self.fresh_delayed == 0 {
            return None;
        }
        let delayed = usize::try_from(self.fresh_delayed).expect("no more than there are");
        self.fresh.get(self.fresh.len() - delayed)
    }

    /// A message is sent.
    #[inline]
    pub(crate) fn send<O: Observer>(&mut self, message: Message, config: &config::Queue, context: &mut Context<'_, O>) {
        self.look(config, context);
        let Message { origin, bytes, delay, .. } = message;
        let now = context.now;
        let visible_at = now.plus(delay.unwrap_or(config.delivery_delay));
        context.state(&Fact::Message(MessageFact::Sent { origin, queue: self.id, visible_at, bytes }));
        let bytes = u32::try_from(bytes).expect("a message that fits");
        if delay.is_none() && origin.branch == 0 && origin.submitted == now {
            self.fresh.push(Fresh { submission: origin.submission, enqueued: now, caller: origin.caller, bytes });
            self.fresh_delayed += u64::from(visible_at > now);
        } else {
            let state = if visible_at > now { MessageState::Delayed } else { MessageState::Visible };
            let (receives, runs) = (0, 0);
            self.insert(NewRecord { origin, enqueued: now, arrived: now, visible_at, bytes, receives, runs, state });
        }
        self.say_oldest(config, context);
    }

    /// A message comes from another queue.
    pub(crate) fn take_in<O: Observer>(&mut self, moved: Moved, config: &config::Queue, context: &mut Context<'_, O>) {
        self.look(config, context);
        let Moved { origin, enqueued, bytes, runs, .. } = moved;
        let (arrived, visible_at) = (context.now, context.now);
        let (receives, state) = (0, MessageState::Visible);
        self.insert(NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state });
        self.say_oldest(config, context);
    }

    /// Gives up to `max` messages, in order of their visibility. Those that were received too often leave.
    pub(crate) fn receive<O: Observer>(
        &mut self,
        max: u32,
        mapping: MappingId,
        config: &config::Queue,
        out: &mut Inbox,
        context: &mut Context<'_, O>,
    ) {
        self.look(config, context);
        let now = context.now;
        let max = out.shuffle.shortened(max, config.short_receive_probability);
        let mut given = 0;
        while given < max && self.in_flight < u64::from(config.maximum_in_flight) {
            let until = now.plus(config.visibility_timeout);
            let Some(id) = self.choose(config, now, until, &mut out.shuffle) else { break };
            let record = &mut self.records[id];
            if let Some(redrive) = config.redrive
                && record.receives >= redrive.max_receive_count
            {
                let to = redrive.dead_letter_queue;
                let Record { origin, enqueued, bytes, runs, receives, .. } = self.remove(id);
                let queue = self.id;
                context.state(&Fact::Message(MessageFact::Moved { origin, queue, to, mapping, receives, runs }));
                out.moved.push(Moved { origin, enqueued, bytes, runs, group: None });
                continue;
            }
            record.receives += 1;
            record.received = now;
            let Record { origin, serial, receives, bytes, runs, .. } = *record;
            let visible_at = now.plus(config.visibility_timeout);
            self.hide(id, visible_at, now);
            context.state(&Fact::Message(MessageFact::Received {
                origin,
                queue: self.id,
                mapping,
                receives,
                visible_at,
                bytes: u64::from(bytes),
            }));
            out.receipts.push(Receipt { mapping, id, serial, visible_at, receives, bytes, runs, origin });
            given += 1;
        }
        self.say_oldest(config, context);
    }

    /// Takes the first visible message out, for another queue.
    pub(crate) fn take<O: Observer>(
        &mut self,
        to: QueueId,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<Moved> {
        self.look(config, context);
        let id = self.choose(config, SimTime::MAX, SimTime::MAX, &mut Shuffle::default())?;
        let Record { origin, bytes, runs, receives, .. } = self.remove(id);
        context.state(&Fact::Message(MessageFact::Redriven { origin, queue: self.id, to, receives }));
        self.say_oldest(config, context);
        Some(Moved { origin, enqueued: context.now, bytes, runs, group: None })
    }

    /// The record of the message that is received next; one that was fresh gets a record, to be hidden `until` then.
    fn choose(
        &mut self,
        config: &config::Queue,
        now: SimTime,
        until: SimTime,
        shuffle: &mut Shuffle,
    ) -> Option<MessageId> {
        let record = self.records.first(List::Visibility).filter(|id| {
            let record = &self.records[*id];
            // ESM-S20: without a visibility time-out, at most one receive in an instant.
            record.state == MessageState::Visible && record.received != now
        });
        let ready = self.fresh.len() as u64 - self.fresh_delayed;
        let fresh = self.fresh.first().filter(|_| ready > 0);
        let fresh_at = fresh.map(|message| message.enqueued.plus(config.delivery_delay));
        match (record, fresh_at) {
            (None, None) => None,
            (Some(id), at) if at.is_none_or(|at| self.records[id].visible_at <= at) => {
                let skip = shuffle.place(config.shuffle_window, self.visible);
                let mut id = id;
                for _ in 0..skip {
                    match self.records.after(List::Visibility, id) {
                        Some(next) if self.records[next].state == MessageState::Visible => id = next,
                        Some(_) | None => break,
                    }
                }
                Some(id)
            }
            (_, None) => record,
            (_, Some(_)) => {
                let skip = shuffle.place(config.shuffle_window, ready);
                if skip > 0 {
                    self.fresh.bring_forward(usize::try_from(skip).unwrap_or(0));
                }
                let Fresh { submission, enqueued, caller, bytes } = self.fresh.pop()?;
                let origin = Origin { caller, branch: 0, submission, submitted: enqueued };
                // It is hidden at once, so its place is behind the others from the start.
                let (visible_at, receives, runs, state) = (until, 0, 0, MessageState::Visible);
                Some(self.insert(NewRecord {
                    origin,
                    enqueued,
                    arrived: enqueued,
                    visible_at,
                    bytes,
                    receives,
                    runs,
                    state,
                }))
            }
        }
    }

    /// A run with the message in its batch begins; whether it had one before.
    pub(crate) fn count_run(&mut self, receipt: &Receipt) -> bool {
        let record = &mut self.records[receipt.id];
        if record.serial != receipt.serial {
            return receipt.runs > 0;
        }
        record.runs += 1;
        record.runs > 1
    }

    /// Deletes a received message, if its receipt is still good (ESM-S17).
    pub(crate) fn delete<O: Observer>(
        &mut self,
        receipt: &Receipt,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.look(config, context);
        let record = &self.records[receipt.id];
        if record.serial != receipt.serial {
            return; // Deleted, moved or expired before.
        }
        let origin = record.origin;
        if record.receives != receipt.receives && config.stale_delete == config::StaleDelete::Ignored {
            context.state(&Fact::Message(MessageFact::DeleteIgnored { origin, queue: self.id }));
            return;
        }
        let Record { enqueued, receives, runs, state, .. } = self.remove(receipt.id);
        let (queue, mapping, visible) = (self.id, receipt.mapping, state == MessageState::Visible);
        let fact = MessageFact::Deleted { origin, queue, mapping, enqueued, receives, runs, visible };
        context.state(&Fact::Message(fact));
        self.say_oldest(config, context);
    }

    /// Does what time alone has done since the last look.
    #[inline]
    pub(crate) fn look<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        let now = context.now;
        let expires = self.first_enqueued().is_some_and(|first| first.plus(config.message_retention) <= now);
        if expires || self.next_visible_at(config).is_some_and(|at| at <= now) {
            self.catch_up(config, context);
        }
        self.looked = now;
    }

    #[inline(never)]
    fn catch_up<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        let now = context.now;
        loop {
            let visible = self.next_visible_at(config).filter(|at| *at <= now);
            let expiry = self.first_enqueued().map(|first| first.plus(config.message_retention));
            match (visible, expiry.filter(|at| *at <= now)) {
                (None, None) => break,
                (Some(at), expiry) if expiry.is_none_or(|expiry| at < expiry) => self.show(at, config, context),
                (_, expiry) => {
                    let at = expiry.expect("one of the two").max(self.looked);
                    self.expire(at, config, context);
                    self.say_oldest_at(at, config, context);
                }
            }
        }
    }

    /// The first hidden message is visible from `at` on.
    fn show<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let queue = self.id;
        if let Some(id) = self.hidden.filter(|id| self.records[*id].visible_at == at) {
            self.hidden = self.records.after(List::Visibility, id);
            self.visible += 1;
            let record = &mut self.records[id];
            let origin = record.origin;
            let fact = match std::mem::replace(&mut record.state, MessageState::Visible) {
                MessageState::Delayed => MessageFact::DelayEnded { origin, queue, at },
                MessageState::InFlight => {
                    self.in_flight -= 1;
                    MessageFact::Returned { origin, queue, at }
                }
                MessageState::Visible => unreachable!("{id:?} was hidden"),
            };
            context.state(&Fact::Message(fact));
            return;
        }
        let message = *self.first_delayed().expect("something is hidden");
        debug_assert_eq!(message.enqueued.plus(config.delivery_delay), at, "the first hidden one");
        self.fresh_delayed -= 1;
        let origin = message.origin();
        context.state(&Fact::Message(MessageFact::DelayEnded { origin, queue, at }));
    }

    /// The message that was enqueued first is too old.
    fn expire<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let record = self.records.first(List::Enqueued);
        let fresh = self.fresh.first().map(|message| message.enqueued);
        let (origin, state) = match record {
            Some(id) if fresh.is_none_or(|fresh| self.records[id].enqueued <= fresh) => {
                let record = self.remove(id);
                (record.origin, record.state)
            }
            Some(_) | None => {
                let message = self.fresh.pop().expect("something is too old");
                let delayed = message.enqueued.plus(config.delivery_delay) > at;
                self.fresh_delayed -= u64::from(delayed);
                (message.origin(), if delayed { MessageState::Delayed } else { MessageState::Visible })
            }
        };
        context.state(&Fact::Message(MessageFact::Expired { origin, queue: self.id, at, state }));
    }

    fn first_enqueued(&self) -> Option<SimTime> {
        let record = self.records.first(List::Enqueued).map(|id| self.records[id].enqueued);
        let fresh = self.fresh.first().map(|message| message.enqueued);
        record.into_iter().chain(fresh).min()
    }

    fn say_oldest<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        self.say_oldest_at(context.now, config, context);
    }

    /// Says since when the oldest message is here, if that has changed.
    #[inline]
    fn say_oldest_at<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let mut record = self.records.first(List::Arrived);
        if let Some(limit) = config.oldest_age_skips_after {
            while let Some(id) = record
                && self.records[id].receives >= limit
            {
                record = self.records.after(List::Arrived, id);
            }
        }
        let record = record.map(|id| self.records[id].arrived);
        let fresh = self.fresh.first().map(|message| message.enqueued);
        let since = record.into_iter().chain(fresh).min();
        if since != self.oldest {
            self.oldest = since;
            context.state(&Fact::Message(MessageFact::OldestChanged { queue: self.id, since, at }));
        }
    }

    /// Adds a record in its state.
    fn insert(&mut self, new: NewRecord) -> MessageId {
        let (state, id) = (new.state, self.records.insert(new));
        match state {
            MessageState::Visible => self.visible += 1,
            MessageState::InFlight => self.in_flight += 1,
            MessageState::Delayed => {}
        }
        if state != MessageState::Visible {
            self.is_hidden(id);
        }
        id
    }

    /// A visible message is received: hidden until `visible_at`.
    fn hide(&mut self, id: MessageId, visible_at: SimTime, now: SimTime) {
        self.records.reschedule(id, visible_at);
        if visible_at > now {
            self.records[id].state = MessageState::InFlight;
            self.visible -= 1;
            self.in_flight += 1;
            self.is_hidden(id);
        }
    }

    /// A record is hidden: it may be the first of those.
    fn is_hidden(&mut self, id: MessageId) {
        let key = |id: MessageId| (self.records[id].visible_at, self.records[id].serial);
        if self.hidden.is_none_or(|first| key(id) < key(first)) {
            self.hidden = Some(id);
        }
    }

    /// Takes a record out.
    fn remove(&mut self, id: MessageId) -> Record {
        if self.hidden == Some(id) {
            self.hidden = self.records.after(List::Visibility, id);
        }
        let record = self.records.remove(id);
        match record.state {
            MessageState::Visible => self.visible -= 1,
            MessageState::InFlight => self.in_flight -= 1,
            MessageState::Delayed => {}
        }
        record
    }

    /// The queue's delay changes: messages keep the one that they were sent with (ESM-1.1).
    pub(crate) fn keep_delays(&mut self, delay: SimDuration) {
        while let Some(message) = self.fresh.pop() {
            let visible_at = message.enqueued.plus(delay);
            let delayed = (self.fresh.len() as u64) < self.fresh_delayed;
            self.fresh_delayed -= u64::from(delayed);
            let state = if delayed { MessageState::Delayed } else { MessageState::Visible };
            let (enqueued, bytes) = (message.enqueued, message.bytes);
            let (receives, runs, origin) = (0, 0, message.origin());
            self.insert(NewRecord { origin, enqueued, arrived: enqueued, visible_at, bytes, receives, runs, state });
        }
    }
}
