//! Services through which a caller reaches its function: what they do, and what its client is.

use std::sync::Arc;

use super::Builder;
use super::checks::less;
use super::client::preset;
use super::retry::{notification_retry, rule_retry, topic_retry};
use crate::aws::config::{
    Backoff, Budget, Client, DeliveryPolicy, DoorRate, DoorStatuses, EventService, Firehose, FrontDoor, Invocation,
    Jitter, Passage, RetryOn, RetryPhase, Service, Target, Via,
};
use crate::aws::limits;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Rate;
use crate::kernel::time::SimDuration;
use crate::scenario::resolve::{Resolved, Value};

/// A service, and the client that stands behind it: `None` where that is the caller's own.
pub(super) struct Passed {
    pub(super) via: Via,
    pub(super) client: Option<Client>,
}

/// The keys that name a queue for what could not be delivered.
pub(super) const DEAD_LETTER_KEYS: [&str; 2] = ["dead_letter_queue", "error_action"];

/// The service that `via` names.
#[allow(clippy::wildcard_enum_match_arm, reason = "a bad value names nothing")]
pub(super) fn via_key(via: &Resolved) -> Option<&'static str> {
    match &via.value {
        Value::Word(word) => Some(word),
        Value::Tagged(tag, _) => Some(tag),
        _ => None,
    }
}

/// The settings of that service, where it has any.
pub(super) fn via_block(via: &Resolved) -> Option<&Resolved> {
    if let Value::Tagged(_, inner) = &via.value { Some(inner) } else { None }
}

impl Builder<'_> {
    /// The service that a caller's `via` names. `invocation` is how it calls.
    pub(super) fn via(&mut self, value: &Resolved, invocation: Invocation) -> Option<Passed> {
        let key = via_key(value)?;
        let block = via_block(value).unwrap_or(value);
        let service = Service::ALL.into_iter().find(|service| service.key() == key)?;
        let direct = |client| Some((Passage::Direct, Some(client)));
        let event = |builder: &mut Self, policy| {
            let dead_letter_queue = builder.dead_letter_queue(block)?;
            Some((
                Passage::Event(EventService { delay: None, dead_letter_queue, callback_timeout: None }),
                Some(policy),
            ))
        };
        let (passage, client) = match service {
            Service::Sdk => (Passage::Direct, None),
            Service::ApiGatewayRest | Service::ApiGatewayHttp | Service::ApiGatewayWebsocket => {
                (Passage::Door(api_gateway(service, block)?), None)
            }
            Service::Alb => (Passage::Door(load_balancer(block)?), None),
            Service::FunctionUrl => (Passage::Door(function_url(block)?), None),
            Service::Cloudfront => (Passage::Door(edge(block)?), None),
            Service::Cognito => direct(cognito(block)?)?,
            Service::Lex | Service::Alexa => direct(waits(block.field("timeout").duration()?))?,
            Service::Ses if invocation == Invocation::Sync => direct(waits(block.field("timeout").duration()?))?,
            Service::StepFunctions => direct(task(block.field("retry").word()?))?,
            Service::Firehose => (Passage::Firehose(firehose(block)?), None),
            Service::Sns => event(self, delivers(topic_retry(block.field("retry"))?))?,
            Service::Eventbridge | Service::CloudwatchEvents => {
                event(self, delivers(rule_retry(block.field("retry"))?))?
            }
            Service::S3 => {
                let delay = self.distribution(block.field("delay"))?;
                let delay = Some(delay).filter(|delay| delay.max() != Some(0));
                let service = EventService { delay, dead_letter_queue: None, callback_timeout: None };
                (Passage::Event(service), Some(delivers(notification_retry(block.field("retry"))?)))
            }
            Service::CloudwatchLogs => event(self, delivers(notification_retry(block.field("retry"))?))?,
            Service::Scheduler => {
                let window = block.field("flexible_window").duration()?.as_nanos();
                let delay = if window == 0 { None } else { Some(Distribution::uniform(0, window).ok()?) };
                let dead_letter_queue = self.dead_letter_queue(block)?;
                let service = EventService { delay, dead_letter_queue, callback_timeout: None };
                (Passage::Event(service), Some(delivers(schedule(block)?)))
            }
            Service::Cloudformation => {
                let callback_timeout = Some(block.field("callback_timeout").duration()?);
                let service = EventService { delay: None, dead_letter_queue: None, callback_timeout };
                (Passage::Event(service), Some(delivers(DeliveryPolicy::NONE)))
            }
            Service::Ses | Service::Codecommit | Service::Config | Service::Iot | Service::IotButton => {
                event(self, delivers(DeliveryPolicy::NONE))?
            }
        };
        Some(Passed { via: Via { service, passage }, client })
    }

    /// The queue of a service that gives up; `error_action` of an `IoT` rule.
    #[allow(clippy::option_option, reason = "the outer one is for values that cannot be read")]
    fn dead_letter_queue(&mut self, block: &Resolved) -> Option<Option<Target>> {
        let key = DEAD_LETTER_KEYS.into_iter().find(|key| block.has(key));
        let Some(key) = key else { return Some(None) };
        block.field(key).optional(|queue| self.target(queue))
    }
}

