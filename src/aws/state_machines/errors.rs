//! What follows from an error: a retry, another state, or the end of the flow (INV-SF1 to SF3, SF7, SF10).

use super::StateMachines;
use super::flow::Purpose;
use super::thread::{Doing, Then};
use crate::aws::backoff;
use crate::aws::config::{ErrorName, StateKind};
use crate::aws::event::Context;
use crate::aws::fact::{Answer, ExecutionFact, ExecutionStatus, Fact, Observer, RunOutcome};
use crate::aws::frontend::Frontend;
use crate::aws::ids::{StateId, ThreadId};
use crate::aws::request::{Reply, RunAnswer};
use crate::kernel::time::SimDuration;

impl StateMachines {
    /// The answer of a task's run.
    pub(crate) fn on_answered<O: Observer>(
        &mut self,
        id: ThreadId,
        answer: RunAnswer,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        debug_assert!(matches!(self.threads[id].doing, Doing::Running { .. }), "{id:?} waits for no run");
        if answer.reply.answer == Answer::Success {
            self.succeed(id, context);
        } else {
            let error = self.of_run(answer);
            self.fail(id, error, frontend, context);
        }
    }

    /// INV-SF8: a task may have waited as long as it may; the run goes on.
    pub(crate) fn on_task_timed_out<O: Observer>(
        &mut self,
        id: ThreadId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        if let Doing::Running { environment, gives_up } = self.threads[id].doing
            && gives_up == context.now
        {
            frontend.abandon(environment, context.now);
            self.fail(id, ErrorName::StatesTimeout, frontend, context);
        }
    }

    /// A thread's state failed; what it does next is noted.
    fn fail<O: Observer>(
        &mut self,
        id: ThreadId,
        error: ErrorName,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        if let Some(then) = self.fail_state(id, error, frontend, context) {
            self.is_ready(id, then);
        }
    }

    /// The same for a thread that is going on: what it does next.
    pub(super) fn fail_state<O: Observer>(
        &mut self,
        id: ThreadId,
        error: ErrorName,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) -> Option<Then> {
        let (machine, state) = (self.execution(id).machine, self.state(id).name);
        let origin = self.subject(id);
        context.state(&Fact::Execution(ExecutionFact::StateFailed { machine, origin, state, error }));
        if let Some((retrier, wait)) = self.retry(id, error) {
            let due = context.now.plus(wait);
            let retry = *self.threads.retries(id, retrier);
            let retrier = u32::try_from(retrier).expect("a file has fewer than 2^32 retriers");
            let fact = ExecutionFact::RetryScheduled { machine, origin, state, retrier, retry, due };
            context.state(&Fact::Execution(fact));
            self.wait(id, due, Then::Retry, context);
            return None;
        }
        let Some(next) = self.catcher(id, error) else {
            self.flow_failed(id, error, frontend, context);
            return None;
        };
        let name = self.definition(id).states[next].name;
        context.state(&Fact::Execution(ExecutionFact::Caught { machine, origin, state, next: name }));
        self.enter(id, next, context)
    }

    /// INV-SF2, SF3: the first retrier that means the error, if it has retries left, and the wait.
    fn retry(&mut self, id: ThreadId, error: ErrorName) -> Option<(usize, SimDuration)> {
        let retriers = &self.state(id).retry;
        let index = retriers.iter().position(|retrier| retrier.errors.iter().any(|matches| matches.matches(error)))?;
        let (most, backoff) = (retriers[index].max_attempts, retriers[index].backoff);
        let used = self.threads.retries(id, index);
        if *used >= most {
            return None;
        }
        *used += 1;
        let k = *used - 1;
        let attempts = self.threads[id].attempts;
        let word = self.word(id, Purpose::Jitter, attempts);
        Some((index, backoff::wait(&backoff, k, SimDuration::ZERO, word)))
    }

    /// The state that the first catcher which means the error goes on with.
    fn catcher(&self, id: ThreadId, error: ErrorName) -> Option<StateId> {
        let mut catchers = self.state(id).catch.iter();
        let means = |matches: &crate::aws::config::ErrorMatch| matches.matches(error);
        catchers.find(|catcher| catcher.errors.iter().any(means)).map(|catcher| catcher.next)
    }

    /// INV-SF1, SF10: the flow fails, and with it the execution, or the state whose branch or item it is.
    fn flow_failed<O: Observer>(
        &mut self,
        id: ThreadId,
        error: ErrorName,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let thread = self.threads.unlink(id);
        self.threads.free(id);
        let Some(parent) = thread.parent else {
            return self.end(thread.execution, ExecutionStatus::Failed, Some(error), context);
        };
        while let Some(other) = self.threads[parent].first_child {
            self.stop(other, frontend, context);
        }
        let error = if let StateKind::Map { mode, .. } = self.state(parent).kind {
            mode.error()
        } else {
            ErrorName::BranchFailed
        };
        self.fail(parent, error, frontend, context);
    }

    /// INV-SF7: what the answer of a run is called.
    fn of_run(&self, answer: RunAnswer) -> ErrorName {
        let RunAnswer { reply, outcome, error } = answer;
        match (reply.answer, error, outcome) {
            (Answer::FunctionError, Some(error), _) => self.errors[error],
            (Answer::FunctionError, None, RunOutcome::Timeout) => ErrorName::SandboxTimedout,
            (Answer::FunctionError, None, RunOutcome::Crash) => ErrorName::LambdaUnknown,
            (Answer::FunctionError, None, _) => ErrorName::Unnamed,
            _ => of_reply(reply),
        }
    }
}

/// INV-SF7: what it is called that Lambda does not run a function.
pub(super) fn of_reply(reply: Reply) -> ErrorName {
    match reply.status {
        429 => ErrorName::TooManyRequests,
        500 => ErrorName::ServiceException,
        _ => ErrorName::AwsLambdaException,
    }
}
