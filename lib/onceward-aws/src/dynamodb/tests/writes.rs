use onceward::{ClaimOutcome, CommitOutcome, Ledger as _, LedgerError, LedgerRecord, all, at_least, present, version};
use serde_json::{Value, json};

use super::*;
use crate::{
    clients::CALL_TRIES_MAX,
    scripted::{Answer, Scripted, chain},
};

const TRANSACTION: &str = "TransactWriteItems";

/// Status, code, whether another try of the commit may help, and how often the SDK itself sends the call.
const ANSWERS: [(u16, &str, bool, u32); 11] = [
    (400, "ProvisionedThroughputExceededException", true, CALL_TRIES_MAX),
    (400, "ThrottlingException", true, CALL_TRIES_MAX),
    (400, "RequestLimitExceeded", true, CALL_TRIES_MAX),
    (400, "TransactionInProgressException", true, CALL_TRIES_MAX),
    (500, "InternalServerError", true, CALL_TRIES_MAX),
    (503, "ServiceUnavailable", true, CALL_TRIES_MAX),
    (500, "SomethingNew", true, CALL_TRIES_MAX),
    (400, "TransactionConflictException", true, 1),
    (400, "ValidationException", false, 1),
    (400, "ItemCollectionSizeLimitExceededException", false, 1),
    (400, "IdempotentParameterMismatchException", false, 1),
];

async fn write(ledger: &DynamoDbLedger, operation: &str) -> LedgerError {
    match operation {
        "PutItem" => ledger.commit(&commit([])).await.unwrap_err(),
        "DeleteItem" => ledger.release(&key("k"), "owner-1").await.unwrap_err(),
        _ => ledger.commit(&commit([order("o1", Operation::Delete, present())])).await.unwrap_err(),
    }
}

