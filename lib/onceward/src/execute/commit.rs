use super::{Execution, Failure, Outcome};
use crate::{
    Backoff, Commit, CommitOutcome, Envelope, FailedRow, Reason, UnitOfWorkError,
    error::chain,
    function::Run,
    unit_of_work::{Parts, PendingEvent},
};

/// How often a handler runs on fresh reads after it lost a race, before the message is retried later.
const RUNS_MAX: u32 = 5;

/// How often one commit is sent when its outcome is unknown or the ledger was busy.
const COMMIT_TRIES_MAX: u32 = 5;

impl Execution<'_> {
    /// Runs the handler and commits, again on fresh reads when a condition failed.
    pub(super) async fn run_and_commit(
        &self,
        owner: Option<&str>,
        start: &impl Fn() -> Result<Run, Failure>,
    ) -> Outcome {
        let (mut failed, mut excluded) = (Vec::new(), Vec::new());
        for run in 1..=RUNS_MAX {
            if run > 1 {
                self.pause(run - 1).await;
            }
            if owner.is_none()
                && let Err(error) = self.hold_place().await
            {
                return Outcome::Failed(Failure::retry(&error));
            }
            let handler = match start() {
                Ok(handler) => handler,
                Err(failure) => return Outcome::Failed(failure),
            };
            let commit = handler.await.map_err(Failure::from).and_then(|unit| {
                let commit = unit.into_parts().and_then(|parts| self.commit(parts, owner));
                commit.map_err(|error| Failure::terminal(Reason::InvalidUnitOfWork, error.to_string()))
            });
            let commit = match commit {
                Ok(commit) => commit,
                Err(failure) if owner.is_some() => return Outcome::Failed(failure),
                Err(failure) => return self.unless_duplicate(failure).await,
            };
            match self.send(&commit).await {
                Ok(CommitOutcome::Committed) => return self.committed(commit),
                Ok(CommitOutcome::Duplicate(record)) if owner.is_none() && self.moves_from(&record) => {}
                Ok(CommitOutcome::Duplicate(record)) => return self.duplicate(record),
                Ok(CommitOutcome::LeaseLost) => {
                    let error = "the lease ended before the commit, and another delivery may hold it".to_owned();
                    return Outcome::Failed(Failure::Retry { error, after: None });
                }
                Ok(CommitOutcome::ConditionFailed { rows }) => {
                    let before = std::mem::replace(&mut excluded, excluded_rows(&commit, &rows));
                    if let Some(row) = excluded.iter().find(|row| before.contains(row)) {
                        return Outcome::Failed(cannot_hold(row));
                    }
                    failed = rows;
                }
                Err(failure) => return Outcome::Failed(failure),
            }
        }
        let rows: Vec<_> = failed.iter().map(ToString::to_string).collect();
        let error = format!("conditions failed {RUNS_MAX} times running, the last time on {}", rows.join(", "));
        Outcome::Failed(Failure::Retry { error, after: None })
    }

    fn committed(&self, commit: Commit) -> Outcome {
        let subject = commit.events.into_iter().next().and_then(|event| event.subject);
        if let Some(subject) = subject.filter(|_| self.call.event.subject.is_empty()) {
            self.call.subject.get_or_init(|| subject);
        }
        Outcome::Committed(commit.answer)
    }

    /// Sends one commit until its outcome is known, within the tries.
    async fn send(&self, commit: &Commit) -> Result<CommitOutcome, Failure> {
        let mut attempt = 1;
        loop {
            match self.call.ports.ledger.commit(commit).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.transient && attempt < COMMIT_TRIES_MAX => {
                    tracing::debug!(key = %commit.key, attempt, error = chain(&error), "commit again");
                    self.pause(attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(Failure::retry(&error)),
            }
        }
    }

    fn commit(&self, effects: Parts, owner: Option<&str>) -> Result<Commit, UnitOfWorkError> {
        let ports = &self.call.ports;
        self.settings.declared.check(self.settings.name, &effects, ports.strict)?;
        let commit_id = ports.uuid().to_string();
        let committed_at = ports.clock.now();
        let events = effects.events.into_iter().enumerate();
        let envelope = |(index, event)| self.envelope(&commit_id, index, event, committed_at);
        let commit = Commit {
            key: self.key(),
            origin: self.origin.clone(),
            owner: owner.map(str::to_owned),
            actions: effects.actions,
            events: events.map(envelope).collect(),
            answer: effects.answer,
            committed_at,
            expires_at: committed_at + self.retention(),
            commit_id,
        };
        commit.check(effects.row_bytes)?;
        Ok(commit)
    }

    /// An event's id is its commit's id and its place in it, so that either leads to the other.
    fn envelope(
        &self,
        commit_id: &str,
        index: usize,
        event: PendingEvent,
        time: chrono::DateTime<chrono::Utc>,
    ) -> Envelope {
        let cause = &self.call.event;
        let trace = cause.trace.child(self.call.ports.randomness.next_u64());
        Envelope {
            specversion: "1.0".to_owned(),
            id: format!("{commit_id}.{index}"),
            source: self.settings.source.to_owned(),
            dataschema: Some(format!("urn:onceward:schema:{}", event.event_type)),
            event_type: event.event_type,
            time,
            subject: Some(event.subject).filter(|subject| !subject.is_empty()),
            datacontenttype: Some("application/json".to_owned()),
            correlationid: Some(cause.correlation_id.clone()),
            causationid: Some(cause.id.clone()),
            traceparent: Some(trace.to_string()),
            sequence: event.sequence.map(|sequence| sequence.to_string()),
            data: event.data,
        }
    }

    async fn pause(&self, attempt: u32) {
        let ports = &self.call.ports;
        ports.clock.sleep(Backoff::COMMITS.after(attempt, ports.randomness.as_ref())).await;
    }
}

/// Of the rows whose conditions failed, those whose being there, or not, is enough for that.
fn excluded_rows(commit: &Commit, failed: &[FailedRow]) -> Vec<FailedRow> {
    let excludes = |row: &&FailedRow| {
        let action = commit.actions.iter().find(|action| action.table == row.table && action.key == row.key);
        action.is_some_and(|action| action.condition.excludes(row.exists))
    };
    failed.iter().filter(excludes).cloned().collect()
}

/// What a run on fresh reads did not change is no race.
fn cannot_hold(row: &FailedRow) -> Failure {
    let (is, needs) = match row.exists {
        true => ("exists", "needs that it does not"),
        false => ("does not exist", "needs it"),
    };
    let error = format!("the row {row} {is}, and the unit of work {needs}: so it was in two runs, each on fresh reads");
    Failure::terminal(Reason::ConditionCannotHold, error)
}
