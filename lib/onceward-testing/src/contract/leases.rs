use futures_util::future::join;
use onceward::{ClaimOutcome, Commit, CommitOutcome, LedgerRecord, Operation, absent, present};

use super::{
    cases,
    trial::{LEASE, Trial, act, completed, item},
};

cases![
    a_claim_is_found_in_progress,
    the_owner_completes_its_claim,
    the_owners_commit_again_is_committed,
    a_released_key_is_free,
    a_leased_key_is_held,
    a_completed_key_is_held,
    a_claim_repeated_by_its_owner_is_claimed,
    of_two_concurrent_claims_one_wins,
    an_ended_lease_is_taken_over_and_fences_the_late_owner,
    a_commit_without_the_claim_is_a_duplicate_in_progress,
    a_commit_of_an_owner_without_a_claim_is_lost,
    a_commit_of_another_owner_is_lost,
    a_failed_condition_leaves_the_claim,
    a_release_never_removes_a_completed_record,
];

async fn claim(trial: &Trial, owner: &str) -> ClaimOutcome {
    trial.ledger().claim(&trial.claim("k", owner, trial.now)).await.unwrap()
}

fn owned(trial: &Trial, owner: &str) -> Commit {
    let put = act(&trial.row(owner), Operation::Put(item([])), absent());
    Commit { owner: Some(owner.to_owned()), ..trial.commit("k", [put]) }
}

fn in_progress(trial: &Trial, owner: &str) -> LedgerRecord {
    LedgerRecord::InProgress(trial.claim("k", owner, trial.now).lease)
}

async fn a_claim_is_found_in_progress(trial: Trial) {
    assert_eq!(claim(&trial, "ada").await, ClaimOutcome::Claimed);
    assert_eq!(trial.record("k").await, Some(in_progress(&trial, "ada")));
}

async fn the_owner_completes_its_claim(trial: Trial) {
    claim(&trial, "ada").await;
    let commit = owned(&trial, "ada");
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
    trial.assert_row(&trial.row("ada"), item([])).await;
    let late = owned(&trial, "ada");
    assert_eq!(trial.send(&late).await.unwrap(), CommitOutcome::Duplicate(completed(&commit)));
}

async fn the_owners_commit_again_is_committed(trial: Trial) {
    claim(&trial, "ada").await;
    let with_row = owned(&trial, "ada");
    for _ in 0..2 {
        assert_eq!(trial.send(&with_row).await.unwrap(), CommitOutcome::Committed);
    }
    trial.ledger().claim(&trial.claim("other", "ada", trial.now)).await.unwrap();
    let alone = Commit { owner: Some("ada".to_owned()), ..trial.commit("other", []) };
    for _ in 0..2 {
        assert_eq!(trial.send(&alone).await.unwrap(), CommitOutcome::Committed);
    }
}

async fn a_released_key_is_free(trial: Trial) {
    claim(&trial, "ada").await;
    trial.ledger().release(&trial.key("k"), "ada").await.unwrap();
    assert_eq!(trial.record("k").await, None);
    trial.ledger().release(&trial.key("k"), "ada").await.unwrap();
    assert_eq!(claim(&trial, "bob").await, ClaimOutcome::Claimed);
}

async fn a_leased_key_is_held(trial: Trial) {
    claim(&trial, "ada").await;
    assert_eq!(claim(&trial, "bob").await, ClaimOutcome::Held(in_progress(&trial, "ada")));
    let just_before = trial.now + LEASE - std::time::Duration::from_millis(1);
    let outcome = trial.ledger().claim(&trial.claim("k", "bob", just_before)).await.unwrap();
    assert_eq!(outcome, ClaimOutcome::Held(in_progress(&trial, "ada")));
}

