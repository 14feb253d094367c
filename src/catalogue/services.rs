//! Services through which a caller reaches its function: `via`.

use super::defaults::{caller, system};
use super::{Amount, Cause, Model, Row, Wait, doors, events, retries};
use crate::aws::config::{Asynchronous, Caller, Client, Firehose, Invocation, Jitter, Passage, RetryPhase, Service};
use crate::aws::limits;
use crate::scenario::service_text;
use crate::story::rules::{self, Rule};

/// One row of each service, in the order of the contract; a client that sends events is one more.
pub(super) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Service::ALL.into_iter().map(|service| row(service, "")).collect();
    let mut sends = row(Service::Sdk, ", invocation: async");
    sends.source = "sdk_async";
    sends.what = "an AWS SDK or the CLI, with the invocation type `Event`";
    rows.insert(1, sends);
    rows
}

fn row(service: Service, more: &str) -> Row {
    let setting = format!("via: {}{more}", service.key());
    let caller = caller(&setting);
    let model = match caller.invocation {
        Invocation::Sync => Model::Synchronous,
        Invocation::Async => Model::Asynchronous,
    };
    let what = service_text(service.key()).unwrap_or(service.name());
    let mut row = Row::new(service.key(), what, setting, model);
    row.aliases = aliases(service);
    row.rules = rules_of(service, model);
    match &caller.via.passage {
        Passage::Door(door) => doors::fill(&mut row, door),
        Passage::Firehose(firehose) => transformation(&mut row, firehose),
        Passage::Event(event) => events::fill(&mut row, service, &caller, event),
        Passage::Direct if model == Model::Asynchronous => events::fill_sdk(&mut row, &caller),
        Passage::Direct => direct(&mut row, service, &caller),
    }
    row
}

/// Other names that people may know.
#[allow(clippy::wildcard_enum_match_arm, reason = "most have one name")]
const fn aliases(service: Service) -> &'static [&'static str] {
    match service {
        Service::Alb => &["load_balancer"],
        Service::FunctionUrl => &["url"],
        Service::Cloudfront => &["lambda_edge", "edge"],
        Service::StepFunctions => &["sfn"],
        Service::Iot => &["iot_rule"],
        _ => &[],
    }
}

/// A client of the Invoke API that waits for the answer.
fn direct(row: &mut Row, service: Service, caller: &Caller) {
    waits_for_answers(row, client_name(service), &caller.client);
    row.failures = failures(service).into();
    if service == Service::StepFunctions {
        presets(row);
    }
}

/// What a client does that invokes and waits.
pub(super) fn waits_for_answers(row: &mut Row, who: &str, client: &Client) {
    row.waits = client.timeout.map_or(Wait::Run, Wait::AtMost);
    row.throttle = again("429", client.max_attempts > 1 && client.retry_on.throttle);
    row.error = again("200 with a mark", client.max_attempts > 1 && client.retry_on.function_error);
    row.retries = retries::of_client(who, client);
    row.limit("request", Amount::Bytes(limits::SYNCHRONOUS_PAYLOAD_BYTES));
}

/// An answer, and whether it is the last.
fn again(answer: &str, is_tried_again: bool) -> String {
    format!("{answer}, {}", if is_tried_again { "tried again" } else { "not tried again" })
}

/// Who a client is.
const fn client_name(service: Service) -> &'static str {
    if matches!(service, Service::Sdk) { "the SDK" } else { service.name() }
}

/// Where a call ends that no attempt of a service has helped.
#[allow(clippy::wildcard_enum_match_arm, reason = "the others are no clients, or their caller is")]
const fn failures(service: Service) -> &'static str {
    match service {
        Service::Cognito => "the user's operation fails",
        Service::Lex => "the conversation fails",
        Service::Alexa => "the skill fails",
        Service::StepFunctions => "the task's `catch`, or the execution fails",
        _ => "the caller sees it",
    }
}

/// INV-SF5, SF6: what a task tries again where it has one of the presets.
fn presets(row: &mut Row) {
    for preset in ["sfn_studio", "sfn_classic"] {
        let client: Client = caller(&format!("via: {{ step_functions: {{ retry: {preset} }} }}")).client;
        row.retries.extend(retries::of_client(&format!("`retry: {preset}`"), &client));
    }
}

