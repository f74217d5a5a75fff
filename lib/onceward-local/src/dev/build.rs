//! Building the template's functions with cargo.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, ExitStatus, Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::template::{Build, Stack};

/// Why the functions are not built.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("cannot run cargo: {source}; install Rust from https://rustup.rs")]
    Cargo { source: io::Error },
    #[error(
        "the build failed ({status}): nothing was started; mend what cargo says above and run `onceward dev` again"
    )]
    Failed { status: ExitStatus },
    #[error(
        "function {function} wants the binary `{binary}`, and cargo built none of that name: correct \
         `BuildProperties.Binary` in the template, or add src/bin/{binary}.rs to {}", code_uri.display()
    )]
    NoBinary { function: String, binary: String, code_uri: PathBuf },
}

/// Builds every binary of the workspace at `directory`, unless all functions come ready-made. Answers the folder the
/// binaries are in. Cargo shows its own progress on stderr.
///
/// All of the workspace, as when `onceward` itself was built: choosing packages would change which features their
/// common dependencies have, and build those twice.
pub(super) async fn build(stack: &Stack, directory: &Path) -> Result<PathBuf, BuildError> {
    if stack.functions.iter().all(|function| function.build == Build::Bootstrap) {
        return Ok(PathBuf::new());
    }
    let mut cargo = Command::from(cargo());
    cargo.args(["build", "--bins", "--message-format=json-render-diagnostics"]).current_dir(directory);
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    // Not `output()`: it would take stderr too.
    let running = cargo.spawn().map_err(|source| BuildError::Cargo { source })?;
    let output = running.wait_with_output().await.map_err(|source| BuildError::Cargo { source })?;
    if !output.status.success() {
        return Err(BuildError::Failed { status: output.status });
    }
    folder(stack, &executables(&String::from_utf8_lossy(&output.stdout)))
}

/// `cargo`, as from a shell, for a process that cargo itself may have started: `cargo run` and `cargo test` describe
/// their package in the environment, and build scripts that watch those variables (ring's does) would run again, each
/// time another cargo builds.
pub fn cargo() -> process::Command {
    let mut cargo = process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|start| text.starts_with(start)) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Executables by the name of their target, from cargo's messages.
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let mut executables = BTreeMap::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            executables.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    executables
}

/// The folder with every function's binary in it.
fn folder(stack: &Stack, executables: &BTreeMap<String, PathBuf>) -> Result<PathBuf, BuildError> {
    let mut folder = PathBuf::new();
    for function in &stack.functions {
        let Build::CargoLambda { binary } = &function.build else { continue };
        let executable = executables.get(binary).ok_or_else(|| BuildError::NoBinary {
            function: function.name.clone(),
            binary: binary.clone(),
            code_uri: function.code_uri.clone(),
        })?;
        folder = executable.parent().map(Path::to_owned).unwrap_or_default();
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"orders","kind":["lib"]},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"place-order","kind":["bin"]},"executable":"/t/place-order"}"#,
            "\nnot json\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let expected = BTreeMap::from([("place-order".to_owned(), PathBuf::from("/t/place-order"))]);
        assert_eq!(executables(messages), expected);
    }
}
