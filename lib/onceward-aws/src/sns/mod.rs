use aws_sdk_sns::{Client, types::MessageAttributeValue};

use crate::refusal::{BoxError, Resource, explained};

/// The longest subject SNS takes, in characters:
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
const SUBJECT_CHARS_MAX: usize = 99;

/// What IAM calls the action.
const PUBLISH: &str = "sns:Publish";

/// An SNS topic, for a handler that tells someone something. Outside the transaction: use it in guarded mode.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    arn: String,
    variable: Option<String>,
}

/// A message that was not published, or whose outcome is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the message could not be published to the topic")]
pub struct SnsError {
    /// What SNS says.
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl SnsTopic {
    /// A topic by its ARN.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), variable: None }
    }

    /// Says in errors which variable the ARN comes from.
    pub(crate) fn named_by(self, variable: &str) -> Self {
        Self { variable: Some(variable.to_owned()), ..self }
    }

    /// Publishes a message; answers SNS's id of it. The key goes along as the attribute `idempotency_key`: at most
    /// 256 KiB with the message.
    pub async fn publish(&self, subject: &str, message: &str, idempotency_key: &str) -> Result<String, SnsError> {
        let failed = |source: BoxError| SnsError { source };
        let key = MessageAttributeValue::builder().data_type("String").string_value(idempotency_key).build();
        let request = self.client.publish().topic_arn(&self.arn).message(message);
        let request = request.subject(subject.chars().take(SUBJECT_CHARS_MAX).collect::<String>());
        let request = request.message_attributes("idempotency_key", key.map_err(|error| failed(error.into()))?);
        let answer = request.send().await.map_err(|error| failed(explained(PUBLISH, &[self.resource()], error)))?;
        answer.message_id.ok_or_else(|| failed("SNS has answered without the message's id".into()))
    }

    /// The topic, as an error names it.
    fn resource(&self) -> Resource {
        Resource { kind: "topic", name: self.arn.clone(), variable: self.variable.clone() }
    }
}

#[cfg(test)]
mod tests;
