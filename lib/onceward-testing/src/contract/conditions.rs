use onceward::{
    AttributeValue, Change, CommitOutcome, Condition, Key, Operation, absent, all, at_least, equals, present, version,
};

use super::{
    cases,
    trial::{Trial, act, item, number, text},
};

cases![
    absent_holds_only_without_the_row,
    present_holds_only_with_the_row,
    equals_compares_type_and_value,
    equals_compares_numbers_by_value_at_any_depth,
    equals_compares_sets_without_their_order,
    at_least_compares_numbers_only,
    at_least_compares_every_form_of_a_number,
    version_compares_the_version,
    all_needs_each_condition,
    attributes_may_have_reserved_names,
    conditions_guard_every_operation,
    a_failed_condition_tells_whether_there_is_the_row,
];

/// Whether the condition holds for the row, which must not change by it.
async fn holds(trial: &Trial, row: &Key, condition: Condition) -> bool {
    let before = trial.load(row).await;
    let check = act(row, Operation::Check, condition);
    let failed = check.failed(before.is_some());
    let outcome = trial.write([check]).await;
    assert_eq!(trial.load(row).await, before);
    match outcome {
        CommitOutcome::Committed => true,
        CommitOutcome::ConditionFailed { rows } => {
            assert_eq!(rows, [failed]);
            false
        }
        other => panic!("a check is held or failed, not {other:?}"),
    }
}

async fn assert_holds<const N: usize>(trial: &Trial, row: &Key, conditions: [(Condition, bool); N]) {
    for (condition, expected) in conditions {
        assert_eq!(holds(trial, row, condition.clone()).await, expected, "{condition:?}");
    }
}

async fn absent_holds_only_without_the_row(trial: Trial) {
    let (here, gone) = (trial.row("here"), trial.row("gone"));
    trial.given(&here, item([])).await;
    assert!(!holds(&trial, &here, absent()).await);
    assert!(holds(&trial, &gone, absent()).await);
    assert!(holds(&trial, &trial.simple_row("gone"), absent()).await);
}

async fn present_holds_only_with_the_row(trial: Trial) {
    let (here, gone) = (trial.row("here"), trial.row("gone"));
    trial.given(&here, item([])).await;
    assert!(holds(&trial, &here, present()).await);
    assert!(!holds(&trial, &gone, present()).await);
    assert!(!holds(&trial, &trial.simple_row("gone"), present()).await);
}

async fn equals_compares_type_and_value(trial: Trial) {
    let row = trial.row("1");
    let list = AttributeValue::L(vec![number(1), text("x")]);
    let attributes = [("s", text("1")), ("n", number(1)), ("b", AttributeValue::Bool(true)), ("l", list)];
    trial.given(&row, item(attributes)).await;
    let conditions = [
        (equals("s", "1"), true),
        (equals("s", "2"), false),
        (equals("s", 1), false),
        (equals("n", 1), true),
        (equals("n", -1), false),
        (equals("n", "1"), false),
        (equals("b", true), true),
        (equals("b", false), false),
        (equals("l", (1, "x")), true),
        (equals("l", ("x", 1)), false),
        (equals("missing", "1"), false),
    ];
    assert_holds(&trial, &row, conditions).await;
    assert!(!holds(&trial, &trial.row("gone"), equals("s", "1")).await);
}

/// Three ways to write one number, and two numbers that lie close by.
const ONE: [&str; 3] = ["1", "1.0", "1e0"];
const NOT_ONE: [&str; 2] = ["1.0000000000000000000000000000000000001", "-1"];

