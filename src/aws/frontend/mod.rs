//! The Invoke API: accepts a request and places it on an environment, or refuses it (INV-T1..T6).
//!
//! ```text
//! a client's request:            fault of the service -> callers' rate -> admission -> run
//! the internal queue's dispatch: fault of its own                      -> admission -> run
//! ```

mod calling;

pub(crate) use self::calling::Calling;
use super::admission::{Admission, admit, occupy};
use super::concurrency::Account;
use super::config::{self, Fault, FaultAt, System};
use super::edge::{self, Replicas};
use super::environment::{Environments, Run, State, Waiter};
use super::event::{self, Class, Context, Event, ServiceEvent};
use super::fact::{Answer, Fact, Observer, Origin, RunOutcome, ThrottleReason};
use super::function::{Function, Names, Purpose};
use super::ids::{CallId, CallerId, EnvironmentId, ErrorId, FunctionId, Table};
use super::placement::{self, Place};
use super::request::{Answered, BatchRequest, Invoked, Recorded, Reply, Request, RunAnswer};
use super::run::{Planned, Start};
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};

/// The Invoke API of one account: its limits, functions and environments.
#[derive(Debug)]
pub(crate) struct Frontend {
    account_config: config::Account,
    account: Account,
    functions: Table<FunctionId, Function>,
    environments: Environments,
    streams: RandomStreams,
    callers: Names,
    /// Runs under way.
    running: u64,
    replicas: Replicas,
}

impl Frontend {
    /// The service before the run. `callers` are the names that draws are keyed by.
    pub(crate) fn new(system: &System, callers: Names, streams: RandomStreams) -> Self {
        let faults = |at| system.faults.iter().filter(|fault: &&Fault| fault.at == at).cloned().collect();
        let faults = |id| [faults(FaultAt::Invoke(id)), faults(FaultAt::Dispatch(id))];
        let function = |(id, config)| Function::new(id, config, faults(id), &system.account, &streams);
        let mut functions: Table<_, _> = system.functions.iter().map(function).collect();
        let replicas = Replicas::new(system, &mut functions, faults, &streams);
        let connecting = calling::connecting(system);
        for (_, function) in functions.iter_mut() {
            function.connects = connecting.contains(&function.id);
        }
        Self {
            account: Account::new(&system.account),
            functions,
            replicas,
            environments: Environments::new(system.has_calls()),
            account_config: system.account.clone(),
            streams,
            callers,
            running: 0,
        }
    }

    /// Runs under way.
    #[inline]
    pub(crate) fn running(&self) -> u64 {
        self.running
    }

    /// Lambda@Edge: the replica that serves the Region of a caller.
    pub(crate) fn replica(&self, caller: CallerId) -> Option<FunctionId> {
        self.replicas.get(caller)
    }

    /// Lambda@Edge: runs under way in the Region of a caller.
    pub(crate) fn at_edge(&self, caller: CallerId) -> u32 {
        self.replica(caller).map_or(0, |replica| self.functions[replica].in_flight)
    }

