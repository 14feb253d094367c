//! The steps of services before a function, and what the first sentences say of them: doors, services that deliver
//! events, Firehose, `CloudFormation`.

#![allow(clippy::wildcard_enum_match_arm, reason = "each rule is about a few services")]

use super::rules::{self, Rule};
use super::step::{StepKind, Told};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::{Passage, Service};
use crate::aws::fact::{Answer, Fact, FrontFact, Origin, Outcome};
use crate::aws::ids::CallerId;
use crate::kernel::time::SimTime;

/// The submission of a fact; of a buffer its first record.
pub(super) const fn front_origin(fact: &FrontFact) -> &Origin {
    match fact {
        FrontFact::Limited { origin, .. }
        | FrontFact::TimedOut { origin, .. }
        | FrontFact::Translated { origin, .. }
        | FrontFact::Delayed { origin, .. }
        | FrontFact::CallbackAwaited { origin, .. }
        | FrontFact::CalledBack { origin }
        | FrontFact::CallbackTimedOut { origin }
        | FrontFact::DeadLettered { origin, .. }
        | FrontFact::BufferClosed { origin, .. }
        | FrontFact::ProcessingFailed { origin, .. } => origin,
    }
}

/// What a service does before the function.
pub(super) fn tell<'a>(settings: Settings<'a>, now: SimTime, origin: &Origin, fact: &FrontFact) -> Told<'a> {
    let caller = &settings.0.callers[origin.caller];
    let service = caller.via.service;
    let (kind, rule, detail) = match *fact {
        FrontFact::Limited { concurrency: false, .. } => {
            (StepKind::Limited, Some(limit_rule(service)), "too many requests a second".to_owned())
        }
        FrontFact::Limited { concurrency: true, .. } => {
            (StepKind::Limited, Some(limit_rule(service)), "too many runs at once in its Region".to_owned())
        }
        FrontFact::TimedOut { attempt, .. } => {
            let detail = format!("for the answer to attempt {attempt}; the run goes on");
            (StepKind::DoorTimedOut, timeout_rule(service), detail)
        }
        FrontFact::Translated { answer, status, .. } => (
            StepKind::Translated,
            translation_rule(service, answer, status),
            format!("{} into {status}", words(answer)),
        ),
        FrontFact::Delayed { until, .. } => {
            let wait = length(until.saturating_since(now));
            (StepKind::Delayed, delay_rule(service), format!("in {wait}, at {}", moment(until)))
        }
        FrontFact::CallbackAwaited { until, .. } => {
            let wait = length(until.saturating_since(now));
            (StepKind::CallbackAwaited, Some(&rules::CALLBACK), format!("for {wait}, until {}", moment(until)))
        }
        FrontFact::CalledBack { .. } => {
            let detail = format!("{} after its request", length(now.since(origin.submitted)));
            (StepKind::CalledBack, Some(&rules::CALLBACK), detail)
        }
        FrontFact::CallbackTimedOut { .. } => {
            let detail = format!("{} after its request", length(now.since(origin.submitted)));
            (StepKind::CallbackTimedOut, Some(&rules::CALLBACK), detail)
        }
        FrontFact::DeadLettered { to, refused, .. } => {
            let queue = settings.target(to);
            let detail = match refused {
                None => format!("{queue} gets it as dead letter"),
                Some(status) => format!("{queue} refuses it with {status}; it is lost"),
            };
            (StepKind::GivenUp, Some(retry_rule(service)), detail)
        }
        FrontFact::BufferClosed { records, bytes, full, .. } => {
            let why = if full { "it is full" } else { "its interval is over" };
            let detail = format!("{} of {bytes} bytes; {why}", plural(records, "record"));
            (StepKind::BufferClosed, Some(&rules::FIREHOSE), detail)
        }
        FrontFact::ProcessingFailed { records, attempts, .. } => {
            let (records, attempts) = (plural(records, "record"), plural(attempts, "attempt"));
            let detail = format!("{records} after {attempts}, into processing-failed");
            (StepKind::ProcessingFailed, Some(&rules::FIREHOSE), detail)
        }
    };
    Told { actor: service.name(), kind, run: None, rule, detail }
}

