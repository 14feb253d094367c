//! What went through one queue (contract, `queues.N`).

use super::age::OldestAge;
use super::groups::{Contents, Groups, Quiet};
use crate::aws::fact::MessageState;
use crate::kernel::time::SimTime;
use crate::stats::gauge::Gauge;
use crate::stats::histogram::{Coarse, Tally, milliseconds};
use crate::stats::series::Recorder;
use crate::stats::summary::{Flow, QueueRole, QueueSummary};

/// Counts of one queue. Those of messages are kept in two places: 0 for what was submitted during the warm-up, 1 for
/// what is measured.
#[derive(Clone, Debug)]
pub(super) struct QueueStats {
    from: SimTime,
    /// Messages that another queue has moved here at this moment, and that the gauge does not know yet: what time alone
    /// did before is noticed after the move.
    arrives_at: SimTime,
    arriving: u32,
    visible: Gauge,
    in_flight: Gauge,
    pub(super) age: OldestAge,
    sent: [u64; 2],
    received: u64,
    deleted: [u64; 2],
    /// When the last message left an empty queue behind.
    emptied: Option<SimTime>,
    requests: u64,
    receives: Tally,
    time_to_delete: Coarse,
    rare: Box<Rare>,
}

/// What does not happen to each message.
#[derive(Clone, Debug)]
struct Rare {
    role: QueueRole,
    delayed: Gauge,
    groups: Gauge,
    tenants: Groups,
    expired: [u64; 2],
    moved_in: [u64; 2],
    moved_out: [u64; 2],
    never_ran: u64,
    redriven: u64,
    deduplicated: u64,
    empty_receives: u64,
    duplicates: u64,
    /// The last call that sent several messages: whose, which, and its bytes.
    call: (usize, u64, u64),
}

/// ESM-1.13: every so many bytes of a request are one request.
const CHUNK_LOG2: u32 = 16;

/// Requests that a request of so many bytes counts as.
#[inline(always)]
pub(super) const fn chunks(bytes: u64) -> u64 {
    let chunks = bytes.div_ceil(1 << CHUNK_LOG2);
    if chunks == 0 { 1 } else { chunks }
}

/// A message that was deleted.
#[derive(Clone, Copy)]
pub(super) struct Deletion {
    pub(super) enqueued: SimTime,
    pub(super) receives: u32,
    pub(super) visible: bool,
}

impl QueueStats {
    pub(super) fn new(from: SimTime, role: QueueRole) -> Self {
        Self {
            from,
            arrives_at: SimTime::MAX,
            arriving: 0,
            visible: Gauge::new(from),
            in_flight: Gauge::new(from),
            age: OldestAge::new(from),
            sent: [0; 2],
            received: 0,
            deleted: [0; 2],
            emptied: None,
            requests: 0,
            receives: Tally::default(),
            time_to_delete: Coarse::new(),
            rare: Box::new(Rare {
                role,
                delayed: Gauge::new(from),
                groups: Gauge::new(from),
                tenants: Groups::new(from),
                expired: [0; 2],
                moved_in: [0; 2],
                moved_out: [0; 2],
                never_ran: 0,
                redriven: 0,
                deduplicated: 0,
                empty_receives: 0,
                duplicates: 0,
                call: (usize::MAX, 0, 0),
            }),
        }
    }

    /// Something happens at `moment`: what was moved here before is here.
    #[inline(always)]
    fn at(&mut self, moment: SimTime) {
        if moment >= self.arrives_at {
            self.let_in();
        }
    }

    #[cold]
    #[inline(never)]
    fn let_in(&mut self) {
        (0..self.arriving).for_each(|_| self.visible.increment(self.arrives_at));
        (self.arrives_at, self.arriving) = (SimTime::MAX, 0);
    }

    /// A message was sent.
    #[inline(always)]
    pub(super) fn sent(&mut self, now: SimTime, visible_at: SimTime, measured: bool) {
        self.at(now);
        if visible_at > now {
            self.rare.delayed.increment(now);
        } else {
            self.visible.increment(now);
        }
        self.sent[usize::from(measured)] += 1;
    }

    /// Requests were made.
    #[inline(always)]
    pub(super) fn request(&mut self, now: SimTime, number: u64) {
        self.requests += if now >= self.from { number } else { 0 };
    }

