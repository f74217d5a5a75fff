//! The whole system: real function processes, real protocols, on the local cloud.
//!
//! Every test has a cloud of its own on free ports. A test that needs a program this machine does not have is reported
//! as ignored, with the name of what is missing.

mod bad_input;
mod clients;
mod cloud;
mod conformance;
mod contract;
mod crashes;
mod dev;
mod duplicates;
mod faults;
mod guide;
mod orders;
mod outage;
mod sources;
mod system;
mod tidy;
mod wire;

use std::{collections::BTreeMap, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

/// Clouds are many processes each: two at a time keep two cores busy.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    if !arguments.list && !build_functions() {
        return ExitCode::FAILURE;
    }
    let mut trials = Vec::new();
    for suite in [
        orders::trials,
        duplicates::trials,
        faults::trials,
        guide::trials,
        crashes::trials,
        outage::trials,
        bad_input::trials,
        clients::trials,
        cloud::trials,
        conformance::trials,
        contract::trials,
        dev::trials,
        sources::trials,
        wire::trials,
        tidy::trials,
    ] {
        trials.extend(suite());
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The functions' binaries are not part of a test build. Everything they are made of is.
fn build_functions() -> bool {
    let build = onceward_local::dev::cargo().args(["build", "--bins"]).current_dir(system::ROOT).status();
    build.is_ok_and(|status| status.success())
}

/// A test that needs nothing.
fn trial(name: &'static str, run: fn()) -> Trial {
    trial_with(name, run)
}

/// The same, for a test that has something with it.
fn trial_with(name: &'static str, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// A test on a cloud of its own.
fn on_a_cloud<F>(name: &str, run: fn(system::System) -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    on_a_cloud_with("template.yaml", BTreeMap::new(), name, run)
}

/// A test of the runtime itself: a cloud with the one function that does what its event says.
fn on_the_probe<F>(name: &str, run: fn(system::System) -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    on_a_cloud_with("tests/probe/template.yaml", BTreeMap::new(), name, run)
}

/// A cloud with what the template declares, and these variables for every function in place of the template's.
fn on_a_cloud_with<F>(
    template: &'static str,
    environment: BTreeMap<String, String>,
    name: &str,
    run: fn(system::System) -> F,
) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            let system = system::System::start(template, environment).await;
            let cloud = system.cloud.clone();
            run(system).await;
            cloud.shutdown().await;
        });
        Ok(())
    })
}
