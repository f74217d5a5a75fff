//! The adapters for AWS keep the contracts that those in memory keep, each case by name, on the cloud that
//! `ONCEWARD_TEST_CLOUD` names.

mod bus;
mod ledger;
mod queues;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use libtest_mimic::{Completion, Trial};
use onceward_testing::contract::{
    BusProbe, Cloud, CloudCase, LedgerCase, QueueProbe, QueueSettings, ledger_cases, publisher_cases,
    source_queue_cases,
};

use crate::cloud::{SharedCloud, known_difference};
use ledger::Tables;
pub(crate) use queues::Queue;

pub(crate) fn trials(cloud: &Arc<SharedCloud>) -> Vec<Trial> {
    let tables = Arc::new(Tables::default());
    let ledgers = ledger_cases().into_iter().map(|case| ledger_trial(cloud, &tables, case));
    let queues = source_queue_cases().into_iter().map(|case| cloud_trial(cloud, "sqs", case));
    let buses = publisher_cases().into_iter().map(|case| cloud_trial(cloud, "eventbridge", case));
    ledgers.chain(queues).chain(buses).collect()
}

fn ledger_trial(cloud: &Arc<SharedCloud>, tables: &Arc<Tables>, (name, case): LedgerCase) -> Trial {
    let tables = Arc::clone(tables);
    case_trial(cloud, "dynamodb", name, move |cloud: Arc<SharedCloud>| async move {
        case(Arc::new(tables.ledger(&cloud.sdk_config().await).await)).await;
    })
}

fn cloud_trial(cloud: &Arc<SharedCloud>, service: &str, (name, case): CloudCase) -> Trial {
    case_trial(cloud, service, name, move |cloud: Arc<SharedCloud>| async move {
        case(Arc::new(Sdk { config: cloud.sdk_config().await })).await;
    })
}

/// A case that this cloud is known to fail is not run, and its reason is shown.
fn case_trial<F>(
    cloud: &Arc<SharedCloud>,
    service: &str,
    case: &str,
    run: impl FnOnce(Arc<SharedCloud>) -> F + Send + 'static,
) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    let name = format!("contract::{service}::{case}");
    match known_difference(cloud.choice(), case) {
        Some(reason) => Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason))),
        None => cloud.trial(name, run),
    }
}

/// Queues and buses over the AWS protocols.
struct Sdk {
    config: SdkConfig,
}

#[async_trait]
impl Cloud for Sdk {
    async fn queues(&self, settings: QueueSettings) -> Box<dyn QueueProbe> {
        Box::new(queues::Queues::create(&self.config, settings).await)
    }

    async fn bus(&self) -> Box<dyn BusProbe> {
        Box::new(bus::Bus::create(&self.config).await)
    }
}

/// A name that no other trial and no other run uses.
fn unique_name() -> String {
    format!("contract-{:016x}", rand::random::<u64>())
}
