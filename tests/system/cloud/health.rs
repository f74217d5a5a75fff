use std::time::{Duration, Instant};

use reqwest::Client;

/// How long a cloud may take to answer after its start. The machine may be busy with other tests.
const START_MAX: Duration = Duration::from_mins(1);

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
