//! How far somebody has come in a stream, a topic or a broker's queue, and whether each record ended once.

use crate::aws::fact::Origin;
use crate::aws::ids::Id;
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;
use crate::stats::gauge::{Gauge, GaugeFigures};
use crate::stats::series::Recorder;
use crate::stats::summary::Flow;

/// Records as a number and a hash that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) number: u64,
    digest: Digest,
}

/// The place of a mapping in a stream, of a consumer group in a topic, or of all mappings in a broker's queue.
///
/// Whenever nothing is left to be handled, the records that ended must be those that came.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// Whether somebody has begun to read. Before, records can only expire.
    started: bool,
    /// Records that will not be read.
    skipped: u64,
    /// Records that need not be handled any more, the skipped ones too.
    done: Records,
    /// Whether it is known which records were skipped.
    exact: bool,
    broken: bool,
    lag: Option<Gauge>,
}

impl Records {
    #[inline(always)]
    pub(super) fn add(&mut self, origin: &Origin) {
        self.number += 1;
        let whose = (origin.caller.index() as u64) << 32 | u64::from(origin.branch);
        self.digest.add4([whose, origin.submission, origin.submitted.as_nanos(), 0]);
    }
}

impl Position {
    /// Of somebody who has not begun to read. `lag` is what measures it, if anything does.
    pub(super) const fn new(lag: Option<Gauge>) -> Self {
        let done = Records { number: 0, digest: Digest::new() };
        Self { started: false, skipped: 0, done, exact: true, broken: false, lag }
    }

    /// Reading begins behind `skipped` of the records that came and have not expired. The first of a group decides.
    pub(super) fn start(&mut self, now: SimTime, skipped: u64, came: &Records) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.skipped = skipped;
        self.done.number += skipped;
        let all = self.done.number == came.number;
        self.exact = skipped == 0 || all;
        if all && skipped > 0 {
            self.done = *came;
        }
        let waiting = self.waiting(came);
        if let Some(lag) = &mut self.lag {
            lag.set(now, u32::try_from(waiting).unwrap_or(u32::MAX));
        }
    }

    /// A record came.
    #[inline(always)]
    pub(super) fn came(&mut self, now: SimTime) {
        if let Some(lag) = self.lag.as_mut().filter(|_| self.started) {
            lag.increment(now);
        }
    }

    /// A record ended, of those that came.
    #[inline(always)]
    pub(super) fn ended(&mut self, now: SimTime, origin: &Origin, came: &Records) {
        self.done.add(origin);
        self.broken |= self.done.number > came.number;
        self.broken |= self.exact && self.done.number == came.number && self.done != *came;
        if let Some(lag) = self.lag.as_mut().filter(|lag| lag.level() > 0) {
            lag.decrement(now);
        }
    }

    /// Records that came and have still to be handled.
    pub(super) const fn waiting(&self, came: &Records) -> u64 {
        came.number.saturating_sub(self.done.number)
    }

    /// Records that need not be handled any more.
    pub(super) const fn done(&self) -> u64 {
        self.done.number
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Records to be handled, those that ended, and those that are left.
    pub(super) const fn flow(&self, came: &Records) -> Flow {
        let out = self.done.number - self.skipped;
        let flow = Flow::new(came.number.saturating_sub(self.skipped), out, self.waiting(came));
        Flow { holds: flow.holds && !self.broken, ..flow }
    }

    /// ESM-4.3: what the lag comes to, where it is measured.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        if let Some(lag) = &mut self.lag {
            to.gauge("offset_lag", lag);
        }
    }

    /// The same at the end.
    pub(super) fn lag(&mut self, ended: SimTime) -> Option<GaugeFigures<u64>> {
        self.lag.as_mut().map(|lag| lag.figures(ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::{ms, origin};

    fn records(submissions: &[u64]) -> Records {
        let mut records = Records::default();
        for submission in submissions {
            records.add(&origin(0, *submission, ms(*submission)));
        }
        records
    }

    /// What a reader comes to that skipped so many of `came` and then ended `ended`.
    fn flow(came: &[u64], skipped: u64, ended: &[u64]) -> Flow {
        let (before, came) = (records(&came[..usize::try_from(skipped).unwrap()]), records(came));
        let mut position = Position::new(None);
        position.start(ms(0), skipped, &before);
        for submission in ended {
            position.ended(ms(0), &origin(0, *submission, ms(*submission)), &came);
        }
        position.flow(&came)
    }

    #[test]
    fn each_record_ends_once() {
        for (came, skipped, ended, out, left, holds) in [
            (&[1, 2, 3][..], 0, &[3, 1, 2][..], 3, 0, true),
            (&[1, 2, 3], 0, &[1], 1, 2, true),
            (&[1, 2, 3], 2, &[3], 1, 0, true),
            // Twice the same, in the place of another.
            (&[1, 2, 3], 0, &[1, 2, 2], 3, 0, false),
            (&[1, 2, 3], 2, &[2], 1, 0, false),
            // Once too often.
            (&[1, 2], 0, &[1, 2, 2], 3, 0, false),
            (&[1], 0, &[1, 1], 2, 0, false),
        ] {
            let entered = came.len() as u64 - skipped;
            assert_eq!(flow(came, skipped, ended), Flow { entered, out, left, holds }, "{came:?} {ended:?}");
        }
    }

    /// What is wrong once stays wrong, even if more comes.
    #[test]
    fn a_record_that_ended_twice_is_not_forgotten() {
        let (mut position, mut came) = (Position::new(None), records(&[1, 2]));
        position.start(ms(0), 0, &records(&[]));
        for _ in 0..2 {
            position.ended(ms(0), &origin(0, 1, ms(1)), &came);
        }
        came.add(&origin(0, 3, ms(3)));
        assert_eq!(position.flow(&came), Flow { entered: 3, out: 2, left: 1, holds: false });
    }

    /// Nobody reads yet, and a record expires; then everything else is skipped but what comes now.
    #[test]
    fn records_may_expire_before_the_start() {
        let mut came = records(&[1, 2, 3]);
        let mut position = Position::new(None);
        position.ended(ms(0), &origin(0, 1, ms(1)), &came);
        assert_eq!(position.flow(&came), Flow { entered: 3, out: 1, left: 2, holds: true });
        position.start(ms(0), 2, &came);
        came.add(&origin(0, 4, ms(4)));
        assert_eq!(position.flow(&came), Flow { entered: 2, out: 1, left: 1, holds: true });
        position.ended(ms(0), &origin(0, 4, ms(4)), &came);
        assert_eq!(position.flow(&came), Flow { entered: 2, out: 2, left: 0, holds: true });
    }
}
