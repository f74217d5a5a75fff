use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::Unavailable;
use crate::system::binaries;

/// What is installed, pinned.
const REQUIREMENTS: &str = include_str!("ministack.txt");

/// How long it may take to answer after its start. The machine may be busy with other tests.
const START_MAX: Duration = Duration::from_mins(1);

/// How often it is asked whether it answers.
const GLANCE: Duration = Duration::from_millis(50);

/// Where LocalStack and what is compatible to it say that they are up.
const HEALTH: &str = "/_localstack/health";

/// Runs the emulator until its standard input ends: when this process is killed, nothing is left behind.
const PROGRAM: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from ministack.app import main
main()
";

/// A running emulator; dropping it ends it.
pub(super) struct Ministack {
    child: Child,
    url: String,
}

impl Ministack {
    /// Starts it on a free port, installed before if need be.
    pub(super) fn start() -> Result<Self, Unavailable> {
        let folder = binaries().parent().expect("target/debug is in a folder").join("ministack");
        install(&folder).map_err(Unavailable::Missing)?;
        run(&folder).map_err(Unavailable::Broken)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until it says that it is up.
    fn await_health(&mut self, log: &Path) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().timeout(START_MAX).build().map_err(|error| error.to_string())?;
        let url = format!("{}{HEALTH}", self.url);
        let began = Instant::now();
        runtime.block_on(async {
            loop {
                if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                    return Ok(());
                }
                if began.elapsed() > START_MAX || !matches!(self.child.try_wait(), Ok(None)) {
                    let said = fs::read_to_string(log).unwrap_or_default();
                    return Err(format!("ministack does not answer after {:?}: {said}", began.elapsed()));
                }
                tokio::time::sleep(GLANCE).await;
            }
        })
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // It may be gone already; there is nothing left to end then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(folder: &Path) -> Result<Ministack, String> {
    let fault = |error: std::io::Error| format!("ministack cannot be started: {error}");
    // Free now: nothing else on this machine is likely to be given the same port at once.
    let port =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).map_err(fault)?.port();
    let log = folder.join("log");
    let output = File::create(&log).map_err(fault)?;
    let child = Command::new(python(folder))
        .args(["-c", PROGRAM])
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("LOG_LEVEL", "ERROR")
        .env("TMPDIR", folder)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(output.try_clone().map_err(fault)?)
        .stderr(output)
        .spawn()
        .map_err(fault)?;
    let mut ministack = Ministack { child, url: format!("http://{}:{port}", Ipv4Addr::LOCALHOST) };
    ministack.await_health(&log)?;
    Ok(ministack)
}

/// Makes the virtual environment, once for these requirements; `Err` says what is missing.
fn install(folder: &Path) -> Result<(), String> {
    let (installed, requirements) = (folder.join("installed"), folder.join("requirements.txt"));
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(());
    }
    let write = |path: &Path| fs::write(path, REQUIREMENTS).map_err(|error| format!("{}: {error}", path.display()));
    // What is left of an earlier version, or of an installation that failed halfway.
    drop(fs::remove_dir_all(folder));
    succeed("needs python3 with venv", Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    write(&requirements)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "15", "--retries", "2"];
    let mut command = Command::new(python(folder));
    command.args(pip).arg("--requirement").arg(&requirements);
    succeed("needs ministack from PyPI", &mut command)?;
    write(&installed)
}

fn python(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

fn succeed(needs: &str, command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{needs}: {error}"))?;
    let last = || String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{needs}: {}", last())) }
}
