//! From an action's name and JSON to the crate's method, and back.

use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use dynoxide::streams::shard_id;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::DynamoDbFailure;
use super::rename;
use super::table_arn::Named;
use crate::account::Account;

/// Runs `action`. JSON in, JSON out.
pub(super) fn run(
    database: &Database,
    account: &Account,
    action: &str,
    body: &[u8],
) -> Result<Vec<u8>, DynamoDbFailure> {
    let named = Named::new(body, account);
    let body = &*named.body;
    if let Some(answer) = item_action(database, account, action, body) {
        return answer
            .map(|answer| named.answer(answer))
            .map_err(|error| envelope(action, error))
            .map_err(DynamoDbFailure::from);
    }
    let answer = stream_action(database, account, action, body)
        .or_else(|| table_action(database, action, body))
        .ok_or_else(|| DynamoDbFailure::unknown_action(action))?;
    match answer {
        Ok(json) => Ok(rename::to_account(&String::from_utf8_lossy(&json), account).into_bytes()),
        Err(error) => {
            let failure = DynamoDbFailure::from(error);
            Err(DynamoDbFailure { body: rename::to_account(&failure.body, account), ..failure })
        }
    }
}

/// Whether `action` can change a table, and so its stream.
pub(super) fn writes(action: &str) -> bool {
    matches!(
        action,
        "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "BatchWriteItem"
            | "TransactWriteItems"
            | "ExecuteStatement"
            | "ExecuteTransaction"
            | "BatchExecuteStatement"
            | "CreateTable"
            | "UpdateTable"
            | "DeleteTable"
    )
}

type Answer = Option<dynoxide::Result<Vec<u8>>>;

/// Items: answers carry no ARN, so they are not searched for one.
fn item_action(database: &Database, account: &Account, action: &str, body: &[u8]) -> Answer {
    Some(match action {
        "PutItem" => call(body, |r| database.put_item(r)),
        "GetItem" => call(body, |r| database.get_item(r)),
        "DeleteItem" => call(body, |r| database.delete_item(r)),
        "UpdateItem" => call(body, |r| database.update_item(r)),
        "Query" => call(body, |r| database.query(r)),
        "Scan" => call(body, |r| database.scan(r)),
        "BatchGetItem" => call(body, |r| database.batch_get_item(r)),
        "BatchWriteItem" => call(body, |r| database.batch_write_item(r)),
        "TransactWriteItems" => call(body, |r| database.transact_write_items(r)),
        "TransactGetItems" => call(body, |r| database.transact_get_items(r)),
        "ExecuteStatement" => call(body, |r| database.execute_statement(r)),
        "ExecuteTransaction" => call(body, |r| database.execute_transaction(r)),
        "BatchExecuteStatement" => call(body, |r| database.batch_execute_statement(r)),
        "SearchVectors" => call(body, |r| database.search_vectors(r)),
        "GetRecords" => call(body, |request| {
            let mut answer = database.get_records(request)?;
            for record in &mut answer.records {
                record.aws_region.clone_from(&account.region);
            }
            Ok(answer)
        }),
        _ => return None,
    })
}

fn table_action(database: &Database, action: &str, body: &[u8]) -> Answer {
    Some(match action {
        "CreateTable" => call(body, |r| database.create_table(r)),
        "DeleteTable" => call(body, |r| database.delete_table(r)),
        "DescribeTable" => call(body, |r| database.describe_table(r)),
        "ListTables" => call(body, |r| database.list_tables(r)),
        "UpdateTable" => call(body, |r| database.update_table(r)),
        "UpdateTimeToLive" => call(body, |r| database.update_time_to_live(r)),
        "DescribeTimeToLive" => call(body, |r| database.describe_time_to_live(r)),
        "TagResource" => call(body, |r| database.tag_resource(r)).map(|_| Vec::new()),
        "UntagResource" => call(body, |r| database.untag_resource(r)).map(|_| Vec::new()),
        "ListTagsOfResource" => call(body, |r| database.list_tags_of_resource(r)),
        _ => return None,
    })
}

fn stream_action(database: &Database, account: &Account, action: &str, body: &[u8]) -> Answer {
    Some(match action {
        "ListStreams" => call(body, |mut request: ListStreamsRequest| {
            request.exclusive_start_stream_arn =
                request.exclusive_start_stream_arn.map(|arn| rename::to_crate(&arn, account));
            database.list_streams(request)
        }),
        "DescribeStream" => call(body, |request| {
            let mut answer = database.describe_stream(request)?;
            for shard in &mut answer.stream_description.shards {
                shard.shard_id = rename::public_shard_id(&answer.stream_description.table_name);
                // Only a closed shard has an end; readers would stop there.
                shard.sequence_number_range.ending_sequence_number = None;
            }
            Ok(answer)
        }),
        "GetShardIterator" => call(body, |mut request: GetShardIteratorRequest| {
            let table = rename::table_of_stream(&request.stream_arn);
            if request.shard_id != rename::public_shard_id(table) && request.shard_id != shard_id(table) {
                return Err(DynoxideError::ResourceNotFoundException(format!(
                    "Requested resource not found: Shard: {} in stream {}",
                    request.shard_id, request.stream_arn
                )));
            }
            request.shard_id = shard_id(table);
            database.get_shard_iterator(request)
        }),
        _ => return None,
    })
}

/// One action: its typed request from `body`, its answer as JSON.
fn call<Request: DeserializeOwned, Response: Serialize>(
    body: &[u8],
    run: impl FnOnce(Request) -> dynoxide::Result<Response>,
) -> dynoxide::Result<Vec<u8>> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let answer = run(request)?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The crate marks, in front of serde's message, which of `DynamoDB`'s errors an unreadable request is; without a mark a
/// missing or null member is a validation error and anything else does not read at all.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let place = text.rfind(" at line ").unwrap_or(text.len());
    let message = |rest: &str| rest[..place.saturating_sub(text.len() - rest.len()).min(rest.len())].to_owned();
    if let Some(rest) = text.strip_prefix("VALIDATION_REQUEST:") {
        return DynoxideError::EnvelopedValidation(message(rest));
    }
    if let Some(rest) = text.strip_prefix("VALIDATION:").or_else(|| text.strip_prefix("VALIDATION_AS_READ:")) {
        return DynoxideError::ValidationException(message(rest));
    }
    if let Some(rest) = text.strip_prefix("SERIALIZATION:").or_else(|| text.strip_prefix("SERIALIZATION_AS_READ:")) {
        return DynoxideError::SerializationException(message(rest));
    }
    let invalid = ["missing field", "unknown variant", "invalid type: null", "AttributeValue"];
    if error.is_data() && invalid.iter().any(|sign| text.contains(sign)) {
        return DynoxideError::ValidationException(message(&text));
    }
    DynoxideError::SerializationException(format!("the request body is not this action's JSON: {text}"))
}

/// The actions on one item put request validation in an envelope of its own.
fn envelope(action: &str, error: DynoxideError) -> DynoxideError {
    match error {
        DynoxideError::EnvelopedValidation(message)
            if matches!(action, "PutItem" | "UpdateItem" | "DeleteItem")
                && !message.contains("validation error detected") =>
        {
            DynoxideError::ValidationException(format!("1 validation error detected: {message}"))
        }
        other => other,
    }
}
