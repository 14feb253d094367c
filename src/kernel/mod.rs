//! The simulation kernel: virtual time, ordered events, random streams. It knows nothing of AWS.
//!
//! Reading order: [`time`], [`calendar`], [`quantity`], [`rng`], [`dist`], [`arrival`], [`token_bucket`].

pub mod arrival;
pub mod calendar;
pub mod dist;
pub mod engine;
mod math;
pub mod quantity;
pub mod rng;
pub mod time;
pub mod token_bucket;
