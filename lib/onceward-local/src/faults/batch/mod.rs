//! Batches of which a part fails.

mod json;
mod query;
mod s3;

use std::future::Future;

use bytes::Bytes;

use super::chance::Chance;
use super::refusal::{Asked, INJECTED};
use crate::wire::{AwsResponse, Protocol};

/// The operations of which a part may fail.
pub(super) const OPERATIONS: [(&str, &[&str]); 5] = [
    ("dynamodb", &["BatchExecuteStatement", "BatchGetItem", "BatchWriteItem"]),
    ("events", &["PutEvents", "PutTargets", "RemoveTargets"]),
    ("s3", &["DeleteObjects"]),
    ("sns", &["PublishBatch"]),
    ("sqs", &["ChangeMessageVisibilityBatch", "DeleteMessageBatch", "SendMessageBatch"]),
];

/// What became of a batch's request.
enum Split {
    /// These entries failed, the rest is still to be sent.
    Some { rest: Bytes, failed: Failed },
    /// Nothing is left to send.
    All(AwsResponse),
}

/// Puts the entries that failed into the service's answer for the rest; `None` if that cannot be read.
type Failed = Box<dyn FnOnce(&[u8]) -> Option<Bytes> + Send>;

/// Sends the part of the batch in `body` that does not fail, and answers for the part that does.
pub(super) async fn partially<F: Future<Output = AwsResponse>>(
    asked: Asked<'_>,
    chance: Chance,
    body: Bytes,
    serve: impl FnOnce(Bytes) -> F,
) -> AwsResponse {
    let split = match (asked.service, asked.protocol) {
        ("s3", _) => s3::split(asked, chance, &body),
        (_, Protocol::Query) => query::split(asked, chance, &body),
        (_, Protocol::Json { .. }) => json::split(asked, chance, &body),
    };
    match split {
        // No batch that the service would take: it says so better itself.
        None => serve(body).await,
        Some(Split::All(answer)) => answer,
        Some(Split::Some { rest, failed }) => {
            let answer = serve(rest).await;
            match (answer.status == 200).then(|| failed(&answer.body)).flatten() {
                Some(body) => AwsResponse { body, ..answer },
                None => answer,
            }
        }
    }
}
