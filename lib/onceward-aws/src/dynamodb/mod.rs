mod circuit_breaker;
mod commit;
mod error;
mod expression;
mod ledger;
mod record;
mod store;

pub(crate) use record::EVENTS;
use std::collections::HashMap;

use aws_sdk_dynamodb::Client;

/// The ledger, and the tables that commit with it, in DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoDbLedger {
    client: Client,
    ledger_table: String,
    tables: HashMap<String, String>,
}

impl DynamoDbLedger {
    /// A ledger in the table `ledger_table`, with the physical names of other tables by their logical ones.
    pub fn new(client: Client, ledger_table: impl Into<String>, tables: HashMap<String, String>) -> Self {
        Self { client, ledger_table: ledger_table.into(), tables }
    }
}

/// A function has no table of this name.
#[derive(Debug, thiserror::Error)]
#[error("no table is configured for `{logical}`: set the environment variable {variable} to its name")]
struct UnknownTable {
    logical: String,
    variable: String,
}

impl DynamoDbLedger {
    /// The physical name of a table.
    fn table(&self, logical: &str) -> Result<&str, UnknownTable> {
        self.tables.get(logical).map(String::as_str).ok_or_else(|| UnknownTable {
            logical: logical.to_owned(),
            variable: crate::settings::table_variable(logical),
        })
    }
}
