//! Dependencies: servers with a waiting line behind functions (contract, `dependencies`).
//!
//! ```text
//! request -> connection limit -> rate limit -> free server: in service -> served
//!                                           -> waiting line: not full -> waits -> in service ..
//! its client gives up: it goes on for nobody, or it is gone
//! ```

use std::collections::{BTreeSet, VecDeque};

use super::concurrency;
use super::config::{self, AbandonedCalls, Discipline, FailureKind, System};
use super::event::{Class, Context, Event, ServiceEvent};
use super::fact::{Answer, DependencyFact, Fact, Observer, Origin, Rejection};
use super::failure::{self, Situation};
use super::function::Names;
use super::ids::{CallerId, DependencyId, EnvironmentId, Id, OutgoingId, RequestId, Slots, Table};
use super::request::Reply;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// All dependencies, and the requests at them.
#[derive(Debug)]
pub(crate) struct Dependencies {
    table: Table<DependencyId, Dependency>,
    requests: Slots<RequestId, Request>,
    /// Environments that hold connections.
    connected: BTreeSet<(EnvironmentId, DependencyId)>,
    /// Requests so far.
    arrived: u64,
    /// Answers for those that wait.
    answers: VecDeque<(OutgoingId, Reply)>,
}

/// One dependency.
#[derive(Debug)]
struct Dependency {
    config: config::Dependency,
    keys: Table<CallerId, StreamKey>,
    bucket: Option<TokenBucket>,
    /// Those that wait, in order of arrival; those that are gone are passed over.
    waiting: VecDeque<(RequestId, u64)>,
    queued: u32,
    in_service: u32,
    connections: u32,
}

/// A request at a dependency.
#[derive(Clone, Copy, Debug)]
struct Request {
    dependency: DependencyId,
    call: Origin,
    attempt: u32,
    arrived: SimTime,
    /// Which of all requests it is: the record may be used again.
    number: u64,
    /// Who waits for it.
    client: Option<OutgoingId>,
    stage: Stage,
}

/// What a request is doing.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It waits for a server.
    Waiting,
    /// It is in service.
    InService(Service),
    /// It was served and is never answered; its client does not know.
    Silent,
    /// Its record waits for another.
    Gone,
}

/// A request in service.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// When it leaves.
    ends: SimTime,
    failed: bool,
    /// Whether anybody hears of its end.
    answers: bool,
}

/// What is asked of a dependency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) dependency: DependencyId,
    pub(crate) call: Origin,
    /// Which attempt of the call, over all runs that make it.
    pub(crate) attempt: u32,
    pub(crate) client: OutgoingId,
    pub(crate) environment: EnvironmentId,
}

/// Purposes of a dependency's draws.
const SERVICE: u64 = 0;
const FAILURE: u64 = 1;

impl Dependencies {
    /// All of them before the run.
    pub(crate) fn new(system: &System, callers: &Names, streams: &RandomStreams) -> Self {
        let dependency = |config: &config::Dependency| Dependency {
            keys: callers.rows().iter().map(|caller| streams.key(&["dependency", caller, &config.name])).collect(),
            bucket: concurrency::bucket(rate_limit(config)),
            waiting: VecDeque::new(),
            queued: 0,
            in_service: 0,
            connections: 0,
            config: config.clone(),
        };
        Self {
            table: system.dependencies.rows().iter().map(dependency).collect(),
            requests: Slots::default(),
            connected: BTreeSet::new(),
            arrived: 0,
            answers: VecDeque::new(),
        }
    }

