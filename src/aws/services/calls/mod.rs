//! The calls that runs make downstream, one step after the other (contract, `calls`).
//!
//! ```text
//! handler done -> step 1: calls side by side -> step 2 -> .. -> the run ends: success
//!                   a call that fails, where it fails the run -> the run ends: error
//!                   the function's time-out                   -> the run ends: time-out
//! ```
//! What is still under way when a run ends is abandoned. [`Chain`] is the calls of one run, [`Outgoing`] one of them;
//! what they do is in `chain` and `attempt`.

mod attempt;
mod chain;
mod clients;

use std::collections::VecDeque;
use std::sync::Arc;

use self::clients::{Clients, Place};
use crate::aws::client::Attempts;
use crate::aws::config::{self, CallStep, System};
use crate::aws::environment::CallsToMake;
use crate::aws::fact::Origin;
use crate::aws::ids::{ChainId, EnvironmentId, FunctionId, LineageId, OutgoingId, RequestId, Slots};
use crate::aws::request::Reply;
use crate::kernel::rng::RandomStreams;
use crate::kernel::time::SimTime;

/// The calls of all runs.
#[derive(Debug)]
pub(crate) struct Calls {
    chains: Slots<ChainId, Chain>,
    under_way: Slots<OutgoingId, Outgoing>,
    clients: Clients,
    /// Calls so far.
    made: u64,
    /// Attempts that have ended, in order, with the number of their call.
    ended: VecDeque<(OutgoingId, u64, Ended)>,
}

/// The calls of one run.
#[derive(Debug)]
struct Chain {
    environment: EnvironmentId,
    function: FunctionId,
    /// The event of the run, and which run of it.
    origin: Origin,
    run: u32,
    /// The chain of requests that the run belongs to.
    lineage: LineageId,
    to_make: CallsToMake,
    steps: Arc<[CallStep]>,
    /// Where it stands.
    step: usize,
    /// The calls of that step, each with how many were made and how many are under way.
    branches: Vec<Branch>,
    open: Vec<OutgoingId>,
    order: u32,
    is_open: bool,
}

/// One call of a step, made once or several times.
#[derive(Clone, Copy, Debug, Default)]
struct Branch {
    made: u32,
    under_way: u32,
}

/// One call under way.
#[derive(Clone, Copy, Debug)]
struct Outgoing {
    chain: ChainId,
    /// Which of all calls it is: the record may be used again.
    number: u64,
    /// Which call of the chain's step.
    branch: usize,
    call: Origin,
    submitted: SimTime,
    attempts: Attempts,
    /// The chain of requests that a run which it starts belongs to.
    lineage: LineageId,
    /// Runs that it started.
    runs: u32,
    state: OutgoingState,
    /// When it gives up, or goes on, in this state.
    due: SimTime,
}

/// What a call is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutgoingState {
    /// Being decided upon; its last attempt may have ended.
    Deciding,
    /// Waiting before the next attempt, or for the limiter.
    Waiting,
    /// Waiting for a function.
    Running(EnvironmentId),
    /// Waiting for a dependency.
    Asking(RequestId),
    /// Over; its record waits for another.
    Finished,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// With this answer.
    Answered(Reply),
    /// Its client gave up.
    TimedOut,
    /// The circuit breaker did not let it be sent.
    CircuitOpen,
}

impl Chain {
    /// A call of its step.
    fn place(&self, branch: usize) -> Place {
        Place { function: self.function, version: self.to_make.version, step: self.step, branch }
    }
}

impl Calls {
    /// Before the run.
    pub(crate) fn new(system: &System, streams: &RandomStreams) -> Self {
        Self {
            chains: Slots::default(),
            under_way: Slots::default(),
            clients: Clients::new(system, streams),
            made: 0,
            ended: VecDeque::new(),
        }
    }

    /// The answer of a function to a call.
    pub(crate) fn answered(&mut self, id: OutgoingId, reply: Reply) {
        self.end_attempt(id, Ended::Answered(reply));
    }

    /// Other settings of a function; runs under way go on with the calls that they began with.
    pub(crate) fn reconfigure(&mut self, id: FunctionId, function: &config::Function) {
        self.clients.reconfigure(id, function);
    }

    /// An environment has ended, or lost its memory.
    pub(crate) fn forget(&mut self, environment: EnvironmentId) {
        self.clients.forget(environment);
    }

    /// Whether attempts have ended of which nobody has heard.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// An attempt has ended; what follows is for later in this moment.
    fn end_attempt(&mut self, id: OutgoingId, end: Ended) {
        self.ended.push_back((id, self.under_way[id].number, end));
    }

    /// An attempt that has ended, of a call that is still under way.
    fn next_ended(&mut self) -> Option<(OutgoingId, Ended)> {
        loop {
            let (id, number, end) = self.ended.pop_front()?;
            let call = &self.under_way[id];
            if call.number == number && call.state != OutgoingState::Finished {
                return Some((id, end));
            }
        }
    }
}
