//! What is known of functions.

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use serde_json::{Value, json};

use super::invoke::qualified;
use crate::lambda::{
    error::LambdaError,
    pool::Pool,
    service::{Lambda, VERSION},
    spec::EventInvokeConfig,
};

/// Invocations at once of a whole account, on AWS.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ACCOUNT_CONCURRENCY: usize = 1_000;
/// Bytes of all packages of an account, on AWS.
const ACCOUNT_CODE_BYTES: u64 = 80_530_636_800;
/// Bytes of a package, unpacked and as an archive that is uploaded directly.
const CODE_BYTES: u64 = 262_144_000;
const CODE_ZIPPED_BYTES: u64 = 52_428_800;

type Answer = Result<Json<Value>, LambdaError>;

/// `GetFunction`
pub(super) async fn function(State(lambda): State<Lambda>, Path(name): Path<String>, uri: Uri) -> Answer {
    let pool = lambda.pool(&qualified(&name, &uri)?)?;
    let mut answer = json!({
        "Configuration": configured(&pool),
        "Code": { "RepositoryType": "Local", "Location": format!("file://{}", pool.spec.bootstrap.display()) },
    });
    if let Some(reserved) = pool.spec.reserved_concurrency {
        answer["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    Ok(Json(answer))
}

/// `GetFunctionConfiguration`
pub(super) async fn configuration(State(lambda): State<Lambda>, Path(name): Path<String>, uri: Uri) -> Answer {
    Ok(Json(configured(&*lambda.pool(&qualified(&name, &uri)?)?)))
}

/// `ListFunctions`
pub(super) async fn functions(State(lambda): State<Lambda>) -> Json<Value> {
    let pools = lambda.functions().into_iter().filter_map(|name| lambda.pool(&name).ok());
    let functions: Vec<Value> = pools.map(|pool| configured(&pool)).collect();
    Json(json!({ "Functions": functions }))
}

/// `ListVersionsByFunction`
pub(super) async fn versions(State(lambda): State<Lambda>, Path(name): Path<String>) -> Answer {
    Ok(Json(json!({ "Versions": [configured(&*lambda.pool(&name)?)] })))
}

/// `ListAliases`
pub(super) async fn aliases(State(lambda): State<Lambda>, Path(name): Path<String>) -> Answer {
    lambda.pool(&name)?;
    Ok(Json(json!({ "Aliases": [] })))
}

/// `GetPolicy`: who may invoke is not asked here, so no function has one.
pub(super) async fn policy(State(lambda): State<Lambda>, Path(name): Path<String>) -> Answer {
    lambda.pool(&name)?;
    Err(LambdaError::NotFound { message: "The resource you requested does not exist.".to_owned() })
}

/// `GetFunctionConcurrency`
pub(super) async fn concurrency(State(lambda): State<Lambda>, Path(name): Path<String>) -> Answer {
    Ok(Json(match lambda.pool(&name)?.spec.reserved_concurrency {
        Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
        None => json!({}),
    }))
}

/// `GetFunctionEventInvokeConfig`
pub(super) async fn invoke_config(State(lambda): State<Lambda>, Path(name): Path<String>, uri: Uri) -> Answer {
    let pool = lambda.pool(&qualified(&name, &uri)?)?;
    let arn = format!("{}:{VERSION}", pool.function_arn());
    let missing = || LambdaError::NotFound { message: format!("The function {arn} doesn't have an EventInvokeConfig") };
    event_invoke_config(&pool).map(Json).ok_or_else(missing)
}

/// `ListFunctionEventInvokeConfigs`
pub(super) async fn invoke_configs(State(lambda): State<Lambda>, Path(name): Path<String>) -> Answer {
    let pool = lambda.pool(&name)?;
    let configs: Vec<Value> = event_invoke_config(&pool).into_iter().collect();
    Ok(Json(json!({ "FunctionEventInvokeConfigs": configs })))
}

/// `ListTags`
pub(super) async fn tags(State(lambda): State<Lambda>, Path(arn): Path<String>) -> Answer {
    lambda.pool(&arn)?;
    Ok(Json(json!({ "Tags": {} })))
}

/// `GetAccountSettings`
pub(super) async fn account_settings(State(lambda): State<Lambda>) -> Json<Value> {
    let functions = lambda.functions();
    let pools = functions.iter().filter_map(|name| lambda.pool(name).ok());
    let reserved: usize = pools.filter_map(|pool| pool.spec.reserved_concurrency).sum();
    Json(json!({
        "AccountLimit": {
            "TotalCodeSize": ACCOUNT_CODE_BYTES,
            "CodeSizeUnzipped": CODE_BYTES,
            "CodeSizeZipped": CODE_ZIPPED_BYTES,
            "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
            "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY.saturating_sub(reserved),
        },
        "AccountUsage": { "TotalCodeSize": 0, "FunctionCount": functions.len() },
    }))
}

fn event_invoke_config(pool: &Pool) -> Option<Value> {
    let config = &pool.spec.asynchronous;
    if !config.configured {
        return None;
    }
    let EventInvokeConfig { maximum_retry_attempts, maximum_event_age, on_success_arn, on_failure_arn, .. } = config;
    let destination = |arn: &Option<String>| match arn {
        Some(arn) => json!({ "Destination": arn }),
        None => json!({}),
    };
    Some(json!({
        "LastModified": pool.created.timestamp(),
        "FunctionArn": format!("{}:{VERSION}", pool.function_arn()),
        "MaximumRetryAttempts": maximum_retry_attempts,
        "MaximumEventAgeInSeconds": maximum_event_age.as_secs(),
        "DestinationConfig": { "OnSuccess": destination(on_success_arn), "OnFailure": destination(on_failure_arn) },
    }))
}

fn configured(pool: &Pool) -> Value {
    let spec = &pool.spec;
    let mut configuration = json!({
        "FunctionName": spec.name,
        "FunctionArn": pool.function_arn(),
        "Runtime": spec.runtime,
        "Handler": spec.handler,
        "PackageType": "Zip",
        "Version": VERSION,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LastModified": pool.created.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
        "Timeout": spec.timeout.as_secs(),
        "MemorySize": spec.memory_mb,
        "Environment": { "Variables": spec.environment },
        "LoggingConfig": {
            "LogFormat": if spec.logging.json { "JSON" } else { "Text" },
            "LogGroup": spec.log_group(),
        },
    });
    if let Some(arn) = &spec.dead_letter_arn {
        configuration["DeadLetterConfig"] = json!({ "TargetArn": arn });
    }
    configuration
}
