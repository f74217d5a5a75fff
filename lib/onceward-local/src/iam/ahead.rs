//! The same questions before there is a cloud: what a template's policies will say.

use std::sync::Arc;

use super::evaluate::{Need, evaluate};
use super::identity::Identity;
use super::{Caller, Permissions, Policy, Reason, Role};
use crate::account::Account;

/// Whether a service may send to the queue `arn` that has this policy.
pub(crate) fn may_send(sender: &Caller, policy: Option<&Policy>, arn: &str, account: &Account) -> bool {
    evaluate(sender, &Need::new("sqs", "SendMessage", arn), policy, account).is_ok()
}

impl Permissions {
    /// A role of the template as `function` has it; `None` if the role is another's, and nothing is known of it.
    pub(crate) fn role(&self, role_arn: &str, function: &str, account: &Account) -> Option<Caller> {
        let policies = self.roles.get(role_arn)?;
        let name = role_arn.rsplit('/').next().unwrap_or(role_arn);
        Some(Caller::Role(Arc::new(Role {
            arn: role_arn.to_owned(),
            session_arn: format!("arn:aws:sts::{}:assumed-role/{name}/{function}", account.id),
            name: function.to_owned(),
            identity: Some(Identity::new(policies.policies.clone(), policies.boundary.clone())),
        })))
    }
}

/// Whether `caller` may do `action`, such as `dynamodb:PutItem`, on the resource `arn` with the policy `policy`;
/// `leading_key` is the partition key of a DynamoDB item.
pub(crate) fn may(
    caller: &Caller,
    action: &str,
    (arn, policy): (&str, Option<&Policy>),
    leading_key: Option<&str>,
    account: &Account,
) -> Result<(), Reason> {
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    let keys = leading_key.map(str::to_owned).into_iter().collect();
    evaluate(caller, &Need::new(service, name, arn).with("dynamodb:leadingkeys", keys), policy, account)
}
