//! Where requests and deliveries are let through or not.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::Response;
use axum::middleware::Next;
use serde_json::{Value, json};

use super::action::{self, logs_stream_arn};
use super::evaluate::{Need, evaluate};
use super::policy::Policy;
use super::{COMPILED_MAX, Caller, DENIALS_MAX, Denial, Iam, KEYS_MAX, Mode};
use crate::destination::{Destinations, service};
use crate::dynamodb::DynamoDb;
use crate::endpoint::{self, Services};
use crate::lambda::LogSink;
use crate::wire::{AwsRequest, AwsResponse};

impl Iam {
    /// Whether `caller` may send `request` to `service`, named as in signatures; the refusal, if not.
    pub(crate) fn authorize(
        &self,
        services: &Services,
        caller: &Caller,
        service: &str,
        request: &AwsRequest,
    ) -> Result<(), AwsResponse> {
        if matches!(request.action.as_str(), "CreateTable" | "UpdateTable" | "DeleteTable") {
            self.inner.keys.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        if matches!(caller, Caller::Developer) || self.mode() == Mode::Off {
            return Ok(());
        }
        let needs = action::needs(services, service, request);
        self.check_all(services, caller, &needs).map_err(|denial| denial.answer(service, Some(request.protocol)))
    }

    /// Whether `sender` may hand a message to what `arn` names.
    pub(crate) fn authorize_delivery(&self, services: &Services, sender: &Caller, arn: &str) -> Result<(), Denial> {
        let action = match service(arn) {
            Some("sqs") => ("sqs", "SendMessage"),
            Some("sns") => ("sns", "Publish"),
            Some("lambda") => ("lambda", "InvokeFunction"),
            // A service reaches a bus by a role only, and says so when the rule is made.
            Some("events") if !matches!(sender, Caller::Service { .. }) => ("events", "PutEvents"),
            _ => return Ok(()),
        };
        self.check(services, sender, &Need::new(action.0, action.1, arn))
    }

    /// All of `needs`, each of them counted.
    pub(super) fn check_all(&self, services: &Services, caller: &Caller, needs: &[Need]) -> Result<(), Denial> {
        let mut outcome = Ok(());
        for need in needs {
            outcome = outcome.and(self.check(services, caller, need));
        }
        outcome
    }

    /// Whether `caller` may do what `need` says: what the policies say, as far as the mode heeds it.
    pub(super) fn check(&self, services: &Services, caller: &Caller, need: &Need) -> Result<(), Denial> {
        let mode = self.mode();
        if mode == Mode::Off || matches!(caller, Caller::Developer) {
            return Ok(());
        }
        let policy = self.resource_policy(services, &need.resource);
        let Err(reason) = evaluate(caller, need, policy.as_deref(), &self.inner.account) else { return Ok(()) };
        let denial = Denial {
            caller: caller.label().to_owned(),
            user: caller.name(&self.inner.account.id),
            action: need.action.clone(),
            resource: need.resource.clone(),
            reason,
        };
        // What a script made without any policy is its own: it is told what AWS would do, and gets its message.
        let unguarded = policy.is_none() && !self.guarded(caller, &need.resource);
        let refused = mode == Mode::Enforce && !unguarded;
        self.remember(&denial, refused);
        if refused { Err(denial) } else { Ok(()) }
    }

    /// Whether a service needs to be let in: to what the template declares. Functions are the template's always, so for
    /// them it counts who calls.
    fn guarded(&self, caller: &Caller, resource: &str) -> bool {
        let Caller::Service { source_arn, .. } = caller else { return true };
        let declared = &self.state().permissions.declared;
        declared.contains(if service(resource) == Some("lambda") { source_arn.as_str() } else { resource })
    }

    /// Counts a denial; the first of its kind is shown.
    fn remember(&self, denial: &Denial, refused: bool) {
        let mut denials = self.denied();
        if let Some(count) = denials.get_mut(denial) {
            *count += 1;
            return;
        }
        if denials.len() < DENIALS_MAX {
            denials.insert(denial.clone(), 1);
        }
        drop(denials);
        let verb = if refused { "denied" } else { "allowed here, denied on AWS" };
        self.inner.log.report(&denial.caller, 0, "WARN", &format!("{verb}: {}", denial.message()));
    }

    /// The policy of a queue, a topic or a function.
    fn resource_policy(&self, services: &Services, arn: &str) -> Option<Arc<Policy>> {
        match service(arn)? {
            "sqs" => {
                let policy = services.sqs.peek(arn, |entry| {
                    entry.queue.settings().values().get("Policy").map(|text| self.compiled(arn, text))
                });
                policy.ok()??
            }
            "sns" => self.compiled(arn, &services.sns.policy(arn)?),
            "lambda" => {
                // With or without a version or an alias.
                let parts: Vec<&str> = arn.split(':').take(7).collect();
                self.state().permissions.function_policies.get(&parts.join(":")).cloned().map(Arc::new)
            }
            _ => None,
        }
    }

    fn compiled(&self, resource: &str, text: &str) -> Option<Arc<Policy>> {
        let mut compiled = self.inner.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = compiled.get(text) {
            return policy.clone();
        }
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        let document = serde_json::from_str(text).unwrap_or_default();
        let policy = match Policy::parse(&document) {
            Ok(policy) => Some(Arc::new(policy)),
            Err(error) => {
                let message = format!("the policy of {resource} is not evaluated: {error}");
                self.inner.log.report(resource, 0, "WARN", &message);
                None
            }
        };
        compiled.insert(text.to_owned(), policy.clone());
        policy
    }

    /// The name of the partition key of a table or of its index.
    pub(super) fn partition_key(&self, dynamodb: &DynamoDb, table: &str, index: Option<&str>) -> Option<String> {
        let name = table.rsplit_once(":table/").map_or(table, |(_, name)| name);
        let place = (name.to_owned(), index.map(str::to_owned));
        let mut keys = self.inner.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(&place) {
            return Some(key.clone());
        }
        let request = json!({ "TableName": name }).to_string();
        let answer = dynamodb.execute("DescribeTable", request.as_bytes()).ok()?;
        let answer: Value = serde_json::from_slice(&answer).ok()?;
        let table = &answer["Table"];
        let schema = match index {
            None => &table["KeySchema"],
            Some(index) => {
                let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
                let mut all = indexes.iter().filter_map(|kind| table[*kind].as_array()).flatten();
                &all.find(|it| it["IndexName"] == index)?["KeySchema"]
            }
        };
        let hash = schema.as_array()?.iter().find(|part| part["KeyType"] == "HASH")?;
        let key = hash["AttributeName"].as_str()?.to_owned();
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(place, key.clone());
        Some(key)
    }

    /// A function has written to its log: its role needs the permissions for that.
    fn logged(&self, services: &Services, function: &str, environment: u32) {
        let Some(session) = self.state().functions.get(function).cloned() else { return };
        let arn = logs_stream_arn(&self.inner.account, &session.log.log_group, &format!("[$LATEST]{environment}"));
        let mut actions = vec!["CreateLogStream", "PutLogEvents"];
        if !session.log.log_group_declared {
            actions.insert(0, "CreateLogGroup");
        }
        let needs: Vec<_> = actions.into_iter().map(|action| Need::new("logs", action, arn.clone())).collect();
        // Without them the lines do not reach CloudWatch. Here they are shown all the same, and that is reported.
        let _ = self.check_all(services, &Caller::Role(session.role), &needs);
    }
}

/// Checks what comes by paths: Lambda's, S3's and Scheduler's requests. Those that name their action otherwise pass.
pub(crate) async fn rest_guard(
    Shared(services): Shared<Arc<Services>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Some((key, name)) = endpoint::credential(request.uri(), request.headers()) else {
        return next.run(request).await;
    };
    let caller = services.iam.caller(Some(&key));
    if matches!(caller, Caller::Developer) || request.headers().contains_key("x-amz-target") {
        return next.run(request).await;
    }
    let needs = action::rest(&services.account, &name, request.method(), request.uri(), request.headers());
    match services.iam.check_all(&services, &caller, &needs.unwrap_or_default()) {
        Ok(()) => next.run(request).await,
        Err(denial) => endpoint::into_http(denial.answer(&name, None)),
    }
}

/// A sink that passes every line on to `log`; the first of each function counts as a use of its log permissions.
pub(crate) fn watch_logs(log: LogSink, destinations: Destinations) -> LogSink {
    let known = Mutex::new(HashSet::new());
    LogSink::new(move |line| {
        // Environment 0 is the cloud's own voice.
        if line.environment != 0
            && let Some(services) = destinations.services()
            && known.lock().unwrap_or_else(PoisonError::into_inner).insert(line.function.clone())
        {
            services.iam.logged(&services, &line.function, line.environment);
        }
        log.write(line);
    })
}
