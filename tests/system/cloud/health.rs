use std::{
    error::Error,
    time::{Duration, Instant},
};

use reqwest::Client;

/// How long a cloud may take to answer after its start. The machine may be busy with other tests.
const START_MAX: Duration = Duration::from_mins(1);

/// How long one that runs already may take for its first answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How often it is asked whether it answers.
const GLANCE: Duration = Duration::from_millis(50);

/// Where LocalStack and what is compatible to it say that they are up.
const HEALTH: &str = "/_localstack/health";

/// Where only ministack answers.
const MINISTACK: &str = "/_ministack/health";

/// Waits until the cloud at `url` says that it is up; `Err` says how long it did not, or that it has ended.
pub(super) async fn await_health(url: &str, mut runs: impl AsyncFnMut() -> bool) -> Result<(), String> {
    let (client, began) = (client()?, Instant::now());
    while !healthy(&client, &format!("{url}{HEALTH}")).await {
        if began.elapsed() > START_MAX || !runs().await {
            return Err(format!("it does not answer after {:?}", began.elapsed()));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

/// Whether anything answers at `url`, whatever it says; `Err` names it and `ONCEWARD_TEST_CLOUD`.
pub(super) async fn answers(url: &str) -> Result<(), String> {
    let reason = match client()?.get(url).timeout(ANSWER_MAX).send().await {
        Ok(_) => return Ok(()),
        Err(error) => innermost(&error),
    };
    Err(format!("ONCEWARD_TEST_CLOUD is endpoint={url}, and nothing answers there: {reason}"))
}

/// The first cause: what the system said.
fn innermost(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

pub(super) fn an_endpoint_that_does_not_answer_is_named() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let error = runtime.block_on(answers(&format!("http://{closed}"))).expect_err("nothing listens there");
    let expected =
        format!("ONCEWARD_TEST_CLOUD is endpoint=http://{closed}, and nothing answers there: Connection refused");
    assert!(error.starts_with(&expected), "{error}");
}

/// Whether it is ministack, which does not tell its functions where it is.
pub(super) async fn is_ministack(url: &str) -> Result<bool, String> {
    Ok(healthy(&client()?, &format!("{url}{MINISTACK}")).await)
}

async fn healthy(client: &Client, url: &str) -> bool {
    client.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

fn client() -> Result<Client, String> {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().timeout(START_MAX).build().map_err(|error| error.to_string())
}
