//! Topics that invoke functions.

use serde_json::json;
use tokio::sync::mpsc;

use super::{Bench, spec};
use crate::account::Account;
use crate::endpoint::Services;
use crate::lambda::LogSink;
use crate::sns::Publication;
use crate::sqs::MessageAttribute;

#[tokio::test]
async fn a_function_receives_the_documented_event_of_a_topic() {
    let account = Account::new("eu-central-1", "http://127.0.0.1:4566");
    let (sender, log) = mpsc::unbounded_channel();
    let sink = LogSink::new(move |line| {
        let _ = sender.send(line);
    });
    let Services { lambda, sns, logs, .. } = Services::new(account.clone(), sink).unwrap();
    lambda.create_function(spec("f", &[])).unwrap();
    let topic_arn = sns.create_topic("orders").unwrap();
    let function = account.arn("lambda", "function:f");
    let subscription = sns.subscribe_with(&topic_arn, "lambda", &function, &[].into()).unwrap();
    let mut bench = Bench { lambda, account, logs, log };
    let message = Publication {
        topic_arn: topic_arn.clone(),
        message: "Hello from SNS!".to_owned(),
        attributes: [("Test".to_owned(), MessageAttribute::string("TestString"))].into(),
        ..Publication::default()
    };
    let id = sns.publish(message).unwrap();
    let event = bench.event().await;
    let record = &event["Records"][0];
    assert_eq!((&record["EventSource"], &record["EventVersion"]), (&json!("aws:sns"), &json!("1.0")));
    assert_eq!(record["EventSubscriptionArn"], subscription);
    let sns = &record["Sns"];
    assert_eq!((&sns["Type"], &sns["MessageId"]), (&json!("Notification"), &json!(id)));
    assert_eq!((&sns["Message"], &sns["TopicArn"]), (&json!("Hello from SNS!"), &json!(topic_arn)));
    assert_eq!(sns["MessageAttributes"], json!({ "Test": { "Type": "String", "Value": "TestString" } }));
    assert!(sns["Subject"].is_null());
    for member in ["Timestamp", "SignatureVersion", "Signature", "SigningCertUrl", "UnsubscribeUrl"] {
        assert!(sns[member].is_string(), "{member}");
    }
    bench.lambda.shutdown().await;
}
