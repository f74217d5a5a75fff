//! Why the other cloud did not answer, or not as hoped.

use super::Missing;

/// Why the other cloud did not answer, or not as hoped.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RemoteError {
    /// The endpoint is no URL that requests can be sent to.
    #[error("--endpoint {endpoint}: {reason}; write it as http://HOST:PORT")]
    Endpoint {
        /// As it was given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing answers there, or not in time.
    #[error("{endpoint} does not answer: {reason}")]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// What the connection said.
        reason: String,
    },
    /// It answered with an error.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// `ReceiveMessage`, …
        operation: String,
        /// AWS's code.
        code: String,
        /// What it says.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// It lacks what the functions use.
    #[error(
        "{endpoint} (account {account}, region {region}) lacks what the functions use:\n{}\ndeploy the stack there first \
         (`sam deploy` with AWS_ENDPOINT_URL={endpoint}); if it is there under another name, give that by \
         --stack-name NAME, and the values it was deployed with by --parameter NAME=VALUE",
        listed(missing)
    )]
    Missing {
        /// The endpoint.
        endpoint: String,
        /// Its account.
        account: String,
        /// Its region.
        region: String,
        /// What is not there.
        missing: Vec<Missing>,
    },
}

impl RemoteError {
    /// Whether the other cloud says that a resource is not there.
    pub(super) fn is_not_found(&self) -> bool {
        const CODES: [&str; 4] = ["NonExistentQueue", "QueueDoesNotExist", "ResourceNotFound", "NotFound"];
        matches!(self, Self::Refused { code, .. } if CODES.iter().any(|known| code.contains(known)))
    }

    /// AWS's code; empty where there was no answer.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// Whether the same request may be answered later.
    pub(super) fn is_transient(&self) -> bool {
        const TOO_MANY_REQUESTS: u16 = 429;
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { code, status, .. } => {
                *status >= 500 || *status == TOO_MANY_REQUESTS || code.contains("Throttl") || code.contains("Exceeded")
            }
            Self::Endpoint { .. } | Self::Missing { .. } => false,
        }
    }
}

fn listed(missing: &[Missing]) -> String {
    let lines: Vec<_> = missing.iter().map(|missing| format!("  {missing}")).collect();
    lines.join("\n")
}
