//! The actions, each from its parameters to its JSON answer.

use super::super::digest;
use super::super::directory;
use super::super::error::SqsError;
use super::super::limits;
use super::super::message::{AttributeValue, MessageAttribute, Receive, Received, Sent};
use super::super::moves::MoveTask;
use super::input::{self, Input, TRACE_HEADER};
use crate::sqs::Sqs;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    TRACE_HEADER,
    "DeadLetterQueueSourceArn",
];

impl Sqs {
    /// Answers with the fields of the action's result; null for an action that has none.
    pub(super) async fn act(&self, action: &str, mut input: Input) -> Result<Value, SqsError> {
        let done = |()| Value::Null;
        input.queue_url.as_deref().map_or(Ok(()), |url| self.check_url(url))?;
        match action {
            "SendMessage" => self.send_message(input),
            "SendMessageBatch" => self.send_batch(input),
            "ReceiveMessage" => self.receive_message(input).await,
            "DeleteMessage" => self.delete(input.queue()?, input.entry.receipt_handle()?).map(done),
            "DeleteMessageBatch" => self.delete_batch(input),
            "ChangeMessageVisibility" => self.change_entry(input.queue()?, &input.entry).map(done),
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(input),
            "CreateQueue" => self.create(&mut input),
            "GetQueueUrl" => {
                let name = input.queue_name()?;
                self.check_owner(name, input.queue_owner_aws_account_id.as_deref())?;
                self.peek(name, |_| json!({ "QueueUrl": self.url(name) }))
            }
            "ListQueues" => self.list(&input),
            "GetQueueAttributes" => {
                let names = input.attribute_names.as_deref().unwrap_or_default();
                self.queue_attributes(input.queue()?, names).map(|map| optional("Attributes", &map))
            }
            "SetQueueAttributes" => {
                let attributes =
                    input.attributes.take().ok_or(SqsError::MissingParameter { parameter: "Attributes" })?;
                self.set_queue_attributes(input.queue()?, &attributes).map(done)
            }
            "DeleteQueue" => self.delete_queue(input.queue()?).map(done),
            "PurgeQueue" => self.purge_queue(input.queue()?).map(done),
            "ListDeadLetterSourceQueues" => {
                let names = self.dead_letter_sources(input.queue()?)?;
                let (urls, next) = self.page(&input, names)?;
                Ok(with_token(json!({ "queueUrls": urls }), next))
            }
            "TagQueue" => {
                let tags = input.tags.take().filter(|it| !it.is_empty());
                let tags = tags.ok_or(SqsError::MissingParameter { parameter: "Tags" })?;
                self.tag_queue(input.queue()?, tags).map(done)
            }
            "UntagQueue" => {
                let keys = input.tag_keys.take().filter(|it| !it.is_empty());
                let keys = keys.ok_or(SqsError::MissingParameter { parameter: "TagKeys" })?;
                self.untag_queue(input.queue()?, &keys).map(done)
            }
            "ListQueueTags" => self.queue_tags(input.queue()?).map(|map| optional("Tags", &map)),
            "AddPermission" => {
                let missing = |parameter| SqsError::MissingParameter { parameter };
                let accounts = input.accounts.take().filter(|it| !it.is_empty()).ok_or(missing("AWSAccountIds"))?;
                let actions = input.actions.take().filter(|it| !it.is_empty()).ok_or(missing("Actions"))?;
                self.add_permission(input.queue()?, input.label()?, &accounts, &actions).map(done)
            }
            "RemovePermission" => self.remove_permission(input.queue()?, input.label()?).map(done),
            "StartMessageMoveTask" => self.start_move_task(&input),
            "ListMessageMoveTasks" => self.list_move_tasks(&input),
            "CancelMessageMoveTask" => {
                let handle = input.task_handle.ok_or(SqsError::MissingParameter { parameter: "TaskHandle" })?;
                self.cancel_moves(&handle).map(|moved| json!({ "ApproximateNumberOfMessagesMoved": moved }))
            }
            action => Err(SqsError::UnsupportedOperation { action: action.to_owned() }),
        }
    }

    fn send_message(&self, mut input: Input) -> Result<Value, SqsError> {
        let outgoing = input.entry.outgoing()?;
        let trace_header = outgoing.trace_header.clone();
        self.send(input.queue()?, outgoing).map(|it| Value::Object(sent(it, trace_header.as_deref())))
    }

    async fn receive_message(&self, input: Input) -> Result<Value, SqsError> {
        let queue = input.queue()?;
        let max = input.max_number_of_messages.unwrap_or(1);
        let request = Receive {
            // Out of range either way, and refused with the other ranges.
            max: usize::try_from(max).unwrap_or_default(),
            wait: match input::seconds("WaitTimeSeconds", input.wait_time_seconds)? {
                Some(wait) => wait,
                None => self.default_wait(queue)?,
            },
            visibility: input.entry.visibility()?,
        };
        let system = [&input.attribute_names, &input.message_system_attribute_names];
        let system: Vec<&String> = system.into_iter().flatten().flatten().collect();
        if let Some(unknown) = system.iter().find(|name| !is_system_attribute(name)) {
            return Err(SqsError::InvalidAttributeName { reason: format!("Unknown Attribute {unknown}.") });
        }
        let attempt = input.receive_request_attempt_id.as_deref();
        let received = self.receive_attempt(queue, request, attempt).await?;
        if received.is_empty() {
            return Ok(json!({}));
        }
        let own = input.message_attribute_names.as_deref().unwrap_or_default();
        let messages: Vec<Value> = received.into_iter().map(|it| message(it, &system, own)).collect();
        Ok(json!({ "Messages": messages }))
    }

