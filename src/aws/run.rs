//! One run on an execution environment, planned when it starts (INV-E1..E9). Passive.
//!
//! ```text
//! new environment:   platform start | Init (limit 10 s) | [Init again] handler | extensions
//! after a reset:                                          [Init again] handler | extensions
//! warm:                                                                handler | extensions
//!                                                        ^--- function time-out covers ---^
//! ```
//! Everything that decides how a run goes is drawn at its start, so its end is one event and nothing is cancelled.

use super::config::{FailureKind, Function};
use super::fact::{InitPhase, RunOutcome};
use super::failure::Verdict;
use super::ids::ErrorId;
use super::limits;
use crate::kernel::time::{SimDuration, SimTime};

/// What the run meets on its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Initialised and idle.
    Warm,
    /// Reset after a time-out or crash: Init runs inside the invocation (INV-E6).
    AfterReset,
    /// New.
    Cold,
}

/// The draws that decide a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws {
    /// The handler's time.
    pub(crate) handler: SimDuration,
    /// The handler's failure.
    pub(crate) failure: Option<Verdict>,
    /// Size of the answer, bytes.
    pub(crate) response_bytes: u64,
}

/// An Init that is drawn where it happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InitDraw {
    /// Its time.
    pub(crate) length: SimDuration,
    /// Its failure.
    pub(crate) failure: Option<Verdict>,
}

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// When the answer leaves.
    pub(crate) reply_at: SimTime,
    /// When the environment is free again.
    pub(crate) end_at: SimTime,
    /// When the Invoke phase begins: from here to the end is INV-5.8 `Duration`.
    pub(crate) invoked: SimTime,
    /// The Init phase of a cold start.
    pub(crate) init: Option<InitPhase>,
    /// An Init inside the invocation.
    pub(crate) suppressed_init: Option<InitPhase>,
    /// How it ends.
    pub(crate) outcome: RunOutcome,
    /// The name of the error that ends it, where the scenario gives one.
    pub(crate) error: Option<ErrorId>,
    /// ESM-1.4: the answer that should name the failed records cannot be read.
    pub(crate) unreadable: bool,
    /// INV-E18: the snapshot could not be restored in time; the caller gets `SnapStartTimeoutException`.
    pub(crate) restore_timed_out: bool,
}

/// A run that was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    /// On a warm environment, and nothing but its time was to be decided: the common case, whose code knows the rest.
    Plain(Plan),
    /// Any other.
    InFull(Plan),
}

impl Plan {
    /// INV-E6: whether the environment is reset afterwards.
    pub(crate) fn resets(&self) -> bool {
        matches!(self.outcome, RunOutcome::Timeout | RunOutcome::Crash)
    }
}

/// Plans a run that is placed at `now`. `platform` is the platform's part of a cold start; `draw_init` is asked for
/// the first Init (attempt 1) and the one inside the invocation (attempt 2), each only if it happens.
#[inline]
pub(crate) fn plan(
    function: &Function,
    now: SimTime,
    start: Start,
    platform: SimDuration,
    draws: Draws,
    mut draw_init: impl FnMut(u32) -> InitDraw,
) -> Plan {
    if start == Start::Warm {
        return invoke(function, now, None, None, draws);
    }
    let mut from = now;
    let mut init = None;
    if start == Start::Cold {
        let phase = init_phase(function, draw_init(1));
        from = now.plus(platform).plus(phase.length);
        init = Some(phase);
        if function.snapstart.is_some() && phase.failed {
            return restore_timed_out(from, phase);
        }
        if !phase.failed {
            return invoke(function, from, init, None, draws);
        }
    }
    invoke(function, from, init, Some(draw_init(2)), draws)
}

/// A warm run of which nothing but its time is to be decided.
#[inline(always)]
pub(crate) fn plain(timeout: SimDuration, now: SimTime, handler: SimDuration) -> Plan {
    let outcome = if handler > timeout { RunOutcome::Timeout } else { RunOutcome::Success };
    let spent = handler.min(timeout);
    ended(now, spent, None, None, outcome, SimDuration::ZERO)
}

/// INV-E2..E4: the Init phase, cut at its limit or ended by a failure.
fn init_phase(function: &Function, draw: InitDraw) -> InitPhase {
    let failed_at = draw.failure.map(|verdict| match verdict.kind {
        FailureKind::Error | FailureKind::Crash | FailureKind::BadBatchResponse => verdict.after.of(draw.length),
        FailureKind::Timeout => SimDuration::MAX,
    });
    let limit = if function.snapstart.is_some() { limits::SNAPSTART_RESTORE_LIMIT } else { function.init_limit };
    let length = failed_at.unwrap_or(draw.length);
    InitPhase { length: length.min(limit), failed: length > limit || failed_at.is_some() }
}

