//! When a function can be given events.

use std::{future::pending, sync::Arc};

use tokio::time::{Instant, sleep_until};

use super::{Pool, State};
use crate::lambda::{error::LambdaError, tasks::stopped};

/// Whether an event source may take something from its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Ready,
    /// Not before a process has asked for an event, or has failed to.
    Starting,
    /// The last start failed, and the next is not due.
    Failing {
        retry_at: Instant,
    },
}

impl Pool {
    /// Keeps one environment ready from now on; waits until the first is up, or has failed.
    pub(in crate::lambda) async fn start(self: &Arc<Self>) -> Result<(), LambdaError> {
        let (mut changes, mut stop) = (self.changes.subscribe(), self.stop.clone());
        let failed = {
            let mut state = self.lock();
            state.wanted = true;
            match &state.failing {
                // An event source was faster; its next try is for the next invocation.
                Some((failure, _)) => return Err(self.not_started(Some(failure))),
                None => self.launch_first(&mut state),
            }
            state.failed
        };
        loop {
            {
                let state = self.lock();
                if state.is_up() {
                    return Ok(());
                }
                if state.failed > failed {
                    return Err(self.not_started(state.last_failure.as_deref()));
                }
            }
            tokio::select! {
                () = stopped(&mut stop) => return Err(LambdaError::ShuttingDown),
                _ = changes.changed() => {}
            }
        }
    }

    /// Resolves when an event source may take something from its source. While the function's first process starts, it
    /// may not, and for a while after a start that failed. When that is over, the events themselves are the next try.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-backoff-strategy>
    pub(in crate::lambda) async fn ready(self: &Arc<Self>) {
        let mut changes = self.changes.subscribe();
        self.warm();
        loop {
            let readiness = self.readiness(&self.lock());
            let due = async {
                match readiness {
                    Readiness::Failing { retry_at } => sleep_until(retry_at).await,
                    Readiness::Ready | Readiness::Starting => pending().await,
                }
            };
            if readiness == Readiness::Ready {
                return;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = due => {}
            }
        }
    }

    /// Resolves when an event source must (again) take nothing.
    pub(in crate::lambda) async fn unready(&self) {
        let mut changes = self.changes.subscribe();
        while self.readiness(&self.lock()) == Readiness::Ready {
            let _ = changes.changed().await;
        }
    }

    fn readiness(&self, state: &State) -> Readiness {
        match state.failing {
            // Somebody else starts it.
            _ if self.is_attached() => {
                if state.is_up() {
                    Readiness::Ready
                } else {
                    Readiness::Starting
                }
            }
            Some((_, retry_at)) if Instant::now() < retry_at => Readiness::Failing { retry_at },
            _ if state.is_up() => Readiness::Ready,
            Some(_) if state.staying() == 0 => Readiness::Ready,
            _ => Readiness::Starting,
        }
    }
}
