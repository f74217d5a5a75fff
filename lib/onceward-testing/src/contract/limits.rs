use onceward::{
    AttributeValue, CommitOutcome, Condition, ITEM_BYTES_MAX, Key, Operation, PARTITION_KEY_BYTES_MAX,
    SORT_KEY_BYTES_MAX, absent,
};

use super::{
    cases,
    trial::{Trial, act, completed, item, text},
};

cases![
    a_row_may_have_as_many_bytes_as_an_item,
    keys_may_be_as_long_as_dynamodb_takes_them,
    a_record_may_have_as_many_bytes_as_an_item,
    a_number_may_have_38_digits,
    values_may_be_32_levels_deep,
];

/// Puts the row, and reads it again as it was put.
async fn assert_kept(trial: &Trial, key: &Key, name: &str, value: AttributeValue) {
    trial.given(key, item([(name, value.clone())])).await;
    trial.assert_row(key, item([(name, value)])).await;
}

async fn a_row_may_have_as_many_bytes_as_an_item(trial: Trial) {
    let row = trial.row("1");
    let key_bytes: usize = row.attributes().map(|(name, value)| name.len() + value.len()).sum();
    assert_kept(&trial, &row, "s", text(&"x".repeat(ITEM_BYTES_MAX - key_bytes - "s".len()))).await;
}

async fn keys_may_be_as_long_as_dynamodb_takes_them(trial: Trial) {
    let mut row = trial.row(&"s".repeat(SORT_KEY_BYTES_MAX));
    let missing = PARTITION_KEY_BYTES_MAX - row.partition.1.len();
    row.partition.1.push_str(&"p".repeat(missing));
    assert_kept(&trial, &row, "s", text("x")).await;
}

/// The record counts no more than the core counts for it, so that the core refuses early enough.
async fn a_record_may_have_as_many_bytes_as_an_item(trial: Trial) {
    let mut commit = trial.commit("k", [act(&trial.row("1"), Operation::Put(item([])), absent())]);
    let missing = ITEM_BYTES_MAX - commit.record_bytes();
    commit.answer = commit.answer.map(|answer| answer + &" ".repeat(missing));
    assert_eq!(commit.record_bytes(), ITEM_BYTES_MAX);
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
}

async fn a_number_may_have_38_digits(trial: Trial) {
    let (row, digits) = (trial.row("1"), "12345678901234567890123456789012345678");
    let (whole, fraction) = digits.split_at(19);
    for number in [digits.to_owned(), format!("-{digits}"), format!("0.{digits}"), format!("{whole}.{fraction}")] {
        assert_kept(&trial, &row, "n", AttributeValue::N(number)).await;
    }
}

async fn values_may_be_32_levels_deep(trial: Trial) {
    let deep = (1..32).fold(text("x"), |value, _| AttributeValue::L(vec![value]));
    let row = trial.row("1");
    assert_kept(&trial, &row, "l", deep.clone()).await;
    let same = Condition::Equals("l".to_owned(), deep);
    assert_eq!(trial.write([act(&row, Operation::Check, same)]).await, CommitOutcome::Committed);
}
