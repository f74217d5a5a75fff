//! What all SDK clients share.

mod trust;

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::{RunError, settings};

/// One try of a call: a connection that is dead is given up while there is time for another.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often the SDK sends one call that is throttled, fails inside AWS or gets no answer.
pub(crate) const CALL_TRIES_MAX: u32 = 3;

/// Upper bound of the first wait between them; it doubles. The SDK's own is 1 s after throttling: the tries of one
/// commit, each of several calls, would outlast the invocation, and the log would speak of its deadline alone.
const CALL_PAUSE: Duration = Duration::from_millis(25);

/// The bound never exceeds this.
const CALL_PAUSE_MAX: Duration = Duration::from_millis(500);

/// The HTTP client for SDK clients: TLS by ring, trusting the roots of Amazon Trust Services, or those in the file that
/// the environment variable `AWS_CA_BUNDLE` names.
///
/// The SDK's own default links aws-lc, which is slower to build and at the first handshake, and reads the machine's
/// certificates at each cold start.
pub fn http_client() -> Result<SharedHttpClient, RunError> {
    trust::store(std::env::var_os(trust::AWS_CA_BUNDLE)).map(trusting)
}

fn trusting(roots: TrustStore) -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(roots).build().expect("it has no part that could be refused");
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https()
}

/// What all clients share: region, credentials and endpoint by the SDK's standard variables, one pool of connections.
/// It makes no call: the region is known, and credentials are asked for by the first call.
pub(crate) async fn config() -> Result<SdkConfig, RunError> {
    Ok(loader(Region::new(settings::region()?), http_client()?).load().await)
}

/// The configuration but for what differs between AWS and a test.
fn loader(region: Region, http_client: SharedHttpClient) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let retries = RetryConfig::standard()
        .with_max_attempts(CALL_TRIES_MAX)
        .with_initial_backoff(CALL_PAUSE)
        .with_max_backoff(CALL_PAUSE_MAX);
    aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(http_client)
        .timeout_config(timeouts)
        .retry_config(retries)
}

#[cfg(test)]
pub(crate) mod tests;
