//! Circuit breakers in the ledger's table: items of their own, which the relay's filter passes over.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::AttributeValue,
};
use chrono::{DateTime, Utc};
use onceward::{CircuitBreakerStore, CircuitRecord, CircuitState, LedgerError};

use super::{
    DynamoDbLedger,
    expression::{Placeholders, number, text},
    record::{self, SdkItem},
};

const VERSION: &str = "version";
const CHANGED_AT: &str = "changed_at";
const FAILED_PROBES: &str = "failed_probes";
const STATE: &str = "state";
const UNTIL: &str = "until";

/// The states, as the item names them.
const OPEN: &str = "open";
const HALF_OPEN: &str = "half_open";

#[async_trait]
impl CircuitBreakerStore for DynamoDbLedger {
    async fn load_circuit(&self, breaker: &str) -> Result<Option<CircuitRecord>, LedgerError> {
        let request = self.client.get_item().table_name(&self.ledger_table).key(record::PK, key(breaker));
        let answer = request.consistent_read(true).send().await.map_err(|error| self.failed("GetItem", error))?;
        answer.item.map(|item| read(&item)).transpose()
    }

    async fn swap_circuit(
        &self,
        breaker: &str,
        expected: Option<&str>,
        next: Option<&CircuitRecord>,
    ) -> Result<bool, LedgerError> {
        let mut placeholders = Placeholders::default();
        let condition = condition(&mut placeholders, expected, next);
        match next {
            Some(next) => self.put_circuit(breaker, next, condition, &placeholders).await,
            None => self.delete_circuit(breaker, condition, &placeholders).await,
        }
    }
}

impl DynamoDbLedger {
    async fn put_circuit(
        &self,
        breaker: &str,
        next: &CircuitRecord,
        condition: String,
        placeholders: &Placeholders,
    ) -> Result<bool, LedgerError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.ledger_table)
            .set_item(Some(item(breaker, next)))
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .send()
            .await;
        let Err(error) = result else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(self.failed("PutItem", error)),
        }
    }

    async fn delete_circuit(
        &self,
        breaker: &str,
        condition: String,
        placeholders: &Placeholders,
    ) -> Result<bool, LedgerError> {
        let result = self
            .client
            .delete_item()
            .table_name(&self.ledger_table)
            .key(record::PK, key(breaker))
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .send()
            .await;
        let Err(error) = result else { return Ok(true) };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(self.failed("DeleteItem", error)),
        }
    }
}

/// The expected version is there, or already the next one: the SDK repeats a put whose answer was lost.
fn condition(placeholders: &mut Placeholders, expected: Option<&str>, next: Option<&CircuitRecord>) -> String {
    let is_version = |placeholders: &mut Placeholders, version: &str| {
        format!("{} = {}", placeholders.name(VERSION), placeholders.value(text(version)))
    };
    let expected = match expected {
        Some(version) => is_version(placeholders, version),
        None => format!("attribute_not_exists({})", placeholders.name(record::PK)),
    };
    match next {
        Some(next) => format!("{expected} OR {}", is_version(placeholders, &next.version)),
        None => expected,
    }
}

fn key(breaker: &str) -> AttributeValue {
    text(&format!("breaker#{breaker}"))
}

fn item(breaker: &str, record: &CircuitRecord) -> SdkItem {
    let state = match record.state {
        CircuitState::Open { .. } => OPEN,
        CircuitState::HalfOpen { .. } => HALF_OPEN,
    };
    let attributes = [
        (record::PK, key(breaker)),
        (VERSION, text(&record.version)),
        (CHANGED_AT, number(record.changed_at.timestamp_millis())),
        (FAILED_PROBES, number(record.failed_probes.into())),
        (STATE, text(state)),
        (UNTIL, number(record.state.until().timestamp_millis())),
        (record::EXPIRES_AT, number(record.expires_at().timestamp())),
    ];
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn read(item: &SdkItem) -> Result<CircuitRecord, LedgerError> {
    let string = |name: &'static str| {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        value.ok_or_else(|| unreadable(name))
    };
    let number = |name: &'static str| {
        let value = item.get(name).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
        value.ok_or_else(|| unreadable(name))
    };
    let time =
        |name: &'static str| DateTime::<Utc>::from_timestamp_millis(number(name)?).ok_or_else(|| unreadable(name));
    let until = time(UNTIL)?;
    let state = match string(STATE)?.as_str() {
        OPEN => CircuitState::Open { until },
        HALF_OPEN => CircuitState::HalfOpen { until },
        _ => return Err(unreadable(STATE)),
    };
    let failed_probes = u32::try_from(number(FAILED_PROBES)?).map_err(|_| unreadable(FAILED_PROBES))?;
    Ok(CircuitRecord { version: string(VERSION)?.clone(), changed_at: time(CHANGED_AT)?, failed_probes, state })
}

fn unreadable(attribute: &str) -> LedgerError {
    let source = format!("the circuit breaker's attribute `{attribute}` is missing or not what this library writes");
    LedgerError { operation: "GetItem", transient: false, source: source.into() }
}
