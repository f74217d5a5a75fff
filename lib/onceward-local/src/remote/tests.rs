//! Against the services of this process, over HTTP.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tokio::{net::TcpListener, time::timeout};

use super::{Credentials, Remote, RemoteError, RemoteQueue, Sending, trouble::Troubles};
use crate::{
    account::Account,
    destination::Destinations,
    endpoint::{self, Services},
    events::{Entry, Rule, Target},
    lambda::{
        LogSink, QueueSource, SqsMapping,
        tests::{PATIENCE, spec},
    },
    sqs::{AttributeValue, MessageAttribute, Outgoing, Receive, Received},
    template::{self, Stack},
};

/// The longest that a receive may wait.
const WAIT: Duration = Duration::from_secs(20);

/// Another cloud, which calls itself 127.0.0.1, and a client that calls it localhost.
async fn other() -> (Services, Remote) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let services = Services::new(Account::new("us-east-1", format!("http://{address}")), LogSink::discard()).unwrap();
    let router = endpoint::router(&services).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let remote = Remote::connect(&format!("http://localhost:{}/", address.port()), LogSink::discard()).await.unwrap();
    (services, remote)
}

/// The queue `name` there, as a source.
async fn queue(services: &Services, remote: &Remote, name: &str) -> RemoteQueue {
    services.sqs.deploy_queue(name, &BTreeMap::new()).unwrap();
    let request = json!({ "QueueName": name });
    let found = remote.client().json("sqs", ("AmazonSQS", "GetQueueUrl"), &request, Duration::ZERO).await.unwrap();
    RemoteQueue::new(remote.clone(), found["QueueUrl"].as_str().unwrap().to_owned())
}

async fn received(queue: &RemoteQueue) -> Vec<Received> {
    let request = Receive { max: 10, wait: WAIT, visibility: None };
    timeout(PATIENCE, queue.receive("", request)).await.expect("messages arrive").unwrap()
}

fn message(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), ..Outgoing::default() }
}

#[tokio::test]
async fn a_message_is_received_as_the_other_cloud_has_it() {
    let (services, remote) = other().await;
    let queue = queue(&services, &remote, "q").await;
    let binary = MessageAttribute { data_type: "Binary".to_owned(), value: AttributeValue::Binary(vec![0, 255]) };
    let attributes = BTreeMap::from([("t".to_owned(), MessageAttribute::string("x")), ("b".to_owned(), binary)]);
    let sent = services.sqs.send("q", Outgoing { attributes: attributes.clone(), ..message("hello") }).unwrap();
    let message = received(&queue).await.remove(0);
    assert_eq!((message.body.as_str(), &message.md5_of_body), ("hello", &sent.md5_of_body));
    assert_eq!((message.message_id, message.message_attributes), (sent.message_id, attributes));
    assert_eq!(message.md5_of_message_attributes, sent.md5_of_message_attributes);
    assert_eq!(message.attributes["ApproximateReceiveCount"], "1");
    assert!(message.attributes.contains_key("SentTimestamp"), "{:?}", message.attributes);
}

#[tokio::test]
async fn what_a_dropped_receive_got_is_visible_again_at_once() {
    let (services, remote) = other().await;
    let queue = queue(&services, &remote, "q").await;
    let request = Receive { max: 1, wait: WAIT, visibility: None };
    let dropped = timeout(Duration::from_millis(200), queue.receive("", request)).await;
    assert!(dropped.is_err(), "nothing to receive yet");
    services.sqs.send("q", message("once")).unwrap();
    assert_eq!(received(&queue).await[0].body, "once");
}

