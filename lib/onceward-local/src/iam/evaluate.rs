//! Whether a call is allowed.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::caller::Caller;
use super::context::{Context, Keys};
use super::denial::Reason;
use super::identity::Word;
use super::policy::{Effect, Policy};
use crate::account::Account;

/// One permission that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// `dynamodb:PutItem`
    pub(crate) action: String,
    /// An ARN, or `*`.
    pub(crate) resource: String,
    pub(crate) keys: Keys,
}

impl Need {
    pub(crate) fn new(service: &str, action: &str, resource: impl Into<String>) -> Self {
        Self { action: format!("{service}:{action}"), resource: resource.into(), keys: Keys::new() }
    }

    pub(crate) fn with(mut self, key: &'static str, values: Vec<String>) -> Self {
        if !values.is_empty() {
            self.keys.push((key, values));
        }
        self
    }
}

/// What the resource's own policy says.
#[derive(Debug, Clone, Copy, Default)]
struct OnResource {
    denied: bool,
    /// To whom it grants: the session itself, or the role (within its boundary) or a service.
    granted: bool,
}

/// Whether `caller` may do what `need` says. Within one account a role needs the word of its own policies or of the
/// resource's; a service needs that of the resource's.
pub(crate) fn evaluate(
    caller: &Caller,
    need: &Need,
    resource_policy: Option<&Policy>,
    account: &Account,
) -> Result<(), Reason> {
    let context = Context { caller, account, keys: &need.keys };
    let action = need.action.to_ascii_lowercase();
    let on_resource = resource_policy.map_or_else(OnResource::default, |policy| {
        let says = |effect: Effect, by_account: bool| {
            policy.statements.iter().any(|statement| {
                statement.effect == effect
                    && statement.principals.as_ref().is_some_and(|it| it.hold(caller, account, by_account))
                    && statement.applies(&action, &need.resource, &context)
            })
        };
        OnResource { denied: says(Effect::Deny, true), granted: says(Effect::Allow, false) }
    });
    if on_resource.denied {
        return Err(Reason::ExplicitDenyInResourcePolicy);
    }
    let role = match caller {
        Caller::Developer => return Ok(()),
        Caller::Service { .. } if on_resource.granted => return Ok(()),
        Caller::Service { .. } => return Err(Reason::NotInResourcePolicy),
        Caller::Role(role) => role,
    };
    let Some(identity) = &role.identity else { return Ok(()) };
    match identity.says(&action, &need.resource, &context) {
        Word::Deny => return Err(Reason::ExplicitDeny),
        Word::Nothing if !on_resource.granted => return Err(Reason::NotInIdentityPolicy),
        Word::Nothing | Word::Allow => {}
    }
    match identity.boundary_says(&action, &need.resource, &context) {
        Word::Deny => return Err(Reason::ExplicitDenyInBoundary),
        Word::Nothing => return Err(Reason::NotInBoundary),
        Word::Allow => {}
    }
    identity.mark(&action, &need.resource, &context);
    Ok(())
}
