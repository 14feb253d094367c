//! AWS Lambda's invocation semantics, one file per mechanism. Knows no files, no YAML and no reports.
//!
//! Reading order: [`ids`], [`config`], [`fact`], [`limits`]; what a client does: `backoff`, `retry_budget`,
//! `circuit_breaker`, `adaptive`, `client`, `caller`, `call`, `callers`; what Lambda does: `concurrency`, `scaling`, `failure`, `run`,
//! `environment`, `pool`, `tracking`, `provisioned`, `function`, `frontend`; and all together: [`event`], [`world`].

mod adaptive;
mod admission;
mod attempt;
mod backoff;
mod call;
mod caller;
mod callers;
mod circuit_breaker;
mod client;
mod concurrency;
pub mod config;
mod delivery;
mod environment;
pub mod event;
pub mod fact;
mod failure;
mod fault;
mod frontend;
mod function;
pub mod ids;
mod internal_queue;
mod keys;
pub mod limits;
mod lineage;
mod mapping;
mod placement;
mod pool;
mod provisioned;
mod queued_event;
mod request;
mod retry_budget;
mod run;
mod scaling;
mod services;
mod sqs;
mod tracking;
pub mod world;
