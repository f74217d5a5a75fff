use std::{collections::HashMap, mem, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError},
    types::{KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use chrono::{DateTime, Utc};
use onceward::{
    Backoff, Claim, ClaimOutcome, Clock as _, Commit, CommitOutcome, GroupOutcome, Ledger, LedgerError, LedgerKey,
    LedgerRecord,
};

use super::{
    DynamoDbLedger,
    expression::{Placeholders, number, text},
    record::{self, SdkItem},
};
use crate::{SystemClock, SystemRandomness};

/// The most keys one BatchGetItem takes:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
const BATCH_GET_KEYS_MAX: usize = 100;

/// How often in a row a BatchGetItem may leave out all that it is asked for. Each one that brings something makes the
/// list shorter: records of 400 KB come a few at a time, as one call reads 16 MB at most.
pub(super) const UNPROCESSED_TRIES_MAX: u32 = 4;

/// How long to wait before the keys that were left out are asked for again.
const UNPROCESSED_BACKOFF: Backoff =
    Backoff { base: Duration::from_millis(20), factor: 2, cap: Duration::from_millis(200) };

#[async_trait]
impl Ledger for DynamoDbLedger {
    async fn find(&self, keys: &[LedgerKey]) -> Result<HashMap<LedgerKey, LedgerRecord>, LedgerError> {
        // DynamoDB refuses a key that is asked for twice.
        let mut texts: Vec<_> = keys.iter().map(ToString::to_string).collect();
        texts.sort_unstable();
        texts.dedup();
        let mut records = HashMap::new();
        for chunk in texts.chunks(BATCH_GET_KEYS_MAX) {
            for item in self.batch_get(chunk).await? {
                if let Some(key) = record::key(&item) {
                    records.insert(key, record::read("BatchGetItem", &item)?);
                }
            }
        }
        Ok(records)
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        self.write(commit).await
    }

    async fn commit_group(&self, commits: &[Commit], token: &str) -> Result<GroupOutcome, LedgerError> {
        self.write_group(commits, token).await
    }

    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, LedgerError> {
        let mut placeholders = Placeholders::default();
        let (pk, status) = (placeholders.name(record::PK), placeholders.name(record::STATUS));
        let lease_expires_at = placeholders.name(record::LEASE_EXPIRES_AT);
        let in_progress = placeholders.value(text(record::IN_PROGRESS));
        let now = placeholders.value(number(claim.now.timestamp_millis()));
        let condition =
            format!("attribute_not_exists({pk}) OR ({status} = {in_progress} AND {lease_expires_at} <= {now})");
        let result = self
            .client
            .put_item()
            .table_name(&self.ledger_table)
            .set_item(Some(record::in_progress(claim)))
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = result else { return Ok(ClaimOutcome::Claimed) };
        let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(self.failed("PutItem", error));
        };
        let held = refused.item().map(|item| record::read("PutItem", item)).transpose()?;
        match held {
            // The SDK repeated a claim whose answer was lost.
            Some(LedgerRecord::InProgress(lease)) if lease.owner == claim.lease.owner => Ok(ClaimOutcome::Claimed),
            Some(record) => Ok(ClaimOutcome::Held(record)),
            None => Err(self.failed("PutItem", error)),
        }
    }

    async fn release(&self, key: &LedgerKey, owner: &str) -> Result<(), LedgerError> {
        let mut placeholders = Placeholders::default();
        let (status, held_by) = (placeholders.name(record::STATUS), placeholders.name(record::OWNER));
        let in_progress = placeholders.value(text(record::IN_PROGRESS));
        let owner = placeholders.value(text(owner));
        let result = self
            .client
            .delete_item()
            .table_name(&self.ledger_table)
            .key(record::PK, text(&key.to_string()))
            .condition_expression(format!("{status} = {in_progress} AND {held_by} = {owner}"))
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(self.failed("DeleteItem", error)),
            },
        }
    }

    async fn keep(&self, key: &LedgerKey, until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError> {
        self.extend(key, until).await
    }
}

impl DynamoDbLedger {
    /// Moves a record's expiry, if it is earlier than `until`.
    async fn extend(&self, key: &LedgerKey, until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError> {
        let mut placeholders = Placeholders::default();
        let expires_at = placeholders.name(record::EXPIRES_AT);
        let until = placeholders.value(number(until.timestamp()));
        let result = self
            .client
            .update_item()
            .table_name(&self.ledger_table)
            .key(record::PK, text(&key.to_string()))
            .update_expression(format!("SET {expires_at} = {until}"))
            // A record always has it: what is not there is not made.
            .condition_expression(format!("{expires_at} < {until}"))
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let read = |item: &SdkItem| record::read("UpdateItem", item).map(Some);
        match result {
            Ok(extended) => extended.attributes().map_or(Ok(None), read),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    refused.item().filter(|item| !item.is_empty()).map_or(Ok(None), read)
                }
                _ => Err(self.failed("UpdateItem", error)),
            },
        }
    }

    /// The items of these keys, absent ones left out: at most [`BATCH_GET_KEYS_MAX`], each once.
    async fn batch_get(&self, keys: &[String]) -> Result<Vec<SdkItem>, LedgerError> {
        let mut placeholders = Placeholders::default();
        let projection = record::READ.map(|attribute| placeholders.name(attribute)).join(", ");
        let keys = keys.iter().map(|key| SdkItem::from([(record::PK.to_owned(), text(key))]));
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .projection_expression(projection)
            .set_expression_attribute_names(placeholders.names())
            .build()
            .map_err(|error| LedgerError { operation: "BatchGetItem", transient: false, source: error.into() })?;
        let mut wanted = HashMap::from([(self.ledger_table.clone(), wanted)]);
        let mut items = Vec::new();
        let mut tries = 0;
        loop {
            let asked = count(&wanted);
            let request = self.client.batch_get_item().set_request_items(Some(mem::take(&mut wanted)));
            let answer = request.send().await.map_err(|error| self.failed("BatchGetItem", error))?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            wanted = answer.unprocessed_keys.unwrap_or_default();
            let left = count(&wanted);
            if left == 0 {
                return Ok(items);
            }
            tries = if left < asked { 1 } else { tries + 1 };
            if tries == UNPROCESSED_TRIES_MAX {
                let source = format!("{left} keys were left unprocessed {tries} times in a row").into();
                return Err(LedgerError { operation: "BatchGetItem", transient: true, source });
            }
            SystemClock.sleep(UNPROCESSED_BACKOFF.after(tries, &SystemRandomness)).await;
        }
    }
}

fn count(wanted: &HashMap<String, KeysAndAttributes>) -> usize {
    wanted.values().map(|wanted| wanted.keys().len()).sum()
}
