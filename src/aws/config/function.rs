//! Functions and their execution environments.

use std::sync::Arc;

use super::{Asynchronous, CallStep, RecursiveLoop};
use crate::aws::ids::{CallerId, ErrorId};
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// A function and its execution environments.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Memory in MB as Lambda counts them (2^20 bytes).
    pub memory_mb: u32,
    /// Cost only.
    pub architecture: Architecture,
    /// INV-E20, cost only.
    pub ephemeral_storage_mb: u32,
    /// INV-E5: limit of the Invoke phase.
    pub timeout: SimDuration,
    /// Time of one run of the handler.
    pub duration: Distribution,
    /// Added for each record of a batch.
    pub duration_per_record: Distribution,
    /// INV-E1: time of the Init phase.
    pub init: Distribution,
    /// INV-E2: limit of an on-demand Init phase.
    pub init_limit: SimDuration,
    /// INV-E4: causes judged at each Init.
    pub init_failures: Vec<Failure>,
    /// INV-D13: platform's part of a cold start, before Init.
    pub platform_start: Distribution,
    /// INV-E18: restore time of a snapshot, in the place of Init.
    pub snapstart: Option<Distribution>,
    /// INV-E12: how long an idle environment is kept.
    pub idle_timeout: Distribution,
    /// INV-E13: age at which an environment is retired when it next becomes idle.
    pub maximum_environment_age: Option<SimDuration>,
    /// INV-E11: which idle environment serves next.
    pub warm_selection: WarmSelection,
    /// INV-E9: extensions hold the environment after the reply.
    pub extension_tail: SimDuration,
    /// INV-E16: `duration` is meant for 1,769 MB; with less memory the handler takes longer.
    pub cpu_scaling: bool,
    /// INV-C3.
    pub reserved_concurrency: Option<u32>,
    /// INV-P1..P14.
    pub provisioned_concurrency: ProvisionedConcurrency,
    /// Independent causes of failure; the first that applies decides how the run fails.
    pub failures: Vec<Failure>,
    /// What a run calls after its own `duration`, step by step.
    pub calls: Arc<[CallStep]>,
    /// INV-Y2: size of the answer, bytes.
    pub response_bytes: Distribution,
    /// INV-5.7: whether a loop through this function is stopped.
    pub recursive_loop: RecursiveLoop,
    /// INV-Q1..Q17, O1..O6.
    pub asynchronous: Asynchronous,
}

/// Instruction set of a function; decides its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm (Graviton).
    Arm64,
}

/// Which idle environment serves the next request (INV-E11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmSelection {
    /// The most recently used.
    Mru,
    /// The least recently used.
    Lru,
    /// The one created first.
    Fifo,
    /// Any, with equal probability.
    Random,
}

/// Provisioned concurrency of a function (INV-P1..P14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedConcurrency {
    /// Units ready at the start of the run.
    pub initial: u32,
    /// INV-P13: units requested at given moments, in order of time.
    pub schedule: Vec<(SimTime, u32)>,
    /// INV-P7..P12: target tracking.
    pub tracking: Option<TargetTracking>,
    /// INV-P1: preparation before the first unit is allocated.
    pub preparation: SimDuration,
    /// INV-P2: units allocated a minute.
    pub per_minute: u32,
}

/// Target tracking of provisioned concurrency (INV-P7..P12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetTracking {
    /// Fewest units.
    pub min: u32,
    /// Most units.
    pub max: u32,
    /// Utilization aimed at.
    pub target: Ratio,
    /// Minutes above the target before scaling out.
    pub scale_out_datapoints: u32,
    /// Minutes below nine tenths of the target before scaling in.
    pub scale_in_datapoints: u32,
    /// Largest share of the current units given back at once.
    pub scale_in_step: Ratio,
}

/// One independent cause of failure. All conditions that are set must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Judged once a run.
    pub probability: Option<Ratio>,
    /// A property of the event: judged once, holds at every attempt.
    pub poison: Option<Ratio>,
    /// The event's first attempts.
    pub first_attempts: Option<u32>,
    /// These attempts of the event; empty means any. 1 is the first.
    pub attempts: Vec<u32>,
    /// These submissions only; empty means any.
    pub events: Vec<EventSelector>,
    /// Runs that start at or after this moment.
    pub from: Option<SimTime>,
    /// Runs that start before this moment.
    pub until: Option<SimTime>,
    /// Runs that start while more than this many executions of the function are in flight, the run itself included.
    pub above_concurrency: Option<u32>,
    /// How the run fails.
    pub kind: FailureKind,
    /// The error's name, for those who retry by name.
    pub error: Option<ErrorId>,
    /// Share of the drawn duration that is used up when an error or a crash strikes.
    pub after: Ratio,
}

/// Names submissions of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSelector {
    /// This caller's only; `None` is every caller's.
    pub caller: Option<CallerId>,
    /// Submission number, 1 = first.
    pub number: u64,
}

/// How a run fails (INV-E6..E8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The handler raises: the environment stays warm.
    Error,
    /// The run hangs until the function's time-out: the environment is reset.
    Timeout,
    /// The process dies: the environment is reset.
    Crash,
    /// ESM-1.4: the answer that should name the failed records cannot be read, so the whole batch failed.
    BadBatchResponse,
}
