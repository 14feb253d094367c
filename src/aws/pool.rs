//! The idle on-demand environments of one function: which one serves next, and which has waited too long (INV-E11, E12).
//!
//! Passive. The end of an idle environment is no event: it is noticed, with its exact moment, when the function is
//! next looked at. Newest-first and oldest-first choice with one idle limit for all need only a double-ended queue,
//! as its front is always the next to go; other choices and drawn limits keep two ordered indexes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::config::WarmSelection;
use super::environment::{Environments, Place, State};
use super::ids::EnvironmentId;
use crate::kernel::rng::{StreamKey, below};
use crate::kernel::time::SimTime;

/// The idle environments of one function.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    selection: WarmSelection,
    idle: Idle,
    /// Draws of the random choice.
    key: StreamKey,
    choices: u64,
    /// Environments that became idle so far.
    arrivals: u64,
}

#[derive(Clone, Debug)]
enum Idle {
    /// In order of idle time; deadlines rise from front to back.
    Queue(VecDeque<(EnvironmentId, SimTime)>),
    /// Any order of choice, any deadlines.
    Indexed { deadlines: BTreeSet<(SimTime, EnvironmentId)>, order: Order },
}

#[derive(Clone, Debug)]
enum Order {
    /// Chosen from either end.
    Keyed(BTreeMap<u64, EnvironmentId>),
    /// Chosen by chance.
    Unordered(Vec<EnvironmentId>),
}

impl Pool {
    /// An empty pool. `one_limit` says that every environment has the same idle limit.
    pub(crate) fn new(selection: WarmSelection, one_limit: bool, key: StreamKey) -> Self {
        Self { selection, idle: Idle::new(selection, one_limit), key, choices: 0, arrivals: 0 }
    }

    /// Other settings; deadlines of those already idle stay, so the order of the deadlines is lost.
    pub(crate) fn reconfigure(&mut self, selection: WarmSelection, environments: &mut Environments) {
        let idle = self.drain();
        self.selection = selection;
        self.idle = Idle::new(selection, false);
        for (id, deadline) in idle {
            self.add(id, deadline, environments);
        }
    }

    /// An environment became idle; it is given up at `deadline`.
    #[inline]
    pub(crate) fn add(&mut self, id: EnvironmentId, deadline: SimTime, environments: &mut Environments) {
        match &mut self.idle {
            Idle::Queue(queue) => {
                environments[id].state = State::Idle(Place { deadline, key: 0 });
                queue.push_back((id, deadline));
            }
            Idle::Indexed { .. } => self.add_indexed(id, deadline, environments),
        }
    }

    #[inline(never)]
    fn add_indexed(&mut self, id: EnvironmentId, deadline: SimTime, environments: &mut Environments) {
        let Idle::Indexed { deadlines, order } = &mut self.idle else { unreachable!("the caller matched an index") };
        self.arrivals += 1;
        let key = match order {
            Order::Keyed(_) if self.selection == WarmSelection::Fifo => u64::from(environments[id].number),
            Order::Keyed(_) => self.arrivals,
            Order::Unordered(ids) => ids.len() as u64,
        };
        deadlines.insert((deadline, id));
        match order {
            Order::Keyed(ids) => {
                ids.insert(key, id);
            }
            Order::Unordered(ids) => ids.push(id),
        }
        environments[id].state = State::Idle(Place { deadline, key });
    }

