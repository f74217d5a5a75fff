//! Filter policies of subscriptions.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::request::{SNS, elements};
use crate::conformance::resources::borrowed;
use crate::conformance::session::Session;

const POLICIES: &str = "dg/sns-subscription-filter-policies.html";
const STRINGS: &str = "dg/string-value-matching.html";
const NUMBERS: &str = "dg/numeric-value-matching.html";
const SCOPE: &str = "dg/sns-message-filtering-scope.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("filter-exact", "A filter policy takes the messages whose attribute has one of its values", STRINGS, exact)
        .add("filter-and", "All attributes of a filter policy must match", "dg/and-or-logic.html", and)
        .add("filter-prefix", "prefix, suffix and equals-ignore-case match strings", STRINGS, prefix)
        .add("filter-anything-but", "anything-but takes all other values, and prefixes", STRINGS, anything_but)
        .add("filter-numeric", "numeric matches an attribute of type Number by ranges", NUMBERS, numeric)
        .add("filter-exists", "exists tells whether the attribute is there", "dg/attribute-key-matching.html", exists)
        .add("filter-array", "An attribute of type String.Array matches by any of its elements", POLICIES, array)
        .add("filter-body", "With FilterPolicyScope MessageBody the body's fields are matched, nested too", SCOPE, body)
        .add("filter-body-or", "$or is taken in a policy for the body", "dg/and-or-logic.html", body_or)
        .add("filter-changed", "A changed filter policy counts for what is published then", POLICIES, changed)
        .add("filter-invalid", "A policy that is no valid JSON is refused with InvalidParameter", POLICIES, invalid)
        .done()
}

/// Attributes of a message: name, type and value.
type Attributes<'a> = &'a [(&'a str, &'a str, &'a str)];

/// A subscription with this policy receives those messages only that are to be taken.
async fn takes(session: &Session, policy: &Value, scope: &str, messages: &[(Attributes<'_>, &str, bool)]) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    let text = policy.to_string();
    let attributes = [("RawMessageDelivery", "true"), ("FilterPolicy", &text), ("FilterPolicyScope", scope)];
    session.subscribe(&topic, &queue, &attributes).await?;
    let mut expected = Vec::new();
    for (attributes, body, taken) in messages {
        publish(session, &topic, attributes, body).await?;
        expected.extend(taken.then(|| (*body).to_owned()));
    }
    expected.sort();
    let mut seen = queue.take(expected.len()).await?;
    seen.sort();
    same(&format!("messages that {policy} takes"), seen, expected)?;
    queue.stays_empty("the policy takes no others").await
}

async fn publish(session: &Session, topic: &str, attributes: Attributes<'_>, body: &str) -> Outcome {
    let mut parameters = vec![("TopicArn".to_owned(), topic.to_owned()), ("Message".to_owned(), body.to_owned())];
    for (number, (name, kind, value)) in attributes.iter().enumerate() {
        let entry = format!("MessageAttributes.entry.{}", number + 1);
        parameters.push((format!("{entry}.Name"), (*name).to_owned()));
        parameters.push((format!("{entry}.Value.DataType"), (*kind).to_owned()));
        parameters.push((format!("{entry}.Value.StringValue"), (*value).to_owned()));
    }
    session.query(SNS, "Publish", &borrowed(&parameters)).await.map(drop)
}

const BY_ATTRIBUTE: &str = "MessageAttributes";
const BY_BODY: &str = "MessageBody";

async fn exact(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 4] = [
        (&[("city", "String", "Graz")], "1", true),
        (&[("city", "String", "Linz")], "2", true),
        (&[("city", "String", "graz")], "3", false),
        (&[], "4", false),
    ];
    takes(&session, &json!({"city": ["Graz", "Linz"]}), BY_ATTRIBUTE, &messages).await
}

async fn and(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 3] = [
        (&[("city", "String", "Graz"), ("kind", "String", "order")], "1", true),
        (&[("city", "String", "Graz"), ("kind", "String", "offer")], "2", false),
        (&[("city", "String", "Graz")], "3", false),
    ];
    takes(&session, &json!({"city": ["Graz"], "kind": ["order"]}), BY_ATTRIBUTE, &messages).await
}

async fn prefix(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 4] = [
        (&[("a", "String", "eu-west")], "1", true),
        (&[("a", "String", "x.png")], "2", true),
        (&[("a", "String", "ALICE")], "3", true),
        (&[("a", "String", "us-eu-.pngx")], "4", false),
    ];
    let policy = json!({"a": [{"prefix": "eu-"}, {"suffix": ".png"}, {"equals-ignore-case": "alice"}]});
    takes(&session, &policy, BY_ATTRIBUTE, &messages).await
}

async fn anything_but(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 4] = [
        (&[("a", "String", "other"), ("b", "String", "other")], "1", true),
        (&[("a", "String", "x"), ("b", "String", "other")], "2", false),
        (&[("a", "String", "other"), ("b", "String", "us-1")], "3", false),
        (&[], "4", false),
    ];
    let policy = json!({"a": [{"anything-but": ["x", "y"]}], "b": [{"anything-but": {"prefix": "us-"}}]});
    takes(&session, &policy, BY_ATTRIBUTE, &messages).await
}

