//! Events in the data folder, from their arrival to their end: the next process goes on with them.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attempt::Progress;
use crate::{
    lambda::{
        pool::{Finished, Request},
        spec::Invocation,
    },
    store::{Store, StoreError},
};

/// Events that are not settled, by their requests' ids.
const COLLECTION: &str = "lambda.event";

/// Where one event is stored.
#[derive(Debug)]
pub(super) struct Pending {
    store: Store,
    key: String,
}

/// An event as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    function: String,
    request_id: String,
    trace_id: String,
    /// Base64, as the other.
    payload: String,
    invocations: usize,
    throttles: u32,
    last: Option<Last>,
    received: DateTime<Utc>,
    next: DateTime<Utc>,
}

/// The last attempt that ran, without its log lines: nobody is told of those later.
#[derive(Debug, Serialize, Deserialize)]
struct Last {
    payload: String,
    function_error: Option<String>,
}

/// The events that an earlier process had not settled.
pub(super) fn stored(store: &Store) -> Result<Vec<(Pending, Record)>, StoreError> {
    let records = store.read(COLLECTION)?.into_iter();
    Ok(records.map(|(key, record)| (Pending { store: store.clone(), key }, record)).collect())
}

impl Pending {
    pub(super) fn new(store: Store, request_id: &str) -> Self {
        Self { store, key: request_id.to_owned() }
    }

    pub(super) fn note(&self, function: &str, request: &Request, progress: &Progress) {
        if !self.store.is_durable() {
            return;
        }
        let last = progress.last.as_ref().map(|Finished { invocation, .. }| Last {
            payload: STANDARD.encode(&invocation.payload),
            function_error: invocation.function_error.clone(),
        });
        let record = Record {
            function: function.to_owned(),
            request_id: request.id.clone(),
            trace_id: request.trace_id.clone(),
            payload: STANDARD.encode(&request.payload),
            invocations: progress.invocations,
            throttles: progress.throttles,
            last,
            received: progress.received,
            next: progress.next,
        };
        let mut batch = self.store.batch();
        batch.put(COLLECTION, self.key.as_str(), &record);
        self.store.write(&batch);
    }

    /// It is settled.
    pub(super) fn forget(&self) {
        let mut batch = self.store.batch();
        batch.delete(COLLECTION, self.key.as_str());
        self.store.write(&batch);
    }
}

impl Record {
    pub(super) fn function(&self) -> &str {
        &self.function
    }

    pub(super) fn restore(self) -> (Request, Progress) {
        let Self { request_id, trace_id, payload, invocations, throttles, last, received, next, .. } = self;
        let bytes = |text: &str| Bytes::from(STANDARD.decode(text).unwrap_or_default());
        let last = last.map(|Last { payload, function_error }| Finished {
            request_id: request_id.clone(),
            invocation: Invocation { payload: bytes(&payload), function_error },
            log: Vec::new(),
        });
        let request = Request { payload: bytes(&payload), id: request_id, trace_id, client_context: None };
        (request, Progress { invocations, throttles, last, received, next })
    }
}
