//! The tables of the services through which a caller reaches a function (contract 1.3).

use super::common::{ANY, ANY_DURATION, COUNT_FROM_1, QUEUE_NAME, RATE, SECOND, SOME_DURATION, SWITCH, tag, word};
use super::distribution::TIME;
use super::retry::{NOTIFICATION_RETRY, RULE_AGE, RULE_ATTEMPTS, RULE_RETRY, TOPIC_RETRY};
use super::{Block, Key, Shape, Union};

/// The services that invoke asynchronously where the scenario does not say otherwise.
pub(crate) const ASYNCHRONOUS: [&str; 12] = [
    "s3",
    "sns",
    "eventbridge",
    "scheduler",
    "ses",
    "cloudformation",
    "cloudwatch_logs",
    "cloudwatch_events",
    "codecommit",
    "config",
    "iot",
    "iot_button",
];

/// The services whose callers are no AWS SDKs.
pub(crate) const FRONTED: [&str; 23] = [
    "api_gateway_rest",
    "api_gateway_http",
    "api_gateway_websocket",
    "alb",
    "function_url",
    "cognito",
    "lex",
    "alexa",
    "cloudfront",
    "firehose",
    "step_functions",
    "s3",
    "sns",
    "eventbridge",
    "scheduler",
    "ses",
    "cloudformation",
    "cloudwatch_logs",
    "cloudwatch_events",
    "codecommit",
    "config",
    "iot",
    "iot_button",
];

pub(super) static VIA: Shape = Shape::Variant(&Union {
    name: "via",
    doc: "the service through which a function is called; its name alone, or with settings",
    tags: &[
        tag("sdk", &NONE, "an AWS SDK or the CLI calls the Invoke API"),
        tag("api_gateway_rest", &Shape::Short("timeout", &GATEWAY_TIME, &REST), "API Gateway, REST API"),
        tag("api_gateway_http", &Shape::Short("timeout", &HTTP_TIME, &HTTP), "API Gateway, HTTP API"),
        tag("api_gateway_websocket", &Shape::Short("timeout", &GATEWAY_TIME, &WEBSOCKET), "API Gateway, WebSocket API"),
        tag("alb", &Shape::Block(&ALB), "Application Load Balancer"),
        tag("function_url", &Shape::Block(&FUNCTION_URL), "function URL"),
        tag("cognito", &Shape::Block(&COGNITO), "trigger of a Cognito user pool"),
        tag("lex", &Shape::Short("timeout", &SOME_DURATION, &LEX), "bot of Lex V2"),
        tag("alexa", &Shape::Short("timeout", &SOME_DURATION, &ALEXA), "Alexa skill"),
        tag("cloudfront", &Shape::Block(&CLOUDFRONT), "CloudFront with Lambda@Edge"),
        tag("firehose", &Shape::Block(&FIREHOSE), "transformation of Data Firehose"),
        tag("step_functions", &Shape::Block(&STEP_FUNCTIONS), "a task of Step Functions"),
        tag("s3", &Shape::Block(&S3), "notification of an S3 bucket"),
        tag("sns", &Shape::Block(&SNS), "subscription of an SNS topic"),
        tag("eventbridge", &Shape::Block(&EVENTBRIDGE), "rule of an EventBridge event bus"),
        tag("scheduler", &Shape::Block(&SCHEDULER), "schedule of EventBridge Scheduler"),
        tag("ses", &Shape::Block(&SES), "receipt rule of SES"),
        tag("cloudformation", &Shape::Block(&CLOUDFORMATION), "custom resource of CloudFormation"),
        tag("cloudwatch_logs", &Shape::Block(&CLOUDWATCH_LOGS), "subscription filter of CloudWatch Logs"),
        tag("cloudwatch_events", &Shape::Block(&EVENTBRIDGE), "rule of CloudWatch Events"),
        tag("codecommit", &NONE, "trigger of CodeCommit"),
        tag("config", &NONE, "rule of AWS Config"),
        tag("iot", &Shape::Block(&IOT), "action of an IoT rule"),
        tag("iot_button", &NONE, "IoT Button"),
    ],
});

/// What the service of this name is.
pub(crate) fn service_text(name: &str) -> Option<&'static str> {
    let Shape::Variant(via) = VIA else { return None };
    via.tags.iter().find(|tag| tag.name == name).map(|tag| tag.doc)
}

static NONE: Shape = Shape::Block(&Block { name: "service", doc: "nothing can be set", case: None, keys: &[] });

/// INV-A4: up to 300 s where the quota was raised.
static GATEWAY_TIME: Shape = Shape::Duration(SECOND / 20, 300 * SECOND);
static HTTP_TIME: Shape = Shape::Duration(SECOND / 20, 30 * SECOND);
static STATUS: Shape = Shape::Whole(200, 599);

