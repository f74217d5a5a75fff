//! The whole system: real function processes, real protocols, on the cloud that `ONCEWARD_TEST_CLOUD` names.
//!
//! On the embedded cloud, every test has a cloud of its own on free ports. On another, the tests that can run there share
//! one, and the others are reported as ignored with the reason. So is a test that needs a program this machine does not
//! have, with the name of what is missing.

mod bad_input;
mod builds;
mod clients;
mod cloud;
mod conformance;
mod contract;
mod crashes;
mod deployment;
mod dev;
mod duplicates;
mod faults;
mod guide;
mod orders;
mod outage;
mod permissions;
mod poison;
mod saved;
mod sources;
mod system;
mod tidy;
mod wire;

use std::{collections::BTreeMap, process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Completion, Trial};

use cloud::{Choice, SharedCloud};
use system::TEMPLATE;

/// Clouds are many processes each: two at a time keep two cores busy.
const THREADS: usize = 2;

/// Makes the trials of one suite.
type Suite = fn() -> Vec<Trial>;

/// Suites that run nowhere but on the embedded cloud, and why.
const EMBEDDED: [(Suite, &str); 14] = [
    (builds::trials, "runs functions that are no part of the deployed template"),
    (saved::trials, "writes what earlier builds have written, on whichever cloud"),
    (guide::trials, "runs the guide's template as `onceward dev` does"),
    (crashes::trials, "kills function processes, which only the embedded cloud shows"),
    (outage::trials, "takes down the payment gateway that all tests on this cloud share"),
    (poison::trials, "writes ledger records by hand, which the relay that all tests on this cloud share would park"),
    (faults::trials, "makes calls of the embedded cloud fail on purpose"),
    (permissions::trials, "asks the embedded cloud which permissions were used"),
    (conformance::trials, "asks the embedded cloud for what AWS documents"),
    (clients::trials, "tests the local cloud's own protocols"),
    (dev::trials, "tests `onceward dev`, on whichever cloud"),
    (sources::trials, "runs a function that is no part of the deployed template"),
    (wire::trials, "tests the local cloud's own protocols"),
    (tidy::trials, "reads the repository, on whichever cloud"),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    let choice = match Choice::from_environment() {
        Ok(choice) => choice,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if !arguments.list && !build_functions() {
        return ExitCode::FAILURE;
    }
    let mut trials = Vec::new();
    for (suite, reason) in EMBEDDED {
        let suite = suite().into_iter();
        trials.extend(suite.map(|trial| if choice == Choice::Embedded { trial } else { ignored(&trial, reason) }));
    }
    trials.extend(cloud::trials());
    trials.extend(portable(&choice));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The suites that run on every cloud. The deployment's come last: the last of them ends it.
fn portable(choice: &Choice) -> Vec<Trial> {
    let cloud = Arc::new(SharedCloud::new(choice.clone()));
    let suites = [orders::trials, duplicates::trials, bad_input::trials, contract::trials, deployment::trials];
    suites.iter().flat_map(|suite| suite(&cloud)).collect()
}

/// The functions' binaries are not part of a test build. Everything they are made of is.
fn build_functions() -> bool {
    let build = onceward_local::dev::cargo().args(["build", "--bins"]).current_dir(system::ROOT).status();
    build.is_ok_and(|status| status.success())
}

/// A test that is not run, and why.
fn ignored(trial: &Trial, reason: &'static str) -> Trial {
    let name = trial.name().to_owned();
    Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason))).with_kind(trial.kind())
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

/// A test on the chosen cloud.
fn on_any_cloud<F>(cloud: &Arc<SharedCloud>, name: &str, run: fn(system::System) -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    match cloud.choice() {
        Choice::Embedded => on_a_cloud(name, run),
        Choice::Endpoint(_) | Choice::Ministack | Choice::Testcontainers => cloud.system_trial(name, run),
    }
}

/// A test on a cloud of its own.
fn on_a_cloud<F>(name: &str, run: fn(system::System) -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    on_a_cloud_with(TEMPLATE, BTreeMap::new(), name, run)
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
            let cloud = Arc::clone(system.cloud());
            run(system).await;
            cloud.shutdown().await;
        });
        Ok(())
    })
}
