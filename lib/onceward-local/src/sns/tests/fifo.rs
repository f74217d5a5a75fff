use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::destination::Destinations;

const FIFO_TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:orders.fifo";

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let fifo = [("FifoTopic", "true")];
    pairs.iter().chain(&fifo).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn message(text: &str, group: &str, id: Option<&str>) -> Publication {
    Publication {
        topic_arn: FIFO_TOPIC.to_owned(),
        message: text.to_owned(),
        group_id: Some(group.to_owned()),
        deduplication_id: id.map(str::to_owned),
        ..Publication::default()
    }
}

#[tokio::test]
async fn a_fifo_topic_delivers_in_order_to_fifo_queues_and_to_standard_queues() {
    let (sns, sqs) = cloud(&["standard"]);
    let fifo_queue = [("FifoQueue".to_owned(), "true".to_owned())].into();
    sqs.create_queue("work.fifo", &fifo_queue).unwrap();
    sns.create_topic_with("orders.fifo", &attributes(&[])).unwrap();
    sns.subscribe(FIFO_TOPIC, &sqs.arn("work.fifo"), false).unwrap();
    sns.subscribe(FIFO_TOPIC, &sqs.arn("standard"), true).unwrap();
    let first = sns.publish_sequenced(message("1", "g", Some("a"))).unwrap();
    let second = sns.publish_sequenced(message("2", "g", Some("b"))).unwrap();
    let numbers = (first.sequence_number.unwrap(), second.sequence_number.unwrap());
    assert!(numbers.0 < numbers.1 && numbers.0.len() == 20, "{numbers:?}");
    let received = receive(&sqs, "work.fifo").await;
    assert_eq!(received.len(), 2);
    let body: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!((&body["Message"], &body["SequenceNumber"]), (&json!("1"), &json!(numbers.0)));
    assert_eq!(received[0].attributes["MessageGroupId"], "g");
    assert_eq!(received[0].attributes["MessageDeduplicationId"], "a");
    let standard: Vec<String> = receive(&sqs, "standard").await.into_iter().map(|it| it.body).collect();
    assert_eq!(standard, ["1", "2"]);
}

#[tokio::test]
async fn a_duplicate_within_five_minutes_is_accepted_and_not_delivered() {
    let now_ms = Arc::new(AtomicI64::new(1_700_000_000_000));
    let clock = Arc::clone(&now_ms);
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    // Nothing is delivered in this cloud: what was tried is counted.
    let sns = Sns::with_clock(account, Destinations::default(), move || clock.load(Ordering::Relaxed));
    sns.create_topic_with("orders.fifo", &attributes(&[("ContentBasedDeduplication", "true")])).unwrap();
    sns.subscribe(FIFO_TOPIC, "arn:aws:sqs:eu-west-1:000000000000:q.fifo", false).unwrap();
    let first = sns.publish_sequenced(message("same", "g", None)).unwrap();
    now_ms.fetch_add(299_999, Ordering::Relaxed);
    assert_eq!(sns.publish_sequenced(message("same", "other", None)).unwrap(), first, "the scope is the topic");
    assert_eq!(sns.undelivered().len(), 1);
    sns.publish(message("same", "g", Some("own-id"))).unwrap();
    assert_eq!(sns.undelivered().len(), 2);
    now_ms.fetch_add(1, Ordering::Relaxed);
    assert_ne!(sns.publish_sequenced(message("same", "g", None)).unwrap(), first);
    accepted(
        &sns,
        "SetTopicAttributes",
        &[("TopicArn", FIFO_TOPIC), ("AttributeName", "FifoThroughputScope"), ("AttributeValue", "MessageGroup")],
    )
    .await;
    sns.publish(message("new", "g", None)).unwrap();
    sns.publish(message("new", "other", None)).unwrap();
    sns.publish(message("new", "g", None)).unwrap();
    assert_eq!(sns.undelivered().len(), 5, "the scope is the group");
}

#[tokio::test]
async fn a_fifo_topic_requires_a_group_and_an_id_and_takes_no_functions() {
    let (sns, sqs) = cloud(&["work"]);
    sns.create_topic_with("orders.fifo", &attributes(&[])).unwrap();
    sns.create_topic("orders").unwrap();
    let refused = |publication| sns.publish(publication).unwrap_err().to_string();
    assert!(refused(message("x", "g", None)).contains("ContentBasedDeduplication"));
    assert!(refused(Publication { group_id: None, ..message("x", "g", Some("d")) }).contains("MessageGroupId"));
    assert!(refused(message("x", "g h", Some("d"))).contains("MessageGroupId"));
    let standard = Publication { topic_arn: TOPIC.to_owned(), ..message("x", "g", Some("d")) };
    assert!(refused(standard).contains("not valid for this topic type"));
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:f";
    let refused = sns.subscribe_with(FIFO_TOPIC, "lambda", function, &BTreeMap::new()).unwrap_err();
    assert!(refused.to_string().contains("queues only"), "{refused}");
    sns.subscribe(TOPIC, &sqs.arn("work"), true).unwrap();
    sns.publish(Publication { topic_arn: TOPIC.to_owned(), deduplication_id: None, ..message("x", "g", None) })
        .unwrap();
    let received = receive(&sqs, "work").await;
    assert_eq!(received[0].attributes["MessageGroupId"], "g", "the group makes a standard queue fair");
}

#[tokio::test]
async fn a_batch_to_a_fifo_topic_has_sequence_numbers_and_drops_its_own_duplicates() {
    let (sns, sqs) = cloud(&[]);
    sqs.create_queue("work.fifo", &[("FifoQueue".to_owned(), "true".to_owned())].into()).unwrap();
    sns.create_topic_with("orders.fifo", &attributes(&[("ContentBasedDeduplication", "true")])).unwrap();
    sns.subscribe(FIFO_TOPIC, &sqs.arn("work.fifo"), true).unwrap();
    let mut parameters = vec![("TopicArn".to_owned(), FIFO_TOPIC.to_owned())];
    for (number, message) in ["1", "1", "2"].into_iter().enumerate() {
        let entry = format!("PublishBatchRequestEntries.member.{}", number + 1);
        let fields = [("Id", number.to_string()), ("Message", message.to_owned()), ("MessageGroupId", "g".to_owned())];
        parameters.extend(fields.map(|(name, value)| (format!("{entry}.{name}"), value)));
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = accepted(&sns, "PublishBatch", &parameters).await;
    assert_eq!(body.matches("<SequenceNumber>").count(), 3, "{body}");
    assert_eq!(receive(&sqs, "work.fifo").await.len(), 2);
}
