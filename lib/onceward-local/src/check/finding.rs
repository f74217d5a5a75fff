//! What the check finds.

use std::path::PathBuf;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something is lost, refused or done twice.
    Error,
    /// It works until something else goes wrong.
    Warning,
    /// Something to know: it does not make the check fail.
    Note,
}

/// One thing that is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The rule's id, as in `docs/check.md`.
    pub(crate) rule: &'static str,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// The file, if it is not the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// The logical id of the resource, or the section.
    pub(crate) resource: String,
    /// What is wrong, and what comes of it.
    pub(crate) message: String,
    /// What to write, or to do.
    pub(crate) help: String,
}

impl Finding {
    /// Whether it makes a check fail: notes are for knowing.
    pub(crate) fn fails(&self) -> bool {
        self.severity != Severity::Note
    }

    /// At `line`, on what is named `resource`; the rule is filled in by who runs it.
    pub(crate) fn new(severity: Severity, (resource, line): (&str, usize), message: String, help: String) -> Self {
        Self { rule: "", severity, file: None, line, resource: resource.to_owned(), message, help }
    }

    /// Something is lost, refused or done twice.
    pub(crate) fn error(at: (&str, usize), message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Severity::Error, at, message.into(), help.into())
    }

    /// It works until something else goes wrong.
    pub(crate) fn warning(at: (&str, usize), message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Severity::Warning, at, message.into(), help.into())
    }

    /// Something to know.
    pub(crate) fn note(at: (&str, usize), message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Severity::Note, at, message.into(), help.into())
    }
}
