use std::{path::Path, time::Duration};

use super::{
    destination,
    document::Resource,
    intrinsics::Resolver,
    names,
    node::{Data, Node},
    properties::Properties,
    stack::{Build, Function, Stack},
    trigger,
};
use crate::lambda::{EventInvokeConfig, Logging};

/// What Lambda uses if the template does not say.
const TIMEOUT_DEFAULT_SECONDS: u64 = 3;
const MEMORY_DEFAULT_MB: u32 = 128;

/// What cargo-lambda builds with if the template does not say.
const PROFILE_DEFAULT: &str = "release";

/// Variables that Lambda reserves.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// Reads an `AWS::Serverless::Function` with `Globals.Function` merged in.
pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource, directory: &Path, stack: &Stack) -> Option<Function> {
    let merged = match &resolver.document.function_globals {
        Some(globals) => merge(globals, &resource.properties),
        None => resource.properties.clone(),
    };
    let properties = Properties::new(resolver, &merged, &resource.id);
    let name = names::physical_name(resolver, resource, resource.line, &resource.id).ok();
    if let Some(name) = name.as_deref().filter(|name| !is_function_name(name)) {
        let message = format!("`{name}` is not 1 to 64 letters, digits, hyphens and underscores");
        properties.fault("FunctionName", message);
    }
    let code_uri = properties.required_text("CodeUri").map(|path| directory.join(path));
    properties.require("Runtime");
    properties.one_of("Runtime", &["provided.al2023", "provided.al2"]);
    properties.one_of("PackageType", &["Zip"]);
    let handler = properties.required_text("Handler");
    let timeout = properties.number("Timeout", 1..=900).unwrap_or(TIMEOUT_DEFAULT_SECONDS);
    let memory_mb = properties.number("MemorySize", 128..=10_240).unwrap_or(MEMORY_DEFAULT_MB);
    let environment = properties.nested("Environment").map(|environment| {
        let variables = environment.texts("Variables");
        check_variables(&environment, variables.keys());
        environment.finish();
        variables
    });
    let runtime = properties.text("Runtime");
    let logging = logging(&properties);
    let reserved_concurrency = properties.number("ReservedConcurrentExecutions", 0..=1_000);
    let asynchronous = properties.nested("EventInvokeConfig").map(|config| asynchronous(config, stack));
    let dead_letter_arn = properties.nested("DeadLetterQueue").and_then(|letters| {
        let arn = destination::read(&letters, "TargetArn", &["SQS", "SNS"], stack);
        letters.finish();
        arn
    });
    let arn = name.as_ref().map(|name| resolver.account.arn("lambda", &format!("function:{name}")));
    let triggers = trigger::read(&properties, stack, Duration::from_secs(timeout), arn.as_deref());
    let build = build(resolver, resource);
    irrelevant(&properties);
    properties.finish();
    Some(Function {
        logical_id: resource.id.clone(),
        name: name?,
        code_uri: code_uri?,
        build: build?,
        profile: profile(resource),
        handler: handler?,
        environment: environment.unwrap_or_default(),
        timeout: Duration::from_secs(timeout),
        memory_mb,
        runtime: runtime.unwrap_or_default(),
        logging,
        reserved_concurrency,
        asynchronous: asynchronous.unwrap_or_default(),
        dead_letter_arn,
        triggers,
    })
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html#lambda-CreateFunction-request-FunctionName>
fn is_function_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
fn check_variables<'n>(environment: &Properties<'_>, names: impl Iterator<Item = &'n String>) {
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    for name in names {
        if RESERVED.contains(&name.as_str()) {
            environment.fault("Variables", format!("Lambda sets `{name}` itself, and refuses another value"));
        } else if !is_name(name) {
            let message = format!("`{name}` is not a letter followed by letters, digits and underscores");
            environment.fault("Variables", message);
        }
    }
}

fn logging(properties: &Properties<'_>) -> Logging {
    let Some(config) = properties.nested("LoggingConfig") else { return Logging::default() };
    let group = config.text("LogGroup");
    let json = config.one_of("LogFormat", &["Text", "JSON"]) == Some("JSON");
    config.irrelevant(&["ApplicationLogLevel", "SystemLogLevel"]);
    config.finish();
    Logging { group, json }
}

