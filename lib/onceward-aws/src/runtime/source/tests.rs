use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use onceward::Delivery;

use super::{Source, read};
use crate::runtime::InvocationError;

const EVENT: &str =
    r#"{"specversion":"1.0","id":"e-1","source":"s","type":"t.v1","time":"2026-01-01T00:00:00Z","data":1}"#;

#[derive(Debug)]
struct Read {
    source: Source,
    deliveries: Vec<Delivery>,
}

fn incoming(payload: &Value) -> Result<Read, InvocationError> {
    let read = read(&serde_json::value::to_raw_value(payload).unwrap())?;
    let deliveries = read.records.into_iter().map(|record| record.delivery).collect();
    Ok(Read { source: read.source, deliveries })
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn sqs(arn: &str) -> Value {
    json!({
        "messageId": "m-1", "receiptHandle": "r-1", "body": EVENT, "eventSource": "aws:sqs", "eventSourceARN": arn,
        "attributes": {
            "ApproximateReceiveCount": "3", "ApproximateFirstReceiveTimestamp": "1767225600000", "MessageGroupId": "g",
        },
        "messageAttributes": {
            "tenant": {"stringValue": "acme", "dataType": "String", "stringListValues": [], "binaryListValues": []},
        },
    })
}

#[test]
fn a_message_of_a_queue_has_its_count_times_and_attributes() {
    let read = incoming(&json!({"Records": [sqs("arn:aws:sqs:eu-west-1:1:q.fifo")]})).unwrap();
    let [delivery] = read.deliveries.try_into().unwrap();
    assert_eq!((read.source, delivery.message_id.as_str(), delivery.receive_count), (Source::Sqs, "m-1", 3));
    assert_eq!((delivery.receipt_handle.as_str(), delivery.body.as_str()), ("r-1", EVENT));
    assert_eq!(delivery.headers["tenant"], "acme");
    assert_eq!(delivery.ordering_key.as_deref(), Some("g"));
    assert_eq!(delivery.first_received_at.unwrap().timestamp(), 1_767_225_600);
}

#[test]
fn the_message_group_of_a_standard_queue_orders_nothing() {
    let read = incoming(&json!({"Records": [sqs("arn:aws:sqs:eu-west-1:1:q")]})).unwrap();
    assert_eq!(read.deliveries[0].ordering_key, None);
}

#[test]
fn a_notification_has_its_message_and_attributes() {
    let payload = json!({"Records": [{
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn:sub",
        "Sns": {
            "Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:topic", "Subject": null, "Message": EVENT,
            "Timestamp": "2026-01-01T00:00:00Z", "SignatureVersion": "1", "Signature": "", "SigningCertUrl": "",
            "UnsubscribeUrl": "", "MessageAttributes": {"tenant": {"Type": "String", "Value": "acme"}},
        },
    }]});
    let read = incoming(&payload).unwrap();
    let [delivery] = read.deliveries.try_into().unwrap();
    assert_eq!(
        (read.source, delivery.message_id.as_str(), delivery.source.as_str()),
        (Source::Sns, "m-1", "arn:topic")
    );
    assert_eq!((delivery.body.as_str(), delivery.headers["tenant"].as_str()), (EVENT, "acme"));
}

#[test]
fn a_record_of_kinesis_is_decoded_and_ordered_by_its_partition_key() {
    let record = |data: String| {
        json!({
            "eventSource": "aws:kinesis", "eventSourceARN": "arn:stream", "eventID": "shard:1",
            "kinesis": {
                "data": data, "partitionKey": "p", "sequenceNumber": "1", "approximateArrivalTimestamp": 1.5,
                "kinesisSchemaVersion": "1.0",
            },
        })
    };
    let bytes = BASE64_STANDARD.encode([0xff, 0xfe]);
    let read = incoming(&json!({"Records": [record(base64(EVENT)), record(bytes.clone())]})).unwrap();
    let [text, binary] = read.deliveries.try_into().unwrap();
    assert_eq!((read.source, text.body.as_str(), text.is_base64), (Source::Kinesis, EVENT, false));
    assert_eq!((text.message_id.as_str(), text.ordering_key.as_deref()), ("1", Some("p")));
    assert_eq!((binary.body, binary.is_base64), (bytes, true));
}

#[test]
fn records_of_kafka_are_ordered_by_key_or_partition() {
    for source in ["aws:kafka", "SelfManagedKafka"] {
        let record = |offset: i64, key: Value| {
            json!({
                "topic": "t", "partition": 0, "offset": offset, "timestamp": 1, "timestampType": "CREATE_TIME",
                "key": key, "value": base64(EVENT), "headers": [{"tenant": [97, 99, 109, 101]}, {"raw": [-1]}],
            })
        };
        let records =
            json!({"t-1": [record(7, Value::Null)], "t-0": [record(5, json!("aw==")), record(6, Value::Null)]});
        let read = incoming(&json!({"eventSource": source, "bootstrapServers": "b:9092", "records": records})).unwrap();
        assert_eq!(read.source, Source::Kafka);
        let ids: Vec<_> = read.deliveries.iter().map(|delivery| delivery.message_id.as_str()).collect();
        let keys: Vec<_> = read.deliveries.iter().filter_map(|delivery| delivery.ordering_key.as_deref()).collect();
        assert_eq!((ids, keys), (vec!["t-0@5", "t-0@6", "t-1@7"], vec!["t-0/aw==", "t-0/", "t-1/"]));
        let first = &read.deliveries[0];
        assert_eq!((first.body.as_str(), first.source.as_str()), (EVENT, "b:9092"));
        assert_eq!((first.headers["tenant"].as_str(), first.headers.get("raw")), ("acme", None));
    }
}

#[test]
fn a_message_of_rabbitmq_says_whether_it_came_before() {
    let message = |redelivered: bool| {
        json!({
            "basicProperties": {
                "contentType": "text/plain", "contentEncoding": null, "deliveryMode": 1, "priority": 0,
                "correlationId": null, "replyTo": null, "expiration": null, "messageId": null, "timestamp": null,
                "type": null, "userId": null, "appId": null, "clusterId": null, "bodySize": 1,
                "headers": {"tenant": {"bytes": [97, 99, 109, 101]}, "count": 3, "text": "plain"},
            },
            "redelivered": redelivered, "data": base64(EVENT),
        })
    };
    let payload = json!({
        "eventSource": "aws:rmq", "eventSourceArn": "arn:broker",
        "rmqMessagesByQueue": {"q::/": [message(false), message(true)]},
    });
    let read = incoming(&payload).unwrap();
    let [first, second] = read.deliveries.try_into().unwrap();
    assert_eq!(
        (read.source, first.message_id.as_str(), second.message_id.as_str()),
        (Source::RabbitMq, "q::/#0", "q::/#1")
    );
    assert_eq!((first.receive_count, second.receive_count), (1, 2));
    let headers: Vec<_> = first.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!((first.body.as_str(), headers), (EVENT, vec![("tenant", "acme"), ("text", "plain")]));
}

fn change(new_image: &Value) -> Value {
    json!({"Records": [{
        "eventID": "c-1", "eventName": "MODIFY", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/stock/stream/2026-01-01T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_225_600, "Keys": {"sk": {"N": "7"}, "pk": {"S": "a"}},
            "NewImage": new_image, "OldImage": {"n": {"N": "1"}}, "SequenceNumber": "42", "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }]})
}

#[test]
fn a_change_of_an_item_is_an_event_in_plain_json() {
    let read = incoming(&change(&json!({"n": {"N": "2"}, "tags": {"SS": ["x"]}}))).unwrap();
    let [delivery] = read.deliveries.try_into().unwrap();
    assert_eq!((read.source, delivery.message_id.as_str()), (Source::DynamoDb, "42"));
    assert_eq!(delivery.ordering_key.as_deref(), Some(r#"{"pk":"a","sk":7}"#));
    let event: Value = serde_json::from_str(&delivery.body).unwrap();
    let expected = json!({
        "specversion": "1.0", "id": "c-1", "source": "arn:aws:dynamodb:eu-west-1:1:table/stock",
        "type": "com.amazonaws.dynamodb.MODIFY", "time": "2026-01-01T00:00:00.000Z", "subject": "a/7",
        "data": {"keys": {"pk": "a", "sk": 7}, "new_image": {"n": 2, "tags": ["x"]}, "old_image": {"n": 1}},
    });
    assert_eq!(event, expected);
}

#[test]
fn a_record_of_the_ledger_is_the_events_of_its_commit() {
    let read = incoming(&change(&json!({"events": {"L": [{"S": EVENT}, {"S": "second"}]}}))).unwrap();
    let bodies: Vec<_> = read.deliveries.iter().map(|delivery| delivery.body.as_str()).collect();
    assert_eq!(bodies, [EVENT, "second"]);
    assert!(read.deliveries.iter().all(|delivery| delivery.message_id == "42"), "one record, one sequence number");
}

#[test]
fn an_event_alone_is_eventbridges_or_a_direct_invocation() {
    let routed = json!({"id": "1", "detail-type": "t", "source": "s", "time": "2026-01-01T00:00:00Z", "detail": {}});
    for (payload, source) in [
        (routed, Source::EventBridge),
        (serde_json::from_str(EVENT).unwrap(), Source::Direct),
        (json!({"Records": []}), Source::Direct),
        (json!({"Records": "none", "eventSource": 7}), Source::Direct),
        (json!(null), Source::Direct),
        (json!("text"), Source::Direct),
    ] {
        let read = incoming(&payload).unwrap();
        assert_eq!((read.source, read.deliveries.len()), (source, 1), "{payload}");
        assert_eq!(read.deliveries[0].body, payload.to_string());
    }
}

#[test]
fn what_is_not_what_it_says_is_refused_with_its_place_and_without_its_values() {
    for (payload, expected) in [
        (json!({"Records": [{"eventSource": "aws:s3"}]}), "the payload is from \"aws:s3\""),
        (json!({"Records": [{"eventSource": "aws:sqs", "messageId": 4111}]}), "see Records[0].messageId, line 1"),
        (json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q": [{}]}}), "see rmqMessagesByQueue.q[0]"),
    ] {
        let error = incoming(&payload).unwrap_err();
        assert_eq!(error.kind, "MalformedInvocation");
        assert!(error.message.contains(expected) && !error.message.contains("4111"), "{}", error.message);
    }
}

/// The error's text, with the kind that tells Lambda and the reader what it is.
fn refusal(payload: &Value) -> String {
    let error = incoming(payload).unwrap_err();
    assert_eq!(error.kind, "MalformedInvocation");
    error.message
}

#[test]
fn a_field_of_a_message_that_is_missing_or_no_number_is_named_and_never_quoted() {
    let good = || sqs("arn:aws:sqs:eu-west-1:1:q");
    for (path, value, what) in [
        ("/body", Value::Null, "body is missing"),
        ("/messageId", Value::Null, "messageId is missing"),
        ("/messageId", json!(""), "messageId is missing"),
        ("/attributes/ApproximateReceiveCount", json!("4111 times"), "attributes.ApproximateReceiveCount is no count"),
        ("/attributes/ApproximateReceiveCount", json!("-4111"), "attributes.ApproximateReceiveCount is no count"),
        ("/attributes/ApproximateFirstReceiveTimestamp", json!("4111-01-01"), "FirstReceiveTimestamp is no time"),
        ("/attributes/ApproximateFirstReceiveTimestamp", json!("4111000000000000000"), "Timestamp is no time"),
    ] {
        let mut bad = good();
        *bad.pointer_mut(path).unwrap() = value;
        let message = refusal(&json!({"Records": [good(), bad]}));
        assert!(message.contains("from aws:sqs, and is not: Records[1]."), "{message}");
        assert!(message.contains(what) && !message.contains("4111"), "{message}");
    }
    let by_hand = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": ""}]});
    let by_hand = incoming(&by_hand).unwrap().deliveries.remove(0);
    assert_eq!((by_hand.receive_count, by_hand.first_received_at, by_hand.body.as_str()), (1, None, ""));
}

#[test]
fn a_record_of_a_stream_without_its_number_is_named() {
    for (field, what) in [
        ("/dynamodb/SequenceNumber", "Records[0].dynamodb.SequenceNumber is missing"),
        ("/eventSourceARN", "Records[0].eventSourceARN is missing"),
    ] {
        for new_image in [json!({"n": {"N": "2"}}), json!({"events": {"L": [{"S": EVENT}]}})] {
            let mut payload = change(&new_image);
            *payload["Records"][0].pointer_mut(field).unwrap() = Value::Null;
            assert!(refusal(&payload).ends_with(what), "{}", refusal(&payload));
        }
    }
    let kinesis = json!({"data": base64(EVENT), "partitionKey": "p", "approximateArrivalTimestamp": 1.5});
    let payload = json!({"Records": [{"eventSource": "aws:kinesis", "kinesis": kinesis}]});
    assert!(refusal(&payload).ends_with("Records[0].kinesis.sequenceNumber is missing"));
}

#[test]
fn a_header_that_is_not_text_is_known_by_its_name() {
    let names = |payload: &Value| {
        let delivery = incoming(payload).unwrap().deliveries.remove(0);
        assert!(delivery.headers.is_empty());
        delivery.non_text_headers.into_iter().collect::<Vec<_>>()
    };
    let mut message = sqs("arn:aws:sqs:eu-west-1:1:q");
    let binary = json!({"binaryValue": "/w==", "dataType": "Binary", "stringListValues": [], "binaryListValues": []});
    message["messageAttributes"] = json!({"raw": binary});
    assert_eq!(names(&json!({"Records": [message]})), ["raw"]);
    let record = json!({
        "topic": "t", "partition": 0, "offset": 1, "timestamp": 1, "timestampType": "CREATE_TIME", "key": null,
        "value": base64(EVENT), "headers": [{"raw": [-1]}],
    });
    assert_eq!(names(&json!({"eventSource": "aws:kafka", "records": {"t-0": [record]}})), ["raw"]);
    let properties = json!({
        "contentEncoding": null, "deliveryMode": 1, "priority": 0, "correlationId": null, "replyTo": null,
        "messageId": null, "type": null, "appId": null, "clusterId": null, "bodySize": 1,
        "headers": {"raw": {"bytes": [-1]}, "count": 3},
    });
    let message = json!({"basicProperties": properties, "redelivered": false, "data": base64(EVENT)});
    assert_eq!(names(&json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": [message]}})), ["count", "raw"]);
}
