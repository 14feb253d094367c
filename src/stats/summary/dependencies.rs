//! Dependencies, in the summary.

use serde::Serialize;

use crate::stats::curve::Curve;
use crate::stats::gauge::GaugeFigures;
use crate::stats::histogram::Figures;

/// One dependency. Counts are of requests whose submission is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DependencySummary {
    /// Requests that came, refused ones too: each attempt of each call.
    pub calls: u64,
    /// Requests that were answered to somebody who waited.
    pub served: u64,
    /// Requests that were refused.
    pub rejected: u64,
    /// Requests whose client gave up by its time-out.
    pub timed_out: u64,
    /// Requests whose run ended before they were answered.
    pub abandoned: u64,
    /// Requests in service.
    pub in_service: GaugeFigures<u64>,
    /// Requests that wait.
    pub queued: GaugeFigures<u64>,
    /// Connections that are open.
    pub connections: GaugeFigures<u64>,
    /// From the arrival of each request to its service.
    pub wait_ms: Figures<f64>,
    /// From the arrival of each request that was answered to its answer.
    pub latency_ms: Figures<f64>,
    /// Requests for each submission of a caller that reached it.
    pub load_factor: Option<f64>,
    /// Requests a second that succeeded and were waited for.
    pub goodput_per_s: Option<f64>,
    /// When the last trouble was over: more than 5 % of the requests that ended in a hundredth of the time in which callers
    /// submit were refused, failed or given up. 0 where there was none, nothing where it lasts into the last tenth.
    pub recovered_at_ms: Option<f64>,
    /// For `latency.csv`.
    #[serde(skip)]
    pub wait_curve: Curve,
    /// For `latency.csv`.
    #[serde(skip)]
    pub latency_curve: Curve,
}
