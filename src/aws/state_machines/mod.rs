//! State machines of Step Functions: executions that invoke functions, wait, branch and try again (INV-4.5).
//!
//! ```text
//! started -> thread through the states of a flow -> SUCCEEDED, FAILED
//!              |  branch, item: threads of their own          ^
//!              +- task: Invoke API -> answer, time-out -------+-- error: retry, catch, or the flow fails
//!            the machine's time-out ------------------------------> TIMED_OUT
//! ```
//! Whatever goes on at one moment stands in a list and is worked off at the end of the event that caused it, so that the
//! caller has its answer first. What goes round without taking time passes the calendar, so that the run's event budget
//! ends it.
//!
//! Left out: the data that states pass on, heartbeats, callbacks with task tokens, tolerated failures of maps, and redrives.
//!
//! Reading order: [`thread`], [`transitions`], this file, [`flow`], [`errors`], [`service`].

mod errors;
mod flow;
mod service;
mod thread;
mod transitions;

use std::collections::VecDeque;

use self::thread::{Begins, Doing, Then, Threads, Way, mix};
use self::transitions::Transitions;
use super::config::{self, ErrorName, System};
use super::event::{Class, Context, Event, ServiceEvent};
use super::fact::{Answer, ExecutionFact, ExecutionStatus, Fact, Observer, Origin};
use super::frontend::Frontend;
use super::function::Names;
use super::ids::{CallId, CallerId, ErrorId, ExecutionId, Id, Slots, StateMachineId, StateNameId, Table, ThreadId};
use super::request::Reply;
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::SimTime;

/// All state machines.
#[derive(Debug)]
pub(crate) struct StateMachines {
    machines: Table<StateMachineId, Machine>,
    executions: Slots<ExecutionId, Execution>,
    threads: Threads,
    /// Threads that go on now, in order.
    ready: VecDeque<ThreadId>,
    /// Executions that ended, and who waits for them.
    ended: VecDeque<Ended>,
    /// What the errors of functions are in executions.
    errors: Table<ErrorId, ErrorName>,
    /// Hashes of the names of states.
    names: Table<StateNameId, u32>,
    callers: Names,
    streams: RandomStreams,
}

/// One state machine.
#[derive(Debug)]
struct Machine {
    name: String,
    order: u32,
    /// What it was and is; executions go on with the definition with which they began.
    definitions: Vec<config::StateMachine>,
    transitions: Transitions,
    /// Keys of the draws of each caller's executions.
    keys: Vec<(CallerId, StreamKey)>,
    /// Executions under way.
    open: u64,
}

/// An execution under way.
#[derive(Clone, Copy, Debug)]
struct Execution {
    origin: Origin,
    machine: StateMachineId,
    /// Which of the machine's definitions.
    definition: u32,
    /// The thread through the machine's own flow.
    root: ThreadId,
    started: SimTime,
    /// When it is cut; the end of time where it never is.
    times_out: SimTime,
    /// The call that waits for its end.
    waiter: Option<CallId>,
}

/// The end of an execution for the call that waits for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) call: CallId,
    pub(crate) reply: Reply,
}

impl StateMachines {
    /// The machines before the run.
    pub(crate) fn new(system: &System, callers: Names, streams: RandomStreams) -> Self {
        let changed = system.changes.iter().filter_map(|change| change.action.state_machine());
        let all = system.state_machines.rows().iter().chain(changed.map(|(_, machine)| machine));
        let retriers = all.map(config::StateMachine::most_retriers).max().unwrap_or(0);
        Self {
            machines: system.state_machines.rows().iter().map(Machine::new).collect(),
            executions: Slots::default(),
            threads: Threads::new(retriers),
            ready: VecDeque::new(),
            ended: VecDeque::new(),
            errors: system.errors.iter().map(|(id, name)| ErrorName::of_function(id, name)).collect(),
            names: system.state_names.rows().iter().map(|name| hash(name)).collect(),
            callers,
            streams,
        }
    }

