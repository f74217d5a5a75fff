mod circuit_breaker;
mod commit;
mod error;
mod expression;
mod ledger;
mod record;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use record::{EVENTS, OUTBOX};
use std::collections::HashMap;

use aws_sdk_dynamodb::Client;

use crate::{refusal::Resource, settings};

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
        self.tables
            .get(logical)
            .map(String::as_str)
            .ok_or_else(|| UnknownTable { logical: logical.to_owned(), variable: settings::table_variable(logical) })
    }

    /// The ledger's table, as an error names it.
    fn ledger_resource(&self) -> Resource {
        let variable = Some(settings::LEDGER_TABLE.to_owned());
        Resource { kind: "table", name: self.ledger_table.clone(), variable }
    }

    /// A table, as an error names it.
    fn resource(&self, logical: &str) -> Resource {
        let name = self.tables.get(logical).map_or(logical, String::as_str).to_owned();
        Resource { kind: "table", name, variable: Some(settings::table_variable(logical)) }
    }
}
