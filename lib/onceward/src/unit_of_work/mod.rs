mod condition;
mod error;
mod limits;
pub(crate) mod number;
mod record;
mod size;
mod update;
mod validate;

use serde::Serialize;
use serde_dynamo::AttributeValue;

pub use condition::{Condition, absent, all, at_least, equals, present, version};
pub use error::UnitOfWorkError;
pub use limits::{
    ACTIONS_MAX, ANSWER_BYTES_MAX, EVENT_BYTES_MAX, EVENTS_MAX, ITEM_BYTES_MAX, PARTITION_KEY_BYTES_MAX,
    SORT_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX,
};
pub use update::{Change, Update};

use crate::{Entity, Event, FailedRow, Item, Key};

/// What a handler wants to happen: rows to write, events to publish, an answer. All of it happens once, or none.
///
/// ```
/// # use onceward::{Entity, Key, UnitOfWork, Update, absent, at_least};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize)]
/// struct Stock {
///     available: i64,
/// }
/// impl Entity for Stock {
///     const TABLE: &'static str = "inventory";
///     fn key(&self) -> Key {
///         Key::new("pk", "product#p-1")
///     }
/// }
/// let key = Key::new("pk", "product#p-1");
/// let take_two = Update::new().subtract("available", 2).add("reserved", 2);
/// let unit = UnitOfWork::new().update::<Stock>(key, take_two, at_least("available", 2));
/// ```
#[derive(Debug, Default)]
pub struct UnitOfWork {
    actions: Vec<Action>,
    events: Vec<PendingEvent>,
    answer: Option<String>,
    error: Option<UnitOfWorkError>,
}

/// One row's part of a unit of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Logical name of the table.
    pub table: &'static str,
    /// The row.
    pub key: Key,
    /// What to do to it.
    pub operation: Operation,
    /// What must hold for the row before.
    pub condition: Condition,
}

/// What is done to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Replaces the row, or creates it.
    Put(Item),
    /// Changes attributes of the row, or creates it with them.
    Update(Vec<Change>),
    /// Removes the row; nothing happens if there is none.
    Delete,
    /// Only the condition counts.
    Check,
}

/// An event that has no envelope yet.
#[derive(Debug)]
pub(crate) struct PendingEvent {
    pub(crate) event_type: String,
    pub(crate) subject: String,
    pub(crate) sequence: Option<u64>,
    pub(crate) data: Box<serde_json::value::RawValue>,
}

impl UnitOfWork {
    /// Nothing to do: the event counts as handled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a whole row.
    #[must_use]
    pub fn put<T: Entity>(mut self, entity: &T, condition: Condition) -> Self {
        match serde_dynamo::to_item(entity) {
            Ok(item) => self.act::<T>(entity.key(), Operation::Put(item), condition),
            Err(error) => self.refuse(T::TABLE, &error),
        }
        self
    }

    /// Changes attributes of a row without reading it: the way for rows that many handlers change at once.
    #[must_use]
    pub fn update<T: Entity>(mut self, key: Key, update: Update, condition: Condition) -> Self {
        match update.into_changes() {
            Ok(changes) => self.act::<T>(key, Operation::Update(changes), condition),
            Err(error) => self.refuse(T::TABLE, &error),
        }
        self
    }

    /// Removes a row.
    #[must_use]
    pub fn delete<T: Entity>(mut self, key: Key, condition: Condition) -> Self {
        self.act::<T>(key, Operation::Delete, condition);
        self
    }

    /// Commits only if the condition holds for a row that is not written.
    #[must_use]
    pub fn check<T: Entity>(mut self, key: Key, condition: Condition) -> Self {
        self.act::<T>(key, Operation::Check, condition);
        self
    }

    /// Publishes an event about something whose state this context does not own.
    #[must_use]
    pub fn publish<E: Event>(self, event: &E) -> Self {
        self.emit(event, None)
    }

    /// Publishes an event about something this context owns, with the version of its state after this unit of work.
    #[must_use]
    pub fn publish_at<E: Event>(self, event: &E, sequence: u64) -> Self {
        self.emit(event, Some(sequence))
    }

    /// What the caller gets, and every duplicate of the call: at most 64 KiB of JSON.
    #[must_use]
    pub fn answer(mut self, answer: &impl Serialize) -> Self {
        match serde_json::to_string(answer) {
            Ok(json) => self.answer = Some(json),
            Err(error) => self.refuse("the answer", &error),
        }
        self
    }

    fn act<T: Entity>(&mut self, key: Key, operation: Operation, condition: Condition) {
        self.actions.push(Action { table: T::TABLE, key, operation, condition });
    }

    fn emit<E: Event>(mut self, event: &E, sequence: Option<u64>) -> Self {
        match serde_json::value::to_raw_value(event) {
            Ok(data) => {
                let (event_type, subject) = (E::wire_type(), event.subject());
                self.events.push(PendingEvent { event_type, subject, sequence, data });
            }
            Err(error) => self.refuse(E::TYPE, &error),
        }
        self
    }

    fn refuse(&mut self, what: &str, error: &dyn std::error::Error) {
        let error = UnitOfWorkError::NotSerializable { what: what.to_owned(), message: error.to_string() };
        self.error.get_or_insert(error);
    }

    /// The parts, if they can be committed.
    pub(crate) fn into_parts(self) -> Result<Parts, UnitOfWorkError> {
        let row_bytes = self.row_bytes()?;
        Ok(Parts { actions: self.actions, events: self.events, answer: self.answer, row_bytes })
    }
}

/// A unit of work that was checked.
pub(crate) struct Parts {
    pub(crate) actions: Vec<Action>,
    pub(crate) events: Vec<PendingEvent>,
    pub(crate) answer: Option<String>,
    /// What the rows count towards the limit of a transaction.
    pub(crate) row_bytes: usize,
}

impl Action {
    /// `table/partition[/sort]`, for messages.
    pub fn row(&self) -> String {
        row_name(self.table, &self.key)
    }

    /// The same row, as one whose condition did not hold.
    pub fn failed(&self, exists: bool) -> FailedRow {
        FailedRow { table: self.table, key: self.key.clone(), exists }
    }

    /// The item of a put, with the key's attributes in it; `None` for other operations.
    pub fn put_item(&self) -> Option<Item> {
        let Operation::Put(item) = &self.operation else { return None };
        let mut item = item.clone();
        for (name, value) in self.key.attributes() {
            item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
        }
        Some(item)
    }
}

/// `table/partition[/sort]`, for messages.
pub(crate) fn row_name(table: &str, key: &Key) -> String {
    key.attributes().fold(table.to_owned(), |row, (_, value)| format!("{row}/{value}"))
}

#[cfg(test)]
mod tests;
