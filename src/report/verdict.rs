//! The first lines of a report: what the run means, in words, with its key number; then what there is to know beside it.
//!
//! The first that applies is said: results that cannot be trusted; nothing measured; messages that were dead-lettered
//! without a run, expired, dead-lettered, left or repeated; records that were dropped, expired, discarded or left; executions that did not succeed; deliveries that were given up, wait or were tried again; events that were lost; events that were dropped and kept; calls that failed; calls still open, and events; throttles or failures that retries made good;
//! and else that all is well. How much room is left follows. What the scenario expects comes before all that.

use std::cmp::Reverse;

use super::events::conditions;
use super::numbers::{actual, count, milliseconds, plural, share};
use super::{executions, messages, places, streams};
use crate::aws::fact::ThrottleReason;
use crate::stats::summary::{AsynchronousSummary, CallerSummary, FunctionSummary, Keeps, Limit, Outcomes, Summary};

/// What a run means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether that is good.
    pub mood: Mood,
    /// One sentence.
    pub text: String,
    /// Sentences that follow; may be empty.
    pub details: String,
}

/// Whether a verdict is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// All is well.
    Good,
    /// It deserves a look.
    Warning,
    /// Something is not as it should be.
    Bad,
}

impl Verdict {
    /// What `summary` means.
    pub fn of(summary: &Summary) -> Self {
        let failing = summary.expectations.iter().filter(|judgement| !judgement.pass).count();
        if !summary.conservation.holds {
            return Self { mood: Mood::Bad, text: broken(summary), details: String::new() };
        }
        let Self { mood, text, details } = run(summary);
        if failing > 0 {
            let details = format!("{} {details}", capitalized(&text)).trim_end().to_owned();
            return Self { mood: Mood::Bad, text: failing_expectations(summary, failing), details };
        }
        match summary.expectations.len() {
            0 => Self { mood, text: capitalized(&text), details },
            1 => Self { mood: Mood::Good, text: format!("The expectation holds; {text}"), details },
            several => Self { mood: Mood::Good, text: format!("All {several} expectations hold; {text}"), details },
        }
    }
}

fn broken(summary: &Summary) -> String {
    let conservation = &summary.conservation;
    let Some((name, flow)) = conservation.flows().find(|(_, flow)| !flow.holds) else {
        return "These results are wrong, which is a fault of lambdasim: conservation does not hold.".to_owned();
    };
    format!(
        "These results are wrong, which is a fault of lambdasim: {name} took in {} and let out {}, with {} left.",
        count(flow.entered),
        count(flow.out),
        count(flow.left)
    )
}

fn failing_expectations(summary: &Summary, failing: usize) -> String {
    let judgements = &summary.expectations;
    let first = judgements.iter().find(|judgement| !judgement.pass).expect("one of them fails");
    let verb = if failing == 1 { "fails" } else { "fail" };
    let actual =
        first.actual.map_or_else(|| "there was nothing to measure".to_owned(), |_| format!("it is {}", actual(first)));
    let whole = if judgements.len() == 1 {
        "The expectation".to_owned()
    } else {
        format!("{failing} of {} expectations", judgements.len())
    };
    let more = if failing > 1 { format!(" (and {} more)", failing - 1) } else { String::new() };
    format!("{whole} {verb}: {}, but {actual}{more}.", first.expression)
}

/// What happened, beginning in lower case, and what there is to know beside it.
fn run(summary: &Summary) -> Verdict {
    let sum = |field: fn(&CallerSummary) -> u64| summary.callers.rows().map(field).sum::<u64>();
    let calls = sum(|caller| caller.submitted);
    if calls == 0 {
        let text = nothing(summary).to_owned();
        return Verdict { mood: Mood::Warning, text, details: String::new() };
    }
    let of_sources =
        [messages::verdict(summary), streams::verdict(summary), executions::verdict(summary), places::verdict(summary)];
    let of_sources = of_sources.into_iter().flatten();
    match of_sources.reduce(both) {
        None => of_calls_and_events(summary, calls),
        Some(sent) => of_what_was_sent(summary, sent, calls),
    }
}

/// What became of messages and records, with what happened beside it.
fn of_what_was_sent(summary: &Summary, sent: Verdict, calls: u64) -> Verdict {
    let rest = of_calls_and_events(summary, calls);
    let rest = if rest.mood == Mood::Good && messages::only_sends(summary) {
        let text = format!("{}.", room(summary));
        Verdict { mood: Mood::Good, text, details: String::new() }
    } else {
        rest
    };
    both(sent, rest)
}

