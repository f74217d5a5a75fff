//! Functions that do not start, or take long to.
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-init-errors>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html#troubleshooting-timeouts>

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    Bench, TIMEOUT, advance,
    destinations::{asynchronous, cloud, end, told},
    from_queue, json, spec, until,
};
use crate::{
    lambda::{EventInvokeConfig, FunctionSpec, LambdaError, SqsMapping, StartingPosition, StreamMapping},
    sqs::{Depth, Outgoing, Sqs},
    store::tests::Folder,
};

/// Counts how often a function's process was started.
struct Starts(Folder);

impl Starts {
    fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir_all(&folder.0).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.0.join("starts")
    }

    fn count(&self) -> u64 {
        std::fs::metadata(self.file()).map_or(0, |file| file.len())
    }

    /// A function whose processes do not start, because of `init`; all of them, or the first.
    fn function(&self, init: &str, times: Option<u32>) -> FunctionSpec {
        let mut function = spec("f", &[("INIT", init), ("STARTS", self.file().to_str().unwrap())]);
        function.environment.extend(times.map(|times| ("INIT_TIMES".to_owned(), times.to_string())));
        function
    }
}

fn bench(function: FunctionSpec) -> Bench {
    let bench = Bench::new();
    bench.lambda.create_function(function).unwrap();
    bench
}

/// Lambda's own lines in the log of `f`.
async fn platform_lines(bench: &Bench) -> Vec<String> {
    let all = bench.log_lines("/aws/lambda/f").await;
    let own = ["INIT_REPORT ", "START ", "END ", "REPORT "];
    all.into_iter().filter(|line| own.iter().any(|start| line.starts_with(start))).collect()
}

async fn started_late(bench: &Bench, starts: &Starts) -> LambdaError {
    let lambda = bench.lambda.clone();
    let starting = tokio::spawn(async move { lambda.start("f").await });
    until(|| starts.count() == 1).await;
    advance(Duration::from_secs(10)).await;
    starting.await.unwrap().unwrap_err()
}

