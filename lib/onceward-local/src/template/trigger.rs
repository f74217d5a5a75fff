use std::time::Duration;

use serde_json::Value;

use super::{
    error::Faulted,
    event_rule, names,
    node::{Data, Node},
    properties::Properties,
    resources::queue,
    stack::{Queue, Stack, StartingPosition, Trigger},
};

/// Messages of an ordinary queue in one invocation, if the template does not say; a FIFO queue allows no more.
const QUEUE_BATCH_DEFAULT: usize = 10;
/// Above this, AWS wants a batching window: one receive brings ten messages at most.
const QUEUE_BATCH_WITHOUT_WINDOW: usize = 10;
/// Stream records in one invocation, if the template does not say.
const STREAM_BATCH_DEFAULT: usize = 100;

/// A function's `Events`.
pub(super) fn read(function: &Properties<'_>, stack: &Stack, timeout: Duration) -> Vec<Trigger> {
    let Some(events) = function.nested("Events") else { return Vec::new() };
    let place = events.place.clone();
    let read = |(key, node): (super::node::Key, Node)| {
        let event = Properties::new(function.resolver, &node, format!("{place}.{}", key.name));
        read_event(event, stack, timeout)
    };
    events.into_entries().into_iter().filter(|(_, node)| !event_rule::handles(node)).filter_map(read).collect()
}

fn read_event(event: Properties<'_>, stack: &Stack, timeout: Duration) -> Option<Trigger> {
    event.require("Type");
    let kind = event.one_of("Type", &["SQS", "DynamoDB", "HttpApi"]);
    event.require("Properties");
    let trigger = event.nested("Properties").zip(kind).and_then(|(properties, kind)| match kind {
        "SQS" => sqs(properties, stack, timeout),
        "DynamoDB" => stream(properties, stack),
        _ => http(properties),
    });
    event.finish();
    trigger
}

fn sqs(properties: Properties<'_>, stack: &Stack, timeout: Duration) -> Option<Trigger> {
    let queue_arn = properties.required_text("Queue");
    let batch_size = properties.number("BatchSize", 1..=10_000).unwrap_or(QUEUE_BATCH_DEFAULT);
    let batching_window = batching_window(&properties);
    if let Some(arn) = &queue_arn {
        if let Some(queue) = queue::by_arn(stack, arn) {
            check_queue(&properties, queue, timeout, batch_size, batching_window);
        } else {
            properties.fault("Queue", format!("`{arn}` is not a queue of this template"));
        }
    }
    let maximum_concurrency = properties.nested("ScalingConfig").and_then(|scaling| {
        let maximum = scaling.number("MaximumConcurrency", 2..=1_000);
        scaling.finish();
        maximum
    });
    let report_batch_item_failures = reports_failures(&properties);
    let filters = filters(&properties);
    let enabled = properties.boolean("Enabled") != Some(false);
    properties.irrelevant(&["KmsKeyArn", "MetricsConfig"]);
    properties.refuse(&["ProvisionedPollerConfig"], "it polls every queue without delay");
    properties.finish();
    let queue_arn = queue_arn.filter(|_| enabled)?;
    Some(Trigger::Sqs {
        queue_arn,
        batch_size,
        batching_window,
        maximum_concurrency,
        report_batch_item_failures,
        filters,
    })
}

/// What Lambda checks when it creates the mapping.
fn check_queue(properties: &Properties<'_>, queue: &Queue, timeout: Duration, batch_size: usize, window: Duration) {
    let (visibility, timeout) = (queue::visibility_timeout(queue), timeout.as_secs());
    if visibility < timeout {
        let message = format!(
            "the queue's VisibilityTimeout of {visibility} s is shorter than the function's Timeout of {timeout} s: \
             AWS refuses this, and advises six times the timeout"
        );
        properties.fault("Queue", message);
    }
    if batch_size > QUEUE_BATCH_WITHOUT_WINDOW {
        if queue.attributes.contains_key("FifoQueue") {
            properties.fault("BatchSize", "a FIFO queue gives at most 10 messages a batch");
        } else if window.is_zero() {
            let message = "more than 10 messages a batch need MaximumBatchingWindowInSeconds of at least 1";
            properties.fault("BatchSize", message);
        }
    }
}

