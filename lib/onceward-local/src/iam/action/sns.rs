//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>

use super::texts;
use crate::account::Account;
use crate::iam::evaluate::Need;
use crate::wire::AwsRequest;

/// Colons in a topic's ARN; a subscription's has one more.
const TOPIC_COLONS: usize = 5;

pub(super) fn needs(account: &Account, request: &AwsRequest) -> Vec<Need> {
    let texts = texts(request);
    let text = |name: &str| texts.get(name).map(String::as_str);
    let action = match request.action.as_str() {
        "PublishBatch" => "Publish",
        action => action,
    };
    let resource = match action {
        "ListTopics" | "ListSubscriptions" => "*".to_owned(),
        "CreateTopic" => account.arn("sns", text("Name").unwrap_or_default()),
        _ => text("TopicArn")
            .or(text("TargetArn"))
            .or(text("ResourceArn"))
            .or(text("SubscriptionArn"))
            .map_or_else(|| "*".to_owned(), |arn| topic(arn).to_owned()),
    };
    let one = |name: &str| text(name).map(str::to_owned).into_iter().collect();
    let need = Need::new("sns", action, resource);
    if action != "Subscribe" {
        return vec![need];
    }
    vec![need.with("sns:endpoint", one("Endpoint")).with("sns:protocol", one("Protocol"))]
}

/// The topic of a subscription's ARN: permissions are on topics.
fn topic(arn: &str) -> &str {
    match arn.match_indices(':').nth(TOPIC_COLONS) {
        Some((end, _)) => &arn[..end],
        None => arn,
    }
}
