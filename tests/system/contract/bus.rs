use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_eventbridge::{
    Client,
    types::{SqsParameters, Target},
};
use onceward::{Envelope, Publisher};
use onceward_aws::EventBridgePublisher;
use onceward_testing::contract::BusProbe;

use super::{queues::Queue, unique_name};

/// Every event has this version: <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>.
const EVERY_EVENT: &str = r#"{"version": ["0"]}"#;

/// A bus made for one case, and the queue that its rule routes every event to: FIFO, so that an order can be seen.
pub(super) struct Bus {
    publisher: EventBridgePublisher,
    routed: Queue,
}

impl Bus {
    pub(super) async fn create(config: &SdkConfig) -> Self {
        let (client, name) = (Client::new(config), unique_name());
        let routed = Queue::create(&aws_sdk_sqs::Client::new(config), true, []).await;
        client.create_event_bus().name(&name).send().await.expect("the bus is created");
        let rule = client.put_rule().name(&name).event_bus_name(&name).event_pattern(EVERY_EVENT);
        rule.send().await.expect("the rule is created");
        let group = SqsParameters::builder().message_group_id("routed").build();
        let target = Target::builder().id("queue").arn(routed.arn().await).sqs_parameters(group).build();
        let targets = client.put_targets().rule(&name).event_bus_name(&name);
        let answer = targets.targets(target.expect("id and ARN are set")).send().await.expect("the rule has a target");
        assert_eq!(answer.failed_entry_count, 0, "{answer:?}");
        Self { publisher: EventBridgePublisher::new(client, name), routed }
    }
}

#[async_trait]
impl BusProbe for Bus {
    fn publisher(&self) -> &dyn Publisher {
        &self.publisher
    }

    async fn take_routed(&self, wait: Duration) -> Vec<String> {
        self.routed.take(wait).await.into_iter().map(|message| message.body.expect("a body")).collect()
    }

    /// Only AWS itself may publish under such a source:
    /// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
    fn unacceptable(&self, event: Envelope) -> Envelope {
        Envelope { source: format!("aws.{}", event.source), ..event }
    }
}
