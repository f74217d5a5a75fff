use std::net::{Ipv4Addr, SocketAddr};

use onceward_local::gateway::Gateway;
use tokio::{net::TcpListener, runtime::Runtime};

/// The payment gateway that functions on another cloud call: it runs in this process wherever they run.
pub(super) struct Sandbox {
    pub(super) gateway: Gateway,
    /// As the functions know it.
    pub(super) url: String,
    _runtime: Runtime,
}

impl Sandbox {
    /// Listens on the first of `addresses` that this machine has; functions know it by the name `host`.
    pub(super) fn start(addresses: &[Ipv4Addr], host: &str) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let (runtime, gateway) = (runtime.map_err(|error| error.to_string())?, Gateway::new());
        let candidates: Vec<_> = addresses.iter().map(|address| SocketAddr::from((*address, 0))).collect();
        let fault = |error: std::io::Error| format!("the payment gateway cannot listen on {addresses:?}: {error}");
        let listener = runtime.block_on(TcpListener::bind(candidates.as_slice())).map_err(fault)?;
        let port = listener.local_addr().map_err(fault)?.port();
        let router = gateway.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { gateway, url: format!("http://{host}:{port}"), _runtime: runtime })
    }
}
