//! Answers from many runs: how well a number is known, and what the next run would say.
//!
//! [`estimate`] is the statistics: a mean and the interval that holds the true mean with a stated confidence.
//! [`metrics`] takes a summary apart into numbers by their paths. [`replicas`] puts runs of one scenario with different
//! seeds together, and [`precision`] says when there are enough of them. [`compare`] is two variants under the same chance.
//! [`divergence`] finds the first event that differs between two runs, [`baseline`] compares the numbers of a run with
//! stored ones, as far as [`tolerance`] allows, [`sweep`] tries many settings, and [`plan`] looks for the one that meets a goal;
//! [`bottleneck`] names what holds it back.

pub mod baseline;
pub mod bottleneck;
pub mod compare;
pub mod divergence;
pub mod estimate;
pub mod metrics;
pub mod plan;
pub mod precision;
pub mod replicas;
pub mod sweep;
pub mod tolerance;

/// The seed of a replica; the first one, 0, has the scenario's own.
pub const fn seed(first: u64, replica: u64) -> u64 {
    first.wrapping_add(replica)
}
