use super::{
    error::{Faulted, Faults},
    node::{Data, Key, Node},
};

/// The only transform the local cloud applies.
const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// Properties that SAM takes of no globals.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
const OWN_PROPERTIES: [(&str, &[&str]); 3] = [
    ("Function", &["FunctionName", "Role", "Policies", "Events", "PackageType"]),
    ("HttpApi", &["Name", "Description", "StageName", "DefinitionBody", "DefinitionUri"]),
    ("SimpleTable", &["TableName", "PrimaryKey", "ProvisionedThroughput", "PointInTimeRecoverySpecification", "Tags"]),
];

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
    /// `Globals.HttpApi`.
    pub(super) http_api_globals: Option<Node>,
    /// `Globals.SimpleTable`.
    pub(super) simple_table_globals: Option<Node>,
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
    pub(super) depends_on: Vec<Node>,
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
            http_api_globals: None,
            simple_table_globals: None,
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
        document.check_dependencies(faults);
        Ok(document)
    }

    /// Here nothing waits for another resource, but a stack with a wrong name is not created.
    fn check_dependencies(&self, faults: &Faults) {
        for resource in &self.resources {
            let unknown = |name: &&Node| name.as_text().is_none_or(|id| self.resource(id).is_none());
            for name in resource.depends_on.iter().filter(unknown) {
                let message = format!("{} is not a resource of this template", name.kind());
                faults.add(name.line, format!("{}.DependsOn", resource.id), message);
            }
        }
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
            own_properties(&key.name, &node, faults);
            match key.name.as_str() {
                "Function" => self.function_globals = Some(node),
                "HttpApi" => self.http_api_globals = Some(node),
                "SimpleTable" => self.simple_table_globals = Some(node),
                name => {
                    let message = format!(
                        "the local cloud has globals of `Function`, `HttpApi` and `SimpleTable`: state those of \
                         `{name}` on the resource"
                    );
                    faults.add(key.line, "Globals", message);
                }
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
            depends_on: Vec::new(),
            properties: Node { line: key.line, data: Data::Map(Vec::new()) },
            metadata: None,
        };
        let is_alphanumeric = resource.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // A loop over resources has a name of its own.
        if !is_alphanumeric && !resource.id.starts_with("Fn::") {
            faults.add(resource.line, &resource.id, "CloudFormation takes letters and digits only in a logical id");
        }
        for (attribute, node) in entries(node, &resource.id, faults)? {
            match attribute.name.as_str() {
                "Type" => node.as_text().unwrap_or_default().clone_into(&mut resource.kind),
                "Properties" => resource.properties = node,
                "Condition" => resource.condition = node.as_text().map(str::to_owned),
                "Metadata" => resource.metadata = Some(node),
                "DependsOn" => {
                    resource.depends_on = match node.data {
                        Data::List(names) => names,
                        _ => vec![node],
                    }
                }
                // What happens when a stack goes: the local cloud goes as a whole.
                "DeletionPolicy" | "UpdateReplacePolicy" => {}
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

/// Notes what a resource must say for itself.
fn own_properties(kind: &str, globals: &Node, faults: &Faults) {
    let Data::Map(entries) = &globals.data else { return };
    let own = OWN_PROPERTIES.iter().find(|(known, _)| *known == kind).map_or(&[][..], |(_, own)| own);
    for (key, _) in entries.iter().filter(|(key, _)| own.contains(&key.name.as_str())) {
        let message = "SAM takes no such global: state it on each resource";
        faults.add(key.line, format!("Globals.{kind}.{}", key.name), message);
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
