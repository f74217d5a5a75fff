//! What documents say, and which are refused.

use serde_json::{Value, json};

use super::*;
use crate::account::Account;
use crate::iam::caller::Caller;
use crate::iam::context::Keys;

fn account() -> Account {
    Account::new("eu-west-1", "http://127.0.0.1:4566")
}

/// Whether a policy with this one condition speaks of a request that has these keys.
fn holds(condition: &Value, keys: &[(&'static str, &[&str])]) -> bool {
    let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition});
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap();
    let keys: Keys =
        keys.iter().map(|(key, values)| (*key, values.iter().map(|&value| value.to_owned()).collect())).collect();
    let (caller, account) = (Caller::events("arn:aws:events:eu-west-1:000000000000:rule/r"), account());
    policy.statements[0].applies("s3:getobject", "*", &Context { caller: &caller, account: &account, keys: &keys })
}

fn speaks(statement: &Value, action: &str, resource: &str) -> bool {
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
    let (caller, account) = (Caller::Developer, account());
    policy.statements[0].applies(action, resource, &Context { caller: &caller, account: &account, keys: &Keys::new() })
}

#[test]
fn actions_have_no_case_and_resources_do() {
    let statement =
        json!({"Effect": "Allow", "Action": ["SQS:send*", "s3:Get?bject"], "Resource": "arn:aws:sqs:*:*:Q"});
    assert!(speaks(&statement, "sqs:sendmessage", "arn:aws:sqs:eu-west-1:1:Q"));
    assert!(speaks(&statement, "s3:getobject", "arn:aws:sqs:eu-west-1:1:Q"));
    assert!(!speaks(&statement, "sqs:sendmessage", "arn:aws:sqs:eu-west-1:1:q"));
    assert!(!speaks(&statement, "sqs:receivemessage", "arn:aws:sqs:eu-west-1:1:Q"));
}

#[test]
fn a_wildcard_stays_in_its_part_of_the_arn() {
    let on = |resource: &str| json!({"Effect": "Allow", "Action": "*", "Resource": resource});
    let table = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders";
    assert!(speaks(&on("*"), "dynamodb:getitem", table));
    assert!(speaks(&on("arn:aws:dynamodb:*:*:table/*"), "dynamodb:getitem", table));
    assert!(speaks(&on("arn:aws:dynamodb:*"), "dynamodb:getitem", table), "parts that are left out are all");
    assert!(!speaks(&on("arn:*:table/orders"), "dynamodb:getitem", table));
    assert!(!speaks(&on("arn:aws:dynamodb:*:*:table/order"), "dynamodb:getitem", table));
    let log = "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f:log-stream:1";
    assert!(
        speaks(&on("arn:aws:logs:*:*:log-group:/aws/lambda/f:*"), "logs:putlogevents", log),
        "the last part is whole"
    );
}

#[test]
fn not_action_and_not_resource_are_all_others() {
    let statement = json!({"Effect": "Allow", "NotAction": "iam:*", "NotResource": ["arn:aws:s3:::secret/*"]});
    assert!(speaks(&statement, "s3:getobject", "arn:aws:s3:::open/a"));
    assert!(!speaks(&statement, "s3:getobject", "arn:aws:s3:::secret/a"));
    assert!(!speaks(&statement, "iam:getrole", "arn:aws:s3:::open/a"));
}

#[test]
fn string_operators() {
    let prefix =
        |operator: &str, value: &str| holds(&json!({operator: {"s3:prefix": value}}), &[("s3:prefix", &["Ab"])]);
    assert!(prefix("StringEquals", "Ab") && !prefix("StringEquals", "A*"));
    assert!(prefix("StringNotEquals", "x") && !prefix("StringNotEquals", "Ab"));
    assert!(prefix("StringLike", "A*") && prefix("StringLike", "A?") && !prefix("StringLike", "a*"));
    assert!(!prefix("StringNotLike", "A*"));
    assert!(prefix("StringEqualsIgnoreCase", "aB") && !prefix("StringNotEqualsIgnoreCase", "aB"));
    let one_of = json!({"StringEquals": {"s3:prefix": ["x", "Ab"]}});
    assert!(holds(&one_of, &[("s3:prefix", &["Ab"])]));
    assert!(!holds(&json!({"StringNotEquals": {"s3:prefix": ["x", "Ab"]}}), &[("s3:prefix", &["Ab"])]));
}

#[test]
fn an_absent_key_fails_a_test_unless_it_is_negated_or_may_be_absent() {
    for (operator, expected) in [
        ("StringEquals", false),
        ("StringNotEquals", true),
        ("StringEqualsIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ArnLike", false),
        ("ArnNotLike", true),
        ("NumericEquals", false),
    ] {
        assert_eq!(holds(&json!({operator: {"s3:max-keys": "1"}}), &[]), expected, "{operator}");
    }
    assert!(holds(&json!({"Null": {"s3:prefix": "true"}}), &[]));
    assert!(!holds(&json!({"Null": {"s3:prefix": "true"}}), &[("s3:prefix", &["a"])]));
    assert!(holds(&json!({"Null": {"s3:prefix": false}}), &[("s3:prefix", &["a"])]));
}

