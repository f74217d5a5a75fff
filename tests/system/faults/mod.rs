//! What goes wrong on purpose: each fault as the AWS SDK sees it, and an order flow in the midst of them.

mod orders;

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_sdk_dynamodb::{
    config::Credentials,
    error::ProvideErrorMetadata as _,
    types::{AttributeValue, KeysAndAttributes, Put, PutRequest, TransactWriteItem, WriteRequest},
};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use libtest_mimic::Trial;
use onceward_aws::http_client;
use onceward_local::{
    cloud::{Cloud, CloudConfig, Listeners, Ports},
    faults::{Counted, Plan},
};
use serde_json::{Value, json};

use crate::{on_a_cloud, trial};

/// Any would do.
const SEED: u64 = 20_261_121;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("faults::refusals_are_each_services_own", || run(refusals)),
        trial("faults::a_conflict_is_as_dynamodb_words_it", || run(conflicts)),
        trial("faults::of_a_batch_a_part_fails", || run(parts_of_batches)),
        trial("faults::what_is_lost_may_have_happened", || run(lost)),
        trial("faults::a_message_may_come_twice_and_in_another_order", || run(disordered)),
        trial("faults::they_are_set_counted_and_ended_over_http", || run(over_http)),
        on_a_cloud("faults::orders_add_up_in_the_midst_of_them", orders::orders_add_up),
    ]
}

/// A cloud with a queue and a table, and clients that do not try again.
struct Bench {
    cloud: Cloud,
    queue: String,
    sqs: aws_sdk_sqs::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    events: aws_sdk_eventbridge::Client,
}

fn run<F: Future<Output = ()>>(test: fn(Bench) -> F) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async { test(Bench::start().await).await });
}

impl Bench {
    async fn start() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listeners = Listeners::bind(Ports::default()).await.expect("free ports");
        let cloud = Cloud::start(CloudConfig::new(listeners)).expect("the cloud starts");
        let sdk = sdk(cloud.aws_url(), RetryConfig::disabled()).await;
        let (sqs, dynamodb) = (aws_sdk_sqs::Client::new(&sdk), aws_sdk_dynamodb::Client::new(&sdk));
        let queue = sqs.create_queue().queue_name("q").send().await.expect("created").queue_url.expect("a URL");
        let table = json!({
            "TableName": "things",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        });
        cloud.dynamodb().execute("CreateTable", table.to_string().as_bytes()).expect("created");
        Self { cloud, queue, sqs, dynamodb, events: aws_sdk_eventbridge::Client::new(&sdk) }
    }

    fn inject(&self, specs: &[&str]) {
        inject(&self.cloud, specs);
    }

    async fn send(&self, body: &str) {
        self.sqs.send_message().queue_url(&self.queue).message_body(body).send().await.expect("sent");
    }

    async fn receive(&self, count: i32) -> Vec<aws_sdk_sqs::types::Message> {
        let received = self.sqs.receive_message().queue_url(&self.queue).max_number_of_messages(count).send().await;
        received.expect("received").messages.unwrap_or_default()
    }

    fn rows(&self) -> usize {
        let answer =
            self.cloud.dynamodb().execute("Scan", br#"{"TableName": "things"}"#).expect("the table can be read");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        answer["Items"].as_array().expect("items").len()
    }
}

async fn sdk(url: &str, retries: RetryConfig) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client().expect("AWS_CA_BUNDLE is not set, or names a file of roots"))
        .endpoint_url(url)
        .region("us-east-1")
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(retries)
        .load()
        .await
}

fn inject(cloud: &Cloud, specs: &[&str]) {
    let rules = specs.iter().map(|spec| spec.parse().expect("a fault")).collect();
    cloud.faults().set(Plan { seed: Some(SEED), rules }).expect("faults that make sense");
}

fn counts(cloud: &Cloud) -> Vec<Counted> {
    cloud.faults().counts().1
}

fn item(key: &str) -> Put {
    Put::builder().table_name("things").item("pk", AttributeValue::S(key.to_owned())).build().expect("complete")
}

