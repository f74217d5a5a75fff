//! The streams of the other cloud's tables as event sources.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::sleep;

use super::{Remote, retry_delay};
use crate::lambda::{SourceError, StreamSource};

/// Both services are signed for as one.
const SERVICE: &str = "dynamodb";

/// The tables of the other cloud.
#[derive(Debug, Clone)]
pub(crate) struct RemoteStream {
    remote: Remote,
    /// Whose stream it is, for people.
    about: String,
}

impl RemoteStream {
    /// The stream of `table`.
    pub(crate) fn new(remote: Remote, table: &str) -> Self {
        Self { remote, about: format!("the stream of table {table}") }
    }
}

#[async_trait]
impl StreamSource for RemoteStream {
    /// Asks until there is an answer, unless the request is at fault.
    async fn call(&self, action: &'static str, request: Value) -> Result<Value, SourceError> {
        let target = if action == "DescribeTable" { "DynamoDB_20120810" } else { "DynamoDBStreams_20120810" };
        let mut failures = 0;
        loop {
            match self.remote.client().json(SERVICE, (target, action), &request, Duration::ZERO).await {
                Ok(answer) => {
                    self.remote.troubles().end(&self.about);
                    return Ok(answer);
                }
                Err(error) if error.is_transient() => {
                    self.remote.troubles().begin(&self.about, &error);
                    failures += 1;
                    sleep(retry_delay(failures)).await;
                }
                Err(error) => {
                    return Err(SourceError { action, code: error.code().to_owned(), message: error.to_string() });
                }
            }
        }
    }
}
