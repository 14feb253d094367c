//! Queues that functions read: hiding, receives, dead letters, pollers (ESM-1).

use super::limits::{claimed, reserve};
use super::load::{mean_seconds, seconds};
use super::settings::{
    LONGEST_RETENTION, about, advised_visibility, length, longer_timeout, new_name, rounded, shorter_timeout, time,
    visibility_for, whole,
};
use super::{Check, Context, Finding};
use crate::aws::config::{
    CallTarget, EventSourceMapping, Failure, Function, Keys, ProvisionedPollers, Queue, QueueKind, Source, StreamKind,
    Target,
};
use crate::aws::ids::QueueId;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// ESM-1.1.12: receives before a message is dead-lettered.
const RECEIVES: u32 = 5;
/// ESM-1.7.2: reserved concurrency.
const POLLERS: u32 = 5;
/// ESM-1.1.13: the highest maximum concurrency.
const HIGHEST_MAXIMUM: u32 = 1_000;

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let system = context.system;
    for mapping in context.mappings() {
        let function = &system.functions[mapping.function];
        if let Source::Queue(id) = mapping.source {
            let queue = &system.queues[id];
            findings.extend(reserved_below_pollers(context, mapping, function));
            findings.extend(maximum_below_need(context, mapping));
            findings.extend(pollers_above_limit(context, mapping, function));
            findings.extend(short_visibility(context, mapping, queue, function));
            findings.extend(outlasts(context, mapping, id));
            findings.extend(few_groups(context, mapping, id));
        }
        findings.extend(whole_batch_fails(context, mapping, function));
        findings.extend(batch_beyond_timeout(context, mapping, function));
        findings.extend(batch_beyond_payload(context, mapping));
    }
    findings.extend(context.functions().filter_map(|(id, function, key)| {
        let mappings = context.mappings_of(id);
        let maximum = mappings.filter_map(|mapping| mapping.sqs.maximum_concurrency).fold(0, u32::saturating_add);
        maximum_above_reserved(context, function, &key, maximum)
    }));
    for (id, queue) in system.queues.iter() {
        findings.extend(filtered_for_others(context, id, queue));
        if context.mappings().any(|mapping| mapping.source == Source::Queue(id)) {
            findings.extend(receives(context, id, queue));
        }
        findings.extend(short_retention(context, queue));
    }
}

fn key_of(queue: &Queue, key: &str) -> String {
    format!("queues.{}.{key}", queue.name)
}

fn mapping_key(mapping: &EventSourceMapping, key: &str) -> String {
    format!("event_source_mappings.{}.{key}", mapping.name)
}

fn reserved_below_pollers(context: &Context<'_>, mapping: &EventSourceMapping, function: &Function) -> Option<Finding> {
    let reserved = function.reserved_concurrency.filter(|reserved| *reserved < POLLERS)?;
    // ESM-1.8: what asks for no more than that does not pull too much.
    if mapping.sqs.maximum_concurrency.is_some_and(|limit| limit <= reserved) {
        return None;
    }
    let message = format!(
        "`{}` receives 5 batches at once or more, and {reserved} may run: the reserved concurrency of `{}`",
        mapping.name, function.name
    );
    let key = format!("functions.{}", function.name);
    let finding = Finding::new(Check::ReservedBelowPollers, format!("{key}.reserved_concurrency"), message);
    // ESM-1.1.13: the smallest maximum is 2.
    if reserved >= 2 && mapping.sqs.provisioned.is_none() {
        return Some(finding.set(mapping_key(mapping, "maximum_concurrency"), reserved));
    }
    Some(reserve(context, function, &key, POLLERS, finding))
}

/// ESM-1.8.4.
fn maximum_above_reserved(context: &Context<'_>, function: &Function, key: &str, maximum: u32) -> Option<Finding> {
    let reserved = function.reserved_concurrency.filter(|reserved| maximum > *reserved)?;
    let message = format!(
        "the mappings of `{}` may send {maximum} batches at once, and {reserved} units of concurrency are reserved for it",
        function.name
    );
    let finding = Finding::new(Check::MaximumAboveReserved, format!("{key}.reserved_concurrency"), message);
    Some(reserve(context, function, key, maximum, finding))
}

