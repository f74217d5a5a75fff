//! Every service that the endpoint has, asked over HTTP.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::super::operation::{operations, services};
use super::*;
use crate::account::Account;
use crate::endpoint::{self, Services};
use crate::lambda::LogSink;

/// The services of a cloud, and what goes wrong with them.
pub(super) struct Bench {
    pub(super) services: Services,
}

pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answered {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The texts of all elements of that name.
    pub(super) fn elements(&self, name: &str) -> Vec<&str> {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.text.split(begin.as_str()).skip(1);
        parts.map(|part| part.split(end.as_str()).next().unwrap()).collect()
    }

    /// The error's code, in whichever way the service tells it.
    pub(super) fn code(&self) -> String {
        if let Some(name) = self.headers.get("x-amzn-errortype") {
            return name.to_str().unwrap().to_owned();
        }
        if let Some(code) = self.elements("Code").first() {
            return (*code).to_owned();
        }
        let shape = self.json()["__type"].as_str().unwrap_or_default().to_owned();
        shape.rsplit('#').next().unwrap_or_default().to_owned()
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let account = Account::new("us-east-1", "http://127.0.0.1:4566");
        Self { services: Services::new(account, LogSink::discard()).unwrap() }
    }

    pub(super) fn inject(&self, specs: &[&str]) {
        let rules = specs.iter().map(|spec| spec.parse().unwrap()).collect();
        self.services.faults.set(Plan { seed: Some(7), rules }).unwrap();
    }

    pub(super) fn injected(&self) -> Vec<u64> {
        self.services.faults.counts().1.iter().map(|counted| counted.injected).collect()
    }

    pub(super) async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = endpoint::router(&self.services).oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answered { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// A request in AWS JSON.
    pub(super) async fn json(&self, target: &str, body: &Value) -> Answered {
        self.send("POST /", &[("x-amz-target", target)], &body.to_string()).await
    }

    /// A request in the query protocol.
    pub(super) async fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Answered {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .extend_pairs(parameters)
            .finish();
        self.send("POST /", &[("authorization", &signed(service))], &body).await
    }

    async fn operation(&self, service: &str, operation: &str) -> Answered {
        match service {
            "dynamodb" => self.json(&format!("DynamoDB_20120810.{operation}"), &json!({})).await,
            "events" => self.json(&format!("AWSEvents.{operation}"), &json!({})).await,
            "logs" => self.json(&format!("Logs_20140328.{operation}"), &json!({})).await,
            "sqs" => self.json(&format!("AmazonSQS.{operation}"), &json!({})).await,
            service => self.query(service, operation, &[]).await,
        }
    }
}

fn signed(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

#[tokio::test]
async fn every_operation_that_a_rule_may_name_is_served() {
    let bench = Bench::new();
    let by_paths = ["execute-api", "lambda", "s3", "scheduler"];
    for service in services().into_iter().filter(|service| !by_paths.contains(service)) {
        let unknown = bench.operation(service, "Nonsense").await.code();
        assert!(!unknown.is_empty(), "{service}");
        for operation in operations(service).unwrap() {
            assert_ne!(bench.operation(service, operation).await.code(), unknown, "{service}.{operation}");
        }
    }
}

/// One request of each service and protocol, and the rule that names it.
async fn ask(bench: &Bench, operation: &str) -> Answered {
    let s3 = signed("s3");
    let claims = [("authorization", s3.as_str())];
    match operation {
        "sqs.ListQueues" => bench.json("AmazonSQS.ListQueues", &json!({})).await,
        "sqs.CreateQueue" => bench.query("sqs", "CreateQueue", &[("QueueName", "q")]).await,
        "sns.ListTopics" => bench.query("sns", "ListTopics", &[]).await,
        "events.ListRules" => bench.json("AWSEvents.ListRules", &json!({})).await,
        "dynamodb.Scan" => bench.json("DynamoDB_20120810.Scan", &json!({"TableName": "things"})).await,
        "dynamodb.ListTables" => bench.json("DynamoDB_20120810.ListTables", &json!({})).await,
        "dynamodb.GetRecords" => bench.json("DynamoDBStreams_20120810.GetRecords", &json!({})).await,
        "logs.DescribeLogGroups" => bench.json("Logs_20140328.DescribeLogGroups", &json!({})).await,
        "sts.GetCallerIdentity" => bench.query("sts", "GetCallerIdentity", &[]).await,
        "lambda.ListFunctions" => bench.send("GET /2015-03-31/functions", &[], "").await,
        "s3.CreateBucket" => bench.send("PUT /claims", &claims, "").await,
        "s3.HeadBucket" => bench.send("HEAD /claims", &claims, "").await,
        "scheduler.ListSchedules" => bench.send("GET /schedules", &[], "").await,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn each_service_is_throttled_and_fails_in_its_own_words() {
    for (operation, throttled, failed, unavailable) in [
        ("sqs.ListQueues", (400, "RequestThrottled"), "InternalFailure", "ServiceUnavailable"),
        ("sqs.CreateQueue", (403, "RequestThrottled"), "InternalFailure", "ServiceUnavailable"),
        ("sns.ListTopics", (400, "ThrottlingException"), "InternalError", "ServiceUnavailable"),
        ("events.ListRules", (400, "ThrottlingException"), "InternalException", "ServiceUnavailableException"),
        (
            "dynamodb.Scan",
            (400, "ProvisionedThroughputExceededException"),
            "InternalServerError",
            "ServiceUnavailableException",
        ),
        ("dynamodb.ListTables", (400, "ThrottlingException"), "InternalServerError", "ServiceUnavailableException"),
        ("dynamodb.GetRecords", (400, "ThrottlingException"), "InternalServerError", "ServiceUnavailableException"),
        (
            "logs.DescribeLogGroups",
            (400, "ThrottlingException"),
            "ServiceUnavailableException",
            "ServiceUnavailableException",
        ),
        ("sts.GetCallerIdentity", (400, "Throttling"), "InternalFailure", "ServiceUnavailable"),
        ("lambda.ListFunctions", (429, "TooManyRequestsException"), "ServiceException", "ServiceUnavailableException"),
        ("s3.CreateBucket", (503, "SlowDown"), "InternalError", "ServiceUnavailable"),
        (
            "scheduler.ListSchedules",
            (429, "ThrottlingException"),
            "InternalServerException",
            "ServiceUnavailableException",
        ),
    ] {
        let bench = Bench::new();
        let expected = [("throttle", throttled), ("error", (500, failed)), ("error=503", (503, unavailable))];
        for (kind, (status, code)) in expected {
            bench.inject(&[&format!("{operation}:{kind}")]);
            let answered = ask(&bench, operation).await;
            assert_eq!((answered.status, &*answered.code()), (status, code), "{operation}:{kind}: {}", answered.text);
            assert_eq!(bench.injected(), [1], "{operation}:{kind}");
        }
        bench.inject(&[&format!("{operation}:latency=1")]);
        assert_ne!(ask(&bench, operation).await.code(), failed, "{operation} is only late");
        assert_eq!(bench.injected(), [1], "{operation}:latency");
    }
}

#[tokio::test]
async fn a_resource_may_be_a_bucket_a_schedule_or_its_group() {
    let bench = Bench::new();
    bench.inject(&["s3:throttle,resource=claims"]);
    assert_eq!(ask(&bench, "s3.HeadBucket").await.status, 503);
    let other = bench.send("PUT /other", &[("authorization", &signed("s3"))], "").await;
    assert_eq!(other.status, 200, "{}", other.text);
    let by_host = bench.send("GET /key", &[("authorization", &signed("s3")), ("host", "claims.localhost:1")], "").await;
    assert_eq!(by_host.status, 503);
    bench.inject(&["scheduler.Get*:throttle,resource=daily"]);
    assert_eq!(bench.send("GET /schedules/daily", &[], "").await.status, 429);
    assert_eq!(bench.send("GET /schedules/weekly?groupName=daily", &[], "").await.status, 429);
    assert_eq!(bench.send("GET /schedules/weekly", &[], "").await.status, 404);
}

#[tokio::test]
async fn a_request_or_a_response_of_s3_is_lost() {
    let bench = Bench::new();
    bench.services.s3.create_bucket("claims").unwrap();
    for (kind, there) in [("lost_request", false), ("lost_response", true)] {
        bench.inject(&[&format!("s3.PutObject:{kind}")]);
        let request = Request::builder().method("PUT").uri("/claims/key").header("authorization", signed("s3"));
        let request = request.body(Body::from("text")).unwrap();
        let response = endpoint::router(&bench.services).oneshot(request).await.unwrap();
        assert!(to_bytes(response.into_body(), usize::MAX).await.is_err(), "{kind}: the connection breaks");
        assert_eq!(bench.services.s3.content("claims", "key").is_ok(), there, "{kind}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_lost_too() {
    let bench = Bench::new();
    bench.services.s3.create_bucket("claims").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = endpoint::router(&bench.services);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let head = async || {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(b"HEAD /claims HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(head().await.starts_with("HTTP/1.1 200"));
    for kind in ["lost_request", "lost_response"] {
        bench.inject(&[&format!("s3.HeadBucket:{kind}")]);
        assert_eq!(head().await, "", "{kind}");
    }
}

#[tokio::test]
async fn a_standard_topic_delivers_twice_and_a_fifo_topic_does_not() {
    let bench = Bench::new();
    let (sns, sqs) = (&bench.services.sns, &bench.services.sqs);
    let fifo = [("FifoTopic".to_owned(), "true".to_owned())].into();
    let queues = [("news", [].into()), ("news.fifo", [("FifoQueue".to_owned(), "true".to_owned())].into())];
    let topics = [sns.create_topic("news").unwrap(), sns.create_topic_with("news.fifo", &fifo).unwrap()];
    bench.inject(&["sns.Publish:duplicate"]);
    for ((queue, attributes), topic_arn) in queues.into_iter().zip(topics) {
        sqs.create_queue(queue, &attributes).unwrap();
        sns.subscribe(&topic_arn, &sqs.arn(queue), true).unwrap();
        let group_id = (queue != "news").then(|| "g".to_owned());
        let publication = crate::sns::Publication {
            topic_arn,
            message: "text".to_owned(),
            deduplication_id: group_id.clone(),
            group_id,
            ..Default::default()
        };
        sns.publish(publication).unwrap();
    }
    assert_eq!((sqs.depth("news").unwrap().visible, sqs.depth("news.fifo").unwrap().visible), (2, 1));
    assert_eq!(bench.injected(), [1]);
}
