use std::{collections::BTreeMap, path::Path};

use super::account;
use crate::template::{Build, Stack, Trigger, load};

fn repository(parameters: &[(&str, &str)]) -> Stack {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let parameters: BTreeMap<_, _> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(&path, &parameters, &account()).unwrap_or_else(|error| panic!("{error}"))
}

/// `function <- what invokes it`, one line each.
fn triggers(stack: &Stack) -> Vec<String> {
    let trigger = |trigger: &Trigger| match trigger {
        Trigger::Sqs { queue_arn, .. } => {
            let rules = stack.rules.iter().filter(|rule| rule.targets.iter().any(|target| target.arn == *queue_arn));
            let types = rules.flat_map(|rule| rule.pattern["detail-type"].as_array().unwrap());
            types.map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(" ")
        }
        Trigger::Stream { table, .. } => format!("stream of {table}"),
        Trigger::Topic(subscription) => subscription.topic_arn.clone(),
        Trigger::Http { method, path } => format!("{method} {path}"),
    };
    let function = |function: &crate::template::Function| {
        let triggers: Vec<_> = function.triggers.iter().map(trigger).collect();
        format!("{} <- {}", function.name.trim_start_matches("onceward-"), triggers.join(", "))
    };
    stack.functions.iter().map(function).collect()
}

#[test]
fn the_order_system_loads_with_its_thirteen_functions() {
    let tracked = "stock.reserved.v1 stock.rejected.v1 stock.released.v1 payment.authorized.v1 payment.declined.v1 \
         shipment.scheduled.v1 confirmation.sent.v1";
    assert_eq!(
        triggers(&repository(&[])),
        [
            "place-order <- POST /orders",
            "get-order <- GET /orders/{id}",
            "confirm-order <- shipment.scheduled.v1",
            "cancel-order <- stock.rejected.v1 stock.released.v1",
            &format!("track-order <- {tracked}"),
            "get-stock <- GET /stock/{product_id}",
            "receive-stock <- goods.received.v1",
            "reserve-stock <- order.placed.v1",
            "release-stock <- payment.declined.v1",
            "authorize-payment <- stock.reserved.v1",
            "schedule-shipment <- payment.authorized.v1",
            "send-confirmation <- order.confirmed.v1",
            "outbox-relay <- stream of onceward-ledger",
        ]
    );
}

#[test]
fn every_consumer_is_wired_alike() {
    let stack = repository(&[]);
    assert_eq!(stack.rules.len(), 9);
    for rule in &stack.rules {
        let [target] = rule.targets.as_slice() else { panic!("{rule:?}") };
        let queue = stack.queues.iter().find(|queue| target.arn.ends_with(&format!(":{}", queue.name))).unwrap();
        let policy: serde_json::Value = serde_json::from_str(&queue.attributes["RedrivePolicy"]).unwrap();
        let dead_letters = format!("{}-dlq", target.arn);
        assert_eq!(policy["deadLetterTargetArn"], dead_letters.as_str(), "{}", queue.name);
        assert_eq!(policy["maxReceiveCount"], 5, "{}", queue.name);
        assert_eq!(target.dead_letter_arn.as_ref(), Some(&dead_letters), "{}", rule.name);
        let function = stack.functions.iter().find(|function| function.name == queue.name).unwrap();
        let url = format!("http://127.0.0.1:4566/000000000000/{}", queue.name);
        assert_eq!(function.environment["DEAD_LETTER_QUEUE_URL"], format!("{url}-dlq"));
        assert_eq!(function.environment["LEDGER_TABLE"], "onceward-ledger");
    }
}

#[test]
fn every_function_names_its_binary() {
    for function in repository(&[]).functions {
        let binary = function.name.trim_start_matches("onceward-").to_owned();
        assert_eq!(function.build, Build::CargoLambda { binary });
    }
}

/// On AWS the functions know where AWS is; an emulator may have to be named to them.
#[test]
fn functions_are_told_an_endpoint_only_by_parameter() {
    let endpoints = |stack: Stack| -> Vec<_> {
        stack.functions.into_iter().filter_map(|mut function| function.environment.remove("AWS_ENDPOINT_URL")).collect()
    };
    assert_eq!(endpoints(repository(&[])), [""; 0]);
    assert_eq!(endpoints(repository(&[("AwsEndpointUrl", "http://127.0.0.1:4566")])), ["http://127.0.0.1:4566"; 13]);
}

#[test]
fn dev_adds_the_inbox_by_parameter() {
    let stack = repository(&[]);
    assert_eq!(stack.subscriptions, []);
    let added = stack.metadata["Onceward"]["Dev"]["Parameters"].as_object().unwrap().clone();
    let added: Vec<_> = added.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let dev = repository(&added);
    assert_eq!(dev.subscriptions.len(), 1);
    assert!(dev.queues.iter().any(|queue| queue.name == "onceward-confirmation-inbox"));
    assert_eq!(dev.queues.len(), stack.queues.len() + 1);
}
