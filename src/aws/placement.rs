//! A run takes its place: the record of its environment, the fact, and what will fall due.

use super::environment::{Environments, Run, State};
use super::event::{Class, Context, Event};
use super::fact::{Fact, Observer};
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
        Planned::Plain(plan) => begin_by(request, function, environments, place, &plan, context),
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
    begin_by(request, function, environments, place, plan, context)
}

#[inline(always)]
fn begin_by<O: Observer>(
    request: &Request<'_>,
    function: &Function,
    environments: &mut Environments,
    Place { environment, provisioned, start }: Place,
    plan: &Plan,
    context: &mut Context<'_, O>,
) -> Invoked {
    let Request { origin, function: id, waiter, run, .. } = *request;
    let row = &mut environments[environment];
    context.state(&Fact::RunStarted {
        origin: *origin,
        function: id,
        run,
        environment: u64::from(row.number),
        cold: start == Start::Cold,
        capacity: function.capacity(provisioned),
    });
    let has_details = start != Start::Warm || plan.error.is_some();
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
        (details.invoked, details.error) = (plan.invoked, plan.error);
    }
    if plan.reply_at < plan.end_at {
        context.schedule(plan.reply_at, Class::End, function.hot.order, Event::Replied(environment));
    }
    context.schedule_inline(plan.end_at, Class::End, function.hot.order, Event::RunEnded(environment));
    Invoked::Started { environment, reply_at: plan.reply_at }
}
