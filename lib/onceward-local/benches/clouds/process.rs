//! The clouds, each a process of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Error;
use crate::client::Client;
use crate::floor;

/// How long a cloud may take to answer.
const START_MAX: Duration = Duration::from_mins(1);

/// How often it is asked whether it answers: this much a start seems longer than it is.
const GLANCE: Duration = Duration::from_millis(1);

/// How often memory is read until it stands still, and how many times at most.
const SETTLE: Duration = Duration::from_millis(250);
const SETTLES_MAX: usize = 40;

/// Runs ministack until its standard input ends.
const MINISTACK: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from ministack.app import main
main()
";

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The functions, built; and a stand-in for cargo that says so at once.
pub(crate) struct Build {
    cargo: PathBuf,
}

/// A folder for what is written here.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("clouds")
}

/// Builds the functions, as `onceward dev` would. How long cargo looks at a workspace with nothing to do is not this
/// program's time: a start finds what cargo said here.
pub(crate) fn build() -> Result<Build, Error> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let mut cargo = onceward_local::dev::cargo();
    cargo.args(["build", "--workspace", "--bins", "--message-format=json-render-diagnostics"]).current_dir(root());
    let output = cargo.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the functions could not be built".into());
    }
    let (messages, script) = (folder.join("messages"), folder.join("cargo"));
    fs::write(&messages, output.stdout)?;
    let manifest = root().canonicalize()?.join("Cargo.toml");
    let told = format!("echo '{}'", manifest.display());
    let said = format!("exec cat '{}'", messages.display());
    fs::write(&script, format!("#!/bin/sh\ncase \"$1\" in locate-project) {told};; *) {said};; esac\n"))?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(Build { cargo: script })
}

/// Which cloud.
pub(crate) enum Program<'a> {
    Onceward {
        build: &'a Build,
    },
    /// This executable, as [`floor`] has it.
    Floor,
    Ministack {
        python: &'a Path,
    },
}

impl Program<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Onceward { .. } => "onceward",
            Self::Floor => "floor",
            Self::Ministack { .. } => "ministack",
        }
    }

    fn command(&self, port: u16) -> Result<Command, Error> {
        Ok(match self {
            Self::Onceward { build } => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_onceward"));
                command.args(["dev", "--no-demo", "--http-port", "0", "--aws-port", &port.to_string()]);
                command.arg("--template").arg(root().join("template.yaml")).env("CARGO", &build.cargo);
                command
            }
            Self::Floor => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args([floor::FLAG, &port.to_string()]);
                command
            }
            Self::Ministack { python } => {
                let mut command = Command::new(python);
                command.args(["-c", MINISTACK]).env("GATEWAY_PORT", port.to_string());
                command.env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string()).env("LOG_LEVEL", "ERROR");
                command
            }
        })
    }
}

/// A running cloud; dropping it ends it.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    /// From its start to its first answer that it is healthy.
    pub(crate) ready: Duration,
}

impl Process {
    pub(crate) async fn start(program: &Program<'_>) -> Result<Self, Error> {
        // Free now: nothing else on this machine is likely to be given the same port at once.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let url = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        let client = Client::new(&url);
        let mut command = program.command(port)?;
        let log = folder().join(format!("{}.log", program.name()));
        let output = fs::File::create(&log)?;
        command.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output);
        let began = Instant::now();
        let mut process = Self { child: command.spawn()?, url, ready: Duration::ZERO };
        while !client.healthy().await {
            if began.elapsed() > START_MAX || process.child.try_wait()?.is_some() {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{} does not answer: {said}", program.name()).into());
            }
            tokio::time::sleep(GLANCE).await;
        }
        process.ready = began.elapsed();
        Ok(process)
    }

    /// Resident memory once it stands still: what the process needs when nobody asks it for anything.
    pub(crate) async fn idle_bytes(&self) -> Result<u64, Error> {
        let mut bytes = self.bytes()?;
        for _ in 0..SETTLES_MAX {
            tokio::time::sleep(SETTLE).await;
            let again = self.bytes()?;
            if again == bytes {
                break;
            }
            bytes = again;
        }
        Ok(bytes)
    }

    /// Resident memory of the process, its functions not counted.
    pub(crate) fn bytes(&self) -> Result<u64, Error> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // By SIGTERM, so that it ends its functions; ministack ends with its standard input.
        drop(self.child.stdin.take());
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        drop(self.child.wait());
    }
}
