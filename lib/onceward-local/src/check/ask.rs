//! Asks functions' binaries what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::description::Description;

/// The variable that asks, and what it asks for.
const ASK: (&str, &str) = ("ONCEWARD_ASK", "describe");
/// How long a binary may take to answer: a cold start on a busy machine, and no call to anybody.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Binaries that are asked at a time.
const ASKED_MAX: usize = 4;
/// Most that is read of an answer.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// What the file of a native executable begins with.
/// <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>
const ELF: &[u8] = b"\x7fELF";
/// `ENOEXEC`: the system does not know how to run this file.
const NOT_RUNNABLE: i32 = 8;

/// What each of these executables says; the reason, if it is not an Onceward function.
pub(super) async fn all(executables: BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Result<Description, String>> {
    let permits = Arc::new(Semaphore::new(ASKED_MAX));
    let mut asking = JoinSet::new();
    for executable in executables {
        let permits = Arc::clone(&permits);
        asking.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            let said = describe(&executable).await;
            (executable, said)
        });
    }
    // A task that panicked has shown its panic, and its function counts as one that said nothing.
    let mut said = BTreeMap::new();
    while let Some(answer) = asking.join_next().await {
        said.extend(answer.ok());
    }
    said
}

/// Starts one with nothing but `PATH` and the question.
async fn describe(executable: &Path) -> Result<Description, String> {
    let mut command = Command::new(executable);
    command.env_clear().env(ASK.0, ASK.1).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(folder) = executable.parent() {
        command.current_dir(folder);
    }
    let mut running = command.kill_on_drop(true).spawn().map_err(|error| not_started(executable, &error))?;
    let stdout = running.stdout.take();
    let answer = async {
        let mut printed = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(ANSWER_BYTES_MAX).read_to_end(&mut printed).await?;
        }
        Ok::<_, io::Error>((printed, running.wait().await?))
    };
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Err(_) => Err(format!("it did not answer within {} s", ANSWER_MAX.as_secs())),
        Ok(Err(error)) => Err(format!("it cannot be asked: {error}")),
        Ok(Ok((_, status))) if !status.success() => Err(format!("it ended with {status} when it was asked")),
        Ok(Ok((printed, _))) => Description::parse(&String::from_utf8_lossy(&printed)),
    }
}

fn not_started(executable: &Path, error: &io::Error) -> String {
    let is_native = || std::fs::read(executable).is_ok_and(|bytes| bytes.starts_with(ELF));
    if error.raw_os_error() == Some(NOT_RUNNABLE) && is_native() {
        return "it is built for another kind of machine, and cannot be asked on this one".to_owned();
    }
    format!("it cannot be started: {error}")
}