/// Two verdicts as one; the first goes first unless only it is good news.
fn both(first: Verdict, second: Verdict) -> Verdict {
    let swap = first.mood == Mood::Good && second.mood != Mood::Good;
    let (first, second) = if swap { (second, first) } else { (first, second) };
    let mood = if second.mood == Mood::Bad { Mood::Bad } else { first.mood };
    let details = [first.details, capitalized(&second.text), second.details];
    let details: Vec<_> = details.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    Verdict { mood, text: first.text, details: details.join(" ") }
}

/// What became of calls and events.
fn of_calls_and_events(summary: &Summary, calls: u64) -> Verdict {
    match ends_of_events(summary) {
        None => of_calls(summary, calls),
        Some(Verdict { mood, text, details }) => {
            let calls = of_calls(summary, calls);
            let details = format!("{details} {} {}", capitalized(&calls.text), calls.details).trim_end().to_owned();
            Verdict { mood: if calls.mood == Mood::Bad { Mood::Bad } else { mood }, text, details }
        }
    }
}

/// Over the events of all functions.
fn of_events(summary: &Summary, field: fn(&AsynchronousSummary) -> u64) -> u64 {
    summary.functions.rows().map(|function| field(&function.asynchronous)).sum()
}

/// Events that ended without success, if there are some.
fn ends_of_events(summary: &Summary) -> Option<Verdict> {
    let dropped = of_events(summary, |events| events.async_events_dropped);
    let lost = of_events(summary, |events| events.lost);
    if dropped == 0 {
        return None;
    }
    let received = of_events(summary, |events| events.async_events_received);
    let numbers = |number: u64| format!("{} of {}", count(number), plural(received, "event", "events"));
    let worst = |number: fn(&AsynchronousSummary) -> u64| {
        let rows = summary.functions.iter().map(|(name, function)| (name, &function.asynchronous));
        rows.min_by_key(|(_, events)| Reverse(number(events))).expect("it dropped events")
    };
    let were = |number: u64| if number == 1 { "was" } else { "were" };
    let by = |name: &str, events| format!("Dropped by {name}: {}.", conditions(events));
    if lost == 0 {
        let (name, events) = worst(|events| events.async_events_dropped);
        let told = |events: &AsynchronousSummary| events.dead_letters + events.destination_deliveries.on_failure;
        let fate = match (of_events(summary, told) < dropped, dropped) {
            (true, _) => "dead letters and records are still on their way",
            (false, 1) => "it is kept by a dead-letter queue or a destination",
            (false, _) => "they are kept by a dead-letter queue or a destination",
        };
        let text = format!("{} {} dropped; {fate}.", numbers(dropped), were(dropped));
        return Some(Verdict { mood: Mood::Warning, text, details: by(name, events) });
    }
    let (name, events) = worst(|events| events.lost);
    let why = if events.keeps == Keeps::NOWHERE {
        format!("{name} has no dead-letter queue and no on_failure destination")
    } else {
        format!("what {name} dropped could not be delivered")
    };
    let text = format!("{} {} lost: {why}.", numbers(lost), were(lost));
    let others = plural(dropped.saturating_sub(lost), "other was kept", "others were kept");
    let kept = if dropped > lost { format!(" {others}.") } else { String::new() };
    Some(Verdict { mood: Mood::Bad, text, details: by(name, events) + &kept })
}

