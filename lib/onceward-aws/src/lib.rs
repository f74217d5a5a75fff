//! Onceward on AWS: the ledger in DynamoDB, queues in SQS, the bus in EventBridge, and [`run`] for Lambda.
//!
//! Clients take region, credentials and endpoint from the SDK's standard environment variables, so the same binary
//! runs on AWS and on a local cloud.

mod clients;
mod dynamodb;
mod environment;
mod eventbridge;
mod panic_strategy;
mod refusal;
mod runtime;
#[cfg(test)]
mod scripted;
mod settings;
mod sns;
mod sqs;

pub use clients::http_client;
pub use dynamodb::DynamoDbLedger;
pub use environment::{SystemClock, SystemRandomness};
pub use eventbridge::EventBridgePublisher;
pub use runtime::{Aws, Handler, InvocationError, Payload, RunError, Runnable, run, run_layered, run_with};
pub use sns::{SnsError, SnsTopic};
pub use sqs::SqsQueues;
