//! `FilterCriteria`. <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>

use serde_json::Value;

use crate::{events::Pattern, lambda::error::LambdaError};

/// The patterns of one mapping: a record passes if any matches, or if there are none.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    patterns: Vec<(Pattern, Body)>,
}

/// How a pattern wants an SQS message's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// The pattern looks into it: it must be JSON, else the message does not match.
    Json,
    /// The pattern compares it as text: it must be no JSON, else the message does not match.
    Text,
    /// The pattern does not look.
    Any,
}

impl Filter {
    /// Reads `filters`, patterns as JSON or, as `CloudFormation` has them, as strings of JSON.
    pub(super) fn parse(filters: &[Value], function: &str, source_arn: &str) -> Result<Self, LambdaError> {
        let invalid = |filter: &Value, reason: String| LambdaError::InvalidFilter {
            function: function.to_owned(),
            source_arn: source_arn.to_owned(),
            filter: filter.to_string(),
            reason,
        };
        let mut patterns = Vec::new();
        for filter in filters {
            let pattern = match filter {
                Value::String(text) => {
                    serde_json::from_str(text).map_err(|error| invalid(filter, error.to_string()))?
                }
                other => other.clone(),
            };
            let body = match &pattern["body"] {
                Value::Object(_) => Body::Json,
                Value::Null => Body::Any,
                _ => Body::Text,
            };
            let pattern = Pattern::parse(&pattern).map_err(|error| invalid(filter, error.to_string()))?;
            patterns.push((pattern, body));
        }
        Ok(Self { patterns })
    }

    /// Whether a function should see `record`.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html>
    pub(super) fn passes(&self, record: &Value) -> bool {
        self.patterns.is_empty()
            || self.patterns.iter().any(|(pattern, body)| match body {
                Body::Any => pattern.matches(record),
                Body::Text => with_json_body(record).is_none() && pattern.matches(record),
                Body::Json => with_json_body(record).is_some_and(|record| pattern.matches(&record)),
            })
    }
}

fn with_json_body(record: &Value) -> Option<Value> {
    let body: Value = serde_json::from_str(record["body"].as_str()?).ok()?;
    if !body.is_object() && !body.is_array() {
        return None;
    }
    let mut record = record.clone();
    record["body"] = body;
    Some(record)
}
