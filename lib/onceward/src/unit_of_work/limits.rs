//! The limits of a unit of work: DynamoDB's, and those that keep one ledger item below them.
//!
//! DynamoDB's own are on
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>; its KB and MB are powers of two.

/// The most rows one unit of work may touch. DynamoDB takes 100 actions in a transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>); one is the ledger's.
pub const ACTIONS_MAX: usize = 99;

/// The most events one unit of work may publish: they share one ledger item.
pub const EVENTS_MAX: usize = 50;

/// The most bytes the payloads of the events of one unit of work may have together, as JSON: even a single one fits an
/// EventBridge entry with its envelope, and all fit the ledger's item.
pub const EVENT_BYTES_MAX: usize = 240_000;

/// The most bytes one event may have with its envelope, as JSON. EventBridge takes 256 KB in one PutEvents
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>), time, source and detail type
/// included: a larger event would be committed and could never be published.
pub(super) const ENVELOPE_BYTES_MAX: usize = 250_000;

/// The most bytes an answer may have, as JSON: it is kept in the ledger item and replayed to duplicates.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The most bytes an item may have, names and values of its attributes together.
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// The most bytes the items of one transaction may have together.
pub const TRANSACTION_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The longest value of a partition key, in bytes. None may be empty.
pub const PARTITION_KEY_BYTES_MAX: usize = 2_048;

/// The longest value of a sort key, in bytes. None may be empty.
pub const SORT_KEY_BYTES_MAX: usize = 1_024;

/// The longest name of a key attribute, in bytes. None may be empty.
pub(super) const KEY_NAME_BYTES_MAX: usize = 255;

/// The longest name of another attribute, or key in a map, in bytes. None may be empty.
pub(super) const NAME_BYTES_MAX: usize = 65_535;

/// How deep values may be in lists and maps, the attribute itself counted.
pub(super) const NESTING_MAX: usize = 32;
