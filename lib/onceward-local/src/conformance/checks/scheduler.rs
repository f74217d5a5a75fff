//! EventBridge Scheduler.

use http::Method;
use serde_json::{Value, json};

use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, same};
use crate::conformance::request::{Reply, Request};
use crate::conformance::resources::{Queue, text};
use crate::conformance::session::Session;

const CREATE: &str = "APIReference/API_CreateSchedule.html";
const TYPES: &str = "UserGuide/schedule-types.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new("Scheduler", "https://docs.aws.amazon.com/scheduler/latest/")
        .add("one-time", "A one-time schedule invokes its target with its Input at its time", TYPES, one_time)
        .add(
            "delete-after-completion",
            "With ActionAfterCompletion DELETE a schedule is gone after its last invocation",
            "UserGuide/managing-schedule-delete.html",
            delete_after,
        )
        .add("get", "GetSchedule answers what was created", "APIReference/API_GetSchedule.html", get)
        .add(
            "expressions",
            "An expression that is no valid at, rate or cron is refused with ValidationException",
            TYPES,
            expressions,
        )
        .add(
            "groups",
            "A schedule group is created, described and deleted with its schedules",
            "UserGuide/managing-schedule-group.html",
            groups,
        )
        .add("list", "ListSchedules answers by prefix", "APIReference/API_ListSchedules.html", list)
        .add("flexible-window", "A schedule needs a FlexibleTimeWindow", CREATE, flexible_window)
        .add("twice", "Creating a schedule again is refused with ConflictException", CREATE, twice)
        .add(
            "unknown",
            "A schedule that does not exist is refused with ResourceNotFoundException and status 404",
            "APIReference/API_GetSchedule.html",
            unknown,
        )
        .done()
}

fn request(method: Method, name: &str, body: &Value) -> Request {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Request::rest("scheduler", method, format!("/schedules/{name}"), body).header("content-type", "application/json")
}

fn schedule(expression: &str, queue: &Queue) -> Value {
    json!({
        "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": queue.arn, "RoleArn": "arn:aws:iam::000000000000:role/scheduler", "Input": "{\"n\":1}"},
    })
}

async fn create(session: &Session, name: &str, body: &Value) -> Result<Reply, Finding> {
    let reply = session.send(request(Method::POST, name, body)).await?;
    if reply.status < 300 {
        session.clean_up_with(request(Method::DELETE, name, &Value::Null));
    }
    Ok(reply)
}

/// A few seconds from now: not over when the request arrives, also where that takes a while.
fn soon() -> String {
    let time = chrono::Utc::now() + chrono::TimeDelta::seconds(3);
    format!("at({})", time.format("%Y-%m-%dT%H:%M:%S"))
}

async fn one_time(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    create(&session, &session.name(), &schedule(&soon(), &queue)).await?.success()?;
    same("the message", text(&queue.next().await?["Body"]), "{\"n\":1}")
}

async fn delete_after(session: Session) -> Outcome {
    let (queue, name) = (session.queue(json!({})).await?, session.name());
    let mut body = schedule(&soon(), &queue);
    body["ActionAfterCompletion"] = "DELETE".into();
    create(&session, &name, &body).await?.success()?;
    queue.next().await?;
    let gone = async || {
        let reply = session.send(request(Method::GET, &name, &Value::Null)).await?;
        Ok((reply.status == 404).then_some(()))
    };
    session.eventually("the schedule is gone", gone).await
}

async fn get(session: Session) -> Outcome {
    let (queue, name) = (session.queue(json!({})).await?, session.name());
    let created = create(&session, &name, &schedule("rate(1 day)", &queue)).await?.success()?.json();
    let got = session.send(request(Method::GET, &name, &Value::Null)).await?.success()?.json();
    same("Arn", &got["Arn"], &created["ScheduleArn"])?;
    same("ScheduleExpression", text(&got["ScheduleExpression"]), "rate(1 day)")?;
    same("State", text(&got["State"]), "ENABLED")?;
    same("GroupName", text(&got["GroupName"]), "default")?;
    same("Target.Arn", text(&got["Target"]["Arn"]), queue.arn)
}

async fn expressions(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    for expression in ["at(2099-01-01T00:00:00)", "rate(5 minutes)", "cron(0 12 ? * MON-FRI *)"] {
        create(&session, &session.name(), &schedule(expression, &queue)).await?.success()?;
    }
    for expression in ["at(tomorrow)", "rate(0 minutes)", "cron(0 12 * * *)", "daily"] {
        let reply = create(&session, &session.name(), &schedule(expression, &queue)).await?;
        reply.refusal(&["ValidationException"])?;
    }
    Ok(())
}

async fn groups(session: Session) -> Outcome {
    let (queue, group, name) = (session.queue(json!({})).await?, session.name(), session.name());
    let at = |method: Method| {
        let path = format!("/schedule-groups/{group}");
        Request::rest("scheduler", method, path, "{}").header("content-type", "application/json")
    };
    session.send(at(Method::POST)).await?.success()?;
    let mut body = schedule("rate(1 day)", &queue);
    body["GroupName"] = group.clone().into();
    session.send(request(Method::POST, &name, &body)).await?.success()?;
    same("Name", text(&session.send(at(Method::GET)).await?.success()?.json()["Name"]), group.as_str())?;
    session.send(at(Method::DELETE)).await?.success()?;
    let gone = async || {
        let path = format!("/schedules/{name}?groupName={group}");
        let reply = session.send(Request::rest("scheduler", Method::GET, path, "")).await?;
        Ok((reply.status == 404).then_some(()))
    };
    session.eventually("the group's schedule is gone", gone).await
}

async fn list(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let mut names = [session.name(), session.name()];
    for name in &names {
        create(&session, name, &schedule("rate(1 day)", &queue)).await?.success()?;
    }
    let path = format!("/schedules?NamePrefix={}", session.prefix());
    let listed = session.send(Request::rest("scheduler", Method::GET, path, "")).await?.success()?.json();
    let mut found: Vec<_> =
        listed["Schedules"].as_array().into_iter().flatten().map(|schedule| text(&schedule["Name"])).collect();
    found.sort();
    names.sort();
    same("the schedules", found, names)
}

async fn flexible_window(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let mut body = schedule("rate(1 day)", &queue);
    body.as_object_mut().map(|body| body.remove("FlexibleTimeWindow"));
    create(&session, &session.name(), &body).await?.refusal(&["ValidationException"]).map(drop)
}

async fn twice(session: Session) -> Outcome {
    let (queue, name) = (session.queue(json!({})).await?, session.name());
    let body = schedule("rate(1 day)", &queue);
    create(&session, &name, &body).await?.success()?;
    session.send(request(Method::POST, &name, &body)).await?.refusal(&["ConflictException"]).map(drop)
}

async fn unknown(session: Session) -> Outcome {
    let reply = session.send(request(Method::GET, &session.name(), &Value::Null)).await?;
    same("status", reply.refusal(&["ResourceNotFoundException"])?.status, 404)
}
