//! The signals that end `onceward dev`.

use std::{future::pending, process::ExitCode};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports of a command that Ctrl-C ended: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Ctrl-C and SIGTERM, of which none is missed between two waits.
pub(super) struct Signals {
    /// None: without handlers the signals keep their default, and the process ends at once.
    handled: Option<(Signal, Signal)>,
}

impl Signals {
    /// Handles them from now on.
    pub(super) fn handle() -> Self {
        let interrupt = signal(SignalKind::interrupt()).ok();
        Self { handled: interrupt.zip(signal(SignalKind::terminate()).ok()) }
    }

    /// Waits for the next one; the exit code that goes with it.
    pub(super) async fn next(&mut self) -> ExitCode {
        let Some((interrupt, terminate)) = &mut self.handled else { return pending().await };
        tokio::select! {
            _ = interrupt.recv() => ExitCode::from(INTERRUPTED),
            _ = terminate.recv() => ExitCode::SUCCESS,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::lambda::tests::PATIENCE;
    use rustix::process::{Signal, getpid, kill_process};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_signal_that_nobody_waits_for_yet_is_not_lost() {
        let mut signals = Signals::handle();
        assert!(timeout(Duration::ZERO, signals.next()).await.is_err(), "there was none");
        kill_process(getpid(), Signal::TERM).unwrap();
        let stopped = timeout(PATIENCE, signals.next()).await.expect("it is told");
        assert_eq!(format!("{stopped:?}"), format!("{:?}", ExitCode::SUCCESS));
    }
}
