//! One function: its settings in force, its environments, its own limits, and the draws of its runs.

use super::concurrency::{self, bucket, request_rate};
use super::config::{self, FailureKind, Fault, Scaling};
use super::fact::{Capacity, Origin};
use super::failure::{self, Situation, Verdict};
use super::fault;
use super::ids::{CallerId, FunctionId, Table};
use super::limits;
use super::pool::Pool;
use super::provisioned::Provisioned;
use super::request::{BatchRequest, Recorded, Request};
use super::run::{self, InitDraw, Planned};
use super::scaling::{Allowance, RequestRamp};
use crate::kernel::dist::Distribution;
use crate::kernel::rng::{IndexedDraws, RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// A function while it runs.
#[derive(Debug)]
pub(crate) struct Function {
    /// What facts call it: of a [replica](super::edge) its original.
    pub(crate) id: FunctionId,
    pub(crate) config: Box<config::Function>,
    pub(crate) hot: Hot,
    /// INV-T5: faults of the Invoke API for this function, and of its internal queue's dispatches.
    faults: Vec<Fault>,
    dispatch_faults: Vec<Fault>,
    /// Executions in flight: all, and those on demand.
    pub(crate) in_flight: u32,
    pub(crate) on_demand: u32,
    on_demand_capacity: Capacity,
    pub(crate) pool: Pool,
    /// INV-E15: number of the deployed code.
    pub(crate) code: u16,
    /// Which of the lists of calls that it has had, 0 = first.
    pub(crate) calls_version: u32,
    pub(crate) provisioned: Provisioned,
    /// INV-R2: ten requests a second for each unit of reserved concurrency.
    pub(crate) rate: Option<TokenBucket>,
    /// INV-S1.
    pub(crate) scaling: Allowance,
    pub(crate) ramp: Option<RequestRamp>,
    /// Random draws: of the runs of each caller's events, and of the function itself.
    draws: Vec<(CallerId, Box<RunDraws>)>,
    key: StreamKey,
    idle_periods: u64,
    /// Whether its environments hold connections, so that their end is not to be noticed late.
    pub(crate) connects: bool,
}

/// The draws of one caller's events at one function, keyed by names, so that no other resource moves them.
#[derive(Debug)]
struct RunDraws {
    duration: IndexedDraws,
    key: StreamKey,
}

/// The purposes that draws of a run are separated by. A new purpose gets a new number.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Duration = 0,
    Init = 1,
    SuppressedInit = 2,
    PlatformStart = 3,
    Response = 4,
    Failure = 5,
    InitFailure = 6,
    SuppressedInitFailure = 7,
    Fault = 8,
    DispatchFault = 9,
    Retry = 10,
    Backoff = 11,
    Duplicate = 12,
    Delivery = 13,
    RecordDuration = 14,
}

impl RunDraws {
    fn key(&self, purpose: Purpose, origin: &Origin) -> StreamKey {
        let key = self.key.child(purpose as u64);
        if origin.branch == 0 { key } else { key.child(1 << 32 | u64::from(origin.branch)) }
    }

    /// A draw of a distribution for one run.
    fn sample(&self, distribution: &Distribution, purpose: Purpose, origin: &Origin, run: u32) -> u64 {
        match distribution.is_constant() {
            Some(value) => value,
            None => distribution.sample(self.key(purpose, origin).run(run).word(origin.submission - 1)),
        }
    }
}

impl Function {
    /// The function at the start of the run. The faults are those of the Invoke API and those of dispatches.
    pub(crate) fn new(
        id: FunctionId,
        config: &config::Function,
        [faults, dispatch_faults]: [Vec<Fault>; 2],
        account: &config::Account,
        streams: &RandomStreams,
    ) -> Self {
        let key = streams.key(&["function", &config.name]);
        let one_limit = config.idle_timeout.is_constant().is_some();
        Self {
            id,
            faults,
            dispatch_faults,
            in_flight: 0,
            on_demand: 0,
            on_demand_capacity: Capacity::Unreserved,
            code: 0,
            calls_version: 0,
            pool: Pool::new(config.warm_selection, one_limit, key.child(1)),
            provisioned: Provisioned::new(),
            rate: bucket(reserved_rate(config, account)),
            scaling: Allowance::of_function(account.scaling),
            ramp: RequestRamp::of_function(account.scaling),
            draws: Vec::new(),
            key,
            idle_periods: 0,
            connects: false,
            hot: Hot::new(config),
            config: Box::new(config.clone()),
        }
    }

