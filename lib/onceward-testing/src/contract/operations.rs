use onceward::{AttributeValue, Change, CommitOutcome, Key, Operation, absent, all};

use super::{
    cases,
    trial::{Trial, act, item, number, text},
};

cases![
    a_put_replaces_the_whole_row,
    numbers_come_back_in_their_shortest_form,
    numbers_of_any_form_can_be_added_to,
    an_update_keeps_other_attributes,
    an_update_of_an_absent_row_creates_it_with_its_key,
    an_update_of_the_wrong_type_is_an_error_and_writes_nothing,
    a_delete_removes_the_row_or_nothing,
    a_check_writes_nothing,
    one_commit_takes_every_operation,
];

async fn apply(trial: &Trial, key: &Key, operation: Operation) {
    let outcome = trial.write([act(key, operation, all([]))]).await;
    assert_eq!(outcome, CommitOutcome::Committed);
}

fn list<const N: usize>(values: [&str; N]) -> AttributeValue {
    AttributeValue::L(values.into_iter().map(text).collect())
}

/// One change of each kind; [`Update::subtract`](onceward::Update::subtract) adds a negative number.
fn changes() -> Operation {
    Operation::Update(vec![
        Change::Set("s".to_owned(), text("new")),
        Change::Add("n".to_owned(), 5),
        Change::Add("m".to_owned(), -2),
        Change::Append("l".to_owned(), text("last")),
    ])
}

async fn a_put_replaces_the_whole_row(trial: Trial) {
    for row in [trial.row("1"), trial.simple_row("1")] {
        apply(&trial, &row, Operation::Put(item([("a", number(1)), ("b", number(2))]))).await;
        trial.assert_row(&row, item([("a", number(1)), ("b", number(2))])).await;
        apply(&trial, &row, Operation::Put(item([("b", number(3))]))).await;
        trial.assert_row(&row, item([("b", number(3))])).await;
    }
}

fn written(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

async fn numbers_come_back_in_their_shortest_form(trial: Trial) {
    let row = trial.row("1");
    let list = |one, two| AttributeValue::L(vec![written(one), written(two)]);
    apply(&trial, &row, Operation::Put(item([("n", written("01.50")), ("l", list("1e3", "-0.0010"))]))).await;
    trial.assert_row(&row, item([("n", written("1.5")), ("l", list("1000", "-0.001"))])).await;
    let changes = vec![Change::Set("n".to_owned(), written("2.0")), Change::Append("l".to_owned(), written("3e0"))];
    apply(&trial, &row, Operation::Update(changes)).await;
    let list = AttributeValue::L(["1000", "-0.001", "3"].map(written).to_vec());
    trial.assert_row(&row, item([("n", written("2")), ("l", list)])).await;
}

async fn numbers_of_any_form_can_be_added_to(trial: Trial) {
    let row = trial.row("1");
    let large = "12345678901234567890123456789";
    trial.given(&row, item([("half", written("0.5")), ("exponent", written("1e2")), ("large", written(large))])).await;
    let add = |attribute: &str, amount| Change::Add(attribute.to_owned(), amount);
    apply(&trial, &row, Operation::Update(vec![add("half", -1), add("exponent", 1), add("large", 1)])).await;
    let large = written("12345678901234567890123456790");
    trial.assert_row(&row, item([("half", written("-0.5")), ("exponent", number(101)), ("large", large)])).await;
}

async fn an_update_keeps_other_attributes(trial: Trial) {
    let row = trial.row("1");
    let before = [("s", text("old")), ("n", number(1)), ("m", number(1)), ("l", list(["first"])), ("kept", number(9))];
    trial.given(&row, item(before)).await;
    apply(&trial, &row, changes()).await;
    let last = list(["first", "last"]);
    let after = [("s", text("new")), ("n", number(6)), ("m", number(-1)), ("l", last), ("kept", number(9))];
    trial.assert_row(&row, item(after)).await;
}

async fn an_update_of_an_absent_row_creates_it_with_its_key(trial: Trial) {
    for row in [trial.row("1"), trial.simple_row("1")] {
        apply(&trial, &row, changes()).await;
        let after = [("s", text("new")), ("n", number(5)), ("m", number(-2)), ("l", list(["last"]))];
        trial.assert_row(&row, item(after)).await;
    }
}

async fn an_update_of_the_wrong_type_is_an_error_and_writes_nothing(trial: Trial) {
    let (row, other) = (trial.row("1"), trial.row("2"));
    trial.given(&row, item([("s", text("x"))])).await;
    for change in [Change::Add("s".to_owned(), 1), Change::Append("s".to_owned(), number(1))] {
        let put = act(&other, Operation::Put(item([])), absent());
        let commit = trial.commit("k", [put, act(&row, Operation::Update(vec![change]), all([]))]);
        let error = trial.send(&commit).await.expect_err("a text is no number and no list");
        assert!(!error.transient, "{error:?}");
        assert_eq!((trial.record("k").await, trial.load(&other).await), (None, None));
        trial.assert_row(&row, item([("s", text("x"))])).await;
    }
}

async fn a_delete_removes_the_row_or_nothing(trial: Trial) {
    let row = trial.row("1");
    trial.given(&row, item([])).await;
    trial.given(&trial.row("2"), item([])).await;
    apply(&trial, &row, Operation::Delete).await;
    assert_eq!(trial.load(&row).await, None);
    apply(&trial, &row, Operation::Delete).await;
    trial.assert_row(&trial.row("2"), item([])).await;
}

async fn a_check_writes_nothing(trial: Trial) {
    let row = trial.row("1");
    apply(&trial, &row, Operation::Check).await;
    let outcome = trial.write([act(&row, Operation::Check, absent())]).await;
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!(trial.load(&row).await, None);
}

async fn one_commit_takes_every_operation(trial: Trial) {
    let [put, updated, deleted, checked] = ["put", "updated", "deleted", "checked"].map(|name| trial.row(name));
    let simple = trial.simple_row("put");
    trial.given(&deleted, item([])).await;
    let outcome = trial
        .write([
            act(&checked, Operation::Check, all([])),
            act(&checked.clone().sort("sk", "also"), Operation::Check, absent()),
            act(&put, Operation::Put(item([("n", number(1))])), absent()),
            act(&updated, Operation::Update(vec![Change::Add("n".to_owned(), 2)]), all([])),
            act(&deleted, Operation::Delete, all([])),
            act(&simple, Operation::Put(item([("n", number(3))])), absent()),
        ])
        .await;
    assert_eq!(outcome, CommitOutcome::Committed);
    trial.assert_row(&put, item([("n", number(1))])).await;
    trial.assert_row(&updated, item([("n", number(2))])).await;
    trial.assert_row(&simple, item([("n", number(3))])).await;
    assert_eq!((trial.load(&deleted).await, trial.load(&checked).await), (None, None));
}
