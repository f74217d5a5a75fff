//! The AWS endpoint: one port, every service and protocol of the local cloud.

mod answer;
mod elsewhere;
mod rest;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

pub(crate) use self::answer::into_http;
pub(crate) use self::elsewhere::router as router_elsewhere;
pub(crate) use self::target::credential;
use self::target::{Service, Target, Unroutable};
use crate::account::Account;
use crate::destination::Destinations;
use crate::dynamodb::{DynamoDb, DynamoDbError};
use crate::events::EventBridge;
use crate::faults::{self, Asked, Faults};
use crate::iam::{self, Caller, Iam};
use crate::lambda::{self, Lambda, LogSink};
use crate::logs::Logs;
use crate::s3::S3;
use crate::scheduler::Scheduler;
use crate::sns::Sns;
use crate::sqs::Sqs;
use crate::store::{Store, StoreError};
use crate::wire::{AwsRequest, AwsResponse, Protocol};

/// Largest request body, in bytes. No service but S3, which has a limit of its own, takes more; the largest, a `DynamoDB` transaction, is 4 MB of items.
pub const BODY_BYTES_MAX: usize = 12 * 1024 * 1024;

/// The services of one local cloud.
#[derive(Debug, Clone)]
pub struct Services {
    /// Whose they are.
    pub account: Account,
    /// Queues.
    pub sqs: Sqs,
    /// Buses and rules.
    pub events: EventBridge,
    /// Topics.
    pub sns: Sns,
    /// Buckets.
    pub s3: S3,
    /// Tables and streams.
    pub dynamodb: DynamoDb,
    /// Functions.
    pub lambda: Lambda,
    /// Schedules.
    pub scheduler: Scheduler,
    /// What functions print.
    pub logs: Logs,
    /// Who may do what.
    pub iam: Iam,
    /// How they reach each other.
    pub destinations: Destinations,
    /// Where they keep what outlives the process.
    pub store: Store,
    /// What goes wrong with them on purpose.
    pub faults: Faults,
}

/// Why the services do not start.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// What is stored cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tables cannot be opened.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
}

impl Services {
    /// The services of `account`, without any resources, in memory; what functions print goes to `log`.
    pub fn new(account: Account, log: LogSink) -> Result<Self, ServicesError> {
        Self::open(account, log, Store::memory())
    }

    /// The services of `account` as `store` has them; what functions print goes to `log`.
    pub fn open(account: Account, log: LogSink, store: Store) -> Result<Self, ServicesError> {
        store.expect_tables()?;
        let (destinations, faults) = (Destinations::default(), Faults::default());
        let logs = Logs::new(account.clone());
        let iam = Iam::new(account.clone(), log.clone());
        let own = log.clone();
        let log = iam::watch_logs(log, destinations.clone());
        let services = Self {
            sqs: Sqs::open(account.clone(), store.clone())?.with_faults(faults.clone()),
            events: EventBridge::open(account.clone(), destinations.clone(), &store)?
                .with_faults(faults.clone())
                .with_log(own.clone()),
            sns: Sns::open(account.clone(), destinations.clone(), &store)?.with_faults(faults.clone()),
            s3: S3::open(account.clone(), &store)?,
            dynamodb: DynamoDb::open(account.clone(), &store)?,
            lambda: Lambda::new(account.clone(), log, logs.clone(), destinations.clone()).with_faults(faults.clone()),
            logs,
            scheduler: Scheduler::open(account.clone(), destinations.clone(), &store)?,
            iam,
            destinations: destinations.clone(),
            store,
            faults,
            account,
        };
        destinations.connect(services.clone());
        Ok(services)
    }
}

/// The endpoint's routes. Whatever is not Lambda's, Scheduler's or a health check is told apart by its headers and its body.
pub fn router(services: &Services) -> Router {
    // Shared: each request would copy them otherwise.
    let shared = Arc::new(services.clone());
    Router::new()
        .route("/health", get(health))
        .route("/_localstack/health", get(health))
        .fallback(any)
        .with_state(Arc::clone(&shared))
        .merge(services.lambda.api().layer(from_fn_with_state(Arc::clone(&shared), rest::lambda)))
        .merge(faults::routes(services.faults.clone()))
        .merge(services.scheduler.api().layer(from_fn_with_state(Arc::clone(&shared), rest::scheduler)))
        .layer(from_fn_with_state(shared, iam::rest_guard))
}

