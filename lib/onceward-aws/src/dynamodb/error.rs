use std::{collections::BTreeSet, error::Error};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::CancellationReason,
};
use onceward::{Action, LedgerError, StoreError};

use super::DynamoDbLedger;
use crate::refusal::explained;

/// Error codes after which the same call may succeed soon, besides all of status 5xx; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.
const TRANSIENT: [&str; 7] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Reasons of a cancelled transaction after which the same transaction may succeed soon; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
const TRANSIENT_REASONS: [&str; 3] = ["ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"];

/// The code of a reason in the place of an action that would have succeeded.
const NO_REASON: &str = "None";

/// The HTTP status of throttling, where an answer has no code.
const TOO_MANY_REQUESTS: u16 = 429;

impl DynamoDbLedger {
    /// A failed call to the ledger's table as the core sees it.
    pub(super) fn failed<E>(&self, operation: &'static str, error: SdkError<E, HttpResponse>) -> LedgerError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let transient = is_transient(&error);
        let source = explained(&iam_action(operation), &[self.ledger_resource()], error);
        LedgerError { operation, transient, source }
    }

    /// A transaction of the ledger's record and these actions that failed for another reason than a condition.
    pub(super) fn transaction_failed(
        &self,
        actions: &[Action],
        error: SdkError<TransactWriteItemsError, HttpResponse>,
    ) -> LedgerError {
        let operation = "TransactWriteItems";
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let reasons = reasons(cancelled.cancellation_reasons());
            // Nothing is mended by another try while one reason stands.
            let transient = !reasons.is_empty() && reasons.iter().all(|(_, code, _)| TRANSIENT_REASONS.contains(code));
            let source = Cancelled { reasons: said(actions, &reasons) };
            return LedgerError { operation, transient, source: Box::new(source) };
        }
        let transient = is_transient(&error);
        let tables: BTreeSet<_> = actions.iter().map(|action| action.table).collect();
        let tables = tables.into_iter().map(|table| self.resource(table));
        let resources: Vec<_> = std::iter::once(self.ledger_resource()).chain(tables).collect();
        LedgerError { operation, transient, source: explained(&iam_action(operation), &resources, error) }
    }

    /// A failed read of a table.
    pub(super) fn read_failed<E>(
        &self,
        operation: &'static str,
        table: &str,
        error: SdkError<E, HttpResponse>,
    ) -> StoreError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let source = explained(&iam_action(operation), &[self.resource(table)], error);
        StoreError { operation, table: table.to_owned(), source }
    }
}

/// Timeouts, lost connections and answers that cannot be read leave the outcome unknown: the same call is safe to
/// repeat.
fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status();
            let known = service.err().code().is_some_and(|code| TRANSIENT.contains(&code));
            known || !status.is_client_error() || status.as_u16() == TOO_MANY_REQUESTS
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// A transaction that DynamoDB has cancelled, by the rows that stood in its way.
#[derive(Debug, thiserror::Error)]
#[error("the transaction was cancelled: {reasons}")]
struct Cancelled {
    reasons: String,
}

/// Place, code and message of each reason there is.
fn reasons(reasons: &[CancellationReason]) -> Vec<(usize, &str, &str)> {
    let given = reasons.iter().enumerate().filter_map(|(place, reason)| {
        let code = reason.code().filter(|code| *code != NO_REASON)?;
        Some((place, code, reason.message().unwrap_or_default()))
    });
    given.collect()
}

/// The reasons as text: the ledger's record has the first place, the actions that were sent have the others.
fn said(actions: &[Action], reasons: &[(usize, &str, &str)]) -> String {
    let sent: Vec<_> = super::commit::sent(actions).collect();
    let row = |place: usize| match place.checked_sub(1) {
        None => "the ledger's record".to_owned(),
        Some(index) => sent.get(index).map_or_else(|| format!("action {place}"), |action| action.row()),
    };
    let texts = reasons.iter().map(|(place, code, message)| match *message {
        "" => format!("{} {code}", row(*place)),
        message => format!("{} {code} ({message})", row(*place)),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// What IAM calls an operation: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>.
/// A transaction needs a permission for each of its actions; the answer says which one is missing.
fn iam_action(operation: &str) -> String {
    format!("dynamodb:{operation}")
}
