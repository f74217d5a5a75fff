//! What a function process is told by its environment.

use std::collections::HashMap;

use crate::RunError;

/// Name of the ledger's table.
pub(crate) const LEDGER_TABLE: &str = "LEDGER_TABLE";
/// URL of the queue that feeds the function.
pub(crate) const QUEUE_URL: &str = "QUEUE_URL";
/// URL of that queue's dead-letter queue.
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// The bus that the relay publishes to.
pub(crate) const EVENT_BUS_NAME: &str = "EVENT_BUS_NAME";

const TABLE_SUFFIX: &str = "_TABLE";

/// The variable that holds the physical name of a logical table: `orders` → `ORDERS_TABLE`.
pub(crate) fn table_variable(logical: &str) -> String {
    format!("{}{TABLE_SUFFIX}", logical.to_uppercase().replace('-', "_"))
}

/// A variable that must be set.
pub(crate) fn required(name: &'static str) -> Result<String, RunError> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or(RunError::VariableMissing { name })
}

/// Every table the environment names, by its logical name.
pub(crate) fn tables() -> HashMap<String, String> {
    let logical = |name: String| name.strip_suffix(TABLE_SUFFIX).map(|name| name.to_lowercase().replace('_', "-"));
    std::env::vars().filter_map(|(name, value)| Some((logical(name)?, value))).collect()
}