fn written(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

fn in_list_and_map(value: AttributeValue) -> AttributeValue {
    let map = item([("n", value), ("s", text("x"))]);
    AttributeValue::L(vec![AttributeValue::M(map), text("y")])
}

async fn equals_compares_numbers_by_value_at_any_depth(trial: Trial) {
    for (index, stored) in ONE.into_iter().enumerate() {
        let row = trial.row(&index.to_string());
        let attributes = [("n", written(stored)), ("deep", in_list_and_map(written(stored)))];
        trial.given(&row, item(attributes)).await;
        for (compared, expected) in ONE.map(|one| (one, true)).into_iter().chain(NOT_ONE.map(|other| (other, false))) {
            let deep = Condition::Equals("deep".to_owned(), in_list_and_map(written(compared)));
            let flat = Condition::Equals("n".to_owned(), written(compared));
            assert_holds(&trial, &row, [(flat, expected), (deep, expected), (equals("n", compared), false)]).await;
        }
    }
}

async fn equals_compares_sets_without_their_order(trial: Trial) {
    let numbers = |members: &[&str]| AttributeValue::Ns(members.iter().map(ToString::to_string).collect());
    let texts = |members: &[&str]| AttributeValue::Ss(members.iter().map(ToString::to_string).collect());
    let binaries =
        |members: &[&str]| AttributeValue::Bs(members.iter().map(|member| member.as_bytes().into()).collect());
    let row = trial.row("1");
    let sets = [("ns", numbers(&["10", "9.50", "-1"])), ("ss", texts(&["b", "a"])), ("bs", binaries(&["b", "a"]))];
    let nested = ("deep", AttributeValue::L(vec![numbers(&["2", "1"])]));
    let [ns, ss, bs] = sets;
    trial.given(&row, item([ns, ss, bs, nested])).await;
    let same = |attribute: &str, value| Condition::Equals(attribute.to_owned(), value);
    let conditions = [
        (same("ns", numbers(&["-1.0", "1e1", "9.5"])), true),
        (same("ns", numbers(&["-1", "10"])), false),
        (same("ns", numbers(&["-1", "10", "9"])), false),
        (same("ss", texts(&["a", "b"])), true),
        (same("ss", texts(&["a", "c"])), false),
        (same("bs", binaries(&["a", "b"])), true),
        (same("bs", texts(&["a", "b"])), false),
        (same("deep", AttributeValue::L(vec![numbers(&["1", "2"])])), true),
        (same("deep", AttributeValue::L(vec![numbers(&["1", "3"])])), false),
    ];
    assert_holds(&trial, &row, conditions).await;
}

async fn at_least_compares_every_form_of_a_number(trial: Trial) {
    let row = trial.row("1");
    let large = written("12345678901234567890");
    trial.given(&row, item([("half", written("1.5")), ("exponent", written("2e2")), ("large", large)])).await;
    let conditions = [
        (at_least("half", 1), true),
        (at_least("half", 2), false),
        (at_least("exponent", 200), true),
        (at_least("exponent", 201), false),
        (at_least("large", i64::MAX), true),
    ];
    assert_holds(&trial, &row, conditions).await;
}

async fn at_least_compares_numbers_only(trial: Trial) {
    let row = trial.row("1");
    trial.given(&row, item([("n", number(10)), ("minus", number(-3)), ("s", text("10"))])).await;
    let conditions = [
        (at_least("n", 9), true),
        (at_least("n", 10), true),
        (at_least("n", 11), false),
        (at_least("n", 100), false),
        (at_least("n", -1), true),
        (at_least("minus", -3), true),
        (at_least("minus", -2), false),
        (at_least("s", 1), false),
        (at_least("missing", 0), false),
        (at_least("missing", i64::MIN), false),
    ];
    assert_holds(&trial, &row, conditions).await;
    assert!(!holds(&trial, &trial.row("gone"), at_least("n", 0)).await);
}

async fn version_compares_the_version(trial: Trial) {
    let row = trial.row("1");
    trial.given(&row, item([("version", number(7))])).await;
    assert_holds(&trial, &row, [(version(7), true), (version(6), false), (version(8), false)]).await;
    assert!(!holds(&trial, &trial.row("gone"), version(0)).await);
}

async fn all_needs_each_condition(trial: Trial) {
    let row = trial.row("1");
    trial.given(&row, item([("n", number(5)), ("s", text("x"))])).await;
    let conditions = [
        (all([]), true),
        (all([present()]), true),
        (all([present(), all([])]), true),
        (all([at_least("n", 5), equals("s", "x")]), true),
        (all([at_least("n", 6), equals("s", "x")]), false),
        (all([at_least("n", 5), equals("s", "y")]), false),
        (present().and(at_least("n", 1)).and(at_least("n", 5)), true),
        (present().and(at_least("n", 1)).and(at_least("n", 6)), false),
        (all([present(), all([equals("s", "x"), absent()])]), false),
    ];
    assert_holds(&trial, &row, conditions).await;
    assert!(holds(&trial, &trial.row("gone"), all([])).await);
    assert!(holds(&trial, &trial.row("gone"), all([absent(), all([])])).await);
}

async fn attributes_may_have_reserved_names(trial: Trial) {
    let row = trial.row("1");
    trial.given(&row, item([("status", text("placed")), ("size", number(1)), ("a.b", number(1))])).await;
    let changes = vec![
        Change::Set("status".to_owned(), text("confirmed")),
        Change::Add("size".to_owned(), 1),
        Change::Append("values".to_owned(), text("x")),
        Change::Set("a.b".to_owned(), number(2)),
    ];
    let condition = all([equals("status", "placed"), at_least("size", 1), equals("a.b", 1)]);
    let outcome = trial.write([act(&row, Operation::Update(changes), condition)]).await;
    assert_eq!(outcome, CommitOutcome::Committed);
    let values = AttributeValue::L(vec![text("x")]);
    let expected = [("status", text("confirmed")), ("size", number(2)), ("values", values), ("a.b", number(2))];
    trial.assert_row(&row, item(expected)).await;
}

async fn conditions_guard_every_operation(trial: Trial) {
    let row = trial.row("1");
    trial.given(&row, item([("n", number(1))])).await;
    let update = Operation::Update(vec![Change::Add("n".to_owned(), 1)]);
    for operation in [Operation::Put(item([])), update, Operation::Delete, Operation::Check] {
        let outcome = trial.write([act(&row, operation.clone(), equals("n", 2))]).await;
        let failed = act(&row, Operation::Check, present()).failed(true);
        assert_eq!(outcome, CommitOutcome::ConditionFailed { rows: vec![failed] }, "{operation:?}");
        trial.assert_row(&row, item([("n", number(1))])).await;
    }
}

/// What tells a lost race from a condition that cannot hold.
async fn a_failed_condition_tells_whether_there_is_the_row(trial: Trial) {
    let (here, gone) = (trial.row("here"), trial.simple_row("gone"));
    trial.given(&here, item([("n", number(1))])).await;
    let update = || Operation::Update(vec![Change::Add("n".to_owned(), 1)]);
    for operation in [Operation::Put(item([])), update(), Operation::Delete, Operation::Check] {
        let actions =
            [act(&here, operation.clone(), at_least("n", 2)), act(&gone, operation.clone(), at_least("n", 2))];
        let rows = vec![actions[0].failed(true), actions[1].failed(false)];
        let outcome = trial.write(actions).await;
        assert_eq!(outcome, CommitOutcome::ConditionFailed { rows }, "{operation:?}");
    }
}
