//! The reference system on some cloud, and what a client of it does: HTTP, and the AWS protocols through SDK clients.
//!
//! On the embedded cloud each test has a system of its own. On every other cloud the tests of a run share one, so what a
//! test makes carries its mark, and it looks only at what does.

mod front;
mod ledger;
mod queues;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use onceward_local::{
    cloud::{Cloud, CloudConfig, Listeners, Ports, load_stack},
    gateway::Gateway,
    lambda::LogSink,
    template::{STACK_NAME, Stack},
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::cloud::{Deployed, sdk_config};
use front::Front;

pub(crate) use ledger::Delivery;
pub(crate) use queues::Depth;

/// The repository.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The reference system's template.
pub(crate) const TEMPLATE: &str = "template.yaml";

/// How long a condition may take to come true. A message whose process was killed comes back after 30 s.
const DEADLINE: Duration = Duration::from_secs(150);

/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// A system, most often the reference system.
pub(crate) struct System {
    pub(crate) http: Client,
    /// What its template declares, with the names it has on the local cloud.
    declared: Stack,
    /// What the names begin with here.
    name: String,
    bus: String,
    front: Front,
    gateway: Gateway,
    dynamodb: aws_sdk_dynamodb::Client,
    eventbridge: aws_sdk_eventbridge::Client,
    sqs: aws_sdk_sqs::Client,
    /// The cloud it has for itself.
    embedded: Option<Arc<Cloud>>,
    /// What tells this test's orders and products from those of others: its tag, and the ids of its orders.
    marks: Mutex<Vec<String>>,
    tag: String,
    /// What the inbox held, whichever test took it from there.
    confirmations: Arc<tokio::sync::Mutex<Vec<String>>>,
}

impl System {
    /// What a template of the repository declares, on a cloud of its own, with these variables for every function in
    /// place of the template's.
    pub(crate) async fn start(template: &str, environment: BTreeMap<String, String>) -> Self {
        Self::start_logging(template, environment, LogSink::discard()).await
    }

    /// The same, with the functions' lines for `log`.
    pub(crate) async fn start_logging(template: &str, environment: BTreeMap<String, String>, log: LogSink) -> Self {
        let root = Path::new(ROOT);
        let listeners = Listeners::bind(Ports::default()).await.expect("free ports");
        let stack = load_stack(&root.join(template), &listeners, &BTreeMap::new()).expect("the template loads");
        let config = CloudConfig { stack, binaries: binaries(), environment, log, ..CloudConfig::new(listeners) };
        let cloud = Arc::new(Cloud::start(config).expect("the cloud starts"));
        let bus = cloud.stack().buses.first().map(|bus| bus.name.clone()).unwrap_or_default();
        let front = Front::Api { url: cloud.http_url().to_owned() };
        let (declared, gateway) = (cloud.stack().clone(), cloud.gateway().clone());
        let config = sdk_config(cloud.aws_url()).await;
        let system = Self::new(&config, declared, STACK_NAME.to_owned(), bus, front, gateway);
        Self { embedded: Some(cloud), ..system }
    }

    /// The one that is deployed on another cloud.
    pub(crate) async fn on(deployed: &Deployed) -> Self {
        let config = sdk_config(&deployed.url).await;
        let (declared, gateway) = (deployed.declared.clone(), deployed.gateway().clone());
        let front = Front::of(&deployed.url, deployed.updated.get("ApiUrl").map(String::as_str)).await;
        let system = Self::new(&config, declared, deployed.name.clone(), deployed.bus(), front, gateway);
        Self { confirmations: Arc::clone(&deployed.confirmations), ..system }
    }

    fn new(config: &SdkConfig, declared: Stack, name: String, bus: String, front: Front, gateway: Gateway) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let tag = format!("{:08x}", rand::random::<u32>());
        Self {
            http: Client::new(),
            declared,
            name,
            bus,
            front,
            gateway,
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            eventbridge: aws_sdk_eventbridge::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            embedded: None,
            marks: Mutex::new(vec![tag.clone()]),
            tag,
            confirmations: Arc::default(),
        }
    }

    /// The embedded cloud, for what cannot be done to others.
    pub(crate) fn cloud(&self) -> &Arc<Cloud> {
        self.embedded.as_ref().expect("only tests that run nowhere else ask for it")
    }

    /// The embedded cloud, for what can be seen only there.
    pub(crate) fn embedded(&self) -> Option<&Arc<Cloud>> {
        self.embedded.as_ref()
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// What was charged for an order.
    pub(crate) fn charges(&self, order_id: &str) -> Vec<Value> {
        self.gateway.charges().into_iter().filter(|charge| charge["reference"] == order_id).collect()
    }

    /// A name that no other test uses.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("{name}-{}", self.tag)
    }

    /// A resource's name here, such as `onceward-ledger`.
    pub(crate) fn name(&self, resource: &str) -> String {
        format!("{}-{resource}", self.name)
    }

    /// Puts goods into the stock, and waits until they can be ordered.
    pub(crate) async fn receive(&self, product_id: &str, quantity: u32) {
        let event_id = format!("goods-{product_id}-{}", rand::random::<u64>());
        let detail = envelope("goods.received.v1", &event_id, &json!({"product_id": product_id, "quantity": quantity}));
        self.publish("warehouse", "goods.received.v1", &detail).await;
        eventually("the goods are in stock", async || {
            self.stock(product_id).await["available"].as_u64() >= Some(u64::from(quantity))
        })
        .await;
    }

    pub(crate) async fn publish(&self, source: &str, detail_type: &str, detail: &Value) {
        let entry = PutEventsRequestEntry::builder().event_bus_name(&self.bus).source(source);
        let entry = entry.detail_type(detail_type).detail(detail.to_string()).build();
        let answer = self.eventbridge.put_events().entries(entry).send().await.expect("the bus answers");
        assert_eq!(answer.failed_entry_count, 0, "{answer:?}");
    }

    /// Posts a body to the orders.
    pub(crate) async fn post(&self, body: impl Into<Vec<u8>>, key: Option<&str>) -> (StatusCode, Value) {
        let (status, answer) = self.request("POST", "/orders", body.into(), key).await;
        if let Some(order_id) = answer["order_id"].as_str() {
            self.marks.lock().unwrap_or_else(PoisonError::into_inner).push(order_id.to_owned());
        }
        (status, answer)
    }

    /// Places an order that is accepted; answers its id.
    pub(crate) async fn place(&self, order: &Value) -> String {
        let (status, answer) = self.post(order.to_string(), None).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["order_id"].as_str().expect("an order id").to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.request("GET", path, Vec::new(), None).await
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
