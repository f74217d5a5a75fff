use std::{collections::HashMap, error::Error};

use async_trait::async_trait;
use serde_dynamo::AttributeValue;

use crate::Key;

/// A row as the store keeps it.
pub type Item = HashMap<String, AttributeValue>;

/// Reads rows of the function's tables, consistently: a read sees every commit that returned before it began.
#[async_trait]
pub trait Store: Send + Sync {
    /// The row under `key`, if there is one.
    async fn load(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError>;

    /// The rows of one partition whose sort key begins with the key's, in the sort key's order, `limit` at most.
    async fn query(&self, table: &str, prefix: &Key, limit: usize) -> Result<Vec<Item>, StoreError>;
}

/// A read that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} on table `{table}` failed")]
pub struct StoreError {
    /// The operation, such as `GetItem`.
    pub operation: &'static str,
    /// Logical name of the table.
    pub table: String,
    /// What the store says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}
