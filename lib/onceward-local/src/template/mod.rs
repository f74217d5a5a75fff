//! The template loader: from a SAM template to what the local cloud must create, or to every reason why it cannot.
//!
//! Nothing is skipped silently. A resource type, property or intrinsic function that the local cloud does not know is an
//! error that names resource, property and line. Properties that make no difference on one machine (encryption,
//! tags, …) are listed by name in `resources/`, one list for each type.

mod destination;
mod document;
mod error;
mod event_rule;
mod function;
mod generated;
mod intrinsics;
mod lines;
mod names;
mod node;
mod parameters;
mod properties;
mod resources;
mod stack;
mod strings;
mod trigger;
mod yaml;

use std::{collections::BTreeMap, path::Path};

use crate::account::Account;

pub use error::{Fault, TemplateError};
pub use lines::Lines;
pub use names::{HTTP_PLACEHOLDER, STACK_NAME};
pub use parameters::Parameter;
pub use stack::{Bucket, Build, Bus, Function, Queue, Rule, Stack, Subscription, Table, Topic, Trigger};

/// Reads the template at `path`. `parameters` override the template's defaults.
///
/// All faults are reported at once; ARNs and URLs are those of `account`.
pub fn load(path: &Path, parameters: &BTreeMap<String, String>, account: &Account) -> Result<Stack, TemplateError> {
    load_as(path, parameters, account, STACK_NAME)
}

/// The same for a stack named `stack_name`: `AWS::StackName`, and what the names begin with that the template leaves out.
pub fn load_as(
    path: &Path,
    parameters: &BTreeMap<String, String>,
    account: &Account,
    stack_name: &str,
) -> Result<Stack, TemplateError> {
    let path =
        std::path::absolute(path).map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
    let text =
        std::fs::read_to_string(&path).map_err(|source| TemplateError::Unreadable { path: path.clone(), source })?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    parse(&text, directory, parameters, (account, stack_name)).map_err(|faults| TemplateError::Faulty { path, faults })
}

/// Reads a template's `text`, whose `CodeUri`s are relative to `directory`.
pub(crate) fn parse(
    text: &str,
    directory: &Path,
    parameters: &BTreeMap<String, String>,
    account: (&Account, &str),
) -> Result<Stack, Vec<Fault>> {
    let faults = error::Faults::default();
    let stack = yaml::parse(text, &faults).and_then(|root| {
        let places = lines::places(&root);
        let document = document::Document::read(root, &faults)?;
        let mut stack = resources::stack(&document, directory, parameters, account, &faults);
        stack.lines.places = places;
        Ok(stack)
    });
    let faults = faults.into_sorted();
    match stack {
        Ok(stack) if faults.is_empty() => Ok(stack),
        _ => Err(faults),
    }
}

#[cfg(test)]
mod tests;
