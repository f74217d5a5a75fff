use chrono::TimeDelta;
use onceward::{
    Claim, ClaimOutcome, Commit, CommitOutcome, EventIdentity, Fingerprint, Lease, LedgerKey, LedgerRecord, Origin,
};

use super::{
    cases,
    trial::{Trial, completed},
};

cases![
    a_commit_keeps_all_that_it_says_of_its_origin,
    a_claim_keeps_all_that_it_says_of_its_origin,
    a_commit_that_says_little_of_its_origin_is_read_as_one,
    a_completed_claim_has_the_origin_of_its_commit,
    a_group_keeps_the_origin_of_each_commit,
    to_keep_what_is_not_there_makes_nothing,
    to_keep_a_record_answers_it_and_changes_nothing_of_it,
    to_keep_a_claim_leaves_it_to_its_owner,
];

fn origin(event: Option<(&str, &str)>) -> Origin {
    let event = event.map(|(source, id)| EventIdentity { source: source.to_owned(), id: id.to_owned() });
    let fingerprint = Fingerprint { text: "digest".to_owned(), jcs: Some([0xff; 32]) };
    Origin { fingerprint, event, lambda: Some("stack-Function-1".to_owned()) }
}

/// Origins of events whose id is the key, and is not.
fn origins(key: &LedgerKey) -> [Origin; 3] {
    let id = key.idempotency_key.as_str();
    [origin(Some(("urn:till#1", id))), origin(Some(("urn:till%", "another id"))), origin(None)]
}

async fn a_commit_keeps_all_that_it_says_of_its_origin(trial: Trial) {
    for (place, name) in ["1", "2", "3"].into_iter().enumerate() {
        let commit = trial.commit(name, []);
        let commit = Commit { origin: origins(&commit.key)[place].clone(), ..commit };
        assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
        assert_eq!(trial.record(name).await, Some(completed(&commit)));
        let again = Commit { origin: Origin::default(), ..trial.commit(name, []) };
        assert_eq!(trial.send(&again).await.unwrap(), CommitOutcome::Duplicate(completed(&commit)));
    }
}

async fn a_claim_keeps_all_that_it_says_of_its_origin(trial: Trial) {
    for (place, name) in ["1", "2", "3"].into_iter().enumerate() {
        let claim = trial.claim(name, "ada", trial.now);
        let claim = Claim { lease: Lease { origin: origins(&claim.key)[place].clone(), ..claim.lease }, ..claim };
        assert_eq!(trial.ledger().claim(&claim).await.unwrap(), ClaimOutcome::Claimed);
        let held = LedgerRecord::InProgress(claim.lease);
        assert_eq!(trial.record(name).await.as_ref(), Some(&held));
        let other = trial.ledger().claim(&trial.claim(name, "bob", trial.now)).await.unwrap();
        assert_eq!(other, ClaimOutcome::Held(held));
    }
}

/// Builds before the second rule wrote the first one's digest, and nothing else.
async fn a_commit_that_says_little_of_its_origin_is_read_as_one(trial: Trial) {
    let origin = Origin::from(Fingerprint::of_text("digest"));
    let commit = Commit { origin, ..trial.commit("k", []) };
    trial.send(&commit).await.unwrap();
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
}

async fn a_completed_claim_has_the_origin_of_its_commit(trial: Trial) {
    trial.ledger().claim(&trial.claim("k", "ada", trial.now)).await.unwrap();
    let commit = trial.commit("k", []);
    let commit = Commit { owner: Some("ada".to_owned()), origin: origins(&commit.key)[0].clone(), ..commit };
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(trial.record("k").await, Some(completed(&commit)));
}

async fn a_group_keeps_the_origin_of_each_commit(trial: Trial) {
    let commits = ["1", "2", "3"].map(|name| trial.commit(name, []));
    let origins = origins(&commits[0].key);
    let commits: Vec<_> =
        commits.into_iter().zip(origins).map(|(commit, origin)| Commit { origin, ..commit }).collect();
    trial.send_group(&commits).await.unwrap();
    for (commit, name) in commits.iter().zip(["1", "2", "3"]) {
        assert_eq!(trial.record(name).await, Some(completed(commit)));
    }
}

async fn to_keep_what_is_not_there_makes_nothing(trial: Trial) {
    let until = trial.now + TimeDelta::days(30);
    assert_eq!(trial.ledger().keep(&trial.key("k"), until).await.unwrap(), None);
    assert_eq!(trial.record("k").await, None);
    let commit = trial.commit("k", []);
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
}

/// Longer than it would be remembered anyway, as long, and less long.
async fn to_keep_a_record_answers_it_and_changes_nothing_of_it(trial: Trial) {
    let commit = trial.commit("k", []);
    let commit = Commit { origin: origins(&commit.key)[1].clone(), ..commit };
    trial.send(&commit).await.unwrap();
    for days in [30, 30, 10, 40] {
        let until = trial.now + TimeDelta::days(days);
        assert_eq!(trial.ledger().keep(&trial.key("k"), until).await.unwrap(), Some(completed(&commit)));
        assert_eq!(trial.record("k").await, Some(completed(&commit)));
    }
}

async fn to_keep_a_claim_leaves_it_to_its_owner(trial: Trial) {
    let claim = trial.claim("k", "ada", trial.now);
    trial.ledger().claim(&claim).await.unwrap();
    let until = trial.now + TimeDelta::days(30);
    let kept = trial.ledger().keep(&trial.key("k"), until).await.unwrap();
    assert_eq!(kept, Some(LedgerRecord::InProgress(claim.lease)));
    let commit = Commit { owner: Some("ada".to_owned()), ..trial.commit("k", []) };
    assert_eq!(trial.send(&commit).await.unwrap(), CommitOutcome::Committed);
}