async fn refusals(bench: Bench) {
    for (kind, of_sqs, of_dynamodb, of_events) in [
        ("throttle", "RequestThrottled", "ProvisionedThroughputExceededException", "ThrottlingException"),
        ("error", "InternalFailure", "InternalServerError", "InternalException"),
        ("error=503", "ServiceUnavailable", "ServiceUnavailableException", "ServiceUnavailableException"),
    ] {
        bench.inject(&[&format!("sqs:{kind}"), &format!("dynamodb:{kind}"), &format!("events:{kind}")]);
        let sent = bench.sqs.send_message().queue_url(&bench.queue).message_body("m").send().await;
        assert_eq!(sent.expect_err("refused").code(), Some(of_sqs));
        let got = bench.dynamodb.get_item().table_name("things").key("pk", AttributeValue::S("k".into())).send().await;
        assert_eq!(got.expect_err("refused").code(), Some(of_dynamodb));
        let entry = PutEventsRequestEntry::builder().source("s").detail_type("d").detail("{}").build();
        assert_eq!(bench.events.put_events().entries(entry).send().await.expect_err("refused").code(), Some(of_events));
    }
    let http = reqwest::Client::new();
    let body = format!("Action=SendMessage&MessageBody=m&QueueUrl={}", bench.queue);
    bench.inject(&["sqs:throttle", "lambda:throttle"]);
    let post = |path: &str, body: String| {
        http.post(format!("{}{path}", bench.cloud.aws_url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
    };
    let answer = post("/", body).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 403);
    assert!(answer.text().await.expect("text").contains("<Type>Sender</Type><Code>RequestThrottled</Code>"));
    let answer = post("/2015-03-31/functions/f/invocations", "{}".to_owned()).await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-amzn-errortype"]),
        (429, &"TooManyRequestsException".parse().expect("a value"))
    );
}

async fn conflicts(bench: Bench) {
    bench.inject(&["dynamodb:conflict"]);
    let put = bench.dynamodb.put_item().table_name("things").item("pk", AttributeValue::S("a".into())).send().await;
    let error = put.expect_err("a conflict").into_service_error();
    assert!(error.is_transaction_conflict_exception(), "{error:?}");
    let items = ["a", "b", "c"].map(|key| TransactWriteItem::builder().put(item(key)).build());
    let written = bench.dynamodb.transact_write_items().set_transact_items(Some(items.into())).send().await;
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        canceled,
    ) = written.expect_err("a conflict").into_service_error()
    else {
        panic!("not a cancelled transaction")
    };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!((codes.len(), codes.iter().filter(|code| **code == "TransactionConflict").count()), (3, 1), "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "None").count(), 2);
    assert_eq!(bench.rows(), 0);
    bench
        .dynamodb
        .get_item()
        .table_name("things")
        .key("pk", AttributeValue::S("a".into()))
        .send()
        .await
        .expect("reads do not conflict");
}

async fn parts_of_batches(bench: Bench) {
    bench.inject(&["dynamodb:partial", "sqs:partial", "events:partial"]);
    let keys = ["a", "b", "c", "d"];
    let requests = keys.map(|key| {
        let put = PutRequest::builder().item("pk", AttributeValue::S(key.to_owned())).build().expect("complete");
        WriteRequest::builder().put_request(put).build()
    });
    let written =
        bench.dynamodb.batch_write_item().request_items("things", requests.to_vec()).send().await.expect("written");
    let left = written.unprocessed_items().and_then(|items| items.get("things")).map_or(0, Vec::len);
    assert!((1..4).contains(&left), "{left}");
    assert_eq!(bench.rows() + left, 4);

    let mut wanted = KeysAndAttributes::builder().consistent_read(true);
    for key in keys {
        wanted = wanted.keys([("pk".to_owned(), AttributeValue::S(key.to_owned()))].into());
    }
    let got = bench.dynamodb.batch_get_item().request_items("things", wanted.build().expect("complete")).send().await;
    let got = got.expect("got");
    let unprocessed = &got.unprocessed_keys().expect("some")["things"];
    assert_eq!((unprocessed.keys().is_empty(), unprocessed.consistent_read()), (false, Some(true)));

    let entries = ["a", "b", "c"]
        .map(|id| SendMessageBatchRequestEntry::builder().id(id).message_body(id).build().expect("complete"));
    let sent = bench.sqs.send_message_batch().queue_url(&bench.queue).set_entries(Some(entries.into())).send().await;
    let sent = sent.expect("sent");
    assert_eq!(sent.successful().len() + sent.failed().len(), 3);
    assert!(
        !sent.failed().is_empty() && !sent.failed()[0].sender_fault() && sent.failed()[0].code() == "InternalError"
    );
    assert_eq!(bench.receive(10).await.len(), sent.successful().len());

    let entry = || PutEventsRequestEntry::builder().source("s").detail_type("d").detail("{}").build();
    let put = bench.events.put_events().set_entries(Some(vec![entry(), entry(), entry()])).send().await.expect("put");
    let failed = put.entries().iter().filter(|entry| entry.error_code() == Some("InternalFailure")).count();
    assert_eq!((put.entries().len(), put.failed_entry_count()), (3, i32::try_from(failed).expect("small")));
    assert!(
        (1..3).contains(&failed)
            && put.entries().iter().filter(|entry| entry.event_id().is_some()).count() == 3 - failed
    );
}

