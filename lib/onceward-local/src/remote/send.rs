//! What functions' configurations send to the other cloud: on-failure destinations and dead letters.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{Remote, RemoteError, retry_delay};
use crate::sqs::{AttributeValue, MessageAttribute, Outgoing};

/// Most attempts to send: then the message is lost, and that is said.
const ATTEMPTS_MAX: u32 = 8;

impl Remote {
    /// Sends `message` to the queue or the topic `arn`, in the background.
    pub(crate) fn send(&self, arn: &str, message: Outgoing) {
        let (remote, arn) = (self.clone(), arn.to_owned());
        tokio::spawn(async move {
            for failures in 1..=ATTEMPTS_MAX {
                let Err(error) = remote.try_send(&arn, &message).await else { return };
                if failures == ATTEMPTS_MAX || !error.is_transient() {
                    remote.troubles().say(&format!("could not send to {arn}: {error}"));
                    return;
                }
                sleep(retry_delay(failures)).await;
            }
        });
    }

    async fn try_send(&self, arn: &str, message: &Outgoing) -> Result<(), RemoteError> {
        let (client, now) = (self.client(), Duration::ZERO);
        if arn.contains(":sns:") {
            let parameters = [("TopicArn", arn), ("Message", message.body.as_str())];
            return client.query("sns", "2010-03-31", "Publish", &parameters).await.map(drop);
        }
        let name = arn.rsplit(':').next().unwrap_or_default();
        let found = client.json("sqs", ("AmazonSQS", "GetQueueUrl"), &json!({ "QueueName": name }), now).await?;
        let attributes = message.attributes.iter().map(|(name, value)| (name.clone(), attribute(value)));
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
}

fn attribute(attribute: &MessageAttribute) -> Value {
    match &attribute.value {
        AttributeValue::Text(text) => json!({ "DataType": attribute.data_type, "StringValue": text }),
        AttributeValue::Binary(bytes) => {
            json!({ "DataType": attribute.data_type, "BinaryValue": STANDARD.encode(bytes) })
        }
    }
}