const RATE_KEY: Key = Key::new(
    "rate",
    &RATE,
    "requests a second; callers with 10000/s and a burst of 5000 share the account's bucket, others have their own",
)
.is("10000/s")
.rule("INV-A2");
const BURST_KEY: Key = Key::new("burst", &COUNT_FROM_1, "depth of that bucket").is("5000").rule("INV-A2");
const REFUSAL_KEY: Key =
    Key::new("refusal_status", &STATUS, "status where Lambda refuses the call").is("500").rule("INV-A7");
const ERROR_KEY: Key =
    Key::new("error_status", &STATUS, "status where the function fails or times out").is("502").rule("INV-A8");

static REST: Block = Block {
    name: "REST API",
    doc: "an API of API Gateway of the type REST",
    case: None,
    keys: &[
        Key::new("timeout", &GATEWAY_TIME, "integration time-out; the function runs on").is("29s").rule("INV-A4"),
        RATE_KEY,
        BURST_KEY,
        Key::new("integration", &INTEGRATION, "what becomes of a function's error").is("proxy").rule("INV-A9"),
        Key::new("timeout_status", &STATUS, "status at the time-out").is("504").rule("INV-A4"),
        REFUSAL_KEY,
        ERROR_KEY,
    ],
};

static INTEGRATION: Shape = Shape::Words(&[
    word("proxy", "the client gets `error_status`"),
    word("custom", "a mapping of its own: an error that it does not know is answered with 200"),
]);

static HTTP: Block = Block {
    name: "HTTP API",
    doc: "an API of API Gateway of the type HTTP",
    case: None,
    keys: &[
        Key::new("timeout", &HTTP_TIME, "integration time-out; the function runs on").is("30s").rule("INV-A5"),
        RATE_KEY,
        BURST_KEY,
        Key::new("timeout_status", &STATUS, "status at the time-out").is("503").rule("INV-D27"),
        REFUSAL_KEY,
        ERROR_KEY,
    ],
};

static WEBSOCKET: Block = Block {
    name: "WebSocket API",
    doc: "an API of API Gateway of the type WebSocket; each message is a call",
    case: None,
    keys: &[
        Key::new("timeout", &GATEWAY_TIME, "integration time-out; the function runs on").is("29s").rule("INV-A6"),
        RATE_KEY,
        BURST_KEY,
        Key::new("timeout_status", &STATUS, "status at the time-out").is("504").rule("INV-A6"),
        REFUSAL_KEY,
        ERROR_KEY,
    ],
};

static ALB: Block = Block {
    name: "load balancer",
    doc: "an Application Load Balancer",
    case: None,
    keys: &[Key::new("idle_timeout", &IDLE_TIME, "how long a connection waits for an answer; the function runs on")
        .is("60s")
        .rule("INV-D28")],
};

static IDLE_TIME: Shape =
    Shape::Either(&[Shape::Without("unlimited", "the connection waits for ever"), Shape::Duration(1, ANY)]);

static FUNCTION_URL: Block = Block {
    name: "function URL",
    doc: "the function's own URL",
    case: None,
    keys: &[Key::new("timeout_status", &STATUS, "status where the function's time-out cuts it")
        .is("502")
        .rule("INV-D26")],
};

static COGNITO: Block = Block {
    name: "Cognito trigger",
    doc: "a trigger of a Cognito user pool; Cognito calls again by itself",
    case: None,
    keys: &[
        Key::new("timeout", &SOME_DURATION, "longest wait for one attempt").is("5s").rule("INV-4.4"),
        Key::new("attempts", &COUNT_FROM_1, "attempts, the first included").is("3").rule("INV-4.4"),
        Key::new("pause", &ANY_DURATION, "from the end of an attempt to the next").is("0s").rule("INV-D29"),
        RETRY_ERRORS.rule("INV-D29"),
    ],
};

const RETRY_ERRORS: Key =
    Key::new("retry_function_errors", &SWITCH, "whether an error of the function is tried again").is("off");

static LEX: Block = Block {
    name: "Lex bot",
    doc: "a bot of Lex V2",
    case: None,
    keys: &[Key::new("timeout", &SOME_DURATION, "longest wait for the function").is("30s").rule("INV-4.4")],
};

static ALEXA: Block = Block {
    name: "Alexa skill",
    doc: "an Alexa skill",
    case: None,
    keys: &[Key::new("timeout", &SOME_DURATION, "longest wait for the function").is("8s").rule("INV-4.4")],
};

static CLOUDFRONT: Block = Block {
    name: "Lambda@Edge",
    doc: "a function at the edge locations of CloudFront; the caller stands for one Region, with limits of its own",
    case: None,
    keys: &[
        Key::new("event", &EDGE_EVENT, "when it runs").is("viewer").rule("INV-4.4"),
        Key::new("rate", &RATE, "requests a second in this Region").is("10000/s").rule("INV-4.4"),
        Key::new("concurrency_limit", &COUNT_FROM_1, "runs at once in this Region").is("1000").rule("INV-4.4"),
    ],
};

static EDGE_EVENT: Shape = Shape::Words(&[
    word("viewer", "for each request of a viewer: at most 5 s"),
    word("origin", "for each request to the origin: at most 30 s"),
]);

