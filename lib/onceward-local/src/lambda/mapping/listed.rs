//! Event source mappings as the Lambda API lists them.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html>

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// One mapping.
#[derive(Debug, Clone)]
pub(in crate::lambda) struct Listed {
    pub(in crate::lambda) uuid: String,
    pub(in crate::lambda) function_arn: String,
    pub(in crate::lambda) source_arn: String,
    created: DateTime<Utc>,
    /// What only a mapping of its kind has.
    settings: Value,
}

impl Listed {
    pub(super) fn new(function_arn: String, source_arn: String, settings: Value) -> Self {
        Self { uuid: Uuid::new_v4().to_string(), function_arn, source_arn, created: Utc::now(), settings }
    }

    /// As `EventSourceMappingConfiguration`.
    pub(in crate::lambda) fn configuration(&self) -> Value {
        let mut configuration = self.settings.clone();
        let account = self.function_arn.split(":function:").next().unwrap_or_default();
        configuration["UUID"] = json!(self.uuid);
        configuration["EventSourceArn"] = json!(self.source_arn);
        configuration["FunctionArn"] = json!(self.function_arn);
        configuration["EventSourceMappingArn"] = json!(format!("{account}:event-source-mapping:{}", self.uuid));
        configuration["State"] = json!("Enabled");
        configuration["StateTransitionReason"] = json!("USER_INITIATED");
        configuration["LastModified"] = json!(self.created.timestamp());
        configuration
    }
}

/// Adds what mappings of queues and of streams have in common.
pub(super) fn common_settings(settings: &mut Value, reports_failures: bool, filters: &[Value]) {
    let types = if reports_failures { json!(["ReportBatchItemFailures"]) } else { json!([]) };
    settings["FunctionResponseTypes"] = types;
    if !filters.is_empty() {
        let pattern = |filter: &Value| filter.as_str().map_or_else(|| filter.to_string(), str::to_owned);
        let filters: Vec<Value> = filters.iter().map(|filter| json!({ "Pattern": pattern(filter) })).collect();
        settings["FilterCriteria"] = json!({ "Filters": filters });
    }
}
