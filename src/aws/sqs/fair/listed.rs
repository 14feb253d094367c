//! Message groups by what is asked of them. A group that is quiet, has little in flight and nothing on a shelf is in no
//! list. Passive.

use std::collections::BTreeSet;

use super::group::{Group, Noise};
use super::shelf::Shelf;
use crate::aws::config;
use crate::aws::ids::GroupId;
use crate::kernel::time::SimTime;

/// Groups, found by what is asked of them.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Quiet ones that have enough messages in flight to become noisy, by how many.
    pub(super) busy: BTreeSet<(u64, GroupId)>,
    /// Quiet ones with a shelf, by the first message on it.
    pub(super) quiet: BTreeSet<(SimTime, GroupId)>,
    /// Noisy ones with a shelf: fewest in flight first, then the one that became noisy first (ESM-1.11.5).
    pub(super) noisy: BTreeSet<(u64, u64, GroupId)>,
    /// Noisy ones with nothing in flight, by since when.
    pub(super) idle: BTreeSet<(SimTime, GroupId)>,
    /// Those with fresh messages on a shelf, by when the first was enqueued: quiet ones and noisy ones.
    pub(super) enqueued: [BTreeSet<(SimTime, GroupId)>; 2],
    /// Fresh messages on all shelves.
    pub(super) fresh: usize,
}

/// What a group is listed under, as far as that holds.
struct Entries {
    in_flight: Option<u64>,
    head: Option<SimTime>,
    since: Option<SimTime>,
    first: Option<SimTime>,
}

impl Entries {
    fn of(group: &Group, config: &config::Queue) -> Self {
        let in_flight = group.levels.in_flight;
        let enough = config.fair.map_or(u64::MAX, |fair| u64::from(fair.in_flight));
        let shelf = group.shelf.as_deref();
        Self {
            in_flight: (group.is_noisy() || in_flight >= enough).then_some(in_flight),
            head: shelf.and_then(|shelf| shelf.head(config.delivery_delay)),
            since: (in_flight == 0).then_some(group.idle_since),
            first: shelf.and_then(Shelf::enqueued),
        }
    }
}

impl Listed {
    /// Lists a group under what it is.
    pub(super) fn offer(&mut self, id: GroupId, group: &Group, config: &config::Queue) {
        let Entries { in_flight, head, since, first } = Entries::of(group, config);
        match group.noise {
            Noise::Quiet => {
                self.busy.extend(in_flight.map(|number| (number, id)));
                self.quiet.extend(head.map(|at| (at, id)));
            }
            Noise::Noisy(number) => {
                let waits = in_flight.filter(|_| head.is_some());
                self.noisy.extend(waits.map(|in_flight| (in_flight, number, id)));
                self.idle.extend(since.map(|at| (at, id)));
            }
        }
        self.enqueued[usize::from(group.is_noisy())].extend(first.map(|at| (at, id)));
    }

    /// Takes it from these lists, before it changes.
    pub(super) fn withdraw(&mut self, id: GroupId, group: &Group, config: &config::Queue) {
        let Entries { in_flight, head, since, first } = Entries::of(group, config);
        match group.noise {
            Noise::Quiet => {
                remove(&mut self.busy, in_flight.map(|number| (number, id)));
                remove(&mut self.quiet, head.map(|at| (at, id)));
            }
            Noise::Noisy(number) => {
                remove(&mut self.noisy, in_flight.map(|in_flight| (in_flight, number, id)));
                remove(&mut self.idle, since.map(|at| (at, id)));
            }
        }
        remove(&mut self.enqueued[usize::from(group.is_noisy())], first.map(|at| (at, id)));
    }
}

fn remove<T: Ord>(list: &mut BTreeSet<T>, entry: Option<T>) {
    if let Some(entry) = entry {
        list.remove(&entry);
    }
}
