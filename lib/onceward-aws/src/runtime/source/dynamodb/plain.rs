use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use onceward::AttributeValue;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// An item in plain JSON, with nothing lost: numbers with DynamoDB's own digits, up to 38 of them and beyond what a
/// double holds, binary values as base64, sets as lists. Only `serde_json` can write it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
pub(super) struct PlainItem<'a>(pub(super) &'a serde_dynamo::Item);

impl PlainItem<'_> {
    /// For an image, which a stream's view may leave out.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for PlainItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By name, so that one change has one text.
        let sorted: BTreeMap<_, _> = self.0.iter().map(|(name, value)| (name, Plain(value))).collect();
        sorted.serialize(serializer)
    }
}

/// A value of an item.
pub(super) struct Plain<'a>(pub(super) &'a AttributeValue);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::S(text) => serializer.serialize_str(text),
            AttributeValue::N(digits) => Digits(digits).serialize(serializer),
            AttributeValue::B(bytes) => serializer.serialize_str(&BASE64_STANDARD.encode(bytes)),
            AttributeValue::Bool(value) => serializer.serialize_bool(*value),
            AttributeValue::Null(_) => serializer.serialize_unit(),
            AttributeValue::M(values) => {
                let sorted: BTreeMap<_, _> = values.iter().map(|(name, value)| (name, Plain(value))).collect();
                sorted.serialize(serializer)
            }
            AttributeValue::L(values) => serializer.collect_seq(values.iter().map(Plain)),
            AttributeValue::Ss(texts) => serializer.collect_seq(texts),
            AttributeValue::Ns(numbers) => serializer.collect_seq(numbers.iter().map(|digits| Digits(digits))),
            AttributeValue::Bs(values) => {
                serializer.collect_seq(values.iter().map(|bytes| BASE64_STANDARD.encode(bytes)))
            }
        }
    }
}

/// A number as its digits say; one that JSON has no form for stays a text, so that nothing of it is lost.
struct Digits<'a>(&'a str);

impl Serialize for Digits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return serializer.serialize_str(self.0);
        }
        match serde_json::from_str::<&RawValue>(self.0) {
            Ok(number) => number.serialize(serializer).map_err(S::Error::custom),
            Err(_) => serializer.serialize_str(self.0),
        }
    }
}
