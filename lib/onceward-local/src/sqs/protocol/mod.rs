//! Both wire protocols of SQS. A query request is turned into the JSON one, and its answer into XML, so that each
//! action is written once.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>

mod actions;
mod batch;
mod input;
mod query;
#[cfg(test)]
mod tests;
mod xml;

use super::error::SqsError;
use super::service::Sqs;
use crate::wire::{AwsRequest, AwsResponse, Protocol};
use bytes::Bytes;
use input::Input;
use serde_json::{Value, json};
use uuid::Uuid;

/// Where the query protocol says what JSON says by the error's type.
const WSDL_QUEUE_MISSING: &str = "The specified queue does not exist for this wsdl version.";

impl Sqs {
    /// Answers one request of either protocol. `ReceiveMessage` may take as long as its `WaitTimeSeconds`.
    pub async fn handle(&self, request: AwsRequest) -> AwsResponse {
        let outcome = match read(&request) {
            Ok(input) => self.act(&request.action, input).await,
            Err(error) => Err(error),
        };
        let request_id = Uuid::new_v4().to_string();
        let (status, content_type, body, error_header) = match (request.protocol, outcome) {
            (Protocol::Json { content_type }, Ok(answer)) => (200, content_type, json_body(&answer), None),
            (Protocol::Json { content_type }, Err(error)) => {
                let body = json!({ "__type": error.shape(), "message": error.to_string() }).to_string();
                (400, content_type, body, Some(format!("{};Sender", error.query_code())))
            }
            (Protocol::Query, Ok(answer)) => {
                (200, "text/xml", xml::answer(&request.action, &answer, &request_id), None)
            }
            (Protocol::Query, Err(error)) => {
                let message = match &error {
                    SqsError::QueueDoesNotExist { .. } => WSDL_QUEUE_MISSING.to_owned(),
                    error => error.to_string(),
                };
                (error.query_status(), "text/xml", xml::error(error.query_code(), &message, &request_id), None)
            }
        };
        let mut headers = vec![("x-amzn-requestid", request_id)];
        headers.extend(error_header.map(|code| ("x-amzn-query-error", code)));
        AwsResponse { status, content_type, headers, body: Bytes::from(body) }
    }
}

/// An action without a result answers the empty object, which every client takes.
fn json_body(answer: &Value) -> String {
    if answer.is_null() { "{}".to_owned() } else { answer.to_string() }
}

fn read(request: &AwsRequest) -> Result<Input, SqsError> {
    let unreadable = |error: serde_json::Error| SqsError::Serialization { reason: error.to_string() };
    let mut input: Input = match request.protocol {
        Protocol::Json { .. } if request.body.is_empty() => Input::default(),
        Protocol::Json { .. } => serde_json::from_slice(&request.body).map_err(unreadable)?,
        Protocol::Query => {
            serde_json::from_value(Value::Object(query::parameters(&request.body)?)).map_err(unreadable)?
        }
    };
    if input.queue_url.is_none() && request.path.trim_matches('/').contains('/') {
        // Older clients post to the queue's URL and name it nowhere else.
        input.queue_url = Some(request.path.clone());
    }
    Ok(input)
}