#[test]
fn sets_of_values_are_tested_whole_or_in_part() {
    let keys: &[(&str, &[&str])] = &[("dynamodb:leadingkeys", &["own#1", "other#1"])];
    let test = |operator: &str| holds(&json!({operator: {"dynamodb:LeadingKeys": ["own#*"]}}), keys);
    assert!(!test("ForAllValues:StringLike"));
    assert!(test("ForAnyValue:StringLike"));
    assert!(!test("ForAllValues:StringNotLike"));
    assert!(test("ForAnyValue:StringNotLike"));
}

#[test]
fn numbers_dates_booleans_and_addresses() {
    let keys: &[(&str, &[&str])] =
        &[("s3:max-keys", &["10"]), ("aws:currenttime", &["2026-05-01T12:00:00Z"]), ("aws:sourceip", &["10.1.2.3"])];
    for (condition, expected) in [
        (json!({"NumericLessThanEquals": {"s3:max-keys": 10}}), true),
        (json!({"NumericGreaterThan": {"s3:max-keys": "10"}}), false),
        (json!({"NumericNotEquals": {"s3:max-keys": "9"}}), true),
        (json!({"DateGreaterThan": {"aws:CurrentTime": "2026-05-01T00:00:00Z"}}), true),
        (json!({"DateLessThan": {"aws:CurrentTime": "2026-05-01"}}), false),
        (json!({"DateLessThan": {"aws:CurrentTime": "1777680000"}}), true),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
        (json!({"Bool": {"aws:SecureTransport": false}}), false),
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), true),
        (json!({"NotIpAddress": {"aws:SourceIp": ["10.1.2.3/32"]}}), false),
        (json!({"IpAddress": {"aws:SourceIp": "10.1.2.4"}}), false),
        (json!({"IpAddress": {"aws:SourceIp": "::/0"}}), false),
    ] {
        assert_eq!(holds(&condition, keys), expected, "{condition}");
    }
}

#[test]
fn all_conditions_must_hold() {
    let both = json!({"StringEquals": {"s3:prefix": "a", "s3:delimiter": "/"}});
    assert!(holds(&both, &[("s3:prefix", &["a"]), ("s3:delimiter", &["/"])]));
    assert!(!holds(&both, &[("s3:prefix", &["a"])]));
    let key_names_have_no_case = json!({"ArnEquals": {"AWS:sourcearn": "arn:aws:events:*:*:rule/*"}});
    assert!(holds(&key_names_have_no_case, &[]));
}

#[test]
fn variables_take_the_requests_values() {
    let rule = json!({"StringEquals": {"s3:prefix": "${aws:SourceArn}"}});
    assert!(holds(&rule, &[("s3:prefix", &["arn:aws:events:eu-west-1:000000000000:rule/r"])]));
    assert!(!holds(&json!({"StringLike": {"s3:prefix": "${aws:username}*"}}), &[("s3:prefix", &["x"])]), "no value");
    assert!(holds(&json!({"StringLike": {"s3:prefix": "${aws:username, 'x'}*"}}), &[("s3:prefix", &["xy"])]));
    assert!(holds(&json!({"StringLike": {"s3:prefix": "a${*}"}}), &[("s3:prefix", &["a*"])]));
    assert!(!holds(&json!({"StringLike": {"s3:prefix": "a${*}"}}), &[("s3:prefix", &["ab"])]));
    // Before 2012 there were none.
    let old = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}"}});
    assert!(Policy::parse(&old).is_ok());
}

#[test]
fn what_is_not_evaluated_is_refused_by_name() {
    let refused = |statement: Value| {
        Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap_err().to_string()
    };
    let with = |condition: Value| json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    let cases = [
        (with(json!({"StringMatches": {"s3:prefix": "a"}})), "the condition operator `StringMatches` is not supported"),
        (with(json!({"BinaryEquals": {"s3:prefix": "a"}})), "`BinaryEquals`"),
        (with(json!({"ForEach:StringLike": {"s3:prefix": "a"}})), "`ForEach:StringLike`"),
        (with(json!({"NullIfExists": {"s3:prefix": "true"}})), "`NullIfExists`"),
        (with(json!({"StringEquals": {"aws:RequestTag/team": "a"}})), "key `aws:RequestTag/team` is not evaluated"),
        (with(json!({"NumericEquals": {"s3:max-keys": "ten"}})), "`ten` is not a value"),
        (json!({"Effect": "Allow", "Action": "*", "Resource": "${aws:PrincipalTag/team}"}), "policy variable"),
        (json!({"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": "*"}), "element `NotPrincipal`"),
        (json!({"Effect": "Allow", "Principal": {"Federated": "x"}, "Action": "*"}), "kind `Federated`"),
        (json!({"Effect": "Maybe", "Action": "*", "Resource": "*"}), "policy's Effect"),
        (json!({"Effect": "Allow", "Resource": "*"}), "policy's Action"),
        (json!({"Effect": "Allow", "Action": [], "Resource": "*"}), "policy's Action"),
    ];
    for (statement, expected) in cases {
        let message = refused(statement);
        assert!(message.contains(expected), "{message}");
    }
    let version = Policy::parse(&json!({"Version": "2020-01-01", "Statement": []})).unwrap_err();
    assert_eq!(version, PolicyError::Shape { element: "Version" });
}
