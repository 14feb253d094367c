//! Clients: retry modes of the SDKs, policies of the user's own, time-outs and circuit breakers.

use super::Builder;
use crate::aws::config::{Backoff, Budget, CircuitBreaker, Client, Jitter, RetryOn};
use crate::kernel::time::SimDuration;
use crate::scenario::resolve::{Resolved, Value};

/// Retries without time-outs and what is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Retry {
    /// Attempts of one call, the first included.
    pub(crate) max_attempts: u32,
    /// Waits after service errors and time-outs.
    pub(crate) backoff: Backoff,
    /// Waits after throttles.
    pub(crate) throttle_backoff: Backoff,
    /// What retries may cost in all.
    pub(crate) budget: Budget,
    /// Whether a rate limiter joins in.
    pub(crate) adaptive: bool,
}

const CAP: Option<SimDuration> = Some(SimDuration::from_secs(20));

const fn full_jitter(base: SimDuration, cap: Option<SimDuration>) -> Backoff {
    Backoff { base, factor: 2.0, cap, jitter: Jitter::Full }
}

/// INV-3.2 and INV-N1..N3: the modes by name.
pub(crate) fn preset(name: &str) -> Retry {
    let second = SimDuration::from_secs(1);
    let quota = |transient, throttle, timeout| Budget::Tokens { tokens: 500, transient, throttle, timeout, success: 1 };
    let standard_2026 = Retry {
        max_attempts: 3,
        backoff: full_jitter(SimDuration::from_millis(50), CAP),
        throttle_backoff: full_jitter(second, CAP),
        budget: quota(14, 5, 14),
        adaptive: false,
    };
    match name {
        "none" => Retry { max_attempts: 1, budget: Budget::None, ..standard_2026 },
        "boto3_legacy" => Retry {
            max_attempts: 5,
            backoff: full_jitter(second, None),
            throttle_backoff: full_jitter(second, None),
            budget: Budget::None,
            adaptive: false,
        },
        "standard_v2" => Retry { backoff: full_jitter(second, CAP), budget: quota(5, 5, 10), ..standard_2026 },
        "adaptive" => Retry { adaptive: true, ..standard_2026 },
        _ => standard_2026,
    }
}

impl Builder<'_> {
    /// The client that a block describes.
    #[allow(clippy::unused_self, reason = "reads like the other parts of a caller")]
    pub(crate) fn client(&self, block: &Resolved) -> Option<Client> {
        let retry = retry(block.field("retry"))?;
        let mut retry_on = RetryOn { throttle: false, service_error: false, timeout: false, function_error: false };
        for cause in block.field("retry_on").list() {
            let word = cause.word()?;
            let all = word == "any";
            retry_on.throttle |= all || word == "throttle";
            retry_on.service_error |= all || word == "service_error";
            retry_on.timeout |= all || word == "timeout";
            retry_on.function_error |= all || word == "function_error";
        }
        if block.field("retry_on").is_bad() {
            return None;
        }
        let timeout = block.field("timeout").optional(Resolved::duration)?;
        let total_timeout = block.field("total_timeout").optional(Resolved::duration)?;
        Some(Client {
            max_attempts: retry.max_attempts,
            backoff: retry.backoff,
            throttle_backoff: retry.throttle_backoff,
            policy: None,
            budget: retry.budget,
            adaptive: retry.adaptive,
            retry_on,
            timeout,
            total_timeout,
            circuit_breaker: block.field("circuit_breaker").optional(circuit_breaker)?,
        })
    }
}

fn retry(block: &Resolved) -> Option<Retry> {
    if block.is_bad() {
        return None;
    }
    let mut retry = if block.has("preset") { preset(block.field("preset").word()?) } else { preset("none") };
    if let Some(field) = written(block, "max_attempts", "") {
        retry.max_attempts = field.count()?;
    }
    if let Some(field) = written(block, "budget", "none") {
        retry.budget = budget(field)?;
    }
    for backoff in [&mut retry.backoff, &mut retry.throttle_backoff] {
        if let Some(field) = written(block, "base", "") {
            backoff.base = field.duration()?;
        }
        if let Some(field) = written(block, "factor", "") {
            backoff.factor = field.real()?;
        }
        if let Some(field) = written(block, "cap", "unlimited") {
            backoff.cap = field.optional(Resolved::duration)?;
        }
        if let Some(field) = written(block, "jitter", "") {
            backoff.jitter = jitter(field)?;
        }
    }
    Some(retry)
}

/// A value that replaces the preset's; the word for "no such thing" does so where the key has one.
fn written<'r>(block: &'r Resolved, name: &str, nothing: &str) -> Option<&'r Resolved> {
    let field = block.field(name);
    let replaces = match field.value {
        Value::Without(word) => field.is_written() && word == nothing,
        Value::Bad
        | Value::Leaf(..)
        | Value::Word(_)
        | Value::List(_)
        | Value::Block(..)
        | Value::Named(_)
        | Value::Tagged(..)
        | Value::Quantiles(_)
        | Value::Settings(_) => true,
    };
    replaces.then_some(field)
}

/// How chance changes a wait.
pub(super) fn jitter(value: &Resolved) -> Option<Jitter> {
    match value.word() {
        Some("none") => Some(Jitter::None),
        Some("equal") => Some(Jitter::Equal),
        Some("decorrelated") => Some(Jitter::Decorrelated),
        Some(_) => Some(Jitter::Full),
        None => value.ratio().map(Jitter::Share),
    }
}

fn budget(value: &Resolved) -> Option<Budget> {
    if value.is_without() {
        return Some(Budget::None);
    }
    if value.has("ratio") {
        return Some(Budget::Ratio { ratio: value.field("ratio").ratio()?, burst: value.field("burst").count()? });
    }
    Some(Budget::Tokens {
        tokens: value.field("tokens").count()?,
        transient: value.field("transient").count()?,
        throttle: value.field("throttle").count()?,
        timeout: value.field("timeout").count()?,
        success: value.field("success").count()?,
    })
}

fn circuit_breaker(block: &Resolved) -> Option<CircuitBreaker> {
    Some(CircuitBreaker {
        window: block.field("window").duration()?,
        failures: block.field("failures").ratio()?,
        minimum_calls: block.field("minimum_calls").count()?,
        open: block.field("open").duration()?,
        probes: block.field("probes").count()?,
    })
}
