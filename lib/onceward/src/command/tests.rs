use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::{
    HandlerError, UnitOfWork, absent, all,
    fixture::{Counter, Fault, Ping, World},
    present,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Buy {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    quantity: u32,
}

/// One line with a quantity; 13 is refused, 99 fails, 404 needs a row that is missing, 500 touches a row twice.
async fn buy(command: Buy, context: Context) -> HandlerResult {
    let value = command.lines.first().map_or(0, |line| line.quantity);
    let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
    match value {
        13 => Err(HandlerError::invalid("lines[0].quantity", "must not be 13")),
        99 => Err(HandlerError::from(std::io::Error::other("a secret of the inside"))),
        404 => Ok(unit.check::<Counter>(crate::Key::new("pk", "secret"), present())),
        500 => Ok(unit.put(&Counter { count: 1 }, absent())),
        _ => Ok(unit.publish(&Ping { value }).answer(&context.new_id("buy"))),
    }
}

const BODY: &str = r#"{"lines":[{"quantity":2}]}"#;

/// A request with a key, or without one.
fn request(body: impl Into<Vec<u8>>, key: Option<&str>) -> HttpRequest {
    let headers: BTreeMap<_, _> =
        key.map(|key| (IDEMPOTENCY_KEY_HEADER.to_owned(), key.to_owned())).into_iter().collect();
    HttpRequest {
        route: "POST /purchases".to_owned(),
        request_id: "request".to_owned(),
        headers,
        body: body.into(),
        ..HttpRequest::default()
    }
}

async fn send(world: &World, request: HttpRequest) -> HttpResponse {
    Command::new("buy", buy).handle(&world.ports, world.invocation(), request).await
}

/// Status, code, field and message of a refusal.
async fn refusal(request: HttpRequest) -> (u16, String, String, String) {
    let world = World::new();
    let response = send(&world, request).await;
    assert_eq!(world.count().await, 0, "{response:?}");
    let body: Value = serde_json::from_str(&response.body).unwrap();
    let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
    (response.status, text("code"), text("field"), text("message"))
}

#[tokio::test]
async fn a_new_request_is_accepted_with_the_handlers_answer() {
    let world = World::new();
    let response = send(&world, request(BODY, Some("k"))).await;
    assert_eq!(response.status, 202);
    assert!(response.body.starts_with("\"buy_"), "{}", response.body);
    assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (1, 1));
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_has_no_effect() {
    let world = World::new();
    let first = send(&world, request(BODY, Some("k"))).await;
    let reformatted = r#" { "lines" : [ { "quantity" : 2 } ] } "#;
    let escaped = r#"{"\u006cines":[{"quantity":2}]}"#;
    for body in [BODY, reformatted, escaped] {
        assert_eq!(send(&world, request(body, Some("k"))).await, first);
    }
    assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (1, 1));
}

#[tokio::test]
async fn requests_with_other_keys_count_each() {
    let world = World::new();
    let one = send(&world, request(BODY, Some("k"))).await;
    let two = send(&world, request(BODY, Some("l"))).await;
    assert_ne!(one.body, two.body);
    assert_eq!(world.count().await, 2);
}

#[tokio::test]
async fn without_the_header_the_gateways_request_id_is_the_key() {
    let world = World::new();
    for (request_id, count) in [("r-1", 1), ("r-1", 1), ("r-2", 2)] {
        let request = HttpRequest { request_id: request_id.to_owned(), ..request(BODY, None) };
        assert_eq!(send(&world, request).await.status, 202);
        assert_eq!(world.count().await, count);
    }
}

