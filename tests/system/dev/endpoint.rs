//! `onceward dev --endpoint`: the functions here, the queues, tables and the bus on another cloud.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use libtest_mimic::Trial;
use onceward_local::{
    cloud::{Cloud, CloudConfig, Listeners, Ports, load_stack},
    events::Entry,
    iam::Mode,
    template::Stack,
};
use serde_json::{Value, json};

use super::process::{Dev, READY};
use crate::{
    cloud::sdk_config,
    system::{ROOT, TEMPLATE, binaries, envelope, order},
    trial,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "dev::an_order_is_fulfilled_on_another_clouds_resources",
            an_order_is_fulfilled_on_another_clouds_resources,
        ),
        trial("dev::what_another_cloud_lacks_is_listed", what_another_cloud_lacks_is_listed),
        trial(
            "dev::an_endpoint_goes_with_no_flag_of_the_local_services",
            an_endpoint_goes_with_no_flag_of_the_local_services,
        ),
        trial("dev::another_cloud_that_does_not_answer_is_named", another_cloud_that_does_not_answer_is_named),
        trial(
            "dev::another_cloud_that_runs_functions_too_is_warned_of",
            another_cloud_that_runs_functions_too_is_warned_of,
        ),
    ]
}

/// A cloud of this process with the template's resources, as a test leaves them, and most often none of its functions.
struct Other {
    cloud: Arc<Cloud>,
    runtime: tokio::runtime::Runtime,
}

impl Other {
    fn start(change: impl FnOnce(&mut Stack)) -> Self {
        Self::start_with(|stack| {
            stack.functions.clear();
            change(stack);
        })
    }

    /// The same, with the functions that `change` leaves.
    fn start_with(change: impl FnOnce(&mut Stack)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let cloud = runtime.block_on(async {
            let listeners = Listeners::bind(Ports::default()).await.expect("free ports");
            let template = Path::new(ROOT).join(TEMPLATE);
            let mut stack = load_stack(&template, &listeners, &BTreeMap::new()).expect("the template loads");
            change(&mut stack);
            let config = CloudConfig { stack, binaries: binaries(), iam: Mode::Off, ..CloudConfig::new(listeners) };
            Arc::new(Cloud::start(config).expect("the cloud starts"))
        });
        Self { cloud, runtime }
    }

    fn publish(&self, source: &str, detail_type: &str, detail: &Value) {
        let entry = Entry {
            bus: self.cloud.stack().buses[0].name.clone(),
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            detail: detail.to_string(),
            ..Entry::default()
        };
        let _inside = self.runtime.enter();
        self.cloud.events().put_event(entry).expect("the bus takes it");
    }

    /// An order's item in the other cloud's table.
    fn order(&self, order_id: &str) -> BTreeMap<String, AttributeValue> {
        self.runtime.block_on(async {
            let tables = aws_sdk_dynamodb::Client::new(&sdk_config(self.cloud.aws_url()).await);
            let query = tables.query().table_name("onceward-orders").key_condition_expression("order_id = :id");
            let query = query.expression_attribute_values(":id", AttributeValue::S(order_id.to_owned()));
            let items = query.send().await.expect("the table answers").items.unwrap_or_default();
            let order = items.into_iter().find(|item| item.contains_key("status"));
            order.expect("the order's own item").into_iter().collect()
        })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.runtime.block_on(self.cloud.shutdown());
    }
}

fn an_order_is_fulfilled_on_another_clouds_resources() {
    let other = Other::start(|_| {});
    let there = other.cloud.aws_url().to_owned();
    let mut dev = Dev::ready(&["--endpoint", &there]);
    assert_eq!(dev.out.url("AWS endpoint"), there, "{}", dev.out.text());
    assert_ne!(dev.out.url("Lambda API"), there);
    let api = dev.out.url("HTTP API");

    let goods = envelope("goods.received.v1", "goods-1", &json!({"product_id": "p-1", "quantity": 5}));
    other.publish("warehouse", "goods.received.v1", &goods);
    dev.until("the goods are in stock", &format!("{api}/stock/p-1"), |stock| stock["available"] == 5);
    let placed = dev.post(&format!("{api}/orders"), &order("p-1", 1).to_string());
    let order_id = placed["order_id"].as_str().expect("an order id").to_owned();
    dev.until("the order is confirmed", &format!("{api}/orders/{order_id}"), |order| order["status"] == "confirmed");
    assert_eq!(other.order(&order_id).get("status"), Some(&AttributeValue::S("confirmed".to_owned())));

    // Of AWS this machine has the functions alone.
    let lambda = dev.out.url("Lambda API");
    let (status, functions) = dev.get(&format!("{lambda}/2015-03-31/functions/"));
    assert_eq!((status, functions["Functions"].as_array().map(Vec::len)), (200, Some(13)));
    let refused = dev.post_form(&lambda, "Action=ListQueues&Version=2012-11-05");
    assert!(refused.contains("NotImplemented") && refused.contains(&there), "{refused}");
    assert!(!dev.out.text().contains("The other cloud runs"), "it has no functions: {}", dev.out.text());
}

