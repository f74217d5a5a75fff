//! The signals that end `onceward dev`.

use std::process::ExitCode;

use tokio::signal::unix::{self, SignalKind};

/// What a shell reports of a command that Ctrl-C ended: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Waits for Ctrl-C or SIGTERM; the exit code that goes with it.
pub(super) async fn signal() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (unix::signal(SignalKind::interrupt()), unix::signal(SignalKind::terminate()))
    else {
        // Without handlers the signals keep their default: the process ends at once.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::from(INTERRUPTED),
        _ = terminate.recv() => ExitCode::SUCCESS,
    }
}
