//! Every operator of an event pattern, by the events that a rule routes to a queue and those that it does not.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, same};
use crate::conformance::request::EVENTS;
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const OPERATORS: &str = "userguide/eb-create-pattern-operators.html";
const PATTERNS: &str = "userguide/eb-event-patterns.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("pattern-equals", "A value matches if it is one of those in the array", PATTERNS, equals)
        .add("pattern-and", "All fields of a pattern must match, nested ones too", PATTERNS, and)
        .add("pattern-array", "An array in the event matches if one of its elements does", PATTERNS, array)
        .add("pattern-empty", "null and the empty string are values that can be matched", PATTERNS, empty)
        .add("pattern-prefix", "prefix matches what begins with it", OPERATORS, prefix)
        .add("pattern-suffix", "suffix matches what ends with it", OPERATORS, suffix)
        .add("pattern-ignore-case", "equals-ignore-case matches in any casing", OPERATORS, ignore_case)
        .add("pattern-affix-ignore-case", "prefix and suffix take equals-ignore-case", OPERATORS, affix_ignore_case)
        .add(
            "pattern-anything-but",
            "anything-but matches all but a value or a list of values",
            OPERATORS,
            anything_but,
        )
        .add("pattern-anything-but-affix", "anything-but takes prefix and suffix", OPERATORS, anything_but_affix)
        .add(
            "pattern-anything-but-ignore-case",
            "anything-but takes equals-ignore-case",
            OPERATORS,
            anything_but_ignore_case,
        )
        .add("pattern-anything-but-wildcard", "anything-but takes wildcard", OPERATORS, anything_but_wildcard)
        .add("pattern-numeric", "numeric matches by =, <, <=, >, >= and ranges", OPERATORS, numeric)
        .add("pattern-exists", "exists tells whether a leaf is there", OPERATORS, exists)
        .add(
            "pattern-exists-both",
            "One leaf can be required to be there and another not to be, whatever their names",
            OPERATORS,
            exists_both,
        )
        .add("pattern-cidr", "cidr matches the addresses of a block", OPERATORS, cidr)
        .add("pattern-wildcard", "wildcard matches any characters in place of *", OPERATORS, wildcard)
        .add("pattern-or", "$or matches if one of its alternatives does", OPERATORS, or)
        .add(
            "pattern-invalid",
            "A pattern with an unknown operator, or a value that is no array, is refused with \
             InvalidEventPatternException",
            "APIReference/API_PutRule.html",
            invalid,
        )
        .add(
            "pattern-test",
            "TestEventPattern says whether an event matches",
            "APIReference/API_TestEventPattern.html",
            test_event_pattern,
        )
        .done()
}

/// A rule with this pattern for the detail routes the first details and none of the second.
async fn routes(session: Session, detail: Value, matching: &[Value], others: &[Value]) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    session.rule(&bus, &json!({ "detail": detail }), &[json!({"Arn": queue.arn, "InputPath": "$.detail"})]).await?;
    // Those that must not match go first: once the others are here, they would be too.
    for detail in others.iter().chain(matching) {
        session.put_event(&bus, detail).await?;
    }
    let mut routed = Vec::new();
    while routed.len() < matching.len() {
        let message = queue.next().await.map_err(|_| {
            let missing: Vec<_> = matching.iter().filter(|detail| !routed.contains(*detail)).collect();
            Finding::Differs(format!("{detail} does not match {missing:?}"))
        })?;
        queue.delete(&message).await?;
        routed.push(serde_json::from_str(&text(&message["Body"])).unwrap_or_default());
    }
    let wrong: Vec<_> = routed.iter().filter(|detail| others.contains(detail)).collect();
    same("matches that should not be", wrong, Vec::<&Value>::new())?;
    queue.stays_empty("nothing else matches").await
}

/// The same for the values of one field.
async fn values<const M: usize, const N: usize>(
    session: Session,
    filter: Value,
    matching: [Value; M],
    others: [Value; N],
) -> Outcome {
    let field = |value: Value| json!({ "it": value });
    routes(session, json!({ "it": filter }), &matching.map(field), &others.map(field)).await
}

async fn equals(session: Session) -> Outcome {
    let others = [json!("A"), json!("3"), json!(4), json!(false), json!("ab")];
    values(session, json!(["a", "b", 3, true]), [json!("a"), json!("b"), json!(3), json!(true)], others).await
}

async fn and(session: Session) -> Outcome {
    let pattern = json!({"kind": ["order"], "address": {"city": ["Graz", "Linz"]}});
    let event = |kind: &str, city: &str| json!({"kind": kind, "address": {"city": city, "street": "x"}, "n": 1});
    let others = [event("order", "Wien"), event("offer", "Graz"), json!({"kind": "order"})];
    routes(session, pattern, &[event("order", "Graz"), event("order", "Linz")], &others).await
}

async fn array(session: Session) -> Outcome {
    values(session, json!(["red"]), [json!(["blue", "red"])], [json!(["blue"]), json!([])]).await
}

async fn empty(session: Session) -> Outcome {
    let others = [json!("x"), json!(0), json!(false)];
    values(session, json!(["", null]), [json!(""), json!(null)], others).await
}

async fn prefix(session: Session) -> Outcome {
    values(session, json!([{"prefix": "eu-"}]), [json!("eu-west-1"), json!("eu-")], [json!("us-eu-"), json!("EU-")])
        .await
}

async fn suffix(session: Session) -> Outcome {
    values(session, json!([{"suffix": ".png"}]), [json!("a.png"), json!(".png")], [json!("a.png.gz"), json!("a.PNG")])
        .await
}

