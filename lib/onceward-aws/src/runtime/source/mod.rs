//! What an invocation brings: which source it is from, and its records as deliveries.

mod absent;
mod dynamodb;
mod kafka;
mod kinesis;
mod probe;
mod rabbitmq;
mod sns;
mod sqs;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use onceward::Delivery;
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use absent::Absent;
pub(super) use dynamodb::{item_json, value_json};
pub(super) use probe::Source;

use super::InvocationError;

/// Records, and how the source wants to be told which of them failed.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) source: Source,
    pub(super) records: Vec<Received>,
}

/// A record as a delivery; what it is in place of an event, if it has no value.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) delivery: Delivery,
    pub(super) absent: Option<Absent>,
}

impl From<Delivery> for Received {
    fn from(delivery: Delivery) -> Self {
        Self { delivery, absent: None }
    }
}

/// Reads an invocation's payload. Nothing of it is quoted in the error but names.
pub(super) fn read(payload: &RawValue) -> Result<Incoming, InvocationError> {
    let source = probe::source(payload.get())?;
    let json = payload.get();
    let deliveries = match source {
        Source::Kinesis => return Ok(Incoming { source, records: kinesis::records(parse(source, json)?)? }),
        Source::Kafka => return Ok(Incoming { source, records: kafka::records(parse(source, json)?) }),
        Source::RabbitMq => return Ok(Incoming { source, records: rabbitmq::records(parse(source, json)?) }),
        Source::Sqs => sqs::deliveries(parse(source, json)?)?,
        Source::Sns => sns::deliveries(parse(source, json)?),
        Source::DynamoDb => dynamodb::deliveries(parse(source, json)?)?,
        Source::EventBridge | Source::Direct => {
            vec![Delivery {
                body: json.to_owned(),
                receive_count: 1,
                source: source.to_string(),
                ..Delivery::default()
            }]
        }
    };
    Ok(Incoming { source, records: deliveries.into_iter().map(Received::from).collect() })
}

fn parse<'a, T: Deserialize<'a>>(source: Source, json: &'a str) -> Result<T, InvocationError> {
    // To follow the path costs time and memory for each field: only what is wrong is worth it.
    serde_json::from_str(json).or_else(|_| {
        let mut json = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            // The parser may quote a value: its kind and place are enough.
            let (line, column) = (error.inner().line(), error.inner().column());
            malformed(source, &format!("see {path}, line {line} column {column}"), "")
        })
    })
}

/// The error of a payload in which the field at `path` is not what its source sends. Its value is not in it.
fn malformed(source: Source, path: &str, what: &str) -> InvocationError {
    let place = format!("{path} {what}");
    let message = format!("the payload says that it is from {source}, and is not: {}", place.trim_end());
    InvocationError::new(MALFORMED, message)
}

/// What is said of a field that every record has.
const MISSING: &str = "is missing";

/// A name that every record of the source has: without it a failure could not be reported.
fn required(name: Option<String>, source: Source, path: impl FnOnce() -> String) -> Result<String, InvocationError> {
    name.filter(|name| !name.is_empty()).ok_or_else(|| malformed(source, &path(), MISSING))
}

/// `errorType` of a payload that is not what its source sends.
pub(super) const MALFORMED: &str = "MalformedInvocation";

/// Bytes as a delivery's body: text, or base64 with `true`.
fn body(bytes: Vec<u8>) -> (String, bool) {
    String::from_utf8(bytes).map_or_else(|error| (BASE64_STANDARD.encode(error.as_bytes()), true), |text| (text, false))
}

/// A body in base64, decoded; what is not base64 after all stays as it is, and is no event.
fn decoded(base64: String) -> (String, bool) {
    match BASE64_STANDARD.decode(&base64) {
        Ok(bytes) => body(bytes),
        Err(_) => (base64, true),
    }
}

#[cfg(test)]
mod tests;
