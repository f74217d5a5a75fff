use aws_sdk_sqs::types::{
    Message,
    QueueAttributeName::{
        self, ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
        ApproximateNumberOfMessagesNotVisible as InFlight,
    },
};

use super::{System, found};

/// The most messages of one receive, and the longest it waits for one, in seconds:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
const MESSAGES_MAX: i32 = 10;
const WAIT_MAX: i32 = 20;

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) visible: usize,
    pub(crate) in_flight: usize,
    pub(crate) delayed: usize,
}

impl Depth {
    pub(crate) fn backlog(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
}

impl System {
    pub(crate) async fn depth(&self, queue: &str) -> Depth {
        let request = self.sqs.get_queue_attributes().queue_url(self.queue_url(queue).await);
        let request = request.attribute_names(Visible).attribute_names(InFlight).attribute_names(Delayed);
        let attributes = request.send().await.expect("the queue exists").attributes.expect("attributes");
        let count = |name: QueueAttributeName| attributes[&name].parse().expect("a number");
        Depth { visible: count(Visible), in_flight: count(InFlight), delayed: count(Delayed) }
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) {
        let request = self.sqs.send_message().queue_url(self.queue_url(queue).await).message_body(body);
        request.send().await.expect("SQS takes it");
    }

    /// Changes when a queue gives a message up.
    pub(crate) async fn set_redrive_policy(&self, queue: &str, policy: &str) {
        self.set_attribute(queue, QueueAttributeName::RedrivePolicy, policy).await;
    }

    /// Changes for how many seconds a received message is hidden.
    pub(crate) async fn hide_for(&self, queue: &str, seconds: &str) {
        self.set_attribute(queue, QueueAttributeName::VisibilityTimeout, seconds).await;
    }

    async fn set_attribute(&self, queue: &str, name: QueueAttributeName, value: &str) {
        let request = self.sqs.set_queue_attributes().queue_url(self.queue_url(queue).await);
        request.attributes(name, value).send().await.expect("the queue takes it");
    }

    /// Moves a queue's messages to another one, or to where they come from; answers the task's status, why it failed, and how
    /// many messages it moved.
    pub(crate) async fn move_messages(&self, queue: &str, to: Option<&str>) -> (String, Option<String>, i64) {
        let source = self.queue_arn(queue).await;
        let mut request = self.sqs.start_message_move_task().source_arn(&source);
        if let Some(to) = to {
            request = request.destination_arn(self.queue_arn(to).await);
        }
        request.send().await.expect("SQS begins to move");
        let ended = async || {
            let tasks = self.sqs.list_message_move_tasks().source_arn(&source).send().await.expect("SQS lists tasks");
            let task = tasks.results.unwrap_or_default().into_iter().next().expect("the task");
            let status = task.status.expect("a status");
            (status != "RUNNING").then_some((status, task.failure_reason, task.approximate_number_of_messages_moved))
        };
        found("the messages are moved", ended).await
    }

    async fn queue_arn(&self, queue: &str) -> String {
        let request = self.sqs.get_queue_attributes().queue_url(self.queue_url(queue).await);
        let attributes = request.attribute_names(QueueAttributeName::QueueArn).send().await.expect("the queue exists");
        attributes.attributes.expect("attributes")[&QueueAttributeName::QueueArn].clone()
    }

    /// Waits until the function's dead-letter queue holds messages; answers them. Only one test may ask for a function's:
    /// on a cloud that tests share, others would take its letters.
    pub(crate) async fn dead_letters(&self, function: &str) -> Vec<Message> {
        self.messages(&self.name(&format!("{function}-dlq"))).await
    }

    /// The same of any queue.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Message> {
        let messages = async || Some(self.receive_messages(queue, WAIT_MAX).await).filter(|found| !found.is_empty());
        found("a message", messages).await
    }

    pub(crate) async fn delete(&self, queue: &str, message: &Message) {
        let handle = message.receipt_handle.as_deref().expect("a receipt handle");
        let request = self.sqs.delete_message().queue_url(self.queue_url(queue).await).receipt_handle(handle);
        request.send().await.expect("the message is deleted");
    }

    /// The confirmations of an order that have reached the inbox.
    pub(crate) async fn confirmations(&self, order_id: &str) -> Vec<String> {
        let inbox = self.name("confirmation-inbox");
        // While it is held, nobody else has taken a message that is not in it yet.
        let mut all = self.confirmations.lock().await;
        loop {
            let messages = self.receive_messages(&inbox, 0).await;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                self.delete(&inbox, &message).await;
                all.push(message.body.expect("a body"));
            }
        }
        all.iter().filter(|body| body.contains(order_id)).cloned().collect()
    }

    async fn receive_messages(&self, queue: &str, wait: i32) -> Vec<Message> {
        let request = self.sqs.receive_message().queue_url(self.queue_url(queue).await).message_attribute_names("All");
        let request = request.max_number_of_messages(MESSAGES_MAX).wait_time_seconds(wait);
        request.send().await.expect("the queue exists").messages.unwrap_or_default()
    }

    async fn queue_url(&self, queue: &str) -> String {
        let answer = self.sqs.get_queue_url().queue_name(queue).send().await.expect("the queue exists");
        answer.queue_url.expect("a URL")
    }
}
