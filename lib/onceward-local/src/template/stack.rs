use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value;

use super::{lines::Lines, parameters::Parameter};
use crate::{
    events::{Archive, Target},
    iam::Permissions,
    lambda::{Cors, EventInvokeConfig, Logging, StartingPosition},
    scheduler::Schedule,
};

/// What the local cloud must create, every name, ARN and URL resolved.
///
/// Lists keep the template's order, except that a dead-letter queue comes before the queues that name it.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// The template's description.
    pub description: Option<String>,
    /// The template's `Metadata`, as written; null if there is none.
    pub metadata: Value,
    /// Parameters by name, with the values in effect.
    pub parameters: BTreeMap<String, Parameter>,
    /// Event buses, without the one named `default` that is always there.
    pub buses: Vec<Bus>,
    /// Rules with their targets.
    pub rules: Vec<Rule>,
    /// Archives of buses.
    pub archives: Vec<Archive>,
    /// Names of schedule groups, without the one named `default` that is always there.
    pub schedule_groups: Vec<String>,
    /// Schedules.
    pub schedules: Vec<Schedule>,
    /// Queues.
    pub queues: Vec<Queue>,
    /// SNS topics.
    pub topics: Vec<Topic>,
    /// Queues and functions that subscribe to topics.
    pub subscriptions: Vec<Subscription>,
    /// Buckets.
    pub buckets: Vec<Bucket>,
    /// Tables with their streams and expiry.
    pub tables: Vec<Table>,
    /// Functions with what triggers them.
    pub functions: Vec<Function>,
    /// What the HTTP API answers browsers about other origins.
    pub cors: Option<Cors>,
    /// Who may do what.
    pub permissions: Permissions,
    /// Outputs whose condition holds. May hold [`super::HTTP_PLACEHOLDER`].
    pub outputs: BTreeMap<String, String>,
    /// Where all this is written.
    pub lines: Lines,
}

/// An event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in `EventBridge`.
    pub name: String,
}

/// A rule and where it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name on the bus.
    pub name: String,
    /// Name of the bus.
    pub bus: String,
    /// The event pattern; null if there is none.
    pub pattern: Value,
    /// `rate(…)` or `cron(…)`.
    pub schedule: Option<String>,
    /// False for `State: DISABLED`.
    pub enabled: bool,
    /// At least one.
    pub targets: Vec<Target>,
}

/// A queue, as `CreateQueue` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in SQS.
    pub name: String,
    /// Attributes by their AWS names; `RedrivePolicy` is JSON text.
    pub attributes: BTreeMap<String, String>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in SNS.
    pub name: String,
    /// Attributes by their AWS names.
    pub attributes: BTreeMap<String, String>,
}

/// A queue or a function that receives what a topic publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The topic.
    pub topic_arn: String,
    /// `sqs` or `lambda`.
    pub protocol: &'static str,
    /// ARN of the queue or the function.
    pub endpoint: String,
    /// Attributes by their AWS names; policies are JSON text.
    pub attributes: BTreeMap<String, String>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in S3.
    pub name: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in `DynamoDB`.
    pub name: String,
    /// A `CreateTable` request.
    pub definition: Value,
    /// The attribute with the second at which an item expires, if expiry is on.
    pub ttl_attribute: Option<String>,
}

/// A function and what triggers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in Lambda.
    pub name: String,
    /// Absolute path of its package.
    pub code_uri: PathBuf,
    /// How its binary is made.
    pub build: Build,
    /// Cargo's profile that it is built with for Lambda.
    pub profile: String,
    /// `bootstrap`, by convention.
    pub handler: String,
    /// The template's variables. Values may hold [`super::HTTP_PLACEHOLDER`].
    pub environment: BTreeMap<String, String>,
    /// 1 to 900 seconds.
    pub timeout: Duration,
    /// 128 to 10,240.
    pub memory_mb: u32,
    /// `provided.al2023` or `provided.al2`.
    pub runtime: String,
    /// Where its lines go.
    pub logging: Logging,
    /// Most invocations at once, 0 for none at all.
    pub reserved_concurrency: Option<usize>,
    /// How asynchronous invocations end.
    pub asynchronous: EventInvokeConfig,
    /// The queue or topic for events that all attempts failed.
    pub dead_letter_arn: Option<String>,
    /// What invokes it.
    pub triggers: Vec<Trigger>,
}

/// How a function's binary is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// `BuildMethod: rust-cargolambda`: a binary of the package at `code_uri`.
    CargoLambda {
        /// The binary target's name.
        binary: String,
    },
    /// `code_uri` is a folder that holds a ready `bootstrap`, or a `.zip` of one.
    Bootstrap,
}

/// What invokes a function.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// Messages of a queue.
    Sqs {
        /// Where it is written, as in [`Lines`].
        place: String,
        /// The queue.
        queue_arn: String,
        /// Messages in one invocation at most: 1 to 10,000, 10 for a FIFO queue.
        batch_size: usize,
        /// How long to gather a batch: 0 to 300 seconds.
        batching_window: Duration,
        /// Invocations at a time, 2 to 1,000.
        maximum_concurrency: Option<usize>,
        /// Whether the function says which messages failed.
        report_batch_item_failures: bool,
        /// Patterns of which a message must match one; none means every message.
        filters: Vec<Value>,
    },
    /// Records of a table's stream.
    Stream {
        /// Where it is written, as in [`Lines`].
        place: String,
        /// The table's name.
        table: String,
        /// `{table's ARN}/stream/latest`.
        stream_arn: String,
        /// Where a new mapping begins.
        starting_position: StartingPosition,
        /// Records in one invocation at most: 1 to 10,000.
        batch_size: usize,
        /// How long to gather a batch: 0 to 300 seconds.
        batching_window: Duration,
        /// Whether the function says from which record on to try again.
        report_batch_item_failures: bool,
        /// Whether a failed batch is halved.
        bisect: bool,
        /// `None` for as often as it takes.
        maximum_retry_attempts: Option<u32>,
        /// How old a record may be: 60 seconds to 7 days; `None` for as old as the stream keeps it.
        maximum_record_age: Option<Duration>,
        /// Batches of one shard at a time: 1 to 10.
        parallelization_factor: usize,
        /// The length of the windows that a function aggregates: up to 900 seconds.
        tumbling_window: Option<Duration>,
        /// Patterns of which a record must match one; none means every record.
        filters: Vec<Value>,
        /// The queue or topic that is told where the mapping gave up.
        on_failure_arn: Option<String>,
    },
    /// What a topic publishes.
    Topic(Subscription),
    /// Requests to the HTTP API.
    Http {
        /// Upper case, or `ANY`.
        method: String,
        /// Such as `/orders/{id}`.
        path: String,
    },
}