    /// This function as the [replica](super::edge) of a Region: what chance decides about its environments is its own.
    pub(crate) fn in_region(mut self, region: &str, streams: &RandomStreams) -> Self {
        self.key = streams.key(&["function", &self.config.name, "edge", region]);
        let one_limit = self.config.idle_timeout.is_constant().is_some();
        self.pool = Pool::new(self.config.warm_selection, one_limit, self.key.child(1));
        self.hot.at_edge = true;
        self
    }

    /// Units that leave the account's pool, used or not (INV-C9).
    pub(crate) fn allocated_units(&self) -> u32 {
        self.config.reserved_concurrency.unwrap_or_else(|| self.provisioned.claimed())
    }

    /// On-demand executions in the unreserved pool.
    pub(crate) fn unreserved_in_flight(&self) -> u32 {
        if self.hot.draws_on_account() { self.on_demand } else { 0 }
    }

    /// What a run on one of its environments counts as.
    #[inline(always)]
    pub(crate) fn capacity(&self, provisioned: bool) -> Capacity {
        if provisioned { Capacity::Provisioned } else { self.on_demand_capacity }
    }

    /// Reserved or provisioned concurrency changed: runs on demand may count as something else.
    pub(crate) fn refresh_capacity(&mut self) {
        self.on_demand_capacity = match (self.config.reserved_concurrency.is_some(), self.provisioned.is_configured()) {
            (false, false) if self.hot.at_edge => Capacity::Edge,
            (false, false) => Capacity::Unreserved,
            (false, true) => Capacity::Spillover,
            (true, false) => Capacity::Reserved,
            (true, true) => Capacity::ReservedSpillover,
        };
    }

    /// New rates of scaling.
    pub(crate) fn set_scaling(&mut self, scaling: Scaling) {
        self.scaling = Allowance::of_function(scaling);
        self.ramp = RequestRamp::of_function(scaling);
    }

    /// The request bucket after a change of reserved concurrency or of the account.
    pub(crate) fn reconfigure_rate(&mut self, now: SimTime, account: &config::Account) {
        concurrency::reconfigure(&mut self.rate, reserved_rate(&self.config, account), now);
    }

    /// Other settings; gives back the old ones.
    pub(crate) fn replace_config(&mut self, config: &config::Function) -> config::Function {
        let old = std::mem::replace(&mut *self.config, config.clone());
        self.hot = Hot { at_edge: self.hot.at_edge, ..Hot::new(config) };
        if old.duration != config.duration {
            self.draws.clear();
        }
        self.calls_version += u32::from(old.calls != config.calls);
        old
    }

    /// How long an environment that becomes idle now is kept.
    #[inline]
    pub(crate) fn idle_limit(&mut self) -> SimDuration {
        self.hot.idle_limit.unwrap_or_else(|| {
            self.idle_periods += 1;
            SimDuration::from_nanos(self.config.idle_timeout.sample(self.key.child(2).word(self.idle_periods)))
        })
    }

    /// Key of the Inits of provisioned concurrency.
    pub(crate) fn provisioned_key(&self) -> StreamKey {
        self.key.child(3)
    }

    /// INV-T5: whether the service has faults for this function.
    #[inline(always)]
    pub(crate) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// INV-T5: the status of the first fault of the service that strikes this attempt.
    #[inline(never)]
    pub(crate) fn fault(
        &mut self,
        origin: &Origin,
        attempt: u32,
        now: SimTime,
        callers: &Names,
        streams: &RandomStreams,
    ) -> Option<u16> {
        let key = self.draw_key(Purpose::Fault, origin, callers, streams);
        fault::strike(&self.faults, key, origin, attempt, now)
    }

    /// The status of the first fault of the service that strikes this dispatch of an event.
    pub(crate) fn dispatch_fault(
        &mut self,
        origin: &Origin,
        dispatch: u32,
        now: SimTime,
        callers: &Names,
        streams: &RandomStreams,
    ) -> Option<u16> {
        if self.dispatch_faults.is_empty() {
            return None;
        }
        let key = self.draw_key(Purpose::DispatchFault, origin, callers, streams);
        fault::strike(&self.dispatch_faults, key, origin, dispatch, now)
    }

