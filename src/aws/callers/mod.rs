//! The calls of all callers: from submission, over attempts and waits, to their end.
//!
//! ```text
//! submitted -> [waits for the limiter] -> attempt sent -> answered or timed out -> [waits] -> attempt sent ..
//!                                                                               -> finished
//! ```
//! Whether a client will give up waiting for a run is known when the run starts, so a time-out that will not
//! happen is no event (INV-Y3: one that happens leaves the run going). A call gets a [record](Calls) only when there is
//! something to remember: most end with the answer to their first attempt.

mod fronts;
mod users;

use self::users::User;
use super::attempt::{Step, answered, call_ends, gave_up, send, set_timer, try_send};
use super::call::{Call, CallState, Calls};
use super::caller::{Caller, FirstAttempt, Passage};
use super::client::AttemptEnd;
use super::config::{Client, Load, System, UserStart};
use super::environment::Waiter;
use super::event::{Class, Context, Event};
use super::fact::{Answer, Fact, FrontFact, Observer, Origin, Outcome};
use super::ids::{CallId, CallerId, FunctionId, Id, Table, UserId};
use super::request::{Answered, Invoked, Reply, Request, RunAnswer};
use super::services::Services;
use super::state_machines::Ended;
use crate::kernel::rng::RandomStreams;
use crate::kernel::time::SimTime;

/// Callers, their users and their calls.
#[derive(Debug)]
pub(crate) struct Callers {
    table: Table<CallerId, Caller>,
    calls: Calls,
    users: Table<UserId, User>,
    /// Callers submit before this moment.
    submit_until: SimTime,
}

impl Callers {
    /// All callers before the run.
    pub(crate) fn new(system: &System, submit_until: SimTime, streams: &RandomStreams) -> Self {
        Self {
            table: system.callers.rows().iter().map(|caller| Caller::new(caller, streams)).collect(),
            calls: Calls::default(),
            users: Table::new(),
            submit_until,
        }
    }

    /// First arrivals and users.
    pub(crate) fn start<O: Observer>(&mut self, system: &System, context: &mut Context<'_, O>) {
        for (id, config) in system.callers.iter() {
            match &config.load {
                Load::Open(_) => schedule_arrival(id, &mut self.table[id], self.submit_until, context),
                Load::Closed { count, start, .. } => {
                    for index in 0..*count {
                        let user = self.users.push(User { caller: id, index, cycle: 0 });
                        self.schedule_user(user, *start == UserStart::AtOnce, context);
                    }
                }
            }
        }
    }

