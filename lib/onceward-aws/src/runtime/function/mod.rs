use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use aws_lambda_events::{
    sqs::SqsBatchResponse,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse, KinesisEventResponse},
};
use lambda_runtime::LambdaEvent;
use onceward::{
    BatchItemFailure, DeadLetter, DeadLetterError, DeadLetterQueue, Delivery, Description, Event as _, Function,
    NoValue, Ports, Postponement, ReceiveLimit, Visibility, VisibilityError,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Aws, Handler, InvocationError, Payload, RunError, Runnable,
    dead_letters::DeadLetters,
    handler::UNSERIALIZABLE,
    invocation, ports,
    source::{self, Incoming, Received, Source},
};
use crate::{SqsQueues, settings, sqs::ReceiveLimits};

/// `errorType` of an invocation whose source cannot be told which of its records failed.
const BATCH_FAILED: &str = "BatchFailed";

/// How many failures an error's message names.
const FAILURES_NAMED_MAX: usize = 10;

impl<D: Send + Sync + 'static> Runnable for Function<D> {
    const VARIABLES: &'static [&'static str] = &[settings::LEDGER_TABLE, settings::DEAD_LETTER_QUEUE_URL];

    fn describe(&self) -> Description {
        self.describe()
    }

    fn bind(self, aws: &Aws) -> Result<Handler, RunError> {
        self.check().map_err(RunError::function)?;
        let bound = Arc::new(Bound {
            ports: ports(aws)?,
            sqs: aws_sdk_sqs::Client::new(&aws.config),
            dead_letter_queue_url: settings::dead_letter_queue_url()?,
            limits: Arc::new(ReceiveLimits::new(settings::max_receive_count()?)),
            function: self,
        });
        Ok(Handler::new(move |event| {
            let bound = Arc::clone(&bound);
            async move { bound.handle(event).await }
        }))
    }
}

/// A function and what it needs of AWS.
struct Bound<D> {
    function: Function<D>,
    ports: Ports,
    sqs: aws_sdk_sqs::Client,
    dead_letter_queue_url: Option<String>,
    limits: Arc<ReceiveLimits>,
}

/// An answer in the shape that its source expects.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Sqs(SqsBatchResponse),
    Kinesis(KinesisEventResponse),
    DynamoDb(DynamoDbEventResponse),
    Direct(Option<Box<RawValue>>),
    Nothing(()),
}

impl<D: Send + Sync + 'static> Bound<D> {
    async fn handle(&self, event: LambdaEvent<Payload>) -> Result<Answer, InvocationError> {
        let Incoming { source, records } = source::read(&event.payload)?;
        let request_id = &event.context.request_id;
        let deliveries = records.into_iter().filter_map(|record| self.delivery(source, record, request_id));
        let mut deliveries: Vec<_> = deliveries.collect();
        if deliveries.is_empty() {
            return Ok(Answer::of(source, &[]));
        }
        let invocation = invocation(&event.context, &self.ports);
        for delivery in deliveries.iter_mut().filter(|delivery| delivery.message_id.is_empty()) {
            delivery.message_id.clone_from(request_id);
        }
        if source == Source::Direct {
            let delivery = deliveries.swap_remove(0);
            let answer = self.function.invoke(&self.ports, invocation, delivery).await;
            let answer = answer.map_err(|failure| InvocationError::new(failure.kind, failure.message))?;
            return Answer::direct(answer);
        }
        let (count, origin) = (deliveries.len(), self.origin(source, &deliveries));
        let failed = self.function.handle_batch(&self.ports, &origin, invocation, deliveries).await;
        match source {
            Source::Sqs | Source::Kinesis | Source::DynamoDb => Ok(Answer::of(source, &failed)),
            _ if failed.is_empty() => Ok(Answer::Nothing(())),
            _ => Err(InvocationError::new(BATCH_FAILED, summary(&failed, count))),
        }
    }

    /// A record without a value, such as a tombstone of a compacted topic, is an event to a function that handles those;
    /// to any other it is nothing: it is left out with a line, so that it does not hold up its partition.
    fn delivery(&self, source: Source, record: Received, request_id: &str) -> Option<Delivery> {
        let Received { delivery, absent } = record;
        let Some(absent) = absent else { return Some(delivery) };
        if self.function.event_types().any(|handled| handled == NoValue::wire_type()) {
            let body = absent.event(&source.to_string(), &delivery, request_id, self.ports.clock.now());
            return Some(Delivery { body, is_base64: false, ..delivery });
        }
        let (function, event_id, key) = (self.function.name(), &delivery.message_id, delivery.ordering_key.as_deref());
        tracing::info!(target: "onceward::delivery", function, event_type = "(no value)", event_id, subject = key,
            outcome = "skipped", attempt = delivery.receive_count, duration_ms = 0.0, source = delivery.source);
        None
    }

    /// Where the records came from. All records of an invocation are of one source.
    fn origin(&self, source: Source, deliveries: &[Delivery]) -> Origin {
        let queue = (source == Source::Sqs).then(|| settings::queue_url(&deliveries[0].source)).flatten();
        let queue =
            queue.map(|url| SqsQueues::new(self.sqs.clone(), url, String::new()).limited(Arc::clone(&self.limits)));
        let dead_letters = DeadLetters::new(self.sqs.clone(), self.dead_letter_queue_url.clone());
        Origin { queue, dead_letters }
    }
}