/// The Invoke phase from `from` on, bounded by the function's time-out (INV-E5).
#[inline]
fn invoke(function: &Function, from: SimTime, init: Option<InitPhase>, again: Option<InitDraw>, draws: Draws) -> Plan {
    let timeout = function.timeout;
    let mut spent = SimDuration::ZERO;
    let mut suppressed_init = None;
    if let Some(again) = again {
        let failed = again.failure.is_some();
        spent = match again.failure {
            None => again.length,
            Some(Verdict { kind: FailureKind::Timeout, .. }) => SimDuration::MAX,
            Some(Verdict { after, .. }) => after.of(again.length),
        };
        suppressed_init = Some(InitPhase { length: spent.min(timeout), failed });
        if failed && spent <= timeout {
            let plan = ended(from, spent, init, suppressed_init, RunOutcome::Crash, SimDuration::ZERO);
            return Plan { error: again.failure.and_then(|verdict| verdict.error), ..plan };
        }
    }
    let handler = scaled(function, draws.handler);
    let (length, outcome) = match draws.failure {
        None if draws.response_bytes > limits::SYNCHRONOUS_PAYLOAD_BYTES => (handler, RunOutcome::Error),
        None => (handler, RunOutcome::Success),
        // ESM-1.4: Lambda sees an answer; that it says nothing is the mapping's to find out.
        Some(Verdict { kind: FailureKind::BadBatchResponse, after, .. }) => (after.of(handler), RunOutcome::Success),
        Some(Verdict { kind: FailureKind::Error, after, .. }) => (after.of(handler), RunOutcome::Error),
        Some(Verdict { kind: FailureKind::Crash, after, .. }) => (after.of(handler), RunOutcome::Crash),
        Some(Verdict { kind: FailureKind::Timeout, .. }) => (SimDuration::MAX, RunOutcome::Timeout),
    };
    spent = spent.plus(length);
    let error = draws.failure.filter(|_| spent <= timeout || outcome == RunOutcome::Timeout);
    let error = error.and_then(|verdict| verdict.error);
    if spent > timeout {
        let plan = ended(from, timeout, init, suppressed_init, RunOutcome::Timeout, SimDuration::ZERO);
        return Plan { error, ..plan };
    }
    let tail = match outcome {
        RunOutcome::Crash | RunOutcome::Timeout => SimDuration::ZERO,
        RunOutcome::Success | RunOutcome::Error => function.extension_tail.min(timeout.saturating_sub(spent)),
    };
    let unreadable = draws.failure.is_some_and(|verdict| verdict.kind == FailureKind::BadBatchResponse);
    Plan { error, unreadable, ..ended(from, spent, init, suppressed_init, outcome, tail) }
}

#[inline(always)]
fn ended(
    from: SimTime,
    spent: SimDuration,
    init: Option<InitPhase>,
    suppressed_init: Option<InitPhase>,
    outcome: RunOutcome,
    tail: SimDuration,
) -> Plan {
    let reply_at = from.plus(spent);
    let end_at = reply_at.plus(tail);
    Plan {
        reply_at,
        end_at,
        invoked: from,
        init,
        suppressed_init,
        outcome,
        error: None,
        unreadable: false,
        restore_timed_out: false,
    }
}

/// INV-E18: nothing ran; the environment is of no use.
fn restore_timed_out(at: SimTime, phase: InitPhase) -> Plan {
    Plan {
        reply_at: at,
        end_at: at,
        invoked: at,
        init: Some(phase),
        suppressed_init: None,
        outcome: RunOutcome::Crash,
        error: None,
        unreadable: false,
        restore_timed_out: true,
    }
}

