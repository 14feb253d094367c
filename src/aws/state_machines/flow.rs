//! What a thread does: from state to state, and in each of them (INV-SF8 to SF11).

use super::StateMachines;
use super::thread::{Begins, Doing, Then};
use crate::aws::config::{ErrorName, MapMode, State, StateKind};
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{ExecutionFact, ExecutionStatus, Fact, Observer, Origin, TransitionCause};
use crate::aws::frontend::Frontend;
use crate::aws::ids::{FlowId, FunctionId, StateId, StateNameId, ThreadId};
use crate::aws::request::{Invoked, Request};
use crate::kernel::quantity::Ratio;
use crate::kernel::rng::{StreamKey, below};
use crate::kernel::time::{SimDuration, SimTime};

/// Purposes of the draws of a visit. A new purpose gets a new number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Choice = 0,
    Wait = 1,
    Jitter = 2,
}

impl StateMachines {
    /// A thread goes on until it waits for something.
    pub(super) fn go<O: Observer>(
        &mut self,
        id: ThreadId,
        then: Then,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let mut next = Some(then);
        while let Some(then) = next {
            next = match then {
                Then::StartItem => self.transit(id, Then::ItemStarted, context),
                Then::Enter => self.transit(id, Then::Entered, context),
                Then::Retry => self.transit(id, Then::Retried, context),
                Then::ItemStarted => {
                    self.state_transition(id, TransitionCause::ItemStarted, context);
                    Some(Then::Enter)
                }
                Then::Entered => {
                    self.entered(id, context);
                    self.act(id, frontend, context)
                }
                Then::Retried => {
                    let retry = self.threads[id].attempts;
                    self.state_transition(id, TransitionCause::Retried(retry), context);
                    self.act(id, frontend, context)
                }
                Then::GoOn => self.leave(id, context),
            };
        }
    }

    /// The answer of a task's run.
    pub(super) fn succeed<O: Observer>(&mut self, id: ThreadId, context: &mut Context<'_, O>) {
        let (machine, state, origin) = (self.execution(id).machine, self.state(id).name, self.visit(id));
        context.state(&Fact::Execution(ExecutionFact::TaskSucceeded { machine, origin, state }));
        self.is_ready(id, Then::GoOn);
    }

    /// The settings of the state that a thread is in.
    pub(super) fn state(&self, id: ThreadId) -> &State {
        &self.definition(id).states[self.threads[id].state]
    }

    /// What a visit of a state is called outside: runs of a task have this branch.
    pub(super) fn visit(&self, id: ThreadId) -> Origin {
        let thread = &self.threads[id];
        let branch = thread.way.branch(self.names[self.state(id).name], thread.lap);
        Origin { branch, ..self.execution(id).origin }
    }

    /// The execution, or the task where the thread is in one.
    pub(super) fn subject(&self, id: ThreadId) -> Origin {
        match self.state(id).kind {
            StateKind::Task(_) => self.visit(id),
            StateKind::Parallel(_)
            | StateKind::Map { .. }
            | StateKind::Wait(_)
            | StateKind::Choice { .. }
            | StateKind::Pass
            | StateKind::Succeed
            | StateKind::Fail(_) => self.execution(id).origin,
        }
    }

    /// A random word of a visit, the `n`-th of a purpose, 1 = first.
    pub(super) fn word(&mut self, id: ThreadId, purpose: Purpose, n: u32) -> u64 {
        let Origin { branch, submission, .. } = self.visit(id);
        let key: StreamKey = self.draw_key(id).child(purpose as u64).child(u64::from(branch));
        key.run(n).word(submission - 1)
    }

    /// INV-SF11: goes on with `then` when there is a state transition for it.
    fn transit<O: Observer>(&mut self, id: ThreadId, then: Then, context: &mut Context<'_, O>) -> Option<Then> {
        let (machine, origin) = (self.execution(id).machine, self.execution(id).origin);
        let until = self.machines[machine].transitions.take(context.now);
        if until == context.now {
            return Some(then);
        }
        let state = self.transition_of(id, then);
        context.state(&Fact::Execution(ExecutionFact::TransitionDelayed { machine, origin, state, until }));
        self.wait(id, until, then, context);
        None
    }

    /// The state that a transition is about: of an item that begins, the map that it is of.
    fn transition_of(&self, id: ThreadId, then: Then) -> StateNameId {
        match (then, self.threads[id].parent) {
            (Then::ItemStarted, Some(parent)) => self.state(parent).name,
            _ => self.state(id).name,
        }
    }

