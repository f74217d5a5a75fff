//! What a rule can say.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::call::Call;

/// Services whose calls can be hit, by the names they sign with.
const SERVICES: [&str; 6] = ["dynamodb", "events", "lambda", "sns", "sqs", "sts"];
/// The longest a call is held up or a kill is put off, in milliseconds: as long as a function may run.
const LATENCY_MS_MAX: u64 = 900_000;

/// Which calls are hit, how often, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `dynamodb` (with its streams), `events`, `lambda`, `sns`, `sqs`, `sts`.
    pub service: String,
    /// `PutItem`; `Put*` for all that begin so; `*`, the default, for all.
    #[serde(default = "any")]
    pub operation: String,
    /// What happens.
    pub kind: Kind,
    /// From 0 to 1, the default: the share of matching calls that are hit.
    #[serde(default = "certain")]
    pub probability: f64,
    /// At most so many are hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only calls by processes of this function (its physical name); of a kill: only its processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Only calls about the queue, table, bus, topic or function of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Milliseconds that a call is held up, or that a process lives on after it was given its invocation.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub latency_ms: u64,
    /// Give or take up to so many milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub jitter_ms: u64,
    /// Of an error: 500, the default, or 503.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Of a kill: when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It takes longer.
    Latency,
    /// It is refused with the service's own throttling error.
    Throttle,
    /// It fails with a 5xx of the service, and is not carried out.
    Error,
    /// `DynamoDB`: it meets a transaction under way. `TransactionConflictException`, or a cancelled transaction.
    Conflict,
    /// Some entries of a batch fail, or are left unprocessed. AWS JSON protocol only.
    Partial,
    /// It is not carried out, and its connection breaks.
    LostRequest,
    /// It is carried out, and its connection breaks.
    LostResponse,
    /// A standard queue or a bus delivers twice.
    Duplicate,
    /// A standard queue delivers in another order.
    Reorder,
    /// SIGKILL of the process that runs the function.
    Kill,
}

/// When a process is killed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the invocation: another process takes it.
    Before,
    /// While it runs.
    #[default]
    During,
}

/// Why a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub enum FaultError {
    /// More rules than [`super::RULES_MAX`].
    #[error("{rules} rules are too many: {} at most", super::RULES_MAX)]
    TooMany {
        /// How many.
        rules: usize,
    },
    /// It is not written as a rule is.
    #[error("the fault {spec:?} is not SERVICE[.OPERATION]:KIND[=VALUE][,NAME=VALUE]…: {reason}")]
    Unreadable {
        /// As written.
        spec: String,
        /// What is wrong.
        reason: String,
    },
    /// It says what makes no sense.
    #[error("the fault {rule}: {reason}")]
    Invalid {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Rule {
    /// A rule that hits every call of `service` with `kind`.
    pub fn new(service: &str, kind: Kind) -> Self {
        Self {
            service: service.to_owned(),
            operation: any(),
            kind,
            probability: certain(),
            limit: None,
            function: None,
            resource: None,
            latency_ms: 0,
            jitter_ms: 0,
            status: None,
            at: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), FaultError> {
        let refuse = |reason: String| Err(FaultError::Invalid { rule: self.to_string(), reason });
        if !SERVICES.contains(&self.service.as_str()) {
            return refuse(format!("there is no service {}: it may be {}", self.service, SERVICES.join(", ")));
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return refuse("its probability must be from 0 to 1".to_owned());
        }
        if !self.kind.happens_to(&self.service, None) {
            return refuse(format!("{} does not happen to {}", self.kind, self.service));
        }
        let some = !self.operation.contains('*');
        if some && !self.kind.happens_to(&self.service, Some(&self.operation)) {
            return refuse(format!("{} does not happen to {}.{}", self.kind, self.service, self.operation));
        }
        let timed = matches!(self.kind, Kind::Latency | Kind::Kill);
        let given = [
            (self.latency_ms > 0 && !timed, "latency_ms"),
            (self.jitter_ms > 0 && !timed, "jitter_ms"),
            (self.status.is_some() && self.kind != Kind::Error, "status"),
            (self.at.is_some() && self.kind != Kind::Kill, "at"),
            (self.function.is_some() && matches!(self.kind, Kind::Duplicate | Kind::Reorder), "function"),
        ];
        if let Some((_, member)) = given.iter().find(|(pointless, _)| *pointless) {
            return refuse(format!("{member} means nothing with {}", self.kind));
        }
        if self.kind == Kind::Latency && (self.latency_ms, self.jitter_ms) == (0, 0) {
            return refuse("it needs latency_ms".to_owned());
        }
        if self.latency_ms.max(self.jitter_ms) > LATENCY_MS_MAX {
            return refuse(format!("{LATENCY_MS_MAX} ms are the longest"));
        }
        match self.status {
            None | Some(500 | 503) => Ok(()),
            Some(other) => refuse(format!("status {other} must be 500 or 503")),
        }
    }

    pub(super) fn matches(&self, call: &Call<'_>) -> bool {
        let caller = |function: &String| match self.kind {
            Kind::Kill => call.is_about(function),
            _ => call.is_by(function),
        };
        self.service == call.service
            && self.operation_matches(call.operation)
            && self.kind.happens_to(call.service, Some(call.operation))
            && !(self.kind == Kind::Partial && call.protocol == crate::wire::Protocol::Query)
            && self.function.as_ref().is_none_or(caller)
            && self.resource.as_ref().is_none_or(|resource| call.is_about(resource))
    }

    fn operation_matches(&self, operation: &str) -> bool {
        match self.operation.strip_suffix('*') {
            Some(beginning) => operation.starts_with(beginning),
            None => operation == self.operation,
        }
    }
}

impl Kind {
    /// Whether it can happen to an operation, or to any of the service's.
    fn happens_to(self, service: &str, operation: Option<&str>) -> bool {
        let of = |operations: &[&str]| operation.is_none_or(|operation| operations.contains(&operation));
        match (self, service) {
            (Self::Conflict, "dynamodb") => {
                of(&["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "TransactGetItems"])
            }
            (Self::Partial, "dynamodb") => of(&["BatchWriteItem", "BatchGetItem"]),
            (Self::Partial, "sqs") => of(&["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"]),
            (Self::Partial | Self::Duplicate, "events") => of(&["PutEvents"]),
            (Self::Duplicate | Self::Reorder, "sqs") => of(&["ReceiveMessage"]),
            (Self::Kill, "lambda") => of(&["Invoke"]),
            (Self::Conflict | Self::Partial | Self::Duplicate | Self::Reorder | Self::Kill, _) => false,
            _ => true,
        }
    }

    /// Whether it happens between a caller and the endpoint.
    pub(super) fn is_on_the_way(self) -> bool {
        !matches!(self, Self::Duplicate | Self::Reorder | Self::Kill)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latency => "latency",
            Self::Throttle => "throttle",
            Self::Error => "error",
            Self::Conflict => "conflict",
            Self::Partial => "partial",
            Self::LostRequest => "lost_request",
            Self::LostResponse => "lost_response",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Kill => "kill",
        })
    }
}

fn any() -> String {
    "*".to_owned()
}

fn certain() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
