//! `records.jsonl`: what destinations receive, in AWS's shape (INV-5.5): one invocation record a line.
//!
//! Dead-letter queues are not among them: they receive the event as it was sent, and no record. Of batches that mappings
//! give up the shape is in `discards`.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::batches::Batches;
use super::discards::{self, Discard};
use super::families::{Families, key, origin};
use super::words::Settings;
use crate::aws::config::Target;
use crate::aws::fact::{
    Condition, DeliveryKind, Fact, Notice, Observer, Origin, ReaderFact, Record, RecordFate, Response, RunOutcome,
};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

/// What is kept with an event.
#[derive(Clone, Debug, Default)]
struct Sent {
    /// The record that was sent to it, for an event that a destination sent.
    payload: Option<Value>,
    /// The record that it sent to a function, until that accepts it.
    to_function: Option<Value>,
}

/// Writes a record for each delivery to a destination.
#[derive(Debug)]
pub struct RecordsJsonl<'a, W: Write> {
    settings: Settings<'a>,
    families: Families<'a, Sent>,
    /// Whether there is anything whose batches can be given up.
    reads: bool,
    batches: Batches,
    /// Records that were given up, until it is said where they go.
    given_up: Vec<Origin>,
    writer: W,
    error: Option<io::Error>,
}

impl<'a, W: Write> RecordsJsonl<'a, W> {
    /// The records of a run of `scenario`.
    pub fn new(scenario: &'a Scenario, writer: W) -> Self {
        let settings = Settings(&scenario.system);
        let reads = !scenario.system.streams.rows().is_empty();
        let (families, batches, given_up) = (Families::of(settings), Batches::all(), Vec::new());
        Self { settings, families, reads, batches, given_up, writer, error: None }
    }

    /// After the last fact.
    ///
    /// # Errors
    /// The first that a write came to; nothing was written after it.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.writer.flush().map(|()| self.writer),
        }
    }

    fn delivered(&mut self, record: &Record, to: Target) {
        let value = self.record(record);
        self.write(&value);
        if matches!(to, Target::Function(_))
            && let Some(event) = self.families.event(key(&record.origin), record.origin.branch)
        {
            event.extra.to_function = Some(value);
        }
    }

    fn write(&mut self, value: &Value) {
        if let Err(error) = writeln!(self.writer, "{value}") {
            self.error = Some(error);
        }
    }

    /// What streams, topics and brokers are read for.
    fn read(&mut self, now: SimTime, fact: &Fact) {
        for other in self.batches.others(fact, |_| 1) {
            if let Some(origin) = origin(&other) {
                self.families.note(now, origin, &other);
            }
        }
        if let Fact::Reader(ReaderFact::RecordEnded { origin, fate: RecordFate::Discarded(_), .. }) = fact {
            self.given_up.push(*origin);
        }
        if let Fact::Reader(ReaderFact::Discarded { mapping, condition, invoke_count, notice, .. }) = *fact {
            let origins = std::mem::take(&mut self.given_up);
            let Notice::Delivered(to) = notice else { return };
            let mut discard = Discard { mapping, condition, invoke_count, to, outcome: None, rows: Vec::new() };
            for origin in origins {
                let Some(event) = self.families.event(key(&origin), origin.branch) else { continue };
                discard.outcome = discard.outcome.or(event.written.reading(fact).outcome);
                discard.rows.extend(event.written.place().map(|place| (origin, place)));
            }
            for value in discards::records(self.settings, now, &discard) {
                self.write(&value);
            }
        }
    }

    /// A destination's function accepted the record of `parent`.
    fn accepted(&mut self, child: &Origin, parent: u32) {
        let sent = self.families.event(key(child), parent).and_then(|event| event.extra.to_function.take());
        if let Some(event) = self.families.event(key(child), child.branch) {
            event.extra.payload = sent;
        }
    }

    /// INV-5.5.
    fn record(&mut self, record: &Record) -> Value {
        let Record { origin, function, kind: _, ended, condition, invoke_count, response, payload_bytes } = record;
        let caller = self.settings.caller(origin.caller);
        let id = request_id(caller, origin);
        let event = self.families.event(key(origin), origin.branch);
        let (payload, timed_out) = event.map_or((None, None), |event| (event.extra.payload.clone(), event.timed_out));
        let payload = payload
            .unwrap_or_else(|| json!({ "caller": caller, "submission": origin.submission, "bytes": payload_bytes }));
        let name = self.settings.function(*function);
        let mut value = Map::new();
        value.insert("version".to_owned(), "1.0".into());
        value.insert("timestamp".to_owned(), timestamp(*ended).into());
        let context = json!({
            "requestId": id,
            "functionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{name}:$LATEST"),
            "condition": condition.as_str(),
            "approximateInvokeCount": invoke_count,
        });
        value.insert("requestContext".to_owned(), context);
        value.insert("requestPayload".to_owned(), payload);
        if *condition != Condition::ZeroReservedConcurrency
            && let Some((context, payload)) = self.response(*response, &id, timed_out)
        {
            value.insert("responseContext".to_owned(), context);
            if let Some(payload) = payload {
                value.insert("responsePayload".to_owned(), payload);
            }
        }
        Value::Object(value)
    }

    /// `responseContext` and `responsePayload`.
    fn response(&self, response: Response, id: &str, timed_out: Option<SimDuration>) -> Option<(Value, Option<Value>)> {
        match response {
            Response::None => None,
            Response::Refused(status) => Some((json!({ "statusCode": status }), None)),
            Response::Success(bytes) => {
                let context = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
                Some((context, Some(json!({ "bytes": bytes }))))
            }
            Response::FunctionError { outcome, error } => {
                let name = error.map(|error| self.settings.error(error));
                let (kind, message) = failure(outcome, name, id, timed_out.unwrap_or_default());
                let context = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" });
                Some((context, Some(json!({ "errorType": kind, "errorMessage": message }))))
            }
        }
    }
}

