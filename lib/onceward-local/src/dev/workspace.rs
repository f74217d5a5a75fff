//! The Cargo workspaces that a template's functions are in: of one team or of several.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::task::JoinSet;

use super::build::{BuildError, cargo};
use crate::template::{Build, Stack};

/// The binaries wanted of one workspace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Workspace {
    /// Binary and function.
    pub(crate) wanted: Vec<(String, String)>,
}

/// The workspaces by their root folder, with what the functions want of each.
pub(crate) async fn find(stack: &Stack) -> Result<BTreeMap<PathBuf, Workspace>, BuildError> {
    let mut locating = JoinSet::new();
    let mut packages: BTreeMap<&Path, &str> = BTreeMap::new();
    for function in &stack.functions {
        if let Build::CargoLambda { .. } = &function.build {
            packages.entry(&function.code_uri).or_insert(&function.name);
        }
    }
    for (code_uri, function) in packages {
        locating.spawn(locate(function.to_owned(), code_uri.to_owned()));
    }
    let mut roots = BTreeMap::new();
    while let Some(located) = locating.join_next().await {
        // A task that panicked has shown its panic.
        let Ok(located) = located else { continue };
        let (code_uri, root) = located?;
        roots.insert(code_uri, root);
    }
    let mut workspaces: BTreeMap<PathBuf, Workspace> = BTreeMap::new();
    for function in &stack.functions {
        if let (Build::CargoLambda { binary }, Some(root)) = (&function.build, roots.get(&function.code_uri)) {
            workspaces.entry(root.clone()).or_default().wanted.push((binary.clone(), function.name.clone()));
        }
    }
    Ok(workspaces)
}

/// A package's folder, and the root of its workspace.
async fn locate(function: String, code_uri: PathBuf) -> Result<(PathBuf, PathBuf), BuildError> {
    if !code_uri.is_dir() {
        return Err(BuildError::NoFolder { function, code_uri });
    }
    let mut command = Command::from(cargo());
    command.args(["locate-project", "--workspace", "--message-format=plain"]).current_dir(&code_uri);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|source| BuildError::Cargo { source })?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuildError::NoWorkspace { function, code_uri, reason });
    }
    let manifest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let root = manifest.parent().map(Path::to_owned).unwrap_or_default();
    Ok((code_uri, root))
}