#[tokio::test]
async fn a_key_with_another_body_is_a_conflict() {
    let world = World::new();
    send(&world, request(BODY, Some("k"))).await;
    let others = [r#"{"lines":[{"quantity":3}]}"#, r#"{"lines":[{"quantity":13}]}"#, r#"{"lines":[{"quantity":99}]}"#];
    let unreadable = ["{", "", "{}", r#"{"lines":[{"quantity":-1}]}"#];
    for other in others.into_iter().chain(unreadable) {
        let response = send(&world, request(other, Some("k"))).await;
        assert_eq!(response.status, 409, "{}", response.body);
        assert!(response.body.contains("IdempotencyKeyReused"), "{}", response.body);
    }
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_with_its_field() {
    let line = |line: &str| format!(r#"{{"lines":[{{"quantity":1}},{line}]}}"#);
    let cases = [
        (line(r#"{"quantity":-1}"#), "lines[1].quantity", "invalid value"),
        (line(r#"{"quantity":9223372036854775808}"#), "lines[1].quantity", "invalid value"),
        (line(r#"{"quantity":1e400}"#), "lines[1].quantity", "out of range"),
        (line(r#"{"quantity":1.5}"#), "lines[1].quantity", "invalid type"),
        (line(r#"{"quantity":"1"}"#), "lines[1].quantity", "invalid type"),
        (line(r#"{"quantity":null}"#), "lines[1].quantity", "invalid type"),
        (line("{}"), "lines[1]", "missing field `quantity`"),
        (line(r#"{"quantity":1,"colour":"red"}"#), "lines[1].colour", "unknown field `colour`"),
        (line(r#"{"quantity":1,"quantity":2}"#), "lines[1].quantity", "there twice"),
        (r#"{"lines":[],"coupon":1}"#.to_owned(), "coupon", "unknown field `coupon`"),
        (r#"{"lines":[]} {}"#.to_owned(), "", "trailing characters"),
        (r#"{"lines":["#.to_owned(), "lines", "EOF"),
        ("[]".to_owned(), "", "invalid type: sequence, expected struct Buy"),
        (r#"[[{"quantity":1}]]"#.to_owned(), "", "invalid type: sequence, expected struct Buy"),
        (line("[1]"), "lines[1]", "invalid type: sequence, expected struct Line"),
        ("null".to_owned(), "", "invalid type: null"),
        (String::new(), "", "EOF"),
        ("[".repeat(100_000), "", "invalid type"),
    ];
    for (body, field, message) in cases {
        let (status, code, found_field, found) = refusal(request(body.as_str(), Some("k"))).await;
        let shown = &body[..body.len().min(80)];
        assert_eq!((status, code.as_str(), found_field.as_str()), (400, "InvalidRequest", field), "{shown}: {found}");
        assert!(found.contains(message), "{shown}: {found}");
    }
}

#[tokio::test]
async fn members_in_another_order_are_the_same_request() {
    let keep = Command::new("keep", |_: Value, context: Context| async move {
        Ok(UnitOfWork::new().answer(&context.new_id("kept")))
    });
    let world = World::new();
    let send = async |body: &str| keep.handle(&world.ports, world.invocation(), request(body, Some("k"))).await;
    let first = send(r#"{"a":1,"b":{"c":"ö","d":9007199254740993}}"#).await;
    assert_eq!(first.status, 202, "{}", first.body);
    assert_eq!(send(r#"{"b":{"d":9007199254740993.0,"c":"\u00f6"},"a":1e0}"#).await, first);
    assert_eq!(send(r#"{"a":1,"b":{"c":"ö","d":9007199254740992}}"#).await.status, 409);
}

#[tokio::test]
async fn the_record_of_another_lambda_function_is_an_error_and_no_answer() {
    let world = World::new();
    let ports = |lambda: &str| world.as_lambda(lambda, &[]);
    let command = Command::new("buy", buy);
    let send = async |ports| command.handle(&ports, world.invocation(), request(BODY, Some("k"))).await;
    assert_eq!(send(ports("shop-buy")).await.status, 202);
    let refused = send(ports("store-buy")).await;
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert!(refused.body.contains("RecordOfAnotherFunction") && !refused.body.contains("shop-buy"), "{}", refused.body);
    assert_eq!(send(ports("shop-buy")).await.status, 202);
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_refused_with_the_place() {
    let (status, _, _, message) = refusal(request(b"{\"lines\":[\xff]}", Some("k"))).await;
    assert_eq!((status, message.as_str()), (400, "the body is not UTF-8: the first bad byte is at 10"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_by_its_size() {
    let padded = |length: usize| format!("{BODY}{}", " ".repeat(length - BODY.len()));
    let world = World::new();
    assert_eq!(send(&world, request(padded(BODY_BYTES_MAX), Some("k"))).await.status, 202);
    let (status, _, _, message) = refusal(request(padded(BODY_BYTES_MAX + 1), Some("k"))).await;
    assert_eq!(status, 400);
    assert!(message.contains("at most 262144 are accepted"), "{message}");
}

#[tokio::test]
async fn a_key_must_be_short_and_printable() {
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for key in ["k", "with space#and:signs~", &longest] {
        assert_eq!(send(&World::new(), request(BODY, Some(key))).await.status, 202, "{key}");
    }
    for key in ["", "tab\t", "new\nline", "schlüssel", &too_long] {
        let (status, code, field, _) = refusal(request(BODY, Some(key))).await;
        assert_eq!((status, code.as_str(), field.as_str()), (400, "InvalidRequest", "Idempotency-Key"), "{key}");
    }
}

#[tokio::test]
async fn a_handlers_refusal_names_the_field_and_uses_up_no_key() {
    let world = World::new();
    let refused = send(&world, request(r#"{"lines":[{"quantity":13}]}"#, Some("k"))).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains(r#""field":"lines[0].quantity""#), "{}", refused.body);
    assert_eq!(send(&world, request(BODY, Some("k"))).await.status, 202);
}

#[tokio::test]
async fn a_failure_is_unavailable_and_shows_nothing_of_the_inside() {
    let (status, code, _, message) = refusal(request(r#"{"lines":[{"quantity":99}]}"#, Some("k"))).await;
    assert_eq!((status, code.as_str()), (503, "Unavailable"));
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test]
async fn a_mistake_in_the_handler_is_an_internal_error() {
    let (status, code, _, _) = refusal(request(r#"{"lines":[{"quantity":500}]}"#, Some("k"))).await;
    assert_eq!((status, code.as_str()), (500, "InternalError"));
}

#[tokio::test]
async fn a_request_whose_commit_is_unknown_can_be_repeated() {
    let world = World::new();
    world.ledger.fail([Fault::AnswerLost, Fault::Busy, Fault::Busy, Fault::Busy, Fault::Busy]);
    assert_eq!(send(&world, request(BODY, Some("k"))).await.status, 503);
    assert_eq!(send(&world, request(BODY, Some("k"))).await.status, 202);
    assert_eq!(world.count().await, 1);
}

/// The first request has changed what the second one reads.
#[tokio::test]
async fn a_repeated_request_is_replayed_even_if_the_handler_now_refuses_it() {
    let register = Command::new("register", |_: Value, context: Context| async move {
        match context.load::<Counter>(&Counter::the_key()).await? {
            Some(_) => Err(HandlerError::invalid("name", "is taken")),
            None => Ok(UnitOfWork::new().put(&Counter { count: 1 }, absent()).answer(&"registered")),
        }
    });
    let world = World::new();
    for (key, status) in [("k", 202), ("k", 202), ("other", 400)] {
        let response = register.handle(&world.ports, world.invocation(), request("{}", Some(key))).await;
        assert_eq!(response.status, status, "{}", response.body);
    }
}

#[tokio::test]
async fn the_event_of_a_request_carries_its_id_and_trace() {
    let world = World::new();
    let mut request = request(BODY, Some("k"));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    request.headers.insert("traceparent".to_owned(), format!("00-{trace}-00f067aa0ba902b7-01"));
    Command::new("buy", buy).source("shop").handle(&world.ports, world.invocation(), request).await;
    let [envelope] = world.ledger.memory().take_outbox().try_into().unwrap();
    assert_eq!((envelope.source.as_str(), envelope.event_type.as_str()), ("shop", "ping.sent.v1"));
    assert_eq!(envelope.correlationid.as_deref(), Some("request"));
    assert_eq!(envelope.causationid.as_deref(), Some("request"));
    assert!(envelope.traceparent.unwrap().starts_with(&format!("00-{trace}-")));
    assert_eq!((envelope.subject.as_deref(), envelope.data.get()), (Some("2"), r#"{"value":2}"#));
}

/// The row's name is the log's: it may say more than the caller may know.
#[tokio::test]
async fn a_request_that_needs_a_row_that_is_missing_is_a_conflict() {
    let (status, code, field, message) = refusal(request(r#"{"lines":[{"quantity":404}]}"#, None)).await;
    assert_eq!((status, code.as_str(), field.as_str()), (409, "ConditionCannotHold", ""));
    assert!(!message.contains("secret") && message.contains("not there"), "{message}");
}
