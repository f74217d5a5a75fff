//! Event source mappings, as they are described.

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use serde_json::{Value, json};

use super::parameter;
use crate::lambda::{error::LambdaError, service::Lambda};

/// Most mappings of one answer, and the default.
const LISTED_MAX: usize = 100;

/// `ListEventSourceMappings`
pub(super) async fn list(State(lambda): State<Lambda>, uri: Uri) -> Result<Json<Value>, LambdaError> {
    let function_arn = match parameter(&uri, "FunctionName") {
        Some(name) => Some(lambda.pool(&name)?.function_arn()),
        None => None,
    };
    let source_arn = parameter(&uri, "EventSourceArn");
    let is_wanted = |arn: &str, wanted: Option<&str>| wanted.is_none_or(|wanted| arn == wanted);
    let listed: Vec<Value> = lambda
        .mappings()
        .iter()
        .filter(|mapping| is_wanted(&mapping.function_arn, function_arn.as_deref()))
        .filter(|mapping| is_wanted(&mapping.source_arn, source_arn.as_deref()))
        .map(crate::lambda::mapping::Listed::configuration)
        .collect();
    let invalid = |_: std::num::ParseIntError| LambdaError::InvalidParameter { message: "Invalid Marker".to_owned() };
    let from: usize = parameter(&uri, "Marker").map_or(Ok(0), |marker| marker.parse()).map_err(invalid)?;
    let limit = parameter(&uri, "MaxItems").and_then(|most| most.parse().ok());
    let limit = limit.unwrap_or(LISTED_MAX).clamp(1, LISTED_MAX);
    let page: Vec<&Value> = listed.iter().skip(from).take(limit).collect();
    let next = from + page.len();
    let mut answer = json!({ "EventSourceMappings": page });
    if next < listed.len() {
        answer["NextMarker"] = json!(next.to_string());
    }
    Ok(Json(answer))
}

/// `GetEventSourceMapping`
pub(super) async fn one(State(lambda): State<Lambda>, Path(uuid): Path<String>) -> Result<Json<Value>, LambdaError> {
    let found = lambda.mappings().into_iter().find(|mapping| mapping.uuid == uuid);
    let missing = || LambdaError::NotFound { message: "The resource you requested does not exist.".to_owned() };
    found.map(|mapping| Json(mapping.configuration())).ok_or_else(missing)
}
