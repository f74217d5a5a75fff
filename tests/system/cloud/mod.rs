//! Which cloud a suite runs on: the environment variable `ONCEWARD_TEST_CLOUD`.
//!
//! `embedded`, the default, is the local cloud in this process; `endpoint=URL` is whatever answers there as LocalStack
//! does; `ministack` is the emulator of that name from `PyPI`, installed below `target` and started by the suite;
//! `testcontainers` is a container of the image that `ONCEWARD_TEST_IMAGE` names. On all but the first, the template is
//! deployed by the SAM CLI, once for all tests.

mod build;
mod choice;
mod container;
mod health;
mod known_differences;
mod ministack;
mod sandbox;
mod stack;
mod venv;

use std::{
    net::Ipv4Addr,
    sync::{Arc, OnceLock},
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use libtest_mimic::{Completion, Failed, Trial};
use onceward_aws::http_client;
use onceward_local::{
    cloud::{Cloud, REGION},
    conformance,
};
use tokio::runtime::{Builder, Runtime};

use crate::{system::System, trial};
use container::Container;
use ministack::Ministack;

pub(crate) use choice::Choice;
pub(crate) use known_differences::known_difference;
pub(crate) use stack::Deployed;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cloud::the_setting_names_a_cloud_or_is_refused", choice::the_setting_names_a_cloud_or_is_refused),
        trial("cloud::an_endpoint_that_does_not_answer_is_named", health::an_endpoint_that_does_not_answer_is_named),
        trial("cloud::each_known_difference_names_a_case", known_differences::each_names_a_case),
        trial("cloud::a_built_template_names_each_functions_folder", build::names_each_functions_folder),
    ]
}

/// A cloud that many trials share: without any resources, and with the reference system for those that ask for it. It
/// starts when the first of them needs it, and ends when the last of them lets go of it.
pub(crate) struct SharedCloud {
    choice: Choice,
    // Before what it is deployed on: fields are dropped in this order.
    stack: OnceLock<Result<Deployed, Unavailable>>,
    running: OnceLock<Result<Running, Unavailable>>,
}

enum Running {
    Embedded { cloud: Box<Cloud>, _runtime: Runtime },
    Endpoint(String),
    Ministack(Ministack),
    Container(Box<Container>),
}

/// Why a cloud does not run.
pub(crate) enum Unavailable {
    /// This machine lacks something: no fault of the code.
    Missing(String),
    Broken(String),
}

impl Unavailable {
    /// How a trial that needs the cloud ends.
    fn outcome(&self) -> Result<Completion, Failed> {
        match self {
            Self::Missing(what) => Ok(Completion::ignored_with(what)),
            Self::Broken(why) => Err(Failed::from(why)),
        }
    }
}

impl Running {
    fn url(&self) -> &str {
        match self {
            Self::Embedded { cloud, .. } => cloud.aws_url(),
            Self::Endpoint(url) => url,
            Self::Ministack(ministack) => ministack.url(),
            Self::Container(container) => container.url(),
        }
    }

    /// The same, for a function that runs there.
    fn url_inside(&self) -> &str {
        match self {
            Self::Container(_) => container::URL_INSIDE,
            _ => self.url(),
        }
    }

    /// Where this process can listen for functions that run there, best first, and the name they know that host by.
    fn host_inside(&self) -> (Vec<Ipv4Addr>, &'static str) {
        match self {
            Self::Container(container) => {
                let addresses = container.gateway().into_iter().chain([Ipv4Addr::LOCALHOST]);
                (addresses.collect(), container::HOST_INSIDE)
            }
            _ => (vec![Ipv4Addr::LOCALHOST], "127.0.0.1"),
        }
    }
}

impl SharedCloud {
    pub(crate) fn new(choice: Choice) -> Self {
        Self { choice, stack: OnceLock::new(), running: OnceLock::new() }
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
            Err(unavailable) => unavailable.outcome(),
        })
    }

    /// A trial that uses the reference system on this cloud, which others use at the same time.
    pub(crate) fn system_trial<F>(self: &Arc<Self>, name: &str, run: fn(System) -> F) -> Trial
    where
        F: Future<Output = ()> + 'static,
    {
        self.deployment_trial(name, move |_, deployed| {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            runtime.block_on(async { run(System::on(deployed).await).await });
        })
    }

    /// A trial of the deployment itself: of what `sam` did and does.
    pub(crate) fn deployment_trial(
        self: &Arc<Self>,
        name: &str,
        run: impl FnOnce(&Arc<Self>, &Deployed) + Send + 'static,
    ) -> Trial {
        let (cloud, difference) = (Arc::clone(self), known_difference(&self.choice, name));
        Trial::ignorable_test(name, move || {
            if let Some(reason) = difference {
                return Ok(Completion::ignored_with(reason));
            }
            match cloud.deployed() {
                Ok(deployed) => {
                    run(&cloud, deployed);
                    Ok(Completion::Completed)
                }
                Err(unavailable) => unavailable.outcome(),
            }
        })
    }

    /// What SDK clients of this cloud need.
    pub(crate) async fn sdk_config(&self) -> SdkConfig {
        match self.running() {
            Ok(running) => sdk_config(running.url()).await,
            Err(Unavailable::Missing(why) | Unavailable::Broken(why)) => panic!("{why}"),
        }
    }

    fn running(&self) -> Result<&Running, &Unavailable> {
        let running = self.running.get_or_init(|| match &self.choice {
            Choice::Embedded => embedded().map_err(Unavailable::Broken),
            Choice::Endpoint(url) => answers(url).map(|()| Running::Endpoint(url.clone())).map_err(Unavailable::Broken),
            Choice::Ministack => Ministack::start().map(Running::Ministack),
            Choice::Testcontainers => Container::start().map(Box::new).map(Running::Container),
        });
        running.as_ref()
    }

    fn deployed(&self) -> Result<&Deployed, &Unavailable> {
        let running = self.running()?;
        self.stack.get_or_init(|| Deployed::deploy(running)).as_ref()
    }
}

/// What SDK clients of the cloud at `url` need.
pub(crate) async fn sdk_config(url: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client().expect("AWS_CA_BUNDLE is not set, or names a file of roots"))
        .endpoint_url(url)
        .region(REGION)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await
}

/// Said once and clearly, instead of by each test in its client's words.
fn answers(url: &str) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(health::answers(url))
}

fn embedded() -> Result<Running, String> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(|e| e.to_string())?;
    let cloud = runtime.block_on(conformance::embedded());
    Ok(Running::Embedded { cloud: Box::new(cloud.map_err(|error| error.to_string())?), _runtime: runtime })
}
