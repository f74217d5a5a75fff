use super::queue;
use crate::template::{
    properties::Properties,
    stack::{Stack, Subscription, Topic},
};

pub(super) fn read(properties: Properties<'_>, logical_id: String, name: String) -> Topic {
    properties.refuse(&["Subscription"], "declare an AWS::SNS::Subscription");
    if properties.boolean("FifoTopic") == Some(true) {
        properties.fault("FifoTopic", "not supported by the local cloud: topics are standard topics");
    }
    properties.irrelevant(&[
        "TopicName",
        "DisplayName",
        "DataProtectionPolicy",
        "DeliveryStatusLogging",
        "KmsMasterKeyId",
        "SignatureVersion",
        "TracingConfig",
        "Tags",
    ]);
    properties.finish();
    Topic { logical_id, name }
}

pub(super) fn read_subscription(properties: Properties<'_>, stack: &Stack) -> Option<Subscription> {
    properties.require("Protocol");
    properties.one_of("Protocol", &["sqs"]);
    let topic_arn = properties.required_text("TopicArn");
    if let Some(arn) = topic_arn.as_deref().filter(|arn| !is_topic(stack, arn)) {
        properties.fault("TopicArn", format!("`{arn}` is not a topic of this template"));
    }
    let queue_arn = properties.required_text("Endpoint");
    if let Some(arn) = queue_arn.as_deref().filter(|arn| queue::by_arn(stack, arn).is_none()) {
        properties.fault("Endpoint", format!("`{arn}` is not a queue of this template"));
    }
    let raw = properties.boolean("RawMessageDelivery").unwrap_or(false);
    properties.refuse(&["FilterPolicy", "FilterPolicyScope"], "every subscription receives every message");
    properties.irrelevant(&["Region", "RedrivePolicy", "DeliveryPolicy"]);
    properties.finish();
    Some(Subscription { topic_arn: topic_arn?, queue_arn: queue_arn?, raw })
}

fn is_topic(stack: &Stack, arn: &str) -> bool {
    let name = arn.strip_prefix("arn:aws:sns:").and_then(|rest| rest.rsplit_once(':')).map(|(_, name)| name);
    name.is_some_and(|name| stack.topics.iter().any(|topic| topic.name == name))
}
