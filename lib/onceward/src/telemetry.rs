//! The one line that each delivery leaves behind. It never contains a payload.

use crate::{
    EventMetadata,
    execute::{Failure, Outcome},
    function::Settings,
};

/// Something that was handled, and how long it took.
pub(crate) struct Hop<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) event: &'a EventMetadata,
    pub(crate) subject: &'a str,
    pub(crate) attempt: u32,
    pub(crate) duration: chrono::TimeDelta,
}

impl Hop<'_> {
    /// Writes the line.
    pub(crate) fn report(&self, outcome: &'static str, reason: Option<&str>) {
        #[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds for people")]
        let duration_ms = self.duration.num_microseconds().unwrap_or(i64::MAX) as f64 / 1_000.0;
        tracing::info!(
            target: "onceward::delivery",
            function = self.settings.name,
            event_type = self.event.event_type,
            event_id = self.event.id,
            subject = self.subject,
            outcome,
            attempt = self.attempt,
            duration_ms,
            correlation_id = self.event.correlation_id,
            trace = %self.event.trace,
            reason,
        );
    }
}

impl Outcome {
    /// Name and reason for the line; a terminal failure's name depends on where the event came from.
    pub(crate) fn label(&self, terminal: &'static str) -> (&'static str, Option<String>) {
        match self {
            Self::Committed(_) => ("committed", None),
            Self::Replayed(_) => ("replayed", None),
            Self::Failed(Failure::Retry { error, .. }) => ("retried", Some(error.clone())),
            Self::Failed(Failure::Terminal { reason, error, field }) => {
                let field = field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
                (terminal, Some(format!("{}: {field}{error}", reason.as_str())))
            }
        }
    }
}
