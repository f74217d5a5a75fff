use serde_dynamo::AttributeValue;

use crate::{Action, Change, Commit, Envelope, Operation};

/// The most bytes of a group's items together: DynamoDB takes 4 MB in a transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>). How large the rows
/// are that an update changes is not known here; a group that DynamoDB finds too large is sent commit by commit.
pub(super) const GROUP_BYTES_MAX: usize = 4_000_000;

/// Names and short values of a ledger record, in bytes.
const RECORD_BYTES: usize = 512;

/// What a list or map and each of its elements take besides their own bytes: see [`bytes`].
const NESTING_BYTES: usize = 3;

/// About how many bytes a commit's items have, by the rules of
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.
pub(super) fn bytes(commit: &Commit) -> usize {
    let events = commit.events.iter().map(Envelope::bytes_max).sum::<usize>();
    let answer = commit.answer.as_ref().map_or(0, String::len);
    let key = commit.key.function.len() + commit.key.idempotency_key.len();
    RECORD_BYTES
        + key
        + commit.origin.bytes()
        + events
        + answer
        + commit.actions.iter().map(action_bytes).sum::<usize>()
}

fn action_bytes(action: &Action) -> usize {
    let key: usize = action.key.attributes().map(|(name, value)| name.len() + value.len()).sum();
    let attributes: usize = match &action.operation {
        Operation::Put(item) => item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum(),
        Operation::Update(changes) => changes.iter().map(change_bytes).sum(),
        Operation::Delete | Operation::Check => 0,
    };
    key + attributes
}

fn change_bytes(change: &Change) -> usize {
    match change {
        Change::Set(name, value) | Change::Append(name, value) => name.len() + value_bytes(value) + NESTING_BYTES,
        Change::Add(name, _) => name.len() + size_of::<i64>(),
    }
}

fn value_bytes(value: &AttributeValue) -> usize {
    let texts = |texts: &[String]| texts.iter().map(|text| text.len() + 1).sum::<usize>();
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() + 1,
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::Ss(values) | AttributeValue::Ns(values) => NESTING_BYTES + texts(values),
        AttributeValue::Bs(values) => NESTING_BYTES + values.iter().map(Vec::len).sum::<usize>(),
        AttributeValue::L(values) => {
            NESTING_BYTES + values.iter().map(|value| value_bytes(value) + NESTING_BYTES).sum::<usize>()
        }
        AttributeValue::M(values) => {
            let one = |(name, value): (&String, &AttributeValue)| name.len() + value_bytes(value) + NESTING_BYTES;
            NESTING_BYTES + values.iter().map(one).sum::<usize>()
        }
    }
}