async fn a_completed_key_is_held(trial: Trial) {
    let commit = trial.commit("k", []);
    trial.send(&commit).await.unwrap();
    let long_after = trial.now + LEASE * 2;
    let outcome = trial.ledger().claim(&trial.claim("k", "ada", long_after)).await.unwrap();
    assert_eq!(outcome, ClaimOutcome::Held(completed(&commit)));
}

/// The answer to the first call may have been lost.
async fn a_claim_repeated_by_its_owner_is_claimed(trial: Trial) {
    claim(&trial, "ada").await;
    assert_eq!(claim(&trial, "ada").await, ClaimOutcome::Claimed);
}

async fn of_two_concurrent_claims_one_wins(trial: Trial) {
    let (ada, bob) = join(claim(&trial, "ada"), claim(&trial, "bob")).await;
    let held_by = |owner| ClaimOutcome::Held(in_progress(&trial, owner));
    let one = (ada == ClaimOutcome::Claimed && bob == held_by("ada"))
        || (bob == ClaimOutcome::Claimed && ada == held_by("bob"));
    assert!(one, "{ada:?}, {bob:?}");
}

async fn an_ended_lease_is_taken_over_and_fences_the_late_owner(trial: Trial) {
    claim(&trial, "ada").await;
    let end = trial.now + LEASE;
    let successor = trial.claim("k", "bob", end);
    assert_eq!(trial.ledger().claim(&successor).await.unwrap(), ClaimOutcome::Claimed);

    assert_eq!(trial.send(&owned(&trial, "ada")).await.unwrap(), CommitOutcome::LeaseLost);
    assert_eq!(trial.load(&trial.row("ada")).await, None);
    trial.ledger().release(&trial.key("k"), "ada").await.unwrap();
    assert_eq!(trial.record("k").await, Some(LedgerRecord::InProgress(successor.lease)));

    let commit = owned(&trial, "bob");
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
    assert_eq!(trial.send(&owned(&trial, "ada")).await.unwrap(), CommitOutcome::Duplicate(completed(&commit)));
}

async fn a_commit_without_the_claim_is_a_duplicate_in_progress(trial: Trial) {
    claim(&trial, "ada").await;
    let put = act(&trial.row("1"), Operation::Put(item([])), absent());
    for actions in [vec![put], Vec::new()] {
        let commit = trial.commit("k", actions);
        assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Duplicate(in_progress(&trial, "ada")));
    }
    assert_eq!(trial.load(&trial.row("1")).await, None);
}

async fn a_commit_of_an_owner_without_a_claim_is_lost(trial: Trial) {
    assert_eq!(trial.send(&owned(&trial, "ada")).await.unwrap(), CommitOutcome::LeaseLost);
    assert_eq!((trial.record("k").await, trial.load(&trial.row("ada")).await), (None, None));
}

async fn a_commit_of_another_owner_is_lost(trial: Trial) {
    claim(&trial, "ada").await;
    assert_eq!(trial.send(&owned(&trial, "bob")).await.unwrap(), CommitOutcome::LeaseLost);
    assert_eq!(trial.load(&trial.row("bob")).await, None);
    trial.ledger().release(&trial.key("k"), "bob").await.unwrap();
    assert_eq!(trial.record("k").await, Some(in_progress(&trial, "ada")));
}

async fn a_failed_condition_leaves_the_claim(trial: Trial) {
    claim(&trial, "ada").await;
    let mut commit = owned(&trial, "ada");
    commit.actions[0].condition = present();
    let outcome = trial.send(&commit).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::ConditionFailed { .. }), "{outcome:?}");
    assert_eq!(trial.record("k").await, Some(in_progress(&trial, "ada")));
    assert_eq!(trial.send(&owned(&trial, "ada")).await.unwrap(), CommitOutcome::Committed);
}

async fn a_release_never_removes_a_completed_record(trial: Trial) {
    claim(&trial, "ada").await;
    let commit = owned(&trial, "ada");
    trial.send(&commit).await.unwrap();
    trial.ledger().release(&trial.key("k"), "ada").await.unwrap();
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
}
