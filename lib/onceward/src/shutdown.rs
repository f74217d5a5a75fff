use std::fmt;

use futures_util::{
    FutureExt as _,
    future::{AbortHandle, BoxFuture, Shared, abortable, pending},
};

/// Whether the process is about to be stopped. Clones are one and the same.
///
/// After the request no record is started; those that run get a short grace, and then fail unharmed.
#[derive(Clone)]
pub struct Shutdown {
    handle: AbortHandle,
    requested: Shared<BoxFuture<'static, ()>>,
}

impl Shutdown {
    /// Not requested.
    pub fn new() -> Self {
        let (requested, handle) = abortable(pending::<()>());
        Self { handle, requested: requested.map(drop).boxed().shared() }
    }

    /// Asks everything to come to its end. It cannot be taken back.
    pub fn request(&self) {
        self.handle.abort();
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.handle.is_aborted()
    }

    /// Returns when it is asked for.
    pub async fn requested(&self) {
        self.requested.clone().await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("requested", &self.is_requested()).finish()
    }
}
