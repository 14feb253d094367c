//! The catalogue of sources: nothing is missing in it, and what it says is what a run does.

use std::collections::BTreeSet;
use std::path::Path;

use lambdasim::aws::config::{
    BrokerKind, CallTarget, Invocation, QueueKind, Service, Source, StreamKind, System, Target,
};
use lambdasim::catalogue::{Cause, Model, Reach, Row, Wait, rows, select};
use lambdasim::kernel::time::SimDuration;
use lambdasim::report::{SourcesFormat, Style, render_sources};
use lambdasim::scenario::json_schema;
use serde_json::Value;

use crate::common::{Facts, near, number, simulate};
use crate::determinism::load;

fn row(source: &str) -> Row {
    rows().into_iter().find(|row| row.source == source).unwrap_or_else(|| panic!("there is no row {source}"))
}

/// What invokes of its own accord, beside the services: resources, and the types of what mappings poll.
const RESOURCES: [&str; 6] = ["function", "topic", "event_bus", "bucket", "state_machine", "destination"];
const POLLED: [&str; 8] = ["sqs", "sqs_fifo", "kinesis", "dynamodb", "kafka", "activemq", "rabbitmq", "documentdb"];

#[test]
fn every_source_has_a_row() {
    let found: BTreeSet<&str> = rows().iter().map(|row| row.source).collect();
    let services = Service::ALL.map(Service::key);
    let known: BTreeSet<&str> = services.into_iter().chain(["sdk_async"]).chain(RESOURCES).chain(POLLED).collect();
    assert_eq!(found, known);
    assert_eq!(rows().len(), known.len(), "a source has two rows");
    // Types of the key tables, so that a new one is missed here.
    let schema = json_schema().to_string();
    for kind in ["kinesis", "dynamodb", "kafka", "documentdb", "rabbitmq", "activemq", "standard", "fifo"] {
        assert!(schema.contains(&format!("\"{kind}\"")), "{kind}");
    }
    for row in rows() {
        assert!(!row.rules.is_empty() && !row.limits.is_empty(), "{row:?}");
        assert!(!row.throttle.is_empty() && !row.error.is_empty() && !row.failures.is_empty(), "{row:?}");
        assert_eq!(row.model == Model::Polled, POLLED.contains(&row.source), "{row:?}");
    }
}

/// Defaults as the JSON Schema prints them, which is made of the key tables: the rows have the same.
#[test]
fn rows_have_the_defaults_of_the_schema() {
    let schema = json_schema();
    let length = |seconds: u64| Wait::AtMost(SimDuration::from_secs(seconds));
    for (source, block, key, default, waits) in [
        ("api_gateway_rest", "REST API", "timeout", "29s", length(29)),
        ("api_gateway_http", "HTTP API", "timeout", "30s", length(30)),
        ("api_gateway_websocket", "WebSocket API", "timeout", "29s", length(29)),
        ("alb", "load balancer", "idle_timeout", "60s", length(60)),
        ("cognito", "Cognito trigger", "timeout", "5s", length(5)),
        ("lex", "Lex bot", "timeout", "30s", length(30)),
        ("alexa", "Alexa skill", "timeout", "8s", length(8)),
        ("firehose", "delivery stream", "timeout", "5m", length(300)),
        ("cloudformation", "custom resource", "callback_timeout", "1h", Wait::CallBack(SimDuration::from_secs(3_600))),
    ] {
        assert_eq!(default_of(&schema, block, key), Some(default.to_owned()), "{source}");
        assert_eq!(row(source).waits, waits, "{source}");
    }
}

/// The default of a key, as the schema's block of that name has it.
fn default_of(schema: &Value, block: &str, key: &str) -> Option<String> {
    let blocks = schema["$defs"].as_object().or_else(|| schema["definitions"].as_object()).unwrap();
    let block = blocks.get(&block.replace(' ', "_")).unwrap_or_else(|| panic!("the schema has no {block}"));
    block["properties"][key]["default"].as_str().map(str::to_owned)
}

