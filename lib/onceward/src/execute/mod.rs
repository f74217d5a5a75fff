//! Handles one event once: the order of deadline, ledger, handler and commit is fixed here.

mod commit;
mod place;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures_util::{
    FutureExt as _,
    future::{Either, select},
    pin_mut,
};

use tracing::Instrument as _;

use crate::{
    Claim, ClaimOutcome, Fingerprint, FingerprintError, HandlerError, IDEMPOTENCY_KEY_BYTES_MAX, Lease, LedgerKey,
    LedgerRecord, Origin, Reason, circuit_breaker,
    context::Call,
    error::chain,
    function::{Run, Settings},
    idempotency::SOURCE_BYTES_MAX,
};
use place::Place;
pub(crate) use place::{displaced, of_id, of_identity};

/// Work stops this long before the invocation's deadline, so that what failed can still be reported.
pub const DEADLINE_MARGIN: Duration = Duration::from_millis(300);

/// What runs when the process is asked to stop may go on for this long. Lambda kills 500 ms after it asks:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(200);

/// No lease is longer than an invocation can be, whatever two clocks make of it:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>.
const LEASE_MAX: Duration = Duration::from_mins(15);

/// How often a place is claimed while the records that decide which it is come and go.
const CLAIM_TRIES_MAX: u32 = 4;

/// How handling one event ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its effects are written.
    Committed(Option<String>),
    /// They were written before; this is what was answered then.
    Replayed(Option<String>),
    /// There are no effects.
    Failed(Failure),
}

/// Why there are no effects.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Another try may succeed.
    Retry { error: String, after: Option<Duration> },
    /// No try can succeed.
    Terminal { reason: Reason, error: String, field: Option<String> },
}

impl Failure {
    pub(crate) fn terminal(reason: Reason, error: impl Into<String>) -> Self {
        Self::Terminal { reason, error: error.into(), field: None }
    }

    pub(crate) fn retry(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Retry { error: chain(error), after: None }
    }
}

impl From<HandlerError> for Failure {
    fn from(error: HandlerError) -> Self {
        let text = error.to_string();
        match error {
            HandlerError::Retryable { after, .. } => Self::Retry { error: text, after },
            HandlerError::Terminal { message, field } => {
                Self::Terminal { reason: Reason::Terminal, error: message, field }
            }
        }
    }
}

/// One event on its way through the ledger.
pub(crate) struct Execution<'a> {
    settings: &'a Settings,
    call: Arc<Call>,
    origin: Origin,
    /// Why it cannot be handled unless it was before.
    refused: Option<Failure>,
    place: Place,
}

impl<'a> Execution<'a> {
    /// `by_text` is the payload's fingerprint by the rule of earlier builds, which a payload without a value has too.
    pub(crate) fn new(
        settings: &'a Settings,
        call: Arc<Call>,
        fingerprint: Result<Fingerprint, FingerprintError>,
        by_text: impl FnOnce() -> Fingerprint,
    ) -> Self {
        let refusal = |error: FingerprintError| Failure::Terminal {
            reason: Reason::SchemaRefused,
            field: error.path().map(str::to_owned),
            error: error.to_string(),
        };
        let (fingerprint, refused) = match fingerprint {
            Ok(fingerprint) => (fingerprint, None),
            // The parser of the payload's type says more about it.
            Err(FingerprintError::NotJson) => (by_text(), None),
            Err(error) => (by_text(), Some(refusal(error))),
        };
        let (event, lambda) = (call.identity.clone(), call.ports.deployment.lambda.clone());
        Self { settings, call, origin: Origin { fingerprint, event, lambda }, refused, place: Place::default() }
    }
}

