use std::error::Error;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The body is not an event.
    MalformedEvent,
    /// The function handles no event of this type.
    UnknownEventType,
    /// The payload does not fit the event's type.
    SchemaRefused,
    /// The key was used before with another payload.
    IdempotencyKeyReused,
    /// The record of its key was written by another Lambda function: two have one `Function::new` name, or a stack was
    /// renamed.
    RecordOfAnotherFunction,
    /// The key is empty or too long.
    IdempotencyKeyInvalid,
    /// Older than the ledger remembers: a duplicate could no longer be told from a first delivery.
    TooLate,
    /// The handler said that trying again is useless.
    Terminal,
    /// The handler's effects cannot be committed as they are.
    InvalidUnitOfWork,
    /// Two runs in a row put a condition on a row that is missing, or must not be there and is: another try cannot help.
    ConditionCannotHold,
    /// It failed at the last receive that its queue allows; the error is that of the last try.
    RetriesExhausted,
    /// What stands in the ledger's outbox is no event: the relay cannot publish it.
    OutboxUnreadable,
    /// The bus refuses the event, and will refuse it again: the relay cannot publish it.
    PublishRefused,
}

impl Reason {
    /// The name, as it stands in the dead letter and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedEvent => "MalformedEvent",
            Self::UnknownEventType => "UnknownEventType",
            Self::SchemaRefused => "SchemaRefused",
            Self::IdempotencyKeyReused => "IdempotencyKeyReused",
            Self::RecordOfAnotherFunction => "RecordOfAnotherFunction",
            Self::IdempotencyKeyInvalid => "IdempotencyKeyInvalid",
            Self::TooLate => "TooLate",
            Self::Terminal => "Terminal",
            Self::InvalidUnitOfWork => "InvalidUnitOfWork",
            Self::ConditionCannotHold => "ConditionCannotHold",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::OutboxUnreadable => "OutboxUnreadable",
            Self::PublishRefused => "PublishRefused",
        }
    }
}

/// A message that was given up: its bytes as received, and what is known about why.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The body as received.
    pub body: String,
    /// Whether the body is in base64, because its bytes are not text.
    pub is_base64: bool,
    /// What ordered it, which a FIFO dead-letter queue needs as the message group.
    pub group: Option<String>,
    /// Id of the received message.
    pub message_id: String,
    /// Why.
    pub reason: Reason,
    /// The error with its causes. It may quote the payload.
    pub error: String,
    /// The function that gave up.
    pub function: String,
    /// ARN of the queue it was received from.
    pub source: String,
    /// How often it was received.
    pub attempts: u32,
    /// When it failed first: the source's first receive, as failures leave no record of their own.
    pub first_failed_at: DateTime<Utc>,
    /// When it was given up.
    pub last_failed_at: DateTime<Utc>,
    /// The event's id and type, if the body could be read that far.
    pub event: Option<(String, String)>,
}

/// Where messages go that no retry can help.
#[async_trait]
pub trait DeadLetterQueue: Send + Sync {
    /// Returns only after the letter is stored: the message is then acknowledged.
    async fn send(&self, letter: &DeadLetter) -> Result<(), DeadLetterError>;
}

/// The letter was not stored; the message stays in its queue.
#[derive(Debug, thiserror::Error)]
#[error("the message could not be sent to the dead-letter queue")]
pub struct DeadLetterError {
    /// What the queue says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}
