//! Least privilege, tested: every function's every path is denied nothing, and what its role allows is used.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use libtest_mimic::Trial;
use onceward_local::{
    faults::Plan,
    lambda::{LogLine, LogSink},
    template::{Function, Trigger},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::system::{ROOT, System, TEMPLATE, envelope, eventually, order};

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name, run: fn() -> Running| {
        Trial::test(name, move || {
            Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run());
            Ok(())
        })
    };
    vec![
        trial("permissions::every_path_of_every_function_uses_what_its_role_allows", || Box::pin(every_path())),
        trial("permissions::a_function_without_a_permission_is_denied_as_on_aws", || Box::pin(without_a_permission())),
    ]
}

type Running = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// What the functions' lines have told so far.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Physical name and outcome of each hop.
    outcomes: Arc<Mutex<BTreeSet<(String, String)>>>,
    /// Lines that tell of a call that was denied, however they word it.
    denied: Arc<Mutex<Vec<LogLine>>>,
}

impl Told {
    fn sink(&self) -> LogSink {
        let told = self.clone();
        LogSink::new(move |line| told.note(line))
    }

    fn note(&self, line: LogLine) {
        let record: Value = serde_json::from_str(&line.text).unwrap_or_default();
        if record["target"] == "onceward::delivery"
            && let Some(outcome) = record["outcome"].as_str()
        {
            let outcome = (line.function.clone(), outcome.to_owned());
            self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
        }
        if ["AccessDenied", "not authorized", "denied"].iter().any(|word| line.text.contains(word)) {
            self.denied.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    /// Waits until each of these functions has had each of these outcomes.
    async fn each(&self, functions: &[&Function], outcomes: &[&str]) {
        for function in functions {
            for outcome in outcomes {
                eventually(&format!("{} {outcome}", function.name), async || {
                    let told = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    told.contains(&(function.name.clone(), (*outcome).to_owned()))
                })
                .await;
            }
        }
    }
}

/// The functions of the template, by what triggers them: none can be left out by forgetting it.
struct Functions<'a> {
    consumers: Vec<&'a Function>,
    commands: Vec<&'a Function>,
    queries: Vec<&'a Function>,
    relays: Vec<&'a Function>,
}

impl<'a> Functions<'a> {
    fn of(functions: &'a [Function]) -> Self {
        let mut sorted = Self { consumers: vec![], commands: vec![], queries: vec![], relays: vec![] };
        for function in functions {
            let [trigger] = function.triggers.as_slice() else { panic!("{}: not one trigger", function.name) };
            let kind = match trigger {
                Trigger::Sqs { .. } => &mut sorted.consumers,
                Trigger::Stream { .. } => &mut sorted.relays,
                Trigger::Http { method, .. } if method == "GET" => &mut sorted.queries,
                Trigger::Http { .. } => &mut sorted.commands,
                Trigger::Topic(_) => panic!("{}: say here what its paths are", function.name),
            };
            kind.push(function);
        }
        sorted
    }
}

/// How soon the circuit of the payment gateway is tried again, so that its record comes and goes within the test.
const OPEN_SECONDS: &str = "1";

/// Enough at a time that one environment has the five failures in a row that open a circuit.
const ORDERS: usize = 20;

/// What is committed, delivered again, refused, given up and failing, of every function.
async fn every_path() {
    let told = Told::default();
    let environment = BTreeMap::from([("PAYMENT_GATEWAY_OPEN_SECONDS".to_owned(), OPEN_SECONDS.to_owned())]);
    let system = System::start_logging(TEMPLATE, environment, told.sink()).await;
    let declared = system.cloud().stack().functions.clone();
    let functions = Functions::of(&declared);
    let all: Vec<_> = declared.iter().collect();
    assert_eq!([functions.commands.len(), functions.relays.len()], [1, 1], "the requests below are for one of each");

    committed(&system).await;
    told.each(&functions.consumers, &["committed"]).await;
    told.each(&functions.commands, &["committed"]).await;
    told.each(&functions.queries, &["answered"]).await;
    told.each(&functions.relays, &["published"]).await;

    again(&system).await;
    told.each(&functions.consumers, &["replayed"]).await;
    told.each(&functions.commands, &["replayed"]).await;

    refused(&system).await;
    for consumer in &functions.consumers {
        let name = consumer.name.trim_start_matches("onceward-");
        system.send(&consumer.name, "not json").await;
        eventually(&format!("two letters of {name}: unreadable, and of a key used before"), async || {
            system.depth(&format!("onceward-{name}-dlq")).await.visible >= 2
        })
        .await;
    }
    told.each(&functions.consumers, &["dead_lettered"]).await;
    told.each(&functions.commands, &["refused"]).await;

    failing(&system, &told, &functions).await;
    guarded_failing(&system).await;
    system.drained().await;

    let iam = system.cloud().iam();
    assert_eq!(iam.denials(), []);
    assert!(told.denied.lock().unwrap_or_else(PoisonError::into_inner).is_empty(), "{:#?}", told.denied);
    let unused = iam.unused();
    assert!(unused.is_empty(), "allowed and never used by any of {}: {unused:#?}", all.len());
    system.cloud().shutdown().await;
}

/// Every way an order can go.
async fn committed(system: &System) {
    system.receive("p-1", 100).await;
    let order_id = system.place(&order("p-1", 2)).await;
    eventually("the confirmation is sent", async || {
        system.order(&order_id).await["timeline"].as_array().is_some_and(|timeline| timeline.len() == 6)
    })
    .await;
    let mut declined = order("p-1", 1);
    declined["payment_token"] = json!("tok_declined");
    for (body, expected) in [(declined, "card_declined"), (order("p-1", 1_000), "insufficient_stock")] {
        let order_id = system.place(&body).await;
        let order = system.settled(&order_id).await;
        assert!(order["reason"].as_str().is_some_and(|reason| reason.starts_with(expected)), "{order}");
    }
    system.drained().await;
}

/// What each queue gets again: the events of the outbox, byte by byte, since an event that is written anew may be another
/// payload; and two that came from outside.
async fn deliveries(system: &System) -> Vec<(String, String)> {
    let rows = system.rows("onceward-ledger").await;
    let mut deliveries: Vec<_> = system
        .deliveries(&rows)
        .into_iter()
        .map(|delivery| (format!("onceward-{}", delivery.function), delivery.event_type, delivery.event))
        .collect();
    let goods = envelope("goods.received.v1", "goods-again", &json!({"product_id": "p-1", "quantity": 1}));
    let mut other = goods.clone();
    other["source"] = json!("another warehouse");
    for rule in &system.cloud().stack().rules {
        let types = rule.pattern["detail-type"].as_array().expect("rules are by type");
        if types.contains(&json!("goods.received.v1")) {
            // Two sources that use one id.
            for goods in [&goods, &other] {
                deliveries.push((rule.name.clone(), "goods.received.v1".to_owned(), goods.to_string()));
            }
        }
    }
    let message = |(queue, event_type, event): (String, String, String)| {
        (queue, format!(r#"{{"version":"0","detail-type":"{event_type}","detail":{event}}}"#))
    };
    deliveries.into_iter().map(message).collect()
}

/// Each event to each of its queues again, twice over: the goods come for the first time here.
async fn again(system: &System) {
    let body = order("p-1", 1).to_string();
    let first = system.post(body.clone(), Some("k")).await;
    assert_eq!(first, system.post(body, Some("k")).await);
    system.settled(first.1["order_id"].as_str().expect("an id")).await;
    system.drained().await;
    for _ in 0..2 {
        for (queue, body) in deliveries(system).await {
            system.send(&queue, &body).await;
        }
        system.drained().await;
    }
}

/// Requests that are refused, and each event with another payload under its id.
async fn refused(system: &System) {
    for (key, body, status, code) in [
        (None, "{", StatusCode::BAD_REQUEST, "InvalidRequest"),
        (Some("k"), "{", StatusCode::CONFLICT, "IdempotencyKeyReused"),
        (Some("k"), "{}", StatusCode::CONFLICT, "IdempotencyKeyReused"),
        (Some("k"), &order("p-1", 7).to_string(), StatusCode::CONFLICT, "IdempotencyKeyReused"),
    ] {
        let (answered, answer) = system.post(body, key).await;
        assert_eq!((answered, &answer["error"]["code"]), (status, &json!(code)), "{key:?} {body}: {answer}");
    }
    assert_eq!(system.get("/orders/no-such-order").await.0, StatusCode::NOT_FOUND);
    assert_eq!(system.get("/stock/no-such-product").await.0, StatusCode::NOT_FOUND);
    for (queue, body) in deliveries(system).await {
        let mut message: Value = serde_json::from_str(&body).expect("a message");
        message["detail"]["data"]["not_there_before"] = json!(true);
        system.send(&queue, &message.to_string()).await;
    }
}

/// Nobody can publish, then nobody can read or write a table either, until every function has failed for it; in the end
/// all of it goes through.
async fn failing(system: &System, told: &Told, functions: &Functions<'_>) {
    let faults = system.cloud().faults();
    let inject = |rules: &[&str]| {
        let rules = rules.iter().map(|rule| rule.parse().expect("a fault")).collect();
        faults.set(Plan { seed: Some(1), rules }).expect("faults that make sense");
    };
    let messages = deliveries(system).await;
    inject(&["events:error"]);
    system.place(&order("p-1", 1)).await;
    eventually("the relay fails", async || faults.counts().1[0].injected > 0).await;
    inject(&["events:error", "dynamodb:error"]);
    for (queue, body) in messages {
        system.send(&queue, &body).await;
    }
    let body = order("p-1", 1).to_string();
    assert_eq!(system.post(body.clone(), Some("k-2")).await.0, StatusCode::SERVICE_UNAVAILABLE);
    for path in ["/orders/any", "/stock/any"] {
        assert_eq!(system.get(path).await.0, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    for functions in [&functions.consumers, &functions.commands, &functions.queries] {
        told.each(functions, &["retried"]).await;
    }
    inject(&[]);
    assert_eq!(system.post(body, Some("k-2")).await.0, StatusCode::ACCEPTED);
    system.drained().await;

    // When all goes well again a commit may be under way whose event was looked up in vain: here only commits fail.
    inject(&["dynamodb.PutItem:error", "dynamodb.TransactWriteItems:error"]);
    for (queue, body) in deliveries(system).await {
        system.send(&queue, &body).await;
    }
    eventually("each function has looked up what was delivered again", async || {
        system.cloud().iam().unused().iter().all(|unused| unused.action != "dynamodb:BatchGetItem")
    })
    .await;
    inject(&[]);
    system.drained().await;
}

/// What a guarded handler calls fails: it lets go of its claim, and the circuit of the gateway opens and closes.
async fn guarded_failing(system: &System) {
    let faults = system.cloud().faults();
    let rules = vec!["sns:error".parse().expect("a fault")];
    faults.set(Plan { seed: Some(1), rules }).expect("faults that make sense");
    let unused = |action: &str, part: &str| {
        let unused = system.cloud().iam().unused();
        unused.iter().filter(|unused| unused.action == action && unused.condition.contains(part)).count()
    };
    system.gateway().set_down(true);
    let body = order("p-1", 1);
    let placed = futures_util::future::join_all((0..ORDERS).map(|_| system.place(&body))).await;
    eventually("the circuit is open", async || unused("dynamodb:PutItem", "breaker#") == 0).await;
    system.gateway().set_down(false);
    // These orders may all be paid for by environments that have not heard of the open circuit: then none of them closes it.
    system.receive("p-2", 10_000).await;
    eventually("claims are let go of, and the circuit closed", async || {
        let more = system.place(&order("p-2", 1)).await;
        system.settled(&more).await;
        unused("dynamodb:DeleteItem", "") == 0
    })
    .await;
    faults.set(Plan { seed: Some(1), rules: vec![] }).expect("none");
    for order_id in &placed {
        assert_eq!(system.settled(order_id).await["status"], "confirmed");
    }
}

const GRANTED: &str = "Action: [dynamodb:PutItem]\n                Resource: !GetAtt ShipmentsTable.Arn";

/// The reference system, but one function may not write to its table.
async fn without_a_permission() {
    let template = std::fs::read_to_string(Path::new(ROOT).join("template.yaml")).expect("the template");
    assert_eq!(template.matches(GRANTED).count(), 1);
    let template = template
        .replace(GRANTED, &GRANTED.replace("PutItem", "GetItem"))
        .replace("CodeUri: functions/", &format!("CodeUri: {ROOT}/functions/"));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-a-permission.yaml");
    std::fs::write(&path, template).expect("the template is written");
    let system = System::start(path.to_str().expect("a path in UTF-8"), BTreeMap::new()).await;

    system.receive("p-1", 10).await;
    let order_id = system.place(&order("p-1", 2)).await;
    let dead_letters = "onceward-schedule-shipment-dlq";
    eventually("the event is a dead letter", async || {
        system.cloud().sqs().depth(dead_letters).is_ok_and(|depth| depth.visible == 1)
    })
    .await;
    let letters = system.dead_letters("schedule-shipment").await;
    let event: Value = serde_json::from_str(letters[0].body().expect("a body")).expect("the event");
    assert_eq!(event["detail-type"], "payment.authorized.v1");
    assert_ne!(system.order(&order_id).await["status"], "confirmed");
    let [(denial, count)] = system.cloud().iam().denials().try_into().expect("one kind of call is denied");
    assert!(count >= 5, "each of five receives was denied, not {count}");
    assert_eq!(
        denial.message(),
        "User: arn:aws:sts::000000000000:assumed-role/onceward-ScheduleShipmentRole/onceward-schedule-shipment is not \
         authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/\
         onceward-shipments because no identity-based policy allows the dynamodb:PutItem action"
    );
    system.cloud().shutdown().await;
}
