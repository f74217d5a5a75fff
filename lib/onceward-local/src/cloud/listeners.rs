//! The ports of one cloud, bound before anything else.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::error::CloudError;
use crate::account::Account;
use crate::guard::Guard;

/// The region of a local cloud, unless told otherwise.
pub const REGION: &str = "us-east-1";

/// Which ports to bind; 0 for any free one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ports {
    /// For the AWS endpoint.
    pub aws: u16,
    /// For the HTTP API.
    pub http: u16,
    /// For the sandbox payment gateway.
    pub gateway: u16,
}

/// Bound ports on 127.0.0.1. Connections wait in line until the cloud has started.
#[derive(Debug)]
pub struct Listeners {
    account: Account,
    aws_url: String,
    http_url: String,
    gateway_url: String,
    aws: TcpListener,
    http: TcpListener,
    gateway: TcpListener,
    hosts: Arc<[String]>,
}

impl Listeners {
    /// Binds `ports`.
    pub async fn bind(ports: Ports) -> Result<Self, CloudError> {
        let (aws, aws_url) = listen(ports.aws, "the AWS endpoint", "--aws-port").await?;
        let (http, http_url) = listen(ports.http, "the HTTP API", "--http-port").await?;
        let (gateway, gateway_url) = listen(ports.gateway, "the sandbox payment gateway", "--gateway-port").await?;
        let (account, hosts) = (Account::new(REGION, aws_url.clone()), Arc::default());
        Ok(Self { account, aws_url, http_url, gateway_url, aws, http, gateway, hosts })
    }

    /// The account whose ARNs and URLs these ports make.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The same ports, which also answer under these names, such as a tunnel's. Without them, requests are answered that
    /// are sent to an address or to a name of this machine: a browser can be made to send others here.
    #[must_use]
    pub fn allowing(self, hosts: &[String]) -> Self {
        Self { hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(), ..self }
    }

    /// The same ports for functions that work on the resources of `account`, elsewhere.
    #[must_use]
    pub fn against(self, account: Account) -> Self {
        Self { account, ..self }
    }

    /// Base URL of what these ports answer of AWS.
    pub fn aws_url(&self) -> &str {
        &self.aws_url
    }

    /// Base URL of the HTTP API.
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// Base URL of the sandbox payment gateway.
    pub fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// Answers on all ports, in tasks of `servers`.
    pub(super) fn serve(self, servers: &mut JoinSet<()>, aws: Router, http: Router, gateway: Router) {
        let guard = Guard::new(self.hosts);
        // The template says which pages may use the HTTP API.
        let (aws, http, gateway) =
            (guard.clone().before(aws), guard.clone().any_origin().before(http), guard.before(gateway));
        for (listener, router) in [(self.aws, aws), (self.http, http), (self.gateway, gateway)] {
            // Without this, small answers wait for the client's delayed acknowledgement: 40 ms.
            let listener = listener.tap_io(|connection| {
                let _ = connection.set_nodelay(true);
            });
            servers.spawn(async move {
                // Accepting connections never ends by itself, and errors of single connections are not ours.
                let service = router.into_make_service_with_connect_info::<SocketAddr>();
                let _ = axum::serve(listener, service).await;
            });
        }
    }
}

async fn listen(port: u16, purpose: &'static str, flag: &'static str) -> Result<(TcpListener, String), CloudError> {
    let fault = |source: std::io::Error| match source.kind() {
        ErrorKind::AddrInUse => CloudError::PortInUse { port, purpose, flag },
        _ => CloudError::Listen { port, purpose, flag, source: Arc::new(source) },
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(fault)?;
    let url = format!("http://{}", listener.local_addr().map_err(fault)?);
    Ok((listener, url))
}
