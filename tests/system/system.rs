//! A cloud with the reference system on it, and what a client of it does.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use onceward_local::{
    cloud::{Cloud, CloudConfig, Listeners, Ports, load_stack},
    events::Entry,
    iam::Mode,
    lambda::LogSink,
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// The repository.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How long a condition may take to come true. A message whose process was killed comes back after 30 s.
const DEADLINE: Duration = Duration::from_secs(150);

/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// A system, most often the reference system, on a cloud of its own.
pub(crate) struct System {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) http: Client,
}

impl System {
    /// What a template of the repository declares, with these variables for every function in place of the template's.
    pub(crate) async fn start(template: &str, environment: BTreeMap<String, String>) -> Self {
        let root = Path::new(ROOT);
        let listeners = Listeners::bind(Ports::default()).await.expect("free ports");
        let stack = load_stack(&root.join(template), &listeners, &BTreeMap::new()).expect("the template loads");
        let config = CloudConfig {
            stack,
            listeners,
            binaries: binaries(),
            environment,
            log: LogSink::discard(),
            data: None,
            iam: Mode::Enforce,
        };
        let cloud = Cloud::start(config).expect("the cloud starts");
        drop(rustls::crypto::ring::default_provider().install_default());
        Self { cloud: Arc::new(cloud), http: Client::new() }
    }

    /// Puts goods into the stock, and waits until they can be ordered.
    pub(crate) async fn receive(&self, product_id: &str, quantity: u32) {
        let event_id = format!("goods-{product_id}-{}", rand::random::<u64>());
        let detail = envelope("goods.received.v1", &event_id, &json!({"product_id": product_id, "quantity": quantity}));
        self.publish("warehouse", "goods.received.v1", &detail);
        eventually("the goods are in stock", async || {
            self.stock(product_id).await["available"].as_u64() >= Some(u64::from(quantity))
        })
        .await;
    }

    pub(crate) fn publish(&self, source: &str, detail_type: &str, detail: &Value) {
        let entry = Entry {
            bus: "orders".to_owned(),
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            detail: detail.to_string(),
            ..Entry::default()
        };
        self.cloud.events().put_event(entry).expect("the bus takes the event");
    }

    /// Posts a body to the orders.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>, key: Option<&str>) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}/orders", self.cloud.http_url())).body(body);
        let request = request.header("content-type", "application/json");
        let request = key.iter().fold(request, |request, key| request.header("Idempotency-Key", *key));
        let response = request.send().await.expect("the API answers");
        (response.status(), response.json().await.expect("the API answers JSON"))
    }

    /// Places an order that is accepted; answers its id.
    pub(crate) async fn place(&self, order: &Value) -> String {
        let (status, answer) = self.post(order.to_string(), None).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["order_id"].as_str().expect("an order id").to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.http.get(format!("{}{path}", self.cloud.http_url())).send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }

    pub(crate) async fn order(&self, order_id: &str) -> Value {
        self.get(&format!("/orders/{order_id}")).await.1
    }

    pub(crate) async fn stock(&self, product_id: &str) -> Value {
        self.get(&format!("/stock/{product_id}")).await.1
    }

    /// Waits until the order is confirmed or cancelled; answers it.
    pub(crate) async fn settled(&self, order_id: &str) -> Value {
        let settled = async || {
            let order = self.order(order_id).await;
            matches!(order["status"].as_str(), Some("confirmed" | "cancelled")).then_some(order)
        };
        found("the order is settled", settled).await
    }

    /// Waits until every event that was published has been handled by all of its consumers, and their queues are empty.
    /// Empty queues alone do not say that: an event may still be on its way through the outbox. Once all are handled,
    /// nothing new can come, so the queues are looked at last.
    pub(crate) async fn drained(&self) {
        eventually("every event is handled", async || self.unhandled() == 0 && self.cloud.backlog() == 0).await;
    }

    /// How many deliveries have no record in the ledger yet.
    fn unhandled(&self) -> usize {
        let items = self.rows("onceward-ledger");
        let handled: HashSet<_> = items
            .iter()
            .filter(|item| item["status"]["S"] == "completed")
            .filter_map(|item| item["pk"]["S"].as_str())
            .collect();
        let missing = |(function, event): &(String, Value)| {
            let key =
                format!("{}#{}", function.trim_start_matches("onceward-"), event["id"].as_str().unwrap_or_default());
            !handled.contains(key.as_str())
        };
        self.deliveries(&items).iter().filter(|delivery| missing(delivery)).count()
    }

    /// Each event in these ledger items with each consumer that the rules name for it.
    pub(crate) fn deliveries(&self, items: &[Value]) -> Vec<(String, Value)> {
        let events = items.iter().filter_map(|item| item["events"]["L"].as_array()).flatten();
        let events = events.map(|event| serde_json::from_str(event["S"].as_str().expect("text")).expect("an envelope"));
        let mut deliveries = Vec::new();
        for event in events.collect::<Vec<Value>>() {
            for rule in &self.cloud.stack().rules {
                if rule.pattern["detail-type"].as_array().expect("rules are by type").contains(&event["type"]) {
                    deliveries.push((rule.name.clone(), event.clone()));
                }
            }
        }
        deliveries
    }

    /// Every row of a table, page by page.
    pub(crate) fn rows(&self, table: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut request = json!({"TableName": table});
        loop {
            let answer = self.cloud.dynamodb().execute("Scan", request.to_string().as_bytes());
            let mut answer: Value = serde_json::from_slice(&answer.expect("the table can be read")).expect("JSON");
            rows.append(answer["Items"].as_array_mut().expect("items"));
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return rows,
                key => request["ExclusiveStartKey"] = key,
            }
        }
    }

    /// Waits until the function's dead-letter queue holds messages; answers them.
    pub(crate) async fn dead_letters(&self, function: &str) -> Vec<onceward_local::sqs::Received> {
        self.dead_letters_of(&format!("onceward-{function}-dlq")).await
    }

    /// The same, by the queue's name.
    pub(crate) async fn dead_letters_of(&self, queue: &str) -> Vec<onceward_local::sqs::Received> {
        let request = onceward_local::sqs::Receive { max: 10, wait: Duration::from_secs(20), visibility: None };
        self.cloud.sqs().receive(queue, request).await.expect("the queue exists")
    }
}

/// Where cargo puts binaries: this test is one level below.
pub(crate) fn binaries() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    test.ancestors().nth(2).expect("target/debug/deps/system").to_owned()
}

/// An order of one product.
pub(crate) fn order(product_id: &str, quantity: u32) -> Value {
    json!({
        "customer_id": "c-1",
        "currency": "EUR",
        "payment_token": "tok_visa",
        "lines": [{"product_id": product_id, "quantity": quantity, "unit_price": 1250}],
        "shipping_address": {
            "name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London",
            "postal_code": "SW1Y 4JH", "country": "GB"
        }
    })
}

/// An event as it travels.
pub(crate) fn envelope(event_type: &str, id: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "test", "type": event_type,
        "time": chrono::Utc::now().to_rfc3339(), "datacontenttype": "application/json", "data": data
    })
}

/// Waits for a condition, with a deadline.
pub(crate) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    found(what, async || condition().await.then_some(())).await;
}

/// Waits for something to be there, with a deadline.
pub(crate) async fn found<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(GLANCE).await;
    }
}