/// What happened beside that.
fn of_calls(summary: &Summary, calls: u64) -> Verdict {
    let sum = |field: fn(&CallerSummary) -> u64| summary.callers.rows().map(field).sum::<u64>();
    let failed = sum(|caller| caller.failed);
    if failed > 0 {
        return failures(summary, calls, failed);
    }
    let (unfinished, attempts) = (sum(|caller| caller.unfinished), sum(|caller| caller.attempts));
    let (throttled, timeouts) = (sum(|caller| caller.throttled), sum(|caller| caller.client_timeouts));
    let errors = sum(service_errors);
    let calls_text = plural(calls, "call", "calls");
    let numbers = format!("{calls_text}, {}; {}.", latency(summary), room(summary));
    if unfinished > 0 {
        let text = format!("{} of {calls_text} were still open at the end.", count(unfinished));
        return Verdict { mood: Mood::Warning, text, details: closing(summary) };
    }
    let events = of_events(summary, |events| events.async_events_received);
    let waiting = of_events(summary, |events| events.async_events_pending);
    if waiting > 0 {
        let text = format!("{} of {} had not ended.", count(waiting), plural(events, "event", "events"));
        return Verdict { mood: Mood::Warning, text, details: beside(summary, calls) };
    }
    // What retries made good.
    let of_attempts =
        |number: u64| format!("{} of {} attempts", share(number as f64, attempts as f64), count(attempts));
    if throttled > 0 {
        let text = format!("no call failed, but {} were throttled.", of_attempts(throttled));
        let by = throttled_by(summary).map(|by| format!("Throttled by {by}: ")).unwrap_or_default();
        return Verdict { mood: Mood::Warning, text, details: by + &numbers };
    }
    if errors > 0 {
        let text = format!("no call failed, but {} failed in the service.", of_attempts(errors));
        return Verdict { mood: Mood::Warning, text, details: numbers };
    }
    if timeouts > 0 {
        let timeouts = plural(timeouts, "attempt", "attempts");
        let text = format!("no call failed, but {timeouts} timed out and ran again.");
        return Verdict { mood: Mood::Warning, text, details: numbers };
    }
    let throttled = of_events(summary, |events| events.async_throttle_retries);
    if throttled > 0 {
        let dispatches = plural(throttled, "dispatch", "dispatches");
        let text = format!("{dispatches} of events were throttled or refused, and tried again.");
        return Verdict { mood: Mood::Warning, text, details: beside(summary, calls) };
    }
    let retries = of_events(summary, |events| events.async_retries);
    if retries > 0 {
        let text = format!("{} of events failed and were tried again.", plural(retries, "run", "runs"));
        return Verdict { mood: Mood::Warning, text, details: beside(summary, calls) };
    }
    let (_, slowest) = p99(summary);
    let slowest = slowest.filter(|_| !all_accepted(summary));
    let slowest = slowest.map(|name| format!("Slowest caller: {name}. ")).unwrap_or_default();
    let details = format!("{slowest}{}.", capitalized(&room(summary)));
    Verdict { mood: Mood::Good, text: format!("no throttles: {}.", load(summary, calls)), details }
}

/// Calls, events and room, as a sentence.
fn beside(summary: &Summary, calls: u64) -> String {
    format!("{}; {}.", load(summary, calls), room(summary))
}

/// Calls and events with their latency.
fn load(summary: &Summary, calls: u64) -> String {
    let of_calls = format!("{}, {}", plural(calls, "call", "calls"), p99(summary).0);
    let events = of_events(summary, |events| events.async_events_received);
    if events == 0 {
        return of_calls;
    }
    let latency = |function: &FunctionSummary| function.asynchronous.async_latency_ms.p99;
    let latencies: Vec<_> = summary.functions.rows().filter_map(latency).collect();
    let worst = if latencies.len() > 1 { "worst p99" } else { "p99" };
    let p99 = latencies.into_iter().max_by(f64::total_cmp);
    let p99 = p99.map(|p99| format!(", {worst} {}", milliseconds(p99))).unwrap_or_default();
    let of_events = format!("{}{p99}", plural(events, "event", "events"));
    if all_accepted(summary) { of_events } else { format!("{of_calls}; {of_events}") }
}

/// Whether no call waited for an answer of the function.
fn all_accepted(summary: &Summary) -> bool {
    summary.callers.rows().all(|caller| caller.outcomes.accepted == caller.submitted)
}

fn nothing(summary: &Summary) -> &'static str {
    if summary.callers.is_empty() {
        "nothing happened: the scenario has no callers."
    } else if summary.window.warmup_ms > 0.0 {
        "nothing was measured: no call was submitted after the warm-up."
    } else {
        "nothing happened: no call was submitted."
    }
}

/// Attempts that the service answered with a failure of its own.
fn service_errors(caller: &CallerSummary) -> u64 {
    caller.status_codes.iter().filter(|(code, _)| code.starts_with('5')).map(|(_, number)| number).sum()
}

/// Latency and room, as a sentence.
fn closing(summary: &Summary) -> String {
    format!("Latency: {}; {}.", latency(summary), room(summary))
}

/// How calls ended that did not succeed, in words.
fn causes(outcomes: &Outcomes) -> [(u64, &'static str, &'static str); 5] {
    [
        (outcomes.throttled, "were throttled", "throttled"),
        (outcomes.timeout, "timed out", "timed out"),
        (outcomes.function_error, "failed in the function", "failed in the function"),
        (outcomes.service_error, "failed in the service", "failed in the service"),
        (outcomes.rejected, "were rejected", "rejected"),
    ]
}

