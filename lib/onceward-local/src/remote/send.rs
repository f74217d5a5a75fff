//! What functions' configurations send to the other cloud: on-failure destinations and dead letters.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{Remote, RemoteError, retry_delay};
use crate::{
    events::Entry,
    sqs::{AttributeValue, MessageAttribute, Outgoing},
};

/// Most attempts to send: then the message is lost, and that is said.
const ATTEMPTS_MAX: u32 = 8;

/// Something to send.
#[derive(Debug)]
pub(crate) enum Sending {
    /// To the queue or the topic with this ARN.
    Message(String, Outgoing),
    /// To the bus that it names.
    Event(Entry),
}

impl Remote {
    /// Sends in the background. Must be called from within a Tokio runtime.
    pub(crate) fn send(&self, sending: Sending) {
        let remote = self.clone();
        tokio::spawn(async move {
            for failures in 1..=ATTEMPTS_MAX {
                let Err(error) = remote.try_send(&sending).await else { return };
                if failures == ATTEMPTS_MAX || !error.is_transient() {
                    let (Sending::Message(to, _) | Sending::Event(Entry { bus: to, .. })) = &sending;
                    remote.troubles().say(&format!("could not send to {to}: {error}"));
                    return;
                }
                sleep(retry_delay(failures)).await;
            }
        });
    }

    async fn try_send(&self, sending: &Sending) -> Result<(), RemoteError> {
        match sending {
            Sending::Message(arn, message) if arn.contains(":sns:") => self.publish(arn, message).await,
            Sending::Message(arn, message) => self.send_message(arn, message).await,
            Sending::Event(entry) => self.put_event(entry).await,
        }
    }

    async fn publish(&self, arn: &str, message: &Outgoing) -> Result<(), RemoteError> {
        let mut parameters =
            vec![("TopicArn".to_owned(), arn.to_owned()), ("Message".to_owned(), message.body.clone())];
        for (index, (name, attribute)) in message.attributes.iter().enumerate() {
            let entry = format!("MessageAttributes.entry.{}", index + 1);
            let (field, value) = value(attribute);
            parameters.push((format!("{entry}.Name"), name.clone()));
            parameters.push((format!("{entry}.Value.DataType"), attribute.data_type.clone()));
            parameters.push((format!("{entry}.Value.{field}"), value));
        }
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.client().query("sns", "2010-03-31", "Publish", &parameters).await.map(drop)
    }

    async fn send_message(&self, arn: &str, message: &Outgoing) -> Result<(), RemoteError> {
        let (client, now) = (self.client(), Duration::ZERO);
        let name = arn.rsplit(':').next().unwrap_or_default();
        let found = client.json("sqs", ("AmazonSQS", "GetQueueUrl"), &json!({ "QueueName": name }), now).await?;
        let attributes = message.attributes.iter().map(|(name, attribute)| {
            let (field, value) = value(attribute);
            (name.clone(), json!({ "DataType": attribute.data_type, field: value }))
        });
        let mut request = json!({
            "QueueUrl": found["QueueUrl"],
            "MessageBody": message.body,
            "MessageAttributes": attributes.collect::<Map<_, _>>(),
        });
        if let Some(group) = &message.group_id {
            request["MessageGroupId"] = json!(group);
        }
        client.json("sqs", ("AmazonSQS", "SendMessage"), &request, now).await.map(drop)
    }

    async fn put_event(&self, entry: &Entry) -> Result<(), RemoteError> {
        let entry = json!({
            "EventBusName": entry.bus,
            "Source": entry.source,
            "DetailType": entry.detail_type,
            "Detail": entry.detail,
            "Resources": entry.resources,
        });
        let target = ("AWSEvents", "PutEvents");
        let answer = self.client().json("events", target, &json!({ "Entries": [entry] }), Duration::ZERO).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match text(&answer["Entries"][0]["ErrorCode"]) {
            None => Ok(()),
            Some(code) => Err(RemoteError::Refused {
                operation: "PutEvents".to_owned(),
                code,
                message: text(&answer["Entries"][0]["ErrorMessage"]).unwrap_or_default(),
                status: 200,
            }),
        }
    }
}

/// The field of an attribute's value, and the text in it.
fn value(attribute: &MessageAttribute) -> (&'static str, String) {
    match &attribute.value {
        AttributeValue::Text(text) => ("StringValue", text.clone()),
        AttributeValue::Binary(bytes) => ("BinaryValue", STANDARD.encode(bytes)),
    }
}
