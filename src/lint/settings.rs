//! Settings that help: new names, longer time-outs with what follows from them, and numbers in words.

use super::{Context, Setting};
use crate::aws::config::{Backoff, Budget, Client, EventSourceMapping, Service, Source, StreamKind, System, Target};
use crate::aws::ids::FunctionId;
use crate::kernel::time::SimDuration;

/// ESM-1.1.6: the visibility time-out is this many times the function's time-out, or more.
const TIMEOUTS: u64 = 6;
/// ESM-1.1.7: the longest visibility time-out.
const LONGEST_VISIBILITY: SimDuration = SimDuration::from_secs(43_200);
/// INV-E5, ESM-4.1: the longest time-outs.
const LONGEST_TIMEOUT: SimDuration = SimDuration::from_secs(900);
const LONGEST_TIMEOUT_OF_READERS: SimDuration = SimDuration::from_secs(840);
/// ESM-1.1.9: the longest retention.
pub(super) const LONGEST_RETENTION: SimDuration = SimDuration::from_secs(1_209_600);

pub(super) const SECOND: SimDuration = SimDuration::from_secs(1);

/// ESM-1.1.6: the visibility time-out that AWS advises.
pub(super) fn advised_visibility(timeout: SimDuration, window: SimDuration) -> SimDuration {
    timeout.times(TIMEOUTS).plus(window)
}

/// The visibility time-out that all mappings of a queue are well with.
pub(super) fn visibility_for(
    context: &Context<'_>,
    source: Source,
    with: impl Fn(FunctionId) -> SimDuration,
) -> String {
    let readers = context.mappings().filter(|mapping| mapping.source == source);
    let advised = readers.map(|mapping| advised_visibility(with(mapping.function), mapping.maximum_batching_window));
    rounded(advised.max().unwrap_or_default()).min(LONGEST_VISIBILITY).to_string()
}

/// Settings by which a function may run so long; `None` where AWS does not let it.
pub(super) fn longer_timeout(context: &Context<'_>, id: FunctionId, timeout: SimDuration) -> Option<Vec<Setting>> {
    let timeout = rounded(timeout);
    let function = &context.system.functions[id];
    let mappings = || context.mappings_of(id);
    let longest = if mappings().any(|mapping| is_pulled(context.system, mapping)) {
        LONGEST_TIMEOUT_OF_READERS
    } else {
        LONGEST_TIMEOUT
    };
    let at_edge = context
        .system
        .callers
        .rows()
        .iter()
        .any(|caller| caller.target == Target::Function(id) && caller.via.service == Service::Cloudfront);
    if timeout > longest || at_edge {
        return None;
    }
    let mut changes = vec![Setting::new(format!("functions.{}.timeout", function.name), timeout)];
    for mapping in mappings() {
        let Source::Queue(queue) = mapping.source else { continue };
        let settings = &context.system.queues[queue];
        if settings.visibility_timeout < advised_visibility(timeout, mapping.maximum_batching_window) {
            let of = |other| if other == id { timeout } else { context.system.functions[other].timeout };
            let key = format!("queues.{}.visibility_timeout", settings.name);
            changes.push(Setting::new(key, visibility_for(context, mapping.source, of)));
        }
    }
    Some(changes)
}

/// The setting by which a function may run no longer than so long; `None` where AWS has no time-out so short.
pub(super) fn shorter_timeout(name: &str, timeout: SimDuration) -> Option<Setting> {
    let whole = SimDuration::from_secs(timeout.as_nanos() / 1_000_000_000);
    (whole >= SECOND).then(|| Setting::new(format!("functions.{name}.timeout"), whole))
}

/// ESM-4.1: Kafka, MQ and `DocumentDB`.
fn is_pulled(system: &System, mapping: &EventSourceMapping) -> bool {
    match mapping.source {
        Source::Queue(_) => false,
        Source::Stream(id) => matches!(system.streams[id].kind, StreamKind::Kafka | StreamKind::DocumentDb),
        Source::Broker(_) => true,
    }
}

/// A name for a new queue that nothing in the scenario has.
pub(super) fn new_name(system: &System, wanted: &str) -> String {
    let numbered = (2..).map(|number| format!("{wanted}-{number}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names.find(|name| !is_name(system, name)).unwrap_or_default()
}

fn is_name(system: &System, name: &str) -> bool {
    system.functions.rows().iter().any(|row| row.name == name)
        || system.callers.rows().iter().any(|row| row.name == name)
        || system.queues.rows().iter().any(|row| row.name == name)
        || system.streams.rows().iter().any(|row| row.name == name)
        || system.brokers.rows().iter().any(|row| row.name == name)
        || system.event_source_mappings.rows().iter().any(|row| row.name == name)
        || system.topics.rows().iter().any(|row| row.name == name)
        || system.event_buses.rows().iter().any(|row| row.name == name)
        || system.buckets.rows().iter().any(|row| row.name == name)
        || system.dependencies.rows().iter().any(|row| row.name == name)
        || system.state_machines.rows().iter().any(|row| row.name == name)
}

/// Up to the next whole second.
pub(super) fn rounded(length: SimDuration) -> SimDuration {
    SimDuration::from_secs(length.as_nanos().div_ceil(1_000_000_000))
}

/// A length of so many seconds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the shortest and the longest")]
pub(super) fn length(seconds: f64) -> SimDuration {
    SimDuration::from_nanos((seconds * 1e9) as u64)
}

/// The next whole number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the smallest and the largest")]
pub(super) fn whole(number: f64) -> u32 {
    number.ceil() as u32
}

/// A number for people, with one decimal where that says something.
pub(super) fn about(number: f64) -> String {
    let text = if number < 100.0 { format!("{number:.1}") } else { format!("{number:.0}") };
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A time for people, from seconds: at most three digits of its largest units.
pub(super) fn time(seconds: f64) -> String {
    let grain = if seconds >= 10.0 {
        1.0
    } else if seconds >= 0.01 {
        1e-3
    } else {
        1e-6
    };
    length((seconds / grain).round() * grain + 1e-10).to_string()
}

/// A client's retries with full jitter and a budget, written in full.
pub(super) fn new_retry(client: &Client, budget: Budget) -> String {
    let Backoff { base, factor, cap, jitter: _ } = client.backoff;
    let cap = cap.map_or_else(|| "unlimited".to_owned(), |cap| cap.to_string());
    let budget = match budget {
        Budget::None => "none".to_owned(),
        Budget::Tokens { tokens, transient, throttle, timeout, success } => format!(
            "{{tokens: {tokens}, transient: {transient}, throttle: {throttle}, timeout: {timeout}, success: {success}}}"
        ),
        Budget::Ratio { ratio, burst } => format!("{{ratio: {}, burst: {burst}}}", ratio.as_f64()),
    };
    let attempts = client.max_attempts;
    format!("{{max_attempts: {attempts}, base: {base}, factor: {factor}, cap: {cap}, jitter: full, budget: {budget}}}")
}
