//! Actions on subscriptions.

use super::{Answer, page};
use crate::sns::query::{Parameters, Xml};
use crate::sns::topic::Subscription;
use crate::sns::{Sns, SnsError};

const RAW: &str = "RawMessageDelivery";

pub(super) fn subscribe(sns: &Sns, parameters: &Parameters) -> Answer {
    let topic_arn = parameters.required("TopicArn")?;
    let protocol = parameters.required("Protocol")?;
    if protocol != "sqs" {
        let reason = format!("The local cloud does not deliver to {protocol}: only sqs");
        return Err(SnsError::invalid("Protocol", reason));
    }
    let queue_arn = parameters.required("Endpoint")?;
    let mut raw = false;
    for (name, value) in parameters.map("Attributes.entry.", "key", "value")? {
        raw = raw_delivery(&name, &value)?;
    }
    let arn = sns.topics().subscribe(topic_arn, queue_arn, raw)?;
    Ok(Some(vec![Xml::text("SubscriptionArn", arn)]))
}

pub(super) fn unsubscribe(sns: &Sns, parameters: &Parameters) -> Answer {
    sns.topics().unsubscribe(parameters.required("SubscriptionArn")?)?;
    Ok(None)
}

pub(super) fn list(sns: &Sns, parameters: &Parameters, topic_arn: Option<&str>) -> Answer {
    let topics = sns.topics();
    if let Some(arn) = topic_arn {
        topics.topic(arn)?;
    }
    let wanted = topics.subscriptions.values().filter(|it| topic_arn.is_none_or(|arn| it.topic_arn == arn));
    let (found, next) = page(wanted.map(|it| member(it, &sns.account.id)).collect(), parameters)?;
    Ok(Some([Xml::elements("Subscriptions", found)].into_iter().chain(next).collect()))
}

pub(super) fn attributes(sns: &Sns, parameters: &Parameters) -> Answer {
    let topics = sns.topics();
    let arn = parameters.required("SubscriptionArn")?;
    let subscription = topics.subscriptions.get(arn).ok_or(SnsError::NotFound { what: "Subscription" })?;
    let attributes = [
        ("SubscriptionArn", subscription.arn.clone()),
        ("TopicArn", subscription.topic_arn.clone()),
        ("Protocol", "sqs".to_owned()),
        ("Endpoint", subscription.queue_arn.clone()),
        ("Owner", sns.account.id.clone()),
        ("ConfirmationWasAuthenticated", "true".to_owned()),
        ("PendingConfirmation", "false".to_owned()),
        (RAW, subscription.raw.to_string()),
    ];
    Ok(Some(vec![Xml::map("Attributes", attributes.map(|(name, value)| (name.to_owned(), value)))]))
}

pub(super) fn set_attribute(sns: &Sns, parameters: &Parameters) -> Answer {
    let name = parameters.required("AttributeName")?;
    let raw = raw_delivery(name, parameters.get("AttributeValue").unwrap_or_default())?;
    let mut topics = sns.topics();
    let arn = parameters.required("SubscriptionArn")?;
    topics.subscriptions.get_mut(arn).ok_or(SnsError::NotFound { what: "Subscription" })?.raw = raw;
    Ok(None)
}

fn raw_delivery(name: &str, value: &str) -> Result<bool, SnsError> {
    match (name, value) {
        (RAW, "true") => Ok(true),
        (RAW, "false") => Ok(false),
        (RAW, _) => Err(SnsError::invalid(RAW, "must be true or false")),
        (name, _) => Err(SnsError::invalid(name, "The local cloud does not support this subscription attribute")),
    }
}

fn member(subscription: &Subscription, owner: &str) -> Xml {
    Xml::elements(
        "member",
        vec![
            Xml::text("SubscriptionArn", &subscription.arn),
            Xml::text("Owner", owner),
            Xml::text("Protocol", "sqs"),
            Xml::text("Endpoint", &subscription.queue_arn),
            Xml::text("TopicArn", &subscription.topic_arn),
        ],
    )
}
