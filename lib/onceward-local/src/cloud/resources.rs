//! From a template's stack to resources in the services.

use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;

use super::{Attached, CloudConfig, Options, error::CloudError, owned::Owned, packages::Packages, tables};
use crate::endpoint::Services;
use crate::events;
use crate::lambda::{FunctionSpec, Lambda, Route, SqsMapping, StreamMapping};
use crate::remote::Credentials;
use crate::sns::Sns;
use crate::template::{self, Build, Function, HTTP_PLACEHOLDER, Stack, Trigger};

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
        sns.deploy_topic(&topic.name, &topic.attributes).map_err(refused("topic", &topic.name))?;
    }
    for bucket in &stack.buckets {
        match services.s3.create_bucket(&bucket.name) {
            // Outside us-east-1 one's own bucket is a conflict; deploying again is none.
            Err(error) if error.code() != "BucketAlreadyOwnedByYou" => {
                return Err(refused("bucket", &bucket.name)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    for (topic_arn, policy) in &stack.permissions.topic_policies {
        sns.set_policy(topic_arn, policy).map_err(refused("policy of topic", topic_arn))?;
    }
    for subscription in &stack.subscriptions {
        subscribe(sns, subscription)?;
    }
    for table in &stack.tables {
        tables::deploy(&services.dynamodb, table)?;
    }
    for archive in &stack.archives {
        events.deploy_archive(archive.clone()).map_err(refused("archive", &archive.name))?;
    }
    for rule in &stack.rules {
        create_rule(services, rule).map_err(refused("rule", &rule.name))?;
    }
    Ok(())
}

fn subscribe(sns: &Sns, subscription: &template::Subscription) -> Result<(), CloudError> {
    let template::Subscription { topic_arn, protocol, endpoint, attributes } = subscription;
    sns.deploy_subscription(topic_arn, protocol, endpoint, attributes).map_err(refused("subscription to", topic_arn))
}

fn create_rule(services: &Services, rule: &template::Rule) -> Result<(), events::EventsError> {
    let template::Rule { name, bus, pattern, schedule, enabled, targets, .. } = rule;
    let created = events::Rule {
        name: name.clone(),
        bus: bus.clone(),
        pattern: (!pattern.is_null()).then(|| pattern.to_string()),
        schedule: schedule.clone(),
        disabled: !*enabled,
        ..events::Rule::default()
    };
    services.events.deploy_rule(created, targets.clone())
}

/// Creates schedules, which may invoke functions at once.
pub(super) fn create_schedules(services: &Services, stack: &Stack, owned: &Owned) -> Result<(), CloudError> {
    for group in &stack.schedule_groups {
        services.scheduler.deploy_group(group).map_err(refused("schedule group", group))?;
    }
    for schedule in stack.schedules.iter().filter(|schedule| !owned.has_made(schedule)) {
        services.scheduler.deploy(schedule.clone()).map_err(refused("schedule", &schedule.name))?;
    }
    owned.note_made(&stack.schedules);
    Ok(())
}

/// Makes the functions known. No process starts yet. Their packages are there for as long as what is returned.
pub(super) fn create_functions(
    lambda: &Lambda,
    config: &CloudConfig,
    options: &Options,
    credentials: Option<&Credentials>,
) -> Result<(Vec<Attached>, Packages), CloudError> {
    let CloudConfig { stack, listeners, binaries, environment, .. } = config;
    let (mut attached, mut packages) = (Vec::new(), Packages::default());
    for function in &stack.functions {
        let package = packages.folder(&function.name, &function.code_uri)?;
        let (bootstrap, property) = match &function.build {
            Build::CargoLambda { binary } => (binaries.join(binary), "BuildProperties.Binary"),
            Build::Bootstrap => (package.join("bootstrap"), "CodeUri"),
        };
        if !bootstrap.is_file() {
            return Err(CloudError::NoExecutable { function: function.name.clone(), path: bootstrap, property });
        }
        let variables = function.environment.iter().chain(environment);
        let spec = FunctionSpec {
            name: function.name.clone(),
            bootstrap,
            working_directory: package,
            environment: variables
                .map(|(name, value)| (name.clone(), value.replace(HTTP_PLACEHOLDER, listeners.http_url())))
                .collect(),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
            runtime: function.runtime.clone(),
            handler: function.handler.clone(),
            logging: function.logging.clone(),
            reserved_concurrency: function.reserved_concurrency,
            asynchronous: function.asynchronous.clone(),
            dead_letter_arn: function.dead_letter_arn.clone(),
            credentials: credentials.cloned(),
        };
        if options.attach.contains(&function.name) {
            let (executable, working_directory) = (spec.bootstrap.clone(), spec.working_directory.clone());
            let environment = lambda.create_attached(spec).map_err(refused("function", &function.name))?;
            attached.push(Attached { function: function.name.clone(), executable, working_directory, environment });
        } else {
            lambda.create_function(spec).map_err(refused("function", &function.name))?;
        }
    }
    Ok((attached, packages))
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
    let authorized = |outcome: Result<(), _>| outcome.map_err(refused("event source of", &function.name));
    if let Trigger::Stream { stream_arn, .. } = trigger {
        authorized(services.iam.authorize_stream(services, &function.name, stream_arn))?;
    }
    match source(function, trigger) {
        Source::Topic(subscription) => subscribe(&services.sns, &subscription)?,
        Source::Http(route) => return Ok(Some(route)),
        Source::Queue(mapping) => {
            authorized(services.iam.authorize_queue(services, &function.name, &mapping.queue_arn))?;
            lambda.map_sqs(sqs.clone(), mapping).map_err(refused("event source of", &function.name))?;
        }
        Source::Table(mapping) => {
            if let Some(arn) = &mapping.on_failure_arn {
                authorized(services.iam.authorize_destination(services, &function.name, arn))?;
            }
            lambda.map_stream(dynamodb.clone(), mapping).map_err(refused("event source of", &function.name))?;
        }
    }
    Ok(None)
}

/// A trigger as Lambda takes it.
pub(super) enum Source {
    Queue(SqsMapping),
    Table(StreamMapping),
    Topic(template::Subscription),
    Http(Route),
}

pub(super) fn source(function: &Function, trigger: &Trigger) -> Source {
    let name = function.name.clone();
    match trigger.clone() {
        Trigger::Topic(subscription) => Source::Topic(subscription),
        Trigger::Http { method, path } => Source::Http(Route { method, path, function: name }),
        Trigger::Sqs {
            place: _,
            queue_arn,
            batch_size,
            batching_window,
            maximum_concurrency,
            report_batch_item_failures,
            filters,
        } => Source::Queue(SqsMapping {
            function: name,
            queue_arn,
            batch_size,
            batching_window,
            maximum_concurrency,
            report_batch_item_failures,
            filters,
        }),
        Trigger::Stream {
            place: _,
            table,
            stream_arn: _,
            starting_position,
            batch_size,
            batching_window,
            report_batch_item_failures,
            bisect,
            maximum_retry_attempts,
            maximum_record_age,
            parallelization_factor,
            tumbling_window,
            filters,
            on_failure_arn,
        } => Source::Table(StreamMapping {
            function: name,
            table,
            batch_size,
            report_batch_item_failures,
            filters,
            bisect,
            maximum_retry_attempts,
            maximum_record_age,
            batching_window,
            parallelization_factor,
            tumbling_window,
            on_failure_arn,
            starting_position,
        }),
    }
}

/// ARNs of the queues that feed functions.
pub(super) fn consumed_queues(stack: &Stack) -> impl Iterator<Item = &str> {
    stack.functions.iter().flat_map(|function| &function.triggers).filter_map(|trigger| match trigger {
        Trigger::Sqs { queue_arn, .. } => Some(queue_arn.as_str()),
        Trigger::Stream { .. } | Trigger::Topic(_) | Trigger::Http { .. } => None,
    })
}

pub(super) fn refused<E: Error + Send + Sync + 'static>(
    kind: &str,
    name: &impl Display,
) -> impl FnOnce(E) -> CloudError {
    let resource = format!("{kind} {name}");
    move |source| CloudError::Resource { resource, source: Arc::new(source) }
}
