//! What is held to each other: the template, and what its functions say about themselves.

use std::collections::BTreeMap;

use serde_json::Value;

use super::description::{Description, Kind};
use super::profile::Workspace;
use crate::account::Account;
use crate::destination::service;
use crate::template::{Function, Queue, Rule, Stack, Table, Trigger};

/// The ledger's table, as functions are told it.
pub(super) const LEDGER_TABLE: &str = "LEDGER_TABLE";
/// The queue for what no retry can help.
pub(super) const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// What it says of a function that has no such queue, on purpose.
pub(super) const NONE: &str = "none";
/// The relay's bus.
pub(super) const EVENT_BUS_NAME: &str = "EVENT_BUS_NAME";

/// What SQS keeps a message for if the queue does not say, in seconds.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const QUEUE_RETENTION_DEFAULT: u64 = 345_600;
/// What SQS hides a received message for if the queue does not say, in seconds.
const VISIBILITY_TIMEOUT_DEFAULT: u64 = 30;

/// What each function's binary has said, by the function's logical id; the reason, if it is not an Onceward function.
pub(crate) type Said = BTreeMap<String, Result<Description, String>>;

/// A template with its functions.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// The template, as it is read for `account`.
    pub(crate) stack: &'a Stack,
    /// Whose ARNs are in it.
    pub(crate) account: &'a Account,
    /// What the functions have said.
    pub(crate) said: Said,
    /// The Cargo workspaces that functions are built from.
    pub(crate) workspaces: Vec<Workspace>,
}

/// A queue's mapping to a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Consumer<'a> {
    pub(super) function: &'a Function,
    pub(super) trigger: &'a Trigger,
    pub(super) queue: &'a Queue,
}

/// A queue's `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) target_arn: String,
    pub(super) receives_max: Option<u64>,
}

impl<'a> Subject<'a> {
    /// The functions that describe themselves.
    pub(super) fn described(&self) -> impl Iterator<Item = (&'a Function, &Description)> {
        self.stack.functions.iter().filter_map(|function| Some((function, self.description(function)?)))
    }

    /// Those of one kind.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&'a Function, &Description)> {
        self.described().filter(move |(_, description)| description.kind == kind)
    }

    /// What a function says about itself.
    pub(super) fn description(&self, function: &Function) -> Option<&Description> {
        self.said.get(&function.logical_id)?.as_ref().ok()
    }

    /// Every queue that a function is fed from.
    pub(super) fn consumers(&self) -> impl Iterator<Item = Consumer<'a>> {
        let stack = self.stack;
        let of = move |function: &'a Function| {
            function.triggers.iter().filter_map(move |trigger| match trigger {
                Trigger::Sqs { queue_arn, .. } => Some(Consumer { function, trigger, queue: queue(stack, queue_arn)? }),
                _ => None,
            })
        };
        stack.functions.iter().flat_map(of)
    }

    /// A function's queues.
    pub(super) fn queues_of(&self, function: &'a Function) -> impl Iterator<Item = Consumer<'a>> {
        self.consumers().filter(move |consumer| consumer.function.logical_id == function.logical_id)
    }

    /// The queue of the template with this ARN.
    pub(super) fn queue(&self, arn: &str) -> Option<&'a Queue> {
        queue(self.stack, arn)
    }

    /// The queue of the template with this URL.
    pub(super) fn queue_by_url(&self, url: &str) -> Option<&'a Queue> {
        self.stack.queues.iter().find(|queue| url == self.queue_url(queue))
    }

    /// The ARN of a queue of the template.
    pub(super) fn queue_arn(&self, queue: &Queue) -> String {
        self.account.arn("sqs", &queue.name)
    }

    /// The URL of a queue of the template.
    pub(super) fn queue_url(&self, queue: &Queue) -> String {
        format!("{}/{}/{}", self.account.endpoint, self.account.id, queue.name)
    }

    /// The ARN of a function of the template.
    pub(super) fn function_arn(&self, function: &Function) -> String {
        self.account.arn("lambda", &format!("function:{}", function.name))
    }

    /// The table of the template with this name or ARN.
    pub(super) fn table(&self, name: &str) -> Option<&'a Table> {
        let bare = name.split_once(":table/").map_or(name, |(_, bare)| bare);
        self.stack.tables.iter().find(|table| table.name == bare)
    }

    /// The ARN of a table.
    pub(super) fn table_arn(&self, table: &str) -> String {
        self.account.arn("dynamodb", &format!("table/{table}"))
    }

    /// Where the resource `id` is written.
    pub(super) fn at<'i>(&self, id: &'i str) -> (&'i str, usize) {
        (id, self.stack.lines.of(id))
    }

    /// Where a property of the resource `id` is written, or else what is around it.
    pub(super) fn property<'i>(&self, id: &'i str, property: &str) -> (&'i str, usize) {
        (id, self.stack.lines.of(&format!("{id}.{property}")))
    }

    /// Where a property of a function is written, in `Globals` too.
    pub(super) fn of_function<'i>(&self, function: &'i Function, property: &str) -> (&'i str, usize) {
        (&function.logical_id, self.stack.lines.of_function(&function.logical_id, property))
    }

    /// Where a variable of a function is written.
    pub(super) fn variable<'i>(&self, function: &'i Function, name: &str) -> (&'i str, usize) {
        self.of_function(function, &format!("Environment.Variables.{name}"))
    }

    /// Where a mapping's property is written, or else what is around it.
    pub(super) fn mapping<'i>(&self, function: &'i Function, place: &str, property: &str) -> (&'i str, usize) {
        (&function.logical_id, self.stack.lines.of(&format!("{place}.{property}")))
    }
}

