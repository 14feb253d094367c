//! The simulation kernel: virtual time, ordered events, random streams. It knows nothing of AWS.
//!
//! Reading order: [`time`], [`quantity`], [`dist`], [`arrival`], [`digest`].

pub mod arrival;
pub mod digest;
pub mod dist;
pub mod quantity;
pub mod time;
