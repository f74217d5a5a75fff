use serde_json::{Number, Value};

/// A value of the template and the line it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) data: Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    /// A scalar as written; only an unquoted one can be a number, a boolean or null.
    Scalar {
        text: String,
        quoted: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// An intrinsic function by its long name: `!Ref x` and `{Ref: x}` are the same call of `Ref`.
    Call {
        function: String,
        argument: Box<Node>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) line: usize,
}

impl Node {
    pub(super) fn text(line: usize, text: impl Into<String>) -> Self {
        Self { line, data: Data::Scalar { text: text.into(), quoted: true } }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> String {
        match &self.data {
            Data::Scalar { text, .. } => format!("`{text}`"),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a mapping".to_owned(),
            Data::Call { function, .. } => format!("the function {function}"),
        }
    }

    /// The scalar's text, whatever its type: `CloudFormation` turns numbers and booleans into strings and back.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null"))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The same as JSON. Calls become `{"name": argument}`, their long form.
    pub(super) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar { text, quoted: true } => Value::String(text.clone()),
            Data::Scalar { text, quoted: false } => plain(text),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Map(entries) => entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect(),
            Data::Call { function, argument } => [(function.clone(), argument.to_json())].into_iter().collect(),
        }
    }
}

/// An unquoted scalar's value by YAML's core schema. A number with leading zeros is text: it is an account id or a code.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.trim_start_matches('-');
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit()) && !(digits.len() > 1 && is_padded(digits));
    match serde_json::from_str::<Number>(text) {
        Ok(number) if numeric => Value::Number(number),
        _ => Value::String(text.to_owned()),
    }
}

fn is_padded(digits: &str) -> bool {
    digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit())
}
