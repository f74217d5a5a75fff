//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html>

use super::texts;
use crate::account::Account;
use crate::iam::evaluate::Need;
use crate::wire::AwsRequest;

pub(super) fn needs(account: &Account, request: &AwsRequest) -> Vec<Need> {
    let texts = texts(request);
    let group = texts.get("logGroupName").or_else(|| texts.get("logGroupIdentifier"));
    let group = group.map(|group| group.rsplit_once("log-group:").map_or(group.as_str(), |(_, name)| name));
    let resource = match (group, texts.get("logStreamName")) {
        (Some(group), Some(stream)) => stream_arn(account, group, stream),
        (Some(group), None) => account.arn("logs", &format!("log-group:{group}:log-stream:")),
        (None, _) => "*".to_owned(),
    };
    vec![Need::new("logs", &request.action, resource)]
}

pub(in crate::iam) fn stream_arn(account: &Account, group: &str, stream: &str) -> String {
    account.arn("logs", &format!("log-group:{}:log-stream:{stream}", group.trim_end_matches(":*")))
}
