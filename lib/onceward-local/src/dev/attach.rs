//! Functions that are left to a debugger.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::json;

use super::console::News;
use crate::cloud::Attached;
use crate::template::Stack;

/// Variables that whoever starts the process has already, and better.
const LEFT_OUT: [&str; 1] = ["PATH"];
/// Those are left out where they are this process's own: secrets are not printed.
const SECRET: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// A function to attach to that is none.
#[derive(Debug, thiserror::Error)]
#[error("--attach {wanted}: the template has no function of this name or logical id; it has {}", known.join(", "))]
pub(super) struct NoFunction {
    wanted: String,
    known: Vec<String>,
}

/// The names of the functions that `wanted` means, by name or logical id.
pub(super) fn names(wanted: &[String], stack: &Stack) -> Result<BTreeSet<String>, NoFunction> {
    let name = |wanted: &String| {
        let found = stack.functions.iter().find(|it| it.name == *wanted || it.logical_id == *wanted);
        let known = || stack.functions.iter().map(|it| it.logical_id.clone()).collect();
        found.map(|it| it.name.clone()).ok_or_else(|| NoFunction { wanted: wanted.clone(), known: known() })
    };
    wanted.iter().map(name).collect()
}

/// How to start the process: text to paste into a shell.
pub(super) fn news(attached: &Attached) -> News {
    let Attached { function, executable, working_directory, environment } = attached;
    let is_own = |name: &str, value: &str| std::env::var(name).is_ok_and(|own| own == value);
    let is_left_out =
        |name: &str, value: &str| LEFT_OUT.contains(&name) || SECRET.contains(&name) && is_own(name, value);
    let environment: BTreeMap<_, _> = environment.iter().filter(|(name, value)| !is_left_out(name, value)).collect();
    let folder = quoted(&working_directory.display().to_string());
    let mut text = format!("\n{function} is left to you. Its invocations wait for:\n\ncd {folder}\n");
    for (name, value) in &environment {
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    let _ = writeln!(text, "{}", quoted(&executable.display().to_string()));
    let fields = json!({
        "function": function,
        "executable": executable,
        "working_directory": working_directory,
        "environment": environment,
    });
    News { event: "attach", text, fields }
}

/// As a POSIX shell reads it back.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        assert_eq!(quoted("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
        for text in ["", "a b", "it's", "$HOME", "[$LATEST]1", "a;b", "\"", "line\nbreak"] {
            let line = format!("printf %s {}", quoted(text));
            let printed = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(printed.stdout).unwrap(), text, "{line}");
        }
    }

    #[test]
    fn a_function_that_is_none_is_refused_with_those_there_are() {
        let error = names(&["Nobody".to_owned()], &Stack::default()).unwrap_err().to_string();
        assert!(error.starts_with("--attach Nobody: the template has no function of this name"), "{error}");
    }
}
