//! A scenario file becomes a [`Scenario`]: YAML in, typed values out, all problems at once. No simulation.

use crate::aws::config::System;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// A scenario, resolved: every default filled in, every name bound, every limit checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `name`: also the folder of its results.
    pub name: String,
    /// `description`, for the report.
    pub description: Option<String>,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// The `--set` overrides as they were given.
    pub overrides: Vec<String>,
    /// `seed`.
    pub seed: u64,
    /// `duration`: callers submit during [0, duration).
    pub duration: SimTime,
    /// `warmup`: what was submitted before is not measured.
    pub warmup: SimTime,
    /// `drain`.
    pub drain: Drain,
    /// `model.event_budget`.
    pub event_budget: u64,
    /// `prices`.
    pub prices: PriceOptions,
    /// Everything that is simulated.
    pub system: System,
    /// `expect`, in file order.
    pub expectations: Vec<String>,
}

/// What happens after `duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Until everything has its fate.
    Settle,
    /// At most this long.
    AtMost(SimDuration),
}

/// How the bill is made (INV-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceOptions {
    /// The monthly free tier is taken off.
    pub free_tier: bool,
    /// Compute Savings Plan: share taken off duration and provisioned concurrency.
    pub savings_plan: Ratio,
    /// INV-E19: Init is billed (since August 2025).
    pub init_billed: bool,
    /// INV-D14: a failed or cut Init is billed.
    pub failed_init_billed: bool,
}
