//! The rules that steps and the catalogue of sources cite: one sentence each, and how it is known. The whole story is in `docs/semantics/`.

/// A rule of the simulation.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `INV-Q1`, `ESM-1.4.2`, as in `docs/semantics/`.
    pub id: &'static str,
    /// What it says.
    pub text: &'static str,
    /// Where it says so.
    pub source: &'static str,
    /// How it is known.
    pub mark: Mark,
}

/// How a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// AWS says so.
    Documented,
    /// Others measured it, or read it in the source of an SDK.
    Observed,
    /// Nothing is known; a choice of ours.
    Assumption,
    /// Two pages of AWS disagree; we took one.
    Conflict,
}

impl Mark {
    /// For people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Assumption => "our assumption",
            Self::Conflict => "two pages disagree",
        }
    }
}

macro_rules! rules {
    ($($name:ident = $id:literal, $mark:ident, $source:expr, $text:literal;)*) => {
        $(pub(crate) static $name: Rule = Rule { id: $id, text: $text, source: $source, mark: Mark::$mark };)*

        /// Every rule that a step, or the catalogue of sources, can cite.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

const ERROR_HANDLING: &str = "AWS Lambda developer guide, invocation-async-error-handling";
const CONFIGURING: &str = "AWS Lambda developer guide, invocation-async-configuring";
const RETAIN_RECORDS: &str = "AWS Lambda developer guide, invocation-async-retain-records";
const RUNTIME: &str = "AWS Lambda developer guide, lambda-runtime-environment";
const CONCURRENCY: &str = "AWS Lambda developer guide, lambda-concurrency";
const MEASURED: &str = "measurements of others (localstack, stackd)";
const SDKS: &str = "AWS SDKs and tools reference guide, feature-retry-behavior";
const NONE: &str = "AWS does not say";
const SQS_ERRORS: &str = "AWS Lambda developer guide, services-sqs-errorhandling";
const SQS_SOURCE: &str = "AWS Lambda developer guide, with-sqs";
const MAPPINGS: &str = "AWS Lambda developer guide, invocation-eventsourcemapping";
const VISIBILITY: &str = "Amazon SQS developer guide, sqs-visibility-timeout";
const DEAD_LETTER_QUEUES: &str = "Amazon SQS developer guide, sqs-dead-letter-queues";
const KINESIS: &str = "AWS Lambda developer guide, with-kinesis";
const DISCARDED: &str = "AWS Lambda developer guide, kinesis-on-failure-destination";
const STREAM_REPORTS: &str = "AWS Lambda developer guide, services-kinesis-batchfailurereporting";
const STREAM_WINDOWS: &str = "AWS Lambda developer guide, services-kinesis-windows";
const KAFKA_RETRY: &str = "AWS Lambda developer guide, kafka-retry-configurations";
const KAFKA_GUIDE: &str = "AWS Lambda developer guide, with-kafka";
const KAFKA_TOPIC: &str = "AWS Lambda developer guide, kafka-on-failure-destination";
const BROKERS: &str = "AWS Lambda developer guide, with-mq";
const DOCUMENTS: &str = "AWS Lambda developer guide, with-documentdb";
const FILTERING: &str = "AWS Lambda developer guide, invocation-eventfiltering";
const METRICS: &str = "AWS Lambda developer guide, monitoring-metrics-types";
const STREAM_QUOTAS: &str = "Amazon Kinesis Data Streams developer guide, service-sizes-and-limits";
const GATEWAY_LIMITS: &str = "Amazon API Gateway developer guide, limits";
const GATEWAY_ERRORS: &str = "AWS Lambda developer guide, services-apigateway-errors";
const BALANCER: &str = "Elastic Load Balancing user guide, lambda-functions";
const QUEUE_QUOTAS: &str = "Amazon SQS developer guide, quotas-queues";
const STATES_ERRORS: &str = "AWS Step Functions developer guide, concepts-error-handling";

rules! {
    ASYNC_ACCEPTANCE = "INV-Q1", Documented, "AWS Lambda developer guide, invocation-async",
        "Lambda stores the event, answers 202 and runs the function later, whatever its concurrency.";
    ASYNC_PAYLOAD = "INV-Q2", Documented, "AWS Lambda developer guide, gettingstarted-limits",
        "An event may have 1 MB; a larger one is refused with 413.";
    DISPATCH = "INV-Q4", Assumption, NONE,
        "The internal queue asks for a run of a new event at once, or after `async.dispatch_latency`.";
    DUPLICATES = "INV-Q6", Documented, ERROR_HANDLING,
        "An event is delivered at least once: it may run twice although nothing failed.";
    RETRY_ATTEMPTS = "INV-Q7", Documented, CONFIGURING,
        "After a function error the event is tried again `maximum_retry_attempts` times, at most and by default twice.";
    RETRY_DELAYS = "INV-Q8", Documented, ERROR_HANDLING,
        "Lambda waits one minute before the second attempt and two minutes before the third.";
    BACKOFF = "INV-Q9", Documented, ERROR_HANDLING,
        "After a throttle or an error of the service the event waits 1 s, then longer each time, at most 5 min. It uses up no retry.";
    EVENT_AGE = "INV-Q11", Documented, CONFIGURING,
        "An event may wait `maximum_event_age` from its acceptance, at most and by default 6 h.";
    LOOKAHEAD = "INV-Q12", Observed, MEASURED,
        "An event that would be too old at its next attempt ends at once.";
    AGE_LIMITS_WAITING = "INV-Q14", Observed, MEASURED,
        "The age limits waiting only: a run that has started may end later.";
    DESTINATIONS = "INV-O1", Documented, RETAIN_RECORDS,
        "A destination receives a record of the event and of what came of it.";
    DEAD_LETTERS = "INV-O2", Documented, RETAIN_RECORDS,
        "A dead-letter queue receives the event as it was sent.";
    DELIVERY_FAILURE = "INV-O4", Documented, RETAIN_RECORDS,
        "What cannot be delivered is gone, and counted.";
    FUNCTION_DESTINATION = "INV-O6", Observed, MEASURED,
        "A function as destination is invoked asynchronously: a new event with its own retries.";
    ZERO_RESERVED = "INV-5.6", Documented, RETAIN_RECORDS,
        "With a reserved concurrency of 0 an event is accepted, and ends without a run or a retry.";
    RECURSION = "INV-5.7", Documented, "AWS Lambda developer guide, invocation-recursion",
        "A chain of requests that has run a function about 16 times is stopped.";
    DELIVERY = "INV-D24", Assumption, NONE,
        "How often and how fast Lambda tries a delivery: once and at once, or as `async.delivery` says.";
    COLD_START = "INV-E1", Documented, RUNTIME,
        "Without an idle environment a new one is created and initialised first.";
    TIMEOUT = "INV-E5", Documented, RUNTIME,
        "A run is cut at the function's time-out.";
    RESET = "INV-E6", Documented, RUNTIME,
        "A time-out or a crash resets the environment; its next run pays for a new Init.";
    PROVISIONED = "INV-C10", Documented, CONCURRENCY,
        "Provisioned concurrency serves first; what it cannot serve spills over to concurrency on demand.";
    ACCOUNT_LIMIT = "INV-C1", Documented, CONCURRENCY,
        "All functions of an account share its concurrency limit.";
    RESERVED_LIMIT = "INV-C3", Documented, "AWS Lambda developer guide, configuration-concurrency",
        "Reserved concurrency is set aside for a function, and is the most it can have.";
    RESERVED_ZERO = "INV-C5", Documented, "AWS Lambda developer guide, configuration-concurrency",
        "A reserved concurrency of 0 refuses every call.";
    ACCOUNT_RATE = "INV-R1", Documented, CONCURRENCY,
        "An account may make ten synchronous requests a second for each unit of its concurrency.";
    RESERVED_RATE = "INV-R2", Documented, CONCURRENCY,
        "A function may have ten requests a second for each unit of its reserved concurrency.";
    CALLER_RATE = "INV-D36", Assumption, NONE,
        "All callers together may not be faster than `account.caller_rate_limit`.";
    THROTTLE = "INV-T1", Observed, MEASURED,
        "A throttle is answered with 429 and a reason; the function does not run.";
    SERVICE_ERROR = "INV-T5", Documented, "AWS Lambda API reference, Invoke",
        "The service itself may refuse a request with 5xx or another status; the function does not run.";
    FUNCTION_ERROR = "INV-T6", Documented, "AWS Lambda developer guide, invocation-sync",
        "A failure of the function is answered with status 200 and a mark; SDKs do not try it again.";
    SYNC_PAYLOAD = "INV-Y2", Documented, "AWS Lambda developer guide, gettingstarted-limits",
        "A synchronous request may have 6 MB; a larger one is refused with 413.";
    CLIENT_LEAVES = "INV-Y3", Observed, MEASURED,
        "A client that stops waiting does not stop the run.";
    CLIENT_RETRIES = "INV-N4", Documented, SDKS,
        "Of a synchronous call the client alone decides: is this failure tried again, are attempts left, can its budget pay? Then it waits and sends again.";
    RETRY_QUOTA = "INV-N3", Documented, SDKS,
        "A client's retries are paid from a quota of tokens, which successes fill again.";
    CATCHERS = "INV-SF1", Documented, STATES_ERRORS,
        "An error is tried again only where `Retry` says so, and handled only where `Catch` does; else it fails the execution.";
    RETRIERS = "INV-SF3", Documented, STATES_ERRORS,
        "The first retrier that means the error decides. It waits `interval`, each time longer by `backoff_rate`, and counts its own retries while the state lasts.";
    TRANSITIONS = "INV-SF4", Documented, STATES_ERRORS,
        "Each state that is entered is a state transition, and so is each retry; standard machines pay for them.";
    ERROR_NAMES = "INV-SF7", Documented, STATES_ERRORS,
        "A throttle, a failure of Lambda and a function's time-out have names of their own in an execution.";
    TASK_TIMEOUT = "INV-SF8", Documented, STATES_ERRORS,
        "A task or an execution that takes longer than its time-out ends with `States.Timeout`; the function goes on.";
    MAPS = "INV-SF9", Documented, "AWS Step Functions developer guide, state-map",
        "An inline map runs 40 items at once at most, a distributed one 10,000, each in an execution of its own.";
    BRANCHES = "INV-SF10", Documented, "AWS Step Functions developer guide, state-parallel",
        "When a branch fails, the state fails and its other branches are stopped.";
    TRANSITION_LIMIT = "INV-SF11", Documented, "AWS Step Functions developer guide, service-quotas",
        "A standard machine makes a limited number of state transitions a second; those beyond wait.";
    MESSAGE_DELAY = "ESM-1.1.8", Documented, "Amazon SQS developer guide, sqs-delay-queues",
        "A new message is hidden for the delay of its queue, or for its own.";
    RETENTION = "ESM-1.1.9", Documented, QUEUE_QUOTAS,
        "A queue keeps a message for its retention, 4 days by default, and then drops it without a word.";
    MESSAGE_SIZE = "ESM-1.1.10", Documented, "Amazon SQS developer guide, quotas-messages",
        "A message may have 1 MiB, or the maximum message size of its queue, and so may all messages of one call; what is larger is refused.";
    BATCH_COMPLETE = "ESM-1.3.1", Documented, MAPPINGS,
        "A batch is invoked when it is full, when its window is over, or when one more record would pass 6 MB.";
    NO_WINDOW = "ESM-1.3.4", Assumption, NONE,
        "Without a batching window a batch is what one receive gave: up to ten messages.";
    LOW_TRAFFIC = "ESM-1.3.5", Documented, SQS_SOURCE,
        "At low traffic Lambda may wait up to 20 s for a batch, although its window is shorter.";
    VISIBILITY_CLOCK = "ESM-1.3.9", Documented, VISIBILITY,
        "A received message is hidden for the visibility time-out, which runs from the receive: time in a batch counts.";
    BATCH_SUCCEEDED = "ESM-1.4.1", Documented, SQS_SOURCE,
        "When the run of a batch succeeds, Lambda deletes all its messages.";
    BATCH_FAILED = "ESM-1.4.2", Documented, SQS_ERRORS,
        "When the run of a batch fails, nothing is deleted: its messages are visible again when their visibility time-out ends, not before.";
    RUN_GOES_ON = "ESM-1.4.4", Documented, VISIBILITY,
        "When the visibility time-out ends during a run, the message is received again, and the run goes on beside the next.";
    PARTIAL_FAILURE = "ESM-1.4.6", Documented, SQS_ERRORS,
        "With ReportBatchItemFailures only the messages that the function names stay; the others are deleted.";
    ALL_FAILED = "ESM-1.4.8", Documented, SQS_ERRORS,
        "An answer that cannot be read, or that names an unknown message, fails the whole batch.";
    REDRIVE = "ESM-1.5.1", Documented, DEAD_LETTER_QUEUES,
        "The receive that would be one more than maxReceiveCount moves the message to the dead-letter queue instead.";
    REDRIVE_TASK = "ESM-1.5.10", Documented, "Amazon SQS developer guide, sqs-configure-dead-letter-queue-redrive",
        "A redrive task moves messages to another queue, at most 500 a second; each is a new message there.";
    THROTTLED_BATCH = "ESM-1.6.2", Documented, SQS_ERRORS,
        "Lambda tries a throttled batch again until its visibility time-out, then drops its copy. The receive counts all the same.";
    NEVER_RAN = "ESM-1.7.3", Observed, "experiments of Zac Charles (sqs-overpull-reproduction) and an AWS sample",
        "Pollers receive before they ask for concurrency. Throttled batches use up receives, and a message can reach the dead-letter queue without a run.";
    FIFO_BATCH = "ESM-1.10.5", Conflict, "AWS Lambda developer guide, services-sqs-scaling",
        "A batch of a FIFO queue may hold several message groups, each in order; an older text says one group.";
    DEDUPLICATION = "ESM-1.10.9", Documented, "Amazon SQS developer guide, FIFO-queues-understanding-logic",
        "A FIFO queue accepts a message with a deduplication id of the last 5 minutes, and drops it.";
    FIFO_RATE = "ESM-1.10.12", Documented, "Amazon SQS developer guide, quotas-fifo",
        "A FIFO queue takes a limited number of calls a second.";
    NOISY_GROUP = "ESM-1.11.4", Documented, "Amazon SQS developer guide, sqs-fair-queues",
        "In a fair queue messages of quiet groups are received first. A group with more than 10 % of what is in flight, and 30 messages, is noisy.";
    FILTER = "ESM-1.12.1", Documented, "AWS Lambda developer guide, invocation-eventfiltering",
        "Lambda deletes a message that does not match the filter; it reaches neither the function nor a dead-letter queue.";
    WRITE_LIMIT = "ESM-2.1.1", Documented, STREAM_QUOTAS,
        "A shard takes 1,000 records and 1 MiB a second; what is more is refused, and the producer may try again.";
    RECORD_SIZE = "ESM-2.1.5", Documented, "Amazon Kinesis Data Streams developer guide, large-records",
        "A record may have 1 MiB, or what the stream is set to; a larger one is refused.";
    STREAM_RETENTION = "ESM-2.1.6", Documented, "Amazon Kinesis Data Streams API reference, IncreaseStreamRetentionPeriod",
        "A stream keeps a record for its retention, and then drops it without a word.";
    SHARD_OF_KEY = "ESM-2.1.7", Documented, "Amazon Kinesis Data Streams API reference, PutRecord",
        "The MD5 of its partition key decides which shard a record goes to; records of one key stay in order.";
    POLL_RATE = "ESM-2.2.1", Documented, KINESIS,
        "Each shard is read once a second while it is idle, and at once while there is more.";
    ONE_BATCH = "ESM-2.2.4", Documented, KINESIS,
        "A shard has as many batches in work as its parallelization factor, which is 1 by default; the next batch waits.";
    SHARD_BLOCKED = "ESM-2.3.1", Documented, KINESIS,
        "A batch that fails is tried again until it succeeds or its records are given up; nothing of its shard passes it.";
    STREAM_RETRIES = "ESM-2.3.2", Documented, "AWS Lambda API reference, EventSourceMappingConfiguration",
        "After its first run a batch is tried again `maximum_retry_attempts` times, without limit by default.";
    RETRIES_OF_ERRORS = "ESM-2.3.3", Documented, KINESIS,
        "Only function errors use retries; after a throttle or a failure of the service the batch is tried again until its records are too old.";
    RECORD_AGE = "ESM-2.3.5", Documented, "AWS Lambda API reference, EventSourceMappingConfiguration",
        "A record that is older than `maximum_record_age` when it is to be sent is discarded, even before its first run.";
    BISECT = "ESM-2.3.6", Documented, KINESIS,
        "A batch that fails is split in two, and each half is tried by itself, the first half first. A split uses no retry.";
    STREAM_PARTIAL_FAILURE = "ESM-2.3.8", Documented, STREAM_REPORTS,
        "The lowest record that the function names is the checkpoint: what is before it is done, and all from it on is tried again.";
    STREAM_FAILED = "ESM-2.3.11", Documented, STREAM_REPORTS,
        "An exception, or an answer that cannot be read, fails the whole batch.";
    DISCARD = "ESM-2.3.12", Documented, DISCARDED,
        "Records whose retries are used up, or that are too old, go to the on-failure destination if there is one, and are dropped if not.";
    DISCARD_METADATA = "ESM-2.3.14", Documented, DISCARDED,
        "The on-failure destination gets metadata that say where the records are in the stream, and not the records; only S3 gets those too.";
    DISCARD_LOST = "ESM-2.3.18", Documented, METRICS,
        "Records that the on-failure destination does not take are dropped.";
    RECORDS_OF_WINDOW = "ESM-2.4.2", Documented, STREAM_WINDOWS,
        "A record belongs to the tumbling window that it arrived in, and windows do not overlap.";
    LAST_RUN_OF_WINDOW = "ESM-2.4.4", Documented, STREAM_WINDOWS,
        "After the end of a tumbling window the function runs once more with the state of the window, and a new one begins.";
    WINDOW_GRACE = "ESM-2.4.5", Documented, STREAM_WINDOWS,
        "Without later records Lambda waits up to 2 min after its end until it closes a window.";
    WINDOW_OF_SHARD = "ESM-2.4.6", Documented, STREAM_WINDOWS,
        "The end of a shard ends its window; the shards after it begin without a state.";
    ITERATOR_AGE = "ESM-2.5.1", Conflict, METRICS,
        "The age of the last record of a batch when it is sent is its iterator age; an older text says when the batch is finished.";
    NO_STREAM_WINDOW = "ESM-2.6.2", Assumption, NONE,
        "Without a batching window a batch is what is there when nothing else is in work.";
    STREAM_SUCCEEDED = "ESM-2.6.6", Assumption, NONE,
        "After a success the checkpoint moves on, and the next batch is taken.";
    POLL_RATE_OF_TABLE = "ESM-3.1", Documented, "AWS Lambda developer guide, with-ddb",
        "Each shard of a table's stream is read four times a second.";
    ITEM_ORDER = "ESM-3.8", Documented, "Amazon DynamoDB developer guide, Streams",
        "The changes of one item are in one shard, in order.";
    OFFSETS_COMMITTED = "ESM-4.1.8", Documented, KAFKA_GUIDE,
        "Offsets are committed when a batch succeeds; those of records that were filtered out with it.";
    KAFKA_FAILED = "ESM-4.1.9", Documented, KAFKA_GUIDE,
        "A batch that fails is tried again as a whole until it succeeds or its records are given up.";
    KAFKA_RETRIES = "ESM-4.2.8", Documented, KAFKA_RETRY,
        "In the provisioned mode the number of retries, the age, splits and reports of failed records can be set.";
    KAFKA_PARTIAL_FAILURE = "ESM-4.2.9", Documented, KAFKA_RETRY,
        "The function names records by partition and offset; what is before the first of them is done.";
    KAFKA_DESTINATION = "ESM-4.2.10", Documented, KAFKA_TOPIC,
        "A topic as on-failure destination gets the records themselves.";
    KAFKA_TEN_RETRIES = "ESM-4.2.11", Documented, KAFKA_TOPIC,
        "With an on-failure destination and no limit of retries there are ten of them.";
    BROKER_ERRORS = "ESM-5.5", Documented, BROKERS,
        "A batch of a broker's messages that fails is tried again until it succeeds or they expire, and its consumer does nothing else.";
    BROKER_DEAD_LETTERS = "ESM-5.6", Assumption, NONE,
        "Dead letters are the broker's business: a message goes to its dead-letter queue after `maximum_redeliveries`.";
    BROKER_ACKNOWLEDGED = "ESM-5.7", Documented, FILTERING,
        "A broker's message is acknowledged after a success, or when the filter takes it out.";
    DOCUMENTS_IN_ORDER = "ESM-5.11", Documented, DOCUMENTS,
        "Of a change stream one batch is in work at a time, strictly in order; one that fails is tried again.";
    DOCUMENT_TOO_LARGE = "ESM-5.13", Documented, DOCUMENTS,
        "A change event that is larger than 6 MB is dropped, and counted.";
    STREAM_FILTER = "ESM-6.4.7", Documented, FILTERING,
        "What does not match the filter is passed over: it reaches no function, and stays in the stream for others.";
    STREAM_RETRY_WAIT = "ESM-K1", Assumption, NONE,
        "After a failed run a batch waits 0.25 s, 0.5 s, 1 s and so on, at most 60 s, as `retry` says, until one succeeds.";
    STREAM_THROTTLE_WAIT = "ESM-K2", Assumption, NONE,
        "After a throttle a batch of a stream waits as after a failed run, by a count of its own, as `throttle_retry` says.";
    RECORD_TOO_LARGE = "ESM-K6", Assumption, NONE,
        "A single record that no event can hold counts as a failed run.";
    EXPIRED_IN_BATCH = "ESM-K18", Assumption, NONE,
        "Records whose retention ends while their batch is tried again are passed over at the next try.";
    KAFKA_RETRY_WAIT = "ESM-F5", Assumption, NONE,
        "A Kafka batch waits between its tries as one of a stream does.";
    BROKER_RETRY_WAIT = "ESM-M1", Assumption, NONE,
        "A broker delivers again after waits as those of a stream, without limit if it has none of its own.";
    SERVICE_RETRIES = "INV-4.4", Documented, "AWS Lambda developer guide, lambda-services",
        "A service that calls a function for its own sake is Lambda's client: what it tries again, and how long it waits, is its own affair.";
    GATEWAY_BUCKET = "INV-A2", Documented, GATEWAY_LIMITS,
        "All APIs of an account share a bucket of 5,000 requests, which fills by 10,000 a second; a request that finds it empty gets 429.";
    REST_TIMEOUT = "INV-A4", Documented, GATEWAY_LIMITS,
        "A REST API waits 29 s for a function, and then answers 504; the function runs on.";
    HTTP_TIMEOUT = "INV-A5", Documented, GATEWAY_LIMITS,
        "An HTTP API waits 30 s for a function, and then answers 503; the function runs on.";
    HTTP_STATUS = "INV-D27", Observed, MEASURED,
        "The status of an HTTP API that has waited too long is 503.";
    WEBSOCKET_TIMEOUT = "INV-A6", Documented, GATEWAY_LIMITS,
        "A WebSocket API waits 29 s for a function and takes messages of 128 KB.";
    GATEWAY_REFUSAL = "INV-A7", Documented, GATEWAY_ERRORS,
        "Where Lambda refuses a call, also for too many, API Gateway answers 500.";
    GATEWAY_ERROR = "INV-A8", Documented, GATEWAY_ERRORS,
        "Where the function fails, times out or says what cannot be read, API Gateway answers 502.";
    UNMAPPED_ERROR = "INV-A9", Documented, "API Gateway developer guide, handle-errors-in-lambda-integration",
        "A custom integration answers 200 for an error that it has no mapping for.";
    GATEWAY_PAYLOAD = "INV-A11", Documented, GATEWAY_LIMITS,
        "API Gateway takes 10 MB and Lambda 6 MB; a larger request gets 413.";
    BALANCER_TIMEOUT = "INV-B1", Documented, BALANCER,
        "A load balancer waits for the function, at most for its idle time-out of 60 s; the function runs on.";
    BALANCER_IDLE = "INV-D28", Assumption, NONE,
        "A load balancer's idle time-out ends a connection that waits for a function: 504.";
    BALANCER_ERROR = "INV-B2", Documented, "Elastic Load Balancing user guide, load-balancer-troubleshooting",
        "Where the function fails, times out, is throttled or answers more than 1 MB, a load balancer answers 502.";
    BALANCER_PAYLOAD = "INV-B4", Documented, BALANCER,
        "A load balancer takes requests of 1 MB; a larger one gets 413.";
    URL_THROTTLE = "INV-F1", Documented, "AWS Lambda developer guide, urls-configuration",
        "A function URL answers 429 where Lambda throttles: the client sees it.";
    URL_ERROR = "INV-F2", Observed, MEASURED,
        "A function URL answers 502 where the function fails or times out.";
    URL_CUT = "INV-D26", Assumption, NONE,
        "Where the function's own time-out cuts it, a function URL answers 502, or `timeout_status`.";
    COGNITO = "INV-4.4.1", Documented, "Amazon Cognito developer guide, working with AWS Lambda triggers",
        "Cognito waits 5 s for an answer and calls again; three attempts without one end the user's operation.";
    COGNITO_AGAIN = "INV-D29", Assumption, NONE,
        "For Cognito throttles and failures of Lambda are attempts too; it does not pause, and tries no error of the function again.";
    LEX = "INV-4.4.2", Documented, "AWS Lambda developer guide, lambda-services",
        "Lex waits 30 s for its function, once.";
    ALEXA = "INV-4.4.3", Documented, "Alexa developer documentation",
        "Alexa waits 8 s for its function, once.";
    EDGE = "INV-4.4.5", Documented, "Amazon CloudFront developer guide, cloudfront-limits",
        "Lambda@Edge runs 1,000 at once and takes 10,000 requests a second in each Region, 5 s for a viewer's request and 30 s for one to the origin: 503 beyond that, 500 for an exception, 502 for an answer that is not valid.";
    FIREHOSE = "INV-4.4.6", Documented, "Amazon Data Firehose developer guide, data-transformation",
        "Firehose invokes its function for a buffer of records, for at most 5 min, and tries time-outs and throttles again three times; then it skips the records, which go to the prefix `processing-failed`.";
    FIREHOSE_AGAIN = "INV-D30", Assumption, NONE,
        "Firehose waits a second between its attempts, and tries no error of the function again.";
    SCHEDULE_RETRIES = "INV-6.6", Documented, "AWS Lambda developer guide, with-eventbridge-scheduler",
        "A schedule calls within its flexible window, and tries again up to 185 times within 24 hours; then its dead-letter queue gets the event, or it is lost.";
    NOTIFICATION_DELAY = "INV-6.7", Documented, "AWS Lambda developer guide, with-s3",
        "A bucket notifies at least once, usually within seconds.";
    LOG_RETRIES = "INV-6.8", Documented, "Amazon CloudWatch Logs user guide, metrics",
        "A subscription of CloudWatch Logs tries throttles and failures of the service again for 24 hours.";
    ERROR_ACTION = "INV-6.9", Documented, "AWS IoT Core developer guide, rule-error-handling",
        "A rule of IoT tries nothing again: what Lambda refuses goes to its error action, or is lost.";
    RECEIPT_RULE = "INV-6.10", Documented, "AWS Lambda developer guide, lambda-services",
        "A receipt rule of SES that waits for the answer waits 30 s, once.";
    CALLBACK = "INV-6.11", Documented, "AWS Lambda developer guide, services-cloudformation",
        "CloudFormation hands its request over as an event, and waits up to 1 h until the function calls back.";
    HANDED_OVER = "INV-6.12", Assumption, NONE,
        "SES, CloudFormation, CodeCommit and AWS Config hand over an event once; what Lambda refuses is lost, and fails a stack.";
    SDK_EVENTS = "INV-6.14", Documented, SDKS,
        "A client that sends events tries again as its SDK does, until Lambda accepts.";
    TOPIC_RETRIES = "INV-6.1", Documented, "Amazon SNS developer guide, sns-message-delivery-retries",
        "A topic tries again at once three times, twice after 1 s, ten times after 1 s to 20 s and 100,000 times after 20 s: for 23 days.";
    TOPIC_CURVE = "INV-D31", Assumption, NONE,
        "A topic's waits from 1 s to 20 s grow evenly, and a throttle is tried again as a failure is.";
    PLACE_REFUSED = "INV-6.2", Documented, "Amazon SNS developer guide, sns-dead-letter-queues",
        "What can never be delivered is not tried again: the dead-letter queue gets it, or it is lost.";
    BUS_RETRIES = "INV-6.3", Documented, "Amazon EventBridge user guide, eb-rule-dlq",
        "A rule tries again up to 185 times within 24 hours, and then its dead-letter queue gets the event, or it is lost.";
    BUS_CURVE = "INV-D32", Assumption, NONE,
        "A rule waits 1 s, 2 s, 4 s and so on, at most 480 s.";
    BUCKET_RETRIES = "INV-D33", Assumption, NONE,
        "A bucket tries a notification again after 1 s, 2 s, 4 s and so on, at most 300 s, for 24 hours.";
    BATCH_INVOKED = "ESM-6.2.1", Documented, MAPPINGS,
        "A mapping invokes once for each batch and waits for the result; the internal queue of asynchronous invocation is not used.";
    THROTTLED_BATCH_WAITS = "ESM-S7", Assumption, NONE,
        "A throttled batch is held and asked for again after 1 s, 2 s, 4 s and so on, at most 20 s, as `throttle_retry` says.";
    STALE_DELETE = "ESM-S17", Assumption, NONE,
        "A delete after the visibility time-out works if nobody has received the message again; if somebody has, `stale_delete` decides.";
    EXPIRED_IN_FLIGHT = "ESM-S18", Assumption, NONE,
        "Retention also ends while a message is in flight; a run that has it goes on, and its delete does nothing.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_sentences_and_ids_are_unique() {
        for (place, rule) in ALL.iter().enumerate() {
            assert!(rule.text.ends_with(['.', '?']), "{rule:?}");
            assert!(!rule.source.is_empty(), "{rule:?}");
            assert!(["INV-", "ESM-"].iter().any(|sheet| rule.id.starts_with(sheet)), "{rule:?}");
            assert!(ALL[..place].iter().all(|other| other.id != rule.id), "{} is there twice", rule.id);
        }
    }
}
