//! What an earlier run of the template made and it declares no more: `CloudFormation` would delete it.
//!
//! Rules, archives, subscriptions, schedules and their groups go. Buses, queues, topics, buckets and tables stay with what
//! is in them, as with `DeletionPolicy: Retain`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::endpoint::Services;
use crate::scheduler::Schedule;
use crate::store::{Kept, StoreError};
use crate::template::{Stack, Subscription, Trigger};

/// The template's resources in a data folder.
pub(super) struct Owned(Kept<Record>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Buses and names.
    rules: BTreeSet<(String, String)>,
    archives: BTreeSet<String>,
    /// Topics, protocols and endpoints.
    subscriptions: BTreeSet<(String, String, String)>,
    schedule_groups: BTreeSet<String>,
    /// Groups and names.
    schedules: BTreeSet<(String, String)>,
    /// The schedules as the template last declared them, after they were made.
    made: Vec<Schedule>,
}

impl Owned {
    /// Deletes what `stack` declares no more, and notes what it declares.
    pub(super) fn take(services: &Services, stack: &Stack) -> Result<Self, StoreError> {
        let kept = Kept::open(&services.store, "stack", Record::default)?;
        {
            let mut record = kept.lock();
            let mut declared = Record::declared(stack);
            record.delete_undeclared(services, &declared);
            let last = std::mem::take(&mut record.made).into_iter();
            declared.made = last.filter(|schedule| declared.schedules.contains(&key(schedule))).collect();
            *record = declared;
        }
        Ok(Self(kept))
    }

    /// Whether an earlier run made the schedule as it is declared. It is left alone then, also if it is over and gone.
    pub(super) fn has_made(&self, schedule: &Schedule) -> bool {
        self.0.lock().made.contains(schedule)
    }

    /// Notes that the schedules are made.
    pub(super) fn note_made(&self, schedules: &[Schedule]) {
        self.0.lock().made = schedules.to_vec();
    }
}

impl Record {
    fn declared(stack: &Stack) -> Self {
        let of_functions = stack.functions.iter().flat_map(|function| &function.triggers);
        let of_functions = of_functions.filter_map(|trigger| match trigger {
            Trigger::Topic(subscription) => Some(subscription),
            _ => None,
        });
        let subscription = |it: &Subscription| (it.topic_arn.clone(), it.protocol.to_owned(), it.endpoint.clone());
        Self {
            rules: stack.rules.iter().map(|rule| (rule.bus.clone(), rule.name.clone())).collect(),
            archives: stack.archives.iter().map(|archive| archive.name.clone()).collect(),
            subscriptions: stack.subscriptions.iter().chain(of_functions).map(subscription).collect(),
            schedule_groups: stack.schedule_groups.iter().cloned().collect(),
            schedules: stack.schedules.iter().map(key).collect(),
            made: Vec::new(),
        }
    }

    /// All that can be refused is to delete what somebody has deleted meanwhile, alone or with what it belonged to.
    fn delete_undeclared(&self, services: &Services, declared: &Self) {
        let Services { events, sns, scheduler, .. } = services;
        for (bus, name) in self.rules.difference(&declared.rules) {
            let _ = events.delete_rule(bus, name);
        }
        for name in self.archives.difference(&declared.archives) {
            let _ = events.delete_archive(name);
        }
        for (topic_arn, protocol, endpoint) in self.subscriptions.difference(&declared.subscriptions) {
            let _ = sns.unsubscribe(topic_arn, protocol, endpoint);
        }
        for (group, name) in self.schedules.difference(&declared.schedules) {
            let _ = scheduler.delete(group, name);
        }
        for group in self.schedule_groups.difference(&declared.schedule_groups) {
            let _ = scheduler.delete_group(group);
        }
    }
}

fn key(schedule: &Schedule) -> (String, String) {
    (schedule.group_name.clone(), schedule.name.clone())
}
