//! Actions on targets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{page, without_nulls};
use crate::events::{EventBridge, EventsError, Input, Target};
use crate::retry::RetryPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutTargets {
    rule: String,
    #[serde(default)]
    event_bus_name: String,
    targets: Vec<Value>,
}

/// Members of a target that mean something here; any other is refused by name.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireTarget {
    id: String,
    arn: String,
    #[serde(default)]
    input: Option<String>,
    #[serde(default)]
    input_path: Option<String>,
    #[serde(default)]
    input_transformer: Option<InputTransformer>,
    #[serde(default)]
    sqs_parameters: Option<SqsParameters>,
    #[serde(default)]
    dead_letter_config: Option<DeadLetterConfig>,
    #[serde(default)]
    retry_policy: Option<WireRetryPolicy>,
    #[serde(default)]
    role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireRetryPolicy {
    #[serde(default)]
    maximum_retry_attempts: Option<u32>,
    #[serde(default)]
    maximum_event_age_in_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct InputTransformer {
    #[serde(default)]
    input_paths_map: BTreeMap<String, String>,
    input_template: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SqsParameters {
    #[serde(default)]
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeadLetterConfig {
    #[serde(default)]
    arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListTargetsByRule {
    rule: String,
    #[serde(default)]
    event_bus_name: String,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RemoveTargets {
    rule: String,
    #[serde(default)]
    event_bus_name: String,
    ids: Vec<String>,
    /// For rules that AWS services manage; there are none here.
    #[serde(default, rename = "Force")]
    _force: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListRuleNamesByTarget {
    target_arn: String,
    #[serde(default)]
    event_bus_name: String,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

impl WireTarget {
    fn target(self) -> Result<Target, EventsError> {
        let transformer = self.input_transformer.map(|transformer| Input::Transformer {
            paths: transformer.input_paths_map,
            template: transformer.input_template,
        });
        let inputs = [self.input.map(Input::Constant), self.input_path.map(Input::Path), transformer];
        let mut inputs = inputs.into_iter().flatten();
        let input = inputs.next();
        if inputs.next().is_some() {
            return Err(EventsError::validation(format!(
                "Only one of Input, InputPath, or InputTransformer must be provided for target {}.",
                self.id
            )));
        }
        Ok(Target {
            id: self.id,
            arn: self.arn,
            dead_letter_arn: self.dead_letter_config.and_then(|config| config.arn),
            input,
            message_group_id: self.sqs_parameters.and_then(|parameters| parameters.message_group_id),
            retry_policy: self.retry_policy.map_or(RetryPolicy::default(), |policy| RetryPolicy {
                attempts_max: policy.maximum_retry_attempts,
                age_max_seconds: policy.maximum_event_age_in_seconds,
            }),
            role_arn: self.role_arn,
        })
    }
}

/// Targets, or their ids, of one request.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>
const TARGETS_MAX: usize = 100;

fn check_count(member: &str, count: usize) -> Result<(), EventsError> {
    let bound = match count {
        0 => "greater than or equal to 1".to_owned(),
        1..=TARGETS_MAX => return Ok(()),
        _ => format!("less than or equal to {TARGETS_MAX}"),
    };
    Err(EventsError::validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length {bound}"
    )))
}

/// All targets or none: the first that is refused says why.
pub(super) fn put(events: &EventBridge, request: PutTargets) -> Result<Value, EventsError> {
    check_count("targets", request.targets.len())?;
    let read = |target: Value| {
        // The ARN first: another service's parameters are unknown here, and its name says more than theirs.
        let named = Target {
            id: target["Id"].as_str().unwrap_or_default().to_owned(),
            arn: target["Arn"].as_str().unwrap_or_default().to_owned(),
            ..Target::default()
        };
        named.check_arn()?;
        let target: WireTarget = serde_json::from_value(target)
            .map_err(|error| EventsError::validation(format!("Target {}: {error}", named.id)))?;
        let target = target.target()?;
        target.check()?;
        Ok(target)
    };
    let targets = request.targets.into_iter().map(read).collect::<Result<Vec<_>, EventsError>>()?;
    let mut buses = events.buses();
    let rule = buses.rule_mut(&events.account, &request.event_bus_name, &request.rule)?;
    for target in targets {
        rule.put_target(target)?;
    }
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

pub(super) fn list(events: &EventBridge, request: &ListTargetsByRule) -> Result<Value, EventsError> {
    let buses = events.buses();
    let rule = buses.bus(&events.account, &request.event_bus_name)?.rule(&request.rule)?;
    let targets = rule.targets.values().map(description).collect();
    let (found, next) = page(targets, request.next_token.as_deref(), request.limit)?;
    Ok(without_nulls(json!({"Targets": found, "NextToken": next})))
}

pub(super) fn remove(events: &EventBridge, request: &RemoveTargets) -> Result<Value, EventsError> {
    check_count("ids", request.ids.len())?;
    let mut buses = events.buses();
    let rule = buses.rule_mut(&events.account, &request.event_bus_name, &request.rule)?;
    let mut failed = Vec::new();
    for id in &request.ids {
        if rule.targets.remove(id).is_none() {
            let message = format!("Rule {} does not have a target with the Id {id}.", request.rule);
            failed.push(json!({"TargetId": id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": message}));
        }
    }
    Ok(json!({"FailedEntryCount": failed.len(), "FailedEntries": failed}))
}

pub(super) fn rule_names(events: &EventBridge, request: &ListRuleNamesByTarget) -> Result<Value, EventsError> {
    let buses = events.buses();
    let rules = buses.bus(&events.account, &request.event_bus_name)?.rules.iter();
    let names = rules
        .filter(|(_, rule)| rule.targets.values().any(|target| target.arn == request.target_arn))
        .map(|(name, _)| name.clone())
        .collect();
    let (found, next) = page(names, request.next_token.as_deref(), request.limit)?;
    Ok(without_nulls(json!({"RuleNames": found, "NextToken": next})))
}

fn description(target: &Target) -> Value {
    let mut described = json!({
        "Id": target.id,
        "Arn": target.arn,
        "DeadLetterConfig": target.dead_letter_arn.as_ref().map(|arn| json!({"Arn": arn})),
        "SqsParameters": target.message_group_id.as_ref().map(|group| json!({"MessageGroupId": group})),
        "RetryPolicy": retry_policy(target.retry_policy),
        "RoleArn": target.role_arn,
    });
    match &target.input {
        Some(Input::Constant(text)) => described["Input"] = json!(text),
        Some(Input::Path(path)) => described["InputPath"] = json!(path),
        Some(Input::Transformer { paths, template }) => {
            described["InputTransformer"] = json!({"InputPathsMap": paths, "InputTemplate": template});
        }
        None => {}
    }
    without_nulls(described)
}

fn retry_policy(policy: RetryPolicy) -> Option<Value> {
    (policy != RetryPolicy::default()).then(|| {
        without_nulls(json!({
            "MaximumRetryAttempts": policy.attempts_max,
            "MaximumEventAgeInSeconds": policy.age_max_seconds,
        }))
    })
}
