//! What happened at the dependencies behind functions (contract, `dependencies.N`).

mod reached;
mod recovery;

use reached::Reached;
use recovery::Recovery;

use super::gauge::Gauge;
use super::histogram::Fine;
use super::series::Recorder;
use super::summary::{DependencySummary, Flow, Named};
use crate::aws::config::System;
use crate::aws::fact::{DependencyFact, Origin};
use crate::aws::ids::{DependencyId, Table};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

/// Counts of all dependencies.
#[derive(Clone, Debug)]
pub(super) struct Dependencies {
    warmup: SimTime,
    table: Table<DependencyId, DependencyStats>,
}

/// Counts of one dependency, of requests whose submission is measured.
#[derive(Clone, Debug)]
struct DependencyStats {
    name: String,
    calls: u64,
    served: u64,
    rejected: u64,
    timed_out: u64,
    abandoned: u64,
    succeeded: u64,
    in_service: Gauge,
    queued: Gauge,
    connections: Gauge,
    wait: Fine,
    latency: Fine,
    /// Submissions of which a request came.
    reached: Reached,
    recovery: Recovery,
    /// Requests that were taken and that left, of all times.
    taken: u64,
    left: u64,
}

impl Dependencies {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let System { dependencies, callers, .. } = &scenario.system;
        let recovery = Recovery::new(scenario.duration);
        let stats = |name: &str| DependencyStats::new(name, scenario.warmup, callers.len(), recovery.clone());
        Self {
            warmup: scenario.warmup,
            table: dependencies.rows().iter().map(|dependency| stats(&dependency.name)).collect(),
        }
    }

    /// Something happened at a dependency.
    #[inline(never)]
    pub(super) fn observe(&mut self, now: SimTime, fact: &DependencyFact) {
        let warmup = self.warmup;
        let counts = |call: &Origin| call.submitted >= warmup;
        match *fact {
            DependencyFact::Arrived { dependency, call, queued, .. } => {
                let measured = counts(&call);
                let stats = &mut self.table[dependency];
                stats.taken += 1;
                stats.queued.set(now, queued);
                stats.came(&call, measured);
            }
            DependencyFact::Rejected { dependency, call, .. } => {
                let measured = counts(&call);
                let stats = &mut self.table[dependency];
                stats.came(&call, measured);
                stats.rejected += u64::from(measured);
                stats.recovery.note(now, true);
            }
            DependencyFact::ServiceStarted { dependency, call, waited, in_service, queued, .. } => {
                let measured = counts(&call);
                let stats = &mut self.table[dependency];
                stats.in_service.set(now, in_service);
                stats.queued.set(now, queued);
                if measured {
                    stats.wait.record(waited);
                }
            }
            DependencyFact::Served { dependency, call, arrived, failed, answered, in_service, .. } => {
                let measured = counts(&call);
                let stats = &mut self.table[dependency];
                stats.left += 1;
                stats.in_service.set(now, in_service);
                if measured && answered {
                    stats.served += 1;
                    stats.succeeded += u64::from(!failed);
                    stats.latency.record(now.since(arrived));
                }
                if answered {
                    stats.recovery.note(now, failed);
                }
            }
            DependencyFact::Abandoned { dependency, call, timed_out, gone, silent, in_service, queued, .. } => {
                let measured = counts(&call);
                let stats = &mut self.table[dependency];
                stats.left += u64::from(gone && !silent);
                stats.in_service.set(now, in_service);
                stats.queued.set(now, queued);
                stats.timed_out += u64::from(measured && timed_out);
                stats.abandoned += u64::from(measured && !timed_out);
                stats.recovery.note(now, true);
            }
            DependencyFact::Connections { dependency, open } => self.table[dependency].connections.set(now, open),
        }
    }

    /// What they come to.
    pub(super) fn summaries(&mut self, ended: SimTime) -> Named<DependencySummary> {
        let measured = ended.saturating_since(self.warmup);
        let rows = self.table.iter_mut();
        rows.map(|(_, stats)| (stats.name.clone(), stats.summary(ended, measured))).collect()
    }

    /// What a time series says.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        for (_, stats) in self.table.iter_mut() {
            to.of("dependencies", &stats.name);
            for (key, total) in [
                ("calls", stats.calls),
                ("served", stats.served),
                ("rejected", stats.rejected),
                ("timed_out", stats.timed_out),
                ("abandoned", stats.abandoned),
            ] {
                to.count(key, total);
            }
            to.gauge("in_service", &mut stats.in_service);
            to.gauge("queued", &mut stats.queued);
            to.gauge("connections", &mut stats.connections);
            to.lengths("wait_ms", Some(&mut stats.wait));
            to.lengths("latency_ms", Some(&mut stats.latency));
            to.ratio("load_factor", (stats.calls, stats.reached.count()));
            to.rate("goodput_per_s", stats.succeeded);
        }
    }

    /// Requests that were taken, of all times.
    pub(super) fn flows(&self) -> Named<Flow> {
        let flow = |stats: &DependencyStats| {
            let inside = u64::from(stats.in_service.level()) + u64::from(stats.queued.level());
            (stats.name.clone(), Flow::new(stats.taken, stats.left, inside))
        };
        self.table.rows().iter().map(flow).collect()
    }
}

impl DependencyStats {
    fn new(name: &str, warmup: SimTime, callers: usize, recovery: Recovery) -> Self {
        Self {
            name: name.to_owned(),
            calls: 0,
            served: 0,
            rejected: 0,
            timed_out: 0,
            abandoned: 0,
            succeeded: 0,
            in_service: Gauge::new(warmup),
            queued: Gauge::new(warmup),
            connections: Gauge::new(warmup),
            wait: Fine::new(),
            latency: Fine::new(),
            reached: Reached::new(callers),
            recovery,
            taken: 0,
            left: 0,
        }
    }

    /// A request came, and was taken or refused.
    fn came(&mut self, call: &Origin, measured: bool) {
        if measured {
            self.calls += 1;
            self.reached.add(call.caller, call.submission);
        }
    }

    fn summary(&mut self, ended: SimTime, measured: SimDuration) -> DependencySummary {
        let ratio = |a: u64, b: f64| if b > 0.0 { Some(a as f64 / b) } else { None };
        let (wait_ms, wait_curve) = self.wait.report();
        let (latency_ms, latency_curve) = self.latency.report();
        DependencySummary {
            calls: self.calls,
            served: self.served,
            rejected: self.rejected,
            timed_out: self.timed_out,
            abandoned: self.abandoned,
            in_service: self.in_service.figures(ended),
            queued: self.queued.figures(ended),
            connections: self.connections.figures(ended),
            wait_ms,
            latency_ms,
            load_factor: ratio(self.calls, self.reached.count() as f64),
            goodput_per_s: ratio(self.succeeded, measured.as_nanos() as f64 / 1e9),
            recovered_at_ms: self.recovery.at_ms(),
            wait_curve,
            latency_curve,
        }
    }
}
