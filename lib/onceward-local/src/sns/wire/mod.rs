//! The actions. <https://docs.aws.amazon.com/sns/latest/api/API_Operations.html>

mod publish;
mod subscriptions;
mod topics;

use bytes::Bytes;
use uuid::Uuid;

use super::query::{Parameters, Xml, answer, refusal};
use super::{Sns, SnsError};
use crate::wire::{AwsRequest, AwsResponse, Protocol};

const CONTENT_TYPE: &str = "text/xml";

/// Topics or subscriptions in one answer. <https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html>
const PAGE: usize = 100;

/// An action's result: `None` where AWS sends no result element.
type Answer = Result<Option<Vec<Xml>>, SnsError>;

pub(super) fn handle(sns: &Sns, request: &AwsRequest) -> AwsResponse {
    let request_id = Uuid::new_v4().to_string();
    let (status, body) = match act(sns, request) {
        Ok(result) => (200, answer(&request.action, result.as_deref(), &request_id)),
        Err(error) => (error.status(), refusal(&error, &request_id)),
    };
    AwsResponse {
        status,
        content_type: CONTENT_TYPE,
        headers: vec![("x-amzn-RequestId", request_id)],
        body: Bytes::from(body),
    }
}

fn act(sns: &Sns, request: &AwsRequest) -> Answer {
    if request.protocol != Protocol::Query {
        return Err(SnsError::invalid("Content-Type", "SNS speaks the query protocol, not AWS JSON"));
    }
    let parameters = Parameters::decode(&request.body);
    match request.action.as_str() {
        "CreateTopic" => topics::create(sns, &parameters),
        "ListTopics" => topics::list(sns, &parameters),
        "DeleteTopic" => topics::delete(sns, &parameters),
        "GetTopicAttributes" => topics::attributes(sns, &parameters),
        "SetTopicAttributes" => topics::set_attribute(sns, &parameters),
        "AddPermission" => topics::add_permission(sns, &parameters),
        "RemovePermission" => topics::remove_permission(sns, &parameters),
        "TagResource" => topics::tag(sns, &parameters),
        "UntagResource" => topics::untag(sns, &parameters),
        "ListTagsForResource" => topics::tags(sns, &parameters),
        "Subscribe" => subscriptions::subscribe(sns, &parameters),
        "ConfirmSubscription" => subscriptions::confirm(sns, &parameters),
        "Unsubscribe" => subscriptions::unsubscribe(sns, &parameters),
        "ListSubscriptions" => subscriptions::list(sns, &parameters, None),
        "ListSubscriptionsByTopic" => subscriptions::list(sns, &parameters, Some(parameters.arn("TopicArn")?)),
        "GetSubscriptionAttributes" => subscriptions::attributes(sns, &parameters),
        "SetSubscriptionAttributes" => subscriptions::set_attribute(sns, &parameters),
        "Publish" => publish::one(sns, &parameters),
        "PublishBatch" => publish::batch(sns, &parameters),
        action => Err(SnsError::UnsupportedAction { action: action.to_owned() }),
    }
}

/// One page of `items`, and the token of the next as an element. The token is the position it starts at.
fn page(items: Vec<Xml>, parameters: &Parameters) -> Result<(Vec<Xml>, Option<Xml>), SnsError> {
    let start: usize = match parameters.get("NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| SnsError::invalid("NextToken", token))?,
    };
    let next = (items.len() > start + PAGE).then(|| Xml::text("NextToken", (start + PAGE).to_string()));
    Ok((items.into_iter().skip(start).take(PAGE).collect(), next))
}
