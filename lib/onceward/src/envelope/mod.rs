mod wire;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

pub(crate) use self::wire::{Unwrapped, unwrap};
use crate::{EventIdentity, Fingerprint, FingerprintError, fingerprint, unit_of_work::EVENTS_MAX};

/// The only CloudEvents version there is: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.
const SPEC_VERSION: &str = "1.0";

/// What escaping can make of one byte in JSON: `\u0000`.
pub(crate) const ESCAPED_BYTES: usize = 6;

/// An event on its way: a CloudEvents 1.0 event in JSON format.
///
/// It travels as the `detail` of an EventBridge event. `correlationid`, `causationid`, `traceparent` and `sequence`
/// are CloudEvents extension attributes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique for its `source`. An id that Onceward made is the default idempotency key of every consumer; of somebody
    /// else's event, source and id together are.
    pub id: String,
    /// The bounded context that published it: a URI reference, not empty.
    pub source: String,
    /// `domain.action.vN`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, RFC 3339.
    #[serde(serialize_with = "rfc3339_millis")]
    pub time: DateTime<Utc>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// A URI that names the schema of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// The same for everything that one request set in motion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// Id of the event or request that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<String>,
    /// W3C trace context: <https://www.w3.org/TR/trace-context/>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Version of the subject's state after this event, in decimal; only from the publisher that owns that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// The payload, kept as received until a handler's type is known.
    pub data: Box<RawValue>,
}

/// Why a message body is not an event. The body itself is never part of the text.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, or a required attribute is missing or of the wrong type.
    #[error("the body is neither an EventBridge event nor a CloudEvents 1.0 event: {message}")]
    Malformed {
        /// What the parser says, and where.
        message: String,
    },
    /// An attribute is there and cannot be used.
    #[error("the CloudEvents attribute `{attribute}` is {found:?}: {expected}")]
    Attribute {
        /// Name of the attribute.
        attribute: &'static str,
        /// What was found.
        found: String,
        /// What is expected.
        expected: &'static str,
    },
}

impl Envelope {
    /// Reads what a source delivered: the envelope itself, an EventBridge event, or an SNS notification with either.
    ///
    /// An EventBridge event whose `detail` is no CloudEvents event becomes one: its `detail-type` is the type, as it is.
    pub fn parse(body: &str) -> Result<Self, EnvelopeError> {
        wire::unwrap(body).map(|unwrapped| unwrapped.envelope)
    }

    fn check(&self) -> Result<(), EnvelopeError> {
        let refuse = |attribute, found: &str, expected| {
            Err(EnvelopeError::Attribute { attribute, found: found.chars().take(64).collect(), expected })
        };
        if self.specversion != SPEC_VERSION {
            return refuse("specversion", &self.specversion, "only 1.0 is understood");
        }
        for (attribute, value) in [("id", &self.id), ("source", &self.source), ("type", &self.event_type)] {
            if value.is_empty() {
                return refuse(attribute, value, "it must not be empty");
            }
        }
        Ok(())
    }

    /// What type and payload are told by: the payload's JSON value, whatever the order of its members, its escapes and
    /// its white space. The error names what has no one value, such as a member that is there twice.
    pub fn fingerprint(&self) -> Result<Fingerprint, FingerprintError> {
        Fingerprint::of(&self.event_type, self.data.get())
    }

    /// By the rule of earlier builds alone.
    pub(crate) fn fingerprint_of_text(&self) -> Fingerprint {
        Fingerprint::of_text(fingerprint::of_json_text(&self.event_type, self.data.get().as_bytes()))
    }

    /// What the event is told by, source and id; `None` if the id alone is enough: Onceward's own begin with a random
    /// UUID (`{uuid}.{n}`).
    pub fn identity(&self) -> Option<EventIdentity> {
        let own = self.id.split_once('.').is_some_and(|(commit_id, place)| is_commit_id(commit_id) && is_place(place));
        (!own).then(|| EventIdentity { source: self.source.clone(), id: self.id.clone() })
    }

    /// No fewer bytes than the envelope has as JSON.
    pub(crate) fn bytes_max(&self) -> usize {
        /// Names and punctuation of all attributes, the times and the trace.
        const ATTRIBUTES_BYTES: usize = 512;
        let texts = [&self.id, &self.source, &self.event_type];
        let optional = [&self.subject, &self.datacontenttype, &self.dataschema, &self.correlationid, &self.causationid];
        let length = texts.into_iter().chain(optional.into_iter().flatten()).map(String::len).sum::<usize>();
        self.data.get().len() + length * ESCAPED_BYTES + ATTRIBUTES_BYTES
    }

    /// The bytes the envelope has as JSON.
    pub(crate) fn json_bytes(&self) -> usize {
        serde_json::to_string(self).map_or(self.bytes_max(), |json| json.len())
    }

    /// The publisher-owned version of the subject's state, if there is one.
    pub fn sequence(&self) -> Option<u64> {
        self.sequence.as_deref()?.parse().ok()
    }
}

