use serde::{Serialize, de::DeserializeOwned};

/// A type whose values are rows of a table.
///
/// It is written and read by serde: field names become attribute names.
pub trait Entity: Serialize + DeserializeOwned + Send + Sync {
    /// Logical name of the table. The AWS adapter finds the physical one in the environment variable
    /// `{NAME}_TABLE`: `orders` → `ORDERS_TABLE`.
    const TABLE: &'static str;

    /// The row's primary key. Key attributes need not be fields of the type: they are added when it is written.
    fn key(&self) -> Key;
}

/// A row's primary key: a partition key and maybe a sort key, both strings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Name and value of the partition key: 1 to 2,048 bytes.
    pub partition: (&'static str, String),
    /// Name and value of the sort key: 1 to 1,024 bytes.
    pub sort: Option<(&'static str, String)>,
}

impl Key {
    /// A key with a partition only.
    pub fn new(attribute: &'static str, value: impl Into<String>) -> Self {
        Self { partition: (attribute, value.into()), sort: None }
    }

    /// The same key with a sort key.
    #[must_use]
    pub fn sort(mut self, attribute: &'static str, value: impl Into<String>) -> Self {
        self.sort = Some((attribute, value.into()));
        self
    }

    /// Attribute names and values, partition first.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [Some(&self.partition), self.sort.as_ref()].into_iter().flatten().map(|(name, value)| (*name, value.as_str()))
    }
}
