use futures_util::future::join_all;
use onceward::{Change, ClaimOutcome, Commit, CommitOutcome, GroupOutcome, Key, Operation, absent, all, present};

use super::{
    cases,
    trial::{Trial, act, completed, item, number},
};

cases![
    a_group_writes_every_commit,
    a_group_may_have_a_hundred_actions,
    a_group_with_a_failed_condition_writes_nothing,
    a_group_with_a_taken_key_writes_nothing,
    a_group_with_an_update_that_cannot_be_applied_writes_nothing,
    the_owners_complete_their_claims_in_a_group,
    a_group_with_a_lost_lease_writes_nothing,
    the_same_group_and_token_again_is_applied_once,
    commits_recognise_what_their_group_has_written,
    commits_of_a_cancelled_group_can_be_sent_by_themselves,
    a_group_of_which_one_is_written_writes_no_other,
    of_two_concurrent_groups_with_a_common_key_one_is_written_at_most,
];

/// A commit under the key `name` that creates the row `name`.
fn creating(trial: &Trial, name: &str) -> Commit {
    trial.commit(name, [act(&trial.row(name), Operation::Put(item([])), absent())])
}

/// A commit under the key `name` that adds one to the row.
fn adding(trial: &Trial, name: &str, row: &Key) -> Commit {
    trial.commit(name, [act(row, Operation::Update(vec![Change::Add("n".to_owned(), 1)]), all([]))])
}

async fn assert_nothing(trial: &Trial, names: &[&str]) {
    for name in names {
        assert_eq!((trial.record(name).await, trial.load(&trial.row(name)).await), (None, None), "{name}");
    }
}

async fn a_group_writes_every_commit(trial: Trial) {
    let mut check = trial.commit("check", [act(&trial.row("check"), Operation::Check, all([]))]);
    check.answer = None;
    let commits = [
        creating(&trial, "put"),
        trial.commit("without-actions", []),
        adding(&trial, "add", &trial.simple_row("add")),
        check,
    ];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Committed);
    for (name, commit) in ["put", "without-actions", "add", "check"].iter().zip(&commits) {
        assert_eq!(trial.record(name).await, Some(completed(commit)), "{name}");
    }
    trial.assert_row(&trial.row("put"), item([])).await;
    trial.assert_row(&trial.simple_row("add"), item([("n", number(1))])).await;
}

async fn a_group_may_have_a_hundred_actions(trial: Trial) {
    let names: Vec<_> = (0..50).map(|index| format!("{index:02}")).collect();
    let commits: Vec<_> = names.iter().map(|name| creating(&trial, name)).collect();
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Committed);
    assert_eq!(trial.record("49").await, Some(completed(&commits[49])));
    trial.assert_row(&trial.row("49"), item([])).await;
}

async fn a_group_with_a_failed_condition_writes_nothing(trial: Trial) {
    let failing = trial.commit("failing", [act(&trial.row("failing"), Operation::Check, present())]);
    let commits = [creating(&trial, "before"), failing, creating(&trial, "after")];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Cancelled);
    assert_nothing(&trial, &["before", "failing", "after"]).await;
}

async fn a_group_with_a_taken_key_writes_nothing(trial: Trial) {
    let first = trial.commit("taken", []);
    trial.send(&first).await.unwrap();
    let commits = [creating(&trial, "free"), trial.commit("taken", [])];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Cancelled);
    assert_nothing(&trial, &["free"]).await;
    assert_eq!(trial.record("taken").await, Some(completed(&first)));
}

/// Whether that is an error or a cancellation is the ledger's own: either way the commits are sent by themselves.
async fn a_group_with_an_update_that_cannot_be_applied_writes_nothing(trial: Trial) {
    let row = trial.simple_row("text");
    trial.given(&row, item([("n", super::trial::text("no number"))])).await;
    let commits = [creating(&trial, "fine"), adding(&trial, "adding", &row)];
    let outcome = trial.send_group(&commits).await;
    assert!(!matches!(outcome, Ok(GroupOutcome::Committed)), "{outcome:?}");
    assert_nothing(&trial, &["fine", "adding"]).await;
}

async fn the_owners_complete_their_claims_in_a_group(trial: Trial) {
    let mut commits = vec![creating(&trial, "free")];
    for (name, owner) in [("of-ada", "ada"), ("of-bob", "bob")] {
        let claimed = trial.ledger().claim(&trial.claim(name, owner, trial.now)).await.unwrap();
        assert_eq!(claimed, ClaimOutcome::Claimed);
        commits.push(Commit { owner: Some(owner.to_owned()), ..creating(&trial, name) });
    }
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Committed);
    for (name, commit) in ["free", "of-ada", "of-bob"].iter().zip(&commits) {
        assert_eq!(trial.record(name).await, Some(completed(commit)), "{name}");
    }
}

