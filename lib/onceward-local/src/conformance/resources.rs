//! Queues, tables, buses and topics of one check.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::behaviour::{Finding, Outcome, holds, same};
use super::request::{DYNAMODB, EVENTS, Request, SNS, SQS, elements};
use super::session::Session;

/// Seconds that a receive waits for a message that must come; it is asked for again while the check's deadline lasts.
const WAIT_S: u64 = 5;

/// Times a message that must come is waited for.
const WAITS_MAX: usize = 6;

/// How long a message is hidden, in seconds, so that it can be seen to be away. Where the steps of a check take longer
/// than that, beside other work, nothing was seen: it is asked for again with the next one.
const HIDDEN_S: [u64; 3] = [2, 8, 24];

/// A queue.
#[derive(Clone)]
pub(super) struct Queue {
    pub(super) session: Session,
    pub(super) url: String,
    pub(super) arn: String,
}

impl Session {
    /// A queue with these attributes; a FIFO queue if they say so.
    pub(super) async fn queue(&self, attributes: Value) -> Result<Queue, Finding> {
        let fifo = attributes["FifoQueue"] == "true";
        let name = self.name() + if fifo { ".fifo" } else { "" };
        let answer = self.call(SQS, "CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await?;
        let url = text(&answer["QueueUrl"]);
        self.clean_up_with(Request::json(SQS, "DeleteQueue", &json!({"QueueUrl": url})));
        let asked = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
        let answer = self.call(SQS, "GetQueueAttributes", asked).await?;
        Ok(Queue { session: self.clone(), url, arn: text(&answer["Attributes"]["QueueArn"]) })
    }

    /// A FIFO queue that tells duplicates by their bodies.
    pub(super) async fn fifo_queue(&self) -> Result<Queue, Finding> {
        self.queue(json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"})).await
    }

    /// A message that `hide` hides for so many seconds, in a queue without others, is not received before they are over,
    /// and then it is. `hide` answers the queue and the message's id.
    ///
    /// What is judged is what was measured: the time that went by since before it was hidden.
    pub(super) async fn comes_back(&self, hide: impl AsyncFn(u64) -> Result<(Queue, Value), Finding>) -> Outcome {
        for seconds in HIDDEN_S {
            let began = Instant::now();
            let (queue, id) = hide(seconds).await?;
            let early = queue.receive(1).await?;
            let took = began.elapsed();
            if took < Duration::from_secs(seconds) {
                holds(early.is_empty(), format!("received after {took:?}, although hidden for {seconds} s"))?;
                return same("MessageId", &queue.next().await?["MessageId"], &id);
            }
        }
        let seconds = HIDDEN_S.last().copied().unwrap_or_default();
        Err(Finding::Differs(format!("not seen: hiding a message and looking for it took longer than {seconds} s")))
    }

    /// A table with a string key `pk`, and a string key `sk` if `sorted`; `more` is merged into the request.
    pub(super) async fn table(&self, sorted: bool, more: Value) -> Result<String, Finding> {
        let name = self.name();
        let mut keys = vec![json!({"AttributeName": "pk", "KeyType": "HASH"})];
        let mut attributes = vec![json!({"AttributeName": "pk", "AttributeType": "S"})];
        if sorted {
            keys.push(json!({"AttributeName": "sk", "KeyType": "RANGE"}));
            attributes.push(json!({"AttributeName": "sk", "AttributeType": "S"}));
        }
        let mut request = json!({
            "TableName": name, "KeySchema": keys, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST",
        });
        if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
            request.extend(more);
        }
        self.call(DYNAMODB, "CreateTable", request).await?;
        let named = json!({"TableName": name});
        self.clean_up_with(Request::json(DYNAMODB, "DeleteTable", &named));
        let active = async || {
            let table = self.call(DYNAMODB, "DescribeTable", named.clone()).await?;
            Ok((table["Table"]["TableStatus"] == "ACTIVE").then_some(()))
        };
        self.eventually("the table is ACTIVE", active).await?;
        Ok(name)
    }

    /// A bus.
    pub(super) async fn bus(&self) -> Result<String, Finding> {
        let name = self.name();
        self.call(EVENTS, "CreateEventBus", json!({"Name": name})).await?;
        self.clean_up_with(Request::json(EVENTS, "DeleteEventBus", &json!({"Name": name})));
        Ok(name)
    }

    /// A rule on `bus` for events that match `pattern`, with these targets (each without its id).
    pub(super) async fn rule(&self, bus: &str, pattern: &Value, targets: &[Value]) -> Result<String, Finding> {
        let name = self.name();
        let rule = json!({"Name": name, "EventBusName": bus, "EventPattern": pattern.to_string()});
        self.call(EVENTS, "PutRule", rule).await?;
        self.clean_up_with(Request::json(EVENTS, "DeleteRule", &json!({"Name": name, "EventBusName": bus})));
        let mut named = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            let mut target = target.clone();
            target["Id"] = format!("target-{number}").into();
            named.push(target);
        }
        if named.is_empty() {
            return Ok(name);
        }
        let ids: Vec<_> = named.iter().map(|target| target["Id"].clone()).collect();
        let put = json!({"Rule": name, "EventBusName": bus, "Targets": named});
        let answer = self.call(EVENTS, "PutTargets", put).await?;
        let remove = json!({"Rule": name, "EventBusName": bus, "Ids": ids});
        self.clean_up_with(Request::json(EVENTS, "RemoveTargets", &remove));
        same("PutTargets: FailedEntryCount", answer["FailedEntryCount"].clone(), json!(0))?;
        Ok(name)
    }

