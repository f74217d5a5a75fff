//! What is told of records that a mapping gives up.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Reading, source::Record};
use crate::{destination::DeliveryError, sqs::Outgoing};

/// Why records are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

/// What the last invocation answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) request_id: String,
    /// `Unhandled`; none if the function only reported failures.
    pub(super) function_error: Option<String>,
}

/// The document for an on-failure destination: where the records are, not what they say.
pub(super) fn document(
    reading: &Reading,
    condition: Condition,
    records: &[Record],
    invocations: u32,
    response: Option<&Response>,
    now: DateTime<Utc>,
) -> Value {
    let condition = match condition {
        Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
        Condition::RecordAgeExceeded => "RecordAgeExceeded",
    };
    let request_id = response.map_or_else(|| Uuid::new_v4().to_string(), |response| response.request_id.clone());
    let sequence_number = |record: Option<&Record>| record.map(|record| record.sequence_number().to_owned());
    let arrival =
        |record: Option<&Record>| record.map(|record| record.written.to_rfc3339_opts(SecondsFormat::Secs, true));
    let mut document = json!({
        "requestContext": {
            "requestId": request_id,
            "functionArn": reading.pool.function_arn(),
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "version": "1.0",
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "DDBStreamBatchInfo": {
            "shardId": reading.shard_id,
            "startSequenceNumber": sequence_number(records.first()),
            "endSequenceNumber": sequence_number(records.last()),
            "approximateArrivalOfFirstRecord": arrival(records.first()),
            "approximateArrivalOfLastRecord": arrival(records.last()),
            "batchSize": records.len(),
            "streamArn": reading.stream_arn,
        },
    });
    if let Some(response) = response {
        document["responseContext"] =
            json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": response.function_error });
    }
    document
}

impl Reading {
    /// Says that `records` are given up: in the log, and to the mapping's destination.
    pub(super) fn discard(
        &self,
        condition: Condition,
        records: &[Record],
        invocations: u32,
        response: Option<&Response>,
        reason: &str,
    ) {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return };
        let destination = match &self.mapping.on_failure_arn {
            Some(arn) => format!("told {arn}"),
            None => "with no on-failure destination".to_owned(),
        };
        let count = records.len();
        let (first, last) = (first.sequence_number(), last.sequence_number());
        self.report(
            "ERROR",
            &format!(
                "SKIPPED after {invocations} attempts, {destination}: {count} records, {first} to {last}: {reason}"
            ),
        );
        let Some(arn) = &self.mapping.on_failure_arn else { return };
        let body = document(self, condition, records, invocations, response, Utc::now()).to_string();
        match self.destinations.deliver_for(&self.pool.spec.name, arn, Outgoing { body, ..Outgoing::default() }) {
            Ok(()) | Err(DeliveryError::NotRunning) => {}
            Err(error) => self.report("ERROR", &format!("could not send to {arn}: {error}")),
        }
    }
}
