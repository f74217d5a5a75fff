use onceward::{AttributeValue, Item, Key, LedgerKey};

use super::{
    SIMPLE_TABLE, TABLE, cases,
    trial::{Trial, completed, item, number},
};

cases![
    find_answers_existing_keys_only,
    find_takes_a_key_twice,
    find_takes_more_than_a_hundred_keys,
    find_of_nothing_is_nothing,
    a_key_may_hold_any_text,
    load_of_a_missing_row_is_nothing,
    a_query_answers_a_prefix_in_order,
    a_query_stops_at_its_limit,
    a_query_stays_in_its_partition,
];

async fn find_answers_existing_keys_only(trial: Trial) {
    let commit = trial.commit("there", []);
    trial.send(&commit).await.unwrap();
    let found = trial.ledger().find(&[trial.key("missing"), trial.key("there")]).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(trial.key("there"), completed(&commit))]);
}

async fn find_takes_a_key_twice(trial: Trial) {
    let commit = trial.commit("there", []);
    trial.send(&commit).await.unwrap();
    let keys = ["there", "missing", "there", "missing"].map(|name| trial.key(name));
    let found = trial.ledger().find(&keys).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(trial.key("there"), completed(&commit))]);
}

async fn find_takes_more_than_a_hundred_keys(trial: Trial) {
    let there = ["0", "99", "100", "229"];
    for name in there {
        trial.send(&trial.commit(name, [])).await.unwrap();
    }
    let keys: Vec<_> = (0..230).map(|index| trial.key(&index.to_string())).collect();
    let mut found: Vec<_> = trial.ledger().find(&keys).await.unwrap().into_keys().collect();
    let mut expected = there.map(|name| trial.key(name));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

async fn find_of_nothing_is_nothing(trial: Trial) {
    assert!(trial.ledger().find(&[]).await.unwrap().is_empty());
}

async fn a_key_may_hold_any_text(trial: Trial) {
    for text in ["a#b#c", "a b", "äöü €", "{\"json\": true}", "'; --"] {
        let mut commit = trial.commit(text, []);
        commit.answer = Some(format!("\"{}\"", text.escape_default()));
        trial.send(&commit).await.unwrap();
        assert_eq!(trial.record(text).await, Some(completed(&commit)), "{text}");
    }
    let other = LedgerKey { function: "other".to_owned(), ..trial.key("a b") };
    assert!(trial.ledger().find(&[other]).await.unwrap().is_empty(), "another function's key is another key");
}

async fn load_of_a_missing_row_is_nothing(trial: Trial) {
    trial.given(&trial.row("1"), item([])).await;
    assert_eq!(trial.load(&trial.row("2")).await, None);
    assert_eq!(trial.ledger().load(SIMPLE_TABLE, &trial.simple_row("1")).await.unwrap(), None);
}

/// The sort keys of what a query answers.
async fn query(trial: &Trial, prefix: &Key, limit: usize) -> Vec<String> {
    let items = trial.ledger().query(TABLE, prefix, limit).await.unwrap();
    let sort_key = |mut item: Item| match item.remove("sk") {
        Some(AttributeValue::S(text)) => text,
        other => panic!("a sort key is a text, not {other:?}"),
    };
    items.into_iter().map(sort_key).collect()
}

async fn a_query_answers_a_prefix_in_order(trial: Trial) {
    for name in ["b#2", "a#1", "b#10", "b#1", "b", "c#1", "B#1", "b$", "ab#1"] {
        trial.given(&trial.row(name), item([("n", number(1))])).await;
    }
    assert_eq!(query(&trial, &trial.row("b#"), 100).await, ["b#1", "b#10", "b#2"]);
    assert_eq!(query(&trial, &trial.row("b"), 100).await, ["b", "b#1", "b#10", "b#2", "b$"]);
    assert!(query(&trial, &trial.row("d"), 100).await.is_empty());
    let all = Key { sort: None, ..trial.row("") };
    assert_eq!(query(&trial, &all, 100).await, ["B#1", "a#1", "ab#1", "b", "b#1", "b#10", "b#2", "b$", "c#1"]);
}

async fn a_query_stops_at_its_limit(trial: Trial) {
    for index in 0..5 {
        trial.given(&trial.row(&format!("r{index}")), item([])).await;
    }
    assert_eq!(query(&trial, &trial.row("r"), 2).await, ["r0", "r1"]);
    assert_eq!(query(&trial, &trial.row("r"), 5).await.len(), 5);
    assert_eq!(query(&trial, &trial.row("r"), 6).await.len(), 5);
}

async fn a_query_stays_in_its_partition(trial: Trial) {
    let mut other = trial.row("r1");
    other.partition.1.push_str("-other");
    trial.given(&other, item([])).await;
    trial.given(&trial.row("r2"), item([])).await;
    assert_eq!(query(&trial, &trial.row("r"), 100).await, ["r2"]);
    assert_eq!(query(&trial, &other, 100).await, ["r1"]);
}
