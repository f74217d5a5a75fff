//! What the local cloud does in a second, against ministack: the same client, the same requests, in one run.
//!
//! `cargo bench -p onceward-local --bench clouds -- [--ministack PYTHON] [--seconds N] [--rounds N]`;
//! docs/benchmarks.md explains the table. Linux only: memory is read from /proc.

mod client;
mod floor;
mod process;
mod report;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use process::{Process, Program};
use workload::{Figures, Prepared};

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// What is asked for on the command line.
struct Options {
    /// An interpreter that has ministack installed; without one only the local cloud is measured.
    ministack: PathBuf,
    /// How long each workload of a round runs.
    each: Duration,
    /// Rounds: the clouds take turns, and the table has the medians.
    rounds: usize,
}

fn main() -> ExitCode {
    let result = match std::env::args().skip_while(|argument| argument != floor::FLAG).nth(1) {
        Some(port) => serve_floor(&port),
        None => options().and_then(|options| run(&options)),
    };
    result.map_or_else(
        |error| {
            eprintln!("clouds: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// On as many threads as the local cloud has.
fn serve_floor(port: &str) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(floor::serve(port.parse()?))
}

fn options() -> Result<Options, Error> {
    let ministack = process::root().join("target/ministack/bin/python");
    let mut options = Options { ministack, each: Duration::from_secs(2), rounds: 3 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--ministack" => options.ministack = value()?.into(),
            "--seconds" => options.each = Duration::from_secs(value()?.parse()?),
            "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
            // Cargo says it to every benchmark.
            "--bench" => {}
            _ => return Err(format!("{argument} is unknown: --ministack PYTHON, --seconds N, --rounds N").into()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), Error> {
    let build = process::build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(async {
        let mut programs = vec![Program::Onceward { build: &build }, Program::Floor];
        if options.ministack.exists() {
            programs.push(Program::Ministack { python: &options.ministack });
        } else {
            eprintln!("clouds: no ministack: {} is not there", options.ministack.display());
        }
        measure(options, &programs).await
    })?;
    print!("{}", report::table(&figures));
    Ok(())
}

/// Figures of each program, in their order.
async fn measure(options: &Options, programs: &[Program<'_>]) -> Result<Vec<Figures>, Error> {
    let mut figures: Vec<_> = programs.iter().map(|program| Figures::new(program.name())).collect();
    // Starting, one after another, before anything else is on the machine.
    for (program, figures) in programs.iter().zip(&mut figures) {
        for _ in 0..options.rounds {
            figures.ready.push(Process::start(program).await?.ready);
        }
    }
    let mut running = Vec::new();
    for program in programs {
        let process = Process::start(program).await?;
        let prepared = Prepared::new(&process.url).await?;
        running.push((process, prepared));
    }
    for ((process, _), figures) in running.iter().zip(&mut figures) {
        figures.idle_bytes = process.idle_bytes().await?;
    }
    for _ in 0..options.rounds {
        for ((_, prepared), figures) in running.iter().zip(&mut figures) {
            prepared.measure(options.each, figures).await?;
        }
    }
    for ((process, _), figures) in running.iter().zip(&mut figures) {
        figures.busy_bytes = process.bytes()?;
    }
    Ok(figures)
}
