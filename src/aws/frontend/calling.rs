//! Runs that make calls: between the end of their handler and their own end.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Frontend, State, expire_idle};
use crate::aws::config::{self, CallStep, CallTarget, System};
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event};
use crate::aws::fact::{Observer, Origin, RunOutcome};
use crate::aws::ids::{EnvironmentId, FunctionId};
use crate::aws::request::Answered;
use crate::kernel::time::SimTime;

/// A run whose handler is done and whose calls begin.
#[derive(Debug)]
pub(crate) struct Calling {
    pub(crate) environment: EnvironmentId,
    /// Of a [replica](crate::aws::edge) its original.
    pub(crate) function: FunctionId,
    /// Its event, and which run of it.
    pub(crate) origin: Origin,
    pub(crate) run: u32,
    pub(crate) waiter: Waiter,
    /// When the function's time-out cuts it.
    pub(crate) deadline: SimTime,
    pub(crate) order: u32,
    pub(crate) steps: Arc<[CallStep]>,
}

impl Frontend {
    /// The run of an environment, if its handler is done and it makes calls.
    pub(crate) fn begin_calling(&mut self, id: EnvironmentId) -> Option<Calling> {
        let State::Busy(run) = &self.environments[id].state else { unreachable!("{id:?} is not running") };
        let has_details = run.has_details;
        let details = self.environments.details(id);
        if !(has_details && std::mem::take(&mut details.calls)) {
            return None;
        }
        let invoked = details.invoked;
        let row = &self.environments[id];
        let State::Busy(run) = &row.state else { unreachable!("{id:?} is not running") };
        let function = &self.functions[row.function];
        Some(Calling {
            environment: id,
            function: function.id,
            origin: run.origin,
            run: run.number,
            waiter: run.waiter,
            deadline: invoked.plus(function.hot.timeout),
            order: function.hot.order,
            steps: Arc::clone(&function.config.calls),
        })
    }

    /// The calls of a run have ended, and it ends like this; extensions may hold its environment a little longer.
    /// Gives the answer and who waits for it.
    pub(crate) fn end_calls<O: Observer>(
        &mut self,
        id: EnvironmentId,
        outcome: RunOutcome,
        context: &mut Context<'_, O>,
    ) -> Option<Answered> {
        let invoked = self.environments.details(id).invoked;
        let row = &mut self.environments[id];
        let State::Busy(run) = &mut row.state else { unreachable!("{id:?} is not running") };
        run.outcome = outcome;
        row.needs_init = matches!(outcome, RunOutcome::Timeout | RunOutcome::Crash);
        let function = &self.functions[row.function];
        let left = invoked.plus(function.hot.timeout).since(context.now);
        let tail = function.config.extension_tail.min(left);
        if row.needs_init || tail.is_zero() {
            return self.on_run_ended(id, true, context);
        }
        let answered = run.take_reply(None);
        let order = function.hot.order;
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
