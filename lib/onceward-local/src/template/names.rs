use super::{
    document::Resource,
    error::Faulted,
    intrinsics::Resolver,
    node::{Data, Node},
    parameters::Kind,
};
use crate::account::Account;

/// The name of the one stack a local cloud holds, unless told otherwise.
pub const STACK_NAME: &str = "onceward";

/// Stands for the base URL of the HTTP API, whose port is chosen after the template is read.
pub const HTTP_PLACEHOLDER: &str = "{http}";

/// `Ref`: a pseudo parameter, a parameter or a resource. `None` is `AWS::NoValue`.
pub(super) fn reference(
    resolver: &Resolver<'_>,
    name: &str,
    line: usize,
    place: &str,
) -> Result<Option<Node>, Faulted> {
    let account = resolver.account;
    let text = match name {
        "AWS::NoValue" => return Ok(None),
        "AWS::AccountId" => account.id.clone(),
        "AWS::Region" => account.region.clone(),
        "AWS::Partition" => "aws".to_owned(),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        "AWS::StackName" => resolver.stack_name.to_owned(),
        "AWS::StackId" => account.arn("cloudformation", &format!("stack/{}/local", resolver.stack_name)),
        _ => {
            if resolver.document.parameters.iter().any(|(key, _)| key.name == name) {
                return parameter(resolver, name, line).map(Some);
            }
            if implicit_api(resolver, name) {
                return Ok(Some(Node::text(line, name)));
            }
            let resource = existing(resolver, name, line, place)?;
            let physical = physical_name(resolver, resource, line, place)?;
            match resource.kind.as_str() {
                "AWS::SQS::Queue" => queue_url(resolver, &physical),
                "AWS::SNS::Topic" => account.arn("sns", &physical),
                "AWS::IAM::ManagedPolicy" => policy_arn(account, &physical),
                _ => physical,
            }
        }
    };
    Ok(Some(Node::text(line, text)))
}

fn parameter(resolver: &Resolver<'_>, name: &str, line: usize) -> Result<Node, Faulted> {
    // A declared parameter without a value is a fault that is in the list already.
    let parameter = resolver.parameters.get(name).ok_or(Faulted)?;
    let value = parameter.value.as_str();
    let data = match parameter.kind {
        Kind::Text => Data::Scalar { text: value.to_owned(), quoted: true },
        Kind::Number => Data::Scalar { text: value.to_owned(), quoted: false },
        Kind::List => Data::List(value.split(',').map(|item| Node::text(line, item.trim())).collect()),
    };
    Ok(Node { line, data })
}

/// `Fn::GetAtt`.
pub(super) fn attribute(
    resolver: &Resolver<'_>,
    id: &str,
    attribute: &str,
    line: usize,
    place: &str,
) -> Result<String, Faulted> {
    if implicit_api(resolver, id) && attribute == "ApiEndpoint" {
        return Ok(HTTP_PLACEHOLDER.to_owned());
    }
    let resource = existing(resolver, id, line, place)?;
    let name = physical_name(resolver, resource, line, place)?;
    let account = resolver.account;
    Ok(match (resource.kind.as_str(), attribute) {
        ("AWS::SQS::Queue", "Arn") => account.arn("sqs", &name),
        ("AWS::SQS::Queue", "QueueUrl") => queue_url(resolver, &name),
        ("AWS::SQS::Queue", "QueueName")
        | ("AWS::SNS::Topic", "TopicName")
        | ("AWS::Events::EventBus", "Name")
        | ("AWS::Events::Archive", "ArchiveName")
        | ("AWS::Serverless::HttpApi", "ApiId") => name,
        ("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable", "Arn") => table_arn(resolver, &name),
        ("AWS::DynamoDB::Table", "StreamArn") => format!("{}{STREAM}", table_arn(resolver, &name)),
        ("AWS::Events::EventBus", "Arn") => account.arn("events", &format!("event-bus/{name}")),
        ("AWS::Events::Rule", "Arn") => {
            let bus = resource.properties.get("EventBusName");
            let bus = bus.map_or_else(|| Ok("default".to_owned()), |bus| resolver.text(bus, place))?;
            account.arn("events", &rule_path(&bus, &name))
        }
        ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{name}"),
        ("AWS::Events::Archive", "Arn") => account.arn("events", &format!("archive/{name}")),
        ("AWS::Scheduler::ScheduleGroup", "Arn") => account.arn("scheduler", &format!("schedule-group/{name}")),
        ("AWS::Scheduler::Schedule", "Arn") => {
            let group = resource.properties.get("GroupName");
            let group = group.map_or_else(|| Ok("default".to_owned()), |group| resolver.text(group, place))?;
            account.arn("scheduler", &format!("schedule/{group}/{name}"))
        }
        ("AWS::SNS::Topic", "TopicArn") => account.arn("sns", &name),
        ("AWS::Serverless::Function", "Arn") => account.arn("lambda", &format!("function:{name}")),
        ("AWS::Serverless::HttpApi", "ApiEndpoint") => HTTP_PLACEHOLDER.to_owned(),
        ("AWS::Logs::LogGroup", "Arn") => account.arn("logs", &format!("log-group:{name}:*")),
        ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{}:role/{name}", account.id),
        ("AWS::IAM::ManagedPolicy", "PolicyArn") => policy_arn(account, &name),
        (kind, _) => {
            let message = format!("the local cloud knows no attribute `{attribute}` of `{id}` ({kind})");
            return Err(resolver.faults.add(line, place, message));
        }
    })
}

