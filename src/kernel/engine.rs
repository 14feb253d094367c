//! The loop: takes the earliest event and hands it to the model.

use super::calendar::Calendar;
use super::time::SimTime;

/// What is simulated.
pub trait Model {
    /// What can fall due.
    type Event: Copy;

    /// `event` falls due at `now`; what follows from it is put into the calendar, at `now` or later.
    fn handle(&mut self, now: SimTime, event: Self::Event, calendar: &mut Calendar<Self::Event>);

    /// Whether something under way still has to end.
    fn is_busy(&self) -> bool;
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
}

/// A run: the calendar, the clock, and what bounds them.
#[derive(Debug)]
pub struct Engine<E: Copy> {
    /// What is due.
    pub calendar: Calendar<E>,
    now: SimTime,
    processed: u64,
    budget: u64,
    /// Events before this moment are handled in any case; after it only while the model is busy.
    covered: SimTime,
    /// No event at or after this moment is handled.
    end: SimTime,
}

impl<E: Copy> Engine<E> {
    /// A run that covers [0, `covered`) and goes on until the model is at rest, at the latest until `end`.
    /// At most `budget` events are handled.
    pub fn new(covered: SimTime, end: SimTime, budget: u64) -> Self {
        Self { calendar: Calendar::new(), now: SimTime::ZERO, processed: 0, budget, covered, end: end.max(covered) }
    }

    /// The current moment.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Events handled so far.
    pub fn processed(&self) -> u64 {
        self.processed
    }

    /// Handles up to `events` events.
    pub fn advance<M: Model<Event = E>>(&mut self, model: &mut M, events: u64) -> Status {
        let allowed = events.min(self.budget - self.processed);
        let mut left = allowed;
        while left > 0 {
            let Some((now, event)) = self.calendar.pop_before(self.covered) else { break };
            self.now = now;
            left -= 1;
            model.handle(now, event, &mut self.calendar);
        }
        let mut status = Status::Running;
        while left > 0 {
            if !model.is_busy() {
                status = Status::Settled(self.now);
                break;
            }
            let Some((now, event)) = self.calendar.pop_before(self.end) else {
                status = Status::CutOff;
                break;
            };
            self.now = now;
            left -= 1;
            model.handle(now, event, &mut self.calendar);
        }
        self.processed += allowed - left;
        if status == Status::Running && self.processed == self.budget {
            return Status::BudgetExhausted;
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;

    /// Ticks every second, and is busy until a given moment.
    struct Ticker {
        seen: Vec<u64>,
        busy_until: u64,
    }

    impl Model for Ticker {
        type Event = ();

        fn handle(&mut self, now: SimTime, (): (), calendar: &mut Calendar<()>) {
            self.seen.push(now.as_nanos() / 1_000_000_000);
            calendar.push(now.plus(SimDuration::from_secs(1)), 0, ());
        }

        fn is_busy(&self) -> bool {
            self.seen.last().is_some_and(|last| *last < self.busy_until)
        }
    }

    fn run(covered: u64, end: u64, budget: u64, busy_until: u64) -> (Status, Vec<u64>) {
        let second = |s: u64| SimTime::from_nanos(s * 1_000_000_000);
        let mut engine = Engine::new(second(covered), second(end), budget);
        let mut model = Ticker { seen: Vec::new(), busy_until };
        engine.calendar.push(SimTime::ZERO, 0, ());
        let status = loop {
            match engine.advance(&mut model, 2) {
                Status::Running => {}
                status => break status,
            }
        };
        (status, model.seen)
    }

    #[test]
    fn it_covers_the_window_and_then_settles() {
        let at = |s: u64| SimTime::from_nanos(s * 1_000_000_000);
        assert_eq!(run(3, 100, 1_000, 0), (Status::Settled(at(2)), vec![0, 1, 2]));
        assert_eq!(run(3, 100, 1_000, 5), (Status::Settled(at(5)), vec![0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn the_end_cuts_what_is_under_way() {
        assert_eq!(run(3, 5, 1_000, 50), (Status::CutOff, vec![0, 1, 2, 3, 4]));
        assert_eq!(run(3, 3, 1_000, 50), (Status::CutOff, vec![0, 1, 2]));
    }

    #[test]
    fn the_budget_ends_a_run() {
        assert_eq!(run(1_000, 1_000, 5, 0), (Status::BudgetExhausted, vec![0, 1, 2, 3, 4]));
    }
}
