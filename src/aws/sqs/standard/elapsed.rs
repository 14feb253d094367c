//! What time alone does in a standard queue: delays and visibility time-outs end, retention ends, noisy message groups
//! become quiet. It is done when the queue is next looked at, in order of time and with its own moment. Nothing is
//! scanned: the first of each line is looked at.

use super::StandardQueue;
use crate::aws::config;
use crate::aws::event::Context;
use crate::aws::fact::{Fact, MessageFact, MessageState, Observer};
use crate::aws::sqs::records::{List, Record};
use crate::kernel::time::SimTime;

/// The first of two moments that may come.
#[inline]
pub(super) fn earlier(one: Option<SimTime>, other: Option<SimTime>) -> Option<SimTime> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl StandardQueue {
    /// Does what time alone has done since the last look.
    #[inline]
    pub(crate) fn look<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        debug_assert_eq!(self.due, self.next_due(config), "each change says when the next is due");
        if self.due <= context.now {
            self.catch_up(config, context);
        }
        self.looked = context.now;
    }

    /// When time alone changes something next.
    #[inline]
    pub(super) fn next_due(&self, config: &config::Queue) -> SimTime {
        let expiry = self.first_enqueued().map_or(SimTime::MAX, |first| first.plus(config.message_retention));
        let visible = self.next_visible_at(config).unwrap_or(SimTime::MAX);
        let quiet = self.next_quiet_at(config).unwrap_or(SimTime::MAX);
        expiry.min(visible).min(quiet)
    }

    #[inline(never)]
    fn catch_up<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        let now = context.now;
        loop {
            let visible = self.next_visible_at(config).filter(|at| *at <= now);
            let expiry = self.first_enqueued().map(|first| first.plus(config.message_retention));
            let message = earlier(visible, expiry);
            let quiet =
                self.next_quiet_at(config).filter(|at| *at <= now && message.is_none_or(|message| *at < message));
            if let (Some(at), Some(fair)) = (quiet, &mut self.fair) {
                fair.calm_down(at, config, context);
                self.say_quiet(at, config, context);
                continue;
            }
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
        self.due = self.next_due(config);
    }

    /// The first hidden message is visible from `at` on.
    fn show<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let queue = self.id;
        let (group, was) = if self.records.next_visible_at() == Some(at) {
            let (id, fact) = self.records.show(queue);
            context.state(&Fact::Message(fact));
            let was_in_flight = matches!(fact, MessageFact::Returned { .. });
            let was = if was_in_flight { MessageState::InFlight } else { MessageState::Delayed };
            (self.records[id].group, was)
        } else {
            let message = *self.first_delayed().expect("something is hidden");
            debug_assert_eq!(message.enqueued.plus(config.delivery_delay), at, "the first hidden one");
            let place = self.fresh.len() - usize::try_from(self.fresh_delayed).expect("no more than there are");
            self.fresh_delayed -= 1;
            let origin = message.origin();
            context.state(&Fact::Message(MessageFact::DelayEnded { origin, queue, at }));
            (self.fair.as_ref().and_then(|fair| fair.group_at(place)), MessageState::Delayed)
        };
        self.shift(group, (Some(was), Some(MessageState::Visible)), at, config, context);
        self.say_quiet(at, config, context);
    }

    /// The message that was enqueued first is too old.
    fn expire<O: Observer>(&mut self, at: SimTime, config: &config::Queue, context: &mut Context<'_, O>) {
        let record = self.records.first(List::Enqueued).map(|id| (self.records[id].enqueued, id));
        let shelved = self.fair.as_ref().and_then(|fair| fair.first_enqueued());
        let fresh = self.fresh.first().map(|message| message.enqueued);
        let queue = self.id;
        if let Some((enqueued, id)) = record
            && shelved.into_iter().chain(fresh).all(|other| enqueued <= other)
        {
            let Record { origin, state, .. } = self.records[id];
            context.state(&Fact::Message(MessageFact::Expired { origin, queue, at, state }));
            self.remove(id, at, config, context);
            return;
        }
        let (message, group, state) = match &mut self.fair {
            Some(fair) if shelved.is_some_and(|shelved| fresh.is_none_or(|fresh| shelved <= fresh)) => {
                let (message, group) = fair.take_oldest(config);
                (message, Some(group), MessageState::Visible)
            }
            fair => {
                let message = self.fresh.pop().expect("something is too old");
                let is_delayed = message.enqueued.plus(config.delivery_delay) > at;
                self.fresh_delayed -= u64::from(is_delayed);
                let state = if is_delayed { MessageState::Delayed } else { MessageState::Visible };
                (message, fair.as_mut().and_then(|fair| fair.pop()), state)
            }
        };
        let origin = message.origin();
        context.state(&Fact::Message(MessageFact::Expired { origin, queue, at, state }));
        self.shift(group, (Some(state), None), at, config, context);
    }

    #[inline]
    fn first_enqueued(&self) -> Option<SimTime> {
        let record = self.records.first(List::Enqueued).map(|id| self.records[id].enqueued);
        earlier(record, self.first_fresh())
    }

    /// When the fresh message was enqueued that was first.
    #[inline(always)]
    pub(super) fn first_fresh(&self) -> Option<SimTime> {
        let line = self.fresh.first().map(|message| message.enqueued);
        match &self.fair {
            Some(fair) => earlier(line, fair.first_enqueued()),
            None => line,
        }
    }

    /// When the next noisy group is quiet by time alone.
    #[inline]
    fn next_quiet_at(&self, config: &config::Queue) -> Option<SimTime> {
        self.fair.as_ref().and_then(|fair| fair.next_quiet_at(config))
    }
}
