//! Lambda's API, as far as it needs no function of one's own.

use http::Method;
use serde_json::json;

use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::request::Request;
use crate::conformance::session::Session;

/// A zip with an executable `bootstrap`, in base64.
const ZIP: &str = "UEsDBBQAAAAAAAAAIVwdnfsECgAAAAoAAAAJAAAAYm9vdHN0cmFwIyEvYmluL3NoClBLAQIUAxQAAAAAAAAAIVwdnfsECgAAAAoA\
    AAAJAAAAAAAAAAAAAADtAQAAAABib290c3RyYXBQSwUGAAAAAAEAAQA3AAAAMQAAAAAA";

const FUNCTIONS: &str = "/2015-03-31/functions";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new("Lambda", "https://docs.aws.amazon.com/lambda/latest/")
        .add("list-functions", "ListFunctions answers a list", "api/API_ListFunctions.html", list_functions)
        .add(
            "create-function",
            "CreateFunction makes a function of a zip with a bootstrap",
            "api/API_CreateFunction.html",
            create_function,
        )
        .add(
            "unknown-function",
            "GetFunction of one that does not exist is ResourceNotFoundException, status 404",
            "api/API_GetFunction.html",
            unknown_function,
        )
        .add(
            "unknown-invoke",
            "Invoking a function that does not exist is ResourceNotFoundException, status 404",
            "api/API_Invoke.html",
            unknown_invoke,
        )
        .add(
            "list-mappings",
            "ListEventSourceMappings answers a list",
            "api/API_ListEventSourceMappings.html",
            list_mappings,
        )
        .add(
            "unknown-mapping",
            "GetEventSourceMapping of one that does not exist is ResourceNotFoundException, status 404",
            "api/API_GetEventSourceMapping.html",
            unknown_mapping,
        )
        .done()
}

fn get(path: &str) -> Request {
    Request::rest("lambda", Method::GET, path, "")
}

async fn list_functions(session: Session) -> Outcome {
    let answer = session.send(get(&format!("{FUNCTIONS}/"))).await?.success()?.json();
    holds(answer["Functions"].is_array(), format!("there is no list Functions: {answer}"))
}

async fn create_function(session: Session) -> Outcome {
    let name = session.name();
    let function = json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": ZIP},
        "Role": "arn:aws:iam::000000000000:role/function",
    });
    let create = Request::rest("lambda", Method::POST, FUNCTIONS, function.to_string());
    let created = session.send(create.header("content-type", "application/json")).await?.success()?;
    session.clean_up_with(Request::rest("lambda", Method::DELETE, format!("{FUNCTIONS}/{name}"), ""));
    same("status", created.status, 201)?;
    same("FunctionName", created.json()["FunctionName"].as_str(), Some(name.as_str()))
}

async fn unknown_function(session: Session) -> Outcome {
    let reply = session.send(get(&format!("{FUNCTIONS}/{}", session.name()))).await?;
    same("status", reply.refusal(&["ResourceNotFoundException"])?.status, 404)
}

async fn unknown_invoke(session: Session) -> Outcome {
    let path = format!("{FUNCTIONS}/{}/invocations", session.name());
    let reply = session.send(Request::rest("lambda", Method::POST, path, json!({}).to_string())).await?;
    same("status", reply.refusal(&["ResourceNotFoundException"])?.status, 404)
}

async fn list_mappings(session: Session) -> Outcome {
    let answer = session.send(get("/2015-03-31/event-source-mappings/")).await?.success()?.json();
    holds(answer["EventSourceMappings"].is_array(), format!("there is no list EventSourceMappings: {answer}"))
}

async fn unknown_mapping(session: Session) -> Outcome {
    let reply = session.send(get(&format!("/2015-03-31/event-source-mappings/{}", uuid::Uuid::new_v4()))).await?;
    same("status", reply.refusal(&["ResourceNotFoundException"])?.status, 404)
}
