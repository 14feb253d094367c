//! The simulation kernel: virtual time, ordered events, random streams. It knows nothing of AWS.
//!
//! Reading order: [`time`], [`quantity`], [`calendar`], [`sources`], [`engine`], [`rng`], [`dist`], [`arrival`], [`token_bucket`],
//! [`digest`].

pub mod arrival;
pub mod calendar;
pub mod digest;
pub mod dist;
pub mod engine;
mod math;
pub mod quantity;
pub mod rng;
pub mod sources;
pub mod time;
pub mod token_bucket;
