//! Judges the causes of failure of a run or an Init. Passive.

use super::config::{EventSelector, Failure, FailureKind};
use super::fact::Origin;
use super::ids::ErrorId;
use crate::kernel::quantity::Ratio;
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

/// What a cause is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// The event, and which run of it, 1 = first; nothing for an Init that no event pays for.
    pub(crate) event: Option<(Origin, u32)>,
    /// Number of the draw: the event's submission, or the Init's number, from 0 on.
    pub(crate) index: u64,
    /// Start of the run.
    pub(crate) start: SimTime,
    /// Executions of the function in flight, this run included.
    pub(crate) in_flight: u32,
}

/// The verdict of the first cause that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) kind: FailureKind,
    pub(crate) after: Ratio,
    /// The name of the error, where the scenario gives one.
    pub(crate) error: Option<ErrorId>,
}

/// The first of `causes` that applies. Draws come from `key`: a run's own for what is judged once a run,
/// the event's for poison.
#[inline]
pub(crate) fn judge(causes: &[Failure], key: StreamKey, situation: &Situation) -> Option<Verdict> {
    judge_those(causes, key, situation, |_| true)
}

/// As [`judge`], of the causes that `counts` names.
#[inline]
pub(crate) fn judge_those(
    causes: &[Failure],
    key: StreamKey,
    situation: &Situation,
    counts: impl Fn(&Failure) -> bool,
) -> Option<Verdict> {
    if causes.is_empty() {
        return None;
    }
    let applies = |(index, cause): (usize, &Failure)| {
        applies(cause, key.child(index as u64), situation).then_some(Verdict {
            kind: cause.kind,
            after: cause.after,
            error: cause.error,
        })
    };
    causes.iter().enumerate().filter(|(_, cause)| counts(cause)).find_map(applies)
}

/// Whether a cause is judged for each record of a batch, and not once for its run (contract, 1.5).
pub(crate) fn is_of_record(cause: &Failure) -> bool {
    cause.poison.is_some() || cause.first_attempts.is_some() || !cause.attempts.is_empty() || !cause.events.is_empty()
}

fn applies(cause: &Failure, key: StreamKey, situation: &Situation) -> bool {
    let Situation { event, index, start, in_flight } = *situation;
    let run = event.map_or(1, |(_, run)| run);
    cause.from.is_none_or(|from| start >= from)
        && cause.until.is_none_or(|until| start < until)
        && cause.above_concurrency.is_none_or(|limit| in_flight > limit)
        && applies_to_event(cause, event)
        && cause.poison.is_none_or(|share| share.hits(key.child(0).word(index)))
        && cause.probability.is_none_or(|probability| probability.hits(key.child(1).run(run).word(index)))
}

/// Whether the conditions about the event hold. Without an event none does.
fn applies_to_event(cause: &Failure, event: Option<(Origin, u32)>) -> bool {
    let Some((origin, run)) = event else {
        return cause.first_attempts.is_none() && cause.attempts.is_empty() && cause.events.is_empty();
    };
    cause.first_attempts.is_none_or(|first| run <= first)
        && (cause.attempts.is_empty() || cause.attempts.contains(&run))
        && (cause.events.is_empty() || cause.events.iter().any(|event| selects(event, &origin)))
}

