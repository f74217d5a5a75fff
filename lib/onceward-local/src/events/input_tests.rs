use std::collections::BTreeMap;

use chrono::DateTime;

use super::{Input, Origin, steps};
use crate::account::Account;
use crate::events::Entry;
use crate::events::event::Event;

fn event() -> Event {
    let entry = Entry {
        source: "orders".to_owned(),
        detail_type: "order.placed.v1".to_owned(),
        detail: r#"{"id":"ord_1","total":12.50,"note":"say \"hi\"","lines":[{"sku":"a"},{"sku":"b"}]}"#.to_owned(),
        ..Entry::default()
    };
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    Event::new(entry, "e-1".to_owned(), now, &Account::new("eu-west-1", "http://localhost")).unwrap()
}

fn transformed(template: &str) -> String {
    let paths = [
        ("id", "$.detail.id"),
        ("total", "$.detail.total"),
        ("note", "$.detail.note"),
        ("lines", "$.detail.lines"),
        ("second", "$.detail.lines[1].sku"),
        ("skus", "$.detail.lines[*].sku"),
        ("gone", "$.detail.nothing"),
        ("type", "$.detail-type"),
    ];
    let paths: BTreeMap<_, _> = paths.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
    let input = Input::Transformer { paths, template: template.to_owned() };
    input.check().unwrap();
    input.apply(&event(), Origin { rule_arn: "arn:rule", rule_name: "r" })
}

#[test]
fn a_template_is_filled_as_documented() {
    let rows = [
        (r#""<id> costs <total>""#, r#""ord_1 costs 12.5""#),
        ("<id> costs <total>", r#""ord_1" costs 12.5"#),
        ("Order <id> costs <total>", "Order ord_1 costs 12.5"),
        (r#"{"id":<id>,"text":"<id>: <note>"}"#, r#"{"id":"ord_1","text":"ord_1: say \"hi\""}"#),
        (r#"{"text":"is \"<id>\""}"#, r#"{"text":"is \"ord_1\""}"#),
        (r#"{"lines":<lines>,"second":<second>}"#, r#"{"lines":[{"sku":"a"},{"sku":"b"}],"second":"b"}"#),
        (r#"{"skus":<skus>,"type":<type>}"#, r#"{"skus":["a","b"],"type":"order.placed.v1"}"#),
        (r#"{"gone":<gone>,"text":"<gone>"}"#, r#"{"gone":"","text":""}"#),
        (r#"{"rule":<aws.events.rule-name>,"arn":"<aws.events.rule-arn>"}"#, r#"{"rule":"r","arn":"arn:rule"}"#),
        (r#"{"at":<aws.events.event.ingestion-time>}"#, r#"{"at":"2023-11-14T22:13:20.000Z"}"#),
        ("less < more > <id>", "less < more > ord_1"),
    ];
    for (template, expected) in rows {
        assert_eq!(transformed(template), expected, "{template}");
    }
    let whole: serde_json::Value = serde_json::from_str(&transformed("<aws.events.event.json>")).unwrap();
    assert_eq!(whole, event().value);
    let without: serde_json::Value = serde_json::from_str(&transformed(r#"{"e":<aws.events.event>}"#)).unwrap();
    assert!(without["e"].get("detail").is_none() && without["e"]["id"] == "e-1");
}

#[test]
fn constant_and_path_replace_the_event() {
    let origin = Origin { rule_arn: "arn:rule", rule_name: "r" };
    let path = |path: &str| Input::Path(path.to_owned()).apply(&event(), origin);
    assert_eq!(Input::Constant(r#"{"x": 1}"#.to_owned()).apply(&event(), origin), r#"{"x": 1}"#);
    assert_eq!(path("$.detail.total"), "12.5");
    assert_eq!(path("$.detail.id"), r#""ord_1""#);
    assert_eq!(path("$.nothing"), "null");
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let transformer = |name: &str, template: &str| {
        let paths = BTreeMap::from([(name.to_owned(), "$.detail".to_owned())]);
        Input::Transformer { paths, template: template.to_owned() }.check().unwrap_err().to_string()
    };
    assert!(transformer("a", "<b>").contains("<b>"));
    assert!(transformer("aws.a", "<aws.a>").contains("aws.a"));
    assert!(transformer("a", "").contains("InputTemplate"));
    assert!(Input::Constant("{".to_owned()).check().is_err());
    for path in ["detail", "$.a..b", "$.a[?(@.b)]", "$['a']", "$.a[x]", "$x", "$.a."] {
        assert!(steps(path).is_none(), "{path}");
        assert!(Input::Path(path.to_owned()).check().unwrap_err().to_string().contains(path));
    }
}
