//! A deterministic discrete-event simulator of AWS Lambda's invocation semantics.

pub mod aws;
pub mod kernel;
pub mod scenario;
