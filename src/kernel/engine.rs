//! The loop: takes the earliest event and hands it to the model.

use super::calendar::Calendar;
use super::sources::Sources;
use super::time::{SimDuration, SimTime};

/// What is due: events in a calendar, and the next moments of sources.
#[derive(Debug)]
pub struct Agenda<E: Copy> {
    /// What falls due once.
    pub calendar: Calendar<E>,
    /// Processes that always have one event pending, such as arrivals.
    pub sources: Sources,
}

/// What is simulated.
pub trait Model {
    /// What can fall due.
    type Event: Copy;

    /// `event` falls due at `now`; what follows from it is put into the agenda, at `now` or later.
    fn handle(&mut self, now: SimTime, event: Self::Event, agenda: &mut Agenda<Self::Event>);

    /// The moment of a source has come; its next is set, or it is cleared.
    fn arrive(&mut self, now: SimTime, source: u32, agenda: &mut Agenda<Self::Event>);

    /// Whether something under way still has to end.
    fn is_busy(&self) -> bool;

    /// Nothing is under way: the moment of what is due that will change that, if anything will.
    fn resumes_at(&self) -> Option<SimTime> {
        None
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is more to do.
    Running,
    /// Everything that was under way has ended; at this moment the last of it did.
    Settled(SimTime),
    /// The moment given as the end was reached while something was under way.
    CutOff,
    /// The event budget is used up.
    BudgetExhausted,
    /// Everything before the pause is handled, and the run goes on.
    Paused,
}

/// A run: the agenda, the clock, and what bounds them.
#[derive(Debug)]
pub struct Engine<E: Copy> {
    /// What is due.
    pub agenda: Agenda<E>,
    now: SimTime,
    processed: u64,
    budget: u64,
    /// Events before this moment are handled in any case; after it only while the model is busy, or will be.
    covered: SimTime,
    /// No event at or after this moment is handled.
    end: SimTime,
}

impl<E: Copy> Engine<E> {
    /// A run of `sources` sources that covers [0, `covered`) and goes on until the model is at rest, at the latest
    /// until `end`. At most `budget` events are handled.
    pub fn new(sources: usize, covered: SimTime, end: SimTime, budget: u64) -> Self {
        let agenda = Agenda { calendar: Calendar::new(), sources: Sources::new(sources) };
        Self { agenda, now: SimTime::ZERO, processed: 0, budget, covered, end: end.max(covered) }
    }

    /// The current moment.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Events handled so far.
    pub fn processed(&self) -> u64 {
        self.processed
    }

    /// Handles up to `events` events, those before `pause`.
    pub fn advance<M: Model<Event = E>>(&mut self, model: &mut M, events: u64, pause: SimTime) -> Status {
        let allowed = events.min(self.budget - self.processed);
        let mut left = allowed;
        let mut status = Status::Running;
        let mut limit = self.covered.min(pause);
        let mut covering = true;
        while left > 0 {
            if !covering && !model.is_busy() {
                let resumes = model.resumes_at().filter(|at| *at < self.end);
                let Some(at) = resumes else {
                    status = Status::Settled(self.now);
                    break;
                };
                self.covered = at.plus(SimDuration::from_nanos(1));
                (covering, limit) = (true, self.covered.min(pause));
            }
            if self.step(model, limit) {
                left -= 1;
            } else if pause < if covering { self.covered } else { self.end } && (covering || self.is_anything_due()) {
                status = Status::Paused;
                break;
            } else if covering {
                (covering, limit) = (false, self.end.min(pause));
            } else {
                status = Status::CutOff;
                break;
            }
        }
        self.processed += allowed - left;
        if status == Status::Running && self.processed == self.budget {
            return Status::BudgetExhausted;
        }
        status
    }

    fn is_anything_due(&self) -> bool {
        !self.agenda.calendar.is_empty() || self.agenda.sources.first().0 < SimTime::MAX
    }

