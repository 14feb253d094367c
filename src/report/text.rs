//! The report for people: a verdict, then tables that fit 80 columns, then what makes the run repeatable.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::bars::drawn;
use super::numbers::{
    self, count, dollars, milliseconds, plural, share, short_share, significant, some_milliseconds, wrap,
};
use super::style::Style;
use super::table::Table;
use super::verdict::{Mood, Verdict};
use super::{WIDTH, advice, dependencies, events, executions, messages, places, streams};
use crate::aws::config::Service;
use crate::stats::cost::{FunctionCost, TotalCost};
use crate::stats::summary::{CallerSummary, Flow, FunctionSummary, Named, Outcomes, Summary};

/// Rows of a table at most; the rest is in `summary.json`.
pub(super) const ROWS: usize = 10;

/// The reports, one after the other.
pub(super) fn render(summaries: &[Summary], style: Style) -> String {
    let reports: Vec<String> = summaries.iter().map(|summary| report(summary, style)).collect();
    reports.join("\n")
}

fn report(summary: &Summary, style: Style) -> String {
    let sections = [
        head(summary),
        expectations(summary, style),
        callers(summary, style),
        latency(summary, style),
        functions(summary, style),
        throttles(summary, style),
        provisioned(summary, style),
        events::events(summary, style),
        events::latency(summary, style),
        messages::queues(summary, style),
        messages::mappings(summary, style),
        messages::latency(summary, style),
        streams::streams(summary, style),
        streams::brokers(summary, style),
        streams::readers(summary, style),
        streams::ages(summary, style),
        dependencies::dependencies(summary, style),
        executions::machines(summary, style),
        executions::durations(summary, style),
        places::passed_on(summary, style),
        places::delivered_to(summary, style),
        advice::advice(summary, style),
        totals(summary),
        tail(summary, style),
    ];
    let mut text = verdict(summary, style);
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text += section;
    }
    text
}

/// The first sentence, and the others behind it or on lines of their own.
fn verdict(summary: &Summary, style: Style) -> String {
    let Verdict { mood, text, details } = Verdict::of(summary);
    let fits = text.chars().count() + 1 + details.chars().count() <= WIDTH;
    let first = wrap(&text, 2);
    let first = match mood {
        Mood::Good => style.good(first.trim_end()),
        Mood::Warning => style.warning(first.trim_end()),
        Mood::Bad => style.bad(first.trim_end()),
    };
    match details.as_str() {
        "" => first + "\n",
        _ if fits => format!("{first} {details}\n"),
        _ => format!("{first}\n{}", wrap(&format!("  {details}"), 2)),
    }
}

fn head(summary: &Summary) -> String {
    let scenario = &summary.scenario;
    let mut title = scenario.name.clone();
    if let Some(description) = &scenario.description {
        let _ = write!(title, ": {description}");
    }
    let window = &summary.window;
    let mut times = format!("Calls for {}", milliseconds(window.duration_ms));
    if window.warmup_ms > 0.0 {
        let _ = write!(times, ", the first {} not measured", milliseconds(window.warmup_ms));
    }
    let after = window.ended_ms - window.duration_ms;
    if after > 0.0 {
        let conservation = &summary.conservation;
        let open = [&conservation.callers, &conservation.functions, &conservation.async_events];
        let left = open.iter().any(|flows| flows.rows().any(|flow| flow.left > 0));
        let left = left || messages::waiting(summary) || streams::waiting(summary) > 0 || places::waiting(summary);
        let left = left || conservation.state_machines.rows().any(|flow| flow.left > 0);
        let end = if left { "the run stopped" } else { "everything ended" };
        let _ = write!(times, "; {end} {} later", milliseconds(after));
    }
    let mut text = wrap(&title, 2) + &wrap(&times, 2);
    if !scenario.overrides.is_empty() {
        text += &wrap(&format!("Changed with --set: {}", scenario.overrides.join(", ")), 2);
    }
    text
}

fn expectations(summary: &Summary, style: Style) -> String {
    let mut text = String::new();
    for judgement in &summary.expectations {
        let mark = if judgement.pass { style.good("ok  ") } else { style.bad("FAIL") };
        let actual = judgement.actual.map_or_else(|| "null".to_owned(), |_| numbers::actual(judgement));
        let indent = " ".repeat(6);
        let line = wrap(&format!("{indent}{}", judgement.expression), indent.len());
        let line = line.trim();
        let width = line.lines().last().map_or(0, |last| last.trim_start().chars().count());
        let fits = indent.len() + width + "  ()".len() + actual.chars().count() <= WIDTH;
        let gap = if fits { "  ".to_owned() } else { format!("\n{indent}") };
        let _ = writeln!(text, "{mark}  {line}{gap}({actual})");
    }
    text
}