/// ESM-1.8.2.
fn maximum_below_need(context: &Context<'_>, mapping: &EventSourceMapping) -> Option<Finding> {
    let maximum = mapping.sqs.maximum_concurrency?;
    let needed = context.load.batches(context.system, mapping);
    if needed <= f64::from(maximum) {
        return None;
    }
    let message = format!(
        "`{}` needs about {} batches at once on average, and may have {maximum} in work (an estimate)",
        mapping.name,
        about(needed)
    );
    let key = mapping_key(mapping, "maximum_concurrency");
    let finding = Finding::new(Check::MaximumBelowNeed, key.clone(), message);
    // ESM-1.1.13: the greatest maximum is 1,000.
    let enough = whole(needed + 1.0);
    Some(if enough <= HIGHEST_MAXIMUM { finding.set(key, enough) } else { finding.set(key, "none") })
}

/// ESM-1.9.3.
fn pollers_above_limit(context: &Context<'_>, mapping: &EventSourceMapping, function: &Function) -> Option<Finding> {
    let ProvisionedPollers { minimum, maximum, invocations, .. } = mapping.sqs.provisioned?;
    let account = context.system.account.concurrency_limit.saturating_sub(claimed(context));
    let (limit, whose) = match function.reserved_concurrency {
        Some(reserved) => (reserved, format!("are reserved for `{}`", function.name)),
        None => (account, "are left in the account".to_owned()),
    };
    let most = maximum.saturating_mul(invocations);
    if most <= limit {
        return None;
    }
    let message = format!(
        "{maximum} pollers of `{}` may send {most} batches at once, and {limit} units of concurrency {whose}",
        mapping.name
    );
    let key = mapping_key(mapping, "provisioned_pollers.maximum");
    let fitting = limit.checked_div(invocations).unwrap_or(0);
    let finding = Finding::new(Check::PollersAboveLimit, key.clone(), message);
    if fitting >= minimum {
        return Some(finding.set(key, fitting));
    }
    let function_key = format!("functions.{}", function.name);
    Some(match function.reserved_concurrency {
        Some(_) => reserve(context, function, &function_key, most, finding),
        None => finding.set("account.concurrency_limit", most.saturating_add(claimed(context))),
    })
}

/// ESM-1.1.6.
fn short_visibility(
    context: &Context<'_>,
    mapping: &EventSourceMapping,
    queue: &Queue,
    function: &Function,
) -> Option<Finding> {
    let window = mapping.maximum_batching_window;
    let advised = advised_visibility(function.timeout, window);
    if queue.visibility_timeout >= advised {
        return None;
    }
    let more = if window.is_zero() { String::new() } else { format!(" + the window of {window}") };
    let message = format!(
        "`{}` hides messages for {}, and 6 x the time-out of `{}` ({}){more} is {advised}",
        queue.name, queue.visibility_timeout, function.name, function.timeout
    );
    let key = key_of(queue, "visibility_timeout");
    let visibility = visibility_for(context, mapping.source, |id| context.system.functions[id].timeout);
    Some(Finding::new(Check::VisibilityBelowSixTimeouts, key.clone(), message).set(key, visibility))
}

