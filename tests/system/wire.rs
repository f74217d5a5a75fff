//! What is wrong on the wire is answered as AWS answers it, and everything stays up.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    on_a_cloud,
    system::{System, order},
};

const ANSWER_MAX: Duration = Duration::from_mins(2);

const JSON: &str = "Content-Type: application/x-amz-json-1.0";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_a_cloud("wire::the_aws_endpoint_refuses_clearly", endpoint),
        on_a_cloud("wire::the_http_api_refuses_clearly", http_api),
    ]
}

/// A request, and what its answer must hold.
struct Case {
    line: &'static str,
    headers: Vec<String>,
    body: Vec<u8>,
    status: u16,
    answer: &'static str,
}

fn case(line: &'static str, headers: &[&str], body: impl Into<Vec<u8>>, status: u16, answer: &'static str) -> Case {
    let headers = headers.iter().map(|header| (*header).to_owned()).collect();
    Case { line, headers, body: body.into(), status, answer }
}

/// To a service by its target, with a body.
fn target(target: &str, body: impl Into<Vec<u8>>, status: u16, answer: &'static str) -> Case {
    case("POST /", &[JSON, &format!("X-Amz-Target: {target}")], body, status, answer)
}

async fn endpoint(system: System) {
    let queue = format!("{}/000000000000/onceward-reserve-stock", system.cloud().aws_url());
    let message = |body: &str| json!({"QueueUrl": queue, "MessageBody": body}).to_string();
    let many: Vec<_> = (0..200).map(|number| format!("X-Header-{number}: x")).collect();
    let cases = [
        target("AmazonSQS.SendMessage", b"{\"MessageBody\":\"\xff\"}", 400, "the body is not UTF-8"),
        target("AmazonSQS.SendMessage", "{", 400, "the body is not JSON"),
        target("AmazonSQS.SendMessage", "", 400, "the body is empty"),
        target("AmazonSQS.SendMessage", "[]", 400, "SerializationException"),
        target("AmazonSQS.SendMessage", "{}", 400, "MissingRequiredParameterException"),
        target("AmazonSQS.SendMessage", message("\u{1}"), 400, "InvalidMessageContents"),
        target("AmazonSQS.SendMessage", message(&"x".repeat(1_048_577)), 400, "must be shorter than 1048576 bytes"),
        target("AmazonSQS.SendMessage", vec![b'x'; 13 * 1024 * 1024], 413, "RequestEntityTooLarge"),
        target("AmazonSQS.Explode", "{}", 400, "SQS Explode is not supported by the local cloud"),
        target("AmazonSQS", "{}", 400, "the request names no action"),
        target("AWSEvents.Explode", "{}", 400, "EventBridge action Explode"),
        target("AWSEvents.PutEvents", "{\"Entries\":[]}", 400, "ValidationException"),
        target("DynamoDB_20120810.Explode", "{}", 400, "UnknownOperationException"),
        target("DynamoDB_20120810.PutItem", "{\"TableName\":5}", 400, "SerializationException"),
        target("AmazonSSM.GetParameter", "{}", 400, "the local cloud does not have AmazonSSM"),
        case("POST /", &[FORM], "Action=Explode", 400, "the action Explode is not one the local cloud knows"),
        case("POST /", &[FORM], "Action=ExplodeQueue", 400, "UnsupportedOperation"),
        case("POST /", &[FORM], b"Action=ListQueues&x=\xff", 400, "the body is not UTF-8"),
        case("POST /", &["Content-Type: text/xml"], "<xml/>", 400, "MissingAction"),
        case("GET /", &[], "", 400, "MissingAction"),
        case("PUT /bucket/key", &[], "x", 404, "NoSuchBucket"),
        case("POST /2015-03-31/functions/none/invocations", &[], "{}", 404, "Function not found"),
        case("POST /2015-03-31/functions/onceward-get-order/invocations", &[], b"\xff", 400, "Could not parse"),
        Case { headers: many, ..case("GET /", &[], "", 431, "") },
        Case { headers: vec![format!("X-Large: {}", "x".repeat(2_000_000))], ..case("GET /", &[], "", 431, "") },
    ];
    refused(&system, system.cloud().aws_url(), &cases).await;
    // The content type is not what tells a request's protocol.
    let headers = ["Content-Type: text/plain".to_owned(), "X-Amz-Target: AmazonSQS.ListQueues".to_owned()];
    let (status, answer) = exchange(system.cloud().aws_url(), "POST /", &headers, b"{}").await;
    assert!(status == 200 && answer.contains("QueueUrls"), "{status}: {answer}");
}

async fn http_api(system: System) {
    let cases = [
        case("POST /orders", &[], vec![b'x'; 1_048_576], 400, "the body has 1048576 bytes: at most 262144"),
        case("POST /orders", &[], vec![b'x'; 11 * 1024 * 1024], 413, "Request Entity Too Large"),
        case("POST /orders", &[], b"{\"\xff\xfe\":1}", 400, "the body is not UTF-8: the first bad byte is at 2"),
        case("POST /orders", &["Content-Type: text/xml"], "<order/>", 400, "InvalidRequest"),
        case("GET /nowhere", &[], "", 404, "Not Found"),
        case("DELETE /orders", &[], "", 404, "Not Found"),
        case("GET /orders/%ff%00", &[], "", 404, "there is nothing under this id"),
        case("GET /orders/a%2Fb", &[], "", 404, "Not Found"),
        Case {
            headers: vec![format!("X-Large: {}", "x".repeat(2_000_000))],
            ..case("GET /orders/x", &[], "", 431, "")
        },
    ];
    refused(&system, system.cloud().http_url(), &cases).await;
}

/// Each case gets its answer, from the same process of each function, and an order is still taken after them all.
async fn refused(system: &System, url: &str, cases: &[Case]) {
    let functions = ["onceward-place-order", "onceward-get-order"];
    let processes = || functions.map(|function| system.cloud().lambda().processes(function).expect("it exists"));
    for function in functions {
        system.cloud().lambda().start(function).await.expect("the function starts");
    }
    let before = processes();
    for Case { line, headers, body, status, answer } in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
        let (actual, text) = exchange(url, line, headers, body).await;
        assert_eq!(actual, *status, "{line} {shown}: {text}");
        assert!(text.contains(answer), "{line} {shown}: {text}");
    }
    let (status, answer) = system.post(order("p-1", 1).to_string(), None).await;
    assert_eq!(status.as_u16(), 202, "{answer}");
    assert_eq!(processes(), before, "no process ended");
}

/// Status and body of one exchange, whatever a client library would think of it.
async fn exchange(url: &str, line: &str, headers: &[String], body: &[u8]) -> (u16, String) {
    let connection = TcpStream::connect(url.trim_start_matches("http://")).await.expect("the port answers");
    let (mut reading, mut writing) = connection.into_split();
    let first = [format!("{line} HTTP/1.1"), "Host: localhost".to_owned(), "Connection: close".to_owned()];
    let head = [&first, headers, &[format!("Content-Length: {}\r\n\r\n", body.len())]].concat().join("\r\n");
    let request = [head.as_bytes(), body].concat();
    // A server that has seen enough answers and closes, while this still writes.
    let write = async { drop(writing.write_all(&request).await) };
    let mut answer = Vec::new();
    let read = async { drop(reading.read_to_end(&mut answer).await) };
    let both = async { tokio::join!(write, read) };
    timeout(ANSWER_MAX, both).await.expect("an answer in time");
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line}: no answer: {answer:?}"));
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
}