fn what_another_cloud_lacks_is_listed() {
    let other = Other::start(|stack| {
        stack.queues.retain(|queue| queue.logical_id != "ReserveStockQueue");
        stack.rules.clear();
        stack.tables.retain(|table| table.logical_id != "OrdersTable");
        stack.buses.clear();
        stack.archives.clear();
        let ledger = stack.tables.iter_mut().find(|table| table.logical_id == "LedgerTable").expect("declared");
        ledger.definition.as_object_mut().expect("an object").remove("StreamSpecification");
    });
    let mut dev = Dev::start(&["--endpoint", other.cloud.aws_url()]);
    assert_eq!(dev.ended().code(), Some(1), "{}", dev.err.text());
    let expected = [
        "  event bus orders (Bus)",
        "  queue onceward-reserve-stock (ReserveStockQueue)",
        "  stream of table onceward-ledger (LedgerTable)",
        "  table onceward-orders (OrdersTable)",
    ];
    let listed: Vec<_> = dev.err.seen.iter().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(listed, expected, "{}", dev.err.text());
    let what_to_do = ["lacks what the functions use", "sam deploy", "--stack-name NAME", "--parameter NAME=VALUE"];
    let text = dev.err.text();
    assert!(what_to_do.iter().all(|part| text.contains(part)), "{text}");
}

fn an_endpoint_goes_with_no_flag_of_the_local_services() {
    for (flag, value) in [("--data", "."), ("--fault", "sqs.*:throttle"), ("--iam", "report"), ("--fault-seed", "1")] {
        let mut dev = Dev::start(&["--endpoint", "http://127.0.0.1:1", flag, value]);
        assert_eq!(dev.ended().code(), Some(2), "{}", dev.err.text());
        let text = dev.err.text();
        assert!(text.contains("'--endpoint <URL>' cannot be used with") && text.contains(flag), "{text}");
    }
}

fn another_cloud_that_does_not_answer_is_named() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let mut dev = Dev::start(&["--endpoint", &url]);
    assert_eq!(dev.ended().code(), Some(1), "{}", dev.err.text());
    assert!(dev.err.text().starts_with(&format!("error: {url} does not answer: ")), "{}", dev.err.text());
    assert!(!dev.out.text().contains(READY));
}

/// One of its functions, whose queue both then read; said by the time that everything runs here, and what to do about it.
fn another_cloud_that_runs_functions_too_is_warned_of() {
    let other = Other::start_with(|stack| stack.functions.retain(|function| function.name == "onceward-reserve-stock"));
    let there = other.cloud.aws_url().to_owned();
    let mut dev = Dev::ready(&["--endpoint", &there]);
    dev.out.until("the warning", |line| line.starts_with("The other cloud runs functions on the same sources"));
    let arn = "arn:aws:sqs:us-east-1:000000000000:onceward-reserve-stock";
    dev.out.until("which", |line| line == format!("  # {arn} -> onceward-reserve-stock"));
    let disable = "lambda update-event-source-mapping --no-enabled --uuid ";
    let command = dev.out.until("what to do", |line| line.contains(disable));
    assert!(command.starts_with(&format!("  aws --endpoint-url {there} ")), "{command}");
    let mappings = dev.get(&format!("{there}/2015-03-31/event-source-mappings/")).1;
    let id = mappings["EventSourceMappings"][0]["UUID"].as_str().expect("its only mapping");
    assert!(command.ends_with(id), "{command}: {mappings}");
}
