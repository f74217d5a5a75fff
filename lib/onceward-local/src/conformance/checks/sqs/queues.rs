//! Making and changing queues.

use serde_json::json;

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::request::{Request, SQS};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const CREATE: &str = "APIReference/API_CreateQueue.html";
const SET: &str = "APIReference/API_SetQueueAttributes.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("create-again", "Creating a queue again with the same attributes answers its URL", CREATE, create_again)
        .add(
            "create-otherwise",
            "Creating a queue again with another value of an attribute is refused with QueueNameExists",
            CREATE,
            create_otherwise,
        )
        .add("queue-names", "A queue's name has up to 80 letters, digits, hyphens and underscores", CREATE, names)
        .add("fifo-name", "The name of a FIFO queue ends with .fifo", CREATE, fifo_name)
        .add("unknown-attribute", "An unknown attribute is refused with InvalidAttributeName", SET, unknown_attribute)
        .add(
            "attribute-range",
            "An attribute out of its range is refused with InvalidAttributeValue",
            SET,
            attribute_range,
        )
        .add("defaults", "A queue that says nothing has the documented attributes", CREATE, defaults)
        .add("set-attributes", "SetQueueAttributes changes what GetQueueAttributes answers", SET, set_attributes)
        .add(
            "deleted-queue",
            "A deleted queue's name cannot be used again for 60 seconds: QueueDeletedRecently",
            CREATE,
            deleted_queue,
        )
        .add("purge", "Purging a queue deletes its messages", "APIReference/API_PurgeQueue.html", purge)
        .add(
            "purge-again",
            "A second purge within 60 seconds is refused with PurgeQueueInProgress",
            "APIReference/API_PurgeQueue.html",
            purge_again,
        )
        .add(
            "permissions",
            "AddPermission puts a statement into the queue's Policy, RemovePermission takes it out",
            "APIReference/API_AddPermission.html",
            permissions,
        )
        .add(
            "tag-restrictions",
            "A tag's key has 1 to 128 characters, its value up to 256, and aws: is reserved",
            "APIReference/API_TagQueue.html",
            tag_restrictions,
        )
        .add("tags", "Tags are added, listed and removed", "APIReference/API_TagQueue.html", tags)
        .add(
            "list-prefix",
            "ListQueues answers the queues whose names begin with a prefix",
            "APIReference/API_ListQueues.html",
            list_prefix,
        )
        .add(
            "list-pages",
            "With MaxResults ListQueues answers a page and the NextToken of the next",
            "APIReference/API_ListQueues.html",
            list_pages,
        )
        .done()
}

async fn create_again(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "31"})).await?;
    let name = queue.url.rsplit('/').next().unwrap_or_default();
    let request = json!({"QueueName": name, "Attributes": {"VisibilityTimeout": "31"}});
    let answer = session.call(SQS, "CreateQueue", request).await?;
    same("QueueUrl", text(&answer["QueueUrl"]), queue.url.as_str())?;
    let answer = session.call(SQS, "GetQueueUrl", json!({"QueueName": name})).await?;
    same("GetQueueUrl", text(&answer["QueueUrl"]), queue.url.as_str())
}

async fn create_otherwise(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "31"})).await?;
    let name = queue.url.rsplit('/').next().unwrap_or_default();
    let request = json!({"QueueName": name, "Attributes": {"VisibilityTimeout": "32"}});
    let reply = session.send(Request::json(SQS, "CreateQueue", &request)).await?;
    reply.refusal(&["QueueNameExists", "QueueAlreadyExists"]).map(drop)
}

async fn names(session: Session) -> Outcome {
    for name in ["has a space".to_owned(), "x".repeat(81), String::new()] {
        let reply = session.send(Request::json(SQS, "CreateQueue", &json!({"QueueName": name}))).await?;
        reply.refusal(&[])?;
    }
    Ok(())
}

async fn fifo_name(session: Session) -> Outcome {
    let request = json!({"QueueName": session.name(), "Attributes": {"FifoQueue": "true"}});
    session.send(Request::json(SQS, "CreateQueue", &request)).await?.refusal(&[]).map(drop)
}

async fn unknown_attribute(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.refuse("SetQueueAttributes", json!({"Attributes": {"Colour": "blue"}}), "InvalidAttributeName").await
}

