//! Event patterns: the whole syntax of `EventBridge`, decided by the `quamina` crate where it agrees with AWS.
//!
//! quamina decides the structure (fields and arrays) and most string operators. What it lacks or decides differently is
//! decided here: absence before it is asked, the rest leaf by leaf, which reaches quamina as the verdict `true` or `false`
//! in the leaf's place: so arrays keep the one meaning quamina gives them. `docs/decisions/0003-event-patterns-by-quamina.md` says which.

mod compile;
mod leaf;
mod operator;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use quamina::Quamina;
use serde_json::{Map, Value};

use self::compile::Compiled;
use self::leaf::Leaf;

/// Alternatives an `$or` may multiply out to; more are refused.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
pub const ALTERNATIVES_MAX: usize = 1000;

/// A compiled event pattern. Cloning is cheap.
#[derive(Clone)]
pub struct Pattern {
    alternatives: Arc<[Alternative]>,
    source: Arc<Value>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

/// Why a pattern is refused, as `PutRule` reports it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Event pattern is not valid. Reason: {reason}")]
pub struct PatternError {
    /// What is wrong, naming the field or the operator.
    pub reason: String,
}

impl PatternError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl Pattern {
    /// Compiles a pattern; whatever it cannot honour is refused by name.
    pub fn parse(pattern: &Value) -> Result<Self, PatternError> {
        let alternatives =
            compile::conjunctions(pattern)?.into_iter().map(Alternative::build).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { alternatives: alternatives.into(), source: Arc::new(pattern.clone()) })
    }

    /// Whether `event` (the whole envelope) satisfies the pattern. Anything but a JSON object satisfies none.
    pub fn matches(&self, event: &Value) -> bool {
        self.alternatives.iter().any(|alternative| alternative.matches(event))
    }

    /// The pattern as it was given.
    pub fn source(&self) -> &Value {
        &self.source
    }
}

/// One alternative of a pattern: every field in it must match.
struct Alternative {
    present: Option<(Node, Quamina<()>)>,
    absent: Vec<Vec<String>>,
}

/// The fields of an alternative as a tree of names.
enum Node {
    Object(BTreeMap<String, Node>),
    Leaf(Leaf),
}

impl Alternative {
    fn build(Compiled { fields, absent }: Compiled) -> Result<Self, PatternError> {
        let matcher = |fields: Node| {
            let mut quamina = Quamina::new();
            let pattern = quamina_pattern(&fields).to_string();
            quamina.add_pattern((), &pattern).map_err(|refused| PatternError::new(refused.to_string()))?;
            Ok((fields, quamina))
        };
        Ok(Self { present: fields.map(matcher).transpose()?, absent })
    }

    fn matches(&self, event: &Value) -> bool {
        // What is not an object at the top matches nothing.
        event.is_object()
            && self.absent.iter().all(|path| !has_leaf(event, path))
            && self.present.as_ref().is_none_or(|(fields, quamina)| {
                project(fields, event)
                    .is_some_and(|event| quamina.has_matches(event.to_string().as_bytes()).is_ok_and(|found| found))
            })
    }
}

/// Whether a leaf is at `path`, in any element of the arrays on the way.
fn has_leaf(value: &Value, path: &[String]) -> bool {
    match (value, path.split_first()) {
        (Value::Array(items), _) => items.iter().any(|item| has_leaf(item, path)),
        (Value::Object(fields), Some((name, rest))) => fields.get(name).is_some_and(|value| has_leaf(value, rest)),
        (Value::Object(_), None) | (_, Some(_)) => false,
        (_, None) => true,
    }
}

/// Fields go by number in what quamina sees: its paths cannot hold a name with a dot or a newline.
fn numbered(position: usize) -> String {
    format!("f{position}")
}

fn quamina_pattern(node: &Node) -> Value {
    match node {
        Node::Leaf(leaf) => leaf.quamina_values(),
        Node::Object(fields) => Value::Object(
            fields.values().enumerate().map(|(position, node)| (numbered(position), quamina_pattern(node))).collect(),
        ),
    }
}

/// The part of an event that an alternative looks at, with our verdicts in place of the leaves we decide.
fn project(node: &Node, event: &Value) -> Option<Value> {
    match (node, event) {
        (node, Value::Array(items)) => {
            Some(Value::Array(items.iter().filter_map(|item| project(node, item)).collect()))
        }
        (Node::Object(fields), Value::Object(event)) => {
            let mut seen = Map::new();
            for (position, (name, node)) in fields.iter().enumerate() {
                if let Some(value) = event.get(name).and_then(|value| project(node, value)) {
                    seen.insert(numbered(position), value);
                }
            }
            Some(Value::Object(seen))
        }
        // Operators look at leaves only: an object where the pattern has a leaf counts as absent.
        (Node::Object(_), _) | (Node::Leaf(_), Value::Object(_)) => None,
        (Node::Leaf(leaf), value) => Some(leaf.project(value)),
    }
}