    /// Handles the earliest of what is due before `limit`, if there is anything.
    #[inline(always)]
    fn step<M: Model<Event = E>>(&mut self, model: &mut M, limit: SimTime) -> bool {
        let (at, rank, source) = self.agenda.sources.first();
        let (before, below) = if at < limit { (at, rank) } else { (limit, 0) };
        let due = self.agenda.calendar.pop_before_rank(before, below);
        if let Some((now, event)) = due {
            self.now = now;
            self.agenda.calendar.look_ahead();
            model.handle(now, event, &mut self.agenda);
            return true;
        }
        if at < limit {
            self.now = at;
            model.arrive(at, source, &mut self.agenda);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks every second, and is busy until a given moment.
    struct Ticker {
        seen: Vec<u64>,
        busy_until: u64,
    }

    impl Model for Ticker {
        type Event = ();

        fn handle(&mut self, now: SimTime, (): (), agenda: &mut Agenda<()>) {
            self.seen.push(now.as_nanos() / 1_000_000_000);
            agenda.calendar.push(now.plus(SimDuration::from_secs(1)), 0, ());
        }

        fn arrive(&mut self, now: SimTime, source: u32, agenda: &mut Agenda<()>) {
            self.seen.push(now.as_nanos() / 1_000_000_000);
            agenda.sources.set(source, now.plus(SimDuration::from_secs(1)), 0);
        }

        fn is_busy(&self) -> bool {
            self.seen.last().is_some_and(|last| *last < self.busy_until)
        }
    }

    fn run(covered: u64, end: u64, budget: u64, busy_until: u64) -> (Status, Vec<u64>) {
        let second = |s: u64| SimTime::from_nanos(s * 1_000_000_000);
        let both = [false, true].map(|as_source| {
            let mut engine = Engine::new(1, second(covered), second(end), budget);
            let mut model = Ticker { seen: Vec::new(), busy_until };
            if as_source {
                engine.agenda.sources.set(0, SimTime::ZERO, 0);
            } else {
                engine.agenda.calendar.push(SimTime::ZERO, 0, ());
            }
            let status = loop {
                match engine.advance(&mut model, 2, SimTime::MAX) {
                    Status::Running => {}
                    ended @ (Status::Settled(_) | Status::CutOff | Status::BudgetExhausted | Status::Paused) => {
                        break ended;
                    }
                }
            };
            (status, model.seen)
        });
        assert_eq!(both[0], both[1], "a source and an event of the calendar are handled alike");
        both[0].clone()
    }

    /// Records the order in which ranks of one moment come.
    struct Recorder(Vec<u32>);

    impl Model for Recorder {
        type Event = u32;

        fn handle(&mut self, _: SimTime, rank: u32, _: &mut Agenda<u32>) {
            self.0.push(rank);
        }

        fn arrive(&mut self, now: SimTime, source: u32, agenda: &mut Agenda<u32>) {
            self.0.push(10 * (source + 1));
            agenda.sources.clear(source);
            agenda.calendar.push(now, 15, 15);
        }

        fn is_busy(&self) -> bool {
            false
        }
    }

    #[test]
    fn sources_and_events_of_one_moment_come_in_order_of_rank() {
        let now = SimTime::from_nanos(5);
        let mut engine = Engine::new(2, SimTime::from_nanos(6), SimTime::MAX, 100);
        for rank in [25, 5, 9, 11] {
            engine.agenda.calendar.push(now, rank, rank);
        }
        engine.agenda.sources.set(0, now, 10);
        engine.agenda.sources.set(1, now, 20);
        let mut model = Recorder(Vec::new());
        assert_eq!(engine.advance(&mut model, 100, SimTime::MAX), Status::Settled(now));
        assert_eq!(model.0, [5, 9, 10, 11, 15, 20, 15, 25]);
    }

    #[test]
    fn it_covers_the_window_and_then_settles() {
        let at = |s: u64| SimTime::from_nanos(s * 1_000_000_000);
        assert_eq!(run(3, 100, 1_000, 0), (Status::Settled(at(2)), vec![0, 1, 2]));
        assert_eq!(run(3, 100, 1_000, 5), (Status::Settled(at(5)), vec![0, 1, 2, 3, 4, 5]));
    }

    /// Rests until a moment that is due and makes it busy; what is due before that is handled too.
    #[derive(Default)]
    struct Sleeper(Vec<u64>);

    impl Model for Sleeper {
        type Event = ();

        fn handle(&mut self, now: SimTime, (): (), _: &mut Agenda<()>) {
            self.0.push(now.as_nanos());
        }

        fn arrive(&mut self, _: SimTime, _: u32, _: &mut Agenda<()>) {}

        fn is_busy(&self) -> bool {
            self.0.last() == Some(&20)
        }

        fn resumes_at(&self) -> Option<SimTime> {
            self.0.iter().all(|at| *at < 20).then(|| SimTime::from_nanos(20))
        }
    }

    #[test]
    fn what_resumes_is_handled() {
        let at = SimTime::from_nanos;
        for (end, status, expected) in [
            (SimTime::MAX, Status::Settled(at(30)), vec![1, 10, 20, 30]),
            (at(21), Status::CutOff, vec![1, 10, 20]),
            (at(20), Status::Settled(at(1)), vec![1]),
        ] {
            let mut engine = Engine::new(0, at(5), end, 100);
            for due in [1, 10, 20, 30, 40] {
                engine.agenda.calendar.push(at(due), 0, ());
            }
            let mut model = Sleeper::default();
            assert_eq!((engine.advance(&mut model, 100, SimTime::MAX), model.0), (status, expected));
        }
    }

    #[test]
    fn the_end_cuts_what_is_under_way() {
        assert_eq!(run(3, 5, 1_000, 50), (Status::CutOff, vec![0, 1, 2, 3, 4]));
        assert_eq!(run(3, 3, 1_000, 50), (Status::CutOff, vec![0, 1, 2]));
    }

    /// It pauses while it covers the window, whatever is due, and later only where something is.
    #[test]
    fn it_pauses() {
        let second = |s: u64| SimTime::from_nanos(s * 1_000_000_000);
        let mut engine = Engine::new(1, second(3), second(9), 1_000);
        engine.agenda.sources.set(0, SimTime::ZERO, 0);
        let mut model = Ticker { seen: Vec::new(), busy_until: 6 };
        let mut handled = Vec::new();
        for pause in [0, 2, 3, 4, 6, 8] {
            let status = engine.advance(&mut model, 100, second(pause));
            handled.push((status, model.seen.len()));
        }
        let paused = [0, 2, 3, 4, 6].map(|seen| (Status::Paused, seen));
        assert_eq!(handled, [paused.as_slice(), &[(Status::Settled(second(6)), 7)]].concat());

        let mut idle = Engine::new(1, second(3), second(9), 1_000);
        let mut model = Ticker { seen: vec![0], busy_until: 6 };
        let statuses = [2, 4].map(|pause| idle.advance(&mut model, 100, second(pause)));
        assert_eq!(statuses, [Status::Paused, Status::CutOff]);
    }

    #[test]
    fn the_budget_ends_a_run() {
        assert_eq!(run(1_000, 1_000, 5, 0), (Status::BudgetExhausted, vec![0, 1, 2, 3, 4]));
    }
}