/// The API that SAM makes for `HttpApi` events without an `ApiId`.
fn implicit_api(resolver: &Resolver<'_>, id: &str) -> bool {
    id == "ServerlessHttpApi" && resolver.document.resource(id).is_none()
}

/// The ARN of one of the account's own managed policies.
pub(super) fn policy_arn(account: &Account, name: &str) -> String {
    format!("arn:aws:iam::{}:policy/{name}", account.id)
}

/// What follows a table's ARN in its stream's: a table has one stream, resolved by the table's name.
const STREAM: &str = "/stream/latest";

/// The table whose stream this is.
pub(super) fn table_of_stream(arn: &str) -> Option<&str> {
    arn.strip_suffix(STREAM)?.split_once(":table/").map(|(_, name)| name)
}

fn table_arn(resolver: &Resolver<'_>, name: &str) -> String {
    resolver.account.arn("dynamodb", &format!("table/{name}"))
}

fn queue_url(resolver: &Resolver<'_>, name: &str) -> String {
    format!("{}/{}/{name}", resolver.account.endpoint, resolver.account.id)
}

/// A rule of the default bus is `rule/{name}`, any other `rule/{bus}/{name}`.
pub(super) fn rule_path(bus: &str, name: &str) -> String {
    match bus_name(bus) {
        "default" => format!("rule/{name}"),
        bus => format!("rule/{bus}/{name}"),
    }
}

/// A bus by its name or its ARN.
pub(super) fn bus_name(bus: &str) -> &str {
    bus.rsplit_once("event-bus/").map_or(bus, |(_, name)| name)
}

/// The resource `id`, which must be declared and, if it is conditional, be there.
fn existing<'r>(resolver: &'r Resolver<'_>, id: &str, line: usize, place: &str) -> Result<&'r Resource, Faulted> {
    let Some(resource) = resolver.document.resource(id) else {
        let message = format!("`{id}` is neither a parameter nor a resource of this template");
        return Err(resolver.faults.add(line, place, message));
    };
    match &resource.condition {
        Some(condition) if !resolver.condition(condition, resource.line, id)? => {
            let message = format!("`{id}` does not exist: its condition {condition} is false; use Fn::If here");
            Err(resolver.faults.add(line, place, message))
        }
        _ => Ok(resource),
    }
}

/// The explicit name, else `{stack}-{logical id}`, with `.fifo` for a FIFO queue or topic.
pub(super) fn physical_name(
    resolver: &Resolver<'_>,
    resource: &Resource,
    line: usize,
    place: &str,
) -> Result<String, Faulted> {
    let id = &resource.id;
    if let Some(node) = name_property(&resource.kind).and_then(|property| resource.properties.get(property)) {
        return resolver.guarded(&format!("the name of {id}"), line, place, || resolver.text(node, id));
    }
    if resource.kind == "AWS::S3::Bucket" {
        // A bucket's name has no capitals.
        return Ok(format!("{}-{}", resolver.stack_name, id.to_lowercase()));
    }
    let set = |property| resource.properties.get(property).is_some_and(|node| node.as_text() == Some("true"));
    let fifo = set("FifoQueue") || set("FifoTopic");
    Ok(format!("{}-{id}{}", resolver.stack_name, if fifo { ".fifo" } else { "" }))
}

/// The property that names a resource of this type.
fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => "TableName",
        "AWS::Events::EventBus"
        | "AWS::Events::Rule"
        | "AWS::Scheduler::Schedule"
        | "AWS::Scheduler::ScheduleGroup" => "Name",
        "AWS::Events::Archive" => "ArchiveName",
        "AWS::Serverless::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        _ => return None,
    })
}
