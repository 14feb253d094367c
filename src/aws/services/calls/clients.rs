//! The clients of calls. What a client remembers is in the memory of its environment.

use std::collections::BTreeMap;

use crate::aws::client::Client;
use crate::aws::config::{self, Budget, System};
use crate::aws::ids::{EnvironmentId, FunctionId, Table};
use crate::aws::keys::Keys;
use crate::kernel::rng::{RandomStreams, StreamKey};

/// Which call of which step of a function.
pub(super) type Place = (usize, usize);

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    /// By function, then by step and call.
    calls: Table<FunctionId, BTreeMap<Place, Shared>>,
    /// Those that remember something.
    own: BTreeMap<(EnvironmentId, Place), Client>,
    streams: RandomStreams,
    names: Table<FunctionId, String>,
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
        let mut clients = Self {
            calls: system.functions.rows().iter().map(|_| BTreeMap::new()).collect(),
            own: BTreeMap::new(),
            streams: streams.clone(),
            names: system.functions.rows().iter().map(|function| function.name.clone()).collect(),
        };
        for (id, function) in system.functions.iter() {
            clients.reconfigure(id, function);
        }
        clients
    }

    /// The calls of a function, with other settings perhaps; clients that remember something forget it.
    pub(super) fn reconfigure(&mut self, id: FunctionId, function: &config::Function) {
        let key = self.streams.key(&["calls", &self.names[id]]);
        // Runs under way may still make calls that the new settings do not have.
        let calls = &mut self.calls[id];
        for (step, calls_of_step) in function.calls.iter().enumerate() {
            for (place, call) in calls_of_step.calls.iter().enumerate() {
                let key = key.child(step as u64).child(place as u64);
                let keys = match call.to {
                    config::CallTarget::Send(config::Target::Stream(_)) => {
                        Keys::of_records(&call.keys, key.child(KEYS))
                    }
                    config::CallTarget::Send(_)
                    | config::CallTarget::Dependency(_)
                    | config::CallTarget::Function(..) => Keys::new(&call.keys, key.child(KEYS)),
                };
                let config = &call.client;
                let remembers = config.budget != Budget::None || config.circuit_breaker.is_some() || config.adaptive;
                calls.insert((step, place), Shared { client: Client::new(config), remembers, keys, key });
            }
        }
    }

    /// What all environments of a function share of a call.
    pub(super) fn shared(&self, function: FunctionId, place: Place) -> &Shared {
        &self.calls[function][&place]
    }

    /// The client of a call in an environment.
    pub(super) fn client(&mut self, function: FunctionId, environment: EnvironmentId, place: Place) -> &mut Client {
        let shared = self.calls[function].get_mut(&place).expect("a call of the function");
        if !shared.remembers {
            return &mut shared.client;
        }
        self.own.entry((environment, place)).or_insert_with(|| Client::new(&shared.client.config))
    }

    /// An environment has ended, or lost its memory.
    pub(super) fn forget(&mut self, environment: EnvironmentId) {
        let gone = self.own.range((environment, (0, 0))..=(environment, (usize::MAX, usize::MAX)));
        for key in gone.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.own.remove(&key);
        }
    }
}
