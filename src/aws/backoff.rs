//! Waits between attempts, as pure functions (INV-3.2, INV-N2).
//!
//! Wait k = 0, 1, .. is w = min(cap, base x factor^k), which the jitter then changes.

use super::config::{Backoff, Extent, Jitter};
use crate::kernel::time::SimDuration;

/// The wait before retry `k` (0 = first retry).
///
/// `last` is the wait before (for decorrelated jitter; zero before the first), `word` a uniform random word.
pub(crate) fn wait(backoff: &Backoff, k: u32, last: SimDuration, word: u64) -> SimDuration {
    let longest = backoff.cap.unwrap_or(SimDuration::MAX);
    let w = undisturbed(backoff, k, longest);
    match backoff.jitter {
        Jitter::None => w,
        Jitter::Full => up_to(w, word),
        Jitter::Equal => {
            let half = SimDuration::from_nanos(w.as_nanos() / 2);
            w.saturating_sub(half).plus(up_to(half, word))
        }
        Jitter::Decorrelated => {
            let high = last.max(backoff.base).times(3).max(backoff.base);
            backoff.base.plus(up_to(high.saturating_sub(backoff.base), word)).min(longest)
        }
        Jitter::Share(share) => w.plus(up_to(share.of(w), word)),
    }
}

impl Backoff {
    /// How far so many attempts go, the first included, where every wait is as long as it can be.
    pub fn extent(&self, attempts: u32) -> Extent {
        let waits = 0..attempts.saturating_sub(1);
        let (over, _) = waits.fold((SimDuration::ZERO, SimDuration::ZERO), |(over, last), k| {
            let wait = wait(self, k, last, u64::MAX);
            (over.plus(wait), wait)
        });
        Extent { attempts, over }
    }
}

/// min(longest, base x factor^k).
fn undisturbed(backoff: &Backoff, k: u32, longest: SimDuration) -> SimDuration {
    let (mut w, longest_ns) = (backoff.base.as_nanos() as f64, longest.as_nanos() as f64);
    for _ in 0..k {
        if w >= longest_ns || backoff.factor <= 1.0 {
            break;
        }
        w *= backoff.factor;
    }
    if w >= longest_ns {
        return longest;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative and below the longest")]
    SimDuration::from_nanos((w + 0.5) as u64)
}

/// Uniform between zero and `length`.
fn up_to(length: SimDuration, word: u64) -> SimDuration {
    let span = u128::from(length.as_nanos()) + 1;
    #[allow(clippy::cast_possible_truncation, reason = "at most the length")]
    SimDuration::from_nanos(((u128::from(word) * span) >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::quantity::Ratio;

    fn seconds(base: u64, factor: f64, cap: Option<u64>, jitter: Jitter) -> Backoff {
        Backoff { base: SimDuration::from_secs(base), factor, cap: cap.map(SimDuration::from_secs), jitter }
    }

    /// INV-Q9: 1, 2, 4, .., 256, 300, 300 s.
    #[test]
    fn doubling_up_to_a_cap() {
        let backoff = seconds(1, 2.0, Some(300), Jitter::None);
        let waits: Vec<u64> =
            (0..11).map(|k| wait(&backoff, k, SimDuration::ZERO, 0).as_nanos() / 1_000_000_000).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn jitter_stays_in_its_range() {
        let share = Ratio::from_parts(Ratio::PARTS / 2).unwrap();
        // Wait k = 2 of base 1 s is 4 s; the last wait was 2 s. From the contract's definitions.
        for (jitter, low, high) in [
            (Jitter::None, 4_000, 4_000),
            (Jitter::Full, 0, 4_000),
            (Jitter::Equal, 2_000, 4_000),
            (Jitter::Decorrelated, 1_000, 6_000),
            (Jitter::Share(share), 4_000, 6_000),
        ] {
            let backoff = seconds(1, 2.0, Some(20), jitter);
            let at = |word| wait(&backoff, 2, SimDuration::from_secs(2), word);
            assert_eq!(at(0), SimDuration::from_millis(low), "{jitter:?}");
            assert_eq!(at(u64::MAX), SimDuration::from_millis(high), "{jitter:?}");
        }
    }

    #[test]
    fn the_cap_holds_for_decorrelated_jitter_and_huge_counts() {
        let backoff = seconds(1, 2.0, Some(20), Jitter::Decorrelated);
        assert_eq!(wait(&backoff, 9, SimDuration::from_secs(20), u64::MAX), SimDuration::from_secs(20));
        let uncapped = seconds(1, 2.0, None, Jitter::None);
        assert_eq!(wait(&uncapped, u32::MAX, SimDuration::ZERO, 0), SimDuration::MAX);
    }
}
