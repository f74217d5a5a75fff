use std::{cell::RefCell, collections::BTreeMap, ops::RangeInclusive};

use serde_json::Value;

use super::{
    error::Faulted,
    intrinsics::Resolver,
    node::{Data, Key, Node},
};

/// The properties of one resource, or of one part of it.
///
/// Each is read by name; [`Properties::finish`] reports those that nobody asked for. A property that cannot be read
/// is in the list of faults and reads as absent, so that the reader goes on and finds the next.
pub(super) struct Properties<'a> {
    pub(super) resolver: &'a Resolver<'a>,
    pub(super) place: String,
    pub(super) line: usize,
    entries: Vec<(Key, Node)>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Properties<'a> {
    pub(super) fn new(resolver: &'a Resolver<'a>, node: &Node, place: impl Into<String>) -> Self {
        let place = place.into();
        let entries = match &node.data {
            Data::Map(entries) => entries.clone(),
            Data::Call { .. } => match resolver.resolve(node, &place) {
                Ok(Some(Node { data: Data::Map(entries), .. })) => entries,
                Ok(Some(other)) => {
                    resolver.faults.add(node.line, &place, format!("expected a mapping, found {}", other.kind()));
                    Vec::new()
                }
                Ok(None) | Err(Faulted) => Vec::new(),
            },
            _ => {
                resolver.faults.add(node.line, &place, format!("expected a mapping, found {}", node.kind()));
                Vec::new()
            }
        };
        Self { resolver, place, line: node.line, entries, known: RefCell::default() }
    }

    /// The value as written, functions and all.
    pub(super) fn raw(&self, name: &'static str) -> Option<&Node> {
        self.known.borrow_mut().push(name);
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// The resolved value.
    pub(super) fn get(&self, name: &'static str) -> Option<Node> {
        let node = self.raw(name)?;
        self.resolver.resolve(node, &self.place_of(name)).ok().flatten().filter(|node| !node.is_null())
    }

    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        let node = self.get(name)?;
        let text = node.as_text().map(str::to_owned);
        if text.is_none() {
            self.fault_at(node.line, name, format!("expected a text, found {}", node.kind()));
        }
        text
    }

    /// A text that must be there. `None` means a fault was noted.
    pub(super) fn required_text(&self, name: &'static str) -> Option<String> {
        self.require(name);
        self.text(name)
    }

    /// Notes a fault unless the property is written.
    pub(super) fn require(&self, name: &'static str) {
        if self.raw(name).is_none() {
            self.resolver.faults.add(self.line, &self.place, format!("`{name}` is required"));
        }
    }

    pub(super) fn number<T>(&self, name: &'static str, range: RangeInclusive<i64>) -> Option<T>
    where
        T: TryFrom<i64>,
    {
        let node = self.get(name)?;
        let number = node.as_text().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            let message =
                format!("expected a whole number from {} to {}, found {}", range.start(), range.end(), node.kind());
            self.fault_at(node.line, name, message);
        }
        number
    }

    pub(super) fn boolean(&self, name: &'static str) -> Option<bool> {
        self.one_of(name, &["true", "false"]).map(|text| text == "true")
    }

    pub(super) fn one_of(&self, name: &'static str, allowed: &[&'static str]) -> Option<&'static str> {
        let node = self.get(name)?;
        let found = allowed.iter().find(|allowed| node.as_text() == Some(**allowed)).copied();
        if found.is_none() {
            self.fault_at(node.line, name, format!("expected {}, found {}", allowed.join(" or "), node.kind()));
        }
        found
    }

    /// The items of a list; none if it is absent.
    pub(super) fn list(&self, name: &'static str) -> Vec<Node> {
        match self.get(name) {
            None => Vec::new(),
            Some(Node { data: Data::List(items), .. }) => items,
            Some(other) => {
                self.fault_at(other.line, name, format!("expected a list, found {}", other.kind()));
                Vec::new()
            }
        }
    }

    pub(super) fn nested(&self, name: &'static str) -> Option<Properties<'a>> {
        let node = self.raw(name)?;
        Some(Properties::new(self.resolver, node, self.place_of(name)))
    }

    pub(super) fn json(&self, name: &'static str) -> Option<Value> {
        self.get(name).map(|node| node.to_json())
    }

    /// A mapping of free names to texts; empty if it is absent.
    pub(super) fn texts(&self, name: &'static str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let Some(properties) = self.nested(name) else { return texts };
        let place = properties.place.clone();
        for (key, node) in properties.into_entries() {
            let place = format!("{place}.{}", key.name);
            let Ok(Some(value)) = self.resolver.resolve(&node, &place) else { continue };
            if let Some(text) = value.as_text() {
                texts.insert(key.name, text.to_owned());
            } else {
                self.resolver.faults.add(node.line, place, format!("expected a text, found {}", value.kind()));
            }
        }
        texts
    }

    /// Every entry of a mapping whose keys are free.
    pub(super) fn into_entries(self) -> Vec<(Key, Node)> {
        self.entries
    }

    /// Properties that make no difference on one machine.
    pub(super) fn irrelevant(&self, names: &[&'static str]) {
        self.known.borrow_mut().extend(names);
    }

    /// Properties that would make a difference and that the local cloud does not have.
    pub(super) fn refuse(&self, names: &[&'static str], reason: &str) {
        for name in names {
            if let Some(node) = self.raw(name) {
                self.fault_at(node.line, name, format!("not supported by the local cloud: {reason}"));
            }
        }
    }

    /// Notes what is wrong with a property, on the line where it is named.
    pub(super) fn fault(&self, name: &str, message: impl Into<String>) -> Faulted {
        let entry = self.entries.iter().find(|(key, _)| key.name == name);
        self.fault_at(entry.map_or(self.line, |(key, _)| key.line), name, message)
    }

    pub(super) fn fault_at(&self, line: usize, name: &str, message: impl Into<String>) -> Faulted {
        self.resolver.faults.add(line, self.place_of(name), message)
    }

    pub(super) fn place_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// Reports every property that was not asked for.
    pub(super) fn finish(self) {
        let mut known = self.known.into_inner();
        known.sort_unstable();
        known.dedup();
        for (key, _) in self.entries.iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            let place = format!("{}.{}", self.place, key.name);
            let message = format!("the local cloud does not know this property; here it knows: {}", known.join(", "));
            self.resolver.faults.add(key.line, place, message);
        }
    }
}
