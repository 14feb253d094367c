//! Runs that make calls: between the end of their handler and their own end.

use std::collections::BTreeSet;

use super::{Frontend, State, expire_idle};
use crate::aws::config::{self, CallTarget, System};
use crate::aws::environment::{CallsToMake, Waiter};
use crate::aws::event::{Class, Context, Event};
use crate::aws::fact::{Observer, Origin, RunOutcome};
use crate::aws::ids::{EnvironmentId, FunctionId};
use crate::aws::request::Answered;

/// A run whose handler is done and whose calls begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calling {
    pub(crate) environment: EnvironmentId,
    /// Of a [replica](crate::aws::edge) its original.
    pub(crate) function: FunctionId,
    /// Its event, and which run of it.
    pub(crate) origin: Origin,
    pub(crate) run: u32,
    pub(crate) waiter: Waiter,
    pub(crate) order: u32,
    pub(crate) to_make: CallsToMake,
}

impl Frontend {
    /// The run of an environment of which more than usual is known, if its handler is done and it makes calls.
    pub(crate) fn begin_calling(&mut self, id: EnvironmentId) -> Option<Calling> {
        let to_make = self.environments.details(id).calls.take()?;
        let row = &self.environments[id];
        let State::Busy(run) = &row.state else { unreachable!("{id:?} is not running") };
        let function = &self.functions[row.function];
        Some(Calling {
            environment: id,
            function: function.id,
            origin: run.origin,
            run: run.number,
            waiter: run.waiter,
            order: function.hot.order,
            to_make,
        })
    }

    /// The calls of a run have ended, and it ends like this; extensions may hold its environment a little longer, though
    /// not beyond its deadline. Gives the answer and who waits for it.
    pub(crate) fn end_calls<O: Observer>(
        &mut self,
        id: EnvironmentId,
        outcome: RunOutcome,
        CallsToMake { deadline, tail, .. }: CallsToMake,
        context: &mut Context<'_, O>,
    ) -> Option<Answered> {
        let row = &mut self.environments[id];
        let State::Busy(run) = &mut row.state else { unreachable!("{id:?} is not running") };
        run.outcome = outcome;
        row.needs_init = matches!(outcome, RunOutcome::Timeout | RunOutcome::Crash);
        let tail = tail.min(deadline.since(context.now));
        if row.needs_init || tail.is_zero() {
            return self.on_run_ended(id, true, context);
        }
        let answered = run.take_reply(None);
        let order = self.functions[row.function].hot.order;
        context.schedule(context.now.plus(tail), Class::End, order, Event::RunEnded(id));
        answered
    }

    /// Whether environments have ended, or lost their memory, of which nobody has heard.
    #[inline]
    pub(crate) fn has_closed(&self) -> bool {
        self.environments.has_closed()
    }

    /// An environment that has ended, or has lost its memory.
    #[inline]
    pub(crate) fn next_closed(&mut self) -> Option<EnvironmentId> {
        self.environments.next_closed()
    }

    /// Environments that have been idle too long are gone.
    pub(crate) fn expire<O: Observer>(&mut self, id: FunctionId, context: &mut Context<'_, O>) {
        expire_idle(&mut self.functions[id], &mut self.environments, context);
    }
}

/// The functions whose environments hold connections at some time, so that their end is not to be noticed late.
pub(super) fn connecting(system: &System) -> BTreeSet<FunctionId> {
    let holds = |function: &config::Function| {
        function.calls.iter().flat_map(|step| &step.calls).any(|call| match call.to {
            CallTarget::Dependency(id) => system.dependencies[id].connections_per_environment > 0,
            CallTarget::Function(..) | CallTarget::Send(_) => false,
        })
    };
    system.functions_over_time().filter(|(_, function)| holds(function)).map(|(id, _)| id).collect()
}
