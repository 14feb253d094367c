//! A run takes its place: the record of its environment, the fact, and what will fall due.

use super::environment::{CallsToMake, Environments, Run, State};
use super::event::{Class, Context, Event};
use super::fact::{Fact, Observer, RunOutcome};
use super::function::Function;
use super::ids::EnvironmentId;
use super::request::{Invoked, Request};
use super::run::{Plan, Planned, Start};

/// Where a run starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) environment: EnvironmentId,
    /// It is a unit of provisioned concurrency.
    pub(crate) provisioned: bool,
    pub(crate) start: Start,
}

/// A run begins, by its plan.
#[inline(always)]
pub(crate) fn begin<O: Observer>(
    request: &Request<'_>,
    function: &Function,
    environments: &mut Environments,
    place: Place,
    plan: Planned,
    context: &mut Context<'_, O>,
) -> Invoked {
    match plan {
        Planned::Plain(plan) => begin_by(request, function, environments, place, &plan, None, context),
        Planned::InFull(plan) => begin_in_full(request, function, environments, place, &plan, context),
    }
}

#[inline(never)]
fn begin_in_full<O: Observer>(
    request: &Request<'_>,
    function: &Function,
    environments: &mut Environments,
    place: Place,
    plan: &Plan,
    context: &mut Context<'_, O>,
) -> Invoked {
    // A run whose handler fails calls nobody.
    let makes_calls = !function.config.calls.is_empty() && plan.outcome == RunOutcome::Success;
    let calls = makes_calls.then(|| CallsToMake {
        version: function.calls_version,
        deadline: plan.invoked.plus(function.hot.timeout),
        tail: function.config.extension_tail,
    });
    begin_by(request, function, environments, place, plan, calls, context)
}

#[inline(always)]
fn begin_by<O: Observer>(
    request: &Request<'_>,
    function: &Function,
    environments: &mut Environments,
    Place { environment, provisioned, start }: Place,
    plan: &Plan,
    calls: Option<CallsToMake>,
    context: &mut Context<'_, O>,
) -> Invoked {
    let Request { origin, waiter, run, .. } = *request;
    let row = &mut environments[environment];
    context.state(&Fact::RunStarted {
        origin: *origin,
        function: function.id,
        run,
        environment: u64::from(row.number),
        cold: start == Start::Cold,
        capacity: function.capacity(provisioned),
    });
    let has_details = start != Start::Warm || plan.error.is_some() || calls.is_some();
    row.needs_init = plan.resets();
    row.state = State::Busy(Run {
        origin: *origin,
        number: run,
        waiter,
        started: context.now,
        outcome: plan.outcome,
        restore_timed_out: plan.restore_timed_out,
        has_details,
        abandoned: false,
    });
    if has_details {
        let details = environments.details(environment);
        (details.init, details.suppressed_init) = (plan.init, plan.suppressed_init);
        (details.invoked, details.error, details.calls) = (plan.invoked, plan.error, calls);
    }
    if let Some(CallsToMake { deadline, .. }) = calls {
        // When the calls begin; they end with the function's time-out at the latest.
        context.schedule(plan.reply_at, Class::End, function.hot.order, Event::RunEnded(environment));
        return Invoked::Started { environment, reply_at: deadline };
    }
    if plan.reply_at < plan.end_at {
        context.schedule(plan.reply_at, Class::End, function.hot.order, Event::Replied(environment));
    }
    context.schedule_inline(plan.end_at, Class::End, function.hot.order, Event::RunEnded(environment));
    Invoked::Started { environment, reply_at: plan.reply_at }
}
