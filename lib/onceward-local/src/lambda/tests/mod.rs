//! The local Lambda with real processes.

mod api;
mod attached;
mod concurrency;
mod destinations;
mod durable;
mod environments;
mod faults;
pub(crate) mod function;
mod http_api;
mod invocations;
mod replacement;
mod shards;
mod sqs;
mod starts;
mod streams;
mod topics;

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

use super::{FunctionSpec, Invocation, Lambda, LogLine, LogSink, SqsMapping};
use crate::{
    account::Account,
    destination::Destinations,
    logs::Logs,
    store::tests::Folder,
    wire::{AwsRequest, Protocol},
};

/// Nothing here takes this long unless it is broken, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// Of functions whose timeout no test waits for: a busy machine does not reach it.
const TIMEOUT: Duration = Duration::from_mins(5);

/// A Lambda and what its functions print.
struct Bench {
    lambda: Lambda,
    account: Account,
    logs: Logs,
    log: mpsc::UnboundedReceiver<LogLine>,
}

impl Bench {
    fn new() -> Self {
        let account = Account::new("eu-central-1", "http://127.0.0.1:4566");
        let (sender, log) = mpsc::unbounded_channel();
        let sink = LogSink::new(move |line| {
            let _ = sender.send(line);
        });
        let logs = Logs::new(account.clone());
        let destinations = Destinations::default();
        Self { lambda: Lambda::new(account.clone(), sink, logs.clone(), destinations), account, logs, log }
    }

    /// With one function, `f`, started with `environment`.
    fn with_function(environment: &[(&str, &str)]) -> Self {
        let bench = Self::new();
        bench.lambda.create_function(spec("f", environment)).unwrap();
        bench
    }

    async fn invoke(&self, event: Value) -> Invocation {
        let invoked = timeout(PATIENCE, self.lambda.invoke("f", event.to_string().into()));
        invoked.await.expect("the invocation ends").unwrap()
    }

    /// The next printed line that `wanted` makes something of.
    async fn line<T>(&mut self, wanted: impl Fn(&LogLine) -> Option<T>) -> T {
        let search = async {
            loop {
                let line = self.log.recv().await.expect("the Lambda still runs");
                if let Some(found) = wanted(&line) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("the line is printed")
    }

    /// The next event the function is given.
    async fn event(&mut self) -> Value {
        self.line(|line| serde_json::from_str(line.text.strip_prefix(function::EVENT)?).ok()).await
    }

    /// What is in a log group, oldest first.
    async fn log_lines(&self, group: &str) -> Vec<String> {
        let request = AwsRequest {
            protocol: Protocol::Json { content_type: "application/x-amz-json-1.1" },
            action: "FilterLogEvents".to_owned(),
            path: "/".to_owned(),
            body: serde_json::json!({ "logGroupName": group }).to_string().into(),
        };
        let answer: Value = serde_json::from_slice(&self.logs.handle(request).await.body).unwrap();
        let events = answer["events"].as_array().unwrap();
        events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The next error the cloud itself reports.
    async fn report(&mut self) -> String {
        self.line(|line| {
            let report: Value = serde_json::from_str(&line.text).ok()?;
            (report["target"] == "onceward_local::lambda").then(|| report["message"].as_str().unwrap().to_owned())
        })
        .await
    }
}

pub(crate) fn spec(name: &str, environment: &[(&str, &str)]) -> FunctionSpec {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lambda/tests");
    let executable = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    let mut variables = BTreeMap::from([("TEST_EXECUTABLE".to_owned(), executable)]);
    variables.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    FunctionSpec { environment: variables, timeout: TIMEOUT, ..FunctionSpec::new(name, tests.join("bootstrap"), tests) }
}

/// A queue as a source of the function `f`.
fn from_queue(queue_arn: String, batch_size: usize) -> SqsMapping {
    SqsMapping {
        function: "f".to_owned(),
        queue_arn,
        batch_size,
        batching_window: Duration::ZERO,
        maximum_concurrency: None,
        report_batch_item_failures: false,
        filters: Vec::new(),
    }
}

fn json(invocation: &Invocation) -> Value {
    serde_json::from_slice(&invocation.payload).unwrap()
}

/// Whether the process is still there (a zombie would be, too).
fn runs(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

fn kill(pid: u32) {
    assert!(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// The clock runs only while nothing but time is waited for: the processes are real.
async fn advance(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}

/// Tokio's clock stands still until this is dropped: whatever waits for time to pass waits, and the test fails when its
/// patience ends in real time.
fn freeze() -> Frozen {
    let (frozen, patience) = std::sync::mpsc::channel();
    tokio::time::pause();
    // A paused clock moves by itself while the runtime is idle, but not beside work that blocks.
    tokio::task::spawn_blocking(move || patience.recv_timeout(PATIENCE));
    Frozen { _sender: frozen }
}

struct Frozen {
    _sender: std::sync::mpsc::Sender<()>,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

/// What invocations wait for, each in a process of its own, until the test opens it.
struct Gate(Folder);

impl Gate {
    fn new() -> Self {
        Self(Folder::new())
    }

    /// An event whose invocation ends, with the process's id, once the gate is open.
    fn event(&self) -> Value {
        serde_json::json!({ "do": "wait", "for": self.0.0 })
    }

    fn open(&self) {
        std::fs::create_dir_all(&self.0.0).unwrap();
    }
}

/// Waits until `condition` holds, looking whenever the runtime has nothing else to do.
async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.expect("the condition comes true");
}
