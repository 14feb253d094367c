//! Anything with limited capacity behind a function: a database, a partner's API.

use std::sync::Arc;

use super::Failure;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::{Rate, Ratio};

/// A server with a waiting line.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Requests in service at once; none: any number.
    pub concurrency: Option<u32>,
    /// Time of one request in service.
    pub service_time: Distribution,
    /// Requests that may wait; none: any number.
    pub queue: Option<u32>,
    /// Which of those that wait is next.
    pub discipline: Discipline,
    /// Requests a second that it takes; others are refused with 429.
    pub rate_limit: Option<Rate>,
    /// Connections that it takes; others are refused.
    pub connection_limit: Option<u32>,
    /// Connections that an environment holds from its first request on, until it ends; 0: each request has one while it lasts.
    pub connections_per_environment: u32,
    /// Response time that rises with the load.
    pub slowdown: Option<Slowdown>,
    /// What becomes of a request that its client has given up.
    pub abandoned_calls: AbandonedCalls,
    /// Independent causes of failure; the first that applies decides how a request fails.
    pub failures: Arc<[Failure]>,
}

/// Which of those that wait is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// Who has waited longest.
    Fifo,
    /// Who came last.
    Lifo,
}

/// Service time x (1 + `per_call` x requests in service above `above`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowdown {
    /// Requests in service that cost nothing.
    pub above: u32,
    /// Added for each of the others.
    pub per_call: Ratio,
}

/// What becomes of a request that its client has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbandonedCalls {
    /// It goes on: it waits, and it is served, for nobody.
    Continue,
    /// It is gone at once.
    Stop,
}