async fn ignore_case(session: Session) -> Outcome {
    values(session, json!([{"equals-ignore-case": "Alice"}]), [json!("alice"), json!("ALICE")], [json!("alices")]).await
}

async fn affix_ignore_case(session: Session) -> Outcome {
    let filter = json!([{"prefix": {"equals-ignore-case": "EventB"}}, {"suffix": {"equals-ignore-case": "Bridge"}}]);
    values(session, filter, [json!("EVENTBUS"), json!("tobridge")], [json!("abridged"), json!("event")]).await
}

async fn anything_but(session: Session) -> Outcome {
    let filter = json!([{"anything-but": ["a", "b"]}]);
    let (one, two) = (session.clone(), session);
    values(one, filter, [json!("c"), json!("A")], [json!("a"), json!("b")]).await?;
    values(two, json!([{"anything-but": [100, 200]}]), [json!(150), json!(100.5)], [json!(100), json!(200)]).await
}

async fn anything_but_affix(session: Session) -> Outcome {
    let (one, two) = (session.clone(), session);
    values(one, json!([{"anything-but": {"prefix": "us-"}}]), [json!("eu-us-")], [json!("us-east-1")]).await?;
    values(
        two,
        json!([{"anything-but": {"suffix": [".png", ".gif"]}}]),
        [json!("a.jpg")],
        [json!("a.png"), json!("b.gif")],
    )
    .await
}

async fn anything_but_ignore_case(session: Session) -> Outcome {
    let filter = json!([{"anything-but": {"equals-ignore-case": ["running", "stopped"]}}]);
    values(session, filter, [json!("pending")], [json!("RUNNING"), json!("Stopped")]).await
}

async fn anything_but_wildcard(session: Session) -> Outcome {
    let filter = json!([{"anything-but": {"wildcard": "*/lib/*"}}]);
    values(session, filter, [json!("/usr/bin/x")], [json!("/usr/lib/x"), json!("/lib/")]).await
}

async fn numeric(session: Session) -> Outcome {
    let filter = json!([{"numeric": [">", 0, "<=", 5]}, {"numeric": ["=", 3.018e2]}, {"numeric": [">=", 1000]}]);
    let matching = [json!(0.5), json!(5), json!(301.8), json!(1000)];
    values(session, filter, matching, [json!(0), json!(5.1), json!(-1), json!("3"), json!(999)]).await
}

async fn exists(session: Session) -> Outcome {
    let (one, two) = (session.clone(), session);
    let (with, without) = (json!({"it": 1, "other": 1}), json!({"other": 1}));
    let there = json!({"it": [{"exists": true}]});
    routes(one, there, std::slice::from_ref(&with), std::slice::from_ref(&without)).await?;
    routes(two, json!({"it": [{"exists": false}]}), &[without], &[with]).await
}

async fn exists_both(session: Session) -> Outcome {
    let (one, two) = (session.clone(), session);
    let (there, not) = (json!([{"exists": true}]), json!([{"exists": false}]));
    let others = [json!({"b": 1}), json!({"a": 1, "b": 1}), json!({"c": 1})];
    routes(one, json!({"a": there, "b": not}), &[json!({"a": 1}), json!({"a": 1, "c": 1})], &others).await?;
    let others = [json!({"a": 1}), json!({"a": 1, "b": 1}), json!({"c": 1})];
    routes(two, json!({"a": not, "b": there}), &[json!({"b": 1}), json!({"b": 1, "c": 1})], &others).await
}

async fn cidr(session: Session) -> Outcome {
    let filter = json!([{"cidr": "10.0.0.0/24"}, {"cidr": "2001:db8::/32"}]);
    let others = [json!("10.0.1.0"), json!("2001:db9::1"), json!("x")];
    values(session, filter, [json!("10.0.0.255"), json!("2001:db8::1")], others).await
}

async fn wildcard(session: Session) -> Outcome {
    let others = [json!("/a/c.png.gz"), json!("/b/c.png"), json!("a/c.png")];
    values(session, json!([{"wildcard": "/a/*.png"}]), [json!("/a/b/c.png"), json!("/a/.png")], others).await
}

async fn or(session: Session) -> Outcome {
    let pattern = json!({"kind": ["x"], "$or": [{"price": [{"numeric": [">", 10]}]}, {"city": ["Graz"]}]});
    let matching = [json!({"kind": "x", "price": 11}), json!({"kind": "x", "city": "Graz", "price": 1})];
    let others = [json!({"kind": "x", "price": 9}), json!({"kind": "y", "price": 11}), json!({"kind": "x"})];
    routes(session, pattern, &matching, &others).await
}

async fn invalid(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let patterns = [
        json!({"source": "not an array"}),
        json!({"detail": {"a": [{"begins-with": "x"}]}}),
        json!({"detail": {"a": [{"numeric": ["~", 1]}]}}),
        json!({"detail": {"a": []}}),
    ];
    let texts = patterns.iter().map(Value::to_string).chain(["{".to_owned()]);
    for pattern in texts {
        let rule = json!({"Name": session.name(), "EventBusName": bus, "EventPattern": pattern});
        session.refuse(EVENTS, "PutRule", rule, "InvalidEventPatternException").await?;
    }
    Ok(())
}

async fn test_event_pattern(session: Session) -> Outcome {
    let event = json!({
        "version": "0", "id": "1", "detail-type": "t", "source": "shop", "account": "123456789012",
        "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [], "detail": {"n": 1},
    });
    for (source, expected) in [("shop", true), ("other", false)] {
        let request = json!({"EventPattern": json!({"source": [source]}).to_string(), "Event": event.to_string()});
        let answer = session.call(EVENTS, "TestEventPattern", request).await?;
        same("Result", &answer["Result"], &json!(expected))?;
    }
    Ok(())
}