/// The first change after which the function may run longer than its messages are hidden; AWS checks that only when a
/// mapping is made or updated.
fn outlasts(context: &Context<'_>, mapping: &EventSourceMapping, id: QueueId) -> Option<Finding> {
    let system = context.system;
    let (mut queue, mut function) = (&system.queues[id], &system.functions[mapping.function]);
    let mut changes: Vec<_> = system.changes.iter().collect();
    changes.sort_by_key(|change| change.at);
    let (at, by_queue) = changes.into_iter().find_map(|change| {
        let by_queue = match (change.action.queue(), change.action.function()) {
            (Some((of, settings)), _) if of == id => {
                queue = settings;
                true
            }
            (_, Some((of, settings))) if of == mapping.function => {
                function = settings;
                false
            }
            _ => return None,
        };
        (function.timeout > queue.visibility_timeout).then_some((change.at, by_queue))
    })?;
    let message = format!(
        "from {} on `{}` may run for {}, longer than messages of `{}` are hidden: {}",
        at.since(SimTime::ZERO),
        function.name,
        function.timeout,
        queue.name,
        queue.visibility_timeout
    );
    let finding = Finding::new(Check::VisibilityBelowTimeout, key_of(queue, "visibility_timeout"), message);
    Some(if by_queue {
        finding.with(shorter_timeout(&function.name, queue.visibility_timeout).into_iter().collect())
    } else {
        let advised = advised_visibility(function.timeout, mapping.maximum_batching_window);
        finding.set(key_of(queue, "visibility_timeout"), rounded(advised))
    })
}

/// ESM-1.10.4: keys of those who send to a FIFO queue, where each of them has few.
fn few_groups(context: &Context<'_>, mapping: &EventSourceMapping, id: QueueId) -> Option<Finding> {
    let (system, queue) = (context.system, &context.system.queues[id]);
    let needed = context.load.batches(system, mapping);
    // There is at least one group.
    if queue.kind != QueueKind::Fifo || needed <= 1.0 {
        return None;
    }
    let sends = |target: Target| target == Target::Queue(id);
    let callers = system.callers.rows().iter().filter(|caller| sends(caller.target));
    let callers = callers.map(|caller| (&caller.keys, format!("callers.{}.keys", caller.name)));
    let calls = system.functions.rows().iter().flat_map(super::clients::calls);
    let calls = calls.filter(|(call, _)| matches!(call.to, CallTarget::Send(to) if sends(to)));
    let senders: Vec<_> = callers.chain(calls.map(|(call, key)| (&call.keys, format!("{key}.keys")))).collect();
    let mut groups = 0_u64;
    for (keys, _) in &senders {
        groups = groups.max(match keys {
            Keys::Even | Keys::Hash(_) => return None,
            Keys::Uniform(count) | Keys::Zipf { count, .. } => *count,
            Keys::List(texts) => texts.iter().collect::<std::collections::BTreeSet<_>>().len() as u64,
        });
    }
    let (_, key) = senders.first()?;
    if needed <= groups as f64 {
        return None;
    }
    let message = format!(
        "`{}` needs about {} batches of `{}` at once on average ({} messages/s), and there are {groups} message groups \
         (an estimate)",
        mapping.name,
        about(needed),
        queue.name,
        about(context.load.queue(id))
    );
    let more = format!("{{uniform: {}}}", whole(needed * 2.0));
    let finding = Finding::new(Check::FewGroups, key.clone(), message);
    Some(senders.iter().fold(finding, |finding, (_, key)| finding.set(key.clone(), &more)))
}

/// Whether a cause strikes some records of a batch and not the others.
pub(super) fn fails_records(function: &Function) -> bool {
    let of_records = |cause: &Failure| {
        let all_fail = cause.events.is_empty() && cause.poison.is_none_or(|share| share == Ratio::ONE);
        let judged = cause.poison.is_some() || cause.first_attempts.is_some() || !cause.events.is_empty();
        judged && (!all_fail || cause.first_attempts.is_some())
    };
    function.failures.iter().any(of_records)
}

/// Sources of which a function can say what failed, and nothing else takes its place.
fn whole_batch_fails(context: &Context<'_>, mapping: &EventSourceMapping, function: &Function) -> Option<Finding> {
    let takes_reports = match mapping.source {
        Source::Queue(_) => true,
        Source::Stream(id) => {
            context.system.streams[id].kind == StreamKind::Kafka && mapping.stream.provisioned.is_some()
        }
        Source::Broker(_) => false,
    };
    let whole = mapping.batch_size > 1 && !mapping.report_batch_item_failures && fails_records(function);
    if !takes_reports || !whole {
        return None;
    }
    let message = format!(
        "one message that `{}` fails brings back all of its batch, up to {} messages",
        function.name, mapping.batch_size
    );
    let key = mapping_key(mapping, "report_batch_item_failures");
    Some(Finding::new(Check::WholeBatchFails, key.clone(), message).set(key, true))
}