/// One call through a service that Lambda refuses for ever: it makes the attempts of its row, over the time of its row.
#[test]
fn services_try_again_as_their_rows_say() {
    for service in Service::ALL {
        let source = service.key();
        let row = row(source);
        for (cause, status) in [(Cause::Throttle, 429), (Cause::ServiceError, 500)] {
            let facts = Facts::of(&format!(
                "duration: 1s\nfunctions: {{ f: {{ duration: 0s }} }}\n\
                 faults: [{{ function: f, status: {status} }}]\n\
                 callers: {{ c: {{ target: f, via: {source}, arrivals: {{ at: [0s] }} }} }}"
            ));
            let times = facts.attempt_times(0);
            let by_default = row.retries.iter().filter(|again| !again.is_queued && !again.who.starts_with("`retry"));
            let reach = by_default.clone().find(|again| again.after.contains(&cause)).map(|again| again.reach);
            let attempts = reach.map_or(Some(1), Reach::attempts);
            assert_eq!(attempts, u32::try_from(times.len()).ok(), "{source}, {cause:?}");
            let over = reach.and_then(Reach::over).map_or(0.0, |over| over.as_nanos() as f64 / 1e6);
            let found = times.last().unwrap() - times[0];
            // Chance makes an SDK's waits shorter.
            let is_said = if service == Service::Sdk { found <= over } else { (found - over).abs() < 1e-3 };
            assert!(is_said, "{source}, {cause:?}: {found} ms, and the row says {over} ms");
        }
    }
}

/// One call to a function that does not answer: a service that waits gives up when its row says so.
#[test]
fn services_wait_as_long_as_their_rows_say() {
    for service in Service::ALL {
        let row = row(service.key());
        if row.model != Model::Synchronous {
            continue;
        }
        let client = if service == Service::Sdk { ", client: { retry: none }" } else { "" };
        let runs = Facts::of(&format!(
            "duration: 1s\nfunctions: {{ f: {{ duration: 15m, timeout: 15m }} }}\n\
             callers: {{ c: {{ target: f, via: {}, arrivals: {{ at: [0s] }}{client} }} }}",
            service.key()
        ))
        .runs();
        let first = &runs[0];
        let left = first.ended().abandoned.map(|at| at - first.start);
        let expected = match row.waits {
            Wait::AtMost(timeout) => Some(timeout.as_nanos() as f64 / 1e6),
            Wait::Run => None,
            Wait::No | Wait::CallBack(_) => panic!("{row:?} is synchronous"),
        };
        assert_eq!(left, expected, "{}", service.key());
    }
}

/// What Lambda does with an event that it has accepted: INV-V19 and V25, by the rows.
#[test]
fn lambda_tries_events_again_as_the_rows_say() {
    let row = row("s3");
    let reach = |cause: Cause| {
        let again = row.retries.iter().find(|again| again.is_queued && again.after.contains(&cause)).unwrap();
        (again.reach.attempts().unwrap(), again.reach.over().unwrap().as_nanos() as f64 / 1e9)
    };
    let event = |function: &str, more: &str| {
        format!(
            "duration: 1s\n{more}functions: {{ f: {{ duration: 0s{function} }} }}\n\
             callers: {{ c: {{ target: f, via: s3, arrivals: {{ at: [0s] }} }} }}"
        )
    };
    let fails = Facts::of(&event(", failures: [{ probability: 100% }]", ""));
    let starts: Vec<f64> = fails.runs().iter().map(|run| run.start / 1e3).collect();
    assert_eq!(reach(Cause::FunctionError), (u32::try_from(starts.len()).unwrap(), *starts.last().unwrap()));
    let throttled = simulate(&event("", "faults: [{ function: f, stage: dispatch, status: 429 }]\n"));
    let (attempts, over) = reach(Cause::Throttle);
    near("the last dispatch", number(&throttled, "window.ended_ms") / 1e3, over, 1e-9);
    near("dispatches", number(&throttled, "functions.f.async_throttle_retries") + 1.0, f64::from(attempts), 1e-9);
}

/// A message that is throttled while it is hidden, and records that always fail.
#[test]
fn mappings_try_again_as_their_rows_say() {
    let queue = simulate(
        "duration: 1s\ndrain: 29s\nfunctions: { f: { duration: 0s } }\nqueues: { q: {} }\n\
         event_source_mappings: { m: { source: q, function: f } }\nfaults: [{ function: f, status: 429 }]\n\
         callers: { c: { target: q, arrivals: { at: [0s] } } }",
    );
    let again = &row("sqs").retries[0];
    assert_eq!(Some(number(&queue, "event_source_mappings.m.throttles")), again.reach.attempts().map(f64::from));
    for kind in ["kinesis", "dynamodb", "kafka", "documentdb"] {
        let stream = simulate(&format!(
            "duration: 1s\nfunctions: {{ f: {{ duration: 0s, failures: [{{ probability: 100% }}] }} }}\n\
             streams: {{ s: {{ type: {kind} }} }}\nevent_source_mappings: {{ m: {{ source: s, function: f }} }}\n\
             callers: {{ c: {{ target: s, arrivals: {{ at: [0s] }} }} }}"
        ));
        let reach = row(kind).retries[0].reach;
        assert_eq!(reach.attempts(), None, "{kind}");
        // The next try after the end of the retention finds nothing: at most the longest wait later.
        let ended = number(&stream, "window.ended_ms") / 1e3;
        let until = reach.over().unwrap().as_nanos() as f64 / 1e9;
        assert!((until - 1.0..until + 61.0).contains(&ended), "{kind}: {ended} s, and the row says {until} s");
    }
}

