use super::{
    error::{Faulted, Faults},
    node::{Data, Key, Node},
};

/// The only transform the local cloud applies.
const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// The template's sections, not yet resolved.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) description: Option<String>,
    pub(super) metadata: serde_json::Value,
    pub(super) parameters: Vec<(Key, Node)>,
    pub(super) mappings: Vec<(Key, Node)>,
    pub(super) conditions: Vec<(Key, Node)>,
    /// `Globals.Function`.
    pub(super) function_globals: Option<Node>,
    pub(super) resources: Vec<Resource>,
    pub(super) outputs: Vec<(Key, Node)>,
}

/// A resource as declared.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) line: usize,
    pub(super) kind: String,
    pub(super) condition: Option<String>,
    pub(super) properties: Node,
    pub(super) metadata: Option<Node>,
}

impl Document {
    pub(super) fn read(root: Node, faults: &Faults) -> Result<Self, Faulted> {
        let mut document = Self {
            description: None,
            metadata: serde_json::Value::Null,
            parameters: Vec::new(),
            mappings: Vec::new(),
            conditions: Vec::new(),
            function_globals: None,
            resources: Vec::new(),
            outputs: Vec::new(),
        };
        for (key, node) in entries(root, "", faults)? {
            // A section that cannot be read is a fault in the list; the others are still looked at.
            let _ = document.section(&key, node, faults);
        }
        if document.resources.is_empty() {
            return Err(faults.add(1, "Resources", "the template declares no resources"));
        }
        Ok(document)
    }

    fn section(&mut self, key: &Key, node: Node, faults: &Faults) -> Result<(), Faulted> {
        match key.name.as_str() {
            "AWSTemplateFormatVersion" => {}
            "Description" => self.description = node.as_text().map(|text| text.trim().to_owned()),
            "Metadata" => self.metadata = node.to_json(),
            "Transform" => transform(&node, faults)?,
            "Parameters" => self.parameters = entries(node, "Parameters", faults)?,
            "Mappings" => self.mappings = entries(node, "Mappings", faults)?,
            "Conditions" => self.conditions = entries(node, "Conditions", faults)?,
            "Outputs" => self.outputs = entries(node, "Outputs", faults)?,
            "Globals" => self.globals(node, faults)?,
            "Resources" => {
                for (key, node) in entries(node, "Resources", faults)? {
                    self.resources.extend(Resource::read(key, node, faults).ok());
                }
            }
            name => {
                let message = format!("the section `{name}` is not supported by the local cloud: remove it");
                return Err(faults.add(key.line, "", message));
            }
        }
        Ok(())
    }

    fn globals(&mut self, node: Node, faults: &Faults) -> Result<(), Faulted> {
        for (key, node) in entries(node, "Globals", faults)? {
            if key.name == "Function" {
                self.function_globals = Some(node);
            } else {
                let message = format!(
                    "only `Function` has globals in the local cloud: state those of `{}` on the resource",
                    key.name
                );
                faults.add(key.line, "Globals", message);
            }
        }
        Ok(())
    }

    pub(super) fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }
}

impl Resource {
    fn read(key: Key, node: Node, faults: &Faults) -> Result<Self, Faulted> {
        let mut resource = Self {
            id: key.name,
            line: key.line,
            kind: String::new(),
            condition: None,
            properties: Node { line: key.line, data: Data::Map(Vec::new()) },
            metadata: None,
        };
        for (attribute, node) in entries(node, &resource.id, faults)? {
            match attribute.name.as_str() {
                "Type" => node.as_text().unwrap_or_default().clone_into(&mut resource.kind),
                "Properties" => resource.properties = node,
                "Condition" => resource.condition = node.as_text().map(str::to_owned),
                "Metadata" => resource.metadata = Some(node),
                // Order of creation, and what happens when a stack goes: the local cloud goes as a whole.
                "DependsOn" | "DeletionPolicy" | "UpdateReplacePolicy" => {}
                name => {
                    let message = format!("the attribute `{name}` is not supported by the local cloud: remove it");
                    faults.add(attribute.line, &resource.id, message);
                }
            }
        }
        if resource.kind.is_empty() {
            return Err(faults.add(resource.line, &resource.id, "a resource needs a `Type`"));
        }
        Ok(resource)
    }
}

fn transform(node: &Node, faults: &Faults) -> Result<(), Faulted> {
    let names = match &node.data {
        Data::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    match names.iter().find(|name| name.as_text() != Some(TRANSFORM)) {
        None => Ok(()),
        Some(other) => {
            let message = format!("{} is not a transform the local cloud applies; it knows {TRANSFORM}", other.kind());
            Err(faults.add(other.line, "Transform", message))
        }
    }
}

/// The entries of what must be a mapping.
pub(super) fn entries(node: Node, place: &str, faults: &Faults) -> Result<Vec<(Key, Node)>, Faulted> {
    match node.data {
        Data::Map(entries) => Ok(entries),
        _ => Err(faults.add(node.line, place, format!("expected a mapping, found {}", node.kind()))),
    }
}
