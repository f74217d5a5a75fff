//! The `onceward` command.

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use onceward_local::{check, conformance, dev};

/// Event handlers on this machine: the functions of a SAM template, and the cloud they need.
#[derive(Debug, Parser)]
#[command(name = "onceward", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Args),
    Check(check::Args),
    Conformance(conformance::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse_from(arguments(std::env::args_os())).command {
        Command::Dev(args) => dev::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Conformance(args) => conformance::run(args).await,
    }
}

/// `cargo dev -- --log json` comes here as `onceward dev -- --log json`: the alias has a `--` of its own. No command
/// takes anything but flags, so a `--` behind it has nothing to separate.
fn arguments(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    /// The program and the command.
    const BEFORE: usize = 2;
    given.enumerate().filter(|(place, argument)| *place != BEFORE || argument != "--").map(|(_, argument)| argument)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn help_fits_the_smallest_terminal() {
        let mut cli = Cli::command().term_width(80);
        cli.build();
        for command in cli.get_subcommands_mut() {
            for help in [command.render_help(), command.render_long_help()] {
                let help = help.to_string();
                assert_eq!(help.lines().find(|line| line.chars().count() > 80), None, "{}", command.get_name());
            }
        }
    }

    #[test]
    fn flags_may_follow_the_separator_that_cargo_passes_on() {
        let arguments =
            |line: &str| arguments(line.split(' ').map(OsString::from)).collect::<Vec<_>>().join(" ".as_ref());
        assert_eq!(arguments("onceward dev -- --log json"), "onceward dev --log json");
        assert_eq!(arguments("onceward dev --log json"), "onceward dev --log json");
        assert!(Cli::try_parse_from("onceward dev --no-demo -- --log".split(' ')).is_err());
    }
}