/// INV-E16: work meant for a full vCPU takes longer with less memory.
#[inline]
fn scaled(function: &Function, length: SimDuration) -> SimDuration {
    if !function.cpu_scaling {
        return length;
    }
    let memory = u128::from(function.memory_mb.clamp(1, limits::FULL_CPU_MEMORY_MB));
    let nanoseconds = u128::from(length.as_nanos()) * u128::from(limits::FULL_CPU_MEMORY_MB) / memory;
    SimDuration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::aws::config::{self, Architecture, ProvisionedConcurrency, RecursiveLoop, WarmSelection};
    use crate::kernel::dist::Distribution;
    use crate::kernel::quantity::Ratio;

    /// A function with AWS's defaults and a handler that takes no time.
    pub(crate) fn function() -> Function {
        Function {
            name: "f".into(),
            order: 0,
            memory_mb: 128,
            architecture: Architecture::X86_64,
            ephemeral_storage_mb: 512,
            timeout: SimDuration::from_secs(3),
            duration: Distribution::constant(0),
            duration_per_record: Distribution::constant(0),
            init: Distribution::constant(0),
            init_limit: SimDuration::from_secs(10),
            init_failures: Vec::new(),
            platform_start: Distribution::constant(0),
            snapstart: None,
            idle_timeout: Distribution::constant(600_000_000_000),
            maximum_environment_age: None,
            warm_selection: WarmSelection::Mru,
            extension_tail: SimDuration::ZERO,
            cpu_scaling: false,
            reserved_concurrency: None,
            provisioned_concurrency: ProvisionedConcurrency {
                initial: 0,
                schedule: Vec::new(),
                tracking: None,
                preparation: SimDuration::from_secs(60),
                per_minute: 6_000,
            },
            failures: Vec::new(),
            calls: std::sync::Arc::new([]),
            response_bytes: Distribution::constant(1_000),
            recursive_loop: RecursiveLoop::Terminate,
            asynchronous: config::asynchronous::tests::defaults(),
        }
    }

    const ERROR: Verdict = Verdict { kind: FailureKind::Error, after: Ratio::ONE, error: None };
    const CRASH: Verdict = Verdict { kind: FailureKind::Crash, after: Ratio::ONE, error: None };
    const HANG: Verdict = Verdict { kind: FailureKind::Timeout, after: Ratio::ONE, error: None };

    struct Row {
        start: Start,
        timeout: u64,
        platform: u64,
        init: [u64; 2],
        init_failure: [Option<Verdict>; 2],
        handler: u64,
        failure: Option<Verdict>,
        tail: u64,
    }

    const ROW: Row = Row {
        start: Start::Cold,
        timeout: 3_000,
        platform: 0,
        init: [0, 0],
        init_failure: [None, None],
        handler: 0,
        failure: None,
        tail: 0,
    };

    fn planned(row: &Row) -> Plan {
        let ms = SimDuration::from_millis;
        let function = Function { timeout: ms(row.timeout), extension_tail: ms(row.tail), ..function() };
        let draws = Draws { handler: ms(row.handler), failure: row.failure, response_bytes: 1_000 };
        plan(&function, SimTime::ZERO, row.start, ms(row.platform), draws, |attempt| {
            let index = attempt as usize - 1;
            InitDraw { length: ms(row.init[index]), failure: row.init_failure[index] }
        })
    }

    fn invoke_phase(plan: &Plan) -> SimDuration {
        plan.end_at.since(plan.invoked)
    }

    /// Reply, end and billed `Duration` in milliseconds, and the outcome; expectations from INV-E1..E9 and INV-V30.
    #[test]
    fn e1_to_e9_and_v30_times_of_a_run() {
        use RunOutcome::{Crash, Error, Success, Timeout};
        type Times = (u64, u64, u64);
        let rows: [(&str, Row, Times, RunOutcome); 15] = [
            ("warm", Row { start: Start::Warm, handler: 100, init: [50, 50], ..ROW }, (100, 100, 100), Success),
            ("cold", Row { platform: 20, init: [80, 0], handler: 100, ..ROW }, (200, 200, 100), Success),
            (
                "V30",
                Row { init: [12_000; 2], handler: 1_000, timeout: 20_000, ..ROW },
                (23_000, 23_000, 13_000),
                Success,
            ),
            (
                "V30 short",
                Row { init: [12_000; 2], handler: 1_000, timeout: 10_000, ..ROW },
                (20_000, 20_000, 10_000),
                Timeout,
            ),
            ("Init at its limit", Row { init: [10_000, 0], handler: 1, ..ROW }, (10_001, 10_001, 1), Success),
            ("Init above its limit", Row { init: [10_001, 5], handler: 1, ..ROW }, (10_006, 10_006, 6), Success),
            (
                "after a reset",
                Row { start: Start::AfterReset, init: [0, 40], handler: 60, ..ROW },
                (100, 100, 100),
                Success,
            ),
            ("at the time-out", Row { start: Start::Warm, handler: 3_000, ..ROW }, (3_000, 3_000, 3_000), Success),
            ("above the time-out", Row { start: Start::Warm, handler: 3_001, ..ROW }, (3_000, 3_000, 3_000), Timeout),
            (
                "Init is outside the time-out",
                Row { init: [2_000, 0], handler: 2_000, ..ROW },
                (4_000, 4_000, 2_000),
                Success,
            ),
            ("error", Row { start: Start::Warm, handler: 100, failure: Some(ERROR), ..ROW }, (100, 100, 100), Error),
            ("crash", Row { start: Start::Warm, handler: 100, failure: Some(CRASH), ..ROW }, (100, 100, 100), Crash),
            (
                "hang",
                Row { start: Start::Warm, handler: 100, failure: Some(HANG), ..ROW },
                (3_000, 3_000, 3_000),
                Timeout,
            ),
            ("tail", Row { start: Start::Warm, handler: 100, tail: 50, ..ROW }, (100, 150, 150), Success),
            (
                "tail is cut",
                Row { start: Start::Warm, handler: 2_980, tail: 50, ..ROW },
                (2_980, 3_000, 3_000),
                Success,
            ),
        ];
        for (name, row, (reply, end, duration), outcome) in rows {
            let plan = planned(&row);
            let ms = |t: SimTime| t.as_nanos() / 1_000_000;
            let seen = (ms(plan.reply_at), ms(plan.end_at), invoke_phase(&plan).as_nanos() / 1_000_000);
            assert_eq!((seen, plan.outcome), ((reply, end, duration), outcome), "{name}");
        }
    }

    /// INV-E4: a crash of Init is retried inside the invocation; a second one is the function's error.
    #[test]
    fn e4_a_failed_init_is_tried_once_more() {
        let once = planned(&Row { init: [80, 90], init_failure: [Some(CRASH), None], handler: 100, ..ROW });
        assert_eq!(once.init, Some(InitPhase { length: SimDuration::from_millis(80), failed: true }));
        assert_eq!((invoke_phase(&once), once.outcome), (SimDuration::from_millis(190), RunOutcome::Success));
        let twice = planned(&Row { init: [80, 90], init_failure: [Some(CRASH); 2], handler: 100, ..ROW });
        assert_eq!((invoke_phase(&twice), twice.outcome), (SimDuration::from_millis(90), RunOutcome::Crash));
        assert!(twice.resets());
    }

    /// INV-E16: 1,769 MB is a full vCPU; more does not help a single thread.
    #[test]
    fn e16_time_grows_as_memory_shrinks() {
        for (memory_mb, expected) in [(1_769, 100_000), (3_538, 100_000), (177, 999_435), (1_768, 100_056)] {
            let function = Function { memory_mb, cpu_scaling: true, ..function() };
            let length = scaled(&function, SimDuration::from_millis(100));
            assert_eq!(length.as_nanos() / 1_000, expected, "{memory_mb} MB");
        }
    }

    /// INV-Y2: an answer above 6 MB is the function's error.
    #[test]
    fn y2_a_large_answer_is_an_error() {
        for (response_bytes, outcome) in [
            (limits::SYNCHRONOUS_PAYLOAD_BYTES, RunOutcome::Success),
            (limits::SYNCHRONOUS_PAYLOAD_BYTES + 1, RunOutcome::Error),
        ] {
            let draws = Draws { handler: SimDuration::ZERO, failure: None, response_bytes };
            let none = |_| InitDraw { length: SimDuration::ZERO, failure: None };
            let plan = plan(&function(), SimTime::ZERO, Start::Warm, SimDuration::ZERO, draws, none);
            assert_eq!(plan.outcome, outcome);
        }
    }

    /// INV-E18: a restore above ten seconds ends in `SnapStartTimeoutException`.
    #[test]
    fn e18_a_restore_has_ten_seconds() {
        for (restore, timed_out) in [(10_000, false), (10_001, true)] {
            let function = Function { snapstart: Some(Distribution::constant(0)), ..function() };
            let draws = Draws { handler: SimDuration::ZERO, failure: None, response_bytes: 0 };
            let init = |_| InitDraw { length: SimDuration::from_millis(restore), failure: None };
            let plan = plan(&function, SimTime::ZERO, Start::Cold, SimDuration::ZERO, draws, init);
            assert_eq!(plan.restore_timed_out, timed_out);
            assert_eq!(plan.reply_at.as_nanos(), 10_000_000_000);
        }
    }
}
