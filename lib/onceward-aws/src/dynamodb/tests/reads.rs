use onceward::{Ledger as _, LedgerKey, LedgerRecord, Store as _};
use serde_json::{Value, json};

use super::{super::ledger::UNPROCESSED_TRIES_MAX, *};
use crate::{
    clients::CALL_TRIES_MAX,
    scripted::{Answer, chain},
};

fn record(key: &LedgerKey) -> Value {
    let text = |text: &str| json!({"S": text});
    json!({
        "pk": {"S": key.to_string()}, "status": text("completed"), "commit_id": text("c"), "fingerprint": text("f"),
        "committed_at": text("2026-01-01T00:00:00.000Z"),
    })
}

fn keys(names: impl IntoIterator<Item = u32>) -> Vec<LedgerKey> {
    names.into_iter().map(|name| key(&format!("{name:03}"))).collect()
}

/// An answer with the records of `found`, that leaves `left` for another call.
fn answer(found: &[LedgerKey], left: &[LedgerKey]) -> Answer {
    let found: Vec<_> = found.iter().map(record).collect();
    let left: Vec<_> = left.iter().map(|key| json!({"pk": {"S": key.to_string()}})).collect();
    let unprocessed = if left.is_empty() { json!({}) } else { json!({LEDGER: {"Keys": left}}) };
    Answer::ok(json!({"Responses": {LEDGER: found}, "UnprocessedKeys": unprocessed}))
}

/// How many keys each call asked for.
fn asked(server: &Scripted) -> Vec<usize> {
    let requests = server.requests("BatchGetItem");
    let keys = requests.iter().map(|request| request["RequestItems"][LEDGER]["Keys"].as_array().map_or(0, Vec::len));
    keys.collect()
}

#[tokio::test]
async fn keys_that_were_left_out_are_asked_for_again() {
    let (server, ledger) = start().await;
    let wanted = keys(0..5);
    server.answer(
        "BatchGetItem",
        [answer(&wanted[..2], &wanted[2..]), answer(&[], &wanted[2..]), answer(&wanted[2..3], &wanted[3..])],
    );
    server.answer("BatchGetItem", [answer(&wanted[3..4], &[])]);
    let found = ledger.find(&wanted).await.unwrap();
    assert_eq!(found.len(), 4, "the last one is absent");
    assert!(wanted[..4].iter().all(|key| matches!(found[key], LedgerRecord::Completed(_))));
    assert_eq!(asked(&server), [5, 3, 3, 2]);
}

#[tokio::test]
async fn large_records_come_a_few_at_a_time_and_each_call_counts_only_without_any() {
    let (server, ledger) = start().await;
    let wanted = keys(0..8);
    let answers: [Answer; 8] = std::array::from_fn(|index| answer(&wanted[index..=index], &wanted[index + 1..]));
    server.answer("BatchGetItem", answers);
    assert_eq!(ledger.find(&wanted).await.unwrap().len(), 8);
    assert_eq!(asked(&server), [8, 7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_table_that_leaves_everything_out_is_given_up_after_the_tries() {
    let (server, ledger) = start().await;
    let wanted = keys(0..2);
    server.answer("BatchGetItem", [answer(&wanted[..1], &wanted[1..])]);
    server.answer("BatchGetItem", [answer(&[], &wanted[1..])]);
    let error = ledger.find(&wanted).await.unwrap_err();
    assert!(error.transient);
    assert_eq!(chain(&error), "the ledger's BatchGetItem failed: 1 keys were left unprocessed 4 times in a row");
    assert_eq!(asked(&server).len(), UNPROCESSED_TRIES_MAX as usize);
}

#[tokio::test]
async fn more_keys_than_one_call_takes_are_split_and_each_is_asked_for_once() {
    let (server, ledger) = start().await;
    let (first, rest) = (keys(0..100), keys(100..250));
    server.answer("BatchGetItem", [answer(&first, &[]), answer(&rest[..100], &[]), answer(&rest[100..], &[])]);
    let wanted = keys((0..250).chain(0..250));
    assert_eq!(ledger.find(&wanted).await.unwrap().len(), 250);
    assert_eq!(asked(&server), [100, 100, 50]);
    assert!(ledger.find(&[]).await.unwrap().is_empty());
    assert_eq!(asked(&server).len(), 3, "nothing to ask for");
}

#[tokio::test]
async fn a_throttled_read_is_repeated_and_then_succeeds() {
    let (server, ledger) = start().await;
    let throttled = || Answer::error(400, "ThrottlingException", "Rate exceeded");
    let key = Key::new("order_id", "o1");
    server.answer("GetItem", [throttled(), Answer::ok(json!({"Item": {"order_id": {"S": "o1"}}}))]);
    assert!(ledger.load("orders", &key).await.unwrap().is_some());
    server.answer("Query", [throttled(), Answer::ok(json!({"Items": [{"order_id": {"S": "o1"}}]}))]);
    assert_eq!(ledger.query("orders", &key, 10).await.unwrap().len(), 1);
    server.answer("BatchGetItem", [throttled(), answer(&keys(0..1), &[])]);
    assert_eq!(ledger.find(&keys(0..1)).await.unwrap().len(), 1);
    for operation in ["GetItem", "Query", "BatchGetItem"] {
        assert_eq!(server.requests(operation).len(), 2, "{operation}");
    }
}

#[tokio::test]
async fn a_read_that_stays_throttled_fails_with_what_dynamodb_says() {
    let (server, ledger) = start().await;
    let throttled = Answer::error(400, "ProvisionedThroughputExceededException", "Too fast");
    server.answer("GetItem", [throttled.clone()]);
    server.answer("BatchGetItem", [throttled]);
    let error = ledger.load("orders", &Key::new("order_id", "o1")).await.unwrap_err();
    let said = "ProvisionedThroughputExceededException: Too fast (request REQUEST-1)";
    assert_eq!(chain(&error), format!("GetItem on table `orders` failed: {said}"));
    assert_eq!(server.requests("GetItem").len(), CALL_TRIES_MAX as usize);
    assert!(ledger.find(&keys(0..1)).await.unwrap_err().transient);
}
