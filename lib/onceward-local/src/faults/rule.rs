//! What a rule can say.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::batch;
use super::call::Call;
use super::operation::{is_meant, operations, services};

/// The longest a call is held up or a kill is put off, in milliseconds: as long as a function may run.
const LATENCY_MS_MAX: u64 = 900_000;

/// What a transaction under way gets in the way of.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>
const CONFLICTING: [&str; 7] = [
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "PutItem",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// Which calls are hit, how often, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `dynamodb` (with its streams), `events`, `execute-api` (the HTTP API), `lambda`, `logs`, `s3`, `scheduler`, `sns`,
    /// `sqs`, `sts`.
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
    /// Only calls about the queue, table, bus, topic, bucket, schedule, log group or function of this name; of the HTTP
    /// API, about paths with this part.
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
    /// Some entries of a batch fail, or are left unprocessed.
    Partial,
    /// It is not carried out, and its connection breaks.
    LostRequest,
    /// It is carried out, and its connection breaks.
    LostResponse,
    /// A standard queue, a bus or a standard topic delivers twice, or an asynchronous invocation runs twice.
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
    /// Rules are to be added, by another seed.
    #[error("the rules that are there go by the seed {seed}: leave it out, or replace all rules with PUT")]
    Seeded {
        /// Theirs.
        seed: u64,
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
        let Some(known) = operations(&self.service) else {
            return refuse(format!("there is no service {}: it may be {}", self.service, services().join(", ")));
        };
        let meant: Vec<_> = known.iter().filter(|operation| is_meant(&self.operation, operation)).collect();
        if meant.is_empty() {
            let (service, operation, known) = (&self.service, &self.operation, known.join(", "));
            return refuse(format!(
                "{service} has no operation {operation} here: it may be {known}, or a beginning and *"
            ));
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return refuse("its probability must be from 0 to 1".to_owned());
        }
        if !meant.iter().any(|operation| self.kind.happens_to(&self.service, operation)) {
            let all = if self.operation == "*" { String::new() } else { format!(".{}", self.operation) };
            return refuse(format!("{} does not happen to {}{all}", self.kind, self.service));
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
        if self.function.is_some() && self.service == "execute-api" {
            return refuse("function means nothing with execute-api, whose callers do not sign".to_owned());
        }
        if self.limit == Some(0) {
            return refuse("its limit must be at least 1".to_owned());
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
            && is_meant(&self.operation, call.operation)
            && self.kind.happens_to(call.service, call.operation)
            && self.function.as_ref().is_none_or(caller)
            && self.resource.as_ref().is_none_or(|resource| call.is_about(resource))
    }
}

impl Kind {
    fn happens_to(self, service: &str, operation: &str) -> bool {
        let of = |operations: &[&str]| operations.contains(&operation);
        match (self, service) {
            (Self::Conflict, "dynamodb") => of(&CONFLICTING),
            (Self::Partial, _) => batch::OPERATIONS.iter().any(|(name, operations)| *name == service && of(operations)),
            (Self::Duplicate | Self::Reorder, "sqs") => operation == "ReceiveMessage",
            (Self::Duplicate, "events") => operation == "PutEvents",
            (Self::Duplicate, "sns") => operation == "Publish",
            (Self::Duplicate | Self::Kill, "lambda") => operation == "Invoke",
            (Self::Conflict | Self::Duplicate | Self::Reorder | Self::Kill, _) => false,
            (Self::Latency | Self::Throttle | Self::Error | Self::LostRequest | Self::LostResponse, _) => true,
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
