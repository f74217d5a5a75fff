use serde_json::{Value, json};

use super::*;

const ENVELOPE: &str =
    r#"{"specversion":"1.0","id":"e1","source":"s","type":"t.v1","time":"2026-01-01T00:00:00Z","data":1}"#;

/// What the relay makes of one record with this image.
fn read(image: &Value) -> StreamRecord {
    let mut records = records(&batch(&json!({"SequenceNumber": "7", "NewImage": image})).to_string()).unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn batch(change: &Value) -> Value {
    let mut change = change.clone();
    change["ApproximateCreationDateTime"] = json!(1_767_225_600);
    change["Keys"] = json!({"pk": {"S": "f#1"}});
    change["SizeBytes"] = json!(1);
    change["StreamViewType"] = json!("NEW_IMAGE");
    json!({"Records": [{
        "eventID": "1", "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1", "eventSourceARN": "arn:stream", "dynamodb": change,
    }]})
}

/// Id of the event, or body of what is none.
fn found(record: &StreamRecord) -> Vec<Result<&str, &str>> {
    record
        .events
        .iter()
        .map(|entry| entry.as_ref().map(|event| event.id.as_str()).map_err(|unreadable| unreadable.body.as_str()))
        .collect()
}

#[test]
fn each_event_of_a_record_is_read_by_itself() {
    let events = json!([{"S": ENVELOPE}, {"S": "{"}, {"B": "/w=="}, {"S": ENVELOPE}]);
    let record = read(&json!({"outbox": {"S": "pending"}, "events": {"L": events}}));
    assert_eq!((record.sequence_number.as_str(), record.source.as_str()), ("7", "arn:stream"));
    assert_eq!(found(&record), [Ok("e1"), Err("{"), Err("\"/w==\""), Ok("e1")]);
}

#[test]
fn a_record_whose_events_are_no_list_is_kept_whole() {
    for events in [json!({"S": ENVELOPE}), json!({"M": {}}), json!({"SS": ["a"]})] {
        let record = read(&json!({"pk": {"S": "f#1"}, "events": events}));
        let [Err(unreadable)] = &record.events[..] else { panic!("{:?}", record.events) };
        assert!(unreadable.body.contains(r#""pk":"f#1""#) && unreadable.error.contains("`events`"), "{unreadable:?}");
    }
    let record = read(&json!({"outbox": {"S": "pending"}}));
    assert_eq!(found(&record), [Err(r#"{"outbox":"pending"}"#)]);
}

#[test]
fn a_record_without_an_outbox_has_nothing_to_publish() {
    assert!(read(&json!({"pk": {"S": "f#1"}, "status": {"S": "in_progress"}})).events.is_empty());
}

#[test]
fn a_record_that_the_stream_could_not_be_told_of_fails_the_batch() {
    let error = records(&batch(&json!({"NewImage": {}})).to_string()).unwrap_err();
    assert!(error.message.contains("place 0") && error.message.contains("SequenceNumber"), "{error}");
}
