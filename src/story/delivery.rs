//! The steps of a delivery to a dead-letter queue or destination.

use super::rules;
use super::step::{StepKind, Told};
use super::words::{length, moment};
use crate::aws::fact::{DeliveryError, DeliveryKind, Record};
use crate::kernel::time::SimTime;

pub(super) fn delivered<'a>(target: &'a str, record: &Record) -> Told<'a> {
    let rule = match record.kind {
        DeliveryKind::DeadLetterQueue => &rules::DEAD_LETTERS,
        DeliveryKind::OnFailure | DeliveryKind::OnSuccess => &rules::DESTINATIONS,
    };
    let detail = what(record);
    Told { actor: target, kind: StepKind::Delivered, run: None, rule: Some(rule), detail }
}

pub(super) fn retried<'a>(
    target: &'a str,
    now: SimTime,
    record: &Record,
    error: DeliveryError,
    due: SimTime,
) -> Told<'a> {
    let wait = length(due.saturating_since(now));
    let detail = format!("{}: {}; waits {wait}, the next try is due at {}", what(record), refusal(error), moment(due));
    Told { actor: target, kind: StepKind::DeliveryRetried, run: None, rule: Some(&rules::DELIVERY), detail }
}

pub(super) fn failed<'a>(target: &'a str, record: &Record, error: DeliveryError) -> Told<'a> {
    let detail = format!("{}: {}; it is lost", what(record), refusal(error));
    Told { actor: target, kind: StepKind::DeliveryFailed, run: None, rule: Some(&rules::DELIVERY_FAILURE), detail }
}

/// What is delivered.
fn what(record: &Record) -> String {
    let Record { kind, condition, invoke_count, payload_bytes, .. } = record;
    let condition = condition.as_str();
    match kind {
        DeliveryKind::DeadLetterQueue => format!("the event of {payload_bytes} bytes as dead letter, for {condition}"),
        DeliveryKind::OnFailure => format!("the record on_failure: {condition}, invoke count {invoke_count}"),
        DeliveryKind::OnSuccess => format!("the record on_success: {condition}, invoke count {invoke_count}"),
    }
}

pub(super) fn refusal(error: DeliveryError) -> String {
    match error {
        DeliveryError::Refused(status) => format!("status {status}"),
        DeliveryError::TooLarge => "it is larger than the target takes".to_owned(),
        DeliveryError::FifoQueue => "a FIFO queue takes nothing from Lambda".to_owned(),
        DeliveryError::RecursiveInvocation => "this chain of requests may not run the function again".to_owned(),
    }
}