    fn start_move_task(&self, input: &Input) -> Result<Value, SqsError> {
        let rate = input.max_number_of_messages_per_second;
        // Out of range either way, and refused there.
        let rate = rate.map(|rate| u64::try_from(rate).unwrap_or_default());
        let destination = input.destination_arn.as_deref().filter(|arn| !arn.is_empty());
        self.start_moves(input.source_arn()?, destination, rate).map(|handle| json!({ "TaskHandle": handle }))
    }

    fn list_move_tasks(&self, input: &Input) -> Result<Value, SqsError> {
        let max = usize::try_from(input.max_results.unwrap_or(1)).unwrap_or_default();
        let tasks = self.move_tasks(input.source_arn()?, max)?;
        Ok(json!({ "Results": tasks.iter().map(MoveTask::describe).collect::<Vec<_>>() }))
    }

    fn default_wait(&self, queue: &str) -> Result<Duration, SqsError> {
        self.peek(queue, |entry| entry.queue.settings().wait)
    }

    fn create(&self, input: &mut Input) -> Result<Value, SqsError> {
        let attributes = input.attributes.take().unwrap_or_default();
        let tags = input.tags.take().unwrap_or_default();
        let name = input.queue_name()?;
        // Before there is a queue, which would be left without them.
        directory::check_tags(&tags)?;
        let url = self.create_queue(name, &attributes)?;
        self.tag_queue(name, tags)?;
        Ok(json!({ "QueueUrl": url }))
    }

    fn list(&self, input: &Input) -> Result<Value, SqsError> {
        let prefix = input.queue_name_prefix.as_deref().unwrap_or_default();
        let names = self.queues().into_iter().filter(|name| name.starts_with(prefix)).collect();
        let (urls, next) = self.page(input, names)?;
        if urls.is_empty() {
            return Ok(json!({}));
        }
        Ok(with_token(json!({ "QueueUrls": urls }), next))
    }

    /// One page of the queues' URLs, and the token of the next. The token is the last name of the page, so that
    /// queues that come and go in between neither repeat others nor hide them.
    fn page(&self, input: &Input, names: Vec<String>) -> Result<(Vec<String>, Option<String>), SqsError> {
        let asked = input::page(input.max_results)?;
        let after = match &input.next_token {
            None => String::new(),
            Some(token) => STANDARD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| SqsError::parameter("NextToken", token, "It is not one of this service."))?,
        };
        let mut names = names.into_iter().filter(|name| *name > after);
        let max = asked.unwrap_or(*limits::LIST_RESULTS.end());
        let page: Vec<String> = names.by_ref().take(max).collect();
        let next = page.last().filter(|_| asked.is_some() && names.next().is_some()).map(|last| STANDARD.encode(last));
        Ok((page.iter().map(|name| self.url(name)).collect(), next))
    }
}

/// The answer to a message sent.
pub(super) fn sent(sent: Sent, trace_header: Option<&str>) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        fields.extend(value.map(|value| (name.to_owned(), Value::String(value))));
    };
    put("MessageId", Some(sent.message_id));
    put("MD5OfMessageBody", Some(sent.md5_of_body));
    put("MD5OfMessageAttributes", sent.md5_of_message_attributes);
    put(
        "MD5OfMessageSystemAttributes",
        trace_header.and_then(|text| digest::md5_of_attributes([(TRACE_HEADER, &MessageAttribute::string(text))])),
    );
    put("SequenceNumber", sent.sequence_number);
    fields
}

/// A message as received, with the attributes that were asked for.
fn message(received: Received, system: &[&String], own: &[String]) -> Value {
    let mut fields = Map::new();
    let mut attributes = received.attributes;
    if !system.iter().any(|name| *name == "All") {
        attributes.retain(|name, _| system.contains(&name));
    }
    let mut message_attributes = received.message_attributes;
    message_attributes.retain(|name, _| own.iter().any(|pattern| asked_for(pattern, name)));
    // The digest is of the attributes in the answer.
    let md5 = digest::md5_of_attributes(message_attributes.iter().map(|(name, it)| (name.as_str(), it)));
    fields.insert("MessageId".to_owned(), received.message_id.into());
    fields.insert("ReceiptHandle".to_owned(), received.receipt_handle.into());
    fields.insert("MD5OfBody".to_owned(), received.md5_of_body.into());
    fields.insert("Body".to_owned(), received.body.into());
    if !attributes.is_empty() {
        fields.insert("Attributes".to_owned(), json!(attributes));
    }
    if let Some(md5) = md5 {
        let typed: Map<String, Value> = message_attributes.into_iter().map(|(name, it)| (name, typed(it))).collect();
        fields.insert("MD5OfMessageAttributes".to_owned(), md5.into());
        fields.insert("MessageAttributes".to_owned(), Value::Object(typed));
    }
    Value::Object(fields)
}

/// What a received message can be asked for; names of queue attributes are taken in the same place, and bring nothing.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
fn is_system_attribute(name: &str) -> bool {
    SYSTEM_ATTRIBUTES.contains(&name) || directory::is_queue_attribute(name)
}

/// `All` and `.*` are every attribute, `bar.*` those that start with `bar`.
fn asked_for(pattern: &str, name: &str) -> bool {
    pattern == "All" || pattern.strip_suffix(".*").map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn typed(attribute: MessageAttribute) -> Value {
    match attribute.value {
        AttributeValue::Text(text) => json!({ "DataType": attribute.data_type, "StringValue": text }),
        AttributeValue::Binary(bytes) => {
            json!({ "DataType": attribute.data_type, "BinaryValue": STANDARD.encode(bytes) })
        }
    }
}

/// A map that the answer leaves out if it is empty.
fn optional(name: &str, map: &BTreeMap<String, String>) -> Value {
    if map.is_empty() { json!({}) } else { json!({ name: map }) }
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = Value::String(next);
    }
    answer
}
