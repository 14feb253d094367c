//! The account's ledger of concurrency (INV-C1..C11): who may run, out of which pool. Passive.

use super::config::{self, Scaling};
use super::limits;
use super::scaling::Allowance;
use crate::kernel::quantity::Rate;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

/// The account's pool and rates.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    concurrency_limit: u32,
    /// INV-C9: units that reserved and provisioned concurrency have taken out of the pool.
    allocated: u32,
    /// On-demand executions of functions without reserved concurrency.
    unreserved_in_flight: u32,
    /// INV-R1.
    request_rate: Option<TokenBucket>,
    /// INV-D36.
    caller_rate: Option<TokenBucket>,
    /// INV-S8.
    scaling: Allowance,
    scaling_config: Scaling,
}

impl Account {
    /// The account at the start.
    pub(crate) fn new(config: &config::Account) -> Self {
        Self {
            concurrency_limit: config.concurrency_limit,
            allocated: 0,
            unreserved_in_flight: 0,
            request_rate: bucket(request_rate(config, config.concurrency_limit)),
            caller_rate: bucket(caller_rate(config)),
            scaling: Allowance::of_account(config.scaling),
            scaling_config: config.scaling,
        }
    }

    /// New limits; tokens that were used stay used.
    pub(crate) fn reconfigure(&mut self, now: SimTime, config: &config::Account) {
        self.concurrency_limit = config.concurrency_limit;
        reconfigure(&mut self.request_rate, request_rate(config, config.concurrency_limit), now);
        reconfigure(&mut self.caller_rate, caller_rate(config), now);
        if self.scaling_config != config.scaling {
            self.scaling = Allowance::of_account(config.scaling);
            self.scaling_config = config.scaling;
        }
    }

    /// INV-C9, C11: units allocated to reserved and provisioned concurrency, and executions in the unreserved pool,
    /// as the settings have them from now on. Whether either changed.
    pub(crate) fn set_pool(&mut self, allocated: u32, unreserved_in_flight: u32) -> bool {
        let before = (self.allocated, self.unreserved_in_flight);
        (self.allocated, self.unreserved_in_flight) = (allocated, unreserved_in_flight);
        before != (allocated, unreserved_in_flight)
    }

    /// INV-C9: whether the unreserved pool has room.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.unreserved_in_flight < self.concurrency_limit.saturating_sub(self.allocated)
    }

    /// An on-demand execution enters the unreserved pool.
    #[inline]
    pub(crate) fn enter(&mut self) {
        self.unreserved_in_flight += 1;
    }

    /// An on-demand execution leaves the unreserved pool.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.unreserved_in_flight -= 1;
    }

    /// INV-R1: whether the account's request rate has room.
    #[inline]
    pub(crate) fn rate_available(&self, now: SimTime) -> bool {
        available(self.request_rate.as_ref(), now)
    }

    /// A request is placed.
    #[inline]
    pub(crate) fn take_rate(&mut self, now: SimTime) {
        take(&mut self.caller_rate, now);
        take(&mut self.request_rate, now);
    }

    /// INV-D36: whether the callers' rate has room.
    #[inline]
    pub(crate) fn caller_rate_available(&self, now: SimTime) -> bool {
        available(self.caller_rate.as_ref(), now)
    }

    /// INV-S8: the account's allowance of new environments.
    pub(crate) fn scaling(&mut self) -> &mut Allowance {
        &mut self.scaling
    }
}

/// Whether an optional bucket has a token.
#[inline]
pub(crate) fn available(bucket: Option<&TokenBucket>, now: SimTime) -> bool {
    bucket.is_none_or(|bucket| bucket.has_token(now))
}

/// Takes a token from an optional bucket that has one.
#[inline]
pub(crate) fn take(bucket: &mut Option<TokenBucket>, now: SimTime) {
    if let Some(bucket) = bucket {
        bucket.try_take(now);
    }
}

/// A full bucket of the given rate and depth, where there is a limit.
pub(crate) fn bucket(settings: Option<(Rate, u64)>) -> Option<TokenBucket> {
    settings.map(|(rate, depth)| TokenBucket::new(rate, depth))
}

/// Gives a bucket other settings; tokens that were used stay used.
pub(crate) fn reconfigure(bucket: &mut Option<TokenBucket>, settings: Option<(Rate, u64)>, now: SimTime) {
    match (bucket.as_mut(), settings) {
        (Some(kept), Some((rate, depth))) => kept.set(now, rate, depth),
        (_, settings) => *bucket = self::bucket(settings),
    }
}

/// INV-R1..R3, R7: ten requests a second for each of `units`, if the limit is on.
pub(crate) fn request_rate(config: &config::Account, units: u32) -> Option<(Rate, u64)> {
    config.request_rate_limit.then(|| {
        let rate = Rate::per_second(limits::REQUESTS_PER_SECOND_PER_UNIT * u64::from(units));
        (rate, bucket_depth(rate, config.request_rate_bucket))
    })
}

fn caller_rate(config: &config::Account) -> Option<(Rate, u64)> {
    config.caller_rate_limit.map(|rate| (rate, bucket_depth(rate, config.request_rate_bucket)))
}

/// Tokens that `rate` brings in `fill`; at least one where there is a rate, as an empty bucket would never serve.
fn bucket_depth(rate: Rate, fill: SimDuration) -> u64 {
    let tokens = u128::from(rate.events) * u128::from(fill.as_nanos()) / u128::from(rate.per.as_nanos().max(1));
    u64::try_from(tokens).unwrap_or(u64::MAX).max(u64::from(rate.events > 0))
}
