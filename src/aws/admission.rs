//! Whether a request may run, and what it takes: concurrency, rates and an environment (INV-T4).
//!
//! ```text
//! reserved concurrency -> its rate -> unreserved pool -> account's rate
//!   -> environment: a free provisioned unit, else an idle one, else a new one within the scaling rate
//! ```
//! The first check that fails decides; a failed check consumes nothing.

use super::concurrency::{self, Account};
use super::environment::{Environments, State};
use super::event::Context;
use super::fact::{Fact, Observer, ThrottleReason};
use super::function::Function;
use super::ids::{EnvironmentId, FunctionId};
use crate::kernel::time::SimTime;

/// Where a request may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Provisioned,
    OnDemand,
    Throttled(ThrottleReason),
}

/// INV-T4: the checks in their order. A function without reserved concurrency draws on the unreserved pool.
#[inline(always)]
pub(crate) fn admit(function: &mut Function, account: &mut Account, now: SimTime) -> Admission {
    use ThrottleReason as Reason;
    if let Some(units) = function.hot.reserved_concurrency {
        // INV-C5: zero refuses everything.
        if function.in_flight >= units {
            return Admission::Throttled(Reason::ReservedFunctionConcurrentInvocationLimitExceeded);
        }
        if !concurrency::available(function.rate.as_ref(), now) {
            return Admission::Throttled(Reason::ReservedFunctionInvocationRateLimitExceeded);
        }
    }
    let provisioned = function.provisioned.has_free(now);
    if !provisioned {
        match function.hot.reserved_concurrency {
            // INV-C7: units of provisioned concurrency are not for runs on demand, free or not.
            Some(units) if function.on_demand >= units.saturating_sub(function.provisioned.claimed()) => {
                return Admission::Throttled(Reason::ReservedFunctionConcurrentInvocationLimitExceeded);
            }
            None if !function.hot.at_edge && !account.has_room() => {
                return Admission::Throttled(Reason::ConcurrentInvocationLimitExceeded);
            }
            Some(_) | None => {}
        }
    }
    if !function.hot.at_edge && !account.rate_available(now) {
        return Admission::Throttled(Reason::FunctionInvocationRateLimitExceeded);
    }
    if provisioned {
        return Admission::Provisioned;
    }
    let new = function.pool.is_empty();
    let may_grow = !new || (function.scaling.available(now) && account.scaling().available(now));
    let may_ramp = function.ramp.as_mut().is_none_or(|ramp| ramp.available(now));
    if may_grow && may_ramp {
        Admission::OnDemand
    } else {
        Admission::Throttled(Reason::ConcurrentInvocationLimitExceeded)
    }
}

/// An admitted request takes its concurrency and an environment; whether that is new.
#[inline(always)]
pub(crate) fn occupy<O: Observer>(
    function: &mut Function,
    id: FunctionId,
    provisioned: bool,
    account: &mut Account,
    environments: &mut Environments,
    context: &mut Context<'_, O>,
) -> (EnvironmentId, bool) {
    let now = context.now;
    if !function.hot.at_edge {
        account.take_rate(now);
    }
    concurrency::take(&mut function.rate, now);
    if let Some(ramp) = &mut function.ramp {
        ramp.take(now);
    }
    function.in_flight += 1;
    if provisioned {
        return (function.provisioned.take(now), false);
    }
    function.on_demand += 1;
    if function.hot.draws_on_account() {
        account.enter();
    }
    match function.pool.choose(environments) {
        Some(idle) => (idle, false),
        None => (create(function, id, account, environments, context), true),
    }
}

/// A new environment on demand; it costs scaling allowance.
fn create<O: Observer>(
    function: &mut Function,
    id: FunctionId,
    account: &mut Account,
    environments: &mut Environments,
    context: &mut Context<'_, O>,
) -> EnvironmentId {
    function.scaling.take(context.now);
    account.scaling().take(context.now);
    let environment = environments.create(context.now, id, false, State::Recovering);
    environments[environment].code = function.code;
    let number = u64::from(environments[environment].number);
    context.state(&Fact::EnvironmentCreated { function: function.id, environment: number });
    environment
}
