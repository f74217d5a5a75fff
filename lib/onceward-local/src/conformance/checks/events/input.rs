//! What a target is given of an event.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, same};
use crate::conformance::request::{EVENTS, Request};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const TARGET: &str = "APIReference/API_Target.html";
const TRANSFORMER: &str = "userguide/eb-transform-target-input.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("input-constant", "Input replaces the event by a constant", TARGET, constant)
        .add("input-path", "InputPath gives a part of the event", TARGET, path)
        .add("transformer-text", "A transformer's template in quotes gives a text", TRANSFORMER, transformer_text)
        .add(
            "transformer-object",
            "A transformer's template gives an object, in which values keep their types",
            TRANSFORMER,
            transformer_object,
        )
        .add(
            "transformer-missing",
            "A variable whose path is not in the event becomes empty",
            TRANSFORMER,
            transformer_missing,
        )
        .add(
            "transformer-predefined",
            "aws.events.rule-name, rule-arn, event and ingestion-time can be used without a path",
            TRANSFORMER,
            transformer_predefined,
        )
        .add("input-one", "A target has at most one of Input, InputPath and InputTransformer", TARGET, one_of)
        .done()
}

/// What a queue is given of an event with this detail, and the rule's name.
async fn given(session: &Session, target: Value, detail: &Value) -> Result<(String, String), Finding> {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let mut target = target;
    target["Arn"] = queue.arn.clone().into();
    let rule = session.rule(&bus, &json!({"version": ["0"]}), &[target]).await?;
    session.put_event(&bus, detail).await?;
    Ok((text(&queue.next().await?["Body"]), rule))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({ "not JSON": text }))
}

async fn constant(session: Session) -> Outcome {
    let (body, _) = given(&session, json!({"Input": "{\"a\": 1}"}), &json!({})).await?;
    same("the message", parsed(&body), json!({"a": 1}))
}

async fn path(session: Session) -> Outcome {
    let (body, _) = given(&session, json!({"InputPath": "$.detail.order"}), &json!({"order": {"id": 7}})).await?;
    same("the message", parsed(&body), json!({"id": 7}))
}

fn transformer(paths: &Value, template: &str) -> Value {
    json!({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})
}

async fn transformer_text(session: Session) -> Outcome {
    let target = transformer(&json!({"id": "$.detail.id", "n": "$.detail.n"}), "\"order <id> has <n> lines\"");
    let (body, _) = given(&session, target, &json!({"id": "o-1", "n": 2})).await?;
    same("the message", body, "\"order o-1 has 2 lines\"")
}

async fn transformer_object(session: Session) -> Outcome {
    let paths = json!({"id": "$.detail.id", "n": "$.detail.n", "lines": "$.detail.lines"});
    let target = transformer(&paths, "{\"order\": <id>, \"count\": <n>, \"lines\": <lines>, \"text\": \"n is <n>\"}");
    let (body, _) = given(&session, target, &json!({"id": "o-1", "n": 2, "lines": [{"p": 1}]})).await?;
    let expected = json!({"order": "o-1", "count": 2, "lines": [{"p": 1}], "text": "n is 2"});
    same("the message", parsed(&body), expected)
}

async fn transformer_missing(session: Session) -> Outcome {
    let target = transformer(&json!({"id": "$.detail.id", "no": "$.detail.no"}), "\"<id>[<no>]\"");
    let (body, _) = given(&session, target, &json!({"id": "o-1"})).await?;
    same("the message", body, "\"o-1[]\"")
}

async fn transformer_predefined(session: Session) -> Outcome {
    let template = "{\"rule\": <aws.events.rule-name>, \"arn\": <aws.events.rule-arn>, \"event\": <aws.events.event>, \
                    \"at\": <aws.events.event.ingestion-time>}";
    let (body, rule) = given(&session, transformer(&json!({}), template), &json!({"n": 1})).await?;
    let given = parsed(&body);
    same("the rule's name", text(&given["rule"]), rule.as_str())?;
    same("the rule's ARN ends with its name", text(&given["arn"]).ends_with(&rule), true)?;
    same("the event's detail-type", &given["event"]["detail-type"], &json!("checked"))?;
    same("there is a time", given["at"].is_string(), true)
}

async fn one_of(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &json!({"version": ["0"]}), &[]).await?;
    let target = json!({"Id": "t", "Arn": queue.arn, "Input": "{}", "InputPath": "$.detail"});
    let request = json!({"Rule": rule, "EventBusName": bus, "Targets": [target]});
    let reply = session.send(Request::json(EVENTS, "PutTargets", &request)).await?;
    if reply.status == 200 && reply.json()["FailedEntryCount"] == 1 {
        return Ok(());
    }
    reply.refusal(&["ValidationException"]).map(drop)
}
