use std::sync::Arc;

use super::Function;
use crate::{Access, Description, Entity, Event, FunctionKind};

/// What a function says of itself, for whoever compares it with its template. A test and `onceward dev` hold it to
/// that; deployed, what is not declared happens all the same, with a warning.
impl<D> Function<D> {
    /// It publishes events of type `E`.
    #[must_use]
    pub fn publishes<E: Event>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).publish::<E>();
        self
    }

    /// It reads rows of `T`'s table.
    #[must_use]
    pub fn reads<T: Entity>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).access::<T>(Access::Read);
        self
    }

    /// It writes rows of `T`'s table, and may read them.
    #[must_use]
    pub fn writes<T: Entity>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).access::<T>(Access::Write);
        self
    }

    /// What it is and says of itself.
    pub fn describe(&self) -> Description {
        Description {
            handles: self.handlers.keys().cloned().collect(),
            concurrency: Some(self.settings.concurrency),
            ..Description::of(&self.settings, FunctionKind::Function).with_ledger(&self.settings)
        }
    }
}
