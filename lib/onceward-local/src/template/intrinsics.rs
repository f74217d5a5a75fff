use std::{cell::RefCell, collections::BTreeMap};

use super::{
    document::Document,
    error::{Faulted, Faults},
    names,
    node::{Data, Key, Node},
    parameters::Parameter,
};
use crate::account::Account;

/// Turns values with intrinsic functions into plain values.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    pub(super) document: &'a Document,
    pub(super) account: &'a Account,
    pub(super) stack_name: &'a str,
    pub(super) parameters: BTreeMap<String, Parameter>,
    pub(super) faults: &'a Faults,
    /// What is being resolved, outermost first: a name that comes up again refers to itself.
    pub(super) underway: RefCell<Vec<String>>,
}

impl Resolver<'_> {
    /// The value without functions; `None` is `AWS::NoValue`, as if it were not written.
    pub(super) fn resolve(&self, node: &Node, place: &str) -> Result<Option<Node>, Faulted> {
        let line = node.line;
        let data = match &node.data {
            Data::Scalar { .. } => return Ok(Some(node.clone())),
            Data::List(items) => Data::List(self.resolve_all(items, place)?),
            Data::Map(entries) => {
                let resolve = |(key, node): &(Key, Node)| {
                    let place = format!("{place}.{}", key.name);
                    Ok(self.resolve(node, &place)?.map(|node| (key.clone(), node)))
                };
                Data::Map(entries.iter().filter_map(|entry| resolve(entry).transpose()).collect::<Result<_, _>>()?)
            }
            Data::Call { function, argument } => return self.call(function, argument, place),
        };
        Ok(Some(Node { line, data }))
    }

    /// The resolved items, without those that are `AWS::NoValue`.
    pub(super) fn resolve_all(&self, items: &[Node], place: &str) -> Result<Vec<Node>, Faulted> {
        items.iter().filter_map(|item| self.resolve(item, place).transpose()).collect()
    }

    fn call(&self, function: &str, argument: &Node, place: &str) -> Result<Option<Node>, Faulted> {
        let line = argument.line;
        match function {
            "Ref" => names::reference(self, self.literal(argument, "Ref", place)?, line, place),
            "Fn::GetAtt" => {
                let (id, attribute) = self.attribute_path(argument, place)?;
                names::attribute(self, &id, &attribute, line, place).map(|text| Some(Node::text(line, text)))
            }
            "Fn::Sub" => self.substitute(argument, place).map(|text| Some(Node::text(line, text))),
            "Fn::Join" => self.join(argument, place).map(|text| Some(Node::text(line, text))),
            "Fn::Split" => self.split(argument, place).map(Some),
            "Fn::Select" => self.select(argument, place).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument, place).map(Some),
            "Fn::If" => match self.arguments(argument, function, place)?.as_slice() {
                [condition, then, otherwise] => {
                    let holds = self.condition(self.literal(condition, "Fn::If", place)?, line, place)?;
                    self.resolve(if holds { then } else { otherwise }, place)
                }
                _ => Err(self.faults.add(line, place, "Fn::If takes [condition, value if true, value if false]")),
            },
            other => Err(self.faults.add(
                line,
                place,
                format!(
                    "the function {other} is not supported by the local cloud: it knows Ref, Fn::GetAtt, Fn::Sub, Fn::Join, \
                     Fn::Split, Fn::Select, Fn::FindInMap and Fn::If"
                ),
            )),
        }
    }

    /// Whether the condition named `name` holds.
    pub(super) fn condition(&self, name: &str, line: usize, place: &str) -> Result<bool, Faulted> {
        let Some((_, node)) = self.document.conditions.iter().find(|(key, _)| key.name == name) else {
            return Err(self.faults.add(line, place, format!("there is no condition `{name}` in Conditions")));
        };
        self.guarded(&format!("condition {name}"), line, place, || self.holds(node, &format!("Conditions.{name}")))
    }

    fn holds(&self, node: &Node, place: &str) -> Result<bool, Faulted> {
        let line = node.line;
        // In the Conditions section `{Condition: Name}` is a reference too, and only there.
        if let Some(name) = node.get("Condition").and_then(Node::as_text) {
            return self.condition(name, line, place);
        }
        let Data::Call { function, argument } = &node.data else {
            let message = format!("expected Fn::Equals, Fn::Not, Fn::And, Fn::Or or Condition, found {}", node.kind());
            return Err(self.faults.add(line, place, message));
        };
        let all = || -> Result<Vec<bool>, Faulted> {
            self.arguments(argument, function, place)?.iter().map(|node| self.holds(node, place)).collect()
        };
        match function.as_str() {
            "Condition" => self.condition(self.literal(argument, "Condition", place)?, line, place),
            "Fn::And" => Ok(all()?.into_iter().all(|holds| holds)),
            "Fn::Or" => Ok(all()?.into_iter().any(|holds| holds)),
            "Fn::Not" => match all()?.as_slice() {
                [holds] => Ok(!holds),
                _ => Err(self.faults.add(line, place, "Fn::Not takes a list of one condition")),
            },
            "Fn::Equals" => match self.arguments(argument, function, place)?.as_slice() {
                [left, right] => Ok(self.text(left, place)? == self.text(right, place)?),
                _ => Err(self.faults.add(line, place, "Fn::Equals takes a list of two values")),
            },
            other => {
                let message = format!("the function {other} is not supported in a condition by the local cloud");
                Err(self.faults.add(line, place, message))
            }
        }
    }

    /// Runs `read` unless `name` is being resolved already.
    pub(super) fn guarded<T>(
        &self,
        name: &str,
        line: usize,
        place: &str,
        read: impl FnOnce() -> Result<T, Faulted>,
    ) -> Result<T, Faulted> {
        if self.underway.borrow().iter().any(|known| known == name) {
            return Err(self.faults.add(line, place, format!("{name} refers to itself")));
        }
        self.underway.borrow_mut().push(name.to_owned());
        let result = read();
        self.underway.borrow_mut().pop();
        result
    }
}
