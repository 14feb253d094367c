//! Functions: their settings, failures and provisioned concurrency.

use super::Builder;
use crate::aws::config::{
    Architecture, EventSelector, Failure, FailureKind, Function, ProvisionedConcurrency, RecursiveLoop, TargetTracking,
    WarmSelection,
};
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved, Value};
use crate::scenario::scalar::Leaf;

/// The conditions of a failure.
const CONDITIONS: [&str; 8] =
    ["probability", "poison", "first_attempts", "attempts", "events", "from", "until", "above_concurrency"];

impl Builder<'_> {
    /// The function with this index.
    pub(crate) fn function(&mut self, index: usize, named: &Named) -> Option<Function> {
        let block = &named.block;
        let duration = self.distribution(block.field("duration"));
        let duration_per_record = self.distribution(block.field("duration_per_record"));
        let init = self.distribution(block.field("init"));
        let platform_start = self.distribution(block.field("platform_start"));
        let idle_timeout = self.distribution(block.field("idle_timeout"));
        let response_bytes = self.distribution(block.field("response"));
        let snapstart = block.field("snapstart").optional(|block| self.distribution(block.field("restore")));
        let failures = self.failures(block.field("failures"));
        let init_failures = self.failures(block.field("init_failures"));
        let provisioned_concurrency = self.provisioned(block.field("provisioned_concurrency"));
        let calls = self.calls(block.field("calls"));
        let asynchronous = self.asynchronous(block.field("async"));
        Some(Function {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Function)[index].order,
            memory_mb: block.field("memory").count()?,
            architecture: match block.field("architecture").word()? {
                "arm64" => Architecture::Arm64,
                _ => Architecture::X86_64,
            },
            ephemeral_storage_mb: block.field("ephemeral_storage").count()?,
            timeout: block.field("timeout").duration()?,
            duration: duration?,
            duration_per_record: duration_per_record?,
            init: init?,
            init_limit: block.field("init_limit").duration()?,
            init_failures: init_failures?,
            platform_start: platform_start?,
            snapstart: snapstart?,
            idle_timeout: idle_timeout?,
            maximum_environment_age: block.field("maximum_environment_age").optional(Resolved::duration)?,
            warm_selection: match block.field("warm_selection").word()? {
                "lru" => WarmSelection::Lru,
                "fifo" => WarmSelection::Fifo,
                "random" => WarmSelection::Random,
                _ => WarmSelection::Mru,
            },
            extension_tail: block.field("extension_tail").duration()?,
            cpu_scaling: block.field("cpu_scaling").switch()?,
            calls: calls?,
            reserved_concurrency: block.field("reserved_concurrency").optional(Resolved::count)?,
            provisioned_concurrency: provisioned_concurrency?,
            failures: failures?,
            response_bytes: response_bytes?,
            recursive_loop: match block.field("recursive_loop").word()? {
                "allow" => RecursiveLoop::Allow,
                _ => RecursiveLoop::Terminate,
            },
            asynchronous: asynchronous?,
        })
    }

    pub(super) fn failures(&mut self, list: &Resolved) -> Option<Vec<Failure>> {
        let failures = list.list().iter().map(|entry| self.failure(entry)).collect::<Vec<_>>();
        if list.path.name() == Some("init_failures") {
            self.no_answers(list);
        }
        if list.is_bad() { None } else { failures.into_iter().collect() }
    }

    /// An Init answers no batch.
    fn no_answers(&mut self, list: &Resolved) {
        for kind in list.list().iter().map(|entry| entry.field("kind")) {
            if kind.word() == Some("bad_batch_response") {
                self.contradiction(kind, "an Init answers no batch", |problem| {
                    problem.with_expected("`error`, `timeout` or `crash`")
                });
            }
        }
    }

    fn failure(&mut self, entry: &Resolved) -> Option<Failure> {
        if entry.is_bad() {
            return None;
        }
        let none =
            |field: &Resolved| field.is_without() || matches!(&field.value, Value::List(items) if items.is_empty());
        let conditional = CONDITIONS.iter().any(|condition| !none(entry.field(condition)));
        if !conditional && !self.problems.misspelt(&entry.path.to_string()) {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, entry.place, "this cause of failure has no condition")
                    .at_key(&entry.path)
                    .with_expected(format!("one of `{}`", CONDITIONS.join("`, `")))
                    .with_help("write `probability: 100%` where all of them fail"),
            );
        }
        let window = self.window(entry);
        let events = entry.field("events").list().iter().map(|event| self.event(event)).collect::<Vec<_>>();
        let (from, until) = window?;
        let error = entry.field("error").optional(Resolved::text)?;
        Some(Failure {
            probability: entry.field("probability").optional(Resolved::ratio)?,
            poison: entry.field("poison").optional(Resolved::ratio)?,
            first_attempts: entry.field("first_attempts").optional(Resolved::count)?,
            attempts: entry.field("attempts").list().iter().map(Resolved::count).collect::<Option<_>>()?,
            events: events.into_iter().collect::<Option<_>>()?,
            from,
            until,
            above_concurrency: entry.field("above_concurrency").optional(Resolved::count)?,
            kind: match entry.field("kind").word()? {
                "timeout" => FailureKind::Timeout,
                "crash" => FailureKind::Crash,
                "bad_batch_response" => FailureKind::BadBatchResponse,
                _ => FailureKind::Error,
            },
            error: error.map(|name| self.errors.id(name)),
            after: entry.field("after").ratio()?,
        })
    }

    fn event(&mut self, value: &Resolved) -> Option<EventSelector> {
        let Value::Leaf(Leaf::Event(caller, number), _) = &value.value else { return None };
        let caller = match caller {
            Some(caller) => Some(self.caller_id(value, caller)?),
            None => None,
        };
        Some(EventSelector { caller, number: *number })
    }

    fn provisioned(&mut self, block: &Resolved) -> Option<ProvisionedConcurrency> {
        let tracking = self.tracking(block);
        let schedule = block.field("schedule").list().iter();
        let schedule = schedule.map(|step| Some((step.field("at").moment()?, step.field("to").count()?)));
        let mut schedule = schedule.collect::<Option<Vec<_>>>()?;
        schedule.sort_by_key(|(at, _)| *at);
        Some(ProvisionedConcurrency {
            initial: block.field("initial").count()?,
            schedule,
            tracking: tracking?,
            preparation: block.field("preparation").duration()?,
            per_minute: block.field("per_minute").count()?,
        })
    }

    #[allow(clippy::option_option, reason = "the outer one is for values that cannot be read")]
    fn tracking(&mut self, block: &Resolved) -> Option<Option<TargetTracking>> {
        const NEEDED: [&str; 3] = ["min", "max", "target_utilization"];
        let min = block.field("min").optional(Resolved::count)?;
        let max = block.field("max").optional(Resolved::count)?;
        let target = block.field("target_utilization").optional(Resolved::ratio)?;
        let written = NEEDED.iter().map(|name| block.field(name)).find(|field| !field.is_without());
        let Some(written) = written else { return Some(None) };
        let missing = NEEDED.iter().filter(|name| block.field(name).is_without());
        let missing = missing.map(|name| format!("`{name}`")).collect::<Vec<_>>();
        if !missing.is_empty() {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, written.place, "target tracking is not complete")
                    .at_key(&written.path)
                    .with_expected("`min`, `max` and `target_utilization` together")
                    .with_help(format!("add {}", missing.join(" and "))),
            );
            return None;
        }
        let (min, max, target) = (min?, max?, target?);
        if min > max {
            self.contradiction(block.field("min"), "`min` is larger than `max`", |problem| {
                problem.with_expected("at most `max`")
            });
            return None;
        }
        Some(Some(TargetTracking {
            min,
            max,
            target,
            scale_out_datapoints: block.field("scale_out_datapoints").count()?,
            scale_in_datapoints: block.field("scale_in_datapoints").count()?,
            scale_in_step: block.field("scale_in_step").ratio()?,
        }))
    }
}
