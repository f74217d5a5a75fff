//! What is told of an event's end.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::{
    lambda::pool::{Finished, Request},
    sqs::{AttributeValue, MessageAttribute, Outgoing},
};

/// How much of an error's text a dead letter carries.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq>
const ERROR_MESSAGE_BYTES_MAX: usize = 1024;
/// A function that ran has answered the Lambda API with 200, also where it failed.
const RAN: u16 = 200;
/// A function that did not run was throttled.
const THROTTLED: u16 = 429;

/// Why an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
}

/// The invocation record for a destination.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations>
pub(super) fn record(
    request: &Request,
    function_arn: &str,
    condition: Condition,
    invocations: usize,
    last: Option<&Finished>,
) -> Value {
    let condition = match condition {
        Condition::Success => "Success",
        Condition::RetriesExhausted => "RetriesExhausted",
        Condition::EventAgeExceeded => "EventAgeExceeded",
    };
    let mut record = json!({
        "version": "1.0",
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "requestContext": {
            "requestId": request.id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "requestPayload": readable(&request.payload),
    });
    if let Some(Finished { invocation, .. }) = last {
        let mut context = json!({ "statusCode": RAN, "executedVersion": "$LATEST" });
        if let Some(error) = &invocation.function_error {
            context["functionError"] = json!(error);
        }
        record["responseContext"] = context;
        record["responsePayload"] = readable(&invocation.payload);
    }
    record
}

/// The event as it came, with what went wrong as attributes.
pub(super) fn dead_letter(request: &Request, last: Option<&Finished>, reason: &str) -> Outgoing {
    let code = if last.is_some() { RAN } else { THROTTLED };
    let message = last.and_then(error_message).unwrap_or_else(|| reason.to_owned());
    let number = MessageAttribute { data_type: "Number".to_owned(), value: AttributeValue::Text(code.to_string()) };
    let attributes = BTreeMap::from([
        ("RequestID".to_owned(), MessageAttribute::string(&request.id)),
        ("ErrorCode".to_owned(), number),
        ("ErrorMessage".to_owned(), MessageAttribute::string(beginning(&message))),
    ]);
    let body = String::from_utf8_lossy(&request.payload).into_owned();
    Outgoing { body, attributes, ..Outgoing::default() }
}

fn error_message(finished: &Finished) -> Option<String> {
    let error: Value = serde_json::from_slice(&finished.invocation.payload).ok()?;
    let message = error["errorMessage"].as_str()?;
    (!message.is_empty()).then(|| message.to_owned())
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(ERROR_MESSAGE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// JSON as itself; what is none as text.
fn readable(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| json!(String::from_utf8_lossy(payload)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::lambda::spec::Invocation;

    fn request() -> Request {
        Request { id: "id".to_owned(), ..Request::new(Bytes::from_static(br#"{"n":1}"#), None) }
    }

    fn finished(payload: &str, error: bool) -> Finished {
        let function_error = error.then(|| "Unhandled".to_owned());
        let invocation = Invocation { payload: Bytes::from(payload.to_owned()), function_error };
        Finished { request_id: "id".to_owned(), invocation, log: Vec::new() }
    }

    #[test]
    fn a_record_has_the_documented_shape() {
        let failed = finished(r#"{"errorMessage":"no"}"#, true);
        let mut told = record(&request(), "arn", Condition::RetriesExhausted, 3, Some(&failed));
        let timestamp = told.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(timestamp.as_str().unwrap()).is_ok());
        let expected = json!({
            "version": "1.0",
            "requestContext": {
                "requestId": "id", "functionArn": "arn", "condition": "RetriesExhausted", "approximateInvokeCount": 3,
            },
            "requestPayload": { "n": 1 },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": { "errorMessage": "no" },
        });
        assert_eq!(told, expected);
        let succeeded = record(&request(), "arn", Condition::Success, 1, Some(&finished("\"done\"", false)));
        assert_eq!(succeeded["responseContext"], json!({ "statusCode": 200, "executedVersion": "$LATEST" }));
        let never_ran = record(&request(), "arn", Condition::EventAgeExceeded, 0, None);
        assert_eq!(never_ran["responseContext"], Value::Null);
    }

    #[test]
    fn a_dead_letter_is_the_event_with_what_went_wrong_in_attributes() {
        let long = "é".repeat(600);
        let failed = finished(&json!({ "errorMessage": long }).to_string(), true);
        let letter = dead_letter(&request(), Some(&failed), "");
        assert_eq!(letter.body, r#"{"n":1}"#);
        assert_eq!(letter.attributes["RequestID"], MessageAttribute::string("id"));
        assert_eq!(letter.attributes["ErrorCode"].value, AttributeValue::Text("200".to_owned()));
        assert_eq!(letter.attributes["ErrorCode"].data_type, "Number");
        assert_eq!(letter.attributes["ErrorMessage"], MessageAttribute::string("é".repeat(512)));
        let throttled = dead_letter(&request(), None, "Rate Exceeded.");
        assert_eq!(throttled.attributes["ErrorCode"].value, AttributeValue::Text("429".to_owned()));
        assert_eq!(throttled.attributes["ErrorMessage"], MessageAttribute::string("Rate Exceeded."));
    }
}
