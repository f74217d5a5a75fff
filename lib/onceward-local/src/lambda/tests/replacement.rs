//! A function whose executable is replaced while it runs.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    Bench, Gate, json, runs, spec,
    starts::{queue, send, source_report},
    until,
};
use crate::{lambda::SqsMapping, sqs::Depth};

/// A folder with a bootstrap in it, removed in the end.
struct Package(PathBuf);

impl Package {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("onceward-package-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn bootstrap(&self) -> PathBuf {
        self.0.join("bootstrap")
    }

    /// As a build does: the whole file at once.
    fn write(&self, line: &str) {
        let function = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lambda/tests/bootstrap");
        let new = self.0.join("new");
        fs::write(&new, format!("#!/bin/sh\n{line}\nexec {}\n", function.display())).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.bootstrap()).unwrap();
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn bench(package: &Package) -> Bench {
    let bench = Bench::new();
    bench.lambda.create_function(super::FunctionSpec { bootstrap: package.bootstrap(), ..spec("f", &[]) }).unwrap();
    bench
}

#[tokio::test]
async fn what_runs_ends_on_the_old_process_and_the_next_gets_the_new_one() {
    let package = Package::new();
    package.write("export ANSWER=1");
    let mut bench = bench(&package);
    assert_eq!(json(&bench.invoke(json!({})).await), 1);
    let old = bench.lambda.processes("f").unwrap();
    let gate = Gate::new();
    let (lambda, event) = (bench.lambda.clone(), gate.event().to_string());
    bench.event().await;
    let running = tokio::spawn(async move { lambda.invoke("f", event.into()).await });
    bench.event().await;

    package.write("export ANSWER=2");
    bench.lambda.replace("f").unwrap();
    assert_eq!(json(&bench.invoke(json!({})).await), 2, "although the old process still runs");
    assert!(!running.is_finished() && runs(old[0]));
    gate.open();
    let answer = running.await.unwrap().unwrap();
    assert_eq!((answer.function_error.clone(), &json(&answer)["pid"]), (None, &json!(old[0])));
    until(|| !runs(old[0])).await;
    assert_eq!(json(&bench.invoke(json!({})).await), 2);
    assert_eq!(bench.lambda.processes("f").unwrap().len(), 1);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn idle_processes_are_replaced_at_once() {
    let package = Package::new();
    package.write("export ANSWER=1");
    let bench = bench(&package);
    bench.lambda.start("f").await.unwrap();
    let old = bench.lambda.processes("f").unwrap();
    package.write("export ANSWER=2");
    bench.lambda.replace("f").unwrap();
    until(|| !runs(old[0]) && bench.lambda.processes("f").unwrap().len() == 1).await;
    assert_eq!(json(&bench.invoke(json!({})).await), 2);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_that_did_not_start_is_tried_at_once() {
    let package = Package::new();
    package.write("exit 3");
    let bench = bench(&package);
    assert_eq!(json(&bench.invoke(json!({})).await)["errorType"], "Runtime.ExitError");
    package.write("export ANSWER=2");
    bench.lambda.replace("f").unwrap();
    assert_eq!(json(&bench.invoke(json!({})).await), 2, "and not answered from the failure on record");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_message_that_a_broken_build_has_failed_is_for_the_next_build() {
    let package = Package::new();
    package.write("exit 3");
    let mut bench = bench(&package);
    let (sqs, mapping) = queue(&bench, 0, 2);
    send(&sqs, "a");
    bench.lambda.map_sqs(sqs.clone(), SqsMapping { maximum_concurrency: Some(1), ..mapping }).unwrap();
    source_report(&mut bench, "arn:aws:sqs:").await;
    package.write("export ANSWER=2");
    bench.lambda.replace("f").unwrap();
    assert_eq!(bench.event().await["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
    until(|| sqs.depth("q").unwrap() == Depth::default()).await;
    assert_eq!(sqs.depth("dead").unwrap(), Depth::default());
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn nobody_needs_a_function_that_was_never_called() {
    let package = Package::new();
    package.write("export ANSWER=1");
    let bench = bench(&package);
    bench.lambda.replace("f").unwrap();
    assert!(bench.lambda.processes("f").unwrap().is_empty());
    assert!(bench.lambda.replace("g").is_err());
    bench.lambda.shutdown().await;
}