    /// Names of functions with runs under way, and how many.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, u32)> {
        let originals = self.functions.iter().filter(|(row, function)| function.id == *row);
        originals.map(|(id, function)| {
            let runs = self.functions.rows().iter().filter(|row| row.id == id).map(|row| row.in_flight).sum();
            (function.config.name.as_str(), runs)
        })
    }

    /// Calls that wait for a run and have no record.
    pub(crate) fn first_attempts(&self) -> impl Iterator<Item = Origin> {
        self.environments.runs().filter(|run| run.waiter == Waiter::FirstAttempt).map(|run| run.origin)
    }

    /// What stands ready when the run starts.
    pub(crate) fn start<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        for (id, function) in self.functions.iter_mut() {
            function.start_provisioned(id, &mut self.environments, &self.account_config, context);
        }
        self.allocate(context);
    }

    /// A synchronous request of a client.
    #[inline(always)]
    pub(crate) fn invoke<O: Observer>(&mut self, request: &Request<'_>, context: &mut Context<'_, O>) -> Invoked {
        if let Some(reply) = self.fault(request.function, request.origin, request.attempt, context.now) {
            return Invoked::Refused(reply);
        }
        if !self.account.caller_rate_available(context.now) {
            let reason = ThrottleReason::CallerRateLimitExceeded;
            return throttled(request.origin, self.functions[request.function].id, reason, context);
        }
        self.run(
            request,
            context,
            #[inline(always)]
            |function, start, now, (callers, streams)| function.plan(request, start, now, callers, streams),
        )
    }

    /// A request of a mapping. `failed` says which records the function will report, `unreadable` whether its answer
    /// cannot be read.
    #[inline(never)]
    pub(crate) fn invoke_batch<O: Observer>(
        &mut self,
        batch: &BatchRequest<'_, impl Recorded>,
        failed: &mut Vec<bool>,
        unreadable: &mut bool,
        context: &mut Context<'_, O>,
    ) -> Invoked {
        let BatchRequest { function, ref origin, run, waiter, attempt, .. } = *batch;
        if let Some(reply) = self.fault(function, origin, attempt, context.now) {
            return Invoked::Refused(reply);
        }
        let request = Request { origin, function, waiter, attempt, run, duration: None };
        if !self.account.caller_rate_available(context.now) {
            return throttled(origin, function, ThrottleReason::CallerRateLimitExceeded, context);
        }
        self.run(&request, context, |function, start, now, names| {
            let plan = function.plan_batch(batch, failed, start, now, names);
            *unreadable = plan.unreadable;
            Planned::InFull(plan)
        })
    }

    /// A request of the internal queue; `attempt` counts the dispatches of its event.
    #[inline(never)]
    pub(crate) fn dispatch<O: Observer>(&mut self, request: &Request<'_>, context: &mut Context<'_, O>) -> Invoked {
        let Request { origin, function, attempt, .. } = *request;
        let Self { functions, streams, callers, .. } = self;
        if let Some(status) = functions[function].dispatch_fault(origin, attempt, context.now, callers, streams) {
            context.state(&Fact::DispatchRefused { origin: *origin, function, status });
            return Invoked::Refused(Reply::fault(status));
        }
        self.run(request, context, |function, start, now, (callers, streams)| {
            function.plan(request, start, now, callers, streams)
        })
    }

    /// INV-T5: the answer of the Invoke API where a fault of the service strikes this attempt.
    #[inline(always)]
    pub(crate) fn fault(&mut self, id: FunctionId, origin: &Origin, attempt: u32, now: SimTime) -> Option<Reply> {
        let Self { functions, streams, callers, .. } = self;
        let function = &mut functions[id];
        if !function.has_faults() {
            return None;
        }
        function.fault(origin, attempt, now, callers, streams).map(Reply::fault)
    }

    /// Runs the function, if concurrency and rates allow it.
    #[inline(always)]
    fn run<O: Observer>(
        &mut self,
        request: &Request<'_>,
        context: &mut Context<'_, O>,
        plan: impl FnOnce(&mut Function, Start, SimTime, (&Names, &RandomStreams)) -> Planned,
    ) -> Invoked {
        let Self { account, functions, environments, streams, callers, running, .. } = self;
        let (now, id) = (context.now, request.function);
        let function = &mut functions[id];
        expire_idle(function, environments, context);
        let provisioned = match admit(function, account, now) {
            Admission::Provisioned => true,
            Admission::OnDemand => false,
            Admission::Throttled(reason) => return throttled(request.origin, function.id, reason, context),
        };
        *running += 1;
        let (environment, new) = occupy(function, id, provisioned, account, environments, context);
        let start = match (new, environments[environment].needs_init) {
            (true, _) => Start::Cold,
            (false, true) => Start::AfterReset,
            (false, false) => Start::Warm,
        };
        let place = Place { environment, provisioned, start };
        let plan = plan(function, start, now, (&*callers, &*streams));
        placement::begin(request, function, environments, place, plan, context)
    }

    /// The key of an event's draws at a function for a purpose.
    pub(crate) fn draw_key(&mut self, function: FunctionId, purpose: Purpose, origin: &Origin) -> StreamKey {
        let Self { functions, streams, callers, .. } = self;
        functions[function].draw_key(purpose, origin, callers, streams)
    }

    /// Size of the answer of one run, bytes.
    pub(crate) fn response_bytes(&mut self, function: FunctionId, origin: &Origin, run: u32) -> u64 {
        let Self { functions, streams, callers, .. } = self;
        functions[function].response_bytes(origin, run, callers, streams)
    }

    /// INV-C5: whether nothing may run.
    pub(crate) fn is_off(&self, function: FunctionId) -> bool {
        self.functions[function].hot.reserved_concurrency == Some(0)
    }

    /// The call that waits for a run has a record from now on.
    pub(crate) fn set_waiter(&mut self, environment: EnvironmentId, call: CallId) {
        let State::Busy(run) = &mut self.environments[environment].state else {
            unreachable!("{environment:?} is not running")
        };
        run.waiter = Waiter::Call(call);
    }

    /// The client of a run gave up waiting (INV-Y3): the run goes on.
    pub(crate) fn abandon(&mut self, environment: EnvironmentId, now: SimTime) {
        let State::Busy(run) = &mut self.environments[environment].state else {
            unreachable!("{environment:?} is not running")
        };
        run.waiter = Waiter::Nobody;
        run.abandoned = true;
        self.environments.details(environment).abandoned = now;
    }

    /// The answer of a run leaves while extensions go on (INV-E9): who waits for it, and what it says.
    #[inline(never)]
    pub(crate) fn on_replied(&mut self, environment: EnvironmentId) -> Option<Answered> {
        let error = self.environments.error(environment);
        match &mut self.environments[environment].state {
            State::Busy(run) => run.take_reply(error),
            State::Idle(_) | State::Recovering => unreachable!("{environment:?} is not running"),
        }
    }

    /// Whether more than usual is known of a run.
    #[inline(always)]
    pub(crate) fn has_details(&self, id: EnvironmentId) -> bool {
        self.environments[id].has_details()
    }

    /// A run ended: its concurrency is free, and its environment waits for the next, is reset or retired.
    /// Gives the answer and who waits for it, unless it has left before. `has_details` is for the compiler to know.
    #[inline(always)]
    pub(crate) fn on_run_ended<O: Observer>(
        &mut self,
        id: EnvironmentId,
        has_details: bool,
        context: &mut Context<'_, O>,
    ) -> Option<Answered> {
        let details = has_details.then(|| *self.environments.details(id));
        let row = &mut self.environments[id];
        let function_id = row.function;
        let function = &mut self.functions[function_id];
        let provisioned = row.provisioned;
        let State::Busy(run) = &mut row.state else { unreachable!("{id:?} is not running") };
        let (init, suppressed_init, invoked, error) = match details {
            Some(details) if run.has_details => (details.init, details.suppressed_init, details.invoked, details.error),
            Some(_) | None => (None, None, run.started, None),
        };
        let reply = run.take_reply(error);
        context.state(&Fact::RunEnded {
            origin: run.origin,
            function: function.id,
            run: run.number,
            environment: u64::from(row.number),
            started: run.started,
            duration: context.now.since(invoked),
            init,
            suppressed_init,
            outcome: run.outcome,
            error,
            capacity: function.capacity(provisioned),
            abandoned: details.filter(|_| run.abandoned).map(|details| details.abandoned),
        });
        let (reset, useless) = (row.needs_init, run.restore_timed_out);
        function.in_flight -= 1;
        self.running -= 1;
        if reset && !useless {
            context.state(&Fact::EnvironmentReset { function: function.id, environment: u64::from(row.number) });
        }
        if provisioned {
            row.needs_init = false;
            self.release_unit(id, reset, context);
            return reply;
        }
        let old_code = row.code != function.code;
        if reset {
            self.environments.close(id);
        }
        function.on_demand -= 1;
        if function.hot.draws_on_account() {
            self.account.leave();
        }
        // INV-E13, E15: age and code are looked at when the environment becomes idle.
        let too_old = function
            .hot
            .maximum_environment_age
            .is_some_and(|limit| context.now.since(self.environments.details(id).created) >= limit);
        if useless || old_code || too_old {
            self.retire(id, context);
        } else {
            let deadline = context.now.plus(function.idle_limit());
            function.pool.add(id, deadline, &mut self.environments);
            if function.connects {
                let event = Event::Service(ServiceEvent::EnvironmentsIdle(function_id));
                // At its limit it may still serve.
                let gone = deadline.plus(SimDuration::from_nanos(1));
                context.schedule(gone, Class::Timer, function.hot.order, event);
            }
        }
        reply
    }

    /// A unit of provisioned concurrency is free.
    #[inline(never)]
    fn release_unit<O: Observer>(&mut self, id: EnvironmentId, reset: bool, context: &mut Context<'_, O>) {
        let function_id = self.environments[id].function;
        let function = &mut self.functions[function_id];
        expire_idle(function, &mut self.environments, context);
        if reset {
            self.environments.close(id);
        }
        function.release_unit(id, reset, &mut self.environments, context);
    }

    /// An environment is of no use after its run.
    #[inline(never)]
    fn retire<O: Observer>(&mut self, id: EnvironmentId, context: &mut Context<'_, O>) {
        let function = &mut self.functions[self.environments[id].function];
        expire_idle(function, &mut self.environments, context);
        end(function.id, id, context.now, &mut self.environments, context);
    }

    /// The state at the end of the run: idle environments that waited too long are gone.
    pub(crate) fn finish<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        for (_, function) in self.functions.iter_mut() {
            expire_idle(function, &mut self.environments, context);
        }
    }

    /// INV-E15: new code; idle environments of the old are gone.
    pub(crate) fn deploy<O: Observer>(&mut self, id: FunctionId, context: &mut Context<'_, O>) {
        for (_, function) in self.functions.iter_mut().filter(|(_, function)| function.id == id) {
            function.code = function.code.wrapping_add(1);
            expire_idle(function, &mut self.environments, context);
            for (environment, _) in function.pool.drain() {
                end(id, environment, context.now, &mut self.environments, context);
            }
        }
        self.allocate(context);
    }

    /// Other limits of the account.
    pub(crate) fn change_account<O: Observer>(&mut self, config: &config::Account, context: &mut Context<'_, O>) {
        let scaling_changed = config.scaling != self.account_config.scaling;
        self.account.reconfigure(context.now, config);
        self.account_config = config.clone();
        for (_, function) in self.functions.iter_mut() {
            function.reconfigure_rate(context.now, config);
            function.provisioned.reconfigure_rate(context.now, config);
            if scaling_changed {
                function.set_scaling(config.scaling);
            }
        }
        self.allocate(context);
    }

    /// Other settings of a function.
    pub(crate) fn change_function<O: Observer>(
        &mut self,
        id: FunctionId,
        config: &config::Function,
        context: &mut Context<'_, O>,
    ) {
        for (row, function) in self.functions.iter_mut().filter(|(_, function)| function.id == id) {
            let replicas_own = (row != id).then(|| edge::settings(config));
            let config = replicas_own.as_ref().unwrap_or(config);
            expire_idle(function, &mut self.environments, context);
            let old = function.replace_config(config);
            if old.reserved_concurrency != config.reserved_concurrency {
                function.reconfigure_rate(context.now, &self.account_config);
            }
            if old.warm_selection != config.warm_selection || old.idle_timeout != config.idle_timeout {
                function.pool.reconfigure(config.warm_selection, &mut self.environments);
            }
            let old = &old.provisioned_concurrency;
            function.reconfigure_provisioned(row, old, &mut self.environments, &self.account_config, context);
        }
        self.allocate(context);
    }

    /// An event of provisioned concurrency.
    pub(crate) fn on_provisioned<O: Observer>(&mut self, event: event::Provisioned, context: &mut Context<'_, O>) {
        use event::Provisioned;
        let id = match event {
            Provisioned::Scheduled(id) | Provisioned::Ready(id) | Provisioned::Minute(id) => id,
            Provisioned::Recovered(unit) => self.environments[unit].function,
        };
        let (function, environments) = (&mut self.functions[id], &mut self.environments);
        expire_idle(function, environments, context);
        let account = &self.account_config;
        match event {
            Provisioned::Scheduled(_) => function.on_provisioned_scheduled(id, environments, account, context),
            Provisioned::Ready(_) => function.on_provisioned_ready(id, environments, account, context),
            Provisioned::Minute(_) => function.on_tracking_minute(id, environments, account, context),
            Provisioned::Recovered(unit) => function.on_provisioned_recovered(unit, environments, context),
        }
        self.allocate(context);
    }

    /// INV-C9, C11: recomputes what is allocated out of the account's pool, and who is in the pool.
    fn allocate<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        self.functions.iter_mut().for_each(|(_, function)| function.refresh_capacity());
        let sum = |units: fn(&Function) -> u32| self.functions.rows().iter().map(units).fold(0, u32::saturating_add);
        let (units, unreserved_in_flight) = (sum(Function::allocated_units), sum(Function::unreserved_in_flight));
        if self.account.set_pool(units, unreserved_in_flight) || context.now == SimTime::ZERO {
            context.state(&Fact::AccountAllocated { units, unreserved_in_flight });
        }
    }
}

