//! Where each thing is written, for what is found once the template is read.

use std::collections::BTreeMap;

use super::node::{Data, Key, Node};

/// Lines of the template, from 1, by place: a resource's logical id, then its properties and attributes, joined by dots;
/// `Orders.Environment.Variables.LEDGER_TABLE`, `OrdersRule.Targets[0].Arn`. Other sections begin with their name:
/// `Globals.Function.Timeout`.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    pub(super) places: BTreeMap<String, usize>,
    /// Where a role is written, by its ARN.
    pub(super) roles: BTreeMap<String, String>,
}

impl Lines {
    /// The line of `place`, or of the closest thing around it that is written.
    pub fn of(&self, place: &str) -> usize {
        let mut place = place;
        loop {
            if let Some(line) = self.places.get(place) {
                return *line;
            }
            match place.rfind(['.', '[']) {
                Some(end) => place = &place[..end],
                None => return 1,
            }
        }
    }

    /// Whether `place` is written.
    pub fn has(&self, place: &str) -> bool {
        self.places.contains_key(place)
    }

    /// The line of a function's property: its own, else the one of `Globals.Function`, else the closest thing around it.
    pub fn of_function(&self, logical_id: &str, property: &str) -> usize {
        let (own, global) = (format!("{logical_id}.{property}"), format!("Globals.Function.{property}"));
        if !self.has(&own) && self.has(&global) { self.of(&global) } else { self.of(&own) }
    }

    /// The place of the role with this ARN, if the template has it: its logical id, or the `Policies` of the function
    /// that SAM makes it of.
    pub fn role(&self, arn: &str) -> Option<&str> {
        self.roles.get(arn).map(String::as_str)
    }
}

/// Every place of the template.
pub(super) fn places(root: &Node) -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    let Data::Map(sections) = &root.data else { return places };
    for (section, node) in sections {
        if section.name != "Resources" {
            enter(section, node, &section.name, &mut places);
            continue;
        }
        for (id, resource) in entries(node) {
            places.insert(id.name.clone(), id.line);
            for (attribute, node) in entries(resource) {
                if attribute.name == "Properties" {
                    walk(node, &id.name, &mut places);
                } else {
                    enter(attribute, node, &format!("{}.{}", id.name, attribute.name), &mut places);
                }
            }
            generated(&id.name, resource, &mut places);
        }
    }
    places
}

/// What SAM makes of a function's events has the name of both: `{function}{event}`.
fn generated(function: &str, resource: &Node, places: &mut BTreeMap<String, usize>) {
    let events = resource.get("Properties").and_then(|properties| properties.get("Events"));
    for (event, node) in events.map(entries).unwrap_or_default() {
        let place = format!("{function}{}", event.name);
        if let (false, Some(properties)) = (places.contains_key(&place), node.get("Properties")) {
            enter(event, properties, &place, places);
        }
    }
}

fn enter(key: &Key, node: &Node, place: &str, places: &mut BTreeMap<String, usize>) {
    places.insert(place.to_owned(), key.line);
    walk(node, place, places);
}

fn walk(node: &Node, place: &str, places: &mut BTreeMap<String, usize>) {
    match &node.data {
        Data::Map(entries) => {
            for (key, node) in entries {
                enter(key, node, &format!("{place}.{}", key.name), places);
            }
        }
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let place = format!("{place}[{index}]");
                places.insert(place.clone(), item.line);
                walk(item, &place, places);
            }
        }
        // What a function makes has no lines of its own.
        Data::Scalar { .. } | Data::Call { .. } => {}
    }
}

fn entries(node: &Node) -> &[(Key, Node)] {
    match &node.data {
        Data::Map(entries) => entries,
        _ => &[],
    }
}
