//! What is asked of a cloud while it is measured.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::Error;
use crate::client::Client;

/// Requests under way at once, where there are several.
pub(crate) const IN_FLIGHT: usize = 8;

/// Bytes of a message's body, and of an event's detail.
const BODY_BYTES: usize = 1_000;

/// Cycles that warm a cloud up.
const WARM_UP: usize = 30;

/// What was measured of a cloud; each list has an entry a round.
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) ready: Vec<Duration>,
    pub(crate) idle_bytes: u64,
    pub(crate) busy_bytes: u64,
    /// Requests a second, one after another and [`IN_FLIGHT`] at once: send, receive, delete.
    pub(crate) sqs: Vec<f64>,
    pub(crate) sqs_in_flight: Vec<f64>,
    /// Events a second: put, received from the rule's queue, deleted.
    pub(crate) events: Vec<f64>,
    pub(crate) events_in_flight: Vec<f64>,
    /// From `PutEvents` to the message in hand, each event of a round.
    pub(crate) latencies: Vec<Duration>,
}

impl Figures {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            ready: Vec::new(),
            idle_bytes: 0,
            busy_bytes: 0,
            sqs: Vec::new(),
            sqs_in_flight: Vec::new(),
            events: Vec::new(),
            events_in_flight: Vec::new(),
            latencies: Vec::new(),
        }
    }
}

/// A cloud with a queue, and a bus whose rule routes to another.
pub(crate) struct Prepared {
    client: Client,
    queue: String,
    bus: String,
    routed: String,
}

impl Prepared {
    pub(crate) async fn new(url: &str) -> Result<Self, Error> {
        let client = Client::new(url);
        let (queue, routed) = (create(&client, "bench-queue").await?, create(&client, "bench-routed").await?);
        let asked = json!({"QueueUrl": routed, "AttributeNames": ["QueueArn"]});
        let arn = client.sqs("GetQueueAttributes", &asked).await?["Attributes"]["QueueArn"].clone();
        let bus = "bench-bus".to_owned();
        client.events("CreateEventBus", &json!({"Name": bus})).await?;
        let pattern = json!({"source": ["bench"], "detail": {"kind": ["order"]}}).to_string();
        let rule = json!({"Name": "bench-rule", "EventBusName": bus, "EventPattern": pattern});
        client.events("PutRule", &rule).await?;
        let targets = json!({"Rule": "bench-rule", "EventBusName": bus, "Targets": [{"Id": "queue", "Arn": arn}]});
        client.events("PutTargets", &targets).await?;
        let prepared = Self { client, queue, bus, routed };
        for _ in 0..WARM_UP {
            prepared.message().await?;
            prepared.event().await?;
        }
        Ok(prepared)
    }

    /// One round of every workload.
    pub(crate) async fn measure(&self, each: Duration, figures: &mut Figures) -> Result<(), Error> {
        /// Send, receive, delete.
        const REQUESTS: f64 = 3.0;
        figures.sqs.push(REQUESTS * rate(each, 1, || self.message()).await?);
        figures.sqs_in_flight.push(REQUESTS * rate(each, IN_FLIGHT, || self.message()).await?);
        let mut latencies = Vec::new();
        let began = Instant::now();
        while began.elapsed() < each {
            latencies.push(self.event().await?);
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        figures.events.push(latencies.len() as f64 / began.elapsed().as_secs_f64());
        figures.latencies.extend(latencies);
        figures.events_in_flight.push(rate(each, IN_FLIGHT, || self.event()).await?);
        Ok(())
    }

    /// A message is sent, received and deleted.
    async fn message(&self) -> Result<Duration, Error> {
        let began = Instant::now();
        let body = "x".repeat(BODY_BYTES);
        self.client.sqs("SendMessage", &json!({"QueueUrl": self.queue, "MessageBody": body})).await?;
        self.take(&self.queue).await?;
        Ok(began.elapsed())
    }

    /// An event is put, received from the rule's queue and deleted. Answers how long it took to be received.
    async fn event(&self) -> Result<Duration, Error> {
        let began = Instant::now();
        let detail = json!({"kind": "order", "text": "x".repeat(BODY_BYTES)}).to_string();
        let entry =
            json!({"EventBusName": self.bus, "Source": "bench", "DetailType": "order placed", "Detail": detail});
        let answer = self.client.events("PutEvents", &json!({"Entries": [entry]})).await?;
        if answer["FailedEntryCount"] != 0 {
            return Err(format!("the event was not taken: {answer}").into());
        }
        let received = self.take(&self.routed).await?;
        Ok(received.duration_since(began))
    }

    /// Receives a message, whichever it is, and deletes it. Answers when it was received.
    async fn take(&self, queue: &str) -> Result<Instant, Error> {
        loop {
            let answer = self.client.sqs("ReceiveMessage", &json!({"QueueUrl": queue, "WaitTimeSeconds": 5})).await?;
            let handle: &Value = &answer["Messages"][0]["ReceiptHandle"];
            if handle.is_string() {
                let received = Instant::now();
                self.client.sqs("DeleteMessage", &json!({"QueueUrl": queue, "ReceiptHandle": handle})).await?;
                return Ok(received);
            }
        }
    }
}

async fn create(client: &Client, name: &str) -> Result<String, Error> {
    let answer = client.sqs("CreateQueue", &json!({"QueueName": name})).await?;
    Ok(answer["QueueUrl"].as_str().ok_or("no QueueUrl")?.to_owned())
}

/// How often a second `act` is done, by so many at once.
async fn rate<F>(each: Duration, at_once: usize, act: impl Fn() -> F) -> Result<f64, Error>
where
    F: Future<Output = Result<Duration, Error>>,
{
    let began = Instant::now();
    let worker = async || {
        let mut count = 0_u32;
        while began.elapsed() < each {
            act().await?;
            count += 1;
        }
        Ok::<_, Error>(count)
    };
    let counts = try_join_all((0..at_once).map(|_| worker())).await?;
    Ok(f64::from(counts.iter().sum::<u32>()) / began.elapsed().as_secs_f64())
}
