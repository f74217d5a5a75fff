//! What `AddPermission` makes of a resource policy, the same for queues and topics.

use serde_json::{Value, json};

/// Digits of an account's id.
const ACCOUNT_ID_DIGITS: usize = 12;

/// Whether `id` can be an account's.
pub(crate) fn is_account_id(id: &str) -> bool {
    id.len() == ACCOUNT_ID_DIGITS && id.bytes().all(|b| b.is_ascii_digit())
}

/// The statement `label`: lets `accounts` do `actions` of `service` with `resource_arn`.
pub(crate) fn statement<S: AsRef<str>>(
    label: &str,
    accounts: &[S],
    (service, actions): (&str, &[S]),
    resource_arn: &str,
) -> Value {
    let principals = accounts.iter().map(|id| format!("arn:aws:iam::{}:root", id.as_ref())).collect::<Vec<_>>();
    let actions = actions.iter().map(|action| format!("{service}:{}", action.as_ref())).collect::<Vec<_>>();
    json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_all(&principals) },
        "Action": one_or_all(&actions),
        "Resource": resource_arn,
    })
}

/// Takes the statements out of `policy`, which may have a single one without a list.
pub(crate) fn take_statements(policy: &mut Value) -> Vec<Value> {
    match policy["Statement"].take() {
        Value::Array(statements) => statements,
        Value::Null => Vec::new(),
        statement => vec![statement],
    }
}

fn one_or_all(values: &[String]) -> Value {
    if let [one] = values { json!(one) } else { json!(values) }
}