async fn a_group_with_a_lost_lease_writes_nothing(trial: Trial) {
    trial.ledger().claim(&trial.claim("of-bob", "bob", trial.now)).await.unwrap();
    let before = trial.record("of-bob").await;
    for name in ["of-bob", "of-nobody"] {
        let late = Commit { owner: Some("ada".to_owned()), ..creating(&trial, name) };
        assert_eq!(trial.send_group(&[creating(&trial, "free"), late]).await.unwrap(), GroupOutcome::Cancelled);
        assert_nothing(&trial, &["free", "of-nobody"]).await;
        assert_eq!((trial.record("of-bob").await, trial.load(&trial.row(name)).await), (before.clone(), None));
    }
}

async fn the_same_group_and_token_again_is_applied_once(trial: Trial) {
    let rows = ["1", "2"].map(|name| trial.row(name));
    let commits = [adding(&trial, "a", &rows[0]), adding(&trial, "b", &rows[1])];
    for _ in 0..3 {
        let outcome = trial.ledger().commit_group(&commits, &commits[0].commit_id).await.unwrap();
        assert_eq!(outcome, GroupOutcome::Committed);
    }
    for row in &rows {
        trial.assert_row(row, item([("n", number(1))])).await;
    }
}

/// The way out when the group's outcome is unknown.
async fn commits_recognise_what_their_group_has_written(trial: Trial) {
    let row = trial.row("1");
    trial.ledger().claim(&trial.claim("owned", "ada", trial.now)).await.unwrap();
    let owned = Commit { owner: Some("ada".to_owned()), ..trial.commit("owned", []) };
    let commits = [adding(&trial, "a", &row), trial.commit("b", []), owned];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Committed);
    for commit in &commits {
        assert_eq!(trial.send(commit).await.unwrap(), CommitOutcome::Committed);
    }
    trial.assert_row(&row, item([("n", number(1))])).await;
}

async fn commits_of_a_cancelled_group_can_be_sent_by_themselves(trial: Trial) {
    let failing = trial.commit("failing", [act(&trial.row("failing"), Operation::Check, present())]);
    let commits = [creating(&trial, "1"), failing, creating(&trial, "2")];
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Cancelled);
    assert_eq!(trial.send(&commits[0]).await.unwrap(), CommitOutcome::Committed);
    let rows = vec![commits[1].actions[0].failed(false)];
    assert_eq!(trial.send(&commits[1]).await.unwrap(), CommitOutcome::ConditionFailed { rows });
    assert_eq!(trial.send(&commits[2]).await.unwrap(), CommitOutcome::Committed);
}

async fn a_group_of_which_one_is_written_writes_no_other(trial: Trial) {
    let commits = [creating(&trial, "written"), creating(&trial, "other")];
    trial.send(&commits[0]).await.unwrap();
    assert_eq!(trial.send_group(&commits).await.unwrap(), GroupOutcome::Cancelled);
    assert_nothing(&trial, &["other"]).await;
    assert_eq!(trial.record("written").await, Some(completed(&commits[0])));
}

/// Each may cancel the other where transactions meet.
async fn of_two_concurrent_groups_with_a_common_key_one_is_written_at_most(trial: Trial) {
    for round in 0..5 {
        let (common, row) = (format!("k{round}"), trial.row(&format!("n{round}")));
        let names = ["a", "b"].map(|name| format!("{name}{round}"));
        let groups = names.each_ref().map(|name| [adding(&trial, &common, &row), creating(&trial, name)]);
        let outcomes = join_all(groups.iter().map(|group| trial.send_group(group))).await;
        let written = |outcome: &Result<_, _>| matches!(outcome, Ok(GroupOutcome::Committed));
        assert!(outcomes.iter().filter(|outcome| written(outcome)).count() <= 1, "{outcomes:?}");
        for ((name, group), outcome) in names.iter().zip(&groups).zip(&outcomes) {
            let record = Some(completed(&group[1])).filter(|_| written(outcome));
            assert_eq!(trial.record(name).await, record);
        }
        if outcomes.iter().any(written) {
            trial.assert_row(&row, item([("n", number(1))])).await;
        }
    }
}
