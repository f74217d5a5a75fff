use super::*;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:gone";

fn attribute(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

fn publish(sns: &Sns, message: &str) -> String {
    let message = message.to_owned();
    sns.publish(Publication { topic_arn: TOPIC.to_owned(), message, ..Publication::default() }).unwrap()
}

#[tokio::test]
async fn what_a_subscriber_does_not_take_goes_to_its_dead_letter_queue() {
    let (sns, sqs) = cloud(&["dead"]);
    sns.create_topic("orders").unwrap();
    let redrive = json!({ "deadLetterTargetArn": sqs.arn("dead") }).to_string();
    let redrive = attribute("RedrivePolicy", &redrive);
    sns.subscribe_with(TOPIC, "sqs", &sqs.arn("gone"), &redrive).unwrap();
    sns.subscribe_with(TOPIC, "lambda", FUNCTION, &redrive).unwrap();
    let id = publish(&sns, "x");
    let received = receive(&sqs, "dead").await;
    assert_eq!((received.len(), sns.undelivered().len()), (2, 0));
    for message in received {
        let body: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!((&body["Type"], &body["MessageId"]), (&json!("Notification"), &json!(id)));
    }
    sqs.delete_queue("dead").unwrap();
    publish(&sns, "y");
    assert_eq!(sns.undelivered().len(), 2, "nor did the dead-letter queue take it");
}

#[tokio::test]
async fn subscriptions_are_checked_as_aws_checks_them() {
    let (sns, sqs) = cloud(&["work"]);
    sns.create_topic("orders").unwrap();
    let refused = |protocol: &str, endpoint: &str, attributes: BTreeMap<String, String>| {
        sns.subscribe_with(TOPIC, protocol, endpoint, &attributes).unwrap_err().to_string()
    };
    let queue = sqs.arn("work");
    let redrive = |arn: &str| attribute("RedrivePolicy", &json!({ "deadLetterTargetArn": arn }).to_string());
    assert!(refused("lambda", &queue, BTreeMap::new()).contains("Lambda endpoint ARN expected"));
    assert!(refused("sqs", FUNCTION, BTreeMap::new()).contains("SQS endpoint ARN expected"));
    assert!(refused("https", "https://a.b", BTreeMap::new()).contains("does not deliver to https"));
    assert!(refused("pigeon", "x", BTreeMap::new()).contains("Does not support this protocol string: pigeon"));
    assert!(refused("lambda", FUNCTION, attribute("RawMessageDelivery", "true")).contains("RawMessageDelivery"));
    assert!(refused("sqs", &queue, attribute("ReplayPolicy", "{}")).contains("ReplayPolicy"));
    assert!(refused("sqs", &queue, attribute("Colour", "red")).contains("Invalid attribute name: Colour"));
    assert!(refused("sqs", &queue, attribute("FilterPolicyScope", "x")).contains("FilterPolicyScope"));
    assert!(refused("sqs", &queue, redrive(FUNCTION)).contains("invalid ARN"));
    assert!(refused("sqs", &queue, redrive(&sqs.arn("d.fifo"))).contains("FIFO or standard"));
}

#[tokio::test]
async fn a_structured_message_has_a_text_for_each_protocol() {
    let (sns, sqs) = cloud(&["dead", "work"]);
    sns.create_topic("orders").unwrap();
    let redrive = json!({ "deadLetterTargetArn": sqs.arn("dead") }).to_string();
    sns.subscribe_with(TOPIC, "lambda", FUNCTION, &attribute("RedrivePolicy", &redrive)).unwrap();
    sns.subscribe(TOPIC, &sqs.arn("work"), true).unwrap();
    let message = r#"{"default":"d","lambda":"l","email":1}"#;
    accepted(&sns, "Publish", &[("TopicArn", TOPIC), ("Message", message), ("MessageStructure", "json")]).await;
    assert_eq!(receive(&sqs, "work").await[0].body, "d");
    let dead: Value = serde_json::from_str(&receive(&sqs, "dead").await[0].body).unwrap();
    assert_eq!(dead["Message"], "l");
    let without = [("TopicArn", TOPIC), ("Message", r#"{"sqs":"q"}"#), ("MessageStructure", "json")];
    assert_eq!(call(&sns, "Publish", &without).await.0, 400);
}
