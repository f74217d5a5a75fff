use std::{collections::HashMap, fs, net::SocketAddr, path::PathBuf, process::Command, sync::Arc};

use aws_sdk_dynamodb::{Client, config::Credentials};
use axum::{Router, serve::Listener};
use onceward::{Key, Store as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::*;
use crate::{DynamoDbLedger, scripted::chain};

/// How long a test's client waits for an answer of this machine, which may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The configuration of a function's clients for an endpoint of a test.
pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    config_with(endpoint, PATIENCE).await
}

/// The same, with clients that wait so long for an answer.
pub(crate) async fn config_with(endpoint: &str, patience: Duration) -> SdkConfig {
    loader(Region::new("eu-central-1"), trusting(TrustStore::empty()))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(patience).build())
        .load()
        .await
}

/// SHA-256 of the certificates in DER, as `openssl x509 -fingerprint -sha256` shows it. The keys in them have the
/// hashes that <https://www.amazontrust.com/repository/> publishes.
const FINGERPRINTS: [&str; 5] = [
    "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
];

#[test]
fn the_embedded_roots_are_those_of_amazon_trust_services() {
    let certificates = CertificateDer::pem_slice_iter(trust::AMAZON_ROOTS.as_bytes());
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let fingerprints: Vec<_> = certificates.map(|der| hex(&Sha256::digest(der.expect("PEM")))).collect();
    assert_eq!(fingerprints, FINGERPRINTS);
}

#[tokio::test]
async fn the_pauses_of_one_call_leave_the_invocation_time_for_many() {
    let config = config("http://127.0.0.1:9").await;
    let retries = config.retry_config().expect("set");
    let doubling = (0..retries.max_attempts() - 1).map(|wait| retries.initial_backoff() * 2_u32.pow(wait));
    let pauses: Duration = doubling.map(|bound| bound.min(retries.max_backoff())).sum();
    assert!(pauses <= Duration::from_millis(100), "{pauses:?}, and a commit makes five calls of them");
}

#[test]
fn a_bundle_that_cannot_be_used_is_named_with_the_reason() {
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    let valid = Authority::new().pem();
    for (text, reason) in [
        (None, "No such file"),
        (Some(""), "it has no certificate"),
        (Some(key), "it has no certificate"),
        (Some(&*format!("{valid}{junk}")), "certificate 2: "),
        (Some(torn), ""),
    ] {
        let file = File::new(text.unwrap_or_default());
        if text.is_none() {
            fs::remove_file(&file.0).unwrap();
        }
        let message = trust::store(Some(file.0.clone().into_os_string())).unwrap_err().to_string();
        let named = format!("the environment variable AWS_CA_BUNDLE names {}", file.0.display());
        assert!(message.starts_with(&named) && message.contains(&format!("cannot be used: {reason}")), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_a_root_of_the_bundle() {
    let authority = Authority::new();
    let server = authority.serve().await;
    let bundle = File::new(&authority.pem());
    let said = child(server, &[("AWS_CA_BUNDLE", bundle.path())]).await;
    assert!(said.contains("loaded: None"), "{said}");
}

#[tokio::test]
async fn a_server_of_an_unknown_root_is_refused_whatever_the_machine_trusts() {
    let authority = Authority::new();
    let server = authority.serve().await;
    let (root, other) = (File::new(&authority.pem()), File::new(&Authority::new().pem()));
    // What a client that reads the machine's roots would read.
    let machine = ("SSL_CERT_FILE", root.path());
    for variables in [&[machine][..], &[machine, ("AWS_CA_BUNDLE", other.path())]] {
        let said = child(server, variables).await;
        let refused = "GetItem on table `orders` failed: the server's certificate is not trusted";
        assert!(said.contains(refused) && said.contains("AWS_CA_BUNDLE") && said.contains("UnknownIssuer"), "{said}");
    }
}

#[tokio::test]
async fn a_function_without_a_region_or_with_a_broken_bundle_does_not_start() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let said = child(nobody, &[("AWS_REGION", "")]).await;
    assert!(said.contains("start refused: the environment variable AWS_REGION is not set"), "{said}");
    let said = child(nobody, &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "Frankfurt")]).await;
    assert!(said.contains(r#"start refused: the environment variable AWS_DEFAULT_REGION is "Frankfurt""#), "{said}");
    let said = child(nobody, &[("AWS_CA_BUNDLE", "/nowhere/roots.pem")]).await;
    assert!(said.contains("start refused: the environment variable AWS_CA_BUNDLE names /nowhere/roots.pem"), "{said}");
}

#[tokio::test]
async fn a_cold_start_calls_nobody_not_even_for_region_and_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let address = listener.local_addr().unwrap();
    // Without credentials, a call asks the instance metadata service, which is this listener.
    let metadata = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url);
    let no_credentials = [metadata, ("AWS_ACCESS_KEY_ID", ""), ("AWS_ENDPOINT_URL", &url)];
    let started = [&no_credentials[..], &[("ONCEWARD_TEST_STEPS", "start")]].concat();
    let said = child(address, &started).await;
    assert!(said.contains("started"), "{said}");
    let connected = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(connected.is_err(), "the process has ended, and was never here");

    let calls = tokio::spawn(async move { listener.accept().await.is_ok() });
    child(address, &no_credentials).await;
    assert!(calls.await.unwrap(), "the first call would have been seen");
}

/// Starts as a function does, reads one row, and says how that went.
#[tokio::test]
#[ignore = "not a test, but the process that other tests start"]
async fn in_a_process_of_its_own() {
    let config = match super::config().await {
        Ok(config) => config,
        Err(error) => return println!("start refused: {error}"),
    };
    let tables = HashMap::from([("orders".to_owned(), "orders".to_owned())]);
    let ledger = DynamoDbLedger::new(Client::new(&config), "ledger", tables);
    println!("started");
    if std::env::var_os("ONCEWARD_TEST_STEPS").is_none() {
        match ledger.load("orders", &Key::new("id", "o1")).await {
            Ok(row) => println!("loaded: {row:?}"),
            Err(error) => println!("{}", chain(&error)),
        }
    }
}

/// What [`in_a_process_of_its_own`] says with these variables, later ones in place of earlier ones.
async fn child(server: SocketAddr, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--ignored", "--exact", "clients::tests::in_a_process_of_its_own", "--nocapture"]);
    command.env_clear().envs([("AWS_REGION", "eu-central-1"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_ENDPOINT_URL", format!("https://localhost:{}", server.port()));
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// A certificate authority that nobody knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut root = CertificateParams::new([]).expect("no names");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.distinguished_name.push(DnType::CommonName, format!("{:016x}", rand::random::<u64>()));
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(root, key).expect("a root"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server with a certificate of this authority that has no row of any table.
    async fn serve(&self) -> SocketAddr {
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = names.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is the certificate's");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let listener = TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(server)) };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(async || "{}")).await });
        address
    }
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// Clients that refuse the certificate are the others' business.
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A file that is removed in the end.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("onceward-roots-{:016x}.pem", rand::random::<u64>()));
        fs::write(&path, text).expect("written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