/// The shipped scenario has each source of the catalogue at work.
#[test]
fn no_source_is_missing_in_the_scenario_of_all() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/every-source.yaml");
    let system = load(&path).system;
    let at_work = sources_of(&system);
    let missing: Vec<_> = rows().into_iter().map(|row| row.source).filter(|source| !at_work.contains(source)).collect();
    assert_eq!(missing, [""; 0]);
}

/// The names in the catalogue of everything that invokes in a scenario.
fn sources_of(system: &System) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for caller in system.callers.rows() {
        match caller.target {
            Target::Function(_) if caller.via.service == Service::Sdk && caller.invocation == Invocation::Async => {
                found.insert("sdk_async");
            }
            Target::Function(_) => {
                found.insert(caller.via.service.key());
            }
            Target::Topic(_) => {
                found.insert("topic");
            }
            Target::EventBus(_) => {
                found.insert("event_bus");
            }
            Target::Bucket(_) => {
                found.insert("bucket");
            }
            Target::StateMachine(_) => {
                found.insert("state_machine");
            }
            Target::Queue(_) | Target::Stream(_) | Target::Broker(_) => {}
        }
    }
    for mapping in system.event_source_mappings.rows() {
        found.insert(match mapping.source {
            Source::Queue(id) if system.queues[id].kind == QueueKind::Fifo => "sqs_fifo",
            Source::Queue(_) => "sqs",
            Source::Stream(id) => match system.streams[id].kind {
                StreamKind::Kinesis => "kinesis",
                StreamKind::DynamoDb => "dynamodb",
                StreamKind::Kafka => "kafka",
                StreamKind::DocumentDb => "documentdb",
            },
            Source::Broker(id) => match system.brokers[id].kind {
                BrokerKind::ActiveMq => "activemq",
                BrokerKind::RabbitMq => "rabbitmq",
            },
        });
    }
    let mut calls =
        system.functions.rows().iter().flat_map(|function| function.calls.iter()).flat_map(|step| &step.calls);
    if calls.any(|call| matches!(call.to, CallTarget::Function(_, Invocation::Sync))) {
        found.insert("function");
    }
    let tells = |target: Option<Target>| matches!(target, Some(Target::Function(_)));
    let settings = || system.functions.rows().iter().map(|function| &function.asynchronous);
    if settings().any(|settings| tells(settings.on_failure) || tells(settings.on_success)) {
        found.insert("destination");
    }
    found
}

/// `docs/sources.md` is what the command prints. Renew with `UPDATE_DOCS=1 cargo test --test it sources`.
#[test]
#[allow(clippy::disallowed_methods, reason = "asks whether to renew the file")]
fn the_page_of_sources_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources.md");
    let text = render_sources(SourcesFormat::Markdown, &rows(), Style::Plain);
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "docs/sources.md is stale: run `UPDATE_DOCS=1 cargo test --test it sources`");
}

/// The other formats as people and programs see them; the table is a snapshot of the command line.
#[test]
fn a_narrow_terminal_gets_paragraphs() {
    let chosen = select(&["cognito".to_owned(), "sqs-fifo".to_owned(), "sns".to_owned()]).unwrap();
    let format = SourcesFormat::Text { width: 80, rules: true };
    let text = render_sources(format, &chosen, Style::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("sources_narrow", text);
    let json: Value = serde_json::from_str(&render_sources(SourcesFormat::Json, &chosen[..1], Style::Plain)).unwrap();
    insta::assert_snapshot!("sources_json", serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn sources_are_chosen_by_name() {
    let chosen = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        select(&names).map(|rows| rows.iter().map(|row| row.source).collect::<Vec<_>>())
    };
    assert_eq!(chosen(&["sqs"]).unwrap(), ["sqs", "sqs_fifo"]);
    assert_eq!(chosen(&["kinesis", "SQS-FIFO", "msk"]).unwrap(), ["sqs_fifo", "kinesis", "kafka"]);
    assert_eq!(chosen(&["API Gateway"]).unwrap().len(), 3);
    assert_eq!(chosen(&["sfn"]).unwrap(), ["step_functions", "state_machine"]);
    assert_eq!(chosen(&[]).unwrap().len(), rows().len());
    let unknown = chosen(&["sqs", "kinesys"]).unwrap_err();
    assert!(chosen(&["zz"]).unwrap_err().help.starts_with("the sources: sdk, api_gateway_rest, "));
    assert_eq!((&*unknown.message, &*unknown.help), ("there is no source `kinesys`", "did you mean `kinesis`?"));
}
