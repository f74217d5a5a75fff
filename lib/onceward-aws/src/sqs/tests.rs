//! What becomes of SQS's refusals, throttling and partial answers: the SDK's client against a scripted server.

use std::time::Duration;

use aws_sdk_sqs::Client;
use chrono::DateTime;
use onceward::{DeadLetter, DeadLetterQueue as _, Postponement, Reason, ReceiveLimit as _, Visibility as _};
use serde_json::{Value, json};

use super::*;
use crate::{
    clients::CALL_TRIES_MAX,
    scripted::{Answer, Scripted, chain},
};

const VISIBILITY: &str = "ChangeMessageVisibilityBatch";
const ATTRIBUTES: &str = "GetQueueAttributes";
const URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders";
const DEAD_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dead";

async fn start() -> (Scripted, SqsQueues) {
    let server = Scripted::start().await;
    let queues = SqsQueues::new(Client::new(&server.config().await), URL, DEAD_URL);
    (server, queues)
}

fn letter() -> DeadLetter {
    DeadLetter {
        body: "{}".to_owned(),
        is_base64: false,
        group: None,
        message_id: "m1".to_owned(),
        reason: Reason::Terminal,
        error: "no".to_owned(),
        function: "place-order".to_owned(),
        source: "arn:aws:sqs:eu-central-1:123456789012:orders".to_owned(),
        attempts: 1,
        first_failed_at: DateTime::UNIX_EPOCH,
        last_failed_at: DateTime::UNIX_EPOCH,
        event: None,
    }
}

fn postponements(count: usize) -> Vec<Postponement> {
    let one = |index| Postponement { receipt_handle: format!("r{index}"), delay: Duration::from_millis(1_001) };
    (0..count).map(one).collect()
}

/// An answer to a batch: the entries with these ids failed, with their codes and whether it was our fault.
fn failed(failures: &[(usize, &str, bool)]) -> Answer {
    let failures: Vec<_> = failures
        .iter()
        .map(|(id, code, ours)| json!({"Id": id.to_string(), "Code": code, "Message": "why", "SenderFault": ours}))
        .collect();
    Answer::ok(json!({"Successful": [], "Failed": failures}))
}

/// The receipt handles of each call.
fn handles(server: &Scripted) -> Vec<Vec<String>> {
    let handle = |entry: &Value| entry["ReceiptHandle"].as_str().unwrap_or_default().to_owned();
    let requests = server.requests(VISIBILITY);
    requests.iter().map(|request| request["Entries"].as_array().unwrap().iter().map(handle).collect()).collect()
}

#[tokio::test]
async fn entries_that_failed_inside_sqs_are_tried_once_more_and_the_senders_are_not() {
    let (server, queues) = start().await;
    let first = [(0, "InternalError", false), (1, "ReceiptHandleIsInvalid", true), (2, "ServiceUnavailable", false)];
    server.answer(VISIBILITY, [failed(&first), failed(&[(2, "InternalError", false)])]);
    let error = queues.postpone(&postponements(4)).await.unwrap_err();
    assert_eq!(handles(&server), [vec!["r0", "r1", "r2", "r3"], vec!["r0", "r2"]]);
    assert_eq!(
        chain(&error),
        "the visibility of 2 of 4 failed messages could not be changed: ReceiptHandleIsInvalid: why"
    );
    assert_eq!(server.requests(VISIBILITY)[0]["Entries"][0]["VisibilityTimeout"], 2, "rounded up");
}

#[tokio::test]
async fn an_entry_that_succeeds_the_second_time_is_no_error() {
    let (server, queues) = start().await;
    server.answer(VISIBILITY, [failed(&[(9, "InternalError", false)]), failed(&[])]);
    queues.postpone(&postponements(10)).await.expect("postponed");
    assert_eq!(handles(&server)[1], ["r9"]);
}

