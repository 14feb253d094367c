//! Threads: what goes through the states of one flow. An execution is a tree of them. Passive.
//!
//! ```text
//! Ready --(goes on)--> Waiting --(due)--> Ready
//!                  --> Running --(answer, time-out)--> Ready
//!                  --> Joining --(its last branch or item has ended)--> Ready
//! Ready --(stopped)--> Stopped --(its turn in the list)--> gone
//! any other --(ended, stopped)--> gone
//! ```

use crate::aws::ids::{EnvironmentId, ExecutionId, Id, Slots, StateId, ThreadId};
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

/// One thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    pub(super) execution: ExecutionId,
    /// The thread whose branch or item it is.
    pub(super) parent: Option<ThreadId>,
    /// Its branches or items, linked in the opposite order of their start.
    pub(super) first_child: Option<ThreadId>,
    previous: Option<ThreadId>,
    next: Option<ThreadId>,
    pub(super) doing: Doing,
    pub(super) state: StateId,
    /// Which branch or item it is, 0 = first.
    pub(super) index: u32,
    pub(super) way: Way,
    /// Times that it went to the same state or to one before it in the file: with the state, which visit it is.
    pub(super) lap: u32,
    /// Attempts of this visit of the state.
    pub(super) attempts: u32,
    /// Runs that this visit of a task started.
    pub(super) runs: u32,
    /// Since when it runs, or has been going round: what takes no time at all must not go round within one event.
    pub(super) since: SimTime,
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It is in the list of those that go on now.
    Ready(Then),
    /// It waits until `due`.
    Waiting { due: SimTime, then: Then },
    /// It waits for a run, no longer than until `gives_up`.
    Running { environment: EnvironmentId, gives_up: SimTime },
    /// It waits for its branches or items.
    Joining {
        /// Those under way.
        open: u32,
        /// The next item to begin.
        next_item: u32,
    },
    /// It was stopped, but is still in the list of those that go on.
    Stopped,
}

/// What a thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Its item of a distributed map begins, when there is a state transition for it.
    StartItem,
    /// The same, with its transition.
    ItemStarted,
    /// It enters its state, when there is a state transition for it.
    Enter,
    /// It is in its state.
    Entered,
    /// It tries its state again, when there is a state transition for it.
    Retry,
    /// The same, with its transition.
    Retried,
    /// It is done with its state.
    GoOn,
}

/// The way to a thread: two threads of one submission have different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    hash: u32,
    /// Which item; of maps in maps counted over all of them.
    item: u32,
}

impl Way {
    /// The way to an execution.
    pub(super) const fn to_execution(branch: u32) -> Self {
        Self { hash: branch, item: 0 }
    }

    /// The branch of a visit of a state; `name` is a hash of the state's name. It is not 0.
    pub(super) fn branch(self, name: u32, lap: u32) -> u32 {
        mix(self.hash, name, lap).wrapping_add(self.item).max(1)
    }

    /// The way to a branch of a parallel state, or to an item out of `items`.
    pub(super) fn into(self, name: u32, lap: u32, attempt: u32, (item, items): (u32, u32)) -> Self {
        let hash = mix(self.hash, name, lap);
        let hash = if attempt > 1 { mix(hash, name, attempt) } else { hash };
        Self { hash, item: self.item.wrapping_mul(items).wrapping_add(item) }
    }
}

/// Three numbers as one.
pub(super) fn mix(a: u32, b: u32, c: u32) -> u32 {
    StreamKey::from_word(u64::from(a) << 32 | u64::from(b)).half_word(u64::from(c))
}

/// All threads, and how often each retrier of their states was used.
#[derive(Debug)]
pub(super) struct Threads {
    rows: Slots<ThreadId, Thread>,
    /// INV-SF3: for each row as many counters as a state has retriers at most.
    retries: Vec<u32>,
    retriers: usize,
}

impl Threads {
    /// None yet. No state has more than so many retriers.
    pub(super) fn new(retriers: usize) -> Self {
        Self { rows: Slots::default(), retries: Vec::new(), retriers }
    }

