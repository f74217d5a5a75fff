//! From a template's stack to resources in the services.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{error::CloudError, tables};
use crate::endpoint::Services;
use crate::events;
use crate::lambda::{FunctionSpec, Lambda, Route, SqsMapping, StartingPosition, StreamMapping};
use crate::template::{self, Build, Function, HTTP_PLACEHOLDER, Stack, TargetInput, Trigger};

/// Creates buses, queues, topics, tables and rules. Those that a data folder already has are brought up to date.
pub(super) fn create(services: &Services, stack: &Stack) -> Result<(), CloudError> {
    let Services { sqs, events, sns, .. } = services;
    for bus in &stack.buses {
        match events.create_bus(&bus.name) {
            Ok(_) | Err(events::EventsError::AlreadyExists { .. }) => {}
            Err(error) => return Err(refused("bus", &bus.name)(error)),
        }
    }
    for queue in &stack.queues {
        sqs.deploy_queue(&queue.name, &queue.attributes).map_err(refused("queue", &queue.name))?;
    }
    for topic in &stack.topics {
        sns.create_topic(&topic.name).map_err(refused("topic", &topic.name))?;
    }
    for (topic_arn, policy) in &stack.permissions.topic_policies {
        sns.set_policy(topic_arn, policy).map_err(refused("policy of topic", topic_arn))?;
    }
    for subscription in &stack.subscriptions {
        let template::Subscription { topic_arn, queue_arn, raw } = subscription;
        sns.subscribe(topic_arn, queue_arn, *raw).map_err(refused("subscription to", topic_arn))?;
    }
    for table in &stack.tables {
        tables::deploy(&services.dynamodb, table)?;
    }
    for rule in &stack.rules {
        create_rule(services, rule).map_err(refused("rule", &rule.name))?;
    }
    Ok(())
}

fn create_rule(services: &Services, rule: &template::Rule) -> Result<(), events::EventsError> {
    let template::Rule { name, bus, pattern, enabled, targets, .. } = rule;
    let created = events::Rule { name: name.clone(), bus: bus.clone(), pattern: pattern.clone(), enabled: *enabled };
    services.events.put_rule(created)?;
    for target in targets {
        let template::RuleTarget { id, arn, dead_letter_arn, input, message_group_id } = target.clone();
        let input = input.map(|input| match input {
            TargetInput::Constant(text) => events::Input::Constant(text),
            TargetInput::Path(path) => events::Input::Path(path),
            TargetInput::Transformer { paths, template } => events::Input::Transformer { paths, template },
        });
        let target = events::Target { id, arn, dead_letter_arn, input, message_group_id, retry_policy: None };
        services.events.put_target(bus, name, target)?;
    }
    Ok(())
}

/// Makes the functions known. No process starts yet.
pub(super) fn create_functions(
    lambda: &Lambda,
    stack: &Stack,
    binaries: &Path,
    environment: &BTreeMap<String, String>,
    http_url: &str,
) -> Result<(), CloudError> {
    for function in &stack.functions {
        let (bootstrap, property) = match &function.build {
            Build::CargoLambda { binary } => (binaries.join(binary), "BuildProperties.Binary"),
            Build::Bootstrap => (function.code_uri.join("bootstrap"), "CodeUri"),
        };
        if !bootstrap.is_file() {
            return Err(CloudError::NoExecutable { function: function.name.clone(), path: bootstrap, property });
        }
        let variables = function.environment.iter().chain(environment);
        let spec = FunctionSpec {
            name: function.name.clone(),
            bootstrap,
            working_directory: function.code_uri.clone(),
            environment: variables
                .map(|(name, value)| (name.clone(), value.replace(HTTP_PLACEHOLDER, http_url)))
                .collect(),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
        };
        lambda.create_function(spec).map_err(refused("function", &function.name))?;
    }
    Ok(())
}

