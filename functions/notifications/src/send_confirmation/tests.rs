use std::sync::{Arc, Mutex};

use contracts::{Address, OrderLine};
use onceward_testing::Harness;
use std::time::Duration;

use super::*;

/// Longer than an invocation: the lease of a run whose commit failed is over.
const LEASE_MAX: Duration = Duration::from_mins(1);

/// A topic, and whoever is subscribed to it.
#[derive(Debug, Clone, Default)]
struct Inbox(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How often it is down from now on.
    down: u32,
    /// Subject, text and key of each message.
    messages: Vec<[String; 3]>,
}

impl Inbox {
    fn messages(&self) -> Vec<[String; 3]> {
        self.0.lock().unwrap().messages.clone()
    }
}

#[async_trait]
impl Topic for Inbox {
    async fn publish(&self, subject: &str, message: &str, idempotency_key: &str) -> Result<String, HandlerError> {
        let mut state = self.0.lock().unwrap();
        if state.down > 0 {
            state.down -= 1;
            return Err(HandlerError::from(std::io::Error::other("the topic is down")));
        }
        state.messages.push([subject, message, idempotency_key].map(str::to_owned));
        Ok(format!("message-{}", state.messages.len()))
    }
}

fn confirmed() -> OrderConfirmed {
    let text = str::to_owned;
    let line = |product_id: &str, quantity| OrderLine { product_id: text(product_id), quantity, unit_price: 100 };
    let shipping_address = Address {
        name: text("Ada Lovelace"),
        line1: text("12 St James's Square"),
        city: text("London"),
        postal_code: text("SW1Y 4LB"),
        country: text("GB"),
    };
    let order = Order {
        order_id: text("o-1"),
        customer_id: text("customer"),
        currency: text("EUR"),
        total: 300,
        payment_token: text("tok_secret"),
        lines: vec![line("tea", 1), line("cup", 2)],
        shipping_address,
    };
    OrderConfirmed { order }
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_is_one_message() {
    let (harness, inbox) = (Harness::new(), Inbox::default());
    harness.deliver_twice(&function(inbox.clone()), &confirmed()).await;
    let [[subject, message, key]] = inbox.messages().try_into().unwrap();
    assert_eq!(subject, "Order o-1 is confirmed");
    let told = "Your order o-1 is confirmed: 1 × tea, 2 × cup. Total: 300 (EUR, minor units). It goes to London.";
    assert_eq!(message, told);
    assert!(!key.is_empty());
    let sent = ConfirmationSent { order_id: "o-1".to_owned(), message_id: "message-1".to_owned() };
    assert_eq!(harness.published::<ConfirmationSent>(), [sent]);
}

#[tokio::test]
async fn a_topic_that_is_down_is_tried_again_later() {
    let (harness, inbox) = (Harness::new(), Inbox::default());
    inbox.0.lock().unwrap().down = 1;
    let (function, message) = (function(inbox.clone()), harness.message(&confirmed()));
    harness.deliver_message(&function, &message).await.retried();
    assert_eq!((inbox.messages().len(), harness.published::<ConfirmationSent>().len()), (0, 0));
    harness.deliver_message(&function, &message.received(2)).await.acknowledged();
    assert_eq!((inbox.messages().len(), harness.published::<ConfirmationSent>().len()), (1, 1));
}

/// SNS has no idempotency key for standard topics: the message is there twice, and its key tells.
#[tokio::test]
async fn a_message_whose_commit_failed_is_sent_again_with_the_same_key() {
    let (harness, inbox) = (Harness::new(), Inbox::default());
    let (function, message) = (function(inbox.clone()), harness.message(&confirmed()));
    harness.commits_fail(true);
    harness.deliver_message(&function, &message).await.retried();
    harness.commits_fail(false);
    harness.advance(LEASE_MAX);
    harness.deliver_message(&function, &message.received(2)).await.acknowledged();
    let [first, second] = inbox.messages().try_into().unwrap();
    assert_eq!(first, second);
    assert_eq!(harness.published::<ConfirmationSent>().len(), 1);
}