    /// Requests that are not gone.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.requests.len()
    }

    /// Names of dependencies, and how many requests are there.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, u64)> {
        let count = |it: &Dependency| u64::from(it.in_service) + u64::from(it.queued);
        self.table.rows().iter().map(move |it| (it.config.name.as_str(), count(it)))
    }

    /// Whether there are answers of which nobody has heard.
    #[inline]
    pub(crate) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// An answer for who waits for it.
    #[inline]
    pub(crate) fn next_answer(&mut self) -> Option<(OutgoingId, Reply)> {
        self.answers.pop_front()
    }

    /// A request comes. What is taken is answered later.
    pub(crate) fn ask<O: Observer>(&mut self, asked: Asked, context: &mut Context<'_, O>) -> Result<RequestId, Reply> {
        let Asked { dependency: id, call, attempt, client, environment } = asked;
        if let Some(reason) = self.refusal(id, environment, context.now) {
            context.state(&Fact::Dependency(DependencyFact::Rejected { dependency: id, call, attempt, reason }));
            return Err(refused(reason));
        }
        self.connect(id, environment, context);
        self.arrived += 1;
        let (number, arrived, client) = (self.arrived, context.now, Some(client));
        let row = Request { dependency: id, call, attempt, arrived, number, client, stage: Stage::Waiting };
        let request = self.requests.insert(row);
        let dependency = &mut self.table[id];
        let has_server = dependency.has_server();
        if !has_server {
            dependency.queued += 1;
            dependency.waiting.push_back((request, number));
        }
        let queued = dependency.queued;
        context.state(&Fact::Dependency(DependencyFact::Arrived { dependency: id, call, attempt, queued }));
        if has_server {
            self.serve(request, context);
        }
        Ok(request)
    }

    /// Why a request is refused, if it is; a refusal takes nothing.
    fn refusal(&mut self, id: DependencyId, environment: EnvironmentId, now: SimTime) -> Option<Rejection> {
        let new = self.new_connections(id, environment);
        let dependency = &mut self.table[id];
        let config = &dependency.config;
        if config.connection_limit.is_some_and(|limit| new > limit.saturating_sub(dependency.connections)) {
            return Some(Rejection::ConnectionLimit);
        }
        if !dependency.has_server() && config.queue.is_some_and(|places| dependency.queued >= places) {
            return Some(Rejection::QueueFull);
        }
        match &mut dependency.bucket {
            Some(bucket) if !bucket.has_token(now) => Some(Rejection::RateLimit),
            Some(bucket) => {
                bucket.try_take(now);
                None
            }
            None => None,
        }
    }

    /// Connections that a request of an environment opens.
    fn new_connections(&self, id: DependencyId, environment: EnvironmentId) -> u32 {
        match self.table[id].config.connections_per_environment {
            0 => 1,
            _ if self.connected.contains(&(environment, id)) => 0,
            held => held,
        }
    }

    fn connect<O: Observer>(&mut self, id: DependencyId, environment: EnvironmentId, context: &mut Context<'_, O>) {
        let new = self.new_connections(id, environment);
        let dependency = &mut self.table[id];
        if dependency.config.connections_per_environment > 0 {
            self.connected.insert((environment, id));
        }
        if new > 0 {
            dependency.connections += new;
            dependency.state_connections(id, context);
        }
    }

    /// An environment has ended, or lost its memory: its connections are closed.
    pub(crate) fn disconnect<O: Observer>(&mut self, environment: EnvironmentId, context: &mut Context<'_, O>) {
        let first = DependencyId::from_index(0);
        while let Some(&(of, id)) = self.connected.range((environment, first)..).next() {
            if of != environment {
                break;
            }
            self.connected.remove(&(of, id));
            let dependency = &mut self.table[id];
            dependency.connections =
                dependency.connections.saturating_sub(dependency.config.connections_per_environment);
            dependency.state_connections(id, context);
        }
    }

    /// A request is in service.
    fn serve<O: Observer>(&mut self, request: RequestId, context: &mut Context<'_, O>) {
        let row = &mut self.requests[request];
        let id = row.dependency;
        let dependency = &mut self.table[id];
        dependency.in_service += 1;
        let service = dependency.plan(row, context.now);
        row.stage = Stage::InService(service);
        let Request { call, attempt, arrived, .. } = *row;
        context.state(&Fact::Dependency(DependencyFact::ServiceStarted {
            dependency: id,
            call,
            attempt,
            waited: context.now.since(arrived),
            in_service: dependency.in_service,
            queued: dependency.queued,
        }));
        let event = Event::Service(ServiceEvent::RequestServed(request));
        context.schedule(service.ends, Class::End, dependency.config.order, event);
    }

    /// A request leaves service; another takes its place.
    pub(crate) fn on_served<O: Observer>(&mut self, request: RequestId, context: &mut Context<'_, O>) {
        let Request { dependency: id, call, attempt, arrived, client, stage, .. } = self.requests[request];
        let Stage::InService(service) = stage else { return };
        if service.ends != context.now {
            return; // Another's record, used again.
        }
        let dependency = &mut self.table[id];
        dependency.in_service -= 1;
        context.state(&Fact::Dependency(DependencyFact::Served {
            dependency: id,
            call,
            attempt,
            arrived,
            failed: service.failed,
            answered: client.is_some() && service.answers,
            in_service: dependency.in_service,
        }));
        if let Some(client) = client.filter(|_| service.answers) {
            let reply = if service.failed { FAILED } else { Reply { answer: Answer::Success, status: 200 } };
            self.answers.push_back((client, reply));
        }
        if service.answers || client.is_none() {
            self.leave(request, context);
        } else {
            self.requests[request].stage = Stage::Silent;
        }
        self.serve_next(id, context);
    }

    /// A client gives up.
    pub(crate) fn abandon<O: Observer>(&mut self, request: RequestId, timed_out: bool, context: &mut Context<'_, O>) {
        let row = &mut self.requests[request];
        row.client = None;
        let Request { dependency: id, call, attempt, stage, .. } = *row;
        let dependency = &mut self.table[id];
        let stops = dependency.config.abandoned_calls == AbandonedCalls::Stop;
        let gone = match stage {
            Stage::Silent => true,
            Stage::Waiting if stops => {
                // Its place in the line is passed over later.
                dependency.queued -= 1;
                true
            }
            Stage::InService(_) if stops => {
                dependency.in_service -= 1;
                true
            }
            Stage::Waiting | Stage::InService(_) => false,
            Stage::Gone => unreachable!("{request:?} is gone"),
        };
        context.state(&Fact::Dependency(DependencyFact::Abandoned {
            dependency: id,
            call,
            attempt,
            timed_out,
            gone,
            silent: matches!(stage, Stage::Silent),
            in_service: dependency.in_service,
            queued: dependency.queued,
        }));
        if gone {
            self.leave(request, context);
            self.serve_next(id, context);
        }
    }

    /// The record of a request is gone.
    fn leave<O: Observer>(&mut self, request: RequestId, context: &mut Context<'_, O>) {
        let row = self.requests.remove(request);
        self.requests[request].stage = Stage::Gone;
        let dependency = &mut self.table[row.dependency];
        if dependency.config.connections_per_environment == 0 {
            dependency.connections -= 1;
            dependency.state_connections(row.dependency, context);
        }
    }

    /// Those that wait have their turn, as many as there are servers.
    fn serve_next<O: Observer>(&mut self, id: DependencyId, context: &mut Context<'_, O>) {
        loop {
            let dependency = &mut self.table[id];
            if !dependency.has_server() {
                return;
            }
            let next = match dependency.config.discipline {
                Discipline::Fifo => dependency.waiting.pop_front(),
                Discipline::Lifo => dependency.waiting.pop_back(),
            };
            let Some((request, number)) = next else { return };
            let row = &self.requests[request];
            if row.number == number && matches!(row.stage, Stage::Waiting) {
                dependency.queued -= 1;
                self.serve(request, context);
            }
        }
    }

    /// Other settings; requests in service keep their time.
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        id: DependencyId,
        config: &config::Dependency,
        context: &mut Context<'_, O>,
    ) {
        let dependency = &mut self.table[id];
        concurrency::reconfigure(&mut dependency.bucket, rate_limit(config), context.now);
        dependency.config = config.clone();
        self.serve_next(id, context);
    }
}