async fn lost(bench: Bench) {
    let put = async |key: &str| {
        bench.dynamodb.put_item().table_name("things").item("pk", AttributeValue::S(key.to_owned())).send().await
    };
    bench.inject(&["dynamodb.PutItem:lost_request"]);
    assert!(put("a").await.expect_err("no answer").as_service_error().is_none(), "not an answer of the service");
    assert_eq!(bench.rows(), 0);
    bench.inject(&["dynamodb.PutItem:lost_response"]);
    assert!(put("a").await.expect_err("no answer").as_service_error().is_none(), "not an answer of the service");
    assert_eq!(bench.rows(), 1);
    bench.inject(&["dynamodb.PutItem:lost_request,limit=2"]);
    let patient =
        sdk(bench.cloud.aws_url(), RetryConfig::standard().with_initial_backoff(Duration::from_millis(1))).await;
    let put = aws_sdk_dynamodb::Client::new(&patient)
        .put_item()
        .table_name("things")
        .item("pk", AttributeValue::S("b".into()));
    put.send().await.expect("the SDK tries again: to it, a connection broke");
    assert_eq!((bench.rows(), counts(&bench.cloud)[0].matched), (2, 3));
}

async fn disordered(bench: Bench) {
    bench.inject(&["sqs:duplicate,limit=1,resource=q"]);
    bench.send("twice").await;
    let first = bench.receive(1).await.remove(0);
    let second = bench.receive(1).await.remove(0);
    assert_eq!((&first.message_id, &first.body), (&second.message_id, &second.body));
    assert_ne!(first.receipt_handle, second.receipt_handle);
    for message in [first, second] {
        let receipt = message.receipt_handle.expect("a receipt");
        bench.sqs.delete_message().queue_url(&bench.queue).receipt_handle(receipt).send().await.expect("deleted");
    }
    let depth = bench.cloud.sqs().depth("q").expect("the queue exists");
    assert_eq!((depth.visible, depth.in_flight), (0, 0), "each was deleted by its own receipt");

    bench.inject(&["sqs:reorder"]);
    for body in ["a", "b", "c"] {
        bench.send(body).await;
    }
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.extend(bench.receive(1).await.remove(0).body);
    }
    assert_ne!(bodies, ["a", "b", "c"]);
    bodies.sort();
    assert_eq!(bodies, ["a", "b", "c"], "none is missing");
}

async fn over_http(bench: Bench) {
    let http = reqwest::Client::new();
    let url = format!("{}/_onceward/faults", bench.cloud.aws_url());
    let plan =
        json!({"seed": 7, "rules": [{"service": "sqs", "operation": "SendMessage", "kind": "throttle", "limit": 1}]});
    let accepted = http.put(&url).json(&plan).send().await.expect("an answer");
    assert_eq!(accepted.status().as_u16(), 200);
    let sent = bench.sqs.send_message().queue_url(&bench.queue).message_body("m").send().await;
    sent.expect_err("throttled");
    bench.send("m").await;
    let shown: Value = http.get(&url).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(shown["seed"], 7);
    let rule = &shown["rules"][0];
    assert_eq!((&rule["kind"], &rule["matched"], &rule["injected"]), (&json!("throttle"), &json!(2), &json!(1)));

    let refused =
        http.put(&url).json(&json!({"rules": [{"service": "sqs", "kind": "flood"}]})).send().await.expect("an answer");
    assert_eq!(refused.status().as_u16(), 400);
    let message: Value = refused.json().await.expect("JSON");
    assert!(message["message"].as_str().expect("text").contains("unknown variant `flood`"), "{message}");
    let kept: Value = http.get(&url).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(kept["seed"], 7, "what is refused changes nothing");

    assert_eq!(http.delete(&url).send().await.expect("an answer").status().as_u16(), 204);
    let none: Value = http.get(&url).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(none["rules"], json!([]));
}
