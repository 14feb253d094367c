//! Fair queues: message groups of a standard queue, and which of them others go before (ESM-1.11).
//!
//! ```text
//! quiet -> at a receive it has more than its share of what is in flight: noisy
//!   ^                                                                      |
//!   +-- none of its messages waits, and its share is small again ----------+
//!   +-- none of its messages was in flight for `quiet_after` --------------+
//! ```
//! Messages of quiet groups are received first, in order of their visibility, then those of noisy ones, from the group
//! with the fewest in flight. Nothing is dropped or limited. A message without a group is a tenant of its own, and
//! never noisy. Messages of a noisy group that stand first in line are set aside on the shelf of their group, each at
//! most once for each time that it becomes visible; so no receive looks at a message twice.
//!
//! What the queue calls is marked cold, to stay out of the way of queues without message groups.

mod age;
mod choose;
mod group;
mod listed;
mod processing;
mod shelf;

pub(super) use choose::Lines;

use std::collections::BTreeMap;

use age::Search;
use group::{Group, Noise};
use listed::Listed;
use processing::{Processing, Spent};

use super::fresh::{Fresh, Line};
use super::records::Records;
use crate::aws::config::{self, Fairness};
use crate::aws::event::Context;
use crate::aws::fact::{Fact, Levels, MessageFact, MessageState, Observer};
use crate::aws::ids::{GroupId, QueueId, Slots};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimTime;

/// The message groups of one queue.
#[derive(Debug)]
pub(super) struct Fair {
    queue: QueueId,
    groups: Slots<GroupId, Group>,
    keys: BTreeMap<u64, GroupId>,
    /// The group of each fresh message of the queue, in their order.
    line: Line<Option<GroupId>>,
    /// Fresh messages that have left that line.
    passed: u64,
    listed: Listed,
    processing: Option<Processing>,
    /// Messages of noisy groups.
    of_noisy: Levels,
    /// How often a group became noisy.
    became_noisy: u64,
    search: Search,
    /// What was last said of the quiet groups.
    said: Option<(Levels, Option<SimTime>)>,
}

/// A change of what a message is doing; none is outside of the queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub(super) group: Option<GroupId>,
    pub(super) from: Option<MessageState>,
    pub(super) to: Option<MessageState>,
    pub(super) at: SimTime,
    /// All messages in flight after it.
    pub(super) in_flight: u64,
}

impl Fair {
    /// Without groups, in a queue with these messages.
    pub(super) fn new(queue: QueueId, fresh: usize, in_flight: u64, config: &config::Queue, now: SimTime) -> Self {
        let mut line = Line::default();
        (0..fresh).for_each(|_| line.push(None));
        let mut fair = Self {
            queue,
            groups: Slots::default(),
            keys: BTreeMap::new(),
            line,
            passed: 0,
            listed: Listed::default(),
            processing: None,
            of_noisy: Levels::default(),
            became_noisy: 0,
            search: Search::default(),
            said: None,
        };
        fair.measure(config, in_flight, now);
        fair
    }

    /// Begins, or ceases, to measure processing time (ESM-S24). What is in flight counts from now on.
    fn measure(&mut self, config: &config::Queue, in_flight: u64, now: SimTime) {
        let measures = config.fair.is_some_and(|fair| fair.processing_share.is_some());
        if measures == self.processing.is_some() {
            return;
        }
        self.processing = measures.then(Processing::default);
        let mut others = in_flight;
        let ids: Vec<_> = self.keys.values().copied().collect();
        for id in ids {
            self.groups[id].spent = Spent::default();
            let of_group = self.groups[id].levels.in_flight;
            others -= of_group;
            (0..of_group).for_each(|_| self.spend(now, Some(id), true));
            self.drop_if_over(id, config);
        }
        (0..others).for_each(|_| self.spend(now, None, true));
    }

    fn spend(&mut self, at: SimTime, group: Option<GroupId>, begins: bool) {
        let Some(processing) = &mut self.processing else { return };
        let change = processing.note(at, group, begins);
        if let Some(id) = group {
            self.groups[id].spent.note(change);
        }
    }

    /// The group with the hash of this id.
    pub(super) fn group(&mut self, key: u64) -> GroupId {
        *self.keys.entry(key).or_insert_with(|| self.groups.insert(Group::new(key)))
    }

    /// The hash of a group's id.
    pub(super) fn key(&self, group: Option<GroupId>) -> Option<u64> {
        group.map(|id| self.groups[id].key)
    }

    /// Whether a message of this group goes behind others.
    #[cold]
    pub(super) fn is_noisy(&self, group: Option<GroupId>) -> bool {
        group.is_some_and(|id| self.groups[id].is_noisy())
    }

    /// Fresh messages that were set aside.
    pub(super) fn shelved(&self) -> usize {
        self.listed.fresh
    }

    /// When the first of them was enqueued.
    #[cold]
    pub(super) fn first_enqueued(&self) -> Option<SimTime> {
        let [quiet, noisy] = self.listed.enqueued.each_ref().map(|set| set.first().map(|(at, _)| *at));
        quiet.into_iter().chain(noisy).min()
    }