/// The `ROWS` rows that matter most, in their own order, and how many are left out.
pub(super) fn most_relevant<T, K: Ord>(rows: &Named<T>, relevance: impl Fn(&T) -> K) -> (Vec<(&str, &T)>, usize) {
    let mut chosen: Vec<(usize, (&str, &T))> = rows.iter().enumerate().collect();
    chosen.sort_by_key(|(place, (_, row))| (Reverse(relevance(row)), *place));
    let more = chosen.len().saturating_sub(ROWS);
    chosen.truncate(ROWS);
    chosen.sort_by_key(|(place, _)| *place);
    (chosen.into_iter().map(|(_, row)| row).collect(), more)
}

pub(super) fn and_more(more: usize, what: &str) -> String {
    if more == 0 {
        return String::new();
    }
    format!("and {} more {what}, see summary.json\n", count(more as u64))
}

fn callers(summary: &Summary, style: Style) -> String {
    if summary.callers.is_empty() {
        return String::new();
    }
    let (rows, more) = most_relevant(&summary.callers, |caller| (caller.failed, caller.submitted));
    let mut table = Table::new(&["Caller", "calls", "failed", "retries", "p50", "p90", "p99", "max", "ok/s"]);
    for (name, caller) in &rows {
        let latency = &caller.latency_ms;
        let quantiles = [latency.p50, latency.p90, latency.p99, latency.max].map(some_milliseconds);
        let failed = short_share(caller.failed as f64, (caller.succeeded + caller.failed) as f64);
        let mut cells = vec![count(caller.submitted), failed, count(caller.retries)];
        cells.extend(quantiles);
        cells.push(caller.goodput_per_s.map_or_else(|| "-".to_owned(), |rate| significant(rate, 3)));
        table.row(name, cells);
    }
    let mut text = table.render(style) + &and_more(more, "callers");
    for (name, caller) in &rows {
        text += &caller_notes(name, caller);
    }
    text
}

/// How the calls of a caller ended that did not succeed at once.
fn caller_notes(name: &str, caller: &CallerSummary) -> String {
    let Outcomes { success: _, function_error, throttled, timeout, service_error, accepted, rejected } =
        caller.outcomes;
    let mut notes = Vec::new();
    if caller.via != Service::Sdk {
        notes.push(format!("via {}", caller.via.key()));
    }
    for (number, words) in [
        (throttled, "throttled"),
        (timeout, "timed out"),
        (function_error, "failed in the function"),
        (service_error, "failed in the service"),
        (rejected, "rejected"),
        (accepted, "accepted to run later"),
        (caller.dead_letters, "sent to its dead-letter queue"),
        (caller.unfinished, "still open"),
    ] {
        if number > 0 {
            notes.push(format!("{} {words}", count(number)));
        }
    }
    let refused: Vec<_> = caller.status_codes.iter().filter(|(code, _)| !code.starts_with('2')).collect();
    let faults = refused.iter().any(|(code, _)| *code != "429");
    // Without retries and faults this would say the same again.
    if faults || caller.retries + caller.retry_quota_exhausted + caller.circuit_open > 0 {
        let attempts = plural(caller.attempts, "attempt", "attempts");
        let mut parts: Vec<_> =
            refused.iter().map(|(code, number)| format!("{} answered {code}", count(**number))).collect();
        for (number, words) in [
            (caller.client_timeouts, "given up by the client"),
            (caller.retry_quota_exhausted, "not retried for lack of quota"),
            (caller.circuit_open, "stopped by the circuit breaker"),
        ] {
            if number > 0 {
                parts.push(format!("{} {words}", count(number)));
            }
        }
        let colon = if parts.is_empty() { "" } else { ": " };
        notes.push(format!("{attempts}{colon}{}", parts.join(", ")));
    }
    note(name, &notes)
}

/// Remarks about `name`.
pub(super) fn note(name: &str, notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { wrap(&format!("  {name}: {}", notes.join("; ")), 4) }
}

