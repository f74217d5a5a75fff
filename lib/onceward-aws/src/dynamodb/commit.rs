use std::error::Error;

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{
        CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
    },
};
use onceward::{Action, Commit, CommitOutcome, GroupOutcome, LedgerError, LedgerRecord, Operation};

use super::{
    DynamoDbLedger,
    expression::{Placeholders, key_item},
    record::{self, SdkItem},
};

/// The code of a cancellation reason that is about a condition.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

type BoxError = Box<dyn Error + Send + Sync>;

impl DynamoDbLedger {
    /// The record and the effects in one transaction; without effects, one conditional put.
    pub(super) async fn write(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        if commit.actions.iter().all(is_empty_check) {
            let item = record::completed(commit).map_err(|error| refused(error.into()))?;
            return self.put_record(commit, item).await;
        }
        let items = self.transact_items(commit).map_err(refused)?;
        let request = self.client.transact_write_items().client_request_token(&commit.commit_id);
        let Err(error) = request.set_transact_items(Some(items)).send().await else {
            return Ok(CommitOutcome::Committed);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
            && let Some(outcome) = cancelled_outcome(commit, cancelled.cancellation_reasons())?
        {
            return Ok(outcome);
        }
        Err(self.transaction_failed(&commit.actions, error))
    }

    /// The records and effects of all these commits in one transaction.
    pub(super) async fn write_group(&self, commits: &[Commit], token: &str) -> Result<GroupOutcome, LedgerError> {
        let items = commits.iter().map(|commit| self.transact_items(commit));
        let items = items.collect::<Result<Vec<_>, _>>().map_err(refused)?.concat();
        let request = self.client.transact_write_items().client_request_token(token);
        let Err(error) = request.set_transact_items(Some(items)).send().await else {
            return Ok(GroupOutcome::Committed);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(_)) = error.as_service_error() {
            return Ok(GroupOutcome::Cancelled);
        }
        let actions: Vec<_> = commits.iter().flat_map(|commit| commit.actions.iter().cloned()).collect();
        Err(self.transaction_failed(&actions, error))
    }

    /// The record first, then the effects.
    fn transact_items(&self, commit: &Commit) -> Result<Vec<TransactWriteItem>, BoxError> {
        let mut items = Vec::with_capacity(commit.actions.len() + 1);
        items.push(self.record_put(commit, record::completed(commit)?)?);
        for action in &commit.actions {
            items.extend(self.action(action)?);
        }
        Ok(items)
    }

    async fn put_record(&self, commit: &Commit, item: SdkItem) -> Result<CommitOutcome, LedgerError> {
        let (condition, placeholders) = record_condition(commit);
        let result = self
            .client
            .put_item()
            .table_name(&self.ledger_table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = result else { return Ok(CommitOutcome::Committed) };
        if let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() {
            return record_refused(commit, refused.item(), "PutItem");
        }
        Err(self.failed("PutItem", error))
    }

    fn record_put(&self, commit: &Commit, item: SdkItem) -> Result<TransactWriteItem, BoxError> {
        let (condition, placeholders) = record_condition(commit);
        let put = Put::builder()
            .table_name(&self.ledger_table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// One action as DynamoDB takes it; `None` for a check that always holds, which DynamoDB has no form for.
    fn action(&self, action: &Action) -> Result<Option<TransactWriteItem>, BoxError> {
        let table = self.table(action.table)?;
        // Whether the row is there tells a lost race from a condition that cannot hold. What is in it is not looked at.
        let returned = ReturnValuesOnConditionCheckFailure::AllOld;
        let mut placeholders = Placeholders::default();
        let condition = placeholders.condition(&action.condition, &action.key);
        let item = TransactWriteItem::builder();
        let item = match &action.operation {
            Operation::Put(_) => {
                let values = action.put_item().unwrap_or_default();
                let values = values.into_iter().map(|(name, value)| (name, value.into())).collect();
                let put = Put::builder().table_name(table).set_item(Some(values)).set_condition_expression(condition);
                let put = put.return_values_on_condition_check_failure(returned);
                let put = put.set_expression_attribute_names(placeholders.names());
                item.put(put.set_expression_attribute_values(placeholders.values()).build()?)
            }
            Operation::Update(changes) => {
                let expression = placeholders.update(changes);
                let update = Update::builder().table_name(table).set_key(Some(key_item(&action.key)));
                let update = update.update_expression(expression).set_condition_expression(condition);
                let update = update.return_values_on_condition_check_failure(returned);
                let update = update.set_expression_attribute_names(placeholders.names());
                item.update(update.set_expression_attribute_values(placeholders.values()).build()?)
            }
            Operation::Delete => {
                let delete = Delete::builder().table_name(table).set_key(Some(key_item(&action.key)));
                let delete = delete.set_condition_expression(condition);
                let delete = delete.return_values_on_condition_check_failure(returned);
                let delete = delete.set_expression_attribute_names(placeholders.names());
                item.delete(delete.set_expression_attribute_values(placeholders.values()).build()?)
            }
            Operation::Check => {
                let Some(condition) = condition else { return Ok(None) };
                let check = ConditionCheck::builder().table_name(table).set_key(Some(key_item(&action.key)));
                let check = check.condition_expression(condition);
                let check = check.return_values_on_condition_check_failure(returned);
                let check = check.set_expression_attribute_names(placeholders.names());
                item.condition_check(check.set_expression_attribute_values(placeholders.values()).build()?)
            }
        };
        Ok(Some(item.build()))
    }
}

/// A commit that has no form as a request.
fn refused(source: BoxError) -> LedgerError {
    LedgerError { operation: "commit", transient: false, source }
}

/// The record must not be there yet or, in guarded mode, must be this owner's claim.
fn record_condition(commit: &Commit) -> (String, Placeholders) {
    let mut placeholders = Placeholders::default();
    let condition = match &commit.owner {
        None => format!("attribute_not_exists({})", placeholders.name(record::PK)),
        Some(owner) => {
            let (status, held_by) = (placeholders.name(record::STATUS), placeholders.name(record::OWNER));
            let in_progress = placeholders.value(super::expression::text(record::IN_PROGRESS));
            let owner = placeholders.value(super::expression::text(owner));
            format!("{status} = {in_progress} AND {held_by} = {owner}")
        }
    };
    (condition, placeholders)
}

/// `None` if the transaction was cancelled for another reason than a condition.
fn cancelled_outcome(commit: &Commit, reasons: &[CancellationReason]) -> Result<Option<CommitOutcome>, LedgerError> {
    let refused = |reason: &CancellationReason| reason.code() == Some(CONDITION_FAILED);
    let Some((record, actions)) = reasons.split_first() else { return Ok(None) };
    if refused(record) {
        return record_refused(commit, record.item(), "TransactWriteItems").map(Some);
    }
    let failed = sent(&commit.actions).zip(actions).filter(|(_, reason)| refused(reason));
    // An item has its key at least: an empty one is none.
    let exists = |reason: &CancellationReason| reason.item().is_some_and(|item| !item.is_empty());
    let rows: Vec<_> = failed.map(|(action, reason)| action.failed(exists(reason))).collect();
    Ok(Some(rows).filter(|rows| !rows.is_empty()).map(|rows| CommitOutcome::ConditionFailed { rows }))
}

/// The actions that have a place in the transaction, in order.
pub(super) fn sent(actions: &[Action]) -> impl Iterator<Item = &Action> {
    actions.iter().filter(|action| !is_empty_check(action))
}

/// Checks that always hold are not sent: the reasons have no place for them.
fn is_empty_check(action: &Action) -> bool {
    action.operation == Operation::Check && Placeholders::default().condition(&action.condition, &action.key).is_none()
}

/// The record's condition failed: whose record is it?
fn record_refused(
    commit: &Commit,
    item: Option<&SdkItem>,
    operation: &'static str,
) -> Result<CommitOutcome, LedgerError> {
    let record = item.filter(|item| !item.is_empty()).map(|item| record::read(operation, item)).transpose()?;
    match record {
        Some(LedgerRecord::Completed(completed)) if completed.commit_id == commit.commit_id => {
            Ok(CommitOutcome::Committed)
        }
        Some(record @ LedgerRecord::Completed(_)) => Ok(CommitOutcome::Duplicate(record)),
        Some(record) if commit.owner.is_none() => Ok(CommitOutcome::Duplicate(record)),
        _ if commit.owner.is_some() => Ok(CommitOutcome::LeaseLost),
        _ => {
            let source = "the record's condition failed and the record was not returned".into();
            Err(LedgerError { operation, transient: true, source })
        }
    }
}
