//! A deterministic discrete-event simulator of AWS Lambda's invocation semantics.

pub mod aws;
pub mod expect;
pub mod kernel;
pub mod report;
pub mod scenario;
pub mod stats;
