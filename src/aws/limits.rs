//! Limits of AWS that no scenario key changes, with their source and how they are known.
//!
//! `D` is official documentation (`docs.aws.amazon.com`, read in 2026), `model` is an assumption of ours.

use crate::kernel::quantity::Rate;
use crate::kernel::time::SimDuration;

/// Requests a second for each unit of concurrency (INV-R1, R2, R3). `D` `lambda/latest/dg/lambda-concurrency.html`.
pub const REQUESTS_PER_SECOND_PER_UNIT: u64 = 10;

/// Concurrency that must stay unreserved (INV-C4). `D` `lambda/latest/dg/lambda-concurrency.html`.
pub const UNRESERVED_MINIMUM: u32 = 100;

/// Longest restore of a snapshot (INV-E18). `D` `lambda/latest/dg/snapstart.html`.
pub const SNAPSTART_RESTORE_LIMIT: SimDuration = SimDuration::from_secs(10);

/// Largest request and answer of a synchronous invocation, bytes (INV-Y2: 6 MB).
/// `D` `lambda/latest/dg/gettingstarted-limits.html`; the exact figure is the one that the API's error names.
pub const SYNCHRONOUS_PAYLOAD_BYTES: u64 = 6_291_556;

/// Memory at which a function has one full vCPU, MB (INV-E16). `D` `lambda/latest/dg/gettingstarted-limits.html`.
pub const FULL_CPU_MEMORY_MB: u32 = 1_769;

/// Least limit of an Init phase of provisioned concurrency (INV-P4); the function's time-out where that is longer.
/// `D` `lambda/latest/dg/lambda-runtime-environment.html`.
pub const PROVISIONED_INIT_LIMIT: SimDuration = SimDuration::from_secs(130);

/// Metrics of provisioned concurrency are one minute apart (INV-P8). `D` `lambda/latest/dg/provisioned-concurrency.html`.
pub const METRIC_PERIOD: SimDuration = SimDuration::from_secs(60);

/// The requests-a-second half of the scaling rate: where it starts, and what each second of excess demand adds (INV-S7, `model`).
pub const REQUEST_RATE_START: u64 = 10_000;
/// See [`REQUEST_RATE_START`].
pub const REQUEST_RATE_STEP: u64 = 1_000;

/// Largest event of an asynchronous invocation, bytes (INV-Q2: 1 MB, taken as 2^20).
/// `D` `lambda/latest/dg/gettingstarted-limits.html`.
pub const ASYNCHRONOUS_PAYLOAD_BYTES: u64 = 1_048_576;

/// Requests a second to all APIs of an account (INV-A2). `D` `apigateway/latest/developerguide/limits.html`.
pub const API_GATEWAY_RATE: Rate = Rate::per_second(10_000);

/// Depth of that bucket (INV-A2). `D-old` the same page, 2023.
pub const API_GATEWAY_BURST: u32 = 5_000;

/// Largest message of a WebSocket API, bytes (INV-A6). `D` `apigateway/latest/developerguide/limits.html` of 2023.
pub const WEBSOCKET_MESSAGE_BYTES: u64 = 131_072;

/// Largest request and answer behind an Application Load Balancer, bytes (INV-B4).
/// `D` `elasticloadbalancing/latest/application/lambda-functions.html`.
pub const LOAD_BALANCER_BYTES: u64 = 1_048_576;

/// Lambda@Edge, events of a viewer: longest run and largest answer (INV-4.4).
/// `D` `AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html`.
pub const EDGE_VIEWER_TIMEOUT: SimDuration = SimDuration::from_secs(5);
/// See [`EDGE_VIEWER_TIMEOUT`].
pub const EDGE_VIEWER_BYTES: u64 = 40_960;
/// Lambda@Edge, events of an origin: longest run and largest answer (INV-4.4).
pub const EDGE_ORIGIN_TIMEOUT: SimDuration = SimDuration::from_secs(30);
/// See [`EDGE_ORIGIN_TIMEOUT`].
pub const EDGE_ORIGIN_BYTES: u64 = 1_048_576;

/// Largest record of a delivery stream, bytes (1,000 KiB). `D` `firehose/latest/dev/limits.html`.
pub const FIREHOSE_RECORD_BYTES: u64 = 1_024_000;

/// All messages of one call that sends to a queue, bytes (ESM-1.1.10: 1 MiB).
/// `D` `AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html`.
pub const SQS_CALL_BYTES: u64 = 1_048_576;

/// All records of one call that puts into a Kinesis stream, bytes, keys counted (ESM-2.1.4: 10 MiB).
/// `D` `kinesis/latest/APIReference/API_PutRecords.html`.
pub const PUT_RECORDS_BYTES: u64 = 10_485_760;

/// Largest entry of a call that sends to an event bus, bytes (1 MB since January 2026, 256 KB before; taken as 2^20).
/// `B` AWS Compute blog of 29 January 2026; the page on the size of entries still says 256 KB.
pub const EVENT_BUS_ENTRY_BYTES: u64 = 1_048_576;

/// Largest object that one request puts into a bucket, bytes (5 GB). `D-rec` `AmazonS3/latest/userguide/upload-objects.html`.
pub const OBJECT_BYTES: u64 = 5_000_000_000;

/// What a bucket tells of an object, bytes (`model`).
pub const NOTIFICATION_BYTES: u64 = 1_024;

/// Targets of one rule of an event bus. `D-rec` `eventbridge/latest/userguide/eb-quota.html`.
pub const RULE_TARGETS: usize = 5;

/// What an invocation record takes beside the event and the response, bytes (`model`).
pub const INVOCATION_RECORD_BYTES: u64 = 512;

/// What an on-failure destination of a mapping is sent for a batch: its metadata, bytes (ESM-2.3, `model`).
pub const DISCARDED_BATCH_BYTES: u64 = 1_024;

/// Runs of a function in one chain of requests before the next is stopped (INV-5.7).
/// `D` `lambda/latest/dg/invocation-recursion.html`, the exact number observed.
pub const RECURSION_RUNS: u8 = 16;

/// HTTP status of the `RecursiveInvocationException` (INV-T5, 5.7). `D` `lambda/latest/api/API_Invoke.html`.
pub const RECURSION_STATUS: u16 = 400;

/// Items of an inline map at once, at most (INV-SF9: 40). `D` `step-functions/latest/dg/state-map-inline.html`.
pub const INLINE_MAP_ITEMS: u32 = 40;

/// Items of a distributed map at once, at most (INV-SF9: 10,000). `D` `step-functions/latest/dg/state-map-distributed.html`.
pub const DISTRIBUTED_MAP_ITEMS: u32 = 10_000;

/// Longest execution of an express state machine. `D` `step-functions/latest/dg/choosing-workflow-type.html`.
pub const EXPRESS_TIMEOUT: SimDuration = SimDuration::from_secs(300);
