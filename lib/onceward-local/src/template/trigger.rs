use std::time::Duration;

use serde_json::Value;

use super::{
    destination,
    error::Faulted,
    event_rule, names,
    node::{Data, Node},
    properties::Properties,
    resources::{queue, topic},
    stack::{Queue, Stack, Trigger},
};
use crate::events::Pattern;
use crate::lambda::StartingPosition;

/// Messages of an ordinary queue in one invocation, if the template does not say; a FIFO queue allows no more.
const QUEUE_BATCH_DEFAULT: usize = 10;
/// Above this, AWS wants a batching window: one receive brings ten messages at most.
const QUEUE_BATCH_WITHOUT_WINDOW: usize = 10;
/// Most filters of a mapping, with a raised quota; five without.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-multiple>
const FILTERS_MAX: usize = 10;
/// The path of a route for whatever has no other.
const DEFAULT_ROUTE: &str = "$default";
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
/// Stream records in one invocation, if the template does not say.
const STREAM_BATCH_DEFAULT: usize = 100;

/// A function's `Events`.
pub(super) fn read(
    function: &Properties<'_>,
    stack: &Stack,
    timeout: Duration,
    function_arn: Option<&str>,
) -> Vec<Trigger> {
    let Some(events) = function.nested("Events") else { return Vec::new() };
    let place = events.place.clone();
    let read = |(key, node): (super::node::Key, Node)| {
        let event = Properties::new(function.resolver, &node, format!("{place}.{}", key.name));
        read_event(event, stack, timeout, function_arn)
    };
    events.into_entries().into_iter().filter(|(_, node)| !event_rule::handles(node)).filter_map(read).collect()
}

fn read_event(event: Properties<'_>, stack: &Stack, timeout: Duration, function_arn: Option<&str>) -> Option<Trigger> {
    event.require("Type");
    // What SAM makes a rule or a schedule of is read by `event_rule`, and named here only to be told.
    let kinds = ["SQS", "SNS", "DynamoDB", "HttpApi", "EventBridgeRule", "CloudWatchEvent", "Schedule", "ScheduleV2"];
    let kind = event.one_of("Type", &kinds);
    // An HttpApi event may be its type alone: the default route of the implicit API.
    let properties = match event.nested("Properties") {
        None if kind == Some("HttpApi") => {
            let none = Node { line: event.line, data: Data::Map(Vec::new()) };
            Some(Properties::new(event.resolver, &none, event.place_of("Properties")))
        }
        None => {
            event.require("Properties");
            None
        }
        given => given,
    };
    let trigger = properties.zip(kind).and_then(|(properties, kind)| match kind {
        "SQS" => sqs(properties, "Queue", stack, timeout),
        "SNS" => topic::read_event(properties, stack, function_arn?.to_owned()).map(Trigger::Topic),
        "DynamoDB" => stream(properties, "Stream", stack),
        _ => Some(http(properties)),
    });
    event.finish();
    trigger
}

