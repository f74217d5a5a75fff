//! A function's role: the one it names, or the one that SAM makes of its `Policies`, its events and its tracing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Reader, aws_managed, parsed_json};
use crate::destination;
use crate::iam::{self, FunctionRole, NamedPolicy, Policy, RolePolicies};
use crate::template::{
    document::Resource,
    function::merge,
    names,
    node::{Data, Key, Node},
    properties::Properties,
    stack::{Stack, Trigger},
};

impl Reader<'_> {
    pub(super) fn function(&self, resource: &Resource, stack: &mut Stack) -> Option<()> {
        let merged = match &self.resolver.document.function_globals {
            Some(globals) => merge(globals, &resource.properties),
            None => resource.properties.clone(),
        };
        let properties = Properties::new(self.resolver, &merged, &resource.id);
        let name = stack.functions.iter().find(|function| function.logical_id == resource.id)?.name.clone();
        let (log_group, log_group_declared) = self.log_group(&properties, &name);
        let role_arn = if let Some(arn) = properties.text("Role") {
            arn
        } else {
            let arn = self.role_arn(&format!("{}-{}Role", self.resolver.stack_name, resource.id));
            let policies = self.sam_policies(&properties, resource, stack);
            let boundary = self.boundary(&properties);
            stack.permissions.roles.insert(arn.clone(), RolePolicies { policies, boundary });
            stack.lines.roles.insert(arn.clone(), format!("{}.Policies", resource.id));
            arn
        };
        self.events(&properties, &name, stack);
        stack.permissions.functions.insert(name, FunctionRole { role_arn, log_group, log_group_declared });
        Some(())
    }

    /// SAM lets in the services that an event names: a rule, a schedule or a topic of a function's `Events`.
    fn events(&self, properties: &Properties<'_>, function: &str, stack: &mut Stack) {
        let Some(events) = properties.nested("Events") else { return };
        let services =
            events.into_entries().into_iter().filter_map(|(_, event)| match event.get("Type")?.as_text()? {
                "EventBridgeRule" | "CloudWatchEvent" | "Schedule" => Some("events.amazonaws.com"),
                "SNS" => Some("sns.amazonaws.com"),
                "S3" => Some("s3.amazonaws.com"),
                _ => None,
            });
        let arn = self.resolver.account.arn("lambda", &format!("function:{function}"));
        for service in services {
            let principal = json!({ "Service": service });
            let statement = json!({
                "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": arn,
            });
            let document = json!({"Version": "2012-10-17", "Statement": [statement]});
            if let Ok(policy) = Policy::parse(&document) {
                stack.permissions.allow_on_function(&arn, policy);
            }
        }
    }

    /// The name of the function's log group, and whether the template declares it.
    fn log_group(&self, properties: &Properties<'_>, function: &str) -> (String, bool) {
        let logging = properties.nested("LoggingConfig");
        let group = logging.and_then(|logging| logging.text("LogGroup"));
        let group = group.unwrap_or_else(|| format!("/aws/lambda/{function}"));
        let groups = self.resolver.document.resources.iter().filter(|it| it.kind == "AWS::Logs::LogGroup");
        let declared = groups
            .filter_map(|it| names::physical_name(self.resolver, it, it.line, &it.id).ok())
            .any(|declared| declared == group);
        (group, declared)
    }

    fn sam_policies(&self, properties: &Properties<'_>, resource: &Resource, stack: &Stack) -> Vec<NamedPolicy> {
        let mut policies = implied(properties, resource, stack);
        let written = match properties.raw("Policies") {
            None => Vec::new(),
            Some(Node { data: Data::List(items), .. }) => items.clone(),
            Some(one) => vec![one.clone()],
        };
        for (index, node) in written.iter().enumerate() {
            let place = properties.place_of(&format!("Policies[{index}]"));
            let Ok(Some(node)) = self.resolver.resolve(node, &place) else { continue };
            policies.extend(self.sam_policy(&node, &place, index));
        }
        policies
    }

    /// A managed policy by name or ARN, a document, a statement, or a policy template with its parameters.
    fn sam_policy(&self, node: &Node, place: &str, index: usize) -> Option<NamedPolicy> {
        let entries = match &node.data {
            Data::Scalar { text, .. } => return self.managed(text, node.line, place),
            Data::Map(entries) => entries,
            _ => {
                let message = format!("expected a policy, found {}", node.kind());
                self.resolver.faults.add(node.line, place, message);
                return None;
            }
        };
        let has = |name: &str| entries.iter().any(|(key, _)| key.name == name);
        let (name, document) = if has("Statement") {
            let mut document = node.to_json();
            document.as_object_mut()?.entry("Version").or_insert_with(|| json!("2012-10-17"));
            (format!("Policies[{index}]"), document)
        } else if has("Effect") {
            (format!("Policies[{index}]"), json!({"Version": "2012-10-17", "Statement": [node.to_json()]}))
        } else {
            self.policy_template(entries, node, place)?
        };
        let policy = parsed_json(self.resolver, &document, node.line, place).ok()?;
        Some(NamedPolicy { name, policy: Arc::new(policy), implicit: false })
    }

    fn policy_template(&self, entries: &[(Key, Node)], node: &Node, place: &str) -> Option<(String, Value)> {
        let [(key, parameters)] = entries else {
            self.resolver.faults.add(node.line, place, "expected one policy template with its parameters");
            return None;
        };
        let Some(expected) = iam::sam_parameters(&key.name) else {
            let message =
                format!("the local cloud does not know the policy template {}: write its statement", key.name);
            self.resolver.faults.add(key.line, place, message);
            return None;
        };
        let properties = Properties::new(self.resolver, parameters, format!("{place}.{}", key.name));
        let values: Vec<_> = expected.iter().map(|name| properties.required_text(name)).collect();
        properties.finish();
        let values: Vec<String> = values.into_iter().collect::<Option<_>>()?;
        Some((key.name.clone(), iam::sam(self.resolver.account, &key.name, &values)?))
    }
}

