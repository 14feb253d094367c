//! Executions of state machines: which fact counts where (contract, `state_machines.N`).

use super::cost::MachineUsage;
use super::histogram::Fine;
use super::series::Recorder;
use super::summary::{Flow, Named, StateMachineSummary};
use crate::aws::config::{ErrorName, StateMachineKind, System};
use crate::aws::fact::{ExecutionFact, ExecutionStatus, TransitionCause};
use crate::aws::ids::{ErrorId, StateMachineId, Table};
use crate::kernel::time::{SimDuration, SimTime};

/// Counts of all state machines.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    warmup: SimTime,
    machines: Table<StateMachineId, MachineStats>,
    errors: Table<ErrorId, String>,
}

/// Counts of one machine. Those without a word to the contrary are of executions submitted at or after the warm-up.
#[derive(Clone, Debug)]
struct MachineStats {
    name: String,
    express: bool,
    executions: u64,
    succeeded: u64,
    failed: u64,
    timed_out: u64,
    transitions: u64,
    delayed: u64,
    retries: u64,
    duration: Fine,
    /// Executions that failed or timed out, by error.
    errors: Vec<(ErrorName, u64)>,
    /// Time of executions that ended, each in whole 100 ms.
    billed_ms: u128,
    /// Executions of all times.
    started: u64,
    ended: u64,
    open: u64,
}

/// The time of express executions is billed in such steps.
const BILLED_STEP_NS: u64 = 100_000_000;

impl Executions {
    pub(super) fn new(system: &System, warmup: SimTime) -> Self {
        let machine = |machine: &crate::aws::config::StateMachine| {
            MachineStats::new(&machine.name, machine.kind == StateMachineKind::Express)
        };
        Self {
            warmup,
            machines: system.state_machines.rows().iter().map(machine).collect(),
            errors: system.errors.clone(),
        }
    }

    /// Something happened in an execution.
    pub(super) fn execution(&mut self, now: SimTime, fact: &ExecutionFact) {
        let (machine, origin) = fact.about();
        let measured = origin.submitted >= self.warmup;
        let stats = &mut self.machines[machine];
        match *fact {
            ExecutionFact::Started { .. } => {
                stats.started += 1;
                stats.open += 1;
                stats.executions += u64::from(measured);
            }
            ExecutionFact::Ended { status, error, started, .. } => {
                stats.ended += 1;
                stats.open = stats.open.saturating_sub(1);
                if measured {
                    stats.end(status, error, now.since(started));
                }
            }
            ExecutionFact::Transition { cause, .. } if measured => {
                stats.transitions += 1;
                stats.retries += u64::from(matches!(cause, TransitionCause::Retried(_)));
            }
            ExecutionFact::TransitionDelayed { .. } if measured => stats.delayed += 1,
            ExecutionFact::Transition { .. }
            | ExecutionFact::TransitionDelayed { .. }
            | ExecutionFact::TaskSubmitted { .. }
            | ExecutionFact::TaskSucceeded { .. }
            | ExecutionFact::TaskStopped { .. }
            | ExecutionFact::StateFailed { .. }
            | ExecutionFact::RetryScheduled { .. }
            | ExecutionFact::Caught { .. } => {}
        }
    }

    /// What they come to.
    pub(super) fn summaries(&mut self) -> Named<StateMachineSummary> {
        let Self { machines, errors, .. } = self;
        machines.iter_mut().map(|(_, stats)| (stats.name.clone(), stats.summary(errors))).collect()
    }

    /// What a time series says.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        for (_, stats) in self.machines.iter_mut() {
            to.of("state_machines", &stats.name);
            for (key, total) in [
                ("executions", stats.executions),
                ("succeeded", stats.succeeded),
                ("failed", stats.failed),
                ("timed_out", stats.timed_out),
                ("transitions", stats.transitions),
                ("delayed_transitions", stats.delayed),
                ("retries", stats.retries),
            ] {
                to.count(key, total);
            }
            to.lengths("duration_ms", Some(&mut stats.duration));
        }
    }

    /// Everything that began, the warm-up included.
    pub(super) fn flows(&self) -> Named<Flow> {
        let flow = |stats: &MachineStats| Flow::new(stats.started, stats.ended, stats.open);
        self.machines.rows().iter().map(|stats| (stats.name.clone(), flow(stats))).collect()
    }

    /// What they are billed for.
    pub(super) fn usage(&self) -> Vec<(String, MachineUsage)> {
        let usage = |stats: &MachineStats| {
            if stats.express {
                MachineUsage::Express { requests: stats.executions, billed_ms: stats.billed_ms }
            } else {
                MachineUsage::Standard { transitions: stats.transitions }
            }
        };
        self.machines.rows().iter().map(|stats| (stats.name.clone(), usage(stats))).collect()
    }
}

impl MachineStats {
    fn new(name: &str, express: bool) -> Self {
        Self {
            name: name.to_owned(),
            express,
            executions: 0,
            succeeded: 0,
            failed: 0,
            timed_out: 0,
            transitions: 0,
            delayed: 0,
            retries: 0,
            duration: Fine::new(),
            errors: Vec::new(),
            billed_ms: 0,
            started: 0,
            ended: 0,
            open: 0,
        }
    }

    /// An execution of the measured time ended.
    fn end(&mut self, status: ExecutionStatus, error: Option<ErrorName>, duration: SimDuration) {
        match status {
            ExecutionStatus::Succeeded => self.succeeded += 1,
            ExecutionStatus::Failed => self.failed += 1,
            ExecutionStatus::TimedOut => self.timed_out += 1,
        }
        self.duration.record(duration);
        self.billed_ms += u128::from(duration.as_nanos().div_ceil(BILLED_STEP_NS)) * 100;
        let Some(error) = error else { return };
        match self.errors.iter_mut().find(|(known, _)| *known == error) {
            Some((_, count)) => *count += 1,
            None => self.errors.push((error, 1)),
        }
    }

    fn summary(&mut self, names: &Table<ErrorId, String>) -> StateMachineSummary {
        let mut errors: Vec<(String, u64)> =
            self.errors.iter().map(|(error, count)| (error.shown(names).to_owned(), *count)).collect();
        errors.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let (duration_ms, duration_curve) = self.duration.report();
        StateMachineSummary {
            executions: self.executions,
            succeeded: self.succeeded,
            failed: self.failed,
            timed_out: self.timed_out,
            transitions: self.transitions,
            delayed_transitions: self.delayed,
            retries: self.retries,
            duration_ms,
            duration_curve,
            errors: Named(errors),
        }
    }
}
