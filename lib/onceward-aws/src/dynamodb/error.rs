use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
};
use onceward::LedgerError;

/// Error codes after which the same call may succeed soon; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.
const TRANSIENT: [&str; 9] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ReplicatedWriteConflictException",
];

/// Reasons of a cancelled transaction after which the same transaction may succeed soon.
const TRANSIENT_REASONS: [&str; 3] = ["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"];

/// A failed call as the core sees it. Timeouts, lost connections and answers that cannot be read leave the outcome
/// unknown: the same call is safe to repeat.
pub(super) fn failed<E, R>(operation: &'static str, error: SdkError<E, R>) -> LedgerError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let transient = match &error {
        SdkError::ServiceError(service) => service.err().code().is_none_or(|code| TRANSIENT.contains(&code)),
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        _ => false,
    };
    LedgerError { operation, transient, source: Box::new(error) }
}

/// A transaction that failed for another reason than a condition.
pub(super) fn transaction_failed<R>(error: SdkError<TransactWriteItemsError, R>) -> LedgerError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let busy = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let mut codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            codes.any(|code| TRANSIENT_REASONS.contains(&code))
        }
        _ => false,
    };
    let error = failed("TransactWriteItems", error);
    LedgerError { transient: error.transient || busy, ..error }
}
