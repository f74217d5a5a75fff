//! One handler, whichever way its event arrives: a real process, invoked with what each service sends.

mod fixtures;
mod lifecycle;
mod payloads;
mod runtime_api;
mod shapes;

use libtest_mimic::Trial;
use onceward_local::lambda::Invocation;
use serde_json::{Value, json};

use crate::system::{System, envelope};

/// The function that does what its event says.
const PROBE: &str = "probe";

pub(crate) fn trials() -> Vec<Trial> {
    [shapes::trials(), fixtures::trials(), lifecycle::trials()].into_iter().flatten().collect()
}

/// An event that wishes something.
fn wish(id: &str, wish: &str) -> Value {
    envelope("wish.made.v1", id, &json!({ "wish": wish }))
}

/// A function's answer, or the type and the text of its error.
type Answer = Result<Value, (String, String)>;

/// Invokes the probe with a payload as it is.
async fn invoke(system: &System, payload: &Value) -> Answer {
    let invocation =
        system.cloud().lambda().invoke(PROBE, payload.to_string().into()).await.expect("it can be invoked");
    let Invocation { payload, function_error } = invocation;
    let answer: Value = serde_json::from_slice(&payload).expect("a function answers JSON");
    if function_error.is_none() {
        return Ok(answer);
    }
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    Err((text("errorType"), text("errorMessage")))
}

/// The process that served everything so far.
fn process(system: &System) -> Vec<u32> {
    system.cloud().lambda().processes(PROBE).expect("the function exists")
}
