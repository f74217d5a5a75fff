//! Another cloud, whose queues, tables and buses the functions of this machine work on: ministack, `LocalStack`, or
//! whatever else speaks AWS's protocols.
//!
//! - *client*: one signed request; *credentials*: of the environment. *error*: why there was no answer.
//! - *lookup*: whether the other cloud has what the functions use; *mention*: how they name it.
//! - *queue*, *stream*: event sources there, for the mappings here. *send*: destinations there.
//! - *trouble*: what goes wrong for a while is said once.

mod client;
mod credentials;
mod error;
mod lookup;
mod mention;
mod queue;
mod send;
mod stream;
#[cfg(test)]
mod tests;
mod trouble;

use std::{env, sync::Arc, time::Duration};

use serde_json::Value;

use self::{client::Client, trouble::Troubles};
pub use self::{
    credentials::Credentials,
    error::RemoteError,
    lookup::{Found, Missing},
};
pub(crate) use self::{queue::RemoteQueue, send::Sending, stream::RemoteStream};
use crate::{
    account::{ACCOUNT_ID, Account},
    cloud::REGION,
    lambda::LogSink,
};

/// How long an answer may take, besides what a long poll waits.
pub const ANSWER_MAX: Duration = Duration::from_secs(10);
/// First pause before the other cloud is asked again; doubles up to [`RETRY_DELAY_MAX`].
pub const RETRY_DELAY_MIN: Duration = Duration::from_millis(500);
/// Longest pause before the other cloud is asked again.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(20);
/// Pages of event source mappings that are looked at.
const MAPPING_PAGES_MAX: usize = 20;

/// Another cloud. Clones are the same.
#[derive(Debug, Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

/// An event source mapping of the other cloud that reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnabledMapping {
    /// Its UUID.
    pub id: String,
    /// What it reads.
    pub source_arn: String,
    /// What it invokes.
    pub function_arn: String,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    account: Account,
    troubles: Troubles,
}

impl Remote {
    /// The cloud at `endpoint`, with the credentials and the region of this process's environment; its account is asked
    /// for. What goes wrong later is told to `log`.
    pub async fn connect(endpoint: &str, log: LogSink) -> Result<Self, RemoteError> {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| REGION.to_owned());
        let credentials = Credentials::from_variables(variable);
        let client = Client::new(&endpoint, &region, credentials)?;
        let id = match client.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await {
            Ok(answer) => between(&answer, "<Account>", "</Account>").unwrap_or(ACCOUNT_ID).to_owned(),
            // It is there, and has no STS.
            Err(RemoteError::Refused { .. }) => ACCOUNT_ID.to_owned(),
            Err(unreachable) => return Err(unreachable),
        };
        let troubles = Troubles::new(endpoint.clone(), log);
        let account = Account { id, region, endpoint };
        Ok(Self { inner: Arc::new(Inner { client, account, troubles }) })
    }

    /// Its account, region and endpoint: what ARNs there are made of.
    pub fn account(&self) -> &Account {
        &self.inner.account
    }

    /// What requests to it are signed with.
    pub fn credentials(&self) -> &Credentials {
        &self.inner.client.credentials
    }

    /// Event source mappings that are enabled there.
    pub async fn enabled_mappings(&self) -> Result<Vec<EnabledMapping>, RemoteError> {
        let mut enabled = Vec::new();
        let mut marker = String::new();
        for _ in 0..MAPPING_PAGES_MAX {
            let answer =
                self.inner.client.get("lambda", &format!("/2015-03-31/event-source-mappings/{marker}")).await?;
            let mappings = answer["EventSourceMappings"].as_array().map(Vec::as_slice).unwrap_or_default();
            for mapping in mappings.iter().filter(|mapping| is_enabled(mapping)) {
                let text = |name: &str| mapping[name].as_str().unwrap_or_default().to_owned();
                let (id, source_arn, function_arn) = (text("UUID"), text("EventSourceArn"), text("FunctionArn"));
                enabled.push(EnabledMapping { id, source_arn, function_arn });
            }
            match answer["NextMarker"].as_str().filter(|next| !next.is_empty()) {
                Some(next) => marker = format!("?Marker={}", client::encoded(next)),
                None => break,
            }
        }
        Ok(enabled)
    }

    fn client(&self) -> &Client {
        &self.inner.client
    }

    fn troubles(&self) -> &Troubles {
        &self.inner.troubles
    }
}

/// `Enabled`, or on the way there.
fn is_enabled(mapping: &Value) -> bool {
    matches!(mapping["State"].as_str(), Some("Enabled" | "Enabling" | "Creating" | "Updating"))
}

/// The pause after so many failures in a row.
fn retry_delay(failures: u32) -> Duration {
    RETRY_DELAY_MIN.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16))).min(RETRY_DELAY_MAX)
}

/// The text after `start` and before `end`: for the few answers in XML.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}
