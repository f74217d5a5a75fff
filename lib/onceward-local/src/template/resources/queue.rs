use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::template::{
    document::Resource,
    intrinsics::Resolver,
    properties::Properties,
    stack::{Queue, Stack},
};

/// Limits of the numeric attributes:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>.
const NUMBERS: [(&str, RangeInclusive<i64>); 5] = [
    ("DelaySeconds", 0..=900),
    ("MaximumMessageSize", 1_024..=1_048_576),
    ("MessageRetentionPeriod", 60..=1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0..=20),
    ("VisibilityTimeout", 0..=43_200),
];

/// What SQS uses if the template does not say, in seconds.
const VISIBILITY_TIMEOUT_DEFAULT: u64 = 30;

pub(super) fn read(properties: Properties<'_>, logical_id: String, name: String) -> Queue {
    let mut attributes = BTreeMap::new();
    for (attribute, range) in NUMBERS {
        let number = properties.number::<i64>(attribute, range);
        attributes.extend(number.map(|number| (attribute.to_owned(), number.to_string())));
    }
    for attribute in ["FifoQueue", "ContentBasedDeduplication"] {
        // SQS takes `FifoQueue` only as `true`.
        let set = properties.boolean(attribute).filter(|set| *set);
        attributes.extend(set.map(|_| (attribute.to_owned(), "true".to_owned())));
    }
    for (attribute, allowed) in
        [("DeduplicationScope", ["messageGroup", "queue"]), ("FifoThroughputLimit", ["perMessageGroupId", "perQueue"])]
    {
        let value = properties.one_of(attribute, &allowed);
        attributes.extend(value.map(|value| (attribute.to_owned(), value.to_owned())));
    }
    if let Some(policy) = properties.nested("RedrivePolicy") {
        policy.required_text("deadLetterTargetArn");
        policy.require("maxReceiveCount");
        policy.number::<i64>("maxReceiveCount", 1..=1_000);
        policy.finish();
    }
    for attribute in ["RedrivePolicy", "RedriveAllowPolicy"] {
        let policy = properties.json(attribute);
        attributes.extend(policy.map(|policy| (attribute.to_owned(), policy.to_string())));
    }
    if attributes.contains_key("FifoQueue") != name.strip_suffix(".fifo").is_some() {
        let message = "a FIFO queue, and only that, has `FifoQueue: true` and a name that ends in `.fifo`";
        properties.fault("QueueName", message);
    }
    properties.irrelevant(&[
        "QueueName",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "SqsManagedSseEnabled",
        "Tags",
    ]);
    properties.finish();
    Queue { logical_id, name, attributes }
}

/// A redrive policy must name a queue of this template.
pub(super) fn check_redrive(resolver: &Resolver<'_>, resource: &Resource, stack: &Stack) {
    let queue = stack.queues.iter().find(|queue| queue.logical_id == resource.id);
    let Some(target) = queue.and_then(dead_letter_arn) else { return };
    if by_arn(stack, &target).is_none() {
        let line = resource.properties.get("RedrivePolicy").map_or(resource.line, |node| node.line);
        let message = format!("`{target}` is not a queue of this template");
        resolver.faults.add(line, format!("{}.RedrivePolicy.deadLetterTargetArn", resource.id), message);
    }
}

/// `CreateQueue` refuses a redrive policy whose queue does not exist yet.
pub(super) fn dead_letters_first(queues: &mut [Queue]) {
    let targets: Vec<String> = queues.iter().filter_map(dead_letter_arn).collect();
    queues.sort_by_key(|queue| !targets.iter().any(|target| target.ends_with(&format!(":{}", queue.name))));
}

fn dead_letter_arn(queue: &Queue) -> Option<String> {
    let policy: serde_json::Value = serde_json::from_str(queue.attributes.get("RedrivePolicy")?).ok()?;
    policy["deadLetterTargetArn"].as_str().map(str::to_owned)
}

/// The queue of this template with that ARN.
pub(in crate::template) fn by_arn<'s>(stack: &'s Stack, arn: &str) -> Option<&'s Queue> {
    let (rest, name) = arn.rsplit_once(':')?;
    stack.queues.iter().find(|queue| queue.name == name && rest.starts_with("arn:aws:sqs:"))
}

/// How long a received message stays hidden, in seconds.
pub(in crate::template) fn visibility_timeout(queue: &Queue) -> u64 {
    let given = queue.attributes.get("VisibilityTimeout").and_then(|text| text.parse().ok());
    given.unwrap_or(VISIBILITY_TIMEOUT_DEFAULT)
}