impl Answer {
    /// What the handler has answered, or the ledger kept of it; none is `null`.
    fn direct(answer: Option<String>) -> Result<Self, InvocationError> {
        let json = answer.map(RawValue::from_string).transpose();
        // The parser says what it expected and where, and quotes nothing.
        json.map(Self::Direct).map_err(|error| InvocationError::new(UNSERIALIZABLE, error.to_string()))
    }

    fn of(source: Source, failed: &[BatchItemFailure]) -> Self {
        match source {
            Source::Sqs => {
                let mut response = SqsBatchResponse::default();
                response.set_failures(failed.iter().map(|failure| failure.message_id.as_str()));
                Self::Sqs(response)
            }
            // A stream goes on from the first that failed: what comes after it is delivered again anyway.
            Source::Kinesis => {
                let mut response = KinesisEventResponse::default();
                response.set_failures(failed.iter().take(1).map(|failure| failure.message_id.as_str()));
                Self::Kinesis(response)
            }
            Source::DynamoDb => {
                let mut response = DynamoDbEventResponse::default();
                response.batch_item_failures = failed.iter().take(1).map(item_failure).collect();
                Self::DynamoDb(response)
            }
            _ => Self::Nothing(()),
        }
    }
}

fn item_failure(failure: &BatchItemFailure) -> DynamoDbBatchItemFailure {
    let mut item = DynamoDbBatchItemFailure::default();
    item.item_identifier = Some(failure.message_id.clone());
    item
}

fn summary(failed: &[BatchItemFailure], count: usize) -> String {
    let mut text = format!("{} of {count} records failed", failed.len());
    for (place, failure) in failed.iter().take(FAILURES_NAMED_MAX).enumerate() {
        let separator = if place == 0 { ": " } else { "; " };
        let _ = write!(text, "{separator}{}: {}", failure.message_id, failure.error);
    }
    text
}

/// Where a batch came from, as far as the function acts on it: only a queue's messages can be postponed.
struct Origin {
    queue: Option<SqsQueues>,
    dead_letters: DeadLetters,
}

#[async_trait]
impl DeadLetterQueue for Origin {
    async fn send(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        self.dead_letters.send(letter).await
    }
}

#[async_trait]
impl Visibility for Origin {
    async fn postpone(&self, postponements: &[Postponement]) -> Result<(), VisibilityError> {
        match &self.queue {
            Some(queue) => queue.postpone(postponements).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl ReceiveLimit for Origin {
    async fn receive_count_max(&self) -> Option<u32> {
        self.queue.as_ref()?.receive_count_max().await
    }
}

#[cfg(test)]
mod tests;
