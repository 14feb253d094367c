//! All machines together, and who is told what. No rules of AWS live here.

use super::callers::Callers;
use super::config::{Change, ChangeAction, System};
use super::event::{Class, Context, Event};
use super::fact::Observer;
use super::ids::{CallerId, EnvironmentId, Id};
use super::services::{Heard, Services};
use crate::kernel::engine::{Agenda, Model};
use crate::kernel::rng::RandomStreams;
use crate::kernel::time::SimTime;

/// A system under way. `O` listens.
#[derive(Debug)]
pub struct World<O> {
    services: Services,
    callers: Callers,
    changes: Vec<Change>,
    /// The last change that was made, by its moment and its place.
    changed: Option<(SimTime, u32)>,
    observer: O,
}

impl<O: Observer> World<O> {
    /// The world before the run: nothing has happened and nothing is due.
    pub fn new(system: &System, submit_until: SimTime, seed: u64, observer: O) -> Self {
        let streams = RandomStreams::new(seed);
        let names = system.callers.rows().iter().map(|caller| caller.name.clone()).collect();
        Self {
            callers: Callers::new(system, submit_until, &streams),
            services: Services::new(system, names, streams),
            changes: system.changes.clone(),
            changed: None,
            observer,
        }
    }

    /// Puts what is due first into the agenda: changes, first arrivals, users, provisioned units.
    pub fn start(&mut self, system: &System, agenda: &mut Agenda<Event>) {
        let mut context = Context { now: SimTime::ZERO, agenda, observer: &mut self.observer };
        self.services.start(&mut context);
        for (index, change) in self.changes.iter().enumerate() {
            let index = u32::try_from(index).expect("fewer than 2^32 changes");
            context.schedule(change.at, Class::Change, 0, Event::Change(index));
        }
        self.callers.start(system, &mut context);
    }

    /// Ends the run at `now`: what is noticed lazily is noticed, and the observer is given back.
    pub fn finish(mut self, now: SimTime, agenda: &mut Agenda<Event>) -> O {
        let mut context = Context { now, agenda, observer: &mut self.observer };
        self.services.finish(&mut context);
        self.observer
    }

    /// Who listens.
    pub const fn observer(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Who still has something under way, most first: for a run that does not end.
    pub fn busy(&self) -> Vec<(String, u64)> {
        let callers = self.callers.busy(&self.services).map(|(name, calls)| (format!("caller {name}"), calls));
        let functions = self.services.busy().map(|(name, count)| (format!("function {name}"), count));
        let mappings = self.services.reading().map(|(name, count)| (format!("mapping {name}"), count));
        let machines = self.services.executing().map(|(name, count)| (format!("state machine {name}"), count));
        let places = self.services.passing_on().map(|(name, count)| (format!("place {name}"), count));
        let dependencies = self.services.asked().map(|(name, count)| (format!("dependency {name}"), count));
        let all = callers.chain(functions).chain(mappings).chain(machines).chain(places).chain(dependencies);
        let mut busy: Vec<_> = all.filter(|(_, count)| *count > 0).collect();
        busy.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        busy
    }
}

impl<O: Observer> Model for World<O> {
    type Event = Event;

