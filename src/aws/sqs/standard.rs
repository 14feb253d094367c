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
        self.records.visible() + self.fresh.len() as u64 - self.fresh_delayed
    }

    /// When the next message can be received, as far as time alone decides.
    pub(crate) fn next_receivable_at(&self, config: &config::Queue, now: SimTime) -> Option<SimTime> {
        if self.records.in_flight() >= u64::from(config.maximum_in_flight) {
            return self.records.next_visible_at();
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
        let hidden = self.records.next_visible_at();
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
            self.records.insert(NewRecord {
                origin,
                enqueued: now,
                arrived: now,
                visible_at,
                bytes,
                receives,
                runs,
                state,
            });
        }
        self.say_oldest(config, context);
    }

    /// A message comes from another queue.
    pub(crate) fn take_in<O: Observer>(&mut self, moved: Moved, config: &config::Queue, context: &mut Context<'_, O>) {
        self.look(config, context);
        let Moved { origin, enqueued, bytes, runs, .. } = moved;
        let (arrived, visible_at) = (context.now, context.now);
        let (receives, state) = (0, MessageState::Visible);
        self.records.insert(NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state });
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
        while given < max && self.records.in_flight() < u64::from(config.maximum_in_flight) {
            let until = now.plus(config.visibility_timeout);
            let Some(id) = self.choose(config, now, until, &mut out.shuffle) else { break };
            if let Some(redrive) = config.redrive
                && self.records[id].receives >= redrive.max_receive_count
            {
                let to = redrive.dead_letter_queue;
                let Record { origin, enqueued, bytes, runs, receives, .. } = self.records.remove(id);
                let queue = self.id;
                context.state(&Fact::Message(MessageFact::Moved { origin, queue, to, mapping, receives, runs }));
                out.moved.push(Moved { origin, enqueued, bytes, runs, group: None });
                continue;
            }
            let receipt = self.records.give(id, until, now, mapping);
            context.state(&receipt.received(self.id));
            out.receipts.push(receipt);
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
        let Record { origin, bytes, runs, receives, .. } = self.records.remove(id);
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
                let skip = shuffle.place(config.shuffle_window, self.records.visible());
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
                Some(self.records.insert(NewRecord {
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
        self.records.count_run(receipt)
    }

    /// Deletes a received message, if its receipt is still good (ESM-S17).
    pub(crate) fn delete<O: Observer>(
        &mut self,
        receipt: &Receipt,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.look(config, context);
        // Deleted, moved or expired before.
        let Some(record) = self.records.of(receipt) else { return };
        let origin = record.origin;
        if record.receives != receipt.receives && config.stale_delete == config::StaleDelete::Ignored {
            context.state(&Fact::Message(MessageFact::DeleteIgnored { origin, queue: self.id }));
            return;
        }
        let Record { enqueued, receives, runs, state, .. } = self.records.remove(receipt.id);
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
        if self.records.next_visible_at() == Some(at) {
            let (_, fact) = self.records.show(queue);
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
                let record = self.records.remove(id);
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
        let record = self.records.oldest(config.oldest_age_skips_after);
        let fresh = self.fresh.first().map(|message| message.enqueued);
        let since = record.into_iter().chain(fresh).min();
        if since != self.oldest {
            self.oldest = since;
            context.state(&Fact::Message(MessageFact::OldestChanged { queue: self.id, since, at }));
        }
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
            self.records.insert(NewRecord {
                origin,
                enqueued,
                arrived: enqueued,
                visible_at,
                bytes,
                receives,
                runs,
                state,
            });
        }
    }
}
