//! What a commit leaves to publish: its events, or none.

use futures_util::future::join_all;
use onceward::{ClaimOutcome, Commit, CommitOutcome, GroupOutcome, Operation, absent, present};

use super::{
    cases,
    trial::{Trial, act, completed, item},
};

cases![
    the_events_of_a_commit_without_actions_are_in_the_outbox_in_order,
    the_events_of_a_commit_with_rows_are_in_the_outbox_in_order,
    a_commit_without_events_leaves_none,
    the_same_commit_again_leaves_its_events_once,
    a_duplicate_leaves_no_events,
    of_two_concurrent_commits_the_winners_events_are_left,
    a_commit_whose_condition_failed_leaves_no_events,
    a_completed_claim_leaves_its_events,
    a_commit_whose_lease_was_lost_leaves_no_events,
    a_group_leaves_the_events_of_each_commit,
    a_cancelled_group_leaves_no_events,
];

/// A commit of the events `names`, and of one row if `row` names it.
fn publishing(trial: &Trial, key: &str, row: Option<&str>, names: &[&str]) -> Commit {
    let put = |row| act(&trial.row(row), Operation::Put(item([])), absent());
    Commit { events: trial.events(names), ..trial.commit(key, row.map(put).into_iter().collect::<Vec<_>>()) }
}

async fn committed(trial: &Trial, commit: &Commit) {
    assert_eq!(trial.send(commit).await.unwrap(), CommitOutcome::Committed);
}

async fn the_events_of_a_commit_without_actions_are_in_the_outbox_in_order(trial: Trial) {
    let commit = publishing(&trial, "k", None, &["b", "a", "c"]);
    committed(&trial, &commit).await;
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
    trial.assert_outbox("k", &commit.events).await;
}

async fn the_events_of_a_commit_with_rows_are_in_the_outbox_in_order(trial: Trial) {
    let commit = publishing(&trial, "k", Some("1"), &["b", "a", "c"]);
    committed(&trial, &commit).await;
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
    trial.assert_outbox("k", &commit.events).await;
}

async fn a_commit_without_events_leaves_none(trial: Trial) {
    committed(&trial, &publishing(&trial, "k", None, &[])).await;
    trial.assert_outbox("k", &[]).await;
}

async fn the_same_commit_again_leaves_its_events_once(trial: Trial) {
    for (key, row) in [("plain", None), ("rows", Some("1"))] {
        let commit = publishing(&trial, key, row, &[key]);
        for _ in 0..3 {
            committed(&trial, &commit).await;
        }
    }
    for key in ["plain", "rows"] {
        let mut left = trial.probe.outbox(&trial.key(key)).await;
        let event = serde_json::to_string(&trial.events(&[key])[0]).unwrap();
        left.retain(|envelope| *envelope == event);
        assert_eq!(left, [event]);
    }
}

async fn a_duplicate_leaves_no_events(trial: Trial) {
    let first = publishing(&trial, "k", None, &["first"]);
    committed(&trial, &first).await;
    for row in [None, Some("1")] {
        let second = publishing(&trial, "k", row, &["second"]);
        assert_eq!(trial.send(&second).await.unwrap(), CommitOutcome::Duplicate(completed(&first)));
    }
    trial.assert_outbox("k", &first.events).await;
}

async fn of_two_concurrent_commits_the_winners_events_are_left(trial: Trial) {
    let commits = [publishing(&trial, "k", None, &["one"]), publishing(&trial, "k", None, &["other"])];
    let outcomes = join_all(commits.iter().map(|commit| trial.send(commit))).await;
    let winner = outcomes.iter().position(|outcome| *outcome.as_ref().unwrap() == CommitOutcome::Committed);
    trial.assert_outbox("k", &commits[winner.expect("one commit wins")].events).await;
}

async fn a_commit_whose_condition_failed_leaves_no_events(trial: Trial) {
    let mut commit = publishing(&trial, "k", None, &["a"]);
    commit.actions = vec![act(&trial.row("gone"), Operation::Put(item([])), present())];
    assert!(matches!(trial.send(&commit).await.unwrap(), CommitOutcome::ConditionFailed { .. }));
    trial.assert_outbox("k", &[]).await;
}

async fn a_completed_claim_leaves_its_events(trial: Trial) {
    for (key, row) in [("plain", None), ("rows", Some("1"))] {
        let claimed = trial.ledger().claim(&trial.claim(key, "owner", trial.now)).await.unwrap();
        assert_eq!(claimed, ClaimOutcome::Claimed);
        committed(&trial, &Commit { owner: Some("owner".to_owned()), ..publishing(&trial, key, row, &[key]) }).await;
        let left = trial.probe.outbox(&trial.key(key)).await;
        let event = serde_json::to_string(&trial.events(&[key])[0]).unwrap();
        assert!(left.contains(&event), "{left:?}");
    }
}

async fn a_commit_whose_lease_was_lost_leaves_no_events(trial: Trial) {
    trial.ledger().claim(&trial.claim("k", "another", trial.now)).await.unwrap();
    let commit = Commit { owner: Some("owner".to_owned()), ..publishing(&trial, "k", None, &["a"]) };
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::LeaseLost);
    trial.assert_outbox("k", &[]).await;
}

async fn a_group_leaves_the_events_of_each_commit(trial: Trial) {
    let commits = [publishing(&trial, "1", Some("1"), &["1a", "1b"]), publishing(&trial, "2", Some("2"), &["2a"])];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Committed);
    for (commit, key) in commits.iter().zip(["1", "2"]) {
        let left = trial.probe.outbox(&trial.key(key)).await;
        for event in &commit.events {
            assert!(left.contains(&serde_json::to_string(event).unwrap()), "{left:?}");
        }
    }
}

async fn a_cancelled_group_leaves_no_events(trial: Trial) {
    committed(&trial, &trial.commit("taken", [])).await;
    let commits = [publishing(&trial, "free", Some("1"), &["a"]), publishing(&trial, "taken", Some("2"), &["b"])];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Cancelled);
    for key in ["free", "taken"] {
        trial.assert_outbox(key, &[]).await;
    }
}
