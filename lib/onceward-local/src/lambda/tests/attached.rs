//! A function whose process somebody else starts.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Bench, PATIENCE, from_queue, json, spec, until};
use crate::{
    lambda::{ATTACHED_VISIBILITY, FunctionSpec},
    sqs::{Depth, Outgoing, Sqs},
};

/// The process, started with the printed environment as a debugger would.
struct Debugger(Child);

impl Debugger {
    fn start(environment: &BTreeMap<String, String>) -> Self {
        let FunctionSpec { bootstrap, working_directory, .. } = spec("f", &[]);
        let mut command = Command::new(bootstrap);
        command
            .current_dir(working_directory)
            .env_clear()
            .envs(environment)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Debugger {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn attached(timeout: Duration) -> (Bench, BTreeMap<String, String>) {
    let bench = Bench::new();
    let environment = bench.lambda.create_attached(FunctionSpec { timeout, ..spec("f", &[]) }).unwrap();
    (bench, environment)
}

fn invoked(bench: &Bench, event: &Value) -> tokio::task::JoinHandle<super::Invocation> {
    let (lambda, event) = (bench.lambda.clone(), event.to_string());
    tokio::spawn(
        async move { tokio::time::timeout(PATIENCE, lambda.invoke("f", event.into())).await.unwrap().unwrap() },
    )
}

#[tokio::test]
async fn an_invocation_waits_for_the_process_and_it_is_said_so() {
    let (mut bench, environment) = attached(super::TIMEOUT);
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "f");
    let waiting = invoked(&bench, &json!({"do": "answer", "answer": 7}));
    let report = bench.report().await;
    let address = &environment["AWS_LAMBDA_RUNTIME_API"];
    assert_eq!(report, format!("f: an invocation waits until a process of f asks {address} for it"));
    assert!(bench.lambda.processes("f").unwrap().is_empty() && !waiting.is_finished());
    let _debugger = Debugger::start(&environment);
    assert_eq!(json(&waiting.await.unwrap()), 7);
    assert_eq!(bench.report().await, "f: a process is attached");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_attached_function_has_no_timeout() {
    let (bench, environment) = attached(Duration::from_millis(100));
    let _debugger = Debugger::start(&environment);
    let answer = invoked(&bench, &json!({"do": "sleep", "ms": 500})).await.unwrap();
    assert_eq!(answer.function_error, None);
    let headers = json(&invoked(&bench, &json!({"do": "headers"})).await.unwrap());
    let deadline_ms: i64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    assert!(deadline_ms > chrono::Utc::now().timestamp_millis() + 600_000, "a function that looks has time, too");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_process_may_come_and_go() {
    let (mut bench, environment) = attached(super::TIMEOUT);
    let first = Debugger::start(&environment);
    assert_eq!(bench.report().await, "f: a process is attached");
    first.kill();
    assert_eq!(bench.report().await, "f: the attached process has gone; start it again when you like");

    let interrupted = invoked(&bench, &json!({"do": "hang"}));
    assert!(bench.report().await.starts_with("f: an invocation waits"));
    let second = Debugger::start(&environment);
    assert_eq!(bench.report().await, "f: a process is attached");
    second.kill();
    // Nobody knows whether it stands at a breakpoint, until another one asks.
    assert!(!interrupted.is_finished());
    let _third = Debugger::start(&environment);
    let error = interrupted.await.unwrap();
    assert_eq!(json(&error)["errorType"], "Runtime.ExitError");
    assert_eq!(invoked(&bench, &json!({"do": "answer", "answer": 3})).await.unwrap().function_error, None);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn messages_stay_in_the_queue_until_a_process_is_there_and_hidden_while_it_has_them() {
    let (mut bench, environment) = attached(super::TIMEOUT);
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&now_ms);
    let sqs = Sqs::with_clock(bench.account.clone(), move || clock.load(Ordering::Relaxed));
    sqs.create_queue("q", &BTreeMap::from([("VisibilityTimeout".to_owned(), "1".to_owned())])).unwrap();
    let mapping = from_queue(sqs.arn("q"), 1);
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    for body in ["a", "b"] {
        sqs.send("q", Outgoing { body: body.to_owned(), ..Outgoing::default() }).unwrap();
    }
    let first = Debugger::start(&environment);
    assert_eq!(bench.report().await, "f: a process is attached");
    until(|| sqs.depth("q").unwrap() == Depth::default()).await;
    first.kill();
    assert!(bench.report().await.starts_with("f: the attached process has gone"));
    sqs.send("q", Outgoing { body: "c".to_owned(), ..Outgoing::default() }).unwrap();
    assert_eq!(sqs.depth("q").unwrap().visible, 1, "it waits for a process");

    // As at a breakpoint: it has the message and does not answer.
    let mut api = TcpStream::connect(&environment["AWS_LAMBDA_RUNTIME_API"]).await.unwrap();
    api.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, api.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    now_ms.fetch_add(2_000, Ordering::Relaxed);
    assert_eq!(
        sqs.depth("q").unwrap(),
        Depth { in_flight: 1, ..Depth::default() },
        "although its visibility timeout was a second"
    );
    assert!(ATTACHED_VISIBILITY > Duration::from_secs(2));
    bench.lambda.shutdown().await;
}