/// Whether Lambda's client is the service, and not whoever is behind the caller.
pub(super) const fn is_client(service: Service) -> bool {
    !matches!(
        service,
        Service::Sdk
            | Service::ApiGatewayRest
            | Service::ApiGatewayHttp
            | Service::ApiGatewayWebsocket
            | Service::Alb
            | Service::FunctionUrl
            | Service::Cloudfront
    )
}

/// By which rule a service tries again, or gives up.
pub(super) const fn retry_rule(service: Service) -> &'static Rule {
    match service {
        Service::Cognito => &rules::COGNITO,
        Service::Lex => &rules::LEX,
        Service::Alexa => &rules::ALEXA,
        Service::Firehose => &rules::FIREHOSE,
        Service::Sns => &rules::TOPIC_RETRIES,
        Service::Eventbridge | Service::CloudwatchEvents => &rules::BUS_RETRIES,
        Service::Scheduler => &rules::SCHEDULE_RETRIES,
        Service::S3 => &rules::BUCKET_RETRIES,
        Service::CloudwatchLogs => &rules::LOG_RETRIES,
        Service::Iot | Service::IotButton => &rules::ERROR_ACTION,
        Service::Ses => &rules::RECEIPT_RULE,
        Service::Cloudformation => &rules::CALLBACK,
        Service::StepFunctions | Service::Codecommit | Service::Config => &rules::SERVICE_RETRIES,
        Service::Sdk
        | Service::ApiGatewayRest
        | Service::ApiGatewayHttp
        | Service::ApiGatewayWebsocket
        | Service::Alb
        | Service::FunctionUrl
        | Service::Cloudfront => &rules::CLIENT_RETRIES,
    }
}

/// The rule of a door about requests that are too large.
pub(super) const fn size_rule(service: Service) -> Option<&'static Rule> {
    match service {
        Service::ApiGatewayRest | Service::ApiGatewayHttp => Some(&rules::GATEWAY_PAYLOAD),
        Service::ApiGatewayWebsocket => Some(&rules::WEBSOCKET_TIMEOUT),
        Service::Alb => Some(&rules::BALANCER_PAYLOAD),
        _ => None,
    }
}

const fn limit_rule(service: Service) -> &'static Rule {
    if matches!(service, Service::Cloudfront) { &rules::EDGE } else { &rules::GATEWAY_BUCKET }
}

const fn timeout_rule(service: Service) -> Option<&'static Rule> {
    match service {
        Service::ApiGatewayRest => Some(&rules::REST_TIMEOUT),
        Service::ApiGatewayHttp => Some(&rules::HTTP_TIMEOUT),
        Service::ApiGatewayWebsocket => Some(&rules::WEBSOCKET_TIMEOUT),
        Service::Alb => Some(&rules::BALANCER_TIMEOUT),
        Service::Cloudfront => Some(&rules::EDGE),
        _ => None,
    }
}

/// By which rule a door translates what Lambda said.
fn translation_rule(service: Service, answer: Answer, status: u16) -> Option<&'static Rule> {
    let is_refusal = matches!(answer, Answer::Throttled | Answer::ServiceError);
    match service {
        Service::ApiGatewayRest | Service::ApiGatewayHttp | Service::ApiGatewayWebsocket => Some(match answer {
            _ if is_refusal => &rules::GATEWAY_REFUSAL,
            Answer::FunctionError if status == 200 => &rules::UNMAPPED_ERROR,
            Answer::Success => &rules::WEBSOCKET_TIMEOUT,
            _ => &rules::GATEWAY_ERROR,
        }),
        Service::Alb => Some(&rules::BALANCER_ERROR),
        Service::FunctionUrl if answer == Answer::Throttled => Some(&rules::URL_THROTTLE),
        Service::FunctionUrl => Some(&rules::URL_ERROR),
        Service::Cloudfront => Some(&rules::EDGE),
        _ => None,
    }
}

