use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use super::{InvocationError, MALFORMED};

/// Where an invocation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Source {
    Sqs,
    Sns,
    DynamoDb,
    Kinesis,
    Kafka,
    RabbitMq,
    EventBridge,
    /// Anything that names no source: someone invoked the function with an event.
    Direct,
}

/// The sources' own names, as their payloads have them.
const NAMES: [(&str, Source); 7] = [
    ("aws:sqs", Source::Sqs),
    ("aws:sns", Source::Sns),
    ("aws:dynamodb", Source::DynamoDb),
    ("aws:kinesis", Source::Kinesis),
    ("aws:kafka", Source::Kafka),
    ("SelfManagedKafka", Source::Kafka),
    ("aws:rmq", Source::RabbitMq),
];

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, source)| source == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or(if *self == Self::EventBridge { "aws:events" } else { "direct invocation" }))
    }
}

/// The first level of a payload, and of its first record.
#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow, default, rename = "Records")]
    records: FirstSource<'a>,
    #[serde(borrow, default, rename = "eventSource")]
    event_source: Name<'a>,
    #[serde(default, rename = "detail-type")]
    detail_type: Option<IgnoredAny>,
    #[serde(default)]
    specversion: Option<IgnoredAny>,
}

/// What source the first element of a list says it is from.
#[derive(Default)]
struct FirstSource<'a>(Name<'a>);

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default, alias = "EventSource", rename = "eventSource")]
    event_source: Name<'a>,
}

/// A text; anything else counts as none.
#[derive(Default)]
struct Name<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text<'a> {
            Text(#[serde(borrow)] Cow<'a, str>),
            Other(IgnoredAny),
        }
        Ok(Self(match Text::deserialize(deserializer)? {
            Text::Text(text) => Some(text),
            Text::Other(_) => None,
        }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FirstSource<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;
        impl<'de> Visitor<'de> for First {
            type Value = FirstSource<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Self::Value, A::Error> {
                let first = records.next_element::<Record<'de>>()?;
                while records.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstSource(first.map(|record| record.event_source).unwrap_or_default()))
            }
        }
        deserializer.deserialize_seq(First)
    }
}

/// Which source the payload is from, by what it says of itself.
pub(super) fn source(json: &str) -> Result<Source, InvocationError> {
    // What is no object with a list of records in it names no source either.
    let Ok(probe) = serde_json::from_str::<Probe<'_>>(json) else { return Ok(Source::Direct) };
    let FirstSource(record_source) = probe.records;
    match record_source.0.or(probe.event_source.0) {
        Some(name) => NAMES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            let known = NAMES.map(|(name, _)| name).join(", ");
            let message = format!(
                "the payload is from {name:?}, which this function cannot read: it reads {known}, EventBridge events and \
                 direct invocations with an event"
            );
            InvocationError::new(MALFORMED, message)
        }),
        None if probe.detail_type.is_some() && probe.specversion.is_none() => Ok(Source::EventBridge),
        None => Ok(Source::Direct),
    }
}
