use super::super::tests::service::sqs;
use crate::sqs::Sqs;
use crate::wire::{AwsRequest, AwsResponse, Protocol};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const INVALID_VALUE: &str = "com.amazon.coral.service#InvalidParameterValueException";
const URL: &str = "http://localhost:4566/000000000000/q";

async fn call(sqs: &Sqs, protocol: Protocol, action: &str, body: String) -> AwsResponse {
    let request = AwsRequest { protocol, action: action.to_owned(), path: "/".to_owned(), body: Bytes::from(body) };
    sqs.handle(request).await
}

async fn json(sqs: &Sqs, action: &str, body: Value) -> (u16, Value) {
    let protocol = Protocol::Json { content_type: "application/x-amz-json-1.0" };
    let response = call(sqs, protocol, action, body.to_string()).await;
    (response.status, serde_json::from_slice(&response.body).unwrap())
}

async fn query(sqs: &Sqs, action: &str, parameters: &str) -> (u16, String) {
    let response = call(sqs, Protocol::Query, action, format!("Action={action}&{parameters}")).await;
    assert_eq!(response.content_type, "text/xml");
    (response.status, String::from_utf8(response.body.to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_missing_queue_has_its_name_in_both_protocols() {
    let sqs = sqs();
    let protocol = Protocol::Json { content_type: "application/x-amz-json-1.0" };
    let response = call(&sqs, protocol, "GetQueueUrl", json!({ "QueueName": "q" }).to_string()).await;
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((response.status, body["__type"].as_str()), (400, Some("com.amazonaws.sqs#QueueDoesNotExist")));
    let header = ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned());
    assert!(response.headers.contains(&header));
    let (status, xml) = query(&sqs, "GetQueueUrl", "QueueName=q").await;
    assert_eq!(status, 400);
    assert!(xml.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), "{xml}");
}

#[tokio::test(start_paused = true)]
async fn a_message_crosses_protocols_with_its_attributes() {
    let sqs = sqs();
    let (_, xml) = query(&sqs, "CreateQueue", "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=0").await;
    assert!(xml.contains(&format!("<CreateQueueResult><QueueUrl>{URL}</QueueUrl></CreateQueueResult>")), "{xml}");
    let send = "MessageBody=a%3Cb%26c%0D&MessageAttribute.1.Name=Hello&MessageAttribute.1.Value.DataType=String\
                &MessageAttribute.1.Value.StringValue=There&MessageSystemAttribute.1.Name=AWSTraceHeader\
                &MessageSystemAttribute.1.Value.DataType=String&MessageSystemAttribute.1.Value.StringValue=Root%3D1";
    let (_, xml) = query(&sqs, "SendMessage", &format!("QueueUrl={URL}&{send}")).await;
    assert!(xml.contains("<MD5OfMessageAttributes>a311262e065454b75da111d535b8dacd</MD5OfMessageAttributes>"), "{xml}");
    let ask = json!({ "QueueUrl": URL, "AttributeNames": ["AWSTraceHeader"], "MessageAttributeNames": ["He.*"],
                      "VisibilityTimeout": 0 });
    let (_, answer) = json(&sqs, "ReceiveMessage", ask).await;
    let message = &answer["Messages"][0];
    assert_eq!(message["Body"], "a<b&c\r");
    assert_eq!(message["Attributes"], json!({ "AWSTraceHeader": "Root=1" }));
    assert_eq!(message["MessageAttributes"]["Hello"], json!({ "DataType": "String", "StringValue": "There" }));
    let ask = format!("QueueUrl={URL}&AttributeName.1=ApproximateReceiveCount&MessageAttributeName.1=All");
    let (_, xml) = query(&sqs, "ReceiveMessage", &ask).await;
    for part in [
        "<Message><",
        "<Body>a&lt;b&amp;c&#13;</Body>",
        "<Attribute><Name>ApproximateReceiveCount</Name><Value>2</Value></Attribute>",
        "<MessageAttribute><Name>Hello</Name><Value><DataType>String</DataType><StringValue>There</StringValue></Value>",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
}

#[tokio::test(start_paused = true)]
async fn entries_of_a_batch_fail_for_themselves_and_bad_batches_as_a_whole() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    let entries = json!([{ "Id": "a", "MessageBody": "x" }, { "Id": "b", "MessageBody": "\u{1}" }, { "Id": "c" }]);
    let (_, answer) = json(&sqs, "SendMessageBatch", json!({ "QueueUrl": URL, "Entries": entries })).await;
    assert_eq!(answer["Successful"][0]["Id"], "a");
    assert_eq!(
        (&answer["Failed"][0]["Code"], &answer["Failed"][0]["SenderFault"]),
        (&json!("InvalidMessageContents"), &json!(true))
    );
    assert_eq!(answer["Failed"][1]["Code"], "MissingParameter");
    let long = "x".repeat(600_000);
    for (entries, error) in [
        (json!([]), "EmptyBatchRequest"),
        (json!([{ "Id": "a", "MessageBody": "x" }, { "Id": "a", "MessageBody": "x" }]), "BatchEntryIdsNotDistinct"),
        (json!([{ "Id": "a b", "MessageBody": "x" }]), "InvalidBatchEntryId"),
        (json!([{ "Id": "a", "MessageBody": long }, { "Id": "b", "MessageBody": long }]), "BatchRequestTooLong"),
        (json!(vec![json!({ "Id": "a", "MessageBody": "x" }); 11]), "TooManyEntriesInBatchRequest"),
    ] {
        let (status, answer) = json(&sqs, "SendMessageBatch", json!({ "QueueUrl": URL, "Entries": entries })).await;
        assert_eq!((status, &answer["__type"]), (400, &json!(format!("com.amazonaws.sqs#{error}"))));
    }
    let batch = format!(
        "QueueUrl={URL}&DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle=z"
    );
    let (_, xml) = query(&sqs, "DeleteMessageBatch", &batch).await;
    assert!(xml.contains("<BatchResultErrorEntry><Code>ReceiptHandleIsInvalid</Code><Id>a</Id>"), "{xml}");
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_and_unknown_actions_are_named() {
    let sqs = sqs();
    for name in ["a1", "a2", "a3", "b"] {
        json(&sqs, "CreateQueue", json!({ "QueueName": name })).await;
    }
    let (_, first) = json(&sqs, "ListQueues", json!({ "QueueNamePrefix": "a", "MaxResults": 2 })).await;
    assert_eq!(first["QueueUrls"].as_array().unwrap().len(), 2);
    let next = json!({ "QueueNamePrefix": "a", "MaxResults": 2, "NextToken": first["NextToken"] });
    let (_, second) = json(&sqs, "ListQueues", next).await;
    assert_eq!(second, json!({ "QueueUrls": [sqs.url("a3")] }));
    let (status, answer) = json(&sqs, "ReplayMessages", json!({})).await;
    assert_eq!(status, 400);
    assert_eq!(answer["message"], "SQS ReplayMessages is not supported by the local cloud.");
    let (_, answer) = json(&sqs, "SendMessage", json!({ "MessageBody": "x" })).await;
    assert_eq!(answer["message"], "The request must contain the parameter QueueUrl.");
}

#[tokio::test(start_paused = true)]
async fn a_result_without_content_is_still_an_element_and_no_result_is_none() {
    let sqs = sqs();
    let (_, xml) = query(&sqs, "ListQueues", "").await;
    assert!(xml.contains("<ListQueuesResult></ListQueuesResult>"), "{xml}");
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    let (_, xml) = query(&sqs, "ReceiveMessage", &format!("QueueUrl={URL}")).await;
    assert!(xml.contains("<ReceiveMessageResult></ReceiveMessageResult>"), "{xml}");
    let (_, xml) = query(&sqs, "PurgeQueue", &format!("QueueUrl={URL}")).await;
    assert!(!xml.contains("PurgeQueueResult"), "{xml}");
    assert_eq!(json(&sqs, "DeleteQueue", json!({ "QueueUrl": URL })).await, (200, json!({})));
}

#[tokio::test(start_paused = true)]
async fn tags_have_keys_of_1_to_128_characters_and_values_of_at_most_256() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    let longest = json!({ "k".repeat(128): "v".repeat(256), "é": "" });
    assert_eq!(json(&sqs, "TagQueue", json!({ "QueueUrl": URL, "Tags": longest })).await.0, 200);
    for tags in [
        json!({ "": "v" }),
        json!({ "k".repeat(129): "v" }),
        json!({ "k": "v".repeat(257) }),
        json!({ "aws:team": "v" }),
        json!((0..49).map(|n| (n.to_string(), "v".to_owned())).collect::<BTreeMap<_, _>>()),
    ] {
        let (status, answer) = json(&sqs, "TagQueue", json!({ "QueueUrl": URL, "Tags": tags })).await;
        assert_eq!((status, &answer["__type"]), (400, &json!(INVALID_VALUE)), "{tags}");
    }
    let (_, told) = json(&sqs, "ListQueueTags", json!({ "QueueUrl": URL })).await;
    assert_eq!(told["Tags"], longest);
    let tagged = json!({ "QueueName": "r", "tags": { "": "v" } });
    assert_eq!(json(&sqs, "CreateQueue", tagged).await.1["__type"], INVALID_VALUE);
    assert_eq!(json(&sqs, "GetQueueUrl", json!({ "QueueName": "r" })).await.0, 400, "a queue without its tags is none");
    for (action, parameter, empty) in [("TagQueue", "Tags", json!({})), ("UntagQueue", "TagKeys", json!([]))] {
        let (_, answer) = json(&sqs, action, json!({ "QueueUrl": URL, parameter: empty })).await;
        assert_eq!(answer["__type"], "com.amazon.coral.service#MissingRequiredParameterException", "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_message_is_asked_for_must_be_an_attribute() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    for (parameter, name, status) in [
        ("AttributeNames", "SentTimestamp", 200),
        ("AttributeNames", "VisibilityTimeout", 200),
        ("AttributeNames", "Colour", 400),
        ("MessageSystemAttributeNames", "DeadLetterQueueSourceArn", 200),
        ("MessageSystemAttributeNames", "sentTimestamp", 400),
    ] {
        let (answered, answer) = json(&sqs, "ReceiveMessage", json!({ "QueueUrl": URL, parameter: [name] })).await;
        assert_eq!(answered, status, "{name}");
        assert!(status == 200 || answer["__type"] == "com.amazonaws.sqs#InvalidAttributeName", "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_trace_header_is_a_string() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    for (data_type, status) in [("String", 200), ("Number", 400), ("String.header", 400)] {
        let header = json!({ "AWSTraceHeader": { "DataType": data_type, "StringValue": "1" } });
        let message = json!({ "QueueUrl": URL, "MessageBody": "x", "MessageSystemAttributes": header });
        assert_eq!(json(&sqs, "SendMessage", message).await.0, status, "{data_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_url_names_a_queue_of_its_account() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    for (url, status) in [
        ("https://sqs.eu-west-1.amazonaws.com/000000000000/q", 200),
        ("http://localhost:4566/q", 200),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/q", 400),
    ] {
        let (answered, answer) = json(&sqs, "SendMessage", json!({ "QueueUrl": url, "MessageBody": "x" })).await;
        assert_eq!(answered, status, "{url}");
        assert!(status == 200 || answer["__type"] == "com.amazonaws.sqs#QueueDoesNotExist", "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_queue_allows_arns_of_queues() {
    let sqs = sqs();
    let queue = |name: &str, source: &str| {
        let policy = json!({ "redrivePermission": "byQueue", "sourceQueueArns": [source] }).to_string();
        json!({ "QueueName": name, "Attributes": { "RedriveAllowPolicy": policy } })
    };
    assert_eq!(json(&sqs, "CreateQueue", queue("one", &sqs.arn("q"))).await.0, 200);
    let (status, answer) = json(&sqs, "CreateQueue", queue("other", "q")).await;
    assert_eq!((status, &answer["__type"]), (400, &json!(INVALID_VALUE)));
}

#[tokio::test(start_paused = true)]
async fn permissions_are_statements_of_the_policy() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    let add = format!(
        "QueueUrl={URL}&Label=others&AWSAccountId.1=111122223333&ActionName.1=SendMessage&ActionName.2=ReceiveMessage"
    );
    assert_eq!(query(&sqs, "AddPermission", &add).await.0, 200);
    let (_, told) = json(&sqs, "GetQueueAttributes", json!({ "QueueUrl": URL, "AttributeNames": ["Policy"] })).await;
    let policy: Value = serde_json::from_str(told["Attributes"]["Policy"].as_str().unwrap()).unwrap();
    let statement = json!([{
        "Sid": "others", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
        "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"], "Resource": sqs.arn("q"),
    }]);
    assert_eq!(policy["Statement"], statement);
    let permission = |label: &str, actions: Value| json!({ "QueueUrl": URL, "Label": label, "AWSAccountIds": ["111122223333"], "Actions": actions });
    for (request, error) in [
        (permission("others", json!(["SendMessage"])), "com.amazon.coral.service#InvalidParameterValueException"),
        (permission("a b", json!(["SendMessage"])), "com.amazon.coral.service#InvalidParameterValueException"),
        (permission("a", json!(["DeleteQueue"])), "com.amazon.coral.service#InvalidParameterValueException"),
        (permission("a", json!(vec!["SendMessage"; 8])), "com.amazonaws.sqs#OverLimit"),
        (permission("a", json!([])), "com.amazon.coral.service#MissingRequiredParameterException"),
    ] {
        let (status, answer) = json(&sqs, "AddPermission", request).await;
        assert_eq!((status, &answer["__type"]), (400, &json!(error)));
    }
    let remove = json!({ "QueueUrl": URL, "Label": "others" });
    assert_eq!(json(&sqs, "RemovePermission", remove.clone()).await, (200, json!({})));
    assert_eq!(json(&sqs, "RemovePermission", remove).await.0, 400);
    let (_, told) = json(&sqs, "GetQueueAttributes", json!({ "QueueUrl": URL, "AttributeNames": ["Policy"] })).await;
    assert_eq!(told, json!({}), "without statements there is no policy");
}

#[tokio::test(start_paused = true)]
async fn move_tasks_are_told_in_both_protocols() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "dlq" })).await;
    let policy = json!({ "deadLetterTargetArn": sqs.arn("dlq"), "maxReceiveCount": 1 }).to_string();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q", "Attributes": { "RedrivePolicy": policy } })).await;
    sqs.send("dlq", crate::sqs::Outgoing { body: "x".to_owned(), ..Default::default() }).unwrap();
    let start =
        json!({ "SourceArn": sqs.arn("dlq"), "DestinationArn": sqs.arn("q"), "MaxNumberOfMessagesPerSecond": 1 });
    let (_, started) = json(&sqs, "StartMessageMoveTask", start).await;
    let (_, xml) = query(&sqs, "ListMessageMoveTasks", &format!("SourceArn={}&MaxResults=10", sqs.arn("dlq"))).await;
    for part in [
        "<ListMessageMoveTasksResult><ListMessageMoveTasksResultEntry>",
        "<Status>RUNNING</Status>",
        &format!("<TaskHandle>{}</TaskHandle>", started["TaskHandle"].as_str().unwrap()),
        "<ApproximateNumberOfMessagesToMove>1</ApproximateNumberOfMessagesToMove>",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
    let (_, cancelled) = json(&sqs, "CancelMessageMoveTask", json!({ "TaskHandle": started["TaskHandle"] })).await;
    assert_eq!(cancelled, json!({ "ApproximateNumberOfMessagesMoved": 0 }));
    let gone = format!("SourceArn={}", sqs.arn("gone"));
    let (status, xml) = query(&sqs, "StartMessageMoveTask", &gone).await;
    assert_eq!(status, 404);
    assert!(xml.contains("<Code>ResourceNotFoundException</Code>"), "{xml}");
}

#[tokio::test(start_paused = true)]
async fn a_receive_attempt_is_for_fifo_queues_and_other_accounts_have_no_queues() {
    let sqs = sqs();
    json(&sqs, "CreateQueue", json!({ "QueueName": "q" })).await;
    let (status, answer) =
        json(&sqs, "ReceiveMessage", json!({ "QueueUrl": URL, "ReceiveRequestAttemptId": "a" })).await;
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "com.amazon.coral.service#InvalidParameterValueException");
    let (_, answer) =
        json(&sqs, "GetQueueUrl", json!({ "QueueName": "q", "QueueOwnerAWSAccountId": "111122223333" })).await;
    assert_eq!(answer["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
    let own = json!({ "QueueName": "q", "QueueOwnerAWSAccountId": "000000000000" });
    assert_eq!(json(&sqs, "GetQueueUrl", own).await.1["QueueUrl"], URL);
}
