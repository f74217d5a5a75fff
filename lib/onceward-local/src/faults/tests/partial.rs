//! Batches of which a part fails, in the shape that each operation documents.

use serde_json::json;

use super::services::{Answered, Bench};

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e&f"];

/// Some of the five were done and some not, and no other.
fn split(done: &[&str], failed: &[&str], answered: &Answered) {
    let mut all = [done, failed].concat();
    all.sort_unstable();
    assert_eq!(all, KEYS.map(|key| key.replace('&', "&amp;")), "{}", answered.text);
    assert!(!done.is_empty() && !failed.is_empty(), "{}", answered.text);
}

fn parameters<'a>(names: &'a [(String, &'a str)]) -> Vec<(&'a str, &'a str)> {
    names.iter().map(|(name, value)| (name.as_str(), *value)).collect()
}

/// Ids and keys of the entries that failed, and of the others.
fn entries<'a>(answered: &'a Answered, element: &str, id: &str) -> Vec<&'a str> {
    let entries = answered.elements(element);
    entries.into_iter().filter_map(|entry| entry.split(&format!("<{id}>")).nth(1)?.split('<').next()).collect()
}

#[tokio::test]
async fn sqs_by_the_query_protocol() {
    let bench = Bench::new();
    bench.services.sqs.create_queue("q", &[].into()).unwrap();
    bench.inject(&["sqs:partial"]);
    let send = async |ids: &[&'static str]| {
        let prefix = "SendMessageBatchRequestEntry";
        let mut names = vec![("QueueUrl".to_owned(), "http://127.0.0.1:4566/000000000000/q")];
        for (index, id) in (1..).zip(ids) {
            names.push((format!("{prefix}.{index}.Id"), *id));
            names.push((format!("{prefix}.{index}.MessageBody"), *id));
        }
        bench.query("sqs", "SendMessageBatch", &parameters(&names)).await
    };
    let ids = ["a", "b", "c", "d"];
    let answered = send(&ids).await;
    let done = entries(&answered, "SendMessageBatchResultEntry", "Id");
    let failed = entries(&answered, "BatchResultErrorEntry", "Id");
    assert!(!done.is_empty() && !failed.is_empty() && done.len() + failed.len() == ids.len(), "{}", answered.text);
    assert!(failed.iter().all(|id| ids.contains(id) && !done.contains(id)), "{}", answered.text);
    assert_eq!(answered.elements("SenderFault"), vec!["false"; failed.len()]);
    assert_eq!(bench.services.sqs.depth("q").unwrap().visible, done.len());
    let alone = send(&["a"]).await;
    assert_eq!((alone.status, entries(&alone, "BatchResultErrorEntry", "Id")), (200, vec!["a"]), "{}", alone.text);
    assert_eq!(
        alone.elements("SendMessageBatchResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"").len(),
        1
    );
    assert_eq!(send(&[]).await.code(), "AWS.SimpleQueueService.EmptyBatchRequest", "SQS says it better itself");
}

#[tokio::test]
async fn sns() {
    let bench = Bench::new();
    let topic_arn = bench.services.sns.create_topic("news").unwrap();
    bench.services.sqs.create_queue("q", &[].into()).unwrap();
    bench.services.sns.subscribe(&topic_arn, &bench.services.sqs.arn("q"), true).unwrap();
    bench.inject(&["sns.PublishBatch:partial"]);
    let mut names = vec![("TopicArn".to_owned(), topic_arn.as_str())];
    for (index, id) in (1..).zip(["a", "b", "c"]) {
        names.push((format!("PublishBatchRequestEntries.member.{index}.Id"), id));
        names.push((format!("PublishBatchRequestEntries.member.{index}.Message"), id));
    }
    let answered = bench.query("sns", "PublishBatch", &parameters(&names)).await;
    let members = |list: &str| answered.elements(list)[0].matches("<member>").count();
    assert!(members("Successful") > 0 && members("Failed") > 0, "{}", answered.text);
    assert_eq!(members("Successful") + members("Failed"), 3);
    assert!(answered.elements("Failed")[0].contains("<Code>InternalError</Code>"));
    assert_eq!(bench.services.sqs.depth("q").unwrap().visible, members("Successful"));
    let alone = bench.query("sns", "PublishBatch", &parameters(&names[..3])).await;
    assert_eq!((alone.status, alone.elements("Successful")[0]), (200, ""), "{}", alone.text);
    assert_eq!(alone.elements("Failed")[0].matches("<member><Id>a</Id>").count(), 1);
}

#[tokio::test]
async fn s3_although_the_sender_said_what_the_body_sums_up_to() {
    let bench = Bench::new();
    bench.services.s3.create_bucket("claims").unwrap();
    bench.inject(&["s3:partial"]);
    for key in ["a", "b", "c", "d", "e%26f"] {
        assert_eq!(bench.send(&format!("PUT /claims/{key}"), &[], "text").await.status, 200);
    }
    let object = |key: &str| format!("<Object><Key>{}</Key></Object>", key.replace('&', "&amp;"));
    let body = format!("<Delete>{}</Delete>", KEYS.map(object).concat());
    let sum = crate::s3::md5_base64(body.as_bytes());
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, Signature=0";
    let headers = [("authorization", authorization), ("content-md5", &*sum)];
    let answered = bench.send("POST /claims?delete", &headers, &body).await;
    let (done, failed) = (entries(&answered, "Deleted", "Key"), entries(&answered, "Error", "Key"));
    split(&done, &failed, &answered);
    for key in KEYS {
        let there = failed.contains(&key.replace('&', "&amp;").as_str());
        assert_eq!(bench.services.s3.content("claims", key).is_ok(), there, "{key}");
    }
    assert_eq!(answered.elements("Code"), vec!["InternalError"; failed.len()]);
}

#[tokio::test]
async fn targets_of_a_rule() {
    let bench = Bench::new();
    let rule = json!({"Name": "r", "EventPattern": r#"{"source":["s"]}"#});
    assert_eq!(bench.json("AWSEvents.PutRule", &rule).await.status, 200);
    bench.inject(&["events:partial"]);
    let arn = "arn:aws:sqs:us-east-1:000000000000:q";
    let targets: Vec<_> = ["a", "b", "c"].iter().map(|id| json!({"Id": id, "Arn": arn})).collect();
    let put = bench.json("AWSEvents.PutTargets", &json!({"Rule": "r", "Targets": targets})).await.json();
    let failed = put["FailedEntries"].as_array().unwrap();
    assert_eq!(put["FailedEntryCount"], failed.len());
    assert!((1..3).contains(&failed.len()) && failed[0]["ErrorCode"] == "ConcurrentModificationException", "{put}");
    let listed = bench.json("AWSEvents.ListTargetsByRule", &json!({"Rule": "r"})).await.json();
    let listed: Vec<_> = listed["Targets"].as_array().unwrap().iter().map(|target| &target["Id"]).collect();
    assert_eq!(listed.len() + failed.len(), 3);
    assert!(failed.iter().all(|entry| !listed.contains(&&entry["TargetId"])), "{put}");
    let removed = bench.json("AWSEvents.RemoveTargets", &json!({"Rule": "r", "Ids": [listed[0]]})).await.json();
    assert_eq!((&removed["FailedEntryCount"], &removed["FailedEntries"][0]["TargetId"]), (&json!(1), listed[0]));
}

#[tokio::test]
async fn statements() {
    let bench = Bench::new();
    let table = json!({
        "TableName": "things",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    bench.services.dynamodb.execute("CreateTable", table.to_string().as_bytes()).unwrap();
    bench.inject(&["dynamodb:partial"]);
    let statement = |key: &str| json!({"Statement": format!("INSERT INTO \"things\" VALUE {{'pk': '{key}'}}")});
    let statements = KEYS.map(statement);
    let target = "DynamoDB_20120810.BatchExecuteStatement";
    let answered = bench.json(target, &json!({"Statements": statements})).await.json();
    let responses = answered["Responses"].as_array().unwrap();
    let failed: Vec<_> = responses.iter().map(|response| response["Error"]["Code"] == "InternalServerError").collect();
    assert!(failed.len() == KEYS.len() && failed.contains(&true) && failed.contains(&false), "{answered}");
    let scanned = bench.services.dynamodb.execute("Scan", br#"{"TableName": "things"}"#).unwrap();
    let scanned = String::from_utf8(scanned).unwrap();
    for (key, failed) in KEYS.iter().zip(failed) {
        assert_eq!(scanned.contains(&format!("\"{key}\"")), !failed, "{key}");
    }
}
