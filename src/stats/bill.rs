//! What one function is billed for: milliseconds by memory size and kind of capacity, kept as integers.
//!
//! A function's memory, architecture and storage may change while it runs; a run is billed by the settings at its start.

use super::provisioned::Paid;
use crate::aws::config::{Architecture, Function};
use crate::aws::fact::Capacity;
use crate::aws::ids::FunctionId;
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

/// Use of the architectures, x86 first.
pub(super) type PerArchitecture = [u128; 2];

/// All that one function is billed for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Runs.
    pub(super) requests: u64,
    /// MB x ms of runs on demand.
    pub(super) on_demand: PerArchitecture,
    /// MB x ms of runs, and of Inits, on provisioned units.
    pub(super) provisioned: PerArchitecture,
    /// MB x ns of provisioned units, used or not.
    pub(super) standing: PerArchitecture,
    /// MB x ms of ephemeral storage above what is free.
    pub(super) storage: u128,
    /// Runs at the edge, of all, and their MB x ms.
    pub(super) edge_requests: u64,
    pub(super) edge: u128,
}

/// Ephemeral storage that costs nothing, MB (INV-7).
const STORAGE_FREE_MB: u32 = 512;

/// Billed milliseconds of one function.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    first: Period,
    /// Later settings, in order of time.
    later: Vec<Period>,
    standing: PerArchitecture,
    edge_requests: u64,
}

/// Billed milliseconds under the same settings.
#[derive(Clone, Copy, Debug)]
struct Period {
    from: SimTime,
    memory_mb: u32,
    architecture: Architecture,
    storage_mb: u32,
    on_demand_ms: u64,
    provisioned_ms: u64,
    edge_ms: u64,
}

impl Bill {
    pub(super) fn new(scenario: &Scenario, id: FunctionId) -> Self {
        let system = &scenario.system;
        let mut changes: Vec<_> = system.changes.iter().collect();
        changes.sort_by_key(|change| change.at);
        let settings = changes.into_iter().filter_map(|change| {
            let (_, settings) = change.action.function().filter(|(of, _)| *of == id)?;
            Some((change.at, settings))
        });
        let mut bill = Self {
            first: Period::new(SimTime::ZERO, &system.functions[id]),
            later: Vec::new(),
            standing: PerArchitecture::default(),
            edge_requests: 0,
        };
        for (at, settings) in settings {
            let next = Period::new(at, settings);
            let last = bill.later.last_mut().unwrap_or(&mut bill.first);
            if last.from == at {
                *last = next;
            } else if !last.costs_as(&next) {
                bill.later.push(next);
            }
        }
        bill
    }

    /// A run that started at `started` is billed `milliseconds`.
    #[inline(always)]
    pub(super) fn run(&mut self, started: SimTime, milliseconds: u64, capacity: Capacity) {
        let period = if self.later.is_empty() { &mut self.first } else { self.at(started) };
        match capacity {
            Capacity::Provisioned => period.provisioned_ms += milliseconds,
            Capacity::Spillover | Capacity::Reserved | Capacity::Unreserved | Capacity::ReservedSpillover => {
                period.on_demand_ms += milliseconds;
            }
            Capacity::Edge => period.edge_ms += milliseconds,
        }
    }

    /// A run at the edge began.
    #[cold]
    pub(super) fn edge_request(&mut self) {
        self.edge_requests += 1;
    }

    #[cold]
    fn at(&mut self, moment: SimTime) -> &mut Period {
        let place = self.later.partition_point(|period| period.from <= moment);
        if place == 0 { &mut self.first } else { &mut self.later[place - 1] }
    }

    /// Provisioned units stood ready, used or not.
    pub(super) fn stood(&mut self, paid: Paid) {
        let periods = std::iter::once(&self.first).chain(&self.later);
        let ends = self.later.iter().map(|period| period.from).chain([SimTime::MAX]);
        for (period, end) in periods.zip(ends) {
            let length = paid.until.min(end).saturating_since(paid.since.max(period.from)).as_nanos();
            self.standing[period.architecture as usize] +=
                u128::from(length) * u128::from(paid.units) * u128::from(period.memory_mb);
        }
    }

    /// All milliseconds billed.
    pub(super) fn milliseconds(&self) -> u64 {
        let periods = std::iter::once(&self.first).chain(&self.later);
        periods.map(|period| period.on_demand_ms + period.provisioned_ms + period.edge_ms).sum()
    }

    /// All of it, for `requests` runs.
    pub(super) fn usage(&self, requests: u64) -> Usage {
        let edge_requests = self.edge_requests;
        let mut usage = Usage { requests, standing: self.standing, edge_requests, ..Usage::default() };
        for period in std::iter::once(&self.first).chain(&self.later) {
            let (memory, place) = (u128::from(period.memory_mb), period.architecture as usize);
            usage.on_demand[place] += u128::from(period.on_demand_ms) * memory;
            usage.provisioned[place] += u128::from(period.provisioned_ms) * memory;
            usage.edge += u128::from(period.edge_ms) * memory;
            let storage = u128::from(period.storage_mb.saturating_sub(STORAGE_FREE_MB));
            usage.storage += storage * (u128::from(period.on_demand_ms) + u128::from(period.provisioned_ms));
        }
        usage
    }
}

impl Period {
    const fn new(from: SimTime, settings: &Function) -> Self {
        Self {
            from,
            memory_mb: settings.memory_mb,
            architecture: settings.architecture,
            storage_mb: settings.ephemeral_storage_mb,
            on_demand_ms: 0,
            provisioned_ms: 0,
            edge_ms: 0,
        }
    }

    fn costs_as(&self, other: &Self) -> bool {
        self.memory_mb == other.memory_mb
            && self.architecture == other.architecture
            && self.storage_mb == other.storage_mb
    }
}