#[tokio::test]
async fn an_init_phase_over_ten_seconds_is_run_again_within_the_first_invocation() {
    let starts = Starts::new();
    let bench = bench(starts.function("hang", Some(1)));
    let error = started_late(&bench, &starts).await;
    assert!(error.to_string().contains("did not ask for its first event within 10 seconds"), "{error}");
    assert_eq!(starts.count(), 1, "not before somebody needs it");
    assert_eq!(bench.invoke(json!({})).await.function_error, None);
    assert_eq!(starts.count(), 2);
    let lines = platform_lines(&bench).await;
    assert!(lines[0].ends_with("\tPhase: init\tStatus: timeout"), "{lines:?}");
    assert!(lines[1].starts_with("START "), "{lines:?}");
    let report = lines.last().unwrap();
    assert!(report.starts_with("REPORT ") && !report.contains("Init Duration"), "part of the duration: {report}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_invocation_that_waits_for_an_init_phase_over_ten_seconds_gets_a_second_one() {
    let starts = Starts::new();
    let mut bench = bench(starts.function("hang", Some(1)));
    let lambda = bench.lambda.clone();
    let invoked = tokio::spawn(async move { lambda.invoke("f", "{}".into()).await });
    until(|| starts.count() == 1).await;
    advance(Duration::from_secs(10)).await;
    assert_eq!(invoked.await.unwrap().unwrap().function_error, None);
    assert_eq!(starts.count(), 2);
    let report = bench.report().await;
    assert!(report.ends_with("; it is started again within the invocation's timeout of 300 s"), "{report}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_second_init_phase_has_the_functions_timeout() {
    let starts = Starts::new();
    let bench = bench(starts.function("hang", None));
    started_late(&bench, &starts).await;
    let lambda = bench.lambda.clone();
    let invoked = tokio::spawn(async move { lambda.invoke("f", "{}".into()).await });
    until(|| starts.count() == 2).await;
    advance(Duration::from_secs(20)).await;
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!invoked.is_finished(), "not the ten seconds of the first");
    advance(TIMEOUT).await;
    let invocation = invoked.await.unwrap().unwrap();
    assert_eq!((invocation.function_error.as_deref(), starts.count()), (Some("Unhandled"), 2));
    let error = json(&invocation);
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    assert!(error["errorMessage"].as_str().unwrap().ends_with(" Error: Task timed out after 300.00 seconds"));
    let lines = platform_lines(&bench).await;
    assert!(lines[1].ends_with("\tPhase: invoke\tStatus: timeout"), "{lines:?}");
    assert!(lines.last().unwrap().ends_with("\tStatus: timeout"), "{lines:?}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_process_that_ends_before_its_first_event_is_started_again_within_the_invocation() {
    let starts = Starts::new();
    let bench = bench(starts.function("exit", Some(1)));
    assert_eq!(bench.invoke(json!({})).await.function_error, None);
    assert_eq!(starts.count(), 2);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_invocation_fails_with_the_error_of_the_second_start() {
    let starts = Starts::new();
    let bench = bench(starts.function("exit", None));
    let error = json(&bench.invoke(json!({})).await);
    assert_eq!(error["errorType"], "Runtime.ExitError");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.ends_with(" Error: Runtime exited with error: exit status 2"), "{message}");
    let lines = platform_lines(&bench).await;
    assert!(lines[0].ends_with("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"), "{lines:?}");
    assert!(lines[1].ends_with("\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError"), "{lines:?}");
    assert!(lines[2].starts_with("START ") && lines[3].starts_with("END "), "{lines:?}");
    assert!(lines[4].ends_with("\tStatus: error\tError Type: Runtime.ExitError"), "{lines:?}");
    assert_eq!(lines.len(), 5, "{lines:?}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_reported_init_error_is_handed_on() {
    let bench = Bench::with_function(&[("INIT", "report")]);
    let error = json(&bench.invoke(json!({})).await);
    assert_eq!(error["errorType"], "Config");
    assert!(error["errorMessage"].as_str().unwrap().ends_with("Error: TABLE is not set"));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_that_does_not_start_says_why_and_is_not_tried_in_a_loop() {
    let starts = Starts::new();
    let mut bench = bench(starts.function("exit", None));
    let refused = bench.lambda.start("f").await.unwrap_err();
    let LambdaError::InitFailed { reason, log, .. } = &refused else { panic!("{refused}") };
    assert_eq!(reason, "Runtime exited with error: exit status 1");
    assert!(log.iter().any(|line| line == "no database here"), "{log:?}");
    let report = bench.report().await;
    assert!(report.contains("no database here") && report.ends_with("its next invocation starts it again"), "{report}");

    for (start, delay_ms) in [(2, 500), (3, 1000)] {
        assert_eq!(starts.count(), start - 1, "nobody has asked for it");
        assert_eq!(json(&bench.invoke(json!({})).await)["errorType"], "Runtime.ExitError");
        let again = json(&bench.invoke(json!({})).await);
        assert_eq!(again["errorType"], "Runtime.ExitError");
        assert_eq!(starts.count(), start, "answered from the failure on record: {again}");
        let report = bench.report().await;
        assert!(report.contains("no database here"), "{report}");
        assert!(
            report.ends_with(&format!("its invocations fail for {delay_ms} ms; the next one then starts it again")),
            "{report}"
        );
        advance(Duration::from_millis(delay_ms)).await;
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn invocations_at_once_that_fail_to_start_are_one_failure() {
    let starts = Starts::new();
    let bench = bench(starts.function("exit", None));
    join_all((0..5).map(|_| bench.invoke(json!({})))).await;
    assert_eq!(starts.count(), 10);
    advance(Duration::from_millis(500)).await;
    bench.invoke(json!({})).await;
    assert_eq!(starts.count(), 11);
    bench.lambda.shutdown().await;
}

/// A queue, `q`, with a dead-letter queue, `dead`.
pub(super) fn queue(bench: &Bench, visibility: u32, receives_max: u32) -> (Sqs, SqsMapping) {
    let sqs = Sqs::new(bench.account.clone());
    sqs.create_queue("dead", &BTreeMap::new()).unwrap();
    let redrive = json!({ "deadLetterTargetArn": sqs.arn("dead"), "maxReceiveCount": receives_max });
    let attributes = [("VisibilityTimeout", visibility.to_string()), ("RedrivePolicy", redrive.to_string())];
    sqs.create_queue("q", &attributes.map(|(name, value)| (name.to_owned(), value)).into()).unwrap();
    let mapping = from_queue(sqs.arn("q"), 1);
    (sqs, mapping)
}

pub(super) fn send(sqs: &Sqs, body: &str) {
    sqs.send("q", Outgoing { body: body.to_owned(), ..Outgoing::default() }).unwrap();
}

/// The next report of an event source.
pub(super) async fn source_report(bench: &mut Bench, source: &str) -> String {
    loop {
        let report = bench.report().await;
        if report.starts_with(source) {
            return report;
        }
    }
}

#[tokio::test]
async fn messages_for_a_function_that_does_not_start_end_as_dead_letters_and_it_is_said_so() {
    let starts = Starts::new();
    let mut bench = bench(starts.function("exit", None));
    let (sqs, mapping) = queue(&bench, 0, 2);
    send(&sqs, "a");
    bench.lambda.map_sqs(sqs.clone(), SqsMapping { maximum_concurrency: Some(1), ..mapping }).unwrap();
    let first = source_report(&mut bench, "arn:aws:sqs:").await;
    assert!(first.contains(": 1 messages failed, received up to 1 of 2 times; they come back: "), "{first}");
    assert!(first.contains("Runtime exited with error: exit status 2"), "{first}");
    let second = source_report(&mut bench, "arn:aws:sqs:").await;
    let dead = sqs.arn("dead");
    assert!(second.contains(&format!("1 of them, received 2 of 2 times, go to {dead} next: ")), "{second}");
    until(|| sqs.depth("dead").unwrap().visible == 1).await;
    assert_eq!((sqs.depth("q").unwrap(), starts.count()), (Depth::default(), 3), "the init phase, and two batches");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_start_that_failed_costs_no_more_than_one_batch() {
    let starts = Starts::new();
    let mut bench = bench(starts.function("exit", None));
    let (sqs, mapping) = queue(&bench, 0, 1);
    for _ in 0..20 {
        send(&sqs, "a");
    }
    bench.lambda.map_sqs(sqs.clone(), SqsMapping { maximum_concurrency: Some(1), ..mapping }).unwrap();
    for batches in 1..=2 {
        source_report(&mut bench, "arn:aws:sqs:").await;
        let dead = sqs.depth("dead").unwrap().visible;
        assert!(dead < batches && starts.count() == batches as u64 + 1, "{dead} dead, {} starts", starts.count());
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn messages_wait_while_the_first_process_starts() {
    let starts = Starts::new();
    let mut bench = bench(starts.function("hang", Some(1)));
    let (sqs, mapping) = queue(&bench, 30, 1);
    send(&sqs, "a");
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    until(|| starts.count() == 1).await;
    assert_eq!(sqs.depth("q").unwrap(), Depth { visible: 1, in_flight: 0, delayed: 0 });
    advance(Duration::from_secs(10)).await;
    assert_eq!(bench.event().await["Records"][0]["attributes"]["ApproximateReceiveCount"], "1");
    until(|| sqs.depth("q").unwrap() == Depth::default()).await;
    assert_eq!((sqs.depth("dead").unwrap(), starts.count()), (Depth::default(), 2));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_that_does_not_start_uses_up_the_attempts_of_a_batch() {
    let starts = Starts::new();
    let (mut bench, services) = cloud();
    bench.lambda.create_function(starts.function("exit", None)).unwrap();
    super::destinations::table(&services);
    let mapping = StreamMapping {
        maximum_retry_attempts: Some(1),
        on_failure_arn: Some(services.sqs.arn("told")),
        ..StreamMapping::new("f", "things", StartingPosition::TrimHorizon)
    };
    bench.lambda.map_stream(services.dynamodb.clone(), mapping).unwrap();
    let report = source_report(&mut bench, "stream of things -> f: failed").await;
    assert!(report.contains("Runtime exited with error: exit status 2"), "{report}");
    let report = source_report(&mut bench, "stream of things -> f: SKIPPED").await;
    assert!(report.contains("Runtime exited with error: exit status 3"), "{report}");
    let document: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    assert_eq!(document["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!((&document["responseContext"]["functionError"], starts.count()), (&json!("Unhandled"), 3));
    end(bench, &services).await;
}

#[tokio::test]
async fn an_event_for_a_function_that_does_not_start_is_tried_three_times() {
    let starts = Starts::new();
    let (mut bench, services) = cloud();
    let config = EventInvokeConfig { on_failure_arn: Some(services.sqs.arn("told")), ..EventInvokeConfig::default() };
    let FunctionSpec { environment, .. } = starts.function("exit", None);
    bench.lambda.create_function(FunctionSpec { environment, ..asynchronous(config) }).unwrap();
    bench.lambda.invoke_later("f", "{}".into(), None).unwrap();
    for delay in [60, 120] {
        let report = source_report(&mut bench, "asynchronous invocation of f failed").await;
        assert!(report.contains(&format!(", next try in {delay} s: ")), "{report}");
        advance(Duration::from_secs(delay)).await;
    }
    until(|| services.sqs.depth("told").unwrap().visible == 1).await;
    let record: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    let context = &record["requestContext"];
    assert_eq!((&context["condition"], &context["approximateInvokeCount"]), (&json!("RetriesExhausted"), &json!(3)));
    assert_eq!(record["responsePayload"]["errorType"], "Runtime.ExitError");
    assert_eq!(starts.count(), 4, "the init phase, and three invocations");
    end(bench, &services).await;
}
