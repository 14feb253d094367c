//! The works that speed is measured on, as scenario files.
//!
//! (a) a loss system near its limit, (b) one function with cold starts and warm reuse, (c) the same load spread over
//! many functions with a time-out. Beside them works of single mechanisms. All statistics are on; they are parsed like
//! any scenario.

#![allow(dead_code, reason = "each benchmark takes the works that it needs")]

use std::fmt::Write as _;

/// Limits that the works are not about.
const ACCOUNT: &str = "account: {concurrency_limit: 1000000, scaling: off, request_rate_limit: off}\n";

/// Durations and Inits of (b) and (c).
const FUNCTION: &str = "duration: {lognormal: {median: 50ms, p99: 400ms}}, \
     init: {lognormal: {median: 250ms, p99: 900ms}}, idle_timeout: 600s, reserved_concurrency: 200";

/// M/M/1000/1000 at 900 a second.
pub(crate) fn a(invocations: u64) -> String {
    format!(
        "name: work-a\nduration: {}ms\n{ACCOUNT}\
         functions: {{f: {{duration: {{exponential: {{mean: 1s}}}}, timeout: 900s, reserved_concurrency: 1000}}}}\n\
         callers: {{c: {{target: f, arrivals: {{poisson: 900/s}}, client: {{retry: none}}}}}}\n",
        invocations * 1_000 / 900
    )
}

/// One function at 1,000 a second.
pub(crate) fn b(invocations: u64) -> String {
    format!(
        "name: work-b\nduration: {invocations}ms\n{ACCOUNT}functions: {{f: {{{FUNCTION}, timeout: 900s}}}}\n\
         callers: {{c: {{target: f, arrivals: {{poisson: 1000/s}}, client: {{retry: none}}}}}}\n"
    )
}

/// (b) spread over `functions` of equal rate, with a time-out of 3 s.
pub(crate) fn c(invocations: u64, functions: u64) -> String {
    let mut text = format!("name: work-c\nduration: {invocations}ms\n{ACCOUNT}functions:\n");
    for index in 0..functions {
        let _ = writeln!(text, "  f{index}: {{{FUNCTION}, timeout: 3s}}");
    }
    text.push_str("callers:\n");
    let rate = 60_000.0 / functions as f64;
    for index in 0..functions {
        let _ = writeln!(
            text,
            "  c{index}: {{target: f{index}, arrivals: {{poisson: {rate}/min}}, client: {{retry: none}}}}"
        );
    }
    text
}

/// So many events within a second for a function that is throttled for half an hour, and then takes them.
pub(crate) fn queued(events: u64) -> String {
    format!(
        "name: queued\nduration: 1s\n{ACCOUNT}\
         functions: {{f: {{duration: 100ms, async: {{backoff: {{jitter: 100%}}}}}}}}\n\
         faults: [{{function: f, stage: dispatch, status: 429, until: 30m}}]\n\
         callers: {{c: {{target: f, invocation: async, arrivals: {{constant: {events}/s}}, client: {{retry: none}}}}}}\n"
    )
}

/// Asynchronous events of one function, which all succeed at once: from acceptance to success.
pub(crate) fn events(events: u64) -> String {
    format!(
        "name: events\nduration: {events}ms\n{ACCOUNT}functions: {{f: {{{FUNCTION}, timeout: 900s}}}}\n\
         callers: {{c: {{target: f, invocation: async, arrivals: {{poisson: 1000/s}}, client: {{retry: none}}}}}}\n"
    )
}

/// So many messages at once, polled in batches of ten: from send to delete.
pub(crate) fn messages(messages: u64) -> String {
    format!(
        "name: messages\nduration: 1s\n{ACCOUNT}functions: {{f: {{duration: 100ms}}}}\n\
         queues: {{q: {{visibility_timeout: 1h}}}}\n\
         event_source_mappings: {{m: {{source: q, function: f, batch_size: 10}}}}\n\
         callers: {{c: {{target: q, arrivals: {{burst: {{size: {messages}}}}}, client: {{retry: none}}}}}}\n"
    )
}

/// So many records put into ten shards as fast as these take them, read in batches of a hundred.
pub(crate) fn records(records: u64) -> String {
    // A shard takes 1,000 records a second.
    records_of(records, 10, 900)
}

/// So many records put into so many shards, `rate` a second into each, read in batches of a hundred.
pub(crate) fn records_of(records: u64, shards: u64, rate: u64) -> String {
    let rate = shards * rate;
    let duration = (records * 1_000).div_ceil(rate);
    format!(
        "name: records\nduration: {duration}ms\n{ACCOUNT}functions: {{f: {{duration: 50ms}}}}\n\
         streams: {{s: {{type: kinesis, shards: {shards}}}}}\n\
         event_source_mappings: {{m: {{source: s, function: f, batch_size: 100}}}}\n\
         callers: {{c: {{target: s, payload: 100B, arrivals: {{constant: {rate}/s}}, client: {{retry: none}}}}}}\n"
    )
}