    fn state_transition<O: Observer>(&self, id: ThreadId, cause: TransitionCause, context: &mut Context<'_, O>) {
        let (machine, origin, index) = (self.execution(id).machine, self.execution(id).origin, self.threads[id].index);
        let of = if cause == TransitionCause::ItemStarted { Then::ItemStarted } else { Then::Entered };
        let state = self.transition_of(id, of);
        context.state(&Fact::Execution(ExecutionFact::Transition { machine, origin, state, index, cause }));
    }

    fn entered<O: Observer>(&mut self, id: ThreadId, context: &mut Context<'_, O>) {
        let thread = &mut self.threads[id];
        (thread.attempts, thread.runs) = (0, 0);
        self.threads.reset_retries(id);
        self.state_transition(id, TransitionCause::Entered, context);
    }

    /// Does what the state does.
    fn act<O: Observer>(
        &mut self,
        id: ThreadId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) -> Option<Then> {
        self.threads[id].attempts += 1;
        match self.state(id).kind {
            StateKind::Task(function) => self.submit(id, function, frontend, context),
            StateKind::Parallel(_) => self.branch_out(id, context.now),
            StateKind::Map { items, max_concurrency, item, mode } => {
                let most = max_concurrency.unwrap_or(u32::MAX).min(mode.concurrency());
                self.begin_items(id, (item, mode), items.min(most), context.now)
            }
            StateKind::Wait(_) => self.pause(id, context),
            StateKind::Choice { .. } => match self.choose(id) {
                Some(state) => self.enter(id, state, context),
                None => self.fail_state(id, ErrorName::NoChoiceMatched, frontend, context),
            },
            StateKind::Pass => Some(Then::GoOn),
            StateKind::Succeed => self.flow_succeeded(id, context),
            StateKind::Fail(error) => {
                let error = self.errors[error];
                self.fail_state(id, error, frontend, context)
            }
        }
    }

    /// INV-SF8: the task asks for a run. A time-out that will not come is no event.
    fn submit<O: Observer>(
        &mut self,
        id: ThreadId,
        function: FunctionId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) -> Option<Then> {
        let execution = self.execution(id);
        let (machine, branch) = (execution.machine, execution.origin.branch);
        let (origin, timeout, state) = (self.visit(id), self.state(id).timeout, self.state(id).name);
        let thread = &self.threads[id];
        let (index, attempt, run) = (thread.index, thread.attempts, thread.runs + 1);
        let submitted =
            ExecutionFact::TaskSubmitted { machine, origin, execution: branch, state, index, function, attempt };
        context.state(&Fact::Execution(submitted));
        let waiter = Waiter::Thread(id);
        let request = Request { origin: &origin, function, waiter, attempt, run, duration: None };
        match frontend.invoke(&request, context) {
            Invoked::Refused(reply) => {
                let error = super::errors::of_reply(reply);
                self.fail_state(id, error, frontend, context)
            }
            Invoked::Started { environment, reply_at } => {
                let gives_up = timeout.map_or(SimTime::MAX, |timeout| context.now.plus(timeout));
                self.threads[id].runs = run;
                self.threads[id].doing = Doing::Running { environment, gives_up };
                if reply_at > gives_up {
                    let event = Event::Service(ServiceEvent::TaskTimedOut(id));
                    context.schedule(gives_up, Class::Timer, self.order(id), event);
                }
                None
            }
        }
    }

    fn pause<O: Observer>(&mut self, id: ThreadId, context: &mut Context<'_, O>) -> Option<Then> {
        let word = self.word(id, Purpose::Wait, 1);
        let StateKind::Wait(wait) = &self.state(id).kind else { unreachable!("{id:?} does not wait") };
        let wait = SimDuration::from_nanos(wait.is_constant().unwrap_or_else(|| wait.sample(word)));
        if wait.is_zero() {
            return Some(Then::GoOn);
        }
        self.wait(id, context.now.plus(wait), Then::GoOn, context);
        None
    }

    /// The state that a choice goes on with.
    fn choose(&mut self, id: ThreadId) -> Option<StateId> {
        let part = below(self.word(id, Purpose::Choice, 1), Ratio::PARTS);
        let StateKind::Choice { choices, default } = &self.state(id).kind else { unreachable!("{id:?} chooses not") };
        let mut until = 0;
        let chosen = choices.iter().find(|(probability, _)| {
            until += probability.parts();
            part < until
        });
        chosen.map(|(_, state)| *state).or(*default)
    }

