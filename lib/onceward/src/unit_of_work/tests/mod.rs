mod limits;
mod runtime;
mod sizes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;

/// A row with any attributes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Row {
    #[serde(skip)]
    id: String,
    #[serde(flatten)]
    attributes: BTreeMap<String, serde_json::Value>,
}

impl Row {
    fn new(id: usize) -> Self {
        Self { id: id.to_string(), attributes: BTreeMap::new() }
    }

    fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }
}

impl Entity for Row {
    const TABLE: &'static str = "rows";

    fn key(&self) -> Key {
        key(&self.id)
    }
}

fn key(id: impl Into<String>) -> Key {
    Key::new("pk", id)
}

#[derive(Default, Serialize, Deserialize)]
struct Happened {
    #[serde(skip)]
    subject: String,
    text: String,
}

impl Event for Happened {
    const TYPE: &'static str = "it.happened";

    fn subject(&self) -> String {
        self.subject.clone()
    }
}

#[test]
fn touching_a_row_twice_is_refused_with_its_name() {
    let unit = UnitOfWork::new().put(&Row::new(7), absent()).check::<Row>(key("7"), present());
    assert_eq!(unit.validate(), Err(UnitOfWorkError::SameRowTwice { row: "rows/7".to_owned() }));
    let rows = [key("7"), key("8"), key("7").sort("sk", "a"), key("7").sort("sk", "b")];
    let unit = rows.into_iter().fold(UnitOfWork::new(), |unit, row| unit.delete::<Row>(row, all([])));
    assert_eq!(unit.validate(), Ok(()));
}

#[test]
fn an_update_has_to_change_something_and_each_attribute_once() {
    let unclear = Err(UnitOfWorkError::UpdateUnclear { row: "rows/7".to_owned() });
    let update = |update| UnitOfWork::new().update::<Row>(key("7"), update, all([])).validate();
    assert_eq!(update(Update::new()), unclear);
    assert_eq!(update(Update::new().set("a", 1).add("a", 1)), unclear);
    assert_eq!(update(Update::new().set("a", 1).add("b", 1)), Ok(()));
}

#[test]
fn a_value_that_cannot_be_serialized_is_refused() {
    let unit = UnitOfWork::new().answer(&BTreeMap::from([((1, 2), 3)]));
    let error = unit.validate().unwrap_err().to_string();
    assert!(error.starts_with("the answer cannot be serialized: "), "{error}");
}

#[test]
fn a_put_item_carries_its_key() {
    let parts = UnitOfWork::new().put(&Row::new(7).with("id", 7), absent()).into_parts().ok().unwrap();
    let item = parts.actions[0].put_item().unwrap();
    assert_eq!(item["pk"], AttributeValue::S("7".to_owned()));
    assert_eq!(item["id"], AttributeValue::N("7".to_owned()));
}
