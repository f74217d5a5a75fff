//! How long each parameter may be, and of which characters, as the API's reference says. AWS asks this before anything
//! else: what cannot be a name is not looked for.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html>

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::events::EventsError;

/// Characters of an ARN, and of a parameter that may be one.
const ARN_CHARS: RangeInclusive<usize> = 1..=1_600;

/// The values that a parameter may have.
struct Constraint {
    chars: RangeInclusive<usize>,
    /// As the reference writes it.
    pattern: &'static str,
    matches: fn(&str) -> bool,
}

impl Constraint {
    /// Of any characters.
    fn length(chars: RangeInclusive<usize>) -> Self {
        Self { chars, pattern: ".*", matches: |_| true }
    }

    fn name(chars_max: usize) -> Self {
        Self { chars: 1..=chars_max, pattern: "[\\.\\-_A-Za-z0-9]+", matches: |text| consists_of(text, "._-") }
    }

    /// A bus of a partner has slashes.
    fn bus_name() -> Self {
        Self { chars: 1..=256, pattern: "[/\\.\\-_A-Za-z0-9]+", matches: |text| consists_of(text, "/._-") }
    }

    fn bus_name_or_arn() -> Self {
        Self {
            chars: ARN_CHARS,
            pattern: "(arn:aws[\\w-]*:events:[a-z]+-[a-z]+-[\\w-]+:[0-9]{12}:event-bus\\/)?[/\\.\\-_A-Za-z0-9]+",
            matches: |text| {
                let name = text.rsplit_once(':').filter(|(arn, _)| arn.starts_with("arn:aws")).map_or(text, |it| it.1);
                consists_of(name, "/._-")
            },
        }
    }

    fn source_arn() -> Self {
        Self {
            chars: ARN_CHARS,
            pattern: "^arn:aws([a-z]|\\-)*:events:([a-z]|\\d|\\-)*:([0-9]{12})?:.+\\/.+$",
            matches: |text| {
                let parts: Vec<_> = text.splitn(6, ':').collect();
                matches!(parts[..], ["arn", aws, "events", _, _, resource]
                    if aws.starts_with("aws") && resource.contains('/'))
            },
        }
    }

    fn check(&self, value: &str, path: &str) -> Result<(), EventsError> {
        let chars = value.chars().count();
        let rule = if chars < *self.chars.start() {
            format!("Member must have length greater than or equal to {}", self.chars.start())
        } else if chars > *self.chars.end() {
            format!("Member must have length less than or equal to {}", self.chars.end())
        } else if !(self.matches)(value) {
            format!("Member must satisfy regular expression pattern: {}", self.pattern)
        } else {
            return Ok(());
        };
        Err(EventsError::validation(format!(
            "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: {rule}"
        )))
    }
}

fn constraint(action: &str, member: &str) -> Option<Constraint> {
    Some(match (action, member) {
        ("PutPermission" | "RemovePermission", "EventBusName") => Constraint::name(256),
        (_, "EventBusName") | ("DescribeEventBus", "Name") => Constraint::bus_name_or_arn(),
        ("CreateEventBus" | "UpdateEventBus" | "DeleteEventBus", "Name") | ("ListEventBuses", "NamePrefix") => {
            Constraint::bus_name()
        }
        ("ListArchives", "NamePrefix") | (_, "ArchiveName") => Constraint::name(48),
        (_, "Name" | "NamePrefix" | "Rule" | "ReplayName" | "Id" | "Ids") => Constraint::name(64),
        (_, "EventSourceArn") => Constraint::source_arn(),
        (_, "Arn" | "RoleArn" | "ResourceARN" | "TargetArn" | "FilterArns") => Constraint::length(ARN_CHARS),
        (_, "Description") => Constraint::length(0..=512),
        (_, "NextToken") => Constraint::length(1..=2_048),
        (_, "TraceHeader") => Constraint::length(1..=500),
        ("TagResource" | "PutRule" | "CreateEventBus", "Key") | (_, "TagKeys") => Constraint::length(1..=128),
        ("TagResource" | "PutRule" | "CreateEventBus", "Value") | (_, "InputPath") => Constraint::length(0..=256),
        ("PutPermission", "Action") => Constraint {
            chars: 1..=64,
            pattern: "events:[a-zA-Z]+",
            matches: |text| {
                let action = text.strip_prefix("events:").unwrap_or_default();
                !action.is_empty() && action.chars().all(|c| c.is_ascii_alphabetic())
            },
        },
        ("PutPermission", "Principal") => Constraint {
            chars: 1..=12,
            pattern: "(\\d{12}|\\*)",
            matches: |text| text == "*" || (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())),
        },
        (_, "StatementId") => {
            Constraint { chars: 1..=64, pattern: "[a-zA-Z0-9-_]+", matches: |text| consists_of(text, "-_") }
        }
        _ => return None,
    })
}

fn consists_of(text: &str, punctuation: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || punctuation.contains(c))
}

/// Checks one parameter.
pub(super) fn check_member(action: &str, member: &str, value: &str, path: &str) -> Result<(), EventsError> {
    constraint(action, member).map_or(Ok(()), |constraint| constraint.check(value, path))
}

/// Checks the parameters of a request. One that is not JSON, or of another type, is for those who read it.
pub(super) fn check(action: &str, body: &[u8]) -> Result<(), EventsError> {
    match serde_json::from_slice(body) {
        Ok(request) => check_value(action, "", &request, ""),
        Err(_) => Ok(()),
    }
}

fn check_value(action: &str, member: &str, value: &Value, path: &str) -> Result<(), EventsError> {
    match value {
        Value::String(text) => check_member(action, member, text, path),
        Value::Array(items) => (1..)
            .zip(items)
            .try_for_each(|(number, item)| check_value(action, member, item, &format!("{path}.{number}.member"))),
        // Its names are the caller's own.
        Value::Object(_) if member == "InputPathsMap" => Ok(()),
        Value::Object(members) => members.iter().try_for_each(|(member, value)| {
            let mut name = member.clone();
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_lowercase();
            }
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            check_value(action, member, value, &path)
        }),
        _ => Ok(()),
    }
}
