use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    types::{
        Message, MessageSystemAttributeName,
        QueueAttributeName::{self, ContentBasedDeduplication, FifoQueue, QueueArn, VisibilityTimeout},
    },
};
use onceward::SourceQueue;
use onceward_aws::SqsQueues;
use onceward_testing::contract::{Letter, QueueProbe, QueueSettings, Received};

use super::unique_name;

/// The most messages of one receive:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
const MESSAGES_MAX: i32 = 10;

/// A source queue and its dead-letter queue, made for one case.
pub(super) struct Queues {
    adapter: SqsQueues,
    source: Queue,
    dead_letters: Queue,
    began: Instant,
    puts: AtomicU64,
}

impl Queues {
    pub(super) async fn create(config: &SdkConfig, settings: QueueSettings) -> Self {
        let client = Client::new(config);
        let visibility = (VisibilityTimeout, settings.visibility.as_secs().to_string());
        let source = Queue::create(&client, settings.fifo, [visibility]).await;
        let dead_letters = Queue::create(&client, settings.fifo, []).await;
        let adapter = SqsQueues::new(client, &source.url, &dead_letters.url);
        Self { adapter, source, dead_letters, began: Instant::now(), puts: AtomicU64::new(0) }
    }
}

#[async_trait]
impl QueueProbe for Queues {
    fn adapter(&self) -> &dyn SourceQueue {
        &self.adapter
    }

    async fn put(&self, body: &str, group: Option<&str>) {
        let mut request = self.source.client.send_message().queue_url(&self.source.url).message_body(body);
        if let Some(group) = group {
            let id = self.puts.fetch_add(1, Ordering::Relaxed);
            request = request.message_group_id(group).message_deduplication_id(id.to_string());
        }
        request.send().await.expect("the queue takes the message");
    }

    async fn receive(&self, wait: Duration) -> Vec<Received> {
        let received = |message: Message| Received {
            body: message.body.expect("a body"),
            receipt_handle: message.receipt_handle.expect("a receipt handle"),
        };
        self.source.receive(wait).await.into_iter().map(received).collect()
    }

    async fn take_letters(&self, wait: Duration) -> Vec<Letter> {
        let letter = |message: Message| {
            let mut system = message.attributes.unwrap_or_default();
            let attributes = message.message_attributes.unwrap_or_default().into_iter();
            Letter {
                body: message.body.expect("a body"),
                group: system.remove(&MessageSystemAttributeName::MessageGroupId),
                attributes: attributes.filter_map(|(name, value)| Some((name, value.string_value?))).collect(),
            }
        };
        self.dead_letters.take(wait).await.into_iter().map(letter).collect()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// One queue with a name of its own.
pub(crate) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// A FIFO queue tells messages that were sent without a deduplication id by their bodies.
    pub(crate) async fn create<const N: usize>(
        client: &Client,
        fifo: bool,
        attributes: [(QueueAttributeName, String); N],
    ) -> Self {
        let name = unique_name() + if fifo { ".fifo" } else { "" };
        let mut request = client.create_queue().queue_name(name);
        for (attribute, value) in attributes {
            request = request.attributes(attribute, value);
        }
        if fifo {
            request = request.attributes(FifoQueue, "true").attributes(ContentBasedDeduplication, "true");
        }
        let answer = request.send().await.expect("the queue is created");
        Self { client: client.clone(), url: answer.queue_url.expect("a URL") }
    }

    pub(crate) async fn arn(&self) -> String {
        let request = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(QueueArn);
        let attributes = request.send().await.expect("the queue has attributes").attributes;
        attributes.and_then(|mut attributes| attributes.remove(&QueueArn)).expect("an ARN")
    }

    /// Receives messages and deletes them.
    pub(crate) async fn take(&self, wait: Duration) -> Vec<Message> {
        let messages = self.receive(wait).await;
        for message in &messages {
            let request = self.client.delete_message().queue_url(&self.url);
            let request = request.set_receipt_handle(message.receipt_handle.clone());
            request.send().await.expect("the message is deleted");
        }
        messages
    }

    async fn receive(&self, wait: Duration) -> Vec<Message> {
        let wait_s = i32::try_from(wait.as_secs()).expect("a wait of seconds");
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(MESSAGES_MAX);
        let request = request.wait_time_seconds(wait_s).message_attribute_names("All");
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        request.send().await.expect("the queue can be read").messages.unwrap_or_default()
    }
}
