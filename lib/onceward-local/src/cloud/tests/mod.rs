//! Whole clouds in this process, without functions.

mod durable;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::events::{Archive, Entry, Target};
use crate::lambda::{EventInvokeConfig, Logging};
use crate::sqs::Receive;
use crate::template::{Bus, Function, Queue, Rule, Table};

/// A bus, a rule that routes `a.v1` to a queue, and a table that expires its items.
fn stack(account: &Account) -> Stack {
    let target = Target { id: "queue".to_owned(), arn: account.arn("sqs", "inbox"), ..Target::default() };
    let definition = json!({
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    Stack {
        buses: vec![Bus { logical_id: "Bus".to_owned(), name: "bus".to_owned() }],
        queues: vec![Queue { logical_id: "Inbox".to_owned(), name: "inbox".to_owned(), attributes: BTreeMap::new() }],
        rules: vec![Rule {
            logical_id: "Rule".to_owned(),
            name: "rule".to_owned(),
            bus: "bus".to_owned(),
            pattern: json!({"detail-type": ["a.v1"]}),
            schedule: None,
            enabled: true,
            targets: vec![target],
        }],
        tables: vec![Table {
            logical_id: "Orders".to_owned(),
            name: "orders".to_owned(),
            definition,
            ttl_attribute: Some("expires_at".to_owned()),
        }],
        ..Stack::default()
    }
}

async fn config() -> CloudConfig {
    let listeners = Listeners::bind(Ports::default()).await.unwrap();
    CloudConfig { stack: stack(listeners.account()), ..CloudConfig::new(listeners) }
}

async fn cloud() -> Cloud {
    Cloud::start(config().await).unwrap()
}

fn event() -> Entry {
    Entry {
        bus: "bus".to_owned(),
        source: "test".to_owned(),
        detail_type: "a.v1".to_owned(),
        detail: "{}".to_owned(),
        ..Entry::default()
    }
}

fn function(name: &str) -> Function {
    Function {
        logical_id: "Function".to_owned(),
        name: name.to_owned(),
        code_uri: PathBuf::from("/nowhere"),
        build: template::Build::CargoLambda { binary: name.to_owned() },
        profile: "release".to_owned(),
        handler: "bootstrap".to_owned(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(1),
        memory_mb: 128,
        runtime: "provided.al2023".to_owned(),
        logging: Logging::default(),
        reserved_concurrency: None,
        asynchronous: EventInvokeConfig::default(),
        dead_letter_arn: None,
        triggers: Vec::new(),
    }
}

/// The status line and the body of one HTTP/1.1 exchange. `target` is the value of `X-Amz-Target`, if any.
async fn exchange(url: &str, line: &str, target: &str, body: &str) -> (String, String) {
    let mut connection = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let headers = format!("host: localhost\r\nx-amz-target: {target}\r\ncontent-length: {}", body.len());
    let headers = if target.is_empty() { headers.replace("x-amz-target: \r\n", "") } else { headers };
    let request = format!("{line} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n\r\n{body}");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn an_event_reaches_its_queue_and_no_other_cloud() {
    let (one, other) = (cloud().await, cloud().await);
    assert_ne!(one.aws_url(), other.aws_url());
    one.events().put_event(event()).unwrap();
    assert_eq!(one.sqs().depth("inbox").unwrap().visible, 1);
    assert_eq!(other.sqs().depth("inbox").unwrap().visible, 0);
    let ttl = one.dynamodb().execute("DescribeTimeToLive", br#"{"TableName":"orders"}"#).unwrap();
    let ttl: Value = serde_json::from_slice(&ttl).unwrap();
    assert_eq!(ttl["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED");
}

#[tokio::test]
async fn the_ports_answer_until_the_shutdown() {
    let cloud = cloud().await;
    let (status, body) = exchange(cloud.aws_url(), "GET /_localstack/health", "", "").await;
    assert!(status.contains("200") && body.contains(r#""sqs":"running""#), "{status} {body}");
    let tables = exchange(cloud.aws_url(), "POST /", "DynamoDB_20120810.ListTables", "{}").await.1;
    assert_eq!(tables, r#"{"TableNames":["orders"]}"#);
    let unknown = exchange(cloud.aws_url(), "POST /", "AmazonSSM.GetParameter", "{}").await.1;
    assert!(unknown.contains("does not have AmazonSSM"), "{unknown}");
    assert!(exchange(cloud.http_url(), "GET /nowhere", "", "").await.0.contains("404"));
    assert!(exchange(cloud.gateway_url(), "GET /v1/payments", "", "").await.1.contains(r#""declined":0"#));

    cloud.shutdown().await;
    let address = cloud.aws_url().trim_start_matches("http://");
    assert!(TcpStream::connect(address).await.is_err(), "the port is free again");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_flag() {
    let taken = Listeners::bind(Ports::default()).await.unwrap();
    let port = |url: &str| url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let http = port(taken.http_url());
    let error = Listeners::bind(Ports { http, ..Ports::default() }).await.unwrap_err().to_string();
    assert!(error.contains(&http.to_string()) && error.contains("--http-port"), "{error}");
    let error = Listeners::bind(Ports { aws: port(&taken.account().endpoint), ..Ports::default() }).await.unwrap_err();
    assert!(matches!(error, CloudError::PortInUse { flag: "--aws-port", .. }), "{error}");
}

#[tokio::test]
async fn what_a_service_refuses_names_the_resource() {
    let mut config = config().await;
    config.stack.queues[0].attributes.insert("VisibilityTimeout".to_owned(), "soon".to_owned());
    let error = Cloud::start(config).unwrap_err().to_string();
    assert!(error.starts_with("queue inbox: "), "{error}");
}

#[tokio::test]
async fn a_function_without_an_executable_is_an_error_before_it_is_needed() {
    let mut config = config().await;
    config.binaries = PathBuf::from("/nowhere");
    config.stack.functions.push(function("handle"));
    let error = Cloud::start(config).unwrap_err().to_string();
    assert!(error.contains("function handle has no executable at /nowhere/handle"), "{error}");
}

#[tokio::test]
async fn a_template_gets_its_development_parameters_and_the_gateway() {
    let template = "\
Metadata: {Onceward: {Dev: {Parameters: {Inbox: local, Keep: local}}}}
Parameters:
  Inbox: {Type: String, Default: deployed}
  Keep: {Type: String, Default: deployed}
  PaymentGatewayUrl: {Type: String, Default: https://payments.example.com}
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
";
    let path = std::env::temp_dir().join(format!("onceward-{}.yaml", uuid::Uuid::new_v4()));
    std::fs::write(&path, template).unwrap();
    let listeners = Listeners::bind(Ports::default()).await.unwrap();
    let overrides = BTreeMap::from([("Keep".to_owned(), "mine".to_owned())]);
    let stack = load_stack(&path, &listeners, &overrides);
    std::fs::remove_file(&path).unwrap();
    let stack = stack.unwrap();
    let value = |name: &str| stack.parameters[name].value.as_str();
    assert_eq!((value("Inbox"), value("Keep")), ("local", "mine"));
    assert_eq!(value(GATEWAY_PARAMETER), listeners.gateway_url());
}

#[tokio::test]
async fn archives_and_schedules_of_the_template_are_there_and_work() {
    let mut config = config().await;
    let account = config.listeners.account().clone();
    config.stack.archives =
        vec![Archive { name: "all".to_owned(), bus_arn: account.arn("events", "event-bus/bus"), ..Archive::default() }];
    config.stack.schedule_groups = vec!["closing".to_owned()];
    let schedule = json!({
        "Name": "now",
        "GroupName": "closing",
        "ScheduleExpression": "rate(1 days)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": account.arn("sqs", "inbox"), "RoleArn": "arn:aws:iam::000000000000:role/r", "Input": "due"},
    });
    config.stack.schedules = vec![serde_json::from_value(schedule).unwrap()];
    let cloud = Cloud::start(config).unwrap();
    let wait = Receive { max: 1, wait: Duration::from_secs(20), visibility: None };
    assert_eq!(cloud.sqs().receive("inbox", wait).await.unwrap()[0].body, "due", "a rate is due at once");
    cloud.events().put_event(event()).unwrap();
    let name = r#"{"ArchiveName":"all"}"#;
    let (_, archive) = exchange(cloud.aws_url(), "POST /", "AWSEvents.DescribeArchive", name).await;
    assert!(archive.contains(r#""EventCount":1"#), "{archive}");
    let (status, _) = exchange(cloud.aws_url(), "GET /schedules/now?groupName=closing", "", "").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    cloud.shutdown().await;
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>
#[tokio::test]
async fn a_table_has_the_tags_and_the_protection_that_its_template_declares() {
    let mut config = config().await;
    let database = crate::dynamodb::DynamoDb::new(config.listeners.account().clone()).unwrap();
    let request = |action: &str, request: Value| {
        let answer = database.execute(action, request.to_string().as_bytes());
        answer.map(|answer| serde_json::from_slice::<Value>(&answer).unwrap_or_default())
    };
    let table = &mut config.stack.tables[0];
    let name = json!({"TableName": table.name});
    let arn = config.listeners.account().arn("dynamodb", &format!("table/{}", table.name));
    let tags = || request("ListTagsOfResource", json!({"ResourceArn": arn})).unwrap()["Tags"].clone();
    table.definition["DeletionProtectionEnabled"] = json!(true);
    table.definition["Tags"] = json!([{"Key": "team", "Value": "shop"}]);
    tables::deploy(&database, table).unwrap();
    assert_eq!(tags(), json!([{"Key": "team", "Value": "shop"}]));
    assert_eq!(request("DeleteTable", name.clone()).unwrap_err().code(), "ValidationException");
    // The next start finds the table, and another template.
    table.definition["DeletionProtectionEnabled"] = json!(false);
    table.definition["Tags"] = json!([{"Key": "team", "Value": "stock"}]);
    tables::deploy(&database, table).unwrap();
    assert_eq!(tags(), json!([{"Key": "team", "Value": "stock"}]));
    request("DeleteTable", name).unwrap();
}