fn latency(summary: &Summary, style: Style) -> String {
    // Events and messages that are accepted at once say nothing.
    let says =
        |caller: &CallerSummary| !caller.sends && caller.outcomes.accepted == 0 || caller.latency_ms.max > Some(0.0);
    let mut busiest: Vec<_> =
        summary.callers.iter().filter(|(_, caller)| caller.latency_ms.count > 0 && says(caller)).collect();
    busiest.sort_by_key(|(_, caller)| Reverse(caller.submitted));
    let heading = |name: &str, caller: &CallerSummary| {
        let failed = plural(caller.failed, "failed call", "failed calls");
        let included = if caller.failed == 0 { "retries and waits" } else { &format!("retries, waits and {failed}") };
        format!("Latency of {name}, {included} included")
    };
    drawn(busiest.iter().map(|(name, caller)| (heading(name, caller), &caller.latency_ms)), "every call took", style)
}

fn functions(summary: &Summary, style: Style) -> String {
    let relevance = |function: &FunctionSummary| (function.throttles, function.errors, function.invocations);
    let (rows, more) = most_relevant(&summary.functions, relevance);
    let mut table = Table::new(&["Function", "runs", "errors", "throttles", "cold", "p99", "peak", "of", "USD"]);
    for (name, function) in &rows {
        let runs = function.invocations as f64;
        let cost = summary.cost.functions.get(name).map_or(0.0, |cost| cost.total_usd);
        let limit = function.limits.reserved_concurrency;
        table.row(
            name,
            [
                count(function.invocations),
                short_share(function.errors as f64, runs),
                count(function.throttles),
                short_share(function.cold_starts as f64, runs),
                some_milliseconds(function.duration_ms.p99),
                count(function.concurrent_executions.max.unwrap_or(0)),
                limit.map_or_else(|| "-".to_owned(), numbers::limit),
                dollars(cost),
            ],
        );
    }
    let mut text = table.render(style) + &and_more(more, "functions");
    for (name, function) in &rows {
        text += &function_notes(name, function);
    }
    text
}

fn function_notes(name: &str, function: &FunctionSummary) -> String {
    let mut notes = Vec::new();
    if function.timeouts > 0 {
        notes.push(plural(function.timeouts, "time-out", "time-outs"));
    }
    if function.init_failures > 0 {
        notes.push(plural(function.init_failures, "failed init", "failed inits"));
    }
    if function.suppressed_inits > 0 {
        notes.push(plural(function.suppressed_inits, "suppressed init", "suppressed inits"));
    }
    if function.abandoned_runs > 0 {
        let runs = plural(function.abandoned_runs, "run", "runs");
        notes.push(format!("{runs} went on for {} after the client had left", milliseconds(function.abandoned_ms)));
    }
    note(name, &notes)
}