    #[inline(always)]
    fn handle(&mut self, now: SimTime, event: Event, agenda: &mut Agenda<Event>) {
        let Self { services, callers, changes, changed, observer } = self;
        let context = &mut Context { now, agenda, observer };
        match event {
            Event::RunEnded(environment) if services.has_details(environment) => {
                on_run_with_details_ended(environment, services, callers, context);
            }
            Event::RunEnded(environment) => on_run_ended(environment, false, services, callers, context),
            Event::Replied(environment) => {
                if let Some(answered) = services.on_replied(environment, context) {
                    callers.on_reply(&answered, services, context);
                }
            }
            Event::RetryDue(call) => callers.on_retry_due(call, services, context),
            Event::UserReady(user) => callers.on_user_ready(user, services, context),
            Event::TimedOut(call) => callers.on_timed_out(call, services, context),
            Event::LimiterDue(caller) => callers.on_limiter_due(caller, services, context),
            Event::Change(index) => {
                *changed = Some((now, index));
                match &changes[index as usize].action {
                    ChangeAction::Client(id, client) => callers.reconfigure(*id, client),
                    action @ (ChangeAction::Account(_)
                    | ChangeAction::Function(..)
                    | ChangeAction::Deploy(_)
                    | ChangeAction::Queue(..)
                    | ChangeAction::Mapping(..)
                    | ChangeAction::Stream(..)
                    | ChangeAction::StateMachine(..)
                    | ChangeAction::Dependency(..)
                    | ChangeAction::Redrive { .. }) => services.change(index, action, context),
                }
            }
            Event::DispatchDue(event) => services.on_dispatch_due(event, context),
            Event::EventExpired(event) => services.on_event_expired(event, context),
            Event::DeliveryDue(delivery) => services.on_delivery_due(delivery, context),
            Event::Propagated(index) => {
                let change = &changes[index as usize];
                match &change.action {
                    ChangeAction::Function(id, function) => {
                        services.propagate(*id, function, (change.at, index), context);
                    }
                    ChangeAction::Queue(id, queue) => services.propagate_queue(*id, queue, context),
                    action @ (ChangeAction::Account(_)
                    | ChangeAction::Mapping(..)
                    | ChangeAction::Stream(..)
                    | ChangeAction::StateMachine(..)
                    | ChangeAction::Redrive { .. }
                    | ChangeAction::Dependency(..)
                    | ChangeAction::Client(..)
                    | ChangeAction::Deploy(_)) => unreachable!("{action:?} takes effect at once"),
                }
            }
            Event::Service(event) => services.on_event(event, context),
        }
        if services.is_unsettled() {
            settle(services, callers, context);
        }
    }

    #[inline(always)]
    fn arrive(&mut self, now: SimTime, source: u32, agenda: &mut Agenda<Event>) {
        let Self { services, callers, observer, .. } = self;
        let context = &mut Context { now, agenda, observer };
        callers.on_arrival(CallerId::from_index(source as usize), services, context);
        if services.is_unsettled() {
            settle(services, callers, context);
        }
    }

    #[inline]
    fn is_busy(&self) -> bool {
        self.callers.open() > 0 || self.services.is_busy()
    }

    fn resumes_at(&self) -> Option<SimTime> {
        let changes = (0..).zip(&self.changes).filter(|(index, change)| Some((change.at, *index)) > self.changed);
        let resumes = changes.filter(|(_, change)| self.services.resumes(&change.action));
        resumes.map(|(_, change)| change.at).min()
    }
}

/// What has to be done before the next event.
#[inline(never)]
fn settle<O: Observer>(services: &mut Services, callers: &mut Callers, context: &mut Context<'_, O>) {
    while let Some(heard) = services.settle(context) {
        match heard {
            Heard::Reply(answered) => callers.on_reply(&answered, services, context),
            Heard::CalledBack(call) => callers.on_called_back(call, services, context),
            Heard::ExecutionEnded(ended) => callers.on_execution_ended(ended, services, context),
        }
    }
}

/// A run ended; a client may wait for its answer. Most runs have no details, and code of their own.
#[inline(always)]
fn on_run_ended<O: Observer>(
    environment: EnvironmentId,
    has_details: bool,
    services: &mut Services,
    callers: &mut Callers,
    context: &mut Context<'_, O>,
) {
    if let Some(answered) = services.on_run_ended(environment, has_details, context) {
        callers.on_reply(&answered, services, context);
    }
}

#[inline(never)]
fn on_run_with_details_ended<O: Observer>(
    environment: EnvironmentId,
    services: &mut Services,
    callers: &mut Callers,
    context: &mut Context<'_, O>,
) {
    on_run_ended(environment, true, services, callers, context);
}