#[tokio::test]
async fn what_may_pass_is_transient_and_what_cannot_is_not() {
    for operation in ["PutItem", "DeleteItem", TRANSACTION] {
        for (status, code, transient, tries) in ANSWERS {
            let (server, ledger) = start().await;
            server.answer(operation, [Answer::error(status, code, "no")]);
            let error = write(&ledger, operation).await;
            assert_eq!((error.operation, error.transient), (operation, transient), "{code}");
            assert_eq!(server.requests(operation).len(), tries as usize, "{operation} {code}");
            let text = format!("the ledger's {operation} failed: {code}: no (request REQUEST-1)");
            assert_eq!(chain(&error), text);
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_code_is_judged_by_its_status() {
    for (status, transient) in [(502, true), (429, true), (200, true), (403, false)] {
        let (server, ledger) = start().await;
        server.answer("PutItem", [Answer::raw(status, "<html>a proxy's page</html>")]);
        let error = write(&ledger, "PutItem").await;
        assert_eq!(error.transient, transient, "{status}: {}", chain(&error));
    }
}

#[tokio::test]
async fn a_call_without_an_answer_is_transient() {
    let server = Scripted::start().await;
    let ledger = ledger(&server.impatient_config().await);
    let unanswered = async |operation| {
        server.answer(operation, [Answer::never()]);
        let error = write(&ledger, operation).await;
        assert!(error.transient);
        assert!(chain(&error).contains("timeout"), "{}", chain(&error));
        assert_eq!(server.requests(operation).len(), CALL_TRIES_MAX as usize);
    };
    tokio::join!(unanswered("PutItem"), unanswered("DeleteItem"), unanswered(TRANSACTION));
    let nobody = crate::clients::tests::config("http://127.0.0.1:9").await;
    let ledger = DynamoDbLedger::new(Client::new(&nobody), LEDGER, HashMap::new());
    assert!(write(&ledger, "PutItem").await.transient);
}

#[tokio::test]
async fn a_commit_that_was_throttled_once_is_written() {
    let (server, ledger) = start().await;
    server.answer("PutItem", [Answer::error(400, "ThrottlingException", "Rate exceeded"), Answer::ok("{}")]);
    assert_eq!(ledger.commit(&commit([])).await.unwrap(), CommitOutcome::Committed);
    let requests = server.requests("PutItem");
    assert_eq!(requests[0]["Item"], requests[1]["Item"], "the same commit id");
}

/// A cancelled transaction, by the codes and messages of its reasons.
fn cancelled(reasons: &[Value]) -> Answer {
    let codes: Vec<_> = reasons.iter().map(|reason| reason["Code"].as_str().unwrap()).collect();
    Answer::raw(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!("Transaction cancelled, please refer cancellation reasons [{}]", codes.join(", ")),
            "CancellationReasons": reasons,
        })
        .to_string(),
    )
}

fn reason(code: &str) -> Value {
    match code {
        "None" => json!({"Code": code}),
        code => json!({"Code": code, "Message": "why"}),
    }
}

/// Two rows and, between them, a check that always holds, which is not sent.
fn two_rows() -> Commit {
    commit([
        order("o1", Operation::Delete, at_least("n", 1)),
        order("o2", Operation::Check, all([])),
        order("o3", Operation::Delete, version(1)),
    ])
}

async fn cancel(reasons: [&str; 3]) -> Result<CommitOutcome, LedgerError> {
    let (server, ledger) = start().await;
    server.answer(TRANSACTION, [cancelled(&reasons.map(reason))]);
    let outcome = ledger.commit(&two_rows()).await;
    assert_eq!(server.requests(TRANSACTION).len(), 1, "the core repeats it, on its own terms");
    outcome
}

#[tokio::test]
async fn rows_whose_conditions_failed_are_named() {
    let failed = |places: &[usize]| {
        let rows = places.iter().map(|place| two_rows().actions[*place].failed(false));
        CommitOutcome::ConditionFailed { rows: rows.collect() }
    };
    let condition = "ConditionalCheckFailed";
    assert_eq!(cancel(["None", "None", condition]).await.unwrap(), failed(&[2]));
    assert_eq!(cancel(["None", condition, condition]).await.unwrap(), failed(&[0, 2]));
    // Fresh reads may mend the other reason too.
    assert_eq!(cancel(["None", condition, "TransactionConflict"]).await.unwrap(), failed(&[0]));
    assert_eq!(cancel(["None", condition, "ValidationError"]).await.unwrap(), failed(&[0]));
}

/// DynamoDB is asked for the row that a condition was put on: that it is there is all that is looked at.
#[tokio::test]
async fn a_row_whose_condition_failed_is_there_if_it_comes_back() {
    let (server, ledger) = start().await;
    let there = json!({"Code": "ConditionalCheckFailed", "Message": "why", "Item": {"order_id": {"S": "o1"}}});
    server.answer(TRANSACTION, [cancelled(&[reason("None"), there, reason("ConditionalCheckFailed")])]);
    let commit = commit([order("o1", Operation::Delete, at_least("n", 1)), order("o2", Operation::Check, version(1))]);
    let rows = vec![commit.actions[0].failed(true), commit.actions[1].failed(false)];
    assert_eq!(ledger.commit(&commit).await.unwrap(), CommitOutcome::ConditionFailed { rows });
    let request = server.requests(TRANSACTION).remove(0);
    let items = request["TransactItems"].as_array().unwrap();
    let returned: Vec<_> = items
        .iter()
        .map(|item| &item.as_object().unwrap().values().next().unwrap()["ReturnValuesOnConditionCheckFailure"])
        .collect();
    assert_eq!(returned, ["ALL_OLD"; 3]);
}

#[tokio::test]
async fn a_cancelled_transaction_is_transient_if_every_reason_may_pass() {
    for (reasons, transient, text) in [
        (["None", "TransactionConflict", "None"], true, "orders/o1 TransactionConflict (why)"),
        (["TransactionConflict", "None", "None"], true, "the ledger's record TransactionConflict (why)"),
        (["None", "None", "ThrottlingError"], true, "orders/o3 ThrottlingError (why)"),
        (
            ["None", "ProvisionedThroughputExceeded", "TransactionConflict"],
            true,
            "orders/o1 ProvisionedThroughputExceeded (why), orders/o3 TransactionConflict (why)",
        ),
        (["None", "ValidationError", "None"], false, "orders/o1 ValidationError (why)"),
        (["None", "ItemCollectionSizeLimitExceeded", "None"], false, "orders/o1 ItemCollectionSizeLimitExceeded (why)"),
        (
            ["None", "ValidationError", "TransactionConflict"],
            false,
            "orders/o1 ValidationError (why), orders/o3 TransactionConflict (why)",
        ),
    ] {
        let error = cancel(reasons).await.unwrap_err();
        assert_eq!(error.transient, transient, "{reasons:?}");
        assert_eq!(
            chain(&error),
            format!("the ledger's TransactWriteItems failed: the transaction was cancelled: {text}")
        );
    }
}

/// A ledger record as DynamoDB returns it.
fn completed(commit_id: &str) -> Value {
    let text = |text: &str| json!({"S": text});
    json!({
        "pk": text("f#k"), "status": text("completed"), "commit_id": text(commit_id), "fingerprint": text("x"),
        "committed_at": text("2026-01-01T00:00:00.000Z"),
    })
}

fn in_progress(owner: &str) -> Value {
    let text = |text: &str| json!({"S": text});
    json!({
        "pk": text("f#k"), "status": text("in_progress"), "owner": text(owner), "fingerprint": text("x"),
        "lease_expires_at": {"N": "1"},
    })
}

#[tokio::test]
async fn the_records_own_condition_says_whose_it_is_whatever_the_rows_say() {
    for (commit_id, own) in [("commit-1", true), ("commit-2", false)] {
        let (server, ledger) = start().await;
        let mut refused = reason("ConditionalCheckFailed");
        refused["Item"] = completed(commit_id);
        let rest = ["ConditionalCheckFailed", "TransactionConflict"].map(reason);
        server.answer(TRANSACTION, [cancelled(&[&[refused][..], &rest].concat())]);
        match ledger.commit(&two_rows()).await.unwrap() {
            CommitOutcome::Committed => assert!(own, "a try of ours was written after all"),
            CommitOutcome::Duplicate(LedgerRecord::Completed(record)) => assert_eq!(record.commit_id, "commit-2"),
            outcome => panic!("{outcome:?}"),
        }
    }
    let error = cancel(["ConditionalCheckFailed", "None", "None"]).await.unwrap_err();
    assert!(error.transient, "the record is gone again: {}", chain(&error));
}

/// A refused PutItem with the item that stood in its way.
fn refused(item: &Value) -> Answer {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    Answer::raw(400, &json!({"__type": code, "message": "The conditional request failed", "Item": item}).to_string())
}

#[tokio::test]
async fn a_claim_or_commit_that_the_sdk_repeated_recognises_itself() {
    let (server, ledger) = start().await;
    let lost = || Answer::error(500, "InternalServerError", "no");
    server.answer("PutItem", [lost(), refused(&in_progress("owner-1"))]);
    assert_eq!(ledger.claim(&claim()).await.unwrap(), ClaimOutcome::Claimed);
    let (server, ledger) = start().await;
    server.answer("PutItem", [lost(), refused(&completed("commit-1"))]);
    assert_eq!(ledger.commit(&commit([])).await.unwrap(), CommitOutcome::Committed);
    let (server, ledger) = start().await;
    server.answer("PutItem", [refused(&in_progress("owner-2"))]);
    assert!(matches!(ledger.claim(&claim()).await.unwrap(), ClaimOutcome::Held(LedgerRecord::InProgress(_))));
    server.answer("DeleteItem", [refused(&json!({}))]);
    ledger.release(&key("k"), "owner-1").await.expect("someone else's stays as it is");
}

#[tokio::test]
async fn a_record_is_kept_by_moving_its_expiry_on_and_never_back() {
    let (server, ledger) = start().await;
    server.answer("UpdateItem", [Answer::ok(json!({"Attributes": completed("c")}))]);
    let until = now() + TimeDelta::days(15);
    assert!(matches!(ledger.keep(&key("k"), until).await.unwrap(), Some(LedgerRecord::Completed(_))));
    let request = &server.requests("UpdateItem")[0];
    assert_eq!(request["Key"], json!({"pk": {"S": "f#k"}}));
    assert_eq!(request["UpdateExpression"], "SET #n0 = :v0");
    assert_eq!(request["ConditionExpression"], "#n0 < :v0");
    assert_eq!(request["ExpressionAttributeNames"], json!({"#n0": "expires_at"}));
    assert_eq!(request["ExpressionAttributeValues"], json!({":v0": {"N": until.timestamp().to_string()}}));
    let (server, ledger) = start().await;
    server.answer("UpdateItem", [refused(&completed("c")), refused(&json!({}))]);
    assert!(ledger.keep(&key("k"), until).await.unwrap().is_some(), "it is kept for longer anyway");
    assert_eq!(ledger.keep(&key("k"), until).await.unwrap(), None);
}

#[tokio::test]
async fn a_claim_that_is_throttled_fails_as_transient() {
    let (server, ledger) = start().await;
    server.answer("PutItem", [Answer::error(400, "ThrottlingException", "Rate exceeded")]);
    let error = ledger.claim(&claim()).await.unwrap_err();
    assert!(error.transient);
    assert_eq!(server.requests("PutItem").len(), CALL_TRIES_MAX as usize);
}
