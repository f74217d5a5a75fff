//! The clouds that can be asked.

use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::session::{Http, http};
use crate::cloud::{Cloud, CloudConfig, CloudError, Listeners, Ports};

/// How long ministack may take to answer after its start.
const START_MAX: Duration = Duration::from_mins(1);

/// How often it is asked whether it answers.
const GLANCE: Duration = Duration::from_millis(100);

/// Runs ministack until its standard input ends: when this process is killed, nothing is left behind.
const MINISTACK: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from ministack.app import main
main()
";

/// A cloud as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    Embedded,
    Endpoint(String),
    Ministack(PathBuf),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "embedded" => Ok(Self::Embedded),
            Some(("endpoint", url)) if url.starts_with("http://") => Ok(Self::Endpoint(url.to_owned())),
            Some(("ministack", python)) if !python.is_empty() => Ok(Self::Ministack(python.into())),
            _ => Err("it may be embedded, endpoint=http://HOST:PORT or ministack=PYTHON".to_owned()),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Endpoint(url) => f.write_str(url.trim_start_matches("http://")),
            Self::Ministack(_) => f.write_str("ministack"),
        }
    }
}

/// A cloud that answers.
pub(super) struct Running {
    url: String,
    embedded: Option<Cloud>,
    /// Ended when this is dropped.
    _ministack: Option<Child>,
}

impl Running {
    /// Starts what must be started.
    pub(super) async fn start(choice: &Choice) -> Result<Self, String> {
        match choice {
            Choice::Endpoint(url) => {
                // One clear word here instead of one from each behaviour.
                let uri = url.parse().map_err(|error: http::uri::InvalidUri| format!("it is no URL: {error}"))?;
                http().get(uri).await.map_err(|error| format!("nothing answers there: {}", innermost(&error)))?;
                Ok(Self { url: url.clone(), embedded: None, _ministack: None })
            }
            Choice::Embedded => {
                let cloud = embedded().await.map_err(|error| error.to_string())?;
                Ok(Self { url: cloud.aws_url().to_owned(), embedded: Some(cloud), _ministack: None })
            }
            Choice::Ministack(python) => ministack(python.clone()).await,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn stop(self) {
        if let Some(cloud) = self.embedded {
            cloud.shutdown().await;
        }
    }
}

/// The first cause: what the system said.
fn innermost(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// The local cloud in this process, without any resources, on free ports.
pub async fn embedded() -> Result<Cloud, CloudError> {
    Cloud::start(CloudConfig::new(Listeners::bind(Ports::default()).await?))
}

async fn ministack(python: PathBuf) -> Result<Running, String> {
    let fault = |error: std::io::Error| format!("{} cannot be started: {error}", python.display());
    // Free now: nothing else on this machine is likely to be given the same port at once.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).map_err(fault)?;
    let mut child = Command::new(&python)
        .args(["-c", MINISTACK])
        .env("GATEWAY_PORT", free.port().to_string())
        .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("LOG_LEVEL", "ERROR")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(fault)?;
    let (url, client, began) = (format!("http://{free}"), http(), tokio::time::Instant::now());
    while !healthy(&client, &url).await {
        if began.elapsed() > START_MAX || !matches!(child.try_wait(), Ok(None)) {
            return Err(format!("ministack does not answer: does {} have it?", python.display()));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(Running { url, embedded: None, _ministack: Some(child) })
}

/// Where `LocalStack` and what is compatible to it say that they are up.
async fn healthy(client: &Http, url: &str) -> bool {
    match format!("{url}/_localstack/health").parse() {
        Ok(uri) => client.get(uri).await.is_ok_and(|answer| answer.status().is_success()),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nothing_answers_the_systems_reason_is_told() {
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|closed| closed.local_addr()).unwrap();
        let refused = Running::start(&Choice::Endpoint(format!("http://{closed}"))).await.err().unwrap();
        assert!(refused.starts_with("nothing answers there: Connection refused"), "{refused}");
    }

    #[test]
    fn a_cloud_is_named_or_refused() {
        assert_eq!("embedded".parse(), Ok(Choice::Embedded));
        let url = "http://127.0.0.1:4566";
        assert_eq!(format!("endpoint={url}").parse(), Ok(Choice::Endpoint(url.to_owned())));
        assert_eq!("ministack=bin/python".parse(), Ok(Choice::Ministack("bin/python".into())));
        for text in ["", "aws", "endpoint", "endpoint=localhost", "endpoint=https://aws.test", "ministack="] {
            let error = text.parse::<Choice>().unwrap_err();
            assert!(error.contains("endpoint=http://"), "{text}: {error}");
        }
    }
}
