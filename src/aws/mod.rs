//! AWS Lambda's invocation semantics, one file per mechanism. Knows no files, no YAML and no reports.
//!
//! Reading order: [`ids`], [`config`], [`fact`], [`limits`]; what a client does: `backoff`, `retry_budget`,
//! `circuit_breaker`, `adaptive`, `client`, `caller`, `keys`, `put_calls`, `call`, `attempt`, `callers`; what Lambda does:
//! `concurrency`, `scaling`, `failure`, `run`, `environment`, `pool`, `tracking`, `provisioned`, `function`, `fault`,
//! `admission`, `placement`, `request`, `edge`, `frontend`; services before a function: `front_door`, `delivery_policy`,
//! `firehose`; asynchronous invocation: `lineage`, `queued_event`, `internal_queue`, `delivery`; what a run waits for:
//! `patience`; places that pass on what they receive: `fan_out`; queues and the mappings that poll them: `sqs`, `mapping`;
//! streams, topics and brokers and the mappings that read them: `streams` (`shard`, `partition`, `throughput`,
//! `on_demand`), then `readers` (`group`, `worker`, `reading`, `batching`, `ending`, `discard`, `hope`, `windows`, `kafka`);
//! `state_machines`; and all together: `services` with `destinations`,
//! [`event`], [`world`].

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
mod delivery_policy;
mod dependencies;
mod destinations;
mod edge;
mod environment;
pub mod event;
pub mod fact;
mod failure;
mod fan_out;
mod fault;
mod firehose;
mod front_door;
mod frontend;
mod function;
pub mod ids;
mod internal_queue;
mod keys;
pub mod limits;
mod lineage;
mod mapping;
mod patience;
mod placement;
mod pool;
mod provisioned;
mod put_calls;
mod queued_event;
mod readers;
mod request;
mod retry_budget;
mod run;
mod scaling;
mod services;
mod sqs;
mod state_machines;
mod streams;
mod tracking;
pub mod world;
