use std::collections::BTreeMap;

use super::{
    document::{Document, entries},
    error::{Faulted, Faults},
    node::{Data, Key, Node},
};

/// A template parameter and the value it has in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The value in effect: the override's, else the default.
    pub value: String,
    /// The template's default.
    pub default: Option<String>,
    /// What the template says about it.
    pub description: Option<String>,
    pub(super) kind: Kind,
}

/// The parameter types `CloudFormation` has for plain values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// Comma-separated.
    List,
}

/// Every parameter's value: overrides, then defaults. A value that breaks the declaration is a fault.
pub(super) fn read(
    document: &Document,
    overrides: &BTreeMap<String, String>,
    faults: &Faults,
) -> BTreeMap<String, Parameter> {
    let declared: Vec<&str> = document.parameters.iter().map(|(key, _)| key.name.as_str()).collect();
    for name in overrides.keys().filter(|name| !declared.contains(&name.as_str())) {
        let message = format!("`{name}` is not a parameter of this template; it declares: {}", declared.join(", "));
        faults.add(1, "Parameters", message);
    }
    let read = |(key, node): &(Key, Node)| {
        let given = overrides.get(&key.name).cloned();
        parameter(key, node.clone(), given, faults).ok().map(|parameter| (key.name.clone(), parameter))
    };
    document.parameters.iter().filter_map(read).collect()
}

fn parameter(key: &Key, node: Node, given: Option<String>, faults: &Faults) -> Result<Parameter, Faulted> {
    let place = format!("Parameters.{}", key.name);
    let line = key.line;
    let (mut kind, mut default, mut description, mut limits) = (None, None, None, Vec::new());
    for (attribute, node) in entries(node, &place, faults)? {
        match attribute.name.as_str() {
            "Type" => kind = Some(kind_of(&node, &place, faults)?),
            "Default" => default = node.as_text().map(str::to_owned),
            "Description" => description = node.as_text().map(str::to_owned),
            "AllowedValues" | "MinLength" | "MaxLength" | "MinValue" | "MaxValue" => limits.push((attribute, node)),
            // A wrong value is told by what it breaks; the pattern is for people who fill in a form.
            "AllowedPattern" | "ConstraintDescription" | "NoEcho" => {}
            name => {
                faults.add(attribute.line, &place, format!("`{name}` is not known for a parameter: remove it"));
            }
        }
    }
    let kind = kind.ok_or_else(|| faults.add(line, &place, "a parameter needs a `Type`"))?;
    let value = given.or_else(|| default.clone()).ok_or_else(|| {
        faults.add(line, &place, format!("has no default: give it a value with `--parameter {}=…`", key.name))
    })?;
    if kind == Kind::Number && value.parse::<f64>().is_err() {
        return Err(faults.add(line, &place, format!("`{value}` is not a number")));
    }
    for (attribute, limit) in &limits {
        if let Some(message) = broken(&attribute.name, limit, &value) {
            return Err(faults.add(attribute.line, &place, message));
        }
    }
    Ok(Parameter { value, default, description, kind })
}

fn kind_of(node: &Node, place: &str, faults: &Faults) -> Result<Kind, Faulted> {
    match node.as_text() {
        Some("String") => Ok(Kind::Text),
        Some("Number") => Ok(Kind::Number),
        Some("CommaDelimitedList" | "List<Number>") => Ok(Kind::List),
        _ => {
            let message = format!(
                "the type {} needs an AWS account: use String, Number, CommaDelimitedList or List<Number>",
                node.kind()
            );
            Err(faults.add(node.line, place, message))
        }
    }
}

/// What a value breaks, if anything.
fn broken(limit: &str, allowed: &Node, value: &str) -> Option<String> {
    if let Data::List(items) = &allowed.data {
        let allowed: Vec<_> = items.iter().filter_map(Node::as_text).collect();
        return (!allowed.contains(&value))
            .then(|| format!("`{value}` is not allowed: use one of {}", allowed.join(", ")));
    }
    let bound: f64 = allowed.as_text()?.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a parameter has at most 4,096 bytes")]
    let length = value.chars().count() as f64;
    let number = || value.parse::<f64>().unwrap_or(f64::NAN);
    let holds = match limit {
        "MinLength" => length >= bound,
        "MaxLength" => length <= bound,
        "MinValue" => number() >= bound,
        _ => number() <= bound,
    };
    (!holds).then(|| format!("`{value}` breaks {limit}: {bound}"))
}
