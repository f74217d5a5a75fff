//! Functions here, and all that they work on in another cloud.

use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use super::resources::{self, Source, refused};
use super::{Cloud, CloudConfig, CloudError, Options, Packages};
use crate::endpoint::{self, Services};
use crate::gateway::Gateway;
use crate::lambda::Route;
use crate::remote::{Found, Remote, RemoteQueue, RemoteStream};
use crate::store::Store;
use crate::template::Stack;

/// The cloud that has the resources.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// The cloud.
    pub remote: Remote,
    /// What was found there.
    pub found: Found,
}

impl Cloud {
    /// Runs the stack's functions against another cloud. Queues and streams there are read from here; of AWS, the
    /// listeners answer Lambda alone. The configuration's `data` and `iam` are not used: they are the other cloud's.
    pub async fn start_against(
        config: CloudConfig,
        options: &Options,
        elsewhere: Elsewhere,
    ) -> Result<Self, CloudError> {
        let CloudConfig { stack, listeners, binaries, environment, log, data: _, iam: _ } = config;
        let services = Services::open(listeners.account().clone(), log, Store::memory())?;
        services.destinations.divert(elsewhere.remote.clone());
        let aws_url = listeners.aws_url().to_owned();
        let http_url = listeners.http_url().to_owned();
        let gateway_url = listeners.gateway_url().to_owned();
        let mut packages = Packages::default();
        let attached = resources::create_functions(
            &services.lambda,
            &stack,
            (&binaries, &mut packages),
            (&environment, Some(elsewhere.remote.credentials())),
            &http_url,
            &options.attach,
        )?;
        let routes = map(&services, &stack, &elsewhere).await?;
        let gateway = Gateway::new();
        let mut servers = JoinSet::new();
        listeners.serve(
            &mut servers,
            endpoint::router_elsewhere(&services),
            services.lambda.http_api(routes, stack.cors.clone()),
            gateway.router(),
        );
        Ok(Self {
            services,
            gateway,
            stack,
            aws_url,
            http_url,
            gateway_url,
            servers: Mutex::new(servers),
            attached,
            remote: Some(elsewhere.remote),
            packages,
        })
    }
}

/// Connects functions to their queues and streams there; the HTTP routes are returned. What topics, rules and schedules
/// there would invoke is not reached: `onceward dev` says so.
async fn map(services: &Services, stack: &Stack, elsewhere: &Elsewhere) -> Result<Vec<Route>, CloudError> {
    let Elsewhere { remote, found } = elsewhere;
    let mut routes = Vec::new();
    for function in &stack.functions {
        for trigger in &function.triggers {
            let mapped = match resources::source(function, trigger) {
                Source::Http(route) => {
                    routes.push(route);
                    continue;
                }
                Source::Topic(_) => continue,
                Source::Queue(mapping) => {
                    let url = found.queues.get(&mapping.queue_arn).cloned().unwrap_or_default();
                    services.lambda.map_queue(Arc::new(RemoteQueue::new(remote.clone(), url)), mapping)
                }
                Source::Table(mapping) => {
                    let source = Arc::new(RemoteStream::new(remote.clone(), &mapping.table));
                    services.lambda.map_table(source, mapping, None).await
                }
            };
            mapped.map_err(refused("event source of", &function.name))?;
        }
    }
    Ok(routes)
}
