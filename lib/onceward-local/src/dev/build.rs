//! Building the template's functions with cargo.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, ExitStatus, Stdio};

use serde_json::Value;
use tokio::process::Command;

use super::workspace;
use crate::template::Stack;

/// Where the binaries of several workspaces are linked, beside the template.
const LINKS: &str = "target/onceward-functions";

/// Why the functions are not built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("cannot run cargo: {source}; install Rust from https://rustup.rs")]
    Cargo { source: io::Error },
    #[error(
        "the build of {} failed ({status}): nothing was started; mend what cargo says above and run this again",
        root.display()
    )]
    Failed { status: ExitStatus, root: PathBuf },
    #[error("function {function}: its CodeUri {} is no folder: correct it in the template", code_uri.display())]
    NoFolder { function: String, code_uri: PathBuf },
    #[error(
        "function {function}: its CodeUri {} is in no Cargo workspace: correct it, or leave the BuildMethod out if it \
         holds a ready `bootstrap`; cargo says: {reason}", code_uri.display()
    )]
    NoWorkspace { function: String, code_uri: PathBuf, reason: String },
    #[error("two workspaces have a binary `{binary}`: the local cloud tells functions apart by it, so rename one")]
    TwoBinaries { binary: String },
    #[error("cannot link the functions' binaries in {}: {source}", folder.display())]
    Links { folder: PathBuf, source: io::Error },
    #[error(
        "function {function} wants the binary `{binary}`, and cargo built none of that name: correct \
         `BuildProperties.Binary` in the template, or add src/bin/{binary}.rs to {}", code_uri.display()
    )]
    NoBinary { function: String, binary: String, code_uri: PathBuf },
}

/// Builds every binary of the workspaces that the functions' `CodeUri`s are in, unless all functions come ready-made.
/// Answers the folder the binaries are in; for several workspaces that is one of links. Cargo shows its own progress on
/// stderr. `directory` is the template's.
///
/// All of a workspace, as when `onceward` itself was built: choosing packages would change which features their
/// common dependencies have, and build those twice.
pub(crate) async fn build(stack: &Stack, directory: &Path) -> Result<PathBuf, BuildError> {
    let workspaces = workspace::find(stack).await?;
    let mut binaries = BTreeMap::new();
    for (root, workspace) in &workspaces {
        let executables = build_workspace(root).await?;
        for (binary, function) in &workspace.wanted {
            let executable = executables.get(binary).ok_or_else(|| BuildError::NoBinary {
                function: function.clone(),
                binary: binary.clone(),
                code_uri: code_uri(stack, function),
            })?;
            let known = binaries.insert(binary.clone(), executable.clone());
            if known.is_some_and(|known| known != *executable) {
                return Err(BuildError::TwoBinaries { binary: binary.clone() });
            }
        }
    }
    folder(&binaries, directory)
}

async fn build_workspace(root: &Path) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let mut cargo = Command::from(cargo());
    cargo.args(["build", "--workspace", "--bins", "--message-format=json-render-diagnostics"]).current_dir(root);
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    // Not `output()`: it would take stderr too.
    let running = cargo.spawn().map_err(|source| BuildError::Cargo { source })?;
    let output = running.wait_with_output().await.map_err(|source| BuildError::Cargo { source })?;
    if !output.status.success() {
        return Err(BuildError::Failed { status: output.status, root: root.to_owned() });
    }
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

fn code_uri(stack: &Stack, function: &str) -> PathBuf {
    let found = stack.functions.iter().find(|known| known.name == function);
    found.map(|function| function.code_uri.clone()).unwrap_or_default()
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

/// The folder with every function's binary in it: cargo's own, or one beside the template with links into several.
fn folder(binaries: &BTreeMap<String, PathBuf>, directory: &Path) -> Result<PathBuf, BuildError> {
    let parent = |executable: &PathBuf| executable.parent().map(Path::to_owned).unwrap_or_default();
    let mut parents: Vec<PathBuf> = binaries.values().map(parent).collect();
    parents.dedup();
    match parents.as_slice() {
        [] => return Ok(PathBuf::new()),
        [one] => return Ok(one.clone()),
        _ => {}
    }
    let links = directory.join(LINKS);
    let link = || {
        std::fs::create_dir_all(&links)?;
        for (binary, executable) in binaries {
            let link = links.join(binary);
            match std::fs::remove_file(&link) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => std::os::unix::fs::symlink(executable, &link)?,
            }
        }
        std::path::absolute(&links)
    };
    link().map_err(|source| BuildError::Links { folder: links.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_of_one_workspace_stay_where_they_are_and_those_of_several_are_linked() {
        let directory = std::env::temp_dir().join(format!("onceward-{}", uuid::Uuid::new_v4()));
        let binary = |name: &str, path: &str| (name.to_owned(), PathBuf::from(path));
        let one = BTreeMap::from([binary("a", "/one/a"), binary("b", "/one/b")]);
        assert_eq!(folder(&one, &directory).unwrap(), Path::new("/one"));
        let two = BTreeMap::from([binary("a", "/one/a"), binary("b", "/two/b")]);
        for _ in 0..2 {
            let links = folder(&two, &directory).unwrap();
            assert_eq!(std::fs::read_link(links.join("b")).unwrap(), Path::new("/two/b"));
        }
        assert_eq!(folder(&BTreeMap::new(), &directory).unwrap(), PathBuf::new());
        std::fs::remove_dir_all(directory).unwrap();
    }

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