const fn delay_rule(service: Service) -> Option<&'static Rule> {
    match service {
        Service::Scheduler => Some(&rules::SCHEDULE_RETRIES),
        Service::S3 => Some(&rules::NOTIFICATION_DELAY),
        _ => None,
    }
}

/// What Lambda said to a door.
const fn words(answer: Answer) -> &'static str {
    match answer {
        Answer::Success | Answer::Accepted => "an answer that is too large",
        Answer::FunctionError => "a failure of the function",
        Answer::Throttled => "a throttle",
        Answer::ServiceError => "a failure of Lambda",
        Answer::Rejected => "a refusal",
    }
}

/// What the first sentences need of the services before a function.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fronts {
    /// Status of the last answer.
    status: u16,
    /// What a door last did by itself.
    door: Option<FrontFact>,
    /// When the function called back, or was too late.
    called_back: Option<(SimTime, bool)>,
    given_up: Option<FrontFact>,
}

impl Fronts {
    /// A fact about the submission.
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::AttemptSent { .. } => self.door = None,
            Fact::AttemptAnswered { status, .. } => self.status = status,
            Fact::Front(
                door @ (FrontFact::Limited { .. } | FrontFact::TimedOut { .. } | FrontFact::Translated { .. }),
            ) => self.door = Some(door),
            Fact::Front(FrontFact::CalledBack { .. }) => self.called_back = Some((now, true)),
            Fact::Front(FrontFact::CallbackTimedOut { .. }) => self.called_back = Some((now, false)),
            Fact::Front(end @ (FrontFact::DeadLettered { .. } | FrontFact::ProcessingFailed { .. })) => {
                self.given_up = Some(end);
            }
            _ => {}
        }
    }

    /// How a call ended behind a door that did not answer with the result.
    pub(super) fn door(&self, settings: Settings<'_>, caller: CallerId, outcome: Outcome) -> Option<String> {
        let caller = &settings.0.callers[caller];
        let Passage::Door(_) = caller.via.passage else { return None };
        let name = caller.via.service.name();
        let why = match self.door {
            _ if outcome == Outcome::Timeout => return None,
            None if outcome == Outcome::Success => return None,
            None => "",
            Some(FrontFact::TimedOut { .. }) => ", as it had waited long enough",
            Some(FrontFact::Translated { answer, .. }) => {
                return Some(format!("{name} answered {} for {}", self.status, words(answer)));
            }
            Some(_) => ", as there were too many requests",
        };
        Some(format!("{name} answered {}{why}", self.status))
    }

    /// Whether a door gave up waiting, last.
    pub(super) fn door_timed_out(&self) -> bool {
        matches!(self.door, Some(FrontFact::TimedOut { .. }))
    }

    /// What else a service did at the end.
    pub(super) fn end(&self, settings: Settings<'_>, submitted: SimTime, service: Service) -> Option<String> {
        let name = service.name();
        if let Some((at, in_time)) = self.called_back {
            let after = length(at.since(submitted));
            return Some(if in_time {
                format!("{name} had its call back {after} after its request.")
            } else {
                format!("{name} waited {after} for a call back, and had none.")
            });
        }
        match self.given_up? {
            FrontFact::DeadLettered { to, refused: None, .. } => {
                Some(format!("{name} gave it up, and sent it to {}.", settings.target(to)))
            }
            FrontFact::DeadLettered { to, .. } => {
                Some(format!("{name} gave it up, and {} did not take it: it is lost.", settings.target(to)))
            }
            FrontFact::ProcessingFailed { .. } => Some(format!("{name} skipped it: it is in processing-failed.")),
            _ => None,
        }
    }
}
