//! The probe's process: how it starts, serves several invocations at once, and ends.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, process::Command};

use super::{
    payloads::{sqs, sqs_fifo},
    runtime_api::{RuntimeApi, answered},
    wish,
};
use crate::{
    on_the_probe,
    system::{System, binaries, found},
};

/// Where nothing listens.
const NOWHERE: &str = "http://127.0.0.1:1";

/// The environment of a function that is set up well.
fn environment(endpoint: &str) -> BTreeMap<&'static str, String> {
    let dead_letters = format!("{endpoint}/000000000000/wishes-dlq");
    BTreeMap::from([
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("LEDGER_TABLE", "probe-ledger".to_owned()),
        ("DEAD_LETTER_QUEUE_URL", dead_letters),
    ])
}

fn probe(environment: BTreeMap<&'static str, String>) -> Command {
    let mut command = Command::new(binaries().join("probe"));
    command.env_clear().envs(environment).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_the_probe("lifecycle::a_variable_that_is_missing_or_malformed_ends_the_start_with_one_line", misconfigured),
        on_the_probe("lifecycle::a_table_that_is_missing_is_named_at_its_first_use", missing_table),
        on_the_probe("lifecycle::a_cold_start_makes_no_call", cold_start),
        on_the_probe("lifecycle::sigterm_fails_what_is_not_done_and_ends_the_process", sigterm),
        on_the_probe("lifecycle::sigterm_between_invocations_ends_the_process_at_once", sigterm_idle),
        on_the_probe("lifecycle::several_invocations_at_once_each_have_their_own_trace", managed_instances),
        on_the_probe("lifecycle::what_a_handler_logs_names_its_event_and_no_line_has_a_payload", log_lines),
        on_the_probe("lifecycle::a_host_without_the_extensions_api_serves_the_function_too", without_extensions),
    ]
}

async fn misconfigured(_system: System) {
    for (variable, value, expected) in [
        ("LEDGER_TABLE", None, "LEDGER_TABLE is not set"),
        ("DEAD_LETTER_QUEUE_URL", None, "DEAD_LETTER_QUEUE_URL is not set"),
        ("LEDGER_TABLE", Some("a table"), "LEDGER_TABLE is \"a table\""),
        ("DEAD_LETTER_QUEUE_URL", Some("dlq"), "DEAD_LETTER_QUEUE_URL is \"dlq\""),
        ("AWS_REGION", None, "AWS_REGION is not set"),
        ("AWS_LAMBDA_RUNTIME_API", None, "AWS_LAMBDA_RUNTIME_API is not set"),
    ] {
        let mut environment = environment(NOWHERE);
        environment.remove(variable);
        environment.extend(value.map(|value| (variable, value.to_owned())));
        let output = probe(environment).output().await.expect("it starts");
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.code(), Some(1), "{variable}: {text}");
        let [line] = text.lines().collect::<Vec<_>>()[..] else { panic!("{variable}: not one line: {text:?}") };
        let line: Value = serde_json::from_str(line).expect("JSON");
        let error = line["error"].as_str().expect("an error");
        assert!(error.contains(expected), "{error}");
        assert_eq!(line["level"], "ERROR");
    }
}

async fn missing_table(system: System) {
    let api = RuntimeApi::start(true).await;
    let mut environment = environment(system.cloud().aws_url());
    environment.insert("LEDGER_TABLE", "no-such-table".to_owned());
    let _probe = api.run(probe(environment));
    let answer = api.invoke(&sqs(&[wish("e-1", "commit")])).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m-0"}]}), "the message stays where it is");
    let refused = api.invoke(&wish("e-2", "commit")).await;
    let message = refused["errorMessage"].as_str().expect("an error");
    assert!(message.contains("no-such-table") && message.contains("LEDGER_TABLE"), "{message}");
}

async fn cold_start(_system: System) {
    let cloud = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", cloud.local_addr().expect("an address"));
    let api = RuntimeApi::start(true).await;
    let _probe = api.run(probe(environment(&endpoint)));
    api.asked(1).await;
    let call = tokio::time::timeout(Duration::ZERO, cloud.accept()).await;
    assert!(call.is_err(), "the function asked for its first event, and called AWS before");
}