    /// Puts one event with this detail on `bus`; its source is `conformance`, its type `checked`.
    pub(super) async fn put_event(&self, bus: &str, detail: &Value) -> Result<Value, Finding> {
        let entry = json!({
            "EventBusName": bus, "Source": "conformance", "DetailType": "checked", "Detail": detail.to_string(),
        });
        let answer = self.call(EVENTS, "PutEvents", json!({"Entries": [entry]})).await?;
        same("PutEvents: FailedEntryCount", answer["FailedEntryCount"].clone(), json!(0))?;
        Ok(answer)
    }

    /// A topic with these attributes; FIFO if they say so.
    pub(super) async fn topic(&self, attributes: &[(&str, &str)]) -> Result<String, Finding> {
        let fifo = attributes.contains(&("FifoTopic", "true"));
        let name = self.name() + if fifo { ".fifo" } else { "" };
        let mut parameters = vec![("Name".to_owned(), name)];
        parameters.extend(entries("Attributes", attributes));
        let answer = self.query(SNS, "CreateTopic", &borrowed(&parameters)).await?;
        let arn = elements(&answer, "TopicArn").into_iter().next().unwrap_or_default();
        self.clean_up_with(Request::query(SNS, "DeleteTopic", &[("TopicArn", &arn)]));
        Ok(arn)
    }

    /// Subscribes a queue to a topic, with these attributes of the subscription, and says the subscription's ARN.
    pub(super) async fn subscribe(
        &self,
        topic: &str,
        queue: &Queue,
        attributes: &[(&str, &str)],
    ) -> Result<String, Finding> {
        let fixed = [("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", &queue.arn)];
        let mut parameters: Vec<_> = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        parameters.push(("ReturnSubscriptionArn".to_owned(), "true".to_owned()));
        parameters.extend(entries("Attributes", attributes));
        let answer = self.query(SNS, "Subscribe", &borrowed(&parameters)).await?;
        let arn = elements(&answer, "SubscriptionArn").into_iter().next().unwrap_or_default();
        self.clean_up_with(Request::query(SNS, "Unsubscribe", &[("SubscriptionArn", &arn)]));
        Ok(arn)
    }
}