    /// A fresh message of this group stands at the end of the line.
    #[cold]
    pub(super) fn push(&mut self, group: Option<GroupId>) {
        self.line.push(group);
    }

    /// The first fresh message has left the line: its group.
    pub(super) fn pop(&mut self) -> Option<GroupId> {
        self.passed += 1;
        self.line.pop().expect("as many as there are fresh messages")
    }

    /// The group of the fresh message with this place in the line.
    pub(super) fn group_at(&self, place: usize) -> Option<GroupId> {
        *self.line.get(place).expect("as many as there are fresh messages")
    }

    /// Takes the fresh message off its shelf that was enqueued first of those.
    pub(super) fn take_oldest(&mut self, config: &config::Queue) -> (Fresh, GroupId) {
        let firsts = self.listed.enqueued.each_ref().map(|set| set.first().copied());
        let (_, id) = firsts.into_iter().flatten().min().expect("something was set aside");
        self.withdraw(id, config);
        let message = self.groups[id].shelf.as_mut().and_then(|shelf| shelf.take_fresh());
        self.listed.fresh -= 1;
        self.offer(id, config);
        (message.expect("listed with one"), id)
    }

    /// A message enters the queue, leaves it, or changes its state.
    #[cold]
    pub(super) fn shift<O: Observer>(&mut self, shift: Shift, config: &config::Queue, context: &mut Context<'_, O>) {
        let Shift { group, from, to, at, in_flight } = shift;
        for (state, begins) in [(from, false), (to, true)] {
            if state == Some(MessageState::InFlight) {
                self.spend(at, group, begins);
            }
        }
        let Some(id) = group else { return };
        self.withdraw(id, config);
        let group = &mut self.groups[id];
        group.shift(from, to, at);
        if group.is_noisy() {
            self.of_noisy.shift(from, to);
        }
        self.offer(id, config);
        if self.groups[id].is_noisy() {
            self.settle(id, at, in_flight, config, context);
        }
        self.drop_if_over(id, config);
    }

    /// Nothing of a noisy group waits: it is quiet if its share is small again (ESM-1.11.6).
    fn settle<O: Observer>(
        &mut self,
        id: GroupId,
        at: SimTime,
        in_flight: u64,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        let group = &self.groups[id];
        let Some(fair) = &config.fair else { return };
        if group.levels.visible > 0 || exceeds(group.levels.in_flight, in_flight, fair) {
            return;
        }
        self.look_back(at, config);
        if !self.took_too_long(id, at, fair) {
            self.make_quiet(id, at, config, context);
        }
    }

    /// A receive begins: groups that have too much in flight are noisy (ESM-1.11.2).
    #[cold]
    pub(super) fn judge<O: Observer>(&mut self, in_flight: u64, config: &config::Queue, context: &mut Context<'_, O>) {
        let Some(fair) = &config.fair else { return };
        self.look_back(context.now, config);
        while let Some((of_group, id)) = self.listed.busy.last().copied()
            && exceeds(of_group, in_flight, fair)
        {
            self.make_noisy(id, in_flight, config, context);
        }
    }

    /// Whether messages of quiet groups go before those of this one. ESM-1.11.3: its processing time is looked at when
    /// a message of it would be received `now`.
    fn goes_behind<O: Observer>(
        &mut self,
        id: GroupId,
        now: Option<SimTime>,
        in_flight: u64,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> bool {
        let Some(fair) = &config.fair else { return false };
        if !self.groups[id].is_noisy() && now.is_some_and(|now| self.took_too_long(id, now, fair)) {
            self.make_noisy(id, in_flight, config, context);
        }
        self.groups[id].is_noisy()
    }

    /// Forgets processing time that is five minutes old.
    fn look_back(&mut self, now: SimTime, config: &config::Queue) {
        while let Some(change) = self.processing.as_mut().and_then(|processing| processing.past(now)) {
            if let Some(id) = change.group {
                self.groups[id].spent.forget(change);
                self.drop_if_over(id, config);
            }
        }
    }

    /// ESM-1.11.3: whether a group took more than its share of the processing time. One that is forgiven, as nothing of
    /// it was in flight for so long, is not blamed for the time before.
    fn took_too_long(&self, id: GroupId, now: SimTime, fair: &Fairness) -> bool {
        let (Some(share), Some(processing)) = (fair.processing_share, &self.processing) else { return false };
        let group = &self.groups[id];
        if group.levels.in_flight == 0 && group.idle_since.plus(fair.quiet_after) <= now {
            return false;
        }
        let (own, all) = (group.spent.within(now), processing.all.within(now));
        own * u128::from(Ratio::PARTS) > all * u128::from(share.parts())
    }

    fn make_noisy<O: Observer>(
        &mut self,
        id: GroupId,
        all_in_flight: u64,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.withdraw(id, config);
        let group = &mut self.groups[id];
        group.noise = Noise::Noisy(self.became_noisy);
        self.became_noisy += 1;
        self.of_noisy = self.of_noisy.plus(group.levels);
        let (queue, group, in_flight) = (self.queue, group.key, group.levels.in_flight);
        self.offer(id, config);
        context.state(&Fact::Message(MessageFact::GroupNoisy { queue, group, in_flight, all_in_flight }));
    }

    fn make_quiet<O: Observer>(
        &mut self,
        id: GroupId,
        at: SimTime,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.withdraw(id, config);
        let group = &mut self.groups[id];
        group.noise = Noise::Quiet;
        self.of_noisy = self.of_noisy.minus(group.levels);
        let (queue, group) = (self.queue, group.key);
        self.search = Search::default();
        self.offer(id, config);
        context.state(&Fact::Message(MessageFact::GroupQuiet { queue, group, at }));
        self.drop_if_over(id, config);
    }

    /// When the next noisy group is quiet because nothing of it was in flight for so long (ESM-1.11.6).
    #[cold]
    pub(super) fn next_quiet_at(&self, config: &config::Queue) -> Option<SimTime> {
        let quiet_after = config.fair.as_ref()?.quiet_after;
        self.listed.idle.first().map(|(since, _)| since.plus(quiet_after))
    }

    /// That has come.
    pub(super) fn calm_down<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let (_, id) = *self.listed.idle.first().expect("a group that is due");
        self.make_quiet(id, at, config, context);
    }

