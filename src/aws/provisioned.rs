//! Provisioned concurrency of one function (INV-C6..C10, P1..P5).
//!
//! ```text
//! requested --(preparation, allocation at a rate, Init of the last)--> allocated, all at once (P3)
//! lowered: units go at once, busy ones when their run ends
//! ```
//! Units in use stay usable while more are prepared (INV-D10). A failing Init gives none of the new units (INV-P4).

use super::concurrency::{self, request_rate};
use super::config;
use super::environment::{Environments, State};
use super::event::{self, Class, Context, Event};
use super::fact::{Fact, Observer};
use super::failure::{self, Situation};
use super::function::Function;
use super::ids::{EnvironmentId, FunctionId};
use super::limits;
use super::tracking::Tracker;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// The units of one function.
#[derive(Debug)]
pub(crate) struct Provisioned {
    /// Units usable now, each an environment that is free, busy or recovering.
    allocated: u32,
    free: Vec<EnvironmentId>,
    busy: u32,
    recovering: u32,
    /// Units being prepared.
    pending: Option<Pending>,
    /// The next step of the schedule.
    step: usize,
    /// INV-R3: ten requests a second for each unit.
    pub(crate) rate: Option<TokenBucket>,
    tracker: Option<Box<Tracker>>,
    /// Inits drawn so far.
    inits: u64,
}

/// An allocation under way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    units: u32,
    ready_at: SimTime,
    /// Number of its first Init draw.
    first_init: u64,
    failed: bool,
}

impl Provisioned {
    /// No units yet.
    pub(crate) fn new() -> Self {
        Self {
            allocated: 0,
            free: Vec::new(),
            busy: 0,
            recovering: 0,
            pending: None,
            step: 0,
            rate: None,
            tracker: None,
            inits: 0,
        }
    }

    /// Whether the function has provisioned concurrency: then its on-demand runs are spill-over.
    pub(crate) fn is_configured(&self) -> bool {
        self.claimed() > 0
    }

    /// Units taken out of the account's pool: those asked for count from the request on.
    pub(crate) fn claimed(&self) -> u32 {
        self.pending.map_or(self.allocated, |pending| pending.units)
    }

    /// Whether a unit can take a request now (INV-C10, R3).
    #[inline]
    pub(crate) fn has_free(&self, now: SimTime) -> bool {
        !self.free.is_empty() && concurrency::available(self.rate.as_ref(), now)
    }

    /// Takes a free unit for a run.
    pub(crate) fn take(&mut self, now: SimTime) -> EnvironmentId {
        self.integrate(now);
        concurrency::take(&mut self.rate, now);
        self.busy += 1;
        self.free.pop().expect("a free unit was there")
    }

    /// The request rate after a change of the account.
    pub(crate) fn reconfigure_rate(&mut self, now: SimTime, account: &config::Account) {
        concurrency::reconfigure(&mut self.rate, request_rate(account, self.allocated), now);
    }

    fn integrate(&mut self, now: SimTime) {
        if let Some(tracker) = &mut self.tracker {
            tracker.integrate(now, self.busy, self.allocated);
        }
    }

    /// Environments that exist.
    fn environments(&self) -> usize {
        self.free.len() + (self.busy + self.recovering) as usize
    }
}

impl Function {
    /// The units that are ready at the start, the first scheduled step, and the first minute of tracking.
    pub(crate) fn start_provisioned<O: Observer>(
        &mut self,
        id: FunctionId,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        let units = self.config.provisioned_concurrency.initial;
        if units > 0 {
            context.state(&Fact::ProvisionedRequested { function: id, units });
            self.allocate(id, units, environments, account, context);
        }
        self.schedule_step(id, context);
        self.start_tracking(id, context);
    }

    /// The settings of provisioned concurrency changed from `old`.
    pub(crate) fn reconfigure_provisioned<O: Observer>(
        &mut self,
        id: FunctionId,
        old: &config::ProvisionedConcurrency,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        let new = self.config.provisioned_concurrency.clone();
        if new.initial != old.initial {
            self.request_units(id, new.initial, environments, account, context);
        }
        if new.schedule != old.schedule {
            self.provisioned.step = new.schedule.partition_point(|(at, _)| *at < context.now);
            self.schedule_step(id, context);
        }
        if new.tracking != old.tracking {
            self.start_tracking(id, context);
        }
    }

