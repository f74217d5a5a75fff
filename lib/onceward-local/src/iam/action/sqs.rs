//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html>

use super::texts;
use crate::account::Account;
use crate::iam::evaluate::Need;
use crate::wire::AwsRequest;

pub(super) fn needs(account: &Account, request: &AwsRequest) -> Vec<Need> {
    let texts = texts(request);
    let text = |name: &str| texts.get(name).map(String::as_str);
    // The batch forms have no permissions of their own.
    let action = request.action.strip_suffix("Batch").unwrap_or(&request.action);
    let by_name = |name: &str| account.arn("sqs", name.rsplit(['/', ':']).next().unwrap_or_default());
    match action {
        "ListQueues" => vec![Need::new("sqs", action, "*")],
        "CreateQueue" | "GetQueueUrl" => vec![Need::new("sqs", action, by_name(text("QueueName").unwrap_or_default()))],
        "StartMessageMoveTask" => {
            let Some(source) = text("SourceArn") else { return Vec::new() };
            let on_source = ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
            let mut needs: Vec<_> = on_source.iter().map(|action| Need::new("sqs", action, source)).collect();
            needs.extend(text("DestinationArn").map(|destination| Need::new("sqs", "SendMessage", destination)));
            needs
        }
        "ListMessageMoveTasks" => text("SourceArn").map(|arn| Need::new("sqs", action, arn)).into_iter().collect(),
        // The handle of a task names its source, in a form that only SQS reads.
        "CancelMessageMoveTask" => vec![Need::new("sqs", action, account.arn("sqs", "*"))],
        action => {
            let queue = text("QueueUrl").unwrap_or(request.path.trim_end_matches('/'));
            vec![Need::new("sqs", action, by_name(queue))]
        }
    }
}
