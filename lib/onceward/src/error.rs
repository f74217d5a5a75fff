use std::{error::Error, fmt, time::Duration};

use crate::{UnitOfWork, circuit_breaker::CircuitOpen};

/// What a handler returns.
pub type HandlerResult = Result<UnitOfWork, HandlerError>;

/// Why a handler could not return its effects.
///
/// Any error is retryable by `?`; that trying again is useless has to be said: [`HandlerError::terminal`]. A refusal
/// by the business (no stock, card declined) is neither: it is an event.
#[derive(Debug)]
pub enum HandlerError {
    /// Trying again may help: the message comes back later, and after `maxReceiveCount` receives goes to the DLQ.
    Retryable {
        /// What went wrong.
        source: Box<dyn Error + Send + Sync>,
        /// Not before this long, if the failed party said so; otherwise the backoff policy decides.
        after: Option<Duration>,
    },
    /// Trying again cannot help: the message goes to the DLQ at once; a request is answered with 400.
    Terminal {
        /// What is wrong with the event or request.
        message: String,
        /// The offending field, for instance `lines[0].quantity`.
        field: Option<String>,
    },
}

impl HandlerError {
    /// An error that no retry can mend.
    pub fn terminal(message: impl Into<String>) -> Self {
        Self::Terminal { message: message.into(), field: None }
    }

    /// A terminal error about one field of the input.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Terminal { message: message.into(), field: Some(field.into()) }
    }

    /// A retryable error whose cause asked for a pause.
    pub fn retry_after(source: impl Into<Box<dyn Error + Send + Sync>>, after: Duration) -> Self {
        Self::Retryable { source: source.into(), after: Some(after) }
    }
}

/// So that `?` on any error means: try again; if a [`CircuitBreaker`](crate::CircuitBreaker) refused, not before its
/// next try. `HandlerError` is therefore not an [`Error`] itself.
impl<E: Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(source: E) -> Self {
        let after = CircuitOpen::behind(&source).map(|open| open.retry_after);
        Self::Retryable { source: Box::new(source), after }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retryable { source, .. } => f.write_str(&chain(source.as_ref())),
            Self::Terminal { message, field: Some(field) } => write!(f, "{field}: {message}"),
            Self::Terminal { message, field: None } => f.write_str(message),
        }
    }
}

/// An error with its sources on one line, each said once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    /// Deeper sources are cut: the text goes into a message attribute.
    const SOURCES_MAX: usize = 8;
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..SOURCES_MAX {
        let Some(error) = source else { break };
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}
