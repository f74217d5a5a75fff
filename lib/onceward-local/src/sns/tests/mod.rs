mod durable;
mod fifo;
mod filters;
mod subscriptions;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Publication, Sns, SnsError};
use crate::account::Account;
use crate::endpoint::Services;
use crate::lambda::LogSink;
use crate::sqs::{AttributeValue, MessageAttribute, Receive, Received, Sqs};
use crate::wire::{AwsRequest, Protocol};

const NO_TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:none";
const TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:orders";

fn cloud(queues: &[&str]) -> (Sns, Sqs) {
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    let Services { sns, sqs, .. } = Services::new(account, LogSink::discard()).unwrap();
    for queue in queues {
        sqs.create_queue(queue, &BTreeMap::new()).unwrap();
    }
    (sns, sqs)
}

async fn receive(sqs: &Sqs, queue: &str) -> Vec<Received> {
    sqs.receive(queue, Receive { max: 10, wait: Duration::ZERO, visibility: None }).await.unwrap()
}

async fn call(sns: &Sns, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", action)
        .append_pair("Version", "2010-03-31")
        .extend_pairs(parameters)
        .finish();
    let request = AwsRequest {
        protocol: Protocol::Query,
        action: action.to_owned(),
        path: "/".to_owned(),
        body: Bytes::from(body),
    };
    let response = sns.handle(request).await;
    assert_eq!(response.content_type, "text/xml");
    (response.status, String::from_utf8(response.body.to_vec()).unwrap())
}

async fn accepted(sns: &Sns, action: &str, parameters: &[(&str, &str)]) -> String {
    let (status, body) = call(sns, action, parameters).await;
    assert_eq!(status, 200, "{action}: {body}");
    assert!(
        body.starts_with(&format!(r#"<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">"#)),
        "{body}"
    );
    body
}

fn element<'a>(body: &'a str, name: &str) -> &'a str {
    let start = body.find(&format!("<{name}>")).unwrap_or_else(|| panic!("{name} in {body}")) + name.len() + 2;
    &body[start..start + body[start..].find(&format!("</{name}>")).unwrap()]
}

