//! A payment as it is asked for.

use serde_json::{Map, Value};

/// Longest `reference`, in characters.
const REFERENCE_LENGTH_MAX: usize = 255;
/// Every field a request may have.
const FIELDS: [&str; 5] = ["amount", "currency", "payment_token", "reference", "capture"];

/// A payment that can be charged or declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    /// Minor units of `currency`, above zero.
    pub(super) amount: i64,
    /// Three capital letters.
    pub(super) currency: String,
    /// Stands for a card: `tok_…`.
    pub(super) token: String,
    /// The shop's own name for what is paid.
    pub(super) reference: String,
    /// Whether the money is taken at once.
    pub(super) capture: bool,
}

/// The first field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl Payment {
    pub(super) fn parse(request: &Value) -> Result<Self, Malformed> {
        let Value::Object(fields) = request else {
            return Err(malformed("body", "must be a JSON object"));
        };
        if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            return Err(malformed(
                "body",
                &format!("has the unknown field `{unknown}`; known are {}", FIELDS.join(", ")),
            ));
        }
        let amount = fields.get("amount").and_then(Value::as_i64).filter(|amount| *amount > 0);
        let capture = match fields.get("capture") {
            None => false,
            Some(Value::Bool(capture)) => *capture,
            Some(_) => return Err(malformed("capture", "must be true or false")),
        };
        Ok(Self {
            amount: amount.ok_or_else(|| {
                malformed("amount", "must be a whole number of minor units above 0 that fits 64 bits")
            })?,
            currency: text(fields, "currency", "must be three capital letters, such as EUR", |text| {
                text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
            })?,
            token: text(fields, "payment_token", "must be a token that starts with tok_", |text| {
                text.strip_prefix("tok_").is_some_and(|rest| !rest.is_empty())
            })?,
            reference: text(fields, "reference", "must be 1 to 255 characters", |text| {
                (1..=REFERENCE_LENGTH_MAX).contains(&text.chars().count())
            })?,
            capture,
        })
    }
}

fn text(
    fields: &Map<String, Value>,
    field: &'static str,
    rule: &str,
    holds: impl Fn(&str) -> bool,
) -> Result<String, Malformed> {
    match fields.get(field).and_then(Value::as_str) {
        Some(text) if holds(text) => Ok(text.to_owned()),
        _ => Err(malformed(field, rule)),
    }
}

fn malformed(field: &'static str, message: &str) -> Malformed {
    Malformed { field, message: message.to_owned() }
}
