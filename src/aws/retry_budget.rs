//! What retries may cost in all: the SDKs' retry quota (INV-3.2, INV-N3) or a share of first attempts.

use super::config::Budget;
use crate::kernel::quantity::Ratio;

/// Why an attempt failed, for its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The service failed.
    Transient,
    /// 429.
    Throttle,
    /// The client gave up waiting.
    Timeout,
}

/// The budget of one client, shared by all its calls.
#[derive(Clone, Debug)]
pub(crate) struct RetryBudget {
    config: Budget,
    /// Tokens, or parts of a retry ([`Ratio::PARTS`] for each).
    level: u64,
}

impl RetryBudget {
    /// A full budget.
    pub(crate) fn new(config: Budget) -> Self {
        Self { config, level: capacity(config) }
    }

    /// New settings; what is saved up stays, up to the new size.
    pub(crate) fn reconfigure(&mut self, config: Budget) {
        let same_kind = std::mem::discriminant(&self.config) == std::mem::discriminant(&config);
        self.level = if same_kind { self.level.min(capacity(config)) } else { capacity(config) };
        self.config = config;
    }

    /// A first attempt is sent.
    #[inline]
    pub(crate) fn on_first_attempt(&mut self) {
        if let Budget::Ratio { ratio, .. } = self.config {
            self.level = (self.level + ratio.parts()).min(capacity(self.config));
        }
    }

    /// Pays for a retry, if that is possible.
    pub(crate) fn try_pay(&mut self, cause: Cause) -> bool {
        let rest = self.level.checked_sub(self.cost(cause));
        self.level = rest.unwrap_or(self.level);
        rest.is_some()
    }

    fn cost(&self, cause: Cause) -> u64 {
        match (self.config, cause) {
            (Budget::None, _) => 0,
            (Budget::Tokens { transient, .. }, Cause::Transient) => u64::from(transient),
            (Budget::Tokens { throttle, .. }, Cause::Throttle) => u64::from(throttle),
            (Budget::Tokens { timeout, .. }, Cause::Timeout) => u64::from(timeout),
            (Budget::Ratio { .. }, _) => Ratio::PARTS,
        }
    }

    /// A call succeeded: at its first attempt, or after a retry with this cause, whose cost comes back.
    #[inline]
    pub(crate) fn on_success(&mut self, last_cause: Option<Cause>) {
        if let Budget::Tokens { tokens, success, .. } = self.config {
            let refund = last_cause.map_or(u64::from(success), |cause| self.cost(cause));
            self.level = (self.level + refund).min(u64::from(tokens));
        }
    }
}

fn capacity(config: Budget) -> u64 {
    match config {
        Budget::None => 0,
        Budget::Tokens { tokens, .. } => u64::from(tokens),
        Budget::Ratio { burst, .. } => u64::from(burst) * Ratio::PARTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDK_2026: Budget = Budget::Tokens { tokens: 500, transient: 14, throttle: 5, timeout: 14, success: 1 };
    const SDK_V2: Budget = Budget::Tokens { tokens: 500, transient: 5, throttle: 5, timeout: 10, success: 1 };

    /// INV-V16: how many retries a fresh client pays for in a full outage.
    #[test]
    fn v16_an_outage_empties_the_quota() {
        for (config, cause, retries, left) in [
            (SDK_2026, Cause::Transient, 35, 10),
            (SDK_2026, Cause::Throttle, 100, 0),
            (SDK_V2, Cause::Transient, 100, 0),
            (SDK_V2, Cause::Timeout, 50, 0),
        ] {
            let mut budget = RetryBudget::new(config);
            let paid = std::iter::from_fn(|| budget.try_pay(cause).then_some(())).count();
            assert_eq!((paid, budget.level), (retries, left), "{cause:?}");
        }
    }

    /// INV-N3: the last retry's cost comes back, or one token; never more than the bucket holds.
    #[test]
    fn success_refunds() {
        let mut budget = RetryBudget::new(SDK_2026);
        assert!(budget.try_pay(Cause::Transient));
        assert!(budget.try_pay(Cause::Throttle));
        budget.on_success(Some(Cause::Throttle));
        assert_eq!(budget.level, 486);
        budget.on_success(None);
        assert_eq!(budget.level, 487);
        for _ in 0..20 {
            budget.on_success(None);
        }
        assert_eq!(budget.level, 500);
    }

    #[test]
    fn a_ratio_pays_one_retry_for_ten_calls() {
        let ratio = Ratio::from_parts(Ratio::PARTS / 10).unwrap();
        let mut budget = RetryBudget::new(Budget::Ratio { ratio, burst: 1 });
        assert!(budget.try_pay(Cause::Timeout));
        for _ in 0..9 {
            budget.on_first_attempt();
            assert!(!budget.try_pay(Cause::Timeout));
        }
        budget.on_first_attempt();
        assert!(budget.try_pay(Cause::Timeout));
    }
}
