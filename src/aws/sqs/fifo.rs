//! A FIFO queue: message groups, their order and their lock (ESM-1.10).
//!
//! ```text
//! group: [head, .., tail]  available -> up to ten from its head are received: locked
//!                             ^                                                 |
//!                             +--- all of those deleted or visible again -------+
//! ```
//! Within a group messages are given in the order in which they were sent, also when they come back. The group with
//! the oldest head goes first (ESM-S22).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::deduplication::Deduplication;
use super::inbox::{Inbox, Message, Moved, Receipt};
use super::records::{List, NewRecord, Record, Records};
use crate::aws::config;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, MessageFact, MessageState, Observer};
use crate::aws::ids::{GroupId, MappingId, MessageId, QueueId, Slots};
use crate::kernel::time::{SimDuration, SimTime};

/// Whose messages follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum GroupKey {
    /// A message group, by the hash of its id.
    Named(u64),
    /// A message by itself.
    Own(u64),
}

/// A message group with messages.
#[derive(Clone, Debug)]
struct Group {
    key: GroupKey,
    messages: VecDeque<MessageId>,
    in_flight: u32,
    /// Where it stands among those that are available.
    available: Option<u64>,
}

impl Group {
    /// The hash of its id, where it has one.
    fn named(&self) -> Option<u64> {
        match self.key {
            GroupKey::Named(key) => Some(key),
            GroupKey::Own(_) => None,
        }
    }
}

/// A FIFO queue.
#[derive(Debug)]
pub(crate) struct FifoQueue {
    id: QueueId,
    records: Records,
    groups: Slots<GroupId, Group>,
    keys: BTreeMap<GroupKey, GroupId>,
    /// Groups whose head can be received, by the number of that head.
    available: BTreeSet<(u64, GroupId)>,
    deduplication: Deduplication,
    /// The last record of those that are looked at for groups, where there are more.
    edge: Option<MessageId>,
    /// Groups with messages in flight, and what was last said of that.
    locked: u32,
    said_locked: u32,
    oldest: Option<SimTime>,
    looked: SimTime,
}

impl FifoQueue {
    /// An empty queue.
    pub(crate) fn new(id: QueueId) -> Self {
        Self {
            id,
            records: Records::default(),
            groups: Slots::default(),
            keys: BTreeMap::new(),
            available: BTreeSet::new(),
            deduplication: Deduplication::default(),
            edge: None,
            locked: 0,
            said_locked: 0,
            oldest: None,
            looked: SimTime::ZERO,
        }
    }

    /// Messages in the queue.
    pub(crate) fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Messages that are visible, whether their group is locked or not.
    pub(crate) fn visible(&self) -> u64 {
        self.records.visible()
    }

    /// Whether a message can be received now.
    pub(crate) fn is_receivable(&self, config: &config::Queue, now: SimTime) -> bool {
        self.records.in_flight() < u64::from(config.maximum_in_flight) && self.first_available(now).is_some()
    }

    /// When the next message can be received, as far as time alone decides.
    pub(crate) fn next_receivable_at(&self, config: &config::Queue, now: SimTime) -> Option<SimTime> {
        if self.is_receivable(config, now) { Some(now) } else { self.records.next_visible_at() }
    }

    /// The available group with the oldest head.
    fn first_available(&self, now: SimTime) -> Option<GroupId> {
        let edge = self.edge.map_or(u64::MAX, |id| self.records[id].serial);
        let mut groups = self.available.iter().take_while(|(serial, _)| *serial <= edge);
        // ESM-S20: at most one receive of a message in an instant.
        groups.find(|(_, id)| self.records[self.groups[*id].messages[0]].received != now).map(|(_, id)| *id)
    }

    /// A message is sent.
    pub(crate) fn send<O: Observer>(&mut self, message: Message, config: &config::Queue, context: &mut Context<'_, O>) {
        self.look(config, context);
        let Message { origin, bytes, delay, group, deduplication, .. } = message;
        let (queue, now) = (self.id, context.now);
        if let Some(id) = deduplication {
            let scope = (config.deduplication_scope == config::DeduplicationScope::MessageGroup).then_some(group);
            if self.deduplication.repeats(scope.flatten(), id, now, config.deduplication_window) {
                context.state(&Fact::Message(MessageFact::Deduplicated { origin, queue }));
                return;
            }
        }
        let visible_at = now.plus(delay.unwrap_or(config.delivery_delay));
        context.state(&Fact::Message(MessageFact::Sent { origin, queue, visible_at, bytes }));
        let bytes = u32::try_from(bytes).expect("a message that fits");
        let state = if visible_at > now { MessageState::Delayed } else { MessageState::Visible };
        let (receives, runs) = (0, 0);
        let new = NewRecord { origin, enqueued: now, arrived: now, visible_at, bytes, receives, runs, state };
        self.insert(new, group, config);
        self.say_oldest(context.now, config, context);
    }

