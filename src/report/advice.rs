//! What AWS advises and the scenario does not do, in the report for people.

use super::numbers::{milliseconds, wrap};
use super::style::Style;
use crate::stats::summary::{Advice, Summary};

/// What AWS advises and the scenario does not do.
pub(super) fn advice(summary: &Summary, style: Style) -> String {
    if summary.advice.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", style.heading("Advice of AWS that this scenario does not follow"));
    for advice in &summary.advice {
        let (rule, words) = words(advice);
        text += &wrap(&format!("  {rule:<7}  {words}"), 11);
    }
    text
}

/// The rule and the sentence of an advice.
#[allow(clippy::too_many_lines, reason = "one arm for each advice")]
fn words(advice: &Advice) -> (&'static str, String) {
    let time = |ms: u64| milliseconds(ms as f64);
    match advice {
        Advice::ConcurrencyBeyondReserved { function, reserved, maximum } => {
            let words = format!(
                "{function}: its mappings may run {maximum} batches at once, and {reserved} units of concurrency are \
                 reserved for it; the others are throttled"
            );
            ("ESM-1.8", words)
        }
        Advice::FilteredForOthers { queue, mapping, mappings } => {
            let words = format!(
                "{queue}: {mappings} mappings share it, and {mapping} deletes what its filter does not match; the others \
                 never see that"
            );
            ("ESM-1.12", words)
        }
        Advice::ShortVisibility { queue, visibility_ms, function, timeout_ms, window_ms } => {
            let window = if *window_ms > 0 { format!(" + the window of {}", time(*window_ms)) } else { String::new() };
            let advised = time(timeout_ms * 6 + window_ms);
            let (visibility, timeout) = (time(*visibility_ms), time(*timeout_ms));
            let words = format!(
                "{queue}: its visibility time-out of {visibility} is shorter than {advised}, 6 x the time-out of \
                 {function} ({timeout}){window}"
            );
            ("ESM-1.1", words)
        }
        Advice::OutlastsVisibility { queue, visibility_ms, function, timeout_ms, at_ms } => {
            let from = if *at_ms > 0 { format!("from {} on ", time(*at_ms)) } else { String::new() };
            let (visibility, timeout) = (time(*visibility_ms), time(*timeout_ms));
            let words = format!(
                "{queue}: {from}{function} may run for {timeout}, longer than messages are hidden ({visibility}); they \
                 are received again while it runs"
            );
            ("ESM-1.1", words)
        }
        Advice::FewReceives { queue, max_receive_count } => {
            let words = format!(
                "{queue}: max_receive_count {max_receive_count} is below 5; a throttled receive counts like any other"
            );
            ("ESM-1.1", words)
        }
        Advice::LittleConcurrency { mapping, function, reserved } => {
            let words = format!(
                "{mapping}: {function} has a reserved concurrency of {reserved}, which is less than 5; at least 5 batches are \
                 received at once, whatever may run"
            );
            ("ESM-1.7", words)
        }
        Advice::NoDeadLetterQueue { queue } => {
            ("ESM-1.5", format!("{queue}: without a dead-letter queue a poison message comes back until it expires"))
        }
        Advice::ShortRetention { queue, retention_ms, source, source_ms } => {
            let (retention, kept) = (time(*retention_ms), time(*source_ms));
            let words = format!(
                "{queue}: its retention of {retention} is not longer than that of {source} ({kept}); a dead letter keeps \
                 its first enqueue timestamp"
            );
            ("ESM-1.5", words)
        }
        Advice::ManyReaders { stream, readers } if *readers > 2 => {
            ("ESM-3", format!("{stream}: it has {readers} readers, and a shard of a DynamoDB stream serves two"))
        }
        Advice::ManyReaders { stream, readers: _ } => {
            ("ESM-3", format!("{stream}: it has two readers; where its table is a global one, a shard should have one"))
        }
        Advice::UnlimitedRetries { mapping, retention_ms } => {
            let until = retention_ms.map_or_else(|| "for ever".to_owned(), |ms| format!("for up to {}", time(ms)));
            let words = format!(
                "{mapping}: neither retries nor the age of records are limited; a batch that always fails holds up its \
                 shard {until}"
            );
            ("ESM-2.3", words)
        }
        Advice::NoDestination { mapping } => {
            ("ESM-2.3", format!("{mapping}: without an on_failure destination nobody learns which records it discards"))
        }
        Advice::StartsLate { mapping } => {
            let words = format!(
                "{mapping}: with starting_position latest it can miss records while it is being created or updated"
            );
            ("ESM-2.2", words)
        }
    }
}