    /// The key of an event's draws for a purpose.
    pub(crate) fn draw_key(
        &mut self,
        purpose: Purpose,
        origin: &Origin,
        callers: &Names,
        streams: &RandomStreams,
    ) -> StreamKey {
        let position = self.position(origin.caller, callers, streams);
        self.draws[position].1.key(purpose, origin)
    }

    /// Size of the answer of one run, bytes.
    pub(crate) fn response_bytes(
        &mut self,
        origin: &Origin,
        run: u32,
        callers: &Names,
        streams: &RandomStreams,
    ) -> u64 {
        let position = self.position(origin.caller, callers, streams);
        self.draws[position].1.sample(&self.config.response_bytes, Purpose::Response, origin, run)
    }

    /// Plans the run that a request starts; everything about it is drawn here. It is already counted in flight.
    #[inline(always)]
    pub(crate) fn plan(
        &mut self,
        request: &Request<'_>,
        start: run::Start,
        now: SimTime,
        callers: &Names,
        streams: &RandomStreams,
    ) -> Planned {
        let position = self.position(request.origin.caller, callers, streams);
        let handler = request.duration.unwrap_or_else(|| {
            let draws = &mut self.draws[position].1;
            let origin = request.origin;
            SimDuration::from_nanos(match origin.branch {
                0 => draws.duration.at_run(origin.submission - 1, request.run),
                _ => draws.sample(draws.duration.distribution(), Purpose::Duration, origin, request.run),
            })
        });
        if self.hot.plain && start == run::Start::Warm {
            return Planned::Plain(run::plain(self.hot.timeout, now, handler));
        }
        let failure = self.judge(position, request.origin, request.run, now, |_| true);
        Planned::InFull(self.plan_in_full(position, request.origin, request.run, start, now, (handler, failure)))
    }

    /// The failure that strikes a run, of the causes that `counts` names.
    #[inline]
    fn judge(
        &self,
        position: usize,
        origin: &Origin,
        run: u32,
        start: SimTime,
        counts: impl Fn(&config::Failure) -> bool,
    ) -> Option<Verdict> {
        let causes = &self.config.failures;
        if causes.is_empty() {
            return None;
        }
        let (event, index, in_flight) = (Some((*origin, run)), origin.submission - 1, self.in_flight);
        let situation = Situation { event, index, start, in_flight };
        failure::judge_those(causes, self.draws[position].1.key(Purpose::Failure, origin), &situation, counts)
    }

    /// Plans the run of a batch. What concerns the run is drawn by its first record (contract, section 4); causes of
    /// failure that are a record's own are judged for each. `failed` says which records the function reports.
    pub(crate) fn plan_batch(
        &mut self,
        request: &BatchRequest<'_, impl Recorded>,
        failed: &mut Vec<bool>,
        start: run::Start,
        now: SimTime,
        (callers, streams): (&Names, &RandomStreams),
    ) -> run::Plan {
        let BatchRequest { origin, run, .. } = *request;
        let position = self.position(origin.caller, callers, streams);
        let draws = &mut self.draws[position].1;
        let mut handler = match origin.branch {
            0 => draws.duration.at_run(origin.submission - 1, run),
            _ => draws.sample(draws.duration.distribution(), Purpose::Duration, &origin, run),
        };
        let mut failure = self.judge(position, &origin, run, now, |cause| !failure::is_of_record(cause));
        failed.clear();
        for record in request.records {
            let (origin, run) = (&record.origin(), record.runs() + 1);
            let position = self.position(origin.caller, callers, streams);
            let per_record = &self.config.duration_per_record;
            handler = handler.saturating_add(match per_record.is_constant() {
                Some(length) => length,
                None => self.draws[position].1.sample(per_record, Purpose::RecordDuration, origin, run),
            });
            let verdict = self.judge(position, origin, run, now, failure::is_of_record);
            let reported = request.reports_failures && verdict.is_some_and(|it| it.kind == FailureKind::Error);
            if !reported {
                failure = failure.or(verdict);
            }
            // ESM-1.10: in order, the function stops at the first failure and reports all from there.
            failed.push(reported || (request.in_order && failed.last() == Some(&true)));
        }
        self.plan_in_full(position, &origin, run, start, now, (SimDuration::from_nanos(handler), failure))
    }

