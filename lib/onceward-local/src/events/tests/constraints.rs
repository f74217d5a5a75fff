//! What the API's reference says of each parameter's length and characters.

use serde_json::{Value, json};

use super::{call, cloud, refused};

const RULE_ARN: &str = "arn:aws:events:eu-west-1:000000000000:rule/r";
const BUS_ARN: &str = "arn:aws:events:eu-west-1:000000000000:event-bus/default";

#[tokio::test]
async fn what_cannot_be_a_name_is_a_validation_error_not_a_missing_resource() {
    let (events, _) = cloud(&[]);
    call(&events, "PutRule", json!({"Name": "r", "EventPattern": r#"{"source": ["s"]}"#})).await.unwrap();
    for (action, request, at) in [
        ("DescribeRule", json!({"Name": ""}), "name"),
        ("DescribeRule", json!({"Name": "r".repeat(65)}), "name"),
        ("DeleteRule", json!({"Name": "a b"}), "name"),
        ("EnableRule", json!({"Name": "r", "EventBusName": ""}), "eventBusName"),
        ("ListRules", json!({"EventBusName": "a b"}), "eventBusName"),
        ("ListRules", json!({"NamePrefix": ""}), "namePrefix"),
        ("ListTargetsByRule", json!({"Rule": "a/b"}), "rule"),
        ("RemoveTargets", json!({"Rule": "r", "Ids": ["a", "a b"]}), "ids.2.member"),
        ("DescribeEventBus", json!({"Name": "a b"}), "name"),
        ("DeleteEventBus", json!({"Name": "b".repeat(257)}), "name"),
        ("UpdateEventBus", json!({"Name": "default", "Description": "d".repeat(513)}), "description"),
        ("PutPermission", permission("Action", "sqs:SendMessage"), "action"),
        ("PutPermission", permission("Principal", "somebody"), "principal"),
        ("PutPermission", permission("StatementId", "a b"), "statementId"),
        ("CreateArchive", json!({"ArchiveName": "a", "EventSourceArn": "default"}), "eventSourceArn"),
        ("DescribeArchive", json!({"ArchiveName": "a".repeat(49)}), "archiveName"),
        ("DescribeReplay", json!({"ReplayName": "a b"}), "replayName"),
        ("ListTagsForResource", json!({"ResourceARN": ""}), "resourceARN"),
        ("TagResource", tags("k".repeat(129), "v"), "tags.1.member.key"),
        ("TagResource", tags("k", "v".repeat(257)), "tags.1.member.value"),
        ("UntagResource", json!({"ResourceARN": RULE_ARN, "TagKeys": [""]}), "tagKeys.1.member"),
        ("PutRule", json!({"Name": "r", "ScheduleExpression": "rate(1 hour)", "RoleArn": ""}), "roleArn"),
        ("PutEvents", json!({"Entries": [{"EventBusName": "a b"}]}), "entries.1.member.eventBusName"),
    ] {
        let (code, message) = refused(&events, action, request).await;
        assert_eq!(code, "ValidationException", "{action}: {message}");
        assert!(message.contains(&format!("at '{at}' failed to satisfy constraint")), "{action}: {message}");
    }
}

#[tokio::test]
async fn values_at_the_limits_are_taken() {
    let (events, _) = cloud(&[]);
    let long = json!({"Name": "r", "EventPattern": r#"{"source": ["s"]}"#, "Description": "é".repeat(512)});
    call(&events, "PutRule", long).await.unwrap();
    for (action, request) in [
        ("DescribeRule", json!({"Name": "r", "EventBusName": BUS_ARN})),
        ("ListRules", json!({"NamePrefix": "r".repeat(64)})),
        ("DescribeEventBus", json!({"Name": BUS_ARN})),
        ("TagResource", tags("k".repeat(128), "v".repeat(256))),
        ("PutPermission", permission("Principal", "*")),
        ("PutPermission", permission("StatementId", &"s".repeat(64))),
    ] {
        let answer = call(&events, action, request).await;
        assert!(answer.is_ok(), "{action}: {answer:?}");
    }
}

#[tokio::test]
async fn a_detail_type_has_128_characters_at_most() {
    let (events, _) = cloud(&[]);
    let entry = |chars: usize| json!({"Source": "s", "DetailType": "é".repeat(chars), "Detail": "{}"});
    let answer = call(&events, "PutEvents", json!({"Entries": [entry(128), entry(129)]})).await.unwrap();
    assert_eq!(answer["FailedEntryCount"], 1);
    assert_eq!(answer["Entries"][1]["ErrorCode"], "InvalidArgument");
}

fn permission(member: &str, value: &str) -> Value {
    let mut request = json!({"Action": "events:PutEvents", "Principal": "111122223333", "StatementId": "s"});
    request[member] = json!(value);
    request
}

fn tags(key: impl Into<String>, value: impl Into<String>) -> Value {
    json!({"ResourceARN": RULE_ARN, "Tags": [{"Key": key.into(), "Value": value.into()}]})
}
