//! The `Principal` element of a resource's policy.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use serde_json::Value;

use super::{PolicyError, texts};
use crate::account::Account;
use crate::iam::caller::Caller;

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principals(Vec<Principal>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Principal {
    Everybody,
    /// An account's id, a role or a session, by ARN.
    Aws(String),
    /// `events.amazonaws.com`
    Service(String),
}

impl Principals {
    pub(super) fn parse(element: &Value) -> Result<Self, PolicyError> {
        let shape = || PolicyError::Shape { element: "Principal" };
        if element == "*" {
            return Ok(Self(vec![Principal::Everybody]));
        }
        let Value::Object(kinds) = element else { return Err(shape()) };
        let mut principals = Vec::new();
        for (kind, values) in kinds {
            let values = texts(values).ok_or_else(shape)?;
            match kind.as_str() {
                "AWS" => principals.extend(values.into_iter().map(|value| match value.as_str() {
                    "*" => Principal::Everybody,
                    _ => Principal::Aws(value),
                })),
                "Service" => principals.extend(values.into_iter().map(Principal::Service)),
                kind => return Err(PolicyError::UnknownPrincipal { kind: kind.to_owned() }),
            }
        }
        Ok(Self(principals))
    }

    /// Whether they hold the caller itself. An account stands for its own policies: it grants nothing by itself, so it
    /// counts only where `account` says so, in a denial.
    pub(crate) fn hold(&self, caller: &Caller, account: &Account, by_account: bool) -> bool {
        self.0.iter().any(|principal| match (principal, caller) {
            (Principal::Everybody, _) => true,
            (Principal::Service(expected), Caller::Service { name, .. }) => expected == name,
            (Principal::Aws(expected), Caller::Role(role)) => {
                *expected == role.arn
                    || *expected == role.session_arn
                    || by_account
                        && (*expected == account.id || *expected == format!("arn:aws:iam::{}:root", account.id))
            }
            _ => false,
        })
    }
}
