//! Who may do what: roles and their policies, the policies of queues, topics and functions, and what SAM adds to a
//! function without a role of its own.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html#sam-function-policies>

mod function;
mod resource;
mod role;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::iam::{self, NamedPolicy, Policy, RolePolicies};
use crate::template::{
    document::Resource, error::Faulted, intrinsics::Resolver, names, node::Node, properties::Properties, stack::Stack,
};

/// The ARN of every AWS managed policy begins with this.
const AWS_MANAGED: &str = "arn:aws:iam::aws:policy/";

/// Reads what the whole template grants. Functions are in the stack already.
pub(super) fn read(resolver: &Resolver<'_>, stack: &mut Stack) {
    let present: Vec<&Resource> =
        resolver.document.resources.iter().filter(|resource| super::exists(resolver, resource)).collect();
    let reader = Reader { resolver, own: managed_policies(resolver, &present) };
    for resource in &present {
        match resource.kind.as_str() {
            "AWS::IAM::Role" => drop(reader.role(resource, stack)),
            "AWS::SQS::QueuePolicy" => drop(reader.queue_policy(resource, stack)),
            "AWS::SNS::TopicPolicy" => drop(reader.topic_policy(resource, stack)),
            "AWS::Lambda::Permission" => drop(reader.permission(resource, stack)),
            _ => {}
        }
    }
    // What is attached to roles is read after them.
    for resource in &present {
        match resource.kind.as_str() {
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => drop(reader.attach(resource, stack)),
            "AWS::Serverless::Function" => drop(reader.function(resource, stack)),
            _ => {}
        }
    }
    let account = resolver.account;
    let queues = stack.queues.iter().map(|queue| account.arn("sqs", &queue.name));
    let topics = stack.topics.iter().map(|topic| account.arn("sns", &topic.name));
    let rules = stack.rules.iter().map(|rule| account.arn("events", &names::rule_path(&rule.bus, &rule.name)));
    stack.permissions.declared = queues.chain(topics).chain(rules).collect();
}

/// The template's own managed policies, by ARN.
fn managed_policies(resolver: &Resolver<'_>, present: &[&Resource]) -> BTreeMap<String, NamedPolicy> {
    let managed = present.iter().filter(|resource| resource.kind == "AWS::IAM::ManagedPolicy");
    let read = |resource: &&Resource| {
        let name = names::physical_name(resolver, resource, resource.line, &resource.id).ok()?;
        let properties = Properties::new(resolver, &resource.properties, &resource.id);
        let policy = document(&properties, "PolicyDocument")?;
        let arn = names::policy_arn(resolver.account, &name);
        Some((arn, NamedPolicy { name, policy: Arc::new(policy), implicit: false }))
    };
    managed.filter_map(read).collect()
}

struct Reader<'r> {
    resolver: &'r Resolver<'r>,
    /// The template's own managed policies, by ARN.
    own: BTreeMap<String, NamedPolicy>,
}

impl Reader<'_> {
    /// A managed policy by its ARN: the template's own, or one of AWS's that is known here. SAM takes the bare name too.
    fn managed(&self, arn: &str, line: usize, place: &str) -> Option<NamedPolicy> {
        if let Some(policy) = self.own.get(arn) {
            return Some(policy.clone());
        }
        let name = match arn.strip_prefix(AWS_MANAGED) {
            Some(path) => path.rsplit('/').next().unwrap_or(path),
            None => arn,
        };
        let known = (!name.contains(':')).then(|| aws_managed(name, false)).flatten();
        if known.is_none() {
            let message = format!(
                "the local cloud does not know the managed policy `{arn}`: write its statements out, or run without \
                 IAM on a template that leaves it out"
            );
            self.resolver.faults.add(line, place, message);
        }
        known
    }

    /// `PermissionsBoundary`.
    fn boundary(&self, properties: &Properties<'_>) -> Option<Arc<Policy>> {
        let node = properties.get("PermissionsBoundary")?;
        let arn = properties.text("PermissionsBoundary")?;
        let place = properties.place_of("PermissionsBoundary");
        self.managed(&arn, node.line, &place).map(|named| named.policy)
    }

    fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.resolver.account.id)
    }
}

fn aws_managed(name: &str, implicit: bool) -> Option<NamedPolicy> {
    let policy = Policy::parse(&iam::managed(name)?).ok()?;
    Some(NamedPolicy { name: name.to_owned(), policy: Arc::new(policy), implicit })
}

/// A policy document among a resource's properties.
fn document(properties: &Properties<'_>, name: &'static str) -> Option<Policy> {
    properties.require(name);
    let node = properties.get(name)?;
    parsed(properties.resolver, &node, &properties.place_of(name)).ok()
}

/// A policy document, resolved.
fn parsed(resolver: &Resolver<'_>, node: &Node, place: &str) -> Result<Policy, Faulted> {
    parsed_json(resolver, &node.to_json(), node.line, place)
}

fn parsed_json(resolver: &Resolver<'_>, document: &Value, line: usize, place: &str) -> Result<Policy, Faulted> {
    Policy::parse(document).map_err(|error| resolver.faults.add(line, place, error.to_string()))
}

/// The policies of the role, to which more may be added.
fn policies_of<'s>(stack: &'s mut Stack, role_arn: &str) -> &'s mut RolePolicies {
    stack.permissions.roles.entry(role_arn.to_owned()).or_default()
}
