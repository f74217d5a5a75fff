//! Who calls: told by the access key id of a request's signature. Signatures are not verified.

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::identity::Identity;

/// What the access key ids of sessions begin with.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
const SESSION_KEY: &str = "ASIA";
/// Characters of an access key id.
const KEY_CHARS: usize = 20;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A person or a script: any access key that is not a function's. Everything is allowed.
    Developer,
    /// A role that a function or a service has assumed.
    Role(Arc<Role>),
    /// A service that delivers on its own behalf.
    Service {
        /// `events.amazonaws.com`, `sns.amazonaws.com`.
        name: &'static str,
        /// The rule or topic it delivers for.
        source_arn: String,
    },
}

/// A role in use.
#[derive(Debug)]
pub struct Role {
    /// `arn:aws:iam::{account}:role/{name}`
    pub arn: String,
    /// `arn:aws:sts::{account}:assumed-role/{name}/{session}`; a function's session has the function's name.
    pub session_arn: String,
    /// The function; for another session, the role's name.
    pub name: String,
    /// What it may do; `None` if the template does not say: then everything.
    pub(crate) identity: Option<Identity>,
}

impl Caller {
    /// `EventBridge`, delivering for a rule.
    pub fn events(rule_arn: impl Into<String>) -> Self {
        Self::Service { name: "events.amazonaws.com", source_arn: rule_arn.into() }
    }

    /// SNS, delivering for a topic.
    pub fn sns(topic_arn: impl Into<String>) -> Self {
        Self::Service { name: "sns.amazonaws.com", source_arn: topic_arn.into() }
    }

    /// As AWS names the caller in its refusals.
    pub fn name(&self, account_id: &str) -> String {
        match self {
            Self::Developer => format!("arn:aws:iam::{account_id}:root"),
            Self::Role(role) => role.session_arn.clone(),
            Self::Service { name, .. } => (*name).to_owned(),
        }
    }

    /// The unique id in the answer to `GetCallerIdentity`.
    pub(crate) fn user_id(&self, account_id: &str) -> String {
        match self {
            Self::Role(role) => role.user_id(),
            Self::Developer | Self::Service { .. } => account_id.to_owned(),
        }
    }

    /// Who is meant, for people: the function, or what a service delivers for.
    pub fn label(&self) -> &str {
        match self {
            Self::Developer => "developer",
            Self::Role(role) => &role.name,
            Self::Service { source_arn, .. } => source_arn,
        }
    }
}

impl Role {
    /// The role's unique id and the session's name.
    pub(crate) fn user_id(&self) -> String {
        let session = self.session_arn.rsplit('/').next().unwrap_or_default();
        format!("{}:{session}", unique("AROA", &self.arn))
    }
}

/// The access key id of a function's processes: always the same for the same name.
pub fn access_key(function: &str) -> String {
    unique(SESSION_KEY, function)
}

fn unique(prefix: &str, name: &str) -> String {
    let mut id = prefix.to_owned();
    for byte in Sha256::digest(name.as_bytes()) {
        let _ = write!(id, "{byte:02X}");
    }
    id.truncate(KEY_CHARS);
    id
}