    /// Executions under way.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.executions.len()
    }

    /// Names of machines, and how many executions of each are under way.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, u64)> {
        self.machines.rows().iter().map(|machine| (machine.name.as_str(), machine.open))
    }

    /// Whether something has to be done before the next event.
    #[inline]
    pub(crate) fn is_unsettled(&self) -> bool {
        !self.ready.is_empty() || !self.ended.is_empty()
    }

    /// An execution begins; it takes its first step at the end of this event. `nth` counts the executions that one call
    /// has started, 1 = first; `parent` is the branch of what starts it, where that is no caller.
    pub(crate) fn start_execution<O: Observer>(
        &mut self,
        id: StateMachineId,
        (origin, nth, parent): (Origin, u32, Option<u32>),
        waiter: Option<CallId>,
        context: &mut Context<'_, O>,
    ) -> ExecutionId {
        let branch = if nth > 1 { mix(origin.branch, 0, nth).max(1) } else { origin.branch };
        let origin = Origin { branch, ..origin };
        context.state(&Fact::Execution(ExecutionFact::Started { machine: id, origin, parent }));
        let machine = &mut self.machines[id];
        machine.open += 1;
        let definition = machine.definitions.len() - 1;
        let config = &machine.definitions[definition];
        let times_out = config.timeout.map_or(SimTime::MAX, |timeout| context.now.plus(timeout));
        let begins = Begins {
            doing: Doing::Ready(Then::Enter),
            state: config.flows.rows()[0],
            index: 0,
            way: Way::to_execution(branch),
            now: context.now,
        };
        // Its id is known only when it is there, and it names its thread.
        let mut execution = Execution {
            origin,
            machine: id,
            definition: u32::try_from(definition).expect("fewer than 2^32 changes"),
            root: ThreadId::from_index(0),
            started: context.now,
            times_out,
            waiter,
        };
        let execution_id = self.executions.insert(execution);
        execution.root = self.threads.begin(execution_id, None, begins);
        self.executions[execution_id] = execution;
        self.ready.push_back(execution.root);
        if times_out < SimTime::MAX {
            let event = Event::Service(ServiceEvent::ExecutionTimedOut(execution_id));
            context.schedule(times_out, Class::Timer, machine.order, event);
        }
        execution_id
    }

    /// Who waited for an execution waits no longer; it goes on.
    pub(crate) fn abandon(&mut self, id: ExecutionId) {
        self.executions[id].waiter = None;
    }

    /// The next execution that has ended and that a call waits for.
    pub(crate) fn next_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// What goes on now goes on until it waits for something.
    #[inline(never)]
    pub(crate) fn run<O: Observer>(&mut self, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        while let Some(id) = self.ready.pop_front() {
            match self.threads[id].doing {
                Doing::Ready(then) => self.go(id, then, frontend, context),
                Doing::Stopped => self.threads.free(id),
                other @ (Doing::Waiting { .. } | Doing::Running { .. } | Doing::Joining { .. }) => {
                    unreachable!("{id:?} is in the list of those that go on, and is {other:?}")
                }
            }
        }
    }

    /// What a thread waited for is there.
    pub(crate) fn on_thread_due(&mut self, id: ThreadId, now: SimTime) {
        if let Doing::Waiting { due, then } = self.threads[id].doing
            && due == now
        {
            self.is_ready(id, then);
        }
    }

    /// An execution may have taken as long as it may.
    pub(crate) fn on_execution_timed_out<O: Observer>(
        &mut self,
        id: ExecutionId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let Execution { times_out, root, .. } = self.executions[id];
        if times_out == context.now {
            self.stop(root, frontend, context);
            self.end(id, ExecutionStatus::TimedOut, Some(ErrorName::StatesTimeout), context);
        }
    }

    /// Other settings: for executions that begin from now on.
    pub(crate) fn reconfigure(&mut self, id: StateMachineId, config: &config::StateMachine, now: SimTime) {
        let machine = &mut self.machines[id];
        machine.transitions.reconfigure(config.transitions, now);
        machine.definitions.push(config.clone());
    }

    fn is_ready(&mut self, id: ThreadId, then: Then) {
        self.threads[id].doing = Doing::Ready(then);
        self.ready.push_back(id);
    }

    /// The thread waits until `due`.
    fn wait<O: Observer>(&mut self, id: ThreadId, due: SimTime, then: Then, context: &mut Context<'_, O>) {
        self.threads[id].doing = Doing::Waiting { due, then };
        let event = Event::Service(ServiceEvent::ThreadDue(id));
        context.schedule(due, Class::Arrival, self.order(id), event);
    }

    fn order(&self, id: ThreadId) -> u32 {
        self.machines[self.execution(id).machine].order
    }

    fn execution(&self, id: ThreadId) -> &Execution {
        &self.executions[self.threads[id].execution]
    }

    fn definition(&self, id: ThreadId) -> &config::StateMachine {
        let Execution { machine, definition, .. } = self.execution(id);
        &self.machines[*machine].definitions[*definition as usize]
    }

    /// The execution is over, and its threads are gone.
    fn end<O: Observer>(
        &mut self,
        id: ExecutionId,
        status: ExecutionStatus,
        error: Option<ErrorName>,
        context: &mut Context<'_, O>,
    ) {
        let Execution { machine, origin, started, waiter, .. } = self.executions.remove(id);
        self.executions[id].times_out = SimTime::MAX;
        self.machines[machine].open -= 1;
        context.state(&Fact::Execution(ExecutionFact::Ended { machine, origin, status, error, started }));
        if let Some(call) = waiter {
            let answer = match status {
                ExecutionStatus::Succeeded => Answer::Success,
                ExecutionStatus::Failed | ExecutionStatus::TimedOut => Answer::FunctionError,
            };
            self.ended.push_back(Ended { call, reply: Reply { answer, status: 200 } });
        }
    }

    /// A thread and all below it are gone; runs that it waits for go on (INV-SF10).
    fn stop<O: Observer>(&mut self, root: ThreadId, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        loop {
            let mut id = root;
            while let Some(child) = self.threads[id].first_child {
                id = child;
            }
            self.stop_one(id, frontend, context);
            if id == root {
                return;
            }
        }
    }

    /// The same of a thread that has no branches or items.
    fn stop_one<O: Observer>(&mut self, id: ThreadId, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        if let Doing::Running { environment, .. } = self.threads[id].doing {
            frontend.abandon(environment, context.now);
            let (machine, state) = (self.execution(id).machine, self.state(id).name);
            let origin = self.visit(id);
            context.state(&Fact::Execution(ExecutionFact::TaskStopped { machine, origin, state }));
        }
        self.threads.unlink(id);
        match self.threads[id].doing {
            // The list still names it.
            Doing::Ready(_) => self.threads[id].doing = Doing::Stopped,
            Doing::Waiting { .. } | Doing::Running { .. } | Doing::Joining { .. } => self.threads.free(id),
            Doing::Stopped => unreachable!("{id:?} is gone already"),
        }
    }

    /// The key of an execution's draws.
    fn draw_key(&mut self, id: ThreadId) -> StreamKey {
        let Execution { machine, origin, .. } = *self.execution(id);
        let Machine { keys, name, .. } = &mut self.machines[machine];
        match keys.binary_search_by_key(&origin.caller, |(caller, _)| *caller) {
            Ok(place) => keys[place].1,
            Err(place) => {
                let key = self.streams.key(&["execution", &self.callers[origin.caller], name]);
                keys.insert(place, (origin.caller, key));
                key
            }
        }
    }
}

impl Machine {
    fn new(config: &config::StateMachine) -> Self {
        Self {
            name: config.name.clone(),
            order: config.order,
            definitions: vec![config.clone()],
            transitions: Transitions::new(config.transitions),
            keys: Vec::new(),
            open: 0,
        }
    }
}

/// A number for a name, the same in every run.
fn hash(name: &str) -> u32 {
    RandomStreams::new(0).key(&["state", name]).half_word(0)
}
