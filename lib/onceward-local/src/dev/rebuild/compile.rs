//! Building again, with the compiler's errors kept for the console.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::dev::build::cargo;

/// Errors that are shown; one mistake often causes many.
const ERRORS_SHOWN_MAX: usize = 5;

/// Characters of a line that are shown: the linker's command line has many thousands.
const LINE_CHARS_MAX: usize = 1_000;

/// How the compiler's last error begins, which only counts the others.
const SUMMARY: &str = "aborting due to ";

/// Why a build failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Errors {
    /// As the compiler (or cargo, if it came to nothing else) shows them, with colours; at most [`ERRORS_SHOWN_MAX`].
    pub(super) shown: Vec<String>,
    pub(super) count: usize,
}

/// Builds every binary of the workspace at `root`, as the first build did.
pub(super) async fn compile(root: &Path) -> io::Result<Result<(), Errors>> {
    let mut cargo = Command::from(cargo());
    cargo.args(["build", "--workspace", "--bins", "--quiet", "--color=always"]);
    cargo.arg("--message-format=json-diagnostic-rendered-ansi");
    cargo.current_dir(root).stdin(Stdio::null()).kill_on_drop(true);
    let output = cargo.output().await?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(errors(&String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr))))
}

/// The workspace that the package at `folder` belongs to.
pub(super) async fn workspace(folder: &Path) -> Option<PathBuf> {
    let mut cargo = Command::from(cargo());
    cargo.args(["locate-project", "--workspace", "--message-format=plain"]);
    cargo.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = cargo.output().await.ok()?;
    let manifest = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    output.status.success().then(|| manifest.parent().map(Path::to_owned)).flatten()
}

/// Folders of packages that the workspace at `root` is built from and that lie outside of it, by their paths in manifests.
pub(super) async fn outside(root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut left = vec![(root.to_owned(), true)];
    while let Some((folder, is_workspace)) = left.pop() {
        let mut cargo = Command::from(cargo());
        cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
        cargo.current_dir(&folder).stdin(Stdio::null()).kill_on_drop(true);
        // What is wrong with a manifest is said by the build.
        let Ok(output) = cargo.output().await else { continue };
        let metadata = serde_json::from_slice(&output.stdout).unwrap_or_default();
        for path in paths(&metadata, Some(&folder).filter(|_| !is_workspace)) {
            let Ok(path) = path.canonicalize() else { continue };
            if !path.starts_with(root) && found.insert(path.clone()) {
                left.push((path, false));
            }
        }
    }
    found
}

/// Folders of the packages that `cargo metadata` tells of, and of those that they name by a path; of the package in
/// `folder` alone, if it says which.
/// <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>
fn paths(metadata: &Value, folder: Option<&PathBuf>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let Some(own) = package["manifest_path"].as_str().and_then(|manifest| Path::new(manifest).parent()) else {
            continue;
        };
        if folder.is_none_or(|folder| own == folder) {
            let named = package["dependencies"].as_array().into_iter().flatten();
            paths.extend(named.filter_map(|dependency| dependency["path"].as_str()).map(PathBuf::from));
            paths.push(own.to_owned());
        }
    }
    paths
}

/// What cargo says on stdout, a JSON object a line, and on stderr.
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>,
/// <https://doc.rust-lang.org/rustc/json.html>
fn errors(messages: &str, stderr: &str) -> Errors {
    // A library is compiled for its tests and by itself: the same error may come twice.
    let (mut seen, mut shown) = (BTreeSet::new(), Vec::new());
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let message = &message["message"];
        let is_summary = message["message"].as_str().is_some_and(|text| text.starts_with(SUMMARY));
        if let (true, false, Some(text)) = (message["level"] == "error", is_summary, message["rendered"].as_str())
            && seen.insert(text.to_owned())
        {
            shown.push(brief(text.trim_end()));
        }
    }
    if shown.is_empty() {
        shown.push(stderr.trim_end().to_owned());
    }
    let count = shown.len();
    shown.truncate(ERRORS_SHOWN_MAX);
    Errors { shown, count }
}

/// `text` with its longest lines cut.
fn brief(text: &str) -> String {
    let line = |line: &str| match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(level: &str, text: &str) -> String {
        let message = json!({"level": level, "message": text, "rendered": format!("{level}: {text}\n\n")});
        json!({"reason": "compiler-message", "message": message}).to_string()
    }

    #[test]
    fn each_error_is_shown_once_and_their_count_is_none() {
        let messages = [
            message("warning", "unused"),
            message("error", "a"),
            message("error", "a"),
            message("error", "b"),
            message("error", "aborting due to 2 previous errors"),
            "no JSON".to_owned(),
            json!({"reason": "build-finished", "success": false}).to_string(),
        ];
        let errors = errors(&messages.join("\n"), "error: could not compile `a`\n");
        assert_eq!(errors, Errors { shown: vec!["error: a".to_owned(), "error: b".to_owned()], count: 2 });
    }

    #[test]
    fn an_error_without_a_place_such_as_the_linkers_is_shown_with_its_longest_lines_cut() {
        let command = "x".repeat(LINE_CHARS_MAX * 2);
        let messages = message("error", &format!("linking with `cc` failed\n  = note: {command}\n  = note: undefined"));
        let errors = errors(&messages, "error: could not compile `a` (bin \"a\")");
        let lines: Vec<_> = errors.shown[0].lines().collect();
        assert_eq!((lines[0], lines[2]), ("error: linking with `cc` failed", "  = note: undefined"));
        assert!(lines[1].ends_with("xxx …") && lines[1].chars().count() == LINE_CHARS_MAX + 2, "{}", lines[1].len());
    }

    #[test]
    fn a_build_that_did_not_come_to_compiling_is_told_by_cargo() {
        let said = "error: failed to parse manifest at `/a/Cargo.toml`\n";
        assert_eq!(errors("", said), Errors { shown: vec![said.trim_end().to_owned()], count: 1 });
    }

    #[test]
    fn of_many_errors_the_first_are_shown() {
        let messages: Vec<_> = (0..9).map(|n| message("error", &n.to_string())).collect();
        let errors = errors(&messages.join("\n"), "");
        assert_eq!((errors.shown.len(), errors.count), (ERRORS_SHOWN_MAX, 9));
    }
}
