use futures_util::future::join_all;
use onceward::{Change, CommitOutcome, Condition, LedgerRecord, Operation, absent, all, at_least, present};

use super::{
    cases,
    trial::{Trial, act, completed, item, number, text},
};

cases![
    a_commit_writes_record_rows_and_answer,
    a_commit_without_actions_writes_the_record,
    a_commit_may_have_ninety_nine_actions,
    a_taken_key_is_a_duplicate_and_changes_nothing,
    a_duplicate_is_told_before_a_failed_condition,
    the_same_commit_again_is_applied_once,
    the_same_commit_again_without_actions_is_committed,
    of_two_concurrent_commits_one_wins,
    of_two_concurrent_commits_without_actions_one_wins,
    concurrent_updates_of_one_row_all_count,
    a_failed_condition_writes_nothing_and_names_the_rows,
];

async fn a_commit_writes_record_rows_and_answer(trial: Trial) {
    let (one, two) = (trial.row("1"), trial.simple_row("2"));
    let put = |key, value| act(key, Operation::Put(item([("n", number(value))])), absent());
    let commit = trial.commit("k", [put(&one, 1), put(&two, 2)]);
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
    trial.assert_row(&one, item([("n", number(1))])).await;
    trial.assert_row(&two, item([("n", number(2))])).await;
}

async fn a_commit_without_actions_writes_the_record(trial: Trial) {
    let mut commit = trial.commit("k", []);
    commit.answer = None;
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
    let other = trial.commit("k", []);
    assert_eq!(trial.send(&other).await.unwrap(), CommitOutcome::Duplicate(completed(&commit)));
}

async fn a_commit_may_have_ninety_nine_actions(trial: Trial) {
    let rows: Vec<_> = (0..99).map(|index| trial.row(&format!("{index:02}"))).collect();
    let put = |key| act(key, Operation::Put(item([])), absent());
    let commit = trial.commit("k", rows.iter().map(put).collect::<Vec<_>>());
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    trial.assert_row(&rows[98], item([])).await;
}

async fn a_taken_key_is_a_duplicate_and_changes_nothing(trial: Trial) {
    let row = trial.row("1");
    let add = || act(&row, Operation::Update(vec![Change::Add("n".to_owned(), 1)]), all([]));
    let first = trial.commit("k", [add()]);
    trial.send(&first).await.unwrap();
    let second = trial.commit("k", [add()]);
    assert_eq!(trial.send(&second).await.unwrap(), CommitOutcome::Duplicate(completed(&first)));
    assert_eq!(trial.record("k").await, Some(completed(&first)));
    trial.assert_row(&row, item([("n", number(1))])).await;
}

async fn a_duplicate_is_told_before_a_failed_condition(trial: Trial) {
    let row = trial.row("1");
    let create = || act(&row, Operation::Put(item([])), absent());
    let first = trial.commit("k", [create()]);
    trial.send(&first).await.unwrap();
    let second = trial.commit("k", [create()]);
    assert_eq!(trial.send(&second).await.unwrap(), CommitOutcome::Duplicate(completed(&first)));
}

async fn the_same_commit_again_is_applied_once(trial: Trial) {
    let row = trial.row("1");
    let add = act(&row, Operation::Update(vec![Change::Add("n".to_owned(), 1)]), all([]));
    let commit = trial.commit("k", [add]);
    for _ in 0..3 {
        assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    }
    trial.assert_row(&row, item([("n", number(1))])).await;
}

async fn the_same_commit_again_without_actions_is_committed(trial: Trial) {
    let commit = trial.commit("k", []);
    for _ in 0..3 {
        assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    }
}

async fn of_two_concurrent_commits_one_wins(trial: Trial) {
    for round in 0..5 {
        let (key, row) = (format!("k{round}"), trial.row(&round.to_string()));
        let add = || act(&row, Operation::Update(vec![Change::Add("n".to_owned(), 1)]), all([]));
        let commits = [trial.commit(&key, [add()]), trial.commit(&key, [add()])];
        assert_one_wins(&trial, &commits).await;
        trial.assert_row(&row, item([("n", number(1))])).await;
    }
}

async fn of_two_concurrent_commits_without_actions_one_wins(trial: Trial) {
    for round in 0..5 {
        let key = format!("k{round}");
        assert_one_wins(&trial, &[trial.commit(&key, []), trial.commit(&key, [])]).await;
    }
}

async fn assert_one_wins(trial: &Trial, commits: &[onceward::Commit; 2]) {
    let outcomes = join_all(commits.iter().map(|commit| trial.send(commit))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let winner = outcomes.iter().position(|outcome| *outcome == CommitOutcome::Committed).expect("one commit wins");
    assert_eq!(outcomes[1 - winner], CommitOutcome::Duplicate(completed(&commits[winner])));
}

async fn concurrent_updates_of_one_row_all_count(trial: Trial) {
    let row = trial.simple_row("stock");
    trial.given(&row, item([("available", number(3))])).await;
    let take = || {
        let change = Change::Add("available".to_owned(), -1);
        trial.write([act(&row, Operation::Update(vec![change]), at_least("available", 1))])
    };
    let outcomes = join_all((0..6).map(|_| take())).await;
    let taken = outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Committed).count();
    assert_eq!(taken, 3, "{outcomes:?}");
    trial.assert_row(&row, item([("available", number(0))])).await;
}

async fn a_failed_condition_writes_nothing_and_names_the_rows(trial: Trial) {
    let (fine, taken, gone) = (trial.row("fine"), trial.row("taken"), trial.simple_row("gone"));
    trial.given(&taken, item([("s", text("before"))])).await;
    let put = |key, condition: Condition| act(key, Operation::Put(item([("s", text("after"))])), condition);
    let actions = [put(&fine, absent()), put(&taken, absent()), put(&gone, present())];
    let rows = vec![actions[1].failed(true), actions[2].failed(false)];
    let commit = trial.commit("k", actions);
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::ConditionFailed { rows });
    assert_eq!(trial.record("k").await, None::<LedgerRecord>);
    assert_eq!((trial.load(&fine).await, trial.load(&gone).await), (None, None));
    trial.assert_row(&taken, item([("s", text("before"))])).await;
}
