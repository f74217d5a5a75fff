//! Policy documents: read once, then matched many times.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

mod condition;
mod operand;
mod pattern;
mod principal;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(crate) use self::condition::Condition;
pub(crate) use self::pattern::Pattern;
pub(crate) use self::principal::Principals;
use super::context::Context;

/// Statements of one document: its 10,240 characters could not hold more than a few hundred.
pub const STATEMENTS_MAX: usize = 500;

/// The version in which policy variables work.
const VERSION: &str = "2012-10-17";
const VERSION_OLD: &str = "2008-10-17";

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An element is not of its type, or required and absent.
    #[error("the policy's {element} is missing or not what IAM expects there")]
    Shape {
        /// `Statement`, `Action`, …
        element: &'static str,
    },
    /// An element that policies do not have, or that is not evaluated here.
    #[error("the policy element `{element}` is not supported by the local cloud")]
    UnknownElement {
        /// Its name.
        element: String,
    },
    /// A condition operator that does not exist, or is not evaluated here.
    #[error("the condition operator `{operator}` is not supported by the local cloud")]
    UnknownOperator {
        /// Its name.
        operator: String,
    },
    /// A condition key that is not evaluated here.
    #[error("the condition key `{key}` is not evaluated by the local cloud")]
    UnknownKey {
        /// Its name.
        key: String,
    },
    /// A kind of principal that is not evaluated here.
    #[error("principals of the kind `{kind}` are not supported by the local cloud: it knows AWS and Service")]
    UnknownPrincipal {
        /// `Federated`, `CanonicalUser`.
        kind: String,
    },
    /// A condition's value is not of its operator's type.
    #[error("`{value}` is not a value that a condition on `{key}` can have")]
    Value {
        /// The condition key.
        key: String,
        /// The value.
        value: String,
    },
    /// A variable that is not closed, or whose key is not evaluated here.
    #[error("`{text}` holds a policy variable that the local cloud does not evaluate")]
    Variable {
        /// The text it is in.
        text: String,
    },
    /// More statements than a document can have.
    #[error("a policy has at most {STATEMENTS_MAX} statements here")]
    TooManyStatements,
}

impl PolicyError {
    pub(super) fn variable(text: &str) -> Self {
        Self::Variable { text: text.to_owned() }
    }
}

/// A policy document.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// One statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    /// Only in the policies of resources.
    pub(crate) principals: Option<Principals>,
    /// In lower case.
    pub(crate) actions: Element,
    /// Absent in a role's trust policy.
    pub(crate) resources: Option<Element>,
    pub(crate) conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) negated: bool,
    pub(crate) patterns: Vec<Pattern>,
}

impl Policy {
    /// Reads a document.
    pub fn parse(document: &Value) -> Result<Self, PolicyError> {
        let Value::Object(members) = document else { return Err(PolicyError::Shape { element: "document" }) };
        known(members, &["Version", "Id", "Statement"])?;
        let variables = match members.get("Version").and_then(Value::as_str) {
            Some(VERSION) => true,
            Some(VERSION_OLD) => false,
            None if !members.contains_key("Version") => false,
            _ => return Err(PolicyError::Shape { element: "Version" }),
        };
        let statements = match members.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err(PolicyError::Shape { element: "Statement" }),
        };
        if statements.len() > STATEMENTS_MAX {
            return Err(PolicyError::TooManyStatements);
        }
        let statements = statements.into_iter().map(|statement| Statement::parse(statement, variables));
        Ok(Self { statements: statements.collect::<Result<_, _>>()? })
    }
}

impl Statement {
    fn parse(statement: &Value, variables: bool) -> Result<Self, PolicyError> {
        let Value::Object(members) = statement else { return Err(PolicyError::Shape { element: "Statement" }) };
        let elements = ["Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        known(members, &elements)?;
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(PolicyError::Shape { element: "Effect" }),
        };
        let actions =
            element(members, "Action", "NotAction", false)?.ok_or(PolicyError::Shape { element: "Action" })?;
        Ok(Self {
            effect,
            principals: members.get("Principal").map(Principals::parse).transpose()?,
            actions: Element {
                negated: actions.negated,
                patterns: actions.patterns.into_iter().map(Pattern::lowercase).collect(),
            },
            resources: element(members, "Resource", "NotResource", variables)?,
            conditions: match members.get("Condition") {
                Some(element) => Condition::parse(element, variables)?,
                None => Vec::new(),
            },
        })
    }

    /// Whether it speaks of `action` (in lower case) on `resource` in this request.
    pub(crate) fn applies(&self, action: &str, resource: &str, context: &Context<'_>) -> bool {
        self.actions.holds(|pattern| pattern.matches(action, context))
            && self.resources.as_ref().is_none_or(|it| it.holds(|pattern| pattern.matches_arn(resource, context)))
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

impl Element {
    pub(crate) fn holds(&self, matches: impl FnMut(&Pattern) -> bool) -> bool {
        self.patterns.iter().any(matches) != self.negated
    }
}

fn element(
    members: &Map<String, Value>,
    name: &'static str,
    negated_name: &'static str,
    variables: bool,
) -> Result<Option<Element>, PolicyError> {
    let (negated, value) = match (members.get(name), members.get(negated_name)) {
        (Some(value), None) => (false, value),
        (None, Some(value)) => (true, value),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(PolicyError::Shape { element: negated_name }),
    };
    let texts = texts(value).filter(|texts| !texts.is_empty()).ok_or(PolicyError::Shape { element: name })?;
    let patterns = texts.iter().map(|text| Pattern::parse(text, variables)).collect::<Result<_, _>>()?;
    Ok(Some(Element { negated, patterns }))
}

/// One text or a list of them. Numbers and booleans are texts too, as `CloudFormation` has it.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Bool(value) => Some(vec![value.to_string()]),
        Value::Number(value) => Some(vec![value.to_string()]),
        Value::Array(items) => items.iter().map(|item| texts(item).and_then(|mut texts| texts.pop())).collect(),
        _ => None,
    }
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), PolicyError> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(element) => Err(PolicyError::UnknownElement { element: element.clone() }),
        None => Ok(()),
    }
}