impl Execution<'_> {
    /// Runs to an outcome, whatever the handler does: a panic, a passed deadline and the end of the process are retryable
    /// failures.
    ///
    /// `found` has the ledger's record, if it was read already; `start` begins one run of the handler.
    pub(crate) async fn run(
        &self,
        found: &HashMap<LedgerKey, LedgerRecord>,
        start: impl Fn() -> Result<Run, Failure>,
    ) -> Outcome {
        let outcome = self.run_until_cut_off(found, start).await;
        circuit_breaker::not_while_open(self.settings, &self.call.ports, outcome)
    }

    async fn run_until_cut_off(
        &self,
        found: &HashMap<LedgerKey, LedgerRecord>,
        start: impl Fn() -> Result<Run, Failure>,
    ) -> Outcome {
        let owner = self.settings.guarded.then(|| self.call.ports.uuid().to_string());
        let work = AssertUnwindSafe(self.handle(found, owner.as_deref(), start)).catch_unwind().instrument(self.span());
        let (deadline, shutdown) = (self.deadline_near(), self.shutdown_over());
        pin_mut!(work, deadline, shutdown);
        let error = match select(work, select(deadline, shutdown)).await {
            Either::Left((Ok(outcome), _)) => return outcome,
            Either::Left((Err(panic), _)) => format!("the handler panicked: {}", panic_message(panic.as_ref())),
            Either::Right((Either::Left(_), _)) => {
                "the invocation's deadline is near and the handler is not done".to_owned()
            }
            Either::Right((Either::Right(_), _)) => {
                if let Some(owner) = &owner {
                    self.release(owner).await;
                }
                "the process is being stopped and the handler is not done".to_owned()
            }
        };
        Outcome::Failed(Failure::Retry { error, after: None })
    }

    /// What every line that a handler logs says of its event.
    fn span(&self) -> tracing::Span {
        let event = &self.call.event;
        tracing::info_span!(
            "event",
            function = self.settings.name,
            event_type = event.event_type,
            event_id = event.id,
            correlation_id = event.correlation_id,
            attempt = self.call.attempt,
        )
    }

    async fn deadline_near(&self) {
        let clock = &self.call.ports.clock;
        clock.sleep(self.call.invocation.remaining(clock.as_ref()).saturating_sub(DEADLINE_MARGIN)).await;
    }

    async fn shutdown_over(&self) {
        self.call.ports.shutdown.requested().await;
        self.call.ports.clock.sleep(SHUTDOWN_GRACE).await;
    }

    async fn handle(
        &self,
        found: &HashMap<LedgerKey, LedgerRecord>,
        owner: Option<&str>,
        start: impl Fn() -> Result<Run, Failure>,
    ) -> Outcome {
        if let Err(failure) = self.admit() {
            return Outcome::Failed(failure);
        }
        while let Some(record @ LedgerRecord::Completed(_)) = found.get(&self.key()) {
            if !self.moves_from(record) {
                return self.duplicate(record.clone());
            }
        }
        if let Some(failure) = &self.refused {
            return self.unless_duplicate(failure.clone()).await;
        }
        if let Some(open) = circuit_breaker::refusal(self.settings, &self.call.ports).await {
            return Outcome::Failed(HandlerError::from(open).into());
        }
        let Some(owner) = owner else { return self.run_and_commit(None, &start).await };
        if let Err(outcome) = self.take(owner).await {
            return outcome;
        }
        let run = AssertUnwindSafe(self.run_and_commit(Some(owner), &start)).catch_unwind().await;
        if !matches!(run, Ok(Outcome::Committed(_) | Outcome::Replayed(_))) {
            self.release(owner).await;
        }
        run.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Claims the event's place for this owner.
    async fn take(&self, owner: &str) -> Result<(), Outcome> {
        for _ in 0..CLAIM_TRIES_MAX {
            self.hold_place().await.map_err(|error| Outcome::Failed(Failure::retry(&error)))?;
            match self.call.ports.ledger.claim(&self.claim(owner)).await {
                Ok(ClaimOutcome::Claimed) => return Ok(()),
                Ok(ClaimOutcome::Held(record)) if self.moves_from(&record) => {}
                Ok(ClaimOutcome::Held(record)) => return Err(self.duplicate(record)),
                Err(error) => return Err(Outcome::Failed(Failure::retry(&error))),
            }
        }
        let error = format!("the records at {} came and went {CLAIM_TRIES_MAX} times", self.key());
        Err(Outcome::Failed(Failure::Retry { error, after: None }))
    }

    /// Gives the key back, if it is still this owner's.
    async fn release(&self, owner: &str) {
        if let Err(error) = self.call.ports.ledger.release(&self.key(), owner).await {
            tracing::warn!(key = %self.key(), error = chain(&error), "the lease could not be released; it ends by itself");
        }
    }

    /// What can be refused without any call.
    fn admit(&self) -> Result<(), Failure> {
        let length = of_id(self.settings.name, &self.call).idempotency_key.len();
        if !(1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&length) {
            let error =
                format!("the idempotency key has {length} bytes: 1 to {IDEMPOTENCY_KEY_BYTES_MAX} are possible");
            return Err(Failure::terminal(Reason::IdempotencyKeyInvalid, error));
        }
        if let Some(source) = self.call.identity.as_ref().map(|identity| identity.source.len())
            && source > SOURCE_BYTES_MAX
        {
            let error = format!("the event's source has {source} bytes: at most {SOURCE_BYTES_MAX} are possible");
            return Err(Failure::terminal(Reason::IdempotencyKeyInvalid, error));
        }
        let age = self.call.ports.clock.now() - self.call.event.time;
        if age > self.retention() {
            let error = format!(
                "the event is of {}, and the ledger remembers {} s: whether it was handled can no longer be told",
                self.call.event.time.to_rfc3339(),
                self.retention().num_seconds(),
            );
            return Err(Failure::terminal(Reason::TooLate, error));
        }
        Ok(())
    }

    /// What to do about a record that another delivery, or an earlier try of this one, has written.
    fn duplicate(&self, record: LedgerRecord) -> Outcome {
        if let Some(outcome) = self.of_another_event(&record) {
            return outcome;
        }
        let origin = record.origin();
        if let Some(failure) = self.of_another_function(origin) {
            return Outcome::Failed(failure);
        }
        if !origin.fingerprint.is_of_the_payload_of(&self.origin.fingerprint) {
            let error = format!("the key {} was used before with another payload", self.key());
            return Outcome::Failed(Failure::terminal(Reason::IdempotencyKeyReused, error));
        }
        match record {
            LedgerRecord::Completed(completed) => Outcome::Replayed(completed.result),
            LedgerRecord::InProgress(lease) => {
                let error = format!("{} is being handled by another delivery", self.key());
                Outcome::Failed(Failure::Retry { error, after: Some(self.lease_left(&lease)) })
            }
        }
    }

    /// A record that another Lambda function has written says nothing about what this one did.
    fn of_another_function(&self, origin: &Origin) -> Option<Failure> {
        let deployment = &self.call.ports.deployment;
        let writer = origin.lambda.as_deref().filter(|writer| !deployment.wrote(writer))?;
        let (name, own) = (self.settings.name, deployment.lambda.as_deref().unwrap_or_default());
        let error = format!(
            "the record of {} was written by the Lambda function {writer}, and this is {own}: two functions are called              {name:?} in `Function::new` or `Command::new`, so rename one of them; or, if {writer} is a former name of              {own}, set FORMER_FUNCTION_NAMES={writer}",
            self.key(),
        );
        Some(Failure::terminal(Reason::RecordOfAnotherFunction, error))
    }

    fn lease_left(&self, lease: &Lease) -> Duration {
        self.call.ports.until(lease.expires_at).min(LEASE_MAX)
    }

    fn claim(&self, owner: &str) -> Claim {
        let now = self.call.ports.clock.now();
        let expires_at = self.call.invocation.deadline();
        let lease = Lease { owner: owner.to_owned(), origin: self.origin.clone(), expires_at };
        Claim { key: self.key(), lease, now, expires_at: now + self.retention() }
    }

    fn retention(&self) -> TimeDelta {
        TimeDelta::from_std(self.settings.retention).unwrap_or(TimeDelta::MAX)
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
