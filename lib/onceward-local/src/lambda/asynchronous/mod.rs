//! Asynchronous invocation: events wait in Lambda, not with their sender, and are tried again when they fail.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
//!
//! - *attempt*: one event from its arrival to its end. *pending*: events in the data folder. *record*: what destinations
//!   and dead-letter queues are told.

mod attempt;
mod pending;
mod record;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use self::attempt::{Event, Progress};
use self::pending::Pending;
use super::{
    error::LambdaError,
    pool::{Pool, Request},
    service::{EVENT_BYTES_MAX, EVENTS_MAX, Lambda},
    tasks::stopped,
};
use crate::store::{Store, StoreError};

/// Delays before the second and the third try of an event whose function failed.
pub const EVENT_RETRY_DELAYS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
/// Delay before an event that was throttled is tried again; doubles up to [`THROTTLED_DELAY_MAX`].
pub const THROTTLED_DELAY_MIN: Duration = Duration::from_secs(1);
/// Longest delay before an event that was throttled is tried again.
pub const THROTTLED_DELAY_MAX: Duration = Duration::from_mins(5);

impl Lambda {
    /// Invokes `name` and does not wait; gives the id of the request, which its retries keep. It is refused at once only
    /// if there is no such function, the payload is too large, or too many events wait already.
    pub(crate) fn invoke_later(
        &self,
        name: &str,
        payload: Bytes,
        trace_id: Option<String>,
    ) -> Result<String, LambdaError> {
        if payload.len() > EVENT_BYTES_MAX {
            return Err(LambdaError::RequestTooLarge { bytes_max: EVENT_BYTES_MAX });
        }
        let pool = self.pool(name)?;
        let room = Arc::clone(self.events()).try_acquire_owned().map_err(|_| LambdaError::TooManyRequests {
            function: pool.spec.name.clone(),
            running: pool.processes().len(),
            waiting: EVENTS_MAX,
        })?;
        let request = Request::new(payload, trace_id);
        let request_id = request.id.clone();
        // The queue in front of a function delivers at least once, and the copy has the same id.
        if self.faults().invoked_twice(&pool.spec.name) {
            self.invoke_copy(&pool, request.clone());
        }
        let store = self.destinations().services().map(|services| services.store.clone()).unwrap_or_default();
        let event = Event::new(self.clone(), pool, request, Pending::new(store, &request_id));
        let progress = Progress::new();
        event.note(&progress);
        let mut stop = self.tasks().stop();
        self.tasks().spawn(async move {
            tokio::select! {
                () = stopped(&mut stop) => {}
                () = event.settle(progress) => {}
            }
            drop(room);
        });
        Ok(request_id)
    }

    /// Runs an event of which another copy is settled: what becomes of this one, nobody is told.
    fn invoke_copy(&self, pool: &Arc<Pool>, request: Request) {
        let pool = Arc::clone(pool);
        let mut stop = self.tasks().stop();
        self.tasks().spawn(async move {
            let run = async { pool.run(pool.admit().await?, request).await };
            tokio::select! {
                () = stopped(&mut stop) => {}
                _ = run => {}
            }
        });
    }

    /// Goes on with the events that an earlier process had not settled. Those of functions that are gone are too.
    pub(crate) fn resume(&self, store: &Store) -> Result<(), StoreError> {
        for (pending, record) in pending::stored(store)? {
            let Ok(pool) = self.pool(record.function()) else {
                pending.forget();
                continue;
            };
            let (request, progress) = record.restore();
            let event = Event::new(self.clone(), pool, request, pending);
            let room = Arc::clone(self.events());
            let mut stop = self.tasks().stop();
            self.tasks().spawn(async move {
                let settle = async {
                    let _room = room.acquire_owned().await;
                    event.settle(progress).await;
                };
                tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = settle => {}
                }
            });
        }
        Ok(())
    }
}