#[tokio::test]
async fn more_than_ten_are_postponed_in_several_calls_and_one_that_fails_leaves_the_others() {
    let (server, queues) = start().await;
    server.answer(VISIBILITY, [failed(&[]), Answer::error(403, "AccessDenied", "No."), failed(&[])]);
    let error = queues.postpone(&postponements(25)).await.unwrap_err();
    assert_eq!(handles(&server).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!((error.failed, error.total), (10, 25));
    assert_eq!(
        chain(&error),
        format!(
            "the visibility of 10 of 25 failed messages could not be changed: sqs:ChangeMessageVisibility on the queue \
             {URL} is not allowed: allow it in the function's role: AccessDenied: No. (request REQUEST-1)"
        )
    );
}

#[tokio::test]
async fn a_throttled_dead_letter_is_sent_again_and_in_the_end_stays_in_its_queue() {
    let (server, queues) = start().await;
    let throttled = || Answer::error(400, "RequestThrottled", "Rate exceeded").with_query_code("RequestThrottled");
    server.answer("SendMessage", [throttled(), Answer::ok(json!({"MessageId": "1"}))]);
    queues.send(&letter()).await.expect("sent");
    assert_eq!(server.requests("SendMessage").len(), 2);

    let (server, queues) = start().await;
    server.answer("SendMessage", [throttled()]);
    let text = chain(&queues.send(&letter()).await.unwrap_err());
    let said = "RequestThrottled: Rate exceeded (request REQUEST-1)";
    assert_eq!(text, format!("the message could not be sent to the dead-letter queue: {said}"));
    assert_eq!(server.requests("SendMessage").len(), CALL_TRIES_MAX as usize);
}

#[tokio::test]
async fn a_dead_letter_queue_that_does_not_exist_or_is_not_allowed_is_named_with_what_to_do() {
    let queue = format!("the queue {DEAD_URL} (DEAD_LETTER_QUEUE_URL)");
    let missing = format!("{queue} does not exist in this account and region: deploy it, or correct its name");
    let denied = "is not allowed: allow it in the function's role: ";
    let iam = "User: arn:aws:sts::1:assumed-role/f is not authorized to perform";
    let of_queue = format!("{iam}: sqs:sendmessage on resource: arn:aws:sqs:eu-central-1:123456789012:orders-dead");
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1";
    let of_key = format!("{iam}: kms:GenerateDataKey on resource: {key} because no policy allows it");
    for (code, query_code, message, text) in [
        ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "It does not exist.", missing.clone()),
        ("QueueDoesNotExist", "QueueDoesNotExist", "It does not exist.", missing),
        ("AccessDeniedException", "AccessDenied", "Access denied.", format!("sqs:SendMessage on {queue} {denied}")),
        ("AccessDeniedException", "AccessDenied", &of_queue, format!("sqs:sendmessage on {queue} {denied}")),
        ("KmsAccessDenied", "KMS.AccessDeniedException", &of_key, format!("kms:GenerateDataKey on {key} {denied}")),
        ("ExpiredToken", "ExpiredToken", "It is late.", "the credentials have expired: ".to_owned()),
    ] {
        let (server, queues) = start().await;
        server.answer("SendMessage", [Answer::error(400, code, message).with_query_code(query_code)]);
        let said = chain(&queues.send(&letter()).await.unwrap_err());
        assert!(said.starts_with(&format!("the message could not be sent to the dead-letter queue: {text}")), "{said}");
        assert!(said.ends_with(&format!("{query_code}: {message} (request REQUEST-1)")), "{said}");
        assert_eq!(server.requests("SendMessage").len(), 1, "another try would be the same");
    }
}

fn redrive(max_receive_count: &Value) -> Answer {
    let policy = json!({"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:orders-dead", "maxReceiveCount": max_receive_count});
    Answer::ok(json!({"Attributes": {"RedrivePolicy": policy.to_string()}}))
}

#[tokio::test]
async fn the_limit_of_receives_is_that_of_the_redrive_policy_and_read_once() {
    for (answer, limit) in [
        (redrive(&json!(5)), Some(5)),
        (redrive(&json!("7")), Some(7)),
        (Answer::ok(json!({})), None),
        (redrive(&json!("many")), None),
        (Answer::ok(json!({"Attributes": {"RedrivePolicy": "{"}})), None),
        (Answer::error(403, "AccessDeniedException", "No."), None),
    ] {
        let (server, queues) = start().await;
        server.answer(ATTRIBUTES, [answer]);
        let both = tokio::join!(queues.receive_count_max(), queues.receive_count_max());
        assert_eq!((both, queues.receive_count_max().await), ((limit, limit), limit));
        let asked = json!({"QueueUrl": URL, "AttributeNames": ["RedrivePolicy"]});
        assert_eq!(server.requests(ATTRIBUTES), [asked]);
    }
}

#[tokio::test]
async fn a_limit_is_read_again_after_five_minutes_and_kept_for_each_queue_by_itself() {
    let (server, queues) = start().await;
    server.answer(ATTRIBUTES, [redrive(&json!(5)), redrive(&json!(6)), redrive(&json!(7))]);
    let limit = async |url, seconds| queues.limits.of(&queues.client, url, Duration::from_secs(seconds)).await;
    assert_eq!([limit(URL, 100).await, limit(URL, 399).await, limit(URL, 400).await], [Some(5), Some(5), Some(6)]);
    assert_eq!([limit(DEAD_URL, 400).await, limit(URL, 400).await], [Some(7), Some(6)]);
}

#[tokio::test]
async fn a_limit_that_is_set_asks_nobody() {
    let (server, queues) = start().await;
    let queues = queues.limited(std::sync::Arc::new(ReceiveLimits::new(Some(3))));
    assert_eq!(queues.receive_count_max().await, Some(3));
    assert!(server.requests(ATTRIBUTES).is_empty());
}