#[tokio::test]
async fn messages_are_deleted_in_batches_and_those_left_are_named() {
    let (services, remote) = other().await;
    let queue = queue(&services, &remote, "q").await;
    for number in 0..11 {
        services.sqs.send("q", message(&number.to_string())).unwrap();
    }
    let mut messages = Vec::new();
    while messages.len() < 11 {
        messages.extend(received(&queue).await);
    }
    messages[3].receipt_handle = "none".to_owned();
    let left = queue.delete("", &messages.iter().collect::<Vec<_>>()).await;
    assert_eq!(left.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&messages[3].message_id]);
    let depth = services.sqs.depth("q").unwrap();
    assert_eq!((depth.visible, depth.in_flight), (0, 1));
}

#[tokio::test]
async fn a_destination_of_the_other_cloud_is_sent_to() {
    let (services, remote) = other().await;
    let queue = queue(&services, &remote, "failures").await;
    let here = Destinations::default();
    here.connect(services.clone());
    here.divert(remote.clone());
    here.deliver(&remote.account().arn("sqs", "failures"), message("given up")).unwrap();
    assert_eq!(received(&queue).await[0].body, "given up");

    // A topic and a bus that send on to the queue.
    let queue_arn = remote.account().arn("sqs", "failures");
    let topic_arn = remote.account().arn("sns", "told");
    services.sns.create_topic_with("told", &BTreeMap::new()).unwrap();
    let raw = BTreeMap::from([("RawMessageDelivery".to_owned(), "true".to_owned())]);
    services.sns.subscribe_with(&topic_arn, "sqs", &queue_arn, &raw).unwrap();
    let attributes = BTreeMap::from([("ErrorCode".to_owned(), MessageAttribute::string("200"))]);
    let letter = Outgoing { attributes: attributes.clone(), ..message("dead letter") };
    remote.send(Sending::Message(topic_arn, letter));
    let letter = received(&queue).await.remove(0);
    assert_eq!((letter.body.as_str(), letter.message_attributes), ("dead letter", attributes));

    let rule = Rule { name: "all".to_owned(), pattern: Some(r#"{"source":["lambda"]}"#.to_owned()), ..Rule::default() };
    services.events.put_rule(Rule { bus: "default".to_owned(), ..rule }).unwrap();
    let target = Target { id: "q".to_owned(), arn: queue_arn, ..Target::default() };
    services.events.put_target("default", "all", target).unwrap();
    let (source, detail_type, detail) = ("lambda".to_owned(), "Result".to_owned(), r#"{"n":1}"#.to_owned());
    remote.send(Sending::Event(Entry { bus: "default".to_owned(), source, detail_type, detail, ..Entry::default() }));
    let event: serde_json::Value = serde_json::from_str(&received(&queue).await[0].body).unwrap();
    assert_eq!((&event["detail-type"], &event["detail"]), (&json!("Result"), &json!({ "n": 1 })));
}

const TEMPLATE: &str = "\
Resources:
  Used: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${AWS::StackName}-used'}}
  Unused: {Type: AWS::SQS::Queue}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Runtime: provided.al2023
      Handler: bootstrap
      Environment: {Variables: {QUEUE: !Ref Used, BOTH: !Sub '${Used},${Used}-dlq', TABLE: !Ref Items}}
";

/// The template as a stack of the other cloud, named `shop`.
fn stack(remote: &Remote) -> Stack {
    let path = std::env::temp_dir().join(format!("onceward-remote-{}.yaml", uuid::Uuid::new_v4()));
    std::fs::write(&path, TEMPLATE).unwrap();
    let stack = template::load_as(&path, &BTreeMap::new(), remote.account(), "shop");
    std::fs::remove_file(&path).unwrap();
    stack.unwrap()
}

#[tokio::test]
async fn what_is_missing_is_listed_and_what_nobody_uses_is_not_asked_for() {
    let (_, remote) = other().await;
    let error = remote.look_up(&mut stack(&remote)).await.unwrap_err();
    let RemoteError::Missing { missing, .. } = error else { panic!("{error}") };
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["queue shop-used (Used)", "table shop-Items (Items)"]);
}

#[tokio::test]
async fn functions_are_told_the_queues_urls_of_the_other_cloud() {
    let (services, remote) = other().await;
    let mut stack = stack(&remote);
    services.sqs.deploy_queue("shop-used", &BTreeMap::new()).unwrap();
    services.dynamodb.execute("CreateTable", stack.tables[0].definition.to_string().as_bytes()).unwrap();
    let found = remote.look_up(&mut stack).await.unwrap();
    let url = format!("{}/000000000000/shop-used", services.account.endpoint);
    assert_eq!(found.queues, BTreeMap::from([(remote.account().arn("sqs", "shop-used"), url.clone())]));
    let environment = &stack.functions[0].environment;
    assert_eq!((&environment["QUEUE"], environment["TABLE"].as_str()), (&url, "shop-Items"));
    let unknown = format!("{}/000000000000/shop-used-dlq", remote.account().endpoint);
    assert_eq!(environment["BOTH"], format!("{url},{unknown}"));
}

#[tokio::test]
async fn mappings_that_are_enabled_there_are_listed() {
    let (services, remote) = other().await;
    assert_eq!(remote.enabled_mappings().await.unwrap(), []);
    services.lambda.create_function(spec("f", &[])).unwrap();
    services.sqs.deploy_queue("q", &BTreeMap::new()).unwrap();
    let arn = services.account.arn("sqs", "q");
    let mapping = SqsMapping {
        function: "f".to_owned(),
        queue_arn: arn.clone(),
        batch_size: 1,
        batching_window: Duration::ZERO,
        maximum_concurrency: None,
        report_batch_item_failures: false,
        filters: Vec::new(),
    };
    services.lambda.map_sqs(services.sqs.clone(), mapping).unwrap();
    let function_arn = services.account.arn("lambda", "function:f");
    let enabled = remote.enabled_mappings().await.unwrap();
    let found: Vec<_> = enabled.iter().map(|it| (&it.source_arn, &it.function_arn)).collect();
    assert_eq!(found, [(&arn, &function_arn)]);
    assert!(uuid::Uuid::parse_str(&enabled[0].id).is_ok(), "{enabled:?}");
    services.lambda.shutdown().await;
}

#[test]
fn trouble_is_said_once_and_its_end_too() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let sink = LogSink::new(move |line| {
        let line: serde_json::Value = serde_json::from_str(&line.text).unwrap();
        seen.lock().unwrap().push(line["message"].as_str().unwrap().to_owned());
    });
    let troubles = Troubles::new("http://h".to_owned(), sink);
    let gone = RemoteError::Unreachable { endpoint: "http://h".to_owned(), reason: "gone".to_owned() };
    let (operation, code) = ("ReceiveMessage".to_owned(), "AccessDenied".to_owned());
    let denied = RemoteError::Refused { operation, code, message: "no".to_owned(), status: 403 };
    for queue in ["a", "b"] {
        troubles.begin(queue, &gone);
    }
    troubles.begin("a", &denied);
    troubles.begin("a", &denied);
    troubles.end("b");
    troubles.end("a");
    troubles.end("a");
    let expected = [
        "http://h does not answer: gone; tried again until it does well",
        "a: ReceiveMessage: AccessDenied: no; tried again until it does well",
        "http://h answers again",
        "a goes well again",
    ];
    assert_eq!(*lines.lock().unwrap(), expected);
}

#[test]
fn credentials_are_those_of_the_environment_and_are_not_shown() {
    let environment = |name: &str| Some(format!("{name}-value"));
    let credentials = Credentials::from_variables(environment);
    assert_eq!(credentials.session_token.as_deref(), Some("AWS_SESSION_TOKEN-value"));
    let shown = format!("{credentials:?}");
    assert!(!shown.contains("SECRET") && !shown.contains("TOKEN"), "{shown}");
    // A token without a key is of no use: an emulator's placeholder has none.
    let placeholder = Credentials::from_variables(|name| (name == "AWS_SESSION_TOKEN").then(String::new));
    let names: Vec<_> = placeholder.variables().collect();
    assert_eq!(names, [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
}