/// A full batch, and the function's time-out.
fn batch_beyond_timeout(context: &Context<'_>, mapping: &EventSourceMapping, function: &Function) -> Option<Finding> {
    let wanted_seconds = |records| context.load.wanted_seconds(mapping.function, function, records);
    let (alone, each) = (wanted_seconds(0.0), mean_seconds(&function.duration_per_record));
    let timeout = seconds(function.timeout);
    let wanted = wanted_seconds(f64::from(mapping.batch_size));
    // What one record alone passes is said of the function.
    if wanted <= timeout || each <= 0.0 || alone > timeout {
        return None;
    }
    let message = format!(
        "a full batch of {} takes `{}` {} on average, and a run is cut at {} (an estimate)",
        mapping.batch_size,
        function.name,
        time(wanted),
        function.timeout
    );
    let key = mapping_key(mapping, "batch_size");
    let finding = Finding::new(Check::BatchBeyondTimeout, key.clone(), message);
    let fitting = ((timeout - alone) / each).floor();
    if fitting >= 1.0 {
        // Less than one below, where the mean of a distribution is no whole number.
        return Some(finding.set(key, whole(fitting - 1e-9).max(1)));
    }
    let changes = longer_timeout(context, mapping.function, length(wanted_seconds(1.0) * 2.0));
    Some(finding.set(key, 1).with(changes.unwrap_or_default()))
}

/// ESM-1.3.1.
fn batch_beyond_payload(context: &Context<'_>, mapping: &EventSourceMapping) -> Option<Finding> {
    let bytes = context.load.bytes(mapping.source);
    let factor = mapping.body_factor_parts as f64 / Ratio::PARTS as f64;
    let each = bytes * factor + mapping.record_overhead as f64;
    let limit = mapping.payload_limit as f64;
    if bytes <= 0.0 || each * f64::from(mapping.batch_size) <= limit {
        return None;
    }
    let fitting = whole((limit / each).floor()).max(1);
    if fitting >= mapping.batch_size {
        return None;
    }
    let message = format!(
        "{fitting} records of {} bytes fill an event of {} bytes: a batch of `{}` never has {}",
        about(each),
        mapping.payload_limit,
        mapping.name,
        mapping.batch_size
    );
    let key = mapping_key(mapping, "batch_size");
    Some(Finding::new(Check::BatchBeyondPayload, key.clone(), message).set(key, fitting))
}

/// ESM-1.12.4.
fn filtered_for_others(context: &Context<'_>, id: QueueId, queue: &Queue) -> Option<Finding> {
    let mappings = || context.mappings().filter(|mapping| mapping.source == Source::Queue(id));
    let count = mappings().count();
    let filtering: Vec<_> = mappings().filter(|mapping| mapping.filter < Ratio::ONE).collect();
    let first = filtering.first().filter(|_| count > 1)?;
    let message =
        format!("{count} mappings share `{}`, and `{}` deletes what its filter does not match", queue.name, first.name);
    let finding = Finding::new(Check::FilteredForOthers, mapping_key(first, "filter"), message);
    Some(filtering.iter().fold(finding, |finding, mapping| finding.set(mapping_key(mapping, "filter"), "100%")))
}

