//! All behaviours asked of one cloud, many at once.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::behaviour::{Behaviour, Finding};
use super::session::{Session, http};

/// Checks under way at once. Most of a check's time is waiting.
const CHECKS_AT_ONCE: usize = 32;

/// The longest that a check may take: some wait several times, and beside other work each step takes its time.
const CHECK_MAX: Duration = Duration::from_mins(2);

/// The longest that a check may clean up.
const CLEAN_UP_MAX: Duration = Duration::from_secs(10);

/// What a cloud does about a behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What AWS documents.
    Kept,
    /// Something else: what was seen.
    Differs(String),
    /// It says by name that it does not have this: what it said.
    Refused(String),
}

/// What the cloud at `url` does about each of the behaviours, in their order.
pub async fn survey(url: &str, behaviours: &[Behaviour]) -> Vec<Verdict> {
    let http = http();
    let url = url.trim_end_matches('/');
    let checks = behaviours.iter().map(|behaviour| verdict(behaviour, Session::new(http.clone(), url)));
    stream::iter(checks).buffered(CHECKS_AT_ONCE).collect().await
}

async fn verdict(behaviour: &Behaviour, session: Session) -> Verdict {
    let verdict = match tokio::time::timeout(CHECK_MAX, behaviour.check(session.clone())).await {
        Ok(Ok(())) => Verdict::Kept,
        Ok(Err(Finding::Differs(seen))) => Verdict::Differs(seen),
        Ok(Err(Finding::Refused(said))) => Verdict::Refused(said),
        Err(_) => Verdict::Differs(format!("no outcome within {} s", CHECK_MAX.as_secs())),
    };
    // What cannot be cleaned up stays: its names are used by nobody else.
    let _ = tokio::time::timeout(CLEAN_UP_MAX, session.clean_up()).await;
    verdict
}