    /// Whether an environment is idle. Call [`Pool::expire`] first.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        match &self.idle {
            Idle::Queue(queue) => queue.is_empty(),
            Idle::Indexed { deadlines, .. } => deadlines.is_empty(),
        }
    }

    /// Takes the environment that serves next. Call [`Pool::expire`] first.
    #[inline]
    pub(crate) fn choose(&mut self, environments: &mut Environments) -> Option<EnvironmentId> {
        match &mut self.idle {
            Idle::Queue(queue) if self.selection == WarmSelection::Mru => queue.pop_back(),
            Idle::Queue(queue) => queue.pop_front(),
            Idle::Indexed { .. } => self.choose_indexed(environments),
        }
        .map(|(id, _)| id)
    }

    #[inline(never)]
    fn choose_indexed(&mut self, environments: &mut Environments) -> Option<(EnvironmentId, SimTime)> {
        let Idle::Indexed { deadlines, order } = &mut self.idle else { unreachable!("the caller matched an index") };
        let id = match order {
            Order::Keyed(ids) if self.selection == WarmSelection::Mru => ids.pop_last()?.1,
            Order::Keyed(ids) => ids.pop_first()?.1,
            Order::Unordered(ids) if ids.is_empty() => return None,
            Order::Unordered(ids) => {
                let word = self.key.word(self.choices);
                self.choices += 1;
                #[allow(clippy::cast_possible_truncation, reason = "below the number of environments")]
                let position = below(word, ids.len() as u64) as usize;
                remove_unordered(ids, position, environments)
            }
        };
        let State::Idle(Place { deadline, .. }) = environments[id].state else { unreachable!("{id:?} is not idle") };
        deadlines.remove(&(deadline, id));
        Some((id, deadline))
    }

    /// Takes an environment whose deadline is before `now`, and that deadline; earliest first.
    #[inline]
    pub(crate) fn expire(&mut self, now: SimTime, environments: &mut Environments) -> Option<(EnvironmentId, SimTime)> {
        match &mut self.idle {
            Idle::Queue(queue) => match queue.front() {
                Some(&(_, deadline)) if deadline < now => queue.pop_front(),
                _ => None,
            },
            Idle::Indexed { .. } => self.expire_indexed(now, environments),
        }
    }

    #[inline(never)]
    fn expire_indexed(&mut self, now: SimTime, environments: &mut Environments) -> Option<(EnvironmentId, SimTime)> {
        let Idle::Indexed { deadlines, order } = &mut self.idle else { unreachable!("the caller matched an index") };
        let (deadline, id) = deadlines.first().copied().filter(|(deadline, _)| *deadline < now)?;
        deadlines.pop_first();
        let State::Idle(Place { key, .. }) = environments[id].state else { unreachable!("{id:?} is not idle") };
        match order {
            Order::Keyed(ids) => {
                ids.remove(&key);
            }
            Order::Unordered(ids) => {
                #[allow(clippy::cast_possible_truncation, reason = "a position in a vector")]
                remove_unordered(ids, key as usize, environments);
            }
        }
        Some((id, deadline))
    }

    /// Empties the pool, in order of deadlines.
    pub(crate) fn drain(&mut self) -> Vec<(EnvironmentId, SimTime)> {
        match &mut self.idle {
            Idle::Queue(queue) => queue.drain(..).collect(),
            Idle::Indexed { deadlines, order } => {
                match order {
                    Order::Keyed(ids) => ids.clear(),
                    Order::Unordered(ids) => ids.clear(),
                }
                std::mem::take(deadlines).into_iter().map(|(deadline, id)| (id, deadline)).collect()
            }
        }
    }
}

impl Idle {
    fn new(selection: WarmSelection, one_limit: bool) -> Self {
        let order = match selection {
            WarmSelection::Mru | WarmSelection::Lru if one_limit => return Self::Queue(VecDeque::new()),
            WarmSelection::Mru | WarmSelection::Lru | WarmSelection::Fifo => Order::Keyed(BTreeMap::new()),
            WarmSelection::Random => Order::Unordered(Vec::new()),
        };
        Self::Indexed { deadlines: BTreeSet::new(), order }
    }
}

