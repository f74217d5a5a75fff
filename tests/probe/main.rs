//! The function that the tests of the runtime itself invoke: it does what its event says.

use std::{process::ExitCode, time::Duration};

use lambda_runtime::tower::util::MapErrLayer;
use onceward::{Context, Event, Function, HandlerError, HandlerResult, UnitOfWork};
use onceward_aws::InvocationError;
use serde::{Deserialize, Serialize};

/// What is to happen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    Commit,
    Fail,
    Refuse,
    Panic,
    /// Much longer than any test has patience for.
    Sleep,
}

#[derive(Debug, Serialize, Deserialize)]
struct WishMade {
    wish: Wish,
    /// Nobody's business but the wisher's.
    #[serde(default)]
    secret: String,
}

impl Event for WishMade {
    const TYPE: &'static str = "wish.made";

    fn subject(&self) -> String {
        String::new()
    }
}

/// What a direct invocation is answered.
#[derive(Debug, Serialize)]
struct Granted {
    event_id: String,
    trace: String,
}

async fn grant(made: WishMade, context: Context) -> HandlerResult {
    tracing::info!("granting");
    tracing::trace!(made.secret, "not for the log of production");
    match made.wish {
        Wish::Commit => {
            let event = context.event();
            let granted = Granted { event_id: event.id.clone(), trace: event.trace.to_string() };
            Ok(UnitOfWork::new().answer(&granted))
        }
        Wish::Fail => Err(HandlerError::from(std::io::Error::other("as it was wished"))),
        Wish::Refuse => Err(HandlerError::invalid("wish", "is refused, as it was wished")),
        Wish::Panic => panic!("as it was wished"),
        Wish::Sleep => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            Ok(UnitOfWork::new())
        }
    }
}

/// Middleware, as a team may have it: every error says which team to ask.
fn signed(error: InvocationError) -> InvocationError {
    InvocationError { message: format!("[probe] {}", error.message), ..error }
}

fn main() -> ExitCode {
    onceward_aws::run_layered(MapErrLayer::new(signed), |_| Ok(Function::new("probe").on(grant)))
}
