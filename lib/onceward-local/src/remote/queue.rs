//! A queue of the other cloud as an event source.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use tokio::{sync::oneshot, time::sleep};

use super::{Remote, RemoteError, retry_delay};
use crate::{
    lambda::QueueSource,
    sqs::{AttributeValue, MessageAttribute, Receive, Received},
};

/// SQS's longest long poll.
const POLL_WAIT: Duration = Duration::from_secs(20);
/// Most messages of one `DeleteMessageBatch`.
const DELETE_MAX: usize = 10;
/// Most attempts to delete a message: then it is delivered again.
const ATTEMPTS_MAX: u32 = 5;

/// A queue of the other cloud.
#[derive(Debug, Clone)]
pub(crate) struct RemoteQueue {
    remote: Remote,
    url: String,
}

impl RemoteQueue {
    /// The queue at `url`.
    pub(crate) fn new(remote: Remote, url: String) -> Self {
        Self { remote, url }
    }

    async fn call(&self, operation: &str, mut request: Value, wait: Duration) -> Result<Value, RemoteError> {
        request["QueueUrl"] = json!(self.url);
        self.remote.client().json("sqs", ("AmazonSQS", operation), &request, wait).await
    }

    /// Asks until there is an answer.
    async fn received(&self, request: Receive) -> Vec<Received> {
        let body = json!({
            "MaxNumberOfMessages": request.max,
            // Whole seconds: rather a little longer than many polls that do not wait.
            "WaitTimeSeconds": request.wait.as_millis().div_ceil(1000),
            // The older name too: not every emulator knows the newer.
            "AttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut failures = 0;
        loop {
            match self.call("ReceiveMessage", body.clone(), request.wait).await {
                Ok(answer) => {
                    self.remote.troubles().end(&self.url);
                    let messages = answer["Messages"].as_array().map(Vec::as_slice).unwrap_or_default();
                    return messages.iter().map(message).collect();
                }
                Err(error) => {
                    self.remote.troubles().begin(&self.url, &error);
                    failures += 1;
                    sleep(retry_delay(failures)).await;
                }
            }
        }
    }

    async fn change_visibility(&self, receipt_handle: &str, visibility: Duration) {
        let request = json!({ "ReceiptHandle": receipt_handle, "VisibilityTimeout": visibility.as_secs() });
        // Refused after 12 hours, or if it is gone; where it fails, the queue's own timeout ends.
        drop(self.call("ChangeMessageVisibility", request, Duration::ZERO).await);
    }

    /// Those of `messages` that are still there, with the reason.
    async fn delete_batch(&self, messages: &[&Received]) -> Vec<(String, String)> {
        let entry = |(index, message): (usize, &&Received)| json!({ "Id": index.to_string(), "ReceiptHandle": message.receipt_handle });
        let request = json!({ "Entries": messages.iter().enumerate().map(entry).collect::<Vec<_>>() });
        let mut failures = 0;
        loop {
            let error = match self.call("DeleteMessageBatch", request.clone(), Duration::ZERO).await {
                Ok(answer) => {
                    self.remote.troubles().end(&self.url);
                    return left(&answer, messages);
                }
                Err(error) => error,
            };
            failures += 1;
            if failures >= ATTEMPTS_MAX || !error.is_transient() {
                let reason = error.to_string();
                return messages.iter().map(|message| (message.message_id.clone(), reason.clone())).collect();
            }
            self.remote.troubles().begin(&self.url, &error);
            sleep(retry_delay(failures)).await;
        }
    }
}

#[async_trait]
impl QueueSource for RemoteQueue {
    fn poll_wait(&self) -> Duration {
        POLL_WAIT
    }

    /// A long poll cannot be taken back: it ends by itself, and what it got for nobody is made visible at once.
    async fn receive(&self, _queue_arn: &str, request: Receive) -> Result<Vec<Received>, String> {
        let (mut sender, receiver) = oneshot::channel::<Vec<Received>>();
        let queue = self.clone();
        tokio::spawn(async move {
            let wait = request.wait + super::ANSWER_MAX;
            let messages = tokio::select! {
                messages = queue.received(request) => messages,
                () = async { sender.closed().await; sleep(wait).await } => return,
            };
            if let Err(messages) = sender.send(messages) {
                for message in messages {
                    queue.change_visibility(&message.receipt_handle, Duration::ZERO).await;
                }
            }
        });
        receiver.await.map_err(|_| "the poll ended".to_owned())
    }

    async fn delete(&self, _queue_arn: &str, messages: &[&Received]) -> Vec<(String, String)> {
        let mut left = Vec::new();
        for batch in messages.chunks(DELETE_MAX) {
            left.extend(self.delete_batch(batch).await);
        }
        left
    }

    async fn hide(&self, _queue_arn: &str, receipt_handle: &str, visibility: Duration) {
        self.change_visibility(receipt_handle, visibility).await;
    }
}

/// The entries that failed, by their messages' ids.
fn left(answer: &Value, messages: &[&Received]) -> Vec<(String, String)> {
    let failed = answer["Failed"].as_array().map(Vec::as_slice).unwrap_or_default();
    let left = failed.iter().filter_map(|entry| {
        let index: usize = entry["Id"].as_str()?.parse().ok()?;
        let reason = entry["Message"].as_str().or(entry["Code"].as_str()).unwrap_or_default();
        Some((messages.get(index)?.message_id.clone(), reason.to_owned()))
    });
    left.collect()
}

/// A message of `ReceiveMessage`.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html>
fn message(message: &Value) -> Received {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let fields = |name: &str| message[name].as_object().into_iter().flat_map(Map::iter);
    let attributes = fields("Attributes")
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    let message_attributes: BTreeMap<_, _> =
        fields("MessageAttributes").map(|(name, value)| (name.clone(), attribute(value))).collect();
    Received {
        message_id: text("MessageId"),
        receipt_handle: text("ReceiptHandle"),
        body: text("Body"),
        md5_of_body: text("MD5OfBody"),
        attributes: attributes.collect(),
        md5_of_message_attributes: message["MD5OfMessageAttributes"]
            .as_str()
            .filter(|_| !message_attributes.is_empty())
            .map(str::to_owned),
        message_attributes,
    }
}

fn attribute(attribute: &Value) -> MessageAttribute {
    let text = |name: &str| attribute[name].as_str();
    let value = match text("StringValue") {
        Some(value) => AttributeValue::Text(value.to_owned()),
        None => AttributeValue::Binary(STANDARD.decode(text("BinaryValue").unwrap_or_default()).unwrap_or_default()),
    };
    MessageAttribute { data_type: text("DataType").unwrap_or_default().to_owned(), value }
}
