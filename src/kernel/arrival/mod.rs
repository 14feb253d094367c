//! Arrival processes: when an open loop submits.

use std::sync::Arc;

use super::dist::{Distribution, ParameterError};
use super::quantity::Rate;
use super::rng::Stream;
use super::time::{SimDuration, SimTime};

/// When an open loop submits.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalProcess {
    /// Independent arrivals at a steady rate.
    Poisson {
        /// How many on average.
        rate: Rate,
    },
    /// Evenly spaced arrivals: the n-th, counted from 0, at floor(n x per / events).
    Constant {
        /// How many.
        rate: Rate,
    },
    /// At these moments, in order; a moment may repeat. Traces too.
    At(Arc<[SimTime]>),
    /// Many at once.
    Burst {
        /// Arrivals of one burst.
        size: u64,
        /// The first burst.
        at: SimTime,
        /// From burst to burst.
        every: SimDuration,
        /// How many bursts.
        times: u64,
    },
    /// A rate that changes over time.
    ///
    /// The first and the last rate hold outside the points.
    Profile {
        /// The rate at some moments, in order.
        points: Arc<[RatePoint]>,
        /// The rate between the points.
        shape: ProfileShape,
        /// Random or even.
        process: Regularity,
    },
    /// A rate that swings as a cosine with the time of day; a run starts at midnight.
    ///
    /// The rate is mean + (peak - mean) x cos(2 pi (t - `peak_at`) / 24 h).
    Daily {
        /// The mean over a day.
        mean: Rate,
        /// The highest rate: from `mean` to twice that.
        peak: Rate,
        /// The time of day with the highest rate.
        peak_at: SimDuration,
        /// Random or even.
        process: Regularity,
    },
    /// Periods with arrivals and periods without, in turn, starting with arrivals.
    OnOff {
        /// How long arrivals last.
        on: Distribution,
        /// How long the pauses last.
        off: Distribution,
        /// The rate of the Poisson process in the periods with arrivals.
        rate: Rate,
    },
    /// So many arrivals in each interval, at independent uniform moments inside it.
    Counts {
        /// Arrivals of each interval.
        counts: Arc<[u64]>,
        /// The length of an interval.
        every: SimDuration,
    },
}

/// The rate of a profile at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePoint {
    /// The moment.
    pub at: SimTime,
    /// The rate there.
    pub rate: Rate,
}

/// What a profile does between its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileShape {
    /// The rate moves in a straight line to the next point.
    Linear,
    /// The rate stays until the next point.
    Step,
}

/// How arrivals follow a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regularity {
    /// A Poisson process: independent arrivals.
    Poisson,
    /// Evenly: the n-th arrival, counted from 0, is where the cumulative rate passes n.
    Constant,
}

impl ArrivalProcess {
    /// Whether the parameters are legal.
    ///
    /// # Errors
    /// The first parameter that is not.
    pub fn check(&self) -> Result<(), ParameterError> {
        Ok(())
    }
}

/// The arrivals of a process, one after the other.
#[derive(Clone, Debug)]
pub struct Arrivals {
    process: ArrivalProcess,
    stream: Stream,
}

impl Arrivals {
    /// The arrivals of `process`, with random numbers from `stream`.
    ///
    /// # Panics
    /// When [`ArrivalProcess::check`] fails.
    pub fn new(process: ArrivalProcess, stream: Stream) -> Self {
        Self { process, stream }
    }
}

/// The moments never fall; after `None` there is nothing more, ever.
impl Iterator for Arrivals {
    type Item = SimTime;

    fn next(&mut self) -> Option<SimTime> {
        let _ = (&self.process, self.stream.word());
        None
    }
}
