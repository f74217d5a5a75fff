//! What each service sends to a function, around the given events.

use serde_json::{Value, json};

/// What a source sends for these events.
type Payload = fn(&[Value]) -> Value;

/// How an event can arrive.
pub(super) const SOURCES: [(&str, Payload); 12] = [
    ("SQS", sqs),
    ("SQS FIFO", sqs_fifo),
    ("EventBridge through SQS", |events| sqs(&routed_all(events))),
    ("SNS through SQS, wrapped", |events| sqs(&events.iter().map(notification).collect::<Vec<_>>())),
    ("SNS", sns),
    ("EventBridge", |events| routed(&events[0])),
    ("DynamoDB Streams", dynamodb),
    ("Kinesis", kinesis),
    ("MSK", |events| kafka("aws:kafka", events)),
    ("self-managed Kafka", |events| kafka("SelfManagedKafka", events)),
    ("RabbitMQ", rabbitmq),
    ("direct invocation", |events| events[0].clone()),
];

fn records(records: impl Iterator<Item = Value>) -> Value {
    json!({ "Records": records.collect::<Vec<_>>() })
}

pub(super) fn sqs(bodies: &[Value]) -> Value {
    records(bodies.iter().enumerate().map(|(place, body)| message(place, body, "wishes", &json!({}))))
}

/// All in one message group.
pub(super) fn sqs_fifo(bodies: &[Value]) -> Value {
    let group = json!({"MessageGroupId": "g"});
    records(bodies.iter().enumerate().map(|(place, body)| message(place, body, "wishes.fifo", &group)))
}

fn message(place: usize, body: &Value, queue: &str, attributes: &Value) -> Value {
    let mut attributes = attributes.clone();
    attributes["ApproximateReceiveCount"] = json!("1");
    attributes["ApproximateFirstReceiveTimestamp"] = json!(chrono::Utc::now().timestamp_millis().to_string());
    json!({
        "messageId": format!("m-{place}"), "receiptHandle": "of a message that was never there",
        "body": body.to_string(), "attributes": attributes, "messageAttributes": {}, "md5OfBody": "",
        "eventSource": "aws:sqs", "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
        "awsRegion": "us-east-1",
    })
}

fn routed_all(events: &[Value]) -> Vec<Value> {
    events.iter().map(routed).collect()
}

pub(super) fn routed(event: &Value) -> Value {
    json!({
        "version": "0", "id": "of the bus", "detail-type": event["type"], "source": event["source"],
        "account": "000000000000", "time": event["time"], "region": "us-east-1", "resources": [], "detail": event,
    })
}

fn notification(event: &Value) -> Value {
    json!({
        "Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:us-east-1:000000000000:wishes",
        "Message": event.to_string(), "Timestamp": event["time"], "SignatureVersion": "1", "Signature": "",
        "SigningCertURL": "", "UnsubscribeURL": "",
    })
}

pub(super) fn sns(events: &[Value]) -> Value {
    records(events.iter().map(|event| {
        json!({
            "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn:aws:sns:s",
            "Sns": notification(event),
        })
    }))
}

pub(super) fn dynamodb(events: &[Value]) -> Value {
    records(events.iter().enumerate().map(|(place, event)| {
        json!({
            "eventID": format!("c-{place}"), "eventName": "INSERT", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_767_225_600, "Keys": {"pk": {"S": format!("k-{place}")}},
                "NewImage": {"events": {"L": [{"S": event.to_string()}]}}, "SequenceNumber": format!("10{place}"),
                "SizeBytes": 1, "StreamViewType": "NEW_IMAGE",
            },
        })
    }))
}

pub(super) fn kinesis(events: &[Value]) -> Value {
    records(events.iter().enumerate().map(|(place, event)| {
        json!({
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": format!("shardId-0:10{place}"),
            "eventName": "aws:kinesis:record", "awsRegion": "us-east-1", "invokeIdentityArn": "arn:aws:iam::0:role/r",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": format!("k-{place}"),
                "sequenceNumber": format!("10{place}"), "data": base64(event), "approximateArrivalTimestamp": 1.5,
            },
        })
    }))
}

pub(super) fn kafka(source: &str, events: &[Value]) -> Value {
    let records = events.iter().enumerate().map(|(place, event)| {
        json!({
            "topic": "t", "partition": 0, "offset": place, "timestamp": 1, "timestampType": "CREATE_TIME",
            "key": Value::Null, "value": base64(event), "headers": [],
        })
    });
    json!({"eventSource": source, "bootstrapServers": "b:9092", "records": {"t-0": records.collect::<Vec<_>>()}})
}

pub(super) fn rabbitmq(events: &[Value]) -> Value {
    let messages = events.iter().map(|event| {
        json!({
            "basicProperties": {
                "contentType": "application/json", "contentEncoding": null, "headers": {}, "deliveryMode": 1,
                "priority": 0, "correlationId": null, "replyTo": null, "expiration": null, "messageId": null,
                "timestamp": null, "type": null, "userId": null, "appId": null, "clusterId": null, "bodySize": 1,
            },
            "redelivered": false, "data": base64(event),
        })
    });
    json!({
        "eventSource": "aws:rmq", "eventSourceArn": "arn:aws:mq:us-east-1:000000000000:broker:b",
        "rmqMessagesByQueue": {"q::/": messages.collect::<Vec<_>>()},
    })
}

fn base64(event: &Value) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(event.to_string())
}