impl<W: Write> Observer for RecordsJsonl<'_, W> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if self.error.is_some() {
            return;
        }
        let Some(origin) = origin(fact) else { return };
        self.families.note(now, origin, fact);
        if self.reads {
            self.read(now, fact);
        }
        if let Fact::Delivered { record, to } = fact
            && record.kind != DeliveryKind::DeadLetterQueue
        {
            self.delivered(record, *to);
        } else if let Fact::EventAccepted { origin, parent: Some(parent), .. } = fact {
            self.accepted(origin, *parent);
        }
    }
}

/// What Lambda and its runtimes say of a failed run.
fn failure(outcome: RunOutcome, name: Option<&str>, id: &str, timeout: SimDuration) -> (String, String) {
    let named = |usual: &str| name.unwrap_or(usual).to_owned();
    match outcome {
        RunOutcome::Timeout => {
            let hundredths = timeout.as_nanos().saturating_add(5_000_000) / 10_000_000;
            let (seconds, rest) = (hundredths / 100, hundredths % 100);
            let message = format!("RequestId: {id} Error: Task timed out after {seconds}.{rest:02} seconds");
            ("Sandbox.Timedout".to_owned(), message)
        }
        RunOutcome::Crash => {
            (named("Runtime.ExitError"), format!("RequestId: {id} Error: Runtime exited with error: exit status 1"))
        }
        RunOutcome::Error | RunOutcome::Success => (named("Error"), "the handler raised an error".to_owned()),
    }
}

/// INV-Q5: one id over all attempts, made of what the event is alone.
fn request_id(caller: &str, origin: &Origin) -> String {
    uuid(&format!("{caller}#{}/{}", origin.submission, origin.branch))
}

/// A text in the form of a version-4 UUID.
pub(super) fn uuid(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let mut bytes: [u8; 16] = std::array::from_fn(|place| hash[place]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The moment on a calendar on which the run starts with 1970: `1970-01-01T00:03:00.000Z`.
pub(super) fn timestamp(at: SimTime) -> String {
    let millis = at.as_nanos() / 1_000_000;
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let (hour, minute, second, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The date so many days after 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}
