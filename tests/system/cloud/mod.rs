//! Which cloud a suite runs on: the environment variable `ONCEWARD_TEST_CLOUD`.
//!
//! `embedded`, the default, is the local cloud in this process; `endpoint=URL` is whatever answers there as LocalStack
//! does; `ministack` is the emulator of that name from `PyPI`, installed below `target` and started by the suite.

mod ministack;

use std::sync::{Arc, OnceLock};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use libtest_mimic::{Completion, Failed, Trial};
use onceward_aws::http_client;
use onceward_local::{
    cloud::{Cloud, CloudConfig, Listeners, Ports},
    iam::Mode,
    lambda::LogSink,
    template::Stack,
};
use tokio::runtime::{Builder, Runtime};

use crate::{system::binaries, trial};
use ministack::Ministack;

/// Names the cloud.
const VARIABLE: &str = "ONCEWARD_TEST_CLOUD";

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("cloud::the_setting_names_a_cloud_or_is_refused", the_setting_names_a_cloud_or_is_refused)]
}

/// What the variable can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    Embedded,
    Endpoint(String),
    Ministack,
}

impl Choice {
    pub(crate) fn from_environment() -> Result<Self, String> {
        Self::parse(&std::env::var(VARIABLE).unwrap_or_default())
    }

    fn parse(value: &str) -> Result<Self, String> {
        match (value, value.strip_prefix("endpoint=")) {
            ("" | "embedded", _) => Ok(Self::Embedded),
            ("ministack", _) => Ok(Self::Ministack),
            (_, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Endpoint(url.to_owned()))
            }
            _ => Err(format!("{VARIABLE} is {value:?}: it may be embedded, endpoint=URL or ministack")),
        }
    }
}

/// A cloud without any resources that many trials share. It starts when the first of them needs it, and ends when the
/// last of them lets go of it.
pub(crate) struct SharedCloud {
    choice: Choice,
    running: OnceLock<Result<Running, Unavailable>>,
}

enum Running {
    Embedded { cloud: Box<Cloud>, _runtime: Runtime },
    Endpoint(String),
    Ministack(Ministack),
}

/// Why a cloud does not run.
enum Unavailable {
    /// This machine lacks something: no fault of the code.
    Missing(String),
    Broken(String),
}

impl SharedCloud {
    pub(crate) fn new(choice: Choice) -> Self {
        Self { choice, running: OnceLock::new() }
    }

    pub(crate) fn choice(&self) -> &Choice {
        &self.choice
    }

    /// A trial that uses this cloud; ignored, with what is missing, where it cannot run.
    pub(crate) fn trial<F>(self: &Arc<Self>, name: String, run: impl FnOnce(Arc<Self>) -> F + Send + 'static) -> Trial
    where
        F: Future<Output = ()> + 'static,
    {
        let cloud = Arc::clone(self);
        Trial::ignorable_test(name, move || match cloud.running() {
            Ok(_) => {
                // This keeps a handle: the cloud's runtime must not end inside another one.
                Builder::new_current_thread().enable_all().build()?.block_on(run(Arc::clone(&cloud)));
                Ok(Completion::Completed)
            }
            Err(Unavailable::Missing(what)) => Ok(Completion::ignored_with(what)),
            Err(Unavailable::Broken(why)) => Err(Failed::from(why)),
        })
    }

    /// What SDK clients of this cloud need.
    pub(crate) async fn sdk_config(&self) -> SdkConfig {
        let url = match self.running() {
            Ok(Running::Embedded { cloud, .. }) => cloud.aws_url(),
            Ok(Running::Endpoint(url)) => url,
            Ok(Running::Ministack(ministack)) => ministack.url(),
            Err(Unavailable::Missing(why) | Unavailable::Broken(why)) => panic!("{why}"),
        };
        aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client().expect("AWS_CA_BUNDLE is not set, or names a file of roots"))
            .endpoint_url(url)
            .region("us-east-1")
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await
    }

    fn running(&self) -> &Result<Running, Unavailable> {
        self.running.get_or_init(|| match &self.choice {
            Choice::Embedded => embedded().map_err(Unavailable::Broken),
            Choice::Endpoint(url) => Ok(Running::Endpoint(url.clone())),
            Choice::Ministack => Ministack::start().map(Running::Ministack),
        })
    }
}

fn embedded() -> Result<Running, String> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(|e| e.to_string())?;
    let cloud = runtime.block_on(async {
        let listeners = Listeners::bind(Ports::default()).await?;
        let (stack, environment) = (Stack::default(), std::collections::BTreeMap::new());
        Cloud::start(CloudConfig {
            stack,
            listeners,
            binaries: binaries(),
            environment,
            log: LogSink::discard(),
            data: None,
            iam: Mode::Enforce,
        })
    });
    Ok(Running::Embedded { cloud: Box::new(cloud.map_err(|error| error.to_string())?), _runtime: runtime })
}

fn the_setting_names_a_cloud_or_is_refused() {
    for (value, expected) in [
        ("", Choice::Embedded),
        ("embedded", Choice::Embedded),
        ("ministack", Choice::Ministack),
        ("endpoint=http://127.0.0.1:4566", Choice::Endpoint("http://127.0.0.1:4566".to_owned())),
    ] {
        assert_eq!(Choice::parse(value), Ok(expected));
    }
    for value in ["Embedded", "endpoint", "endpoint=", "endpoint=localhost:4566", "aws"] {
        let error = Choice::parse(value).expect_err(value);
        assert!(error.contains(value) && error.contains("endpoint=URL"), "{error}");
    }
}
