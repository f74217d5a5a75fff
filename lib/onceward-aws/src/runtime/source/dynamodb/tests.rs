use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::super::read;

/// Numbers that a double cannot hold, or would write otherwise.
const NUMBERS: [&str; 6] = [
    "12345678901234567.89",
    "18446744073709551615",
    "12345678901234567890123456789012345678",
    "0.1234567890123456789",
    "-1E-130",
    "7",
];

/// The body that a handler gets of a change whose image and key are this.
fn body(keys: &serde_json::Value, image: &serde_json::Value) -> String {
    delivery(keys, image).body
}

fn delivery(keys: &serde_json::Value, image: &serde_json::Value) -> onceward::Delivery {
    let payload = json!({"Records": [{
        "eventID": "c-1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/stock/stream/2026-01-01T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_225_600.0, "Keys": keys, "NewImage": image, "SequenceNumber": "42",
            "SizeBytes": 1, "StreamViewType": "NEW_IMAGE",
        },
    }]});
    let incoming = read(&serde_json::value::to_raw_value(&payload).unwrap()).unwrap();
    let [record] = incoming.records.try_into().unwrap();
    record.delivery
}

#[derive(Deserialize)]
struct Event {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    keys: Box<RawValue>,
    new_image: BTreeMap<String, Box<RawValue>>,
}

#[test]
fn each_number_has_dynamodbs_own_digits_alone_in_sets_and_in_keys() {
    let hundred_zeros = format!("1{}", "0".repeat(100));
    for number in NUMBERS.into_iter().chain([hundred_zeros.as_str()]) {
        let image = json!({"pk": {"N": number}, "in": {"M": {"it": {"L": [{"N": number}]}}}, "all": {"NS": [number]}});
        let event: Event = serde_json::from_str(&body(&json!({"pk": {"N": number}}), &image)).unwrap();
        let image = |name: &str| event.data.new_image[name].get();
        assert_eq!((image("pk"), image("all")), (number, format!("[{number}]").as_str()));
        assert_eq!(image("in"), format!(r#"{{"it":[{number}]}}"#));
        assert_eq!(event.data.keys.get(), format!(r#"{{"pk":{number}}}"#));
    }
}

#[test]
fn a_binary_value_anywhere_leaves_the_image_whole() {
    let image = json!({
        "pk": {"B": "AP8="}, "set": {"BS": ["AQ==", "Ag=="]}, "in": {"M": {"it": {"L": [{"B": "AA=="}]}}},
        "none": {"NULL": true}, "flag": {"BOOL": false}, "empty": {"S": ""}, "texts": {"SS": ["a", "b"]},
    });
    let event: Event = serde_json::from_str(&body(&json!({"pk": {"B": "AP8="}}), &image)).unwrap();
    let whole: BTreeMap<_, _> = event.data.new_image.iter().map(|(name, value)| (name.as_str(), value.get())).collect();
    let expected = [
        ("empty", r#""""#),
        ("flag", "false"),
        ("in", r#"{"it":["AA=="]}"#),
        ("none", "null"),
        ("pk", r#""AP8=""#),
        ("set", r#"["AQ==","Ag=="]"#),
        ("texts", r#"["a","b"]"#),
    ];
    assert_eq!(whole, BTreeMap::from(expected));
    assert_eq!(event.data.keys.get(), r#"{"pk":"AP8="}"#);
}

#[test]
fn what_stands_among_a_ledgers_events_and_is_no_text_is_given_up_with_what_it_holds() {
    let bodies = body(&json!({"pk": {"S": "f#1"}}), &json!({"events": {"L": [{"M": {"n": {"N": "1"}}}]}}));
    assert_eq!(bodies, r#"{"n":1}"#);
}

/// Subject and ordering key of a change of the item with these keys.
fn named(keys: &serde_json::Value) -> (String, String) {
    let delivery = delivery(keys, &json!({}));
    let event: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
    (event["subject"].as_str().unwrap().to_owned(), delivery.ordering_key.unwrap())
}

#[test]
fn items_with_different_keys_never_share_an_ordering_key() {
    let two = |pk: &str, sk: &str| named(&json!({"sk": {"S": sk}, "pk": {"S": pk}}));
    assert_ne!(two("a/b", "c").1, two("a", "b/c").1);
    assert_eq!(two("a", "b").0, "a/b");
    assert_eq!(named(&json!({"pk": {"S": "a/b"}})), ("a/b".to_owned(), "a/b".to_owned()));
    assert_eq!(named(&json!({"pk": {"N": "7"}})), ("7".to_owned(), "7".to_owned()));
}

#[test]
fn a_binary_key_is_named_in_base64() {
    assert_eq!(named(&json!({"pk": {"B": "AP8="}})), ("AP8=".to_owned(), "AP8=".to_owned()));
    let two = named(&json!({"pk": {"S": "a"}, "sk": {"B": "AP8="}}));
    assert_eq!(two, ("a/AP8=".to_owned(), r#"{"pk":"a","sk":"AP8="}"#.to_owned()));
}
