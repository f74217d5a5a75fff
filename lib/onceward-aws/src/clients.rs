use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// One try of a call: a connection that is dead is given up while there is time for another.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// The HTTP client for SDK clients: TLS by ring.
///
/// The SDK's own default links aws-lc, which is slower to build and at the first handshake.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// What all clients share: region, credentials and endpoint by the SDK's standard variables, one pool of connections.
pub(crate) async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()).timeout_config(timeouts).load().await
}
