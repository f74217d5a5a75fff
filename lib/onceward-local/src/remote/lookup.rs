//! Whether the other cloud has what the functions use.

use std::{collections::BTreeMap, fmt, time::Duration};

use futures_util::future::try_join_all;
use serde_json::json;

use super::{
    Remote, RemoteError,
    mention::{mentions, renamed},
};
use crate::template::{Function, Stack, Trigger};

/// What the functions use of the other cloud, as it is there.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Queues' URLs by their ARNs.
    pub queues: BTreeMap<String, String>,
}

/// Something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// `queue`, `table`, …
    pub kind: &'static str,
    /// Its name there.
    pub name: String,
    /// Its name in the template.
    pub logical_id: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ({})", self.kind, self.name, self.logical_id)
    }
}

/// What to look for.
#[derive(Debug, Clone)]
struct Used {
    kind: &'static str,
    name: String,
    logical_id: String,
    arn: String,
}

impl Remote {
    /// Looks up every queue, table, stream, bus and topic of the stack that its functions use, and puts the queues' URLs
    /// there into the functions' variables. All that is missing is one error.
    pub async fn look_up(&self, stack: &mut Stack) -> Result<Found, RemoteError> {
        let used = self.used(stack);
        let answers = try_join_all(used.iter().map(|used| self.find(used))).await?;
        let mut found = Found::default();
        let mut missing = Vec::new();
        for (used, answer) in used.into_iter().zip(answers) {
            match answer {
                Some(url) if used.kind == QUEUE => drop(found.queues.insert(used.arn, url)),
                Some(_) => {}
                None => missing.push(Missing { kind: used.kind, name: used.name, logical_id: used.logical_id }),
            }
        }
        let account = self.account();
        if !missing.is_empty() {
            missing.sort();
            let (endpoint, region) = (account.endpoint.clone(), account.region.clone());
            return Err(RemoteError::Missing { endpoint, account: account.id.clone(), region, missing });
        }
        for (arn, url) in &found.queues {
            let here = self.queue_url(arn.rsplit(':').next().unwrap_or_default());
            for value in stack.functions.iter_mut().flat_map(|function| function.environment.values_mut()) {
                *value = renamed(value, &here, url);
            }
        }
        Ok(found)
    }

    /// What the functions are triggered by, and what their configuration names.
    fn used(&self, stack: &Stack) -> Vec<Used> {
        let texts: Vec<&str> = stack.functions.iter().flat_map(texts).collect();
        let is_named = |name: &str, whole: &[&str]| {
            texts.iter().any(|text| *text == name || whole.iter().any(|whole| mentions(text, whole)))
        };
        let account = self.account();
        let used = |kind, name: &str, logical_id: &str, arn: String| Used {
            kind,
            name: name.to_owned(),
            logical_id: logical_id.to_owned(),
            arn,
        };
        let mut all = Vec::new();
        for queue in &stack.queues {
            let arn = account.arn("sqs", &queue.name);
            if is_named(&queue.name, &[&arn, &self.queue_url(&queue.name)]) {
                all.push(used(QUEUE, &queue.name, &queue.logical_id, arn));
            }
        }
        for table in &stack.tables {
            let arn = account.arn("dynamodb", &format!("table/{}", table.name));
            if is_named(&table.name, &[&arn]) {
                all.push(used("table", &table.name, &table.logical_id, arn.clone()));
            }
            let is_read = |trigger: &Trigger| matches!(trigger, Trigger::Stream { table: of, .. } if *of == table.name);
            if stack.functions.iter().flat_map(|function| &function.triggers).any(is_read) {
                all.push(used(STREAM, &table.name, &table.logical_id, arn));
            }
        }
        for bus in &stack.buses {
            let arn = account.arn("events", &format!("event-bus/{}", bus.name));
            if is_named(&bus.name, &[&arn]) {
                all.push(used(BUS, &bus.name, &bus.logical_id, arn));
            }
        }
        for topic in &stack.topics {
            let arn = account.arn("sns", &topic.name);
            if is_named(&topic.name, &[&arn]) {
                all.push(used(TOPIC, &topic.name, &topic.logical_id, arn));
            }
        }
        all
    }

    /// A queue's URL, something of another kind if it is there, or nothing.
    async fn find(&self, used: &Used) -> Result<Option<String>, RemoteError> {
        let client = self.client();
        let now = Duration::ZERO;
        let answer = match used.kind {
            QUEUE => {
                let request = json!({ "QueueName": used.name });
                let answer = client.json("sqs", ("AmazonSQS", "GetQueueUrl"), &request, now).await;
                answer.map(|answer| answer["QueueUrl"].as_str().map(str::to_owned))
            }
            BUS => {
                let request = json!({ "Name": used.name });
                let answer = client.json("events", ("AWSEvents", "DescribeEventBus"), &request, now).await;
                answer.map(|_| Some(used.arn.clone()))
            }
            TOPIC => {
                let parameters = [("TopicArn", used.arn.as_str())];
                let answer = client.query("sns", "2010-03-31", "GetTopicAttributes", &parameters).await;
                answer.map(|_| Some(used.arn.clone()))
            }
            kind => {
                let request = json!({ "TableName": used.name });
                let answer = client.json("dynamodb", ("DynamoDB_20120810", "DescribeTable"), &request, now).await;
                answer.map(|answer| match kind {
                    STREAM => answer["Table"]["LatestStreamArn"].as_str().map(str::to_owned),
                    _ => Some(used.arn.clone()),
                })
            }
        };
        match answer {
            Err(error) if error.is_not_found() => Ok(None),
            answer => answer,
        }
    }

    /// As the template is resolved; the other cloud's own may differ.
    fn queue_url(&self, name: &str) -> String {
        let account = self.account();
        format!("{}/{}/{name}", account.endpoint, account.id)
    }
}

const QUEUE: &str = "queue";
const STREAM: &str = "stream of table";
const BUS: &str = "event bus";
const TOPIC: &str = "topic";

/// Where a function's configuration names resources.
fn texts(function: &Function) -> Vec<&str> {
    let mut texts: Vec<&str> = function.environment.values().map(String::as_str).collect();
    let told = &function.asynchronous;
    texts.extend(
        [&told.on_success_arn, &told.on_failure_arn, &function.dead_letter_arn]
            .into_iter()
            .flatten()
            .map(String::as_str),
    );
    for trigger in &function.triggers {
        match trigger {
            Trigger::Sqs { queue_arn, .. } => texts.push(queue_arn),
            Trigger::Stream { on_failure_arn, .. } => texts.extend(on_failure_arn.as_deref()),
            Trigger::Topic(_) | Trigger::Http { .. } => {}
        }
    }
    texts
}