/// What becomes of messages that fail again and again.
fn receives(context: &Context<'_>, id: QueueId, queue: &Queue) -> Vec<Finding> {
    let Some(redrive) = queue.redrive else { return vec![no_dead_letter_queue(context, queue)] };
    let count = redrive.max_receive_count;
    let key = key_of(queue, "redrive.max_receive_count");
    let mut findings = Vec::new();
    if count < RECEIVES {
        let (check, message) = if count == 1 {
            (
                Check::SingleReceive,
                format!("one receive, even one without a run, makes a message of `{}` a dead letter", queue.name),
            )
        } else {
            let message =
                format!("{count} receives, even without a run, make a message of `{}` a dead letter", queue.name);
            (Check::FewReceives, message)
        };
        findings.push(Finding::new(check, key, message).set(key_of(queue, "redrive.max_receive_count"), RECEIVES));
    }
    let lasts = queue.visibility_timeout.times(u64::from(count));
    if lasts >= queue.message_retention {
        let message = format!(
            "{count} receives of a message of `{}` take {lasts}, and it is kept for {}",
            queue.name, queue.message_retention
        );
        findings.push(expires_first(
            Finding::new(Check::ExpiresBeforeDeadLetter, key_of(queue, "message_retention"), message),
            queue,
            lasts,
            &context.system.queues[redrive.dead_letter_queue],
        ));
    }
    let dead = redrive.dead_letter_queue;
    let readers: Vec<_> = context.mappings().filter(|mapping| mapping.source == Source::Queue(id)).collect();
    for back in context.mappings().filter(|mapping| mapping.source == Source::Queue(dead)) {
        if readers.iter().any(|reader| reader.function == back.function) {
            let message = format!(
                "dead letters of `{}` come back to `{}` through `{}`",
                queue.name, context.system.functions[back.function].name, back.name
            );
            let finding = Finding::new(Check::DeadLettersComeBack, mapping_key(back, "source"), message);
            findings.push(finding.set(mapping_key(back, "enabled"), false));
        }
    }
    findings
}

/// A longer retention where there is one, else shorter hiding; dead letters are kept longer still.
fn expires_first(finding: Finding, queue: &Queue, lasts: SimDuration, dead: &Queue) -> Finding {
    let enough = rounded(lasts.times(2)).min(LONGEST_RETENTION);
    if enough > lasts {
        let finding = finding.set(key_of(queue, "message_retention"), enough);
        let kept = dead.kind == QueueKind::Fifo || dead.message_retention > enough || dead.name == queue.name;
        return if kept { finding } else { finding.set(key_of(dead, "message_retention"), LONGEST_RETENTION) };
    }
    finding.set(key_of(queue, "redrive.max_receive_count"), RECEIVES)
}

/// ESM-1.5.12.
fn no_dead_letter_queue(context: &Context<'_>, queue: &Queue) -> Finding {
    let message = format!("a message of `{}` that always fails comes back until it expires", queue.name);
    let name = new_name(context.system, &format!("{}-dlq", queue.name));
    let fifo = if queue.kind == QueueKind::Fifo { "type: fifo, " } else { "" };
    let finding = Finding::new(Check::NoDeadLetterQueue, key_of(queue, "redrive"), message);
    let dead = format!("{{{fifo}message_retention: {LONGEST_RETENTION}}}");
    let redrive = format!("{{dead_letter_queue: {name}, max_receive_count: {RECEIVES}}}");
    finding.set(format!("queues.{name}"), dead).set(key_of(queue, "redrive"), redrive)
}

/// Messages keep their enqueue timestamp in a standard dead-letter queue; in a FIFO one they get a new one.
fn short_retention(context: &Context<'_>, source: &Queue) -> Option<Finding> {
    let queue = &context.system.queues[source.redrive?.dead_letter_queue];
    if queue.kind == QueueKind::Fifo || queue.message_retention > source.message_retention {
        return None;
    }
    let message = format!(
        "`{}` keeps dead letters for {} from when they were sent to `{}`, which keeps them for {}",
        queue.name, queue.message_retention, source.name, source.message_retention
    );
    let key = key_of(queue, "message_retention");
    let finding = Finding::new(Check::DeadLettersExpire, key.clone(), message).set(key, LONGEST_RETENTION);
    Some(if source.message_retention >= LONGEST_RETENTION {
        finding.set(key_of(source, "message_retention"), "4d")
    } else {
        finding
    })
}