    /// INV-P1..P4: asks for `units` in all.
    pub(crate) fn request_units<O: Observer>(
        &mut self,
        id: FunctionId,
        units: u32,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        context.state(&Fact::ProvisionedRequested { function: id, units });
        if units <= self.provisioned.allocated {
            self.provisioned.pending = None;
            if units < self.provisioned.allocated {
                self.allocate(id, units, environments, account, context);
            }
            return;
        }
        let added = units - self.provisioned.allocated;
        let first_init = self.provisioned.inits;
        self.provisioned.inits += u64::from(added);
        let inits = |index| self.provisioned_init(first_init + index, context.now);
        let failed = (0..u64::from(added)).any(|index| inits(index).1);
        let last = inits(u64::from(added) - 1).0;
        let settings = &self.config.provisioned_concurrency;
        let allocation = u128::from(added) * 60_000_000_000 / u128::from(settings.per_minute.max(1));
        let allocation = SimDuration::from_nanos(u64::try_from(allocation).unwrap_or(u64::MAX));
        let ready_at = context.now.plus(settings.preparation).plus(allocation).plus(last);
        self.provisioned.pending = Some(Pending { units, ready_at, first_init, failed });
        context.schedule(ready_at, Class::Change, self.config.order, Event::provisioned(event::Provisioned::Ready(id)));
    }

    /// INV-P4: length of an Init of provisioned concurrency, and whether it fails.
    fn provisioned_init(&self, number: u64, now: SimTime) -> (SimDuration, bool) {
        let limit = limits::PROVISIONED_INIT_LIMIT.max(self.config.timeout);
        let key = self.provisioned_key();
        let length = SimDuration::from_nanos(self.config.init.sample(key.child(0).word(number)));
        // No event pays for it, so causes that are about events do not apply.
        let situation = Situation { event: None, index: number, start: now, in_flight: self.in_flight };
        let failure = failure::judge(&self.config.init_failures, key.child(1), &situation);
        (length.min(limit), length > limit || failure.is_some())
    }

    /// Units that were asked for are ready, unless something else was asked for since.
    pub(crate) fn on_provisioned_ready<O: Observer>(
        &mut self,
        id: FunctionId,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        let Some(pending) = self.provisioned.pending.filter(|pending| pending.ready_at == context.now) else { return };
        self.provisioned.pending = None;
        if pending.failed {
            context.state(&Fact::ProvisionedFailed { function: id });
            context.state(&Fact::ProvisionedRequested { function: id, units: self.provisioned.allocated });
            return;
        }
        for index in 0..u64::from(pending.units - self.provisioned.allocated) {
            let (init, _) = self.provisioned_init(pending.first_init + index, context.now);
            context.state(&Fact::ProvisionedInitialized { function: id, init });
        }
        self.allocate(id, pending.units, environments, account, context);
    }

    /// `units` are usable from now on: environments are added, or free ones given back.
    fn allocate<O: Observer>(
        &mut self,
        id: FunctionId,
        units: u32,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        self.provisioned.integrate(context.now);
        self.provisioned.allocated = units;
        concurrency::reconfigure(&mut self.provisioned.rate, request_rate(account, units), context.now);
        context.state(&Fact::ProvisionedAllocated { function: id, units });
        while self.provisioned.environments() < units as usize {
            let environment = environments.create(context.now, id, true, State::Recovering);
            context.state(&Fact::EnvironmentCreated {
                function: id,
                environment: u64::from(environments[environment].number),
            });
            self.provisioned.free.push(environment);
        }
        // The newest serve first, so the first ones have waited longest.
        let surplus = (self.provisioned.environments() - units as usize).min(self.provisioned.free.len());
        for environment in self.provisioned.free.drain(..surplus) {
            context.state(&Fact::EnvironmentEnded {
                function: id,
                environment: u64::from(environments[environment].number),
                at: context.now,
            });
            environments.end(environment);
        }
    }

