use std::{collections::HashSet, fmt};

use super::{
    ACTIONS_MAX, ANSWER_BYTES_MAX, Action, Change, Condition, EVENT_BYTES_MAX, EVENTS_MAX, ITEM_BYTES_MAX, Operation,
    PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX, UnitOfWork, UnitOfWorkError,
    error::SPLIT_WORK,
    limits::KEY_NAME_BYTES_MAX,
    size::{Refusal, attribute_bytes, list_of_one_bytes, name_bytes},
    update,
};

/// What to do about a row that no item can hold.
const SPLIT_ROW: &str = "keep large values elsewhere, such as in S3, or split the row";

/// The most characters of a row's name in an error: a key may be what is too long.
const ROW_CHARS_MAX: usize = 200;

/// What a number counts at most: 38 digits, a point between two pairs, a sign.
const NUMBER_BYTES_MAX: usize = 22;

impl UnitOfWork {
    /// Whether it can be committed; the runtime asks the same before it calls the ledger.
    ///
    /// Two things only DynamoDB can tell: that an update makes a row of more than 400 KB out of what is already there
    /// (what is there also counts towards the 4 MB of a transaction), and that two logical tables are one physical
    /// table, so that the same key in both is one row.
    pub fn validate(&self) -> Result<(), UnitOfWorkError> {
        self.row_bytes().map(drop)
    }

    /// What the rows count towards the limit of a transaction, if it can be committed.
    pub(super) fn row_bytes(&self) -> Result<usize, UnitOfWorkError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        UnitOfWorkError::unless_within("actions in a unit of work", self.actions.len(), ACTIONS_MAX, SPLIT_WORK)?;
        UnitOfWorkError::unless_within("events in a unit of work", self.events.len(), EVENTS_MAX, SPLIT_WORK)?;
        let event_bytes = self.events.iter().map(|event| event.data.get().len()).sum();
        UnitOfWorkError::unless_within("bytes of events in a unit of work", event_bytes, EVENT_BYTES_MAX, SPLIT_WORK)?;
        let answer_bytes = self.answer.as_ref().map_or(0, String::len);
        let advice = "answer with an id under which the caller can read the rest";
        UnitOfWorkError::unless_within("bytes of an answer as JSON", answer_bytes, ANSWER_BYTES_MAX, advice)?;
        let (mut rows, mut row_bytes) = (HashSet::new(), 0);
        for action in &self.actions {
            if !rows.insert((action.table, &action.key)) {
                return Err(UnitOfWorkError::SameRowTwice { row: Shown(action).to_string() });
            }
            let bytes = action.bytes()?;
            let what = format_args!("bytes in the row {}", Shown(action));
            UnitOfWorkError::unless_within(what, bytes, ITEM_BYTES_MAX, SPLIT_ROW)?;
            row_bytes += bytes;
        }
        self.fits_with_record(row_bytes)?;
        Ok(row_bytes)
    }
}

impl Action {
    /// What the row will count at least, names and values, in the state that the action leaves.
    pub(super) fn bytes(&self) -> Result<usize, UnitOfWorkError> {
        let key_bytes = self.key_bytes()?;
        self.check_condition(&self.condition)?;
        let attributes = match &self.operation {
            Operation::Delete | Operation::Check => 0,
            Operation::Put(item) => {
                let others = item.iter().filter(|(name, _)| !self.is_key(name));
                others
                    .map(|(name, value)| self.attribute(name, || attribute_bytes(name, value)))
                    .sum::<Result<_, _>>()?
            }
            Operation::Update(changes) if !update::is_clear(changes) => {
                return Err(UnitOfWorkError::UpdateUnclear { row: Shown(self).to_string() });
            }
            Operation::Update(changes) => {
                changes.iter().map(|change| self.change_bytes(change)).sum::<Result<_, _>>()?
            }
        };
        Ok(key_bytes + attributes)
    }

    fn key_bytes(&self) -> Result<usize, UnitOfWorkError> {
        let limits = [
            (PARTITION_KEY_BYTES_MAX, "a partition key has 1 to 2,048 bytes: use a shorter one, such as a hash"),
            (SORT_KEY_BYTES_MAX, "a sort key has 1 to 1,024 bytes: use a shorter one, such as a hash"),
        ];
        let mut bytes = 0;
        for ((name, value), (limit, expected)) in self.key.attributes().zip(limits) {
            if !(1..=KEY_NAME_BYTES_MAX).contains(&name.len()) {
                let expected = "names of key attributes have 1 to 255 bytes: use the table's own";
                return Err(self.unusable(name, format!("has a name of {} bytes", name.len()), expected));
            }
            if !(1..=limit).contains(&value.len()) {
                return Err(self.unusable(name, format!("has {} bytes", value.len()), expected));
            }
            bytes += name.len() + value.len();
        }
        Ok(bytes)
    }

    fn check_condition(&self, condition: &Condition) -> Result<(), UnitOfWorkError> {
        match condition {
            Condition::Absent | Condition::Present => Ok(()),
            Condition::AtLeast(name, _) => self.attribute(name, || name_bytes(name)).map(drop),
            Condition::Equals(name, value) => {
                let bytes = self.attribute(name, || attribute_bytes(name, value))?;
                let what = format_args!("bytes of `{name}` in a condition on the row {}", Shown(self));
                UnitOfWorkError::unless_within(what, bytes, ITEM_BYTES_MAX, "no row has that much: compare less")
            }
            Condition::All(conditions) => conditions.iter().try_for_each(|condition| self.check_condition(condition)),
        }
    }

    fn change_bytes(&self, change: &Change) -> Result<usize, UnitOfWorkError> {
        let (Change::Set(name, _) | Change::Add(name, _) | Change::Append(name, _)) = change;
        if self.is_key(name) {
            let expected = "a key cannot be changed: delete the row and put another";
            return Err(self.unusable(name, "is changed by an update".to_owned(), expected));
        }
        self.attribute(name, || match change {
            Change::Set(_, value) => attribute_bytes(name, value),
            Change::Add(..) => Ok(name_bytes(name)? + NUMBER_BYTES_MAX),
            Change::Append(_, value) => list_of_one_bytes(name, value),
        })
    }

    fn is_key(&self, attribute: &str) -> bool {
        self.key.attributes().any(|(name, _)| name == attribute)
    }

    fn attribute(&self, name: &str, bytes: impl FnOnce() -> Result<usize, Refusal>) -> Result<usize, UnitOfWorkError> {
        bytes().map_err(|Refusal { found, expected }| self.unusable(name, found, expected))
    }

    fn unusable(&self, attribute: &str, found: String, expected: &'static str) -> UnitOfWorkError {
        let attribute = attribute.chars().take(ROW_CHARS_MAX).collect();
        UnitOfWorkError::Unusable { row: Shown(self).to_string(), attribute, found, expected }
    }
}

/// The row as far as a message has room for it.
struct Shown<'a>(&'a Action);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.0.row();
        match row.char_indices().nth(ROW_CHARS_MAX) {
            Some((end, _)) => write!(f, "{}…", &row[..end]),
            None => f.write_str(&row),
        }
    }
}
