//! From pattern JSON to alternatives: `$or` multiplied out, and every operator checked.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::leaf::Leaf;
use super::operator::Operator;
use super::{ALTERNATIVES_MAX, Node, PatternError};

const OR: &str = "$or";

/// Operators' names may not be fields directly inside `$or`: `{"$or": [{"prefix": …}]}` is a slip, and AWS says so.
const RESERVED_IN_OR: [&str; 9] =
    ["exactly", "prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard"];

/// Field path and its allowed values; the fields of one alternative.
type Conjunction = BTreeMap<Vec<String>, Vec<Operator>>;

/// One alternative of a pattern: what must be there, as a tree, and the paths where nothing may be.
pub(super) struct Compiled {
    pub(super) fields: Option<Node>,
    pub(super) absent: Vec<Vec<String>>,
}

/// The alternatives of `pattern`.
pub(super) fn conjunctions(pattern: &Value) -> Result<Vec<Compiled>, PatternError> {
    let Value::Object(fields) = pattern else { return Err(PatternError::new("Filter is not an object")) };
    let mut path = Vec::new();
    let mut alternatives = Vec::new();
    for alternative in object(fields, &mut path, false)? {
        alternatives.extend(split_absence(alternative)?);
        within_limit(alternatives.len())?;
    }
    alternatives.into_iter().map(compiled).collect()
}

/// Absence is not left to quamina: beside other fields it goes by the order of their names there.
fn compiled(fields: Conjunction) -> Result<Compiled, PatternError> {
    let is_absence = |values: &[Operator]| values.iter().all(|value| *value == Operator::Exists(false));
    let (absent, fields): (Conjunction, Conjunction) = fields.into_iter().partition(|(_, values)| is_absence(values));
    let fields = if fields.is_empty() { None } else { Some(tree(fields)?) };
    Ok(Compiled { fields, absent: absent.into_keys().collect() })
}

fn within_limit(count: usize) -> Result<(), PatternError> {
    if count > ALTERNATIVES_MAX {
        return Err(PatternError::new(format!("The alternatives of {OR} multiply to more than {ALTERNATIVES_MAX}")));
    }
    Ok(())
}

fn object(
    fields: &Map<String, Value>,
    path: &mut Vec<String>,
    inside_or: bool,
) -> Result<Vec<Conjunction>, PatternError> {
    if fields.is_empty() {
        return Err(PatternError::new("Empty objects are not allowed"));
    }
    let mut all = vec![Conjunction::new()];
    for (name, value) in fields {
        if inside_or && RESERVED_IN_OR.contains(&name.as_str()) {
            return Err(PatternError::new(format!("{name} is an operator and cannot be a field inside {OR}")));
        }
        let alternatives = match value {
            Value::Array(branches) if name == OR => or(branches, path)?,
            _ if name == OR => return Err(PatternError::new(format!("It must be an Array followed with {OR}"))),
            Value::Object(nested) => {
                path.push(name.clone());
                let nested = object(nested, path, inside_or)?;
                path.pop();
                nested
            }
            Value::Array(values) => {
                path.push(name.clone());
                let field = Conjunction::from([(path.clone(), values_of(name, values)?)]);
                path.pop();
                vec![field]
            }
            _ => return Err(PatternError::new(format!("\"{name}\" must be an object or an array"))),
        };
        all = both(&all, &alternatives)?;
    }
    Ok(all)
}

fn or(branches: &[Value], path: &mut Vec<String>) -> Result<Vec<Conjunction>, PatternError> {
    if branches.len() < 2 {
        return Err(PatternError::new(format!("There must have at least 2 Objects in {OR} relationship")));
    }
    let mut alternatives = Vec::new();
    for branch in branches {
        let Value::Object(branch) = branch else {
            return Err(PatternError::new(format!("Only JSON object is allowed in array of {OR} relationship")));
        };
        alternatives.extend(object(branch, path, true)?);
        within_limit(alternatives.len())?;
    }
    Ok(alternatives)
}

fn values_of(field: &str, values: &[Value]) -> Result<Vec<Operator>, PatternError> {
    if values.is_empty() {
        return Err(PatternError::new(format!("Empty arrays are not allowed: \"{field}\"")));
    }
    values.iter().map(Operator::parse).collect()
}

/// Every alternative of the left joined with every one of the right.
fn both(left: &[Conjunction], right: &[Conjunction]) -> Result<Vec<Conjunction>, PatternError> {
    within_limit(left.len().saturating_mul(right.len()))?;
    let mut joined = Vec::with_capacity(left.len() * right.len());
    for first in left {
        for second in right {
            let mut fields = first.clone();
            for (path, values) in second {
                if fields.insert(path.clone(), values.clone()).is_some() {
                    return Err(constrained_twice(path));
                }
            }
            joined.push(fields);
        }
    }
    Ok(joined)
}

fn constrained_twice(path: &[String]) -> PatternError {
    PatternError::new(format!("\"{}\" is constrained both inside and outside of {OR}", path.join(".")))
}

/// `["x", {"exists": false}]` becomes two alternatives: absence is decided for a field alone.
fn split_absence(fields: Conjunction) -> Result<Vec<Conjunction>, PatternError> {
    let mut all = vec![Conjunction::new()];
    for (path, values) in fields {
        let (absent, present): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|value| *value == Operator::Exists(false));
        let alternatives: Vec<_> = [absent, present]
            .into_iter()
            .filter(|values| !values.is_empty())
            .map(|values| Conjunction::from([(path.clone(), values)]))
            .collect();
        all = both(&all, &alternatives)?;
    }
    Ok(all)
}

fn tree(fields: Conjunction) -> Result<Node, PatternError> {
    let mut root = BTreeMap::new();
    for (path, values) in fields {
        insert(&mut root, &path, &path, Leaf::new(values)?)?;
    }
    Ok(Node::Object(root))
}

fn insert(
    nodes: &mut BTreeMap<String, Node>,
    rest: &[String],
    path: &[String],
    leaf: Leaf,
) -> Result<(), PatternError> {
    let (name, rest) = rest.split_first().expect("a field has a name: paths are pushed before values are read");
    if rest.is_empty() {
        return match nodes.insert(name.clone(), Node::Leaf(leaf)) {
            None => Ok(()),
            Some(_) => Err(constrained_twice(path)),
        };
    }
    match nodes.entry(name.clone()).or_insert_with(|| Node::Object(BTreeMap::new())) {
        Node::Object(children) => insert(children, rest, path, leaf),
        Node::Leaf(_) => Err(constrained_twice(path)),
    }
}
