//! FIFO queues whose dead letters come back to them: a run that settles does not wait for them for ever
//! (`docs/semantics/queues.md`, "Our readings"). In standard queues the retention ends such a cycle, since a dead letter
//! keeps its first enqueue timestamp; in FIFO queues it begins anew with each move (ESM-1.5.6).

use super::Sqs;
use crate::aws::config::QueueKind;
use crate::aws::ids::QueueId;
use crate::aws::patience::Patience;
use crate::kernel::time::SimTime;

/// How far the messages in all cycles are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounds {
    patience: Patience,
    /// Messages that went on in a cycle since one left it, and how many are waited for.
    moved: u64,
    waited: u64,
    /// Whether they are not waited for any more.
    hopeless: bool,
}

impl Rounds {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, moved: 0, waited: 0, hopeless: false }
    }
}

impl Sqs {
    /// Finds the FIFO queues whose dead letters may come back.
    pub(super) fn find_cycles(&mut self) {
        for id in self.queues.ids() {
            let (mut at, mut left) = (self.dead_letters_of(id), self.queues.len());
            while at.is_some_and(|queue| queue != id) && left > 0 {
                (at, left) = (at.and_then(|queue| self.dead_letters_of(queue)), left - 1);
            }
            self.queues[id].is_cyclic = at == Some(id) && self.queues[id].config.kind == QueueKind::Fifo;
        }
    }

    fn dead_letters_of(&self, id: QueueId) -> Option<QueueId> {
        self.queues[id].config.redrive.map(|redrive| redrive.dead_letter_queue)
    }

    /// Messages of a queue were moved to its dead-letter queue.
    pub(super) fn went_round(&mut self, id: QueueId, messages: usize, now: SimTime) {
        if !self.queues[id].is_cyclic || !self.rounds.patience.counts(now) {
            return;
        }
        self.rounds.moved += messages as u64;
        if self.rounds.moved < self.rounds.patience.tries(0).max(self.rounds.waited) {
            return;
        }
        let cyclic = self.queues.rows().iter().filter(|served| served.is_cyclic);
        self.rounds.waited = self.rounds.patience.tries(cyclic.map(|served| served.queue.len()).sum());
        if self.rounds.moved >= self.rounds.waited {
            self.set_hopeless(true);
        }
    }

    /// A message came to a queue from elsewhere, or was deleted: others may be, too.
    #[inline]
    pub(super) fn hope(&mut self, id: QueueId) {
        if self.rounds.moved > 0 && self.queues[id].is_cyclic {
            (self.rounds.moved, self.rounds.waited) = (0, 0);
            self.set_hopeless(false);
        }
    }

    #[cold]
    fn set_hopeless(&mut self, hopeless: bool) {
        if std::mem::replace(&mut self.rounds.hopeless, hopeless) == hopeless {
            return;
        }
        for id in self.queues.ids() {
            let is_cyclic = self.queues[id].is_cyclic;
            self.with(id, |served| served.is_hopeless = hopeless && is_cyclic);
        }
    }
}
