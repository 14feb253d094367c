//! Tumbling windows: runs share a state, and a last run closes it (ESM-2.4, K14).

use super::worker::{Held, Piece, State, Window, Worker};
use super::{Readers, Surroundings};
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Fact, Observer, ReaderFact, WindowEnd};
use crate::aws::ids::WorkerId;
use crate::kernel::time::{SimDuration, SimTime};

/// Whether a record may be in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joins {
    /// It belongs to a later window.
    No,
    /// There are no windows, or it belongs to the one that is open.
    Yes,
    /// It opens a window.
    Opens,
}

impl Worker {
    /// Whether a record may join the window that is open; it is then counted.
    pub(super) fn join_window(&mut self, held: &Held, length: SimDuration) -> Joins {
        if length.is_zero() {
            return Joins::Yes;
        }
        let arrived = held.arrived.as_nanos();
        let began = SimTime::from_nanos(arrived - arrived % length.as_nanos());
        match &mut self.window {
            Some(window) if window.began == began => {
                (window.records, window.last) = (window.records + 1, *held);
                Joins::Yes
            }
            Some(_) => Joins::No,
            None => {
                self.window = Some(Window { began, records: 1, last: *held });
                Joins::Opens
            }
        }
    }

    /// What is known of the window's last record after a batch.
    pub(super) fn note_last(&mut self) {
        if let (Some(window), Some(last)) = (&mut self.window, self.batch.last()) {
            window.last.runs = last.runs;
        }
    }
}

impl Readers {
    /// A worker has no batch: it closes its window, if that is over. `later` says that a record of a later one waits.
    pub(super) fn consider_window<O: Observer>(
        &mut self,
        id: WorkerId,
        later: bool,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let worker = &mut self.workers[id];
        worker.state = State::Idle;
        let Some(window) = worker.window else { return };
        let member = &self.members[worker.mapping];
        let polling = &member.config.stream;
        let ends = window.began.plus(polling.tumbling_window).plus(polling.tumbling_window_grace);
        // ESM-2.4.6: the end of a shard is the end of its window.
        let group = &self.groups[worker.group];
        let shard_ended = around.streams.is_finished((group.log, group.slot, window.last.shard));
        let why = match (later, shard_ended) {
            (true, _) => Some(WindowEnd::LaterRecord),
            (false, true) => Some(WindowEnd::ShardEnded),
            (false, false) => (context.now >= ends).then_some(WindowEnd::Grace),
        };
        let Some(why) = why else {
            if worker.timer != ends {
                worker.timer = ends;
                let event = Event::Service(ServiceEvent::WorkerDue(id));
                context.schedule(ends, Class::Timer, member.config.order, event);
            }
            return;
        };
        self.numbers += 1;
        (worker.closes, worker.number) = (true, self.numbers);
        worker.pieces.push(Piece { records: 0, retries: 0 });
        let Window { began, records, last: Held { origin, shard, .. } } = window;
        let (mapping, batch) = (worker.mapping, worker.number);
        context.state(&Fact::Reader(ReaderFact::WindowEnded { origin, mapping, shard, batch, began, records, why }));
        self.send(id, around, context);
    }

    /// The last run of a window is over.
    pub(super) fn close_window(&mut self, id: WorkerId, around: &Surroundings<'_>) {
        let worker = &mut self.workers[id];
        worker.window = None;
        let group = worker.group;
        self.hold(group, 0, 1, around.streams);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fact::Origin;
    use crate::aws::ids::{CallerId, Id, MappingId, ReaderGroupId};

    fn held(second: u64) -> Held {
        let arrived = SimTime::from_nanos(second * 1_000_000_000);
        let origin = Origin { caller: CallerId::from_index(0), branch: 0, submission: second, submitted: arrived };
        Held { origin, arrived, bytes: 100, shard: 0, line: 0, runs: 0 }
    }

    /// ESM-A37: records of 10 s and 50 s are of the window [0, 60), one of 70 s and one of 60 s are not.
    #[test]
    fn esm_a37_windows_are_aligned_to_their_length() {
        let minute = SimDuration::from_secs(60);
        let mut worker = Worker::new(ReaderGroupId::from_index(0), MappingId::from_index(0), 0..1);
        let joins = [10, 50, 59, 60, 70].map(|second| worker.join_window(&held(second), minute));
        assert_eq!(joins, [Joins::Opens, Joins::Yes, Joins::Yes, Joins::No, Joins::No]);
        let window = worker.window.expect("a window is open");
        assert_eq!((window.began, window.records, window.last.origin.submission), (SimTime::ZERO, 3, 59));
        worker.window = None;
        assert_eq!(worker.join_window(&held(70), minute), Joins::Opens);
        assert_eq!(worker.window.expect("a window is open").began.as_nanos(), 60_000_000_000);
        assert_eq!(worker.join_window(&held(500), SimDuration::ZERO), Joins::Yes);
    }
}
