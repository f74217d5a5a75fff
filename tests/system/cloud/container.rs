use std::{
    collections::HashMap,
    net::Ipv4Addr,
    process::{Command, Stdio},
};

use testcontainers::{
    ContainerAsync, GenericImage, ImageExt as _,
    bollard::{
        Docker,
        models::{HostConfig, PortBinding},
    },
    core::{Host, IntoContainerPort as _},
    runners::AsyncRunner as _,
};
use tokio::runtime::Runtime;

use super::{Unavailable, health::await_health};
use crate::system::ROOT;

/// Names the image.
const VARIABLE: &str = "ONCEWARD_TEST_IMAGE";

/// Makes the default image, and says its name.
const RECIPE: &str = "tests/image/build";

/// The port that LocalStack and what is compatible to it answer on.
const PORT: u16 = 4566;

/// The cloud, for a function that runs in its container.
pub(super) const URL_INSIDE: &str = "http://127.0.0.1:4566";

/// This machine, for a function that runs there.
pub(super) const HOST_INSIDE: &str = "host.docker.internal";

/// A running container; dropping it removes it with its volumes.
pub(super) struct Container {
    /// None while it is being removed.
    running: Option<ContainerAsync<GenericImage>>,
    url: String,
    gateway: Option<Ipv4Addr>,
    runtime: Runtime,
}

/// The image that a container is made of: the one of the repository's recipe, unless the variable names another.
pub(super) fn image() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        let recipe = Command::new("bash").args([RECIPE, "--name"]).current_dir(ROOT).stdin(Stdio::null()).output();
        recipe.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    })
}

impl Container {
    /// Starts one, and waits until the cloud in it says that it is up.
    pub(super) fn start() -> Result<Self, Unavailable> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Unavailable::Broken(error.to_string()))?;
        let image = image();
        let docker = runtime.block_on(engine(&image)).map_err(Unavailable::Missing)?;
        let started = runtime.block_on(start(&image));
        let (container, url) = started.map_err(|error| Unavailable::Broken(format!("{image}: {error}")))?;
        let gateway = runtime.block_on(gateway(&docker, container.id()));
        // From here on it is removed whatever happens.
        let this = Self { running: Some(container), url, gateway, runtime };
        this.await_health().map_err(|error| Unavailable::Broken(format!("{image}: {error}")))?;
        Ok(this)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// This machine's address on the network of the container.
    pub(super) fn gateway(&self) -> Option<Ipv4Addr> {
        self.gateway
    }

    fn await_health(&self) -> Result<(), String> {
        let Some(container) = &self.running else { return Ok(()) };
        let runs = async || container.is_running().await.unwrap_or_default();
        self.runtime.block_on(async {
            let Err(error) = await_health(&self.url, runs).await else { return Ok(()) };
            let log = container.stderr_to_vec().await.unwrap_or_default();
            Err(format!("{error}: {}", String::from_utf8_lossy(&log)))
        })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let Some(container) = self.running.take() else { return };
        if let Err(error) = self.runtime.block_on(container.rm()) {
            eprintln!("the container is left behind: {error}");
        }
    }
}

/// Asks the engine whether it is there and can have the image.
async fn engine(image: &str) -> Result<Docker, String> {
    let needs = |error| format!("needs a Docker engine: {error}");
    let docker = Docker::connect_with_defaults().map_err(needs)?;
    docker.ping().await.map_err(needs)?;
    if std::env::var_os(VARIABLE).is_none() && docker.inspect_image(image).await.is_err() {
        return Err(format!("needs an image: `bash {RECIPE}` makes {image:?}, or {VARIABLE} names one"));
    }
    Ok(docker)
}

/// This machine's address on the container's network. Where the engine runs in a machine of its own it is that one's,
/// which passes on what is meant for its host to the host's loopback.
async fn gateway(docker: &Docker, container: &str) -> Option<Ipv4Addr> {
    let inspected = docker.inspect_container(container, None).await.ok()?;
    inspected.network_settings?.networks?.into_values().find_map(|network| network.gateway?.parse().ok())
}

async fn start(image: &str) -> Result<(ContainerAsync<GenericImage>, String), testcontainers::TestcontainersError> {
    // The last colon is the registry's port where a slash follows it.
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    let request = GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        .with_host(HOST_INSIDE, Host::HostGateway)
        .with_host_config_modifier(on_loopback);
    let container = request.start().await?;
    let port = container.get_host_port_ipv4(PORT.tcp()).await?;
    Ok((container, format!("http://{}:{port}", Ipv4Addr::LOCALHOST)))
}

/// Answers to this machine alone, on a free port.
fn on_loopback(config: &mut HostConfig) {
    let binding = PortBinding { host_ip: Some(Ipv4Addr::LOCALHOST.to_string()), host_port: None };
    config.publish_all_ports = Some(false);
    config.port_bindings = Some(HashMap::from([(format!("{PORT}/tcp"), Some(vec![binding]))]));
}
