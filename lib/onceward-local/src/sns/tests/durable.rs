//! Topics of a data folder.

use super::*;
use crate::store::Store;
use crate::store::tests::Folder;

fn open(folder: &Folder) -> Services {
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    Services::open(account, LogSink::discard(), Store::open(&folder.0).unwrap()).unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn topics_subscriptions_filters_and_deduplication_outlive_the_process() {
    let folder = Folder::new();
    let services = open(&folder);
    let fifo = pairs(&[("FifoTopic", "true"), ("ContentBasedDeduplication", "true")]);
    let topic = services.sns.create_topic_with("orders.fifo", &fifo).unwrap();
    services.sqs.create_queue("work.fifo", &pairs(&[("FifoQueue", "true")])).unwrap();
    let attributes = pairs(&[("RawMessageDelivery", "true"), ("FilterPolicy", r#"{"kind":["wanted"]}"#)]);
    let queue_arn = services.sqs.arn("work.fifo");
    let subscription = services.sns.subscribe_with(&topic, "sqs", &queue_arn, &attributes).unwrap();
    let publication = |message: &str, kind: &str| Publication {
        topic_arn: topic.clone(),
        message: message.to_owned(),
        group_id: Some("g".to_owned()),
        attributes: [("kind".to_owned(), MessageAttribute::string(kind))].into(),
        ..Publication::default()
    };
    let first = services.sns.publish_sequenced(publication("a", "wanted")).unwrap();
    services.destinations.disconnect();
    drop(services);

    let services = open(&folder);
    let again = services.sns.publish_sequenced(publication("a", "wanted")).unwrap();
    assert_eq!(again, first, "a duplicate, still");
    let second = services.sns.publish_sequenced(publication("b", "wanted")).unwrap();
    assert!(second.sequence_number > first.sequence_number);
    services.sns.publish(publication("c", "unwanted")).unwrap();
    let received = receive(&services.sqs, "work.fifo").await;
    assert_eq!(received.iter().map(|it| it.body.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let same = services.sns.subscribe_with(&topic, "sqs", &queue_arn, &attributes).unwrap();
    assert_eq!(same, subscription);
    services.destinations.disconnect();
}
