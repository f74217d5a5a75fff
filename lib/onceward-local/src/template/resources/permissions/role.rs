//! `AWS::IAM::Role`, `AWS::IAM::Policy` and `AWS::IAM::ManagedPolicy`.

use std::sync::Arc;

use super::{Reader, document, parsed, policies_of};
use crate::iam::{NamedPolicy, RolePolicies};
use crate::template::{document::Resource, names, properties::Properties, stack::Stack};

impl Reader<'_> {
    pub(super) fn role(&self, resource: &Resource, stack: &mut Stack) -> Option<()> {
        let properties = Properties::new(self.resolver, &resource.properties, &resource.id);
        let name = names::physical_name(self.resolver, resource, resource.line, &resource.id).ok()?;
        properties.irrelevant(&["RoleName", "Description", "MaxSessionDuration", "Path", "Tags"]);
        let trust = properties.get("AssumeRolePolicyDocument");
        properties.require("AssumeRolePolicyDocument");
        if let Some(trust) = trust {
            // Who assumes a role here is told by the template. That the document can be read is all that is asked.
            drop(parsed(self.resolver, &trust, &properties.place_of("AssumeRolePolicyDocument")));
        }
        let mut policies = Vec::new();
        for (index, node) in properties.list("Policies").iter().enumerate() {
            let place = properties.place_of(&format!("Policies[{index}]"));
            let inline = Properties::new(self.resolver, node, place);
            let (name, policy) = (inline.required_text("PolicyName"), document(&inline, "PolicyDocument"));
            inline.finish();
            if let (Some(name), Some(policy)) = (name, policy) {
                policies.push(NamedPolicy { name, policy: Arc::new(policy), implicit: false });
            }
        }
        for node in properties.list("ManagedPolicyArns") {
            let arn = node.as_text().unwrap_or_default();
            policies.extend(self.managed(arn, node.line, &properties.place_of("ManagedPolicyArns")));
        }
        let boundary = self.boundary(&properties);
        properties.finish();
        stack.lines.roles.insert(self.role_arn(&name), resource.id.clone());
        stack.permissions.roles.insert(self.role_arn(&name), RolePolicies { policies, boundary });
        Some(())
    }

    /// Attaches a policy to the roles it names. Users and groups do not call here.
    pub(super) fn attach(&self, resource: &Resource, stack: &mut Stack) -> Option<()> {
        let properties = Properties::new(self.resolver, &resource.properties, &resource.id);
        properties.irrelevant(&["Users", "Groups", "Description", "Path", "ManagedPolicyName"]);
        let roles = properties.list("Roles");
        let named = if resource.kind == "AWS::IAM::Policy" {
            let (name, policy) = (properties.required_text("PolicyName"), document(&properties, "PolicyDocument"));
            properties.finish();
            NamedPolicy { name: name?, policy: Arc::new(policy?), implicit: false }
        } else {
            properties.irrelevant(&["PolicyDocument"]);
            properties.finish();
            let name = names::physical_name(self.resolver, resource, resource.line, &resource.id).ok()?;
            self.own.get(&names::policy_arn(self.resolver.account, &name))?.clone()
        };
        for role in roles {
            let arn = self.role_arn(role.as_text()?);
            if stack.permissions.roles.contains_key(&arn) {
                policies_of(stack, &arn).policies.push(named.clone());
            } else {
                let message = format!("{} is not a role of this template", role.kind());
                self.resolver.faults.add(role.line, format!("{}.Roles", resource.id), message);
            }
        }
        Some(())
    }
}
