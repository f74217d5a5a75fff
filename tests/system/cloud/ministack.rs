use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{Unavailable, health::await_health, venv};

/// What is installed, pinned.
const REQUIREMENTS: &str = include_str!("ministack.txt");

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
    /// Where it unpacks functions: some 100 MB that it leaves behind.
    temporary: PathBuf,
}

impl Ministack {
    /// Starts it on a free port, installed before if need be.
    pub(super) fn start() -> Result<Self, Unavailable> {
        let folder = venv::install("ministack", REQUIREMENTS).map_err(Unavailable::Missing)?;
        run(&folder).map_err(Unavailable::Broken)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until it says that it is up.
    fn await_health(&mut self, log: &Path) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let (url, child) = (self.url.clone(), &mut self.child);
        let up = runtime.block_on(await_health(&url, async || matches!(child.try_wait(), Ok(None))));
        up.map_err(|error| format!("ministack: {error}: {}", fs::read_to_string(log).unwrap_or_default()))
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // It may be gone already; there is nothing left to end then.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.temporary));
    }
}

fn run(folder: &Path) -> Result<Ministack, String> {
    let fault = |error: std::io::Error| format!("ministack cannot be started: {error}");
    // Free now: nothing else on this machine is likely to be given the same port at once.
    let port =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).map_err(fault)?.port();
    let (log, temporary) = (folder.join("log"), folder.join(format!("tmp-{port}")));
    fs::create_dir_all(&temporary).map_err(fault)?;
    let output = File::create(&log).map_err(fault)?;
    let child = Command::new(venv::program(folder, "python"))
        .args(["-c", PROGRAM])
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("LOG_LEVEL", "ERROR")
        .env("TMPDIR", &temporary)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(output.try_clone().map_err(fault)?)
        .stderr(output)
        .spawn()
        .map_err(fault)?;
    let mut ministack = Ministack { child, url: format!("http://{}:{port}", Ipv4Addr::LOCALHOST), temporary };
    ministack.await_health(&log)?;
    Ok(ministack)
}
