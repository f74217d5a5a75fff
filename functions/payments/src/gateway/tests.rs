use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method},
    response::{IntoResponse as _, Response as Answer},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// What the client waits for an answer of this machine, which may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that gives one answer to everything.
#[derive(Clone, Default)]
struct Server {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
    /// Method, key and body of each request.
    requests: Arc<Mutex<Vec<(Method, String, Value)>>>,
}

impl Server {
    fn answering(status: u16, body: &'static str) -> Self {
        Self { status, body, ..Self::default() }
    }

    fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// What the gateway makes of the answer.
    async fn asked(&self) -> Result<Authorization, GatewayError> {
        ask(self.serve().await, PATIENCE).await
    }
}

async fn answer(State(server): State<Server>, method: Method, headers: HeaderMap, body: Bytes) -> Answer {
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    let body = serde_json::from_slice(&body).unwrap_or_default();
    server.requests.lock().unwrap().push((method, key.unwrap_or_default(), body));
    let mut answer = (StatusCode::from_u16(server.status).unwrap(), server.body).into_response();
    for (name, value) in server.headers {
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    answer
}

async fn ask(address: SocketAddr, timeout: Duration) -> Result<Authorization, GatewayError> {
    let gateway = Gateway::with_timeout(&format!("http://{address}/"), timeout).unwrap();
    let request =
        PaymentRequest { amount: 1_250, currency: "EUR", payment_token: "tok_visa", reference: "o-1", capture: false };
    gateway.authorize(&request, "key-1").await
}

/// The error, and whether it counts as an outage.
async fn failed(status: u16, body: &'static str) -> (GatewayError, bool) {
    let error = Server::answering(status, body).asked().await.expect_err("no decision");
    let is_outage = error.is_outage();
    (error, is_outage)
}

#[tokio::test]
async fn a_success_is_an_authorization_and_the_request_has_the_key() {
    for status in [200, 201] {
        let server = Server::answering(status, r#"{"id":"pay_1","status":"authorized"}"#);
        assert_eq!(server.asked().await.unwrap(), Authorization::Authorized { payment_id: "pay_1".to_owned() });
        let body = json!({
            "amount": 1_250, "currency": "EUR", "payment_token": "tok_visa", "reference": "o-1", "capture": false,
        });
        assert_eq!(*server.requests.lock().unwrap(), [(Method::POST, "key-1".to_owned(), body)]);
    }
}

#[tokio::test]
async fn payment_required_is_a_decline() {
    for (body, code) in [
        (r#"{"error":{"code":"card_declined","message":"no funds"}}"#, "card_declined"),
        (r#"{"error":{"message":"no funds"}}"#, "declined"),
    ] {
        let decision = Server::answering(402, body).asked().await.unwrap();
        assert_eq!(decision, Authorization::Declined { code: code.to_owned() });
    }
}

/// A proxy in between has answered: whether the card was charged is not known.
#[tokio::test]
async fn a_decision_that_cannot_be_read_is_none() {
    for status in [200, 201, 204, 402] {
        for body in ["<html>welcome</html>", "", "{}", r#"{"error":"declined"}"#] {
            let (error, is_outage) = failed(status, body).await;
            assert!(matches!(error, GatewayError::Malformed { .. }) && is_outage, "{status} {body}: {error:?}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn a_busy_or_broken_gateway_may_answer_later() {
    for (status, outage) in
        [(408, true), (409, false), (425, true), (429, true), (500, true), (502, true), (503, true), (504, true)]
    {
        let (error, is_outage) = failed(status, "<html>later</html>").await;
        let GatewayError::Unavailable { status: seen, retry_after: None } = error else { panic!("{error:?}") };
        assert_eq!((seen.as_u16(), is_outage), (status, outage));
    }
}

#[tokio::test]
async fn the_seconds_of_retry_after_are_told() {
    for (value, seconds) in
        [("7", Some(7)), ("0", Some(0)), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("soon", None)]
    {
        for status in [429, 503] {
            let error = Server::answering(status, "").with_header("retry-after", value).asked().await.unwrap_err();
            let GatewayError::Unavailable { retry_after, .. } = error else { panic!("{error:?}") };
            assert_eq!(retry_after, seconds.map(Duration::from_secs), "{value}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_told_in_the_gateways_words() {
    for status in [400, 401, 403, 404, 422] {
        let (error, is_outage) = failed(status, r#"{"error":{"code":"x","message":"no such token"}}"#).await;
        let GatewayError::Refused { status: seen, message } = error else { panic!("{error:?}") };
        assert_eq!((seen.as_u16(), message.as_str(), is_outage), (status, "no such token", false));
    }
    let (error, _) = failed(403, "<html>blocked by the firewall</html>").await;
    assert!(error.to_string().contains("blocked by the firewall"), "{error}");
}

#[tokio::test]
async fn a_long_answer_is_told_from_its_beginning() {
    let page: &'static str = Box::leak("é".repeat(100_000).into_boxed_str());
    let (error, _) = failed(400, page).await;
    let GatewayError::Refused { message, .. } = error else { panic!("{error:?}") };
    assert_eq!(message, "é".repeat(MESSAGE_CHARS_MAX));
}

/// A redirected POST would become a GET, and its answer would be taken for a decision.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::answering(status, "").with_header("location", "/v1/elsewhere");
        let error = server.asked().await.unwrap_err();
        assert!(matches!(error, GatewayError::Refused { .. }), "{status}: {error:?}");
        assert_eq!(server.requests.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn no_answer_is_an_outage() {
    // It accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = ask(silent.local_addr().unwrap(), Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(&error, GatewayError::Unreachable { source } if source.is_timeout()), "{error:?}");
    assert!(error.is_outage());

    // It accepts a connection and hangs up.
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = rude.local_addr().unwrap();
    let hanging_up = tokio::spawn(async move {
        loop {
            drop(rude.accept().await);
        }
    });
    let error = ask(address, PATIENCE).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unreachable { .. }) && error.is_outage(), "{error:?}");
    hanging_up.abort();

    // Nobody is there any more.
    let error = ask(silent_address().await, PATIENCE).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unreachable { .. }) && error.is_outage(), "{error:?}");
}

/// An address at which nobody listens.
async fn silent_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[test]
fn an_address_that_is_no_url_of_http_is_refused() {
    for url in ["", "gateway.example", "ftp://gateway.example"] {
        let error = Gateway::new(url).unwrap_err().to_string();
        assert!(error.starts_with("PAYMENT_GATEWAY_URL is") && error.contains(&format!("{url:?}")), "{error}");
    }
    Gateway::new("https://gateway.example/").unwrap();
}
