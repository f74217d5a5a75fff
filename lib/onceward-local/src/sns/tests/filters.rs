use std::collections::BTreeMap;

use super::*;
use crate::sns::filter::{Filter, Scope};

fn attributes(typed: &[(&str, &str, &str)]) -> BTreeMap<String, MessageAttribute> {
    let attribute = |(name, data_type, value): &(&str, &str, &str)| {
        let value = AttributeValue::Text((*value).to_owned());
        ((*name).to_owned(), MessageAttribute { data_type: (*data_type).to_owned(), value })
    };
    typed.iter().map(attribute).collect()
}

/// Policy on the attribute or key `k`; type and value of an attribute; whether it passes.
/// <https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html> and its neighbours.
const BY_ATTRIBUTE: &[(&str, &str, &str, bool)] = &[
    (r#"{"k":["rugby","tennis"]}"#, "String", "rugby", true),
    (r#"{"k":["rugby","tennis"]}"#, "String", "Rugby", false),
    (r#"{"k":["rugby","tennis"]}"#, "String.Array", r#"["tennis","chess"]"#, true),
    (r#"{"k":["rugby","tennis"]}"#, "String.Array", r#"["baseball"]"#, false),
    (r#"{"k":[{"anything-but":["rugby","tennis"]}]}"#, "String", "baseball", true),
    (r#"{"k":[{"anything-but":["rugby","tennis"]}]}"#, "String", "rugby", false),
    (r#"{"k":[{"anything-but":["rugby","tennis"]}]}"#, "String.Array", r#"["rugby","baseball"]"#, true),
    (r#"{"k":[{"anything-but":["rugby","tennis"]}]}"#, "String.Array", r#"["rugby"]"#, false),
    (r#"{"k":[{"anything-but":{"prefix":"order-"}}]}"#, "String", "data-entry", true),
    (r#"{"k":[{"anything-but":{"prefix":"order-"}}]}"#, "String", "order-cancelled", false),
    (r#"{"k":[{"anything-but":{"suffix":"ball"}}]}"#, "String", "baseball", false),
    (r#"{"k":[{"equals-ignore-case":"tennis"}]}"#, "String", "TENNIS", true),
    (r#"{"k":[{"cidr":"10.0.0.0/24"}]}"#, "String", "10.0.0.255", true),
    (r#"{"k":[{"cidr":"10.0.0.0/24"}]}"#, "String", "10.1.1.0", false),
    (r#"{"k":[{"prefix":"bas"}]}"#, "String", "basketball", true),
    (r#"{"k":[{"suffix":"ball"}]}"#, "String", "rugby", false),
    (r#"{"k":[{"numeric":["=",301.5]}]}"#, "Number", "3.015e2", true),
    (r#"{"k":[{"numeric":[">",0,"<=",150]}]}"#, "Number", "150", true),
    (r#"{"k":[{"numeric":[">",0,"<=",150]}]}"#, "Number", "0", false),
    (r#"{"k":[{"numeric":[">",0]}]}"#, "String", "100", false),
    (r#"{"k":[100]}"#, "Number", "100", true),
    (r#"{"k":[{"anything-but":[100,500]}]}"#, "Number", "101", true),
    (r#"{"k":[{"exists":true}]}"#, "String", "", true),
    (r#"{"k":[{"exists":false}]}"#, "String", "x", false),
    (r#"{"other":[{"exists":false}]}"#, "String", "x", true),
    (r#"{"k":["x"],"other":["y"]}"#, "String", "x", false),
    (r#"{"$or":[{"k":["x"]},{"other":["y"]}]}"#, "String", "x", true),
];

#[test]
fn attributes_are_compared_by_their_type() {
    for (policy, data_type, value, passes) in BY_ATTRIBUTE {
        let filter = Filter::parse(policy, Scope::Attributes).unwrap().unwrap();
        let found = filter.passes(r#"{"k":"not looked at"}"#, &attributes(&[("k", data_type, value)]));
        assert_eq!(found, *passes, "{policy} on {data_type} {value}");
    }
}

#[test]
fn bodies_are_compared_by_their_keys_however_deep() {
    let cases = [
        (r#"{"store":["a"]}"#, r#"{"store":"a"}"#, true),
        (r#"{"order":{"price":[{"numeric":[">=",100]}]}}"#, r#"{"order":{"price":120}}"#, true),
        (r#"{"order":{"price":[{"numeric":[">=",100]}]}}"#, r#"{"order":{"price":"120"}}"#, false),
        (r#"{"items":{"sku":["b"]}}"#, r#"{"items":[{"sku":"a"},{"sku":"b"}]}"#, true),
        (r#"{"gone":[null],"ok":[true]}"#, r#"{"gone":null,"ok":true}"#, true),
        (r#"{"store":[{"exists":false}]}"#, r#"{"other":1}"#, true),
        (r#"{"store":[{"exists":false}]}"#, "not JSON", false),
        (r#"{"store":[{"exists":false}]}"#, "[1]", false),
    ];
    for (policy, body, passes) in cases {
        let filter = Filter::parse(policy, Scope::Body).unwrap().unwrap();
        assert_eq!(filter.passes(body, &BTreeMap::new()), passes, "{policy} on {body}");
    }
}

#[test]
fn a_policy_outside_the_documented_limits_is_refused() {
    let six = r#"{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}"#;
    let values = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let complex = format!(r#"{{"a":{},"b":{}}}"#, values(16), values(10));
    let nested = format!(r#"{{"a":{{"b":{}}}}}"#, values(76));
    let refused = |policy: &str, scope: Scope| Filter::parse(policy, scope).unwrap_err().to_string();
    for (policy, scope, words) in [
        (six, Scope::Attributes, "more than 5 keys"),
        (&complex, Scope::Attributes, "too complex"),
        (&nested, Scope::Body, "too complex"),
        (r#"{"a":{"b":[1]}}"#, Scope::Attributes, "does not support nested"),
        (r#"{"a":"b"}"#, Scope::Body, "must be an object or an array"),
        (r#"{"a":[{"wildcard":"b*"}]}"#, Scope::Body, "Unrecognized match type wildcard"),
        (r#"{"a":[{"anything-but":{"wildcard":"b*"}}]}"#, Scope::Body, "anything-but pattern: wildcard"),
        (r#"{"a":[1000000001]}"#, Scope::Attributes, "Value must be between"),
        (r#"{"a":[{"numeric":["<",1000000001]}]}"#, Scope::Attributes, "Value must be between"),
        ("[1]", Scope::Attributes, "not an object"),
        ("{", Scope::Attributes, "failed to parse JSON"),
    ] {
        assert!(refused(policy, scope).contains(words), "{policy}: {}", refused(policy, scope));
    }
    assert!(Filter::parse("{}", Scope::Attributes).unwrap().is_none(), "an empty policy filters nothing");
}

#[tokio::test]
async fn a_subscriber_receives_what_its_policy_lets_through() {
    let (sns, sqs) = cloud(&["attributes", "body", "all"]);
    sns.create_topic("orders").unwrap();
    let subscribe = |queue: &str, pairs: &[(&str, &str)]| {
        let given = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        sns.subscribe_with(TOPIC, "sqs", &sqs.arn(queue), &given).unwrap()
    };
    let by_attribute = subscribe("attributes", &[("FilterPolicy", r#"{"kind":["a"]}"#)]);
    subscribe("body", &[("FilterPolicy", r#"{"n":[{"numeric":[">",1]}]}"#), ("FilterPolicyScope", "MessageBody")]);
    subscribe("all", &[]);
    for (kind, message) in [("a", r#"{"n":1}"#), ("b", r#"{"n":2}"#)] {
        let attributes = attributes(&[("kind", "String", kind)]);
        let (topic_arn, message) = (TOPIC.to_owned(), message.to_owned());
        sns.publish(Publication { topic_arn, message, attributes, ..Publication::default() }).unwrap();
    }
    let count = |queue: &str| sqs.depth(queue).unwrap().visible;
    assert_eq!((count("attributes"), count("body"), count("all")), (1, 1, 2));
    let one = ("SubscriptionArn", by_attribute.as_str());
    let told = accepted(&sns, "GetSubscriptionAttributes", &[one]).await;
    assert!(told.contains("<key>FilterPolicyScope</key><value>MessageAttributes</value>"), "{told}");
    let none = [one, ("AttributeName", "FilterPolicy"), ("AttributeValue", "{}")];
    accepted(&sns, "SetSubscriptionAttributes", &none).await;
    assert!(!accepted(&sns, "GetSubscriptionAttributes", &[one]).await.contains("FilterPolicy"));
    let wrong = [one, ("AttributeName", "FilterPolicyScope"), ("AttributeValue", "Message")];
    assert_eq!(call(&sns, "SetSubscriptionAttributes", &wrong).await.0, 400);
}