fn failures(summary: &Summary, calls: u64, failed: u64) -> Verdict {
    let mut totals: Vec<(u64, &str, &str)> = Vec::new();
    for caller in summary.callers.rows() {
        for (place, (number, verb, word)) in causes(&caller.outcomes).into_iter().enumerate() {
            match totals.get_mut(place) {
                Some((total, ..)) => *total += number,
                None => totals.push((number, verb, word)),
            }
        }
    }
    // The order of causes settles equal numbers.
    totals.sort_by_key(|&(number, ..)| Reverse(number));
    totals.retain(|&(number, ..)| number > 0);
    let share = share(failed as f64, calls as f64);
    let numbers = format!("{} of {}", count(failed), count(calls));
    let by = throttled_by(summary).filter(|_| totals[0].2 == "throttled");
    let by = by.map(|by| format!("Throttled by {by}; {}; {}.", latency(summary), room(summary)));
    let details = by.unwrap_or_else(|| closing(summary));
    if let [(_, verb, _)] = totals[..] {
        return Verdict { mood: Mood::Bad, text: format!("{share} of calls {verb}: {numbers}."), details };
    }
    let causes: Vec<_> = totals.iter().map(|(number, _, word)| format!("{} {word}", count(*number))).collect();
    let text = format!("{share} of calls failed: {numbers}.");
    Verdict { mood: Mood::Bad, text, details: format!("Causes: {}. {details}", causes.join(", ")) }
}

/// What refused most of the requests that were refused; the first of equals.
fn throttled_by(summary: &Summary) -> Option<String> {
    let of_function = |(name, function): (&str, &FunctionSummary)| {
        let (reason, number) = function.throttles_by_reason.0.iter().min_by_key(|(_, number)| Reverse(*number))?;
        Some((*number, plain_reason(reason, name)))
    };
    summary.functions.iter().filter_map(of_function).min_by_key(|(number, _)| Reverse(*number)).map(|(_, words)| words)
}

fn plain_reason(reason: &str, function: &str) -> String {
    use ThrottleReason as Reason;
    match Reason::ALL.into_iter().find(|known| known.as_str() == reason) {
        Some(Reason::ConcurrentInvocationLimitExceeded) => "the account's concurrency".to_owned(),
        Some(Reason::FunctionInvocationRateLimitExceeded) => "the account's request rate".to_owned(),
        Some(Reason::ReservedFunctionConcurrentInvocationLimitExceeded) => {
            format!("the reserved concurrency of {function}")
        }
        Some(Reason::ReservedFunctionInvocationRateLimitExceeded) => {
            format!("the request rate of {function}")
        }
        Some(Reason::CallerRateLimitExceeded) => "the callers' rate limit".to_owned(),
        None => reason.to_owned(),
    }
}

/// The slowest caller's 99th percentile, with its name where there are several.
fn latency(summary: &Summary) -> String {
    let (p99, name) = p99(summary);
    name.map_or_else(|| p99.clone(), |name| format!("{p99} ({name})"))
}

/// The highest 99th percentile, and whose it is where there are several callers.
fn p99(summary: &Summary) -> (String, Option<&str>) {
    let p99 = |(name, caller): (_, &CallerSummary)| caller.latency_ms.p99.map(|p99| (p99, name));
    match summary.callers.iter().filter_map(p99).min_by(|a, b| b.0.total_cmp(&a.0)) {
        None => ("no call ended".to_owned(), None),
        Some((p99, _)) if summary.callers.len() == 1 => (format!("p99 {}", milliseconds(p99)), None),
        Some((p99, name)) => (format!("worst p99 {}", milliseconds(p99)), Some(name)),
    }
}

/// The limit that is nearest to being reached: the account's, or a function's own.
fn room(summary: &Summary) -> String {
    let account = &summary.account;
    let mut tightest = (account.concurrent_executions.max.unwrap_or(0), account.concurrency_limit, None);
    for (name, function) in summary.functions.iter() {
        let Some(limit) = function.limits.reserved_concurrency else { continue };
        let peak = function.concurrent_executions.max.unwrap_or(0);
        // peak / limit, compared without dividing.
        let product = |peak: u64, limit: Limit| u128::from(peak) * u128::from(limit.lowest);
        if product(peak, tightest.1) > product(tightest.0, limit) {
            tightest = (peak, limit, Some(name));
        }
    }
    let (peak, Limit { lowest, highest }, name) = tightest;
    let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
    let (lowest, highest) = (u64::from(lowest), u64::from(highest));
    if lowest != highest {
        let (from, to) = (count(lowest), count(highest));
        return format!("peak concurrency{of} {} (limit changed during the run: {from} to {to})", count(peak));
    }
    let reserved = if name.is_some() { " reserved" } else { "" };
    let limit = lowest;
    if peak >= limit {
        return format!("peak concurrency{of} {} of {}{reserved}, none free", count(peak), count(limit));
    }
    let free = ((limit - peak) * 200 / limit).div_ceil(2).clamp(1, if peak > 0 { 99 } else { 100 });
    format!("peak concurrency{of} {} of {}{reserved} ({free} % free)", count(peak), count(limit))
}

pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase().to_string() + characters.as_str()).unwrap_or_default()
}
