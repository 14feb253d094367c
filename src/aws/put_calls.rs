//! What the calls of a caller put that put several records: all of it together must not be too much (ESM-2.1.4). Passive.

use super::config::{self, Target};
use super::limits;

/// The longest key, bytes.
const KEY_BYTES: u64 = 1_024;

/// Sizes that are remembered: the records of a call are put one after the other, and tried again at about the same time.
const REMEMBERED: usize = 64;

/// The sizes of a caller's calls.
#[derive(Debug)]
pub(crate) struct PutCalls {
    /// Records of a call.
    records: u64,
    /// Numbers of calls, and their bytes.
    known: [(u64, u64); REMEMBERED],
}

impl PutCalls {
    /// Of a caller whose calls may be too large.
    pub(crate) fn of(config: &config::Caller) -> Option<Box<Self>> {
        let records = u64::from(config.messages_per_call.max(1));
        let largest = config.payload_bytes.max().unwrap_or(u64::MAX).saturating_add(KEY_BYTES).saturating_mul(records);
        let puts = matches!(config.target, Target::Stream(_)) && records > 1;
        (puts && largest > limits::PUT_RECORDS_BYTES)
            .then(|| Box::new(Self { records, known: [(u64::MAX, 0); REMEMBERED] }))
    }

    /// What the call of a submission puts, where `last` is the caller's last submission.
    pub(crate) fn bytes(&mut self, submission: u64, last: u64, of_record: impl Fn(u64) -> u64) -> u64 {
        let call = (submission - 1) / self.records;
        let place = usize::try_from(call % REMEMBERED as u64).expect("less than those");
        if self.known[place].0 != call {
            let first = call * self.records + 1;
            let last = (first + self.records - 1).min(last);
            self.known[place] =
                (call, (first..=last).fold(0, |sum: u64, record| sum.saturating_add(of_record(record))));
        }
        self.known[place].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_remembered_and_the_last_one_may_be_short() {
        let mut calls = PutCalls { records: 10, known: [(u64::MAX, 0); REMEMBERED] };
        for (submission, expected) in [(1, 55), (10, 55), (11, 155), (23, 21 + 22 + 23), (2, 55), (641, 6_455)] {
            let last = if submission == 641 { 700 } else { 23 };
            assert_eq!(calls.bytes(submission, last, |record| record), expected, "{submission}");
        }
        assert_eq!(calls.bytes(642, 700, |_| unreachable!("it is known")), 6_455);
    }
}
