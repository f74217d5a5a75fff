mod buckets;
mod events;
mod faults;
mod grants;
mod intrinsics;
mod lambda;
mod permissions;
mod repository;
mod resources;
mod topics;

use std::{collections::BTreeMap, path::Path};

use super::{Fault, STACK_NAME, Stack, parse};
use crate::account::Account;

fn account() -> Account {
    Account::new("eu-central-1", "http://127.0.0.1:4566")
}

fn parse_with(text: &str, parameters: &[(&str, &str)]) -> Result<Stack, Vec<Fault>> {
    let parameters: BTreeMap<_, _> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse(text, Path::new("/project"), &parameters, (&account(), STACK_NAME))
}

/// The stack of a template that must be right.
fn stack(text: &str) -> Stack {
    parse_with(text, &[]).unwrap()
}

/// The faults of a template that must be wrong, as a person sees them.
fn faults(text: &str) -> Vec<String> {
    parse_with(text, &[]).unwrap_err().iter().map(ToString::to_string).collect()
}

/// A template whose one queue has this text as its tag-free `QueueName`.
fn queue_named(value: &str) -> String {
    format!("Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: {value}\n")
}
