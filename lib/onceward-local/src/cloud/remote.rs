//! Functions here, and all that they work on in another cloud.

use std::sync::Arc;

use super::resources::{self, Source, refused};
use super::{Cloud, CloudConfig, CloudError, Options};
use crate::endpoint::Services;
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
        let services = Services::open(config.listeners.account().clone(), config.log.clone(), Store::memory())?;
        services.destinations.divert(elsewhere.remote.clone());
        let credentials = Some(elsewhere.remote.credentials());
        let functions = resources::create_functions(&services.lambda, &config, options, credentials)?;
        let routes = map(&services, &config.stack, &elsewhere).await?;
        Ok(Self::serve(config, services, functions, routes, Some(elsewhere.remote)))
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
