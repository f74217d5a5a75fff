//! The crate's names for streams and shards, and ours: its ARNs carry a literal region, and its shard ids are shorter
//! than boto3 accepts when the table's name is short.

use dynoxide::streams::{LOCAL_ACCOUNT, LOCAL_REGION, shard_id};

use crate::account::Account;

/// `ShardId` has at least this many characters:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Shard.html>.
const SHARD_ID_LENGTH_MIN: usize = 28;

/// The start of every ARN the crate writes.
fn crate_arn(service: &str) -> String {
    format!("arn:aws:{service}:{LOCAL_REGION}:{LOCAL_ACCOUNT}:")
}

/// `text` with the crate's table ARNs as the account's.
pub(super) fn to_account(text: &str, account: &Account) -> String {
    text.replace(&crate_arn("dynamodb"), &account.arn("dynamodb", ""))
        .replace(&crate_arn("kms"), &account.arn("kms", ""))
}

/// `text` with the account's table ARNs as the crate's.
pub(super) fn to_crate(text: &str, account: &Account) -> String {
    text.replace(&account.arn("dynamodb", ""), &crate_arn("dynamodb"))
}

/// The shard id of `table` as callers see it: the crate's, padded.
pub(super) fn public_shard_id(table: &str) -> String {
    let short = shard_id(table);
    format!("{short}{}", "-".repeat(SHARD_ID_LENGTH_MIN.saturating_sub(short.len())))
}

/// The table a stream's ARN names.
pub(super) fn table_of_stream(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or_default()
}