fn selects(event: &EventSelector, origin: &Origin) -> bool {
    event.number == origin.submission && event.caller.is_none_or(|caller| caller == origin.caller)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::aws::ids::{CallerId, Id};
    use crate::kernel::rng::RandomStreams;

    /// A cause without conditions.
    pub(crate) fn always(kind: FailureKind) -> Failure {
        Failure {
            probability: None,
            poison: None,
            first_attempts: None,
            attempts: Vec::new(),
            events: Vec::new(),
            from: None,
            until: None,
            above_concurrency: None,
            kind,
            error: None,
            after: Ratio::ONE,
        }
    }

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn situation(submission: u64, run: u32, start: u64, in_flight: u32) -> Situation {
        let origin = Origin { caller: CallerId::from_index(0), branch: 0, submission, submitted: SimTime::ZERO };
        Situation { event: Some((origin, run)), index: submission - 1, start: seconds(start), in_flight }
    }

    fn judged(cause: &Failure, situation: &Situation) -> bool {
        let key = RandomStreams::new(1).key(&["failure"]);
        judge(std::slice::from_ref(cause), key, situation).is_some()
    }

    #[test]
    fn each_condition_just_below_at_and_above_its_limit() {
        let base = || always(FailureKind::Error);
        let caller = |index| Some(CallerId::from_index(index));
        let rows = [
            (base(), situation(1, 1, 0, 1), true),
            (Failure { first_attempts: Some(2), ..base() }, situation(1, 2, 0, 1), true),
            (Failure { first_attempts: Some(2), ..base() }, situation(1, 3, 0, 1), false),
            (Failure { attempts: vec![1, 3], ..base() }, situation(1, 2, 0, 1), false),
            (Failure { attempts: vec![1, 3], ..base() }, situation(1, 3, 0, 1), true),
            (Failure { from: Some(seconds(10)), ..base() }, situation(1, 1, 9, 1), false),
            (Failure { from: Some(seconds(10)), ..base() }, situation(1, 1, 10, 1), true),
            (Failure { until: Some(seconds(15)), ..base() }, situation(1, 1, 14, 1), true),
            (Failure { until: Some(seconds(15)), ..base() }, situation(1, 1, 15, 1), false),
            (Failure { above_concurrency: Some(80), ..base() }, situation(1, 1, 0, 80), false),
            (Failure { above_concurrency: Some(80), ..base() }, situation(1, 1, 0, 81), true),
            (
                Failure { events: vec![EventSelector { caller: None, number: 4 }], ..base() },
                situation(4, 1, 0, 1),
                true,
            ),
            (
                Failure { events: vec![EventSelector { caller: None, number: 4 }], ..base() },
                situation(5, 1, 0, 1),
                false,
            ),
            (
                Failure { events: vec![EventSelector { caller: caller(1), number: 4 }], ..base() },
                situation(4, 1, 0, 1),
                false,
            ),
            (Failure { probability: Some(Ratio::ZERO), ..base() }, situation(1, 1, 0, 1), false),
            (Failure { probability: Some(Ratio::ONE), ..base() }, situation(1, 1, 0, 1), true),
        ];
        for (row, (cause, situation, expected)) in rows.iter().enumerate() {
            assert_eq!(judged(cause, situation), *expected, "row {row}: {cause:?}");
        }
    }

    #[test]
    fn poison_holds_at_every_attempt_and_probability_is_judged_anew() {
        let half = Ratio::from_parts(Ratio::PARTS / 2).unwrap();
        let poison = Failure { poison: Some(half), ..always(FailureKind::Error) };
        let chance = Failure { probability: Some(half), ..always(FailureKind::Error) };
        let mut changed = 0;
        for submission in 1..=1_000 {
            let verdicts = |cause| [1, 2].map(|run| judged(cause, &situation(submission, run, 0, 1)));
            let [first, second] = verdicts(&poison);
            assert_eq!(first, second);
            let [first, second] = verdicts(&chance);
            changed += u32::from(first != second);
        }
        // Binomial with mean 500 and standard deviation 15.8: five of them on either side.
        assert!((421..579).contains(&changed), "{changed}");
    }

    #[test]
    fn the_first_cause_that_applies_decides() {
        let causes = [
            Failure { from: Some(seconds(10)), ..always(FailureKind::Crash) },
            Failure { after: Ratio::ZERO, ..always(FailureKind::Timeout) },
        ];
        let key = RandomStreams::new(1).key(&["failure"]);
        assert_eq!(judge(&causes, key, &situation(1, 1, 0, 1)).unwrap().kind, FailureKind::Timeout);
        assert_eq!(judge(&causes, key, &situation(1, 1, 10, 1)).unwrap().kind, FailureKind::Crash);
    }
}