const ACCOUNT_RATE: Rate = limits::API_GATEWAY_RATE;

fn api_gateway(service: Service, block: &Resolved) -> Option<FrontDoor> {
    let (rate, burst) = (block.field("rate").rate()?, block.field("burst").count()?);
    let refusal = status(block, "refusal_status")?;
    let mapped = block.if_has("integration").and_then(Resolved::word) == Some("custom");
    // INV-A9: what a custom integration does not map is a success.
    let error = if mapped { 200 } else { status(block, "error_status")? };
    let websocket = service == Service::ApiGatewayWebsocket;
    Some(FrontDoor {
        rate_limit: Some(DoorRate {
            rate,
            burst,
            // INV-A2: what is not said otherwise, however it is spelt.
            is_shared: !less(rate, ACCOUNT_RATE) && !less(ACCOUNT_RATE, rate) && burst == limits::API_GATEWAY_BURST,
        }),
        concurrency_limit: None,
        timeout: Some(block.field("timeout").duration()?),
        request_bytes: if websocket { limits::WEBSOCKET_MESSAGE_BYTES } else { limits::SYNCHRONOUS_PAYLOAD_BYTES },
        response_bytes: websocket.then_some(limits::WEBSOCKET_MESSAGE_BYTES),
        statuses: DoorStatuses {
            limit: 429,
            timeout: status(block, "timeout_status")?,
            throttle: refusal,
            service_error: refusal,
            function_error: error,
            function_timeout: error,
            too_large: 413,
            answer_too_large: status(block, "error_status")?,
        },
    })
}

/// INV-4.2.
fn load_balancer(block: &Resolved) -> Option<FrontDoor> {
    Some(FrontDoor {
        rate_limit: None,
        concurrency_limit: None,
        timeout: block.field("idle_timeout").optional(Resolved::duration)?,
        request_bytes: limits::LOAD_BALANCER_BYTES,
        response_bytes: Some(limits::LOAD_BALANCER_BYTES),
        statuses: DoorStatuses { limit: 503, timeout: 504, ..all(502) },
    })
}

/// INV-4.3.
fn function_url(block: &Resolved) -> Option<FrontDoor> {
    let function_timeout = status(block, "timeout_status")?;
    Some(FrontDoor {
        rate_limit: None,
        concurrency_limit: None,
        timeout: None,
        request_bytes: limits::SYNCHRONOUS_PAYLOAD_BYTES,
        response_bytes: None,
        statuses: DoorStatuses { throttle: 429, function_timeout, ..all(502) },
    })
}

/// INV-4.4: Lambda@Edge.
fn edge(block: &Resolved) -> Option<FrontDoor> {
    let rate = block.field("rate").rate()?;
    let viewer = block.field("event").word()? == "viewer";
    let (timeout, bytes) = if viewer {
        (limits::EDGE_VIEWER_TIMEOUT, limits::EDGE_VIEWER_BYTES)
    } else {
        (limits::EDGE_ORIGIN_TIMEOUT, limits::EDGE_ORIGIN_BYTES)
    };
    // The depth of the bucket is not documented: what comes in a second.
    let a_second = u128::from(rate.events) * 1_000_000_000 / u128::from(rate.per.as_nanos());
    let burst = u32::try_from(a_second).unwrap_or(u32::MAX).max(1);
    Some(FrontDoor {
        rate_limit: Some(DoorRate { rate, burst, is_shared: false }),
        concurrency_limit: Some(block.field("concurrency_limit").count()?),
        timeout: Some(timeout),
        request_bytes: limits::SYNCHRONOUS_PAYLOAD_BYTES,
        response_bytes: Some(bytes),
        statuses: DoorStatuses {
            limit: 503,
            timeout: 503,
            throttle: 503,
            service_error: 503,
            function_error: 500,
            function_timeout: 503,
            too_large: 413,
            answer_too_large: 502,
        },
    })
}

