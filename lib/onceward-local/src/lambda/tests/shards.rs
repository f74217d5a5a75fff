//! A stream of several shards, as another cloud has it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Bench;
use crate::lambda::{SourceError, StartingPosition, StreamMapping, StreamSource};

/// Shard `one` has ended after the records `a` and `b`; its child `two`, which has `c`, goes on.
#[derive(Debug, Default)]
struct Shards {
    expired: AtomicBool,
}

impl Shards {
    fn records(shard: &str) -> &'static [&'static str] {
        if shard == "one" { &["a", "b"] } else { &["c"] }
    }

    /// One record at a time; the second iterator of `one` has expired when it is used first.
    fn read(&self, iterator: &str) -> Result<Value, SourceError> {
        if iterator == "one/1" && !self.expired.swap(true, Ordering::Relaxed) {
            let code = "ExpiredIteratorException".to_owned();
            return Err(SourceError { action: "GetRecords", code, message: "too old".to_owned() });
        }
        let (shard, position) = iterator.split_once('/').unwrap();
        let position: usize = position.parse().unwrap();
        let record = Self::records(shard).get(position).map(|key| {
            let change = json!({ "Keys": { "pk": { "S": key } }, "SequenceNumber": position.to_string() });
            json!({ "eventName": "INSERT", "dynamodb": change })
        });
        let last = Self::records(shard).len();
        let next = (position < last - 1 || shard != "one").then(|| format!("{shard}/{}", (position + 1).min(last)));
        Ok(json!({ "Records": record.into_iter().collect::<Vec<_>>(), "NextShardIterator": next }))
    }
}

#[async_trait]
impl StreamSource for Shards {
    async fn call(&self, action: &'static str, request: Value) -> Result<Value, SourceError> {
        Ok(match action {
            "DescribeTable" => json!({ "Table": { "LatestStreamArn": "arn:stream" } }),
            // The child first, on a page of its own.
            "DescribeStream" if request["ExclusiveStartShardId"].is_null() => json!({ "StreamDescription": {
                "Shards": [{ "ShardId": "two", "ParentShardId": "one" }], "LastEvaluatedShardId": "two",
            } }),
            "DescribeStream" => json!({ "StreamDescription": {
                "Shards": [{ "ShardId": "one", "SequenceNumberRange": { "EndingSequenceNumber": "9" } }],
            } }),
            "GetShardIterator" => {
                let after: Option<usize> = request["SequenceNumber"].as_str().map(|number| number.parse().unwrap());
                let shard = request["ShardId"].as_str().unwrap();
                json!({ "ShardIterator": format!("{shard}/{}", after.map_or(0, |number| number + 1)) })
            }
            _ => self.read(request["ShardIterator"].as_str().unwrap())?,
        })
    }
}

async fn begin(position: StartingPosition) -> Bench {
    let bench = Bench::with_function(&[]);
    let mut mapping = StreamMapping::new("f", "things", position);
    mapping.batch_size = 1;
    bench.lambda.map_table(Arc::new(Shards::default()), mapping, None).await.unwrap();
    bench
}

async fn key(bench: &mut Bench) -> Value {
    bench.event().await["Records"][0]["dynamodb"]["Keys"]["pk"]["S"].take()
}

#[tokio::test]
async fn a_shard_is_read_after_its_parent_and_an_expired_iterator_is_renewed_where_it_was() {
    let mut bench = begin(StartingPosition::TrimHorizon).await;
    for expected in ["a", "b", "c"] {
        assert_eq!(key(&mut bench).await, expected);
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn from_the_latest_record_on_a_closed_shard_is_not_read() {
    let mut bench = begin(StartingPosition::Latest).await;
    assert_eq!(key(&mut bench).await, "c");
    bench.lambda.shutdown().await;
}
