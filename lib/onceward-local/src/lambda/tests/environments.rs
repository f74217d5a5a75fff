//! How many processes there are, and when one is replaced.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{Bench, Gate, TIMEOUT, advance, json, kill, runs, spec, until};
use crate::lambda::{Invocation, LambdaError, pool::ENVIRONMENTS_MAX};

#[tokio::test]
async fn invocations_one_after_the_other_share_a_process() {
    let bench = Bench::with_function(&[]);
    let first = json(&bench.invoke(json!({ "do": "sleep", "ms": 0 })).await);
    for _ in 0..20 {
        assert_eq!(json(&bench.invoke(json!({ "do": "sleep", "ms": 0 })).await), first);
    }
    assert_eq!(bench.lambda.processes("f").unwrap().len(), 1);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn invocations_at_once_have_a_process_each_up_to_the_limit() {
    let mut bench = Bench::with_function(&[]);
    let answers = at_once(&mut bench, ENVIRONMENTS_MAX + 3).await;
    let mut pids: Vec<_> = answers.iter().map(|answer| json(answer)["pid"].as_u64()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), ENVIRONMENTS_MAX);
    bench.lambda.shutdown().await;
}

/// So many invocations at once: none ends before as many run as can.
pub(super) async fn at_once(bench: &mut Bench, count: usize) -> Vec<Invocation> {
    let (lambda, gate) = (bench.lambda.clone(), Gate::new());
    let event = gate.event().to_string();
    let invoked = join_all((0..count).map(|_| lambda.invoke("f", event.clone().into())));
    let opened = async {
        for _ in 0..count.min(ENVIRONMENTS_MAX) {
            bench.event().await;
        }
        gate.open();
    };
    let (answers, ()) = join(invoked, opened).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer.function_error.is_none()), "{answers:?}");
    answers
}

#[tokio::test]
async fn a_process_that_dies_idle_is_replaced_without_being_asked() {
    let bench = Bench::with_function(&[]);
    bench.lambda.start("f").await.unwrap();
    let before = bench.lambda.processes("f").unwrap();
    kill(before[0]);
    until(|| bench.lambda.processes("f").unwrap().first().is_some_and(|pid| *pid != before[0])).await;
    assert_eq!(bench.invoke(json!({})).await.function_error, None);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_missing_bootstrap_is_named() {
    let bench = Bench::new();
    let mut missing = spec("f", &[]);
    missing.bootstrap = "/nowhere/bootstrap".into();
    bench.lambda.create_function(missing).unwrap();
    let refused = bench.lambda.start("f").await.unwrap_err().to_string();
    assert!(refused.contains("[/nowhere/bootstrap]"), "{refused}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_leaves_no_process_and_answers_who_waits() {
    let mut bench = Bench::with_function(&[]);
    let lambda = bench.lambda.clone();
    let invoked = tokio::spawn(async move { lambda.invoke("f", r#"{"do":"hang"}"#.into()).await });
    bench.event().await;
    let processes = bench.lambda.processes("f").unwrap();
    bench.lambda.shutdown().await;
    assert_eq!(invoked.await.unwrap(), Err(LambdaError::ShuttingDown));
    assert!(!processes.is_empty() && processes.iter().all(|pid| !runs(*pid)));
    assert_eq!(bench.lambda.invoke("f", "{}".into()).await, Err(LambdaError::ShuttingDown));
}

#[tokio::test]
async fn of_idle_environments_all_but_one_may_end() {
    let mut bench = Bench::with_function(&[]);
    at_once(&mut bench, 3).await;
    let pool = bench.lambda.pool("f").unwrap();
    let retired: Vec<bool> = (1..=3).map(|index| pool.retire(index)).collect();
    assert_eq!(retired, [true, true, false]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn what_a_function_has_started_ends_with_it() {
    let mut bench = Bench::with_function(&[]);
    let lambda = bench.lambda.clone();
    let invoked = tokio::spawn(async move { lambda.invoke("f", r#"{"do":"hang with a child"}"#.into()).await });
    let child: u32 = bench.line(|line| line.text.strip_prefix("CHILD ")?.parse().ok()).await;
    assert!(is_alive(child));
    advance(TIMEOUT).await;
    assert!(invoked.await.unwrap().unwrap().function_error.is_some(), "timed out");
    until(|| !is_alive(child)).await;
    bench.lambda.shutdown().await;
}

/// Whether a process that is not ours to reap still runs.
fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}
