//! `AWS::SQS::QueuePolicy`, `AWS::SNS::TopicPolicy` and `AWS::Lambda::Permission`.

use serde_json::{Map, Value, json};

use super::{Reader, document, parsed_json};
use crate::template::{document::Resource, properties::Properties, stack::Stack};

impl Reader<'_> {
    /// The policy becomes the attribute `Policy` of each queue, as `CloudFormation` sets it.
    pub(super) fn queue_policy(&self, resource: &Resource, stack: &mut Stack) -> Option<()> {
        let properties = Properties::new(self.resolver, &resource.properties, &resource.id);
        document(&properties, "PolicyDocument");
        let text = properties.json("PolicyDocument")?.to_string();
        properties.require("Queues");
        let urls = properties.list("Queues");
        properties.finish();
        for node in urls {
            let name = node.as_text().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
            if let Some(queue) = stack.queues.iter_mut().find(|queue| queue.name == name) {
                queue.attributes.insert("Policy".to_owned(), text.clone());
            } else {
                let message = format!("{} is not the URL of a queue of this template", node.kind());
                self.resolver.faults.add(node.line, format!("{}.Queues", resource.id), message);
            }
        }
        Some(())
    }

    pub(super) fn topic_policy(&self, resource: &Resource, stack: &mut Stack) -> Option<()> {
        let properties = Properties::new(self.resolver, &resource.properties, &resource.id);
        document(&properties, "PolicyDocument");
        let text = properties.json("PolicyDocument")?.to_string();
        properties.require("Topics");
        let topics = properties.list("Topics");
        properties.finish();
        for node in topics {
            let arn = node.as_text().unwrap_or_default();
            let known = stack.topics.iter().any(|topic| arn == self.resolver.account.arn("sns", &topic.name));
            if known {
                stack.permissions.topic_policies.insert(arn.to_owned(), text.clone());
            } else {
                let message = format!("{} is not the ARN of a topic of this template", node.kind());
                self.resolver.faults.add(node.line, format!("{}.Topics", resource.id), message);
            }
        }
        Some(())
    }

    /// A statement of the function's own policy.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>
    pub(super) fn permission(&self, resource: &Resource, stack: &mut Stack) -> Option<()> {
        let properties = Properties::new(self.resolver, &resource.properties, &resource.id);
        properties.refuse(&["EventSourceToken", "PrincipalOrgID"], "there are no other accounts here");
        properties.irrelevant(&["FunctionUrlAuthType", "InvokedViaFunctionUrl"]);
        let (function, action) = (properties.required_text("FunctionName"), properties.required_text("Action"));
        let principal = properties.required_text("Principal");
        let mut condition = Map::new();
        if let Some(arn) = properties.text("SourceArn") {
            condition.insert("ArnLike".to_owned(), json!({ "aws:SourceArn": arn }));
        }
        if let Some(account) = properties.text("SourceAccount") {
            condition.insert("StringEquals".to_owned(), json!({ "aws:SourceAccount": account }));
        }
        properties.finish();
        let (function, action, principal) = (function?, action?, principal?);
        let bare = function.split_once("function:").map_or(function.as_str(), |(_, rest)| rest);
        let name = bare.split(':').next().unwrap_or(bare);
        let arn = self.resolver.account.arn("lambda", &format!("function:{name}"));
        let kind = if principal.ends_with(".amazonaws.com") { "Service" } else { "AWS" };
        let document = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {kind: principal},
            "Action": action,
            "Resource": [arn, format!("{arn}:*")],
            "Condition": Value::Object(condition),
        }]});
        let policy = parsed_json(self.resolver, &document, resource.line, &resource.id).ok()?;
        stack.permissions.allow_on_function(&arn, policy);
        Some(())
    }
}
