use super::super::SqsError;
use super::super::message::Receive;
use super::super::moves::MoveStatus;
use super::service::sqs;
use super::*;
use crate::sqs::{Received, Sqs};
use std::time::Duration;

/// A source, its dead-letter queue with `count` dead messages, and another queue.
async fn dead_letters(count: usize) -> Sqs {
    let sqs = sqs();
    for queue in ["dlq", "other"] {
        sqs.create_queue(queue, &BTreeMap::new()).unwrap();
    }
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":1}}"#, sqs.arn("dlq"));
    sqs.create_queue("q", &attributes([("RedrivePolicy", &policy), ("VisibilityTimeout", "0")])).unwrap();
    for index in 0..count {
        sqs.send("q", text(&index.to_string())).unwrap();
    }
    while !all(&sqs, "q").await.is_empty() {}
    assert_eq!(sqs.depth("dlq").unwrap().visible, count);
    sqs
}

async fn all(sqs: &Sqs, queue: &str) -> Vec<Received> {
    sqs.receive(queue, Receive { max: 10, wait: Duration::ZERO, visibility: None }).await.unwrap()
}

fn status(sqs: &Sqs) -> (MoveStatus, u64, u64) {
    let task = sqs.move_tasks(&sqs.arn("dlq"), 1).unwrap().remove(0);
    (task.status, task.moved, task.to_move)
}

#[tokio::test(start_paused = true)]
async fn a_move_task_returns_messages_to_where_they_came_from_as_new_ones() {
    let sqs = dead_letters(2).await;
    let old = sqs.receive("dlq", Receive { visibility: Some(Duration::ZERO), ..Receive::default() }).await.unwrap();
    sqs.start_moves(&sqs.arn("dlq"), None, None).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(status(&sqs), (MoveStatus::Completed, 2, 2));
    let moved = sqs.receive("q", Receive { visibility: Some(Duration::from_secs(9)), max: 10, ..Receive::default() });
    let moved = moved.await.unwrap();
    assert_eq!(moved.iter().map(|it| it.body.as_str()).collect::<Vec<_>>(), ["0", "1"]);
    assert_ne!(moved[0].message_id, old[0].message_id);
    assert_eq!(moved[0].attributes["ApproximateReceiveCount"], "1");
    assert!(!moved[0].attributes.contains_key("DeadLetterQueueSourceArn"));
    assert_eq!(sqs.depth("dlq").unwrap().visible, 0);
}

#[tokio::test(start_paused = true)]
async fn a_move_task_keeps_its_rate_and_can_be_cancelled_while_it_runs() {
    let sqs = dead_letters(10).await;
    let (dlq, other) = (sqs.arn("dlq"), sqs.arn("other"));
    let handle = sqs.start_moves(&dlq, Some(&other), Some(2)).unwrap();
    let again = sqs.start_moves(&dlq, None, None).unwrap_err();
    assert!(again.to_string().starts_with("There is already a task running."), "{again}");
    tokio::time::sleep(Duration::from_millis(2_050)).await;
    assert_eq!(status(&sqs), (MoveStatus::Running, 5, 10));
    let described = sqs.move_tasks(&dlq, 1).unwrap()[0].describe();
    assert_eq!((&described["Status"], &described["TaskHandle"]), (&"RUNNING".into(), &handle.as_str().into()));
    assert_eq!(described["MaxNumberOfMessagesPerSecond"], 2);
    assert_eq!(sqs.cancel_moves(&handle), Ok(5));
    assert_eq!(status(&sqs).0, MoveStatus::Cancelling);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&sqs), (MoveStatus::Cancelled, 5, 10));
    assert!(sqs.move_tasks(&dlq, 1).unwrap()[0].describe().get("TaskHandle").is_none());
    assert_eq!((sqs.depth("other").unwrap().visible, sqs.depth("dlq").unwrap().visible), (5, 5));
    assert!(matches!(sqs.cancel_moves(&handle), Err(SqsError::InvalidParameterValue { .. })), "it no longer runs");
    sqs.start_moves(&dlq, None, None).unwrap();
    assert_eq!(sqs.move_tasks(&dlq, 10).unwrap().len(), 2, "the latest come first, at most ten");
}

#[tokio::test(start_paused = true)]
async fn a_message_sent_straight_to_the_dead_letter_queue_needs_a_destination() {
    let sqs = dead_letters(0).await;
    sqs.send("dlq", text("a")).unwrap();
    sqs.start_moves(&sqs.arn("dlq"), None, None).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(status(&sqs), (MoveStatus::Failed("CouldNotDetermineMessageSource"), 0, 1));
    sqs.start_moves(&sqs.arn("dlq"), Some(&sqs.arn("other")), None).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(status(&sqs), (MoveStatus::Completed, 1, 1));
    assert_eq!(all(&sqs, "other").await[0].body, "a");
}

#[tokio::test(start_paused = true)]
async fn a_move_task_fails_when_its_destination_is_deleted() {
    let sqs = dead_letters(3).await;
    sqs.start_moves(&sqs.arn("dlq"), Some(&sqs.arn("other")), Some(1)).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    sqs.delete_queue("other").unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(status(&sqs), (MoveStatus::Failed("AWS.SimpleQueueService.NonExistentQueue"), 1, 3));
    assert_eq!(sqs.depth("dlq").unwrap().visible, 2);
}

#[tokio::test(start_paused = true)]
async fn a_move_task_takes_only_a_dead_letter_queue_and_queues_that_exist() {
    let sqs = dead_letters(1).await;
    sqs.create_queue("f.fifo", &attributes([("FifoQueue", "true")])).unwrap();
    let (dlq, gone) = (sqs.arn("dlq"), sqs.arn("gone"));
    let refused = |source: &str, destination: Option<&str>, rate: Option<u64>| {
        sqs.start_moves(source, destination, rate).unwrap_err().query_code()
    };
    assert_eq!(refused(&sqs.arn("other"), None, None), "InvalidParameterValue", "no queue names it");
    assert_eq!(refused(&gone, None, None), "ResourceNotFoundException");
    assert_eq!(refused("dlq", None, None), "InvalidParameterValue", "not an ARN");
    assert_eq!(refused(&dlq, Some(&gone), None), "ResourceNotFoundException");
    assert_eq!(refused(&dlq, Some(&sqs.arn("f.fifo")), None), "InvalidParameterValue");
    for rate in [0, 501] {
        assert_eq!(refused(&dlq, None, Some(rate)), "InvalidParameterValue");
    }
    assert_eq!(sqs.cancel_moves("nonsense").unwrap_err().query_code(), "InvalidParameterValue");
    assert_eq!(sqs.move_tasks(&gone, 1).unwrap_err().query_code(), "ResourceNotFoundException");
}