impl Dependency {
    fn has_server(&self) -> bool {
        self.config.concurrency.is_none_or(|servers| self.in_service < servers)
    }

    /// How a request goes that is in service from now on; it is already counted.
    fn plan(&self, request: &Request, now: SimTime) -> Service {
        let Request { call, attempt, .. } = *request;
        let key = self.keys[call.caller].child(u64::from(call.branch));
        let (config, index) = (&self.config, call.submission - 1);
        let word = || key.child(SERVICE).run(attempt).word(index);
        let time = config.service_time.is_constant().unwrap_or_else(|| config.service_time.sample(word()));
        let mut time = SimDuration::from_nanos(time);
        if let Some(slowdown) = config.slowdown {
            let above = self.in_service.saturating_sub(slowdown.above);
            time = time.plus(slowdown.per_call.of(time).times(u64::from(above)));
        }
        let situation = Situation { event: Some((call, attempt)), index, start: now, in_flight: self.in_service };
        let verdict = failure::judge(&config.failures, key.child(FAILURE), &situation);
        let after = verdict.map_or(Ratio::ONE, |verdict| verdict.after);
        Service {
            ends: now.plus(after.of(time)),
            failed: verdict.is_some(),
            answers: verdict.is_none_or(|verdict| verdict.kind != FailureKind::Timeout),
        }
    }

    fn state_connections<O: Observer>(&self, id: DependencyId, context: &mut Context<'_, O>) {
        let open = self.connections;
        context.state(&Fact::Dependency(DependencyFact::Connections { dependency: id, open }));
    }
}

/// What a client gets for a request that failed.
const FAILED: Reply = Reply { answer: Answer::ServiceError, status: 500 };

fn refused(reason: Rejection) -> Reply {
    match reason {
        Rejection::RateLimit => Reply { answer: Answer::Throttled, status: 429 },
        Rejection::QueueFull | Rejection::ConnectionLimit => Reply { answer: Answer::ServiceError, status: 503 },
    }
}

/// A rate limit with its depth: what comes in a second.
fn rate_limit(config: &config::Dependency) -> Option<(Rate, u64)> {
    let rate = config.rate_limit?;
    let a_second = u128::from(rate.events) * 1_000_000_000 / u128::from(rate.per.as_nanos());
    Some((rate, u64::try_from(a_second).unwrap_or(u64::MAX).max(1)))
}