/// Connects functions to what triggers them; the HTTP routes are returned.
pub(super) fn map(services: &Services, stack: &Stack) -> Result<Vec<Route>, CloudError> {
    let mut routes = Vec::new();
    for function in &stack.functions {
        for trigger in &function.triggers {
            routes.extend(map_trigger(services, function, trigger)?);
        }
    }
    Ok(routes)
}

fn map_trigger(services: &Services, function: &Function, trigger: &Trigger) -> Result<Option<Route>, CloudError> {
    let Services { sqs, dynamodb, lambda, .. } = services;
    let name = function.name.clone();
    match trigger.clone() {
        Trigger::Http { method, path } => return Ok(Some(Route { method, path, function: name })),
        Trigger::Sqs {
            queue_arn,
            batch_size,
            batching_window,
            maximum_concurrency,
            report_batch_item_failures,
            filters,
        } => {
            let mapping = SqsMapping {
                function: name,
                queue_arn,
                batch_size,
                batching_window,
                maximum_concurrency,
                report_batch_item_failures,
                filters,
            };
            services
                .iam
                .authorize_queue(services, &function.name, &mapping.queue_arn)
                .map_err(refused("event source of", &function.name))?;
            lambda.map_sqs(sqs.clone(), mapping).map_err(refused("event source of", &function.name))?;
        }
        Trigger::Stream {
            table,
            stream_arn,
            starting_position,
            batch_size,
            batching_window,
            report_batch_item_failures,
            bisect,
            maximum_retry_attempts,
            filters,
            on_failure_arn,
        } => {
            let authorized = services.iam.authorize_stream(services, &function.name, &stream_arn);
            authorized.map_err(refused("event source of", &function.name))?;
            if let Some(arn) = &on_failure_arn {
                let authorized = services.iam.authorize_destination(services, &function.name, arn);
                authorized.map_err(refused("event source of", &function.name))?;
            }
            let gives_up = maximum_retry_attempts.is_some();
            check_stream(&name, batching_window, gives_up && on_failure_arn.is_some())?;
            let mapping = StreamMapping {
                function: name,
                table,
                batch_size,
                report_batch_item_failures,
                filters,
                bisect,
                maximum_retry_attempts,
                starting_position: match starting_position {
                    template::StartingPosition::TrimHorizon => StartingPosition::TrimHorizon,
                    template::StartingPosition::Latest => StartingPosition::Latest,
                },
            };
            lambda.map_stream(dynamodb.clone(), mapping).map_err(refused("event source of", &function.name))?;
        }
    }
    Ok(None)
}

/// Refuses what a stream's mapping would silently leave out. A destination for failures is fine while retries are
/// unlimited: only a record's age leads there then, and records outlive a local cloud.
fn check_stream(function: &str, batching_window: Duration, sends_failures: bool) -> Result<(), CloudError> {
    let unsupported = |property, what| Err(CloudError::Unsupported { function: function.to_owned(), property, what });
    if !batching_window.is_zero() {
        return unsupported(
            "MaximumBatchingWindowInSeconds",
            "gather a stream's records over time, it hands them on at once: set it to 0 or leave it out",
        );
    }
    if sends_failures {
        return unsupported(
            "DestinationConfig",
            "send the batches that MaximumRetryAttempts gives up to a queue: set MaximumRetryAttempts to -1 (retry until \
             it works), or leave the destination out (batches given up are gone)",
        );
    }
    Ok(())
}

/// ARNs of the queues that feed functions.
pub(super) fn consumed_queues(stack: &Stack) -> impl Iterator<Item = &str> {
    stack.functions.iter().flat_map(|function| &function.triggers).filter_map(|trigger| match trigger {
        Trigger::Sqs { queue_arn, .. } => Some(queue_arn.as_str()),
        Trigger::Stream { .. } | Trigger::Http { .. } => None,
    })
}

pub(super) fn refused<E: Error + Send + Sync + 'static>(
    kind: &str,
    name: &impl Display,
) -> impl FnOnce(E) -> CloudError {
    let resource = format!("{kind} {name}");
    move |source| CloudError::Resource { resource, source: Arc::new(source) }
}
