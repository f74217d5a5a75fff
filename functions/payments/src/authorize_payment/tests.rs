use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use contracts::{Address, Order};
use onceward::{Key, Reason};
use onceward_testing::Harness;
use reqwest::StatusCode;

use super::*;
use crate::breaker;

/// The open time of the breaker in these tests.
const OPEN: Duration = Duration::from_secs(30);

/// Longer than an invocation: the lease of a run whose commit failed is over.
const LEASE_MAX: Duration = Duration::from_mins(1);

type Answer = Result<Authorization, GatewayError>;

/// A gateway that keeps its promise about keys: one key is one charge, however often it is asked for.
#[derive(Debug, Clone, Default)]
struct Sandbox(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    /// What it answers next; then it authorizes.
    answers: VecDeque<Answer>,
    /// The key, the amount and the reference of each call.
    calls: Vec<(String, i64, String)>,
    charged: BTreeSet<String>,
}

impl Sandbox {
    fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.lock().unwrap().answers.extend(answers);
    }

    fn calls(&self) -> usize {
        self.0.lock().unwrap().calls.len()
    }

    /// The keys it was asked with, each once.
    fn keys(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().calls.iter().map(|(key, ..)| key.clone()).collect()
    }

    fn charges(&self) -> usize {
        self.0.lock().unwrap().charged.len()
    }
}

#[async_trait]
impl PaymentGateway for Sandbox {
    async fn authorize(&self, request: &PaymentRequest<'_>, idempotency_key: &str) -> Answer {
        let mut book = self.0.lock().unwrap();
        book.calls.push((idempotency_key.to_owned(), request.amount, request.reference.to_owned()));
        let answer = book.answers.pop_front();
        answer.unwrap_or_else(|| {
            book.charged.insert(idempotency_key.to_owned());
            Ok(Authorization::Authorized { payment_id: format!("pay_{idempotency_key}") })
        })
    }
}

fn down(status: StatusCode, retry_after_s: Option<u64>) -> Answer {
    Err(GatewayError::Unavailable { status, retry_after: retry_after_s.map(Duration::from_secs) })
}

/// A world, a gateway, and the function that asks it.
fn world() -> (Harness, Sandbox, Function<Dependencies>) {
    let gateway = Sandbox::default();
    let breaker = breaker(&OPEN.as_secs().to_string()).unwrap();
    (Harness::new(), gateway.clone(), function(gateway, &breaker))
}

fn reserved(order_id: &str) -> StockReserved {
    let text = str::to_owned;
    let shipping_address = Address {
        name: text("Ada Lovelace"),
        line1: text("12 St James's Square"),
        city: text("London"),
        postal_code: text("SW1Y 4LB"),
        country: text("GB"),
    };
    let order = Order {
        order_id: text(order_id),
        customer_id: text("customer"),
        currency: text("EUR"),
        total: 1_250,
        payment_token: text("token"),
        lines: Vec::new(),
        shipping_address,
    };
    StockReserved { order }
}

fn payment(harness: &Harness, order_id: &str) -> Option<Payment> {
    harness.load::<Payment>(&Payment::key_of(order_id))
}

#[tokio::test]
async fn an_order_that_is_delivered_twice_is_charged_once() {
    let (harness, gateway, function) = world();
    harness.deliver_twice(&function, &reserved("o-1")).await;
    assert_eq!(gateway.0.lock().unwrap().calls.len(), 1);
    let (key, amount, reference) = gateway.0.lock().unwrap().calls[0].clone();
    assert_eq!((amount, reference.as_str()), (1_250, "o-1"));
    let [authorized] = harness.published::<PaymentAuthorized>().try_into().unwrap();
    assert_eq!((authorized.order, authorized.payment_id), (reserved("o-1").order, format!("pay_{key}")));
    let payment = payment(&harness, "o-1").unwrap();
    assert_eq!((payment.payment_id, payment.amount, payment.currency.as_str()), (format!("pay_{key}"), 1_250, "EUR"));
}

#[tokio::test]
async fn another_order_has_another_key() {
    let (harness, gateway, function) = world();
    for order_id in ["o-1", "o-2"] {
        harness.deliver(&function, &reserved(order_id)).await.acknowledged();
    }
    assert_eq!((gateway.keys().len(), gateway.charges()), (2, 2));
}

