//! AWS Lambda's invocation semantics, one file per mechanism. Knows no files, no YAML and no reports.
//!
//! Reading order: [`ids`], [`config`], [`fact`].

pub mod config;
pub mod fact;
pub mod ids;
