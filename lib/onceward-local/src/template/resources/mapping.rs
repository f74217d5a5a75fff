use crate::template::{
    document::Resource,
    function,
    intrinsics::Resolver,
    properties::Properties,
    stack::{Function, Stack},
    trigger,
};

/// Resources that say something about a function which is declared elsewhere.
pub(super) fn attach(resolver: &Resolver<'_>, resource: &Resource, stack: &mut Stack) {
    let properties = Properties::new(resolver, &resource.properties, &resource.id);
    match resource.kind.as_str() {
        "AWS::Lambda::EventSourceMapping" => mapping(properties, stack),
        "AWS::Lambda::EventInvokeConfig" => invoke_config(properties, stack),
        _ => {}
    }
}

fn mapping(properties: Properties<'_>, stack: &mut Stack) {
    let Some(function) = function_of(&properties, stack) else { return };
    let timeout = stack.functions[function].timeout;
    let source = properties.text("EventSourceArn").unwrap_or_default();
    properties.irrelevant(&["FunctionName"]);
    let trigger = if source.contains(":dynamodb:") {
        trigger::stream(properties, "EventSourceArn", stack)
    } else {
        trigger::sqs(properties, "EventSourceArn", stack, timeout)
    };
    stack.functions[function].triggers.extend(trigger);
}

fn invoke_config(properties: Properties<'_>, stack: &mut Stack) {
    let Some(function) = function_of(&properties, stack) else { return };
    properties.require("Qualifier");
    properties.one_of("Qualifier", &["$LATEST"]);
    let config = function::asynchronous(properties, stack);
    stack.functions[function].asynchronous = config;
}

/// The place of the function that `FunctionName` names: by name, ARN or partial ARN.
fn function_of(properties: &Properties<'_>, stack: &Stack) -> Option<usize> {
    let name = properties.required_text("FunctionName")?;
    let bare = name.split_once("function:").map_or(name.as_str(), |(_, rest)| rest);
    let bare = bare.split(':').next().unwrap_or(bare);
    let found = stack.functions.iter().position(|Function { name, .. }| name == bare);
    if found.is_none() {
        properties.fault("FunctionName", format!("`{name}` is not a function of this template"));
    }
    found
}