    /// A group of which nothing is left is forgotten.
    fn drop_if_over(&mut self, id: GroupId, config: &config::Queue) {
        let group = &self.groups[id];
        if group.is_over() && self.keys.get(&group.key) == Some(&id) {
            self.keys.remove(&group.key);
            // Records on its shelf have left the queue.
            self.withdraw(id, config);
            self.groups[id].shelf = None;
            self.groups.discard(id);
        }
    }

    /// Lists a group under what it is.
    fn offer(&mut self, id: GroupId, config: &config::Queue) {
        self.listed.offer(id, &self.groups[id], config);
    }

    /// Takes it from these lists, before it changes.
    fn withdraw(&mut self, id: GroupId, config: &config::Queue) {
        self.listed.withdraw(id, &self.groups[id], config);
    }

    /// Messages keep the delay that they were sent with, as records; those that were set aside are visible.
    pub(super) fn keep_delays(&mut self, old: &config::Queue, records: &mut Records) {
        let shelves: Vec<_> = self.listed.enqueued.iter().flatten().map(|(_, id)| *id).collect();
        for id in shelves {
            self.withdraw(id, old);
            let mut kept = Vec::new();
            while let Some(message) = self.groups[id].shelf().take_fresh() {
                let visible_at = message.enqueued.plus(old.delivery_delay);
                let record = self.begin(message, Some(id), visible_at, records);
                records.shelve(record);
                kept.push(record);
                self.listed.fresh -= 1;
            }
            self.groups[id].shelf().keep_records(kept, records);
            self.offer(id, old);
        }
    }

    /// Other settings of the queue.
    pub(super) fn reconfigure<O: Observer>(
        &mut self,
        old: &config::Queue,
        new: &config::Queue,
        in_flight: u64,
        context: &mut Context<'_, O>,
    ) {
        let groups: Vec<_> = self.keys.iter().map(|(key, id)| (*key, *id)).collect();
        for (key, id) in groups {
            if new.fair.is_none() && self.groups[id].is_noisy() {
                self.make_quiet(id, context.now, old, context);
            }
            if self.keys.contains_key(&key) {
                self.withdraw(id, old);
                self.offer(id, new);
            }
        }
        self.measure(new, in_flight, context.now);
    }
}

/// ESM-1.11.2: whether a group has more than its share of the messages in flight, and so many.
fn exceeds(of_group: u64, all: u64, fair: &Fairness) -> bool {
    let enough = of_group >= u64::from(fair.in_flight);
    enough && u128::from(of_group) * u128::from(Ratio::PARTS) > u128::from(all) * u128::from(fair.share.parts())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;

    /// ESM-A13: 30 of 299 in flight are more than 10 %, 30 of 300 are not, and 29 are too few. And one beside each limit.
    #[test]
    fn esm_a13_share_and_number_of_messages_in_flight() {
        let share = Ratio::from_parts(Ratio::PARTS / 10).unwrap();
        let fair = Fairness { share, in_flight: 30, processing_share: None, quiet_after: SimDuration::from_secs(300) };
        for (of_group, all, noisy) in [
            (30, 299, true),
            (30, 300, false),
            (29, 100, false),
            (31, 309, true),
            (31, 310, false),
            (30, 30, true),
            (29, 29, false),
            (12_000, 120_000, false),
            (12_001, 120_000, true),
        ] {
            assert_eq!(exceeds(of_group, all, &fair), noisy, "{of_group} of {all}");
        }
        let any = Fairness { share: Ratio::ZERO, in_flight: 1, ..fair };
        assert!(exceeds(1, 120_000, &any) && !exceeds(0, 1, &any));
    }
}
