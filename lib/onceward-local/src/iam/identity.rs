//! What a role may do, and which of it was used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::Context;
use super::policy::{Effect, Policy, Statement};

/// A policy of a role, by its name.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// As in the template, or the managed policy's.
    pub name: String,
    /// The document.
    pub policy: Arc<Policy>,
    /// Whether nobody wrote it: what SAM adds by itself is not listed as unused.
    pub implicit: bool,
}

/// The policies of one role, with a mark for each permission that was used.
#[derive(Debug)]
pub(crate) struct Identity {
    policies: Vec<Attached>,
    boundary: Option<Arc<Policy>>,
}

#[derive(Debug)]
struct Attached {
    named: NamedPolicy,
    /// For each statement, a mark for each action with each resource.
    used: Vec<Vec<AtomicBool>>,
}

/// A permission that nobody used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Unused {
    /// The function.
    pub function: String,
    /// The policy that grants it.
    pub policy: String,
    /// The action, as written.
    pub action: String,
    /// The resource, as written.
    pub resource: String,
    /// The conditions, as written; empty if there are none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
}

/// What policies say about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Allow,
    Deny,
    Nothing,
}

impl Identity {
    pub(crate) fn new(policies: Vec<NamedPolicy>, boundary: Option<Arc<Policy>>) -> Self {
        let attach = |named: NamedPolicy| {
            let marks = |statement: &Statement| (0..width(statement)).map(|_| AtomicBool::new(false)).collect();
            let used = named.policy.statements.iter().map(marks).collect();
            Attached { named, used }
        };
        Self { policies: policies.into_iter().map(attach).collect(), boundary }
    }

    /// What the role's policies say about `action` (in lower case) on `resource`.
    pub(crate) fn says(&self, action: &str, resource: &str, context: &Context<'_>) -> Word {
        let all = self.policies.iter().flat_map(|attached| &attached.named.policy.statements);
        word(all, action, resource, context)
    }

    /// What the permissions boundary says; without one, everything is within it.
    pub(crate) fn boundary_says(&self, action: &str, resource: &str, context: &Context<'_>) -> Word {
        self.boundary.as_ref().map_or(Word::Allow, |policy| word(&policy.statements, action, resource, context))
    }

    /// Marks every permission that allows this as used.
    pub(crate) fn mark(&self, action: &str, resource: &str, context: &Context<'_>) {
        for Attached { named, used } in &self.policies {
            for (statement, used) in named.policy.statements.iter().zip(used) {
                if statement.effect != Effect::Allow || !statement.applies(action, resource, context) {
                    continue;
                }
                for (mark, (wanted, target)) in used.iter().zip(pairs(statement)) {
                    let by_action = wanted.is_none_or(|pattern| pattern.matches(action, context));
                    if by_action && target.is_none_or(|pattern| pattern.matches_arn(resource, context)) {
                        mark.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// What was allowed and never used.
    pub(crate) fn unused(&self, function: &str) -> Vec<Unused> {
        let mut unused = Vec::new();
        for Attached { named, used } in self.policies.iter().filter(|attached| !attached.named.implicit) {
            for (statement, used) in named.policy.statements.iter().zip(used) {
                if statement.effect != Effect::Allow {
                    continue;
                }
                let conditions: Vec<_> = statement.conditions.iter().map(ToString::to_string).collect();
                let never = used.iter().zip(pairs(statement)).filter(|(mark, _)| !mark.load(Ordering::Relaxed));
                unused.extend(never.map(|(_, (action, resource))| Unused {
                    function: function.to_owned(),
                    policy: named.name.clone(),
                    action: action.map_or_else(|| "NotAction".to_owned(), |it| it.text.clone()),
                    resource: resource.map_or_else(|| "NotResource".to_owned(), |it| it.text.clone()),
                    condition: conditions.join(", "),
                }));
            }
        }
        unused
    }
}

/// A denial counts more than any permission.
fn word<'s>(
    statements: impl IntoIterator<Item = &'s Statement>,
    action: &str,
    resource: &str,
    context: &Context<'_>,
) -> Word {
    let mut word = Word::Nothing;
    for statement in statements.into_iter().filter(|statement| statement.applies(action, resource, context)) {
        match statement.effect {
            Effect::Deny => return Word::Deny,
            Effect::Allow => word = Word::Allow,
        }
    }
    word
}

type Pair<'s> = (Option<&'s super::policy::Pattern>, Option<&'s super::policy::Pattern>);

/// Each action of a statement with each of its resources; `None` stands for all that a `Not…` leaves.
fn pairs(statement: &Statement) -> impl Iterator<Item = Pair<'_>> {
    let resources = || match &statement.resources {
        Some(element) if !element.negated => element.patterns.iter().map(Some).collect(),
        _ => vec![None],
    };
    let actions = if statement.actions.negated {
        vec![None]
    } else {
        statement.actions.patterns.iter().map(Some).collect::<Vec<_>>()
    };
    actions.into_iter().flat_map(move |action| resources().into_iter().map(move |resource| (action, resource)))
}

fn width(statement: &Statement) -> usize {
    pairs(statement).count()
}
