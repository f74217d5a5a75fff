//! Rules as one writes them on a command line: `dynamodb.TransactWriteItems:conflict,probability=0.2,limit=10`.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::rule::{FaultError, Rule};

/// What the value behind a kind is: `latency=200` is `latency,latency_ms=200`.
const VALUES: [(&str, &str); 3] = [("latency", "latency_ms"), ("error", "status"), ("kill", "at")];

impl FromStr for Rule {
    type Err = FaultError;

    fn from_str(spec: &str) -> Result<Self, FaultError> {
        let unreadable = |reason: String| FaultError::Unreadable { spec: spec.to_owned(), reason };
        let (calls, rest) = spec.split_once(':').ok_or_else(|| unreadable("it names no kind".to_owned()))?;
        let (service, operation) = calls.split_once('.').unwrap_or((calls, "*"));
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| match members.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(unreadable(format!("{name} is said twice"))),
        };
        put("service", service.into())?;
        put("operation", operation.into())?;
        let mut parts = rest.split(',');
        let kind = parts.next().unwrap_or_default();
        let (kind, value) = kind.split_once('=').map_or((kind, None), |(kind, value)| (kind, Some(value)));
        put("kind", kind.into())?;
        if let Some(value) = value {
            let name = VALUES.iter().find(|(of, _)| *of == kind).map(|(_, name)| name);
            put(name.ok_or_else(|| unreadable(format!("{kind} takes no value")))?, typed(value))?;
        }
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| unreadable(format!("{part} has no value")))?;
            put(name, if matches!(name, "function" | "resource") { value.into() } else { typed(value) })?;
        }
        let rule: Self = serde_json::from_value(members.into()).map_err(|error| unreadable(error.to_string()))?;
        rule.check()?;
        Ok(rule)
    }
}

/// A number if it is one.
fn typed(value: &str) -> Value {
    let number = serde_json::from_str(value).ok().filter(Value::is_number);
    number.unwrap_or_else(|| value.into())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}:{}", self.service, self.operation, self.kind)?;
        let Ok(Value::Object(members)) = serde_json::to_value(self) else { return Err(fmt::Error) };
        for (name, value) in &members {
            match (name.as_str(), value) {
                ("service" | "operation" | "kind", _) => {}
                ("probability", value) if value.as_f64() == Some(1.0) => {}
                (name, Value::String(text)) => write!(f, ",{name}={text}")?,
                (name, other) => write!(f, ",{name}={other}")?,
            }
        }
        Ok(())
    }
}
