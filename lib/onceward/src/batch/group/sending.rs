use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use futures_channel::oneshot;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Either, Shared, join_all, select},
};

use super::{Forming, lock};
use crate::{Commit, GroupOutcome, Ports, error::chain};

/// Whether a group was written as a whole. All its records drive it: when one is dropped, the others go on.
pub(super) type Sent = Shared<BoxFuture<'static, bool>>;

/// What leaves the gate.
pub(super) struct Departure {
    pub(super) commits: Arc<Vec<Commit>>,
    /// Groups that touch the same items: at once, the two would cancel each other.
    pub(super) after: Vec<Sent>,
}

/// A group that is sent when its gate opens, after `wait`, or when the process is about to be stopped.
pub(super) fn group(
    ports: Ports,
    forming: Weak<Mutex<Forming>>,
    id: u64,
    gate: oneshot::Receiver<Departure>,
    wait: Duration,
) -> Sent {
    let sent = async move {
        let enough = select(ports.clock.sleep(wait), ports.shutdown.requested().boxed());
        let departure = match select(gate, enough).await {
            Either::Left((departure, _)) => departure,
            Either::Right((_, gate)) => {
                if let Some(forming) = forming.upgrade() {
                    lock(&forming).stop_waiting(id);
                }
                gate.await
            }
        };
        match departure {
            Ok(departure) => send(&ports, departure).await,
            Err(oneshot::Canceled) => false,
        }
    };
    // A panic of the ledger must not reach records that it is not about: each meets it in its own call.
    AssertUnwindSafe(sent).catch_unwind().map(|written| written.unwrap_or(false)).boxed().shared()
}

async fn send(ports: &Ports, departure: Departure) -> bool {
    join_all(departure.after).await;
    let records = departure.commits.len();
    if records < 2 {
        return false;
    }
    let token = ports.uuid().to_string();
    match ports.ledger.commit_group(&departure.commits, &token).await {
        Ok(GroupOutcome::Committed) => true,
        Ok(GroupOutcome::Cancelled) => {
            tracing::debug!(records, "a group was cancelled; its commits are sent by themselves");
            false
        }
        Err(error) => {
            tracing::debug!(records, error = chain(&error), "a group failed; its commits are sent by themselves");
            false
        }
    }
}