/// The same status for whatever goes wrong behind the door.
const fn all(status: u16) -> DoorStatuses {
    DoorStatuses {
        limit: 429,
        timeout: 504,
        throttle: status,
        service_error: status,
        function_error: status,
        function_timeout: status,
        too_large: 413,
        answer_too_large: status,
    }
}

fn status(block: &Resolved, key: &str) -> Option<u16> {
    u16::try_from(block.field(key).whole()?).ok()
}

/// INV-4.4: Cognito calls again after time-outs and refusals.
fn cognito(block: &Resolved) -> Option<Client> {
    let pause = block.field("pause").duration()?;
    let backoff = Backoff { base: pause, factor: 1.0, cap: None, jitter: Jitter::None };
    let mut client = waits(block.field("timeout").duration()?);
    client.max_attempts = block.field("attempts").count()?;
    client.backoff = backoff;
    client.throttle_backoff = backoff;
    client.retry_on.function_error = block.field("retry_function_errors").switch()?;
    Some(client)
}

/// INV-SF5, SF6: the presets as the retrier of a single task.
fn task(name: &str) -> Client {
    let (max_attempts, base, jitter) = match name {
        "sfn_studio" => (4, 1, Jitter::Full),
        "sfn_classic" => (7, 2, Jitter::None),
        _ => (1, 1, Jitter::None),
    };
    let backoff = Backoff { base: SimDuration::from_secs(base), factor: 2.0, cap: None, jitter };
    let retry_on =
        RetryOn { throttle: name == "sfn_studio", service_error: true, timeout: false, function_error: false };
    Client { max_attempts, backoff, throttle_backoff: backoff, retry_on, timeout: None, ..no_retry() }
}

/// A service that waits so long for the answer, and tries nothing again.
fn waits(timeout: SimDuration) -> Client {
    Client { timeout: Some(timeout), ..no_retry() }
}

/// A service that delivers events.
fn delivers(policy: DeliveryPolicy) -> Client {
    Client { max_attempts: u32::MAX, policy: Some(Arc::new(policy)), ..no_retry() }
}

fn no_retry() -> Client {
    let none = preset("none");
    Client {
        max_attempts: 1,
        backoff: none.backoff,
        throttle_backoff: none.throttle_backoff,
        policy: None,
        budget: Budget::None,
        adaptive: false,
        retry_on: RetryOn { throttle: true, service_error: true, timeout: true, function_error: false },
        timeout: None,
        total_timeout: None,
        circuit_breaker: None,
    }
}

/// INV-6: Scheduler tries again as rules of `EventBridge` do.
fn schedule(block: &Resolved) -> Option<DeliveryPolicy> {
    let seconds = SimDuration::from_secs;
    let backoff = Backoff { base: seconds(1), factor: 2.0, cap: Some(seconds(480)), jitter: Jitter::None };
    Some(DeliveryPolicy {
        phases: vec![RetryPhase { times: u32::MAX, backoff }],
        maximum_retry_attempts: Some(block.field("maximum_retry_attempts").count()?),
        maximum_event_age: Some(block.field("maximum_event_age").duration()?),
    })
}

/// INV-4.4.
fn firehose(block: &Resolved) -> Option<Firehose> {
    Some(Firehose {
        buffer_size: block.field("buffer_size").whole()?,
        buffer_interval: block.field("buffer_interval").duration()?,
        timeout: block.field("timeout").duration()?,
        attempts: block.field("attempts").count()?,
        pause: block.field("pause").duration()?,
        parallel: block.field("parallel").count()?,
        retry_function_errors: block.field("retry_function_errors").switch()?,
    })
}
