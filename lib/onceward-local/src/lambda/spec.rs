//! What the cloud is told about a function, and what calls it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bytes::Bytes;
use serde_json::Value;

use crate::remote::Credentials;

/// A function on the custom runtime (`provided.al2023`): an executable that speaks the Runtime API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSpec {
    /// The physical name: `reserve-stock`.
    pub name: String,
    /// The executable. It may be built after the function is created: it is looked for when a process starts.
    pub bootstrap: PathBuf,
    /// Where the process runs; also its `LAMBDA_TASK_ROOT`.
    pub working_directory: PathBuf,
    /// The template's variables.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take before its process is killed.
    pub timeout: Duration,
    /// MB. Told to the function, not enforced.
    pub memory_mb: u32,
    /// `provided.al2023` or `provided.al2`.
    pub runtime: String,
    /// Told to the function as `_HANDLER`.
    pub handler: String,
    /// Where its lines go, and how Lambda's own lines among them look.
    pub logging: Logging,
    /// `ReservedConcurrentExecutions`: most invocations at once; 0 refuses all.
    pub reserved_concurrency: Option<usize>,
    /// How asynchronous invocations are tried again, and what is told of their end.
    pub asynchronous: EventInvokeConfig,
    /// `DeadLetterConfig`: the queue or topic for events that all attempts failed.
    pub dead_letter_arn: Option<String>,
    /// What it signs its calls to another cloud with; none for its own of this cloud.
    pub credentials: Option<Credentials>,
}

impl FunctionSpec {
    /// A function with Lambda's defaults: 3 seconds, 128 MB, logs as text in a group of its own.
    pub fn new(name: impl Into<String>, bootstrap: PathBuf, working_directory: PathBuf) -> Self {
        Self {
            name: name.into(),
            bootstrap,
            working_directory,
            environment: BTreeMap::new(),
            timeout: TIMEOUT_DEFAULT,
            memory_mb: MEMORY_DEFAULT_MB,
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
            logging: Logging::default(),
            reserved_concurrency: None,
            asynchronous: EventInvokeConfig::default(),
            dead_letter_arn: None,
            credentials: None,
        }
    }

    /// The group its lines go to.
    pub fn log_group(&self) -> String {
        self.logging.group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", self.name))
    }
}

/// `LoggingConfig`. <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logging {
    /// `LogGroup`; `/aws/lambda/{function}` if not said.
    pub group: Option<String>,
    /// `LogFormat: JSON`: Lambda's own lines are JSON too.
    pub json: bool,
}

/// How asynchronous invocations end. <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventInvokeConfig {
    /// `MaximumRetryAttempts`: 0 to 2.
    pub maximum_retry_attempts: usize,
    /// `MaximumEventAgeInSeconds`: one minute to 6 hours.
    pub maximum_event_age: Duration,
    /// The queue, topic, function or bus that is told of a success.
    pub on_success_arn: Option<String>,
    /// The queue, topic, function or bus that is told when Lambda gives up.
    pub on_failure_arn: Option<String>,
    /// Whether the template says any of it: what it does not say has no configuration to ask for.
    pub configured: bool,
}

/// Most retries of an asynchronous invocation, and the default.
pub const EVENT_RETRY_ATTEMPTS_MAX: usize = 2;
/// Longest that an event is kept, and the default.
pub const EVENT_AGE_MAX: Duration = Duration::from_hours(6);
/// `Timeout`, if the template does not say.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);
/// `MemorySize`, if the template does not say.
const MEMORY_DEFAULT_MB: u32 = 128;

impl Default for EventInvokeConfig {
    fn default() -> Self {
        Self {
            maximum_retry_attempts: EVENT_RETRY_ATTEMPTS_MAX,
            maximum_event_age: EVENT_AGE_MAX,
            on_success_arn: None,
            on_failure_arn: None,
            configured: false,
        }
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What the function answered, or the error as Lambda words it (`{"errorType", "errorMessage"}`).
    pub payload: Bytes,
    /// `Unhandled` if the function failed.
    pub function_error: Option<String>,
}

/// An SQS event source mapping. <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
#[derive(Debug, Clone, PartialEq)]
pub struct SqsMapping {
    /// The function's name.
    pub function: String,
    /// The queue.
    pub queue_arn: String,
    /// Most messages an invocation gets.
    pub batch_size: usize,
    /// How long a batch may be collected once it has its first message.
    pub batching_window: Duration,
    /// Most invocations at once; a default of this crate if not said.
    pub maximum_concurrency: Option<usize>,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`.
    pub report_batch_item_failures: bool,
    /// `FilterCriteria`: each a pattern, as JSON or as a string of JSON. None: every message.
    pub filters: Vec<Value>,
}

/// Where a stream is read from first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartingPosition {
    /// From its oldest record.
    #[default]
    TrimHorizon,
    /// From what is written after the mapping is made.
    Latest,
}

/// A `DynamoDB` Streams event source mapping. <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
#[derive(Debug, Clone, PartialEq)]
pub struct StreamMapping {
    /// The function's name.
    pub function: String,
    /// The table's name.
    pub table: String,
    /// Most records an invocation gets.
    pub batch_size: usize,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`.
    pub report_batch_item_failures: bool,
    /// `FilterCriteria`: each a pattern, as JSON or as a string of JSON. None: every record.
    pub filters: Vec<Value>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `MaximumRetryAttempts`; `None` (AWS: -1): until it works.
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` (AWS: -1): as long as the stream has it.
    pub maximum_record_age: Option<Duration>,
    /// `MaximumBatchingWindowInSeconds`: how long a batch may be collected once it has its first record.
    pub batching_window: Duration,
    /// `ParallelizationFactor`: batches of one shard at a time, 1 to 10.
    pub parallelization_factor: usize,
    /// `TumblingWindowInSeconds`; `None`: no windows, no state.
    pub tumbling_window: Option<Duration>,
    /// The queue or topic that is told of records given up.
    pub on_failure_arn: Option<String>,
    /// Where to begin.
    pub starting_position: StartingPosition,
}

impl StreamMapping {
    /// A mapping with Lambda's defaults: batches of 100, one at a time, tried until they work.
    pub fn new(function: impl Into<String>, table: impl Into<String>, starting_position: StartingPosition) -> Self {
        Self {
            function: function.into(),
            table: table.into(),
            batch_size: STREAM_BATCH_DEFAULT,
            report_batch_item_failures: false,
            filters: Vec::new(),
            bisect: false,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            batching_window: Duration::ZERO,
            parallelization_factor: 1,
            tumbling_window: None,
            on_failure_arn: None,
            starting_position,
        }
    }
}

/// `BatchSize` of a stream's mapping, if it does not say.
const STREAM_BATCH_DEFAULT: usize = 100;

/// A route of an HTTP API. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, …, or `ANY`.
    pub method: String,
    /// `/orders/{id}`, `/files/{path+}`, or `$default` for whatever has no route.
    pub path: String,
    /// The function's name.
    pub function: String,
}
