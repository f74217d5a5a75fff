//! What a template says about who may do what, read and ready.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::identity::NamedPolicy;
use super::policy::Policy;

/// The permissions a template declares.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// Functions, by name.
    pub functions: BTreeMap<String, FunctionRole>,
    /// Roles, by ARN: those of functions and others.
    pub roles: BTreeMap<String, RolePolicies>,
    /// Policies of topics, by ARN: JSON texts. Those of queues are among the queues' attributes.
    pub topic_policies: BTreeMap<String, String>,
    /// Statements of functions' own policies, by the function's ARN.
    pub function_policies: BTreeMap<String, Policy>,
    /// ARNs of the queues, topics and rules of the template: AWS refuses a service what no policy of the resource allows,
    /// and so does the local cloud for these.
    pub declared: BTreeSet<String>,
}

impl Permissions {
    /// Adds statements to the function's own policy.
    pub(crate) fn allow_on_function(&mut self, arn: &str, policy: Policy) {
        match self.function_policies.get_mut(arn) {
            Some(own) => own.statements.extend(policy.statements),
            None => drop(self.function_policies.insert(arn.to_owned(), policy)),
        }
    }
}

/// The role of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRole {
    /// The role's ARN. If [`Permissions::roles`] does not have it, it is not the template's, and not evaluated.
    pub role_arn: String,
    /// Name of its log group.
    pub log_group: String,
    /// Whether the template declares that group: then nobody needs to create it.
    pub log_group_declared: bool,
}

/// The policies of a role.
#[derive(Debug, Clone, Default)]
pub struct RolePolicies {
    /// Inline and managed.
    pub policies: Vec<NamedPolicy>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Policy>>,
}
