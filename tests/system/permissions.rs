//! Least privilege, tested: the order flow is denied nothing, and what its roles allow is used.

use std::{collections::BTreeMap, path::Path};

use libtest_mimic::Trial;
use onceward_local::{iam::Unused, sqs::Outgoing};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::{
    on_a_cloud,
    system::{ROOT, System, eventually, order},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_a_cloud("permissions::the_order_flow_uses_what_its_roles_allow", the_order_flow),
        Trial::test("permissions::a_function_without_a_permission_is_denied_as_on_aws", || {
            Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(without_a_permission());
            Ok(())
        }),
    ]
}

/// The consumers, each with a dead-letter queue of its own.
const CONSUMERS: [&str; 9] = [
    "authorize-payment",
    "cancel-order",
    "confirm-order",
    "receive-stock",
    "release-stock",
    "reserve-stock",
    "schedule-shipment",
    "send-confirmation",
    "track-order",
];

/// Permissions that the flow below does not use, by why they are there all the same.
const EXCEPTIONS: [(&str, &str, &str); 4] = [
    ("a message that is received again is looked up first, see crashes.rs", "dynamodb:BatchGetItem", "#*"),
    ("a message that failed is hidden for longer, see crashes.rs", "sqs:ChangeMessageVisibility", ""),
    ("a handler that failed lets go of its claim", "dynamodb:DeleteItem", "#*"),
    (
        "the circuit breaker has a record while the gateway is down, see outage.rs",
        "dynamodb:",
        "breaker#payment-gateway",
    ),
];

fn is_exception(unused: &Unused) -> bool {
    let Unused { action, condition, .. } = unused;
    EXCEPTIONS.iter().any(|(_, actions, on)| action.starts_with(actions) && condition.contains(on))
}

/// Every way an order can go, with what is delivered twice and what nobody can read.
async fn the_order_flow(system: System) {
    system.receive("p-1", 10).await;
    let order_id = system.place(&order("p-1", 2)).await;
    eventually("the confirmation is sent", async || {
        system.order(&order_id).await["timeline"].as_array().is_some_and(|timeline| timeline.len() == 6)
    })
    .await;
    let mut declined = order("p-1", 1);
    declined["payment_token"] = json!("tok_declined");
    for (body, expected) in [(declined, "card_declined"), (order("p-1", 100), "insufficient_stock")] {
        let order_id = system.place(&body).await;
        let order = system.settled(&order_id).await;
        assert!(order["reason"].as_str().is_some_and(|reason| reason.starts_with(expected)), "{order}");
    }
    twice(&system).await;
    for consumer in CONSUMERS {
        let message = Outgoing { body: "not json".to_owned(), ..Outgoing::default() };
        system.cloud().sqs().send(&format!("onceward-{consumer}"), message).expect("SQS takes it");
        let letters = system.dead_letters(consumer).await;
        assert_eq!(letters.len(), 1, "{consumer}: {letters:#?}");
    }
    system.drained().await;

    let iam = system.cloud().iam();
    assert_eq!(iam.denials(), []);
    let (exceptions, unused): (Vec<_>, Vec<_>) = iam.unused().into_iter().partition(is_exception);
    assert!(unused.is_empty(), "allowed and never used: {unused:#?}");
    for (why, action, _) in EXCEPTIONS {
        assert!(exceptions.iter().any(|unused| unused.action.starts_with(action)), "no exception any more: {why}");
    }
}

/// The same order twice, and each of its events to each of its queues again.
async fn twice(system: &System) {
    let body = order("p-1", 1).to_string();
    let first = system.post(body.clone(), Some("k")).await;
    assert_eq!(first.1, system.post(body, Some("k")).await.1);
    system.settled(first.1["order_id"].as_str().expect("an id")).await;
    system.drained().await;
    // Byte by byte, as a queue delivers again: an event that is written anew is another payload.
    let rows = system.rows("onceward-ledger").await;
    let events = rows.iter().filter_map(|row| row["events"]["L"].as_array()).flatten();
    for text in events.filter_map(|event| event["S"].as_str()) {
        let event: Value = serde_json::from_str(text).expect("an envelope");
        let rules = system.cloud().stack().rules.iter();
        for rule in rules.filter(|rule| rule.pattern["detail-type"][0] == event["type"]) {
            let body = format!(r#"{{"version":"0","detail-type":{},"detail":{text}}}"#, event["type"]);
            system.cloud().sqs().send(&rule.name, Outgoing { body, ..Outgoing::default() }).expect("sent");
        }
    }
    system.drained().await;
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