    #[inline(never)]
    fn plan_in_full(
        &self,
        position: usize,
        origin: &Origin,
        run: u32,
        start: run::Start,
        now: SimTime,
        (handler, failure): (SimDuration, Option<Verdict>),
    ) -> run::Plan {
        let in_flight = self.in_flight;
        let (config, draws) = (&self.config, &self.draws[position].1);
        let situation = Situation { event: Some((*origin, run)), index: origin.submission - 1, start: now, in_flight };
        let judged = |causes: &[config::Failure], purpose| {
            if causes.is_empty() { None } else { failure::judge(causes, draws.key(purpose, origin), &situation) }
        };
        let response_bytes = draws.sample(&config.response_bytes, Purpose::Response, origin, run);
        let decided = run::Draws { handler, failure, response_bytes };
        let platform = match start {
            run::Start::Cold => draws.sample(&config.platform_start, Purpose::PlatformStart, origin, run),
            run::Start::Warm | run::Start::AfterReset => 0,
        };
        let platform = SimDuration::from_nanos(platform);
        run::plan(config, now, start, platform, decided, |attempt| {
            let (length, failure) = match attempt {
                1 => (Purpose::Init, Purpose::InitFailure),
                _ => (Purpose::SuppressedInit, Purpose::SuppressedInitFailure),
            };
            let distribution = config.snapstart.as_ref().filter(|_| start == run::Start::Cold).unwrap_or(&config.init);
            InitDraw {
                length: SimDuration::from_nanos(draws.sample(distribution, length, origin, run)),
                failure: judged(&config.init_failures, failure),
            }
        })
    }

    /// Where the draws of a caller's events stand; made when first needed.
    #[inline(always)]
    fn position(&mut self, caller: CallerId, callers: &Names, streams: &RandomStreams) -> usize {
        match self.draws.first() {
            Some((first, _)) if *first == caller => 0,
            _ => self.find_position(caller, callers, streams),
        }
    }

    #[cold]
    #[inline(never)]
    fn find_position(&mut self, caller: CallerId, callers: &Names, streams: &RandomStreams) -> usize {
        match self.draws.binary_search_by_key(&caller, |(caller, _)| *caller) {
            Ok(position) => position,
            Err(position) => {
                let key = streams.key(&["run", &callers[caller], &self.config.name]);
                let duration = IndexedDraws::new(key.child(Purpose::Duration as u64), self.config.duration.clone());
                self.draws.insert(position, (caller, Box::new(RunDraws { duration, key })));
                position
            }
        }
    }
}

/// Names of the callers: draws are keyed by name.
pub(crate) type Names = Table<CallerId, String>;

/// The settings that every run looks at, side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hot {
    pub(crate) timeout: SimDuration,
    /// How long an idle environment is kept, unless it is drawn.
    pub(crate) idle_limit: Option<SimDuration>,
    pub(crate) maximum_environment_age: Option<SimDuration>,
    pub(crate) reserved_concurrency: Option<u32>,
    /// Whether it is a [replica](super::edge): its runs are in no pool of the account.
    pub(crate) at_edge: bool,
    pub(crate) order: u32,
    /// Whether a warm run is decided by the handler's time and the time-out alone: the common case, and the fast one.
    pub(crate) plain: bool,
}

impl Hot {
    /// Whether runs on demand are in the account's unreserved pool.
    #[inline(always)]
    pub(crate) fn draws_on_account(&self) -> bool {
        self.reserved_concurrency.is_none() && !self.at_edge
    }

    fn new(config: &config::Function) -> Self {
        let answer_fits = |bytes| bytes <= limits::SYNCHRONOUS_PAYLOAD_BYTES;
        Self {
            timeout: config.timeout,
            idle_limit: config.idle_timeout.is_constant().map(SimDuration::from_nanos),
            maximum_environment_age: config.maximum_environment_age,
            reserved_concurrency: config.reserved_concurrency,
            at_edge: false,
            order: config.order,
            plain: config.failures.is_empty()
                && config.response_bytes.max().is_some_and(answer_fits)
                && config.extension_tail.is_zero()
                && config.calls.is_empty()
                && !config.cpu_scaling,
        }
    }
}

/// INV-R2.
fn reserved_rate(config: &config::Function, account: &config::Account) -> Option<(crate::kernel::quantity::Rate, u64)> {
    config.reserved_concurrency.and_then(|units| request_rate(account, units))
}
