//! The `onceward` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use onceward_local::dev;

/// Event handlers on this machine: the functions of a SAM template, and the cloud they need.
#[derive(Debug, Parser)]
#[command(name = "onceward", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Dev(args) => dev::run(args).await,
    }
}
