//! `onceward conformance`: what AWS documents, asked of one or several clouds over the real protocols.
//!
//! The checks are written from AWS's documentation, whatever any cloud does, and each uses resources of its own, which
//! it cleans up. They speak the wire protocols themselves, so that no client's validation or retry stands between.

mod behaviour;
mod checks;
mod clouds;
mod report;
mod request;
mod resources;
mod session;
mod survey;

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

pub use self::behaviour::{Behaviour, Finding};
pub use self::checks::behaviours;
pub use self::clouds::embedded;
use self::clouds::{Choice, Running};
pub use self::survey::{Verdict, survey};
use crate::escape;

const FAILED: Style = AnsiColor::Red.on_default().bold();

/// Ask clouds for behaviours that AWS documents, and print where they differ.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A cloud: embedded, endpoint=URL, or ministack=PYTHON (an interpreter that has it installed); may be repeated
    #[arg(long = "cloud", value_name = "CLOUD", default_value = "embedded")]
    clouds: Vec<Choice>,
    /// Only the behaviours whose service and id (SQS/fifo-order) contain this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Print one JSON object a behaviour
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print tables in Markdown
    #[arg(long)]
    markdown: bool,
}

/// A cloud's name and what was found of each behaviour, in the order of the behaviours.
#[derive(Debug)]
struct Column {
    name: String,
    verdicts: Vec<Verdict>,
}

/// Asks and prints. The exit code is 1 if the embedded cloud differs anywhere or a cloud cannot be asked.
pub async fn run(args: Args) -> ExitCode {
    let mut behaviours = behaviours();
    behaviours.retain(|behaviour| behaviour.name().to_lowercase().contains(&args.filter.to_lowercase()));
    if behaviours.is_empty() {
        anstream::eprintln!("{FAILED}error{FAILED:#}: no behaviour has {:?} in its service and id", args.filter);
        return ExitCode::FAILURE;
    }
    let mut columns = Vec::new();
    for choice in &args.clouds {
        let running = match Running::start(choice).await {
            Ok(running) => running,
            Err(error) => {
                let error = format!("{choice}: {error}");
                anstream::eprintln!("{FAILED}error{FAILED:#}: {}", escape::output(&error));
                return ExitCode::FAILURE;
            }
        };
        let verdicts = survey(running.url(), &behaviours).await;
        columns.push(Column { name: choice.to_string(), verdicts });
        running.stop().await;
    }
    match (args.json, args.markdown) {
        (true, _) => anstream::print!("{}", report::json(&behaviours, &columns)),
        (_, true) => anstream::print!("{}", escape::output(&report::markdown(&behaviours, &columns))),
        // It quotes what the cloud has answered.
        _ => anstream::print!("{}", escape::output(&report::text(&behaviours, &columns))),
    }
    let ours = args.clouds.iter().zip(&columns).filter(|(choice, _)| **choice == Choice::Embedded);
    let differs = ours.flat_map(|(_, column)| &column.verdicts).any(|verdict| matches!(verdict, Verdict::Differs(_)));
    if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