#[tokio::test]
async fn a_charge_whose_commit_failed_is_asked_for_again_with_the_same_key() {
    let (harness, gateway, function) = world();
    let message = harness.message(&reserved("o-1"));
    harness.commits_fail(true);
    harness.deliver_message(&function, &message).await.retried();
    assert_eq!((gateway.charges(), payment(&harness, "o-1")), (1, None));
    assert_eq!(harness.published::<PaymentAuthorized>(), []);

    harness.commits_fail(false);
    harness.advance(LEASE_MAX);
    harness.deliver_message(&function, &message.received(2)).await.acknowledged();
    assert_eq!((gateway.calls(), gateway.keys().len(), gateway.charges()), (2, 1, 1));
    assert_eq!(harness.published::<PaymentAuthorized>().len(), 1);
    assert!(payment(&harness, "o-1").is_some());
}

#[tokio::test]
async fn a_declined_payment_is_an_event_and_no_row() {
    let (harness, gateway, function) = world();
    gateway.answers([Ok(Authorization::Declined { code: "card_declined".to_owned() })]);
    harness.deliver_twice(&function, &reserved("o-1")).await;
    let declined = PaymentDeclined { order_id: "o-1".to_owned(), reason: "card_declined".to_owned() };
    assert_eq!(harness.published::<PaymentDeclined>(), [declined]);
    assert_eq!((harness.published::<PaymentAuthorized>(), payment(&harness, "o-1")), (Vec::new(), None));
    assert_eq!(gateway.calls(), 1, "a decision is not asked for again");
}

#[tokio::test]
async fn while_the_gateway_is_down_orders_wait_and_it_is_not_asked() {
    let (harness, gateway, function) = world();
    gateway.answers((0..5).map(|_| down(StatusCode::SERVICE_UNAVAILABLE, None)));
    for number in 0..5 {
        harness.deliver(&function, &reserved(&format!("o-{number}"))).await.retried();
    }
    let late = harness.message(&reserved("o-late"));
    let wait = harness.deliver_message(&function, &late).await.retried();
    assert_eq!(gateway.calls(), 5, "the breaker is open");
    assert!(wait >= OPEN, "{wait:?}: not before the next try of the breaker");

    harness.advance(LEASE_MAX);
    harness.deliver_message(&function, &late.received(2)).await.acknowledged();
    assert_eq!((gateway.calls(), gateway.charges()), (6, 1));
    assert!(harness.dead_letters().is_empty(), "{:?}", harness.dead_letters());
}

#[tokio::test]
async fn the_gateway_says_how_long_to_wait() {
    let (harness, gateway, function) = world();
    gateway.answers([down(StatusCode::TOO_MANY_REQUESTS, Some(120))]);
    let message = harness.message(&reserved("o-1"));
    let wait = harness.deliver_message(&function, &message).await.retried();
    assert!((120..=121).contains(&wait.as_secs()), "{wait:?}");
    harness.advance(wait);
    harness.deliver_message(&function, &message.received(2)).await.acknowledged();
    assert_eq!((gateway.keys().len(), gateway.charges()), (1, 1));
}

#[tokio::test]
async fn a_request_that_the_gateway_refuses_is_given_up_and_says_why() {
    let (harness, gateway, function) = world();
    let refused = |_| {
        let (status, message) = (StatusCode::UNPROCESSABLE_ENTITY, "no such token".to_owned());
        Err(GatewayError::Refused { status, message })
    };
    gateway.answers((0..6).map(refused));
    for number in 0..6 {
        let letter = harness.deliver(&function, &reserved(&format!("o-{number}"))).await.dead_lettered();
        assert_eq!(letter.reason, Reason::Terminal);
        assert!(letter.error.contains("422") && letter.error.contains("no such token"), "{}", letter.error);
    }
    assert_eq!(gateway.calls(), 6, "one call each, and the breaker stays closed: it works");
    assert_eq!(harness.load::<Payment>(&Key::new("order_id", "o-0")), None);
}

/// The first try of this key is still under way there: the next one learns its decision.
#[tokio::test]
async fn a_conflict_is_waited_for_and_does_not_open_the_breaker() {
    let (harness, gateway, function) = world();
    gateway.answers((0..6).map(|_| down(StatusCode::CONFLICT, None)));
    let message = harness.message(&reserved("o-1"));
    for receive_count in 1..=6 {
        harness.deliver_message(&function, &message.clone().received(receive_count)).await.retried();
    }
    harness.deliver_message(&function, &message.received(7)).await.acknowledged();
    assert_eq!((gateway.calls(), gateway.keys().len(), gateway.charges()), (7, 1, 1));
}