async fn attribute_range(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let attributes = [
        ("VisibilityTimeout", "43201"),
        ("DelaySeconds", "901"),
        ("MessageRetentionPeriod", "59"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("MaximumMessageSize", "1023"),
    ];
    for (name, value) in attributes {
        queue.refuse("SetQueueAttributes", json!({"Attributes": {name: value}}), "InvalidAttributeValue").await?;
    }
    Ok(())
}

async fn defaults(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let documented = [
        ("VisibilityTimeout", "30"),
        ("DelaySeconds", "0"),
        ("MessageRetentionPeriod", "345600"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("MaximumMessageSize", "1048576"),
    ];
    for (name, value) in documented {
        same(name, queue.attribute(name).await?, value)?;
    }
    Ok(())
}

async fn set_attributes(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.call("SetQueueAttributes", json!({"Attributes": {"VisibilityTimeout": "77"}})).await?;
    same("VisibilityTimeout", queue.attribute("VisibilityTimeout").await?, "77")?;
    same("DelaySeconds", queue.attribute("DelaySeconds").await?, "0")
}

async fn deleted_queue(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.call("DeleteQueue", json!({})).await?;
    let name = queue.url.rsplit('/').next().unwrap_or_default();
    session.refuse(SQS, "CreateQueue", json!({"QueueName": name}), "QueueDeletedRecently").await.map(drop)
}

async fn purge(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "1"})).await?;
    queue.send("in flight").await?;
    queue.next().await?;
    queue.send("visible").await?;
    queue.call("PurgeQueue", json!({})).await?;
    queue.stays_empty("the queue was purged").await?;
    queue.stays_empty("the queue was purged").await
}

async fn purge_again(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.call("PurgeQueue", json!({})).await?;
    queue.refuse("PurgeQueue", json!({}), "PurgeQueueInProgress").await
}

async fn permissions(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let account = queue.arn.split(':').nth(4).unwrap_or_default();
    let permission = json!({"Label": "senders", "AWSAccountIds": [account], "Actions": ["SendMessage"]});
    queue.call("AddPermission", permission).await?;
    let policy = queue.attribute("Policy").await?;
    holds(policy.contains("senders"), format!("the Policy is {policy:?}"))?;
    queue.call("RemovePermission", json!({"Label": "senders"})).await?;
    let policy = queue.attribute("Policy").await?;
    holds(!policy.contains("senders"), format!("the Policy is {policy:?}"))
}

async fn tags(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.call("TagQueue", json!({"Tags": {"team": "orders", "stage": "test"}})).await?;
    queue.call("UntagQueue", json!({"TagKeys": ["stage"]})).await?;
    same("Tags", &queue.call("ListQueueTags", json!({})).await?["Tags"], &json!({"team": "orders"}))
}

async fn tag_restrictions(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let tags = json!({"k".repeat(128): "v".repeat(256)});
    queue.call("TagQueue", json!({"Tags": tags})).await?;
    for refused in [json!({"k".repeat(129): "v"}), json!({"k": "v".repeat(257)}), json!({"aws:k": "v"})] {
        queue.refuse("TagQueue", json!({"Tags": refused}), "InvalidParameterValue").await?;
    }
    same("Tags", &queue.call("ListQueueTags", json!({})).await?["Tags"], &tags)
}

async fn list_prefix(session: Session) -> Outcome {
    let (one, two) = (session.queue(json!({})).await?, session.queue(json!({})).await?);
    let answer = session.call(SQS, "ListQueues", json!({"QueueNamePrefix": session.prefix()})).await?;
    let mut urls: Vec<_> = answer["QueueUrls"].as_array().into_iter().flatten().map(text).collect();
    urls.sort();
    same("QueueUrls", urls, vec![one.url, two.url])
}

async fn list_pages(session: Session) -> Outcome {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(session.queue(json!({})).await?.url);
    }
    let mut request = json!({"QueueNamePrefix": session.prefix(), "MaxResults": 2});
    let first = session.call(SQS, "ListQueues", request.clone()).await?;
    let urls = |answer: &serde_json::Value| answer["QueueUrls"].as_array().cloned().unwrap_or_default();
    same("queues of the first page", urls(&first).len(), 2)?;
    holds(first["NextToken"].is_string(), "the first page has no NextToken")?;
    request["NextToken"] = first["NextToken"].clone();
    let second = session.call(SQS, "ListQueues", request).await?;
    let mut all: Vec<_> = [urls(&first), urls(&second)].concat().iter().map(text).collect();
    all.sort();
    same("the queues of both pages", all, made)?;
    holds(second["NextToken"].is_null(), "the last page has a NextToken")
}
