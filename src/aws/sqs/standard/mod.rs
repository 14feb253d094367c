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
//! Never received messages are in `fresh`, the others in `records`; what time alone does is in `elapsed`. Message groups
//! change the order of receives, in a `Fair` of their own.

mod elapsed;

use elapsed::earlier;

use super::fair::{Fair, Lines, Shift};
use super::fresh::{Fresh, FreshLine};
use super::inbox::{Inbox, Message, Moved, Receipt, Shuffle};
use super::records::{List, NewRecord, Record, Records};
use crate::aws::config;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, Levels, MessageFact, MessageState, Observer};
use crate::aws::ids::{GroupId, MappingId, MessageId, QueueId};
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
    /// Its message groups, from the first message on that has one.
    fair: Option<Box<Fair>>,
    /// What was last said of the oldest message.
    oldest: Option<SimTime>,
    /// The last look.
    looked: SimTime,
    /// When time alone changes something next.
    due: SimTime,
}

impl StandardQueue {
    /// An empty queue.
    pub(crate) fn new(id: QueueId, config: &config::Queue) -> Self {
        // ESM-S24: processing time counts from the start, also that of messages without a group.
        let measures = config.fair.is_some_and(|fair| fair.processing_share.is_some());
        let fair = measures.then(|| Box::new(Fair::new(id, 0, 0, config, SimTime::ZERO)));
        Self {
            id,
            fresh: FreshLine::default(),
            fresh_delayed: 0,
            records: Records::default(),
            fair,
            oldest: None,
            looked: SimTime::ZERO,
            due: SimTime::MAX,
        }
    }

    /// Messages in the queue.
    pub(crate) fn len(&self) -> u64 {
        (self.fresh.len() + self.shelved() + self.records.len()) as u64
    }

    /// Messages that can be received, as of the last look.
    #[inline]
    pub(crate) fn visible(&self) -> u64 {
        self.records.visible() + (self.fresh.len() + self.shelved()) as u64 - self.fresh_delayed
    }

    /// Fresh messages of noisy groups that were set aside (ESM-1.11).
    #[inline]
    fn shelved(&self) -> usize {
        self.fair.as_ref().map_or(0, |fair| fair.shelved())
    }

    /// Whether a message can be received now.
    #[inline]
    pub(crate) fn is_receivable(&self, config: &config::Queue, now: SimTime) -> bool {
        if self.records.in_flight() >= u64::from(config.maximum_in_flight) {
            return false;
        }
        let is_ready = self.fresh.len() as u64 > self.fresh_delayed;
        is_ready
            || self.first_visible().is_some_and(|record| record.received != now)
            || self.shelved() > 0
            || self.records.shelved() > 0
    }

    /// The record that became visible first, of those that are not set aside.
    #[inline]
    fn first_visible(&self) -> Option<&Record> {
        let first = self.records.first(List::Visibility).map(|id| &self.records[id]);
        first.filter(|record| record.state == MessageState::Visible)
    }

    /// When the next message can be received, as far as time alone decides.
    pub(crate) fn next_receivable_at(&self, config: &config::Queue, now: SimTime) -> Option<SimTime> {
        if self.is_receivable(config, now) {
            return Some(now);
        }
        if self.records.in_flight() >= u64::from(config.maximum_in_flight) {
            return self.records.next_visible_at();
        }
        // ESM-S20: what was received in this instant can be received in the next.
        let again = self.first_visible().map(|_| now.plus(SimDuration::from_nanos(1)));
        again.or_else(|| self.next_visible_at(config))
    }

    /// When the next message becomes visible by time alone.
    #[inline]
    pub(crate) fn next_visible_at(&self, config: &config::Queue) -> Option<SimTime> {
        let hidden = self.records.next_visible_at();
        let delayed = self.first_delayed().map(|message| message.enqueued.plus(config.delivery_delay));
        earlier(hidden, delayed)
    }

