use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Envelope, EnvelopeError, SPEC_VERSION};

/// How many wrappers may be around an event: SNS around EventBridge around CloudEvents.
const WRAPPERS_MAX: u32 = 3;

/// An event without its wrappers.
#[derive(Debug)]
pub(crate) struct Unwrapped {
    pub(crate) envelope: Envelope,
    /// The attributes of an SNS notification that it came in.
    pub(crate) attributes: BTreeMap<String, String>,
}

/// What tells the accepted shapes apart.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    specversion: Option<&'a RawValue>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "Type")]
    sns_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "Message")]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "MessageAttributes")]
    attributes: Option<&'a RawValue>,
}

/// An attribute of an SNS notification:
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnsAttribute {
    value: String,
}

/// An event as EventBridge delivers it:
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct EventBridgeEvent {
    id: String,
    source: String,
    detail_type: String,
    time: DateTime<Utc>,
    detail: Box<RawValue>,
}

/// Takes an event out of what is around it.
pub(crate) fn unwrap(body: &str) -> Result<Unwrapped, EnvelopeError> {
    unwrap_within(body, WRAPPERS_MAX)
}

fn unwrap_within(body: &str, wrappers_max: u32) -> Result<Unwrapped, EnvelopeError> {
    let probe: Body<'_> = object(body)?;
    let bare = |envelope| Unwrapped { envelope, attributes: BTreeMap::new() };
    if probe.specversion.is_some() {
        return cloud_event(body).map(bare);
    }
    if let (Some("Notification"), Some(message)) = (probe.sns_type.as_deref(), &probe.message) {
        let Some(wrappers_max) = wrappers_max.checked_sub(1) else {
            let message = format!("there are more than {WRAPPERS_MAX} notifications around it");
            return Err(EnvelopeError::Malformed { message });
        };
        let mut unwrapped = unwrap_within(message, wrappers_max)?;
        if let Some(attributes) = probe.attributes {
            let attributes: BTreeMap<String, SnsAttribute> =
                serde_json::from_str(attributes.get()).map_err(malformed)?;
            unwrapped.attributes.extend(attributes.into_iter().map(|(name, attribute)| (name, attribute.value)));
        }
        return Ok(unwrapped);
    }
    match (probe.detail, probe.detail_type) {
        (Some(detail), detail_type) => match cloud_event(detail.get()) {
            Err(_) if detail_type.is_some() && !is_cloud_event(detail) => foreign(body),
            parsed => parsed,
        },
        (None, _) => cloud_event(body),
    }
    .map(bare)
}

fn cloud_event(json: &str) -> Result<Envelope, EnvelopeError> {
    let envelope: Envelope = object(json)?;
    envelope.check()?;
    Ok(envelope)
}

fn is_cloud_event(detail: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Detail<'a> {
        #[serde(borrow, default)]
        specversion: Option<&'a RawValue>,
    }
    object::<Detail<'_>>(detail.get()).is_ok_and(|detail| detail.specversion.is_some())
}

/// Somebody else's event, such as one of an AWS service: EventBridge's attributes are CloudEvents' by other names.
fn foreign(body: &str) -> Result<Envelope, EnvelopeError> {
    let event: EventBridgeEvent = object(body)?;
    let envelope = Envelope {
        specversion: SPEC_VERSION.to_owned(),
        id: event.id,
        source: event.source,
        event_type: event.detail_type,
        time: event.time,
        data: event.detail,
        subject: None,
        datacontenttype: None,
        dataschema: None,
        correlationid: None,
        causationid: None,
        traceparent: None,
        sequence: None,
    };
    envelope.check()?;
    Ok(envelope)
}

/// Reads an object. A list would be taken for one too, by the places of its elements: serde's rule for structs.
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, EnvelopeError> {
    if json.trim_start().starts_with('[') {
        let message = "it is a list, and an object is expected".to_owned();
        return Err(EnvelopeError::Malformed { message });
    }
    serde_json::from_str(json).map_err(malformed)
}

/// `serde_json` names line and column; it never repeats the input beyond a single token's kind.
#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn malformed(error: serde_json::Error) -> EnvelopeError {
    EnvelopeError::Malformed { message: error.to_string() }
}