/// ARNs of a function's queues.
pub(super) fn queue_arns(function: &Function) -> impl Iterator<Item = &str> {
    function.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Sqs { queue_arn, .. } => Some(queue_arn.as_str()),
        _ => None,
    })
}

/// The ledger's table of a function, if it has one.
pub(super) fn ledger(function: &Function) -> Option<&str> {
    function.environment.get(LEDGER_TABLE).map(String::as_str)
}

fn queue<'s>(stack: &'s Stack, arn: &str) -> Option<&'s Queue> {
    let (_, name) = arn.rsplit_once(':').filter(|_| service(arn) == Some("sqs"))?;
    stack.queues.iter().find(|queue| queue.name == name)
}

/// A queue's redrive policy, if it has one.
pub(super) fn redrive(queue: &Queue) -> Option<Redrive> {
    let policy: Value = serde_json::from_str(queue.attributes.get("RedrivePolicy")?).ok()?;
    let receives = &policy["maxReceiveCount"];
    Some(Redrive {
        target_arn: policy["deadLetterTargetArn"].as_str()?.to_owned(),
        receives_max: receives.as_u64().or_else(|| receives.as_str()?.parse().ok()),
    })
}

/// How long a queue keeps a message, in seconds.
pub(super) fn queue_retention(queue: &Queue) -> u64 {
    number(queue, "MessageRetentionPeriod").unwrap_or(QUEUE_RETENTION_DEFAULT)
}

/// How long a queue hides a received message, in seconds.
pub(super) fn visibility_timeout(queue: &Queue) -> u64 {
    number(queue, "VisibilityTimeout").unwrap_or(VISIBILITY_TIMEOUT_DEFAULT)
}

fn number(queue: &Queue, attribute: &str) -> Option<u64> {
    queue.attributes.get(attribute)?.parse().ok()
}

/// Whether it is a FIFO queue.
pub(super) fn is_fifo(queue: &Queue) -> bool {
    queue.attributes.contains_key("FifoQueue")
}

/// Where a rule's targets are named: SAM's rules have one, and no list of them.
pub(super) fn target_place(rule: &Rule, index: usize) -> String {
    format!("{}.Targets[{index}]", rule.logical_id)
}
