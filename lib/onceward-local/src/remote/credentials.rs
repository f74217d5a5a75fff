//! What requests to the other cloud are signed with.

use std::fmt;

/// Emulators take anything; this is what their documentation says.
const PLACEHOLDER: &str = "test";

/// An access key. Its secrets are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`, of temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Those of the environment's variables; without an access key there, `test`.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret_access_key)) => {
                Self { access_key_id, secret_access_key, session_token: variable("AWS_SESSION_TOKEN") }
            }
            _ => Self {
                access_key_id: PLACEHOLDER.to_owned(),
                secret_access_key: PLACEHOLDER.to_owned(),
                session_token: None,
            },
        }
    }

    /// As variables of a process.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let key =
            [("AWS_ACCESS_KEY_ID", self.access_key_id.as_str()), ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key)];
        key.into_iter().chain(self.session_token.as_deref().map(|token| ("AWS_SESSION_TOKEN", token)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
