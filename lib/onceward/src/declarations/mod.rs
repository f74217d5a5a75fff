use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Entity, Event, Operation, UnitOfWorkError, unit_of_work::Parts};

/// What a function does with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Its handlers read rows.
    Read,
    /// Its handlers write rows, and may read them.
    Write,
}

/// What a function says that it publishes, reads and writes: it is held to it, and to its template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declarations {
    publishes: BTreeSet<String>,
    tables: BTreeMap<&'static str, Access>,
    warned: Arc<AtomicBool>,
}

impl Declarations {
    pub(crate) fn publish<E: Event>(&mut self) {
        self.publishes.insert(E::wire_type());
    }

    pub(crate) fn access<T: Entity>(&mut self, access: Access) {
        let known = self.tables.entry(T::TABLE).or_insert(access);
        *known = access.max(*known);
    }

    pub(crate) fn event_types(&self) -> impl Iterator<Item = &String> {
        self.publishes.iter()
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = (&'static str, Access)> {
        self.tables.iter().map(|(table, access)| (*table, *access))
    }

    /// Whether handlers may read the table.
    pub(crate) fn reads(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Refuses effects that were not declared, if `strict`. Otherwise they are warned of once: where an event is at
    /// stake, a missing line of code is no reason to lose it.
    pub(crate) fn check(&self, function: &'static str, effects: &Parts, strict: bool) -> Result<(), UnitOfWorkError> {
        let Some(undeclared) = self.undeclared(function, effects) else { return Ok(()) };
        if strict {
            return Err(undeclared);
        }
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(function, error = undeclared.to_string(), "not declared");
        }
        Ok(())
    }

    fn undeclared(&self, function: &'static str, effects: &Parts) -> Option<UnitOfWorkError> {
        let event = effects.events.iter().find(|event| !self.publishes.contains(&event.event_type));
        if let Some(event) = event {
            let (does, line) = (format!("publishes {}", event.event_type), "publishes");
            return Some(UnitOfWorkError::Undeclared { function, does, line });
        }
        effects.actions.iter().find_map(|action| {
            let writes = action.operation != Operation::Check;
            let (needed, does, line) = match writes {
                true => (Access::Write, "writes", "writes"),
                false => (Access::Read, "checks", "reads"),
            };
            let declared = self.tables.get(action.table).is_some_and(|access| *access >= needed);
            let does = || format!("{does} rows of the table `{}`", action.table);
            (!declared).then(|| UnitOfWorkError::Undeclared { function, does: does(), line })
        })
    }
}

#[cfg(test)]
mod tests;