/// What SAM adds without being asked.
fn implied(properties: &Properties<'_>, resource: &Resource, stack: &Stack) -> Vec<NamedPolicy> {
    let mut names = vec!["AWSLambdaBasicExecutionRole"];
    let function = stack.functions.iter().find(|function| function.logical_id == resource.id);
    let triggers = function.map(|function| function.triggers.as_slice()).unwrap_or_default();
    if triggers.iter().any(|it| matches!(it, Trigger::Sqs { .. })) {
        names.push("AWSLambdaSQSQueueExecutionRole");
    }
    if triggers.iter().any(|it| matches!(it, Trigger::Stream { .. })) {
        names.push("AWSLambdaDynamoDBExecutionRole");
    }
    if properties.text("Tracing").is_some_and(|tracing| tracing == "Active") {
        names.push("AWSXrayWriteOnlyAccess");
    }
    if properties.raw("VpcConfig").is_some() {
        names.push("AWSLambdaVPCAccessExecutionRole");
    }
    let mut policies: Vec<_> = names.into_iter().filter_map(|name| aws_managed(name, true)).collect();
    let streams = triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Stream { on_failure_arn, .. } => Some(("OnFailure", on_failure_arn.clone()?)),
        _ => None,
    });
    policies.extend(streams.chain(own_destinations(properties)).filter_map(|(name, arn)| {
        let action = match destination::service(&arn)? {
            "sqs" => "sqs:SendMessage",
            "sns" => "sns:Publish",
            "lambda" => "lambda:InvokeFunction",
            "events" => "events:PutEvents",
            _ => return None,
        };
        let policy = Policy::parse(&iam::allow(&[action], &[arn])).ok()?;
        Some(NamedPolicy { name: name.to_owned(), policy: Arc::new(policy), implicit: true })
    }));
    policies
}

/// Where the function's own `EventInvokeConfig` and `DeadLetterQueue` send. A resource of the type
/// `AWS::Lambda::EventInvokeConfig` grants nothing.
fn own_destinations(properties: &Properties<'_>) -> Vec<(&'static str, String)> {
    let config = properties.nested("EventInvokeConfig").and_then(|config| config.nested("DestinationConfig"));
    let destination = |name| Some((name, config.as_ref()?.nested(name)?.text("Destination")?));
    let letters = || Some(("DeadLetterQueue", properties.nested("DeadLetterQueue")?.text("TargetArn")?));
    [destination("OnSuccess"), destination("OnFailure"), letters()].into_iter().flatten().collect()
}
