use std::{cell::RefCell, fmt, path::PathBuf};

/// Why a template cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read the template {}", path.display())]
    Unreadable {
        /// The template's path.
        path: PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// The file was read and has faults: all of them, in the order of their lines.
    #[error("{}", listing(path, faults))]
    Faulty {
        /// The template's path.
        path: PathBuf,
        /// What is wrong, at least one.
        faults: Vec<Fault>,
    },
}

fn listing(path: &std::path::Path, faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(|fault| format!("{}:{fault}", path.display())).collect();
    lines.join("\n")
}

/// One thing that is wrong with a template, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line in the template, from 1.
    pub line: usize,
    /// Where: a section's name or a resource's logical id, then the property, joined by dots.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, place, message } = self;
        if place.is_empty() { write!(f, "{line}: {message}") } else { write!(f, "{line}: {place}: {message}") }
    }
}

/// Marks what could not be read: the fault itself is already in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Faulted;

/// The faults found so far, so that one run reports them all.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    /// Notes a fault; the value lets the caller give up on what it was reading.
    pub(super) fn add(&self, line: usize, place: impl Into<String>, message: impl Into<String>) -> Faulted {
        self.0.borrow_mut().push(Fault { line, place: place.into(), message: message.into() });
        Faulted
    }

    /// Every fault once, in the order of their lines.
    pub(super) fn into_sorted(self) -> Vec<Fault> {
        let mut faults = self.0.into_inner();
        faults.sort();
        // What is wrong in Globals is found again for every function: the first is enough.
        let tail = |fault: &Fault| fault.place.split_once('.').map(|(_, tail)| tail.to_owned());
        faults.dedup_by(|next, first| {
            next.line == first.line
                && next.message == first.message
                && (next.place == first.place || tail(next).is_some() && tail(next) == tail(first))
        });
        faults
    }
}