fn throttles(summary: &Summary, style: Style) -> String {
    let mut rows: Vec<(u64, &str, &str)> = Vec::new();
    for (name, function) in summary.functions.iter() {
        for (reason, number) in &function.throttles_by_reason.0 {
            rows.push((*number, name, reason));
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    rows.sort_by_key(|(number, ..)| Reverse(*number));
    let more = rows.len().saturating_sub(ROWS);
    let mut table = Table::new(&["Throttles", "number", "reason"]).words_last();
    for (number, name, reason) in rows.into_iter().take(ROWS) {
        table.row(name, [count(number), reason.to_owned()]);
    }
    table.render(style) + &and_more(more, "rows")
}

fn provisioned(summary: &Summary, style: Style) -> String {
    let used: Named<&FunctionSummary> = summary
        .functions
        .iter()
        .filter(|(_, function)| function.provisioned_concurrency_allocated.max.unwrap_or(0) > 0)
        .map(|(name, function)| (name.to_owned(), function))
        .collect();
    if used.is_empty() {
        return String::new();
    }
    let (rows, more) = most_relevant(&used, |function| function.provisioned_concurrency_spillover_invocations);
    let mut table = Table::new(&["Provisioned", "units", "runs", "spilled", "use mean", "use max", "USD standing"]);
    for (name, function) in rows {
        let percent = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| share(value, 1.0));
        let utilization = &function.provisioned_concurrency_utilization;
        let standing = summary.cost.functions.get(name).map_or(0.0, |cost| cost.provisioned_usd);
        table.row(
            name,
            [
                count(function.provisioned_concurrency_allocated.max.unwrap_or(0)),
                count(function.provisioned_concurrency_invocations),
                count(function.provisioned_concurrency_spillover_invocations),
                percent(utilization.mean),
                percent(utilization.max),
                dollars(standing),
            ],
        );
    }
    table.render(style) + &and_more(more, "functions")
}

/// Lines about the whole.
fn totals(summary: &Summary) -> String {
    let account = &summary.account;
    let (running, claimed) = (&account.concurrent_executions, &account.claimed_account_concurrency);
    let level = |level: Option<u64>| level.map_or_else(|| "-".to_owned(), count);
    let concurrency = format!(
        "Account concurrency: mean {}, p99 {}, peak {} of {}; claimed at most {}",
        running.mean.map_or_else(|| "-".to_owned(), |mean| significant(mean, 3)),
        level(running.p99),
        level(running.max),
        numbers::limit(account.concurrency_limit),
        level(claimed.max),
    );
    wrap(&concurrency, 2) + &wrap(&cost(summary), 2)
}

fn cost(summary: &Summary) -> String {
    let sum = |part: fn(&FunctionCost) -> f64| summary.cost.functions.rows().map(part).sum::<f64>();
    let mut text = format!(
        "Cost: {} USD (requests {}, duration {}, provisioned {}{})",
        dollars(summary.cost.total_usd),
        dollars(sum(|cost| cost.requests_usd)),
        dollars(sum(|cost| cost.duration_usd)),
        dollars(sum(|cost| cost.provisioned_usd)),
        other_costs(summary),
    );
    let calls: u64 = summary.callers.rows().map(|caller| caller.submitted).sum();
    if calls > 0 {
        let _ = write!(text, ", {} USD per million calls", dollars(summary.cost.total_usd / calls as f64 * 1e6));
    }
    text
}

/// `, queues 0.04, streams 0.015, pollers 0.3`: what is not zero.
fn other_costs(summary: &Summary) -> String {
    let cost = &summary.cost;
    let parts = [
        ("API Gateway", &cost.callers),
        ("queues", &cost.queues),
        ("streams", &cost.streams),
        ("pollers", &cost.event_source_mappings),
        ("topics", &cost.topics),
        ("event buses", &cost.event_buses),
        ("buckets", &cost.buckets),
        ("state machines", &cost.state_machines),
    ];
    let part = |(what, costs): (&str, &Named<TotalCost>)| {
        let usd: f64 = costs.rows().map(|cost| cost.total_usd).sum();
        if usd > 0.0 { format!(", {what} {}", dollars(usd)) } else { String::new() }
    };
    parts.map(part).concat()
}

/// What makes the run repeatable and believable.
fn tail(summary: &Summary, style: Style) -> String {
    let conservation = &summary.conservation;
    let sums = |flows: &Named<Flow>| {
        let sum = |field: fn(&Flow) -> u64| count(flows.rows().map(field).sum());
        format!("{} in = {} out + {} left", sum(|f| f.entered), sum(|f| f.out), sum(|f| f.left))
    };
    let passed_on = |flows: &Named<Flow>| flows.rows().any(|flow| flow.out > 0);
    let holds = if conservation.holds { "holds:" } else { "BROKEN:" };
    let mut text = format!("Conservation {holds} calls {}\n", sums(&conservation.callers));
    let _ = writeln!(text, "{:>width$} runs {}", "", sums(&conservation.functions), width = 13 + holds.len());
    if conservation.async_events.rows().any(|flow| flow.entered > 0) {
        let _ = writeln!(text, "{:>width$} events {}", "", sums(&conservation.async_events), width = 13 + holds.len());
    }
    for (what, flows, shown) in [
        ("messages", &conservation.queues, messages::flows(summary)),
        ("records", &conservation.streams, !conservation.streams.is_empty()),
        ("broker messages", &conservation.brokers, !conservation.brokers.is_empty()),
        ("executions", &conservation.state_machines, !conservation.state_machines.is_empty()),
        ("deliveries of topics", &conservation.topics, passed_on(&conservation.topics)),
        ("deliveries of buses", &conservation.event_buses, passed_on(&conservation.event_buses)),
        ("deliveries of buckets", &conservation.buckets, passed_on(&conservation.buckets)),
    ] {
        if shown {
            let _ = writeln!(text, "{:>width$} {what} {}", "", sums(flows), width = 13 + holds.len());
        }
    }
    if summary.window.warmup_ms > 0.0 {
        let _ = writeln!(text, "{:>width$} warm-up included", "", width = 13 + holds.len());
    }
    let sha256: String = summary.scenario.sha256.chars().take(12).collect();
    let version =
        format!("lambdasim {}, scenario {sha256}, seed {}, digest {}", summary.lambdasim, summary.seed, summary.digest);
    text + &style.dim(&version) + "\n"
}
