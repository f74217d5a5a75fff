//! Actions on subscriptions.

use super::{Answer, page};
use crate::sns::query::{Parameters, Xml};
use crate::sns::subscription::Subscription;
use crate::sns::{Sns, SnsError};

pub(super) fn subscribe(sns: &Sns, parameters: &Parameters) -> Answer {
    let topic_arn = parameters.arn("TopicArn")?;
    let protocol = parameters.required("Protocol")?;
    let endpoint = parameters.required("Endpoint")?;
    let attributes = parameters.map("Attributes.entry.", "key", "value")?;
    let arn = sns.subscribe_with(topic_arn, protocol, endpoint, &attributes)?;
    Ok(Some(vec![Xml::text("SubscriptionArn", arn)]))
}

/// Queues and functions are confirmed when they subscribe: no token was ever given out.
pub(super) fn confirm(sns: &Sns, parameters: &Parameters) -> Answer {
    sns.topics().topic(parameters.arn("TopicArn")?)?;
    parameters.required("Token")?;
    Err(SnsError::invalid("Token", "Invalid token"))
}

pub(super) fn unsubscribe(sns: &Sns, parameters: &Parameters) -> Answer {
    sns.topics().unsubscribe(parameters.arn("SubscriptionArn")?)?;
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
    let arn = parameters.arn("SubscriptionArn")?;
    let subscription = topics.subscriptions.get(arn).ok_or(SnsError::NotFound { what: "Subscription" })?;
    let mut attributes = subscription.settings.told();
    let told = [
        ("SubscriptionArn", subscription.arn.clone()),
        ("TopicArn", subscription.topic_arn.clone()),
        ("Protocol", subscription.protocol.name().to_owned()),
        ("Endpoint", subscription.endpoint.clone()),
        ("Owner", sns.account.id.clone()),
        ("SubscriptionPrincipal", format!("arn:aws:iam::{}:root", sns.account.id)),
        ("ConfirmationWasAuthenticated", "true".to_owned()),
        ("PendingConfirmation", "false".to_owned()),
    ];
    attributes.extend(told.map(|(name, value)| (name.to_owned(), value)));
    Ok(Some(vec![Xml::map("Attributes", attributes)]))
}

pub(super) fn set_attribute(sns: &Sns, parameters: &Parameters) -> Answer {
    let name = parameters.required("AttributeName")?;
    let value = parameters.get("AttributeValue").unwrap_or_default();
    sns.topics().set_subscription(parameters.arn("SubscriptionArn")?, name, value)?;
    Ok(None)
}

fn member(subscription: &Subscription, owner: &str) -> Xml {
    Xml::elements(
        "member",
        vec![
            Xml::text("SubscriptionArn", &subscription.arn),
            Xml::text("Owner", owner),
            Xml::text("Protocol", subscription.protocol.name()),
            Xml::text("Endpoint", &subscription.endpoint),
            Xml::text("TopicArn", &subscription.topic_arn),
        ],
    )
}