/// A refusal for want of concurrency or rate.
#[inline(never)]
fn throttled<O: Observer>(
    origin: &Origin,
    function: FunctionId,
    reason: ThrottleReason,
    context: &mut Context<'_, O>,
) -> Invoked {
    context.state(&Fact::Throttled { origin: *origin, function, reason });
    Invoked::Refused(Reply { answer: Answer::Throttled, status: 429 })
}

/// INV-E12: idle environments whose limit has passed are gone, each at its own moment.
#[inline(always)]
fn expire_idle<O: Observer>(function: &mut Function, environments: &mut Environments, context: &mut Context<'_, O>) {
    while let Some((environment, at)) = function.pool.expire(context.now, environments) {
        end(function.id, environment, at, environments, context);
    }
}

fn end<O: Observer>(
    function: FunctionId,
    id: EnvironmentId,
    at: SimTime,
    environments: &mut Environments,
    context: &mut Context<'_, O>,
) {
    context.state(&Fact::EnvironmentEnded { function, environment: u64::from(environments[id].number), at });
    environments.end(id);
}

impl Run {
    /// The answer and who waits for it, once.
    #[inline(always)]
    fn take_reply(&mut self, error: Option<ErrorId>) -> Option<Answered> {
        let waiter = std::mem::replace(&mut self.waiter, Waiter::Nobody);
        if waiter == Waiter::Nobody {
            return None;
        }
        let reply = if self.outcome == RunOutcome::Success {
            Reply { answer: Answer::Success, status: 200 }
        } else if self.restore_timed_out {
            Reply { answer: Answer::ServiceError, status: 408 }
        } else {
            // INV-T6: a function's failure is an answer with status 200.
            Reply { answer: Answer::FunctionError, status: 200 }
        };
        Some(Answered { waiter, origin: self.origin, answer: RunAnswer { reply, outcome: self.outcome, error } })
    }
}