    /// A new thread in the list of its parent's children.
    pub(super) fn begin(&mut self, execution: ExecutionId, parent: Option<ThreadId>, begins: Begins) -> ThreadId {
        let Begins { doing, state, index, way, now } = begins;
        let next = parent.and_then(|parent| self.rows[parent].first_child);
        let id = self.rows.insert(Thread {
            execution,
            parent,
            first_child: None,
            previous: None,
            next,
            doing,
            state,
            index,
            way,
            lap: 0,
            attempts: 0,
            runs: 0,
            since: now,
        });
        if let Some(next) = next {
            self.rows[next].previous = Some(id);
        }
        if let Some(parent) = parent {
            self.rows[parent].first_child = Some(id);
        }
        let needed = (id.index() + 1) * self.retriers;
        if self.retries.len() < needed {
            self.retries.resize(needed, 0);
        }
        id
    }

    /// The thread is gone from the list of its parent's children.
    pub(super) fn unlink(&mut self, id: ThreadId) -> Thread {
        let thread = self.rows[id];
        let Thread { parent, previous, next, .. } = thread;
        match (previous, parent) {
            (Some(previous), _) => self.rows[previous].next = next,
            (None, Some(parent)) => self.rows[parent].first_child = next,
            (None, None) => {}
        }
        if let Some(next) = next {
            self.rows[next].previous = previous;
        }
        thread
    }

    /// Its record may be used again.
    pub(super) fn free(&mut self, id: ThreadId) {
        self.rows[id].doing = Doing::Stopped;
        self.rows.discard(id);
    }

    /// A state is entered: no retrier was used.
    pub(super) fn reset_retries(&mut self, id: ThreadId) {
        let first = id.index() * self.retriers;
        self.retries[first..first + self.retriers].fill(0);
    }

    /// How often a retrier was used in this visit of the state.
    pub(super) fn retries(&mut self, id: ThreadId, retrier: usize) -> &mut u32 {
        &mut self.retries[id.index() * self.retriers + retrier]
    }
}

/// How a thread begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begins {
    pub(super) doing: Doing,
    pub(super) state: StateId,
    pub(super) index: u32,
    pub(super) way: Way,
    pub(super) now: SimTime,
}

impl std::ops::Index<ThreadId> for Threads {
    type Output = Thread;

    #[inline]
    fn index(&self, id: ThreadId) -> &Thread {
        &self.rows[id]
    }
}

impl std::ops::IndexMut<ThreadId> for Threads {
    #[inline]
    fn index_mut(&mut self, id: ThreadId) -> &mut Thread {
        &mut self.rows[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(index: u32) -> Begins {
        let way = Way::to_execution(0);
        Begins { doing: Doing::Ready(Then::Enter), state: StateId::from_index(0), index, way, now: SimTime::ZERO }
    }

    fn children(threads: &Threads, parent: ThreadId) -> Vec<u32> {
        let first = threads[parent].first_child;
        std::iter::successors(first, |id| threads[*id].next).map(|id| threads[id].index).collect()
    }

    #[test]
    fn records_stay_small() {
        assert_eq!(size_of::<Thread>(), 72);
    }

    #[test]
    fn children_leave_the_list_of_their_parent_from_any_place() {
        for (gone, left) in [(0, [3, 2, 1]), (1, [3, 2, 0]), (2, [3, 1, 0]), (3, [2, 1, 0])] {
            let mut threads = Threads::new(2);
            let execution = ExecutionId::from_index(0);
            let parent = threads.begin(execution, None, begins(0));
            let ids: Vec<_> = (0..4).map(|index| threads.begin(execution, Some(parent), begins(index))).collect();
            threads.unlink(ids[gone]);
            threads.free(ids[gone]);
            assert_eq!(children(&threads, parent), left);
            *threads.retries(ids[3], 1) = 7;
            threads.reset_retries(ids[2]);
            assert_eq!(*threads.retries(ids[3], 1), 7);
        }
    }

    /// Items of one map never share a branch, nor do those of maps in maps.
    #[test]
    fn ways_of_items_differ() {
        let mut branches: Vec<u32> = (0..100)
            .flat_map(|outer| {
                let item = Way::to_execution(0).into(1, 0, 1, (outer, 100));
                (0..100).map(move |inner| item.into(2, 0, 1, (inner, 100)).branch(3, 0))
            })
            .collect();
        branches.sort_unstable();
        branches.dedup();
        assert_eq!(branches.len(), 10_000);
        let retried = Way::to_execution(0).into(1, 0, 2, (0, 100));
        assert_ne!(retried, Way::to_execution(0).into(1, 0, 1, (0, 100)));
    }
}
