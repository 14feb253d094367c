//! One message group of a standard queue. Passive.

use super::processing::Spent;
use super::shelf::Shelf;
use crate::aws::fact::{Levels, MessageState};
use crate::kernel::time::SimTime;

/// A message group that has, or lately had, messages in the queue.
#[derive(Debug)]
pub(super) struct Group {
    /// The hash of its id.
    pub(super) key: u64,
    /// Its messages.
    pub(super) levels: Levels,
    pub(super) noise: Noise,
    /// When its last message in flight ceased to be so.
    pub(super) idle_since: SimTime,
    /// Messages that others went before.
    pub(super) shelf: Option<Box<Shelf>>,
    /// The time of its messages in flight.
    pub(super) spent: Spent,
}

/// Whether others go first (ESM-1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noise {
    Quiet,
    /// So many groups became noisy before it.
    Noisy(u64),
}

impl Group {
    /// A group without messages.
    pub(super) fn new(key: u64) -> Self {
        let (levels, noise, idle_since) = (Levels::default(), Noise::Quiet, SimTime::ZERO);
        Self { key, levels, noise, idle_since, shelf: None, spent: Spent::default() }
    }

    pub(super) fn is_noisy(&self) -> bool {
        self.noise != Noise::Quiet
    }

    /// Its shelf.
    pub(super) fn shelf(&mut self) -> &mut Shelf {
        self.shelf.get_or_insert_default()
    }

    /// Whether nothing is to be remembered of it.
    pub(super) fn is_over(&self) -> bool {
        self.levels == Levels::default() && self.spent.recent == 0 && !self.is_noisy()
    }

    /// A message changes its state; none is outside of the queue.
    pub(super) fn shift(&mut self, from: Option<MessageState>, to: Option<MessageState>, at: SimTime) {
        self.levels.shift(from, to);
        if from == Some(MessageState::InFlight) && self.levels.in_flight == 0 {
            self.idle_since = at;
        }
    }
}
