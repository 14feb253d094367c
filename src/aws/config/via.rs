//! Services that stand between a caller and a function (contract, `via`).

use super::Target;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Rate;
use crate::kernel::time::SimDuration;

/// A service that invokes functions for others, by its name in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// An AWS SDK or the CLI.
    Sdk,
    /// API Gateway, REST API (INV-4.1).
    ApiGatewayRest,
    /// API Gateway, HTTP API (INV-4.1).
    ApiGatewayHttp,
    /// API Gateway, WebSocket API (INV-4.1).
    ApiGatewayWebsocket,
    /// Application Load Balancer (INV-4.2).
    Alb,
    /// A function URL (INV-4.3).
    FunctionUrl,
    /// A trigger of a Cognito user pool (INV-4.4).
    Cognito,
    /// A bot of Lex V2 (INV-4.4).
    Lex,
    /// An Alexa skill (INV-4.4).
    Alexa,
    /// `CloudFront` with Lambda@Edge (INV-4.4).
    Cloudfront,
    /// A transformation of Data Firehose (INV-4.4).
    Firehose,
    /// A task of a Step Functions execution (INV-4.5).
    StepFunctions,
    /// A notification of an S3 bucket (INV-6).
    S3,
    /// A subscription of an SNS topic (INV-6).
    Sns,
    /// A rule of an `EventBridge` event bus (INV-6).
    Eventbridge,
    /// A schedule of `EventBridge` Scheduler (INV-6).
    Scheduler,
    /// A receipt rule of SES (INV-6).
    Ses,
    /// A custom resource of `CloudFormation` (INV-6).
    Cloudformation,
    /// A subscription filter of `CloudWatch` Logs (INV-6).
    CloudwatchLogs,
    /// A rule of `CloudWatch` Events (INV-6).
    CloudwatchEvents,
    /// A trigger of `CodeCommit` (INV-6).
    Codecommit,
    /// A rule of AWS Config (INV-6).
    Config,
    /// An action of an `IoT` rule (INV-6).
    Iot,
    /// An `IoT` Button (INV-6).
    IotButton,
}

/// How a caller reaches its function.
#[derive(Clone, Debug, PartialEq)]
pub struct Via {
    /// Through which service.
    pub service: Service,
    /// How that service behaves.
    pub passage: Passage,
}

/// What a service does between a caller and a function.
#[derive(Clone, Debug, PartialEq)]
pub enum Passage {
    /// Nothing: the caller's client calls the Invoke API itself. Also services that are clients with fixed settings
    /// (Cognito, Lex, Alexa, Step Functions), whose attempts and time-outs are those of the caller's client.
    Direct,
    /// It answers the client with statuses of its own.
    Door(FrontDoor),
    /// It accepts what happens, and invokes the function asynchronously; the caller's client is the service.
    Event(EventService),
    /// It collects records and invokes the function for many.
    Firehose(Firehose),
}

/// A service that answers HTTP requests with what a function says (INV-4.1..4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontDoor {
    /// Requests a second that it lets through.
    pub rate_limit: Option<DoorRate>,
    /// Lambda@Edge: requests under way in its Region.
    pub concurrency_limit: Option<u32>,
    /// Longest wait for the function; it runs on.
    pub timeout: Option<SimDuration>,
    /// Largest request, bytes.
    pub request_bytes: u64,
    /// Largest answer, bytes, where it is less than Lambda's.
    pub response_bytes: Option<u64>,
    /// What it answers.
    pub statuses: DoorStatuses,
}

/// A token bucket in front of a door (INV-A2): one token for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorRate {
    /// Tokens that come back.
    pub rate: Rate,
    /// The most that can be saved up; it starts full.
    pub burst: u32,
    /// Whether it is the account's, shared with all other doors that have not a bucket of their own.
    pub is_shared: bool,
}

/// HTTP statuses of a door's own answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorStatuses {
    /// More requests than the door lets through.
    pub limit: u16,
    /// The function did not answer in time.
    pub timeout: u16,
    /// Lambda throttled the request.
    pub throttle: u16,
    /// Lambda answered 5xx.
    pub service_error: u16,
    /// The function failed.
    pub function_error: u16,
    /// The function's own time-out cut it.
    pub function_timeout: u16,
    /// The request is too large.
    pub too_large: u16,
    /// The function's answer is too large.
    pub answer_too_large: u16,
}

