use std::{path::Path, time::Duration};

use super::{
    document::Resource,
    intrinsics::Resolver,
    names,
    node::{Data, Node},
    properties::Properties,
    stack::{Build, Function, Stack},
    trigger,
};

/// What Lambda uses if the template does not say.
const TIMEOUT_DEFAULT_SECONDS: u64 = 3;
const MEMORY_DEFAULT_MB: u32 = 128;

/// Reads an `AWS::Serverless::Function` with `Globals.Function` merged in.
pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource, directory: &Path, stack: &Stack) -> Option<Function> {
    let merged = match &resolver.document.function_globals {
        Some(globals) => merge(globals, &resource.properties),
        None => resource.properties.clone(),
    };
    let properties = Properties::new(resolver, &merged, &resource.id);
    let name = names::physical_name(resolver, resource, resource.line, &resource.id).ok();
    let code_uri = properties.required_text("CodeUri").map(|path| directory.join(path));
    properties.require("Runtime");
    properties.one_of("Runtime", &["provided.al2023", "provided.al2"]);
    properties.one_of("PackageType", &["Zip"]);
    let handler = properties.required_text("Handler");
    let timeout = properties.number("Timeout", 1..=900).unwrap_or(TIMEOUT_DEFAULT_SECONDS);
    let memory_mb = properties.number("MemorySize", 128..=10_240).unwrap_or(MEMORY_DEFAULT_MB);
    let environment = properties.nested("Environment").map(|environment| {
        let variables = environment.texts("Variables");
        environment.finish();
        variables
    });
    let triggers = trigger::read(&properties, stack, Duration::from_secs(timeout));
    let build = build(resolver, resource);
    irrelevant(&properties);
    properties.finish();
    Some(Function {
        logical_id: resource.id.clone(),
        name: name?,
        code_uri: code_uri?,
        build: build?,
        handler: handler?,
        environment: environment.unwrap_or_default(),
        timeout: Duration::from_secs(timeout),
        memory_mb,
        triggers,
    })
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
        "LoggingConfig",
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
