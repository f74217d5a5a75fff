//! The sandbox payment gateway: the API of a card processor, without cards.
//!
//! It approves every payment but those of the token `tok_declined`, and it keeps its promise about keys: one
//! `Idempotency-Key` is one charge, however often it is asked for. A test can take it down: then it answers 503.

mod payment;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{get, post};
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use self::payment::{Malformed, Payment};

/// Payments the sandbox remembers, declined ones included; then it refuses new ones rather than forget a key.
pub const PAYMENTS_MAX: usize = 100_000;
/// Largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest `Idempotency-Key`, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// Makes the gateway decline.
pub const TOKEN_DECLINED: &str = "tok_declined";

/// A payment gateway and what it charged. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    book: Arc<Mutex<Book>>,
    door: Arc<Door>,
}

/// Whether it is open, and who came.
#[derive(Debug, Default)]
struct Door {
    down: AtomicBool,
    calls: AtomicU64,
}

/// One answer for each key, and the charges in the order they were made.
#[derive(Debug, Default)]
struct Book {
    answers: HashMap<String, Answered>,
    charges: Vec<Value>,
    declined: u64,
}

/// What a key was first used for, and what was answered.
#[derive(Debug)]
struct Answered {
    request: Value,
    status: StatusCode,
    body: Value,
}

impl Gateway {
    /// A gateway without payments.
    pub fn new() -> Self {
        Self::default()
    }

    /// The HTTP API: `POST /v1/payments`, and `GET /v1/payments` for audits.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v1/payments", post(create).get(list))
            .route("/health", get(async || "ok\n"))
            .with_state(self.clone())
    }

    /// From now on every payment is answered with 503, or each is answered again.
    pub fn set_down(&self, down: bool) {
        self.door.down.store(down, Ordering::Relaxed);
    }

    /// How many payments were asked for, answered or not.
    pub fn calls(&self) -> u64 {
        self.door.calls.load(Ordering::Relaxed)
    }

    /// Every charge as it was answered, oldest first.
    pub fn charges(&self) -> Vec<Value> {
        self.book().charges.clone()
    }

    /// How many payments were declined.
    pub fn declined(&self) -> u64 {
        self.book().declined
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a payment once for each key: status, body, and whether it is a replay.
    fn pay(&self, key: &str, request: Value) -> (StatusCode, Value, bool) {
        let mut book = self.book();
        if let Some(earlier) = book.answers.get(key) {
            if earlier.request == request {
                return (earlier.status, earlier.body.clone(), true);
            }
            let message = "this Idempotency-Key was used with another body: use a new key for a new payment";
            return (StatusCode::CONFLICT, error("idempotency_error", "key_reused", None, message), false);
        }
        let payment = match Payment::parse(&request) {
            Ok(payment) => payment,
            Err(malformed) => return (StatusCode::BAD_REQUEST, invalid(&malformed), false),
        };
        if book.answers.len() >= PAYMENTS_MAX {
            let message = format!("the sandbox holds {PAYMENTS_MAX} payments and is full: restart `onceward dev`");
            return (StatusCode::SERVICE_UNAVAILABLE, error("api_error", "sandbox_full", None, &message), false);
        }
        let (status, body) = if payment.token == TOKEN_DECLINED {
            book.declined += 1;
            let message = "the card was declined: ask for another one";
            (StatusCode::PAYMENT_REQUIRED, error("card_error", "card_declined", None, message))
        } else {
            let charge = charge(&payment);
            book.charges.push(charge.clone());
            (StatusCode::CREATED, charge)
        };
        book.answers.insert(key.to_owned(), Answered { request, status, body: body.clone() });
        (status, body, false)
    }
}

fn charge(payment: &Payment) -> Value {
    json!({
        "id": format!("pay_{}", uuid::Uuid::new_v4().simple()),
        "status": if payment.capture { "captured" } else { "authorized" },
        "amount": payment.amount,
        "currency": payment.currency,
        "reference": payment.reference,
        "created_at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

async fn create(State(gateway): State<Gateway>, request: Request) -> Response<Body> {
    gateway.door.calls.fetch_add(1, Ordering::Relaxed);
    if gateway.door.down.load(Ordering::Relaxed) {
        let body = error("api_error", "unavailable", None, "the gateway is down: try again later");
        return answer(StatusCode::SERVICE_UNAVAILABLE, &body, false);
    }
    let key = match key(request.headers()) {
        Ok(key) => key,
        Err(malformed) => return answer(StatusCode::BAD_REQUEST, &invalid(&malformed), false),
    };
    let Ok(body) = to_bytes(request.into_body(), BODY_BYTES_MAX).await else {
        let message = format!("the body is larger than {BODY_BYTES_MAX} bytes, or it did not arrive whole");
        return answer(
            StatusCode::PAYLOAD_TOO_LARGE,
            &error("invalid_request_error", "too_large", None, &message),
            false,
        );
    };
    match serde_json::from_slice(&body) {
        Ok(request) => {
            let (status, body, replayed) = gateway.pay(&key, request);
            answer(status, &body, replayed)
        }
        Err(fault) => {
            let malformed = Malformed { field: "body", message: format!("is not JSON: {fault}") };
            answer(StatusCode::BAD_REQUEST, &invalid(&malformed), false)
        }
    }
}

async fn list(State(gateway): State<Gateway>) -> Response<Body> {
    let body = {
        let book = gateway.book();
        json!({"data": book.charges, "declined": book.declined})
    };
    answer(StatusCode::OK, &body, false)
}

fn key(headers: &HeaderMap) -> Result<String, Malformed> {
    let malformed = |message: String| Malformed { field: "Idempotency-Key", message };
    let value = headers.get("idempotency-key").ok_or_else(|| malformed("this header is required".to_owned()))?;
    match value.to_str() {
        Ok(key) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(key.to_owned()),
        _ => Err(malformed(format!("must be 1 to {KEY_BYTES_MAX} characters of ASCII"))),
    }
}

fn invalid(malformed: &Malformed) -> Value {
    let message = format!("{}: {}", malformed.field, malformed.message);
    error("invalid_request_error", "invalid_parameter", Some(malformed.field), &message)
}

fn error(kind: &str, code: &str, field: Option<&str>, message: &str) -> Value {
    let mut error = json!({"type": kind, "code": code, "message": message});
    if let Some(field) = field {
        error["param"] = field.into();
    }
    json!({ "error": error })
}

fn answer(status: StatusCode, body: &Value, replayed: bool) -> Response<Body> {
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    if replayed {
        response = response.header("Idempotent-Replayed", "true");
    }
    response.body(Body::from(body.to_string())).expect("status and headers are constants")
}