impl Queue {
    /// `body` with the queue's URL in it.
    pub(super) fn with(&self, mut body: Value) -> Value {
        body["QueueUrl"] = self.url.clone().into();
        body
    }

    /// An action on this queue that must succeed.
    pub(super) async fn call(&self, action: &str, body: Value) -> Result<Value, Finding> {
        self.session.call(SQS, action, self.with(body)).await
    }

    /// An action on this queue that must be refused with this code.
    pub(super) async fn refuse(&self, action: &str, body: Value, code: &str) -> Outcome {
        self.session.refuse(SQS, action, self.with(body), code).await.map(drop)
    }

    pub(super) async fn send(&self, body: &str) -> Result<Value, Finding> {
        self.call("SendMessage", json!({"MessageBody": body})).await
    }

    /// To a FIFO queue: each message with a deduplication id of its own.
    pub(super) async fn send_in(&self, group: &str, body: &str) -> Result<Value, Finding> {
        let id = self.session.name();
        self.call("SendMessage", json!({"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": id}))
            .await
    }

    /// What can be received at once, with all attributes.
    pub(super) async fn receive(&self, wait_s: u64) -> Result<Vec<Value>, Finding> {
        let request = json!({
            "MaxNumberOfMessages": 10, "WaitTimeSeconds": wait_s, "MessageSystemAttributeNames": ["All"],
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        let answer = self.call("ReceiveMessage", request).await?;
        Ok(answer["Messages"].as_array().cloned().unwrap_or_default())
    }

    /// The next message, which must come.
    pub(super) async fn next(&self) -> Result<Value, Finding> {
        let request = json!({
            "MaxNumberOfMessages": 1, "WaitTimeSeconds": WAIT_S, "MessageSystemAttributeNames": ["All"],
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        for _ in 0..WAITS_MAX {
            let answer = self.call("ReceiveMessage", request.clone()).await?;
            if answer["Messages"][0].is_object() {
                return Ok(answer["Messages"][0].clone());
            }
        }
        Err(Finding::Differs("a message that should come did not".to_owned()))
    }

    /// Nothing is there, and nothing comes within a second.
    pub(super) async fn stays_empty(&self, why: &str) -> Outcome {
        let messages = self.receive(1).await?;
        let bodies: Vec<_> = messages.iter().map(|message| text(&message["Body"])).collect();
        holds(messages.is_empty(), format!("{why}, yet {bodies:?} can be received"))
    }

    pub(super) async fn delete(&self, message: &Value) -> Outcome {
        self.call("DeleteMessage", json!({"ReceiptHandle": message["ReceiptHandle"]})).await.map(drop)
    }

    /// The bodies of the next `count` messages, each deleted.
    pub(super) async fn take(&self, count: usize) -> Result<Vec<String>, Finding> {
        let mut bodies = Vec::new();
        while bodies.len() < count {
            let message = self.next().await?;
            self.delete(&message).await?;
            bodies.push(text(&message["Body"]));
        }
        Ok(bodies)
    }

    /// One attribute of the queue.
    pub(super) async fn attribute(&self, name: &str) -> Result<String, Finding> {
        let answer = self.call("GetQueueAttributes", json!({"AttributeNames": [name]})).await?;
        Ok(text(&answer["Attributes"][name]))
    }
}

/// The text of a JSON string, empty for anything else.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A map as the query protocol writes it: `Attributes.entry.1.key`.
pub(super) fn entries(name: &str, map: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(number, (key, value)): (usize, &(&str, &str))| {
        let entry = format!("{name}.entry.{}", number + 1);
        [(format!("{entry}.key"), (*key).to_owned()), (format!("{entry}.value"), (*value).to_owned())]
    };
    map.iter().enumerate().flat_map(pair).collect()
}

pub(super) fn borrowed(parameters: &[(String, String)]) -> Vec<(&str, &str)> {
    parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