/// Removes the environment at `position`; the last one moves there.
fn remove_unordered(ids: &mut Vec<EnvironmentId>, position: usize, environments: &mut Environments) -> EnvironmentId {
    let id = ids.swap_remove(position);
    if let Some(&moved) = ids.get(position)
        && let State::Idle(place) = &mut environments[moved].state
    {
        place.key = position as u64;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::{FunctionId, Id};
    use crate::kernel::rng::RandomStreams;

    fn filled(
        selection: WarmSelection,
        deadlines: &[u64],
        one_limit: bool,
    ) -> (Pool, Environments, Vec<EnvironmentId>) {
        let mut environments = Environments::default();
        let mut pool = Pool::new(selection, one_limit, RandomStreams::new(1).key(&["pool"]));
        let create = |_| environments.create(SimTime::ZERO, FunctionId::from_index(0), false, State::Recovering);
        let mut ids: Vec<_> = (0..deadlines.len()).map(create).collect();
        // They become idle in another order than they were created in.
        ids.rotate_left(1);
        for (id, deadline) in ids.iter().zip(deadlines) {
            pool.add(*id, SimTime::from_nanos(*deadline), &mut environments);
        }
        (pool, environments, ids)
    }

    /// INV-E11: the choice by each rule, with and without the shortcut of the queue.
    #[test]
    fn e11_the_next_environment_by_each_rule() {
        for one_limit in [true, false] {
            for (selection, expected) in [
                (WarmSelection::Mru, [2, 1, 0]),
                (WarmSelection::Lru, [0, 1, 2]),
                // Created first: the last to become idle.
                (WarmSelection::Fifo, [2, 0, 1]),
            ] {
                let (mut pool, mut environments, ids) = filled(selection, &[10, 20, 30], one_limit);
                let chosen: Vec<_> = std::iter::from_fn(|| pool.choose(&mut environments)).collect();
                assert_eq!(chosen, expected.map(|index| ids[index]), "{selection:?}");
            }
        }
    }

    #[test]
    fn e11_random_choice_is_uniform() {
        let mut counts = [0u32; 4];
        let (mut pool, mut environments, ids) = filled(WarmSelection::Random, &[9; 4], false);
        for _ in 0..4_000 {
            let id = pool.choose(&mut environments).unwrap();
            counts[ids.iter().position(|other| *other == id).unwrap()] += 1;
            pool.add(id, SimTime::from_nanos(9), &mut environments);
        }
        // Binomial with mean 1,000 and standard deviation 27: five of them on either side.
        assert!(counts.iter().all(|count| (863..1_137).contains(count)), "{counts:?}");
    }

    /// INV-E12: an environment lives up to and including its deadline, in every kind of pool.
    #[test]
    fn e12_environments_go_in_order_of_their_deadlines() {
        for selection in [WarmSelection::Mru, WarmSelection::Lru, WarmSelection::Fifo, WarmSelection::Random] {
            let (mut pool, mut environments, ids) = filled(selection, &[30, 10, 20], false);
            let mut expired_by = |now| pool.expire(SimTime::from_nanos(now), &mut environments).map(|(id, _)| id);
            assert_eq!(expired_by(10), None, "{selection:?}");
            assert_eq!(expired_by(11), Some(ids[1]), "{selection:?}");
            assert_eq!(expired_by(11), None, "{selection:?}");
            assert_eq!(expired_by(31), Some(ids[2]), "{selection:?}");
            assert_eq!(expired_by(31), Some(ids[0]), "{selection:?}");
            assert!(pool.is_empty(), "{selection:?}");
        }
    }

    #[test]
    fn other_settings_keep_those_who_are_idle() {
        let (mut pool, mut environments, ids) = filled(WarmSelection::Mru, &[10, 20, 30], true);
        pool.reconfigure(WarmSelection::Lru, &mut environments);
        assert_eq!(pool.choose(&mut environments), Some(ids[0]));
        pool.add(ids[0], SimTime::from_nanos(5), &mut environments);
        assert_eq!(pool.expire(SimTime::from_nanos(6), &mut environments), Some((ids[0], SimTime::from_nanos(5))));
    }
}