    /// A message comes from another queue (ESM-1.5: with a new enqueue timestamp).
    pub(crate) fn take_in<O: Observer>(&mut self, moved: Moved, config: &config::Queue, context: &mut Context<'_, O>) {
        self.look(config, context);
        let Moved { origin, bytes, runs, group, .. } = moved;
        let (enqueued, arrived, visible_at) = (context.now, context.now, context.now);
        let (receives, state) = (0, MessageState::Visible);
        self.insert(NewRecord { origin, enqueued, arrived, visible_at, bytes, receives, runs, state }, group, config);
        self.say_oldest(context.now, config, context);
    }

    /// Gives up to `max` messages: as many as possible of one group, then of the next.
    pub(crate) fn receive<O: Observer>(
        &mut self,
        max: u32,
        mapping: MappingId,
        config: &config::Queue,
        out: &mut Inbox,
        context: &mut Context<'_, O>,
    ) {
        self.look(config, context);
        let mut left = max;
        while left > 0
            && self.records.in_flight() < u64::from(config.maximum_in_flight)
            && let Some(group) = self.first_available(context.now)
        {
            let given = self.receive_group(group, left, mapping, config, out, context);
            left -= given;
            if out.single_group && given > 0 {
                break;
            }
        }
        self.say_oldest(context.now, config, context);
    }

    /// Gives messages of one group, from its head.
    fn receive_group<O: Observer>(
        &mut self,
        group: GroupId,
        max: u32,
        mapping: MappingId,
        config: &config::Queue,
        out: &mut Inbox,
        context: &mut Context<'_, O>,
    ) -> u32 {
        let (queue, now) = (self.id, context.now);
        self.withdraw(group);
        let (mut given, mut place) = (0, 0);
        while given < max && self.records.in_flight() < u64::from(config.maximum_in_flight) {
            let Some(&id) = self.groups[group].messages.get(place) else { break };
            let record = &self.records[id];
            if record.state != MessageState::Visible || record.received == now {
                break;
            }
            if let Some(redrive) = config.redrive
                && record.receives >= redrive.max_receive_count
            {
                let to = redrive.dead_letter_queue;
                let key = self.groups[group].named();
                let Record { origin, enqueued, bytes, runs, receives, .. } = self.take_out(id);
                context.state(&Fact::Message(MessageFact::Moved { origin, queue, to, mapping, receives, runs }));
                out.moved.push(Moved { origin, enqueued, bytes, runs, group: key });
                continue;
            }
            let receipt = self.records.give(id, now.plus(config.visibility_timeout), now, mapping);
            self.groups[group].in_flight += u32::from(self.records[id].state == MessageState::InFlight);
            context.state(&receipt.received(queue, false));
            out.receipts.push(receipt);
            given += 1;
            place += 1;
        }
        self.locked += u32::from(self.groups[group].in_flight > 0);
        self.offer(group);
        given
    }

    /// Takes the first visible message out, for another queue.
    pub(crate) fn take<O: Observer>(
        &mut self,
        to: QueueId,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<Moved> {
        self.look(config, context);
        let (_, group) = *self.available.first()?;
        let id = self.groups[group].messages[0];
        let key = self.groups[group].named();
        let Record { origin, bytes, runs, receives, .. } = self.take_out(id);
        context.state(&Fact::Message(MessageFact::Redriven { origin, queue: self.id, to, receives }));
        self.say_oldest(context.now, config, context);
        Some(Moved { origin, enqueued: context.now, bytes, runs, group: key })
    }

    /// A run with the message in its batch begins; whether it had one before.
    pub(crate) fn count_run(&mut self, receipt: &Receipt) -> bool {
        self.records.count_run(receipt)
    }

    /// Deletes a received message; after its visibility time-out that fails (ESM-1.4).
    pub(crate) fn delete<O: Observer>(
        &mut self,
        receipt: &Receipt,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.look(config, context);
        // Deleted, moved or expired before.
        let Some(record) = self.records.of(receipt) else { return };
        let (origin, queue) = (record.origin, self.id);
        if record.receives != receipt.receives || record.state != MessageState::InFlight {
            context.state(&Fact::Message(MessageFact::DeleteIgnored { origin, queue }));
            return;
        }
        let (mapping, visible) = (receipt.mapping, false);
        let Record { enqueued, receives, runs, .. } = self.take_out(receipt.id);
        let fact = MessageFact::Deleted { origin, queue, mapping, enqueued, receives, runs, visible };
        context.state(&Fact::Message(fact));
        self.say_oldest(context.now, config, context);
    }

    /// Does what time alone has done since the last look.
    pub(crate) fn look<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        let now = context.now;
        loop {
            let visible = self.records.next_visible_at().filter(|at| *at <= now);
            let first = self.records.first(List::Enqueued);
            let expiry = first.map(|id| self.records[id].enqueued.plus(config.message_retention));
            match (visible, expiry.filter(|at| *at <= now)) {
                (None, None) => break,
                (Some(at), expiry) if expiry.is_none_or(|expiry| at < expiry) => {
                    self.show(context);
                    self.say_oldest(at, config, context);
                }
                (_, expiry) => {
                    let at = expiry.expect("one of the two").max(self.looked);
                    let id = first.expect("something is too old");
                    let Record { origin, state, .. } = self.take_out(id);
                    context.state(&Fact::Message(MessageFact::Expired { origin, queue: self.id, at, state }));
                    self.say_oldest(at, config, context);
                }
            }
        }
        self.looked = now;
    }