static FIREHOSE: Block = Block {
    name: "delivery stream",
    doc: "a delivery stream of Data Firehose; each submission is a record",
    case: None,
    keys: &[
        Key::new("buffer_size", &Shape::Size(200_000, 3_145_728), "bytes that fill the buffer")
            .is("1MB")
            .rule("INV-4.4"),
        Key::new(
            "buffer_interval",
            &Shape::Duration(0, 900 * SECOND),
            "longest time that a record is kept in the buffer",
        )
        .is("60s")
        .rule("INV-4.4"),
        Key::new("timeout", &Shape::Duration(1, 300 * SECOND), "longest wait for one attempt").is("5m").rule("INV-4.4"),
        Key::new("attempts", &COUNT_FROM_1, "attempts for one buffer, the first included").is("4").rule("INV-4.4"),
        Key::new("pause", &ANY_DURATION, "from the end of an attempt to the next").is("1s").rule("INV-D30"),
        Key::new("parallel", &COUNT_FROM_1, "invocations at once").is("5").rule("INV-4.4"),
        RETRY_ERRORS.rule("INV-D30"),
    ],
};

static STEP_FUNCTIONS: Block = Block {
    name: "Step Functions task",
    doc: "one task of a state machine; for more than one write a state machine",
    case: None,
    keys: &[Key::new("retry", &TASK_RETRY, "the retrier of the task").is("none").rule("INV-SF1")],
};

static TASK_RETRY: Shape = Shape::Words(&[
    word("none", "an error ends the execution"),
    word("sfn_studio", "what Workflow Studio writes: 3 retries after 1 s, 2 s, 4 s with full jitter, throttles too"),
    word("sfn_classic", "what older examples write: 6 retries after 2 s, 4 s, .. 64 s, but none for a throttle"),
]);

static S3: Block = Block {
    name: "S3 notification",
    doc: "a notification of an S3 bucket",
    case: None,
    keys: &[
        Key::new("delay", &TIME, "from an object to the first attempt").is("0s").rule("INV-6"),
        Key::new("retry", &Shape::Block(&NOTIFICATION_RETRY), "how it tries again what Lambda refused")
            .keys()
            .rule("INV-D33"),
    ],
};

static SNS: Block = Block {
    name: "SNS subscription",
    doc: "a function's subscription of an SNS topic",
    case: None,
    keys: &[
        Key::new("retry", &Shape::Block(&TOPIC_RETRY), "how it tries again what Lambda refused").keys().rule("INV-D31"),
        DEAD_LETTER_QUEUE,
    ],
};

const DEAD_LETTER_QUEUE: Key =
    Key::new("dead_letter_queue", &QUEUE_NAME, "a standard queue that gets what could not be delivered").rule("INV-6");

static EVENTBRIDGE: Block = Block {
    name: "EventBridge rule",
    doc: "a function as the target of a rule",
    case: None,
    keys: &[
        Key::new("retry", &Shape::Block(&RULE_RETRY), "how it tries again what Lambda refused").keys().rule("INV-D32"),
        DEAD_LETTER_QUEUE,
    ],
};

static SCHEDULER: Block = Block {
    name: "schedule",
    doc: "a schedule of EventBridge Scheduler",
    case: None,
    keys: &[
        Key::new("maximum_retry_attempts", &RULE_ATTEMPTS, "retries at most").is("185").rule("INV-6"),
        Key::new("maximum_event_age", &RULE_AGE, "age at which a retry is not made any more").is("24h").rule("INV-6"),
        Key::new("flexible_window", &Shape::Duration(0, 86_400 * SECOND), "it calls at a moment within this time")
            .is("0s")
            .rule("INV-6"),
        DEAD_LETTER_QUEUE,
    ],
};

static SES: Block = Block {
    name: "receipt rule",
    doc: "a receipt rule of SES; with `invocation: sync` it waits for the answer",
    case: None,
    keys: &[Key::new("timeout", &SOME_DURATION, "longest wait for an answer, with `invocation: sync`")
        .is("30s")
        .rule("INV-6")],
};

static CLOUDFORMATION: Block = Block {
    name: "custom resource",
    doc: "a custom resource of CloudFormation; the function calls back when it succeeds",
    case: None,
    keys: &[Key::new("callback_timeout", &Shape::Duration(SECOND, 3_600 * SECOND), "longest wait for that")
        .is("1h")
        .rule("INV-6")],
};

static CLOUDWATCH_LOGS: Block = Block {
    name: "subscription filter",
    doc: "a subscription filter of CloudWatch Logs",
    case: None,
    keys: &[Key::new("retry", &Shape::Block(&NOTIFICATION_RETRY), "how it tries again what Lambda refused")
        .keys()
        .rule("INV-6")],
};

static IOT: Block = Block {
    name: "IoT rule",
    doc: "an action of an IoT rule; it tries nothing again",
    case: None,
    keys: &[Key::new("error_action", &QUEUE_NAME, "a standard queue that gets what Lambda refused").rule("INV-6")],
};