/// A random (version 4) UUID as a commit has it: RFC 9562, lower case, with hyphens.
fn is_commit_id(text: &str) -> bool {
    let uuid = uuid::Uuid::try_parse(text).ok().filter(|uuid| uuid.get_version_num() == 4);
    uuid.is_some_and(|uuid| uuid.hyphenated().to_string() == text)
}

/// The place of an event in its commit, as a number without leading zeros.
fn is_place(text: &str) -> bool {
    text.parse::<usize>().is_ok_and(|place| place < EVENTS_MAX && place.to_string() == text)
}

fn rfc3339_millis<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str = r#"{"specversion":"1.0","id":"e-1","source":"orders","type":"order.placed.v1",
        "time":"2026-11-21T01:02:03.004Z","subject":"o-1","sequence":"7","data":{"a": 1}}"#;

    #[test]
    fn reads_the_envelope_alone_and_inside_an_eventbridge_event() {
        let alone = Envelope::parse(ENVELOPE).unwrap();
        let routed = format!(r#"{{"version":"0","detail-type":"order.placed.v1","detail":{ENVELOPE}}}"#);
        let routed = Envelope::parse(&routed).unwrap();
        assert_eq!((alone.id.as_str(), alone.sequence()), ("e-1", Some(7)));
        assert_eq!(serde_json::to_string(&alone).unwrap(), serde_json::to_string(&routed).unwrap());
    }

    #[test]
    fn an_sns_notification_gives_its_message_and_its_attributes() {
        let routed = format!(r#"{{"version":"0","detail-type":"order.placed.v1","detail":{ENVELOPE}}}"#);
        for message in [ENVELOPE, &routed] {
            let notification = serde_json::json!({
                "Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": message,
                "MessageAttributes": {"tenant": {"Type": "String", "Value": "acme"}},
            });
            let unwrapped = unwrap(&notification.to_string()).unwrap();
            assert_eq!(unwrapped.envelope.id, "e-1");
            assert_eq!(unwrapped.attributes["tenant"], "acme");
        }
    }

    #[test]
    fn an_event_of_somebody_else_keeps_eventbridges_attributes() {
        let event = r#"{"version":"0","id":"7bf73129","detail-type":"EC2 Instance State-change Notification",
            "source":"aws.ec2","time":"2026-11-21T01:02:03Z","detail":{"state":"running"}}"#;
        let envelope = Envelope::parse(event).unwrap();
        assert_eq!((envelope.id.as_str(), envelope.source.as_str()), ("7bf73129", "aws.ec2"));
        assert_eq!(envelope.event_type, "EC2 Instance State-change Notification");
        assert_eq!(envelope.data.get(), r#"{"state":"running"}"#);
    }

    #[test]
    fn notifications_in_notifications_come_to_an_end() {
        let nest = |message: String| serde_json::json!({"Type": "Notification", "Message": message}).to_string();
        let nested = (0..3).fold(ENVELOPE.to_owned(), |message, _| nest(message));
        assert_eq!(Envelope::parse(&nested).unwrap().id, "e-1");
        let error = Envelope::parse(&nest(nested)).unwrap_err();
        assert!(error.to_string().contains("more than 3 notifications"), "{error}");
    }

    #[test]
    fn a_list_is_not_taken_for_an_object_by_the_places_of_its_elements() {
        let list = r#"["1.0","e-1","orders","order.placed.v1","2026-11-21T01:02:03.004Z",null,null,null,null,null,null,null,1]"#;
        for body in [list.to_owned(), format!(" {list}"), format!(r#"{{"version":"0","detail":{list}}}"#)] {
            let error = Envelope::parse(&body).unwrap_err().to_string();
            assert!(error.contains("it is a list, and an object is expected"), "{body}: {error}");
        }
    }

    #[test]
    fn the_list_of_somebody_else_is_a_payload() {
        let event = r#"{"version":"0","id":"7b","detail-type":"t","source":"s","time":"2026-11-21T01:02:03Z","detail":["1.0"]}"#;
        assert_eq!(Envelope::parse(event).unwrap().data.get(), r#"["1.0"]"#);
    }

    #[test]
    fn names_what_is_missing() {
        let error = Envelope::parse(r#"{"specversion":"1.0","source":"orders"}"#).unwrap_err();
        assert!(error.to_string().contains("missing field `id`"), "{error}");
        let error = Envelope::parse(&ENVELOPE.replace("\"1.0\"", "\"0.3\"")).unwrap_err();
        assert!(error.to_string().contains("`specversion` is \"0.3\""), "{error}");
        let error = Envelope::parse("not json").unwrap_err();
        assert!(error.to_string().contains("line 1 column 2"), "{error}");
    }

    #[test]
    fn white_space_does_not_change_the_fingerprint_but_content_does() {
        let one = Envelope::parse(ENVELOPE).unwrap();
        let same = Envelope::parse(&ENVELOPE.replace("{\"a\": 1}", "{ \"a\":1 }")).unwrap();
        let other = Envelope::parse(&ENVELOPE.replace("{\"a\": 1}", "{\"a\": 2}")).unwrap();
        assert_eq!(one.fingerprint().unwrap(), same.fingerprint().unwrap());
        assert_ne!(one.fingerprint().unwrap(), other.fingerprint().unwrap());
    }
}
