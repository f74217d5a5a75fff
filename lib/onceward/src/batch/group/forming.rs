use std::{collections::HashSet, sync::Arc};

use futures_channel::oneshot;

use super::{
    GROUP_ACTIONS_MAX, GROUP_BYTES_MAX,
    sending::{Departure, Sent},
};
use crate::{Commit, Key, LedgerKey};

/// The groups of a batch that are not written yet, and who may still join them.
pub(super) struct Forming {
    /// The setting: how many records a group has at most.
    pub(super) records_max: usize,
    /// How many lanes run at a time.
    concurrency: usize,
    /// Lanes that have not ended.
    pub(super) lanes: usize,
    /// Records that are in a commit, grouped or alone.
    committing: usize,
    /// Records that somebody has waited for in vain.
    late: usize,
    /// Records whose commit was sent by itself once: they might cancel a group again.
    pub(super) alone: HashSet<LedgerKey>,
    groups: Vec<Group>,
    opened: u64,
}

/// Commits that are, or will be, one transaction.
struct Group {
    id: u64,
    commits: Arc<Vec<Commit>>,
    /// What the commits count in a transaction. How large the rows are that an update changes is not known here: a group that
    /// DynamoDB finds too large is sent commit by commit.
    bytes: usize,
    /// Closed once the group takes no more commits and is sent.
    gate: Option<oneshot::Sender<Departure>>,
    sent: Sent,
}

/// What no two actions of a transaction may both touch.
#[derive(PartialEq, Eq, Hash)]
enum Touched<'a> {
    Record(&'a LedgerKey),
    Row(&'static str, &'a Key),
}

fn touched(commit: &Commit) -> impl Iterator<Item = Touched<'_>> {
    let rows = commit.actions.iter().map(|action| Touched::Row(action.table, &action.key));
    std::iter::once(Touched::Record(&commit.key)).chain(rows)
}

fn actions(commits: &[Commit]) -> usize {
    commits.iter().map(|commit| commit.actions.len() + 1).sum()
}

impl Group {
    /// Whether it has an item in common with these commits.
    fn meets(&self, commits: &[Commit]) -> bool {
        let items: HashSet<_> = self.commits.iter().flat_map(touched).collect();
        commits.iter().flat_map(touched).any(|item| items.contains(&item))
    }

    fn takes(&self, commit: &Commit) -> bool {
        let one = std::slice::from_ref(commit);
        self.gate.is_some()
            && actions(&self.commits) + actions(one) <= GROUP_ACTIONS_MAX
            && self.bytes + commit.transaction_bytes() <= GROUP_BYTES_MAX
            && !self.meets(one)
    }

    fn is_full(&self, records_max: usize) -> bool {
        self.commits.len() >= records_max || actions(&self.commits) >= GROUP_ACTIONS_MAX
    }
}

impl Forming {
    pub(super) fn new(records_max: usize, concurrency: usize) -> Self {
        let (alone, groups) = (HashSet::new(), Vec::new());
        Self { records_max, concurrency, lanes: 0, committing: 0, late: 0, alone, groups, opened: 0 }
    }

    /// Puts the commit into the first group that can take it, or into a new one, which `open` makes.
    pub(super) fn join(
        &mut self,
        commit: &Commit,
        open: impl FnOnce(u64, oneshot::Receiver<Departure>) -> Sent,
    ) -> Option<(u64, Sent)> {
        self.committing += 1;
        self.groups.retain(|group| group.sent.peek().is_none());
        let seat = (!self.alone.contains(&commit.key)).then(|| self.seat(commit, open));
        self.close_those_due();
        seat
    }

