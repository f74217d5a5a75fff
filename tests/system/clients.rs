//! The clients people have: boto3 and the aws CLI, unmodified.

use std::process::{Command, Output};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    on_a_cloud,
    system::{System, envelope, eventually},
};

/// What the boto3 test does; it ends with an error if anything is not as expected.
const BOTO3: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/system/clients.py");
/// The same of queues, topics and buckets that the test makes itself.
const BOTO3_MESSAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/system/messaging.py");
/// The same of faults.
const BOTO3_FAULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/system/faults/boto3_faults.py");

pub(crate) fn trials() -> Vec<Trial> {
    let boto3 = Command::new("python3").args(["-c", "import boto3"]).output();
    let cli = Command::new("aws").arg("--version").output();
    let missing = |found: std::io::Result<Output>| !found.is_ok_and(|output| output.status.success());
    let no_boto3 = missing(boto3);
    vec![
        on_a_cloud("clients::boto3", boto3_client).with_kind("needs boto3").with_ignored_flag(no_boto3),
        on_a_cloud("clients::boto3_messaging", boto3_messaging).with_kind("needs boto3").with_ignored_flag(no_boto3),
        on_a_cloud("clients::boto3_faults", boto3_faults).with_kind("needs boto3").with_ignored_flag(no_boto3),
        on_a_cloud("clients::aws_cli", aws_cli).with_kind("needs the aws CLI").with_ignored_flag(missing(cli)),
    ]
}

/// A client's process, with the cloud in its environment and no configuration of the machine's owner.
async fn run(system: &System, program: &str, arguments: &[&str]) -> String {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .env("AWS_ENDPOINT_URL", system.cloud().aws_url())
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .output()
        .await
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

async fn boto3_client(system: System) {
    boto3(&system, BOTO3).await;
}

async fn boto3_messaging(system: System) {
    boto3(&system, BOTO3_MESSAGING).await;
}

async fn boto3_faults(system: System) {
    boto3(&system, BOTO3_FAULTS).await;
}

async fn boto3(system: &System, script: &str) {
    let printed = run(system, "python3", &[script]).await;
    assert_eq!(printed.trim().lines().last(), Some("all is as expected"), "{printed}");
}

async fn aws_cli(system: System) {
    let aws = async |arguments: &[&str]| -> Value {
        // Version 1 of the CLI does not ask the environment for the endpoint of SQS.
        let options = ["--output", "json", "--endpoint-url", system.cloud().aws_url()];
        let printed = run(&system, "aws", &[arguments, &options].concat()).await;
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {printed}"))
    };
    let queues = aws(&["sqs", "list-queues"]).await;
    assert_eq!(queues["QueueUrls"].as_array().map(Vec::len), Some(system.cloud().stack().queues.len()));
    let tables = aws(&["dynamodb", "list-tables"]).await;
    assert!(tables["TableNames"].as_array().is_some_and(|names| names.contains(&json!("onceward-ledger"))));
    let rules = aws(&["events", "list-rules", "--event-bus-name", "orders"]).await;
    assert_eq!(rules["Rules"].as_array().map(Vec::len), Some(system.cloud().stack().rules.len()));
    let detail = envelope("goods.received.v1", "by-hand", &json!({"product_id": "p-9", "quantity": 9}));
    let entry = json!([{
        "EventBusName": "orders", "Source": "warehouse", "DetailType": "goods.received.v1", "Detail": detail.to_string()
    }]);
    let put = aws(&["events", "put-events", "--entries", &entry.to_string()]).await;
    assert_eq!(put["FailedEntryCount"], 0, "{put}");
    eventually("the event is routed and handled", async || system.stock("p-9").await["available"] == 9).await;
    let item = aws(&[
        "dynamodb",
        "get-item",
        "--table-name",
        "onceward-ledger",
        "--key",
        r#"{"pk":{"S":"receive-stock#by-hand"}}"#,
    ])
    .await;
    assert_eq!(item["Item"]["status"]["S"], "completed", "{item}");
}
