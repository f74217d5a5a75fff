//! A shard of a table's stream, read in order.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{dynamodb::DynamoDb, lambda::spec::StartingPosition};

/// Most records of one `GetRecords`.
const PAGE_MAX: usize = 1_000;

/// Where a shard has been read to.
#[derive(Debug)]
pub(super) struct Shard {
    dynamodb: DynamoDb,
    iterator: String,
    pub(super) id: String,
    pub(super) stream_arn: String,
    region: String,
}

/// A record as its function gets it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) value: Value,
    pub(super) json: String,
    /// When it was written, as far as the stream tells: to the second.
    pub(super) written: DateTime<Utc>,
}

impl Record {
    /// The number that orders it in its shard.
    pub(super) fn sequence_number(&self) -> &str {
        self.value["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
    }

    /// The item's key: changes of one item stay in order.
    pub(super) fn key(&self) -> String {
        self.value["dynamodb"]["Keys"].to_string()
    }
}

impl Shard {
    /// The shards of `table`'s stream, each `after` a record's number if there is one, else from `position` on.
    pub(super) fn open(
        dynamodb: &DynamoDb,
        table: &str,
        position: StartingPosition,
        region: &str,
        after: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<Vec<Self>, String> {
        let described = call(dynamodb, "DescribeTable", &json!({ "TableName": table }))?;
        let arn = described["Table"]["LatestStreamArn"].as_str();
        let arn = arn.ok_or("the table has no stream: give it a StreamSpecification")?;
        let stream = call(dynamodb, "DescribeStream", &json!({ "StreamArn": arn }))?;
        let shards = stream["StreamDescription"]["Shards"].as_array().map(Vec::as_slice).unwrap_or_default();
        let kind = match position {
            StartingPosition::TrimHorizon => "TRIM_HORIZON",
            StartingPosition::Latest => "LATEST",
        };
        let open = shards.iter().map(|shard| {
            let id = shard["ShardId"].as_str().unwrap_or_default().to_owned();
            let begin = json!({ "StreamArn": arn, "ShardId": id, "ShardIteratorType": kind });
            let answer = match after(arn, &id) {
                None => call(dynamodb, "GetShardIterator", &begin)?,
                Some(number) => {
                    let resume = json!({
                        "StreamArn": arn,
                        "ShardId": id,
                        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                        "SequenceNumber": number,
                    });
                    // The stream no longer has what is older than a day, nor what followed it at once.
                    call(dynamodb, "GetShardIterator", &resume)
                        .or_else(|_| call(dynamodb, "GetShardIterator", &begin))?
                }
            };
            let iterator = answer["ShardIterator"].as_str().ok_or("DynamoDB gave no shard iterator")?.to_owned();
            let (stream_arn, region) = (arn.to_owned(), region.to_owned());
            Ok(Self { dynamodb: dynamodb.clone(), iterator, id, stream_arn, region })
        });
        open.collect()
    }

    /// The next records, oldest first; none if there are no more for now.
    pub(super) async fn read(&mut self, wanted: usize) -> Result<VecDeque<Record>, String> {
        let request = json!({ "ShardIterator": self.iterator, "Limit": wanted.clamp(1, PAGE_MAX) });
        let dynamodb = self.dynamodb.clone();
        let reading = tokio::task::spawn_blocking(move || call(&dynamodb, "GetRecords", &request));
        let mut answer = reading.await.map_err(|error| error.to_string())??;
        if let Some(next) = answer["NextShardIterator"].as_str() {
            next.clone_into(&mut self.iterator);
        }
        let records = match answer["Records"].take() {
            Value::Array(records) => records,
            _ => Vec::new(),
        };
        Ok(records.into_iter().map(|record| self.record(record)).collect())
    }

    /// `GetRecords` and Lambda's event word a record alike, but for its source and where it comes from.
    fn record(&self, mut value: Value) -> Record {
        value["eventSource"] = json!("aws:dynamodb");
        value["eventSourceARN"] = json!(self.stream_arn);
        value["awsRegion"] = json!(self.region);
        let json = value.to_string();
        let seconds = &value["dynamodb"]["ApproximateCreationDateTime"];
        let written = seconds.as_f64().and_then(milliseconds).unwrap_or_else(Utc::now);
        Record { value, json, written }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates; what is no time is refused after it")]
fn milliseconds(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}

fn call(dynamodb: &DynamoDb, action: &str, request: &Value) -> Result<Value, String> {
    let answer = dynamodb.execute(action, request.to_string().as_bytes());
    let answer = answer.map_err(|failure| format!("{action}: {failure}"))?;
    serde_json::from_slice(&answer).map_err(|error| format!("{action}: {error}"))
}
