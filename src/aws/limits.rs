//! Limits of AWS that no scenario key changes, with their source and how they are known.
//!
//! `D` is official documentation (`docs.aws.amazon.com`, read in 2026), `model` is an assumption of ours.

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

/// All messages of one call that sends to a queue, bytes (ESM-1.1.10: 1 MiB).
/// `D` `AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html`.
pub const SQS_CALL_BYTES: u64 = 1_048_576;

/// All records of one call that puts into a Kinesis stream, bytes, keys counted (ESM-2.1.4: 10 MiB).
/// `D` `kinesis/latest/APIReference/API_PutRecords.html`.
pub const PUT_RECORDS_BYTES: u64 = 10_485_760;

/// Largest message of a topic, bytes (INV-O5: 256 KB, taken as 2^18). `D` `lambda/latest/dg/invocation-async-retain-records.html`.
pub const TOPIC_MESSAGE_BYTES: u64 = 262_144;

/// What an invocation record takes beside the event and the response, bytes (`model`).
pub const INVOCATION_RECORD_BYTES: u64 = 512;

/// What an on-failure destination of a mapping is sent for a batch: its metadata, bytes (ESM-2.3, `model`).
pub const DISCARDED_BATCH_BYTES: u64 = 1_024;

/// Runs of a function in one chain of requests before the next is stopped (INV-5.7).
/// `D` `lambda/latest/dg/invocation-recursion.html`, the exact number observed.
pub const RECURSION_RUNS: u8 = 16;

/// HTTP status of the `RecursiveInvocationException` (INV-T5, 5.7). `D` `lambda/latest/api/API_Invoke.html`.
pub const RECURSION_STATUS: u16 = 400;
