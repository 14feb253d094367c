//! The clients of calls. What a client remembers is in the memory of its environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::aws::client::Client;
use crate::aws::config::{self, Budget, Call, CallStep, System};
use crate::aws::ids::{EnvironmentId, FunctionId, Table};
use crate::aws::keys::Keys;
use crate::kernel::rng::{RandomStreams, StreamKey};

/// A call that runs of a function make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) function: FunctionId,
    /// Which of the lists of calls that the function has had.
    pub(super) version: u32,
    pub(super) step: usize,
    pub(super) branch: usize,
}

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    /// The lists of calls that each function has had: runs under way go on with the one that they began with.
    lists: Table<FunctionId, Vec<Listed>>,
    /// Clients that remember something: by environment, step and call.
    own: BTreeMap<(EnvironmentId, usize, usize), Own>,
    streams: RandomStreams,
}

/// The calls of a function, and what all environments share of them.
#[derive(Debug)]
struct Listed {
    steps: Arc<[CallStep]>,
    shared: Vec<Vec<Shared>>,
}

/// A client in the memory of an environment.
#[derive(Debug)]
struct Own {
    /// Whose settings it has.
    version: u32,
    client: Client,
}

/// What all environments share of a call.
#[derive(Debug)]
pub(super) struct Shared {
    /// The client, where it remembers nothing.
    client: Client,
    remembers: bool,
    /// Keys of what is sent.
    pub(super) keys: Keys,
    /// Key of its draws.
    pub(super) key: StreamKey,
}

const KEYS: u64 = 0;

impl Clients {
    pub(super) fn new(system: &System, streams: &RandomStreams) -> Self {
        let list = |function: &config::Function| vec![Listed::new(function, streams)];
        Self {
            lists: system.functions.rows().iter().map(list).collect(),
            own: BTreeMap::new(),
            streams: streams.clone(),
        }
    }

    /// Other settings of a function. Environments find out when a client is next [needed](Self::client).
    pub(super) fn reconfigure(&mut self, id: FunctionId, function: &config::Function) {
        let lists = &mut self.lists[id];
        if lists.last().is_none_or(|last| last.steps != function.calls) {
            lists.push(Listed::new(function, &self.streams));
        }
    }

    /// The calls of a function in a version.
    pub(super) fn steps(&self, function: FunctionId, version: u32) -> Arc<[CallStep]> {
        Arc::clone(&self.lists[function][version as usize].steps)
    }

    /// What all environments of a function share of a call.
    pub(super) fn shared(&self, place: Place) -> &Shared {
        &self.lists[place.function][place.version as usize].shared[place.step][place.branch]
    }

    /// The client of a call in an environment. Settings that have changed since it was last needed take effect now.
    pub(super) fn client(&mut self, environment: EnvironmentId, place: Place) -> &mut Client {
        let Place { function, version, step, branch } = place;
        let lists = &mut self.lists[function];
        if !lists[version as usize].shared[step][branch].remembers {
            return &mut lists[version as usize].shared[step][branch].client;
        }
        let config = &lists[version as usize].shared[step][branch].client.config;
        let own = self.own.entry((environment, step, branch));
        let own = own.or_insert_with(|| Own { version, client: Client::new(config) });
        while own.version < version {
            own.version += 1;
            let [before, after] = [own.version - 1, own.version].map(|it| lists[it as usize].call(step, branch));
            match (before, after) {
                // What is remembered stays as far as these settings do.
                (Some(before), Some(after)) if before.to == after.to => own.client.reconfigure(&after.client),
                (_, Some(after)) => own.client = Client::new(&after.client),
                (_, None) => {}
            }
        }
        &mut own.client
    }

    /// An environment has ended, or lost its memory.
    pub(super) fn forget(&mut self, environment: EnvironmentId) {
        let all = (environment, 0, 0)..=(environment, usize::MAX, usize::MAX);
        while let Some(key) = self.own.range(all.clone()).next().map(|(key, _)| *key) {
            self.own.remove(&key);
        }
    }
}

impl Listed {
    fn new(function: &config::Function, streams: &RandomStreams) -> Self {
        let key = streams.key(&["calls", &function.name]);
        let calls_of = |(step, calls): (usize, &CallStep)| {
            let call = |(branch, call)| Shared::new(call, key.child(step as u64).child(branch as u64));
            calls.calls.iter().enumerate().map(call).collect()
        };
        Self { steps: Arc::clone(&function.calls), shared: function.calls.iter().enumerate().map(calls_of).collect() }
    }

    fn call(&self, step: usize, branch: usize) -> Option<&Call> {
        self.steps.get(step)?.calls.get(branch)
    }
}

impl Shared {
    fn new(call: &Call, key: StreamKey) -> Self {
        let keys = match call.to {
            config::CallTarget::Send(config::Target::Stream(_)) => Keys::of_records(&call.keys, key.child(KEYS)),
            config::CallTarget::Send(_) | config::CallTarget::Dependency(_) | config::CallTarget::Function(..) => {
                Keys::new(&call.keys, key.child(KEYS))
            }
        };
        let config = &call.client;
        let remembers = config.budget != Budget::None || config.circuit_breaker.is_some() || config.adaptive;
        Self { client: Client::new(config), remembers, keys, key }
    }
}
