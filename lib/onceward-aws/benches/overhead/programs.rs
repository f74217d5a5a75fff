//! The two functions' binaries, each of its own, as they would be deployed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::Error;

/// An optimized and stripped binary.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// Builds both functions: the floor, and the same with Onceward.
pub(crate) fn build() -> Result<(Program, Program), Error> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo says of the running benchmark: build scripts that watch it would run again.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name.to_string_lossy().starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo.args(["bench", "--no-run", "--message-format=json-render-diagnostics", "--package", "onceward-aws"]);
    cargo.args(["--bench", "overhead-floor", "--bench", "overhead-onceward"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the functions could not be built".into());
    }
    let messages = String::from_utf8(output.stdout)?;
    Ok((program(&messages, "overhead-floor")?, program(&messages, "overhead-onceward")?))
}

/// The executable of a target, from cargo's messages.
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>
fn program(messages: &str, target: &str) -> Result<Program, Error> {
    let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let artifact = messages.find(|message| message["target"]["name"] == target && message["executable"].is_string());
    let artifact = artifact.ok_or_else(|| format!("cargo built no {target}"))?;
    let path = Path::new(artifact["executable"].as_str().unwrap_or_default());
    Ok(Program { path: path.to_owned(), bytes: fs::metadata(path)?.len() })
}