    /// A message of a call that sends several, which is one request.
    #[cold]
    pub(super) fn request_together(&mut self, now: SimTime, caller: usize, call: u64, bytes: u64) {
        let (known_caller, known_call, before) = self.rare.call;
        let together = if (known_caller, known_call) == (caller, call) { before } else { 0 };
        self.rare.call = (caller, call, together + bytes);
        let counted = if together == 0 { 0 } else { chunks(together) };
        self.request(now, chunks(together + bytes) - counted);
    }

    /// A message was received.
    #[inline(always)]
    pub(super) fn received(&mut self, now: SimTime, visible_at: SimTime, measured: bool) {
        self.at(now);
        // ESM-S20: without a visibility time-out it stays visible.
        if visible_at > now {
            self.visible.decrement(now);
            self.in_flight.increment(now);
        }
        self.received += u64::from(measured);
    }

    /// A message was deleted.
    #[inline(always)]
    pub(super) fn deleted(&mut self, now: SimTime, deletion: Deletion, measured: bool) {
        self.at(now);
        let Deletion { enqueued, receives, visible } = deletion;
        if visible {
            self.visible.decrement(now);
        } else {
            self.in_flight.decrement(now);
        }
        self.deleted[usize::from(measured)] += 1;
        if measured {
            self.time_to_delete.record(now.since(enqueued));
            self.receives.record(receives);
        }
        self.left_behind(now);
    }

    /// A message is visible: its delay ended, or its visibility time-out.
    #[inline(never)]
    pub(super) fn shown(&mut self, at: SimTime, was: MessageState) {
        self.at(at);
        self.level(was).decrement(at);
        self.visible.increment(at);
    }

    /// A message went to the dead-letter queue.
    #[inline(never)]
    pub(super) fn moved_out(&mut self, now: SimTime, receives: u32, runs: u32, measured: bool) {
        self.at(now);
        self.visible.decrement(now);
        self.rare.moved_out[usize::from(measured)] += 1;
        if measured {
            self.rare.never_ran += u64::from(runs == 0);
            self.receives.record(receives);
        }
        self.left_behind(now);
    }

    /// A redrive task took a message out.
    #[inline(never)]
    pub(super) fn redriven(&mut self, now: SimTime, receives: u32, measured: bool) {
        self.at(now);
        self.visible.decrement(now);
        self.rare.redriven += 1;
        if measured {
            self.receives.record(receives);
        }
        self.left_behind(now);
    }

    /// A message came from another queue.
    #[inline(never)]
    pub(super) fn moved_in(&mut self, now: SimTime, measured: bool) {
        if self.arriving > 0 && self.arrives_at < now {
            self.let_in();
        }
        self.arrives_at = now;
        self.arriving += 1;
        self.rare.moved_in[usize::from(measured)] += 1;
    }

    /// The retention of a message ended.
    #[inline(never)]
    pub(super) fn expired(&mut self, at: SimTime, state: MessageState, measured: bool) {
        self.at(at);
        self.level(state).decrement(at);
        self.rare.expired[usize::from(measured)] += 1;
        self.left_behind(at);
    }

    #[cold]
    pub(super) fn deduplicated(&mut self, now: SimTime, measured: bool) {
        self.rare.deduplicated += u64::from(measured);
        self.request(now, 1);
    }

    #[inline(never)]
    pub(super) fn groups(&mut self, at: SimTime, groups: u32) {
        self.rare.groups.set(at, groups);
    }

    /// The message groups of a fair queue.
    pub(super) fn tenants(&mut self) -> &mut Groups {
        &mut self.rare.tenants
    }

    /// A message group became noisy.
    #[cold]
    pub(super) fn group_noisy(&mut self, now: SimTime, group: u64) {
        self.at(now);
        let Self { visible, in_flight, age, rare, .. } = self;
        let Rare { tenants, delayed, .. } = &mut **rare;
        tenants.became_noisy(now, group, || Quiet {
            visible: visible.clone(),
            in_flight: in_flight.clone(),
            delayed: delayed.clone(),
            age: age.clone(),
        });
    }

    /// Long polls of the measured time gave nothing.
    #[inline(never)]
    pub(super) fn polled_in_vain(&mut self, receives: u64) {
        self.rare.empty_receives += receives;
        self.requests += receives;
    }

    /// Messages ran that had run before.
    #[inline(never)]
    pub(super) fn repeated(&mut self, runs: u64) {
        self.rare.duplicates += runs;
    }

