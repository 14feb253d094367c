//! What callers and the world ask of state machines, and what falls due for them.

use crate::aws::event::{Context, ServiceEvent};
use crate::aws::fact::{Observer, Origin};
use crate::aws::ids::{CallId, ExecutionId, StateMachineId};
use crate::aws::services::Services;

impl Services {
    /// Something is due in an execution.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are not about executions")]
    pub(crate) fn on_execution_event<O: Observer>(&mut self, event: ServiceEvent, context: &mut Context<'_, O>) {
        let Self { state_machines, frontend, .. } = self;
        match event {
            ServiceEvent::ThreadDue(thread) => state_machines.on_thread_due(thread, context.now),
            ServiceEvent::TaskTimedOut(thread) => state_machines.on_task_timed_out(thread, frontend, context),
            ServiceEvent::ExecutionTimedOut(execution) => {
                state_machines.on_execution_timed_out(execution, frontend, context);
            }
            _ => unreachable!("{event:?} is not about executions"),
        }
    }

    /// Names of state machines, and how many executions of each are under way.
    pub(crate) fn executing(&self) -> impl Iterator<Item = (&str, u64)> {
        self.state_machines.busy()
    }

    /// A caller starts an execution, the `nth` of its call; `waiter` waits for its end.
    pub(crate) fn start_execution<O: Observer>(
        &mut self,
        machine: StateMachineId,
        (origin, nth): (Origin, u32),
        waiter: Option<CallId>,
        context: &mut Context<'_, O>,
    ) -> ExecutionId {
        self.state_machines.start_execution(machine, (origin, nth, None), waiter, context)
    }

    /// Who waited for an execution waits no longer.
    pub(crate) fn abandon_execution(&mut self, execution: ExecutionId) {
        self.state_machines.abandon(execution);
    }
}