    /// Calls under way that have a record; others wait for a run.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.calls.open()
    }

    /// Names of callers and how many calls of each are under way.
    pub(crate) fn busy<'a>(&'a self, services: &Services) -> impl Iterator<Item = (&'a str, u64)> {
        let mut open = vec![0; self.table.len()];
        let with_record = self.calls.iter_open().map(|call| call.origin.caller);
        for caller in with_record.chain(services.first_attempts().map(|origin| origin.caller)) {
            open[caller.index()] += 1;
        }
        self.table.rows().iter().map(|caller| caller.name.as_str()).zip(open)
    }

    /// Other settings of a client.
    pub(crate) fn reconfigure(&mut self, id: CallerId, config: &Client) {
        self.table[id].reconfigure(config);
    }

    /// An open loop submits.
    #[inline(always)]
    pub(crate) fn on_arrival<O: Observer>(
        &mut self,
        id: CallerId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let caller = &mut self.table[id];
        let (submission, first_attempt) = (caller.submit(), caller.first_attempt);
        schedule_arrival(id, caller, self.submit_until, context);
        let Some(submission) = submission else { return };
        let origin = Origin { caller: id, branch: 0, submission, submitted: context.now };
        context.state(&Fact::CallSubmitted { origin });
        match first_attempt {
            FirstAttempt::Invokes(function) => self.invoke_first(origin, function, services, context),
            FirstAttempt::SendsEvent(_)
            | FirstAttempt::SendsMessage(_)
            | FirstAttempt::PutsRecord(_)
            | FirstAttempt::Buffers
            | FirstAttempt::MayWait => {
                self.send_otherwise(id, submission, first_attempt, services, context);
            }
        }
    }

    /// Sends the first attempt of an open loop's call. Most calls end with its answer, in time, and never need a record.
    #[inline(always)]
    fn invoke_first<O: Observer>(
        &mut self,
        origin: Origin,
        function: FunctionId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let caller = self.send_first(origin, context);
        let duration = caller.duration(origin.submission);
        let waiter = Waiter::FirstAttempt;
        let request = Request { origin: &origin, function, waiter, attempt: 1, run: 1, duration };
        match services.invoke(&request, context) {
            Invoked::Refused(reply) => self.refused_at_once(origin, reply, services, context),
            Invoked::Started { environment, reply_at } => {
                let gives_up = context.now.plus(caller.patience);
                if reply_at > gives_up {
                    let order = caller.order;
                    let id = self.calls.begin_sent(origin, 1);
                    services.set_waiter(environment, id);
                    let call = &mut self.calls[id];
                    call.state = CallState::Running(environment);
                    set_timer(id, call, gives_up, order, context);
                }
            }
        }
    }

    /// Sends the first attempt of an open loop's call that does not simply invoke. Further messages of the call are
    /// submissions of their own.
    #[inline(never)]
    fn send_otherwise<O: Observer>(
        &mut self,
        id: CallerId,
        submission: u64,
        first_attempt: FirstAttempt,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let origin = Origin { caller: id, branch: 0, submission, submitted: context.now };
        self.send_one(origin, first_attempt, services, context);
        for _ in 1..self.table[origin.caller].messages_per_call {
            let Some(submission) = self.table[origin.caller].submit() else { break };
            let origin = Origin { submission, ..origin };
            context.state(&Fact::CallSubmitted { origin });
            self.send_one(origin, self.table[origin.caller].first_attempt, services, context);
        }
    }

    #[inline(always)]
    fn send_one<O: Observer>(
        &mut self,
        origin: Origin,
        first_attempt: FirstAttempt,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        match first_attempt {
            FirstAttempt::SendsEvent(function) => self.send_event(origin, function, services, context),
            FirstAttempt::SendsMessage(queue) => {
                let caller = self.send_first(origin, context);
                let reply = services.send(queue, caller.message(origin), caller.fault_key(), 1, context);
                self.answered_at_once(origin, reply, services, context);
            }
            FirstAttempt::PutsRecord(to) => {
                let caller = self.send_first(origin, context);
                let reply = services.put(to, caller.record(origin), caller.fault_key(), 1, context);
                self.answered_at_once(origin, reply, services, context);
            }
            FirstAttempt::Buffers => {
                services.buffer(origin, self.table[origin.caller].payload(origin.submission), context);
            }
            FirstAttempt::Invokes(_) | FirstAttempt::MayWait => self.submit(origin, None, services, context),
        }
    }

    /// Nearly all events are accepted.
    fn send_event<O: Observer>(
        &mut self,
        origin: Origin,
        function: FunctionId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let payload_bytes = self.send_first(origin, context).payload(origin.submission);
        match services.accept(origin, function, 1, payload_bytes, context) {
            Err(reply) => self.refused_at_once(origin, reply, services, context),
            Ok(event) => {
                self.finish_at_once(origin, Reply::ACCEPTED, 0, context);
                services.begin(event, context);
            }
        }
    }

    /// What was sent has its answer; nearly all of it is accepted.
    #[inline(always)]
    fn answered_at_once<O: Observer>(
        &mut self,
        origin: Origin,
        reply: Reply,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        if reply.answer == Answer::Success {
            self.finish_at_once(origin, reply, 0, context);
        } else {
            self.refused_at_once(origin, reply, services, context);
        }
    }

    /// The first attempt of a call that has no record is sent; gives back its caller.
    #[inline(always)]
    fn send_first<O: Observer>(&mut self, origin: Origin, context: &mut Context<'_, O>) -> &mut Caller {
        context.state(&Fact::AttemptSent { origin, attempt: 1 });
        let caller = &mut self.table[origin.caller];
        caller.client.send_first();
        caller
    }

    /// The first attempt of a call was refused; the call gets a record, as the client may try again.
    #[inline(never)]
    fn refused_at_once<O: Observer>(
        &mut self,
        origin: Origin,
        reply: Reply,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let id = self.calls.begin_sent(origin, 0);
        self.on_reply_to(id, reply, services, context);
    }

    #[inline(never)]
    fn submit<O: Observer>(
        &mut self,
        origin: Origin,
        user: Option<UserId>,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let (id, call) = self.calls.begin(origin, user);
        let caller = &mut self.table[origin.caller];
        let step = match caller.event_delay(origin.submission) {
            Some(delay) if !delay.is_zero() => {
                let until = context.now.plus(delay);
                call.state = CallState::BackingOff;
                context.state(&Fact::Front(FrontFact::Delayed { origin, until }));
                context.schedule(until, Class::Arrival, caller.order, Event::RetryDue(id));
                Step::Waits
            }
            Some(_) | None => try_send(id, origin, call, caller, services, context),
        };
        self.after(id, step, services, context);
    }

    /// A client tries again.
    #[inline(never)]
    pub(crate) fn on_retry_due<O: Observer>(
        &mut self,
        id: CallId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let call = &mut self.calls[id];
        let origin = call.origin;
        let caller = &mut self.table[origin.caller];
        let step = try_send(id, origin, call, caller, services, context);
        self.after(id, step, services, context);
    }

    /// An answer arrives at a client.
    #[inline(always)]
    pub(crate) fn on_reply<O: Observer>(
        &mut self,
        answered: &Answered,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let Answered { waiter, origin, answer: RunAnswer { reply, outcome, .. } } = *answered;
        let id = match waiter {
            Waiter::FirstAttempt if reply.answer == Answer::Success => {
                return self.finish_at_once(origin, reply, 1, context);
            }
            Waiter::FirstAttempt => self.calls.begin_sent(origin, 1),
            Waiter::Call(id) => {
                let reply = self.behind_door(id, reply, outcome, services, context);
                return self.on_reply_to(id, reply, services, context);
            }
            Waiter::Nobody
            | Waiter::Event(_)
            | Waiter::Batch(_)
            | Waiter::Worker(_)
            | Waiter::Buffer(_)
            | Waiter::Thread(_)
            | Waiter::Outgoing(_) => {
                unreachable!("no caller waits for this answer")
            }
        };
        self.on_reply_to(id, reply, services, context);
    }

    /// A call ends with the answer to its first attempt.
    #[inline(always)]
    fn finish_at_once<O: Observer>(&mut self, origin: Origin, reply: Reply, runs: u32, context: &mut Context<'_, O>) {
        let Reply { answer, status } = reply;
        context.state(&Fact::AttemptAnswered { origin, attempt: 1, answer, status });
        self.table[origin.caller].client.on_first_success(context.now, answer);
        let outcome = AttemptEnd::Answered(answer).outcome();
        context.state(&Fact::CallFinished { origin, outcome, attempts: 1, runs });
    }

    /// An execution that a call waits for has ended.
    pub(crate) fn on_execution_ended<O: Observer>(
        &mut self,
        ended: Ended,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        self.calls[ended.call].timer = SimTime::MAX;
        self.on_reply_to(ended.call, ended.reply, services, context);
    }

    /// An answer arrives for a call with a record.
    #[inline(never)]
    fn on_reply_to<O: Observer>(
        &mut self,
        id: CallId,
        reply: Reply,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let call = &mut self.calls[id];
        let caller = &mut self.table[call.origin.caller];
        let step = answered(id, call, caller, reply, context);
        self.after(id, step, services, context);
    }

    /// The limiter may have a token for the call that has waited longest.
    #[inline(never)]
    pub(crate) fn on_limiter_due<O: Observer>(
        &mut self,
        id: CallerId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let caller = &mut self.table[id];
        if caller.limiter_due != Some(context.now) {
            return; // Asked again since.
        }
        caller.limiter_due = None;
        let Some(first) = caller.first_limited(&self.calls) else { return };
        let acquired = caller.client.acquire(context.now);
        if acquired.is_ok() {
            caller.pop_limited();
            let call = &mut self.calls[first];
            call.timer = SimTime::MAX;
            let step = send(first, call.origin, call, caller, services, context);
            self.after(first, step, services, context);
        }
        let caller = &mut self.table[id];
        if caller.first_limited(&self.calls).is_some() {
            // After a grant at once, as there may be several tokens.
            caller.ask_limiter(id, acquired.err().unwrap_or_default(), context);
        }
    }

    /// A client gives up waiting: for an answer, or for the whole call.
    #[inline(never)]
    pub(crate) fn on_timed_out<O: Observer>(
        &mut self,
        id: CallId,
        services: &mut Services,
        context: &mut Context<'_, O>,
    ) {
        let call = &mut self.calls[id];
        if call.timer != context.now {
            return; // The call went on, or ended, before.
        }
        call.timer = SimTime::MAX;
        let caller = &mut self.table[call.origin.caller];
        let call_over = call_ends(&call.origin, caller).is_some_and(|ends| context.now >= ends);
        let step = match call.state {
            CallState::Running(environment) => {
                services.abandon(environment, context.now);
                gave_up(id, call, caller, call_over, context)
            }
            CallState::Executing(execution) => {
                services.abandon_execution(execution);
                gave_up(id, call, caller, call_over, context)
            }
            CallState::BehindDoor(environment) => {
                let Passage::Door(door) = &caller.passage else { unreachable!("{id:?} is behind no door") };
                let reply = door.timed_out();
                services.abandon(environment, context.now);
                let (origin, attempt) = (call.origin, call.attempts.sent);
                context.state(&Fact::Front(FrontFact::TimedOut { origin, attempt }));
                answered(id, call, caller, reply, context)
            }
            CallState::AwaitingCallback(event) => {
                services.forget_callback(event, id);
                context.state(&Fact::Front(FrontFact::CallbackTimedOut { origin: call.origin }));
                Step::Over(Outcome::Timeout)
            }
            CallState::Limited | CallState::BackingOff => Step::Over(Outcome::Timeout),
            CallState::Deciding | CallState::Finished => unreachable!("{id:?} timed out in {:?}", call.state),
        };
        self.after(id, step, services, context);
    }

    /// What follows from where a call stands.
    #[inline(always)]
    fn after<O: Observer>(&mut self, id: CallId, step: Step, services: &mut Services, context: &mut Context<'_, O>) {
        match step {
            Step::Waits => {}
            Step::JoinsLimited => self.join_limited(id, context),
            Step::Over(outcome) => {
                let Call { origin, attempts, runs, user, .. } = self.calls[id];
                if matches!(outcome, Outcome::Throttled | Outcome::ServiceError | Outcome::Rejected) {
                    self.dead_letter(origin, services, context);
                }
                context.state(&Fact::CallFinished { origin, outcome, attempts: attempts.sent, runs });
                self.calls.finish(id);
                if let Some(user) = user {
                    self.schedule_user(user, false, context);
                }
            }
        }
    }

    /// The call joins those who wait for the adaptive limiter; its total time-out may end that.
    #[inline(never)]
    fn join_limited<O: Observer>(&mut self, id: CallId, context: &mut Context<'_, O>) {
        let call = &mut self.calls[id];
        let caller = &mut self.table[call.origin.caller];
        call.state = CallState::Limited;
        caller.wait_for_limiter(id, call);
        if let Some(ends) = call_ends(&call.origin, caller) {
            set_timer(id, call, ends, caller.order, context);
        }
    }
}

/// An open loop's next submission is due, if it is early enough.
#[inline(always)]
fn schedule_arrival<O: Observer>(id: CallerId, caller: &mut Caller, until: SimTime, context: &mut Context<'_, O>) {
    let next = caller.next_arrival().filter(|at| *at < until);
    context.schedule_arrival(id, caller.order, next);
}