    #[inline]
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
        let Message { origin, bytes, delay, group, .. } = message;
        let now = context.now;
        let visible_at = now.plus(delay.unwrap_or(config.delivery_delay));
        context.state(&Fact::Message(MessageFact::Sent { origin, queue: self.id, visible_at, bytes }));
        let bytes = u32::try_from(bytes).expect("a message that fits");
        let group = group.map(|key| self.group(key, config, now));
        let state = if visible_at > now { MessageState::Delayed } else { MessageState::Visible };
        if delay.is_none() && origin.branch == 0 && origin.submitted == now {
            self.fresh.push(Fresh { submission: origin.submission, enqueued: now, caller: origin.caller, bytes });
            self.fresh_delayed += u64::from(state == MessageState::Delayed);
            if let Some(fair) = &mut self.fair {
                fair.push(group);
            }
        } else {
            let (receives, runs) = (0, 0);
            let (enqueued, arrived) = (now, now);
            self.insert(NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state }, group);
        }
        self.shift(group, (None, Some(state)), now, config, context);
        self.changed(config, context);
    }

    /// The group with the hash of this id.
    #[inline(never)]
    fn group(&mut self, key: u64, config: &config::Queue, now: SimTime) -> GroupId {
        let (id, fresh, in_flight) = (self.id, self.fresh.len(), self.records.in_flight());
        let fair = self.fair.get_or_insert_with(|| Box::new(Fair::new(id, fresh, in_flight, config, now)));
        fair.group(key)
    }

    /// A message changes its state.
    #[inline]
    fn shift<O: Observer>(
        &mut self,
        group: Option<GroupId>,
        (from, to): (Option<MessageState>, Option<MessageState>),
        at: SimTime,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        if let Some(fair) = &mut self.fair {
            let in_flight = self.records.in_flight();
            fair.shift(Shift { group, from, to, at, in_flight }, config, context);
        }
    }

    /// Adds a record.
    #[inline]
    fn insert(&mut self, new: NewRecord, group: Option<GroupId>) -> MessageId {
        let id = self.records.insert(new);
        if let Some(fair) = &mut self.fair {
            self.records[id].group = group;
            fair.added(id, &self.records);
        }
        id
    }

    /// Takes a record out of the queue.
    #[inline]
    fn remove<O: Observer>(
        &mut self,
        id: MessageId,
        at: SimTime,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        if let Some(fair) = &mut self.fair {
            fair.removes(id, &self.records);
        }
        let Record { group, state, .. } = self.records.remove(id);
        self.shift(group, (Some(state), None), at, config, context);
    }

    /// The hash of the id of a message's group.
    fn key(&self, id: MessageId) -> Option<u64> {
        self.fair.as_ref().and_then(|fair| fair.key(self.records[id].group))
    }

    /// A message comes from another queue.
    pub(crate) fn take_in<O: Observer>(&mut self, moved: Moved, config: &config::Queue, context: &mut Context<'_, O>) {
        self.look(config, context);
        let Moved { origin, enqueued, bytes, runs, group } = moved;
        let (arrived, visible_at) = (context.now, context.now);
        let (receives, state) = (0, MessageState::Visible);
        let group = group.map(|key| self.group(key, config, context.now));
        self.insert(NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state }, group);
        self.shift(group, (None, Some(state)), context.now, config, context);
        self.changed(config, context);
    }

    /// Gives up to `max` messages, in order of their visibility, those of noisy groups last (ESM-1.11). Those that were
    /// received too often leave.
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
        if let Some(fair) = &mut self.fair {
            fair.judge(self.records.in_flight(), config, context);
        }
        let max = out.shuffle.shortened(max, config.short_receive_probability);
        let mut given = 0;
        while given < max && self.records.in_flight() < u64::from(config.maximum_in_flight) {
            let until = now.plus(config.visibility_timeout);
            let Some(id) = self.choose((Some(now), until), &mut out.shuffle, config, context) else { break };
            if let Some(redrive) = config.redrive
                && self.records[id].receives >= redrive.max_receive_count
            {
                let to = redrive.dead_letter_queue;
                let (queue, group) = (self.id, self.key(id));
                let Record { origin, enqueued, bytes, runs, receives, .. } = self.records[id];
                context.state(&Fact::Message(MessageFact::Moved { origin, queue, to, mapping, receives, runs }));
                self.remove(id, now, config, context);
                out.moved.push(Moved { origin, enqueued, bytes, runs, group });
                continue;
            }
            out.receipts.push(self.give(id, until, mapping, config, context));
            given += 1;
        }
        self.changed(config, context);
    }

    /// A message is received.
    #[inline]
    fn give<O: Observer>(
        &mut self,
        id: MessageId,
        until: SimTime,
        mapping: MappingId,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Receipt {
        let receipt = self.records.give(id, until, context.now, mapping);
        let Record { group, state, .. } = self.records[id];
        let from_noisy = self.fair.as_ref().is_some_and(|fair| fair.is_noisy(group));
        context.state(&receipt.received(self.id, from_noisy));
        if state == MessageState::InFlight {
            let states = (Some(MessageState::Visible), Some(state));
            self.shift(group, states, context.now, config, context);
        }
        receipt
    }

    /// Takes the first visible message out, for another queue.
    pub(crate) fn take<O: Observer>(
        &mut self,
        to: QueueId,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<Moved> {
        self.look(config, context);
        let id = self.choose((None, SimTime::MAX), &mut Shuffle::default(), config, context)?;
        let group = self.key(id);
        let Record { origin, bytes, runs, receives, .. } = self.records[id];
        context.state(&Fact::Message(MessageFact::Redriven { origin, queue: self.id, to, receives }));
        self.remove(id, context.now, config, context);
        self.changed(config, context);
        Some(Moved { origin, enqueued: context.now, bytes, runs, group })
    }

    /// The record of the message that leaves next, or that is received `now`; one that was fresh gets a record, to be
    /// hidden `until` then.
    #[inline]
    fn choose<O: Observer>(
        &mut self,
        (now, until): (Option<SimTime>, SimTime),
        shuffle: &mut Shuffle,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<MessageId> {
        if self.fair.is_some() {
            self.choose_fairly((now, until), shuffle, config, context)
        } else {
            self.choose_in_order((now, until), shuffle, config)
        }
    }

    /// As that, with message groups (ESM-1.11).
    #[cold]
    fn choose_fairly<O: Observer>(
        &mut self,
        times: (Option<SimTime>, SimTime),
        shuffle: &mut Shuffle,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<MessageId> {
        let mut lines = Lines { fresh: &mut self.fresh, delayed: self.fresh_delayed, records: &mut self.records };
        self.fair.as_mut().and_then(|fair| fair.choose(&mut lines, times, shuffle, config, context))
    }

    /// As that, without message groups.
    #[inline]
    fn choose_in_order(
        &mut self,
        (now, until): (Option<SimTime>, SimTime),
        shuffle: &mut Shuffle,
        config: &config::Queue,
    ) -> Option<MessageId> {
        let record = self.records.first(List::Visibility).filter(|id| {
            let record = &self.records[*id];
            // ESM-S20: without a visibility time-out, at most one receive in an instant.
            record.state == MessageState::Visible && now != Some(record.received)
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
                // It is hidden at once, so its place is behind the others from the start.
                Some(self.records.insert(self.fresh.pop()?.record(until, MessageState::Visible)))
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
        let Record { origin, enqueued, receives, runs, state, .. } = *record;
        if receives != receipt.receives && config.stale_delete == config::StaleDelete::Ignored {
            context.state(&Fact::Message(MessageFact::DeleteIgnored { origin, queue: self.id }));
            return;
        }
        let (queue, mapping, visible) = (self.id, receipt.mapping, state == MessageState::Visible);
        let fact = MessageFact::Deleted { origin, queue, mapping, enqueued, receives, runs, visible };
        context.state(&Fact::Message(fact));
        self.remove(receipt.id, context.now, config, context);
        self.changed(config, context);
    }

    /// What follows from each change: when the next is due, and what is said of the queue.
    #[inline]
    fn changed<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        self.due = self.next_due(config);
        self.say_oldest_at(context.now, config, context);
    }

    /// Says since when the oldest message is here, if that has changed.
    #[inline]
    fn say_oldest_at<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let record = self.records.oldest(config.oldest_age_skips_after);
        let since = earlier(record, self.first_fresh());
        if since != self.oldest {
            self.oldest = since;
            context.state(&Fact::Message(MessageFact::OldestChanged { queue: self.id, since, at }));
        }
        self.say_quiet(at, config, context);
    }

    /// Says what is in the quiet message groups, if that has changed.
    #[inline]
    fn say_quiet<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        if self.fair.is_some() {
            self.say_quiet_groups(at, config, context);
        }
    }

    #[cold]
    fn say_quiet_groups<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let (len, visible, in_flight) = (self.len(), self.visible(), self.records.in_flight());
        if let Some(fair) = &mut self.fair {
            let levels = Levels { delayed: len - visible - in_flight, visible, in_flight };
            fair.say_quiet(levels, (&self.fresh, &self.records), at, config, context);
        }
    }

    /// The queue's delay changes: messages keep the one that they were sent with (ESM-1.1).
    fn keep_delays(&mut self, old: &config::Queue) {
        if let Some(fair) = &mut self.fair {
            fair.keep_delays(old, &mut self.records);
        }
        while let Some(message) = self.fresh.pop() {
            let group = self.fair.as_mut().and_then(|fair| fair.pop());
            let is_delayed = (self.fresh.len() as u64) < self.fresh_delayed;
            self.fresh_delayed -= u64::from(is_delayed);
            let state = if is_delayed { MessageState::Delayed } else { MessageState::Visible };
            self.insert(message.record(message.enqueued.plus(old.delivery_delay), state), group);
        }
    }

    /// Other settings of the queue.
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        old: &config::Queue,
        new: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        if old.delivery_delay != new.delivery_delay {
            self.keep_delays(old);
        }
        if let Some(fair) = &mut self.fair
            && old.fair != new.fair
        {
            fair.reconfigure(old, new, self.records.in_flight(), context);
        }
        self.due = self.next_due(new);
    }
}
