//! The query protocol's parameters, as JSON: `Attribute.1.Name=…&Attribute.1.Value=…` is `{"Attributes": {…: …}}`.

use super::super::error::SqsError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Parts of a key: `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue` has the most, six.
const KEY_PARTS_MAX: usize = 8;
/// Parameters of one request: ten entries with ten attributes of three each stay below it.
const PARAMETERS_MAX: usize = 1_000;

#[derive(Debug)]
enum Node {
    Leaf(String),
    Branch(BTreeMap<String, Node>),
}

/// How a parameter's numbered parts are put together.
#[derive(Debug, Clone, Copy)]
enum Shape {
    List,
    /// A map, with the name of its keys.
    Map(&'static str),
}

/// The parameters of a form-encoded body, with the names and shapes of the JSON protocol.
pub(super) fn parameters(body: &[u8]) -> Result<Map<String, Value>, SqsError> {
    let mut tree = BTreeMap::new();
    for (index, (key, value)) in form_urlencoded::parse(body).enumerate() {
        if index >= PARAMETERS_MAX || key.split('.').count() > KEY_PARTS_MAX {
            let reason = format!("the parameter {key} is one too many, or nested too deep");
            return Err(SqsError::Serialization { reason });
        }
        insert(&mut tree, &key, value.into_owned());
    }
    Ok(object(tree))
}

fn insert(tree: &mut BTreeMap<String, Node>, key: &str, value: String) {
    match key.split_once('.') {
        None => {
            tree.insert(key.to_owned(), Node::Leaf(value));
        }
        Some((part, rest)) => {
            let branch = tree.entry(part.to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new()));
            if let Node::Branch(branch) = branch {
                insert(branch, rest, value);
            }
        }
    }
}

fn known(name: &str) -> Option<(&'static str, Shape)> {
    Some(match name {
        "Attribute" => ("Attributes", Shape::Map("Name")),
        "MessageAttribute" => ("MessageAttributes", Shape::Map("Name")),
        "MessageSystemAttribute" => ("MessageSystemAttributes", Shape::Map("Name")),
        "Tag" => ("Tags", Shape::Map("Key")),
        "AttributeName" => ("AttributeNames", Shape::List),
        "MessageAttributeName" => ("MessageAttributeNames", Shape::List),
        "MessageSystemAttributeName" => ("MessageSystemAttributeNames", Shape::List),
        "AWSAccountId" => ("AWSAccountIds", Shape::List),
        "ActionName" => ("Actions", Shape::List),
        "TagKey" => ("TagKeys", Shape::List),
        "SendMessageBatchRequestEntry"
        | "DeleteMessageBatchRequestEntry"
        | "ChangeMessageVisibilityBatchRequestEntry" => ("Entries", Shape::List),
        _ => return None,
    })
}

fn object(tree: BTreeMap<String, Node>) -> Map<String, Value> {
    tree.into_iter()
        .map(|(name, node)| match known(&name) {
            Some((name, shape)) => (name.to_owned(), shaped(node, shape)),
            None => (name, plain(node)),
        })
        .collect()
}

fn plain(node: Node) -> Value {
    match node {
        Node::Leaf(text) => Value::String(text),
        Node::Branch(tree) => Value::Object(object(tree)),
    }
}

fn shaped(node: Node, shape: Shape) -> Value {
    let mut items: Vec<(u32, Node)> = match node {
        // `AttributeName=All` and `Attribute.Name=…` without a number are a list of one.
        Node::Leaf(_) => vec![(0, node)],
        Node::Branch(tree) if tree.contains_key("Name") || tree.contains_key("Key") => vec![(0, Node::Branch(tree))],
        Node::Branch(tree) => tree.into_iter().map(|(index, node)| (index.parse().unwrap_or(u32::MAX), node)).collect(),
    };
    items.sort_by_key(|(index, _)| *index);
    let items = items.into_iter().map(|(_, node)| plain(node));
    match shape {
        Shape::List => Value::Array(items.collect()),
        Shape::Map(key) => Value::Object(
            items
                .filter_map(|mut item| {
                    let name = item.get(key)?.as_str()?.to_owned();
                    Some((name, item.get_mut("Value")?.take()))
                })
                .collect(),
        ),
    }
}
