use std::collections::HashMap;

use super::Delivery;
use crate::{
    Function, Invocation, Ports,
    execute::{Failure, Outcome},
};

/// A direct invocation that had no effect. Who invoked is told; nothing is sent to a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvocationFailure {
    /// The [`Reason`](crate::Reason) by name if no try can succeed; otherwise `Retryable`.
    pub kind: &'static str,
    /// What is wrong, with the field if it is about one.
    pub message: String,
}

impl<D: Send + Sync + 'static> Function<D> {
    /// Handles the one event that a direct invocation brings; answers what the handler answered, as JSON, now or the
    /// first time.
    pub async fn invoke(
        &self,
        ports: &Ports,
        invocation: Invocation,
        delivery: Delivery,
    ) -> Result<Option<String>, InvocationFailure> {
        let began = (ports.clock.now(), ports.clock.monotonic());
        let message = self.prepare(ports, invocation, 0, delivery);
        let outcome = self.outcome(&message, &HashMap::new()).await;
        self.report(ports, &message, began, &outcome, "refused");
        match outcome {
            Outcome::Committed(answer) | Outcome::Replayed(answer) => Ok(answer),
            Outcome::Failed(Failure::Retry { error, .. }) => {
                Err(InvocationFailure { kind: "Retryable", message: error })
            }
            Outcome::Failed(Failure::Terminal { reason, error, field }) => {
                let message = field.map_or_else(|| error.clone(), |field| format!("{field}: {error}"));
                Err(InvocationFailure { kind: reason.as_str(), message })
            }
        }
    }
}
