//! `AddPermission` and `RemovePermission`: statements of a queue's policy. The policy is kept and told; who calls is
//! not checked against it here.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::SqsError;
use super::service::Sqs;
use super::{directory, limits};
use crate::permission;

/// Actions that others may be allowed; the rest is the owner's.
const ACTIONS: [&str; 8] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "ReceiveMessage",
    "SendMessage",
];

impl Sqs {
    /// Adds a statement to the queue's policy that lets `accounts` do `actions`.
    pub(crate) fn add_permission(
        &self,
        queue: &str,
        label: &str,
        accounts: &[String],
        actions: &[String],
    ) -> Result<(), SqsError> {
        check(label, accounts, actions)?;
        let arn = self.arn(directory::name(queue));
        self.change_policy(queue, |statements| {
            if statements.iter().any(|statement| statement["Sid"] == label) {
                return Err(SqsError::parameter("Label", label, "Already exists."));
            }
            statements.push(permission::statement(label, accounts, ("SQS", actions), &arn));
            Ok(())
        })
    }

    /// Removes the statement that was added as `label`.
    pub(crate) fn remove_permission(&self, queue: &str, label: &str) -> Result<(), SqsError> {
        self.change_policy(queue, |statements| {
            let before = statements.len();
            statements.retain(|statement| statement["Sid"] != label);
            if statements.len() == before {
                return Err(SqsError::parameter("Label", label, "can't find label on existing policy."));
            }
            Ok(())
        })
    }

    /// Changes the statements of the queue's policy; without any there is no policy.
    fn change_policy(
        &self,
        queue: &str,
        change: impl FnOnce(&mut Vec<Value>) -> Result<(), SqsError>,
    ) -> Result<(), SqsError> {
        let arn = self.arn(directory::name(queue));
        self.with_queue(queue, |entry, now_ms| {
            let settings = entry.queue.settings();
            let text = settings.values().get("Policy");
            let mut policy = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(
                || json!({ "Version": "2012-10-17", "Id": format!("{arn}/SQSDefaultPolicy"), "Statement": [] }),
            );
            let mut statements = permission::take_statements(&mut policy);
            change(&mut statements)?;
            let text = if statements.is_empty() {
                String::new()
            } else {
                policy["Statement"] = Value::Array(statements);
                policy.to_string()
            };
            let changed = settings.changed(&BTreeMap::from([("Policy".to_owned(), text)]))?;
            entry.queue.change_settings(changed);
            entry.modified_ms = now_ms;
            Ok(())
        })?
    }
}

fn check(label: &str, accounts: &[String], actions: &[String]) -> Result<(), SqsError> {
    let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !plain || !(1..=limits::PERMISSION_LABEL_CHARS_MAX).contains(&label.len()) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(SqsError::parameter("Label", label, reason));
    }
    if actions.len() > limits::PERMISSION_ACTIONS_MAX {
        return Err(SqsError::TooManyActions { actions: actions.len(), max: limits::PERMISSION_ACTIONS_MAX });
    }
    if let Some(action) = actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        let reason = "Only the queue owner is allowed to invoke this action.";
        return Err(SqsError::parameter("ActionName", format!("SQS:{action}"), reason));
    }
    if let Some(id) = accounts.iter().find(|id| !permission::is_account_id(id)) {
        return Err(SqsError::parameter("PrincipalId", id, "Unable to verify."));
    }
    Ok(())
}
