//! State machines in the summary.

use serde::Serialize;

use super::Named;
use crate::stats::curve::Curve;
use crate::stats::histogram::Figures;

/// One state machine (INV-4.5). Counts are of executions submitted at or after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateMachineSummary {
    /// Executions that began.
    pub executions: u64,
    /// Executions that ended with `SUCCEEDED`.
    pub succeeded: u64,
    /// Executions that ended with `FAILED`.
    pub failed: u64,
    /// Executions that ended with `TIMED_OUT`.
    pub timed_out: u64,
    /// State transitions: states that were entered, retries, and items of distributed maps.
    pub transitions: u64,
    /// Transitions that waited, as there were too many in a second.
    pub delayed_transitions: u64,
    /// Transitions that were retries.
    pub retries: u64,
    /// Start to end of every execution that ended.
    pub duration_ms: Figures<f64>,
    /// Its whole curve, for `latency.csv`.
    #[serde(skip)]
    pub duration_curve: Curve,
    /// For the text report: executions that did not succeed by error, most first.
    #[serde(skip)]
    pub errors: Named<u64>,
}

impl StateMachineSummary {
    /// Executions that have not ended.
    pub const fn open(&self) -> u64 {
        self.executions - self.succeeded - self.failed - self.timed_out
    }
}