    /// The queue's delay changes: that of all its messages does (ESM-1.1.8).
    pub(crate) fn set_delay(&mut self, delay: SimDuration, now: SimTime) {
        let mut next = self.records.first(List::Enqueued);
        while let Some(id) = next {
            next = self.records.after(List::Enqueued, id);
            if self.records[id].state == MessageState::Delayed {
                let visible_at = self.records[id].enqueued.plus(delay).max(now);
                self.records.delay(id, visible_at);
            }
        }
    }

    /// The first hidden message is visible from its moment on.
    fn show<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        let (id, fact) = self.records.show(self.id);
        let group = self.records[id].group.expect("in a group");
        if let MessageFact::Returned { .. } = fact {
            self.unlock_one(group);
        }
        context.state(&Fact::Message(fact));
        self.offer(group);
    }

    /// One of the messages in flight of a group is not in flight any more.
    fn unlock_one(&mut self, group: GroupId) {
        let group = &mut self.groups[group];
        group.in_flight -= 1;
        self.locked -= u32::from(group.in_flight == 0);
    }

    /// A group is available if nothing of it is in flight and its head is visible.
    fn offer(&mut self, id: GroupId) {
        self.withdraw(id);
        let group = &mut self.groups[id];
        let Some(head) = group.messages.front() else { return };
        let head = &self.records[*head];
        if group.in_flight == 0 && head.state == MessageState::Visible {
            group.available = Some(head.serial);
            self.available.insert((head.serial, id));
        }
    }

    fn withdraw(&mut self, id: GroupId) {
        if let Some(serial) = self.groups[id].available.take() {
            self.available.remove(&(serial, id));
        }
    }

    fn insert(&mut self, new: NewRecord, group: Option<u64>, config: &config::Queue) {
        let id = self.records.insert(new);
        let key = group.map_or(GroupKey::Own(self.records[id].serial), GroupKey::Named);
        let groups = &mut self.groups;
        let group = *self
            .keys
            .entry(key)
            .or_insert_with(|| groups.insert(Group { key, messages: VecDeque::new(), in_flight: 0, available: None }));
        self.records[id].group = Some(group);
        self.groups[group].messages.push_back(id);
        if self.records.len() as u64 == u64::from(config.group_lookahead) + 1 {
            self.edge = self.records.before(List::Enqueued, id);
        }
        if self.groups[group].messages.len() == 1 {
            self.offer(group);
        }
    }

    /// Takes a record out of the queue and its group.
    fn take_out(&mut self, id: MessageId) -> Record {
        if let Some(edge) = self.edge
            && self.records[id].serial <= self.records[edge].serial
        {
            self.edge = self.records.after(List::Enqueued, edge);
            if self.edge.is_some_and(|edge| self.records.after(List::Enqueued, edge).is_none()) {
                self.edge = None;
            }
        }
        let record = self.records.remove(id);
        let group = record.group.expect("in a group");
        let place = self.groups[group].messages.iter().position(|other| *other == id).expect("in its group");
        self.withdraw(group);
        self.groups[group].messages.remove(place);
        if record.state == MessageState::InFlight {
            self.unlock_one(group);
        }
        if self.groups[group].messages.is_empty() && self.groups[group].in_flight == 0 {
            let key = self.groups[group].key;
            self.keys.remove(&key);
            self.groups.discard(group);
        } else {
            self.offer(group);
        }
        record
    }

    /// Says since when the oldest message is here, if that has changed.
    fn say_oldest<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let since = self.records.oldest(config.oldest_age_skips_after);
        if since != self.oldest {
            self.oldest = since;
            context.state(&Fact::Message(MessageFact::OldestChanged { queue: self.id, since, at }));
        }
        if self.locked != self.said_locked {
            self.said_locked = self.locked;
            let groups = self.locked;
            context.state(&Fact::Message(MessageFact::GroupsInFlight { queue: self.id, groups, at }));
        }
    }
}
