//! The policy of a bus. It is kept and told: nothing here asks it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::events::{EventBridge, EventsError};

/// Length of a policy. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
const POLICY_MAX_BYTES: usize = 10_240;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutPermission {
    #[serde(default)]
    event_bus_name: String,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    principal: Option<String>,
    #[serde(default)]
    statement_id: Option<String>,
    #[serde(default)]
    condition: Option<Condition>,
    #[serde(default)]
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Condition {
    r#type: String,
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RemovePermission {
    #[serde(default)]
    event_bus_name: String,
    #[serde(default)]
    statement_id: Option<String>,
    #[serde(default)]
    remove_all_permissions: bool,
}

impl PutPermission {
    fn statement(&self, bus_arn: &str) -> Result<Value, EventsError> {
        let required = |name: &str, value: &Option<String>| {
            value.clone().ok_or_else(|| EventsError::validation(format!("Parameter {name} must be specified.")))
        };
        let principal = required("Principal", &self.principal)?;
        let principal = match principal.as_str() {
            "*" => json!("*"),
            account => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
        };
        let mut statement = json!({
            "Sid": required("StatementId", &self.statement_id)?,
            "Effect": "Allow",
            "Principal": principal,
            "Action": required("Action", &self.action)?,
            "Resource": bus_arn,
        });
        if let Some(Condition { r#type, key, value }) = &self.condition {
            statement["Condition"] = json!({r#type: {key: value}});
        }
        Ok(statement)
    }
}

/// A whole policy replaces the one before; a statement replaces the one with its id.
pub(super) fn put(events: &EventBridge, request: &PutPermission) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let bus = buses.bus_mut(&events.account, &request.event_bus_name)?;
    let policy = if let Some(text) = &request.policy {
        let object = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
        object
            .ok_or_else(|| EventsError::validation("Parameter Policy is not valid. Reason: it is not a JSON object."))?
    } else {
        let statement = request.statement(&bus.arn)?;
        let mut policy = bus.policy.clone().unwrap_or_else(|| json!({"Version": "2012-10-17", "Statement": []}));
        if let Some(statements) = policy["Statement"].as_array_mut() {
            statements.retain(|known| known["Sid"] != statement["Sid"]);
            statements.push(statement);
        }
        policy
    };
    if policy.to_string().len() > POLICY_MAX_BYTES {
        return Err(EventsError::PolicyLengthExceeded { bytes_max: POLICY_MAX_BYTES });
    }
    bus.policy = Some(policy);
    bus.modified_at = events.clock.now();
    Ok(json!({}))
}

pub(super) fn remove(events: &EventBridge, request: &RemovePermission) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let bus = buses.bus_mut(&events.account, &request.event_bus_name)?;
    if request.remove_all_permissions {
        bus.policy = None;
        return Ok(json!({}));
    }
    let Some(id) = &request.statement_id else {
        return Err(EventsError::validation("Parameter StatementId must be specified."));
    };
    let missing = || EventsError::NotFound { what: format!("Statement {id}") };
    let policy = bus.policy.as_mut().ok_or_else(missing)?;
    let statements = policy["Statement"].as_array_mut().ok_or_else(missing)?;
    let count = statements.len();
    statements.retain(|statement| statement["Sid"] != json!(id));
    if statements.len() == count {
        return Err(missing());
    }
    if statements.is_empty() {
        bus.policy = None;
    }
    bus.modified_at = events.clock.now();
    Ok(json!({}))
}