    /// INV-SF10: all branches begin.
    fn branch_out(&mut self, id: ThreadId, now: SimTime) -> Option<Then> {
        let StateKind::Parallel(branches) = &self.state(id).kind else { unreachable!("{id:?} does not branch") };
        let open = u32::try_from(branches.len()).expect("a file has fewer than 2^32 branches");
        self.threads[id].doing = Doing::Joining { open, next_item: open };
        for index in 0..open {
            let StateKind::Parallel(branches) = &self.state(id).kind else { unreachable!("{id:?} does not branch") };
            let flow = branches[index as usize];
            let branch = self.begin_child(id, flow, (index, (0, 1)), Then::Enter, now);
            self.ready.push_back(branch);
        }
        None
    }

    /// INV-SF9: the first items begin.
    fn begin_items(&mut self, id: ThreadId, item: (FlowId, MapMode), first: u32, now: SimTime) -> Option<Then> {
        if first == 0 {
            return Some(Then::GoOn);
        }
        self.threads[id].doing = Doing::Joining { open: first, next_item: first };
        for index in 0..first {
            let (item, _) = self.begin_item(id, item, index, now);
            self.ready.push_back(item);
        }
        None
    }

    /// An item, and what it does first.
    fn begin_item(
        &mut self,
        id: ThreadId,
        (flow, mode): (FlowId, MapMode),
        index: u32,
        now: SimTime,
    ) -> (ThreadId, Then) {
        let then = match mode {
            MapMode::Inline => Then::Enter,
            MapMode::Distributed => Then::StartItem,
        };
        let StateKind::Map { items, .. } = self.state(id).kind else { unreachable!("{id:?} has no items") };
        (self.begin_child(id, flow, (index, (index, items)), then, now), then)
    }

    fn begin_child(
        &mut self,
        id: ThreadId,
        flow: FlowId,
        (index, item): (u32, (u32, u32)),
        then: Then,
        now: SimTime,
    ) -> ThreadId {
        let state = self.definition(id).flows[flow];
        let thread = self.threads[id];
        let way = thread.way.into(self.names[self.state(id).name], thread.lap, thread.attempts, item);
        self.threads.begin(thread.execution, Some(id), Begins { doing: Doing::Ready(then), state, index, way, now })
    }

    /// The state is done: the next one follows, or the flow ends.
    fn leave<O: Observer>(&mut self, id: ThreadId, context: &mut Context<'_, O>) -> Option<Then> {
        match self.state(id).next {
            Some(next) => self.enter(id, next, context),
            None => self.flow_succeeded(id, context),
        }
    }

    /// Another state is to be entered. What goes round without taking time passes the calendar.
    pub(super) fn enter<O: Observer>(
        &mut self,
        id: ThreadId,
        state: StateId,
        context: &mut Context<'_, O>,
    ) -> Option<Then> {
        let thread = &mut self.threads[id];
        let goes_back = state <= thread.state;
        thread.state = state;
        if !goes_back {
            return Some(Then::Enter);
        }
        thread.lap = thread.lap.wrapping_add(1);
        let took_time = thread.since < context.now;
        thread.since = context.now;
        if took_time {
            return Some(Then::Enter);
        }
        self.wait(id, context.now, Then::Enter, context);
        None
    }

    /// A flow has come to its end.
    fn flow_succeeded<O: Observer>(&mut self, id: ThreadId, context: &mut Context<'_, O>) -> Option<Then> {
        let thread = self.threads.unlink(id);
        self.threads.free(id);
        match thread.parent {
            None => self.end(thread.execution, ExecutionStatus::Succeeded, None, context),
            Some(parent) => self.child_succeeded(parent, thread.since < context.now, context),
        }
        None
    }

    /// A branch or an item has ended well: the next item begins, or its state is done.
    fn child_succeeded<O: Observer>(&mut self, id: ThreadId, took_time: bool, context: &mut Context<'_, O>) {
        let Doing::Joining { open, next_item } = self.threads[id].doing else {
            unreachable!("{id:?} waits for no branch")
        };
        if let StateKind::Map { items, item, mode, .. } = self.state(id).kind
            && next_item < items
        {
            self.threads[id].doing = Doing::Joining { open, next_item: next_item + 1 };
            let (child, then) = self.begin_item(id, (item, mode), next_item, context.now);
            if took_time {
                self.ready.push_back(child);
            } else {
                self.wait(child, context.now, then, context);
            }
        } else if open > 1 {
            self.threads[id].doing = Doing::Joining { open: open - 1, next_item };
        } else {
            self.is_ready(id, Then::GoOn);
        }
    }
}