/// INV-4.4: Firehose.
fn transformation(row: &mut Row, firehose: &Firehose) {
    let pauses = RetryPhase::constant(firehose.attempts, firehose.pause, Jitter::None);
    let extent = pauses.backoff.extent(firehose.attempts);
    let (mut at_once, who) = (vec![Cause::Throttle, Cause::ServiceError], Service::Firehose.name());
    if firehose.retry_function_errors {
        at_once.push(Cause::FunctionError);
    }
    retries::add(&mut row.retries, who, at_once, retries::reach_of(extent, None));
    retries::add(&mut row.retries, who, vec![Cause::Timeout], retries::reach_of(extent, Some(firehose.timeout)));
    row.waits = Wait::AtMost(firehose.timeout);
    row.throttle = again("429", firehose.attempts > 1);
    row.error = again("its records fail", firehose.retry_function_errors);
    row.failures = "the records go to the error prefix `processing-failed`".into();
    row.limit("buffer", Amount::Bytes(firehose.buffer_size));
    row.limit("wait for a full buffer", Amount::Time(firehose.buffer_interval));
    row.limit("buffers at once", Amount::Count(u64::from(firehose.parallel)));
    row.limit("record", Amount::Bytes(limits::FIREHOSE_RECORD_BYTES));
}

/// The rules of a service.
fn rules_of(service: Service, model: Model) -> Vec<&'static Rule> {
    let rules: &[&'static Rule] = match service {
        Service::Sdk if model == Model::Asynchronous => &[&rules::SDK_EVENTS, &rules::RETRY_QUOTA],
        Service::Sdk => &[
            &rules::CLIENT_RETRIES,
            &rules::RETRY_QUOTA,
            &rules::THROTTLE,
            &rules::FUNCTION_ERROR,
            &rules::SYNC_PAYLOAD,
        ],
        Service::ApiGatewayRest => &[
            &rules::GATEWAY_BUCKET,
            &rules::REST_TIMEOUT,
            &rules::GATEWAY_REFUSAL,
            &rules::GATEWAY_ERROR,
            &rules::UNMAPPED_ERROR,
            &rules::GATEWAY_PAYLOAD,
        ],
        Service::ApiGatewayHttp => &[
            &rules::GATEWAY_BUCKET,
            &rules::HTTP_TIMEOUT,
            &rules::HTTP_STATUS,
            &rules::GATEWAY_REFUSAL,
            &rules::GATEWAY_ERROR,
            &rules::GATEWAY_PAYLOAD,
        ],
        Service::ApiGatewayWebsocket => {
            &[&rules::GATEWAY_BUCKET, &rules::WEBSOCKET_TIMEOUT, &rules::GATEWAY_REFUSAL, &rules::GATEWAY_ERROR]
        }
        Service::Alb => {
            &[&rules::BALANCER_TIMEOUT, &rules::BALANCER_IDLE, &rules::BALANCER_ERROR, &rules::BALANCER_PAYLOAD]
        }
        Service::FunctionUrl => &[&rules::URL_THROTTLE, &rules::URL_ERROR, &rules::URL_CUT],
        Service::Cognito => &[&rules::COGNITO, &rules::COGNITO_AGAIN],
        Service::Lex => &[&rules::LEX, &rules::SERVICE_RETRIES],
        Service::Alexa => &[&rules::ALEXA, &rules::SERVICE_RETRIES],
        Service::Cloudfront => &[&rules::EDGE],
        Service::Firehose => &[&rules::FIREHOSE, &rules::FIREHOSE_AGAIN],
        Service::StepFunctions => &[&rules::CATCHERS, &rules::RETRIERS, &rules::ERROR_NAMES],
        Service::S3 => &[&rules::NOTIFICATION_DELAY, &rules::BUCKET_RETRIES],
        Service::Sns => &[&rules::TOPIC_RETRIES, &rules::TOPIC_CURVE, &rules::PLACE_REFUSED],
        Service::Eventbridge | Service::CloudwatchEvents => &[&rules::BUS_RETRIES, &rules::BUS_CURVE],
        Service::Scheduler => &[&rules::SCHEDULE_RETRIES, &rules::BUS_CURVE],
        Service::Ses => &[&rules::RECEIPT_RULE, &rules::HANDED_OVER],
        Service::Cloudformation => &[&rules::CALLBACK, &rules::HANDED_OVER],
        Service::CloudwatchLogs => &[&rules::LOG_RETRIES, &rules::BUCKET_RETRIES],
        Service::Codecommit | Service::Config => &[&rules::HANDED_OVER],
        Service::Iot | Service::IotButton => &[&rules::ERROR_ACTION],
    };
    rules.to_vec()
}

/// What AWS's own settings of asynchronous invocation are.
pub(super) fn asynchronous() -> Asynchronous {
    system("").functions.rows()[0].asynchronous.clone()
}
