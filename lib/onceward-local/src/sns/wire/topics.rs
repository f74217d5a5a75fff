//! Actions on topics and their tags.

use std::collections::BTreeMap;

use super::{Answer, page};
use crate::sns::query::{Parameters, Xml};
use crate::sns::topic::{check_tags, default_policy};
use crate::sns::{Sns, SnsError, permission};

/// How AWS delivers to HTTP subscribers unless told otherwise: told, and of no effect here.
const DELIVERY_POLICY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

pub(super) fn create(sns: &Sns, parameters: &Parameters) -> Answer {
    let name = parameters.required("Name")?;
    let attributes = parameters.map("Attributes.entry.", "key", "value")?;
    let tags = distinct_tags(parameters)?;
    let arn = sns.topics().create(&sns.account, name, &attributes, &tags)?;
    Ok(Some(vec![Xml::text("TopicArn", arn)]))
}

pub(super) fn list(sns: &Sns, parameters: &Parameters) -> Answer {
    let topics = sns.topics();
    let member = |arn: &String| Xml::elements("member", vec![Xml::text("TopicArn", arn)]);
    let (found, next) = page(topics.by_arn.keys().map(member).collect(), parameters)?;
    Ok(Some([Xml::elements("Topics", found)].into_iter().chain(next).collect()))
}

pub(super) fn delete(sns: &Sns, parameters: &Parameters) -> Answer {
    sns.topics().delete(parameters.arn("TopicArn")?);
    Ok(None)
}

pub(super) fn attributes(sns: &Sns, parameters: &Parameters) -> Answer {
    let arn = parameters.arn("TopicArn")?;
    let topics = sns.topics();
    let topic = topics.topic(arn)?;
    let mut attributes = topic.attributes.clone();
    attributes.entry("DisplayName".to_owned()).or_default();
    attributes.entry("Policy".to_owned()).or_insert_with(|| default_policy(&sns.account, arn));
    attributes.entry("EffectiveDeliveryPolicy".to_owned()).or_insert_with(|| DELIVERY_POLICY.to_owned());
    let told = [
        ("TopicArn", arn.to_owned()),
        ("Owner", sns.account.id.clone()),
        ("SubscriptionsConfirmed", topics.of_topic(arn).count().to_string()),
        ("SubscriptionsPending", "0".to_owned()),
        ("SubscriptionsDeleted", topic.subscriptions_deleted.to_string()),
    ];
    attributes.extend(told.map(|(name, value)| (name.to_owned(), value)));
    Ok(Some(vec![Xml::map("Attributes", attributes)]))
}

pub(super) fn set_attribute(sns: &Sns, parameters: &Parameters) -> Answer {
    let name = parameters.required("AttributeName")?;
    let value = parameters.get("AttributeValue").unwrap_or_default();
    sns.topics().topic_mut(parameters.arn("TopicArn")?)?.set(name, value)?;
    Ok(None)
}

pub(super) fn add_permission(sns: &Sns, parameters: &Parameters) -> Answer {
    let arn = parameters.arn("TopicArn")?;
    let label = parameters.required("Label")?;
    let accounts = parameters.list("AWSAccountId.member.")?;
    let actions = parameters.list("ActionName.member.")?;
    permission::add(sns.topics().topic_mut(arn)?, &sns.account, arn, label, &accounts, &actions)?;
    Ok(None)
}

pub(super) fn remove_permission(sns: &Sns, parameters: &Parameters) -> Answer {
    let arn = parameters.arn("TopicArn")?;
    permission::remove(sns.topics().topic_mut(arn)?, &sns.account, arn, parameters.required("Label")?)?;
    Ok(None)
}

pub(super) fn tag(sns: &Sns, parameters: &Parameters) -> Answer {
    let added = distinct_tags(parameters)?;
    let mut topics = sns.topics();
    let topic = topics.topic_mut(parameters.arn("ResourceArn")?).map_err(as_resource)?;
    let mut tags = topic.tags.clone();
    tags.extend(added);
    check_tags(&tags)?;
    topic.tags = tags;
    Ok(Some(Vec::new()))
}

pub(super) fn untag(sns: &Sns, parameters: &Parameters) -> Answer {
    let mut topics = sns.topics();
    let topic = topics.topic_mut(parameters.arn("ResourceArn")?).map_err(as_resource)?;
    for item in parameters.items("TagKeys.member.") {
        topic.tags.remove(parameters.required(&item)?);
    }
    Ok(Some(Vec::new()))
}

pub(super) fn tags(sns: &Sns, parameters: &Parameters) -> Answer {
    let topics = sns.topics();
    let topic = topics.topic(parameters.arn("ResourceArn")?).map_err(as_resource)?;
    let member = |(key, value): (&String, &String)| {
        Xml::elements("member", vec![Xml::text("Key", key), Xml::text("Value", value)])
    };
    Ok(Some(vec![Xml::elements("Tags", topic.tags.iter().map(member).collect())]))
}

/// The tags of a request, each key once.
fn distinct_tags(parameters: &Parameters) -> Result<BTreeMap<String, String>, SnsError> {
    let tags = parameters.map("Tags.member.", "Key", "Value")?;
    if tags.len() < parameters.items("Tags.member.").len() {
        return Err(SnsError::invalid("Tags", "Duplicated keys are not allowed."));
    }
    Ok(tags)
}

/// Tag actions have an error of their own for what is not there.
fn as_resource(_: SnsError) -> SnsError {
    SnsError::NotFound { what: "Resource" }
}