    /// A run on a unit ended. INV-P5: after a time-out or a crash the unit is initialised again before it serves.
    pub(crate) fn release_unit<O: Observer>(
        &mut self,
        id: EnvironmentId,
        reset: bool,
        environments: &mut Environments,
        context: &mut Context<'_, O>,
    ) {
        self.provisioned.integrate(context.now);
        self.provisioned.busy -= 1;
        if self.give_back_surplus(id, environments, context) {
            return;
        }
        environments[id].state = State::Recovering;
        if !reset {
            self.provisioned.free.push(id);
            return;
        }
        self.provisioned.recovering += 1;
        let number = self.provisioned.inits;
        self.provisioned.inits += 1;
        let (init, _) = self.provisioned_init(number, context.now);
        let function = environments[id].function;
        context.state(&Fact::ProvisionedInitialized { function, init });
        context.schedule(
            context.now.plus(init),
            Class::End,
            self.config.order,
            Event::provisioned(event::Provisioned::Recovered(id)),
        );
    }

    /// A unit is initialised again.
    pub(crate) fn on_provisioned_recovered<O: Observer>(
        &mut self,
        id: EnvironmentId,
        environments: &mut Environments,
        context: &mut Context<'_, O>,
    ) {
        self.provisioned.recovering -= 1;
        if !self.give_back_surplus(id, environments, context) {
            self.provisioned.free.push(id);
        }
    }

    /// Ends a unit that was lowered away while it was in use.
    fn give_back_surplus<O: Observer>(
        &mut self,
        id: EnvironmentId,
        environments: &mut Environments,
        context: &mut Context<'_, O>,
    ) -> bool {
        let surplus = self.provisioned.environments() >= self.provisioned.allocated as usize;
        if surplus {
            let environment = &environments[id];
            context.state(&Fact::EnvironmentEnded {
                function: environment.function,
                environment: u64::from(environment.number),
                at: context.now,
            });
            environments.end(id);
        }
        surplus
    }

    fn schedule_step<O: Observer>(&mut self, id: FunctionId, context: &mut Context<'_, O>) {
        if let Some(&(at, _)) = self.config.provisioned_concurrency.schedule.get(self.provisioned.step) {
            context.schedule(
                at.max(context.now),
                Class::Change,
                self.config.order,
                Event::provisioned(event::Provisioned::Scheduled(id)),
            );
        }
    }

    /// INV-P13: a step of the schedule is due, unless the schedule changed since.
    pub(crate) fn on_provisioned_scheduled<O: Observer>(
        &mut self,
        id: FunctionId,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        let step = self.config.provisioned_concurrency.schedule.get(self.provisioned.step).copied();
        let Some((_, units)) = step.filter(|(at, _)| *at == context.now) else { return };
        self.provisioned.step += 1;
        self.request_units(id, units, environments, account, context);
        self.schedule_step(id, context);
    }

    fn start_tracking<O: Observer>(&mut self, id: FunctionId, context: &mut Context<'_, O>) {
        let running = self.provisioned.tracker.is_some();
        self.provisioned.tracker =
            self.config.provisioned_concurrency.tracking.map(|config| Box::new(Tracker::new(config, context.now)));
        if self.provisioned.tracker.is_some() && !running {
            self.schedule_minute(id, context);
        }
    }

    fn schedule_minute<O: Observer>(&self, id: FunctionId, context: &mut Context<'_, O>) {
        let minute = limits::METRIC_PERIOD.as_nanos();
        let next = SimTime::from_nanos((context.now.as_nanos() / minute + 1).saturating_mul(minute));
        context.schedule(next, Class::Scaling, self.config.order, Event::provisioned(event::Provisioned::Minute(id)));
    }

    /// INV-P8: a minute is over. While units are being prepared no further step is taken.
    pub(crate) fn on_tracking_minute<O: Observer>(
        &mut self,
        id: FunctionId,
        environments: &mut Environments,
        account: &config::Account,
        context: &mut Context<'_, O>,
    ) {
        self.provisioned.integrate(context.now);
        let allocated = self.provisioned.allocated;
        let Some(tracker) = &mut self.provisioned.tracker else { return };
        let wanted = tracker.minute_over(allocated);
        self.schedule_minute(id, context);
        if let Some(wanted) = wanted.filter(|_| self.provisioned.pending.is_none()) {
            self.request_units(id, wanted, environments, account, context);
        }
    }
}
