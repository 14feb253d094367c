//! What runs call, and the dependencies behind them.

use std::sync::Arc;

use super::Builder;
use crate::aws::config::{
    AbandonedCalls, Call, CallStep, CallTarget, Dependency, Discipline, Invocation, Keys, Slowdown,
};
use crate::kernel::dist::Distribution;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved, Value};

/// The services that calls send to, by their keys.
const SERVICES: [&str; 7] = ["queue", "stream", "broker", "topic", "event_bus", "bucket", "state_machine"];

impl Builder<'_> {
    /// The dependency with this index.
    pub(super) fn dependency(&mut self, index: usize, named: &Named) -> Option<Dependency> {
        let block = &named.block;
        if block.is_bad() {
            return None;
        }
        let service_time = self.distribution(block.field("service_time"));
        let failures = self.failures(block.field("failures"));
        self.takes_requests(block);
        Some(Dependency {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Dependency)[index].order,
            concurrency: block.field("concurrency").optional(Resolved::count)?,
            service_time: service_time?,
            queue: block.field("queue").optional(Resolved::count)?,
            discipline: if block.field("discipline").word()? == "lifo" { Discipline::Lifo } else { Discipline::Fifo },
            rate_limit: block.field("rate_limit").optional(Resolved::rate)?,
            connection_limit: block.field("connection_limit").optional(Resolved::count)?,
            connections_per_environment: block.field("connections_per_environment").count()?,
            slowdown: block.field("slowdown").optional(|block| {
                Some(Slowdown { above: block.field("above").count()?, per_call: block.field("per_call").ratio()? })
            })?,
            abandoned_calls: match block.field("abandoned_calls").word()? {
                "stop" => AbandonedCalls::Stop,
                _ => AbandonedCalls::Continue,
            },
            failures: failures?.into(),
        })
    }

    /// A dependency that could never take a request is a mistake.
    fn takes_requests(&mut self, block: &Resolved) {
        let rate = block.field("rate_limit");
        if rate.rate().is_some_and(|rate| rate.events == 0) {
            let problem = Problem::new(ProblemKind::OutOfRange, rate.place, "the dependency would take no request");
            let problem = problem.at_key(&rate.path).with_expected("a rate above 0/s, or `unlimited`");
            self.problems
                .push(problem.with_help("for an outage write `failures: [{probability: 100%, from: .., until: ..}]`"));
        }
        let (limit, held) = (block.field("connection_limit"), block.field("connections_per_environment"));
        if let (Some(most), Some(each)) = (limit.whole(), held.whole())
            && each > most
        {
            let message = format!("each environment holds {each} connections, and there are only {most}");
            self.contradiction(limit, message, |problem| {
                let problem = problem.with_expected("at least `connections_per_environment`");
                problem.with_related(held.place, "held by each environment").with_help("no request would be taken")
            });
        }
    }

    /// The calls of a function's runs.
    pub(super) fn calls(&mut self, list: &Resolved) -> Option<Arc<[CallStep]>> {
        if list.is_bad() {
            return None;
        }
        let steps = list.list().iter().map(|step| self.call_step(step)).collect::<Vec<_>>();
        steps.into_iter().collect()
    }

    fn call_step(&mut self, step: &Resolved) -> Option<CallStep> {
        if step.is_bad() {
            return None;
        }
        let side_by_side = !step.has("times");
        let calls = if side_by_side { step.field("parallel").list() } else { std::slice::from_ref(step) };
        if side_by_side && calls.is_empty() && !step.field("parallel").is_bad() {
            self.contradiction(step.field("parallel"), "this step calls nobody", |problem| {
                problem.with_expected("at least one call")
            });
            return None;
        }
        let calls = calls.iter().map(|call| self.call(call)).collect::<Vec<_>>();
        Some(CallStep { calls: calls.into_iter().collect::<Option<_>>()? })
    }

    fn call(&mut self, block: &Resolved) -> Option<Call> {
        if block.is_bad() {
            return None;
        }
        let to = self.call_target(block);
        let client = self.client(block.field("client"));
        let payload_bytes = match block.if_has("payload") {
            Some(payload) => self.distribution(payload),
            None => Some(Distribution::constant(0)),
        };
        let keys = block.if_has("keys").map_or(Some(Keys::Even), |keys| self.keys(keys));
        let mut client = client?;
        let timeout = block.field("timeout");
        // Not `none`, which leaves it to the client.
        if timeout.value != Value::Without("none") {
            client.timeout = timeout.optional(Resolved::duration)?;
        }
        Some(Call {
            to: to?,
            times: block.field("times").count()?,
            parallel: block.field("parallel").count()?,
            client,
            fails_run: block.field("on_failure").word()? == "fail",
            payload_bytes: payload_bytes?,
            keys: keys?,
        })
    }

    fn call_target(&mut self, block: &Resolved) -> Option<CallTarget> {
        if let Some(dependency) = block.if_has("dependency") {
            return self.dependency_id(dependency).map(CallTarget::Dependency);
        }
        if let Some(function) = block.if_has("function") {
            let invocation = block.field("invocation").word().map(|word| match word {
                "async" => Invocation::Async,
                _ => Invocation::Sync,
            });
            return Some(CallTarget::Function(self.function_id(function)?, invocation?));
        }
        let service = SERVICES.into_iter().find_map(|key| block.if_has(key))?;
        self.target(service).map(CallTarget::Send)
    }
}
