use std::collections::BTreeMap;

use super::queue;
use crate::template::{
    names,
    properties::Properties,
    stack::{Stack, Subscription, Topic},
};

const PROTOCOLS: [&str; 2] = ["sqs", "lambda"];

pub(super) fn read(properties: Properties<'_>, logical_id: String, name: String) -> Topic {
    let mut attributes = BTreeMap::new();
    for attribute in ["FifoTopic", "ContentBasedDeduplication"] {
        let set = properties.boolean(attribute).filter(|set| *set);
        attributes.extend(set.map(|_| (attribute.to_owned(), "true".to_owned())));
    }
    let scope = properties.one_of("FifoThroughputScope", &["Topic", "MessageGroup"]);
    attributes.extend(scope.map(|scope| ("FifoThroughputScope".to_owned(), scope.to_owned())));
    let size = properties.number::<i64>("MaximumMessageSize", 1_024..=1_048_576);
    attributes.extend(size.map(|size| ("MaximumMessageSize".to_owned(), size.to_string())));
    if attributes.contains_key("FifoTopic") != name.strip_suffix(".fifo").is_some() {
        let message = "a FIFO topic, and only that, has `FifoTopic: true` and a name that ends in `.fifo`";
        properties.fault("TopicName", message);
    }
    properties.refuse(&["ArchivePolicy"], "messages are not archived");
    properties.irrelevant(&[
        "TopicName",
        "DisplayName",
        "DataProtectionPolicy",
        "DeliveryStatusLogging",
        "KmsMasterKeyId",
        "SignatureVersion",
        // Read when the functions are known by name.
        "Subscription",
        "TracingConfig",
        "Tags",
    ]);
    properties.finish();
    Topic { logical_id, name, attributes }
}

/// The subscriptions in a topic's own list.
pub(super) fn read_subscriptions(properties: &Properties<'_>, topic_id: &str, stack: &Stack) -> Vec<Subscription> {
    let account = properties.resolver.account;
    let topic = stack.topics.iter().find(|topic| topic.logical_id == topic_id);
    let Some(topic_arn) = topic.map(|topic| account.arn("sns", &topic.name)) else { return Vec::new() };
    let read = |(index, node)| {
        let item = Properties::new(properties.resolver, node, properties.place_of(&format!("Subscription[{index}]")));
        let target = endpoint(&item, stack);
        item.finish();
        let (protocol, endpoint) = target?;
        Some(Subscription { topic_arn: topic_arn.clone(), protocol, endpoint, attributes: BTreeMap::new() })
    };
    properties.list("Subscription").iter().enumerate().filter_map(read).collect()
}

pub(super) fn read_subscription(properties: Properties<'_>, stack: &Stack) -> Option<Subscription> {
    let topic_arn = topic(&properties, "TopicArn", stack);
    let target = endpoint(&properties, stack);
    let mut attributes = attributes(&properties, stack);
    let raw = properties.boolean("RawMessageDelivery");
    attributes.extend(raw.map(|raw| ("RawMessageDelivery".to_owned(), raw.to_string())));
    properties.refuse(&["ReplayPolicy"], "messages are not archived");
    properties.refuse(&["SubscriptionRoleArn"], "there is no Firehose");
    properties.irrelevant(&["Region", "DeliveryPolicy"]);
    properties.finish();
    let (protocol, endpoint) = target?;
    Some(Subscription { topic_arn: topic_arn?, protocol, endpoint, attributes })
}

/// A function's `SNS` event.
pub(in crate::template) fn read_event(
    properties: Properties<'_>,
    stack: &Stack,
    function_arn: String,
) -> Option<Subscription> {
    let topic_arn = topic(&properties, "Topic", stack);
    let attributes = attributes(&properties, stack);
    let queue = "declare the queue, an AWS::SNS::Subscription to it, and an SQS event of the function";
    properties.refuse(&["SqsSubscription"], queue);
    properties.irrelevant(&["Region"]);
    properties.finish();
    Some(Subscription { topic_arn: topic_arn?, protocol: "lambda", endpoint: function_arn, attributes })
}

/// What subscriptions and events spell the same. SNS checks what is in the policies.
fn attributes(properties: &Properties<'_>, stack: &Stack) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let scope = properties.one_of("FilterPolicyScope", &["MessageAttributes", "MessageBody"]);
    attributes.extend(scope.map(|scope| ("FilterPolicyScope".to_owned(), scope.to_owned())));
    let filter = properties.json("FilterPolicy");
    attributes.extend(filter.map(|filter| ("FilterPolicy".to_owned(), filter.to_string())));
    if let Some(policy) = properties.nested("RedrivePolicy") {
        let arn = policy.required_text("deadLetterTargetArn");
        if let Some(arn) = arn.as_deref().filter(|arn| queue::by_arn(stack, arn).is_none()) {
            policy.fault("deadLetterTargetArn", format!("`{arn}` is not a queue of this template"));
        }
        policy.finish();
    }
    let redrive = properties.json("RedrivePolicy");
    attributes.extend(redrive.map(|redrive| ("RedrivePolicy".to_owned(), redrive.to_string())));
    attributes
}

/// Protocol and ARN of who subscribes.
fn endpoint(properties: &Properties<'_>, stack: &Stack) -> Option<(&'static str, String)> {
    properties.require("Protocol");
    let protocol = properties.one_of("Protocol", &PROTOCOLS);
    let arn = properties.required_text("Endpoint");
    let (protocol, arn) = (protocol?, arn?);
    let (known, what) = match protocol {
        "sqs" => (queue::by_arn(stack, &arn).is_some(), "queue"),
        _ => (is_function(properties, &arn), "function"),
    };
    if !known {
        properties.fault("Endpoint", format!("`{arn}` is not a {what} of this template"));
    }
    Some((protocol, arn))
}

/// The ARN of a topic of this template.
fn topic(properties: &Properties<'_>, name: &'static str, stack: &Stack) -> Option<String> {
    let arn = properties.required_text(name)?;
    if !is_topic(stack, &arn) {
        properties.fault(name, format!("`{arn}` is not a topic of this template"));
    }
    Some(arn)
}

fn is_topic(stack: &Stack, arn: &str) -> bool {
    let name = arn.strip_prefix("arn:aws:sns:").and_then(|rest| rest.rsplit_once(':')).map(|(_, name)| name);
    name.is_some_and(|name| stack.topics.iter().any(|topic| topic.name == name))
}

fn is_function(properties: &Properties<'_>, arn: &str) -> bool {
    let resolver = properties.resolver;
    let Some((rest, name)) = arn.split_once(":function:").filter(|(rest, _)| rest.starts_with("arn:aws:lambda:"))
    else {
        return false;
    };
    let mut functions = resolver.document.resources.iter().filter(|it| it.kind == "AWS::Serverless::Function");
    rest.ends_with(&resolver.account.id)
        && functions.any(|it| names::physical_name(resolver, it, it.line, &it.id).as_deref() == Ok(name))
}
