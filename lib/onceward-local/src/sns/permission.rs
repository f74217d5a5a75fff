//! `AddPermission` and `RemovePermission`: statements of a topic's policy. The policy is kept and told; who calls is not
//! checked against it here. <https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html>

use serde_json::Value;

use super::error::SnsError;
use super::topic::{Topic, default_policy};
use crate::account::Account;
use crate::permission;

/// Actions that others may be allowed.
const ACTIONS: [&str; 11] = [
    "AddPermission",
    "DeleteTopic",
    "GetTopicAttributes",
    "ListSubscriptionsByTopic",
    "Publish",
    "Receive",
    "RemovePermission",
    "SetTopicAttributes",
    "Subscribe",
    "TagResource",
    "UntagResource",
];

/// Adds a statement that lets `accounts` do `actions`.
pub(super) fn add(
    topic: &mut Topic,
    account: &Account,
    topic_arn: &str,
    label: &str,
    accounts: &[&str],
    actions: &[&str],
) -> Result<(), SnsError> {
    if let Some(action) = actions.iter().find(|action| !ACTIONS.contains(action)) {
        return Err(SnsError::invalid("ActionName", format!("Policy statement action out of service scope: {action}")));
    }
    if let Some(id) = accounts.iter().find(|id| !permission::is_account_id(id)) {
        return Err(SnsError::invalid("AWSAccountId", format!("{id} is not an account id")));
    }
    change(topic, account, topic_arn, |statements| {
        if statements.iter().any(|statement| statement["Sid"] == label) {
            return Err(SnsError::invalid("Statement", "Statement already exists"));
        }
        statements.push(permission::statement(label, accounts, ("SNS", actions), topic_arn));
        Ok(())
    })
}

/// Removes the statement that was added as `label`; one that is not there is no error.
pub(super) fn remove(topic: &mut Topic, account: &Account, topic_arn: &str, label: &str) -> Result<(), SnsError> {
    change(topic, account, topic_arn, |statements| {
        statements.retain(|statement| statement["Sid"] != label);
        Ok(())
    })
}

fn change(
    topic: &mut Topic,
    account: &Account,
    topic_arn: &str,
    act: impl FnOnce(&mut Vec<Value>) -> Result<(), SnsError>,
) -> Result<(), SnsError> {
    let text = topic.attributes.get("Policy").cloned().unwrap_or_else(|| default_policy(account, topic_arn));
    let mut policy: Value = serde_json::from_str(&text).map_err(|_| SnsError::invalid("Policy", "is not JSON"))?;
    let mut statements = permission::take_statements(&mut policy);
    act(&mut statements)?;
    policy["Statement"] = Value::Array(statements);
    topic.attributes.insert("Policy".to_owned(), policy.to_string());
    Ok(())
}
