//! What Onceward costs: the CPU of a function written by hand, and of the same function run by Onceward.
//!
//! `cargo bench -p onceward-aws --bench overhead -- [--events N] [--rounds N] [--json]`; docs/benchmarks.md explains
//! the table. Linux only: CPU time is read from /proc.

mod events;
mod process;
mod programs;
mod report;
mod server;

use std::process::ExitCode;

use events::Workload;
use process::{Block, ColdStart, Process};
use programs::Program;

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Blocks that the events of a round are measured in, the functions in turn: what disturbs the machine meets all alike.
const BLOCKS: u64 = 10;

/// Events that warm a process up: connections, caches, the allocator.
const WARM_UP_EVENTS: u64 = 1_000;

/// What is asked for on the command line.
struct Options {
    /// Events that each function handles in a round, for each workload.
    events: u64,
    /// Rounds: each has processes of its own.
    rounds: usize,
    json: bool,
}

/// A function in one configuration.
struct Subject<'a> {
    name: &'static str,
    program: &'a Program,
    log_level: &'static str,
}

/// What was measured of a subject.
#[derive(Default)]
struct Samples {
    cold: Vec<ColdStart>,
    /// Blocks by workload, in the order of [`Workload::ALL`]; the same index is the same moment for every subject.
    blocks: [Vec<Block>; Workload::ALL.len()],
}

fn main() -> ExitCode {
    let result = options().and_then(|options| run(&options));
    result.map_or_else(
        |error| {
            eprintln!("overhead: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn options() -> Result<Options, Error> {
    let mut options = Options { events: 5_000, rounds: 7, json: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or_else(|| format!("{argument} needs a number"));
        match argument.as_str() {
            "--events" => options.events = number()?.parse()?,
            "--rounds" => options.rounds = number()?.parse::<usize>()?.max(1),
            "--json" => options.json = true,
            // Cargo says it to every benchmark.
            "--bench" => {}
            _ => return Err(format!("{argument} is unknown: --events N, --rounds N, --json").into()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), Error> {
    let (floor, onceward) = programs::build()?;
    let subjects = [
        Subject { name: "floor", program: &floor, log_level: "info" },
        Subject { name: "onceward", program: &onceward, log_level: "info" },
        Subject { name: "onceward, RUST_LOG=off", program: &onceward, log_level: "off" },
    ];
    let mut samples: [Samples; 3] = Default::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for _ in 0..options.rounds {
        runtime.block_on(round(options, &subjects, &mut samples))?;
    }
    match options.json {
        true => println!("{}", report::json(&subjects, &samples)),
        false => print!("{}", report::table(&subjects, &samples)),
    }
    Ok(())
}

async fn round(options: &Options, subjects: &[Subject<'_>], samples: &mut [Samples]) -> Result<(), Error> {
    let mut processes = Vec::new();
    for (subject, samples) in subjects.iter().zip(samples.iter_mut()) {
        let started = Process::start(&subject.program.path, subject.log_level, Workload::Row).await;
        let (mut process, cold) = started.map_err(|error| format!("{}: {error}", subject.name))?;
        samples.cold.push(cold);
        for workload in Workload::ALL {
            process.block(workload, WARM_UP_EVENTS).await?;
        }
        processes.push(process);
    }
    for _ in 0..BLOCKS {
        for (index, workload) in Workload::ALL.into_iter().enumerate() {
            for (process, samples) in processes.iter_mut().zip(samples.iter_mut()) {
                samples.blocks[index].push(process.block(workload, options.events / BLOCKS).await?);
            }
        }
    }
    Ok(())
}