    fn level(&mut self, state: MessageState) -> &mut Gauge {
        match state {
            MessageState::Delayed => &mut self.rare.delayed,
            MessageState::Visible => &mut self.visible,
            MessageState::InFlight => &mut self.in_flight,
        }
    }

    /// A message left: perhaps it was the last.
    #[inline(always)]
    fn left_behind(&mut self, at: SimTime) {
        if self.visible.level() == 0 && self.in_flight.level() == 0 && self.rare.delayed.level() == 0 {
            self.emptied = Some(at);
        }
    }

    /// Messages in it, counted by where they are.
    fn held(&self) -> u64 {
        let levels = [self.visible.level(), self.in_flight.level(), self.rare.delayed.level(), self.arriving];
        levels.into_iter().map(u64::from).sum()
    }

    /// What it comes to when the run ends at `ended`.
    pub(super) fn summary(&mut self, ended: SimTime) -> QueueSummary {
        self.at(ended);
        let drained_at = self.emptied.filter(|_| self.held() == 0);
        let (time_to_delete_ms, time_to_delete_curve) = self.time_to_delete.report();
        let rare = &mut *self.rare;
        let whole = Contents {
            visible: self.visible.figures(ended),
            in_flight: self.in_flight.figures(ended),
            delayed: rare.delayed.figures(ended),
            age: self.age.figures(ended),
        };
        let quiet = rare.tenants.quiet_contents(ended, &whole);
        QueueSummary {
            sent: self.sent[1],
            received: self.received,
            deleted: self.deleted[1],
            expired: rare.expired[1],
            moved_in: rare.moved_in[1],
            moved_to_dlq: rare.moved_out[1],
            moved_to_dlq_without_invocation: rare.never_ran,
            duplicate_deliveries: rare.duplicates,
            approximate_number_of_messages_visible: whole.visible,
            approximate_number_of_messages_not_visible: whole.in_flight,
            approximate_number_of_messages_delayed: whole.delayed,
            approximate_age_of_oldest_message_ms: whole.age,
            time_to_delete_ms,
            empty_receives: rare.empty_receives,
            receives_per_message: self.receives.figures(),
            drained_at_ms: drained_at.map(|at| milliseconds(at.as_nanos())),
            requests: self.requests,
            deduplicated: rare.deduplicated,
            groups_in_flight: rare.groups.figures(ended),
            noisy_groups: rare.tenants.ever(),
            approximate_number_of_noisy_groups: rare.tenants.figures(ended),
            approximate_number_of_messages_visible_in_quiet_groups: quiet.visible,
            approximate_number_of_messages_not_visible_in_quiet_groups: quiet.in_flight,
            approximate_number_of_messages_delayed_in_quiet_groups: quiet.delayed,
            approximate_age_of_oldest_message_in_quiet_groups_ms: quiet.age,
            role: rare.role,
            time_to_delete_curve,
        }
    }

    /// What a time series says.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        if let Some(ended) = to.ended() {
            self.at(ended);
        }
        let rare = &mut *self.rare;
        for (key, total) in [
            ("sent", self.sent[1]),
            ("received", self.received),
            ("deleted", self.deleted[1]),
            ("expired", rare.expired[1]),
            ("moved_in", rare.moved_in[1]),
            ("moved_to_dlq", rare.moved_out[1]),
            ("moved_to_dlq_without_invocation", rare.never_ran),
            ("duplicate_deliveries", rare.duplicates),
            ("empty_receives", rare.empty_receives),
            ("requests", self.requests),
            ("deduplicated", rare.deduplicated),
        ] {
            to.count(key, total);
        }
        to.gauge("approximate_number_of_messages_visible", &mut self.visible);
        to.gauge("approximate_number_of_messages_not_visible", &mut self.in_flight);
        to.gauge("approximate_number_of_messages_delayed", &mut rare.delayed);
        to.gauge("groups_in_flight", &mut rare.groups);
        self.age.series("approximate_age_of_oldest_message_ms", to);
        to.lengths("time_to_delete_ms", Some(&mut self.time_to_delete));
    }

    /// Everything that came in, the warm-up included, and what became of it.
    pub(super) fn flow(&self) -> Flow {
        let both = |counts: [u64; 2]| counts[0] + counts[1];
        let rare = &self.rare;
        let entered = both(self.sent) + both(rare.moved_in);
        let out = both(self.deleted) + both(rare.expired) + both(rare.moved_out) + rare.redriven;
        Flow::new(entered, out, self.held())
    }
}