/// As `LocalStack` answers, for scripts that wait for it.
async fn health() -> Json<Value> {
    let names = ["dynamodb", "dynamodbstreams", "events", "lambda", "logs", "s3", "scheduler", "sns", "sqs", "sts"];
    let services: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), "running".into())).collect();
    Json(json!({"services": services, "edition": "onceward", "version": env!("CARGO_PKG_VERSION")}))
}

async fn any(State(services): State<Arc<Services>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if target::is_for_s3(&parts) {
        return rest::s3(&services, parts, body).await;
    }
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let protocol = target::resolve(&parts.uri, &parts.headers, &[]).ok().map(|target| target.protocol);
        let message = format!("the body is larger than {BODY_BYTES_MAX} bytes, or it did not arrive whole");
        return answer::into_http(answer::error(413, protocol, "RequestEntityTooLarge", &message));
    };
    let answer = match target::resolve(&parts.uri, &parts.headers, &body) {
        Ok(target) => {
            let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default());
            // A query-protocol request by GET has its parameters in the URL.
            let in_url = parts.method == Method::GET && body.is_empty();
            let body = if in_url { Bytes::copy_from_slice(query.as_bytes()) } else { body };
            let key = credential(&parts.uri, &parts.headers).map(|(key, _)| key);
            let caller = services.iam.caller(key.as_deref());
            if services.faults.is_off() {
                dispatch(&services, &caller, target, path, body).await
            } else {
                let (name, action, in_call) = (target.service.signing_name(), target.action.clone(), body.clone());
                let call = faults::Call::of(name, &action).requested(target.protocol, &path, &in_call).by(key);
                let serve = async |body| dispatch(&services, &caller, target, path.clone(), body).await;
                match services.faults.around(&call, body, serve).await {
                    Some(answer) => answer,
                    None => return faults::dropped(&call),
                }
            }
        }
        // Its API is paths: what has come here has none of those it knows.
        Err(Unroutable::UnknownService { service }) if service == "lambda" => {
            return lambda::unknown(&parts.method, &parts.uri);
        }
        Err(unroutable) => {
            let code = match unroutable {
                Unroutable::NoAction => "MissingAction",
                Unroutable::UnknownService { .. } | Unroutable::UnknownAction { .. } => "UnknownOperationException",
            };
            let protocol = parts.headers.contains_key("x-amz-target").then_some(Protocol::Json { content_type: JSON });
            answer::error(400, protocol, code, &unroutable.to_string())
        }
    };
    answer::into_http(answer)
}

const JSON: &str = "application/x-amz-json-1.0";

async fn dispatch(services: &Services, caller: &Caller, target: Target, path: String, body: Bytes) -> AwsResponse {
    let (service, action, protocol) = (target.service.signing_name(), target.action.clone(), target.protocol);
    let kept = services.store.kept(answered(services, caller, target, path, body)).await;
    kept.unwrap_or_else(|failure| {
        Asked { service, operation: &action, protocol }.failed_because(500, &failure.to_string())
    })
}

async fn answered(services: &Services, caller: &Caller, target: Target, path: String, body: Bytes) -> AwsResponse {
    let Target { service, protocol, action } = target;
    if let Some(fault) = unreadable(protocol, &body) {
        return answer::error(400, Some(protocol), "SerializationException", &fault);
    }
    let request = AwsRequest { protocol, action, path, body };
    if let Err(denied) = services.iam.authorize(services, caller, service.signing_name(), &request) {
        return denied;
    }
    match service {
        Service::Sqs => services.sqs.handle(request).await,
        Service::Events => services.events.handle(request).await,
        Service::Sns => services.sns.handle(request).await,
        Service::DynamoDb => services.dynamodb.handle(request).await,
        Service::Logs => services.logs.handle(request).await,
        Service::Sts if request.action == "GetCallerIdentity" => answer::caller_identity(&services.account, caller),
        Service::Sts => {
            let message = format!("the local cloud does not have STS {}, only GetCallerIdentity", request.action);
            answer::error(400, Some(protocol), "InvalidAction", &message)
        }
    }
}

/// What is wrong with a body that no service could read.
fn unreadable(protocol: Protocol, body: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(fault) => return Some(format!("the body is not UTF-8: {fault}")),
    };
    match protocol {
        Protocol::Query => None,
        Protocol::Json { .. } if text.is_empty() => Some("the body is empty: it must be a JSON object".to_owned()),
        Protocol::Json { .. } => {
            serde_json::from_str::<IgnoredAny>(text).err().map(|fault| format!("the body is not JSON: {fault}"))
        }
    }
}