    fn seat(&mut self, commit: &Commit, open: impl FnOnce(u64, oneshot::Receiver<Departure>) -> Sent) -> (u64, Sent) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.takes(commit)) {
            Arc::make_mut(&mut group.commits).push(commit.clone());
            group.bytes += commit.transaction_bytes();
            return (group.id, group.sent.clone());
        }
        self.opened += 1;
        let (id, (gate, opens)) = (self.opened, oneshot::channel());
        let sent = open(id, opens);
        let (commits, bytes) = (Arc::new(vec![commit.clone()]), commit.transaction_bytes());
        self.groups.push(Group { id, commits, bytes, gate: Some(gate), sent: sent.clone() });
        (id, sent)
    }

    /// The commit is done, or its record is dropped: then it must not be sent any more, if it was not yet.
    pub(super) fn leave(&mut self, group: Option<u64>, commit_id: &str) {
        self.committing -= 1;
        if let Some(group) = self.groups.iter_mut().find(|of| Some(of.id) == group && of.gate.is_some()) {
            Arc::make_mut(&mut group.commits).retain(|commit| commit.commit_id != commit_id);
            group.bytes = group.commits.iter().map(Commit::transaction_bytes).sum();
        }
        self.groups.retain(|group| !group.commits.is_empty());
    }

    /// The group has waited long enough, for records that nobody waits for again.
    pub(super) fn stop_waiting(&mut self, id: u64) {
        if self.groups.iter().any(|group| group.id == id && group.gate.is_some()) {
            self.late = self.running().saturating_sub(self.committing);
            self.close_those_due();
        }
    }

    /// Lanes that run: the next one begins as soon as one ends.
    fn running(&self) -> usize {
        self.lanes.min(self.concurrency.max(1))
    }

    /// Sends the groups that are full, and all of them if nobody is left to wait for.
    pub(super) fn close_those_due(&mut self) {
        let all_are_here = self.committing + self.late >= self.running();
        for index in 0..self.groups.len() {
            if all_are_here || self.groups[index].is_full(self.records_max) {
                self.close(index);
            }
        }
    }

    fn close(&mut self, index: usize) {
        let Some(gate) = self.groups[index].gate.take() else { return };
        let commits = Arc::clone(&self.groups[index].commits);
        let others = self.groups.iter().enumerate().filter(|(at, group)| *at != index && group.gate.is_none());
        let after = others.filter(|(_, group)| group.meets(&commits)).map(|(_, group)| group.sent.clone()).collect();
        // Nobody receives it if all its records were dropped: then there is nothing to send.
        let _ = gate.send(Departure { commits, after });
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{Action, Condition, Item, Operation, Origin};

    /// A commit that counts so many bytes in a transaction, and writes a row of its own.
    fn commit(name: &str, bytes: usize) -> Commit {
        let text = |length| crate::AttributeValue::S("x".repeat(length));
        let put = |length| Action {
            table: "t",
            key: Key::new("pk", name),
            operation: Operation::Put(Item::from([("s".to_owned(), text(length))])),
            condition: Condition::All(Vec::new()),
        };
        let commit = |length| Commit {
            key: LedgerKey { function: "f".to_owned(), idempotency_key: name.to_owned() },
            commit_id: name.to_owned(),
            origin: Origin::default(),
            owner: None,
            actions: vec![put(length)],
            events: Vec::new(),
            answer: None,
            committed_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
        };
        let commit = commit(bytes - commit(0).transaction_bytes());
        assert_eq!(commit.transaction_bytes(), bytes);
        commit
    }

    /// The group of each commit, in a batch that waits for more.
    fn groups(forming: &mut Forming, commits: &[Commit]) -> Vec<u64> {
        let open = |_, _| std::future::pending().boxed().shared();
        commits.iter().map(|commit| forming.join(commit, open).expect("a seat").0).collect()
    }

    fn forming(records_max: usize) -> Forming {
        Forming { lanes: 200, ..Forming::new(records_max, 200) }
    }

    #[test]
    fn a_group_is_full_at_the_bytes_of_a_transaction_and_not_before() {
        let half = GROUP_BYTES_MAX / 2;
        assert_eq!(groups(&mut forming(9), &[commit("a", half), commit("b", half)]), [1, 1]);
        assert_eq!(groups(&mut forming(9), &[commit("a", half), commit("b", half + 1), commit("c", half)]), [1, 2, 1]);
    }

    #[test]
    fn who_leaves_makes_room() {
        let half = GROUP_BYTES_MAX / 2;
        let mut forming = forming(9);
        assert_eq!(groups(&mut forming, &[commit("a", half), commit("b", half), commit("c", half)]), [1, 1, 2]);
        forming.leave(Some(1), "a");
        assert_eq!(groups(&mut forming, &[commit("d", half), commit("e", half)]), [1, 2]);
    }

    #[test]
    fn a_group_is_full_at_a_hundred_actions() {
        let mut commits: Vec<_> = (0..51).map(|name| commit(&name.to_string(), 1_000)).collect();
        assert_eq!(groups(&mut forming(100), &commits), [vec![1; 50], vec![2]].concat());
        commits[0].actions.clear();
        assert_eq!(groups(&mut forming(100), &commits), [vec![1; 50], vec![2]].concat(), "99 and two are too many");
    }
}