/// A function's `EventInvokeConfig`, or the properties of a resource of that type.
pub(super) fn asynchronous(config: Properties<'_>, stack: &Stack) -> EventInvokeConfig {
    const KINDS: [&str; 4] = ["SQS", "SNS", "Lambda", "EventBridge"];
    let attempts = config.number("MaximumRetryAttempts", 0..=2);
    let age = config.number("MaximumEventAgeInSeconds", 60..=21_600);
    let (mut on_success_arn, mut on_failure_arn) = (None, None);
    if let Some(destinations) = config.nested("DestinationConfig") {
        for (name, arn) in [("OnSuccess", &mut on_success_arn), ("OnFailure", &mut on_failure_arn)] {
            if let Some(target) = destinations.nested(name) {
                *arn = destination::read(&target, "Destination", &KINDS, stack);
                target.finish();
            }
        }
        destinations.finish();
    }
    config.finish();
    let default = EventInvokeConfig::default();
    EventInvokeConfig {
        maximum_retry_attempts: attempts.unwrap_or(default.maximum_retry_attempts),
        maximum_event_age: age.map_or(default.maximum_event_age, Duration::from_secs),
        on_success_arn,
        on_failure_arn,
        configured: true,
    }
}

fn irrelevant(properties: &Properties<'_>) {
    properties.irrelevant(&[
        "FunctionName",
        "Description",
        // Who may do what: resources/permissions.
        "Role",
        "RolePath",
        "Policies",
        "PermissionsBoundary",
        "AssumeRolePolicyDocument",
        // Where it runs and how it is watched.
        "Architectures",
        "EphemeralStorage",
        "KmsKeyArn",
        "RuntimeManagementConfig",
        "Tags",
        "PropagateTags",
        "Tracing",
        "VpcConfig",
    ]);
}

/// The resource's `Metadata`: other tools keep theirs there too, so only what SAM builds by is looked at.
fn build(resolver: &Resolver<'_>, resource: &Resource) -> Option<Build> {
    let place = format!("{}.Metadata", resource.id);
    let Some((metadata, method)) = resource.metadata.as_ref().and_then(|node| Some((node, node.get("BuildMethod")?)))
    else {
        return Some(Build::Bootstrap);
    };
    if method.as_text() != Some("rust-cargolambda") {
        let message = format!(
            "{} is not a build method the local cloud knows: use rust-cargolambda, or leave it out if CodeUri holds \
             a ready `bootstrap`",
            method.kind()
        );
        resolver.faults.add(method.line, format!("{place}.BuildMethod"), message);
        return None;
    }
    let Some(node) = metadata.get("BuildProperties") else {
        resolver.faults.add(metadata.line, place, "name the binary: `BuildProperties: {Binary: …}`");
        return None;
    };
    let properties = Properties::new(resolver, node, format!("{place}.BuildProperties"));
    let binary = properties.required_text("Binary");
    properties.irrelevant(&["Profile"]); // the profile of a deployment
    properties.finish();
    binary.map(|binary| Build::CargoLambda { binary })
}

/// The profile of a deployment: `release`, unless the template names another.
fn profile(resource: &Resource) -> String {
    let named =
        resource.metadata.as_ref().and_then(|metadata| metadata.get("BuildProperties")?.get("Profile")?.as_text());
    named.unwrap_or(PROFILE_DEFAULT).to_owned()
}

/// SAM's rule for globals: mappings merge, lists are joined with the global items first, anything else is replaced.
pub(super) fn merge(global: &Node, own: &Node) -> Node {
    let data = match (&global.data, &own.data) {
        (Data::Map(global), Data::Map(own)) => {
            let mut merged = own.clone();
            for (key, node) in global {
                match merged.iter_mut().find(|(known, _)| known.name == key.name) {
                    Some((_, known)) => *known = merge(node, known),
                    None => merged.push((key.clone(), node.clone())),
                }
            }
            Data::Map(merged)
        }
        (Data::List(global), Data::List(own)) => Data::List(global.iter().chain(own).cloned().collect()),
        _ => own.data.clone(),
    };
    Node { line: own.line, data }
}
