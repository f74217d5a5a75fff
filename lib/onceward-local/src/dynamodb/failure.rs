//! What a failed action answers.

use std::fmt;
use std::path::PathBuf;

use dynoxide::DynoxideError;
use serde_json::json;

/// The database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// `SQLite` refused the database.
    #[error(
        "the local DynamoDB could not open its database {}: {source}",
        file.as_ref().map_or_else(|| "in memory".into(), |file| file.display().to_string())
    )]
    Open {
        /// Its file; none for one in memory.
        file: Option<PathBuf>,
        /// What it said.
        source: DynoxideError,
    },
}

/// An action's error as `DynamoDB` puts it on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct DynamoDbFailure {
    /// HTTP status: 400, or 500 for a failure of the local cloud itself.
    pub status: u16,
    /// `{"__type": …, "message": …}`
    pub body: String,
}

impl DynamoDbFailure {
    pub(super) fn internal(cause: &impl fmt::Display) -> Self {
        DynoxideError::InternalServerError(cause.to_string()).into()
    }

    pub(super) fn unknown_action(action: &str) -> Self {
        let body = json!({
            "__type": "com.amazon.coral.service#UnknownOperationException",
            "message": format!("the local DynamoDB does not have the action {action}"),
        });
        Self { status: 400, body: body.to_string() }
    }

    /// The error's code: `ConditionalCheckFailedException`, …
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let name = body["__type"].as_str().unwrap_or_default();
        name.rsplit('#').next().unwrap_or_default().to_owned()
    }

    /// What the error says to people; the body as it is, if it says nothing.
    fn message(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let message = body["message"].as_str().or(body["Message"].as_str());
        message.unwrap_or(&self.body).to_owned()
    }
}

impl From<DynoxideError> for DynamoDbFailure {
    fn from(error: DynoxideError) -> Self {
        Self { status: error.status_code(), body: error.to_json() }
    }
}
