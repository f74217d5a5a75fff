//! What the cloud is told about a function, and what calls it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bytes::Bytes;
use serde_json::Value;

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
    /// Where to begin.
    pub starting_position: StartingPosition,
}

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
