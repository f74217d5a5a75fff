//! The HTTP API, over HTTP.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::Router;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::Bench;
use crate::lambda::{Cors, Route};

/// A client of a served router.
pub(super) struct Client {
    address: SocketAddr,
}

pub(super) struct Answer {
    pub(super) status: u16,
    headers: BTreeMap<String, Vec<String>>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.first()?)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Client {
    pub(super) async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { address }
    }

    pub(super) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let headers: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: shop.local\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        // A server that refuses a large body answers and closes before it is all written.
        let _ = connection.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        parse(&String::from_utf8(answer).unwrap())
    }
}

fn parse(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.entry(name.to_ascii_lowercase()).or_default().push(value.to_owned());
    }
    Answer { status, headers, body: body.to_owned() }
}

fn route(method: &str, path: &str) -> Route {
    Route { method: method.to_owned(), path: path.to_owned(), function: "f".to_owned() }
}

#[tokio::test]
async fn a_request_becomes_an_event_of_format_2() {
    let mut bench = Bench::with_function(&[("ANSWER", r#"{"statusCode":200}"#)]);
    let client = Client::serve(bench.lambda.http_api(vec![route("POST", "/orders/{id}/lines")], None)).await;
    let headers = [
        ("X-One", "1"),
        ("x-one", "2"),
        ("cookie", "a=1; b=2"),
        ("user-agent", "test"),
        ("content-type", "application/json"),
    ];
    client.send("POST", "/orders/a%20b/lines?x=1&x=2&y=%2F", &headers, r#"{"n":1}"#).await;
    let event = bench.event().await;
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /orders/{id}/lines");
    assert_eq!(event["rawPath"], "/orders/a b/lines");
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=%2F");
    assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "/" }));
    assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["headers"]["x-one"], "1,2");
    assert_eq!(event["headers"]["cookie"], Value::Null);
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(r#"{"n":1}"#), &json!(false)));
    let context = &event["requestContext"];
    assert_eq!(context["accountId"], "000000000000");
    assert_eq!(context["domainName"], "shop.local");
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["routeKey"], event["routeKey"]);
    let http = json!({ "method": "POST", "path": "/orders/a b/lines", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test" });
    assert_eq!(context["http"], http);
    assert!(context["time"].as_str().unwrap().ends_with(" +0000") && context["timeEpoch"].is_i64());
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_body_that_is_no_text_is_base64() {
    let mut bench = Bench::with_function(&[("ANSWER", "{}")]);
    let client = Client::serve(bench.lambda.http_api(vec![route("ANY", "/{path+}")], None)).await;
    client.send("PUT", "/a/b", &[("content-type", "application/octet-stream")], "raw").await;
    let event = bench.event().await;
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("cmF3"), &json!(true)));
    assert_eq!(event["pathParameters"], json!({ "path": "a/b" }));
    assert_eq!(event["routeKey"], "ANY /{path+}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_most_specific_route_wins() {
    let mut bench = Bench::with_function(&[("ANSWER", "{}")]);
    let routes =
        [("$default", "$default"), ("ANY", "/{all+}"), ("GET", "/o/{id}"), ("ANY", "/o/{id}"), ("GET", "/o/new")];
    let routes = routes.iter().map(|(method, path)| route(method, path)).collect();
    let client = Client::serve(bench.lambda.http_api(routes, None)).await;
    for (method, path, key) in [
        ("GET", "/o/new", "GET /o/new"),
        ("GET", "/o/7", "GET /o/{id}"),
        ("POST", "/o/7", "ANY /o/{id}"),
        ("GET", "/o/7/x", "ANY /{all+}"),
        ("GET", "/", "$default"),
    ] {
        client.send(method, path, &[], "").await;
        assert_eq!(bench.event().await["routeKey"], key, "{method} {path}");
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_structured_answer_is_a_response() {
    let answer = r#"{"statusCode":201,"headers":{"x-n":5,"content-type":"text/plain"},"cookies":["a=1","b=2"],"body":"aGk=","isBase64Encoded":true}"#;
    let bench = Bench::with_function(&[("ANSWER", answer)]);
    let client = Client::serve(bench.lambda.http_api(vec![route("GET", "/a")], None)).await;
    let answer = client.send("GET", "/a", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (201, "hi"));
    assert_eq!((answer.header("x-n"), answer.header("content-type")), (Some("5"), Some("text/plain")));
    assert_eq!(answer.headers["set-cookie"], ["a=1", "b=2"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_answer_without_a_status_is_the_body() {
    let bench = Bench::with_function(&[("ANSWER", r#"{"id":"ord_1"}"#)]);
    let client = Client::serve(bench.lambda.http_api(vec![route("GET", "/a")], None)).await;
    let answer = client.send("GET", "/a", &[], "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json(), json!({ "id": "ord_1" }));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn what_goes_wrong_has_api_gateways_words() {
    let bench = Bench::with_function(&[("ANSWER", r#"{"statusCode":"no"}"#)]);
    let client = Client::serve(bench.lambda.http_api(vec![route("POST", "/a")], None)).await;
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    for (path, body, status, message) in [
        ("/b", "", 404, "Not Found"),
        ("/a", "", 500, "Internal Server Error"),
        ("/a", large.as_str(), 413, "Request Entity Too Large"),
    ] {
        let answer = client.send("POST", path, &[], body).await;
        assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })));
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn with_cors_the_api_answers_preflight_requests_itself() {
    let bench = Bench::with_function(&[]);
    let cors = Cors {
        allow_origins: vec!["https://shop.example.com".to_owned()],
        allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
        allow_headers: vec!["content-type".to_owned()],
        allow_credentials: true,
        max_age: Some(std::time::Duration::from_mins(5)),
        ..Cors::default()
    };
    let client = Client::serve(bench.lambda.http_api(vec![route("POST", "/a")], Some(cors))).await;
    let preflight = async |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        client.send("OPTIONS", "/a", &headers, "").await
    };
    let allowed = preflight("https://shop.example.com").await;
    assert_eq!(allowed.status, 204);
    let headers = ["origin", "methods", "headers", "credentials"]
        .map(|name| allowed.header(&format!("access-control-allow-{name}")).unwrap_or_default());
    assert_eq!(headers, ["https://shop.example.com", "GET,POST", "content-type", "true"]);
    assert_eq!(allowed.header("access-control-max-age"), Some("300"));
    let other = preflight("https://elsewhere.example.com").await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (204, None));
    assert_eq!(bench.lambda.processes("f").unwrap(), [0; 0], "no function is asked");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn with_cors_the_functions_own_cors_headers_are_ignored() {
    let answer = r#"{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*","access-control-max-age":"1"}}"#;
    let bench = Bench::with_function(&[("ANSWER", answer)]);
    let cors = Cors {
        allow_origins: vec!["https://*".to_owned()],
        expose_headers: vec!["x-total".to_owned()],
        ..Cors::default()
    };
    let client = Client::serve(bench.lambda.http_api(vec![route("GET", "/a")], Some(cors))).await;
    let answer = client.send("GET", "/a", &[("origin", "https://shop.example.com")], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example.com"));
    assert_eq!(answer.header("access-control-expose-headers"), Some("x-total"));
    assert_eq!(answer.header("access-control-max-age"), None);
    let without_origin = client.send("GET", "/a", &[], "").await;
    assert_eq!(without_origin.header("access-control-allow-origin"), None);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_throttled_function_is_service_unavailable() {
    let bench = Bench::new();
    let spec = super::spec("f", &[]);
    bench.lambda.create_function(crate::lambda::FunctionSpec { reserved_concurrency: Some(0), ..spec }).unwrap();
    let client = Client::serve(bench.lambda.http_api(vec![route("GET", "/a")], None)).await;
    let answer = client.send("GET", "/a", &[], "").await;
    assert_eq!((answer.status, answer.json()), (503, json!({ "message": "Service Unavailable" })));
    bench.lambda.shutdown().await;
}