async fn numeric(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 4] = [
        (&[("price", "Number", "100")], "1", true),
        (&[("price", "Number", "149.5")], "2", true),
        (&[("price", "Number", "150")], "3", false),
        (&[("price", "Number", "301.5")], "4", true),
    ];
    let policy = json!({"price": [{"numeric": [">=", 100, "<", 150]}, {"numeric": ["=", 301.5]}]});
    takes(&session, &policy, BY_ATTRIBUTE, &messages).await
}

async fn exists(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 3] = [
        (&[("a", "String", "x")], "1", true),
        (&[("a", "String", "x"), ("b", "String", "x")], "2", false),
        (&[], "3", false),
    ];
    takes(&session, &json!({"a": [{"exists": true}], "b": [{"exists": false}]}), BY_ATTRIBUTE, &messages).await
}

async fn array(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 2] =
        [(&[("a", "String.Array", "[\"x\", \"y\"]")], "1", true), (&[("a", "String.Array", "[\"z\"]")], "2", false)];
    takes(&session, &json!({"a": ["y"]}), BY_ATTRIBUTE, &messages).await
}

async fn body(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 4] = [
        (&[], r#"{"order": {"city": "Graz", "lines": [1, 2]}}"#, true),
        (&[], r#"{"order": {"city": "Wien", "lines": [1, 2]}}"#, false),
        (&[("city", "String", "Graz")], r#"{"city": "Graz"}"#, false),
        (&[], "not JSON", false),
    ];
    takes(&session, &json!({"order": {"city": ["Graz"], "lines": [2]}}), BY_BODY, &messages).await
}

async fn body_or(session: Session) -> Outcome {
    let messages: [(Attributes<'_>, _, _); 3] =
        [(&[], r#"{"a": 1}"#, true), (&[], r#"{"b": "x"}"#, true), (&[], r#"{"a": 2, "b": "y"}"#, false)];
    takes(&session, &json!({"$or": [{"a": [1]}, {"b": ["x"]}]}), BY_BODY, &messages).await
}

async fn changed(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    let attributes = [("RawMessageDelivery", "true"), ("FilterPolicy", "{\"a\":[\"x\"]}")];
    let arn = session.subscribe(&topic, &queue, &attributes).await?;
    let parameters =
        [("SubscriptionArn", arn.as_str()), ("AttributeName", "FilterPolicy"), ("AttributeValue", "{\"a\":[\"y\"]}")];
    session.query(SNS, "SetSubscriptionAttributes", &parameters).await?;
    // AWS says that a change takes up to 15 minutes; nobody runs this there without patience.
    publish(&session, &topic, &[("a", "String", "x")], "1").await?;
    publish(&session, &topic, &[("a", "String", "y")], "2").await?;
    same("the messages", queue.take(1).await?, vec!["2"])?;
    let answer = session.query(SNS, "GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]).await?;
    same("the policy is among the attributes", elements(&answer, "value").contains(&"{\"a\":[\"y\"]}".to_owned()), true)
}

async fn invalid(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    for policy in ["{", "{\"a\": \"x\"}", "{\"a\": [{\"unknown\": 1}]}"] {
        let parameters = [
            ("TopicArn", topic.as_str()),
            ("Protocol", "sqs"),
            ("Endpoint", queue.arn.as_str()),
            ("Attributes.entry.1.key", "FilterPolicy"),
            ("Attributes.entry.1.value", policy),
        ];
        session.refuse_query(SNS, "Subscribe", &parameters, "InvalidParameter").await?;
    }
    Ok(())
}
