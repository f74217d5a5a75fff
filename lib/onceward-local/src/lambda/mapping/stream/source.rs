//! A shard of a table's stream, read in order.

use std::{collections::VecDeque, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::lambda::{SourceError, StreamSource};

/// Most records of one `GetRecords`.
const PAGE_MAX: usize = 1_000;
/// Most pages of one stream's shards; a page has a hundred.
const SHARD_PAGES_MAX: usize = 100;
/// Iterators that are of no use any more: too old, or before what the stream still has.
const STALE: [&str; 2] = ["ExpiredIterator", "TrimmedDataAccess"];

/// Where a shard has been read to.
#[derive(Debug)]
pub(super) struct Shard {
    source: Arc<dyn StreamSource>,
    /// `None` at the end of a shard that is closed.
    iterator: Option<String>,
    /// The number of the last record.
    last: Option<String>,
    /// `TRIM_HORIZON` or `LATEST`: where it began.
    kind: &'static str,
    id: String,
    stream_arn: String,
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
    /// The shard `id`, read after a record's number if there is one, else from `kind` on.
    pub(super) async fn open(
        source: Arc<dyn StreamSource>,
        stream_arn: String,
        id: String,
        (kind, last): (&'static str, Option<String>),
        region: String,
    ) -> Result<Self, SourceError> {
        let mut shard = Self { source, iterator: None, last, kind, id, stream_arn, region };
        shard.seek().await?;
        Ok(shard)
    }

    /// Gets an iterator after the last record, or from where the shard began.
    async fn seek(&mut self) -> Result<(), SourceError> {
        let begin = json!({ "StreamArn": self.stream_arn, "ShardId": self.id, "ShardIteratorType": self.kind });
        let answer = match &self.last {
            None => self.source.call("GetShardIterator", begin).await?,
            Some(number) => {
                let resume = json!({
                    "StreamArn": self.stream_arn,
                    "ShardId": self.id,
                    "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                    "SequenceNumber": number,
                });
                match self.source.call("GetShardIterator", resume).await {
                    Ok(answer) => answer,
                    // The stream no longer has what is older than a day, nor what followed it at once.
                    Err(_) => self.source.call("GetShardIterator", begin).await?,
                }
            }
        };
        let none = || SourceError {
            action: "GetShardIterator",
            code: String::new(),
            message: "DynamoDB gave no shard iterator".to_owned(),
        };
        self.iterator = Some(answer["ShardIterator"].as_str().ok_or_else(none)?.to_owned());
        Ok(())
    }

    /// Whether nothing more can come: it is closed and read to its end.
    pub(super) fn is_ended(&self) -> bool {
        self.iterator.is_none()
    }

    /// The next records, oldest first; none if there are no more for now.
    pub(super) async fn read(&mut self, wanted: usize) -> Result<VecDeque<Record>, String> {
        let Some(iterator) = &self.iterator else { return Ok(VecDeque::new()) };
        let request = json!({ "ShardIterator": iterator, "Limit": wanted.clamp(1, PAGE_MAX) });
        let mut answer = match self.source.call("GetRecords", request).await {
            Ok(answer) => answer,
            // An iterator is good for 15 minutes; with a slow function it may grow older.
            Err(error) if STALE.iter().any(|code| error.code.contains(code)) => {
                self.seek().await.map_err(text)?;
                return Ok(VecDeque::new());
            }
            Err(error) => return Err(text(error)),
        };
        self.iterator = answer["NextShardIterator"].as_str().map(str::to_owned);
        let records = match answer["Records"].take() {
            Value::Array(records) => records,
            _ => Vec::new(),
        };
        let records: VecDeque<Record> = records.into_iter().map(|record| self.record(record)).collect();
        if let Some(last) = records.back() {
            self.last = Some(last.sequence_number().to_owned());
        }
        Ok(records)
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

/// The ARN of `table`'s stream.
pub(super) async fn stream_arn(source: &Arc<dyn StreamSource>, table: &str) -> Result<String, String> {
    let described = source.call("DescribeTable", json!({ "TableName": table })).await.map_err(text)?;
    let arn = described["Table"]["LatestStreamArn"].as_str().map(str::to_owned);
    arn.ok_or_else(|| "the table has no stream: give it a StreamSpecification".to_owned())
}

/// A shard as its stream lists it.
pub(super) struct Listed {
    pub(super) id: String,
    /// The shard that it goes on from.
    pub(super) parent: Option<String>,
    /// Whether nothing more is written to it.
    pub(super) is_closed: bool,
}

/// A stream's shards, page by page.
pub(super) async fn list(source: &Arc<dyn StreamSource>, arn: &str) -> Result<Vec<Listed>, SourceError> {
    let mut listed = Vec::new();
    let mut request = json!({ "StreamArn": arn });
    for _ in 0..SHARD_PAGES_MAX {
        let stream = source.call("DescribeStream", request.clone()).await?;
        let stream = &stream["StreamDescription"];
        for shard in stream["Shards"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let text = |name: &str| shard[name].as_str().map(str::to_owned);
            let is_closed = shard["SequenceNumberRange"]["EndingSequenceNumber"].is_string();
            let id = text("ShardId").unwrap_or_default();
            listed.push(Listed { id, parent: text("ParentShardId"), is_closed });
        }
        match stream["LastEvaluatedShardId"].as_str() {
            Some(last) => request["ExclusiveStartShardId"] = json!(last),
            None => break,
        }
    }
    Ok(listed)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: SourceError) -> String {
    error.to_string()
}
