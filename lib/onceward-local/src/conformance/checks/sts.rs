//! STS.

use crate::conformance::behaviour::{Behaviour, List, Outcome, holds};
use crate::conformance::request::{STS, elements};
use crate::conformance::session::Session;

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new("STS", "https://docs.aws.amazon.com/STS/latest/")
        .add(
            "caller-identity",
            "GetCallerIdentity answers account, user id and ARN",
            "APIReference/API_GetCallerIdentity.html",
            caller_identity,
        )
        .done()
}

async fn caller_identity(session: Session) -> Outcome {
    let answer = session.query(STS, "GetCallerIdentity", &[]).await?;
    let text = |name: &str| elements(&answer, name).into_iter().next().unwrap_or_default();
    let account = text("Account");
    holds(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()), format!("Account is {account:?}"))?;
    holds(text("Arn").contains(&format!("::{account}:")), format!("Arn is {:?}", text("Arn")))?;
    holds(!text("UserId").is_empty(), "there is no UserId")
}
