use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use onceward::{Clock as _, ReceiveLimit};
use serde_json::Value;
use tokio::sync::Mutex;

use super::SqsQueues;
use crate::{
    SystemClock,
    refusal::{BoxError, Resource, explained, one_line},
    settings,
};

/// How long a queue's limit, or that it cannot be read, is taken for known: a template that is deployed anew is seen
/// after this time by processes that run on.
const LIMIT_KNOWN_FOR: Duration = Duration::from_mins(5);

/// What IAM calls the action.
const GET_QUEUE_ATTRIBUTES: &str = "sqs:GetQueueAttributes";

/// After how many receives each queue moves a message, read at the first failure and kept for the process.
#[derive(Debug)]
pub(crate) struct ReceiveLimits {
    /// What [`settings::MAX_RECEIVE_COUNT`] says: then no queue is asked.
    setting: Option<u32>,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Debug)]
struct Known {
    /// On the monotonic clock.
    at: Duration,
    limit: Option<u32>,
}

impl ReceiveLimits {
    pub(crate) fn new(setting: Option<u32>) -> Self {
        Self { setting, known: Mutex::new(HashMap::new()) }
    }

    /// `now` is on the monotonic clock. Who asks while another is asking waits for its answer.
    pub(super) async fn of(&self, client: &Client, queue_url: &str, now: Duration) -> Option<u32> {
        if self.setting.is_some() {
            return self.setting;
        }
        let mut known = self.known.lock().await;
        if let Some(known) = known.get(queue_url).filter(|known| now.saturating_sub(known.at) < LIMIT_KNOWN_FOR) {
            return known.limit;
        }
        let limit = read(client, queue_url).await.unwrap_or_else(|error| {
            tracing::warn!(
                queue = queue_url,
                error = one_line(error.as_ref()),
                "after how many receives the queue gives a message up cannot be read, so what fails then is moved without \
                 a reason: allow {GET_QUEUE_ATTRIBUTES} on the queue in the function's role, or set {} to its \
                 maxReceiveCount",
                settings::MAX_RECEIVE_COUNT,
            );
            None
        });
        known.insert(queue_url.to_owned(), Known { at: now, limit });
        limit
    }
}

/// `None` if the queue gives nothing up.
async fn read(client: &Client, queue_url: &str) -> Result<Option<u32>, BoxError> {
    let request = client.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::RedrivePolicy);
    let queue = || Resource { kind: "queue", name: queue_url.to_owned(), variable: None };
    let answer = request.send().await.map_err(|error| explained(GET_QUEUE_ATTRIBUTES, &[queue()], error))?;
    let policy = answer.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::RedrivePolicy));
    let Some(policy) = policy.filter(|policy| !policy.is_empty()) else { return Ok(None) };
    max_receive_count(policy).map(Some).ok_or_else(|| format!("its RedrivePolicy is {policy}").into())
}

/// A number, or the text of one: SQS answers it as it was set.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
fn max_receive_count(policy: &str) -> Option<u32> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    match policy.get("maxReceiveCount")? {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|number| u32::try_from(number).ok()),
    }
}

#[async_trait]
impl ReceiveLimit for SqsQueues {
    async fn receive_count_max(&self) -> Option<u32> {
        self.limits.of(&self.client, &self.queue_url, SystemClock.monotonic()).await
    }
}
