//! The resources that SAM makes of a function's events:
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html>.

use super::{
    document::{Document, Resource},
    error::Faults,
    node::{Data, Key, Node},
};

const FUNCTION: &str = "AWS::Serverless::Function";

/// Refuses an event whose resource would have the logical id of one that the template declares: SAM deploys no such
/// template.
pub(super) fn check(document: &Document, faults: &Faults) {
    for function in document.resources.iter().filter(|resource| resource.kind == FUNCTION) {
        for (key, event) in events(function) {
            let generated = logical_id(&function.id, &key.name, event);
            if document.resources.iter().any(|resource| resource.id == generated) {
                let place = format!("{}.Events.{}", function.id, key.name);
                let message = format!(
                    "SAM makes a resource `{generated}` of this event, and the template declares one of that name: name \
                     the event otherwise"
                );
                faults.add(key.line, place, message);
            }
        }
    }
}

fn events(function: &Resource) -> &[(Key, Node)] {
    match function.properties.get("Events").map(|node| &node.data) {
        Some(Data::Map(events)) => events,
        _ => &[],
    }
}

/// A route of an HTTP API is part of that API; what is made of it is the permission to invoke the function.
fn logical_id(function: &str, event: &str, node: &Node) -> String {
    let is_route = node.get("Type").and_then(Node::as_text) == Some("HttpApi");
    format!("{function}{event}{}", if is_route { "Permission" } else { "" })
}