#[tokio::test]
async fn a_queue_receives_the_documented_notification() {
    let (sns, sqs) = cloud(&["work"]);
    assert_eq!(sns.create_topic("orders").unwrap(), TOPIC);
    let subscription = sns.subscribe(TOPIC, &sqs.arn("work"), false).unwrap();
    let published = accepted(
        &sns,
        "Publish",
        &[
            ("TopicArn", TOPIC),
            ("Message", "a <b> & \"c\""),
            ("Subject", "Hello"),
            ("MessageAttributes.entry.1.Name", "kind"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", "order"),
            ("MessageAttributes.entry.2.Name", "bytes"),
            ("MessageAttributes.entry.2.Value.DataType", "Binary"),
            ("MessageAttributes.entry.2.Value.BinaryValue", "AQI="),
        ],
    )
    .await;
    let received = receive(&sqs, "work").await;
    let body: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(body["Type"], "Notification");
    assert_eq!(body["MessageId"], element(&published, "MessageId"));
    assert_eq!((&body["TopicArn"], &body["Subject"]), (&json!(TOPIC), &json!("Hello")));
    assert_eq!(body["Message"], "a <b> & \"c\"");
    let attributes =
        json!({"kind": {"Type": "String", "Value": "order"}, "bytes": {"Type": "Binary", "Value": "AQI="}});
    assert_eq!(body["MessageAttributes"], attributes);
    assert!(chrono::DateTime::parse_from_rfc3339(body["Timestamp"].as_str().unwrap()).is_ok());
    for member in ["SignatureVersion", "Signature", "SigningCertURL"] {
        assert!(body[member].is_string(), "{member}");
    }
    assert!(body["UnsubscribeURL"].as_str().unwrap().ends_with(&subscription));
    assert!(received[0].message_attributes.is_empty());
}

#[tokio::test]
async fn raw_delivery_is_the_message_itself() {
    let (sns, sqs) = cloud(&["raw", "wrapped"]);
    sns.create_topic("orders").unwrap();
    sns.subscribe(TOPIC, &sqs.arn("raw"), true).unwrap();
    sns.subscribe(TOPIC, &sqs.arn("wrapped"), false).unwrap();
    let kind = MessageAttribute { data_type: "Number".to_owned(), value: AttributeValue::Text("5".to_owned()) };
    let attributes = BTreeMap::from([("kind".to_owned(), kind)]);
    let message = Publication {
        topic_arn: TOPIC.to_owned(),
        message: "{}".to_owned(),
        attributes: attributes.clone(),
        ..Publication::default()
    };
    sns.publish(message).unwrap();
    let raw = receive(&sqs, "raw").await;
    assert_eq!((raw[0].body.as_str(), &raw[0].message_attributes), ("{}", &attributes));
    let wrapped: Value = serde_json::from_str(&receive(&sqs, "wrapped").await[0].body).unwrap();
    assert_eq!((&wrapped["Message"], wrapped.get("Subject")), (&json!("{}"), None));
}

#[tokio::test]
async fn a_structured_message_has_a_text_for_queues() {
    let (sns, sqs) = cloud(&["work"]);
    sns.create_topic("orders").unwrap();
    sns.subscribe(TOPIC, &sqs.arn("work"), true).unwrap();
    let message = r#"{"default":"d","sqs":"q"}"#;
    accepted(&sns, "Publish", &[("TargetArn", TOPIC), ("Message", message), ("MessageStructure", "json")]).await;
    assert_eq!(receive(&sqs, "work").await[0].body, "q");
}

#[tokio::test]
async fn each_entry_of_a_batch_has_its_own_result() {
    let (sns, sqs) = cloud(&["work"]);
    sns.create_topic("orders").unwrap();
    sns.subscribe(TOPIC, &sqs.arn("work"), true).unwrap();
    let body = accepted(
        &sns,
        "PublishBatch",
        &[
            ("TopicArn", TOPIC),
            ("PublishBatchRequestEntries.member.1.Id", "good"),
            ("PublishBatchRequestEntries.member.1.Message", "one"),
            ("PublishBatchRequestEntries.member.2.Id", "bad"),
            ("PublishBatchRequestEntries.member.2.Message", "two"),
            ("PublishBatchRequestEntries.member.2.Subject", "line\nbreak"),
        ],
    )
    .await;
    assert_eq!(element(element(&body, "Successful"), "Id"), "good");
    let failed = element(&body, "Failed");
    assert_eq!((element(failed, "Id"), element(failed, "Code")), ("bad", "InvalidParameter"));
    assert_eq!(receive(&sqs, "work").await.len(), 1);
    let (status, empty) = call(&sns, "PublishBatch", &[("TopicArn", TOPIC)]).await;
    assert_eq!((status, element(&empty, "Code")), (400, "EmptyBatchRequest"));
}

#[tokio::test]
async fn topics_and_subscriptions_are_told_as_they_were_made() {
    let (sns, sqs) = cloud(&["work"]);
    let create = [
        ("Name", "orders"),
        ("Attributes.entry.1.key", "DisplayName"),
        ("Attributes.entry.1.value", "O & co"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
    ];
    assert_eq!(element(&accepted(&sns, "CreateTopic", &create).await, "TopicArn"), TOPIC);
    assert_eq!(element(&accepted(&sns, "CreateTopic", &create).await, "TopicArn"), TOPIC, "idempotent");
    let queue_arn = sqs.arn("work");
    let subscribe = [("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", queue_arn.as_str())];
    let subscription = element(&accepted(&sns, "Subscribe", &subscribe).await, "SubscriptionArn").to_owned();
    assert_eq!(element(&accepted(&sns, "Subscribe", &subscribe).await, "SubscriptionArn"), subscription, "idempotent");

    let otherwise = sns.subscribe(TOPIC, &queue_arn, true).unwrap_err().to_string();
    assert!(otherwise.contains("already exists with different attributes"), "{otherwise}");

    assert!(accepted(&sns, "ListTopics", &[]).await.contains(TOPIC));
    let topic = [("TopicArn", TOPIC)];
    let attributes = accepted(&sns, "GetTopicAttributes", &topic).await;
    assert!(attributes.contains("<key>DisplayName</key><value>O &amp; co</value>"), "{attributes}");
    assert!(attributes.contains("<key>SubscriptionsConfirmed</key><value>1</value>"), "{attributes}");
    accepted(
        &sns,
        "SetTopicAttributes",
        &[("TopicArn", TOPIC), ("AttributeName", "DisplayName"), ("AttributeValue", "new")],
    )
    .await;
    assert!(accepted(&sns, "GetTopicAttributes", &topic).await.contains("<value>new</value>"));

    let one = [("SubscriptionArn", subscription.as_str())];
    let raw = [one[0], ("AttributeName", "RawMessageDelivery"), ("AttributeValue", "true")];
    accepted(&sns, "SetSubscriptionAttributes", &raw).await;
    let attributes = accepted(&sns, "GetSubscriptionAttributes", &one).await;
    assert!(attributes.contains("<key>RawMessageDelivery</key><value>true</value>"), "{attributes}");
    for (action, parameters) in [("ListSubscriptions", &[] as &[_]), ("ListSubscriptionsByTopic", &topic)] {
        assert_eq!(element(&accepted(&sns, action, parameters).await, "Endpoint"), queue_arn);
    }

    let resource = ("ResourceArn", TOPIC);
    accepted(&sns, "TagResource", &[resource, ("Tags.member.1.Key", "b"), ("Tags.member.1.Value", "2")]).await;
    accepted(&sns, "UntagResource", &[resource, ("TagKeys.member.1", "a")]).await;
    let tags = accepted(&sns, "ListTagsForResource", &[resource]).await;
    assert_eq!(element(&tags, "Tags"), "<member><Key>b</Key><Value>2</Value></member>");

    accepted(&sns, "Unsubscribe", &one).await;
    sns.publish(Publication { topic_arn: TOPIC.to_owned(), message: "x".to_owned(), ..Publication::default() })
        .unwrap();
    assert!(receive(&sqs, "work").await.is_empty());
    accepted(&sns, "DeleteTopic", &topic).await;
    let (status, gone) = call(&sns, "Publish", &[("TopicArn", TOPIC), ("Message", "x")]).await;
    assert_eq!((status, element(&gone, "Code"), element(&gone, "Message")), (404, "NotFound", "Topic does not exist"));
}

#[tokio::test]
async fn permissions_are_statements_of_the_policy() {
    let (sns, _sqs) = cloud(&[]);
    sns.create_topic("orders").unwrap();
    let topic = ("TopicArn", TOPIC);
    let add =
        [topic, ("Label", "others"), ("AWSAccountId.member.1", "111122223333"), ("ActionName.member.1", "Publish")];
    accepted(&sns, "AddPermission", &add).await;
    let attributes = accepted(&sns, "GetTopicAttributes", &[topic]).await;
    assert!(attributes.contains("arn:aws:iam::111122223333:root"), "{attributes}");
    assert!(attributes.contains("__default_statement_ID"), "the owner's statement stays");
    assert_eq!(call(&sns, "AddPermission", &add).await.0, 400, "it is there");
    accepted(&sns, "RemovePermission", &[topic, ("Label", "others")]).await;
    assert!(!accepted(&sns, "GetTopicAttributes", &[topic]).await.contains("111122223333"));
    let (status, _) = call(&sns, "AddPermission", &[&add[..3], &[("ActionName.member.1", "Fly")]].concat()).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_topic_takes_messages_up_to_its_maximum_size() {
    let (sns, _sqs) = cloud(&[]);
    let attributes = [("MaximumMessageSize".to_owned(), "1048576".to_owned())].into();
    sns.create_topic_with("orders", &attributes).unwrap();
    let publish = |bytes: usize| {
        sns.publish(Publication { topic_arn: TOPIC.to_owned(), message: "x".repeat(bytes), ..Publication::default() })
    };
    publish(1_048_576).unwrap();
    assert!(matches!(publish(1_048_577), Err(SnsError::InvalidParameter { .. })));
}

#[tokio::test]
async fn what_a_queue_does_not_take_is_remembered() {
    let (sns, _sqs) = cloud(&[]);
    sns.create_topic("orders").unwrap();
    let subscription = sns.subscribe(TOPIC, "arn:aws:sqs:eu-west-1:000000000000:gone", false).unwrap();
    let id = sns
        .publish(Publication { topic_arn: TOPIC.to_owned(), message: "x".to_owned(), ..Publication::default() })
        .unwrap();
    let lost = sns.undelivered();
    assert_eq!((lost.len(), &lost[0].message_id, &lost[0].subscription_arn), (1, &id, &subscription));
}

#[tokio::test]
async fn what_is_no_arn_is_an_invalid_parameter_not_a_missing_resource() {
    let (sns, _sqs) = cloud(&[]);
    for (action, parameter) in [
        ("GetTopicAttributes", "TopicArn"),
        ("DeleteTopic", "TopicArn"),
        ("Publish", "TopicArn"),
        ("Publish", "TargetArn"),
        ("PublishBatch", "TopicArn"),
        ("ListSubscriptionsByTopic", "TopicArn"),
        ("Unsubscribe", "SubscriptionArn"),
        ("GetSubscriptionAttributes", "SubscriptionArn"),
        ("ListTagsForResource", "ResourceArn"),
    ] {
        for arn in ["", "orders", "arn:aws:sns:eu-west-1:000000000000"] {
            let (status, body) = call(&sns, action, &[(parameter, arn), ("Message", "x")]).await;
            assert_eq!((status, element(&body, "Code")), (400, "InvalidParameter"), "{action}: {body}");
        }
    }
}

#[tokio::test]
async fn names_of_message_attributes_are_checked() {
    let (sns, _sqs) = cloud(&[]);
    sns.create_topic("orders").unwrap();
    let (longest, too_long) = ("a".repeat(256), "a".repeat(257));
    let good = ["a", "A_b-c.9", "AWSome", longest.as_str()];
    let bad = ["", "a b", "é", ".a", "a.", "a..b", "AWS.a", "amazon.a", too_long.as_str()];
    for (name, taken) in good.map(|name| (name, true)).into_iter().chain(bad.map(|name| (name, false))) {
        let parameters = [
            ("TopicArn", TOPIC),
            ("Message", "x"),
            ("MessageAttributes.entry.1.Name", name),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", "v"),
        ];
        let (status, body) = call(&sns, "Publish", &parameters).await;
        assert_eq!(status == 200, taken, "{name}: {body}");
        assert!(taken || element(&body, "Code") == "ParameterValueInvalid", "{body}");
    }
}

#[tokio::test]
async fn tags_of_a_topic_are_checked() {
    let (sns, _sqs) = cloud(&[]);
    sns.create_topic("orders").unwrap();
    let (key, value) = ("k".repeat(129), "v".repeat(257));
    for (key, value) in [("", "v"), (key.as_str(), "v"), ("k", value.as_str()), ("aws:k", "v")] {
        let tag = [("ResourceArn", TOPIC), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
        let (_, body) = call(&sns, "TagResource", &tag).await;
        assert_eq!(element(&body, "Code"), "InvalidParameter", "{key}: {body}");
        let (_, body) = call(&sns, "CreateTopic", &[&[("Name", "other")][..], &tag[1..]].concat()).await;
        assert_eq!(element(&body, "Code"), "InvalidParameter", "{key}: {body}");
    }
    let twice = [("ResourceArn", TOPIC), ("Tags.member.1.Key", "k"), ("Tags.member.2.Key", "k")];
    let (_, body) = call(&sns, "TagResource", &twice).await;
    assert!(element(&body, "Message").contains("Duplicated keys"), "{body}");
    accepted(&sns, "TagResource", &[("ResourceArn", TOPIC), ("Tags.member.1.Key", &key[1..])]).await;
}

/// Action, parameters, code and words of the refusal.
type Refusal<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

#[tokio::test]
async fn what_the_local_cloud_does_not_do_is_refused_by_name() {
    let (sns, _sqs) = cloud(&[]);
    sns.create_topic("orders").unwrap();
    let queue = "arn:aws:sqs:eu-west-1:000000000000:work";
    let long = "x".repeat(super::MESSAGE_SIZE_MAX_BYTES + 1);
    let rows: &[Refusal<'_>] = &[
        ("CreateTopic", &[("Name", "orders.fifo")], "InvalidParameter", "only the name of a FIFO topic"),
        (
            "CreateTopic",
            &[("Name", "o"), ("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true")],
            "InvalidParameter",
            "end with .fifo",
        ),
        (
            "CreateTopic",
            &[("Name", "o"), ("Attributes.entry.1.key", "ArchivePolicy"), ("Attributes.entry.1.value", "{}")],
            "InvalidParameter",
            "ArchivePolicy",
        ),
        ("CreateTopic", &[("Name", "a b")], "InvalidParameter", "a b"),
        ("Subscribe", &[("TopicArn", TOPIC), ("Protocol", "email"), ("Endpoint", "a@b")], "InvalidParameter", "email"),
        (
            "Subscribe",
            &[("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", "arn:aws:sqs:eu-west-1:000000000000:w.fifo")],
            "InvalidParameter",
            "FIFO",
        ),
        ("Subscribe", &[("TopicArn", NO_TOPIC), ("Protocol", "sqs"), ("Endpoint", queue)], "NotFound", "Topic"),
        ("Unsubscribe", &[("SubscriptionArn", NO_TOPIC)], "NotFound", "Subscription"),
        ("Publish", &[("TopicArn", TOPIC)], "InvalidParameter", "Message"),
        ("Publish", &[("TopicArn", TOPIC), ("Message", &long)], "InvalidParameter", "Message too long"),
        ("Publish", &[("PhoneNumber", "+1"), ("Message", "x")], "InvalidParameter", "PhoneNumber"),
        ("ConfirmSubscription", &[("TopicArn", TOPIC), ("Token", "t")], "InvalidParameter", "Invalid token"),
        ("TagResource", &[("ResourceArn", NO_TOPIC)], "ResourceNotFound", "Resource"),
        ("CheckIfPhoneNumberIsOptedOut", &[], "InvalidAction", "CheckIfPhoneNumberIsOptedOut"),
    ];
    for (action, parameters, code, words) in rows {
        let (status, body) = call(&sns, action, parameters).await;
        assert!(status >= 400 && element(&body, "Code") == *code, "{action}: {body}");
        assert!(element(&body, "Message").contains(words), "{action}: {body}");
    }
}
