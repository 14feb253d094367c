//! Lambda@Edge: `CloudFront` runs a function in each Region on a replica of its own (INV-4.4). Passive.
//!
//! A caller stands for the viewers of one Region. Its replica is a further row of the table of functions: with the
//! function's name and settings, but with environments, scaling and executions in flight of its own, outside of the
//! account's pool. Facts name the function.

use super::config::{self, Fault, ProvisionedConcurrency, Service, System, Target};
use super::function::Function;
use super::ids::{CallerId, FunctionId, Table};
use crate::kernel::rng::RandomStreams;

/// The replica of each caller that goes through `CloudFront`.
#[derive(Debug)]
pub(crate) struct Replicas(Table<CallerId, Option<FunctionId>>);

impl Replicas {
    /// Adds the replicas behind the functions. `faults` are those of a function.
    pub(crate) fn new(
        system: &System,
        functions: &mut Table<FunctionId, Function>,
        faults: impl Fn(FunctionId) -> [Vec<Fault>; 2],
        streams: &RandomStreams,
    ) -> Self {
        let replica = |caller: &config::Caller| match (caller.via.service, caller.target) {
            (Service::Cloudfront, Target::Function(id)) => {
                let settings = settings(&system.functions[id]);
                let function = Function::new(id, &settings, faults(id), &system.account, streams);
                Some(functions.push(function.in_region(&caller.name, streams)))
            }
            _ => None,
        };
        Self(system.callers.rows().iter().map(replica).collect())
    }

    /// The replica of a caller.
    pub(crate) fn get(&self, caller: CallerId) -> Option<FunctionId> {
        self.0[caller]
    }
}

/// Settings of a replica: INV-4.4 reserved and provisioned concurrency do not apply at the edge.
pub(crate) fn settings(function: &config::Function) -> config::Function {
    let mut settings = function.clone();
    settings.reserved_concurrency = None;
    settings.provisioned_concurrency =
        ProvisionedConcurrency { initial: 0, schedule: Vec::new(), tracking: None, ..settings.provisioned_concurrency };
    settings
}
