//! What `onceward check` finds, told while the template runs.

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::console::{Console, News};
use crate::check::{CheckError, Checked, Finding};

const NOTE: Style = AnsiColor::Yellow.on_default();
const FAILED: Style = AnsiColor::Red.on_default().bold();

/// What happens to what the check finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// Nothing starts until it is mended
    Enforce,
    /// It is shown
    #[default]
    Report,
    /// It is not shown
    Off,
}

/// Why nothing is started.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("{0}\n\nnothing was started: what one of these functions handles would count as handled by the other")]
    OneName(String),
    #[error("{0}\n\nnothing was started: mend this, or run with `--check report`; `onceward check` says more")]
    Found(String),
}

/// Tells what was found at the start, unless that forbids it.
pub(super) fn at_start(checked: &Checked, mode: Mode, console: &Console) -> Result<(), Refused> {
    let same = checked.of_one_name();
    if !same.is_empty() {
        return Err(Refused::OneName(checked.lines(&same)));
    }
    let failing = checked.failing();
    match mode {
        _ if failing.is_empty() => {}
        Mode::Enforce => return Err(Refused::Found(checked.lines(&failing))),
        Mode::Report => console.tell(news(checked, &failing)),
        Mode::Off => {}
    }
    Ok(())
}

/// What was found.
pub(super) fn news(checked: &Checked, findings: &[Finding]) -> News {
    let text = format!(
        "{}\n{NOTE}the template and its functions do not fit{NOTE:#}: `onceward check` says what to write",
        checked.lines(findings)
    );
    News { event: "checked", text, fields: checked.document(findings) }
}

/// Why it was not checked this time.
pub(super) fn not_checked(error: &CheckError) -> News {
    let text = format!("{FAILED}not checked{FAILED:#}: {error}");
    News { event: "not_checked", text, fields: json!({"error": error.to_string()}) }
}