async fn sigterm(system: System) {
    let api = RuntimeApi::start(true).await;
    let mut probe = api.run(probe(environment(system.cloud().aws_url())));
    let batch = [wish("s-1", "commit"), wish("s-2", "sleep"), wish("s-3", "commit")];
    let answer = api.begin(&sqs_fifo(&batch), "").await;
    // The second one runs now.
    found("the first is committed", async || {
        system.rows("probe-ledger").await.iter().any(|row| row["pk"]["S"] == "probe#s-1").then_some(())
    })
    .await;
    probe.terminate();
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]});
    assert_eq!(answered(answer).await, failed);
    assert_eq!(probe.ended().await, Some(0));
}

async fn sigterm_idle(system: System) {
    let api = RuntimeApi::start(true).await;
    let mut probe = api.run(probe(environment(system.cloud().aws_url())));
    api.asked(1).await;
    probe.terminate();
    assert_eq!(probe.ended().await, Some(0));
}

async fn managed_instances(system: System) {
    let api = RuntimeApi::start(true).await;
    let mut environment = environment(system.cloud().aws_url());
    environment.insert("AWS_LAMBDA_MAX_CONCURRENCY", "4".to_owned());
    environment
        .insert("_X_AMZN_TRACE_ID", "Root=1-00000000-00000000000000000000dead;Parent=000000000000dead".to_owned());
    let _probe = api.run(probe(environment));
    api.asked(4).await;
    // Three that never end, and beside them one after the other is answered.
    let mut sleeping = Vec::new();
    for id in ["m-1", "m-2", "m-3"] {
        sleeping.push(api.begin(&wish(id, "sleep"), "").await);
    }
    for id in 1..=3 {
        let root = format!("Root=1-5759e988-bd862e3fe1be46a99427279{id};Parent=53995c3f42cd8ad8;Sampled=1");
        let answer = answered(api.begin(&wish(&format!("m-4{id}"), "commit"), &root).await).await;
        let trace = format!("00-5759e988bd862e3fe1be46a99427279{id}-53995c3f42cd8ad8-01");
        assert_eq!(answer["trace"], trace.as_str(), "{answer}");
    }
    assert!(sleeping.iter_mut().all(|answer| answer.try_recv().is_err()));
}

async fn log_lines(system: System) {
    let api = RuntimeApi::start(true).await;
    let mut probe = api.run(probe(environment(system.cloud().aws_url())));
    for what in ["commit", "fail", "refuse", "panic"] {
        let mut event = wish(&format!("l-{what}"), what);
        event["correlationid"] = json!("c-1");
        event["data"]["secret"] = json!("4111-1111");
        api.invoke(&sqs(&[event])).await;
    }
    let broken = json!({"specversion": "1.0", "id": "l-5", "data": {"wish": "4111-1111"}});
    let unknown = json!({"specversion": "1.0", "data": "4111-1111"});
    api.invoke(&sqs(&[broken, unknown, json!("4111-1111")])).await;
    probe.terminate();
    let mut log = String::new();
    probe.child.stdout.take().expect("piped").read_to_string(&mut log).await.expect("text");
    assert!(!log.contains("4111"), "{log}");
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON object a line"));
    let lines: Vec<_> = lines.collect();
    let granting = lines.iter().find(|line| line["message"] == "granting").expect("the handler's line");
    let span = &granting["span"];
    let named = ["function", "event_id", "event_type", "correlation_id"].map(|field| span[field].as_str());
    assert_eq!(named, ["probe", "l-commit", "wish.made.v1", "c-1"].map(Some), "{granting}");
    assert_eq!(span["attempt"], 1);
    let outcomes: Vec<_> = lines.iter().filter_map(|line| line["outcome"].as_str()).collect();
    assert_eq!(outcomes[..4], ["committed", "retried", "dead_lettered", "retried"]);
    assert_eq!(outcomes[4..], ["dead_lettered"; 3]);
}

async fn without_extensions(system: System) {
    let api = RuntimeApi::start(false).await;
    let mut probe = api.run(probe(environment(system.cloud().aws_url())));
    assert_eq!(api.invoke(&wish("w-1", "commit")).await["event_id"], "w-1");
    let mut log = String::new();
    let mut stderr = probe.child.stderr.take().expect("piped");
    drop(probe);
    stderr.read_to_string(&mut log).await.expect("text");
    assert!(!log.contains("panicked"), "{log}");
}
