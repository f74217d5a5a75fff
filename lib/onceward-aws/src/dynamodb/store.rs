use async_trait::async_trait;
use onceward::{Item, Key, Store, StoreError};

use super::{
    DynamoDbLedger, UnknownTable,
    expression::{Placeholders, key_item, text},
    record::SdkItem,
};

#[async_trait]
impl Store for DynamoDbLedger {
    async fn load(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        let physical = self.table(table).map_err(|error| unknown("GetItem", error))?;
        let request = self.client.get_item().table_name(physical).set_key(Some(key_item(key))).consistent_read(true);
        let answer = request.send().await.map_err(|error| self.read_failed("GetItem", table, error))?;
        Ok(answer.item.map(convert))
    }

    async fn query(&self, table: &str, prefix: &Key, limit: usize) -> Result<Vec<Item>, StoreError> {
        let physical = self.table(table).map_err(|error| unknown("Query", error))?;
        let mut placeholders = Placeholders::default();
        let (name, value) = &prefix.partition;
        let mut condition = format!("{} = {}", placeholders.name(name), placeholders.value(text(value)));
        if let Some((name, value)) = &prefix.sort {
            let (name, value) = (placeholders.name(name), placeholders.value(text(value)));
            condition = format!("{condition} AND begins_with({name}, {value})");
        }
        let mut items = Vec::new();
        let mut start = None;
        // Each page adds rows or ends the loop: a page without rows has no key to continue from, as nothing is filtered.
        while items.len() < limit {
            let answer = self
                .client
                .query()
                .table_name(physical)
                .consistent_read(true)
                .key_condition_expression(&condition)
                .set_expression_attribute_names(placeholders.names())
                .set_expression_attribute_values(placeholders.values())
                .limit(i32::try_from(limit - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| self.read_failed("Query", table, error))?;
            items.extend(answer.items.unwrap_or_default().into_iter().map(convert));
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        Ok(items)
    }
}

fn unknown(operation: &'static str, error: UnknownTable) -> StoreError {
    StoreError { operation, table: error.logical.clone(), source: Box::new(error) }
}

fn convert(item: SdkItem) -> Item {
    item.into_iter().map(|(name, value)| (name, value.into())).collect()
}