/// A mapping of the queue that the property `source` names.
pub(super) fn sqs(
    properties: Properties<'_>,
    source: &'static str,
    stack: &Stack,
    timeout: Duration,
) -> Option<Trigger> {
    let queue_arn = properties.required_text(source);
    let batch_size = properties.number("BatchSize", 1..=10_000).unwrap_or(QUEUE_BATCH_DEFAULT);
    let batching_window = batching_window(&properties);
    if let Some(arn) = &queue_arn {
        if let Some(queue) = queue::by_arn(stack, arn) {
            check_queue(&properties, source, queue, timeout, batch_size, batching_window);
        } else {
            properties.fault(source, format!("`{arn}` is not a queue of this template"));
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
    let place = properties.place.clone();
    properties.irrelevant(&["KmsKeyArn", "MetricsConfig", "FunctionName", "Tags"]);
    properties.refuse(&["ProvisionedPollerConfig"], "it polls every queue without delay");
    properties.finish();
    let queue_arn = queue_arn.filter(|_| enabled)?;
    Some(Trigger::Sqs {
        place,
        queue_arn,
        batch_size,
        batching_window,
        maximum_concurrency,
        report_batch_item_failures,
        filters,
    })
}

/// What Lambda checks when it creates the mapping.
fn check_queue(
    properties: &Properties<'_>,
    source: &str,
    queue: &Queue,
    timeout: Duration,
    batch_size: usize,
    window: Duration,
) {
    let (visibility, timeout) = (queue::visibility_timeout(queue), timeout.as_secs());
    if visibility < timeout {
        let message = format!(
            "the queue's VisibilityTimeout of {visibility} s is shorter than the function's Timeout of {timeout} s: \
             AWS refuses this, and advises six times the timeout"
        );
        properties.fault(source, message);
    }
    if queue.attributes.contains_key("FifoQueue") && !window.is_zero() {
        properties.fault("MaximumBatchingWindowInSeconds", "a FIFO queue has no batching window: leave it out");
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

/// A mapping of the stream that the property `source` names.
pub(super) fn stream(properties: Properties<'_>, source: &'static str, stack: &Stack) -> Option<Trigger> {
    let stream_arn = properties.required_text(source);
    let table = stream_arn.as_deref().and_then(names::table_of_stream).map(str::to_owned);
    let streaming = |table: &&String| {
        let declared = stack.tables.iter().find(|known| known.name == **table);
        declared.is_some_and(|known| known.definition.get("StreamSpecification").is_some())
    };
    if let (Some(arn), None) = (&stream_arn, table.as_ref().filter(streaming)) {
        let message = format!("`{arn}` is not the stream of a table of this template that has a StreamSpecification");
        properties.fault(source, message);
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
    let maximum_record_age = record_age(&properties);
    let parallelization_factor = properties.number("ParallelizationFactor", 1..=10).unwrap_or(1);
    let tumbling_window = properties.number("TumblingWindowInSeconds", 0..=900).filter(|seconds| *seconds > 0);
    let enabled = properties.boolean("Enabled") != Some(false);
    let place = properties.place.clone();
    properties.irrelevant(&["KmsKeyArn", "MetricsConfig", "FunctionName", "Tags"]);
    properties.finish();
    let stream_arn = stream_arn.filter(|_| enabled)?;
    Some(Trigger::Stream {
        place,
        table: table?,
        stream_arn,
        starting_position,
        batch_size,
        batching_window,
        report_batch_item_failures,
        bisect,
        maximum_retry_attempts: attempts.and_then(|attempts| u32::try_from(attempts).ok()),
        maximum_record_age,
        parallelization_factor,
        tumbling_window: tumbling_window.map(Duration::from_secs),
        filters,
        on_failure_arn,
    })
}

/// `MaximumRecordAgeInSeconds`: -1, or from a minute to 7 days.
fn record_age(properties: &Properties<'_>) -> Option<Duration> {
    let seconds = properties.number::<i64>("MaximumRecordAgeInSeconds", -1..=604_800)?;
    if (0..60).contains(&seconds) {
        properties.fault("MaximumRecordAgeInSeconds", "expected -1, or from 60 to 604800");
    }
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

fn on_failure(properties: &Properties<'_>, stack: &Stack) -> Option<String> {
    let config = properties.nested("DestinationConfig")?;
    let target = config.nested("OnFailure");
    config.finish();
    destination::read(&target?, "Destination", &["SQS", "SNS"], stack)
}

fn http(properties: Properties<'_>) -> Trigger {
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
    // Without a path, and as `$default`, it takes whatever has no route.
    let path = properties.text("Path").unwrap_or_else(|| DEFAULT_ROUTE.to_owned());
    let method = properties.text("Method").unwrap_or_else(|| "ANY".to_owned());
    if path == DEFAULT_ROUTE {
        properties.irrelevant(&["Method"]);
    } else {
        properties.require("Method");
    }
    if !path.starts_with('/') && path != DEFAULT_ROUTE {
        properties.fault("Path", format!("`{path}` must begin with `/`"));
    }
    if !METHODS.contains(&method.to_uppercase().as_str()) {
        properties.fault("Method", format!("`{method}` is none of {}", METHODS.join(", ")));
    }
    properties.one_of("PayloadFormatVersion", &["2.0"]);
    properties.refuse(&["Auth"], "requests come in without authorizers");
    properties.irrelevant(&["TimeoutInMillis", "RouteSettings"]);
    properties.finish();
    Trigger::Http { method: method.to_uppercase(), path }
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
            Some(Ok(pattern)) => match Pattern::parse(&pattern) {
                Ok(_) => filters.push(pattern),
                Err(error) => {
                    let _: Faulted = filter.fault_at(node.line, "Pattern", error.reason);
                }
            },
            Some(Err(error)) => {
                let _: Faulted = filter.fault_at(node.line, "Pattern", format!("not JSON: {error}"));
            }
            None => {}
        }
        filter.finish();
    }
    if filters.len() > FILTERS_MAX {
        criteria.fault("Filters", format!("a mapping has at most {FILTERS_MAX} filters, found {}", filters.len()));
    }
    criteria.finish();
    filters
}
