//! Arrival processes: when an open loop submits.

use std::sync::Arc;

use super::dist::Distribution;
use super::quantity::Rate;
use super::time::{SimDuration, SimTime};

/// When an open loop submits.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalProcess {
    /// Memoryless.
    Poisson {
        /// How many in a time.
        rate: Rate,
    },
    /// Evenly spaced, the first at 0.
    Constant {
        /// How many in a time.
        rate: Rate,
    },
    /// At these moments, in order.
    At(Arc<[SimTime]>),
    /// Many at once.
    Burst {
        /// How many at once.
        size: u64,
        /// The first time.
        at: SimTime,
        /// From one to the next.
        every: SimDuration,
        /// How many bursts.
        times: u64,
    },
    /// A rate that changes.
    Profile {
        /// The rate at given moments.
        points: Arc<[RatePoint]>,
        /// What it is in between.
        shape: ProfileShape,
        /// How regular.
        process: Regularity,
    },
    /// A sine over the day.
    Daily {
        /// Mean over the day.
        mean: Rate,
        /// Largest.
        peak: Rate,
        /// Time of day of the peak.
        peak_at: SimDuration,
        /// How regular.
        process: Regularity,
    },
    /// Bursts of random length.
    OnOff {
        /// Length of a busy phase.
        on: Distribution,
        /// Length of a quiet phase.
        off: Distribution,
        /// Rate while busy.
        rate: Rate,
    },
    /// So many in each interval.
    Counts {
        /// Arrivals in each interval.
        counts: Arc<[u64]>,
        /// The interval.
        every: SimDuration,
    },
}

/// A rate at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePoint {
    /// When.
    pub at: SimTime,
    /// The rate then.
    pub rate: Rate,
}

/// What a profile does between its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileShape {
    /// Straight lines.
    Linear,
    /// The rate of the last point.
    Step,
}

/// How regular arrivals are at a given rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regularity {
    /// Memoryless.
    Poisson,
    /// Evenly spaced.
    Constant,
}