/// A service that invokes functions asynchronously for what happens in it (INV-6).
#[derive(Clone, Debug, PartialEq)]
pub struct EventService {
    /// From what happened to the first attempt: a delay of S3, the flexible window of Scheduler.
    pub delay: Option<Distribution>,
    /// Who gets events that could not be delivered.
    pub dead_letter_queue: Option<Target>,
    /// `CloudFormation`: the function has to call back within this time.
    pub callback_timeout: Option<SimDuration>,
}

/// A delivery stream with a transformation (INV-4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firehose {
    /// Bytes that fill the buffer.
    pub buffer_size: u64,
    /// Longest time that a record waits for a full buffer.
    pub buffer_interval: SimDuration,
    /// Longest run of the function.
    pub timeout: SimDuration,
    /// Attempts for one buffer, the first included.
    pub attempts: u32,
    /// INV-D30: from the end of an attempt to the next.
    pub pause: SimDuration,
    /// Invocations under way at once, at most.
    pub parallel: u32,
    /// INV-D30: whether an error of the function is tried again.
    pub retry_function_errors: bool,
}

impl Via {
    /// The caller itself.
    pub const SDK: Self = Self { service: Service::Sdk, passage: Passage::Direct };
}

impl Service {
    /// All services, in the order of the catalogue.
    pub const ALL: [Self; 24] = [
        Self::Sdk,
        Self::ApiGatewayRest,
        Self::ApiGatewayHttp,
        Self::ApiGatewayWebsocket,
        Self::Alb,
        Self::FunctionUrl,
        Self::Cognito,
        Self::Lex,
        Self::Alexa,
        Self::Cloudfront,
        Self::Firehose,
        Self::StepFunctions,
        Self::S3,
        Self::Sns,
        Self::Eventbridge,
        Self::Scheduler,
        Self::Ses,
        Self::Cloudformation,
        Self::CloudwatchLogs,
        Self::CloudwatchEvents,
        Self::Codecommit,
        Self::Config,
        Self::Iot,
        Self::IotButton,
    ];

    /// What AWS calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdk => "SDK",
            Self::ApiGatewayRest | Self::ApiGatewayHttp | Self::ApiGatewayWebsocket => "API Gateway",
            Self::Alb => "ALB",
            Self::FunctionUrl => "function URL",
            Self::Cognito => "Cognito",
            Self::Lex => "Lex",
            Self::Alexa => "Alexa",
            Self::Cloudfront => "CloudFront",
            Self::Firehose => "Firehose",
            Self::StepFunctions => "Step Functions",
            Self::S3 => "S3",
            Self::Sns => "SNS",
            Self::Eventbridge => "EventBridge",
            Self::Scheduler => "Scheduler",
            Self::Ses => "SES",
            Self::Cloudformation => "CloudFormation",
            Self::CloudwatchLogs => "CloudWatch Logs",
            Self::CloudwatchEvents => "CloudWatch Events",
            Self::Codecommit => "CodeCommit",
            Self::Config => "AWS Config",
            Self::Iot => "IoT",
            Self::IotButton => "IoT Button",
        }
    }

    /// Its word in a scenario (contract 1.3).
    pub const fn key(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            Self::ApiGatewayRest => "api_gateway_rest",
            Self::ApiGatewayHttp => "api_gateway_http",
            Self::ApiGatewayWebsocket => "api_gateway_websocket",
            Self::Alb => "alb",
            Self::FunctionUrl => "function_url",
            Self::Cognito => "cognito",
            Self::Lex => "lex",
            Self::Alexa => "alexa",
            Self::Cloudfront => "cloudfront",
            Self::Firehose => "firehose",
            Self::StepFunctions => "step_functions",
            Self::S3 => "s3",
            Self::Sns => "sns",
            Self::Eventbridge => "eventbridge",
            Self::Scheduler => "scheduler",
            Self::Ses => "ses",
            Self::Cloudformation => "cloudformation",
            Self::CloudwatchLogs => "cloudwatch_logs",
            Self::CloudwatchEvents => "cloudwatch_events",
            Self::Codecommit => "codecommit",
            Self::Config => "config",
            Self::Iot => "iot",
            Self::IotButton => "iot_button",
        }
    }
}