fn stream(properties: Properties<'_>, stack: &Stack) -> Option<Trigger> {
    let stream_arn = properties.required_text("Stream");
    let table = stream_arn.as_deref().and_then(names::table_of_stream).map(str::to_owned);
    let streaming = |table: &&String| {
        let declared = stack.tables.iter().find(|known| known.name == **table);
        declared.is_some_and(|known| known.definition.get("StreamSpecification").is_some())
    };
    if let (Some(arn), None) = (&stream_arn, table.as_ref().filter(streaming)) {
        let message = format!("`{arn}` is not the stream of a table of this template that has a StreamSpecification");
        properties.fault("Stream", message);
    }
    properties.require("StartingPosition");
    let starting_position = match properties.one_of("StartingPosition", &["TRIM_HORIZON", "LATEST"]) {
        Some("LATEST") => StartingPosition::Latest,
        _ => StartingPosition::TrimHorizon,
    };
    let batch_size = properties.number("BatchSize", 1..=10_000).unwrap_or(STREAM_BATCH_DEFAULT);
    let batching_window = batching_window(&properties);
    let report_batch_item_failures = reports_failures(&properties);
    let bisect = properties.boolean("BisectBatchOnFunctionError").unwrap_or(false);
    let attempts = properties.number::<i64>("MaximumRetryAttempts", -1..=10_000);
    let filters = filters(&properties);
    let on_failure_arn = on_failure(&properties, stack);
    let enabled = properties.boolean("Enabled") != Some(false);
    // Records outlive a local cloud, and a table's stream has one shard there.
    properties.irrelevant(&["KmsKeyArn", "MaximumRecordAgeInSeconds", "MetricsConfig", "ParallelizationFactor"]);
    properties.refuse(&["TumblingWindowInSeconds"], "functions keep no state between batches");
    properties.finish();
    let stream_arn = stream_arn.filter(|_| enabled)?;
    Some(Trigger::Stream {
        table: table?,
        stream_arn,
        starting_position,
        batch_size,
        batching_window,
        report_batch_item_failures,
        bisect,
        maximum_retry_attempts: attempts.and_then(|attempts| u32::try_from(attempts).ok()),
        filters,
        on_failure_arn,
    })
}

fn on_failure(properties: &Properties<'_>, stack: &Stack) -> Option<String> {
    let config = properties.nested("DestinationConfig")?;
    let target = config.nested("OnFailure");
    config.finish();
    let target = target?;
    target.one_of("Type", &["SQS"]);
    let arn = target.required_text("Destination");
    if let Some(arn) = arn.as_deref().filter(|arn| queue::by_arn(stack, arn).is_none()) {
        target.fault("Destination", format!("`{arn}` is not a queue of this template"));
    }
    target.finish();
    arn
}

fn http(properties: Properties<'_>) -> Option<Trigger> {
    if let Some(api) = properties.raw("ApiId") {
        let id = match &api.data {
            Data::Call { function, argument } if function == "Ref" => argument.as_text(),
            _ => None,
        };
        let declared = id.and_then(|id| properties.resolver.document.resource(id));
        if declared.is_none_or(|resource| resource.kind != "AWS::Serverless::HttpApi") {
            properties.fault_at(api.line, "ApiId", "expected `!Ref` of an AWS::Serverless::HttpApi of this template");
        }
    }
    let method = properties.required_text("Method");
    let path = properties.required_text("Path");
    if let Some(path) = path.as_deref().filter(|path| !path.starts_with('/')) {
        properties.fault("Path", format!("`{path}` must begin with `/`"));
    }
    properties.one_of("PayloadFormatVersion", &["2.0"]);
    properties.refuse(&["Auth"], "requests come in without authorizers");
    properties.irrelevant(&["TimeoutInMillis", "RouteSettings"]);
    properties.finish();
    Some(Trigger::Http { method: method?.to_uppercase(), path: path? })
}

fn batching_window(properties: &Properties<'_>) -> Duration {
    Duration::from_secs(properties.number("MaximumBatchingWindowInSeconds", 0..=300).unwrap_or(0))
}

fn reports_failures(properties: &Properties<'_>) -> bool {
    let types = properties.list("FunctionResponseTypes");
    if let Some(other) = types.iter().find(|node| node.as_text() != Some("ReportBatchItemFailures")) {
        let message = format!("expected ReportBatchItemFailures, found {}", other.kind());
        properties.fault_at(other.line, "FunctionResponseTypes", message);
    }
    !types.is_empty()
}

/// The patterns of `FilterCriteria`, each a JSON text.
fn filters(properties: &Properties<'_>) -> Vec<Value> {
    let Some(criteria) = properties.nested("FilterCriteria") else { return Vec::new() };
    let mut filters = Vec::new();
    for (index, node) in criteria.list("Filters").iter().enumerate() {
        let filter = Properties::new(criteria.resolver, node, criteria.place_of(&format!("Filters[{index}]")));
        let pattern = filter.required_text("Pattern");
        match pattern.as_deref().map(serde_json::from_str) {
            Some(Ok(pattern)) => filters.push(pattern),
            Some(Err(error)) => {
                let _: Faulted = filter.fault_at(node.line, "Pattern", format!("not JSON: {error}"));
            }
            None => {}
        }
        filter.finish();
    }
    criteria.finish();
    filters
}
