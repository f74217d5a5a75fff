//! Making and changing topics and subscriptions.

use serde_json::json;

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::request::{SNS, elements};
use crate::conformance::session::Session;

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("create-again", "Creating a topic again answers its ARN", "api/API_CreateTopic.html", create_again)
        .add(
            "topic-names",
            "A topic's name has up to 256 letters, digits, underscores and hyphens",
            "api/API_CreateTopic.html",
            names,
        )
        .add("fifo-name", "The name of a FIFO topic ends with .fifo", "api/API_CreateTopic.html", fifo_name)
        .add(
            "topic-attributes",
            "A topic's attributes tell its owner and its confirmed subscriptions",
            "api/API_GetTopicAttributes.html",
            attributes,
        )
        .add("list-topics", "ListTopics names the topics", "api/API_ListTopics.html", list_topics)
        .add("delete-again", "Deleting a topic that does not exist succeeds", "api/API_DeleteTopic.html", delete_again)
        .add("subscribe-again", "Subscribing an endpoint again answers the same ARN", "api/API_Subscribe.html", again)
        .add(
            "unsubscribe",
            "After Unsubscribe the endpoint receives nothing and is not listed",
            "api/API_Unsubscribe.html",
            unsubscribe,
        )
        .add(
            "deleted-topics-subscriptions",
            "Deleting a topic deletes its subscriptions",
            "api/API_DeleteTopic.html",
            deleted,
        )
        .add(
            "topic-arn",
            "What is no ARN is an InvalidParameter, not a topic that is missing",
            "api/API_GetTopicAttributes.html",
            topic_arn,
        )
        .add("topic-tags", "Tags are added, listed and removed", "api/API_TagResource.html", tags)
        .done()
}

fn first(xml: &str, name: &str) -> String {
    elements(xml, name).into_iter().next().unwrap_or_default()
}

async fn create_again(session: Session) -> Outcome {
    let arn = session.topic(&[]).await?;
    let name = arn.rsplit(':').next().unwrap_or_default();
    same("TopicArn", first(&session.query(SNS, "CreateTopic", &[("Name", name)]).await?, "TopicArn"), arn.as_str())
}

async fn names(session: Session) -> Outcome {
    for name in ["has a space".to_owned(), "x".repeat(257), String::new()] {
        session.refuse_query(SNS, "CreateTopic", &[("Name", &name)], "InvalidParameter").await?;
    }
    Ok(())
}

async fn fifo_name(session: Session) -> Outcome {
    let name = session.name();
    let parameters =
        [("Name", name.as_str()), ("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true")];
    session.refuse_query(SNS, "CreateTopic", &parameters, "InvalidParameter").await.map(drop)
}

async fn attributes(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    session.subscribe(&topic, &queue, &[]).await?;
    let answer = session.query(SNS, "GetTopicAttributes", &[("TopicArn", &topic)]).await?;
    let values = elements(&answer, "value");
    let value = |name: &str| {
        elements(&answer, "key").iter().position(|key| key == name).and_then(|place| values.get(place)).cloned()
    };
    same("TopicArn", value("TopicArn"), Some(topic.clone()))?;
    same("Owner", value("Owner"), topic.split(':').nth(4).map(str::to_owned))?;
    same("SubscriptionsConfirmed", value("SubscriptionsConfirmed"), Some("1".to_owned()))
}

async fn topic_arn(session: Session) -> Outcome {
    let missing = format!("{}-none", session.topic(&[]).await?);
    for (arn, code) in [("orders", "InvalidParameter"), (missing.as_str(), "NotFound")] {
        session.refuse_query(SNS, "GetTopicAttributes", &[("TopicArn", arn)], code).await?;
    }
    Ok(())
}

async fn list_topics(session: Session) -> Outcome {
    let topic = session.topic(&[]).await?;
    let mut token = String::new();
    loop {
        let parameters = [("NextToken", token.as_str())];
        let parameters = if token.is_empty() { &parameters[..0] } else { &parameters };
        let answer = session.query(SNS, "ListTopics", parameters).await?;
        if elements(&answer, "TopicArn").contains(&topic) {
            return Ok(());
        }
        token = first(&answer, "NextToken");
        same("there is a further page, as the topic was not listed", token.is_empty(), false)?;
    }
}

async fn delete_again(session: Session) -> Outcome {
    let topic = session.topic(&[]).await?;
    session.query(SNS, "DeleteTopic", &[("TopicArn", &topic)]).await?;
    session.query(SNS, "DeleteTopic", &[("TopicArn", &topic)]).await?;
    let reply = session.refuse_query(SNS, "GetTopicAttributes", &[("TopicArn", &topic)], "NotFound").await?;
    same("status", reply.status, 404)
}

async fn again(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    let one = session.subscribe(&topic, &queue, &[]).await?;
    same("SubscriptionArn", session.subscribe(&topic, &queue, &[]).await?, one)
}

async fn unsubscribe(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    let arn = session.subscribe(&topic, &queue, &[]).await?;
    let listed = session.query(SNS, "ListSubscriptionsByTopic", &[("TopicArn", &topic)]).await?;
    same("the subscriptions", elements(&listed, "SubscriptionArn"), vec![arn.clone()])?;
    session.query(SNS, "Unsubscribe", &[("SubscriptionArn", &arn)]).await?;
    let listed = session.query(SNS, "ListSubscriptionsByTopic", &[("TopicArn", &topic)]).await?;
    same("the subscriptions", elements(&listed, "SubscriptionArn"), Vec::<String>::new())?;
    session.query(SNS, "Publish", &[("TopicArn", &topic), ("Message", "x")]).await?;
    queue.stays_empty("nobody is subscribed").await
}

async fn deleted(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    let arn = session.subscribe(&topic, &queue, &[]).await?;
    session.query(SNS, "DeleteTopic", &[("TopicArn", &topic)]).await?;
    let parameters = [("SubscriptionArn", arn.as_str())];
    session.refuse_query(SNS, "GetSubscriptionAttributes", &parameters, "NotFound").await.map(drop)
}

async fn tags(session: Session) -> Outcome {
    let topic = session.topic(&[]).await?;
    let parameters = [
        ("ResourceArn", topic.as_str()),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "orders"),
        ("Tags.member.2.Key", "stage"),
        ("Tags.member.2.Value", "test"),
    ];
    session.query(SNS, "TagResource", &parameters).await?;
    session.query(SNS, "UntagResource", &[("ResourceArn", &topic), ("TagKeys.member.1", "stage")]).await?;
    let listed = session.query(SNS, "ListTagsForResource", &[("ResourceArn", &topic)]).await?;
    same("the tags", [elements(&listed, "Key"), elements(&listed, "Value")].concat(), vec!["team", "orders"])
}
